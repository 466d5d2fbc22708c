//! A plan applied to lines: pieces of earning, each with its line, band and tier. Exact; nothing is rounded here.
//!
//! Lines fill the qualifier in order: line i covers it from the sum of those before it to the sum with it. A slice pays each line
//! for its own stretch, at the rate of the line's tier (semantics 13); a return takes back the stretch at the top. One line that
//! stands for many gives the same figure as the many, where they share a tier and the qualifier is the basis: that is the law
//! behind `earn_from_totals`.

use std::collections::BTreeSet;

use crate::document::rebate::{CapScope, PackageRounding, PerPackage};
use crate::exact::{Exact, Overflow};

use super::bands::{passed, reached};
use super::line::Line;
use super::parts::{Part, in_proportion, part_of, shared};
use super::plan::{Due, Entry, OnEverything, OnSlice, Pay, Plan};

/// A piece of an earning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The position of its line; none for what belongs to no line.
    pub(super) line: Option<usize>,
    pub(super) band: Option<usize>,
    pub(super) tier: Option<&'a str>,
    /// What it was paid on.
    pub(super) base: Exact,
    /// The rate; none for a sum.
    pub(super) rate: Option<Exact>,
    pub(super) amount: Exact,
    /// A part of something that all lines earned together (a sum at a target, whole packages): the whole is rounded, not the part.
    pub(super) of_whole: bool,
}

/// Where a line lies on the qualifier, as far as a base cap lets it earn.
struct Stretch {
    start: Exact,
    end: Exact,
    /// The part of its basis that earns.
    basis: Exact,
    /// The part of its units that earns.
    units: Exact,
    qualifier: Exact,
    whole_basis: Exact,
    whole_units: Exact,
}

/// Lays the lines on the qualifier; at most `base_cap` of the basis earns, in the order of the lines.
fn stretches(lines: &[Line<'_>], base_cap: Option<Exact>) -> Result<Vec<Stretch>, Overflow> {
    let (mut at, mut filled) = (Exact::ZERO, Exact::ZERO);
    let capped = |basis: &Exact| base_cap.as_ref().map_or(basis, |cap| basis.min(cap)).clone();
    let mut all = Vec::with_capacity(lines.len());
    for line in lines {
        let (next, filled_next) = (at.add(&line.qualifier)?, filled.add(&line.basis)?);
        let basis = capped(&filled_next).sub(&capped(&filled))?;
        let along = in_proportion(line.qualifier.clone(), basis.clone(), line.basis.clone())?;
        let units = in_proportion(line.units.clone(), basis.clone(), line.basis.clone())?;
        // A sale fills from below; a return empties from above, and first what did not earn.
        let (start, end) = if line.qualifier.is_negative() { (next.sub(&along)?, next.clone()) } else { (at.clone(), at.add(&along)?) };
        all.push(Stretch { start, end, basis, units, qualifier: line.qualifier.clone(), whole_basis: line.basis.clone(), whole_units: line.units.clone() });
        (at, filled) = (next, filled_next);
    }
    Ok(all)
}

/// How much of `[from, to)` lies below `position`.
fn overlap(slice: &OnSlice<'_>, position: Exact) -> Result<Exact, Overflow> {
    let top = slice.to.clone().map_or(position.clone(), |to| position.min(to));
    top.max(slice.from.clone()).sub(&slice.from)
}

/// Whole packages of some units, by the schedule's rule; packages that go back count like packages that came.
fn packages(units: Exact, size: Exact, rule: PackageRounding) -> Result<Exact, Overflow> {
    let Some(exact) = units.abs().div(&size)? else { return Ok(Exact::ZERO) };
    let whole = match rule {
        PackageRounding::Floor => exact.floor(),
        PackageRounding::Ceil => exact.ceil(),
        PackageRounding::Prorate => exact,
    };
    Ok(if units.is_negative() { whole.neg() } else { whole })
}

/// What of each share is paid in whole packages of all together: those of lines of one tier come to what they are of all, and no line
/// of them is paid for more than they come to.
fn packed(lines: &[Line<'_>], shares: &[(usize, Exact)], package: &PerPackage, per: CapScope) -> Result<Vec<Exact>, Overflow> {
    if package.packages == PackageRounding::Prorate {
        // Each line is paid for its own, also where sales and returns come to nothing in sum.
        return shares.iter().map(|(_, share)| packages(share.clone(), package.size.0.clone(), package.packages)).collect();
    }
    let units = Exact::sum(shares.iter().map(|(_, share)| share))?;
    let whole = packages(units.clone(), package.size.0.clone(), package.packages)?;
    let paid = |share: &Exact| Ok(share.mul_div(&whole, &units)?.unwrap_or(Exact::ZERO));
    let tier_of = |at: usize| lines.get(at).and_then(|line| line.tier);
    let tiers: BTreeSet<Option<&str>> = shares.iter().map(|(at, _)| tier_of(*at)).collect();
    let mut all = vec![Exact::ZERO; shares.len()];
    for tier in tiers {
        let own: Vec<(usize, &(usize, Exact))> = shares.iter().enumerate().filter(|(_, (at, _))| tier_of(*at) == tier).collect();
        let sum = Exact::sum(own.iter().map(|(_, (_, share))| share))?;
        let upright = |value: Exact| if sum.is_negative() { value.neg() } else { value };
        let weights: Vec<(Part, Exact)> = own.iter().map(|(_, (at, share))| (part_of(per, Some(*at), lines.get(*at)), upright(share.clone()))).collect();
        let parts = shared(&paid(&sum)?, &weights)?.unwrap_or_default();
        for ((place, _), part) in own.into_iter().zip(parts) {
            if let Some(slot) = all.get_mut(place) {
                *slot = part;
            }
        }
    }
    Ok(all)
}

/// Pays shares of lines (positions and measures) by a pay; `rate` says how much for a tier.
fn pay_shares<'a>(
    lines: &[Line<'a>],
    shares: &[(usize, Exact)],
    (band, pay): (Option<usize>, Pay<'a>),
    rate: impl Fn(Option<&str>) -> Result<Exact, Overflow>,
    per: CapScope,
) -> Result<Vec<Piece<'a>>, Overflow> {
    let shares: Vec<(usize, Exact)> = shares.iter().filter(|(_, share)| !share.is_zero()).cloned().collect();
    let (paid, of_whole) = match pay {
        Pay::PerPackage(package) => (packed(lines, &shares, package, per)?, package.packages != PackageRounding::Prorate && shares.len() > 1),
        Pay::Rate(_) | Pay::PerUnit(_) => (shares.iter().map(|(_, share)| share.clone()).collect(), false),
    };
    let mut pieces = Vec::with_capacity(shares.len());
    for ((at, base), paid) in shares.into_iter().zip(paid) {
        let tier = lines.get(at).and_then(|line| line.tier);
        let rate = rate(tier)?;
        let amount = rate.mul(&paid)?;
        pieces.push(Piece { line: Some(at), band, tier, base, rate: Some(rate), amount, of_whole });
    }
    Ok(pieces)
}

fn everything_shares(item: &OnEverything<'_>, stretches: &[Stretch]) -> Vec<(usize, Exact)> {
    stretches.iter().enumerate().map(|(at, stretch)| (at, if item.pay.on_units() { stretch.units.clone() } else { stretch.basis.clone() })).collect()
}

fn slice_shares(item: &OnSlice<'_>, stretches: &[Stretch]) -> Result<Vec<(usize, Exact)>, Overflow> {
    let mut shares = Vec::new();
    for (at, stretch) in stretches.iter().enumerate() {
        let whole = if item.pay.on_units() { stretch.whole_units.clone() } else { stretch.whole_basis.clone() };
        let share = if stretch.qualifier.is_zero() {
            // A line that does not move the qualifier lies where it stands, in the slice that owns the place.
            let inside =
                reached(stretch.start.clone(), item.from.clone(), item.upper_inclusive) && !passed(&stretch.start, item.to.as_ref(), item.upper_inclusive);
            let part = if item.pay.on_units() { stretch.units.clone() } else { stretch.basis.clone() };
            if inside { part } else { Exact::ZERO }
        } else {
            let along = overlap(item, stretch.end.clone())?.sub(&overlap(item, stretch.start.clone())?)?;
            in_proportion(along, whole, stretch.qualifier.clone())?
        };
        shares.push((at, share));
    }
    Ok(shares)
}

/// The line that last took the qualifier into a band.
fn entering(stretches: &[Stretch], entry: &Entry) -> Result<Option<usize>, Overflow> {
    let is_reached = |position: &Exact| reached(position.clone(), entry.at.clone(), entry.upper_inclusive);
    let mut position = Exact::ZERO;
    let mut found = None;
    for (index, stretch) in stretches.iter().enumerate() {
        let next = position.add(&stretch.qualifier)?;
        let from_below = !is_reached(&position) || (entry.at.is_zero() && found.is_none());
        if from_below && is_reached(&next) && stretch.qualifier.is_positive() {
            found = Some(index);
        }
        position = next;
    }
    Ok(found)
}

/// Gives a sum to the line that entered the band, or to all lines in proportion to what they were paid on: returns, and a negative basis
/// that was carried in, get nothing of it.
fn pay_sum<'a>(lines: &[Line<'a>], stretches: &[Stretch], due: &Due<'a>, terms: &EarnTerms<'a>, pieces: &mut Vec<Piece<'a>>) -> Result<(), Overflow> {
    let of_whole = due.entered_at.is_none();
    let piece =
        |line: Option<usize>, tier: Option<&'a str>, amount: Exact| Piece { line, band: due.band, tier, base: Exact::ZERO, rate: None, amount, of_whole };
    let amount_for = |tier: Option<&str>| due.amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone());
    if let Some(entry) = &due.entered_at {
        let line = entering(stretches, entry)?.filter(|line| lines.get(*line).is_some_and(|line| line.transaction.is_some() || line.supposed));
        let tier = line.and_then(|line| lines.get(line)).map_or(terms.tier, |line| line.tier);
        pieces.push(piece(line, tier, amount_for(tier)));
        return Ok(());
    }
    let amount = amount_for(terms.tier);
    let weight = |(at, stretch): (usize, &Stretch)| (part_of(terms.per, Some(at), lines.get(at)), stretch.whole_basis.clone());
    let weights: Vec<(Part, Exact)> = stretches.iter().enumerate().map(weight).collect();
    match shared(&amount, &weights)? {
        None => pieces.push(piece(None, terms.tier, amount)),
        Some(parts) => {
            let own = parts.into_iter().enumerate().filter(|(_, part)| !part.is_zero());
            pieces.extend(own.map(|(at, part)| piece(Some(at), terms.tier, part)));
        }
    }
    Ok(())
}

/// What a plan is applied under.
pub(super) struct EarnTerms<'a> {
    /// At most so much basis earns.
    pub(super) base_cap: Option<Exact>,
    /// The tier of the period.
    pub(super) tier: Option<&'a str>,
    /// Whose earning a cap bounds: so much is shared by.
    pub(super) per: CapScope,
}

/// Applies a plan to lines.
pub(super) fn earn<'a>(plan: &Plan<'a>, lines: &[Line<'a>], terms: &EarnTerms<'a>) -> Result<Vec<Piece<'a>>, Overflow> {
    let stretches = stretches(lines, terms.base_cap.clone())?;
    let mut pieces = Vec::new();
    for item in &plan.everything {
        pieces.extend(pay_shares(lines, &everything_shares(item, &stretches), (item.band, item.pay), |tier| item.rate(tier), terms.per)?);
    }
    for item in &plan.slices {
        pieces.extend(pay_shares(lines, &slice_shares(item, &stretches)?, (item.band, item.pay), |tier| Ok(item.pay.for_tier(tier)), terms.per)?);
    }
    for due in &plan.sums {
        pay_sum(lines, &stretches, due, terms, &mut pieces)?;
    }
    Ok(pieces)
}

/// The sum of pieces.
pub(super) fn sum(pieces: &[Piece<'_>]) -> Result<Exact, Overflow> {
    Exact::sum(pieces.iter().map(|piece| &piece.amount))
}
