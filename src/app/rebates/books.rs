//! The books as they are shown, verified, and closed period by period.

use guerdon_domain::access::{Action, Condition, Resource};
use guerdon_domain::fault::Faults;
use guerdon_domain::page::{Page, PageRequest};
pub use guerdon_store::{AccountKind, EntryId, EntryKind, LedgerFault, StoredAccount, StoredEntry, StoredLock, StoredPosting};
use guerdon_store::{AuditEntry, Change, EntryFilter, RunId, StoreError};
use serde::{Deserialize, Serialize};

use super::runs::over_all;
use crate::app::idempotency::{Keyed as Idempotent, keyed_context};
use crate::app::pages::{Keyed, page_of, request_of};
use crate::app::partners::PartnerId;
use crate::app::periods::governed;
use crate::app::programs::{ProgramKey, program_in};
use crate::app::text::check_text;
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Locks of a program that are listed at most.
const LOCKS_MAX: u32 = 100;

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntriesAsked {
    /// Of this program.
    pub program: Option<ProgramKey>,
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this period.
    pub period: Option<String>,
}

impl EntriesAsked {
    async fn filter(&self, tx: &guerdon_store::ReadTx) -> Result<Option<EntryFilter>, AppError> {
        let program = match &self.program {
            Some(key) => match program_in(tx, Some(key)).await {
                Ok(program) => Some(program.id),
                Err(AppError::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(Some(EntryFilter { program, run: self.run, period: self.period.clone() }))
    }
}

/// A page of journal entries, the latest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list_entries(app: &App, ctx: &Ctx, asked: &EntriesAsked, page: &PageRequest) -> Result<Page<Keyed<StoredEntry>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Ledger))?;
    let request = request_of(page);
    let found = app
        .store
        .read(async |tx| {
            let Some(filter) = asked.filter(tx).await? else { return Ok::<_, AppError>(None) };
            Ok(Some(tx.list_entries(&scope, &filter, &request).await?))
        })
        .await?;
    Ok(found.map_or(Page { rows: Vec::new(), more: false }, |found| page_of(found, page.backward)))
}

/// How many entries there are.
///
/// # Errors
/// `Forbidden`.
pub async fn count_entries(app: &App, ctx: &Ctx, asked: &EntriesAsked) -> Result<i64, AppError> {
    let scope = ctx.require((Action::Read, Resource::Ledger))?;
    app.store
        .read(async |tx| match asked.filter(tx).await? {
            Some(filter) => Ok(tx.count_entries(&scope, &filter).await?),
            None => Ok(0),
        })
        .await
}

/// A page of the postings of an entry, in the order of accounts, with the place of each; those of partners out of scope are left
/// out.
///
/// # Errors
/// `Forbidden`.
pub async fn list_postings(app: &App, ctx: &Ctx, entry: EntryId, after: i64, limit: u32) -> Result<(Vec<(i64, StoredPosting)>, bool), AppError> {
    let scope = ctx.require((Action::Read, Resource::Ledger))?;
    let mut rows = app.store.read(async |tx| tx.list_postings(&scope, entry, after, limit.saturating_add(1)).await).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Ok((rows, more))
}

/// The accounts of a program that belong to no partner: expense, accrued, clearing.
///
/// # Errors
/// `Forbidden`, also for those who do not see all partners; `NotFound`.
pub async fn list_accounts(app: &App, ctx: &Ctx, program: &ProgramKey) -> Result<Vec<StoredAccount>, AppError> {
    over_all(&ctx.require((Action::Read, Resource::Ledger))?)?;
    app.store
        .read(async |tx| {
            let program = program_in(tx, Some(program)).await?;
            Ok(tx.list_program_accounts(program.id).await?)
        })
        .await
}

/// What is owed to partners, by currency: the balances of their accounts.
///
/// # Errors
/// `Forbidden`.
pub async fn payables_many(app: &App, ctx: &Ctx, partners: &[PartnerId]) -> Result<Vec<StoredAccount>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Ledger))?;
    Ok(app.store.read(async |tx| tx.payables_many(&scope, None, partners).await).await?)
}

/// Whatever the books hold that they must not: entries that do not sum to zero, balances that are not the fold of postings,
/// statements that are not the sum of their lines, runs whose postings are not the sum of their statements.
///
/// # Errors
/// `Forbidden`, also for those who do not see all partners.
pub async fn verify_ledger(app: &App, ctx: &Ctx) -> Result<Vec<LedgerFault>, AppError> {
    over_all(&ctx.require((Action::Read, Resource::Ledger))?)?;
    Ok(app.store.read(async |tx| tx.verify_ledger().await).await?)
}

/// A period to be locked or released.
#[derive(Debug, Clone)]
pub struct LockAsked {
    /// The program.
    pub program: ProgramKey,
    /// The period's name.
    pub period: String,
    /// Why.
    pub reason: Option<String>,
    /// The caller's idempotency key.
    pub keyed: Option<Idempotent>,
}

/// A lock after somebody asked for its release, or released it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unlocked {
    /// The lock.
    pub lock: StoredLock,
    /// Whether it is released; else another approver has to ask too.
    pub released: bool,
}

/// The locks of a program, the latest period first; at most 100.
///
/// # Errors
/// `Forbidden`; `NotFound`.
pub async fn list_locks(app: &App, ctx: &Ctx, program: &ProgramKey) -> Result<Vec<StoredLock>, AppError> {
    ctx.require((Action::Read, Resource::PeriodLock))?;
    app.store
        .read(async |tx| {
            let program = program_in(tx, Some(program)).await?;
            Ok(tx.list_locks(program.id, LOCKS_MAX).await?)
        })
        .await
}

fn refused(error: StoreError) -> AppError {
    let StoreError::Conflict { constraint } = &error else { return error.into() };
    match constraint.as_str() {
        "period_lock_live_key" => AppError::conflict("PERIOD_LOCKED", "period", "the period is locked already"),
        "period_lock_two_approvers" => another_approver(),
        _ => error.into(),
    }
}

fn another_approver() -> AppError {
    AppError::conflict("SEGREGATION_OF_DUTIES", "period", "two approvers release a lock: another one has to")
}

/// Locks a period: no original run of it is made or posted any more.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid`; `Conflict` with `PERIOD_LOCKED`; those of idempotency keys.
pub async fn lock_period(app: &App, ctx: &Ctx, input: &LockAsked) -> Result<StoredLock, AppError> {
    ctx.require((Action::Write, Resource::PeriodLock))?;
    let mut faults = Faults::new();
    if let Some(reason) = &input.reason {
        check_text(&mut faults, "reason", reason, &app.limits);
    }
    faults.or(())?;
    let context = keyed_context(app, ctx, "periodLock", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let (period, in_force) = governed(app, ctx, tx, &input.program, &input.period).await?;
            let lock = tx.lock_period(in_force.program.id, &period.name, period.span, None, input.reason.as_deref()).await.map_err(refused)?;
            let audit = AuditEntry::of("PeriodLock", lock.id).after(serde_json::json!({ "period": lock.period, "reason": lock.reason }));
            Ok::<_, AppError>(Change::new(lock, audit))
        })
        .await?;
    Ok(written.value)
}

/// Releases a lock that was made by hand: the first approver asks, a second one releases. The lock of a posted period is released by
/// reversing its run.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` with `PERIOD_POSTED`, `SEGREGATION_OF_DUTIES`; those of idempotency keys.
pub async fn unlock_period(app: &App, ctx: &Ctx, input: &LockAsked) -> Result<Unlocked, AppError> {
    ctx.require_under((Action::Reverse, Resource::PeriodLock), &[Condition::TwoApprovers])?;
    let context = keyed_context(app, ctx, "periodUnlock", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let program = program_in(tx, Some(&input.program)).await?;
            let lock = tx.find_lock(program.id, &input.period).await?.ok_or(AppError::NotFound)?;
            if lock.run_id.is_some() {
                return Err(AppError::conflict("PERIOD_POSTED", "period", "the period is posted: reverse its run, which releases the lock"));
            }
            let released = lock.release_asked.is_some();
            match &lock.release_asked {
                Some(asked) if asked.by == ctx.actor.person => {
                    return Err(another_approver());
                }
                Some(_) => tx.release_lock(lock.id).await.map_err(refused)?,
                None => tx.ask_release(lock.id).await.map_err(refused)?,
            }
            let audit = AuditEntry::of("PeriodLock", lock.id).after(serde_json::json!({ "period": lock.period, "released": released }));
            Ok(Change::new(Unlocked { lock, released }, audit))
        })
        .await?;
    Ok(written.value)
}
