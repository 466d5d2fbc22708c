//! What is told as missing is true: adding exactly that meets the requirement, and a cent less does not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::facts::Facts;
use crate::metric::Evaluator;
use crate::program::Program;

const METRICS: [(&str, &str, &str); 6] = [
    ("aThis", "A", r#"{"calendar": {"unit": "YEAR"}}"#),
    ("aLast", "A", r#"{"calendar": {"unit": "YEAR", "which": "PREVIOUS"}}"#),
    ("aYear", "A", r#"{"rolling": {"months": 12}}"#),
    ("bThis", "B", r#"{"calendar": {"unit": "YEAR"}}"#),
    ("bLast", "B", r#"{"calendar": {"unit": "YEAR", "which": "PREVIOUS"}}"#),
    ("bQuarters", "B", r#"{"rolling": {"quarters": 2, "alignment": "ALIGNED"}}"#),
];

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A program with the figures of two categories, a formula `f` over them, and one requirement.
fn program(formula: &Value, requirement: &Value, tiers: &Value) -> Program {
    let measure = |(key, category, window): &(&str, &str, &str)| {
        let filter = json!({"test": {"field": "category", "equals": category}});
        let window: Value = serde_json::from_str(window).unwrap();
        json!({"key": key, "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": window, "filter": filter}})
    };
    let mut metrics: Vec<Value> = METRICS.iter().map(measure).collect();
    metrics.push(json!({"key": "f", "unit": "MONEY", "formula": formula}));
    let document = json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2015-01-01"},
        "categories": [{"key": "A"}, {"key": "B"}], "metrics": metrics, "requirements": [{"key": "it", "requirement": requirement}],
        "ladders": [{"key": "L", "tiers": tiers}]});
    Program::compile(serde_json::from_value(document).unwrap()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn plain_program(formula: &Value, requirement: &Value) -> Program {
    program(formula, requirement, &json!([{"key": "T"}]))
}

/// Sales: the day, the category, the cents.
type Sales = Vec<(Date, &'static str, i64)>;

fn facts(program: &Program, sales: &Sales) -> Facts {
    let line = |(at, (day, category, cents)): (usize, &(Date, &str, i64))| json!({"id": at.to_string(), "date": day, "category": category, "amount": crate::exact::spell((*cents).into(), 2, false)});
    let lines: Vec<Value> = sales.iter().enumerate().map(line).collect();
    let input = serde_json::from_value(json!({"partners": [{"code": "P", "transactions": lines}]})).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The requirement on `by`, by what is known on `known`.
fn judge(program: &Program, facts: &Facts, known: Date, by: Date) -> Judged {
    let evaluator = Evaluator::new(program, facts).known_until(known);
    let at = At::new(evaluator.partner("P").unwrap(), by);
    evaluator.judge(program.requirement("it").unwrap(), &at).unwrap_or_else(|faults| panic!("{faults}"))
}

fn cents(amount: &Exact) -> i64 {
    amount.to_scaled(2).and_then(|cents| i64::try_from(cents).ok()).unwrap_or_else(|| panic!("{amount} is no whole number of cents"))
}

/// The last day of a figure's window that can still be reached, as of a day.
fn day_of(program: &Program, facts: &Facts, key: &str, known: Date, on: Date) -> Date {
    let evaluator = Evaluator::new(program, facts);
    let at = At::new(evaluator.partner("P").unwrap(), on);
    evaluator.metric(key, &at).unwrap().window.unwrap().last_day().max(known)
}

/// What a leaf tells, as sales of the figures that it names: of the first one of several.
fn told_of(leaf: &MissingLeaf, program: &Program, facts: &Facts, known: Date, by: Date) -> Option<Sales> {
    let missing = leaf.missing.clone()?;
    let named = match leaf.reached.as_ref().map(|reached| &reached.spread) {
        Some(Spread::Each(each)) => each.clone(),
        Some(Spread::AnyOf(names)) => vec![(names.first()?.clone(), missing)],
        Some(Spread::Whole) | None if leaf.key != "f" => vec![(leaf.key.clone(), missing)],
        Some(Spread::Whole) | None => return None,
    };
    let sale = |(name, amount): &(String, Exact)| {
        let (key, category, _) = METRICS.iter().find(|(key, ..)| key == name)?;
        Some((day_of(program, facts, key, known, leaf.by().unwrap_or(by)), *category, cents(amount)))
    };
    named.iter().map(sale).collect()
}

fn sales() -> impl Strategy<Value = Sales> {
    let sale = (0_i64..877, prop::bool::ANY, 1_i64..60_000);
    prop::collection::vec(sale, 0..6)
        .prop_map(|sales| sales.into_iter().map(|(day, a, cents)| (date("2024-01-20").plus_days(day), if a { "A" } else { "B" }, cents)).collect())
}

fn operand() -> impl Strategy<Value = Value> {
    (0..METRICS.len()).prop_map(|at| json!({"metric": METRICS[at].0}))
}

/// Maxima, minima, and sums of which a term is capped.
fn formula() -> impl Strategy<Value = Value> {
    let several = || prop::collection::vec(operand(), 2..4);
    prop_oneof![
        several().prop_map(|of| json!({"maximum": of})),
        several().prop_map(|of| json!({"minimum": of})),
        (operand(), operand(), 0_i64..500).prop_map(|(capped, free, cap)| json!({"sum": {"terms": [{"value": capped, "cap": cap}, {"value": free}]}})),
        (operand(), operand()).prop_map(|(from, taken)| json!({"difference": {"from": from, "subtract": taken}})),
        (several(), several()).prop_map(|(one, other)| json!({"maximum": [{"formula": {"minimum": one}}, {"formula": {"maximum": other}}]})),
        (several(), operand()).prop_map(|(one, other)| json!({"minimum": [{"formula": {"maximum": one}}, other]})),
    ]
}

/// A bound of the formula or of a figure, plain or on any day of a window.
fn single() -> impl Strategy<Value = Value> {
    let bound = (prop_oneof![Just("f".to_owned()), (0..METRICS.len()).prop_map(|at| METRICS[at].0.to_owned())], prop::bool::ANY, 1_i64..1_500);
    let windows = [
        None,
        Some(r#"{"calendar": {"unit": "YEAR", "which": "PREVIOUS"}}"#),
        Some(r#"{"calendar": {"unit": "YEAR"}}"#),
        Some(r#"{"rolling": {"months": 3}}"#),
        Some(r#"{"rolling": {"months": 2, "alignment": "ALIGNED"}}"#),
    ];
    (bound, 0..windows.len()).prop_map(move |((metric, above, bound), window)| {
        let leaf = if above { json!({"metric": {"metric": metric, "above": bound}}) } else { json!({"metric": {"metric": metric, "atLeast": bound}}) };
        windows[window].map_or(leaf.clone(), |window| json!({"onAnyDay": {"window": serde_json::from_str::<Value>(window).unwrap(), "requirement": leaf}}))
    })
}

fn tree() -> impl Strategy<Value = Value> {
    let several = || prop::collection::vec(single(), 2..4);
    prop_oneof![
        single(),
        several().prop_map(|of| json!({"allOf": of})),
        several().prop_map(|of| json!({"anyOf": of})),
        several().prop_map(|of| json!({"atLeast": {"n": 2, "of": of}})),
    ]
}

/// The day of the review: the date itself, or a later one.
fn reviews() -> impl Strategy<Value = Date> {
    prop_oneof![Just(date("2026-06-15")), Just(date("2026-07-01")), Just(date("2027-01-01")), Just(date("2027-02-01"))]
}

const KNOWN: &str = "2026-06-15";

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 20_000, ..ProptestConfig::with_cases(400) })]

    /// Adding what the first way tells meets the requirement.
    #[test]
    fn what_is_told_suffices(formula in formula(), requirement in tree(), sales in sales(), by in reviews()) {
        let (program, known) = (plain_program(&formula, &requirement), date(KNOWN));
        let before = facts(&program, &sales);
        let judged = judge(&program, &before, known, by);
        let gap = Gap::of(&judged, Some(by));
        let told: Option<Vec<Sales>> = gap.missing.iter().map(|leaf| told_of(leaf, &program, &before, known, by)).collect();
        prop_assume!(!judged.met && !gap.closed && told.is_some());
        // What one condition asks for may be what a difference takes away from another one.
        prop_assume!(gap.missing.len() + judged.leaves().iter().filter(|leaf| leaf.met()).count() == 1 || !formula.to_string().contains("difference"));
        let all: Sales = sales.iter().copied().chain(told.into_iter().flatten().flatten()).collect();
        prop_assert!(judge(&program, &facts(&program, &all), Date::MAX, by).met, "{:?}", gap.missing);
    }

    /// A cent less than what a single condition tells does not meet it. Where any day of a window counts, it does not on the day that is told: on
    /// another one a sale may count in two terms of a formula.
    #[test]
    fn a_cent_less_does_not_suffice(formula in formula(), requirement in single(), sales in sales(), by in reviews()) {
        let (program, known) = (plain_program(&formula, &requirement), date(KNOWN));
        let before = facts(&program, &sales);
        let judged = judge(&program, &before, known, by);
        let gap = Gap::of(&judged, Some(by));
        let told = gap.missing.first().and_then(|leaf| told_of(leaf, &program, &before, known, by));
        prop_assume!(!judged.met && !gap.closed && told.is_some());
        let mut told = told.unwrap();
        let last = told.last_mut().unwrap();
        last.2 -= 1;
        let all: Sales = sales.iter().copied().chain(told.into_iter().filter(|(.., cents)| *cents > 0)).collect();
        let (asked, on) = match requirement["onAnyDay"]["requirement"].clone() {
            inner if inner["metric"]["metric"] == "f" => (inner, gap.missing[0].by().unwrap()),
            _ => (requirement, by),
        };
        let program = plain_program(&formula, &asked);
        prop_assert!(!judge(&program, &facts(&program, &all), Date::MAX, on).met, "{:?}", gap.missing);
    }

    /// What is told as closed is not met by anything that can still happen.
    #[test]
    fn what_is_closed_is_not_met_by_more(formula in formula(), requirement in tree(), sales in sales(), by in reviews(), days in prop::collection::vec((0_i64..232, prop::bool::ANY), 1..6)) {
        let (program, known) = (plain_program(&formula, &requirement), date(KNOWN));
        let gap = Gap::of(&judge(&program, &facts(&program, &sales), known, by), Some(by));
        prop_assume!(gap.closed && !formula.to_string().contains("difference"));
        let more = days.into_iter().map(|(day, a)| (known.plus_days(day), if a { "A" } else { "B" }, 1_000_000));
        let all: Sales = sales.iter().copied().chain(more).collect();
        prop_assert!(!judge(&program, &facts(&program, &all), Date::MAX, by).met, "{:?}", gap.missing);
    }
}

/// What is told, of sales of A, on a date.
fn told(formula: &Value, requirement: &Value, lines: &[(&str, i64)], on: &str) -> Vec<Vec<String>> {
    let program = plain_program(formula, requirement);
    let sales = lines.iter().map(|(day, amount)| (date(day), "A", amount * 100)).collect();
    let judged = judge(&program, &facts(&program, &sales), date(on), date(on));
    let gap = Gap::of(&judged, None);
    std::iter::once(&gap.missing).chain(&gap.alternatives).map(|way| way.iter().map(|leaf| leaf.sentence().text).collect()).collect()
}

#[test]
fn a_maximum_is_reached_by_what_can_still_grow() {
    let best = json!({"maximum": [{"metric": "aThis"}, {"metric": "aLast"}]});
    let least = json!({"metric": {"metric": "f", "atLeast": 60_000}});
    assert_eq!(told(&best, &least, &[("2025-05-01", 30_000)], "2026-06-01"), [["f: USD 30,000 of USD 60,000; USD 60,000 more needed (aThis)"]]);
    let last = json!({"maximum": [{"metric": "aLast"}, {"metric": "bLast"}]});
    assert_eq!(
        told(&last, &least, &[("2025-05-01", 30_000)], "2026-06-01"),
        [["f: USD 30,000 of USD 60,000; its days ended on 2025-12-31, nothing more counts"]]
    );
}

#[test]
fn a_minimum_needs_every_figure_that_is_short() {
    let least = json!({"metric": {"metric": "f", "atLeast": 300}});
    let apart = json!({"minimum": [{"metric": "aThis"}, {"metric": "bThis"}]});
    assert_eq!(told(&apart, &least, &[("2026-05-01", 100)], "2026-06-01"), [["f: USD 0 of USD 300; USD 500 more needed (aThis: USD 200, bThis: USD 300)"]]);
    // One sale may count in both: how much both take is not told as one amount.
    let both = json!({"minimum": [{"metric": "aThis"}, {"metric": "aYear"}]});
    assert_eq!(told(&both, &least, &[("2025-08-01", 100)], "2026-06-01"), [["f: USD 0 of USD 300; more is needed (aThis: USD 300, aYear: USD 200)"]]);
}

#[test]
fn a_way_whose_days_are_over_is_the_last_one() {
    let either = json!({"anyOf": [{"metric": {"metric": "aLast", "atLeast": 50_000}}, {"metric": {"metric": "aThis", "atLeast": 60_000}}]});
    let ways = told(&json!({"maximum": [{"metric": "aThis"}]}), &either, &[("2025-05-01", 30_000)], "2026-06-01");
    assert_eq!(ways[0], ["aThis: USD 0 of USD 60,000; USD 60,000 more needed"]);
    assert_eq!(ways[1], ["aLast: USD 30,000 of USD 50,000; its days ended on 2025-12-31, nothing more counts"]);
}

/// Of the days that can still be reached that one is told on which least is missing.
#[test]
fn a_day_of_a_window_is_told_by_the_last_day_on_which_it_can_be_met() {
    let requirement =
        json!({"onAnyDay": {"window": {"calendar": {"unit": "YEAR", "which": "PREVIOUS"}}, "requirement": {"metric": {"metric": "aThis", "atLeast": 25_000}}}});
    let program = plain_program(&json!({"maximum": [{"metric": "aThis"}]}), &requirement);
    let facts = facts(&program, &vec![(date("2026-02-01"), "A", 2_000_000)]);
    let (known, review) = (date("2026-06-01"), date("2027-02-01"));
    let gap = Gap::of(&judge(&program, &facts, known, review), Some(review));
    assert_eq!(gap.missing[0].sentence().text, "aThis: USD 20,000 of USD 25,000; USD 5,000 more needed by 2026-12-31");
    let over = Gap::of(&judge(&program, &facts, known, known), None);
    assert!(over.closed);
    assert_eq!(over.missing[0].reason, Some(Unmet::Closed));
    assert_eq!(over.missing[0].sentence().text, "aThis: met on no day from 2025-01-01 to 2025-12-31; these days are over");
}

#[test]
fn a_way_for_those_who_hold_the_tier_is_no_way_to_it() {
    let revenue = |least: u32| json!({"metric": {"metric": "aThis", "atLeast": least}});
    let held = json!({"tier": {"ladder": "L", "tier": "B", "state": "RECORDED"}});
    let requirement = json!({"anyOf": [{"allOf": [held, revenue(100)]}, {"allOf": [revenue(1_000), {"holding": {"kind": "X"}}]}]});
    let tiers = json!([{"key": "A"}, {"key": "B", "requirement": {"shared": "it"}}]);
    let program = program(&json!({"maximum": [{"metric": "aThis"}]}), &requirement, &tiers);
    let facts = facts(&program, &vec![(date("2026-02-01"), "A", 20_000)]);
    let gap = Gap::of(&judge(&program, &facts, date("2026-06-01"), date("2026-06-01")), None);
    assert_eq!(gap.missing.iter().map(|leaf| leaf.key.as_str()).collect::<Vec<_>>(), ["aThis", "X"]);
    assert_eq!(gap.alternatives[0][0].sentence().text, "only for those who hold B in L already");
}

#[test]
fn more_than_an_amount_takes_a_unit_more() {
    let above = json!({"metric": {"metric": "aThis", "above": 100}});
    let program = plain_program(&json!({"maximum": [{"metric": "aThis"}]}), &above);
    let facts = facts(&program, &vec![(date("2026-02-01"), "A", 10_000)]);
    let judged = judge(&program, &facts, date("2026-06-01"), date("2026-06-01"));
    assert_eq!(judged.leaves()[0].missing, Some(Exact::scaled(1, 2)));
}

/// A figure that is written in place has no name to be told by.
#[test]
fn the_one_figure_to_grow_is_named_by_its_name_alone() {
    let in_place = json!({"measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"calendar": {"unit": "YEAR"}}}});
    let words = |other: &Value| {
        let above = json!({"metric": {"metric": "f", "atLeast": 100}});
        let program = plain_program(&json!({"maximum": [{"metric": "aLast"}, other]}), &above);
        let facts = facts(&program, &vec![(date("2026-02-01"), "B", 4_000)]);
        Gap::of(&judge(&program, &facts, date("2026-06-01"), date("2026-06-01")), None).missing[0].sentence().text
    };
    assert_eq!(words(&json!({"metric": "bThis"})), "f: USD 40 of USD 100; USD 60 more needed (bThis)");
    assert_eq!(words(&in_place), "f: USD 40 of USD 100; USD 60 more needed");
}

/// What is asked for twice is told once, and a way that asks for all of another one is none of its own.
#[test]
fn ways_are_told_once() {
    let least = |metric: &str, least: u32| json!({"metric": {"metric": metric, "atLeast": least}});
    let (one, two) = (least("aThis", 10), least("bThis", 10));
    let formula = json!({"maximum": [{"metric": "aThis"}]});
    let ways = |requirement: Value| told(&formula, &requirement, &[], "2026-06-01").iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(ways(json!({"allOf": [one, one, {"anyOf": [one, two]}]})), [1]);
    assert_eq!(ways(json!({"anyOf": [one, one, {"allOf": [one, two]}]})), [1]);
    assert_eq!(ways(json!({"allOf": [one, least("aThis", 30), {"metric": {"metric": "aThis", "above": 30}}, least("aThis", 20)]})), [1]);
    assert_eq!(ways(json!({"allOf": [one, least("aYear", 30), two]})), [3]);
    assert_eq!(ways(json!({"atLeast": {"n": 2, "of": [one, two, {"anyOf": [one, two]}]}})), [1, 1]);
}
