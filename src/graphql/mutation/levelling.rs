//! Tiers: evaluations that put decisions on record.

use std::collections::BTreeSet;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use guerdon_domain::levelling::Due;

use super::begin;
use super::user_errors::{TiersEvaluateUserError, of_mutation};
use crate::app::levelling::{self, EvaluateTiers, Selection, TierMoved};
use crate::app::programs::{self, ProgramKey};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::payload::settle;
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::partner::Partner;
use crate::graphql::types::tier::AssignmentCause;

/// Tiers that a payload lists at most; `movedCount` says how many changed.
const LISTED_MAX: usize = 100;

/// Partners to judge, as of a date.
#[derive(Debug, Clone, InputObject)]
pub struct TiersEvaluateInput {
    /// The program's code.
    pub program: String,
    /// The codes of the partners, at most 1,000; every enrolled partner that you may judge when empty.
    pub partners: Option<Vec<String>>,
    /// The date; today in the program's time zone when empty. The past is not rewritten.
    pub as_of: Option<GqlDate>,
    /// Whether a review is due on that date whatever the version's policy says. Grace, protection and steps still hold.
    #[graphql(default)]
    pub review_due: bool,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// A tier that changed.
pub struct MovedTier(pub TierMoved);

/// A tier that an evaluation changed.
#[Object]
impl MovedTier {
    /// The partner's code.
    async fn partner_code(&self) -> &str {
        &self.0.code
    }

    /// The partner; null when you may not read it.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok::<_, GqlFault>(ctx.loaders()?.partner(self.0.partner).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The ladder.
    async fn ladder(&self) -> &str {
        &self.0.ladder
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The tier before; null for none.
    async fn from(&self) -> Option<&str> {
        self.0.from.as_deref()
    }

    /// The tier now; null for none.
    async fn to(&self) -> Option<&str> {
        self.0.to.as_deref()
    }

    /// The first day on which it is held.
    async fn on(&self) -> GqlDate {
        self.0.on.into()
    }

    /// Why.
    async fn cause(&self) -> AssignmentCause {
        self.0.cause.into()
    }
}

/// What came of an evaluation.
#[derive(SimpleObject)]
pub struct TiersEvaluatePayload {
    /// How many partners were judged.
    pub judged: Option<i64>,
    /// How many tiers changed.
    pub moved_count: Option<i64>,
    /// The tiers that changed; at most 100.
    pub moved: Option<Vec<MovedTier>>,
    /// What you have to mend. A partner that cannot be judged (a missing exchange rate) is listed here, and the others are judged.
    pub user_errors: Vec<TiersEvaluateUserError>,
}

/// Mutations of tiers.
#[derive(Default)]
pub struct LevellingMutations;

#[Object]
impl LevellingMutations {
    /// Judges partners as of a date by the version in force on it, and puts on record what changes. The same again changes nothing.
    async fn tiers_evaluate(&self, ctx: &Context<'_>, #[graphql(desc = "Whom, and as of when.")] input: TiersEvaluateInput) -> Answer<TiersEvaluatePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let evaluated = async {
            let most = app.limits.evaluate_max;
            if input.partners.as_ref().is_some_and(|partners| partners.len() > most) {
                return Err(AppError::limit("TOO_MANY", "partners", format!("at most {most} partners are judged at once: send several requests")));
            }
            let program = ProgramKey::Code(input.program);
            let date = match input.as_of {
                Some(date) => date.0,
                None => programs::get_today(app, caller, Some(&program)).await?,
            };
            let selection = input.partners.map_or(Selection::All, Selection::Partners);
            let due = if input.review_due { Due::Now } else { Due::ByCalendar };
            levelling::evaluate_tiers(app, caller, &EvaluateTiers { program, dates: BTreeSet::from([date]), selection, due, keyed }).await
        };
        let (done, mut errors) = settle(evaluated.await)?;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        if let Some(done) = &done {
            let failed = done.failed.iter().flat_map(|(code, faults)| faults.0.iter().map(move |fault| (code, fault)));
            errors.extend(failed.take(LISTED_MAX).map(|(code, fault)| crate::graphql::payload::UserError {
                code: fault.code.clone(),
                field: None,
                message: format!("partner {code} was not judged: {}", fault.message),
            }));
        }
        Ok(TiersEvaluatePayload {
            judged: done.as_ref().map(|done| i64::try_from(done.judged).unwrap_or(i64::MAX)),
            moved_count: done.as_ref().map(|done| count(done.moved.len())),
            moved: done.map(|done| done.moved.into_iter().take(LISTED_MAX).map(MovedTier).collect()),
            user_errors: of_mutation(errors),
        })
    }
}
