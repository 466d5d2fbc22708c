//! Grace and cure: time to become compliant again before a tier is lost.
//!
//! The period begins on the first day of a downward review on which the tier is not met. With `cure`, being compliant on any
//! day of it cancels the loss; without, its end decides. Found from the facts, not from stored warnings, so that an evaluation
//! of any date gives the same answer.

use super::GraceStanding;
use super::days::{ReviewDays, cadence_down, unit};
use super::record::{history, in_force, region_of};
use crate::date::{Date, Length, Span};
use crate::document::ladder::{Grace, Ladder, ReviewPolicy};
use crate::document::metric::CalendarUnit;
use crate::fault::Faults;
use crate::metric::{At, Evaluator};

/// How far back grace periods are looked for at least, in months.
const LOOK_BACK_MONTHS: i32 = 24;
/// A grace period is looked for no further back than this.
const LOOK_BACK_MONTHS_MAX: i32 = 1_200;

impl Ladder {
    /// How many months back grace periods are looked for; none where no policy has one. Far enough for a review to begin one and for
    /// it to end: a tier that is not met all that time is lost, whenever the first of them began.
    pub(crate) fn grace_look_back(&self) -> Option<i32> {
        let of_policy = |policy: &ReviewPolicy| {
            let grace = policy.grace.as_ref()?;
            let months = grace.months.or_else(|| grace.days.map(|days| days / 28 + 1)).map_or(0, |months| i32::try_from(months).unwrap_or(i32::MAX));
            let step = unit(cadence_down(policy)).map_or(0, CalendarUnit::months);
            Some(months.saturating_add(step + 1).clamp(LOOK_BACK_MONTHS, LOOK_BACK_MONTHS_MAX))
        };
        self.policies().filter_map(of_policy).max()
    }
}

/// The days of a stretch on which a tier is given or not, as changes: from each day on it is so.
struct Compliance(Vec<(Date, bool)>);

impl Compliance {
    fn on(&self, day: Date) -> bool {
        let after = self.0.partition_point(|(from, _)| *from <= day);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, compliant)| *compliant)
    }

    /// The first day from `day` on, up to and with `last`, on which it is `compliant`.
    fn first(&self, compliant: bool, day: Date, last: Date) -> Option<Date> {
        if self.on(day) == compliant && day <= last {
            return Some(day);
        }
        self.0.iter().find(|(from, is)| *from > day && *from <= last && *is == compliant).map(|(from, _)| *from)
    }
}

pub(super) fn end_of(grace: &Grace, since: Date) -> Date {
    Length::stated(grace.days, grace.months).map_or(since, |length| length.after(since))
}

fn standing(grace: &Grace, since: Date) -> GraceStanding {
    let until = end_of(grace, since);
    let warn_from = grace.warn_days_before.map_or(since, |days| until.plus_days(-i64::from(days)).max(since));
    GraceStanding { since, until, warn_from, cure: grace.cure }
}

/// The first day of a downward review from `day` to `last` on which the tier is not met.
fn first_failed_review(compliance: &Compliance, reviews: ReviewDays, day: Date, last: Date) -> Option<Date> {
    let mut day = day;
    while day <= last {
        let failing = compliance.first(false, day, last)?;
        let review = reviews.on_or_after(failing)?;
        if review > last {
            return None;
        }
        if !compliance.on(review) {
            return Some(review);
        }
        day = review.next();
    }
    None
}

impl<'a> Evaluator<'a> {
    /// The grace period that runs or has just ended for a tier that is not met on the date; none while no review has found it
    /// failing. `forced`: a review is being held on the date itself.
    pub(super) fn grace(
        &self,
        ladder: &'a Ladder,
        at: &At<'a>,
        rank: u32,
        policy: &ReviewPolicy,
        grace: &Grace,
        forced: bool,
    ) -> Result<Option<GraceStanding>, Faults> {
        let today = at.as_of;
        let records = history(ladder, at.partner, region_of(ladder, at));
        let held_from = in_force(&records, today).map_or(today, |held| held.span.from);
        let look_back = today.plus_months(-ladder.grace_look_back().unwrap_or(LOOK_BACK_MONTHS));
        let judged_from = self.judged_down_from(ladder, at, rank, policy).max(self.protected_until(ladder, at, rank, policy));
        let from = held_from.max(look_back).max(judged_from).max(self.program.levelling_since());
        if from > today {
            return Ok(None);
        }
        let compliance = self.compliance(ladder, at, rank, Span::new(from, today.next()))?;
        let reviews = ReviewDays::down(ladder, rank, at, self.program.fiscal_year);
        let mut day = from;
        while let Some(review) = first_failed_review(&compliance, reviews, day, today) {
            let running = standing(grace, review);
            let last = running.until.plus_days(-1).min(today);
            let cured = grace.cure.then(|| compliance.first(true, review, last)).flatten();
            // A period that ended without the tier being lost is over once the tier was met again: reviews rewrite no record.
            let met_again = || if today < running.until { None } else { compliance.first(true, running.until, today) };
            match cured.or_else(met_again) {
                Some(met) => day = met.next(),
                None => return Ok(Some(running)),
            }
        }
        Ok(forced.then(|| standing(grace, today)))
    }

    /// On which days of a stretch the ladder gives a tier of this rank or above.
    fn compliance(&self, ladder: &'a Ladder, at: &At<'a>, rank: u32, span: Span) -> Result<Compliance, Faults> {
        let mut days = self.ladder_days(ladder, at, span)?;
        days.insert(span.from);
        let mut changes: Vec<(Date, bool)> = Vec::with_capacity(days.len());
        for day in days {
            let compliant = self.outcome(ladder, &at.on(day))?.inherited >= rank;
            if changes.last().is_none_or(|(_, last)| *last != compliant) {
                changes.push((day, compliant));
            }
        }
        Ok(Compliance(changes))
    }
}
