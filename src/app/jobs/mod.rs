//! Background work: kinds and what each does, claiming, and looking at it.
//!
//! A kind has a `work` function, which does one step: it reads [`HeldJob::cursor`], does its part in one transaction, and in the same
//! transaction records its [`Progress`] through [`HeldJob::record`]. A worker that lost the job then matches no row, and nothing of
//! his step stays. The runner calls `work` again until the answer is [`Progress::Done`].

mod held;
mod housekeeping;
mod kinds;

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::fault::Fault;
use guerdon_domain::page::{Page, PageRequest};
use guerdon_store::{Change, StoreError};
pub use guerdon_store::{JobFilter, JobId, JobState, NewJob, StoredJob};

pub use held::{Ahead, HeldJob, Progress};
pub use kinds::{Kind, Planner, kinds, planners};

use super::idempotency::write_context;
use super::{App, Ctx, pages};
use crate::error::AppError;

/// Background work as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(pub StoredJob);

impl Job {
    /// Why its last try failed; empty when it did not.
    pub fn faults(&self) -> Vec<Fault> {
        self.0.failure.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Whether the caller sees a job: he may see jobs, or it is his own.
fn sees(ctx: &Ctx, job: &StoredJob) -> bool {
    job.created_by == ctx.actor.person || ctx.may((Action::Read, Resource::Job))
}

/// A job; none when there is none.
///
/// # Errors
/// `Forbidden` for those who may not see jobs, unless it is their own.
pub async fn find_job(app: &App, ctx: &Ctx, id: JobId) -> Result<Option<Job>, AppError> {
    let found = app.store.read::<_, StoreError, _>(async |tx| tx.find_job(id).await).await?;
    if !found.as_ref().is_some_and(|job| sees(ctx, job)) {
        ctx.require((Action::Read, Resource::Job))?;
    }
    Ok(found.map(Job))
}

/// Jobs by id, those that the caller sees: all for whoever may see jobs, his own for everybody else.
///
/// # Errors
/// `Busy`, `Internal`.
pub async fn jobs_many(app: &App, ctx: &Ctx, ids: &[JobId]) -> Result<BTreeMap<JobId, Job>, AppError> {
    let found = app.store.read::<_, StoreError, _>(async |tx| tx.jobs_many(ids).await).await?;
    Ok(found.into_iter().filter(|(_, job)| sees(ctx, job)).map(|(id, job)| (id, Job(job))).collect())
}

/// A page of jobs, the newest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_jobs(app: &App, ctx: &Ctx, filter: &JobFilter, page: &PageRequest) -> Result<Page<pages::Keyed<Job>>, AppError> {
    ctx.require((Action::Read, Resource::Job))?;
    let request = pages::request_of(page);
    let found = app.store.read::<_, StoreError, _>(async |tx| tx.list_jobs(filter, &request).await).await?;
    Ok(pages::page_of(found, page.backward).map(|(key, job)| (key, Job(job))))
}

/// Takes the job that has waited longest. None: there is nothing to do.
///
/// # Errors
/// `Busy`, `Internal`.
pub async fn claim_next(app: &App) -> Result<Option<HeldJob>, AppError> {
    let kinds: Vec<&str> = kinds().iter().map(|kind| kind.name).collect();
    // Looked for first without the lock of a writer: mostly there is nothing.
    if !app.store.read::<_, StoreError, _>(async |tx| tx.has_due_job(&kinds).await).await? {
        return Ok(None);
    }
    let lease = app.limits.job_lease;
    let context = write_context(&app.system("jobs"), "jobClaim");
    let claimed = app.store.write(&context, async |tx| Ok::<_, StoreError>(Change::unchanged(tx.claim_job(&kinds, lease).await?))).await?;
    Ok(claimed.value.map(|job| HeldJob::of(job, lease)))
}

/// Does the next step of a job.
///
/// # Errors
/// What its kind answers; `Stale` when somebody else took it over.
pub async fn work_on(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    if job.attempt > app.limits.job_attempts_max {
        let message = "its worker ended in the middle of it, several times at the same place: see the log of that time";
        return Err(AppError::conflict("WORKER_LOST", "", message));
    }
    match kinds().iter().find(|kind| kind.name == job.kind) {
        Some(kind) => (kind.work)(app, job).await,
        None => Err(AppError::internal(format!("there is no kind of job {}", job.kind))),
    }
}

/// Holds on to a job whose step takes long.
///
/// # Errors
/// `Stale` when somebody else took it over.
pub async fn renew(app: &App, job: &HeldJob) -> Result<(), AppError> {
    by_worker(app, async |tx| tx.renew_job(job.lease(), job.lease_time).await).await
}

/// Gives a job back, for a node that stops.
///
/// # Errors
/// `Stale` when somebody else took it over.
pub async fn release(app: &App, job: &HeldJob) -> Result<(), AppError> {
    by_worker(app, async |tx| tx.release_job(job.lease()).await).await
}

/// Notes why a step failed. What may succeed later is tried again after a pause that doubles with every try; what the input or the
/// state forbids is given up at once.
///
/// # Errors
/// `Stale` when somebody else took it over.
pub async fn note_failure(app: &App, job: &HeldJob, error: &AppError) -> Result<(), AppError> {
    let faults = error.faults().map_or_else(|| vec![unspoken(error)], |faults| faults.0);
    let failure = serde_json::to_value(&faults).map_err(AppError::internal)?;
    let hopeless = matches!(error, AppError::Invalid(_) | AppError::Conflict(_) | AppError::Limit(_) | AppError::NotFound | AppError::Forbidden);
    let again = (!hopeless && job.attempt < app.limits.job_attempts_max).then(|| app.limits.job_pause * 2_u32.saturating_pow(job.attempt.saturating_sub(1)));
    by_worker(app, async |tx| tx.fail_job(job.lease(), &failure, again).await).await
}

/// What a fault without words of its own is called where everybody can read it: never its inner text.
fn unspoken(error: &AppError) -> Fault {
    let message = match error {
        AppError::NotFound => "what it was about is not there any more",
        AppError::Forbidden => "whoever asked for it may not do it any more",
        AppError::Busy => "the database was too busy",
        _ => "a fault of the service: the log of that time has it",
    };
    Fault::new(error.code(), "", message)
}

async fn by_worker<F>(app: &App, work: F) -> Result<(), AppError>
where
    F: AsyncFnOnce(&guerdon_store::WriteTx) -> Result<(), StoreError> + Clone,
{
    let context = write_context(&app.system("jobs"), "jobNote");
    app.store
        .write(&context, async |tx| {
            work(tx).await?;
            Ok::<_, StoreError>(Change::unchanged(()))
        })
        .await?;
    Ok(())
}

/// Asks every planner whether something has become due.
///
/// # Errors
/// The first that fails; the others have been asked.
pub async fn plan_due(app: &App) -> Result<(), AppError> {
    let mut first = Ok(());
    for planner in planners() {
        let planned = (planner.plan)(app).await;
        if let (Err(error), Ok(())) = (planned, &first) {
            tracing::warn!(planner = planner.name, error = %crate::error::causes(&error), "nothing could be planned");
            first = Err(error);
        }
    }
    first
}
