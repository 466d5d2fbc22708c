//! The rules of a partner program: facts and a date in, decisions with reasons out.
//!
//! This crate is pure: it knows no database, no clock, no randomness and no transport. What a rule means stands in the
//! module that the business would look for it in; the shape in which rules are written stands in [`document`].

pub mod access;
pub mod allocate;
pub mod benefit;
pub mod date;
pub mod document;
pub mod evaluate;
pub mod event;
pub mod exact;
pub mod exchange;
pub mod facts;
pub mod fault;
pub mod filter;
mod hash;
pub mod levelling;
pub mod metric;
pub mod money;
pub mod page;
pub mod period;
pub mod program;
pub mod rebate;
pub mod region;
pub mod requirement;
pub mod rounding;
pub mod scenario;
pub mod sentence;
pub mod simulation;
pub mod window;
