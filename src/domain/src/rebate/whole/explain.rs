//! An outcome spelled out, as the engine of fractions gives it.

use crate::exact::Exact;

use super::super::result::{BandShare, Entitlement, Step, StepKind};
use super::compile::Way;
use super::earn::in_earned;
use super::{Compiled, EARNED_PLACES, Outcome, PLACES, Share};

fn earned(value: i128) -> Exact {
    Exact::scaled(value, EARNED_PLACES)
}

fn measured(value: i128) -> Exact {
    Exact::scaled(value, PLACES)
}

/// The steps so far, with the figure that the last one left.
struct Steps {
    all: Vec<Step>,
    at: Exact,
}

impl Steps {
    fn add(&mut self, step: StepKind, after: Exact, bound: Option<Exact>, note: Option<&str>) {
        let before = std::mem::replace(&mut self.at, after.clone());
        self.all.push(Step { step, before, after, bound, note: note.map(str::to_owned) });
    }

    fn bounded(&mut self, step: StepKind, bounded: Option<(i128, i128)>) {
        if let Some((after, bound)) = bounded {
            self.add(step, earned(after), Some(earned(bound)), None);
        }
    }
}

fn steps(compiled: &Compiled<'_>, outcome: &Outcome) -> Vec<Step> {
    let mut steps = Steps { all: Vec::with_capacity(4), at: Exact::ZERO };
    if !outcome.in_scope {
        steps.add(StepKind::NotInScope, Exact::ZERO, None, None);
    } else if outcome.negative {
        steps.add(StepKind::Earn, Exact::ZERO, None, Some("the basis is negative: nothing is earned"));
    } else {
        steps.add(StepKind::Earn, earned(outcome.earned), None, None);
        if let Some((after, cap)) = outcome.base_capped {
            steps.add(StepKind::BaseCap, earned(after), Some(measured(cap)), None);
        }
    }
    steps.bounded(StepKind::Floor, outcome.floored);
    steps.bounded(StepKind::Cap, outcome.capped);
    steps.bounded(StepKind::Guarantee, outcome.guaranteed);
    let places = compiled.currency.decimals();
    let figure = |minor: i64| in_earned(minor, places).map_or(Exact::ZERO, earned);
    steps.add(StepKind::Round, figure(outcome.rounded), None, None);
    if let Some(minimum) = outcome.minimum {
        steps.add(StepKind::MinimumPayout, figure(outcome.amount), Some(earned(minimum)), None);
    }
    steps.all
}

fn edges(way: &Way, band: Option<usize>) -> (Option<Exact>, Option<Exact>) {
    let Some(band) = band else { return (None, None) };
    match way {
        Way::Targets { targets, .. } => (targets.iter().find(|(at, _, _)| *at == band).map(|(_, from, _)| measured(*from)), None),
        Way::Bands { bands, .. } => {
            let own = bands.iter().find(|own| own.index == band);
            (own.map(|own| measured(own.from)), own.and_then(|own| own.to).map(measured))
        }
        Way::Everything(_) | Way::Sum(_) => (None, None),
    }
}

/// What each band earned, by rate, in the order of bands and rates.
fn bands(way: &Way, tier: Option<&str>, shares: &[Share]) -> Vec<BandShare> {
    let mut sums: Vec<Share> = Vec::with_capacity(shares.len());
    for share in shares {
        match sums.iter_mut().find(|sum| (sum.band, sum.rate) == (share.band, share.rate)) {
            Some(sum) => {
                sum.base = sum.base.saturating_add(share.base);
                sum.amount = sum.amount.saturating_add(share.amount);
            }
            None => sums.push(*share),
        }
    }
    sums.sort_by_key(|sum| (sum.band, sum.rate));
    let share = |Share { band, base, rate, amount }: Share| {
        let (from, to) = edges(way, band);
        BandShare { band, from, to, tier: tier.map(str::to_owned), base: measured(base), rate: rate.map(measured), amount: earned(amount) }
    };
    sums.into_iter().map(share).collect()
}

/// The entitlement of an outcome.
pub(super) fn entitlement(compiled: &Compiled<'_>, tier: Option<&str>, outcome: &Outcome) -> Entitlement {
    let of = |value: i128| if outcome.in_scope { measured(value) } else { Exact::ZERO };
    Entitlement {
        schedule: compiled.schedule.key.clone(),
        period: compiled.period.name.clone(),
        span: compiled.period.span,
        currency: compiled.currency,
        tier: tier.map(str::to_owned),
        qualifier: of(outcome.qualifier),
        basis: of(outcome.basis),
        exact: earned(outcome.exact),
        amount: compiled.money(outcome.amount),
        steps: steps(compiled, outcome),
        bands: bands(&compiled.rules(tier).way, tier, &outcome.shares),
        lines: Vec::new(),
        carried_basis: None,
        carried_payout: None,
    }
}
