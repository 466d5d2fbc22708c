//! Standings without the foreign keys that say what is held to anyway: a standing is only written by a step of its review, for
//! partners that the step has read, and neither reviews nor partners nor programs are ever deleted. On PostgreSQL each key costs a
//! look-up a row, for some hundred thousand rows of every review. Tiers are few: an index of the standings by tier helped no list.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX IF EXISTS standing_now_tier_idx"]).await?;
        // SQLite keeps its keys: it could only lose them by making the tables anew.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &[
                "ALTER TABLE review_standing DROP CONSTRAINT IF EXISTS review_standing_review_fk, DROP CONSTRAINT IF EXISTS review_standing_partner_fk",
                "ALTER TABLE standing_now DROP CONSTRAINT IF EXISTS standing_now_program_fk, DROP CONSTRAINT IF EXISTS standing_now_partner_fk, \
                 DROP CONSTRAINT IF EXISTS standing_now_review_fk",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["CREATE INDEX IF NOT EXISTS standing_now_tier_idx ON standing_now (program_id, ladder, tier)"]).await?;
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            &[
                "ALTER TABLE review_standing DROP CONSTRAINT IF EXISTS review_standing_review_fk, DROP CONSTRAINT IF EXISTS review_standing_partner_fk, \
                 ADD CONSTRAINT review_standing_review_fk FOREIGN KEY (review_id) REFERENCES review (id), \
                 ADD CONSTRAINT review_standing_partner_fk FOREIGN KEY (partner_id) REFERENCES partner (id)",
                "ALTER TABLE standing_now DROP CONSTRAINT IF EXISTS standing_now_program_fk, DROP CONSTRAINT IF EXISTS standing_now_partner_fk, \
                 DROP CONSTRAINT IF EXISTS standing_now_review_fk, ADD CONSTRAINT standing_now_program_fk FOREIGN KEY (program_id) REFERENCES program (id), \
                 ADD CONSTRAINT standing_now_partner_fk FOREIGN KEY (partner_id) REFERENCES partner (id), \
                 ADD CONSTRAINT standing_now_review_fk FOREIGN KEY (review_id) REFERENCES review (id)",
            ],
        )
        .await
    }
}
