//! The two doors: [`Store::read`], one snapshot, and [`Store::write`], the only transaction that writes.
//!
//! A write's closure may run more than once (serialization failure, deadlock), so it has no effect outside the transaction. It
//! answers a [`Change`], which cannot be made without an audit entry, or says openly that nothing changed; audit rows, outbox
//! events and the idempotency answer commit with the change or not at all.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, TransactionTrait, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::answered::Answered;
use crate::apart::Apart;
use crate::audit::AuditEntry;
use crate::connect::{Inner, Store};
use crate::convert::Row;
use crate::fault::{StoreError, pause, sort};
use crate::idempotency::{self, Idempotency};
use crate::outbox::Event;
use crate::session::{PostgresSession, Session, SqliteSession};

/// Who writes, in which request, what and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteContext {
    /// The person or service account.
    pub actor: String,
    /// On whose behalf, if for somebody else.
    pub on_behalf_of: Option<String>,
    /// His roles at the time, as JSON.
    pub roles: serde_json::Value,
    /// The request.
    pub request_id: String,
    /// The operation: the mutation's or command's name. Idempotency keys are kept apart by it.
    pub operation: String,
    /// The moment of the request. Stored times have microseconds.
    pub now: DateTime<Utc>,
    /// The idempotency key, where the caller gave one.
    pub idempotency: Option<Idempotency>,
}

impl WriteContext {
    /// `actor` does `operation` in `request_id` at `now`.
    pub fn new(actor: impl Into<String>, request_id: impl Into<String>, operation: impl Into<String>, now: DateTime<Utc>) -> Self {
        Self {
            actor: actor.into(),
            on_behalf_of: None,
            roles: serde_json::Value::Array(Vec::new()),
            request_id: request_id.into(),
            operation: operation.into(),
            now: now.trunc_subsecs(6),
            idempotency: None,
        }
    }

    /// The same under an idempotency key.
    #[must_use]
    pub fn with_idempotency(self, idempotency: Option<Idempotency>) -> Self {
        Self { idempotency, ..self }
    }

    /// The same with the caller's roles at the time.
    #[must_use]
    pub fn with_roles(self, roles: serde_json::Value) -> Self {
        Self { roles, ..self }
    }
}

/// What a write answers: a value, and what it leaves behind for audit and outbox.
#[derive(Debug, Clone)]
pub struct Change<T> {
    pub(crate) value: T,
    pub(crate) audit: Vec<AuditEntry>,
    pub(crate) events: Vec<Event>,
}

impl<T> Change<T> {
    /// `value`, by a change that `audit` describes.
    pub fn new(value: T, audit: AuditEntry) -> Self {
        Self { value, audit: vec![audit], events: Vec::new() }
    }

    /// `value`; nothing changed.
    pub const fn unchanged(value: T) -> Self {
        Self { value, audit: Vec::new(), events: Vec::new() }
    }

    /// What it answers.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The same change with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Change<U> {
        Change { value: change(self.value), audit: self.audit, events: self.events }
    }

    /// The partners that it is about, by what it leaves behind.
    fn partners(&self) -> impl Iterator<Item = Uuid> {
        let audited = self.audit.iter().filter_map(|entry| entry.partner);
        audited.chain(self.events.iter().filter_map(|event| event.partner))
    }

    /// With a further audit entry.
    #[must_use]
    pub fn and(mut self, audit: AuditEntry) -> Self {
        self.audit.push(audit);
        self
    }

    /// With everything that `other` leaves behind, and this value.
    #[must_use]
    pub fn with<O>(mut self, other: Change<O>) -> Self {
        self.audit.extend(other.audit);
        self.events.extend(other.events);
        self
    }

    /// With an event for the outbox.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }
}

/// What a write answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The answer.
    pub value: T,
    /// Whether it is the stored answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// How long a further connection is waited for.
const FREE_CONNECTION: Duration = Duration::from_millis(100);

/// One snapshot. Finders are its methods.
pub struct ReadTx {
    pub(crate) tx: Session,
    pub(crate) inner: Arc<Inner>,
    retry: AtomicBool,
    failed: AtomicBool,
    /// Whether its statements run in one process each.
    unspread: AtomicBool,
    /// Whether it is for work on many partners: PostgreSQL then sends them by COPY.
    bulk: bool,
    /// What it answered already: kept where several questions share a snapshot, never where something is written.
    pub(crate) answered: Option<Answered>,
}

/// The snapshot that all reads of a store share: begun by the first of them, over when nobody holds it any more.
#[derive(Default)]
pub(crate) struct SharedRead(Mutex<Option<Arc<ReadTx>>>);

/// The transaction of a write. Writers are its methods; finders are those of [`ReadTx`].
pub struct WriteTx {
    read: ReadTx,
    context: WriteContext,
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl WriteTx {
    /// Who writes, and when.
    pub const fn context(&self) -> &WriteContext {
        &self.context
    }

    /// The moment of the request.
    pub const fn now(&self) -> DateTime<Utc> {
        self.context.now
    }

    /// A new identity.
    pub fn new_id(&self) -> Uuid {
        (self.inner.new_id)()
    }
}

impl ReadTx {
    fn begun(tx: Session, inner: &Arc<Inner>) -> Self {
        Self {
            tx,
            inner: Arc::clone(inner),
            retry: AtomicBool::default(),
            failed: AtomicBool::default(),
            unspread: AtomicBool::default(),
            bulk: false,
            answered: None,
        }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.inner.backend
    }

    /// Sorts a database error, and remembers whether the transaction may be run again.
    pub(crate) fn fault(&self, error: DbErr) -> StoreError {
        self.failed.store(true, Ordering::Relaxed);
        let sorted = sort(error);
        if sorted.retry {
            self.retry.store(true, Ordering::Relaxed);
        }
        sorted.error
    }

    /// Somebody else was quicker: the transaction is to be run again, and will see what he wrote.
    pub(crate) fn run_again(&self) -> StoreError {
        self.retry.store(true, Ordering::Relaxed);
        StoreError::Busy
    }

    /// The same snapshot over another connection, for reading two things at once. None where there is no such thing (SQLite), and where
    /// no connection is to be had at once: whoever holds one does not wait for another, or all could wait for each other.
    pub async fn twin(&self) -> Result<Option<Self>, StoreError> {
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let Some(row) = self.one("SELECT pg_export_snapshot()", Vec::new()).await? else { return Ok(None) };
        let snapshot = Row::new(&row, "snapshot").text(0)?;
        if !snapshot.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(StoreError::corrupt("snapshot", snapshot));
        }
        let begun = tokio::time::timeout(FREE_CONNECTION, self.inner.begin_read(self.bulk)).await;
        let Ok(Ok(twin)) = begun else { return Ok(None) };
        twin.tx.execute_unprepared(&format!("SET TRANSACTION SNAPSHOT '{snapshot}'")).await.map_err(|error| self.fault(error))?;
        Ok(Some(twin))
    }

    /// A snapshot of SQLite's for what is read in bulk and is the same in any snapshot from this one on. None of another database, and where
    /// there is one connection alone.
    pub(crate) async fn apart(&self) -> Result<Option<Apart>, StoreError> {
        match &self.inner.file {
            Some(file) => Apart::begin(file, &self.inner.meter).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the snapshot: its connection is free for others. One for work on many partners that is dropped instead takes its connection
    /// with it.
    pub async fn end(self) {
        if self.bulk {
            // A connection that cannot end it is closed.
            let _ = self.tx.rollback().await;
        }
    }

    /// Hands on the rows of a statement. COPY binds nothing: there the values stand in the text of the statement, as the library quotes them.
    pub(crate) async fn each_row(
        &self,
        sql: String,
        values: Vec<Value>,
        table: &'static str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        if let (Session::Postgres(session), true) = (&self.tx, self.bulk) {
            let copied = session.copy_out(&self.statement(sql, values).to_string(), |row| each(&Row::copied(row, table))).await;
            return copied.map_err(|error| self.fault(error))?;
        }
        self.all(sql, values).await?.iter().try_for_each(|row| each(&Row::new(row, table)))
    }

    /// The same where there are too many to be in memory at once: one by one, as they come, which COPY does anyway.
    pub(crate) async fn stream_rows(
        &self,
        sql: String,
        values: Vec<Value>,
        table: &'static str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        if self.bulk {
            return self.each_row(sql, values, table, each).await;
        }
        let mut rows = self.tx.stream_raw(self.statement(sql, values)).await.map_err(|error| self.fault(error))?;
        while let Some(row) = rows.try_next().await.map_err(|error| self.fault(error))? {
            each(&Row::new(&row, table))?;
        }
        Ok(())
    }

    /// From now on PostgreSQL does each statement in one process and compiles none. Work in parts keeps all processors busy by itself:
    /// workers that are started for a part of a thousand partners take several times as long as what they help with, and so does a
    /// compiler.
    pub(crate) async fn keep_in_one_process(&self) -> Result<(), StoreError> {
        if self.backend() == DbBackend::Postgres && !self.unspread.swap(true, Ordering::Relaxed) {
            let sql = "SELECT set_config('max_parallel_workers_per_gather', '0', TRUE), set_config('jit', 'off', TRUE)";
            self.one(sql, Vec::new()).await?;
        }
        Ok(())
    }

    pub(crate) fn statement(&self, sql: impl Into<String>, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    pub(crate) async fn all(&self, sql: impl Into<String>, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        self.tx.query_all_raw(self.statement(sql, values)).await.map_err(|error| self.fault(error))
    }

    pub(crate) async fn one(&self, sql: impl Into<String>, values: Vec<Value>) -> Result<Option<QueryResult>, StoreError> {
        self.tx.query_one_raw(self.statement(sql, values)).await.map_err(|error| self.fault(error))
    }

    pub(crate) async fn execute(&self, sql: impl Into<String>, values: Vec<Value>) -> Result<ExecResult, StoreError> {
        self.tx.execute_raw(self.statement(sql, values)).await.map_err(|error| self.fault(error))
    }

    /// Executes a change that must hit one row, or answers [`StoreError::Stale`].
    pub(crate) async fn execute_one(&self, sql: impl Into<String>, values: Vec<Value>) -> Result<(), StoreError> {
        if self.execute(sql, values).await?.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }
}

impl Inner {
    /// Begins a snapshot. It is not committed but dropped: nothing was written, and its end goes with the next message to the database
    /// instead of by one of its own. One for work on many partners is ended, see [`ReadTx::end`].
    pub(crate) async fn begin_read(self: &Arc<Self>, bulk: bool) -> Result<ReadTx, StoreError> {
        let failed = |error| sort(error).error;
        if !bulk || self.backend != DbBackend::Postgres {
            return Ok(ReadTx::begun(Session::Orm(self.reader.begin().await.map_err(failed)?), self));
        }
        let tx = PostgresSession::begin(self.reader.get_postgres_connection_pool(), &self.meter).await.map_err(failed)?;
        Ok(ReadTx { bulk, ..ReadTx::begun(Session::Postgres(tx), self) })
    }
}

impl Store {
    /// The same database, where all reads see one state: that at the first of them. It holds a connection from then on until the last
    /// clone of it is gone, so it is for one request.
    #[must_use]
    pub fn in_one_snapshot(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Some(Arc::default()) }
    }

    /// Reads in one snapshot: everything inside sees the same state.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&ReadTx) -> Result<T, E>,
        E: From<StoreError>,
    {
        match &self.shared {
            None => work(&self.begin_read().await?).await,
            Some(shared) => work(&*self.join_read(shared).await?).await,
        }
    }

    /// The same for work on many partners: PostgreSQL sends their rows by COPY, where a statement is planned anew each time and a row costs
    /// less than half of what it does otherwise.
    pub async fn read_in_bulk<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&ReadTx) -> Result<T, E>,
        E: From<StoreError>,
    {
        if self.shared.is_some() {
            return self.read(work).await;
        }
        let read = self.inner.begin_read(true).await?;
        let answer = work(&read).await;
        read.end().await;
        answer
    }

    /// The shared snapshot. PostgreSQL answers nothing more in one where a statement failed; whoever reads then gets another, so that
    /// the failure stays with the question that had it.
    async fn join_read(&self, shared: &SharedRead) -> Result<Arc<ReadTx>, StoreError> {
        let mut begun = shared.0.lock().await;
        if let Some(read) = begun.take().filter(|read| !read.failed.load(Ordering::Relaxed)) {
            return Ok(begun.insert(read).clone());
        }
        let read = ReadTx { answered: Some(Answered::default()), ..self.begin_read().await? };
        Ok(begun.insert(Arc::new(read)).clone())
    }

    pub(crate) async fn begin_read(&self) -> Result<ReadTx, StoreError> {
        self.inner.begin_read(false).await
    }

    /// Writes in one transaction. With an idempotency key the answer is stored with it: the same key and input answer the same
    /// again without running the closure, the same key with another input is [`StoreError::KeyReused`].
    ///
    /// The closure is cloned for every try, so it may borrow but not own what cannot be cloned. `AsyncFn` would say the same, but
    /// its futures are not `Send` for every lifetime, and then nobody could spawn them.
    pub async fn write<T, E, F>(&self, context: &WriteContext, work: F) -> Result<Written<T>, E>
    where
        F: AsyncFnOnce(&WriteTx) -> Result<Change<T>, E> + Clone,
        T: Serialize + DeserializeOwned,
        E: From<StoreError>,
    {
        let mut attempt = 0;
        loop {
            let write = self.begin_write(context).await?;
            let result = run(&write, work.clone()).await;
            let retry = write.retry.load(Ordering::Relaxed);
            let again = match result {
                Ok(written) if written.replayed => {
                    write.rollback().await;
                    return Ok(written);
                }
                Ok(written) => match write.commit().await {
                    Ok(()) => return Ok(written),
                    Err(sorted) if sorted.retry => sorted.error.into(),
                    Err(sorted) => return Err(sorted.error.into()),
                },
                Err(error) => {
                    write.rollback().await;
                    if !retry {
                        return Err(error);
                    }
                    error
                }
            };
            if attempt == self.inner.retries {
                return Err(again);
            }
            self.inner.retried.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(pause(attempt, (self.inner.new_id)().as_u64_pair().1)).await;
            attempt += 1;
        }
    }

    pub(crate) async fn begin_write(&self, context: &WriteContext) -> Result<WriteTx, StoreError> {
        let failed = |error| sort(error).error;
        let tx = if self.inner.backend == DbBackend::Postgres {
            Session::Postgres(PostgresSession::begin(self.inner.writer.get_postgres_connection_pool(), &self.inner.meter).await.map_err(failed)?)
        } else {
            Session::Sqlite(SqliteSession::begin(self.inner.writer.get_sqlite_connection_pool(), &self.inner.meter).await.map_err(failed)?)
        };
        let context = WriteContext { now: context.now.trunc_subsecs(6), ..context.clone() };
        Ok(WriteTx { read: ReadTx::begun(tx, &self.inner), context })
    }
}

impl WriteTx {
    pub(crate) async fn rollback(self) {
        // A connection that cannot roll back is closed by the pool, which rolls back too.
        let _ = self.read.tx.rollback().await;
    }

    pub(crate) async fn commit(self) -> Result<(), crate::fault::Sorted> {
        self.read.tx.commit().await.map_err(sort)
    }

    /// Writes the companions of a change.
    pub(crate) async fn leave_behind<T>(&self, change: Change<T>) -> Result<T, StoreError> {
        self.insert_audit(&change.audit).await?;
        self.announce(&change.events).await?;
        Ok(change.value)
    }
}

async fn run<T, E, F>(write: &WriteTx, work: F) -> Result<Written<T>, E>
where
    F: AsyncFnOnce(&WriteTx) -> Result<Change<T>, E>,
    T: Serialize + DeserializeOwned,
    E: From<StoreError>,
{
    if let Some(answer) = idempotency::claim(write).await? {
        return Ok(Written { value: answer, replayed: true });
    }
    let change = work(write).await?;
    let about: BTreeSet<Uuid> = change.partners().collect();
    let value = write.leave_behind(change).await?;
    idempotency::keep(write, &value, &about).await?;
    Ok(Written { value, replayed: false })
}
