//! Sharing whole minor units, so that the parts sum to the whole (semantics 15 and 21).
//!
//! Every share is `total x weight / sum of weights`. Whole units first; the units left over go to the largest remainders, ties by
//! a stated rule. Division exists here, in `exact` and in `rounding`, and nowhere else.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use crate::document::mdf::TieRule;
use crate::exact::{self, Exact, Overflow};

/// One who takes part in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// Who; decides ties between equal weights.
    pub code: &'a str,
    /// Its weight. A negative one counts as zero.
    pub weight: Exact,
    /// Served before anything is shared, in minor units.
    pub floor: i64,
    /// At most this in all, in minor units.
    pub cap: Option<i64>,
}

/// How a pool was shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// Minor units per claimant, in the order of the claimants.
    pub parts: Vec<i64>,
    /// What nobody may have, because all are at their caps.
    pub unallocated: i64,
}

/// Why a pool cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// The floors together exceed the pool.
    #[error("the floors together exceed what there is to share: lower them or raise the budget")]
    FloorsExceedTotal,
    /// A cap lies below its floor.
    #[error("a cap lies below its floor: raise the cap or lower the floor")]
    CapBelowFloor,
    /// Nobody has a weight.
    #[error("nobody has a positive weight: there is nothing to share by")]
    NoWeight,
    /// The pool or a floor is negative.
    #[error("what is shared, and every floor, must be zero or more")]
    Negative,
    /// Out of range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// `total x weight / all`, as whole units and what is left of the division (a numerator over `all`).
#[derive(Debug, Clone)]
struct Quota {
    whole: i64,
    rest: BigInt,
}

/// The quota of one weight, rounded down, so that the rest is never negative; `all` is positive.
fn quota(total: i64, weight: &BigInt, all: &BigInt) -> Result<Quota, Overflow> {
    let product = weight * total;
    let (mut whole, mut rest) = (&product / all, product % all);
    if rest.sign() == Sign::Minus {
        whole -= 1;
        rest += all;
    }
    Ok(Quota { whole: i64::try_from(whole).map_err(|_| Overflow)?, rest })
}

/// Weights as whole numbers over one denominator.
fn whole_weights(weights: &[Exact]) -> Result<(Vec<BigInt>, BigInt), Overflow> {
    let common = weights.iter().try_fold(BigInt::from(1), |common, weight| exact::common_multiple(&common, &weight.denominator()))?;
    let scaled: Vec<BigInt> = weights.iter().map(|weight| &common / weight.denominator() * weight.numerator()).collect();
    let sum = scaled.iter().sum();
    Ok((scaled, sum))
}

/// Gives the units that are left over to the largest remainders; `order` decides between equal ones.
fn hand_out(quotas: &mut [Quota], total: i64, order: impl Fn(usize, usize) -> Ordering) -> Result<Vec<i64>, Overflow> {
    let given = quotas.iter().try_fold(0_i64, |sum, quota| sum.checked_add(quota.whole)).ok_or(Overflow)?;
    let left = usize::try_from(total.checked_sub(given).ok_or(Overflow)?).map_err(|_| Overflow)?;
    let mut by_rest: Vec<usize> = (0..quotas.len()).collect();
    let rest = |at: usize| quotas.get(at).map(|quota| &quota.rest);
    by_rest.sort_by(|a, b| rest(*b).cmp(&rest(*a)).then_with(|| order(*a, *b)));
    let mut parts: Vec<i64> = quotas.iter().map(|quota| quota.whole).collect();
    for at in by_rest.into_iter().take(left) {
        if let Some(part) = parts.get_mut(at) {
            *part += 1;
        }
    }
    Ok(parts)
}

/// Shares `total` minor units by signed weights whose sum is not zero: sale lines and returns. Ties: the larger weight, then the
/// first listed. `None` when the weights sum to zero.
pub fn share(total: i64, weights: &[Exact]) -> Result<Option<Vec<i64>>, Overflow> {
    let (mut scaled, mut sum) = whole_weights(weights)?;
    match sum.sign() {
        Sign::NoSign => return Ok(None),
        Sign::Minus => {
            scaled = scaled.into_iter().map(|weight| -weight).collect();
            sum = -sum;
        }
        Sign::Plus => {}
    }
    let mut quotas = scaled.iter().map(|weight| quota(total, weight, &sum)).collect::<Result<Vec<Quota>, Overflow>>()?;
    let size = |at: usize| scaled.get(at).map(BigInt::magnitude);
    let larger = |a: usize, b: usize| size(b).cmp(&size(a)).then(a.cmp(&b));
    hand_out(&mut quotas, total, larger).map(Some)
}

/// Rounds exact figures (in minor units) so that they sum to `total`, which lies within one unit a figure of their sum: each is
/// rounded down, and the units left over go to the largest remainders. Where `total` is further away (bands were rounded), it is
/// shared in proportion instead, or what is left over by size where some are negative.
pub fn round_to_total(total: i64, exact: &[Exact]) -> Result<Vec<i64>, Overflow> {
    // One figure takes all, as it does either way.
    if exact.len() == 1 {
        return Ok(vec![total]);
    }
    let mut parts = Vec::with_capacity(exact.len());
    let mut rests = Vec::with_capacity(exact.len());
    for figure in exact {
        let whole = figure.floor();
        parts.push(whole.to_whole().and_then(|whole| i64::try_from(whole).ok()).ok_or(Overflow)?);
        rests.push(figure.sub(&whole)?);
    }
    let given = parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part)).ok_or(Overflow)?;
    let left = total.checked_sub(given).ok_or(Overflow)?;
    let Some(near) = usize::try_from(left).ok().filter(|left| *left <= exact.len()) else {
        if exact.iter().any(Exact::is_negative) {
            return add_by_size(parts, left, exact);
        }
        return Ok(share(total, exact)?.unwrap_or_else(|| at_front(total, exact.len())));
    };
    let mut by_rest: Vec<usize> = (0..exact.len()).collect();
    let key = |at: usize| (rests.get(at).cloned(), exact.get(at).map(|figure| figure.abs()));
    by_rest.sort_by(|a, b| key(*b).cmp(&key(*a)).then(a.cmp(b)));
    for at in by_rest.into_iter().take(near) {
        if let Some(part) = parts.get_mut(at) {
            *part += 1;
        }
    }
    Ok(parts)
}

/// Adds what is left over to parts by the sizes of their figures: where figures cancel out, shares of their sum would be many times as
/// large as they are.
fn add_by_size(mut parts: Vec<i64>, left: i64, exact: &[Exact]) -> Result<Vec<i64>, Overflow> {
    let sizes: Vec<Exact> = exact.iter().map(Exact::abs).collect();
    let more = share(left, &sizes)?.unwrap_or_else(|| at_front(left, exact.len()));
    for (part, more) in parts.iter_mut().zip(more) {
        *part = part.checked_add(more).ok_or(Overflow)?;
    }
    Ok(parts)
}

/// Shares figures by `give` as if they were listed by their keys, so that ties go to the smaller key. The parts are in the order given.
pub fn by_key<K: Ord>(keys: &[K], figures: &[Exact], give: impl FnOnce(&[Exact]) -> Result<Vec<i64>, Overflow>) -> Result<Vec<i64>, Overflow> {
    if keys.is_sorted() {
        return give(figures);
    }
    let mut order: Vec<usize> = (0..figures.len()).collect();
    order.sort_by_key(|at| keys.get(*at));
    let listed: Vec<Exact> = order.iter().filter_map(|at| figures.get(*at).cloned()).collect();
    let mut parts = vec![0; figures.len()];
    for (at, given) in order.into_iter().zip(give(&listed)?) {
        if let Some(part) = parts.get_mut(at) {
            *part = given;
        }
    }
    Ok(parts)
}

/// Figures that sum to zero give nothing to share by: the first takes it.
fn at_front(total: i64, count: usize) -> Vec<i64> {
    let mut parts = vec![0; count];
    if let Some(first) = parts.first_mut() {
        *first = total;
    }
    parts
}

/// Shares a pool of `total` minor units by largest remainder (semantics 21). Floors are served first; whoever's exact share
/// exceeds its cap is fixed at it and the rest is split again until none does. Negative weights count as zero; when all are, the
/// pool is refused.
pub fn allocate(total: i64, claimants: &[Claimant<'_>], ties: TieRule) -> Result<Shares, AllocationError> {
    let rest = after_floors(total, claimants)?;
    let weights: Vec<Exact> = claimants.iter().map(|claimant| claimant.weight.clone().max(Exact::ZERO)).collect();
    if weights.iter().all(|weight| weight.is_zero()) {
        return Err(AllocationError::NoWeight);
    }
    let (scaled, _) = whole_weights(&weights)?;
    let mut parts: Vec<i64> = claimants.iter().map(|claimant| claimant.floor).collect();
    let mut open: Vec<usize> = (0..claimants.len()).collect();
    let mut rest = rest;
    loop {
        let weights = || open.iter().filter_map(|at| scaled.get(*at));
        let all: BigInt = weights().sum();
        if all.sign() == Sign::NoSign || rest == 0 {
            return Ok(Shares { parts, unallocated: rest });
        }
        let mut quotas = weights().map(|weight| quota(rest, weight, &all)).collect::<Result<Vec<Quota>, Overflow>>()?;
        let room = |at: &usize| claimants.get(*at).and_then(|claimant| claimant.cap.map(|cap| cap - claimant.floor));
        let capped: Vec<usize> = open.iter().zip(&quotas).filter(|(at, quota)| room(at).is_some_and(|room| exceeds(quota, room))).map(|(at, _)| *at).collect();
        if capped.is_empty() {
            let order = |a: usize, b: usize| tie(ties, &open, claimants, &scaled, a, b);
            let given = hand_out(&mut quotas, rest, order)?;
            for (at, units) in open.iter().zip(given) {
                if let Some(part) = parts.get_mut(*at) {
                    *part += units;
                }
            }
            return Ok(Shares { parts, unallocated: 0 });
        }
        for at in &capped {
            if let (Some(part), Some(room)) = (parts.get_mut(*at), room(at)) {
                *part += room;
                rest -= room;
            }
        }
        open.retain(|at| !capped.contains(at));
    }
}

fn exceeds(quota: &Quota, room: i64) -> bool {
    quota.whole > room || (quota.whole == room && quota.rest.sign() == Sign::Plus)
}

fn after_floors(total: i64, claimants: &[Claimant<'_>]) -> Result<i64, AllocationError> {
    if total < 0 || claimants.iter().any(|claimant| claimant.floor < 0) {
        return Err(AllocationError::Negative);
    }
    if claimants.iter().any(|claimant| claimant.cap.is_some_and(|cap| cap < claimant.floor)) {
        return Err(AllocationError::CapBelowFloor);
    }
    let floors = claimants.iter().try_fold(0_i64, |sum, claimant| sum.checked_add(claimant.floor)).ok_or(Overflow)?;
    if floors > total {
        return Err(AllocationError::FloorsExceedTotal);
    }
    Ok(total - floors)
}

/// Who comes first among equal remainders. `a` and `b` are positions in `open`.
fn tie(rule: TieRule, open: &[usize], claimants: &[Claimant<'_>], weights: &[BigInt], a: usize, b: usize) -> Ordering {
    let at = |position: usize| open.get(position).copied().unwrap_or_default();
    let weight = |position: usize| weights.get(at(position));
    let code = |position: usize| claimants.get(at(position)).map(|claimant| claimant.code);
    match rule {
        TieRule::Listed => a.cmp(&b),
        TieRule::ReverseListed => b.cmp(&a),
        TieRule::LargerWeight => weight(b).cmp(&weight(a)).then_with(|| code(a).cmp(&code(b))).then(a.cmp(&b)),
    }
}

#[cfg(test)]
#[path = "allocate_tests.rs"]
mod tests;
