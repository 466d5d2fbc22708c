//! What a partner has earned in a period, and why.

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::money::{Currency, Money as Amount};
use guerdon_domain::rebate as domain;

use super::period::DateSpan;
use crate::app::rebates::{Estimate, PeriodEstimate};
use crate::graphql::scalars::{Decimal, GqlDate, Money};

/// Sale lines that an estimate lists per schedule at most; `lineCount` says how many there are.
const LINES_MAX: usize = 100;

/// What a partner has earned in a period so far, by schedule.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateEstimate {
    /// The period's name. Where none was asked for, that of the first schedule; each schedule says its own.
    pub period: String,
    /// The number of the program version whose rules `period` is computed by: that in force on its first day.
    pub program_version: i64,
    /// Sales after this day do not count.
    pub as_of: GqlDate,
    /// The sum of all schedules that are answered, by currency.
    pub totals: Vec<Money>,
    /// One per schedule that has such a period; where none was asked for, one per schedule, in its own period that holds the date.
    pub schedules: Vec<RebateEntitlement>,
}

/// What one schedule owes for the period, and why.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateEntitlement {
    /// The schedule's key.
    pub schedule: String,
    /// The name of its period.
    pub period: String,
    /// The days of its period.
    pub span: DateSpan,
    /// The number of the program version whose rules it is computed by: that in force on the period's first day.
    pub program_version: i64,
    /// What is owed, to the minor unit.
    pub amount: Money,
    /// The figure before rounding.
    pub exact: Decimal,
    /// The tier that counts for the period as a whole. Lines name their own where the tier at each transaction's date counts.
    pub tier: Option<String>,
    /// What picked the band.
    pub qualifier: Decimal,
    /// What was paid on, before a base cap.
    pub basis: Decimal,
    /// Every step of the calculation, in order.
    pub steps: Vec<RebateStep>,
    /// The bands that earned.
    pub bands: Vec<RebateBand>,
    /// The sale lines behind it, largest amounts first; at most 100.
    pub lines: Vec<RebateLine>,
    /// How many sale lines are behind it.
    pub line_count: i64,
    /// Set aside so far: by the schedule's own accrual rate or method, else the amount.
    pub accrued: Money,
    /// The next band, target or step of growth, and what it is worth; null at the top, where each line is paid on its own, and when the schedule has ended.
    pub next_band: Option<NextBand>,
    /// What the period is worth if sales go on as they did so far; null before the first day on which the schedule is in force.
    pub forecast: Option<RebateForecast>,
}

/// What comes next, and what it is worth.
#[derive(Debug, Clone, SimpleObject)]
pub struct NextBand {
    /// Its position in the schedule, from 0.
    pub band: i32,
    /// Where it begins, in the qualifier; of a band that lies below, since a falling qualifier earns more, where it ends.
    pub from: Decimal,
    /// What is missing to it, in the qualifier; below zero where the qualifier must fall.
    pub missing: Decimal,
    /// Whether the bound itself does not belong to it, so that more than `missing` is needed.
    pub exclusive: bool,
    /// What the schedule would give on just reaching it, less what it gives now, before budgets; null where that cannot be told: others take
    /// off its lines, it loses in its group either way, or nothing was sold yet that tells what is paid on.
    pub worth: Option<Money>,
}

/// A period at its end, by run rate, before budgets.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateForecast {
    /// Days so far on which the schedule was in force.
    pub days: i64,
    /// Days of the period on which the schedule is in force.
    pub of_days: i64,
    /// The qualifier at the period's end.
    pub qualifier: Decimal,
    /// What would be earned.
    pub earned: Money,
}

/// The steps of a calculation, in the order in which they can occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::rebate::StepKind")]
pub enum RebateStepKind {
    /// The schedule is not for this partner or not in force: nothing is earned.
    NotInScope,
    /// A negative basis of earlier periods was taken off.
    CarriedBasis,
    /// What other schedules earned was taken off the basis, line by line.
    Reduced,
    /// The method on the whole basis.
    Earn,
    /// The condition of the schedule was judged.
    Condition,
    /// Only so much basis earned.
    BaseCap,
    /// Topped up to the floor.
    Floor,
    /// Cut at the cap.
    Cap,
    /// What earlier periods of the fiscal year were worth was taken off.
    Cumulative,
    /// Topped up to the guarantee.
    Guarantee,
    /// Rounded to minor units.
    Round,
    /// A small payout of earlier periods was added.
    CarriedPayout,
    /// Less than the minimum payout: forfeited or carried.
    MinimumPayout,
    /// Another schedule of the group was better.
    BestOf,
    /// Shared with all partners, since the budget did not suffice.
    Budget,
}

/// A step of a calculation.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateStep {
    /// Which one.
    pub step: RebateStepKind,
    /// The figure before it.
    pub before: Decimal,
    /// The figure after it.
    pub after: Decimal,
    /// The bound, target or baseline that it applied.
    pub bound: Option<Decimal>,
    /// A word of explanation.
    pub note: Option<String>,
}

/// What one band earned, for one tier.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateBand {
    /// Its position in the schedule, from 0; null where the method has no bands.
    pub band: Option<i32>,
    /// Its lower bound, in the qualifier.
    pub from: Option<Decimal>,
    /// Its upper bound.
    pub to: Option<Decimal>,
    /// The tier whose rate it is.
    pub tier: Option<String>,
    /// What it was paid on.
    pub base: Decimal,
    /// The rate as a fraction, or the amount of a unit or package; null for a sum.
    pub rate: Option<Decimal>,
    /// What it earned, before floor and cap.
    pub amount: Decimal,
}

/// A line of the explanation.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateLine {
    /// The source of the sale line; null for what belongs to no line (a fixed sum, a top-up, a carry).
    pub source: Option<String>,
    /// The id of the sale line in its source.
    pub external_id: Option<String>,
    /// The date on which it counts.
    pub date: Option<GqlDate>,
    /// Its category.
    pub category: Option<String>,
    /// The tier that counted for it.
    pub tier: Option<String>,
    /// What it brings in, in the schedule's currency.
    pub basis: Decimal,
    /// The exchange rate, where its currency was another.
    pub exchange_rate: Option<Decimal>,
    /// The date of that rate.
    pub exchange_rate_date: Option<GqlDate>,
    /// Its part, before rounding.
    pub exact: Decimal,
    /// Its part, to the minor unit. The parts of all lines sum to the amount.
    pub amount: Money,
}

impl RebateEstimate {
    /// The answer for one partner; none where nothing was computed.
    pub fn of(estimate: &Estimate) -> Option<Self> {
        let first = estimate.periods.first()?;
        let entitlements = || estimate.periods.iter().flat_map(|period| &period.result.entitlements);
        let mut currencies: Vec<Currency> = entitlements().map(|one| one.currency).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let total = |currency: Currency| estimate.periods.iter().fold(0_i64, |sum, period| sum.saturating_add(period.result.total(currency)));
        let of_period = |period: &PeriodEstimate| period.result.entitlements.iter().map(|one| RebateEntitlement::of(one, period)).collect::<Vec<_>>();
        Some(Self {
            period: first.result.period.clone(),
            program_version: first.version,
            as_of: estimate.as_of.into(),
            totals: currencies.into_iter().map(|currency| Amount::new(total(currency), currency).into()).collect(),
            schedules: estimate.periods.iter().flat_map(of_period).collect(),
        })
    }
}

impl RebateEntitlement {
    fn of(one: &domain::Entitlement, estimate: &PeriodEstimate) -> Self {
        let mut lines: Vec<&domain::StatementLine> = one.lines.iter().collect();
        let outlook = estimate.outlook(&one.schedule);
        lines.sort_by(|left, right| right.amount.minor.abs().cmp(&left.amount.minor.abs()).then_with(|| left.id.cmp(&right.id)));
        Self {
            schedule: one.schedule.clone(),
            period: estimate.result.period.clone(),
            span: one.span.into(),
            program_version: estimate.version,
            amount: one.amount.into(),
            exact: Decimal::of(&one.exact),
            tier: one.tier.clone(),
            qualifier: Decimal::of(&one.qualifier),
            basis: Decimal::of(&one.basis),
            steps: one.steps.iter().map(Into::into).collect(),
            bands: one.bands.iter().map(Into::into).collect(),
            line_count: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            lines: lines.into_iter().take(LINES_MAX).map(Into::into).collect(),
            accrued: outlook.map_or(one.amount, |outlook| outlook.accrued).into(),
            next_band: outlook.and_then(|outlook| outlook.next_band.as_ref()).map(Into::into),
            forecast: outlook.and_then(|outlook| outlook.forecast.as_ref()).map(Into::into),
        }
    }
}

impl From<&domain::NextBand> for NextBand {
    fn from(next: &domain::NextBand) -> Self {
        Self {
            band: i32::try_from(next.band).unwrap_or(i32::MAX),
            from: Decimal::of(&next.from),
            missing: Decimal::of(&next.missing),
            exclusive: next.exclusive,
            worth: next.worth.map(Into::into),
        }
    }
}

impl From<&domain::Forecast> for RebateForecast {
    fn from(forecast: &domain::Forecast) -> Self {
        Self { days: forecast.days, of_days: forecast.of_days, qualifier: Decimal::of(&forecast.qualifier), earned: forecast.earned.into() }
    }
}

impl From<&domain::Step> for RebateStep {
    fn from(step: &domain::Step) -> Self {
        Self {
            step: step.step.into(),
            before: Decimal::of(&step.before),
            after: Decimal::of(&step.after),
            bound: step.bound.as_ref().map(Decimal::of),
            note: step.note.clone(),
        }
    }
}

impl From<&domain::BandShare> for RebateBand {
    fn from(band: &domain::BandShare) -> Self {
        Self {
            band: band.band.and_then(|at| i32::try_from(at).ok()),
            from: band.from.as_ref().map(Decimal::of),
            to: band.to.as_ref().map(Decimal::of),
            tier: band.tier.clone(),
            base: Decimal::of(&band.base),
            rate: band.rate.as_ref().map(Decimal::of),
            amount: Decimal::of(&band.amount),
        }
    }
}

impl From<&domain::StatementLine> for RebateLine {
    fn from(line: &domain::StatementLine) -> Self {
        Self {
            source: line.source.clone(),
            external_id: line.id.clone(),
            date: line.date.map(GqlDate),
            category: line.category.clone(),
            tier: line.tier.clone(),
            basis: Decimal::of(&line.basis),
            exchange_rate: line.exchange_rate.as_ref().map(Decimal::of),
            exchange_rate_date: line.exchange_rate_date.map(GqlDate),
            exact: Decimal::of(&line.exact),
            amount: line.amount.into(),
        }
    }
}
