//! Who asks, in which request, until when, and what day it is: the first parameter of every use case.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Actor;
use guerdon_domain::date::Date;

/// The circumstances of one request.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who asks; his regions are expanded already.
    pub actor: Arc<Actor>,
    /// The id of the request, as logs and answers carry it.
    pub request_id: Arc<str>,
    /// When the answer is of no use any more; none for jobs and the command line.
    pub deadline: Option<Instant>,
    /// The moment of the request.
    pub now: DateTime<Utc>,
    /// Its civil date in UTC: rights begin and end by it. Rules use the date in their program's time zone.
    pub today: Date,
}

impl Ctx {
    /// `actor` asks at `now`.
    pub fn new(actor: Actor, request_id: impl Into<Arc<str>>, now: DateTime<Utc>) -> Self {
        Self { actor: Arc::new(actor), request_id: request_id.into(), deadline: None, now, today: Date::from_naive(now.date_naive()) }
    }

    /// The same, until `deadline`.
    #[must_use]
    pub fn until(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// The service itself, for the task of this name: the command line and the jobs.
    pub fn system(task: &str, now: DateTime<Utc>) -> Self {
        Self::new(Actor::system(task), task, now)
    }
}
