//! Facts over the interface.

use guerdon_domain::access::{Actor, Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, admin, importer, of_partner, sale};

const RECORD: (&str, &str, &str) = ("transactionsRecord", "TransactionsRecordInput", "result { batchId sealNumber recorded unchanged }");

fn sales(lines: Vec<Value>, key: &str) -> Value {
    json!({"source": "erp", "transactions": lines, "idempotencyKey": key})
}

fn erp_only() -> Actor {
    let mut actor = importer();
    actor.roles[0].sources = vec!["crm".into()];
    actor
}

#[tokio::test]
async fn sale_lines_are_recorded_once_and_read_back() {
    let api = Api::furnished().await;
    let mut line = sale("A", 1);
    line["externalId"] = json!("new");
    line["attributes"] = json!([{"name": "segment", "value": {"text": "SMB"}}]);
    let input = sales(vec![line.clone(), sale("A", 1)], "k1");
    let recorded = api.mutate(importer(), RECORD.0, RECORD.1, RECORD.2, input.clone()).await;
    assert_eq!((&recorded["result"]["recorded"], &recorded["result"]["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!(api.mutate(importer(), RECORD.0, RECORD.1, RECORD.2, input).await, recorded, "replayed");
    let again = api.mutate(importer(), RECORD.0, RECORD.1, RECORD.2, sales(vec![line], "k2")).await;
    assert_eq!((&again["result"]["recorded"], &again["result"]["batchId"]), (&json!(0), &json!(null)));
    let query = "{ partner(by: {code: \"A\"}) { transactions(first: 2) { nodes { externalId source date kind quantity amount { amount currency } attributes { name text } } pageInfo { hasNextPage endCursor } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    assert_eq!(answer.at("/partner/transactions/nodes").as_array().unwrap().len(), 2);
    assert_eq!(answer.at("/partner/transactions/nodes/0/amount"), &json!({"amount": "1000.00", "currency": "USD"}));
    let cursor = answer.at("/partner/transactions/pageInfo/endCursor");
    let next = "query($after: String) { partner(by: {code: \"A\"}) { transactions(first: 100, after: $after) { nodes { externalId } } older: transactions(until: \"2020-02-01\") { nodes { externalId } } } }";
    let rest = api.execute(of_partner("A"), next, json!({"after": cursor})).await;
    assert_eq!(rest.at("/partner/transactions/nodes").as_array().unwrap().len(), 6);
    assert_eq!(rest.at("/partner/older/nodes").as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_bad_line_records_nothing_and_every_bad_line_is_listed() {
    let api = Api::furnished().await;
    let with = |member: &str, value: Value| {
        let mut line = sale("A", 2);
        line["externalId"] = json!(format!("bad-{member}"));
        line[member] = value;
        line
    };
    let lines = vec![with("amount", json!({"amount": "1.001", "currency": "USD"})), with("quantity", json!("0.0000001"))];
    let errors = api.refused(importer(), RECORD.0, RECORD.1, RECORD.2, sales(lines, "k1")).await;
    let expected = [("TOO_MANY_DECIMALS", "input.transactions.0.amount.amount"), ("TOO_MANY_DECIMALS", "input.transactions.1.quantity")];
    assert_eq!(errors, expected.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect());
    let mut conflict = sale("A", 3);
    conflict["amount"] = json!({"amount": "999.00", "currency": "USD"});
    let lines = vec![with("partner", json!("Z")), with("product", json!("none")), conflict, with("category", json!("BIKES"))];
    let errors = api.refused(importer(), RECORD.0, RECORD.1, RECORD.2, sales(lines, "k2")).await;
    let expected = [
        ("UNKNOWN_PARTNER", "input.transactions.0.partner"),
        ("UNKNOWN_PRODUCT", "input.transactions.1.product"),
        ("CONFLICT", "input.transactions.2.externalId"),
    ];
    assert_eq!(errors, expected.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect());
    let twice = vec![with("category", json!("BIKES")), with("category", json!("PARTS"))];
    assert_eq!(api.refused(importer(), RECORD.0, RECORD.1, RECORD.2, sales(twice, "k3")).await.first().unwrap().0, "DUPLICATE");
    let same = vec![with("category", json!("BIKES")), with("category", json!("BIKES"))];
    let done = api.mutate(importer(), RECORD.0, RECORD.1, "result { recorded unchanged }", sales(same.clone(), "same")).await;
    assert_eq!(done["result"], json!({"recorded": 1, "unchanged": 1}), "the same line twice counts once");
    let done = api.mutate(importer(), RECORD.0, RECORD.1, "result { recorded unchanged }", sales(same, "again")).await;
    assert_eq!(done["result"], json!({"recorded": 0, "unchanged": 2}));
    let many: Vec<Value> = (0..1_001)
        .map(|at| {
            let mut line = sale("A", 1);
            line["externalId"] = json!(at.to_string());
            line
        })
        .collect();
    assert_eq!(api.refused(importer(), RECORD.0, RECORD.1, RECORD.2, sales(many, "k4")).await.first().unwrap().0, "TOO_MANY");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM transactions").await, 22);
}

#[tokio::test]
async fn only_importers_record_and_only_from_their_sources() {
    let api = Api::furnished().await;
    for actor in [admin(), of_partner("A"), erp_only(), actor(Role::Auditor, RoleScope::All)] {
        let answer = api.try_mutate(actor, RECORD.0, RECORD.1, RECORD.2, sales(vec![sale("A", 1)], "k")).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
    }
}

#[tokio::test]
async fn holdings_activities_deals_and_rates_are_recorded_and_amended() {
    let api = Api::furnished().await;
    let fields = "result { recorded unchanged }";
    let holding = json!({"externalId": "c1", "partner": "A", "kind": "CERTIFICATION", "type": "SALES", "holderKind": "PERSON", "holder": "p1", "since": "2020-01-01", "until": "2021-01-01"});
    let record = |holding: Value, key: &str| json!({"source": "lms", "holdings": [holding], "idempotencyKey": key});
    let done = api.mutate(importer(), "holdingsRecord", "HoldingsRecordInput", fields, record(holding.clone(), "h1")).await;
    assert_eq!(done["result"]["recorded"], 1);
    let mut revoked = holding.clone();
    revoked["revokedOn"] = json!("2020-05-01");
    let done = api.mutate(importer(), "holdingsRecord", "HoldingsRecordInput", fields, record(revoked, "h2")).await;
    assert_eq!(done["result"]["recorded"], 1, "an amendment");
    let mut empty = holding;
    empty["until"] = json!("2020-01-01");
    empty["holder"] = json!(null);
    let errors = api.refused(importer(), "holdingsRecord", "HoldingsRecordInput", fields, record(empty, "h3")).await;
    assert_eq!(errors.len(), 2, "{errors:?}");

    let activity =
        json!({"source": "lms", "activities": [{"externalId": "a1", "partner": "A", "date": "2020-03-01", "kind": "TRAINING"}], "idempotencyKey": "a1"});
    assert_eq!(api.mutate(importer(), "activitiesRecord", "ActivitiesRecordInput", fields, activity).await["result"]["recorded"], 1);
    let deal = |outcome: &str, closed: Value, key: &str| json!({"source": "crm", "deals": [{"externalId": "d1", "partner": "A", "openedOn": "2020-02-01", "outcome": outcome, "closedOn": closed, "value": {"amount": "5000", "currency": "EUR"}}], "idempotencyKey": key});
    assert_eq!(api.mutate(importer(), "dealsRecord", "DealsRecordInput", fields, deal("OPEN", Value::Null, "d1")).await["result"]["recorded"], 1);
    assert_eq!(api.mutate(importer(), "dealsRecord", "DealsRecordInput", fields, deal("WON", json!("2020-04-01"), "d2")).await["result"]["recorded"], 1);
    let open = api.refused(importer(), "dealsRecord", "DealsRecordInput", fields, deal("WON", Value::Null, "d3")).await;
    assert_eq!(open.first().unwrap(), &("CLOSED_ON".into(), "input.deals.0.closedOn".into()));
    let rate =
        |rate: &str, key: &str| json!({"source": "ecb", "rates": [{"from": "EUR", "to": "USD", "date": "2020-02-01", "rate": rate}], "idempotencyKey": key});
    assert_eq!(api.mutate(importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", fields, rate("1.1", "r1")).await["result"]["recorded"], 1);
    assert_eq!(api.mutate(importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", fields, rate("1.1", "r2")).await["result"]["unchanged"], 1);
    let refused = api.refused(importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", fields, rate("0", "r3")).await;
    assert_eq!(refused.first().unwrap(), &("OUT_OF_RANGE".into(), "input.rates.0.rate".into()));
}
