//! The command line: reads arguments and settings, builds everything once, calls use cases. It knows no rule.

pub mod bench;
mod common;
pub mod demo;
pub mod evaluate;
pub mod export;
pub mod healthcheck;
pub mod import;
pub mod migrate;
pub mod program;
pub mod schema;
pub mod serve;
pub mod token;
pub mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use common::{Common, open};

use crate::error::{AppError, causes};

/// The incentive and entitlement API of a partner program: tiers, benefits and rebates, exact and explained.
#[derive(Debug, Parser)]
#[command(name = "guerdon", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve(serve::Args),
    /// Bring the database to the schema of this version.
    Migrate(migrate::Args),
    /// Documents of programs: check, test, compare, publish them.
    Program(program::Args),
    /// Answer cases: JSON Lines in, JSON Lines out, without a database.
    Evaluate(evaluate::Args),
    /// Serve the AdventureWorks example: program, partners and sales are in the binary.
    Demo(demo::Args),
    /// Import a file of facts by a mapping.
    Import(import::Args),
    /// Measure this service on synthetic data.
    Bench(bench::Args),
    /// Files of what is on record: reviews.
    Export(export::Args),
    /// Compute again what was written, and compare.
    Verify(verify::Args),
    /// Make tokens for development, and manage API keys.
    Token(token::Args),
    /// Write the GraphQL schema.
    Schema(schema::Args),
    /// Ask a running service whether it lives; for containers.
    Healthcheck(healthcheck::Args),
}

/// How a command ends.
pub type Outcome = Result<ExitCode, AppError>;

/// Runs the command line. Faults go to standard error, one a line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli.command) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(AppError::internal)?;
    runtime.block_on(run(command))
}

async fn run(command: Command) -> Outcome {
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Program(args) => program::run(args).await,
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Demo(args) => demo::run(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Token(args) => token::run(args).await,
        Command::Schema(args) => schema::run(&args),
        Command::Healthcheck(args) => healthcheck::run(args).await,
    }
}

fn report(error: &AppError) {
    match error.faults() {
        Some(faults) => eprintln!("{faults}"),
        None if matches!(error, AppError::NotFound) => {
            eprintln!("there is nothing of the name that was given: check --program and the other names (NOT_FOUND)")
        }
        None => eprintln!("{}", causes(error)),
    }
}
