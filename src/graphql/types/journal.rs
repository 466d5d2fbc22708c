//! The books: journal entries, accounts, locks of periods.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::partner::Partner;
use super::period::DateSpan;
use super::run::{RebateRun, RunDeed};
use crate::app::rebates::books::{self, EntriesAsked, StoredAccount, StoredEntry, StoredLock, StoredPosting};
use crate::connection;
use crate::graphql::connection::{Binding, Connected, PageArgs, PageInfo, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::{GqlFault, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::scalars::{DateTime, GqlDate, Money};

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::rebates::books::EntryKind")]
pub enum JournalEntryKind {
    /// Set aside for an open period: expense to accrued.
    Accrual,
    /// What was set aside is taken back, since the period is posted.
    AccrualRelease,
    /// Owed to partners: expense to payable.
    Posting,
    /// Paid: payable to clearing. Paid back, for a reversal: clearing to payable.
    Payment,
    /// The negatives of a posting.
    Reversal,
}

/// The accounts of a program, each of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::rebates::books::AccountKind")]
pub enum LedgerAccountKind {
    /// What rebates cost.
    RebateExpense,
    /// What is set aside for open periods.
    RebateAccrued,
    /// What is owed to one partner.
    RebatePayable,
    /// Payments that left.
    PaymentClearing,
}

/// An entry of the journal.
#[derive(Debug, Clone)]
pub struct JournalEntry(pub StoredEntry);

/// An entry of the journal. Its postings sum to zero, and it never changes.
#[Object]
impl JournalEntry {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::JournalEntry, self.0.id)
    }

    /// What it records.
    async fn kind(&self) -> JournalEntryKind {
        self.0.kind.into()
    }

    /// The period of the run, or of the accrual.
    async fn period(&self) -> &str {
        &self.0.period
    }

    /// The day that it is of.
    async fn date(&self) -> GqlDate {
        self.0.on.into()
    }

    /// The run that it is of; null for accruals, and when you may not see it.
    async fn run(&self, ctx: &Context<'_>) -> Maybe<RebateRun> {
        let found = async {
            match self.0.run_id {
                Some(run) => Ok(ctx.loaders()?.run(run).await?.map(RebateRun)),
                None => Ok(None),
            }
        };
        found.await.transpose()
    }

    /// The reference of a payment.
    async fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// Who caused it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Its postings; those of partners that you may not see are left out.
    async fn postings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows, behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
    ) -> Maybe<PostingConnection> {
        let found = async {
            let binding = Binding::new("entry.postings", &self.0.id);
            let args = PageArgs { first, after, ..PageArgs::default() };
            let request = args.request(&binding, &ctx.app()?.limits)?;
            let behind = request.after.as_ref().and_then(|key| key.first()?.parse().ok()).unwrap_or(0);
            let (rows, more) = books::list_postings(ctx.app()?, ctx.caller()?, self.0.id, behind, request.limit).await?;
            let ids: Vec<_> = rows.iter().filter_map(|(_, posting)| posting.partner).collect();
            let partners = ctx.loaders()?.partners(&ids).await?;
            let posting = |(at, one): (i64, StoredPosting)| {
                let partner = one.partner.and_then(|id| partners.get(&id).cloned()).map(Partner);
                (at, Posting { account: one.account.into(), partner, amount: one.amount.into() })
            };
            let page = guerdon_domain::page::Page { rows: rows.into_iter().map(posting).collect(), more };
            let connected = connect(&binding, &request, page, |(at, _): &(i64, Posting)| vec![at.to_string()]);
            let edges = connected.edges.into_iter().map(|(cursor, (_, posting))| (cursor, posting)).collect();
            Ok::<_, GqlFault>(Connected { edges, page_info: connected.page_info }.into())
        };
        Some(found.await)
    }
}

/// A posting of an entry.
#[derive(Debug, Clone, SimpleObject)]
pub struct Posting {
    /// The account.
    pub account: LedgerAccountKind,
    /// The partner whose account it is; null for accounts of the program.
    pub partner: Option<Partner>,
    /// The amount; debits are positive.
    pub amount: Money,
}

connection!(PostingConnection, PostingEdge, Posting, "postings");

/// An account and its balance.
#[derive(Debug, Clone, SimpleObject)]
pub struct LedgerAccount {
    /// What it is for.
    pub kind: LedgerAccountKind,
    /// What is on it; debits are positive.
    pub balance: Money,
}

impl From<&StoredAccount> for LedgerAccount {
    fn from(account: &StoredAccount) -> Self {
        Self { kind: account.kind.into(), balance: account.balance.into() }
    }
}

/// A lock of a period.
#[derive(Debug, Clone, SimpleObject)]
pub struct PeriodLock {
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: DateSpan,
    /// Whether the posting of a run locked it; reversing that run releases it.
    pub by_posting: bool,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// Who locked it.
    pub locked: RunDeed,
    /// The approver who asked to release it.
    pub release_asked: Option<RunDeed>,
    /// Who released it.
    pub released: Option<RunDeed>,
}

impl From<&StoredLock> for PeriodLock {
    fn from(lock: &StoredLock) -> Self {
        Self {
            period: lock.period.clone(),
            span: lock.span.into(),
            by_posting: lock.run_id.is_some(),
            reason: lock.reason.clone(),
            locked: (&lock.locked).into(),
            release_asked: lock.release_asked.as_ref().map(Into::into),
            released: lock.released.as_ref().map(Into::into),
        }
    }
}

/// A page of journal entries.
pub struct JournalEntryConnection {
    page: Connected<JournalEntry>,
    asked: EntriesAsked,
}

impl JournalEntryConnection {
    /// A page, and what it is a page of.
    pub const fn new(page: Connected<JournalEntry>, asked: EntriesAsked) -> Self {
        Self { page, asked }
    }
}

/// One of journal entries with its cursor.
#[derive(SimpleObject)]
pub struct JournalEntryEdge {
    /// Marks this row in this list, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub node: JournalEntry,
}

/// A page of journal entries.
#[Object]
impl JournalEntryConnection {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<JournalEntryEdge> {
        self.page.edges.iter().map(|(cursor, node)| JournalEntryEdge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<JournalEntry> {
        self.page.edges.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        self.page.page_info.clone()
    }

    /// How many entries there are in all. They are counted when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i64> {
        let counted = async { Ok(books::count_entries(ctx.app()?, ctx.caller()?, &self.asked).await?) };
        Some(counted.await)
    }
}
