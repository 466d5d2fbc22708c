//! What an override leaves when it ends: the last review's tier, put on record by the review of that day, and told alike everywhere.

use guerdon::jobs::run_due;
use guerdon_domain::access::{Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, approver, auditor, designer, document, importer};
use crate::runs::{calculated, go_to, preparer};

/// Reviewed every day: SILVER from 1,000, GOLD from 5,000; every tier has a level of support and a rate of its own.
fn daily() -> Value {
    let mut document = document();
    let revenue = |least: &str| json!({"metric": {"metric": "revenue", "atLeast": least}});
    document["ladders"] = json!([{"key": "MAIN", "main": true, "review": {"cadenceUp": "DAILY", "cadenceDown": "DAILY"}, "tiers": [
        {"key": "REGISTERED"},
        {"key": "SILVER", "requirement": revenue("1000")},
        {"key": "GOLD", "requirement": revenue("5000")},
    ]}]);
    document["benefits"] = json!([{"key": "support", "kind": "LEVEL", "levels": ["REGISTERED", "SILVER", "GOLD"]}]);
    let grant = |tier: &str| json!({"benefit": "support", "tier": tier, "value": {"level": tier}});
    document["grants"] = json!([grant("REGISTERED"), grant("SILVER"), grant("GOLD")]);
    let rate = json!({"default": "1 %", "tiers": {"SILVER": "5 %", "GOLD": "10 %"}});
    document["rebateSchedules"] = json!([{"key": "monthly", "period": {"month": {}}, "tierAt": "TRANSACTION_DATE", "method": {"flat": {"rate": rate}}}]);
    document
}

fn day(day: u32) -> String {
    format!("2020-06-{day:02}")
}

impl Api {
    /// Sells on a day, or takes a sale back.
    async fn sells(&self, partner: &str, on: &str, kind: &str, amount: &str) {
        let amount = json!({"amount": amount, "currency": "USD"});
        let line = json!({"externalId": self.key(), "partner": partner, "date": on, "kind": kind, "amount": amount, "quantity": "1"});
        let input = json!({"source": "erp", "transactions": [line], "idempotencyKey": self.key()});
        self.mutate(importer(), "transactionsRecord", "TransactionsRecordInput", "result { recorded }", input).await;
    }

    /// Puts on record what everybody holds today.
    async fn evaluates(&self) {
        let input = json!({"program": "P", "idempotencyKey": self.key()});
        self.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "movedCount", input).await;
    }

    /// Overrides a tier from today on; answers the override's id.
    async fn overrides(&self, partner: &str, kind: &str, tier: &str, until: &str) -> Value {
        let manager = actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
        let input = json!({"partner": partner, "program": "P", "kind": kind, "tier": tier, "until": until, "reason": "merger", "idempotencyKey": self.key()});
        let proposed = self.mutate(manager, "tierOverridePropose", "TierOverrideProposeInput", "tierOverride { id }", input).await;
        let input = json!({"id": proposed["tierOverride"]["id"], "idempotencyKey": self.key()});
        self.mutate(approver(), "tierOverrideApprove", "TierOverrideApproveInput", "tierOverride { state }", input).await;
        proposed["tierOverride"]["id"].clone()
    }

    /// The tier of a day as it is on record, and the override that holds it; entitlements must say the same.
    async fn held(&self, partner: &str, on: &str) -> (String, Option<String>) {
        let query = format!(
            "{{ partner(by: {{code: \"{partner}\"}}) {{ tier(asOf: \"{on}\") {{ tier overridden {{ kind }} }} entitlements(asOf: \"{on}\") {{ value {{ level }} }} }} }}"
        );
        let answer = self.ask(auditor(), &query).await;
        let found = answer.at("/partner");
        assert_eq!(found["entitlements"][0]["value"]["level"], found["tier"]["tier"], "{partner} on {on}");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (text(&found["tier"]["tier"]).unwrap(), text(&found["tier"]["overridden"]["kind"]))
    }

    /// What a standing of today decides: the tier, the change, whether an override holds it, and what threatens it.
    async fn stands(&self, partner: &str) -> (String, String, bool, usize) {
        let query = format!(
            "{{ partner(by: {{code: \"{partner}\"}}) {{ standing {{ ladders {{ tier decision {{ change reasons }} }} atRisk(months: 3) {{ tier }} }} }} }}"
        );
        let answer = self.ask(auditor(), &query).await;
        let ladder = answer.at("/partner/standing/ladders/0");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let overridden = ladder["decision"]["reasons"].as_array().unwrap().contains(&json!("OVERRIDDEN"));
        let risks = answer.at("/partner/standing/atRisk").as_array().unwrap().len();
        (text(&ladder["tier"]), text(&ladder["decision"]["change"]), overridden, risks)
    }

    /// What is on record: tier, first day and cause of each stretch.
    async fn record(&self, partner: &str) -> Vec<String> {
        let sql = "SELECT a.tier || ' ' || CAST(a.from_on AS TEXT) || ' ' || a.cause FROM tier_assignment a JOIN partner p ON p.id = a.partner_id \
                   WHERE p.code = '{partner}' ORDER BY a.from_on";
        self.database.texts(&sql.replace("{partner}", partner)).await
    }
}

/// A partner with an override until 6 June and what it sells on the 3rd: the tiers of the days from the 1st to the 9th by their initials,
/// which override holds on the 1st, 3rd and 5th, and what is on record in the end.
type Case = (&'static str, (&'static str, &'static str), (&'static str, &'static str), &'static str, [bool; 3], &'static [&'static str]);

const CASES: [Case; 7] = [
    (
        "UP",
        ("PIN", "GOLD"),
        ("SALE", "8000.00"),
        "GGGGGGGGG",
        [true; 3],
        &["GOLD 2020-06-01 OVERRIDE", "GOLD 2020-06-03 OVERRIDE", "GOLD 2020-06-06 PROMOTION"],
    ),
    (
        "DOWN",
        ("PIN", "REGISTERED"),
        ("RETURN", "1800.00"),
        "RRRRRRRRR",
        [true; 3],
        &["REGISTERED 2020-06-01 OVERRIDE", "REGISTERED 2020-06-03 OVERRIDE", "REGISTERED 2020-06-06 DEMOTION"],
    ),
    ("BACK", ("PIN", "GOLD"), ("SALE", "1.00"), "GGGGGSSSS", [true; 3], &["GOLD 2020-06-01 OVERRIDE", "SILVER 2020-06-06 DEMOTION"]),
    ("CAPPED", ("CEILING", "REGISTERED"), ("SALE", "1.00"), "RRRRRSSSS", [true; 3], &["REGISTERED 2020-06-01 OVERRIDE", "SILVER 2020-06-06 PROMOTION"]),
    (
        "SUNK",
        ("CEILING", "REGISTERED"),
        ("RETURN", "1800.00"),
        "RRRRRRRRR",
        [true, false, false],
        &["REGISTERED 2020-06-01 OVERRIDE", "REGISTERED 2020-06-03 DEMOTION"],
    ),
    ("LIFTED", ("FLOOR", "GOLD"), ("SALE", "1.00"), "GGGGGSSSS", [true; 3], &["GOLD 2020-06-01 OVERRIDE", "SILVER 2020-06-06 DEMOTION"]),
    ("GROWN", ("FLOOR", "GOLD"), ("SALE", "8000.00"), "GGGGGGGGG", [true, false, false], &["GOLD 2020-06-01 OVERRIDE", "GOLD 2020-06-03 PROMOTION"]),
];

fn tier_of(initial: char) -> &'static str {
    match initial {
        'R' => "REGISTERED",
        'S' => "SILVER",
        _ => "GOLD",
    }
}

#[tokio::test]
async fn the_end_of_an_override_leaves_what_the_review_of_the_day_gives_and_every_answer_agrees_on_every_day() {
    let api = Api::new().await;
    api.publish(&daily()).await;
    let codes: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    api.enroll(&codes).await;
    for code in &codes {
        api.sells(code, "2020-05-02", "SALE", "2000.00").await;
    }
    run_due(&api.app).await.unwrap();
    for (code, (kind, tier), ..) in CASES {
        assert_eq!(api.held(code, &day(1)).await, ("SILVER".into(), None));
        api.overrides(code, kind, tier, &day(6)).await;
    }
    for today in 1..10 {
        go_to(&api, &day(today));
        for (code, _, (kind, amount), ..) in CASES.into_iter().filter(|_| today == 3) {
            api.sells(code, &day(3), kind, amount).await;
        }
        for code in &codes {
            api.sells(code, &day(today), "SALE", "10.00").await;
        }
        run_due(&api.app).await.unwrap();
        for (code, (kind, _), _, tiers, holds, _) in CASES {
            let expected = tier_of(tiers.chars().nth(today as usize - 1).unwrap());
            let (held, by) = api.held(code, &day(today)).await;
            let (stands, change, overridden, risks) = api.stands(code).await;
            assert_eq!((held.as_str(), stands.as_str(), change.as_str()), (expected, expected, "KEPT"), "{code} on {today}");
            assert_eq!(by.is_some(), overridden, "{code} on {today}: told alike");
            if [1, 3, 5].contains(&today) {
                let holds = holds[today as usize / 2];
                assert_eq!(by.as_deref(), holds.then_some(kind), "{code} on {today}");
                assert!(!holds || risks == 0, "{code} on {today}: what an override holds is not at risk");
            }
        }
    }
    // On the days on which nothing moves, nothing is changed; on the 3rd two are released from their overrides by their own merit, and two
    // have another tier of their own under a pin, to which its end goes back.
    let changed = "SELECT CAST(as_of AS TEXT) || ' ' || changed FROM review WHERE job_id IS NOT NULL AND as_of > '2020-06-01' ORDER BY as_of";
    let expected = [0, 4, 0, 0, 5, 0, 0, 0].into_iter().zip(2..).map(|(changed, on)| format!("{} {changed}", day(on)));
    assert_eq!(api.database.texts(changed).await, expected.collect::<Vec<_>>());
    for (code, .., record) in CASES {
        let all = api.record(code).await;
        assert_eq!(all[all.len() - record.len()..], *record, "{code}");
    }
    let told = "SELECT COUNT(*) FROM outbox_event WHERE kind IN ('tier.promoted', 'tier.demoted') AND payload LIKE '%2020-06-06%'";
    assert_eq!(api.database.number(told).await, 3, "only where the tier is another one");

    // Long after: the past is as it was, and each sale line has the rate of its day's tier.
    go_to(&api, "2020-07-02");
    run_due(&api.app).await.unwrap();
    let run = calculated(&api, "2020-06", "ORIGINAL").await;
    let query = format!("{{ statements(filter: {{run: {}}}, first: 100) {{ nodes {{ partner {{ code }} amount {{ amount }} }} }} }}", run["id"]);
    let answer = api.ask(preparer(), &query).await;
    let statements = answer.at("/statements/nodes").as_array().unwrap();
    for (code, _, (kind, amount), tiers, ..) in CASES {
        let moved = amount.parse::<f64>().unwrap() * if kind == "RETURN" { -1.0 } else { 1.0 };
        let mut cents = 0.0;
        for (today, initial) in (1..).zip(tiers.chars()) {
            assert_eq!(api.held(code, &day(today)).await.0, tier_of(initial), "{code} on {today}, looked at later");
            let rate = match initial {
                'R' => 1.0,
                'S' => 5.0,
                _ => 10.0,
            };
            cents += rate * if today == 3 { 10.0 + moved } else { 10.0 };
        }
        let stated = statements.iter().find(|node| node["partner"]["code"] == code).map_or("0.00", |node| node["amount"]["amount"].as_str().unwrap());
        // A negative basis earns nothing.
        assert_eq!(stated, format!("{:.2}", f64::max(cents / 100.0, 0.0)), "{code}");
    }
}

/// Two partners that were pinned up until 6 June, and have earned it meanwhile; nobody reviewed them on that day.
async fn unreviewed() -> Api {
    let api = Api::new().await;
    api.publish(&daily()).await;
    api.enroll(&["A", "C"]).await;
    for code in ["A", "C"] {
        api.sells(code, "2020-05-02", "SALE", "2000.00").await;
    }
    run_due(&api.app).await.unwrap();
    for code in ["A", "C"] {
        api.overrides(code, "PIN", "GOLD", &day(6)).await;
        api.sells(code, &day(1), "SALE", "8000.00").await;
    }
    go_to(&api, &day(8));
    assert_eq!((api.held("A", &day(8)).await.0, api.stands("A").await.0), ("SILVER".into(), "GOLD".into()), "the last review's tier, until the next one");
    api
}

#[tokio::test]
async fn an_evaluation_mends_what_no_review_has_put_on_record() {
    let api = unreviewed().await;
    let input = |key: &str| json!({"program": "P", "partners": ["A"], "idempotencyKey": key});
    let done = api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "moved { from to cause }", input("e")).await;
    assert_eq!(done["moved"], json!([{"from": "GOLD", "to": "GOLD", "cause": "PROMOTION"}]));
    let again = api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "moved { to }", input("again")).await;
    assert_eq!(again["moved"], json!([]), "the same again changes nothing");
    let input = json!({"program": "P", "partners": ["C"], "idempotencyKey": "r"});
    api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", input).await;
    run_due(&api.app).await.unwrap();
    go_to(&api, &day(20));
    for code in ["A", "C"] {
        assert_eq!(api.record(code).await.last().unwrap(), "GOLD 2020-06-08 PROMOTION", "{code}");
        assert_eq!(api.held(code, &day(20)).await, ("GOLD".into(), None));
    }
}

#[tokio::test]
async fn one_that_is_ended_early_leaves_what_is_earned_by_then_also_on_the_day_of_a_review() {
    let api = Api::new().await;
    api.publish(&daily()).await;
    api.enroll(&["A"]).await;
    api.sells("A", "2020-05-02", "SALE", "2000.00").await;
    run_due(&api.app).await.unwrap();
    let pin = api.overrides("A", "PIN", "GOLD", "2020-12-01").await;
    go_to(&api, &day(3));
    api.sells("A", &day(3), "SALE", "8000.00").await;
    run_due(&api.app).await.unwrap();
    go_to(&api, &day(5));
    let input = json!({"id": pin, "reason": "sold", "idempotencyKey": "end"});
    api.mutate(approver(), "tierOverrideEnd", "TierOverrideEndInput", "tierOverride { state }", input).await;
    for again in 0..2 {
        let (held, by) = api.held("A", &day(5)).await;
        assert_eq!((held.as_str(), by, api.stands("A").await.0.as_str()), ("GOLD", None, "GOLD"), "{again}");
        assert_eq!(api.record("A").await.last().unwrap(), "GOLD 2020-06-05 PROMOTION");
        run_due(&api.app).await.unwrap();
    }
    // A partner that is suspended keeps the last review's tier, not the override's.
    let pin = api.overrides("A", "PIN", "REGISTERED", "2020-12-01").await;
    go_to(&api, &day(6));
    let suspended = json!({"code": "A", "name": "Partner A", "type": "VAR", "region": "DE", "status": "SUSPENDED", "from": day(6)});
    api.mutate(super::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [suspended], "idempotencyKey": "s"})).await;
    let input = json!({"id": pin, "reason": "sold", "idempotencyKey": "end2"});
    api.mutate(approver(), "tierOverrideEnd", "TierOverrideEndInput", "tierOverride { state }", input).await;
    let (stands, ..) = api.stands("A").await;
    assert_eq!((stands.as_str(), api.record("A").await.last().unwrap().as_str()), ("GOLD", "GOLD 2020-06-06 PROMOTION"));
}

#[tokio::test]
async fn what_a_review_gives_under_an_override_is_remembered_for_its_end() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"] = json!({"cadenceUp": "MONTHLY", "cadenceDown": "MONTHLY"});
    api.publish(&document).await;
    api.enroll(&["FALLS", "RISES"]).await;
    api.sells("FALLS", "2019-06-20", "SALE", "8000.00").await;
    run_due(&api.app).await.unwrap();
    go_to(&api, &day(10));
    api.overrides("FALLS", "FLOOR", "SILVER", "2020-08-15").await;
    api.overrides("RISES", "CEILING", "SILVER", "2020-08-15").await;
    api.sells("RISES", &day(10), "SALE", "8000.00").await;
    assert_eq!((api.held("FALLS", &day(30)).await, api.held("RISES", &day(30)).await), (("GOLD".into(), None), ("REGISTERED".into(), None)));
    // On the first of July the one would fall to REGISTERED, the other would rise to GOLD.
    go_to(&api, "2020-07-01");
    run_due(&api.app).await.unwrap();
    let silver = |kind: &str| ("SILVER".to_owned(), Some(kind.to_owned()));
    for on in ["2020-07-01", "2020-07-02", "2020-08-14"] {
        go_to(&api, on);
        let input = json!({"program": "P", "asOf": on, "idempotencyKey": on});
        let done = api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "movedCount", input).await;
        assert_eq!(done["movedCount"], 0, "{on}");
        assert_eq!((api.held("FALLS", on).await, api.held("RISES", on).await), (silver("FLOOR"), silver("CEILING")), "{on}");
        assert_eq!((api.stands("FALLS").await.1, api.stands("RISES").await.1), ("KEPT".into(), "KEPT".into()), "{on}");
    }
    go_to(&api, "2020-08-15");
    for reviewed in [false, true] {
        assert_eq!((api.held("FALLS", "2020-08-15").await.0, api.held("RISES", "2020-08-15").await.0), ("REGISTERED".into(), "GOLD".into()), "{reviewed}");
        run_due(&api.app).await.unwrap();
    }
    assert_eq!(api.record("FALLS").await, ["GOLD 2020-06-01 ENROLLED", "SILVER 2020-07-01 OVERRIDE", "REGISTERED 2020-08-15 DEMOTION"]);
    assert_eq!(api.record("RISES").await, ["REGISTERED 2020-06-01 ENROLLED", "SILVER 2020-07-01 OVERRIDE", "GOLD 2020-08-15 PROMOTION"]);
}

/// The tier of a day: its key, since when, why, and which override holds it.
async fn tier_on(api: &Api, partner: &str, on: &str) -> String {
    let answer =
        api.ask(auditor(), &format!("{{ partner(by: {{code: \"{partner}\"}}) {{ tier(asOf: \"{on}\") {{ tier from cause overridden {{ kind }} }} }} }}")).await;
    let tier = answer.at("/partner/tier");
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    [&tier["tier"], &tier["from"], &tier["cause"], &tier["overridden"]["kind"]].map(text).join(" ")
}

#[tokio::test]
async fn what_a_review_finds_under_an_override_of_the_partners_own_tier_is_remembered() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"] = json!({"cadenceUp": "NEVER", "cadenceDown": "NEVER"});
    api.publish(&document).await;
    api.enroll(&["SAME", "BELOW", "CAPPED", "LOW"]).await;
    for code in ["SAME", "BELOW"] {
        api.sells(code, "2020-05-02", "SALE", "8000.00").await;
    }
    api.sells("CAPPED", "2020-05-02", "SALE", "2000.00").await;
    api.evaluates().await;
    go_to(&api, &day(3));
    for (code, kind, tier) in [("SAME", "FLOOR", "GOLD"), ("BELOW", "FLOOR", "SILVER"), ("CAPPED", "CEILING", "SILVER"), ("LOW", "FLOOR", "SILVER")] {
        api.overrides(code, kind, tier, &day(14)).await;
    }
    assert_eq!(tier_on(&api, "SAME", &day(5)).await, "GOLD 2020-06-01 ENROLLED none", "its own tier needs no floor");
    // On the 10th the first two are good for REGISTERED only, and the third for GOLD.
    go_to(&api, &day(10));
    for code in ["SAME", "BELOW"] {
        api.sells(code, &day(10), "RETURN", "8000.00").await;
    }
    api.sells("CAPPED", &day(10), "SALE", "8000.00").await;
    for again in ["r1", "r2"] {
        let input = json!({"program": "P", "reviewDue": true, "idempotencyKey": again});
        api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", input).await;
        run_due(&api.app).await.unwrap();
        let changes = "SELECT p.code || ' ' || n.change FROM review_standing n JOIN partner p ON p.id = n.partner_id JOIN review r ON r.id = n.review_id \
                       WHERE r.as_of = '2020-06-10' ORDER BY p.code";
        assert_eq!(api.database.texts(changes).await, ["BELOW DEMOTED", "CAPPED OVERRIDDEN", "LOW KEPT", "SAME OVERRIDDEN"], "{again}");
    }
    let told = "SELECT COUNT(*) FROM outbox_event WHERE kind IN ('tier.promoted', 'tier.demoted') AND payload LIKE '%2020-06-10%'";
    assert_eq!(api.database.number(told).await, 1, "only where the tier is another one");
    for on in 10..14 {
        go_to(&api, &day(on));
        run_due(&api.app).await.unwrap();
        assert_eq!(tier_on(&api, "SAME", &day(on)).await, "GOLD 2020-06-10 OVERRIDE FLOOR", "{on}");
        assert_eq!(tier_on(&api, "BELOW", &day(on)).await, "SILVER 2020-06-10 OVERRIDE FLOOR", "{on}: not since the floor began");
        assert_eq!(tier_on(&api, "CAPPED", &day(on)).await, "SILVER 2020-06-10 OVERRIDE CEILING", "{on}");
        assert_eq!(tier_on(&api, "LOW", &day(on)).await, "SILVER 2020-06-03 OVERRIDE FLOOR", "{on}");
        for (code, tier) in [("SAME", "GOLD"), ("BELOW", "SILVER"), ("CAPPED", "SILVER")] {
            assert_eq!(api.stands(code).await, (tier.into(), "KEPT".into(), true, 0), "{code} on {on}");
        }
    }
    let ends = [("SAME", "REGISTERED"), ("BELOW", "REGISTERED"), ("CAPPED", "GOLD"), ("LOW", "REGISTERED")];
    for (code, tier) in ends {
        assert_eq!(api.held(code, &day(14)).await, (tier.into(), None), "{code}, asked in advance");
    }
    // The one that is suspended keeps what that review gave, as the other one, which is judged anew.
    let suspended = json!({"code": "SAME", "name": "Partner SAME", "type": "VAR", "region": "DE", "status": "SUSPENDED", "from": day(13)});
    api.mutate(super::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [suspended], "idempotencyKey": "s"})).await;
    go_to(&api, &day(14));
    run_due(&api.app).await.unwrap();
    for (code, tier) in ends {
        let record = api.record(code).await;
        assert_eq!((api.stands(code).await.0.as_str(), record.last().unwrap().split(' ').next().unwrap()), (tier, tier), "{code}");
    }
}

#[tokio::test]
async fn a_tier_that_a_version_drops_is_held_no_more_and_no_cadence_delays_what_follows() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"] = json!({"cadenceUp": "ANNUAL", "cadenceDown": "ANNUAL"});
    api.publish(&document).await;
    let codes = ["OWN", "AWAY", "PINNED", "RAISED", "CAPPED", "LOWER"];
    api.enroll(&codes).await;
    for code in ["OWN", "AWAY", "CAPPED"] {
        api.sells(code, "2020-05-02", "SALE", "8000.00").await;
    }
    api.evaluates().await;
    go_to(&api, &day(3));
    api.overrides("PINNED", "PIN", "GOLD", &day(25)).await;
    api.overrides("RAISED", "FLOOR", "GOLD", &day(25)).await;
    api.overrides("CAPPED", "CEILING", "SILVER", &day(25)).await;
    let suspended = json!({"code": "AWAY", "name": "Partner AWAY", "type": "VAR", "region": "DE", "status": "SUSPENDED", "from": day(3)});
    api.mutate(super::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [suspended], "idempotencyKey": "s"})).await;
    let mut next = document.clone();
    next["version"] = json!({"label": "without GOLD", "effectiveOn": day(10)});
    next["ladders"][0]["tiers"].as_array_mut().unwrap().pop();
    next["grants"].as_array_mut().unwrap().pop();
    next["rebateSchedules"][0]["method"]["flat"]["rate"]["tiers"].as_object_mut().unwrap().remove("GOLD");
    api.publish(&next).await;
    let until = api.ask(auditor(), "{ partner(by: {code: \"OWN\"}) { tier { tier until } } }").await;
    assert_eq!(until.at("/partner/tier"), &json!({"tier": "GOLD", "until": "2020-06-10"}), "it is known until when");
    // Before any review, and on the days before as ever.
    go_to(&api, &day(10));
    let before = [("OWN", "GOLD 2020-06-01 ENROLLED none"), ("PINNED", "GOLD 2020-06-03 OVERRIDE PIN"), ("CAPPED", "SILVER 2020-06-03 OVERRIDE CEILING")];
    let nothing = "none 2020-06-10 VERSION_CHANGE none";
    for (code, tier) in before {
        assert_eq!(tier_on(&api, code, &day(9)).await, tier, "{code}");
    }
    assert_eq!(tier_on(&api, "OWN", &day(10)).await, nothing);
    assert_eq!(tier_on(&api, "AWAY", &day(10)).await, nothing);
    assert_eq!(tier_on(&api, "PINNED", &day(10)).await, "REGISTERED 2020-06-10 VERSION_CHANGE none", "an override to a tier that is not there holds nothing");
    assert_eq!(tier_on(&api, "LOWER", &day(10)).await, "REGISTERED 2020-06-01 ENROLLED none");
    run_due(&api.app).await.unwrap();
    for on in [10, 20] {
        go_to(&api, &day(on));
        run_due(&api.app).await.unwrap();
        let silver = "SILVER 2020-06-10 VERSION_CHANGE none";
        assert_eq!((tier_on(&api, "OWN", &day(on)).await.as_str(), tier_on(&api, "CAPPED", &day(on)).await.as_str()), (silver, silver), "{on}");
        for code in ["PINNED", "RAISED"] {
            assert_eq!(tier_on(&api, code, &day(on)).await, "REGISTERED 2020-06-10 VERSION_CHANGE none", "{code} on {on}");
        }
        for (code, tier) in [("OWN", "SILVER"), ("PINNED", "REGISTERED"), ("RAISED", "REGISTERED"), ("CAPPED", "SILVER"), ("LOWER", "REGISTERED")] {
            assert_eq!((api.held(code, &day(on)).await.0.as_str(), api.stands(code).await.0.as_str()), (tier, tier), "{code} on {on}");
            assert_eq!(api.database.texts(&listed(code)).await, [tier], "{code} on {on}: the list");
        }
        assert_eq!(tier_on(&api, "AWAY", &day(on)).await, nothing, "{on}");
        for (code, tier) in before {
            assert_eq!(tier_on(&api, code, &day(9)).await, tier, "{code}, looked at on the {on}th");
        }
    }
    // Whoever was suspended is judged when it is back, without waiting for a year.
    let back = json!({"code": "AWAY", "name": "Partner AWAY", "type": "VAR", "region": "DE", "status": "ACTIVE", "from": day(20)});
    api.mutate(super::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [back], "idempotencyKey": "b"})).await;
    let input = json!({"program": "P", "partners": ["AWAY"], "idempotencyKey": "e"});
    let done = api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "moved { from to cause }", input).await;
    assert_eq!(done["moved"], json!([{"from": "GOLD", "to": "SILVER", "cause": "VERSION_CHANGE"}]));
}

/// The tiers of a partner in the lists.
fn listed(partner: &str) -> String {
    format!("SELECT n.tier FROM standing_now n JOIN partner p ON p.id = n.partner_id WHERE p.code = '{partner}'")
}

#[tokio::test]
async fn whoever_meets_nothing_of_a_version_that_dropped_its_tier_loses_it() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"] = json!({"cadenceUp": "ANNUAL", "cadenceDown": "ANNUAL"});
    api.publish(&document).await;
    api.enroll(&["A"]).await;
    api.evaluates().await;
    let mut next = document.clone();
    next["version"] = json!({"label": "without REGISTERED", "effectiveOn": day(10)});
    next["ladders"][0]["tiers"].as_array_mut().unwrap().remove(0);
    next["grants"].as_array_mut().unwrap().remove(0);
    api.publish(&next).await;
    go_to(&api, &day(10));
    run_due(&api.app).await.unwrap();
    assert_eq!(tier_on(&api, "A", &day(10)).await, "none 2020-06-10 VERSION_CHANGE none");
    let review = "SELECT demoted || ' ' || promoted || ' ' || kept || ' ' || changed FROM review ORDER BY as_of DESC LIMIT 1";
    assert_eq!(api.database.texts(review).await, ["1 0 0 1"]);
    assert_eq!(api.database.number("SELECT COUNT(*) FROM outbox_event WHERE kind = 'tier.demoted'").await, 1);
}

#[tokio::test]
async fn lists_follow_an_evaluation_at_once() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"] = json!({"cadenceUp": "MONTHLY", "cadenceDown": "MONTHLY"});
    api.publish(&document).await;
    api.enroll(&["A", "C"]).await;
    api.evaluates().await;
    go_to(&api, &day(5));
    for code in ["A", "C"] {
        api.sells(code, &day(4), "SALE", "8000.00").await;
    }
    let input = json!({"program": "P", "partners": ["A"], "reviewDue": true, "idempotencyKey": "e"});
    let done = api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "movedCount", input).await;
    assert_eq!(done["movedCount"], 1);
    let answer = api.ask(auditor(), "{ standings { nodes { partnerCode tier asOf } } }").await;
    let expected = json!([{"partnerCode": "A", "tier": "GOLD", "asOf": "2020-06-05"}, {"partnerCode": "C", "tier": "REGISTERED", "asOf": "2020-06-01"}]);
    assert_eq!(answer.at("/standings/nodes"), &expected);
}

#[tokio::test]
async fn a_grace_period_goes_on_when_a_version_of_other_rates_takes_effect() {
    let api = Api::new().await;
    let mut document = daily();
    document["ladders"][0]["review"]["grace"] = json!({"days": 10});
    api.publish(&document).await;
    api.enroll(&["A"]).await;
    api.sells("A", "2020-05-02", "SALE", "8000.00").await;
    api.evaluates().await;
    go_to(&api, &day(2));
    api.sells("A", &day(2), "RETURN", "8000.00").await;
    run_due(&api.app).await.unwrap();
    document["version"] = json!({"label": "other rates", "effectiveOn": day(8)});
    document["rebateSchedules"][0]["method"]["flat"]["rate"]["tiers"]["GOLD"] = json!("11 %");
    api.publish(&document).await;
    for on in [8, 11] {
        go_to(&api, &day(on));
        run_due(&api.app).await.unwrap();
        let grace = "{ partner(by: {code: \"A\"}) { standing { ladders { decision { grace { since until } } } } } }";
        let answer = api.ask(auditor(), grace).await;
        assert_eq!(answer.at("/partner/standing/ladders/0/decision/grace"), &json!({"since": day(2), "until": day(12)}), "{on}");
        assert_eq!(tier_on(&api, "A", &day(on)).await, "GOLD 2020-06-01 ENROLLED none", "{on}");
    }
    go_to(&api, &day(12));
    run_due(&api.app).await.unwrap();
    assert_eq!(tier_on(&api, "A", &day(12)).await, "REGISTERED 2020-06-12 DEMOTION none");
}
