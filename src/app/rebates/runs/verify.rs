//! A run, computed again from what it recorded as its inputs: the same statements, the same hash, whatever the size of chunks.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::rebate::share_budget;
use guerdon_store::{NewStatement, PartnerId, ReadTx, RunId, RunKind, StoredRun, StoredStatement};

use super::content::{self, Heads};
use super::question::question_of;
use super::settle::{Book, reverse, settle};
use super::{over_all, work};
use crate::app::programs::{ProgramKey, program_in};
use crate::app::rebates::calculate::{PartnerCalculated, RunQuestion, calculate_from_lines};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Differences that are listed at most.
const LISTED_MAX: usize = 20;

/// A statement that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementDifference {
    /// The partner's code.
    pub partner: String,
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The hash on record; none where the run states nothing.
    pub found: Option<String>,
    /// The hash of what is computed; none where nothing is stated.
    pub expected: Option<String>,
}

/// What came of computing a run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProof {
    /// The run.
    pub run: RunId,
    /// Its period.
    pub period: String,
    /// Statements that were compared.
    pub statements: u64,
    /// The hash on record.
    pub content_hash: String,
    /// The hash of what is on record now.
    pub stored_hash: String,
    /// The first differences, in the order of partners, periods and schedules.
    pub differences: Vec<StatementDifference>,
    /// Budgets whose shares are not what all partners' figures give.
    pub budgets: Vec<String>,
}

impl RunProof {
    /// Whether nothing differs.
    pub fn holds(&self) -> bool {
        self.differences.is_empty() && self.budgets.is_empty() && self.content_hash == self.stored_hash
    }
}

type Key = (String, String, String);

/// A run by its id, or the live original of a period.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn find_run_named(app: &App, ctx: &Ctx, program: Option<&ProgramKey>, name: &str) -> Result<Option<StoredRun>, AppError> {
    over_all(&ctx.require((Action::Read, Resource::RebateRun))?)?;
    app.store
        .read(async |tx| match name.parse::<RunId>() {
            Ok(id) => Ok(tx.find_run(id).await?),
            Err(_) => Ok(tx.find_live_original(program_in(tx, program).await?.id, name).await?),
        })
        .await
}

/// Computes a run again from its sale lines, `chunk` partners at a time, and compares every statement with the one on record. A run that
/// was computed from sums is so held to its lines.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `NOT_CALCULATED` for a run without statements.
pub async fn verify_run(app: &App, ctx: &Ctx, id: RunId, chunk: u32) -> Result<RunProof, AppError> {
    over_all(&ctx.require((Action::Read, Resource::RebateRun))?)?;
    app.store.read(async |tx| verify(app, tx, id, chunk.max(1)).await).await
}

async fn verify(app: &App, tx: &ReadTx, id: RunId, chunk: u32) -> Result<RunProof, AppError> {
    let run = tx.find_run(id).await?.ok_or(AppError::NotFound)?;
    let (Some(inputs), Some(content_hash)) = (run.inputs, run.content_hash.clone()) else {
        return Err(AppError::conflict("NOT_CALCULATED", "run", format!("the run is {:?}: only what was calculated can be computed again", run.state)));
    };
    let mut check = Check { stored: BTreeMap::new(), differences: Vec::new(), statements: 0 };
    let budgets = if run.kind == RunKind::Reversal {
        reversed(tx, &run, chunk, &mut check).await?;
        Vec::new()
    } else {
        let question = question_of(app, tx, run.program_id, (&run.period, run.span.from), &inputs).await?;
        recompute(tx, &run, &question, chunk, &mut check).await?
    };
    let stored_hash = content::content_hash(tx, &run).await?;
    Ok(RunProof { run: id, period: run.period, statements: check.statements, content_hash, stored_hash, differences: check.differences, budgets })
}

/// Statements on record that are not compared yet, and what differs.
struct Check {
    stored: BTreeMap<Key, String>,
    differences: Vec<StatementDifference>,
    statements: u64,
}

impl Check {
    fn keep(&mut self, rows: &[(String, StoredStatement)]) {
        for (code, statement) in rows {
            self.stored.insert((code.clone(), statement.period.clone(), statement.schedule.clone()), statement.content_hash.clone());
        }
    }

    fn compare(&mut self, code: &str, computed: &[NewStatement]) {
        for statement in computed {
            let found = self.stored.remove(&(code.to_owned(), statement.period.clone(), statement.schedule.clone()));
            self.statements += 1;
            if found.as_ref() != Some(&statement.content_hash) {
                self.note((code.to_owned(), statement.period.clone(), statement.schedule.clone()), found, Some(statement.content_hash.clone()));
            }
        }
    }

    /// What is on record up to a partner and was not computed.
    fn close(&mut self, up_to: Option<&str>) {
        let late: Vec<Key> = self.stored.keys().filter(|(code, ..)| up_to.is_none_or(|up_to| code.as_str() <= up_to)).cloned().collect();
        for key in late {
            let found = self.stored.remove(&key);
            self.note(key, found, None);
        }
    }

    fn note(&mut self, (partner, period, schedule): Key, found: Option<String>, expected: Option<String>) {
        if self.differences.len() < LISTED_MAX {
            self.differences.push(StatementDifference { partner, schedule, period, found, expected });
        }
    }
}

/// Computes partners in the order of their codes and compares; answers the budgets that are not shared as they should be.
async fn recompute(tx: &ReadTx, run: &StoredRun, question: &RunQuestion, chunk: u32, check: &mut Check) -> Result<Vec<String>, AppError> {
    let budgets = work::budgets_of(question);
    let mut earned: BTreeMap<(String, String), Vec<(String, i64)>> = BTreeMap::new();
    let (mut after, mut read_up_to) = (String::new(), Some(String::new()));
    loop {
        let partners = tx.list_run_partners(run.program_id, question.days(), question.up_to.records, &after, chunk).await?;
        let Some((_, last)) = partners.last().cloned() else { break };
        while let Some(up_to) = read_up_to.as_ref().filter(|up_to| up_to.as_str() < last.as_str()) {
            let rows = tx.list_run_statements(run.id, up_to, chunk).await?;
            check.keep(&rows);
            read_up_to = rows.last().map(|(code, _)| code.clone());
        }
        let ids: Vec<PartnerId> = partners.iter().map(|(id, _)| *id).collect();
        let book = Book::read(tx, run, run.program_id, &ids).await?;
        for one in calculate_from_lines(tx, question, &partners).await? {
            gather(&budgets, &one, &mut earned);
            let code = one.code.clone();
            let statements = settle(run, question, &book, one).unwrap_or_default();
            check.compare(&code, &statements);
        }
        check.close(Some(&last));
        after = last;
    }
    while let Some(up_to) = read_up_to {
        let rows = tx.list_run_statements(run.id, &up_to, chunk).await?;
        check.keep(&rows);
        read_up_to = rows.last().map(|(code, _)| code.clone());
    }
    check.close(None);
    shared_otherwise(tx, run, question, &earned).await
}

fn gather(budgets: &std::collections::BTreeSet<(String, String)>, one: &PartnerCalculated, earned: &mut BTreeMap<(String, String), Vec<(String, i64)>>) {
    for stated in one.stated.iter().flatten() {
        let key = (stated.schedule.clone(), stated.period.clone());
        if budgets.contains(&key) {
            earned.entry(key).or_default().push((one.code.clone(), stated.amount.minor));
        }
    }
}

/// Shares every budget again over what all partners earned, and compares with the shares that the run recorded.
async fn shared_otherwise(
    tx: &ReadTx,
    run: &StoredRun,
    question: &RunQuestion,
    earned: &BTreeMap<(String, String), Vec<(String, i64)>>,
) -> Result<Vec<String>, AppError> {
    let mut differing = Vec::new();
    for ((schedule_key, period), all) in earned {
        let asked = question.periods.iter().find(|asked| asked.period.name == *period);
        let Some((program, schedule)) = asked.and_then(|asked| Some((&asked.in_force.compiled, asked.in_force.compiled.schedule(schedule_key)?))) else {
            continue;
        };
        let borrowed: Vec<(&str, i64)> = all.iter().map(|(code, amount)| (code.as_str(), *amount)).collect();
        let shares = share_budget(schedule, schedule.currency.unwrap_or(program.currency()), &borrowed).map_err(AppError::from)?;
        let parts = tx.list_budget_parts(run.id, schedule_key, period).await?;
        let recorded: Vec<(String, i64, Option<i64>)> = parts.into_iter().map(|part| (part.code, part.earned, part.shared)).collect();
        let expected: Vec<(String, i64, Option<i64>)> = all.iter().zip(shares).map(|((code, earned), share)| (code.clone(), *earned, Some(share))).collect();
        if recorded != expected {
            differing.push(format!("{schedule_key} for {period}"));
        }
    }
    Ok(differing)
}

/// The statements of a reversal are the negatives of those of the run that it reverses.
async fn reversed(tx: &ReadTx, run: &StoredRun, chunk: u32, check: &mut Check) -> Result<(), AppError> {
    let (inputs, of) = run.inputs.zip(run.of_run_id).ok_or(AppError::Stale)?;
    let mut after = String::new();
    loop {
        let posted = tx.list_run_statements(of, &after, chunk).await?;
        let Some((last, _)) = posted.last() else { break };
        check.keep(&tx.list_run_statements(run.id, &after, chunk).await?);
        after.clone_from(last);
        let ids: Vec<PartnerId> = posted.iter().map(|(_, statement)| statement.partner_id).collect();
        let sums = tx.posted_sums_many(run.program_id, inputs.book, &ids).await?;
        let heads = Heads::read(tx, run.program_id, posted.iter().map(|(_, statement)| statement)).await?;
        for (code, statement) in &posted {
            let same = |sum: &&guerdon_store::PostedSum| {
                (sum.partner, sum.schedule.as_str(), sum.period.as_str()) == (statement.partner_id, statement.schedule.as_str(), statement.period.as_str())
            };
            let recognised = sums.iter().find(same).map_or(0, |sum| sum.recognised);
            let negative = reverse(&heads.program, heads.version(statement), code, statement, recognised).map_err(AppError::internal)?;
            check.compare(code, &[negative]);
        }
    }
    check.close(None);
    Ok(())
}
