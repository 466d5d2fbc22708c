//! Tiers: where partners stand, what they hold and held, and evaluations that put decisions on record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::admissions::{approvals_of, follow_approvals};
use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::event::{Event, TierChanged};
use guerdon_domain::facts::{AssignmentCause, Facts, TierAssignment};
use guerdon_domain::fault::Faults;
use guerdon_domain::levelling::{Change as TierMove, Due, KeptStanding, LadderRisk, LadderStanding, Standing, gaps_told_until};
use guerdon_domain::metric::Evaluator;
use guerdon_store::{AssignmentOutcome, AuditEntry, Change, NewAdmissionRequest, NewAssignment, NewReview, NewStanding, StandingIndex, WriteTx};
use serde::{Deserialize, Serialize};

pub use super::held::{HeldTier, TierHistory};
use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::parallel::in_parallel;
use super::partners::PartnerId;
use super::plan::{Known, compute, dated, for_judging, program_of, read_facts, together};
use super::programs::{InForce, ProgramKey, all_published, in_force_many};
use super::reviews::stand_at_once;
use super::{App, Ctx};
use crate::error::AppError;

/// Partners that one transaction judges.
const CHUNK: usize = 1_000;

/// Where a partner stands, and by which version.
#[derive(Debug, Clone)]
pub struct PartnerStanding {
    /// The partner.
    pub partner: PartnerId,
    /// The program.
    pub program: ProgramKey,
    /// The number of the version that judged.
    pub version: i64,
    /// Where it stands.
    pub standing: Standing,
    /// What threatens its tiers, where that was asked with it.
    pub ahead: Option<Ahead>,
}

/// What threatens a partner's tiers within some months.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// So many months.
    pub months: i32,
    /// What was found.
    pub risks: Result<Vec<LadderRisk>, AppError>,
}

/// What is asked about the standing of every partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandingQuestion {
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The date; today in the program's time zone when empty.
    pub as_of: Option<Date>,
    /// What threatens the tiers within so many months is asked too: facts are read once for both.
    pub ahead: Option<i32>,
}

/// Where partners stand on a date. A fixed number of statements whatever the number of partners. Partners out of scope are left
/// out, and all of them before the first version.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program. A partner that cannot be judged has its own error.
pub async fn standings_many(
    app: &App,
    ctx: &Ctx,
    question: &StandingQuestion,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Result<PartnerStanding, AppError>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Tier))?;
    let read = read_for_judging(app, ctx, &scope, question, ids).await?;
    let Some((as_of, in_force, known)) = read else { return Ok(BTreeMap::new()) };
    let months = question.ahead;
    compute(move || {
        let evaluator = Evaluator::new(&in_force.compiled, &known.facts);
        let ahead = Evaluator::new(&in_force.compiled, &known.facts).known_until(as_of);
        let mut risks = months.map(|months| look_ahead(&in_force, &known, as_of, months)).unwrap_or_default();
        let judge = |(id, code): (&PartnerId, &String)| {
            let mut standing = evaluator.standing(code, as_of, Due::ByCalendar);
            evaluator.forget();
            if let Ok(standing) = &mut standing {
                ahead.tell_gaps(standing);
                ahead.forget();
            }
            let ahead = risks.remove(id).zip(months).map(|(risks, months)| Ahead { months, risks });
            let (program, version) = (ProgramKey::Id(in_force.program.id), in_force.version.number);
            let whole = |standing| PartnerStanding { partner: *id, program, version, standing, ahead };
            (*id, standing.map(whole).map_err(AppError::from))
        };
        known.ids.iter().map(judge).collect()
    })
    .await
}

async fn read_for_judging(
    app: &App,
    ctx: &Ctx,
    scope: &Scope,
    question: &StandingQuestion,
    ids: &[PartnerId],
) -> Result<Option<(Date, InForce, Known)>, AppError> {
    app.store
        .read(async |tx| {
            let Some((as_of, in_force)) = dated(app, ctx, tx, question.program.as_ref(), question.as_of).await? else { return Ok(None) };
            // What is missing is told by the days of the next reviews, through the windows that they look through.
            let told_until = gaps_told_until(&in_force.compiled, as_of);
            let last = question.ahead.map_or(told_until, |months| as_of.plus_months(months).max(told_until));
            let reading = for_judging(&in_force.compiled, as_of, last);
            let known = read_facts(tx, scope, &in_force, &reading, as_of, ids).await?;
            Ok(Some((as_of, in_force, known)))
        })
        .await
}

fn look_ahead(in_force: &InForce, known: &Known, as_of: Date, months: i32) -> BTreeMap<PartnerId, Result<Vec<LadderRisk>, AppError>> {
    let evaluator = Evaluator::new(&in_force.compiled, &known.facts).known_until(as_of);
    let risks = |(id, code): (&PartnerId, &String)| {
        let risks = evaluator.at_risk(code, as_of, as_of.plus_months(months));
        evaluator.forget();
        (*id, risks.map_err(AppError::from))
    };
    known.ids.iter().map(risks).collect()
}

/// What threatens the tiers of partners within so many months of a date, if nothing more comes in. A fixed number of statements
/// whatever the number of partners.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program. A partner that cannot be judged has its own error.
pub async fn risks_many(
    app: &App,
    ctx: &Ctx,
    program: &ProgramKey,
    as_of: Date,
    months: i32,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Result<Vec<LadderRisk>, AppError>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Tier))?;
    let question = StandingQuestion { program: Some(program.clone()), as_of: Some(as_of), ahead: Some(months) };
    let read = read_for_judging(app, ctx, &scope, &question, ids).await?;
    let Some((as_of, in_force, known)) = read else { return Ok(BTreeMap::new()) };
    compute(move || look_ahead(&in_force, &known, as_of, months)).await
}

/// The tiers that partners held in a program.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn histories_many(app: &App, ctx: &Ctx, program: Option<&ProgramKey>, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, TierHistory>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Tier))?;
    app.store
        .read(async |tx| {
            let present = dated(app, ctx, tx, program, None).await?;
            let id = match &present {
                Some((_, in_force)) => in_force.program.id,
                None => program_of(tx, program).await?,
            };
            let assignments = tx.assignments_many(&scope, id, ids).await?;
            let overrides = tx.overrides_many(&scope, Some(id), ids).await?;
            let versions = all_published(app, tx, Some(&ProgramKey::Id(id))).await?;
            Ok(TierHistory::of_partners(present.map(|(today, _)| today), versions, assignments, overrides))
        })
        .await
}

/// Whom an evaluation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every partner that is enrolled on the date.
    All,
    /// Partners by code.
    Partners(Vec<String>),
}

/// An evaluation to be made.
#[derive(Debug, Clone)]
pub struct EvaluateTiers {
    /// The program.
    pub program: ProgramKey,
    /// The dates, one decision after the other; each sees the tiers that the ones before gave.
    pub dates: BTreeSet<Date>,
    /// Whom.
    pub selection: Selection,
    /// Whether reviews fall on the days that the version's policy names, or are called by hand.
    pub due: Due,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A tier that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierMoved {
    /// The partner.
    pub partner: PartnerId,
    /// Its code.
    pub code: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier before.
    pub from: Option<String>,
    /// The tier from `on` on.
    pub to: Option<String>,
    /// The first day on which it is held.
    pub on: Date,
    /// Why.
    pub cause: AssignmentCause,
    /// Whether it is the same tier, which an override held until now and the rules hold from `on` on, or the other way round: put on
    /// record, and no news.
    #[serde(default, alias = "released")]
    pub same_tier: bool,
}

/// What an evaluation did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TiersEvaluated {
    /// Partners judged, on every date together.
    pub judged: u64,
    /// Tiers that changed.
    pub moved: Vec<TierMoved>,
    /// Decisions that were not put on record, since a later one stands: the past is not rewritten.
    pub in_the_past: u64,
    /// Partners that could not be judged, with the reason.
    pub failed: BTreeMap<String, Faults>,
}

/// Judges partners on each date, and puts on record what changes. The last date's standings are kept as they were judged, and lists show
/// where those stand today whose tiers moved. The same again changes nothing. Everything happens in one transaction per thousand
/// partners; facts are read once for all dates.
///
/// # Errors
/// `Forbidden`; `NotFound` about the program; `Invalid` when no version is in force on a date or a partner is unknown; `Limit`; those of
/// idempotency keys.
pub async fn evaluate_tiers(app: &App, ctx: &Ctx, input: &EvaluateTiers) -> Result<TiersEvaluated, AppError> {
    let scope = ctx.require((Action::Write, Resource::Review))?;
    let (versions, ids) = prepare(app, &scope, input).await?;
    let present = app.store.read(async |tx| dated(app, ctx, tx, Some(&input.program), None).await).await?;
    let mut total = TiersEvaluated::default();
    let most = app.limits.evaluate_max;
    if input.keyed.is_some() && ids.len() > most {
        let message = format!("{} partners are enrolled, and at most {most} are judged at once: name them, in several requests", ids.len());
        return Err(AppError::limit("TOO_MANY", "partners", message));
    }
    // An idempotency key answers for the whole: with one, everything is one chunk.
    let size = if input.keyed.is_some() { ids.len().max(1) } else { CHUNK };
    for chunk in ids.chunks(size) {
        let context = keyed_context(app, ctx, "tiersEvaluate", input.keyed.as_ref())?;
        let evaluated = async |tx: &WriteTx| {
            let change = evaluate_chunk(tx, &scope, input, &versions, chunk).await?;
            let moved: BTreeSet<PartnerId> = change.value().moved.iter().map(|moved| moved.partner).collect();
            if let Some((today, in_force)) = present.as_ref().filter(|_| !moved.is_empty()) {
                stand_at_once(tx, in_force, *today, &Vec::from_iter(moved)).await?;
            }
            Ok::<_, AppError>(change)
        };
        let written = app.store.write(&context, evaluated).await?;
        total.judged += written.value.judged;
        total.in_the_past += written.value.in_the_past;
        total.moved.extend(written.value.moved);
        total.failed.extend(written.value.failed);
    }
    Ok(total)
}

/// The versions in force on the dates, and the partners.
async fn prepare(app: &App, scope: &Scope, input: &EvaluateTiers) -> Result<(BTreeMap<Date, InForce>, Vec<PartnerId>), AppError> {
    app.store
        .read(async |tx| {
            let versions = in_force_many(app, tx, Some(&input.program), &input.dates).await?;
            if let Some(date) = input.dates.iter().find(|date| !versions.contains_key(date)) {
                return Err(AppError::invalid("NO_VERSION_IN_FORCE", "asOf", format!("no version of the program is in force on {date}")));
            }
            let ids = match (&input.selection, versions.last_key_value()) {
                (Selection::Partners(codes), _) => {
                    let found = tx.partners_by_code_many(scope, codes).await?;
                    let mut faults = Faults::new();
                    for (at, _) in codes.iter().enumerate().filter(|(_, code)| !found.contains_key(*code)) {
                        faults.add("UNKNOWN_PARTNER", format!("partners[{at}]"), "there is no such partner that you may judge");
                    }
                    faults.or(())?;
                    found.values().map(|partner| partner.id).collect()
                }
                (Selection::All, Some((_, in_force))) => {
                    let mut all = BTreeSet::new();
                    for date in &input.dates {
                        all.extend(tx.list_enrolled(scope, in_force.program.id, *date, None, u32::MAX).await?);
                    }
                    all.into_iter().collect()
                }
                (Selection::All, None) => Vec::new(),
            };
            Ok((versions, ids))
        })
        .await
}

/// What one date brought.
struct DayJudged {
    decisions: Vec<(NewAssignment, TierMoved)>,
    standings: Vec<NewStanding>,
    awaiting: Vec<NewAdmissionRequest>,
    failed: BTreeMap<String, Faults>,
}

pub(super) async fn evaluate_chunk(
    tx: &WriteTx,
    scope: &Scope,
    input: &EvaluateTiers,
    versions: &BTreeMap<Date, InForce>,
    ids: &[PartnerId],
) -> Result<Change<TiersEvaluated>, AppError> {
    let Some((last, in_force)) = versions.last_key_value() else { return Ok(Change::unchanged(TiersEvaluated::default())) };
    let first = input.dates.first().copied().unwrap_or(*last);
    let distinct: BTreeMap<_, _> = versions.values().map(|version| (version.version.id, version)).collect();
    let reading = together(distinct.into_values().map(|version| for_judging(&version.compiled, first, *last)));
    let Known { ids, facts } = read_facts(tx, scope, in_force, &reading, *last, ids).await?;
    let mut facts = Arc::new(facts);
    let mut done = TiersEvaluated::default();
    let (mut traces, mut reviewed) = (Vec::new(), false);
    for (date, version) in versions {
        let judged = judge_day(version, &facts, &ids, *date, input.due, date == last).await?;
        done.judged += ids.len() as u64;
        done.failed.extend(judged.failed);
        if date == last {
            traces.extend(follow_approvals(tx, version, *date, &ids, &judged.awaiting).await?);
        }
        let review = record_day(tx, version, *date, &judged.decisions, judged.standings).await?;
        let Some(outcomes) = review else { continue };
        reviewed = true;
        for ((decision, moved), outcome) in judged.decisions.into_iter().zip(outcomes) {
            match outcome {
                AssignmentOutcome::InThePast => done.in_the_past += 1,
                AssignmentOutcome::Unchanged => {}
                AssignmentOutcome::Recorded | AssignmentOutcome::Replaced => {
                    hold(Arc::make_mut(&mut facts), &moved, &decision);
                    if !moved.same_tier {
                        traces.push((Some(moved.partner), event_of(version, &moved)));
                    }
                    done.moved.push(moved);
                }
            }
        }
    }
    let summary = serde_json::json!({ "judged": done.judged, "moved": done.moved.len(), "dates": input.dates, "selection": selection_text(&input.selection) });
    if !reviewed && traces.is_empty() {
        return Ok(Change::unchanged(done));
    }
    let audit = AuditEntry::of("Review", in_force.program.id).after(summary);
    let change = Change::new(done, audit);
    Ok(traces.into_iter().fold(change, |change, (partner, event)| change.event(outgoing(&event, "Partner", partner))))
}

fn selection_text(selection: &Selection) -> String {
    match selection {
        Selection::All => "all".to_owned(),
        Selection::Partners(codes) => format!("{} partners", codes.len()),
    }
}

/// Judges every partner on a date.
async fn judge_day(version: &InForce, facts: &Arc<Facts>, ids: &BTreeMap<PartnerId, String>, date: Date, due: Due, keep: bool) -> Result<DayJudged, AppError> {
    let mut day = DayJudged { decisions: Vec::new(), standings: Vec::new(), awaiting: Vec::new(), failed: BTreeMap::new() };
    let listed: Vec<(PartnerId, String)> = ids.iter().map(|(id, code)| (*id, code.clone())).collect();
    let (program, facts) = (Arc::clone(&version.compiled), Arc::clone(facts));
    let judge_part = move |part: Vec<(PartnerId, String)>| {
        let evaluator = Evaluator::new(&program, &facts);
        let judge = |(id, code): (PartnerId, String)| {
            let standing = evaluator.standing(&code, date, due);
            evaluator.forget();
            (id, code, standing)
        };
        part.into_iter().map(judge).collect()
    };
    let judged = in_parallel(listed, judge_part).await?;
    for (id, code, standing) in judged {
        match standing {
            Err(faults) => {
                day.failed.insert(code, faults);
            }
            Ok(standing) => {
                for ladder in &standing.ladders {
                    day.decisions.extend(decision_of(version, id, &code, ladder, date));
                    if keep {
                        day.awaiting.extend(approvals_of(version, id, ladder, date));
                        day.standings.push(standing_of(id, ladder, super::reviews::index_of(ladder, None)));
                    }
                }
            }
        }
    }
    Ok(day)
}

pub(super) fn decision_of(version: &InForce, partner: PartnerId, code: &str, ladder: &LadderStanding, date: Date) -> Option<(NewAssignment, TierMoved)> {
    if ladder.decision.change == TierMove::Kept {
        return None;
    }
    // Holding nothing and never having held anything is no news.
    if ladder.record.is_none() && ladder.tier.is_none() {
        return None;
    }
    let cause = ladder.decision.cause.unwrap_or_default();
    let decision = NewAssignment {
        partner,
        ladder: ladder.ladder.clone(),
        region: ladder.region.clone(),
        tier: ladder.tier.clone(),
        on: date,
        cause,
        review: None,
        version: version.version.id,
        reviewed: ladder.decision.reviewed.clone(),
    };
    let moved = TierMoved {
        partner,
        code: code.to_owned(),
        ladder: ladder.ladder.clone(),
        region: ladder.region.clone(),
        from: ladder.record.as_ref().and_then(|record| record.tier.clone()),
        to: ladder.tier.clone(),
        on: date,
        cause,
        same_tier: matches!(ladder.decision.change, TierMove::Released | TierMove::Overridden),
    };
    Some((decision, moved))
}

pub(super) fn standing_of(partner: PartnerId, ladder: &LadderStanding, index: StandingIndex) -> NewStanding {
    NewStanding {
        partner,
        ladder: ladder.ladder.clone(),
        region: ladder.region.clone(),
        tier: ladder.tier.clone(),
        qualified_tier: ladder.qualified.clone(),
        index,
        standing: KeptStanding::of(ladder).to_text(),
    }
}

/// Puts a day on record: a review with what it found, and the tiers that changed. None when nothing is new.
async fn record_day(
    tx: &WriteTx,
    version: &InForce,
    date: Date,
    decisions: &[(NewAssignment, TierMoved)],
    standings: Vec<NewStanding>,
) -> Result<Option<Vec<AssignmentOutcome>>, AppError> {
    let standings = new_standings(tx, version, date, standings).await?;
    if decisions.is_empty() && standings.is_empty() {
        return Ok(None);
    }
    let review = NewReview { program: version.program.id, version: version.version.id, as_of: date, cause: "REQUESTED".to_owned() };
    let review = tx.record_review(&review, &standings, decisions.len() as u64).await?;
    let decisions: Vec<NewAssignment> = decisions.iter().map(|(decision, _)| NewAssignment { review: Some(review), ..decision.clone() }).collect();
    Ok(Some(tx.record_assignments(version.program.id, &decisions).await?))
}

/// The standings that are not on record just so already.
async fn new_standings(tx: &WriteTx, version: &InForce, date: Date, standings: Vec<NewStanding>) -> Result<Vec<NewStanding>, AppError> {
    let partners: BTreeSet<PartnerId> = standings.iter().map(|standing| standing.partner).collect();
    let partners: Vec<PartnerId> = partners.into_iter().collect();
    if partners.is_empty() {
        return Ok(standings);
    }
    let on_record = tx.standings_known_many(version.program.id, version.version.id, date, &partners).await?;
    let known = |new: &NewStanding| on_record.contains(&(new.partner, new.ladder.clone(), new.region.clone(), new.tier.clone(), new.qualified_tier.clone()));
    Ok(standings.into_iter().filter(|new| !known(new)).collect())
}

/// Lets the later dates of the same evaluation see the tier.
fn hold(facts: &mut Facts, moved: &TierMoved, decision: &NewAssignment) {
    let Some(partner) = facts.partners.get_mut(&moved.code) else { return };
    let same = |held: &TierAssignment| held.ladder == moved.ladder && held.region == moved.region;
    // An override's end goes back to what a review of the same day gave.
    let kept = |held: &TierAssignment| decision.cause == AssignmentCause::Override && held.cause != AssignmentCause::Override;
    partner.assignments.retain(|held| !(same(held) && held.from == moved.on) || kept(held));
    for held in partner.assignments.iter_mut().filter(|held| same(held) && held.from < moved.on && held.until.is_none_or(|until| until > moved.on)) {
        held.until = Some(moved.on);
    }
    let held = TierAssignment {
        ladder: moved.ladder.clone(),
        region: moved.region.clone(),
        tier: moved.to.clone(),
        from: moved.on,
        until: None,
        cause: decision.cause,
    };
    if let Some(reviewed) = &decision.reviewed {
        partner.assignments.retain(|held| !(same(held) && held.from == moved.on));
        let tier = Some(reviewed.clone()).filter(|tier| !tier.is_empty());
        partner.assignments.push(TierAssignment { tier, cause: AssignmentCause::Promotion, ..held.clone() });
    }
    partner.assignments.push(held);
    partner.assignments.sort_by_key(|held| held.from);
}

pub(super) fn event_of(version: &InForce, moved: &TierMoved) -> Event {
    let ladder = version.compiled.ladder(Some(&moved.ladder));
    let rank = |tier: Option<&str>| ladder.map_or(0, |ladder| ladder.rank(tier));
    let changed = TierChanged {
        partner: moved.code.clone(),
        program: version.program.code.clone(),
        version: version.version.number,
        ladder: moved.ladder.clone(),
        region: moved.region.clone(),
        from_tier: moved.from.clone(),
        to_tier: moved.to.clone(),
        on: moved.on,
        cause: moved.cause,
    };
    // A tier that the version dropped has no rank, and is lost all the same.
    if moved.to.is_none() || rank(moved.to.as_deref()) < rank(moved.from.as_deref()) { Event::TierDemoted(changed) } else { Event::TierPromoted(changed) }
}
