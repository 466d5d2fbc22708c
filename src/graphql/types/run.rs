//! Rebate runs.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::job::JobFault;
use super::partner::Partner;
use super::period::DateSpan;
use super::program::{Program, ProgramVersion};
use super::statement::StatementConnection;
use crate::app::rebates::runs::{self, Deed, RunTotal, RunsAsked, StoredRun};
use crate::app::rebates::statements::StatementsAsked;
use crate::graphql::connection::{Connected, PageArgs, PageInfo};
use crate::graphql::context::RequestData;
use crate::graphql::error::{GqlFault, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::query::runs::statements_page;
use crate::graphql::scalars::{DateTime, GqlDate, Money};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::rebates::runs::RunKind")]
pub enum RebateRunKind {
    /// It settles its period for the first time, and posts the differences of the periods before.
    Original,
    /// Only differences of periods that were posted before.
    Adjustment,
    /// The negatives of what another run posted.
    Reversal,
}

/// Where a run is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::rebates::runs::RunState")]
pub enum RebateRunState {
    /// Made; nothing is calculated.
    Draft,
    /// It is being calculated.
    Calculating,
    /// Its statements can be looked at.
    Calculated,
    /// It could not be calculated: `faults` says why.
    Failed,
    /// It waits for an approver.
    Submitted,
    /// Another person approved it.
    Approved,
    /// An approver refused it.
    Rejected,
    /// It is in the books, for ever.
    Posted,
    /// It was paid.
    Paid,
    /// It was given up before it was posted.
    Voided,
}

/// Somebody did something at a moment.
#[derive(Debug, Clone, SimpleObject)]
pub struct RunDeed {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime,
}

impl From<&Deed> for RunDeed {
    fn from(deed: &Deed) -> Self {
        Self { by: deed.by.clone(), at: deed.at.into() }
    }
}

/// The sums of a run in one currency.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateRunTotal {
    /// How many statements.
    pub statements: i64,
    /// What the run's own period is worth.
    pub entitled: Money,
    /// What differs from what was recognised before, true-up of earlier periods included.
    pub difference: Money,
    /// What is posted.
    pub amount: Money,
}

fn total_of(total: &RunTotal) -> Option<RebateRunTotal> {
    let currency = total.currency.parse().ok()?;
    let money = |minor: i64| guerdon_domain::money::Money::new(minor, currency).into();
    Some(RebateRunTotal { statements: total.statements, entitled: money(total.entitled), difference: money(total.difference), amount: money(total.amount) })
}

/// How a partner's sum differs from that of the last posted run of an earlier period.
#[derive(Debug, Clone, SimpleObject)]
pub struct RunDifference {
    /// The partner; null when you may not read it.
    pub partner: Option<Partner>,
    /// What this run posts.
    pub now: Money,
    /// What the other run posted.
    pub last: Money,
    /// The difference.
    pub difference: Money,
}

/// A rebate run.
#[derive(Debug, Clone)]
pub struct RebateRun(pub StoredRun);

/// A rebate run: one period of one program, from draft to paid. What is posted never changes.
#[Object]
impl RebateRun {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::RebateRun, self.0.id)
    }

    /// The program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// The version that is in force on the period's first day, and governs it.
    async fn version(&self, ctx: &Context<'_>) -> Maybe<ProgramVersion> {
        let found = async { Ok(ctx.loaders()?.version(self.0.version_id).await?.map(ProgramVersion)) };
        found.await.transpose()
    }

    /// The period's name.
    async fn period(&self) -> &str {
        &self.0.period
    }

    /// The period's days.
    async fn span(&self) -> DateSpan {
        self.0.span.into()
    }

    /// What it is for.
    async fn kind(&self) -> RebateRunKind {
        self.0.kind.into()
    }

    /// Where it is on its way.
    async fn state(&self) -> RebateRunState {
        self.0.state.into()
    }

    /// Why it was made, where somebody said so.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The run whose negatives it posts.
    async fn reverses(&self, ctx: &Context<'_>) -> Maybe<Self> {
        one(ctx, self.0.of_run_id).await
    }

    /// The run that posted its negatives.
    async fn reversed_by(&self, ctx: &Context<'_>) -> Maybe<Self> {
        one(ctx, self.0.reversed_by).await
    }

    /// The day on which it ran, in the program's time zone; null before it was calculated.
    async fn run_on(&self) -> Option<GqlDate> {
        self.0.inputs.map(|inputs| inputs.run_on.into())
    }

    /// The place of the last sealed batch whose facts it read; what came in later is true-up.
    async fn cut_off(&self) -> Option<i64> {
        self.0.inputs.map(|inputs| inputs.cut_off)
    }

    /// The number of the last change that it knew of what is on record about partners: profiles, enrollments, tiers, overrides. What
    /// was recorded later counts in later runs.
    async fn records(&self) -> Option<i64> {
        self.0.inputs.map(|inputs| inputs.records)
    }

    /// The digest of everything it states. Whoever submits, approves or posts it names the one that he saw.
    async fn content_hash(&self) -> Option<&str> {
        self.0.content_hash.as_deref()
    }

    /// Partners calculated so far.
    async fn partners_done(&self) -> i64 {
        self.0.partners_done
    }

    /// Partners to calculate; null before it is calculated, and for those who do not see all partners.
    async fn partners_total(&self) -> Option<i64> {
        self.0.partners_total
    }

    /// Its sums by currency; empty for those who do not see all partners.
    async fn totals(&self) -> Vec<RebateRunTotal> {
        self.0.totals.iter().filter_map(total_of).collect()
    }

    /// Why it failed: every missing exchange rate, and whatever else stopped it.
    async fn faults(&self) -> Vec<JobFault> {
        let fault =
            |fault: guerdon_domain::fault::Fault| JobFault { code: fault.code, path: (!fault.path.is_empty()).then_some(fault.path), message: fault.message };
        runs::failure_of(&self.0).into_iter().map(fault).collect()
    }

    /// Who made it.
    async fn prepared(&self) -> RunDeed {
        (&self.0.prepared).into()
    }

    /// Who had it calculated.
    async fn calculated_by(&self) -> Option<&str> {
        self.0.calculated_by.as_deref()
    }

    /// When it was calculated.
    async fn calculated_at(&self) -> Option<DateTime> {
        self.0.calculated_at.map(DateTime)
    }

    /// Who submitted it.
    async fn submitted(&self) -> Option<RunDeed> {
        self.0.submitted.as_ref().map(Into::into)
    }

    /// Who approved it: another person than whoever prepared, calculated or submitted it.
    async fn approved(&self) -> Option<RunDeed> {
        self.0.approved.as_ref().map(Into::into)
    }

    /// Who rejected it.
    async fn rejected(&self) -> Option<RunDeed> {
        self.0.rejected.as_ref().map(Into::into)
    }

    /// What he who decided had to say.
    async fn decision_note(&self) -> Option<&str> {
        self.0.decision_note.as_deref()
    }

    /// Whether its sum is above the limit of one approver (a setting of the service), so that a second one has to post it.
    async fn needs_second_approver(&self) -> bool {
        self.0.second_approver
    }

    /// Who posted it.
    async fn posted(&self) -> Option<RunDeed> {
        self.0.posted.as_ref().map(Into::into)
    }

    /// Who recorded its payment.
    async fn paid(&self) -> Option<RunDeed> {
        self.0.paid.as_ref().map(Into::into)
    }

    /// The day on which it was paid.
    async fn paid_on(&self) -> Option<GqlDate> {
        self.0.paid_on.map(GqlDate)
    }

    /// The reference of the payment.
    async fn payment_reference(&self) -> Option<&str> {
        self.0.payment_reference.as_deref()
    }

    /// Who gave it up.
    async fn voided(&self) -> Option<RunDeed> {
        self.0.voided.as_ref().map(Into::into)
    }

    /// Partners whose sums differ most from the last posted run of an earlier period, the largest differences first; at most 100.
    async fn differences(&self, ctx: &Context<'_>) -> Maybe<Vec<RunDifference>> {
        let found = async {
            let differences = runs::run_differences(ctx.app()?, ctx.caller()?, &self.0).await?;
            let ids: Vec<_> = differences.iter().map(|one| one.partner).collect();
            let partners = ctx.loaders()?.partners(&ids).await?;
            let difference = |one: &runs::RunDifference| RunDifference {
                partner: partners.get(&one.partner).cloned().map(Partner),
                now: one.now.into(),
                last: one.last.into(),
                difference: guerdon_domain::money::Money::new(one.now.minor.saturating_sub(one.last.minor), one.now.currency).into(),
            };
            Ok::<_, GqlFault>(differences.iter().map(difference).collect())
        };
        Some(found.await)
    }

    /// Its statements, the latest period first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn statements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this schedule.")] schedule: Option<String>,
        #[graphql(desc = "Only those that belong to this period.")] period: Option<String>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<StatementConnection> {
        let asked = StatementsAsked { run: Some(self.0.id), schedule, period, ..StatementsAsked::default() };
        Some(statements_page(ctx, "run.statements", asked, &PageArgs { first, after, last, before }).await)
    }
}

async fn one(ctx: &Context<'_>, id: Option<runs::RunId>) -> Maybe<RebateRun> {
    let found = async {
        match id {
            Some(id) => Ok(ctx.loaders()?.run(id).await?.map(RebateRun)),
            None => Ok(None),
        }
    };
    found.await.transpose()
}

/// A page of rebate runs.
pub struct RebateRunConnection {
    page: Connected<RebateRun>,
    asked: RunsAsked,
}

impl RebateRunConnection {
    /// A page, and what it is a page of.
    pub const fn new(page: Connected<RebateRun>, asked: RunsAsked) -> Self {
        Self { page, asked }
    }
}

/// One of rebate runs with its cursor.
#[derive(SimpleObject)]
pub struct RebateRunEdge {
    /// Marks this row in this list, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub node: RebateRun,
}

/// A page of rebate runs.
#[Object]
impl RebateRunConnection {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<RebateRunEdge> {
        self.page.edges.iter().map(|(cursor, node)| RebateRunEdge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<RebateRun> {
        self.page.edges.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        self.page.page_info.clone()
    }

    /// How many runs there are in all. They are counted when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i64> {
        let counted = async { Ok(runs::count_runs(ctx.app()?, ctx.caller()?, &self.asked).await?) };
        Some(counted.await)
    }
}
