//! Where a value comes from: a ladder's grant, a contract's term, an exception.

use serde::Serialize;

use super::condition::Resolver;
use super::unlock::UnlockStep;
use crate::date::{Date, Span};
use crate::document::benefit::{BenefitValue, Grant, TermEffect, TermGrant};
use crate::document::ladder::{Ladder, LadderScope};
use crate::facts::{Contract, ContractStatus};
use crate::fault::Faults;
use crate::region::{RuleScope, Standpoint};

/// The kinds of source, the most specific first: the order of STRICT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceKind {
    /// An individual exception.
    Exception,
    /// A contract's term.
    Contract,
    /// A grant of the main ladder, or one for every enrolled partner.
    MainLadder,
    /// A grant of another ladder.
    Ladder,
}

/// What became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceOutcome {
    /// It made the value, alone or with others.
    Applied,
    /// It took part, and another source counted more.
    Outweighed,
    /// A replacement stands in its place.
    Replaced,
    /// It is a removal, or a removal took it away.
    Removed,
    /// Its condition is not met, or the partner is not active.
    Withheld,
    /// Its value is not of the benefit's kind.
    Unfit,
}

/// A source of a benefit's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementSource {
    /// Which kind.
    pub kind: SourceKind,
    /// What became of it.
    pub outcome: SourceOutcome,
    /// What it does: tiers add; contracts and exceptions add, replace or remove.
    pub effect: TermEffect,
    /// What it gives; none for a removal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<BenefitValue>,
    /// The ladder of a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<String>,
    /// The tier whose grant it is; none for a grant for every enrolled partner. Lower than `heldTier` where it is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The tier that the partner holds in that ladder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_tier: Option<String>,
    /// The region or region group that the grant names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The contract's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The reason of an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first day on which it is known to give nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The conditions that are not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<UnlockStep>,
}

/// The days on which a grant may be given.
pub(super) fn span_of(grant: &Grant) -> Span {
    Span::new(grant.from.unwrap_or(Date::MIN), grant.until.unwrap_or(Date::MAX))
}

/// Whom a grant is for.
pub(super) fn scope_of(grant: &Grant) -> RuleScope<'_> {
    RuleScope { region: grant.region.as_deref(), region_group: grant.region_group.as_deref(), partner_types: &grant.partner_types, tracks: &[] }
}

/// The earlier of two ends, where none is never.
pub(super) fn earlier(left: Option<Date>, right: Option<Date>) -> Option<Date> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (end, None) | (None, end) => end,
    }
}

/// The end of a span, where one is known.
pub(super) fn known_end(span: Span) -> Option<Date> {
    (span.until < Date::MAX).then_some(span.until)
}

/// A grant with the ladder and the tier that it stands in.
pub(super) struct Offer<'p> {
    pub(super) grant: &'p Grant,
    pub(super) ladder: Option<&'p Ladder>,
    /// The rank of its tier, from 1; 0 for a grant without a tier.
    pub(super) rank: u32,
}

impl<'p> Resolver<'p, '_> {
    /// Every grant of `benefit`, with its ladder.
    pub(super) fn offers(&self, benefit: &str) -> Vec<Offer<'p>> {
        let program = self.standing.program;
        let offers = program.grants_of(benefit).filter_map(|grant| {
            let ladder = program.ladder(grant.ladder.as_deref());
            let rank = match (&grant.tier, ladder) {
                (None, _) => 0,
                (Some(tier), Some(ladder)) => ladder.tier(tier)?.0,
                (Some(_), None) => return None,
            };
            Some(Offer { grant, ladder, rank })
        });
        offers.collect()
    }

    /// Whether a partner at `rank` may be given the grant: its own tier's, an inherited one, or one for everybody.
    pub(super) fn reaches(&self, offer: &Offer<'_>, rank: u32) -> bool {
        let inherited = || offer.grant.inherited.unwrap_or(self.standing.program.document.version.grants_inherit);
        offer.rank == 0 || offer.rank == rank || (offer.rank < rank && inherited())
    }

    /// Where the partner stands for grants of `ladder`.
    pub(super) fn standpoint(&self, ladder: Option<&Ladder>) -> Standpoint<'_> {
        let in_region = ladder.is_some_and(|ladder| ladder.scope == LadderScope::PartnerInRegion);
        let region = if in_region { self.region } else { self.own_region };
        Standpoint { region, partner_type: self.partner_type, track: None }
    }

    /// What each ladder gives: of the grants that the partner's tier reaches, the highest tier's most specific one.
    pub(super) fn ladder_sources(&self, benefit: &str) -> Result<Vec<EntitlementSource>, Faults> {
        let offers = self.offers(benefit);
        let mut ladders: Vec<Option<&str>> = offers.iter().map(|offer| offer.ladder.map(|ladder| ladder.key.as_str())).collect();
        ladders.sort_unstable();
        ladders.dedup();
        let mut sources = Vec::new();
        for key in ladders {
            let of_ladder: Vec<&Offer<'p>> = offers.iter().filter(|offer| offer.ladder.map(|ladder| ladder.key.as_str()) == key).collect();
            if let Some(offer) = self.applicable(&of_ladder) {
                sources.push(self.source_of(offer)?);
            }
        }
        Ok(sources)
    }

    /// The one grant of a ladder that applies to the partner.
    fn applicable<'o>(&self, offers: &[&'o Offer<'p>]) -> Option<&'o Offer<'p>> {
        let ladder = offers.first().and_then(|offer| offer.ladder);
        let rank = ladder.map_or(0, |ladder| ladder.rank(self.held(ladder).map(|held| held.tier.as_str())));
        let at = self.standpoint(ladder);
        let mut best: Option<(_, &Offer<'p>)> = None;
        for offer in offers.iter().filter(|offer| self.reaches(offer, rank) && span_of(offer.grant).contains(self.standing.as_of)) {
            if let Some(specificity) = self.standing.program.geography.specificity(scope_of(offer.grant), at)
                && best.is_none_or(|(held, _)| (offer.rank, specificity) > held)
            {
                best = Some(((offer.rank, specificity), offer));
            }
        }
        best.map(|(_, offer)| offer)
    }

    fn source_of(&self, offer: &Offer<'p>) -> Result<EntitlementSource, Faults> {
        let held = offer.ladder.and_then(|ladder| self.held(ladder));
        let main = self.standing.program.ladder(None).map(|ladder| ladder.key.as_str());
        let other = offer.ladder.is_some_and(|ladder| Some(ladder.key.as_str()) != main);
        let (unmet, condition_end) = self.condition(offer.grant.condition.as_ref())?;
        let tier_end = if offer.rank == 0 { None } else { held.and_then(|held| held.until) };
        Ok(EntitlementSource {
            kind: if other { SourceKind::Ladder } else { SourceKind::MainLadder },
            outcome: if unmet.is_empty() { SourceOutcome::Outweighed } else { SourceOutcome::Withheld },
            effect: TermEffect::Add,
            value: Some(offer.grant.value.clone()),
            ladder: offer.ladder.map(|ladder| ladder.key.clone()),
            tier: offer.grant.tier.clone(),
            held_tier: held.map(|held| held.tier.clone()),
            region: offer.grant.region.clone().or_else(|| offer.grant.region_group.clone()),
            contract: None,
            reason: None,
            until: earlier(earlier(offer.grant.until, tier_end), condition_end),
            unmet,
        })
    }

    /// Contracts in force on the date, in the order of their numbers.
    pub(super) fn active_contracts(&self) -> Vec<&'p Contract> {
        let in_force = |contract: &&Contract| contract.status == ContractStatus::Active && contract.span.contains(self.standing.as_of);
        let mut contracts: Vec<&Contract> = self.standing.partner.contracts.iter().filter(in_force).collect();
        contracts.sort_by(|left, right| left.key.cmp(&right.key));
        contracts
    }

    /// What contracts say about `benefit`: their own terms, or else their template's.
    pub(super) fn contract_sources(&self, benefit: &str) -> Vec<EntitlementSource> {
        let mut sources = Vec::new();
        for contract in self.active_contracts() {
            let names = |term: &&TermGrant| term.benefit == benefit;
            let mut terms: Vec<&TermGrant> = contract.terms.grants.iter().filter(names).collect();
            if terms.is_empty() {
                let templates = &self.standing.program.document.contract_templates;
                let template = templates.iter().find(|template| Some(&template.key) == contract.template.as_ref());
                terms = template.into_iter().flat_map(|template| &template.terms.grants).filter(names).collect();
            }
            let until = known_end(contract.span);
            sources.extend(terms.into_iter().map(|term| term_source(SourceKind::Contract, term, until, Some(contract.key.clone()), None)));
        }
        sources
    }

    /// What exceptions in force say about `benefit`.
    pub(super) fn exception_sources(&self, benefit: &str) -> Vec<EntitlementSource> {
        let exceptions = self.standing.partner.exceptions.iter().filter(|exception| exception.grant.benefit == benefit);
        let in_force = exceptions.filter(|exception| exception.span.contains(self.standing.as_of));
        let sources =
            in_force.map(|exception| term_source(SourceKind::Exception, &exception.grant, known_end(exception.span), None, Some(exception.reason.clone())));
        sources.collect()
    }
}

fn term_source(kind: SourceKind, term: &TermGrant, until: Option<Date>, contract: Option<String>, reason: Option<String>) -> EntitlementSource {
    EntitlementSource {
        kind,
        outcome: SourceOutcome::Outweighed,
        effect: term.effect,
        value: if term.effect == TermEffect::Remove { None } else { term.value.clone() },
        ladder: None,
        tier: None,
        held_tier: None,
        region: None,
        contract,
        reason,
        until,
        unmet: Vec::new(),
    }
}
