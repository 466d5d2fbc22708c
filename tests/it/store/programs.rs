//! Programs and versions: a published one never changes.

use guerdon_store::{NewApiKey, StoreError, VersionState};
use sea_orm::ConnectionTrait;

use crate::harness::build::{date, draft, now, write};
use crate::harness::fresh;

#[tokio::test]
async fn drafts_change_and_published_versions_never() {
    let database = fresh().await;
    let store = &database.store;
    let program = write(store, async |tx| tx.create_program("PR", "Partners").await).await.unwrap();
    let first = write(store, async |tx| tx.insert_draft(program.id, draft("2024-01-01")).await).await.unwrap();
    assert_eq!((first.number, first.state, first.row_version), (1, VersionState::Draft, 1));
    let edited = guerdon_store::NewDraft { document: "{\"a\":1}".to_owned(), ..draft("2024-02-01") };
    let changed = write(store, async |tx| tx.update_draft(first.id, 1, edited.clone()).await).await.unwrap();
    assert_eq!((changed.row_version, changed.effective_on), (2, date("2024-02-01")));
    let stale = write(store, async |tx| tx.update_draft(first.id, 1, edited.clone()).await).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let published = write(store, async |tx| tx.publish_version(first.id, 2).await).await.unwrap();
    assert_eq!((published.state, published.published_at, published.published_by.as_deref()), (VersionState::Published, Some(now()), Some("tester")));
    for result in [
        write(store, async |tx| tx.update_draft(first.id, 3, edited.clone()).await.map(drop)).await,
        write(store, async |tx| tx.publish_version(first.id, 3).await.map(drop)).await,
        write(store, async |tx| tx.delete_draft(first.id, 3).await).await,
    ] {
        assert!(matches!(result, Err(StoreError::Stale)), "{result:?}");
    }
    let beside = database.beside().await;
    for sql in ["UPDATE program_version SET document = 'x'", "DELETE FROM program_version"] {
        assert!(beside.execute_unprepared(sql).await.unwrap_err().to_string().contains("program_version_immutable"));
    }
    let document = store.read(async |tx| tx.find_document(first.id).await).await.unwrap();
    assert_eq!(document.as_deref(), Some("{\"a\":1}"));
}

#[tokio::test]
async fn the_version_in_force_is_the_latest_effective_one_that_is_published() {
    let database = fresh().await;
    let store = &database.store;
    let program = write(store, async |tx| tx.create_program("PR", "Partners").await).await.unwrap();
    for effective in ["2025-01-01", "2024-01-01"] {
        let publish = write(store, async |tx| {
            let draft = tx.insert_draft(program.id, draft(effective)).await?;
            tx.publish_version(draft.id, 1).await
        });
        publish.await.unwrap();
    }
    write(store, async |tx| tx.insert_draft(program.id, draft("2024-06-01")).await).await.unwrap();
    let in_force = async |day: &str| store.read(async |tx| tx.find_version_in_force(program.id, date(day)).await).await.unwrap().map(|version| version.number);
    assert_eq!(in_force("2023-12-31").await, None);
    assert_eq!(in_force("2024-01-01").await, Some(2));
    assert_eq!(in_force("2024-12-31").await, Some(2));
    assert_eq!(in_force("2025-01-01").await, Some(1));
    let same_day = write(store, async |tx| {
        let draft = tx.insert_draft(program.id, draft("2024-01-01")).await?;
        tx.publish_version(draft.id, 1).await
    });
    let error = same_day.await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { constraint } if constraint == "program_version_effective_key"), "{error:?}");
    let listed = store.read(async |tx| tx.list_published_versions(program.id).await).await.unwrap();
    assert_eq!(listed.iter().map(|version| version.number).collect::<Vec<_>>(), vec![2, 1]);
    assert_eq!(store.read(async |tx| tx.find_draft(program.id).await).await.unwrap().unwrap().number, 3);
    let found = store.read(async |tx| tx.find_program("PR").await).await.unwrap().unwrap();
    assert_eq!((found, store.read(async |tx| tx.list_programs().await).await.unwrap().len()), (program, 1));
}

#[tokio::test]
async fn keys_are_kept_as_digests_and_revoked_once() {
    let database = fresh().await;
    let store = &database.store;
    let key = NewApiKey {
        public_id: "gk_1".to_owned(),
        secret_digest: [7; 32],
        label: "importer".to_owned(),
        person: "svc".to_owned(),
        roles: "[]".to_owned(),
        expires_at: Some(now()),
    };
    write(store, async |tx| tx.insert_api_key(&key).await).await.unwrap();
    let find = async || store.read(async |tx| tx.find_api_key("gk_1").await).await.unwrap().unwrap();
    assert_eq!((find().await.secret_digest, find().await.expires_at, find().await.revoked_at), (vec![7; 32], Some(now()), None));
    write(store, async |tx| tx.touch_api_key("gk_1", date("2026-03-01").naive()).await).await.unwrap();
    assert_eq!(find().await.last_used_on, Some(date("2026-03-01").naive()));
    write(store, async |tx| tx.revoke_api_key("gk_1").await).await.unwrap();
    assert_eq!(find().await.revoked_at, Some(now()));
    assert!(matches!(write(store, async |tx| tx.revoke_api_key("gk_1").await).await, Err(StoreError::NotFound)));
}
