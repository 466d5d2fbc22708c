//! Use cases. Each asks for the right first, opens at most one transaction, lists the faults that it can return, and reads like
//! a recipe. This room knows the domain and the store, and nothing of how a request came in.

pub mod access;
pub mod auth;
pub mod ctx;
pub mod limits;
pub mod versions;

use std::sync::Arc;

pub use ctx::Ctx;
pub use limits::Limits;

use crate::clock::{Clock, SystemClock};
use crate::idgen::{IdGen, SystemIds};

/// What every use case works with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// New identities and secrets.
    pub ids: Arc<dyn IdGen>,
    /// Bounds of the work.
    pub limits: Limits,
}

impl App {
    /// With the system's clock and identities.
    pub fn new() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), limits: Limits::default() }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same with other identities.
    #[must_use]
    pub fn with_ids(self, ids: Arc<dyn IdGen>) -> Self {
        Self { ids, ..self }
    }

    /// The circumstances of a request by `actor`.
    pub async fn admit(&self, actor: guerdon_domain::access::Actor, request_id: Arc<str>) -> Result<Ctx, crate::error::AppError> {
        Ok(Ctx::new(actor, request_id, self.clock.now()))
    }

    /// The actor of an API key: known as soon as keys are kept.
    pub async fn identify_key(&self, _: &str, _: chrono::DateTime<chrono::Utc>) -> Result<guerdon_domain::access::Actor, crate::error::AppError> {
        Err(crate::error::AppError::Unauthenticated)
    }

    /// Whether the service can work.
    pub async fn ready(&self) -> Result<(), crate::error::AppError> {
        Ok(())
    }

    /// Counts what the store did.
    pub fn count_store(&self) {}

    /// The circumstances of a task of the service itself.
    pub fn system(&self, task: &str) -> Ctx {
        Ctx::system(task, self.clock.now())
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}
