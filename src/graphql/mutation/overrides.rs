//! Overrides: proposed by one person, decided by another.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::begin;
use super::user_errors::{
    TierOverrideApproveUserError, TierOverrideEndUserError, TierOverrideProposeUserError, TierOverrideRejectUserError, TierOverrideWithdrawUserError,
    of_mutation,
};
use crate::app::idempotency::Keyed;
use crate::app::overrides::{self, DecideOverride, ProposeOverride, StatusMatch, StoredOverride};
use crate::app::place::PlaceAsked;
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::payload::{UserError, settle};
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::admission::TierOverride;
use crate::graphql::types::standing::OverrideKind;

/// A status that the partner has elsewhere.
#[derive(Debug, Clone, InputObject)]
pub struct StatusMatchInput {
    /// In which program of whom.
    pub program: String,
    /// Which status.
    pub status: String,
    /// Where that can be seen: a link or a document's number.
    pub evidence: Option<String>,
}

/// An override to propose.
#[derive(Debug, Clone, InputObject)]
pub struct TierOverrideProposeInput {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The ladder; the main ladder when empty.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// PIN: exactly this tier. FLOOR: at least. CEILING: at most.
    pub kind: OverrideKind,
    /// The tier; a PIN without one is to no tier.
    pub tier: Option<String>,
    /// The first day; today when empty. Approved later than that, it begins on the day of the approval.
    pub from: Option<GqlDate>,
    /// The first day without it. On it the last review's tier applies, and a review is due.
    pub until: GqlDate,
    /// Why: whoever approves reads it, and so does the partner.
    pub reason: String,
    /// A status elsewhere that this matches: a FLOOR that protects the tier until its end.
    pub status_match: Option<StatusMatchInput>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// An override to end early.
#[derive(Debug, Clone, InputObject)]
pub struct TierOverrideEndInput {
    /// Its id.
    pub id: ID,
    /// The first day without it; today when empty. One that has not begun by then is withdrawn.
    pub until: Option<GqlDate>,
    /// Why.
    pub reason: String,
    /// Its `version` as you read it. STALE when it was changed since.
    pub expected_version: Option<i64>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// Writes the payload of a mutation of an override.
macro_rules! payload {
    ($payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("What came of ", $what, " an override.")]
        #[derive(SimpleObject)]
        pub struct $payload {
            /// The override.
            pub tier_override: Option<TierOverride>,
            /// What you have to mend; nothing was written then.
            pub user_errors: Vec<$error>,
        }

        impl From<(Option<StoredOverride>, Vec<UserError>)> for $payload {
            fn from((stored, errors): (Option<StoredOverride>, Vec<UserError>)) -> Self {
                Self { tier_override: stored.map(TierOverride), user_errors: of_mutation(errors) }
            }
        }
    };
}

/// Writes the input and the payload of a mutation that decides about an override.
macro_rules! deciding {
    ($input:ident $payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("An override: ", $what, " it.")]
        #[derive(Debug, Clone, InputObject)]
        pub struct $input {
            /// Its id.
            pub id: ID,
            /// Why.
            pub reason: Option<String>,
            /// Its `version` as you read it. STALE when it was changed since.
            pub expected_version: Option<i64>,
            /// A new key for every new request: the same key and input answer the same again and change nothing.
            pub idempotency_key: String,
        }

        payload!($payload $error, $what);

        impl $input {
            fn decision(&self) -> Result<DecideOverride, AppError> {
                decision(&self.id, self.expected_version, self.reason.clone())
            }
        }
    };
}

payload!(TierOverrideProposePayload TierOverrideProposeUserError, "proposing");
payload!(TierOverrideEndPayload TierOverrideEndUserError, "ending");
deciding!(TierOverrideApproveInput TierOverrideApprovePayload TierOverrideApproveUserError, "approving");
deciding!(TierOverrideRejectInput TierOverrideRejectPayload TierOverrideRejectUserError, "rejecting");
deciding!(TierOverrideWithdrawInput TierOverrideWithdrawPayload TierOverrideWithdrawUserError, "withdrawing");

fn decision(id: &ID, expected_version: Option<i64>, reason: Option<String>) -> Result<DecideOverride, AppError> {
    let id = decode_as(NodeKind::TierOverride, id).ok_or(AppError::NotFound)?;
    Ok(DecideOverride { id, expected_version, reason })
}

fn answer<P: From<(Option<StoredOverride>, Vec<UserError>)>>(result: Result<StoredOverride, AppError>) -> Result<P, GqlFault> {
    settle(result).map(P::from)
}

/// Parses the decision, calls the use case and wraps its answer.
macro_rules! decide {
    ($ctx:ident, $input:ident, $use_case:path) => {{
        let keyed: Option<Keyed> = begin($ctx, &$input.idempotency_key, &$input)?;
        let (app, caller) = ($ctx.app()?, $ctx.caller()?);
        answer(match $input.decision() {
            Ok(decision) => $use_case(app, caller, &decision, keyed.as_ref()).await,
            Err(error) => overrides::may_decide(caller).and(Err(error)),
        })
    }};
}

/// Mutations of overrides.
#[derive(Default)]
pub struct OverrideMutations;

#[Object]
impl OverrideMutations {
    /// Proposes to hold a partner's tier against the rules. It has no effect before another person approves it.
    async fn tier_override_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The override.")] input: TierOverrideProposeInput,
    ) -> Answer<TierOverrideProposePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let place = PlaceAsked { program: input.program, partner: input.partner, ladder: input.ladder, region: input.region };
        let matched = |matched: StatusMatchInput| StatusMatch { program: matched.program, status: matched.status, evidence: matched.evidence };
        let proposal = ProposeOverride {
            place,
            kind: input.kind.into(),
            tier: input.tier,
            from: input.from.map(Into::into),
            until: input.until.into(),
            reason: input.reason,
            status_match: input.status_match.map(matched),
        };
        answer(overrides::propose_override(ctx.app()?, ctx.caller()?, &proposal, keyed.as_ref()).await)
    }

    /// Approves a proposed override; whoever proposed it may not. The tier on record follows at once, where it holds today.
    async fn tier_override_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: TierOverrideApproveInput,
    ) -> Answer<TierOverrideApprovePayload> {
        decide!(ctx, input, overrides::approve_override)
    }

    /// Rejects a proposed override, with a reason; whoever proposed it may not, but may withdraw it.
    async fn tier_override_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: TierOverrideRejectInput,
    ) -> Answer<TierOverrideRejectPayload> {
        decide!(ctx, input, overrides::reject_override)
    }

    /// Takes a proposed override back.
    async fn tier_override_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: TierOverrideWithdrawInput,
    ) -> Answer<TierOverrideWithdrawPayload> {
        decide!(ctx, input, overrides::withdraw_override)
    }

    /// Ends an approved override early; whoever proposed it may not. The tier on record follows at once, where it ends today.
    async fn tier_override_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and when.")] input: TierOverrideEndInput,
    ) -> Answer<TierOverrideEndPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let until = input.until.map(Into::into);
        answer(match decision(&input.id, input.expected_version, Some(input.reason)) {
            Ok(decision) => overrides::end_override(app, caller, &decision, until, keyed.as_ref()).await,
            Err(error) => overrides::may_decide(caller).and(Err(error)),
        })
    }
}
