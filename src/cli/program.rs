//! `guerdon program`: documents of programs.

mod check;
mod published;
mod test;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use guerdon_domain::document::Document;
use guerdon_domain::document::diff::Change;
use guerdon_domain::document::read::{Format, MAX_DOCUMENT_BYTES, read};
use guerdon_domain::document::schema::json_schema;

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
            println!("{:#}", json_schema());
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
        println!("{}", serde_json::to_string(changes).map_err(AppError::internal)?);
        return Ok(());
    }
    if changes.is_empty() {
        println!("no change");
    }
    for change in changes {
        println!("{change}");
    }
    Ok(())
}

/// Writes a text to a file, or to standard output.
fn write_text(text: &str, file: Option<&PathBuf>) -> Result<(), AppError> {
    match file {
        Some(file) => {
            let cannot = |error: std::io::Error| AppError::invalid("CANNOT_WRITE", file.display().to_string(), format!("cannot be written: {error}"));
            std::fs::write(file, text).map_err(cannot)
        }
        None => {
            print!("{text}");
            Ok(())
        }
    }
}
