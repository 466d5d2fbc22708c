//! Rates of contracts, which rebates do not go by yet: nothing is settled as if they were not there.

use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::rebate::require_own_rates;
use guerdon_store::{ProgramId, ReadTx};

use super::calculate::PeriodAsked;
use crate::error::AppError;

/// Contracts that are told at most.
const FAULTS_MAX: usize = 100;

/// Refuses periods for which a contract of a partner that takes part replaces rates, as far as was on record at change number
/// `records`; the faults are at `path`.
///
/// # Errors
/// `Invalid` with `CONTRACT_RATES` for each contract, schedule and period.
pub(super) async fn refuse_contract_rates(tx: &ReadTx, program: ProgramId, periods: &[PeriodAsked], records: i64, path: &str) -> Result<(), AppError> {
    let mut faults = Faults::new();
    for asked in periods {
        let templates = asked.in_force.compiled.document.contract_templates.iter().any(|template| !template.terms.rebate_rates.is_empty());
        let held = tx.active_contracts(program, asked.period.span, records, templates).await?;
        for (partner, contract) in &held {
            let found = require_own_rates(&asked.in_force.compiled, partner, [contract], &asked.period);
            faults.0.extend(found.err().into_iter().flat_map(|more| more.0).map(|fault| Fault { path: path.to_owned(), ..fault }));
        }
    }
    faults.0.truncate(FAULTS_MAX);
    Ok(faults.or(())?)
}
