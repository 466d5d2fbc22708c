//! What is set aside for an open period, by each schedule's own accrual method: a job, since it is over all partners.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::fault::Fault;
use guerdon_domain::money::{Currency, Money};
use guerdon_domain::period::Period;
use guerdon_domain::rebate::{OnRecord, accruals};
use guerdon_store::{AccrualLine, AuditEntry, Change, NewAccrual, PartnerId, WriteTx};
use serde::{Deserialize, Serialize};

use super::calculate::PeriodAsked;
use super::contract_rates::refuse_contract_rates;
use super::runs::over_all;
use crate::app::idempotency::{Keyed, keyed_context, write_context};
use crate::app::jobs::{HeldJob, NewJob, Progress, StoredJob};
use crate::app::periods::{governed, period_governed};
use crate::app::plan::{UpTo, compute, for_runs, read_facts_of_run};
use crate::app::programs::{InForce, ProgramKey, today_in};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// The kind of these jobs.
pub const KIND: &str = "rebate-accrual";

/// An accrual that is asked for.
#[derive(Debug, Clone)]
pub struct Accrue {
    /// The program.
    pub program: ProgramKey,
    /// The period's name.
    pub period: String,
    /// Sales after this day do not count; today in the program's time zone when empty.
    pub as_of: Option<Date>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    program: guerdon_store::ProgramId,
    period: String,
    as_of: Date,
}

/// Has the accrual of an open period brought to what it is worth on a day, in the background.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` with `UNKNOWN_PERIOD`; `Conflict` with `PERIOD_POSTED`; those of idempotency keys.
pub async fn accrue(app: &App, ctx: &Ctx, input: &Accrue) -> Result<StoredJob, AppError> {
    over_all(&ctx.require((Action::Write, Resource::RebateRun))?)?;
    let context = keyed_context(app, ctx, "rebateAccrue", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let (period, in_force) = governed(app, ctx, tx, &input.program, &input.period).await?;
            require_open(tx, &in_force, &period).await?;
            let as_of = input.as_of.unwrap_or_else(|| today_in(ctx, &in_force.compiled));
            let work = Input { program: in_force.program.id, period: period.name.clone(), as_of };
            let input = serde_json::to_value(&work).map_err(AppError::internal)?;
            let key = Some(format!("{}:{}", in_force.program.id, period.name));
            let job = tx.enqueue_job(&NewJob { kind: KIND, unique_key: key, input, total: None }).await?;
            let audit = AuditEntry::of("RebateAccrual", job.id).after(serde_json::json!({ "period": period.name, "asOf": as_of }));
            Ok::<_, AppError>(Change::new(job, audit))
        })
        .await?;
    Ok(written.value)
}

async fn require_open(tx: &guerdon_store::ReadTx, in_force: &InForce, period: &Period) -> Result<(), AppError> {
    let live = tx.find_live_original(in_force.program.id, &period.name).await?;
    if live.is_some_and(|run| run.state.is_posted()) {
        return Err(AppError::conflict("PERIOD_POSTED", "period", format!("{} is posted: nothing is set aside for it any more", period.name)));
    }
    Ok(())
}

/// Brings the accrual of a period to what it is worth: one step.
///
/// # Errors
/// `Stale` when the job is somebody else's; `Invalid` with every missing exchange rate; `Conflict` with `PERIOD_POSTED`.
pub async fn work(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    let input: Input = job.input()?;
    let (in_force, period, up_to) = prepare(app, &input).await?;
    let (mut lines, mut faults, mut after) = (Vec::new(), Vec::new(), String::new());
    loop {
        let (partners, found) = chunk(app, &input, &in_force, &period, up_to, &after).await?;
        let Some((_, last)) = partners.last() else { break };
        after.clone_from(last);
        for one in found {
            match one {
                Ok(more) => lines.extend(more),
                Err(more) => faults.extend::<Vec<Fault>>(more.0),
            }
        }
    }
    if !faults.is_empty() {
        faults.sort_by(|left, right| (&left.code, &left.message).cmp(&(&right.code, &right.message)));
        faults.dedup();
        faults.truncate(1_000);
        return Err(AppError::Invalid(guerdon_domain::fault::Faults(faults)));
    }
    let context = write_context(&app.system(KIND), "rebateAccrue");
    let written = app.store.write(&context, async |tx| record(tx, job, &input, &in_force, &period, up_to.cut_off, &lines).await).await?;
    Ok(Progress::Done(written.value))
}

async fn prepare(app: &App, input: &Input) -> Result<(InForce, Period, UpTo), AppError> {
    app.store
        .read(async |tx| {
            let key = ProgramKey::Id(input.program);
            let unknown = || AppError::invalid("UNKNOWN_PERIOD", "period", "the program has no such period any more");
            let (period, in_force) = period_governed(app, tx, Some(&key), &input.period).await?.ok_or_else(unknown)?;
            let up_to = UpTo { cut_off: tx.counter("batch_seal").await?, records: tx.counter("record").await? };
            let own = [PeriodAsked { period, in_force }];
            refuse_contract_rates(tx, input.program, &own, up_to.records, "period").await?;
            let [PeriodAsked { period, in_force }] = own;
            Ok((in_force, period, up_to))
        })
        .await
}

type Found = Vec<Result<Vec<AccrualLine>, guerdon_domain::fault::Faults>>;

async fn chunk(app: &App, input: &Input, in_force: &InForce, period: &Period, up_to: UpTo, after: &str) -> Result<(Vec<(PartnerId, String)>, Found), AppError> {
    let (partners, facts) = app
        .store
        .read(async |tx| {
            let partners = tx.list_run_partners(input.program, period.span, up_to.records, after, app.limits.run_chunk).await?;
            let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
            let reading = for_runs(&in_force.compiled, period);
            let facts = read_facts_of_run(tx, in_force, &reading, input.as_of, up_to, &ids).await?;
            Ok::<_, AppError>((partners, facts))
        })
        .await?;
    let (asked, period, as_of, compiled) = (partners.clone(), period.clone(), input.as_of, in_force.compiled.clone());
    let found = compute(move || {
        let one = |(partner, code): &(PartnerId, String)| {
            let accrued = accruals(&compiled, &facts, code, &period, as_of, &OnRecord)?;
            let line = |(schedule, amount): (String, Money)| AccrualLine { partner: *partner, schedule, accrued: amount };
            Ok(accrued.into_iter().filter(|(_, amount)| amount.minor != 0).map(line).collect())
        };
        asked.iter().map(one).collect()
    })
    .await?;
    Ok((partners, found))
}

async fn record(
    tx: &WriteTx,
    job: &HeldJob,
    input: &Input,
    in_force: &InForce,
    period: &Period,
    cut_off: i64,
    lines: &[AccrualLine],
) -> Result<Change<serde_json::Value>, AppError> {
    require_open(tx, in_force, period).await?;
    let accrual = NewAccrual { program: input.program, version: in_force.version.id, period: period.name.clone(), as_of: input.as_of, cut_off };
    let id = tx.insert_accrual(&accrual, lines).await?;
    let mut sums: BTreeMap<Currency, i64> = tx.accrued_by_currency(input.program, &period.name).await?.into_iter().map(|held| (held.currency, 0)).collect();
    for line in lines {
        let sum = sums.entry(line.accrued.currency).or_default();
        *sum = sum.checked_add(line.accrued.minor).ok_or_else(|| AppError::invalid("OUT_OF_RANGE", "period", "the sum leaves the range of amounts"))?;
    }
    for (currency, sum) in &sums {
        tx.accrue_to(input.program, &period.name, input.as_of, Some(id), Money::new(*sum, *currency)).await?;
    }
    let spelled: BTreeMap<String, String> = sums.iter().map(|(currency, sum)| (currency.code().to_owned(), Money::new(*sum, *currency).amount())).collect();
    let outcome = serde_json::json!({ "accrual": id, "period": period.name, "asOf": input.as_of, "accrued": spelled });
    job.record(tx, &Progress::Done(outcome.clone())).await?;
    let audit = AuditEntry::of("RebateAccrual", id).after(outcome.clone());
    Ok(Change::new(outcome, audit))
}

/// What is set aside for a period, by currency.
///
/// # Errors
/// `Forbidden`, also for those who do not see all partners; `NotFound`.
pub async fn accrued(app: &App, ctx: &Ctx, program: &ProgramKey, period: &str) -> Result<Vec<Money>, AppError> {
    let scope: Scope = ctx.require((Action::Read, Resource::Ledger))?;
    over_all(&scope)?;
    app.store
        .read(async |tx| {
            let program = crate::app::programs::program_in(tx, Some(program)).await?;
            Ok(tx.accrued_by_currency(program.id, period).await?)
        })
        .await
}
