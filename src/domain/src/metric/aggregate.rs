//! Sums, means, medians and extremes of exact figures.

use crate::document::metric::Aggregate;
use crate::exact::{Exact, Overflow};

/// A running sum that keeps whole minor units apart, so that money in one currency adds as integers.
#[derive(Debug, Clone)]
pub(super) struct Total {
    minor: i128,
    places: u32,
    rest: Exact,
}

impl Total {
    /// Nothing yet; `places` are the decimals of the currency.
    pub(super) const fn new(places: u32) -> Self {
        Self { minor: 0, places, rest: Exact::ZERO }
    }

    /// Adds minor units.
    pub(super) fn add_minor(&mut self, minor: i64) -> Result<(), Overflow> {
        self.minor = self.minor.checked_add(minor.into()).ok_or(Overflow)?;
        Ok(())
    }

    /// Adds any figure.
    pub(super) fn add(&mut self, value: Exact) -> Result<(), Overflow> {
        self.rest = self.rest.add(&value)?;
        Ok(())
    }

    /// The sum.
    pub(super) fn exact(self) -> Result<Exact, Overflow> {
        let scale = 10_i128.checked_pow(self.places).ok_or(Overflow)?;
        Exact::ratio(self.minor, scale).ok_or(Overflow)?.add(&self.rest)
    }
}

fn divided(sum: Exact, by: usize) -> Result<Option<Exact>, Overflow> {
    let by = i64::try_from(by).map_err(|_| Overflow)?;
    sum.div(&Exact::from_int(by))
}

/// The mean; nothing has none.
pub(super) fn average(values: &[Exact]) -> Result<Option<Exact>, Overflow> {
    divided(Exact::sum(values.iter().cloned())?, values.len())
}

/// The median: of an even number the mean of the middle two; nothing has none.
pub(super) fn median(mut values: Vec<Exact>) -> Result<Option<Exact>, Overflow> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = values.get(middle).cloned();
    if values.len() % 2 == 1 {
        return Ok(upper);
    }
    match (middle.checked_sub(1).and_then(|at| values.get(at)), upper) {
        (Some(lower), Some(upper)) => divided(lower.add(&upper)?, 2),
        _ => Ok(None),
    }
}

/// SUM, AVERAGE, MEDIAN, MINIMUM or MAXIMUM of figures; the other aggregates are not of figures alone.
pub(super) fn of_figures(aggregate: Aggregate, values: Vec<Exact>) -> Result<Option<Exact>, Overflow> {
    match aggregate {
        Aggregate::Average => average(&values),
        Aggregate::Median => median(values),
        Aggregate::Minimum => Ok(values.into_iter().min()),
        Aggregate::Maximum => Ok(values.into_iter().max()),
        _ => Exact::sum(values).map(Some),
    }
}
