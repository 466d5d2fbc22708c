//! The conventions, one by one; the numbers are those of the design's list of semantics.

use serde_json::json;

use super::*;

fn of(scope: &str, inclusive: bool, rows: Value, amount: &str) -> String {
    let schedule = json!({ "method": { "bands": { "scope": scope, "upperInclusive": inclusive, "bands": rows } } });
    super::amount(&one_line(schedule, amount, "1"))
}

/// 10: the qualifier picks the band, the basis is paid on.
#[test]
fn reach_the_band_on_units_get_paid_on_value() {
    let schedule = with(bands("RETROACTIVE", &[("0", "1 %"), ("100", "2 %")]), json!({ "qualifier": "quantity" }));
    assert_eq!(amount(&one_line(schedule.clone(), "1000.00", "99")), "10.00");
    assert_eq!(amount(&one_line(schedule, "1000.00", "100")), "20.00");
    let metric = with(
        bands("RETROACTIVE", &[("0", "1 %"), ("5000", "2 %")]),
        json!({ "qualifier": { "metric": { "metric": "revenue" } }, "scope": { "categories": ["BIKES"] } }),
    );
    let sold = json!([
        { "id": "1", "date": "2024-02-01", "amount": "1000.00", "category": "BIKES" },
        { "id": "2", "date": "2024-02-02", "amount": "4000.00", "category": "SERVICES" },
    ]);
    assert_eq!(amount(&lines(metric, sold)), "20.00");
}

/// 10: a metric as the basis belongs to no line.
#[test]
fn a_metric_is_paid_on() {
    let schedule = with(flat("10 %"), json!({ "basis": { "metric": { "metric": "revenue" } } }));
    let entitled = one_line(schedule, "1234.56", "1");
    assert_eq!((amount(&entitled).as_str(), entitled.lines.len()), ("123.46", 1));
    assert_eq!(entitled.lines[0].id, None);
}

/// 11: each line on its own; a return takes back what a sale of its size earns.
#[test]
fn each_line_on_its_own() {
    let schedule = with(bands("RETROACTIVE", &[("0", "1 %"), ("100", "10 %")]), json!({ "grain": "LINE" }));
    let sold = json!([
        sale("1", "2024-02-01", "60.00", "1"),
        sale("2", "2024-02-02", "150.00", "1"),
        { "id": "3", "date": "2024-02-03", "kind": "RETURN", "amount": "100.00" },
    ]);
    let entitled = lines(schedule, sold);
    assert_eq!(parts(&entitled), ["0.60", "15.00", "-10.00"]);
    assert_eq!(amount(&entitled), "5.60");
}

/// 12: one unit below, on and above an edge, for both owners of the bound.
#[test]
fn edges_belong_to_the_upper_band_unless_turned() {
    let rows = || json!([{ "from": 0, "rate": "1 %" }, { "from": 100, "rate": "10 %" }]);
    let expected = [
        ("MARGINAL", ["1.00", "1.00", "1.00"], ["1.00", "1.00", "1.00"]),
        ("RETROACTIVE", ["1.00", "10.00", "10.00"], ["1.00", "1.00", "10.00"]),
        ("ROLLING", ["1.00", "11.00", "11.00"], ["1.00", "1.00", "11.00"]),
        ("TOTAL", ["1.00", "11.00", "11.00"], ["1.00", "1.00", "11.00"]),
    ];
    for (scope, upper, lower) in expected {
        for (at, amount) in ["99.99", "100.00", "100.01"].into_iter().enumerate() {
            assert_eq!(of(scope, false, rows(), amount), upper[at], "{scope} at {amount}");
            assert_eq!(of(scope, true, rows(), amount), lower[at], "{scope} at {amount}, upper inclusive");
        }
    }
}

/// 12: the first band may start above zero and earns nothing below; nothing lies in a closed last band's beyond.
#[test]
fn below_the_first_and_beyond_the_last_band() {
    let rows = || json!([{ "from": 100, "to": 200, "rate": "10 %" }]);
    for (scope, expected) in [("MARGINAL", ["0.00", "0.01", "10.00", "10.00"]), ("RETROACTIVE", ["0.00", "10.01", "0.00", "0.00"])] {
        let found = ["99.99", "100.10", "200.00", "300.00"].map(|amount| of(scope, false, rows(), amount));
        assert_eq!(found, expected, "{scope}");
    }
    assert_eq!(of("RETROACTIVE", true, rows(), "200.00"), "20.00");
    assert_eq!(of("RETROACTIVE", true, rows(), "100.00"), "0.00");
}

/// 12: edges compare with the exact basis, before any rounding: 99,999.999 is below 100,000 although it would print as that.
#[test]
fn the_exact_basis_decides() {
    let schedule = with(bands("RETROACTIVE", &[("0", "1 %"), ("100000", "2 %")]), json!({ "exchange": {} }));
    let program = program_of(schedule);
    let input = |minor: &str| {
        json!({
            "partners": [{ "code": "P", "transactions": [{ "id": "1", "date": "2024-02-01", "amount": minor, "currency": "JPY" }] }],
            "exchangeRates": [{ "from": "JPY", "to": "USD", "date": "2024-02-01", "rate": "0.0099999999" }],
        })
    };
    let just_below = entitlement(&program, &facts_with(&program, input("10000000")), "2024-Q1");
    assert_eq!((just_below.basis.to_string().as_str(), amount(&just_below).as_str()), ("99999.999", "1000.00"));
    let above = entitlement(&program, &facts_with(&program, input("10000001")), "2024-Q1");
    assert_eq!(amount(&above), "2000.00");
}

/// 12: the rate moves in a straight line; full bands add up and the open one counts in proportion.
#[test]
fn interpolation() {
    let linear = || json!([{ "from": 0, "rate": "1 %" }, { "from": 100, "rate": "2 %" }, { "from": 300, "rate": "5 %" }]);
    for (amount, expected) in [("0.00", "0.00"), ("50.00", "0.75"), ("100.00", "2.00"), ("200.00", "7.00"), ("300.00", "15.00"), ("900.00", "45.00")] {
        assert_eq!(of("LINEAR", false, linear(), amount), expected, "{amount}");
    }
    let proportional = || json!([{ "from": 0, "rate": "1 %" }, { "from": 100, "to": 300, "rate": "2 %" }]);
    for (amount, expected) in [("50.00", "0.25"), ("100.00", "1.00"), ("200.00", "4.00"), ("300.00", "9.00"), ("1000.00", "30.00")] {
        assert_eq!(of("PROPORTIONAL", false, proportional(), amount), expected, "{amount}");
    }
}

/// 12: amounts per unit and per package, and a sum on entering the band.
#[test]
fn bands_of_packages_and_sums() {
    let band = |packages: &str| {
        json!({ "basis": "quantity", "method": { "bands": { "scope": "MARGINAL", "bands": [
            { "from": 0, "perPackage": { "size": 10, "amount": 3, "packages": packages } },
            { "from": 25, "amountPerUnit": "0.5", "onEntry": 7 },
        ] } } })
    };
    // 25 units are two, three or two and a half packages; five units at 0.5 and the sum follow.
    for (packages, expected) in [("FLOOR", "15.50"), ("CEIL", "18.50"), ("PRORATE", "17.00")] {
        assert_eq!(amount(&one_line(band(packages), "0.00", "30")), expected, "{packages}");
    }
    assert_eq!(amount(&one_line(band("FLOOR"), "0.00", "24.999999")), "6.00");
    assert_eq!(amount(&one_line(band("FLOOR"), "0.00", "25")), "13.00");
}

fn tiered(tier_at: &str, method: Value) -> Entitlement {
    let program = program_of(json!({ "tierAt": tier_at, "method": method }));
    let facts = facts_of(
        &program,
        json!({
            "assignments": [
                { "tier": "SILVER", "from": "2023-01-01", "until": "2024-02-01" },
                { "tier": "PLATINUM", "from": "2024-02-01", "until": "2024-03-01" },
                { "tier": "GOLD", "from": "2024-03-01" },
            ],
            "transactions": [
                sale("1", "2024-01-31", "80.00", "1"), sale("2", "2024-02-01", "80.00", "1"), sale("3", "2024-03-31", "40.00", "1"),
            ],
        }),
    );
    entitlement(&program, &facts, "2024-Q1")
}

/// 13: the tier at each transaction's date, at the period's end, or the best of the period.
#[test]
fn which_tier_counts() {
    let rate = json!({ "tiers": { "SILVER": "1 %", "GOLD": "10 %", "PLATINUM": "50 %" } });
    let flat = json!({ "flat": { "rate": rate } });
    assert_eq!(parts(&tiered("TRANSACTION_DATE", flat.clone())), ["0.80", "40.00", "4.00"]);
    assert_eq!(amount(&tiered("PERIOD_END", flat.clone())), "20.00");
    assert_eq!(amount(&tiered("BEST_IN_PERIOD", flat)), "100.00");
    // Bands fill once, in date order; each portion pays its band's rate for the tier of its date.
    let bands = |scope: &str| {
        json!({ "bands": { "scope": scope, "bands": [
            { "from": 0, "rate": { "tiers": { "SILVER": "1 %", "GOLD": "2 %", "PLATINUM": "3 %" } } },
            { "from": 100, "rate": { "tiers": { "SILVER": "10 %", "GOLD": "20 %", "PLATINUM": "30 %" } } },
        ] } })
    };
    // 80 SILVER at 1 %; 20 PLATINUM at 3 % and 60 at 30 %; 40 GOLD at 20 %.
    assert_eq!(parts(&tiered("TRANSACTION_DATE", bands("MARGINAL"))), ["0.80", "18.60", "8.00"]);
    // The band from the whole (200), each line its own tier's rate.
    assert_eq!(parts(&tiered("TRANSACTION_DATE", bands("RETROACTIVE"))), ["8.00", "24.00", "8.00"]);
}

/// 13: a scope of tiers follows the same rule; an override counts as held; who holds no tier has the default.
#[test]
fn tiers_of_the_scope() {
    let scoped = |tier_at: &str| with(flat("10 %"), json!({ "tierAt": tier_at, "scope": { "tiers": ["GOLD"] } }));
    let facts = json!({
        "assignments": [{ "tier": "SILVER", "from": "2023-01-01", "until": "2024-02-01" }, { "tier": "GOLD", "from": "2024-02-01" }],
        "transactions": [sale("1", "2024-01-31", "80.00", "1"), sale("2", "2024-02-01", "20.00", "1")],
    });
    for (tier_at, expected) in [("TRANSACTION_DATE", "2.00"), ("PERIOD_END", "10.00")] {
        let program = program_of(scoped(tier_at));
        assert_eq!(amount(&entitlement(&program, &facts_of(&program, facts.clone()), "2024-Q1")), expected, "{tier_at}");
    }
    let program = program_of(scoped("PERIOD_END"));
    let pinned = with(facts, json!({ "overrides": [{ "kind": "PIN", "tier": "SILVER", "from": "2024-03-01", "reason": "test" }] }));
    let entitled = entitlement(&program, &facts_of(&program, pinned), "2024-Q1");
    assert_eq!((amount(&entitled).as_str(), entitled.tier.as_deref(), entitled.steps[0].step), ("0.00", Some("SILVER"), StepKind::NotInScope));
}

/// 6: an overridden tier counts as held, also by a partner that nobody has reviewed yet.
#[test]
fn an_override_counts_where_no_assignment_is_on_record() {
    let facts = json!({
        "overrides": [{ "kind": "PIN", "tier": "GOLD", "from": "2024-02-01", "until": "2024-03-01", "reason": "test" }],
        "transactions": [sale("1", "2024-01-31", "80.00", "1"), sale("2", "2024-02-01", "20.00", "1")],
    });
    for (tier_at, expected) in [("TRANSACTION_DATE", "2.00"), ("BEST_IN_PERIOD", "10.00"), ("PERIOD_END", "0.00")] {
        let program = program_of(with(flat("10 %"), json!({ "tierAt": tier_at, "scope": { "tiers": ["GOLD"] } })));
        let facts = facts_of(&program, facts.clone());
        let result = compute_period(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), None, &OnRecord).unwrap();
        assert_eq!(amount(&result.entitlements[0]), expected, "{tier_at}");
    }
}

/// 13: where no assignment is on record, the evaluation of the caller is asked.
#[test]
fn tiers_are_asked_where_none_is_on_record() {
    let program = program_of(json!({ "tierAt": "TRANSACTION_DATE", "method": { "flat": { "rate": { "default": 0, "tiers": { "GOLD": "10 %" } } } } }));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-31", "80.00", "1"), sale("2", "2024-02-01", "20.00", "1")] }));
    let since = "2024-02-01".parse::<Date>().unwrap();
    let source = |_: &PartnerFacts, _: &str, date: Date| -> Result<Option<String>, Faults> { Ok((date >= since).then(|| "GOLD".to_owned())) };
    let result = compute_period(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), None, &source).unwrap();
    assert_eq!(amount(&result.entitlements[0]), "2.00");
    // The tiers of this ladder ask for nothing: whoever is enrolled holds the highest.
    let levelled = Levelled::new(&program, &facts);
    let result = compute_period(&program, &facts, "P", &program.period_named("2024-Q1").unwrap(), None, &levelled).unwrap();
    assert_eq!(result.entitlements[0].lines[0].tier.as_deref(), Some("PLATINUM"));
}

/// 14: earn, base cap, floor, cap, round.
#[test]
fn bounds_in_order() {
    let capped = with(flat("1 %"), json!({ "baseCap": 100_000 }));
    assert_eq!(amount(&one_line(capped, "250000.00", "1")), "1000.00");
    // Marginal bands: the first so much basis earns. The band is picked by everything.
    let marginal = with(bands("MARGINAL", &[("0", "1 %"), ("100", "10 %")]), json!({ "baseCap": 150 }));
    assert_eq!(amount(&one_line(marginal, "1000.00", "1")), "6.00");
    let retroactive = with(bands("RETROACTIVE", &[("0", "1 %"), ("500", "10 %")]), json!({ "baseCap": 150 }));
    assert_eq!(amount(&one_line(retroactive, "1000.00", "1")), "15.00");
    let floored = |unconditional: bool| with(flat("1 %"), json!({ "floor": { "amount": 50, "unconditional": unconditional }, "cap": { "amount": 80 } }));
    for (sold, expected) in [("100.00", "50.00"), ("6000.00", "60.00"), ("9000.00", "80.00")] {
        let entitled = one_line(floored(false), sold, "1");
        assert_eq!(amount(&entitled), expected);
        assert_eq!(parts(&entitled), [expected]);
    }
    assert_eq!(amount(&lines(floored(false), json!([]))), "0.00");
    assert_eq!(amount(&lines(floored(true), json!([]))), "50.00");
    let kinds: Vec<StepKind> = one_line(with(floored(true), json!({ "baseCap": 5 })), "100.00", "1").steps.iter().map(|step| step.step).collect();
    assert_eq!(kinds, [StepKind::Earn, StepKind::BaseCap, StepKind::Floor, StepKind::Cap, StepKind::Round]);
}

/// Who is enrolled on no day of the period earns nothing, whatever is sold or guaranteed; one day suffices.
#[test]
fn only_who_takes_part_earns() {
    let schedule = with(flat("1 %"), json!({ "guarantee": { "amount": 7 } }));
    let program = program_of(schedule);
    let of = |enrollments: Value| {
        let mut facts = json!({ "transactions": [sale("1", "2024-02-01", "1000.00", "1")] });
        facts["enrollments"] = enrollments;
        amount(&entitlement(&program, &facts_of(&program, facts), "2024-Q1"))
    };
    let cases = [
        ("2023-01-01", "2024-01-01", "0.00"),
        ("2023-01-01", "2024-01-02", "10.00"),
        ("2024-03-31", "2025-01-01", "10.00"),
        ("2024-04-01", "2025-01-01", "0.00"),
    ];
    for (since, until, expected) in cases {
        assert_eq!(of(json!([{ "since": since, "until": until }])), expected, "{since} to {until}");
    }
    assert_eq!(of(json!([])), "10.00", "facts without any enrollment are of somebody who is enrolled");
}

/// 14: a cap may be a share of what was sold, of a metric, or the lower of a share and a figure.
#[test]
fn caps_by_share() {
    let fixed = |cap: Value| with(json!({ "method": { "fixed": { "amount": 100 } } }), json!({ "cap": cap }));
    for (sold, expected) in [("1999.99", "100.00"), ("2000.00", "100.00"), ("1999.80", "99.99"), ("0.00", "0.00")] {
        assert_eq!(amount(&one_line(fixed(json!({ "share": "5 %" })), sold, "1")), expected, "{sold}");
    }
    assert_eq!(amount(&one_line(fixed(json!({ "share": "5 %", "amount": 40 })), "1000.00", "1")), "40.00");
    assert_eq!(amount(&one_line(fixed(json!({ "share": "5 %", "amount": 60 })), "1000.00", "1")), "50.00");
    let of_all = with(fixed(json!({ "share": "1 %", "of": { "metric": "revenue" } })), json!({ "scope": { "categories": ["BIKES"] } }));
    let sold = json!([
        { "id": "1", "date": "2024-02-01", "amount": "1000.00", "category": "BIKES" },
        { "id": "2", "date": "2024-02-02", "amount": "4000.00", "category": "SERVICES" },
    ]);
    let entitled = lines(of_all, sold);
    assert_eq!(amount(&entitled), "50.00");
    assert_eq!(entitled.steps.iter().find(|step| step.step == StepKind::Cap).and_then(|step| step.bound.clone()), Some(Exact::from_int(50)));
}

/// 14: a customer's month takes back what it may earn at most, and a cap makes no debt of what was earned.
#[test]
fn caps_of_parts_hold_in_both_directions() {
    let line = |id: &str, date: &str, amount: &str, kind: &str, customer: &str| json!({ "id": id, "date": date, "amount": amount, "kind": kind, "customer": customer });
    let capped = |cap: Value| with(flat("10 %"), json!({ "cap": cap }));
    let sold = |back: Value| json!([line("1", "2024-01-10", "1000.00", "SALE", "A"), back, line("3", "2024-02-11", "450.00", "RETURN", "C")]);
    let cap = json!({ "amount": 20, "per": "CUSTOMER_MONTH" });
    let all = lines(capped(cap.clone()), sold(line("2", "2024-02-10", "450.00", "RETURN", "B")));
    assert_eq!((amount(&all).as_str(), parts(&all)), ("0.00", vec!["0.00".to_owned(); 3]));
    let one = lines(capped(cap), sold(line("2", "2024-02-10", "450.00", "RETURN", "C")));
    assert_eq!((amount(&one).as_str(), parts(&one)), ("0.00", ["20.00", "-10.00", "-10.00"].map(str::to_owned).to_vec()));
}

/// 14 and 15: no rounding lifts a line or a band above its cap.
#[test]
fn rounding_stays_under_caps_of_parts() {
    let sold = json!([sale("1", "2024-01-10", "100.00", "5"), sale("2", "2024-02-10", "50.00", "1")]);
    let packages = json!({ "bands": { "scope": "RETROACTIVE", "bands": [{ "from": 0, "perPackage": { "size": 2, "amount": 20 }, "onEntry": 15 }] } });
    let up = |method: Value, cap: &str, at: &str| json!({ "method": method, "cap": { "amount": cap, "per": "LINE" }, "rounding": { "mode": "UP", "at": at } });
    let by_line = lines(up(packages, "27.29", "LINE"), sold);
    assert_eq!((amount(&by_line).as_str(), parts(&by_line)), ("37.29", ["27.29", "10.00"].map(str::to_owned).to_vec()));
    let marginal = json!({ "bands": { "scope": "MARGINAL", "bands": [{ "from": 0, "rate": "10 %" }, { "from": 30, "rate": "20 %" }] } });
    assert_eq!(amount(&lines(up(marginal, "10.00", "BAND"), json!([sale("1", "2024-01-10", "100.00", "1")]))), "10.00");
}

/// 14: a share of each line, of each customer's month; a return takes back what it would have been given at most.
#[test]
fn caps_by_share_of_parts() {
    let sold = json!([
        { "id": "1", "date": "2024-01-05", "amount": "100.00", "quantity": "8", "customer": "A" },
        { "id": "2", "date": "2024-01-20", "amount": "300.00", "quantity": "1", "customer": "A" },
        { "id": "3", "date": "2024-02-05", "kind": "RETURN", "amount": "100.00", "quantity": "8", "customer": "A" },
    ]);
    let capped = |per: &str| lines(with(json!({ "method": { "perUnit": { "amount": 2 } } }), json!({ "cap": { "share": "3 %", "per": per } })), sold.clone());
    assert_eq!(parts(&capped("LINE")), ["3.00", "2.00", "-3.00"]);
    assert_eq!(parts(&capped("CUSTOMER_MONTH")), ["10.67", "1.33", "-3.00"]);
}

/// 14: caps per customer and month, per subscription and month, per line.
#[test]
fn caps_of_groups() {
    let line = |id: &str, date: &str, amount: &str, customer: &str, subscription: &str| json!({ "id": id, "date": date, "amount": amount, "customer": customer, "attributes": { "subscription": subscription } });
    let sold = json!([
        line("1", "2024-01-10", "100.00", "A", "S1"),
        line("2", "2024-01-20", "200.00", "A", "S2"),
        line("3", "2024-02-10", "100.00", "A", "S2"),
        line("4", "2024-02-10", "30.00", "B", "S3"),
    ]);
    let capped = |per: &str| lines(with(flat("10 %"), json!({ "cap": { "amount": 15, "per": per } })), sold.clone());
    assert_eq!(parts(&capped("CUSTOMER_MONTH")), ["5.00", "10.00", "10.00", "3.00"]);
    assert_eq!(parts(&capped("SUBSCRIPTION_MONTH")), ["10.00", "15.00", "10.00", "3.00"]);
    assert_eq!(parts(&capped("LINE")), ["10.00", "15.00", "10.00", "3.00"]);
    assert_eq!(amount(&capped("PARTNER")), "15.00");
}

/// 14: what is below the minimum is forfeited, or carried until it is reached.
#[test]
fn minimum_payout() {
    let program = |below: &str| program_of(with(flat("10 %"), json!({ "minimumPayout": { "amount": 10, "below": below } })));
    let sold = json!({ "transactions": [sale("1", "2024-01-10", "60.00", "1"), sale("2", "2024-04-10", "39.99", "1"), sale("3", "2024-07-10", "0.10", "1")] });
    for (below, expected) in [("FORFEIT", ["0.00", "0.00", "0.00"]), ("CARRY", ["0.00", "10.00", "0.00"])] {
        let program = program(below);
        let facts = facts_of(&program, sold.clone());
        let found = ["2024-Q1", "2024-Q2", "2024-Q3"].map(|period| amount(&entitlement(&program, &facts, period)));
        assert_eq!(found, expected, "{below}");
    }
    let program = program("CARRY");
    let facts = facts_of(&program, sold);
    assert_eq!(entitlement(&program, &facts, "2024-Q1").carried_payout.unwrap().amount(), "6.00");
    assert_eq!(parts(&entitlement(&program, &facts, "2024-Q2")), ["4.00", "6.00"]);
}

/// 14: a condition is judged on the period's last day; a pass rate is n of m.
#[test]
fn conditions() {
    let revenue = |above: u32| json!({ "metric": { "metric": "revenue", "above": above } });
    let holding = |kind: &str| json!({ "holding": { "kind": kind } });
    let condition = json!({ "atLeast": { "n": 2, "of": [revenue(100_000), holding("PLAN"), holding("TRAINING")] } });
    let program = program_of(with(flat("1 %"), json!({ "condition": condition })));
    let partner = |amount: &str, holdings: Value| facts_of(&program, json!({ "transactions": [sale("1", "2024-02-01", amount, "1")], "holdings": holdings }));
    let plan = json!([{ "id": "h1", "kind": "PLAN", "since": "2024-03-31" }]);
    // WE-45, Enable: two of three; 'exceed' is strictly more. <https://enable.com/articles/additional-conditions>
    assert_eq!(amount(&entitlement(&program, &partner("100000.01", plan.clone()), "2024-Q1")), "1000.00");
    assert_eq!(amount(&entitlement(&program, &partner("100000.00", plan), "2024-Q1")), "0.00");
    let late = json!([{ "id": "h1", "kind": "PLAN", "since": "2024-04-01" }]);
    assert_eq!(amount(&entitlement(&program, &partner("200000.00", late), "2024-Q1")), "0.00");
}

/// 14: a budget is shared by largest remainder, or refuses.
#[test]
fn budgets() {
    let program = |when: &str| program_of(with(flat("10 %"), json!({ "budget": { "amount": 100, "whenExceeded": when } })));
    let partner =
        |code: &str, amount: &str| json!({ "code": code, "transactions": [sale("1", "2024-02-01", amount, "1"), sale("2", "2024-02-02", amount, "1")] });
    let sold = json!({ "partners": [partner("P", "1000.00"), partner("Q", "500.00"), partner("R", "500.00")] });
    let shared = program("PRO_RATA");
    let facts = facts_with(&shared, sold.clone());
    let all = compute_period_for_all(&shared, &facts, &shared.period_named("2024-Q1").unwrap(), &Knowledge::default(), &OnRecord).unwrap();
    let amounts: Vec<String> = all.values().map(|result| amount(&result.entitlements[0])).collect();
    assert_eq!(amounts, ["50.00", "25.00", "25.00"]);
    assert_eq!(parts(&entitlement(&shared, &facts, "2024-Q1")), ["25.00", "25.00"]);
    let refusing = program("REFUSE");
    let faults = compute(&refusing, &facts_with(&refusing, sold), "2024-Q1").unwrap_err();
    assert_eq!(faults.0[0].code, "BUDGET_EXCEEDED");
    let earned = [("A", 5), ("B", 5), ("C", -7)];
    let odd = Budgeted::with("0.09");
    assert_eq!(share_budget(&odd.0, crate::money::Currency::USD, &earned).unwrap(), [5, 4, -7]);
}

struct Budgeted(RebateSchedule);

impl Budgeted {
    fn with(amount: &str) -> Self {
        let program = program_of(super::with(flat("1 %"), json!({ "budget": { "amount": amount } })));
        Self(program.document.rebate_schedules[0].clone())
    }
}

/// 15: rounded once, after the cap; the rounded total is shared over the lines by largest remainder.
#[test]
fn rounded_once_and_shared() {
    let thirds = json!([sale("1", "2024-01-01", "0.10", "1"), sale("2", "2024-01-02", "0.10", "1"), sale("3", "2024-01-03", "0.10", "1")]);
    let entitled = lines(flat("25 %"), thirds.clone());
    assert_eq!((entitled.exact.to_string().as_str(), amount(&entitled).as_str()), ("0.075", "0.08"));
    assert_eq!(parts(&entitled), ["0.03", "0.03", "0.02"]);
    let rounded = |mode: &str, at: &str| amount(&lines(with(flat("25 %"), json!({ "rounding": { "mode": mode, "at": at } })), thirds.clone()));
    let found =
        [("HALF_UP", "ENTITLEMENT"), ("DOWN", "ENTITLEMENT"), ("HALF_UP", "LINE"), ("HALF_EVEN", "LINE"), ("DOWN", "LINE")].map(|(mode, at)| rounded(mode, at));
    assert_eq!(found, ["0.08", "0.07", "0.09", "0.06", "0.06"]);
    // A half of an even cent.
    let tie = json!([sale("1", "2024-01-01", "0.50", "1")]);
    let of_tie = |mode: &str| amount(&lines(with(flat("25 %"), json!({ "rounding": { "mode": mode } })), tie.clone()));
    assert_eq!(["HALF_UP", "HALF_EVEN", "DOWN", "UP"].map(of_tie), ["0.13", "0.12", "0.12", "0.13"]);
    let slices = |at: &str| with(bands("MARGINAL", &[("0", "25 %"), ("0.10", "25 %")]), json!({ "rounding": { "at": at } }));
    let one = json!([sale("1", "2024-01-01", "0.20", "1")]);
    assert_eq!((amount(&lines(slices("ENTITLEMENT"), one.clone())), amount(&lines(slices("BAND"), one))), ("0.05".to_owned(), "0.06".to_owned()));
}

/// 15: currencies with other minor units.
#[test]
fn minor_units_of_the_currency() {
    for (currency, amount_sold, expected) in [("JPY", "33", "3"), ("KWD", "0.033", "0.003"), ("USD", "0.33", "0.03")] {
        let sold = json!([{ "id": "1", "date": "2024-02-01", "amount": amount_sold, "currency": currency }]);
        assert_eq!(amount(&lines(with(flat("10 %"), json!({ "currency": currency })), sold)), expected);
    }
}

/// 16: returns count negative however signed, on their own date or on the sale's with its tier.
#[test]
fn returns() {
    let facts = |signed: &str| {
        json!({
            "assignments": [{ "tier": "GOLD", "from": "2023-01-01", "until": "2024-04-01" }, { "tier": "SILVER", "from": "2024-04-01" }],
            "transactions": [
                sale("1", "2024-02-01", "100.00", "1"),
                sale("2", "2024-05-01", "100.00", "1"),
                { "id": "3", "date": "2024-05-02", "kind": "RETURN", "corrects": "1", "amount": signed },
            ],
        })
    };
    let rates = json!({ "flat": { "rate": { "tiers": { "SILVER": "1 %", "GOLD": "10 %" } } } });
    for signed in ["40.00", "-40.00"] {
        let found = ["OWN_DATE", "SALE_DATE"].map(|returns| {
            let program = program_of(json!({ "returns": returns, "tierAt": "TRANSACTION_DATE", "method": rates }));
            let facts = facts_of(&program, facts(signed));
            (amount(&entitlement(&program, &facts, "2024-Q1")), amount(&entitlement(&program, &facts, "2024-Q2")))
        });
        assert_eq!(found, [("10.00".into(), "0.60".into()), ("6.00".into(), "1.00".into())], "{signed}");
    }
}

/// 16: a negative basis earns nothing and is forgotten, unless it is carried.
#[test]
fn negative_periods() {
    let sold = json!({ "transactions": [
        { "id": "1", "date": "2024-02-01", "kind": "RETURN", "amount": "300.00" },
        sale("2", "2024-05-01", "200.00", "1"), sale("3", "2024-08-01", "200.00", "1"),
    ] });
    for (carry, expected) in [(false, ["0.00", "20.00", "20.00"]), (true, ["0.00", "0.00", "10.00"])] {
        let program = program_of(with(flat("10 %"), json!({ "carryNegative": carry })));
        let facts = facts_of(&program, sold.clone());
        assert_eq!(["2024-Q1", "2024-Q2", "2024-Q3"].map(|period| amount(&entitlement(&program, &facts, period))), expected);
    }
}

/// 17: without a baseline nothing is earned, or everything is growth in the highest band.
#[test]
fn growth_without_a_baseline() {
    let growth = |zero: &str, pay_on: &str| {
        json!({ "method": { "growth": {
            "baseline": { "samePeriodLastYear": {} }, "payOn": pay_on, "zeroBaseline": zero,
            "bands": [{ "from": "1.1", "rate": "1 %" }, { "from": "1.5", "rate": "5 %" }],
        } } })
    };
    for pay_on in ["INCREMENT", "INCREMENT_BY_BAND", "EVERYTHING"] {
        assert_eq!(amount(&one_line(growth("NONE", pay_on), "100.00", "1")), "0.00");
        assert_eq!(amount(&one_line(growth("FULL", pay_on), "100.00", "1")), "5.00");
    }
}

/// 17: the edge of a ratio is compared by multiplication: 110 % of 30 is 33 exactly.
#[test]
fn growth_edges_are_exact() {
    let schedule = json!({ "method": { "growth": {
        "baseline": { "previousPeriod": { "factor": "1.1" } }, "payOn": "EVERYTHING", "bands": [{ "from": 1, "lumpSum": 10 }],
    } } });
    for (sold, expected) in [("32.99", "0.00"), ("33.00", "10.00"), ("33.01", "10.00")] {
        let entitled = lines(schedule.clone(), json!([sale("0", "2023-11-01", "30.00", "1"), sale("1", "2024-02-01", sold, "1")]));
        assert_eq!(amount(&entitled), expected);
    }
}

/// Targets from the partner's own history, with floor, cap and acceptance.
#[test]
fn targets() {
    let target = |pays: Value| {
        json!({ "method": { "target": {
            "history": { "samePeriodLastYear": { "factor": "1.2" } }, "floor": 100, "cap": 1000, "acceptWithinDays": 30, "pays": pays,
        } } })
    };
    let accepted = |since: &str| json!([{ "id": "a", "kind": "TARGET_ACCEPTANCE", "type": "R", "since": since }]);
    let pay = |pays: Value, last_year: &str, now: &str, since: &str| {
        let program = program_of(target(pays));
        let sold = json!([sale("0", "2023-02-01", last_year, "1"), sale("1", "2024-02-01", now, "1")]);
        amount(&entitlement(&program, &facts_of(&program, json!({ "transactions": sold, "holdings": accepted(since) })), "2024-Q1"))
    };
    let everything = || json!({ "rateOnEverything": "10 %" });
    assert_eq!(pay(everything(), "200.00", "239.99", "2024-01-31"), "0.00");
    assert_eq!(pay(everything(), "200.00", "240.00", "2024-01-31"), "24.00");
    assert_eq!(pay(everything(), "200.00", "240.00", "2024-02-01"), "0.00", "accepted too late");
    assert_eq!(pay(json!({ "rateAboveTarget": "10 %" }), "200.00", "250.00", "2024-01-01"), "1.00");
    assert_eq!(pay(json!({ "lumpSum": 77 }), "1.00", "100.00", "2024-01-01"), "77.00", "the floor is the target");
    assert_eq!(pay(json!({ "lumpSum": 77 }), "5000.00", "1000.00", "2024-01-01"), "77.00", "the cap is the target");
}

/// 19: dated, typed rates; the period's end; what is missing is listed, all of it.
#[test]
fn currencies() {
    let program = |date: &str| program_of(with(flat("10 %"), json!({ "exchange": { "date": date, "maxAgeDays": 5 } })));
    let input = json!({
        "partners": [{ "code": "P", "transactions": [
            { "id": "1", "date": "2024-02-01", "amount": "100.00", "currency": "EUR" }, sale("2", "2024-02-01", "1.00", "1"),
        ] }],
        "exchangeRates": [
            { "from": "EUR", "to": "USD", "date": "2024-01-30", "rate": "1.1" }, { "from": "EUR", "to": "USD", "date": "2024-03-30", "rate": "1.2" },
        ],
    });
    for (date, expected) in [("TRANSACTION_DATE", "11.10"), ("PERIOD_END", "12.10")] {
        let program = program(date);
        let entitled = entitlement(&program, &facts_with(&program, input.clone()), "2024-Q1");
        assert_eq!(amount(&entitled), expected);
        let converted = entitled.lines.iter().find(|line| line.id.as_deref() == Some("1")).unwrap();
        assert_eq!(converted.exchange_rate.clone().unwrap().to_string(), if date == "PERIOD_END" { "1.2" } else { "1.1" });
    }
    let program = program("TRANSACTION_DATE");
    let mut missing = input;
    missing["partners"][0]["transactions"] = json!([
        { "id": "1", "date": "2024-02-10", "amount": "1.00", "currency": "EUR" },
        { "id": "2", "date": "2024-02-11", "amount": "1.00", "currency": "GBP" },
        { "id": "3", "date": "2024-02-10", "amount": "2.00", "currency": "EUR" },
    ]);
    let faults = compute(&program, &facts_with(&program, missing), "2024-Q1").unwrap_err();
    assert_eq!(faults.0.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>(), ["MISSING_EXCHANGE_RATE", "MISSING_EXCHANGE_RATE"]);
}

/// Scope: category subtree, product, region, region group, partner type, deal kind, filter, dates in force.
#[test]
fn scopes() {
    let facts = json!({
        "attributes": [{ "type": "VAR", "region": "DE" }],
        "deals": [{ "id": "D1", "openedOn": "2024-01-01", "kind": "CO_SELL" }],
        "transactions": [
            { "id": "1", "date": "2024-01-15", "amount": "1.00", "category": "BIKES", "product": "B-1", "attributes": { "segment": "EDU" } },
            { "id": "2", "date": "2024-02-15", "amount": "10.00", "category": "HARDWARE", "region": "US", "deal": "D1" },
            { "id": "3", "date": "2024-03-15", "amount": "100.00", "category": "SERVICES" },
            { "id": "4", "date": "2024-03-16", "amount": "1000.00" },
        ],
    });
    let cases = [
        (json!({}), json!({}), "1111.00"),
        (json!({ "categories": ["HARDWARE"] }), json!({}), "11.00"),
        (json!({ "categories": ["BIKES", "SERVICES"] }), json!({}), "101.00"),
        (json!({ "products": ["B-1"] }), json!({}), "1.00"),
        (json!({ "regions": ["DE"] }), json!({}), "1101.00"),
        (json!({ "regions": ["WORLD"] }), json!({}), "1111.00"),
        (json!({ "regionGroups": ["GROWTH"] }), json!({}), "10.00"),
        (json!({ "partnerTypes": ["MSP"] }), json!({}), "0.00"),
        (json!({ "partnerTypes": ["VAR", "MSP"] }), json!({}), "1111.00"),
        (json!({ "dealKinds": ["CO_SELL"] }), json!({}), "10.00"),
        (json!({ "filter": { "test": { "field": "attribute.segment", "equals": "EDU" } } }), json!({}), "1.00"),
        (json!({}), json!({ "from": "2024-02-15", "until": "2024-03-16" }), "110.00"),
        (json!({}), json!({ "from": "2024-04-01" }), "0.00"),
    ];
    for (scope, more, expected) in cases {
        let program = program_of(with(with(flat("100 %"), more), json!({ "scope": scope })));
        assert_eq!(amount(&entitlement(&program, &facts_of(&program, facts.clone()), "2024-Q1")), expected, "{scope}");
    }
}

/// 20: bands over the fiscal year, paid per period; floor and cap apply to the year to date.
#[test]
fn cumulative_bands() {
    let schedule =
        |more: Value| with(with(bands("RETROACTIVE", &[("0", "1 %"), ("1000", "2 %")]), json!({ "period": { "quarter": {} }, "cumulative": true })), more);
    let sold = json!({ "transactions": [
        sale("0", "2023-11-01", "9000.00", "1"), sale("1", "2024-02-01", "600.00", "1"), sale("2", "2024-05-01", "600.00", "1"),
        { "id": "3", "date": "2024-08-01", "kind": "RETURN", "amount": "500.00" }, sale("4", "2024-11-01", "400.00", "1"),
    ] });
    let quarters = |more: Value| {
        let program = program_of(schedule(more));
        let facts = facts_of(&program, sold.clone());
        ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"].map(|period| amount(&entitlement(&program, &facts, period)))
    };
    // To date: 600 at 1 %, 1200 at 2 %, 700 at 1 %, 1100 at 2 %.
    assert_eq!(quarters(json!({})), ["6.00", "18.00", "-17.00", "15.00"]);
    assert_eq!(quarters(json!({ "cap": { "amount": 10 } })), ["6.00", "4.00", "-3.00", "3.00"]);
    assert_eq!(quarters(json!({ "floor": { "amount": 10 } })), ["10.00", "14.00", "-14.00", "12.00"]);
    // The 6.00 of the first quarter were forfeited: of the 17.00 they are not charged back.
    assert_eq!(quarters(json!({ "minimumPayout": { "amount": 10 } })), ["0.00", "18.00", "-11.00", "15.00"]);
    assert_eq!(quarters(json!({ "minimumPayout": { "amount": 10, "below": "CARRY" } })), ["0.00", "24.00", "-17.00", "15.00"]);
    assert_eq!(quarters(json!({ "minimumPayout": { "amount": 20 } })), ["0.00", "0.00", "0.00", "0.00"]);
}

/// Nothing here is a wrong figure: what does not fit is a fault.
#[test]
fn overflow_is_loud() {
    let sold: Vec<Value> = (0..3).map(|id| sale(&id.to_string(), "2024-02-01", "92233720368547758.07", "1")).collect();
    assert!(serde_json::from_value::<crate::facts::input::FactsInput>(json!({ "partners": [{ "code": "P", "transactions": sold }] })).is_ok());
    let program = program_of(json!({ "basis": "quantity", "method": { "perUnit": { "amount": "999999999999999" } } }));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-02-01", "1.00", "999999999999")] }));
    assert_eq!(compute(&program, &facts, "2024-Q1").unwrap_err().0[0].code, "OUT_OF_RANGE");
}

/// 15: what all lines earned together is rounded as one, wherever lines are rounded: a sum of 100 on three lines is 100.
#[test]
fn a_sum_of_all_lines_is_rounded_as_one() {
    let sold = || json!([sale("1", "2024-02-01", "100.00", "1"), sale("2", "2024-02-02", "100.00", "1"), sale("3", "2024-02-03", "100.00", "1")]);
    let by_line = |method: Value| lines(with(json!({ "method": method }), json!({ "rounding": { "at": "LINE" } })), sold());
    let once = [
        json!({ "lumpSum": { "targets": [{ "at": 100, "amount": 100 }] } }),
        json!({ "fixed": { "amount": 100 } }),
        json!({ "growth": { "baseline": { "given": 100 }, "payOn": "EVERYTHING", "bands": [{ "from": 1, "lumpSum": 100 }] } }),
        json!({ "target": { "history": { "given": 100 }, "pays": { "lumpSum": 100 } } }),
        json!({ "perPackage": { "size": 2, "amount": 100 } }),
    ];
    for method in once {
        let entitled = by_line(method.clone());
        assert_eq!((amount(&entitled).as_str(), parts(&entitled)), ("100.00", ["33.34", "33.33", "33.33"].map(str::to_owned).to_vec()), "{method}");
    }
    let each = by_line(json!({ "perPackage": { "size": 3, "amount": 100, "packages": "PRORATE" } }));
    assert_eq!((amount(&each).as_str(), each.exact.to_string().as_str()), ("99.99", "100"), "a part package belongs to its line");
    let alone =
        lines(json!({ "method": { "lumpSum": { "targets": [{ "at": 100, "amount": "33.333" }] } }, "grain": "LINE", "rounding": { "at": "LINE" } }), sold());
    assert_eq!(amount(&alone), "99.99", "with grain LINE every line reaches the target by itself");
}

/// 15: what is left over goes to the largest remainder, then to the larger part, then to the smaller id: never by date.
#[test]
fn equal_remainders_go_to_the_smaller_id() {
    let sold = json!([sale("a", "2024-01-07", "0.05", "1"), sale("b", "2024-01-06", "0.05", "1"), sale("c", "2024-01-05", "0.15", "1")]);
    let cent_of = |schedule: Value, sold: Value| {
        let lines = lines(schedule, sold).lines;
        lines.into_iter().filter(|line| line.amount.minor != 0).map(|line| line.id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(cent_of(flat("10 %"), json!([sold[0], sold[1]])), ["a"]);
    assert_eq!(cent_of(flat("10 %"), sold.clone()), ["c", "a"], "1.5, 0.5 and 0.5 of a cent");
    let whole = json!({ "method": { "lumpSum": { "targets": [{ "at": 0, "amount": "0.01" }] } }, "rounding": { "at": "LINE" } });
    assert_eq!(cent_of(whole, json!([sold[0], sold[1]])), ["a"]);
}

/// 15: what a budget leaves is shared over lines by their exact parts, not by what was rounded before.
#[test]
fn a_budget_is_shared_over_lines_by_exact_parts() {
    let schedule = with(flat("10 %"), json!({ "budget": { "amount": "0.57" } }));
    let cut = lines(schedule, json!([sale("1", "2024-02-01", "12.69", "1"), sale("2", "2024-02-02", "6.64", "1")]));
    assert_eq!((amount(&cut), parts(&cut)), ("0.57".to_owned(), vec!["0.37".to_owned(), "0.20".to_owned()]));
}

/// 19: lines that can never count need no exchange rate; those that may do.
#[test]
fn who_takes_no_part_needs_no_exchange_rate() {
    let euros = json!([{ "id": "1", "date": "2024-02-01", "amount": "100.00", "currency": "EUR" }]);
    let of = |schedule: Value, own: Value| {
        let program = program_of(with(flat("10 %"), schedule));
        let facts = facts_of(&program, with(own, json!({ "transactions": euros })));
        compute(&program, &facts, "2024-Q1").map(|found| amount(&found.entitlements[0]))
    };
    let gone = json!({ "enrollments": [{ "since": "2023-01-01", "until": "2023-06-01" }] });
    let silver = || json!({ "assignments": [{ "tier": "SILVER", "from": "2023-01-01" }] });
    let gold = json!({ "scope": { "tiers": ["GOLD"] } });
    assert_eq!(of(json!({}), gone).unwrap(), "0.00");
    assert_eq!(of(gold.clone(), silver()).unwrap(), "0.00");
    assert_eq!(of(json!({ "until": "2024-01-01" }), json!({})).unwrap(), "0.00");
    assert!(of(json!({}), json!({})).is_err());
    assert!(of(with(gold, json!({ "tierAt": "TRANSACTION_DATE" })), silver()).is_err(), "the line's own tier is not known before it is read");
}

/// 14: an unconditional floor holds for whatever was earned, also below nothing; a conditional one tops up what was earned.
#[test]
fn an_unconditional_floor_holds_below_zero() {
    let of = |unconditional: bool, back: &str| {
        let rates = json!({ "method": { "flat": { "rate": { "default": 0, "tiers": { "SILVER": "1 %", "GOLD": "10 %" } } } } });
        let program = program_of(with(rates, json!({ "tierAt": "TRANSACTION_DATE", "floor": { "amount": 15, "unconditional": unconditional } })));
        let facts = facts_of(
            &program,
            json!({
                "assignments": [{ "tier": "SILVER", "from": "2023-01-01" }, { "tier": "GOLD", "from": "2024-02-15" }],
                "transactions": [sale("1", "2024-02-01", "1000.00", "1"), { "id": "2", "date": "2024-02-20", "kind": "RETURN", "amount": back }],
            }),
        );
        entitlement(&program, &facts, "2024-Q1")
    };
    for back in ["99.00", "100.00", "101.00", "1000.00", "1001.00"] {
        let found = of(true, back);
        assert_eq!(amount(&found), "15.00", "{back}");
        assert_eq!(found.lines.iter().map(|line| line.amount.minor).sum::<i64>(), 1500, "{back}");
    }
    assert_eq!(parts(&of(true, "101.00")), ["10.00", "-10.10", "15.10"], "the lines keep what they earned");
    assert_eq!((amount(&of(false, "99.00")), amount(&of(false, "100.00")), amount(&of(false, "101.00"))), ("15.00".into(), "0.00".into(), "-0.10".into()));
}
