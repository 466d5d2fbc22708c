//! What-if: what would change if the rules, or what partners did, were different. Nothing is stored; everything is compared.
//!
//! Two worlds are judged in the same way: *before*, the version in force over the facts as they are; *after*, the hypothesis.
//! So a hypothesis without a change has no difference, and one with a change shows what publishing it and holding a review on
//! that day would do. What is decided here:
//!
//! - **A review on the day.** Both worlds are judged as a review of the date judges them, with the tiers on record as they are:
//!   overrides, grace, protection, steps and admissions hold. [`Judging`] says whether a review is due on that day whatever the
//!   policy's calendar says (the default), or by the calendar, or whether only the rules count and no policy at all.
//! - **From when the rules hold.** A version that takes effect later is judged as if it took effect, and were enforced, on the
//!   date. The version in force with changes is judged as if the changes took effect on the date. Where no rule of levelling is
//!   different, tiers are not judged anew: a new rate moves nobody.
//! - **Rebates of periods** are computed by the tiers on record; whoever the simulation moves is taken to hold the new tier
//!   throughout the period, unless [`RebateTiers::OnRecord`] is asked for. The figure before is always the real one. The version of
//!   a period is the one in force on its first day (semantics 5).
//! - **Benefits** are resolved with the tiers of each world.
//!
//! A set of partners is judged in parts, each part gives a [`Tally`], and tallies add up in any order to the same.

mod benefits;
mod delta;
pub mod facts;
mod judge;
mod near;
mod rebates;
mod report;
mod rules;
mod tally;
mod why;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::exact::Exact;
use crate::levelling::Due;
use crate::period::Period;
use crate::program::Program;
use crate::rebate::batch::SumColumn;

use delta::Delta;
pub(crate) use delta::levelling_differs;
pub use facts::PartnerHypothesis;
pub use judge::Asked;
pub use report::{BenefitCount, Failed, LadderTiers, MatrixCell, NearCount, RebateSum, Report};
pub use rules::{Hypothesis, RulesInForce, hypothetical};
pub use tally::{BenefitMove, Tally, Unsummed};

/// How both worlds are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Judging {
    /// As a review on the date, called by hand: due in both directions. Grace, protection and steps hold.
    #[default]
    Review,
    /// As a review on the date, if the policy's calendar has one on it.
    ReviewByCalendar,
    /// By the rules alone: what is met, admitted, inherited or overridden, without any policy of reviews. Shows where a change
    /// leads in the end.
    RulesAlone,
}

impl Judging {
    const fn due(self) -> Due {
        match self {
            Self::Review | Self::RulesAlone => Due::Now,
            Self::ReviewByCalendar => Due::ByCalendar,
        }
    }
}

/// Which tiers count for rebates after the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RebateTiers {
    /// Those on record; of partners that the simulation moves the new tier, throughout the period.
    #[default]
    AsMoved,
    /// Those on record.
    OnRecord,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The date; as of its end.
    pub as_of: Date,
    /// How both worlds are judged.
    pub judging: Judging,
    /// Partners are near a threshold whose gap, or whose margin, is at most this fraction of what is required.
    pub near: Exact,
    /// Whether benefits are compared.
    pub benefits: bool,
    /// Which tiers count for rebates after the change.
    pub rebate_tiers: RebateTiers,
    /// Whether partners without a tier on record are levelled for rebates: an evaluation without a database.
    pub level_for_rebates: bool,
    /// So many moves, near partners, benefit changes, rebate changes and failures are listed at most. Counts and sums are of all.
    pub listed: usize,
}

impl Terms {
    /// A review on a date; partners within a tenth of a threshold are near.
    pub fn on(as_of: Date) -> Self {
        let tenth = Exact::scaled(1, 1);
        Self { as_of, judging: Judging::default(), near: tenth, benefits: true, rebate_tiers: RebateTiers::default(), level_for_rebates: false, listed: 10_000 }
    }
}

/// A period whose rebates are compared: the version that computes it in each world, and its days by that version. None where a
/// world has no such period.
#[derive(Debug, Clone)]
pub struct RebatePeriod {
    /// Its name.
    pub name: String,
    /// In reality.
    pub before: Option<(Arc<Program>, Period)>,
    /// By the hypothesis.
    pub after: Option<(Arc<Program>, Period)>,
}

impl RebatePeriod {
    /// The period of that name of both versions; none where neither has it. The rules of the hypothesis count since those of reality do,
    /// so that earlier periods hand on, and are taken off, alike.
    pub fn named(name: &str, before: &Arc<Program>, after: &Arc<Program>) -> Option<Self> {
        let of = |program: &Arc<Program>| program.period_named(name).map(|period| (Arc::clone(program), period));
        let goes_on = before.handover().is_some() || after.begun() != before.begun();
        let together = Arc::ptr_eq(before, after) || (after.effective_on() == before.effective_on() && !goes_on);
        let after = if together { Arc::clone(after) } else { Arc::new(after.in_place_of(before)) };
        let (before, after) = (of(before), of(&after));
        (before.is_some() || after.is_some()).then(|| Self { name: name.to_owned(), before, after })
    }
}

/// Two worlds, ready to be compared.
#[derive(Debug)]
pub struct Simulation {
    terms: Terms,
    before: Arc<Program>,
    after: Arc<Program>,
    periods: Vec<RebatePeriod>,
    delta: Delta,
    columns: Option<Vec<SumColumn>>,
}

impl Simulation {
    /// Reality and a hypothesis, and what is asked about them.
    pub fn new(terms: Terms, rules: &Hypothesis, periods: Vec<RebatePeriod>) -> Self {
        let (before, after) = (Arc::clone(&rules.before), Arc::clone(&rules.after));
        let delta = Delta::between(&before, &after, terms.as_of);
        let columns = rebates::columns(&terms, &periods);
        Self { terms, before, after, periods, delta, columns }
    }

    /// The sums from which all rebates of the periods are computed, in both worlds; none where some schedule has to see lines, or a period
    /// is not over on the date.
    pub fn rebate_columns(&self) -> Option<&[SumColumn]> {
        self.columns.as_deref()
    }

    /// What is asked.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The rules as they are.
    pub const fn before(&self) -> &Arc<Program> {
        &self.before
    }

    /// The rules of the hypothesis.
    pub const fn after(&self) -> &Arc<Program> {
        &self.after
    }

    /// The periods whose rebates are compared.
    pub fn periods(&self) -> &[RebatePeriod] {
        &self.periods
    }

    /// Whether some schedule of a period shares a budget, so that every partner's rebate depends on all others'.
    pub fn shares_budgets(&self) -> bool {
        let budget = |side: &Option<(Arc<Program>, Period)>| {
            side.as_ref().is_some_and(|(program, _)| program.document.rebate_schedules.iter().any(|schedule| schedule.budget.is_some()))
        };
        self.periods.iter().any(|period| budget(&period.before) || budget(&period.after))
    }
}

/// Which way a partner moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// To a higher tier.
    Up,
    /// To a lower one, perhaps none.
    Down,
    /// To another one of the same rank: the ladder itself is different.
    Aside,
}

/// A partner that holds another tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// The partner's code.
    pub partner: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The tier before.
    pub from: Option<String>,
    /// The tier after.
    pub to: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// The tier on record.
    pub on_record: Option<String>,
    /// The conditions whose verdict is another one, of the tiers between the two.
    pub leaves: Vec<LeafChange>,
    /// What the policy of reviews does after and did not do before.
    pub reasons: Vec<crate::levelling::Reason>,
    /// What it did before and does no more.
    pub reasons_gone: Vec<crate::levelling::Reason>,
    /// Why, in one line.
    pub text: String,
}

/// A condition whose verdict is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafChange {
    /// The tier that asks for it.
    pub tier: String,
    /// Its key: the metric's, or what else it is known by.
    pub key: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The group of the enclosing FOR_EACH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Before; none where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<LeafState>,
    /// After; none where it is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<LeafState>,
    /// In plain language: as it is after, or as it was where it is not asked any more.
    pub sentence: String,
}

/// A condition in one of the worlds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafState {
    /// Whether it is met.
    pub met: bool,
    /// What is required.
    pub required: Option<Exact>,
    /// What there is.
    pub actual: Option<Exact>,
}

/// On which side of a threshold a partner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Side {
    /// It just misses the next tier.
    Below,
    /// It just holds its tier.
    Above,
}

/// A partner near a threshold, after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Near {
    /// The partner's code.
    pub partner: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The tier that it misses, or just holds.
    pub tier: String,
    /// Which.
    pub side: Side,
    /// The largest part of a requirement that is missing on the nearest way, or the smallest that it is more than met by.
    pub distance: Exact,
    /// The part of the tier's requirement that is met, from 0 to 1.
    pub share_met: Exact,
    /// What is missing, in plain language; of a tier that is held, nothing.
    pub missing: Vec<String>,
}

/// What happens to a benefit of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BenefitChangeKind {
    /// It is given and was not.
    Gained,
    /// It was given and is not.
    Lost,
    /// Its value is another one.
    Changed,
}

/// What a schedule gives a partner for a period, in both worlds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebateMove {
    /// The partner's code.
    pub partner: String,
    /// The period.
    pub period: String,
    /// The schedule.
    pub schedule: String,
    /// Before.
    pub before: crate::money::Money,
    /// After, in the same currency.
    pub after: crate::money::Money,
}

#[cfg(test)]
mod tests;
