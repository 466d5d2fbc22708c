//! What one version of a program hands to the next: small payouts, negative bases and surpluses, by the rules of whoever governed a period.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::super::handover::handed_to_nobody;
use super::*;

/// Versions of a program that take effect on these days, one after the other.
fn versions(list: Vec<(&str, Program)>) -> Vec<Numbered> {
    let mut all: Vec<Numbered> = Vec::new();
    for (on, program) in list {
        let mut document = program.document.clone();
        document.version.effective_on = on.parse().unwrap();
        let program = Program::compile(document).unwrap();
        let begun = program.continued(all.iter().rev().map(|version| version.program.as_ref()));
        let number = i64::try_from(all.len()).unwrap() + 1;
        let program = Arc::new(program.continuing(begun, all.last()));
        all.push(Numbered { number, program });
    }
    all
}

/// The same with one schedule each.
fn versions_of(list: Vec<(&str, Value)>) -> Vec<Numbered> {
    versions(list.into_iter().map(|(on, schedule)| (on, program_of(schedule))).collect())
}

/// The version that governs a period.
fn governing<'v>(versions: &'v [Numbered], period: &str) -> &'v Program {
    let governs = |version: &&Numbered| version.program.period_named(period).is_some_and(|period| version.program.effective_on() <= period.span.from);
    versions.iter().rev().find(governs).unwrap().program.as_ref()
}

fn worth(versions: &[Numbered], partner: &Value, period: &str) -> String {
    let program = governing(versions, period);
    amount(&entitlement(program, &facts_of(program, partner.clone()), period))
}

/// What periods are worth by the schedule R.
fn paid(versions: &[Numbered], partner: &Value, periods: &[&str]) -> Vec<String> {
    periods.iter().map(|period| worth(versions, partner, period)).collect()
}

const QUARTERS: [&str; 4] = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"];

/// One percent, and below this amount nothing is paid.
fn small(amount: i64, below: &str) -> Value {
    with(flat("1 %"), json!({ "minimumPayout": { "amount": amount, "below": below } }))
}

/// 3.20 in the first quarter, and 1.00 in each of the others.
fn sold() -> Value {
    json!({ "transactions": [
        sale("1", "2024-01-10", "320.00", "1"), sale("2", "2024-05-10", "100.00", "1"),
        sale("3", "2024-08-10", "100.00", "1"), sale("4", "2024-11-10", "100.00", "1"),
    ] })
}

fn returned(id: &str, date: &str, amount: &str) -> Value {
    json!({ "id": id, "date": date, "kind": "RETURN", "amount": amount })
}

/// What the next version does with a small payout is its own rule.
#[test]
fn a_small_payout_goes_to_the_next_version() {
    let then = |schedule: Value| paid(&versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", schedule)]), &sold(), &QUARTERS);
    assert_eq!(then(flat("1 %")), ["0.00", "4.20", "1.00", "1.00"], "no minimum");
    assert_eq!(then(small(10, "CARRY")), ["0.00", "0.00", "0.00", "0.00"], "the same");
    assert_eq!(then(small(5, "CARRY")), ["0.00", "0.00", "5.20", "0.00"], "a lower one");
    assert_eq!(then(small(5, "FORFEIT")), ["0.00", "0.00", "0.00", "0.00"], "forfeited");
    assert_eq!(then(small(4, "FORFEIT")), ["0.00", "4.20", "0.00", "0.00"], "not forfeited");
    let split = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", flat("1 %"))]);
    let found = entitlement(&split[1].program, &facts_of(&split[1].program, sold()), "2024-Q2");
    assert_eq!(parts(&found), ["1.00", "3.20"], "it belongs to no line");
    assert_eq!(found.steps.last().unwrap().step, StepKind::CarriedPayout);
}

/// Each period is computed by the version that governed it, also that of two versions before.
#[test]
fn three_versions_hand_on_one_after_the_other() {
    let of = |second: Value| versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", second), ("2024-07-01", flat("2 %"))]);
    assert_eq!(paid(&of(small(10, "CARRY")), &sold(), &QUARTERS), ["0.00", "0.00", "6.20", "2.00"]);
    assert_eq!(paid(&of(flat("1 %")), &sold(), &QUARTERS), ["0.00", "4.20", "2.00", "2.00"], "paid once");
    // A version that governs no period passes on what it was handed.
    let passing = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-05", small(1, "CARRY")), ("2024-05-01", flat("1 %"))]);
    assert_eq!(governing(&passing, "2024-Q2").effective_on().to_string(), "2020-01-01");
    assert_eq!(paid(&passing, &sold(), &QUARTERS), ["0.00", "0.00", "5.20", "1.00"]);
}

/// Nothing is handed to a schedule in another currency, to one of another key, and over a version without the schedule.
#[test]
fn what_no_schedule_takes_is_handed_to_nobody() {
    let first = || ("2020-01-01", program_of(small(10, "CARRY")));
    let other = || program_with(json!([schedule_of(with(flat("1 %"), json!({ "key": "S" })))]), json!([]));
    let euros = versions(vec![first(), ("2024-04-01", program_of(with(flat("1 %"), json!({ "currency": "EUR" }))))]);
    let rates = json!([{ "from": "USD", "to": "EUR", "date": "2024-05-10", "rate": "0.5" }]);
    let program = euros[1].program.as_ref();
    let facts = facts_with(program, json!({ "partners": [with(sold(), json!({ "code": "P" }))], "exchangeRates": rates }));
    assert_eq!(amount(&entitlement(program, &facts, "2024-Q2")), "0.50", "another currency");
    let renamed = versions(vec![first(), ("2024-04-01", other())]);
    assert_eq!(paid(&renamed, &sold(), &QUARTERS), ["0.00", "1.00", "1.00", "1.00"], "another key");
    let dropped = versions(vec![first(), ("2024-04-01", other()), ("2024-07-01", program_of(flat("1 %")))]);
    assert_eq!(paid(&dropped, &sold(), &QUARTERS), ["0.00", "1.00", "1.00", "1.00"], "dropped, and there again");
    for program in [&euros[1], &renamed[1]] {
        assert_eq!(handed_to_nobody(&program.program, &euros[0].program), ["R"]);
        assert!(reads_nothing_before(&program.program));
    }
    assert!(handed_to_nobody(&program_of(flat("1 %")), &euros[0].program).is_empty());
}

fn reads_nothing_before(program: &Program) -> bool {
    program.document.rebate_schedules.iter().all(|schedule| needs_lines(program, schedule).is_none())
}

/// Whoever takes over needs lines; programs whose schedules carry nothing are computed from sums, whatever was published before.
#[test]
fn only_what_can_receive_looks_back() {
    let carrying = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", flat("1 %")), ("2024-07-01", flat("1 %"))]);
    assert_eq!(carrying.iter().map(|version| reads_nothing_before(&version.program)).collect::<Vec<_>>(), [false, false, false]);
    let plain = versions_of(vec![("2020-01-01", flat("1 %")), ("2024-04-01", flat("1 %"))]);
    assert!(plain.iter().all(|version| reads_nothing_before(&version.program) && version.program.handover().is_none()));
    // A surplus is of a fiscal year, and a version from the next year on begins without.
    let guaranteed = || with(flat("10 %"), json!({ "guarantee": { "amount": 50, "cumulative": true } }));
    let inside = versions_of(vec![("2020-01-01", guaranteed()), ("2024-04-01", flat("1 %"))]);
    let from_january = versions_of(vec![("2020-01-01", guaranteed()), ("2024-01-01", flat("1 %"))]);
    assert_eq!([&inside, &from_january].map(|versions| reads_nothing_before(&versions[1].program)), [false, true]);
    let both = || program_with(json!([schedule_of(small(10, "CARRY")), schedule_of(with(flat("1 %"), json!({ "key": "S" })))]), json!([]));
    let next = versions(vec![("2020-01-01", both()), ("2024-04-01", program_with(json!([schedule_of(with(flat("1 %"), json!({ "key": "S" })))]), json!([])))]);
    assert!(reads_nothing_before(&next[1].program), "what is carried is of another schedule");
}

#[test]
fn a_negative_basis_goes_to_a_schedule_that_measures_the_same() {
    let back =
        json!({ "transactions": [returned("1", "2024-02-10", "500.00"), sale("2", "2024-05-10", "800.00", "8"), sale("3", "2024-08-10", "100.00", "1")] });
    let carrying = || with(flat("10 %"), json!({ "carryNegative": true }));
    let then = |schedule: Value| paid(&versions_of(vec![("2020-01-01", carrying()), ("2024-04-01", schedule)]), &back, &QUARTERS);
    assert_eq!(then(flat("10 %")), ["0.00", "30.00", "10.00", "0.00"]);
    assert_eq!(then(carrying()), ["0.00", "30.00", "10.00", "0.00"]);
    assert_eq!(then(json!({ "method": { "perUnit": { "amount": 2 } } })), ["0.00", "16.00", "2.00", "0.00"], "units are not dollars");
    assert_eq!(then(with(flat("10 %"), json!({ "cumulative": true }))), ["0.00", "80.00", "10.00", "0.00"], "begins anew");
    // What exceeds the first period is forgotten where the next version does not carry, and carried on where it does.
    let more =
        json!({ "transactions": [returned("1", "2024-02-10", "900.00"), sale("2", "2024-05-10", "800.00", "8"), sale("3", "2024-08-10", "300.00", "1")] });
    let then = |schedule: Value| paid(&versions_of(vec![("2020-01-01", carrying()), ("2024-04-01", schedule)]), &more, &QUARTERS);
    assert_eq!(then(flat("10 %")), ["0.00", "0.00", "30.00", "0.00"]);
    assert_eq!(then(carrying()), ["0.00", "0.00", "20.00", "0.00"]);
}

#[test]
fn what_was_paid_above_a_guarantee_goes_over_within_the_year() {
    let guaranteed = |rate: &str| with(flat(rate), json!({ "guarantee": { "amount": 50, "cumulative": true } }));
    let sold = json!({ "transactions": [sale("1", "2023-11-10", "1300.00", "1")] });
    let split = |on: &str| versions_of(vec![("2020-01-01", guaranteed("10 %")), (on, guaranteed("10 %"))]);
    // 80 above the guarantee in the last quarter of 2023.
    let whole = versions_of(vec![("2020-01-01", guaranteed("10 %"))]);
    let periods = ["2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3"];
    assert_eq!(paid(&whole, &sold, &periods), ["130.00", "50.00", "50.00", "50.00"]);
    assert_eq!(paid(&split("2024-01-01"), &sold, &periods), ["130.00", "50.00", "50.00", "50.00"]);
    let july = |program: Value| {
        let mut document = program_of(program).document;
        document.program.fiscal_year_start = "07-01".into();
        Program::compile(document).unwrap()
    };
    let fiscal = versions(vec![("2020-01-01", july(guaranteed("10 %"))), ("2024-01-01", july(guaranteed("10 %")))]);
    assert_eq!(paid(&fiscal, &sold, &["FY2024-Q2", "FY2024-Q3", "FY2024-Q4", "FY2025-Q1"]), ["130.00", "0.00", "20.00", "50.00"]);
}

/// A guarantee on the sum to date, and what was forfeited to date, are of the sum: they go over where its bands run on.
#[test]
fn what_a_cumulative_schedule_gave_to_date_goes_over() {
    let guaranteed = |amount: i64| with(flat("10 %"), json!({ "cumulative": true, "guarantee": { "amount": amount, "cumulative": true } }));
    let back = json!({ "transactions": [sale("1", "2024-01-10", "3000.00", "1"), returned("2", "2024-05-10", "3000.00")] });
    let then = |schedule: Value| paid(&versions_of(vec![("2020-01-01", guaranteed(20)), ("2024-04-01", schedule)]), &back, &QUARTERS);
    assert_eq!(then(guaranteed(20)), ["300.00", "-260.00", "20.00", "20.00"], "as in one version");
    assert_eq!(then(guaranteed(30)), ["300.00", "-250.00", "30.00", "30.00"]);
    let monthly = with(guaranteed(20), json!({ "period": { "month": {} } }));
    let anew = versions_of(vec![("2020-01-01", guaranteed(20)), ("2024-04-01", monthly)]);
    assert_eq!(paid(&anew, &back, &["2024-04", "2024-05"]), ["20.00", "20.00"], "another sum");
    // 8.00 were forfeited, and are not charged back when the sale returns.
    let forfeits = || with(small(10, "FORFEIT"), json!({ "cumulative": true }));
    let back =
        json!({ "transactions": [sale("1", "2024-01-10", "800.00", "1"), returned("2", "2024-05-10", "800.00"), returned("3", "2024-08-10", "100.00")] });
    for next in [forfeits(), with(small(10, "CARRY"), json!({ "cumulative": true })), with(flat("1 %"), json!({ "cumulative": true }))] {
        let split = versions_of(vec![("2020-01-01", forfeits()), ("2024-04-01", next)]);
        assert_eq!(paid(&split, &back, &QUARTERS), ["0.00", "0.00", "0.00", "0.00"]);
    }
}

/// Three versions whose bands differ, one of them effective inside a quarter: every period is worth, and trued up to, what the rules give that were in
/// force when it began, less what the same rules give for the periods before.
#[test]
fn each_period_is_trued_up_by_its_own_rules() {
    let to_date = |scope: &str, bands: Value| json!({ "cumulative": true, "method": { "bands": { "scope": scope, "bands": bands } } });
    let split = versions_of(vec![
        ("2020-01-01", to_date("RETROACTIVE", json!([{ "from": 0, "rate": "1 %" }, { "from": 1000, "rate": "2 %" }]))),
        ("2024-05-15", to_date("MARGINAL", json!([{ "from": 0, "rate": "1 %" }, { "from": 1000, "rate": "5 %" }]))),
        ("2024-10-01", to_date("RETROACTIVE", json!([{ "from": 0, "rate": "10 %" }]))),
    ]);
    let sold = [("1", "2024-02-01", "800.00"), ("2", "2024-06-01", "700.00"), ("3", "2024-08-01", "500.00"), ("4", "2024-11-01", "1000.00")];
    let mut lines: Vec<Value> = sold.map(|(id, date, amount)| sale(id, date, amount, "1")).to_vec();
    let all = |lines: &[Value]| paid(&split, &json!({ "transactions": lines }), &QUARTERS);
    assert_eq!(all(&lines), ["8.00", "22.00", "25.00", "100.00"]);
    lines.push(sale("5", "2024-03-01", "300.00", "1"));
    assert_eq!(all(&lines), ["22.00", "14.00", "25.00", "100.00"], "a late line of the first quarter");
    lines.push(returned("6", "2024-06-10", "200.00"));
    assert_eq!(all(&lines), ["22.00", "10.00", "25.00", "100.00"], "a return of the second");
}

#[test]
fn periods_may_have_another_length() {
    let by = |unit: &str, schedule: Value| with(schedule, json!({ "period": { unit: {} } }));
    let shorter = versions_of(vec![("2020-01-01", by("quarter", small(10, "CARRY"))), ("2024-04-01", by("month", flat("1 %")))]);
    assert_eq!(paid(&shorter, &sold(), &["2024-Q1", "2024-04", "2024-05"]), ["0.00", "3.20", "1.00"]);
    let longer = versions_of(vec![("2020-01-01", by("month", small(10, "CARRY"))), ("2024-02-01", by("quarter", flat("1 %")))]);
    assert_eq!(paid(&longer, &sold(), &["2024-01", "2024-Q2", "2024-Q3"]), ["0.00", "4.20", "1.00"]);
    // A year that goes on while months have begun hands on what it leaves when it is over.
    let sold =
        json!({ "transactions": [sale("1", "2024-02-10", "320.00", "1"), sale("2", "2024-12-10", "100.00", "1"), sale("3", "2025-01-10", "100.00", "1")] });
    let within = versions_of(vec![("2020-01-01", by("year", small(10, "CARRY"))), ("2024-05-01", by("month", flat("1 %")))]);
    let periods = ["2024", "2024-05", "2024-12", "2025-01", "2025-02"];
    assert_eq!(paid(&within, &sold, &periods), ["0.00", "0.00", "1.00", "5.20", "0.00"]);
    let third = versions_of(vec![
        ("2020-01-01", by("year", small(10, "CARRY"))),
        ("2024-05-01", by("month", small(2, "CARRY"))),
        ("2024-09-01", by("month", flat("1 %"))),
    ]);
    assert_eq!(paid(&third, &sold, &periods), ["0.00", "0.00", "1.00", "5.20", "0.00"], "over two versions");
}

/// What was carried goes past a period in which the partner takes no part, whatever the next version does with small payouts.
#[test]
fn what_is_handed_over_waits_for_the_partner() {
    let sold = json!([sale("1", "2024-01-10", "320.00", "1"), sale("3", "2024-08-10", "100.00", "1")]);
    let away = json!({ "enrollments": [{ "since": "2020-01-01", "until": "2024-04-01" }, { "since": "2024-07-01" }], "transactions": sold });
    let then = |schedule: Value| paid(&versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", schedule)]), &away, &QUARTERS);
    assert_eq!(then(flat("1 %")), ["0.00", "0.00", "4.20", "0.00"]);
    assert_eq!(then(small(2, "FORFEIT")), ["0.00", "0.00", "4.20", "0.00"]);
    assert_eq!(then(small(10, "FORFEIT")), ["0.00", "0.00", "0.00", "0.00"]);
    assert_eq!(then(small(2, "CARRY")), ["0.00", "0.00", "4.20", "0.00"]);
}

/// Who loses in a group waits, and the best of a group that runs on over the year pays what it was handed besides.
#[test]
fn groups_take_over_too() {
    let named = |key: &str, schedule: Value| schedule_of(with(schedule, json!({ "key": key })));
    let group = |one: Value, other: Value| program_with(json!([named("R", one), named("S", other)]), json!([{ "bestOf": { "schedules": ["R", "S"] } }]));
    let first = || ("2020-01-01", program_of(small(10, "CARRY")));
    let all = |versions: &[Numbered]| -> Vec<Vec<String>> {
        let of = |period: &&str| {
            let program = governing(versions, period);
            compute(program, &facts_of(program, sold()), period).unwrap().entitlements.iter().map(amount).collect()
        };
        QUARTERS[1..].iter().map(of).collect()
    };
    let loses = versions(vec![first(), ("2024-04-01", group(flat("1 %"), flat("5 %"))), ("2024-07-01", program_of(flat("1 %")))]);
    assert_eq!(all(&loses), [vec!["0.00", "5.00"], vec!["4.20"], vec!["1.00"]]);
    let to_date = |rate: &str| with(flat(rate), json!({ "cumulative": true }));
    let best = versions(vec![first(), ("2024-04-01", group(to_date("6 %"), to_date("5 %")))]);
    assert_eq!(all(&best), [vec!["9.20", "0.00"], vec!["6.00", "0.00"], vec!["6.00", "0.00"]]);
}

/// A return that comes late, in the last period of a version, changes what the first period of the next one owes.
#[test]
fn a_late_return_changes_what_the_next_version_owes() {
    let split = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", flat("1 %"))]);
    let late = json!({ "id": "9", "date": "2024-03-20", "recordedOn": "2024-07-15", "kind": "RETURN", "amount": "200.00" });
    let mut partner = sold();
    partner["transactions"].as_array_mut().unwrap().push(late);
    let program = split[1].program.as_ref();
    let asked = ["2024-07-02", "2024-08-01"].map(|on| RunAsked { period: "2024-Q2".into(), run_on: on.parse().unwrap() });
    let found = runs(program, &facts_of(program, partner), "P", &asked, &OnRecord).unwrap();
    assert_eq!(found.iter().map(|run| run.posted_now(None)).collect::<Vec<_>>(), [420, -200]);
}

/// What conditions of a version before ask for is asked of its own metrics.
#[test]
fn conditions_of_the_version_before_are_its_own() {
    let condition = |least: i64| json!({ "condition": { "metric": { "metric": "revenue", "atLeast": least } } });
    let of = |least: i64| versions_of(vec![("2020-01-01", with(small(10, "CARRY"), condition(least))), ("2024-04-01", flat("1 %"))]);
    assert_eq!(paid(&of(300), &sold(), &QUARTERS[1..]), ["4.20", "1.00", "1.00"]);
    assert_eq!(paid(&of(400), &sold(), &QUARTERS[1..]), ["1.00", "1.00", "1.00"]);
    let split = of(300);
    let asked = asked_in_period(&split[1].program, "2024-Q2");
    assert_eq!(
        asked.iter().map(|one| (one.program.effective_on().to_string(), one.asks.measures())).collect::<Vec<_>>(),
        [("2024-04-01".to_owned(), false), ("2020-01-01".to_owned(), true)]
    );
}

/// Rules in place of a published version follow the same versions, by their own schedules.
#[test]
fn rules_in_place_of_a_version_take_over_as_it_would() {
    let split = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", with(flat("1 %"), json!({ "key": "S" })))]);
    let hypothesis = program_of(flat("2 %")).in_place_of(&split[1].program);
    assert_eq!(amount(&entitlement(&hypothesis, &facts_of(&hypothesis, sold()), "2024-Q2")), "5.20");
    assert!(goes_on_alike(&hypothesis, &hypothesis.clone()) && !goes_on_alike(&hypothesis, &split[1].program));
    let alone = split[1].program.with_schedules(|_| true);
    assert_eq!(amount(&entitlement(&alone, &facts_of(&alone, sold()), "2024-Q2")), "1.00");
}

/// What is open is estimated with what the version before hands over.
#[test]
fn estimates_take_over_too() {
    let split = versions_of(vec![("2020-01-01", small(10, "CARRY")), ("2024-04-01", flat("1 %"))]);
    let program = split[1].program.as_ref();
    let period = program.period_named("2024-Q2").unwrap();
    let found = estimate(program, &facts_of(program, sold()), "P", &period, "2024-05-20".parse().unwrap(), &[], &OnRecord).unwrap();
    assert_eq!((found[0].earned.amount(), found[0].accrued.amount()), ("4.20".to_owned(), "4.20".to_owned()));
}

const EIGHT: [&str; 8] = ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"];
const BOUNDARIES: [&str; 6] = ["2023-04-01", "2023-07-01", "2023-10-01", "2024-01-01", "2024-04-01", "2024-07-01"];

/// What schedules carry, in every way that is allowed.
fn carrying() -> impl Strategy<Value = Value> {
    (any::<bool>(), any::<bool>(), proptest::option::of((0_i64..400, any::<bool>())), proptest::option::weighted(0.5, 0_i64..200)).prop_map(
        |(cumulative, negative, minimum, guarantee)| {
            let mut options = json!({ "cumulative": cumulative, "carryNegative": negative && !cumulative });
            if let Some((amount, carry)) = minimum {
                options["minimumPayout"] = json!({ "amount": amount, "below": if carry { "CARRY" } else { "FORFEIT" } });
            }
            if let Some(amount) = guarantee {
                options["guarantee"] = json!({ "amount": amount, "cumulative": true });
            }
            options
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// A version that changes nothing changes nothing: one program, and the same in pieces that take effect on first days of periods, give
    /// every period the same entitlement, step by step and line by line.
    #[test]
    fn a_version_that_changes_nothing_changes_nothing(
        (method, options) in (super::laws::methods(), carrying()),
        (other, others) in (super::laws::methods(), carrying()),
        stacking in 0_usize..4,
        sold in proptest::collection::vec((0_i64..731, 0_i64..400_000, 0_i64..500, proptest::bool::weighted(0.35)), 0..14),
        cuts in any::<[bool; 6]>(),
        away in proptest::option::of(0_usize..7),
    ) {
        let schedules = [schedule_of(with(json!({ "method": method }), options)), schedule_of(with(json!({ "key": "S", "method": other }), others))];
        let rules = [
            json!([]),
            json!([{ "bestOf": { "schedules": ["R", "S"] } }]),
            json!([{ "netOf": { "schedule": "R", "of": ["S"] } }]),
            json!([{ "sequential": { "steps": [{ "schedule": "R" }, { "schedule": "S", "isReduced": true }] } }]),
        ];
        let document = json!({
            "guerdon": 1, "program": { "code": "TEST", "name": "Test", "currency": "USD" }, "version": { "effectiveOn": "2020-01-01" },
            "rebateSchedules": schedules, "stacking": rules[stacking],
        });
        let compiled = Program::compile(read::read_document(document).unwrap());
        prop_assume!(compiled.is_ok());
        let whole = compiled.unwrap();
        let cuts = BOUNDARIES.iter().zip(cuts).filter(|(_, cut)| *cut).map(|(day, _)| (*day, whole.clone()));
        let split = versions([("2020-01-01", whole.clone())].into_iter().chain(cuts).collect());
        let mut partner = json!({ "transactions": super::laws::written_from("2023-01-01", &sold) });
        if let Some(at) = away {
            let starts = ["2023-01-01", BOUNDARIES[0], BOUNDARIES[1], BOUNDARIES[2], BOUNDARIES[3], BOUNDARIES[4], BOUNDARIES[5], "2024-10-01"];
            partner["enrollments"] = json!([{ "since": "2020-01-01", "until": starts[at] }, { "since": starts[at + 1] }]);
        }
        let facts = facts_of(&whole, partner);
        for period in EIGHT {
            prop_assert_eq!(compute(&whole, &facts, period), compute(governing(&split, period), &facts, period), "{}", period);
        }
    }
}
