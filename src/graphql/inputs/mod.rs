//! Inputs, read into domain values with every fault and its path.

pub mod attributes;
pub mod facts;
pub mod simulation;
