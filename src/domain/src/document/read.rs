//! Text to document: YAML or JSON, with every fault of the syntax or the shape.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::NonFiniteFloatPolicy;

use super::Document;
use super::shape::{Mended, Shape};
use super::validate::Unread;
use crate::fault::{Fault, Faults};

/// A document may be this large: a program with some thousand scenarios.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;
/// Objects and lists may be nested this deep; requirement trees have a limit of their own.
pub const MAX_DEPTH: usize = 96;
/// Values in one document.
const MAX_NODES: usize = 1_000_000;
/// YAML aliases in one document, and what they may unfold to.
const MAX_ALIASES: usize = 1_000;
const MAX_ALIAS_EVENTS: usize = 100_000;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2; `NO` is text, `1_000` is not a number, duplicate keys are refused.
    Yaml,
    /// JSON; duplicate keys are refused.
    Json,
}

impl Format {
    /// What a text looks like: JSON starts with `{`.
    pub fn of(text: &str) -> Self {
        if text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{') { Self::Json } else { Self::Yaml }
    }
}

/// The shape of a document.
pub(crate) static DOCUMENT: LazyLock<Shape> = LazyLock::new(Shape::of::<Document>);

/// Reads a document. Faults of the syntax carry line and column as their path; otherwise all faults are found at once. What a
/// well-formed document must also satisfy is asked by [`super::validate::validate`].
pub fn read(text: &str, format: Format) -> Result<Document, Faults> {
    read_document(read_value(text, format)?)
}

/// The document of a value that was read before. Where its shape has faults, it is mended for the sake of judging the rest, so
/// that the faults of the rules come along.
pub fn read_document(mut value: Value) -> Result<Document, Faults> {
    let mut faults = DOCUMENT.check(&value, "");
    if faults.is_empty() {
        return DOCUMENT.read(value, "");
    }
    let mended = DOCUMENT.mend(&mut value);
    if let Ok(document) = serde_json::from_value::<Document>(value) {
        let echo = |fault: &Fault| mended.covers(&fault.path) || echoes(fault, &mended, &document);
        let keys_of = |mended: &dyn Fn(&str) -> bool| {
            let all = document.metrics.iter().enumerate().filter(|(at, _)| mended(&format!("metrics[{at}]")));
            all.map(|(_, metric)| metric.key.clone()).collect()
        };
        let unread = Unread { units: keys_of(&|metric| mended.covers(&format!("{metric}.unit"))), metrics: keys_of(&|metric| mended.is_within(metric)) };
        faults.0.extend(super::validate::validate_read(&document, unread).0.into_iter().filter(|fault| !echo(fault)));
    }
    Err(faults)
}

/// Whether a fault of the rules only follows from what was mended: a name that was lost with it, or a unit, what it is the unit of, a
/// window, a cadence or a main ladder that could not be read.
fn echoes(fault: &Fault, mended: &Mended, document: &Document) -> bool {
    const LISTS: [(&str, &str); 7] = [
        ("regions", "region"),
        ("partnerTypes", "partner type"),
        ("categories", "category"),
        ("metrics", "metric"),
        ("ladders", "ladder"),
        ("benefits", "benefit"),
        ("rebateSchedules", "schedule"),
    ];
    let lost_name = mended.lost_keys.iter().any(|key| fault.message.contains(&format!("`{key}`")));
    let lost_list = |(list, noun): &(&str, &str)| mended.paths.iter().any(|path| path == list) && fault.message.contains(&format!("no {noun} `"));
    let unreadable = |member: &str| mended.paths.iter().any(|path| path.ends_with(member));
    match fault.code.as_str() {
        _ if lost_name || is_of_mended_scenario(fault, mended) => true,
        "UNKNOWN_KEY" => LISTS.iter().any(lost_list),
        "UNIT_MISMATCH" => is_beside_mended(fault, mended),
        "NEVER_MET" => is_beside_mended(fault, mended) || fault.path.split_once(".allOf[").is_some_and(|(all, _)| mended.is_within(all)),
        "WINDOW_MISFIT" => is_of_mended_window(fault, mended, document),
        "NO_MAIN_LADDER" => unreadable(".main") || unreadable("ladders"),
        "OUT_OF_PLACE" => unreadable(".scope"),
        "EMPTY" => mended.is_within(&fault.path),
        _ => false,
    }
}

/// Whether what a figure is held against, or what a unit is the unit of, could not be read: it stands in the same object, or it is what
/// picks the bands of the same schedule.
fn is_beside_mended(fault: &Fault, mended: &Mended) -> bool {
    let path = fault.path.as_str();
    let beside = match path.rfind(".metric.") {
        Some(at) => path.get(..at + ".metric".len()),
        None => path.rsplit_once('.').map(|(object, _)| object),
    };
    let schedule = path.split_once("].method.").map(|(schedule, _)| schedule);
    let measured = schedule.into_iter().flat_map(|schedule| ["qualifier", "basis"].map(|member| format!("{schedule}].{member}")));
    beside.is_some_and(|object| mended.is_within(object)) || measured.into_iter().any(|measured| mended.is_within(&measured))
}

/// Whether a fault of a scenario follows from what could not be read: beside it, of the names and facts that it refers to, or of what
/// the program says of them.
fn is_of_mended_scenario(fault: &Fault, mended: &Mended) -> bool {
    let Some((scenario, _)) = fault.path.strip_prefix("scenarios[").and_then(|rest| rest.split_once(']')) else { return false };
    let facts = format!("scenarios[{scenario}].facts");
    let beside = fault.path.rsplit_once('.').is_some_and(|(object, _)| object.contains('.') && mended.is_within(object));
    let lost = |list: &str| mended.paths.iter().any(|path| path.starts_with(list));
    match fault.code.as_str() {
        _ if beside => true,
        "TOO_MANY_DECIMALS" => mended.covers("program.currency"),
        "UNKNOWN_PERIOD" => lost("program") || lost("rebateSchedules"),
        code if code.starts_with("UNKNOWN") => {
            let names_fact = fault.path.starts_with(&facts) || fault.message.contains("partner `");
            (names_fact && mended.is_within(&facts)) || (lost("ladders") && fault.message.contains("tier `"))
        }
        "MISSING_MEMBER" | "OUT_OF_PLACE" => lost("ladders"),
        _ => false,
    }
}

/// Whether a window that does not fit its reviews, or the reviews themselves, could not be read: of the tier and its ladder, of a
/// requirement that the program shares, or of the metric that the fault names.
fn is_of_mended_window(fault: &Fault, mended: &Mended, document: &Document) -> bool {
    let (ladder, _) = fault.path.split_once(".tiers").unwrap_or((&fault.path, ""));
    let (tier, _) = fault.path.rsplit_once('.').unwrap_or((&fault.path, ""));
    let named = |key: &str| fault.message.starts_with(&format!("metric {key} "));
    let metric = document.metrics.iter().position(|metric| named(&metric.key)).map(|at| format!("metrics[{at}]"));
    let own = [Some(tier.to_owned()), Some(format!("{ladder}.review")), Some("requirements".to_owned()), Some("program.fiscalYearStart".to_owned()), metric];
    own.into_iter().flatten().any(|place| mended.is_within(&place))
}

/// Reads text to a plain value, within the limits, without duplicate keys.
pub fn read_value(text: &str, format: Format) -> Result<Value, Fault> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(Fault::new("TOO_LARGE", "", format!("the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are read", text.len())));
    }
    match format {
        Format::Json => read_json(text),
        Format::Yaml => read_yaml(text),
    }
}

/// Reads JSON to a plain value, without a limit on its size: nesting is limited, and a key that stands twice is refused.
///
/// # Errors
/// `SYNTAX`, with line and column as its path.
pub fn read_json(text: &str) -> Result<Value, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let value = Strict { depth: 0 }.deserialize(&mut deserializer);
    let read = value.and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| {
        let path = format!("line {}, column {}", error.line(), error.column());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Fault::new("SYNTAX", path, format!("this is not JSON that can be read: {message}"))
    })
}

fn read_yaml(text: &str) -> Result<Value, Fault> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 3,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_ALIAS_EVENTS },
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
    };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| Strict { depth: 0 }.deserialize(deserializer));
    read.map_err(|error| {
        let path = error.location().map(|place| format!("line {}, column {}", place.line(), place.column())).unwrap_or_default();
        let message = error.without_snippet().to_string();
        let message = in_our_words(message.split(" at line ").next().unwrap_or_default());
        Fault::new("SYNTAX", path, format!("this is not YAML that can be read: {message}"))
    })
}

/// What the reader of YAML says of our limits, said so that the writer of a document knows what to do.
fn in_our_words(message: &str) -> String {
    let about = |words: &str| message.contains(words);
    if let Some(name) = message.strip_prefix("duplicate mapping key: ") {
        let name = name.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        return format!("the key `{name}` stands twice in one object: leave one out");
    }
    match () {
        () if about("recursion limit") || about("Depth") => format!("objects and lists may be nested {MAX_DEPTH} deep"),
        () if about("Documents") => "a file holds one document: put the others into files of their own".to_owned(),
        () if about("alias replay") || about("Aliases") || about("Anchors") => {
            format!("its aliases (`*name`) unfold to too much: write out what they stand for ({MAX_ALIASES} aliases are read)")
        }
        () if about("recursive references") => "an anchor (`&name`) holds its own alias: write out what it stands for".to_owned(),
        () if about("found a tab") => format!("{message}: indent with blanks"),
        () if ["while parsing", "while scanning", "expected", "unclosed", "illegal"].iter().any(|words| about(words)) => {
            format!("{message}: look at the indentation, quotes and brackets here and in the lines before")
        }
        () if about("budget breached") => format!("it has more than {MAX_NODES} values: split it"),
        () => message.to_owned(),
    }
}

/// Builds a value; refuses duplicate keys and too deep nesting.
#[derive(Clone, Copy)]
pub(crate) struct Strict {
    pub(crate) depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!("objects and lists may be nested {MAX_DEPTH} deep")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("this is not a number that can be kept"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Self { depth: self.depth + 1 })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the key `{name}` stands twice in one object")));
            }
            let value = members.next_value_seed(Self { depth: self.depth + 1 })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
