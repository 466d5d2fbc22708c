//! An open period, looked at on a day: earned so far, the next band and what reaching it is worth, what a hypothetical order would
//! add, what has accrued, and where the period is heading.

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::rebate::{Basis, Flat, Grain, Method, RebateSchedule};
use crate::exact::{Exact, Overflow};
use crate::exchange::ExchangeRates;
use crate::facts::{Facts, Transaction};
use crate::fault::Faults;
use crate::money::{Currency, Money};
use crate::period::Period;
use crate::program::Program;

use super::entitle::{Carry, Terms, entitle};
use super::figure::{Asked, Figure, Purpose};
use super::line::{Knowledge, Line, basis_of, currency_of, out_of_range};
use super::result::{PeriodResult, amount_text};
use super::{Calculation, TierSource, compute_as_known, schedules_of};

/// An open period of one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// The schedule.
    pub schedule: String,
    /// The period's name.
    pub period: String,
    /// The day on which it is looked at.
    pub as_of: Date,
    /// The currency.
    pub currency: Currency,
    /// The tier that counts as of the day.
    pub tier: Option<String>,
    /// What picks the band, so far.
    pub qualifier: Exact,
    /// What is paid on, so far.
    pub basis: Exact,
    /// Earned so far: what the period would be worth if nothing came in any more.
    #[serde(serialize_with = "amount_text")]
    pub earned: Money,
    /// Set aside so far: by the schedule's own accrual rate or method, else what was earned.
    #[serde(serialize_with = "amount_text")]
    pub accrued: Money,
    /// The next band, target or step of growth; none at the top, and where each line is paid on its own.
    pub next_band: Option<NextBand>,
    /// What the hypothetical order would add, with stacking; none where none was given.
    pub hypothetical: Option<Hypothetical>,
    /// What the period is worth if sales go on as they did so far; none before its first day.
    pub forecast: Option<Forecast>,
}

/// What comes next, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextBand {
    /// Its position in the schedule, from 0.
    pub band: usize,
    /// Where it starts.
    pub from: Exact,
    /// How much of the qualifier is missing.
    pub missing: Exact,
    /// The bound itself belongs to the band below: more than `missing` is needed.
    pub exclusive: bool,
    /// What would be earned on just reaching it, less what is earned now.
    #[serde(serialize_with = "amount_text")]
    pub worth: Money,
}

/// A period with a hypothetical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hypothetical {
    /// What would be earned with it.
    #[serde(serialize_with = "amount_text")]
    pub earned: Money,
    /// What it would add.
    #[serde(serialize_with = "amount_text")]
    pub adds: Money,
}

/// A period at its end, by run rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Days so far, the day included.
    pub days: i64,
    /// Days of the period.
    pub of_days: i64,
    /// The qualifier at the period's end.
    pub qualifier: Exact,
    /// What would be earned.
    #[serde(serialize_with = "amount_text")]
    pub earned: Money,
}

/// Estimates of all schedules of a period as of a day. `hypothetical` lines count on that day at the latest, and only if they are dated
/// in the period; a tier that sales would change is taken as it stands.
pub fn estimate(
    program: &Program,
    facts: &Facts,
    partner: &str,
    period: &Period,
    as_of: Date,
    hypothetical: &[Transaction],
    tiers: &dyn TierSource,
) -> Result<Vec<Estimate>, Faults> {
    let knowledge = Knowledge { as_of: Some(as_of), ..Knowledge::default() };
    let now = compute_as_known(program, facts, partner, period, &knowledge, tiers)?;
    let supposed = if hypothetical.is_empty() { None } else { Some(suppose(program, facts, partner, period, &knowledge, hypothetical, tiers)?) };
    let Some(own) = facts.partners.get(partner) else { return Ok(Vec::new()) };
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let schedules = schedules_of(program, &period.name);
    let accruals: Vec<Option<Method>> = schedules.iter().map(|(schedule, _)| accrual_method(schedule)).collect();
    let calculation = Calculation::new(program, facts, own, &rates, &knowledge, tiers);
    let mut estimates = Vec::with_capacity(schedules.len());
    for ((schedule, period), accrual) in schedules.iter().zip(&accruals) {
        let mut estimate = calculation.estimate_one(schedule, period, as_of, accrual.as_ref())?;
        let earned = |result: &PeriodResult| result.of(&schedule.key).map_or(0, |entitlement| entitlement.amount.minor);
        let in_all = |minor: i64| Money::new(minor, estimate.currency);
        estimate.hypothetical =
            supposed.as_ref().map(|supposed| Hypothetical { earned: in_all(earned(supposed)), adds: in_all(earned(supposed) - earned(&now)) });
        if accrual.is_none() {
            estimate.accrued = in_all(earned(&now));
        }
        estimate.earned = in_all(earned(&now));
        estimates.push(estimate);
    }
    Ok(estimates)
}

/// What is set aside for an open period as of a day, by schedule: by the schedule's own accrual rate or method, else what was
/// earned. Budgets are not applied, since they are shared over all partners when the period is over.
pub fn accruals(program: &Program, facts: &Facts, partner: &str, period: &Period, as_of: Date, tiers: &dyn TierSource) -> Result<Vec<(String, Money)>, Faults> {
    let knowledge = Knowledge { as_of: Some(as_of), ..Knowledge::default() };
    let Some(own) = facts.partners.get(partner) else { return Ok(Vec::new()) };
    let earned = super::compute_unbudgeted(program, facts, &[partner.to_owned()], period, &knowledge, tiers).into_iter().next().transpose()?;
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let schedules = schedules_of(program, &period.name);
    let methods: Vec<Option<Method>> = schedules.iter().map(|(schedule, _)| accrual_method(schedule)).collect();
    let calculation = Calculation::new(program, facts, own, &rates, &knowledge, tiers);
    let mut all = Vec::with_capacity(schedules.len());
    for ((schedule, period), method) in schedules.iter().zip(&methods) {
        let currency = currency_of(program, schedule);
        let minor = match method {
            Some(method) => {
                let exact = calculation.accrued(schedule, method, period)?;
                schedule.rounding.mode.round_scaled(&exact, currency.decimals()).map_err(|overflow| out_of_range(schedule, overflow))?
            }
            None => earned.as_ref().and_then(|result| result.of(&schedule.key)).map_or(0, |entitlement| entitlement.amount.minor),
        };
        all.push((schedule.key.clone(), Money::new(minor, currency)));
    }
    Ok(all)
}

/// The period with the hypothetical lines.
fn suppose(
    program: &Program,
    facts: &Facts,
    partner: &str,
    period: &Period,
    knowledge: &Knowledge,
    hypothetical: &[Transaction],
    tiers: &dyn TierSource,
) -> Result<PeriodResult, Faults> {
    let mut supposed = facts.clone();
    if let Some(own) = supposed.partners.get_mut(partner) {
        let latest = knowledge.as_of.unwrap_or(Date::MAX);
        let days: Vec<Span> = schedules_of(program, &period.name).into_iter().map(|(_, period)| period.span).collect();
        let inside = hypothetical.iter().filter(|line| days.iter().any(|days| days.contains(line.date)));
        own.transactions.extend(inside.map(|line| Transaction { date: line.date.min(latest), ..line.clone() }));
        own.transactions.sort_by_key(|line| line.date);
    }
    compute_as_known(program, &supposed, partner, period, knowledge, tiers)
}

/// The accrual's own method; a rate is paid on the basis.
fn accrual_method(schedule: &RebateSchedule) -> Option<Method> {
    let accrual = schedule.accrual.as_ref()?;
    let rate = accrual.rate.as_ref().map(|rate| Method::Flat(Flat { rate: rate.clone() }));
    rate.or_else(|| accrual.method.as_deref().cloned())
}

impl<'a> Calculation<'a> {
    fn estimate_one(&self, schedule: &'a RebateSchedule, period: &Period, as_of: Date, accrual: Option<&'a Method>) -> Result<Estimate, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let currency = currency_of(self.program, schedule);
        let (figure, now) = self.variant(schedule, period, &[])?;
        let accrued = match accrual {
            Some(method) => {
                self.accrued(schedule, method, period).and_then(|exact| schedule.rounding.mode.round_scaled(&exact, currency.decimals()).map_err(loud))?
            }
            None => now,
        };
        Ok(Estimate {
            schedule: schedule.key.clone(),
            period: period.name.clone(),
            as_of,
            currency,
            tier: figure.tier.map(str::to_owned),
            earned: Money::new(now, currency),
            accrued: Money::new(accrued, currency),
            next_band: self.next_band(schedule, period, &figure, now)?,
            hypothetical: None,
            forecast: self.forecast(schedule, period, &figure, now, as_of)?,
            qualifier: figure.qualifier,
            basis: figure.basis,
        })
    }

    /// The schedule alone, with further lines: its figure, and what it gives in minor units.
    fn variant(&self, schedule: &'a RebateSchedule, period: &Period, hypothesis: &[Line<'a>]) -> Result<(Figure<'a>, i64), Faults> {
        let carry = self.carries_into(&period.name)?.get(&schedule.key).cloned().unwrap_or_default();
        let figures = self.figures(schedule, period, carry.basis.0, None, hypothesis)?;
        let fiscal_year = self.program.fiscal_year.year_start(period.span.last_day());
        let terms = Terms { schedule, currency: currency_of(self.program, schedule), period, fiscal_year, carry: Carry { basis: Default::default(), ..carry } };
        let (entitlement, _) = entitle(&terms, &figures.now, figures.taken_off(schedule).as_ref()).map_err(|overflow| out_of_range(schedule, overflow))?;
        Ok((figures.now, entitlement.amount.minor))
    }

    fn accrued(&self, schedule: &'a RebateSchedule, method: &'a Method, period: &Period) -> Result<Exact, Faults> {
        let asked =
            Asked { schedule, method, period, days: &[period.span], carried_basis: Exact::ZERO, reductions: None, hypothesis: &[], purpose: Purpose::Accrual };
        Ok(self.figure(&asked)?.exact)
    }

    fn next_band(&self, schedule: &'a RebateSchedule, period: &Period, figure: &Figure<'a>, now: i64) -> Result<Option<NextBand>, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let exclusive = match &schedule.method {
            Method::Bands(bands) => bands.upper_inclusive,
            Method::Growth(growth) => growth.upper_inclusive,
            _ => false,
        };
        let ahead = |from: Exact| if exclusive { from >= figure.qualifier && !from.is_zero() } else { from > figure.qualifier };
        let next = figure.edges.iter().enumerate().filter(|(_, (from, _))| ahead(from.clone())).min_by_key(|(_, (from, _))| from.clone());
        let Some((band, (from, _))) = next.filter(|_| schedule.grain == Grain::Period) else { return Ok(None) };
        let missing = from.sub(&figure.qualifier).map_err(loud)?;
        let least = if exclusive { self.least(schedule) } else { Exact::ZERO };
        let more = missing.add(&least).and_then(|more| grown(schedule, figure, more)).map_err(loud)?;
        let (_, then) = self.variant(schedule, period, &[Line { date: self.last_day(period.span), tier: figure.tier, ..more }])?;
        let worth = Money::new(then.saturating_sub(now), currency_of(self.program, schedule));
        Ok(Some(NextBand { band, from: from.clone(), missing, exclusive, worth }))
    }

    /// The least that a qualifier can grow by.
    fn least(&self, schedule: &RebateSchedule) -> Exact {
        let qualifier = schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(schedule));
        let places = if *qualifier == Basis::Amount { currency_of(self.program, schedule).decimals() } else { crate::money::QUANTITY_PLACES };
        Exact::scaled(1, places)
    }

    fn forecast(&self, schedule: &'a RebateSchedule, period: &Period, figure: &Figure<'a>, now: i64, as_of: Date) -> Result<Option<Forecast>, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let currency = currency_of(self.program, schedule);
        let of_days = period.span.days();
        let days = as_of.next().days_since(period.span.from).min(of_days);
        if days <= 0 {
            return Ok(None);
        }
        let rest = Exact::ratio((of_days - days).into(), days.into()).ok_or(Overflow).map_err(loud)?;
        let own = || figure.lines.iter().filter(|line| line.transaction.is_some() && period.span.contains(line.date));
        let part = |value: fn(&Line<'_>) -> Exact| Exact::sum(own().map(value)).and_then(|sum| sum.mul(&rest)).map_err(loud);
        let line = Line {
            tier: self.tiers.on(schedule, self.last_day(period.span))?,
            amount: part(|line| line.amount.clone())?,
            basis: part(|line| line.basis.clone())?,
            qualifier: part(|line| line.qualifier.clone())?,
            units: part(|line| line.units.clone())?,
            ..Line::unattributed(self.last_day(period.span))
        };
        let qualifier = figure.qualifier.add(&line.qualifier).map_err(loud)?;
        let earned = if rest.is_zero() {
            now
        } else if schedule.grain == Grain::Line {
            let whole = rest.add(&Exact::ONE).and_then(|whole| whole.mul(&figure.exact)).map_err(loud)?;
            schedule.rounding.mode.round_scaled(&whole, currency.decimals()).map_err(loud)?
        } else {
            self.variant(schedule, period, &[line])?.1
        };
        Ok(Some(Forecast { days, of_days, qualifier, earned: Money::new(earned, currency) }))
    }
}

/// A line that takes the qualifier up by `more`; what is paid on grows with it as it did so far.
fn grown<'a>(schedule: &RebateSchedule, figure: &Figure<'_>, more: Exact) -> Result<Line<'a>, Overflow> {
    let along = |whole: Exact| -> Result<Exact, Overflow> { Ok(whole.mul(&more)?.div(&figure.qualifier)?.unwrap_or(Exact::ZERO)) };
    let same = schedule.qualifier.as_ref().is_none_or(|qualifier| qualifier == basis_of(schedule));
    let basis = if same { more.clone() } else { along(figure.basis.clone())? };
    let units = if *basis_of(schedule) == Basis::Amount { along(Exact::sum(figure.lines.iter().map(|line| &line.units))?)? } else { basis.clone() };
    let amount = along(Exact::sum(figure.lines.iter().map(|line| &line.amount))?)?;
    Ok(Line { amount, basis, qualifier: more, units, ..Line::unattributed(Date::MIN) })
}
