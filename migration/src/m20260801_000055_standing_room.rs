//! Room in the pages of `standing_now` on PostgreSQL. A review writes every row of it anew, mostly without touching a column that an
//! index holds: where the page has room for the new version of a row, no index is written.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(manager, &["ALTER TABLE standing_now SET (fillfactor = 50)"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(manager, &["ALTER TABLE standing_now RESET (fillfactor)"]).await
    }
}
