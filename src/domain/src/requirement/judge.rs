//! The tree: every node is judged, none is skipped.

use std::rc::Rc;

use super::gap::rough_cost;
use super::{GroupJudged, Judged, PeriodJudged};
use crate::date::{Date, Span};
use crate::document::requirement::{AtLeast, Conditional, ForEach, OnAnyDay, Requirement, Streak};
use crate::fault::{Fault, Faults};
use crate::metric::{At, Evaluator};
use crate::period::FiscalYear;

impl<'a> Evaluator<'a> {
    /// Judges a requirement for a partner on a date: the whole tree, with every figure that explains it.
    pub fn judge(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<Judged, Faults> {
        self.nested(|| self.judge_node(requirement, at))
    }

    /// Whether a requirement is met, without what explains it: what is decided already is not looked at.
    pub fn holds(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<bool, Faults> {
        self.nested(|| self.holds_node(requirement, at))
    }

    fn holds_node(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<bool, Faults> {
        match requirement {
            Requirement::AllOf(of) => {
                for part in of {
                    if !self.holds(part, at)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Requirement::AnyOf(of) => {
                for path in of {
                    if self.holds(path, at)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Requirement::AtLeast(rule) => self.at_least_holds(rule, at),
            Requirement::Not(of) => self.holds(of, at).map(|met| !met),
            Requirement::Labelled(rule) => self.holds(&rule.requirement, at),
            Requirement::When(rule) => Ok(!self.holds(&rule.condition, at)? || self.holds(&rule.requirement, at)?),
            Requirement::Metric(rule) => self.compares(rule, at),
            other => self.judge_node(other, at).map(|judged| judged.met),
        }
    }

    fn at_least_holds(&self, rule: &'a AtLeast, at: &At<'a>) -> Result<bool, Faults> {
        let of_subset = |place: u32| rule.including.iter().flat_map(|subset| &subset.items).filter(|item| **item == place).count();
        let needed = rule.including.as_ref().map_or(0, |subset| subset.m as usize);
        let (mut met, mut met_of_subset) = (0, 0);
        for (place, part) in (0_u32..).zip(&rule.of) {
            if met >= rule.n && met_of_subset >= needed {
                break;
            }
            if self.holds(part, at)? {
                met += 1;
                met_of_subset += of_subset(place);
            }
        }
        Ok(met >= rule.n && met_of_subset >= needed)
    }

    fn judge_node(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<Judged, Faults> {
        match requirement {
            Requirement::AllOf(of) => Ok(Judged::all_of(self.judge_all(of, at)?)),
            Requirement::AnyOf(of) => Ok(Judged::any_of(self.judge_all(of, at)?)),
            Requirement::AtLeast(rule) => Ok(Judged::at_least(rule, self.judge_all(&rule.of, at)?)),
            Requirement::Not(of) => Ok(Judged::not(self.judge(of, at)?)),
            Requirement::Labelled(rule) => Ok(self.judge(&rule.requirement, at)?.labelled(&rule.label)),
            Requirement::Shared(key) => {
                let shared =
                    self.program.requirement(key).ok_or_else(|| Fault::new("UNKNOWN_REQUIREMENT", key, "the program shares no requirement of this key"))?;
                Ok(Judged::shared(self.program, key, self.judge(shared, at)?))
            }
            Requirement::Metric(rule) => self.judge_comparison(rule, at),
            Requirement::Tier(rule) => self.judge_tier(rule, at),
            Requirement::Ladders(rule) => self.judge_ladders(rule, at),
            Requirement::Holding(rule) => Ok(self.judge_holding(rule, at)),
            Requirement::Tenure(rule) => self.judge_tenure(rule, at),
            Requirement::Streak(rule) => self.judge_streak(rule, at),
            Requirement::OnAnyDay(rule) => self.judge_on_any_day(rule, at),
            Requirement::ForEach(rule) => self.judge_for_each(rule, at),
            Requirement::Contract(rule) => Ok(self.judge_contract(rule, at)),
            Requirement::Partner(rule) => Ok(self.judge_partner(rule, at)),
            Requirement::When(rule) => self.judge_when(rule, at),
        }
    }

    fn judge_all(&self, requirements: &'a [Requirement], at: &At<'a>) -> Result<Vec<Judged>, Faults> {
        let mut judged = Vec::with_capacity(requirements.len());
        for requirement in requirements {
            judged.push(self.judge(requirement, at)?);
        }
        Ok(judged)
    }

    fn judge_when(&self, rule: &'a Conditional, at: &At<'a>) -> Result<Judged, Faults> {
        let condition = self.judge(&rule.condition, at)?;
        let of = if condition.met { Some(self.judge(&rule.requirement, at)?) } else { None };
        Ok(Judged::when(condition, of))
    }

    fn judge_for_each(&self, rule: &'a ForEach, at: &At<'a>) -> Result<Judged, Faults> {
        let mut groups = Vec::new();
        for group in self.groups(&rule.groups, at)? {
            let mut bindings = at.bindings.as_ref().clone();
            bindings.push((rule.r#as.clone(), group.clone()));
            let bound = At { bindings: Rc::new(bindings), ..at.clone() };
            groups.push(GroupJudged { group, requirement: self.judge(&rule.requirement, &bound)? });
        }
        Ok(Judged::for_each(self.program, rule, groups))
    }

    /// The periods of a streak, latest first, each with the date as of which it is judged.
    pub(super) fn streak_periods(&self, rule: &Streak, as_of: Date) -> Vec<(Span, Date)> {
        let year = if rule.fiscal { self.program.fiscal_year } else { FiscalYear::CALENDAR };
        let current = year.start_of(rule.unit, as_of);
        let months = rule.unit.months();
        let first = i32::from(!rule.include_current);
        let count = i32::try_from(rule.periods.min(super::MAX_STREAK)).unwrap_or(0);
        (first..first + count)
            .map(|back| {
                let span = Span::new(current.plus_months(-back * months), current.plus_months((1 - back) * months));
                let until = span.until.min(as_of.next());
                (Span::new(span.from, until), until.plus_days(-1))
            })
            .collect()
    }

    fn judge_streak(&self, rule: &'a Streak, at: &At<'a>) -> Result<Judged, Faults> {
        let mut periods = Vec::new();
        let mut shown: Option<Judged> = None;
        for (period, day) in self.streak_periods(rule, at.as_of) {
            let judged = self.judge(&rule.requirement, &at.on(day))?;
            periods.push(PeriodJudged { period, met: judged.met });
            if shown.as_ref().is_none_or(|shown| shown.met && !judged.met) {
                shown = Some(judged);
            }
        }
        let Some(of) = shown else {
            return Err(Fault::new("EMPTY_STREAK", "streak.periods", "ask for at least one period").into());
        };
        Ok(Judged::streak(rule, periods, of))
    }

    /// Judged on every day of the window on which the outcome can change, latest first. Where it is met on none, that day is shown of those
    /// that can still be reached on which least is missing: the last day of the stretch that the change begins.
    fn judge_on_any_day(&self, rule: &'a OnAnyDay, at: &At<'a>) -> Result<Judged, Faults> {
        let Some(window) = self.window_of(&rule.window, at) else {
            return Ok(Judged::on_no_day(None, None, false, self.judge(&rule.requirement, at)?));
        };
        let mut days = self.changes(&rule.requirement, at, window)?;
        days.insert(window.from);
        let open_from = self.first_open_day(at);
        let (mut nearest, mut until): (Option<(Date, u128, Judged)>, _) = (None, window.until);
        for day in days.into_iter().rev() {
            let judged = self.judge(&rule.requirement, &at.on(day))?;
            if judged.met {
                return Ok(Judged::on_any_day(Some(window), Some(day), judged));
            }
            let last = until.plus_days(-1);
            if last >= open_from {
                let judged = if last == day { judged } else { self.judge(&rule.requirement, &at.on(last))? };
                let cost = rough_cost(&judged);
                if nearest.as_ref().is_none_or(|(_, held, _)| cost < *held) {
                    nearest = Some((last, cost, judged));
                }
            }
            until = day;
        }
        match nearest {
            Some((day, _, judged)) => Ok(Judged::on_no_day(Some(window), Some(day), false, judged)),
            None => Ok(Judged::on_no_day(Some(window), None, true, self.judge(&rule.requirement, at)?)),
        }
    }
}
