//! What a schedule asks for besides the sale lines of its period: metrics, requirements, deals, acceptances, earlier periods.
//!
//! Readers of facts and engines both ask here, so that nothing is computed from facts that nobody read. Every member of a schedule is
//! named below: whoever adds one has to say what it asks for.

use crate::date::{Date, Span};
use crate::document::metric::{Filter, Operand};
use crate::document::rebate::{
    Accrual, Band, Bands, Baseline, Basis, Cap, Fixed, Flat, Floor, Growth, GrowthBand, Guarantee, LumpSum, LumpTarget, Method, MinimumPayout, PerPackage,
    PerUnit, RebateSchedule, ScheduleScope, Target, TargetPay,
};
use crate::document::requirement::Requirement;
use crate::metric::plan::asks_field;
use crate::period::Period;
use crate::program::Program;

use super::handover::{is_handed_on, schedules_before};
use super::history::year_to_date;
use super::schedules_of;

/// What a schedule of a version asks for, on which days.
#[derive(Debug, Clone)]
pub struct AskedOn<'p> {
    /// The version, whose metrics and requirements are meant: the one that governs the period, or one before it.
    pub program: &'p Program,
    /// What is asked.
    pub asks: Asks<'p>,
    /// On these days.
    pub days: Span,
}

/// What the schedules of a period ask for, accruals included, and those of versions before that hand something to them.
pub fn asked_in_period<'p>(program: &'p Program, period: &str) -> Vec<AskedOn<'p>> {
    let own = schedules_of(program, period);
    let mut all: Vec<AskedOn<'p>> = Vec::with_capacity(own.len());
    for (schedule, period) in &own {
        let asks = Asks::with_accrual(schedule);
        let days = asks.days(program, schedule, period);
        all.push(AskedOn { program, asks, days });
    }
    let until = own.iter().map(|(_, period)| period.span.until).max().unwrap_or(Date::MIN);
    let before = schedules_before(program, |key| own.iter().any(|(schedule, _)| schedule.key == key));
    all.extend(before.into_iter().map(|(program, schedule)| AskedOn { program, asks: Asks::of(schedule), days: Span::new(Date::MIN, until) }));
    all
}

/// What a schedule asks for.
#[derive(Debug, Clone, Default)]
pub struct Asks<'s> {
    /// Metrics that are paid on, pick the band, or are grown from.
    pub operands: Vec<&'s Operand>,
    /// What must be met.
    pub requirements: Vec<&'s Requirement>,
    /// Whether deals of sale lines are looked at, of any day.
    pub deals: bool,
    /// Whether it is looked for an acceptance of the target among the holdings.
    pub acceptances: bool,
    /// What growth and targets look back at.
    baselines: Vec<&'s Baseline>,
    /// What lines have to pass.
    filter: Option<&'s Filter>,
}

impl<'s> Asks<'s> {
    /// What the entitlement of a schedule asks for.
    pub fn of(schedule: &'s RebateSchedule) -> Self {
        let mut asks = Self::default();
        asks.schedule(schedule);
        asks
    }

    /// The same with what its accrual asks for, while the period is open.
    pub fn with_accrual(schedule: &'s RebateSchedule) -> Self {
        let mut asks = Self::of(schedule);
        if let Some(Accrual { rate: _, method }) = &schedule.accrual {
            method.iter().for_each(|method| asks.method(method));
        }
        asks
    }

    /// Whether a metric or a requirement is asked.
    pub fn measures(&self) -> bool {
        !self.operands.is_empty() || !self.requirements.is_empty()
    }

    fn schedule(&mut self, schedule: &'s RebateSchedule) {
        let RebateSchedule {
            key: _,
            name: _,
            scope,
            currency: _,
            period: _,
            basis,
            qualifier,
            grain: _,
            method,
            tier_at: _,
            ladder: _,
            returns: _,
            carry_negative: _,
            condition,
            base_cap: _,
            floor,
            cap,
            minimum_payout,
            guarantee,
            budget: _,
            rounding: _,
            exchange: _,
            cumulative: _,
            accrual: _,
            true_up: _,
            from: _,
            until: _,
        } = schedule;
        let ScheduleScope { categories: _, products: _, regions: _, region_groups: _, partner_types: _, tiers: _, deal_kinds, filter } = scope;
        // Bounds are figures by tier that ask for nothing, but for a share of a metric.
        if let Some(Floor { amount: _, unconditional: _ }) = floor {}
        if let Some(Cap { amount: _, share: _, of, per: _ }) = cap {
            self.operands.extend(of);
        }
        if let Some(MinimumPayout { amount: _, below: _ }) = minimum_payout {}
        if let Some(Guarantee { amount: _, cumulative: _ }) = guarantee {}
        self.deals |= !deal_kinds.is_empty() || filter.as_ref().is_some_and(|filter| asks_field(filter, "deal.kind"));
        self.filter = filter.as_ref();
        self.requirements.extend(condition);
        self.basis(basis);
        qualifier.iter().for_each(|qualifier| self.basis(qualifier));
        self.method(method);
    }

    fn basis(&mut self, basis: &'s Basis) {
        match basis {
            Basis::Metric(operand) => self.operands.push(operand),
            Basis::Amount | Basis::Quantity | Basis::Attribute(_) => {}
        }
    }

    fn method(&mut self, method: &'s Method) {
        match method {
            Method::Flat(Flat { rate: _ }) | Method::PerUnit(PerUnit { amount: _ }) | Method::Fixed(Fixed { amount: _ }) | Method::FreeGoods(_) => {}
            Method::PerPackage(PerPackage { size: _, amount: _, packages: _ }) => {}
            Method::LumpSum(LumpSum { targets, pay: _ }) => targets.iter().for_each(|LumpTarget { at: _, amount: _ }| {}),
            Method::Bands(Bands { scope: _, upper_inclusive: _, bands }) => {
                bands.iter().for_each(|Band { from: _, to: _, rate: _, amount_per_unit: _, per_package: _, on_entry: _, back_to_first: _ }| {});
            }
            Method::Growth(Growth { baseline, pay_on: _, measured: _, bands, upper_inclusive: _, zero_baseline: _ }) => {
                bands.iter().for_each(|GrowthBand { from: _, rate: _, amount_per_unit: _, lump_sum: _ }| {});
                self.baseline(baseline);
            }
            Method::Target(Target { history, floor: _, cap: _, accept_within_days, pays }) => {
                match pays {
                    TargetPay::LumpSum(_) | TargetPay::RateOnEverything(_) | TargetPay::RateAboveTarget(_) => {}
                }
                self.acceptances |= accept_within_days.is_some();
                self.baseline(history);
            }
        }
    }

    fn baseline(&mut self, baseline: &'s Baseline) {
        match baseline {
            Baseline::Metric(operand) => self.operands.push(operand),
            Baseline::SamePeriodLastYear(_) | Baseline::PreviousPeriod(_) | Baseline::Given(_) => {}
        }
        self.baselines.push(baseline);
    }

    /// The days on which metrics and requirements are asked, and on which lines are looked at, for a period of the schedule: its own,
    /// those of the periods that it is measured against, of the fiscal year where bands run on over it; all earlier days where earlier
    /// periods hand something on.
    pub fn days(&self, program: &Program, schedule: &RebateSchedule, period: &Period) -> Span {
        if is_handed_on(program, schedule) {
            return Span::new(Date::MIN, period.span.until);
        }
        let own = if schedule.cumulative { year_to_date(program, schedule, period).from } else { period.span.from };
        let earlier = self.baselines.iter().filter_map(|baseline| looked_back_at(program, schedule, period, baseline)).map(|earlier| earlier.span.from).min();
        Span::new(earlier.map_or(own, |earlier| own.min(earlier)), period.span.until)
    }

    /// Whether lines have to pass a filter.
    pub const fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }
}

/// The period whose sales growth is measured against, or a target is computed from.
pub(super) fn looked_back_at(program: &Program, schedule: &RebateSchedule, period: &Period, baseline: &Baseline) -> Option<Period> {
    let periods = program.periods(&schedule.period);
    match baseline {
        Baseline::SamePeriodLastYear(_) => periods.year_before(period),
        Baseline::PreviousPeriod(_) => periods.before(period),
        Baseline::Given(_) | Baseline::Metric(_) => None,
    }
}

/// What the method of a schedule is measured against.
pub(super) fn baseline_of(schedule: &RebateSchedule) -> Option<&Baseline> {
    match &schedule.method {
        Method::Growth(growth) => Some(&growth.baseline),
        Method::Target(target) => Some(&target.history),
        Method::Flat(_) | Method::PerUnit(_) | Method::PerPackage(_) | Method::LumpSum(_) | Method::Bands(_) | Method::Fixed(_) | Method::FreeGoods(_) => None,
    }
}

/// Whether a schedule asks for a metric or a requirement.
pub(crate) fn asks_measures(schedule: &RebateSchedule) -> bool {
    Asks::of(schedule).measures()
}
