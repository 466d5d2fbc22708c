//! Metrics, formulas and the units that they are compared in.

use super::measure::Bound;
use super::{Check, MAX_TREE_DEPTH};
use crate::document::metric::{Aggregate, Formula, GrowthMode, Measure, Metric, Multiplier, Operand, Source, SumFormula, Unit};
use crate::document::shape::nearest;

impl Check<'_> {
    /// All metrics.
    pub(super) fn metrics(&mut self) {
        let document = self.document;
        for (at, metric) in document.metrics.iter().enumerate() {
            let path = format!("metrics[{at}]");
            self.text(metric.name.as_deref(), format!("{path}.name"));
            self.exactly_one(&path, &[("measure", metric.measure.is_some()), ("formula", metric.formula.is_some())]);
            if let Some(measure) = &metric.measure {
                self.measure(measure, &[], &format!("{path}.measure"));
            }
            if let Some(formula) = &metric.formula {
                self.formula(formula, &[], &format!("{path}.formula"), 0);
            }
            self.unit_fits(metric, &path);
        }
    }

    /// A unit that the measurement cannot have.
    fn unit_fits(&mut self, metric: &Metric, path: &str) {
        let natural = metric.measure.as_ref().and_then(natural_unit).or(metric.formula.as_ref().and_then(formula_unit));
        let clash = match natural {
            Some(Unit::Percent) => matches!(metric.unit, Unit::Money | Unit::Count | Unit::Duration),
            Some(Unit::Count) => matches!(metric.unit, Unit::Money | Unit::Percent),
            Some(Unit::Money) => matches!(metric.unit, Unit::Count | Unit::Percent | Unit::Duration),
            _ => false,
        };
        if clash && let Some(natural) = natural {
            let message = format!("what is measured here is a {}, not a {}: correct `unit` or what is measured", unit_name(natural), unit_name(metric.unit));
            self.fault("UNIT_MISMATCH", format!("{path}.unit"), message);
        }
    }

    /// A value inside a rule.
    pub(super) fn operand(&mut self, operand: &Operand, bound: Bound<'_>, path: &str, depth: usize) {
        if depth > MAX_TREE_DEPTH {
            return self.fault("TOO_DEEP", path, format!("formulas are nested at most {MAX_TREE_DEPTH} deep"));
        }
        match operand {
            Operand::Metric(key) => self.metric_key(key, format!("{path}.metric")),
            Operand::Measure(measure) => self.measure(measure, bound, &format!("{path}.measure")),
            Operand::Formula(formula) => self.formula(formula, bound, &format!("{path}.formula"), depth + 1),
            Operand::Constant(_) => {}
        }
    }

    fn formula(&mut self, formula: &Formula, bound: Bound<'_>, path: &str, depth: usize) {
        match formula {
            Formula::Sum(sum) => self.sum(sum, bound, &format!("{path}.sum"), depth),
            Formula::Ratio(ratio) => {
                self.operand(&ratio.numerator, bound, &format!("{path}.ratio.numerator"), depth);
                self.operand(&ratio.denominator, bound, &format!("{path}.ratio.denominator"), depth);
            }
            Formula::Difference(difference) => {
                self.operand(&difference.from, bound, &format!("{path}.difference.from"), depth);
                self.operand(&difference.subtract, bound, &format!("{path}.difference.subtract"), depth);
            }
            Formula::Minimum(list) => self.operands(list, bound, &format!("{path}.minimum"), depth),
            Formula::Maximum(list) => self.operands(list, bound, &format!("{path}.maximum"), depth),
            Formula::Average(list) => self.operands(list, bound, &format!("{path}.average"), depth),
            Formula::Growth(growth) => {
                self.operand(&growth.of, bound, &format!("{path}.growth.of"), depth);
                self.at_least_one(growth.months_earlier, format!("{path}.growth.monthsEarlier"));
            }
            Formula::PercentileRank(rank) => {
                self.operand(&rank.of, bound, &format!("{path}.percentileRank.of"), depth);
                for (index, name) in rank.cohort.iter().enumerate() {
                    self.cohort(name, &format!("{path}.percentileRank.cohort[{index}]"));
                }
            }
            Formula::Choice(choice) => {
                self.requirement(&choice.when, bound, &format!("{path}.choice.when"));
                self.operand(&choice.then, bound, &format!("{path}.choice.then"), depth);
                self.operand(&choice.otherwise, bound, &format!("{path}.choice.otherwise"), depth);
            }
        }
    }

    fn operands(&mut self, list: &[Operand], bound: Bound<'_>, path: &str, depth: usize) {
        self.not_empty(list, path, "value");
        for (index, operand) in list.iter().enumerate() {
            self.operand(operand, bound, &format!("{path}[{index}]"), depth);
        }
    }

    fn cohort(&mut self, name: &str, path: &str) {
        let known = ["region", "type", "attribute."];
        if !(matches!(name, "region" | "type") || name.strip_prefix("attribute.").is_some_and(|rest| !rest.is_empty())) {
            let advice = nearest(name, known.into_iter())
                .map_or_else(|| "write `region`, `type` or `attribute.NAME`".to_owned(), |near| format!("did you mean `{near}`?"));
            self.fault("UNKNOWN_FIELD", path, format!("cohorts are not formed by `{name}`: {advice}"));
        }
    }

    fn sum(&mut self, sum: &SumFormula, bound: Bound<'_>, path: &str, depth: usize) {
        self.not_empty(&sum.terms, format!("{path}.terms"), "term");
        self.cap_and_floor(sum.cap.clone(), sum.floor.clone(), path);
        for (index, term) in sum.terms.iter().enumerate() {
            let path = format!("{path}.terms[{index}]");
            self.text(term.label.as_deref(), format!("{path}.label"));
            self.operand(&term.value, bound, &format!("{path}.value"), depth);
            if term.per.as_ref().is_some_and(|per| !per.0.is_positive()) {
                self.fault("OUT_OF_RANGE", format!("{path}.per"), "points are for each so many units: write a number above zero");
            }
            self.cap_and_floor(term.cap.clone(), term.floor.clone(), &path);
            for (at, multiplier) in term.multipliers.iter().enumerate() {
                self.multiplier(multiplier, &format!("{path}.multipliers[{at}]"));
            }
            for (at, gate) in term.gates.iter().enumerate() {
                self.operand(&gate.value, bound, &format!("{path}.gates[{at}].value"), depth);
            }
        }
    }

    fn cap_and_floor(&mut self, cap: Option<crate::money::Number>, floor: Option<crate::money::Number>, path: &str) {
        if let (Some(cap), Some(floor)) = (cap, floor)
            && cap < floor
        {
            self.fault("OUT_OF_RANGE", format!("{path}.cap"), format!("the cap lies below the floor of {floor}: correct one of them"));
        }
    }

    fn multiplier(&mut self, multiplier: &Multiplier, path: &str) {
        if let Some(region) = &multiplier.region {
            self.region(region, format!("{path}.region"));
        }
        if let Some(group) = &multiplier.region_group {
            self.region_group(group, format!("{path}.regionGroup"));
        }
        self.partner_types(&multiplier.partner_types, &format!("{path}.partnerTypes"));
        self.out_of_place(
            multiplier.equals.is_some() && multiplier.attribute.is_none(),
            format!("{path}.equals"),
            "it compares an attribute, and no `attribute` is named",
        );
    }
}

/// The unit that a measure has by itself.
pub(super) fn natural_unit(measure: &Measure) -> Option<Unit> {
    match measure.aggregate {
        Aggregate::Count | Aggregate::Distinct | Aggregate::NetAdditions => Some(Unit::Count),
        Aggregate::Share => Some(Unit::Percent),
        Aggregate::Sum if measure.source == Source::Transactions && measure.unit_table.is_none() && measure.group_value.is_none() => {
            measure.of.as_deref().is_none_or(|of| of == "amount").then_some(Unit::Money)
        }
        _ => None,
    }
}

fn formula_unit(formula: &Formula) -> Option<Unit> {
    match formula {
        Formula::PercentileRank(_) => Some(Unit::Percent),
        Formula::Growth(growth) if growth.mode == GrowthMode::Percent => Some(Unit::Percent),
        _ => None,
    }
}

/// The unit that an operand has, if that is known.
pub(super) fn operand_unit(operand: &Operand, unit_of: impl Fn(&str) -> Option<Unit>) -> Option<Unit> {
    match operand {
        Operand::Metric(key) => unit_of(key),
        Operand::Measure(measure) => natural_unit(measure),
        Operand::Formula(formula) => formula_unit(formula),
        Operand::Constant(_) => None,
    }
}

/// A unit as documents write it.
pub(super) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Money => "MONEY",
        Unit::Count => "COUNT",
        Unit::Percent => "PERCENT",
        Unit::Score => "SCORE",
        Unit::Points => "POINTS",
        Unit::Duration => "DURATION",
    }
}
