//! One spelling: what says nothing is left out, members stand in the order of their description, digests are of sorted JSON.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::fault::{Fault, join};

/// A value without members that say nothing: null, empty lists, no attributes, no terms. An empty object says something elsewhere.
pub(super) fn bare(value: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value).map(strip).map_err(|error| Fault::new("OUT_OF_RANGE", "", format!("a figure cannot be written: {error}")))
}

fn strip(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let members = object.into_iter().map(|(name, value)| (name, strip(value)));
            Value::Object(members.filter(|(name, value)| !says_nothing(name, value)).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(strip).collect()),
        plain => plain,
    }
}

fn says_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty() && matches!(name, "attributes" | "terms"),
        _ => false,
    }
}

/// The text of a value: indented by two spaces, with a line feed at its end.
pub(super) fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// SHA-256 of the value as compact JSON with the members of every object sorted by name, in hexadecimal.
pub(super) fn digest(value: &Value) -> String {
    let mut hexadecimal = String::with_capacity(64);
    for byte in Sha256::digest(sorted(value).to_string().as_bytes()) {
        // Writing to a text cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    hexadecimal
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<(&String, &Value)> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            Value::Object(members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect::<Map<String, Value>>())
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

/// Where two values first differ, in the order in which the first one is written: the path, what stands there, and what should.
pub(super) fn first_difference(found: &Value, expected: &Value) -> Option<Difference> {
    difference_at(found, expected, "")
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) found: Option<Value>,
    pub(super) expected: Option<Value>,
}

fn difference_at(found: &Value, expected: &Value, path: &str) -> Option<Difference> {
    match (found, expected) {
        (Value::Object(one), Value::Object(other)) => {
            let member = |name: &String| match (one.get(name), other.get(name)) {
                (Some(found), Some(expected)) => difference_at(found, expected, &join(path, name)),
                (found, expected) => Some(Difference { path: join(path, name), found: found.cloned(), expected: expected.cloned() }),
            };
            one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))).find_map(member)
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len())).find_map(|at| {
            let path = format!("{path}[{at}]");
            match (one.get(at), other.get(at)) {
                (Some(found), Some(expected)) => difference_at(found, expected, &path),
                (found, expected) => Some(Difference { path, found: found.cloned(), expected: expected.cloned() }),
            }
        }),
        _ if found == expected => None,
        _ => Some(Difference { path: path.to_owned(), found: Some(found.clone()), expected: Some(expected.clone()) }),
    }
}
