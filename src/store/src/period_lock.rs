//! Locks of periods. Posting an original locks its period, reversing it releases the lock; a lock made by hand is released by two
//! approvers, one of whom asks.

use chrono::{DateTime, Utc};
use guerdon_domain::date::Span;
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::Row;
use crate::fault::StoreError;
use crate::rebate_run::{Deed, StoredRun};
use crate::tx::{ReadTx, WriteTx};
use crate::{ProgramId, RunId};

/// A lock on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLock {
    /// Its id.
    pub id: Uuid,
    /// The program.
    pub program_id: ProgramId,
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The run whose posting locked it; none where somebody did.
    pub run_id: Option<RunId>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// Who locked it.
    pub locked: Deed,
    /// Who asked to release it.
    pub release_asked: Option<Deed>,
    /// Who released it.
    pub released: Option<Deed>,
}

const COLUMNS: &str = "l.id, l.program_id, l.period, l.period_from, l.period_until, l.run_id, l.reason, l.locked_by, l.locked_at, l.release_asked_by, \
    l.release_asked_at, l.released_by, l.released_at";

fn lock_of(row: &QueryResult) -> Result<StoredLock, StoreError> {
    let row = Row::new(row, "period_lock");
    let deed = |at: usize| -> Result<Option<Deed>, StoreError> {
        let by: Option<String> = row.get(at)?;
        let when: Option<DateTime<Utc>> = row.get(at + 1)?;
        Ok(by.zip(when).map(|(by, at)| Deed { by, at }))
    };
    Ok(StoredLock {
        id: row.get(0)?,
        program_id: row.get(1)?,
        period: row.get(2)?,
        span: row.span(3)?,
        run_id: row.get(5)?,
        reason: row.get(6)?,
        locked: deed(7)?.ok_or_else(|| StoreError::corrupt("period_lock", "locked"))?,
        release_asked: deed(9)?,
        released: deed(11)?,
    })
}

impl ReadTx {
    /// The lock that holds for a period.
    pub async fn find_lock(&self, program: ProgramId, period: &str) -> Result<Option<StoredLock>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM period_lock l WHERE l.program_id = $1 AND l.period = $2 AND l.released_at IS NULL");
        self.one(sql, vec![program.into(), period.into()]).await?.as_ref().map(lock_of).transpose()
    }

    /// The locks of a program, the latest period first; at most `limit`.
    pub async fn list_locks(&self, program: ProgramId, limit: u32) -> Result<Vec<StoredLock>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM period_lock l WHERE l.program_id = $1 ORDER BY l.period_from DESC, l.locked_at DESC, l.id LIMIT {limit}");
        self.all(sql, vec![program.into()]).await?.iter().map(lock_of).collect()
    }
}

impl WriteTx {
    /// Locks a period. A second lock is a conflict with `period_lock_live_key`.
    pub async fn lock_period(&self, program: ProgramId, period: &str, span: Span, run: Option<RunId>, reason: Option<&str>) -> Result<StoredLock, StoreError> {
        let sql = "INSERT INTO period_lock (id, program_id, period, period_from, period_until, run_id, reason, locked_by, locked_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = vec![
            self.new_id().into(),
            program.into(),
            period.into(),
            span.from.naive().into(),
            span.until.naive().into(),
            run.into(),
            reason.map(str::to_owned).into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await?;
        self.find_lock(program, period).await?.ok_or(StoreError::NotFound)
    }

    /// Releases the lock that the posting of a run made.
    pub async fn release_lock_of(&self, run: &StoredRun) -> Result<(), StoreError> {
        let sql = "UPDATE period_lock SET released_by = $1, released_at = $2 WHERE run_id = $3 AND released_at IS NULL";
        self.execute_one(sql, vec![self.context().actor.clone().into(), self.now().into(), run.id.into()]).await
    }

    /// Asks to release a lock that was made by hand.
    pub async fn ask_release(&self, lock: Uuid) -> Result<(), StoreError> {
        let sql = "UPDATE period_lock SET release_asked_by = $1, release_asked_at = $2 WHERE id = $3 AND run_id IS NULL AND release_asked_by IS NULL \
            AND released_at IS NULL";
        self.execute_one(sql, vec![self.context().actor.clone().into(), self.now().into(), lock.into()]).await
    }

    /// Releases a lock that somebody else asked to release; a conflict with `period_lock_two_approvers` when it was the same person.
    pub async fn release_lock(&self, lock: Uuid) -> Result<(), StoreError> {
        let sql = "UPDATE period_lock SET released_by = $1, released_at = $2 WHERE id = $3 AND run_id IS NULL AND release_asked_by IS NOT NULL \
            AND released_at IS NULL";
        self.execute_one(sql, vec![self.context().actor.clone().into(), self.now().into(), lock.into()]).await
    }
}
