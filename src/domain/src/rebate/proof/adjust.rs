//! What one partner can judge of what depends on all of them.

use super::given::ShareGiven;
use crate::document::rebate::RebateSchedule;
use crate::exact::{Exact, Overflow};
use crate::fault::{Fault, Faults};
use crate::money::{Currency, DecimalText, Money};
use crate::rebate::Stated;
use crate::rounding::RoundingMode;

/// Reads an amount of the statement's currency.
pub(super) fn minor(text: &DecimalText, currency: Currency, path: &str) -> Result<i64, Fault> {
    Money::parse(&text.0, currency).map(|money| money.minor).map_err(|fault| fault.within(path))
}

/// Spells an amount of the statement's currency.
pub(super) fn amount(minor: i64, currency: Currency) -> DecimalText {
    DecimalText(Money::new(minor, currency).amount())
}

/// Cuts a statement to its share of a budget, as far as one partner can judge it: it is the budget in proportion to what was
/// earned, up to the minor unit that largest remainders decide.
pub(super) fn share(stated: &mut Stated, schedule: &RebateSchedule, given: &ShareGiven, path: &str) -> Result<(), Faults> {
    let currency = stated.amount.currency;
    let budget = schedule.budget.as_ref().ok_or_else(|| Fault::new("NO_BUDGET", path, "the schedule has no budget to share"))?;
    let all = minor(&given.earned_by_all, currency, &format!("{path}.earnedByAll"))?;
    let share = minor(&given.share, currency, &format!("{path}.share"))?;
    let loud = |overflow: Overflow| Faults::from(Fault::new("OUT_OF_RANGE", path, overflow.to_string()));
    let limit = RoundingMode::Down.round_scaled(&budget.amount.0, currency.decimals()).map_err(loud)?.max(0);
    let own = stated.amount.minor;
    let exact = Exact::from_int(limit).mul(&Exact::from_int(own)).and_then(|product| product.div(&Exact::from_int(all))).map_err(loud)?;
    let near = exact.is_some_and(|exact| Exact::from_int(share).sub(&exact).is_ok_and(|distance| distance.abs() < Exact::ONE));
    if own <= 0 || all <= limit || own > all || !near {
        let message = format!(
            "{} of a budget of {} cannot be the part of {} in {}",
            given.share.0,
            amount(limit, currency).0,
            stated.amount.amount(),
            given.earned_by_all.0
        );
        return Err(Fault::new("SHARE_NOT_POSSIBLE", path, message).into());
    }
    stated.cut_to_budget(share).map_err(loud)
}
