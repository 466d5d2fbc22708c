//! Rates that a contract replaces: known, and not paid by yet. Whoever has them is told so instead of the rates of the schedule.

use std::collections::BTreeSet;

use crate::facts::{Contract, ContractStatus};
use crate::fault::{Fault, Faults};
use crate::period::Period;
use crate::program::Program;

use super::schedules_of;

/// The schedules whose rates a contract replaces on a day of their period: by its own terms, or else by its template's.
fn replaced<'c>(program: &'c Program, contract: &'c Contract, period: &Period) -> BTreeSet<&'c str> {
    if contract.status != ContractStatus::Active {
        return BTreeSet::new();
    }
    let templates = program.document.contract_templates.iter().filter(|template| Some(&template.key) == contract.template.as_ref());
    let terms = templates.map(|template| &template.terms).chain([&contract.terms]);
    let named: BTreeSet<&str> = terms.flat_map(|terms| &terms.rebate_rates).map(|term| term.schedule.as_str()).collect();
    let of_period = schedules_of(program, &period.name);
    let in_force = |key: &&str| of_period.iter().any(|(schedule, own)| schedule.key == *key && !own.span.intersect(contract.span).is_empty());
    named.into_iter().filter(in_force).collect()
}

/// Refuses to compute a period of a partner by rates that one of its contracts replaces.
///
/// # Errors
/// `CONTRACT_RATES`, for each contract and schedule.
pub fn require_own_rates<'c>(program: &Program, partner: &str, contracts: impl IntoIterator<Item = &'c Contract>, period: &Period) -> Result<(), Faults> {
    let mut faults = Faults::new();
    for contract in contracts {
        for schedule in replaced(program, contract, period) {
            let message = format!(
                "contract {} of {partner} ({}) replaces rates of schedule {schedule}, which rebates do not go by yet: {} would be paid by the rates of the \
                 schedule. Take the rates out of the terms, and settle the difference by a correction",
                contract.key, contract.span, period.name
            );
            faults.0.push(Fault::new("CONTRACT_RATES", format!("rebateSchedules.{schedule}"), message));
        }
    }
    faults.or(())
}
