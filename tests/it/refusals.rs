//! What a program is refused for, through the command that checks documents: each with its path and what to do, all at once.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

const HEAD: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2026-01-01}\nregions: [{key: EMEA}]\n";
const REVENUE: &str = "{key: revenue, unit: MONEY, measure: {source: TRANSACTIONS, window: {rolling: {months: 12}}, aggregate: SUM}}";

/// The faults that `guerdon program validate` lists for a document, as (code, path, message).
fn faults(body: &str) -> Vec<(String, String, String)> {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["program", "validate", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{HEAD}{body}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults = report[0]["faults"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!faults.is_empty())), "{report}");
    let member = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    faults.iter().map(|fault| (member(fault, "code"), member(fault, "path"), member(fault, "message"))).collect()
}

/// Refused for this and for nothing else; the message says so.
fn refused(body: &str, code: &str, path: &str, says: &str) {
    let found = faults(body);
    let [(found_code, found_path, message)] = found.as_slice() else { panic!("{body}: {found:?}") };
    assert_eq!((found_code.as_str(), found_path.as_str()), (code, path), "{message}");
    assert!(message.contains(says), "{message}");
}

#[test]
fn metrics_in_a_circle() {
    let body = "metrics:\n  - {key: a, unit: SCORE, formula: {minimum: [{metric: b}, {constant: 1}]}}\n  - {key: b, unit: SCORE, formula: {maximum: [{metric: c}, {constant: 1}]}}\n  - {key: c, unit: SCORE, formula: {difference: {from: {metric: a}, subtract: {constant: 1}}}}\n";
    refused(body, "CYCLE", "metrics[0]", "metric a -> metric b -> metric c -> metric a");
}

#[test]
fn ladders_in_a_circle() {
    let body = "ladders:\n  - {key: A, main: true, tiers: [{key: ONE, requirement: {tier: {ladder: B, tier: TWO}}}]}\n  - {key: B, tiers: [{key: TWO, requirement: {ladders: {ladders: [A], rankAtLeast: 1, atLeast: 1}}}]}\n";
    refused(body, "CYCLE", "ladders[0]", "ladder A -> ladder B -> ladder A");
    let own = "ladders: [{key: A, tiers: [{key: ONE}, {key: TWO, requirement: {tier: {ladder: A, tier: ONE}}}]}]\n";
    refused(own, "CYCLE", "ladders[0]", "lowerTiersMustHold");
}

#[test]
fn a_metric_against_a_threshold_of_another_unit() {
    let tier = |metric: &str, threshold: &str| {
        format!("metrics: [{metric}]\nladders: [{{key: A, tiers: [{{key: ONE, requirement: {{metric: {{metric: revenue, atLeast: {threshold}}}}}}}]}}]\n")
    };
    refused(&tier(REVENUE, "5 %"), "UNIT_MISMATCH", "ladders[0].tiers[0].requirement.metric.atLeast", "not in PERCENT");
    let share =
        "{key: revenue, unit: PERCENT, measure: {source: TRANSACTIONS, window: {lifetime: {}}, aggregate: SHARE, share: {test: {field: kind, equals: SALE}}}}";
    refused(&tier(share, "5"), "UNIT_MISMATCH", "ladders[0].tiers[0].requirement.metric.atLeast", "write \"5 %\"");
    let wrong = "metrics: [{key: revenue, unit: COUNT, measure: {source: TRANSACTIONS, window: {lifetime: {}}, aggregate: SHARE, share: {test: {field: kind, equals: SALE}}}}]\n";
    refused(wrong, "UNIT_MISMATCH", "metrics[0].unit", "PERCENT");
}

#[test]
fn growth_without_a_word_about_missing_history() {
    let body = format!(
        "metrics:\n  - {REVENUE}\n  - {{key: growth, unit: PERCENT, formula: {{growth: {{of: {{metric: revenue}}, monthsEarlier: 12, mode: PERCENT}}}}}}\n"
    );
    refused(&body, "MISSING_MEMBER", "metrics[1].formula.growth.withoutHistory", "earlier value");
}

#[test]
fn a_window_that_every_review_finds_on_its_first_day() {
    let ladder = |window: &str, review: &str| {
        format!(
            "metrics: [{{key: revenue, unit: MONEY, measure: {{source: TRANSACTIONS, window: {window}, aggregate: SUM}}}}]\n\
             ladders: [{{key: A, review: {review}, tiers: [{{key: ONE, requirement: {{allOf: [{{metric: {{metric: revenue, atLeast: 5}}}}]}}}}]}}]\n"
        )
    };
    let path = "ladders[0].tiers[0].requirement";
    let quarterly = "{cadenceDown: QUARTERLY}";
    refused(&ladder("{calendar: {unit: QUARTER}}", quarterly), "WINDOW_MISFIT", path, "metric revenue looks at the current quarter to date");
    refused(&ladder("{calendar: {unit: MONTH}}", quarterly), "WINDOW_MISFIT", path, "PREVIOUS");
    refused(&ladder("{calendar: {unit: YEAR}}", "{cadenceUp: ANNUAL, cadenceDown: NEVER}"), "WINDOW_MISFIT", path, "year to date");
    // A whole window, a longer one, another year's, or reviews on every day: what they find is not one day.
    let fine = [
        ladder("{calendar: {unit: QUARTER, which: PREVIOUS}}", quarterly),
        ladder("{calendar: {unit: YEAR}}", quarterly),
        ladder("{calendar: {unit: QUARTER}}", "{cadenceDown: CONTINUOUS}"),
        ladder("{rolling: {months: 3}}", quarterly),
    ];
    for body in fine {
        assert_eq!(faults(&body), [], "{body}");
    }
    refused(
        "metrics: [{key: m, unit: COUNT, measure: {source: TRANSACTIONS, window: {rolling: {days: 30, alignment: ALIGNED}}, aggregate: COUNT}}]\n",
        "WINDOW_MISFIT",
        "metrics[0].measure.window.rolling.alignment",
        "no whole calendar unit",
    );
}

#[test]
fn a_threshold_for_a_region_that_does_not_exist() {
    let body = format!(
        "metrics: [{REVENUE}]\nladders: [{{key: A, tiers: [{{key: ONE, requirement: {{metric: {{metric: revenue, atLeast: {{default: 5, rows: [{{region: EMAE, value: 4}}]}}}}}}}}]}}]\n"
    );
    refused(&body, "UNKNOWN_KEY", "ladders[0].tiers[0].requirement.metric.atLeast.rows[0].region", "EMEA");
}

#[test]
fn all_of_it_at_once() {
    let body = format!(
        "metrics:\n  - {REVENUE}\n  - {{key: a, unit: SCORE, formula: {{minimum: [{{metric: a}}, {{constant: 1}}]}}}}\n  \
         - {{key: month, unit: MONEY, measure: {{source: TRANSACTIONS, window: {{calendar: {{unit: MONTH}}}}, aggregate: SUM}}}}\n\
         ladders:\n  - key: A\n    review: {{cadenceDown: MONTHLY}}\n    tiers:\n      - key: ONE\n        requirement:\n          allOf:\n            \
         - metric: {{metric: revenue, atLeast: 5 %}}\n            - metric: {{metric: month, atLeast: {{default: 5, rows: [{{region: EMAE, value: 4}}]}}}}\n"
    );
    let found: Vec<String> = faults(&body).into_iter().map(|(code, path, _)| format!("{code} {path}")).collect();
    let expected = [
        "UNIT_MISMATCH ladders[0].tiers[0].requirement.allOf[0].metric.atLeast",
        "UNKNOWN_KEY ladders[0].tiers[0].requirement.allOf[1].metric.atLeast.rows[0].region",
        "WINDOW_MISFIT ladders[0].tiers[0].requirement",
        "CYCLE metrics[1]",
    ];
    assert_eq!(found, expected);
}
