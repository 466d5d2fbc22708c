//! Free attributes: text, numbers, yes or no, by name.

use std::collections::BTreeMap;

use async_graphql::{InputObject, OneofObject, SimpleObject};
use guerdon_domain::facts::{AttributeValue, Attributes};
use guerdon_domain::fault::Faults;

use crate::graphql::scalars::Decimal;

/// Attributes of one object at most.
const ATTRIBUTES_MAX: usize = 50;
/// Characters of a name or a text value at most.
const CHARS_MAX: usize = 500;

/// An attribute to store.
#[derive(Debug, Clone, InputObject)]
pub struct AttributeInput {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: AttributeValueInput,
}

/// The value of an attribute: exactly one of its members.
#[derive(Debug, Clone, OneofObject)]
pub enum AttributeValueInput {
    /// Text; a date is text.
    Text(String),
    /// A number.
    Number(Decimal),
    /// Yes or no.
    Boolean(bool),
}

/// An attribute.
#[derive(Debug, Clone, SimpleObject)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value as text, if it is text.
    pub text: Option<String>,
    /// Its value as a number, if it is one.
    pub number: Option<Decimal>,
    /// Its value as yes or no, if it is that.
    pub boolean: Option<bool>,
}

/// Attributes as answered, by name.
pub fn attributes_of(attributes: &Attributes) -> Vec<Attribute> {
    let one = |(name, value): (&String, &AttributeValue)| {
        let bare = Attribute { name: name.clone(), text: None, number: None, boolean: None };
        match value {
            AttributeValue::Text(text) => Attribute { text: Some(text.clone()), ..bare },
            AttributeValue::Number(number) => Attribute { number: Some(Decimal::of(number)), ..bare },
            AttributeValue::Boolean(yes) => Attribute { boolean: Some(*yes), ..bare },
        }
    };
    attributes.iter().map(one).collect()
}

/// Reads the attributes at `path`.
pub fn read_attributes(faults: &mut Faults, path: &str, inputs: Vec<AttributeInput>) -> Attributes {
    if inputs.len() > ATTRIBUTES_MAX {
        faults.add("TOO_MANY", path, format!("at most {ATTRIBUTES_MAX} attributes are taken"));
        return BTreeMap::new();
    }
    let mut read = BTreeMap::new();
    for (at, input) in inputs.into_iter().enumerate() {
        let name_path = format!("{path}[{at}].name");
        if input.name.is_empty() || input.name.chars().count() > CHARS_MAX || input.name.chars().any(char::is_control) {
            faults.add("INVALID_TEXT", name_path.clone(), format!("a name has 1 to {CHARS_MAX} characters and no control characters"));
        }
        let value_path = format!("{path}[{at}].value");
        let value = match input.value {
            AttributeValueInput::Text(text) if text.chars().count() > CHARS_MAX || text.chars().any(char::is_control) => {
                faults.add("INVALID_TEXT", value_path, format!("a text has at most {CHARS_MAX} characters and no control characters"));
                continue;
            }
            AttributeValueInput::Text(text) => Some(AttributeValue::Text(text)),
            AttributeValueInput::Number(number) => faults.keep(&value_path, number.exact()).map(AttributeValue::Number),
            AttributeValueInput::Boolean(yes) => Some(AttributeValue::Boolean(yes)),
        };
        if let Some(value) = value
            && read.insert(input.name, value).is_some()
        {
            faults.add("DUPLICATE", name_path, "an earlier attribute has this name");
        }
    }
    read
}
