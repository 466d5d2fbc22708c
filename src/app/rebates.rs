//! What partners have earned so far: an estimate, of which nothing is posted.

pub mod accruals;
pub mod books;
pub mod calculate;
mod contract_rates;
pub mod proof;
pub mod runs;
pub mod statements;
pub mod sums;

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::period::Period;
pub use guerdon_domain::rebate::Estimate as Outlook;
use guerdon_domain::rebate::{Knowledge, OnRecord, PeriodResult, compute_as_known, estimate};

use super::partners::PartnerId;
use super::periods::{governed, periods_governed_on};
use super::plan::{compute, dated, for_rebates, read_facts, together};
use super::programs::{InForce, ProgramKey};
use super::{App, Ctx};
use crate::error::AppError;

/// What is asked about every partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The period's name; of each schedule the period that holds the date when empty.
    pub period: Option<String>,
    /// Sales after this day do not count; today in the program's time zone when empty.
    pub as_of: Option<Date>,
}

/// What a partner has earned so far, in the period that was asked for or in those that hold the date.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Sales after this day do not count.
    pub as_of: Date,
    /// One for each period; at least one.
    pub periods: Vec<PeriodEstimate>,
}

/// What a partner has earned in a period so far.
#[derive(Debug, Clone)]
pub struct PeriodEstimate {
    /// The number of the version whose rules it is computed by: that in force on the period's first day (semantics 5).
    pub version: i64,
    /// By schedule, with every step and line.
    pub result: PeriodResult,
    /// By schedule, what comes next and where the period is heading.
    pub outlook: Vec<Outlook>,
}

impl PeriodEstimate {
    /// The outlook of a schedule.
    pub fn outlook(&self, schedule: &str) -> Option<&Outlook> {
        self.outlook.iter().find(|outlook| outlook.schedule == schedule)
    }
}

/// What partners have earned so far, by the tiers on record. A fixed number of statements whatever the number of partners. Partners
/// out of scope are left out, and all of them before the first version and where no schedule has a period on the date.
///
/// # Errors
/// `Forbidden`; `Invalid` with `UNKNOWN_PERIOD`; `NotFound` and `Invalid` about the program. A partner whose figure cannot be
/// computed has its own error.
pub async fn estimates_many(app: &App, ctx: &Ctx, question: &Question, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, Result<Estimate, AppError>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Estimate))?;
    let read = app
        .store
        .read(async |tx| {
            let Some((as_of, present)) = dated(app, ctx, tx, question.program.as_ref(), question.as_of).await? else { return Ok::<_, AppError>(None) };
            let program = ProgramKey::Id(present.program.id);
            let asked = match &question.period {
                Some(name) => vec![governed(app, ctx, tx, &program, name).await?],
                None => periods_governed_on(app, tx, Some(&program), as_of).await?,
            };
            let Some((_, first)) = asked.first() else { return Ok(None) };
            let reading = together(asked.iter().map(|(period, in_force)| for_rebates(&in_force.compiled, period)));
            // Everything up to the day that is asked: a return of the next period may count on its sale's date.
            let known = read_facts(tx, &scope, first, &reading, as_of, ids).await?;
            Ok(Some((as_of, asked, known)))
        })
        .await?;
    let Some((as_of, asked, known)) = read else { return Ok(BTreeMap::new()) };
    compute(move || {
        let knowledge = Knowledge { as_of: Some(as_of), ..Knowledge::default() };
        let one = |(period, in_force): &(Period, InForce), code: &String| {
            let result = compute_as_known(&in_force.compiled, &known.facts, code, period, &knowledge, &OnRecord)?;
            let outlook = estimate(&in_force.compiled, &known.facts, code, period, as_of, &[], &OnRecord)?;
            Ok::<_, AppError>(PeriodEstimate { version: in_force.version.number, result, outlook })
        };
        let answer = |code: &String| {
            let periods = asked.iter().map(|asked| one(asked, code)).collect::<Result<Vec<_>, AppError>>()?;
            Ok(Estimate { as_of, periods })
        };
        known.ids.iter().map(|(id, code)| (*id, answer(code))).collect()
    })
    .await
}

/// What partners have earned in each of several periods, without the outlook; facts are read once for all of them. For reports
/// over many partners.
///
/// # Errors
/// As [`estimates_many`]; the first partner whose figure cannot be computed is the error of the whole.
pub async fn results_many(app: &App, ctx: &Ctx, program: &ProgramKey, periods: &[String], ids: &[PartnerId]) -> Result<Vec<PeriodResult>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Estimate))?;
    let read = app
        .store
        .read(async |tx| {
            let Some((as_of, present)) = dated(app, ctx, tx, Some(program), None).await? else { return Ok::<_, AppError>(None) };
            let mut asked = Vec::with_capacity(periods.len());
            for name in periods {
                asked.push(governed(app, ctx, tx, program, name).await?);
            }
            let reading = together(asked.iter().map(|(period, in_force)| for_rebates(&in_force.compiled, period)));
            let known = read_facts(tx, &scope, &present, &reading, as_of, ids).await?;
            Ok(Some((as_of, asked, known)))
        })
        .await?;
    let Some((as_of, asked, known)) = read else { return Ok(Vec::new()) };
    compute(move || {
        let knowledge = Knowledge { as_of: Some(as_of), ..Knowledge::default() };
        let figure = |(period, in_force): &(Period, InForce), code: &String| {
            compute_as_known(&in_force.compiled, &known.facts, code, period, &knowledge, &OnRecord).map_err(AppError::from)
        };
        asked.iter().flat_map(|period| known.ids.values().map(move |code| (period, code))).map(|(period, code)| figure(period, code)).collect()
    })
    .await?
}
