//! Background work: claimed by lease, fenced, resumable.

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
                "CREATE TABLE IF NOT EXISTS job (
                    id :uuid NOT NULL CONSTRAINT job_pk PRIMARY KEY,
                    kind :key NOT NULL,
                    unique_key TEXT,
                    input TEXT NOT NULL,
                    state TEXT NOT NULL CONSTRAINT job_state CHECK (state IN ('WAITING', 'RUNNING', 'DONE', 'FAILED')),
                    run_at :time NOT NULL,
                    lease_until :time,
                    fence :int NOT NULL,
                    attempts :int NOT NULL,
                    resume_cursor TEXT,
                    progress_done :int NOT NULL,
                    progress_total :int,
                    failure TEXT,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL,
                    finished_at :time
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS job_live_key ON job (kind, unique_key) WHERE state IN ('WAITING', 'RUNNING')",
                "CREATE INDEX IF NOT EXISTS job_due_idx ON job (run_at) WHERE state IN ('WAITING', 'RUNNING')",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["job"]).await
    }
}
