//! Invitations, accepted applications, approvals.

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
                "CREATE TABLE IF NOT EXISTS tier_admission (
                    id :uuid NOT NULL CONSTRAINT tier_admission_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT tier_admission_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT tier_admission_partner_fk REFERENCES partner (id),
                    ladder :key NOT NULL,
                    region_key :key NOT NULL,
                    tier TEXT NOT NULL,
                    kind :key NOT NULL CONSTRAINT tier_admission_kind CHECK (kind IN ('INVITATION', 'APPLICATION', 'APPROVAL')),
                    from_on :date NOT NULL,
                    until_on :date NOT NULL,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT tier_admission_span CHECK (until_on > from_on)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS tier_admission_partner_idx ON tier_admission (partner_id, program_id, ladder)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tier_admission"]).await
    }
}
