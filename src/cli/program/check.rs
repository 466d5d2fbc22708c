//! `guerdon program validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon_domain::document::export::digest;
use guerdon_domain::document::notes::notes;
use guerdon_domain::document::rebate::RebateSchedule;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::program::Program;
use guerdon_domain::rebate::batch::reads_lines;
use serde::Serialize;

use super::{noted, print_json, read_file, write_text};
use crate::cli::Outcome;
use crate::error::AppError;

/// Check documents: every fault at once. No database is needed.
#[derive(Debug, clap::Args)]
pub struct ValidateArgs {
    /// Documents in YAML or JSON; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// The outcome for one file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    faults: Faults,
    notes: Vec<Fault>,
    line_by_line: Vec<LineByLine>,
}

/// A schedule that a run computes from every sale line, because sums of them do not suffice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineByLine {
    schedule: String,
    reason: &'static str,
}

fn line_by_line(program: &Program) -> Vec<LineByLine> {
    let reads = |schedule: &RebateSchedule| reads_lines(program, schedule).map(|reason| LineByLine { schedule: schedule.key.clone(), reason });
    program.document.rebate_schedules.iter().filter_map(reads).collect()
}

/// One line for each of them, for people.
fn told(all: &[LineByLine]) -> String {
    all.iter().map(|one| format!("  rebate schedule {} is computed line by line: {}\n", one.schedule, one.reason)).collect()
}

/// Runs the command.
pub fn validate(args: &ValidateArgs) -> Outcome {
    let mut all = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let file = path.display().to_string();
        let judged = read_file(path).and_then(|document| {
            let digest = digest(&document).map_err(|fault| AppError::Invalid(fault.into()))?;
            let notes = notes(&document);
            Ok((digest, notes, line_by_line(&Program::compile(document)?)))
        });
        all.push(match judged {
            Ok((digest, notes, line_by_line)) => Checked { file, valid: true, digest: Some(digest), faults: Faults::new(), notes, line_by_line },
            Err(error) => Checked { file, valid: false, digest: None, faults: error.faults().ok_or(error)?, notes: Vec::new(), line_by_line: Vec::new() },
        });
    }
    if args.json {
        print_json(&all)?;
    } else {
        let lines = all.iter().map(|checked| match &checked.digest {
            Some(digest) => format!("{}: valid, digest {digest}\n{}{}", checked.file, noted(&checked.notes), told(&checked.line_by_line)),
            None => {
                let faults: String = checked.faults.0.iter().map(|fault| format!("  {fault}\n")).collect();
                let count = checked.faults.0.len();
                format!("{}: {count} {}\n{faults}", checked.file, if count == 1 { "fault" } else { "faults" })
            }
        });
        write_text(&lines.collect::<String>(), None)?;
    }
    Ok(if all.iter().all(|checked| checked.valid) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
