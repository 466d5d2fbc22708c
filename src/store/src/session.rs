//! An open transaction. sea-orm's, except where PostgreSQL is written to: sea-orm lends nobody the connection of its transaction,
//! and COPY, by which PostgreSQL takes many rows fastest, needs it. Queries go either way to the same driver with the same values.

use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, StreamTrait as _, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::AssertSqlSafe;
use sqlx::postgres::Postgres;
use sqlx::query::Query;
use tokio::sync::Mutex;

use crate::connect::Meter;

/// An open transaction; dropped without a commit it is rolled back.
pub(crate) enum Session {
    /// Of sea-orm.
    Orm(DatabaseTransaction),
    /// Of PostgreSQL's driver.
    Postgres(PostgresSession),
}

pub(crate) struct PostgresSession {
    tx: Mutex<sqlx::Transaction<'static, Postgres>>,
    meter: Meter,
}

pub(crate) fn query_failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn execute_failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query(statement: Statement) -> Query<'static, Postgres, SqlxValues> {
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(statement.values.unwrap_or(Values(Vec::new()))))
}

impl PostgresSession {
    pub(crate) fn new(tx: sqlx::Transaction<'static, Postgres>, meter: Meter) -> Self {
        Self { tx: Mutex::new(tx), meter }
    }

    async fn metered<T>(&self, work: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let mut tx = self.tx.lock().await;
        let started = Instant::now();
        let result = work(&mut tx).await;
        self.meter.count(started.elapsed(), result.is_err());
        result
    }

    /// Sends the bytes of a COPY ... FROM STDIN, piece by piece. Answers how many rows came in.
    pub(crate) async fn copy_in(&self, sql: &str, pieces: impl Iterator<Item = Vec<u8>>) -> Result<u64, DbErr> {
        self.metered(async |connection| {
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
}

impl Session {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Orm(tx) => tx.commit().await,
            Self::Postgres(session) => session.tx.into_inner().commit().await.map_err(execute_failed),
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Orm(tx) => tx.rollback().await,
            Self::Postgres(session) => session.tx.into_inner().rollback().await.map_err(execute_failed),
        }
    }

    /// The rows one by one, where a snapshot is read. Who writes to PostgreSQL gets them all at once: he has few to read.
    pub(crate) async fn stream_raw(&self, statement: Statement) -> Result<BoxStream<'_, Result<QueryResult, DbErr>>, DbErr> {
        match self {
            Self::Orm(tx) => Ok(tx.stream_raw(statement).await?.boxed()),
            Self::Postgres(_) => Ok(stream::iter(self.query_all_raw(statement).await?.into_iter().map(Ok)).boxed()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Orm(tx) => ConnectionTrait::get_database_backend(tx),
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Orm(tx) => tx.execute_raw(statement).await,
            Self::Postgres(session) => session.metered(async |tx| query(statement).execute(tx).await.map(ExecResult::from).map_err(execute_failed)).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Orm(tx) => tx.execute_unprepared(sql).await,
            Self::Postgres(session) => {
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
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Orm(tx) => tx.query_all_raw(statement).await,
            Self::Postgres(session) => {
                let rows = |rows: Vec<sqlx::postgres::PgRow>| rows.into_iter().map(QueryResult::from).collect();
                session.metered(async |tx| query(statement).fetch_all(tx).await.map(rows).map_err(query_failed)).await
            }
        }
    }
}
