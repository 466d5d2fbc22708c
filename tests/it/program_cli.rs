//! `guerdon program` without a database, as a process: output and exit codes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn guerdon(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guerdon")).arg("program").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const GOOD: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2026-01-01}\nladders: [{key: L, tiers: [{key: BASE}]}]\n";
const SCENARIO: &str = "scenarios: [{name: one, asOf: 2026-02-01, facts: {partners: [{code: A}]}, expect: [{ladders: [{tier: BASE}]}]}]\n";

#[test]
fn tests_end_in_counts_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good.yaml", &format!("{GOOD}{SCENARIO}"));
    let empty = file(folder.path(), "empty.yaml", GOOD);
    let failing = file(folder.path(), "failing.yaml", &format!("{GOOD}{}", SCENARIO.replace("tier: BASE", "tier: NONE")));
    let broken = file(folder.path(), "broken.yaml", "guerdon: 1\n");
    let cases: [(&[&str], i32, &str); 5] = [
        (&["test", &good], 0, "documents: 1, scenarios: 1, failures: 0"),
        (&["test", &good, &empty], 0, "documents: 2, scenarios: 1, failures: 0"),
        (&["test", &good, &empty, "--require-scenarios"], 1, "documents: 2, scenarios: 1, failures: 1"),
        (&["test", &failing, &good], 1, "documents: 2, scenarios: 2, failures: 1"),
        (&["test", &broken, &good], 1, "documents: 2, scenarios: 1, failures: 1"),
    ];
    for (arguments, code, last) in cases {
        let output = guerdon(arguments);
        assert_eq!((output.status.code(), text(&output).lines().last()), (Some(code), Some(last)), "{arguments:?}");
    }
    let told = text(&guerdon(&["test", &failing]));
    assert!(told.contains("expected: NONE") && told.contains("actual:   BASE"), "{told}");
    let told = text(&guerdon(&["test", &broken]));
    assert!(told.contains("FAULT program: `program` is missing") && told.contains("FAULT version"), "{told}");
    let output = guerdon(&["test", "--json", &failing]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(
        (output.status.code(), &report["counts"]["failures"], &report["documents"][0]["scenarios"][0]["failures"][0]["at"]),
        (Some(1), &1.into(), &"ladders.L.tier".into())
    );
}

#[test]
fn validation_lists_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good.yaml", GOOD);
    let bad = file(folder.path(), "bad.yaml", &format!("{GOOD}metrics: [{{key: a b, unit: COUNT}}]\ngrants: [{{benefit: x, value: {{access: true}}}}]\n"));
    assert_eq!(guerdon(&["validate", &good]).status.code(), Some(0));
    let output = guerdon(&["validate", &good, &bad]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("good.yaml: valid, digest ") && told.contains("bad.yaml: 3 faults") && told.contains("grants[0].benefit: there is no benefit `x`"),
        "{told}"
    );
    let report: Value = serde_json::from_str(&text(&guerdon(&["validate", "--json", &bad]))).unwrap();
    assert_eq!(report[0]["faults"][0]["code"], "INVALID_KEY");
    assert_eq!(guerdon(&["validate", "/nonexistent"]).status.code(), Some(1));
}

#[test]
fn differences_are_told_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let one = file(folder.path(), "one.yaml", GOOD);
    let other = file(folder.path(), "other.json", &GOOD.replace("name: P,", "name: Q,").replace("{key: BASE}", "{key: BASE}, {key: GOLD}"));
    std::fs::rename(&other, folder.path().join("other.yaml")).unwrap();
    let other = folder.path().join("other.yaml").to_str().unwrap().to_owned();
    assert_eq!(text(&guerdon(&["diff", &one, &one])), "no change\n");
    let output = guerdon(&["diff", &one, &other]);
    assert_eq!((output.status.code(), text(&output).as_str()), (Some(0), "~ program.name: \"P\" -> \"Q\"\n+ ladders[L].tiers[GOLD]: {\"key\":\"GOLD\"}\n"));
    assert_eq!(guerdon(&["diff", "--exit-code", &one, &other]).status.code(), Some(1));
    assert_eq!(guerdon(&["diff", "--exit-code", &one, &one]).status.code(), Some(0));
}

/// What the earlier of two documents carries on and the later one does not take over is told, as against what is published.
#[test]
fn a_difference_tells_what_is_carried_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let carries = "rebateSchedules: [{key: R, period: {month: {}}, method: {flat: {rate: 1 %}}, minimumPayout: {amount: 50, below: CARRY}}]\n";
    let one = file(folder.path(), "one.yaml", &format!("{GOOD}{carries}"));
    let later = |schedules: &str| GOOD.replace("effectiveOn: 2026-01-01", "effectiveOn: 2026-07-01") + schedules;
    let without = file(folder.path(), "without.yaml", &later(""));
    let note = "  note: rebateSchedules: R of the earlier document carries small payouts or negative bases on,";
    let told = text(&guerdon(&["diff", &one, &without]));
    assert!(told.contains(note) && told.ends_with("by nobody (CARRY_ENDS)\n"), "{told}");
    let json = guerdon(&["diff", "--json", &one, &without]);
    assert!(String::from_utf8_lossy(&json.stderr).contains(note) && serde_json::from_str::<Value>(&text(&json)).is_ok());
    let with = file(folder.path(), "with.yaml", &later(&carries.replace("amount: 50", "amount: 40")));
    assert!(!text(&guerdon(&["diff", &one, &with])).contains("note"), "taken over");
    assert!(!text(&guerdon(&["diff", &without, &one])).contains("note"), "the other way round");
}

#[test]
fn the_schema_is_json() {
    let schema: Value = serde_json::from_str(&text(&guerdon(&["schema"]))).unwrap();
    assert_eq!((&schema["$id"], &schema["title"]), (&"urn:guerdon:program-document:1".into(), &"Guerdon program document".into()));
}

#[test]
fn what_was_applied_applies_again_without_a_difference() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("guerdon.db").display());
    let migrated = Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["migrate", "--database-url", &url]).output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let document = "examples/programs/reseller-tiers.yaml";
    let first = guerdon(&["apply", document, "--database-url", &url]);
    assert!(first.status.success() && text(&first).contains("RESELLER: version 1 published"), "{} {}", text(&first), String::from_utf8_lossy(&first.stderr));
    let exported = folder.path().join("exported.yaml");
    let exported = exported.to_str().unwrap();
    assert!(guerdon(&["export", "RESELLER", "--output", exported, "--database-url", &url]).status.success());
    assert_eq!(text(&guerdon(&["diff", exported, "--database-url", &url])), "no change\n");
    assert_eq!(text(&guerdon(&["diff", document, exported])), "no change\n");
    let again = guerdon(&["apply", exported, "--database-url", &url]);
    assert!(again.status.success() && text(&again).starts_with("no change\n"), "{} {}", text(&again), String::from_utf8_lossy(&again.stderr));
    // A dry run refuses what publishing refuses, and stores nothing.
    let other = std::fs::read_to_string(exported).unwrap().replacen("name: Reseller program", "name: Another name", 1);
    let other = file(folder.path(), "other.yaml", &other);
    for arguments in [["apply", &other, "--dry-run"].as_slice(), &["apply", &other]] {
        let refused = guerdon(&[arguments, &["--database-url", &url]].concat());
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("EFFECTIVE_DATE_TAKEN"), "{arguments:?}: {}", text(&refused));
    }
    assert!(guerdon(&["apply", exported, "--dry-run", "--database-url", &url]).status.success(), "what is published already");
    let bad = file(folder.path(), "bad.yaml", "guerdon: 1\n");
    assert_eq!(guerdon(&["apply", &bad, "--database-url", &url]).status.code(), Some(1));
    assert_eq!(guerdon(&["export", "NOBODY", "--database-url", &url]).status.code(), Some(1));
}

#[test]
fn what_a_version_carries_and_nobody_takes_over_is_told_where_it_is_compared_and_applied() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("guerdon.db").display());
    assert!(Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["migrate", "--database-url", &url]).status().unwrap().success());
    let schedule = "rebateSchedules: [{key: own, period: {quarter: {}}, method: {flat: {rate: 1 %}}, minimumPayout: {amount: 10, below: CARRY}}]\n";
    let first = file(folder.path(), "first.yaml", &format!("{GOOD}{schedule}"));
    let applied = guerdon(&["apply", &first, "--database-url", &url]);
    assert!(applied.status.success() && !text(&applied).contains("note:"), "{}", text(&applied));
    let second = file(folder.path(), "second.yaml", &GOOD.replace("2026-01-01", "2026-04-01"));
    for arguments in [["diff", &second].as_slice(), &["apply", &second, "--dry-run"], &["apply", &second]] {
        let told = guerdon(&[arguments, &["--database-url", &url]].concat());
        assert!(told.status.success() && text(&told).contains("note: rebateSchedules: own of version 1 carries"), "{arguments:?}: {}", text(&told));
    }
}

#[test]
fn a_difference_shows_whom_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let metric = "metrics: [{key: sales, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {rolling: {months: 12}}}}]\n";
    let tiers = "ladders: [{key: L, tiers: [{key: BASE}, {key: GOLD, requirement: {metric: {metric: sales, atLeast: 100}}}]}]\n";
    let program = format!("{}{metric}{tiers}", GOOD.split("ladders").next().unwrap());
    let one = file(folder.path(), "one.yaml", &program);
    let other = file(folder.path(), "other.yaml", &program.replace("atLeast: 100", "atLeast: 150"));
    let sale = |code: &str, amount: u32| format!("  - {{code: {code}, transactions: [{{id: a, date: 2026-02-01, amount: {amount}}}]}}\n");
    let facts = file(folder.path(), "facts.yaml", &format!("partners:\n{}{}{}", sale("A", 120), sale("B", 148), sale("C", 500)));
    let simulate = |further: &[&str]| guerdon(&[&["diff", &one, &other, "--simulate", "--facts", &facts, "--as-of", "2026-06-30"], further].concat());
    let told = text(&simulate(&[]));
    for expected in [
        "~ ladders[L].tiers[GOLD].requirement.metric.atLeast: 100 -> 150",
        "3 partners judged as of 2026-06-30: 0 tiers go up, 2 go down",
        "| before \\ after | BASE | GOLD |",
        "| GOLD           |    2 |    1 |",
        "GOLD: sales: USD 120 of USD 150; USD 30 more needed (100 was asked before)",
        "| B       | L      | misses | GOLD | 1.3 % |",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    let report: Value = serde_json::from_str(&text(&simulate(&["--json", "--partner", "A"]))).unwrap();
    assert_eq!((&report["simulation"]["partners"], &report["simulation"]["moves"][0]["to"]), (&1.into(), &"BASE".into()));
    assert_eq!(guerdon(&["diff", &one, &other, "--simulate"]).status.code(), Some(1), "facts are missing");
}
