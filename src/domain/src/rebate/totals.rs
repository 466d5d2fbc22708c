//! The same figures from sums instead of lines, for schedules that need no lines: what a run over kept roll-ups reads.
//!
//! The law is that both paths give the same entitlement, to the minor unit and exactly.

use crate::document::metric::ExchangeDate;
use crate::document::rebate::{
    BandScope, Baseline, Basis, CapScope, Grain, GrowthBase, Method, RebateSchedule, ReturnDate, RoundAt, StackingRule, TargetPay, TierAt,
};
use crate::exact::{Exact, Overflow};
use crate::fault::Fault;
use crate::period::Period;
use crate::program::Program;

use super::asks::asks_measures;
use super::earn::{EarnTerms, earn, sum};
use super::entitle::{Carry, Terms, entitle};
use super::figure::{Figure, Purpose, bound};
use super::growth::{growth_plan, target_of, target_plan};
use super::handover::is_handed_on;
use super::line::{Line, basis_of, currency_of, out_of_range};
use super::plan::Plan;
use super::result::{Entitlement, StepKind};

/// The sums of a partner's lines in the scope of a schedule, for one category or for all.
#[derive(Debug, Clone)]
pub struct Totals<'a> {
    /// The category, for the statement.
    pub category: Option<&'a str>,
    /// Signed amounts, in the schedule's currency.
    pub amount: Exact,
    /// Signed quantities.
    pub quantity: Exact,
}

/// Everything besides the sums that a figure asks for.
#[derive(Debug, Clone)]
pub struct TotalsTerms<'a> {
    /// The period.
    pub period: &'a Period,
    /// Whether the partner takes part in the program in the period.
    pub takes_part: bool,
    /// The tier that counts.
    pub tier: Option<&'a str>,
    /// The sum of the qualifier in the period that growth or a target looks back at; none where there is none.
    pub history: Option<Exact>,
}

/// Why a schedule cannot be computed from sums by month, category and kind of line; `None` when it can.
///
/// The sums must be of lines in the schedule's own currency: another one needs the rate of each line's date, unless
/// [`converts_sums`] says that one rate holds for the period.
pub fn needs_lines(program: &Program, schedule: &RebateSchedule) -> Option<&'static str> {
    let by_date = (schedule.tier_at == TierAt::TransactionDate).then_some("the tier at each transaction's date counts");
    by_date.or_else(|| needs_lines_in_one_tier(program, schedule))
}

/// The same for a partner who held one tier throughout, so that it is the tier at each transaction's date as well.
pub(super) fn needs_lines_in_one_tier(program: &Program, schedule: &RebateSchedule) -> Option<&'static str> {
    let scope = &schedule.scope;
    let read = |basis: &Basis| matches!(basis, Basis::Attribute(_));
    let qualifier = schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(schedule));
    let reasons = [
        (schedule.grain == Grain::Line, "each line is paid on its own"),
        (!scope.products.is_empty(), "products are named"),
        (!scope.regions.is_empty() || !scope.region_groups.is_empty(), "regions of lines are named"),
        (!scope.partner_types.is_empty(), "the partner's type at each line's date counts"),
        (!scope.deal_kinds.is_empty(), "kinds of deals are named"),
        (scope.filter.is_some(), "lines are filtered"),
        (read(basis_of(schedule)) || read(qualifier), "an attribute of each line is read"),
        (asks_measures(schedule), "a metric or a condition is asked"),
        (divides_units(schedule), "units are paid line by line, in date order"),
        (has_slices(&schedule.method) && qualifier != basis_of(schedule), "bands fill by another measure than the one that is paid on, in date order"),
        (schedule.cap.as_ref().is_some_and(|cap| cap.per != CapScope::Partner), "a cap is for a customer, a subscription or a line"),
        (schedule.rounding.at == RoundAt::Line, "each line is rounded"),
        (schedule.returns == ReturnDate::SaleDate, "returns count on the sale's date"),
        (schedule.cumulative || is_handed_on(program, schedule), "earlier periods are looked at"),
        (schedule.true_up.until_days.is_some(), "lines that were recorded late do not count"),
        (accepts(&schedule.method), "the acceptance of the target is looked for"),
        (schedule.from.is_some_and(|from| from.day() != 1) || schedule.until.is_some_and(|until| until.day() != 1), "it starts or ends inside a month"),
        (is_stacked(program, &schedule.key), "earnings are taken off line by line"),
    ];
    reasons.into_iter().find(|(needed, _)| *needed).map(|(_, reason)| reason)
}

/// Whether one exchange rate holds for all lines of a period, so that sums in other currencies may be converted.
pub fn converts_sums(schedule: &RebateSchedule) -> bool {
    schedule.exchange.as_ref().is_some_and(|exchange| exchange.date == ExchangeDate::PeriodEnd)
}

/// Whether a method pays amounts for units or packages.
pub(super) fn pays_units(method: &Method) -> bool {
    match method {
        Method::PerUnit(_) | Method::PerPackage(_) => true,
        Method::Bands(bands) => bands.bands.iter().any(|band| band.amount_per_unit.is_some() || band.per_package.is_some()),
        Method::Growth(growth) => growth.bands.iter().any(|band| band.amount_per_unit.is_some()),
        Method::Flat(_) | Method::LumpSum(_) | Method::Target(_) | Method::Fixed(_) | Method::FreeGoods(_) => false,
    }
}

/// Units that are paid slice by slice, or up to a base cap, while another measure fills the bands: each line has its own price.
fn divides_units(schedule: &RebateSchedule) -> bool {
    pays_units(&schedule.method) && *basis_of(schedule) == Basis::Amount && (has_slices(&schedule.method) || schedule.base_cap.is_some())
}

fn has_slices(method: &Method) -> bool {
    match method {
        Method::Bands(bands) => matches!(bands.scope, BandScope::Marginal | BandScope::Rolling),
        Method::Growth(growth) => growth.pay_on != GrowthBase::Everything,
        Method::Target(target) => matches!(target.pays, TargetPay::RateAboveTarget(_)),
        _ => false,
    }
}

fn accepts(method: &Method) -> bool {
    matches!(method, Method::Target(target) if target.accept_within_days.is_some())
}

fn is_stacked(program: &Program, key: &str) -> bool {
    program.document.stacking.iter().any(|rule| match rule {
        StackingRule::BestOf(_) => false,
        StackingRule::Sequential(rule) => rule.steps.iter().any(|step| step.schedule == key),
        StackingRule::NetOf(rule) => rule.schedule == key || rule.of.iter().any(|of| of == key),
    })
}

/// The entitlement of a schedule from sums. Ask [`needs_lines`] first: what it names is not looked at here.
pub fn earn_from_totals(program: &Program, schedule: &RebateSchedule, terms: &TotalsTerms<'_>, totals: &[Totals<'_>]) -> Result<Entitlement, Fault> {
    from_totals(program, schedule, terms, totals).map_err(|overflow| out_of_range(schedule, overflow))
}

fn from_totals(program: &Program, schedule: &RebateSchedule, terms: &TotalsTerms<'_>, totals: &[Totals<'_>]) -> Result<Entitlement, Overflow> {
    let basis = basis_of(schedule);
    let qualifier = schedule.qualifier.as_ref().unwrap_or(basis);
    let measure = |of: &Basis, totals: &Totals<'_>| if *of == Basis::Quantity { totals.quantity.clone() } else { totals.amount.clone() };
    let line = |totals: &Totals<'_>| Line {
        category: None,
        tier: None,
        amount: totals.amount.clone(),
        basis: measure(basis, totals),
        qualifier: measure(qualifier, totals),
        units: totals.quantity.clone(),
        ..Line::unattributed(terms.period.span.last_day())
    };
    let lines: Vec<Line<'_>> = totals.iter().map(|totals| Line { category: totals.category, tier: terms.tier, ..line(totals) }).collect();
    let mut figure = Figure { tier: terms.tier, ..Figure::nothing() };
    figure.basis = Exact::sum(lines.iter().map(|line| &line.basis))?;
    figure.qualifier = Exact::sum(lines.iter().map(|line| &line.qualifier))?;
    figure.lines = lines;
    let force = schedule.in_force();
    if terms.takes_part && super::figure::is_tier(schedule, terms.tier) && !terms.period.span.intersect(force).is_empty() {
        earn_whole(schedule, terms, &mut figure)?;
        let sold = Exact::sum(totals.iter().map(|totals| &totals.amount))?;
        bound(schedule, Purpose::Entitlement, sold, &mut figure)?;
    } else {
        figure = Figure { tier: terms.tier, ..Figure::nothing() };
        figure.step(StepKind::NotInScope, Exact::ZERO, None, None);
    }
    let fiscal_year = program.fiscal_year.year_start(terms.period.span.last_day());
    let terms = Terms { schedule, currency: currency_of(program, schedule), period: terms.period, fiscal_year, carry: Carry::default() };
    entitle(&terms, &figure, None).map(|(entitlement, _)| entitlement)
}

fn earn_whole<'a>(schedule: &'a RebateSchedule, terms: &TotalsTerms<'a>, figure: &mut Figure<'a>) -> Result<(), Overflow> {
    if figure.is_negative(schedule) {
        return Ok(());
    }
    let plan = plan(schedule, terms, figure.qualifier.clone())?;
    let cap = schedule.base_cap.as_ref().and_then(|cap| cap.get(figure.tier)).map(|cap| cap.0.clone());
    let under = |base_cap: Option<Exact>| EarnTerms { base_cap, tier: terms.tier, per: CapScope::Partner };
    figure.pieces = earn(&plan, &figure.lines, &under(None))?;
    figure.step(StepKind::Earn, sum(&figure.pieces)?, plan.measured_against.clone(), None);
    if cap.is_some() {
        figure.pieces = earn(&plan, &figure.lines, &under(cap.clone()))?;
        figure.step(StepKind::BaseCap, sum(&figure.pieces)?, cap, None);
    }
    figure.edges = plan.edges;
    figure.earned.clone_from(&figure.pieces);
    Ok(())
}

fn plan<'a>(schedule: &'a RebateSchedule, terms: &TotalsTerms<'a>, qualifier: Exact) -> Result<Plan<'a>, Overflow> {
    let history = |baseline: &Baseline| match baseline {
        Baseline::Given(number) => Ok(Some(number.0.clone())),
        Baseline::Metric(_) => Ok(None),
        Baseline::SamePeriodLastYear(rule) | Baseline::PreviousPeriod(rule) => {
            let factor = rule.factor.as_ref().map_or(Exact::ONE, |factor| factor.0.clone());
            terms.history.as_ref().map(|history| history.mul(&factor)).transpose()
        }
    };
    match &schedule.method {
        Method::Growth(growth) => growth_plan(growth, qualifier, history(&growth.baseline)?),
        Method::Target(target) => Ok(target_plan(target, qualifier, target_of(target, history(&target.history)?))),
        method => Ok(Plan::of_figures(method, qualifier, terms.tier)?.unwrap_or_default()),
    }
}
