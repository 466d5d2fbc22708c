//! The tiers that partners hold and held, by what is on record.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::date::Date;
use guerdon_domain::document::ladder::Ladder;
use guerdon_domain::facts::{AssignmentCause, PartnerFacts, TierAssignment};
use guerdon_domain::levelling::held_on;
use guerdon_domain::program::Program;
use guerdon_store::{OverrideState, StoredAssignment, StoredOverride, VersionId};

use super::partners::PartnerId;
use super::programs::InForce;

/// A tier held over a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTier {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier; none is a value.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it; none while no end is known.
    pub until: Option<Date>,
    /// Why.
    pub cause: AssignmentCause,
    /// The version that decided; none for an override that no evaluation has seen yet.
    pub decided_by: Option<VersionId>,
    /// The override that holds it.
    pub overridden: Option<StoredOverride>,
}

/// The tiers that a partner held in a program.
#[derive(Debug, Clone, Default)]
pub struct TierHistory {
    /// The published versions by their first days: a tier is held on a date as far as the version in force on it has it.
    versions: Arc<[InForce]>,
    today: Option<Date>,
    assignments: Vec<StoredAssignment>,
    overrides: Vec<StoredOverride>,
}

impl TierHistory {
    pub(super) fn of_partners(
        today: Option<Date>,
        versions: Vec<InForce>,
        mut assignments: BTreeMap<PartnerId, Vec<StoredAssignment>>,
        mut overrides: BTreeMap<PartnerId, Vec<StoredOverride>>,
    ) -> BTreeMap<PartnerId, Self> {
        let versions: Arc<[InForce]> = versions.into();
        let mut partners: Vec<PartnerId> = assignments.keys().chain(overrides.keys()).copied().collect();
        partners.sort_unstable();
        partners.dedup();
        let history = |partner: PartnerId| {
            let assignments = assignments.remove(&partner).unwrap_or_default();
            let mut overrides = overrides.remove(&partner).unwrap_or_default();
            overrides.retain(|one| one.state == OverrideState::Approved);
            (partner, Self { versions: Arc::clone(&versions), today, assignments, overrides })
        };
        partners.into_iter().map(history).collect()
    }

    /// The version in force on a date.
    fn version_on(&self, date: Date) -> Option<&InForce> {
        self.versions.iter().rfind(|version| version.version.effective_on <= date)
    }

    /// A ladder by the rules of today.
    fn ladder(&self, key: Option<&str>) -> Option<&Ladder> {
        self.version_on(self.today?)?.compiled.ladder(key)
    }

    /// The version that dropped a tier: the first one of those without it that are in force up to and with a date.
    fn dropped_by(&self, ladder: &str, tier: &str, date: Date) -> Option<&InForce> {
        let until = self.versions.iter().rev().skip_while(|version| version.version.effective_on > date);
        until.take_while(|version| !has(&version.compiled, ladder, tier)).last()
    }

    /// The first day after a date on which a version without the tier takes effect.
    fn dropped_after(&self, ladder: &str, tier: &str, date: Date) -> Option<Date> {
        let mut later = self.versions.iter().filter(|version| version.version.effective_on > date);
        later.find(|version| !has(&version.compiled, ladder, tier)).map(|version| version.version.effective_on)
    }

    fn recorded(&self, ladder: Option<&str>, region: Option<&str>) -> impl Iterator<Item = &StoredAssignment> {
        let ladder = ladder.or_else(|| self.ladder(None).map(|ladder| ladder.key.as_str())).unwrap_or_default().to_owned();
        let region = region.map(str::to_owned);
        self.assignments.iter().filter(move |held| held.ladder == ladder && held.region == region)
    }

    /// Those on record of a ladder, earliest first; of the main ladder when none is named.
    pub fn of_ladder(&self, ladder: Option<&str>, region: Option<&str>) -> impl Iterator<Item = HeldTier> {
        self.recorded(ladder, region).map(|held| {
            let overrides = self.overrides.iter().filter(|_| held.cause == AssignmentCause::Override);
            let mut same = overrides.filter(|one| one.fact.ladder == held.ladder && one.fact.region == held.region && one.fact.span.contains(held.from));
            HeldTier {
                ladder: held.ladder.clone(),
                region: held.region.clone(),
                tier: held.tier.clone(),
                from: held.from,
                until: held.until,
                cause: held.cause,
                decided_by: Some(held.version_id),
                overridden: same.find(|one| one.fact.tier == held.tier).cloned(),
            }
        })
    }

    /// The one of a ladder on a date; today's when none is named. An override counts on its days, whether an evaluation has put it on
    /// record yet or not, and no longer (semantics 6); a tier that the version in force on the date does not have is not held.
    pub fn held_on(&self, date: Option<Date>, ladder: Option<&str>, region: Option<&str>) -> Option<HeldTier> {
        let date = date.or(self.today)?;
        let on_record = |held: &&StoredAssignment| held.from <= date && held.until.is_none_or(|until| date < until);
        let record = self.recorded(ladder, region).filter(on_record).last();
        let ladder = self.version_on(date)?.compiled.ladder(ladder)?;
        let facts = PartnerFacts {
            assignments: self.recorded(Some(&ladder.key), region).flat_map(|held| [review(held), Some(fact(held))]).flatten().collect(),
            overrides: self.overrides.iter().map(|one| one.fact.clone()).collect(),
            ..PartnerFacts::default()
        };
        let held = held_on(ladder, &facts, region, date)?;
        let by_record = record.filter(|record| record.tier.as_deref() == held.tier);
        let dropped_after = held.tier.and_then(|tier| self.dropped_after(&ladder.key, tier, date));
        let found = HeldTier {
            ladder: ladder.key.clone(),
            region: region.map(str::to_owned),
            tier: held.tier.map(str::to_owned),
            from: held.from,
            until: held.until.into_iter().chain(dropped_after).min(),
            cause: held.cause,
            decided_by: by_record.map(|record| record.version_id),
            overridden: held.overridden.and_then(|fact| self.overrides.iter().find(|one| one.fact == *fact)).cloned(),
        };
        let dropped = record.and_then(|record| record.tier.as_deref()).filter(|tier| ladder.tier(tier).is_none());
        match dropped.and_then(|tier| self.dropped_by(&ladder.key, tier, date)).filter(|_| found.overridden.is_none()) {
            Some(version) => Some(HeldTier {
                from: found.from.max(version.version.effective_on),
                cause: AssignmentCause::VersionChange,
                decided_by: Some(version.version.id),
                ..found
            }),
            None => Some(found),
        }
    }
}

/// Whether a version has a tier.
fn has(program: &Program, ladder: &str, tier: &str) -> bool {
    program.ladder(Some(ladder)).is_some_and(|ladder| ladder.tier(tier).is_some())
}

fn fact(held: &StoredAssignment) -> TierAssignment {
    TierAssignment { ladder: held.ladder.clone(), region: held.region.clone(), tier: held.tier.clone(), from: held.from, until: held.until, cause: held.cause }
}

/// What a review of the same day had given.
fn review(held: &StoredAssignment) -> Option<TierAssignment> {
    let tier = held.reviewed_tier.as_ref()?;
    Some(TierAssignment { tier: Some(tier.clone()).filter(|tier| !tier.is_empty()), cause: AssignmentCause::Promotion, ..fact(held) })
}
