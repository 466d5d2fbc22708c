//! The kept monthly aggregate of transactions.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS transaction_monthly (
                partner_id :uuid NOT NULL CONSTRAINT transaction_monthly_partner_fk REFERENCES partner (id),
                month :date NOT NULL,
                category :key NOT NULL,
                kind :key NOT NULL,
                currency TEXT NOT NULL,
                amount_minor :whole(amount_minor) NOT NULL,
                quantity_micros :whole(quantity_micros) NOT NULL,
                lines :whole(lines) NOT NULL,
                CONSTRAINT transaction_monthly_pk PRIMARY KEY (partner_id, month, category, kind, currency)
            ) :clustered"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["transaction_monthly"]).await
    }
}
