//! The jobs room: claims, leases, fences, retries, and what people see of it.

use std::sync::Arc;
use std::time::Duration;

use guerdon::app::App;
use guerdon::clock::StandingClock;
use guerdon::config::JobsConfig;
use guerdon::jobs::{Runner, run_due};
use guerdon_store::{Change, JobLease, JobProgress, JobState, NewJob, Store, StoreError, StoredJob};
use serde_json::json;

use crate::api::{Api, auditor, of_partner};
use crate::harness::build::{context, write};
use crate::harness::fresh;

const KIND: &str = "housekeeping";
const LONG: Duration = Duration::from_secs(60);

fn job(key: Option<&str>) -> NewJob {
    NewJob { kind: KIND, unique_key: key.map(str::to_owned), input: json!({"n": 1}), total: Some(3) }
}

async fn enqueue(store: &Store, new: &NewJob) -> StoredJob {
    write(store, async |tx| tx.enqueue_job(new).await).await.unwrap()
}

async fn claim(store: &Store, lease: Duration) -> Option<StoredJob> {
    claim_of(store, KIND, lease).await
}

async fn claim_of(store: &Store, kind: &str, lease: Duration) -> Option<StoredJob> {
    let context = context("worker");
    let claimed = store.write(&context, async |tx| Ok::<_, StoreError>(Change::unchanged(tx.claim_job(&[kind], lease).await?)));
    claimed.await.unwrap().value
}

const fn lease_of(job: &StoredJob) -> JobLease {
    JobLease { id: job.id, fence: job.fence }
}

fn progress(done: u64) -> JobProgress {
    JobProgress { cursor: format!("c{done}"), done, total: Some(3) }
}

async fn find(store: &Store, job: &StoredJob) -> StoredJob {
    store.read(async |tx| tx.find_job(job.id).await).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_live_key_is_there_once_and_free_again_when_the_job_ends() {
    let database = fresh().await;
    let store = &database.store;
    let first = enqueue(store, &job(Some("k"))).await;
    assert_eq!(enqueue(store, &job(Some("k"))).await, first, "the live one is the answer");
    assert_ne!(enqueue(store, &job(None)).await.id, enqueue(store, &job(None)).await.id, "without a key there may be several");
    let held = claim(store, LONG).await.unwrap();
    assert_eq!((held.id, held.state, held.attempts, held.fence), (first.id, JobState::Running, 1, 1));
    assert_eq!(enqueue(store, &job(Some("k"))).await.id, first.id, "running is live too");
    write(store, async |tx| tx.finish_job(lease_of(&held), &json!({"ok": true})).await).await.unwrap();
    let done = find(store, &held).await;
    assert_eq!((done.state, done.done, done.outcome.as_deref()), (JobState::Done, 3, Some("{\"ok\":true}")));
    assert_ne!(enqueue(store, &job(Some("k"))).await.id, first.id);
}

#[tokio::test]
async fn whoever_slept_through_his_lease_writes_nothing_any_more() {
    let database = fresh().await;
    let store = &database.store;
    enqueue(store, &job(None)).await;
    let slow = claim(store, Duration::from_millis(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let quick = claim(store, LONG).await.expect("the lease has run out");
    assert_eq!((quick.id, quick.fence, quick.attempts), (slow.id, 2, 2));
    assert!(claim(store, LONG).await.is_none(), "nothing is claimed twice");
    let too_late = [
        write(store, async |tx| tx.advance_job(lease_of(&slow), &progress(1), LONG).await).await,
        write(store, async |tx| tx.finish_job(lease_of(&slow), &json!({})).await).await,
        write(store, async |tx| tx.fail_job(lease_of(&slow), &json!([]), None).await).await,
        write(store, async |tx| tx.renew_job(lease_of(&slow), LONG).await).await,
        write(store, async |tx| tx.release_job(lease_of(&slow)).await).await,
    ];
    assert!(too_late.iter().all(|result| matches!(result, Err(StoreError::Stale))), "{too_late:?}");
    write(store, async |tx| tx.advance_job(lease_of(&quick), &progress(2), LONG).await).await.unwrap();
    let now = find(store, &quick).await;
    assert_eq!((now.cursor.as_deref(), now.done, now.attempts), (Some("c2"), 2, 0), "tries are counted from the last progress");
    write(store, async |tx| tx.release_job(lease_of(&quick)).await).await.unwrap();
    let third = claim(store, LONG).await.expect("given back");
    assert_eq!((third.fence, third.cursor.as_deref()), (3, Some("c2")));
}

#[tokio::test]
async fn a_failed_try_waits_its_pause_and_keeps_its_fault() {
    let database = fresh().await;
    let store = &database.store;
    enqueue(store, &job(None)).await;
    let held = claim(store, LONG).await.unwrap();
    let fault = json!([{"code": "X", "path": "", "message": "m"}]);
    write(store, async |tx| tx.fail_job(lease_of(&held), &fault, Some(LONG)).await).await.unwrap();
    let waiting = find(store, &held).await;
    assert_eq!((waiting.state, waiting.failure.as_deref()), (JobState::Waiting, Some(fault.to_string().as_str())));
    assert!(claim(store, LONG).await.is_none(), "its pause is not over");
}

#[tokio::test]
async fn many_workers_share_the_jobs_and_none_is_done_twice() {
    let database = fresh().await;
    let store = &database.store;
    for _ in 0..12 {
        enqueue(store, &job(None)).await;
    }
    let worker = async |store: Store| {
        let mut held = Vec::new();
        while let Some(job) = claim(&store, LONG).await {
            held.push(job.id);
        }
        held
    };
    let (one, two, three) = tokio::join!(worker(store.clone()), worker(store.clone()), worker(store.clone()));
    let mut all: Vec<_> = one.into_iter().chain(two).chain(three).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 12);
}

#[tokio::test]
async fn a_day_has_one_housekeeping_and_people_see_jobs_with_their_faults() {
    let api = Api::new().await;
    assert_eq!(run_due(&api.app).await.unwrap(), 1);
    assert_eq!(run_due(&api.app).await.unwrap(), 0, "not twice a day");
    api.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(run_due(&api.app).await.unwrap(), 1);
    let broken = NewJob { kind: "no such kind", ..job(None) };
    let broken = enqueue(&api.app.store, &broken).await;
    let held = claim_of(&api.app.store, "no such kind", LONG).await.unwrap();
    let fault = json!([{"code": "NO_RATE", "path": "rates", "message": "record the rate"}]);
    write(&api.app.store, async |tx| tx.fail_job(lease_of(&held), &fault, None).await).await.unwrap();
    assert_eq!(broken.id, held.id);

    let query =
        "{ jobs(first: 2) { nodes { id kind state done total attempts outcome createdBy faults { code path message } } pageInfo { hasNextPage endCursor } } }";
    let answer = api.ask(auditor(), query).await;
    let nodes = answer.at("/jobs/nodes");
    assert_eq!(
        (&nodes[0]["state"], &nodes[0]["faults"][0]["code"], &nodes[0]["faults"][0]["message"]),
        (&json!("FAILED"), &json!("NO_RATE"), &json!("record the rate"))
    );
    assert_eq!((&nodes[1]["kind"], &nodes[1]["state"], nodes[1]["faults"].as_array().unwrap().len()), (&json!("housekeeping"), &json!("DONE"), 0));
    let cursor = answer.at("/jobs/pageInfo/endCursor").as_str().unwrap();
    let rest = api.ask(auditor(), &format!("{{ jobs(first: 2, after: \"{cursor}\") {{ nodes {{ state }} pageInfo {{ hasNextPage }} }} }}")).await;
    assert_eq!((rest.at("/jobs/nodes").as_array().unwrap().len(), rest.at("/jobs/pageInfo/hasNextPage")), (1, &json!(false)));
    let failed = api.ask(auditor(), "{ jobs(states: [FAILED]) { nodes { kind } } none: jobs(kinds: [\"x\"]) { nodes { kind } } }").await;
    assert_eq!((failed.at("/jobs/nodes").as_array().unwrap().len(), failed.at("/none/nodes")), (1, &json!([])));
    let id = nodes[0]["id"].as_str().unwrap();
    let one = api.ask(auditor(), &format!("{{ job(id: \"{id}\") {{ state }} node(id: \"{id}\") {{ id }} unknown: job(id: \"x\") {{ state }} }}")).await;
    assert_eq!((one.at("/job/state"), one.at("/node/id"), one.at("/unknown")), (&json!("FAILED"), &json!(id), &json!(null)));
    let denied = api.ask(of_partner("A"), "{ jobs { nodes { kind } } }").await;
    assert_eq!(denied.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_job_that_cannot_be_done_is_tried_again_and_then_given_up_readably() {
    let mut api = Api::new().await;
    run_due(&api.app).await.unwrap();
    (api.app.limits.job_pause, api.app.limits.job_attempts_max) = (Duration::ZERO, 3);
    // Its worker ended in the middle of it, again and again: claimed, and never heard of.
    let lost = enqueue(&api.app.store, &job(Some("lost"))).await;
    for _ in 0..3 {
        claim(&api.app.store, Duration::from_millis(1)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(run_due(&api.app).await.unwrap(), 1);
    let lost = find(&api.app.store, &lost).await;
    assert_eq!((lost.state, lost.attempts), (JobState::Failed, 4));
    assert!(lost.failure.unwrap().contains("WORKER_LOST"));
}

#[tokio::test]
async fn the_runner_starts_works_and_stops() {
    let database = fresh().await;
    let app = App::new(database.store.clone()).with_clock(Arc::new(StandingClock::on("2020-06-01".parse().unwrap())));
    let runner = Runner::start(&app, &JobsConfig { workers: 2, poll: Duration::from_millis(10), ..JobsConfig::default() });
    for _ in 0..500 {
        if database.number("SELECT COUNT(*) FROM job WHERE state = 'DONE'").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
    assert_eq!(database.number("SELECT COUNT(*) FROM job WHERE state = 'DONE'").await, 1);
    enqueue(&database.store, &job(None)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(database.number("SELECT COUNT(*) FROM job WHERE state = 'WAITING'").await, 1, "nobody works any more");
    let none = Runner::start(&app, &JobsConfig { workers: 0, poll: Duration::from_millis(10), ..JobsConfig::default() });
    none.stop().await;
}
