//! The shape of an input, checked whole: every unknown member, missing member and wrong value is found in one pass.
//!
//! Reading with serde stops at the first fault. So the JSON Schema of a type, which is derived from the same Rust types,
//! is compiled once into a small graph, and a value is walked along it. What remains for serde is to build the value.

mod mend;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::date::Date;
use crate::document::requirement::Threshold;
use crate::document::scenario::FigureText;
use crate::document::scoped::Scalar;
use crate::fault::{Faults, join};
use crate::money::{Currency, DecimalText, Number, Rate};

pub use mend::Mended;

/// More faults than these are not listed.
pub const MAX_FAULTS: usize = 500;

/// What the values of a type look like.
#[derive(Debug)]
pub struct Shape {
    nodes: Vec<Node>,
    root: usize,
}

/// A member of an object.
#[derive(Debug)]
struct Member {
    shape: usize,
    required: bool,
    description: String,
    default: Option<Value>,
}

/// One kind of value.
#[derive(Debug)]
enum Node {
    /// An object with exactly these members.
    Object(BTreeMap<String, Member>),
    /// An object with keys of the writer's choice.
    Keyed { key: Option<&'static Leaf>, value: usize },
    /// A list.
    List(usize),
    /// An object with exactly one of these members.
    OneOf(BTreeMap<String, usize>),
    /// One of these words.
    Word(Vec<String>),
    /// The value, or null.
    Nullable(usize),
    /// A bare value, or an object.
    BareOr { bare: usize, long: usize },
    /// A value with its own way of being written.
    Leaf(&'static Leaf),
    /// Text.
    Text,
    /// A whole number that is not negative.
    Whole,
    /// True or false.
    Boolean,
    /// Anything.
    Anything,
}

/// A value with its own way of being written.
#[derive(Debug)]
struct Leaf {
    name: &'static str,
    expected: &'static str,
    check: fn(&Value) -> Option<String>,
    numeric: bool,
}

fn refusal<T: for<'de> Deserialize<'de>>(value: &Value) -> Option<String> {
    T::deserialize(value).err().map(|error| error.to_string())
}

const LEAVES: [Leaf; 8] = [
    Leaf { name: "Date", expected: "a date such as 2026-01-31", check: refusal::<Date>, numeric: false },
    Leaf { name: "Currency", expected: "a currency code such as USD", check: refusal::<Currency>, numeric: false },
    Leaf { name: "Number", expected: "a number such as 1000, 0.05 or \"1000.50\"", check: refusal::<Number>, numeric: true },
    Leaf { name: "Rate", expected: "a fraction such as 0.05, or a percentage such as \"5 %\"", check: refusal::<Rate>, numeric: true },
    Leaf { name: "Threshold", expected: "a number such as 1000, or a percentage such as \"15 %\"", check: refusal::<Threshold>, numeric: true },
    Leaf {
        name: "DecimalText",
        expected: "a decimal in quotes such as \"1234.50\" (a whole number may stand without quotes)",
        check: refusal::<DecimalText>,
        numeric: true,
    },
    Leaf {
        name: "FigureText",
        expected: "a decimal in quotes such as \"1234.50\", or a fraction such as \"1/3\"",
        check: refusal::<FigureText>,
        numeric: true,
    },
    Leaf { name: "Scalar", expected: "text, a number, true or false", check: refusal::<Scalar>, numeric: false },
];

/// Compiles a JSON Schema.
struct Compiler<'s> {
    definitions: Option<&'s Map<String, Value>>,
    nodes: Vec<Node>,
    known: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn compile(&mut self, schema: &Value) -> usize {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
            return self.definition(name);
        }
        let node = self.node(schema);
        self.push(node)
    }

    fn definition(&mut self, name: &str) -> usize {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let at = self.push(Node::Anything);
        self.known.insert(name.to_owned(), at);
        let leaf = LEAVES.iter().find(|leaf| leaf.name == name);
        let node = match (leaf, self.definitions.and_then(|all| all.get(name))) {
            (Some(leaf), _) => Node::Leaf(leaf),
            (None, Some(schema)) => self.node(schema),
            (None, None) => Node::Anything,
        };
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
        at
    }

    fn node(&mut self, schema: &Value) -> Node {
        let list = |name: &str| schema.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if let [first, second] = list("anyOf") {
            return match (is_null(first), is_null(second)) {
                (false, true) => Node::Nullable(self.compile(first)),
                _ => Node::BareOr { bare: self.compile(first), long: self.compile(second) },
            };
        }
        if !list("oneOf").is_empty() {
            return self.one_of(list("oneOf"));
        }
        if !list("enum").is_empty() {
            return Node::Word(list("enum").iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.typed(kind, schema),
            Some(Value::Array(kinds)) => {
                let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default();
                let inner = self.typed(kind, schema);
                if kinds.iter().any(|kind| kind == "null") { Node::Nullable(self.push(inner)) } else { inner }
            }
            _ => Node::Anything,
        }
    }

    fn one_of(&mut self, options: &[Value]) -> Node {
        let words = options.iter().flat_map(|option| option.get("const").into_iter().chain(option.get("enum").and_then(Value::as_array).into_iter().flatten()));
        let words: Vec<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
        let mut members = BTreeMap::new();
        for option in options {
            for (name, schema) in option.get("properties").and_then(Value::as_object).into_iter().flatten() {
                members.insert(name.clone(), self.compile(schema));
            }
        }
        match (words.is_empty(), members.is_empty()) {
            (true, _) => Node::OneOf(members),
            (false, true) => Node::Word(words),
            // A basis is `amount`, or `{attribute: NAME}`.
            (false, false) => Node::BareOr { bare: self.push(Node::Word(words)), long: self.push(Node::OneOf(members)) },
        }
    }

    fn typed(&mut self, kind: &str, schema: &Value) -> Node {
        match kind {
            "object" => self.object(schema),
            "array" => schema.get("items").map_or(Node::Anything, |items| Node::List(self.compile(items))),
            "string" => Node::Text,
            "integer" => Node::Whole,
            "boolean" => Node::Boolean,
            _ => Node::Anything,
        }
    }

    fn object(&mut self, schema: &Value) -> Node {
        if let Some(patterns) = schema.get("patternProperties").and_then(Value::as_object)
            && let Some(value) = patterns.values().next()
        {
            let key = LEAVES.iter().find(|leaf| leaf.name == "Currency");
            return Node::Keyed { key, value: self.compile(value) };
        }
        if let Some(value @ Value::Object(_)) = schema.get("additionalProperties") {
            return Node::Keyed { key: None, value: self.compile(value) };
        }
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut members = BTreeMap::new();
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let description = member.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            let required = required.iter().any(|required| required == name);
            let default = member.get("default").cloned();
            members.insert(name.clone(), Member { shape: self.compile(member), required, description, default });
        }
        Node::Object(members)
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

impl Shape {
    /// The shape of a type, from its JSON Schema.
    pub fn of<T: JsonSchema>() -> Self {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
        let mut compiler = Compiler { definitions: schema.get("$defs").and_then(Value::as_object), nodes: Vec::new(), known: BTreeMap::new() };
        let root = compiler.compile(&schema);
        Self { nodes: compiler.nodes, root }
    }

    /// Every way in which `value` does not have this shape, with paths that start at `path`.
    pub fn check(&self, value: &Value, path: &str) -> Faults {
        let mut walk = Walk { shape: self, faults: Faults::new() };
        walk.visit(self.root, value, path);
        let more = walk.faults.0.len().saturating_sub(MAX_FAULTS);
        walk.faults.0.truncate(MAX_FAULTS);
        if more > 0 {
            walk.faults.add("TOO_MANY_FAULTS", path, format!("and {more} more faults: mend these first"));
        }
        walk.faults
    }

    /// Builds a `T`, or names every fault of its shape.
    pub fn read<T: DeserializeOwned>(&self, value: Value, path: &str) -> Result<T, Faults> {
        self.check(&value, path).or(())?;
        Self::build(value, path)
    }

    /// Builds a `T` of a value that has this shape.
    pub(crate) fn build<T: DeserializeOwned>(value: Value, path: &str) -> Result<T, Faults> {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let mut faults = Faults::new();
            let inner = error.path().to_string();
            faults.add("INVALID_VALUE", join(path, if inner == "." { "" } else { &inner }), error.inner().to_string());
            faults
        })
    }
}

impl Shape {
    /// Takes out of a value what says nothing: members that are null or as they are by default. Whole numbers lose their quotes.
    pub fn tidy(&self, value: &mut Value) {
        self.tidy_node(self.root, value);
    }

    fn tidy_node(&self, at: usize, value: &mut Value) {
        match (self.nodes.get(at), value) {
            (Some(Node::Object(members)), Value::Object(object)) => {
                object.retain(|name, value| {
                    let says_nothing = |member: &Member| !member.required && (value.is_null() || member.default.as_ref() == Some(&*value));
                    !members.get(name).is_some_and(says_nothing)
                });
                for (name, value) in object.iter_mut() {
                    if let Some(member) = members.get(name) {
                        self.tidy_node(member.shape, value);
                    }
                }
            }
            (Some(Node::OneOf(members)), Value::Object(object)) => {
                for (name, value) in object.iter_mut() {
                    if let Some(inner) = members.get(name) {
                        self.tidy_node(*inner, value);
                    }
                }
            }
            (Some(Node::Keyed { value: inner, .. }), Value::Object(object)) => object.values_mut().for_each(|value| self.tidy_node(*inner, value)),
            (Some(Node::List(inner)), Value::Array(list)) => list.iter_mut().for_each(|value| self.tidy_node(*inner, value)),
            (Some(Node::Nullable(inner)), value) => self.tidy_node(*inner, value),
            (Some(Node::BareOr { bare, long }), value) => self.tidy_node(if value.is_object() { *long } else { *bare }, value),
            (Some(Node::Leaf(leaf)), value @ Value::String(_)) if leaf.numeric => {
                let whole = value.as_str().filter(|text| text.len() <= 15).and_then(|text| text.parse::<i64>().ok());
                if let Some(whole) = whole.filter(|whole| value.as_str() == Some(whole.to_string().as_str())) {
                    *value = whole.into();
                }
            }
            _ => {}
        }
    }
}

/// A walk along a value.
struct Walk<'s> {
    shape: &'s Shape,
    faults: Faults,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize, value: &Value, path: &str) {
        let Some(node) = self.shape.nodes.get(at) else { return };
        match (node, value) {
            (Node::Anything, _) | (Node::Nullable(_), Value::Null) | (Node::Text, Value::String(_)) | (Node::Boolean, Value::Bool(_)) => {}
            (Node::Nullable(inner), _) => self.visit(*inner, value, path),
            (Node::BareOr { bare, long }, _) => self.visit(if value.is_object() { *long } else { *bare }, value, path),
            (Node::Object(members), Value::Object(object)) => self.object(members, object, path),
            (Node::Keyed { key, value: inner }, Value::Object(object)) => self.keyed(*key, *inner, object, path),
            (Node::List(inner), Value::Array(list)) => {
                for (index, element) in list.iter().enumerate() {
                    self.visit(*inner, element, &format!("{path}[{index}]"));
                }
            }
            (Node::OneOf(members), Value::Object(object)) => self.one_of(members, object, path),
            (Node::Word(words), Value::String(word)) if words.contains(word) => {}
            (Node::Word(words), Value::String(word)) => {
                let message = format!("{} is none of the values: {}", quoted(word), said(word, words.iter()));
                self.faults.add("UNKNOWN_VALUE", path, message);
            }
            (Node::Whole, Value::Number(number)) if number.as_u64().is_some_and(|whole| u32::try_from(whole).is_ok()) => {}
            (Node::Leaf(leaf), _) => self.leaf(leaf, value, path),
            _ => self.wrong(node, value, path),
        }
    }

    fn object(&mut self, members: &BTreeMap<String, Member>, object: &Map<String, Value>, path: &str) {
        for (name, value) in object {
            match members.get(name) {
                Some(member) => self.visit(member.shape, value, &step(path, name)),
                None => self.unknown(members.keys(), name, path),
            }
        }
        for (name, member) in members.iter().filter(|(name, member)| member.required && !object.contains_key(*name)) {
            self.faults.add("MISSING_MEMBER", step(path, name), format!("`{name}` is missing; it is {}", begun(&member.description)));
        }
    }

    fn unknown<'n>(&mut self, known: impl Iterator<Item = &'n String>, name: &str, path: &str) {
        if self.faults.0.len() > MAX_FAULTS {
            return self.faults.add("UNKNOWN_MEMBER", path, "");
        }
        let known: Vec<&String> = known.collect();
        let advice = if known.is_empty() { "write `{}` here".to_owned() } else { said(name, known.into_iter()) };
        self.faults.add("UNKNOWN_MEMBER", step(path, name), format!("there is no member {} here: {advice}", quoted(name)));
    }

    fn keyed(&mut self, key: Option<&Leaf>, inner: usize, object: &Map<String, Value>, path: &str) {
        for (name, value) in object {
            let path = step(path, name);
            if let Some(reason) = key.and_then(|leaf| (leaf.check)(&Value::String(name.clone()))) {
                self.faults.add("INVALID_VALUE", &path, format!("the key {} is {reason}", quoted(name)));
            }
            self.visit(inner, value, &path);
        }
    }

    fn one_of(&mut self, members: &BTreeMap<String, usize>, object: &Map<String, Value>, path: &str) {
        for (name, value) in object {
            match members.get(name) {
                Some(inner) => self.visit(*inner, value, &step(path, name)),
                None => self.unknown(members.keys(), name, path),
            }
        }
        if object.len() != 1 {
            let found = if object.is_empty() { "none".to_owned() } else { object.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") };
            let message = format!("write exactly one of {}; found {found}", listed(members.keys()));
            self.faults.add("NOT_EXACTLY_ONE", path, message);
        }
    }

    fn leaf(&mut self, leaf: &Leaf, value: &Value, path: &str) {
        let Some(reason) = (leaf.check)(value) else { return };
        if reason.starts_with("invalid type") {
            self.faults.add("WRONG_TYPE", path, format!("found {}, expected {}", described(value), leaf.expected));
        } else {
            self.faults.add("INVALID_VALUE", path, misread(value, &reason));
        }
    }

    fn wrong(&mut self, node: &Node, value: &Value, path: &str) {
        let expected = match node {
            Node::Object(members) if members.is_empty() => "`{}`".to_owned(),
            Node::Object(members) => format!("an object with the members {}{}", listed(members.keys()), self.as_member(members, value, path)),
            Node::Keyed { .. } => "an object".to_owned(),
            Node::List(_) if value.is_null() => "a list: leave the member out if there is nothing to list".to_owned(),
            Node::List(_) => "a list".to_owned(),
            Node::OneOf(members) => match value.as_str().filter(|word| members.contains_key(*word)) {
                Some(word) => format!("an object: write `{{{word}: ...}}`, or `{{{word}: {{}}}}` where it has no members of its own"),
                None => format!("an object with exactly one of {}{}", listed(members.keys()), self.as_choice(members, value)),
            },
            Node::Word(words) => format!("one of {}", listed(words.iter())),
            Node::Text if value.is_number() || value.is_boolean() => "text: put it in quotes".to_owned(),
            Node::Text => "text".to_owned(),
            Node::Whole => "a whole number that is not negative".to_owned(),
            Node::Boolean => "true or false".to_owned(),
            Node::Nullable(_) | Node::BareOr { .. } | Node::Leaf(_) | Node::Anything => "something else".to_owned(),
        };
        self.faults.add("WRONG_TYPE", path, format!("found {}, expected {expected}", described(value)));
    }
}

impl Walk<'_> {
    /// How a key is written where a choice between shapes is asked for: by the only one of them that is a key.
    fn as_choice(&self, members: &BTreeMap<String, usize>, value: &Value) -> String {
        let mut keys = members.iter().filter(|(_, shape)| self.is_text(**shape)).map(|(name, _)| name);
        match (written_key(value), keys.next(), keys.next()) {
            (Some(key), Some(name), None) => format!(": a key is written `{{{name}: {key}}}`"),
            _ => String::new(),
        }
    }

    /// How a key is written where an object is asked for that holds it in a member of its own name.
    fn as_member(&self, members: &BTreeMap<String, Member>, value: &Value, path: &str) -> String {
        let name = path.rsplit('.').next().unwrap_or_default();
        match (written_key(value), members.get(name)) {
            (Some(key), Some(member)) if self.is_text(member.shape) => format!(": a key is written `{{{name}: {key}, ...}}`"),
            _ => String::new(),
        }
    }

    fn is_text(&self, shape: usize) -> bool {
        match self.shape.nodes.get(shape) {
            Some(Node::Text) => true,
            Some(Node::Nullable(inner)) => self.is_text(*inner),
            _ => false,
        }
    }
}

/// Text that may be a key.
fn written_key(value: &Value) -> Option<&str> {
    let is_key =
        |text: &&str| !text.is_empty() && text.len() <= LONGEST_SLIP && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
    value.as_str().filter(is_key)
}

/// The path of a member.
fn step(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.len() <= LONGEST_SLIP && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if plain { join(path, name) } else { format!("{path}[{}]", quoted(name)) }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{:?}", if short.len() < text.len() { format!("{short}...") } else { short })
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// What a value is not, from the reason why it was not read.
fn misread(value: &Value, reason: &str) -> String {
    let reason = reason.trim_start_matches("the ");
    let says_what = ["not ", "too ", "no "].iter().any(|begin| reason.starts_with(begin));
    if says_what { format!("{} is {reason}", described(value)) } else { format!("{} cannot be read: {reason}", described(value)) }
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// "did you mean", or all that there is.
fn said<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let known: Vec<&String> = known.collect();
    match nearest(name, known.iter().map(|known| known.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", listed(known.into_iter())),
    }
}

/// What is longer than this is no slip of anything.
const LONGEST_SLIP: usize = 80;

/// The name of `known` that `name` is probably a slip of.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > LONGEST_SLIP {
        return None;
    }
    let folded = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = folded(name);
    let close = known.map(|known| (strsim::osa_distance(&wanted, &folded(known)), known)).min();
    close.filter(|(distance, known)| *distance <= 2 && *distance * 2 <= known.len()).map(|(_, known)| known)
}

/// A description as the continuation of a sentence.
fn begun(description: &str) -> String {
    let first = description.split(". ").next().unwrap_or_default();
    // An open list stays one.
    let first = if first.ends_with("...") { first } else { first.trim_end_matches('.') };
    let mut letters = first.chars();
    letters.next().map_or_else(|| "required".to_owned(), |letter| letter.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
impl Shape {
    /// How many places let anything through.
    pub(crate) fn unknown_kinds(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Anything)).count()
    }
}
