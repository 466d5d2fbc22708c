//! Tables whose rows SQLite may not put out of the way of others.
//!
//! `INSERT OR REPLACE` and `UPDATE OR REPLACE` remove the rows whose keys they take, and call no trigger of DELETE for them unless the
//! connection asks for it. So rows whose keys are taken are refused before that: by the name of the key, as without OR REPLACE, or
//! as `<table>_append_only` where it is the row's own. PostgreSQL has no such statement, and its upserts call the triggers of UPDATE.
//!
//! The trigger of INSERT runs before ON CONFLICT is looked at: on SQLite these tables take no upserts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;

/// A unique key beside the primary key.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// Of which rows it is, with `{row}` for the row; empty for all.
    pub of: &'static str,
    /// The columns that `of` asks for.
    pub asks: &'static [&'static str],
}

impl Key {
    /// A key of all rows.
    pub const fn whole(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, columns, of: "", asks: &[] }
    }
}

/// A table whose rows stay where they are.
pub struct Unreplaced<'t> {
    /// Its name.
    pub table: &'t str,
    /// The columns of its primary key; none where that is the number of the row.
    pub own: &'t [&'t str],
    /// Whether its rows have numbers, by which they could be replaced too.
    pub numbered: bool,
    /// Its other keys.
    pub keys: &'t [Key],
    /// Whether its rows may change, so that one could come upon the key of another.
    pub changes: bool,
}

/// Refuses rows whose keys are taken, on SQLite.
pub async fn keep_rows(manager: &SchemaManager<'_>, kept: &Unreplaced<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        return Ok(());
    }
    let Unreplaced { table, .. } = kept;
    run(manager, &[&format!("CREATE TRIGGER IF NOT EXISTS {table}_no_replace_insert BEFORE INSERT ON {table} BEGIN {} END", at_insert(kept))]).await?;
    if !kept.changes {
        return Ok(());
    }
    let (moved, body) = (moved(kept), at_update(kept));
    run(manager, &[&format!("CREATE TRIGGER IF NOT EXISTS {table}_no_replace_update BEFORE UPDATE ON {table} WHEN {moved} BEGIN {body} END")]).await
}

/// Lets rows be replaced again.
pub async fn release_rows(manager: &SchemaManager<'_>, kept: &Unreplaced<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        return Ok(());
    }
    let drop = |event: &str| format!("DROP TRIGGER IF EXISTS {}_no_replace_{event}", kept.table);
    run(manager, &[&drop("insert"), &drop("update")]).await
}

/// Raises `name` where a row is held for which `condition` is true.
fn refused(table: &str, name: &str, condition: &str) -> String {
    format!("SELECT RAISE(ABORT, '{name}') FROM {table} AS held WHERE {condition};")
}

fn same(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("held.{column} = NEW.{column}")).collect::<Vec<_>>().join(" AND ")
}

/// That a key would be the same.
fn taken(key: &Key) -> String {
    if key.of.is_empty() {
        return same(key.columns);
    }
    format!("({}) AND ({}) AND {}", key.of.replace("{row}", "NEW"), key.of.replace("{row}", "held"), same(key.columns))
}

fn at_insert(kept: &Unreplaced<'_>) -> String {
    let (table, own) = (kept.table, format!("{}_append_only", kept.table));
    let mut body = String::new();
    if kept.numbered {
        // A row without a number is called -1 until it has got one.
        body += &refused(table, &own, "held.rowid = NEW.rowid AND NEW.rowid > 0");
    }
    if !kept.own.is_empty() {
        body += &refused(table, &own, &same(kept.own));
    }
    for key in kept.keys {
        body += &refused(table, key.name, &taken(key));
    }
    body
}

fn at_update(kept: &Unreplaced<'_>) -> String {
    let (table, own) = (kept.table, format!("{}_append_only", kept.table));
    if !kept.numbered {
        // Only the key itself is looked at, and only when it moves: whoever holds it is another row.
        return refused(table, &own, &same(kept.own));
    }
    let other = "held.rowid <> OLD.rowid";
    let mut body = format!("SELECT RAISE(ABORT, '{own}') WHERE NEW.rowid <> OLD.rowid;");
    if !kept.own.is_empty() {
        body += &refused(table, &own, &format!("{} AND {other}", same(kept.own)));
    }
    for key in kept.keys {
        body += &refused(table, key.name, &format!("{} AND {other}", taken(key)));
    }
    body
}

/// That something of a row changes by which it could meet another.
fn moved(kept: &Unreplaced<'_>) -> String {
    let of_keys = kept.keys.iter().flat_map(|key| key.columns.iter().chain(key.asks));
    let mut columns: Vec<&str> = kept.own.iter().chain(of_keys).copied().collect();
    columns.extend(kept.numbered.then_some("rowid"));
    columns.sort_unstable();
    columns.dedup();
    columns.iter().map(|column| format!("NEW.{column} IS NOT OLD.{column}")).collect::<Vec<_>>().join(" OR ")
}
