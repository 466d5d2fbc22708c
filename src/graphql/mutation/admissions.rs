//! Applications, invitations and approvals: opened by one side, answered by another person.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use guerdon_domain::facts::AdmissionKind;

use super::begin;
use super::user_errors::{
    AdmissionAcceptUserError, AdmissionEndUserError, AdmissionRejectUserError, AdmissionWithdrawUserError, TierApplyUserError, TierApprovalProposeUserError,
    TierInviteUserError, of_mutation,
};
use crate::app::admissions::{self, Answer as Reply, AnswerAdmission, OpenAdmission, StoredAdmissionRequest};
use crate::app::place::PlaceAsked;
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::payload::{UserError, settle};
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::admission::AdmissionRequest;

/// Writes the payload of a mutation.
macro_rules! payload {
    ($payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("What came of ", $what, ".")]
        #[derive(SimpleObject)]
        pub struct $payload {
            /// The application, invitation or approval.
            pub admission_request: Option<AdmissionRequest>,
            /// What you have to mend; nothing was written then.
            pub user_errors: Vec<$error>,
        }

        impl From<(Option<StoredAdmissionRequest>, Vec<UserError>)> for $payload {
            fn from((stored, errors): (Option<StoredAdmissionRequest>, Vec<UserError>)) -> Self {
                Self { admission_request: stored.map(AdmissionRequest), user_errors: of_mutation(errors) }
            }
        }
    };
}

/// Writes the input and the payload of a mutation that opens one.
macro_rules! opening {
    ($input:ident $payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("A tier to enter, for ", $what, ".")]
        #[derive(Debug, Clone, InputObject)]
        pub struct $input {
            /// The partner's code.
            pub partner: String,
            /// The program's code.
            pub program: String,
            /// The ladder; the main ladder when empty.
            pub ladder: Option<String>,
            /// The region, where the ladder's scope is the partner in a region.
            pub region: Option<String>,
            /// The tier.
            pub tier: String,
            /// What the other side should read.
            pub text: Option<String>,
            /// Where the evidence is: a link or a document's number.
            pub evidence: Option<String>,
            /// The first day on which it can be answered no more; it can for ever when empty.
            pub answer_until: Option<GqlDate>,
            /// A new key for every new request: the same key and input answer the same again and change nothing.
            pub idempotency_key: String,
        }

        impl $input {
            fn opening(self, kind: AdmissionKind) -> OpenAdmission {
                OpenAdmission {
                    place: PlaceAsked { program: self.program, partner: self.partner, ladder: self.ladder, region: self.region },
                    kind,
                    tier: self.tier,
                    text: self.text,
                    evidence: self.evidence,
                    answer_until: self.answer_until.map(Into::into),
                }
            }
        }

        payload!($payload $error, $what);
    };
}

/// Writes the input and the payload of a mutation that answers one.
macro_rules! answering {
    ($input:ident $payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("An application, invitation or approval, for ", $what, " it.")]
        #[derive(Debug, Clone, InputObject)]
        pub struct $input {
            /// Its id.
            pub id: ID,
            /// Why. Who rejects an application or approval says why; an invitation may be declined without.
            pub reason: Option<String>,
            /// Its `version` as you read it. STALE when it was changed since.
            pub expected_version: Option<i64>,
            /// A new key for every new request: the same key and input answer the same again and change nothing.
            pub idempotency_key: String,
        }

        payload!($payload $error, $what);
    };
}

/// An accepted application, invitation or approval to be ended.
#[derive(Debug, Clone, InputObject)]
pub struct AdmissionEndInput {
    /// Its id.
    pub id: ID,
    /// The first day on which it lets the partner in no more; today when empty.
    pub on: Option<GqlDate>,
    /// Why.
    pub reason: String,
    /// Its `version` as you read it. STALE when it was changed since.
    pub expected_version: Option<i64>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

payload!(AdmissionEndPayload AdmissionEndUserError, "ending it");
opening!(TierApplyInput TierApplyPayload TierApplyUserError, "an application");
opening!(TierInviteInput TierInvitePayload TierInviteUserError, "an invitation");
opening!(TierApprovalProposeInput TierApprovalProposePayload TierApprovalProposeUserError, "an approval");
answering!(AdmissionAcceptInput AdmissionAcceptPayload AdmissionAcceptUserError, "accepting");
answering!(AdmissionRejectInput AdmissionRejectPayload AdmissionRejectUserError, "rejecting");
answering!(AdmissionWithdrawInput AdmissionWithdrawPayload AdmissionWithdrawUserError, "withdrawing");

/// Parses what is to be opened, calls the use case and wraps its answer.
macro_rules! open {
    ($ctx:ident, $input:ident, $kind:ident) => {{
        let keyed = begin($ctx, &$input.idempotency_key, &$input)?;
        let opening = $input.opening(AdmissionKind::$kind);
        Ok(settle(admissions::open_admission($ctx.app()?, $ctx.caller()?, &opening, keyed.as_ref()).await)?.into())
    }};
}

/// Parses the answer, calls the use case and wraps its answer.
macro_rules! answer {
    ($ctx:ident, $input:ident, $reply:ident) => {{
        let keyed = begin($ctx, &$input.idempotency_key, &$input)?;
        let (app, caller) = ($ctx.app()?, $ctx.caller()?);
        let result = match decode_as(NodeKind::AdmissionRequest, &$input.id) {
            Some(id) => {
                let reply = AnswerAdmission { id, expected_version: $input.expected_version, reason: $input.reason };
                admissions::answer_admission(app, caller, &reply, Reply::$reply, keyed.as_ref()).await
            }
            None => admissions::may_answer(caller, Reply::$reply).and(Err(AppError::NotFound)),
        };
        Ok(settle(result)?.into())
    }};
}

/// Mutations of applications, invitations and approvals.
#[derive(Default)]
pub struct AdmissionMutations;

#[Object]
impl AdmissionMutations {
    /// Applies for a tier that is entered by application; the partner itself does.
    async fn tier_apply(&self, ctx: &Context<'_>, #[graphql(desc = "Which tier.")] input: TierApplyInput) -> Answer<TierApplyPayload> {
        open!(ctx, input, Application)
    }

    /// Invites a partner to a tier that is entered by invitation.
    async fn tier_invite(&self, ctx: &Context<'_>, #[graphql(desc = "Whom, to which tier.")] input: TierInviteInput) -> Answer<TierInvitePayload> {
        open!(ctx, input, Invitation)
    }

    /// Proposes to approve a tier that is entered by approval. An evaluation does so by itself for everybody who meets the tier.
    async fn tier_approval_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For whom, which tier.")] input: TierApprovalProposeInput,
    ) -> Answer<TierApprovalProposePayload> {
        open!(ctx, input, Approval)
    }

    /// Accepts an application (whoever looks after the partner), an invitation (the partner) or an approval (somebody else than who
    /// proposed it). From today on the partner may enter the tier; it holds it as soon as what the tier asks for is met.
    async fn admission_accept(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] input: AdmissionAcceptInput) -> Answer<AdmissionAcceptPayload> {
        answer!(ctx, input, Accept)
    }

    /// Rejects an application or an approval, or declines an invitation.
    async fn admission_reject(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] input: AdmissionRejectInput) -> Answer<AdmissionRejectPayload> {
        answer!(ctx, input, Reject)
    }

    /// Takes an open application, invitation or approval back, on the side that opened it.
    async fn admission_withdraw(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] input: AdmissionWithdrawInput) -> Answer<AdmissionWithdrawPayload> {
        answer!(ctx, input, Withdraw)
    }

    /// Ends an accepted application, invitation or approval from a day on: the partner has to be let in again. A tier that it holds by this alone is lost
    /// on that day; what it held before stays on record. Whoever opened it does not end it.
    async fn admission_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, from when, and why.")] input: AdmissionEndInput,
    ) -> Answer<AdmissionEndPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let result = match decode_as(NodeKind::AdmissionRequest, &input.id) {
            Some(id) => {
                let end = AnswerAdmission { id, expected_version: input.expected_version, reason: Some(input.reason) };
                admissions::end_admission(app, caller, &end, input.on.map(Into::into), keyed.as_ref()).await
            }
            None => admissions::may_end(caller).and(Err(AppError::NotFound)),
        };
        Ok(settle(result)?.into())
    }
}
