//! Guerdon's schema and its only author: the same on SQLite and PostgreSQL.
//!
//! One change a file, each with its way back, each step safe to repeat (SQLite does not wrap a migration in a transaction).
//! A migration names its own columns and knows nothing of the entities: those change, a migration may not. Constraints have
//! names, because the store tells faults apart by them. Money and quantities are whole numbers; no column is a float.

pub mod dialect;
mod m20260801_000001_program;
mod m20260801_000002_program_version;
mod m20260801_000003_partner;
mod m20260801_000004_partner_profile;
mod m20260801_000005_enrollment;
mod m20260801_000006_review;
mod m20260801_000007_tier_assignment;
mod m20260801_000008_tier_override;
mod m20260801_000009_tier_admission;
mod m20260801_000010_entitlement_exception;
mod m20260801_000011_contract;
mod m20260801_000012_product;
mod m20260801_000013_import_batch;
mod m20260801_000014_transactions;
mod m20260801_000015_holding;
mod m20260801_000016_activity;
mod m20260801_000017_deal;
mod m20260801_000018_exchange_rate;
mod m20260801_000019_transaction_monthly;
mod m20260801_000020_activity_monthly;
mod m20260801_000021_staging;
mod m20260801_000022_audit_entry;
mod m20260801_000023_outbox_event;
mod m20260801_000024_idempotency_record;
mod m20260801_000025_job;
mod m20260801_000026_api_key;
mod m20260801_000027_job_outcome;
mod m20260801_000028_review_run;
mod m20260801_000030_override_workflow;
mod m20260801_000031_admission_request;
mod m20260801_000032_rebate_run;
mod m20260801_000033_rebate_run_chunk;
mod m20260801_000034_statement;
mod m20260801_000035_journal;
mod m20260801_000036_period_lock;
mod m20260801_000037_rebate_accrual;
mod m20260801_000038_dispute;
mod m20260801_000040_statement_keys;
mod m20260801_000041_statement_lines;
mod m20260801_000042_standing_keys;
mod m20260801_000045_admission_end;
mod m20260801_000050_recorded_numbers;
mod m20260801_000055_standing_room;
mod m20260801_000056_statement_room;
mod m20260801_000057_recorded_sets;
mod m20260801_000058_revised_facts;
mod m20260801_000059_standing_lookup;
mod m20260801_000060_answer_partners;
mod m20260801_000061_unreplaced;
mod m20260801_000065_posted_kept;
mod recorded;
mod unreplaced;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// All migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260801_000001_program::Migration),
            Box::new(m20260801_000002_program_version::Migration),
            Box::new(m20260801_000003_partner::Migration),
            Box::new(m20260801_000004_partner_profile::Migration),
            Box::new(m20260801_000005_enrollment::Migration),
            Box::new(m20260801_000006_review::Migration),
            Box::new(m20260801_000007_tier_assignment::Migration),
            Box::new(m20260801_000008_tier_override::Migration),
            Box::new(m20260801_000009_tier_admission::Migration),
            Box::new(m20260801_000010_entitlement_exception::Migration),
            Box::new(m20260801_000011_contract::Migration),
            Box::new(m20260801_000012_product::Migration),
            Box::new(m20260801_000013_import_batch::Migration),
            Box::new(m20260801_000014_transactions::Migration),
            Box::new(m20260801_000015_holding::Migration),
            Box::new(m20260801_000016_activity::Migration),
            Box::new(m20260801_000017_deal::Migration),
            Box::new(m20260801_000018_exchange_rate::Migration),
            Box::new(m20260801_000019_transaction_monthly::Migration),
            Box::new(m20260801_000020_activity_monthly::Migration),
            Box::new(m20260801_000021_staging::Migration),
            Box::new(m20260801_000022_audit_entry::Migration),
            Box::new(m20260801_000023_outbox_event::Migration),
            Box::new(m20260801_000024_idempotency_record::Migration),
            Box::new(m20260801_000025_job::Migration),
            Box::new(m20260801_000026_api_key::Migration),
            Box::new(m20260801_000027_job_outcome::Migration),
            Box::new(m20260801_000028_review_run::Migration),
            Box::new(m20260801_000030_override_workflow::Migration),
            Box::new(m20260801_000031_admission_request::Migration),
            Box::new(m20260801_000032_rebate_run::Migration),
            Box::new(m20260801_000033_rebate_run_chunk::Migration),
            Box::new(m20260801_000034_statement::Migration),
            Box::new(m20260801_000035_journal::Migration),
            Box::new(m20260801_000036_period_lock::Migration),
            Box::new(m20260801_000037_rebate_accrual::Migration),
            Box::new(m20260801_000038_dispute::Migration),
            Box::new(m20260801_000040_statement_keys::Migration),
            Box::new(m20260801_000041_statement_lines::Migration),
            Box::new(m20260801_000042_standing_keys::Migration),
            Box::new(m20260801_000045_admission_end::Migration),
            Box::new(m20260801_000050_recorded_numbers::Migration),
            Box::new(m20260801_000055_standing_room::Migration),
            Box::new(m20260801_000056_statement_room::Migration),
            Box::new(m20260801_000057_recorded_sets::Migration),
            Box::new(m20260801_000058_revised_facts::Migration),
            Box::new(m20260801_000059_standing_lookup::Migration),
            Box::new(m20260801_000060_answer_partners::Migration),
            Box::new(m20260801_000061_unreplaced::Migration),
            Box::new(m20260801_000065_posted_kept::Migration),
        ]
    }
}
