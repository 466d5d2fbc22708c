//! Whole numbers give what fractions give, step by step.

use proptest::prelude::*;
use serde_json::json;

use super::laws::{methods, options, some_lines, written};
use super::*;
use crate::facts::Transaction;
use crate::rebate::whole::{Compiled, Sums};

fn sums<'t>(lines: impl IntoIterator<Item = &'t Transaction>) -> Sums {
    let one = |line: &Transaction| Sums { amount: line.signed_amount().minor.into(), quantity: line.signed_quantity().0.into(), lines: 1 };
    lines.into_iter().map(one).fold(Sums::default(), |sum, line| sum.with(line).unwrap())
}

fn without_lines(entitlement: Entitlement) -> Entitlement {
    Entitlement { lines: Vec::new(), ..entitlement }
}

/// Methods by tier, on amounts and on quantities.
fn tiered_methods() -> impl Strategy<Value = Value> {
    let value = |minor: i64| crate::exact::spell(minor.into(), 8, true);
    let tiered = (0_i64..20_000_000, 0_i64..20_000_000).prop_map(move |(gold, other)| json!({ "default": value(other), "tiers": { "GOLD": value(gold) } }));
    let scopes = proptest::sample::select(vec!["MARGINAL", "RETROACTIVE", "ROLLING", "TOTAL"]);
    (scopes, any::<bool>(), proptest::collection::vec(tiered, 3), [0_i64..300, 300_i64..3_000, 3_000_i64..9_000], any::<[bool; 4]>()).prop_map(
        |(scope, inclusive, rates, edges, [units, sums, closed, first])| {
            let pay = if units { "amountPerUnit" } else { "rate" };
            let mut bands: Vec<Value> = edges.iter().zip(&rates).map(|(from, rate)| json!({ "from": from, pay: rate })).collect();
            bands[0]["from"] = json!({ "default": edges[0], "tiers": { "GOLD": edges[0] / 2 } });
            if sums {
                bands[1]["onEntry"] = json!({ "default": "12.345", "tiers": { "GOLD": 3 } });
            }
            if closed {
                bands[2]["to"] = json!(12_000);
            }
            if first && scope == "MARGINAL" {
                bands[1]["backToFirst"] = json!(true);
            }
            json!({ "bands": { "scope": scope, "upperInclusive": inclusive, "bands": bands } })
        },
    )
}

/// Methods by tier without bands.
fn tiered_sums() -> impl Strategy<Value = Value> {
    let pays = proptest::sample::select(vec!["EACH", "HIGHEST"]);
    (0_usize..4, pays, 0_i64..9_999, 0_i64..9_999).prop_map(|(kind, pay, gold, other)| {
        let tiered = |places: u32| {
            let value = |minor: i64| crate::exact::spell(minor.into(), places, true);
            json!({ "default": value(other), "tiers": { "GOLD": value(gold) } })
        };
        match kind {
            0 => json!({ "flat": { "rate": tiered(5) } }),
            1 => json!({ "perUnit": { "amount": tiered(3) } }),
            2 => json!({ "fixed": { "amount": tiered(2) } }),
            _ => json!({ "lumpSum": { "pay": pay, "targets": [
                { "at": { "default": 500, "tiers": { "GOLD": 250 } }, "amount": tiered(2) },
                { "at": { "default": 2_000, "tiers": { "GOLD": 1_500 } }, "amount": "33.335" }] } }),
        }
    })
}

fn bounds() -> impl Strategy<Value = Value> {
    (proptest::option::of(0_i64..60), proptest::option::of(0_i64..40), any::<bool>()).prop_map(|(guarantee, minimum, unconditional)| {
        let mut bounds = json!({});
        if let Some(guarantee) = guarantee {
            bounds["guarantee"] = json!({ "amount": { "default": guarantee, "tiers": { "GOLD": 11 } } });
        }
        if let Some(minimum) = minimum {
            bounds["minimumPayout"] = json!({ "amount": minimum });
        }
        if unconditional {
            bounds["floor"] = json!({ "amount": { "default": "7.5", "tiers": { "GOLD": 9 } }, "unconditional": true });
        }
        bounds
    })
}

fn bases() -> impl Strategy<Value = Value> {
    let all = [json!({}), json!({ "basis": "quantity" }), json!({ "qualifier": "quantity" }), json!({ "basis": "quantity", "qualifier": "amount" })];
    proptest::sample::select(all.to_vec())
}

/// Both ways for one schedule and these lines, or nothing where lines are needed.
fn both(schedule: &Value, sold: &[Value], tier: Option<&str>) -> Option<(Entitlement, Option<Entitlement>)> {
    let document = std::panic::catch_unwind(|| program_of(schedule.clone()));
    let program = document.ok()?;
    let rule = &program.document.rebate_schedules[0];
    if needs_lines(&program, rule).is_some() {
        return None;
    }
    let assignments: Vec<Value> = tier.iter().map(|tier| json!({ "tier": tier, "from": "2020-01-01" })).collect();
    let facts = facts_of(&program, json!({ "transactions": sold, "assignments": assignments }));
    let plain = entitlement(&program, &facts, "2024-Q1");
    let period = program.period_named("2024-Q1").unwrap();
    let all = &facts.partners["P"].transactions;
    let whole = Compiled::new(&program, rule, &period).map(|compiled| {
        let halves = all.split_at(all.len() / 2);
        let together = sums(all);
        assert_eq!(sums(halves.1).with(sums(halves.0)), Some(together), "chunks and their order change nothing");
        let outcome = compiled.outcome(tier, &together).unwrap();
        assert_eq!(outcome.amount(), plain.amount.minor);
        compiled.explain(tier, &outcome)
    });
    Some((without_lines(plain), whole))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if option_env!("GUERDON_LONG_TESTS").is_some() { 4_000 } else { 250 }))]

    /// Every step, band and figure, for schedules of every kind.
    #[test]
    fn whole_numbers_give_what_fractions_give(method in methods(), options in options(), bounds in bounds(), basis in bases(), sold in some_lines()) {
        let schedule = with(with(with(json!({ "method": method }), options), bounds), basis);
        if let Some((plain, Some(whole))) = both(&schedule, &written(&sold), None) {
            prop_assert_eq!(plain, whole);
        }
    }

    /// The same for rates, bounds and edges by tier.
    #[test]
    fn each_tier_has_its_own_rules(method in prop_oneof![tiered_methods(), tiered_sums()], options in options(), bounds in bounds(), basis in bases(), sold in some_lines(), tier in proptest::sample::select(vec![None, Some("GOLD"), Some("SILVER")])) {
        let schedule = with(with(with(json!({ "method": method, "scope": { "tiers": ["GOLD", "SILVER"] } }), options), bounds), basis);
        let open = with(schedule.clone(), json!({ "scope": {} }));
        for schedule in [schedule, open] {
            if let Some((plain, Some(whole))) = both(&schedule, &written(&sold), tier) {
                prop_assert_eq!(plain, whole);
            }
        }
    }

    /// One unit below, on and above every edge.
    #[test]
    fn edges_are_exact(method in tiered_methods(), at in 0_usize..4, off in -1_i64..=1, tier in proptest::sample::select(vec![None, Some("GOLD")])) {
        let edges: Vec<i64> = method["bands"]["bands"].as_array().unwrap().iter().map(|band| band["from"].as_i64().unwrap_or(0)).chain([12_000]).collect();
        let cents = crate::exact::spell(i128::from(edges[at] * 100 + off), 2, false);
        if let Some((plain, whole)) = both(&json!({ "method": method }), &[sale("1", "2024-02-01", &cents, "3")], tier) {
            prop_assert_eq!(Some(plain), whole);
        }
    }
}

/// More units came back than were sold, at a lower price: the earning is negative, and an unconditional floor lifts it in both ways.
#[test]
fn a_floor_holds_below_nothing_in_both_ways() {
    let sold = [sale("1", "2024-02-01", "1000.00", "1"), json!({ "id": "2", "date": "2024-02-02", "kind": "RETURN", "amount": "10.00", "quantity": "5" })];
    for (unconditional, expected) in [(true, "15.00"), (false, "-8.00")] {
        let units = json!({ "bands": { "scope": "RETROACTIVE", "bands": [{ "from": 0, "amountPerUnit": 2 }] } });
        let (plain, whole) = both(&json!({ "method": units, "floor": { "amount": 15, "unconditional": unconditional } }), &sold, None).unwrap();
        assert_eq!((amount(&plain).as_str(), Some(plain)), (expected, whole));
    }
}

/// What does not fit is left to fractions, which are exact or loud; what needs a division is not compiled.
#[test]
fn what_whole_numbers_cannot_express_is_left_to_fractions() {
    let program = program_of(flat("999.999999 %"));
    let period = program.period_named("2024-Q1").unwrap();
    let compiled = Compiled::new(&program, &program.document.rebate_schedules[0], &period).unwrap();
    assert!(compiled.outcome(None, &Sums { amount: i128::MAX / 1_000, quantity: 0, lines: 1 }).is_none());
    assert!(compiled.outcome(None, &Sums { amount: 99_999_999_999_999_999, quantity: 0, lines: 1 }).is_some());
    let mut proportional = bands("PROPORTIONAL", &[("0", "0.1"), ("10", "0.2")]);
    proportional["method"]["bands"]["bands"][1]["to"] = json!(20);
    for method in [proportional, json!({ "method": { "perPackage": { "size": 3, "amount": 1 } } })] {
        let program = program_of(method);
        assert!(Compiled::new(&program, &program.document.rebate_schedules[0], &period).is_none());
    }
}
