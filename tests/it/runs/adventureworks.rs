//! The AdventureWorks program run quarter by quarter in a database, against the independent calculation.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon::app::jobs::{Progress, claim_next, work_on};
use guerdon::app::programs::ProgramKey;
use guerdon::app::rebates::runs::{
    ApproveRun, CreateRun, Created, PostRun, RunKind, RunState, StoredRun, SubmitRun, approve_run, calculate_run, create_run, find_run, post_run, submit_run,
};
use guerdon::app::{App, Ctx};
use guerdon::clock::{Clock as _, StandingClock};
use guerdon_domain::access::Actor;
use guerdon_store::{Store, StoreOptions};
use serde_json::Value;

use super::preparer;
use crate::api::approver;
use crate::harness::empty;

/// A database as the demonstration prepares it.
async fn prepared() -> (Store, Option<tempfile::TempDir>) {
    let (url, kept) = empty().await;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_guerdon"))
        .args(["demo", "--json", "--prepare-only", "--listen", "127.0.0.1:0", "--database-url", &url])
        .current_dir(std::env::temp_dir())
        .env_remove("GUERDON_DATABASE_URL")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (Store::connect(&url, StoreOptions::default()).await.unwrap(), kept)
}

fn of(actor: Actor, clock: &StandingClock) -> Ctx {
    Ctx::new(actor, "adventureworks", clock.now())
}

/// The posted run of a quarter: the demonstration's, where it settled the quarter, or one made here.
async fn post(app: &App, clock: &StandingClock, period: &str) -> StoredRun {
    let (prepares, approves) = (of(preparer(), clock), of(approver(), clock));
    let asked = CreateRun { program: ProgramKey::Code("ADVENTUREWORKS".into()), period: period.into(), kind: RunKind::Original, reason: None, keyed: None };
    let run = match create_run(app, &prepares, &asked).await.unwrap() {
        Created::New(run) => run,
        Created::Exists(run) => {
            assert_eq!(run.state, RunState::Posted, "{period}");
            return run;
        }
    };
    calculate_run(app, &prepares, run.id, None).await.unwrap();
    // The job alone: nothing else that has become due by the clock of the test, such as reviews.
    while let Some(mut job) = claim_next(app).await.unwrap() {
        loop {
            match work_on(app, &job).await.unwrap() {
                Progress::Done(_) => break,
                more => job = job.after(&more),
            }
        }
    }
    let run = find_run(app, &prepares, run.id).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Calculated, "{period}: {:?}", run.failure);
    let content_hash = run.content_hash.clone().unwrap();
    submit_run(app, &prepares, &SubmitRun { run: run.id, content_hash: content_hash.clone(), keyed: None }).await.unwrap();
    approve_run(app, &approves, &ApproveRun { run: run.id, content_hash: content_hash.clone(), note: None, keyed: None }).await.unwrap();
    post_run(app, &approves, &PostRun { run: run.id, content_hash, keyed: None }).await.unwrap()
}

/// By schedule: minor units, and partners that get any.
async fn stated(app: &App, run: &StoredRun, period: &str) -> BTreeMap<String, (i64, u64)> {
    let mut found: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    let all = app.store.read(async |tx| tx.list_run_statements(run.id, "", 10_000).await).await.unwrap();
    for (code, statement) in all {
        assert_eq!((statement.period.as_str(), statement.carried.minor), (period, 0), "nothing came late: {code}");
        let (cents, partners) = found.entry(statement.schedule).or_default();
        *cents += statement.amount.minor;
        *partners += u64::from(statement.amount.minor != 0);
    }
    found
}

#[tokio::test]
async fn quarters_run_in_the_database_agree_with_an_independent_calculation_to_the_cent() {
    let golden: Value = serde_json::from_str(include_str!("../golden/adventureworks.json")).unwrap();
    let (store, _kept) = prepared().await;
    let clock = StandingClock::on("2020-07-31".parse().unwrap());
    let app = App::new(store).with_clock(Arc::new(clock.clone()));
    let all = std::env::var_os("GUERDON_LONG_TESTS").is_some();
    let wanted = |quarter: &str| all || ["FY2020-Q2", "FY2020-Q3", "FY2020-Q4"].contains(&quarter);
    for (quarter, schedules) in golden["rebates"].as_object().unwrap().iter().filter(|(quarter, _)| wanted(quarter)) {
        let run = post(&app, &clock, quarter).await;
        let found = stated(&app, &run, quarter).await;
        for (schedule, expected) in schedules.as_object().unwrap() {
            let expected = (expected["cents"].as_i64().unwrap(), expected["partners"].as_u64().unwrap());
            assert_eq!(found.get(schedule).copied().unwrap_or_default(), expected, "{quarter} {schedule}");
        }
    }
    assert_eq!(app.store.read(async |tx| tx.verify_ledger().await).await.unwrap(), []);
}
