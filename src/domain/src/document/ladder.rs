//! Ladders, tiers and the policy of their reviews.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::Requirement;
use crate::date::{Date, Length};

/// An ordered list of tiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ladder {
    /// Its key, unique among the ladders.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// Whether it is the program's main ladder. Exactly one is; a single ladder is it without saying so.
    #[serde(default)]
    pub main: bool,
    /// One tier per partner, or one per partner and region.
    #[serde(default)]
    pub scope: LadderScope,
    /// Whether a tier also asks for the requirements of all lower tiers. Default: every tier is judged on its own.
    #[serde(default)]
    pub lower_tiers_must_hold: bool,
    /// Whether a partner may have the best of its own and its parent's tier.
    #[serde(default)]
    pub inherits_from_parent: bool,
    /// Who is judged at all: others hold no tier of this ladder.
    pub applies_to: Option<Requirement>,
    /// How and when tiers are reviewed.
    #[serde(default)]
    pub review: ReviewPolicy,
    /// The tiers, lowest first: their position is their rank, from 1.
    pub tiers: Vec<Tier>,
}

/// What a tier of a ladder is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LadderScope {
    /// The partner.
    #[default]
    Partner,
    /// The partner in a region: several tiers at once.
    PartnerInRegion,
}

/// A step of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// Its key, unique within the ladder.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// What it asks for. Nothing: whoever is enrolled meets it.
    pub requirement: Option<Requirement>,
    /// How one gets in.
    #[serde(default)]
    pub entry: Entry,
    /// When an admission ends by itself; without it an admission holds until somebody ends it. Only for a tier that is not entered
    /// automatically.
    pub admission: Option<AdmissionTerms>,
    /// Another policy than the ladder's for this tier.
    pub review: Option<ReviewPolicy>,
    /// In the partner's home region (its own, and those that hold it) another requirement holds (ladders of a partner in a region).
    pub home_region_requirement: Option<Requirement>,
}

/// When an approval, an accepted application or an accepted invitation ends by itself. The partner then has to be let in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmissionTerms {
    /// So many months after it was given.
    pub valid_months: Option<u32>,
    /// On the day on which a review takes the tier away. Default: whoever lost the tier comes back as soon as it is met again.
    #[serde(default)]
    pub until_lost: bool,
}

/// How a partner that meets the requirement gets the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Entry {
    /// At once, at the next review.
    #[default]
    Automatic,
    /// When somebody at the vendor approves.
    ByApproval,
    /// When the partner applies and is accepted.
    ByApplication,
    /// When the vendor invites.
    ByInvitation,
}

/// When tiers are decided, and how gently they are lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewPolicy {
    /// How often a partner may go up.
    #[serde(default)]
    pub cadence_up: Cadence,
    /// How often a partner may go down.
    #[serde(default)]
    pub cadence_down: Cadence,
    /// On which day of its month, quarter, half or year the review under `cadenceUp` falls. Default: the first.
    #[serde(default)]
    pub review_day_up: ReviewDay,
    /// On which day of its month, quarter, half or year the review under `cadenceDown` falls. Default: the first.
    #[serde(default)]
    pub review_day_down: ReviewDay,
    /// Reviews by the program's fiscal year instead of the calendar's.
    #[serde(default)]
    pub fiscal: bool,
    /// Reviews by a year of the partner's own instead of one for all.
    pub years_from: Option<ReviewYears>,
    /// Time to become compliant again before a tier is lost.
    pub grace: Option<Grace>,
    /// At most so many tiers up a review.
    pub max_steps_up: Option<u32>,
    /// At most so many tiers down a review.
    pub max_steps_down: Option<u32>,
    /// A tier reached is kept until the next downward review, even under a continuous cadence.
    #[serde(default)]
    pub ratchet: bool,
    /// A newcomer is not judged downwards for so many months from enrollment. The onboarding deadline is not put off by them.
    pub onboarding_months: Option<u32>,
    /// The same in days, instead of `onboardingMonths`.
    pub onboarding_days: Option<u32>,
    /// So many months after enrollment some tier of the ladder must be met, or the partner falls out of it on that day, whatever the
    /// cadence and grace; not before the version is enforced, nor while it protects the tier. Until then it holds the lowest tier without
    /// meeting it. Whoever has a tier on record on the day or later has passed it for good, also by another version: the reviews decide.
    pub onboarding_deadline_months: Option<u32>,
    /// The same in days, instead of `onboardingDeadlineMonths`: 90 is the day 90 days after the day of enrollment.
    pub onboarding_deadline_days: Option<u32>,
    /// Tiers held on the version's effective date are protected until this day, exclusive.
    pub protected_until: Option<Date>,
    /// For so many months after it was reached, a tier is not lost.
    pub protection_months: Option<u32>,
}

impl ReviewPolicy {
    /// For how long from enrollment a newcomer is not judged downwards.
    pub const fn onboarding(&self) -> Option<Length> {
        Length::stated(self.onboarding_days, self.onboarding_months)
    }

    /// How long after enrollment some tier of the ladder must be met.
    pub const fn onboarding_deadline(&self) -> Option<Length> {
        Length::stated(self.onboarding_deadline_days, self.onboarding_deadline_months)
    }
}

/// A day of a month, quarter, half or year: 15 February of a calendar year is day 15 of month 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReviewDay {
    /// Its month, 1 for the first: up to 3 in a quarter, 6 in a half, 12 in a year.
    pub month: u32,
    /// Its day in that month, 1 for the first. Where the month is too short it is its last day: of
    /// a monthly review 31 is the last day of every month. A day that its month never has is refused.
    pub day: u32,
}

impl ReviewDay {
    /// The first day of the unit.
    pub const FIRST: Self = Self { month: 1, day: 1 };

    /// The day in the unit that begins on `start`.
    #[must_use]
    pub fn in_unit(self, start: Date) -> Date {
        let first = Length::Months(self.month.saturating_sub(1)).after(start);
        let last = Length::Months(self.month).after(start).plus_days(-1);
        Length::Days(self.day.saturating_sub(1)).after(first).min(last)
    }
}

impl Default for ReviewDay {
    fn default() -> Self {
        Self::FIRST
    }
}

/// A year of the partner's own, whose quarters and halves are counted from its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewYears {
    /// From the day of its enrollment (from the 28th, for one who enrolled later in a month): a MONTHLY review falls on that day of every month, where no
    /// other review day is stated.
    Enrollment,
    /// From the first day of the quarter in which it first reached the tier or a higher one: of the calendar's quarter, or of the
    /// fiscal one. For a tier that it never held, as without this.
    FirstReached,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cadence {
    /// At every evaluation.
    #[default]
    Continuous,
    /// Once a day.
    Daily,
    /// Once a month: on its first day where no other review day is stated.
    Monthly,
    /// Once a quarter: on its first day where no other review day is stated.
    Quarterly,
    /// Once a half year: on its first day where no other review day is stated.
    SemiAnnual,
    /// Once a year: on its first day where no other review day is stated.
    Annual,
    /// Never by itself.
    Never,
}

/// A grace or cure period. Exactly one of `days`, `months`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grace {
    /// Days.
    pub days: Option<u32>,
    /// Months.
    pub months: Option<u32>,
    /// Being compliant on any day of it cancels the loss (cure); without it the end of the period decides.
    #[serde(default)]
    pub cure: bool,
    /// Warn so many days before the tier is lost. Default, and where the period is shorter: at once.
    pub warn_days_before: Option<u32>,
}
