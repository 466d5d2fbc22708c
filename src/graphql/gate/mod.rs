//! The gate that a document passes before anything is executed: counted, parsed once, measured in one pass in which every
//! fragment is looked at once however often it is spread, and refused with a code when it is too much.

mod index;
mod measure;
mod tokens;
mod variables;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::parser::{Error as ParseError, parse_query};
use async_graphql::{Pos, Positioned, Request, Variables};

use self::index::SchemaIndex;
use self::measure::{Measure, Weight};
use super::limits::DocumentLimits;

/// Why a document was not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, in capitals.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub location: Option<Pos>,
    /// The limit that was hit and what the document has, where that is the reason.
    pub limit: Option<(u64, u64)>,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), location: None, limit: None }
    }

    fn at(self, location: Pos) -> Self {
        Self { location: Some(location), ..self }
    }

    fn over(code: &'static str, what: &str, limit: u64, actual: u64) -> Self {
        Self { limit: Some((limit, actual)), ..Self::new(code, format!("The document has {actual} {what}, and at most {limit} are allowed.")) }
    }
}

/// A document that passed.
pub struct Admitted {
    /// Ready to be executed; it is not parsed again.
    pub request: Request,
    /// Whether it changes anything.
    pub is_mutation: bool,
    /// The name of its operation.
    pub operation: Option<String>,
    /// Its cost.
    pub cost: u64,
}

/// The gate of one schema.
pub struct Gate {
    index: SchemaIndex,
    limits: DocumentLimits,
}

/// What was sent.
pub struct Sent {
    /// The document.
    pub query: String,
    /// The operation to execute.
    pub operation: Option<String>,
    /// Values of its variables.
    pub variables: Variables,
}

impl Gate {
    /// The gate of the schema with this text.
    pub fn new(sdl: &str, limits: DocumentLimits) -> Result<Self, crate::error::AppError> {
        Ok(Self { index: SchemaIndex::read(sdl)?, limits })
    }

    /// The bounds that it holds documents to.
    pub const fn limits(&self) -> &DocumentLimits {
        &self.limits
    }

    /// Measures a document. All limits that it breaks are reported at once.
    pub fn admit(&self, sent: Sent, may_introspect: bool) -> Result<Admitted, Vec<Refusal>> {
        let tokens = tokens::count(&sent.query, self.limits.tokens_max);
        if tokens > self.limits.tokens_max {
            let limit = self.limits.tokens_max as u64;
            return Err(vec![Refusal {
                limit: Some((limit, tokens as u64)),
                ..Refusal::new("TOO_MANY_TOKENS", format!("The document has more than {limit} tokens."))
            }]);
        }
        let document = parse_query(&sent.query).map_err(|error| vec![unparsable(&error)])?;
        let (name, operation) = chosen(&document, sent.operation.as_deref())?;
        let mut variables = sent.variables;
        variables::complete(&operation.node, &mut variables)?;
        variables::check_texts(&variables).map_err(|refusal| vec![refusal])?;
        let weight = Measure::new(&self.index, &document, &variables, &self.limits).operation(&operation.node).map_err(|refusal| vec![refusal])?;
        let is_mutation = operation.node.ty == OperationType::Mutation;
        let refusals = self.judge(&weight, is_mutation, may_introspect);
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let mut request = Request::new(sent.query).variables(variables);
        if let Some(name) = &sent.operation {
            request = request.operation_name(name.clone());
        }
        request.set_parsed_query(document);
        Ok(Admitted { request, is_mutation, operation: name, cost: weight.cost })
    }

    fn judge(&self, weight: &Weight, is_mutation: bool, may_introspect: bool) -> Vec<Refusal> {
        let limits = &self.limits;
        let depth_max = if weight.introspects { limits.introspection_depth_max } else { limits.depth_max };
        let mut found = Vec::new();
        if weight.introspects && !may_introspect {
            found.push(Refusal::new("INTROSPECTION_DISABLED", "The schema cannot be asked for with this credential: see the published schema.graphql."));
        }
        let roots_max = if is_mutation { limits.mutations_max } else { limits.root_fields_max };
        let counts = [
            ("TOO_DEEP", "levels of fields", depth_max as u64, weight.depth),
            ("TOO_MANY_ALIASES", "aliases", limits.aliases_max as u64, weight.aliases),
            ("TOO_MANY_DIRECTIVES", "directives", limits.directives_max as u64, weight.directives),
            ("TOO_MANY_ROOT_FIELDS", "root fields", roots_max as u64, weight.root_fields),
            ("TOO_MANY_SELECTIONS", "selections once its fragments are written out", limits.selections_max, weight.selections),
            ("LISTS_TOO_DEEP", "paged lists inside of each other", limits.list_depth_max as u64, weight.list_depth),
            ("TOO_COSTLY", "points of cost", limits.cost_max, weight.cost),
        ];
        found.extend(
            counts.into_iter().filter(|(_, _, limit, actual)| actual > limit).map(|(code, what, limit, actual)| Refusal::over(code, what, limit, actual)),
        );
        found
    }
}

/// The one operation of a document, with its name. Others beside it are refused: one request, one operation.
fn chosen<'a>(document: &'a ExecutableDocument, wanted: Option<&str>) -> Result<(Option<String>, &'a Positioned<OperationDefinition>), Vec<Refusal>> {
    let unknown = || vec![Refusal::new("UNKNOWN_OPERATION", "The document has no operation of the name that `operationName` gives.")];
    let (name, operation) = match &document.operations {
        DocumentOperations::Single(operation) if wanted.is_none() => (None, operation),
        DocumentOperations::Single(_) => return Err(unknown()),
        DocumentOperations::Multiple(operations) => {
            if operations.len() != 1 {
                return Err(vec![Refusal::over("TOO_MANY_OPERATIONS", "operations", 1, operations.len() as u64)]);
            }
            let (name, operation) = operations.iter().next().ok_or_else(unknown)?;
            if wanted.is_some_and(|wanted| wanted != name.as_str()) {
                return Err(unknown());
            }
            (Some(name.to_string()), operation)
        }
    };
    if operation.node.ty == OperationType::Subscription {
        return Err(vec![Refusal::new("UNSUPPORTED_OPERATION", "There are no subscriptions.").at(operation.pos)]);
    }
    Ok((name, operation))
}

fn unparsable(error: &ParseError) -> Refusal {
    let message = match error {
        ParseError::MultipleOperations { .. } => "An operation without a name stands alone in its document.",
        ParseError::OperationDuplicated { .. } => "Two operations have the same name.",
        ParseError::FragmentDuplicated { .. } => "Two fragments have the same name.",
        ParseError::MissingOperation => "The document has no operation.",
        ParseError::RecursionLimitExceeded => "The document is nested too deeply.",
        _ => "Syntax error.",
    };
    let refusal = Refusal::new("SYNTAX_ERROR", message);
    match error.positions().next() {
        Some(position) => refusal.at(position),
        None => refusal,
    }
}

#[cfg(test)]
mod tests;
