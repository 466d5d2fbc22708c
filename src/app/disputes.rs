//! Disputes: a partner questions a posted statement with a figure and a reason; finance answers; what is accepted is an adjustment,
//! which the next run of the program posts, tied to the statement's period.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::event::{DisputeMoved, Event};
use guerdon_domain::fault::Faults;
use guerdon_domain::money::Money;
use guerdon_domain::page::{Page, PageRequest};
use guerdon_store::{AuditEntry, Change, DisputeAnswer, NewAdjustment, NewDispute, ReadTx, StatementId, StoreError, StoredStatement, WriteTx};
pub use guerdon_store::{DisputeFilter, DisputeId, DisputeState, DisputeSubject, StoredDispute};

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::text::{check_key, check_text};
use super::{App, Ctx, pages};
use crate::error::AppError;

/// A dispute to be opened.
#[derive(Debug, Clone)]
pub struct OpenDispute {
    /// The statement; only posted ones can be questioned.
    pub statement: StatementId,
    /// What is questioned.
    pub subject: DisputeSubject,
    /// What it should be, in the currency of the statement.
    pub claimed: Money,
    /// Why.
    pub reason: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// What finance decides about a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The figure is explained; nothing changes yet.
    Explain,
    /// It is accepted: this much is added to what the rules give for the period, in the currency of the statement.
    Accept(Money),
    /// It is rejected.
    Reject,
}

/// An answer to a dispute.
#[derive(Debug, Clone)]
pub struct AnswerDispute {
    /// The dispute.
    pub dispute: DisputeId,
    /// What is decided.
    pub decision: Decision,
    /// What finance says.
    pub text: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// Disputes by id; those out of scope are left out.
///
/// # Errors
/// `Forbidden`.
pub async fn disputes_many(app: &App, ctx: &Ctx, ids: &[DisputeId]) -> Result<BTreeMap<DisputeId, StoredDispute>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Dispute))?;
    Ok(app.store.read::<_, StoreError, _>(async |tx| tx.disputes_many(&scope, ids).await).await?)
}

/// A page of disputes, the latest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_disputes(app: &App, ctx: &Ctx, filter: &DisputeFilter, page: &PageRequest) -> Result<Page<pages::Keyed<StoredDispute>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Dispute))?;
    let request = pages::request_of(page);
    let found = app.store.read::<_, StoreError, _>(async |tx| tx.list_disputes(&scope, filter, &request).await).await?;
    Ok(pages::page_of(found, page.backward))
}

/// Opens a dispute about a posted statement.
///
/// # Errors
/// `Forbidden`; `NotFound` for a statement that is not there, not posted or out of scope; `Invalid` with every fault
/// (`WRONG_CURRENCY`, `UNKNOWN_LINE`, `UNKNOWN_SALE`, `SALE_IS_THERE`); `Conflict` with `DISPUTE_EXISTS`; those of idempotency keys.
pub async fn open_dispute(app: &App, ctx: &Ctx, input: &OpenDispute) -> Result<StoredDispute, AppError> {
    let scope = ctx.require((Action::Write, Resource::Dispute))?;
    check_opening(app, input)?;
    let context = keyed_context(app, ctx, "disputeOpen", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let statement = posted(tx, &scope, input.statement).await?;
            check_subject(tx, &statement, input).await?;
            let new = NewDispute {
                program: statement.program_id,
                partner: statement.partner_id,
                statement: statement.id,
                subject: input.subject.clone(),
                claimed: input.claimed,
                reason: input.reason.clone(),
            };
            let id = tx.insert_dispute(&new).await.map_err(refused)?;
            let dispute = read(tx, id).await?;
            moved(tx, dispute, None, Event::DisputeOpened).await
        })
        .await?;
    Ok(written.value)
}

fn check_opening(app: &App, input: &OpenDispute) -> Result<(), AppError> {
    let mut faults = Faults::new();
    check_text(&mut faults, "reason", &input.reason, &app.limits);
    if let DisputeSubject::Sale(source, id) | DisputeSubject::MissingSale(source, id) = &input.subject {
        check_key(&mut faults, "sale.source", source, &app.limits);
        check_key(&mut faults, "sale.externalId", id, &app.limits);
    }
    Ok(faults.or(())?)
}

/// The statement, if it is posted and in scope.
async fn posted(tx: &ReadTx, scope: &Scope, id: StatementId) -> Result<StoredStatement, AppError> {
    tx.statements_many(scope, &[id], true).await?.remove(&id).ok_or(AppError::NotFound)
}

async fn check_subject(tx: &ReadTx, statement: &StoredStatement, input: &OpenDispute) -> Result<(), AppError> {
    let mut faults = Faults::new();
    if input.claimed.currency != statement.amount.currency {
        faults.add("WRONG_CURRENCY", "claimed.currency", format!("the statement is in {}: write the figure in it", statement.amount.currency));
    }
    match &input.subject {
        DisputeSubject::Statement => {}
        DisputeSubject::Line(no) => {
            let lines = &statement.lines;
            if usize::try_from(*no).ok().and_then(|no| lines.get(no)).is_none() {
                faults.add("UNKNOWN_LINE", "line", format!("the statement has the lines 0 to {}", lines.len().saturating_sub(1)));
            }
        }
        DisputeSubject::Sale(source, id) => {
            if !tx.has_sale(statement.partner_id, source, id).await? {
                faults.add("UNKNOWN_SALE", "sale", "the partner has no such sale line: say that it is missing");
            }
        }
        DisputeSubject::MissingSale(source, id) => {
            if tx.has_sale(statement.partner_id, source, id).await? {
                faults.add("SALE_IS_THERE", "sale", "the sale line is on record: question how it counts");
            }
        }
    }
    Ok(faults.or(())?)
}

/// Answers a dispute: explains, accepts with an adjustment, or rejects. Accepting puts the adjustment on record in the same
/// transaction; a run that is being calculated does not read it any more, the next one does, once.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` (`WRONG_CURRENCY`, `ZERO_ADJUSTMENT`); `Conflict` with `WRONG_STATE`, `STATEMENT_REVERSED`,
/// `SEGREGATION_OF_DUTIES`; those of idempotency keys.
pub async fn answer_dispute(app: &App, ctx: &Ctx, input: &AnswerDispute) -> Result<StoredDispute, AppError> {
    let scope = ctx.require((Action::Approve, Resource::Dispute))?;
    let mut faults = Faults::new();
    check_text(&mut faults, "text", &input.text, &app.limits);
    if matches!(&input.decision, Decision::Accept(amount) if amount.minor == 0) {
        faults.add("ZERO_ADJUSTMENT", "adjustment", "an accepted dispute changes the figure: reject it, or explain");
    }
    faults.or(())?;
    let context = keyed_context(app, ctx, "disputeAnswer", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let before = tx.disputes_many(&scope, &[input.dispute]).await?.remove(&input.dispute).ok_or(AppError::NotFound)?;
            let answer = match &input.decision {
                Decision::Explain => DisputeAnswer { state: DisputeState::Answered, text: input.text.clone(), adjustment: None },
                Decision::Reject => DisputeAnswer { state: DisputeState::Rejected, text: input.text.clone(), adjustment: None },
                Decision::Accept(amount) => {
                    require_live(&before)?;
                    let id = adjust(tx, &before, *amount, &input.text).await?;
                    DisputeAnswer { state: DisputeState::Accepted, text: input.text.clone(), adjustment: Some((id, amount.minor)) }
                }
            };
            tx.answer_dispute(before.id, &answer).await.map_err(|error| moved_on(error, &before))?;
            let after = read(tx, before.id).await?;
            moved(tx, after, Some(&before), Event::DisputeAnswered).await
        })
        .await?;
    Ok(written.value)
}

/// Puts the adjustment of an accepted dispute on record.
async fn adjust(tx: &WriteTx, dispute: &StoredDispute, amount: Money, text: &str) -> Result<uuid::Uuid, AppError> {
    let statement = posted(tx, &Scope::All, dispute.statement).await?;
    if amount.currency != statement.amount.currency {
        let message = format!("the statement is in {}: write the adjustment in it", statement.amount.currency);
        return Err(AppError::invalid("WRONG_CURRENCY", "adjustment.currency", message));
    }
    let run = tx.find_run(statement.run_id).await?.ok_or(AppError::NotFound)?;
    if run.reversed_by.is_some() {
        let message = "the run of the statement was reversed: its period is run anew, so that nothing is left to adjust";
        return Err(AppError::conflict("STATEMENT_REVERSED", "disputeId", message));
    }
    let new = NewAdjustment {
        program: statement.program_id,
        partner: statement.partner_id,
        schedule: statement.schedule,
        period: statement.period,
        amount,
        reason: text.to_owned(),
        cause: Some(dispute.id),
    };
    Ok(tx.record_adjustment(&new).await?)
}

/// Takes a dispute back.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE`; those of idempotency keys.
pub async fn withdraw_dispute(app: &App, ctx: &Ctx, id: DisputeId, keyed: Option<&Keyed>) -> Result<StoredDispute, AppError> {
    let scope = ctx.require((Action::Write, Resource::Dispute))?;
    let context = keyed_context(app, ctx, "disputeWithdraw", keyed)?;
    let written = app
        .store
        .write(&context, async |tx| {
            let before = tx.disputes_many(&scope, &[id]).await?.remove(&id).ok_or(AppError::NotFound)?;
            tx.withdraw_dispute(id).await.map_err(|error| moved_on(error, &before))?;
            let after = read(tx, id).await?;
            moved(tx, after, Some(&before), Event::DisputeWithdrawn).await
        })
        .await?;
    Ok(written.value)
}

fn require_live(dispute: &StoredDispute) -> Result<(), AppError> {
    if matches!(dispute.state, DisputeState::Open | DisputeState::Answered) { Ok(()) } else { Err(moved_on(StoreError::Stale, dispute)) }
}

/// Whoever comes second is told what became of the dispute.
fn moved_on(error: StoreError, dispute: &StoredDispute) -> AppError {
    match error {
        StoreError::Stale => {
            AppError::conflict("WRONG_STATE", "disputeId", format!("the dispute is not open any more: it was {} when it was read", dispute.state.name()))
        }
        error => refused(error),
    }
}

/// What the constraints of disputes refuse, in words.
fn refused(error: StoreError) -> AppError {
    let StoreError::Conflict { constraint } = &error else { return error.into() };
    match constraint.as_str() {
        "dispute_live_key" => {
            AppError::conflict("DISPUTE_EXISTS", "statementId", "this is being questioned already: wait for the answer, or take that one back")
        }
        "dispute_four_eyes" => AppError::conflict("SEGREGATION_OF_DUTIES", "disputeId", "whoever opened a dispute does not answer it: another person has to"),
        "dispute_immutable" => AppError::conflict("WRONG_STATE", "disputeId", "the dispute is not open any more: read it again"),
        _ => error.into(),
    }
}

async fn read(tx: &ReadTx, id: DisputeId) -> Result<StoredDispute, AppError> {
    tx.disputes_many(&Scope::All, &[id]).await?.remove(&id).ok_or(AppError::NotFound)
}

/// The change with its audit entry and event.
async fn moved(tx: &ReadTx, after: StoredDispute, before: Option<&StoredDispute>, event: fn(DisputeMoved) -> Event) -> Result<Change<StoredDispute>, AppError> {
    let statement = posted(tx, &Scope::All, after.statement).await?;
    let partner = tx.partners_many(&Scope::All, &[after.partner]).await?.remove(&after.partner).ok_or(AppError::NotFound)?;
    let amount = |minor: i64| after.money(minor).map(|money| money.amount());
    let body = DisputeMoved {
        dispute: after.id.to_string(),
        partner: partner.code,
        statement: after.statement.to_string(),
        schedule: statement.schedule,
        period: statement.period,
        subject: after.subject.kind().to_owned(),
        state: after.state.name().to_owned(),
        currency: after.currency.clone(),
        claimed: amount(after.claimed).unwrap_or_default(),
        adjusted: after.adjusted.and_then(amount),
    };
    let audit = AuditEntry::of("Dispute", after.id).after(summary(&after));
    let audit = match before {
        Some(before) => audit.before(summary(before)),
        None => audit,
    };
    let partner = after.partner;
    Ok(Change::new(after, audit).event(outgoing(&event(body), "Dispute", Some(partner))))
}

fn summary(dispute: &StoredDispute) -> serde_json::Value {
    serde_json::json!({
        "state": dispute.state, "subject": dispute.subject, "claimed": dispute.claimed, "currency": dispute.currency, "reason": dispute.reason,
        "answer": dispute.answer, "adjusted": dispute.adjusted, "adjustment": dispute.adjustment,
    })
}
