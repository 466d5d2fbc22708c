//! Opening the database: pools, pragmas, timeouts.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use crate::apart::SqliteFile;
use crate::fault::{StoreError, sort};
use crate::tx::SharedRead;

/// Where new identities come from.
pub type NewId = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// How the database is opened. The defaults are for a server.
#[derive(Clone)]
pub struct StoreOptions {
    /// Connections that read.
    pub readers: u32,
    /// Connections that write; SQLite always has one.
    pub writers: u32,
    /// How long to wait for a connection before [`StoreError::Busy`].
    pub acquire_timeout: Duration,
    /// How long to wait for a lock before [`StoreError::Busy`].
    pub lock_timeout: Duration,
    /// How long a statement may take (PostgreSQL); sealing an import is exempt.
    pub statement_timeout: Duration,
    /// How often a transaction is run again after a serialization failure or a deadlock.
    pub retries: u32,
    /// A statement that takes longer is reported to the log, by its time alone.
    pub slow_statement: Duration,
    /// Where new identities come from.
    pub new_id: NewId,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            writers: 4,
            acquire_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            retries: 4,
            slow_statement: Duration::from_millis(500),
            new_id: Arc::new(Uuid::now_v7),
        }
    }
}

/// How long a connection that was given back is trusted: it answered then. One that rested longer is asked first whether it still lives.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    /// The snapshot of all its reads, where they share one.
    pub(crate) shared: Option<Arc<SharedRead>>,
}

pub(crate) struct Inner {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
    pub(crate) backend: DbBackend,
    pub(crate) retries: u32,
    pub(crate) new_id: NewId,
    pub(crate) meter: Meter,
    pub(crate) retried: AtomicU64,
    /// The file of SQLite, where more than one connection can see it.
    pub(crate) file: Option<SqliteFile>,
}

/// Counts statements, and reports slow ones to the log by their time alone.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    statements: Arc<AtomicU64>,
    slow: Duration,
}

impl Meter {
    pub(crate) fn new(slow: Duration) -> Self {
        Self { statements: Arc::default(), slow }
    }

    pub(crate) fn count(&self, elapsed: Duration, failed: bool) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        if elapsed > self.slow {
            tracing::warn!(ms = elapsed.as_millis(), failed, "slow statement");
        }
    }
}

impl Store {
    /// Opens `url`: `sqlite:PATH` (made if missing), `sqlite::memory:`, or `postgres://...`. The schema is the migrator's business;
    /// see [`connect_for_migration`].
    pub async fn connect(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let meter = Meter::new(options.slow_statement);
        let (mut reader, mut writer) = if is_postgres(url) { connect_postgres(url, &options).await? } else { connect_sqlite(url, &options).await? };
        let backend = writer.get_database_backend();
        for connection in [&mut reader, &mut writer] {
            let meter = meter.clone();
            connection.set_metric_callback(move |info| meter.count(info.elapsed, info.failed));
        }
        let file = sqlite_file(url, &options)?;
        let inner = Inner { reader, writer, backend, retries: options.retries, new_id: options.new_id, meter, retried: AtomicU64::new(0), file };
        Ok(Self { inner: Arc::new(inner), shared: None })
    }

    /// Gives the migrator the store's own connection. For a database in memory, which no other connection can see; a file or a
    /// server is migrated through [`connect_for_migration`].
    pub async fn prepare_in_memory<F>(&self, migrate: F) -> Result<(), StoreError>
    where
        F: AsyncFnOnce(&DatabaseConnection) -> Result<(), sea_orm::DbErr>,
    {
        migrate(&self.inner.writer).await.map_err(|error| sort(error).error)
    }

    /// Whether both pools answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.inner.reader.ping().await.map_err(|error| sort(error).error)?;
        self.inner.writer.ping().await.map_err(|error| sort(error).error)
    }

    /// The names of the migrations that the database has had; none when it has had none at all.
    pub async fn applied_migrations(&self) -> Result<Vec<String>, StoreError> {
        let (backend, reader) = (self.inner.backend, &self.inner.reader);
        let table = match backend {
            DbBackend::Postgres => "SELECT CAST(to_regclass('seaql_migrations') AS TEXT)",
            _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
        };
        let query = |sql: &'static str| sea_orm::Statement::from_string(backend, sql);
        let failed = |error| sort(error).error;
        let table = reader.query_one_raw(query(table)).await.map_err(failed)?;
        let exists = match table {
            Some(row) => row.try_get_by_index::<Option<String>>(0).map_err(failed)?.is_some(),
            None => false,
        };
        if !exists {
            return Ok(Vec::new());
        }
        let rows = reader.query_all_raw(query("SELECT version FROM seaql_migrations ORDER BY version")).await.map_err(failed)?;
        rows.iter().map(|row| row.try_get_by_index(0).map_err(failed)).collect()
    }

    /// Statements sent so far, without BEGIN and COMMIT. For metrics, and for the tests that hold the number of statements equal
    /// whatever the number of partners.
    pub fn statements(&self) -> u64 {
        self.inner.meter.statements.load(Ordering::Relaxed)
    }

    /// Transactions run again so far, after a serialization failure or a deadlock.
    pub fn retried(&self) -> u64 {
        self.inner.retried.load(Ordering::Relaxed)
    }

    /// `sqlite` or `postgres`.
    pub fn backend_name(&self) -> &'static str {
        self.inner.backend.as_str()
    }

    /// Whether the database may do one statement in several processes.
    pub fn spreads_statements(&self) -> bool {
        self.inner.backend == DbBackend::Postgres
    }

    /// Closes both pools after the work in progress.
    pub async fn close(&self) {
        let _ = self.inner.reader.close_by_ref().await;
        let _ = self.inner.writer.close_by_ref().await;
    }
}

/// One connection for the migrator, without timeouts. On PostgreSQL it holds an advisory lock as long as it lives, so that two
/// instances that start together migrate once.
pub async fn connect_for_migration(url: &str) -> Result<DatabaseConnection, StoreError> {
    if !is_postgres(url) {
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(sqlite_options(url, Duration::from_secs(30))?).await.map_err(failed)?;
        return Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool));
    }
    let pool = PgPoolOptions::new().max_connections(1).connect_with(postgres_options(url)?).await.map_err(failed)?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    connection.execute_unprepared("SELECT pg_advisory_lock(7166217091)").await.map_err(|error| sort(error).error)?;
    Ok(connection)
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn is_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

fn failed(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Configuration(source) => StoreError::Configuration(source.to_string()),
        other => sort(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(other)))).error,
    }
}

fn sqlite_options(url: &str, busy: Duration) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(url).map_err(failed)?.create_if_missing(true).foreign_keys(true).busy_timeout(busy);
    // The driver would log statements with their text.
    let options = options.disable_statement_logging();
    if is_memory(url) {
        return Ok(options);
    }
    // sqlx leaves the journal mode alone. FULL, because NORMAL may lose the last commits when the power fails.
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    // After a large import the log shrinks again.
    Ok(options.pragma("journal_size_limit", "67108864"))
}

fn sqlite_file(url: &str, options: &StoreOptions) -> Result<Option<SqliteFile>, StoreError> {
    if is_postgres(url) || is_memory(url) {
        return Ok(None);
    }
    let path = SqliteConnectOptions::from_str(url).map_err(failed)?.get_filename().to_owned();
    Ok(Some(SqliteFile { path, lock_timeout: options.lock_timeout }))
}

/// The file of a SQLite database that is not there, which connecting would make.
pub fn missing_file(url: &str) -> Result<Option<PathBuf>, StoreError> {
    let file = if url.starts_with("sqlite:") { sqlite_file(url, &StoreOptions::default())? } else { None };
    Ok(file.map(|file| file.path).filter(|path| !path.exists()))
}

async fn connect_sqlite(url: &str, options: &StoreOptions) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    // 64 MiB of pages for the writer: the unique key of facts is touched at random while a file comes in. Pages that many commits touch go
    // from the log to the file once for some of them: after 32 MiB, half of what the log keeps.
    let write = sqlite_options(url, options.lock_timeout)?.pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "8192");
    let single = SqlitePoolOptions::new().max_connections(1).min_connections(1).acquire_timeout(options.acquire_timeout).idle_timeout(None).max_lifetime(None);
    let writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(single.connect_with(write).await.map_err(failed)?);
    if is_memory(url) {
        // Every connection to `:memory:` is a database of its own, so that one connection does both.
        return Ok((writer.clone(), writer));
    }
    let read = sqlite_options(url, options.lock_timeout)?.pragma("query_only", "true").pragma("cache_size", "-8192");
    // A connection to a file does not die.
    let many = SqlitePoolOptions::new().max_connections(options.readers).acquire_timeout(options.acquire_timeout).test_before_acquire(false);
    let reader = SqlxSqliteConnector::from_sqlx_sqlite_pool(many.connect_with(read).await.map_err(failed)?);
    Ok((reader, writer))
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url).map_err(failed)?.application_name("guerdon").disable_statement_logging())
}

fn still_lives(connection: &mut PgConnection, known: PoolConnectionMetadata) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        if known.idle_for > TRUSTED_FOR {
            connection.ping().await?;
        }
        Ok(true)
    })
}

async fn connect_postgres(url: &str, options: &StoreOptions) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let millis = |duration: Duration| duration.as_millis().to_string();
    let base = postgres_options(url)?.options([
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(options.statement_timeout)),
        ("timezone", "UTC".to_owned()),
        // Every statement is prepared and asks by keys. Planned anew for each set of values, the state of one partner costs seven times
        // what reading it does.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
    ]);
    // The snapshot of a read is set once per connection, which saves two round trips per transaction.
    let read = base.clone().options([("default_transaction_isolation", "repeatable read"), ("default_transaction_read_only", "on")]);
    let pool =
        |size: u32| PgPoolOptions::new().max_connections(size).acquire_timeout(options.acquire_timeout).test_before_acquire(false).before_acquire(still_lives);
    let reader = pool(options.readers).connect_with(read).await.map_err(failed)?;
    let writer = pool(options.writers).connect_with(base).await.map_err(failed)?;
    Ok((SqlxPostgresConnector::from_sqlx_postgres_pool(reader), SqlxPostgresConnector::from_sqlx_postgres_pool(writer)))
}
