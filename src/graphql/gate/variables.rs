//! Variables before execution: defaults are filled in and required ones must be there, also where only `@skip` and `@include`
//! use them.

use async_graphql::Variables;
use async_graphql::parser::types::OperationDefinition;
use async_graphql_value::ConstValue;

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
