//! Disputes: open, answer, take back.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::begin;
use super::user_errors::{DisputeAnswerUserError, DisputeOpenUserError, DisputeWithdrawUserError, of_mutation};
use crate::app::disputes::{self, AnswerDispute, Decision, DisputeSubject, OpenDispute};
use crate::app::idempotency::Keyed;
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::payload::settle_unversioned;
use crate::graphql::scalars::MoneyInput;
use crate::graphql::types::dispute::Dispute;

/// A sale line, by what its source calls it.
#[derive(Debug, Clone, InputObject)]
pub struct SaleRefInput {
    /// The system that it comes from.
    pub source: String,
    /// The id that this system knows it by.
    pub external_id: String,
    /// Whether it is missing from the statement; otherwise it counted, and how is questioned.
    #[graphql(default)]
    pub missing: bool,
}

/// A dispute to be opened.
#[derive(Debug, Clone, InputObject)]
pub struct DisputeOpenInput {
    /// The posted statement.
    pub statement_id: ID,
    /// One of its lines, by its place from 0. Without a line and a sale the statement as a whole is questioned.
    pub line: Option<i64>,
    /// A sale line behind it, or one that is missing.
    pub sale: Option<SaleRefInput>,
    /// What it should be, in the currency of the statement.
    pub claimed: MoneyInput,
    /// Why.
    pub reason: String,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of opening a dispute.
#[derive(SimpleObject)]
pub struct DisputeOpenPayload {
    /// The dispute.
    pub dispute: Option<Dispute>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<DisputeOpenUserError>,
}

/// What finance decides about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeDecision {
    /// The figure is explained; nothing changes yet.
    Explain,
    /// It is accepted, with an adjustment.
    Accept,
    /// It is rejected.
    Reject,
}

/// An answer to a dispute.
#[derive(Debug, Clone, InputObject)]
pub struct DisputeAnswerInput {
    /// The dispute.
    pub dispute_id: ID,
    /// What is decided.
    pub decision: DisputeDecision,
    /// What the partner is told.
    pub text: String,
    /// With ACCEPT: what is added to what the rules give for the period, negative to take away; in the currency of the statement.
    pub adjustment: Option<MoneyInput>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of answering a dispute.
#[derive(SimpleObject)]
pub struct DisputeAnswerPayload {
    /// The dispute.
    pub dispute: Option<Dispute>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<DisputeAnswerUserError>,
}

/// A dispute to be taken back.
#[derive(Debug, Clone, InputObject)]
pub struct DisputeWithdrawInput {
    /// The dispute.
    pub dispute_id: ID,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of taking a dispute back.
#[derive(SimpleObject)]
pub struct DisputeWithdrawPayload {
    /// The dispute.
    pub dispute: Option<Dispute>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<DisputeWithdrawUserError>,
}

fn opening(input: DisputeOpenInput, keyed: Option<Keyed>) -> Result<OpenDispute, AppError> {
    // An id of another kind is that of nothing: the right is asked for first.
    let statement = decode_as(NodeKind::Statement, &input.statement_id).unwrap_or_default();
    let subject = match (input.line, input.sale) {
        (Some(_), Some(_)) => return Err(AppError::invalid("NOT_EXACTLY_ONE", "sale", "question a line or a sale line, not both: open two disputes")),
        (Some(line), None) => DisputeSubject::Line(line),
        (None, Some(sale)) if sale.missing => DisputeSubject::MissingSale(sale.source, sale.external_id),
        (None, Some(sale)) => DisputeSubject::Sale(sale.source, sale.external_id),
        (None, None) => DisputeSubject::Statement,
    };
    let claimed = input.claimed.money().map_err(|fault| AppError::from(fault.within("claimed")))?;
    Ok(OpenDispute { statement, subject, claimed, reason: input.reason, keyed })
}

fn answering(input: DisputeAnswerInput, keyed: Option<Keyed>) -> Result<AnswerDispute, AppError> {
    let dispute = decode_as(NodeKind::Dispute, &input.dispute_id).unwrap_or_default();
    let decision = match (input.decision, input.adjustment) {
        (DisputeDecision::Accept, Some(amount)) => Decision::Accept(amount.money().map_err(|fault| AppError::from(fault.within("adjustment")))?),
        (DisputeDecision::Accept, None) => return Err(AppError::invalid("MISSING_MEMBER", "adjustment", "say what the next run adds")),
        (_, Some(_)) => return Err(AppError::invalid("UNEXPECTED_MEMBER", "adjustment", "only an accepted dispute has an adjustment")),
        (DisputeDecision::Explain, None) => Decision::Explain,
        (DisputeDecision::Reject, None) => Decision::Reject,
    };
    Ok(AnswerDispute { dispute, decision, text: input.text, keyed })
}

/// Mutations of disputes.
#[derive(Default)]
pub struct DisputeMutations;

#[Object]
impl DisputeMutations {
    /// Questions a posted statement, one of its lines, a sale line behind it, or a sale that is missing.
    async fn dispute_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, with which figure, and why.")] input: DisputeOpenInput,
    ) -> Answer<DisputeOpenPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let result = match opening(input, keyed) {
            Ok(input) => disputes::open_dispute(ctx.app()?, ctx.caller()?, &input).await,
            Err(error) => Err(error),
        };
        let (dispute, errors) = settle_unversioned(result)?;
        Ok(DisputeOpenPayload { dispute: dispute.map(Dispute), user_errors: of_mutation(errors) })
    }

    /// Answers a dispute: explains the figure, accepts with an adjustment, or rejects. Another person than the one who opened it.
    async fn dispute_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what is decided.")] input: DisputeAnswerInput,
    ) -> Answer<DisputeAnswerPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let result = match answering(input, keyed) {
            Ok(input) => disputes::answer_dispute(ctx.app()?, ctx.caller()?, &input).await,
            Err(error) => Err(error),
        };
        let (dispute, errors) = settle_unversioned(result)?;
        Ok(DisputeAnswerPayload { dispute: dispute.map(Dispute), user_errors: of_mutation(errors) })
    }

    /// Takes back a dispute that is not decided yet.
    async fn dispute_withdraw(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] input: DisputeWithdrawInput) -> Answer<DisputeWithdrawPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let id = decode_as(NodeKind::Dispute, &input.dispute_id).unwrap_or_default();
        let (dispute, errors) = settle_unversioned(disputes::withdraw_dispute(ctx.app()?, ctx.caller()?, id, keyed.as_ref()).await)?;
        Ok(DisputeWithdrawPayload { dispute: dispute.map(Dispute), user_errors: of_mutation(errors) })
    }
}
