//! `guerdon export`: files of what is on record, to a file or to standard output.

mod rebates;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use futures_util::StreamExt as _;

use super::{Common, Outcome, open};
use crate::app::exports::{self, Export};
use crate::app::programs::ProgramKey;
use crate::app::reviews;
use crate::error::AppError;
use guerdon_domain::date::Date;

/// Files of what is on record.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A review: its standings as CSV, or a compliance report that prints well.
    Review(ReviewArgs),
    /// A rebate run: its statements, lines or journal.
    Run(rebates::RunArgs),
    /// A rebate statement: its derivation, or a page that prints well.
    Statement(rebates::StatementArgs),
}

/// Which file of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Every standing, one a line.
    Csv,
    /// The compliance report of the program, or of one partner.
    Html,
}

#[derive(Debug, clap::Args)]
struct ReviewArgs {
    #[command(flatten)]
    common: Common,
    /// The program's code; may be left out while there is only one.
    #[arg(long, value_name = "CODE")]
    program: Option<String>,
    /// The date of the review; the latest that is done when nobody says.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// The compliance report of this partner alone; with `--format html`.
    #[arg(long, value_name = "CODE")]
    partner: Option<String>,
    /// Which file.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where to write it; standard output when nobody says.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    match args.what {
        What::Review(args) => review(args).await,
        What::Run(args) => rebates::run(args).await,
        What::Statement(args) => rebates::statement(args).await,
    }
}

async fn review(args: ReviewArgs) -> Outcome {
    let config = args.common.load(Vec::new())?;
    let app = open(&config).await?;
    let ctx = app.system("export");
    let program = args.program.map(ProgramKey::Code);
    let review = reviews::find_last_review(&app, &ctx, program.as_ref(), args.as_of).await?;
    let review =
        review.ok_or_else(|| AppError::invalid("NO_REVIEW", "asOf", "no review of this program and date is done: begin one with the mutation reviewStart"))?;
    let export = match (args.format, args.partner) {
        (Format::Csv, None) => exports::export_standings(&app, &ctx, review.id).await?,
        (Format::Csv, Some(_)) => return Err(AppError::invalid("INVALID_ARGUMENT", "partner", "the report of one partner is a page: add --format html")),
        (Format::Html, None) => exports::export_program_report(&app, &ctx, review.id).await?,
        (Format::Html, Some(code)) => exports::export_partner_report(&app, &ctx, review.id, &code).await.map_err(|error| match error {
            AppError::NotFound => AppError::invalid("UNKNOWN_PARTNER", "partner", "the review judged no partner of this code"),
            other => other,
        })?,
    };
    write(export, args.output).await?;
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes a file as it comes.
pub async fn write(mut export: Export, output: Option<PathBuf>) -> Result<(), AppError> {
    let fault = |error: std::io::Error| AppError::invalid("CANNOT_WRITE", "output", format!("the file cannot be written: {error}"));
    let mut file: Box<dyn std::io::Write + Send> = match &output {
        Some(path) => Box::new(std::io::BufWriter::new(std::fs::File::create(path).map_err(fault)?)),
        None => Box::new(std::io::stdout()),
    };
    while let Some(piece) = export.pieces.next().await {
        file.write_all(&piece?).map_err(fault)?;
    }
    file.flush().map_err(fault)
}
