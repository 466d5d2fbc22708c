//! A method, resolved for a figure and a tier: which rates are paid on everything, which on a slice, and which sums are due.
//!
//! Every method becomes a [`Plan`], so that applying one to lines, to totals and to a single line is written once, in `earn`.

use crate::document::rebate::{Flat, LumpPay, LumpSum, Method, PerPackage, PerUnit};
use crate::document::scoped::Tiered;
use crate::exact::{Exact, Overflow};
use crate::money::{Number, Rate};

/// What is paid for a unit of the basis, by tier.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pay<'a> {
    /// A fraction of the basis.
    Rate(&'a Tiered<Rate>),
    /// An amount for each unit.
    PerUnit(&'a Tiered<Number>),
    /// An amount for each package of units.
    PerPackage(&'a PerPackage),
}

impl Pay<'_> {
    /// The rate or amount for a tier; a tier that has none earns nothing.
    pub(super) fn for_tier(&self, tier: Option<&str>) -> Exact {
        match self {
            Self::Rate(rate) => rate.get(tier).map_or(Exact::ZERO, |rate| rate.0.clone()),
            Self::PerUnit(amount) => amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone()),
            Self::PerPackage(package) => package.amount.get(tier).map_or(Exact::ZERO, |amount| amount.0.clone()),
        }
    }

    /// Whether it is paid on units instead of on the basis.
    pub(super) const fn on_units(&self) -> bool {
        matches!(self, Self::PerUnit(_) | Self::PerPackage(_))
    }
}

/// Paid on the whole basis, times a weight.
#[derive(Debug, Clone)]
pub(super) struct OnEverything<'a> {
    pub(super) band: Option<usize>,
    pub(super) pay: Pay<'a>,
    pub(super) weight: Exact,
    /// Another pay of the same kind that adds to one rate, with its weight.
    pub(super) toward: Option<(Pay<'a>, Exact)>,
}

impl<'a> OnEverything<'a> {
    /// A pay as it stands.
    pub(super) const fn of(band: Option<usize>, pay: Pay<'a>) -> Self {
        Self { band, pay, weight: Exact::ONE, toward: None }
    }

    /// The rate or amount for a tier.
    pub(super) fn rate(&self, tier: Option<&str>) -> Result<Exact, Overflow> {
        let own = self.pay.for_tier(tier).mul(&self.weight)?;
        self.toward.as_ref().map_or(Ok(own.clone()), |(pay, weight)| own.add(&pay.for_tier(tier).mul(weight)?))
    }
}

/// Paid on what lies between `from` and `to` of the qualifier.
#[derive(Debug, Clone)]
pub(super) struct OnSlice<'a> {
    pub(super) band: Option<usize>,
    pub(super) pay: Pay<'a>,
    pub(super) from: Exact,
    pub(super) to: Option<Exact>,
    /// Whether a bound belongs to the slice below it.
    pub(super) upper_inclusive: bool,
}

/// A sum that is due.
#[derive(Debug, Clone)]
pub(super) struct Due<'a> {
    pub(super) band: Option<usize>,
    pub(super) amount: &'a Tiered<Number>,
    /// Belongs to the line that entered the band here; to all lines by their basis when empty.
    pub(super) entered_at: Option<Entry>,
}

/// Where a band is entered.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) at: Exact,
    /// Whether the bound belongs to the band below.
    pub(super) upper_inclusive: bool,
}

/// A method, resolved.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan<'a> {
    pub(super) everything: Vec<OnEverything<'a>>,
    pub(super) slices: Vec<OnSlice<'a>>,
    pub(super) sums: Vec<Due<'a>>,
    /// Bounds of the bands, for the explanation.
    pub(super) edges: Vec<(Exact, Option<Exact>)>,
    /// A baseline or target, for the explanation.
    pub(super) measured_against: Option<Exact>,
}

impl<'a> Plan<'a> {
    /// One rate on everything.
    pub(super) fn everything(pay: Pay<'a>) -> Self {
        Self { everything: vec![OnEverything::of(None, pay)], ..Self::default() }
    }

    /// One sum, shared over the lines.
    pub(super) fn sum(amount: &'a Tiered<Number>) -> Self {
        Self { sums: vec![Due { band: None, amount, entered_at: None }], ..Self::default() }
    }

    /// The plan of a method that asks for nothing but the qualifier and the tier; `None` for growth, target and free goods.
    pub(super) fn of_figures(method: &'a Method, qualifier: Exact, tier: Option<&str>) -> Result<Option<Self>, Overflow> {
        Ok(Some(match method {
            Method::Flat(Flat { rate }) => Self::everything(Pay::Rate(rate)),
            Method::PerUnit(PerUnit { amount }) => Self::everything(Pay::PerUnit(amount)),
            Method::PerPackage(package) => Self::everything(Pay::PerPackage(package)),
            Method::LumpSum(lump) => Self::of_lump_sum(lump, qualifier, tier),
            Method::Bands(bands) => super::bands::plan(bands, qualifier, tier)?,
            Method::Fixed(fixed) => Self::sum(&fixed.amount),
            Method::Growth(_) | Method::Target(_) | Method::FreeGoods(_) => return Ok(None),
        }))
    }

    fn of_lump_sum(lump: &'a LumpSum, qualifier: Exact, tier: Option<&str>) -> Self {
        let mut plan = Self::default();
        for (band, target) in lump.targets.iter().enumerate() {
            let Some(at) = target.at.get(tier) else { continue };
            plan.edges.resize(band, (Exact::ZERO, None));
            plan.edges.push((at.value.clone(), None));
            if qualifier >= at.value {
                if lump.pay == LumpPay::Highest {
                    plan.sums.clear();
                }
                plan.sums.push(Due { band: Some(band), amount: &target.amount, entered_at: None });
            }
        }
        plan
    }
}
