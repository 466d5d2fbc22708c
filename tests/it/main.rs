//! The integration tests: one binary, so that they link once.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod adventureworks;
mod api;
mod architecture;
mod auth;
mod authz;
mod bench;
mod commands;
mod demo;
mod evaluate;
mod exports;
mod golden;
mod harness;
mod http;
mod import;
mod jobs;
mod policy_matrix;
mod portal;
mod program_cli;
mod program_docs;
mod programs;
mod proof;
mod query_count;
mod refusals;
mod runs;
mod schema;
mod served;
mod store;
