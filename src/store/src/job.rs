//! Background work: enqueued once per live key, claimed by lease, fenced, resumable.
//!
//! A claim raises the fence, and every later write of the worker carries it: whoever slept through his lease matches no row
//! ([`StoreError::Stale`]), and the transaction of his chunk is rolled back. Leases run by the database's clock, so that clocks of
//! nodes that disagree, or that stand still, hurt nobody.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, QueryResult, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::convert::{Row, TextEnum, text_enum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};

/// Background work.
pub type JobId = Uuid;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum JobState {
    /// Nobody works on it yet, or it waits for another try.
    Waiting,
    /// Somebody works on it, or did until his lease ran out.
    Running,
    /// Done.
    Done,
    /// Given up, with its fault.
    Failed,
}

text_enum!(JobState { Waiting = "WAITING", Running = "RUNNING", Done = "DONE", Failed = "FAILED" });

/// Work to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its kind.
    pub kind: &'static str,
    /// At most one live job of a kind has this key; none: as many as are asked for.
    pub unique_key: Option<String>,
    /// What it needs to know.
    pub input: Json,
    /// How many steps it has, where that is known.
    pub total: Option<u64>,
}

/// Work on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// The key that keeps a second live one away.
    pub unique_key: Option<String>,
    /// What it needs to know, as JSON.
    pub input: String,
    /// How far it is.
    pub state: JobState,
    /// How often it was claimed: writes carry it.
    pub fence: i64,
    /// Tries since it last came forward.
    pub attempts: u32,
    /// Where to go on; none: from the start.
    pub cursor: Option<String>,
    /// Steps done.
    pub done: u64,
    /// Steps in all, where that is known.
    pub total: Option<u64>,
    /// The last fault, as JSON: a list of faults.
    pub failure: Option<String>,
    /// What came of it, as JSON.
    pub outcome: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Who asked.
    pub created_by: String,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a worker shows with every write: the job, and the fence under which he claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub id: JobId,
    /// The fence of the claim.
    pub fence: i64,
}

/// How far a worker has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobProgress {
    /// Where to go on.
    pub cursor: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all, where that is known.
    pub total: Option<u64>,
}

/// Which jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of any of these kinds; any when empty.
    pub kinds: Vec<String>,
    /// In any of these states; any when empty.
    pub states: Vec<JobState>,
}

const COLUMNS: &str = "id, kind, unique_key, input, state, fence, attempts, resume_cursor, progress_done, progress_total, failure, outcome, \
                       created_at, created_by, finished_at";

fn job_of(row: &QueryResult) -> Result<StoredJob, StoreError> {
    let row = Row::new(row, "job");
    let count = |at: usize| row.get::<i64>(at).map(|number| u64::try_from(number).unwrap_or(0));
    Ok(StoredJob {
        id: row.get(0)?,
        kind: row.text(1)?,
        unique_key: row.maybe_text(2)?,
        input: row.text(3)?,
        state: row.text_enum(4)?,
        fence: row.get(5)?,
        attempts: u32::try_from(count(6)?).unwrap_or(u32::MAX),
        cursor: row.maybe_text(7)?,
        done: count(8)?,
        total: row.get::<Option<i64>>(9)?.and_then(|number| u64::try_from(number).ok()),
        failure: row.maybe_text(10)?,
        outcome: row.maybe_text(11)?,
        created_at: row.get(12)?,
        created_by: row.text(13)?,
        finished_at: row.get(14)?,
    })
}

/// The database's own time, so much later.
fn later(backend: DbBackend, by: Duration) -> String {
    let millis = by.as_millis();
    match backend {
        DbBackend::Postgres => format!("(clock_timestamp() + interval '{millis} milliseconds')"),
        _ => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+{}.{:03} seconds')", millis / 1_000, millis % 1_000),
    }
}

/// What may be claimed: work whose time has come, and work whose worker has lost his lease.
fn claimable(backend: DbBackend, kinds: &[&str], parameters: &mut Parameters) -> String {
    let now = later(backend, Duration::ZERO);
    let number = parameters.number(texts(backend, kinds.iter().copied()));
    let of_kind = is_one_of_texts(backend, "kind", number);
    format!("{of_kind} AND ((state = 'WAITING' AND run_at <= {now}) OR (state = 'RUNNING' AND lease_until < {now}))")
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl ReadTx {
    /// A job.
    pub async fn find_job(&self, id: JobId) -> Result<Option<StoredJob>, StoreError> {
        let row = self.one(format!("SELECT {COLUMNS} FROM job WHERE id = $1"), vec![id.into()]).await?;
        row.as_ref().map(job_of).transpose()
    }

    /// The job of this kind and key that was enqueued last, live or not.
    pub async fn find_latest_job(&self, kind: &str, unique_key: &str) -> Result<Option<StoredJob>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE kind = $1 AND unique_key = $2 ORDER BY id DESC LIMIT 1");
        self.one(sql, vec![kind.into(), unique_key.into()]).await?.as_ref().map(job_of).transpose()
    }

    /// Jobs by id.
    pub async fn jobs_many(&self, ids: &[JobId]) -> Result<std::collections::BTreeMap<JobId, StoredJob>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE {}", is_one_of_uuids(self.backend(), "id", 1));
        let rows = self.all(sql, vec![uuids(self.backend(), ids)]).await?;
        rows.iter().map(|row| job_of(row).map(|job| (job.id, job))).collect()
    }

    /// Whether anything of these kinds may be claimed now.
    pub async fn has_due_job(&self, kinds: &[&str]) -> Result<bool, StoreError> {
        let mut parameters = Parameters::default();
        let claimable = claimable(self.backend(), kinds, &mut parameters);
        Ok(self.one(format!("SELECT 1 FROM job WHERE {claimable} LIMIT 1"), parameters.0).await?.is_some())
    }

    /// A page of jobs, the newest first.
    pub async fn list_jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<Page<StoredJob>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec!["1 = 1".to_owned()];
        let states: Vec<&str> = filter.states.iter().map(TextEnum::text).collect();
        for (column, list) in [("kind", filter.kinds.iter().map(String::as_str).collect()), ("state", states)] {
            if !list.is_empty() {
                let number = parameters.number(texts(self.backend(), list));
                conditions.push(is_one_of_texts(self.backend(), column, number));
            }
        }
        // Identities are made in the order of time, so they are the order.
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let id: JobId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                conditions.push(format!("id {operator} {}", parameters.add(id)));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!("SELECT {COLUMNS} FROM job WHERE {} ORDER BY id {direction} LIMIT {}", conditions.join(" AND "), page.limit());
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let job = job_of(&row)?;
            rows.push((Cursor { key: job.kind.clone(), id: job.id.to_string() }, job));
        }
        Ok(Page::cut(page, rows))
    }
}

impl WriteTx {
    /// Enqueues work. Where a live job has the same kind and key, that one is the answer, and nothing is written.
    pub async fn enqueue_job(&self, new: &NewJob) -> Result<StoredJob, StoreError> {
        let id = self.new_id();
        let now = later(self.backend(), Duration::ZERO);
        let sql = format!(
            "INSERT INTO job (id, kind, unique_key, input, state, run_at, fence, attempts, progress_done, progress_total, created_at, created_by) \
             VALUES ($1, $2, $3, $4, 'WAITING', {now}, 0, 0, 0, $5, $6, $7) \
             ON CONFLICT (kind, unique_key) WHERE state IN ('WAITING', 'RUNNING') DO NOTHING"
        );
        let values = vec![
            id.into(),
            new.kind.into(),
            new.unique_key.clone().into(),
            new.input.to_string().into(),
            new.total.map(whole).into(),
            self.now().into(),
            self.context().actor.clone().into(),
        ];
        if self.execute(sql, values).await?.rows_affected() == 1 {
            return self.find_job(id).await?.ok_or(StoreError::NotFound);
        }
        let live = format!("SELECT {COLUMNS} FROM job WHERE kind = $1 AND unique_key = $2 AND state IN ('WAITING', 'RUNNING')");
        let row = self.one(live, vec![new.kind.into(), new.unique_key.clone().into()]).await?;
        // None: it ended in between.
        row.as_ref().map_or_else(|| Err(self.run_again()), job_of)
    }

    /// Takes the job that has waited longest, for the length of a lease. None: there is nothing to do.
    pub async fn claim_job(&self, kinds: &[&str], lease: Duration) -> Result<Option<StoredJob>, StoreError> {
        let mut parameters = Parameters::default();
        let claimable = claimable(self.backend(), kinds, &mut parameters);
        let skip = if self.backend() == DbBackend::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!(
            "UPDATE job SET state = 'RUNNING', fence = fence + 1, attempts = attempts + 1, lease_until = {} \
             WHERE id = (SELECT id FROM job WHERE {claimable} ORDER BY run_at, id LIMIT 1{skip}) RETURNING {COLUMNS}",
            later(self.backend(), lease)
        );
        self.one(sql, parameters.0).await?.as_ref().map(job_of).transpose()
    }

    /// Holds on to a job for another lease. [`StoreError::Stale`]: it is somebody else's now.
    pub async fn renew_job(&self, held: JobLease, lease: Duration) -> Result<(), StoreError> {
        self.update_held(held, &format!("lease_until = {}", later(self.backend(), lease)), Vec::new()).await
    }

    /// Notes how far a job is, in the transaction that brought it there, and holds on to it for another lease. Tries are counted
    /// from here anew. [`StoreError::Stale`]: it is somebody else's now, and this transaction must not commit.
    pub async fn advance_job(&self, held: JobLease, progress: &JobProgress, lease: Duration) -> Result<(), StoreError> {
        let set = format!(
            "resume_cursor = $3, progress_done = $4, progress_total = $5, attempts = 0, failure = NULL, lease_until = {}",
            later(self.backend(), lease)
        );
        self.update_held(held, &set, vec![progress.cursor.clone().into(), whole(progress.done).into(), progress.total.map(whole).into()]).await
    }

    /// Ends a job, in the transaction of its last step. [`StoreError::Stale`] as above.
    pub async fn finish_job(&self, held: JobLease, outcome: &Json) -> Result<(), StoreError> {
        let set = "state = 'DONE', lease_until = NULL, failure = NULL, outcome = $3, finished_at = $4, progress_done = COALESCE(progress_total, progress_done)";
        self.update_held(held, set, vec![outcome.to_string().into(), self.now().into()]).await
    }

    /// Notes why a try failed: tried again after a while, or given up. [`StoreError::Stale`] as above.
    pub async fn fail_job(&self, held: JobLease, failure: &Json, again_in: Option<Duration>) -> Result<(), StoreError> {
        match again_in {
            Some(pause) => {
                let set = format!("state = 'WAITING', lease_until = NULL, failure = $3, run_at = {}", later(self.backend(), pause));
                self.update_held(held, &set, vec![failure.to_string().into()]).await
            }
            None => {
                let set = "state = 'FAILED', lease_until = NULL, failure = $3, finished_at = $4";
                self.update_held(held, set, vec![failure.to_string().into(), self.now().into()]).await
            }
        }
    }

    /// Gives a job back unharmed, for a node that stops: another one goes on at once.
    pub async fn release_job(&self, held: JobLease) -> Result<(), StoreError> {
        let set = format!(
            "state = 'WAITING', lease_until = NULL, attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END, run_at = {}",
            later(self.backend(), Duration::ZERO)
        );
        self.update_held(held, &set, Vec::new()).await
    }

    async fn update_held(&self, held: JobLease, set: &str, further: Vec<Value>) -> Result<(), StoreError> {
        let mut values = vec![held.id.into(), held.fence.into()];
        values.extend(further);
        self.execute_one(format!("UPDATE job SET {set} WHERE id = $1 AND fence = $2 AND state = 'RUNNING'"), values).await
    }
}
