//! Objects: one file each, wrapping a domain value.

pub mod admission;
pub mod benefit;
pub mod catalogue;
pub mod dispute;
pub mod entitlement;
pub mod job;
pub mod journal;
pub mod metric_value;
pub mod partner;
pub mod period;
pub mod program;
pub mod rebate;
pub mod requirement;
pub mod review;
pub mod run;
pub mod simulation;
pub mod standing;
pub mod statement;
pub mod tier;
pub mod transaction;
pub mod viewer;
