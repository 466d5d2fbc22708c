//! The schema goes up, down and up again, survives being cut off, and holds no float.

use guerdon_migration::{Migrator, MigratorTrait};
use guerdon_store::{connect_for_migration, unique_keys};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::harness::{empty, fresh, is_postgres};

async fn tables(connection: &DatabaseConnection) -> Vec<String> {
    let sql = if is_postgres() {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations' ORDER BY 1"
    };
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn up_down_up() {
    let (url, _folder) = empty().await;
    let connection = connect_for_migration(&url).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    let first = tables(&connection).await;
    assert!(first.contains(&"transactions".to_owned()) && first.len() > 25, "{first:?}");
    Migrator::down(&connection, None).await.unwrap();
    assert_eq!(tables(&connection).await, Vec::<String>::new());
    Migrator::up(&connection, None).await.unwrap();
    assert_eq!(tables(&connection).await, first);
}

#[tokio::test]
async fn one_step_at_a_time_down_and_up() {
    let (url, _folder) = empty().await;
    let connection = connect_for_migration(&url).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    let all = tables(&connection).await;
    for _ in Migrator::migrations() {
        Migrator::down(&connection, Some(1)).await.unwrap();
    }
    for _ in Migrator::migrations() {
        Migrator::up(&connection, Some(1)).await.unwrap();
    }
    assert_eq!(tables(&connection).await, all);
}

/// A process that dies after the statements of a step and before its mark runs the step again.
#[tokio::test]
async fn every_step_survives_being_run_twice() {
    let (url, _folder) = empty().await;
    let connection = connect_for_migration(&url).await.unwrap();
    for _ in Migrator::migrations() {
        Migrator::up(&connection, Some(1)).await.unwrap();
        connection.execute_unprepared("DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)").await.unwrap();
        Migrator::up(&connection, Some(1)).await.unwrap();
    }
    assert!(Migrator::get_pending_migrations(&connection).await.unwrap().is_empty());
}

#[tokio::test]
async fn no_column_is_a_float() {
    let database = fresh().await;
    let sql = if is_postgres() {
        "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'public' \
         AND data_type NOT IN ('text', 'bigint', 'uuid', 'date', 'timestamp with time zone', 'bytea', 'boolean') AND table_name <> 'seaql_migrations'"
    } else {
        "SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
         AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'seaql_migrations' AND c.type NOT IN ('TEXT', 'INTEGER', 'BLOB')"
    };
    assert_eq!(database.texts(sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn whole_numbers_stay_whole_on_sqlite() {
    if is_postgres() {
        return;
    }
    let database = fresh().await;
    let strict = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    assert_eq!(database.texts(strict).await, Vec::<String>::new());
    let unchecked = "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
        AND m.name NOT LIKE 'staged_%' AND (c.name LIKE '%_minor' OR c.name LIKE '%_micros' OR c.name LIKE 'value_%' AND c.type = 'INTEGER') \
        AND m.sql NOT LIKE '%' || c.name || '_whole CHECK (typeof(' || c.name || ')%'";
    assert_eq!(database.texts(unchecked).await, Vec::<String>::new());
}

/// The names by which the store tells conflicts apart on SQLite are those of the schema.
#[tokio::test]
async fn unique_keys_are_known_by_name() {
    let database = fresh().await;
    let mut known: Vec<String> = unique_keys().map(|(name, columns)| format!("{name}: {columns}")).collect();
    known.sort();
    let sql = if is_postgres() {
        "SELECT i.relname::text || ': ' || string_agg(t.relname || '.' || a.attname, ', ' ORDER BY k.place) FROM pg_index x \
         JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         CROSS JOIN LATERAL unnest(x.indkey::int[]) WITH ORDINALITY AS k (number, place) \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
         WHERE n.nspname = 'public' AND x.indisunique AND NOT x.indisprimary GROUP BY i.relname ORDER BY i.relname COLLATE \"C\""
    } else {
        // SQLite gives a UNIQUE of a table no name of its own; the text of the table does.
        return sqlite_names(&database, &known).await;
    };
    assert_eq!(database.texts(sql).await, known);
}

async fn sqlite_names(database: &crate::harness::TestDatabase, known: &[String]) {
    let schema = database.texts("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").await.join("\n");
    for key in known {
        let (name, columns) = key.split_once(": ").unwrap();
        let table = columns.split('.').next().unwrap();
        let plain = columns.replace(&format!("{table}."), "");
        let constraint = format!("CONSTRAINT {name} UNIQUE ({plain})");
        let index = format!("UNIQUE INDEX {name} ON {table} ({plain})");
        assert!(schema.contains(&constraint) || schema.contains(&index), "{key}");
    }
    let named = schema.matches(" UNIQUE (").count() + schema.matches("UNIQUE INDEX ").count();
    assert_eq!(named, known.len());
}

/// Columns by name with their types, as the database spells them.
async fn columns_of(database: &crate::harness::TestDatabase, table: &str) -> Vec<String> {
    let sql = if is_postgres() {
        format!("SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'")
    } else {
        format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')")
    };
    let mut columns = database.texts(&sql).await;
    columns.sort();
    columns
}

/// Whoever adds a column to a table whose past is kept has to keep it there too.
#[tokio::test]
async fn the_past_of_a_table_has_all_its_columns() {
    let database = fresh().await;
    let sql = if is_postgres() {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_name LIKE '%\\_past'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%\\_past' ESCAPE '\\'"
    };
    let pasts = database.texts(sql).await;
    assert_eq!(pasts.len(), 7, "{pasts:?}");
    for past in pasts {
        let mut own = columns_of(&database, past.trim_end_matches("_past")).await;
        let mut kept = columns_of(&database, &past).await;
        own.retain(|column| !column.starts_with("recorded_number "));
        kept.retain(|column| !column.starts_with("recorded_number ") && !column.starts_with("superseded_number "));
        assert_eq!(kept, own, "{past}");
    }
}
