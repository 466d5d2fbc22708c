//! `guerdon program`: documents of programs.

mod check;
mod published;
mod simulate;
mod test;

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use guerdon_domain::document::Document;
use guerdon_domain::document::diff::Change;
use guerdon_domain::document::read::{Format, MAX_DOCUMENT_BYTES, read};
use guerdon_domain::document::schema::json_schema;
use guerdon_domain::fault::Fault;
use serde::Serialize;

use super::Outcome;
use crate::error::AppError;

/// Documents of programs: check, test, compare, publish them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the JSON Schema of program documents.
    Schema,
    /// Check documents: every fault at once. No database is needed.
    Validate(check::ValidateArgs),
    /// Run the scenarios of documents. No database is needed.
    Test(test::TestArgs),
    /// Show what changes: between two documents, or between what is published and a document.
    Diff(published::DiffArgs),
    /// Check a document, show what changes, and publish it.
    Apply(published::ApplyArgs),
    /// Write a published version as a document.
    Export(published::ExportArgs),
}

/// How documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Schema => {
            write_text(&format!("{:#}\n", json_schema()), None)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Validate(args) => check::validate(&args),
        Command::Test(args) => test::run(&args),
        Command::Diff(args) => published::diff(args).await,
        Command::Apply(args) => published::apply(args).await,
        Command::Export(args) => published::export(args).await,
    }
}

/// The text of a file; `-` is standard input.
fn read_text(path: &Path) -> Result<String, AppError> {
    let place = path.display().to_string();
    let cannot = |error: std::io::Error| AppError::invalid("CANNOT_READ", place.clone(), format!("cannot be read: {error}"));
    let mut text = Vec::new();
    let limit = MAX_DOCUMENT_BYTES as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut text).map_err(cannot)?;
    } else {
        std::fs::File::open(path).map_err(cannot)?.take(limit).read_to_end(&mut text).map_err(cannot)?;
    }
    String::from_utf8(text).map_err(|_| AppError::invalid("NOT_UTF8", place, "the file is not UTF-8: save it as UTF-8"))
}

/// The document of a file. YAML unless the name ends in `.json` or the text begins with `{`.
fn read_file(path: &Path) -> Result<Document, AppError> {
    let text = read_text(path)?;
    let json = path.extension().is_some_and(|extension| extension == "json");
    let format = if json { Format::Json } else { Format::of(&text) };
    Ok(read(&text, format)?)
}

/// Prints changes, one a line; `no change` when there is none.
fn print_changes(changes: &[Change], json: bool) -> Result<(), AppError> {
    if json {
        return print_json(&changes);
    }
    let lines: Vec<String> = if changes.is_empty() { vec!["no change".to_owned()] } else { changes.iter().map(Change::to_string).collect() };
    write_text(&format!("{}\n", lines.join("\n")), None)
}

/// What may surprise in a document, one a line.
fn noted(notes: &[Fault]) -> String {
    notes.iter().map(|note| format!("  note: {note}\n")).collect()
}

/// Prints one line of JSON.
pub(super) fn print_json<T: Serialize>(value: &T) -> Result<(), AppError> {
    let mut line = serde_json::to_string(value).map_err(AppError::internal)?;
    line.push('\n');
    write_text(&line, None)
}

/// Writes a text to a file, or to standard output. Whoever closes standard output has read enough.
pub(super) fn write_text(text: &str, file: Option<&PathBuf>) -> Result<(), AppError> {
    let cannot = |place: String, error: Error| AppError::invalid("CANNOT_WRITE", place, format!("cannot be written: {error}"));
    match file {
        Some(file) => std::fs::write(file, text).map_err(|error| cannot(file.display().to_string(), error)),
        None => match std::io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(cannot("standard output".to_owned(), error)),
            _ => Ok(()),
        },
    }
}
