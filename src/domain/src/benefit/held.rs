//! Tiers that a partner holds on a date.

use crate::date::Date;
use crate::document::ladder::{Ladder, LadderScope};
use crate::facts::PartnerFacts;
use crate::levelling::{Standing, held_on};
use crate::program::Program;
use crate::region::Geography;

use super::source::known_end;

/// A tier held on the date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTier {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// The first day on which it is known to be no longer held.
    pub until: Option<Date>,
}

/// All tiers that a partner holds on one date; at most one per ladder and region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldTiers(pub Vec<HeldTier>);

impl HeldTiers {
    /// The tiers on record on `as_of`, and those that overrides hold: an overridden tier counts as held (semantics 6).
    pub fn on_record(program: &Program, partner: &PartnerFacts, as_of: Date) -> Self {
        let recorded = partner.assignments.iter().map(|held| (held.ladder.as_str(), held.region.as_deref()));
        let overridden = partner.overrides.iter().map(|held| (held.ladder.as_str(), held.region.as_deref()));
        let mut keys: Vec<(&str, Option<&str>)> = recorded.chain(overridden).collect();
        keys.sort_unstable();
        keys.dedup();
        let tiers = keys.into_iter().filter_map(|(ladder, region)| {
            let held = held_on(program.ladder(Some(ladder))?, partner, region, as_of)?;
            Some(HeldTier { ladder: ladder.to_owned(), region: region.map(str::to_owned), tier: held.tier?.to_owned(), until: held.until })
        });
        Self(tiers.collect())
    }

    /// The tiers that an evaluation gives.
    pub fn of_standing(standing: &Standing) -> Self {
        let held = standing.ladders.iter().filter_map(|ladder| {
            let tier = ladder.tier.clone()?;
            let until = ladder.decision.overridden.as_ref().and_then(|held| known_end(held.span));
            Some(HeldTier { ladder: ladder.ladder.clone(), region: ladder.region.clone(), tier, until })
        });
        Self(held.collect())
    }

    /// The tier held in `ladder`; where its scope is the partner in a region, in `region` or the nearest region above it.
    pub fn in_ladder(&self, geography: &Geography, ladder: &Ladder, region: Option<&str>) -> Option<&HeldTier> {
        let of_ladder = || self.0.iter().filter(|held| held.ladder == ladder.key);
        match ladder.scope {
            LadderScope::Partner => of_ladder().find(|held| held.region.is_none()),
            LadderScope::PartnerInRegion => geography.regions.path(region?).find_map(|step| of_ladder().find(|held| held.region.as_deref() == Some(step))),
        }
    }
}
