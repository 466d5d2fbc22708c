//! The derivation of a statement that takes another one back: it states that one's whole derivation, and what was recognised for the
//! period when it was taken back. The rest follows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adjust::{amount, minor};
use super::canonical::{bare, text};
use super::derive::{Derivation, PeriodSum, StatementDerived, complete, too_large};
use super::given::{FORMAT, Heading};
use super::verify::{recompute as recompute_plain, stated, verify, within};
use crate::document::read::read_json;
use crate::fault::{Fault, Faults};
use crate::money::DecimalText;
use crate::rebate::RunKind;
use crate::rebate::statement::Reversed;

/// What the derivation of a reversal states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    guerdon_derivation: u32,
    statement: Heading,
    inputs: Inputs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inputs {
    /// What was recognised for the period by this schedule, the reversed statement included.
    recognised: DecimalText,
    /// The derivation of the reversed statement.
    reverses: Value,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Derived {
    sum: Vec<PeriodSum>,
    statement: StatementDerived,
    content_hash: String,
}

/// Derives the statement of a reversal from the derivation of the reversed one, when `recognised` minor units are recognised for its
/// period.
///
/// # Errors
/// Those of [`verify`] about the reversed one's; `DIFFERENT` when it is of another statement.
pub fn derive_reversal(statement: &Heading, recognised: i64, reverses: &str) -> Result<Derivation, Faults> {
    let inputs = Inputs { recognised: amount(recognised, statement.currency), reverses: read_json(reverses)? };
    let given = Given { guerdon_derivation: FORMAT, statement: statement.clone(), inputs };
    let derived = settle(&given)?;
    Ok(Derivation { text: text(&compose(&given, &derived)?), content_hash: derived.content_hash })
}

/// Whether a derivation is one of a reversal.
pub(super) fn is_one(found: &Value) -> bool {
    found.pointer("/inputs/reverses").is_some()
}

/// The heading of a reversal's derivation, and the derivation as it should be.
pub(super) fn recompute(found: &Value) -> Result<(Heading, Value), Faults> {
    let given: Given = stated(found, &["guerdonDerivation", "statement", "inputs"])?;
    let expected = compose(&given, &settle(&given)?)?;
    Ok((given.statement, expected))
}

fn compose(given: &Given, derived: &Derived) -> Result<Value, Faults> {
    let Value::Object(mut members) = bare(given)? else { return Err(Fault::new("INTERNAL", "", "a derivation is an object").into()) };
    // The inner derivation has its own one spelling.
    if let Some(inputs) = members.get_mut("inputs").and_then(Value::as_object_mut) {
        inputs.insert("reverses".to_owned(), given.inputs.reverses.clone());
    }
    complete(members, derived)
}

fn settle(given: &Given) -> Result<Derived, Faults> {
    const PATH: &str = "inputs.reverses";
    let heading = &given.statement;
    if is_one(&given.inputs.reverses) {
        return Err(Fault::new("NOT_A_DERIVATION", PATH, "a reversal is not reversed again").into());
    }
    verify(&text(&given.inputs.reverses)).map_err(|faults| within(faults, PATH))?;
    let (inner, derived) = recompute_plain(&given.inputs.reverses).map_err(|faults| within(faults, PATH))?;
    let own = [&heading.program, &heading.partner, &heading.schedule, &heading.period, &heading.run.period];
    let other = [&inner.statement.program, &inner.statement.partner, &inner.statement.schedule, &inner.statement.period, &inner.statement.run.period];
    if own != other || heading.currency != inner.statement.currency || heading.run.kind != RunKind::Reversal {
        return Err(Fault::new("DIFFERENT", PATH, "it is the derivation of another statement than the one that is taken back").into());
    }
    let posted = derived.body.of(&inner.statement);
    let reversed = Reversed::of(&posted, minor(&given.inputs.recognised, heading.currency, "inputs.recognised")?).map_err(too_large)?;
    let content_hash = reversed.body(&posted).content_hash();
    let spelled = |minor: i64| amount(minor, heading.currency);
    let sum = PeriodSum {
        period: heading.period.clone(),
        entitled: spelled(reversed.entitled),
        before: spelled(reversed.before),
        difference: spelled(reversed.entitled.saturating_sub(reversed.before)),
        carried: spelled(reversed.carried),
        posted: spelled(reversed.amount),
    };
    let statement = StatementDerived {
        tier: posted.tier.map(str::to_owned),
        qualifier: reversed.qualifier,
        basis: reversed.basis,
        exact: reversed.exact,
        inputs: posted.inputs,
        steps: Vec::new(),
        posted: spelled(reversed.amount),
        lines: reversed.lines,
    };
    Ok(Derived { sum: vec![sum], statement, content_hash })
}
