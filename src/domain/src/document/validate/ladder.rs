//! Ladders, tiers and the policy of their reviews.

use super::Check;
use super::window::MAX_DAYS;
use crate::date::{Date, Length};
use crate::document::ladder::{Entry, Ladder, LadderScope, ReviewDay, ReviewPolicy, Tier};
use crate::document::metric::CalendarUnit;
use crate::levelling::{cadence_down, unit};
use crate::period::FiscalYear;

/// A ladder has at most this many tiers.
const MAX_TIERS: usize = 100;
/// A month has at most so many days.
const MONTH_DAYS: u32 = 31;

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
        self.review_days(review, path);
        self.onboarding(review, path);
        self.at_least_one(review.max_steps_up.unwrap_or(1), format!("{path}.maxStepsUp"));
        self.at_least_one(review.max_steps_down.unwrap_or(1), format!("{path}.maxStepsDown"));
        if review.protected_until.is_some_and(|until| until <= self.document.version.effective_on) {
            let message = "tiers are protected from the effective date on: write a day after it";
            self.fault("EMPTY_SPAN", format!("{path}.protectedUntil"), message);
        }
    }

    fn review_days(&mut self, review: &ReviewPolicy, path: &str) {
        let ways = [("Up", unit(review.cadence_up), review.review_day_up), ("Down", unit(cadence_down(review)), review.review_day_down)];
        for (way, unit, stated) in ways {
            let path = format!("{path}.reviewDay{way}");
            match unit {
                Some(unit) => self.review_day(review, unit, stated, &path),
                None => self.out_of_place(
                    stated != ReviewDay::FIRST,
                    path,
                    format!("`cadence{way}` names no month, quarter, half or year that it could be a day of"),
                ),
            }
        }
    }

    fn review_day(&mut self, review: &ReviewPolicy, unit: CalendarUnit, stated: ReviewDay, path: &str) {
        let months = unit.months().unsigned_abs();
        if !(1..=months).contains(&stated.month) {
            let message = if months == 1 { "a monthly review has one month: write 1, or leave it out".to_owned() } else { format!("write 1 to {months}") };
            return self.fault("OUT_OF_RANGE", format!("{path}.month"), message);
        }
        let most = match review.years_from {
            None => self.longest_month(review.fiscal, unit, stated.month),
            Some(_) => MONTH_DAYS,
        };
        if !(1..=most).contains(&stated.day) {
            self.fault("OUT_OF_RANGE", format!("{path}.day"), format!("write 1 to {most}: the month never has more days"));
        }
    }

    /// How many days a month of every unit has at most, by the year of everybody.
    fn longest_month(&self, fiscal: bool, unit: CalendarUnit, month: u32) -> u32 {
        let year = if fiscal { self.document.program.fiscal_year_start.parse().unwrap_or(FiscalYear::CALENDAR) } else { FiscalYear::CALENDAR };
        let Some(leap_year) = Date::of(2024, 1, 1) else { return MONTH_DAYS };
        let starts = (0..24).map(|later| year.start_of(unit, leap_year.plus_months(later)));
        let lengths = starts.map(|start| Length::Months(month).after(start).days_since(Length::Months(month - 1).after(start)));
        lengths.max().and_then(|days| u32::try_from(days).ok()).unwrap_or(MONTH_DAYS)
    }

    fn onboarding(&mut self, review: &ReviewPolicy, path: &str) {
        let pairs = [
            ("onboardingDays", review.onboarding_days, "onboardingMonths", review.onboarding_months),
            ("onboardingDeadlineDays", review.onboarding_deadline_days, "onboardingDeadlineMonths", review.onboarding_deadline_months),
        ];
        for (in_days, days, in_months, months) in pairs {
            self.not_both(path, (in_months, months.is_some()), (in_days, days.is_some()));
            if let Some(days) = days {
                self.at_least_one(days, format!("{path}.{in_days}"));
                self.bounded(days, MAX_DAYS, &format!("{path}.{in_days}"));
            }
        }
    }
}
