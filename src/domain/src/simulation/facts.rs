//! What partners might have done: facts that are added, taken away, or another profile from the date on.

use std::collections::BTreeMap;

use super::Tally;
use crate::date::Date;
use crate::facts::{Activity, AttributeValue, Deal, FactId, Facts, Holding, PartnerFacts, PartnerStatus, TierAdmission, Transaction};
use crate::fault::Fault;

/// The source of hypothetical facts that name none.
pub const HYPOTHETICAL_SOURCE: &str = "hypothesis";

/// What one partner might have done, or be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerHypothesis {
    /// The partner's code.
    pub partner: String,
    /// Holdings besides.
    pub holdings: Vec<Holding>,
    /// Sale lines besides.
    pub transactions: Vec<Transaction>,
    /// Activities besides.
    pub activities: Vec<Activity>,
    /// Deals besides.
    pub deals: Vec<Deal>,
    /// Tiers that it is let into besides.
    pub admissions: Vec<TierAdmission>,
    /// Facts that are not there, whatever their kind.
    pub without: Vec<FactId>,
    /// Attributes from the date on; none takes one away.
    pub attributes: BTreeMap<String, Option<AttributeValue>>,
    /// The region from the date on.
    pub region: Option<String>,
    /// The type from the date on.
    pub partner_type: Option<String>,
    /// The status from the date on.
    pub status: Option<PartnerStatus>,
}

impl PartnerHypothesis {
    /// Whether sale lines are different: whole months are then read by their lines.
    pub fn changes_sales(&self) -> bool {
        !self.transactions.is_empty() || !self.without.is_empty()
    }

    fn changes_profile(&self) -> bool {
        !self.attributes.is_empty() || self.region.is_some() || self.partner_type.is_some() || self.status.is_some()
    }

    /// The facts with the hypothesis, and the facts to be taken away that are not there.
    fn apply(&self, facts: &PartnerFacts, as_of: Date) -> (PartnerFacts, Vec<FactId>) {
        let mut changed = facts.clone();
        let held = |id: &FactId| {
            facts.holdings.iter().any(|fact| fact.id == *id)
                || facts.transactions.iter().any(|fact| fact.id == *id)
                || facts.activities.iter().any(|fact| fact.id == *id)
                || facts.deals.iter().any(|fact| fact.id == *id)
        };
        let absent = self.without.iter().filter(|id| !held(id)).cloned().collect();
        changed.holdings.retain(|fact| !self.without.contains(&fact.id));
        changed.transactions.retain(|fact| !self.without.contains(&fact.id));
        changed.activities.retain(|fact| !self.without.contains(&fact.id));
        changed.deals.retain(|fact| !self.without.contains(&fact.id));
        changed.holdings.extend(self.holdings.iter().cloned());
        changed.transactions.extend(self.transactions.iter().cloned());
        changed.activities.extend(self.activities.iter().cloned());
        changed.deals.extend(self.deals.iter().cloned());
        changed.admissions.extend(self.admissions.iter().cloned());
        changed.transactions.sort_by_key(|line| line.date);
        changed.activities.sort_by_key(|activity| activity.date);
        if self.changes_profile() {
            self.change_profile(&mut changed, as_of);
        }
        (changed, absent)
    }

    /// The profile of the date is another one from the date on; what was to come later stays.
    fn change_profile(&self, facts: &mut PartnerFacts, as_of: Date) {
        let Some(mut profile) = facts.profile(as_of).cloned() else { return };
        profile.from = as_of;
        profile.region = self.region.clone().or(profile.region);
        profile.partner_type = self.partner_type.clone().or(profile.partner_type);
        profile.status = self.status.unwrap_or(profile.status);
        for (name, value) in &self.attributes {
            match value {
                Some(value) => drop(profile.attributes.insert(name.clone(), value.clone())),
                None => drop(profile.attributes.remove(name)),
            }
        }
        facts.profiles.retain(|held| held.from != as_of);
        let at = facts.profiles.partition_point(|held| held.from < as_of);
        facts.profiles.insert(at, profile);
        // A first profile also holds before its own date: the one that was there must go on doing so.
        if at == 0 && facts.profiles.len() > 1 {
            let Some(next) = facts.profiles.get(1).cloned() else { return };
            facts.profiles.insert(0, crate::facts::PartnerProfile { from: Date::MIN, ..next });
        }
    }
}

/// The facts of a world in which the hypotheses hold; none where they change nobody among `facts`. Facts that were to be taken
/// away and are not there are noted in the tally.
pub fn apply_hypotheses(facts: &Facts, hypotheses: &[PartnerHypothesis], as_of: Date, tally: &mut Tally) -> Option<Facts> {
    let mut changed: Option<Facts> = None;
    for hypothesis in hypotheses {
        let Some(own) = facts.partners.get(&hypothesis.partner) else { continue };
        let base = changed.as_ref().and_then(|changed| changed.partners.get(&hypothesis.partner)).unwrap_or(own);
        let (own, absent) = hypothesis.apply(base, as_of);
        for id in absent {
            let message =
                format!("partner {} has no fact {} of {} that the rules look at: nothing was taken away", hypothesis.partner, id.external_id, id.source);
            tally.warn(Fault::new("UNKNOWN_FACT", "facts", message));
        }
        changed.get_or_insert_with(|| facts.clone()).partners.insert(hypothesis.partner.clone(), own);
    }
    changed
}
