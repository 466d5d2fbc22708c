//! Reviews and standings as people ask for them, in scope.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::fault::Faults;
use guerdon_domain::page::{Page, PageRequest};
use guerdon_store::{ListedStanding, ReviewId, ReviewState, StandingFilter, StandingOrder, StandingsOf, StoreError, StoredProgram, StoredReview, VersionHead};

use crate::app::pages::{self, Keyed};
use crate::app::partners::PartnerId;
use crate::app::programs::{ProgramKey, program_in};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// A page of standings with the keys of their cursors.
pub type Standings = Page<Keyed<ListedStanding>>;

/// Partners that a review could not judge, in one list at most.
const FAILURES_MAX: u32 = 1_000;

/// Which standings are asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum StandingsQuestion {
    /// Those that a review found.
    Review(ReviewId),
    /// The latest of a program; of the only one when none is named.
    Now(Option<ProgramKey>),
}

/// A review; none when there is none. Who sees some partners only sees of it what concerns them: ask for its standings.
///
/// # Errors
/// `Forbidden`.
pub async fn find_review(app: &App, ctx: &Ctx, id: ReviewId) -> Result<Option<StoredReview>, AppError> {
    Ok(reviews_many(app, ctx, &[id]).await?.remove(&id))
}

/// Reviews by id. Their counts are of everybody: who sees some partners only gets none.
///
/// # Errors
/// `Forbidden`.
pub async fn reviews_many(app: &App, ctx: &Ctx, ids: &[ReviewId]) -> Result<BTreeMap<ReviewId, StoredReview>, AppError> {
    ctx.require((Action::Read, Resource::Review))?;
    Ok(app.store.read::<_, StoreError, _>(async |tx| tx.reviews_many(ids).await).await?)
}

/// The last review of a program that found something, as of a date or of the latest one.
///
/// # Errors
/// As [`list_reviews`].
pub async fn find_last_review(app: &App, ctx: &Ctx, program: Option<&ProgramKey>, as_of: Option<Date>) -> Result<Option<StoredReview>, AppError> {
    ctx.require((Action::Read, Resource::Review))?;
    app.store
        .read(async |tx| {
            let program = program_in(tx, program).await?;
            Ok(tx.find_last_review(program.id, as_of).await?)
        })
        .await
}

/// The program and the version of a review.
///
/// # Errors
/// `NotFound`, which does not happen while the review is there.
pub async fn program_and_version(app: &App, review: &StoredReview) -> Result<(StoredProgram, VersionHead), AppError> {
    app.store
        .read(async |tx| {
            let program = tx.find_program_by_id(review.program_id).await?.ok_or(AppError::NotFound)?;
            let version = tx.find_version(review.version_id).await?.ok_or(AppError::NotFound)?;
            Ok((program, version))
        })
        .await
}

/// A page of the reviews of a program, the latest date first.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn list_reviews(
    app: &App,
    ctx: &Ctx,
    program: Option<&ProgramKey>,
    states: &[ReviewState],
    page: &PageRequest,
) -> Result<Page<Keyed<StoredReview>>, AppError> {
    ctx.require((Action::Read, Resource::Review))?;
    let request = pages::request_of(page);
    let found = app.store.read(async |tx| {
        let program = program_in(tx, program).await?;
        Ok::<_, AppError>(tx.list_reviews(program.id, states, &request).await?)
    });
    Ok(pages::page_of(found.await?, page.backward))
}

async fn source(tx: &guerdon_store::ReadTx, question: &StandingsQuestion) -> Result<StandingsOf, AppError> {
    match question {
        StandingsQuestion::Review(id) => Ok(StandingsOf::Review(tx.find_review(*id).await?.ok_or(AppError::NotFound)?.standings_of())),
        StandingsQuestion::Now(program) => Ok(StandingsOf::Now(program_in(tx, program.as_ref()).await?.id)),
    }
}

/// A page of standings of partners that the caller may see.
///
/// # Errors
/// `Forbidden`; `NotFound` about the review or the program.
pub async fn list_standings(
    app: &App,
    ctx: &Ctx,
    question: &StandingsQuestion,
    filter: &StandingFilter,
    order: StandingOrder,
    page: &PageRequest,
) -> Result<Standings, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    let request = pages::request_of(page);
    let found = app.store.read(async |tx| {
        let of = source(tx, question).await?;
        Ok::<_, AppError>(tx.list_standings(&scope, of, filter, order, &request).await?)
    });
    Ok(pages::page_of(found.await?, page.backward))
}

/// How many standings of partners that the caller may see the filter takes.
///
/// # Errors
/// As [`list_standings`].
pub async fn count_standings(app: &App, ctx: &Ctx, question: &StandingsQuestion, filter: &StandingFilter) -> Result<i64, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    app.store
        .read(async |tx| {
            let of = source(tx, question).await?;
            Ok(tx.count_standings(&scope, of, filter).await?)
        })
        .await
}

/// How many partners went from which tier to which, by ladder.
pub type Moves = Vec<(String, Option<String>, Option<String>, i64)>;

/// How many of the partners that the caller may see went from which tier to which, by the reviews that hold the standings.
///
/// # Errors
/// As [`list_standings`].
pub async fn moves_many(app: &App, ctx: &Ctx, reviews: &[ReviewId]) -> Result<BTreeMap<ReviewId, Moves>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    Ok(app.store.read::<_, StoreError, _>(async |tx| tx.count_moves_many(&scope, reviews).await).await?)
}

/// Whether the caller may see every partner, and with it what is counted of all of them.
pub fn sees_everybody(ctx: &Ctx) -> bool {
    ctx.require((Action::Read, Resource::Review)).is_ok_and(|scope| scope.is_all())
}

/// The partners that the caller may see and a review could not judge, with the reason; the first thousand.
///
/// # Errors
/// As [`list_standings`].
pub async fn list_failures(app: &App, ctx: &Ctx, review: &StoredReview) -> Result<Vec<(PartnerId, String, Faults)>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    let found = app.store.read::<_, StoreError, _>(async |tx| tx.list_review_failures(&scope, review.standings_of(), FAILURES_MAX).await).await?;
    found.into_iter().map(|(id, code, faults)| Ok((id, code, Faults(serde_json::from_str(&faults).map_err(AppError::internal)?)))).collect()
}
