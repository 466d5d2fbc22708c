//! Net additions over everything that ever happened.

use super::*;

#[test]
fn net_additions_reach_back_to_the_first_fact_however_early_the_window_begins() {
    let text = r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "metrics": [{"key": "live", "unit": "COUNT", "measure": {"source": "TRANSACTIONS", "aggregate": "NET_ADDITIONS", "groupBy": ["customer"],
            "window": {"lifetime": {}}, "hysteresis": {"enterAt": 100, "leaveBelow": 25}}}]}"#;
    let program = Program::compile(read(text, Format::of(text)).unwrap()).unwrap();
    let line = |id: &str, date: &str, amount: &str, customer: &str| serde_json::json!({"id": id, "date": date, "amount": amount, "customer": customer});
    let lines = [line("1", "2020-03-10", "100", "A"), line("2", "2020-04-10", "30", "A"), line("3", "2020-04-20", "250", "B")];
    let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": lines}]}));
    let found = ["2020-03-09", "2020-03-31", "2020-04-30", "2020-05-30", "2020-05-31"].map(|day| value(&program, &facts, "live", day));
    assert_eq!(found, ["0", "1", "2", "2", "0"]);
}

/// However long ago a partner was enrolled, and from whichever day its first months are asked for.
#[test]
fn the_first_months_of_an_enrollment_are_planned_for_good() {
    let text = r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "metrics": [{"key": "first", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"sinceEnrollment": {"months": 3}}}}]}"#;
    let program = Program::compile(read(text, Format::of(text)).unwrap()).unwrap();
    let line = |date: &str, amount: &str| serde_json::json!({"id": date, "date": date, "amount": amount});
    let lines = [line("2014-01-14", "1"), line("2014-01-15", "20"), line("2014-04-14", "300"), line("2014-04-15", "4000")];
    let partner = serde_json::json!({"code": "P", "enrollments": [{"since": "2014-01-15"}], "transactions": lines});
    let facts = facts(&program, serde_json::json!({"partners": [partner]}));
    let read_for = |day: &str| as_planned(&program, &facts, &plan::plan_until(&program, date(day), date(day).plus_months(6)));
    for (day, expected) in [("2014-01-15", "20"), ("2014-04-13", "20"), ("2014-04-14", "320"), ("2014-04-15", "320"), ("2026-06-30", "320")] {
        assert_eq!(value(&program, &read_for(day), "first", day), expected, "{day}");
    }
}
