//! Ladders, tiers and the policy of their reviews.

use super::Check;
use crate::document::ladder::{Entry, Ladder, LadderScope, ReviewPolicy, Tier};

/// A ladder has at most this many tiers.
const MAX_TIERS: usize = 100;

impl Check<'_> {
    /// All ladders.
    pub(super) fn ladders(&mut self) {
        let document = self.document;
        let mains: Vec<usize> = (0..).zip(&document.ladders).filter(|(_, ladder)| ladder.main).map(|(at, _)| at).collect();
        match mains.as_slice() {
            [] if document.ladders.len() > 1 => self.fault("NO_MAIN_LADDER", "ladders", "of several ladders one is the main one: write `main: true` on it"),
            [_, rest @ ..] => {
                for at in rest {
                    self.fault("TWO_MAIN_LADDERS", format!("ladders[{at}].main"), "only one ladder is the main one: leave this out");
                }
            }
            [] => {}
        }
        for (at, ladder) in document.ladders.iter().enumerate() {
            self.ladder(ladder, &format!("ladders[{at}]"));
        }
    }

    fn ladder(&mut self, ladder: &Ladder, path: &str) {
        self.text(ladder.name.as_deref(), format!("{path}.name"));
        self.not_empty(&ladder.tiers, format!("{path}.tiers"), "tier");
        if ladder.tiers.len() > MAX_TIERS {
            self.fault("TOO_MANY", format!("{path}.tiers"), format!("a ladder has at most {MAX_TIERS} tiers"));
        }
        let keys: Vec<(&str, String)> = (0_usize..).zip(&ladder.tiers).map(|(at, tier)| (tier.key.as_str(), format!("{path}.tiers[{at}]"))).collect();
        self.unique("tier", &keys);
        self.requirement_if(ladder.applies_to.as_ref(), &format!("{path}.appliesTo"));
        self.regional(ladder, path);
        self.review(&ladder.review, &format!("{path}.review"));
        for (at, tier) in ladder.tiers.iter().enumerate() {
            self.tier(tier, ladder.scope, &format!("{path}.tiers[{at}]"));
        }
    }

    fn tier(&mut self, tier: &Tier, scope: LadderScope, path: &str) {
        self.text(tier.name.as_deref(), format!("{path}.name"));
        if tier.key.eq_ignore_ascii_case("NONE") {
            self.fault("INVALID_KEY", format!("{path}.key"), "NONE stands for no tier at all: choose another key");
        }
        self.requirement_if(tier.requirement.as_ref(), &format!("{path}.requirement"));
        self.requirement_if(tier.home_region_requirement.as_ref(), &format!("{path}.homeRegionRequirement"));
        let misplaced = tier.home_region_requirement.is_some() && scope == LadderScope::Partner;
        self.out_of_place(misplaced, format!("{path}.homeRegionRequirement"), "it is for ladders of scope PARTNER_IN_REGION");
        if let Some(review) = &tier.review {
            self.review(review, &format!("{path}.review"));
        }
        if let Some(terms) = &tier.admission {
            let path = format!("{path}.admission");
            self.out_of_place(tier.entry == Entry::Automatic, &path, "it is for tiers that are entered by application, invitation or approval");
            self.at_least_one(terms.valid_months.unwrap_or(1), format!("{path}.validMonths"));
            if terms.valid_months.is_none() && !terms.until_lost {
                self.fault("EMPTY", path, "say when an admission ends: `validMonths`, `untilLost` or both; or leave this out");
            }
        }
    }

    fn review(&mut self, review: &ReviewPolicy, path: &str) {
        if let Some(grace) = &review.grace {
            let path = format!("{path}.grace");
            self.exactly_one(&path, &[("days", grace.days.is_some()), ("months", grace.months.is_some())]);
            self.at_least_one(grace.days.unwrap_or(1), format!("{path}.days"));
            self.at_least_one(grace.months.unwrap_or(1), format!("{path}.months"));
        }
        self.at_least_one(review.max_steps_up.unwrap_or(1), format!("{path}.maxStepsUp"));
        self.at_least_one(review.max_steps_down.unwrap_or(1), format!("{path}.maxStepsDown"));
        if review.protected_until.is_some_and(|until| until <= self.document.version.effective_on) {
            let message = "tiers are protected from the effective date on: write a day after it";
            self.fault("EMPTY_SPAN", format!("{path}.protectedUntil"), message);
        }
    }
}
