//! Whether a schedule tells tiers apart at all. Where it does not, no tier is evaluated for it.

use std::collections::BTreeSet;

use crate::document::rebate::{Band, GrowthBand, Method, RebateSchedule, TargetPay};
use crate::document::scoped::Tiered;
use crate::money::Rate;

fn named<T>(values: &Tiered<T>) -> bool {
    !values.tiers.is_empty()
}

fn named_if<T>(values: Option<&Tiered<T>>) -> bool {
    values.is_some_and(named)
}

fn cap_share(schedule: &RebateSchedule) -> Option<&Tiered<Rate>> {
    schedule.cap.as_ref().and_then(|cap| cap.share.as_ref())
}

/// Whether any part of a schedule names a tier.
pub fn asks_tiers(schedule: &RebateSchedule) -> bool {
    let bounds = [
        schedule.base_cap.as_ref(),
        schedule.floor.as_ref().map(|floor| &floor.amount),
        schedule.cap.as_ref().and_then(|cap| cap.amount.as_ref()),
        schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount),
    ];
    let accrual = schedule.accrual.as_ref();
    !schedule.scope.tiers.is_empty()
        || bounds.into_iter().any(named_if)
        || named_if(cap_share(schedule))
        || method_asks(&schedule.method)
        || accrual.is_some_and(|accrual| named_if(accrual.rate.as_ref()) || accrual.method.as_deref().is_some_and(method_asks))
}

fn method_asks(method: &Method) -> bool {
    match method {
        Method::Flat(flat) => named(&flat.rate),
        Method::PerUnit(unit) => named(&unit.amount),
        Method::PerPackage(package) => named(&package.amount),
        Method::LumpSum(lump) => lump.targets.iter().any(|target| named(&target.at) || named(&target.amount)),
        Method::Bands(bands) => bands.bands.iter().any(band_asks),
        Method::Growth(growth) => growth.bands.iter().any(growth_band_asks),
        Method::Target(target) => match &target.pays {
            TargetPay::LumpSum(amount) => named(amount),
            TargetPay::RateOnEverything(rate) | TargetPay::RateAboveTarget(rate) => named(rate),
        },
        Method::Fixed(fixed) => named(&fixed.amount),
        Method::FreeGoods(_) => false,
    }
}

fn band_asks(band: &Band) -> bool {
    edges_ask(band)
        || named_if(band.rate.as_ref())
        || named_if(band.amount_per_unit.as_ref())
        || named_if(band.on_entry.as_ref())
        || band.per_package.as_ref().is_some_and(|package| named(&package.amount))
}

/// Whether the edges of a band differ by tier.
pub(super) fn edges_ask(band: &Band) -> bool {
    named(&band.from) || named_if(band.to.as_ref())
}

fn growth_band_asks(band: &GrowthBand) -> bool {
    named_if(band.rate.as_ref()) || named_if(band.amount_per_unit.as_ref()) || named_if(band.lump_sum.as_ref())
}

fn keys<'s, T>(values: &'s Tiered<T>, into: &mut BTreeSet<&'s str>) {
    into.extend(values.tiers.keys().map(String::as_str));
}

/// The tiers that a schedule names anywhere. It treats all others alike.
pub(super) fn named_tiers(schedule: &RebateSchedule) -> BTreeSet<&str> {
    let mut named: BTreeSet<&str> = schedule.scope.tiers.iter().map(String::as_str).collect();
    let bounds = [
        schedule.base_cap.as_ref(),
        schedule.floor.as_ref().map(|floor| &floor.amount),
        schedule.cap.as_ref().and_then(|cap| cap.amount.as_ref()),
        schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount),
    ];
    bounds.into_iter().flatten().for_each(|bound| keys(bound, &mut named));
    cap_share(schedule).iter().for_each(|share| keys(share, &mut named));
    match &schedule.method {
        Method::Flat(flat) => keys(&flat.rate, &mut named),
        Method::PerUnit(unit) => keys(&unit.amount, &mut named),
        Method::PerPackage(package) => keys(&package.amount, &mut named),
        Method::LumpSum(lump) => lump.targets.iter().for_each(|target| {
            keys(&target.at, &mut named);
            keys(&target.amount, &mut named);
        }),
        Method::Bands(bands) => bands.bands.iter().for_each(|band| {
            keys(&band.from, &mut named);
            band.to.iter().for_each(|values| keys(values, &mut named));
            [&band.amount_per_unit, &band.on_entry].into_iter().flatten().for_each(|values| keys(values, &mut named));
            band.rate.iter().for_each(|rate| keys(rate, &mut named));
            band.per_package.iter().for_each(|package| keys(&package.amount, &mut named));
        }),
        Method::Fixed(fixed) => keys(&fixed.amount, &mut named),
        Method::Growth(_) | Method::Target(_) | Method::FreeGoods(_) => {}
    }
    named
}
