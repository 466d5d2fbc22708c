//! Runs with true-up, and estimates of open periods.

use serde_json::json;

use super::*;

fn known(id: &str, date: &str, amount: &str, recorded_on: &str) -> Value {
    json!({ "id": id, "date": date, "amount": amount, "recordedOn": recorded_on })
}

fn asked(runs: &[(&str, &str)]) -> Vec<RunAsked> {
    runs.iter().map(|(period, run_on)| RunAsked { period: (*period).to_owned(), run_on: run_on.parse().unwrap() }).collect()
}

fn run(schedule: Value, facts: Value, list: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let program = program_of(schedule);
    let facts = facts_of(&program, facts);
    let results = runs(&program, &facts, "P", &asked(list), &OnRecord).unwrap_or_else(|faults| panic!("{faults}"));
    results.iter().map(|run| (run.schedules[0].entitled.amount(), run.schedules[0].posted_now.amount(), run.schedules[0].posted_total.amount())).collect()
}

fn triple(entitled: &str, now: &str, total: &str) -> (String, String, String) {
    (entitled.to_owned(), now.to_owned(), total.to_owned())
}

/// A late return drops the retroactive band: the next run holds the difference for the posted period, once.
#[test]
fn a_late_return_drops_the_band() {
    let schedule = bands("RETROACTIVE", &[("0", "1 %"), ("1000", "2 %")]);
    let facts = json!({ "transactions": [
        known("1", "2024-02-01", "1000.00", "2024-02-01"),
        { "id": "2", "date": "2024-03-31", "kind": "RETURN", "amount": "0.01", "recordedOn": "2024-05-01" },
        known("3", "2024-05-01", "100.00", "2024-05-01"),
    ] });
    let found = run(schedule, facts, &[("2024-Q1", "2024-04-10"), ("2024-Q2", "2024-07-10"), ("2024-Q3", "2024-10-10")]);
    assert_eq!(found, [triple("20.00", "20.00", "20.00"), triple("1.00", "-9.00", "11.00"), triple("0.00", "0.00", "11.00")]);
}

/// A negative difference is posted, or set off against later postings.
#[test]
fn claw_back_or_carry_forward() {
    let facts = json!({ "transactions": [
        known("1", "2024-02-01", "1000.00", "2024-02-01"),
        { "id": "2", "date": "2024-02-02", "kind": "RETURN", "amount": "900.00", "recordedOn": "2024-04-20" },
        known("3", "2024-05-01", "300.00", "2024-05-01"), known("4", "2024-08-01", "1000.00", "2024-08-01"),
    ] });
    let quarters = [("2024-Q1", "2024-04-10"), ("2024-Q2", "2024-07-10"), ("2024-Q3", "2024-10-10")];
    let found = run(flat("10 %"), facts.clone(), &quarters);
    assert_eq!(found, [triple("100.00", "100.00", "100.00"), triple("30.00", "-60.00", "40.00"), triple("100.00", "100.00", "140.00")]);
    let carried = with(flat("10 %"), json!({ "trueUp": { "negative": "CARRY_FORWARD" } }));
    let found = run(carried, facts, &quarters);
    assert_eq!(found, [triple("100.00", "100.00", "100.00"), triple("30.00", "0.00", "100.00"), triple("100.00", "40.00", "140.00")]);
}

/// A run of a period that is posted posts differences only; the same again posts nothing.
#[test]
fn adjustment_runs() {
    let facts = json!({ "transactions": [known("1", "2024-02-01", "100.00", "2024-02-01"), known("2", "2024-02-02", "50.00", "2024-04-20")] });
    let found = run(flat("10 %"), facts, &[("2024-Q1", "2024-04-10"), ("2024-Q1", "2024-04-15"), ("2024-Q1", "2024-05-01")]);
    assert_eq!(found, [triple("10.00", "10.00", "10.00"), triple("10.00", "0.00", "10.00"), triple("15.00", "5.00", "15.00")]);
}

/// Lines recorded too late no longer count; grace days are enforced; a period that is not over is not run.
#[test]
fn grace_and_cut_off() {
    let schedule = with(flat("10 %"), json!({ "trueUp": { "graceDays": 10, "untilDays": 30 } }));
    let facts = json!({ "transactions": [
        known("1", "2024-02-01", "100.00", "2024-04-10"), known("2", "2024-02-02", "50.00", "2024-04-30"), known("3", "2024-02-03", "70.00", "2024-05-01"),
    ] });
    let found = run(schedule.clone(), facts.clone(), &[("2024-Q1", "2024-04-10"), ("2024-Q2", "2024-07-10")]);
    assert_eq!(found, [triple("10.00", "10.00", "10.00"), triple("0.00", "5.00", "15.00")]);
    let program = program_of(schedule);
    let facts = facts_of(&program, facts);
    let refused = |run_on: &str| runs(&program, &facts, "P", &asked(&[("2024-Q1", run_on)]), &OnRecord).unwrap_err().0[0].code.clone();
    assert_eq!((refused("2024-04-09").as_str(), refused("2024-03-30").as_str()), ("GRACE_DAYS", "PERIOD_NOT_OVER"));
    assert_eq!(runs(&program, &facts, "P", &asked(&[("2024-Q9", "2024-04-09")]), &OnRecord).unwrap_err().0[0].code, "UNKNOWN_PERIOD");
}

/// Posted lines keep their exchange rate; a late line takes the rate of its own date as known on its run; a correction leads to a
/// difference only where the schedule says so.
#[test]
fn exchange_corrections() {
    let input = json!({
        "partners": [{ "code": "P", "transactions": [
            { "id": "1", "date": "2024-02-01", "amount": "100.00", "currency": "EUR" },
            { "id": "2", "date": "2024-02-01", "amount": "100.00", "currency": "EUR", "recordedOn": "2024-06-01" },
        ] }],
        "exchangeRates": [
            { "from": "EUR", "to": "USD", "date": "2024-02-01", "rate": "1.1" },
            { "from": "EUR", "to": "USD", "date": "2024-02-01", "rate": "1.2", "recordedOn": "2024-05-01" },
        ],
    });
    for (corrections, second) in [(false, "12.00"), (true, "13.00")] {
        let program = program_of(with(flat("10 %"), json!({ "trueUp": { "exchangeCorrections": corrections } })));
        let facts = facts_with(&program, input.clone());
        let results = runs(&program, &facts, "P", &asked(&[("2024-Q1", "2024-04-10"), ("2024-Q2", "2024-07-10")]), &OnRecord).unwrap();
        assert_eq!(results[0].schedules[0].posted_now.amount(), "11.00");
        assert_eq!(results[1].schedules[0].posted_now.amount(), second);
        assert_eq!(results[1].postings[0].period, "2024-Q1");
        assert_eq!(results[1].posted_total(None), results[0].posted_now(None) + results[1].posted_now(None));
    }
}

/// A late line that another period's run posted keeps the rate that this run knew.
#[test]
fn a_late_line_is_not_rated_twice() {
    let rate = |rate: &str, recorded_on: &str| json!({ "from": "EUR", "to": "USD", "date": "2024-02-01", "rate": rate, "recordedOn": recorded_on });
    let input = json!({
        "partners": [{ "code": "P", "transactions": [
            { "id": "1", "date": "2024-02-01", "amount": "100.00", "currency": "EUR", "recordedOn": "2024-05-01" },
        ] }],
        "exchangeRates": [rate("1.1", "2024-02-01"), rate("1.2", "2024-08-01")],
    });
    let program = program_of(flat("10 %"));
    let facts = facts_with(&program, input);
    let list = asked(&[("2024-Q1", "2024-04-10"), ("2024-Q2", "2024-07-10"), ("2024-Q3", "2024-10-10")]);
    let results = runs(&program, &facts, "P", &list, &OnRecord).unwrap();
    assert_eq!((results[1].posted_now(None), results[2].posted_now(None)), (1100, 0));
}

fn looked_at(schedule: Value, sold: Value, as_of: &str, order: Value) -> Estimate {
    let program = program_of(schedule);
    let facts = facts_of(&program, json!({ "transactions": sold }));
    let supposed = facts_of(&program, json!({ "transactions": order }));
    let lines = &supposed.partners["P"].transactions;
    estimate(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), as_of.parse().unwrap(), lines, &OnRecord).unwrap().remove(0)
}

#[test]
fn earned_so_far_and_what_comes_next() {
    let schedule = bands("RETROACTIVE", &[("0", "1 %"), ("1000", "2 %")]);
    let sold = json!([sale("1", "2024-01-10", "600.00", "1"), sale("2", "2024-03-10", "5000.00", "1")]);
    let found = looked_at(schedule, sold, "2024-01-30", json!([sale("h", "2024-01-30", "500.00", "1")]));
    assert_eq!((found.earned.amount().as_str(), found.accrued.amount().as_str()), ("6.00", "6.00"));
    let next = found.next_band.unwrap();
    assert_eq!((next.band, next.missing.to_string().as_str(), next.worth.unwrap().amount().as_str(), next.exclusive), (1, "400", "14.00", false));
    let supposed = found.hypothetical.unwrap();
    assert_eq!((supposed.earned.amount().as_str(), supposed.adds.amount().as_str()), ("22.00", "16.00"));
    // 30 of 91 days: 600 become 1,820.
    let forecast = found.forecast.unwrap();
    assert_eq!((forecast.days, forecast.of_days, forecast.qualifier.to_string().as_str(), forecast.earned.amount().as_str()), (30, 91, "1820", "36.40"));
}

#[test]
fn bounds_that_belong_below_need_a_little_more() {
    let mut schedule = bands("RETROACTIVE", &[("0", "1 %"), ("1000", "2 %")]);
    schedule["method"]["bands"]["upperInclusive"] = json!(true);
    let found = looked_at(schedule, json!([sale("1", "2024-01-10", "1000.00", "1")]), "2024-01-30", json!([]));
    let next = found.next_band.unwrap();
    assert_eq!((next.missing.to_string().as_str(), next.exclusive, next.worth.unwrap().amount().as_str()), ("0", true, "10.00"));
    assert!(found.hypothetical.is_none());
}

/// Accrual before the first threshold, at an expected rate, or by another method.
#[test]
fn accrual_by_its_own_method() {
    let banded = || bands("RETROACTIVE", &[("1000", "2 %")]);
    let sold = || json!([sale("1", "2024-01-10", "500.00", "1")]);
    let at_rate = looked_at(with(banded(), json!({ "accrual": { "rate": "1.5 %" } })), sold(), "2024-01-30", json!([]));
    assert_eq!((at_rate.earned.amount().as_str(), at_rate.accrued.amount().as_str()), ("0.00", "7.50"));
    let by_method = with(banded(), json!({ "accrual": { "method": { "perUnit": { "amount": 3 } } } }));
    assert_eq!(looked_at(by_method, json!([sale("1", "2024-01-10", "500.00", "4")]), "2024-01-30", json!([])).accrued.amount(), "12.00");
    let capped = with(banded(), json!({ "accrual": { "rate": "10 %" }, "cap": { "amount": 20 } }));
    assert_eq!(looked_at(capped, sold(), "2024-01-30", json!([])).accrued.amount(), "20.00");
}

/// Growth: the next step of a ratio, in units of the qualifier.
#[test]
fn growth_that_is_missing() {
    let schedule = json!({ "method": { "growth": { "baseline": { "given": 1000 }, "payOn": "INCREMENT", "bands": [{ "from": "1.1", "rate": "10 %" }] } } });
    let found = looked_at(schedule, json!([sale("1", "2024-01-10", "900.00", "1")]), "2024-01-30", json!([]));
    let next = found.next_band.unwrap();
    assert_eq!((next.from.to_string().as_str(), next.missing.to_string().as_str(), next.worth.unwrap().amount().as_str()), ("1100", "200", "10.00"));
}

/// A qualifier that is written out as what it is by default is worth the same on reaching a band.
#[test]
fn a_qualifier_written_out_is_worth_the_same() {
    for sold in [json!([]), json!([sale("1", "2024-01-10", "600.00", "1")])] {
        let schedule = bands("RETROACTIVE", &[("0", "1 %"), ("1000", "5 %")]);
        let default = looked_at(schedule.clone(), sold.clone(), "2024-01-30", json!([]));
        let written = looked_at(with(schedule, json!({ "qualifier": "amount" })), sold, "2024-01-30", json!([]));
        assert_eq!(default.next_band, written.next_band);
        assert!(written.next_band.unwrap().worth.unwrap().minor > 0);
    }
}

/// An order adds to the period in which it is dated, and to no other; within the period it counts on the day that is looked at.
#[test]
fn an_order_adds_to_its_own_period() {
    let adds = |date: &str, schedule: Value| {
        looked_at(schedule, json!([sale("1", "2024-01-10", "600.00", "1")]), "2024-01-30", json!([sale("h", date, "500.00", "1")]))
            .hypothetical
            .unwrap()
            .adds
            .amount()
    };
    let cases =
        [("2023-12-31", "0.00"), ("2024-01-01", "50.00"), ("2024-01-30", "50.00"), ("2024-03-31", "50.00"), ("2024-04-01", "0.00"), ("2025-02-01", "0.00")];
    for (date, expected) in cases {
        assert_eq!(adds(date, flat("10 %")), expected, "{date}");
    }
    let growth = json!({ "baseline": { "samePeriodLastYear": {} }, "payOn": "EVERYTHING", "bands": [{ "from": 1, "rate": "10 %" }], "zeroBaseline": "FULL" });
    assert_eq!(adds("2023-02-01", json!({ "method": { "growth": growth } })), "0.00");
}

/// A return that counts on its sale's date takes the rate that the sale was posted with, whatever was corrected since; both are
/// rated anew where the schedule says so. In another currency than the sale's it has its own.
#[test]
fn a_return_takes_the_rate_of_its_sale() {
    let rate =
        |currency: &str, rate: &str, recorded_on: &str| json!({ "from": currency, "to": "USD", "date": "2024-01-05", "rate": rate, "recordedOn": recorded_on });
    let input = |currency: &str| {
        json!({
            "partners": [{ "code": "P", "transactions": [
                { "id": "1", "date": "2024-01-05", "amount": "100.00", "currency": "EUR" },
                { "id": "2", "date": "2024-05-05", "kind": "RETURN", "corrects": "1", "amount": "50.00", "currency": currency },
            ] }],
            "exchangeRates": [rate("EUR", "1.1", "2024-01-05"), rate("EUR", "2", "2024-05-01"), rate("CHF", "3", "2024-05-01")],
        })
    };
    for (currency, corrections, expected) in [("EUR", false, -550), ("EUR", true, 1000 - 1100), ("CHF", false, -1100)] {
        let program = program_of(with(flat("10 %"), json!({ "returns": "SALE_DATE", "trueUp": { "exchangeCorrections": corrections } })));
        let facts = facts_with(&program, input(currency));
        let results = runs(&program, &facts, "P", &asked(&[("2024-Q1", "2024-04-01"), ("2024-Q2", "2024-07-01")]), &OnRecord).unwrap();
        assert_eq!((results[0].posted_now(None), results[1].posted_now(None)), (1100, expected), "{currency} {corrections}");
    }
}

/// What is sold in a gap of a custom calendar is paid by the period after it: too late by that one's days, at that one's exchange rate,
/// and never rated anew once it was posted.
#[test]
fn a_line_in_a_gap_is_a_line_of_the_period_after_it() {
    let custom =
        json!({ "custom": [{ "name": "A", "from": "2024-01-01", "until": "2024-02-01" }, { "name": "B", "from": "2024-03-01", "until": "2024-04-01" }] });
    let rate = |rate: &str, date: &str, recorded: &str| json!({ "from": "EUR", "to": "USD", "date": date, "rate": rate, "recordedOn": recorded });
    let gap = |recorded: &str| json!({ "id": "1", "date": "2024-02-15", "amount": "100.00", "currency": "EUR", "recordedOn": recorded });
    let of = |more: Value, recorded: &str| {
        let program = program_of(with(flat("10 %"), with(json!({ "period": custom, "cumulative": true }), more)));
        let rates = json!([rate("1", "2024-02-14", "2024-02-14"), rate("2", "2024-02-14", "2024-04-10"), rate("3", "2024-03-31", "2024-03-31")]);
        let facts = facts_with(&program, json!({ "partners": [{ "code": "P", "transactions": [gap(recorded)] }], "exchangeRates": rates }));
        let results = runs(&program, &facts, "P", &asked(&[("A", "2024-02-01"), ("B", "2024-04-01"), ("B", "2024-05-01")]), &OnRecord).unwrap();
        results.iter().map(|run| run.posted_total(None)).collect::<Vec<i64>>()
    };
    assert_eq!(of(json!({}), "2024-02-15"), [0, 1_000, 1_000], "the rate that it was posted with");
    assert_eq!(of(json!({ "exchange": { "date": "PERIOD_END" } }), "2024-02-15"), [0, 3_000, 3_000], "the rate of the period's last day");
    assert_eq!(of(json!({ "trueUp": { "untilDays": 10 } }), "2024-04-20"), [0, 0, 0], "too late");
    assert_eq!(of(json!({ "trueUp": { "untilDays": 30 } }), "2024-04-20"), [0, 0, 2_000], "in time");
}
