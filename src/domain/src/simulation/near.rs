//! How far a partner is from a threshold, and how far above it.

use super::judge::Again;
use super::{Near, Side};
use crate::document::metric::Unit;
use crate::exact::Exact;
use crate::levelling::{TierStanding, Verdict};
use crate::requirement::{Compares, Gap, Judged, Leaf, Node};

/// The part of what is required by which `actual` misses it, or is above it.
fn part(leaf: &Leaf) -> Option<Exact> {
    let (required, actual) = (leaf.required.clone()?, leaf.actual.clone()?);
    if required.is_zero() || leaf.compares == Compares::Equals {
        return None;
    }
    actual.sub(&required).ok()?.abs().div(&required.abs()).ok().flatten()
}

/// The largest part of a requirement that is missing on the nearest way to meet it: zero when it is met, none when it cannot be
/// told, as of a tier that is not held.
fn distance(judged: &Judged) -> Option<Exact> {
    if judged.met {
        return Some(Exact::ZERO);
    }
    match &judged.node {
        Node::Leaf(leaf) => part(leaf),
        Node::AllOf { of } => largest(of.iter().map(distance)),
        Node::AnyOf { of, .. } => of.iter().filter_map(distance).min(),
        Node::AtLeast { n, of, including, .. } if including.is_none() => nth(of.iter().filter_map(distance).collect(), *n),
        Node::ForEach { groups, at_least_groups, .. } if groups.len() >= *at_least_groups as usize => {
            largest(groups.iter().map(|group| distance(&group.requirement)))
        }
        Node::Shared { of, .. } | Node::OnAnyDay { of, .. } | Node::When { of: Some(of), .. } => distance(of),
        _ => None,
    }
}

/// The part by which a requirement is more than met: the smallest of those that it hangs on. None where none can be told, and
/// where whole things are counted of which one alone is more than `within`: who has the two people that are asked for is not
/// near, he is there.
fn margin(judged: &Judged, within: &Exact) -> Option<Exact> {
    if !judged.met {
        return None;
    }
    let margin = |judged: &Judged| margin(judged, within);
    match &judged.node {
        Node::Leaf(leaf) if leaf.unit == Unit::Count && leaf.required.as_ref()?.abs().mul(within).ok()? < Exact::ONE => None,
        Node::Leaf(leaf) => part(leaf),
        Node::AllOf { of } => of.iter().filter_map(margin).min(),
        // Whoever meets a path without a margin hangs on no figure.
        Node::AnyOf { of, .. } => largest(of.iter().filter(|path| path.met).map(margin)),
        Node::AtLeast { n, of, including, .. } if including.is_none() => {
            let mut met: Vec<Exact> = of.iter().filter(|part| part.met).map(margin).collect::<Option<_>>()?;
            met.sort_unstable_by(|one, other| other.cmp(one));
            met.get((*n as usize).checked_sub(1)?).cloned()
        }
        Node::ForEach { groups, .. } => groups.iter().filter_map(|group| margin(&group.requirement)).min(),
        Node::Shared { of, .. } | Node::When { of: Some(of), .. } => margin(of),
        _ => None,
    }
}

fn largest(parts: impl Iterator<Item = Option<Exact>>) -> Option<Exact> {
    parts.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn nth(mut distances: Vec<Exact>, n: u32) -> Option<Exact> {
    distances.sort_unstable();
    distances.get((n as usize).checked_sub(1)?).cloned()
}

/// The thresholds that a partner is near to in one ladder: the next tier that it misses, the tier that it holds.
/// Requirements that were judged again stand in `again`.
pub(super) fn near(partner: &str, verdict: &Verdict<'_>, again: &Again<'_>, rank: u32, within: &Exact) -> impl Iterator<Item = Near> {
    let judged = |tier: &TierStanding| {
        let anew = again.iter().find(|((ladder, region, rank), _)| *ladder == verdict.ladder.key && *region == verdict.region && *rank == tier.rank);
        anew.map(|(_, judged)| judged)
    };
    let tier_at = |rank: u32| verdict.outcome.tiers.iter().find(|tier| tier.rank == rank);
    let applies = verdict.outcome.applies();
    let close = |found: Option<Exact>| found.filter(|distance| distance <= within);
    let entry = |tier: &TierStanding, side: Side, distance: Exact, missing: Vec<String>| Near {
        partner: partner.to_owned(),
        ladder: verdict.ladder.key.clone(),
        region: verdict.region.map(str::to_owned),
        tier: tier.tier.clone(),
        side,
        distance,
        share_met: judged(tier).map_or(tier.share_met.clone(), Judged::share_met),
        missing,
    };
    let below = tier_at(rank + 1).filter(|_| applies).and_then(|tier| {
        let requirement = judged(tier).or(tier.requirement.as_ref()).filter(|judged| !judged.met)?;
        let distance = close(distance(requirement))?;
        let missing = Gap::of(requirement, None).missing.iter().map(|leaf| leaf.sentence().text).collect();
        Some(entry(tier, Side::Below, distance, missing))
    });
    let above = tier_at(rank).filter(|_| applies).and_then(|tier| {
        let distance = close(margin(judged(tier).or(tier.requirement.as_ref())?, within))?;
        Some(entry(tier, Side::Above, distance, Vec::new()))
    });
    below.into_iter().chain(above)
}
