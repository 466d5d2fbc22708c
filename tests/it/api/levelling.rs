//! Tiers, standing, entitlements and estimates, end to end.

use serde_json::{Value, json};

use super::{Api, actor, admin, auditor, designer, document, importer, of_partner};
use guerdon_domain::access::{Role, RoleScope};

const EVALUATE: (&str, &str, &str) =
    ("tiersEvaluate", "TiersEvaluateInput", "judged movedCount moved { partnerCode ladder from to on cause partner { code } }");

fn evaluate(as_of: &str, key: &str) -> Value {
    json!({"program": "P", "asOf": as_of, "idempotencyKey": key})
}

#[tokio::test]
async fn risks_are_the_same_whether_they_are_asked_once_or_twice() {
    let api = Api::furnished().await;
    let input = evaluate("2020-06-01", "e");
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
    let risk = "{ ladder tier failsOn leaves { key failsOn sentence } }";
    let once = format!("{{ partner(by: {{code: \"A\"}}) {{ standing(asOf: \"2020-06-01\") {{ atRisk(months: 12) {risk} ladders {{ tier qualified }} }} }} }}");
    let twice = once.replace("atRisk(months: 12)", &format!("other: atRisk {risk} atRisk(months: 12)"));
    let (once, twice) = (api.ask(auditor(), &once).await, api.ask(auditor(), &twice).await);
    let (once, twice) = (once.at("/partner/standing"), twice.at("/partner/standing"));
    assert!(!once["atRisk"].as_array().unwrap().is_empty());
    assert_eq!((&once["atRisk"], &once["ladders"]), (&twice["atRisk"], &twice["ladders"]));
}

#[tokio::test]
async fn an_evaluation_records_what_changes_and_the_same_again_changes_nothing() {
    let api = Api::furnished().await;
    let done = api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, evaluate("2020-03-01", "e1")).await;
    assert_eq!((&done["judged"], &done["movedCount"]), (&json!(3), &json!(3)));
    assert_eq!(done["moved"][0]["to"], "REGISTERED", "two sales are not enough");
    let done = api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, evaluate("2020-06-01", "e2")).await;
    assert_eq!((&done["moved"][0]["from"], &done["moved"][0]["to"], &done["moved"][0]["cause"]), (&json!("REGISTERED"), &json!("SILVER"), &json!("PROMOTION")));
    let audit = api.database.number("SELECT COUNT(*) FROM audit_entry").await;
    let again = api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, evaluate("2020-06-01", "e3")).await;
    assert_eq!((&again["judged"], &again["movedCount"]), (&json!(3), &json!(0)));
    assert_eq!(api.database.number("SELECT COUNT(*) FROM audit_entry").await, audit, "nothing was left behind");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM outbox_event WHERE kind = 'tier.promoted'").await, 6);

    let query = "{ partner(by: {code: \"A\"}) { tier { tier from cause decidedBy { number } } then: tier(asOf: \"2020-03-15\") { tier until } before: tier(asOf: \"2020-01-01\") { tier } tierHistory { nodes { tier from until } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    assert_eq!(answer.at("/partner/tier"), &json!({"tier": "SILVER", "from": "2020-06-01", "cause": "PROMOTION", "decidedBy": {"number": 1}}));
    assert_eq!(answer.at("/partner/then"), &json!({"tier": "REGISTERED", "until": "2020-06-01"}));
    assert_eq!((answer.at("/partner/before"), answer.at("/partner/tierHistory/nodes").as_array().unwrap().len()), (&json!(null), 2));
}

#[tokio::test]
async fn an_evaluation_may_be_about_some_partners_and_never_rewrites_the_past() {
    let api = Api::furnished().await;
    let input = |codes: Value, as_of: &str, key: &str| json!({"program": "P", "partners": codes, "asOf": as_of, "idempotencyKey": key});
    let done = api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, input(json!(["B"]), "2020-06-01", "e1")).await;
    assert_eq!((&done["judged"], &done["moved"][0]["partner"]["code"]), (&json!(1), &json!("B")));
    let past = api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, input(json!(["B"]), "2020-02-01", "e2")).await;
    assert_eq!(past["movedCount"], 0);
    let unknown = api.refused(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, input(json!(["A", "Z"]), "2020-06-01", "e3")).await;
    assert_eq!(unknown.first().unwrap(), &("UNKNOWN_PARTNER".into(), "input.partners.1".into()));
    let early = api.refused(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, input(json!(["A"]), "2017-06-01", "e4")).await;
    assert_eq!(early.first().unwrap(), &("NO_VERSION_IN_FORCE".into(), "input.asOf".into()));
    let answer = api.try_mutate(admin(), EVALUATE.0, EVALUATE.1, EVALUATE.2, input(json!(["A"]), "2020-06-01", "e5")).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn standing_explains_the_tier_and_the_gap() {
    let api = Api::furnished().await;
    let query = "{ partner(by: {code: \"A\"}) { standing(asOf: \"2020-06-01\") { programVersion status enrolled atRisk(months: 12) { ladder tier failsOn leaves { key failsOn } } ladders { ladder main tier qualified next { tier gap { met missing { key missing unit sentence } } } tiers { tier met requirement { index parent type met leaf { kind key required actual missing sentence } } } } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    let ladder = answer.at("/partner/standing/ladders/0");
    assert_eq!((&ladder["tier"], &ladder["qualified"], &ladder["next"]["tier"]), (&json!("SILVER"), &json!("SILVER"), &json!("GOLD")));
    let missing = ladder["next"]["gap"]["missing"].as_array().unwrap();
    let revenue = missing.iter().find(|leaf| leaf["key"] == "revenue").unwrap();
    assert_eq!((&revenue["missing"], &revenue["unit"]), (&json!("43000"), &json!("MONEY")));
    let gold = &ladder["tiers"][2]["requirement"];
    assert_eq!(
        (&gold[0]["type"], &gold[0]["parent"], &gold[1]["parent"], &gold[1]["leaf"]["actual"]),
        (&json!("ALL_OF"), &json!(null), &json!(0), &json!("7000"))
    );
    let risk = answer.at("/partner/standing/atRisk/0");
    assert_eq!((&risk["tier"], &risk["leaves"][0]["key"]), (&json!("SILVER"), &json!("revenue")));
    let early = api.ask(of_partner("A"), "{ partner(by: {code: \"A\"}) { standing(asOf: \"2017-01-01\") { programVersion } } }").await;
    assert_eq!(early.at("/partner/standing"), &json!(null));
}

#[tokio::test]
async fn entitlements_follow_the_tier_on_record_and_say_what_unlocks_the_rest() {
    let api = Api::furnished().await;
    api.mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, evaluate("2020-06-01", "e1")).await;
    let query = |code: &str| {
        format!(
            "{{ partner(by: {{code: \"{code}\"}}) {{ entitlements {{ benefit status value {{ access allowance level }} sources {{ kind tier region outcome }} unlocks {{ text }} }} before: entitlements(asOf: \"2020-05-31\", keys: [\"hours\"]) {{ status unlocks {{ text }} }} check(benefits: [\"portal\", \"support\", \"nothing\"]) {{ benefit allowed reason unlock }} }} }}"
        )
    };
    let answer = api.ask(of_partner("A"), &query("A")).await;
    let all = answer.at("/partner/entitlements");
    assert_eq!((&all[0]["status"], &all[0]["value"]["access"]), (&json!("GRANTED"), &json!(true)));
    assert_eq!((&all[1]["value"]["allowance"], &all[1]["sources"][0]["region"]), (&json!("12"), &json!("DE")));
    assert_eq!((&all[2]["status"], &all[2]["unlocks"][0]["text"]), (&json!("NOT_OFFERED"), &json!("tier GOLD")));
    assert_eq!(answer.at("/partner/before/0/unlocks/0/text"), "tier SILVER");
    let reasons: Vec<&str> = answer.at("/partner/check").as_array().unwrap().iter().map(|check| check["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["GRANTED", "NOT_OFFERED", "UNKNOWN_BENEFIT"]);
    let american = api.ask(of_partner("B"), &query("B")).await;
    assert_eq!(american.at("/partner/entitlements/1/value/allowance"), "10");
    let content = actor(Role::ContentService, RoleScope::All);
    let denied = api.ask(content, &query("A")).await;
    assert_eq!(denied.codes(), ["FORBIDDEN"], "content services ask about entitlements, not about partners");
    let mut content = actor(Role::ContentService, RoleScope::All);
    content.roles[0].benefits = vec!["portal".into()];
    let checked = api.ask(content, "{ check(partner: \"A\", benefits: [\"portal\", \"hours\"]) { benefit allowed reason } none: check(partner: \"Z\", benefits: [\"portal\"]) { allowed } }").await;
    assert_eq!(
        (&checked.at("/check")[0]["allowed"], &checked.at("/check")[1]["reason"], checked.at("/none")),
        (&json!(true), &json!("UNKNOWN_BENEFIT"), &json!(null))
    );
}

#[tokio::test]
async fn an_estimate_shows_bands_lines_and_what_comes_next() {
    let api = Api::furnished().await;
    let query = "{ partner(by: {code: \"A\"}) { rebateEstimate { period programVersion totals { amount currency } schedules { schedule amount { amount } basis lineCount lines { externalId amount { amount } } bands { band rate amount } steps { step after } nextBand { from missing worth { amount } } } } first: rebateEstimate(period: \"2020-Q1\", asOf: \"2020-02-20\") { totals { amount } } none: rebateEstimate(period: \"2020-X\") { period } } }";
    let answer = api.ask(of_partner("A"), query).await;
    assert_eq!(answer.codes(), ["UNKNOWN_PERIOD"], "one field fails, the others are answered");
    let estimate = &answer.data["partner"]["rebateEstimate"];
    assert_eq!((&estimate["period"], &estimate["totals"][0]["amount"]), (&json!("2020-Q2"), &json!("40.00")));
    let schedule = &estimate["schedules"][0];
    assert_eq!((&schedule["basis"], &schedule["lineCount"], &schedule["nextBand"]["missing"]), (&json!("4000"), &json!(4), &json!("6000")));
    assert_eq!((&answer.data["partner"]["first"]["totals"][0]["amount"], &answer.data["partner"]["none"]), (&json!("20.00"), &json!(null)));
}

#[tokio::test]
async fn an_estimate_without_a_period_is_of_each_schedules_own() {
    let api = Api::new().await;
    let mut document = document();
    document["program"]["fiscalYearStart"] = json!("02-01");
    let flat = |rate: &str| json!({"flat": {"rate": rate}});
    document["rebateSchedules"] = json!([
        {"key": "monthly", "period": {"month": {}}, "method": flat("1 %")},
        {"key": "quarterly", "period": {"quarter": {}}, "method": flat("2 %")},
        {"key": "other", "period": {"quarter": {}}, "method": flat("3 %")},
    ]);
    api.publish(&document).await;
    api.furnish(&["A"]).await;
    api.clock.set("2020-05-20T12:00:00Z".parse().unwrap());
    let query = "query($period: String) { partner(by: {code: \"A\"}) { rebateEstimate(period: $period) { period programVersion totals { amount } schedules { schedule period programVersion span { from } amount { amount } nextBand { from } } } } }";
    let answer = api.execute(of_partner("A"), query, json!({})).await;
    let found = answer.at("/partner/rebateEstimate");
    assert_eq!((&found["period"], &found["programVersion"]), (&json!("2020-05"), &json!(1)));
    let told = |found: &Value| -> Vec<[String; 3]> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        found["schedules"].as_array().unwrap().iter().map(|one| [text(&one["schedule"]), text(&one["period"]), text(&one["amount"]["amount"])]).collect()
    };
    let own = |schedule: &str, period: &str, amount: &str| [schedule.to_owned(), period.to_owned(), amount.to_owned()];
    let (month, quarter, other) = (own("monthly", "2020-05", "30.00"), own("quarterly", "FY2021-Q2", "60.00"), own("other", "FY2021-Q2", "90.00"));
    assert_eq!((told(found), &found["totals"]), (vec![month, quarter.clone(), other.clone()], &json!([{"amount": "180.00"}])));
    let answer = api.execute(of_partner("A"), query, json!({"period": "FY2021-Q2"})).await;
    assert_eq!(told(answer.at("/partner/rebateEstimate")), [quarter, other], "one that is named is the only one");
    let answer = api.execute(of_partner("A"), query, json!({"period": "2020-Q2"})).await;
    assert_eq!(answer.codes(), ["UNKNOWN_PERIOD"]);
    let message = &answer.errors[0]["extensions"]["faults"][0]["message"];
    assert!(message.as_str().unwrap().ends_with("spelled here as `2020-05`, `FY2021-Q2`"), "{message}");
    // Without schedules there is nothing to estimate.
    document["rebateSchedules"] = json!([]);
    document["version"] = json!({"label": "bare", "effectiveOn": "2020-05-10"});
    api.publish(&document).await;
    let answer = api.execute(of_partner("A"), query, json!({})).await;
    assert_eq!(answer.at("/partner/rebateEstimate/totals"), &json!([{"amount": "180.00"}]), "periods that have begun keep their version");
    api.clock.set("2020-08-20T12:00:00Z".parse().unwrap());
    let answer = api.execute(of_partner("A"), query, json!({})).await;
    assert_eq!(answer.at("/partner/rebateEstimate"), &Value::Null);
}

#[tokio::test]
async fn a_missing_exchange_rate_is_named_and_hurts_nobody_else() {
    let api = Api::furnished().await;
    let line = json!({"externalId": "eur", "partner": "A", "date": "2020-05-02", "category": "BIKES", "amount": {"amount": "10.00", "currency": "EUR"}});
    api.mutate(
        importer(),
        "transactionsRecord",
        "TransactionsRecordInput",
        "result { recorded }",
        json!({"source": "erp", "transactions": [line], "idempotencyKey": "x"}),
    )
    .await;
    let query = "{ partners { nodes { code standing { ladders { tier } } } } }";
    let answer = api.ask(auditor(), query).await;
    assert_eq!(answer.errors.len(), 1, "{:?}", answer.errors);
    let nodes = &answer.data["partners"]["nodes"];
    assert_eq!((&nodes[0]["standing"], &nodes[1]["standing"]["ladders"][0]["tier"]), (&json!(null), &json!("SILVER")));
    let done = api.try_mutate(designer(), EVALUATE.0, EVALUATE.1, EVALUATE.2, evaluate("2020-06-01", "e")).await;
    assert_eq!((done.at("/payload/movedCount"), done.at("/payload/userErrors").as_array().unwrap().len()), (&json!(2), 1));
    let rate = json!({"source": "ecb", "rates": [{"from": "EUR", "to": "USD", "date": "2020-05-02", "rate": "1.25"}], "idempotencyKey": "r"});
    api.mutate(importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", "result { recorded }", rate).await;
    let answer = api.ask(of_partner("A"), "{ partner(by: {code: \"A\"}) { standing { ladders { next { gap { missing { missing } } } } } } }").await;
    assert_eq!(answer.at("/partner/standing/ladders/0/next/gap/missing/0/missing"), "42987.5");
}

#[tokio::test]
async fn several_programs_ask_for_a_name() {
    let api = Api::furnished().await;
    let mut other = document();
    other["program"]["code"] = json!("Q");
    api.publish(&other).await;
    let query = "{ partner(by: {code: \"A\"}) { standing { programVersion } named: standing(program: \"Q\") { enrolled } } }";
    let answer = api.ask(of_partner("A"), query).await;
    assert_eq!((answer.codes(), &answer.data["partner"]["named"]["enrolled"]), (vec!["PROGRAM_REQUIRED"], &json!(false)));
}
