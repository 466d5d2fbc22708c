//! Measures of the latest facts only: the last two audits, the last three surveys.

use super::*;

const DOCUMENT: &str = "
guerdon: 1
program: {code: L, name: Latest, currency: USD}
version: {effectiveOn: 2020-01-01}
metrics:
  - {key: worse, unit: SCORE, measure: {source: ACTIVITIES, filter: {test: {field: kind, equals: AUDIT}}, window: {lifetime: {}}, latest: 2, aggregate: MINIMUM}}
  - {key: passed, unit: PERCENT, measure: {source: ACTIVITIES, filter: {test: {field: kind, equals: AUDIT}}, window: {lifetime: {}}, latest: 2, aggregate: SHARE, share: {test: {field: value, atLeast: 80}}}}
  - {key: points, unit: POINTS, measure: {source: ACTIVITIES, filter: {test: {field: kind, equals: AUDIT}}, window: {lifetime: {}}, latest: 3, aggregate: SUM}}
  - {key: audits, unit: COUNT, measure: {source: ACTIVITIES, filter: {test: {field: kind, equals: AUDIT}}, window: {lifetime: {}}, latest: 3, aggregate: COUNT}}
  - key: goodSites
    unit: COUNT
    measure: {source: ACTIVITIES, window: {lifetime: {}}, latest: 2, aggregate: COUNT, groupBy: [subject], having: [{aggregate: MINIMUM, atLeast: 80}]}
  - {key: sold, unit: MONEY, measure: {source: TRANSACTIONS, scope: SUBTREE, window: {rolling: {months: 12}}, latest: 2, aggregate: SUM}}
ladders:
  - key: CLASS
    tiers: [{key: C}, {key: A, requirement: {metric: {metric: worse, atLeast: 80}}}]
";

fn latest() -> Program {
    Program::compile(read(DOCUMENT.trim_start(), Format::Yaml).unwrap()).unwrap()
}

fn known(program: &Program) -> Facts {
    facts(
        program,
        serde_json::json!({"partners": [
            {"code": "P",
             "activities": [
                {"id": "a1", "date": "2020-01-10", "kind": "AUDIT", "value": "60", "subject": "NORTH"},
                {"id": "a2", "date": "2020-02-10", "kind": "AUDIT", "value": "85", "subject": "SOUTH", "expiresOn": "2020-06-01"},
                {"id": "a3", "date": "2020-03-10", "kind": "AUDIT", "value": "90", "subject": "NORTH"},
                {"id": "a4", "date": "2020-03-10", "kind": "AUDIT", "value": "79", "subject": "SOUTH"},
                {"id": "a5", "date": "2020-04-10", "kind": "AUDIT", "value": "95", "subject": "NORTH"}],
             "transactions": [{"id": "1", "date": "2020-02-01", "amount": "100.00"}, {"id": "2", "date": "2020-03-01", "amount": "50.00"}]},
            {"code": "C", "attributes": [{"parent": "P"}], "transactions": [{"id": "3", "date": "2020-02-15", "amount": "7.00"}]},
        ]}),
    )
}

#[test]
fn only_the_latest_count() {
    let program = latest();
    let facts = known(&program);
    let on = |day: &str| ["worse", "passed", "points", "audits", "goodSites"].map(|key| value(&program, &facts, key, day));
    assert_eq!(on("2020-01-09"), ["no data", "no data", "0", "0", "0"]);
    assert_eq!(on("2020-01-10"), ["60", "0", "60", "1", "0"]);
    assert_eq!(on("2020-02-10"), ["60", "0.5", "145", "2", "1"]);
    // Of two on one day the one with the larger id is the later one.
    assert_eq!(on("2020-03-10"), ["79", "0.5", "254", "3", "0"]);
    assert_eq!(on("2020-04-10"), ["79", "0.5", "264", "3", "1"]);
    assert_eq!(on("2020-06-01"), ["79", "0.5", "264", "3", "1"]);
}

#[test]
fn of_a_subtree_they_are_the_latest_of_all() {
    let program = latest();
    let facts = known(&program);
    assert_eq!(["2020-02-14", "2020-03-01", "2021-02-15"].map(|day| value(&program, &facts, "sold", day)), ["100", "57", "50"]);
}

/// What only leaves is foreseen; which facts are the latest changes with it.
#[test]
fn the_end_of_a_fact_is_foreseen() {
    let program = latest();
    let input = serde_json::json!({"partners": [{"code": "P", "activities": [
        {"id": "a1", "date": "2020-01-10", "kind": "AUDIT", "value": "60"},
        {"id": "a2", "date": "2020-02-10", "kind": "AUDIT", "value": "85"},
        {"id": "a3", "date": "2020-03-10", "kind": "AUDIT", "value": "90", "expiresOn": "2020-06-01"}]}]});
    let facts = facts(&program, input);
    let risks = crate::levelling::at_risk(&program, &facts, "P", date("2020-04-01"), date("2021-01-01")).unwrap();
    let days: Vec<_> = risks.iter().filter_map(|risk| risk.fails_on).map(|day| day.to_string()).collect();
    assert_eq!(days, ["2020-06-01"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let faults = |from: &str, to: &str| {
        let text = DOCUMENT.replace(from, to);
        let found = Program::compile(read(text.trim_start(), Format::Yaml).unwrap()).unwrap_err();
        found.0.iter().map(|fault| format!("{} {}", fault.code, fault.path)).collect::<Vec<_>>()
    };
    assert_eq!(faults("latest: 2, aggregate: MINIMUM", "latest: 0, aggregate: MINIMUM"), ["OUT_OF_RANGE metrics[0].measure.latest"]);
    assert_eq!(faults("latest: 2, aggregate: MINIMUM", "latest: 2, aggregate: LATEST"), ["OUT_OF_PLACE metrics[0].measure.latest"]);
    assert_eq!(faults("{metric: worse, atLeast: 80}", "{metric: audits, atLeast: 4}"), ["NEVER_MET ladders[0].tiers[1].requirement.metric.atLeast"]);
}
