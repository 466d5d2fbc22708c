//! Statements are written with fewer look-ups. One unique key answers both what a run stated to a partner and what a partner was stated,
//! so that the index by partner alone goes, and the index by run holds the run alone. On PostgreSQL the foreign key to the partner
//! goes as well: a statement is written only for partners that its run has read, nobody ever deletes a partner, and the look-up took longer than
//! writing the row and its indexes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE UNIQUE INDEX IF NOT EXISTS statement_key ON statement (partner_id, schedule, period, run_id)",
                "CREATE INDEX IF NOT EXISTS statement_run_idx ON statement (run_id)",
                "DROP INDEX IF EXISTS statement_run_key",
                "DROP INDEX IF EXISTS statement_partner_idx",
            ],
        )
        .await?;
        // SQLite keeps its key: it could only lose it by making the table anew.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(manager, &["ALTER TABLE statement DROP CONSTRAINT IF EXISTS statement_partner_fk"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE UNIQUE INDEX IF NOT EXISTS statement_run_key ON statement (run_id, partner_id, schedule, period)",
                "CREATE INDEX IF NOT EXISTS statement_partner_idx ON statement (partner_id, program_id, schedule, period)",
                "DROP INDEX IF EXISTS statement_key",
                "DROP INDEX IF EXISTS statement_run_idx",
            ],
        )
        .await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &["ALTER TABLE statement DROP CONSTRAINT IF EXISTS statement_partner_fk, \
               ADD CONSTRAINT statement_partner_fk FOREIGN KEY (partner_id) REFERENCES partner (id)"],
        )
        .await
    }
}
