//! However a run computes (from sums, from lines, both side by side), in chunks of any size: it states the same.

use guerdon::app::Ctx;
use guerdon::app::rebates::runs::verify_run;
use guerdon::jobs::run_due;
use guerdon_domain::access::Scope;
use guerdon_domain::facts::AssignmentCause;
use guerdon_store::{NewAssignment, StoreError};
use serde_json::{Value, json};

use super::{calculated, line, look, move_run, preparer, program_with, sell, service};
use crate::api::Api;
use crate::harness::build::{date, write};

/// The tier at each transaction's date, the best of a group, a filter, single lines, a budget, growth.
fn document() -> Value {
    let mut document = program_with(json!({}));
    let by_tier = json!({"flat": {"rate": {"default": "1 %", "tiers": {"SILVER": "2.5 %", "GOLD": "4 %"}}}});
    let bands =
        json!({"bands": {"scope": "MARGINAL", "bands": [{"from": 0, "rate": "1 %"}, {"from": 300, "rate": {"default": "2 %", "tiers": {"GOLD": "3 %"}}}]}});
    document["ladders"][0]["review"] = json!({"cadenceUp": "NEVER", "cadenceDown": "NEVER"});
    document["rebateSchedules"] = json!([
        {"key": "at-date", "period": {"quarter": {}}, "tierAt": "TRANSACTION_DATE", "method": bands},
        {"key": "filtered", "period": {"quarter": {}}, "scope": {"filter": {"test": {"field": "customer", "equals": "C1"}}}, "method": by_tier},
        {"key": "best-one", "period": {"quarter": {}}, "method": by_tier},
        {"key": "best-other", "period": {"quarter": {}}, "method": {"lumpSum": {"targets": [{"at": 400, "amount": 9}]}}},
        {"key": "pool", "period": {"quarter": {}}, "tierAt": "BEST_IN_PERIOD", "method": by_tier, "budget": {"amount": "150.01"}},
        {"key": "single", "period": {"quarter": {}}, "grain": "LINE", "method": {"flat": {"rate": "0.333 %"}}},
        {"key": "growth", "period": {"quarter": {}}, "method": {"growth": {"baseline": {"previousPeriod": {}}, "payOn": "INCREMENT", "bands": [{"from": "1.1", "rate": "5 %"}]}}},
    ]);
    document["stacking"] = json!([{"bestOf": {"schedules": ["best-one", "best-other"]}}]);
    document
}

/// More partners than are ever computed line by line for their number alone; every third changes its tier in the period.
async fn many(count: usize) -> Api {
    let codes: Vec<String> = (0..count).map(|at| format!("W{at:02}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let api = service(&document(), &codes, "2020-04-10").await;
    let (program, version, ids) = api
        .database
        .store
        .read(async |tx| {
            let program = tx.find_program("P").await?.unwrap().id;
            let version = tx.find_version_in_force(program, date("2020-01-01")).await?.unwrap().id;
            let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
            Ok::<_, StoreError>((program, version, tx.partners_by_code_many(&Scope::All, &codes).await?))
        })
        .await
        .unwrap();
    let held = |code: &str, tier: &str, on: &str| NewAssignment {
        partner: ids[code].id,
        ladder: "MAIN".into(),
        region: None,
        tier: Some(tier.into()),
        on: date(on),
        cause: AssignmentCause::Promotion,
        review: None,
        version,
        reviewed: None,
    };
    let first: Vec<NewAssignment> = codes.iter().map(|code| held(code, "SILVER", "2019-06-01")).collect();
    let later: Vec<NewAssignment> = codes.iter().step_by(3).map(|code| held(code, "GOLD", "2020-02-15")).collect();
    for decisions in [first, later] {
        write(&api.database.store, async |tx| tx.record_assignments(program, &decisions).await).await.unwrap();
    }
    let mut sold = Vec::new();
    for (at, code) in codes.iter().enumerate() {
        for (month, day) in [("2019-11", "05"), ("2020-01", "31"), ("2020-02", "15"), ("2020-03", "30")] {
            let mut sale = line(&format!("{code}-{month}"), code, &format!("{month}-{day}"), &format!("{}.{at:02}", 40 + at * 7));
            sale["customer"] = json!(if at % 2 == 0 { "C1" } else { "C2" });
            sold.push(sale);
        }
    }
    for lines in sold.chunks(100) {
        sell(&api, lines).await;
    }
    api
}

#[tokio::test]
async fn a_run_states_the_same_whatever_its_way_and_its_chunks() {
    let api = many(40).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(run["state"], "CALCULATED", "{run}");
    assert!(api.database.number("SELECT COUNT(*) FROM statement WHERE amount_minor > 0").await > 200);
    let hashes = "SELECT content_hash FROM statement ORDER BY schedule, partner_id";
    let expected = (run["contentHash"].clone(), api.database.texts(hashes).await);
    for size in [1, 7, 39, 1_000] {
        move_run(&api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await;
        let mut app = api.app.clone();
        app.limits.run_chunk = size;
        run_due(&app).await.unwrap();
        let again = look(&api, &run).await;
        assert_eq!((again["contentHash"].clone(), api.database.texts(hashes).await), expected, "chunks of {size}");
    }
    let id = guerdon::graphql::node::decode_as(guerdon::graphql::node::NodeKind::RebateRun, run["id"].as_str().unwrap()).unwrap();
    let ctx = Ctx::new(preparer(), "request-1", guerdon::clock::Clock::now(&api.clock));
    for size in [1, 7, 1_000] {
        let proof = verify_run(&api.app, &ctx, id, size).await.unwrap();
        assert!(proof.holds(), "{proof:?}");
    }
}
