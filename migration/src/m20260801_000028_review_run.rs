//! Reviews as runs: state, slice, counts and failures; what a standing is asked for; where partners stand now; the schedule.

use sea_orm_migration::prelude::*;

use crate::dialect::{add_columns, drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let count = "BIGINT NOT NULL DEFAULT 0";
        let count = if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres { count } else { "INTEGER NOT NULL DEFAULT 0" };
        let state = "TEXT NOT NULL DEFAULT 'DONE' CONSTRAINT review_state CHECK (state IN ('RUNNING', 'DONE', 'UNCHANGED', 'FAILED'))";
        let review = [
            ("state", state),
            ("slice", "TEXT NOT NULL DEFAULT '{}'"),
            ("due", "TEXT NOT NULL DEFAULT 'BY_CALENDAR'"),
            ("job_id", ":uuid"),
            ("base_id", ":uuid"),
            ("differs", count),
            ("promoted", count),
            ("demoted", count),
            ("kept", count),
            ("failed", count),
            ("in_the_past", count),
            ("finished_at", ":time"),
        ];
        add_columns(manager, "review", &review).await?;
        let standing = [
            ("from_tier", "TEXT"),
            ("change", "TEXT"),
            ("next_tier", "TEXT"),
            ("next_share", ":int"),
            ("at_risk_on", ":date"),
            ("risk", "TEXT"),
            ("grace_until", ":date"),
            ("overridden_until", ":date"),
            ("awaiting", count),
        ];
        add_columns(manager, "review_standing", &standing).await?;
        run(manager, STATEMENTS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["review_schedule", "standing_now", "review_failure"]).await
    }
}

const STATEMENTS: &[&str] = &[
    // One live review per program and date.
    "CREATE UNIQUE INDEX IF NOT EXISTS review_live_key ON review (program_id, as_of) WHERE state = 'RUNNING'",
    "CREATE TABLE IF NOT EXISTS review_failure (
        review_id :uuid NOT NULL CONSTRAINT review_failure_review_fk REFERENCES review (id),
        partner_id :uuid NOT NULL CONSTRAINT review_failure_partner_fk REFERENCES partner (id),
        faults TEXT NOT NULL,
        CONSTRAINT review_failure_pk PRIMARY KEY (review_id, partner_id)
    ) :clustered",
    "CREATE TABLE IF NOT EXISTS standing_now (
        program_id :uuid NOT NULL CONSTRAINT standing_now_program_fk REFERENCES program (id),
        partner_id :uuid NOT NULL CONSTRAINT standing_now_partner_fk REFERENCES partner (id),
        ladder :key NOT NULL,
        region_key :key NOT NULL,
        review_id :uuid NOT NULL CONSTRAINT standing_now_review_fk REFERENCES review (id),
        as_of :date NOT NULL,
        tier TEXT,
        qualified_tier TEXT,
        next_tier TEXT,
        next_share :whole(next_share),
        at_risk_on :date,
        risk TEXT,
        grace_warn_from :date,
        grace_until :date,
        overridden_until :date,
        awaiting :int NOT NULL,
        risk_told_on :date,
        risk_told_tier TEXT,
        near_told_on :date,
        near_told_tier TEXT,
        CONSTRAINT standing_now_pk PRIMARY KEY (program_id, partner_id, ladder, region_key)
    ) :clustered",
    "CREATE INDEX IF NOT EXISTS standing_now_tier_idx ON standing_now (program_id, ladder, tier)",
    "CREATE INDEX IF NOT EXISTS standing_now_near_idx ON standing_now (program_id, ladder, next_share)",
    "CREATE INDEX IF NOT EXISTS standing_now_risk_idx ON standing_now (program_id, at_risk_on) WHERE at_risk_on IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS standing_now_grace_idx ON standing_now (program_id, grace_until) WHERE grace_until IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS standing_now_override_idx ON standing_now (program_id, overridden_until) WHERE overridden_until IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS standing_now_awaiting_idx ON standing_now (program_id, partner_id) WHERE awaiting = 1",
    "CREATE INDEX IF NOT EXISTS tier_override_until_idx ON tier_override (program_id, until_on)",
    "CREATE TABLE IF NOT EXISTS review_schedule (
        program_id :uuid NOT NULL CONSTRAINT review_schedule_pk PRIMARY KEY CONSTRAINT review_schedule_program_fk REFERENCES program (id),
        planned_until :date NOT NULL
    ) :clustered",
];
