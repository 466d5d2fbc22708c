//! The integration tests: one binary, so that they link once.

mod adventureworks;
mod architecture;
mod golden;
mod harness;
mod import;
mod policy_matrix;
mod programs;
mod store;
