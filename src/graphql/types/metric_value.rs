//! How the value behind a condition came about: a tree as a list, every part after its parent.

use std::sync::Arc;

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::exact::Exact;
use guerdon_domain::metric::{Detail, GateValue, MetricValue, TermValue};

use super::period::DateSpan;
use crate::graphql::scalars::Decimal;

/// Parts of one value that an answer lists at most.
const PARTS_MAX: usize = 200;

/// How a part of a value came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MetricPartKind {
    /// A number of the rule.
    Constant,
    /// Folded from facts.
    Measure,
    /// Folded from groups of facts: `groups`, of which `passing` passed the tests.
    Groups,
    /// A part of a whole, both measured in the same way: `part` of `whole`.
    Share,
    /// Groups that became live and groups that were lost: `added`, `lost`.
    NetAdditions,
    /// A scorecard: `terms`, `total`.
    Sum,
    /// One value over another.
    Ratio,
    /// One value minus another.
    Difference,
    /// One of several values, or their mean.
    OneOf,
    /// A value against the same one earlier.
    Growth,
    /// A rank in a cohort, or the cohort's mean: `rank` of `cohort`.
    Rank,
    /// One of two values, as a requirement decided.
    Choice,
}

/// What a part is to the part above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MetricPartRole {
    /// The value itself.
    Value,
    /// The upper one of a RATIO.
    Numerator,
    /// The lower one of a RATIO.
    Denominator,
    /// What a DIFFERENCE takes from.
    From,
    /// What a DIFFERENCE takes away.
    Subtract,
    /// One of those of which ONE_OF takes one.
    Option,
    /// The present one of a GROWTH.
    Now,
    /// The earlier one of a GROWTH.
    Then,
    /// What a RANK ranks.
    Ranked,
    /// What a CHOICE took.
    Taken,
    /// The term of a SUM that is a sum written in place, see `term`.
    Term,
}

/// A gate of a term: the term counts only while it is open.
#[derive(Debug, Clone, SimpleObject)]
pub struct ScoreGate {
    /// What must be reached.
    pub required: Decimal,
    /// What there is; null when there is no data.
    pub actual: Option<Decimal>,
    /// Whether it is open.
    pub open: bool,
}

/// A term of a scorecard.
#[derive(Debug, Clone, SimpleObject)]
pub struct ScoreTerm {
    /// Its name, or the key of its metric.
    pub label: String,
    /// What was counted; null when there is no data.
    pub value: Option<Decimal>,
    /// The points it earned.
    pub points: Decimal,
    /// The points before cap and floor; of a sum that is written in place before its own as well.
    pub before_limits: Decimal,
    /// The factor of its multipliers.
    pub factor: Decimal,
    /// Whether the cap cut it, or that of a sum that is written in place.
    pub capped: bool,
    /// Whether the floor lifted it, or that of a sum that is written in place.
    pub floored: bool,
    /// Its gates, in order.
    pub gates: Vec<ScoreGate>,
}

/// A part of a value: the value itself, and what it was computed from.
#[derive(Debug, Clone, SimpleObject)]
pub struct MetricPart {
    /// Its place in the list.
    pub index: i32,
    /// The place of the part above it; null for the value itself.
    pub parent: Option<i32>,
    /// What it is to the part above it.
    pub role: MetricPartRole,
    /// How it came about.
    pub kind: MetricPartKind,
    /// Its value: money in major units, percent as a fraction; null when there is no data.
    pub value: Option<Decimal>,
    /// The days that were looked at.
    pub window: Option<DateSpan>,
    /// How many facts counted.
    pub facts: i64,
    /// OPTION: whether it is the one that was taken.
    pub chosen: Option<bool>,
    /// TERM: the position among the terms above it, from 0.
    pub term: Option<i32>,
    /// SHARE: the part.
    pub part: Option<Decimal>,
    /// SHARE: the whole.
    pub whole: Option<Decimal>,
    /// GROUPS: how many there were.
    pub groups: Option<i64>,
    /// GROUPS: how many passed the tests.
    pub passing: Option<i64>,
    /// GROUPS: their keys, in order; at most 20.
    pub keys: Option<Vec<String>>,
    /// NET_ADDITIONS: how many became live.
    pub added: Option<i64>,
    /// NET_ADDITIONS: how many were lost.
    pub lost: Option<i64>,
    /// RANK: the rank, from 1, ties sharing the best.
    pub rank: Option<i64>,
    /// RANK: the number of partners in the cohort.
    pub cohort: Option<i64>,
    /// SUM: the total before cap and floor.
    pub total: Option<Decimal>,
    /// SUM: the terms, in order.
    pub terms: Option<Vec<ScoreTerm>>,
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decimal(value: Option<Exact>) -> Option<Decimal> {
    value.as_ref().map(Decimal::of)
}

fn gate(gate: &GateValue) -> ScoreGate {
    ScoreGate { required: Decimal::of(&gate.required), actual: decimal(gate.actual.clone()), open: gate.open }
}

fn term(term: &TermValue) -> ScoreTerm {
    ScoreTerm {
        label: term.label.clone(),
        value: decimal(term.value.clone()),
        points: Decimal::of(&term.points),
        before_limits: Decimal::of(&term.before_limits),
        factor: Decimal::of(&term.factor),
        capped: term.capped,
        floored: term.floored,
        gates: term.gates.iter().map(gate).collect(),
    }
}

/// A part that waits to be listed.
struct Open<'v> {
    value: &'v MetricValue,
    parent: Option<i32>,
    role: MetricPartRole,
    chosen: Option<bool>,
    term: Option<i32>,
}

impl<'v> Open<'v> {
    const fn of(value: &'v MetricValue, parent: Option<i32>, role: MetricPartRole) -> Self {
        Self { value, parent, role, chosen: None, term: None }
    }
}

/// A value and what it was computed from, as a list: every part after its parent.
pub fn parts_of(value: &MetricValue) -> Vec<MetricPart> {
    let mut parts: Vec<MetricPart> = Vec::new();
    let mut open: Vec<Open<'_>> = vec![Open::of(value, None, MetricPartRole::Value)];
    while let Some(Open { value, parent, role, chosen, term }) = open.pop() {
        if parts.len() == PARTS_MAX {
            break;
        }
        let index = i32::try_from(parts.len()).unwrap_or(i32::MAX);
        parts.push(MetricPart { index, parent, role, chosen, term, ..part_of(value) });
        open.extend(below(value, index).into_iter().rev());
    }
    parts
}

fn below<'v>(value: &'v MetricValue, parent: i32) -> Vec<Open<'v>> {
    let of = |value, role| Open::of(value, Some(parent), role);
    match &value.detail {
        Detail::Ratio { numerator, denominator, .. } => {
            vec![of(numerator.as_ref(), MetricPartRole::Numerator), of(denominator.as_ref(), MetricPartRole::Denominator)]
        }
        Detail::Difference { from, subtract } => vec![of(from.as_ref(), MetricPartRole::From), of(subtract.as_ref(), MetricPartRole::Subtract)],
        Detail::OneOf { values, chosen } => {
            let option = |(at, value): (usize, &'v Arc<MetricValue>)| Open { chosen: Some(*chosen == Some(at)), ..of(value, MetricPartRole::Option) };
            values.iter().enumerate().map(option).collect()
        }
        Detail::Growth { now, then } => vec![of(now.as_ref(), MetricPartRole::Now), of(then.as_ref(), MetricPartRole::Then)],
        Detail::Rank { of: ranked, .. } => vec![of(ranked.as_ref(), MetricPartRole::Ranked)],
        Detail::Choice { taken, .. } => vec![of(taken.as_ref(), MetricPartRole::Taken)],
        Detail::Sum { terms, .. } => {
            let inner = |(at, term): (i32, &'v TermValue)| Some(Open { term: Some(at), ..of(term.of.as_deref()?, MetricPartRole::Term) });
            (0_i32..).zip(terms).filter_map(inner).collect()
        }
        _ => Vec::new(),
    }
}

fn part_of(value: &MetricValue) -> MetricPart {
    let bare = |kind| MetricPart {
        index: 0,
        parent: None,
        role: MetricPartRole::Value,
        kind,
        value: decimal(value.value.clone()),
        window: value.window.map(Into::into),
        facts: count(value.facts),
        chosen: None,
        term: None,
        part: None,
        whole: None,
        groups: None,
        passing: None,
        keys: None,
        added: None,
        lost: None,
        rank: None,
        cohort: None,
        total: None,
        terms: None,
    };
    match &value.detail {
        Detail::Constant => bare(MetricPartKind::Constant),
        Detail::Measure => bare(MetricPartKind::Measure),
        Detail::Groups { groups, passing, keys } => {
            MetricPart { groups: Some(count(*groups)), passing: Some(count(*passing)), keys: Some(keys.clone()), ..bare(MetricPartKind::Groups) }
        }
        Detail::Share { part, whole, .. } => MetricPart { part: Some(Decimal::of(part)), whole: Some(Decimal::of(whole)), ..bare(MetricPartKind::Share) },
        Detail::NetAdditions { added, lost } => MetricPart { added: Some(count(*added)), lost: Some(count(*lost)), ..bare(MetricPartKind::NetAdditions) },
        Detail::Sum { terms, total } => {
            MetricPart { terms: Some(terms.iter().map(term).collect()), total: Some(Decimal::of(total)), ..bare(MetricPartKind::Sum) }
        }
        Detail::Ratio { .. } => bare(MetricPartKind::Ratio),
        Detail::Difference { .. } => bare(MetricPartKind::Difference),
        Detail::OneOf { .. } => bare(MetricPartKind::OneOf),
        Detail::Growth { .. } => bare(MetricPartKind::Growth),
        Detail::Rank { rank, cohort, .. } => MetricPart { rank: rank.map(count), cohort: Some(count(*cohort)), ..bare(MetricPartKind::Rank) },
        Detail::Choice { .. } => bare(MetricPartKind::Choice),
    }
}
