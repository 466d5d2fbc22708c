//! From sums to what is owed: earn, base cap, floor, cap, guarantee, round, minimum (semantics 14 and 15).

use std::collections::BTreeMap;

use crate::document::rebate::BandScope;
use crate::rounding::RoundingMode;

use super::compile::{Price, Rules, Way, WholeBand};
use super::{Compiled, EARNED_PLACES, Outcome, PLACES, Share, Sums};

/// Shares in the order in which they were earned.
#[derive(Default)]
struct Shares {
    all: Vec<Share>,
    sum: i128,
}

impl Shares {
    fn add(&mut self, share: Share) -> Option<()> {
        self.sum = self.sum.checked_add(share.amount)?;
        self.all.push(share);
        Some(())
    }

    /// Pays a price for a part of what is paid on. Nothing is paid on nothing.
    fn pay(&mut self, band: Option<usize>, price: Price, base: i128) -> Option<()> {
        if base == 0 {
            return Some(());
        }
        self.add(Share { band, base, rate: Some(price.value), amount: base.checked_mul(price.value)? })
    }

    fn pay_sum(&mut self, band: Option<usize>, amount: i128) -> Option<()> {
        if amount == 0 { Some(()) } else { self.add(Share { band, base: 0, rate: None, amount }) }
    }
}

/// What is paid on, in 10^-10, as far as a base cap lets it earn.
#[derive(Clone, Copy)]
struct Measured {
    /// The amount.
    sold: i128,
    qualifier: i128,
    basis: i128,
    units: i128,
    /// How far the qualifier is filled by what earns.
    filled: i128,
}

impl Measured {
    const fn of(&self, price: Price) -> i128 {
        if price.on_units { self.units } else { self.basis }
    }

    /// What of the price's measure lies in a slice. Only asked where the qualifier is that measure.
    fn slice(&self, from: i128, to: Option<i128>) -> i128 {
        let top = to.map_or(self.filled, |to| self.filled.min(to));
        (top.max(from) - from).max(0)
    }
}

fn reached(qualifier: i128, from: i128, inclusive: bool) -> bool {
    if inclusive { qualifier > from || (from == 0 && qualifier == 0) } else { qualifier >= from }
}

fn passed(qualifier: i128, to: Option<i128>, inclusive: bool) -> bool {
    to.is_some_and(|to| if inclusive { qualifier > to } else { qualifier >= to })
}

fn earn_bands(shares: &mut Shares, scope: BandScope, inclusive: bool, bands: &[WholeBand], of: &Measured) -> Option<()> {
    let count = bands.iter().take_while(|band| reached(of.qualifier, band.from, inclusive)).count();
    let hit = bands.get(..count)?;
    let holding = hit.last().filter(|band| !passed(of.qualifier, band.to, inclusive));
    let whole = |shares: &mut Shares, band: &WholeBand| match band.price {
        Some(price) => shares.pay(Some(band.index), price, of.of(price)),
        None => Some(()),
    };
    let slice = |shares: &mut Shares, band: &WholeBand, from: i128| match band.price {
        Some(price) => shares.pay(Some(band.index), price, of.slice(from, band.to)),
        None => Some(()),
    };
    match scope {
        BandScope::Marginal => {
            let first = hit.iter().rposition(|band| band.back_to_first);
            for (at, band) in hit.iter().enumerate().skip(first.unwrap_or(0)) {
                slice(shares, band, if first == Some(at) { 0 } else { band.from })?;
            }
        }
        BandScope::Retroactive => {
            if let Some(band) = holding {
                whole(shares, band)?;
            }
        }
        BandScope::Rolling => {
            if let Some(band) = holding {
                whole(shares, band)?;
            }
            for band in hit.iter().filter(|band| holding.is_none_or(|holding| band.index < holding.index)) {
                slice(shares, band, band.from)?;
            }
        }
        BandScope::Total => {
            for band in hit {
                whole(shares, band)?;
            }
        }
        BandScope::Linear | BandScope::Proportional => return None,
    }
    for band in hit {
        shares.pay_sum(Some(band.index), band.on_entry.unwrap_or(0))?;
    }
    Some(())
}

fn earn(rules: &Rules, of: &Measured) -> Option<Shares> {
    let mut shares = Shares::default();
    match &rules.way {
        Way::Everything(price) => shares.pay(None, *price, of.of(*price))?,
        Way::Sum(amount) => shares.pay_sum(None, *amount)?,
        Way::Targets { targets, highest } => {
            let hit = targets.iter().filter(|(_, at, _)| of.qualifier >= *at);
            let skipped = if *highest { hit.clone().count().saturating_sub(1) } else { 0 };
            for (band, _, amount) in hit.skip(skipped) {
                shares.pay_sum(Some(*band), *amount)?;
            }
        }
        Way::Bands { scope, upper_inclusive, bands } => earn_bands(&mut shares, *scope, *upper_inclusive, bands, of)?,
    }
    Some(shares)
}

/// A whole number of 10^-20 as minor units.
fn round(mode: RoundingMode, value: i128, places: u32) -> Option<i64> {
    let divisor = 10_i128.checked_pow(EARNED_PLACES.checked_sub(places)?)?;
    let (magnitude, divisor) = (value.unsigned_abs(), divisor.unsigned_abs());
    let (quotient, rest) = (magnitude / divisor, magnitude % divisor);
    let up = match mode {
        RoundingMode::HalfUp => rest >= divisor - rest,
        RoundingMode::HalfEven => rest > divisor - rest || (rest == divisor - rest && quotient % 2 == 1),
        RoundingMode::Down => false,
        RoundingMode::Up => rest != 0,
    };
    let rounded = i128::try_from(quotient).ok()? + i128::from(up);
    i64::try_from(if value < 0 { -rounded } else { rounded }).ok()
}

/// Each band's shares rounded, and summed.
fn round_by_band(mode: RoundingMode, shares: &Shares, places: u32) -> Option<i64> {
    let mut bands: BTreeMap<Option<usize>, i128> = BTreeMap::new();
    for share in &shares.all {
        let own = bands.entry(share.band).or_default();
        *own = own.checked_add(share.amount)?;
    }
    bands.values().try_fold(0_i64, |sum, amount| sum.checked_add(round(mode, *amount, places)?))
}

/// An amount in minor units as 10^-20.
pub(super) fn in_earned(minor: i64, places: u32) -> Option<i128> {
    i128::from(minor).checked_mul(10_i128.checked_pow(EARNED_PLACES.checked_sub(places)?)?)
}

fn measured(compiled: &Compiled<'_>, sums: &Sums) -> Option<Measured> {
    let scale = |value: i128, places: u32| value.checked_mul(10_i128.checked_pow(PLACES.checked_sub(places)?)?);
    let amount = scale(sums.amount, compiled.currency.decimals())?;
    let quantity = scale(sums.quantity, crate::money::QUANTITY_PLACES)?;
    let of = |on_quantity: bool| if on_quantity { quantity } else { amount };
    let qualifier = of(compiled.by_quantity);
    Some(Measured { sold: amount, qualifier, basis: of(compiled.on_quantity), units: quantity, filled: qualifier })
}

/// What earns under a base cap; none where units would be taken in proportion, which is a division.
fn under_cap(compiled: &Compiled<'_>, rules: &Rules, of: &Measured, cap: i128) -> Option<Measured> {
    let basis = of.basis.min(cap);
    if basis == of.basis {
        return Some(*of);
    }
    if !compiled.on_quantity && pays_units(&rules.way) {
        return None;
    }
    let filled = if compiled.on_quantity == compiled.by_quantity { basis } else { of.filled };
    Some(Measured { basis, filled, units: if compiled.on_quantity { basis } else { of.units }, ..*of })
}

fn pays_units(way: &Way) -> bool {
    match way {
        Way::Everything(price) => price.on_units,
        Way::Bands { bands, .. } => bands.iter().any(|band| band.price.is_some_and(|price| price.on_units)),
        Way::Sum(_) | Way::Targets { .. } => false,
    }
}

/// The outcome of a schedule for sums.
pub(super) fn outcome(compiled: &Compiled<'_>, rules: &Rules, sums: &Sums) -> Option<Outcome> {
    let places = compiled.currency.decimals();
    let of = measured(compiled, sums)?;
    let mut outcome = Outcome {
        in_scope: rules.in_scope && compiled.in_force,
        qualifier: of.qualifier,
        basis: of.basis,
        negative: false,
        earned: 0,
        base_capped: None,
        floored: None,
        capped: None,
        guaranteed: None,
        exact: 0,
        rounded: 0,
        minimum: rules.minimum,
        amount: 0,
        shares: Vec::new(),
    };
    let mut shares = Shares::default();
    if outcome.in_scope {
        outcome.negative = of.basis < 0;
        if !outcome.negative {
            shares = earn(rules, &of)?;
            outcome.earned = shares.sum;
            if let Some(cap) = rules.base_cap {
                shares = earn(rules, &under_cap(compiled, rules, &of, cap)?)?;
                outcome.base_capped = Some((shares.sum, cap));
            }
        }
        bound(rules, shares.sum, of.sold, &mut outcome)?;
    }
    let bounded = outcome.exact != shares.sum;
    outcome.rounded = if rules.round_bands && !bounded { round_by_band(compiled.mode, &shares, places)? } else { round(compiled.mode, outcome.exact, places)? };
    if let Some(due) = rules.guarantee.filter(|_| outcome.in_scope) {
        let due = due.max(0);
        let after = outcome.exact.max(due);
        if after > outcome.exact {
            outcome.rounded = round(compiled.mode, after, places)?;
        }
        outcome.guaranteed = Some((after, due));
        outcome.exact = after;
    }
    let below = rules.minimum.is_some_and(|minimum| outcome.rounded > 0 && in_earned(outcome.rounded, places).is_some_and(|amount| amount < minimum));
    in_earned(outcome.rounded, places)?;
    outcome.amount = if below { 0 } else { outcome.rounded };
    outcome.shares = shares.all;
    Some(outcome)
}

/// Floor, then cap, for what was earned and sold; none where a share does not fit.
fn bound(rules: &Rules, earned: i128, sold: i128, outcome: &mut Outcome) -> Option<()> {
    outcome.exact = earned;
    if let Some((bound, unconditional)) = rules.floor {
        let tops_up = outcome.exact > 0 || unconditional;
        outcome.exact = if tops_up { outcome.exact.max(bound) } else { outcome.exact };
        outcome.floored = Some((outcome.exact, bound));
    }
    let share = match rules.cap_share {
        Some(share) => Some(sold.max(0).checked_mul(share)?),
        None => None,
    };
    if let Some(bound) = rules.cap.into_iter().chain(share).min() {
        outcome.exact = outcome.exact.min(bound);
        outcome.capped = Some((outcome.exact, bound));
    }
    Some(())
}
