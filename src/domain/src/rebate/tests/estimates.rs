//! Open periods: with stacking, and with schedules that begin or end inside them.

use serde_json::json;

use super::*;

/// The estimates of 2024-Q1 by schedule, in the order of the document.
fn looked_at(program: &Program, sold: Value, as_of: &str, order: Value) -> Vec<Estimate> {
    of_period(program, "2024-Q1", sold, as_of, order)
}

fn of_period(program: &Program, period: &str, sold: Value, as_of: &str, order: Value) -> Vec<Estimate> {
    let facts = facts_of(program, json!({ "transactions": sold }));
    let supposed = facts_of(program, json!({ "transactions": order }));
    let lines = &supposed.partners["P"].transactions;
    estimate(program, &facts, "P", &program.period_named(period).unwrap(), as_of.parse().unwrap(), lines, &OnRecord).unwrap()
}

fn worth(estimate: &Estimate) -> Option<String> {
    estimate.next_band.as_ref().unwrap().worth.map(crate::money::Money::amount)
}

fn adds(estimate: &Estimate) -> String {
    estimate.hypothetical.as_ref().unwrap().adds.amount()
}

fn forecast(estimate: &Estimate) -> (i64, i64, String) {
    let forecast = estimate.forecast.as_ref().unwrap();
    (forecast.days, forecast.of_days, forecast.earned.amount())
}

fn named(key: &str, schedule: Value) -> Value {
    schedule_of(with(schedule, json!({ "key": key })))
}

/// What a band is worth under a cap by sales counts the sales that reach it, also where they are the first; where nothing tells how much
/// is sold on the way, no figure is given.
#[test]
fn a_cap_by_sales_grows_with_what_reaches_the_band() {
    let lump = |at: u32| json!({ "method": { "lumpSum": { "targets": [{ "at": at, "amount": 50 }] } }, "cap": { "share": "10 %" } });
    for (order, expected) in [("1000.00", "50.00"), ("2000.00", "50.00")] {
        let found = looked_at(&program_of(lump(1000)), json!([]), "2024-02-01", json!([sale("h", "2024-02-01", order, "1")]));
        assert_eq!((worth(&found[0]).as_deref(), adds(&found[0]).as_str()), (Some("50.00"), expected));
    }
    let by_quantity = program_of(with(lump(10), json!({ "basis": "quantity" })));
    assert_eq!(worth(&looked_at(&by_quantity, json!([]), "2024-02-01", json!([]))[0]), None);
    // 200.00 for four units, so 500.00 for ten.
    let sold = json!([sale("1", "2024-01-10", "200.00", "4")]);
    assert_eq!(worth(&looked_at(&by_quantity, sold, "2024-02-01", json!([]))[0]).as_deref(), Some("50.00"));
    let by_units = program_of(with(bands("RETROACTIVE", &[("0", "1 %"), ("10", "5 %")]), json!({ "qualifier": "quantity" })));
    let estimate = looked_at(&by_units, json!([]), "2024-02-01", json!([]));
    assert_eq!((worth(&estimate[0]), estimate[0].next_band.as_ref().unwrap().missing.to_string().as_str()), (None, "10"));
}

/// A schedule that others reduce is estimated on what they leave: it says what is missing, but not what that is worth.
#[test]
fn a_reduced_schedule_is_estimated_on_what_others_leave() {
    let schedules = json!([named("a", bands("RETROACTIVE", &[("0", "1 %"), ("1000", "2 %")])), named("b", flat("5 %"))]);
    let sequential = json!([{ "sequential": { "steps": [{ "schedule": "b" }, { "schedule": "a" }] } }]);
    for rule in [json!([{ "netOf": { "schedule": "a", "of": ["b"] } }]), sequential] {
        let program = program_with(schedules.clone(), rule);
        let sold = || json!([sale("1", "2024-02-01", "900.00", "1")]);
        let found = looked_at(&program, sold(), "2024-02-15", json!([sale("h", "2024-02-15", "152.64", "1")]));
        let facts = facts_of(&program, json!({ "transactions": sold() }));
        for (estimate, settled) in found.iter().zip(compute(&program, &facts, "2024-Q1").unwrap().entitlements) {
            assert_eq!((&estimate.qualifier, &estimate.basis, estimate.earned), (&settled.qualifier, &settled.basis, settled.amount));
        }
        let (reduced, other) = (&found[0], &found[1]);
        assert_eq!(reduced.next_band.as_ref().unwrap().missing.to_string(), "145");
        assert_eq!((worth(reduced), adds(reduced).as_str()), (None, "11.45"));
        assert_eq!((forecast(reduced), forecast(other)), ((46, 91, "33.83".to_owned()), (46, 91, "89.02".to_owned())));
    }
}

/// A band that leaves a schedule behind the best of its group is worth nothing that could be told; one that makes it the best is worth all
/// that it gives. Of a group one forecast counts.
#[test]
fn a_band_counts_if_its_schedule_is_the_best() {
    let estimates = |rate: &str| {
        let schedules = json!([named("a", bands("RETROACTIVE", &[("0", "1 %"), ("1000", rate)])), named("b", flat("5 %"))]);
        let program = program_with(schedules, json!([{ "bestOf": { "schedules": ["a", "b"] } }]));
        looked_at(&program, json!([sale("1", "2024-02-01", "900.00", "1")]), "2024-02-15", json!([sale("h", "2024-02-15", "100.00", "1")]))
    };
    let behind = estimates("2 %");
    assert_eq!((worth(&behind[0]), behind[0].next_band.as_ref().unwrap().missing.to_string().as_str()), (None, "100"));
    assert_eq!((adds(&behind[0]), forecast(&behind[0]).2, forecast(&behind[1]).2), ("0.00".into(), "0.00".into(), "89.02".into()));
    let ahead = estimates("10 %");
    assert_eq!((worth(&ahead[0]), adds(&ahead[0])), (Some("100.00".into()), "100.00".into()));
    assert_eq!((forecast(&ahead[0]).2, forecast(&ahead[1]).2), ("178.04".into(), "0.00".into()));
}

/// The best of a group to date: its forecast takes off what the group was worth before.
#[test]
fn a_forecast_to_date_takes_off_what_the_group_gave() {
    let cumulative = |key: &str, schedule: Value| named(key, with(schedule, json!({ "cumulative": true })));
    let schedules = json!([cumulative("c", flat("10 %")), cumulative("d", bands("RETROACTIVE", &[("0", "1 %"), ("1000", "20 %")]))]);
    let program = program_with(schedules, json!([{ "bestOf": { "schedules": ["c", "d"] } }]));
    let sold = json!([sale("1", "2024-01-10", "900.00", "1"), sale("2", "2024-04-10", "200.00", "1")]);
    let found = of_period(&program, "2024-Q2", sold, "2024-05-15", json!([]));
    assert_eq!((found[0].earned.amount().as_str(), found[1].earned.amount().as_str()), ("0.00", "130.00"));
    // 200.00 in 45 of 91 days become 404.44: 20 % of 1,304.44, less the 90.00 that the group gave in the first quarter.
    assert_eq!((forecast(&found[0]).2, forecast(&found[1])), ("0.00".into(), (45, 91, "170.89".into())));
    assert!(found[0].next_band.is_none());
}

/// Where each line is paid on its own, what the period earned goes on, not what earlier periods of the year did.
#[test]
fn a_forecast_line_by_line_is_of_its_period() {
    let program = program_of(with(flat("10 %"), json!({ "cumulative": true, "grain": "LINE" })));
    let sold = json!([sale("1", "2024-01-10", "900.00", "1"), sale("2", "2024-04-10", "200.00", "1")]);
    assert_eq!(forecast(&of_period(&program, "2024-Q2", sold, "2024-05-15", json!([]))[0]), (45, 91, "40.44".into()));
}

/// An order counts for the schedules that its own date lies in, not the day on which it is asked.
#[test]
fn an_order_counts_by_its_own_date() {
    let schedules = json!([named("s", with(flat("10 %"), json!({ "until": "2024-02-10" }))), named("t", with(flat("10 %"), json!({ "from": "2024-02-10" })))]);
    let program = program_with(schedules, json!([]));
    for (date, first, second) in [("2024-02-09", "60.00", "0.00"), ("2024-02-10", "0.00", "60.00"), ("2024-03-01", "0.00", "60.00")] {
        let found = looked_at(&program, json!([]), "2024-02-01", json!([sale("h", date, "600.00", "1")]));
        assert_eq!((adds(&found[0]).as_str(), adds(&found[1]).as_str()), (first, second), "{date}");
    }
}

/// When a schedule has ended nothing comes next, and the forecast is what was earned; the run rate counts the days in force.
#[test]
fn a_schedule_in_force_for_a_part_of_its_period() {
    let banded = with(bands("RETROACTIVE", &[("0", "2 %"), ("1000", "5 %")]), json!({ "until": "2024-01-20" }));
    let sold = || json!([sale("1", "2024-01-10", "400.00", "1")]);
    let open = looked_at(&program_of(banded.clone()), sold(), "2024-01-19", json!([]));
    assert_eq!((worth(&open[0]), forecast(&open[0])), (Some("42.00".into()), (19, 19, "8.00".into())));
    let ended = looked_at(&program_of(banded), sold(), "2024-02-15", json!([sale("h", "2024-02-15", "600.00", "1")]));
    assert!(ended[0].next_band.is_none());
    assert_eq!((adds(&ended[0]).as_str(), forecast(&ended[0])), ("0.00", (19, 19, "8.00".into())));
    let late = program_of(with(flat("10 %"), json!({ "from": "2024-03-01" })));
    let begun = looked_at(&late, json!([sale("1", "2024-03-02", "400.00", "1")]), "2024-03-10", json!([]));
    assert_eq!(forecast(&begun[0]), (10, 31, "124.00".into()));
    assert!(looked_at(&late, json!([]), "2024-02-29", json!([]))[0].forecast.is_none());
}

/// A metric that picks the band stays as it is on the day: last year's sales, certified people, the last twelve months. What is paid on goes on.
#[test]
fn a_metric_that_is_not_of_the_period_stays() {
    let sum = |of: &str, window: Value| json!({ "measure": { "source": "TRANSACTIONS", "aggregate": "SUM", "of": of, "window": window } });
    let last_year = sum("quantity", json!({ "calendar": { "unit": "YEAR", "which": "PREVIOUS" } }));
    let targets = json!([{ "at": 1, "amount": 3250 }, { "at": 700, "amount": 15000 }, { "at": 1200, "amount": 25125 }]);
    let lump = json!({ "basis": "quantity", "qualifier": { "metric": last_year }, "method": { "lumpSum": { "pay": "HIGHEST", "targets": targets } } });
    let by = |qualifier: Value, edge: &str| with(bands("RETROACTIVE", &[("0", "1 %"), (edge, "2 %")]), json!({ "qualifier": { "metric": qualifier } }));
    let people = json!({ "measure": { "source": "HOLDINGS", "aggregate": "COUNT", "window": { "onDay": {} } } });
    let year = sum("amount", json!({ "rolling": { "months": 12 } }));
    let quarter = json!({ "metric": "revenue" });
    let schedules = json!([named("cars", lump), named("people", by(people, "3")), named("year", by(year, "15000")), named("quarter", by(quarter, "1500"))]);
    let program = program_with(schedules, json!([]));
    let sold = json!([sale("1", "2023-06-01", "9000.00", "650"), sale("2", "2024-01-10", "1000.00", "10")]);
    let held = json!([{ "id": "a", "kind": "X", "since": "2020-01-01" }, { "id": "b", "kind": "X", "since": "2020-01-01" }]);
    let facts = facts_of(&program, json!({ "transactions": sold, "holdings": held }));
    let found = estimate(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), "2024-02-15".parse().unwrap(), &[], &OnRecord).unwrap();
    let told = |at: usize| {
        let forecast = found[at].forecast.as_ref().unwrap();
        (forecast.qualifier.to_string(), forecast.earned.amount(), worth(&found[at]).unwrap())
    };
    let expected = |qualifier: &str, earned: &str, worth: &str| (qualifier.to_owned(), earned.to_owned(), worth.to_owned());
    assert_eq!(told(0), expected("650", "3250.00", "11750.00"));
    // 46 of 91 days: 1,000.00 become 1,978.26. One more certified person sells nothing more.
    assert_eq!(told(1), expected("2", "19.78", "10.00"));
    assert_eq!(told(2), expected("10000", "19.78", "10.00"));
    // What was sold in the period so far goes on, also as a metric.
    assert_eq!(told(3), expected("45500/23", "39.57", "20.00"));
}

/// A metric that is paid on stays as well, and what picks the band goes on.
#[test]
fn a_metric_that_is_paid_on_stays() {
    let people = json!({ "measure": { "source": "HOLDINGS", "aggregate": "COUNT", "window": { "onDay": {} } } });
    let per_person = json!({ "basis": { "metric": people }, "qualifier": "amount", "method": { "bands": { "scope": "RETROACTIVE", "bands": [
        { "from": 0, "amountPerUnit": 5 }, { "from": 1500, "amountPerUnit": 8 },
    ] } } });
    let program = program_of(per_person);
    let facts = facts_of(
        &program,
        json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "1")], "holdings": [{ "id": "a", "kind": "X", "since": "2020-01-01" }] }),
    );
    let found = estimate(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), "2024-02-15".parse().unwrap(), &[], &OnRecord).unwrap();
    let forecast = found[0].forecast.as_ref().unwrap();
    assert_eq!((forecast.qualifier.to_string().as_str(), forecast.earned.amount().as_str()), ("45500/23", "8.00"));
    assert_eq!((found[0].next_band.as_ref().unwrap().missing.to_string().as_str(), worth(&found[0]).as_deref()), ("500", Some("3.00")));
}

/// A share of losses that falls earns more: the next band lies below, and above is none that pays more. Sales do not fall.
#[test]
fn the_next_band_is_a_better_one() {
    let losses = json!({ "formula": { "ratio": {
        "numerator": { "measure": { "source": "ACTIVITIES", "aggregate": "SUM", "of": "value", "window": { "rolling": { "months": 12 } } } },
        "denominator": { "metric": "revenue" },
    } } });
    let falling = |qualifier: Value| with(bands("RETROACTIVE", &[("0", "10 %"), ("0.5", "5 %"), ("0.6", "0 %")]), json!({ "qualifier": qualifier }));
    let next = |schedule: Value, lost: &str| {
        let program = program_of(schedule);
        let lost = json!([{ "id": "l", "date": "2024-01-05", "kind": "LOSS", "value": lost }]);
        let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "1")], "activities": lost }));
        let found = estimate(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), "2024-02-15".parse().unwrap(), &[], &OnRecord).unwrap();
        let next = found[0].next_band.clone()?;
        Some((next.band, next.from.to_string(), next.missing.to_string(), next.exclusive, next.worth.map(crate::money::Money::amount)))
    };
    let found = |band: usize, from: &str, missing: &str, worth: &str| Some((band, from.to_owned(), missing.to_owned(), true, Some(worth.to_owned())));
    assert_eq!(next(falling(json!({ "metric": losses })), "550"), found(0, "0.5", "-0.05", "50.00"));
    assert_eq!(next(falling(json!({ "metric": losses })), "900"), found(1, "0.6", "-0.3", "50.00"));
    assert_eq!(next(falling(json!({ "metric": losses })), "100"), None);
    assert_eq!(next(with(bands("RETROACTIVE", &[("0", "10 %"), ("1500", "5 %")]), json!({ "qualifier": "amount" })), "0"), None);
}
