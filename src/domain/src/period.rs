//! The calendar of a program: its fiscal year, and the periods that schedules are paid for.

use std::str::FromStr;

use crate::date::{Date, Span};
use crate::document::metric::CalendarUnit;
use crate::document::rebate::PeriodRule;
use crate::fault::Fault;

/// The first day of a fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiscalYear {
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1 to 28.
    pub day: u32,
}

impl FiscalYear {
    /// The calendar year.
    pub const CALENDAR: Self = Self { month: 1, day: 1 };

    /// The year whose first day is that of a date: from the 28th for one later in its month.
    pub fn beginning(date: Date) -> Self {
        Self { month: date.month(), day: date.day().min(28) }
    }

    /// The start of the unit (month, quarter, half, year of this fiscal year) that holds `date`.
    pub fn start_of(self, unit: CalendarUnit, date: Date) -> Date {
        let months = unit.months();
        let year_start = self.year_start(date);
        (0..12 / months).rev().map(|index| year_start.plus_months(index * months)).find(|start| *start <= date).unwrap_or(year_start)
    }

    /// The unit that holds `date`, whole.
    pub fn unit_of(self, unit: CalendarUnit, date: Date) -> Span {
        let start = self.start_of(unit, date);
        Span::new(start, start.plus_months(unit.months()))
    }

    /// The first day of the fiscal year that holds `date`.
    pub fn year_start(self, date: Date) -> Date {
        let this = Date::of(date.year(), self.month, self.day).unwrap_or(Date::MIN);
        if this <= date { this } else { this.plus_months(-12) }
    }

    /// The year that a fiscal year is called by: that of its last day.
    fn called(self, start: Date) -> i32 {
        start.plus_months(12).plus_days(-1).year()
    }

    /// What the unit that begins on `start` is called: `2020-03`, `2020-Q1`, `2020-H1`, `2020`; where the year is another one than the
    /// calendar's `FY2020-Q1`, `FY2020-H1`, `FY2020`.
    pub fn name(self, unit: CalendarUnit, start: Date) -> String {
        let year_start = self.year_start(start);
        let called = self.called(year_start);
        let prefix = if self == Self::CALENDAR { "" } else { "FY" };
        let months = (start.year() - year_start.year()) * 12 + start.month().cast_signed() - year_start.month().cast_signed();
        match unit {
            CalendarUnit::Month => format!("{:04}-{:02}", start.year(), start.month()),
            CalendarUnit::Quarter => format!("{prefix}{called:04}-Q{}", months / 3 + 1),
            CalendarUnit::Half => format!("{prefix}{called:04}-H{}", months / 6 + 1),
            CalendarUnit::Year => format!("{prefix}{called:04}"),
        }
    }
}

impl FromStr for FiscalYear {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::new("INVALID_FISCAL_YEAR", "", "write the first day of the fiscal year as MM-DD, such as \"07-01\", with a day from 01 to 28");
        let (month, day) = text.split_once('-').filter(|(month, day)| month.len() == 2 && day.len() == 2).ok_or_else(bad)?;
        let (month, day) = (month.parse().map_err(|_| bad())?, day.parse().map_err(|_| bad())?);
        if (1..=12).contains(&month) && (1..=28).contains(&day) { Ok(Self { month, day }) } else { Err(bad()) }
    }
}

impl CalendarUnit {
    /// Its length in months.
    pub const fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Half => 6,
            Self::Year => 12,
        }
    }
}

/// A period that is paid for: a name and its days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// `2020-03`; `2020-Q1`, `2020-H1`, `2020` for calendar years; `FY2020-Q1`, `FY2020-H1`, `FY2020` where the fiscal year is
    /// another one, called by the year of its last day; or the name of a custom period.
    pub name: String,
    /// Its days.
    pub span: Span,
}

/// The periods of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods<'a> {
    /// How long they are.
    pub rule: &'a PeriodRule,
    /// Of which year.
    pub fiscal_year: FiscalYear,
}

impl Periods<'_> {
    /// The period that holds `date`; a custom calendar may have none.
    pub fn holding(&self, date: Date) -> Option<Period> {
        if let PeriodRule::Custom(list) = self.rule {
            let custom = list.iter().find(|period| Span::new(period.from, period.until).contains(date))?;
            return Some(Period { name: custom.name.clone(), span: Span::new(custom.from, custom.until) });
        }
        let (unit, fiscal_year) = self.unit()?;
        let span = fiscal_year.unit_of(unit, date);
        Some(Period { name: fiscal_year.name(unit, span.from), span })
    }

    /// The period of that name. Also reads `2020-01-01/2020-04-01`, if those are exactly the days of a period.
    pub fn named(&self, name: &str) -> Option<Period> {
        if let PeriodRule::Custom(list) = self.rule
            && let Some(custom) = list.iter().find(|period| period.name == name)
        {
            return Some(Period { name: custom.name.clone(), span: Span::new(custom.from, custom.until) });
        }
        if let Some((from, _)) = name.split_once('/') {
            return self.holding(from.parse().ok()?).filter(|period| period.span.to_string() == name);
        }
        let year: i32 = name.trim_start_matches("FY").get(..4)?.parse().ok()?;
        let start = Date::of(year, 1, self.fiscal_year.day)?;
        // One day of each period around the year.
        let months = (-12..24).step_by(usize::try_from(self.unit()?.0.months()).ok()?);
        months.filter_map(|month| self.holding(start.plus_months(month))).find(|period| period.name == name)
    }

    /// The unit of the calendar, and the year that it is part of; none of a custom calendar.
    const fn unit(&self) -> Option<(CalendarUnit, FiscalYear)> {
        match self.rule {
            PeriodRule::Month {} => Some((CalendarUnit::Month, FiscalYear::CALENDAR)),
            PeriodRule::Quarter {} => Some((CalendarUnit::Quarter, self.fiscal_year)),
            PeriodRule::Half {} => Some((CalendarUnit::Half, self.fiscal_year)),
            PeriodRule::Year {} => Some((CalendarUnit::Year, self.fiscal_year)),
            PeriodRule::Custom(_) => None,
        }
    }

    /// The periods whose last day lies in `span`, in order.
    pub fn ending_in(&self, span: Span) -> Vec<Period> {
        let mut periods = Vec::new();
        if let PeriodRule::Custom(list) = self.rule {
            let all = list.iter().map(|period| Period { name: period.name.clone(), span: Span::new(period.from, period.until) });
            return all.filter(|period| span.contains(period.span.last_day())).collect();
        }
        let mut date = span.from;
        while let Some(period) = self.holding(date).filter(|period| span.contains(period.span.last_day())) {
            date = period.span.until;
            periods.push(period);
        }
        periods
    }

    /// The periods whose first day lies in `span`, in order.
    pub fn beginning_in(&self, span: Span) -> Vec<Period> {
        let mut periods = Vec::new();
        if let PeriodRule::Custom(list) = self.rule {
            let all = list.iter().map(|period| Period { name: period.name.clone(), span: Span::new(period.from, period.until) });
            return all.filter(|period| span.contains(period.span.from)).collect();
        }
        let mut date = span.from;
        while let Some(period) = self.holding(date).filter(|_| date < span.until) {
            date = period.span.until;
            if span.contains(period.span.from) {
                periods.push(period);
            }
        }
        periods
    }

    /// The last period that begins before `date`.
    pub fn last_begun_before(&self, date: Date) -> Option<Period> {
        let PeriodRule::Custom(list) = self.rule else { return self.holding(date.plus_days(-1)) };
        let last = list.iter().filter(|listed| listed.from < date).max_by_key(|listed| listed.from)?;
        Some(Period { name: last.name.clone(), span: Span::new(last.from, last.until) })
    }

    /// The first period that begins on `date` or later.
    pub fn first_from(&self, date: Date) -> Option<Period> {
        let PeriodRule::Custom(list) = self.rule else {
            let held = self.holding(date)?;
            return if held.span.from == date { Some(held) } else { self.holding(held.span.until) };
        };
        let first = list.iter().filter(|listed| date <= listed.from).min_by_key(|listed| listed.from)?;
        Some(Period { name: first.name.clone(), span: Span::new(first.from, first.until) })
    }

    /// The periods of the fiscal year that holds the last day of `period`, up to that one, in order.
    pub fn of_year_to(&self, period: &Period) -> Vec<Period> {
        let year = self.fiscal_year.year_start(period.span.last_day());
        self.ending_in(Span::new(year, period.span.until))
    }

    /// The days of that fiscal year up to the end of `period`, from the first day of its first period if that begins before it.
    pub fn year_to(&self, period: &Period) -> Span {
        let year = self.fiscal_year.year_start(period.span.last_day());
        let first = self.of_year_to(period).first().map_or(period.span.from, |first| first.span.from);
        Span::new(year.min(first), period.span.until)
    }

    /// The period before `period`, of the same schedule. Of a custom calendar: the last one listed that ends before it begins, also
    /// across a gap.
    pub fn before(&self, period: &Period) -> Option<Period> {
        let PeriodRule::Custom(list) = self.rule else { return self.holding(period.span.from.plus_days(-1)) };
        let earlier = list.iter().filter(|listed| listed.until <= period.span.from).max_by_key(|listed| listed.until)?;
        Some(Period { name: earlier.name.clone(), span: Span::new(earlier.from, earlier.until) })
    }

    /// The same period a year earlier. Of a custom calendar: the one that holds the day a year before its first; where it lists none,
    /// the same days a year earlier, which have no name.
    pub fn year_before(&self, period: &Period) -> Option<Period> {
        let from = period.span.from.plus_months(-12);
        let same_days = || Period { name: String::new(), span: Span::new(from, period.span.until.plus_months(-12)) };
        self.holding(from).or_else(|| matches!(self.rule, PeriodRule::Custom(_)).then(same_days))
    }
}

/// Names of custom periods that a message spells out at most.
const SPELLED_MAX: usize = 5;

/// The periods of these rules that hold a date, in the order of the rules, each once.
pub(crate) fn periods_holding<'a>(rules: impl Iterator<Item = &'a PeriodRule>, fiscal_year: FiscalYear, date: Date) -> Vec<Period> {
    let mut found: Vec<Period> = Vec::new();
    for period in rules.filter_map(|rule| Periods { rule, fiscal_year }.holding(date)) {
        if !found.iter().any(|known| known.name == period.name) {
            found.push(period);
        }
    }
    found
}

/// That nobody has a period, in words (`nobody has` it): with the periods that are there instead, or those of the custom calendars among these
/// rules, as they are spelled here.
pub(crate) fn no_such_period<'a>(nobody_has: &str, rules: impl Iterator<Item = &'a PeriodRule>, instead: Vec<Period>) -> String {
    let mut names: Vec<String> = instead.into_iter().map(|period| period.name).collect();
    let custom = rules.filter_map(|rule| match rule {
        PeriodRule::Custom(list) => Some(list.iter().map(|period| period.name.clone())),
        _ => None,
    });
    names.extend(custom.flatten().take(if names.is_empty() { SPELLED_MAX } else { 0 }));
    let spelled: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if spelled.is_empty() {
        return "the program has no rebate schedules, and so no periods".to_owned();
    }
    format!("{nobody_has} such a period: they are spelled here as {}", spelled.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn calendar_quarters_are_named_plainly() {
        let rule = PeriodRule::Quarter {};
        let periods = Periods { rule: &rule, fiscal_year: FiscalYear::CALENDAR };
        let period = periods.holding(date("2020-03-31")).unwrap();
        assert_eq!((period.name.as_str(), period.span), ("2020-Q1", Span::new(date("2020-01-01"), date("2020-04-01"))));
        assert_eq!(periods.named("2020-Q1"), Some(period.clone()));
        assert_eq!(periods.named("2020-01-01/2020-04-01"), Some(period.clone()));
        assert_eq!(periods.before(&period).unwrap().name, "2019-Q4");
        assert_eq!(periods.named("2020-Q5"), None);
        assert_eq!(periods.named("2020-02-01/2020-04-01"), None);
    }

    #[test]
    fn fiscal_periods_are_called_by_the_year_of_their_last_day() {
        let july: FiscalYear = "07-01".parse().unwrap();
        let rule = PeriodRule::Quarter {};
        let periods = Periods { rule: &rule, fiscal_year: july };
        assert_eq!(periods.holding(date("2019-07-01")).unwrap().name, "FY2020-Q1");
        assert_eq!(periods.holding(date("2020-06-30")).unwrap().name, "FY2020-Q4");
        assert_eq!(periods.named("FY2020-Q4").unwrap().span, Span::new(date("2020-04-01"), date("2020-07-01")));
        let rule = PeriodRule::Year {};
        let years = Periods { rule: &rule, fiscal_year: july };
        assert_eq!(years.named("FY2020").unwrap().span.from, date("2019-07-01"));
        let rule = PeriodRule::Month {};
        let months = Periods { rule: &rule, fiscal_year: july };
        assert_eq!(months.named("2020-02").unwrap().span.days(), 29);
        assert_eq!(months.ending_in(Span::new(date("2020-01-01"), date("2020-07-01"))).len(), 6);
        assert!("13-01".parse::<FiscalYear>().is_err() && "02-29".parse::<FiscalYear>().is_err());
    }

    #[test]
    fn the_period_before_a_gap_is_the_last_one_listed() {
        let listed = |name: &str, from: &str, until: &str| serde_json::json!({ "name": name, "from": from, "until": until });
        let list = [listed("X1", "2024-01-01", "2024-02-01"), listed("X2", "2024-03-01", "2024-04-01"), listed("X3", "2024-04-01", "2024-05-01")];
        let rule: PeriodRule = serde_json::from_value(serde_json::json!({ "custom": list })).unwrap();
        let periods = Periods { rule: &rule, fiscal_year: FiscalYear::CALENDAR };
        let before = |name: &str| periods.before(&periods.named(name).unwrap()).map(|period| period.name);
        assert_eq!((before("X1"), before("X2"), before("X3")), (None, Some("X1".to_owned()), Some("X2".to_owned())));
    }

    #[test]
    fn a_fiscal_year_may_start_inside_a_month() {
        let april: FiscalYear = "04-06".parse().unwrap();
        let rule = PeriodRule::Quarter {};
        let periods = Periods { rule: &rule, fiscal_year: april };
        assert_eq!(periods.holding(date("2020-04-05")).unwrap().span, Span::new(date("2020-01-06"), date("2020-04-06")));
        assert_eq!(periods.named("FY2021-Q1").unwrap().span.from, date("2020-04-06"));
    }
}
