//! One text for both databases: types are written as tokens and spelled for the database at hand.
//!
//! | token | SQLite (STRICT tables) | PostgreSQL |
//! |---|---|---|
//! | `:uuid` | BLOB | UUID |
//! | `:key` | TEXT | TEXT in the "C" collation, so that both databases sort alike |
//! | `:int` | INTEGER | BIGINT |
//! | `:whole(column)` | INTEGER with a named CHECK that it stays one | BIGINT |
//! | `:date` | TEXT, `YYYY-MM-DD` | DATE |
//! | `:time` | TEXT, RFC 3339 in UTC | TIMESTAMPTZ |
//! | `:bytes` | BLOB | BYTEA |
//! | `:flag` | INTEGER | BOOLEAN |
//! | `:identity` | INTEGER PRIMARY KEY AUTOINCREMENT | BIGINT, generated, primary key |
//! | `:strict` | STRICT | nothing |
//! | `:clustered` | STRICT, WITHOUT ROWID | nothing |
//! | `:unlogged` | nothing | UNLOGGED |
//!
//! STRICT and the CHECK are there because SQLite otherwise turns an integer that overflows into a float, silently.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Runs the statements in order, each spelled for the database at hand. Every one of them must be safe to repeat, because
/// SQLite does not wrap a migration in a transaction.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        execute(manager, statement).await?;
    }
    Ok(())
}

async fn execute(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    let sql = spell(manager.get_database_backend(), statement);
    manager.get_connection().execute_unprepared(&sql).await.map(drop)
}

/// Refuses UPDATE and DELETE of `table`. A violation carries the name `<table>_append_only` on both databases.
pub async fn append_only(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        execute(manager, PG_REFUSE).await?;
        let trigger = format!(
            "CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION guerdon_refuse('{table}_append_only')"
        );
        return execute(manager, &trigger).await;
    }
    for (event, name) in [("UPDATE", "no_update"), ("DELETE", "no_delete")] {
        let trigger = format!("CREATE TRIGGER IF NOT EXISTS {table}_{name} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{table}_append_only'); END");
        execute(manager, &trigger).await?;
    }
    Ok(())
}

/// Refuses `event` (UPDATE or DELETE) of rows of `table` for which `condition` over OLD and NEW holds, under the name `name`.
pub async fn refuse(manager: &SchemaManager<'_>, table: &str, event: &str, condition: &str, name: &str) -> Result<(), DbErr> {
    let trigger = format!("{name}_{}", event.to_lowercase());
    if manager.get_database_backend() == DbBackend::Postgres {
        execute(manager, PG_REFUSE).await?;
        let sql =
            format!("CREATE OR REPLACE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION guerdon_refuse('{name}')");
        return execute(manager, &sql).await;
    }
    let sql = format!("CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {event} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{name}'); END");
    execute(manager, &sql).await
}

/// Refuses `event` of rows of `table` for which `query` over NEW (or OLD, of a DELETE) finds something, under the name `name`.
pub async fn refuse_if_exists(manager: &SchemaManager<'_>, table: &str, event: &str, query: &str, name: &str) -> Result<(), DbErr> {
    let trigger = format!("{name}_{}", event.to_lowercase());
    if manager.get_database_backend() != DbBackend::Postgres {
        let sql = format!("CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {event} ON {table} WHEN EXISTS ({query}) BEGIN SELECT RAISE(ABORT, '{name}'); END");
        return execute(manager, &sql).await;
    }
    let row = if event == "DELETE" { "OLD" } else { "NEW" };
    let function = format!(
        "CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS ({query}) THEN \
         RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{name}', CONSTRAINT = '{name}'; END IF; RETURN {row}; END $$"
    );
    execute(manager, &function).await?;
    execute(manager, &format!("CREATE OR REPLACE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {trigger}()")).await
}

/// Allows INSERT and DELETE of rows of `table` only while `query` over `{key}`, their column `key`, finds something. PostgreSQL
/// asks once a statement, not once a row.
pub async fn only_while(manager: &SchemaManager<'_>, table: &str, key: &str, query: &str, name: &str) -> Result<(), DbErr> {
    for (event, row, rows) in [("INSERT", "NEW", "NEW TABLE"), ("DELETE", "OLD", "OLD TABLE")] {
        let trigger = format!("{name}_{}", event.to_lowercase());
        if manager.get_database_backend() != DbBackend::Postgres {
            let query = query.replace("{key}", &format!("{row}.{key}"));
            let sql =
                format!("CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {event} ON {table} WHEN NOT EXISTS ({query}) BEGIN SELECT RAISE(ABORT, '{name}'); END");
            execute(manager, &sql).await?;
            continue;
        }
        let query = query.replace("{key}", "changed.key");
        let function = format!(
            "CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF EXISTS (SELECT 1 FROM (SELECT DISTINCT {key} AS key FROM touched) AS changed WHERE NOT EXISTS ({query})) THEN \
             RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{name}', CONSTRAINT = '{name}'; END IF; RETURN NULL; END $$"
        );
        execute(manager, &function).await?;
        let sql = format!(
            "CREATE OR REPLACE TRIGGER {trigger} AFTER {event} ON {table} REFERENCING {rows} AS touched FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()"
        );
        execute(manager, &sql).await?;
    }
    Ok(())
}

/// The same of UPDATE, for the row as it was and as it becomes.
pub async fn only_while_updated(manager: &SchemaManager<'_>, table: &str, key: &str, query: &str, name: &str) -> Result<(), DbErr> {
    let trigger = format!("{name}_update");
    if manager.get_database_backend() != DbBackend::Postgres {
        let [was, becomes] = ["OLD", "NEW"].map(|row| query.replace("{key}", &format!("{row}.{key}")));
        let condition = format!("NOT EXISTS ({was}) OR NOT EXISTS ({becomes})");
        let sql = format!("CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE UPDATE ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{name}'); END");
        return execute(manager, &sql).await;
    }
    let query = query.replace("{key}", "changed.key");
    let function = format!(
        "CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF EXISTS (SELECT 1 FROM (SELECT {key} AS key FROM was UNION SELECT {key} FROM becomes) AS changed WHERE NOT EXISTS ({query})) THEN \
         RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{name}', CONSTRAINT = '{name}'; END IF; RETURN NULL; END $$"
    );
    execute(manager, &function).await?;
    let tables = "OLD TABLE AS was NEW TABLE AS becomes";
    let sql = format!("CREATE OR REPLACE TRIGGER {trigger} AFTER UPDATE ON {table} REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()");
    execute(manager, &sql).await
}

/// Raises an integrity violation that carries its constraint's name, so that callers need not read its text.
const PG_REFUSE: &str = "CREATE OR REPLACE FUNCTION guerdon_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ \
    BEGIN RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_ARGV[0], CONSTRAINT = TG_ARGV[0]; END $$";

/// Adds columns, each a name and what follows it, that the table does not have yet: SQLite cannot say IF NOT EXISTS of a column.
pub async fn add_columns(manager: &SchemaManager<'_>, table: &str, columns: &[(&str, &str)]) -> Result<(), DbErr> {
    for (name, definition) in columns {
        if !manager.has_column(table, name).await? {
            execute(manager, &format!("ALTER TABLE {table} ADD COLUMN {name} {definition}")).await?;
        }
    }
    Ok(())
}

/// Drops the tables, the first one first.
pub async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    for table in tables {
        execute(manager, &format!("DROP TABLE IF EXISTS {table}")).await?;
    }
    Ok(())
}

/// Takes columns away, the last one first, where they are still there.
pub async fn drop_columns(manager: &SchemaManager<'_>, table: &str, columns: &[&str]) -> Result<(), DbErr> {
    for name in columns.iter().rev() {
        if manager.has_column(table, name).await? {
            execute(manager, &format!("ALTER TABLE {table} DROP COLUMN {name}")).await?;
        }
    }
    Ok(())
}

fn spell(backend: DbBackend, statement: &str) -> String {
    let postgres = backend == DbBackend::Postgres;
    let pairs: [(&str, &str, &str); 11] = [
        (":key", "TEXT", "TEXT COLLATE \"C\""),
        (":uuid", "BLOB", "UUID"),
        (":int", "INTEGER", "BIGINT"),
        (":date", "TEXT", "DATE"),
        (":time", "TEXT", "TIMESTAMPTZ"),
        (":bytes", "BLOB", "BYTEA"),
        (":flag", "INTEGER", "BOOLEAN"),
        (":identity", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        (":strict", "STRICT", ""),
        (":clustered", "STRICT, WITHOUT ROWID", ""),
        (":unlogged", "", "UNLOGGED"),
    ];
    let mut sql = whole(postgres, statement);
    for (token, sqlite, pg) in pairs {
        sql = sql.replace(token, if postgres { pg } else { sqlite });
    }
    sql
}

/// Spells `:whole(column)`.
fn whole(postgres: bool, statement: &str) -> String {
    let mut sql = String::with_capacity(statement.len());
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once(":whole(") {
        let (column, tail) = after.split_once(')').unwrap_or((after, ""));
        sql.push_str(before);
        if postgres {
            sql.push_str("BIGINT");
        } else {
            sql.push_str(&format!("INTEGER CONSTRAINT {column}_whole CHECK (typeof({column}) IN ('integer', 'null'))"));
        }
        rest = tail;
    }
    sql + rest
}
