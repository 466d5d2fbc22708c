//! A run reads whatever its schedules ask for: metrics to grow from, to reach, to be paid on and to be judged by, deals of sale lines.

use guerdon_domain::document::read::read_document;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{OnRecord, accruals, compute_period};
use serde_json::{Value, json};

use super::{calculated, go_to, line, program_with, sell, service};
use crate::api::{Api, importer};

fn measure(source: &str, aggregate: &str, of: &str, window: &Value) -> Value {
    json!({"measure": {"source": source, "aggregate": aggregate, "of": of, "window": window}})
}

/// Each asks for something else that only the facts besides the lines of the period tell.
fn schedules() -> Value {
    let flat = json!({"flat": {"rate": "1 %"}});
    let lifetime = json!({"lifetime": {}});
    let quarter = json!({"calendar": {"unit": "QUARTER"}});
    let activities = measure("ACTIVITIES", "SUM", "value", &lifetime);
    let this_quarter = measure("ACTIVITIES", "SUM", "value", &quarter);
    let deals = measure("DEALS", "SUM", "value", &lifetime);
    let below = json!({"measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": quarter, "scope": "SUBTREE"}});
    let growth = |baseline: &Value| json!({"growth": {"baseline": baseline, "payOn": "EVERYTHING", "bands": [{"from": "1.1", "rate": "2 %"}, {"from": "2", "rate": "3 %"}]}});
    let schedule = |key: &str, more: Value| {
        let mut schedule = json!({"key": key, "period": {"quarter": {}}, "method": flat});
        schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schedule
    };
    json!([
        schedule("a-growth", json!({"method": growth(&json!({"metric": activities}))})),
        schedule(
            "b-target",
            json!({"method": {"target": {"history": {"metric": measure("HOLDINGS", "SUM", "value", &json!({"onDay": {}}))}, "pays": {"lumpSum": 77}}}})
        ),
        schedule("c-basis", json!({"basis": {"metric": deals}})),
        schedule(
            "d-qualifier",
            json!({"qualifier": {"metric": below}, "method": {"bands": {"scope": "RETROACTIVE", "bands": [{"from": 0, "rate": "1 %"}, {"from": 4000, "rate": "5 %"}]}}})
        ),
        schedule("e-earlier", json!({"qualifier": {"metric": this_quarter}, "method": growth(&json!({"samePeriodLastYear": {}}))})),
        schedule("f-deals", json!({"scope": {"filter": {"test": {"field": "deal.kind", "equals": "NEW"}}}})),
        schedule("g-condition", json!({"condition": {"holding": {"kind": "CERTIFICATION"}}})),
        schedule("h-history", json!({"basis": {"metric": this_quarter}, "guarantee": {"amount": "2.00", "cumulative": true}})),
        schedule("i-kinds", json!({"scope": {"dealKinds": ["NEW"]}})),
        schedule("j-accrual", json!({"accrual": {"method": growth(&json!({"previousPeriod": {}}))}})),
    ])
}

fn known(mut fact: Value, source: &str, id: &str) -> Value {
    let members = fact.as_object_mut().unwrap();
    members.extend([("id".to_owned(), json!(id)), ("source".to_owned(), json!(source))]);
    fact
}

/// Facts of the partner, as the interface takes them and as an evaluation does.
async fn record(api: &Api, program: &Program) -> guerdon_domain::facts::Facts {
    let amounts = [("1", "2019-05-04", "300.00"), ("2", "2020-02-04", "100.00"), ("3", "2020-04-04", "1000.00"), ("4", "2020-06-30", "1111.11")];
    let mut sold: Vec<Value> = amounts.iter().map(|(id, date, amount)| line(id, "A", date, amount)).collect();
    sold[2]["deal"] = json!("D1");
    sold.push(line("5", "B", "2020-05-05", "2500.00"));
    sell(api, &sold).await;
    let activities = [("2019-04-10", "90"), ("2019-06-10", "60"), ("2020-03-31", "500"), ("2020-05-10", "400")];
    let holdings = [("CERTIFICATION", "2019-01-01", "100"), ("SUBSCRIPTION", "2020-01-15", "900")];
    let deals = [("D1", "2018-03-01", "NEW", "5000.00"), ("D2", "2020-06-01", "OLD", "1234.56")];
    let send = async |name: &str, input: &str, list: &str, facts: Vec<Value>| {
        let input_value = json!({"source": "crm", list: facts, "idempotencyKey": api.key()});
        api.mutate(importer(), name, input, "result { recorded }", input_value).await;
    };
    let of_a = |mut fact: Value, id: &str| {
        fact.as_object_mut().unwrap().extend([("externalId".to_owned(), json!(id)), ("partner".to_owned(), json!("A"))]);
        fact
    };
    let activity = |(date, value): &(&str, &str)| json!({"date": date, "kind": "POINTS", "value": value});
    let holding = |(kind, since, value): &(&str, &str, &str)| json!({"kind": kind, "since": since, "value": value});
    send("activitiesRecord", "ActivitiesRecordInput", "activities", activities.iter().map(|one| of_a(activity(one), one.0)).collect()).await;
    let held = holdings.iter().map(|one| {
        let mut held = of_a(holding(one), one.0);
        held["holderKind"] = json!("PARTNER");
        held
    });
    send("holdingsRecord", "HoldingsRecordInput", "holdings", held.collect()).await;
    let opened = deals.iter().map(|(id, on, kind, value)| of_a(json!({"openedOn": on, "kind": kind, "value": {"amount": value, "currency": "USD"}}), id));
    send("dealsRecord", "DealsRecordInput", "deals", opened.collect()).await;

    let spelled = |sale: &Value| {
        let mut fact = json!({"id": sale["externalId"], "source": "erp", "date": sale["date"], "amount": sale["amount"]["amount"], "quantity": "1"});
        if let Some(deal) = sale.get("deal") {
            fact["deal"] = deal.clone();
        }
        fact
    };
    let of = |code: &str| -> Vec<Value> { sold.iter().filter(|sale| sale["partner"] == code).map(spelled).collect() };
    let profile = |parent: Value| json!([{"from": "2018-01-01", "type": "VAR", "region": "DE", "parent": parent}]);
    let input = json!({"partners": [
        {
            "code": "A", "attributes": profile(Value::Null), "enrollments": [{"since": "2018-01-01"}], "transactions": of("A"),
            "activities": activities.iter().map(|one| known(activity(one), "crm", one.0)).collect::<Vec<_>>(),
            "holdings": holdings.iter().map(|one| known(holding(one), "crm", one.0)).collect::<Vec<_>>(),
            "deals": deals.iter().map(|(id, on, kind, value)| known(json!({"openedOn": on, "kind": kind, "value": value}), "crm", id)).collect::<Vec<_>>(),
        },
        {"code": "B", "attributes": profile(json!("A")), "enrollments": [{"since": "2018-01-01"}], "transactions": of("B")},
    ]});
    let input = serde_json::from_value(input).unwrap();
    guerdon_domain::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

#[tokio::test]
async fn a_run_reads_what_its_schedules_ask_for() {
    let mut document = program_with(json!({}));
    document["rebateSchedules"] = schedules();
    let program = Program::compile(read_document(document.clone()).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let api = service(&document, &["A", "B"], "2020-07-10").await;
    let below = json!({"partners": [{"code": "B", "name": "Partner B", "from": "2018-01-01", "type": "VAR", "region": "DE", "parent": "A"}], "idempotencyKey": api.key()});
    api.mutate(crate::api::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", below).await;
    let facts = record(&api, &program).await;
    let period = program.period_named("2020-Q2").unwrap();
    let expected = compute_period(&program, &facts, "A", &period, None, &OnRecord).unwrap_or_else(|faults| panic!("{faults}"));
    let expected: Vec<String> = expected.entitlements.iter().map(|one| format!("{} {}", one.schedule, one.amount.minor)).collect();
    assert!(expected.len() == 10 && expected.iter().all(|one| !one.ends_with(" 0")), "each of them earns: {expected:?}");
    let run = calculated(&api, "2020-Q2", "ORIGINAL").await;
    assert_eq!(run["state"], "CALCULATED", "{run}");
    let sql = "SELECT s.schedule || ' ' || s.entitled_minor FROM statement s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'A' ORDER BY s.schedule";
    assert_eq!(api.database.texts(sql).await, expected);

    // What is set aside for an open period asks for what its own method asks.
    go_to(&api, "2020-06-30");
    let as_of = "2020-06-30".parse().unwrap();
    let set_aside = accruals(&program, &facts, "A", &period, as_of, &OnRecord).unwrap();
    let expected: Vec<String> = set_aside.iter().filter(|(_, money)| money.minor != 0).map(|(schedule, money)| format!("{schedule} {}", money.minor)).collect();
    let input = json!({"program": "P", "period": "2020-Q2", "idempotencyKey": api.key()});
    api.mutate(super::preparer(), "rebateAccrue", "RebateAccrueInput", "job { id }", input).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    let sql =
        "SELECT l.schedule || ' ' || l.accrued_minor FROM rebate_accrual_line l JOIN partner p ON p.id = l.partner_id WHERE p.code = 'A' ORDER BY l.schedule";
    assert_eq!(api.database.texts(sql).await, expected);
}
