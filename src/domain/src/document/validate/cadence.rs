//! Windows that do not fit the cadence of reviews: a review falls on one day of its month, quarter, half or year, by default the first, and a
//! window that begins on every such day holds nothing but that day. Refused where a tier cannot be had without it: beside another way it
//! serves between the reviews.

use std::collections::BTreeMap;

use super::Check;
use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, ReviewPolicy, Tier};
use crate::document::metric::{Alignment, CalendarUnit, Formula, Measure, Operand, Which, Window};
use crate::document::requirement::{AtLeast, Requirement};
use crate::levelling::ReviewDays;
use crate::period::FiscalYear;

/// Measures without which a rule does not get by: by the metric's key, or nothing for a measure that is written in place.
type Needed<'d> = Vec<(Option<&'d str>, &'d Window)>;

/// What requirements cannot do without on the day of the evaluation itself. What stands beside another way is not needed.
struct Windows<'c, 'd> {
    /// Whether every review finds a window on its first day.
    misfit: &'c dyn Fn(&Window) -> bool,
    /// What metrics and shared requirements need, found so far; nothing while it is being looked for.
    known: BTreeMap<(Named, &'d str), Needed<'d>>,
}

/// Of what kind a name is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Metric,
    Shared,
}

/// All of several parts.
fn all<'d>(parts: impl IntoIterator<Item = Needed<'d>>) -> Needed<'d> {
    let mut needed = Needed::new();
    for found in parts.into_iter().flatten() {
        if !needed.contains(&found) {
            needed.push(found);
        }
    }
    needed
}

/// What `ways` need of which `enough` have to do: nothing where so many get by without.
fn some<'d>(ways: Vec<Needed<'d>>, enough: usize) -> Needed<'d> {
    let free = ways.iter().filter(|needed| needed.is_empty()).count();
    if free >= enough { Needed::new() } else { all(ways) }
}

impl<'d> Windows<'_, 'd> {
    fn requirement(&mut self, check: &Check<'d>, requirement: &'d Requirement) -> Needed<'d> {
        match requirement {
            Requirement::AllOf(list) => all(self.requirements(check, list)),
            Requirement::AnyOf(list) => some(self.requirements(check, list), 1),
            Requirement::AtLeast(rule) => self.at_least(check, rule),
            Requirement::Not(inner) => self.requirement(check, inner),
            Requirement::Labelled(rule) => self.requirement(check, &rule.requirement),
            Requirement::Shared(key) => {
                let shared = check.document.requirements.iter().find(|known| known.key == *key);
                shared.map_or_else(Needed::new, |shared| self.named((Named::Shared, key), |windows| windows.requirement(check, &shared.requirement)))
            }
            Requirement::Metric(rule) => match (&rule.metric, &rule.value) {
                (Some(key), _) => self.metric(check, key),
                (None, Some(value)) => self.operand(check, value, None),
                (None, None) => Needed::new(),
            },
            Requirement::When(rule) => self.requirement(check, &rule.requirement),
            // Streaks and days of a window are judged on other days; the rest measures nothing.
            _ => Needed::new(),
        }
    }

    fn requirements(&mut self, check: &Check<'d>, list: &'d [Requirement]) -> Vec<Needed<'d>> {
        list.iter().map(|inner| self.requirement(check, inner)).collect()
    }

    fn at_least(&mut self, check: &Check<'d>, rule: &'d AtLeast) -> Needed<'d> {
        let parts = self.requirements(check, &rule.of);
        let subset = rule.including.as_ref().map_or_else(Needed::new, |subset| {
            let named = subset.items.iter().filter_map(|item| parts.get(*item as usize)).cloned();
            some(named.collect(), subset.m as usize)
        });
        all([some(parts, rule.n as usize), subset])
    }

    fn named(&mut self, name: (Named, &'d str), find: impl FnOnce(&mut Self) -> Needed<'d>) -> Needed<'d> {
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        self.known.insert(name, Needed::new());
        let found = find(self);
        self.known.insert(name, found.clone());
        found
    }

    fn metric(&mut self, check: &Check<'d>, key: &str) -> Needed<'d> {
        let Some(metric) = check.document.metrics.iter().find(|known| known.key == key) else { return Needed::new() };
        self.named((Named::Metric, &metric.key), |windows| match (&metric.measure, &metric.formula) {
            (Some(measure), _) => windows.measure(measure, Some(&metric.key)),
            (None, Some(formula)) => windows.formula(check, formula, Some(&metric.key)),
            (None, None) => Needed::new(),
        })
    }

    /// A measure to date; any other finds on a review what it finds on other days.
    fn measure(&self, measure: &'d Measure, of: Option<&'d str>) -> Needed<'d> {
        (self.misfit)(&measure.window).then_some((of, &measure.window)).into_iter().collect()
    }

    fn operand(&mut self, check: &Check<'d>, operand: &'d Operand, of: Option<&'d str>) -> Needed<'d> {
        match operand {
            Operand::Metric(key) => self.metric(check, key),
            Operand::Measure(measure) => self.measure(measure, of),
            Operand::Formula(formula) => self.formula(check, formula, of),
            Operand::Constant(_) => Needed::new(),
        }
    }

    fn operands(&mut self, check: &Check<'d>, operands: impl IntoIterator<Item = &'d Operand>, of: Option<&'d str>) -> Vec<Needed<'d>> {
        operands.into_iter().map(|operand| self.operand(check, operand, of)).collect()
    }

    fn formula(&mut self, check: &Check<'d>, formula: &'d Formula, of: Option<&'d str>) -> Needed<'d> {
        // A number that is added is no other way to a threshold.
        let measured = |operand: &&Operand| !matches!(operand, Operand::Constant(_));
        match formula {
            Formula::Sum(sum) => some(self.operands(check, sum.terms.iter().map(|term| &term.value).filter(measured), of), 1),
            Formula::Average(list) => some(self.operands(check, list.iter().filter(measured), of), 1),
            Formula::Minimum(list) => all(self.operands(check, list, of)),
            Formula::Ratio(ratio) => all(self.operands(check, [&ratio.numerator, &ratio.denominator], of)),
            Formula::Difference(difference) => self.operand(check, &difference.from, of),
            // Of several the best may be taken: one that is empty hurts nobody.
            Formula::Maximum(_) | Formula::Choice(_) => Needed::new(),
            Formula::Growth(growth) => self.operand(check, &growth.of, of),
            Formula::PercentileRank(rank) | Formula::Rank(rank) | Formula::CohortMean(rank) => self.operand(check, &rank.of, of),
        }
    }
}

/// Whether every review falls on the first day of the window's unit.
fn always_first(reviews: ReviewDays, (year, unit): (FiscalYear, CalendarUnit)) -> bool {
    let Some(first) = Date::of(2023, 1, 1) else { return false };
    reviews.between(Span::new(first, first.plus_months(48))).all(|day| year.start_of(unit, day) == day)
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
        let stated = [(policy.cadence_up, policy.review_day_up), (policy.cadence_down, policy.review_day_down)];
        let reviews: Vec<ReviewDays> =
            stated.map(|(cadence, day)| ReviewDays::new(cadence, day, year)).into_iter().filter(|days| days.unit().is_some()).collect();
        let on_first_day = |window: &Window| {
            let Some(asked) = to_date(window, fiscal) else { return false };
            reviews.iter().any(|reviews| always_first(*reviews, asked))
        };
        for (member, requirement) in [("requirement", &tier.requirement), ("homeRegionRequirement", &tier.home_region_requirement)] {
            let Some(requirement) = requirement else { continue };
            let mut windows = Windows { misfit: &on_first_day, known: BTreeMap::new() };
            for (metric, window) in windows.requirement(self, requirement) {
                let Some((_, unit)) = to_date(window, fiscal) else { continue };
                let what = metric.map_or_else(|| "a measure".to_owned(), |metric| format!("metric {metric}"));
                let message = format!(
                    "{what} looks at the current {} to date, and a review falls on its first day, when it holds that day only: write `which: PREVIOUS`, or review continuously",
                    word(unit)
                );
                self.fault("WINDOW_MISFIT", format!("{path}.{member}"), message);
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

/// Of a window of the current unit to date the year that it belongs to, and the unit.
fn to_date(window: &Window, fiscal: FiscalYear) -> Option<(FiscalYear, CalendarUnit)> {
    let (year, asked) = match window {
        Window::Calendar(asked) => (FiscalYear::CALENDAR, asked),
        Window::Fiscal(asked) => (fiscal, asked),
        // The last one, with the current one as one of them.
        Window::Rolling(rolling) if rolling.alignment == Alignment::Aligned && rolling.include_current && rolling.offset == 0 => {
            let unit = match (rolling.months, rolling.quarters, rolling.years) {
                (Some(1), None, None) => CalendarUnit::Month,
                (None, Some(1), None) => CalendarUnit::Quarter,
                (None, None, Some(1)) => CalendarUnit::Year,
                _ => return None,
            };
            return Some((FiscalYear::CALENDAR, unit));
        }
        _ => return None,
    };
    matches!(asked.which, Which::ToDate).then_some((year, asked.unit))
}
