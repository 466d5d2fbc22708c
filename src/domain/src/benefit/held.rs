//! Tiers that a partner holds on a date.

use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, LadderScope};
use crate::facts::PartnerFacts;
use crate::region::Geography;

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
    /// The tiers on record on `as_of` (semantics 6).
    pub fn on_record(partner: &PartnerFacts, as_of: Date) -> Self {
        let held = partner.assignments.iter().filter(|held| Span::new(held.from, held.until.unwrap_or(Date::MAX)).contains(as_of));
        let tiers = held.filter_map(|held| {
            let tier = held.tier.clone()?;
            Some(HeldTier { ladder: held.ladder.clone(), region: held.region.clone(), tier, until: held.until })
        });
        Self(tiers.collect())
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
