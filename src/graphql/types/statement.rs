//! Statements and their lines.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use guerdon_domain::rebate::StatedLine;

use super::partner::Partner;
use super::period::DateSpan;
use super::program::ProgramVersion;
use super::rebate::{RebateLine, RebateStep};
use super::run::RebateRun;
use crate::app::rebates::statements::{self, StatementsAsked, StoredStatement};
use crate::connection;
use crate::graphql::connection::{Binding, Connected, PageArgs, PageInfo, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::Maybe;
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::pages::page_of_list;
use crate::graphql::scalars::{Decimal, Money};

/// What a line of a statement stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::rebate::LineKind")]
pub enum StatementLineKind {
    /// What a band, or a method without bands, earned for one tier.
    Earned,
    /// The condition was not met.
    Condition,
    /// Topped up to the floor.
    Floor,
    /// Cut at the cap.
    Cap,
    /// What earlier periods of the fiscal year were worth.
    Cumulative,
    /// Topped up to the guarantee.
    Guarantee,
    /// A small payout of earlier periods.
    CarriedPayout,
    /// Less than the minimum payout: forfeited or carried.
    MinimumPayout,
    /// Another schedule of the group was better.
    BestOf,
    /// Shared with all partners, since the budget did not suffice.
    Budget,
    /// A correction that was decided, such as an accepted dispute.
    Adjustment,
    /// A shortfall of earlier periods, taken off.
    SetOff,
    /// A shortfall that is not posted now, but taken off what comes later.
    CarriedForward,
}

/// A line of a statement. The lines sum to its amount.
#[derive(Debug, Clone, SimpleObject)]
pub struct StatementLine {
    /// What it stands for.
    pub kind: StatementLineKind,
    /// The band's position in the schedule, from 0.
    pub band: Option<i64>,
    /// The band's lower bound, in the qualifier.
    pub from: Option<Decimal>,
    /// The band's upper bound.
    pub to: Option<Decimal>,
    /// The tier whose rate it is.
    pub tier: Option<String>,
    /// The category, where the schedule is for one alone.
    pub category: Option<String>,
    /// What it was paid on; of a later run, the change of it.
    pub base: Decimal,
    /// The rate as a fraction, or the amount of a unit or package; null for a sum.
    pub rate: Option<Decimal>,
    /// The figure before rounding.
    pub exact: Decimal,
    /// The figure, to the minor unit.
    pub amount: Money,
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement(pub StoredStatement);

/// What a run states for a partner, a schedule and a period. A later run states only the difference.
#[Object]
impl Statement {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Statement, self.0.id)
    }

    /// The run; null when you may not see it.
    async fn run(&self, ctx: &Context<'_>) -> Maybe<RebateRun> {
        let found = async { Ok(ctx.loaders()?.run(self.0.run_id).await?.map(RebateRun)) };
        match found.await {
            Err(fault) if is_forbidden(&fault) => None,
            other => other.transpose(),
        }
    }

    /// The partner.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok(ctx.loaders()?.partner(self.0.partner_id).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The version that it is computed by.
    async fn version(&self, ctx: &Context<'_>) -> Maybe<ProgramVersion> {
        let found = async { Ok(ctx.loaders()?.version(self.0.version_id).await?.map(ProgramVersion)) };
        found.await.transpose()
    }

    /// The schedule.
    async fn schedule(&self) -> &str {
        &self.0.schedule
    }

    /// The period that it belongs to.
    async fn period(&self) -> &str {
        &self.0.period
    }

    /// The period's days.
    async fn span(&self) -> DateSpan {
        self.0.span.into()
    }

    /// The tier that counts for the period as a whole.
    async fn tier(&self) -> Option<&str> {
        self.0.tier.as_deref()
    }

    /// What picked the band.
    async fn qualifier(&self) -> Decimal {
        Decimal::of(&self.0.qualifier)
    }

    /// What was paid on.
    async fn basis(&self) -> Decimal {
        Decimal::of(&self.0.basis)
    }

    /// The figure before rounding.
    async fn exact(&self) -> Decimal {
        Decimal::of(&self.0.exact)
    }

    /// What the period is worth, as known to the run.
    async fn entitled(&self) -> Money {
        self.0.entitled.into()
    }

    /// What was recognised for it before.
    async fn before(&self) -> Money {
        self.0.before.into()
    }

    /// The difference.
    async fn difference(&self) -> Money {
        self.0.difference.into()
    }

    /// What is held back and taken off later postings (positive), or taken off now (negative).
    async fn carried(&self) -> Money {
        self.0.carried.into()
    }

    /// What is posted: the difference and what is carried.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// How many sale lines are behind the period.
    async fn inputs(&self) -> i64 {
        self.0.inputs
    }

    /// Every step of the calculation, in order.
    async fn steps(&self) -> Vec<RebateStep> {
        self.0.steps.iter().map(Into::into).collect()
    }

    /// The digest of all of it.
    async fn content_hash(&self) -> &str {
        &self.0.content_hash
    }

    /// Its lines.
    async fn lines(&self) -> Vec<StatementLine> {
        self.0.lines.iter().map(|line| line_of(line, self.0.amount.currency)).collect()
    }

    /// The sale lines behind the period, computed again from what the run read: with their exchange rates, and their parts of what
    /// the whole period is worth.
    async fn sale_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<RebateLineConnection> {
        let found = async {
            let binding = Binding::new("statement.saleLines", &self.0.id);
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let lines = statements::sale_lines(ctx.app()?, ctx.caller()?, self.0.id).await?;
            let rows: Vec<(usize, RebateLine)> = lines.iter().map(Into::into).enumerate().collect();
            let key = |row: &(usize, RebateLine)| vec![row.0.to_string()];
            let connected = connect(&binding, &request, page_of_list(&rows, &request, key), key);
            let edges = connected.edges.into_iter().map(|(cursor, (_, line))| (cursor, line)).collect();
            Ok(Connected { edges, page_info: connected.page_info }.into())
        };
        Some(found.await)
    }
}

fn is_forbidden(fault: &crate::graphql::error::GqlFault) -> bool {
    matches!(fault.app(), crate::error::AppError::Forbidden)
}

fn line_of(line: &StatedLine, currency: guerdon_domain::money::Currency) -> StatementLine {
    StatementLine {
        kind: line.kind.into(),
        band: line.band,
        from: line.from.as_ref().map(Decimal::of),
        to: line.to.as_ref().map(Decimal::of),
        tier: line.tier.clone(),
        category: line.category.clone(),
        base: Decimal::of(&line.base),
        rate: line.rate.as_ref().map(Decimal::of),
        exact: Decimal::of(&line.exact),
        amount: guerdon_domain::money::Money::new(line.amount, currency).into(),
    }
}

connection!(RebateLineConnection, RebateLineEdge, RebateLine, "sale lines behind a statement");

/// A page of statements.
pub struct StatementConnection {
    page: Connected<Statement>,
    asked: StatementsAsked,
}

impl StatementConnection {
    /// A page, and what it is a page of.
    pub const fn new(page: Connected<Statement>, asked: StatementsAsked) -> Self {
        Self { page, asked }
    }
}

/// One of statements with its cursor.
#[derive(SimpleObject)]
pub struct StatementEdge {
    /// Marks this row in this list, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub node: Statement,
}

/// A page of statements.
#[Object]
impl StatementConnection {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<StatementEdge> {
        self.page.edges.iter().map(|(cursor, node)| StatementEdge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<Statement> {
        self.page.edges.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        self.page.page_info.clone()
    }

    /// How many statements there are in all. They are counted when asked for, and it costs accordingly.
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i64> {
        let counted = async { Ok(statements::count_statements(ctx.app()?, ctx.caller()?, &self.asked).await?) };
        Some(counted.await)
    }
}
