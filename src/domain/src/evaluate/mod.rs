//! One case at a time, without a database: a program, facts, a date and questions in, answers with their explanation out. The same
//! engines as everywhere else; this is how programs are tried and tested from outside.

mod answer;
mod ask;
mod engine;
mod follows;
mod whole;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;

use crate::date::Date;
use crate::document::shape::Shape;
use crate::facts::Facts;
use crate::facts::convert::{Vocabulary, convert};
use crate::facts::input::FactsInput;
use crate::fault::{Fault, Faults};
use crate::program::Program;

pub use answer::{Answer, PartnerAnswer, ProgramAnswer, RebateAnswer};
pub use ask::{Ask, EntitlementsAsk, EstimateAsk, MetricsAsk, RebatesAsk, RiskAsk, RunsAsk, StandingAsk};
pub use engine::Evaluation;
pub use whole::evaluate_written;

/// At most this many partners in one case.
pub const MAX_PARTNERS: usize = 100_000;
/// At most this many questions in one case.
pub const MAX_ASKS: usize = 64;

/// A case as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaseInput {
    /// Comes back with the answer, whatever it is.
    pub id: Option<Value>,
    /// A program document, or the path of a file that holds one.
    pub program: Value,
    /// What is known.
    #[serde(default)]
    pub facts: FactsInput,
    /// The date; as of its end. Needed by all questions but `runs` and `rebates` with periods.
    pub as_of: Option<Date>,
    /// Only these partners are answered for; all of the facts when empty.
    #[serde(default)]
    pub partners: Vec<String>,
    /// The questions: a name, or an object with the name and its options.
    pub ask: Vec<Value>,
}

static CASE: LazyLock<Shape> = LazyLock::new(Shape::of::<CaseInput>);

impl CaseInput {
    /// Reads a case, with all faults of its shape at once.
    pub fn read(value: Value) -> Result<Self, Faults> {
        CASE.read(value, "")
    }
}

/// A program as cases use it: compiled once, named in every answer.
#[derive(Debug, Clone)]
pub struct CaseProgram {
    /// It.
    pub program: Program,
    /// The digest of its document.
    pub digest: String,
}

impl CaseProgram {
    /// Validates and compiles a document.
    ///
    /// # Errors
    /// Everything that is ambiguous or broken in it.
    pub fn compile(document: crate::document::Document) -> Result<Self, Faults> {
        let digest = crate::document::export::digest(&document)?;
        Ok(Self { program: Program::compile(document)?, digest })
    }
}

/// Answers a case.
///
/// # Errors
/// Every fault of its facts and questions at once, with paths from the case's root (`facts.partners[0]...`, `ask[1]...`); then
/// whatever an engine refuses, such as a missing exchange rate.
pub fn evaluate(case: &CaseInput, known: &CaseProgram) -> Result<Answer, Faults> {
    match judge(case, &known.program, Some(&known.program)) {
        Judged { facts: Some(facts), asks: Some(asks), faults } if faults.is_empty() => answer::answer(case, known, &facts, &asks),
        Judged { faults, .. } => Err(faults),
    }
}

/// The facts and questions of a case, read, with all their faults.
struct Judged {
    facts: Option<Facts>,
    asks: Option<Vec<Ask>>,
    faults: Faults,
}

/// Reads facts by the names of `names`, and questions by those of `asked`; without it no name in a question is judged.
fn judge(case: &CaseInput, names: &Program, asked: Option<&Program>) -> Judged {
    let mut faults = Faults::new();
    let facts = faults.collect("facts", convert(&case.facts, Vocabulary::of(names)));
    let asks = faults.collect("", ask::read(&case.ask, (names, asked), case.as_of));
    if case.facts.partners.len() > MAX_PARTNERS {
        faults.add("TOO_MANY", "facts.partners", format!("a case has at most {MAX_PARTNERS} partners"));
    }
    for (at, code) in case.partners.iter().enumerate() {
        if !case.facts.partners.iter().any(|partner| partner.code == *code) {
            faults.add("UNKNOWN_PARTNER", format!("partners[{at}]"), format!("the facts have no partner `{code}`"));
        }
    }
    Judged { facts, asks, faults }
}

/// What a refused case answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The case's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// The first fault.
    pub error: Fault,
    /// All of them.
    pub errors: Vec<Fault>,
}

impl Refusal {
    /// Of these faults, of which there is at least one.
    pub fn of(id: Option<Value>, faults: Faults) -> Self {
        let unexplained = || Fault::new("INTERNAL", "", "the case could not be answered");
        Self { id, error: faults.0.first().cloned().unwrap_or_else(unexplained), errors: faults.0 }
    }
}

#[cfg(test)]
mod tests;
