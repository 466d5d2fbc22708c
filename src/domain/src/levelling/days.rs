//! The calendar of reviews: on which days a policy decides, and which is the next one. Whatever asks for review days asks here.

use super::decide::policy;
use super::record::{history, region_of};
use crate::date::{Date, Span};
use crate::document::ladder::{Cadence, Ladder, ReviewDay, ReviewPolicy, ReviewYears};
use crate::document::metric::CalendarUnit;
use crate::metric::At;
use crate::period::FiscalYear;
use crate::requirement::enrolled_since;

/// A ratchet turns a continuous downward review into a yearly one.
pub(crate) const fn cadence_down(policy: &ReviewPolicy) -> Cadence {
    match policy.cadence_down {
        Cadence::Continuous | Cadence::Daily if policy.ratchet => Cadence::Annual,
        cadence => cadence,
    }
}

/// Of what a cadence names one day; none where it names no days.
pub(crate) const fn unit(cadence: Cadence) -> Option<CalendarUnit> {
    match cadence {
        Cadence::Monthly => Some(CalendarUnit::Month),
        Cadence::Quarterly => Some(CalendarUnit::Quarter),
        Cadence::SemiAnnual => Some(CalendarUnit::Half),
        Cadence::Annual => Some(CalendarUnit::Year),
        Cadence::Continuous | Cadence::Daily | Cadence::Never => None,
    }
}

/// The year by whose parts a tier is reviewed.
fn review_year(policy: &ReviewPolicy, ladder: &Ladder, rank: u32, at: &At<'_>, fiscal_year: FiscalYear) -> FiscalYear {
    let for_all = if policy.fiscal { fiscal_year } else { FiscalYear::CALENDAR };
    let start = match policy.years_from {
        None => None,
        Some(ReviewYears::Enrollment) => enrolled_since(at),
        Some(ReviewYears::FirstReached) => {
            let records = history(ladder, at.partner, region_of(ladder, at));
            let reached = records.iter().filter(|held| rank > 0 && held.rank >= rank && held.span.from <= at.as_of).map(|held| held.span.from).min();
            reached.map(|reached| for_all.start_of(CalendarUnit::Quarter, reached))
        }
    };
    start.map_or(for_all, FiscalYear::beginning)
}

/// The days of one cadence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReviewDays {
    cadence: Cadence,
    year: FiscalYear,
    day: ReviewDay,
}

impl ReviewDays {
    /// Those of a cadence in a year.
    pub(crate) const fn new(cadence: Cadence, day: ReviewDay, year: FiscalYear) -> Self {
        Self { cadence, year, day }
    }

    /// The days of a policy on which one may go up, in a year.
    pub(super) const fn up_in(policy: &ReviewPolicy, year: FiscalYear) -> Self {
        Self::new(policy.cadence_up, policy.review_day_up, year)
    }

    /// The days of a policy on which one may go down, in a year.
    pub(super) const fn down_in(policy: &ReviewPolicy, year: FiscalYear) -> Self {
        Self::new(cadence_down(policy), policy.review_day_down, year)
    }

    /// The days on which the tier of a rank may be reached.
    pub(super) fn up(ladder: &Ladder, rank: u32, at: &At<'_>, fiscal_year: FiscalYear) -> Self {
        let policy = policy(ladder, rank);
        Self::up_in(policy, review_year(policy, ladder, rank, at, fiscal_year))
    }

    /// The days on which the tier of a rank may be lost.
    pub(super) fn down(ladder: &Ladder, rank: u32, at: &At<'_>, fiscal_year: FiscalYear) -> Self {
        let policy = policy(ladder, rank);
        Self::down_in(policy, review_year(policy, ladder, rank, at, fiscal_year))
    }

    /// Of what one day is named; none where every day is one, or none.
    pub(crate) const fn unit(self) -> Option<CalendarUnit> {
        unit(self.cadence)
    }

    /// Whether reviews fall on this day of their unit.
    pub(super) fn is_on(self, day: ReviewDay) -> bool {
        self.day == day
    }

    /// Whether there is never a review.
    pub(super) fn is_never(self) -> bool {
        self.cadence == Cadence::Never
    }

    /// Whether a review falls on `date`.
    pub(super) fn due(self, date: Date) -> bool {
        self.on_or_after(date) == Some(date)
    }

    /// The first review on or after `date`.
    pub(super) fn on_or_after(self, date: Date) -> Option<Date> {
        let Some(unit) = self.unit() else { return (!self.is_never()).then_some(date) };
        let present = self.year.unit_of(unit, date);
        let day = [present.from, present.until].map(|start| self.day.in_unit(start)).into_iter().find(|day| *day >= date);
        // No unit begins after the last date that there is.
        Some(day.unwrap_or(date))
    }

    /// The first review after `date`, where reviews are dated at all.
    pub(super) fn next_after(self, date: Date) -> Option<Date> {
        self.unit().and_then(|_| self.on_or_after(date.next()))
    }

    /// The reviews in a span, where they are dated at all.
    pub(crate) fn between(self, span: Span) -> impl Iterator<Item = Date> {
        let first = self.unit().and_then(|_| self.on_or_after(span.from));
        let later = move |day: &Date| self.next_after(*day).filter(|next| next > day);
        std::iter::successors(first, later).take_while(move |day| *day < span.until)
    }

    /// The days in a span on which the review of somebody may fall whose year begins with a quarter, whichever that is.
    pub(super) fn of_any_quarter(self, span: Span) -> impl Iterator<Item = Date> {
        // The day may be as late as the last one of the year that begins with the quarter.
        let starts = Self::new(Cadence::Quarterly, ReviewDay::FIRST, self.year).between(Span::new(span.from.plus_months(-12), span.until));
        starts.map(move |start| self.day.in_unit(start)).filter(move |day| span.contains(*day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn of_year(cadence: Cadence, month: u32, day: u32) -> ReviewDays {
        ReviewDays::new(cadence, ReviewDay { month, day }, FiscalYear::CALENDAR)
    }

    #[test]
    fn a_review_falls_on_its_day_and_not_on_the_days_beside_it() {
        let february = of_year(Cadence::Annual, 2, 15);
        assert_eq!(["2024-02-14", "2024-02-15", "2024-02-16", "2024-01-01"].map(|day| february.due(date(day))), [false, true, false, false]);
        let next = ["2024-02-14", "2024-02-15", "2024-02-16"].map(|day| february.next_after(date(day)).unwrap().to_string());
        assert_eq!(next, ["2024-02-15", "2025-02-15", "2025-02-15"]);
        let days =
            |reviews: ReviewDays, from: &str, until: &str| reviews.between(Span::new(date(from), date(until))).map(|day| day.to_string()).collect::<Vec<_>>();
        assert_eq!(days(of_year(Cadence::Annual, 2, 29), "2023-01-01", "2026-01-01"), ["2023-02-28", "2024-02-29", "2025-02-28"]);
        assert_eq!(days(of_year(Cadence::Monthly, 1, 31), "2024-01-31", "2024-05-01"), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]);
        let april = ReviewDays::new(Cadence::Quarterly, ReviewDay { month: 2, day: 1 }, FiscalYear { month: 4, day: 6 });
        assert_eq!(days(april, "2024-04-06", "2025-01-01"), ["2024-05-06", "2024-08-06", "2024-11-06"]);
        assert_eq!(days(of_year(Cadence::Continuous, 1, 1), "2024-01-01", "2024-02-01"), Vec::<String>::new());
        assert_eq!(of_year(Cadence::Annual, 2, 15).on_or_after(Date::MAX), Some(Date::MAX));
    }

    fn reviews() -> impl Strategy<Value = ReviewDays> {
        let cadence = prop::sample::select(vec![Cadence::Monthly, Cadence::Quarterly, Cadence::SemiAnnual, Cadence::Annual]);
        (cadence, 0_u32..12, 1_u32..32, 1_u32..13, 1_u32..29).prop_map(|(cadence, month, day, first_month, first_day)| {
            let months = unit(cadence).map_or(1, CalendarUnit::months).unsigned_abs();
            ReviewDays::new(cadence, ReviewDay { month: month % months + 1, day }, FiscalYear { month: first_month, day: first_day })
        })
    }

    proptest! {
        /// Every unit has one review; listing them, asking day by day, and asking for the next one give the same days.
        #[test]
        fn every_unit_has_one_review(reviews in reviews(), offset in 0_i64..1500) {
            let start = reviews.year.start_of(reviews.unit().unwrap(), date("2023-01-01").plus_days(offset));
            let unit = reviews.year.unit_of(reviews.unit().unwrap(), start);
            let due = |span: Span| (0..span.days()).map(|day| span.from.plus_days(day)).filter(|day| reviews.due(*day)).collect::<Vec<_>>();
            prop_assert_eq!(due(unit).len(), 1);
            let span = Span::new(unit.from.plus_days(offset % 40), unit.until.plus_months(7));
            prop_assert_eq!(reviews.between(span).collect::<Vec<_>>(), due(span));
            let day = date("2023-01-01").plus_days(offset);
            let next = reviews.next_after(day).unwrap();
            prop_assert_eq!(due(Span::new(day.next(), next.next())), vec![next]);
        }

        /// A year that begins with a quarter has its reviews among those of any quarter.
        #[test]
        fn the_reviews_of_a_quarter_are_among_those_of_any(reviews in reviews(), quarter in 0_i32..4, offset in 0_i64..800) {
            prop_assume!(reviews.cadence != Cadence::Monthly);
            let first = reviews.year.year_start(date("2024-06-01")).plus_months(3 * quarter);
            let own = ReviewDays { year: FiscalYear::beginning(first), ..reviews };
            let from = date("2023-01-01").plus_days(offset);
            let span = Span::new(from, from.plus_months(8));
            let any: Vec<Date> = reviews.of_any_quarter(span).collect();
            prop_assert!(own.between(span).all(|day| any.contains(&day)));
        }
    }
}
