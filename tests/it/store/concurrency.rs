//! Many at once.

use std::sync::Arc;
use std::time::Duration;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Span;
use guerdon_migration::{Migrator, MigratorTrait};
use guerdon_store::{Change, ConflictRule, NewBatch, NewEnrollment, StoreError, StoreOptions};

use crate::harness::build::{audit, context, of, partner, partners, program, record, sale, today, write};
use crate::harness::{fresh, is_postgres};

/// Read, then write, in one transaction: what fails at once on SQLite unless the transaction is immediate.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_writers_do_not_lock_each_other_out() {
    let database = fresh().await;
    let (program, _) = program(&database.store, "P").await;
    let store = Arc::new(database.another(StoreOptions { acquire_timeout: Duration::from_secs(30), ..StoreOptions::default() }).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..5 {
                write(&store, async |tx| {
                    tx.list_versions(program).await?;
                    tx.insert_draft(program, crate::harness::build::draft("2030-01-01")).await.map(drop)
                })
                .await?;
            }
            Ok::<_, StoreError>(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap().unwrap();
    }
    let numbers: Vec<i64> = database.store.read(async |tx| tx.list_versions(program).await).await.unwrap().iter().map(|version| version.number).collect();
    assert_eq!(numbers, (1..=101).rev().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overlapping_batches_at_once_count_each_fact_once() {
    let database = Arc::new(fresh().await);
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..8_i64 {
        let database = database.clone();
        tasks.spawn(async move {
            let mut inserted = 0;
            for round in 0..5 {
                // In another order each, so that locks would cross if they were taken as the lines come.
                let mut lines: Vec<_> = (0..20).map(|n| sale(&format!("{}", (n * 7 + worker * 3 + round) % 60), "2024-01-05", 100)).collect();
                if worker % 2 == 0 {
                    lines.reverse();
                }
                let report = record(&database.store, of("P", lines)).await;
                assert_eq!(report.conflict_count, 0);
                inserted += report.inserted;
            }
            inserted
        });
    }
    let mut inserted = 0;
    while let Some(result) = tasks.join_next().await {
        inserted += result.unwrap();
    }
    let count = database.store.read(async |tx| tx.count_transactions(&Scope::All, ids[0], Span::ALWAYS).await).await.unwrap();
    assert_eq!(inserted as i64, count);
    assert_eq!(database.store.read(async |tx| tx.verify_rollups(9).await).await.unwrap(), Vec::new());
    let seals = database.number("SELECT COUNT(*) FROM import_batch WHERE state = 'SEALED'").await;
    assert_eq!(database.number("SELECT MAX(seal_number) FROM import_batch").await, seals);
}

/// The same partners, products and enrollments made by several at once exist once, and nobody is told of a conflict.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_partners_made_at_once_exist_once() {
    let database = Arc::new(fresh().await);
    let (program, _) = program(&database.store, "PR").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let database = database.clone();
        tasks.spawn(async move {
            let rows: Vec<_> = (0..20).map(|n| partner(&format!("P{n}"), "DE")).collect();
            let ids = partners(&database.store, &rows).await;
            crate::harness::build::products(&database.store, &[("A", "X"), ("B", "Y")]).await;
            let since = crate::harness::build::date("2024-01-01");
            let all: Vec<NewEnrollment> = ids.iter().map(|partner| NewEnrollment { partner: *partner, since, track: None, region: None }).collect();
            write(&database.store, async |tx| tx.enroll_partners(program, &all).await.map(|new| new.len())).await.unwrap()
        });
    }
    let mut enrolled = 0;
    while let Some(result) = tasks.join_next().await {
        enrolled += result.unwrap();
    }
    assert_eq!(enrolled, 20);
    assert_eq!(database.number("SELECT COUNT(*) FROM partner").await, 20);
}

#[tokio::test]
async fn a_read_is_one_snapshot() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    database
        .store
        .read(async |tx| {
            assert_eq!(tx.count_transactions(&Scope::All, ids[0], Span::ALWAYS).await?, 0);
            record(&database.store, of("P", [sale("1", "2024-01-05", 1)])).await;
            assert_eq!(tx.count_transactions(&Scope::All, ids[0], Span::ALWAYS).await?, 0);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_writer_that_waits_too_long_is_told_that_it_is_busy() {
    let database = fresh().await;
    let impatient =
        StoreOptions { writers: 1, acquire_timeout: Duration::from_millis(200), lock_timeout: Duration::from_millis(200), ..StoreOptions::default() };
    let store = database.another(impatient).await;
    let began = std::time::Instant::now();
    let (waiting, held) = (context("inner"), context("outer"));
    let outer = store.write(&held, async |_| {
        let inner = store.write(&waiting, async |_| Ok::<_, StoreError>(Change::unchanged(()))).await;
        assert!(matches!(inner, Err(StoreError::Busy)), "{inner:?}");
        Ok::<_, StoreError>(Change::new((), audit()))
    });
    outer.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// The journal is kept in the file; sqlx leaves it as it is unless told.
#[tokio::test]
async fn sqlite_writes_ahead() {
    let database = fresh().await;
    if !is_postgres() {
        assert_eq!(database.texts("PRAGMA journal_mode").await, vec!["wal".to_owned()]);
    }
}

/// A database in memory is one connection, that reads and writes.
#[tokio::test]
async fn a_database_in_memory_works() {
    let store = guerdon_store::Store::connect("sqlite::memory:", StoreOptions::default()).await.unwrap();
    store.prepare_in_memory(async |connection| Migrator::up(connection, None).await).await.unwrap();
    let ids = partners(&store, &[partner("P", "DE")]).await;
    assert_eq!(record(&store, of("P", [sale("1", "2024-01-05", 1)])).await.inserted, 1);
    let count = store.read(async |tx| tx.count_transactions(&Scope::All, ids[0], Span::ALWAYS).await).await.unwrap();
    assert_eq!(count, 1);
}

/// What a web server needs: a read and a write are futures that may move between threads.
#[tokio::test]
async fn doors_can_be_used_from_spawned_tasks() {
    let database = fresh().await;
    let store = database.store.clone();
    let task = tokio::spawn(async move {
        let rows = vec![partner("P", "DE")];
        let context = context("spawned");
        let upserted =
            store.write(&context, async |tx| Ok::<_, StoreError>(Change::new(tx.upsert_partners(&Scope::All, &rows, today()).await?, audit()))).await?;
        let facts = of("P", [sale("1", "2024-01-05", 1)]);
        store
            .write(&context, async |tx| {
                let report = tx.record_facts(&Scope::All, &NewBatch::of_source("shop"), ConflictRule::Refuse, facts.clone()).await?;
                Ok::<_, StoreError>(Change::new(report, audit()))
            })
            .await?;
        let codes = vec!["P".to_owned()];
        let found = store.read(async |tx| tx.partners_by_code_many(&Scope::All, &codes).await).await?;
        Ok::<_, StoreError>((upserted.value.len(), found.len()))
    });
    assert_eq!(task.await.unwrap().unwrap(), (1, 1));
}
