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
    program: Option<Arc<Program>>,
    today: Option<Date>,
    assignments: Vec<StoredAssignment>,
    overrides: Vec<StoredOverride>,
}

impl TierHistory {
    pub(super) fn of_partners(
        present: Option<(Date, InForce)>,
        mut assignments: BTreeMap<PartnerId, Vec<StoredAssignment>>,
        mut overrides: BTreeMap<PartnerId, Vec<StoredOverride>>,
    ) -> BTreeMap<PartnerId, Self> {
        let (today, program) = present.map_or((None, None), |(today, in_force)| (Some(today), Some(in_force.compiled)));
        let mut partners: Vec<PartnerId> = assignments.keys().chain(overrides.keys()).copied().collect();
        partners.sort_unstable();
        partners.dedup();
        let history = |partner: PartnerId| {
            let assignments = assignments.remove(&partner).unwrap_or_default();
            let mut overrides = overrides.remove(&partner).unwrap_or_default();
            overrides.retain(|one| one.state == OverrideState::Approved);
            (partner, Self { program: program.clone(), today, assignments, overrides })
        };
        partners.into_iter().map(history).collect()
    }

    fn ladder(&self, key: Option<&str>) -> Option<&Ladder> {
        self.program.as_ref().and_then(|program| program.ladder(key))
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
    /// record yet or not, and no longer (semantics 6).
    pub fn held_on(&self, date: Option<Date>, ladder: Option<&str>, region: Option<&str>) -> Option<HeldTier> {
        let date = date.or(self.today)?;
        let on_record = |held: &&StoredAssignment| held.from <= date && held.until.is_none_or(|until| date < until);
        let record = self.recorded(ladder, region).filter(on_record).last();
        let ladder = self.ladder(ladder)?;
        let facts = PartnerFacts {
            assignments: self.recorded(Some(&ladder.key), region).flat_map(|held| [review(held), Some(fact(held))]).flatten().collect(),
            overrides: self.overrides.iter().map(|one| one.fact.clone()).collect(),
            ..PartnerFacts::default()
        };
        let held = held_on(ladder, &facts, region, date)?;
        Some(HeldTier {
            ladder: ladder.key.clone(),
            region: region.map(str::to_owned),
            tier: held.tier.map(str::to_owned),
            from: held.from,
            until: held.until,
            cause: held.cause,
            decided_by: record.filter(|record| record.tier.as_deref() == held.tier).map(|record| record.version_id),
            overridden: held.overridden.and_then(|fact| self.overrides.iter().find(|one| one.fact == *fact)).cloned(),
        })
    }
}

fn fact(held: &StoredAssignment) -> TierAssignment {
    TierAssignment { ladder: held.ladder.clone(), region: held.region.clone(), tier: held.tier.clone(), from: held.from, until: held.until, cause: held.cause }
}

/// What a review of the same day had given.
fn review(held: &StoredAssignment) -> Option<TierAssignment> {
    let tier = held.reviewed_tier.as_ref()?;
    Some(TierAssignment { tier: Some(tier.clone()).filter(|tier| !tier.is_empty()), cause: AssignmentCause::Promotion, ..fact(held) })
}
