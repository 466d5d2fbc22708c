//! Civil dates in the program's time zone, and half-open spans of them (semantics 1).

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::fault::Fault;

/// A civil date from 1900-01-01 to 2999-12-31, spelled `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl Date {
    /// The first date there is.
    pub const MIN: Self = Self::constant(1900, 1, 1);
    /// The last date there is.
    pub const MAX: Self = Self::constant(2999, 12, 31);

    const fn constant(year: i32, month: u32, day: u32) -> Self {
        match NaiveDate::from_ymd_opt(year, month, day) {
            Some(date) => Self(date),
            None => Self(NaiveDate::MIN),
        }
    }

    /// The date of year, month and day, if there is one.
    pub fn of(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self).filter(|date| (Self::MIN..=Self::MAX).contains(date))
    }

    /// From chrono's date; dates outside the range are clamped to it.
    pub fn from_naive(date: NaiveDate) -> Self {
        Self(date).clamp(Self::MIN, Self::MAX)
    }

    /// As chrono's date.
    pub const fn naive(self) -> NaiveDate {
        self.0
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month, from 1.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u32 {
        self.0.day()
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus_days(1)
    }

    /// `days` later, or earlier when negative; stays inside the range of dates.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let span = Days::new(days.unsigned_abs());
        let moved = if days < 0 { self.0.checked_sub_days(span) } else { self.0.checked_add_days(span) };
        Self(moved.unwrap_or(if days < 0 { Self::MIN.0 } else { Self::MAX.0 })).clamp(Self::MIN, Self::MAX)
    }

    /// `months` later, or earlier when negative; a day that the month lacks becomes its last (semantics 2).
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let span = Months::new(months.unsigned_abs());
        let moved = if months < 0 { self.0.checked_sub_months(span) } else { self.0.checked_add_months(span) };
        Self(moved.unwrap_or(if months < 0 { Self::MIN.0 } else { Self::MAX.0 })).clamp(Self::MIN, Self::MAX)
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self(self.0.with_day(1).unwrap_or(self.0))
    }

    /// Days from `earlier` to this date.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }
}

impl FromStr for Date {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::new("INVALID_DATE", "", "not a date: write it as YYYY-MM-DD, from 1900-01-01 to 2999-12-31");
        let shape = text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !shape {
            return Err(bad());
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| Self::of(date.year(), date.month(), date.day())).ok_or_else(bad)
    }
}

impl Date {
    /// `YYYY-MM-DD`. Dates are spelled by the thousand: by hand, since chrono reads its format anew for each.
    fn spelled(self) -> [u8; 10] {
        let (year, month, day) = (self.0.year().unsigned_abs(), self.0.month(), self.0.day());
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0);
        [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), b'-', digit(month / 10), digit(month), b'-', digit(day / 10), digit(day)]
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.spelled()).unwrap_or_default())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.spelled()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault: Fault| D::Error::custom(fault.message))
    }
}

impl JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "A civil date in the program's time zone." })
    }
}

/// How long something lasts: so many days, or so many months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Days.
    Days(u32),
    /// Months; a day that the month lacks becomes its last (semantics 2).
    Months(u32),
}

impl Length {
    /// Of two members of which a document states one.
    pub const fn stated(days: Option<u32>, months: Option<u32>) -> Option<Self> {
        match (days, months) {
            (Some(days), _) => Some(Self::Days(days)),
            (None, Some(months)) => Some(Self::Months(months)),
            (None, None) => None,
        }
    }

    /// The day so long after a date.
    #[must_use]
    pub fn after(self, date: Date) -> Date {
        match self {
            Self::Days(days) => date.plus_days(days.into()),
            Self::Months(months) => date.plus_months(i32::try_from(months).unwrap_or(i32::MAX)),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Days(days) => (days, "day"),
            Self::Months(months) => (months, "month"),
        };
        write!(f, "{count} {unit}{}", if *count == 1 { "" } else { "s" })
    }
}

/// A half-open span of dates: `from` belongs to it, `until` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Date,
}

impl Span {
    /// All dates.
    pub const ALWAYS: Self = Self { from: Date::MIN, until: Date::MAX };

    /// From `from` up to, and without, `until`.
    pub const fn new(from: Date, until: Date) -> Self {
        Self { from, until }
    }

    /// The month that begins with a day.
    #[must_use]
    pub fn month_from(first: Date) -> Self {
        Self { from: first, until: first.plus_months(1) }
    }

    /// One day.
    #[must_use]
    pub fn day(day: Date) -> Self {
        Self { from: day, until: day.next() }
    }

    /// Whether `date` lies in it.
    pub fn contains(self, date: Date) -> bool {
        self.from <= date && date < self.until
    }

    /// Whether no date lies in it.
    pub fn is_empty(self) -> bool {
        self.until <= self.from
    }

    /// The dates in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// The last day that lies in it.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.until.plus_days(-1)
    }

    /// Number of days.
    pub fn days(self) -> i64 {
        self.until.days_since(self.from).max(0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.from, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_is_a_date() {
        assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
        for bad in ["2023-02-29", "26-01-01", "2026-1-1", " 2026-01-01", "2026-01-01T00:00:00Z", "1899-12-31", "3000-01-01", "2026/01/01", ""] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }

    #[test]
    fn months_clamp_to_the_end() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(date("2024-03-31").plus_months(-1), date("2024-02-29"));
        assert_eq!(date("2024-02-29").plus_months(12), date("2025-02-28"));
        assert_eq!(date("2999-12-31").next(), Date::MAX);
    }
}
