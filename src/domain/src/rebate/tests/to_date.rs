//! Schedules that run on over the fiscal year: periods without the partner, groups, carries, and who is compared with whom.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const QUARTERS: [&str; 4] = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"];

fn cumulative(more: Value) -> Value {
    with(with(flat("10 %"), json!({ "cumulative": true })), more)
}

fn returned(id: &str, date: &str, amount: &str) -> Value {
    json!({ "id": id, "date": date, "kind": "RETURN", "amount": amount })
}

/// What each quarter of 2024 is worth by the first schedule.
fn quarters(program: &Program, facts: &Facts) -> Vec<String> {
    QUARTERS.iter().map(|period| amount(&entitlement(program, facts, period))).collect()
}

fn quarters_of(schedule: Value, partner: Value) -> Vec<String> {
    let program = program_of(schedule);
    let facts = facts_of(&program, partner);
    quarters(&program, &facts)
}

/// What each quarter is worth by all schedules together, in minor units.
fn sums(program: &Program, facts: &Facts) -> Vec<i64> {
    QUARTERS.iter().map(|period| compute(program, facts, period).unwrap().total(crate::money::Currency::USD)).collect()
}

/// A period in which the partner takes no part is worth nothing and takes nothing back, whatever keeps it out.
#[test]
fn a_period_without_the_partner_is_worth_nothing() {
    let sold = json!([sale("1", "2024-01-05", "900.00", "1")]);
    let nothing_back = ["90.00", "0.00", "0.00", "0.00"];
    assert_eq!(quarters_of(cumulative(json!({ "until": "2024-04-01" })), json!({ "transactions": sold })), nothing_back, "until");
    let left = json!({ "enrollments": [{ "since": "2023-01-01", "until": "2024-04-01" }], "transactions": sold });
    assert_eq!(quarters_of(cumulative(json!({})), left.clone()), nothing_back, "enrollment");
    assert_eq!(quarters_of(cumulative(json!({ "guarantee": { "amount": 100, "cumulative": true } })), left), ["100.00", "0.00", "0.00", "0.00"], "guarantee");
    let demoted = json!({ "assignments": [{ "tier": "GOLD", "from": "2023-01-01" }, { "tier": "SILVER", "from": "2024-04-15" }], "transactions": sold });
    for tier_at in ["PERIOD_END", "TRANSACTION_DATE"] {
        let scoped = cumulative(json!({ "tierAt": tier_at, "scope": { "tiers": ["GOLD"] } }));
        assert_eq!(quarters_of(scoped, demoted.clone()), nothing_back, "{tier_at}");
    }
    let converted = json!({ "attributes": [{ "type": "VAR" }, { "from": "2024-04-01", "type": "MSP" }], "transactions": sold });
    assert_eq!(quarters_of(cumulative(json!({ "scope": { "partnerTypes": ["VAR"] } })), converted), nothing_back, "type");
}

/// Lines of periods in which the partner took no part do not count later in the year; the periods around them are one.
#[test]
fn lines_of_a_period_without_the_partner_never_count() {
    let sold = json!([sale("1", "2024-01-05", "900.00", "1"), sale("2", "2024-05-05", "200.00", "1"), returned("3", "2024-08-05", "300.00")]);
    let newcomer = json!({ "enrollments": [{ "since": "2024-04-01" }], "transactions": sold });
    assert_eq!(quarters_of(cumulative(json!({})), newcomer), ["0.00", "20.00", "-20.00", "0.00"]);
    // Away in the second quarter: what the first was worth is still taken off in the third.
    let away = json!({ "enrollments": [{ "since": "2024-01-01", "until": "2024-04-01" }, { "since": "2024-07-01" }], "transactions": sold });
    assert_eq!(quarters_of(cumulative(json!({})), away), ["90.00", "0.00", "-30.00", "0.00"]);
}

/// A surplus over a cumulative guarantee outlives a period without the partner, as does a negative basis, and a payout that waits.
#[test]
fn what_is_carried_outlives_a_period_without_the_partner() {
    let away = |transactions: Value| json!({ "enrollments": [{ "since": "2023-01-01", "until": "2024-04-01" }, { "since": "2024-07-01" }], "transactions": transactions });
    let negative = away(json!([returned("1", "2024-01-05", "100.00"), sale("2", "2024-07-05", "500.00", "1")]));
    assert_eq!(quarters_of(with(flat("10 %"), json!({ "carryNegative": true })), negative), ["0.00", "0.00", "40.00", "0.00"]);
    let waiting = away(json!([sale("1", "2024-01-05", "100.00", "1"), sale("2", "2024-07-05", "100.00", "1")]));
    assert_eq!(quarters_of(with(flat("10 %"), json!({ "minimumPayout": { "amount": 15, "below": "CARRY" } })), waiting), ["0.00", "0.00", "20.00", "0.00"]);
    let surplus = away(json!([sale("1", "2024-01-05", "1000.00", "1")]));
    assert_eq!(quarters_of(with(flat("10 %"), json!({ "guarantee": { "amount": 60, "cumulative": true } })), surplus), ["100.00", "0.00", "20.00", "60.00"]);
}

fn group(schedules: Value) -> Program {
    let keys: Vec<Value> = schedules.as_array().unwrap().iter().map(|schedule| schedule["key"].clone()).collect();
    program_with(schedules, json!([{ "bestOf": { "schedules": keys } }]))
}

fn named(key: &str, schedule: Value) -> Value {
    schedule_of(with(schedule, json!({ "key": key, "cumulative": true })))
}

/// The best to date is paid, less what the group was entitled to before: losing a comparison never charges back what was never paid.
#[test]
fn the_best_of_a_group_counts_to_date() {
    let sold = json!({ "transactions": [sale("1", "2024-01-05", "900.00", "1"), returned("2", "2024-04-05", "500.00")] });
    let program = group(json!([named("c", flat("10 %")), named("d", flat("20 %"))]));
    let facts = facts_of(&program, sold);
    let amounts = |period: &str| compute(&program, &facts, period).unwrap().entitlements.iter().map(amount).collect::<Vec<_>>();
    assert_eq!((amounts("2024-Q1"), amounts("2024-Q2")), (vec!["0.00".into(), "180.00".into()], vec!["0.00".into(), "-100.00".into()]));
    // The other one becomes the better one: 10 % of 900, then 20 % above a thousand.
    let program = group(json!([named("c", flat("10 %")), named("d", bands("RETROACTIVE", &[("0", "1 %"), ("1000", "20 %")]))]));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-05", "900.00", "1"), sale("2", "2024-04-05", "100.00", "1")] }));
    let second = compute(&program, &facts, "2024-Q2").unwrap();
    assert_eq!(sums(&program, &facts), [9000, 11_000, 0, 0]);
    let best = second.of("d").unwrap();
    assert_eq!((amount(best), parts(best)), ("110.00".to_owned(), vec!["90.00".to_owned(), "20.00".to_owned()]));
    let step = best.steps.iter().find(|step| step.step == StepKind::Cumulative).unwrap();
    assert_eq!((step.bound.clone().unwrap().to_string().as_str(), step.note.as_deref()), ("90", Some("what c gave")));
}

/// A member of a group in which the partner no longer takes part keeps what it was worth, and takes nothing back.
#[test]
fn a_member_that_ended_keeps_what_it_was_worth() {
    let program = group(json!([named("c", flat("10 %")), named("d", with(flat("20 %"), json!({ "until": "2024-04-01" })))]));
    let of = |transactions: Value| sums(&program, &facts_of(&program, json!({ "transactions": transactions })));
    assert_eq!(of(json!([sale("1", "2024-01-05", "900.00", "1"), sale("2", "2024-04-05", "300.00", "1")])), [18_000, 0, 0, 0]);
    assert_eq!(of(json!([sale("1", "2024-01-05", "900.00", "1"), sale("2", "2024-04-05", "1100.00", "1")])), [18_000, 2000, 0, 0]);
    let early = group(json!([named("c", flat("30 %")), named("d", with(flat("20 %"), json!({ "until": "2024-04-01" })))]));
    let back = facts_of(&early, json!({ "transactions": [sale("1", "2024-01-05", "900.00", "1"), returned("2", "2024-04-05", "500.00")] }));
    assert_eq!(sums(&early, &back), [27_000, -9000, 0, 0]);
    let second = compute(&early, &back, "2024-Q2").unwrap();
    let best = second.of("c").unwrap();
    assert_eq!(best.lines.iter().map(|line| line.amount.minor).sum::<i64>(), -9000);
}

/// What would hang on the shares of others, or on what a group has no place for, is refused.
#[test]
fn what_cannot_be_told_to_date_is_refused() {
    let refused = |schedules: Value, stacking: Value| {
        let document = json!({
            "guerdon": 1, "program": { "code": "T", "name": "T", "currency": "USD" }, "version": { "effectiveOn": "2024-01-01" },
            "rebateSchedules": schedules, "stacking": stacking,
        });
        let faults = crate::program::Program::compile(crate::document::read::read_document(document).unwrap()).err().unwrap_or_default();
        faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect::<Vec<_>>()
    };
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let budget = |when: &str| json!([named("c", with(flat("10 %"), json!({ "budget": { "amount": 30, "whenExceeded": when } })))]);
    assert_eq!(refused(budget("PRO_RATA"), json!([])), one("CUMULATIVE", "rebateSchedules[0].budget"));
    assert_eq!(refused(budget("REFUSE"), json!([])), []);
    let best = |keys: [&str; 2]| json!({ "bestOf": { "schedules": keys } });
    let plain = || schedule_of(with(flat("1 %"), json!({ "key": "p" })));
    assert_eq!(refused(json!([named("c", flat("1 %")), plain()]), json!([best(["p", "c"])])), one("STACKING_CUMULATIVE", "stacking[0].bestOf.schedules[0]"));
    for bound in [json!({ "minimumPayout": { "amount": 5 } }), json!({ "guarantee": { "amount": 5 } })] {
        let schedules = json!([named("c", flat("1 %")), named("d", with(flat("1 %"), bound))]);
        assert_eq!(refused(schedules, json!([best(["c", "d"])])), one("STACKING_CUMULATIVE", "stacking[0].bestOf.schedules[1]"));
    }
    let three = json!([named("c", flat("1 %")), named("d", flat("1 %")), named("e", flat("1 %"))]);
    assert_eq!(refused(three, json!([best(["c", "d"]), best(["d", "e"])])), one("STACKING_CUMULATIVE", "stacking[1].bestOf.schedules[0]"));
}

/// The same program as its first version, which takes effect on another day.
fn effective_since(program: &Program, day: &str) -> Program {
    let mut document = program.document.clone();
    document.version.effective_on = day.parse().unwrap();
    Program::compile(document).unwrap()
}

/// The same program as a version that takes effect inside the fiscal year.
fn from_july(program: &Program) -> Program {
    effective_since(program, "2024-07-01")
}

/// Periods that an earlier version governs are worth nothing to a later one: it takes off, and charges back, nothing that it never gave,
/// and their lines fill none of its bands.
#[test]
fn a_version_that_takes_effect_inside_the_year_begins_anew() {
    let third = |program: &Program, transactions: Value| {
        let program = from_july(program);
        let facts = facts_of(&program, json!({ "transactions": transactions }));
        let found = compute(&program, &facts, "2024-Q3").unwrap();
        let run = RunAsked { period: "2024-Q3".to_owned(), run_on: "2024-10-01".parse().unwrap() };
        assert_eq!(runs(&program, &facts, "P", &[run], &OnRecord).unwrap()[0].posted_now(None), found.total(crate::money::Currency::USD));
        found.entitlements.iter().map(amount).collect::<Vec<_>>()
    };
    let back = json!([sale("1", "2024-02-01", "1000.00", "1"), returned("2", "2024-08-01", "1000.00")]);
    assert_eq!(third(&program_of(cumulative(json!({}))), back.clone()), ["0.00"]);
    assert_eq!(third(&program_of(cumulative(json!({ "minimumPayout": { "amount": 150 } }))), back), ["0.00"], "never paid, so not forfeited");
    let lump = json!({ "method": { "lumpSum": { "targets": [{ "at": 1000, "amount": 500 }] } }, "cumulative": true });
    assert_eq!(third(&program_of(lump), json!([sale("1", "2024-02-01", "1200.00", "1"), sale("2", "2024-08-01", "5000.00", "1")])), ["500.00"]);
    let sold = json!([sale("1", "2024-02-01", "1000.00", "1"), sale("2", "2024-05-20", "1000.00", "1"), sale("3", "2024-08-01", "1000.00", "1")]);
    let banded = || bands("RETROACTIVE", &[("0", "5 %"), ("2500", "10 %")]);
    assert_eq!(third(&program_of(with(banded(), json!({ "cumulative": true }))), sold.clone()), ["50.00"]);
    assert_eq!(third(&group(json!([named("a", banded()), named("b", flat("6 %"))])), sold), ["0.00", "60.00"]);
}

/// Where earlier versions had the schedule, its bands run on over the whole year: each period is paid by the rules of its version on top
/// of what these give for the periods before.
#[test]
fn a_version_goes_on_with_the_schedules_of_those_before_it() {
    let first = program_of(with(bands("RETROACTIVE", &[("0", "5 %"), ("1500", "10 %")]), json!({ "cumulative": true })));
    let (second, third) = (effective_since(&first, "2024-04-01"), from_july(&first));
    let begun = third.continued([&second, &first].into_iter());
    assert_eq!(begun.values().copied().collect::<Vec<_>>(), [first.effective_on()]);
    let plain = program_of(bands("RETROACTIVE", &[("0", "5 %")]));
    assert_eq!(third.continued([&second, &plain, &first].into_iter()).into_values().collect::<Vec<_>>(), [second.effective_on()], "not beyond a gap");
    let sold = json!({ "transactions": [sale("1", "2024-02-01", "1000.00", "1"), sale("2", "2024-08-01", "1000.00", "1")] });
    let paid = |program: &Program| amount(&entitlement(program, &facts_of(program, sold.clone()), "2024-Q3"));
    assert_eq!([paid(&third), paid(&third.continuing(begun, None)), paid(&first)], ["50.00", "150.00", "150.00"]);
}

/// Later periods of the year run on from the first one that the version governs. A period that begins before it is not its own, lines
/// after the version's first day included.
#[test]
fn bands_run_on_from_the_first_period_of_a_version() {
    let program = program_of(with(bands("RETROACTIVE", &[("0", "5 %"), ("1500", "10 %")]), json!({ "cumulative": true })));
    let program = effective_since(&program, "2024-05-01");
    let sold = json!([sale("1", "2024-05-20", "1000.00", "1"), sale("2", "2024-08-01", "1000.00", "1"), sale("3", "2024-11-01", "1000.00", "1")]);
    let facts = facts_of(&program, json!({ "transactions": sold }));
    let found = ["2024-Q3", "2024-Q4"].map(|period| amount(&entitlement(&program, &facts, period)));
    assert_eq!(found, ["50.00", "150.00"]);
}

/// A guarantee on the sum to date: a return takes back what was paid above it, and no more.
#[test]
fn a_guarantee_to_date_holds_for_the_sum() {
    let guaranteed = |rate: &str| with(flat(rate), json!({ "cumulative": true, "guarantee": { "amount": 20, "cumulative": true } }));
    let back = json!({ "transactions": [sale("1", "2024-01-10", "3000.00", "1"), returned("2", "2024-05-10", "3000.00")] });
    assert_eq!(quarters_of(guaranteed("10 %"), back.clone()), ["300.00", "-260.00", "20.00", "20.00"]);
    let late = json!({ "transactions": [sale("1", "2024-05-10", "1000.00", "1"), sale("2", "2024-11-10", "10.00", "1")] });
    assert_eq!(quarters_of(guaranteed("10 %"), late), ["20.00", "80.00", "0.00", "1.00"]);
    let program = program_of(guaranteed("0.333 %"));
    let facts = facts_of(&program, back);
    for period in QUARTERS {
        let found = entitlement(&program, &facts, period);
        assert_eq!(found.lines.iter().map(|line| line.amount.minor).sum::<i64>(), found.amount.minor, "{period}");
        assert!(found.steps.windows(2).all(|pair| pair[0].after == pair[1].before), "{period}");
    }
    // Away in a period: nothing is guaranteed for it, and what was guaranteed before stands.
    let away = json!({ "enrollments": [{ "since": "2023-01-01", "until": "2024-04-01" }, { "since": "2024-07-01" }], "transactions": [] });
    assert_eq!(quarters_of(guaranteed("10 %"), away), ["20.00", "0.00", "20.00", "20.00"]);
}

/// Which quarters of 2024 the partner is enrolled in.
fn enrolled(taken: [bool; 4]) -> Value {
    let starts = ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01", "2025-01-01"];
    let spans = (0..4).filter(|at| taken[*at]).map(|at| json!({ "since": starts[at], "until": starts[at + 1] }));
    let before = json!({ "since": "2022-01-01", "until": "2023-01-01" });
    std::iter::once(before).chain(spans).collect()
}

fn sold_in_2024() -> impl Strategy<Value = Vec<(i64, i64, i64, bool)>> {
    proptest::collection::vec((0_i64..366, 0_i64..900_000, 0_i64..500, proptest::bool::weighted(0.25)), 0..12)
}

fn quarter_of(line: &Value) -> usize {
    QUARTERS.len() * (line["date"].as_str().unwrap()[5..7].parse::<usize>().unwrap() - 1) / 12
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The quarters in which a partner took part sum to a year of their lines alone; the others are worth nothing.
    #[test]
    fn quarters_with_the_partner_sum_to_a_year_of_them(method in super::laws::methods(), sold in sold_in_2024(), taken in any::<[bool; 4]>()) {
        prop_assume!(!matches!(method.as_object().unwrap().keys().next().unwrap().as_str(), "growth" | "fixed" | "target"));
        let lines = super::laws::written(&sold);
        let own: Vec<Value> = lines.iter().filter(|line| taken[quarter_of(line)]).cloned().collect();
        let yearly = program_of(json!({ "method": method, "period": { "year": {} } }));
        let year = entitlement(&yearly, &facts_of(&yearly, json!({ "transactions": own })), "2024").amount.minor;
        let program = program_of(json!({ "method": method, "cumulative": true }));
        let found = sums(&program, &facts_of(&program, json!({ "transactions": lines, "enrollments": enrolled(taken) })));
        prop_assert!(found.iter().zip(taken).all(|(amount, taken)| taken || *amount == 0));
        let expected = if taken.contains(&true) { year } else { 0 };
        prop_assert_eq!(found.iter().sum::<i64>(), expected);
    }

    /// A group sums to what its best schedule is worth to date, whoever was the best before; its lines sum to it.
    #[test]
    fn a_group_sums_to_its_best_to_date(one in super::laws::methods(), other in super::laws::methods(), sold in sold_in_2024(), runs_on in 0_usize..4) {
        let whole = |method: &Value| matches!(method.as_object().unwrap().keys().next().unwrap().as_str(), "growth" | "fixed" | "target");
        prop_assume!(!whole(&one) && !whole(&other));
        let lines = json!({ "transactions": super::laws::written(&sold) });
        let program = group(json!([named("c", json!({ "method": one })), named("d", json!({ "method": other }))]));
        let facts = facts_of(&program, lines.clone());
        let alone = |method: &Value| {
            let program = program_of(json!({ "method": method, "cumulative": true }));
            sums(&program, &facts_of(&program, lines.clone()))
        };
        let to_date = |amounts: &[i64]| amounts[..=runs_on].iter().sum::<i64>();
        prop_assert_eq!(to_date(&sums(&program, &facts)), to_date(&alone(&one)).max(to_date(&alone(&other))));
        for period in QUARTERS {
            for entitled in compute(&program, &facts, period).unwrap().entitlements {
                prop_assert_eq!(entitled.lines.iter().map(|line| line.amount.minor).sum::<i64>(), entitled.amount.minor);
                for pair in entitled.steps.windows(2) {
                    prop_assert_eq!(&pair[0].after, &pair[1].before);
                }
            }
        }
    }
}

/// What is sold in a gap before a custom period is that period's: where the partner takes no part in it, no later one pays it.
#[test]
fn a_gap_goes_with_the_period_after_it() {
    let custom = json!({ "custom": [
        { "name": "A", "from": "2024-02-01", "until": "2024-03-01" },
        { "name": "B", "from": "2024-04-01", "until": "2024-05-01" },
        { "name": "C", "from": "2024-06-01", "until": "2024-07-01" },
    ] });
    let program = program_of(with(flat("10 %"), json!({ "period": custom, "cumulative": true })));
    let sold = json!([
        sale("1", "2024-01-15", "100.00", "1"),
        sale("2", "2024-02-15", "200.00", "1"),
        sale("3", "2024-03-15", "400.00", "1"),
        sale("4", "2024-05-15", "800.00", "1"),
    ]);
    let of = |since: &str, until: &str| {
        let facts = facts_of(&program, json!({ "enrollments": [{ "since": "2020-01-01", "until": until }, { "since": since }], "transactions": sold }));
        ["A", "B", "C"].map(|period| amount(&entitlement(&program, &facts, period)))
    };
    assert_eq!(of("2023-01-01", "2023-01-01"), ["30.00", "40.00", "80.00"]);
    assert_eq!(of("2024-05-20", "2024-03-20"), ["30.00", "0.00", "80.00"]);
    assert_eq!(of("2024-04-20", "2023-12-31"), ["0.00", "40.00", "80.00"]);
}
