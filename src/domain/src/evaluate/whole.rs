//! A case as it is written, with every fault of it at once: what could not be read hides nothing but itself. A member of a fact that has a
//! fault of its shape hides neither the others nor other facts or questions, a program that cannot be used hides no fault that shows without it.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::answer::{self, Answer};
use super::follows::follows;
use super::{CASE, CaseInput, CaseProgram, Judged, judge};
use crate::document::Document;
use crate::document::shape::{Mended, Shape};
use crate::fault::{Fault, Faults};
use crate::program::Program;

/// A program that defines no names: what is judged by it are spellings, dates and spans.
static NAMELESS: LazyLock<Option<Program>> = LazyLock::new(|| {
    let header = serde_json::json!({"code": "P", "name": "P", "currency": "USD"});
    let document = serde_json::json!({"guerdon": 1, "program": header, "version": {"effectiveOn": "2000-01-01"}});
    serde_json::from_value::<Document>(document).ok().and_then(|document| Program::compile(document).ok())
});

/// Answers a case as it is written; `program_of` gives the program of what its member `program` holds.
///
/// # Errors
/// Every fault at once: of the shape of the case, of its program, of its facts and questions; then whatever an engine refuses.
pub fn evaluate_written(mut value: Value, program_of: impl FnOnce(&Value) -> Result<Arc<CaseProgram>, Faults>) -> Result<Answer, Faults> {
    let mut faults = CASE.check(&value, "");
    let mended = if faults.is_empty() { Mended::default() } else { CASE.mend(&mut value) };
    let case = match Shape::build::<CaseInput>(value, "") {
        Ok(case) if !mended.paths.iter().any(String::is_empty) => case,
        Err(found) if faults.is_empty() => return Err(found),
        _ => return Err(faults),
    };
    let known = if mended.covers("program") { None } else { faults.collect("program", program_of(&case.program)) };
    let judged = match &known {
        Some(known) => Some(judge(&case, &known.program, Some(&known.program))),
        None => NAMELESS.as_ref().map(|nameless| judge(&case, nameless, None)),
    };
    let Some(Judged { facts, asks, faults: found }) = judged else { return Err(faults) };
    let needs_program = |fault: &Fault| known.is_none() && follows_from_names(fault);
    faults.0.extend(found.0.into_iter().filter(|fault| !follows(fault, &mended) && !needs_program(fault)));
    match (known, facts, asks) {
        (Some(known), Some(facts), Some(asks)) if faults.is_empty() => answer::answer(&case, &known, &facts, &asks),
        _ => Err(faults),
    }
}

/// Whether a fault of facts is about the names or the currency of the program.
fn follows_from_names(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "UNKNOWN_KEY" | "WRONG_KIND" | "OUT_OF_PLACE" | "TOO_MANY_DECIMALS") || fault.path.ends_with(".ladder")
}
