//! Laws of simulations about rebates: a changed rate is what publishing it on a copy and running the period there gives, also of a
//! period that was posted, with what came in late; hypothetical facts are what recording the same facts on a copy gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{calculated, go_to, line, posted, program_with, sell, service, statements};
use crate::api::{Api, designer};

const PARTNERS: [&str; 3] = ["A", "B", "C"];

/// Marginal by quarter, with the rate of the first band.
fn marginal(rate: &str) -> Value {
    program_with(json!({
        "key": "quarterly",
        "period": {"quarter": {}},
        "method": {"bands": {"scope": "MARGINAL", "bands": [{"from": 0, "rate": {"default": rate, "tiers": {"SILVER": "3 %"}}}, {"from": 1000, "rate": "2 %"}]}},
    }))
}

/// The same where each line pays the rate of its day's tier, so that lines are asked.
fn by_line(rate: &str) -> Value {
    let mut document = marginal(rate);
    document["rebateSchedules"][0]["tierAt"] = json!("TRANSACTION_DATE");
    document
}

fn cents(value: &Value) -> i64 {
    value["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

/// What a simulation says about a period: in all before and after, and each partner that has another figure.
async fn simulated(api: &Api, period: &str, rules: Value, facts: Value) -> ((i64, i64), BTreeMap<String, (i64, i64)>) {
    let query = "query($input: SimulationInput!) { simulation(input: $input) { failed warnings { partnerCode code message } rebates { before { amount } after { amount } } \
                 rebateChanges(first: 100) { nodes { partnerCode before { amount } after { amount } } } } }";
    let input = json!({"asOf": "2020-07-20", "rules": rules, "facts": facts, "rebatePeriods": [period]});
    let answer = api.execute(designer(), query, json!({"input": input})).await;
    assert_eq!(answer.at("/simulation/failed"), &json!(0), "{}", answer.at("/simulation/warnings"));
    let sum = answer.at("/simulation/rebates/0");
    let nodes = answer.at("/simulation/rebateChanges/nodes").as_array().unwrap();
    let changes = nodes.iter().map(|node| (node["partnerCode"].as_str().unwrap().to_owned(), (cents(&node["before"]), cents(&node["after"]))));
    ((cents(&sum["before"]), cents(&sum["after"])), changes.collect())
}

/// What every partner is entitled to for a period by the statements of a run.
async fn entitled(api: &Api, run: &Value, period: &str) -> BTreeMap<String, i64> {
    let of_period = statements(api, run).await.into_iter().filter(|row| row.1 == period);
    of_period.map(|row| (row.0, row.2.replace('.', "").parse().unwrap())).collect()
}

/// Sales of two quarters; A is levelled SILVER.
async fn sold(document: &Value) -> Api {
    let api = service(document, &PARTNERS, "2020-04-01").await;
    let sales = [
        line("a1", "A", "2020-01-10", "5600.10"),
        line("b1", "B", "2020-02-10", "700.33"),
        line("c1", "C", "2020-03-31", "1500.55"),
        line("a2", "A", "2020-04-01", "800.01"),
        line("b2", "B", "2020-06-30", "2000.99"),
    ];
    sell(&api, &sales).await;
    let input = json!({"program": "P", "asOf": "2020-02-01", "idempotencyKey": api.key()});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
    api
}

async fn a_changed_rate_is_a_run_on_a_copy(document: fn(&str) -> Value) {
    let (reality, copy) = (sold(&document("1 %")).await, sold(&document("1.5 %")).await);
    for api in [&reality, &copy] {
        go_to(api, "2020-04-10");
        posted(api, "2020-Q1", "ORIGINAL").await;
        go_to(api, "2020-05-20");
        let returned = json!({"externalId": "c2", "partner": "C", "date": "2020-03-30", "kind": "RETURN", "corrects": "c1", "amount": {"amount": "600.00", "currency": "USD"}});
        sell(api, &[line("b9", "B", "2020-03-15", "450.20"), returned]).await;
        go_to(api, "2020-07-20");
    }
    let rules = json!({"changes": [{"path": "rebateSchedules[quarterly].method.bands.bands[0].rate.default", "value": "1.5 %"}]});
    let first = simulated(&reality, "2020-Q1", rules.clone(), json!([])).await;
    let second = simulated(&reality, "2020-Q2", rules, json!([])).await;
    // The second quarter's run tells what the first is worth by now, too, for whom that is something else than what was posted.
    let (run, of_copy) = (calculated(&reality, "2020-Q2", "ORIGINAL").await, calculated(&copy, "2020-Q2", "ORIGINAL").await);
    for (name, (_, changes)) in [("2020-Q1", &first), ("2020-Q2", &second)] {
        let (before, after) = (entitled(&reality, &run, name).await, entitled(&copy, &of_copy, name).await);
        let worth = |stated: &BTreeMap<String, i64>, code: &str, posted: i64| stated.get(code).copied().unwrap_or(posted);
        for (code, (then, now)) in changes {
            assert_eq!((worth(&before, code, *then), worth(&after, code, *now)), (*then, *now), "{name} {code}");
        }
        assert!(!changes.is_empty(), "{name}");
    }
    let totals = (entitled(&reality, &run, "2020-Q2").await.values().sum(), entitled(&copy, &of_copy, "2020-Q2").await.values().sum());
    assert_eq!(second.0, totals);
    let late = entitled(&reality, &run, "2020-Q1").await;
    assert_eq!(
        (late.get("B"), late.get("C")),
        (first.1.get("B").map(|(then, _)| then), first.1.get("C").map(|(then, _)| then)),
        "with the late line and return"
    );
}

#[tokio::test]
async fn a_changed_rate_is_what_publishing_it_and_running_the_period_there_gives() {
    a_changed_rate_is_a_run_on_a_copy(marginal).await;
}

#[tokio::test]
async fn the_same_where_rebates_are_computed_line_by_line() {
    a_changed_rate_is_a_run_on_a_copy(by_line).await;
}

#[tokio::test]
async fn rebates_from_sums_are_those_from_lines_also_for_who_sold_in_another_currency() {
    let api = sold(&marginal("1 %")).await;
    let rates = json!({"source": "bank", "rates": [{"from": "EUR", "to": "USD", "date": "2020-05-05", "rate": "1.1"}], "idempotencyKey": api.key()});
    api.mutate(crate::api::importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", "result { recorded }", rates).await;
    let euros = json!({"externalId": "e1", "partner": "B", "date": "2020-05-05", "amount": {"amount": "1000.00", "currency": "EUR"}});
    sell(&api, &[euros]).await;
    go_to(&api, "2020-07-20");
    let rules = json!({"changes": [{"path": "rebateSchedules[quarterly].method.bands.bands[0].rate.default", "value": "1.5 %"}]});
    let by_sums = simulated(&api, "2020-Q2", rules.clone(), json!([])).await;
    // A supposed sale of nobody's that counts makes everybody's lines read.
    let nothing = json!([{"partner": "A", "facts": {"transactions": [{"date": "2020-07-02", "amount": {"amount": "1.00", "currency": "USD"}}]}}]);
    assert_eq!(simulated(&api, "2020-Q2", rules, nothing).await, by_sums);
    assert!(by_sums.1.contains_key("B"), "{by_sums:?}");
    let run = calculated(&api, "2020-Q2", "ORIGINAL").await;
    assert_eq!(entitled(&api, &run, "2020-Q2").await.values().sum::<i64>(), by_sums.0.0);
}

#[tokio::test]
async fn hypothetical_facts_are_the_same_facts_recorded_on_a_copy() {
    let (reality, copy) = (sold(&marginal("1 %")).await, sold(&marginal("1 %")).await);
    let sale = json!({"date": "2020-06-15", "amount": {"amount": "9000.00", "currency": "USD"}});
    sell(&copy, &[line("h1", "C", "2020-06-15", "9000.00")]).await;
    for api in [&reality, &copy] {
        go_to(api, "2020-07-20");
    }
    // Tiers: judged as a review of the day.
    let query = "query($input: SimulationInput!) { simulation(input: $input) { moves(first: 100) { nodes { partnerCode from to } } } }";
    let facts = json!([{"partner": "C", "facts": {"transactions": [sale]}}]);
    let answer = reality.execute(designer(), query, json!({"input": {"asOf": "2020-07-20", "facts": facts}})).await;
    let moves = answer.at("/simulation/moves/nodes").as_array().unwrap().clone();
    assert_eq!(moves, [json!({"partnerCode": "C", "from": "REGISTERED", "to": "SILVER"})]);
    // Rebates by the tiers on record, as the run on the copy has them.
    let query = "query($input: SimulationInput!) { simulation(input: $input) { rebates { before { amount } after { amount } } } }";
    let input = json!({"asOf": "2020-07-20", "facts": facts, "rebatePeriods": ["2020-Q2"], "rebateTiers": "ON_RECORD"});
    let answer = reality.execute(designer(), query, json!({"input": input})).await;
    let sums = (cents(&answer.at("/simulation/rebates/0")["before"]), cents(&answer.at("/simulation/rebates/0")["after"]));
    let (then, now) = (calculated(&reality, "2020-Q2", "ORIGINAL").await, calculated(&copy, "2020-Q2", "ORIGINAL").await);
    assert_eq!(sums, (entitled(&reality, &then, "2020-Q2").await.values().sum(), entitled(&copy, &now, "2020-Q2").await.values().sum()));
    assert_ne!(sums.0, sums.1);
    let input = json!({"program": "P", "asOf": "2020-07-20", "reviewDue": true, "idempotencyKey": copy.key()});
    copy.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
    let held = copy.ask(crate::api::auditor(), "{ partner(by: {code: \"C\"}) { tier(asOf: \"2020-07-20\") { tier } } }").await;
    assert_eq!(held.at("/partner/tier/tier"), "SILVER");
}
