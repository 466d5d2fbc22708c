//! From what a period is worth to what is posted: differences to what was recognised before, agreed adjustments, shares of budgets,
//! and the shortfall that postings are set off against.

use std::collections::{BTreeMap, BTreeSet};

use super::given::{Before, LinePart, ShareGiven};
use crate::document::rebate::RebateSchedule;
use crate::exact::{Exact, Overflow};
use crate::fault::{Fault, Faults};
use crate::money::{Currency, DecimalText, Money};
use crate::rebate::result::{Entitlement, StepKind};
use crate::rounding::RoundingMode;

/// What sale lines contributed, in minor units, by source and id.
pub(super) type Parts = BTreeMap<(Option<String>, Option<String>), i64>;

/// Reads an amount of the statement's currency.
pub(super) fn minor(text: &DecimalText, currency: Currency, path: &str) -> Result<i64, Fault> {
    Money::parse(&text.0, currency).map(|money| money.minor).map_err(|fault| fault.within(path))
}

/// Spells an amount of the statement's currency.
pub(super) fn amount(minor: i64, currency: Currency) -> DecimalText {
    DecimalText(Money::new(minor, currency).amount())
}

/// What earlier runs recognised for a period, in all and by line.
pub(super) fn recognised(before: &[Before], period: &str, currency: Currency) -> Result<(i64, Parts), Fault> {
    let Some((at, before)) = before.iter().enumerate().find(|(_, before)| before.period == period) else { return Ok((0, Parts::new())) };
    let path = format!("inputs.before[{at}]");
    let mut parts = Parts::new();
    for (line, part) in before.lines.iter().enumerate() {
        *parts.entry((part.source.clone(), part.id.clone())).or_default() += minor(&part.amount, currency, &format!("{path}.lines[{line}].amount"))?;
    }
    Ok((minor(&before.amount, currency, &format!("{path}.amount"))?, parts))
}

/// What sale lines contribute to an entitlement.
pub(super) fn parts_of(entitlement: &Entitlement) -> Parts {
    let mut parts = Parts::new();
    for line in &entitlement.lines {
        *parts.entry((line.source.clone(), line.id.clone())).or_default() += line.amount.minor;
    }
    parts
}

/// The lines whose part changed.
pub(super) fn changed(now: &Parts, before: &Parts, currency: Currency) -> Vec<LinePart> {
    let ids: BTreeSet<_> = now.keys().chain(before.keys()).collect();
    let part = |parts: &Parts, id: &(Option<String>, Option<String>)| parts.get(id).copied().unwrap_or(0);
    let differences = ids.into_iter().map(|id| (id, part(now, id) - part(before, id))).filter(|(_, difference)| *difference != 0);
    differences.map(|((source, id), difference)| LinePart { source: source.clone(), id: id.clone(), amount: amount(difference, currency) }).collect()
}

/// Gives an entitlement its share of a budget, as far as one partner can judge it: it is what is left of the budget in proportion
/// to what was earned, up to the minor unit that largest remainders decide.
pub(super) fn share(entitlement: &mut Entitlement, schedule: &RebateSchedule, given: &ShareGiven, path: &str) -> Result<(), Faults> {
    let currency = entitlement.currency;
    let budget = schedule.budget.as_ref().ok_or_else(|| Fault::new("NO_BUDGET", path, "the schedule has no budget to share"))?;
    let all = minor(&given.earned_by_all, currency, &format!("{path}.earnedByAll"))?;
    let share = minor(&given.share, currency, &format!("{path}.share"))?;
    let loud = |overflow: Overflow| Faults::from(Fault::new("OUT_OF_RANGE", path, overflow.to_string()));
    let limit = RoundingMode::Down.round_scaled(budget.amount.0, currency.decimals()).map_err(loud)?.max(0);
    let own = entitlement.amount.minor;
    let exact = Exact::from_int(limit).mul(Exact::from_int(own)).and_then(|product| product.div(Exact::from_int(all))).map_err(loud)?;
    let near = exact.is_some_and(|exact| Exact::from_int(share).sub(exact).is_ok_and(|distance| distance.abs() < Exact::ONE));
    if own <= 0 || all <= limit || own > all || !near {
        let message = format!(
            "{} of a budget of {} cannot be the part of {} in {}",
            given.share.0,
            amount(limit, currency).0,
            entitlement.amount.amount(),
            given.earned_by_all.0
        );
        return Err(Fault::new("SHARE_NOT_POSSIBLE", path, message).into());
    }
    entitlement.settle_at(share, StepKind::Budget, None).map_err(loud)
}
