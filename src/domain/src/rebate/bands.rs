//! Bands: which are reached, and how they combine (semantics 12).
//!
//! Edges compare with the exact qualifier. A band is `[from, next)`, or `(from, next]` where the schedule says so. The last band
//! may be closed: what lies above it earns nothing there, and no band holds a figure above it.

use crate::document::rebate::{Band, BandScope, Bands};
use crate::exact::{Exact, Overflow};

use super::plan::{Due, Entry, OnEverything, OnSlice, Pay, Plan};

/// A band with its edges for a tier.
#[derive(Debug, Clone)]
pub(super) struct Edged<'a> {
    pub(super) index: usize,
    pub(super) band: &'a Band,
    pub(super) from: Exact,
    pub(super) to: Option<Exact>,
}

/// The bands that a tier has, with their edges. A band without a lower bound for the tier is not one of them.
pub(super) fn edged<'a>(bands: &'a Bands, tier: Option<&str>) -> Vec<Edged<'a>> {
    let own: Vec<(usize, &Band, Exact)> =
        bands.bands.iter().enumerate().filter_map(|(index, band)| band.from.get(tier).map(|from| (index, band, from.value.clone()))).collect();
    let next = own.iter().skip(1).map(|(_, _, from)| Some(from.clone())).chain([None]);
    let upper = |band: &Band| band.to.as_ref().and_then(|to| to.get(tier)).map(|to| to.value.clone());
    own.iter().zip(next).map(|((index, band, from), next)| Edged { index: *index, band, from: from.clone(), to: next.or_else(|| upper(band)) }).collect()
}

/// What a band pays for the basis; a band may pay a sum only.
pub(super) fn pay(band: &Band) -> Option<Pay<'_>> {
    let rate = band.rate.as_ref().map(Pay::Rate);
    rate.or_else(|| band.amount_per_unit.as_ref().map(Pay::PerUnit)).or_else(|| band.per_package.as_ref().map(Pay::PerPackage))
}

/// Whether a qualifier has reached a band. At zero, a band that starts there is reached whichever side owns the bound.
pub(super) fn reached(qualifier: Exact, from: Exact, upper_inclusive: bool) -> bool {
    if upper_inclusive { qualifier > from || (from.is_zero() && qualifier.is_zero()) } else { qualifier >= from }
}

/// Whether a qualifier has left a band upwards.
pub(super) fn passed(qualifier: &Exact, to: Option<&Exact>, upper_inclusive: bool) -> bool {
    to.is_some_and(|to| if upper_inclusive { qualifier > to } else { qualifier >= to })
}

/// The plan of the bands for a qualifier.
pub(super) fn plan<'a>(bands: &'a Bands, qualifier: Exact, tier: Option<&str>) -> Result<Plan<'a>, Overflow> {
    let all = edged(bands, tier);
    let inclusive = bands.upper_inclusive;
    let reached: Vec<Edged<'a>> = all.iter().filter(|band| reached(qualifier.clone(), band.from.clone(), inclusive)).cloned().collect();
    let holding = reached.last().filter(|band| !passed(&qualifier, band.to.as_ref(), inclusive)).cloned();
    let mut plan = Plan { edges: explained(&all, bands.bands.len()), ..Plan::default() };
    for band in &reached {
        let entered_at = Some(Entry { at: band.from.clone(), upper_inclusive: inclusive });
        plan.sums.extend(band.band.on_entry.as_ref().map(|amount| Due { band: Some(band.index), amount, entered_at }));
    }
    match bands.scope {
        BandScope::Marginal => plan.slices = marginal(&reached, inclusive),
        BandScope::Retroactive => plan.everything.extend(holding.and_then(|band| whole(band, Exact::ONE))),
        BandScope::Rolling => {
            let lower = reached.iter().filter(|band| holding.as_ref().is_none_or(|holding| band.index < holding.index));
            plan.slices = lower.filter_map(|band| slice(band.clone(), band.from.clone(), inclusive)).collect();
            plan.everything.extend(holding.and_then(|band| whole(band, Exact::ONE)));
        }
        BandScope::Total => plan.everything = reached.iter().filter_map(|band| whole(band.clone(), Exact::ONE)).collect(),
        BandScope::Linear => plan.everything = linear(&all, holding, qualifier)?,
        BandScope::Proportional => plan.everything = proportional(&reached, qualifier, inclusive)?,
    }
    Ok(plan)
}

fn explained(all: &[Edged<'_>], count: usize) -> Vec<(Exact, Option<Exact>)> {
    let mut edges = vec![(Exact::ZERO, None); count];
    for band in all {
        if let Some(edge) = edges.get_mut(band.index) {
            *edge = (band.from.clone(), band.to.clone());
        }
    }
    edges
}

fn whole(band: Edged<'_>, weight: Exact) -> Option<OnEverything<'_>> {
    pay(band.band).map(|pay| OnEverything { weight, ..OnEverything::of(Some(band.index), pay) })
}

fn slice(band: Edged<'_>, from: Exact, upper_inclusive: bool) -> Option<OnSlice<'_>> {
    pay(band.band).map(|pay| OnSlice { band: Some(band.index), pay, from, to: band.to, upper_inclusive })
}

/// Each slice its own rate; the highest band reached that is marked back-to-first pays from the first unit on, up to its bound.
fn marginal<'a>(reached: &[Edged<'a>], inclusive: bool) -> Vec<OnSlice<'a>> {
    let first = reached.iter().rposition(|band| band.band.back_to_first);
    let start = first.unwrap_or(0);
    let own = reached.iter().enumerate().skip(start);
    own.filter_map(|(at, band)| slice(band.clone(), if first == Some(at) { Exact::ZERO } else { band.from.clone() }, inclusive)).collect()
}

/// The rate on the straight line between the reached band's and the next one's: one rate of the reached band. Packages of two sizes are
/// counted each by itself.
fn linear<'a>(all: &[Edged<'a>], holding: Option<Edged<'a>>, qualifier: Exact) -> Result<Vec<OnEverything<'a>>, Overflow> {
    let Some(band) = holding else { return Ok(Vec::new()) };
    let Some(next) = all.iter().find(|next| next.index > band.index) else { return Ok(whole(band, Exact::ONE).into_iter().collect()) };
    let along = filled(&band.from, &next.from, &qualifier)?;
    let index = Some(band.index);
    let (own, next) = (whole(band, Exact::ONE.sub(&along)?), pay(next.band));
    Ok(match (own, next) {
        (Some(own), Some(next @ Pay::PerPackage(_))) => vec![own, OnEverything { weight: along, ..OnEverything::of(index, next) }],
        (Some(own), Some(next)) => vec![OnEverything { toward: Some((next, along)), ..own }],
        (own, next) => own.into_iter().chain(next.map(|next| OnEverything { weight: along, ..OnEverything::of(index, next) })).collect(),
    })
}

/// Full bands' rates, and the open band's in proportion to how far it is filled.
fn proportional<'a>(reached: &[Edged<'a>], qualifier: Exact, inclusive: bool) -> Result<Vec<OnEverything<'a>>, Overflow> {
    let mut items = Vec::with_capacity(reached.len());
    for band in reached {
        let weight = match &band.to {
            Some(to) if !passed(&qualifier, band.to.as_ref(), inclusive) => filled(&band.from, to, &qualifier)?,
            // Publishing refuses an open last band: there is nothing that it could be filled in proportion to.
            None => Exact::ZERO,
            Some(_) => Exact::ONE,
        };
        items.extend(whole(band.clone(), weight));
    }
    Ok(items)
}

fn filled(from: &Exact, to: &Exact, qualifier: &Exact) -> Result<Exact, Overflow> {
    Ok(qualifier.sub(from)?.div(&to.sub(from)?)?.unwrap_or(Exact::ZERO))
}
