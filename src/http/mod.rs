//! The transport: socket, router, GraphQL over HTTP, who is who, health, shutdown. It knows no rule.

pub mod answer;
pub mod auth;
pub mod exports;
pub mod graphql;
pub mod health;
pub mod page;
pub mod request_id;
pub mod router;
pub mod server;
pub mod token;

use crate::app::App;
use crate::config::HttpConfig;
use crate::error::AppError;
use crate::graphql::gate::Gate;
use crate::graphql::limits::DocumentLimits;
use crate::graphql::{Schema, build_schema, sdl};
use crate::telemetry::Metrics;

/// Everything that answering a request needs.
pub struct Service {
    /// The use cases' tools.
    pub app: App,
    /// The schema.
    pub schema: Schema,
    /// What a document passes before it is executed.
    pub gate: Gate,
    /// Who is who.
    pub identity: auth::Identity,
    /// Bounds of the transport.
    pub config: HttpConfig,
    /// Counters, where they are collected.
    pub metrics: Option<Metrics>,
}

impl Service {
    /// With the schema of this version and the usual bounds of documents.
    pub fn new(app: App, identity: auth::Identity, config: HttpConfig, metrics: Option<Metrics>) -> Result<Self, AppError> {
        let gate = Gate::new(&sdl(), DocumentLimits::default())?;
        Ok(Self { app, schema: build_schema(), gate, identity, config, metrics })
    }
}
