//! Overrides are proposed by one and decided by another: their state, who decided, and what a status match rests on.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_columns, drop_columns, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What a review of the same day had given where an override took its place, so that the override's end can go back to it; empty for
/// no tier.
const REVIEWED: [(&str, &str); 1] = [("reviewed_tier", "TEXT")];
const TABLE: &str = "tier_override";
const COLUMNS: [(&str, &str); 11] = [
    (
        "state",
        ":key NOT NULL DEFAULT 'APPROVED' CONSTRAINT tier_override_state CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')) \
         CONSTRAINT tier_override_approved CHECK (state <> 'APPROVED' OR proposed_by IS NULL OR approved_by IS NOT NULL)",
    ),
    ("decided_by", "TEXT"),
    ("decided_at", ":time"),
    ("decision_reason", "TEXT"),
    ("ended_by", "TEXT"),
    ("ended_at", ":time"),
    ("end_reason", "TEXT"),
    ("planned_until", ":date"),
    ("match_program", "TEXT"),
    ("match_status", "TEXT"),
    ("match_evidence", "TEXT"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager, TABLE, &COLUMNS).await?;
        add_columns(manager, "tier_assignment", &REVIEWED).await?;
        run(
            manager,
            &[
                "CREATE INDEX IF NOT EXISTS tier_override_state_idx ON tier_override (program_id, state, id)",
                "CREATE INDEX IF NOT EXISTS tier_override_until_idx ON tier_override (program_id, until_on)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX IF EXISTS tier_override_state_idx", "DROP INDEX IF EXISTS tier_override_until_idx"]).await?;
        drop_columns(manager, "tier_assignment", &REVIEWED.map(|(name, _)| name)).await?;
        drop_columns(manager, TABLE, &COLUMNS.map(|(name, _)| name)).await
    }
}
