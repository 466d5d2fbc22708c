//! Background work.

use async_graphql::{Enum, ID, Object, SimpleObject};

use crate::app::jobs;
use crate::connection;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::scalars::DateTime;

/// How far background work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::jobs::JobState")]
pub enum JobState {
    /// Nobody works on it yet, or it waits for another try.
    Waiting,
    /// Somebody works on it.
    Running,
    /// Done.
    Done,
    /// Given up, with its fault.
    Failed,
}

/// Background work.
#[derive(Debug, Clone)]
pub struct Job(pub jobs::Job);

/// Background work: a review, a rebate run, the housekeeping of a day. It goes on after a crash where it stopped.
#[Object]
impl Job {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Job, self.0.0.id)
    }

    /// Its kind: `review`, `housekeeping`, ...
    async fn kind(&self) -> &str {
        &self.0.0.kind
    }

    /// How far it is.
    async fn state(&self) -> JobState {
        self.0.0.state.into()
    }

    /// Steps done.
    async fn done(&self) -> i64 {
        i64::try_from(self.0.0.done).unwrap_or(i64::MAX)
    }

    /// Steps in all; null where that is not known.
    async fn total(&self) -> Option<i64> {
        self.0.0.total.and_then(|total| i64::try_from(total).ok())
    }

    /// Tries since it last came forward.
    async fn attempts(&self) -> u32 {
        self.0.0.attempts
    }

    /// Why its last try failed; empty when it did not.
    async fn faults(&self) -> Vec<JobFault> {
        let faults = self.0.faults();
        faults.into_iter().map(|fault| JobFault { code: fault.code, path: (!fault.path.is_empty()).then_some(fault.path), message: fault.message }).collect()
    }

    /// What came of it, as JSON text; null until it is done.
    async fn outcome(&self) -> Option<&str> {
        self.0.0.outcome.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.0.created_at.into()
    }

    /// Who asked.
    async fn created_by(&self) -> &str {
        &self.0.0.created_by
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.0.finished_at.map(DateTime)
    }
}

/// Why background work failed.
#[derive(Debug, Clone, SimpleObject)]
pub struct JobFault {
    /// Stable, in capitals. Expect codes that you do not know.
    pub code: String,
    /// Where in its input; null when it is about no single member.
    pub path: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

connection!(JobConnection, JobEdge, Job, "background work");
