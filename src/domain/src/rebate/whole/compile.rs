//! The rules of a schedule for one tier, as whole numbers.

use crate::document::rebate::{BandScope, BelowMinimum, CapScope, LumpPay, Method, RebateSchedule, RoundAt};
use crate::exact::Exact;

use super::super::bands::{edged, pay};
use super::super::figure::is_tier;
use super::super::plan::Pay;
use super::{EARNED_PLACES, PLACES};

/// What is paid for a unit of the basis, in 10^-10.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price {
    pub(super) value: i128,
    /// Paid on units instead of on the basis.
    pub(super) on_units: bool,
}

/// A band of one tier.
#[derive(Debug, Clone, Copy)]
pub(super) struct WholeBand {
    pub(super) index: usize,
    /// Its edges, in 10^-10.
    pub(super) from: i128,
    pub(super) to: Option<i128>,
    pub(super) price: Option<Price>,
    /// A sum on entry, in 10^-20.
    pub(super) on_entry: Option<i128>,
    pub(super) back_to_first: bool,
}

/// How a schedule earns.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// One price on everything.
    Everything(Price),
    /// One sum, in 10^-20.
    Sum(i128),
    /// Sums at targets: position, where (10^-10), how much (10^-20).
    Targets { targets: Vec<(usize, i128, i128)>, highest: bool },
    /// Bands.
    Bands { scope: BandScope, upper_inclusive: bool, bands: Vec<WholeBand> },
}

/// A schedule for one tier.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) in_scope: bool,
    pub(super) way: Way,
    pub(super) base_cap: Option<i128>,
    /// The floor, and whether it tops up a zero earning.
    pub(super) floor: Option<(i128, bool)>,
    pub(super) cap: Option<i128>,
    /// The cap as a fraction of the amount, in 10^-10.
    pub(super) cap_share: Option<i128>,
    pub(super) guarantee: Option<i128>,
    pub(super) minimum: Option<i128>,
    pub(super) round_bands: bool,
}

/// A figure as a whole number of 10^-`places`; none when it has more decimals or does not fit.
pub(super) fn whole(value: Exact, places: u32) -> Option<i128> {
    value.to_scaled(places)
}

fn sum(value: Exact) -> Option<i128> {
    whole(value, EARNED_PLACES)
}

/// `Some(None)` where there is nothing to convert, `None` where it cannot be.
fn maybe(value: Option<Exact>, places: u32) -> Option<Option<i128>> {
    match value {
        Some(value) => whole(value, places).map(Some),
        None => Some(None),
    }
}

fn price(pay: &Pay<'_>, tier: Option<&str>) -> Option<Price> {
    if matches!(pay, Pay::PerPackage(_)) {
        return None;
    }
    Some(Price { value: whole(pay.for_tier(tier), PLACES)?, on_units: pay.on_units() })
}

fn way(method: &Method, tier: Option<&str>) -> Option<Way> {
    match method {
        Method::Flat(flat) => price(&Pay::Rate(&flat.rate), tier).map(Way::Everything),
        Method::PerUnit(unit) => price(&Pay::PerUnit(&unit.amount), tier).map(Way::Everything),
        Method::Fixed(fixed) => sum(fixed.amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone())).map(Way::Sum),
        Method::LumpSum(lump) => {
            let mut targets = Vec::new();
            for (at, target) in lump.targets.iter().enumerate() {
                let Some(edge) = target.at.get(tier) else { continue };
                targets.push((at, whole(edge.value.clone(), PLACES)?, sum(target.amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone()))?));
            }
            Some(Way::Targets { targets, highest: lump.pay == LumpPay::Highest })
        }
        Method::Bands(bands) => {
            if matches!(bands.scope, BandScope::Linear | BandScope::Proportional) {
                return None;
            }
            let mut all = Vec::new();
            for own in edged(bands, tier) {
                let price = match pay(own.band) {
                    Some(pay) => Some(price(&pay, tier)?),
                    None => None,
                };
                let on_entry = own.band.on_entry.as_ref().map(|amount| amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone()));
                all.push(WholeBand {
                    index: own.index,
                    from: whole(own.from, PLACES)?,
                    to: maybe(own.to, PLACES)?,
                    price,
                    on_entry: maybe(on_entry, EARNED_PLACES)?,
                    back_to_first: own.band.back_to_first,
                });
            }
            Some(Way::Bands { scope: bands.scope, upper_inclusive: bands.upper_inclusive, bands: all })
        }
        Method::PerPackage(_) | Method::Growth(_) | Method::Target(_) | Method::FreeGoods(_) => None,
    }
}

/// The rules of a schedule for a tier; none where whole numbers cannot express them.
pub(super) fn rules(schedule: &RebateSchedule, tier: Option<&str>) -> Option<Rules> {
    let tiered =
        |values: Option<&crate::document::scoped::Tiered<crate::money::Number>>| values.and_then(|values| values.get(tier)).map(|number| number.0.clone());
    let carries = schedule.minimum_payout.as_ref().is_some_and(|minimum| minimum.below == BelowMinimum::Carry);
    let cumulative = schedule.guarantee.as_ref().is_some_and(|guarantee| guarantee.cumulative);
    let grouped = schedule.cap.as_ref().is_some_and(|cap| cap.per != CapScope::Partner);
    if carries || cumulative || grouped || schedule.carry_negative || schedule.cumulative || schedule.rounding.at == RoundAt::Line {
        return None;
    }
    let floor = maybe(tiered(schedule.floor.as_ref().map(|floor| &floor.amount)), EARNED_PLACES)?;
    Some(Rules {
        in_scope: is_tier(schedule, tier),
        way: way(&schedule.method, tier)?,
        base_cap: maybe(tiered(schedule.base_cap.as_ref()), PLACES)?,
        floor: floor.map(|bound| (bound, schedule.floor.as_ref().is_some_and(|floor| floor.unconditional))),
        cap: maybe(tiered(schedule.cap.as_ref().and_then(|cap| cap.amount.as_ref())), EARNED_PLACES)?,
        cap_share: maybe(schedule.cap.as_ref().and_then(|cap| cap.share.as_ref()?.get(tier)).map(|share| share.0.clone()), PLACES)?,
        guarantee: maybe(tiered(schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount)), EARNED_PLACES)?,
        minimum: maybe(schedule.minimum_payout.as_ref().map(|minimum| minimum.amount.0.clone()), EARNED_PLACES)?,
        round_bands: schedule.rounding.at == RoundAt::Band,
    })
}
