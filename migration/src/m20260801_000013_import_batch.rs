//! Import batches: staged, then sealed in commit order.

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
                "CREATE TABLE IF NOT EXISTS counter (
                    name TEXT NOT NULL CONSTRAINT counter_pk PRIMARY KEY,
                    value :int NOT NULL
                ) :clustered",
                "INSERT INTO counter (name, value) VALUES ('batch_seal', 0) ON CONFLICT (name) DO NOTHING",
                "CREATE TABLE IF NOT EXISTS import_batch (
                    id :uuid NOT NULL CONSTRAINT import_batch_pk PRIMARY KEY,
                    kind :key NOT NULL,
                    source :key NOT NULL,
                    file_name TEXT,
                    file_digest TEXT,
                    state TEXT NOT NULL CONSTRAINT import_batch_state CHECK (state IN ('STAGED', 'SEALED', 'DISCARDED')),
                    seal_number :int,
                    staged_lines :int NOT NULL,
                    last_line :int NOT NULL,
                    inserted :int NOT NULL,
                    unchanged :int NOT NULL,
                    conflicts :int NOT NULL,
                    rejected :int NOT NULL,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL,
                    sealed_at :time,
                    lease_until :time,
                    fence :int NOT NULL,
                    CONSTRAINT import_batch_sealed CHECK ((state = 'SEALED') = (seal_number IS NOT NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS import_batch_seal_key ON import_batch (seal_number) WHERE seal_number IS NOT NULL",
                "CREATE UNIQUE INDEX IF NOT EXISTS import_batch_staged_key ON import_batch (kind, source, file_digest) WHERE state = 'STAGED'",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["import_batch", "counter"]).await
    }
}
