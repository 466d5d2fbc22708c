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
