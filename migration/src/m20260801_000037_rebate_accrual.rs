//! What was set aside for open periods at a date, and corrections that were decided and wait for the next run.

use sea_orm_migration::prelude::*;

use crate::dialect::{append_only, drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS rebate_accrual (
                    id :uuid NOT NULL CONSTRAINT rebate_accrual_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT rebate_accrual_program_fk REFERENCES program (id),
                    version_id :uuid NOT NULL CONSTRAINT rebate_accrual_version_fk REFERENCES program_version (id),
                    period :key NOT NULL,
                    as_of :date NOT NULL,
                    cut_off :int NOT NULL,
                    created_by TEXT NOT NULL,
                    created_at :time NOT NULL
                ) :strict",
                "CREATE INDEX IF NOT EXISTS rebate_accrual_program_idx ON rebate_accrual (program_id, period, created_at)",
                "CREATE TABLE IF NOT EXISTS rebate_accrual_line (
                    accrual_id :uuid NOT NULL CONSTRAINT rebate_accrual_line_accrual_fk REFERENCES rebate_accrual (id),
                    partner_id :uuid NOT NULL CONSTRAINT rebate_accrual_line_partner_fk REFERENCES partner (id),
                    schedule :key NOT NULL,
                    currency TEXT NOT NULL,
                    accrued_minor :whole(accrued_minor) NOT NULL,
                    CONSTRAINT rebate_accrual_line_pk PRIMARY KEY (accrual_id, partner_id, schedule)
                ) :clustered",
                "CREATE TABLE IF NOT EXISTS rebate_adjustment (
                    id :uuid NOT NULL CONSTRAINT rebate_adjustment_pk PRIMARY KEY,
                    number :int NOT NULL,
                    program_id :uuid NOT NULL CONSTRAINT rebate_adjustment_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT rebate_adjustment_partner_fk REFERENCES partner (id),
                    schedule :key NOT NULL,
                    period :key NOT NULL,
                    currency TEXT NOT NULL,
                    amount_minor :whole(amount_minor) NOT NULL,
                    reason TEXT NOT NULL,
                    cause_id :uuid,
                    decided_by :key NOT NULL,
                    decided_at :time NOT NULL
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS rebate_adjustment_number_key ON rebate_adjustment (number)",
                "CREATE INDEX IF NOT EXISTS rebate_adjustment_partner_idx ON rebate_adjustment (partner_id, program_id)",
            ],
        )
        .await?;
        for table in ["rebate_accrual", "rebate_accrual_line", "rebate_adjustment"] {
            append_only(manager, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["rebate_adjustment", "rebate_accrual_line", "rebate_accrual"]).await
    }
}
