//! Partners in programs.

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
                "CREATE TABLE IF NOT EXISTS enrollment (
                    id :uuid NOT NULL CONSTRAINT enrollment_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT enrollment_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT enrollment_partner_fk REFERENCES partner (id),
                    region_key :key NOT NULL,
                    track TEXT,
                    since_on :date NOT NULL,
                    until_on :date,
                    created_at :time NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT enrollment_since_key UNIQUE (partner_id, program_id, region_key, since_on),
                    CONSTRAINT enrollment_span CHECK (until_on > since_on)
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS enrollment_open_key ON enrollment (partner_id, program_id, region_key) WHERE until_on IS NULL",
                "CREATE INDEX IF NOT EXISTS enrollment_program_idx ON enrollment (program_id, partner_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["enrollment"]).await
    }
}
