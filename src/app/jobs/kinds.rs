//! The kinds of background work, and what plans it: the one place where they are registered.

use std::pin::Pin;

use super::{HeldJob, Progress};
use crate::app::rebates::{accruals, runs};
use crate::app::{App, reviews};
use crate::error::AppError;

/// What a step or a plan answers later.
type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, AppError>> + Send + 'a>>;

/// A kind of background work.
pub struct Kind {
    /// Its name, as it is stored and shown.
    pub name: &'static str,
    /// Does the next step.
    pub work: for<'a> fn(&'a App, &'a HeldJob) -> Later<'a, Progress>,
}

/// Something that enqueues work whose day has come. Asked again and again, on every node; it enqueues nothing twice.
pub struct Planner {
    /// Its name, for the log.
    pub name: &'static str,
    /// Enqueues what is due.
    pub plan: for<'a> fn(&'a App) -> Later<'a, ()>,
}

/// Registers a kind: `kind!("review", reviews::work)`, a function `async fn work(app: &App, job: &HeldJob) -> Result<Progress, AppError>`.
macro_rules! kind {
    ($name:expr, $work:path) => {
        Kind { name: $name, work: |app, job| Box::pin($work(app, job)) }
    };
}

/// Registers a planner: `planner!("reviews", reviews::plan)`, a function `async fn plan(app: &App) -> Result<(), AppError>`.
macro_rules! planner {
    ($name:expr, $plan:path) => {
        Planner { name: $name, plan: |app| Box::pin($plan(app)) }
    };
}

/// All kinds of work.
pub const fn kinds() -> &'static [Kind] {
    const KINDS: &[Kind] = &[
        kind!(super::housekeeping::KIND, super::housekeeping::work),
        kind!(runs::KIND, runs::work),
        kind!(accruals::KIND, accruals::work),
        kind!(reviews::KIND, reviews::work),
    ];
    KINDS
}

/// All planners.
pub const fn planners() -> &'static [Planner] {
    const PLANNERS: &[Planner] = &[planner!(super::housekeeping::KIND, super::housekeeping::plan), planner!(reviews::KIND, reviews::plan)];
    PLANNERS
}
