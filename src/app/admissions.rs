//! How a partner gets into tiers that are not entered automatically: it applies, it is invited, or a tier that it is good for is
//! approved. One side opens, another person answers; what is accepted lets the partner in from that day on.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Condition, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::document::ladder::{Entry, Ladder};
use guerdon_domain::event::{AdmissionChanged, Event};
use guerdon_domain::facts::AdmissionKind;
use guerdon_domain::fault::Faults;
use guerdon_domain::levelling::{LadderStanding, admission_of, holds_admission};
use guerdon_domain::page::{Page, PageRequest};
pub use guerdon_store::{AdmissionFilter, AdmissionState, StoredAdmissionRequest};
use guerdon_store::{AdmissionReach, AuditEntry, Change, FactsPlan, NewAdmissionRequest, StoreError, WriteTx};
use uuid::Uuid;

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::overrides::{another_person, check_reason};
use super::partners::PartnerId;
use super::place::{Place, PlaceAsked, check_tier, find_place, present, rejudge};
use super::programs::{InForce, ProgramKey, program_in};
use super::text::{check_key, check_text};
use super::{App, Ctx, pages};
use crate::error::AppError;

/// An application, invitation or approval to open.
#[derive(Debug, Clone)]
pub struct OpenAdmission {
    /// For whom, in which ladder.
    pub place: PlaceAsked,
    /// Application, invitation or approval.
    pub kind: AdmissionKind,
    /// The tier.
    pub tier: String,
    /// What is written with it.
    pub text: Option<String>,
    /// Where the evidence is.
    pub evidence: Option<String>,
    /// The first day on which it can be answered no more; never when empty.
    pub answer_until: Option<Date>,
}

/// An answer to one.
#[derive(Debug, Clone)]
pub struct AnswerAdmission {
    /// Which one.
    pub id: Uuid,
    /// Its `row_version` as the caller read it; none to answer whatever it is now.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

/// What is done with an open one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The other side takes it: the partner may enter.
    Accept,
    /// The other side refuses or declines it.
    Reject,
    /// Whoever opened it takes it back.
    Withdraw,
}

const KINDS: [AdmissionKind; 3] = [AdmissionKind::Application, AdmissionKind::Invitation, AdmissionKind::Approval];

const fn resource(kind: AdmissionKind) -> Resource {
    match kind {
        AdmissionKind::Application => Resource::Application,
        AdmissionKind::Invitation => Resource::Invitation,
        AdmissionKind::Approval => Resource::TierApproval,
    }
}

const fn word(kind: AdmissionKind) -> &'static str {
    match kind {
        AdmissionKind::Application => "application",
        AdmissionKind::Invitation => "invitation",
        AdmissionKind::Approval => "approval",
    }
}

/// How far the caller may read each kind; none of them is `Forbidden`.
fn readable(ctx: &Ctx) -> Result<AdmissionReach, AppError> {
    reach_of(|kind| ctx.require((Action::Read, resource(kind))))
}

fn reach_of(allowed: impl Fn(AdmissionKind) -> Result<Scope, AppError>) -> Result<AdmissionReach, AppError> {
    let scopes: Vec<_> = KINDS.into_iter().filter_map(|kind| Some((kind, allowed(kind).ok()?))).collect();
    if scopes.is_empty() { Err(AppError::Forbidden) } else { Ok(AdmissionReach(scopes)) }
}

/// Who opens one of this kind, and takes it back.
fn openers(ctx: &Ctx, kind: AdmissionKind) -> Result<Scope, AppError> {
    let action = if kind == AdmissionKind::Approval { Action::Propose } else { Action::Write };
    ctx.require((action, resource(kind)))
}

/// Who answers one of this kind.
fn answerers(ctx: &Ctx, kind: AdmissionKind) -> Result<Scope, AppError> {
    ctx.require_under((Action::Approve, resource(kind)), &[Condition::NotPreparer])
}

/// Applications, invitations and approvals of partners, newest first; those that the caller may not see are left out.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn admissions_many(
    app: &App,
    ctx: &Ctx,
    program: Option<&ProgramKey>,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Vec<StoredAdmissionRequest>>, AppError> {
    let reach = readable(ctx)?;
    app.store
        .read(async |tx| {
            let program = if program.is_some() { Some(program_in(tx, program).await?.id) } else { None };
            Ok(tx.admission_requests_many(&reach, program, ids).await?)
        })
        .await
}

/// Applications, invitations and approvals by id; those that the caller may not see are left out.
///
/// # Errors
/// `Forbidden`.
pub async fn admissions_by_id_many(app: &App, ctx: &Ctx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, StoredAdmissionRequest>, AppError> {
    let reach = readable(ctx)?;
    Ok(app.store.read(async |tx| tx.admission_requests_by_id_many(&reach, ids).await).await?)
}

/// One page of the applications, invitations and approvals that the caller may see, newest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_admissions(
    app: &App,
    ctx: &Ctx,
    filter: &AdmissionFilter,
    page: &PageRequest,
) -> Result<Page<pages::Keyed<StoredAdmissionRequest>>, AppError> {
    let reach = readable(ctx)?;
    let request = pages::request_of(page);
    let found = app.store.read(async |tx| tx.list_admission_requests(&reach, filter, ctx.today, &request).await).await?;
    Ok(pages::page_of(found, page.backward))
}

/// Opens an application (the partner itself), an invitation (whoever looks after the partner) or an approval.
///
/// # Errors
/// `Forbidden`; `NotFound` about program and partner; `Invalid` with every fault of the input; `Conflict` with `ALREADY_OPEN`,
/// `ALREADY_ADMITTED`, `NOT_ENROLLED`, `NO_VERSION_IN_FORCE`; those of idempotency keys.
pub async fn open_admission(app: &App, ctx: &Ctx, input: &OpenAdmission, keyed: Option<&Keyed>) -> Result<StoredAdmissionRequest, AppError> {
    let scope = openers(ctx, input.kind)?;
    let operation = match input.kind {
        AdmissionKind::Application => "tierApply",
        AdmissionKind::Invitation => "tierInvite",
        AdmissionKind::Approval => "tierApprovalPropose",
    };
    let context = keyed_context(app, ctx, operation, keyed)?;
    let written = app.store.write(&context, async |tx| write_opening(app, ctx, tx, &scope, input).await).await?;
    Ok(written.value)
}

async fn write_opening(app: &App, ctx: &Ctx, tx: &WriteTx, scope: &Scope, input: &OpenAdmission) -> Result<Change<StoredAdmissionRequest>, AppError> {
    let mut faults = Faults::new();
    let place = find_place(app, ctx, tx, scope, &input.place, &mut faults).await?;
    check_tier(&place, &input.tier, &mut faults);
    check_entry(&place, input, &mut faults);
    if let Some(text) = &input.text {
        check_text(&mut faults, "text", text, &app.limits);
    }
    if let Some(evidence) = &input.evidence {
        check_key(&mut faults, "evidence", evidence, &app.limits);
    }
    if input.answer_until.is_some_and(|until| until <= place.today) {
        faults.add("IN_THE_PAST", "answerUntil", format!("nobody could answer: name a day after {}", place.today));
    }
    faults.or(())?;
    let new = NewAdmissionRequest {
        program: place.in_force.program.id,
        partner: place.partner.id,
        ladder: place.ladder.clone(),
        region: place.region.clone(),
        tier: input.tier.clone(),
        kind: input.kind,
        opened_on: place.today,
        answer_until: input.answer_until,
        text: input.text.clone(),
        evidence: input.evidence.clone(),
    };
    if is_admitted(tx, &place, &input.tier).await? {
        return Err(AppError::conflict("ALREADY_ADMITTED", "tier", "the partner may enter this tier already: it comes with what the tier asks for"));
    }
    let id = tx.open_admission_request(&new).await.map_err(|error| refusal(error, input.kind))?;
    let stored = tx.find_admission_request(&AdmissionReach::all(scope), id).await?.ok_or(AppError::NotFound)?;
    let changed = changed(ctx, &stored, &place.partner.code, &place.in_force.program.code, input.text.clone());
    Ok(trace(&stored, None, Event::AdmissionOpened(changed)))
}

/// Whether somebody has let the partner in already: by an admission that was neither ended nor is over by the version's terms.
async fn is_admitted(tx: &WriteTx, place: &Place, tier: &str) -> Result<bool, AppError> {
    let state = FactsPlan::state(place.in_force.program.id, place.today);
    let loaded = tx.load_facts(&Scope::All, &[place.partner.id], &state).await?;
    let (partner, ladder) = (loaded.partners.get(&place.partner.code), place.ladder());
    Ok(partner.zip(ladder).is_some_and(|(partner, ladder)| holds_admission(ladder, partner, place.region.as_deref(), tier, place.today)))
}

/// The tiers of a ladder that an evaluation found met, and that await an approval.
pub(super) fn approvals_of(version: &InForce, partner: PartnerId, ladder: &LadderStanding, today: Date) -> impl Iterator<Item = NewAdmissionRequest> {
    let awaited = ladder.awaiting.iter().filter(|awaited| awaited.entry == Entry::ByApproval);
    awaited.map(move |awaited| NewAdmissionRequest {
        program: version.program.id,
        partner,
        ladder: ladder.ladder.clone(),
        region: ladder.region.clone(),
        tier: awaited.tier.clone(),
        kind: AdmissionKind::Approval,
        opened_on: today,
        answer_until: None,
        text: None,
        evidence: None,
    })
}

/// Opens the approvals that an evaluation found to be awaited, takes back what is awaited no more, and announces what was opened. A
/// program without a tier that is entered by approval costs nothing.
pub(super) async fn follow_approvals(
    tx: &WriteTx,
    version: &InForce,
    as_of: Date,
    judged: &BTreeMap<PartnerId, String>,
    wanted: &[NewAdmissionRequest],
) -> Result<Vec<(Option<PartnerId>, Event)>, StoreError> {
    // What was met in the past awaits nothing today; the day may be another one in the program's time zone.
    if as_of < Date::from_naive(tx.now().date_naive()).plus_days(-1) {
        return Ok(Vec::new());
    }
    let by_approval = |ladder: &Ladder| ladder.tiers.iter().any(|tier| tier.entry == Entry::ByApproval);
    if !version.compiled.document.ladders.iter().any(by_approval) {
        return Ok(Vec::new());
    }
    let ids: Vec<PartnerId> = judged.keys().copied().collect();
    let opened = tx.follow_approvals(version.program.id, &ids, wanted).await?;
    let event = |(id, one): (uuid::Uuid, NewAdmissionRequest)| {
        let changed = AdmissionChanged {
            id: id.to_string(),
            partner: judged.get(&one.partner).cloned().unwrap_or_default(),
            program: version.program.code.clone(),
            ladder: one.ladder,
            region: one.region,
            tier: one.tier,
            kind: one.kind,
            answer_until: None,
            ends_on: None,
            by: tx.context().actor.clone(),
            comment: None,
        };
        (Some(one.partner), Event::AdmissionOpened(changed))
    };
    Ok(opened.into_iter().map(event).collect())
}

/// Each kind of tier is entered in its own way.
fn check_entry(place: &Place, input: &OpenAdmission, faults: &mut Faults) {
    let Some((_, tier)) = place.ladder().and_then(|ladder| ladder.tier(&input.tier)) else { return };
    if admission_of(tier.entry) == Some(input.kind) {
        return;
    }
    let way = match tier.entry {
        Entry::Automatic => "automatically, as soon as what it asks for is met",
        Entry::ByApproval => "by an approval",
        Entry::ByApplication => "by an application of the partner",
        Entry::ByInvitation => "by an invitation",
    };
    faults.add("OTHER_ENTRY", "tier", format!("tier {} is entered {way}", input.tier));
}

/// How far the caller may do this with each kind; none of them is `Forbidden`.
fn answerable(ctx: &Ctx, answer: Answer) -> Result<AdmissionReach, AppError> {
    reach_of(|kind| if answer == Answer::Withdraw { openers(ctx, kind) } else { answerers(ctx, kind) })
}

/// Whether the caller may do this at all, before it is known with which one.
///
/// # Errors
/// `Forbidden`.
pub fn may_answer(ctx: &Ctx, answer: Answer) -> Result<(), AppError> {
    answerable(ctx, answer).map(drop)
}

/// Answers an open application, invitation or approval, or takes it back. What is accepted shows in the tier on record at once, where
/// its requirement is met and a review of it is due.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Stale`; `Invalid` when it is refused without a reason; `Conflict` with `SEGREGATION_OF_DUTIES` for
/// whoever opened it, `ALREADY_DECIDED`, `ADMISSION_EXPIRED`; those of idempotency keys.
pub async fn answer_admission(
    app: &App,
    ctx: &Ctx,
    input: &AnswerAdmission,
    answer: Answer,
    keyed: Option<&Keyed>,
) -> Result<StoredAdmissionRequest, AppError> {
    let reach = answerable(ctx, answer)?;
    check_reason(app, input.reason.as_deref(), false)?;
    let operation = match answer {
        Answer::Accept => "admissionAccept",
        Answer::Reject => "admissionReject",
        Answer::Withdraw => "admissionWithdraw",
    };
    let context = keyed_context(app, ctx, operation, keyed)?;
    let written = app.store.write(&context, async |tx| write_answer(app, ctx, tx, &reach, input, answer).await).await?;
    Ok(written.value)
}

async fn write_answer(
    app: &App,
    ctx: &Ctx,
    tx: &WriteTx,
    reach: &AdmissionReach,
    input: &AnswerAdmission,
    answer: Answer,
) -> Result<Change<StoredAdmissionRequest>, AppError> {
    let before = find_answerable(ctx, tx, reach, input).await?;
    let (today, in_force) = present(app, ctx, tx, &ProgramKey::Id(before.program_id)).await?;
    if answer != Answer::Withdraw {
        another_person(ctx, Some(&before.opened_by))?;
    }
    check_open(&before, today)?;
    if answer == Answer::Reject && before.kind != AdmissionKind::Invitation {
        check_reason(app, input.reason.as_deref(), true)?;
    }
    let seen = StoredAdmissionRequest { row_version: input.expected_version.unwrap_or(before.row_version), ..before.clone() };
    let reason = input.reason.as_deref();
    let closed = match answer {
        Answer::Accept => tx.accept_admission_request(&seen, today, reason).await,
        Answer::Reject => tx.refuse_admission_request(&seen, AdmissionState::Rejected, today, reason).await,
        Answer::Withdraw => tx.refuse_admission_request(&seen, AdmissionState::Withdrawn, today, reason).await,
    };
    closed.map_err(|error| refusal(error, before.kind))?;
    let stored = tx.find_admission_request(&AdmissionReach::all(&Scope::All), before.id).await?.ok_or(AppError::NotFound)?;
    let partner = tx.find_partner(&Scope::All, before.partner_id).await?.ok_or(AppError::NotFound)?;
    let changed = changed(ctx, &stored, &partner.code, &in_force.program.code, input.reason.clone());
    let announced = match answer {
        Answer::Accept => Event::AdmissionAccepted,
        Answer::Reject => Event::AdmissionRejected,
        Answer::Withdraw => Event::AdmissionWithdrawn,
    };
    let change = trace(&stored, Some(&before), announced(changed));
    if answer != Answer::Accept {
        return Ok(change);
    }
    Ok(change.with(rejudge(app, ctx, tx, before.program_id, before.partner_id).await?))
}

/// How far the caller may end each kind; none of them is `Forbidden`.
fn endable(ctx: &Ctx) -> Result<AdmissionReach, AppError> {
    reach_of(|kind| ctx.require_under((Action::Reverse, resource(kind)), &[Condition::NotPreparer]))
}

/// Whether the caller may end admissions at all, before it is known which one.
///
/// # Errors
/// `Forbidden`.
pub fn may_end(ctx: &Ctx) -> Result<(), AppError> {
    endable(ctx).map(drop)
}

/// Ends an accepted application, invitation or approval from a day on, today when none is named: from then on it lets the partner in no more.
/// A tier that it holds only by this is lost on that day, whatever the cadence of reviews; what was held before stays on record.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Stale`; `Invalid` without a reason, with `IN_THE_PAST` and `EMPTY_SPAN`; `Conflict` with `SEGREGATION_OF_DUTIES` for
/// whoever opened it, `NOT_IN_FORCE`; those of idempotency keys.
pub async fn end_admission(app: &App, ctx: &Ctx, input: &AnswerAdmission, on: Option<Date>, keyed: Option<&Keyed>) -> Result<StoredAdmissionRequest, AppError> {
    let reach = endable(ctx)?;
    check_reason(app, input.reason.as_deref(), true)?;
    let context = keyed_context(app, ctx, "admissionEnd", keyed)?;
    let written = app.store.write(&context, async |tx| write_end(app, ctx, tx, &reach, input, on).await).await?;
    Ok(written.value)
}

async fn write_end(
    app: &App,
    ctx: &Ctx,
    tx: &WriteTx,
    reach: &AdmissionReach,
    input: &AnswerAdmission,
    on: Option<Date>,
) -> Result<Change<StoredAdmissionRequest>, AppError> {
    let before = find_answerable(ctx, tx, reach, input).await?;
    another_person(ctx, Some(&before.opened_by))?;
    let (today, in_force) = present(app, ctx, tx, &ProgramKey::Id(before.program_id)).await?;
    let on = on.unwrap_or(today);
    check_end(&before, on, today)?;
    let seen = StoredAdmissionRequest { row_version: input.expected_version.unwrap_or(before.row_version), ..before.clone() };
    tx.end_admission(&seen, on, input.reason.as_deref().unwrap_or_default()).await.map_err(|error| refusal(error, before.kind))?;
    let stored = tx.find_admission_request(&AdmissionReach::all(&Scope::All), before.id).await?.ok_or(AppError::NotFound)?;
    let partner = tx.find_partner(&Scope::All, before.partner_id).await?.ok_or(AppError::NotFound)?;
    let changed = changed(ctx, &stored, &partner.code, &in_force.program.code, input.reason.clone());
    let change = trace(&stored, Some(&before), Event::AdmissionEnded(changed));
    if on > today {
        return Ok(change);
    }
    Ok(change.with(rejudge(app, ctx, tx, before.program_id, before.partner_id).await?))
}

/// Only what lets the partner in can be ended, and only from today on: the past is not rewritten.
fn check_end(request: &StoredAdmissionRequest, on: Date, today: Date) -> Result<(), AppError> {
    if on < today {
        return Err(AppError::invalid("IN_THE_PAST", "on", format!("the past is not rewritten: end it on {today} or later")));
    }
    let what = word(request.kind);
    if request.state != AdmissionState::Accepted || request.ended_on.is_some_and(|ended| ended <= on) {
        let message = format!("this {what} does not let the partner in on {on}: only an accepted one can be ended, and earlier than it ends anyway");
        return Err(AppError::conflict("NOT_IN_FORCE", "id", message));
    }
    if request.admitted_from.is_some_and(|from| on <= from) {
        return Err(AppError::invalid("EMPTY_SPAN", "on", format!("this {what} lets the partner in from {on} on at the earliest: end it on a later day")));
    }
    Ok(())
}

/// The one that is answered, where the caller may answer its kind; where he may only read it, that is said.
async fn find_answerable(ctx: &Ctx, tx: &WriteTx, reach: &AdmissionReach, input: &AnswerAdmission) -> Result<StoredAdmissionRequest, AppError> {
    if let Some(found) = tx.find_admission_request(reach, input.id).await? {
        return Ok(found);
    }
    let seen = tx.find_admission_request(&readable(ctx)?, input.id).await?;
    Err(if seen.is_some() { AppError::Forbidden } else { AppError::NotFound })
}

fn check_open(request: &StoredAdmissionRequest, today: Date) -> Result<(), AppError> {
    let what = word(request.kind);
    let state = match request.state_on(today) {
        AdmissionState::Open => return Ok(()),
        AdmissionState::Expired => {
            let until = request.answer_until.map_or(String::new(), |until| format!(" on {until}"));
            return Err(AppError::conflict("ADMISSION_EXPIRED", "id", format!("the time to answer this {what} ran out{until}: open another one")));
        }
        AdmissionState::Accepted => "accepted",
        AdmissionState::Rejected => "rejected",
        AdmissionState::Withdrawn => "withdrawn",
        AdmissionState::Ended => "ended",
    };
    Err(AppError::conflict("ALREADY_DECIDED", "id", format!("this {what} is {state} already: read it again")))
}

fn changed(ctx: &Ctx, stored: &StoredAdmissionRequest, partner: &str, program: &str, comment: Option<String>) -> AdmissionChanged {
    AdmissionChanged {
        id: stored.id.to_string(),
        partner: partner.to_owned(),
        program: program.to_owned(),
        ladder: stored.ladder.clone(),
        region: stored.region.clone(),
        tier: stored.tier.clone(),
        kind: stored.kind,
        answer_until: stored.answer_until,
        ends_on: stored.ended_on,
        by: ctx.actor.person.clone(),
        comment,
    }
}

fn trace(stored: &StoredAdmissionRequest, before: Option<&StoredAdmissionRequest>, event: Event) -> Change<StoredAdmissionRequest> {
    let state = |one: &StoredAdmissionRequest| serde_json::to_value(one).unwrap_or_default();
    let audit = AuditEntry::of("AdmissionRequest", stored.id).partner(stored.partner_id).after(state(stored));
    let audit = match before {
        Some(before) => audit.before(state(before)),
        None => audit,
    };
    Change::new(stored.clone(), audit).event(outgoing(&event, "Partner", Some(stored.partner_id)))
}

fn refusal(error: StoreError, kind: AdmissionKind) -> AppError {
    match error {
        StoreError::Conflict { constraint } if constraint == "admission_request_open_key" => {
            AppError::conflict("ALREADY_OPEN", "tier", format!("an {} to this tier is open already: answer or withdraw that one", word(kind)))
        }
        StoreError::Conflict { constraint } if constraint == "admission_request_four_eyes" => {
            AppError::conflict("SEGREGATION_OF_DUTIES", "", "whoever asked for it may not decide about it: somebody else must")
        }
        other => other.into(),
    }
}
