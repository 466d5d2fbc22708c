//! `guerdon evaluate` as a process: order, refusals, caching, limits.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PROGRAM: &str = r#"{"guerdon": 1, "program": {"code": "P", "name": "P", "currency": "USD"}, "version": {"effectiveOn": "2026-01-01"}, "metrics": [{"key": "revenue", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"lifetime": {}}}}], "ladders": [{"key": "L", "tiers": [{"key": "BASE"}, {"key": "GOLD", "requirement": {"metric": {"metric": "revenue", "atLeast": 100}}}]}]}"#;

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guerdon"));
    command.arg("evaluate").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The answers to a text, and whether the process ended well.
fn answers(arguments: &[&str], input: &[u8]) -> (Vec<Value>, bool) {
    let mut child = command().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let lines = output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    (lines, output.status.success())
}

fn case(id: usize, amount: &str) -> String {
    let facts = json!({"partners": [{"code": "A", "transactions": [{"id": "1", "date": "2026-01-01", "amount": amount}]}]});
    format!(r#"{{"id": {id}, "program": {PROGRAM}, "facts": {facts}, "asOf": "2026-06-30", "ask": ["standing"]}}"#)
}

#[test]
fn answers_come_in_order_whatever_stands_between_them() {
    let mut input = Vec::new();
    for id in 0..600 {
        let line = match id % 6 {
            0 => "not json".to_owned(),
            1 => case(id, "1e3"),
            2 => format!(r#"{{"id": {id}, "program": {{"guerdon": 1}}, "asOf": "2026-01-01", "ask": ["standing"]}}"#),
            3 => format!(r#"{{"id": {id}, "id": 2}}"#),
            _ => case(id, &format!("{id}.00")),
        };
        input.extend_from_slice(line.as_bytes());
        input.extend_from_slice(if id % 7 == 0 { b"\n\n" } else { b"\r\n" });
    }
    input.extend_from_slice(b"\xff\xfe\n");
    for jobs in ["1", "3"] {
        let (answers, success) = answers(&["--jobs", jobs], &input);
        assert!(success);
        assert_eq!(answers.len(), 601);
        for (id, answer) in answers.iter().take(600).enumerate() {
            match id % 6 {
                0 | 3 => assert_eq!(answer["error"]["code"], "SYNTAX", "{id}"),
                1 => assert_eq!((&answer["id"], &answer["error"]["path"]), (&json!(id), &json!("facts.partners[0].transactions[0].amount"))),
                2 => assert_eq!(
                    (&answer["id"], &answer["error"]["path"], answer["errors"].as_array().unwrap().len()),
                    (&json!(id), &json!("program.program"), 2)
                ),
                _ => {
                    let tier = if id >= 100 { "GOLD" } else { "BASE" };
                    assert_eq!((&answer["id"], &answer["partners"]["A"]["standing"]["ladders"][0]["tier"]), (&json!(id), &json!(tier)));
                }
            }
        }
        assert_eq!(answers[600]["error"]["code"], "SYNTAX");
    }
}

#[test]
fn whoever_waits_for_an_answer_gets_it() {
    let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in 0..3 {
        writeln!(stdin, "{}", case(id, "100.00")).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], id);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn files_of_programs_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.json");
    let input = folder.path().join("cases.jsonl");
    let output = folder.path().join("answers.jsonl");
    let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let ask =
        json!({"program": path.to_str().unwrap(), "facts": {"partners": [{"code": "A"}]}, "asOf": "2026-06-30", "ask": [{"standing": {"explain": false}}]});
    let mut codes = Vec::new();
    for text in [PROGRAM.to_owned(), PROGRAM.replace("\"code\": \"P\"", "\"code\": \"CHANGED\"")] {
        std::fs::write(&path, text).unwrap();
        writeln!(stdin, "{ask}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        codes.push(serde_json::from_str::<Value>(&line).unwrap()["program"]["code"].clone());
    }
    drop(stdin);
    child.wait().unwrap();
    assert_eq!(codes, ["P", "CHANGED"]);
    std::fs::write(&input, format!("{ask}\n")).unwrap();
    let status = command().args(["--input", input.to_str().unwrap(), "--output", output.to_str().unwrap()]).status().unwrap();
    assert!(status.success() && std::fs::read_to_string(&output).unwrap().lines().count() == 1);
    assert!(!command().args(["--input", "/nonexistent/cases"]).stderr(Stdio::null()).status().unwrap().success());
}

#[test]
fn deep_and_odd_cases_are_refused_and_the_stream_goes_on() {
    let deep = format!(r#"{{"program": {}{}, "ask": []}}"#, r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    let lines = ["[]".to_owned(), "7".to_owned(), r#"{"program": 5, "ask": ["standing"], "asOf": "2026-01-01"}"#.to_owned(), deep, case(1, "1.00")];
    let (answers, success) = answers(&[], lines.join("\n").as_bytes());
    assert!(success);
    let codes: Vec<&str> = answers.iter().take(4).map(|answer| answer["error"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["WRONG_TYPE", "WRONG_TYPE", "WRONG_TYPE", "SYNTAX"]);
    assert_eq!(answers[4]["id"], 1);
}
