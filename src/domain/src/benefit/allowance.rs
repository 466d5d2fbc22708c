//! The period of an allowance, and the part of it for a partner that starts inside it.

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::benefit::{AllowancePeriod, Benefit, BenefitValue};
use crate::document::metric::CalendarUnit;
use crate::exact::{Exact, Overflow};
use crate::money::{Number, QUANTITY_PLACES};
use crate::period::FiscalYear;
use crate::rounding::RoundingMode;

/// The period that an allowance is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowanceWindow {
    /// Its length.
    pub period: AllowancePeriod,
    /// Its days around the date; none where it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// How the whole allowance became the part for this period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proration: Option<Proration>,
}

/// The part of a period that was left when the partner started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proration {
    /// The allowance of a whole period.
    pub full: Number,
    /// Days from the start to the period's end.
    pub days: i64,
    /// Days of the period.
    pub of_days: i64,
}

/// The days of the period around `date`.
fn days_of(period: AllowancePeriod, fiscal_year: FiscalYear, date: Date) -> Option<Span> {
    match period {
        AllowancePeriod::Month => Some(FiscalYear::CALENDAR.unit_of(CalendarUnit::Month, date)),
        AllowancePeriod::Quarter => Some(FiscalYear::CALENDAR.unit_of(CalendarUnit::Quarter, date)),
        AllowancePeriod::Year => Some(FiscalYear::CALENDAR.unit_of(CalendarUnit::Year, date)),
        AllowancePeriod::FiscalYear => Some(fiscal_year.unit_of(CalendarUnit::Year, date)),
        AllowancePeriod::Unbounded => None,
    }
}

/// The allowance of the period around `as_of` for a partner enrolled since `start`. A part is rounded down: to whole units
/// where the whole allowance is whole, else to millionths, so that no part ever exceeds what the days are worth.
pub(super) fn for_period(
    benefit: &Benefit,
    value: BenefitValue,
    fiscal_year: FiscalYear,
    start: Option<Date>,
    as_of: Date,
) -> Result<(BenefitValue, AllowanceWindow), Overflow> {
    let period = benefit.period.unwrap_or(AllowancePeriod::Year);
    let span = days_of(period, fiscal_year, as_of);
    let whole = AllowanceWindow { period, span, proration: None };
    let (Some(days), Some(start), BenefitValue::Allowance(full), true) = (span, start, &value, benefit.prorated) else {
        return Ok((value, whole));
    };
    if start <= days.from {
        return Ok((value, whole));
    }
    let left = Span::new(start, days.until).days();
    let share = Exact::ratio(left.into(), days.days().into()).ok_or(Overflow)?;
    let places = if full.0.is_whole() { 0 } else { QUANTITY_PLACES };
    let part = RoundingMode::Down.round_scaled(&full.0.mul(&share)?, places)?;
    let proration = Proration { full: full.clone(), days: left, of_days: days.days() };
    Ok((BenefitValue::Allowance(Number(Exact::scaled(part.into(), places))), AllowanceWindow { proration: Some(proration), ..whole }))
}
