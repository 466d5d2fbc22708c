//! Statements as they are shown: partners see what is posted, finance what is being prepared too.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Condition, Resource, Scope};
use guerdon_domain::page::{Page, PageRequest};
use guerdon_domain::rebate::{OnRecord, StatementLine, compute_unbudgeted};
use guerdon_store::{RunId, RunKind, StatementFilter, StoredRun};
pub use guerdon_store::{StatementId, StoredStatement};

use super::calculate::RunQuestion;
use super::runs::question_of;
use crate::app::pages::{Keyed, page_of, request_of};
use crate::app::partners::PartnerId;
use crate::app::plan::{compute, for_runs, read_facts_of_run};
use crate::app::programs::{ProgramKey, program_in};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Which statements are asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StatementsAsked {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this program.
    pub program: Option<ProgramKey>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// Of this schedule.
    pub schedule: Option<String>,
    /// Belonging to this period.
    pub period: Option<String>,
}

/// How far a caller sees statements, and whether only posted ones.
fn sight(ctx: &Ctx) -> Result<(Scope, bool), AppError> {
    let asked = (Action::Read, Resource::Statement);
    match ctx.require(asked) {
        Ok(scope) => Ok((scope, false)),
        Err(_) => Ok((ctx.require_under(asked, &[Condition::PostedOnly])?, true)),
    }
}

impl StatementsAsked {
    async fn filter(&self, tx: &guerdon_store::ReadTx, posted_only: bool) -> Result<Option<StatementFilter>, AppError> {
        let program = match &self.program {
            Some(key) => match program_in(tx, Some(key)).await {
                Ok(program) => Some(program.id),
                Err(AppError::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            },
            None => None,
        };
        let (schedule, period) = (self.schedule.clone(), self.period.clone());
        Ok(Some(StatementFilter { run: self.run, program, partner: self.partner, schedule, period, posted_only }))
    }
}

/// A page of statements, the latest period first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_statements(app: &App, ctx: &Ctx, asked: &StatementsAsked, page: &PageRequest) -> Result<Page<Keyed<StoredStatement>>, AppError> {
    let (scope, posted_only) = sight(ctx)?;
    let request = request_of(page);
    let found = app
        .store
        .read(async |tx| {
            let Some(filter) = asked.filter(tx, posted_only).await? else { return Ok::<_, AppError>(None) };
            Ok(Some(tx.list_statements(&scope, &filter, &request).await?))
        })
        .await?;
    Ok(found.map_or(Page { rows: Vec::new(), more: false }, |found| page_of(found, page.backward)))
}

/// How many statements there are.
///
/// # Errors
/// `Forbidden`.
pub async fn count_statements(app: &App, ctx: &Ctx, asked: &StatementsAsked) -> Result<i64, AppError> {
    let (scope, posted_only) = sight(ctx)?;
    app.store
        .read(async |tx| match asked.filter(tx, posted_only).await? {
            Some(filter) => Ok(tx.count_statements(&scope, &filter).await?),
            None => Ok(0),
        })
        .await
}

/// One page of the statements of each partner. The first page is one statement of the database for all partners; a later one
/// belongs to one partner, whose cursor it starts behind.
///
/// # Errors
/// `Forbidden`.
pub async fn statements_of_many(
    app: &App,
    ctx: &Ctx,
    partners: &[PartnerId],
    asked: &StatementsAsked,
    page: &PageRequest,
) -> Result<BTreeMap<PartnerId, Page<Keyed<StoredStatement>>>, AppError> {
    let (scope, posted_only) = sight(ctx)?;
    let request = request_of(page);
    app.store
        .read(async |tx| {
            let Some(filter) = asked.filter(tx, posted_only).await? else { return Ok(BTreeMap::new()) };
            if *page == PageRequest::first(page.limit) {
                let found = tx.statements_first_n_many(&scope, &filter, partners, page.limit).await?;
                return Ok(found.into_iter().map(|(partner, rows)| (partner, page_of(rows, false))).collect());
            }
            let mut found = BTreeMap::new();
            for partner in partners {
                let filter = StatementFilter { partner: Some(*partner), ..filter.clone() };
                found.insert(*partner, page_of(tx.list_statements(&scope, &filter, &request).await?, page.backward));
            }
            Ok(found)
        })
        .await
}

/// Statements by id, those that the caller may see.
///
/// # Errors
/// `Forbidden`.
pub async fn statements_many(app: &App, ctx: &Ctx, ids: &[StatementId]) -> Result<BTreeMap<StatementId, StoredStatement>, AppError> {
    let (scope, posted_only) = sight(ctx)?;
    Ok(app.store.read(async |tx| tx.statements_many(&scope, ids, posted_only).await).await?)
}

/// The sale lines behind a statement: computed again from what its run read, since they are not kept with it. Amounts are those
/// of the whole period, before a budget or a correction; empty for a statement that the caller may not see.
///
/// # Errors
/// `Forbidden`; `Invalid` when the period cannot be computed any more.
pub async fn sale_lines(app: &App, ctx: &Ctx, id: StatementId) -> Result<Vec<StatementLine>, AppError> {
    let (scope, posted_only) = sight(ctx)?;
    let read = app
        .store
        .read(async |tx| {
            let Some(statement) = tx.statements_many(&scope, &[id], posted_only).await?.remove(&id) else { return Ok::<_, AppError>(None) };
            let Some((question, code)) = question_behind(app, tx, &statement).await? else { return Ok(None) };
            let Some(asked) = question.periods.first().cloned() else { return Ok(None) };
            let reading = for_runs(&asked.in_force.compiled, &asked.period);
            let last = asked.period.span.last_day();
            let facts = read_facts_of_run(tx, &asked.in_force, &reading, last, question.up_to, &[statement.partner_id]).await?;
            Ok(Some((statement, question, asked, code, facts)))
        })
        .await?;
    let Some((statement, question, asked, code, facts)) = read else { return Ok(Vec::new()) };
    compute(move || {
        let results = compute_unbudgeted(&asked.in_force.compiled, &facts, &[code], &asked.period, &question.knowledge(), &OnRecord);
        let Some(result) = results.into_iter().next() else { return Ok(Vec::new()) };
        let entitlement = result?.entitlements.into_iter().find(|one| one.schedule == statement.schedule);
        Ok(entitlement.map(|one| one.lines).unwrap_or_default())
    })
    .await?
}

/// The question of the run behind a statement, cut down to the statement's period, and its partner's code.
pub(super) async fn question_behind(app: &App, tx: &guerdon_store::ReadTx, statement: &StoredStatement) -> Result<Option<(RunQuestion, String)>, AppError> {
    let Some(run) = calculated_run(tx, statement.run_id).await? else { return Ok(None) };
    let Some(inputs) = run.inputs else { return Ok(None) };
    let question = question_of(app, tx, run.program_id, (&run.period, run.span.from), &inputs).await?;
    let periods = question.periods.into_iter().filter(|asked| asked.period.name == statement.period).collect();
    let partner = tx.partners_many(&Scope::All, &[statement.partner_id]).await?.remove(&statement.partner_id);
    Ok(partner.map(|partner| (RunQuestion { periods, ..question }, partner.code)))
}

/// The run that computed a statement: of a reversal, the run that it reverses.
async fn calculated_run(tx: &guerdon_store::ReadTx, id: RunId) -> Result<Option<StoredRun>, AppError> {
    let run = tx.find_run(id).await?;
    match run.as_ref().filter(|run| run.kind == RunKind::Reversal).and_then(|run| run.of_run_id) {
        Some(of) => Ok(tx.find_run(of).await?),
        None => Ok(run),
    }
}
