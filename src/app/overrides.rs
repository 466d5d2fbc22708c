//! Overrides of a partner's tier: proposed by one person, approved by another, perhaps ended early. What was proposed has no effect
//! before it is approved; what is approved or ended shows in the tier on record in the same transaction.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Condition, Resource, Scope};
use guerdon_domain::date::{Date, Span};
use guerdon_domain::event::{Event, OverrideChanged};
use guerdon_domain::facts::{OverrideKind, TierOverride};
use guerdon_domain::fault::Faults;
use guerdon_domain::page::{Page, PageRequest};
use guerdon_store::{AuditEntry, Change, NewOverride, OverrideDecision, StoreError, WriteTx};
pub use guerdon_store::{Decided, OverrideFilter, OverrideState, StatusMatch, StoredOverride};
use uuid::Uuid;

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::partners::PartnerId;
use super::place::{PlaceAsked, check_tier, find_place, present, rejudge};
use super::programs::{ProgramKey, program_in};
use super::text::{check_key, check_text};
use super::{App, Ctx, pages};
use crate::error::AppError;

/// An override to propose.
#[derive(Debug, Clone)]
pub struct ProposeOverride {
    /// For whom, in which ladder.
    pub place: PlaceAsked,
    /// Pin, floor or ceiling.
    pub kind: OverrideKind,
    /// The tier; none pins to no tier.
    pub tier: Option<String>,
    /// The first day; today when empty.
    pub from: Option<Date>,
    /// The first day after it.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// The status elsewhere that it rests on.
    pub status_match: Option<StatusMatch>,
}

/// What is done with an override.
#[derive(Debug, Clone)]
pub struct DecideOverride {
    /// The override.
    pub id: Uuid,
    /// Its `row_version` as the caller read it; none to decide about whatever it is now.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

/// Overrides of partners, newest first; those out of scope are left out.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn overrides_many(
    app: &App,
    ctx: &Ctx,
    program: Option<&ProgramKey>,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Vec<StoredOverride>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::TierOverride))?;
    app.store
        .read(async |tx| {
            let program = if program.is_some() { Some(program_in(tx, program).await?.id) } else { None };
            Ok(tx.overrides_many(&scope, program, ids).await?)
        })
        .await
}

/// Overrides by id; those out of scope are left out.
///
/// # Errors
/// `Forbidden`.
pub async fn overrides_by_id_many(app: &App, ctx: &Ctx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, StoredOverride>, AppError> {
    let scope = ctx.require((Action::Read, Resource::TierOverride))?;
    Ok(app.store.read(async |tx| tx.overrides_by_id_many(&scope, ids).await).await?)
}

/// One page of the overrides in scope, newest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_overrides(app: &App, ctx: &Ctx, filter: &OverrideFilter, page: &PageRequest) -> Result<Page<pages::Keyed<StoredOverride>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::TierOverride))?;
    let request = pages::request_of(page);
    let found = app.store.read(async |tx| tx.list_overrides(&scope, filter, &request).await).await?;
    Ok(pages::page_of(found, page.backward))
}

/// Proposes an override. It has no effect before another person approves it.
///
/// # Errors
/// `Forbidden`; `NotFound` about program and partner; `Invalid` with every fault of the input; `Conflict` with `OVERRIDE_OVERLAP`,
/// `NOT_ENROLLED`, `NO_VERSION_IN_FORCE`; those of idempotency keys.
pub async fn propose_override(app: &App, ctx: &Ctx, input: &ProposeOverride, keyed: Option<&Keyed>) -> Result<StoredOverride, AppError> {
    let scope = ctx.require((Action::Propose, Resource::TierOverride))?;
    let context = keyed_context(app, ctx, "tierOverridePropose", keyed)?;
    let written = app.store.write(&context, async |tx| write_proposal(app, ctx, tx, &scope, input).await).await?;
    Ok(written.value)
}

async fn write_proposal(app: &App, ctx: &Ctx, tx: &WriteTx, scope: &Scope, input: &ProposeOverride) -> Result<Change<StoredOverride>, AppError> {
    let mut faults = Faults::new();
    let place = find_place(app, ctx, tx, scope, &input.place, &mut faults).await?;
    check_text(&mut faults, "reason", &input.reason, &app.limits);
    match &input.tier {
        Some(tier) => check_tier(&place, tier, &mut faults),
        None if input.kind != OverrideKind::Pin => faults.add("MISSING_MEMBER", "tier", "only a PIN may be to no tier: name the tier"),
        None => {}
    }
    if let Some(matched) = &input.status_match {
        check_match(app, matched, input.kind, &mut faults);
    }
    let span = Span::new(input.from.unwrap_or(place.today), input.until);
    if span.from < place.today {
        faults.add("IN_THE_PAST", "from", format!("the past is not rewritten: begin on {} or later", place.today));
    }
    if span.is_empty() {
        faults.add("EMPTY_SPAN", "until", format!("it must end after it begins on {}: `until` is the first day without it", span.from));
    }
    faults.or(())?;
    let fact = TierOverride {
        ladder: place.ladder.clone(),
        region: place.region.clone(),
        kind: input.kind,
        tier: input.tier.clone(),
        span,
        reason: input.reason.clone(),
        proposed_by: Some(ctx.actor.person.clone()),
        approved_by: None,
    };
    let new = NewOverride { program: place.in_force.program.id, partner: place.partner.id, fact, status_match: input.status_match.clone() };
    let id = tx.insert_override(&new).await.map_err(refusal)?;
    let stored = tx.find_override(scope, id).await?.ok_or(AppError::NotFound)?;
    let changed = changed(ctx, &stored, &place.partner.code, &place.in_force.program.code, None);
    Ok(trace(&stored, None, changed, Event::OverrideProposed))
}

fn check_match(app: &App, matched: &StatusMatch, kind: OverrideKind, faults: &mut Faults) {
    if kind != OverrideKind::Floor {
        faults.add("STATUS_MATCH_IS_A_FLOOR", "kind", "a status elsewhere protects a tier and hinders no promotion: propose a FLOOR");
    }
    check_text(faults, "statusMatch.program", &matched.program, &app.limits);
    check_text(faults, "statusMatch.status", &matched.status, &app.limits);
    if let Some(evidence) = &matched.evidence {
        check_key(faults, "statusMatch.evidence", evidence, &app.limits);
    }
}

/// Approves a proposed override: it takes effect on its first day, and not before today.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Stale`; `Conflict` with `SEGREGATION_OF_DUTIES` for whoever proposed it, `ALREADY_DECIDED`,
/// `OVERRIDE_OVER`; those of idempotency keys.
pub async fn approve_override(app: &App, ctx: &Ctx, input: &DecideOverride, keyed: Option<&Keyed>) -> Result<StoredOverride, AppError> {
    decide(app, ctx, input, keyed, OverrideState::Approved).await
}

/// Rejects a proposed override.
///
/// # Errors
/// As [`approve_override`]; `Invalid` without a reason.
pub async fn reject_override(app: &App, ctx: &Ctx, input: &DecideOverride, keyed: Option<&Keyed>) -> Result<StoredOverride, AppError> {
    decide(app, ctx, input, keyed, OverrideState::Rejected).await
}

/// Takes a proposed override back.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Stale`; `Conflict` with `ALREADY_DECIDED`; those of idempotency keys.
pub async fn withdraw_override(app: &App, ctx: &Ctx, input: &DecideOverride, keyed: Option<&Keyed>) -> Result<StoredOverride, AppError> {
    decide(app, ctx, input, keyed, OverrideState::Withdrawn).await
}

/// The name of the operation, and how it is announced.
fn step(state: OverrideState) -> (&'static str, Announced) {
    match state {
        OverrideState::Approved => ("tierOverrideApprove", Event::OverrideApproved),
        OverrideState::Rejected => ("tierOverrideReject", Event::OverrideRejected),
        OverrideState::Withdrawn | OverrideState::Proposed => ("tierOverrideWithdraw", Event::OverrideWithdrawn),
    }
}

/// Those who may decide about what another one proposed.
fn deciders(ctx: &Ctx) -> Result<Scope, AppError> {
    ctx.require_under((Action::Approve, Resource::TierOverride), &[Condition::NotPreparer])
}

/// Whether the caller may decide about overrides at all, before it is known which one.
///
/// # Errors
/// `Forbidden`.
pub fn may_decide(ctx: &Ctx) -> Result<(), AppError> {
    deciders(ctx).or_else(|_| ctx.require((Action::Propose, Resource::TierOverride))).map(drop)
}

async fn decide(app: &App, ctx: &Ctx, input: &DecideOverride, keyed: Option<&Keyed>, state: OverrideState) -> Result<StoredOverride, AppError> {
    let scope = if state == OverrideState::Withdrawn { ctx.require((Action::Propose, Resource::TierOverride))? } else { deciders(ctx)? };
    check_reason(app, input.reason.as_deref(), state == OverrideState::Rejected)?;
    let (operation, announced) = step(state);
    let context = keyed_context(app, ctx, operation, keyed)?;
    let written = app
        .store
        .write(&context, async |tx| {
            let before = tx.find_override(&scope, input.id).await?.ok_or(AppError::NotFound)?;
            if state != OverrideState::Withdrawn {
                another_person(ctx, before.fact.proposed_by.as_deref())?;
            }
            let expected = input.expected_version.unwrap_or(before.row_version);
            if before.state != OverrideState::Proposed {
                return Err(decided_already(before.state));
            }
            let (today, in_force) = present(app, ctx, tx, &ProgramKey::Id(before.program_id)).await?;
            if state == OverrideState::Approved && before.fact.span.until <= today {
                return Err(AppError::conflict("OVERRIDE_OVER", "id", format!("its last day was before {today}: propose it again with other days")));
            }
            let decision = OverrideDecision { state, reason: input.reason.clone(), not_before: today, expected };
            tx.decide_override(before.id, &decision).await.map_err(refusal)?;
            let done = Done { comment: input.reason.clone(), announced, in_force: state == OverrideState::Approved };
            finish(app, ctx, tx, &before, &in_force.program.code, done).await
        })
        .await?;
    Ok(written.value)
}

/// Ends an approved override early. One that has not begun, or began today and ends today, is withdrawn; on its end the last review's tier applies, and a review is
/// due (semantics 6).
///
/// # Errors
/// `Forbidden`; `NotFound`; `Stale`; `Invalid` with `IN_THE_PAST`; `Conflict` with `SEGREGATION_OF_DUTIES` for whoever proposed it,
/// `NOT_IN_FORCE`; those of idempotency keys.
pub async fn end_override(app: &App, ctx: &Ctx, input: &DecideOverride, until: Option<Date>, keyed: Option<&Keyed>) -> Result<StoredOverride, AppError> {
    let scope = deciders(ctx)?;
    check_reason(app, input.reason.as_deref(), true)?;
    let context = keyed_context(app, ctx, "tierOverrideEnd", keyed)?;
    let written = app
        .store
        .write(&context, async |tx| {
            let before = tx.find_override(&scope, input.id).await?.ok_or(AppError::NotFound)?;
            another_person(ctx, before.fact.proposed_by.as_deref())?;
            let (today, in_force) = present(app, ctx, tx, &ProgramKey::Id(before.program_id)).await?;
            let until = until.unwrap_or(today);
            if until < today {
                return Err(AppError::invalid("IN_THE_PAST", "until", format!("the past is not rewritten: end it on {today} or later")));
            }
            if before.state != OverrideState::Approved || before.fact.span.until <= until {
                let message = format!("it is {:?} and holds until {}: only an approved one can be ended earlier", before.state, before.fact.span.until);
                return Err(AppError::conflict("NOT_IN_FORCE", "id", message));
            }
            let expected = input.expected_version.unwrap_or(before.row_version);
            let announced: Announced = if until > before.fact.span.from {
                tx.end_override(before.id, expected, until, input.reason.as_deref()).await?;
                Event::OverrideEnded
            } else {
                tx.revoke_override(before.id, expected, today, input.reason.as_deref()).await?;
                Event::OverrideWithdrawn
            };
            let done = Done { comment: input.reason.clone(), announced, in_force: true };
            finish(app, ctx, tx, &before, &in_force.program.code, done).await
        })
        .await?;
    Ok(written.value)
}

type Announced = fn(OverrideChanged) -> Event;

/// What was done with an override.
struct Done {
    comment: Option<String>,
    announced: Announced,
    /// Whether the tier may be another one now.
    in_force: bool,
}

/// What a change of an override leaves behind: its audit entry, its event, and the tier that follows from it.
async fn finish(app: &App, ctx: &Ctx, tx: &WriteTx, before: &StoredOverride, program: &str, done: Done) -> Result<Change<StoredOverride>, AppError> {
    let stored = tx.find_override(&Scope::All, before.id).await?.ok_or(AppError::NotFound)?;
    let partner = tx.find_partner(&Scope::All, before.partner_id).await?.ok_or(AppError::NotFound)?;
    let change = trace(&stored, Some(before), changed(ctx, &stored, &partner.code, program, done.comment), done.announced);
    if !done.in_force {
        return Ok(change);
    }
    Ok(change.with(rejudge(app, ctx, tx, before.program_id, before.partner_id).await?))
}

fn changed(ctx: &Ctx, stored: &StoredOverride, partner: &str, program: &str, comment: Option<String>) -> OverrideChanged {
    let fact = &stored.fact;
    OverrideChanged {
        id: stored.id.to_string(),
        partner: partner.to_owned(),
        program: program.to_owned(),
        ladder: fact.ladder.clone(),
        region: fact.region.clone(),
        kind: fact.kind,
        tier: fact.tier.clone(),
        from: fact.span.from,
        until: fact.span.until,
        reason: fact.reason.clone(),
        by: ctx.actor.person.clone(),
        comment,
    }
}

fn trace(stored: &StoredOverride, before: Option<&StoredOverride>, changed: OverrideChanged, announced: Announced) -> Change<StoredOverride> {
    let state = |one: &StoredOverride| serde_json::to_value(one).unwrap_or_default();
    let audit = AuditEntry::of("TierOverride", stored.id).partner(stored.partner_id).after(state(stored));
    let audit = match before {
        Some(before) => audit.before(state(before)),
        None => audit,
    };
    Change::new(stored.clone(), audit).event(outgoing(&announced(changed), "Partner", Some(stored.partner_id)))
}

/// Approval means another person.
pub(super) fn another_person(ctx: &Ctx, opened_by: Option<&str>) -> Result<(), AppError> {
    if opened_by == Some(ctx.actor.person.as_str()) {
        return Err(segregation());
    }
    Ok(())
}

fn segregation() -> AppError {
    AppError::conflict("SEGREGATION_OF_DUTIES", "", "whoever asked for it may not decide about it: somebody else must")
}

fn decided_already(state: OverrideState) -> AppError {
    let word = match state {
        OverrideState::Proposed => "proposed",
        OverrideState::Approved => "approved",
        OverrideState::Rejected => "rejected",
        OverrideState::Withdrawn => "withdrawn",
    };
    AppError::conflict("ALREADY_DECIDED", "id", format!("it is {word} already: read it again"))
}

/// A reason where one is asked for, and none too long.
pub(super) fn check_reason(app: &App, reason: Option<&str>, asked: bool) -> Result<(), AppError> {
    let mut faults = Faults::new();
    match reason {
        Some(reason) => check_text(&mut faults, "reason", reason, &app.limits),
        None if asked => faults.add("BLANK", "reason", "say why: the other side will ask"),
        None => {}
    }
    faults.or(()).map_err(AppError::from)
}

fn refusal(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict { constraint } if constraint == "tier_override_overlap" => {
            let message =
                "another override of this kind is proposed or approved for some of these days: end, withdraw or reject it first, or choose other days";
            AppError::conflict("OVERRIDE_OVERLAP", "from", message)
        }
        StoreError::Conflict { constraint } if constraint == "tier_override_four_eyes" => segregation(),
        other => other.into(),
    }
}
