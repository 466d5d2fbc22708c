//! SQLite read in bulk, by a connection of its own on a thread of its own. The library's connection makes a value of every cell and sends
//! every row to whoever waits for it, which costs ten times what SQLite takes to find the row; here rows come in pieces of some thousands, spelled as
//! PostgreSQL spells them for COPY, so that one reader takes the rows of either database.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::types::{Type, Value as Bound, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use sea_orm::{DbErr, RuntimeErr, Value};
use tokio::sync::mpsc;

use crate::connect::Meter;
use crate::convert::Row;
use crate::copy::{Copied, CopyReader, Pieces};
use crate::fault::StoreError;

/// Pieces that wait for their reader.
const WAITING: usize = 4;

/// The file that is read, and how long a lock on it is waited for.
#[derive(Debug, Clone)]
pub(crate) struct SqliteFile {
    pub(crate) path: PathBuf,
    pub(crate) lock_timeout: Duration,
}

/// A snapshot of SQLite's, for what is read in bulk.
pub(crate) struct Apart {
    /// None while a statement runs, and after one was broken off.
    connection: Option<Connection>,
    meter: Meter,
}

impl SqliteFile {
    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(self.lock_timeout)?;
        connection.execute_batch("PRAGMA query_only = TRUE; PRAGMA cache_size = -8192; BEGIN")?;
        Ok(connection)
    }
}

impl Apart {
    /// Begins a snapshot: its first statement takes it.
    pub(crate) async fn begin(file: &SqliteFile, meter: &Meter) -> Result<Self, StoreError> {
        let file = file.clone();
        let connection = in_thread(move || file.open()).await?.map_err(failed)?;
        Ok(Self { connection: Some(connection), meter: meter.clone() })
    }

    /// Hands on the rows of a statement as they come.
    pub(crate) async fn each_row(
        &mut self,
        sql: String,
        values: Vec<Value>,
        table: &'static str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let connection = self.connection.take().ok_or_else(|| failed(rusqlite::Error::InvalidQuery))?;
        let started = Instant::now();
        let (send, pieces) = mpsc::channel(WAITING);
        let reading = in_thread(move || {
            let read = spell_rows(&connection, &sql, values, &send);
            (connection, read)
        });
        let (read, taken) = tokio::join!(reading, take_in(pieces, |row| each(&Row::copied(row, table))));
        let (connection, read) = read?;
        self.connection = Some(connection);
        self.meter.count(started.elapsed(), read.is_err());
        read.map_err(failed)?;
        taken
    }
}

/// Reads the pieces as they come. Who fails takes no more, which ends the thread.
async fn take_in(mut pieces: mpsc::Receiver<Vec<u8>>, mut each: impl FnMut(Copied<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let mut reader = CopyReader::default();
    while let Some(piece) = pieces.recv().await {
        reader.push(&piece);
        reader.each(&mut each)?;
    }
    Ok(())
}

async fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Database(DbErr::Custom(error.to_string())))
}

fn spell_rows(connection: &Connection, sql: &str, values: Vec<Value>, send: &mpsc::Sender<Vec<u8>>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let values = values.into_iter().map(bound).collect::<rusqlite::Result<Vec<Bound>>>()?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut pieces = Pieces::of_width(width);
    while let Some(row) = rows.next()? {
        pieces.begin_row();
        for at in 0..width {
            match row.get_ref(at)? {
                ValueRef::Integer(number) => pieces.cell(Some(&number.to_be_bytes())),
                ValueRef::Text(cell) | ValueRef::Blob(cell) => pieces.cell(Some(cell)),
                ValueRef::Null => pieces.cell(None),
                // Nothing of ours is a float.
                ValueRef::Real(_) => return Err(rusqlite::Error::InvalidColumnType(at, row.as_ref().column_name(at)?.to_owned(), Type::Real)),
            }
        }
        if let Some(piece) = pieces.take_full()
            && send.blocking_send(piece).is_err()
        {
            return Ok(());
        }
    }
    let _ = send.blocking_send(pieces.rest());
    Ok(())
}

/// A value as the library binds it. What nobody binds is refused: as NULL it would find nothing, and say nothing.
fn bound(value: Value) -> rusqlite::Result<Bound> {
    match value {
        Value::BigInt(Some(number)) => Ok(Bound::Integer(number)),
        Value::String(Some(text)) => Ok(Bound::Text(text)),
        Value::Uuid(Some(id)) => Ok(Bound::Blob(id.as_bytes().to_vec())),
        Value::ChronoDate(Some(date)) => Ok(Bound::Text(date.to_string())),
        _ => Err(rusqlite::Error::ToSqlConversionFailure("a value of a kind that is not bound".into())),
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        _ => StoreError::Database(DbErr::Query(RuntimeErr::Internal(error.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use uuid::Uuid;

    use super::*;

    /// A file of so many rows, gone with its value.
    struct Held(SqliteFile);

    impl Held {
        fn with(rows: u32) -> Self {
            let path = std::env::temp_dir().join(format!("apart-{}.db", Uuid::now_v7()));
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE fact (no INTEGER, id BLOB, day TEXT, name TEXT)").unwrap();
            let numbers = "WITH RECURSIVE number (no) AS (SELECT 0 UNION ALL SELECT no + 1 FROM number WHERE no + 1 < ?)";
            let facts = format!("INSERT INTO fact {numbers} SELECT no, ?, '2024-02-29', NULL FROM number");
            assert_eq!(connection.execute(&facts, (rows, [7_u8; 16])).unwrap(), rows as usize);
            Self(SqliteFile { path, lock_timeout: Duration::from_secs(1) })
        }

        async fn begin(&self) -> Apart {
            Apart::begin(&self.0, &Meter::new(Duration::MAX)).await.unwrap()
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", self.0.path.display()));
            }
        }
    }

    async fn numbers(apart: &mut Apart, sql: &str) -> Result<Vec<i64>, StoreError> {
        let mut read = Vec::new();
        let number = |row: &Row<'_>| {
            read.push(row.get(0)?);
            Ok(())
        };
        apart.each_row(sql.to_owned(), vec![3_i64.into()], "fact", number).await?;
        Ok(read)
    }

    #[tokio::test]
    async fn rows_come_whole_and_in_their_order_however_many_pieces_they_take() {
        let held = Held::with(5_000);
        let mut apart = held.begin().await;
        assert_eq!(numbers(&mut apart, "SELECT no FROM fact WHERE no >= $1 ORDER BY no").await.unwrap(), (3..5_000).collect::<Vec<i64>>());
        let mut read = 0;
        let cells = |row: &Row<'_>| {
            assert_eq!(row.get::<Uuid>(1)?, Uuid::from_bytes([7; 16]));
            assert_eq!(row.get::<NaiveDate>(2)?, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
            assert_eq!((row.maybe_text(3)?, row.str(4)?), (None, ""));
            read += 1;
            Ok(())
        };
        apart.each_row("SELECT no, id, day, name, '' FROM fact".to_owned(), Vec::new(), "fact", cells).await.unwrap();
        assert_eq!(read, 5_000);
    }

    #[tokio::test]
    async fn its_snapshot_does_not_see_what_is_written_later_and_writes_nothing() {
        let held = Held::with(10);
        let mut apart = held.begin().await;
        assert_eq!(numbers(&mut apart, "SELECT COUNT(*) FROM fact WHERE no < 100 AND $1 > 0").await.unwrap(), [10]);
        Connection::open(&held.0.path).unwrap().execute("DELETE FROM fact", ()).unwrap();
        assert_eq!(numbers(&mut apart, "SELECT COUNT(*) FROM fact WHERE no < 100 AND $1 > 0").await.unwrap(), [10]);
        assert!(numbers(&mut apart, "DELETE FROM fact WHERE no = $1").await.is_err());
    }

    #[tokio::test]
    async fn a_reader_who_fails_is_answered_and_a_statement_that_fails_too() {
        let held = Held::with(50_000);
        let mut apart = held.begin().await;
        let refuse = |_: &Row<'_>| Err(StoreError::conflict("enough"));
        let sql = "SELECT no, id, id, id FROM fact".to_owned();
        assert!(matches!(apart.each_row(sql, Vec::new(), "fact", refuse).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(numbers(&mut apart, "SELECT nothing FROM fact").await, Err(StoreError::Database(_))));
        assert!(matches!(numbers(&mut apart, "SELECT name FROM fact WHERE no = $1").await, Err(StoreError::Corrupt { .. })));
        let floats = numbers(&mut apart, "SELECT no / 2.0 FROM fact WHERE no = $1").await;
        let unbound = apart.each_row("SELECT no FROM fact WHERE no = $1".to_owned(), vec![Value::BigInt(None)], "fact", |_| Ok(())).await;
        assert!(matches!((floats, unbound), (Err(StoreError::Database(_)), Err(StoreError::Database(_)))));
        assert_eq!(numbers(&mut apart, "SELECT no FROM fact WHERE no = $1").await.unwrap(), [3]);
    }
}
