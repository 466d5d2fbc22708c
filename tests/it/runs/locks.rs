//! Grace days, the end of a period in its program's time zone, and locks made by hand.

use serde_json::{Value, json};

use super::{amount, calculated, go_to, line, move_run, preparer, program_with, refusal, retroactive, second_approver, sell, service, try_move};
use crate::api::{Api, approver};

#[tokio::test]
async fn a_run_waits_for_the_end_of_its_period_and_for_grace() {
    let mut schedule = retroactive();
    schedule["trueUp"] = json!({"graceDays": 10});
    let mut document = program_with(schedule.clone());
    schedule["key"] = json!("second");
    document["rebateSchedules"].as_array_mut().unwrap().push(schedule);
    let api = service(&document, &["A"], "2020-03-30").await;
    let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
    let calculate = || try_move(&api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]}));
    let early = calculate().await;
    assert_eq!((refusal(&early), early.at("/payload/userErrors").as_array().unwrap().len()), ("PERIOD_NOT_OVER".into(), 1), "once, not for each schedule");
    go_to(&api, "2020-04-09");
    assert_eq!(refusal(&calculate().await), "GRACE_DAYS");
    go_to(&api, "2020-04-10");
    assert_eq!(calculate().await.at("/payload/run/state"), "CALCULATING");
}

#[tokio::test]
async fn quarters_end_in_the_programs_time_zone() {
    // At this moment it is 30 March in Pago Pago (UTC-11), and 1 April in Kiritimati (UTC+14).
    for (zone, before, after) in [
        ("Pacific/Pago_Pago", "2020-03-31T10:59:59Z", "2020-03-31T11:00:00Z"),
        ("Pacific/Kiritimati", "2020-03-30T09:59:59Z", "2020-03-30T10:00:00Z"),
        ("Europe/Berlin", "2020-03-30T21:59:59Z", "2020-03-30T22:00:00Z"),
    ] {
        let mut document = program_with(retroactive());
        document["program"]["timeZone"] = json!(zone);
        let api = service(&document, &["A"], "2020-03-15").await;
        sell(&api, &[line("1", "A", "2020-03-31", "1000.00"), line("2", "A", "2020-04-01", "5000.00")]).await;
        let run = move_run(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"})).await;
        let calculate = || try_move(&api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]}));
        api.clock.set(before.parse().unwrap());
        assert_eq!(refusal(&calculate().await), "PERIOD_NOT_OVER", "{zone}");
        api.clock.set(after.parse().unwrap());
        assert_eq!(calculate().await.at("/payload/userErrors"), &json!([]), "{zone}");
        guerdon::jobs::run_due(&api.app).await.unwrap();
        assert_eq!(amount(&super::look(&api, &run).await), "20.00", "each line in exactly one period: {zone}");
    }
}

async fn unlock(api: &Api, who: guerdon_domain::access::Actor) -> Value {
    let input = json!({"program": "P", "period": "2020-Q1", "idempotencyKey": format!("u-{}", who.person.replace(' ', "-"))});
    api.try_mutate(who, "periodUnlock", "PeriodUnlockInput", "released", input).await.at("/payload").clone()
}

#[tokio::test]
async fn two_approvers_release_a_lock() {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00")]).await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let run = super::approved(&api, &run).await;
    let lock = json!({"program": "P", "period": "2020-Q1", "reason": "audit", "idempotencyKey": "l"});
    api.mutate(preparer(), "periodLock", "PeriodLockInput", "lock { period byPosting }", lock).await;
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPost", named.clone()).await), "PERIOD_LOCKED");
    assert_eq!(unlock(&api, approver()).await, json!({"released": false, "userErrors": []}));
    let same = guerdon_domain::access::Actor { credential: "other key".into(), ..approver() };
    let again =
        api.try_mutate(same, "periodUnlock", "PeriodUnlockInput", "released", json!({"program": "P", "period": "2020-Q1", "idempotencyKey": "again"})).await;
    assert_eq!((refusal(&again), again.at("/payload/userErrors/0/field")), ("SEGREGATION_OF_DUTIES".into(), &json!(["input", "period"])));
    assert_eq!(unlock(&api, second_approver()).await["released"], true);
    move_run(&api, approver(), "rebateRunPost", named).await;
    let posted =
        api.try_mutate(approver(), "periodUnlock", "PeriodUnlockInput", "released", json!({"program": "P", "period": "2020-Q1", "idempotencyKey": "p"})).await;
    assert_eq!(refusal(&posted), "PERIOD_POSTED");
}
