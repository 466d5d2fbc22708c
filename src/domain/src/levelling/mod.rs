//! Levelling: which tier a partner has, why, what the next one asks for, and what is about to be lost.
//!
//! [`evaluate_partner`] is a pure function of program, facts, partner and date. It judges every tier of every ladder on its
//! own, finds what is granted (entry modes, parent's tier, overrides), and decides by the review policy of the version what
//! the partner holds after this evaluation. [`at_risk`] looks ahead: what fails on which day if nothing more comes in.

mod days;
mod decide;
mod going_on;
mod grace;
mod held;
mod kept;
mod loss;
mod outcome;
mod record;
mod risk;
mod schedule;
mod standing;
mod told;
mod verdict;

use serde::{Deserialize, Serialize};

use crate::date::{Date, Span};
use crate::document::ladder::{Entry, Tier};
use crate::exact::Exact;
use crate::facts::{AdmissionKind, AssignmentCause, OverrideKind, PartnerStatus};
use crate::fault::Faults;
use crate::program::Program;
use crate::requirement::{Gap, Judged, Leaf, LeafKind, LeafWords};

pub use held::{HeldOnDate, held_on};
pub use kept::{KeptLeafView, KeptStanding, KeptTierView};
pub use record::holds_admission;
pub use risk::{LadderRisk, LeafRisk, at_risk};
pub use schedule::{OwnDates, admission_months, common_review_days, gaps_told_until, has_days_of_enrollment, next_downward_reviews, own_review_days};
pub use standing::{Due, evaluate_all, evaluate_metrics, evaluate_partner};

pub(crate) use days::{ReviewDays, cadence_down, unit};
pub(crate) use going_on::going_on_since;
pub(crate) use outcome::TierOutcome;
pub(crate) use verdict::Verdict;

/// Where a partner stands: every ladder, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The partner's code.
    pub partner: String,
    /// The date; as of its end.
    pub as_of: Date,
    /// The program's code.
    pub program: String,
    /// From when the version holds that judged.
    pub version_effective_on: Date,
    /// Whether the partner takes part on the date.
    pub status: PartnerStatus,
    /// Whether it is enrolled on the date.
    pub enrolled: bool,
    /// The ladders, as the document lists them; one that is held per region once for every region.
    pub ladders: Vec<LadderStanding>,
}

impl Standing {
    /// The standing in a ladder; the main ladder when none is named.
    pub fn ladder(&self, key: Option<&str>, region: Option<&str>) -> Option<&LadderStanding> {
        self.ladders
            .iter()
            .find(|standing| key.map_or(standing.main, |key| standing.ladder == key) && (region.is_none() || standing.region.as_deref() == region))
    }
}

/// Where a partner stands in a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderStanding {
    /// The ladder.
    pub ladder: String,
    /// Whether it is the main ladder.
    pub main: bool,
    /// The region, where the ladder's scope is the partner in a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the partner is judged in this ladder at all.
    pub applies: bool,
    /// Who is judged, judged; absent where everybody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applies_to: Option<Judged>,
    /// The tier that the partner holds after this evaluation.
    pub tier: Option<String>,
    /// Its rank; 0 for none.
    pub rank: u32,
    /// The highest tier whose requirement is met, whether granted or not.
    pub qualified: Option<String>,
    /// The highest tier that is met and that the partner may enter; overrides and reviews left aside.
    pub granted: Option<String>,
    /// The tier on record on the date, before this evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<TierRecord>,
    /// Why the tier is what it is.
    pub decision: Decision,
    /// The next tier up, with what is missing; none at the top.
    pub next: Option<NextTier>,
    /// Higher tiers that are met, and that the partner may not enter yet: "qualified but not granted".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub awaiting: Vec<AwaitedEntry>,
    /// What is missing to keep the tier that is held; empty when its requirement is met. Told with a day: what is missing on that day
    /// by what is known now.
    pub keep: Gap,
    /// Every tier, lowest first, judged on its own.
    pub tiers: Vec<TierStanding>,
}

impl LadderStanding {
    /// Whether the tier is held by the partner's own merit: neither an override holds it, nor is it the parent's.
    pub fn is_own(&self) -> bool {
        self.decision.overridden.is_none() && self.decision.inherited_from.is_none()
    }

    /// Whether the evaluation took the tier up or down; neither where it is the same one.
    pub const fn direction(&self) -> std::cmp::Ordering {
        match self.decision.change {
            Change::Promoted => std::cmp::Ordering::Greater,
            Change::Entered if self.rank > 0 => std::cmp::Ordering::Greater,
            Change::Demoted => std::cmp::Ordering::Less,
            Change::Kept | Change::Entered | Change::Released | Change::Overridden => std::cmp::Ordering::Equal,
        }
    }

    /// Whether time alone may take the tier away: it, one below that must hold too, or the ladder itself asks for something, or the
    /// partner has been let in and may be no longer.
    pub fn may_fail(&self) -> bool {
        let let_in = |tier: &TierStanding| tier.rank == self.rank && admission_of(tier.entry).is_some();
        self.applies_to.is_some() || self.tiers.iter().any(|tier| (tier.rank <= self.rank && tier.requirement.is_some()) || let_in(tier))
    }
}

/// A tier, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TierStanding {
    /// The tier.
    pub tier: String,
    /// Its rank, from 1.
    pub rank: u32,
    /// Whether its requirement is met, and those of the lower tiers where the ladder asks for them.
    pub met: bool,
    /// The part of its requirement that is met, from 0 to 1.
    pub share_met: Exact,
    /// How one gets in.
    pub entry: Entry,
    /// Whether the partner may enter it: it is AUTOMATIC, or admission was given, or the tier or a higher one is on record.
    pub admitted: bool,
    /// Whether it was asked what the home region asks, which may be something else.
    #[serde(skip)]
    pub home: bool,
    /// Its requirement, judged; absent where the tier asks for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<Judged>,
}

/// A tier on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierRecord {
    /// The tier; none is a value.
    pub tier: Option<String>,
    /// Its rank; 0 for none.
    pub rank: u32,
    /// Since when.
    pub from: Date,
    /// Why it was given.
    pub cause: AssignmentCause,
}

/// The next tier up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextTier {
    /// The tier.
    pub tier: String,
    /// Its rank.
    pub rank: u32,
    /// How one gets in.
    pub entry: Entry,
    /// What is missing; told with a day: on that day, by what is known now. Empty: it is met and comes with the next review.
    pub gap: Gap,
    /// The next date on which one may go up; none where it is never, or at every evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_on: Option<Date>,
}

/// A tier that is met, and that the partner may not enter yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedEntry {
    /// The tier.
    pub tier: String,
    /// What people call it.
    #[serde(skip)]
    pub name: Option<String>,
    /// Its rank.
    pub rank: u32,
    /// How one gets in: what the partner or the vendor has to do.
    pub entry: Entry,
}

impl AwaitedEntry {
    /// What is to be done, in plain language.
    pub fn sentence(&self) -> crate::sentence::Sentence {
        let leaf = admission_leaf_of(&self.tier, self.name.as_deref(), self.entry)
            .unwrap_or_else(|| Leaf::yes_or_no(LeafWords::new(LeafKind::Admission, self.tier.clone()), false));
        leaf.sentence(None)
    }
}

/// What an evaluation did to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Change {
    /// Nothing: it is as on record.
    Kept,
    /// The first tier on record, perhaps none.
    Entered,
    /// A higher one.
    Promoted,
    /// A lower one, perhaps none.
    Demoted,
    /// The same one, which an override held until now and the rules hold from now on.
    Released,
    /// The same one, held by an override, under which the review gives another one than the last: what the override's end goes back to.
    Overridden,
}

/// Why a tier is not simply the one that is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The partner is not enrolled on the date.
    NotEnrolled,
    /// The ladder is not for this partner.
    DoesNotApply,
    /// Suspended partners are not judged; they keep what is on record.
    Suspended,
    /// The partner has left.
    Terminated,
    /// A higher tier is met, but nobody has invited, accepted or approved the partner.
    AwaitsAdmission,
    /// A higher tier is met, but it is not the day for going up.
    UpNotDue,
    /// The tier is not met, but it is not the day for going down.
    DownNotDue,
    /// More tiers up are met than one review gives.
    StepsUpLimited,
    /// Fewer tiers down than the fall would be.
    StepsDownLimited,
    /// The tier is not met; its grace period runs.
    Grace,
    /// The tier was not met until the end of its grace period.
    GraceEnded,
    /// Nobody loses a tier before the version is enforced.
    NotEnforced,
    /// Tiers held on the version's effective date are protected.
    Protected,
    /// The tier was reached so lately that it is protected.
    RecentlyReached,
    /// Newcomers are not judged downwards yet.
    Onboarding,
    /// The onboarding deadline passed without the lowest tier.
    OnboardingFailed,
    /// The parent's tier is better than the partner's own.
    Inherited,
    /// An override holds the tier.
    Overridden,
    /// An override ended; what was met counts again.
    OverrideEnded,
    /// The admission to the tier on record is over: the partner has to be let in again.
    AdmissionEnded,
}

/// Why the tier is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What changed against the record.
    pub change: Change,
    /// The cause to write down, where something changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<AssignmentCause>,
    /// Why it is not simply the tier that is met.
    pub reasons: Vec<Reason>,
    /// Whether a tier could go up on this date.
    pub due_up: bool,
    /// Whether a tier could go down on this date.
    pub due_down: bool,
    /// The next date on which the tier could go down; none where it is never, or at every evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_down_on: Option<Date>,
    /// The tier's requirement fails and its grace period runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<GraceStanding>,
    /// The override that holds the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<OverrideStanding>,
    /// Where an override holds the tier, the one that the review gives without it: what the override's end goes back to. Empty for none.
    #[serde(skip)]
    pub reviewed: Option<String>,
    /// The parent whose tier it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_from: Option<String>,
}

/// A grace period that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraceStanding {
    /// Since when.
    pub since: Date,
    /// The day on which the tier is lost.
    pub until: Date,
    /// From this day on the partner is warned.
    pub warn_from: Date,
    /// Whether being compliant on any day before cancels the loss; otherwise the last day decides.
    pub cure: bool,
}

/// An override in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideStanding {
    /// Pin, ceiling or floor.
    pub kind: OverrideKind,
    /// Its tier; none pins to no tier.
    pub tier: Option<String>,
    /// Its days.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// The admission that an entry mode asks for.
pub const fn admission_of(entry: Entry) -> Option<AdmissionKind> {
    match entry {
        Entry::Automatic => None,
        Entry::ByApproval => Some(AdmissionKind::Approval),
        Entry::ByApplication => Some(AdmissionKind::Application),
        Entry::ByInvitation => Some(AdmissionKind::Invitation),
    }
}

/// The leaf of an admission that is missing.
pub(crate) fn admission_leaf(tier: &Tier) -> Option<Leaf> {
    admission_leaf_of(&tier.key, tier.name.as_deref(), tier.entry)
}

fn admission_leaf_of(tier: &str, name: Option<&str>, entry: Entry) -> Option<Leaf> {
    let key = match admission_of(entry)? {
        AdmissionKind::Approval => "APPROVAL",
        AdmissionKind::Application => "APPLICATION",
        AdmissionKind::Invitation => "INVITATION",
    };
    Some(Leaf::yes_or_no(
        LeafWords { subject: Some(tier.to_owned()), noun: name.map(str::to_owned), ..LeafWords::new(LeafKind::Admission, key.to_owned()) },
        false,
    ))
}

/// Evaluates, in words for those who only ask for a tier: the key of the tier that the partner holds after the evaluation.
pub fn evaluate_tier(program: &Program, facts: &crate::facts::Facts, code: &str, ladder: Option<&str>, as_of: Date) -> Result<Option<String>, Faults> {
    let standing = crate::metric::Evaluator::new(program, facts).standing(code, as_of, Due::ByCalendar)?;
    Ok(standing.ladder(ladder, None).and_then(|held| held.tier.clone()))
}

#[cfg(test)]
mod held_tests;
#[cfg(test)]
mod tests;
