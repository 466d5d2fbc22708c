//! Reviews: begun, scheduled, resumed, repeated, listed.

use std::time::Duration;

use guerdon::app::jobs;
use guerdon::jobs::run_due;
use guerdon_domain::access::{Role, RoleScope};
use guerdon_domain::facts::{OverrideKind, TierOverride};
use guerdon_store::NewOverride;
use serde_json::{Value, json};

use super::{Api, actor, auditor, designer, document, importer, nobody, of_partner, sale};
use crate::harness::build::{date, write};

const START: (&str, &str, &str) = (
    "reviewStart",
    "ReviewStartInput",
    "review { id state } preview { judged promoted demoted kept failed moves { ladder from to count } moved { partnerCode to } }",
);

/// Everything that a review may change.
const ROWS: &str = "SELECT (SELECT COUNT(*) FROM review) + (SELECT COUNT(*) FROM review_standing) + (SELECT COUNT(*) FROM tier_assignment) \
                    + (SELECT COUNT(*) FROM standing_now) + (SELECT COUNT(*) FROM audit_entry) + (SELECT COUNT(*) FROM outbox_event) + (SELECT COUNT(*) FROM job)";

/// A program whose tiers go up monthly and down quarterly, in a time zone.
fn monthly(zone: &str) -> Value {
    let mut document = document();
    document["program"]["timeZone"] = json!(zone);
    document["ladders"][0]["review"] = json!({"cadenceUp": "MONTHLY", "cadenceDown": "QUARTERLY"});
    document
}

async fn with(document: &Value, codes: &[&str]) -> Api {
    let api = Api::new().await;
    api.publish(document).await;
    api.furnish(codes).await;
    api
}

async fn start(api: &Api, input: Value) -> Value {
    let mut whole = json!({"program": "P", "idempotencyKey": api.key()});
    whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    api.mutate(designer(), START.0, START.1, START.2, whole).await
}

async fn refused(api: &Api, input: Value) -> Vec<(String, String)> {
    let mut whole = json!({"program": "P", "idempotencyKey": api.key()});
    whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    api.refused(designer(), START.0, START.1, START.2, whole).await.into_iter().collect()
}

fn at(moment: &str) -> chrono::DateTime<chrono::Utc> {
    moment.parse().unwrap()
}

/// The reviews that there are: date, cause, state, tiers changed.
async fn reviews(api: &Api) -> Vec<String> {
    let sql =
        "SELECT CAST(as_of AS TEXT) || ' ' || cause || ' ' || state || ' ' || partners || '/' || changed FROM review WHERE job_id IS NOT NULL ORDER BY id";
    api.database.texts(sql).await
}

#[tokio::test]
async fn a_review_keeps_every_standing_and_the_same_again_changes_nothing_and_says_so() {
    let mut api = with(&monthly("UTC"), &["A", "B", "C"]).await;
    api.app.limits.review_chunk = 2;
    let begun = start(&api, json!({"asOf": "2020-05-15", "reviewDue": true})).await;
    assert_eq!((&begun["review"]["state"], &begun["preview"]), (&json!("RUNNING"), &json!(null)));
    assert_eq!(refused(&api, json!({"asOf": "2020-05-15"})).await, [("REVIEW_RUNNING".into(), "input.asOf".into())], "one live review per date");
    run_due(&api.app).await.unwrap();
    let id = begun["review"]["id"].as_str().unwrap();
    let query = format!(
        "{{ review(id: \"{id}\") {{ state asOf cause judged changed promoted demoted kept failed reviewDue finishedAt createdBy program {{ code }} programVersion {{ number }} job {{ state done total outcome }} moves {{ ladder from to count }} }} \
         standings(review: \"{id}\") {{ totalCount nodes {{ partnerCode ladder tier fromTier change nextTier nextShareMet asOf explanation review {{ id }} partner {{ code }} }} }} node(id: \"{id}\") {{ id }} }}"
    );
    let answer = api.ask(auditor(), &query).await;
    let review = answer.at("/review");
    assert_eq!((&review["state"], &review["judged"], &review["changed"], &review["promoted"]), (&json!("DONE"), &json!(3), &json!(3), &json!(3)));
    assert_eq!((&review["job"]["state"], &review["job"]["done"], &review["job"]["total"]), (&json!("DONE"), &json!(3), &json!(3)));
    assert_eq!(review["moves"], json!([{"ladder": "MAIN", "from": null, "to": "SILVER", "count": 3}]));
    let nodes = answer.at("/standings/nodes").as_array().unwrap();
    assert_eq!((nodes.len(), answer.at("/standings/totalCount")), (3, &json!(3)));
    assert_eq!((&nodes[0]["partnerCode"], &nodes[0]["tier"], &nodes[0]["change"]), (&json!("A"), &json!("SILVER"), &json!("ENTERED")));
    assert_eq!((&nodes[0]["nextTier"], &nodes[0]["nextShareMet"], &nodes[0]["asOf"]), (&json!("GOLD"), &json!("0"), &json!("2020-05-15")));
    let explanation: Value = serde_json::from_str(nodes[0]["explanation"].as_str().unwrap()).unwrap();
    assert_eq!(explanation["tiers"][1]["requirement"]["actual"], explanation["tiers"][2]["requirement"]["of"][0]["actual"]);

    let before = api
        .database
        .number("SELECT (SELECT COUNT(*) FROM review_standing) + (SELECT COUNT(*) FROM tier_assignment) + (SELECT COUNT(*) FROM standing_now)")
        .await;
    let events = api.database.number("SELECT COUNT(*) FROM outbox_event").await;
    let again = start(&api, json!({"asOf": "2020-05-15", "reviewDue": true})).await;
    run_due(&api.app).await.unwrap();
    let again = again["review"]["id"].as_str().unwrap();
    let answer = api.ask(auditor(), &format!("{{ review(id: \"{again}\") {{ state changed promoted sameAs {{ id }} job {{ outcome }} }} standings(review: \"{again}\") {{ nodes {{ tier review {{ id }} }} }} }}")).await;
    assert_eq!((answer.at("/review/state"), answer.at("/review/changed"), answer.at("/review/sameAs/id")), (&json!("UNCHANGED"), &json!(0), &json!(id)));
    assert!(answer.at("/review/job/outcome").as_str().unwrap().contains("\"unchanged\":true"));
    assert_eq!(answer.at("/standings/nodes").as_array().unwrap().len(), 3, "its standings are those that it found again");
    let after = api
        .database
        .number("SELECT (SELECT COUNT(*) FROM review_standing) + (SELECT COUNT(*) FROM tier_assignment) + (SELECT COUNT(*) FROM standing_now)")
        .await;
    assert_eq!((after, api.database.number("SELECT COUNT(*) FROM outbox_event").await), (before, events));

    // Something else is found for the last partner: the review is whole again, with what was the same for the others.
    let line = json!({"externalId": "late", "partner": "C", "date": "2020-05-10", "category": "BIKES", "kind": "RETURN", "amount": {"amount": "6500.00", "currency": "USD"}});
    api.mutate(
        importer(),
        "transactionsRecord",
        "TransactionsRecordInput",
        "result { recorded }",
        json!({"source": "erp", "transactions": [line], "idempotencyKey": "late"}),
    )
    .await;
    let third = start(&api, json!({"asOf": "2020-05-15", "reviewDue": true})).await;
    run_due(&api.app).await.unwrap();
    let third = third["review"]["id"].as_str().unwrap();
    let answer = api
        .ask(auditor(), &format!("{{ review(id: \"{third}\") {{ state judged changed }} standings(review: \"{third}\") {{ nodes {{ partnerCode tier }} }} }}"))
        .await;
    assert_eq!(answer.at("/review"), &json!({"state": "DONE", "judged": 3, "changed": 1}));
    let tiers: Vec<&str> = answer.at("/standings/nodes").as_array().unwrap().iter().map(|node| node["tier"].as_str().unwrap()).collect();
    assert_eq!(tiers, ["SILVER", "SILVER", "REGISTERED"], "the return took the tier away, on the day on which it was given");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM tier_assignment WHERE tier = 'SILVER' AND until_on IS NULL").await, 2);
    assert!(reviews(&api).await.iter().any(|review| review.contains("SCHEDULED")) || !reviews(&api).await.is_empty());
}

#[tokio::test]
async fn a_dry_run_answers_what_would_move_and_stores_nothing() {
    let mut api = Api::furnished().await;
    api.app.limits.review_chunk = 2;
    let before = api.database.number(ROWS).await;
    let dry = start(&api, json!({"dryRun": true, "asOf": "2020-06-01"})).await;
    assert_eq!(dry["review"], json!(null));
    assert_eq!(dry["preview"]["moves"], json!([{"ladder": "MAIN", "from": null, "to": "SILVER", "count": 3}]));
    assert_eq!((&dry["preview"]["judged"], &dry["preview"]["promoted"], &dry["preview"]["moved"][2]["partnerCode"]), (&json!(3), &json!(3), &json!("C")));
    let american = start(&api, json!({"dryRun": true, "regions": ["US"]})).await;
    assert_eq!((&american["preview"]["judged"], &american["preview"]["moved"][0]["partnerCode"]), (&json!(1), &json!("B")));
    let managed = start(&api, json!({"dryRun": true, "types": ["MSP"]})).await;
    assert_eq!(managed["preview"]["judged"], json!(0));
    assert_eq!(api.database.number(ROWS).await, before);
}

#[tokio::test]
async fn what_a_review_cannot_be_about_is_said_all_at_once() {
    let api = Api::furnished().await;
    let faults = refused(&api, json!({"regions": ["DE", "MARS"], "types": ["X"], "partners": ["A", "Z"]})).await;
    assert_eq!(
        faults,
        [
            ("UNKNOWN_PARTNER".into(), "input.partners.1".into()),
            ("UNKNOWN_REGION".into(), "input.regions.1".into()),
            ("UNKNOWN_TYPE".into(), "input.types.0".into())
        ]
    );
    assert_eq!(refused(&api, json!({"asOf": "2020-06-02"})).await, [("DATE_IN_THE_FUTURE".into(), "input.asOf".into())]);
    assert_eq!(refused(&api, json!({"asOf": "2017-06-02"})).await, [("NO_VERSION_IN_FORCE".into(), "input.asOf".into())]);
    let many: Vec<String> = (0..51).map(|number| format!("R{number}")).collect();
    assert_eq!(refused(&api, json!({"regions": many})).await, [("TOO_MANY".into(), "input.regions".into())]);
    let fifty: Vec<&str> = vec!["DE"; 50];
    assert_eq!(start(&api, json!({"regions": fifty, "dryRun": true})).await["preview"]["judged"], json!(2));
}

#[tokio::test]
async fn a_review_that_is_killed_goes_on_behind_its_last_step_and_finds_the_same() {
    goes_on_after_a_crash(&monthly("UTC")).await;
}

#[tokio::test]
async fn a_rank_among_all_partners_is_the_same_whatever_the_steps() {
    let mut document = monthly("UTC");
    let rank = json!({"key": "rank", "unit": "PERCENT", "formula": {"percentileRank": {"of": {"metric": "revenue"}}}});
    document["metrics"].as_array_mut().unwrap().push(rank);
    let asked = ["revenue", "rank"].map(
        |metric| json!({"metric": {"metric": metric, (if metric == "rank" { "atMost" } else { "atLeast" }): (if metric == "rank" { "0.2" } else { "5000" })}}),
    );
    document["ladders"][0]["tiers"][1]["requirement"] = json!({"allOf": asked});
    goes_on_after_a_crash(&document).await;
}

/// A review of seven partners in one go, and one in steps of two whose worker is lost after the second.
async fn goes_on_after_a_crash(document: &Value) {
    let codes = ["A", "B", "C", "D", "E", "F", "G"];
    let mut whole = with(document, &codes).await;
    let mut killed = with(document, &codes).await;
    (whole.app.limits.review_chunk, killed.app.limits.review_chunk) = (100, 2);
    killed.app.limits.job_lease = Duration::from_millis(1);
    for api in [&whole, &killed] {
        start(api, json!({"asOf": "2020-05-15", "reviewDue": true})).await;
    }
    run_due(&whole.app).await.unwrap();
    // Two steps, and then nothing is heard of the worker any more.
    let held = jobs::claim_next(&killed.app).await.unwrap().unwrap();
    let one = jobs::work_on(&killed.app, &held).await.unwrap();
    let held = held.after(&one);
    let two = jobs::work_on(&killed.app, &held).await.unwrap();
    let held = held.after(&two);
    assert_eq!(killed.database.number("SELECT COUNT(*) FROM review_standing").await, 4);
    tokio::time::sleep(Duration::from_millis(20)).await;
    killed.app.limits.job_lease = Duration::from_secs(30);
    run_due(&killed.app).await.unwrap();
    // It wakes up again: too late.
    let late = jobs::work_on(&killed.app, &held).await;
    assert!(late.is_err() || late.is_ok_and(|progress| matches!(progress, jobs::Progress::Done(_))), "the lost worker does no more");
    let rows = "SELECT p.code || ' ' || s.ladder || ' ' || COALESCE(s.tier, '-') || ' ' || s.standing FROM review_standing s JOIN partner p ON p.id = s.partner_id JOIN review r ON r.id = s.review_id WHERE r.as_of = '2020-05-15' ORDER BY p.code";
    let (one, two) = (whole.database.texts(rows).await, killed.database.texts(rows).await);
    assert_eq!(one.len(), 7);
    assert_eq!(one, two, "the size of the steps and a crash change nothing");
    assert_eq!(reviews(&killed).await[0], "2020-05-15 REQUESTED DONE 7/7");
    assert_eq!(killed.database.number("SELECT COUNT(*) FROM outbox_event WHERE kind = 'tier.promoted'").await, 7, "nothing is told twice");
}

#[tokio::test]
async fn two_workers_do_a_review_once() {
    let mut api = with(&monthly("UTC"), &["A", "B", "C", "D", "E"]).await;
    api.app.limits.review_chunk = 1;
    start(&api, json!({"asOf": "2020-05-15", "reviewDue": true})).await;
    let (one, two) = tokio::join!(run_due(&api.app), run_due(&api.app));
    one.unwrap();
    two.unwrap();
    run_due(&api.app).await.unwrap();
    assert_eq!(reviews(&api).await[0], "2020-05-15 REQUESTED DONE 5/5");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM tier_assignment").await, 5);
}

#[tokio::test]
async fn reviews_fall_on_the_days_of_the_policy_where_the_program_lives() {
    // (time zone, a moment at which it is still June there, a moment at which it is July)
    let places = [
        ("Pacific/Kiritimati", "2020-06-30T09:59:59Z", "2020-06-30T10:00:00Z"),
        ("Pacific/Pago_Pago", "2020-07-01T10:59:59Z", "2020-07-01T11:00:00Z"),
        ("UTC", "2020-06-30T23:59:59Z", "2020-07-01T00:00:00Z"),
    ];
    for (zone, june, july) in places {
        let api = with(&monthly(zone), &["A"]).await;
        api.clock.set(at("2020-06-10T12:00:00Z"));
        run_due(&api.app).await.unwrap();
        assert!(reviews(&api).await.is_empty(), "{zone}: the tenth is no day of reviews");
        api.clock.set(at(june));
        run_due(&api.app).await.unwrap();
        assert!(reviews(&api).await.is_empty(), "{zone}");
        api.clock.set(at(july));
        run_due(&api.app).await.unwrap();
        run_due(&api.app).await.unwrap();
        assert_eq!(reviews(&api).await, ["2020-07-01 SCHEDULED DONE 1/1"], "{zone}");
    }
}

#[tokio::test]
async fn a_day_that_is_shorter_or_longer_has_one_review() {
    let mut document = document();
    document["program"]["timeZone"] = json!("Europe/Berlin");
    let api = with(&document, &["A"]).await;
    let days = [("2020-10-24T10:00:00Z", "2020-10-26T23:30:00Z", ["2020-10-24", "2020-10-25", "2020-10-26", "2020-10-27"])];
    for (from, until, expected) in days {
        let mut now = at(from);
        while now <= at(until) {
            api.clock.set(now);
            run_due(&api.app).await.unwrap();
            now += chrono::TimeDelta::minutes(90);
        }
        let found: Vec<String> = reviews(&api).await.into_iter().map(|review| review[..10].to_owned()).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn what_was_missed_is_caught_up_with_in_order_and_nothing_is_done_twice() {
    let api = with(&monthly("UTC"), &["A", "B"]).await;
    run_due(&api.app).await.unwrap();
    assert_eq!(reviews(&api).await, ["2020-06-01 SCHEDULED DONE 2/2"]);
    api.clock.set(at("2021-05-20T00:00:00Z"));
    let (one, two) = tokio::join!(run_due(&api.app), run_due(&api.app));
    one.unwrap();
    two.unwrap();
    run_due(&api.app).await.unwrap();
    let all = reviews(&api).await;
    let dates: Vec<&str> = all.iter().map(|review| &review[..10]).collect();
    let months = [
        "2020-06-01",
        "2020-07-01",
        "2020-08-01",
        "2020-09-01",
        "2020-10-01",
        "2020-11-01",
        "2020-12-01",
        "2021-01-01",
        "2021-02-01",
        "2021-03-01",
        "2021-04-01",
        "2021-05-01",
    ];
    assert_eq!(dates, months);
    // The sales of January to March 2020 have left the year by April 2021: the tier goes on the day of the downward review.
    let tiers = "SELECT tier || ' ' || CAST(from_on AS TEXT) FROM tier_assignment a JOIN partner p ON p.id = a.partner_id WHERE p.code = 'A' ORDER BY from_on";
    assert_eq!(api.database.texts(tiers).await, ["SILVER 2020-06-01", "REGISTERED 2021-04-01"]);
}

#[tokio::test]
async fn an_override_that_ends_is_a_review_of_its_partner_on_that_day() {
    let api = with(&monthly("UTC"), &["A", "B"]).await;
    api.clock.set(at("2020-06-01T12:00:00Z"));
    run_due(&api.app).await.unwrap();
    let ids = api
        .app
        .store
        .read::<_, guerdon_store::StoreError, _>(async |tx| tx.partners_by_code_many(&guerdon_domain::access::Scope::All, &["B".to_owned()]).await);
    let partner = ids.await.unwrap()["B"].id;
    let program = api.app.store.read::<_, guerdon_store::StoreError, _>(async |tx| tx.find_program("P").await).await.unwrap().unwrap().id;
    let fact = TierOverride {
        ladder: "MAIN".into(),
        region: None,
        kind: OverrideKind::Pin,
        tier: Some("GOLD".into()),
        span: guerdon_domain::date::Span::new(date("2020-06-01"), date("2020-06-10")),
        reason: "a test".into(),
        proposed_by: Some("p".into()),
        approved_by: Some("a".into()),
    };
    let pin = NewOverride { program, partner, fact, status_match: None };
    write(&api.app.store, async |tx| tx.insert_override(&pin).await).await.unwrap();
    start(&api, json!({"asOf": "2020-06-01"})).await;
    run_due(&api.app).await.unwrap();
    let gold = api.ask(auditor(), "{ standings(filter: {overridden: true}) { nodes { partnerCode tier overriddenUntil asOf } } }").await;
    assert_eq!(gold.at("/standings/nodes"), &json!([{"partnerCode": "B", "tier": "GOLD", "overriddenUntil": "2020-06-10", "asOf": "2020-06-01"}]));
    api.clock.set(at("2020-06-20T12:00:00Z"));
    run_due(&api.app).await.unwrap();
    assert_eq!(reviews(&api).await.last().unwrap(), "2020-06-10 SCHEDULED DONE 1/1", "only the partner whose override ended");
    let held = "SELECT tier FROM tier_assignment a JOIN partner p ON p.id = a.partner_id WHERE p.code = 'B' AND until_on IS NULL";
    assert_eq!(api.database.texts(held).await, ["SILVER"], "on its end the rules hold again");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM standing_now WHERE overridden_until IS NOT NULL").await, 0);
}

#[tokio::test]
async fn one_review_of_a_program_is_under_way_at_a_time_whatever_the_dates() {
    let mut api = with(&monthly("UTC"), &["A", "B", "C"]).await;
    api.app.limits.review_chunk = 1;
    start(&api, json!({"asOf": "2020-05-10", "reviewDue": true})).await;
    for day in ["2020-05-09", "2020-05-10", "2020-05-20"] {
        assert_eq!(refused(&api, json!({"asOf": day})).await, [("REVIEW_RUNNING".into(), "input.asOf".into())], "{day}");
    }
    run_due(&api.app).await.unwrap();
    let keys = [api.key(), api.key()];
    let begin = |day: &'static str, key: &str| {
        let input = json!({"program": "P", "asOf": day, "reviewDue": true, "idempotencyKey": key});
        api.try_mutate(designer(), START.0, START.1, START.2, input)
    };
    let (one, other) = tokio::join!(begin("2020-05-20", &keys[0]), begin("2020-05-11", &keys[1]));
    let begun = [&one, &other].into_iter().filter(|answer| answer.at("/payload/userErrors").as_array().is_some_and(Vec::is_empty)).count();
    assert_eq!(begun, 1, "of two that are called at once, one is begun");
    run_due(&api.app).await.unwrap();
    assert_eq!(api.database.number("SELECT COUNT(*) FROM review WHERE state = 'RUNNING'").await, 0);
}

#[tokio::test]
async fn risk_and_nearness_are_listed_and_told_once_a_month() {
    let mut document = monthly("UTC");
    // SILVER asks for 5,000 in a rolling year, the new tier above it for 8,000: four of its five conditions are met.
    document["ladders"][0]["tiers"][2] = json!({"key": "GOLD", "requirement": {"allOf": (["1000", "2000", "3000", "4000", "8000"].map(|least| json!({"metric": {"metric": "revenue", "atLeast": least}})))}});
    document["ladders"][0]["review"] = json!({"cadenceUp": "MONTHLY", "cadenceDown": "ANNUAL"});
    let api = with(&document, &["A"]).await;
    run_due(&api.app).await.unwrap();
    let near = "{ standings(filter: {nextShareMet: \"0.8\"}, orderBy: NEXT_SHARE_MET) { nodes { partnerCode nextTier nextShareMet } } none: standings(filter: {nextShareMet: \"0.9\"}) { nodes { tier } } }";
    let answer = api.ask(auditor(), near).await;
    assert_eq!(answer.at("/standings/nodes"), &json!([{"partnerCode": "A", "nextTier": "GOLD", "nextShareMet": "0.8"}]));
    assert_eq!(answer.at("/none/nodes"), &json!([]));
    let told = async |kind: &str| api.database.number(&format!("SELECT COUNT(*) FROM outbox_event WHERE kind = '{kind}'")).await;
    assert_eq!((told("tier.near").await, told("tier.at_risk").await), (1, 0), "the next downward review is in January, and the tier holds until then");
    // In a year that begins in January the review of January sees the last twelve months: what was sold in 2020 is in it.
    let calm = api.ask(auditor(), "{ standings(filter: {atRisk: true}) { totalCount } }").await;
    assert_eq!(calm.at("/standings/totalCount"), &json!(0));
    api.clock.set(at("2020-06-20T12:00:00Z"));
    start(&api, json!({})).await;
    run_due(&api.app).await.unwrap();
    assert_eq!(told("tier.near").await, 1, "not again within thirty days");
    api.clock.set(at("2020-07-01T12:00:00Z"));
    run_due(&api.app).await.unwrap();
    assert_eq!(told("tier.near").await, 2, "again on the thirtieth day");
    // The downward review of January 2021 passes; that of January 2022 will find nothing sold: the tier is at risk from the day on which the third sale leaves the year.
    api.clock.set(at("2021-01-01T12:00:00Z"));
    run_due(&api.app).await.unwrap();
    let risk = api.ask(auditor(), "{ standings(filter: {atRisk: true}, orderBy: AT_RISK_ON) { nodes { partnerCode tier atRiskOn risks asOf } } soon: standings(filter: {atRiskBy: \"2021-02-01\"}) { totalCount } }").await;
    let node = &risk.at("/standings/nodes")[0];
    assert_eq!((&node["tier"], &node["atRiskOn"], &node["asOf"]), (&json!("SILVER"), &json!("2021-03-15"), &json!("2021-01-01")));
    assert!(node["risks"][0].as_str().unwrap().contains("of"), "{node}");
    assert_eq!(risk.at("/soon/totalCount"), &json!(0));
    assert_eq!(told("tier.at_risk").await, 1);
    let payload = api.database.texts("SELECT payload FROM outbox_event WHERE kind = 'tier.at_risk'").await;
    let payload: Value = serde_json::from_str(&payload[0]).unwrap();
    assert_eq!((&payload["data"]["failsOn"], &payload["data"]["tier"]), (&json!("2021-03-15"), &json!("SILVER")));
    assert!(!payload["data"]["reasons"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn rights_and_scope_hold_for_reviews_and_their_standings() {
    let api = with(&monthly("UTC"), &["A", "B", "C"]).await;
    let manager = || actor(Role::ChannelManager, RoleScope::Regions(vec!["EMEA".into()]));
    // Rights are read with the regions below: as the service does it.
    let ctx = api.app.admit(manager(), "request".into()).await.unwrap();
    let expanded = (*ctx.actor).clone();
    let input = json!({"program": "P", "asOf": "2020-05-15", "reviewDue": true, "idempotencyKey": "m"});
    let begun = api.mutate(expanded.clone(), START.0, START.1, START.2, input.clone()).await;
    let replayed = api.mutate(expanded.clone(), START.0, START.1, START.2, input).await;
    assert_eq!(begun["review"]["id"], replayed["review"]["id"], "the same key answers the same review");
    run_due(&api.app).await.unwrap();
    assert_eq!(reviews(&api).await[0], "2020-05-15 REQUESTED DONE 2/2", "his regions only");
    start(&api, json!({"asOf": "2020-05-16", "reviewDue": true})).await;
    run_due(&api.app).await.unwrap();
    let query = "{ reviews(last: 1) { nodes { asOf judged moves { count } } } standings { totalCount nodes { partnerCode } } }";
    let mine = api.ask(of_partner("B"), query).await;
    assert_eq!(mine.at("/standings"), &json!({"totalCount": 1, "nodes": [{"partnerCode": "B"}]}));
    assert_eq!(mine.at("/reviews/nodes/0/judged"), &json!(null), "counts are of everybody");
    let his = api.ask(expanded, "{ standings { nodes { partnerCode } } }").await;
    assert_eq!(his.at("/standings/nodes"), &json!([{"partnerCode": "A"}, {"partnerCode": "C"}]));
    let all = api.ask(auditor(), "{ reviews(states: [DONE]) { nodes { judged moves { count } } } }").await;
    assert_eq!(all.at("/reviews/nodes/0/judged").as_i64().map(|judged| judged > 0), Some(true));
    for (who, query) in [(nobody(), "{ reviews { nodes { id } } }"), (importer(), "{ standings { totalCount nodes { tier } } }")] {
        assert_eq!(api.ask(who, query).await.codes(), ["FORBIDDEN"]);
    }
    let asked = api.try_mutate(auditor(), START.0, START.1, START.2, json!({"program": "P", "idempotencyKey": "x"})).await;
    assert_eq!(asked.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_partner_that_cannot_be_judged_is_named_and_hurts_nobody_else() {
    let api = with(&monthly("UTC"), &["A", "B"]).await;
    let line = json!({"externalId": "eur", "partner": "A", "date": "2020-05-02", "category": "BIKES", "amount": {"amount": "10.00", "currency": "EUR"}});
    api.mutate(
        importer(),
        "transactionsRecord",
        "TransactionsRecordInput",
        "result { recorded }",
        json!({"source": "erp", "transactions": [line, sale("B", 9)], "idempotencyKey": "x"}),
    )
    .await;
    let begun = start(&api, json!({"asOf": "2020-05-20", "reviewDue": true})).await;
    run_due(&api.app).await.unwrap();
    let id = begun["review"]["id"].as_str().unwrap();
    let answer = api.ask(auditor(), &format!("{{ review(id: \"{id}\") {{ judged failed }} reviewFailures(review: \"{id}\") {{ partnerCode code message }} standings(review: \"{id}\", filter: {{moved: true}}) {{ nodes {{ partnerCode }} }} }}")).await;
    assert_eq!(answer.at("/review"), &json!({"judged": 2, "failed": 1}));
    assert_eq!((answer.at("/reviewFailures/0/partnerCode"), answer.at("/standings/nodes/0/partnerCode")), (&json!("A"), &json!("B")));
    let scoped = api.ask(of_partner("B"), &format!("{{ reviewFailures(review: \"{id}\") {{ partnerCode }} }}")).await;
    assert_eq!(scoped.at("/reviewFailures"), &json!([]));
}

#[tokio::test]
async fn lists_of_reviews_and_standings_cost_the_same_for_one_and_many() {
    let api = with(&monthly("UTC"), &["A", "B", "C"]).await;
    let asked = "{ reviews(first: 50) { nodes { id program { code } programVersion { number } job { state } moves { count } sameAs { id } } } standings(first: 50) { totalCount nodes { partner { code } review { asOf } } } }";
    let mut counts = Vec::new();
    for day in ["2020-05-15", "2020-05-16", "2020-05-17", "2020-05-18"] {
        start(&api, json!({"asOf": day, "reviewDue": true})).await;
        run_due(&api.app).await.unwrap();
        let before = api.app.store.statements();
        api.ask(auditor(), asked).await.at("/reviews");
        counts.push(api.app.store.statements() - before);
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    let by_manager = api.ask(auditor(), "{ standings(filter: {manager: \"Kim\", regions: [\"EMEA\"], ladder: \"MAIN\", tiers: [\"SILVER\"], inGrace: false, awaitsAdmission: false}) { totalCount } page: standings(first: 2) { nodes { partnerCode } pageInfo { endCursor hasNextPage } } }").await;
    assert_eq!((by_manager.at("/standings/totalCount"), by_manager.at("/page/pageInfo/hasNextPage")), (&json!(0), &json!(true)));
    let cursor = by_manager.at("/page/pageInfo/endCursor").as_str().unwrap();
    let rest = api.ask(auditor(), &format!("{{ standings(first: 2, after: \"{cursor}\") {{ nodes {{ partnerCode }} }} }}")).await;
    assert_eq!(rest.at("/standings/nodes"), &json!([{"partnerCode": "C"}]));
}

#[tokio::test]
async fn whoever_starts_a_review_sees_how_far_it_is() {
    let api = Api::furnished().await;
    let manager = |region: &str| super::Actor { person: region.to_owned(), ..actor(Role::ChannelManager, RoleScope::Regions(vec![region.into()])) };
    let input = json!({"program": "P", "idempotencyKey": "mine"});
    let started = api.mutate(manager("DE"), "reviewStart", "ReviewStartInput", "review { id job { id done total } }", input).await;
    assert_eq!((&started["review"]["job"]["done"], &started["review"]["job"]["total"]), (&json!(0), &json!(2)));
    run_due(&api.app).await.unwrap();
    let query =
        format!("{{ review(id: {}) {{ state job {{ state done }} }} job(id: {}) {{ done }} }}", started["review"]["id"], started["review"]["job"]["id"]);
    let own = api.ask(manager("DE"), &query).await;
    assert_eq!((own.at("/review/job"), own.at("/job/done")), (&json!({"state": "DONE", "done": 2}), &json!(2)));
    let others = api.ask(manager("US"), &query).await;
    assert_eq!((others.codes(), &others.data["review"]["job"], &others.data["job"]), (vec!["FORBIDDEN"], &Value::Null, &Value::Null), "others do not");
    assert_eq!(api.ask(auditor(), &query).await.at("/review/job/done"), &json!(2));
}
