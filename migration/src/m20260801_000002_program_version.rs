//! Program versions: a published one never changes.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS program_version (
                    id :uuid NOT NULL CONSTRAINT program_version_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT program_version_program_fk REFERENCES program (id),
                    number :int NOT NULL,
                    label TEXT,
                    state TEXT NOT NULL CONSTRAINT program_version_state CHECK (state IN ('DRAFT', 'PUBLISHED')),
                    document TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    announced_on :date,
                    effective_on :date NOT NULL,
                    enforced_on :date,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL,
                    published_at :time,
                    published_by TEXT,
                    row_version :int NOT NULL,
                    CONSTRAINT program_version_number_key UNIQUE (program_id, number),
                    CONSTRAINT program_version_published CHECK ((state = 'PUBLISHED') = (published_at IS NOT NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS program_version_effective_key ON program_version (program_id, effective_on) WHERE state = 'PUBLISHED'",
            ],
        )
        .await?;
        refuse(manager, "program_version", "UPDATE", "OLD.state = 'PUBLISHED'", "program_version_immutable").await?;
        refuse(manager, "program_version", "DELETE", "OLD.state = 'PUBLISHED'", "program_version_immutable").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["program_version"]).await
    }
}
