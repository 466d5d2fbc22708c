//! What all partners together get at most from a schedule. Budget caps come last (semantics 14).

use std::collections::BTreeMap;

use crate::allocate::{AllocationError, Claimant, allocate};
use crate::document::mdf::TieRule;
use crate::document::rebate::{RebateSchedule, WhenExceeded};
use crate::exact::{Exact, Overflow};
use crate::fault::{Fault, Faults};
use crate::money::Currency;
use crate::program::Program;
use crate::rounding::RoundingMode;

use super::line::{currency_of, out_of_range};
use super::result::{PeriodResult, StepKind};

/// Shares the budget of a schedule over what its partners earned, in minor units and in the order given. Within the budget nothing
/// changes; above it each gets its part by largest remainder, or the run is refused. Who owes (a negative amount) keeps owing
/// and leaves the budget to the others.
pub fn share_budget(schedule: &RebateSchedule, currency: Currency, earned: &[(&str, i64)]) -> Result<Vec<i64>, Fault> {
    let amounts = || earned.iter().map(|(_, amount)| *amount).collect::<Vec<i64>>();
    let Some(budget) = &schedule.budget else { return Ok(amounts()) };
    let loud = |overflow: Overflow| out_of_range(schedule, overflow);
    let limit = RoundingMode::Down.round_scaled(&budget.amount.0, currency.decimals()).map_err(loud)?;
    let positive = earned.iter().map(|(_, amount)| (*amount).max(0));
    let whole = positive.clone().try_fold(0_i64, i64::checked_add).ok_or(Overflow).map_err(loud)?;
    if whole <= limit {
        return Ok(amounts());
    }
    if budget.when_exceeded == WhenExceeded::Refuse {
        let path = format!("rebateSchedules.{}.budget", schedule.key);
        let spelled = |minor: i64| crate::money::Money::new(minor, currency).to_string();
        let message = format!("{} were earned and {} are budgeted: raise the budget or let it be shared", spelled(whole), spelled(limit));
        return Err(Fault::new("BUDGET_EXCEEDED", path, message));
    }
    let claimants: Vec<Claimant<'_>> =
        earned.iter().zip(positive).map(|((code, _), amount)| Claimant { code, weight: Exact::from_int(amount), floor: 0, cap: None }).collect();
    let shares = allocate(limit.max(0), &claimants, TieRule::LargerWeight).map_err(|error| match error {
        AllocationError::Overflow(overflow) => loud(overflow),
        error => Fault::new("BUDGET_NOT_SHARED", format!("rebateSchedules.{}.budget", schedule.key), error.to_string()),
    })?;
    Ok(earned.iter().zip(shares.parts).map(|((_, amount), part)| if *amount < 0 { *amount } else { part }).collect())
}

/// Applies the budgets of all schedules to the results of all partners for one period.
pub fn apply_budgets(program: &Program, results: &mut BTreeMap<String, PeriodResult>) -> Result<(), Faults> {
    for schedule in program.document.rebate_schedules.iter().filter(|schedule| schedule.budget.is_some()) {
        let of = |result: &PeriodResult| result.of(&schedule.key).map(|entitlement| entitlement.amount.minor);
        let earned: Vec<(String, i64)> = results.iter().filter_map(|(code, result)| of(result).map(|amount| (code.clone(), amount))).collect();
        let borrowed: Vec<(&str, i64)> = earned.iter().map(|(code, amount)| (code.as_str(), *amount)).collect();
        let shared = share_budget(schedule, currency_of(program, schedule), &borrowed)?;
        for ((code, before), after) in borrowed.iter().zip(shared) {
            let entitlement = results.get_mut(*code).and_then(|result| result.entitlements.iter_mut().find(|own| own.schedule == schedule.key));
            if let Some(entitlement) = entitlement.filter(|_| *before != after) {
                entitlement.settle_at(after, StepKind::Budget, None).map_err(|overflow| out_of_range(schedule, overflow))?;
            }
        }
    }
    Ok(())
}
