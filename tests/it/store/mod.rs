//! The storage, on whichever database the suite runs.

mod assignments;
mod bulk;
mod concurrency;
mod facts;
mod idempotency;
mod imports;
mod killed;
mod loading;
mod migrations;
mod partners;
mod programs;
mod rebate_sums;
mod rollups;
mod speed;
mod terms;
mod values;
