//! What fails on the day of a loss is told with its day, whatever kind of condition it is.

use super::*;

/// What threatens tier B of ladder L, which asks for `requirement`.
fn risk_of(requirement: serde_json::Value, input: serde_json::Value, as_of: &str) -> LadderRisk {
    let document = serde_json::json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2015-01-01"},
        "metrics": [{"key": "eng", "noun": "engineer", "unit": "COUNT", "measure": {"source": "HOLDINGS", "aggregate": "COUNT", "window": {"onDay": {}}}}],
        "categories": [{"key": "SW"}, {"key": "HW"}],
        "ladders": [{"key": "L", "tiers": [{"key": "A"}, {"key": "B", "requirement": requirement}]}]});
    let program = compiled(&document.to_string());
    let mut input = input;
    input["code"] = "P".into();
    let facts = facts(&program, serde_json::json!({"partners": [input]}));
    at_risk(&program, &facts, "P", date(as_of), date(as_of).plus_months(12)).unwrap().remove(0)
}

/// Each leaf by key and day.
fn told(risk: &LadderRisk) -> Vec<(String, String)> {
    risk.leaves.iter().map(|leaf| (leaf.leaf.key.clone(), leaf.fails_on.to_string())).collect()
}

fn certificate(until: Option<&str>) -> serde_json::Value {
    serde_json::json!({"id": until.unwrap_or("ever"), "kind": "CERT", "since": "2024-01-01", "until": until})
}

#[test]
fn a_not_whose_content_begins_to_hold() {
    let rule = serde_json::json!({"not": {"metric": {"metric": "eng", "below": 1}}});
    let risk = risk_of(rule, serde_json::json!({"holdings": [certificate(Some("2025-07-01"))]}), "2025-03-31");
    assert_eq!(risk.fails_on, Some(date("2025-07-01")));
    assert_eq!(told(&risk), [("NOT".to_owned(), "2025-07-01".to_owned())]);
    assert_eq!(risk.leaves[0].sentence().text, "must not hold but does: 0 engineers; under 1 is met");
    let json = serde_json::to_value(&risk).unwrap();
    assert_eq!(json["leaves"][0]["leaf"]["sentence"]["form"], "NOT");
}

#[test]
fn a_condition_that_begins_to_hold() {
    let rule = serde_json::json!({"when": {"condition": {"tenure": {"months": 18}}, "requirement": {"metric": {"metric": "eng", "atLeast": 5}}}});
    let facts = serde_json::json!({"holdings": [certificate(None)], "enrollments": [{"since": "2024-01-15"}]});
    assert_eq!(told(&risk_of(rule, facts, "2025-03-31")), [("eng".to_owned(), "2025-07-15".to_owned())]);
}

#[test]
fn groups_that_are_too_few_or_new() {
    let groups = |window: serde_json::Value, least: u32, filter: serde_json::Value| {
        serde_json::json!({"forEach": {"groups": {"source": "TRANSACTIONS", "aggregate": "COUNT", "window": window, "groupBy": ["category"]}, "as": "area",
            "atLeastGroups": least, "requirement": {"holding": {"kind": "CERT", "filter": filter}}}})
    };
    let sold = |date: &str, category: &str| serde_json::json!({"id": date, "date": date, "amount": 1, "category": category});
    let any = serde_json::json!({"test": {"field": "kind", "equals": "CERT"}});
    let few = risk_of(
        groups(serde_json::json!({"rolling": {"months": 12}}), 1, any.clone()),
        serde_json::json!({"holdings": [certificate(None)], "transactions": [sold("2024-09-10", "SW")]}),
        "2025-03-31",
    );
    assert_eq!(told(&few), [("GROUPS".to_owned(), "2025-09-10".to_owned())]);
    let of_area = serde_json::json!({"test": {"field": "category", "equals": "$area"}});
    let quarter = serde_json::json!({"calendar": {"unit": "QUARTER", "which": "PREVIOUS"}});
    let new = risk_of(groups(quarter.clone(), 0, of_area), serde_json::json!({"transactions": [sold("2025-02-10", "SW")]}), "2025-03-31");
    assert_eq!(told(&new), [("CERT".to_owned(), "2025-04-01".to_owned())]);
    assert_eq!(new.leaves[0].leaf.group.as_deref(), Some("SW"));
    // A group that leaves does not stand for the next one.
    let moved = risk_of(
        groups(quarter, 0, any),
        serde_json::json!({"holdings": [certificate(Some("2025-06-01"))], "transactions": [sold("2024-12-10", "HW"), sold("2025-02-10", "SW")]}),
        "2025-03-31",
    );
    assert_eq!(told(&moved), [("CERT".to_owned(), "2025-06-01".to_owned())]);
}

/// What failed on another path and was met again is told once more on the day of the loss.
#[test]
fn what_fails_on_the_day_of_the_loss_is_told_with_that_day() {
    let held = |kind: &str| serde_json::json!({"holding": {"kind": kind}});
    let rule = serde_json::json!({"anyOf": [held("X"), held("Y"), held("Z")]});
    let holding = |id: &str, kind: &str, since: &str, until: &str| serde_json::json!({"id": id, "kind": kind, "since": since, "until": until, "recordedOn": "2024-01-01"});
    let facts = serde_json::json!({"holdings": [
        holding("1", "X", "2024-01-01", "2025-04-10"), holding("2", "X", "2025-05-01", "2025-08-01"), holding("3", "Y", "2024-01-01", "2025-07-01")]});
    let risk = risk_of(rule, facts, "2025-03-31");
    assert_eq!(risk.fails_on, Some(date("2025-08-01")));
    let expected = [("X", "2025-04-10"), ("Y", "2025-07-01"), ("X", "2025-08-01")];
    assert_eq!(told(&risk), expected.map(|(key, day)| (key.to_owned(), day.to_owned())));
}

#[test]
fn an_enrollment_that_ends_is_named() {
    let risk = risk_of(
        serde_json::json!({"not": {"holding": {"kind": "X"}}}),
        serde_json::json!({"enrollments": [{"since": "2024-01-01", "until": "2025-06-01"}]}),
        "2025-03-31",
    );
    assert_eq!(told(&risk), [("ENROLLMENT".to_owned(), "2025-06-01".to_owned())]);
    assert_eq!(risk.leaves[0].sentence().text, "only for partners that are enrolled");
}

/// An admission that runs out on a known day takes the tier away on it, whether the tier asks for something besides or not.
#[test]
fn an_admission_that_runs_out_is_foreseen() {
    let risk = |requirement: &str, admission: serde_json::Value, record: serde_json::Value| {
        let program = compiled(&format!(
            "guerdon: 1\nprogram: {{code: X, name: X, currency: USD}}\nversion: {{effectiveOn: 2015-01-01}}\nladders:\n  - key: L\n    review: {{cadenceDown: ANNUAL}}\n    \
             tiers: [{{key: A}}, {{key: B, entry: BY_APPLICATION, admission: {{validMonths: 12}}{requirement}}}]\n"
        ));
        let input = serde_json::json!({"partners": [{"code": "P", "admissions": admission, "assignments": record}]});
        let facts = facts(&program, input);
        let as_of = date("2025-03-31");
        let risk = at_risk(&program, &facts, "P", as_of, date("2026-03-31")).unwrap().remove(0);
        let standing = Evaluator::new(&program, &facts).standing("P", as_of, Due::ByCalendar).unwrap().ladders.remove(0);
        let first = Evaluator::new(&program, &facts).known_until(as_of).without_trees().first_failures(&standing, "P", as_of, date("2026-03-31")).unwrap();
        assert_eq!(risk.fails_on, first.as_ref().and_then(|first| first.fails_on));
        (risk, first)
    };
    let accepted = |from: &str, until: Option<&str>| serde_json::json!({"ladder": "L", "tier": "B", "kind": "APPLICATION", "from": from, "until": until});
    let record = serde_json::json!([{"ladder": "L", "tier": "B", "from": "2024-08-01"}]);
    let none = serde_json::json!([]);
    for requirement in ["", ", requirement: {not: {holding: {kind: X}}}"] {
        for record in [&record, &none] {
            let (risk, first) = risk(requirement, serde_json::json!([accepted("2024-07-15", None)]), record.clone());
            assert_eq!((risk.tier.as_str(), risk.fails_on), ("B", Some(date("2025-07-15"))));
            for leaf in [&risk.leaves[0], &first.unwrap().leaves[0]] {
                assert_eq!((leaf.leaf.kind, leaf.leaf.key.as_str(), leaf.fails_on), (LeafKind::Admission, "APPLICATION", date("2025-07-15")));
                assert_eq!(leaf.sentence().text, "an accepted application for B is needed");
            }
        }
    }
    // Ended as of a later day; renewed ahead; imported, so that nobody needs to let it in.
    let ended = risk("", serde_json::json!([accepted("2024-07-15", Some("2025-05-01"))]), record.clone()).0;
    assert_eq!(ended.fails_on, Some(date("2025-05-01")));
    let renewed = risk("", serde_json::json!([accepted("2024-07-15", None), accepted("2025-07-01", None)]), record.clone()).0;
    assert_eq!((renewed.fails_on, renewed.leaves.len()), (None, 0));
    let imported = risk("", none, record).0;
    assert_eq!((imported.tier.as_str(), imported.fails_on), ("B", None));
}

/// An override that gives the tier holds it, also where the last review gave it too and no override has to step in yet.
#[test]
fn a_tier_that_an_override_holds_is_not_at_risk() {
    let program = compiled(
        "guerdon: 1\nprogram: {code: X, name: X, currency: USD}\nversion: {effectiveOn: 2015-01-01}\nladders:\n  - key: L\n    review: {cadenceDown: MONTHLY}\n    \
         tiers: [{key: A}, {key: B, requirement: {holding: {kind: X}}}]\n",
    );
    let risks = |overrides: serde_json::Value| {
        let record = serde_json::json!([{"ladder": "L", "tier": "B", "from": "2024-08-01"}]);
        let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "overrides": overrides, "assignments": record}]}));
        let as_of = date("2025-03-15");
        let standing = Evaluator::new(&program, &facts).standing("P", as_of, Due::ByCalendar).unwrap().ladders.remove(0);
        let first = Evaluator::new(&program, &facts).known_until(as_of).first_failures(&standing, "P", as_of, date("2026-03-31")).unwrap();
        let risks = at_risk(&program, &facts, "P", as_of, date("2026-03-31")).unwrap();
        assert_eq!(first.is_some(), !risks.is_empty());
        risks.len()
    };
    let over = |kind: &str, tier: &str, from: &str| serde_json::json!([{"ladder": "L", "kind": kind, "tier": tier, "from": from, "until": "2025-09-01", "reason": "x"}]);
    assert_eq!(risks(serde_json::json!([])), 1);
    assert_eq!(risks(over("FLOOR", "B", "2025-03-01")), 0);
    assert_eq!(risks(over("PIN", "B", "2025-03-01")), 0);
    assert_eq!(risks(over("CEILING", "B", "2025-03-01")), 1, "a ceiling holds nothing up");
    assert_eq!(risks(over("FLOOR", "A", "2025-03-01")), 1, "a lower one");
    assert_eq!(risks(over("FLOOR", "B", "2025-04-01")), 1, "not yet");
}
