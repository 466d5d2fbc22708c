//! What becomes of a tier that is not met, by what is known.
//!
//! The days on which something may be decided are gone through in their order, each decided by what the one before put on record, as
//! reviews would: so that whatever takes a tier (a review, the end of a grace period, of an override or an admission, the onboarding deadline)
//! is foreseen by the rule that takes it.

use std::collections::BTreeSet;

use super::decide::{Decided, deadline, policy};
use super::outcome::reviewed_rank;
use super::record::{history, in_force, overrides_of, region_of, with_overrides_on};
use super::schedule::gaps_told_until;
use super::{Change, Decision, Due, GraceStanding, LadderStanding, Standing};
use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, ReviewPolicy};
use crate::facts::{AssignmentCause, PartnerFacts, PartnerStatus, TierAssignment};
use crate::fault::Faults;
use crate::metric::{At, Evaluator};

/// What becomes of a tier that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It is lost on this day, on which it is open to the partner or not.
    LostOn { day: Date, admitted: bool },
    /// On the first day on which it could be lost it is given, or it is given before and that cures it.
    Kept,
    /// It is not lost as far as can be seen.
    Open,
}

/// How far a tier has been followed.
struct Course {
    rank: u32,
    /// The days that are still to come.
    between: Span,
    /// The grace period that runs since the last day that was decided.
    running: Option<GraceStanding>,
}

/// What a day changed.
enum Step {
    Ends(Outlook),
    /// Another tier, or another cause, is on record from the day on.
    Recorded(PartnerFacts),
}

impl<'a> Evaluator<'a> {
    /// What becomes of the tier of a standing after its date, up to and with `last`. `at` is about the partner as the standing left its record.
    pub(super) fn outlook(&self, ladder: &'a Ladder, standing: &LadderStanding, at: &At<'a>, last: Date) -> Result<Outlook, Faults> {
        let last = self.foreseen_until(ladder, at).min(last);
        let between = Span::new(at.as_of.next(), last.next());
        let mut course = Course { rank: standing.rank, between, running: standing.decision.grace };
        let mut step = self.follow(ladder, at, &mut course)?;
        loop {
            match step {
                Step::Ends(outlook) => return Ok(outlook),
                Step::Recorded(partner) => step = self.anew().follow(ladder, &at.of(&partner).in_region(at.region), &mut course)?,
            }
        }
    }

    /// The same knowledge of another record of a partner: nothing that was computed of the partner is kept.
    pub(super) fn anew<'s>(&self) -> Evaluator<'s>
    where
        'a: 's,
    {
        Evaluator::new(self.program, self.facts).known_until(self.known_until).with_cohorts(self.cohorts.borrow().clone())
    }

    /// The last day on which the policy may take a tier that nothing else takes: overrides and admissions put it off.
    fn foreseen_until(&self, ladder: &Ladder, at: &At<'a>) -> Date {
        let overrides = overrides_of(ladder, at.partner, region_of(ladder, at)).map(|held| held.span.until);
        let ranks = 1..=u32::try_from(ladder.tiers.len()).unwrap_or(u32::MAX);
        let admissions = ranks.flat_map(|rank| self.admission_ends(ladder, rank, at));
        let ends = overrides.chain(admissions).filter(|end| *end != Date::MAX);
        gaps_told_until(self.program, ends.fold(at.as_of.next(), Date::max))
    }

    /// Decides the days of a course until one of them changes the record, or settles what becomes of the tier.
    fn follow(&self, ladder: &'a Ladder, at: &At<'a>, course: &mut Course) -> Result<Step, Faults> {
        let mut days = self.days_of_decisions(ladder, at, course.between)?;
        while let Some(day) = days.pop_first() {
            let on = at.on(day);
            let outcome = self.outcome(ladder, &on)?;
            let Decided { rank, decision } = self.decide(ladder, &on, &outcome, Due::ByCalendar)?;
            if rank < course.rank {
                let admitted = outcome.tiers.iter().any(|tier| tier.rank == course.rank && tier.admitted);
                return Ok(Step::Ends(Outlook::LostOn { day, admitted }));
            }
            let given = outcome.inherited >= course.rank;
            let promoted = rank > course.rank && rank <= outcome.inherited && decision.overridden.is_none();
            if given && (promoted || self.settles(ladder, &on, course, decision.due_down)) {
                return Ok(Step::Ends(Outlook::Kept));
            }
            // A period that only its end decides goes on while the tier is met.
            course.running = decision.grace.or_else(|| course.running.filter(|running| given && day < running.until));
            days.extend(decision.grace.map(|grace| grace.until).filter(|end| *end > day && course.between.contains(*end)));
            if decision.change != Change::Kept {
                course.between.from = day.next();
                let tier = ladder.at_rank(rank).map(|tier| tier.key.clone());
                return Ok(Step::Recorded(with_record(at.partner, &on, (ladder, tier), &decision)));
            }
        }
        Ok(Step::Ends(Outlook::Open))
    }

    /// The days on which a decision may differ from that of the day before; ends of grace periods come to light on the way.
    fn days_of_decisions(&self, ladder: &'a Ladder, at: &At<'a>, between: Span) -> Result<BTreeSet<Date>, Faults> {
        if between.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut days = self.ladder_days(ladder, at, between)?;
        days.extend(self.policy_days(ladder, at, between, &[]));
        days.insert(between.from);
        days.retain(|day| between.contains(*day));
        Ok(days)
    }

    /// Whether a tier that is given on a day is out of danger by that: without it, the day would take it or begin a grace period.
    fn settles(&self, ladder: &Ladder, at: &At<'a>, course: &Course, due_down: bool) -> bool {
        if Self::status(at) != PartnerStatus::Active || self.is_held_by_override(ladder, course.rank, at) {
            return false;
        }
        if let Some(running) = course.running {
            return running.cure || at.as_of >= running.until;
        }
        let rank = reviewed_rank(ladder, at).max(course.rank);
        let policy = policy(ladder, rank);
        let judged_from = self.judged_down_from(ladder, at, rank, policy).max(self.protected_until(ladder, at, rank, policy));
        at.as_of >= judged_from && (due_down || deadline(ladder, at) == Some(at.as_of))
    }

    /// Until when the tier is protected because it was held on the version's effective date.
    pub(super) fn protected_until(&self, ladder: &Ladder, at: &At<'a>, rank: u32, policy: &ReviewPolicy) -> Date {
        let records = history(ladder, at.partner, region_of(ladder, at));
        let is_protected = in_force(&records, self.program.levelling_since()).is_some_and(|held| held.rank >= rank);
        policy.protected_until.filter(|_| is_protected).unwrap_or(Date::MIN)
    }

    /// Whether an override holds a tier on the date, so that failing its requirement takes nothing away: also where the last review gives
    /// the tier too.
    pub(super) fn is_held_by_override(&self, ladder: &Ladder, rank: u32, at: &At<'a>) -> bool {
        let (given, by) = with_overrides_on(ladder, at.partner, region_of(ladder, at), at.as_of, 0);
        by.is_some() && given >= rank
    }
}

/// A partner as a standing leaves its record; none where the standing changed nothing.
pub(super) fn recorded_after(program: &crate::program::Program, standing: &Standing, at: &At<'_>) -> Option<PartnerFacts> {
    let changed = standing.ladders.iter().filter(|held| held.decision.change != Change::Kept);
    changed.fold(None, |partner, held| {
        let Some(ladder) = program.ladder(Some(&held.ladder)) else { return partner };
        let at = at.in_region(held.region.as_deref());
        Some(with_record(partner.as_ref().unwrap_or(at.partner), &at, (ladder, held.tier.clone()), &held.decision))
    })
}

/// A partner with what was decided on record from the date on: of a review under an override both.
fn with_record(partner: &PartnerFacts, at: &At<'_>, (ladder, tier): (&Ladder, Option<String>), decision: &Decision) -> PartnerFacts {
    let row = |tier: Option<String>, cause: AssignmentCause| TierAssignment {
        ladder: ladder.key.clone(),
        region: region_of(ladder, at).map(str::to_owned),
        tier,
        from: at.as_of,
        until: None,
        cause,
    };
    let reviewed = decision.reviewed.clone().map(|tier| row(Some(tier).filter(|tier| !tier.is_empty()), AssignmentCause::Promotion));
    let mut partner = partner.clone();
    partner.assignments.extend(reviewed.into_iter().chain([row(tier, decision.cause.unwrap_or_default())]));
    partner.assignments.sort_by_key(|held| held.from);
    partner
}
