//! A fresh, migrated database for each test, copied from one that was migrated once.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use guerdon_migration::{Migrator, MigratorTrait};
use guerdon_store::{Store, StoreOptions, connect_for_migration};
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::cluster;

/// A database of one test. It goes when the test ends.
pub struct TestDatabase {
    /// The store on it.
    pub store: Store,
    /// Its URL.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// A connection beside the store, to do what the store refuses.
    pub async fn beside(&self) -> DatabaseConnection {
        beside(&self.url).await
    }

    /// The first column of what a statement answers, as text, beside the store.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.beside().await.query_all_raw(sea_orm::Statement::from_string(self.backend(), sql)).await.expect(sql);
        rows.iter().map(|row| row.try_get_by_index::<Option<String>>(0).expect("text").unwrap_or_default()).collect()
    }

    /// The number that a statement answers, beside the store.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.beside().await.query_one_raw(sea_orm::Statement::from_string(self.backend(), sql)).await.expect(sql);
        row.expect("a row").try_get_by_index(0).expect("a number")
    }

    /// Another store on the same database.
    pub async fn another(&self, options: StoreOptions) -> Store {
        Store::connect(&self.url, options).await.expect("connects")
    }

    fn backend(&self) -> sea_orm::DbBackend {
        if is_postgres() { sea_orm::DbBackend::Postgres } else { sea_orm::DbBackend::Sqlite }
    }
}

async fn beside(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("connects")
}

/// Whether the suite runs on PostgreSQL.
pub fn is_postgres() -> bool {
    std::env::var_os("GUERDON_TEST_DATABASE_URL").is_some() || std::env::var("GUERDON_TEST_DATABASE").is_ok_and(|name| name == "postgres")
}

/// A fresh database with the schema, and a store on it.
pub async fn fresh() -> TestDatabase {
    let (url, folder) = if is_postgres() { (copy_postgres().await, None) } else { copy_sqlite() };
    let options = StoreOptions { acquire_timeout: Duration::from_secs(20), ..StoreOptions::default() };
    let store = Store::connect(&url, options).await.expect("connects");
    TestDatabase { store, url, _folder: folder }
}

/// An empty database, without the schema.
pub async fn empty() -> (String, Option<tempfile::TempDir>) {
    if is_postgres() {
        return (create_postgres(None).await, None);
    }
    let folder = tempfile::tempdir().expect("a folder");
    (sqlite_url(&folder.path().join("guerdon.db")), Some(folder))
}

fn sqlite_url(file: &std::path::Path) -> String {
    format!("sqlite:{}", file.display())
}

/// Runs `work` on a runtime of its own: a template outlives the test that made it.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let run = move || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
    std::thread::spawn(run).join().expect("no panic")
}

async fn migrate(url: &str) {
    let connection = connect_for_migration(url).await.expect("connects");
    Migrator::up(&connection, None).await.expect("migrates");
    connection.close().await.expect("closes");
}

fn copy_sqlite() -> (String, Option<tempfile::TempDir>) {
    static TEMPLATE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, template) = TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("template.db");
        let url = sqlite_url(&file);
        apart(async move { migrate(&url).await });
        (folder, file)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("guerdon.db");
    std::fs::copy(template, &file).expect("copied");
    (sqlite_url(&file), Some(folder))
}

async fn copy_postgres() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        apart(async {
            let url = create_postgres(None).await;
            migrate(&url).await;
            database_of(&url)
        })
    });
    create_postgres(Some(template)).await
}

fn server() -> String {
    std::env::var("GUERDON_TEST_DATABASE_URL").unwrap_or_else(|_| cluster::url().to_owned())
}

/// The name between the last slash and the parameters.
fn database_of(url: &str) -> String {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

async fn create_postgres(template: Option<&str>) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("guerdon_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server = server();
    let sql = template.map_or_else(|| format!("CREATE DATABASE {name}"), |template| format!("CREATE DATABASE {name} TEMPLATE {template}"));
    // Two copies of one template may not be made at once.
    let connection = beside(&server).await;
    connection.execute_unprepared(&sql).await.expect("a database");
    connection.close().await.expect("closes");
    let (path, parameters) = server.split_once('?').unwrap_or((&server, ""));
    let (head, _) = path.rsplit_once('/').expect("a URL with a database");
    format!("{head}/{name}?{parameters}")
}
