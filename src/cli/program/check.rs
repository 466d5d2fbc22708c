//! `guerdon program validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon_domain::document::export::digest;
use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;
use serde::Serialize;

use super::read_file;
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
struct Checked {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    faults: Faults,
}

/// Runs the command.
pub fn validate(args: &ValidateArgs) -> Outcome {
    let mut all = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let file = path.display().to_string();
        let judged = read_file(path).and_then(|document| {
            let digest = digest(&document).map_err(|fault| AppError::Invalid(fault.into()))?;
            Program::compile(document)?;
            Ok(digest)
        });
        all.push(match judged {
            Ok(digest) => Checked { file, valid: true, digest: Some(digest), faults: Faults::new() },
            Err(error) => Checked { file, valid: false, digest: None, faults: error.faults().ok_or(error)? },
        });
    }
    if args.json {
        println!("{}", serde_json::to_string(&all).map_err(AppError::internal)?);
    } else {
        for checked in &all {
            match &checked.digest {
                Some(digest) => println!("{}: valid, digest {digest}", checked.file),
                None => {
                    println!("{}: {} faults", checked.file, checked.faults.0.len());
                    checked.faults.0.iter().for_each(|fault| println!("  {fault}"));
                }
            }
        }
    }
    Ok(if all.iter().all(|checked| checked.valid) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
