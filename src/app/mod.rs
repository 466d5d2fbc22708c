//! Use cases. Each asks for the right first, opens at most one transaction, lists the faults that it can return, and reads like
//! a recipe. This room knows the domain and the store, and nothing of how a request came in.

pub mod access;
pub mod admission;
pub mod admissions;
pub mod auth;
pub mod ctx;
pub mod disputes;
pub mod entitlements;
pub mod exports;
pub mod facts;
mod held;
pub mod idempotency;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod levelling;
pub mod limits;
mod outbox;
pub mod overrides;
mod pages;
mod parallel;
pub mod partners;
mod periods;
pub mod place;
mod plan;
pub mod programs;
pub mod rebates;
pub mod reviews;
pub mod simulation;
mod text;
pub mod transactions;
pub mod versions;

use std::sync::Arc;

pub use ctx::Ctx;
use guerdon_domain::program::Program;
use guerdon_domain::region::Tree;
use guerdon_store::Store;
pub use limits::Limits;
use versions::VersionCache;

use crate::clock::{Clock, SystemClock};
use crate::error::AppError;
use crate::idgen::{IdGen, SystemIds};

/// Program versions that go on with those before them: by these, in order, and the version itself at the end.
pub type ContinuedPrograms = VersionCache<Program, Vec<programs::VersionId>>;

/// What every use case works with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// New identities and secrets.
    pub ids: Arc<dyn IdGen>,
    /// Bounds of the work.
    pub limits: Limits,
    /// Compiled program versions.
    pub programs: Arc<VersionCache<Program>>,
    /// The same that go on with versions before them.
    pub continued_programs: Arc<ContinuedPrograms>,
    /// Sums that a run reads for many partners at once.
    pub rebate_sums: Arc<rebates::sums::SumsWindow>,
    /// Region trees of program versions.
    regions: Arc<VersionCache<Tree>>,
    /// The migrations that this version needs.
    migrations: Arc<[String]>,
}

impl App {
    /// With the system's clock and identities.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            limits: Limits::default(),
            programs: Arc::default(),
            continued_programs: Arc::default(),
            rebate_sums: Arc::default(),
            regions: Arc::default(),
            migrations: Arc::default(),
        }
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

    /// The same, ready only once the database has had these migrations.
    #[must_use]
    pub fn requiring(self, migrations: impl IntoIterator<Item = String>) -> Self {
        Self { migrations: migrations.into_iter().collect(), ..self }
    }

    /// The same for one request that only reads: everything that it is told comes from one snapshot.
    #[must_use]
    pub fn in_one_snapshot(&self) -> Self {
        Self { store: self.store.in_one_snapshot(), ..self.clone() }
    }

    /// The circumstances of a task of the service itself.
    pub fn system(&self, task: &str) -> Ctx {
        Ctx::system(task, self.clock.now())
    }

    /// Whether the database is reachable and has had the migrations that this version needs.
    pub async fn ready(&self) -> Result<(), AppError> {
        self.store.ping().await?;
        let applied = self.store.applied_migrations().await?;
        let missing = self.migrations.iter().any(|needed| !applied.contains(needed));
        if missing { Err(AppError::conflict("NOT_MIGRATED", "", "the database lacks this version's schema: run `guerdon migrate`")) } else { Ok(()) }
    }
}
