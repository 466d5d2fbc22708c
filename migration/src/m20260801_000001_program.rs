//! Programs.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &["CREATE TABLE IF NOT EXISTS program (
                id :uuid NOT NULL CONSTRAINT program_pk PRIMARY KEY,
                code :key NOT NULL,
                name TEXT NOT NULL,
                created_at :time NOT NULL,
                row_version :int NOT NULL,
                CONSTRAINT program_code_key UNIQUE (code)
            ) :strict"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["program"]).await
    }
}
