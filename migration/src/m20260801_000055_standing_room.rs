//! Where partners stand now, written and looked up more cheaply.
//!
//! On PostgreSQL pages have room: a review writes every row anew, mostly without touching a column that an index holds, and where the page
//! has room for the new version of a row no index is written. The index of who is near the next tier holds only rows that have one.
//! Before, a plan that was made while the table was empty could look up a partner by it, and so read all of a program for each.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

const DROP: &str = "DROP INDEX IF EXISTS standing_now_near_idx";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let create = "CREATE INDEX standing_now_near_idx ON standing_now (program_id, ladder, next_share) WHERE next_share IS NOT NULL";
        run(manager, &[DROP, create]).await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(manager, &["ALTER TABLE standing_now SET (fillfactor = 50)"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &[DROP, "CREATE INDEX standing_now_near_idx ON standing_now (program_id, ladder, next_share)"]).await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(manager, &["ALTER TABLE standing_now RESET (fillfactor)"]).await
    }
}
