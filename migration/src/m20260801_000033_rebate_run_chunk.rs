//! The chunks of a run: each is committed with its results, so that a run that was cut off goes on behind the last one.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS rebate_run_chunk (
                    run_id :uuid NOT NULL CONSTRAINT rebate_run_chunk_run_fk REFERENCES rebate_run (id),
                    pass :int NOT NULL,
                    no :int NOT NULL,
                    last_code :key NOT NULL,
                    partners :int NOT NULL,
                    statements :int NOT NULL,
                    fence :int NOT NULL,
                    failure TEXT,
                    CONSTRAINT rebate_run_chunk_pk PRIMARY KEY (run_id, pass, no)
                ) :clustered",
                "CREATE TABLE IF NOT EXISTS rebate_run_budget (
                    run_id :uuid NOT NULL CONSTRAINT rebate_run_budget_run_fk REFERENCES rebate_run (id),
                    schedule :key NOT NULL,
                    period :key NOT NULL,
                    partner_id :uuid NOT NULL CONSTRAINT rebate_run_budget_partner_fk REFERENCES partner (id),
                    earned_minor :whole(earned_minor) NOT NULL,
                    shared_minor :whole(shared_minor),
                    CONSTRAINT rebate_run_budget_pk PRIMARY KEY (run_id, schedule, period, partner_id)
                ) :clustered",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["rebate_run_budget", "rebate_run_chunk"]).await
    }
}
