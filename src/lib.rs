//! Guerdon: the incentive and entitlement API of a partner program.
//!
//! The rooms of the house, and what each may know, stand in `docs/`; a test reads their `use` paths.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod graphql;
pub mod http;
pub mod idgen;
pub mod import;
pub mod jobs;
pub mod telemetry;
