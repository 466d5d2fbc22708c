use std::process::Command;

use serde_json::Value;

use super::seed::{bench, seed};
use crate::harness::fresh;

fn evaluate(arguments: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["bench", "evaluate"]).args(arguments).output().expect("runs");
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn an_evaluation_without_a_database_prints_its_unit_and_figures() {
    let (success, out, err) = evaluate(&["--partners", "20", "--rounds", "1", "--json"]);
    assert!(success, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((report["partners"].as_u64(), report["tiers"].as_u64()), (Some(20), Some(6)));
    assert!(report["unit"].as_str().unwrap().contains("explanation"));
    assert!(report["measured"].as_array().unwrap().iter().all(|row| row["evaluationsPerSecond"].as_f64().unwrap() > 0.0));
}

#[tokio::test]
async fn a_review_finds_the_tiers_that_the_same_rules_find_in_sql() {
    let database = fresh().await;
    seed(&database, "7");
    let (success, out, err) = bench(&["review", "--rounds", "2"], &database.url);
    assert!(success, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["partners"], 40);
    for round in report["rounds"].as_array().unwrap() {
        assert_eq!((round["agrees"].as_bool(), round["standings"].as_i64()), (Some(true), Some(80)), "{round}");
    }
    let (success, _, err) = bench(&["review", "--rounds", "1"], &fresh().await.url);
    assert!(!success && !err.is_empty(), "a database without the synthetic program has nothing to review");
}

#[tokio::test]
async fn a_simulation_finds_the_tiers_that_the_changed_rules_find_in_sql() {
    let database = fresh().await;
    seed(&database, "7");
    let (success, out, err) = bench(&["simulate", "--rounds", "1"], &database.url);
    assert!(success, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let of = |case: &str| report["timings"].as_array().unwrap().iter().find(|timing| timing["case"] == case).unwrap().clone();
    assert_eq!((&of("rules")["agrees"], &of("rules")["partners"]), (&Value::Bool(true), &Value::from(40)));
    assert_eq!((of("same")["moves"].as_u64(), of("rate")["moves"].as_u64()), (Some(0), Some(0)));
    assert!(of("slice")["partners"].as_u64().unwrap() < 40);
    let (success, _, err) = bench(&["simulate", "--case", "nothing"], &database.url);
    assert!(!success && err.contains("UNKNOWN_CASE"), "{err}");
}

#[tokio::test]
async fn reads_are_driven_over_loopback_and_told_with_their_statements() {
    let database = fresh().await;
    seed(&database, "7");
    let (success, out, err) = bench(&["reads", "--requests", "40", "--connections", "4"], &database.url);
    assert!(success, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let measured = report["measured"].as_array().unwrap();
    let statements = |query: &str| measured.iter().find(|one| one["query"] == query).unwrap()["statementsPerRequest"].as_f64().unwrap();
    assert_eq!(statements("hello"), 0.0);
    assert!(statements("one") > 0.0 && statements("fifty") < 2.0 * statements("one") + 3.0, "{report}");
    assert!(measured.iter().all(|one| one["requestsPerSecond"].as_f64().unwrap() > 0.0));
    let (success, _, err) = bench(&["reads", "--query", "nothing"], &database.url);
    assert!(!success && err.contains("UNKNOWN_QUERY"), "{err}");
}
