//! Runs that would settle nothing, or would settle it by the wrong rates, are not calculated.

use guerdon::jobs::run_due;
use guerdon_domain::facts::{Contract, ContractStatus, ContractTerms};
use guerdon_store::ContractUpsert;
use serde_json::{Value, json};

use super::{amount, calculate, calculated, line, move_run, preparer, program_with, refusal, retroactive, sell, service, try_move};
use crate::api::{Answer, Api, admin};
use crate::harness::build::{date, write};

fn message(answer: &Answer) -> &str {
    answer.at("/payload/userErrors/0/message").as_str().unwrap()
}

async fn try_calculate(api: &Api, run: &Value) -> Answer {
    try_move(api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await
}

#[tokio::test]
async fn a_period_is_not_settled_with_nobody() {
    let api = service(&program_with(retroactive()), &[], "2020-04-10").await;
    let partner = json!({"code": "A", "name": "A", "from": "2018-01-01", "type": "VAR", "region": "DE"});
    api.mutate(admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [partner], "idempotencyKey": api.key()})).await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
    let answer = try_calculate(&api, &run).await;
    assert_eq!(refusal(&answer), "NOBODY_ENROLLED");
    assert!(message(&answer).contains("2020-Q1"), "{}", message(&answer));
    // Who takes part only afterwards has no part in it.
    let enroll = |since: &str| json!({"partner": "A", "program": "P", "since": since, "idempotencyKey": api.key()});
    api.mutate(admin(), "partnerEnroll", "PartnerEnrollInput", "enrollment { since }", enroll("2020-04-01")).await;
    assert_eq!(refusal(&try_calculate(&api, &run).await), "NOBODY_ENROLLED");
}

#[tokio::test]
async fn one_that_takes_part_is_enough() {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    assert_eq!(calculated(&api, "2020-Q1", "ORIGINAL").await["state"], "CALCULATED", "without a sale");
}

#[tokio::test]
async fn a_run_that_is_being_calculated_says_so() {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
    move_run(&api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await;
    let again = try_calculate(&api, &run).await;
    assert_eq!(refusal(&again), "WRONG_STATE");
    assert!(message(&again).contains("being calculated"), "{}", message(&again));
    run_due(&api.app).await.unwrap();
    assert_eq!(calculate(&api, &run).await["state"], "CALCULATED");
}

/// A contract of partner A with other rates of a schedule, until the day before a date.
async fn sign(api: &Api, status: ContractStatus, until: &str, schedule: &str, seen: Option<i64>) {
    let terms: ContractTerms = serde_json::from_value(json!({"rebateRates": [{"schedule": schedule, "rate": "7 %"}]})).unwrap();
    let span = guerdon_domain::date::Span::new(date("2019-01-01"), date(until));
    let fact = Contract { key: "K-1".to_owned(), template: None, status, span, terms };
    let store = &api.database.store;
    let program = store.read(async |tx| tx.find_program("P").await).await.unwrap().unwrap().id;
    let scope = guerdon_domain::access::Scope::All;
    let partner = store.read(async |tx| tx.partners_by_code_many(&scope, &["A".to_owned()]).await).await.unwrap()["A"].id;
    write(store, async |tx| tx.upsert_contract(&ContractUpsert { program, partner, fact: fact.clone(), expected: seen }).await).await.unwrap();
}

#[tokio::test]
async fn rates_of_a_contract_are_not_passed_over() {
    let api = service(&program_with(retroactive()), &["A", "B"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
    sign(&api, ContractStatus::Active, "2020-01-02", "quarterly", None).await;
    let refused = try_calculate(&api, &run).await;
    assert_eq!(refusal(&refused), "CONTRACT_RATES");
    for part in ["K-1", "of A", "quarterly", "2020-Q1"] {
        assert!(message(&refused).contains(part), "{part}: {}", message(&refused));
    }
    // Over before, of another schedule, or not in force: nothing of this run.
    sign(&api, ContractStatus::Active, "2020-01-01", "quarterly", Some(1)).await;
    assert_eq!(calculate(&api, &run).await["state"], "CALCULATED");
    sign(&api, ContractStatus::Active, "2021-01-01", "other", Some(2)).await;
    assert_eq!(calculate(&api, &run).await["state"], "CALCULATED");
    sign(&api, ContractStatus::Draft, "2021-01-01", "quarterly", Some(3)).await;
    let run = calculate(&api, &run).await;
    assert_eq!((&run["state"], amount(&run)), (&json!("CALCULATED"), "20.00"));
    // What is signed after the calculation is seen when the run is submitted.
    sign(&api, ContractStatus::Active, "2021-01-01", "quarterly", Some(4)).await;
    let submit = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    assert_eq!(refusal(&try_move(&api, preparer(), "rebateRunSubmit", submit.clone()).await), "CONTRACT_RATES");
    sign(&api, ContractStatus::Terminated, "2021-01-01", "quarterly", Some(5)).await;
    move_run(&api, preparer(), "rebateRunSubmit", submit).await;
}
