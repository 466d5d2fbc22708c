//! What people decide about a run: each names what he saw, and who may not decide is told so, on the record.

use guerdon_domain::access::{Action, Condition, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::event::{Event, RebatePosted, RebateTotal};
use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;
use guerdon_store::{Change, EntryKind, ReadTx, RunId, RunKind, RunState, StoredRun, WriteTx};

use super::content::{require_current, require_unchanged};
use super::{audit_of, over_all, preparing, refused, segregation, summary};
use crate::app::idempotency::{Keyed, keyed_context, write_context};
use crate::app::outbox::outgoing;
use crate::app::programs::{InForce, ProgramKey, in_force_many, today_in};
use crate::app::text::{check_key, check_text};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// A run to be submitted.
#[derive(Debug, Clone)]
pub struct SubmitRun {
    /// The run.
    pub run: RunId,
    /// The content hash as the caller saw it.
    pub content_hash: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A run to be approved.
#[derive(Debug, Clone)]
pub struct ApproveRun {
    /// The run.
    pub run: RunId,
    /// The content hash as the caller saw it.
    pub content_hash: String,
    /// What he has to say.
    pub note: Option<String>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A run to be rejected.
#[derive(Debug, Clone)]
pub struct RejectRun {
    /// The run.
    pub run: RunId,
    /// Why.
    pub note: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A run to be given up.
#[derive(Debug, Clone)]
pub struct VoidRun {
    /// The run.
    pub run: RunId,
    /// Why.
    pub note: Option<String>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A run to be posted.
#[derive(Debug, Clone)]
pub struct PostRun {
    /// The run.
    pub run: RunId,
    /// The content hash as the caller saw it.
    pub content_hash: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A payment to be recorded.
#[derive(Debug, Clone)]
pub struct PayRun {
    /// The run.
    pub run: RunId,
    /// The day on which it was paid.
    pub paid_on: Date,
    /// The reference of the payment.
    pub reference: String,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// The present state does not allow it.
pub(super) fn wrong_state(run: &StoredRun, what: &str) -> AppError {
    let reversed = if run.reversed_by.is_some() { ", and reversed" } else { "" };
    let state = format!("{:?}", run.state).to_uppercase();
    AppError::conflict("WRONG_STATE", "runId", format!("the run is {state}{reversed}: {what}"))
}

async fn found(tx: &ReadTx, id: RunId) -> Result<StoredRun, AppError> {
    tx.find_run(id).await?.ok_or(AppError::NotFound)
}

fn in_state(run: &StoredRun, state: RunState, what: &str) -> Result<(), AppError> {
    if run.state == state { Ok(()) } else { Err(wrong_state(run, what)) }
}

/// The run after a move, with the audit entry of the move.
fn moved(before: &StoredRun, after: StoredRun) -> Change<StoredRun> {
    let audit = audit_of(&after).before(serde_json::json!({ "state": before.state })).after(summary(&after));
    Change::new(after, audit)
}

/// Whoever had a hand in a run's figures may not decide about it.
fn require_other_eyes(ctx: &Ctx, run: &StoredRun) -> Result<(), AppError> {
    let person = ctx.actor.person.as_str();
    let hands = [Some(&run.prepared.by), run.calculated_by.as_ref(), run.submitted.as_ref().map(|deed| &deed.by)];
    if hands.into_iter().flatten().any(|by| by == person) {
        return Err(segregation("whoever prepared, calculated or submitted a run may not decide about it: another person has to"));
    }
    Ok(())
}

/// Puts a refusal for the sake of separate duties on record: the attempt is part of the evidence.
async fn on_record<T>(app: &App, ctx: &Ctx, operation: &str, run: RunId, result: Result<T, AppError>) -> Result<T, AppError> {
    if let Err(AppError::Conflict(fault)) = &result
        && fault.code == "SEGREGATION_OF_DUTIES"
    {
        let context = write_context(ctx, operation);
        let entry = guerdon_store::AuditEntry::of("RebateRun", run).after(serde_json::json!({ "refused": fault.code }));
        app.store.write(&context, async |_| Ok::<_, AppError>(Change::new((), entry.clone()))).await?;
    }
    result
}

/// Submits a calculated run for its approval. A reversal may also be submitted by whoever may reverse.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE` or `CONTENT_CHANGED`; those of idempotency keys.
pub async fn submit_run(app: &App, ctx: &Ctx, input: &SubmitRun) -> Result<StoredRun, AppError> {
    let reverses = ctx.require_under((Action::Reverse, Resource::RebateRun), &[Condition::SecondApproverAboveLimit]).and_then(|scope| over_all(&scope)).is_ok();
    let prepares = preparing(ctx);
    if !reverses {
        prepares.clone()?;
    }
    let context = keyed_context(app, ctx, "rebateRunSubmit", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            if run.kind != RunKind::Reversal {
                prepares.clone()?;
            }
            in_state(&run, RunState::Calculated, "only what is calculated can be submitted")?;
            require_unchanged(app, tx, &run, &input.content_hash).await?;
            require_current(app, tx, &run).await?;
            let after = tx.submit_run(run.id, &input.content_hash).await.map_err(refused)?;
            Ok::<_, AppError>(moved(&run, after))
        })
        .await?;
    Ok(written.value)
}

/// Approves a submitted run. It must be another person than whoever prepared, calculated or submitted it.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE`, `CONTENT_CHANGED`, `SEGREGATION_OF_DUTIES`; those of idempotency keys.
pub async fn approve_run(app: &App, ctx: &Ctx, input: &ApproveRun) -> Result<StoredRun, AppError> {
    over_all(&ctx.require_under((Action::Approve, Resource::RebateRun), &[Condition::NotPreparer])?)?;
    check_note(app, input.note.as_deref())?;
    let context = keyed_context(app, ctx, "rebateRunApprove", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            require_other_eyes(ctx, &run)?;
            in_state(&run, RunState::Submitted, "only what is submitted can be approved")?;
            require_unchanged(app, tx, &run, &input.content_hash).await?;
            require_current(app, tx, &run).await?;
            let after = tx.approve_run(run.id, &input.content_hash, input.note.as_deref()).await.map_err(refused)?;
            Ok::<_, AppError>(moved(&run, after))
        })
        .await;
    Ok(on_record(app, ctx, "rebateRunApprove", input.run, written).await?.value)
}

fn check_note(app: &App, note: Option<&str>) -> Result<(), AppError> {
    let mut faults = Faults::new();
    if let Some(note) = note {
        check_text(&mut faults, "note", note, &app.limits);
    }
    Ok(faults.or(())?)
}

/// Refuses a run that waits for its approval, or for its posting.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` about the note; `Conflict` with `WRONG_STATE`, `SEGREGATION_OF_DUTIES`; those of idempotency keys.
pub async fn reject_run(app: &App, ctx: &Ctx, input: &RejectRun) -> Result<StoredRun, AppError> {
    over_all(&ctx.require_under((Action::Approve, Resource::RebateRun), &[Condition::NotPreparer])?)?;
    check_note(app, Some(&input.note))?;
    let context = keyed_context(app, ctx, "rebateRunReject", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            require_other_eyes(ctx, &run)?;
            if !matches!(run.state, RunState::Submitted | RunState::Approved) {
                return Err(wrong_state(&run, "only what is submitted or approved can be rejected"));
            }
            let after = tx.reject_run(run.id, &input.note).await.map_err(refused)?;
            Ok::<_, AppError>(moved(&run, after))
        })
        .await;
    Ok(on_record(app, ctx, "rebateRunReject", input.run, written).await?.value)
}

/// Gives a run up that is not posted.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE`; those of idempotency keys.
pub async fn void_run(app: &App, ctx: &Ctx, input: &VoidRun) -> Result<StoredRun, AppError> {
    preparing(ctx)?;
    check_note(app, input.note.as_deref())?;
    let context = keyed_context(app, ctx, "rebateRunVoid", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            if run.state.is_posted() || matches!(run.state, RunState::Rejected | RunState::Voided) {
                return Err(wrong_state(&run, "what is posted can only be reversed, and what is rejected or void is over"));
            }
            let after = tx.void_run(run.id, input.note.as_deref()).await.map_err(refused)?;
            Ok::<_, AppError>(moved(&run, after))
        })
        .await?;
    Ok(written.value)
}

/// Posts an approved run: into the books, for ever. Posting an original locks its period; posting a reversal takes the other run's
/// figures out and releases the lock. Above the limit of one approver a second one posts.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE`, `CONTENT_CHANGED`, `SEGREGATION_OF_DUTIES`, `PERIOD_LOCKED`; those of
/// idempotency keys.
pub async fn post_run(app: &App, ctx: &Ctx, input: &PostRun) -> Result<StoredRun, AppError> {
    over_all(&ctx.require_under((Action::Publish, Resource::RebateRun), &[Condition::SecondApproverAboveLimit])?)?;
    let context = keyed_context(app, ctx, "rebateRunPost", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            require_other_eyes(ctx, &run)?;
            in_state(&run, RunState::Approved, "only what is approved can be posted")?;
            if run.second_approver && run.approved.as_ref().is_some_and(|deed| deed.by == ctx.actor.person) {
                return Err(segregation("its sum is above the limit of one approver: a second approver has to post it"));
            }
            require_unchanged(app, tx, &run, &input.content_hash).await?;
            post(app, ctx, tx, &run, &input.content_hash).await
        })
        .await;
    Ok(on_record(app, ctx, "rebateRunPost", input.run, written).await?.value)
}

async fn post(app: &App, ctx: &Ctx, tx: &WriteTx, run: &StoredRun, hash: &str) -> Result<Change<StoredRun>, AppError> {
    let in_force = governing(app, tx, run).await?;
    let (code, today) = (in_force.program.code.clone(), today_in(ctx, &in_force.compiled));
    let after = tx.mark_posted(run.id, hash).await.map_err(refused)?;
    match (run.kind, run.of_run_id) {
        (RunKind::Reversal, Some(of)) => {
            tx.post_run_entries(&after, EntryKind::Reversal, today).await?;
            let reversed = tx.mark_reversed(of, run.id).await.map_err(refused)?;
            if reversed.kind == RunKind::Original {
                tx.release_lock_of(&reversed).await?;
            }
        }
        (kind, _) => {
            tx.post_run_entries(&after, EntryKind::Posting, today).await?;
            if kind == RunKind::Original {
                tx.lock_period(run.program_id, &run.period, run.span, Some(run.id), None).await.map_err(refused)?;
                for accrued in tx.accrued_by_currency(run.program_id, &run.period).await? {
                    let nothing = guerdon_domain::money::Money::new(0, accrued.currency);
                    tx.accrue_to(run.program_id, &run.period, today, None, nothing).await?;
                }
            }
        }
    }
    let event = posted_event(&code, &after);
    Ok(moved(run, after).event(outgoing(&event, "RebateRun", None)))
}

/// The version that governs a run's period.
async fn governing(app: &App, tx: &ReadTx, run: &StoredRun) -> Result<InForce, AppError> {
    let dates = std::collections::BTreeSet::from([run.span.from]);
    let mut found = in_force_many(app, tx, Some(&ProgramKey::Id(run.program_id)), &dates).await?;
    found.remove(&run.span.from).ok_or(AppError::NotFound)
}

fn posted_event(program: &str, run: &StoredRun) -> Event {
    let amount = |total: &guerdon_store::RunTotal| {
        let currency = total.currency.parse().ok()?;
        Some(RebateTotal {
            currency: total.currency.clone(),
            amount: guerdon_domain::money::Money::new(total.amount, currency).amount(),
            statements: total.statements,
        })
    };
    Event::RebatePosted(RebatePosted {
        program: program.to_owned(),
        run: run.id.to_string(),
        kind: match run.kind {
            RunKind::Original => "ORIGINAL",
            RunKind::Adjustment => "ADJUSTMENT",
            RunKind::Reversal => "REVERSAL",
        }
        .to_owned(),
        period: run.period.clone(),
        content_hash: run.content_hash.clone().unwrap_or_default(),
        totals: run.totals.iter().filter_map(amount).collect(),
    })
}

/// Whether something is to be paid for a run: what is posted and stands, once; of a reversal what was paid before it goes back.
async fn require_payable(tx: &ReadTx, run: &StoredRun) -> Result<(), AppError> {
    let Some(of) = run.of_run_id else {
        let payable = run.state == RunState::Posted && run.reversed_by.is_none();
        return if payable { Ok(()) } else { Err(wrong_state(run, "only what is posted, was not reversed and is not paid yet can be paid")) };
    };
    if run.state != RunState::Posted {
        return Err(wrong_state(run, "a reversal is paid back once, after it is posted"));
    }
    let paid = found(tx, of).await?.state == RunState::Paid;
    if paid { Ok(()) } else { Err(wrong_state(run, "the run that it reverses was never paid, so that nothing is to be paid back")) }
}

/// A payment is made after its run was posted, and recorded after it was made.
fn check_paid_on(paid_on: Date, run: &StoredRun, today: Date, program: &Program) -> Result<(), AppError> {
    if paid_on > today {
        return Err(AppError::invalid("IN_THE_FUTURE", "paidOn", "a payment is recorded when it was made: name its day"));
    }
    let posted = run.posted.as_ref().map(|deed| Date::from_naive(deed.at.with_timezone(&program.time_zone).date_naive()));
    match posted.filter(|posted| paid_on < *posted) {
        Some(posted) => Err(AppError::invalid("BEFORE_POSTING", "paidOn", format!("the run was posted on {posted}: nothing was owed for it before"))),
        None => Ok(()),
    }
}

/// Records that a posted run was paid; of the reversal of a paid run, that it was paid back.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` about the reference, a day to come or one before the posting; `Conflict` with `WRONG_STATE`; those
/// of idempotency keys.
pub async fn pay_run(app: &App, ctx: &Ctx, input: &PayRun) -> Result<StoredRun, AppError> {
    over_all(&ctx.require_under((Action::Publish, Resource::RebateRun), &[Condition::SecondApproverAboveLimit])?)?;
    let mut faults = Faults::new();
    check_key(&mut faults, "reference", &input.reference, &app.limits);
    faults.or(())?;
    let context = keyed_context(app, ctx, "rebateRunPay", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = found(tx, input.run).await?;
            require_payable(tx, &run).await?;
            let in_force = governing(app, tx, &run).await?;
            check_paid_on(input.paid_on, &run, today_in(ctx, &in_force.compiled), &in_force.compiled)?;
            let after = tx.mark_paid(run.id, input.paid_on, &input.reference).await.map_err(refused)?;
            tx.pay_run_entries(&after, input.paid_on, &input.reference).await?;
            Ok::<_, AppError>(moved(&run, after))
        })
        .await?;
    Ok(written.value)
}
