//! Calculating: chunks that are cut off, true-up, budgets over all partners, exchange rates.

use guerdon::app::App;
use guerdon::app::jobs::{Progress, claim_next, work_on};
use guerdon::jobs::run_due;
use serde_json::{Value, json};

use super::{
    amount, approved, calculate, calculated, go_to, line, look, move_run, posted, preparer, program_with, retroactive, row, sell, service, sound, statements,
};
use crate::api::{Api, approver, importer};

const PARTNERS: [&str; 9] = ["A", "B", "C", "D", "E", "F", "G", "H", "I"];

async fn nine_partners(document: &Value) -> Api {
    let api = service(document, &PARTNERS, "2020-04-10").await;
    let sold: Vec<Value> = PARTNERS.iter().zip(1_i64..).map(|(code, at)| line(code, code, "2020-02-01", &format!("{}.37", at * 311))).collect();
    sell(&api, &sold).await;
    api
}

fn in_chunks(api: &Api, size: u32) -> App {
    let mut app = api.app.clone();
    app.limits.run_chunk = size;
    app
}

async fn begin(api: &Api, run: &Value) {
    move_run(api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await;
}

#[tokio::test]
async fn the_size_of_chunks_and_a_kill_between_them_show_nowhere() {
    let api = nine_partners(&program_with(retroactive())).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let expected = (run["contentHash"].clone(), statements(&api, &run).await);
    for size in [1, 7, 1000] {
        begin(&api, &run).await;
        run_due(&in_chunks(&api, size)).await.unwrap();
        let again = look(&api, &run).await;
        assert_eq!((again["contentHash"].clone(), statements(&api, &run).await), expected, "chunks of {size}");
    }
    // A worker stops after each chunk; its job is given back, and another one goes on.
    begin(&api, &run).await;
    let app = in_chunks(&api, 2);
    let mut workers = 0;
    while let Some(job) = claim_next(&app).await.unwrap() {
        workers += 1;
        if !matches!(work_on(&app, &job).await.unwrap(), Progress::Done(_)) {
            guerdon::app::jobs::release(&app, &job).await.unwrap();
        }
    }
    assert_eq!(workers, 6, "five chunks and the end");
    let again = look(&api, &run).await;
    assert_eq!((again["contentHash"].clone(), statements(&api, &run).await), expected);
    assert_eq!(api.database.number("SELECT COUNT(*) FROM rebate_run_chunk").await, 5, "no chunk twice");
}

#[tokio::test]
async fn whoever_slept_through_his_lease_writes_nothing() {
    let api = nine_partners(&program_with(retroactive())).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    begin(&api, &run).await;
    let mut app = in_chunks(&api, 4);
    app.limits.job_lease = std::time::Duration::from_millis(1);
    let slow = claim_next(&app).await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let quick = in_chunks(&api, 4);
    let job = claim_next(&quick).await.unwrap().expect("the lease has run out");
    work_on(&quick, &job).await.unwrap();
    let written = api.database.number("SELECT COUNT(*) FROM statement").await;
    assert!(matches!(work_on(&app, &slow).await, Err(guerdon::error::AppError::Stale)));
    assert_eq!((written, api.database.number("SELECT COUNT(*) FROM statement").await), (4, 4));
    guerdon::app::jobs::release(&quick, &job).await.unwrap();
    run_due(&quick).await.unwrap();
    assert_eq!(look(&api, &run).await["contentHash"], run["contentHash"]);
}

#[tokio::test]
async fn a_run_that_is_given_up_while_it_is_calculated_ends() {
    let api = nine_partners(&program_with(retroactive())).await;
    let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
    begin(&api, &run).await;
    let app = in_chunks(&api, 4);
    let job = claim_next(&app).await.unwrap().unwrap();
    work_on(&app, &job).await.unwrap();
    move_run(&api, preparer(), "rebateRunVoid", json!({"runId": run["id"]})).await;
    assert!(matches!(work_on(&app, &job).await.unwrap(), Progress::Done(_)));
    assert_eq!(look(&api, &run).await["state"], "VOIDED");
}

#[tokio::test]
async fn a_late_return_drops_the_band_once() {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    let first = posted(&api, "2020-Q1", "ORIGINAL").await;
    let before = statements(&api, &first).await;
    go_to(&api, "2020-05-01");
    let late = json!({"externalId": "2", "partner": "A", "date": "2020-03-31", "kind": "RETURN", "amount": {"amount": "0.01", "currency": "USD"}});
    sell(&api, &[late, line("3", "A", "2020-05-01", "100.00")]).await;
    go_to(&api, "2020-07-10");
    let second = posted(&api, "2020-Q2", "ORIGINAL").await;
    assert_eq!(statements(&api, &second).await, [row("A", "2020-Q1", "10.00", "20.00", "-10.00"), row("A", "2020-Q2", "1.00", "0.00", "1.00")]);
    assert_eq!(statements(&api, &first).await, before, "what is posted stays as it was");
    go_to(&api, "2020-10-10");
    let third = posted(&api, "2020-Q3", "ORIGINAL").await;
    assert_eq!((statements(&api, &third).await.len(), amount(&third)), (0, "0.00"), "never twice");
    let again = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(amount(&again), "0.00");
    sell(&api, &[line("4", "A", "2020-01-01", "1.00")]).await;
    let again = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &again).await, [row("A", "2020-Q1", "20.02", "10.00", "10.02")]);
    sound(&api).await;
}

#[tokio::test]
async fn a_shortfall_is_carried_forward_where_the_schedule_says_so() {
    let mut schedule = retroactive();
    schedule["method"] = json!({"flat": {"rate": "10 %"}});
    schedule["trueUp"] = json!({"negative": "CARRY_FORWARD"});
    let api = service(&program_with(schedule), &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let late = json!({"externalId": "2", "partner": "A", "date": "2020-02-02", "kind": "RETURN", "amount": {"amount": "900.00", "currency": "USD"}});
    sell(&api, &[late, line("3", "A", "2020-05-01", "300.00"), line("4", "A", "2020-08-01", "1000.00")]).await;
    go_to(&api, "2020-07-10");
    let second = posted(&api, "2020-Q2", "ORIGINAL").await;
    assert_eq!(statements(&api, &second).await, [row("A", "2020-Q1", "10.00", "100.00", "-30.00"), row("A", "2020-Q2", "30.00", "0.00", "30.00")]);
    go_to(&api, "2020-10-10");
    let third = posted(&api, "2020-Q3", "ORIGINAL").await;
    assert_eq!(statements(&api, &third).await, [row("A", "2020-Q3", "100.00", "0.00", "40.00")]);
    sound(&api).await;
}

#[tokio::test]
async fn a_missing_rate_of_one_schedule_hides_none_of_another() {
    let of = |key: &str, category: &str| {
        let mut schedule = retroactive();
        schedule["key"] = json!(key);
        schedule["scope"] = json!({"categories": [category]});
        schedule
    };
    let mut program = program_with(of("ONE", "A"));
    program["categories"] = json!([{"key": "A"}, {"key": "B"}]);
    program["rebateSchedules"] = json!([of("ONE", "A"), of("TWO", "B"), of("TWICE", "A")]);
    let api = service(&program, &["P"], "2020-04-10").await;
    let foreign = |id: &str, category: &str, currency: &str| json!({"externalId": id, "partner": "P", "date": "2020-02-03", "category": category, "amount": {"amount": "100.00", "currency": currency}});
    sell(&api, &[foreign("1", "A", "EUR"), foreign("2", "B", "GBP")]).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let told: Vec<&str> = run["faults"].as_array().unwrap().iter().map(|fault| fault["message"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|text| text.contains("EUR")) && told.iter().any(|text| text.contains("GBP")), "{told:?}");
}

#[tokio::test]
async fn every_missing_rate_is_listed_and_a_posted_line_keeps_its_rate() {
    let api = service(&program_with(retroactive()), &["A", "B", "C"], "2020-04-10").await;
    let foreign = |id: &str, partner: &str, date: &str, currency: &str| json!({"externalId": id, "partner": partner, "date": date, "amount": {"amount": "100.00", "currency": currency}});
    sell(&api, &[foreign("1", "A", "2020-02-03", "EUR"), foreign("2", "B", "2020-02-04", "GBP"), line("3", "C", "2020-02-05", "100.00")]).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let codes: Vec<&str> = run["faults"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!((&run["state"], codes), (&json!("FAILED"), vec!["MISSING_EXCHANGE_RATE"; 2]));
    let rate = async |from: &str, date: &str, rate: &str| {
        let input = json!({"source": "ecb", "rates": [{"from": from, "to": "USD", "date": date, "rate": rate}], "idempotencyKey": api.key()});
        api.mutate(importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", "result { recorded }", input).await;
    };
    rate("EUR", "2020-02-03", "1.10").await;
    rate("GBP", "2020-02-04", "1.30").await;
    let run = calculate(&api, &run).await;
    assert_eq!(amount(&run), "3.40");
    let run = approved(&api, &run).await;
    move_run(&api, approver(), "rebateRunPost", json!({"runId": run["id"], "contentHash": run["contentHash"]})).await;
    // Corrected on the same day, and a late line beside: the posted line keeps its rate, the late one takes the corrected one.
    rate("EUR", "2020-02-03", "1.20").await;
    sell(&api, &[foreign("4", "A", "2020-02-03", "EUR")]).await;
    let adjusted = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &adjusted).await, [row("A", "2020-Q1", "2.30", "1.10", "1.20")]);
    let answer = api
        .ask(
            preparer(),
            &format!("{{ statements(filter: {{run: {}}}) {{ nodes {{ saleLines {{ nodes {{ externalId exchangeRate }} }} }} }} }}", adjusted["id"]),
        )
        .await;
    assert_eq!(
        answer.at("/statements/nodes/0/saleLines/nodes"),
        &json!([{"externalId": "1", "exchangeRate": "1.1"}, {"externalId": "4", "exchangeRate": "1.2"}])
    );
    // Another correction concerns neither of them any more.
    rate("EUR", "2020-02-03", "1.50").await;
    assert_eq!(amount(&posted(&api, "2020-Q1", "ADJUSTMENT").await), "0.00");
    sound(&api).await;
}

#[tokio::test]
async fn a_budget_is_shared_over_all_partners_whatever_the_chunks() {
    let mut schedule = retroactive();
    schedule["budget"] = json!({"amount": "100.01"});
    let document = program_with(schedule);
    let api = nine_partners(&document).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(amount(&run), "100.01");
    begin(&api, &run).await;
    run_due(&in_chunks(&api, 2)).await.unwrap();
    let again = look(&api, &run).await;
    assert_eq!((amount(&again), &again["contentHash"]), ("100.01", &run["contentHash"]));
    let mut refusing = document.clone();
    refusing["version"]["label"] = json!("refusing");
    refusing["version"]["effectiveOn"] = json!("2020-01-01");
    refusing["rebateSchedules"][0]["budget"]["whenExceeded"] = json!("REFUSE");
    api.publish(&refusing).await;
    let refused = calculate(&api, &run).await;
    assert_eq!((&refused["state"], &refused["faults"][0]["code"]), (&json!("FAILED"), &json!("BUDGET_EXCEEDED")));
}

#[tokio::test]
async fn a_decided_correction_is_posted_once_by_the_next_run() {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let (program, partner) = api
        .database
        .store
        .read(async |tx| {
            let program = tx.find_program("P").await?.unwrap().id;
            let partner = tx.partners_by_code_many(&guerdon_domain::access::Scope::All, &["A".to_owned()]).await?["A"].id;
            Ok::<_, guerdon_store::StoreError>((program, partner))
        })
        .await
        .unwrap();
    let new = guerdon_store::NewAdjustment {
        program,
        partner,
        schedule: "quarterly".into(),
        period: "2020-Q1".into(),
        amount: guerdon_domain::money::Money::new(-500, guerdon_domain::money::Currency::USD),
        reason: "accepted dispute".into(),
        cause: None,
    };
    crate::harness::build::write(&api.database.store, async |tx| tx.record_adjustment(&new).await).await.unwrap();
    let adjusted = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &adjusted).await, [row("A", "2020-Q1", "15.00", "20.00", "-5.00")]);
    assert_eq!(amount(&posted(&api, "2020-Q1", "ADJUSTMENT").await), "0.00");
    sound(&api).await;
}
