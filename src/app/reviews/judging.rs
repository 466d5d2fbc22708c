//! Judging some partners as of a date: their standing, and what fails next.
//!
//! Reviews leave a decision of the same date aside, with that of the parents too: a second review of a day decides as the first one did,
//! whatever the order in which partners are judged and however often it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::{Facts, PartnerFacts};
use guerdon_domain::fault::Faults;
use guerdon_domain::levelling::{Due, LadderRisk, LadderStanding, Reason, next_downward_reviews};
use guerdon_domain::metric::Evaluator;
use guerdon_domain::metric::plan::FactsPlan;
use guerdon_domain::program::Program;
use guerdon_domain::rounding::RoundingMode;
use guerdon_store::{PartnerId, ReadTx, StandingIndex, StoreError};

use crate::app::parallel::in_parallel;
use crate::app::plan::{Known, for_judging, read_facts};
use crate::app::programs::InForce;
use crate::error::AppError;

/// Decimals of a share in a column.
const SHARE_PLACES: u32 = 8;
/// Months that are looked ahead where reviews have no dates.
const AHEAD_MONTHS: i32 = 3;
/// Months that are looked ahead at most.
const AHEAD_MONTHS_MAX: i32 = 12;

/// By which version, as of when, whether a review is due on the date whatever the policy says, and what has to be read for it.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) version: InForce,
    pub(super) as_of: Date,
    pub(super) due: Due,
    /// Until when is looked ahead at what fails; as of the date itself where that is not asked.
    horizon: Date,
    reading: Arc<FactsPlan>,
    /// Whether decisions of the same date are left aside.
    anew: bool,
}

impl Question {
    /// Where partners stand, and what fails next.
    pub(super) fn new(version: InForce, as_of: Date, due: Due) -> Self {
        let horizon = next_downward_reviews(&version.compiled, as_of).into_iter().map(|next| horizon(next, as_of)).max();
        Self::until(version, as_of, due, horizon.unwrap_or(as_of))
    }

    /// Where partners stand with what was decided on the date, and what fails next: nothing is decided anew.
    pub(super) fn as_decided(version: InForce, as_of: Date) -> Self {
        Self { anew: false, ..Self::new(version, as_of, Due::ByCalendar) }
    }

    /// Where partners stand, without a look ahead.
    pub(super) fn present(version: InForce, as_of: Date, due: Due) -> Self {
        Self::until(version, as_of, due, as_of)
    }

    /// Whether everybody's facts are asked for, whoever is judged: ranks in a cohort.
    pub(super) fn takes_everybody(&self) -> bool {
        self.reading.cohort
    }

    fn until(version: InForce, as_of: Date, due: Due, horizon: Date) -> Self {
        let reading = Arc::new(for_judging(&version.compiled, as_of, horizon));
        Self { version, as_of, due, horizon, reading, anew: true }
    }
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

/// Reads what judging partners asks for.
pub(super) async fn read(tx: &ReadTx, question: &Question, partners: &[(PartnerId, String)]) -> Result<Known, StoreError> {
    let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
    read_facts(tx, &Scope::All, &question.version, &question.reading, question.as_of, &ids).await
}

/// Judges partners, in their order, on every processor. What is judged is handed on in parts of so many partners at most, each on the
/// processor that judged it; answers what became of each part.
pub(super) async fn judge<T: Send + 'static>(
    question: &Question,
    known: Known,
    partners: Vec<(PartnerId, String)>,
    size: usize,
    hand_on: fn(&Question, Vec<JudgedPartner>) -> T,
) -> Result<Vec<T>, AppError> {
    let question = question.clone();
    let mut facts = known.facts;
    let decided = if question.anew { leave_aside(&mut facts, question.as_of) } else { Keys::new() };
    let judge_part = move |part: Vec<(PartnerId, String)>| {
        let evaluators = Evaluators::new(&question, &facts);
        let judge = |some: &[(PartnerId, String)]| some.iter().map(|partner| evaluators.judge(&question, &decided, partner)).collect();
        part.chunks(size.max(1)).map(|some| hand_on(&question, judge(some))).collect()
    };
    in_parallel(partners, judge_part).await
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

/// Two looks at the same facts: at what is known now, and at what becomes of it if nothing more comes in.
struct Evaluators<'e> {
    present: Evaluator<'e>,
    future: Evaluator<'e>,
}

impl<'e> Evaluators<'e> {
    fn new(question: &'e Question, facts: &'e Facts) -> Self {
        let program: &Program = &question.version.compiled;
        Self { present: Evaluator::new(program, facts), future: Evaluator::new(program, facts).known_until(question.as_of).without_trees() }
    }

    fn judge(&self, question: &Question, decided: &Keys, (id, code): &(PartnerId, String)) -> JudgedPartner {
        let standing = self.present.standing(code, question.as_of, question.due);
        self.present.forget();
        let again = |standing: &LadderStanding| decided.get(code).is_some_and(|keys| keys.contains(&(standing.ladder.clone(), standing.region.clone())));
        let ladder = |standing: LadderStanding| JudgedLadder { again: again(&standing), risk: first_risk(question, &self.future, code, &standing), standing };
        let ladders = standing.map(|whole| whole.ladders.into_iter().map(ladder).collect());
        self.future.forget();
        JudgedPartner { id: *id, code: code.clone(), ladders }
    }
}

/// What fails first. A partner whose future cannot be judged (a missing rate) has been judged, and no risk is named.
fn first_risk(question: &Question, future: &Evaluator<'_>, code: &str, standing: &LadderStanding) -> Option<LadderRisk> {
    let asked = question.horizon > question.as_of && is_threatened_by_time(standing);
    let ahead = horizon(standing.decision.next_down_on, question.as_of).min(question.horizon);
    asked.then(|| future.first_failures(standing, code, question.as_of, ahead).ok().flatten()).flatten()
}

/// Whether the tier could be lost: it is held by the partner's own merit, and asks for something.
fn is_threatened_by_time(standing: &LadderStanding) -> bool {
    let judged = standing.applies && !standing.decision.reasons.contains(&Reason::Suspended);
    standing.rank > 0 && judged && standing.is_own() && standing.may_fail()
}

/// Until when is looked ahead: to the next downward review, with that day.
fn horizon(next_down_on: Option<Date>, as_of: Date) -> Date {
    let next = next_down_on.map_or_else(|| as_of.plus_months(AHEAD_MONTHS), Date::next);
    next.min(as_of.plus_months(AHEAD_MONTHS_MAX))
}

/// What lists ask of a standing.
pub fn index_of(standing: &LadderStanding, risk: Option<&LadderRisk>) -> StandingIndex {
    let decision = &standing.decision;
    let next = standing.next.as_ref();
    let share = next.and_then(|next| standing.tiers.iter().find(|tier| tier.rank == next.rank)).map(|tier| tier.share_met.clone());
    let change = serde_json::to_value(decision.change).ok().and_then(|value| value.as_str().map(str::to_owned));
    let sentences = |risk: &LadderRisk| risk.leaves.iter().map(|leaf| leaf.sentence().text).collect::<Vec<_>>();
    StandingIndex {
        from_tier: standing.record.as_ref().and_then(|record| record.tier.clone()),
        change,
        next_tier: next.map(|next| next.tier.clone()),
        next_share: share.and_then(|share| RoundingMode::Down.round_scaled(&share, SHARE_PLACES).ok()),
        at_risk_on: risk.and_then(|risk| risk.fails_on),
        risk: risk.and_then(|risk| serde_json::to_string(&sentences(risk)).ok()),
        grace_warn_from: decision.grace.map(|grace| grace.warn_from),
        grace_until: decision.grace.map(|grace| grace.until),
        overridden_until: decision.overridden.as_ref().map(|held| held.span.until),
        awaiting: decision.reasons.contains(&Reason::AwaitsAdmission),
    }
}
