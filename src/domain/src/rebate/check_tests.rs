//! Documents that are refused, each for one reason.

use super::*;
use serde_json::{Value, json};

fn document(schedules: Value, stacking: Value) -> Document {
    let document = json!({
        "guerdon": 1,
        "program": { "code": "T", "name": "T", "currency": "USD" },
        "version": { "effectiveOn": "2024-01-01" },
        "ladders": [{ "key": "MAIN", "tiers": [{ "key": "SILVER" }, { "key": "GOLD" }] }],
        "rebateSchedules": schedules,
        "stacking": stacking,
    });
    crate::document::read::read_document(document).unwrap_or_else(|faults| panic!("{faults}"))
}

fn found(schedule: Value) -> Vec<(String, String)> {
    let mut schedule = schedule;
    schedule["key"] = json!("R");
    schedule["period"] = json!({ "quarter": {} });
    let document = document(json!([schedule]), json!([]));
    check(&document, &document.rebate_schedules[0]).0.into_iter().map(|fault| (fault.code, fault.path)).collect()
}

fn expect(schedule: Value, code: &str, path: &str) {
    assert_eq!(found(schedule.clone()), [(code.to_owned(), path.to_owned())], "{schedule}");
}

fn banded(scope: &str, bands: Value) -> Value {
    json!({ "method": { "bands": { "scope": scope, "bands": bands } } })
}

/// A budget is shared in minor units: a part of one could be shared with nobody.
#[test]
fn a_budget_has_the_decimals_of_its_currency() {
    let budget = |amount: &str, currency: &str| json!({ "method": { "flat": { "rate": "10 %" } }, "currency": currency, "budget": { "amount": amount } });
    expect(budget("10.005", "USD"), "TOO_MANY_DECIMALS", "budget.amount");
    expect(budget("10.5", "JPY"), "TOO_MANY_DECIMALS", "budget.amount");
    expect(budget("-1", "USD"), "NEGATIVE_BOUND", "budget.amount");
    for (amount, currency) in [("10.05", "USD"), ("10.005", "KWD"), ("10", "JPY")] {
        assert!(found(budget(amount, currency)).is_empty(), "{amount} {currency}");
    }
}

#[test]
fn bands_are_contiguous() {
    assert!(found(banded("MARGINAL", json!([{ "from": 100, "to": 200, "rate": 0 }, { "from": 200, "to": 300, "rate": "1 %" }]))).is_empty());
    expect(banded("MARGINAL", json!([{ "from": 0, "to": 100, "rate": 0 }, { "from": 101, "rate": 0 }])), "BAND_GAP", "method.bands.bands[0].to");
    expect(banded("MARGINAL", json!([{ "from": 0, "to": 102, "rate": 0 }, { "from": 101, "rate": 0 }])), "BAND_OVERLAP", "method.bands.bands[0].to");
    expect(banded("TOTAL", json!([{ "from": 5, "rate": 0 }, { "from": 5, "rate": 0 }])), "BAND_OVERLAP", "method.bands.bands[1].from");
    expect(banded("TOTAL", json!([{ "from": 5, "to": 5, "rate": 0 }])), "BAND_OVERLAP", "method.bands.bands[0].to");
    expect(banded("TOTAL", json!([{ "from": -5, "rate": 0 }])), "NEGATIVE_BOUND", "method.bands.bands[0].from");
    expect(banded("TOTAL", json!([])), "EMPTY_LIST", "method.bands.bands");
    let tiered = json!([{ "from": 0, "rate": 0 }, { "from": { "default": 100, "tiers": { "GOLD": 0 } }, "rate": 0 }]);
    expect(banded("RETROACTIVE", tiered), "BAND_OVERLAP", "method.bands.bands[1].from");
    let missing = json!([{ "from": 0, "rate": 0 }, { "from": { "tiers": { "GOLD": 5, "SILVER": 6 } }, "rate": 0 }]);
    expect(banded("RETROACTIVE", missing), "BAND_GAP", "method.bands.bands[1].from");
}

#[test]
fn bands_pay_in_one_way() {
    expect(banded("MARGINAL", json!([{ "from": 0 }])), "MISSING_RATE", "method.bands.bands[0]");
    expect(banded("MARGINAL", json!([{ "from": 0, "rate": 0, "amountPerUnit": 1 }])), "CONFLICTING_MEMBERS", "method.bands.bands[0]");
    expect(banded("TOTAL", json!([{ "from": 0, "rate": 0, "backToFirst": true }])), "BACK_TO_FIRST", "method.bands.bands[0].backToFirst");
    expect(banded("PROPORTIONAL", json!([{ "from": 0, "rate": 0 }])), "OPEN_BAND", "method.bands.bands[0].to");
    expect(banded("LINEAR", json!([{ "from": 0, "rate": 0 }, { "from": 1, "amountPerUnit": 1 }])), "MIXED_PAY", "method.bands.bands[1]");
    let package = json!([{ "from": 0, "perPackage": { "size": 0, "amount": 1 } }]);
    expect(banded("MARGINAL", package), "PACKAGE_SIZE", "method.bands.bands[0].perPackage.size");
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let mut tiered = banded("MARGINAL", json!([{ "from": { "default": 0, "tiers": { "GOLD": 10 } }, "rate": 0 }]));
    assert!(found(tiered.clone()).is_empty());
    tiered["tierAt"] = json!("TRANSACTION_DATE");
    expect(tiered, "TIERED_EDGES", "method.bands.bands[0]");
    let flat = |more: Value| {
        let mut schedule = json!({ "method": { "flat": { "rate": "1 %" } } });
        schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schedule
    };
    expect(flat(json!({ "floor": { "amount": 10 }, "cap": { "amount": 9 } })), "CAP_BELOW_FLOOR", "cap.amount");
    expect(flat(json!({ "guarantee": { "amount": 10 }, "cap": { "amount": 9 } })), "CAP_BELOW_GUARANTEE", "cap.amount");
    expect(flat(json!({ "floor": { "amount": 10 }, "cap": { "amount": { "default": 10, "tiers": { "GOLD": 9 } } } })), "CAP_BELOW_FLOOR", "cap.amount");
    expect(flat(json!({ "cap": { "amount": -1 } })), "NEGATIVE_BOUND", "cap.amount");
    let small = |below: &str, cap: Value| flat(json!({ "minimumPayout": { "amount": 10, "below": below }, "cap": { "amount": cap } }));
    expect(small("FORFEIT", json!(9)), "CAP_BELOW_MINIMUM", "cap.amount");
    for paid in [small("FORFEIT", json!(10)), small("FORFEIT", json!({ "default": 0, "tiers": { "GOLD": 10 } })), small("CARRY", json!(9))] {
        assert!(found(paid.clone()).is_empty(), "{paid}");
    }
    expect(flat(json!({ "cumulative": true, "carryNegative": true })), "CUMULATIVE", "carryNegative");
    expect(json!({ "grain": "LINE", "method": { "fixed": { "amount": 1 } } }), "GRAIN_LINE", "grain");
    expect(json!({ "cumulative": true, "method": { "fixed": { "amount": 1 } } }), "CUMULATIVE", "cumulative");
    let on_condition = |more: Value| {
        let mut schedule = flat(more);
        schedule["cumulative"] = json!(true);
        schedule["condition"] = json!({ "holding": { "kind": "PLAN" } });
        schedule
    };
    assert!(found(on_condition(json!({ "floor": { "amount": 5 }, "guarantee": { "amount": 5 } }))).is_empty());
    expect(on_condition(json!({ "floor": { "amount": 5, "unconditional": true } })), "CUMULATIVE", "floor.unconditional");
    expect(on_condition(json!({ "guarantee": { "amount": 5, "cumulative": true } })), "CUMULATIVE", "guarantee.cumulative");
}

fn stacked(more: [Value; 2], stacking: Value) -> Document {
    let schedules: Vec<Value> = ["A", "B"]
        .iter()
        .zip(more)
        .map(|(key, more)| {
            let mut schedule = json!({ "key": key, "period": { "quarter": {} }, "method": { "flat": { "rate": "1 %" } } });
            schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            schedule
        })
        .collect();
    document(json!(schedules), stacking)
}

fn codes(document: &Document) -> Vec<String> {
    check_stacking(document).0.into_iter().map(|fault| fault.code).collect()
}

#[test]
fn stacking_is_within_one_calendar_and_currency() {
    let best = json!([{ "bestOf": { "schedules": ["A", "B"] } }]);
    assert!(codes(&stacked([json!({}), json!({})], best.clone())).is_empty());
    assert_eq!(codes(&stacked([json!({}), json!({ "currency": "EUR" })], best.clone())), ["STACKING_CURRENCIES"]);
    assert_eq!(codes(&stacked([json!({}), json!({ "period": { "month": {} } })], best)), ["STACKING_PERIODS"]);
    let net = json!([{ "netOf": { "schedule": "A", "of": ["B"] } }]);
    assert_eq!(codes(&stacked([json!({ "basis": "quantity" }), json!({})], net.clone())), ["STACKING_BASIS"]);
    assert_eq!(codes(&stacked([json!({ "cumulative": true }), json!({})], net)), ["STACKING_CUMULATIVE"]);
    let to_date = json!({ "cumulative": true });
    let on_condition = json!({ "cumulative": true, "condition": { "holding": { "kind": "PLAN" } } });
    let best = json!([{ "bestOf": { "schedules": ["A", "B"] } }]);
    assert_eq!(codes(&stacked([to_date, on_condition], best)), ["STACKING_CUMULATIVE"]);
}

#[test]
fn circles_are_refused_and_order_is_reported() {
    let circle = json!([{ "netOf": { "schedule": "A", "of": ["B"] } }, { "netOf": { "schedule": "B", "of": ["A"] } }]);
    assert_eq!(codes(&stacked([json!({}), json!({})], circle)), ["STACKING_CYCLE"]);
    let own = json!([{ "netOf": { "schedule": "A", "of": ["A"] } }]);
    assert_eq!(codes(&stacked([json!({}), json!({})], own)), ["STACKING_CYCLE"]);
    let sequence = |reduced: bool| json!([{ "sequential": { "steps": [{ "schedule": "A" }, { "schedule": "B", "isReduced": reduced }] } }]);
    let depends = |stacking: Value| order_dependence(&stacked([json!({}), json!({})], stacking)).len();
    assert_eq!((depends(sequence(true)), depends(sequence(false))), (1, 0));
    assert_eq!(depends(json!([{ "netOf": { "schedule": "A", "of": ["B"] } }, { "bestOf": { "schedules": ["A", "B"] } }])), 1);
}

#[test]
fn growth_and_targets_are_judged() {
    let growth = |bands: Value| json!({ "method": { "growth": { "baseline": { "given": 1 }, "payOn": "EVERYTHING", "bands": bands } } });
    expect(growth(json!([])), "EMPTY_LIST", "method.growth.bands");
    expect(growth(json!([{ "from": 1 }])), "CONFLICTING_MEMBERS", "method.growth.bands[0]");
    expect(growth(json!([{ "from": 2, "rate": 0 }, { "from": 1, "rate": 0 }])), "BAND_OVERLAP", "method.growth.bands[1].from");
    let target = json!({ "method": { "target": { "history": { "given": 1 }, "floor": 5, "cap": 4, "pays": { "lumpSum": 1 } } } });
    expect(target, "CAP_BELOW_FLOOR", "method.target.cap");
    let lump = json!({ "method": { "lumpSum": { "targets": [{ "at": 5, "amount": 1 }, { "at": 5, "amount": 1 }] } } });
    expect(lump, "BAND_OVERLAP", "method.lumpSum.targets[1].at");
}
