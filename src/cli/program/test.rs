//! `guerdon program test`: runs the scenarios of documents without a database.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;
use guerdon_domain::scenario::{Failure, ScenarioResult, run_scenarios};
use serde::Serialize;

use super::read_file;
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
            print(&tested);
        }
        all.push(tested);
    }
    if args.json {
        println!("{}", serde_json::to_string(&Report { counts: &counts, documents: &all }).map_err(AppError::internal)?);
    } else {
        println!("documents: {}, scenarios: {}, failures: {}", counts.documents, counts.scenarios, counts.failures);
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

fn print(tested: &Tested) {
    println!("{}", tested.file);
    for fault in &tested.faults.0 {
        println!("  FAULT {fault}");
    }
    for result in &tested.scenarios {
        if result.passed() {
            println!("  ok    {} ({} checks)", result.scenario, result.checks);
        } else {
            println!("  FAIL  {} ({} of {} checks)", result.scenario, result.failures.len(), result.checks.max(result.failures.len()));
            result.failures.iter().for_each(print_failure);
        }
    }
}

fn print_failure(failure: &Failure) {
    println!("        {} {}", failure.partner, failure.at);
    println!("          expected: {}", failure.expected);
    println!("          actual:   {}", failure.actual);
    for reason in &failure.because {
        println!("          because   {reason}");
    }
}
