//! Laws that hold for all schedules and lines.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A sale line: day of the quarter, cents, units, tier picked by day, return or not.
fn a_line() -> impl Strategy<Value = (i64, i64, i64, bool)> {
    (0_i64..91, -50_000_i64..900_000, 0_i64..500, proptest::bool::weighted(0.15))
}

pub(super) fn some_lines() -> impl Strategy<Value = Vec<(i64, i64, i64, bool)>> {
    proptest::collection::vec(a_line(), 0..12)
}

pub(super) fn written(lines: &[(i64, i64, i64, bool)]) -> Vec<Value> {
    written_from("2024-01-01", lines)
}

/// The same, with days counted from another one on.
pub(super) fn written_from(start: &str, lines: &[(i64, i64, i64, bool)]) -> Vec<Value> {
    let start: Date = start.parse().unwrap();
    let line = |(at, (day, cents, units, back)): (usize, &(i64, i64, i64, bool))| {
        let kind = if *back { "RETURN" } else { "SALE" };
        let cents = crate::exact::spell((*cents).into(), 2, false);
        json!({ "id": format!("L{at:02}"), "date": start.plus_days(*day), "amount": cents, "quantity": units, "kind": kind })
    };
    lines.iter().enumerate().map(line).collect()
}

fn rates() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec((0_i64..2_000).prop_map(|basis_points| crate::exact::spell(basis_points.into(), 4, true)), 3)
}

fn edges() -> impl Strategy<Value = [i64; 3]> {
    (0_i64..2, 1_i64..4_000, 1_i64..9_000).prop_map(|(first, second, third)| [first * 500, first * 500 + second, first * 500 + second + third])
}

/// Methods of every kind.
pub(super) fn methods() -> impl Strategy<Value = Value> {
    let scopes = proptest::sample::select(vec!["MARGINAL", "RETROACTIVE", "ROLLING", "TOTAL", "LINEAR", "PROPORTIONAL"]);
    let banded = (scopes, rates(), edges(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(scope, rates, edges, inclusive, sums, open)| {
        let mut bands: Vec<Value> = edges.iter().zip(&rates).map(|(from, rate)| json!({ "from": from, "rate": rate })).collect();
        if !open || scope == "PROPORTIONAL" {
            bands[2]["to"] = json!(edges[2] + 20_000);
        }
        if sums {
            bands[1]["onEntry"] = json!("12.345");
        }
        json!({ "bands": { "scope": scope, "upperInclusive": inclusive, "bands": bands } })
    });
    let growth = (proptest::sample::select(vec!["INCREMENT", "INCREMENT_BY_BAND", "EVERYTHING"]), rates(), any::<bool>(), any::<bool>());
    let growth = growth.prop_map(|(pay_on, rates, absolute, sums)| {
        let (measured, edges) = if absolute { ("ABSOLUTE", ["100", "900"]) } else { ("RATIO", ["1.05", "1.5"]) };
        let second = if sums { json!({ "from": edges[1], "lumpSum": "33.335" }) } else { json!({ "from": edges[1], "rate": rates[1] }) };
        json!({ "growth": { "baseline": { "given": 1500 }, "payOn": pay_on, "measured": measured, "bands": [{ "from": edges[0], "rate": rates[0] }, second] } })
    });
    let target = (rates(), 0_usize..3).prop_map(|(rates, pays)| {
        let pays = [json!({ "lumpSum": "66.665" }), json!({ "rateOnEverything": rates[0] }), json!({ "rateAboveTarget": rates[0] })][pays].clone();
        json!({ "target": { "history": { "given": 1500 }, "pays": pays } })
    });
    let packages = proptest::sample::select(vec!["FLOOR", "CEIL", "PRORATE"])
        .prop_map(|packages| json!({ "perPackage": { "size": 7, "amount": "1.234", "packages": packages } }));
    let lump = proptest::sample::select(vec!["EACH", "HIGHEST"])
        .prop_map(|pay| json!({ "lumpSum": { "pay": pay, "targets": [{ "at": 100, "amount": 10 }, { "at": 3000, "amount": "33.333" }] } }));
    prop_oneof![
        4 => banded,
        2 => growth,
        1 => target,
        1 => Just(json!({ "perUnit": { "amount": "1.2345" } })),
        1 => packages,
        1 => lump,
        1 => rates().prop_map(|rates| json!({ "flat": { "rate": rates[0] } })),
        1 => Just(json!({ "fixed": { "amount": "99.999" } })),
    ]
}

pub(super) fn options() -> impl Strategy<Value = Value> {
    let at = proptest::sample::select(vec!["ENTITLEMENT", "BAND", "LINE"]);
    let mode = proptest::sample::select(vec!["HALF_UP", "HALF_EVEN", "DOWN", "UP"]);
    let share = proptest::option::weighted(0.3, 0_i64..900);
    (at, mode, proptest::option::of(1_i64..300), proptest::option::of(0_i64..20), proptest::option::of(100_i64..5000), share).prop_map(
        |(at, mode, cap, floor, base, share)| {
            let mut options = json!({ "rounding": { "at": at, "mode": mode } });
            if let Some(cap) = cap {
                options["cap"] = json!({ "amount": cap + 20 });
            }
            if let Some(share) = share {
                options["cap"]["share"] = json!({ "default": crate::exact::spell(share.into(), 4, true), "tiers": { "GOLD": "2.5 %" } });
            }
            if let Some(floor) = floor {
                options["floor"] = json!({ "amount": floor });
            }
            if let Some(base) = base {
                options["baseCap"] = json!(base);
            }
            options
        },
    )
}

fn computed(schedule: &Value, lines: Vec<Value>) -> Entitlement {
    let program = program_of(schedule.clone());
    let facts = facts_of(&program, json!({ "transactions": lines }));
    entitlement(&program, &facts, "2024-Q1")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// Lines sum to the statement, to the minor unit; exact parts sum to the exact whole; the steps follow on one another.
    #[test]
    fn parts_sum_to_the_whole(method in methods(), options in options(), sold in some_lines()) {
        let schedule = with(json!({ "method": method }), options);
        let entitled = computed(&schedule, written(&sold));
        prop_assert_eq!(entitled.lines.iter().map(|line| line.amount.minor).sum::<i64>(), entitled.amount.minor);
        prop_assert_eq!(Exact::sum(entitled.lines.iter().map(|line| &line.exact)).unwrap(), entitled.exact.clone());
        for pair in entitled.steps.windows(2) {
            prop_assert_eq!(&pair[0].after, &pair[1].before);
        }
        let earned = entitled.steps.iter().rfind(|step| matches!(step.step, StepKind::Earn | StepKind::BaseCap)).unwrap();
        prop_assert_eq!(Exact::sum(entitled.bands.iter().map(|band| &band.amount)).unwrap(), earned.after.clone());
        // Rounded as a whole, it is within a minor unit of the exact figure.
        if schedule["rounding"]["at"] == "ENTITLEMENT" {
            let off = entitled.amount.exact().sub(&entitled.exact).unwrap().abs();
            prop_assert!(off < Exact::scaled(1, 2));
        }
        if entitled.basis.is_negative() {
            prop_assert_eq!(&entitled.steps[0].after, &Exact::ZERO);
        }
        let program = program_of(schedule);
        let stated = state(entitled.clone(), program.schedule("R").unwrap()).unwrap();
        prop_assert_eq!(stated.lines.iter().map(|line| line.amount).sum::<i64>(), entitled.amount.minor);
        let before = stated.lines.clone();
        prop_assert!(statement::difference(stated.lines.clone(), &before).unwrap().is_empty() || before.is_empty());
        prop_assert_eq!(statement::difference(stated.lines.clone(), &[]).unwrap().iter().map(|line| line.amount).sum::<i64>(), entitled.amount.minor);
    }

    /// Whatever is held back comes off later, nothing negative is posted in sum, and no statement is turned round by it.
    #[test]
    fn carries_hold_back_what_is_negative(runs in proptest::collection::vec(proptest::collection::vec(-500_i64..500, 0..4), 1..6)) {
        let (mut shortfall, mut posted, mut due) = (0, 0, 0);
        for differences in &runs {
            let carried = statement::carry(crate::document::rebate::NegativeDifference::CarryForward, shortfall, differences).unwrap();
            let now: i64 = differences.iter().zip(&carried).map(|(difference, carried)| difference + carried).sum();
            prop_assert!(now >= 0);
            prop_assert!(differences.iter().zip(&carried).all(|(one, part)| (one + part).signum() * one.signum() >= 0));
            shortfall -= carried.iter().sum::<i64>();
            posted += now;
            due += differences.iter().sum::<i64>();
            prop_assert!(shortfall <= 0);
            prop_assert_eq!(due - posted, shortfall);
        }
    }

    /// The order in which facts are listed changes nothing.
    #[test]
    fn the_order_of_facts_is_irrelevant(method in methods(), options in options(), sold in some_lines()) {
        let schedule = with(json!({ "method": method }), options);
        let forward = written(&sold);
        let mut backward = forward.clone();
        backward.reverse();
        prop_assert_eq!(computed(&schedule, forward), computed(&schedule, backward));
    }

    /// From sums as from lines, to the minor unit and exactly, in one piece or in chunks.
    #[test]
    fn totals_give_what_lines_give(method in methods(), options in options(), sold in some_lines(), cut in 0_usize..12) {
        let schedule = with(json!({ "method": method }), options);
        let program = program_of(schedule);
        let rule = &program.document.rebate_schedules[0];
        prop_assume!(needs_lines(&program, rule).is_none());
        let facts = facts_of(&program, json!({ "transactions": written(&sold) }));
        let from_lines = entitlement(&program, &facts, "2024-Q1");
        let all = &facts.partners["P"].transactions;
        let totals = |lines: &[crate::facts::Transaction]| Totals {
            category: None,
            amount: Exact::sum(lines.iter().map(|line| line.signed_amount().exact())).unwrap(),
            quantity: Exact::sum(lines.iter().map(|line| line.signed_quantity().exact())).unwrap(),
        };
        let period = program.period_named("2024-Q1").unwrap();
        let terms = TotalsTerms { period: &period, takes_part: true, tier: None, history: None };
        let (first, second) = all.split_at(cut.min(all.len()));
        for parts in [vec![totals(all)], vec![totals(first), totals(second)]] {
            let from_totals = earn_from_totals(&program, rule, &terms, &parts).unwrap();
            prop_assert_eq!(from_totals.amount, from_lines.amount);
            prop_assert_eq!(&from_totals.exact, &from_lines.exact);
            prop_assert_eq!(&from_totals.basis, &from_lines.basis);
            prop_assert_eq!(&from_totals.steps, &from_lines.steps);
        }
    }

    /// The tier at each transaction's date gives what the period's end gives while the tier does not change.
    #[test]
    fn one_tier_is_one_tier(method in methods(), sold in some_lines()) {
        let computed = |tier_at: &str| {
            let program = program_of(json!({ "method": method, "tierAt": tier_at }));
            let facts = facts_of(&program, json!({ "transactions": written(&sold), "assignments": [{ "tier": "GOLD", "from": "2020-01-01" }] }));
            let entitled = entitlement(&program, &facts, "2024-Q1");
            (entitled.exact, entitled.amount, entitled.lines)
        };
        let by_line = computed("TRANSACTION_DATE");
        prop_assert_eq!(&by_line, &computed("PERIOD_END"));
        prop_assert_eq!(&by_line, &computed("BEST_IN_PERIOD"));
    }

    /// Cumulative periods sum to the year: worth to date is never lost and never paid twice.
    #[test]
    fn cumulative_quarters_sum_to_the_year(method in methods(), sold in proptest::collection::vec((0_i64..366, -5_000_i64..900_000, 0_i64..500, proptest::bool::weighted(0.2)), 0..12)) {
        prop_assume!(!matches!(method.as_object().unwrap().keys().next().unwrap().as_str(), "growth" | "fixed" | "target"));
        let yearly = computed_in(&json!({ "method": method, "period": { "year": {} } }), &sold, &["2024"]);
        let quarterly = computed_in(&json!({ "method": method, "cumulative": true }), &sold, &["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]);
        prop_assert_eq!(yearly.iter().sum::<i64>(), quarterly.iter().sum::<i64>());
    }

    /// Whatever is recorded when, after the last run everything posted is what the periods are worth.
    #[test]
    fn runs_post_what_periods_are_worth(method in methods(), sold in some_lines(), delays in proptest::collection::vec(0_i64..300, 12), carry in any::<bool>()) {
        let negative = if carry { "CARRY_FORWARD" } else { "CLAW_BACK" };
        let program = program_of(json!({ "method": method, "trueUp": { "negative": negative } }));
        let mut lines = written(&sold);
        for (line, delay) in lines.iter_mut().zip(&delays) {
            let date: Date = line["date"].as_str().unwrap().parse().unwrap();
            line["recordedOn"] = json!(date.plus_days(*delay));
        }
        let facts = facts_of(&program, json!({ "transactions": lines }));
        let days = [("2024-Q1", "2024-04-01"), ("2024-Q1", "2024-05-20"), ("2024-Q2", "2024-07-10"), ("2024-Q2", "2025-06-30")];
        let asked: Vec<RunAsked> = days.iter().map(|(period, day)| RunAsked { period: (*period).to_owned(), run_on: day.parse().unwrap() }).collect();
        let results = runs(&program, &facts, "P", &asked, &OnRecord).unwrap();
        let worth: i64 = ["2024-Q1", "2024-Q2"].iter().map(|period| entitlement(&program, &facts, period).amount.minor).sum();
        let last = &results[3].schedules[0];
        prop_assert_eq!(last.posted_total.minor + last.carried_forward.minor, worth);
        prop_assert_eq!(results.iter().map(|run| run.posted_now(None)).sum::<i64>(), last.posted_total.minor);
        for run in &results {
            prop_assert!(!carry || run.posted_now(None) >= 0);
            for posting in &run.postings {
                prop_assert_eq!(posting.lines.iter().map(|line| line.amount.minor).sum::<i64>(), posting.difference.minor);
            }
        }
    }

    /// Any amounts and rates give a figure or a fault, never a wrong figure and never a panic.
    #[test]
    fn large_figures_are_exact_or_loud(cents in proptest::collection::vec(0_i64..99_999_999_999_999_999, 1..6), rate in 0_i64..1_000_000_000) {
        // Above one a rate is written in percent.
        let rate = if rate > 100_000_000 { crate::exact::spell(rate.into(), 6, true) + " %" } else { crate::exact::spell(rate.into(), 8, true) };
        let program = program_of(with(bands("MARGINAL", &[("0", &rate), ("1234567.89", "0.12345678")]), json!({ "cap": { "amount": "999999999999.99" } })));
        let lines: Vec<Value> = cents.iter().enumerate().map(|(at, cents)| sale(&at.to_string(), "2024-02-01", &crate::exact::spell((*cents).into(), 2, false), "1")).collect();
        let facts = facts_of(&program, json!({ "transactions": lines }));
        match compute(&program, &facts, "2024-Q1") {
            Ok(result) => {
                let entitled = &result.entitlements[0];
                prop_assert_eq!(entitled.lines.iter().map(|line| line.amount.minor).sum::<i64>(), entitled.amount.minor);
                prop_assert!(entitled.amount.minor <= 99_999_999_999_999);
            }
            Err(faults) => prop_assert_eq!(&faults.0[0].code, "OUT_OF_RANGE"),
        }
    }
}

fn computed_in(schedule: &Value, sold: &[(i64, i64, i64, bool)], periods: &[&str]) -> Vec<i64> {
    let program = program_of(schedule.clone());
    let facts = facts_of(&program, json!({ "transactions": written(sold) }));
    periods.iter().map(|period| entitlement(&program, &facts, period).amount.minor).collect()
}
