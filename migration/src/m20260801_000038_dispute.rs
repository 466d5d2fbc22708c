//! Disputes: a partner questions a posted statement, one of its lines, a sale line behind it, or misses a sale.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What a dispute is about, and what was decided for good, never changes.
const REWRITTEN: &str = "OLD.state IN ('ACCEPTED', 'REJECTED', 'WITHDRAWN') OR OLD.id <> NEW.id OR OLD.partner_id <> NEW.partner_id \
    OR OLD.statement_id <> NEW.statement_id OR OLD.subject <> NEW.subject OR OLD.claimed_minor <> NEW.claimed_minor OR OLD.currency <> NEW.currency \
    OR OLD.reason <> NEW.reason OR OLD.opened_by <> NEW.opened_by OR OLD.opened_at <> NEW.opened_at OR NEW.state = 'OPEN'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS dispute (
                    id :uuid NOT NULL CONSTRAINT dispute_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT dispute_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT dispute_partner_fk REFERENCES partner (id),
                    statement_id :uuid NOT NULL CONSTRAINT dispute_statement_fk REFERENCES statement (id),
                    kind TEXT NOT NULL CONSTRAINT dispute_kind CHECK (kind IN ('STATEMENT', 'LINE', 'SALE', 'MISSING_SALE')),
                    subject :key NOT NULL,
                    line_no :int,
                    source TEXT,
                    external_id TEXT,
                    currency TEXT NOT NULL,
                    claimed_minor :whole(claimed_minor) NOT NULL,
                    reason TEXT NOT NULL,
                    state TEXT NOT NULL CONSTRAINT dispute_state CHECK (state IN ('OPEN', 'ANSWERED', 'ACCEPTED', 'REJECTED', 'WITHDRAWN')),
                    opened_by :key NOT NULL,
                    opened_at :time NOT NULL,
                    answer TEXT,
                    answered_by :key,
                    answered_at :time,
                    adjustment_id :uuid CONSTRAINT dispute_adjustment_fk REFERENCES rebate_adjustment (id),
                    adjusted_minor :whole(adjusted_minor),
                    row_version :int NOT NULL,
                    CONSTRAINT dispute_subject CHECK ((kind = 'LINE') = (line_no IS NOT NULL)
                        AND (kind IN ('SALE', 'MISSING_SALE')) = (external_id IS NOT NULL) AND (external_id IS NULL) = (source IS NULL)),
                    CONSTRAINT dispute_answered CHECK (state IN ('OPEN', 'WITHDRAWN') OR (answer IS NOT NULL AND answered_by IS NOT NULL)),
                    CONSTRAINT dispute_four_eyes CHECK (answered_by IS NULL OR answered_by <> opened_by),
                    CONSTRAINT dispute_accepted CHECK ((state = 'ACCEPTED') = (adjustment_id IS NOT NULL)
                        AND (adjustment_id IS NULL) = (adjusted_minor IS NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS dispute_live_key ON dispute (statement_id, subject) WHERE state IN ('OPEN', 'ANSWERED')",
                "CREATE UNIQUE INDEX IF NOT EXISTS dispute_adjustment_key ON dispute (adjustment_id) WHERE adjustment_id IS NOT NULL",
                "CREATE INDEX IF NOT EXISTS dispute_partner_idx ON dispute (partner_id, opened_at, id)",
                "CREATE INDEX IF NOT EXISTS dispute_opened_idx ON dispute (opened_at, id)",
            ],
        )
        .await?;
        refuse(manager, "dispute", "UPDATE", REWRITTEN, "dispute_immutable").await?;
        refuse(manager, "dispute", "DELETE", "OLD.id IS NOT NULL", "dispute_append_only").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["dispute"]).await
    }
}
