//! Guerdon's tables as sea-orm entities: columns and relations, nothing else.
//!
//! Enums, JSON and decimals are text here; the store turns rows into domain values and back, in one place. Amounts are whole minor
//! units, quantities millionths, times UTC. The schema's only author is the migration crate.

pub mod account;
pub mod activity;
pub mod activity_monthly;
pub mod admission_request;
pub mod api_key;
pub mod audit_entry;
pub mod contract;
pub mod counter;
pub mod deal;
pub mod dispute;
pub mod enrollment;
pub mod entitlement_exception;
pub mod exchange_rate;
pub mod holding;
pub mod idempotency_record;
pub mod import_batch;
pub mod job;
pub mod journal_entry;
pub mod outbox_event;
pub mod partner;
pub mod partner_profile;
pub mod period_lock;
pub mod posting;
pub mod product;
pub mod product_category;
pub mod program;
pub mod program_version;
pub mod rebate_accrual;
pub mod rebate_accrual_line;
pub mod rebate_adjustment;
pub mod rebate_run;
pub mod rebate_run_budget;
pub mod rebate_run_chunk;
pub mod review;
pub mod review_standing;
pub mod statement;
pub mod tier_admission;
pub mod tier_assignment;

pub mod tier_override;
pub mod transaction_monthly;
pub mod transactions;
