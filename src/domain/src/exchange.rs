//! Exchange rates: dated, typed, and used only in the direction in which they are stored (semantics 19).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::date::Date;
use crate::document::metric::Exchange;
use crate::exact::{Exact, Overflow};
use crate::facts::ExchangeRate;
use crate::fault::Fault;
use crate::money::{Currency, Money};

/// One dated rate of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Quote {
    date: Date,
    sealed: i64,
    recorded_on: Date,
    rate: Exact,
}

/// Up to where something was known: what a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutOff {
    /// What was recorded by the end of this day.
    Day(Date),
    /// What came in the sealed batches up to this one. Batches are numbered in the order in which they were committed.
    Batch(i64),
}

impl CutOff {
    /// Whether a fact was known.
    pub fn knows(self, recorded_on: Date, sealed: i64) -> bool {
        match self {
            Self::Day(day) => recorded_on <= day,
            Self::Batch(batch) => sealed <= batch,
        }
    }
}

/// The exchange rates that are known, indexed for look-up. The order in which they were given has no influence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeRates {
    series: BTreeMap<(String, Currency, Currency), Vec<Quote>>,
}

/// An amount in another currency, exactly, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The amount in major units of the currency asked for. Not rounded.
    pub exact: Exact,
    /// Units of the currency asked for, for one of the amount's own.
    pub rate: Exact,
    /// The date of the rate that was used; none where the currencies are the same.
    pub rate_date: Option<Date>,
}

/// A rate that was asked for and is not there. It stops whoever asked; the latest known one is never used instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("no {rate_type} rate from {from} to {to} on {date} or within {max_age_days} days before: record one")]
pub struct MissingRate {
    /// The type of rate.
    pub rate_type: String,
    /// Converted from.
    pub from: Currency,
    /// Converted to.
    pub to: Currency,
    /// The day for which a rate was asked.
    pub date: Date,
    /// How old it might have been.
    pub max_age_days: u32,
}

/// Why an amount cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// There is no such rate.
    #[error(transparent)]
    Missing(#[from] MissingRate),
    /// The result leaves the range of exact arithmetic.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl From<MissingRate> for Fault {
    fn from(missing: MissingRate) -> Self {
        Self::new("MISSING_EXCHANGE_RATE", "facts.exchangeRates", missing.to_string())
    }
}

impl From<ConversionError> for Fault {
    fn from(error: ConversionError) -> Self {
        match error {
            ConversionError::Missing(missing) => missing.into(),
            ConversionError::Overflow(overflow) => Self::new("OUT_OF_RANGE", "", overflow.to_string()),
        }
    }
}

impl ExchangeRates {
    /// All rates, as they are known today: of several for one date the last recorded holds.
    pub fn new(rates: &[ExchangeRate]) -> Self {
        let mut series: BTreeMap<(String, Currency, Currency), Vec<Quote>> = BTreeMap::new();
        for rate in rates {
            let quote = Quote { date: rate.date, sealed: rate.sealed, recorded_on: rate.recorded_on, rate: rate.rate.clone() };
            series.entry((rate.rate_type.clone(), rate.from, rate.to)).or_default().push(quote);
        }
        for quotes in series.values_mut() {
            quotes.sort_unstable();
        }
        Self { series }
    }

    /// The rates as they were known on `known_on`: what was recorded later is not among them.
    pub fn known_on(rates: &[ExchangeRate], known_on: Date) -> Self {
        let known: Vec<ExchangeRate> = rates.iter().filter(|rate| rate.recorded_on <= known_on).cloned().collect();
        Self::new(&known)
    }

    /// `money` in `to`, by the last rate that is not later than `on` and at most `exchange.maxAgeDays` older. `on` is the date
    /// that `exchange.date` asks for: the caller knows the fact and the period.
    pub fn convert(&self, money: Money, to: Currency, exchange: &Exchange, on: Date) -> Result<Converted, ConversionError> {
        self.convert_as_known(money, to, exchange, on, None)
    }

    /// As [`Self::convert`], with the rates as they were known then.
    pub fn convert_as_known(&self, money: Money, to: Currency, exchange: &Exchange, on: Date, known: Option<CutOff>) -> Result<Converted, ConversionError> {
        if money.currency == to {
            return Ok(Converted { exact: money.exact(), rate: Exact::ONE, rate_date: None });
        }
        let oldest = on.plus_days(-i64::from(exchange.max_age_days));
        let quote = self
            .series
            .get(&(exchange.rate_type.clone(), money.currency, to))
            .and_then(|quotes| Self::last(quotes, on, known))
            .filter(|quote| quote.date >= oldest)
            .ok_or_else(|| MissingRate { rate_type: exchange.rate_type.clone(), from: money.currency, to, date: on, max_age_days: exchange.max_age_days })?;
        Ok(Converted { exact: money.exact().mul(&quote.rate)?, rate: quote.rate, rate_date: Some(quote.date) })
    }

    fn last(quotes: &[Quote], on: Date, known: Option<CutOff>) -> Option<Quote> {
        let after = quotes.partition_point(|quote| quote.date <= on);
        let known = |quote: &&Quote| known.is_none_or(|known| known.knows(quote.recorded_on, quote.sealed));
        quotes.get(..after)?.iter().rev().find(known).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::metric::ExchangeDate;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn rate(from: &str, to: &str, on: &str, rate: &str, recorded_on: &str) -> ExchangeRate {
        ExchangeRate {
            rate_type: "SPOT".into(),
            from: currency(from),
            to: currency(to),
            date: date(on),
            rate: Exact::parse(rate, 15, 10).unwrap(),
            recorded_on: date(recorded_on),
            sealed: 0,
        }
    }

    fn exchange(max_age_days: u32) -> Exchange {
        Exchange { rate_type: "SPOT".into(), date: ExchangeDate::TransactionDate, max_age_days }
    }

    fn eur(minor: i64) -> Money {
        Money::new(minor, currency("EUR"))
    }

    #[test]
    fn only_the_stored_direction_and_age_are_used() {
        let rates = ExchangeRates::new(&[rate("EUR", "USD", "2024-01-05", "1.0825", "2024-01-05"), rate("EUR", "USD", "2024-01-01", "1.1", "2024-01-01")]);
        let convert = |on: &str| rates.convert(eur(1000), Currency::USD, &exchange(7), date(on));
        assert_eq!(convert("2024-01-04").unwrap().exact.to_string(), "11");
        assert_eq!(convert("2024-01-05").unwrap().exact.to_string(), "10.825");
        assert_eq!(convert("2024-01-12").unwrap().rate_date, Some(date("2024-01-05")));
        let missing = convert("2024-01-13").unwrap_err();
        assert_eq!(Fault::from(missing).code, "MISSING_EXCHANGE_RATE");
        assert!(convert("2023-12-31").is_err());
        let back = rates.convert(Money::new(100, Currency::USD), currency("EUR"), &exchange(7), date("2024-01-05"));
        assert!(matches!(back, Err(ConversionError::Missing(_))), "the inverse is never taken");
        let same = rates.convert(eur(7), currency("EUR"), &exchange(0), date("1999-01-01")).unwrap();
        assert_eq!((same.rate, same.rate_date), (Exact::ONE, None));
    }

    #[test]
    fn a_correction_holds_once_it_is_known() {
        let list = [rate("EUR", "USD", "2024-01-05", "1.2", "2024-02-01"), rate("EUR", "USD", "2024-01-05", "1.1", "2024-01-05")];
        let rates = ExchangeRates::new(&list);
        let as_known = |known: Option<Date>| {
            rates.convert_as_known(eur(100), Currency::USD, &exchange(7), date("2024-01-06"), known.map(CutOff::Day)).unwrap().rate.to_string()
        };
        assert_eq!(as_known(None), "1.2");
        assert_eq!(as_known(Some(date("2024-01-31"))), "1.1");
        assert_eq!(as_known(Some(date("2024-02-01"))), "1.2");
        let then = ExchangeRates::known_on(&list, date("2024-01-31"));
        assert_eq!(then.convert(eur(100), Currency::USD, &exchange(7), date("2024-01-06")).unwrap().rate.to_string(), "1.1");
    }

    proptest! {
        #[test]
        fn the_order_of_rates_is_irrelevant(days in proptest::collection::btree_set(0_i64..60, 1..12), ask in 0_i64..70) {
            let start = date("2024-01-01");
            let mut list: Vec<ExchangeRate> =
                days.iter().map(|day| ExchangeRate { date: start.plus_days(*day), ..rate("EUR", "USD", "2024-01-01", "1.5", "2024-01-01") }).collect();
            let forward = ExchangeRates::new(&list);
            list.reverse();
            prop_assert_eq!(&forward, &ExchangeRates::new(&list));
            let found = forward.convert(eur(100), Currency::USD, &exchange(9), start.plus_days(ask)).ok().and_then(|converted| converted.rate_date);
            let expected = days.iter().rev().find(|day| **day <= ask && ask - **day <= 9).map(|day| start.plus_days(*day));
            prop_assert_eq!(found, expected);
        }
    }
}
