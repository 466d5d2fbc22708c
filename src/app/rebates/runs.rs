//! Rebate runs: made, calculated, submitted, approved by another person, posted, paid, reversed (semantics 20).
//!
//! Whoever decides names the content hash that he saw. What changed since is refused with `CONTENT_CHANGED`: the run is calculated
//! again, and submitted again. What is posted never changes; it is reversed by a run of its own.

mod content;
mod decide;
mod question;
mod settle;
mod so_far;
mod verify;
mod work;

use guerdon_domain::access::{Action, Condition, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::page::{Page, PageRequest};
use guerdon_domain::program::Program;
use guerdon_domain::rebate::may_run;
use guerdon_store::{AuditEntry, Change, NewRun, ReadTx, StoreError, WriteTx};
pub use guerdon_store::{Deed, RunDifference, RunFilter, RunId, RunInputs, RunKind, RunState, RunTotal, StoredRun};
use serde::{Deserialize, Serialize};

pub use decide::{ApproveRun, PayRun, PostRun, RejectRun, SubmitRun, VoidRun, approve_run, pay_run, post_run, reject_run, submit_run, void_run};
pub use verify::{RunProof, StatementDifference, find_run_named, verify_run};
pub use work::{KIND, work};

pub(super) use question::question_of;

use super::super::idempotency::{Keyed, keyed_context};
use super::super::jobs::{NewJob, StoredJob};
use super::super::pages::{self, page_of, request_of};
use super::super::periods::governed;
use super::super::programs::{ProgramKey, program_in, today_in};
use super::super::text::check_text;
use super::super::{App, Ctx};
use super::contract_rates::refuse_contract_rates;
use crate::error::AppError;

/// Partners of `rebateRun.differences` at most.
const DIFFERENCES_MAX: u32 = 100;

/// A run to be made.
#[derive(Debug, Clone)]
pub struct CreateRun {
    /// The program.
    pub program: ProgramKey,
    /// The period's name.
    pub period: String,
    /// ORIGINAL or ADJUSTMENT; a reversal is made by [`reverse_run`].
    pub kind: RunKind,
    /// Why, where somebody says so.
    pub reason: Option<String>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// What came of making a run.
#[derive(Debug, Clone)]
pub enum Created {
    /// It is new.
    New(StoredRun),
    /// There is a live one of this period already (`RUN_EXISTS`): this one.
    Exists(StoredRun),
}

/// A run that is being calculated, with its job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begun {
    /// The run.
    pub run: StoredRun,
    /// The background work.
    pub job: StoredJob,
}

/// A run is over all partners of its program: whoever reaches only some of them may not move it.
pub(super) fn over_all(scope: &Scope) -> Result<(), AppError> {
    if scope.is_all() { Ok(()) } else { Err(AppError::Forbidden) }
}

/// Who may prepare runs.
fn preparing(ctx: &Ctx) -> Result<(), AppError> {
    over_all(&ctx.require((Action::Write, Resource::RebateRun))?)
}

/// Makes a run, as a draft. One live original per program and period: whoever comes second is told which one there is.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` with `UNKNOWN_PERIOD`; `Conflict` with `NOT_POSTED` for an adjustment of a period that is not,
/// with `PERIOD_LOCKED`; those of idempotency keys.
pub async fn create_run(app: &App, ctx: &Ctx, input: &CreateRun) -> Result<Created, AppError> {
    preparing(ctx)?;
    let mut faults = Faults::new();
    if let Some(reason) = &input.reason {
        check_text(&mut faults, "reason", reason, &app.limits);
    }
    faults.or(())?;
    let context = keyed_context(app, ctx, "rebateRunCreate", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let (period, in_force) = governed(app, ctx, tx, &input.program, &input.period).await?;
            if input.kind == RunKind::Adjustment && !tx.find_live_original(in_force.program.id, &period.name).await?.is_some_and(|run| run.state.is_posted()) {
                let message = format!("{} is not posted: an adjustment posts differences of what is", period.name);
                return Err(AppError::conflict("NOT_POSTED", "period", message));
            }
            // Before the constraint, which would name the lock of a posted period instead.
            if input.kind == RunKind::Original && tx.find_live_original(in_force.program.id, &period.name).await?.is_some() {
                return Err(run_exists("period"));
            }
            let new = NewRun {
                program: in_force.program.id,
                version: in_force.version.id,
                period: period.name,
                span: period.span,
                kind: input.kind,
                of_run: None,
                reason: input.reason.clone(),
            };
            let run = tx.insert_run(&new).await.map_err(refused)?;
            let audit = audit_of(&run).after(summary(&run));
            Ok(Change::new(run, audit))
        })
        .await;
    match written {
        Ok(written) => Ok(Created::New(written.value)),
        Err(AppError::Conflict(fault)) if fault.code == RUN_EXISTS => find_existing(app, ctx, input).await.map(Created::Exists),
        Err(error) => Err(error),
    }
}

/// Code of the refusal of a second live original, or reversal.
pub const RUN_EXISTS: &str = "RUN_EXISTS";

async fn find_existing(app: &App, ctx: &Ctx, input: &CreateRun) -> Result<StoredRun, AppError> {
    app.store
        .read(async |tx| {
            let (period, in_force) = governed(app, ctx, tx, &input.program, &input.period).await?;
            // Gone in between: the caller asks again.
            tx.find_live_original(in_force.program.id, &period.name).await?.ok_or(AppError::Busy)
        })
        .await
}

/// What the constraints of runs refuse, in words.
pub(super) fn refused(error: StoreError) -> AppError {
    let StoreError::Conflict { constraint } = &error else { return error.into() };
    match constraint.as_str() {
        "rebate_run_original_key" => run_exists("period"),
        "rebate_run_reversal_key" => run_exists("runId"),
        "period_locked" => AppError::conflict("PERIOD_LOCKED", "period", "the period is locked: have the lock released by two approvers first"),
        "rebate_run_four_eyes" | "rebate_run_six_eyes" => segregation("another person has to do this"),
        _ => error.into(),
    }
}

fn run_exists(path: &str) -> AppError {
    AppError::conflict(RUN_EXISTS, path, "there is a live run of this kind: go on with that one, or void it")
}

/// Two duties that one person may not have.
pub(super) fn segregation(message: &str) -> AppError {
    AppError::conflict("SEGREGATION_OF_DUTIES", "runId", message)
}

pub(super) fn audit_of(run: &StoredRun) -> AuditEntry {
    AuditEntry::of("RebateRun", run.id)
}

pub(super) fn summary(run: &StoredRun) -> serde_json::Value {
    serde_json::json!({
        "state": run.state, "kind": run.kind, "period": run.period, "contentHash": run.content_hash, "inputs": run.inputs, "totals": run.totals,
        "statements": run.statements, "note": run.decision_note, "reason": run.reason, "reference": run.payment_reference,
    })
}

/// Has a run calculated in the background: what is known now is what it reads. Calculating again throws away what it stated, and
/// voids what was decided about it.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` with `PERIOD_NOT_OVER`, `GRACE_DAYS` or `CONTRACT_RATES`; `Conflict` with `WRONG_STATE`,
/// `RUN_EXISTS`, `NOBODY_ENROLLED`; those of idempotency keys.
pub async fn calculate_run(app: &App, ctx: &Ctx, id: RunId, keyed: Option<&Keyed>) -> Result<Begun, AppError> {
    preparing(ctx)?;
    let context = keyed_context(app, ctx, "rebateRunCalculate", keyed)?;
    let written = app.store.write(&context, async |tx| begin(app, ctx, tx, id).await).await?;
    Ok(written.value)
}

async fn begin(app: &App, ctx: &Ctx, tx: &WriteTx, id: RunId) -> Result<Change<Begun>, AppError> {
    let run = tx.find_run(id).await?.ok_or(AppError::NotFound)?;
    if run.state == RunState::Calculating {
        return Err(decide::wrong_state(&run, "it is being calculated already; wait for its job, or void it"));
    }
    let open = [RunState::Draft, RunState::Calculated, RunState::Submitted, RunState::Approved, RunState::Failed];
    if !open.contains(&run.state) {
        return Err(decide::wrong_state(&run, "only what is not decided for good can be calculated"));
    }
    let key = ProgramKey::Id(run.program_id);
    let (period, in_force) = governed(app, ctx, tx, &key, &run.period).await?;
    let run_on = today_in(ctx, &in_force.compiled);
    if run.kind == RunKind::Original {
        may_run_all(&in_force.compiled, &period.name, run_on)?;
    }
    let inputs = RunInputs {
        run_on,
        cut_off: tx.counter("batch_seal").await?,
        book: tx.last_posting(run.program_id).await?,
        adjustments: tx.counter("rebate_adjustment").await?,
        records: tx.counter("record").await?,
    };
    if run.kind == RunKind::Original {
        require_somebody(tx, &run, inputs.records).await?;
    }
    let partners = match run.of_run_id {
        Some(of) => tx.count_run_partners(of).await?,
        None => {
            let question = question_of(app, tx, run.program_id, (&period.name, period.span.from), &inputs).await?;
            refuse_contract_rates(tx, run.program_id, &question.periods, inputs.records, "runId").await?;
            tx.count_enrolled(run.program_id, question.days(), inputs.records).await?
        }
    };
    let begun = tx.begin_calculation(&run, inputs, in_force.version.id, partners).await.map_err(refused)?;
    let input = serde_json::json!({ "run": begun.id, "fence": begun.fence });
    let total = u64::try_from(partners).ok();
    let job = tx.enqueue_job(&NewJob { kind: KIND, unique_key: Some(begun.id.to_string()), input, total }).await?;
    let audit = audit_of(&begun).before(summary(&run)).after(summary(&begun));
    Ok(Change::new(Begun { run: begun, job }, audit))
}

/// Refuses to settle a period with nobody: posting it would lock the period, as if there had been something to settle.
async fn require_somebody(tx: &ReadTx, run: &StoredRun, records: i64) -> Result<(), AppError> {
    if tx.anybody_enrolled(run.program_id, run.span, records).await? {
        return Ok(());
    }
    let message = format!(
        "nobody was enrolled in the program on a day of {}: enroll its partners, with the day since when they take part. Differences of periods that \
         are posted already are for an ADJUSTMENT run",
        run.period
    );
    Err(AppError::conflict("NOBODY_ENROLLED", "runId", message))
}

/// Whether every schedule of a period may be calculated on a day.
fn may_run_all(program: &Program, period: &str, run_on: Date) -> Result<(), AppError> {
    let mut faults = Faults::new();
    for schedule in &program.document.rebate_schedules {
        if let Some(own) = program.periods(&schedule.period).named(period) {
            let fault = may_run(schedule, &own, run_on).err().map(|fault| Fault { path: "runId".to_owned(), ..fault });
            // A period that is not over is that for all of its schedules.
            faults.0.extend(fault.filter(|fault| !faults.0.contains(fault)));
        }
    }
    Ok(faults.or(())?)
}

/// Makes the run that posts the negatives of a posted one, and has it calculated. It is submitted, approved and posted as any other;
/// then its period may be run anew.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `WRONG_STATE` or `RUN_EXISTS`; those of idempotency keys.
pub async fn reverse_run(app: &App, ctx: &Ctx, id: RunId, reason: &str, keyed: Option<&Keyed>) -> Result<Begun, AppError> {
    over_all(&ctx.require_under((Action::Reverse, Resource::RebateRun), &[Condition::SecondApproverAboveLimit])?)?;
    let mut faults = Faults::new();
    check_text(&mut faults, "reason", reason, &app.limits);
    faults.or(())?;
    let context = keyed_context(app, ctx, "rebateRunReverse", keyed)?;
    let written = app
        .store
        .write(&context, async |tx| {
            let run = tx.find_run(id).await?.ok_or(AppError::NotFound)?;
            if !run.state.is_posted() || run.kind == RunKind::Reversal || run.reversed_by.is_some() {
                return Err(decide::wrong_state(&run, "only what is posted, is no reversal and was not reversed yet can be reversed"));
            }
            let new = NewRun {
                program: run.program_id,
                version: run.version_id,
                period: run.period.clone(),
                span: run.span,
                kind: RunKind::Reversal,
                of_run: Some(run.id),
                reason: Some(reason.to_owned()),
            };
            let reversal = tx.insert_run(&new).await.map_err(refused)?;
            let begun = begin(app, ctx, tx, reversal.id).await?;
            Ok::<_, AppError>(begun.and(audit_of(&run).after(serde_json::json!({ "reversal": reversal.id, "reason": reason }))))
        })
        .await?;
    Ok(written.value)
}

/// How far a caller sees runs: whether only posted ones, and whether over all partners.
struct Sight {
    posted_only: bool,
    whole: bool,
}

fn sight(ctx: &Ctx) -> Result<Sight, AppError> {
    let asked = (Action::Read, Resource::RebateRun);
    match ctx.require(asked) {
        Ok(scope) => Ok(Sight { posted_only: false, whole: scope.is_all() }),
        Err(_) => Ok(Sight { posted_only: true, whole: ctx.require_under(asked, &[Condition::PostedOnly])?.is_all() }),
    }
}

impl Sight {
    /// The run as the caller may see it: sums over all partners only for those who see all.
    fn show(&self, run: StoredRun) -> Option<StoredRun> {
        let shown = !self.posted_only || run.state.is_posted();
        let bare = |run: StoredRun| StoredRun { totals: Vec::new(), statements: 0, partners_done: 0, partners_total: None, failure: None, ..run };
        shown.then(|| if self.whole { run } else { bare(run) })
    }
}

/// A run; none when there is none, or none that the caller may see.
///
/// # Errors
/// `Forbidden`.
pub async fn find_run(app: &App, ctx: &Ctx, id: RunId) -> Result<Option<StoredRun>, AppError> {
    Ok(runs_many(app, ctx, &[id]).await?.pop())
}

/// Runs by id, those that the caller may see.
///
/// # Errors
/// `Forbidden`.
pub async fn runs_many(app: &App, ctx: &Ctx, ids: &[RunId]) -> Result<Vec<StoredRun>, AppError> {
    let sight = sight(ctx)?;
    let found = app.store.read(async |tx| tx.runs_many(ids).await).await?;
    Ok(found.into_iter().filter_map(|run| sight.show(run)).collect())
}

/// Which runs are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunsAsked {
    /// Of this program.
    pub program: Option<ProgramKey>,
    /// Of this period.
    pub period: Option<String>,
    /// In any of these states.
    pub states: Vec<RunState>,
    /// Of any of these kinds.
    pub kinds: Vec<RunKind>,
}

impl RunsAsked {
    async fn filter(&self, tx: &guerdon_store::ReadTx, sight: &Sight) -> Result<Option<RunFilter>, AppError> {
        let program = match &self.program {
            Some(key) => match program_in(tx, Some(key)).await {
                Ok(program) => Some(program.id),
                Err(AppError::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            },
            None => None,
        };
        let (period, states, kinds) = (self.period.clone(), self.states.clone(), self.kinds.clone());
        Ok(Some(RunFilter { program, period, states, kinds, posted_only: sight.posted_only }))
    }
}

/// A page of runs, the latest made first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_runs(app: &App, ctx: &Ctx, asked: &RunsAsked, page: &PageRequest) -> Result<Page<pages::Keyed<StoredRun>>, AppError> {
    let sight = sight(ctx)?;
    let request = request_of(page);
    let found = app
        .store
        .read(async |tx| {
            let Some(filter) = asked.filter(tx, &sight).await? else { return Ok::<_, AppError>(None) };
            Ok(Some(tx.list_runs(&filter, &request).await?))
        })
        .await?;
    let Some(found) = found else { return Ok(Page { rows: Vec::new(), more: false }) };
    let Page { rows, more } = page_of(found, page.backward);
    Ok(Page { rows: rows.into_iter().filter_map(|(key, run)| Some((key, sight.show(run)?))).collect(), more })
}

/// How many runs there are.
///
/// # Errors
/// `Forbidden`.
pub async fn count_runs(app: &App, ctx: &Ctx, asked: &RunsAsked) -> Result<i64, AppError> {
    let sight = sight(ctx)?;
    app.store
        .read(async |tx| match asked.filter(tx, &sight).await? {
            Some(filter) => Ok(tx.count_runs(&filter).await?),
            None => Ok(0),
        })
        .await
}

/// Partners whose sums differ most from the last posted original of an earlier period, largest differences first: what a reviewer
/// looks at. At most 100.
///
/// # Errors
/// `Forbidden`, also for those who do not see all partners.
pub async fn run_differences(app: &App, ctx: &Ctx, run: &StoredRun) -> Result<Vec<RunDifference>, AppError> {
    over_all(&ctx.require((Action::Read, Resource::RebateRun))?)?;
    app.store
        .read(async |tx| {
            let posted = tx.list_standing_runs(run.program_id, i64::MAX).await?;
            let earlier = |other: &&StoredRun| other.kind == RunKind::Original && other.id != run.id && other.span.from < run.span.from;
            let last = posted.iter().filter(earlier).max_by_key(|other| other.span.from).map(|other| other.id);
            Ok(tx.run_differences(run.id, last, DIFFERENCES_MAX).await?)
        })
        .await
}

/// Why a run failed: every missing exchange rate, and whatever else stopped it.
pub fn failure_of(run: &StoredRun) -> Vec<Fault> {
    run.failure.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
