//! A job in the hands of a worker.

use std::time::Duration;

use guerdon_store::{JobId, JobLease, JobProgress, StoredJob, WriteTx};
use serde::de::DeserializeOwned;

use crate::error::AppError;

/// A job in the hands of a worker.
#[derive(Debug, Clone)]
pub struct HeldJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Where to go on; none: from the start.
    pub cursor: Option<String>,
    /// Steps done.
    pub done: u64,
    /// Steps in all, where that is known.
    pub total: Option<u64>,
    /// Tries since it last came forward, with this one.
    pub attempt: u32,
    /// Who asked for it.
    pub created_by: String,
    input: String,
    pub(super) fence: i64,
    pub(super) lease_time: Duration,
}

/// What a step of a job came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// There is more to do.
    More {
        /// Where to go on.
        cursor: String,
        /// Steps done.
        done: u64,
        /// Steps in all, where that is known.
        total: Option<u64>,
    },
    /// It is done, and this came of it.
    Done(serde_json::Value),
}

impl HeldJob {
    /// What it needs to know.
    ///
    /// # Errors
    /// `Internal` when it is not of this shape.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, AppError> {
        serde_json::from_str(&self.input).map_err(AppError::internal)
    }

    /// Records what a step came to, in the transaction of the step.
    ///
    /// # Errors
    /// `Stale` when somebody else took the job over: the transaction must not commit.
    pub async fn record(&self, tx: &WriteTx, progress: &Progress) -> Result<(), AppError> {
        match progress {
            Progress::More { cursor, done, total } => {
                let progress = JobProgress { cursor: cursor.clone(), done: *done, total: *total };
                tx.advance_job(self.lease(), &progress, self.lease_time).await?;
            }
            Progress::Done(outcome) => tx.finish_job(self.lease(), outcome).await?,
        }
        Ok(())
    }

    /// The same job after a step.
    #[must_use]
    pub fn after(self, progress: &Progress) -> Self {
        match progress {
            Progress::More { cursor, done, total } => Self { cursor: Some(cursor.clone()), done: *done, total: *total, attempt: 1, ..self },
            Progress::Done(_) => self,
        }
    }

    /// A job as it was claimed.
    pub(super) fn of(job: StoredJob, lease_time: Duration) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            cursor: job.cursor,
            done: job.done,
            total: job.total,
            attempt: job.attempts,
            created_by: job.created_by,
            input: job.input,
            fence: job.fence,
            lease_time,
        }
    }

    pub(super) const fn lease(&self) -> JobLease {
        JobLease { id: self.id, fence: self.fence }
    }
}
