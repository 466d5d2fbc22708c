//! Which days a rule looks at, seen from the date of its evaluation (semantics 2).
//!
//! As of D means the end of day D, so a window to date ends with D, which is `D + 1` of a half-open span.

use crate::date::{Date, Length, Span};
use crate::document::metric::{Alignment, CalendarUnit, CalendarWindow, CustomYearWindow, RollingWindow, Which, Window};
use crate::period::FiscalYear;
use crate::program::Program;

/// The unit of a rolling window, and how many.
#[derive(Clone, Copy)]
enum RollingLength {
    Days(i64),
    Months { unit: CalendarUnit, count: i32 },
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 1000).min(i32::MAX / 1000)
}

fn length(window: &RollingWindow) -> RollingLength {
    let months = |unit, count| RollingLength::Months { unit, count: signed(count) };
    match (window.days, window.months, window.quarters, window.years) {
        (Some(days), ..) => RollingLength::Days(days.into()),
        (_, Some(count), ..) => months(CalendarUnit::Month, count),
        (_, _, Some(count), _) => months(CalendarUnit::Quarter, count),
        (.., Some(count)) => months(CalendarUnit::Year, count),
        _ => RollingLength::Days(0),
    }
}

fn rolling(window: &RollingWindow, as_of: Date) -> Span {
    let end = as_of.next();
    match (length(window), window.alignment) {
        (RollingLength::Days(days), _) => {
            let offset = i64::from(window.offset);
            Span::new(end.plus_days(-(days + offset)), end.plus_days(-offset))
        }
        (RollingLength::Months { unit, count }, Alignment::Sliding) => {
            let months = unit.months();
            let offset = signed(window.offset);
            Span::new(end.plus_months(-(count + offset) * months), end.plus_months(-offset * months))
        }
        (RollingLength::Months { unit, count }, Alignment::Aligned) => aligned(window, unit, count, as_of),
    }
}

fn aligned(window: &RollingWindow, unit: CalendarUnit, count: i32, as_of: Date) -> Span {
    let months = unit.months();
    let start = FiscalYear::CALENDAR.start_of(unit, as_of);
    let offset = signed(window.offset);
    if !window.include_current {
        return Span::new(start.plus_months(-(count + offset) * months), start.plus_months(-offset * months));
    }
    let until = if offset == 0 { as_of.next() } else { start.plus_months((1 - offset) * months) };
    Span::new(start.plus_months((1 - count - offset) * months), until)
}

fn calendar(window: &CalendarWindow, year: FiscalYear, as_of: Date) -> Span {
    let months = window.unit.months();
    let start = year.start_of(window.unit, as_of);
    let back = signed(window.back) * months;
    match window.which {
        Which::ToDate => Span::new(start.plus_months(-back), as_of.next().plus_months(-back)),
        Which::Previous => Span::new(start.plus_months(-back - signed(window.count) * months), start.plus_months(-back)),
    }
}

fn custom_year(window: &CustomYearWindow, program: &Program, as_of: Date) -> Option<Span> {
    let years = &program.document.custom_years.iter().find(|list| list.key == window.calendar)?.years;
    let begun = years.partition_point(|year| year.from <= as_of);
    let current = begun.checked_sub(1)?;
    let running = years.get(current).is_some_and(|year| as_of < year.until);
    let back = usize::try_from(window.back).ok()?;
    match window.which {
        Which::ToDate => {
            let now = years.get(current).filter(|_| running)?;
            let then = years.get(current.checked_sub(back)?)?;
            let elapsed = as_of.next().days_since(now.from);
            Some(Span::new(then.from, then.from.plus_days(elapsed).min(then.until)))
        }
        Which::Previous => {
            let last_whole = if running { current.checked_sub(1)? } else { current };
            let year = years.get(last_whole.checked_sub(back)?)?;
            Some(Span::new(year.from, year.until))
        }
    }
}

/// The first day of the partnership year that holds `as_of`, and how many came before it.
fn partnership_year(since: Date, as_of: Date) -> Option<(Date, i32)> {
    if as_of < since {
        return None;
    }
    let guess = as_of.year() - since.year();
    let begun = |years: i32| since.plus_months(years * 12);
    let years = if begun(guess) <= as_of { guess } else { guess - 1 };
    Some((begun(years), years))
}

/// The days of `window` as of `as_of`. `None`: there are none, such as the year before a partner's first.
///
/// `enrolled_since` is the first day of the partner's enrollment, for windows that are counted from it.
pub fn window_span(window: &Window, program: &Program, enrolled_since: Option<Date>, as_of: Date) -> Option<Span> {
    match window {
        Window::Rolling(window) => Some(rolling(window, as_of)),
        Window::Calendar(window) => Some(calendar(window, FiscalYear::CALENDAR, as_of)),
        Window::Fiscal(window) => Some(calendar(window, program.fiscal_year, as_of)),
        Window::CustomYear(window) => custom_year(window, program, as_of),
        Window::PartnershipYear(window) => {
            let since = enrolled_since?;
            let (start, years) = partnership_year(since, as_of)?;
            match window.which {
                Which::ToDate => Some(Span::new(start, as_of.next())),
                Which::Previous => (years > 0).then(|| Span::new(since.plus_months((years - 1) * 12), start)),
            }
        }
        Window::SinceEnrollment(window) => {
            let since = enrolled_since?;
            let over = Length::stated(window.days, window.months).map_or(since, |length| length.after(since));
            Some(Span::new(since, over.min(as_of.next())))
        }
        Window::Lifetime {} => Some(Span::new(Date::MIN, as_of.next())),
        Window::OnDay {} => Some(Span::new(as_of, as_of.next())),
    }
    .filter(|span| !span.is_empty())
}

/// The first date in `between` from which `reached` holds. `reached` must not fall back once it holds.
pub fn first_date(between: Span, reached: impl Fn(Date) -> bool) -> Option<Date> {
    let (mut low, mut high) = (0, between.days());
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(between.from.plus_days(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (low < between.days()).then(|| between.from.plus_days(low))
}

/// Where a window begins and ends as of each day of a span. A window's ends never move backwards, so a day enters it and leaves it
/// at most once; a custom calendar that has ended holds nothing.
pub struct WindowEnds {
    between: Span,
    begins: Vec<Date>,
    ends: Vec<Date>,
}

impl WindowEnds {
    /// Those of a window as of the days of `between`.
    pub fn new(window: &Window, program: &Program, enrolled_since: Option<Date>, between: Span) -> Self {
        let ended = |as_of: Date| match window {
            Window::CustomYear(window) => {
                let list = program.document.custom_years.iter().find(|list| list.key == window.calendar);
                list.and_then(|list| list.years.last()).is_some_and(|last| last.until <= as_of)
            }
            _ => false,
        };
        let bounds = |as_of: Date| match window_span(window, program, enrolled_since, as_of) {
            Some(span) => (span.from, span.until),
            None if ended(as_of) => (Date::MAX, Date::MAX),
            None => (Date::MIN, Date::MIN),
        };
        let (begins, ends) = (0..between.days()).map(|day| bounds(between.from.plus_days(day))).unzip();
        Self { between, begins, ends }
    }

    /// The dates of evaluation at which a day `date` enters and leaves the window.
    pub fn entry_and_exit(&self, date: Date) -> [Option<Date>; 2] {
        [&self.ends, &self.begins].map(|bounds| {
            let day = bounds.partition_point(|bound| *bound <= date);
            (day < bounds.len()).then(|| self.between.from.plus_days(i64::try_from(day).unwrap_or(i64::MAX)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn program() -> Program {
        let document = serde_json::json!({
            "guerdon": 1,
            "program": { "code": "P", "name": "P", "currency": "USD", "fiscalYearStart": "02-01" },
            "version": { "effectiveOn": "2020-01-01" },
            "customYears": [{ "key": "vendor", "years": [
                { "name": "Y1", "from": "2019-02-02", "until": "2020-02-01" }, { "name": "Y2", "from": "2020-02-01", "until": "2021-01-30" }] }],
        });
        Program::compile(serde_json::from_value(document).unwrap()).unwrap()
    }

    fn span_of(window: serde_json::Value, as_of: &str) -> Option<String> {
        let window: Window = serde_json::from_value(window).unwrap();
        window_span(&window, &program(), Some(date("2019-05-15")), date(as_of)).map(|span| span.to_string())
    }

    #[test]
    fn windows_are_what_the_document_says() {
        let cases = [
            (r#"{"rolling": {"months": 12}}"#, "2020-02-29", "2019-03-01/2020-03-01"),
            (r#"{"rolling": {"months": 1}}"#, "2020-03-30", "2020-02-29/2020-03-31"),
            (r#"{"rolling": {"days": 90}}"#, "2020-03-30", "2020-01-01/2020-03-31"),
            (r#"{"rolling": {"days": 7, "offset": 3}}"#, "2020-03-30", "2020-03-21/2020-03-28"),
            (r#"{"rolling": {"quarters": 4, "offset": 1}}"#, "2020-03-31", "2019-01-01/2020-01-01"),
            (r#"{"rolling": {"months": 6, "alignment": "ALIGNED"}}"#, "2020-03-31", "2019-09-01/2020-03-01"),
            (r#"{"rolling": {"months": 6, "alignment": "ALIGNED", "includeCurrent": true}}"#, "2020-03-05", "2019-10-01/2020-03-06"),
            (r#"{"rolling": {"years": 3, "alignment": "ALIGNED"}}"#, "2020-03-05", "2017-01-01/2020-01-01"),
            (r#"{"calendar": {"unit": "QUARTER"}}"#, "2020-03-05", "2020-01-01/2020-03-06"),
            (r#"{"calendar": {"unit": "YEAR", "which": "PREVIOUS"}}"#, "2020-03-05", "2019-01-01/2020-01-01"),
            (r#"{"calendar": {"unit": "YEAR", "back": 1}}"#, "2020-03-05", "2019-01-01/2019-03-06"),
            (r#"{"calendar": {"unit": "MONTH", "which": "PREVIOUS", "count": 3, "back": 1}}"#, "2020-03-05", "2019-11-01/2020-02-01"),
            (r#"{"fiscal": {"unit": "QUARTER", "which": "PREVIOUS", "count": 4}}"#, "2020-02-01", "2019-02-01/2020-02-01"),
            (r#"{"fiscal": {"unit": "YEAR"}}"#, "2020-01-31", "2019-02-01/2020-02-01"),
            (r#"{"customYear": {"calendar": "vendor"}}"#, "2020-01-31", "2019-02-02/2020-02-01"),
            (r#"{"customYear": {"calendar": "vendor", "which": "PREVIOUS"}}"#, "2020-02-01", "2019-02-02/2020-02-01"),
            (r#"{"customYear": {"calendar": "vendor", "which": "PREVIOUS"}}"#, "2021-05-01", "2020-02-01/2021-01-30"),
            (r#"{"partnershipYear": {}}"#, "2020-05-15", "2020-05-15/2020-05-16"),
            (r#"{"partnershipYear": {"which": "PREVIOUS"}}"#, "2020-05-15", "2019-05-15/2020-05-15"),
            (r#"{"sinceEnrollment": {"days": 90}}"#, "2019-05-15", "2019-05-15/2019-05-16"),
            (r#"{"sinceEnrollment": {"days": 90}}"#, "2019-08-11", "2019-05-15/2019-08-12"),
            (r#"{"sinceEnrollment": {"days": 90}}"#, "2019-08-12", "2019-05-15/2019-08-13"),
            (r#"{"sinceEnrollment": {"days": 90}}"#, "2019-08-13", "2019-05-15/2019-08-13"),
            (r#"{"sinceEnrollment": {"months": 12}}"#, "2020-05-13", "2019-05-15/2020-05-14"),
            (r#"{"sinceEnrollment": {"months": 12}}"#, "2020-05-14", "2019-05-15/2020-05-15"),
            (r#"{"sinceEnrollment": {"months": 12}}"#, "2025-12-31", "2019-05-15/2020-05-15"),
            (r#"{"lifetime": {}}"#, "2020-05-15", "1900-01-01/2020-05-16"),
            (r#"{"onDay": {}}"#, "2020-05-15", "2020-05-15/2020-05-16"),
        ];
        for (window, as_of, expected) in cases {
            assert_eq!(span_of(serde_json::from_str(window).unwrap(), as_of).as_deref(), Some(expected), "{window} as of {as_of}");
        }
        assert_eq!(span_of(serde_json::json!({"partnershipYear": {"which": "PREVIOUS"}}), "2020-05-14"), None);
        assert_eq!(span_of(serde_json::json!({"customYear": {"calendar": "vendor"}}), "2021-05-01"), None);
        assert_eq!(span_of(serde_json::json!({"sinceEnrollment": {"days": 90}}), "2019-05-14"), None);
    }

    fn windows() -> impl Strategy<Value = Window> {
        let texts = [
            r#"{"rolling": {"months": 12}}"#,
            r#"{"rolling": {"days": 90, "offset": 5}}"#,
            r#"{"rolling": {"months": 6, "alignment": "ALIGNED", "includeCurrent": true}}"#,
            r#"{"rolling": {"quarters": 2, "alignment": "ALIGNED"}}"#,
            r#"{"calendar": {"unit": "QUARTER"}}"#,
            r#"{"fiscal": {"unit": "HALF", "which": "PREVIOUS", "count": 2}}"#,
            r#"{"customYear": {"calendar": "vendor"}}"#,
            r#"{"partnershipYear": {"which": "PREVIOUS"}}"#,
            r#"{"sinceEnrollment": {"days": 90}}"#,
            r#"{"sinceEnrollment": {"months": 12}}"#,
            r#"{"onDay": {}}"#,
        ];
        (0..texts.len()).prop_map(move |at| serde_json::from_str(texts[at]).unwrap())
    }

    proptest! {
        #[test]
        fn no_window_looks_ahead_and_its_ends_never_move_back(window in windows(), day in 0_i64..1200) {
            let program = program();
            let as_of = date("2019-01-01").plus_days(day);
            let since = Some(date("2019-05-15"));
            let now = window_span(&window, &program, since, as_of);
            if let Some(now) = now {
                prop_assert!(now.until <= as_of.next() && now.from < now.until);
                if let Some(later) = window_span(&window, &program, since, as_of.next()) {
                    prop_assert!(now.from <= later.from && now.until <= later.until);
                }
            }
        }

        #[test]
        fn a_day_is_in_the_window_exactly_from_its_entry_to_its_exit(window in windows(), day in 0_i64..700, at in 0_i64..1200) {
            let program = program();
            let since = Some(date("2019-05-15"));
            let (fact, as_of) = (date("2019-01-01").plus_days(day), date("2019-01-01").plus_days(at));
            let between = Span::new(date("2018-01-01"), date("2024-01-01"));
            let [entry, exit] = WindowEnds::new(&window, &program, since, between).entry_and_exit(fact);
            let expected = entry.is_some_and(|entry| entry <= as_of) && exit.is_none_or(|exit| as_of < exit);
            let inside = window_span(&window, &program, since, as_of).is_some_and(|span| span.contains(fact));
            prop_assert_eq!(inside, expected, "{:?} {:?} {:?}", entry, exit, as_of);
        }
    }
}
