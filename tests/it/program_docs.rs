//! The pages about documents, cases and program tests: their examples are run, their tables are those of the schema.

use std::path::PathBuf;

use guerdon_domain::document::read::{Format, read_document, read_value};
use guerdon_domain::document::schema::{json_schema, schema_of};
use guerdon_domain::evaluate::{CaseInput, CaseProgram, EntitlementsAsk, EstimateAsk, MetricsAsk, RebatesAsk, RiskAsk, StandingAsk, evaluate};
use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;
use guerdon_domain::scenario::run_scenarios;
use serde_json::{Map, Value, json};

fn page(name: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The fenced blocks of a page whose info string is `info`.
fn blocks(text: &str, info: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{info}") {
            found.push(lines.by_ref().take_while(|line| line.trim() != "```").map(|line| format!("{line}\n")).collect());
        }
    }
    found
}

/// Puts parts of a document together: lists are joined, objects are merged.
fn merge(whole: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { panic!("a part of a document is an object") };
    for (name, value) in part {
        match (whole.get_mut(&name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (None, value) => {
                whole.insert(name, value);
            }
            (Some(_), _) => panic!("{name} stands in two examples"),
        }
    }
}

#[test]
fn the_examples_of_the_document_page_are_one_valid_document() {
    let (_, text) = page("program-document.md");
    let mut whole = Map::new();
    let parts = blocks(&text, "yaml");
    assert!(parts.len() > 10);
    for part in parts {
        merge(&mut whole, read_value(&part, Format::Yaml).unwrap_or_else(|fault| panic!("{fault}\n{part}")));
    }
    let document = read_document(Value::Object(whole)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
}

#[test]
fn the_examples_of_the_test_page_pass() {
    let (_, text) = page("program-tests.md");
    let documents = blocks(&text, "yaml");
    assert!(!documents.is_empty());
    for text in documents {
        let document = read_document(read_value(&text, Format::Yaml).unwrap()).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        let program = Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
        let results = run_scenarios(&program);
        assert!(!results.is_empty());
        for result in results {
            assert!(result.passed(), "{:#?}", result);
        }
    }
}

#[test]
fn the_examples_of_the_case_page_answer_as_they_say() {
    let (_, text) = page("evaluate.md");
    let cases = blocks(&text, "json case");
    let answers = blocks(&text, "json answer");
    assert!(!cases.is_empty() && cases.len() == answers.len(), "{} cases, {} answers", cases.len(), answers.len());
    for (case, answer) in cases.iter().zip(&answers) {
        let expected: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}\n{answer}"));
        let actual = answered(case);
        assert_eq!(actual, expected, "the page says\n{answer}\nthe answer is\n{actual:#}");
    }
}

fn answered(case: &str) -> Value {
    let answer = || -> Result<Value, Faults> {
        let case = CaseInput::read(read_value(case, Format::Json)?)?;
        let document = match &case.program {
            Value::String(path) => {
                let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
                read_document(read_value(&std::fs::read_to_string(path).unwrap(), Format::Yaml)?)?
            }
            inline => read_document(inline.clone())?,
        };
        Ok(serde_json::to_value(evaluate(&case, &CaseProgram::compile(document)?)?).unwrap())
    };
    answer().unwrap_or_else(|faults| json!({ "error": faults.0[0], "errors": faults.0 }))
}

/// A type of the reference: its heading, and a row for each member.
fn table(name: &str, schema: &Value, text: &mut String) {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.push_str(&format!("#### {name}\n\n{description}\n\n"));
    let words: Vec<(&str, &str)> = options(schema).iter().filter_map(|option| Some((option.get("const")?.as_str()?, said(option)))).collect();
    if !words.is_empty() {
        text.push_str("| Value | |\n|---|---|\n");
        words.iter().for_each(|(word, said)| text.push_str(&format!("| `{word}` | {said} |\n")));
        text.push('\n');
        if options(schema).len() == words.len() {
            return;
        }
    }
    let chosen: Vec<&Value> = options(schema).iter().collect();
    let members = |schema: &Value| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if chosen.is_empty() {
        if !members(schema).is_empty() {
            text.push_str("| Member | Type | |\n|---|---|---|\n");
            for (member, value) in members(schema) {
                let required = schema.get("required").and_then(Value::as_array).is_some_and(|list| list.contains(&json!(member)));
                text.push_str(&format!(
                    "| `{member}` | {} | {}{}{} |\n",
                    kind(&value),
                    said(&value),
                    if required { " **Required.**" } else { "" },
                    default(&value)
                ));
            }
            text.push('\n');
        }
        return;
    }
    let or = if words.is_empty() { "Exactly" } else { "Or exactly" };
    text.push_str(&format!("{or} one of:\n\n| Member | Type | |\n|---|---|---|\n"));
    for option in chosen {
        for (member, value) in members(option) {
            text.push_str(&format!("| `{member}` | {} | {} |\n", kind(&value), said(option)));
        }
    }
    text.push('\n');
}

fn options(schema: &Value) -> &[Value] {
    schema.get("oneOf").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn said(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn default(schema: &Value) -> String {
    match schema.get("default") {
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(list)) if list.is_empty() => String::new(),
        Some(Value::Object(_)) => String::new(),
        Some(value) => format!(" Default `{}`.", value.to_string().replace('"', "")),
    }
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(inner) = schema.get("anyOf").and_then(Value::as_array).and_then(|list| list.first()) {
        return kind(inner);
    }
    let of = |name: &str| schema.get(name).filter(|inner| inner.is_object()).map(kind);
    let word = match schema.get("type") {
        Some(Value::String(word)) => word.as_str(),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).find(|word| *word != "null").unwrap_or("anything"),
        _ => return "anything".to_owned(),
    };
    match word {
        "array" => format!("list of {}", of("items").unwrap_or_else(|| "anything".to_owned())),
        "object" => {
            let patterned = schema.get("patternProperties").and_then(Value::as_object).and_then(|all| all.values().next()).map(kind);
            of("additionalProperties").or(patterned).map_or_else(|| "`{}`".to_owned(), |inner| format!("object of {inner}"))
        }
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// The reference of several schemas: the roots first, then every definition that is not `left_out`.
fn reference(roots: &[(&str, Value)], left_out: &dyn Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut definitions = std::collections::BTreeMap::new();
    for (name, schema) in roots {
        table(name, schema, &mut text);
        for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            definitions.insert(name.clone(), definition.clone());
        }
    }
    for (name, definition) in definitions.iter().filter(|(name, _)| !left_out(name)) {
        table(name, definition, &mut text);
    }
    text
}

/// Compares the reference of a page with the schema; writes it when WRITE_DOCS is set.
fn hold(name: &str, reference: &str) {
    let (path, text) = page(name);
    let (before, rest) = text.split_once("<!-- reference -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /reference -->").unwrap();
    let whole = format!("{before}<!-- reference -->\n\n{reference}<!-- /reference -->{after}");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(path, whole).unwrap();
    } else {
        assert!(whole == text, "{name} does not have the reference of the schema: run this test with WRITE_DOCS=1");
    }
}

fn is_of_facts(name: &str) -> bool {
    let facts = schema_of::<guerdon_domain::facts::input::FactsInput>("");
    name == "FactsInput" || facts["$defs"].get(name).is_some()
}

#[test]
fn the_reference_of_the_document_is_the_schemas() {
    let shared = [
        "Date",
        "Currency",
        "Number",
        "Rate",
        "Scalar",
        "DecimalText",
        "BenefitValue",
        "RateValue",
        "RateRow",
        "CapPer",
        "TermGrant",
        "TermEffect",
        "ContractTerms",
    ];
    let left_out = |name: &str| is_of_facts(name) && !shared.contains(&name);
    hold("program-document.md", &reference(&[("Document", json_schema())], &left_out));
}

#[test]
fn the_reference_of_cases_is_the_schemas() {
    let roots = [
        ("Case", schema_of::<CaseInput>("")),
        ("standing", schema_of::<StandingAsk>("")),
        ("metrics", schema_of::<MetricsAsk>("")),
        ("entitlements", schema_of::<EntitlementsAsk>("")),
        ("rebates", schema_of::<RebatesAsk>("")),
        ("estimate", schema_of::<EstimateAsk>("")),
        ("risk", schema_of::<RiskAsk>("")),
    ];
    hold("evaluate.md", &reference(&roots, &|_| false));
}
