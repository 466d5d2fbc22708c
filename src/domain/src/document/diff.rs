//! What changes between two documents: by path, lists of things with a key compared by key.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Document;
use super::export::to_value;
use crate::fault::{Fault, join};

/// What happened at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another value.
    Changed,
    /// A list has the same things in another order.
    Reordered,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Where: `ladders[LEVEL].tiers[GOLD].entry`; things with a key are called by it.
    pub path: String,
    /// What happened.
    pub kind: ChangeKind,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spell = |value: &Option<Value>| value.as_ref().map(short).unwrap_or_default();
        match self.kind {
            ChangeKind::Added => write!(f, "+ {}: {}", self.path, spell(&self.after)),
            ChangeKind::Removed => write!(f, "- {}: {}", self.path, spell(&self.before)),
            ChangeKind::Changed => write!(f, "~ {}: {} -> {}", self.path, spell(&self.before), spell(&self.after)),
            ChangeKind::Reordered => write!(f, "~ {} in another order: {} -> {}", self.path, spell(&self.before), spell(&self.after)),
        }
    }
}

fn short(value: &Value) -> String {
    const SHOWN: usize = 160;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// Every change from `before` to `after`; none when both say the same.
///
/// # Errors
/// As [`to_value`].
pub fn diff(before: &Document, after: &Document) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    compare(&to_value(before)?, &to_value(after)?, "", &mut changes);
    Ok(changes)
}

fn compare(before: &Value, after: &Value, path: &str, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(one), Value::Object(other)) if one.len() != 1 || other.len() != 1 || one.keys().eq(other.keys()) => {
            compare_members(one, other, path, changes)
        }
        (Value::Array(one), Value::Array(other)) => match (names(one), names(other)) {
            (Some(earlier), Some(later)) => compare_named((&earlier, one), (&later, other), path, changes),
            _ => compare_places(one, other, path, changes),
        },
        _ => changes.push(Change { path: path.to_owned(), kind: ChangeKind::Changed, before: Some(before.clone()), after: Some(after.clone()) }),
    }
}

fn compare_members(before: &Map<String, Value>, after: &Map<String, Value>, path: &str, changes: &mut Vec<Change>) {
    for (name, value) in before {
        let path = join(path, name);
        match after.get(name) {
            Some(later) => compare(value, later, &path, changes),
            None => changes.push(removed(path, value)),
        }
    }
    for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        changes.push(added(join(path, name), value));
    }
}

fn compare_named(before: (&[String], &[Value]), after: (&[String], &[Value]), path: &str, changes: &mut Vec<Change>) {
    for (name, value) in before.0.iter().zip(before.1) {
        let path = format!("{path}[{name}]");
        match after.0.iter().position(|later| later == name).and_then(|at| after.1.get(at)) {
            Some(later) => compare(value, later, &path, changes),
            None => changes.push(removed(path, value)),
        }
    }
    for (name, value) in after.0.iter().zip(after.1).filter(|(name, _)| !before.0.contains(name)) {
        changes.push(added(format!("{path}[{name}]"), value));
    }
    let kept = |names: &[String], others: &[String]| names.iter().filter(|name| others.contains(name)).cloned().collect::<Vec<_>>();
    let (earlier, later) = (kept(before.0, after.0), kept(after.0, before.0));
    if earlier != later {
        changes.push(Change { path: path.to_owned(), kind: ChangeKind::Reordered, before: Some(earlier.into()), after: Some(later.into()) });
    }
}

fn compare_places(before: &[Value], after: &[Value], path: &str, changes: &mut Vec<Change>) {
    for index in 0..before.len().max(after.len()) {
        let path = format!("{path}[{index}]");
        match (before.get(index), after.get(index)) {
            (Some(one), Some(other)) => compare(one, other, &path, changes),
            (Some(one), None) => changes.push(removed(path, one)),
            (None, Some(other)) => changes.push(added(path, other)),
            (None, None) => {}
        }
    }
}

fn added(path: String, value: &Value) -> Change {
    Change { path, kind: ChangeKind::Added, before: None, after: Some(value.clone()) }
}

fn removed(path: String, value: &Value) -> Change {
    Change { path, kind: ChangeKind::Removed, before: Some(value.clone()), after: None }
}

/// What the things of a list are called by, if each has a name of its own.
pub(super) fn names(list: &[Value]) -> Option<Vec<String>> {
    let names: Vec<String> = list.iter().map(name).collect::<Option<_>>()?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

/// A key, a name, the id of a fact; what a grant is for; whom a row is for.
fn name(thing: &Value) -> Option<String> {
    let object = thing.as_object()?;
    for member in ["key", "name", "id", "code"] {
        if let Some(name) = object.get(member).and_then(Value::as_str) {
            return Some(name.to_owned());
        }
    }
    if object.contains_key("value") {
        let parts = ["benefit", "ladder", "tier", "region", "regionGroup", "partnerTypes", "tracks", "from"];
        let called: Vec<String> = parts.iter().filter_map(|part| object.get(*part)).map(plain).collect();
        return (!called.is_empty()).then(|| called.join(" "));
    }
    None
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join("+"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read::{Format, read};

    const EXAMPLE: &str = include_str!("../../../../examples/programs/reseller-tiers.yaml");

    fn changes(edits: &[(&str, &str)]) -> Vec<String> {
        let before = read(EXAMPLE, Format::Yaml).unwrap();
        let mut text = EXAMPLE.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let after = read(&text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        diff(&before, &after).unwrap().iter().map(Change::to_string).collect()
    }

    #[test]
    fn things_are_called_by_their_keys() {
        assert_eq!(changes(&[]), Vec::<String>::new());
        assert_eq!(
            changes(&[
                ("window: {rolling: {months: 12}}", "window: {rolling: {months: 24}}"),
                ("{region: DACH, value: 150000}", "{region: DACH, value: 140000}"),
                ("  - {benefit: trainings, tier: GOLD, value: {unlimited: {}}}\n", ""),
                ("  - {key: portal, name: Partner portal, kind: ACCESS}\n", "  - {key: portal, kind: ACCESS}\n  - {key: forum, kind: ACCESS}\n"),
                ("value: {money: 2500}", "value: {unlimited: {}}"),
            ]),
            [
                "~ metrics[revenue].measure.window.rolling.months: 12 -> 24",
                "~ ladders[LEVEL].tiers[SILVER].requirement.allOf[1].metric.atLeast.rows[DACH].value: 150000 -> 140000",
                "- benefits[portal].name: \"Partner portal\"",
                "+ benefits[forum]: {\"key\":\"forum\",\"kind\":\"ACCESS\"}",
                "- grants[trainings GOLD]: {\"benefit\":\"trainings\",\"tier\":\"GOLD\",\"value\":{\"unlimited\":{}}}",
                "~ grants[launchFund SILVER GROWTH].value: {\"money\":2500} -> {\"unlimited\":{}}",
            ]
        );
    }

    #[test]
    fn the_order_of_tiers_is_their_rank() {
        let before = read(EXAMPLE, Format::Yaml).unwrap();
        let mut after = before.clone();
        after.ladders[0].tiers.swap(1, 2);
        let changes: Vec<String> = diff(&before, &after).unwrap().iter().map(Change::to_string).collect();
        assert_eq!(changes, ["~ ladders[LEVEL].tiers in another order: [\"REGISTERED\",\"SILVER\",\"GOLD\"] -> [\"REGISTERED\",\"GOLD\",\"SILVER\"]"]);
    }
}
