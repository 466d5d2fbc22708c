use std::collections::BTreeMap;

use proptest::prelude::*;

use super::plan::{plan, plan_until};
use super::*;
use crate::date::{Date, Span};
use crate::document::read::{Format, read};
use crate::facts::input::FactsInput;
use crate::facts::{Facts, SalesSum, Transaction};
use crate::money::{Money, Quantity};
use crate::program::Program;

mod latest;
mod lifetime;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program() -> Program {
    let text = include_str!("tests.yaml");
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts(program: &Program, input: serde_json::Value) -> Facts {
    let input: FactsInput = serde_json::from_value(input).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

fn value(program: &Program, facts: &Facts, key: &str, as_of: &str) -> String {
    let evaluator = Evaluator::new(program, facts);
    let at = At::new(evaluator.partner("P").unwrap(), date(as_of));
    match evaluator.metric(key, &at) {
        Ok(value) => value.value.clone().map_or("no data".to_owned(), |value| value.to_string()),
        Err(faults) => faults.0.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>().join(" "),
    }
}

fn example(program: &Program) -> Facts {
    facts(
        program,
        serde_json::json!({"partners": [
            {"code": "P", "attributes": [{"region": "DE", "type": "VAR"}],
             "transactions": [
                {"id": "1", "date": "2019-06-30", "amount": "400.00", "category": "ROAD", "customer": "A"},
                {"id": "2", "date": "2020-01-31", "amount": "1000.00", "quantity": "4", "category": "ROAD", "customer": "A", "attributes": {"seats": 10}},
                {"id": "3", "date": "2020-02-29", "amount": "300.50", "quantity": "2", "category": "PARTS", "customer": "B", "attributes": {"seats": 5}},
                {"id": "4", "date": "2020-03-31", "amount": "200.00", "quantity": "1", "category": "MTB", "customer": "C", "region": "US"},
                {"id": "5", "date": "2020-04-01", "amount": "100.00", "quantity": "1", "kind": "RETURN", "category": "ROAD", "customer": "A", "attributes": {"seats": 3}}],
             "holdings": [
                {"id": "h1", "kind": "CERTIFICATION", "person": "E1", "level": "INTERMEDIATE", "since": "2019-01-01"},
                {"id": "h2", "kind": "CERTIFICATION", "person": "E1", "level": "ADVANCED", "since": "2020-01-01", "until": "2020-07-01"},
                {"id": "h3", "kind": "CERTIFICATION", "person": "E2", "level": "ADVANCED", "since": "2019-01-01"}],
             "activities": [
                {"id": "a1", "date": "2020-02-01", "kind": "CSAT", "value": "5"}, {"id": "a2", "date": "2020-02-01", "kind": "CSAT", "value": "4"},
                {"id": "a3", "date": "2020-02-01", "kind": "CSAT", "value": "3"}, {"id": "a4", "date": "2020-02-01", "kind": "CSAT", "value": "1", "expiresOn": "2020-06-30"}],
             "deals": [
                {"id": "d1", "openedOn": "2020-01-01", "closedOn": "2020-01-31", "outcome": "WON", "value": "10"},
                {"id": "d2", "openedOn": "2020-01-01", "closedOn": "2020-02-20", "outcome": "LOST"},
                {"id": "d3", "openedOn": "2020-01-01", "closedOn": "2020-07-20", "outcome": "WON"}]},
            {"code": "CHILD", "attributes": [{"region": "DE", "parent": "P"}], "transactions": [{"id": "c", "date": "2020-05-05", "amount": "55.00"}]},
            {"code": "GRANDCHILD", "attributes": [{"region": "FR", "parent": "CHILD"}], "transactions": [{"id": "g", "date": "2020-05-05", "amount": "5.00"}]},
            {"code": "GONE", "attributes": [{"region": "DE", "status": "TERMINATED"}], "transactions": [{"id": "x", "date": "2020-05-05", "amount": "99999.00"}]},
            {"code": "TIED", "attributes": [{"region": "DE"}], "transactions": [{"id": "t", "date": "2020-05-05", "amount": "1400.50"}]}
        ]}),
    )
}

#[test]
fn every_aggregate_and_formula_by_hand() {
    let program = program();
    let facts = example(&program);
    let expected = [
        ("revenue", "1400.5"),
        ("yearToDate", "1400.5"),
        ("lastQuarter", "1500.5"),
        ("lines", "4"),
        ("bikes", "1100"),
        ("bikeShare", "2200/2801"),
        ("units", "0"),
        ("customers", "3"),
        ("lines500", "1"),
        ("medianCustomer", "300.5"),
        ("largest", "1000"),
        ("smallest", "-100"),
        ("mean", "350.125"),
        ("latest", "-100"),
        ("regional", "1200.5"),
        ("family", "1460.5"),
        ("points", "14.005"),
        ("seats", "12"),
        ("newbies", "1"),
        ("engineers", "1"),
        ("csat", "2/3"),
        ("wins", "0.5"),
        ("cycle", "40"),
        ("growth", "2.50125"),
        ("growthMoney", "1000.5"),
        ("perCustomer", "2801/6"),
        ("best", "1500.5"),
        ("least", "350.125"),
        ("rank", "1/3"),
        ("place", "1"),
        ("placeByLines", "1"),
        ("zoneMean", "952"),
        // The others answered nothing, which counts for nothing.
        ("zoneSatisfaction", "2/3"),
        ("aboveZone", "448.5"),
        ("score", "325/6"),
        ("track", "1400.5"),
    ];
    let found: Vec<(&str, String)> = expected.iter().map(|(key, _)| (*key, value(&program, &facts, key, "2020-06-30"))).collect();
    let expected: Vec<(&str, String)> = expected.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
    assert_eq!(found, expected);
    // The certificate has ended, the CSAT answer that expired is back in the past, the window has moved.
    assert_eq!(value(&program, &facts, "engineers", "2020-07-01"), "0");
    assert_eq!(value(&program, &facts, "csat", "2020-06-29"), "0.5");
    assert_eq!(value(&program, &facts, "wins", "2020-07-20"), "2/3");
    assert_eq!(value(&program, &facts, "revenue", "2021-03-31"), "-100");
}

#[test]
fn the_latest_deal_is_the_latest_by_the_date_that_counts() {
    let program = program();
    let facts = facts(
        &program,
        serde_json::json!({"partners": [{"code": "P", "deals": [
            {"id": "b", "openedOn": "2020-03-13", "closedOn": "2020-04-25", "outcome": "LOST"},
            {"id": "a", "openedOn": "2020-03-01", "closedOn": "2020-05-30", "outcome": "WON"}]}]}),
    );
    assert_eq!(value(&program, &facts, "latestClosed", "2020-06-30"), "90");
}

#[test]
fn nothing_is_no_data_and_never_zero() {
    let program = program();
    let facts = facts(&program, serde_json::json!({"partners": [{"code": "P"}]}));
    for (key, expected) in [
        ("revenue", "0"),
        ("customers", "0"),
        ("lines", "0"),
        ("bikeShare", "no data"),
        ("mean", "no data"),
        ("medianCustomer", "no data"),
        ("largest", "no data"),
        ("latest", "no data"),
        ("csat", "no data"),
        ("wins", "no data"),
        ("growth", "0"),
        ("growthMoney", "no data"),
        ("perCustomer", "no data"),
        ("best", "0"),
        ("track", "7"),
        ("netAdds", "0"),
    ] {
        assert_eq!(value(&program, &facts, key, "2020-06-30"), expected, "{key}");
    }
}

#[test]
fn currencies_convert_by_rate_or_by_decree_and_a_missing_rate_is_named() {
    let program = program();
    let lines = serde_json::json!([
        {"id": "1", "date": "2020-05-31", "amount": "75.00", "currency": "EUR"}, {"id": "2", "date": "2020-06-01", "amount": "88.00", "currency": "EUR"},
        {"id": "3", "date": "2020-06-02", "amount": "1.00"}]);
    let rates = serde_json::json!([{"from": "EUR", "to": "USD", "date": "2020-05-25", "rate": "1.1"}, {"from": "EUR", "to": "USD", "date": "2020-06-30", "rate": "1.5"}]);
    let known = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": lines}], "exchangeRates": rates}));
    assert_eq!(value(&program, &known, "points", "2020-06-30"), "2.01");
    assert_eq!(value(&program, &known, "fixedPoints", "2020-06-30"), "3.27");
    assert_eq!(value(&program, &known, "revenue", "2020-06-30"), "180.3");
    assert_eq!(value(&program, &known, "atPeriodEnd", "2020-06-30"), "133");
    assert_eq!(value(&program, &known, "atPeriodEnd", "2020-06-28"), "MISSING_EXCHANGE_RATE");
    let unknown = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": lines}]}));
    assert_eq!(value(&program, &unknown, "revenue", "2020-06-30"), "MISSING_EXCHANGE_RATE MISSING_EXCHANGE_RATE");
    assert_eq!(value(&program, &unknown, "customers", "2020-06-30"), "0");
}

#[test]
fn net_additions_have_hysteresis() {
    let program = program();
    let month = |customer: &str, month: u32, amount: &str| serde_json::json!({"id": format!("{customer}{month}"), "date": format!("2020-{month:02}-10"), "amount": amount, "customer": customer});
    // A is won in January, sinks to 30 (not lost), is lost in April. B is won in May. C never reaches the level. D is won in
    // June, which is not over.
    let lines = [
        month("A", 1, "100"),
        month("A", 2, "30"),
        month("A", 3, "25"),
        month("A", 4, "24.99"),
        month("B", 4, "99.99"),
        month("B", 5, "120"),
        month("B", 6, "30"),
        month("C", 5, "60"),
        month("D", 6, "100"),
    ];
    let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": lines}]}));
    for (as_of, expected) in [
        ("2020-01-09", "0"),
        ("2020-01-31", "1"),
        ("2020-03-31", "1"),
        ("2020-04-29", "1"),
        ("2020-04-30", "0"),
        ("2020-05-15", "1"),
        ("2020-06-15", "2"),
        ("2020-08-31", "-1"),
    ] {
        assert_eq!(value(&program, &facts, "netAdds", as_of), expected, "{as_of}");
    }
}

#[test]
fn a_circle_of_parents_is_walked_once() {
    let program = program();
    let mut facts = example(&program);
    facts.partners.get_mut("P").unwrap().profiles[0].parent = Some("GRANDCHILD".into());
    assert_eq!(value(&program, &facts, "family", "2020-06-30"), "1460.5");
}

#[test]
fn sums_that_a_rule_cannot_read_are_a_fault_and_not_a_wrong_figure() {
    let program = program();
    let all = example(&program);
    let given = as_planned(&program, &all, &super::plan::FactsPlan { monthly: vec![Span::new(date("2019-01-01"), date("2020-07-01"))], ..Default::default() });
    assert_eq!(value(&program, &given, "revenue", "2020-06-30"), "1400.5");
    assert_eq!(value(&program, &given, "revenue", "2020-06-15"), "LINES_NEEDED", "the window cuts June 2019");
    assert_eq!(value(&program, &given, "revenue", "2020-03-30"), "LINES_NEEDED");
    assert_eq!(value(&program, &given, "customers", "2020-06-30"), "LINES_NEEDED");
}

/// The kept sums of some lines.
fn rollups(lines: &[Transaction]) -> Vec<SalesSum> {
    let mut sums: BTreeMap<_, SalesSum> = BTreeMap::new();
    for line in lines {
        let key = (line.date.first_of_month(), line.category.clone(), line.kind, line.amount.currency);
        let sum = sums.entry(key).or_insert_with(|| SalesSum {
            days: Span::month_from(line.date.first_of_month()),
            category: line.category.clone(),
            kind: line.kind,
            amount: Money::zero(line.amount.currency),
            quantity: Quantity(0),
            lines: 0,
        });
        sum.amount = sum.amount.add(line.signed_amount()).unwrap();
        sum.quantity.0 += line.signed_quantity().0;
        sum.lines += 1;
    }
    sums.into_values().collect()
}

/// The facts as a reader brings them by a plan: sums of its months, lines of its days, nothing else of sales.
fn as_planned(_: &Program, facts: &Facts, plan: &super::plan::FactsPlan) -> Facts {
    let mut read = facts.clone();
    for partner in read.partners.values_mut() {
        let among = |spans: &[Span], day: Date| spans.iter().any(|span| span.contains(day));
        let summed: Vec<Transaction> = partner.transactions.iter().filter(|line| among(&plan.monthly, line.date)).cloned().collect();
        partner.sums = rollups(&summed);
        if let Some(fold) = &plan.fold {
            partner.sums = fold.apply(&partner.sums);
        }
        let by_day: Vec<&Transaction> = partner.transactions.iter().filter(|line| among(&plan.daily, line.date)).collect();
        assert!(by_day.iter().all(|line| !among(&plan.lines, line.date) && !among(&plan.monthly, line.date)), "a day is planned twice");
        partner.sums.extend(by_day.into_iter().flat_map(|line| {
            let days = Span::day(line.date);
            rollups(std::slice::from_ref(line)).into_iter().map(move |sum| SalesSum { days, ..sum })
        }));
        if let Some(days) = plan.holdings_on {
            partner.holdings.retain(|holding| !holding.span().intersect(days).is_empty());
        }
        if let Some(days) = plan.deals_in {
            partner.deals.retain(|deal| days.contains(deal.opened_on) || deal.closed_on.is_some_and(|closed| days.contains(closed)));
        }
        partner.transactions.retain(|line| among(&plan.lines, line.date));
        assert!(summed.iter().all(|line| !among(&plan.lines, line.date)), "a day is planned twice");
    }
    read
}

fn sales() -> impl Strategy<Value = Vec<(i64, i64, usize, u8, usize)>> {
    prop::collection::vec((0_i64..900, -50_000_i64..50_000, 0_usize..4, 0_u8..3, 0_usize..3), 0..40)
}

fn partner_with(program: &Program, sales: &[(i64, i64, usize, u8, usize)]) -> Facts {
    let lines: Vec<serde_json::Value> = sales
        .iter()
        .enumerate()
        .map(|(id, (day, cents, category, kind, customer))| {
            let category = ["ROAD", "MTB", "PARTS", "BIKES"][*category];
            let amount = crate::exact::spell((*cents).into(), 2, false);
            let customer = ["A", "B", "C"][*customer];
            let kind = ["SALE", "RETURN", "ADJUSTMENT"][*kind as usize];
            serde_json::json!({"id": id.to_string(), "date": date("2018-03-01").plus_days(*day), "amount": amount, "category": category, "kind": kind, "customer": customer, "quantity": "3"})
        })
        .collect();
    facts(program, serde_json::json!({"partners": [{"code": "P", "enrollments": [{"since": "2018-05-17"}], "transactions": lines}]}))
}

/// The metrics that read sums, and those of them that look at partial months.
const SUMMED: [&str; 7] = ["revenue", "yearToDate", "lastQuarter", "lines", "bikes", "bikeShare", "units"];

fn summed_only(program: &Program) -> Program {
    let mut document = program.document.clone();
    document.metrics.retain(|metric| SUMMED.contains(&metric.key.as_str()));
    Program::compile(document).unwrap()
}

#[test]
fn a_forecast_reads_sums_of_the_months_that_stay_in_the_window_and_sums_of_days_of_those_that_leave_it() {
    let mut document = program().document.clone();
    document.metrics.retain(|metric| metric.key == "revenue");
    let revenue = Program::compile(document).unwrap();
    let plan = plan_until(&revenue, date("2020-06-15"), date("2020-09-01"));
    let span = |from: &str, until: &str| Span::new(date(from), date(until));
    assert_eq!(plan.monthly, [span("2019-10-01", "2020-06-01")]);
    assert!(plan.lines.is_empty());
    assert_eq!(plan.daily, [span("2019-06-16", "2019-10-01"), span("2020-06-01", "2020-09-02")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_and_the_rest_of_the_lines_give_what_all_lines_give(sales in sales(), day in 0_i64..900) {
        let program = summed_only(&program());
        let all = partner_with(&program, &sales);
        let as_of = date("2018-03-01").plus_days(day);
        let read = as_planned(&program, &all, &plan(&program, as_of));
        for key in SUMMED {
            let (a, b) = (Evaluator::new(&program, &all), Evaluator::new(&program, &read));
            let left = a.metric(key, &At::new(a.partner("P").unwrap(), as_of)).unwrap();
            let right = b.metric(key, &At::new(b.partner("P").unwrap(), as_of)).unwrap();
            prop_assert_eq!(&left, &right, "{}", key);
        }
    }

    #[test]
    fn a_whole_program_reads_by_its_plan_what_it_reads_from_everything(sales in sales(), day in 0_i64..900) {
        let program = program();
        let all = partner_with(&program, &sales);
        let as_of = date("2018-03-01").plus_days(day);
        let read = as_planned(&program, &all, &plan(&program, as_of));
        for metric in &program.document.metrics {
            prop_assert_eq!(value(&program, &all, &metric.key, &as_of.to_string()), value(&program, &read, &metric.key, &as_of.to_string()), "{}", metric.key);
        }
    }

    #[test]
    fn a_forecast_reads_by_its_plan_what_it_reads_from_everything(sales in sales(), day in 0_i64..900, ahead in 0_i64..200, look in 0_i64..200, few in any::<bool>()) {
        let program = if few { summed_only(&program()) } else { program() };
        let mut all = partner_with(&program, &sales);
        let as_of = date("2018-03-01").plus_days(day);
        // What comes later is not known.
        all.partners.get_mut("P").unwrap().transactions.retain(|line| line.date <= as_of);
        let read = as_planned(&program, &all, &plan_until(&program, as_of, as_of.plus_days(ahead)));
        let on = as_of.plus_days(look % (ahead + 1));
        for metric in &program.document.metrics {
            let [left, right] = [&all, &read].map(|facts| {
                let evaluator = Evaluator::new(&program, facts).known_until(as_of);
                evaluator.value_of(metric, &At::new(evaluator.partner("P").unwrap(), on)).map(|value| (value.value.clone(), value.window, value.facts))
            });
            prop_assert_eq!(left, right, "{}", metric.key);
        }
    }

    #[test]
    fn the_order_of_facts_is_irrelevant(sales in sales(), turn in 0_usize..40) {
        let program = program();
        let all = partner_with(&program, &sales);
        let mut turned = all.clone();
        let lines = &mut turned.partners.get_mut("P").unwrap().transactions;
        let by = turn % lines.len().max(1);
        lines.rotate_left(by);
        lines.reverse();
        for metric in &program.document.metrics {
            prop_assert_eq!(value(&program, &all, &metric.key, "2020-02-29"), value(&program, &turned, &metric.key, "2020-02-29"), "{}", metric.key);
        }
    }
}
