use proptest::prelude::*;

use super::*;
use crate::date::{Date, Span};
use crate::document::read::{Format, read};
use crate::facts::Facts;
use crate::facts::input::FactsInput;
use crate::metric::Evaluator;
use crate::program::Program;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program() -> Program {
    let text = include_str!("tests.yaml");
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts(program: &Program, input: serde_json::Value) -> Facts {
    let input: FactsInput = serde_json::from_value(input).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

fn judge(program: &Program, facts: &Facts, key: &str, as_of: &str) -> Judged {
    let evaluator = Evaluator::new(program, facts);
    let at = At::new(evaluator.partner("P").unwrap(), date(as_of));
    evaluator.judge(program.requirement(key).unwrap(), &at).unwrap_or_else(|faults| panic!("{key}: {faults}"))
}

fn example(program: &Program) -> Facts {
    facts(
        program,
        serde_json::json!({"partners": [
            {"code": "P", "attributes": [{"region": "DE", "type": "VAR"}], "enrollments": [{"since": "2020-02-15", "track": "VAR"}],
             "assignments": [{"ladder": "MAIN", "tier": "SILVER", "from": "2020-02-15"}, {"ladder": "MAIN", "tier": "GOLD", "from": "2020-05-01"}],
             "transactions": [
                {"id": "1", "date": "2020-03-10", "amount": "510.00", "category": "SEARCH", "customer": "A"},
                {"id": "2", "date": "2020-05-10", "amount": "200.00", "category": "VIDEO", "customer": "B"}],
             "holdings": [
                {"id": "h1", "kind": "CERTIFICATION", "person": "E1", "since": "2020-01-01", "until": "2020-07-15", "category": "VIDEO", "attributes": {"version": "2"}},
                {"id": "h2", "kind": "CERTIFICATION", "person": "E2", "since": "2020-04-01", "until": "2020-05-20"}],
             "activities": [{"id": "a1", "date": "2020-05-01", "kind": "CSAT", "value": "5"}, {"id": "a2", "date": "2020-05-02", "kind": "CSAT", "value": "3"}],
             "deals": [{"id": "d1", "openedOn": "2020-04-01", "closedOn": "2020-05-15", "outcome": "WON"}]},
            {"code": "Q", "attributes": [{"region": "DE"}], "transactions": [{"id": "q", "date": "2020-05-05", "amount": "900.00"}]}
        ]}),
    )
}

/// Every shared requirement in one line: met, what is missing on the cheapest way, and in words.
fn explained(program: &Program, facts: &Facts, as_of: &str) -> String {
    let mut text = String::new();
    for shared in &program.document.requirements {
        let judged = judge(program, facts, &shared.key, as_of);
        let gap = Gap::of(&judged, None);
        let missing: Vec<String> =
            gap.by_key().into_iter().map(|(key, missing)| format!("{key}={}", missing.map_or("?".to_owned(), |missing| missing.to_string()))).collect();
        let words = crate::sentence::Sentence::of_node(&judged, None).text;
        text += &format!("{} {} [{}] {words}\n", shared.key, if judged.met { "yes" } else { "no" }, missing.join(" "));
    }
    text
}

#[test]
fn every_node_is_judged_and_told_in_words() {
    let program = program();
    let facts = example(&program);
    let expected = include_str!("explained.txt");
    assert_eq!(explained(&program, &facts, "2020-05-31"), expected);
}

#[test]
fn thresholds_are_those_of_the_most_specific_row() {
    let program = program();
    for (region, kind, required) in [("DE", "VAR", "800"), ("DE", "MSP", "600"), ("FR", "MSP", "500"), ("US", "VAR", "1000"), ("EMEA", "VAR", "800")] {
        let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "attributes": [{"region": region, "type": kind}]}]}));
        let judged = judge(&program, &facts, "revenue", "2020-05-31");
        assert_eq!(judged.leaves()[0].required.clone().unwrap().to_string(), required, "{region} {kind}");
    }
}

#[test]
fn ratios_tell_what_is_missing_above_the_line() {
    let program = program();
    let facts = example(&program);
    let judged = judge(&program, &facts, "satisfaction", "2020-05-31");
    let gap = judged.leaves()[0].ratio.as_deref().unwrap();
    // 1 of 2 is 50 %; 80 % of 2 is 1.6, so one more of the two, or two more good answers (3 of 4 would do with 75 %).
    assert_eq!((gap.missing_numerator.to_string().as_str(), gap.missing_if_added.clone().unwrap().to_string().as_str()), ("1", "3"));
}

/// More than half of what is counted is one more than half: 1 of 2 needs a second one, or one more that is good.
#[test]
fn ratios_above_a_bound_take_a_whole_step() {
    let program = program();
    let judged = judge(&program, &example(&program), "mostSatisfied", "2020-05-31");
    let gap = judged.leaves()[0].ratio.as_deref().unwrap();
    assert!(!judged.met);
    assert_eq!((gap.missing_numerator.clone(), gap.missing_if_added.clone()), (Exact::ONE, Some(Exact::ONE)));
}

#[test]
fn leaves_serialize_with_their_figures_as_text() {
    let program = program();
    let facts = example(&program);
    let json = serde_json::to_value(judge(&program, &facts, "revenue", "2020-05-31")).unwrap();
    assert_eq!(json["type"], "LEAF");
    assert_eq!((&json["required"], &json["actual"], &json["missing"]), (&"800".into(), &"710".into(), &"90".into()));
    assert_eq!(json["window"], serde_json::json!({"from": "2019-06-01", "until": "2020-06-01"}));
    assert_eq!(json["sentence"]["pieces"]["missing"], "90");
}

fn random_facts() -> impl Strategy<Value = serde_json::Value> {
    let day = || (0_i64..500).prop_map(|day| date("2019-09-01").plus_days(day));
    let lines = prop::collection::vec((day(), 1_i64..900, 0_usize..3, 0_usize..3), 0..8);
    let holdings = prop::collection::vec((day(), 1_i64..300, 0_usize..3, 0_usize..4), 0..6);
    let activities = prop::collection::vec((day(), 1_i64..40, prop::option::of(1_i64..100)), 0..4);
    let deals = prop::collection::vec((day(), 1_i64..200, 0_usize..3), 0..4);
    (lines, holdings, activities, deals, day(), day()).prop_map(|(lines, holdings, activities, deals, enrolled, moved)| {
        let lines: Vec<_> = lines.iter().enumerate().map(|(id, (day, amount, category, customer))| {
            let (category, customer) = (["SEARCH", "VIDEO", "DISPLAY"][*category], ["A", "B", "C"][*customer]);
            serde_json::json!({"id": id.to_string(), "date": day, "amount": amount.to_string(), "category": category, "customer": customer})
        }).collect();
        let holdings: Vec<_> = holdings.iter().enumerate().map(|(id, (day, length, person, kind))| {
            let (kind, of) = [("CERTIFICATION", "X"), ("CERTIFICATION", "Y"), ("ATTESTATION", "CODE_OF_CONDUCT"), ("WARNING", "Z")][*kind];
            let (person, version) = (["A", "B", "C"][*person], ["1", "2", "3"][*person]);
            serde_json::json!({"id": format!("h{id}"), "kind": kind, "type": of, "person": person, "since": day, "until": day.plus_days(*length), "category": "SEARCH", "attributes": {"version": version}})
        }).collect();
        let activities: Vec<_> = activities.iter().enumerate().map(|(id, (day, value, expires))| {
            serde_json::json!({"id": format!("a{id}"), "date": day, "kind": "CSAT", "value": (value % 6).to_string(), "expiresOn": expires.map(|days| day.plus_days(days))})
        }).collect();
        let deals: Vec<_> = deals.iter().enumerate().map(|(id, (day, length, outcome))| {
            let closed = (*outcome > 0).then(|| day.plus_days(*length)); let outcome = ["OPEN", "WON", "LOST"][*outcome];
            serde_json::json!({"id": format!("d{id}"), "openedOn": day, "closedOn": closed, "outcome": outcome})
        }).collect();
        serde_json::json!({"partners": [
            {"code": "P", "attributes": [{"region": "DE", "type": "VAR"}, {"from": moved, "region": "FR", "type": "MSP"}], "enrollments": [{"since": enrolled}],
             "assignments": [{"ladder": "MAIN", "tier": "GOLD", "from": enrolled}],
             "contracts": [{"key": "C", "template": "STANDARD", "from": enrolled, "until": moved.max(enrolled.next())}],
             "transactions": lines, "holdings": holdings, "activities": activities, "deals": deals},
            {"code": "Q", "attributes": [{"region": "DE"}], "transactions": [{"id": "q", "date": moved, "amount": "300"}]}]})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whatever changes from one day to the next changes on a day that was announced.
    #[test]
    fn nothing_changes_between_the_days_of_change(input in random_facts()) {
        let program = program();
        let facts = facts(&program, input);
        let evaluator = Evaluator::new(&program, &facts);
        let terse = Evaluator::new(&program, &facts).without_trees();
        let at = At::new(evaluator.partner("P").unwrap(), date("2020-01-01"));
        let between = Span::new(date("2020-01-01"), date("2020-08-01"));
        for shared in &program.document.requirements {
            let days = evaluator.changes(&shared.requirement, &at, between).unwrap();
            let mut before = evaluator.judge(&shared.requirement, &at).unwrap().met;
            let mut day = between.from.next();
            while day < between.until {
                let met = evaluator.judge(&shared.requirement, &at.on(day)).unwrap().met;
                prop_assert_eq!(evaluator.holds(&shared.requirement, &at.on(day)).unwrap(), met, "{} on {}", shared.key, day);
                prop_assert_eq!(terse.holds(&shared.requirement, &at.on(day)).unwrap(), met, "{} on {}", shared.key, day);
                prop_assert!(met == before || days.contains(&day), "{} changes on {day}", shared.key);
                before = met;
                day = day.next();
            }
        }
    }
}

proptest! {
    /// One below the threshold is not met, on it and above it is; what is missing is exactly the rest.
    #[test]
    fn thresholds_are_met_from_their_value_on(cents in 1_i64..200_000) {
        let program = program();
        let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "attributes": [{"region": "US"}],
            "transactions": [{"id": "1", "date": "2020-05-01", "amount": crate::exact::spell(cents.into(), 2, false)}]}]}));
        let judged = judge(&program, &facts, "revenue", "2020-05-31");
        prop_assert_eq!(judged.met, cents >= 100_000);
        let missing = judged.leaves()[0].missing.clone();
        prop_assert_eq!(missing, (cents < 100_000).then(|| Exact::scaled((100_000 - cents).into(), 2)));
    }

    /// Of what is good, more never turns a requirement without NOT, EQUALS and upper limits from met to unmet.
    #[test]
    fn more_of_a_good_fact_never_hurts(input in random_facts(), day in 0_i64..300) {
        let program = program();
        let as_of = date("2020-03-01").plus_days(day).to_string();
        let less = facts(&program, input.clone());
        let mut input = input;
        let certificate = serde_json::json!({"id": "more", "kind": "CERTIFICATION", "person": "NEW", "since": "2019-09-01", "category": "SEARCH", "attributes": {"version": "3"}});
        input["partners"][0]["holdings"].as_array_mut().unwrap().push(certificate);
        let more = facts(&program, input);
        for key in ["engineers", "badge", "badges", "twoOfThree", "paths", "points", "anyDay", "areas", "current"] {
            prop_assert!(!judge(&program, &less, key, &as_of).met || judge(&program, &more, key, &as_of).met, "{}", key);
        }
    }

    /// What is missing on the cheapest way is missing nowhere once it is there: gaps are empty exactly for what is met.
    #[test]
    fn a_gap_is_empty_exactly_when_the_requirement_is_met(input in random_facts(), day in 0_i64..300) {
        let program = program();
        let facts = facts(&program, input);
        let as_of = date("2020-03-01").plus_days(day).to_string();
        for shared in &program.document.requirements {
            let judged = judge(&program, &facts, &shared.key, &as_of);
            prop_assert_eq!(Gap::of(&judged, None).is_empty(), judged.met, "{}", &shared.key);
            prop_assert_eq!(judged.share_met() == Exact::ONE, judged.met, "{}", &shared.key);
        }
    }
}

/// A requirement, judged of a partner of type R in DE that has sold for 60.
fn of_reseller(requirement: serde_json::Value) -> Judged {
    let document = serde_json::json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2015-01-01"},
        "partnerTypes": [{"key": "R"}, {"key": "MSP"}], "regions": [{"key": "DE"}, {"key": "FR"}],
        "metrics": [{"key": "rev", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"rolling": {"months": 12}}}},
            {"key": "none", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"onDay": {}}}},
            {"key": "returned", "unit": "MONEY", "formula": {"difference": {"from": {"metric": "none"}, "subtract": {"metric": "rev"}}}}],
        "requirements": [{"key": "it", "requirement": requirement}]});
    let program = Program::compile(serde_json::from_value(document).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let facts = facts(
        &program,
        serde_json::json!({"partners": [{"code": "P", "attributes": [{"type": "R", "region": "DE"}], "transactions": [{"id": "t", "date": "2025-02-10", "amount": 60}]}]}),
    );
    judge(&program, &facts, "it", "2025-03-31")
}

#[test]
fn a_way_that_is_closed_to_the_partner_is_the_last_one() {
    let revenue = |least: u32| serde_json::json!({"metric": {"metric": "rev", "atLeast": least}});
    let track = |closed: serde_json::Value| serde_json::json!({"allOf": [closed, revenue(61)]});
    let only_fr = serde_json::json!({"metric": {"metric": "rev", "atLeast": {"rows": [{"region": "FR", "value": 1}]}}});
    let for_others = [
        track(serde_json::json!({"partner": {"partnerTypes": ["MSP"]}})),
        track(serde_json::json!({"partner": {"regions": ["FR"]}})),
        track(serde_json::json!({"not": {"partner": {"partnerTypes": ["R"]}}})),
        track(only_fr),
    ];
    let open = serde_json::json!({"allOf": [revenue(1000), {"holding": {"kind": "A"}}, {"holding": {"kind": "B"}}]});
    for closed in for_others {
        let judged = of_reseller(serde_json::json!({"anyOf": [closed, open]}));
        let Node::AnyOf { cheapest, .. } = &judged.node else { panic!("{judged:?}") };
        let gap = Gap::of(&judged, None);
        assert_eq!((*cheapest, gap.missing.len(), gap.alternatives.len()), (Some(1), 3, 1), "{closed}");
        let judged = of_reseller(serde_json::json!({"atLeast": {"n": 1, "of": [closed, open]}}));
        assert_eq!(Gap::of(&judged, None).missing.len(), 3, "{closed}");
    }
    // An attribute may be given to the partner.
    let judged = of_reseller(serde_json::json!({"anyOf": [track(serde_json::json!({"partner": {"attribute": "portal"}})), open]}));
    assert_eq!(Gap::of(&judged, None).missing.len(), 2);
}

/// The ways of a partner that has sold for 60, cheapest first: what each requires.
fn required_of_ways(requirement: serde_json::Value) -> Vec<Vec<String>> {
    let gap = Gap::of(&of_reseller(requirement), None);
    let required = |way: &Vec<MissingLeaf>| way.iter().map(|leaf| leaf.required.clone().unwrap().to_string()).collect();
    std::iter::once(&gap.missing).chain(&gap.alternatives).map(required).collect()
}

#[test]
fn a_way_that_asks_for_less_of_everything_comes_first() {
    let least = |metric: &str, least: u32| serde_json::json!({"metric": {"metric": metric, "atLeast": least}});
    // Nothing of it is there yet, and less than nothing.
    for metric in ["none", "returned"] {
        let either = serde_json::json!({"anyOf": [least(metric, 1_000_000), least(metric, 999_999), least(metric, 500)]});
        // Whoever sells for more has sold for 500: the other ways need not be told.
        assert_eq!(required_of_ways(either.clone()), [["500"]], "{metric}");
        let Node::AnyOf { cheapest, .. } = of_reseller(either).node else { panic!("no paths") };
        assert_eq!(cheapest, Some(2), "{metric}");
    }
    // Too much of it.
    let most = |most: u32| serde_json::json!({"metric": {"metric": "rev", "atMost": most}});
    assert_eq!(required_of_ways(serde_json::json!({"anyOf": [most(10), most(20)]})), [["20"]]);
}

/// Whoever sells for 1,000 has sold for 500.
#[test]
fn of_one_figure_the_most_covers_the_rest_of_a_way() {
    let least = |least: u32| serde_json::json!({"metric": {"metric": "none", "atLeast": least}});
    let holding = serde_json::json!({"holding": {"kind": "A"}});
    let two = serde_json::json!({"atLeast": {"n": 2, "of": [least(1000), holding, {"anyOf": [least(500), {"contract": {}}]}]}});
    assert_eq!(required_of_ways(two.clone()), [vec!["1000"], vec!["1", "500"], vec!["1", "1"]]);
    let judged = of_reseller(two);
    assert_eq!(Gap::without_choices(&judged).missing, Gap::of(&judged, None).missing);
    let both = serde_json::json!({"anyOf": [{"allOf": [holding, least(1)]}, {"allOf": [least(1000), least(999)]}]});
    let Node::AnyOf { cheapest, .. } = of_reseller(both).node else { panic!("no paths") };
    assert_eq!(cheapest, Some(1));
    // One contract is signed once.
    let contract = serde_json::json!({"contract": {}});
    let both = serde_json::json!({"anyOf": [{"allOf": [contract, {"holding": {"kind": "A"}}]}, {"allOf": [contract, contract]}]});
    let Node::AnyOf { cheapest, .. } = of_reseller(both).node else { panic!("no paths") };
    assert_eq!(cheapest, Some(1));
    // Figures that are written in place have no name: they are not taken for one another.
    let in_place = |category: &str, least: u32| {
        let filter = serde_json::json!({"test": {"field": "category", "equals": category}});
        serde_json::json!({"metric": {"value": {"measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"lifetime": {}}, "filter": filter}}, "atLeast": least}})
    };
    let either = serde_json::json!({"anyOf": [{"allOf": [in_place("A", 1000), in_place("B", 10)]}, least(10)]});
    assert_eq!(required_of_ways(either), [vec!["10"], vec!["1000", "10"]]);
}

/// Of many the cheapest choices are listed, each once, and the search ends.
#[test]
fn the_ways_of_an_at_least_are_bounded() {
    let of: Vec<_> = (0..60).map(|kind| serde_json::json!({"holding": {"kind": format!("K{kind}")}})).collect();
    let judged = of_reseller(serde_json::json!({"atLeast": {"n": 30, "of": of}}));
    let gap = Gap::of(&judged, None);
    assert_eq!((gap.missing.len(), gap.alternatives.len()), (30, gap::MAX_ALTERNATIVES));
    let named = |way: &[MissingLeaf]| way.iter().map(|leaf| leaf.key.clone()).collect::<Vec<_>>();
    let mut ways: Vec<_> = gap.alternatives.iter().chain([&gap.missing]).map(|way| named(way)).collect();
    ways.sort();
    ways.dedup();
    assert_eq!(ways.len(), gap::MAX_ALTERNATIVES + 1);
}

/// A partner that holds one certificate and has sold for 10, with what the document adds.
fn judge_in(document: serde_json::Value, requirement: serde_json::Value) -> Judged {
    let mut whole = serde_json::json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2015-01-01"},
        "requirements": [{"key": "it", "requirement": requirement}]});
    for (key, value) in document.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let program = Program::compile(serde_json::from_value(whole).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let category = document.get("categories").map(|_| "SW");
    let facts = facts(
        &program,
        serde_json::json!({"partners": [{"code": "P", "holdings": [{"id": "h", "kind": "CERT", "since": "2024-01-01"}],
            "transactions": [{"id": "t", "date": "2025-02-10", "amount": 10, "category": category}]}]}),
    );
    judge(&program, &facts, "it", "2025-03-31")
}

#[test]
fn a_ratio_that_is_no_share_is_told_as_one_figure_over_the_other() {
    let told = |unit: &str, least: serde_json::Value| {
        let ratio =
            serde_json::json!({"numerator": {"metric": "rev"}, "denominator": {"formula": {"sum": {"terms": [{"value": {"metric": "eng"}, "points": 4}]}}}});
        let metrics = serde_json::json!({"metrics": [
            {"key": "eng", "unit": "COUNT", "measure": {"source": "HOLDINGS", "aggregate": "COUNT", "window": {"onDay": {}}}},
            {"key": "rev", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"rolling": {"months": 12}}}},
            {"key": "g", "unit": unit, "name": "Revenue per engineer", "formula": {"ratio": ratio}}]});
        let judged = judge_in(metrics, serde_json::json!({"metric": {"metric": "g", "atLeast": least}}));
        judged.leaves()[0].sentence(None).text
    };
    assert_eq!(told("MONEY", 50.into()), "Revenue per engineer: USD 2.50 of USD 50; USD 47.50 more needed (USD 10 over 4; USD 190 more on the upper figure)");
    assert_eq!(
        told("PERCENT", "300 %".into()),
        "Revenue per engineer: 250 % of 300 %; 50 percentage points more needed (USD 10 over 4; USD 2 more on the upper figure)"
    );
}

/// Whoever sells what is told as missing has enough: amounts are rounded up, and carry their currency.
#[test]
fn what_a_share_of_amounts_lacks_is_rounded_up() {
    let document = serde_json::json!({"metrics": [{"key": "share", "unit": "PERCENT", "name": "Share of software", "measure": {"source": "TRANSACTIONS",
        "aggregate": "SHARE", "window": {"lifetime": {}}, "share": {"test": {"field": "category", "equals": "SW"}}}}],
        "categories": [{"key": "SW"}, {"key": "HW"}], "requirements": [{"key": "it", "requirement": {"metric": {"metric": "share", "atLeast": "30 %"}}}],
        "guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2015-01-01"}});
    let program = Program::compile(serde_json::from_value(document).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let line = |id: &str, category: &str, amount: &str| serde_json::json!({"id": id, "date": "2025-02-10", "amount": amount, "category": category});
    let judged = |lines: Vec<serde_json::Value>| {
        let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": lines}]}));
        judge(&program, &facts, "it", "2025-03-31")
    };
    let lacking = judged(vec![line("1", "HW", "133.38")]);
    assert_eq!(
        lacking.leaves()[0].sentence(None).text,
        "Share of software: 0 % of 30 %; 30 percentage points more needed (USD 40.02 more on USD 0 of USD 133.38, or USD 57.17 more on top of both)"
    );
    assert!(!judged(vec![line("1", "HW", "133.38"), line("2", "SW", "57.16")]).met);
    assert!(judged(vec![line("1", "HW", "133.38"), line("2", "SW", "57.17")]).met);
    assert!(judged(vec![line("1", "HW", "93.36"), line("2", "SW", "40.02")]).met);
}

/// To deny a denial is to ask for it: on its ways and in words.
#[test]
fn what_is_denied_twice_is_asked_for() {
    let revenue = serde_json::json!({"metric": {"metric": "rev", "atLeast": 100}});
    let judged = of_reseller(serde_json::json!({"not": {"not": revenue}}));
    let gap = Gap::of(&judged, None);
    assert_eq!((gap.missing.len(), gap.missing[0].missing.clone()), (1, Some(Exact::from_int(40))));
    assert_eq!(gap.missing[0].sentence().text, "rev: USD 60 of USD 100; USD 40 more needed");
}

#[test]
fn sentences_use_the_names_of_the_document() {
    let document = serde_json::json!({"regions": [{"key": "AM", "regions": [{"key": "US", "name": "United States"}]}],
        "regionGroups": [{"key": "G", "name": "Growth markets", "regions": ["US"]}], "categories": [{"key": "ALL", "categories": [{"key": "SW", "name": "Software"}]}],
        "partnerTypes": [{"key": "MSP", "name": "Managed service provider"}, {"key": "R"}], "contractTemplates": [{"key": "T", "name": "Reseller contract"}]});
    let groups = serde_json::json!({"source": "TRANSACTIONS", "aggregate": "COUNT", "window": {"lifetime": {}}, "groupBy": ["category"]});
    let rule = serde_json::json!({"allOf": [{"contract": {"template": "T"}}, {"partner": {"regions": ["US", "AM"]}}, {"partner": {"regionGroups": ["G"]}},
        {"partner": {"partnerTypes": ["MSP", "R"]}}, {"forEach": {"groups": groups, "as": "area", "requirement": {"holding": {"kind": "PLAN", "label": "Plan"}}}}]});
    let judged = judge_in(document, rule);
    let sentences: Vec<String> = judged.leaves().into_iter().map(|leaf| leaf.sentence(None).text).collect();
    let expected = [
        "contract Reseller contract must be signed and in force",
        "only for partners in United States or AM",
        "only for partners in Growth markets",
        "only for partners of type Managed service provider or R",
        "Plan (Software): missing; needed",
    ];
    assert_eq!(sentences, expected);
    let group = judged.leaves()[4];
    assert_eq!((group.group.as_deref(), group.sentence(None).pieces.get("groupName").map(String::as_str)), (Some("SW"), Some("Software")));
}

/// A sum that is written in place as a term is told with its own terms and limits, also after it was kept.
#[test]
fn a_sum_in_a_sum_shows_its_terms_and_its_cap() {
    let inner = serde_json::json!({"sum": {"cap": 350, "terms": [{"label": "Engineers", "value": {"metric": "eng"}, "points": 400}]}});
    let missing = serde_json::json!({"measure": {"source": "ACTIVITIES", "aggregate": "AVERAGE", "window": {"lifetime": {}}}});
    let document = serde_json::json!({"metrics": [
        {"key": "eng", "unit": "COUNT", "measure": {"source": "HOLDINGS", "aggregate": "COUNT", "window": {"onDay": {}}}},
        {"key": "s", "unit": "POINTS", "formula": {"sum": {"terms": [{"label": "Success", "value": {"formula": inner}, "points": 2}, {"label": "Plain", "value": {"metric": "eng"}}]}}},
        {"key": "n", "unit": "POINTS", "formula": {"sum": {"terms": [{"label": "T", "value": missing, "noDataIsZero": false, "floor": 1}]}}}]});
    let judged = judge_in(document.clone(), serde_json::json!({"metric": {"metric": "s", "atLeast": 1000}}));
    let json = serde_json::to_value(judged.leaves()[0]).unwrap();
    let terms = &json["value"]["detail"]["terms"];
    assert_eq!(
        (&terms[0]["points"], &terms[0]["beforeLimits"], &terms[0]["capped"], &terms[0]["floored"]),
        (&"700".into(), &"800".into(), &true.into(), &false.into())
    );
    let of = &terms[0]["of"];
    assert_eq!((&of["value"], &of["detail"]["total"], &of["detail"]["terms"][0]["label"]), (&"350".into(), &"400".into(), &"Engineers".into()));
    assert!(terms[1].get("of").is_none());
    // A term without data that does not count earns nothing, whatever its floor.
    let judged = judge_in(document, serde_json::json!({"metric": {"metric": "n", "atLeast": 1}}));
    let json = serde_json::to_value(judged.leaves()[0]).unwrap();
    let term = &json["value"]["detail"]["terms"][0];
    assert_eq!(
        (&json["actual"], &term["value"], &term["points"], &term["floored"]),
        (&serde_json::Value::Null, &serde_json::Value::Null, &"0".into(), &false.into())
    );
}
