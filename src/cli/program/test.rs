//! `guerdon program test`: runs the scenarios of documents without a database.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;
use guerdon_domain::scenario::{Failure, ScenarioResult, run_scenarios};
use serde::Serialize;

use super::{print_json, read_file, write_text};
use crate::cli::Outcome;
use crate::error::AppError;

/// Run the scenarios of documents. No database is needed.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Documents in YAML or JSON; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A document without scenarios is a failure.
    #[arg(long)]
    require_scenarios: bool,
    /// Print one line of JSON instead.
    #[arg(long)]
    json: bool,
}

/// The outcome for one document.
#[derive(Serialize)]
struct Tested {
    file: String,
    faults: Faults,
    scenarios: Vec<ScenarioResult>,
}

#[derive(Serialize, Default)]
struct Counts {
    documents: usize,
    scenarios: usize,
    failures: usize,
}

#[derive(Serialize)]
struct Report<'r> {
    counts: &'r Counts,
    documents: &'r [Tested],
}

/// Runs the command.
pub fn run(args: &TestArgs) -> Outcome {
    let mut counts = Counts::default();
    let mut all = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let tested = test(path, args.require_scenarios)?;
        counts.documents += 1;
        counts.scenarios += tested.scenarios.len();
        counts.failures += tested.scenarios.iter().filter(|result| !result.passed()).count() + usize::from(!tested.faults.is_empty());
        if !args.json {
            write_text(&told(&tested), None)?;
        }
        all.push(tested);
    }
    if args.json {
        print_json(&Report { counts: &counts, documents: &all })?;
    } else {
        write_text(&format!("documents: {}, scenarios: {}, failures: {}\n", counts.documents, counts.scenarios, counts.failures), None)?;
    }
    Ok(if counts.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn test(path: &std::path::Path, require_scenarios: bool) -> Result<Tested, AppError> {
    let file = path.display().to_string();
    let compiled = read_file(path).and_then(|document| Ok(Program::compile(document)?));
    let program = match compiled {
        Ok(program) => program,
        Err(error) => return Ok(Tested { file, faults: error.faults().ok_or(error)?, scenarios: Vec::new() }),
    };
    let mut faults = Faults::new();
    let scenarios = run_scenarios(&program);
    if scenarios.is_empty() && require_scenarios {
        faults.add("NO_SCENARIOS", "scenarios", "the document has no scenarios, and --require-scenarios asks for some");
    }
    Ok(Tested { file, faults, scenarios })
}

fn told(tested: &Tested) -> String {
    let mut text = format!("{}\n", tested.file);
    for fault in &tested.faults.0 {
        text.push_str(&format!("  FAULT {fault}\n"));
    }
    for result in &tested.scenarios {
        if result.passed() {
            text.push_str(&format!("  ok    {} ({} checks)\n", result.scenario, result.checks));
        } else {
            let checks = result.checks.max(result.failures.len());
            text.push_str(&format!("  FAIL  {} ({} of {checks} checks)\n", result.scenario, result.failures.len()));
            result.failures.iter().for_each(|failure| text.push_str(&told_failure(failure)));
        }
    }
    text
}

fn told_failure(failure: &Failure) -> String {
    let reasons: String = failure.because.iter().map(|reason| format!("          because   {reason}\n")).collect();
    let Failure { partner, at, expected, actual, .. } = failure;
    format!("        {partner} {at}\n          expected: {expected}\n          actual:   {actual}\n{reasons}")
}
