//! Units: which ones values have by themselves, which ones can be held against each other, and how figures of them are written.

use super::{Check, MAX_TREE_DEPTH};
use crate::document::metric::{Aggregate, Formula, GrowthMode, Measure, Metric, Operand, RatioFormula, Source, Unit};
use crate::document::requirement::Threshold;
use crate::exact::Exact;

/// Bare figures in PERCENT up to so many times the whole may be meant, such as 1.1 for what is attained of a target.
const MOST_TIMES: i64 = 10;

/// What a figure is held against: its unit and what it is at most, as far as they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub unit: Option<Unit>,
    pub most: Option<Exact>,
}

impl Held {
    /// Of a unit, and of any size.
    pub(super) const fn of(unit: Unit) -> Self {
        Self { unit: Some(unit), most: None }
    }
}

impl Check<'_> {
    /// A unit that the measurement cannot have.
    pub(super) fn unit_fits(&mut self, metric: &Metric, path: &str) {
        if let Some(Formula::Ratio(ratio)) = &metric.formula {
            return self.ratio_fits(ratio, metric.unit, path);
        }
        let natural = metric.measure.as_ref().and_then(natural_unit).or(metric.formula.as_ref().and_then(|formula| self.formula_unit(formula, 0)));
        if let Some(natural) = natural
            && cannot_be(natural, metric.unit)
        {
            self.misfit(&format!("a {}", unit_name(natural)), metric.unit, path);
        }
    }

    /// A ratio has no unit where both have one and the same.
    fn ratio_fits(&mut self, ratio: &RatioFormula, declared: Unit, path: &str) {
        let (upper, lower) = (self.unit_of(&ratio.numerator), self.unit_of(&ratio.denominator));
        match (upper, lower) {
            (Some(upper), Some(lower)) if upper == lower && is_fixed(upper) && matches!(declared, Unit::Money | Unit::Duration) => {
                self.misfit(&format!("one {} over another", unit_name(upper)), declared, path);
            }
            _ => {
                if let Some(natural) = ratio_unit(upper, lower).filter(|natural| cannot_be(*natural, declared)) {
                    self.misfit(&format!("{} for each thing", unit_name(natural)), declared, path);
                }
            }
        }
    }

    fn misfit(&mut self, what: &str, declared: Unit, path: &str) {
        let message = format!("what is measured here is {what}, not a {}: correct `unit` or what is measured", unit_name(declared));
        self.fault("UNIT_MISMATCH", format!("{path}.unit"), message);
    }

    /// Values of which one is taken, or taken off another, have one unit.
    pub(super) fn alike(&mut self, formula: &Formula, path: &str) {
        let list = |name: &str, all: &[Operand]| all.iter().enumerate().map(|(at, one)| (format!("{path}.{name}[{at}]"), self.unit_of(one))).collect();
        let pair = |name: &str, members: [(&str, &Operand); 2]| members.map(|(member, one)| (format!("{path}.{name}.{member}"), self.unit_of(one))).to_vec();
        let parts: Vec<(String, Option<Unit>)> = match formula {
            Formula::Minimum(all) => list("minimum", all),
            Formula::Maximum(all) => list("maximum", all),
            Formula::Average(all) => list("average", all),
            Formula::Difference(of) => pair("difference", [("from", &of.from), ("subtract", &of.subtract)]),
            Formula::Choice(of) => pair("choice", [("then", &of.then), ("otherwise", &of.otherwise)]),
            Formula::Sum(_) | Formula::Ratio(_) | Formula::Growth(_) => return,
            Formula::PercentileRank(_) | Formula::Rank(_) | Formula::CohortMean(_) => return,
        };
        let mut fixed = parts.into_iter().filter_map(|(path, unit)| Some((path, unit.filter(|unit| is_fixed(*unit))?)));
        let Some((_, first)) = fixed.next() else { return };
        for (path, unit) in fixed.filter(|(_, unit)| *unit != first) {
            let message = format!("this is in {}, and what it stands beside in {}: write values of one unit", unit_name(unit), unit_name(first));
            self.fault("UNIT_MISMATCH", path, message);
        }
    }

    /// What a figure is held against, by an operand.
    pub(super) fn held(&self, operand: &Operand) -> Held {
        Held { unit: self.unit_of(operand), most: self.most_of(operand) }
    }

    /// A threshold of a comparison: a share is written as a percentage where it is more than one.
    pub(super) fn threshold(&mut self, threshold: &Threshold, unit: Option<Unit>, path: &str) {
        self.figure_in("the metric", threshold, unit, &Exact::ONE, path);
    }

    /// A figure that what is measured is held against outside comparisons. A bare figure above one may be meant, unless it is far above or
    /// nothing ever reaches it.
    pub(super) fn figure_of(&mut self, what: &str, figure: &Threshold, held: &Held, path: &str) {
        let most = held.most.clone().unwrap_or(Exact::from_int(MOST_TIMES));
        self.figure_in(what, figure, held.unit, &most, path);
    }

    fn figure_in(&mut self, what: &str, figure: &Threshold, unit: Option<Unit>, most: &Exact, path: &str) {
        let value = &figure.value;
        match unit {
            Some(Unit::Percent) if !figure.percent && value.abs() > *most => {
                let message = format!("{what} is in PERCENT, and {value} would be {value} times a hundred: write \"{value} %\"");
                self.fault("UNIT_MISMATCH", path, message);
            }
            Some(unit) if figure.percent && unit != Unit::Percent => {
                self.fault("UNIT_MISMATCH", path, format!("{what} is in {}, not in PERCENT: write a plain number", unit_name(unit)));
            }
            _ => {}
        }
    }

    /// The unit that an operand has, if that is known.
    pub(super) fn unit_of(&self, operand: &Operand) -> Option<Unit> {
        self.operand_unit(operand, 0)
    }

    fn operand_unit(&self, operand: &Operand, depth: usize) -> Option<Unit> {
        match operand {
            Operand::Metric(key) => self.names.unit(key),
            Operand::Measure(measure) => natural_unit(measure),
            Operand::Formula(formula) => self.formula_unit(formula, depth + 1),
            Operand::Constant(_) => None,
        }
    }

    fn formula_unit(&self, formula: &Formula, depth: usize) -> Option<Unit> {
        if depth > MAX_TREE_DEPTH {
            return None;
        }
        let of = |operand: &Operand| self.operand_unit(operand, depth);
        match formula {
            Formula::PercentileRank(_) => Some(Unit::Percent),
            Formula::Rank(_) => Some(Unit::Count),
            Formula::CohortMean(mean) => of(&mean.of),
            Formula::Growth(growth) if growth.mode == GrowthMode::Percent => Some(Unit::Percent),
            Formula::Growth(growth) => of(&growth.of),
            Formula::Difference(difference) => of(&difference.from).or_else(|| of(&difference.subtract)),
            Formula::Minimum(all) | Formula::Maximum(all) | Formula::Average(all) => all.iter().find_map(of),
            Formula::Choice(choice) => of(&choice.then).or_else(|| of(&choice.otherwise)),
            Formula::Ratio(ratio) => ratio_unit(of(&ratio.numerator), of(&ratio.denominator)),
            Formula::Sum(_) => None,
        }
    }
}

/// Money for each thing or day is money.
fn ratio_unit(upper: Option<Unit>, lower: Option<Unit>) -> Option<Unit> {
    matches!((upper, lower), (Some(Unit::Money), Some(Unit::Count | Unit::Duration))).then_some(Unit::Money)
}

/// Whether a unit says what is counted; scores and points may be made of anything.
const fn is_fixed(unit: Unit) -> bool {
    matches!(unit, Unit::Money | Unit::Count | Unit::Percent | Unit::Duration)
}

/// Whether what is of one unit by itself cannot be called another.
const fn cannot_be(natural: Unit, declared: Unit) -> bool {
    match natural {
        Unit::Percent => matches!(declared, Unit::Money | Unit::Count | Unit::Duration),
        Unit::Count => matches!(declared, Unit::Money | Unit::Percent),
        Unit::Money => matches!(declared, Unit::Count | Unit::Percent | Unit::Duration),
        Unit::Duration => matches!(declared, Unit::Money | Unit::Percent),
        Unit::Score | Unit::Points => false,
    }
}

/// The unit that a measure has by itself.
fn natural_unit(measure: &Measure) -> Option<Unit> {
    match measure.aggregate {
        Aggregate::Count | Aggregate::Distinct | Aggregate::NetAdditions => Some(Unit::Count),
        Aggregate::Share => Some(Unit::Percent),
        Aggregate::Sum if measure.source == Source::Transactions && measure.unit_table.is_none() && measure.group_value.is_none() => {
            measure.of.as_deref().is_none_or(|of| of == "amount").then_some(Unit::Money)
        }
        _ => None,
    }
}

/// A unit as documents write it.
const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Money => "MONEY",
        Unit::Count => "COUNT",
        Unit::Percent => "PERCENT",
        Unit::Score => "SCORE",
        Unit::Points => "POINTS",
        Unit::Duration => "DURATION",
    }
}
