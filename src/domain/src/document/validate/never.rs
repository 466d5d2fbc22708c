//! Comparisons that nobody can ever meet. What is certain only: where a figure may lie anywhere, nothing is said.

use super::requirement::placed;
use super::{Check, MAX_TREE_DEPTH};
use crate::document::metric::{Aggregate, Formula, Measure, Operand, Source, SumFormula, Term};
use crate::document::requirement::{Comparison, Requirement, Threshold};
use crate::document::scoped::Scoped;
use crate::exact::Exact;

/// What a value is at least and at most, as far as that is certain.
#[derive(Debug, Clone, Default)]
struct Range {
    low: Option<Exact>,
    high: Option<Exact>,
}

/// What a value must be: from here to there, the bounds included or not.
#[derive(Debug, Clone, Copy)]
struct Asked<'d> {
    low: Option<(&'d Exact, bool)>,
    high: Option<(&'d Exact, bool)>,
}

/// A member of a comparison, its figures, and what a figure of it asks of a value.
type Figures<'c> = (&'static str, Option<&'c Scoped<Threshold>>, fn(&Exact) -> Asked<'_>);

fn asked(comparison: &Comparison) -> [Figures<'_>; 5] {
    [
        ("atLeast", comparison.at_least.as_ref(), |value| Asked { low: Some((value, true)), high: None }),
        ("above", comparison.above.as_ref(), |value| Asked { low: Some((value, false)), high: None }),
        ("atMost", comparison.at_most.as_ref(), |value| Asked { low: None, high: Some((value, true)) }),
        ("below", comparison.below.as_ref(), |value| Asked { low: None, high: Some((value, false)) }),
        ("equals", comparison.equals.as_ref(), |value| Asked { low: Some((value, true)), high: Some((value, true)) }),
    ]
}

/// Whether nothing lies from one bound up to the other.
pub(super) fn is_empty(low: (&Exact, bool), high: (&Exact, bool)) -> bool {
    low.0 > high.0 || (low.0 == high.0 && !(low.1 && high.1))
}

impl Check<'_> {
    /// Figures of a comparison that lie where its value never is.
    pub(super) fn reachable(&mut self, comparison: &Comparison, path: &str) {
        let range = match (&comparison.metric, &comparison.value) {
            (Some(key), None) => self.metric_range(key, 0),
            (None, Some(operand)) => self.range(operand, 0),
            _ => return,
        };
        for (name, scoped, asked) in asked(comparison) {
            let Some(scoped) = scoped else { continue };
            for (path, threshold) in placed(scoped, &format!("{path}.{name}")) {
                let asked = asked(&threshold.value);
                let over = asked.low.zip(range.high.as_ref()).filter(|(low, high)| is_empty(*low, (*high, true)));
                let under = asked.high.zip(range.low.as_ref()).filter(|(high, low)| is_empty((*low, true), *high));
                if self.faults.0.iter().any(|fault| fault.code == "UNIT_MISMATCH" && fault.path == path) {
                    continue;
                }
                if let Some((_, most)) = over {
                    self.fault("NEVER_MET", path, format!("what is compared is never more than {}: nobody could meet this", shown(most, threshold)));
                } else if let Some((_, least)) = under {
                    self.fault("NEVER_MET", path, format!("what is compared is never less than {}: nobody could meet this", shown(least, threshold)));
                }
            }
        }
    }

    /// Comparisons of one value that exclude each other, among all that must be met.
    pub(super) fn compatible<'r>(&mut self, all: &'r [Requirement], path: &str) {
        let mut leaves = Vec::new();
        comparisons(all, path, 0, &mut leaves);
        let mut bounds: Vec<(&Comparison, Asked<'r>)> = Vec::new();
        for (path, comparison) in leaves {
            for (name, scoped, asked) in asked(comparison) {
                let Some(threshold) = scoped.filter(|scoped| scoped.rows.is_empty()).and_then(|scoped| scoped.default.as_ref()) else { continue };
                let own = asked(&threshold.value);
                let same = bounds.iter().filter(|(other, _)| other.metric == comparison.metric && other.value == comparison.value);
                let excludes = |one: Asked<'_>, other: Asked<'_>| one.low.zip(other.high).is_some_and(|(low, high)| is_empty(low, high));
                let path = format!("{path}.{name}");
                // Lists within the list were judged by themselves.
                let is_told = self.faults.0.iter().any(|fault| fault.code == "NEVER_MET" && fault.path == path);
                if !is_told && same.into_iter().any(|(_, other)| excludes(own, *other) || excludes(*other, own)) {
                    let message = "another comparison of this value, which must be met as well, leaves nothing that meets both: correct one of them";
                    self.fault("NEVER_MET", path, message);
                }
                bounds.push((comparison, own));
            }
        }
    }

    /// The most that a value can be, where that is certain.
    pub(super) fn most_of(&self, operand: &Operand) -> Option<Exact> {
        self.range(operand, 0).high
    }

    fn metric_range(&self, key: &str, depth: usize) -> Range {
        let Some(metric) = self.names.metric(key) else { return Range::default() };
        match (&metric.measure, &metric.formula) {
            (Some(measure), None) => range_of(measure),
            (None, Some(formula)) => self.formula_range(formula, depth + 1),
            _ => Range::default(),
        }
    }

    fn range(&self, operand: &Operand, depth: usize) -> Range {
        match operand {
            Operand::Metric(key) => self.metric_range(key, depth),
            Operand::Measure(measure) => range_of(measure),
            Operand::Formula(formula) => self.formula_range(formula, depth + 1),
            Operand::Constant(number) => Range { low: Some(number.0.clone()), high: Some(number.0.clone()) },
        }
    }

    fn formula_range(&self, formula: &Formula, depth: usize) -> Range {
        if depth > MAX_TREE_DEPTH {
            return Range::default();
        }
        match formula {
            Formula::Sum(sum) => range_of_sum(sum),
            Formula::Rank(_) => Range { low: Some(Exact::ONE), high: None },
            Formula::PercentileRank(_) => Range { low: Some(Exact::ZERO), high: Some(Exact::ONE) },
            Formula::Choice(choice) => {
                let (one, other) = (self.range(&choice.then, depth), self.range(&choice.otherwise, depth));
                Range { low: one.low.zip(other.low).map(|(one, other)| one.min(other)), high: one.high.zip(other.high).map(|(one, other)| one.max(other)) }
            }
            _ => Range::default(),
        }
    }
}

/// A bound as the figure is written that lies beyond it.
fn shown(bound: &Exact, figure: &Threshold) -> String {
    match bound.mul(&Exact::from_int(100)) {
        Ok(percent) if figure.percent => format!("{percent} %"),
        _ => bound.to_string(),
    }
}

/// What is counted is not negative, and a part of what is counted is not more than the whole. A part of amounts may be, beside returns.
fn range_of(measure: &Measure) -> Range {
    let counts = measure.of.is_none() && measure.group_value.is_none() && (measure.source != Source::Transactions || !measure.group_by.is_empty());
    let most = measure.latest.filter(|_| measure.group_by.is_empty()).map(|most| Exact::from_int(most.into()));
    match measure.aggregate {
        Aggregate::Distinct => Range { low: Some(Exact::ZERO), high: most },
        Aggregate::Count if measure.group_value.is_none() => Range { low: Some(Exact::ZERO), high: most },
        Aggregate::Share if counts => Range { low: Some(Exact::ZERO), high: Some(Exact::ONE) },
        _ => Range::default(),
    }
}

/// A scorecard reaches no more than its cap, nor than its terms together.
fn range_of_sum(sum: &SumFormula) -> Range {
    let all = |bound: fn(&Term) -> Option<Exact>| sum.terms.iter().map(bound).collect::<Option<Vec<_>>>().and_then(|all| Exact::sum(all.iter()).ok());
    let most = all(|term| term.cap.as_ref().map(|cap| cap.0.clone().max(Exact::ZERO)));
    let least = all(|term| term.floor.as_ref().map(|floor| floor.0.clone().min(Exact::ZERO)));
    let cap = sum.cap.as_ref().map(|cap| cap.0.clone());
    let floor = sum.floor.as_ref().map(|floor| floor.0.clone());
    let high = match (cap, most) {
        (Some(cap), Some(most)) => Some(cap.min(most)),
        (cap, most) => cap.or(most),
    };
    let low = match (&floor, least) {
        (Some(floor), Some(least)) => Some(floor.clone().max(least)),
        (floor, least) => floor.clone().or(least),
    };
    // A floor lifts what the terms reach together.
    let high = high.map(|high| floor.map_or(high.clone(), |floor| high.max(floor)));
    Range { low, high }
}

/// The comparisons among all that must be met, each with its path.
fn comparisons<'d>(all: &'d [Requirement], path: &str, depth: usize, into: &mut Vec<(String, &'d Comparison)>) {
    for (index, one) in all.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match one {
            _ if depth > MAX_TREE_DEPTH => {}
            Requirement::Metric(comparison) => into.push((format!("{path}.metric"), comparison)),
            Requirement::AllOf(inner) => comparisons(inner, &format!("{path}.allOf"), depth + 1, into),
            Requirement::Labelled(rule) => {
                if let Requirement::Metric(comparison) = rule.requirement.as_ref() {
                    into.push((format!("{path}.labelled.requirement.metric"), comparison));
                }
            }
            _ => {}
        }
    }
}
