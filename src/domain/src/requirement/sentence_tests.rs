use super::*;
use crate::document::ladder::Entry;
use crate::document::read::{Format, read};
use crate::document::validate::validate;
use crate::facts::Facts;
use crate::facts::input::FactsInput;
use crate::levelling::evaluate_partner;
use crate::metric::Evaluator;
use crate::program::Program;
use crate::sentence::Sentence;

fn program() -> Program {
    let text = include_str!("sentences.yaml");
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    // One condition lies above a cap, as it may in what was published before such were refused.
    let refused: Vec<String> = validate(&document).0.iter().map(|fault| fault.code.to_string()).collect();
    assert_eq!(refused, ["NEVER_MET"]);
    Program::compile_published(document).unwrap_or_else(|faults| panic!("{faults}"))
}

/// FAR has a little of everything, NEAR has all of it, NEW has nothing.
fn facts(program: &Program) -> Facts {
    let people = |from: u32, to: u32| {
        (from..to).map(|at| serde_json::json!({"id": format!("c{at}"), "kind": "CERTIFICATION", "type": if at == 3 { "ARCHITECT" } else { "ENGINEER" }, "person": format!("E{at}"), "since": "2024-01-01", "attributes": {"area": if at % 2 == 0 { "DATA" } else { "CLOUD" }}})).collect::<Vec<_>>()
    };
    let sale = |id: &str, date: &str, amount: &str, kind: &str, area: &str| serde_json::json!({"id": id, "date": date, "amount": amount, "attributes": {"kind": kind, "area": area}});
    let deal = |id: &str, outcome: &str| serde_json::json!({"id": id, "openedOn": "2025-03-01", "closedOn": "2025-05-01", "outcome": outcome});
    let activity = |id: &str, kind: &str, value: &str| serde_json::json!({"id": id, "date": "2025-06-01", "kind": kind, "value": value});
    let far_sales = vec![sale("1", "2025-02-01", "15000.00", "PRODUCT", "DATA"), sale("2", "2025-09-01", "5000.00", "SERVICE", "CLOUD")];
    let near_sales = vec![
        sale("3", "2023-02-01", "500.00", "PRODUCT", "DATA"),
        sale("4", "2024-02-01", "500.00", "PRODUCT", "DATA"),
        sale("5", "2025-02-01", "20000.00", "SERVICE", "DATA"),
        sale("6", "2026-01-05", "10.00", "SERVICE", "CLOUD"),
        sale("7", "2025-03-01", "10000.00", "PRODUCT", "CLOUD"),
    ];
    let mut far_holdings = people(0, 3);
    far_holdings[0]["attributes"] = serde_json::json!({"area": "OTHER"});
    far_holdings[2]["attributes"] = serde_json::json!({"area": "OTHER"});
    far_holdings.push(serde_json::json!({"id": "w", "kind": "WARNING", "since": "2025-01-01"}));
    let mut near_holdings = people(0, 6);
    near_holdings.push(serde_json::json!({"id": "a", "kind": "ATTESTATION", "type": "CODE_OF_CONDUCT", "since": "2025-01-01"}));
    let input = serde_json::json!({"partners": [
        {"code": "FAR", "attributes": [{"region": "EMEA", "type": "MSP"}], "enrollments": [{"since": "2025-01-01"}], "assignments": [{"tier": "SILVER", "from": "2025-01-01"}],
         "transactions": far_sales, "holdings": far_holdings, "deals": [deal("d1", "WON"), deal("d2", "LOST"), deal("d3", "LOST"), deal("d4", "WON"), deal("d5", "LOST")],
         "activities": [activity("x1", "CSAT", "4"), activity("x2", "ANSWER", "30")]},
        {"code": "NEAR", "attributes": [{"region": "APAC", "type": "VAR"}], "enrollments": [{"since": "2020-01-01"}], "assignments": [{"tier": "GOLD", "from": "2024-01-01"}],
         "transactions": near_sales, "holdings": near_holdings, "deals": [deal("d6", "WON"), deal("d7", "WON"), deal("d8", "WON")],
         "activities": [activity("x3", "CSAT", "5"), activity("x4", "ANSWER", "2")],
         "contracts": [{"key": "C1", "template": "STANDARD", "status": "ACTIVE", "from": "2025-01-01", "until": "2027-01-01"}]},
        {"code": "NEW", "attributes": [{"region": "EMEA"}], "enrollments": [{"since": "2027-01-01"}]},
    ]});
    let input: FactsInput = serde_json::from_value(input).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

fn line(sentence: &Sentence) -> String {
    let pieces: Vec<String> = sentence.pieces.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}\n      {} {{{}}}\n", sentence.text, sentence.form, pieces.join(", "))
}

/// Every kind of condition, unmet, met and without data, with its pieces; then the admissions of the ladder.
fn all_sentences() -> String {
    let program = program();
    let facts = facts(&program);
    let evaluator = Evaluator::new(&program, &facts);
    let by: Date = "2026-03-31".parse().unwrap();
    let as_of: Date = "2026-01-31".parse().unwrap();
    let mut text = String::new();
    for shared in &program.document.requirements {
        text += &format!("{}\n", shared.key);
        for code in ["FAR", "NEAR", "NEW"] {
            let at = At::new(evaluator.partner(code).unwrap(), as_of);
            let judged = evaluator.judge(&shared.requirement, &at).unwrap_or_else(|faults| panic!("{}: {faults}", shared.key));
            let gap = Gap::of(&judged, Some(by));
            text += &format!("  {code:4} {}", line(&Sentence::of_node(&judged, Some(by).filter(|_| !judged.met))));
            let several = gap.missing.len() > 1 || gap.missing.iter().any(|leaf| leaf.group.is_some());
            for missing in gap.missing.iter().filter(|_| several && code == "FAR") {
                text += &format!("    missing: {}", line(&missing.sentence()));
            }
        }
    }
    let standing = evaluate_partner(&program, &facts, "FAR", as_of).unwrap();
    let main = standing.ladder(None, None).unwrap();
    text += "admission\n";
    for (awaited, entry) in main.awaiting.iter().zip([Entry::ByApplication, Entry::ByInvitation, Entry::ByApproval]) {
        assert_eq!(awaited.entry, entry);
        text += &format!("  FAR  {}", line(&awaited.sentence()));
    }
    text
}

#[test]
fn every_kind_of_condition_and_unit_has_its_sentence() {
    let (expected, actual) = (include_str!("sentences.txt"), all_sentences());
    for (line, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(expected, actual, "line {} of\n{}", line + 1, all_sentences());
    }
    assert_eq!(expected.lines().count(), actual.lines().count(), "{actual}");
}

/// A reader of a document sees the same: each path of ANY_OF with its own gap.
#[test]
fn paths_are_written_with_their_gaps() {
    let program = program();
    let facts = facts(&program);
    let evaluator = Evaluator::new(&program, &facts);
    let at = At::new(evaluator.partner("FAR").unwrap(), "2026-01-31".parse().unwrap());
    let judged = evaluator.judge(program.requirement("anyOf").unwrap(), &at).unwrap();
    let json = serde_json::to_value(&judged).unwrap();
    assert_eq!((&json["of"][0]["gap"]["missing"][0]["missing"], &json["of"][1]["gap"]["missing"][0]["missing"]), (&"5000".into(), &"2".into()));
    assert_eq!((&json["of"][0]["label"], &json["cheapest"]), (&"revenue alone".into(), &0.into()));
}

/// The days of a deal are days; other durations are hours, unless a noun says what they are.
#[test]
fn durations_are_told_in_what_they_are_measured_in() {
    let measure = |of: &str| serde_json::json!({"source": "DEALS", "aggregate": "AVERAGE", "of": of, "window": {"lifetime": {}}});
    let words = |of: &str, noun: Option<&str>| {
        let mut metric = serde_json::json!({"key": "cycle", "name": "Time to close", "unit": "DURATION", "measure": measure(of)});
        if let Some(noun) = noun {
            metric["noun"] = noun.into();
        }
        let document = serde_json::json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
            "metrics": [metric], "requirements": [{"key": "it", "requirement": {"metric": {"metric": "cycle", "below": 20}}}], "ladders": [{"key": "L", "tiers": [{"key": "A"}]}]});
        let program = Program::compile(serde_json::from_value(document).unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
        let deal = serde_json::json!({"id": "d", "openedOn": "2025-01-01", "closedOn": "2025-01-31", "outcome": "WON", "value": "30"});
        let input = serde_json::from_value(serde_json::json!({"partners": [{"code": "P", "deals": [deal]}]})).unwrap();
        let facts = crate::facts::read::read(&input, &program).unwrap_or_else(|faults| panic!("{faults}"));
        let evaluator = Evaluator::new(&program, &facts);
        let at = At::new(evaluator.partner("P").unwrap(), "2025-06-01".parse().unwrap());
        Sentence::of_node(&evaluator.judge(program.requirement("it").unwrap(), &at).unwrap(), None).text
    };
    assert_eq!(words("cycleDays", None), "Time to close: 30 days; it must be under 20");
    assert_eq!(words("cycleDays", Some("working day")), "Time to close: 30 working days; it must be under 20");
    assert_eq!(words("attribute.hours", None), "Time to close: no data yet; it must be under 20 h");
}
