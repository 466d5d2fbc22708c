//! How values came about, without names for every figure. A value that several others are made of stands once.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{KeptStanding, place};
use crate::date::Span;
use crate::exact::Exact;
use crate::metric::{Detail, GateValue, MetricValue, TermValue};

/// A value: itself, number of facts, place of the window, how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptDetail<'s>(Option<Exact>, u64, Option<usize>, Origin<'s>);

/// How it came about, as [`Detail`], in the order of its members; other values by their places, which are lower than the own one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Origin<'s> {
    #[serde(rename = "c")]
    Constant,
    #[serde(rename = "m")]
    Measure,
    #[serde(rename = "g")]
    Groups(u64, u64, Cow<'s, [String]>),
    #[serde(rename = "p")]
    Share(Exact, Exact, bool),
    #[serde(rename = "n")]
    NetAdditions(u64, u64),
    #[serde(rename = "s")]
    Sum(Vec<KeptTerm<'s>>, Exact),
    #[serde(rename = "r")]
    Ratio(usize, usize, bool),
    #[serde(rename = "d")]
    Difference(usize, usize),
    #[serde(rename = "o")]
    OneOf(Vec<usize>, Option<usize>),
    #[serde(rename = "w")]
    Growth(usize, usize),
    #[serde(rename = "k")]
    Rank(Option<u64>, u64, usize),
    #[serde(rename = "x")]
    Choice(bool, usize),
}

/// A term: label, what was counted, points; the rest only where something changed the points, and the place of a sum that is written in
/// place, which comes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptTerm<'s>(
    Cow<'s, str>,
    Option<Exact>,
    Exact,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<Changed>,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<usize>,
);

/// Points before limits, factor, whether the cap cut and the floor lifted, the gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Changed(Exact, Exact, bool, bool, Vec<(Exact, Option<Exact>, bool)>);

impl KeptTerm<'_> {
    /// The term; `at` gives what is kept at a place.
    fn restore(&self, at: impl Fn(&usize) -> Option<Arc<MetricValue>>) -> Option<TermValue> {
        let Self(label, value, points, changed, of) = self;
        let Changed(before_limits, factor, capped, floored, gates) =
            changed.clone().unwrap_or_else(|| Changed(points.clone(), Exact::ONE, false, false, Vec::new()));
        let gates = gates.into_iter().map(|(required, actual, open)| GateValue { required, actual, open }).collect();
        let of = match of {
            Some(place) => Some(at(place)?),
            None => None,
        };
        Some(TermValue { label: label.to_string(), value: value.clone(), points: points.clone(), before_limits, factor, capped, floored, gates, of })
    }
}

impl<'s> KeptStanding<'s> {
    fn term(&mut self, term: &'s TermValue) -> KeptTerm<'s> {
        let gates: Vec<_> = term.gates.iter().map(|gate| (gate.required.clone(), gate.actual.clone(), gate.open)).collect();
        let of = term.of.as_ref().map(|value| self.detail(value));
        let plain = term.before_limits == term.points && term.factor == Exact::ONE && !term.capped && !term.floored && gates.is_empty() && of.is_none();
        let changed = (!plain).then_some(Changed(term.before_limits.clone(), term.factor.clone(), term.capped, term.floored, gates));
        KeptTerm(Cow::Borrowed(&term.label), term.value.clone(), term.points.clone(), changed, of)
    }

    /// The place of a value among the details.
    pub(super) fn detail(&mut self, value: &'s MetricValue) -> usize {
        let window = value.window.map(|window| place(&mut self.windows, window));
        let origin = match &value.detail {
            Detail::Constant => Origin::Constant,
            Detail::Measure => Origin::Measure,
            Detail::Groups { groups, passing, keys } => Origin::Groups(*groups, *passing, Cow::Borrowed(keys)),
            Detail::Share { part, whole, counted } => Origin::Share(part.clone(), whole.clone(), *counted),
            Detail::NetAdditions { added, lost } => Origin::NetAdditions(*added, *lost),
            Detail::Sum { terms, total } => Origin::Sum(terms.iter().map(|term| self.term(term)).collect(), total.clone()),
            Detail::Ratio { numerator, denominator, counted } => Origin::Ratio(self.detail(numerator), self.detail(denominator), *counted),
            Detail::Difference { from, subtract } => Origin::Difference(self.detail(from), self.detail(subtract)),
            Detail::OneOf { values, chosen } => Origin::OneOf(values.iter().map(|value| self.detail(value)).collect(), *chosen),
            Detail::Growth { now, then } => Origin::Growth(self.detail(now), self.detail(then)),
            Detail::Rank { rank, cohort, of } => Origin::Rank(*rank, *cohort, self.detail(of)),
            Detail::Choice { met, taken } => Origin::Choice(*met, self.detail(taken)),
        };
        place(&mut self.details, KeptDetail(value.value.clone(), value.facts, window, origin))
    }

    /// Every value of the details, by its place; none when a place is named that there is not.
    pub(super) fn restore_details(&self) -> Option<Vec<Arc<MetricValue>>> {
        let mut values = Vec::with_capacity(self.details.len());
        for kept in &self.details {
            values.push(Arc::new(kept.restore(&self.windows, &values)?));
        }
        Some(values)
    }
}

impl KeptDetail<'_> {
    /// The value; `known` are those before it.
    fn restore(&self, windows: &[Span], known: &[Arc<MetricValue>]) -> Option<MetricValue> {
        let Self(value, facts, window, origin) = self;
        let at = |place: &usize| known.get(*place).map(Arc::clone);
        let detail = match origin {
            Origin::Constant => Detail::Constant,
            Origin::Measure => Detail::Measure,
            Origin::Groups(groups, passing, keys) => Detail::Groups { groups: *groups, passing: *passing, keys: keys.to_vec() },
            Origin::Share(part, whole, counted) => Detail::Share { part: part.clone(), whole: whole.clone(), counted: *counted },
            Origin::NetAdditions(added, lost) => Detail::NetAdditions { added: *added, lost: *lost },
            Origin::Sum(terms, total) => Detail::Sum { terms: terms.iter().map(|term| term.restore(at)).collect::<Option<_>>()?, total: total.clone() },
            Origin::Ratio(upper, lower, counted) => Detail::Ratio { numerator: at(upper)?, denominator: at(lower)?, counted: *counted },
            Origin::Difference(from, subtract) => Detail::Difference { from: at(from)?, subtract: at(subtract)? },
            Origin::OneOf(values, chosen) => Detail::OneOf { values: values.iter().map(at).collect::<Option<_>>()?, chosen: *chosen },
            Origin::Growth(now, then) => Detail::Growth { now: at(now)?, then: at(then)? },
            Origin::Rank(rank, cohort, of) => Detail::Rank { rank: *rank, cohort: *cohort, of: at(of)? },
            Origin::Choice(met, taken) => Detail::Choice { met: *met, taken: at(taken)? },
        };
        let window = window.map(|at| windows.get(at).copied().ok_or(())).transpose().ok()?;
        Some(MetricValue { value: value.clone(), window, facts: *facts, detail })
    }
}
