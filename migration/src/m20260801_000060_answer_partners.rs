//! The partners that a kept answer is about: whoever repeats its key must still be let to see them.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_columns, drop_columns};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "idempotency_record";
/// Their ids as a JSON list; empty of answers that were kept before, and of those about no partner.
const COLUMNS: [(&str, &str); 1] = [("partners", "TEXT")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager, TABLE, &COLUMNS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, TABLE, &COLUMNS.map(|(name, _)| name)).await
    }
}
