//! How schedules compose (semantics 18).

use serde_json::json;

use super::*;

fn schedule(key: &str, rate: &str) -> Value {
    with(flat(rate), json!({ "key": key, "period": { "quarter": {} } }))
}

fn amounts(schedules: Value, stacking: Value, sold: Value) -> Vec<String> {
    let program = program_with(schedules, stacking);
    let facts = facts_of(&program, json!({ "transactions": sold }));
    compute(&program, &facts, "2024-Q1").unwrap().entitlements.iter().map(amount).collect()
}

fn deals() -> Value {
    json!([schedule("D1", "10 %"), schedule("D2", "15 %"), schedule("D3", "20 %"), schedule("D4", "25 %")])
}

fn order(keys: [&str; 4]) -> Value {
    let steps: Vec<Value> =
        keys.iter().map(|key| json!({ "schedule": key, "reducesOthers": (*key != "D2"), "isReduced": (["D3", "D4"].contains(key)) })).collect();
    json!([{ "sequential": { "steps": steps } }])
}

/// WE-36 and WE-38, Dynamics 365 reduction principle: one line of 1,000; deals of 10, 15, 20 and 25 %; 3 and 4 are reduced, 2 does not
/// reduce others. Order 1, 2, 3, 4: 610. (The second table names deal 2 where the printed 180 needs deal 3.) Order 3, 2, 1, 4: 625.
/// <https://github.com/MicrosoftDocs/dynamics-365-unified-operations-public/blob/main/articles/supply-chain/rebate-management/rebate-reduction-principle.md>
#[test]
fn we_36_we_38_reduction_principle() {
    let line = json!([sale("1", "2024-02-01", "1000.00", "1")]);
    assert_eq!(amounts(deals(), order(["D1", "D2", "D3", "D4"]), line.clone()), ["100.00", "150.00", "180.00", "180.00"]);
    assert_eq!(amounts(deals(), order(["D3", "D2", "D1", "D4"]), line), ["100.00", "150.00", "200.00", "175.00"]);
}

/// The misprinted label read literally (deal 4 net of deals 1 and 2): 187.50. Both readings can be written.
#[test]
fn we_36_the_label_read_literally() {
    let rules = json!([{ "netOf": { "schedule": "D3", "of": ["D1"] } }, { "netOf": { "schedule": "D4", "of": ["D1", "D2"] } }]);
    assert_eq!(amounts(deals(), rules, json!([sale("1", "2024-02-01", "1000.00", "1")])), ["100.00", "150.00", "180.00", "187.50"]);
}

#[test]
fn schedules_that_no_rule_names_add() {
    assert_eq!(amounts(deals(), json!([]), json!([sale("1", "2024-02-01", "1000.00", "1")])), ["100.00", "150.00", "200.00", "250.00"]);
}

/// Reductions go line by line: what lies outside a schedule's scope takes nothing off inside it.
#[test]
fn reductions_go_line_by_line() {
    let bikes = with(schedule("BIKES", "10 %"), json!({ "scope": { "categories": ["BIKES"] } }));
    let rules = json!([{ "netOf": { "schedule": "SERVICES", "of": ["BIKES", "ALL"] } }]);
    let services = with(schedule("SERVICES", "10 %"), json!({ "scope": { "categories": ["SERVICES"] } }));
    let sold = json!([
        { "id": "1", "date": "2024-02-01", "amount": "1000.00", "category": "BIKES" },
        { "id": "2", "date": "2024-02-01", "amount": "500.00", "category": "SERVICES" },
    ]);
    // 10 % of (500 - 1 % of 500).
    assert_eq!(amounts(json!([bikes, schedule("ALL", "1 %"), services]), rules, sold), ["100.00", "15.00", "49.50"]);
}

/// What a line earned is taken off, also where the lines come to nothing in sum, and where it is paid later; not what is forfeited.
#[test]
fn what_lines_earned_is_taken_off_whatever_the_sum() {
    let on_p = with(schedule("C", "10 %"), json!({ "scope": { "products": ["P"] } }));
    let rules = || json!([{ "sequential": { "steps": [{ "schedule": "B" }, { "schedule": "C" }] } }]);
    let sold = json!([
        { "id": "1", "date": "2024-02-01", "amount": "100.00", "product": "P" },
        { "id": "2", "date": "2024-02-02", "amount": "100.00", "kind": "RETURN" },
    ]);
    assert_eq!(amounts(json!([schedule("B", "10 %"), on_p.clone()]), rules(), sold), ["0.00", "9.00"]);
    let minimum = |below: &str| with(schedule("B", "10 %"), json!({ "minimumPayout": { "amount": 15, "below": below } }));
    let sold = || json!([{ "id": "1", "date": "2024-02-01", "amount": "100.00", "product": "P" }]);
    assert_eq!(amounts(json!([minimum("CARRY"), on_p.clone()]), rules(), sold()), ["0.00", "9.00"]);
    assert_eq!(amounts(json!([minimum("FORFEIT"), on_p]), rules(), sold()), ["0.00", "10.00"]);
}

/// A payout that waits for its minimum is not lost in a period in which another schedule of the group is as good, or better.
#[test]
fn what_was_carried_into_a_group_waits_on() {
    let a = json!({ "key": "A", "period": { "month": {} }, "method": { "bands": { "scope": "MARGINAL", "bands": [{ "from": 1000, "rate": "1 %" }] } } });
    let b = with(flat("10 %"), json!({ "key": "B", "period": { "month": {} }, "minimumPayout": { "amount": 15, "below": "CARRY" } }));
    let program = program_with(json!([a, b]), json!([{ "bestOf": { "schedules": ["A", "B"] } }]));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "100.00", "1"), sale("2", "2024-03-10", "100.00", "1")] }));
    let paid = ["2024-01", "2024-02", "2024-03"].map(|month| amount(&compute(&program, &facts, month).unwrap().entitlements[1]));
    assert_eq!(paid, ["0.00", "0.00", "20.00"]);
}

#[test]
fn the_reduced_basis_picks_the_band_unless_a_qualifier_is_named() {
    let banded = |more: Value| with(with(bands("RETROACTIVE", &[("0", "1 %"), ("1000", "10 %")]), json!({ "key": "B", "period": { "quarter": {} } })), more);
    let rules = json!([{ "netOf": { "schedule": "B", "of": ["A"] } }]);
    let sold = json!([sale("1", "2024-02-01", "1000.00", "1")]);
    assert_eq!(amounts(json!([schedule("A", "10 %"), banded(json!({}))]), rules.clone(), sold.clone()), ["100.00", "9.00"]);
    assert_eq!(amounts(json!([schedule("A", "10 %"), banded(json!({ "qualifier": "amount" }))]), rules, sold), ["100.00", "90.00"]);
}

#[test]
fn the_best_of_a_group_counts_and_ties_go_to_the_smaller_key() {
    let rules = json!([{ "bestOf": { "schedules": ["B", "A", "C"] } }]);
    let sold = || json!([sale("1", "2024-02-01", "100.00", "1")]);
    assert_eq!(amounts(json!([schedule("A", "1 %"), schedule("B", "3 %"), schedule("C", "2 %")]), rules.clone(), sold()), ["0.00", "3.00", "0.00"]);
    assert_eq!(amounts(json!([schedule("A", "3 %"), schedule("B", "3 %"), schedule("C", "2 %")]), rules, sold()), ["3.00", "0.00", "0.00"]);
}

/// Who lost takes nothing off others that are computed after it.
#[test]
fn what_lost_reduces_nothing() {
    let rules = json!([{ "bestOf": { "schedules": ["A", "B"] } }, { "netOf": { "schedule": "C", "of": ["A", "B"] } }]);
    let sold = json!([sale("1", "2024-02-01", "100.00", "1")]);
    assert_eq!(amounts(json!([schedule("A", "10 %"), schedule("B", "20 %"), schedule("C", "50 %")]), rules, sold), ["0.00", "20.00", "40.00"]);
}

/// A capped earning reduces others by what is left of it, in proportion to the lines.
#[test]
fn a_capped_earning_reduces_by_what_is_left() {
    let capped = with(schedule("A", "10 %"), json!({ "cap": { "amount": 30 } }));
    let rules = json!([{ "sequential": { "steps": [{ "schedule": "A" }, { "schedule": "B" }] } }]);
    let sold = json!([sale("1", "2024-02-01", "200.00", "1"), sale("2", "2024-02-02", "400.00", "1")]);
    assert_eq!(amounts(json!([capped, schedule("B", "10 %")]), rules, sold), ["30.00", "57.00"]);
}

/// Who lost in a group has lost: a later rule that looks at it does not bring it back.
#[test]
fn a_later_rule_brings_nobody_back() {
    let three = || json!([schedule("A", "10 %"), schedule("B", "20 %"), schedule("C", "50 %")]);
    let line = json!([sale("1", "2024-02-01", "1000.00", "1")]);
    let best = json!({ "bestOf": { "schedules": ["A", "B"] } });
    let steps = |keys: [&str; 2]| json!({ "sequential": { "steps": [{ "schedule": keys[0] }, { "schedule": keys[1] }] } });
    assert_eq!(amounts(three(), json!([best, steps(["A", "C"])]), line.clone()), ["0.00", "200.00", "500.00"]);
    assert_eq!(amounts(three(), json!([best, steps(["C", "A"])]), line.clone()), ["0.00", "200.00", "500.00"]);
    assert_eq!(amounts(three(), json!([best, { "netOf": { "schedule": "A", "of": ["C"] } }]), line.clone()), ["0.00", "200.00", "500.00"]);
    let cumulative: Vec<Value> = three().as_array().unwrap()[..2].iter().map(|one| with(one.clone(), json!({ "cumulative": true }))).collect();
    let all = json!([cumulative[0], cumulative[1], three()[2]]);
    assert_eq!(amounts(all.clone(), json!([best, steps(["A", "C"])]), line.clone()), ["0.00", "200.00", "500.00"]);
    assert_eq!(amounts(all, json!([best, steps(["B", "C"])]), line), ["0.00", "200.00", "400.00"]);
}

/// Each interpolated figure doubles the digits of the one before it, and stays exact (figures by fractions in another language). Where
/// it leads too far it is a fault, and not a wrong figure.
#[test]
fn chains_of_interpolated_rates_are_exact() {
    let linear = json!({ "bands": { "scope": "LINEAR", "bands": [{ "from": 0, "rate": "1 %" }, { "from": 1_000_000, "rate": "7 %" }] } });
    let chain = |length: usize| {
        let keys: Vec<String> = (1..=length).map(|at| format!("S{at}")).collect();
        let schedules: Vec<Value> = keys.iter().map(|key| json!({ "key": key, "period": { "quarter": {} }, "method": linear })).collect();
        let steps: Vec<Value> = keys.iter().map(|key| json!({ "schedule": key })).collect();
        let program = program_with(json!(schedules), json!([{ "sequential": { "steps": steps } }]));
        let sold = json!({ "transactions": [sale("1", "2024-02-01", "123456.78", "1"), sale("2", "2024-02-02", "98765.43", "1")] });
        compute(&program, &facts_of(&program, sold), "2024-Q1")
    };
    let found: Vec<String> = chain(6).unwrap().entitlements.iter().map(amount).collect();
    assert_eq!(found, ["5185.18", "4996.67", "4818.07", "4648.69", "4487.90", "4335.13"]);
    assert_eq!(chain(7).unwrap_err().0[0].code, "OUT_OF_RANGE");
}

/// Whoever records rates is told of all that are missing: of every schedule, and of the earlier periods that a figure goes through.
#[test]
fn missing_rates_of_all_schedules_and_periods_are_told_once() {
    let to_date = with(schedule("TO_DATE", "10 %"), json!({ "cumulative": true }));
    let program = program_with(json!([to_date, schedule("ONE", "1 %"), schedule("TWO", "2 %")]), json!([]));
    let sold = json!([
        { "id": "1", "date": "2024-02-01", "amount": "1.00", "currency": "EUR" },
        { "id": "2", "date": "2024-05-01", "amount": "1.00", "currency": "GBP" },
    ]);
    let faults = compute(&program, &facts_of(&program, json!({ "transactions": sold })), "2024-Q2").unwrap_err();
    let told: Vec<bool> = ["EUR", "GBP"].map(|currency| faults.0.iter().filter(|fault| fault.message.contains(currency)).count() == 1).to_vec();
    assert_eq!((faults.0.len(), told), (2, vec![true, true]), "{faults}");
}
