//! Dated measurements, append-only.

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
                "CREATE TABLE IF NOT EXISTS activity (
                    id :identity,
                    batch_id :uuid NOT NULL CONSTRAINT activity_batch_fk REFERENCES import_batch (id),
                    line :int NOT NULL,
                    source :key NOT NULL,
                    external_id :key NOT NULL,
                    body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL CONSTRAINT activity_partner_fk REFERENCES partner (id),
                    occurred_on :date NOT NULL,
                    recorded_on :date NOT NULL,
                    kind :key NOT NULL,
                    value TEXT NOT NULL,
                    value_units :whole(value_units) NOT NULL,
                    value_fraction :whole(value_fraction) NOT NULL,
                    currency TEXT,
                    subject TEXT,
                    expires_on :date,
                    region :key,
                    attributes TEXT
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS activity_external_key ON activity (source, external_id)",
                "CREATE INDEX IF NOT EXISTS activity_partner_idx ON activity (partner_id, occurred_on)",
            ],
        )
        .await?;
        append_only(manager, "activity").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["activity"]).await
    }
}
