//! Metrics and formulas.

use super::measure::Bound;
use super::{Check, MAX_TREE_DEPTH};
use crate::document::metric::{CohortFormula, Formula, Gate, Multiplier, Operand, SumFormula};
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
        self.alike(formula, path);
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
            Formula::PercentileRank(rank) => self.among(rank, bound, &format!("{path}.percentileRank"), depth),
            Formula::Rank(rank) => self.among(rank, bound, &format!("{path}.rank"), depth),
            Formula::CohortMean(mean) => self.among(mean, bound, &format!("{path}.cohortMean"), depth),
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

    /// A value among those of a cohort.
    fn among(&mut self, formula: &CohortFormula, bound: Bound<'_>, path: &str, depth: usize) {
        self.operand(&formula.of, bound, &format!("{path}.of"), depth);
        for (index, name) in formula.cohort.iter().enumerate() {
            self.cohort(name, &format!("{path}.cohort[{index}]"));
        }
    }

    fn cohort(&mut self, name: &str, path: &str) {
        let known = ["region", "type", "attribute.NAME"];
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
            if let Some(per) = &term.per {
                let held = self.held(&term.value);
                self.figure_of("the value", per, &held, &format!("{path}.per"));
            }
            if term.per.as_ref().is_some_and(|per| !per.value.is_positive()) {
                self.fault("OUT_OF_RANGE", format!("{path}.per"), "points are for each so many units: write a number above zero");
            }
            self.cap_and_floor(term.cap.clone(), term.floor.clone(), &path);
            for (at, multiplier) in term.multipliers.iter().enumerate() {
                self.multiplier(multiplier, &format!("{path}.multipliers[{at}]"));
            }
            for (at, gate) in term.gates.iter().enumerate() {
                self.operand(&gate.value, bound, &format!("{path}.gates[{at}].value"), depth);
                self.gate(gate, &format!("{path}.gates[{at}].atLeast"));
            }
        }
    }

    /// What a gate asks for.
    fn gate(&mut self, gate: &Gate, path: &str) {
        let held = self.held(&gate.value);
        let judged = self.faults.0.len();
        self.figure_of("the value", &gate.at_least, &held, path);
        if let Some(most) = held.most.filter(|most| *most < gate.at_least.value && self.faults.0.len() == judged) {
            self.fault("NEVER_MET", path, format!("what is looked at is never more than {most}: the gate would never open"));
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
