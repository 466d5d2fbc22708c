//! Calculating a run in the background: chunk by chunk, each committed with its results, by whoever holds the job.
//!
//! Pass 0 earns, for programs whose schedules share a budget over all partners; pass 1 states. A chunk is all there is between two
//! commits, so a worker that is killed loses one; chunks follow on one another by the code of their last partner, so that neither
//! their size nor the number of workers shows in what is stated.

use std::collections::BTreeSet;

use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::rebate::share_budget;
use guerdon_store::{BudgetPart, Change, NewStatement, PartnerId, ReadTx, RunChunk, RunId, RunKind, RunState, StoredRun, StoredStatement, WriteTx, Written};
use serde::{Deserialize, Serialize};

use super::settle::{Book, reverse, settle};
use super::so_far::StatedSoFar;
use super::{audit_of, content, question, summary};
use crate::app::App;
use crate::app::idempotency::write_context;
use crate::app::jobs::{HeldJob, Progress};
use crate::app::parallel::{Working, in_parallel};
use crate::app::rebates::calculate::{PartnerCalculated, RunQuestion, calculate_partners};
use crate::error::AppError;

/// The kind of these jobs.
pub const KIND: &str = "rebate-run";

/// Faults of one run that are kept at most.
const FAULTS_MAX: usize = 1_000;

/// What a job of ours needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    run: RunId,
    /// The run's fence when its calculation began: a run that was begun again is another job's.
    fence: i64,
}

/// A run as it was when its next chunk was prepared, that chunk, and what was stated before it as far as is known.
struct Prepared {
    run: StoredRun,
    chunk: Chunk,
    stated: Option<StatedSoFar>,
}

/// What is ready for the next step: what was stated so far, and mostly the chunk behind it.
struct Ready {
    run: StoredRun,
    chunk: Option<Chunk>,
    stated: Option<StatedSoFar>,
}

/// What a chunk came to.
pub(super) enum Chunk {
    /// Earned, for the budgets.
    Earned(RunChunk, Vec<BudgetPart>),
    /// Stated.
    Stated(RunChunk, Vec<NewStatement>),
    /// All partners have earned: budgets are shared.
    Shared(Result<Vec<BudgetPart>, Faults>),
    /// Nobody is left.
    Finished,
}

/// Does the next chunk of a run.
///
/// # Errors
/// `Stale` when the job is somebody else's; those of the database.
pub async fn work(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    let input: Input = job.input()?;
    let mut so_far = None;
    match job.ahead.take::<Ready>() {
        Some(Ready { run, chunk: Some(chunk), stated }) => match write_step(app, job, Some(Prepared { run, chunk, stated })).await {
            // The run may have been given up since: whoever looks at it anew ends the job.
            Err(AppError::Stale) => {}
            done => return done,
        },
        Some(Ready { stated, .. }) => so_far = stated,
        None => {}
    }
    write_step(app, job, prepare(app, &input, so_far).await?).await
}

/// Writes what was prepared of the run; that there is nothing to do, where it is not this job's any more.
async fn write_step(app: &App, job: &HeldJob, prepared: Option<Prepared>) -> Result<Progress, AppError> {
    let context = write_context(&app.system(KIND), "rebateRunCalculate");
    let Some(Prepared { run, chunk, stated }) = prepared else {
        return Ok(app.store.write(&context, async |tx| superseded(tx, job).await).await?.value.into());
    };
    let ended = match &chunk {
        Chunk::Finished => Some(content::finish(app, &run, stated.clone()).await?),
        Chunk::Shared(Err(faults)) => Some(content::Ended::Failed(faults.0.clone())),
        _ => None,
    };
    if let Some(ended) = ended {
        return Ok(app.store.write(&context, async |tx| end(tx, job, &run, &ended).await).await?.value.into());
    }
    let behind = chunk.followed_by().map(|last| Working::begin(prepare_behind(app.clone(), run.clone(), last)));
    let written: Written<Step> = app.store.write(&context, async |tx| commit(tx, job, &run, &chunk).await).await?;
    let next = match behind {
        Some(behind) => behind.done().await,
        None => Ok(None),
    };
    let stated = stated.and_then(|stated| stated.followed_by(&run, &chunk));
    // What could not be prepared is prepared again when its turn comes, and fails then.
    job.ahead.keep(Ready { run, chunk: next.ok().flatten(), stated });
    Ok(written.value.into())
}

/// The run, if it is still this job's to calculate, and its next chunk.
async fn prepare(app: &App, input: &Input, so_far: Option<StatedSoFar>) -> Result<Option<Prepared>, AppError> {
    app.store
        .read_in_bulk(async |tx| {
            let run = tx.find_run(input.run).await?.filter(|run| run.state == RunState::Calculating && run.fence == input.fence);
            let Some(run) = run else { return Ok(None) };
            let last = tx.last_chunk(run.id).await?;
            let stated = match &last {
                None => Some(StatedSoFar::begun(tx, &run).await?),
                Some(last) => so_far.filter(|stated| stated.is_up_to(&run, last)),
            };
            let chunk = next_of(app, tx, &run, last.as_ref()).await?;
            Ok(Some(Prepared { run, chunk, stated }))
        })
        .await
}

impl Chunk {
    /// What the next chunk begins behind, where it can be prepared while this one is written.
    fn followed_by(&self) -> Option<RunChunk> {
        match self {
            Self::Earned(last, _) | Self::Stated(last, _) => Some(last.clone()),
            Self::Shared(_) | Self::Finished => None,
        }
    }

    /// As it is on record; none of the end.
    pub(super) fn on_record(&self) -> Option<RunChunk> {
        match self {
            Self::Earned(chunk, _) | Self::Stated(chunk, _) => Some(chunk.clone()),
            // The begin of the second pass.
            Self::Shared(_) => Some(RunChunk { pass: 1, no: 0, last_code: String::new(), partners: 0, statements: 0, failure: None }),
            Self::Finished => None,
        }
    }
}

/// The chunk behind one that is being written, by a task of its own: none where it has to see what is written, as the sharing of budgets
/// and the end do.
async fn prepare_behind(app: App, run: StoredRun, last: RunChunk) -> Result<Option<Chunk>, AppError> {
    let read = app.store.read_in_bulk(async |tx| {
        let chunk = next_of(&app, tx, &run, Some(&last)).await?;
        Ok(matches!(chunk, Chunk::Earned(..) | Chunk::Stated(..)).then_some(chunk))
    });
    read.await
}

/// [`Progress`], as it can be stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Step {
    More(String, u64, Option<u64>),
    Done(serde_json::Value),
}

impl From<Step> for Progress {
    fn from(step: Step) -> Self {
        match step {
            Step::More(cursor, done, total) => Self::More { cursor, done, total },
            Step::Done(outcome) => Self::Done(outcome),
        }
    }
}

async fn superseded(tx: &WriteTx, job: &HeldJob) -> Result<Change<Step>, AppError> {
    let outcome = serde_json::json!({ "superseded": true });
    job.record(tx, &Progress::Done(outcome.clone())).await?;
    Ok(Change::unchanged(Step::Done(outcome)))
}

/// Writes a chunk: the run must still be in our hands, and the job.
async fn commit(tx: &WriteTx, job: &HeldJob, run: &StoredRun, chunk: &Chunk) -> Result<Change<Step>, AppError> {
    let on_record = chunk.on_record();
    let (mut done, mut cursor) = (job.done, String::new());
    if let Some(written) = &on_record {
        let stated = if matches!(chunk, Chunk::Stated(..)) { (written.partners, written.statements) } else { (0, 0) };
        tx.hold_run(run.id, run.fence, stated.0, stated.1).await?;
        tx.insert_chunk(run.id, run.fence, written).await?;
        done = done.saturating_add(u64::try_from(stated.0).unwrap_or(0));
        cursor.clone_from(&written.last_code);
    }
    match chunk {
        Chunk::Earned(_, parts) => tx.insert_budget_parts(run.id, parts).await?,
        Chunk::Stated(_, statements) => tx.insert_statements(run.program_id, run.id, statements).await?,
        Chunk::Shared(parts) => tx.share_budget_parts(run.id, parts.as_deref().unwrap_or_default()).await?,
        Chunk::Finished => {}
    }
    job.record(tx, &Progress::More { cursor: cursor.clone(), done, total: job.total }).await?;
    Ok(Change::unchanged(Step::More(cursor, done, job.total)))
}

/// Ends the calculation.
async fn end(tx: &WriteTx, job: &HeldJob, run: &StoredRun, ended: &content::Ended) -> Result<Change<Step>, AppError> {
    let after = match ended {
        content::Ended::Calculated { hash, totals, second_approver } => tx.finish_calculation(run.id, run.fence, hash, totals, *second_approver).await?,
        content::Ended::Failed(faults) => {
            let failure = serde_json::to_string(faults).map_err(AppError::internal)?;
            tx.fail_calculation(run.id, run.fence, &failure).await?
        }
    };
    let outcome = serde_json::json!({ "state": after.state, "statements": after.statements, "contentHash": after.content_hash });
    job.record(tx, &Progress::Done(outcome.clone())).await?;
    let audit = audit_of(&after).before(serde_json::json!({ "state": run.state })).after(summary(&after));
    Ok(Change::new(Step::Done(outcome), audit))
}

/// The chunk behind `last`, whatever the kind of the run.
async fn next_of(app: &App, tx: &ReadTx, run: &StoredRun, last: Option<&RunChunk>) -> Result<Chunk, AppError> {
    if run.kind == RunKind::Reversal { next_reversed(app, tx, run, last).await } else { next(app, tx, run, last).await }
}

async fn next(app: &App, tx: &ReadTx, run: &StoredRun, last: Option<&RunChunk>) -> Result<Chunk, AppError> {
    let inputs = run.inputs.ok_or(AppError::Stale)?;
    let question = question::question_of(app, tx, run.program_id, (&run.period, run.span.from), &inputs).await?;
    let budgets = budgets_of(&question);
    let first_pass = i64::from(budgets.is_empty());
    let (pass, no, after) = last.map_or((first_pass, 0, ""), |chunk| (chunk.pass, chunk.no + 1, chunk.last_code.as_str()));
    let partners = tx.list_run_partners(run.program_id, question.days(), inputs.records, after, app.limits.run_chunk).await?;
    let Some((_, last_code)) = partners.last() else {
        let failed = pass == 0 && !tx.list_failed_chunks(run.id).await?.is_empty();
        return if pass == 0 && !failed { Ok(Chunk::Shared(share(tx, run, &question, &budgets).await?)) } else { Ok(Chunk::Finished) };
    };
    let mut chunk =
        RunChunk { pass, no, last_code: last_code.clone(), partners: i64::try_from(partners.len()).unwrap_or(i64::MAX), statements: 0, failure: None };
    let calculated = calculate_partners(app, tx, &question, &partners).await?;
    let mut faults = Vec::new();
    if pass == 0 {
        let mut parts = Vec::new();
        for one in calculated {
            match one.stated {
                Err(more) => faults.extend(more.0),
                Ok(stated) => {
                    let shared = stated.iter().filter(|stated| budgets.contains(&(stated.schedule.clone(), stated.period.clone())));
                    parts.extend(shared.map(|stated| BudgetPart {
                        schedule: stated.schedule.clone(),
                        period: stated.period.clone(),
                        partner: one.partner,
                        code: one.code.clone(),
                        earned: stated.amount.minor,
                        shared: None,
                    }));
                }
            }
        }
        chunk.failure = failure(faults)?;
        return Ok(Chunk::Earned(chunk, parts));
    }
    let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
    let book = Book::read(tx, run, run.program_id, &ids).await?;
    let mut statements = Vec::new();
    for settled in settle_all(run, &question, book, calculated).await? {
        match settled {
            Ok(more) => statements.extend(more),
            Err(more) => faults.extend(more.0),
        }
    }
    chunk.failure = failure(faults)?;
    chunk.statements = i64::try_from(statements.len()).unwrap_or(i64::MAX);
    Ok(Chunk::Stated(chunk, statements))
}

/// Settles partners on all processors; the answers are in their order.
async fn settle_all(
    run: &StoredRun,
    question: &RunQuestion,
    book: Book,
    calculated: Vec<PartnerCalculated>,
) -> Result<Vec<Result<Vec<NewStatement>, Faults>>, AppError> {
    let (run, question) = (run.clone(), question.clone());
    let settle_part = move |part: Vec<PartnerCalculated>| part.into_iter().map(|one| settle(&run, &question, &book, one)).collect();
    in_parallel(calculated, settle_part).await
}

/// The schedules and periods whose budget all partners share.
pub(super) fn budgets_of(question: &RunQuestion) -> BTreeSet<(String, String)> {
    let mut budgets = BTreeSet::new();
    for asked in &question.periods {
        let program = &asked.in_force.compiled;
        let of_period = |schedule: &&guerdon_domain::document::rebate::RebateSchedule| program.periods(&schedule.period).named(&asked.period.name).is_some();
        let capped = program.document.rebate_schedules.iter().filter(|schedule| schedule.budget.is_some()).filter(of_period);
        budgets.extend(capped.map(|schedule| (schedule.key.clone(), asked.period.name.clone())));
    }
    budgets
}

/// Shares every budget over what all partners earned, in the order of their codes. The faults are those of budgets that refuse.
async fn share(
    tx: &ReadTx,
    run: &StoredRun,
    question: &RunQuestion,
    budgets: &BTreeSet<(String, String)>,
) -> Result<Result<Vec<BudgetPart>, Faults>, AppError> {
    let (mut all, mut faults) = (Vec::new(), Faults::new());
    for (key, period) in budgets {
        let asked = question.periods.iter().find(|asked| asked.period.name == *period);
        let Some((program, schedule)) = asked.and_then(|asked| Some((&asked.in_force.compiled, asked.in_force.compiled.schedule(key)?))) else { continue };
        let parts = tx.list_budget_parts(run.id, key, period).await?;
        let earned: Vec<(&str, i64)> = parts.iter().map(|part| (part.code.as_str(), part.earned)).collect();
        let shared = share_budget(schedule, schedule.currency.unwrap_or(program.currency()), &earned);
        if let Some(shared) = faults.keep("", shared) {
            all.extend(parts.into_iter().zip(shared).map(|(part, shared)| BudgetPart { shared: Some(shared), ..part }));
        }
    }
    Ok(faults.or(all))
}

/// Distinct faults as JSON; none when there is none.
fn failure(faults: Vec<Fault>) -> Result<Option<String>, AppError> {
    let distinct = content::distinct(faults, FAULTS_MAX);
    if distinct.is_empty() { Ok(None) } else { serde_json::to_string(&distinct).map(Some).map_err(AppError::internal) }
}

/// The next statements of a reversal: the negatives of the run's that it reverses.
async fn next_reversed(app: &App, tx: &ReadTx, run: &StoredRun, last: Option<&RunChunk>) -> Result<Chunk, AppError> {
    let (inputs, of) = run.inputs.zip(run.of_run_id).ok_or(AppError::Stale)?;
    let (no, after) = last.map_or((0, ""), |chunk| (chunk.no + 1, chunk.last_code.as_str()));
    let posted = tx.list_run_statements(of, after, app.limits.run_chunk).await?;
    let Some((last_code, _)) = posted.last() else { return Ok(Chunk::Finished) };
    let partners: BTreeSet<PartnerId> = posted.iter().map(|(_, statement)| statement.partner_id).collect();
    let ids: Vec<PartnerId> = partners.into_iter().collect();
    let sums = tx.posted_sums_many(run.program_id, inputs.book, &ids).await?;
    let heads = content::Heads::read(tx, run.program_id, posted.iter().map(|(_, statement)| statement)).await?;
    let recognised = |statement: &StoredStatement| {
        let same = |sum: &&guerdon_store::PostedSum| {
            (sum.partner, sum.schedule.as_str(), sum.period.as_str()) == (statement.partner_id, statement.schedule.as_str(), statement.period.as_str())
        };
        sums.iter().find(same).map_or(0, |sum| sum.recognised)
    };
    let mut statements = Vec::with_capacity(posted.len());
    for (code, statement) in &posted {
        let negative = reverse(&heads.program, heads.version(statement), code, statement, recognised(statement));
        statements.push(negative.map_err(AppError::internal)?);
    }
    let chunk = RunChunk {
        pass: 1,
        no,
        last_code: last_code.clone(),
        partners: i64::try_from(ids.len()).unwrap_or(i64::MAX),
        statements: i64::try_from(statements.len()).unwrap_or(i64::MAX),
        failure: None,
    };
    Ok(Chunk::Stated(chunk, statements))
}
