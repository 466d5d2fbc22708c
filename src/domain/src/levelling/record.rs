//! What is on record: tiers held, overrides, admissions.

use super::decide::policy;
use super::held::held_on;
use crate::date::{Date, Span};
use crate::document::ladder::{Entry, Ladder, LadderScope};
use crate::facts::{AssignmentCause, OverrideKind, PartnerFacts, TierAssignment, TierOverride};
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
        partner
            .overrides
            .iter()
            .find(|held| held.ladder == ladder.key && held.region.as_deref() == region && held.kind == kind && held.span.contains(date) && held.in_effect())
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

/// Whether the partner may enter a tier: nobody needs to let it in, somebody has, or it is in already.
pub(super) fn admitted(ladder: &Ladder, at: &At<'_>, tier: &str, entry: Entry, rank: u32, recorded: u32) -> bool {
    let Some(kind) = super::admission_of(entry) else { return true };
    let region = region_of(ladder, at);
    let given = |given: &crate::facts::TierAdmission| {
        given.ladder == ladder.key && given.tier == tier && given.kind == kind && given.region.as_deref() == region && given.span.contains(at.as_of)
    };
    rank <= recorded || at.partner.admissions.iter().any(given)
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
        if history(ladder, at.partner, region_of(ladder, at)).is_empty() && policy(ladder, 1).onboarding_deadline_months.is_none() {
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

    /// Since when a tier of this rank or above has been on record without a break; of several regions the longest.
    pub(crate) fn held_since(&self, ladder: &Ladder, rank: u32, at: &At<'a>) -> Option<Date> {
        let starts = self.asked_in(ladder, at).into_iter().filter_map(|at| since(&history(ladder, at.partner, region_of(ladder, &at)), rank.max(1), at.as_of));
        starts.min()
    }
}
