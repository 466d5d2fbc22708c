//! Period after period: what one hands to the next (a negative basis, a small payout, a surplus above a guarantee, what was forfeited).
//!
//! Nothing is remembered between calls: the earlier periods are computed from the facts, from the first one that this version of the
//! program governs (semantics 5), so that an earlier settlement is never forgotten and a late line changes what it changes. What periods
//! hand on that an earlier version governs is computed by its rules first, see [`super::handover`].

use std::collections::BTreeMap;

use crate::date::{Date, Span};
use crate::document::rebate::{Method, PeriodRule, RebateSchedule};
use crate::fault::Faults;
use crate::period::Period;
use crate::program::Program;

use super::Calculation;
use super::entitle::Carry;
use super::handover::{last_governed, needs_history};
use super::line::out_of_range;
use super::result::Entitlement;

/// What each schedule hands to its next period.
pub(super) type Carries = BTreeMap<String, Carry>;

/// What an earlier period hands to the first one of a schedule that begins on a day or later.
struct Waiting {
    schedule: String,
    from: Date,
    carry: Carry,
}

/// What is handed on, from period to period.
struct Course {
    carries: Carries,
    /// What versions before hand over, and no period has taken yet.
    waiting: Vec<Waiting>,
}

impl Course {
    /// Lets a period of a schedule that begins on a day take what waits for it.
    fn take(&mut self, schedule: &RebateSchedule, from: Date) -> Result<(), Faults> {
        for taken in self.waiting.extract_if(.., |waiting| waiting.schedule == schedule.key && waiting.from <= from) {
            let held = self.carries.remove(&taken.schedule).unwrap_or_default();
            let carry = held.with(taken.carry).map_err(|overflow| out_of_range(schedule, overflow))?;
            self.carries.insert(taken.schedule, carry);
        }
        Ok(())
    }

    /// Whether a period of a schedule can hand anything to its next one.
    fn goes_through(&self, schedule: &RebateSchedule) -> bool {
        needs_history(schedule) || self.carries.get(&schedule.key).is_some_and(|carry| *carry != Carry::default())
    }
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
        match self.carries_into(name) {
            Ok(carries) => Ok(self.settle(name, &carries)?.0),
            // What is missing in the period itself is told with what is missing before it.
            Err(mut faults) => {
                self.settle(name, &Carries::new()).map_or_else(|more| faults.add_new(more), drop);
                Err(faults)
            }
        }
    }

    /// What earlier periods hand to the period of that name.
    pub(super) fn carries_into(&self, name: &str) -> Result<Carries, Faults> {
        let own = self.schedules(name);
        let by = own.iter().map(|(_, period)| period.span.from).max().unwrap_or(Date::MIN);
        let waiting = self.handed_over(|key| own.iter().any(|(schedule, _)| schedule.key == key), by)?;
        let mut course = Course { carries: Carries::new(), waiting };
        let until = own.iter().map(|(schedule, period)| (*schedule, period.span.from));
        let names = self.earlier_periods(until, &course, Date::MAX);
        self.go_through(&names, &mut course)?;
        for (schedule, period) in own {
            course.take(schedule, period.span.from)?;
        }
        Ok(course.carries)
    }

    /// Settles periods one after the other. The faults of one do not hide those of the others.
    fn go_through(&self, names: &[String], course: &mut Course) -> Result<(), Faults> {
        let mut faults = Faults::new();
        for name in names {
            let schedules = self.schedules(name);
            for (schedule, period) in &schedules {
                course.take(schedule, period.span.from)?;
            }
            if schedules.iter().any(|(schedule, _)| course.goes_through(schedule)) {
                // A schedule that has no such period keeps what it has.
                match self.settle(name, &course.carries) {
                    Ok((_, handed)) => course.carries.extend(handed),
                    Err(more) => faults.add_new(more),
                }
            }
        }
        faults.or(())
    }

    /// What the version before hands to these schedules, as far as its periods are over by a day.
    fn handed_over(&self, wanted: impl Fn(&str) -> bool, by: Date) -> Result<Vec<Waiting>, Faults> {
        let Some(handover) = self.program.handover() else { return Ok(Vec::new()) };
        let Some(link) = handover.to(&wanted) else { return Ok(Vec::new()) };
        let before = self.of_version(link.program, link.counting);
        let handed = before.handed_at(self.program.effective_on(), by)?;
        self.ranks_before.borrow_mut().extend(before.kept_ranks());
        let taken = handed.into_iter().filter(|waiting| wanted(&waiting.schedule)).map(|waiting| {
            let carry = waiting.carry.taken_over(|kind| handover.takes(&waiting.schedule, kind));
            Waiting { carry, ..waiting }
        });
        Ok(taken.filter(|waiting| waiting.carry != Carry::default()).collect())
    }

    /// What this version hands to the one that takes effect on `at`, as far as its periods are over by a day.
    fn handed_at(&self, at: Date, by: Date) -> Result<Vec<Waiting>, Faults> {
        let mut course = Course { carries: Carries::new(), waiting: self.handed_over(|key| self.counts(key), by)? };
        let own = || self.program.document.rebate_schedules.iter().filter(|schedule| self.counts(&schedule.key));
        let names = self.earlier_periods(own().map(|schedule| (schedule, at)), &course, by);
        self.go_through(&names, &mut course)?;
        let mut handed = Vec::new();
        for schedule in own() {
            let last = last_governed(self.program, schedule, at);
            // What the last period has taken, or will take when it begins, it hands on when it is over.
            let untaken = |waiting: &mut Waiting| waiting.schedule == schedule.key && last.is_none_or(|last| last.from < waiting.from);
            handed.extend(course.waiting.extract_if(.., untaken));
            if let (Some(last), Some(carry)) = (last.filter(|last| last.until <= by), course.carries.remove(&schedule.key)) {
                handed.push(Waiting { schedule: schedule.key.clone(), from: last.until, carry });
            }
        }
        Ok(handed)
    }

    /// The names of the earlier periods that hand anything on, in order: of each schedule those that begin before its day, and are over
    /// by `by`.
    fn earlier_periods<'s>(&self, schedules: impl Iterator<Item = (&'s RebateSchedule, Date)>, course: &Course, by: Date) -> Vec<String> {
        let mut names: Vec<(Date, String)> = Vec::new();
        for (schedule, end) in schedules {
            let takes = course.waiting.iter().any(|waiting| waiting.schedule == schedule.key);
            if takes || needs_history(schedule) {
                let start = self.history_start(schedule, end, takes);
                names.extend(self.periods_between(schedule, start, end).into_iter().filter(|(days, _)| days.until <= by).map(|(days, name)| (days.from, name)));
            }
        }
        names.sort();
        names.dedup();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// From when periods can hand anything on: from the first sale, unless the schedule earns without, or takes something over.
    fn history_start(&self, schedule: &RebateSchedule, end: Date, takes: bool) -> Date {
        let governed = self.program.effective_on().max(schedule.from.unwrap_or(Date::MIN));
        if takes || earns_without_sales(schedule) {
            return governed;
        }
        let first = self.partner.transactions.iter().map(|line| line.date).min();
        governed.max(first.unwrap_or(end))
    }

    /// Periods whose first day is governed, from the one that holds `start` up to `end`.
    fn periods_between(&self, schedule: &RebateSchedule, start: Date, end: Date) -> Vec<(Span, String)> {
        let governed = |from: Date| self.program.effective_on() <= from && from < end;
        let periods = self.program.periods(&schedule.period);
        if let PeriodRule::Custom(list) = &schedule.period {
            let listed = list.iter().filter(|custom| governed(custom.from) && start < custom.until);
            return listed.map(|custom| (Span::new(custom.from, custom.until), custom.name.clone())).collect();
        }
        let mut found = Vec::new();
        let mut next = periods.holding(start);
        while let Some(period) = next.filter(|period| period.span.from < end) {
            next = periods.holding(period.span.until).filter(|later| later.span.from > period.span.from);
            if governed(period.span.from) {
                found.push((period.span, period.name));
            }
        }
        found
    }
}
