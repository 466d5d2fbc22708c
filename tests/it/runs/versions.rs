//! A period is settled by the version that was in force on its first day, whatever later versions have for periods (semantics 5).

use guerdon::app::programs::canonical;
use guerdon_domain::document::read::read_document;
use guerdon_store::NewDraft;
use serde_json::{Value, json};

use super::knowledge::reproduced;
use super::{amount, calculate, calculated, go_to, line, move_run, posted, preparer, program_with, refusal, retroactive, sell, service, sound, try_move};
use crate::api::{Api, actor, approver, designer, of_partner};
use crate::harness::build::write;
use guerdon_domain::access::{Role, RoleScope};

fn flat(key: &str, period: &str, rate: &str) -> Value {
    json!({"key": key, "period": {period: {}}, "method": {"flat": {"rate": rate}}})
}

/// Years of 10 % at first; from May on months of 1 %, and halves.
async fn years_then_months() -> (Api, Value) {
    let first = program_with(flat("yearly", "year", "10 %"));
    let api = service(&first, &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00"), line("2", "A", "2020-06-02", "500.00")]).await;
    let mut second = first;
    second["rebateSchedules"] = json!([flat("monthly", "month", "1 %"), flat("half-yearly", "half", "2 %")]);
    second["version"] = json!({"label": "months", "effectiveOn": "2020-05-01"});
    api.publish(&second).await;
    (api, second)
}

#[tokio::test]
async fn a_year_is_settled_after_its_rules_have_gone() {
    let (api, _) = years_then_months().await;
    let query = "query($period: String, $asOf: Date) { partner(by: {code: \"A\"}) { rebateEstimate(period: $period, asOf: $asOf) { schedules { schedule period programVersion amount { amount } } } } }";
    let told = |found: &Value| -> Vec<String> {
        let one = |one: &Value| format!("{} {} {} {}", one["schedule"], one["period"], one["programVersion"], one["amount"]["amount"]).replace('"', "");
        found["schedules"].as_array().unwrap().iter().map(one).collect()
    };
    go_to(&api, "2020-07-10");
    let answer = api.execute(of_partner("A"), query, json!({"asOf": "2020-06-20"})).await;
    assert_eq!(told(answer.at("/partner/rebateEstimate")), ["monthly 2020-06 2 5.00", "yearly 2020 1 150.00"], "each by its own version");
    let answer = api.execute(of_partner("A"), query, json!({"period": "2020"})).await;
    assert_eq!(told(answer.at("/partner/rebateEstimate")), ["yearly 2020 1 150.00"]);
    // The second version has halves, but the first was in force when this one began; neither has quarters.
    for period in ["2020-H1", "2020-04", "2020-Q2"] {
        let answer = api.execute(of_partner("A"), query, json!({"period": period})).await;
        assert_eq!(answer.codes(), ["UNKNOWN_PERIOD"], "{period}");
        let message = answer.errors[0]["extensions"]["faults"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with("spelled here as `2020-07`, `2020-H2`, `2020`"), "{message}");
        assert_eq!(refusal(&try_move(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": period})).await), "UNKNOWN_PERIOD");
    }
    let month = posted(&api, "2020-06", "ORIGINAL").await;
    assert_eq!(amount(&month), "5.00");
    let simulated = "query($input: SimulationInput!) { simulation(input: $input) { rebateChanges { nodes { period before { amount } after { amount } } } } }";
    let more = json!([{"partner": "A", "facts": {"transactions": [{"date": "2020-03-01", "amount": {"amount": "100.00", "currency": "USD"}}]}}]);
    let answer = api.execute(designer(), simulated, json!({"input": {"asOf": "2020-07-10", "rebatePeriods": ["2020"], "facts": more}})).await;
    let changed = json!([{"period": "2020", "before": {"amount": "150.00"}, "after": {"amount": "160.00"}}]);
    assert_eq!(answer.at("/simulation/rebateChanges/nodes"), &changed, "by the version that governs the year");
    go_to(&api, "2021-01-10");
    let accrued = json!({"program": "P", "period": "2020", "asOf": "2020-12-31", "idempotencyKey": api.key()});
    let answer = api.try_mutate(preparer(), "rebateAccrue", "RebateAccrueInput", "job { id }", accrued).await;
    assert_eq!(answer.at("/payload/userErrors"), &json!([]));
    let year = posted(&api, "2020", "ORIGINAL").await;
    assert_eq!(amount(&year), "150.00");
    sell(&api, &[line("3", "A", "2020-03-01", "100.00")]).await;
    assert_eq!(amount(&posted(&api, "2020", "ADJUSTMENT").await), "10.00");
    let reversal = move_run(&api, approver(), "rebateRunReverse", json!({"runId": month["id"], "reason": "mistaken"})).await;
    assert_eq!(super::look(&api, &reversal).await["state"], reversal["state"]);
    assert_eq!(amount(&calculated(&api, "2020-07", "ORIGINAL").await), "0.00");
    sound(&api).await;
}

/// A version that changes nothing about a cumulative schedule, and takes effect inside the year, takes nobody's progress away; the first version
/// of a program owes, and is owed, nothing for what was sold before it.
#[tokio::test]
async fn bands_of_the_year_run_on_through_versions() {
    let schedule = || {
        let mut schedule = retroactive();
        schedule["cumulative"] = json!(true);
        schedule
    };
    let first = program_with(schedule());
    let api = service(&first, &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "800.00"), line("2", "A", "2020-05-02", "700.00"), line("3", "A", "2020-08-03", "100.00")]).await;
    assert_eq!(amount(&posted(&api, "2020-Q1", "ORIGINAL").await), "8.00");
    for (at, day) in ["2020-04-01", "2020-06-15"].into_iter().enumerate() {
        let mut next = first.clone();
        next["version"] = json!({"label": format!("next {at}"), "effectiveOn": day});
        next["rebateSchedules"][0]["name"] = json!(format!("Quarterly {at}"));
        api.publish(&next).await;
    }
    go_to(&api, "2020-10-10");
    // 2 % of 1,500 to date, less the 8 of the first quarter.
    let second = posted(&api, "2020-Q2", "ORIGINAL").await;
    assert_eq!(amount(&second), "22.00");
    let third = posted(&api, "2020-Q3", "ORIGINAL").await;
    assert_eq!(amount(&third), "2.00");
    for run in [&second, &third] {
        reproduced(&api, run).await;
    }
    let estimate = "{ partner(by: {code: \"A\"}) { rebateEstimate(period: \"2020-Q3\") { totals { amount } } } }";
    assert_eq!(api.ask(of_partner("A"), estimate).await.at("/partner/rebateEstimate/totals/0/amount"), "2.00");
    // A schedule of its own is there since its version: what was sold before is not taken off.
    let mut other = first.clone();
    other["version"] = json!({"label": "other", "effectiveOn": "2020-09-15"});
    other["rebateSchedules"][0]["key"] = json!("other");
    api.publish(&other).await;
    sell(&api, &[line("4", "A", "2020-10-04", "1000.00")]).await;
    go_to(&api, "2021-01-10");
    assert_eq!(amount(&posted(&api, "2020-Q4", "ORIGINAL").await), "20.00");
    sound(&api).await;
}

#[tokio::test]
async fn one_name_means_the_same_days_in_all_versions() {
    let mut first = program_with(flat("quarterly", "quarter", "1 %"));
    first["program"]["fiscalYearStart"] = json!("04-01");
    let api = service(&first, &["A"], "2020-04-10").await;
    let publish = async |document: &Value| {
        let applied = api.apply(document).await;
        let input = json!({"versionId": applied["version"]["id"], "expectedVersion": applied["version"]["version"], "idempotencyKey": api.key()});
        let answer = api.try_mutate(actor(Role::FinanceApprover, RoleScope::All), "programPublish", "ProgramPublishInput", "version { state }", input).await;
        answer.at("/payload/userErrors").clone()
    };
    // FY2022-Q1 would be April to June by the first version, and July to September by this one.
    let mut second = first.clone();
    second["program"]["fiscalYearStart"] = json!("07-01");
    second["version"] = json!({"label": "July", "effectiveOn": "2021-07-01"});
    let refused = publish(&second).await;
    assert_eq!(refused[0]["code"], "PERIOD_NAME_TAKEN", "{refused}");
    let message = refused[0]["message"].as_str().unwrap();
    assert!(message.contains("FY2022-Q1 is 2021-07-01/2021-10-01 here, and 2021-04-01/2021-07-01 in version 1"), "{message}");
    // With a name of its own for the quarter that is cut off, and the new year from October on, no name is taken.
    second["rebateSchedules"][0]["period"] = json!({"custom": [{"name": "Summer 2021", "from": "2021-07-01", "until": "2021-10-01"}]});
    assert_eq!(publish(&second).await, json!([]));
    let mut third = first.clone();
    third["program"]["fiscalYearStart"] = json!("07-01");
    third["version"] = json!({"label": "Autumn", "effectiveOn": "2021-10-01"});
    assert_eq!(publish(&third).await, json!([]));
    // Between two versions both sides are looked at: it would call July to September as the first calls October to December.
    let mut between = first.clone();
    between["program"]["fiscalYearStart"] = json!("10-01");
    between["version"] = json!({"label": "Between", "effectiveOn": "2021-08-01"});
    between["rebateSchedules"][0]["period"] = json!({"custom": [{"name": "FY2022-Q2", "from": "2021-08-01", "until": "2021-09-01"}]});
    assert_eq!(publish(&between).await[0]["code"], "PERIOD_NAME_TAKEN");
}

/// Publishes a version without asking what is asked today, as an earlier build would have: it knew fewer checks.
async fn published_long_ago(api: &Api, document: &Value) {
    let document = read_document(document.clone()).unwrap();
    let (text, digest) = canonical(&document).unwrap();
    let draft = NewDraft { label: None, document: text, digest, announced_on: None, effective_on: document.version.effective_on, enforced_on: None };
    let publish = write(&api.database.store, async |tx| {
        let program = tx.find_program("P").await?.unwrap();
        let draft = tx.insert_draft(program.id, draft.clone()).await?;
        tx.publish_version(draft.id, draft.row_version).await
    });
    publish.await.unwrap();
}

/// What is published never changes, while new checks come: a version that they would refuse goes on, and is published no second time.
#[tokio::test]
async fn a_version_that_would_be_refused_today_goes_on() {
    let first = program_with(flat("quarterly", "quarter", "1 %"));
    let api = service(&first, &["A"], "2020-04-10").await;
    let mut old = first.clone();
    old["version"] = json!({"label": "old", "effectiveOn": "2020-01-01"});
    old["rebateSchedules"] = json!([flat("quarterly", "quarter", "2 %")]);
    // Characters that nobody sees, a budget of fractions of a cent, and the grant of a tier that the ladder does not have.
    old["ladders"][0]["tiers"][1]["name"] = json!("Silver\u{202e}");
    old["rebateSchedules"][0]["budget"] = json!({"amount": "1000.005"});
    old["grants"][0]["tier"] = json!("PLATINUM");
    published_long_ago(&api, &old).await;
    sell(&api, &[line("1", "A", "2020-02-01", "6000.00")]).await;

    let evaluate = json!({"program": "P", "partners": ["A"], "idempotencyKey": api.key()});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", evaluate).await;
    let query = "{ partner(by: {code: \"A\"}) { tier { tier } standing { ladders { tier } } entitlements { benefit status value { allowance } } \
        rebateEstimate(period: \"2020-Q1\") { schedules { programVersion amount { amount } } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    assert_eq!(answer.at("/partner/tier/tier"), "SILVER");
    assert_eq!(answer.at("/partner/standing/ladders/0/tier"), "SILVER");
    assert_eq!(answer.at("/partner/entitlements/1"), &json!({"benefit": "hours", "status": "GRANTED", "value": {"allowance": "12"}}));
    assert_eq!(answer.at("/partner/rebateEstimate/schedules/0"), &json!({"programVersion": 2, "amount": {"amount": "120.00"}}));
    let run = posted(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(amount(&run), "120.00");
    reproduced(&api, &run).await;
    sound(&api).await;

    // It can be compared with, changed in thought, and followed by others; but whatever is published now is asked everything.
    let simulated = "query($input: SimulationInput!) { simulation(input: $input) { partners } }";
    let changes = json!({"changes": [{"path": "ladders[MAIN].tiers[SILVER].requirement.metric.atLeast", "value": "7000"}]});
    let answer = api.execute(designer(), simulated, json!({"input": {"asOf": "2020-04-10", "rules": changes}})).await;
    assert_eq!(answer.at("/simulation/partners"), 1);
    old["version"] = json!({"label": "new", "effectiveOn": "2020-07-01"});
    let input = json!({"document": old.to_string(), "idempotencyKey": api.key()});
    let refused = api.refused(designer(), "programApply", "ProgramApplyInput", "outcome", input).await;
    let codes: Vec<&str> = refused.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["INVALID_TEXT", "TOO_MANY_DECIMALS", "UNKNOWN_KEY"]);
    let mut next = first;
    next["version"] = json!({"label": "next", "effectiveOn": "2020-07-01"});
    api.publish(&next).await;
}

/// One percent by quarter; below ten dollars nothing is paid, and what is not paid is carried on.
fn carrying() -> Value {
    let mut schedule = flat("quarterly", "quarter", "1 %");
    schedule["minimumPayout"] = json!({"amount": 10, "below": "CARRY"});
    schedule
}

/// The program of a first version as the next one, with other schedules.
fn next_version(first: &Value, on: &str, schedules: Value) -> Value {
    let mut next = first.clone();
    next["version"] = json!({"label": on, "effectiveOn": on});
    next["rebateSchedules"] = schedules;
    next
}

/// A payout that the first version carried is paid by the second one, in a run over so many partners that others of its schedules are
/// computed from sums; every statement proves it from its file alone.
#[tokio::test]
async fn a_small_payout_is_paid_by_the_next_version() {
    let first = program_with(carrying());
    let codes: Vec<String> = std::iter::once("A".to_owned()).chain((10..50).map(|at| format!("B{at}"))).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let api = service(&first, &codes, "2020-07-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "320.00"), line("2", "A", "2020-05-02", "1500.00"), line("3", "B20", "2020-05-02", "100.00")]).await;
    let second = next_version(&first, "2020-04-01", json!([flat("quarterly", "quarter", "1 %"), flat("bonus", "quarter", "2 %")]));
    api.publish(&second).await;
    let quarter = posted(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(amount(&quarter), "0.00");
    let estimate = "{ partner(by: {code: \"A\"}) { rebateEstimate(period: \"2020-Q2\") { totals { amount } } } }";
    assert_eq!(api.ask(of_partner("A"), estimate).await.at("/partner/rebateEstimate/totals/0/amount"), "48.20");
    let simulated =
        "query($input: SimulationInput!) { simulation(input: $input) { rebateChanges { nodes { partnerCode before { amount } after { amount } } } } }";
    let rules = json!({"changes": [{"path": "rebateSchedules[quarterly].method.flat.rate", "value": "2 %"}]});
    let answer = api.execute(designer(), simulated, json!({"input": {"asOf": "2020-07-10", "rebatePeriods": ["2020-Q2"], "rules": rules}})).await;
    let changed = |partner: &str, before: &str, after: &str| json!({"partnerCode": partner, "before": {"amount": before}, "after": {"amount": after}});
    assert_eq!(answer.at("/simulation/rebateChanges/nodes"), &json!([changed("A", "18.20", "33.20"), changed("B20", "1.00", "2.00")]));
    let run = posted(&api, "2020-Q2", "ORIGINAL").await;
    // 3.20 of the first quarter, 16.00 of the second one, and 2 % of the same.
    assert_eq!(amount(&run), "51.20");
    reproduced(&api, &quarter).await;
    reproduced(&api, &run).await;
    // A return of the first quarter comes late: what the second one owes is less by what it was handed.
    let mut back = line("4", "A", "2020-03-20", "200.00");
    back["kind"] = json!("RETURN");
    sell(&api, &[back]).await;
    let late = posted(&api, "2020-Q2", "ADJUSTMENT").await;
    assert_eq!(amount(&late), "-2.00");
    reproduced(&api, &late).await;
    sound(&api).await;
}

/// A version that is published in between, after a run was calculated, changes what is handed to its period.
#[tokio::test]
async fn a_version_in_between_is_noticed() {
    let first = program_with(carrying());
    let api = service(&first, &["A"], "2020-10-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "320.00"), line("2", "A", "2020-08-02", "100.00")]).await;
    api.publish(&next_version(&first, "2020-07-01", json!([flat("quarterly", "quarter", "1 %")]))).await;
    let run = calculated(&api, "2020-Q3", "ORIGINAL").await;
    assert_eq!(amount(&run), "4.20");
    // In between the second quarter pays what is carried. Its rules have the same first day, and the period the same version.
    api.publish(&next_version(&first, "2020-04-01", json!([flat("quarterly", "quarter", "1 %")]))).await;
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    assert_eq!(refusal(&try_move(&api, preparer(), "rebateRunSubmit", named).await), "CONTENT_CHANGED");
    let again = calculate(&api, &run).await;
    assert_eq!(amount(&again), "1.00");
    assert_eq!(amount(&posted(&api, "2020-Q2", "ORIGINAL").await), "3.20");
    sound(&api).await;
}

/// What nobody takes over is told when the version is applied.
#[tokio::test]
async fn carries_that_end_are_told() {
    let first = program_with(carrying());
    let api = service(&first, &["A"], "2020-04-10").await;
    let applied = async |document: &Value| {
        let input = json!({"document": document.to_string(), "idempotencyKey": api.key()});
        let answer = api.mutate(designer(), "programApply", "ProgramApplyInput", "notes { code path message }", input).await;
        answer["notes"].clone()
    };
    let mut euros = flat("quarterly", "quarter", "1 %");
    euros["currency"] = json!("EUR");
    for schedule in [flat("other", "quarter", "1 %"), euros] {
        let notes = applied(&next_version(&first, "2020-07-01", json!([schedule]))).await;
        assert_eq!(notes[0]["code"], "CARRY_ENDS", "{notes}");
        assert!(notes[0]["message"].as_str().unwrap().starts_with("quarterly of version 1 carries"), "{notes}");
    }
    assert_eq!(applied(&next_version(&first, "2020-07-01", json!([flat("quarterly", "quarter", "2 %")]))).await, json!([]));
}

/// Three versions whose rules differ, with effective dates inside periods and on their first days: every period is settled, and trued up, by the
/// rules that were in force when it began, whatever came after.
#[tokio::test]
async fn each_period_is_trued_up_by_its_own_rules() {
    let to_date = |scope: &str, bands: Value| json!({"key": "toDate", "period": {"quarter": {}}, "cumulative": true, "method": {"bands": {"scope": scope, "bands": bands}}});
    let mut first = program_with(to_date("RETROACTIVE", json!([{"from": 0, "rate": "1 %"}, {"from": 1000, "rate": "2 %"}])));
    first["rebateSchedules"].as_array_mut().unwrap().push(flat("gone", "quarter", "1 %"));
    let second = json!([
        to_date("MARGINAL", json!([{"from": 0, "rate": "1 %"}, {"from": 1000, "rate": "5 %"}])),
        {"key": "units", "period": {"quarter": {}}, "method": {"perUnit": {"amount": 2}}},
    ]);
    let third = json!([to_date("RETROACTIVE", json!([{"from": 0, "rate": "10 %"}])), flat("gone", "quarter", "4 %")]);
    let api = service(&first, &["A"], "2020-04-10").await;
    let sold = [("1", "2020-02-01", "800.00"), ("2", "2020-06-01", "700.00"), ("3", "2020-08-01", "500.00"), ("4", "2020-11-01", "1000.00")];
    sell(&api, &sold.map(|(id, date, amount)| line(id, "A", date, amount))).await;
    let mut runs = vec![posted(&api, "2020-Q1", "ORIGINAL").await];
    for (day, schedules) in [("2020-05-15", second), ("2020-10-01", third)] {
        let mut next = first.clone();
        (next["version"], next["rebateSchedules"]) = (json!({"label": day, "effectiveOn": day}), schedules);
        api.publish(&next).await;
    }
    for (day, period) in [("2020-07-10", "2020-Q2"), ("2020-10-10", "2020-Q3")] {
        go_to(&api, day);
        runs.push(posted(&api, period, "ORIGINAL").await);
    }
    // 8 + 8; 30 - 8 + 7, by the first version; 60 - 35 + 2, by the second.
    assert_eq!(runs.iter().map(amount).collect::<Vec<_>>(), ["16.00", "29.00", "27.00"]);
    // 300 of the first quarter come late: 22 - 8 and 3; 36 - 22 of the second, less 22; the third has (75 - 50) as before; the fourth 100 and 40.
    sell(&api, &[line("5", "A", "2020-03-01", "300.00")]).await;
    go_to(&api, "2021-01-10");
    runs.push(posted(&api, "2020-Q4", "ORIGINAL").await);
    assert_eq!(amount(&runs[3]), "149.00");
    // 200 of the second quarter go back: 32 - 22, where 14 were posted, and 2 of `gone`. Nothing else changes.
    let mut back = line("6", "A", "2020-06-10", "200.00");
    back["kind"] = json!("RETURN");
    sell(&api, &[back]).await;
    runs.push(posted(&api, "2020-Q2", "ADJUSTMENT").await);
    assert_eq!(amount(&runs[4]), "-6.00");
    assert_eq!(amount(&calculated(&api, "2020-Q4", "ADJUSTMENT").await), "0.00", "everything is posted");
    for run in &runs {
        reproduced(&api, run).await;
    }
    sound(&api).await;
}
