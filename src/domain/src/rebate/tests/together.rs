//! What all lines earn together, who gets which part of it, and what belongs to no line.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn named(key: &str, schedule: Value) -> Value {
    with(schedule, json!({ "key": key, "period": { "quarter": {} } }))
}

fn fixed(amount: u32) -> Value {
    json!({ "method": { "fixed": { "amount": amount } } })
}

fn lump(amount: u32) -> Value {
    json!({ "method": { "lumpSum": { "targets": [{ "at": 1, "amount": amount }] } } })
}

fn back(id: &str, date: &str, amount: &str) -> Value {
    json!({ "id": id, "date": date, "amount": amount, "kind": "RETURN" })
}

fn of_customer(line: Value, customer: &str) -> Value {
    with(line, json!({ "customer": customer }))
}

fn shown(entitled: &Entitlement) -> (String, Vec<String>) {
    (amount(entitled), parts(entitled))
}

fn expected(amount: &str, parts: &[&str]) -> (String, Vec<String>) {
    (amount.to_owned(), parts.iter().map(|part| (*part).to_owned()).collect())
}

/// A sum takes off others what it pays, whatever negative basis was carried in: that belongs to no line.
#[test]
fn a_sum_takes_off_others_no_more_than_it_pays() {
    let sold = json!([back("r", "2024-02-01", "900.00"), sale("a", "2024-05-01", "1000.00", "1")]);
    let floored = with(flat("1 %"), json!({ "floor": { "amount": 100 } }));
    for first in [fixed(100), lump(100), floored] {
        let first = with(named("A", first), json!({ "carryNegative": true }));
        let rules = json!([{ "sequential": { "steps": [{ "schedule": "A" }, { "schedule": "B" }] } }]);
        let program = program_with(json!([first, named("B", flat("10 %"))]), rules);
        let found = compute(&program, &facts_of(&program, json!({ "transactions": sold })), "2024-Q2").unwrap().entitlements;
        assert_eq!(shown(&found[0]), expected("100.00", &["0.00", "100.00"]), "{first}");
        assert_eq!(shown(&found[1]), expected("90.00", &["90.00"]), "{first}");
    }
}

/// A return gets nothing of a sum that all lines earned together, so that no part is larger than the sum, and none is cut below a cap.
#[test]
fn no_part_of_a_sum_is_larger_than_the_sum() {
    let of =
        |schedule: Value, per: &str, cap: u32, sold: [Value; 2]| shown(&lines(with(schedule, json!({ "cap": { "amount": cap, "per": per } })), json!(sold)));
    let one = || of_customer(sale("1", "2024-02-01", "544.00", "1"), "A");
    let two = || of_customer(back("2", "2024-02-02", "500.00"), "B");
    for (schedule, sum) in [(with(flat("1 %"), json!({ "floor": { "amount": 100 } })), "100.00"), (fixed(100), "100.00"), (lump(60), "60.00")] {
        for per in ["CUSTOMER_MONTH", "LINE", "PARTNER"] {
            assert_eq!(of(schedule.clone(), per, 100, [one(), two()]), expected(sum, &[sum, "0.00"]), "{schedule} {per}");
        }
    }
    // Without a floor a customer's month counts as it is.
    assert_eq!(of(flat("1 %"), "CUSTOMER_MONTH", 100, [one(), two()]), expected("0.44", &["5.44", "-5.00"]));
    // A part that is above its own cap is cut.
    assert_eq!(of(fixed(100), "CUSTOMER_MONTH", 70, [one(), two()]), expected("70.00", &["70.00", "0.00"]));
}

/// Where customers' months have caps, they share by what each month comes to, and within a month the lines that are not returns.
#[test]
fn customers_share_a_sum_by_what_they_come_to() {
    let sold = || {
        json!([
            of_customer(sale("1", "2024-02-01", "1000.00", "10"), "A"),
            of_customer(back("2", "2024-02-02", "980.00"), "A"),
            of_customer(sale("3", "2024-02-03", "20.00", "1"), "B"),
        ])
    };
    let capped = |schedule: Value| lines(with(schedule, json!({ "cap": { "amount": 60, "per": "CUSTOMER_MONTH" } })), sold());
    let floored = with(flat("10 %"), json!({ "floor": { "amount": 100 } }));
    for schedule in [fixed(100), lump(100), floored] {
        assert_eq!(shown(&capped(schedule.clone())), expected("100.00", &["50.00", "0.00", "50.00"]), "{schedule}");
    }
}

/// Whole packages are a sum as well: one package of one unit more than came back is not a thousand packages here and 999 back there.
#[test]
fn packages_go_to_what_was_sold() {
    let packages = json!({ "method": { "perPackage": { "size": 10, "amount": 5, "packages": "CEIL" } }, "cap": { "amount": 50, "per": "LINE" } });
    let returned = with(back("2", "2024-02-02", "900.00"), json!({ "quantity": "999" }));
    let found = lines(packages, json!([sale("1", "2024-02-01", "1000.00", "1000"), returned]));
    assert_eq!(shown(&found), expected("5.00", &["5.00", "0.00"]));
}

/// What is carried in belongs to no customer and no month: whose sales come first changes nothing.
#[test]
fn a_carried_basis_belongs_to_no_customer() {
    for per in ["CUSTOMER_MONTH", "SUBSCRIPTION_MONTH", "LINE"] {
        for line in
            [sale("a", "2024-04-05", "1000.00", "1"), sale("a", "2024-05-05", "1000.00", "1"), of_customer(sale("a", "2024-04-05", "1000.00", "1"), "A")]
        {
            let of = |cap: Value| {
                let program = program_of(with(flat("10 %"), json!({ "carryNegative": true, "cap": with(cap, json!({ "per": per })) })));
                let sold = json!({ "transactions": [back("r", "2024-02-01", "600.00"), line] });
                shown(&entitlement(&program, &facts_of(&program, sold), "2024-Q2"))
            };
            assert_eq!(of(json!({ "amount": 25 })), expected("0.00", &["-25.00", "25.00"]), "{per} {line}");
            // Nothing was sold of it that a share could be taken of.
            assert_eq!(of(json!({ "share": "9 %" })), expected("30.00", &["-60.00", "90.00"]), "{per} {line}");
        }
    }
}

/// With grain LINE, a line beyond the base cap earns nothing, its sum on entry included; one that lies across it a part of both.
#[test]
fn beyond_the_base_cap_nothing_is_entered() {
    let method =
        json!({ "method": { "bands": { "scope": "MARGINAL", "bands": [{ "from": 0, "rate": "1 %" }, { "from": 500, "rate": "2 %", "onEntry": 50 }] } } });
    let sold = || json!(["1", "2", "3"].map(|id| sale(id, "2024-02-01", "1000.00", "1")));
    let capped = |cap: u32| lines(with(method.clone(), json!({ "grain": "LINE", "baseCap": cap })), sold());
    assert_eq!(shown(&capped(1000)), expected("65.00", &["65.00", "0.00", "0.00"]));
    assert_eq!(shown(&capped(1500)), expected("97.50", &["65.00", "32.50", "0.00"]));
}

/// A sum on entry belongs to the line that entered the band: one that only reaches a bound which the band below owns did not.
#[test]
fn who_owns_the_bound_says_who_entered() {
    let of = |inclusive: bool, first: &str| {
        let method = json!({ "bands": { "scope": "MARGINAL", "upperInclusive": inclusive, "bands": [{ "from": 0, "rate": "1 %" }, { "from": 2000, "rate": "1 %", "onEntry": 50 }] } });
        let schedule = json!({ "method": method, "cap": { "amount": 60, "per": "LINE" } });
        shown(&lines(schedule, json!([sale("a", "2024-02-01", first, "1"), sale("b", "2024-02-02", "100.00", "1")])))
    };
    assert_eq!(of(true, "2000.00"), expected("71.00", &["20.00", "51.00"]));
    assert_eq!(of(true, "2000.01"), expected("61.00", &["60.00", "1.00"]));
    assert_eq!(of(false, "2000.00"), expected("61.00", &["60.00", "1.00"]));
    assert_eq!(of(false, "1999.99"), expected("71.00", &["20.00", "51.00"]));
}

/// An interpolated rate is one rate: one slice, where slices are rounded.
#[test]
fn an_interpolated_rate_is_one_slice() {
    let of = |rates: [&str; 2]| {
        let schedule = with(bands("LINEAR", &[("0", rates[0]), ("2000", rates[1])]), json!({ "rounding": { "at": "BAND" } }));
        one_line(schedule, "1050.00", "1")
    };
    let even = of(["2 %", "2 %"]);
    assert_eq!(amount(&even), "21.00");
    let rising = of(["1 %", "3 %"]);
    let shares: Vec<_> = rising.bands.iter().map(|share| (share.band, share.rate.as_ref().unwrap().to_string(), share.base.to_string())).collect();
    assert_eq!((shares, amount(&rising)), (vec![(Some(0), "0.0205".to_owned(), "1050".to_owned())], "21.53".to_owned()));
}

/// A quarter in which the condition is not met pays nothing and takes nothing back; the year goes on.
#[test]
fn a_condition_holds_for_its_own_period_of_the_year() {
    let revenue = json!({ "metric": { "metric": "revenue", "atLeast": 200 } });
    let schedule =
        |more: Value| with(with(bands("RETROACTIVE", &[("0", "10 %"), ("1500", "20 %")]), json!({ "cumulative": true, "condition": revenue })), more);
    let quarters = |schedule: Value, sold: Value| {
        let program = program_of(schedule);
        let facts = facts_of(&program, json!({ "transactions": sold }));
        ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"].map(|quarter| {
            let found = entitlement(&program, &facts, quarter);
            assert_eq!(found.lines.iter().map(|line| line.amount.minor).sum::<i64>(), found.amount.minor);
            assert_eq!(Exact::sum(found.lines.iter().map(|line| &line.exact)).unwrap(), found.exact);
            assert!(found.steps.windows(2).all(|pair| pair[0].after == pair[1].before));
            amount(&found)
        })
    };
    let sold = |second: Value| json!([sale("1", "2024-01-10", "1000.00", "1"), second, sale("3", "2024-08-10", "600.00", "1")]);
    // 1,750 by the third quarter: 350, less the 115 that the first two were worth.
    let unmet = sold(sale("2", "2024-05-10", "150.00", "1"));
    assert_eq!(quarters(schedule(json!({})), unmet.clone()), ["100.00", "0.00", "235.00", "0.00"]);
    assert_eq!(quarters(schedule(json!({ "guarantee": { "amount": 30 } })), unmet), ["100.00", "30.00", "235.00", "30.00"]);
    assert_eq!(quarters(schedule(json!({})), sold(back("2", "2024-05-10", "400.00"))), ["100.00", "0.00", "60.00", "0.00"]);
}

/// What was not earned, since the condition was not met, is not taken back when it is returned.
#[test]
fn what_was_not_earned_is_not_taken_back() {
    let revenue = json!({ "metric": { "metric": "revenue", "atLeast": 200 } });
    let program = program_of(with(flat("10 %"), json!({ "cumulative": true, "condition": revenue, "scope": { "categories": ["BIKES"] } })));
    let of = |line: Value, category: &str| with(line, json!({ "category": category }));
    for (returned, third, fourth) in [("150.00", "0.00", "30.00"), ("250.00", "-10.00", "30.00"), ("100.00", "0.00", "30.00")] {
        let facts = facts_of(
            &program,
            json!({ "transactions": [
                of(sale("1", "2024-01-10", "1000.00", "1"), "BIKES"),
                of(sale("2", "2024-05-10", "150.00", "1"), "BIKES"),
                of(back("3", "2024-07-10", returned), "BIKES"),
                of(sale("4", "2024-08-10", "600.00", "1"), "SERVICES"),
                of(sale("5", "2024-11-10", "300.00", "1"), "BIKES"),
            ] }),
        );
        let found = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"].map(|quarter| amount(&entitlement(&program, &facts, quarter)));
        assert_eq!(found, ["100.00", "0.00", third, fourth], "{returned}");
    }
}

/// What a quarter in which the condition is not met does not pay takes nothing off others either.
#[test]
fn an_unmet_condition_takes_nothing_off_others() {
    let revenue = json!({ "metric": { "metric": "revenue", "atLeast": 200 } });
    let first = named("A", with(flat("10 %"), json!({ "cumulative": true, "condition": revenue })));
    let program = program_with(json!([first, named("B", flat("10 %"))]), json!([{ "netOf": { "schedule": "B", "of": ["A"] } }]));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "1"), sale("2", "2024-05-10", "150.00", "1")] }));
    let of = |quarter: &str| compute(&program, &facts, quarter).unwrap().entitlements.iter().map(amount).collect::<Vec<_>>();
    assert_eq!((of("2024-Q1"), of("2024-Q2")), (vec!["100.00".to_owned(), "90.00".into()], vec!["0.00".to_owned(), "15.00".into()]));
}

/// Two schedules of a group that are worth the same but for their rounding: the cent between them belongs to no line.
#[test]
fn a_change_of_winner_keeps_lines_and_amount_equal() {
    let cumulative = |key: &str, returns: &str, mode: &str| {
        named(key, with(flat("7.25 %"), json!({ "cumulative": true, "returns": returns, "rounding": { "mode": mode } })))
    };
    let group = json!([cumulative("A", "SALE_DATE", "DOWN"), cumulative("B", "OWN_DATE", "HALF_UP")]);
    let program = program_with(group, json!([{ "bestOf": { "schedules": ["A", "B"] } }]));
    let returned = with(back("r", "2024-08-01", "262.00"), json!({ "corrects": "a" }));
    let facts = facts_of(&program, json!({ "transactions": [sale("a", "2023-11-01", "262.00", "1"), sale("b", "2024-05-01", "1291.00", "1"), returned] }));
    let of = |quarter: &str| compute(&program, &facts, quarter).unwrap().entitlements.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(of("2024-Q2"), [expected("0.00", &["0.00"]), expected("93.60", &["93.60"])]);
    assert_eq!(of("2024-Q3"), [expected("-0.01", &["-0.01"]), expected("0.00", &["0.00"])]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// A sum is paid whole where no part of it could be above its cap, whatever came back, and no line gets more than the sum or less
    /// than nothing.
    #[test]
    fn a_sum_within_its_cap_is_paid_whole(which in 0_usize..3, per in 0_usize..4, at in 0_usize..3, sold in laws::some_lines()) {
        let method = [fixed(100), lump(100), with(flat("3 %"), json!({ "floor": { "amount": 100 } }))][which].clone();
        let per = ["PARTNER", "CUSTOMER_MONTH", "SUBSCRIPTION_MONTH", "LINE"][per];
        let at = ["ENTITLEMENT", "BAND", "LINE"][at];
        let schedule = with(method, json!({ "cap": { "amount": 100, "per": per }, "rounding": { "at": at } }));
        let line = |(at, line): (usize, Value)| {
            let (customer, subscription) = (["A", "B", "C"][at % 3], ["S", "T"][at % 2]);
            with(line, json!({ "customer": customer, "attributes": { "subscription": subscription } }))
        };
        let sold: Vec<Value> = laws::written(&sold).into_iter().enumerate().map(line).collect();
        let found = lines(schedule, json!(sold));
        let earned = found.steps.iter().find(|step| step.step == StepKind::Earn).unwrap().after.clone();
        prop_assume!(earned <= Exact::from_int(100));
        prop_assert_eq!(found.amount.minor, if earned.is_positive() { 10_000 } else { 0 });
        prop_assert_eq!(found.lines.iter().map(|line| line.amount.minor).sum::<i64>(), found.amount.minor);
        if earned.is_positive() {
            prop_assert!(found.lines.iter().all(|line| (0..=10_000).contains(&line.amount.minor)), "{:?}", parts(&found));
        }
    }
}

/// What reaching a band is worth is what an order that reaches it would add, also where a line has a cap.
#[test]
fn an_entry_that_is_supposed_lies_under_the_cap_of_its_line() {
    let method = json!({ "bands": { "scope": "MARGINAL", "bands": [{ "from": 0, "rate": "1 %" }, { "from": 1500, "rate": "2 %", "onEntry": 50 }] } });
    let program = program_of(json!({ "method": method, "cap": { "amount": 60, "per": "LINE" } }));
    let order = facts_of(&program, json!({ "transactions": [sale("o", "2024-01-20", "1500.00", "1")] }));
    let (period, day) = (program.period_named("2024-Q1").unwrap(), "2024-01-20".parse().unwrap());
    let found = estimate(&program, &facts_of(&program, json!({})), "P", &period, day, &order.partners["P"].transactions, &OnRecord).unwrap();
    let worth = found[0].next_band.as_ref().unwrap().worth.map(crate::money::Money::amount);
    assert_eq!((worth.as_deref(), found[0].hypothetical.as_ref().unwrap().adds.amount().as_str()), (Some("60.00"), "60.00"));
}

/// A forecast of a quarter in which the condition is not met so far is nothing, also line by line.
#[test]
fn an_unmet_condition_forecasts_nothing() {
    let revenue = json!({ "metric": { "metric": "revenue", "atLeast": 200 } });
    for grain in ["PERIOD", "LINE"] {
        let program = program_of(with(flat("10 %"), json!({ "cumulative": true, "grain": grain, "condition": revenue })));
        let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "900.00", "1"), sale("2", "2024-04-10", "100.00", "1")] }));
        let period = program.period_named("2024-Q2").unwrap();
        let found = estimate(&program, &facts, "P", &period, "2024-04-30".parse().unwrap(), &[], &OnRecord).unwrap().remove(0);
        assert_eq!((found.earned.amount(), found.forecast.unwrap().earned.amount()), ("0.00".to_owned(), "0.00".to_owned()), "{grain}");
    }
}

/// Parts of packages belong to their lines, also where sales and returns come to nothing in sum: another schedule that does not have
/// the return is reduced by what the sale earned.
#[test]
fn parts_of_packages_reduce_others_whatever_the_sum() {
    for back_again in ["99", "100"] {
        let first =
            with(named("A", json!({ "method": { "perPackage": { "size": 10, "amount": 5, "packages": "PRORATE" } } })), json!({ "returns": "SALE_DATE" }));
        let rules = json!([{ "netOf": { "schedule": "B", "of": ["A"] } }]);
        let program = program_with(json!([first, named("B", flat("10 %"))]), rules);
        let back = json!({ "id": "r", "date": "2024-05-01", "amount": "1000.00", "quantity": back_again, "kind": "RETURN", "corrects": "a" });
        let sold = json!([sale("a", "2024-02-01", "1000.00", "100"), back]);
        let found = compute(&program, &facts_of(&program, json!({ "transactions": sold })), "2024-Q1").unwrap().entitlements;
        assert_eq!(amount(&found[1]), "95.00", "{back_again}");
    }
}
