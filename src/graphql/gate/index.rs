//! What the gate knows of the schema: for every field its type, whether it is a list, and how a caller bounds it.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};

use crate::error::AppError;

/// How many rows a field may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// At most one.
    One,
    /// What `first` or `last` says.
    Page,
    /// As many as the ids or keys in its arguments.
    PerKey,
    /// A list that its object holds.
    Held,
}

/// A field of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldIndex {
    /// The name of its type, without lists.
    pub type_name: String,
    /// How many rows it may give.
    pub size: Size,
    /// Whether its type has fields of its own.
    pub is_composite: bool,
}

/// Types by name, fields by name.
#[derive(Debug, Default)]
pub struct SchemaIndex {
    fields: HashMap<String, HashMap<String, FieldIndex>>,
    /// The name of the type of queries.
    pub query: String,
    /// The name of the type of mutations.
    pub mutation: String,
}

impl SchemaIndex {
    /// Reads the schema.
    pub fn read(sdl: &str) -> Result<Self, AppError> {
        let document = parse_schema(sdl).map_err(|_| AppError::internal("the exported schema cannot be read"))?;
        let mut index = Self { query: "Query".to_owned(), mutation: "Mutation".to_owned(), ..Self::default() };
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => {
                    let fields = match definition.node.kind {
                        TypeKind::Object(object) => object.fields,
                        TypeKind::Interface(interface) => interface.fields,
                        TypeKind::Union(_) => Vec::new(),
                        _ => continue,
                    };
                    let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), described(&field.node))).collect();
                    index.fields.insert(definition.node.name.node.to_string(), fields);
                }
                TypeSystemDefinition::Schema(schema) => {
                    index.query = schema.node.query.map_or(index.query, |name| name.node.to_string());
                    index.mutation = schema.node.mutation.map_or(index.mutation, |name| name.node.to_string());
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        let composite: Vec<String> = index.fields.keys().cloned().collect();
        for field in index.fields.values_mut().flat_map(HashMap::values_mut) {
            field.is_composite = composite.contains(&field.type_name);
        }
        Ok(index)
    }

    /// The field of this name on the type of this name.
    pub fn field(&self, type_name: &str, field: &str) -> Option<&FieldIndex> {
        self.fields.get(type_name).and_then(|fields| fields.get(field))
    }
}

fn described(field: &FieldDefinition) -> FieldIndex {
    let (type_name, is_list) = named(&field.ty.node);
    let paged = field.arguments.iter().any(|argument| matches!(argument.node.name.node.as_str(), "first" | "last"));
    let keyed = is_list && field.arguments.iter().any(|argument| named(&argument.node.ty.node).1);
    // The rows of a page are already counted by the page itself.
    let counted = matches!(field.name.node.as_str(), "edges" | "nodes") && field.arguments.is_empty();
    let size = match () {
        () if paged => Size::Page,
        () if keyed => Size::PerKey,
        () if is_list && !counted => Size::Held,
        () => Size::One,
    };
    FieldIndex { type_name, size, is_composite: false }
}

fn named(ty: &Type) -> (String, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}
