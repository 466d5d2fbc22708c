//! The integration tests: one binary, so that they link once.

mod adventureworks;
mod architecture;
mod auth;
mod demo;
mod golden;
mod harness;
mod http;
mod import;
mod policy_matrix;
mod programs;
mod served;
mod store;
