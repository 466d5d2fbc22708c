//! A period planned for many partners gives what the engine gives for each of them.

use proptest::prelude::*;
use serde_json::json;

use super::laws::{methods, options, some_lines, written};
use super::*;
use crate::rebate::batch::{ColumnSums, PeriodPlan, Way, reads_lines};

/// What only lines can tell is left to the engine; everything else must be equal, with the number of lines.
fn judge(program: &Program, facts: &Facts, period: &str) -> Option<usize> {
    let plan = PeriodPlan::new(program, period);
    let plain = compute(program, facts, period).unwrap();
    let own = &facts.partners["P"];
    let add = |sums: Vec<ColumnSums>, line: &crate::facts::Transaction| -> Vec<ColumnSums> {
        plan.columns.iter().zip(sums).map(|(column, sum)| sum.with(column.of_line(line)).unwrap()).collect()
    };
    let none = vec![ColumnSums::default(); plan.columns.len()];
    let sums = own.transactions.iter().fold(none.clone(), add);
    assert_eq!(own.transactions.iter().rev().fold(none, add), sums, "the order of lines changes nothing");
    let planned = plan.entitle(&plan.tiers(own).unwrap(), &sums).unwrap()?;
    assert_eq!(planned.len(), plain.entitlements.len());
    for ((ours, lines), theirs) in planned.iter().zip(plain.entitlements) {
        let counted = theirs.lines.iter().filter(|line| line.id.is_some()).count();
        assert_eq!(*lines, counted as u64);
        assert_eq!(*ours, Entitlement { lines: Vec::new(), ..theirs });
    }
    Some(planned.len())
}

fn categories() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(vec!["BIKES", "PARTS", "SERVICES", "HARDWARE"]), 12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if option_env!("GUERDON_LONG_TESTS").is_some() { 4_000 } else { 150 }))]

    /// Several schedules over categories, days of their own, growth over other periods, tiers; partners with foreign sales are left out.
    #[test]
    fn sums_give_what_lines_give(
        method in methods(), other in methods(), options in options(), sold in some_lines(), before in some_lines(), category in categories(),
        tier in proptest::option::of(proptest::sample::select(vec!["SILVER", "GOLD"])), until in proptest::option::of(1_u32..=4), foreign in proptest::option::weighted(0.1, 0_usize..12),
    ) {
        let grows = json!({ "growth": { "baseline": { "previousPeriod": {} }, "payOn": "INCREMENT_BY_BAND", "bands": [{ "from": "1.05", "rate": "0.02" }, { "from": "1.5", "rate": "0.03" }] } });
        let mut second = schedule_of(with(json!({ "key": "S", "method": other, "scope": { "categories": ["BIKES"], "tiers": ["GOLD"] } }), options.clone()));
        if let Some(month) = until {
            second["until"] = json!(format!("2024-{month:02}-01"));
        }
        let schedules = json!([
            schedule_of(with(json!({ "method": method, "scope": { "categories": ["HARDWARE"] } }), options)),
            second,
            schedule_of(json!({ "key": "G", "method": grows })),
        ]);
        let program = program_with(schedules, json!([]));
        let mut lines = written(&sold);
        for (line, category) in lines.iter_mut().zip(&category) {
            line["category"] = json!(category);
        }
        if let Some(line) = foreign.and_then(|at| lines.get_mut(at)) {
            line["currency"] = json!("EUR");
        }
        for mut line in written(&before) {
            line["id"] = json!(format!("B{}", line["id"].as_str().unwrap()));
            line["date"] = json!(line["date"].as_str().unwrap().parse::<Date>().unwrap().plus_days(-91));
            lines.push(line);
        }
        let assignments: Vec<Value> = tier.iter().map(|tier| json!({ "tier": tier, "from": "2023-01-01" })).collect();
        let days = (0..60).map(|week| "2023-09-01".parse::<Date>().unwrap().plus_days(7 * week));
        let rates: Vec<Value> = days.map(|day| json!({ "from": "EUR", "to": "USD", "date": day, "rate": "1.1" })).collect();
        let facts = facts_with(&program, json!({ "partners": [{ "code": "P", "transactions": lines, "assignments": assignments }], "exchangeRates": rates }));
        let plan = PeriodPlan::new(&program, "2024-Q1");
        let judged = judge(&program, &facts, "2024-Q1");
        let in_sums = plan.needs_lines().is_none();
        prop_assert!(judged.is_none() || in_sums);
        if in_sums && foreign.is_none() {
            prop_assert_eq!(judged, Some(3));
        }
    }
}

#[test]
fn what_needs_lines_says_why() {
    let schedules = json!([schedule_of(with(flat("1 %"), json!({ "key": "A" }))), schedule_of(with(flat("2 %"), json!({ "key": "B", "grain": "LINE" })))]);
    let program = program_with(schedules, json!([]));
    let plan = PeriodPlan::new(&program, "2024-Q1");
    assert!(matches!(plan.schedules[0].way, Way::Sums(_)));
    assert_eq!(plan.needs_lines(), Some("each line is paid on its own"));
    let best = json!([{ "bestOf": { "schedules": ["A", "B"] } }]);
    let program = program_with(json!([schedule_of(with(flat("1 %"), json!({ "key": "A" }))), schedule_of(with(flat("2 %"), json!({ "key": "B" })))]), best);
    assert_eq!(reads_lines(&program, &program.document.rebate_schedules[0]), Some("the best of a group counts"));
}
