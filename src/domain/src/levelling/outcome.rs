//! What a ladder gives on a date: every tier judged, what is met, what is granted, what overrides make of it.

use std::rc::Rc;

use super::held::held_on;
use super::record::{admitted, history, in_force, last_review, region_of, with_overrides};
use super::{TierStanding, admission_of};
use crate::document::ladder::{Ladder, Tier};
use crate::document::requirement::Requirement;
use crate::exact::Exact;
use crate::facts::{AssignmentCause, PartnerStatus};
use crate::fault::Faults;
use crate::metric::{At, Evaluator};
use crate::requirement::{Judged, Node};

/// What a ladder gives on a date, before the policy of reviews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TierOutcome {
    /// Who is judged, judged.
    pub(crate) applies_to: Option<Judged>,
    /// Every tier, lowest first.
    pub(crate) tiers: Vec<TierStanding>,
    /// The rank of the highest tier that is met.
    pub(crate) qualified: u32,
    /// The rank of the highest tier that is met and may be entered.
    pub(crate) granted: u32,
    /// The same with the parent's tier, if that is better.
    pub(crate) inherited: u32,
    /// The parent whose tier is better.
    pub(crate) inherited_from: Option<String>,
    /// The same with overrides: what other rules see as the tier of this evaluation.
    pub(crate) evaluated: u32,
}

impl TierOutcome {
    /// Whether the partner is judged at all.
    pub(crate) fn applies(&self) -> bool {
        self.applies_to.as_ref().is_none_or(|judged| judged.met)
    }

    /// Whether a tier of this rank may be entered: it is met and open to the partner, or the parent's is as good.
    pub(crate) fn gives(&self, rank: u32) -> bool {
        let own = self.tiers.iter().any(|tier| tier.rank == rank && tier.met && tier.admitted);
        own || (self.inherited > self.granted && rank <= self.inherited)
    }
}

impl<'a> Evaluator<'a> {
    /// The status of the partner on the date.
    pub(crate) fn status(at: &At<'a>) -> PartnerStatus {
        at.partner.profile(at.as_of).map_or(PartnerStatus::Active, |profile| profile.status)
    }

    /// What the ladder gave, taken out of what is kept.
    pub(super) fn take_outcome(&self, ladder: &'a Ladder, at: &At<'a>) -> Result<TierOutcome, Faults> {
        let key = (std::ptr::from_ref(ladder).addr(), std::ptr::from_ref(at.partner).addr(), at.as_of, at.region);
        let kept = self.outcomes.borrow_mut().remove(&key);
        let kept = kept.map_or_else(|| self.outcome(ladder, at), Ok)?;
        Ok(Rc::try_unwrap(kept).unwrap_or_else(|shared| shared.as_ref().clone()))
    }

    /// What the ladder gives the partner on the date; computed once.
    pub(crate) fn outcome(&self, ladder: &'a Ladder, at: &At<'a>) -> Result<Rc<TierOutcome>, Faults> {
        let key = (std::ptr::from_ref(ladder).addr(), std::ptr::from_ref(at.partner).addr(), at.as_of, at.region);
        if let Some(outcome) = self.outcomes.borrow().get(&key) {
            return Ok(Rc::clone(outcome));
        }
        // A requirement of a tier is not asked for a group of an enclosing FOR_EACH.
        let unbound = (!at.bindings.is_empty()).then(|| At { bindings: Rc::default(), ..at.clone() });
        let at = unbound.as_ref().unwrap_or(at);
        let outcome = Rc::new(self.nested(|| self.judge_ladder(ladder, at))?);
        self.outcomes.borrow_mut().insert(key, Rc::clone(&outcome));
        Ok(outcome)
    }

    fn judge_ladder(&self, ladder: &'a Ladder, at: &At<'a>) -> Result<TierOutcome, Faults> {
        let applies_to = ladder.applies_to.as_ref().map(|requirement| self.judge_or_tell(requirement, at)).transpose()?;
        let applies = applies_to.as_ref().is_none_or(|judged| judged.met) && at.enrollment().is_some();
        let reviewed = reviewed_rank(ladder, at);
        let mut tiers: Vec<TierStanding> = Vec::with_capacity(ladder.tiers.len());
        let mut lower_met = true;
        for (rank, tier) in (1_u32..).zip(&ladder.tiers) {
            let standing = self.judge_tier_of(ladder, tier, rank, lower_met, reviewed, at)?;
            lower_met = standing.met;
            tiers.push(standing);
        }
        let highest =
            |wanted: &dyn Fn(&TierStanding) -> bool| tiers.iter().filter(|tier| applies && tier.met && wanted(tier)).map(|tier| tier.rank).max().unwrap_or(0);
        let (qualified, granted) = (highest(&|_| true), highest(&|tier| tier.admitted));
        let (inherited, inherited_from) = self.with_parent(ladder, at, granted)?;
        let (evaluated, _) = match Self::status(at) {
            PartnerStatus::Active => with_overrides(ladder, at, inherited),
            PartnerStatus::Suspended => (in_force(&history(ladder, at.partner, region_of(ladder, at)), at.as_of).map_or(0, |held| held.rank), None),
            PartnerStatus::Terminated => (0, None),
        };
        let evaluated = if at.enrollment().is_some() { evaluated } else { 0 };
        Ok(TierOutcome { applies_to, tiers, qualified, granted, inherited, inherited_from, evaluated })
    }

    fn judge_tier_of(&self, ladder: &Ladder, tier: &'a Tier, rank: u32, lower_met: bool, reviewed: u32, at: &At<'a>) -> Result<TierStanding, Faults> {
        let requirement = self.asked_of(tier, at).map(|requirement| self.judge_or_tell(requirement, at)).transpose()?;
        let own = requirement.as_ref().is_none_or(|judged| judged.met);
        Ok(TierStanding {
            tier: tier.key.clone(),
            rank,
            met: own && (lower_met || !ladder.lower_tiers_must_hold),
            share_met: requirement.as_ref().map_or(Exact::ONE, Judged::share_met),
            entry: tier.entry,
            admitted: admission_of(tier.entry).is_none() || admitted(ladder, at, tier, rank, reviewed),
            home: tier.home_region_requirement.is_some() && self.is_home(at),
            requirement,
        })
    }

    /// A requirement, judged; where nobody asks for reasons, whether it is met.
    fn judge_or_tell(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<Judged, Faults> {
        if self.without_trees {
            return self.holds(requirement, at).map(|met| Judged::new(met, Node::AnyOf { of: Vec::new(), cheapest: None }));
        }
        self.judge(requirement, at)
    }

    /// What a tier asks: in the home region it may be something else.
    pub(crate) fn asked_of(&self, tier: &'a Tier, at: &At<'a>) -> Option<&'a Requirement> {
        match &tier.home_region_requirement {
            Some(requirement) if self.is_home(at) => Some(requirement),
            _ => tier.requirement.as_ref(),
        }
    }

    /// Whether the region of the evaluation is the partner's home region, or holds it.
    fn is_home(&self, at: &At<'a>) -> bool {
        match (at.region, at.partner.region(at.as_of)) {
            (Some(region), Some(home)) => self.program.geography.regions.is_under(home, region),
            _ => false,
        }
    }

    /// Whether the parents of `parent` lead back to the partner: a circle, from which nothing is inherited.
    fn leads_back(&self, parent: &'a crate::facts::PartnerFacts, at: &At<'a>) -> bool {
        let above = |partner: &&'a crate::facts::PartnerFacts| {
            let code = partner.profile(at.as_of).and_then(|profile| profile.parent.as_deref());
            code.and_then(|code| self.facts.partners.get(code))
        };
        let mut steps = std::iter::successors(Some(parent), above).take(self.facts.partners.len() + 1);
        steps.any(|step| step.code == at.partner.code)
    }

    /// The better of the own rank and the parent's. The parent's is the one that it holds by what is on record and by overrides; where
    /// it has no record, what an evaluation of the same date gives it.
    fn with_parent(&self, ladder: &'a Ladder, at: &At<'a>, own: u32) -> Result<(u32, Option<String>), Faults> {
        let parent = at.partner.profile(at.as_of).and_then(|profile| profile.parent.as_deref()).filter(|_| ladder.inherits_from_parent);
        let Some(parent) = parent.and_then(|code| self.facts.partners.get(code)).filter(|parent| !self.leads_back(parent, at)) else {
            return Ok((own, None));
        };
        let of_parent = At { partner: parent, ..at.clone() };
        let region = region_of(ladder, at);
        let rank = if history(ladder, parent, region).is_empty() {
            self.outcome(ladder, &of_parent)?.evaluated
        } else {
            held_on(ladder, parent, region, at.as_of).map_or(0, |held| ladder.rank(held.tier))
        };
        Ok(if rank > own { (rank, Some(parent.code.clone())) } else { (own, None) })
    }
}

/// The tier that the last review gave, whatever overrides hold since; also one that the ladder has no more.
pub(super) fn reviewed_tier<'a>(ladder: &Ladder, at: &At<'a>) -> Option<&'a str> {
    let region = region_of(ladder, at);
    match in_force(&history(ladder, at.partner, region), at.as_of) {
        Some(held) if held.cause == AssignmentCause::Override => last_review(ladder, at.partner, region, at.as_of)?.tier.as_deref(),
        Some(held) => held.tier,
        None => None,
    }
}

/// Its rank.
pub(super) fn reviewed_rank(ladder: &Ladder, at: &At<'_>) -> u32 {
    ladder.rank(reviewed_tier(ladder, at))
}
