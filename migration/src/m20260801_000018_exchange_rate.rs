//! Dated, typed exchange rates, append-only; a correction is a further revision.

use sea_orm_migration::prelude::*;

use crate::dialect::{append_only, drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS exchange_rate (
                rate_type TEXT NOT NULL,
                from_currency TEXT NOT NULL,
                to_currency TEXT NOT NULL,
                rate_on :date NOT NULL,
                revision :int NOT NULL,
                rate TEXT NOT NULL,
                recorded_on :date NOT NULL,
                batch_id :uuid NOT NULL CONSTRAINT exchange_rate_batch_fk REFERENCES import_batch (id),
                CONSTRAINT exchange_rate_pk PRIMARY KEY (from_currency, to_currency, rate_type, rate_on, revision),
                CONSTRAINT exchange_rate_currencies CHECK (from_currency <> to_currency)
            ) :clustered"],
        )
        .await?;
        append_only(manager, "exchange_rate").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["exchange_rate"]).await
    }
}
