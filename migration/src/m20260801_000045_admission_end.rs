//! Admissions are ended by people: from when, by whom, and why.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_columns, drop_columns, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "admission_request";
const COLUMNS: [(&str, &str); 4] = [("ended_on", ":date"), ("ended_by", "TEXT"), ("ended_at", ":time"), ("end_reason", "TEXT")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager, TABLE, &COLUMNS).await?;
        run(manager, &["CREATE INDEX IF NOT EXISTS tier_admission_until_idx ON tier_admission (program_id, until_on)"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX IF EXISTS tier_admission_until_idx"]).await?;
        drop_columns(manager, TABLE, &COLUMNS.map(|(name, _)| name)).await
    }
}
