//! Variables before execution: defaults are filled in and required ones must be there, also where only `@skip` and `@include`
//! use them; and no text that is sent holds what PostgreSQL keeps in none.

use async_graphql::Variables;
use async_graphql::parser::types::OperationDefinition;
use async_graphql_value::{ConstValue, Value};

use super::Refusal;

/// Fills in the defaults that `operation` declares; refuses when a required variable is missing or null.
pub fn complete(operation: &OperationDefinition, variables: &mut Variables) -> Result<(), Vec<Refusal>> {
    let mut missing = Vec::new();
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let name = &definition.name.node;
        match variables.get(name) {
            None => match &definition.default_value {
                Some(default) => {
                    variables.insert(name.clone(), default.node.clone());
                }
                None if !definition.var_type.node.nullable => missing.push((name, definition.name.pos)),
                None => {}
            },
            Some(ConstValue::Null) if !definition.var_type.node.nullable => missing.push((name, definition.name.pos)),
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(missing
        .into_iter()
        .map(|(name, at)| Refusal::new("MISSING_VARIABLE", format!("The variable `{name}` is required: send a value for it.")).at(at))
        .collect())
}

/// Refuses a text with the character U+0000 in a variable: PostgreSQL has no such text, so that on no database anybody is asked about one.
pub fn check_texts(variables: &Variables) -> Result<(), Refusal> {
    match variables.iter().find(|(_, value)| sends_null_character(value)) {
        Some((name, _)) => Err(null_character(&format!("variable `{name}`"))),
        None => Ok(()),
    }
}

/// The refusal of a text with that character.
pub fn null_character(what: &str) -> Refusal {
    Refusal::new("INVALID_TEXT", format!("The {what} holds the character U+0000, which is in no text: send it without."))
}

fn sends_null_character(value: &ConstValue) -> bool {
    match value {
        ConstValue::String(text) => text.contains('\0'),
        ConstValue::List(members) => members.iter().any(sends_null_character),
        ConstValue::Object(members) => members.values().any(sends_null_character),
        _ => false,
    }
}

/// Whether a value that is written in the document holds such a text; variables in it are looked at by themselves.
pub fn writes_null_character(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(members) => members.iter().any(writes_null_character),
        Value::Object(members) => members.values().any(writes_null_character),
        _ => false,
    }
}
