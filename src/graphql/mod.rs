//! The schema: thin wrappers over domain values. A resolver is parse, call, wrap. This room knows the use cases and the
//! domain's types, and nothing of the database.

pub mod connection;
pub mod context;
pub mod error;
pub mod gate;
pub mod inputs;
pub mod limits;
pub mod loaders;
pub mod mutation;
pub mod node;
pub mod pages;
pub mod payload;
pub mod query;
pub mod scalars;
pub mod types;

use async_graphql::parser::types::OperationType;
use async_graphql::{EmptySubscription, Request, SDLExportOptions};

use crate::app::{App, Ctx};

/// The schema of this service.
pub type Schema = async_graphql::Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// Builds the schema. It holds no data: what belongs to a request comes with the request.
pub fn build_schema() -> Schema {
    Schema::build(query::Query::default(), mutation::Mutation::default(), EmptySubscription)
        .register_output_type::<mutation::user_errors::AnyUserError>()
        .disable_suggestions()
        .with_sorted_fields()
        .with_sorted_enums()
        .finish()
}

/// The schema as text, sorted, so that two of them can be compared.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    build_schema().sdl_with_options(options)
}

/// Gives a request what its resolvers ask for: the use cases' tools, the caller, and what is made anew for every request. A query is
/// answered from one snapshot; what a mutation answers must show what it did.
pub fn prepare(mut request: Request, app: &App, caller: Ctx) -> Request {
    let app = if only_reads(&mut request) { app.in_one_snapshot() } else { app.clone() };
    let loaders = loaders::Loaders::new(app.clone(), caller.clone());
    request.data(app).data(caller).data(loaders)
}

/// Whether a request has nothing but queries.
fn only_reads(request: &mut Request) -> bool {
    let document = request.parsed_query();
    document.is_ok_and(|document| document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query))
}
