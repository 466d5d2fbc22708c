//! A change, its audit entry, its events and its idempotency answer are one: all there, or none.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use guerdon_domain::access::Scope;
use guerdon_store::{AuditEntry, Change, Event, Idempotency, StoreError, WriteContext};
use serde_json::json;

use crate::harness::build::context;
use crate::harness::{TestDatabase, fresh};

fn keyed(key: &str, input: &str) -> WriteContext {
    context("createProgram").with_idempotency(Some(Idempotency::new("ann", key, &json!({ "code": input }))))
}

async fn create(database: &TestDatabase, context: &WriteContext, code: &str, runs: &AtomicU32) -> Result<(String, bool), StoreError> {
    let written = database
        .store
        .write(context, async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            let program = tx.create_program(code, code).await?;
            let event = Event { kind: "program.created", object_type: "Program", object_id: code.to_owned(), partner: None, payload: json!({ "code": code }) };
            let entry = AuditEntry::of("Program", code).after(json!({ "code": code }));
            Ok::<_, StoreError>(Change::new(program.id.to_string(), entry).event(event))
        })
        .await?;
    Ok((written.value, written.replayed))
}

async fn counts(database: &TestDatabase) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts.iter_mut().zip(["program", "audit_entry", "outbox_event", "idempotency_record"]) {
        *count = database.number(&format!("SELECT COUNT(*) FROM {table}")).await;
    }
    counts
}

#[tokio::test]
async fn a_change_commits_with_its_companions() {
    let database = fresh().await;
    let runs = AtomicU32::new(0);
    create(&database, &keyed("k", "A"), "A", &runs).await.unwrap();
    assert_eq!(counts(&database).await, [1, 1, 1, 1]);
    let trail = database.store.read(async |tx| tx.list_audit(&Scope::All, 0, 10).await).await.unwrap();
    assert_eq!((trail[0].actor.as_str(), trail[0].operation.as_str(), trail[0].object_id.as_str()), ("tester", "createProgram", "A"));
    assert_eq!(trail[0].occurred_at, crate::harness::build::now());
    let hidden = database.store.read(async |tx| tx.list_audit(&Scope::Partners(vec!["P".to_owned()]), 0, 10).await).await.unwrap();
    assert!(hidden.is_empty());
}

#[tokio::test]
async fn a_failing_change_leaves_no_trace() {
    let database = fresh().await;
    let context = keyed("k", "A");
    let failed = database.store.write(&context, async |tx| {
        tx.create_program("A", "A").await?;
        Err::<Change<()>, _>(StoreError::NotFound)
    });
    assert!(failed.await.is_err());
    assert_eq!(counts(&database).await, [0, 0, 0, 0]);
    let runs = AtomicU32::new(0);
    create(&database, &keyed("k", "A"), "A", &runs).await.expect("the key may be tried again");
}

#[tokio::test]
async fn the_same_key_answers_the_same_and_another_input_is_refused() {
    let database = fresh().await;
    let runs = AtomicU32::new(0);
    let (first, replayed) = create(&database, &keyed("k", "A"), "A", &runs).await.unwrap();
    assert!(!replayed);
    assert_eq!(create(&database, &keyed("k", "A"), "A", &runs).await.unwrap(), (first, true));
    let reused = create(&database, &keyed("k", "B"), "B", &runs).await;
    assert!(matches!(reused, Err(StoreError::KeyReused)));
    assert_eq!((runs.load(Ordering::Relaxed), counts(&database).await), (1, [1, 1, 1, 1]));
    let elsewhere = WriteContext { operation: "other".to_owned(), ..keyed("k", "C") };
    assert!(!create(&database, &elsewhere, "C", &runs).await.unwrap().1, "keys belong to a mutation");
    let another = WriteContext { idempotency: Some(Idempotency::new("bob", "k", &json!({ "code": "D" }))), ..keyed("k", "D") };
    assert!(!create(&database, &another, "D", &runs).await.unwrap().1, "and to a caller");
}

#[tokio::test]
async fn a_key_is_forgotten_after_thirty_days() {
    let database = fresh().await;
    let runs = AtomicU32::new(0);
    create(&database, &keyed("k", "A"), "A", &runs).await.unwrap();
    let on = |days: i64, code: &str| WriteContext { now: context("x").now + TimeDelta::days(days), ..keyed("k", code) };
    assert!(matches!(create(&database, &on(29, "B"), "B", &runs).await, Err(StoreError::KeyReused)));
    assert!(!create(&database, &on(30, "B"), "B", &runs).await.unwrap().1);
    assert!(create(&database, &on(31, "B"), "B", &runs).await.unwrap().1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_copies_at_once_have_one_effect() {
    let database = std::sync::Arc::new(fresh().await);
    let runs = std::sync::Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (database, runs) = (database.clone(), runs.clone());
        tasks.spawn(async move { create(&database, &keyed("k", "A"), "A", &runs).await });
    }
    let (mut first, mut replayed, mut running) = (0, 0, 0);
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            Ok((_, false)) => first += 1,
            Ok((_, true)) => replayed += 1,
            Err(StoreError::InProgress) => running += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((first, replayed + running), (1, 19));
    assert_eq!(counts(&database).await, [1, 1, 1, 1]);
}

#[tokio::test]
async fn nothing_changed_is_said_openly() {
    let database = fresh().await;
    let written = database.store.write(&keyed("k", "A"), async |_| Ok::<_, StoreError>(Change::unchanged(7))).await.unwrap();
    assert_eq!(written.value, 7);
    assert_eq!(counts(&database).await, [0, 0, 0, 1]);
}
