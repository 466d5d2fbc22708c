//! Rebate runs, statements and the books.

use async_graphql::{Context, ID, InputObject, Object};

use crate::app::programs::ProgramKey;
use crate::app::rebates::books::{self, EntriesAsked};
use crate::app::rebates::runs::{self, RunsAsked};
use crate::app::rebates::statements::{self, StatementsAsked};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::connect_keyed;
use crate::graphql::types::journal::{JournalEntry, JournalEntryConnection, LedgerAccount, PeriodLock};
use crate::graphql::types::run::{RebateRun, RebateRunConnection, RebateRunKind, RebateRunState};
use crate::graphql::types::statement::{Statement, StatementConnection};

/// Which runs. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct RebateRunFilterInput {
    /// Of the program of this code.
    pub program: Option<String>,
    /// Of this period.
    pub period: Option<String>,
    /// In any of these states.
    pub states: Option<Vec<RebateRunState>>,
    /// Of any of these kinds.
    pub kinds: Option<Vec<RebateRunKind>>,
}

/// Which statements. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StatementFilterInput {
    /// Of the program of this code.
    pub program: Option<String>,
    /// Of this run.
    pub run: Option<ID>,
    /// Of this partner.
    pub partner: Option<ID>,
    /// Of this schedule.
    pub schedule: Option<String>,
    /// Belonging to this period.
    pub period: Option<String>,
}

/// Which journal entries. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct JournalFilterInput {
    /// Of the program of this code.
    pub program: Option<String>,
    /// Of this run.
    pub run: Option<ID>,
    /// Of this period.
    pub period: Option<String>,
}

/// The id behind the one that is given; one that is none of ours names nothing.
fn id_of(kind: NodeKind, id: Option<ID>) -> Option<uuid::Uuid> {
    id.map(|id| decode_as(kind, &id).unwrap_or_default())
}

/// A page of statements, wherever it is asked for.
pub async fn statements_page(ctx: &Context<'_>, list: &str, asked: StatementsAsked, args: &PageArgs) -> Answer<StatementConnection> {
    let (app, caller) = (ctx.app()?, ctx.caller()?);
    let binding = Binding::new(list, &format!("{asked:?}"));
    let request = args.request(&binding, &app.limits)?;
    let page = statements::list_statements(app, caller, &asked, &request).await?;
    Ok(StatementConnection::new(connect_keyed(&binding, &request, page.map(|(key, row)| (key, Statement(row)))), asked))
}

/// Queries of runs, statements and books.
#[derive(Default)]
pub struct RunQueries;

#[Object]
impl RunQueries {
    /// Rebate runs, the latest made first.
    async fn rebate_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<RebateRunFilterInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<RebateRunConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let filter = filter.unwrap_or_default();
        let asked = RunsAsked {
            program: filter.program.map(ProgramKey::Code),
            period: filter.period,
            states: filter.states.unwrap_or_default().into_iter().map(Into::into).collect(),
            kinds: filter.kinds.unwrap_or_default().into_iter().map(Into::into).collect(),
        };
        let binding = Binding::new("rebateRuns", &format!("{asked:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = runs::list_runs(app, caller, &asked, &request).await?;
        Ok(RebateRunConnection::new(connect_keyed(&binding, &request, page.map(|(key, run)| (key, RebateRun(run)))), asked))
    }

    /// Statements that you may see, the latest period first. Partners see those of posted runs.
    async fn statements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<StatementFilterInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<StatementConnection> {
        let filter = filter.unwrap_or_default();
        let asked = StatementsAsked {
            run: id_of(NodeKind::RebateRun, filter.run),
            program: filter.program.map(ProgramKey::Code),
            partner: id_of(NodeKind::Partner, filter.partner),
            schedule: filter.schedule,
            period: filter.period,
        };
        statements_page(ctx, "statements", asked, &PageArgs { first, after, last, before }).await
    }

    /// The journal of the books, the latest entry first.
    async fn journal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entries; all when empty.")] filter: Option<JournalFilterInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<JournalEntryConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let filter = filter.unwrap_or_default();
        let asked = EntriesAsked { program: filter.program.map(ProgramKey::Code), run: id_of(NodeKind::RebateRun, filter.run), period: filter.period };
        let binding = Binding::new("journal", &format!("{asked:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = books::list_entries(app, caller, &asked, &request).await?;
        Ok(JournalEntryConnection::new(connect_keyed(&binding, &request, page.map(|(key, entry)| (key, JournalEntry(entry)))), asked))
    }

    /// The accounts of a program that belong to no partner: expense, accrued, clearing.
    async fn ledger_accounts(&self, ctx: &Context<'_>, #[graphql(desc = "The program's code.")] program: String) -> Maybe<Vec<LedgerAccount>> {
        let found = async {
            let accounts = books::list_accounts(ctx.app()?, ctx.caller()?, &ProgramKey::Code(program)).await?;
            Ok(accounts.iter().map(Into::into).collect())
        };
        Some(found.await)
    }

    /// The locks of a program's periods, the latest period first; at most 100.
    async fn period_locks(&self, ctx: &Context<'_>, #[graphql(desc = "The program's code.")] program: String) -> Maybe<Vec<PeriodLock>> {
        let found = async {
            let locks = books::list_locks(ctx.app()?, ctx.caller()?, &ProgramKey::Code(program)).await?;
            Ok(locks.iter().map(Into::into).collect())
        };
        Some(found.await)
    }
}
