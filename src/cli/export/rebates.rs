//! `guerdon export run` and `guerdon export statement`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::write;
use crate::app::exports::{self, Export, ExportKind, RunRows};
use crate::app::programs::ProgramKey;
use crate::app::rebates::proof::find_derivation;
use crate::app::rebates::runs::find_run_named;
use crate::app::rebates::statements::StatementId;
use crate::cli::{Common, Outcome, open};
use crate::error::AppError;
use crate::graphql::node::{NodeKind, decode_as};

/// Which rows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// One row a statement.
    Statements,
    /// One row a line of a statement.
    Lines,
    /// One row a posting of the journal.
    Journal,
}

impl From<What> for RunRows {
    fn from(what: What) -> Self {
        match what {
            What::Statements => Self::Statements,
            What::Lines => Self::Lines,
            What::Journal => Self::Journal,
        }
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// A rebate run for the finance system.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    common: Common,
    /// The run's id, or the period of a live original run.
    #[arg(value_name = "ID|PERIOD")]
    run: String,
    /// The program's code, with a period; may be left out while there is only one.
    #[arg(long, value_name = "CODE")]
    program: Option<String>,
    /// Which rows.
    #[arg(long, value_enum, default_value = "statements")]
    what: What,
    /// How they are written.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where to write it; standard output when nobody says.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatementFormat {
    /// The derivation, which `guerdon verify statement` proves.
    Json,
    /// A page that prints well.
    Html,
}

/// One rebate statement.
#[derive(Debug, clap::Args)]
pub struct StatementArgs {
    #[command(flatten)]
    common: Common,
    /// The statement's id.
    #[arg(value_name = "ID")]
    statement: String,
    /// What is written.
    #[arg(long, value_enum, default_value = "json")]
    format: StatementFormat,
    /// Where to write it; standard output when nobody says.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The id behind what was written: as the interface has it, or as files have it.
fn id_of(kind: NodeKind, text: &str) -> Option<uuid::Uuid> {
    decode_as(kind, text).or_else(|| text.parse().ok())
}

/// Writes a run.
pub async fn run(args: RunArgs) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let ctx = app.system("export");
    let name = id_of(NodeKind::RebateRun, &args.run).map_or(args.run, |id| id.to_string());
    let found = find_run_named(&app, &ctx, args.program.map(ProgramKey::Code).as_ref(), &name).await?;
    let run = found.ok_or_else(|| AppError::invalid("UNKNOWN_RUN", "run", "there is no such run, and no live original run of such a period"))?;
    let kind = if args.format == Format::Csv { ExportKind::Csv } else { ExportKind::NdJson };
    write(exports::export_run(&app, &ctx, run.id, args.what.into(), kind).await?, args.output).await?;
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes a statement.
pub async fn statement(args: StatementArgs) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let ctx = app.system("export");
    let unknown = || AppError::invalid("UNKNOWN_STATEMENT", "statement", "there is no such statement");
    let id: StatementId = id_of(NodeKind::Statement, &args.statement).ok_or_else(unknown)?;
    let export = match args.format {
        StatementFormat::Html => exports::export_statement(&app, &ctx, id).await?,
        StatementFormat::Json => {
            let (_, text) = find_derivation(&app, &ctx, id).await?.ok_or_else(unknown)?;
            Export::whole(&format!("derivation-{}", id.simple()), ExportKind::Json, text.into_bytes())
        }
    };
    write(export, args.output).await?;
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}
