//! Statements without the foreign keys that say what is held to anyway: a statement or a line is only written while its run is
//! calculated, so the run is there, and with it its program and versions, none of which is ever deleted. On PostgreSQL each key
//! costs a look-up a row, which is a third of the time that a run of many partners takes to write.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite keeps its keys: it could only lose them by making the tables anew.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &[
                "ALTER TABLE statement DROP CONSTRAINT IF EXISTS statement_run_fk, DROP CONSTRAINT IF EXISTS statement_program_fk, \
                 DROP CONSTRAINT IF EXISTS statement_version_fk",
                "ALTER TABLE statement_line DROP CONSTRAINT IF EXISTS statement_line_run_fk",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &[
                "ALTER TABLE statement DROP CONSTRAINT IF EXISTS statement_run_fk, DROP CONSTRAINT IF EXISTS statement_program_fk, \
                 DROP CONSTRAINT IF EXISTS statement_version_fk, ADD CONSTRAINT statement_run_fk FOREIGN KEY (run_id) REFERENCES rebate_run (id), \
                 ADD CONSTRAINT statement_program_fk FOREIGN KEY (program_id) REFERENCES program (id), \
                 ADD CONSTRAINT statement_version_fk FOREIGN KEY (version_id) REFERENCES program_version (id)",
                "ALTER TABLE statement_line DROP CONSTRAINT IF EXISTS statement_line_run_fk, \
                 ADD CONSTRAINT statement_line_run_fk FOREIGN KEY (run_id) REFERENCES rebate_run (id)",
            ],
        )
        .await
    }
}
