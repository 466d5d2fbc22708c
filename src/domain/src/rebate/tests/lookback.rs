//! What a period is measured against: periods before it, and the partner as it was.

use serde_json::json;

use super::*;

fn growth_on_increment(zero: &str) -> Value {
    let growth = json!({ "baseline": { "samePeriodLastYear": {} }, "payOn": "INCREMENT", "bands": [{ "from": 1, "rate": "10 %" }], "zeroBaseline": zero });
    json!({ "method": { "growth": growth } })
}

/// 17: a custom period is measured against the listed one that holds its first day a year earlier, else against the same days.
#[test]
fn a_custom_period_looks_back_at_the_same_days() {
    let sold = json!({ "transactions": [sale("0", "2023-02-15", "50.00", "1"), sale("1", "2023-02-28", "7.00", "1"), sale("2", "2024-02-29", "107.00", "1")] });
    let custom = |listed: Value| json!({ "period": { "custom": listed } });
    let promo = json!({ "name": "PROMO", "from": "2024-02-01", "until": "2024-03-01" });
    for zero in ["NONE", "FULL"] {
        let program = program_of(with(growth_on_increment(zero), custom(json!([promo]))));
        assert_eq!(amount(&entitlement(&program, &facts_of(&program, sold.clone()), "PROMO")), "5.00");
    }
    let listed = custom(json!([{ "name": "BEFORE", "from": "2023-02-01", "until": "2023-02-20" }, promo]));
    let program = program_of(with(growth_on_increment("NONE"), listed));
    assert_eq!(amount(&entitlement(&program, &facts_of(&program, sold.clone()), "PROMO")), "5.70");
    let target = json!({ "target": { "history": { "samePeriodLastYear": {} }, "pays": { "rateAboveTarget": "10 %" } } });
    let program = program_of(with(json!({ "method": target }), custom(json!([promo]))));
    assert_eq!(amount(&entitlement(&program, &facts_of(&program, sold), "PROMO")), "5.00");
}

/// A filter reads the partner as of the period's last day, also where lines of a year before are looked at.
#[test]
fn a_filter_reads_the_partner_of_the_period() {
    let facts = json!({
        "attributes": [{ "type": "VAR" }, { "from": "2024-01-01", "type": "MSP" }],
        "transactions": [sale("0", "2023-02-15", "50.00", "1"), sale("1", "2024-02-15", "100.00", "1")],
    });
    for scope in [json!({ "partnerTypes": ["MSP"] }), json!({ "filter": { "test": { "field": "partner.type", "equals": "MSP" } } })] {
        let program = program_of(with(growth_on_increment("NONE"), json!({ "scope": scope })));
        assert_eq!(amount(&entitlement(&program, &facts_of(&program, facts.clone()), "2024-Q1")), "5.00", "{scope}");
    }
}

/// 17: what went before a period of a custom calendar is the last one listed, also across a gap.
#[test]
fn the_previous_period_lies_before_a_gap() {
    let custom =
        json!({ "custom": [{ "name": "X1", "from": "2024-01-01", "until": "2024-02-01" }, { "name": "X2", "from": "2024-03-01", "until": "2024-04-01" }] });
    let growth = |zero: &str| json!({ "growth": { "baseline": { "previousPeriod": {} }, "payOn": "INCREMENT", "bands": [{ "from": 1, "rate": "10 %" }], "zeroBaseline": zero } });
    let target = json!({ "target": { "history": { "previousPeriod": {} }, "pays": { "rateOnEverything": "10 %" } } });
    for (method, expected) in [(growth("FULL"), "50.00"), (growth("NONE"), "50.00"), (target, "150.00")] {
        let program = program_of(json!({ "period": custom, "method": method }));
        let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "1"), sale("2", "2024-03-10", "1500.00", "1")] }));
        assert_eq!(amount(&entitlement(&program, &facts, "X2")), expected, "{method}");
    }
}

/// A line that came too late to be paid for its period was sold in it all the same: growth from that period counts it, so that a
/// history that was loaded later is one.
#[test]
fn a_baseline_counts_what_was_recorded_late() {
    let growth = |pay_on: &str| json!({ "growth": { "baseline": { "samePeriodLastYear": {} }, "payOn": pay_on, "bands": [{ "from": 1, "rate": "10 %" }], "zeroBaseline": "FULL" } });
    let target = json!({ "target": { "history": { "previousPeriod": {} }, "pays": { "rateAboveTarget": "10 %" } } });
    let late = |id: &str, date: &str| with(sale(id, date, "600.00", "1"), json!({ "recordedOn": "2024-02-15" }));
    for method in [growth("INCREMENT"), growth("INCREMENT_BY_BAND"), target] {
        let schedule = json!({ "method": method, "trueUp": { "untilDays": 30 } });
        let found = lines(schedule, json!([late("1", "2023-02-01"), late("2", "2023-11-01"), sale("3", "2024-02-01", "1000.00", "1")]));
        assert_eq!(amount(&found), "40.00", "{method}");
    }
}
