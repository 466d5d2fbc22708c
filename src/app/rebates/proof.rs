//! Derivations of statements: everything that the run of a statement read for it, in one document that anybody can recompute.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::access::Scope;
use guerdon_domain::facts::Facts;
use guerdon_domain::money::{DecimalText, Money};
use guerdon_domain::program::Program;
use guerdon_domain::rebate::RunKind as Kind;
use guerdon_domain::rebate::proof::given::{AdjustmentGiven, Before, Heading, PeriodGiven, PostedGiven, RunGiven, ShareGiven};
use guerdon_domain::rebate::proof::{Asked, Derivation, derive, derive_reversal};
use guerdon_store::{BudgetPart, PageRequest, ReadTx, RunId, RunKind, StatementFilter, StoredRun};

use super::calculate::RunQuestion;
use super::runs::question_of;
use super::statements::{StatementId, StoredStatement, statements_many};
use crate::app::plan::{compute, for_runs, read_facts_of_run, together};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Periods of one run that state something to a partner by one schedule, at most.
const PERIODS_MAX: u32 = 1_000;

/// What was read for a derivation.
struct Read {
    statement: StoredStatement,
    run: StoredRun,
    heading: Heading,
    versions: BTreeMap<i64, Arc<Program>>,
    periods: Vec<PeriodGiven>,
    posted: Vec<PostedGiven>,
    before: Vec<Before>,
    shortfall: i64,
    adjustments: Vec<AdjustmentGiven>,
    shares: Vec<ShareGiven>,
    facts: Facts,
}

/// A statement that takes another one back.
struct Reversing {
    statement: StoredStatement,
    run: StoredRun,
    heading: Heading,
    /// What was recognised for the period, in minor units, when it was taken back.
    recognised: i64,
    reversed: Read,
}

/// The derivation of a statement, as canonical JSON. None for a statement that is not there, or not the caller's to see.
///
/// # Errors
/// `Forbidden`; `Conflict` with `NOT_REPRODUCED` when what is computed is not what is on record; `Invalid` when the period cannot be
/// computed any more.
pub async fn find_derivation(app: &App, ctx: &Ctx, id: StatementId) -> Result<Option<(StoredStatement, String)>, AppError> {
    let Some(statement) = statements_many(app, ctx, &[id]).await?.remove(&id) else { return Ok(None) };
    let (plain, reversing) = app
        .store
        .read(async |tx| {
            let run = tx.find_run(statement.run_id).await?.ok_or(AppError::NotFound)?;
            match run.of_run_id {
                Some(of) => Ok::<_, AppError>((None, Some(read_reversing(app, tx, statement.clone(), run, of).await?))),
                None => Ok((Some(read(app, tx, statement.clone(), run).await?), None)),
            }
        })
        .await?;
    let text = compute(move || match (plain, reversing) {
        (Some(read), _) => read.derive(),
        (None, Some(reversing)) => reversing.derive(),
        (None, None) => Err(AppError::NotFound),
    })
    .await??;
    Ok(Some((statement, text)))
}

/// Holds a derivation to the statement on record.
fn reproduced(derivation: Derivation, statement: &StoredStatement, run: &StoredRun) -> Result<String, AppError> {
    if derivation.content_hash == statement.content_hash {
        return Ok(derivation.text);
    }
    let message = format!("run {} does not give this statement any more: verify the run", run.id);
    Err(AppError::conflict("NOT_REPRODUCED", "statement", message))
}

impl Reversing {
    fn derive(&self) -> Result<String, AppError> {
        let reversed = self.reversed.derive()?;
        reproduced(derive_reversal(&self.heading, self.recognised, &reversed)?, &self.statement, &self.run)
    }
}

impl Read {
    fn derive(&self) -> Result<String, AppError> {
        reproduced(derive(&self.asked())?, &self.statement, &self.run)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            statement: self.heading.clone(),
            versions: self.versions.iter().map(|(number, program)| (*number, program.as_ref())).collect(),
            periods: self.periods.clone(),
            posted: self.posted.clone(),
            before: self.before.clone(),
            shortfall: self.shortfall,
            adjustments: self.adjustments.clone(),
            shares: self.shares.clone(),
            facts: &self.facts,
        }
    }
}

/// The heading of a statement.
fn heading_of(statement: &StoredStatement, run: &StoredRun, program: &str, partner: &str) -> Heading {
    let kind = match run.kind {
        RunKind::Original => Kind::Original,
        RunKind::Adjustment => Kind::Adjustment,
        RunKind::Reversal => Kind::Reversal,
    };
    Heading {
        id: Some(statement.id.to_string()),
        program: program.to_owned(),
        partner: partner.to_owned(),
        schedule: statement.schedule.clone(),
        period: statement.period.clone(),
        currency: statement.amount.currency,
        run: RunGiven {
            id: Some(run.id.to_string()),
            kind,
            period: run.period.clone(),
            run_on: run.inputs.map(|inputs| inputs.run_on),
            cut_off: run.inputs.map(|inputs| inputs.cut_off),
            records: run.inputs.map(|inputs| inputs.records).filter(|last| *last != 0),
            content_hash: run.content_hash.clone(),
        },
    }
}

/// What the derivation of a reversal's statement is made of: the one that it takes back, of run `of`.
async fn read_reversing(app: &App, tx: &ReadTx, statement: StoredStatement, run: StoredRun, of: RunId) -> Result<Reversing, AppError> {
    let inputs = run.inputs.ok_or(AppError::NotFound)?;
    let filter =
        StatementFilter { run: Some(of), partner: Some(statement.partner_id), schedule: Some(statement.schedule.clone()), ..StatementFilter::default() };
    let page = tx.list_statements(&Scope::All, &filter, &PageRequest::first(PERIODS_MAX)).await?;
    let reversed = page.rows.into_iter().map(|(_, one)| one).find(|one| one.period == statement.period).ok_or(AppError::NotFound)?;
    let reversed_run = tx.find_run(of).await?.ok_or(AppError::NotFound)?;
    let sums = tx.posted_sums_many(run.program_id, inputs.book, &[statement.partner_id]).await?;
    let own = sums.iter().find(|sum| sum.schedule == statement.schedule && sum.period == statement.period);
    let recognised = own.map_or(0, |sum| sum.recognised);
    let reversed = read(app, tx, reversed, reversed_run).await?;
    let heading = heading_of(&statement, &run, &reversed.heading.program, &reversed.heading.partner);
    Ok(Reversing { statement, run, heading, recognised, reversed })
}

async fn read(app: &App, tx: &ReadTx, statement: StoredStatement, run: StoredRun) -> Result<Read, AppError> {
    let inputs = run.inputs.ok_or(AppError::NotFound)?;
    let question = question_of(app, tx, run.program_id, (&run.period, run.span.from), &inputs).await?;
    let partner = tx.partners_many(&Scope::All, &[statement.partner_id]).await?.remove(&statement.partner_id).ok_or(AppError::NotFound)?;
    let stated = periods_stated(tx, &statement).await?;
    let own = RunQuestion { periods: question.periods.iter().filter(|asked| stated.contains(&asked.period.name)).cloned().collect(), ..question.clone() };
    let first = question.periods.first().ok_or(AppError::NotFound)?;
    let reading = together(question.periods.iter().map(|asked| for_runs(&asked.in_force.compiled, &asked.period)));
    let facts = read_facts_of_run(tx, &first.in_force, &reading, question.days().last_day(), question.up_to, &[partner.id]).await?;
    let sums = tx.posted_sums_many(run.program_id, inputs.book, &[partner.id]).await?;
    let lines = tx.posted_lines_many(run.program_id, inputs.book, &[partner.id]).await?;
    let decided = tx.adjustments_many(run.program_id, inputs.adjustments, &[partner.id]).await?;
    let of_schedule = |schedule: &str, period: &str| schedule == statement.schedule && stated.iter().any(|name| name == period);
    let before = lines.into_iter().filter(|((_, schedule, period), _)| of_schedule(schedule, period));
    let adjustments = decided.into_iter().filter(|one| of_schedule(&one.schedule, &one.period));
    let held_back = sums.iter().filter(|sum| sum.schedule == statement.schedule);
    Ok(Read {
        heading: heading_of(&statement, &run, &first.in_force.program.code, &partner.code),
        versions: own.periods.iter().map(|asked| (asked.in_force.version.number, Arc::clone(&asked.in_force.compiled))).collect(),
        periods: own.periods.iter().map(|asked| PeriodGiven { period: asked.period.name.clone(), version: asked.in_force.version.number }).collect(),
        posted: question.posted_at.iter().map(|(period, cut_offs)| PostedGiven { period: period.clone(), cut_offs: cut_offs.clone() }).collect(),
        before: before.map(|((_, _, period), lines)| Before { period, lines }).collect(),
        shortfall: held_back.fold(0_i64, |sum, one| sum.saturating_sub(one.carried)),
        adjustments: adjustments
            .map(|one| AdjustmentGiven {
                number: one.number,
                period: one.period,
                amount: DecimalText(one.amount.amount()),
                cause: one.cause.map(|cause| cause.to_string()),
                reason: one.reason,
            })
            .collect(),
        shares: shares(tx, &run, &statement, &stated).await?,
        facts,
        statement,
        run,
    })
}

/// The periods for which the run states something to this partner by this schedule.
async fn periods_stated(tx: &ReadTx, statement: &StoredStatement) -> Result<Vec<String>, AppError> {
    let filter = StatementFilter {
        run: Some(statement.run_id),
        partner: Some(statement.partner_id),
        schedule: Some(statement.schedule.clone()),
        ..StatementFilter::default()
    };
    let page = tx.list_statements(&Scope::All, &filter, &PageRequest::first(PERIODS_MAX)).await?;
    Ok(page.rows.into_iter().map(|(_, one)| one.period).collect())
}

/// The shares of budgets that did not suffice.
async fn shares(tx: &ReadTx, run: &StoredRun, statement: &StoredStatement, stated: &[String]) -> Result<Vec<ShareGiven>, AppError> {
    let currency = statement.amount.currency;
    let text = |minor: i64| DecimalText(Money::new(minor, currency).amount());
    let mut shares = Vec::new();
    let own = tx.budget_parts_many(run.id, &[statement.partner_id]).await?;
    let cut = own.into_iter().filter(|part| part.schedule == statement.schedule && stated.contains(&part.period));
    for BudgetPart { schedule, period, earned, shared, .. } in cut {
        let Some(share) = shared.filter(|share| *share != earned) else { continue };
        let parts = tx.list_budget_parts(run.id, &schedule, &period).await?;
        let positive = parts.iter().filter(|part| part.earned > 0);
        let all = positive.clone().fold(0_i64, |sum, part| sum.saturating_add(part.earned));
        let partners = u64::try_from(positive.count()).unwrap_or(u64::MAX);
        shares.push(ShareGiven { period, earned_by_all: text(all), partners, share: text(share) });
    }
    Ok(shares)
}
