//! Locks of periods: posting locks, reversing releases; by hand it takes two approvers to release one.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, refuse, refuse_if_exists, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS period_lock (
                    id :uuid NOT NULL CONSTRAINT period_lock_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT period_lock_program_fk REFERENCES program (id),
                    period :key NOT NULL,
                    period_from :date NOT NULL,
                    period_until :date NOT NULL,
                    run_id :uuid CONSTRAINT period_lock_run_fk REFERENCES rebate_run (id),
                    reason TEXT,
                    locked_by :key NOT NULL,
                    locked_at :time NOT NULL,
                    release_asked_by :key,
                    release_asked_at :time,
                    released_by :key,
                    released_at :time,
                    CONSTRAINT period_lock_two_approvers CHECK (released_by IS NULL OR run_id IS NOT NULL OR released_by <> release_asked_by)
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS period_lock_live_key ON period_lock (program_id, period) WHERE released_at IS NULL",
            ],
        )
        .await?;
        let rewritten = "OLD.released_at IS NOT NULL OR OLD.id <> NEW.id OR OLD.program_id <> NEW.program_id OR OLD.period <> NEW.period \
            OR OLD.run_id IS DISTINCT FROM NEW.run_id OR OLD.locked_by <> NEW.locked_by OR OLD.locked_at <> NEW.locked_at \
            OR (OLD.run_id IS NULL AND NEW.released_by IS NOT NULL AND OLD.release_asked_by IS NULL)";
        refuse(manager, "period_lock", "UPDATE", rewritten, "period_lock_immutable").await?;
        refuse(manager, "period_lock", "DELETE", "OLD.id IS NOT NULL", "period_lock_append_only").await?;
        let locked = "SELECT 1 FROM period_lock l WHERE NEW.kind = 'ORIGINAL' AND l.program_id = NEW.program_id AND l.period = NEW.period \
            AND l.released_at IS NULL";
        refuse_if_exists(manager, "rebate_run", "INSERT", locked, "period_locked").await?;
        let posting = format!("{locked} AND NEW.state = 'POSTED' AND OLD.state <> 'POSTED'");
        refuse_if_exists(manager, "rebate_run", "UPDATE", &posting, "period_locked").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The triggers of the runs read this table, so that they go before it.
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
            run(manager, &["DROP TRIGGER IF EXISTS period_locked_insert ON rebate_run", "DROP TRIGGER IF EXISTS period_locked_update ON rebate_run"]).await?;
        } else {
            run(manager, &["DROP TRIGGER IF EXISTS period_locked_insert", "DROP TRIGGER IF EXISTS period_locked_update"]).await?;
        }
        drop_tables(manager, &["period_lock"]).await
    }
}
