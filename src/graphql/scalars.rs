//! Scalars and values of one spelling, both ways. Numbers travel as strings: a JSON number loses digits on its way.

use async_graphql::{InputObject, InputType, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use chrono::{DateTime as Moment, Datelike as _, SecondsFormat, Utc};
use guerdon_domain::date::Date;
use guerdon_domain::exact::{self, Exact};
use guerdon_domain::fault::Fault;
use guerdon_domain::money;
use guerdon_domain::rounding::RoundingMode;

/// Digits before the point of a decimal (semantics 24).
const INTEGER_DIGITS: usize = 15;
/// Digits behind the point of a decimal.
const DECIMALS: usize = 10;

fn text_of<T: ScalarType + InputType>(value: Value, what: &str) -> Result<String, InputValueError<T>> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(InputValueError::custom(format!("{what} is written as a string, in quotes"))),
    }
}

fn refuse<T: ScalarType + InputType>(fault: Fault) -> InputValueError<T> {
    InputValueError::custom(fault.message)
}

/// A decimal number, kept as it is spelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// The shortest spelling of `value`. What does not end within ten places is rounded half up to ten.
    pub fn of(value: &Exact) -> Self {
        let places = u32::try_from(DECIMALS).unwrap_or(0);
        let rounded = || RoundingMode::HalfUp.round_scaled(value, places).map(|scaled| exact::spell(scaled.into(), places, true));
        Self(value.to_decimal(places).or_else(|| rounded().ok()).unwrap_or_else(|| value.floor().to_string()))
    }

    /// An amount of money with exactly its currency's decimals.
    pub fn amount(value: money::Money) -> Self {
        Self(value.amount())
    }

    /// As it is spelled.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The number.
    pub fn exact(&self) -> Result<Exact, Fault> {
        Exact::parse(&self.0, INTEGER_DIGITS, DECIMALS)
    }
}

/// A decimal number as a string, such as `"12.50"`: an optional minus, digits without leading zeros, optionally a point and
/// digits; at most 15 digits before and 10 behind the point. A number that does not end within 10 places is answered rounded
/// half up.
#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text_of(value, "a Decimal")?;
        Exact::parse(&text, INTEGER_DIGITS, DECIMALS).map_err(refuse)?;
        Ok(Self(text))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GqlDate(pub Date);

impl From<Date> for GqlDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl From<GqlDate> for Date {
    fn from(date: GqlDate) -> Self {
        date.0
    }
}

/// A civil date in the program's time zone, spelled `YYYY-MM-DD`, from 1900-01-01 to 2999-12-31.
#[Scalar(name = "Date", specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for GqlDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        text_of(value, "a Date")?.parse().map(Self).map_err(refuse)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub Moment<Utc>);

impl From<Moment<Utc>> for DateTime {
    fn from(moment: Moment<Utc>) -> Self {
        Self(moment)
    }
}

/// A moment: RFC 3339 with an offset, years 1900 to 2999. Answered in UTC with milliseconds, such as
/// `2026-01-31T12:00:00.000Z`.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = text_of(value, "a DateTime")?;
        let bad = || InputValueError::custom("a DateTime is written as RFC 3339 with an offset, such as 2026-01-31T12:00:00Z");
        let shape = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && text.bytes().take(4).all(|byte| byte.is_ascii_digit());
        let moment = if shape { Moment::parse_from_rfc3339(&text).ok() } else { None };
        let moment = moment.map(|moment| moment.with_timezone(&Utc)).filter(|moment| (1900..=2999).contains(&moment.year()));
        moment.map(Self).ok_or_else(bad)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CurrencyCode(pub money::Currency);

/// A currency of ISO 4217, such as `USD`.
#[Scalar(name = "CurrencyCode", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        text_of(value, "a CurrencyCode")?.parse().map(Self).map_err(refuse)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().to_owned())
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct Money {
    /// The amount in major units, with exactly the currency's decimals.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

impl From<money::Money> for Money {
    fn from(value: money::Money) -> Self {
        Self { amount: Decimal::amount(value), currency: CurrencyCode(value.currency) }
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, InputObject)]
pub struct MoneyInput {
    /// The amount in major units, with at most the currency's decimals.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

impl MoneyInput {
    /// The amount; a fault if it has more decimals than its currency.
    pub fn money(&self) -> Result<money::Money, Fault> {
        money::Money::parse(self.amount.text(), self.currency.0).map_err(|fault| fault.within("amount"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: ScalarType>(text: &str) -> Option<T> {
        <T as ScalarType>::parse(Value::from(text)).ok()
    }

    fn written<T: ScalarType>(value: T) -> Value {
        ScalarType::to_value(&value)
    }

    #[test]
    fn a_decimal_is_a_string_of_one_spelling() {
        for good in ["0", "-1", "12.50", "123456789012345.0123456789"] {
            assert_eq!(read::<Decimal>(good).map(written), Some(Value::from(good)), "{good}");
        }
        for bad in ["1_000", "+1", ".5", "5.", "1e2", "01", " 1", "1 ", "1,5", "٣", "NaN", "", "-", "1234567890123456", "0.12345678901"] {
            assert!(read::<Decimal>(bad).is_none(), "{bad}");
        }
        assert!(<Decimal as ScalarType>::parse(Value::from(1)).is_err() && <Decimal as ScalarType>::parse(Value::from(1.5)).is_err());
    }

    #[test]
    fn what_does_not_end_is_rounded() {
        assert_eq!(Decimal::of(&Exact::ratio(2, 3).unwrap()).text(), "0.6666666667");
        assert_eq!(Decimal::of(&Exact::ratio(1, 8).unwrap()).text(), "0.125");
    }

    #[test]
    fn a_moment_needs_its_offset() {
        assert_eq!(read::<DateTime>("2026-01-31T12:00:00+02:00").map(written), Some(Value::from("2026-01-31T10:00:00.000Z")));
        for bad in ["2026-01-31T12:00:00", "2026-01-31", "2026-01-31 12:00:00Z", "1899-01-01T00:00:00Z", "3000-01-01T00:00:00Z", "26-01-31T12:00:00Z"] {
            assert!(read::<DateTime>(bad).is_none(), "{bad}");
        }
    }
}
