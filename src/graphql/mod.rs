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

/// Gives a request what its resolvers ask for: the use cases' tools, the caller, and what is made anew for every request.
pub fn prepare(request: Request, app: &App, caller: Ctx) -> Request {
    let loaders = loaders::Loaders::new(app.clone(), caller.clone());
    request.data(app.clone()).data(caller).data(loaders)
}
