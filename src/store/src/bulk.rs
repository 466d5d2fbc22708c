//! Many rows in few statements: multi-row VALUES on SQLite, cut by the number of bound values. On PostgreSQL UNNEST of one array per
//! column; the text of the statement is the same for any number of rows. COPY where many rows are all new.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Value};

use crate::copy;
use crate::fault::StoreError;
use crate::session::Session;
use crate::sql::quote_element;
use crate::tx::ReadTx;

/// What a column holds; PostgreSQL is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Text,
    Int,
    Date,
    Time,
    Bytes,
}

impl Kind {
    const fn postgres(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Int => "bigint",
            Self::Date => "date",
            Self::Time => "timestamptz",
            Self::Bytes => "bytea",
        }
    }
}

/// A column by name and kind.
pub(crate) type Column = (&'static str, Kind);

/// SQLite takes 32,766 values in a statement.
const SQLITE_VALUES: usize = 32_000;
/// Rows of one COPY or UNNEST: a few megabytes.
const POSTGRES_ROWS: usize = 10_000;
/// COPY pays from so many rows on. The library leaves Nagle's algorithm on (sqlx 0.9.0, its issue 4335), so that the end of a COPY over
/// TCP waits until the server has acknowledged the rows: up to 40 ms, whatever their number.
const COPY_FROM_ROWS: usize = 1_000;

/// Inserts `rows`; `tail` is the ON CONFLICT clause, or nothing. Answers how many rows were inserted or updated.
pub(crate) async fn insert(tx: &ReadTx, table: &str, columns: &[Column], rows: Vec<Vec<Value>>, tail: &str) -> Result<u64, StoreError> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let head = format!("INSERT INTO {table} ({})", names.join(", "));
    let chunk = if tx.backend() == DbBackend::Postgres { POSTGRES_ROWS } else { SQLITE_VALUES / columns.len().max(1) };
    let mut rows = rows.into_iter().peekable();
    let mut affected = 0;
    while rows.peek().is_some() {
        let part: Vec<Vec<Value>> = rows.by_ref().take(chunk).collect();
        if let (Session::Postgres(session), true) = (&tx.tx, tail.is_empty() && part.len() >= COPY_FROM_ROWS) {
            affected += session.copy_in(&copy_into(table, columns), copy::pieces(&part)).await.map_err(|error| tx.fault(error))?;
            continue;
        }
        let (sql, values) = if tx.backend() == DbBackend::Postgres { unnest(&head, columns, &part, tail) } else { values_list(&head, part, tail) };
        affected += tx.execute(sql, values).await?.rows_affected();
    }
    Ok(affected)
}

/// The statement that takes the bytes of [`copy::pieces`].
pub(crate) fn copy_into(table: &str, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!("COPY {table} ({}) FROM STDIN (FORMAT BINARY)", names.join(", "))
}

fn values_list(head: &str, rows: Vec<Vec<Value>>, tail: &str) -> (String, Vec<Value>) {
    let width = rows.first().map_or(0, Vec::len);
    let mut sql = String::with_capacity(head.len() + tail.len() + rows.len() * (2 * width + 3) + 16);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for at in 0..rows.len() {
        sql.push_str(if at == 0 { "(" } else { ",(" });
        for column in 0..width {
            sql.push_str(if column == 0 { "?" } else { ",?" });
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    (sql, rows.into_iter().flatten().collect())
}

fn unnest(head: &str, columns: &[Column], rows: &[Vec<Value>], tail: &str) -> (String, Vec<Value>) {
    let arrays: Vec<String> = columns.iter().enumerate().map(|(at, (_, kind))| format!("${}::text::{}[]", at + 1, kind.postgres())).collect();
    let sql = format!("{head} SELECT * FROM unnest({}) {tail}", arrays.join(", "));
    let values = (0..columns.len()).map(|column| array(rows.iter().filter_map(|row| row.get(column))).into()).collect();
    (sql, values)
}

/// A PostgreSQL array literal of the values.
fn array<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let mut list = String::from("{");
    for (at, value) in values.enumerate() {
        if at > 0 {
            list.push(',');
        }
        element(&mut list, value);
    }
    list.push('}');
    list
}

fn element(list: &mut String, value: &Value) {
    let _ = match value {
        Value::String(Some(text)) => {
            quote_element(list, text);
            Ok(())
        }
        Value::BigInt(Some(number)) => write!(list, "{number}"),
        Value::Uuid(Some(id)) => write!(list, "{}", id.simple()),
        Value::ChronoDate(Some(date)) => write!(list, "{}", date.format("%Y-%m-%d")),
        Value::ChronoDateTimeUtc(Some(time)) => write!(list, "\"{}\"", time.to_rfc3339()),
        Value::Bytes(Some(bytes)) => {
            list.push_str("\"\\\\x");
            for byte in bytes.iter() {
                let _ = write!(list, "{byte:02x}");
            }
            list.push('"');
            Ok(())
        }
        // Whatever else a caller passed is a missing value: columns are typed by the kinds above.
        _ => {
            list.push_str("NULL");
            Ok(())
        }
    };
}
