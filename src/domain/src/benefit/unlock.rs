//! What would unlock a benefit that is withheld or not offered: "tier GOLD", "sign contract X", "only in DE".

use serde::Serialize;

use super::condition::Resolver;
use super::source::{EntitlementSource, Offer, SourceKind, SourceOutcome, scope_of, span_of};
use crate::date::Date;
use crate::document::benefit::{Grant, TermEffect};
use crate::fault::Faults;
use crate::region::RuleScope;

/// The most ways that an answer lists.
const WAYS_MAX: usize = 10;

/// What a step asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnlockKind {
    /// A tier of a ladder, or a higher one.
    Tier,
    /// An active contract.
    Contract,
    /// A requirement that is not met.
    Requirement,
    /// Another benefit.
    Benefit,
    /// A date that must come.
    Date,
    /// Enrollment in the program.
    Enrollment,
    /// The partner must be ACTIVE.
    Status,
    /// A partner type that the partner does not have.
    PartnerType,
    /// A region in which the partner is not.
    Region,
}

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnlockStep {
    /// What kind of thing.
    pub kind: UnlockKind,
    /// The key of the tier, template, benefit, region, group or types; the date; none for what has no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// TIER: the ladder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<String>,
    /// For people.
    pub text: String,
}

impl UnlockStep {
    pub(super) fn of(kind: UnlockKind, key: Option<&str>, text: impl Into<String>) -> Self {
        Self { kind, key: key.map(str::to_owned), ladder: None, text: text.into() }
    }

    pub(super) fn contract(template: Option<&str>) -> Self {
        Self::of(UnlockKind::Contract, template, template.map_or_else(|| "sign a contract".to_owned(), |template| format!("sign contract {template}")))
    }

    pub(super) fn requirement(missing: &str) -> Self {
        Self::of(UnlockKind::Requirement, None, if missing.is_empty() { "meet the grant's requirement" } else { missing })
    }

    pub(super) fn status() -> Self {
        Self::of(UnlockKind::Status, None, "the partner must be active")
    }

    pub(super) fn enrollment() -> Self {
        Self::of(UnlockKind::Enrollment, None, "enroll in the program")
    }

    fn date(date: Date, text: String) -> Self {
        Self::of(UnlockKind::Date, Some(&date.to_string()), text)
    }
}

/// A way to get a benefit: all its steps together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unlock {
    /// What is missing on this way.
    pub steps: Vec<UnlockStep>,
    /// The steps as one sentence.
    pub text: String,
}

impl Unlock {
    pub(super) fn new(mut steps: Vec<UnlockStep>) -> Self {
        steps.sort();
        let text = steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join(" and ");
        Self { steps, text }
    }
}

/// A way as it is found: the rank of the tier it asks for decides between ways that differ in nothing else.
struct Way {
    rank: u32,
    unlock: Unlock,
}

impl Way {
    /// Without its tier, for telling whether a higher tier adds nothing.
    fn besides_tier(&self) -> (Option<&String>, Vec<&UnlockStep>) {
        let tier = self.unlock.steps.iter().find(|step| step.kind == UnlockKind::Tier);
        (tier.and_then(|step| step.ladder.as_ref()), self.unlock.steps.iter().filter(|step| step.kind != UnlockKind::Tier).collect())
    }

    /// What the partner can bring about comes before what it can only wait for or cannot change.
    fn effort(&self) -> (bool, usize, u32) {
        let fixed = |step: &UnlockStep| matches!(step.kind, UnlockKind::Region | UnlockKind::PartnerType);
        (self.unlock.steps.iter().any(fixed), self.unlock.steps.len(), self.rank)
    }
}

impl<'p> Resolver<'p, '_> {
    /// The ways to `benefit`, the shortest first; none where nobody asks. `common` are steps that every way needs.
    pub(super) fn unlocks(&self, benefit: &str, sources: &[EntitlementSource], common: &[UnlockStep]) -> Result<Vec<Unlock>, Faults> {
        if !self.unlocks {
            return Ok(Vec::new());
        }
        if let Some(removal) = sources.iter().filter(|source| source.effect == TermEffect::Remove).max_by_key(|source| source.until.unwrap_or(Date::MAX)) {
            return Ok(removal.until.map(|until| Unlock::new(vec![after_removal(removal, until)])).into_iter().collect());
        }
        let given = sources.iter().any(|source| source.outcome == SourceOutcome::Withheld && source.unmet.iter().all(|step| common.contains(step)));
        if given && !common.is_empty() {
            return Ok(vec![Unlock::new(common.to_vec())]);
        }
        let offers = self.offers(benefit);
        let mut ways = Vec::new();
        for offer in &offers {
            if let Some(steps) = self.steps_to(offer, &offers)? {
                ways.push(Way { rank: offer.rank, unlock: Unlock::new(steps.into_iter().chain(common.iter().cloned()).collect()) });
            }
        }
        ways.sort_by(|left, right| left.effort().cmp(&right.effort()).then_with(|| left.unlock.text.cmp(&right.unlock.text)));
        let mut kept: Vec<Way> = Vec::new();
        for way in ways {
            if !kept.iter().any(|held| held.rank <= way.rank && held.besides_tier() == way.besides_tier()) {
                kept.push(way);
            }
        }
        Ok(kept.into_iter().take(WAYS_MAX).map(|way| way.unlock).collect())
    }

    /// What is missing for one grant; none where it can no longer be had, or another grant of its tier stands before it.
    fn steps_to(&self, offer: &Offer<'p>, offers: &[Offer<'p>]) -> Result<Option<Vec<UnlockStep>>, Faults> {
        let as_of = self.standing.as_of;
        let span = span_of(offer.grant);
        let rank = offer.ladder.map_or(0, |ladder| ladder.rank(self.held(ladder).map(|held| held.tier.as_str())));
        if span.until <= as_of || (offer.rank <= rank && !self.reaches(offer, rank)) {
            return Ok(None);
        }
        let mut steps = self.scope_steps(offer);
        if steps.is_empty() && self.is_outdone(offer, rank, offers) {
            return Ok(None);
        }
        if span.from > as_of {
            steps.push(UnlockStep::date(span.from, format!("from {}", span.from)));
        }
        if let (true, Some(tier), Some(ladder)) = (offer.rank > rank, &offer.grant.tier, offer.ladder) {
            let main = self.standing.program.ladder(None).is_some_and(|main| main.key == ladder.key);
            let text = if main { format!("tier {tier}") } else { format!("tier {tier} of {}", ladder.key) };
            steps.push(UnlockStep { ladder: Some(ladder.key.clone()), ..UnlockStep::of(UnlockKind::Tier, Some(tier), text) });
        }
        steps.extend(self.condition(offer.grant.condition.as_ref())?.0);
        Ok((!steps.is_empty()).then_some(steps))
    }

    /// The region and the types that a grant asks for and the partner lacks.
    fn scope_steps(&self, offer: &Offer<'_>) -> Vec<UnlockStep> {
        let at = self.standpoint(offer.ladder);
        let scope = scope_of(offer.grant);
        let fits = |scope: RuleScope<'_>| self.standing.program.geography.specificity(scope, at).is_some();
        let mut steps = Vec::new();
        if !fits(RuleScope { partner_types: &[], ..scope })
            && let Some(place) = place_of(offer.grant)
        {
            steps.push(UnlockStep::of(UnlockKind::Region, Some(place), format!("only in {place}")));
        }
        if !fits(RuleScope { region: None, region_group: None, ..scope }) {
            let types = offer.grant.partner_types.join(", ");
            steps.push(UnlockStep::of(UnlockKind::PartnerType, Some(&types), format!("only for {types}")));
        }
        steps
    }

    /// Whether a grant of its own tier is more specific, or (of a tier not above the partner's) a higher one stands before it.
    fn is_outdone(&self, offer: &Offer<'_>, rank: u32, offers: &[Offer<'_>]) -> bool {
        let at = self.standpoint(offer.ladder);
        let geography = &self.standing.program.geography;
        let specificity = |offer: &Offer<'_>| geography.specificity(scope_of(offer.grant), at).map(|specificity| (offer.rank, specificity));
        let own = specificity(offer);
        offers.iter().any(|other| {
            let rival = offer.ladder.map(|ladder| &ladder.key) == other.ladder.map(|ladder| &ladder.key)
                && (other.rank == offer.rank || (offer.rank <= rank && self.reaches(other, rank)))
                && span_of(other.grant).contains(self.standing.as_of);
            rival && specificity(other) > own
        })
    }
}

fn place_of(grant: &Grant) -> Option<&str> {
    grant.region.as_deref().or(grant.region_group.as_deref())
}

fn after_removal(removal: &EntitlementSource, until: Date) -> UnlockStep {
    let what = match (removal.kind, &removal.contract) {
        (SourceKind::Contract, Some(contract)) => format!("contract {contract}"),
        _ => "the exception".to_owned(),
    };
    UnlockStep::date(until, format!("from {until}, when {what} that removes it ends"))
}
