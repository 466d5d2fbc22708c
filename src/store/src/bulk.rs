//! Many rows in few statements: multi-row VALUES on SQLite, cut by the number of bound values. On PostgreSQL UNNEST of one array per
//! column, in the database's own binary form; the text of the statement is the same for any number of rows. COPY where many rows are all new.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{DbErr, RuntimeErr, Value, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{Arguments as _, Encode, IntoArguments, Postgres, Type};
use uuid::Uuid;

use crate::copy;
use crate::fault::StoreError;
use crate::session::Session;
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

    fn array(self) -> PgTypeInfo {
        match self {
            Self::Uuid => <Vec<Uuid> as Type<Postgres>>::type_info(),
            Self::Text => <Vec<String> as Type<Postgres>>::type_info(),
            Self::Int => <Vec<i64> as Type<Postgres>>::type_info(),
            Self::Date => <Vec<NaiveDate> as Type<Postgres>>::type_info(),
            Self::Time => <Vec<DateTime<Utc>> as Type<Postgres>>::type_info(),
            Self::Bytes => <Vec<Vec<u8>> as Type<Postgres>>::type_info(),
        }
    }

    /// PostgreSQL's number of the type.
    const fn number(self) -> i32 {
        match self {
            Self::Uuid => 2950,
            Self::Text => 25,
            Self::Int => 20,
            Self::Date => 1082,
            Self::Time => 1184,
            Self::Bytes => 17,
        }
    }
}

/// The values of a column, as PostgreSQL takes an array.
pub(crate) struct BinaryArray {
    kind: Kind,
    bytes: Vec<u8>,
}

impl BinaryArray {
    fn of<'v>(kind: Kind, values: impl Iterator<Item = Option<&'v Value>>, count: usize) -> Self {
        // One dimension, perhaps with NULLs, of this type, so many, counted from 1.
        let head = [1, 1, kind.number(), i32::try_from(count).unwrap_or(i32::MAX), 1];
        let mut bytes: Vec<u8> = head.into_iter().flat_map(i32::to_be_bytes).collect();
        values.for_each(|value| copy::spell_value(&mut bytes, value.unwrap_or(&Value::BigInt(None))));
        Self { kind, bytes }
    }
}

impl Type<Postgres> for BinaryArray {
    fn type_info() -> PgTypeInfo {
        Kind::Text.array()
    }
}

impl Encode<'_, Postgres> for BinaryArray {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.kind.array())
    }
}

/// Where the cells of a row go, in the order of its columns.
pub(crate) trait Cells {
    fn uuid(&mut self, id: Uuid);
    fn text(&mut self, text: &str);
    fn maybe_text(&mut self, text: Option<&str>);
    fn int(&mut self, number: i64);
    fn date(&mut self, date: NaiveDate);
}

impl Cells for Vec<Value> {
    fn uuid(&mut self, id: Uuid) {
        self.push(id.into());
    }

    fn text(&mut self, text: &str) {
        self.push(text.into());
    }

    fn maybe_text(&mut self, text: Option<&str>) {
        self.push(text.into());
    }

    fn int(&mut self, number: i64) {
        self.push(number.into());
    }

    fn date(&mut self, date: NaiveDate) {
        self.push(date.into());
    }
}

/// The cells of many rows, bound as SQLite's driver takes them.
#[derive(Default)]
struct Bound {
    arguments: SqliteArguments,
    failed: Option<BoxDynError>,
    /// Days as they are spelled. Rows that are written together have few of them.
    days: BTreeMap<NaiveDate, Arc<str>>,
}

impl Bound {
    fn add<'v>(&mut self, value: impl Encode<'v, Sqlite> + Type<Sqlite>) {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
    }

    fn done(self) -> Result<SqliteArguments, DbErr> {
        match self.failed {
            Some(error) => Err(DbErr::Exec(RuntimeErr::SqlxError(sqlx::Error::Encode(error).into()))),
            None => Ok(self.arguments),
        }
    }
}

impl Cells for Bound {
    fn uuid(&mut self, id: Uuid) {
        self.add(id);
    }

    fn text(&mut self, text: &str) {
        self.add(Arc::<str>::from(text));
    }

    fn maybe_text(&mut self, text: Option<&str>) {
        self.add(text.map(Arc::<str>::from));
    }

    fn int(&mut self, number: i64) {
        self.add(number);
    }

    fn date(&mut self, date: NaiveDate) {
        let spelled = self.days.entry(date).or_insert_with(|| date.to_string().into()).clone();
        self.add(spelled);
    }
}

/// A row as values.
pub(crate) fn values_of<T>(item: T, spell: &impl Fn(T, &mut dyn Cells)) -> Vec<Value> {
    let mut row = Vec::new();
    spell(item, &mut row);
    row
}

/// A column by name and kind.
pub(crate) type Column = (&'static str, Kind);

/// SQLite takes 32,766 values in a statement.
const SQLITE_VALUES: usize = 32_000;
/// Rows of each INSERT on SQLite where one does not hold them all. Such a statement is prepared once and stays small, as do those of the rows that are left over,
/// which are kept too: of 32,000 values each takes megabytes.
const SQLITE_ROWS: usize = 128;
/// Rows of one COPY or UNNEST: a few megabytes.
const POSTGRES_ROWS: usize = 10_000;
/// COPY pays from so many rows on. The library leaves Nagle's algorithm on (sqlx 0.9.0, its issue 4335), so that the end of a COPY over
/// TCP waits until the server has acknowledged the rows: up to 40 ms, whatever their number.
const COPY_FROM_ROWS: usize = 1_000;

/// How many of so many rows SQLite takes in a statement.
fn sqlite_rows(rows: usize, columns: usize) -> usize {
    let most = SQLITE_VALUES / columns.max(1);
    if rows > most { SQLITE_ROWS.min(most) } else { most }
}

/// Inserts `rows`; `tail` is the ON CONFLICT clause, or nothing. Answers how many rows were inserted or updated.
pub(crate) async fn insert(tx: &ReadTx, table: &str, columns: &[Column], rows: Vec<Vec<Value>>, tail: &str) -> Result<u64, StoreError> {
    let head = insert_into(table, columns);
    let session = match &tx.tx {
        Session::Postgres(session) => session,
        Session::Sqlite(session) => {
            let most = sqlite_rows(rows.len(), columns.len());
            let inserts = parts(rows, most).map(|part| {
                let (sql, values) = values_list(&head, part, tail);
                Ok((sql, IntoArguments::<Sqlite>::into_arguments(SqlxValues(Values(values)))))
            });
            return session.execute_each(inserts).await.map_err(|error| tx.fault(error));
        }
        Session::Orm(_) => return Err(tx.fault(only_read())),
    };
    let mut affected = 0;
    for part in parts(rows, POSTGRES_ROWS) {
        let done = if tail.is_empty() && part.len() >= COPY_FROM_ROWS {
            session.copy_in(&copy_into(table, columns), copy::pieces(&part)).await
        } else {
            let (sql, arrays) = unnest(&head, columns, &part, tail);
            session.execute_arrays(sql, arrays).await
        };
        affected += done.map_err(|error| tx.fault(error))?;
    }
    Ok(affected)
}

/// So many rows at a time.
fn parts(rows: Vec<Vec<Value>>, most: usize) -> impl Iterator<Item = Vec<Vec<Value>>> {
    let mut rows = rows.into_iter();
    iter::from_fn(move || Some(rows.by_ref().take(most).collect()).filter(|part: &Vec<_>| !part.is_empty()))
}

fn only_read() -> DbErr {
    DbErr::Exec(RuntimeErr::Internal("a snapshot takes no rows".to_owned()))
}

/// Writes `rows`: those whose key, the first `key` columns, is there change, the others are inserted. Each key stands once among them.
/// SQLite changes them before it inserts, since the trigger of a table whose past is kept refuses upserts.
pub(crate) async fn upsert(tx: &ReadTx, table: &str, columns: &[Column], key: usize, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let (own, rest) = names.split_at(key.min(names.len()));
    if let Session::Postgres(_) = &tx.tx {
        let set: Vec<String> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let tail = format!("ON CONFLICT ({}) DO UPDATE SET {}", own.join(", "), set.join(", "));
        return insert(tx, table, columns, rows, &tail).await.map(drop);
    }
    let set: Vec<String> = rest.iter().map(|name| format!("{name} = new.{name}")).collect();
    let same: Vec<String> = own.iter().map(|name| format!("held.{name} = new.{name}")).collect();
    let (names, same) = (names.join(", "), same.join(" AND "));
    let head = format!("WITH new ({names}) AS (");
    let change = format!(") UPDATE {table} AS held SET {} FROM new WHERE {same}", set.join(", "));
    let add = format!(") INSERT INTO {table} ({names}) SELECT {names} FROM new WHERE NOT EXISTS (SELECT 1 FROM {table} AS held WHERE {same})");
    for part in rows.chunks(SQLITE_VALUES / columns.len().max(1)) {
        for tail in [&change, &add] {
            let (sql, values) = values_list(&head, part.to_vec(), tail);
            tx.execute(sql, values).await?;
        }
    }
    Ok(())
}

/// Inserts a row for each item, all of them new. Many of them go by COPY where the database has it, and their cells are never values.
pub(crate) async fn insert_each<T>(
    tx: &ReadTx,
    table: &str,
    columns: &[Column],
    items: impl ExactSizeIterator<Item = T>,
    spell: impl Fn(T, &mut dyn Cells),
) -> Result<u64, StoreError> {
    match &tx.tx {
        Session::Postgres(session) if items.len() >= COPY_FROM_ROWS => {
            let pieces = copy::pieces_spelled(columns.len(), items, spell);
            session.copy_in(&copy_into(table, columns), pieces).await.map_err(|error| tx.fault(error))
        }
        Session::Sqlite(session) => {
            let inserts = spelled_inserts(insert_into(table, columns), columns.len(), items, spell);
            session.execute_each(inserts).await.map_err(|error| tx.fault(error))
        }
        _ => insert(tx, table, columns, items.map(|item| values_of(item, &spell)).collect(), "").await,
    }
}

/// The statement that takes the bytes of [`copy::pieces`].
pub(crate) fn copy_into(table: &str, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!("COPY {table} ({}) FROM STDIN (FORMAT BINARY)", names.join(", "))
}

fn insert_into(table: &str, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!("INSERT INTO {table} ({})", names.join(", "))
}

/// The statements by which SQLite takes a row for each item, each made when it is asked for.
fn spelled_inserts<T>(
    head: String,
    width: usize,
    mut items: impl ExactSizeIterator<Item = T>,
    spell: impl Fn(T, &mut dyn Cells),
) -> impl Iterator<Item = Result<(String, SqliteArguments), DbErr>> {
    let most = sqlite_rows(items.len(), width);
    iter::from_fn(move || {
        let rows = items.len().min(most);
        if rows == 0 {
            return None;
        }
        let mut bound = Bound::default();
        bound.arguments.reserve(rows * width, 0);
        items.by_ref().take(rows).for_each(|item| spell(item, &mut bound));
        Some(bound.done().map(|arguments| (values_sql(&head, rows, width, ""), arguments)))
    })
}

fn values_list(head: &str, rows: Vec<Vec<Value>>, tail: &str) -> (String, Vec<Value>) {
    let width = rows.first().map_or(0, Vec::len);
    (values_sql(head, rows.len(), width, tail), rows.into_iter().flatten().collect())
}

/// `head` with VALUES of so many rows, and `tail`.
fn values_sql(head: &str, rows: usize, width: usize, tail: &str) -> String {
    let mut sql = String::with_capacity(head.len() + tail.len() + rows * (2 * width + 3) + 16);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for at in 0..rows {
        sql.push_str(if at == 0 { "(" } else { ",(" });
        for column in 0..width {
            sql.push_str(if column == 0 { "?" } else { ",?" });
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}

fn unnest(head: &str, columns: &[Column], rows: &[Vec<Value>], tail: &str) -> (String, Vec<BinaryArray>) {
    let arrays: Vec<String> = columns.iter().enumerate().map(|(at, (_, kind))| format!("${}::{}[]", at + 1, kind.postgres())).collect();
    let sql = format!("{head} SELECT * FROM unnest({}) {tail}", arrays.join(", "));
    let column = |(at, (_, kind)): (usize, &Column)| BinaryArray::of(*kind, rows.iter().map(|row| row.get(at)), rows.len());
    (sql, columns.iter().enumerate().map(column).collect())
}
