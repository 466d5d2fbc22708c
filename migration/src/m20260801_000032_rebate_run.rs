//! Rebate runs: one period of one program, from draft to paid. What is posted never changes.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The moves of a run that are no moves of ours. Calculating again starts from any state before posting.
const FORBIDDEN_MOVE: &str = "NOT (OLD.state = NEW.state AND OLD.state NOT IN ('REJECTED', 'VOIDED') \
    OR NEW.state = 'CALCULATING' AND OLD.state IN ('DRAFT', 'CALCULATED', 'SUBMITTED', 'APPROVED', 'FAILED') \
    OR OLD.state = 'CALCULATING' AND NEW.state IN ('CALCULATED', 'FAILED', 'VOIDED') \
    OR OLD.state = 'CALCULATED' AND NEW.state IN ('SUBMITTED', 'VOIDED') \
    OR OLD.state = 'SUBMITTED' AND NEW.state IN ('APPROVED', 'REJECTED', 'VOIDED') \
    OR OLD.state = 'APPROVED' AND NEW.state IN ('POSTED', 'REJECTED', 'VOIDED') \
    OR OLD.state IN ('DRAFT', 'FAILED') AND NEW.state = 'VOIDED' \
    OR OLD.state = 'POSTED' AND NEW.state = 'PAID')";

/// What a run is about never changes.
const OTHER_RUN: &str = "OLD.id <> NEW.id OR OLD.program_id <> NEW.program_id OR OLD.period <> NEW.period OR OLD.period_from <> NEW.period_from \
    OR OLD.period_until <> NEW.period_until OR OLD.kind <> NEW.kind OR OLD.of_run_id IS DISTINCT FROM NEW.of_run_id OR OLD.prepared_by <> NEW.prepared_by \
    OR OLD.prepared_at <> NEW.prepared_at";

/// What was posted stays as it was approved; it may be paid once, and reversed once.
const REWRITTEN: &str = "OLD.state IN ('POSTED', 'PAID') AND (OLD.version_id <> NEW.version_id OR OLD.run_on IS DISTINCT FROM NEW.run_on \
    OR OLD.cut_off IS DISTINCT FROM NEW.cut_off OR OLD.book IS DISTINCT FROM NEW.book OR OLD.adjustments IS DISTINCT FROM NEW.adjustments \
    OR OLD.calculated_by IS DISTINCT FROM NEW.calculated_by OR OLD.submitted_by IS DISTINCT FROM NEW.submitted_by \
    OR OLD.approved_by IS DISTINCT FROM NEW.approved_by OR OLD.approved_at IS DISTINCT FROM NEW.approved_at \
    OR OLD.posted_by IS DISTINCT FROM NEW.posted_by OR OLD.posted_at IS DISTINCT FROM NEW.posted_at \
    OR OLD.posting_number IS DISTINCT FROM NEW.posting_number OR OLD.content_hash IS DISTINCT FROM NEW.content_hash OR OLD.totals IS DISTINCT FROM NEW.totals \
    OR OLD.statements <> NEW.statements OR OLD.reason IS DISTINCT FROM NEW.reason \
    OR (OLD.reversed_by_run_id IS NOT NULL AND OLD.reversed_by_run_id IS DISTINCT FROM NEW.reversed_by_run_id) \
    OR (OLD.paid_by IS NOT NULL AND (OLD.paid_by IS DISTINCT FROM NEW.paid_by OR OLD.paid_on IS DISTINCT FROM NEW.paid_on \
    OR OLD.payment_reference IS DISTINCT FROM NEW.payment_reference)))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "INSERT INTO counter (name, value) VALUES ('rebate_posting', 0), ('rebate_adjustment', 0) ON CONFLICT (name) DO NOTHING",
                "CREATE TABLE IF NOT EXISTS rebate_run (
                    id :uuid NOT NULL CONSTRAINT rebate_run_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT rebate_run_program_fk REFERENCES program (id),
                    version_id :uuid NOT NULL CONSTRAINT rebate_run_version_fk REFERENCES program_version (id),
                    period :key NOT NULL,
                    period_from :date NOT NULL,
                    period_until :date NOT NULL,
                    kind TEXT NOT NULL CONSTRAINT rebate_run_kind CHECK (kind IN ('ORIGINAL', 'ADJUSTMENT', 'REVERSAL')),
                    state TEXT NOT NULL CONSTRAINT rebate_run_state CHECK (state IN
                        ('DRAFT', 'CALCULATING', 'CALCULATED', 'FAILED', 'SUBMITTED', 'APPROVED', 'REJECTED', 'POSTED', 'PAID', 'VOIDED')),
                    of_run_id :uuid CONSTRAINT rebate_run_of_fk REFERENCES rebate_run (id),
                    reason TEXT,
                    run_on :date,
                    cut_off :int,
                    book :int,
                    adjustments :int,
                    fence :int NOT NULL,
                    row_version :int NOT NULL,
                    partners_done :int NOT NULL,
                    partners_total :int,
                    statements :int NOT NULL,
                    totals TEXT,
                    content_hash TEXT,
                    failure TEXT,
                    prepared_by :key NOT NULL,
                    prepared_at :time NOT NULL,
                    calculated_by :key,
                    calculated_at :time,
                    submitted_by :key,
                    submitted_at :time,
                    approved_by :key,
                    approved_at :time,
                    rejected_by :key,
                    rejected_at :time,
                    decision_note TEXT,
                    second_approver :int NOT NULL,
                    posted_by :key,
                    posted_at :time,
                    posting_number :int,
                    paid_by :key,
                    paid_at :time,
                    paid_on :date,
                    payment_reference TEXT,
                    voided_by :key,
                    voided_at :time,
                    reversed_by_run_id :uuid CONSTRAINT rebate_run_reversed_by_fk REFERENCES rebate_run (id),
                    CONSTRAINT rebate_run_period CHECK (period_from < period_until),
                    CONSTRAINT rebate_run_reversal CHECK ((kind = 'REVERSAL') = (of_run_id IS NOT NULL)),
                    CONSTRAINT rebate_run_four_eyes CHECK (approved_by IS NULL
                        OR (approved_by <> prepared_by AND approved_by <> submitted_by AND approved_by <> calculated_by)),
                    CONSTRAINT rebate_run_six_eyes CHECK (posted_by IS NULL
                        OR (posted_by <> prepared_by AND posted_by <> submitted_by AND (second_approver = 0 OR posted_by <> approved_by))),
                    CONSTRAINT rebate_run_calculated CHECK (state NOT IN ('CALCULATED', 'SUBMITTED', 'APPROVED', 'POSTED', 'PAID')
                        OR (content_hash IS NOT NULL AND cut_off IS NOT NULL AND book IS NOT NULL AND run_on IS NOT NULL)),
                    CONSTRAINT rebate_run_approved CHECK (state NOT IN ('APPROVED', 'POSTED', 'PAID') OR (submitted_by IS NOT NULL AND approved_by IS NOT NULL)),
                    CONSTRAINT rebate_run_posted CHECK ((state IN ('POSTED', 'PAID')) = (posting_number IS NOT NULL)),
                    CONSTRAINT rebate_run_paid CHECK ((state = 'PAID') = (paid_by IS NOT NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS rebate_run_original_key ON rebate_run (program_id, period)
                    WHERE kind = 'ORIGINAL' AND state NOT IN ('FAILED', 'REJECTED', 'VOIDED') AND reversed_by_run_id IS NULL",
                "CREATE UNIQUE INDEX IF NOT EXISTS rebate_run_reversal_key ON rebate_run (of_run_id)
                    WHERE kind = 'REVERSAL' AND state NOT IN ('FAILED', 'REJECTED', 'VOIDED')",
                "CREATE UNIQUE INDEX IF NOT EXISTS rebate_run_posting_key ON rebate_run (posting_number) WHERE posting_number IS NOT NULL",
                "CREATE INDEX IF NOT EXISTS rebate_run_program_idx ON rebate_run (program_id, period_from, prepared_at)",
            ],
        )
        .await?;
        refuse(manager, "rebate_run", "UPDATE", FORBIDDEN_MOVE, "rebate_run_move").await?;
        refuse(manager, "rebate_run", "UPDATE", OTHER_RUN, "rebate_run_identity").await?;
        refuse(manager, "rebate_run", "UPDATE", REWRITTEN, "rebate_run_posted_immutable").await?;
        refuse(manager, "rebate_run", "DELETE", "OLD.id IS NOT NULL", "rebate_run_append_only").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["rebate_run"]).await?;
        run(manager, &["DELETE FROM counter WHERE name IN ('rebate_posting', 'rebate_adjustment')"]).await
    }
}
