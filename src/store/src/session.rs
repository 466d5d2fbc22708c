//! An open transaction. sea-orm's, except where something is written, or PostgreSQL is read from in bulk: sea-orm lends nobody the connection of its
//! transaction. COPY, by which PostgreSQL takes and gives many rows fastest, needs it, and so does whoever hands rows to SQLite without making a value of
//! each cell first. Queries go either way to the same driver with the same values.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::future;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, StreamTrait as _, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Database, IntoArguments, PgPool, SqlitePool};
use tokio::sync::Mutex;

use crate::bulk::BinaryArray;
use crate::connect::Meter;
use crate::copy::{Copied, CopyReader};
use crate::fault::StoreError;

/// An open transaction; dropped without a commit it comes to nothing.
pub(crate) enum Session {
    /// Of sea-orm.
    Orm(DatabaseTransaction),
    /// Of PostgreSQL's driver.
    Postgres(PostgresSession),
    /// Of SQLite's driver, to write.
    Sqlite(SqliteSession),
}

/// A transaction that writes to SQLite. Ended by neither commit nor rollback, it is rolled back by the driver.
pub(crate) struct SqliteSession {
    tx: Mutex<sqlx::Transaction<'static, Sqlite>>,
    meter: Meter,
}

/// A transaction on a connection of PostgreSQL's driver. Ended by neither commit nor rollback, or broken off within a COPY (of which the driver
/// forgets that its end is still to come), it takes its connection with it: whoever came next would read the answers of this one.
pub(crate) struct PostgresSession {
    connection: Mutex<PoolConnection<Postgres>>,
    /// Whether the transaction has begun and has not been ended.
    is_open: AtomicBool,
    /// Whether a COPY was begun and has not come to its end.
    is_copying: AtomicBool,
    meter: Meter,
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        if *self.is_open.get_mut() || *self.is_copying.get_mut() {
            self.connection.get_mut().close_on_drop();
        }
    }
}

pub(crate) fn query_failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn execute_failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn connect_failed(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn query<D: Database>(statement: Statement) -> Query<'static, D, SqlxValues>
where
    SqlxValues: IntoArguments<D>,
{
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(statement.values.unwrap_or(Values(Vec::new()))))
}

impl PostgresSession {
    pub(crate) async fn begin(pool: &PgPool, meter: &Meter) -> Result<Self, DbErr> {
        let connection = pool.acquire().await.map_err(connect_failed)?;
        let session = Self { connection: Mutex::new(connection), is_open: AtomicBool::new(true), is_copying: AtomicBool::new(false), meter: meter.clone() };
        session.tell("BEGIN").await?;
        Ok(session)
    }

    /// Ends the transaction.
    async fn end(&self, how: &'static str) -> Result<(), DbErr> {
        if self.is_copying.load(Ordering::Relaxed) {
            return Err(DbErr::Exec(RuntimeErr::Internal("a COPY was broken off".to_owned())));
        }
        self.tell(how).await?;
        self.is_open.store(false, Ordering::Relaxed);
        Ok(())
    }

    async fn tell(&self, sql: &'static str) -> Result<(), DbErr> {
        sqlx::raw_sql(sql).execute(&mut **self.connection.lock().await).await.map(drop).map_err(execute_failed)
    }

    async fn metered<T>(&self, work: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let mut connection = self.connection.lock().await;
        let started = Instant::now();
        let result = work(&mut connection).await;
        self.meter.count(started.elapsed(), result.is_err());
        result
    }

    /// A COPY, which leaves the connection of no use unless it comes to its end.
    async fn copying<T>(&self, work: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, DbErr>) -> Result<T, DbErr> {
        self.is_copying.store(true, Ordering::Relaxed);
        let copied = self.metered(work).await?;
        self.is_copying.store(false, Ordering::Relaxed);
        Ok(copied)
    }

    /// Executes a change whose parameters are arrays. Answers how many rows it touched.
    pub(crate) async fn execute_arrays(&self, sql: String, arrays: Vec<BinaryArray>) -> Result<u64, DbErr> {
        let mut arguments = PgArguments::default();
        for array in arrays {
            arguments.add(array).map_err(|error| execute_failed(sqlx::Error::Encode(error)))?;
        }
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        self.metered(async |tx| query.execute(tx).await.map(|done| done.rows_affected()).map_err(execute_failed)).await
    }

    /// Sends the bytes of a COPY ... FROM STDIN, piece by piece. Answers how many rows came in.
    pub(crate) async fn copy_in(&self, sql: &str, pieces: impl Iterator<Item = Vec<u8>>) -> Result<u64, DbErr> {
        self.copying(async |connection| {
            let mut copy = connection.copy_in_raw(sql).await.map_err(execute_failed)?;
            for piece in pieces {
                if let Err(error) = copy.send(piece).await {
                    // The first error says what is wrong; the connection is of no use until the copy is ended.
                    let _ = copy.abort("not sent whole").await;
                    return Err(execute_failed(error));
                }
            }
            copy.finish().await.map_err(execute_failed)
        })
        .await
    }

    /// Hands on the rows of a query as they come. It may bind nothing. What fails in `each` is answered after the last row.
    pub(crate) async fn copy_out(
        &self,
        query: &str,
        mut each: impl FnMut(Copied<'_>) -> Result<(), StoreError> + Send,
    ) -> Result<Result<(), StoreError>, DbErr> {
        self.copying(async |connection| {
            let mut pieces = connection.copy_out_raw(&format!("COPY ({query}) TO STDOUT (FORMAT BINARY)")).await.map_err(query_failed)?;
            let mut reader = CopyReader::default();
            let mut kept = Ok(());
            while let Some(piece) = pieces.try_next().await.map_err(query_failed)? {
                // Whatever fails, the rest is taken in: the connection is of no use before.
                if kept.is_ok() {
                    reader.push(&piece);
                    kept = reader.each(&mut each);
                }
            }
            Ok(kept)
        })
        .await
    }
}

impl SqliteSession {
    /// Begins to write: a transaction that reads before it does fails at once when another one wrote in between.
    pub(crate) async fn begin(pool: &SqlitePool, meter: &Meter) -> Result<Self, DbErr> {
        let tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(connect_failed)?;
        Ok(Self { tx: Mutex::new(tx), meter: meter.clone() })
    }

    async fn metered<T>(&self, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let mut tx = self.tx.lock().await;
        let started = Instant::now();
        let result = work(&mut tx).await;
        self.meter.count(started.elapsed(), result.is_err());
        result
    }

    /// Executes changes one after the other; the values of the next one are made while SQLite does this one. Answers how many rows they touched.
    pub(crate) async fn execute_each(&self, mut changes: impl Iterator<Item = Result<(String, SqliteArguments), DbErr>>) -> Result<u64, DbErr> {
        let mut touched = 0;
        let mut next = changes.next();
        while let Some(change) = next {
            let (sql, arguments) = change?;
            let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
            let executed = self.metered(async |tx| query.execute(tx).await.map_err(execute_failed));
            // The one that is asked first has its statement under way when the other begins.
            let (done, ready) = future::join(executed, async { changes.next() }).await;
            touched += done?.rows_affected();
            next = ready;
        }
        Ok(touched)
    }
}

impl Session {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Orm(tx) => tx.commit().await,
            Self::Postgres(session) => session.end("COMMIT").await,
            Self::Sqlite(session) => session.tx.into_inner().commit().await.map_err(execute_failed),
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Orm(tx) => tx.rollback().await,
            Self::Postgres(session) => session.end("ROLLBACK").await,
            Self::Sqlite(session) => session.tx.into_inner().rollback().await.map_err(execute_failed),
        }
    }

    /// The rows one by one, where a snapshot is read. Who writes gets them all at once: he has few to read.
    pub(crate) async fn stream_raw(&self, statement: Statement) -> Result<BoxStream<'_, Result<QueryResult, DbErr>>, DbErr> {
        match self {
            Self::Orm(tx) => Ok(tx.stream_raw(statement).await?.boxed()),
            Self::Postgres(_) | Self::Sqlite(_) => Ok(stream::iter(self.query_all_raw(statement).await?.into_iter().map(Ok)).boxed()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Orm(tx) => ConnectionTrait::get_database_backend(tx),
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Orm(tx) => tx.execute_raw(statement).await,
            Self::Postgres(session) => session.metered(async |tx| query(statement).execute(tx).await.map(ExecResult::from).map_err(execute_failed)).await,
            Self::Sqlite(session) => session.metered(async |tx| query(statement).execute(tx).await.map(ExecResult::from).map_err(execute_failed)).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Orm(tx) => tx.execute_unprepared(sql).await,
            Self::Postgres(session) => {
                let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                session.metered(async |tx| sql.execute(tx).await.map(ExecResult::from).map_err(execute_failed)).await
            }
            Self::Sqlite(session) => {
                let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                session.metered(async |tx| sql.execute(tx).await.map(ExecResult::from).map_err(execute_failed)).await
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Orm(tx) => tx.query_one_raw(statement).await,
            Self::Postgres(session) => {
                session.metered(async |tx| query(statement).fetch_optional(tx).await.map(|row| row.map(QueryResult::from)).map_err(query_failed)).await
            }
            Self::Sqlite(session) => {
                session.metered(async |tx| query(statement).fetch_optional(tx).await.map(|row| row.map(QueryResult::from)).map_err(query_failed)).await
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Orm(tx) => tx.query_all_raw(statement).await,
            Self::Postgres(session) => {
                let rows = |rows: Vec<sqlx::postgres::PgRow>| rows.into_iter().map(QueryResult::from).collect();
                session.metered(async |tx| query(statement).fetch_all(tx).await.map(rows).map_err(query_failed)).await
            }
            Self::Sqlite(session) => {
                let rows = |rows: Vec<SqliteRow>| rows.into_iter().map(QueryResult::from).collect();
                session.metered(async |tx| query(statement).fetch_all(tx).await.map(rows).map_err(query_failed)).await
            }
        }
    }
}
