//! The kept monthly aggregate of activities; the sum is units plus fraction / 10^10, so that it stays whole.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS activity_monthly (
                partner_id :uuid NOT NULL CONSTRAINT activity_monthly_partner_fk REFERENCES partner (id),
                month :date NOT NULL,
                kind :key NOT NULL,
                currency TEXT NOT NULL,
                value_units :whole(value_units) NOT NULL,
                value_fraction :whole(value_fraction) NOT NULL,
                lines :whole(lines) NOT NULL,
                CONSTRAINT activity_monthly_pk PRIMARY KEY (partner_id, month, kind, currency)
            ) :clustered"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["activity_monthly"]).await
    }
}
