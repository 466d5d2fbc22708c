//! Period after period: what one hands to the next (a negative basis, a small payout, a surplus above a guarantee, what was forfeited).
//!
//! Nothing is remembered between calls: the earlier periods are computed from the facts, from the first one that this version of the
//! program governs (semantics 5), so that an earlier settlement is never forgotten and a late line changes what it changes. Periods
//! that another version governs are settled by its rules and its runs: nothing of them is handed on here.

use std::collections::BTreeMap;

use crate::date::{Date, Span};
use crate::document::rebate::{BelowMinimum, Method, PeriodRule, RebateSchedule};
use crate::fault::Faults;
use crate::period::Period;
use crate::program::Program;

use super::entitle::{Carry, forfeits_over_the_year};
use super::result::Entitlement;
use super::{Calculation, schedules_of};

/// What each schedule hands to its next period.
pub(super) type Carries = BTreeMap<String, Carry>;

/// Whether a schedule hands anything to its next period.
pub(super) fn needs_history(schedule: &RebateSchedule) -> bool {
    schedule.carry_negative
        || forfeits_over_the_year(schedule)
        || schedule.minimum_payout.as_ref().is_some_and(|minimum| minimum.below == BelowMinimum::Carry)
        || schedule.guarantee.as_ref().is_some_and(|guarantee| guarantee.cumulative)
}

/// Whether a schedule had begun by the first day of a period: by this version of the program (semantics 5), or by those before it
/// that had it and that this one goes on with.
fn had_begun(program: &Program, schedule: &RebateSchedule, period: Span) -> bool {
    program.begun_on(&schedule.key) <= period.from
}

/// The periods of the fiscal year before `period` in which the schedule was there, in order.
pub(super) fn earlier_in_year(program: &Program, schedule: &RebateSchedule, period: &Period) -> Vec<Period> {
    let to_date = program.periods(&schedule.period).of_year_to(period).into_iter();
    to_date.filter(|earlier| earlier.span.from < period.span.from && had_begun(program, schedule, earlier.span)).collect()
}

/// The days over which bands run on: the fiscal year up to the end of `period`, as far as the schedule was there.
pub(super) fn year_to_date(program: &Program, schedule: &RebateSchedule, period: &Period) -> Span {
    let year = program.periods(&schedule.period).year_to(period);
    let others = program.periods(&schedule.period).of_year_to(period).into_iter().map(|earlier| earlier.span);
    // A period that begins before the schedule may end after it began: its lines stay with it.
    let after_others = others.filter(|earlier| earlier.from < period.span.from && !had_begun(program, schedule, *earlier)).map(|earlier| earlier.until);
    let first = after_others.chain([program.begun_on(&schedule.key)]).max().unwrap_or(year.from);
    Span::new(year.from.max(first.min(period.span.from)), year.until)
}

/// Whether a schedule can earn without sales.
fn earns_without_sales(schedule: &RebateSchedule) -> bool {
    let on_entry = match &schedule.method {
        Method::Bands(bands) => bands.bands.iter().any(|band| band.on_entry.is_some()),
        method => matches!(method, Method::Fixed(_) | Method::LumpSum(_)),
    };
    on_entry || schedule.guarantee.is_some() || super::asks::asks_measures(schedule) || schedule.floor.as_ref().is_some_and(|floor| floor.unconditional)
}

impl Calculation<'_> {
    /// The entitlements of the period of that name, with what earlier periods hand to it.
    pub(super) fn with_history(&self, name: &str) -> Result<Vec<Entitlement>, Faults> {
        Ok(self.settle(name, &self.carries_into(name)?)?.0)
    }

    /// What earlier periods hand to the period of that name.
    pub(super) fn carries_into(&self, name: &str) -> Result<Carries, Faults> {
        let mut carries = Carries::new();
        for earlier in self.earlier_periods(name) {
            // A schedule that has no such period keeps what it has.
            carries.extend(self.settle(&earlier, &carries)?.1);
        }
        Ok(carries)
    }

    /// The names of the earlier periods that hand anything on, in order.
    fn earlier_periods(&self, name: &str) -> Vec<String> {
        let mut names: Vec<(Date, String)> = Vec::new();
        for (schedule, period) in schedules_of(self.program, name) {
            if needs_history(schedule) {
                let start = self.history_start(schedule, &period);
                names.extend(self.periods_between(schedule, start, period.span.from));
            }
        }
        names.sort();
        names.dedup();
        names.into_iter().map(|(_, name)| name).collect()
    }

    fn history_start(&self, schedule: &RebateSchedule, period: &Period) -> Date {
        let governed = self.program.effective_on().max(schedule.from.unwrap_or(Date::MIN));
        if earns_without_sales(schedule) {
            return governed;
        }
        let first = self.partner.transactions.iter().map(|line| line.date).min();
        governed.max(first.unwrap_or(period.span.from))
    }

    /// Periods whose first day is governed, from the one that holds `start` up to `end`.
    fn periods_between(&self, schedule: &RebateSchedule, start: Date, end: Date) -> Vec<(Date, String)> {
        let governed = |from: Date| self.program.effective_on() <= from && from < end;
        let periods = self.program.periods(&schedule.period);
        if let PeriodRule::Custom(list) = &schedule.period {
            return list.iter().filter(|custom| governed(custom.from) && start < custom.until).map(|custom| (custom.from, custom.name.clone())).collect();
        }
        let mut found = Vec::new();
        let mut next = periods.holding(start);
        while let Some(period) = next.filter(|period| period.span.from < end) {
            next = periods.holding(period.span.until).filter(|later| later.span.from > period.span.from);
            if governed(period.span.from) {
                found.push((period.span.from, period.name));
            }
        }
        found
    }
}
