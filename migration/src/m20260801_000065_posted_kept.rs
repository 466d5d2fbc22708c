//! What is left of a posted run stays too: when it was calculated and submitted, what was said of it, its chunks and its shares of
//! budgets; of a lock its days and its reason, and who asked for its release. And no table whose rows stay is emptied: PostgreSQL's
//! TRUNCATE calls no trigger of DELETE.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{only_while_updated, refuse, run};
use crate::m20260801_000050_recorded_numbers::RECORDED;
use crate::m20260801_000061_unreplaced::TABLES;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Beside what `rebate_run_posted_immutable` keeps. Paying fills the payment in, and nothing else does.
const REWRITTEN: &str = "OLD.state IN ('POSTED', 'PAID') AND (OLD.fence <> NEW.fence OR OLD.partners_done <> NEW.partners_done \
    OR OLD.partners_total IS DISTINCT FROM NEW.partners_total OR OLD.failure IS DISTINCT FROM NEW.failure \
    OR OLD.calculated_at IS DISTINCT FROM NEW.calculated_at OR OLD.submitted_at IS DISTINCT FROM NEW.submitted_at \
    OR OLD.rejected_by IS DISTINCT FROM NEW.rejected_by OR OLD.rejected_at IS DISTINCT FROM NEW.rejected_at \
    OR OLD.decision_note IS DISTINCT FROM NEW.decision_note OR OLD.second_approver <> NEW.second_approver \
    OR OLD.voided_by IS DISTINCT FROM NEW.voided_by OR OLD.voided_at IS DISTINCT FROM NEW.voided_at \
    OR (OLD.state = NEW.state AND (OLD.paid_at IS DISTINCT FROM NEW.paid_at OR OLD.paid_on IS DISTINCT FROM NEW.paid_on \
    OR OLD.payment_reference IS DISTINCT FROM NEW.payment_reference)))";

const LOCK_REWRITTEN: &str = "OLD.period_from <> NEW.period_from OR OLD.period_until <> NEW.period_until OR OLD.reason IS DISTINCT FROM NEW.reason \
    OR (OLD.release_asked_by IS NOT NULL AND (OLD.release_asked_by IS DISTINCT FROM NEW.release_asked_by \
    OR OLD.release_asked_at IS DISTINCT FROM NEW.release_asked_at))";

/// The tables whose rows stay.
fn kept() -> impl Iterator<Item = String> {
    TABLES.iter().map(|kept| kept.table.to_owned()).chain(RECORDED.iter().map(|recorded| format!("{}_past", recorded.table)))
}

fn truncation(table: &str) -> String {
    format!("CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT")
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse(manager, "rebate_run", "UPDATE", REWRITTEN, "rebate_run_posted_kept").await?;
        refuse(manager, "period_lock", "UPDATE", LOCK_REWRITTEN, "period_lock_kept").await?;
        refuse(manager, "rebate_run_chunk", "UPDATE", "OLD.no IS NOT NULL", "rebate_run_chunk_immutable").await?;
        let calculating = "SELECT 1 FROM rebate_run r WHERE r.id = {key} AND r.state = 'CALCULATING'";
        only_while_updated(manager, "rebate_run_budget", "run_id", calculating, "rebate_run_budget_immutable").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            for table in kept() {
                run(manager, &[&format!("{} EXECUTE FUNCTION guerdon_refuse('{table}_append_only')", truncation(&table))]).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (table, name) in [
            ("rebate_run", "rebate_run_posted_kept"),
            ("period_lock", "period_lock_kept"),
            ("rebate_run_chunk", "rebate_run_chunk_immutable"),
            ("rebate_run_budget", "rebate_run_budget_immutable"),
        ] {
            let on = if postgres { format!(" ON {table}") } else { String::new() };
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {name}_update{on}")]).await?;
        }
        for table in kept().filter(|_| postgres) {
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")]).await?;
        }
        Ok(())
    }
}
