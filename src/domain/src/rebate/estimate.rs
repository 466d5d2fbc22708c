//! An open period, looked at on a day: earned so far, the next band and what reaching it is worth, what a hypothetical order would
//! add, what has accrued, and where the period is heading.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::metric::{Aggregate, Measure, MeasureScope, Operand, Source};
use crate::document::rebate::{BandScope, Bands, Basis, Flat, Grain, Method, RebateSchedule, StackingRule, TargetPay};
use crate::exact::{Exact, Overflow};
use crate::exchange::ExchangeRates;
use crate::facts::{Facts, Transaction};
use crate::fault::Faults;
use crate::money::{Currency, Money};
use crate::period::Period;
use crate::program::Program;
use crate::window::window_span;

use super::bands::{Edged, edged, passed, pay, reached};
use super::check::is_reduced;
use super::entitle::{Carry, Terms, entitle};
use super::figure::{Asked, Figure, Purpose, Reductions};
use super::history::Carries;
use super::line::{Knowledge, Line, basis_of, caps_by_sales, currency_of, out_of_range};
use super::plan::Pay;
use super::result::{PeriodResult, StepKind, amount_text, optional_amount_text};
use super::stacking::Figures;
use super::totals::pays_units;
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
    /// What picks the band, so far, after what other schedules take off.
    pub qualifier: Exact,
    /// What is paid on, so far, after what other schedules take off.
    pub basis: Exact,
    /// Earned so far: what the period would be worth if nothing came in any more.
    #[serde(serialize_with = "amount_text")]
    pub earned: Money,
    /// Set aside so far: by the schedule's own accrual rate or method, else what was earned.
    #[serde(serialize_with = "amount_text")]
    pub accrued: Money,
    /// The next band, target or step of growth; none at the top, where each line is paid on its own, and when the schedule has ended.
    pub next_band: Option<NextBand>,
    /// What the hypothetical order would add, with stacking; none where none was given.
    pub hypothetical: Option<Hypothetical>,
    /// What the period is worth if sales go on as they did so far; none before the first day on which the schedule is in force.
    pub forecast: Option<Forecast>,
}

/// What comes next, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextBand {
    /// Its position in the schedule, from 0.
    pub band: usize,
    /// Where it starts; of a band that lies below, since a falling qualifier earns more, where it ends.
    pub from: Exact,
    /// How much of the qualifier is missing; below zero where it must fall.
    pub missing: Exact,
    /// The bound itself does not belong to it: more than `missing` is needed.
    pub exclusive: bool,
    /// What the schedule would give on just reaching it, less what it gives now, before budgets. None where that cannot be told: others take
    /// off its lines, it loses in its group either way, or nothing was sold yet that tells what is paid on.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_amount_text")]
    pub worth: Option<Money>,
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

/// A period at its end, by run rate, before budgets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Days so far on which the schedule was in force, the day included.
    pub days: i64,
    /// Days of the period on which it is in force.
    pub of_days: i64,
    /// The qualifier at the period's end.
    pub qualifier: Exact,
    /// What would be earned.
    #[serde(serialize_with = "amount_text")]
    pub earned: Money,
}

/// Estimates of all schedules of a period as of a day. `hypothetical` lines count on that day at the latest, and only for the schedules
/// that their own dates lie in, by period and by `from` and `until`; a tier that sales would change is taken as it stands.
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
    let settled = compute_as_known(program, facts, partner, period, &knowledge, tiers)?;
    let supposed = if hypothetical.is_empty() { None } else { Some(suppose(program, facts, partner, period, &knowledge, hypothetical, tiers)?) };
    let Some(own) = facts.partners.get(partner) else { return Ok(Vec::new()) };
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let schedules = schedules_of(program, &period.name);
    let accruals: Vec<Option<Method>> = schedules.iter().map(|(schedule, _)| accrual_method(schedule)).collect();
    let calculation = Calculation::new(program, facts, own, &rates, &knowledge, tiers);
    let carries = calculation.carries_into(&period.name)?;
    let open = Open { as_of, reductions: calculation.reductions(&period.name, &carries)?, carries, settled };
    let mut estimates = Vec::with_capacity(schedules.len());
    for ((schedule, period), accrual) in schedules.iter().zip(&accruals) {
        let mut estimate = calculation.estimate_one(&open, schedule, period, accrual.as_ref())?;
        let earned = |result: &PeriodResult| result.of(&schedule.key).map_or(0, |entitlement| entitlement.amount.minor);
        let in_all = |minor: i64| Money::new(minor, estimate.currency);
        estimate.hypothetical =
            supposed.as_ref().map(|supposed| Hypothetical { earned: in_all(earned(supposed)), adds: in_all(earned(supposed) - earned(&open.settled)) });
        if accrual.is_none() {
            estimate.accrued = in_all(earned(&open.settled));
        }
        estimate.earned = in_all(earned(&open.settled));
        estimates.push(estimate);
    }
    forecast_groups(program, &mut estimates);
    Ok(estimates)
}

/// Lets the best of each group count among forecasts. Cumulative schedules are compared to date, and settled by what they are now.
fn forecast_groups(program: &Program, estimates: &mut [Estimate]) {
    for rule in &program.document.stacking {
        let StackingRule::BestOf(rule) = rule else { continue };
        if rule.schedules.iter().any(|key| program.schedule(key).is_some_and(|schedule| schedule.cumulative)) {
            continue;
        }
        let forecast = |key: &str| estimates.iter().find(|one| one.schedule == key)?.forecast.as_ref().map(|forecast| forecast.earned.minor);
        let known = rule.schedules.iter().filter_map(|key| Some((forecast(key)?, Reverse(key))));
        let Some((_, Reverse(best))) = known.max() else { continue };
        for one in estimates.iter_mut().filter(|one| one.schedule != *best && rule.schedules.contains(&one.schedule)) {
            if let Some(forecast) = &mut one.forecast {
                forecast.earned.minor = 0;
            }
        }
    }
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
    let dates = hypothetical.iter().map(|line| (line.id.clone(), line.date)).collect();
    compute_as_known(program, &supposed, partner, period, &Knowledge { supposed: dates, ..knowledge.clone() }, tiers)
}

/// The accrual's own method; a rate is paid on the basis.
fn accrual_method(schedule: &RebateSchedule) -> Option<Method> {
    let accrual = schedule.accrual.as_ref()?;
    let rate = accrual.rate.as_ref().map(|rate| Method::Flat(Flat { rate: rate.clone() }));
    rate.or_else(|| accrual.method.as_deref().cloned())
}

/// What the estimates of a period start from.
struct Open<'a> {
    as_of: Date,
    /// What earlier periods hand to it.
    carries: Carries,
    /// What others take off each schedule's lines.
    reductions: BTreeMap<&'a str, Reductions<'a>>,
    /// What all schedules give, with stacking and budgets.
    settled: PeriodResult,
}

impl Open<'_> {
    /// What a schedule gives, where it is not what it would give alone: it lost in its group, or another of it stands.
    fn grouped(&self, schedule: &RebateSchedule) -> Option<i64> {
        let settled = self.settled.of(&schedule.key)?;
        settled.steps.iter().any(|step| step.step == StepKind::BestOf).then_some(settled.amount.minor)
    }

    /// Whether a schedule that gave `minor` would still lose to another of its groups, as that one stands.
    fn loses(&self, program: &Program, schedule: &RebateSchedule, minor: i64) -> bool {
        let is_better = |other: &String| {
            let theirs = self.settled.of(other).map(|settled| settled.amount.minor);
            *other != schedule.key && theirs.is_some_and(|theirs| (theirs, Reverse(other)) > (minor, Reverse(&schedule.key)))
        };
        program.document.stacking.iter().any(|rule| match rule {
            StackingRule::BestOf(rule) => rule.schedules.contains(&schedule.key) && rule.schedules.iter().any(is_better),
            StackingRule::Sequential(_) | StackingRule::NetOf(_) => false,
        })
    }
}

/// A schedule with further lines: its figures, and what it gives in minor units before the best of a group and budgets.
struct Variant<'a> {
    figures: Figures<'a>,
    minor: i64,
}

impl<'a> Calculation<'a> {
    fn estimate_one(&self, open: &Open<'a>, schedule: &'a RebateSchedule, period: &Period, accrual: Option<&'a Method>) -> Result<Estimate, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let currency = currency_of(self.program, schedule);
        let now = self.variant(open, schedule, period, &[])?;
        let accrued = match accrual {
            Some(method) => {
                self.accrued(schedule, method, period).and_then(|exact| schedule.rounding.mode.round_scaled(&exact, currency.decimals()).map_err(loud))?
            }
            None => now.minor,
        };
        let figure = &now.figures.now;
        Ok(Estimate {
            schedule: schedule.key.clone(),
            period: period.name.clone(),
            as_of: open.as_of,
            currency,
            tier: figure.tier.map(str::to_owned),
            earned: Money::new(now.minor, currency),
            accrued: Money::new(accrued, currency),
            next_band: self.next_band(open, schedule, period, &now)?,
            hypothetical: None,
            forecast: self.forecast(open, schedule, period, &now)?,
            qualifier: figure.qualifier.clone(),
            basis: figure.basis.clone(),
        })
    }

    fn variant(&self, open: &Open<'a>, schedule: &'a RebateSchedule, period: &Period, hypothesis: &[Line<'a>]) -> Result<Variant<'a>, Faults> {
        let carry = open.carries.get(&schedule.key).cloned().unwrap_or_default();
        let figures = self.figures(schedule, period, carry.basis.0, open.reductions.get(schedule.key.as_str()), hypothesis)?;
        let fiscal_year = self.program.fiscal_year.year_start(period.span.last_day());
        let terms = Terms { schedule, currency: currency_of(self.program, schedule), period, fiscal_year, carry: Carry { basis: Default::default(), ..carry } };
        let (entitlement, _) = entitle(&terms, &figures.now, figures.taken_off(schedule).as_ref()).map_err(|overflow| out_of_range(schedule, overflow))?;
        Ok(Variant { figures, minor: entitlement.amount.minor })
    }

    fn accrued(&self, schedule: &'a RebateSchedule, method: &'a Method, period: &Period) -> Result<Exact, Faults> {
        let asked =
            Asked { schedule, method, period, days: &[period.span], carried_basis: Exact::ZERO, reductions: None, hypothesis: &[], purpose: Purpose::Accrual };
        Ok(self.figure(&asked)?.exact)
    }

    fn next_band(&self, open: &Open<'a>, schedule: &'a RebateSchedule, period: &Period, now: &Variant<'a>) -> Result<Option<NextBand>, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        if schedule.grain == Grain::Line || schedule.until.is_some_and(|until| until <= open.as_of) {
            return Ok(None);
        }
        let figure = &now.figures.now;
        let Some(Edge { band, from, exclusive, below }) = self.next_edge(schedule, period, figure)? else { return Ok(None) };
        let missing = from.sub(&figure.qualifier).map_err(loud)?;
        let least = if exclusive { self.least(schedule) } else { Exact::ZERO };
        let least = if below { least.neg() } else { least };
        let worth = self.worth_of_more(open, schedule, period, now, missing.add(&least).map_err(loud)?)?;
        Ok(Some(NextBand { band, from, missing, exclusive, worth }))
    }

    /// The edge of the next band that pays more: above, or where what picks the band can fall, below.
    fn next_edge(&self, schedule: &'a RebateSchedule, period: &Period, figure: &Figure<'a>) -> Result<Option<Edge>, Faults> {
        let qualifier = &figure.qualifier;
        if let Method::Bands(bands) = &schedule.method {
            let can_fall = !self.goes_on(schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(schedule)), schedule, period);
            return Ok(better(bands, qualifier, figure.tier, can_fall));
        }
        let exclusive = matches!(&schedule.method, Method::Growth(growth) if growth.upper_inclusive);
        let ahead = |from: &Exact| if exclusive { from >= qualifier && !from.is_zero() } else { from > qualifier };
        let next = figure.edges.iter().enumerate().filter(|(_, (from, _))| ahead(from)).min_by_key(|(_, (from, _))| from);
        Ok(next.map(|(band, (from, _))| Edge { band, from: from.clone(), exclusive, below: false }))
    }

    /// Whether a measure goes on growing as sales do. A metric stays as it is, unless it is what was sold in the period so far: a sum over
    /// the partner's own sale lines in the days of the period on which the schedule is in force.
    fn goes_on(&self, measure: &Basis, schedule: &RebateSchedule, period: &Period) -> bool {
        let Basis::Metric(operand) = measure else { return true };
        let measure = match operand {
            Operand::Metric(key) => self.program.metric(key).and_then(|metric| metric.measure.as_ref()),
            Operand::Measure(measure) => Some(&**measure),
            Operand::Formula(_) | Operand::Constant(_) => None,
        };
        let sums = |measure: &&Measure| {
            let own = measure.source == Source::Transactions && measure.scope == MeasureScope::OwnFacts;
            own && measure.aggregate == Aggregate::Sum && measure.group_by.is_empty() && measure.latest.is_none()
        };
        let in_force = period.span.intersect(schedule.in_force());
        let days = [self.last_day(period.span), in_force.last_day()];
        measure
            .filter(sums)
            .is_some_and(|measure| days.iter().all(|day| window_span(&measure.window, self.program, None, *day) == Some(Span::new(in_force.from, day.next()))))
    }

    /// The value of what is paid on or picks the band, where it is a metric that goes on; nothing of one that stays. None where it is no metric.
    fn measured(&self, measure: &'a Basis, schedule: &RebateSchedule, period: &Period) -> Result<Option<Exact>, Faults> {
        let Basis::Metric(operand) = measure else { return Ok(None) };
        if !self.goes_on(measure, schedule, period) {
            return Ok(Some(Exact::ZERO));
        }
        Ok(Some(self.measures.value(operand, self.last_day(period.span))?.unwrap_or(Exact::ZERO)))
    }

    /// What a schedule would give more if its qualifier grew by `more`, and the others stood as they are; none where that cannot be told.
    fn worth_of_more(&self, open: &Open<'a>, schedule: &'a RebateSchedule, period: &Period, now: &Variant<'a>, more: Exact) -> Result<Option<Money>, Faults> {
        let figure = &now.figures.now;
        let grouped = open.grouped(schedule);
        if is_reduced(&self.program.document, &schedule.key) || (schedule.cumulative && grouped.is_some()) {
            return Ok(None);
        }
        let grown = grown(schedule, figure, more, |measure| self.goes_on(measure, schedule, period)).map_err(|overflow| out_of_range(schedule, overflow))?;
        let Some(line) = grown else { return Ok(None) };
        let line = Line { date: self.last_day(period.span), tier: figure.tier, ..line };
        let then = self.variant(open, schedule, period, &[line])?.minor;
        if grouped.is_some() && open.loses(self.program, schedule, then) {
            return Ok(None);
        }
        let worth = then.saturating_sub(grouped.unwrap_or(now.minor));
        Ok(Some(Money::new(worth, currency_of(self.program, schedule))))
    }

    /// The least that a qualifier can grow by.
    fn least(&self, schedule: &RebateSchedule) -> Exact {
        let qualifier = schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(schedule));
        let places = if *qualifier == Basis::Amount { currency_of(self.program, schedule).decimals() } else { crate::money::QUANTITY_PLACES };
        Exact::scaled(1, places)
    }

    fn forecast(&self, open: &Open<'a>, schedule: &'a RebateSchedule, period: &Period, now: &Variant<'a>) -> Result<Option<Forecast>, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let currency = currency_of(self.program, schedule);
        let figure = &now.figures.now;
        let in_force = period.span.intersect(schedule.in_force());
        let of_days = in_force.days();
        let days = open.as_of.next().days_since(in_force.from).min(of_days);
        if days <= 0 {
            return Ok(None);
        }
        let rest = Exact::ratio((of_days - days).into(), days.into()).ok_or(Overflow).map_err(loud)?;
        let own = || figure.sold().iter().filter(|line| line.transaction.is_some() && period.span.contains(line.date));
        let sold = |value: fn(&Line<'_>) -> Exact| Exact::sum(own().map(value)).map_err(loud);
        let further = |so_far: Exact| so_far.mul(&rest).map_err(loud);
        let on_metric = self.measured(basis_of(schedule), schedule, period)?;
        let by_metric = match &schedule.qualifier {
            Some(qualifier) => self.measured(qualifier, schedule, period)?,
            None => on_metric.clone(),
        };
        let line = Line {
            tier: self.tiers.on(schedule, self.last_day(period.span))?,
            amount: further(sold(|line| line.amount.clone())?)?,
            basis: further(on_metric.clone().map_or_else(|| sold(|line| line.basis.clone()), Ok)?)?,
            qualifier: further(by_metric.map_or_else(|| sold(|line| line.qualifier.clone()), Ok)?)?,
            units: further(on_metric.map_or_else(|| sold(|line| line.units.clone()), Ok)?)?,
            ..Line::unattributed(self.last_day(period.span))
        };
        let qualifier = figure.qualifier.add(&line.qualifier).map_err(loud)?;
        let alone = if rest.is_zero() {
            now.minor
        } else if schedule.grain == Grain::Line {
            // What earlier periods of the year earned does not go on.
            let before = now.figures.taken_off(schedule).map_or(Exact::ZERO, |earlier| earlier.figure.exact.clone());
            let own = if figure.unmet { Exact::ZERO } else { figure.exact.sub(&before).map_err(loud)? };
            let whole = rest.add(&Exact::ONE).and_then(|whole| whole.mul(&own)).map_err(loud)?;
            schedule.rounding.mode.round_scaled(&whole, currency.decimals()).map_err(loud)?
        } else {
            self.variant(open, schedule, period, &[line])?.minor
        };
        let earned = match self.settled_to_date(open, schedule) {
            // Its group took off what the best of it was worth before.
            Some(settled) if open.grouped(schedule).is_none() => alone.saturating_sub(now.minor).saturating_add(settled),
            Some(settled) => settled,
            None => alone,
        };
        Ok(Some(Forecast { days, of_days, qualifier, earned: Money::new(earned, currency) }))
    }

    /// What a cumulative schedule of a group gives by now; none of others.
    fn settled_to_date(&self, open: &Open<'a>, schedule: &RebateSchedule) -> Option<i64> {
        let is_grouped = |rule: &StackingRule| matches!(rule, StackingRule::BestOf(rule) if rule.schedules.contains(&schedule.key));
        let grouped = schedule.cumulative && self.program.document.stacking.iter().any(is_grouped);
        open.settled.of(&schedule.key).filter(|_| grouped).map(|settled| settled.amount.minor)
    }
}

/// A line that takes the qualifier by `more`. What is paid on, and what a cap is a share of, grow with it as they did so far, where both go
/// on with sales; none where one of them counts and nothing tells how it grows, since nothing was sold yet.
fn grown<'a>(schedule: &RebateSchedule, figure: &Figure<'_>, more: Exact, goes_on: impl Fn(&Basis) -> bool) -> Result<Option<Line<'a>>, Overflow> {
    let basis = basis_of(schedule);
    let qualifier = schedule.qualifier.as_ref().unwrap_or(basis);
    let along = |measure: &Basis, so_far: Exact| -> Result<Option<Exact>, Overflow> {
        if measure == qualifier {
            return Ok(Some(more.clone()));
        }
        if !goes_on(qualifier) || !goes_on(measure) {
            return Ok(Some(Exact::ZERO));
        }
        if figure.qualifier.is_positive() { so_far.mul_div(&more, &figure.qualifier) } else { Ok(None) }
    };
    let paid_on = along(basis, figure.basis.clone())?;
    let amount = along(&Basis::Amount, Exact::sum(figure.sold().iter().map(|line| &line.amount))?)?;
    let units = if *basis == Basis::Amount { along(&Basis::Quantity, Exact::sum(figure.lines.iter().map(|line| &line.units))?)? } else { paid_on.clone() };
    let is_known = (pays_sums_only(&schedule.method) || paid_on.is_some())
        && (amount.is_some() || !caps_by_sales(schedule))
        && (units.is_some() || !pays_units(&schedule.method));
    let or_none = |measure: Option<Exact>| measure.unwrap_or(Exact::ZERO);
    let (amount, basis, units) = (or_none(amount), or_none(paid_on), or_none(units));
    let line = Line { amount, basis, qualifier: more.clone(), units, supposed: true, ..Line::unattributed(Date::MIN) };
    Ok(is_known.then_some(line))
}

/// Where a band begins that the qualifier is not in.
struct Edge {
    band: usize,
    /// The bound that the qualifier crosses: of a band below it, its upper one.
    from: Exact,
    exclusive: bool,
    below: bool,
}

/// The next band that pays more than the one that is held. What sells more never sells less, so that bands below count only where the
/// qualifier can fall.
fn better(bands: &Bands, qualifier: &Exact, tier: Option<&str>, can_fall: bool) -> Option<Edge> {
    let inclusive = bands.upper_inclusive;
    let all = edged(bands, tier);
    let is_reached = |band: &Edged<'_>| reached(qualifier.clone(), band.from.clone(), inclusive);
    let is_left = |band: &Edged<'_>| passed(qualifier, band.to.as_ref(), inclusive);
    let held = all.iter().rfind(|band| is_reached(band) && !is_left(band));
    let adds_up = match bands.scope {
        BandScope::Total | BandScope::Proportional => true,
        BandScope::Marginal => !can_fall,
        BandScope::Retroactive | BandScope::Rolling | BandScope::Linear => false,
    };
    let pays_more = |band: &Edged<'_>| match (pay(band.band), held.and_then(|held| pay(held.band))) {
        (Some(more @ Pay::Rate(_)), Some(less @ Pay::Rate(_))) | (Some(more @ Pay::PerUnit(_)), Some(less @ Pay::PerUnit(_))) => {
            band.band.on_entry.is_some() || more.for_tier(tier) > less.for_tier(tier)
        }
        _ => true,
    };
    let above = all.iter().find(|band| !is_reached(band) && (adds_up || pays_more(band)));
    if let Some(band) = above {
        return Some(Edge { band: band.index, from: band.from.clone(), exclusive: inclusive, below: false });
    }
    let below = all.iter().rfind(|band| can_fall && !adds_up && is_left(band) && pays_more(band))?;
    Some(Edge { band: below.index, from: below.to.clone()?, exclusive: !inclusive, below: true })
}

/// Whether a method pays sums, whatever the basis is.
fn pays_sums_only(method: &Method) -> bool {
    match method {
        Method::LumpSum(_) | Method::Fixed(_) => true,
        Method::Target(target) => matches!(target.pays, TargetPay::LumpSum(_)),
        _ => false,
    }
}
