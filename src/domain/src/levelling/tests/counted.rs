//! Ladders that are counted by a ladder with a policy of its own.

use super::*;

fn program() -> Program {
    compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [
            {"key": "MAIN", "main": true, "review": {"cadenceDown": "ANNUAL", "grace": {"days": 30}},
                "tiers": [{"key": "BASIC"}, {"key": "GOLD", "requirement": {"ladders": {"rankAtLeast": 1, "atLeast": 2}}}]},
            {"key": "SEA", "tiers": [{"key": "HELD", "requirement": {"holding": {"kind": "BADGE", "type": "SEA"}}}]},
            {"key": "LAND", "tiers": [{"key": "HELD", "requirement": {"holding": {"kind": "BADGE", "type": "LAND"}}}]},
            {"key": "ELITE", "tiers": [{"key": "HELD", "requirement": {"ladders": {"ladders": ["SEA", "LAND"], "rankAtLeast": 1, "atLeast": 1}}}]}]}"#,
    )
}

/// The ladder that counts is not among those that it counts: neither a grace period nor a forecast looks for itself in itself.
#[test]
fn a_ladder_with_a_grace_period_may_count_other_ladders() {
    let program = program();
    let input = serde_json::json!({"partners": [{"code": "P", "assignments": [{"ladder": "MAIN", "tier": "GOLD", "from": "2020-05-01"}],
        "holdings": [{"id": "s", "kind": "BADGE", "type": "SEA", "since": "2020-01-01", "until": "2020-11-15"}]}]});
    let facts = facts(&program, input);
    let tier = |day: &str| {
        let standing = evaluate_partner(&program, &facts, "P", date(day)).unwrap();
        standing.ladder(Some("MAIN"), None).and_then(|held| held.tier.clone()).unwrap()
    };
    // SEA and ELITE count until SEA lapses; the review of 1 January finds it, and the tier goes thirty days later.
    assert_eq!(["2020-11-15", "2021-01-01", "2021-01-30", "2021-01-31"].map(tier), ["GOLD", "GOLD", "GOLD", "BASIC"]);
    let risks = at_risk(&program, &facts, "P", date("2020-11-01"), date("2021-06-01")).unwrap();
    assert_eq!(risks.iter().find(|risk| risk.ladder == "MAIN").and_then(|risk| risk.fails_on), Some(date("2020-11-15")));
}

#[test]
fn what_a_lower_tier_or_the_ladder_itself_asks_is_named_when_it_fails() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [{"key": "MAIN", "lowerTiersMustHold": true, "appliesTo": {"contract": {}}, "tiers": [
            {"key": "SILVER", "requirement": {"holding": {"kind": "PLAN"}}}, {"key": "GOLD", "requirement": {"holding": {"kind": "FEE"}}}]}]}"#,
    );
    let input = serde_json::json!({"partners": [{"code": "P", "contracts": [{"key": "1", "from": "2020-01-01", "until": "2020-09-01"}],
        "holdings": [{"id": "p", "kind": "PLAN", "since": "2020-01-01", "until": "2020-07-01"}, {"id": "f", "kind": "FEE", "since": "2020-01-01", "until": "2020-08-01"}]}]});
    let risks = at_risk(&program, &facts(&program, input), "P", date("2020-06-01"), date("2021-06-01")).unwrap();
    let named: Vec<(String, String)> = risks[0].leaves.iter().map(|risk| (risk.leaf.key.clone(), risk.fails_on.to_string())).collect();
    let expected = [("PLAN", "2020-07-01"), ("FEE", "2020-08-01"), ("CONTRACT", "2020-09-01")];
    assert_eq!(named, expected.map(|(key, day)| (key.to_owned(), day.to_owned())));
    assert_eq!(risks[0].fails_on, Some(date("2020-07-01")));
}

#[test]
fn days_that_are_over_are_missed_as_a_whole_whatever_holds_today() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [{"key": "MAIN", "tiers": [{"key": "GOLD", "requirement":
            {"onAnyDay": {"window": {"calendar": {"unit": "MONTH", "which": "PREVIOUS"}}, "requirement": {"holding": {"kind": "PLAN"}}}}}]}]}"#,
    );
    let input = serde_json::json!({"partners": [{"code": "P", "holdings": [{"id": "p", "kind": "PLAN", "since": "2020-06-01"}]}]});
    let facts = facts(&program, input);
    let missing = |day: &str| {
        let standing = evaluate_partner(&program, &facts, "P", date(day)).unwrap();
        standing.ladders[0].next.as_ref().map(|next| next.gap.by_key().into_keys().collect::<Vec<_>>())
    };
    assert_eq!(missing("2020-05-31"), Some(vec!["ON_ANY_DAY".to_owned()]));
    assert_eq!(missing("2020-06-30"), Some(vec!["ON_ANY_DAY".to_owned()]));
    assert_eq!(missing("2020-07-01"), None);
}

/// A grace period that began before the date of the forecast ends inside it.
#[test]
fn a_grace_period_that_runs_already_is_foreseen_to_its_end() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [
            {"key": "MAIN", "main": true, "tiers": [{"key": "GOLD", "requirement": {"ladders": {"rankAtLeast": 1, "atLeast": 1}}}]},
            {"key": "SEA", "review": {"grace": {"days": 30}}, "tiers": [{"key": "HELD", "requirement": {"holding": {"kind": "BADGE"}}}]}]}"#,
    );
    let input = serde_json::json!({"partners": [{"code": "P", "assignments": [{"ladder": "SEA", "tier": "HELD", "from": "2020-05-01"}],
        "holdings": [{"id": "s", "kind": "BADGE", "since": "2020-01-01", "until": "2020-05-20"}]}]});
    let facts = facts(&program, input);
    let risks = at_risk(&program, &facts, "P", date("2020-06-01"), date("2021-06-01")).unwrap();
    let fails_on = |ladder: &str| risks.iter().find(|risk| risk.ladder == ladder).and_then(|risk| risk.fails_on);
    assert_eq!((fails_on("SEA"), fails_on("MAIN")), (Some(date("2020-06-01")), Some(date("2020-06-19"))));
}

/// Nothing that comes in later is foreseen; what is on record already and begins later is.
#[test]
fn a_renewal_that_is_on_record_is_foreseen() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [{"key": "MAIN", "tiers": [{"key": "GOLD", "requirement": {"holding": {"kind": "FEE"}}},
            {"key": "PLATINUM", "requirement": {"metric": {"value": {"measure": {"source": "HOLDINGS", "window": {"onDay": {}}, "aggregate": "COUNT"}}, "atLeast": 1}}}]}]}"#,
    );
    let renewed = |recorded_on: &str| {
        let input = serde_json::json!({"partners": [{"code": "P", "holdings": [
            {"id": "1", "kind": "FEE", "since": "2019-07-01", "until": "2020-07-01"},
            {"id": "2", "kind": "FEE", "since": "2020-07-01", "until": "2021-07-01", "recordedOn": recorded_on}]}]});
        let risks = at_risk(&program, &facts(&program, input), "P", date("2020-06-01"), date("2022-01-01")).unwrap();
        (risks[0].fails_on, risks[0].leaves.len())
    };
    assert_eq!(renewed("2020-06-01"), (Some(date("2021-07-01")), 1));
    assert_eq!(renewed("2020-06-02"), (Some(date("2020-07-01")), 1));
}
