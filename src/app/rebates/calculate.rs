//! What a chunk of partners is worth, for one run: its own period, and every period that was posted before.
//!
//! One function, because two ways lead to its answer: from facts read partner by partner, as here, and from sums that the database
//! makes of many. Both give the same statements; a run cannot tell them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::exchange::CutOff;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::period::Period;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{Knowledge, OnRecord, PeriodResult, Stated, compute_unbudgeted, state};
use guerdon_store::{PartnerId, ReadTx};

use crate::app::plan::{for_runs, read_facts_of_run, together};
use crate::app::programs::InForce;
use crate::error::AppError;

/// A period that a run computes.
#[derive(Debug, Clone)]
pub struct PeriodAsked {
    /// The period.
    pub period: Period,
    /// The version in force on its first day (semantics 5).
    pub in_force: InForce,
}

/// What is asked about every partner of a run.
#[derive(Debug, Clone)]
pub struct RunQuestion {
    /// The periods: those that were posted before, in the order of their posting, and the run's own.
    pub periods: Vec<PeriodAsked>,
    /// The last sealed batch whose facts count. Nothing later is read, whatever its dates.
    pub cut_off: i64,
    /// By period: the cut-offs of the runs that posted it so far. A posted line keeps the exchange rate that its first run knew.
    pub posted_at: BTreeMap<String, Vec<i64>>,
}

impl RunQuestion {
    /// What is known to the engines.
    pub fn knowledge(&self) -> Knowledge {
        let runs = |cut_offs: &Vec<i64>| cut_offs.iter().map(|cut_off| CutOff::Batch(*cut_off)).collect();
        Knowledge { runs: self.posted_at.iter().map(|(period, cut_offs)| (period.clone(), runs(cut_offs))).collect(), ..Knowledge::default() }
    }

    /// The days from the first to the last period.
    pub fn days(&self) -> Span {
        let spans = self.periods.iter().map(|asked| asked.period.span);
        spans.reduce(|one, other| Span::new(one.from.min(other.from), one.until.max(other.until))).unwrap_or(Span::ALWAYS)
    }
}

/// What one partner is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerCalculated {
    /// The partner.
    pub partner: PartnerId,
    /// Its code.
    pub code: String,
    /// One statement for each period and schedule that has it, in that order, without budgets; or why it cannot be computed.
    pub stated: Result<Vec<Stated>, Faults>,
}

/// Computes what partners (by id and code, in any number) are worth in every period that is asked, in their order. Budgets are
/// not applied: they are shared over all partners afterwards.
///
/// # Errors
/// Those of reading. A partner that cannot be computed has its own faults.
pub async fn calculate_partners(tx: &ReadTx, question: &RunQuestion, partners: &[(PartnerId, String)]) -> Result<Vec<PartnerCalculated>, AppError> {
    let Some(first) = question.periods.first() else { return Ok(Vec::new()) };
    let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
    let reading = together(question.periods.iter().map(|asked| for_runs(&asked.in_force.compiled, asked.period.span)));
    let last_day = question.days().last_day();
    let facts = Arc::new(read_facts_of_run(tx, &first.in_force, &reading, last_day, question.cut_off, &ids).await?);
    let codes: Vec<(PartnerId, String)> = partners.to_vec();
    let question = question.clone();
    crate::app::plan::compute(move || {
        let knowledge = question.knowledge();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let size = codes.len().div_ceil(threads).max(1);
        let results = std::thread::scope(|scope| {
            let part = |part: Vec<(PartnerId, String)>| {
                let (facts, question, knowledge) = (facts.as_ref(), &question, &knowledge);
                scope.spawn(move || calculate_part(question, facts, knowledge, part))
            };
            let parts: Vec<_> = codes.chunks(size).map(|chunk| part(chunk.to_vec())).collect();
            parts.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>()
        });
        let results = results.map_err(|_| AppError::internal("computing a partner failed"))?;
        Ok(results.into_iter().flatten().collect())
    })
    .await?
}

fn calculate_part(
    question: &RunQuestion,
    facts: &guerdon_domain::facts::Facts,
    knowledge: &Knowledge,
    partners: Vec<(PartnerId, String)>,
) -> Vec<PartnerCalculated> {
    let codes: Vec<String> = partners.iter().map(|(_, code)| code.clone()).collect();
    let mut stated: Vec<Result<Vec<Stated>, Faults>> = codes.iter().map(|_| Ok(Vec::new())).collect();
    for asked in &question.periods {
        let program: &Program = &asked.in_force.compiled;
        let takes_part = |code: &String| facts.partners.get(code).is_some_and(|own| is_enrolled(own, asked.period.span));
        let taking: Vec<String> = codes.iter().filter(|code| takes_part(code)).cloned().collect();
        let mut results = compute_unbudgeted(program, facts, &taking, &asked.period, knowledge, &OnRecord).into_iter();
        for (code, all) in codes.iter().zip(&mut stated) {
            let Some(result) = takes_part(code).then(|| results.next()).flatten() else { continue };
            add(all, result.and_then(|result| states(program, &result)));
        }
    }
    let whole = partners.into_iter().zip(stated);
    whole.map(|((partner, code), stated)| PartnerCalculated { partner, code, stated }).collect()
}

/// Whether a partner takes part in the program on some day of the period.
fn is_enrolled(partner: &guerdon_domain::facts::PartnerFacts, days: Span) -> bool {
    partner.enrollments.iter().any(|own| !Span::new(own.since, own.until.unwrap_or(Date::MAX)).intersect(days).is_empty())
}

fn states(program: &Program, result: &PeriodResult) -> Result<Vec<Stated>, Faults> {
    let one = |entitlement| -> Result<Stated, Faults> {
        let entitlement: &guerdon_domain::rebate::Entitlement = entitlement;
        let path = format!("rebateSchedules.{}", entitlement.schedule);
        let unknown = || Faults::from(Fault::new("UNKNOWN_SCHEDULE", path.clone(), "the version has no such schedule"));
        let schedule = program.schedule(&entitlement.schedule).ok_or_else(unknown)?;
        state(entitlement, schedule).map_err(|overflow| Fault::new("OUT_OF_RANGE", path.clone(), overflow.to_string()).into())
    };
    result.entitlements.iter().map(one).collect()
}

/// Adds a period's statements, or its faults to those of other periods.
fn add(all: &mut Result<Vec<Stated>, Faults>, more: Result<Vec<Stated>, Faults>) {
    match (all.as_mut(), more) {
        (Ok(all), Ok(more)) => all.extend(more),
        (Ok(_), Err(faults)) => *all = Err(faults),
        (Err(faults), Err(mut more)) => faults.0.append(&mut more.0),
        (Err(_), Ok(_)) => {}
    }
}
