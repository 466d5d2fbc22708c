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
