//! What a run states, as one hash; and whether anything that it was computed from has changed since.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;
use guerdon_domain::fault::Fault;
use guerdon_domain::money::Currency;
use guerdon_domain::rebate::statement::{RunBody, RunHash};
use guerdon_domain::rebate::{asks_tiers, goes_on_alike, schedules_in_all};
use guerdon_store::{ChangeAsked, ProgramId, ReadTx, RunKind, RunTotal, StatementSum, StoredRun, StoredStatement, VersionId};

use super::settle::body_of;
use super::so_far::{StatedInAll, StatedSoFar};
use crate::app::App;
use crate::app::programs::{ProgramKey, in_force_by, in_force_many};
use crate::app::rebates::calculate::PeriodAsked;
use crate::app::rebates::contract_rates::refuse_contract_rates;
use crate::error::AppError;

/// Partners whose statements are read at once.
const PAGE: u32 = 1_000;

/// How a calculation ended.
pub(super) enum Ended {
    /// With statements.
    Calculated {
        /// The digest of everything it states.
        hash: String,
        /// Its sums by currency.
        totals: Vec<RunTotal>,
        /// Whether posting asks for another approver than approving did.
        second_approver: bool,
    },
    /// Without: every reason.
    Failed(Vec<Fault>),
}

/// What statements name besides themselves: the program, and the digests of the versions.
pub(in crate::app::rebates) struct Heads {
    pub(in crate::app::rebates) program: String,
    versions: BTreeMap<VersionId, String>,
}

impl Heads {
    pub(in crate::app::rebates) async fn read<'s>(
        tx: &ReadTx,
        program: ProgramId,
        statements: impl Iterator<Item = &'s StoredStatement>,
    ) -> Result<Self, AppError> {
        let versions: BTreeSet<VersionId> = statements.map(|statement| statement.version_id).collect();
        Self::of(tx, program, &versions.into_iter().collect::<Vec<_>>()).await
    }

    async fn of(tx: &ReadTx, program: ProgramId, versions: &[VersionId]) -> Result<Self, AppError> {
        let program = tx.find_program_by_id(program).await?.ok_or(AppError::NotFound)?.code;
        let versions = tx.versions_many(versions).await?.into_iter().map(|(id, head)| (id, head.digest)).collect();
        Ok(Self { program, versions })
    }

    pub(in crate::app::rebates) fn version(&self, statement: &StoredStatement) -> &str {
        self.versions.get(&statement.version_id).map_or("", String::as_str)
    }
}

/// Distinct faults, in their order; at most so many.
pub(super) fn distinct(faults: Vec<Fault>, most: usize) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let new = |fault: &Fault| seen.insert((fault.code.clone(), fault.path.clone(), fault.message.clone()));
    let mut kept: Vec<Fault> = faults.into_iter().filter(new).collect();
    kept.sort_by(|left, right| (&left.code, &left.message).cmp(&(&right.code, &right.message)));
    kept.truncate(most);
    kept
}

/// The end of a calculation: its faults, or its hash and sums. They are read where whoever calculated them does not know them all.
pub(super) async fn finish(app: &App, run: &StoredRun, stated: Option<StatedSoFar>) -> Result<Ended, AppError> {
    let faults = app.store.read(async |tx| faults_of(tx, run).await).await?;
    if !faults.is_empty() {
        return Ok(Ended::Failed(faults));
    }
    let StatedInAll { hash, sums, versions } = match stated {
        Some(stated) => stated.in_all(),
        None => app.store.read_in_bulk(async |tx| read_stated(tx, run).await).await?,
    };
    if run.kind != RunKind::Reversal && app.store.read(async |tx| versions_changed(app, tx, run, versions).await).await? {
        let message = "a version was published while the run was calculated: calculate it again";
        return Ok(Ended::Failed(vec![Fault::new("CONTENT_CHANGED", "runId", message)]));
    }
    let above = |sum: &StatementSum| app.limits.second_approver_above.is_some_and(|most| is_above(sum.gross, &sum.currency, most));
    let second_approver = sums.iter().any(above);
    let total = |sum: StatementSum| RunTotal {
        currency: sum.currency,
        statements: sum.statements,
        entitled: sum.entitled,
        difference: sum.difference,
        amount: sum.amount,
        gross: sum.gross,
    };
    Ok(Ended::Calculated { hash, totals: sums.into_iter().map(total).collect(), second_approver })
}

/// Why what was calculated is not to be used.
async fn faults_of(tx: &ReadTx, run: &StoredRun) -> Result<Vec<Fault>, AppError> {
    let failed = tx.list_failed_chunks(run.id).await?;
    let faults = failed.iter().filter_map(|chunk| serde_json::from_str::<Vec<Fault>>(chunk.failure.as_deref()?).ok()).flatten().collect();
    Ok(distinct(faults, 1_000))
}

/// What was calculated, as it is on record. The hash is made of that of each statement which its calculation has just stored with it;
/// whoever submits, approves or posts the run has it made anew from the statements themselves.
async fn read_stated(tx: &ReadTx, run: &StoredRun) -> Result<StatedInAll, AppError> {
    let mut hash = begun_hash(tx, run).await?;
    tx.each_statement_hash(run.id, |statement| hash.add(statement)).await?;
    Ok(StatedInAll { hash: hash.finish(), sums: tx.sum_run(run.id, &run.period).await?, versions: tx.list_run_versions(run.id).await? })
}

/// Whether an amount in minor units exceeds so many whole units of its currency.
fn is_above(minor: i64, currency: &str, most: i64) -> bool {
    let decimals = currency.parse::<Currency>().map_or(2, |currency| currency.decimals());
    i128::from(minor) > i128::from(most) * 10_i128.pow(decimals)
}

/// The head of a run's hash.
pub(super) async fn begun_hash(tx: &ReadTx, run: &StoredRun) -> Result<RunHash, AppError> {
    let inputs = run.inputs.ok_or(AppError::Stale)?;
    let own = Heads::of(tx, run.program_id, &[run.version_id]).await?;
    let kind = match run.kind {
        RunKind::Original => "ORIGINAL",
        RunKind::Adjustment => "ADJUSTMENT",
        RunKind::Reversal => "REVERSAL",
    };
    Ok(RunHash::new(&RunBody {
        program: &own.program,
        version: own.versions.get(&run.version_id).map_or("", String::as_str),
        period: &run.period,
        kind,
        cut_off: inputs.cut_off,
        book: inputs.book,
        adjustments: inputs.adjustments,
    }))
}

/// The hash of what a run states, from its statements as they are stored, lines and all.
pub(in crate::app::rebates) async fn content_hash(tx: &ReadTx, run: &StoredRun) -> Result<String, AppError> {
    let mut hash = begun_hash(tx, run).await?;
    let mut after = String::new();
    loop {
        let page = tx.list_run_statements(run.id, &after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(hash.finish()) };
        after.clone_from(last);
        let heads = Heads::read(tx, run.program_id, page.iter().map(|(_, statement)| statement)).await?;
        for (code, statement) in &page {
            hash.add(&body_of(&heads.program, heads.version(statement), code, statement).content_hash());
        }
    }
}

/// Whether a period of the run is governed by another version by now than the one it was computed by, or by one that goes on with other
/// versions before it.
async fn versions_changed(app: &App, tx: &ReadTx, run: &StoredRun, mut used: Vec<(Date, VersionId)>) -> Result<bool, AppError> {
    used.push((run.span.from, run.version_id));
    let dates: BTreeSet<_> = used.iter().map(|(from, _)| *from).collect();
    let then = in_force_by(app, tx, run.program_id, &dates, run.inputs.map_or(0, |inputs| inputs.records)).await?;
    let now = in_force_many(app, tx, Some(&ProgramKey::Id(run.program_id)), &dates).await?;
    let goes_on = |(from, version): &(Date, VersionId)| {
        let now = now.get(from).filter(|now| now.version.id == *version);
        now.zip(then.get(from)).is_some_and(|(now, then)| goes_on_alike(&now.compiled, &then.compiled))
    };
    Ok(!used.iter().all(goes_on))
}

/// Refuses a run whose statements, version or place in the books are not what they were when it was calculated.
pub(super) async fn require_unchanged(app: &App, tx: &ReadTx, run: &StoredRun, hash: &str) -> Result<(), AppError> {
    let stated = run.content_hash.as_deref().is_some_and(|own| own == hash);
    if !stated {
        return Err(changed("contentHash", "the run has another content hash by now: look at it again, and name the hash that you saw"));
    }
    if content_hash(tx, run).await? != hash {
        return Err(changed("contentHash", "its statements are not what was hashed: calculate the run again, and find out who changed them"));
    }
    if tx.last_posting(run.program_id).await? != run.inputs.map_or(0, |inputs| inputs.book) {
        return Err(changed("runId", "another run of the program was posted since: calculate this one again"));
    }
    if run.kind != RunKind::Reversal && versions_changed(app, tx, run, tx.list_run_versions(run.id).await?).await? {
        return Err(changed("runId", "another version governs one of its periods by now: calculate the run again"));
    }
    Ok(())
}

/// Refuses a run when facts came in that it should have read: sale lines and corrections of rates dated before its period's end,
/// tiers that were decided for it. What comes in after the approval is true-up.
pub(super) async fn require_current(app: &App, tx: &ReadTx, run: &StoredRun) -> Result<(), AppError> {
    let Some(inputs) = run.inputs.filter(|_| run.kind != RunKind::Reversal) else { return Ok(()) };
    let own = in_force_many(app, tx, Some(&ProgramKey::Id(run.program_id)), &BTreeSet::from([run.span.from])).await?;
    let program = own.get(&run.span.from).ok_or(AppError::NotFound)?;
    let schedules = schedules_in_all(&program.compiled);
    let asked = ChangeAsked {
        program: run.program_id,
        cut_off: inputs.cut_off,
        until: run.span.until,
        linked_returns: schedules.iter().any(|schedule| schedule.returns == guerdon_domain::document::rebate::ReturnDate::SaleDate),
        records: inputs.records,
        tiers: schedules.iter().any(|schedule| asks_tiers(schedule) || schedule.condition.is_some()),
    };
    if let Some(what) = tx.find_change_after(&asked).await? {
        return Err(changed("runId", &format!("{what} of its period came in since it was calculated: calculate the run again")));
    }
    let Some(period) = program.compiled.period_named(&run.period) else { return Ok(()) };
    let own = [PeriodAsked { period, in_force: program.clone() }];
    refuse_contract_rates(tx, run.program_id, &own, tx.counter("record").await?, "runId").await
}

/// The refusal of what is not any more as it was seen.
pub(super) fn changed(path: &str, message: &str) -> AppError {
    AppError::conflict("CONTENT_CHANGED", path, message)
}
