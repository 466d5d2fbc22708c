//! Proving a derivation from its text alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::canonical::{Difference, first_difference, text};
use super::derive::{Derived, Programs, compose, narrow_program, settle};
use super::given::{FORMAT, Given, Heading, VersionGiven};
use super::{numbered, reversal};
use crate::document::{export, read};
use crate::fault::{Fault, Faults};
use crate::program::Program;
use crate::rebate::Numbered;
use crate::rebate::measures::RankSource;

/// A derivation is at most this large.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// What was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Which statement it is.
    pub statement: Heading,
    /// What it posts, in the statement's currency.
    pub posted: String,
    /// The hash of the statement as the service keeps it: compare it with the one that the statement names.
    pub content_hash: String,
    /// The hash of the file, which covers everything else in it.
    pub hash: String,
}

/// Recomputes a derivation from its text and compares byte for byte.
///
/// # Errors
/// `SYNTAX`, `NOT_A_DERIVATION`, `UNKNOWN_FORMAT`; a document that does not compile; `DIGEST` where a version's document is not the
/// one that its digest names; what the engine refuses; `DIFFERENT` with the path of the first difference, what stands there and what
/// should; `SPELLING` where it says the same in other characters.
pub fn verify(file: &str) -> Result<Proven, Faults> {
    if file.len() > MAX_BYTES {
        return Err(Fault::new("TOO_LARGE", "", format!("the file has {} bytes; at most {MAX_BYTES} are read", file.len())).into());
    }
    let found = read::read_json(file)?;
    let (statement, expected) = if reversal::is_one(&found) { reversal::recompute(&found)? } else { plain(&found)? };
    if let Some(difference) = first_difference(&found, &expected) {
        return Err(different(&difference).into());
    }
    if text(&expected) != file {
        return Err(spelling(file, &text(&expected)).into());
    }
    let of = |pointer: &str| expected.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Proven { posted: of("/result/statement/posted"), content_hash: of("/result/contentHash"), hash: of("/hash"), statement })
}

/// The heading of a derivation, and the derivation as it should be.
fn plain(found: &Value) -> Result<(Heading, Value), Faults> {
    let (given, derived) = recompute(found)?;
    let expected = compose(&given, &derived)?;
    Ok((given.statement, expected))
}

/// What a derivation states, and what follows from it.
pub(super) fn recompute(found: &Value) -> Result<(Given, Derived), Faults> {
    let given: Given = stated(found, &["guerdonDerivation", "statement", "versions", "inputs"])?;
    let programs = programs_of(&given)?;
    let facts = numbered::restore(&given.inputs.facts).map_err(|faults| within(faults, "inputs.facts"))?;
    let (derived, _) = settle(&given, &programs, &facts, RankSource::Stated(&given.inputs.ranks))?;
    Ok((given, derived))
}

/// The part that is stated, which has these members.
pub(super) fn stated<G: DeserializeOwned>(found: &Value, own: &[&str]) -> Result<G, Faults> {
    let Some(members) = found.as_object() else { return Err(Fault::new("NOT_A_DERIVATION", "", "a derivation is a JSON object").into()) };
    match members.get("guerdonDerivation").and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            let message = format!("this is format {format}; this version reads format {FORMAT}: verify it with a version that reads it");
            return Err(Fault::new("UNKNOWN_FORMAT", "guerdonDerivation", message).into());
        }
        None => {
            let message = "a derivation starts with its format: export the statement again";
            return Err(Fault::new("NOT_A_DERIVATION", "guerdonDerivation", message).into());
        }
    }
    let follows = ["inputsDigest", "result", "hash"];
    if let Some(unknown) = members.keys().find(|name| !own.contains(&name.as_str()) && !follows.contains(&name.as_str())) {
        return Err(Fault::new("UNKNOWN_MEMBER", unknown, "a derivation has no such member").into());
    }
    let stated = members.iter().filter(|(name, _)| own.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_path_to_error::deserialize(Value::Object(stated)).map_err(|error| {
        let path = error.path().to_string();
        Fault::new("NOT_A_DERIVATION", if path == "." { String::new() } else { path }, error.inner().to_string()).into()
    })
}

/// The versions with the schedules that matter, each going on with the one that it follows.
fn programs_of(given: &Given) -> Result<Programs, Faults> {
    let mut compiled = Vec::with_capacity(given.versions.len());
    for (at, version) in given.versions.iter().enumerate() {
        compiled.push((format!("versions[{at}]"), version, compile(given, version, &format!("versions[{at}]"))?));
    }
    compiled.sort_by_key(|(_, _, program)| program.effective_on());
    let mut all: BTreeMap<i64, Numbered> = BTreeMap::new();
    for (path, version, program) in compiled {
        let before = version.follows.map(|number| all.get(&number).ok_or(number)).transpose().map_err(|number| {
            let message = format!("version {number}, which version {} follows, is not among those that are stated and took effect before it", version.number);
            Fault::new("UNKNOWN_VERSION", format!("{path}.follows"), message)
        })?;
        let program = Arc::new(program.continuing(version.begun.clone(), before).with_levelling_since(version.levelling_since));
        if all.insert(version.number, Numbered { number: version.number, program }).is_some() {
            return Err(Fault::new("DUPLICATE_KEY", format!("{path}.number"), format!("version {} is stated twice", version.number)).into());
        }
    }
    Ok(all.into_iter().map(|(number, version)| (number, narrow_program(&version.program, &given.statement.schedule))).collect())
}

/// A version, compiled and held to its digest.
fn compile(given: &Given, version: &VersionGiven, path: &str) -> Result<Program, Faults> {
    let document = read::read_document(version.document.clone()).map_err(|faults| within(faults, &format!("{path}.document")))?;
    let digest = export::digest(&document)?;
    if digest != version.digest {
        let message = format!("the document has the digest {digest}, not {}: it is not the version that was published", version.digest);
        return Err(Fault::new("DIGEST", format!("{path}.digest"), message).into());
    }
    if let Some(difference) = first_difference(&version.document, &export::to_value(&document)?) {
        return Err(different(&Difference { path: format!("{path}.document.{}", difference.path), ..difference }).into());
    }
    let program = Program::compile_published(document).map_err(|faults| within(faults, &format!("{path}.document")))?;
    if program.code() != given.statement.program {
        return Err(Fault::new("DIFFERENT", "statement.program", format!("version {} is of the program {}", version.number, program.code())).into());
    }
    Ok(program)
}

pub(super) fn within(faults: Faults, prefix: &str) -> Faults {
    Faults(faults.0.into_iter().map(|fault| fault.within(prefix)).collect())
}

fn different(difference: &Difference) -> Fault {
    let spelled = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
    let message = format!("the file says {}, and recomputed it is {}", spelled(&difference.found), spelled(&difference.expected));
    Fault::new("DIFFERENT", &difference.path, message)
}

fn short(value: &Value) -> String {
    const SHOWN: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The same content in other characters: where it starts to differ.
fn spelling(file: &str, expected: &str) -> Fault {
    let same = file.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
    let line = file.as_bytes().iter().take(same).filter(|byte| **byte == b'\n').count() + 1;
    let message =
        format!("line {line} says the same in other characters than the one spelling of a derivation (byte {same}): keep the file as it was exported");
    Fault::new("SPELLING", "", message)
}
