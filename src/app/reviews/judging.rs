//! Judging some partners as of a date: their standing, and what fails next.
//!
//! A decision of the same date is left aside, with that of the parents too: a second review of a day decides as the first one did,
//! whatever the order in which partners are judged and however often it is done.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::{Facts, PartnerFacts};
use guerdon_domain::fault::Faults;
use guerdon_domain::levelling::{Due, LadderRisk, LadderStanding, Reason};
use guerdon_domain::metric::Evaluator;
use guerdon_domain::program::Program;
use guerdon_domain::rounding::RoundingMode;
use guerdon_store::{PartnerId, ReadTx, StandingIndex, Store};

use crate::app::parallel::in_parallel;
use crate::app::plan::{Known, compute, for_judging, read_facts};
use crate::app::programs::InForce;
use crate::error::AppError;

/// Decimals of a share in a column.
const SHARE_PLACES: u32 = 8;
/// Months that are looked ahead where reviews have no dates.
const AHEAD_MONTHS: i32 = 3;
/// Months that are looked ahead at most.
const AHEAD_MONTHS_MAX: i32 = 12;

/// By which version, as of when, and whether a review is due on the date whatever the policy says.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) version: InForce,
    pub(super) as_of: Date,
    pub(super) due: Due,
}

/// A partner, judged.
pub(super) struct JudgedPartner {
    pub(super) id: PartnerId,
    pub(super) code: String,
    pub(super) ladders: Result<Vec<JudgedLadder>, Faults>,
}

/// A ladder, judged.
pub(super) struct JudgedLadder {
    pub(super) standing: LadderStanding,
    /// What fails first.
    pub(super) risk: Option<LadderRisk>,
    /// Whether a decision of the same date is on record, which this one replaces.
    pub(super) again: bool,
}

/// Judges partners, in their order.
pub(super) async fn judge(store: &Store, question: &Question, partners: &[(PartnerId, String)]) -> Result<Vec<JudgedPartner>, AppError> {
    let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
    let known = read(store, question, &ids, question.as_of).await?;
    let asked = question.clone();
    let named = partners.to_vec();
    let (mut judged, ahead) = compute(move || {
        let mut facts = known.facts;
        let decided = leave_aside(&mut facts, asked.as_of);
        let judged = judge_all(&asked, &facts, &decided, &named)?;
        let ahead = look_ahead_of(&judged, asked.as_of);
        Ok::<_, AppError>((judged, ahead))
    })
    .await??;
    if let Some((ids, horizon)) = ahead {
        let known = read(store, question, &ids, horizon).await?;
        let asked = question.clone();
        judged = compute(move || with_risks(&asked, &known.facts, judged)).await??;
    }
    Ok(judged)
}

async fn read(store: &Store, question: &Question, ids: &[PartnerId], last: Date) -> Result<Known, AppError> {
    let reading = for_judging(&question.version.compiled, question.as_of, last);
    let read = async |tx: &ReadTx| read_facts(tx, &Scope::All, &question.version, &reading, question.as_of, ids).await;
    Ok(store.read(read).await?)
}

/// Ladder and region of a partner, by its code.
type Keys = BTreeMap<String, BTreeSet<(String, Option<String>)>>;

/// Takes the decisions of a date out, so that what was on record before it counts again. Answers whose they were.
fn leave_aside(facts: &mut Facts, date: Date) -> Keys {
    let mut keys = Keys::new();
    for (code, partner) in &mut facts.partners {
        let of_date = partner.assignments.iter().filter(|held| held.from == date);
        let decided: BTreeSet<(String, Option<String>)> = of_date.map(|held| (held.ladder.clone(), held.region.clone())).collect();
        if !decided.is_empty() {
            reopen(partner, date, &decided);
            keys.insert(code.clone(), decided);
        }
    }
    keys
}

fn reopen(partner: &mut PartnerFacts, date: Date, decided: &BTreeSet<(String, Option<String>)>) {
    partner.assignments.retain(|held| held.from != date);
    for held in partner.assignments.iter_mut().filter(|held| held.until == Some(date)) {
        if decided.contains(&(held.ladder.clone(), held.region.clone())) {
            held.until = None;
        }
    }
}

fn judge_all(question: &Question, facts: &Facts, decided: &Keys, partners: &[(PartnerId, String)]) -> Result<Vec<JudgedPartner>, AppError> {
    let program: &Program = &question.version.compiled;
    in_parallel(partners.iter().collect(), |part: Vec<&(PartnerId, String)>| {
        let evaluator = Evaluator::new(program, facts);
        let judge = |(id, code): &(PartnerId, String)| {
            let standing = evaluator.standing(code, question.as_of, question.due);
            evaluator.forget();
            let again = |standing: &LadderStanding| decided.get(code).is_some_and(|keys| keys.contains(&(standing.ladder.clone(), standing.region.clone())));
            let ladders =
                standing.map(|whole| whole.ladders.into_iter().map(|standing| JudgedLadder { again: again(&standing), risk: None, standing }).collect());
            JudgedPartner { id: *id, code: code.clone(), ladders }
        };
        part.into_iter().map(judge).collect()
    })
}

/// The partners for which the future has to be looked at, and until when.
fn look_ahead_of(judged: &[JudgedPartner], as_of: Date) -> Option<(Vec<PartnerId>, Date)> {
    let mut ids = Vec::new();
    let mut last = None;
    for partner in judged {
        let ladders = partner.ladders.iter().flatten().filter(|ladder| is_threatened_by_time(&ladder.standing));
        let horizon = ladders.map(|ladder| horizon(&ladder.standing, as_of)).max();
        if horizon.is_some() {
            ids.push(partner.id);
            last = last.max(horizon);
        }
    }
    Some((ids, last?))
}

/// Whether the tier could be lost: it is held by the partner's own merit, and asks for something.
fn is_threatened_by_time(standing: &LadderStanding) -> bool {
    let kept = standing.decision.overridden.is_some() || standing.decision.inherited_from.is_some();
    let judged = standing.applies && !standing.decision.reasons.contains(&Reason::Suspended);
    standing.rank > 0 && judged && !kept && standing.may_fail()
}

/// Until when is looked ahead: to the next downward review, with that day.
fn horizon(standing: &LadderStanding, as_of: Date) -> Date {
    let next = standing.decision.next_down_on.map_or_else(|| as_of.plus_months(AHEAD_MONTHS), Date::next);
    next.min(as_of.plus_months(AHEAD_MONTHS_MAX))
}

/// The same with what fails first. A partner whose future cannot be judged (a missing rate) has been judged, and no risk is named.
fn with_risks(question: &Question, facts: &Facts, judged: Vec<JudgedPartner>) -> Result<Vec<JudgedPartner>, AppError> {
    let program: &Program = &question.version.compiled;
    in_parallel(judged, |part| {
        let evaluator = Evaluator::new(program, facts).known_until(question.as_of);
        let of_ladder = |code: &str, ladder: &JudgedLadder| {
            let asked = is_threatened_by_time(&ladder.standing) && facts.partners.contains_key(code);
            let ahead = horizon(&ladder.standing, question.as_of);
            asked.then(|| evaluator.first_failures(&ladder.standing, code, question.as_of, ahead).ok().flatten()).flatten()
        };
        let of_partner = |mut partner: JudgedPartner| {
            for ladder in partner.ladders.iter_mut().flatten() {
                ladder.risk = of_ladder(&partner.code, ladder);
            }
            evaluator.forget();
            partner
        };
        part.into_iter().map(of_partner).collect()
    })
}

/// What lists ask of a standing.
pub fn index_of(standing: &LadderStanding, risk: Option<&LadderRisk>) -> StandingIndex {
    let decision = &standing.decision;
    let next = standing.next.as_ref();
    let share = next.and_then(|next| standing.tiers.iter().find(|tier| tier.rank == next.rank)).map(|tier| tier.share_met);
    let change = serde_json::to_value(decision.change).ok().and_then(|value| value.as_str().map(str::to_owned));
    let sentences = |risk: &LadderRisk| risk.leaves.iter().map(|leaf| leaf.leaf.sentence(None).text).collect::<Vec<_>>();
    StandingIndex {
        from_tier: standing.record.as_ref().and_then(|record| record.tier.clone()),
        change,
        next_tier: next.map(|next| next.tier.clone()),
        next_share: share.and_then(|share| RoundingMode::Down.round_scaled(share, SHARE_PLACES).ok()),
        at_risk_on: risk.and_then(|risk| risk.fails_on),
        risk: risk.and_then(|risk| serde_json::to_string(&sentences(risk)).ok()),
        grace_warn_from: decision.grace.map(|grace| grace.warn_from),
        grace_until: decision.grace.map(|grace| grace.until),
        overridden_until: decision.overridden.as_ref().map(|held| held.span.until),
        awaiting: decision.reasons.contains(&Reason::AwaitsAdmission),
    }
}
