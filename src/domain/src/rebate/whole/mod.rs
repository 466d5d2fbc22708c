//! Figures on whole numbers: what a run over many partners computes with.
//!
//! A schedule whose rules are sums, rates and bounds is compiled once per version and tier. What is paid on is counted in
//! 10^-10, a rate or amount of a unit in 10^-10, an earning in 10^-20: wide enough for every figure that such a rule can give, so
//! that nothing is rounded before the one named rounding. What this way cannot express (a division before the rounding, a figure
//! that does not fit) it leaves to exact fractions. The law is that both give the same entitlement, step by step.

mod compile;
mod earn;
mod explain;

use crate::document::rebate::{Basis, RebateSchedule};
use crate::money::{Currency, Money};
use crate::period::Period;
use crate::program::Program;
use crate::rounding::RoundingMode;

use super::line::{basis_of, currency_of};
use super::result::Entitlement;

/// Decimals of what is paid on, of edges, and of rates.
const PLACES: u32 = 10;
/// Decimals of what is earned.
const EARNED_PLACES: u32 = 2 * PLACES;

/// The sums of a partner's lines in the scope of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Signed amounts, in minor units of the schedule's currency.
    pub amount: i128,
    /// Signed quantities, in 10^-6.
    pub quantity: i128,
    /// How many lines.
    pub lines: u64,
}

impl Sums {
    /// With those of further lines; none when the figure does not fit.
    #[must_use]
    pub fn with(self, other: Self) -> Option<Self> {
        Some(Self {
            amount: self.amount.checked_add(other.amount)?,
            quantity: self.quantity.checked_add(other.quantity)?,
            lines: self.lines.checked_add(other.lines)?,
        })
    }
}

/// A part of an earning: what a band, or the method as a whole, pays for one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    /// The band's position in the schedule; none where the method has no bands.
    band: Option<usize>,
    /// What it was paid on, in 10^-10.
    base: i128,
    /// In 10^-10; none for a sum.
    rate: Option<i128>,
    /// In 10^-20.
    amount: i128,
}

/// A bound that was applied: the figure after it, and the bound, both in 10^-20.
type Bounded = Option<(i128, i128)>;

/// What a schedule gives one partner, on whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Who is out of scope earns nothing.
    in_scope: bool,
    /// What picks the band and what is paid on, in 10^-10.
    qualifier: i128,
    basis: i128,
    negative: bool,
    /// In 10^-20: by the method, under the base cap (with its bound in 10^-10), floored, capped, guaranteed.
    earned: i128,
    base_capped: Bounded,
    floored: Bounded,
    capped: Bounded,
    guaranteed: Bounded,
    exact: i128,
    rounded: i64,
    minimum: Option<i128>,
    amount: i64,
    shares: Vec<Share>,
}

impl Outcome {
    /// What is owed, in minor units.
    pub const fn amount(&self) -> i64 {
        self.amount
    }

    /// Whether the schedule is for this partner.
    pub const fn in_scope(&self) -> bool {
        self.in_scope
    }
}

/// A schedule compiled for a period.
#[derive(Debug, Clone)]
pub struct Compiled<'p> {
    schedule: &'p RebateSchedule,
    period: Period,
    currency: Currency,
    mode: RoundingMode,
    /// Whether it holds on any day of the period.
    in_force: bool,
    on_quantity: bool,
    by_quantity: bool,
    /// Rules for tiers that the schedule names, by their keys, and for all others.
    named: Vec<(&'p str, compile::Rules)>,
    others: compile::Rules,
}

impl<'p> Compiled<'p> {
    /// Compiles a schedule for its own days of a period; none where it has to be computed with fractions. Ask
    /// [`super::needs_lines`] first: what it names is not looked at here.
    pub fn new(program: &'p Program, schedule: &'p RebateSchedule, period: &Period) -> Option<Self> {
        let basis = basis_of(schedule);
        let qualifier = schedule.qualifier.as_ref().unwrap_or(basis);
        let tiers = super::tiered::named_tiers(schedule);
        let force = schedule.in_force();
        let rules = |tier: Option<&str>| compile::rules(schedule, tier);
        Some(Self {
            schedule,
            period: period.clone(),
            currency: currency_of(program, schedule),
            mode: schedule.rounding.mode,
            in_force: !period.span.intersect(force).is_empty(),
            on_quantity: *basis == Basis::Quantity,
            by_quantity: *qualifier == Basis::Quantity,
            named: tiers.into_iter().map(|tier| Some((tier, rules(Some(tier))?))).collect::<Option<_>>()?,
            others: rules(None)?,
        })
    }

    /// The schedule.
    pub const fn schedule(&self) -> &'p RebateSchedule {
        self.schedule
    }

    /// The currency that it computes in.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    fn rules(&self, tier: Option<&str>) -> &compile::Rules {
        let named = tier.and_then(|tier| self.named.iter().find(|(own, _)| *own == tier));
        named.map_or(&self.others, |(_, rules)| rules)
    }

    /// What the schedule gives a partner with these sums who holds this tier; none when a figure does not fit, or a division comes
    /// before the rounding: then fractions decide.
    pub fn outcome(&self, tier: Option<&str>, sums: &Sums) -> Option<Outcome> {
        earn::outcome(self, self.rules(tier), sums)
    }

    /// What it gives a partner who takes no part in the program.
    pub(super) fn outside(&self, sums: &Sums) -> Option<Outcome> {
        earn::outcome(self, &compile::Rules { in_scope: false, ..self.others.clone() }, sums)
    }

    /// The outcome with every step, as the engine of fractions gives it. It has no lines: those are read where they are asked for.
    pub fn explain(&self, tier: Option<&str>, outcome: &Outcome) -> Entitlement {
        explain::entitlement(self, tier, outcome)
    }

    /// An amount in the schedule's currency.
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }
}
