//! Holdings, append-only; a later revision of one supersedes the earlier.

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
                "CREATE TABLE IF NOT EXISTS holding (
                    id :identity,
                    batch_id :uuid NOT NULL CONSTRAINT holding_batch_fk REFERENCES import_batch (id),
                    line :int NOT NULL,
                    source :key NOT NULL,
                    external_id :key NOT NULL,
                    revision :int NOT NULL,
                    body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL CONSTRAINT holding_partner_fk REFERENCES partner (id),
                    recorded_on :date NOT NULL,
                    kind :key NOT NULL,
                    type_key TEXT,
                    level TEXT,
                    holder_kind TEXT NOT NULL CONSTRAINT holding_holder_kind CHECK (holder_kind IN ('PARTNER', 'PERSON', 'CUSTOMER', 'OFFERING')),
                    holder TEXT,
                    product TEXT,
                    category :key,
                    since_on :date NOT NULL,
                    until_on :date,
                    revoked_on :date,
                    value TEXT,
                    currency TEXT,
                    region :key,
                    attributes TEXT
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS holding_external_key ON holding (source, external_id, revision)",
                "CREATE INDEX IF NOT EXISTS holding_partner_idx ON holding (partner_id, since_on)",
            ],
        )
        .await?;
        append_only(manager, "holding").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["holding"]).await
    }
}
