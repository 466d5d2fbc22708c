//! A derivation proves what it says, and nothing that was changed in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::given::{AdjustmentGiven, Before, Heading, PeriodGiven, PostedGiven, RunGiven, ShareGiven};
use super::*;
use crate::date::Date;
use crate::document::read;
use crate::exact::Exact;
use crate::facts::Facts;
use crate::money::{Currency, DecimalText};
use crate::program::Program;
use crate::rebate::{LineKind, Numbered, StatedLine};
use crate::rebate::{OnRecord, RunKind, compute_period};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program(schedules: Value, stacking: Value) -> Program {
    let document = json!({
        "guerdon": 1,
        "program": { "code": "TEST", "name": "Test", "currency": "USD" },
        "version": { "effectiveOn": "2023-01-01" },
        "regions": [{ "key": "WORLD", "regions": [{ "key": "DE" }, { "key": "US" }] }],
        "categories": [{ "key": "HARDWARE", "categories": [{ "key": "BIKES" }] }, { "key": "SERVICES" }],
        "metrics": [
            { "key": "revenue", "unit": "MONEY", "measure": { "source": "TRANSACTIONS", "window": { "calendar": { "unit": "QUARTER" } }, "aggregate": "SUM" } },
            { "key": "group", "unit": "MONEY", "measure": { "source": "TRANSACTIONS", "scope": "SUBTREE", "window": { "calendar": { "unit": "QUARTER" } }, "aggregate": "SUM" } },
            { "key": "place", "unit": "COUNT", "formula": { "rank": { "of": { "metric": "revenue" }, "cohort": ["region"] } } },
            { "key": "zone", "unit": "MONEY", "formula": { "cohortMean": { "of": { "metric": "revenue" }, "cohort": ["region"] } } },
            { "key": "rank", "unit": "PERCENT", "formula": { "percentileRank": { "of": { "metric": "revenue" }, "cohort": ["region"] } } },
        ],
        "ladders": [{ "key": "MAIN", "main": true, "tiers": [{ "key": "SILVER" }, { "key": "GOLD" }] }],
        "rebateSchedules": schedules,
        "stacking": stacking,
    });
    Program::compile(read::read_document(document).unwrap_or_else(|faults| panic!("{faults}"))).unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts(program: &Program, input: Value) -> Facts {
    crate::facts::read::read(&serde_json::from_value(input).unwrap(), program).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Marginal bands by tier, with a cap, in dollars; sales in euros as well.
fn volume() -> Value {
    json!({
        "key": "volume", "period": { "quarter": {} }, "scope": { "categories": ["HARDWARE"] },
        "method": { "bands": { "scope": "MARGINAL", "bands": [{ "from": 0, "rate": { "default": "2 %", "tiers": { "GOLD": "3.333 %" } } }, { "from": 1000, "rate": "7.77 %", "onEntry": "12.345" }] } },
        "cap": { "amount": 400 },
    })
}

/// What was sold; the last line comes in after the first run.
fn sold() -> Value {
    let mut known = sold_in_all();
    known["partners"][0]["transactions"].as_array_mut().unwrap().pop();
    known
}

fn sold_in_all() -> Value {
    json!({
        "partners": [
            {
                "code": "P", "attributes": [{ "region": "DE", "type": null }],
                "assignments": [{ "tier": "SILVER", "from": "2023-01-01" }, { "tier": "GOLD", "from": "2024-02-01" }],
                "transactions": [
                    { "id": "0", "date": "2023-02-01", "category": "BIKES", "amount": "900.00" },
                    { "id": "1", "date": "2024-01-15", "category": "BIKES", "amount": "700.01", "quantity": "3" },
                    { "id": "2", "date": "2024-02-15", "category": "BIKES", "amount": "512.50", "currency": "EUR", "attributes": { "deal": "X", "points": 1.5 } },
                    { "id": "3", "date": "2024-03-15", "category": "BIKES", "amount": "100.00", "kind": "RETURN", "corrects": "1" },
                    { "id": "4", "date": "2024-03-16", "category": "SERVICES", "amount": "4000.00" },
                    { "id": "5", "date": "2024-03-20", "recordedOn": "2024-04-20", "category": "BIKES", "amount": "333.33" },
                ],
            },
            { "code": "CHILD", "attributes": [{ "region": "DE", "parent": "P" }], "transactions": [{ "id": "c", "source": "x", "date": "2024-02-01", "amount": "50.00" }] },
            { "code": "OTHER", "attributes": [{ "region": "DE" }], "transactions": [{ "id": "o", "source": "y", "date": "2024-02-01", "amount": "9000.00" }] },
        ],
        "exchangeRates": [
            { "from": "EUR", "to": "USD", "date": "2024-02-14", "rate": "1.0825" }, { "from": "EUR", "to": "USD", "date": "2020-02-14", "rate": "1.5" },
            { "from": "GBP", "to": "USD", "date": "2024-02-14", "rate": "1.25" },
        ],
    })
}

/// What the original run of a quarter asks.
fn asked<'a>(program: &'a Program, facts: &'a Facts, schedule: &str) -> Asked<'a> {
    let run = RunGiven {
        id: Some("run-1".into()),
        kind: RunKind::Original,
        period: "2024-Q1".into(),
        run_on: Some(date("2024-04-05")),
        cut_off: Some(7),
        records: Some(12),
        content_hash: Some("0123".into()),
    };
    Asked {
        statement: Heading {
            id: Some("statement-1".into()),
            program: "TEST".into(),
            partner: "P".into(),
            schedule: schedule.into(),
            period: run.period.clone(),
            currency: Currency::USD,
            run: run.clone(),
        },
        versions: BTreeMap::from([(3, program)]),
        periods: vec![PeriodGiven { period: run.period, version: 3 }],
        posted: Vec::new(),
        before: Vec::new(),
        shortfall: 0,
        adjustments: Vec::new(),
        shares: Vec::new(),
        facts,
    }
}

fn derived(asked: &Asked<'_>) -> String {
    derive(asked).unwrap_or_else(|faults| panic!("{faults}")).text
}

fn proven(file: &str) -> Proven {
    verify(file).unwrap_or_else(|faults| panic!("{faults}"))
}

fn value(file: &str) -> Value {
    serde_json::from_str(file).unwrap()
}

fn money(text: &str) -> DecimalText {
    DecimalText(text.to_owned())
}

#[test]
fn a_derivation_proves_its_figure_from_the_file_alone() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold());
    let file = derived(&asked(&program, &facts, "volume"));
    let proof = proven(&file);
    let period = program.period_named("2024-Q1").unwrap();
    let expected = compute_period(&program, &facts, "P", &period, None, &OnRecord).unwrap().entitlements[0].amount.amount();
    // 1,000 x 3.333 % + 154.79125 x 7.77 % + 12.345
    assert_eq!((proof.posted.as_str(), expected.as_str()), ("57.70", "57.70"));
    assert_eq!((proof.statement.partner.as_str(), proof.hash.len(), proof.content_hash.len()), ("P", 64, 64));
    let file = value(&file);
    assert_eq!(file["versions"][0]["digest"], json!(crate::document::export::digest(&program.document).unwrap()));
    assert_eq!(file["result"]["windows"], json!([{ "what": "PERIOD", "from": "2024-01-01", "until": "2024-04-01" }]));
    assert_eq!(file["result"]["statement"]["lines"].as_array().unwrap().len(), 3);
}

/// The name of a tier as no version may have it that is published today.
#[test]
fn a_derivation_is_proven_by_what_its_version_was_published_with() {
    let mut document = program(json!([volume()]), json!([])).document;
    document.ladders[0].tiers[0].name = Some("Silver\u{202e}".into());
    assert_eq!(Program::compile(document.clone()).unwrap_err().0[0].code, "INVALID_TEXT");
    let program = Program::compile_published(document).unwrap();
    let facts = facts(&program, sold());
    assert_eq!(proven(&derived(&asked(&program, &facts, "volume"))).posted, "57.70");
    // Rules that lean on themselves never end, whenever they were published.
    let mut document = program.document.clone();
    document.requirements = serde_json::from_value(json!([{ "key": "a", "requirement": { "shared": "a" } }])).unwrap();
    assert_eq!(Program::compile_published(document).unwrap_err().0[0].code, "CYCLE");
}

#[test]
fn only_facts_that_matter_are_stated() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold());
    let file = value(&derived(&asked(&program, &facts, "volume")));
    let stated = &file["inputs"]["facts"];
    let partners: Vec<&Value> = stated["partners"].as_array().unwrap().iter().map(|partner| &partner["code"]).collect();
    assert_eq!(partners, ["P"]);
    let lines: Vec<&Value> = stated["partners"][0]["transactions"].as_array().unwrap().iter().map(|line| &line["id"]).collect();
    // Not the year before.
    assert_eq!(lines, ["1", "2", "3", "4"]);
    assert_eq!(stated["exchangeRates"].as_array().unwrap().len(), 1);
}

#[test]
fn what_follows_is_explained() {
    let metric = json!({
        "key": "loyal", "period": { "quarter": {} }, "qualifier": { "metric": { "metric": "group" } }, "condition": { "metric": { "metric": "revenue", "atLeast": 100 } },
        "method": { "bands": { "scope": "RETROACTIVE", "bands": [{ "from": 0, "rate": "1 %" }, { "from": 4000, "rate": "2 %" }] } },
    });
    let growth = json!({ "key": "growth", "period": { "quarter": {} }, "rounding": { "at": "LINE" }, "method": { "growth": { "baseline": { "samePeriodLastYear": {} }, "payOn": "INCREMENT", "bands": [{ "from": "1.1", "rate": "10 %" }] } } });
    let program = program(json!([metric, growth, volume()]), json!([{ "netOf": { "schedule": "growth", "of": ["volume"] } }]));
    let facts = facts(&program, sold());
    let file = value(&derived(&asked(&program, &facts, "loyal")));
    let period = &file["result"];
    assert_eq!((&period["measured"][0]["what"], &period["measured"][0]["value"]["value"]), (&json!("QUALIFIER"), &json!("5204.79125")));
    assert_eq!(period["condition"]["met"], json!(true));
    assert!(period.get("stacked").is_none());
    // Its child counts, so its facts are stated; the other one's do not.
    let codes: Vec<&Value> = file["inputs"]["facts"]["partners"].as_array().unwrap().iter().map(|partner| &partner["code"]).collect();
    assert_eq!(codes, ["CHILD", "P"]);
    let file = derived(&asked(&program, &facts, "growth"));
    proven(&file);
    let file = value(&file);
    let period = &file["result"];
    assert_eq!(period["windows"][1], json!({ "what": "BASELINE", "from": "2023-01-01", "until": "2023-04-01" }));
    assert_eq!(period["stacked"][0]["schedule"], json!("volume"));
    assert!(period["entitlement"]["steps"].as_array().unwrap().iter().any(|step| step["step"] == json!("REDUCED")));
}

#[test]
fn a_rank_among_all_partners_is_stated() {
    let ranked = json!({ "key": "best", "period": { "quarter": {} }, "condition": { "metric": { "metric": "rank", "atMost": "70 %" } }, "method": { "flat": { "rate": "1 %" } } });
    let program = program(json!([ranked]), json!([]));
    let facts = facts(&program, sold());
    let file = derived(&asked(&program, &facts, "best"));
    assert_eq!(proven(&file).posted, "51.55");
    let file = value(&file);
    let rank = &file["inputs"]["ranks"][0];
    assert_eq!((&rank["partner"], &rank["better"], &rank["partners"], &rank["on"]), (&json!("P"), &json!(1), &json!(3), &json!("2024-03-31")));
    assert!(!file["inputs"]["facts"].to_string().contains("OTHER"));
}

/// A statement that pays what the version before carried states both versions, and nothing more is stated where nothing is handed over.
#[test]
fn a_statement_states_the_versions_that_hand_something_to_it() {
    let of = |on: &str, schedules: Value| {
        let mut document = program(schedules, json!([])).document;
        document.version.effective_on = date(on);
        Program::compile(document).unwrap()
    };
    let ranked = json!({ "condition": { "metric": { "metric": "rank", "atMost": "70 %" } } });
    let volume = |more: &Value| {
        let mut schedule = json!({ "key": "volume", "period": { "quarter": {} }, "method": { "flat": { "rate": "1 %" } } });
        schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schedule
    };
    let mut carrying = ranked;
    carrying["minimumPayout"] = json!({ "amount": 10, "below": "CARRY" });
    let first = of("2023-01-01", json!([volume(&carrying)]));
    let other = json!({ "key": "other", "period": { "quarter": {} }, "method": { "flat": { "rate": "2 %" } } });
    let before = Numbered { number: 2, program: Arc::new(first) };
    let second = of("2024-01-01", json!([volume(&json!({})), other])).continuing(BTreeMap::new(), Some(&before));
    let facts = facts(&second, sold());
    let file = derived(&asked(&second, &facts, "volume"));
    let period = second.period_named("2024-Q1").unwrap();
    let owed = compute_period(&second, &facts, "P", &period, None, &OnRecord).unwrap();
    // 9.00 of the first quarter of 2023, when it was the best of two.
    assert_eq!(owed.of("volume").unwrap().steps.last().unwrap().bound, Some(Exact::from_int(9)));
    assert_eq!(proven(&file).posted, owed.of("volume").unwrap().amount.amount());
    let stated = value(&file);
    let versions: Vec<_> = stated["versions"].as_array().unwrap().iter().map(|version| (&version["number"], version.get("follows"))).collect();
    assert_eq!(versions, [(&json!(2), None), (&json!(3), Some(&json!(2)))]);
    assert_eq!(stated["inputs"]["ranks"].as_array().unwrap().len(), 4, "of the quarters of 2023");
    assert!(stated["inputs"]["facts"].to_string().contains("2023-02-01"));
    let alone = value(&derived(&asked(&second, &facts, "other")));
    assert_eq!((alone["versions"].as_array().unwrap().len(), alone["versions"][0].get("follows")), (1, None));
    let code = |change: &dyn Fn(&mut Value)| {
        let mut forged = stated.clone();
        change(&mut forged["versions"]);
        let fault = verify(&super::canonical::text(&forged)).unwrap_err().0.remove(0);
        (fault.code, fault.path)
    };
    assert_eq!(code(&|versions| versions[1]["follows"] = json!(9)), ("UNKNOWN_VERSION".into(), "versions[1].follows".into()));
    assert_eq!(code(&|versions| versions[0]["follows"] = json!(3)), ("UNKNOWN_VERSION".into(), "versions[0].follows".into()));
    let without = code(&|versions| drop(versions[1].as_object_mut().unwrap().remove("follows")));
    assert_eq!(without.0, "DIFFERENT");
}

#[test]
fn a_place_and_a_mean_of_all_partners_are_stated() {
    let condition = |condition: Value| json!({ "key": "best", "period": { "quarter": {} }, "condition": condition, "method": { "flat": { "rate": "1 %" } } });
    let place = json!({ "metric": { "metric": "place", "atMost": 2 } });
    let above =
        json!({ "metric": { "value": { "formula": { "difference": { "from": { "metric": "revenue" }, "subtract": { "metric": "zone" } } } }, "atLeast": 0 } });
    for (condition, has_mean) in [(condition(place), false), (condition(above), true)] {
        let program = program(json!([condition]), json!([]));
        let facts = facts(&program, sold());
        let file = derived(&asked(&program, &facts, "best"));
        assert_eq!(proven(&file).posted, "51.55");
        let file = value(&file);
        let stated = &file["inputs"]["ranks"][0];
        assert_eq!((&stated["partner"], &stated["better"], &stated["partners"]), (&json!("P"), &json!(1), &json!(3)));
        assert_eq!(stated.get("mean").is_some(), has_mean, "{stated}");
        assert!(!file["inputs"]["facts"].to_string().contains("OTHER"));
    }
}

#[test]
fn a_shared_budget_is_stated_and_held_to_what_is_possible() {
    let mut schedule = volume();
    schedule["budget"] = json!({ "amount": 100 });
    let program = program(json!([schedule]), json!([]));
    let facts = facts(&program, sold());
    let asked = |earned: &str, share: &str| Asked {
        shares: vec![ShareGiven { period: "2024-Q1".into(), earned_by_all: money(earned), partners: 2, share: money(share) }],
        ..asked(&program, &facts, "volume")
    };
    // 100 x 57.70 / 200 = 28.85, which leaves nothing to remainders; of 201 it is 28.706...
    assert_eq!(proven(&derived(&asked("200.00", "28.85"))).posted, "28.85");
    for share in ["28.70", "28.71"] {
        assert_eq!(proven(&derived(&asked("201.00", share))).posted, share);
    }
    for (earned, share) in [("200.00", "28.84"), ("200.00", "28.86"), ("201.00", "28.69"), ("201.00", "28.72"), ("99.00", "57.70"), ("40.00", "100.00")] {
        let refused = derive(&asked(earned, share)).unwrap_err();
        assert_eq!((refused.0[0].code.as_str(), refused.0[0].path.as_str()), ("SHARE_NOT_POSSIBLE", "inputs.shares[0]"), "{earned} {share}");
    }
}

/// A line of 57.70 that was stated before.
fn stated() -> StatedLine {
    StatedLine { tier: Some("GOLD".into()), base: Exact::from_int(1000), ..StatedLine::of(LineKind::Earned, 5770, Currency::USD) }
}

/// The next run's statement of the first quarter: a late line, an accepted dispute, and a shortfall.
fn true_up<'a>(program: &'a Program, facts: &'a Facts, shortfall: i64) -> Asked<'a> {
    let first = asked(program, facts, "volume");
    let run =
        RunGiven { id: Some("run-2".into()), period: "2024-Q2".into(), run_on: Some(date("2024-07-03")), cut_off: Some(9), ..first.statement.run.clone() };
    let adjustment =
        AdjustmentGiven { number: 1, period: "2024-Q1".into(), amount: money("10.00"), cause: Some("d1".into()), reason: "a sale was missing".into() };
    Asked {
        statement: Heading { run, ..first.statement.clone() },
        periods: vec![first.periods[0].clone(), PeriodGiven { period: "2024-Q2".into(), version: 3 }],
        posted: vec![PostedGiven { period: "2024-Q1".into(), cut_offs: vec![7] }],
        before: vec![Before { period: "2024-Q1".into(), lines: vec![stated()] }],
        shortfall,
        adjustments: vec![adjustment],
        ..first
    }
}

#[test]
fn true_up_is_tied_to_its_period_and_sums() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold_in_all());
    let file = derived(&true_up(&program, &facts, 0));
    // Now 83.60 and 10.00 that were agreed on; 57.70 before.
    assert_eq!(proven(&file).posted, "35.90");
    let file = value(&file);
    let sum = |period: &str, entitled: &str, before: &str, difference: &str| json!({ "period": period, "entitled": entitled, "before": before, "difference": difference, "carried": "0.00", "posted": difference });
    assert_eq!(file["result"]["sum"], json!([sum("2024-Q1", "93.60", "57.70", "35.90"), sum("2024-Q2", "0.00", "0.00", "0.00")]));
    let lines = file["result"]["statement"]["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["kind"] == json!("ADJUSTMENT") && line["amount"] == json!(1000)), "{lines:?}");
    assert_eq!(lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum::<i64>(), 3590);
}

#[test]
fn a_shortfall_is_carried_where_the_schedule_says_so() {
    let mut carries = volume();
    carries["trueUp"] = json!({ "negative": "CARRY_FORWARD" });
    for (schedule, shortfall, posted, carried) in
        [(volume(), -1_000, "35.90", "0.00"), (carries.clone(), -1_000, "25.90", "-10.00"), (carries, -10_000, "0.00", "-35.90")]
    {
        let program = program(json!([schedule]), json!([]));
        let facts = facts(&program, sold_in_all());
        let file = derived(&true_up(&program, &facts, shortfall));
        assert_eq!(proven(&file).posted, posted);
        assert_eq!(value(&file)["result"]["sum"][0]["carried"], json!(carried));
    }
}

#[test]
fn a_posted_line_keeps_the_rate_that_its_first_run_knew() {
    let program = program(json!([volume()]), json!([]));
    let mut input = sold();
    input["exchangeRates"].as_array_mut().unwrap().push(json!({ "from": "EUR", "to": "USD", "date": "2024-02-14", "rate": "1.5", "recordedOn": "2024-05-01" }));
    let mut facts = facts(&program, input);
    // The correction came with batch 9; everything else was known to the first run, which had read up to batch 7.
    for rate in &mut facts.exchange_rates {
        rate.sealed = if rate.recorded_on == date("2024-05-01") { 9 } else { 2 };
    }
    facts.partners.get_mut("P").unwrap().transactions.iter_mut().for_each(|line| line.sealed = 3);
    let first = derived(&Asked { posted: vec![PostedGiven { period: "2024-Q1".into(), cut_offs: vec![7] }], ..asked(&program, &facts, "volume") });
    assert_eq!(proven(&first).posted, "57.70");
    let rated = derived(&asked(&program, &facts, "volume"));
    assert_ne!(proven(&rated).posted, "57.70");
    let file = value(&first);
    let batches: Vec<&Value> = file["inputs"]["facts"]["exchangeRates"].as_array().unwrap().iter().map(|rate| &rate["batch"]).collect();
    assert_eq!(batches, [&json!(2), &json!(9)]);
}

#[test]
fn what_is_no_derivation_is_refused() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold());
    let file = derived(&asked(&program, &facts, "volume"));
    let code = |text: &str| verify(text).unwrap_err().0[0].code.clone();
    assert_eq!(code(""), "SYNTAX");
    assert_eq!(code("[]"), "NOT_A_DERIVATION");
    assert_eq!(code("{}"), "NOT_A_DERIVATION");
    assert_eq!(code(&file.replacen("\"guerdonDerivation\": 1", "\"guerdonDerivation\": 2", 1)), "UNKNOWN_FORMAT");
    assert_eq!(code(&file.replacen("\"guerdonDerivation\": 1", "\"guerdonDerivation\": 1, \"guerdonDerivation\": 1", 1)), "SYNTAX");
    assert_eq!(code(&file.replacen("\"inputsDigest\"", "\"digestOfInputs\"", 1)), "UNKNOWN_MEMBER");
    assert_eq!(code(&file.replacen("\"effectiveOn\": \"2023-01-01\"", "\"effectiveOn\": \"2023-01-02\"", 1)), "DIGEST");
    // The same in other characters.
    for other in
        [format!("{file}\n"), file.trim_end().to_owned(), format!("\u{feff}{file}"), file.replacen("  ", " ", 1), file.replacen("\"P\"", "\"\\u0050\"", 1)]
    {
        assert_eq!(code(&other), "SPELLING");
    }
}

#[test]
fn the_first_difference_is_named_with_both_figures() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold());
    let file = derived(&asked(&program, &facts, "volume"));
    let mut forged = value(&file);
    forged["result"]["entitlement"]["lines"][1]["amount"] = json!("99.00");
    let fault = verify(&super::canonical::text(&forged)).unwrap_err().0.remove(0);
    assert_eq!((fault.code.as_str(), fault.path.as_str()), ("DIFFERENT", "result.entitlement.lines[1].amount"));
    assert!(fault.message.starts_with("the file says \"99.00\", and recomputed it is \""), "{}", fault.message);
}

/// The places of all leaves of a value.
fn leaves(value: &Value, pointer: String, all: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, inner)| leaves(inner, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), all))
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(at, inner)| leaves(inner, format!("{pointer}/{at}"), all)),
        _ => all.push(pointer),
    }
}

/// Something else of the same kind, which may well be read.
fn changed(leaf: &Value, how: u8) -> Value {
    match leaf {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) if how.is_multiple_of(2) => json!(number.as_i64().unwrap_or(0) + 1),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => {
            let digit = text.rfind(|letter: char| letter.is_ascii_digit());
            match (digit, how % 3) {
                (Some(at), 0 | 1) => {
                    let other = if text.as_bytes()[at] == b'1' { '2' } else { '1' };
                    json!(format!("{}{other}{}", &text[..at], &text[at + 1..]))
                }
                (_, 0) => json!(format!("{text}x")),
                (_, 1) => Value::Null,
                _ => json!(text.to_lowercase() + " "),
            }
        }
        other => json!([other]),
    }
}

/// The reversal of what a file derives, when so many minor units are recognised.
fn reversal_of(file: &str, recognised: i64) -> Derivation {
    let statement = proven(file).statement;
    let run = RunGiven { id: Some("run-9".into()), kind: RunKind::Reversal, ..statement.run.clone() };
    derive_reversal(&Heading { id: Some("statement-9".into()), run, ..statement }, recognised, file).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_reversal_proves_the_negative_and_what_it_takes_back() {
    let program = program(json!([volume()]), json!([]));
    let facts = facts(&program, sold());
    let posted = derived(&asked(&program, &facts, "volume"));
    let reversal = reversal_of(&posted, 5770);
    let proof = proven(&reversal.text);
    assert_eq!((proof.posted.as_str(), &proof.content_hash, proof.statement.run.kind), ("-57.70", &reversal.content_hash, RunKind::Reversal));
    let file = value(&reversal.text);
    assert_eq!(file["inputs"]["reverses"], value(&posted));
    assert_eq!(
        file["result"]["sum"],
        json!([{ "period": "2024-Q1", "entitled": "0.00", "before": "57.70", "difference": "-57.70", "carried": "0.00", "posted": "-57.70" }])
    );
    let cents = |list: &Value| list.as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).sum::<i64>();
    assert_eq!(cents(&file["result"]["statement"]["lines"]), -5770);
    // Of another statement, and of one that was changed inside.
    let mut forged = file.clone();
    forged["statement"]["partner"] = json!("Q");
    assert_eq!(refused(&super::canonical::text(&forged)).code, "DIFFERENT");
    let mut forged = file;
    forged["inputs"]["reverses"]["inputs"]["facts"]["partners"][0]["transactions"][0]["amount"] = json!("99.00");
    let fault = refused(&super::canonical::text(&forged));
    assert!(fault.code == "DIFFERENT" && fault.path.starts_with("inputs.reverses."), "{fault:?}");
}

fn refused(file: &str) -> crate::fault::Fault {
    verify(file).unwrap_err().0.remove(0)
}

/// A derivation with everything in it, its leaves, and their places.
static FORGEABLE: LazyLock<(Value, Vec<String>)> = LazyLock::new(|| {
    let flat = json!({ "key": "flat", "period": { "quarter": {} }, "method": { "flat": { "rate": "1 %" } } });
    let program = program(json!([volume(), flat]), json!([{ "bestOf": { "schedules": ["volume", "flat"] } }]));
    let facts = facts(&program, sold_in_all());
    // Of a reversal, so that what is inside is forged as well.
    let file = value(&reversal_of(&derived(&true_up(&program, &facts, -500)), 1_234).text);
    let mut all = Vec::new();
    leaves(&file, String::new(), &mut all);
    (file, all)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Whatever single leaf is changed or taken out: the derivation is refused.
    #[test]
    fn tampering_with_any_leaf_is_found(place in any::<prop::sample::Index>(), how in any::<u8>(), takes_out in prop::bool::weighted(0.2)) {
        let (file, all) = &*FORGEABLE;
        let pointer = &all[place.index(all.len())];
        let mut forged = file.clone();
        if takes_out {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match forged.pointer_mut(parent).unwrap() {
                Value::Object(object) => { object.shift_remove(&name.replace("~1", "/").replace("~0", "~")); }
                Value::Array(list) => { list.remove(name.parse().unwrap()); }
                _ => unreachable!(),
            }
        } else {
            let leaf = forged.pointer_mut(pointer).unwrap();
            *leaf = changed(leaf, how);
        }
        prop_assume!(forged != *file);
        prop_assert!(verify(&super::canonical::text(&forged)).is_err(), "{pointer}");
    }

    /// Random sales: the derivation proves what the engine computes.
    #[test]
    fn derivations_prove_what_is_computed(cents in prop::collection::vec((0_i64..91, -20_000_i64..90_000, any::<bool>()), 0..12)) {
        let flat = json!({ "key": "flat", "period": { "quarter": {} }, "basis": "quantity", "method": { "flat": { "rate": "1.2345 %" } } });
        let program = program(json!([volume(), flat]), json!([{ "netOf": { "schedule": "volume", "of": ["flat"] } }]));
        let start = date("2024-01-01");
        let lines: Vec<Value> = cents.iter().enumerate().map(|(at, (day, cents, back))| json!({
            "id": at.to_string(), "date": start.plus_days(*day), "category": "BIKES", "quantity": cents, "kind": if *back { "RETURN" } else { "SALE" },
            "amount": crate::exact::spell((*cents).into(), 2, false),
        })).collect();
        let facts = facts(&program, json!({ "partners": [{ "code": "P", "transactions": lines }] }));
        let file = derived(&asked(&program, &facts, "volume"));
        let period = program.period_named("2024-Q1").unwrap();
        let computed = compute_period(&program, &facts, "P", &period, None, &OnRecord).unwrap();
        prop_assert_eq!(proven(&file).posted, computed.of("volume").unwrap().amount.amount());
        prop_assert_eq!(derived(&asked(&program, &facts, "volume")), file);
    }
}
