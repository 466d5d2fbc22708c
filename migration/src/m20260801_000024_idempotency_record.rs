//! Answers kept by caller, mutation and key.

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
                "CREATE TABLE IF NOT EXISTS idempotency_record (
                    principal TEXT NOT NULL,
                    mutation TEXT NOT NULL,
                    idempotency_key TEXT NOT NULL,
                    input_hash TEXT NOT NULL,
                    state TEXT NOT NULL CONSTRAINT idempotency_record_state CHECK (state IN ('RUNNING', 'DONE')),
                    response TEXT,
                    created_at :time NOT NULL,
                    expires_at :time NOT NULL,
                    CONSTRAINT idempotency_record_pk PRIMARY KEY (principal, mutation, idempotency_key),
                    CONSTRAINT idempotency_record_response CHECK ((state = 'DONE') = (response IS NOT NULL))
                ) :strict",
                "CREATE INDEX IF NOT EXISTS idempotency_record_expiry_idx ON idempotency_record (expires_at)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["idempotency_record"]).await
    }
}
