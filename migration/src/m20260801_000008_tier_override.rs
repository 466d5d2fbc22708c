//! Tiers held against the rules.

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
                "CREATE TABLE IF NOT EXISTS tier_override (
                    id :uuid NOT NULL CONSTRAINT tier_override_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT tier_override_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT tier_override_partner_fk REFERENCES partner (id),
                    ladder :key NOT NULL,
                    region_key :key NOT NULL,
                    kind :key NOT NULL CONSTRAINT tier_override_kind CHECK (kind IN ('PIN', 'CEILING', 'FLOOR')),
                    tier TEXT,
                    from_on :date NOT NULL,
                    until_on :date NOT NULL,
                    reason TEXT NOT NULL,
                    proposed_by TEXT,
                    approved_by TEXT,
                    created_at :time NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT tier_override_span CHECK (until_on > from_on),
                    CONSTRAINT tier_override_four_eyes CHECK (approved_by <> proposed_by)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS tier_override_partner_idx ON tier_override (partner_id, program_id, ladder)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tier_override"]).await
    }
}
