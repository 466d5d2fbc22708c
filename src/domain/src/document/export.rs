//! Document to text: the same document, without what says nothing.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Document;
use super::read::DOCUMENT;
use crate::fault::Fault;

/// The document as a value: no nulls, no empty lists, no defaults; members in the order of the language's description.
///
/// # Errors
/// `OUT_OF_RANGE` when a figure cannot be written as a decimal; what was read from text always can.
pub fn to_value(document: &Document) -> Result<Value, Fault> {
    let mut value = serde_json::to_value(document).map_err(|error| Fault::new("OUT_OF_RANGE", "", format!("this document cannot be written: {error}")))?;
    DOCUMENT.tidy(&mut value);
    Ok(value)
}

/// The document as YAML.
///
/// # Errors
/// As [`to_value`].
pub fn to_yaml(document: &Document) -> Result<String, Fault> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&to_value(document)?, options)
        .map_err(|error| Fault::new("OUT_OF_RANGE", "", format!("this document cannot be written: {error}")))
}

/// The document as JSON, indented.
///
/// # Errors
/// As [`to_value`].
pub fn to_json(document: &Document) -> Result<String, Fault> {
    let mut text = format!("{:#}", to_value(document)?);
    text.push('\n');
    Ok(text)
}

/// SHA-256 of the document's canonical JSON (as [`to_value`], members sorted by name, no spaces), in hexadecimal: two documents that
/// say the same have the same digest, however they are written.
///
/// # Errors
/// As [`to_value`].
pub fn digest(document: &Document) -> Result<String, Fault> {
    let canonical = sorted(to_value(document)?).to_string();
    let mut hexadecimal = String::with_capacity(64);
    for byte in Sha256::digest(canonical.as_bytes()) {
        // Writing to a text cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    Ok(hexadecimal)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<(String, Value)> = object.into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect::<Map<String, Value>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

#[cfg(test)]
mod tests;
