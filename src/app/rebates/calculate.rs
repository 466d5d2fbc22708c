//! What a chunk of partners is worth, for one run: its own period, and every period that was posted before.
//!
//! One function, because two ways lead to its answer: from facts read partner by partner, as here, and from sums that the database
//! makes of many. Both give the same statements; a run cannot tell them apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::exact::Overflow;
use guerdon_domain::exchange::CutOff;
use guerdon_domain::facts::Facts;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::period::Period;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::batch::{FromSum, PeriodPlan, Planned};
use guerdon_domain::rebate::{Entitlement, Knowledge, OnRecord, PeriodResult, Stated, compute_unbudgeted, state};
use guerdon_store::{PartnerId, ReadTx, SumsSource};

use crate::app::App;
use crate::app::Ctx;
use crate::app::parallel::in_parallel;
use crate::app::periods::governed;
pub use crate::app::plan::UpTo;
use crate::app::plan::{for_runs, read_facts_of_run, together};
use crate::app::programs::{InForce, ProgramKey};
use crate::app::rebates::sums::{SumsKey, WindowData};
use crate::error::AppError;

/// From so many partners on sums are read for all of them at once; fewer are computed from their own lines.
const MANY: usize = 32;

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
    /// Nothing later is read, whatever its dates.
    pub up_to: UpTo,
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

/// A question about one period alone, by everything that is sealed by now: for trying out and measuring.
///
/// # Errors
/// `Invalid` with `UNKNOWN_PERIOD`; `NotFound` and `Invalid` about the program.
pub async fn question_now(app: &App, ctx: &Ctx, tx: &ReadTx, program: &ProgramKey, period: &str) -> Result<RunQuestion, AppError> {
    let (period, in_force) = governed(app, ctx, tx, program, period).await?;
    let up_to = UpTo { cut_off: tx.last_sealed().await?, records: tx.counter("record").await? };
    Ok(RunQuestion { periods: vec![PeriodAsked { period, in_force }], up_to, posted_at: BTreeMap::new() })
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
pub async fn calculate_partners(app: &App, tx: &ReadTx, question: &RunQuestion, partners: &[(PartnerId, String)]) -> Result<Vec<PartnerCalculated>, AppError> {
    let mut planned = question.periods.iter().map(|asked| PeriodPlan::new(&asked.in_force.compiled, &asked.period.name));
    if partners.len() < MANY || planned.all(|plan| plan.by_lines().len() == plan.schedules.len()) {
        return calculate_from_lines(tx, question, partners).await;
    }
    calculate_from_sums(app, tx, question, partners, SumsSource::Aggregates).await
}

/// From sums that are read for many partners at once; line by line those whose sums do not suffice, and the schedules that need lines.
///
/// # Errors
/// As [`calculate_partners`].
pub async fn calculate_from_sums(
    app: &App,
    tx: &ReadTx,
    question: &RunQuestion,
    partners: &[(PartnerId, String)],
    source: SumsSource,
) -> Result<Vec<PartnerCalculated>, AppError> {
    let (Some(key), Some((_, first)), Some((_, last))) = (SumsKey::new(question, source), partners.first(), partners.last()) else { return Ok(Vec::new()) };
    let window = app.rebate_sums.read(tx, question, key, first, last).await?;
    let calculated = compute_parts(question, partners, move |question, part| settle_part(question, &window, part)).await?;
    let of = |settled: bool| -> Vec<(PartnerId, String)> {
        partners.iter().zip(&calculated).filter(|(_, own)| own.is_some() == settled).map(|(partner, _)| partner.clone()).collect()
    };
    let mut rest = calculate_from_lines(tx, question, &of(false)).await?.into_iter();
    let mut beside = calculate_beside(tx, question, &of(true)).await?.into_iter();
    let places = places_of(question);
    let mut complete = |mut own: PartnerCalculated| {
        if let Some(more) = beside.next() {
            add(&mut own.stated, more.stated);
            if let Ok(stated) = &mut own.stated {
                stated.sort_by_key(|one| places.get(&(one.period.as_str(), one.schedule.as_str())).copied());
            }
        }
        own
    };
    let all = calculated.into_iter().filter_map(|own| match own {
        Some(own) => Some(complete(own)),
        None => rest.next(),
    });
    Ok(all.collect())
}

/// Where the statement of a period and schedule stands among all of a partner.
fn places_of(question: &RunQuestion) -> BTreeMap<(&str, &str), (usize, usize)> {
    let mut places = BTreeMap::new();
    for (at, asked) in question.periods.iter().enumerate() {
        for (place, schedule) in asked.in_force.compiled.document.rebate_schedules.iter().enumerate() {
            places.insert((asked.period.name.as_str(), schedule.key.as_str()), (at, place));
        }
    }
    places
}

/// The schedules that need lines, of partners whose others come from sums.
async fn calculate_beside(tx: &ReadTx, question: &RunQuestion, partners: &[(PartnerId, String)]) -> Result<Vec<PartnerCalculated>, AppError> {
    let mut narrow = RunQuestion { periods: Vec::new(), ..question.clone() };
    for asked in &question.periods {
        let keep = PeriodPlan::new(&asked.in_force.compiled, &asked.period.name).by_lines();
        if !keep.is_empty() {
            let compiled = Arc::new(asked.in_force.compiled.with_schedules(|key| keep.contains(key)));
            narrow.periods.push(PeriodAsked { in_force: InForce { compiled, ..asked.in_force.clone() }, ..asked.clone() });
        }
    }
    from_lines(tx, &narrow, question.days().last_day(), partners).await
}

/// What partners are worth by their sums; none of one who has to be computed line by line.
fn settle_part(question: &RunQuestion, window: &WindowData, partners: Vec<(PartnerId, String)>) -> Vec<Option<PartnerCalculated>> {
    let plans: Vec<PeriodPlan<'_>> = question.periods.iter().map(|asked| PeriodPlan::new(&asked.in_force.compiled, &asked.period.name)).collect();
    let settle = |(partner, code): (PartnerId, String)| {
        let standings = match window.standings().of(partner, &plans) {
            Ok(standings) => standings,
            Err(faults) => return Some(PartnerCalculated { partner, code, stated: Err(faults) }),
        };
        let columns = window.sums(partner);
        let mut rest = columns.as_slice();
        let mut stated = Ok(Vec::new());
        for (plan, tiers) in plans.iter().zip(standings) {
            let (mine, others) = rest.split_at_checked(plan.columns.len()).unwrap_or((&[], &[]));
            rest = others;
            match plan.entitle(&tiers, mine) {
                Ok(entitlements) => add(&mut stated, states_of_sums(plan, entitlements?)),
                Err(faults) => add(&mut stated, Err(faults)),
            }
        }
        Some(PartnerCalculated { partner, code, stated })
    };
    partners.into_iter().map(settle).collect()
}

fn states_of_sums(plan: &PeriodPlan<'_>, entitlements: Vec<FromSum>) -> Result<Vec<Stated>, Faults> {
    let one = |(planned, (entitlement, lines)): (&Planned<'_>, (Entitlement, u64))| -> Result<Stated, Faults> {
        let loud = |overflow: Overflow| Faults::from(Fault::new("OUT_OF_RANGE", format!("rebateSchedules.{}", planned.schedule.key), overflow.to_string()));
        let stated = state(entitlement, planned.schedule).map_err(loud)?;
        Ok(Stated { inputs: i64::try_from(lines).map_err(|_| loud(Overflow))?, ..stated })
    };
    plan.schedules.iter().zip(entitlements).filter_map(|(planned, own)| Some(one((planned, own?)))).collect()
}

/// Computes parts of the partners on all processors, and puts the answers together in their order.
async fn compute_parts<T: Send + 'static>(
    question: &RunQuestion,
    partners: &[(PartnerId, String)],
    work: impl Fn(&RunQuestion, Vec<(PartnerId, String)>) -> Vec<T> + Send + Sync + 'static,
) -> Result<Vec<T>, AppError> {
    let (question, partners) = (question.clone(), partners.to_vec());
    in_parallel(partners, move |part| work(&question, part)).await
}

/// Line by line, from all facts of the partners.
///
/// # Errors
/// As [`calculate_partners`].
pub async fn calculate_from_lines(tx: &ReadTx, question: &RunQuestion, partners: &[(PartnerId, String)]) -> Result<Vec<PartnerCalculated>, AppError> {
    from_lines(tx, question, question.days().last_day(), partners).await
}

/// The same; who is enrolled on `cohort_on` makes up cohorts.
async fn from_lines(tx: &ReadTx, question: &RunQuestion, cohort_on: Date, partners: &[(PartnerId, String)]) -> Result<Vec<PartnerCalculated>, AppError> {
    let Some(first) = question.periods.first().filter(|_| !partners.is_empty()) else { return Ok(Vec::new()) };
    let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
    let reading = together(question.periods.iter().map(|asked| for_runs(&asked.in_force.compiled, &asked.period)));
    let facts = Arc::new(read_facts_of_run(tx, &first.in_force, &reading, cohort_on, question.up_to, &ids).await?);
    compute_parts(question, partners, move |question, part| calculate_part(question, &facts, &question.knowledge(), part)).await
}

fn calculate_part(question: &RunQuestion, facts: &Facts, knowledge: &Knowledge, partners: Vec<(PartnerId, String)>) -> Vec<PartnerCalculated> {
    let codes: Vec<String> = partners.iter().map(|(_, code)| code.clone()).collect();
    let mut stated: Vec<Result<Vec<Stated>, Faults>> = codes.iter().map(|_| Ok(Vec::new())).collect();
    for asked in &question.periods {
        let program: &Program = &asked.in_force.compiled;
        let results = compute_unbudgeted(program, facts, &codes, &asked.period, knowledge, &OnRecord);
        for (result, all) in results.into_iter().zip(&mut stated) {
            add(all, result.and_then(|result| states(program, result)));
        }
    }
    let whole = partners.into_iter().zip(stated);
    whole.map(|((partner, code), stated)| PartnerCalculated { partner, code, stated }).collect()
}

fn states(program: &Program, result: PeriodResult) -> Result<Vec<Stated>, Faults> {
    let one = |entitlement: Entitlement| -> Result<Stated, Faults> {
        let path = format!("rebateSchedules.{}", entitlement.schedule);
        let unknown = || Faults::from(Fault::new("UNKNOWN_SCHEDULE", path.clone(), "the version has no such schedule"));
        let schedule = program.schedule(&entitlement.schedule).ok_or_else(unknown)?;
        state(entitlement, schedule).map_err(|overflow| Fault::new("OUT_OF_RANGE", path.clone(), overflow.to_string()).into())
    };
    result.entitlements.into_iter().map(one).collect()
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
