//! An import that is killed, at any moment, leaves nothing to be seen, and the same file goes on.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chrono::TimeDelta;
use guerdon_domain::access::Scope;
use guerdon_domain::date::Span;
use guerdon_domain::facts::Transaction;
use guerdon_store::{ConflictRule, NewBatch, Recorded, Store, StoreOptions, WriteContext};

use crate::harness::build::{context, partner, partners, sale, write};
use crate::harness::fresh;

const URL: &str = "GUERDON_TEST_STAGE_URL";
const LINES: u64 = 3_000;

fn lines(after: u64) -> Vec<Recorded<Transaction>> {
    (after + 1..=LINES).map(|n| Recorded { line: n, partner: "P".to_owned(), fact: sale(&n.to_string(), "2024-01-05", 1) }).collect()
}

fn file() -> NewBatch {
    NewBatch { source: "shop".to_owned(), file_name: None, file_digest: Some("f".to_owned()) }
}

/// What the killed process does: a child of the next test.
#[tokio::test]
#[ignore = "runs as a child of another test"]
async fn stages_until_it_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = Store::connect(&url, StoreOptions::default()).await.unwrap();
    let mut import = store.begin_import::<Transaction>(&context("import"), &Scope::All, &file()).await.unwrap().import;
    for chunk in lines(0).chunks(10) {
        import.stage(&context("import"), chunk.to_vec()).await.unwrap();
        println!("staged {}", import.staged());
    }
}

#[tokio::test]
async fn a_killed_import_leaves_nothing_and_goes_on() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::killed::stages_until_it_is_killed", "--ignored", "--nocapture"])
        .env(URL, &database.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    while output.next().is_some_and(|line| !line.unwrap().contains("staged 500")) {}
    child.kill().unwrap();
    child.wait().unwrap();
    let count = async || database.store.read(async |tx| tx.count_transactions(&Scope::All, ids[0], Span::ALWAYS).await).await.unwrap();
    assert_eq!(count().await, 0);
    let later = WriteContext { now: context("import").now + TimeDelta::seconds(500), ..context("import") };
    let start = database.store.begin_import::<Transaction>(&later, &Scope::All, &file()).await.unwrap();
    assert!(start.resumed_after >= 500 && start.resumed_after < LINES && start.resumed_after % 10 == 0, "{}", start.resumed_after);
    let mut import = start.import;
    for chunk in lines(start.resumed_after).chunks(1_000) {
        import.stage(&later, chunk.to_vec()).await.unwrap();
    }
    let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!((report.inserted, count().await), (LINES, LINES as i64));
    let sum = database.number("SELECT CAST(SUM(amount_minor) AS BIGINT) FROM transaction_monthly").await;
    assert_eq!(sum, LINES as i64);
}
