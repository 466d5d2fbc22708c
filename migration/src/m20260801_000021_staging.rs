//! Where the lines of a file wait until their batch is sealed. No finder reads these tables.

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
                "CREATE :unlogged TABLE IF NOT EXISTS staged_transaction (
                    batch_id :uuid NOT NULL, line :int NOT NULL, external_id :key NOT NULL, body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL, occurred_on :date NOT NULL, recorded_on :date NOT NULL, kind :key NOT NULL,
                    product TEXT, category :key, quantity_micros :int NOT NULL, amount_minor :int NOT NULL, currency TEXT NOT NULL,
                    customer TEXT, deal TEXT, corrects TEXT, region :key, attributes TEXT
                ) :strict",
                "CREATE :unlogged TABLE IF NOT EXISTS staged_holding (
                    batch_id :uuid NOT NULL, line :int NOT NULL, external_id :key NOT NULL, body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL, recorded_on :date NOT NULL, kind :key NOT NULL, type_key TEXT, level TEXT,
                    holder_kind TEXT NOT NULL, holder TEXT, product TEXT, category :key, since_on :date NOT NULL, until_on :date,
                    revoked_on :date, value TEXT, currency TEXT, region :key, attributes TEXT
                ) :strict",
                "CREATE :unlogged TABLE IF NOT EXISTS staged_activity (
                    batch_id :uuid NOT NULL, line :int NOT NULL, external_id :key NOT NULL, body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL, occurred_on :date NOT NULL, recorded_on :date NOT NULL, kind :key NOT NULL,
                    value TEXT NOT NULL, value_units :int NOT NULL, value_fraction :int NOT NULL, currency TEXT, subject TEXT,
                    expires_on :date, region :key, attributes TEXT
                ) :strict",
                "CREATE :unlogged TABLE IF NOT EXISTS staged_deal (
                    batch_id :uuid NOT NULL, line :int NOT NULL, external_id :key NOT NULL, body_digest :bytes NOT NULL,
                    partner_id :uuid NOT NULL, opened_on :date NOT NULL, recorded_on :date NOT NULL, stage TEXT, outcome TEXT NOT NULL,
                    closed_on :date, value_minor :int, currency TEXT, customer TEXT, kind :key, region :key, attributes TEXT
                ) :strict",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["staged_deal", "staged_activity", "staged_holding", "staged_transaction"]).await
    }
}
