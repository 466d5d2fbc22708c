use std::process::Command;

use guerdon_store::Store;
use serde_json::Value;

use crate::harness::{TestDatabase, fresh};

/// The digest of `--partners 40 --sales 3000 --seed 7`, on every database.
const DIGEST: &str = "35c2dd48465a6f63cb7f2117ecd6d7864b078c4007ce9715d9473ba8d44f2b71";

pub(super) fn bench(arguments: &[&str], url: &str) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_guerdon")).arg("bench").args(arguments).args(["--database-url", url, "--json"]).output().expect("runs");
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned(), String::from_utf8_lossy(&done.stderr).into_owned())
}

/// Fills a database with little, and answers what was printed.
pub fn seed(database: &TestDatabase, seed: &str) -> Value {
    let (success, out, err) = bench(&["seed", "--partners", "40", "--sales", "3000", "--seed", seed], &database.url);
    assert!(success, "{err}");
    serde_json::from_str(&out).expect("JSON")
}

#[tokio::test]
async fn the_same_seed_makes_the_same_data_on_both_databases() {
    let (one, other) = (fresh().await, fresh().await);
    let (first, second) = (seed(&one, "7"), seed(&other, "7"));
    assert_eq!(first["digest"], second["digest"]);
    assert_eq!(first["digest"], DIGEST, "what a seed makes has changed: then write down the new digest");
    let counts = |report: &Value| ["partners", "sales", "holdings", "activities", "deals", "batches"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts(&first), [40, 3_000, 160, 160, 120, 39]);
    assert_ne!(seed(&fresh().await, "8")["digest"], first["digest"]);
    stored(&one.store, &one).await;
}

/// What was written is what every other way of recording would have left.
async fn stored(store: &Store, database: &TestDatabase) {
    assert_eq!(store.read(async |tx| tx.verify_rollups(10).await).await.expect("read"), []);
    let number = async |sql: &str| database.number(sql).await;
    assert_eq!(number("SELECT COUNT(*) FROM transactions").await, 3_000);
    assert_eq!(number("SELECT COUNT(*) FROM import_batch WHERE state <> 'SEALED'").await, 0);
    assert_eq!(number("SELECT value FROM counter WHERE name = 'batch_seal'").await, 39);
    assert_eq!(number("SELECT CAST(SUM(inserted) AS BIGINT) FROM import_batch").await, 3_000 + 160 + 160 + 120);
    assert!(number("SELECT COUNT(*) FROM transactions WHERE kind = 'RETURN' AND corrects IS NOT NULL").await > 0);
    let late = "SELECT COUNT(*) FROM transactions WHERE substr(CAST(recorded_on AS TEXT), 1, 7) > substr(CAST(occurred_on AS TEXT), 1, 7)";
    assert!(number(late).await > 0);
}

#[tokio::test]
async fn a_database_with_other_data_is_left_alone_unless_it_is_asked_for() {
    let database = fresh().await;
    seed(&database, "7");
    let (success, _, err) = bench(&["seed", "--partners", "1", "--sales", "1"], &database.url);
    assert!(!success && err.contains("NOT_EMPTY"), "{err}");
    assert_eq!(database.number("SELECT COUNT(*) FROM partner").await, 40);
}

#[tokio::test]
async fn indexes_and_keys_are_there_again() {
    let (seeded, plain) = (fresh().await, fresh().await);
    seed(&seeded, "7");
    let sql = if crate::harness::is_postgres() {
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL SELECT conname::text || pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1"
    } else {
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    };
    assert_eq!(seeded.texts(sql).await, plain.texts(sql).await);
}
