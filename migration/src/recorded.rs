//! Tables whose rows may change and whose past stays known.
//!
//! Every change of a row gets a number from one counter (`record`), and the row that it replaces goes to `<table>_past` with the number
//! of its end. What was on record after change number `n` are the rows with `recorded_number <= n`, and those of the past with
//! `recorded_number <= n < superseded_number`. The counter's row is locked until the commit, so that numbers are in the order of
//! commits on any number of nodes, whatever their clocks say: once a number can be seen, so can everything up to it.
//!
//! Triggers do it, on both databases, so that no writer can forget it. On PostgreSQL a transaction has one number and a statement sends
//! all rows that it replaces to the past at once; on SQLite, where there is one writer at a time, each change of a row has its own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{add_columns, append_only, drop_columns, drop_tables, run};

/// A table whose past stays known.
pub struct Recorded<'t> {
    /// Its name. Every row belongs to a partner.
    pub table: &'t str,
    /// The columns of its primary key.
    pub key: &'t [&'t str],
    /// All its columns, with their types. Whoever adds a column to the table says it here again, see [`keep`].
    pub columns: &'t [(&'t str, &'t str)],
}

const NUMBER: (&str, &str) = ("recorded_number", ":int NOT NULL DEFAULT 0");

/// The counter, and on PostgreSQL the function that takes a transaction's number from it.
pub async fn prepare(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, &["INSERT INTO counter (name, value) VALUES ('record', 0) ON CONFLICT (name) DO NOTHING"]).await?;
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    run(
        manager,
        &["CREATE OR REPLACE FUNCTION guerdon_record_number() RETURNS bigint LANGUAGE plpgsql AS $$ \
           DECLARE held text := current_setting('guerdon.record_number', true); taken bigint; BEGIN \
           IF held <> '' THEN RETURN held::bigint; END IF; \
           UPDATE counter SET value = value + 1 WHERE name = 'record' RETURNING value INTO taken; \
           PERFORM set_config('guerdon.record_number', taken::text, true); RETURN taken; END $$"],
    )
    .await
}

/// Keeps the past of a table from now on. A later migration that adds columns calls it again.
pub async fn keep(manager: &SchemaManager<'_>, recorded: &Recorded<'_>) -> Result<(), DbErr> {
    let table = recorded.table;
    let key = recorded.key.join(", ");
    let columns: Vec<String> = recorded.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    add_columns(manager, table, &[NUMBER]).await?;
    let past = format!(
        "CREATE TABLE IF NOT EXISTS {table}_past ({}, recorded_number :int NOT NULL, superseded_number :int NOT NULL, \
         CONSTRAINT {table}_past_pk PRIMARY KEY ({key}, recorded_number), \
         CONSTRAINT {table}_past_span CHECK (superseded_number > recorded_number)) :clustered",
        columns.join(", ")
    );
    let index = format!("CREATE INDEX IF NOT EXISTS {table}_past_partner_idx ON {table}_past (partner_id)");
    run(manager, &[&past, &index]).await?;
    add_columns(manager, &format!("{table}_past"), recorded.columns).await?;
    if manager.get_database_backend() == DbBackend::Postgres {
        keep_postgres(manager, recorded).await?
    } else {
        keep_sqlite(manager, recorded).await?
    }
    append_only(manager, &format!("{table}_past")).await
}

fn names(recorded: &Recorded<'_>, prefix: &str) -> String {
    recorded.columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
}

async fn keep_postgres(manager: &SchemaManager<'_>, recorded: &Recorded<'_>) -> Result<(), DbErr> {
    let (table, own, old) = (recorded.table, names(recorded, ""), names(recorded, "gone."));
    let number = format!(
        "CREATE OR REPLACE FUNCTION {table}_record() RETURNS trigger LANGUAGE plpgsql AS $$ \
         BEGIN NEW.recorded_number := guerdon_record_number(); RETURN NEW; END $$"
    );
    // A row that one transaction changes twice was never on record in between.
    let past = format!(
        "CREATE OR REPLACE FUNCTION {table}_past() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE taken bigint; BEGIN \
         IF NOT EXISTS (SELECT 1 FROM touched) THEN RETURN NULL; END IF; taken := guerdon_record_number(); \
         INSERT INTO {table}_past ({own}, recorded_number, superseded_number) \
         SELECT {old}, gone.recorded_number, taken FROM touched gone WHERE gone.recorded_number < taken; RETURN NULL; END $$"
    );
    let trigger = format!("CREATE OR REPLACE TRIGGER {table}_record BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_record()");
    run(manager, &[&number, &past, &trigger]).await?;
    for (event, name) in PAST_EVENTS {
        let trigger = format!(
            "CREATE OR REPLACE TRIGGER {table}_{name} AFTER {event} ON {table} REFERENCING OLD TABLE AS touched \
             FOR EACH STATEMENT EXECUTE FUNCTION {table}_past()"
        );
        run(manager, &[&trigger]).await?;
    }
    Ok(())
}

/// What sends rows to the past, and the names of the triggers on PostgreSQL.
const PAST_EVENTS: [(&str, &str); 2] = [("UPDATE", "past_update"), ("DELETE", "past_delete")];

async fn keep_sqlite(manager: &SchemaManager<'_>, recorded: &Recorded<'_>) -> Result<(), DbErr> {
    let (table, own, old) = (recorded.table, names(recorded, ""), names(recorded, "OLD."));
    let next = "UPDATE counter SET value = value + 1 WHERE name = 'record'";
    let number = "(SELECT value FROM counter WHERE name = 'record')";
    let this: Vec<String> = recorded.key.iter().map(|name| format!("{name} = NEW.{name}")).collect();
    let set = format!("UPDATE {table} SET recorded_number = {number} WHERE {}", this.join(" AND "));
    let past = format!("INSERT INTO {table}_past ({own}, recorded_number, superseded_number) VALUES ({old}, OLD.recorded_number, {number})");
    // What a trigger sets here changes the number, so that it does not call the trigger of updates again.
    let triggers = [
        format!("CREATE TRIGGER {table}_record_insert AFTER INSERT ON {table} BEGIN {next}; {set}; END"),
        format!("CREATE TRIGGER {table}_record_update AFTER UPDATE ON {table} WHEN NEW.recorded_number = OLD.recorded_number BEGIN {next}; {past}; {set}; END"),
        format!("CREATE TRIGGER {table}_record_delete AFTER DELETE ON {table} BEGIN {next}; {past}; END"),
    ];
    for (event, trigger) in ["insert", "update", "delete"].iter().zip(&triggers) {
        run(manager, &[&format!("DROP TRIGGER IF EXISTS {table}_record_{event}"), trigger]).await?;
    }
    Ok(())
}

/// Forgets the past of a table.
pub async fn forget(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        for name in ["record", PAST_EVENTS[0].1, PAST_EVENTS[1].1] {
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {table}_{name} ON {table}")]).await?;
        }
        run(manager, &[&format!("DROP FUNCTION IF EXISTS {table}_record()"), &format!("DROP FUNCTION IF EXISTS {table}_past()")]).await?;
    } else {
        for event in ["insert", "update", "delete"] {
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {table}_record_{event}")]).await?;
        }
    }
    drop_tables(manager, &[&format!("{table}_past")]).await?;
    drop_columns(manager, table, &[NUMBER.0]).await
}
