//! Rebates held to their laws and to published examples.

mod batch;
mod estimates;
mod laws;
mod lookback;
mod printed;
mod published;
mod qualifiers;
mod semantics;
mod stacked;
mod timed;
mod to_date;
mod together;
mod versions;
mod whole;

use serde_json::{Value, json};

use super::*;
use crate::document::read;
use crate::exact::Exact;

/// A program with tiers, categories and regions, and these schedules and stacking rules.
pub(super) fn program_with(schedules: Value, stacking: Value) -> Program {
    let document = json!({
        "guerdon": 1,
        "program": { "code": "TEST", "name": "Test", "currency": "USD" },
        "version": { "effectiveOn": "2020-01-01" },
        "regions": [{ "key": "WORLD", "regions": [{ "key": "DE" }, { "key": "US" }] }],
        "regionGroups": [{ "key": "GROWTH", "regions": ["US"] }],
        "partnerTypes": [{ "key": "VAR" }, { "key": "MSP" }],
        "categories": [{ "key": "HARDWARE", "categories": [{ "key": "BIKES" }, { "key": "PARTS" }] }, { "key": "SERVICES" }],
        "metrics": [{
            "key": "revenue", "unit": "MONEY",
            "measure": { "source": "TRANSACTIONS", "window": { "calendar": { "unit": "QUARTER" } }, "aggregate": "SUM" },
        }],
        "ladders": [{ "key": "MAIN", "main": true, "tiers": [{ "key": "SILVER" }, { "key": "GOLD" }, { "key": "PLATINUM" }] }],
        "rebateSchedules": schedules,
        "stacking": stacking,
    });
    Program::compile(read::read_document(document).unwrap()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A program with one schedule named R, for calendar quarters unless it says otherwise.
pub(super) fn program_of(schedule: Value) -> Program {
    program_with(json!([schedule_of(schedule)]), json!([]))
}

pub(super) fn schedule_of(mut schedule: Value) -> Value {
    let fields = schedule.as_object_mut().unwrap();
    fields.entry("key").or_insert(json!("R"));
    fields.entry("period").or_insert(json!({ "quarter": {} }));
    schedule
}

/// The facts of one partner named P.
pub(super) fn facts_of(program: &Program, partner: Value) -> Facts {
    let mut partner = partner;
    partner.as_object_mut().unwrap().insert("code".into(), json!("P"));
    facts_with(program, json!({ "partners": [partner] }))
}

pub(super) fn facts_with(program: &Program, input: Value) -> Facts {
    let input = serde_json::from_value(input).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A sale line: id, date, amount, quantity.
pub(super) fn sale(id: &str, date: &str, amount: &str, quantity: &str) -> Value {
    json!({ "id": id, "date": date, "amount": amount, "quantity": quantity })
}

pub(super) fn compute(program: &Program, facts: &Facts, period: &str) -> Result<PeriodResult, Faults> {
    let period = program.period_named(period).unwrap();
    compute_period(program, facts, "P", &period, None, &OnRecord)
}

/// What a schedule gives partner P for a period of the calendar.
pub(super) fn entitlement(program: &Program, facts: &Facts, period: &str) -> Entitlement {
    let mut result = compute(program, facts, period).unwrap_or_else(|faults| panic!("{faults}"));
    result.entitlements.remove(0)
}

/// What a schedule gives for one line of this amount and quantity in 2024-Q1.
pub(super) fn one_line(schedule: Value, amount: &str, quantity: &str) -> Entitlement {
    let program = program_of(schedule);
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-02-01", amount, quantity)] }));
    entitlement(&program, &facts, "2024-Q1")
}

/// What a schedule gives for these lines in 2024-Q1.
pub(super) fn lines(schedule: Value, transactions: Value) -> Entitlement {
    let program = program_of(schedule);
    let facts = facts_of(&program, json!({ "transactions": transactions }));
    entitlement(&program, &facts, "2024-Q1")
}

pub(super) fn amount(entitlement: &Entitlement) -> String {
    entitlement.amount.amount()
}

/// The amounts of the statement's lines.
pub(super) fn parts(entitlement: &Entitlement) -> Vec<String> {
    entitlement.lines.iter().map(|line| line.amount.amount()).collect()
}

/// A flat schedule of this rate.
pub(super) fn flat(rate: &str) -> Value {
    json!({ "method": { "flat": { "rate": rate } } })
}

/// Bands of these lower bounds and rates.
pub(super) fn bands(scope: &str, rows: &[(&str, &str)]) -> Value {
    let bands: Vec<Value> = rows.iter().map(|(from, rate)| json!({ "from": from, "rate": rate })).collect();
    json!({ "method": { "bands": { "scope": scope, "bands": bands } } })
}

/// `base` with further members.
pub(super) fn with(mut base: Value, more: Value) -> Value {
    let fields = base.as_object_mut().unwrap();
    for (key, value) in more.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    base
}

#[test]
fn caps_of_customers_and_subscriptions_hold_month_by_month() {
    let line = |id: &str, date: &str, amount: &str, customer: &str, subscription: &str| json!({ "id": id, "date": date, "amount": amount, "customer": customer, "attributes": { "subscription": subscription } });
    let sales = json!([
        line("1", "2024-01-05", "400.00", "C1", "S1"),
        line("2", "2024-01-20", "100.00", "C1", "S2"),
        line("3", "2024-02-05", "400.00", "C1", "S1"),
        line("4", "2024-02-06", "-50.00", "C2", "S3"),
    ]);
    let capped = |per: &str| with(flat("50 %"), json!({ "grain": "LINE", "cap": { "amount": 150, "per": per } }));
    let by_subscription = lines(capped("SUBSCRIPTION_MONTH"), sales.clone());
    assert_eq!(parts(&by_subscription), ["150.00", "50.00", "150.00", "-25.00"]);
    let by_customer = lines(capped("CUSTOMER_MONTH"), sales);
    assert_eq!(parts(&by_customer), ["120.00", "30.00", "150.00", "-25.00"]);
}
