//! `guerdon verify statement`: derivations of statements, recomputed from their files alone.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::rebate::proof::{Proven, verify};
use serde::Serialize;

use crate::cli::Outcome;
use crate::cli::program::{print_json, write_text};
use crate::error::AppError;

/// The stack of the thread that computes: requirement trees and formulas are walked recursively.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Prove derivations of statements. No database is needed. The exit code is 0 when every file is proven.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Derivations, as `guerdon export statement` writes them; `-` is standard input.
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
    proven: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Faults::is_empty")]
    faults: Faults,
}

impl Checked {
    fn of(file: String, outcome: Result<Proven, Faults>) -> Self {
        let refused = Self {
            file,
            proven: false,
            partner: None,
            schedule: None,
            period: None,
            posted: None,
            currency: None,
            content_hash: None,
            hash: None,
            faults: Faults::new(),
        };
        match outcome {
            Err(faults) => Self { faults, ..refused },
            Ok(Proven { statement, posted, content_hash, hash }) => Self {
                proven: true,
                partner: Some(statement.partner),
                schedule: Some(statement.schedule),
                period: Some(statement.period),
                posted: Some(posted),
                currency: Some(statement.currency.code().to_owned()),
                content_hash: Some(content_hash),
                hash: Some(hash),
                ..refused
            },
        }
    }

    fn lines(&self) -> String {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        if !self.proven {
            let faults: String = self.faults.0.iter().map(|fault| format!("  {fault}\n")).collect();
            return format!("{}: NOT PROVEN\n{faults}", self.file);
        }
        format!(
            "{}: proven: {} {} to {} by {} for {}\n  content hash of the statement {}\n  hash of the file {}\n",
            self.file,
            said(&self.posted),
            said(&self.currency),
            said(&self.partner),
            said(&self.schedule),
            said(&self.period),
            said(&self.content_hash),
            said(&self.hash),
        )
    }
}

fn read(path: &Path) -> Result<String, Faults> {
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| Fault::new("CANNOT_READ", "", format!("cannot be read: {error}")).into())
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let mut all = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let outcome = thread::scope(|scope| {
            let work = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || verify(&read(path)?)).map_err(AppError::internal)?;
            work.join().map_err(|_| AppError::internal("proving a derivation failed"))
        })?;
        all.push(Checked::of(path.display().to_string(), outcome));
    }
    if args.json {
        print_json(&all)?;
    } else {
        write_text(&all.iter().map(Checked::lines).collect::<String>(), None)?;
    }
    Ok(if all.iter().all(|checked| checked.proven) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
