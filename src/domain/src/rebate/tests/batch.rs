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
    let by_lines = plan.by_lines();
    assert!(planned.iter().zip(&plan.schedules).all(|(ours, planned)| ours.is_none() == by_lines.contains(planned.schedule.key.as_str())));
    for ((ours, lines), theirs) in planned.iter().zip(plain.entitlements).filter_map(|(ours, theirs)| Some((ours.as_ref()?, theirs))) {
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

    /// Several schedules over categories, days of their own, growth over other periods, tiers that change, groups of which the best
    /// counts; one of them beside is always computed line by line, and may be in the group. Partners with foreign sales are left out.
    #[test]
    fn sums_give_what_lines_give(
        method in methods(), other in methods(), options in options(), sold in some_lines(), before in some_lines(), category in categories(),
        tier in proptest::option::of(proptest::sample::select(vec!["SILVER", "GOLD"])), later in proptest::option::weighted(0.4, (0_i64..120, proptest::sample::select(vec!["GOLD", "PLATINUM"]))),
        tier_at in proptest::sample::select(vec!["PERIOD_END", "TRANSACTION_DATE", "BEST_IN_PERIOD"]), group in proptest::sample::select(vec!["", "R,S", "S,G", "G,L", "R,S,G"]),
        until in proptest::option::of(1_u32..=4), foreign in proptest::option::weighted(0.1, 0_usize..12),
    ) {
        let grows = json!({ "growth": { "baseline": { "previousPeriod": {} }, "payOn": "INCREMENT_BY_BAND", "bands": [{ "from": "1.05", "rate": "0.02" }, { "from": "1.5", "rate": "0.03" }] } });
        let mut second = schedule_of(with(json!({ "key": "S", "method": other, "scope": { "categories": ["BIKES"], "tiers": ["GOLD"] }, "tierAt": tier_at }), options.clone()));
        if let Some(month) = until {
            second["until"] = json!(format!("2024-{month:02}-01"));
        }
        let by_tier = json!({ "flat": { "rate": { "default": "1 %", "tiers": { "GOLD": "2.5 %", "PLATINUM": "4 %" } } } });
        let schedules = json!([
            schedule_of(with(json!({ "method": method, "scope": { "categories": ["HARDWARE"] } }), options)),
            second,
            schedule_of(json!({ "key": "L", "method": by_tier, "grain": "LINE" })),
            schedule_of(json!({ "key": "G", "method": grows })),
            schedule_of(json!({ "key": "T", "method": by_tier, "tierAt": tier_at })),
        ]);
        let keys: Vec<&str> = group.split(',').filter(|key| !key.is_empty()).collect();
        let stacking = if keys.is_empty() { json!([]) } else { json!([{ "bestOf": { "schedules": keys } }]) };
        let program = program_with(schedules, stacking);
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
        let turns = later.map(|(day, tier)| ("2023-12-15".parse::<Date>().unwrap().plus_days(day), tier));
        let mut assignments: Vec<Value> = tier.iter().map(|tier| json!({ "tier": tier, "from": "2023-01-01", "until": turns.map(|(on, _)| on) })).collect();
        assignments.extend(turns.map(|(on, tier)| json!({ "tier": tier, "from": on })));
        let days = (0..60).map(|week| "2023-09-01".parse::<Date>().unwrap().plus_days(7 * week));
        let rates: Vec<Value> = days.map(|day| json!({ "from": "EUR", "to": "USD", "date": day, "rate": "1.1" })).collect();
        let facts = facts_with(&program, json!({ "partners": [{ "code": "P", "transactions": lines, "assignments": assignments }], "exchangeRates": rates }));
        let plan = PeriodPlan::new(&program, "2024-Q1");
        let by_lines = plan.by_lines();
        prop_assert!(by_lines.contains("L") && (!keys.contains(&"L") || by_lines.contains("G")), "who is stacked with it follows it");
        let judged = judge(&program, &facts, "2024-Q1");
        let turns = tier_at == "TRANSACTION_DATE" && turns.is_some_and(|(on, to)| tier != Some(to) && on > "2024-01-01".parse().unwrap() && on < "2024-04-01".parse().unwrap());
        if foreign.is_none() && !turns {
            prop_assert_eq!(judged, Some(5));
        }
        if turns {
            prop_assert_eq!(judged, None, "lines tell which tier counts");
        }
    }
}

#[test]
fn what_needs_lines_says_why() {
    let schedules = json!([schedule_of(with(flat("1 %"), json!({ "key": "A" }))), schedule_of(with(flat("2 %"), json!({ "key": "B", "grain": "LINE" })))]);
    let program = program_with(schedules, json!([]));
    let plan = PeriodPlan::new(&program, "2024-Q1");
    assert!(matches!(plan.schedules[0].way, Way::Sums(_)));
    assert!(matches!(plan.schedules[1].way, Way::Lines("each line is paid on its own")));
    assert_eq!(plan.by_lines(), std::collections::BTreeSet::from(["B"]));
    let best = json!([{ "bestOf": { "schedules": ["A", "B"] } }]);
    let schedules = |b: Value| json!([schedule_of(with(flat("1 %"), json!({ "key": "A" }))), schedule_of(with(b, json!({ "key": "B" })))]);
    let of_first = |program: &Program| reads_lines(program, &program.document.rebate_schedules[0]);
    assert_eq!(of_first(&program_with(schedules(flat("2 %")), best.clone())), None);
    let beside = with(flat("2 %"), json!({ "grain": "LINE" }));
    assert_eq!(of_first(&program_with(schedules(beside), best)), Some("it is stacked with a schedule that is computed line by line"));
}
