//! The one pass over a document. A fragment is measured once and its weight is used wherever it is spread, so that the time is
//! that of the text, whatever the document would unfold to.

use std::collections::HashMap;

use async_graphql::Variables;
use async_graphql::parser::types::{Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::{ConstValue, Value};

use super::Refusal;
use super::index::{FieldIndex, SchemaIndex, Size};
use super::variables::{null_character, writes_null_character};
use crate::graphql::limits::DocumentLimits;

/// What a part of a document weighs. All counts stop at the largest number there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// Fields below each other.
    pub depth: u64,
    /// Paged lists inside of each other.
    pub list_depth: u64,
    /// Selections, fragments written out.
    pub selections: u64,
    /// Fields under another name, as written.
    pub aliases: u64,
    /// Directives, as written.
    pub directives: u64,
    /// Fields of the operation itself, fragments written out.
    pub root_fields: u64,
    /// One per object that may be made.
    pub cost: u64,
    /// Whether the schema is asked for.
    pub introspects: bool,
}

impl Weight {
    /// Side by side.
    const fn beside(self, other: Self) -> Self {
        Self {
            depth: if self.depth > other.depth { self.depth } else { other.depth },
            list_depth: if self.list_depth > other.list_depth { self.list_depth } else { other.list_depth },
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            cost: self.cost.saturating_add(other.cost),
            introspects: self.introspects || other.introspects,
        }
    }
}

/// A document may nest and chain its fragments this far; no reasonable one comes near.
const NESTING_MAX: usize = 100;
/// What a mutation costs before its answer is made: it writes.
const MUTATION_COST: u64 = 10;

/// One pass over one document.
pub struct Measure<'a> {
    index: &'a SchemaIndex,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    limits: &'a DocumentLimits,
    /// Weights of fragments; none while one is being measured.
    fragments: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Measure<'a> {
    /// Ready to measure `document`.
    pub fn new(index: &'a SchemaIndex, document: &'a ExecutableDocument, variables: &'a Variables, limits: &'a DocumentLimits) -> Self {
        Self { index, document, variables, limits, fragments: HashMap::new() }
    }

    /// The weight of an operation, fragments that it does not use included: they are validated too.
    pub fn operation(mut self, operation: &'a OperationDefinition) -> Result<Weight, Refusal> {
        let mutates = operation.ty == OperationType::Mutation;
        let root = if mutates { &self.index.mutation } else { &self.index.query };
        let mut weight = self.selection_set(&operation.selection_set.node, root, 0)?;
        for definition in &operation.variable_definitions {
            weight.directives = weight.directives.saturating_add(definition.node.directives.len() as u64);
        }
        weight.directives = weight.directives.saturating_add(operation.directives.len() as u64);
        let names: Vec<&'a Name> = self.document.fragments.keys().collect();
        for name in names {
            let fragment = self.fragment(name, 0)?;
            // Counts of what is written: each fragment once, however often it is spread.
            weight.aliases = weight.aliases.saturating_add(fragment.aliases);
            weight.directives = weight.directives.saturating_add(fragment.directives);
        }
        if mutates {
            weight.cost = weight.cost.saturating_add(weight.root_fields.saturating_mul(MUTATION_COST));
        }
        Ok(weight)
    }

    fn selection_set(&mut self, set: &'a SelectionSet, parent: &str, nesting: usize) -> Result<Weight, Refusal> {
        if nesting > NESTING_MAX {
            return Err(Refusal::new("TOO_DEEP", "The document is nested too deeply."));
        }
        let mut sum = Weight::default();
        for selection in &set.items {
            sum = sum.beside(self.selection(selection, parent, nesting)?);
        }
        Ok(sum)
    }

    fn selection(&mut self, selection: &'a Positioned<Selection>, parent: &str, nesting: usize) -> Result<Weight, Refusal> {
        let own = |directives: &[Positioned<Directive>]| Weight { selections: 1, directives: directives.len() as u64, ..Weight::default() };
        match &selection.node {
            Selection::Field(field) => Ok(own(&field.node.directives).beside(self.field(&field.node, parent, nesting)?)),
            Selection::InlineFragment(inline) => {
                let parent = inline.node.type_condition.as_ref().map_or(parent, |condition| condition.node.on.node.as_str()).to_owned();
                Ok(own(&inline.node.directives).beside(self.selection_set(&inline.node.selection_set.node, &parent, nesting + 1)?))
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let fragment = self.fragment(name, nesting + 1).map_err(|refusal| refusal.at(selection.pos))?;
                Ok(own(&spread.node.directives).beside(Weight { aliases: 0, directives: 0, ..fragment }))
            }
        }
    }

    fn fragment(&mut self, name: &Name, nesting: usize) -> Result<Weight, Refusal> {
        if let Some(known) = self.fragments.get(name.as_str()) {
            return known.ok_or_else(|| Refusal::new("FRAGMENT_CYCLE", format!("The fragment `{name}` spreads itself.")));
        }
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Err(Refusal::new("UNKNOWN_FRAGMENT", format!("There is no fragment `{name}`.")));
        };
        self.fragments.insert(name.as_str(), None);
        let parent = fragment.node.type_condition.node.on.node.as_str();
        let mut weight = self.selection_set(&fragment.node.selection_set.node, parent, nesting)?;
        weight.directives = weight.directives.saturating_add(fragment.node.directives.len() as u64);
        self.fragments.insert(name.as_str(), Some(weight));
        Ok(weight)
    }

    fn field(&mut self, field: &'a Field, parent: &str, nesting: usize) -> Result<Weight, Refusal> {
        let name = field.name.node.as_str();
        if let Some((argument, value)) = field.arguments.iter().find(|(_, value)| writes_null_character(&value.node)) {
            return Err(null_character(&format!("argument `{}`", argument.node)).at(value.pos));
        }
        let known = self.index.field(parent, name).cloned();
        let child_type = known.as_ref().map_or("", |known| known.type_name.as_str());
        let child = self.selection_set(&field.selection_set.node, child_type, nesting + 1)?;
        let size = known.as_ref().map_or(1, |known| self.size(known, field));
        let paged = known.as_ref().is_some_and(|known| matches!(known.size, Size::Page | Size::PerKey));
        let own_cost = u64::from(known.is_some_and(|known| known.is_composite));
        Ok(Weight {
            depth: child.depth.saturating_add(1),
            list_depth: child.list_depth.saturating_add(paged.into()),
            root_fields: u64::from(parent == self.index.query || parent == self.index.mutation),
            aliases: child.aliases.saturating_add(field.alias.is_some().into()),
            cost: own_cost.saturating_add(child.cost).saturating_mul(size),
            introspects: child.introspects || matches!(name, "__schema" | "__type"),
            ..child
        })
    }

    /// How many rows a field may give.
    fn size(&self, known: &FieldIndex, field: &Field) -> u64 {
        match known.size {
            Size::One => 1,
            Size::Held => self.limits.list_size_assumed,
            Size::Page => {
                let asked = ["first", "last"].iter().find_map(|name| field.get_argument(name).and_then(|value| self.number(&value.node)));
                asked.unwrap_or(self.limits.page_size_default)
            }
            Size::PerKey => {
                let lengths = field.arguments.iter().filter_map(|(_, value)| self.length(&value.node));
                lengths.max().unwrap_or(self.limits.list_size_assumed)
            }
        }
    }

    fn number(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Number(number) => number.as_u64(),
            Value::Variable(name) => match self.variables.get(name) {
                Some(ConstValue::Number(number)) => number.as_u64(),
                _ => None,
            },
            _ => None,
        }
    }

    fn length(&self, value: &Value) -> Option<u64> {
        match value {
            Value::List(members) => Some(members.len() as u64),
            Value::Variable(name) => match self.variables.get(name) {
                Some(ConstValue::List(members)) => Some(members.len() as u64),
                _ => None,
            },
            _ => None,
        }
    }
}
