//! Whether one fact can count in two values.

use std::collections::BTreeSet;

use super::{Reaching, Rule, Seen};
use crate::document::metric::{Filter, Formula, Measure, Operand};
use crate::document::requirement::Requirement;
use crate::document::scoped::Scalar;

/// How deep rules are followed; publishing refuses circles.
const MAX_DEPTH: u32 = 64;

impl<'a> Reaching<'_, 'a> {
    /// Whether no fact counts in both values.
    pub(super) fn are_apart(&self, one: &Seen<'a>, other: &Seen<'a>) -> bool {
        let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
        self.measures(one.rule, &mut of_one, 0);
        self.measures(other.rule, &mut of_other, 0);
        of_one.iter().all(|one| of_other.iter().all(|other| are_of_different_facts(one, other)))
    }

    /// Whether the facts that count in a value decide a requirement.
    pub(super) fn decides(&self, requirement: &'a Requirement, value: &Seen<'a>) -> bool {
        let (mut deciding, mut counted) = (Vec::new(), Vec::new());
        self.measures_of_requirement(requirement, &mut deciding, 0);
        self.measures(value.rule, &mut counted, 0);
        deciding.iter().any(|one| counted.iter().any(|other| are_of_same_facts(one, other)))
    }

    /// All measures that a value follows from.
    fn measures(&self, rule: Rule<'a>, found: &mut Vec<&'a Measure>, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        match rule {
            Rule::Constant => {}
            Rule::Measure(measure) => found.push(measure),
            Rule::Formula(formula) => {
                formula.operands().into_iter().for_each(|operand| self.measures_of_operand(operand, found, depth + 1));
                if let Formula::Choice(choice) = formula {
                    self.measures_of_requirement(&choice.when, found, depth + 1);
                }
            }
        }
    }

    fn measures_of_operand(&self, operand: &'a Operand, found: &mut Vec<&'a Measure>, depth: u32) {
        match operand {
            Operand::Metric(key) => self.measures_of_metric(key, found, depth),
            Operand::Measure(measure) => found.push(measure),
            Operand::Formula(formula) => self.measures(Rule::Formula(formula), found, depth),
            Operand::Constant(_) => {}
        }
    }

    fn measures_of_metric(&self, key: &str, found: &mut Vec<&'a Measure>, depth: u32) {
        let Some(metric) = self.evaluator.program.metric(key) else { return };
        found.extend(&metric.measure);
        if let Some(formula) = &metric.formula {
            self.measures(Rule::Formula(formula), found, depth);
        }
    }

    fn measures_of_requirement(&self, requirement: &'a Requirement, found: &mut Vec<&'a Measure>, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        match requirement {
            Requirement::Shared(key) => {
                self.evaluator.program.requirement(key).into_iter().for_each(|shared| self.measures_of_requirement(shared, found, depth + 1))
            }
            Requirement::Metric(rule) => match (&rule.metric, &rule.value) {
                (Some(key), _) => self.measures_of_metric(key, found, depth + 1),
                (None, Some(operand)) => self.measures_of_operand(operand, found, depth + 1),
                (None, None) => {}
            },
            _ => {
                if let Requirement::ForEach(rule) = requirement {
                    found.push(&rule.groups);
                }
                requirement.parts().into_iter().for_each(|part| self.measures_of_requirement(part, found, depth + 1));
            }
        }
    }
}

/// Whether two measures read different sources, or ask different values of one field.
fn are_of_different_facts(one: &Measure, other: &Measure) -> bool {
    let (mut asked, mut of_other) = (Vec::new(), Vec::new());
    one.filter.iter().for_each(|filter| collect_values(filter, &mut asked));
    other.filter.iter().for_each(|filter| collect_values(filter, &mut of_other));
    let differ = asked.iter().any(|(field, values)| of_other.iter().any(|(of, others)| field == of && values.is_disjoint(others)));
    one.source != other.source || differ
}

/// Whether two measures read the same facts, or one of them reads all of its source.
fn are_of_same_facts(one: &Measure, other: &Measure) -> bool {
    one.source == other.source && (one.filter.is_none() || other.filter.is_none() || one.filter == other.filter)
}

/// The values that a filter asks of fields, as text; groups of an enclosing `forEach` are no values yet.
fn collect_values<'f>(filter: &'f Filter, found: &mut Vec<(&'f str, BTreeSet<String>)>) {
    match filter {
        Filter::AllOf(of) => of.iter().for_each(|filter| collect_values(filter, found)),
        Filter::Test(test) => {
            let one = test.equals.iter().map(text_of).collect::<BTreeSet<_>>();
            let several = test.r#in.iter().flatten().map(text_of).collect::<BTreeSet<_>>();
            let known = [one, several].into_iter().filter(|values| !values.is_empty() && !values.iter().any(|value| value.starts_with('$')));
            found.extend(known.map(|values| (test.field.as_str(), values)));
        }
        Filter::AnyOf(_) | Filter::Not(_) | Filter::LastVersions(_) | Filter::FirstFact(_) => {}
    }
}

fn text_of(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Boolean(value) => value.to_string(),
    }
}
