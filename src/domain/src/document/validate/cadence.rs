//! Windows that do not fit the cadence of reviews: a review falls on the first day of its month, quarter, half or year, and a window
//! that begins on every such day holds nothing but that day.

use std::collections::BTreeSet;

use super::Check;
use crate::date::Date;
use crate::document::ladder::{Cadence, Ladder, ReviewPolicy, Tier};
use crate::document::metric::{CalendarUnit, CalendarWindow, Formula, Measure, Operand, Which, Window};
use crate::document::requirement::Requirement;
use crate::period::FiscalYear;

/// What a requirement measures on the day of the evaluation itself, with the names of metrics and shared requirements seen so far.
#[derive(Default)]
struct Windows<'d> {
    seen: BTreeSet<&'d str>,
    /// By the metric's key, or nothing for a measure that is written in place.
    found: Vec<(Option<&'d str>, &'d Window)>,
}

impl<'d> Windows<'d> {
    fn requirement(&mut self, check: &Check<'d>, requirement: &'d Requirement) {
        match requirement {
            Requirement::AllOf(list) | Requirement::AnyOf(list) => list.iter().for_each(|inner| self.requirement(check, inner)),
            Requirement::AtLeast(rule) => rule.of.iter().for_each(|inner| self.requirement(check, inner)),
            Requirement::Not(inner) => self.requirement(check, inner),
            Requirement::Labelled(rule) => self.requirement(check, &rule.requirement),
            Requirement::Shared(key) => {
                let shared = check.document.requirements.iter().find(|known| known.key == *key);
                if let Some(shared) = shared.filter(|_| self.seen.insert(key)) {
                    self.requirement(check, &shared.requirement);
                }
            }
            Requirement::Metric(rule) => match (&rule.metric, &rule.value) {
                (Some(key), _) => self.metric(check, key),
                (None, Some(value)) => self.operand(check, value, None),
                (None, None) => {}
            },
            Requirement::When(rule) => self.requirement(check, &rule.requirement),
            // Streaks and days of a window are judged on other days; the rest measures nothing.
            _ => {}
        }
    }

    fn metric(&mut self, check: &Check<'d>, key: &str) {
        let Some(metric) = check.document.metrics.iter().find(|known| known.key == key).filter(|known| self.seen.insert(&known.key)) else { return };
        match (&metric.measure, &metric.formula) {
            (Some(measure), _) => self.measure(measure, Some(&metric.key)),
            (None, Some(formula)) => self.formula(check, formula, Some(&metric.key)),
            (None, None) => {}
        }
    }

    fn measure(&mut self, measure: &'d Measure, of: Option<&'d str>) {
        self.found.push((of, &measure.window));
    }

    fn operand(&mut self, check: &Check<'d>, operand: &'d Operand, of: Option<&'d str>) {
        match operand {
            Operand::Metric(key) => self.metric(check, key),
            Operand::Measure(measure) => self.measure(measure, of),
            Operand::Formula(formula) => self.formula(check, formula, of),
            Operand::Constant(_) => {}
        }
    }

    fn formula(&mut self, check: &Check<'d>, formula: &'d Formula, of: Option<&'d str>) {
        match formula {
            Formula::Sum(sum) => sum.terms.iter().for_each(|term| self.operand(check, &term.value, of)),
            Formula::Ratio(ratio) => [&ratio.numerator, &ratio.denominator].into_iter().for_each(|part| self.operand(check, part, of)),
            Formula::Difference(difference) => [&difference.from, &difference.subtract].into_iter().for_each(|part| self.operand(check, part, of)),
            // Of several the best may be taken: one that is empty hurts nobody.
            Formula::Maximum(_) | Formula::Choice(_) => {}
            Formula::Minimum(list) | Formula::Average(list) => list.iter().for_each(|part| self.operand(check, part, of)),
            Formula::Growth(growth) => self.operand(check, &growth.of, of),
            Formula::PercentileRank(rank) => self.operand(check, &rank.of, of),
        }
    }
}

const fn unit(cadence: Cadence) -> Option<CalendarUnit> {
    match cadence {
        Cadence::Monthly => Some(CalendarUnit::Month),
        Cadence::Quarterly => Some(CalendarUnit::Quarter),
        Cadence::SemiAnnual => Some(CalendarUnit::Half),
        Cadence::Annual => Some(CalendarUnit::Year),
        Cadence::Continuous | Cadence::Daily | Cadence::Never => None,
    }
}

/// Whether every review of this unit falls on the first day of the window's unit.
fn always_first(review: (FiscalYear, CalendarUnit), window: (FiscalYear, CalendarUnit)) -> bool {
    let Some(first) = Date::of(2023, 1, 1) else { return false };
    let days = (0..48).map(|month| review.0.start_of(review.1, first.plus_months(month).plus_days(27)));
    days.into_iter().all(|day| window.0.start_of(window.1, day) == day)
}

impl<'d> Check<'d> {
    /// Windows of the current month, quarter or year to date that every review finds on their first day.
    pub(super) fn cadences(&mut self) {
        let document = self.document;
        let Ok(fiscal) = document.program.fiscal_year_start.parse::<FiscalYear>() else { return };
        for (at, ladder) in document.ladders.iter().enumerate() {
            for (of, tier) in ladder.tiers.iter().enumerate() {
                self.tier_cadence(ladder, tier, fiscal, &format!("ladders[{at}].tiers[{of}]"));
            }
        }
    }

    fn tier_cadence(&mut self, ladder: &'d Ladder, tier: &'d Tier, fiscal: FiscalYear, path: &str) {
        let policy: &ReviewPolicy = tier.review.as_ref().unwrap_or(&ladder.review);
        if policy.years_from.is_some() {
            return;
        }
        let year = if policy.fiscal { fiscal } else { FiscalYear::CALENDAR };
        let reviews: Vec<CalendarUnit> = [policy.cadence_up, policy.cadence_down].into_iter().filter_map(unit).collect();
        for (member, requirement) in [("requirement", &tier.requirement), ("homeRegionRequirement", &tier.home_region_requirement)] {
            let mut windows = Windows::default();
            if let Some(requirement) = requirement {
                windows.requirement(self, requirement);
            }
            for (metric, window) in windows.found {
                let (window_year, asked) = match window {
                    Window::Calendar(asked) => (FiscalYear::CALENDAR, asked),
                    Window::Fiscal(asked) => (fiscal, asked),
                    _ => continue,
                };
                let misfit = |review: &CalendarUnit| always_first((year, *review), (window_year, asked.unit));
                if to_date(asked) && reviews.iter().any(misfit) {
                    let what = metric.map_or_else(|| "a measure".to_owned(), |metric| format!("metric {metric}"));
                    let message = format!(
                        "{what} looks at the current {} to date, and a review falls on its first day, when it holds that day only: write `which: PREVIOUS`, or review continuously",
                        word(asked.unit)
                    );
                    self.fault("WINDOW_MISFIT", format!("{path}.{member}"), message);
                }
            }
        }
    }
}

const fn word(unit: CalendarUnit) -> &'static str {
    match unit {
        CalendarUnit::Month => "month",
        CalendarUnit::Quarter => "quarter",
        CalendarUnit::Half => "half-year",
        CalendarUnit::Year => "year",
    }
}

fn to_date(window: &CalendarWindow) -> bool {
    window.which == Which::ToDate
}
