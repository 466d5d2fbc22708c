//! Work that is prepared ahead: while a step of a job is written, what the next one needs is read and computed.

use std::sync::{Mutex, PoisonError};

use guerdon_store::JobId;

use super::HeldJob;

/// What was prepared last of the next step of some job. It is a hint: whoever does not find it prepares the step himself, and
/// whether a step may be written is decided by the lease and the fence when it is.
#[derive(Debug)]
pub struct Ahead<T>(Mutex<Option<(Place, T)>>);

/// A job in the hands of one worker, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    job: JobId,
    fence: i64,
    cursor: Option<String>,
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Ahead<T> {
    /// What was prepared for this very step, once.
    pub fn take(&self, job: &HeldJob) -> Option<T> {
        let prepared = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        prepared.filter(|(place, _)| *place == job.place(job.cursor.as_deref())).map(|(_, prepared)| prepared)
    }

    /// Keeps what was prepared for the step of this job that begins at `cursor`.
    pub fn keep(&self, job: &HeldJob, cursor: &str, prepared: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((job.place(Some(cursor)), prepared));
    }
}

impl HeldJob {
    fn place(&self, cursor: Option<&str>) -> Place {
        Place { job: self.id, fence: self.fence, cursor: cursor.map(str::to_owned) }
    }
}
