//! Money, rates and quantities: three kinds of number that never mix by accident.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Iso;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::exact::{Exact, Overflow, parse_scaled, spell};
use crate::fault::Fault;

/// Digits that may stand before the point of an amount (semantics 24).
pub const MONEY_INTEGER_DIGITS: usize = 15;
/// A quantity is kept in millionths.
pub const QUANTITY_PLACES: u32 = 6;
/// A rate is kept in 10^-8.
pub const RATE_PLACES: u32 = 8;

/// An ISO 4217 currency with a known number of minor units. A currency that the standard does not list is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(Iso::USD);

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit: JPY 0, USD 2, KWD 3.
    pub fn decimals(self) -> u32 {
        self.0.exponent().unwrap_or(0).into()
    }
}

impl FromStr for Currency {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Iso::from_code(text)
            .filter(|iso| iso.exponent().is_some())
            .map(Self)
            .ok_or_else(|| Fault::new("UNKNOWN_CURRENCY", "", "not a currency of ISO 4217: write three capital letters such as \"USD\""))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault: Fault| D::Error::custom(fault.message))
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code." })
    }
}

/// An amount in whole minor units of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: cents of USD, whole JPY, thousandths of KWD.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads an amount with at most the currency's decimals; nothing is rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, Fault> {
        let decimals = currency.decimals();
        let (scaled, places) = parse_scaled(text, MONEY_INTEGER_DIGITS, decimals as usize)?;
        let minor = 10_i128.checked_pow(decimals - places).and_then(|scale| scaled.checked_mul(scale)).and_then(|minor| i64::try_from(minor).ok());
        minor.map(|minor| Self { minor, currency }).ok_or_else(|| Fault::new("OUT_OF_RANGE", "", "the amount is too large"))
    }

    /// The amount in major units, exactly.
    pub fn exact(self) -> Exact {
        Exact::scaled(self.minor.into(), self.currency.decimals())
    }

    /// The amount with exactly the currency's decimals: `12.50`.
    pub fn amount(self) -> String {
        spell(self.minor.into(), self.currency.decimals(), false)
    }

    /// Sum of two amounts of one currency.
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        if self.currency != other.currency {
            return Err(Overflow);
        }
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self }).ok_or(Overflow)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            amount: String,
            currency: Currency,
        }
        Wire { amount: self.amount(), currency: self.currency }.serialize(serializer)
    }
}

/// A quantity in millionths of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(pub i64);

impl Quantity {
    /// Reads at most six decimals; nothing is rounded.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (scaled, places) = parse_scaled(text, 12, QUANTITY_PLACES as usize)?;
        let micros = 10_i128.checked_pow(QUANTITY_PLACES - places).and_then(|scale| scaled.checked_mul(scale)).and_then(|micros| i64::try_from(micros).ok());
        micros.map(Self).ok_or_else(|| Fault::new("OUT_OF_RANGE", "", "the quantity is too large"))
    }

    /// The quantity, exactly.
    pub fn exact(self) -> Exact {
        Exact::scaled(self.0.into(), QUANTITY_PLACES)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spell(self.0.into(), QUANTITY_PLACES, true))
    }
}

/// A number of a rule: a threshold, points, a weight. At most 15 digits before and 10 after the point (semantics 24).
///
/// Written as an integer, as a decimal, or quoted. A bare decimal is read by its shortest spelling, which is what was
/// written as long as it has at most 15 significant digits; longer ones must be quoted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub Exact);

/// A fraction: 0.05, or `5 %`. At most 8 decimals (semantics 24). Never 5 for five percent: above 10 is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub Exact);

impl Rate {
    /// Reads `0.05` or `5 %`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let exact = match text.strip_suffix('%') {
            Some(percent) => {
                let percent = Exact::parse(percent.trim_end_matches(' '), 4, RATE_PLACES as usize - 2)?;
                percent.mul(&Exact::scaled(1, 2)).map_err(|_| Fault::new("OUT_OF_RANGE", "", "the rate is too large"))?
            }
            None => Exact::parse(text, 4, RATE_PLACES as usize)?,
        };
        let most = if text.ends_with('%') { Exact::from_int(10) } else { Exact::ONE };
        if exact.abs() > most {
            return Err(Fault::new("RATE_TOO_LARGE", "", "a rate is a fraction: write five percent as \"5 %\" or 0.05, more than everything as \"150 %\""));
        }
        Ok(Self(exact))
    }

    /// As [`Rate::parse`] reads it: a fraction; above one as a percentage, so that nobody takes a 5 for five percent.
    fn spelled(&self) -> String {
        match self.0.mul(&Exact::from_int(100)) {
            Ok(percent) if self.0.abs() > Exact::ONE => format!("{percent} %"),
            _ => self.0.to_string(),
        }
    }
}

/// What a bare JSON or YAML number may be read as.
struct Spelling;

impl serde::de::Visitor<'_> for Spelling {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number such as 1000, 0.05 or \"1000.50\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<String, E> {
        float_text(value)
    }
}

/// From here on a float does not keep two decimals.
const FLOAT_END: f64 = 1e13;

/// A bare decimal as it was written. JSON and YAML readers hand it on as a float, which keeps 15 digits: 99999999999999.99 comes as
/// 100000000000000. What may have had more is refused.
pub(crate) fn float_text<E: serde::de::Error>(value: f64) -> Result<String, E> {
    let text = value.to_string();
    if value.abs() >= FLOAT_END || text.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count() > 15 {
        return Err(E::custom("this decimal is too long to be read exactly: put it in quotes"));
    }
    Ok(text)
}

macro_rules! number_like {
    ($name:ident, $parse:expr, $spell:expr, $schema:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$spell(self))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_any(Spelling)?;
                $parse(&text).map_err(|fault: Fault| D::Error::custom(fault.message))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

number_like!(
    Number,
    |text: &str| Exact::parse(text, 15, 10).map(Number),
    |number: &Number| number.0.to_string(),
    json_schema!({ "type": ["integer", "number", "string"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", "description": "A decimal with at most 15 + 10 digits; quote what has more than 15 significant digits." })
);
number_like!(
    Rate,
    Rate::parse,
    Rate::spelled,
    json_schema!({ "type": ["integer", "number", "string"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?( ?%)?$", "description": "A fraction such as 0.05, or \"5 %\". At most 8 decimals." })
);

/// A decimal of a fact, as text. An integer may be bare; a bare decimal is refused, since a float has already lost the cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DecimalText(pub String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Exactly;
        impl serde::de::Visitor<'_> for Exactly {
            type Value = DecimalText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal in quotes, such as \"1234.50\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DecimalText, E> {
                Ok(DecimalText(text.to_owned()))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<DecimalText, E> {
                Ok(DecimalText(value.to_string()))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<DecimalText, E> {
                Ok(DecimalText(value.to_string()))
            }
        }
        deserializer.deserialize_any(Exactly)
    }
}

impl JsonSchema for DecimalText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DecimalText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", "description": "An exact decimal, in quotes unless it is whole." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_decimal_is_read_as_written_or_not_at_all() {
        let read = |text: &str| serde_json::from_str::<Number>(text).map(|number| number.0.to_string());
        assert_eq!(read("9999999999999.99").unwrap(), "9999999999999.99");
        assert_eq!(read("0.12345678").unwrap(), "0.12345678");
        assert!(read("99999999999999.99").unwrap_err().to_string().contains("put it in quotes"));
        assert_eq!(read("\"99999999999999.99\"").unwrap(), "99999999999999.99");
    }

    #[test]
    fn amounts_keep_the_decimals_of_their_currency() {
        let currency = |code: &str| code.parse::<Currency>().unwrap();
        assert_eq!(Money::parse("1.10", currency("USD")).unwrap().minor, 110);
        assert_eq!(Money::parse("1.1", currency("USD")).unwrap().amount(), "1.10");
        assert_eq!(Money::parse("1.001", currency("KWD")).unwrap().minor, 1001);
        assert_eq!(Money::parse("1.001", currency("USD")).unwrap_err().code, "TOO_MANY_DECIMALS");
        assert_eq!(Money::parse("0.5", currency("JPY")).unwrap_err().code, "TOO_MANY_DECIMALS");
        assert_eq!(Money::new(-5, Currency::USD).amount(), "-0.05");
        assert!("usd".parse::<Currency>().is_err() && "XXX".parse::<Currency>().is_err() && "ZZZ".parse::<Currency>().is_err());
    }

    #[test]
    fn rates_are_fractions_or_percent() {
        assert_eq!(Rate::parse("5 %").unwrap(), Rate::parse("0.05").unwrap());
        assert_eq!(Rate::parse("2.14%").unwrap().to_string(), "0.0214");
        assert!(Rate::parse("0.123456789").is_err());
        for text in ["5", "1.01", "1000.1 %"] {
            assert_eq!(Rate::parse(text).unwrap_err().code, "RATE_TOO_LARGE", "{text}");
        }
        for (text, spelled) in [("1", "\"1\""), ("150 %", "\"150 %\""), ("100 %", "\"1\""), ("12.5%", "\"0.125\""), ("1000 %", "\"1000 %\"")] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&rate).unwrap(), spelled);
            assert_eq!(serde_json::from_str::<Rate>(spelled).unwrap(), rate);
        }
        assert_eq!(serde_json::from_str::<Rate>("0.05").unwrap(), Rate::parse("5 %").unwrap());
        assert!(serde_json::from_str::<Number>("0.12345678901234567").is_err());
    }

    #[test]
    fn facts_refuse_floats() {
        assert!(serde_json::from_str::<DecimalText>("12.5").is_err());
        assert!(serde_json::from_str::<DecimalText>("1e3").is_err());
        assert_eq!(serde_json::from_str::<DecimalText>("12").unwrap().0, "12");
    }
}
