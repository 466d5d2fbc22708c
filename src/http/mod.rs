//! The transport: socket, router, GraphQL over HTTP, who is who, health, shutdown. It knows no rule.

pub mod token;
