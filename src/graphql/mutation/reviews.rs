//! Reviews: begun by hand.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use guerdon_domain::levelling::Due;

use super::begin;
use super::user_errors::{ReviewStartUserError, of_mutation};
use crate::app::programs::ProgramKey;
use crate::app::reviews::{self, StartReview};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::payload::settle;
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::review::{Review, ReviewPreview};

/// A review to begin, of everybody that you may judge or a slice.
#[derive(Debug, Clone, InputObject)]
pub struct ReviewStartInput {
    /// The program's code.
    pub program: String,
    /// The date; today in the program's time zone when empty. Not one to come. The past is judged, and not rewritten.
    pub as_of: Option<GqlDate>,
    /// In any of these regions on the date, or under one; everywhere when empty. At most 50.
    pub regions: Option<Vec<String>>,
    /// Of any of these types on the date; of any when empty. At most 50.
    pub types: Option<Vec<String>>,
    /// Of these codes; all when empty. At most 1,000.
    pub partners: Option<Vec<String>>,
    /// Whether a review is due on that date whatever the version's policy says. Grace, protection and steps still hold.
    #[graphql(default)]
    pub review_due: bool,
    /// Only answer what would move; nothing is stored.
    #[graphql(default)]
    pub dry_run: bool,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReviewStartPayload {
    /// The review, under way: ask for it again until it is done. Null for a dry run.
    pub review: Option<Review>,
    /// What it would do. Only of a dry run.
    pub preview: Option<ReviewPreview>,
    /// What you have to mend.
    pub user_errors: Vec<ReviewStartUserError>,
}

/// Keys of one member at most.
const KEYS_MAX: usize = 50;

/// Mutations of reviews.
#[derive(Default)]
pub struct ReviewMutations;

#[Object]
impl ReviewMutations {
    /// Begins a review as of a date: judges everybody of the slice in the background, puts on record what changes, and keeps every
    /// standing as it was judged. The same review again changes nothing and says so.
    async fn review_start(&self, ctx: &Context<'_>, #[graphql(desc = "Whom, and as of when.")] input: ReviewStartInput) -> Answer<ReviewStartPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let dry_run = input.dry_run;
        let done = async {
            let order = read(input, keyed, app.limits.evaluate_max)?;
            if dry_run {
                return Ok((None, Some(reviews::preview_review(app, caller, &order).await?)));
            }
            Ok((Some(reviews::start_review(app, caller, &order).await?), None))
        };
        let (done, errors) = settle(done.await)?;
        let (review, preview) = done.unwrap_or_default();
        Ok(ReviewStartPayload { review: review.map(Review), preview: preview.map(ReviewPreview), user_errors: of_mutation(errors) })
    }
}

fn read(input: ReviewStartInput, keyed: Option<crate::app::idempotency::Keyed>, partners_max: usize) -> Result<StartReview, AppError> {
    let (regions, types, partners) = (input.regions.unwrap_or_default(), input.types.unwrap_or_default(), input.partners.unwrap_or_default());
    for (member, count, most) in [("regions", regions.len(), KEYS_MAX), ("types", types.len(), KEYS_MAX), ("partners", partners.len(), partners_max)] {
        if count > most {
            return Err(AppError::limit("TOO_MANY", member, format!("at most {most} are taken: leave them out for all, or begin several reviews")));
        }
    }
    let due = if input.review_due { Due::Now } else { Due::ByCalendar };
    Ok(StartReview { program: ProgramKey::Code(input.program), as_of: input.as_of.map(Into::into), regions, types, partners, due, keyed })
}
