//! API keys: the digest of each, never the key.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS api_key (
                id :uuid NOT NULL CONSTRAINT api_key_pk PRIMARY KEY,
                public_id :key NOT NULL,
                secret_digest :bytes NOT NULL,
                label TEXT NOT NULL,
                person TEXT NOT NULL,
                roles TEXT NOT NULL,
                created_at :time NOT NULL,
                created_by TEXT NOT NULL,
                expires_at :time,
                last_used_on :date,
                revoked_at :time,
                revoked_by TEXT,
                CONSTRAINT api_key_public_id_key UNIQUE (public_id)
            ) :strict"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["api_key"]).await
    }
}
