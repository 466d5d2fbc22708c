//! Every number that bounds a GraphQL document, with its reason.

use serde::Serialize;

/// Bounds of one document. They hold before anything is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DocumentLimits {
    /// Lexical tokens: what the largest hand-written documents need, tenfold.
    pub tokens_max: usize,
    /// Fields below each other.
    pub depth_max: usize,
    /// Fields below each other in a document that asks for the schema: the standard introspection query needs 13.
    pub introspection_depth_max: usize,
    /// Fields under another name.
    pub aliases_max: usize,
    /// Fields of the operation itself: a page of a portal asks for a few.
    pub root_fields_max: usize,
    /// Mutations in one operation: each is a transaction of its own.
    pub mutations_max: usize,
    /// Directives.
    pub directives_max: usize,
    /// Paged lists inside of paged lists. Lists that an object holds count in the cost alone.
    pub list_depth_max: usize,
    /// Selections once every fragment is written out: what validation has to walk.
    pub selections_max: u64,
    /// The cost of the document: one per object that it may make, lists multiplied.
    pub cost_max: u64,
    /// The size that a page without `first` or `last` has.
    pub page_size_default: u64,
    /// The size that a list which an object holds is reckoned with.
    pub list_size_assumed: u64,
    /// Errors in one answer.
    pub errors_max: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            tokens_max: 5_000,
            depth_max: 15,
            introspection_depth_max: 15,
            aliases_max: 50,
            root_fields_max: 30,
            mutations_max: 10,
            directives_max: 50,
            list_depth_max: 3,
            selections_max: 10_000,
            cost_max: 100_000,
            page_size_default: 20,
            list_size_assumed: 5,
            errors_max: 20,
        }
    }
}
