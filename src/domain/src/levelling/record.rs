//! What is on record: tiers held, overrides, admissions.

use super::decide::policy;
use super::held::held_on;
use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, LadderScope, Tier};
use crate::facts::{AssignmentCause, OverrideKind, PartnerFacts, TierAdmission, TierAssignment, TierOverride};
use crate::fault::Faults;
use crate::levelling::Due;
use crate::metric::{At, Evaluator};

/// A stretch on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held<'a> {
    pub(super) tier: Option<&'a str>,
    pub(super) rank: u32,
    pub(super) span: Span,
    pub(super) cause: AssignmentCause,
}

/// The stretches of a ladder (and region) in date order. A later one ends an earlier one; of two on one day the second counts
/// (semantics 6).
pub(super) fn history<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>) -> Vec<Held<'a>> {
    let of_ladder = partner.assignments.iter().filter(|held| held.ladder == ladder.key && held.region.as_deref() == region);
    let mut stretches: Vec<Held<'_>> = of_ladder
        .map(|held| Held {
            tier: held.tier.as_deref(),
            rank: ladder.rank(held.tier.as_deref()),
            span: Span::new(held.from, held.until.unwrap_or(Date::MAX)),
            cause: held.cause,
        })
        .collect();
    stretches.sort_by_key(|held| held.span.from);
    let mut next = Date::MAX;
    for held in stretches.iter_mut().rev() {
        held.span.until = held.span.until.min(next);
        next = held.span.from;
    }
    stretches.retain(|held| !held.span.is_empty());
    stretches
}

/// What the last review up to a date decided, whatever overrides hold since. Of a review and an override of one day both are on
/// record.
pub(super) fn last_review<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>, date: Date) -> Option<&'a TierAssignment> {
    let of_ladder = partner.assignments.iter().filter(|held| held.ladder == ladder.key && held.region.as_deref() == region);
    of_ladder.filter(|held| held.from <= date && held.cause != AssignmentCause::Override).max_by_key(|held| held.from)
}

/// Whether the ladder has a tier; none is a value of every ladder. A tier that a version dropped is held no more, and an override to
/// it holds nothing.
pub(super) fn has_tier(ladder: &Ladder, tier: Option<&str>) -> bool {
    tier.is_none_or(|tier| ladder.tier(tier).is_some())
}

/// Whether the last review that gave another tier than that of `rank` gave a higher one.
pub(super) fn fell_to(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, rank: u32, date: Date) -> bool {
    let of_ladder = partner.assignments.iter().filter(|held| held.ladder == ladder.key && held.region.as_deref() == region);
    let reviews = of_ladder.filter(|held| held.from <= date && held.cause != AssignmentCause::Override);
    let others = reviews.map(|held| (held.from, ladder.rank(held.tier.as_deref()))).filter(|(_, given)| *given != rank);
    others.max_by_key(|(from, _)| *from).is_some_and(|(_, given)| given > rank)
}

/// The stretch that holds a date.
pub(super) fn in_force<'h, 'a>(history: &'h [Held<'a>], date: Date) -> Option<&'h Held<'a>> {
    history.iter().find(|held| held.span.contains(date))
}

/// The first day of the unbroken time at `rank` or above up to `date`.
pub(super) fn since(history: &[Held<'_>], rank: u32, date: Date) -> Option<Date> {
    let at = history.iter().position(|held| held.span.contains(date))?;
    let mut since = None;
    for held in history.get(..=at)?.iter().rev() {
        let joins = since.is_none_or(|since| held.span.until >= since);
        if held.rank < rank || !joins {
            break;
        }
        since = Some(held.span.from);
    }
    since
}

/// The region of a ladder's records: that of the evaluation, where tiers are held per region.
pub(super) fn region_of<'a>(ladder: &Ladder, at: &At<'a>) -> Option<&'a str> {
    match ladder.scope {
        LadderScope::Partner => None,
        LadderScope::PartnerInRegion => at.region,
    }
}

/// The rank with the overrides of the date, and the one that decides. Pin beats ceiling beats floor (semantics 6).
pub(super) fn with_overrides<'a>(ladder: &Ladder, at: &At<'a>, rank: u32) -> (u32, Option<&'a TierOverride>) {
    with_overrides_on(ladder, at.partner, region_of(ladder, at), at.as_of, rank)
}

/// The same for whoever has no evaluation at hand.
pub(super) fn with_overrides_on<'a>(
    ladder: &Ladder,
    partner: &'a PartnerFacts,
    region: Option<&str>,
    date: Date,
    rank: u32,
) -> (u32, Option<&'a TierOverride>) {
    let of_kind = |kind: OverrideKind| {
        overrides_of(ladder, partner, region).find(|held| held.kind == kind && held.span.contains(date) && has_tier(ladder, held.tier.as_deref()))
    };
    let rank_of = |held: &TierOverride| ladder.rank(held.tier.as_deref());
    if let Some(pin) = of_kind(OverrideKind::Pin) {
        return (rank_of(pin), Some(pin));
    }
    let floor = of_kind(OverrideKind::Floor).filter(|floor| rank_of(floor) > rank);
    let lifted = floor.map_or(rank, rank_of);
    let ceiling = of_kind(OverrideKind::Ceiling).filter(|ceiling| rank_of(ceiling) < lifted);
    (ceiling.map_or(lifted, rank_of), ceiling.or(floor))
}

/// The override that a tier on record as an override's is still held by on the date, if any.
pub(super) fn still_holding<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>, date: Date, rank: u32) -> Option<&'a TierOverride> {
    let is_of = |held: &&TierOverride| has_tier(ladder, held.tier.as_deref()) && ladder.rank(held.tier.as_deref()) == rank;
    overrides_of(ladder, partner, region).filter(is_of).find(|held| held.span.contains(date))
}

/// Whether a pin holds the tier on the date: nothing else counts then, not even the end of another override.
pub(super) fn is_pinned(ladder: &Ladder, at: &At<'_>) -> bool {
    with_overrides(ladder, at, 0).1.is_some_and(|held| held.kind == OverrideKind::Pin)
}

/// Whether an override of the ladder ends on the date, on which a review is due (semantics 6).
pub(super) fn override_ends_on(ladder: &Ladder, at: &At<'_>) -> bool {
    overrides_of(ladder, at.partner, region_of(ladder, at)).any(|held| held.span.until == at.as_of && !held.span.is_empty())
}

/// Whether the partner may enter a tier: nobody needs to let it in, somebody has, or it is in already. Whoever was let in and is no more
/// must be let in again, also while the tier is on record.
pub(super) fn admitted(ladder: &Ladder, at: &At<'_>, tier: &Tier, rank: u32, recorded: u32) -> bool {
    let region = region_of(ladder, at);
    match let_in(ladder, at.partner, region, tier, at.as_of) {
        LetIn::Now => true,
        LetIn::Never => rank <= recorded,
        LetIn::Until(end) => rank <= recorded && since(&history(ladder, at.partner, region), rank, at.as_of).is_some_and(|since| since >= end),
    }
}

/// Whether somebody has let a partner into a tier.
enum LetIn {
    /// The admission holds on the day.
    Now,
    /// The last one was over on that day.
    Until(Date),
    /// Nobody has, or nobody needs to.
    Never,
}

fn let_in(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, tier: &Tier, day: Date) -> LetIn {
    let Some(kind) = super::admission_of(tier.entry) else { return LetIn::Never };
    let given = partner.admissions.iter().filter(|given| {
        given.ladder == ladder.key && given.tier == tier.key && given.kind == kind && given.region.as_deref() == region && given.span.from <= day
    });
    match given.map(|given| admission_end(ladder, partner, region, tier, given)).max() {
        Some(end) if day < end => LetIn::Now,
        Some(end) => LetIn::Until(end),
        None => LetIn::Never,
    }
}

/// Whether an admission to a tier holds on a day, whatever is on record: who has one needs no other.
pub fn holds_admission(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, tier: &str, day: Date) -> bool {
    ladder.tier(tier).is_some_and(|(_, tier)| matches!(let_in(ladder, partner, region, tier, day), LetIn::Now))
}

/// The first day on which an admission no longer lets the partner in: it was ended, its months are over, or the tier was lost.
pub(super) fn admission_end(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, tier: &Tier, given: &TierAdmission) -> Date {
    let terms = tier.admission.unwrap_or_default();
    let months = terms.valid_months.map(|months| super::decide::months_after(given.span.from, months));
    let lost = terms.until_lost.then(|| lost_on(ladder, partner, region, ladder.rank(Some(&tier.key)), given.span.from)).flatten();
    [months, lost].into_iter().flatten().fold(given.span.until, Date::min)
}

/// The first day after `from` on which a review took a tier of that rank away. Overrides take nothing away for good.
fn lost_on(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, rank: u32, from: Date) -> Option<Date> {
    let of_ladder = |held: &&TierAssignment| held.ladder == ladder.key && held.region.as_deref() == region && held.cause != AssignmentCause::Override;
    let mut reviews: Vec<(Date, u32)> = partner.assignments.iter().filter(of_ladder).map(|held| (held.from, ladder.rank(held.tier.as_deref()))).collect();
    reviews.sort_unstable_by_key(|(from, _)| *from);
    reviews.windows(2).find_map(|pair| match pair {
        [(_, before), (on, after)] if *on > from && *before >= rank && *after < rank => Some(*on),
        _ => None,
    })
}

impl<'a> Evaluator<'a> {
    /// The regions for which a ladder is evaluated: none for the partner as a whole; else those of its enrollments, or its
    /// own.
    pub(crate) fn regions_of(&self, ladder: &Ladder, at: &At<'a>) -> Vec<Option<&'a str>> {
        if ladder.scope == LadderScope::Partner {
            return vec![None];
        }
        let in_force = at.partner.enrollments.iter().filter(|held| held.since <= at.as_of && held.until.is_none_or(|until| at.as_of < until));
        let mut regions: Vec<Option<&str>> = Vec::new();
        for region in in_force.filter_map(|held| held.region.as_deref()) {
            if !regions.contains(&Some(region)) {
                regions.push(Some(region));
            }
        }
        if regions.is_empty() {
            regions.push(at.partner.region(at.as_of));
        }
        regions
    }

    /// The dates and regions for which a ladder is asked from elsewhere: the region of the evaluation where it has one.
    fn asked_in(&self, ladder: &Ladder, at: &At<'a>) -> Vec<At<'a>> {
        match (ladder.scope, at.region) {
            (LadderScope::Partner, _) => vec![at.in_region(None)],
            (LadderScope::PartnerInRegion, Some(_)) => vec![at.clone()],
            (LadderScope::PartnerInRegion, None) => self.regions_of(ladder, at).into_iter().map(|region| at.in_region(region)).collect(),
        }
    }

    /// The rank of the tier that the partner holds after the evaluation of the same date; of several regions the best.
    pub(crate) fn evaluated_rank(&self, ladder: &'a Ladder, at: &At<'a>) -> Result<u32, Faults> {
        let mut best = 0;
        for at in self.asked_in(ladder, at) {
            best = best.max(self.decided_rank(ladder, &at)?);
        }
        Ok(best)
    }

    /// What the policy of reviews leaves of what the ladder gives: a tier is held through its grace period, and until the
    /// review on which it may be lost. Where nothing is on record, a policy has nothing to hold on to.
    fn decided_rank(&self, ladder: &'a Ladder, at: &At<'a>) -> Result<u32, Faults> {
        let outcome = self.outcome(ladder, at)?;
        if history(ladder, at.partner, region_of(ladder, at)).is_empty() && policy(ladder, 1).onboarding_deadline().is_none() {
            return Ok(outcome.evaluated);
        }
        let key = (std::ptr::from_ref(ladder).addr(), std::ptr::from_ref(at.partner).addr(), at.as_of, at.region);
        if let Some(rank) = self.decided.borrow().get(&key) {
            return Ok(*rank);
        }
        let rank = self.nested(|| self.decide(ladder, at, &outcome, Due::ByCalendar))?.rank;
        self.decided.borrow_mut().insert(key, rank);
        Ok(rank)
    }

    /// The rank of the tier on record, overrides included; of several regions the best.
    pub(crate) fn recorded_rank(&self, ladder: &Ladder, at: &At<'a>) -> u32 {
        let tier_in = |at: At<'a>| held_on(ladder, at.partner, region_of(ladder, &at), at.as_of).map_or(0, |held| ladder.rank(held.tier));
        self.asked_in(ladder, at).into_iter().map(tier_in).max().unwrap_or(0)
    }

    /// Since when a tier of this rank or above has been held without a break, on record or by an override (semantics 6); of several
    /// regions the longest.
    pub(crate) fn held_since(&self, ladder: &Ladder, rank: u32, at: &At<'a>) -> Option<Date> {
        let rank = rank.max(1);
        let start = |at: At<'a>| {
            let region = region_of(ladder, &at);
            if overrides_of(ladder, at.partner, region).next().is_none() {
                return since(&history(ladder, at.partner, region), rank, at.as_of);
            }
            overridden_since(ladder, at.partner, region, rank, at.as_of)
        };
        self.asked_in(ladder, at).into_iter().filter_map(start).min()
    }
}

/// The overrides of a ladder and region that count.
pub(super) fn overrides_of<'a>(ladder: &Ladder, partner: &'a PartnerFacts, region: Option<&str>) -> impl Iterator<Item = &'a TierOverride> {
    partner.overrides.iter().filter(move |held| held.ladder == ladder.key && held.region.as_deref() == region && held.in_effect())
}

/// As [`since`], where overrides gave tiers and took them away.
fn overridden_since(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, rank: u32, date: Date) -> Option<Date> {
    let is_held = |day: &Date| held_on(ladder, partner, region, *day).is_some_and(|held| ladder.rank(held.tier) >= rank);
    turning_days(ladder, partner, region, date).into_iter().rev().take_while(is_held).last()
}

/// The days up to a date on which what is held may change, in their order: between two of them nothing does.
pub(super) fn turning_days(ladder: &Ladder, partner: &PartnerFacts, region: Option<&str>, date: Date) -> Vec<Date> {
    let of_ladder = partner.assignments.iter().filter(|held| held.ladder == ladder.key && held.region.as_deref() == region);
    let recorded = of_ladder.flat_map(|held| [Some(held.from), held.until]).flatten();
    let overridden = overrides_of(ladder, partner, region).flat_map(|held| [held.span.from, held.span.until]);
    let mut days: Vec<Date> = recorded.chain(overridden).filter(|day| *day <= date).collect();
    days.sort_unstable();
    days
}
