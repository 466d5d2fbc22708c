//! The first day on which a tier that is not met may be lost.
//!
//! The policy of reviews names it: the first downward review after enforcement, onboarding and protection, or the end of the grace
//! period that begins on it. An override that holds the tier puts it off; the end of one is a review of its own (semantics 6).

use super::LadderStanding;
use super::decide::{ReviewDays, months_after, policy};
use super::outcome::reviewed_rank;
use super::record::{history, in_force, overrides_of, region_of, with_overrides_on};
use crate::date::Date;
use crate::document::ladder::{Ladder, ReviewPolicy};
use crate::metric::{At, Evaluator};
use crate::requirement::enrolled_since;

impl<'a> Evaluator<'a> {
    /// The first day after a standing's date on which its tier may be lost; none where it never is, or has not to be met to be held.
    pub(super) fn may_be_lost_on(&self, ladder: &Ladder, standing: &LadderStanding, at: &At<'a>) -> Option<Date> {
        let mut from = at.as_of.next();
        loop {
            let day = self.loss_from(ladder, standing, at, from)?;
            match held_by_override_until(ladder, at, standing.rank, day) {
                None => return Some(day),
                Some(Date::MAX) => return None,
                Some(end) => from = end,
            }
        }
    }

    /// The first day from `from` on on which something takes the tier away that is not met, whatever overrides hold on it.
    fn loss_from(&self, ladder: &Ladder, standing: &LadderStanding, at: &At<'a>, from: Date) -> Option<Date> {
        let reviewed = reviewed_rank(ladder, at);
        if standing.decision.overridden.is_some() && reviewed < standing.rank {
            // Without the override the partner has what the last review gave it.
            return Some(from);
        }
        match open_deadline(ladder, standing, at).map(|deadline| deadline.max(from)) {
            // Until then the lowest tier is held without being met.
            Some(deadline) if standing.rank == 1 => Some(deadline),
            deadline => {
                let by_policy = self.loss_by_policy(ladder, standing, at, (reviewed.max(standing.rank), from));
                deadline.into_iter().chain(by_policy).min()
            }
        }
    }

    fn loss_by_policy(&self, ladder: &Ladder, standing: &LadderStanding, at: &At<'a>, (rank, from): (u32, Date)) -> Option<Date> {
        let policy = policy(ladder, rank);
        let judged_from = self.judged_down_from(ladder, at, rank, policy).max(self.protected_until(ladder, at, rank, policy)).max(at.as_of.next());
        let reviews = ReviewDays::down(ladder, rank, at, self.program.fiscal_year);
        match (standing.decision.grace, &policy.grace) {
            (Some(running), _) => Some(running.until.max(from)),
            (None, Some(grace)) => reviews.on_or_after(judged_from).map(|review| super::grace::end_of(grace, review).max(from)),
            (None, None) => {
                let from = from.max(judged_from);
                let ends = overrides_of(ladder, at.partner, region_of(ladder, at)).map(|held| held.span.until).filter(|end| *end >= from && *end != Date::MAX);
                reviews.on_or_after(from).into_iter().chain(ends).min()
            }
        }
    }

    /// Until when the tier is protected because it was held on the version's effective date.
    fn protected_until(&self, ladder: &Ladder, at: &At<'a>, rank: u32, policy: &ReviewPolicy) -> Date {
        let records = history(ladder, at.partner, region_of(ladder, at));
        let is_protected = in_force(&records, self.program.effective_on()).is_some_and(|held| held.rank >= rank);
        policy.protected_until.filter(|_| is_protected).unwrap_or(Date::MIN)
    }

    /// Whether an override holds a tier on the date, so that failing its requirement takes nothing away: also where the last review gives
    /// the tier too.
    pub(super) fn is_held_by_override(&self, ladder: &Ladder, rank: u32, at: &At<'a>) -> bool {
        held_by_override_until(ladder, at, rank, at.as_of).is_some()
    }
}

/// The end of the override that alone gives a tier of this rank or above on a day.
fn held_by_override_until(ladder: &Ladder, at: &At<'_>, rank: u32, day: Date) -> Option<Date> {
    let (given, by) = with_overrides_on(ladder, at.partner, region_of(ladder, at), day, 0);
    by.filter(|_| given >= rank).map(|held| held.span.until)
}

/// The onboarding deadline, while it is to come and no tier is met: whoever meets none on it loses what it holds.
fn open_deadline(ladder: &Ladder, standing: &LadderStanding, at: &At<'_>) -> Option<Date> {
    let months = policy(ladder, 1).onboarding_deadline_months?;
    let deadline = months_after(enrolled_since(at)?, months);
    (at.as_of < deadline && standing.granted.is_none() && standing.decision.inherited_from.is_none()).then_some(deadline)
}
