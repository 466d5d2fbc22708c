//! `guerdon schema`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Outcome;
use crate::error::AppError;
use crate::graphql::sdl;

/// Write the GraphQL schema.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to; standard output when nobody says.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write nothing; fail if FILE is not what would be written.
    #[arg(long, requires = "file")]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let text = sdl();
    let Some(file) = &args.file else {
        print!("{text}");
        return Ok(ExitCode::SUCCESS);
    };
    let place = file.display().to_string();
    if args.check {
        let known = std::fs::read_to_string(file).unwrap_or_default();
        let differs = || AppError::invalid("SCHEMA_DIFFERS", place, "not the schema of this version: write it with `guerdon schema FILE`");
        return if known == text { Ok(ExitCode::SUCCESS) } else { Err(differs()) };
    }
    std::fs::write(file, text).map_err(|error| AppError::invalid("CANNOT_WRITE", place, format!("cannot be written: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
