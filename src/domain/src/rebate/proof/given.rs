//! What a derivation states: everything that its figures are recomputed from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::date::Date;
use crate::metric::StatedRank;
use crate::money::{Currency, DecimalText};
use crate::rebate::{RunKind, StatedLine};

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
    /// The versions of the program whose rules were applied, by number: to the periods that are stated, and to those before that hand
    /// something to them.
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
    /// The period that the statement belongs to; that of the run, or one that was posted before.
    pub period: String,
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
    /// The run's own period.
    pub period: String,
    /// The day on which it ran.
    #[serde(default)]
    pub run_on: Option<Date>,
    /// The last sealed import batch that it read.
    #[serde(default)]
    pub cut_off: Option<i64>,
    /// The last change that it knew of what is on record about partners; none of runs before that was numbered.
    #[serde(default)]
    pub records: Option<i64>,
    /// The content hash of the run, which its approval and posting name.
    #[serde(default)]
    pub content_hash: Option<String>,
}

/// A version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionGiven {
    /// Its number.
    pub number: i64,
    /// SHA-256 of its document, as `guerdon program export` and every answer of the service name it.
    pub digest: String,
    /// By cumulative schedule that goes on with those of earlier versions: since when it has been the program's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begun: BTreeMap<String, Date>,
    /// Since when its rules of levelling hold, where that is before it took effect: grace periods that run since then go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levelling_since: Option<Date>,
    /// The number of the version before it, where that one hands small payouts and the like to the schedule of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<i64>,
    /// The whole document.
    pub document: Value,
}

/// The facts and what earlier runs posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inputs {
    /// The periods for which the run states something to this partner by this schedule, each with the version in force on its first
    /// day. A shortfall is shared over them in this order.
    pub periods: Vec<PeriodGiven>,
    /// What the runs had read that posted these periods so far: a line keeps the exchange rate that was known to the first run that
    /// knew it.
    #[serde(default)]
    pub posted: Vec<PostedGiven>,
    /// What earlier runs stated for these periods.
    #[serde(default)]
    pub before: Vec<Before>,
    /// What postings are set off against; zero or negative.
    pub shortfall: DecimalText,
    /// Adjustments that were decided: accepted disputes.
    #[serde(default)]
    pub adjustments: Vec<AdjustmentGiven>,
    /// What the budget of the schedule left for this partner, where all partners together earned more.
    #[serde(default)]
    pub shares: Vec<ShareGiven>,
    /// Ranks of this partner among partners whose facts are not stated.
    #[serde(default)]
    pub ranks: Vec<StatedRank>,
    /// The facts, in the shape that `guerdon evaluate` reads: the partner's, and those of the partners above and below it where a
    /// figure looks at them. Sale lines and exchange rates carry the number of their sealed `batch` besides.
    pub facts: Value,
}

/// A period for which the run states something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeriodGiven {
    /// Its name.
    pub period: String,
    /// The number of the version whose rules it is computed by.
    pub version: i64,
}

/// What the runs had read that posted a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostedGiven {
    /// The period's name.
    pub period: String,
    /// The last sealed batch of each run, in order.
    pub cut_offs: Vec<i64>,
}

/// What earlier runs stated for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Before {
    /// The period's name.
    pub period: String,
    /// The lines, in minor units, without those that only say when something is posted.
    pub lines: Vec<StatedLine>,
}

/// An adjustment that was agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdjustmentGiven {
    /// Its number among all adjustments.
    pub number: i64,
    /// The period that it belongs to.
    pub period: String,
    /// What is added to what the rules give; negative takes off.
    pub amount: DecimalText,
    /// What it comes from: the id of the dispute.
    #[serde(default)]
    pub cause: Option<String>,
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
