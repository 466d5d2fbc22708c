//! Reviews: begun by hand or by the schedule, done as a job, kept as a compliance record, listed.

mod at_once;
mod chunk;
mod judging;
mod lists;
mod news;
mod plan;
mod preview;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::levelling::Due;
use guerdon_store::{AuditEntry, Change, NewJob, ReviewStart, WriteTx};
pub use guerdon_store::{ListedStanding, ReviewId, ReviewState, StandingFilter, StandingOrder, StandingsOf, StoredReview};

pub(super) use at_once::stand_at_once;
pub use chunk::work;
pub(super) use judging::index_of;
pub use lists::{
    Moves, Standings, StandingsQuestion, count_standings, find_last_review, find_review, list_failures, list_reviews, list_standings, moves_many,
    program_and_version, reviews_many, sees_everybody,
};
pub use plan::plan;
pub use preview::{Preview, preview_review};
pub use slice::Slice;

use super::idempotency::{Keyed, keyed_context};
use super::programs::{InForce, ProgramKey, in_force_many};
use super::{App, Ctx};
use crate::clock::civil_date;
use crate::error::AppError;

/// The job's kind.
pub const KIND: &str = "review";

/// A review to be begun.
#[derive(Debug, Clone)]
pub struct StartReview {
    /// The program.
    pub program: ProgramKey,
    /// The date; today in the program's time zone when empty.
    pub as_of: Option<Date>,
    /// Regions, with what lies under them; everywhere when empty.
    pub regions: Vec<String>,
    /// Types; any when empty.
    pub types: Vec<String>,
    /// Codes; all when empty.
    pub partners: Vec<String>,
    /// Whether reviews fall on the days that the version's policy names, or this one is called by hand.
    pub due: Due,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A review as it will be: by which version, whom.
#[derive(Debug, Clone)]
struct Prepared {
    version: InForce,
    as_of: Date,
    slice: Slice,
    due: Due,
    total: u64,
}

/// Begins a review: everybody of the slice that the caller may judge, in the background. Answers the review; its job goes on from
/// chunk to chunk.
///
/// # Errors
/// `Forbidden`; `NotFound` about the program; `Invalid` for a date in the future or before the first version, and for unknown regions,
/// types and partners; `Conflict` with `REVIEW_RUNNING`; those of idempotency keys.
pub async fn start_review(app: &App, ctx: &Ctx, input: &StartReview) -> Result<StoredReview, AppError> {
    let scope = ctx.require((Action::Write, Resource::Review))?;
    let prepared = prepare(app, ctx, &scope, input).await?;
    let context = keyed_context(app, ctx, "reviewStart", input.keyed.as_ref())?;
    let written = app.store.write(&context, async |tx| begin(tx, &prepared, "REQUESTED").await).await?;
    Ok(written.value)
}

/// Finds the version in force, and checks whom the review is about.
async fn prepare(app: &App, ctx: &Ctx, scope: &Scope, input: &StartReview) -> Result<Prepared, AppError> {
    app.store
        .read(async |tx| {
            // The day may already be another one in the program's time zone; the time zone is the latest version's.
            let near = [ctx.today.plus_days(-1), ctx.today, ctx.today.next()];
            let dates: BTreeSet<Date> = near.into_iter().chain(input.as_of).collect();
            let mut found = in_force_many(app, tx, Some(&input.program), &dates).await?;
            let today = match found.iter().rfind(|(date, _)| near.contains(date)) {
                Some((_, latest)) => civil_date(ctx.now, latest.compiled.time_zone),
                None => ctx.today,
            };
            let as_of = input.as_of.unwrap_or(today);
            if as_of > today {
                let message = format!("it is {today} in the program's time zone: a review decides about a day that has begun");
                return Err(AppError::invalid("DATE_IN_THE_FUTURE", "asOf", message));
            }
            let Some(version) = found.remove(&as_of) else {
                return Err(AppError::invalid("NO_VERSION_IN_FORCE", "asOf", format!("no version of the program is in force on {as_of}")));
            };
            let slice = Slice::of(tx, scope, &version, input).await?;
            let total = tx.count_to_review(&slice.walk(version.program.id, as_of)).await?;
            Ok(Prepared { version, as_of, slice, due: input.due, total })
        })
        .await
}

/// Puts a review on record as under way, with its job.
async fn begin(tx: &WriteTx, prepared: &Prepared, cause: &'static str) -> Result<Change<StoredReview>, AppError> {
    let program = &prepared.version.program;
    tx.lock_reviews(program.id).await?;
    // Two that overlap could decide a later day before an earlier one, and what is decided late for the past is not put on record.
    if let Some(live) = tx.find_live_review_date(program.id).await? {
        return Err(running(live));
    }
    let start = ReviewStart {
        program: program.id,
        version: prepared.version.version.id,
        as_of: prepared.as_of,
        cause,
        slice: prepared.slice.text()?,
        due: if prepared.due == Due::Now { "NOW" } else { "BY_CALENDAR" },
    };
    let base = tx.find_same_review(&start).await?;
    let id = tx.begin_review(&start, base.map(|base| base.id)).await?;
    let job = NewJob { kind: KIND, unique_key: Some(id.to_string()), input: serde_json::json!({ "review": id }), total: Some(prepared.total) };
    let job = tx.enqueue_job(&job).await?;
    tx.set_review_job(id, job.id).await?;
    let review = tx.find_review(id).await?.ok_or(AppError::NotFound)?;
    let after = serde_json::json!({ "program": program.code, "asOf": prepared.as_of, "cause": cause, "version": prepared.version.version.number, "partners": prepared.total });
    Ok(Change::new(review, AuditEntry::of("Review", id).after(after)))
}

fn running(as_of: Date) -> AppError {
    let message = format!("a review of this program as of {as_of} is under way: wait until it has ended, so that days are decided in their order");
    AppError::conflict("REVIEW_RUNNING", "asOf", message)
}

/// The versions of reviews, compiled, by review.
async fn version_of(app: &App, tx: &guerdon_store::ReadTx, review: &StoredReview) -> Result<InForce, AppError> {
    super::programs::published_version(app, tx, review.program_id, review.version_id).await
}

/// Numbers by name, for the audit trail and the outcome of a job.
fn outcome_of(review: &StoredReview) -> serde_json::Value {
    let counts: BTreeMap<&str, i64> = [
        ("judged", review.judged),
        ("changed", review.changed),
        ("promoted", review.promoted),
        ("demoted", review.demoted),
        ("kept", review.kept),
        ("failed", review.failed),
        ("inThePast", review.in_the_past),
    ]
    .into();
    serde_json::json!({ "review": review.id, "asOf": review.as_of, "unchanged": review.state == ReviewState::Unchanged, "counts": counts })
}
