//! What a partner holds on a date by what is on record: the last review's tier, and what overrides make of it (semantics 6).
//!
//! Everything that asks for a tier without judging asks here, so that a portal, an entitlement and a rebate never disagree: an
//! override counts from its first day on, also before an evaluation has put it on record, and no longer on its end.

use super::record::{Held, has_tier, history, in_force, last_review, still_holding, turning_days, with_overrides_on};
use crate::date::{Date, Span};
use crate::document::ladder::Ladder;
use crate::facts::{AssignmentCause, PartnerFacts, TierOverride};

/// A tier held on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldOnDate<'a> {
    /// The tier; none is a value.
    pub tier: Option<&'a str>,
    /// Since when: the first day on which it was given for this cause, and by this override.
    pub from: Date,
    /// The first day on which it is known to be no longer held.
    pub until: Option<Date>,
    /// Why it was given.
    pub cause: AssignmentCause,
    /// The override that holds it.
    pub overridden: Option<&'a TierOverride>,
}

/// What the partner holds in a ladder (and region) on a date; none where nothing is on record and no override holds. A tier on record that
/// the ladder does not have is none.
pub fn held_on<'a>(ladder: &'a Ladder, partner: &'a PartnerFacts, region: Option<&str>, date: Date) -> Option<HeldOnDate<'a>> {
    let Holding { rank, by, base } = holding_on(ladder, partner, region, date);
    let end = |until: Date| (until != Date::MAX).then_some(until);
    let tier = ladder.at_rank(rank).map(|tier| tier.key.as_str());
    match (by, base) {
        (Some(by), _) => Some(HeldOnDate {
            tier,
            from: held_by_since(ladder, partner, region, date, (rank, by)),
            until: end(by.span.until),
            cause: AssignmentCause::Override,
            overridden: Some(by),
        }),
        (None, Some(base)) => Some(HeldOnDate { tier, from: base.span.from, until: end(base.span.until), cause: base.cause, overridden: None }),
        (None, None) => None,
    }
}

/// What is held on a day, and by what.
struct Holding<'a> {
    rank: u32,
    /// The override that holds it.
    by: Option<&'a TierOverride>,
    /// What the last review left.
    base: Option<Held<'a>>,
}

fn holding_on<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>, date: Date) -> Holding<'a> {
    let records = history(ladder, partner, region);
    let current = in_force(&records, date).copied();
    let by_override = current.filter(|held| held.cause == AssignmentCause::Override);
    let still = by_override.and_then(|held| Some((held.rank, still_holding(ladder, partner, region, date, held.rank)?)));
    let base = current.map(|current| reviewed(ladder, partner, region, current, still.is_some(), date));
    let (rank, by) = match (with_overrides_on(ladder, partner, region, date, base.map_or(0, |held| held.rank)), still) {
        // A ceiling below what a later review found: what it left is on record as its own.
        ((_, None), Some((rank, still))) => (rank, Some(still)),
        (found, _) => found,
    };
    Holding { rank, by, base }
}

/// The first day of the unbroken time up to `date` in which the override holds the tier: it may have begun while the partner's own tier
/// needed no override.
fn held_by_since(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, date: Date, (rank, by): (u32, &TierOverride)) -> Date {
    let is_held = |day: &Date| {
        let then = holding_on(ladder, partner, region, *day);
        then.rank == rank && then.by.is_some_and(|found| std::ptr::eq(found, by))
    };
    let days = turning_days(ladder, partner, region, date).into_iter().rev();
    days.take_while(|day| *day >= by.span.from).take_while(is_held).last().unwrap_or(by.span.from)
}

/// What the last review left: where the record is that of an override, what was on record before it; from the override's end on where that
/// is over. An override to a tier that the ladder does not have left nothing.
fn reviewed<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>, current: Held<'a>, still_holds: bool, date: Date) -> Held<'a> {
    if current.cause != AssignmentCause::Override {
        return current;
    }
    let over =
        |held: &TierOverride| held.ladder == ladder.key && held.region.as_deref() == region && held.span.contains(current.span.from) && held.span.until <= date;
    let ended = partner.overrides.iter().filter(|held| over(held)).map(|held| held.span.until).max();
    let holds_nothing = !has_tier(ladder, current.tier);
    let Some(from) = ended.or((still_holds || holds_nothing).then_some(current.span.from)) else { return current };
    let before = last_review(ladder, partner, region, current.span.from);
    let tier = before.and_then(|review| review.tier.as_deref());
    let cause = before.map_or(current.cause, |review| review.cause);
    Held { tier, rank: ladder.rank(tier), span: Span::new(from, current.span.until), cause }
}
