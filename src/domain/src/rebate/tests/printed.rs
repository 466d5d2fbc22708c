//! Further figures that vendors, purchasing groups and contracts print, each with its source.

use serde_json::json;

use super::*;

fn paid(schedule: Value, lines: Value) -> String {
    let program = program_of(schedule);
    amount(&entitlement(&program, &facts_of(&program, json!({ "transactions": lines })), "2024-Q1"))
}

fn banded(scope: &str, bands: Value) -> Value {
    json!({ "method": { "bands": { "scope": scope, "bands": bands } } })
}

/// Returns give back what was earned last: of 6 units at 10, 20 and 30, two each, a return of two takes 60, one of three 80.
/// <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_16172202301.html>
#[test]
fn netsuite_returns() {
    let bands = json!([{ "from": 0, "amountPerUnit": 10 }, { "from": 2, "amountPerUnit": 20 }, { "from": 4, "amountPerUnit": 30 }]);
    let sold = |back: u32| {
        let mut lines: Vec<Value> = (1..=3).map(|id: u32| sale(&id.to_string(), "2024-02-01", "0.00", "2")).collect();
        if back > 0 {
            lines.push(json!({ "id": "9", "date": "2024-03-01", "kind": "RETURN", "amount": "0.00", "quantity": back }));
        }
        paid(with(banded("MARGINAL", bands.clone()), json!({ "basis": "quantity" })), json!(lines))
    };
    assert_eq!([0, 2, 3].map(sold), ["120.00", "60.00", "40.00"]);
}

/// Each line by itself: 5 % of 60, and of 200 the first 100 at 5 %, the rest at 10 %.
/// <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_25172236752.html>
#[test]
fn netsuite_marginal_percent_of_each_line() {
    let bands = json!([{ "from": 0, "rate": "5 %" }, { "from": 100, "rate": "10 %" }, { "from": 350, "to": 500, "rate": "15 %" }]);
    let program = program_of(with(banded("MARGINAL", bands), json!({ "grain": "LINE" })));
    let facts = facts_of(&program, json!({ "transactions": [sale("A", "2024-02-01", "60.00", "2"), sale("B", "2024-02-01", "200.00", "1")] }));
    assert_eq!(parts(&entitlement(&program, &facts, "2024-Q1")), ["3.00", "15.00"]);
}

/// A card's yearly rebate on 10,000 of purchases less returns, at most 1,000. <https://lawinsider.com/clause/basic-rebate>
#[test]
fn basic_rebate_of_a_card() {
    let bands = json!([{ "from": 0, "rate": "0.25 %" }, { "from": 2000, "rate": "0.5 %" }, { "from": 5000, "rate": "1.5 %" }]);
    let lines = json!([sale("1", "2024-01-10", "11000.00", "1"), json!({ "id": "2", "date": "2024-02-10", "kind": "RETURN", "amount": "1000.00" })]);
    assert_eq!(paid(with(banded("MARGINAL", bands), json!({ "cap": { "amount": 1000 } })), lines), "95.00");
}

/// 2 % over 100,000 and 3 % over 200,000, on everything: nothing for 50,000, and 7,500 for 250,000.
/// <https://docs.oracle.com/en/applications/jd-edwards/customer-relationship/9.2/eoapg/example-of-creating-a-rebate-accrual-adjustment.html>
#[test]
fn jd_edwards_thresholds() {
    let schedule = || banded("RETROACTIVE", json!([{ "from": 100000, "rate": "2 %" }, { "from": 200000, "rate": "3 %" }]));
    assert_eq!(paid(schedule(), json!([sale("1", "2024-01-30", "50000.00", "1")])), "0.00");
    let orders = [("1", "50000.00"), ("2", "100000.00"), ("3", "100000.00")].map(|(id, amount)| sale(id, "2024-02-15", amount, "1"));
    assert_eq!(paid(schedule(), json!(orders)), "7500.00");
}

/// 5 % of a month's quota of 33,000 below a half of it, then 10 % back to the first dollar, and 20 % above it.
/// <https://comp.quotapath.com/account-executive/accelerators-decelerators>
#[test]
fn a_rate_that_goes_back_and_one_that_does_not() {
    let bands = || json!([{ "from": 0, "rate": "5 %" }, { "from": 16500, "rate": "10 %", "backToFirst": true }, { "from": 33000, "rate": "20 %" }]);
    let sold = |amount: &str| paid(banded("MARGINAL", bands()), json!([sale("1", "2024-02-01", amount, "1")]));
    assert_eq!(["12000.00", "20000.00", "40000.00"].map(sold), ["600.00", "2000.00", "4700.00"]);
}

/// 5 % to a quota of 100,000, 6 % to 125,000 and 7 % above: 5,000, 1,500 and 1,750 of 150,000.
/// <https://excelforum.com/excel-formulas-and-functions/861932-vlookup-for-multiple-results-without-duplicates-prev-thread.html>
#[test]
fn accelerators() {
    let bands = json!([{ "from": 0, "rate": "5 %" }, { "from": 100000, "rate": "6 %" }, { "from": 125000, "rate": "7 %" }]);
    assert_eq!(paid(banded("MARGINAL", bands), json!([sale("1", "2024-02-01", "150000.00", "1")])), "8250.00");
}

/// A stair step of a maker of cars, by attainment of the target, on all that was sold: 1,000 each for 199, 1,500 each for 200 of 200.
/// <https://beat4square.com/blog/manufacturer-bonuses-dealer-incentives>
#[test]
fn stair_step() {
    let units = json!({ "measure": { "source": "TRANSACTIONS", "aggregate": "SUM", "of": "quantity", "window": { "calendar": { "unit": "QUARTER" } } } });
    let attained = json!({ "metric": { "formula": { "ratio": { "numerator": units, "denominator": { "constant": 200 } } } } });
    let steps =
        [("85 %", 500), ("90 %", 750), ("95 %", 1000), ("100 %", 1500), ("105 %", 2000)].map(|(from, each)| json!({ "from": from, "amountPerUnit": each }));
    let schedule = with(banded("RETROACTIVE", json!(steps)), json!({ "basis": "quantity", "qualifier": attained }));
    let sold = |units: &str| paid(schedule.clone(), json!([sale("1", "2024-02-01", "0.00", units)]));
    assert_eq!(["199", "200"].map(sold), ["199000.00", "300000.00"]);
}

/// A purchasing group: 2.5 % from the first dollar on 5.4 million, and 3 % of what lies above 4.315 million once that has grown by 15 %.
/// <https://idco.coop/supplier_rebates/thermoid/>
#[test]
fn base_and_incremental_growth_rebate() {
    assert_eq!(paid(flat("2.5 %"), json!([sale("1", "2024-02-01", "5400000.00", "1")])), "135000.00");
    let growth = json!({ "baseline": { "given": 4_315_000 }, "payOn": "INCREMENT", "bands": [{ "from": "115 %", "rate": "3 %" }] });
    let sold = |amount: &str| paid(json!({ "method": { "growth": growth } }), json!([sale("1", "2024-02-01", amount, "1")]));
    assert_eq!(["4962000.00", "5000000.00"].map(sold), ["0.00", "20550.00"]);
}

/// A chargeback: the wholesaler bought at 100 and sold at the contract's 70. <https://empowerrm.com/what-is-a-pharmaceutical-chargeback/>
#[test]
fn chargeback() {
    let schedule = with(flat("100 %"), json!({ "basis": { "attribute": "wacLessContract" } }));
    let line = json!({ "id": "1", "date": "2024-02-01", "amount": "70.00", "attributes": { "wacLessContract": 30 } });
    assert_eq!(paid(schedule, json!([line])), "30.00");
}
