//! Sale lines, append-only.

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
                "CREATE TABLE IF NOT EXISTS transactions (
                    id :identity,
                    batch_id :uuid NOT NULL CONSTRAINT transactions_batch_fk REFERENCES import_batch (id),
                    line :int NOT NULL,
                    source :key NOT NULL,
                    external_id :key NOT NULL,
                    body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL CONSTRAINT transactions_partner_fk REFERENCES partner (id),
                    occurred_on :date NOT NULL,
                    recorded_on :date NOT NULL,
                    kind :key NOT NULL CONSTRAINT transactions_kind CHECK (kind IN ('SALE', 'RETURN', 'ADJUSTMENT')),
                    product TEXT,
                    category :key,
                    quantity_micros :whole(quantity_micros) NOT NULL,
                    amount_minor :whole(amount_minor) NOT NULL,
                    currency TEXT NOT NULL,
                    customer TEXT,
                    deal TEXT,
                    corrects TEXT,
                    region :key,
                    attributes TEXT
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS transactions_external_key ON transactions (source, external_id)",
                "CREATE INDEX IF NOT EXISTS transactions_partner_idx ON transactions (partner_id, occurred_on, id)",
            ],
        )
        .await?;
        append_only(manager, "transactions").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["transactions"]).await
    }
}
