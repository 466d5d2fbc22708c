//! Metrics: one value of a partner on a date, from its facts or from other metrics, with what it takes to explain it.
//!
//! [`Evaluator`] computes; [`MetricValue`] is what comes out. "No data" is `None`, never zero and never an error
//! (semantics 26). An evaluation that cannot be made, such as one without an exchange rate, is a fault that names what is
//! missing, never a wrong figure.
//!
//! A measure that needs only month, category, kind and currency of sale lines reads the kept monthly sums for whole months
//! inside its window, and lines for the rest; [`rollup`] says which can, [`plan`] says what a program needs to be read.

mod aggregate;
mod cohort;
mod evaluator;
pub mod fold;
mod formula;
mod hysteresis;
mod measure;
pub mod plan;
pub mod rollup;
mod share;

use std::sync::Arc;

use serde::Serialize;

use crate::date::Span;
use crate::exact::Exact;

pub(crate) use cohort::Ranks;
pub use cohort::{CohortValues, StatedRank};
pub use evaluator::{At, Evaluator};
pub(crate) use formula::{is_operand_name, months_earlier, operand_name, term_points};
pub(crate) use hysteresis::month_starts;
pub use share::SharedMetrics;

/// The value of a metric, or of an operand written in place, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricValue {
    /// The value; money in major units of the program's currency, percent as a fraction. `None`: no data.
    pub value: Option<Exact>,
    /// The days that were looked at; for a formula the days that any of its parts looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
    /// How many facts counted; for a formula the sum of its parts. A kept monthly sum counts as its lines.
    pub facts: u64,
    /// How it came about.
    pub detail: Detail,
}

impl MetricValue {
    /// A value without facts.
    pub(crate) const fn constant(value: Exact) -> Self {
        Self { value: Some(value), window: None, facts: 0, detail: Detail::Constant }
    }
}

/// A shared value, as the value.
pub(crate) fn shared<S: serde::Serializer>(value: &Arc<MetricValue>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(serializer)
}

/// A shared value, if there is one.
fn shared_if_any<S: serde::Serializer>(value: &Option<Arc<MetricValue>>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_deref().serialize(serializer)
}

/// Shared values, as the values.
fn all_shared<S: serde::Serializer>(values: &[Arc<MetricValue>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(Arc::as_ref))
}

/// How a value came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum Detail {
    /// A number of the rule.
    Constant,
    /// Folded from facts.
    Measure,
    /// Folded from groups of facts.
    Groups {
        /// How many groups there were.
        groups: u64,
        /// How many passed the tests on groups.
        passing: u64,
        /// Their keys, in order; at most [`LISTED_GROUPS`].
        keys: Vec<String>,
    },
    /// A part of a whole, both measured in the same way.
    Share {
        /// The part.
        part: Exact,
        /// The whole.
        whole: Exact,
        /// Whether both are numbers of things, so that only whole ones can be added.
        counted: bool,
    },
    /// Groups that became live and groups that were lost.
    NetAdditions {
        /// How many became live in the window.
        added: u64,
        /// How many were lost in the window.
        lost: u64,
    },
    /// A scorecard.
    Sum {
        /// Its terms, in order.
        terms: Vec<TermValue>,
        /// The total before cap and floor.
        total: Exact,
    },
    /// One value over another.
    Ratio {
        /// The upper one.
        #[serde(serialize_with = "shared")]
        numerator: Arc<MetricValue>,
        /// The lower one.
        #[serde(serialize_with = "shared")]
        denominator: Arc<MetricValue>,
        /// Whether the upper one is a number of things.
        counted: bool,
    },
    /// One value minus another.
    Difference {
        /// From this ...
        #[serde(serialize_with = "shared")]
        from: Arc<MetricValue>,
        /// ... this was taken.
        #[serde(serialize_with = "shared")]
        subtract: Arc<MetricValue>,
    },
    /// One of several values, or their mean.
    OneOf {
        /// The values, in order.
        #[serde(serialize_with = "all_shared")]
        values: Vec<Arc<MetricValue>>,
        /// The position of the one that was taken; none of a mean.
        chosen: Option<usize>,
    },
    /// A value against the same one earlier.
    Growth {
        /// Now.
        #[serde(serialize_with = "shared")]
        now: Arc<MetricValue>,
        /// Then.
        #[serde(serialize_with = "shared")]
        then: Arc<MetricValue>,
    },
    /// A rank in a cohort, or the cohort's mean.
    Rank {
        /// The rank, from 1, ties sharing the best.
        rank: Option<u64>,
        /// The number of partners in the cohort.
        cohort: u64,
        /// What was ranked: the partner's own value.
        #[serde(serialize_with = "shared")]
        of: Arc<MetricValue>,
    },
    /// One of two values, as a requirement decided.
    Choice {
        /// Whether the requirement was met.
        met: bool,
        /// The value that was taken.
        #[serde(serialize_with = "shared")]
        taken: Arc<MetricValue>,
    },
}

/// At most so many group keys are listed in an explanation.
pub const LISTED_GROUPS: usize = 20;

/// A term of a scorecard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TermValue {
    /// Its name, or the key of its metric.
    pub label: String,
    /// What was counted; `None`: no data.
    pub value: Option<Exact>,
    /// The points it earned.
    pub points: Exact,
    /// The points before cap and floor; of a sum that is written in place before its own as well.
    pub before_limits: Exact,
    /// The factor of its multipliers.
    pub factor: Exact,
    /// Whether the cap cut it, or that of a sum that is written in place.
    pub capped: bool,
    /// Whether the floor lifted it, or that of a sum that is written in place.
    pub floored: bool,
    /// Its gates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateValue>,
    /// How a sum that is written in place came about.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared_if_any")]
    pub of: Option<Arc<MetricValue>>,
}

/// A gate of a term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateValue {
    /// What must be reached.
    pub required: Exact,
    /// What there is.
    pub actual: Option<Exact>,
    /// Whether the gate is open.
    pub open: bool,
}

#[cfg(test)]
mod tests;
