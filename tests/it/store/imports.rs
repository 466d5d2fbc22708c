//! A file is invisible until it is sealed, and all there afterwards; cut off, it leaves nothing to be seen and can go on.

use chrono::TimeDelta;
use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Deal, Transaction};
use guerdon_store::{BatchState, ConflictRule, FactsPlan, Import, NewBatch, PageRequest, StoreError, WriteContext};

use crate::harness::build::{context, deal, of, partner, partners, program, record, sale, write};
use crate::harness::{TestDatabase, fresh};

fn file(digest: &str) -> NewBatch {
    NewBatch { source: "shop".to_owned(), file_name: Some("sales.csv".to_owned()), file_digest: Some(digest.to_owned()) }
}

fn later(seconds: i64) -> WriteContext {
    let context = context("import");
    WriteContext { now: context.now + TimeDelta::seconds(seconds), ..context }
}

async fn begin(database: &TestDatabase, digest: &str) -> Import {
    let start = database.store.begin_import::<Transaction>(&context("import"), &Scope::All, &file(digest)).await.unwrap();
    assert_eq!(start.resumed_after, 0);
    start.import
}

fn lines(from: u64, to: u64) -> Vec<guerdon_store::Recorded<Transaction>> {
    (from..=to).map(|n| guerdon_store::Recorded { line: n, partner: "P".to_owned(), fact: sale(&n.to_string(), "2024-01-05", 100) }).collect()
}

async fn visible(database: &TestDatabase) -> (i64, i64) {
    let facts = database.store.read(async |tx| {
        let id = tx.find_partner_by_code(&Scope::All, "P").await?.unwrap().id;
        let page = tx.list_transactions(&Scope::All, id, Span::ALWAYS, &PageRequest::first(100)).await?;
        let count = tx.count_transactions(&Scope::All, id, Span::ALWAYS).await?;
        assert_eq!(page.rows.len() as i64, count.min(100));
        Ok::<_, StoreError>(count)
    });
    (facts.await.unwrap(), database.number("SELECT COALESCE(CAST(SUM(lines) AS BIGINT), 0) FROM transaction_monthly").await)
}

#[tokio::test]
async fn nothing_is_seen_until_the_seal_and_everything_after() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let mut import = begin(&database, "f1").await;
    import.stage(&context("import"), lines(1, 30)).await.unwrap();
    let report = import.stage(&context("import"), [lines(31, 50), of("NOBODY", [sale("x", "2024-01-05", 1)])].concat()).await.unwrap();
    assert_eq!((report.staged, report.rejected.len()), (20, 1));
    assert_eq!(visible(&database).await, (0, 0));
    let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.conflict_count, report.seal_number), (50, 0, 0, Some(1)));
    assert_eq!(visible(&database).await, (50, 50));
    import.sweep(&context("import")).await.unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM staged_transaction").await, 0);
    let batch = database.store.read(async |tx| tx.find_batch(import.batch()).await).await.unwrap().unwrap();
    assert_eq!((batch.state, batch.inserted, batch.rejected), (BatchState::Sealed, 50, 1));
}

#[tokio::test]
async fn a_seal_that_rolls_back_leaves_nothing_and_may_be_tried_again() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let mut import = begin(&database, "f1").await;
    import.stage(&context("import"), lines(1, 10)).await.unwrap();
    let failed: Result<(), StoreError> = write(&database.store, async |tx| {
        import.seal(tx, ConflictRule::Refuse, false).await?;
        Err(StoreError::Busy)
    })
    .await;
    assert!(failed.is_err());
    assert_eq!(visible(&database).await, (0, 0));
    let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!((report.inserted, report.seal_number), (10, Some(1)));
    let again = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await;
    assert!(matches!(again, Err(StoreError::Stale)), "a batch is sealed once");
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    for round in 0..2 {
        let mut import = begin(&database, "f1").await;
        import.stage(&context("import"), lines(1, 40)).await.unwrap();
        let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
        assert_eq!((report.inserted, report.unchanged), if round == 0 { (40, 0) } else { (0, 40) });
        assert_eq!(report.batch.is_some(), round == 0);
        import.sweep(&context("import")).await.unwrap();
    }
    assert_eq!(visible(&database).await, (40, 40));
}

#[tokio::test]
async fn overlapping_files_count_once() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    for (digest, from, to) in [("f1", 1, 30), ("f2", 20, 60)] {
        let mut import = begin(&database, digest).await;
        import.stage(&context("import"), lines(from, to)).await.unwrap();
        write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    }
    assert_eq!(visible(&database).await, (60, 60));
}

#[tokio::test]
async fn a_conflict_seals_nothing_unless_the_rest_is_asked_for() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [sale("3", "2024-01-05", 999)])).await;
    let mut import = begin(&database, "f1").await;
    import.stage(&context("import"), lines(1, 5)).await.unwrap();
    let whole = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!((whole.batch, whole.inserted, whole.conflict_count, whole.conflicts[0].line), (None, 0, 1, 3));
    assert_eq!(visible(&database).await, (1, 1));
    let partly = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, true).await).await.unwrap();
    assert_eq!((partly.inserted, partly.unchanged, partly.conflict_count), (4, 0, 1));
    assert_eq!(visible(&database).await, (5, 5));
    assert_eq!(database.store.read(async |tx| tx.verify_rollups(9).await).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_file_that_contradicts_itself_seals_nothing() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let mut import = begin(&database, "f1").await;
    let twice = guerdon_store::Recorded { line: 6, partner: "P".to_owned(), fact: sale("2", "2024-01-05", 7) };
    import.stage(&context("import"), [lines(1, 5), vec![twice]].concat()).await.unwrap();
    let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!((report.batch, report.conflict_count, report.conflicts[0].line), (None, 1, 6));
    assert_eq!(visible(&database).await, (0, 0));
    import.discard(&context("import")).await.unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM staged_transaction").await, 0);
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_where_it_was() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let mut import = begin(&database, "f1").await;
    import.stage(&context("import"), lines(1, 25)).await.unwrap();
    let meanwhile = database.store.begin_import::<Transaction>(&later(60), &Scope::All, &file("f1")).await;
    assert!(matches!(meanwhile.err(), Some(StoreError::InProgress)), "its lease holds");
    let start = database.store.begin_import::<Transaction>(&later(600), &Scope::All, &file("f1")).await.unwrap();
    let mut second = start.import;
    assert_eq!((start.resumed_after, second.staged()), (25, 25));
    let fenced = import.stage(&later(601), lines(26, 30)).await;
    assert!(matches!(fenced, Err(StoreError::Stale)), "whoever slept through his lease cannot write");
    let fenced = write(&database.store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await;
    assert!(matches!(fenced, Err(StoreError::Stale)));
    second.stage(&later(601), lines(26, 40)).await.unwrap();
    let report = write(&database.store, async |tx| second.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!(report.inserted, 40);
    assert_eq!(visible(&database).await, (40, 40));
}

#[tokio::test]
async fn abandoned_imports_are_discarded_and_live_ones_kept() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let mut abandoned = begin(&database, "f1").await;
    abandoned.stage(&context("import"), lines(1, 10)).await.unwrap();
    let start = database.store.begin_import::<Transaction>(&later(500), &Scope::All, &file("f2")).await.unwrap();
    let mut live = start.import;
    live.stage(&later(500), lines(11, 20)).await.unwrap();
    assert_eq!(database.store.discard_abandoned_imports(&later(510)).await.unwrap(), 1);
    assert_eq!(database.number("SELECT COUNT(*) FROM staged_transaction").await, 10);
    let report = write(&database.store, async |tx| live.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
    assert_eq!(report.inserted, 10);
    let gone = write(&database.store, async |tx| abandoned.seal(tx, ConflictRule::Refuse, false).await).await;
    assert!(matches!(gone, Err(StoreError::Stale)));
}

#[tokio::test]
async fn deals_of_a_file_may_be_amended() {
    let database = fresh().await;
    let (program, _) = program(&database.store, "PR").await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [deal("1", "2024-01-05"), deal("2", "2024-01-05")])).await;
    let staged = |stage: &str| Deal { stage: Some(stage.to_owned()), ..deal("1", "2024-01-05") };
    let start = database.store.begin_import::<Deal>(&context("import"), &Scope::All, &file("d")).await.unwrap();
    let mut import = start.import;
    import.stage(&context("import"), of("P", [staged("A"), staged("B"), deal("2", "2024-01-05"), deal("3", "2024-01-05")])).await.unwrap();
    let report = write(&database.store, async |tx| import.seal(tx, ConflictRule::Amend, false).await).await.unwrap();
    assert_eq!((report.inserted, report.conflict_count), (2, 0));
    let plan = FactsPlan { deals: true, ..FactsPlan::state(program, Date::MAX) };
    let loaded = database.store.read(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    let mut deals = loaded.partners["P"].deals.clone();
    deals.sort_by(|left, right| left.id.cmp(&right.id));
    assert_eq!(deals, vec![staged("B"), deal("2", "2024-01-05"), deal("3", "2024-01-05")]);
}
