//! Requirements: a tree of conditions that a partner meets or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{CalendarUnit, Filter, Measure, Operand, Window};
use super::scoped::{Scalar, Scoped};
use crate::facts::ContractStatus;
use crate::money::Rate;
use crate::region::Geography;

/// A condition that a partner meets or not on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// All of them. An empty list is met.
    AllOf(Vec<Requirement>),
    /// At least one of them: alternative paths.
    AnyOf(Vec<Requirement>),
    /// At least `n` of them, optionally with `m` out of a subset.
    AtLeast(AtLeast),
    /// It is not met.
    Not(Box<Requirement>),
    /// A requirement with a label, for people.
    Labelled(Labelled),
    /// A shared requirement of the program by its key, see `requirements`.
    Shared(String),
    /// A metric against a threshold.
    Metric(Comparison),
    /// A tier held in a ladder: a nested qualification.
    Tier(TierHeld),
    /// A number of ladders at a level or above.
    Ladders(LaddersHeld),
    /// A holding that counts on the day: a certificate, an attestation, a document, a paid fee.
    Holding(HoldingPresent),
    /// Time in the program, or in a tier and above.
    Tenure(Tenure),
    /// Met at the end of each of the last n periods.
    Streak(Streak),
    /// Met on at least one day of a window.
    OnAnyDay(OnAnyDay),
    /// For each group of facts, a requirement.
    ForEach(ForEach),
    /// A contract in force.
    Contract(ContractHeld),
    /// A fact about the partner itself.
    Partner(PartnerIs),
    /// Asked only of some partners; met by the others.
    When(Conditional),
}

impl Requirement {
    /// The requirements that stand in it, one level down; what it names by a key does not stand in it.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::AllOf(of) | Self::AnyOf(of) => of.iter().collect(),
            Self::AtLeast(rule) => rule.of.iter().collect(),
            Self::Not(of) => vec![of],
            Self::Labelled(rule) => vec![&rule.requirement],
            Self::Streak(rule) => vec![&rule.requirement],
            Self::OnAnyDay(rule) => vec![&rule.requirement],
            Self::ForEach(rule) => vec![&rule.requirement],
            Self::When(rule) => vec![&rule.condition, &rule.requirement],
            Self::Shared(_)
            | Self::Metric(_)
            | Self::Tier(_)
            | Self::Ladders(_)
            | Self::Holding(_)
            | Self::Tenure(_)
            | Self::Contract(_)
            | Self::Partner(_) => Vec::new(),
        }
    }
}

/// At least n of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtLeast {
    /// How many must be met.
    pub n: u32,
    /// Out of these.
    pub of: Vec<Requirement>,
    /// Of those met, so many must be of a subset.
    pub including: Option<Subset>,
}

/// A subset of the list of an [`AtLeast`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subset {
    /// How many of the subset must be met.
    pub m: u32,
    /// Positions in `of`, from 0.
    pub items: Vec<u32>,
}

/// A requirement with a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Labelled {
    /// What people call it: "Path 1: revenue".
    pub label: String,
    /// The requirement.
    pub requirement: Box<Requirement>,
}

/// A metric against a threshold. Exactly one comparison. No data meets none (semantics 26).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comparison {
    /// The metric by its key. Exactly one of `metric` and `value`.
    pub metric: Option<String>,
    /// The value, in place.
    pub value: Option<Operand>,
    /// What people call it.
    pub label: Option<String>,
    /// This or more.
    pub at_least: Option<Scoped<Threshold>>,
    /// More than this.
    pub above: Option<Scoped<Threshold>>,
    /// This or less.
    pub at_most: Option<Scoped<Threshold>>,
    /// Less than this.
    pub below: Option<Scoped<Threshold>>,
    /// Exactly this.
    pub equals: Option<Scoped<Threshold>>,
}

/// A threshold: a number; for metrics in PERCENT also `15 %`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold {
    /// The number, or the fraction.
    pub value: crate::exact::Exact,
    /// Whether it was written with a percent sign.
    pub percent: bool,
}

/// A tier held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierHeld {
    /// In this ladder; where it is held region by region and the question is not about one region, in any of them.
    pub ladder: String,
    /// This tier or a higher one.
    pub tier: String,
    /// Whether the tier must be on record, or it is enough to qualify for it on that date.
    #[serde(default)]
    pub state: TierState,
}

/// What counts as holding a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TierState {
    /// The tier of the same evaluation: what the partner holds in that ladder after it, entry modes, overrides and the policy of
    /// its reviews included. A tier in its grace period, or one that is lost only at the next review, is still held.
    #[default]
    Evaluated,
    /// The tier on record on that date.
    Recorded,
}

/// A number of ladders at a level. Exactly one of `rankAtLeast` and `tier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LaddersHeld {
    /// Out of these ladders; all but the main one when empty.
    #[serde(default)]
    pub ladders: Vec<String>,
    /// At a tier of this rank or above (ranks count from 1, the lowest tier).
    pub rank_at_least: Option<u32>,
    /// At this tier or above, by its key in each ladder.
    pub tier: Option<String>,
    /// Count every region in which a ladder of scope `PARTNER_IN_REGION` is held at that level, instead of the ladder once.
    #[serde(default)]
    pub each_region: bool,
    /// With `eachRegion`: only these regions and what lies under them.
    #[serde(default)]
    pub regions: Vec<String>,
    /// With `eachRegion`: only regions of these groups.
    #[serde(default)]
    pub region_groups: Vec<String>,
    /// So many.
    pub at_least: Scoped<Threshold>,
}

impl LaddersHeld {
    /// Whether a region is one of those that are counted.
    pub(crate) fn counts(&self, geography: &Geography, region: &str) -> bool {
        (self.regions.is_empty() && self.region_groups.is_empty())
            || self.regions.iter().any(|named| geography.regions.is_under(region, named))
            || self.region_groups.iter().any(|group| geography.in_group(region, group))
    }
}

/// A holding that counts on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldingPresent {
    /// Its kind: CERTIFICATION, ATTESTATION, ...
    pub kind: String,
    /// Its type.
    pub r#type: Option<String>,
    /// Only such.
    pub filter: Option<Filter>,
    /// What people call it.
    pub label: Option<String>,
}

/// Time served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenure {
    /// In this ladder. Default: the main ladder where a tier is named, else the program.
    pub ladder: Option<String>,
    /// In this tier or a higher one, without a break, on record or by an override.
    pub tier: Option<String>,
    /// At least so many months.
    pub months: u32,
}

/// Met in each of the last n periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Streak {
    /// What must be met, as of the last day of each period (of the current one: as of the date).
    pub requirement: Box<Requirement>,
    /// How many periods.
    pub periods: u32,
    /// Of what length.
    pub unit: CalendarUnit,
    /// By the fiscal year instead of the calendar's.
    #[serde(default)]
    pub fiscal: bool,
    /// Whether the current, unfinished period is one of them.
    #[serde(default)]
    pub include_current: bool,
}

/// Met on at least one day of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnAnyDay {
    /// What must be met.
    pub requirement: Box<Requirement>,
    /// On a day of this window.
    pub window: Window,
}

/// For each group, a requirement: "one certificate per product area with 500 of spend".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForEach {
    /// The groups: a measure with exactly one `groupBy`; each group that passes `having` is one. Its aggregate is not used.
    pub groups: Measure,
    /// The name of the group inside the requirement: `area` is written `$area` there.
    pub r#as: String,
    /// What must be met for each group. No group at all: met, unless `atLeastGroups` asks for some.
    pub requirement: Box<Requirement>,
    /// So many groups there must be.
    #[serde(default)]
    pub at_least_groups: u32,
}

/// A contract in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractHeld {
    /// Of this template; any when empty.
    pub template: Option<String>,
    /// In this state. Default ACTIVE.
    #[serde(default)]
    pub status: ContractStatus,
}

/// A fact about the partner on the date. All that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerIs {
    /// In one of these regions or under one.
    #[serde(default)]
    pub regions: Vec<String>,
    /// In a region of one of these groups.
    #[serde(default)]
    pub region_groups: Vec<String>,
    /// Of one of these types.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// Enrolled on one of these tracks.
    #[serde(default)]
    pub tracks: Vec<String>,
    /// With this attribute ...
    pub attribute: Option<String>,
    /// ... of this value; any value when empty.
    pub equals: Option<Scalar>,
}

/// Asked only of some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conditional {
    /// Of those who meet this ...
    pub condition: Box<Requirement>,
    /// ... this is asked.
    pub requirement: Box<Requirement>,
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.percent {
            let hundred = crate::exact::Exact::from_int(100);
            let percent = self.value.mul(&hundred).map_err(serde::ser::Error::custom)?;
            serializer.collect_str(&format_args!("{percent} %"))
        } else {
            serializer.collect_str(&self.value)
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl serde::de::Visitor<'_> for Read {
            type Value = Threshold;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number such as 1000 or \"1000.50\", or a percentage such as \"15 %\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Threshold, E> {
                if text.ends_with('%') {
                    let rate = Rate::parse(text).map_err(|fault| E::custom(fault.message))?;
                    return Ok(Threshold { value: rate.0, percent: true });
                }
                let value = crate::exact::Exact::parse(text, 15, 10).map_err(|fault| E::custom(fault.message))?;
                Ok(Threshold { value, percent: false })
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Threshold, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Threshold, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Threshold, E> {
                self.visit_str(&crate::money::float_text::<E>(value)?)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "number", "string"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?( ?%)?$", "description": "A number, or \"15 %\" for a metric in PERCENT." })
    }
}
