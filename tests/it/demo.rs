//! `guerdon demo` as it is run: prepared from nothing, and prepared again.

use std::process::Command;

use serde_json::Value;

use crate::harness::{empty, is_postgres};

fn prepare(folder: &std::path::Path, url: Option<&str>) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_guerdon"))
        .args(["demo", "--json", "--prepare-only", "--listen", "127.0.0.1:0"])
        .args(url.into_iter().flat_map(|url| ["--database-url", url]))
        .current_dir(folder)
        .env_remove("GUERDON_DATABASE_URL")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{err}");
    assert_eq!(out.lines().count(), 1, "exactly one line: {out}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test]
async fn the_demo_gives_the_figures_of_the_independent_calculation_and_changes_nothing_the_second_time() {
    let golden: Value = serde_json::from_str(include_str!("golden/adventureworks.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // On SQLite the default: a file in the folder in which the demo is run.
    let (url, _kept) = if is_postgres() { empty().await } else { (String::new(), None) };
    let url = is_postgres().then_some(url.as_str());
    let first = prepare(folder.path(), url);
    assert_eq!(folder.path().join("guerdon-data/demo.db").exists(), url.is_none());
    assert_eq!((first["changed"].clone(), first["clock"].clone()), (Value::Bool(true), Value::from("2020-06-01")));
    for (tier, count) in golden["tiers"]["2020-06-01"].as_object().unwrap().iter().filter(|(tier, _)| *tier != "sha256") {
        assert_eq!(&first["counts"]["tiers"][tier], count, "{tier}");
    }
    let owed = golden["rebates"].as_object().unwrap().values().flat_map(|quarter| quarter.as_object().unwrap().values());
    let cents: i64 = owed.map(|schedule| schedule["cents"].as_i64().unwrap()).sum();
    assert_eq!(first["counts"]["rebates"], format!("{}.{:02}", cents / 100, cents % 100));
    assert_eq!((first["counts"]["partners"].clone(), first["counts"]["transactions"].clone()), (Value::from(701), Value::from(57_851 + 259 + 155)));
    let settled = ["FY2020-Q1", "FY2020-Q2", "FY2020-Q3"]
        .map(|quarter| golden["rebates"][quarter].as_object().unwrap().values().map(|of| of["cents"].as_i64().unwrap()).sum::<i64>());
    let settled: i64 = settled.iter().sum();
    assert_eq!(first["counts"]["posted"], format!("{}.{:02}", settled / 100, settled % 100), "what is posted is what was earned");
    let again = prepare(folder.path(), url);
    assert_eq!((&again["changed"], &again["counts"]), (&Value::Bool(false), &first["counts"]));
    let tokens = ["partner", "channelManager", "designer", "finance", "financeApprover", "content", "importer", "auditor", "admin"];
    for name in tokens {
        assert!(again["tokens"][name].as_str().is_some_and(|token| Some(token) != first["tokens"][name].as_str()), "{name} is fresh");
    }
}
