//! Reviews, and the standing that each of them found.

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
                "CREATE TABLE IF NOT EXISTS review (
                    id :uuid NOT NULL CONSTRAINT review_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT review_program_fk REFERENCES program (id),
                    version_id :uuid NOT NULL CONSTRAINT review_version_fk REFERENCES program_version (id),
                    as_of :date NOT NULL,
                    cause TEXT NOT NULL,
                    partners :int NOT NULL,
                    changed :int NOT NULL,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL
                ) :strict",
                "CREATE INDEX IF NOT EXISTS review_program_idx ON review (program_id, as_of)",
                "CREATE TABLE IF NOT EXISTS review_standing (
                    review_id :uuid NOT NULL CONSTRAINT review_standing_review_fk REFERENCES review (id),
                    partner_id :uuid NOT NULL CONSTRAINT review_standing_partner_fk REFERENCES partner (id),
                    ladder :key NOT NULL,
                    region_key :key NOT NULL,
                    tier TEXT,
                    qualified_tier TEXT,
                    standing TEXT NOT NULL,
                    CONSTRAINT review_standing_pk PRIMARY KEY (review_id, partner_id, ladder, region_key)
                ) :clustered",
                "CREATE INDEX IF NOT EXISTS review_standing_partner_idx ON review_standing (partner_id, review_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["review_standing", "review"]).await
    }
}
