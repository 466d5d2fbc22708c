//! Registered opportunities, append-only; a later revision of one supersedes the earlier.

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
                "CREATE TABLE IF NOT EXISTS deal (
                    id :identity,
                    batch_id :uuid NOT NULL CONSTRAINT deal_batch_fk REFERENCES import_batch (id),
                    line :int NOT NULL,
                    source :key NOT NULL,
                    external_id :key NOT NULL,
                    revision :int NOT NULL,
                    body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL CONSTRAINT deal_partner_fk REFERENCES partner (id),
                    opened_on :date NOT NULL,
                    recorded_on :date NOT NULL,
                    stage TEXT,
                    outcome TEXT NOT NULL CONSTRAINT deal_outcome CHECK (outcome IN ('OPEN', 'WON', 'LOST')),
                    closed_on :date,
                    value_minor :whole(value_minor),
                    currency TEXT,
                    customer TEXT,
                    kind :key,
                    region :key,
                    attributes TEXT
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS deal_external_key ON deal (source, external_id, revision)",
                "CREATE INDEX IF NOT EXISTS deal_partner_idx ON deal (partner_id, opened_on)",
            ],
        )
        .await?;
        append_only(manager, "deal").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["deal"]).await
    }
}
