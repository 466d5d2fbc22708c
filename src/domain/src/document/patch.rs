//! Changes to a document by path: the opposite of a difference. Paths are those that [`super::diff`] prints, so that a line of a
//! difference can be tried by itself.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Document;
use super::diff::{Change, ChangeKind, names};
use super::export::to_value;
use super::read::read_document;
use super::shape::nearest;
use crate::fault::{Fault, Faults, join};

/// Changes in one request at most: a hypothesis that changes more is a document of its own.
pub const MAX_CHANGES: usize = 200;

/// One change of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleChange {
    /// Where: `ladders[LEVEL].tiers[GOLD].requirement.metric.atLeast`. Things of a list are called by their key, or by their
    /// place from 0; the name of a thing that is not in the list yet, or its length, puts the value at its end.
    pub path: String,
    /// What is there from now on, in the shape of the document; nothing takes away what is there.
    pub value: Option<Value>,
}

impl RuleChange {
    /// `value` at `path`.
    pub fn set(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { path: path.into(), value: Some(value.into()) }
    }

    /// The changes that make a difference happen. What is taken away is taken away last, from the end of each list on. The order of
    /// things that only stand in another order, and the place of new ones among them, is not told by a difference line by line.
    pub fn of_difference(difference: &[Change]) -> Vec<Self> {
        let told = difference.iter().filter(|change| change.kind != ChangeKind::Reordered);
        let (put, taken): (Vec<_>, Vec<_>) =
            told.map(|change| Self { path: change.path.clone(), value: change.after.clone() }).partition(|change| change.value.is_some());
        put.into_iter().chain(taken.into_iter().rev()).collect()
    }

    /// Nothing at `path`.
    pub fn remove(path: impl Into<String>) -> Self {
        Self { path: path.into(), value: None }
    }
}

/// The document with the changes, in their order. It is read like any document, so that the shape and, where the shape is
/// right, the rules are judged; what publishing asks is asked by [`crate::program::Program::compile`].
///
/// # Errors
/// Every change whose path leads nowhere (`UNKNOWN_PATH`) or cannot be read (`INVALID_PATH`), with the change as its path; else
/// every fault of the changed document, with its own paths.
pub fn apply_changes(document: &Document, changes: &[RuleChange]) -> Result<Document, Faults> {
    let mut faults = Faults::new();
    if changes.len() > MAX_CHANGES {
        faults.add("TOO_MANY", "changes", format!("at most {MAX_CHANGES} changes are taken: write a document instead"));
        return Err(faults);
    }
    let mut value = to_value(document)?;
    for (at, change) in changes.iter().enumerate() {
        faults.keep(&format!("changes[{at}].path"), apply(&mut value, change));
    }
    faults.or(())?;
    read_document(value)
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Thing(String),
}

fn steps(path: &str) -> Result<Vec<Step>, Fault> {
    let bad = || Fault::new("INVALID_PATH", "", format!("`{path}` is no path: write one such as ladders[LEVEL].tiers[GOLD].entry"));
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (name, after) = inner.split_once(']').ok_or_else(bad)?;
            steps.push(Step::Thing(name.to_owned()));
            rest = after;
        } else {
            let member = if steps.is_empty() { rest } else { rest.strip_prefix('.').ok_or_else(bad)? };
            let end = member.find(['.', '[']).unwrap_or(member.len());
            let (name, after) = member.split_at(end);
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        }
    }
    let empty = |step: &Step| matches!(step, Step::Member(name) | Step::Thing(name) if name.is_empty());
    if steps.is_empty() || steps.iter().any(empty) { Err(bad()) } else { Ok(steps) }
}

fn apply(value: &mut Value, change: &RuleChange) -> Result<(), Fault> {
    let steps = steps(&change.path)?;
    let Some((last, way)) = steps.split_last() else { return Ok(()) };
    let (mut place, mut walked) = (value, String::new());
    for step in way {
        let unknown = unknown(place, step, &walked);
        walked = spell(&walked, step);
        place = inside(place, step, change.value.is_some()).ok_or(unknown)?;
    }
    let unknown = unknown(place, last, &walked);
    let done = match (place, last, &change.value) {
        (Value::Object(members), Step::Member(name), Some(value)) => {
            members.insert(name.clone(), value.clone());
            true
        }
        (Value::Object(members), Step::Member(name), None) => members.shift_remove(name).is_some(),
        (Value::Array(list), Step::Thing(name), Some(value)) => put(list, name, value),
        (Value::Array(list), Step::Thing(name), None) => position(list, name).map(|at| list.remove(at)).is_some(),
        _ => false,
    };
    if done { Ok(()) } else { Err(unknown) }
}

/// What a step leads to. A list that says nothing is not written: it is made where something is to be put into it.
fn inside<'v>(place: &'v mut Value, step: &Step, make: bool) -> Option<&'v mut Value> {
    match (place, step) {
        (Value::Object(members), Step::Member(name)) => {
            if make && !members.contains_key(name) && LISTS.contains(&name.as_str()) {
                members.insert(name.clone(), Value::Array(Vec::new()));
            }
            members.get_mut(name)
        }
        (Value::Array(list), Step::Thing(name)) => position(list, name).and_then(|at| list.get_mut(at)),
        _ => None,
    }
}

/// The lists of a document that may be absent because they are empty.
const LISTS: [&str; 17] = [
    "regions",
    "regionGroups",
    "partnerTypes",
    "categories",
    "versionLists",
    "unitTables",
    "customYears",
    "metrics",
    "requirements",
    "ladders",
    "benefits",
    "grants",
    "rebateSchedules",
    "stacking",
    "mdfRules",
    "contractTemplates",
    "rows",
];

/// Where in a list a thing stands: by its name, else by its place.
fn position(list: &[Value], name: &str) -> Option<usize> {
    let by_name = names(list).and_then(|names| names.iter().position(|known| known == name));
    by_name.or_else(|| name.parse().ok().filter(|at| *at < list.len()))
}

/// Puts a value in the place of a thing, or at the end.
fn put(list: &mut Vec<Value>, name: &str, value: &Value) -> bool {
    let length = list.len();
    match position(list, name).and_then(|at| list.get_mut(at)) {
        Some(held) => *held = value.clone(),
        None if name.parse::<usize>().is_ok_and(|at| at != length) => return false,
        None => list.push(value.clone()),
    }
    true
}

fn spell(walked: &str, step: &Step) -> String {
    match step {
        Step::Member(name) => join(walked, name),
        Step::Thing(name) => format!("{walked}[{name}]"),
    }
}

/// What is said where a step leads nowhere.
fn unknown(place: &Value, step: &Step, walked: &str) -> Fault {
    let known: Vec<Cow<'_, str>> = match place {
        Value::Object(members) => members.keys().map(|name| Cow::Borrowed(name.as_str())).collect(),
        Value::Array(list) => names(list).unwrap_or_default().into_iter().map(Cow::Owned).collect(),
        _ => Vec::new(),
    };
    let (Step::Member(name) | Step::Thing(name)) = step;
    let near = nearest(name, known.iter().map(Cow::as_ref)).map(|near| format!(": did you mean `{near}`?"));
    let place = if walked.is_empty() { "the document".to_owned() } else { format!("`{walked}`") };
    Fault::new("UNKNOWN_PATH", "", format!("{place} has no `{name}`{}", near.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::diff::diff;
    use crate::document::read::{Format, read};

    const EXAMPLE: &str = include_str!("../../../../examples/programs/reseller-tiers.yaml");
    const REBATES: &str = include_str!("../../../../examples/programs/quarterly-rebates.yaml");

    fn changed(changes: &[RuleChange]) -> Result<Vec<String>, Vec<(String, String)>> {
        let before = read(EXAMPLE, Format::Yaml).unwrap();
        let after = apply_changes(&before, changes).map_err(|faults| faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect::<Vec<_>>())?;
        Ok(diff(&before, &after).unwrap().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_change_is_what_the_difference_shows() {
        let threshold = "ladders[LEVEL].tiers[SILVER].requirement.allOf[1].metric.atLeast.rows[DACH].value";
        let changes = [
            RuleChange::set("metrics[revenue].measure.window.rolling.months", 24),
            RuleChange::set(threshold, 140_000),
            RuleChange::remove("grants[trainings GOLD]"),
            RuleChange::set("benefits[forum]", json!({"key": "forum", "kind": "ACCESS"})),
        ];
        assert_eq!(
            changed(&changes).unwrap(),
            [
                "~ metrics[revenue].measure.window.rolling.months: 12 -> 24".to_owned(),
                format!("~ {threshold}: 150000 -> 140000"),
                "+ benefits[forum]: {\"key\":\"forum\",\"kind\":\"ACCESS\"}".to_owned(),
                "- grants[trainings GOLD]: {\"benefit\":\"trainings\",\"tier\":\"GOLD\",\"value\":{\"unlimited\":{}}}".to_owned(),
            ]
        );
        assert_eq!(changed(&[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn all_faults_come_at_once_with_advice() {
        let changes = [
            RuleChange::set("ladders[LEVELS].tiers[GOLD].entry", "AUTOMATIC"),
            RuleChange::set("ladders[LEVEL]tiers", 1),
            RuleChange::remove("metrics[revenue].measures"),
            RuleChange::remove("grants[99]"),
        ];
        let codes: Vec<(String, String)> = changed(&changes).unwrap_err();
        let expected = ["UNKNOWN_PATH", "INVALID_PATH", "UNKNOWN_PATH", "UNKNOWN_PATH"];
        assert_eq!(codes.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(codes[2].1, "changes[2].path");
        let rules = [RuleChange::set("ladders[LEVEL].tiers[SILVER].requirement", json!({"metric": {"metric": "sales", "atMost": 1, "least": 2}}))];
        assert_eq!(changed(&rules).unwrap_err()[0].0, "UNKNOWN_MEMBER");
    }

    #[test]
    fn a_difference_applied_gives_the_other_document() {
        let (one, other) = (read(EXAMPLE, Format::Yaml).unwrap(), read(REBATES, Format::Yaml).unwrap());
        for (before, after) in [(&one, &other), (&other, &one)] {
            let changes = RuleChange::of_difference(&diff(before, after).unwrap());
            let mut reached = to_value(before).unwrap();
            for change in &changes {
                apply(&mut reached, change).unwrap();
            }
            let rest = diff(&read_document(reached).unwrap(), after).unwrap();
            assert!(rest.iter().all(|change| change.kind == ChangeKind::Reordered), "{rest:?}");
        }
    }
}
