//! Tiers on record: at most one open per partner, program, ladder and region.

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
                "CREATE TABLE IF NOT EXISTS tier_assignment (
                    id :uuid NOT NULL CONSTRAINT tier_assignment_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT tier_assignment_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT tier_assignment_partner_fk REFERENCES partner (id),
                    ladder :key NOT NULL,
                    region_key :key NOT NULL,
                    tier TEXT,
                    from_on :date NOT NULL,
                    until_on :date,
                    cause TEXT NOT NULL CONSTRAINT tier_assignment_cause
                        CHECK (cause IN ('ENROLLED', 'PROMOTION', 'DEMOTION', 'OVERRIDE', 'VERSION_CHANGE')),
                    review_id :uuid CONSTRAINT tier_assignment_review_fk REFERENCES review (id),
                    version_id :uuid NOT NULL CONSTRAINT tier_assignment_version_fk REFERENCES program_version (id),
                    recorded_at :time NOT NULL,
                    CONSTRAINT tier_assignment_from_key UNIQUE (partner_id, program_id, ladder, region_key, from_on),
                    CONSTRAINT tier_assignment_span CHECK (until_on > from_on)
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS tier_assignment_open_key ON tier_assignment (partner_id, program_id, ladder, region_key) WHERE until_on IS NULL",
                "CREATE INDEX IF NOT EXISTS tier_assignment_tier_idx ON tier_assignment (program_id, ladder, tier) WHERE until_on IS NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tier_assignment"]).await
    }
}
