//! Reviews, and where partners stand.

use async_graphql::{Context, Enum, ID, InputObject, Object};
use guerdon_domain::rounding::RoundingMode;

use crate::app::programs::{self, ProgramKey};
use crate::app::reviews::{self, StandingFilter, StandingOrder, StandingsQuestion};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::connect_keyed;
use crate::graphql::scalars::{Decimal, GqlDate};
use crate::graphql::types::review::{Review, ReviewConnection, ReviewFailure, ReviewState, StoredStanding, StoredStandingConnection};

/// Keys of one member of a filter at most.
const FILTER_KEYS_MAX: usize = 50;

/// Which standings. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StandingFilterInput {
    /// In this ladder.
    pub ladder: Option<String>,
    /// Holding any of these tiers; at most 50.
    pub tiers: Option<Vec<String>>,
    /// Whether the review moved the tier. Only with `review`.
    pub moved: Option<bool>,
    /// Whether the tier is at risk: its requirement fails, or will by the next review if nothing more comes in.
    pub at_risk: Option<bool>,
    /// At risk on or before this day.
    pub at_risk_by: Option<GqlDate>,
    /// Near the next tier: at least this part of its requirement is met, from 0 to 1.
    pub next_share_met: Option<Decimal>,
    /// Whether an override holds the tier.
    pub overridden: Option<bool>,
    /// Whether a grace period runs.
    pub in_grace: Option<bool>,
    /// Whether a higher tier is met, and nobody has admitted the partner.
    pub awaits_admission: Option<bool>,
    /// Of partners that are in any of these regions today, or under one; at most 50.
    pub regions: Option<Vec<String>>,
    /// Of partners that are of any of these types today; at most 50.
    pub types: Option<Vec<String>>,
    /// Of partners whose attribute `manager` is this today.
    pub manager: Option<String>,
    /// Of this partner.
    pub partner: Option<ID>,
}

/// What standings are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StandingOrderField {
    /// By the partners' codes.
    Code,
    /// By the day on which the tier is at risk, the earliest first; those that are not are left out.
    AtRiskOn,
    /// By the part of the next tier's requirement that is met, the largest first; those without a next tier are left out.
    NextShareMet,
}

/// Queries of reviews.
#[derive(Default)]
pub struct ReviewQueries;

#[Object]
impl ReviewQueries {
    /// A review; null when there is none.
    async fn review(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Maybe<Review> {
        let found = async {
            let id = decode_as(NodeKind::Review, &id).unwrap_or_default();
            Ok(reviews::find_review(ctx.app()?, ctx.caller()?, id).await?.map(Review))
        };
        found.await.transpose()
    }

    /// The reviews of a program, the latest date first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "In any of these states; in any when empty.")] states: Option<Vec<ReviewState>>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<ReviewConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let states: Vec<reviews::ReviewState> = states.unwrap_or_default().into_iter().map(Into::into).collect();
        let program = program.map(ProgramKey::Code);
        let binding = Binding::new("reviews", &format!("{program:?} {states:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = reviews::list_reviews(app, caller, program.as_ref(), &states, &request).await?;
        Ok(connect_keyed(&binding, &request, page.map(|(key, review)| (key, Review(review)))).into())
    }

    /// Where the partners that you may see stand: as a review judged them, or as the latest reviews of a program did. Partners at
    /// risk, near the next tier, overridden, in grace or awaiting admission are a filter of it.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides source, filter and order")]
    async fn standings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those that this review found; the latest of every partner when empty.")] review: Option<ID>,
        #[graphql(desc = "The program's code; may be left out while there is only one, and with `review`.")] program: Option<String>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<StandingFilterInput>,
        #[graphql(desc = "In which order; by the partners' codes when empty.")] order_by: Option<StandingOrderField>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<StoredStandingConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let question = match review {
            Some(id) => StandingsQuestion::Review(decode_as(NodeKind::Review, &id).unwrap_or_default()),
            None => StandingsQuestion::Now(program.map(ProgramKey::Code)),
        };
        let filter = read_filter(ctx, filter.unwrap_or_default(), &question).await?;
        let order = match order_by {
            None | Some(StandingOrderField::Code) => StandingOrder::Code,
            Some(StandingOrderField::AtRiskOn) => StandingOrder::AtRisk,
            Some(StandingOrderField::NextShareMet) => StandingOrder::Near,
        };
        let binding = Binding::new("standings", &format!("{question:?} {filter:?} {order:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = reviews::list_standings(app, caller, &question, &filter, order, &request).await?;
        let page = connect_keyed(&binding, &request, page.map(|(key, row)| (key, StoredStanding(row))));
        Ok(StoredStandingConnection::new(page, (question, filter)))
    }

    /// The partners that you may see and a review could not judge, with the reason; the first 1,000. Null when there is no such
    /// review.
    async fn review_failures(&self, ctx: &Context<'_>, #[graphql(desc = "The review's id.")] review: ID) -> Maybe<Vec<ReviewFailure>> {
        let found = async {
            let (app, caller) = (ctx.app()?, ctx.caller()?);
            let id = decode_as(NodeKind::Review, &review).unwrap_or_default();
            let Some(review) = reviews::find_review(app, caller, id).await? else { return Ok(None) };
            let of = |code: String, fault: guerdon_domain::fault::Fault| ReviewFailure { partner_code: code, code: fault.code, message: fault.message };
            let found = reviews::list_failures(app, caller, &review).await?;
            Ok(Some(found.into_iter().flat_map(|(_, code, faults)| faults.0.into_iter().map(move |fault| of(code.clone(), fault))).collect()))
        };
        found.await.transpose()
    }
}

/// The filter as the use case takes it: regions with what lies under them.
async fn read_filter(ctx: &Context<'_>, input: StandingFilterInput, question: &StandingsQuestion) -> Answer<StandingFilter> {
    let keys = |member: &str, keys: Option<Vec<String>>| {
        let keys = keys.unwrap_or_default();
        let message = || format!("at most {FILTER_KEYS_MAX} keys are taken");
        if keys.len() > FILTER_KEYS_MAX { Err(GqlFault::invalid("TOO_MANY", format!("filter.{member}"), message())) } else { Ok(keys) }
    };
    if input.moved.is_some() && !matches!(question, StandingsQuestion::Review(_)) {
        return Err(GqlFault::invalid("REVIEW_REQUIRED", "filter.moved", "whether a tier moved is asked of one review: name it by `review`"));
    }
    let regions = keys("regions", input.regions)?;
    let regions = if regions.is_empty() { regions } else { programs::regions_under(ctx.app()?, ctx.caller()?, &regions).await? };
    let share = |share: Decimal| {
        let exact = share.exact().map_err(crate::error::AppError::from)?;
        RoundingMode::Down.round_scaled(&exact, 8).map_err(|_| GqlFault::invalid("INVALID_INPUT", "filter.nextShareMet", "a share lies between 0 and 1"))
    };
    Ok(StandingFilter {
        ladder: input.ladder,
        tiers: keys("tiers", input.tiers)?,
        moved: input.moved,
        at_risk: input.at_risk,
        at_risk_by: input.at_risk_by.map(Into::into),
        near: input.next_share_met.map(share).transpose()?,
        overridden: input.overridden,
        in_grace: input.in_grace,
        awaiting: input.awaits_admission,
        regions,
        types: keys("types", input.types)?,
        manager: input.manager,
        partner: input.partner.map(|id| decode_as(NodeKind::Partner, &id).unwrap_or_default()),
    })
}
