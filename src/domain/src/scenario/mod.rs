//! Program tests: runs the scenarios of a document through the engines, without a database, and says what differs.

mod compare;

use serde::Serialize;

use crate::document::scenario::{Expectation, Scenario};
use crate::evaluate::Evaluation;
use crate::facts::Facts;
use crate::facts::convert::{Vocabulary, convert};
use crate::fault::Faults;
use crate::program::Program;

/// The outcome of one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioResult {
    /// Its name.
    pub scenario: String,
    /// How many expectations were compared.
    pub checks: usize,
    /// What differs; empty when it passed.
    pub failures: Vec<Failure>,
}

impl ScenarioResult {
    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// An expectation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The partner.
    pub partner: String,
    /// What was compared: `ladders.LEVEL.tier`, `metrics.revenue`, `rebates.volume.2026-Q1.amount`.
    pub at: String,
    /// What was expected.
    pub expected: String,
    /// What the engines say.
    pub actual: String,
    /// Why they say so, a sentence a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

/// Runs every scenario of the program, in the document's order.
pub fn run_scenarios(program: &Program) -> Vec<ScenarioResult> {
    program.document.scenarios.iter().map(|scenario| run(program, scenario)).collect()
}

/// Runs one scenario.
pub fn run(program: &Program, scenario: &Scenario) -> ScenarioResult {
    let mut result = ScenarioResult { scenario: scenario.name.clone(), checks: 0, failures: Vec::new() };
    let facts = match convert(&scenario.facts, Vocabulary::of(program)) {
        Ok(facts) => facts,
        Err(faults) => {
            result.failures.push(refused("", "facts", &faults));
            return result;
        }
    };
    let evaluation = Evaluation::new(program, &facts);
    for expectation in &scenario.expect {
        match partner_of(expectation, &facts) {
            Some(partner) => {
                let mut comparison = compare::Comparison { evaluation: &evaluation, as_of: scenario.as_of, partner, result: &mut result };
                comparison.compare(expectation);
            }
            None => result.failures.push(Failure {
                partner: expectation.partner.clone().unwrap_or_default(),
                at: "partner".to_owned(),
                expected: "a partner of the facts".to_owned(),
                actual: "none is meant clearly".to_owned(),
                because: Vec::new(),
            }),
        }
    }
    result
}

fn partner_of<'f>(expectation: &Expectation, facts: &'f Facts) -> Option<&'f str> {
    match &expectation.partner {
        Some(code) => facts.partners.get_key_value(code).map(|(code, _)| code.as_str()),
        None if facts.partners.len() == 1 => facts.partners.keys().next().map(String::as_str),
        None => None,
    }
}

/// A failure in place of an answer.
fn refused(partner: &str, at: &str, faults: &Faults) -> Failure {
    Failure {
        partner: partner.to_owned(),
        at: at.to_owned(),
        expected: "an answer".to_owned(),
        actual: "refused".to_owned(),
        because: faults.0.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
