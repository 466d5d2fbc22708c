//! Resolution: sources, then replacements and removals, then conditions, then the merge rule.

use std::collections::BTreeMap;

use super::condition::{Judgement, Resolver};
use super::held::HeldTiers;
use super::source::{EntitlementSource, SourceKind, SourceOutcome, earlier};
use super::unlock::{Unlock, UnlockStep};
use super::{Entitlement, allowance, merge};
use crate::date::{Date, Span};
use crate::document::benefit::{Benefit, BenefitKind, BenefitValue, TermEffect};
use crate::document::requirement::Requirement;
use crate::document::scenario::EntitlementStatus;
use crate::exact::Overflow;
use crate::facts::{Enrollment, Facts, PartnerFacts, PartnerStatus};
use crate::fault::{Fault, Faults};
use crate::metric::{At, Evaluator};
use crate::program::Program;
use crate::requirement::Gap;

/// What a resolution asks about: a partner on a date, under a program version, with the tiers it holds.
pub struct Standing<'p, 'j> {
    /// The version in force on the date.
    pub program: &'p Program,
    /// The partner.
    pub partner: &'p PartnerFacts,
    /// The date.
    pub as_of: Date,
    /// The tiers that it holds on the date.
    pub held: &'j HeldTiers,
    /// The region that ladders of a partner in a region are read for; the partner's own when empty.
    pub region: Option<&'j str>,
    /// Says whether a requirement is met by the partner on the date.
    pub judge: &'j dyn Fn(&'p Requirement) -> Result<Judgement, Faults>,
}

/// Every benefit of the program for a partner of `facts` on a date, in the document's order; requirements are judged on the same
/// facts.
///
/// # Errors
/// `UNKNOWN_PARTNER`; whatever keeps a requirement from being judged (a missing exchange rate); `OUT_OF_RANGE`.
pub fn resolve_entitlements(
    program: &Program,
    facts: &Facts,
    partner: &str,
    as_of: Date,
    held: &HeldTiers,
    region: Option<&str>,
) -> Result<Vec<Entitlement>, Faults> {
    resolve_some(program, facts, partner, as_of, (held, region), Wanted::ALL)
}

/// What is wanted of a resolution.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// Which benefits.
    pub benefit: &'w dyn Fn(&str) -> bool,
    /// Whether the ways that would unlock a benefit are worked out: about half of the work.
    pub unlocks: bool,
}

impl Wanted<'_> {
    /// Everything.
    pub const ALL: Self = Self { benefit: &|_| true, unlocks: true };
}

/// As [`resolve_entitlements`], of some benefits only; those that their conditions name are resolved too, and not answered.
///
/// # Errors
/// As [`resolve_entitlements`].
pub fn resolve_some(
    program: &Program,
    facts: &Facts,
    partner: &str,
    as_of: Date,
    (held, region): (&HeldTiers, Option<&str>),
    wanted: Wanted<'_>,
) -> Result<Vec<Entitlement>, Faults> {
    let evaluator = Evaluator::new(program, facts);
    let partner = evaluator.partner(partner)?;
    let at = At::new(partner, as_of).in_region(region);
    let judge = |requirement| {
        let judged = evaluator.judge(requirement, &at)?;
        let missing = Gap::of(&judged, None).missing.into_iter().map(|leaf| leaf.sentence().text).collect::<Vec<_>>().join("; ");
        Ok(Judgement { met: judged.met, missing })
    };
    resolve_some_with(&Standing { program, partner, as_of, held, region, judge: &judge }, wanted)
}

/// As [`resolve_entitlements`], with requirements judged by whoever asks.
///
/// # Errors
/// Whatever the judge of requirements reports; `OUT_OF_RANGE` when a sum leaves the range of exact arithmetic.
pub fn resolve_entitlements_with(standing: &Standing<'_, '_>) -> Result<Vec<Entitlement>, Faults> {
    resolve_some_with(standing, Wanted::ALL)
}

/// As [`resolve_entitlements_with`], of some benefits only; those that their conditions name are resolved too, and not answered.
///
/// # Errors
/// As [`resolve_entitlements_with`].
pub fn resolve_some_with(standing: &Standing<'_, '_>, wanted: Wanted<'_>) -> Result<Vec<Entitlement>, Faults> {
    let profile = standing.partner.profile(standing.as_of);
    let own_region = profile.and_then(|profile| profile.region.as_deref());
    let mut resolver = Resolver {
        standing,
        region: standing.region.or(own_region),
        own_region,
        partner_type: profile.and_then(|profile| profile.partner_type.as_deref()),
        unlocks: wanted.unlocks,
        answered: BTreeMap::new(),
    };
    let benefits = &standing.program.document.benefits;
    let wanted = |benefit: &&Benefit| (wanted.benefit)(&benefit.key);
    for benefit in benefits.iter().filter(wanted) {
        resolver.answer(&benefit.key, &mut Vec::new())?;
    }
    Ok(benefits.iter().filter(wanted).filter_map(|benefit| resolver.answered.remove(&benefit.key)).collect())
}

impl<'p> Resolver<'p, '_> {
    /// Answers a benefit after those that its conditions name. A cycle, which publishing refuses, finds the other not granted.
    fn answer(&mut self, key: &str, visiting: &mut Vec<String>) -> Result<(), Faults> {
        if self.answered.contains_key(key) || visiting.iter().any(|open| open == key) {
            return Ok(());
        }
        let Some(benefit) = self.standing.program.benefit(key) else { return Ok(()) };
        visiting.push(key.to_owned());
        for offer in self.offers(key) {
            if let Some(other) = offer.grant.condition.as_ref().and_then(|condition| condition.benefit.as_ref()) {
                self.answer(other, visiting)?;
            }
        }
        visiting.pop();
        let entitlement = self.resolve(benefit)?;
        self.answered.insert(key.to_owned(), entitlement);
        Ok(())
    }

    /// The enrollment in force on the date; the earliest of several.
    fn enrollment(&self) -> Option<&'p Enrollment> {
        let enrollments = &self.standing.partner.enrollments;
        let in_force = enrollments.iter().filter(|held| Span::new(held.since, held.until.unwrap_or(Date::MAX)).contains(self.standing.as_of));
        in_force.min_by_key(|held| held.since)
    }

    fn resolve(&self, benefit: &Benefit) -> Result<Entitlement, Faults> {
        let Some(enrollment) = self.enrollment() else {
            return self.not_offered(benefit, Vec::new(), vec![Unlock::new(vec![UnlockStep::enrollment()])]);
        };
        let mut sources = self.exception_sources(&benefit.key);
        sources.extend(self.contract_sources(&benefit.key));
        sources.extend(self.ladder_sources(&benefit.key)?);
        sources.sort_by_key(|source| source.kind);
        settle_terms(benefit, &mut sources);
        let status = self.standing.partner.profile(self.standing.as_of).map_or(PartnerStatus::Active, |profile| profile.status);
        let common = if status == PartnerStatus::Active { Vec::new() } else { vec![UnlockStep::status()] };
        if !common.is_empty() {
            withhold(&mut sources, &common);
        }
        let removed = sources.iter().any(|source| source.effect == TermEffect::Remove);
        let granted = if removed { None } else { self.merged(benefit, &mut sources, SourceOutcome::Outweighed)? };
        match granted {
            Some(value) if value != BenefitValue::Access(false) => self.granted(benefit, value, sources, enrollment),
            Some(_) => self.not_offered_because_of(benefit, sources, &common),
            None if !removed && sources.iter().any(|source| source.outcome == SourceOutcome::Withheld) => self.withheld(benefit, sources, &common, enrollment),
            None => self.not_offered_because_of(benefit, sources, &common),
        }
    }

    /// The merged value of the sources in that state; those that made it are marked as applied.
    fn merged(&self, benefit: &Benefit, sources: &mut [EntitlementSource], state: SourceOutcome) -> Result<Option<BenefitValue>, Faults> {
        let taking_part: Vec<usize> = sources.iter().enumerate().filter(|(_, source)| source.outcome == state).map(|(at, _)| at).collect();
        let values: Vec<(SourceKind, &BenefitValue)> =
            taking_part.iter().filter_map(|at| sources.get(*at)).filter_map(|source| source.value.as_ref().map(|value| (source.kind, value))).collect();
        let Some(merged) = merge::merge(benefit, &self.standing.program.categories, &values).map_err(|_| overflow(benefit))? else { return Ok(None) };
        if state == SourceOutcome::Outweighed {
            for at in merged.by.iter().filter_map(|by| taking_part.get(*by)) {
                if let Some(source) = sources.get_mut(*at) {
                    source.outcome = SourceOutcome::Applied;
                }
            }
        }
        Ok(Some(merged.value))
    }

    fn granted(&self, benefit: &Benefit, value: BenefitValue, sources: Vec<EntitlementSource>, enrollment: &Enrollment) -> Result<Entitlement, Faults> {
        let ends = sources.iter().filter(|source| source.outcome == SourceOutcome::Applied).map(|source| source.until);
        let valid_until = ends.fold(enrollment.until, earlier);
        let bare = self.bare(benefit, EntitlementStatus::Granted, sources);
        self.with_value(benefit, value, Entitlement { valid_until, ..bare }, enrollment)
    }

    fn withheld(&self, benefit: &Benefit, mut sources: Vec<EntitlementSource>, common: &[UnlockStep], enrollment: &Enrollment) -> Result<Entitlement, Faults> {
        let value = self.merged(benefit, &mut sources, SourceOutcome::Withheld)?;
        let mut unmet: Vec<UnlockStep> = sources.iter().flat_map(|source| source.unmet.iter().cloned()).collect();
        unmet.sort();
        unmet.dedup();
        let unlocks = self.unlocks(&benefit.key, &sources, common)?;
        let bare = Entitlement { unmet, unlocks, ..self.bare(benefit, EntitlementStatus::Withheld, sources) };
        match value {
            Some(value) => self.with_value(benefit, value, bare, enrollment),
            None => Ok(bare),
        }
    }

    fn not_offered_because_of(&self, benefit: &Benefit, sources: Vec<EntitlementSource>, common: &[UnlockStep]) -> Result<Entitlement, Faults> {
        let unlocks = self.unlocks(&benefit.key, &sources, common)?;
        self.not_offered(benefit, sources, unlocks)
    }

    fn not_offered(&self, benefit: &Benefit, sources: Vec<EntitlementSource>, unlocks: Vec<Unlock>) -> Result<Entitlement, Faults> {
        Ok(Entitlement { unlocks, ..self.bare(benefit, EntitlementStatus::NotOffered, sources) })
    }

    fn with_value(&self, benefit: &Benefit, value: BenefitValue, bare: Entitlement, enrollment: &Enrollment) -> Result<Entitlement, Faults> {
        if benefit.kind != BenefitKind::Allowance {
            return Ok(Entitlement { value: Some(value), ..bare });
        }
        let fiscal_year = self.standing.program.fiscal_year;
        let (value, window) =
            allowance::for_period(benefit, value, fiscal_year, Some(enrollment.since), self.standing.as_of).map_err(|Overflow| overflow(benefit))?;
        Ok(Entitlement { value: Some(value), allowance: Some(window), overage_price: benefit.overage_price.clone(), ..bare })
    }

    fn bare(&self, benefit: &Benefit, status: EntitlementStatus, sources: Vec<EntitlementSource>) -> Entitlement {
        let in_money = matches!(benefit.kind, BenefitKind::Money | BenefitKind::Rate) || benefit.overage_price.is_some();
        Entitlement {
            benefit: benefit.key.clone(),
            name: benefit.name.clone(),
            kind: benefit.kind,
            merge: benefit.merge,
            status,
            value: None,
            currency: in_money.then(|| benefit.currency.unwrap_or_else(|| self.standing.program.currency())),
            allowance: None,
            overage_price: None,
            sources,
            valid_until: None,
            unmet: Vec::new(),
            unlocks: Vec::new(),
        }
    }
}

fn overflow(benefit: &Benefit) -> Faults {
    Fault::new("OUT_OF_RANGE", "", format!("the values of benefit {} add up to more than exact arithmetic holds", benefit.key)).into()
}

/// Marks what removals, replacements and unfit values leave out of the merge.
fn settle_terms(benefit: &Benefit, sources: &mut [EntitlementSource]) {
    let removed = sources.iter().any(|source| source.effect == TermEffect::Remove);
    for source in sources.iter_mut() {
        if removed {
            source.outcome = SourceOutcome::Removed;
        } else if !source.value.as_ref().is_some_and(|value| merge::fits(benefit, value)) {
            source.outcome = SourceOutcome::Unfit;
        }
    }
    let replacement = sources.iter().filter(|source| source.effect == TermEffect::Replace && source.outcome == SourceOutcome::Outweighed);
    if let Some(by) = replacement.map(|source| source.kind).min() {
        let before_it = |source: &&mut EntitlementSource| source.kind > by && source.outcome != SourceOutcome::Unfit;
        for source in sources.iter_mut().filter(before_it) {
            source.outcome = SourceOutcome::Replaced;
        }
    }
}

/// A partner that is not active gets nothing: every source that would take part is withheld.
fn withhold(sources: &mut [EntitlementSource], common: &[UnlockStep]) {
    for source in sources.iter_mut().filter(|source| matches!(source.outcome, SourceOutcome::Outweighed | SourceOutcome::Withheld)) {
        source.outcome = SourceOutcome::Withheld;
        source.unmet.extend(common.iter().cloned());
    }
}
