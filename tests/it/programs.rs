//! The programs under `examples/programs`: every document is read, compiled, and holds to its own scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use guerdon_domain::document::read::{Format, read};
use guerdon_domain::program::Program;
use guerdon_domain::scenario::run_scenarios;

/// The published scenarios, by prefix and number. Those of funds (GL-5, MS-5, MS-6) need an engine that is not there yet.
const PUBLISHED: [(&str, &[u32]); 8] = [
    ("OD", &[1, 2, 3, 4, 5, 6]),
    ("GL", &[1, 2, 3, 4]),
    ("AT", &[1, 2, 3, 4, 5]),
    ("MS", &[1, 2, 3, 4]),
    ("HS", &[1, 2, 3, 4, 5]),
    ("QB", &[1, 2, 3, 4, 5]),
    ("GO", &[1, 2, 3, 4]),
    ("DL", &[1, 2, 3, 4, 5]),
];

fn documents() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/programs");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())).collect()
}

fn compiled(name: &str, text: &str) -> Program {
    let document = read(text, Format::Yaml).unwrap_or_else(|faults| panic!("{name} cannot be read:\n{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{name} is refused:\n{faults}"))
}

#[test]
fn every_program_holds_to_its_scenarios() {
    let mut failures = String::new();
    for (name, text) in documents() {
        let results = run_scenarios(&compiled(&name, &text));
        assert!(!results.is_empty(), "{name} has no scenarios");
        for result in results {
            assert!(result.checks > 0 || !result.passed(), "{name}: {} expects nothing", result.scenario);
            for failure in result.failures {
                writeln!(failures, "{name}: {}: {} {}: expected {}, is {}", result.scenario, failure.partner, failure.at, failure.expected, failure.actual)
                    .unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_published_scenario_is_there_and_every_program_has_five_of_its_own() {
    let published: BTreeSet<String> = PUBLISHED.iter().flat_map(|(prefix, numbers)| numbers.iter().map(move |number| format!("{prefix}-{number}"))).collect();
    let mut found = BTreeSet::new();
    let mut own: BTreeMap<String, usize> = BTreeMap::new();
    for (name, text) in documents().into_iter().filter(|(name, _)| name.starts_with('p') && name.as_bytes().get(3) == Some(&b'-')) {
        let document = read(&text, Format::Yaml).unwrap();
        let (of_table, others): (BTreeSet<String>, BTreeSet<String>) =
            document.scenarios.into_iter().map(|scenario| scenario.name).partition(|name| published.contains(name));
        found.extend(of_table);
        *own.entry(name.get(..3).unwrap().to_owned()).or_default() += others.len();
    }
    assert_eq!(found, published);
    assert_eq!(own.len(), 17);
    assert!(own.values().all(|count| *count >= 5), "{own:?}");
}

#[test]
fn versions_of_one_program_have_different_dates() {
    let mut versions = BTreeSet::new();
    for (name, text) in documents() {
        let program = compiled(&name, &text);
        assert!(
            versions.insert((program.code().to_owned(), program.effective_on())),
            "{name}: another version of {} is effective on the same day",
            program.code()
        );
    }
}
