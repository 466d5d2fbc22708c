//! What came of background work, and finding it by its key.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_columns, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager, "job", &[("outcome", "TEXT")]).await?;
        run(manager, &["CREATE INDEX IF NOT EXISTS job_key_idx ON job (kind, unique_key)"]).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
