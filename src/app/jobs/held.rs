//! A job in the hands of a worker.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// What the worker has at hand for the next step.
    pub ahead: Ahead,
}

/// What a worker got ready for the next step of a job. It is kept in his hands only: another worker begins without it.
#[derive(Clone, Default)]
pub struct Ahead(Arc<Mutex<Option<Box<dyn Any + Send>>>>);

impl Ahead {
    /// Keeps something for the next step, in place of what was kept.
    pub fn keep<T: Send + 'static>(&self, ready: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(ready));
    }

    /// Takes what was kept, if it is of this kind.
    pub fn take<T: 'static>(&self) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        kept.downcast::<T>().ok().map(|ready| *ready)
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead")
    }
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
            ahead: Ahead::default(),
        }
    }

    pub(super) const fn lease(&self) -> JobLease {
        JobLease { id: self.id, fence: self.fence }
    }
}
