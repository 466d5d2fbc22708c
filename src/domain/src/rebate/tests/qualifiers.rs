//! The measure that picks the band, beside the one that is paid on.

use serde_json::json;

use super::*;

fn with_points(line: Value, points: u32) -> Value {
    with(line, json!({ "attributes": { "points": points } }))
}

/// A line that adds nothing to the qualifier is paid by the band in which the qualifier stands: on a bound, by the one that owns it.
#[test]
fn a_line_that_moves_no_qualifier_is_paid_where_it_stands() {
    let sold = json!([
        with_points(sale("1", "2024-01-09", "1000.00", "1"), 40),
        sale("2", "2024-02-01", "1000.00", "1"),
        with_points(sale("3", "2024-03-01", "100.00", "1"), 1)
    ]);
    let paid = |inclusive: bool, count: usize| {
        let bands = json!([{ "from": 0, "rate": "3 %" }, { "from": 40, "rate": "2 %" }]);
        let method = json!({ "bands": { "scope": "MARGINAL", "upperInclusive": inclusive, "bands": bands } });
        let sold: Vec<Value> = sold.as_array().unwrap().iter().take(count).cloned().collect();
        parts(&lines(json!({ "qualifier": { "attribute": "points" }, "method": method }), json!(sold)))
    };
    assert_eq!(paid(true, 2), ["30.00", "30.00"]);
    assert_eq!(paid(true, 3), ["30.00", "30.00", "2.00"]);
    assert_eq!(paid(false, 2), ["30.00", "20.00"]);
    assert_eq!(paid(false, 3), ["30.00", "20.00", "2.00"]);
}

/// To write out the qualifier that a schedule has anyway changes nothing, also where a negative basis was carried in.
#[test]
fn the_default_qualifier_may_be_written_out() {
    let sold = json!([
        { "id": "r", "date": "2024-02-01", "amount": "600.00", "quantity": "60", "kind": "RETURN" },
        sale("a", "2024-05-01", "1000.00", "100"),
        sale("b", "2024-06-01", "200.00", "20"),
    ]);
    for basis in ["amount", "quantity"] {
        let scale = bands("MARGINAL", &[("0", "10 %"), (if basis == "amount" { "500" } else { "50" }, "20 %")]);
        let schedule = with(scale, json!({ "basis": basis, "carryNegative": true }));
        let of = |schedule: Value| {
            let program = program_of(schedule);
            let found = entitlement(&program, &facts_of(&program, json!({ "transactions": sold })), "2024-Q2");
            (found.qualifier.to_string(), found.exact.to_string(), parts(&found))
        };
        assert_eq!(of(with(schedule.clone(), json!({ "qualifier": basis }))), of(schedule), "{basis}");
    }
}
