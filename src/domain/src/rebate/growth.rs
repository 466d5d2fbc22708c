//! Growth over a baseline (semantics 17), and targets from a partner's own history.
//!
//! A ratio is never divided out: a band at 110 % of the baseline starts at 1.1 x baseline.

use crate::document::rebate::{Growth, GrowthBand, GrowthBase, GrowthMeasure, Target, TargetPay, ZeroBaseline};
use crate::exact::{Exact, Overflow};

use super::bands::reached;
use super::plan::{Due, OnEverything, OnSlice, Pay, Plan};

fn pay(band: &GrowthBand) -> Option<Pay<'_>> {
    band.rate.as_ref().map(Pay::Rate).or_else(|| band.amount_per_unit.as_ref().map(Pay::PerUnit))
}

fn lump(band: &GrowthBand, index: usize) -> Option<Due<'_>> {
    band.lump_sum.as_ref().map(|amount| Due { band: Some(index), amount, entered_at: None })
}

/// The plan of growth from `baseline` to `qualifier`.
pub(super) fn growth_plan(growth: &Growth, qualifier: Exact, baseline: Option<Exact>) -> Result<Plan<'_>, Overflow> {
    let Some(baseline) = baseline.filter(|baseline| baseline.is_positive()) else {
        return Ok(without_baseline(growth, qualifier));
    };
    let mut edges: Vec<Exact> = Vec::with_capacity(growth.bands.len());
    for band in &growth.bands {
        edges.push(match growth.measured {
            GrowthMeasure::Ratio => baseline.mul(&band.from.value)?,
            GrowthMeasure::Absolute => baseline.add(&band.from.value)?,
        });
    }
    let next = |at: usize| edges.get(at + 1).cloned();
    let mut plan = Plan {
        edges: edges.iter().enumerate().map(|(at, from)| (from.clone(), next(at))).collect(),
        measured_against: Some(baseline.clone()),
        ..Plan::default()
    };
    let all = growth.bands.iter().zip(&edges).enumerate();
    let hit: Vec<(usize, &GrowthBand, Exact)> = all
        .filter(|(_, (_, from))| reached(qualifier.clone(), (*from).clone(), growth.upper_inclusive))
        .map(|(at, (band, from))| (at, band, from.clone()))
        .collect();
    let Some((top, band, _)) = hit.last().cloned() else { return Ok(plan) };
    match growth.pay_on {
        GrowthBase::Everything => plan.everything.extend(pay(band).map(|pay| OnEverything::of(Some(top), pay))),
        GrowthBase::Increment => {
            plan.slices.extend(pay(band).map(|pay| OnSlice { band: Some(top), pay, from: baseline, to: None, upper_inclusive: growth.upper_inclusive }))
        }
        GrowthBase::IncrementByBand => {
            let slices = hit.iter().filter_map(|(at, band, from)| {
                pay(band).map(|pay| OnSlice {
                    band: Some(*at),
                    pay,
                    from: from.clone().max(baseline.clone()),
                    to: next(*at).map(|to| to.max(baseline.clone())),
                    upper_inclusive: growth.upper_inclusive,
                })
            });
            plan.slices = slices.collect();
            plan.sums = hit.iter().filter_map(|(at, band, _)| lump(band, *at)).collect();
            return Ok(plan);
        }
    }
    plan.sums.extend(lump(band, top));
    Ok(plan)
}

/// Nothing, or everything is growth in the highest band.
fn without_baseline(growth: &Growth, qualifier: Exact) -> Plan<'_> {
    let mut plan = Plan { measured_against: Some(Exact::ZERO), ..Plan::default() };
    let top = growth.bands.iter().enumerate().next_back();
    if let (ZeroBaseline::Full, Some((at, band)), true) = (growth.zero_baseline, top, qualifier.is_positive()) {
        plan.edges = vec![(Exact::ZERO, None); growth.bands.len()];
        plan.everything.extend(pay(band).map(|pay| OnEverything::of(Some(at), pay)));
        plan.sums.extend(lump(band, at));
    }
    plan
}

/// The target from the history: at least the floor, at most the cap. None without history and floor, or when it is not above zero.
pub(super) fn target_of(target: &Target, history: Option<Exact>) -> Option<Exact> {
    let floor = target.floor.as_ref().map(|floor| floor.value.clone());
    let cap = target.cap.as_ref().map(|cap| cap.value.clone());
    let raised = match (history, floor) {
        (Some(history), Some(floor)) => history.max(floor),
        (history, floor) => history.or(floor)?,
    };
    Some(cap.map_or(raised.clone(), |cap| raised.min(cap))).filter(|target| target.is_positive())
}

/// The plan of a target. Without one, or while it is not reached, nothing is paid.
pub(super) fn target_plan(target: &Target, qualifier: Exact, at: Option<Exact>) -> Plan<'_> {
    let Some(at) = at else { return Plan::default() };
    let mut plan = Plan { measured_against: Some(at.clone()), edges: vec![(at.clone(), None)], ..Plan::default() };
    if qualifier < at {
        return plan;
    }
    match &target.pays {
        TargetPay::LumpSum(amount) => plan.sums.push(Due { band: Some(0), amount, entered_at: None }),
        TargetPay::RateOnEverything(rate) => plan.everything.push(OnEverything::of(Some(0), Pay::Rate(rate))),
        TargetPay::RateAboveTarget(rate) => plan.slices.push(OnSlice { band: Some(0), pay: Pay::Rate(rate), from: at, to: None, upper_inclusive: false }),
    }
    plan
}
