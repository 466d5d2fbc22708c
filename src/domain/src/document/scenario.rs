//! Program tests: facts, a date, and what is expected.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::benefit::BenefitValue;
use crate::date::Date;
use crate::facts::input::FactsInput;
use crate::money::DecimalText;

/// A program test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Its name, unique among the scenarios.
    pub name: String,
    /// What it shows.
    pub description: Option<String>,
    /// The date of the evaluation.
    pub as_of: Date,
    /// What is known.
    pub facts: FactsInput,
    /// What is expected, per partner.
    pub expect: Vec<Expectation>,
}

/// What is expected of one partner. Only what is given is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The partner's code; may be left out where the facts have one partner.
    pub partner: Option<String>,
    /// Per ladder, what the evaluation gives.
    #[serde(default)]
    pub ladders: Vec<LadderExpectation>,
    /// By metric key: its exact value as a decimal or a fraction `1/3`, or `null` for no data.
    #[serde(default)]
    pub metrics: BTreeMap<String, Option<FigureText>>,
    /// By benefit key.
    #[serde(default)]
    pub entitlements: BTreeMap<String, EntitlementExpectation>,
    /// By schedule and period.
    #[serde(default)]
    pub rebates: Vec<RebateExpectation>,
    /// Runs over facts as they were known: what each posts (see `evaluate`).
    #[serde(default)]
    pub runs: Vec<RunExpectation>,
}

/// What a ladder is expected to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LadderExpectation {
    /// The ladder. Default: the main ladder.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that the partner holds after the evaluation; `NONE` for none.
    pub tier: Option<String>,
    /// The highest tier whose requirement is met, whether granted or not; `NONE` for none.
    pub qualified: Option<String>,
    /// The next tier up; `NONE` at the top.
    pub next: Option<String>,
    /// What is missing for the next tier, by metric key or label: exactly these leaves, each with how much is missing, as a
    /// decimal or a fraction `1/3`. A leaf that is met or not (a holding, a tier, a contract) misses 1; so does an admission that
    /// the tier waits for (INVITATION, APPLICATION, APPROVAL). Where several ways lead to the tier: the leaves of one of them.
    pub missing: Option<BTreeMap<String, FigureText>>,
    /// What is missing to keep the tier that is held, written as `missing`: empty when its requirement is met.
    pub missing_to_keep: Option<BTreeMap<String, FigureText>>,
    /// The tier is held although its requirement fails: the day on which its grace period ends, on which it is lost.
    pub grace_until: Option<Date>,
    /// Tiers that are met, by key.
    #[serde(default)]
    pub met: BTreeMap<String, bool>,
}

/// An expected exact figure: a decimal in quotes, or a fraction such as `1/120` where no decimal is exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FigureText(pub String);

impl FigureText {
    /// The figure; none when it is not written as one.
    pub fn figure(&self) -> Option<crate::exact::Exact> {
        match self.0.split_once('/') {
            Some((numerator, denominator)) => crate::exact::Exact::ratio(numerator.parse().ok()?, denominator.parse().ok()?),
            None => crate::exact::Exact::parse(&self.0, 30, 30).ok(),
        }
    }
}

impl<'de> Deserialize<'de> for FigureText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DecimalText::deserialize(deserializer).map(|text| Self(text.0))
    }
}

impl JsonSchema for FigureText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FigureText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"], "pattern": r"^-?(0|[1-9][0-9]*)((\.[0-9]+)|(/[1-9][0-9]*))?$", "description": "An exact decimal in quotes, or a fraction such as \"1/120\"." })
    }
}

/// What an entitlement is expected to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntitlementExpectation {
    /// GRANTED, WITHHELD or NOT_OFFERED.
    pub status: Option<EntitlementStatus>,
    /// Its value.
    pub value: Option<BenefitValue>,
    /// Text that the explanation of what unlocks it must contain.
    pub unlock: Option<String>,
}

/// Whether a benefit is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntitlementStatus {
    /// It is.
    Granted,
    /// It would be, but for an unmet condition.
    Withheld,
    /// Nothing gives it.
    NotOffered,
}

/// What a rebate is expected to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebateExpectation {
    /// The schedule; the sum of all schedules when empty.
    pub schedule: Option<String>,
    /// The period: `2020-Q1`, `2020-03`, `2020-H1`, `2020`, or a custom period's name.
    pub period: String,
    /// The amount to the minor unit.
    pub amount: DecimalText,
    /// The exact figure before rounding, as a decimal or a fraction `1/3`.
    pub exact: Option<String>,
}

/// What a run is expected to post for the partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunExpectation {
    /// The period of the run.
    pub period: String,
    /// The day on which it runs.
    pub run_on: Date,
    /// The schedule; the sum of all when empty.
    pub schedule: Option<String>,
    /// What the period is worth, as known then.
    pub entitled: Option<DecimalText>,
    /// What this run posts.
    pub posted_now: Option<DecimalText>,
    /// What all runs so far have posted.
    pub posted_total: Option<DecimalText>,
}
