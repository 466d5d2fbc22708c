//! What a derivation states: everything that its figures are recomputed from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::date::Date;
use crate::facts::input::FactsInput;
use crate::money::{Currency, DecimalText};
use crate::rebate::RunKind;

/// The format that is written and read.
pub const FORMAT: u32 = 1;

/// What a derivation states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Given {
    /// [`FORMAT`].
    pub guerdon_derivation: u32,
    /// Which statement it is.
    pub statement: Heading,
    /// The versions of the program whose rules were applied, by number.
    pub versions: Vec<VersionGiven>,
    /// The facts and what earlier runs posted.
    pub inputs: Inputs,
}

/// Which statement it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heading {
    /// The statement's id in the service that wrote it; none of a calculation that is not stored.
    #[serde(default)]
    pub id: Option<String>,
    /// The program's code.
    pub program: String,
    /// The partner's code.
    pub partner: String,
    /// The schedule.
    pub schedule: String,
    /// The schedule's currency.
    pub currency: Currency,
    /// The run that it belongs to.
    pub run: RunGiven,
}

/// The run of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunGiven {
    /// The run's id in the service that wrote it.
    #[serde(default)]
    pub id: Option<String>,
    /// Whether it settles its period for the first time.
    pub kind: RunKind,
    /// The period's name.
    pub period: String,
    /// The day on which it ran.
    pub run_on: Date,
    /// Facts that were recorded later are not known to it; none where the facts that are stated are those that it read.
    #[serde(default)]
    pub known_on: Option<Date>,
}

/// A version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionGiven {
    /// Its number.
    pub number: i64,
    /// SHA-256 of its document, as `guerdon program export` and every answer of the service name it.
    pub digest: String,
    /// The whole document.
    pub document: Value,
}

/// The facts and what earlier runs posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inputs {
    /// The periods that the run looks at: its own, and those that were posted before, each with the version in force on its first day.
    pub periods: Vec<PeriodGiven>,
    /// The days of all runs so far, this one included: a line keeps the exchange rate that was known on the first run that knew it.
    pub runs: Vec<EarlierRun>,
    /// What earlier runs recognised, by period.
    #[serde(default)]
    pub before: Vec<Before>,
    /// What later postings are set off against; zero or negative.
    pub shortfall: DecimalText,
    /// Adjustments that were agreed on: accepted disputes.
    #[serde(default)]
    pub adjustments: Vec<AdjustmentGiven>,
    /// What the budget of the schedule left for this partner, where all partners together earned more.
    #[serde(default)]
    pub shares: Vec<ShareGiven>,
    /// Ranks of this partner among partners whose facts are not stated.
    #[serde(default)]
    pub ranks: Vec<RankGiven>,
    /// The facts: the partner's, and those of the partners above and below it where a figure looks at them.
    pub facts: FactsInput,
}

/// A period that the run looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeriodGiven {
    /// Its name.
    pub period: String,
    /// The number of the version whose rules it is computed by.
    pub version: i64,
}

/// The day of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EarlierRun {
    /// The period's name.
    pub period: String,
    /// The day.
    pub run_on: Date,
}

/// What earlier runs recognised for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Before {
    /// The period's name.
    pub period: String,
    /// What was recognised.
    pub amount: DecimalText,
    /// By sale line.
    #[serde(default)]
    pub lines: Vec<LinePart>,
}

/// What a sale line contributed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinePart {
    /// Its source; none for what belongs to no line.
    #[serde(default)]
    pub source: Option<String>,
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// Its part.
    pub amount: DecimalText,
}

/// An adjustment that was agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdjustmentGiven {
    /// What it comes from: the dispute.
    pub dispute: String,
    /// The period that it belongs to.
    pub period: String,
    /// What is added to what the rules give; negative takes off.
    pub amount: DecimalText,
    /// The source of the sale line that it is about.
    #[serde(default)]
    pub source: Option<String>,
    /// The id of the sale line that it is about.
    #[serde(default)]
    pub id: Option<String>,
    /// Why.
    pub reason: String,
}

/// A budget that did not suffice for all partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShareGiven {
    /// The period's name.
    pub period: String,
    /// What all partners earned together; who owes is not in it.
    pub earned_by_all: DecimalText,
    /// How many of them earned.
    pub partners: u64,
    /// What this partner gets of the budget.
    pub share: DecimalText,
}

/// A rank among partners whose facts are not stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RankGiven {
    /// The rank formula, as JSON text.
    pub formula: String,
    /// The partner that is ranked.
    pub partner: String,
    /// The date.
    pub on: Date,
    /// How many partners of the cohort have a better value.
    pub better: u64,
    /// How many partners the cohort has.
    pub partners: u64,
}
