//! What can go wrong below, told apart by SQLSTATE, result code and constraint name, never by the wording of a message.

use std::error::Error as _;
use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;

/// Why the store did not do what it was asked. `Display` carries no SQL and no value; the source does and is for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or lies outside the scope: never told apart.
    #[error("not found")]
    NotFound,
    /// A constraint refuses it.
    #[error("refused by {constraint}")]
    Conflict {
        /// The constraint's name, the same on both databases.
        constraint: String,
    },
    /// Somebody else changed it since it was read.
    #[error("changed since it was read")]
    Stale,
    /// No connection or no lock within a few seconds; the same again may work.
    #[error("the database is busy")]
    Busy,
    /// The idempotency key was used with another input.
    #[error("the idempotency key was used with another input")]
    KeyReused,
    /// A request with this idempotency key, or an import of this file, is still running.
    #[error("still running")]
    InProgress,
    /// A stored row cannot be read as what it should be.
    #[error("a row of {table} cannot be read: {id}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
    },
    /// The configuration of the database cannot work.
    #[error("the database cannot be used as configured: {0}")]
    Configuration(String),
    /// Anything else.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

impl StoreError {
    /// A conflict with the constraint of this name.
    pub fn conflict(constraint: &str) -> Self {
        Self::Conflict { constraint: constraint.to_owned() }
    }

    /// A row that cannot be read.
    pub(crate) fn corrupt(table: &'static str, id: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, id: id.to_string() }
    }
}

/// A database error, sorted; and whether the same transaction, run again, may succeed.
pub(crate) struct Sorted {
    pub(crate) error: StoreError,
    pub(crate) retry: bool,
}

/// Sorts what sea-orm reports.
pub(crate) fn sort(error: DbErr) -> Sorted {
    let sorted = match &error {
        DbErr::ConnectionAcquire(_) => Some((StoreError::Busy, false)),
        DbErr::Conn(RuntimeErr::SqlxError(inner)) | DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => sort_sqlx(inner),
        _ => None,
    };
    match sorted {
        Some((error, retry)) => Sorted { error, retry },
        None => Sorted { error: StoreError::Database(error), retry: false },
    }
}

fn sort_sqlx(error: &sqlx::Error) -> Option<(StoreError, bool)> {
    match error {
        sqlx::Error::PoolTimedOut => Some((StoreError::Busy, false)),
        sqlx::Error::Database(inner) => {
            if let Some(postgres) = inner.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                return sort_postgres(postgres);
            }
            inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().and_then(sort_sqlite)
        }
        _ => None,
    }
}

fn sort_postgres(error: &sqlx::postgres::PgDatabaseError) -> Option<(StoreError, bool)> {
    match error.code() {
        // Serialization failure, deadlock: run the transaction again.
        "40001" | "40P01" => Some((StoreError::Busy, true)),
        // Lock not available, statement cancelled by its timeout, too many connections, server starting or stopping.
        "55P03" | "57014" | "53300" | "57P03" | "57P01" => Some((StoreError::Busy, false)),
        // Integrity constraint violations carry their constraint's name; a missing value its column's.
        code if code.starts_with("23") => {
            let constraint = error
                .constraint()
                .map_or_else(|| format!("{}_{}_present", error.table().unwrap_or("table"), error.column().unwrap_or("column")), str::to_owned);
            Some((StoreError::Conflict { constraint }, false))
        }
        // A sum beyond the range of its column.
        "22003" => Some((StoreError::conflict("number_out_of_range"), false)),
        _ => None,
    }
}

/// SQLite's extended result codes.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const CHECK: u32 = 275;
    pub(super) const FOREIGN_KEY: u32 = 787;
    pub(super) const NOT_NULL: u32 = 1299;
    pub(super) const PRIMARY_KEY: u32 = 1555;
    pub(super) const TRIGGER: u32 = 1811;
    pub(super) const UNIQUE: u32 = 2067;
    pub(super) const DATATYPE: u32 = 3091;
}

fn sort_sqlite(error: &sqlx::sqlite::SqliteError) -> Option<(StoreError, bool)> {
    let number: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    if [code::BUSY, code::LOCKED].contains(&(number & 0xff)) {
        return Some((StoreError::Busy, false));
    }
    if number & 0xff != code::CONSTRAINT {
        return None;
    }
    // SQLite has no field for the name: after the fixed prefix its message is the name, or the columns of the unique key.
    let message = error.message();
    let tail = message.rsplit_once(": ").map_or(message, |(_, tail)| tail);
    let constraint = match number {
        code::UNIQUE | code::PRIMARY_KEY => unique_key(tail).unwrap_or(tail).to_owned(),
        code::CHECK | code::TRIGGER => tail.to_owned(),
        code::NOT_NULL => format!("{}_present", tail.replace('.', "_")),
        code::FOREIGN_KEY => "foreign_key".to_owned(),
        code::DATATYPE => "number_out_of_range".to_owned(),
        _ => "constraint".to_owned(),
    };
    Some((StoreError::Conflict { constraint }, false))
}

/// The name of the unique key over these columns.
fn unique_key(columns: &str) -> Option<&'static str> {
    UNIQUE_KEYS.iter().find(|(_, of)| *of == columns).map(|(name, _)| *name)
}

/// Every unique key, by its columns as SQLite reports them. A test holds this list against the schema.
pub(crate) const UNIQUE_KEYS: &[(&str, &str)] = &[
    ("program_code_key", "program.code"),
    ("program_version_number_key", "program_version.program_id, program_version.number"),
    ("program_version_effective_key", "program_version.program_id, program_version.effective_on"),
    ("partner_code_key", "partner.code"),
    ("enrollment_since_key", "enrollment.partner_id, enrollment.program_id, enrollment.region_key, enrollment.since_on"),
    ("enrollment_open_key", "enrollment.partner_id, enrollment.program_id, enrollment.region_key"),
    (
        "tier_assignment_from_key",
        "tier_assignment.partner_id, tier_assignment.program_id, tier_assignment.ladder, tier_assignment.region_key, tier_assignment.from_on",
    ),
    ("tier_assignment_open_key", "tier_assignment.partner_id, tier_assignment.program_id, tier_assignment.ladder, tier_assignment.region_key"),
    (
        "admission_request_open_key",
        "admission_request.partner_id, admission_request.program_id, admission_request.ladder, admission_request.region_key, admission_request.tier, admission_request.kind",
    ),
    ("contract_number_key", "contract.program_id, contract.number"),
    ("product_code_key", "product.code"),
    ("import_batch_seal_key", "import_batch.seal_number"),
    ("import_batch_staged_key", "import_batch.kind, import_batch.source, import_batch.file_digest"),
    ("transactions_external_key", "transactions.source, transactions.external_id"),
    ("holding_external_key", "holding.source, holding.external_id, holding.revision"),
    ("activity_external_key", "activity.source, activity.external_id"),
    ("deal_external_key", "deal.source, deal.external_id, deal.revision"),
    ("audit_entry_sequence_key", "audit_entry.sequence"),
    ("outbox_event_id_key", "outbox_event.event_id"),
    ("job_live_key", "job.kind, job.unique_key"),
    ("review_live_key", "review.program_id, review.as_of"),
    ("api_key_public_id_key", "api_key.public_id"),
    ("rebate_run_original_key", "rebate_run.program_id, rebate_run.period"),
    ("rebate_run_reversal_key", "rebate_run.of_run_id"),
    ("rebate_run_posting_key", "rebate_run.posting_number"),
    ("statement_key", "statement.partner_id, statement.schedule, statement.period, statement.run_id"),
    ("account_program_key", "account.program_id, account.kind, account.currency"),
    ("account_partner_key", "account.program_id, account.kind, account.currency, account.partner_id"),
    ("period_lock_live_key", "period_lock.program_id, period_lock.period"),
    ("rebate_adjustment_number_key", "rebate_adjustment.number"),
    ("dispute_live_key", "dispute.statement_id, dispute.subject"),
    ("dispute_adjustment_key", "dispute.adjustment_id"),
];

/// The names and columns of the unique keys that are told apart on SQLite; for the test that holds them against the schema.
pub fn unique_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    UNIQUE_KEYS.iter().copied()
}

/// How long to wait before try number `attempt` (from 0) of a transaction: doubling from 10 ms, with jitter, so that two that
/// collided do not collide again.
pub(crate) fn pause(attempt: u32, jitter: u64) -> Duration {
    let base = 10_u64 << attempt.min(5);
    Duration::from_millis(base + jitter % base)
}

/// For the log: the whole chain of causes.
pub fn causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
