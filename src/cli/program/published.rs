//! `guerdon program diff`, `apply` and `export`: documents and what is published of them.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon_domain::date::Date;
use guerdon_domain::document::Document;
use guerdon_domain::document::diff::{Change, diff as compare};
use guerdon_domain::document::export::{to_json, to_yaml};
use guerdon_domain::document::notes::notes;
use guerdon_domain::document::read::{Format, read};
use guerdon_domain::fault::Fault;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::carries_that_end;
use guerdon_domain::simulation::Report;
use serde::Serialize;

use super::simulate::SimulateArgs;
use super::{Written, noted, print_changes, print_json, read_file, read_text, write_text};
use crate::app::programs::{
    ApplyDocument, ProgramKey, PublishVersion, apply_document, check_publishing, find_program, get_document, list_dropped, list_versions, publish_version,
};
use crate::app::{App, Ctx};
use crate::cli::{Common, Outcome, open};
use crate::error::AppError;

/// Show what changes: between two documents, or between what is published and a document.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// A document: the earlier one of two, or the one that would be published.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The later document. Without it FILE is compared with what is published.
    #[arg(value_name = "OTHER")]
    other: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// End with exit code 1 when something changes.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    simulation: SimulateArgs,
    #[command(flatten)]
    common: Common,
}

/// Check a document, show what changes, and publish it.
#[derive(Debug, clap::Args)]
pub struct ApplyArgs {
    /// A document in YAML or JSON; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Keep it as the program's draft and do not publish it.
    #[arg(long)]
    draft: bool,
    /// Change nothing; only check and show. What publishing would refuse is refused.
    #[arg(long, conflicts_with = "draft")]
    dry_run: bool,
    #[command(flatten)]
    common: Common,
}

/// Write a published version as a document.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The program's code.
    #[arg(value_name = "CODE")]
    code: String,
    /// The version in force on this date. Default: the published version with the latest effective date.
    #[arg(long, value_name = "DATE", conflicts_with = "number")]
    on: Option<Date>,
    /// The version of this number, also a draft.
    #[arg(long)]
    number: Option<i64>,
    /// How it is written.
    #[arg(long, value_enum, default_value = "yaml")]
    format: Written,
    /// Where to; standard output when nobody says.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn faulty(fault: Fault) -> AppError {
    AppError::Invalid(fault.into())
}

/// Changes, and what they would do.
#[derive(Serialize)]
struct Simulated<'s> {
    changes: &'s [Change],
    simulation: &'s Report,
}

/// Runs `diff`.
pub async fn diff(args: DiffArgs) -> Outcome {
    let (changes, dropped, report) = match &args.other {
        Some(other) => {
            let (before, after) = (read_file(&args.file)?, read_file(other)?);
            if args.simulation.simulate && args.simulation.facts.is_none() {
                let message = "two documents are compared over a file of facts: give --facts, or leave OTHER out to compare with the database";
                return Err(AppError::invalid("MISSING_FACTS", "--facts", message));
            }
            let changes = compare(&before, &after).map_err(faulty)?;
            let ended = carried_to_nobody(&before, &after);
            (changes, ended, args.simulation.facts.as_ref().map(|facts| args.simulation.by_file(facts, &before, &after)).transpose()?)
        }
        None => {
            let text = read_text(&args.file)?;
            let document = read(&text, Format::of(&text))?;
            let compiled = Program::compile(document)?;
            let app = open(&args.common.load(Vec::new())?).await?;
            app.ready().await?;
            let done = diff_in(&app, &args, &compiled, text).await;
            app.store.close().await;
            done?
        }
    };
    match &report {
        Some(report) if args.json => print_json(&Simulated { changes: &changes, simulation: report })?,
        _ => print_changes(&changes, args.json)?,
    }
    // Whoever reads JSON reads changes, and is told beside them.
    if args.json {
        eprint!("{}", noted(&dropped));
    } else {
        write_text(&noted(&dropped), None)?;
        report.iter().try_for_each(|report| args.simulation.print(report))?;
    }
    Ok(if args.exit_code && !changes.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What schedules of the one document carry on and none of the other takes over, where the other takes effect later. Documents that are not valid
/// are compared all the same, and nothing is noted of them.
fn carried_to_nobody(before: &Document, after: &Document) -> Vec<Fault> {
    if after.version.effective_on <= before.version.effective_on {
        return Vec::new();
    }
    match (Program::compile(before.clone()), Program::compile(after.clone())) {
        (Ok(before), Ok(after)) => carries_that_end(&after, &before, "the earlier document"),
        _ => Vec::new(),
    }
}

/// What changes against what is published, what that drops of tiers held and sums carried, and what it would do.
async fn diff_in(app: &App, args: &DiffArgs, compiled: &Program, text: String) -> Result<(Vec<Change>, Vec<Fault>, Option<Report>), AppError> {
    let ctx = app.system("program diff");
    let document = &compiled.document;
    let changes = against(published(app, &ctx, &document.program.code, Some(document.version.effective_on)).await?.as_ref(), document)?;
    let dropped = list_dropped(app, &ctx, compiled).await?;
    let report = if args.simulation.simulate { Some(args.simulation.by_database(app, &ctx, document, text).await?) } else { None };
    Ok((changes, dropped, report))
}

/// What changes against what is published; everything is new where nothing is.
fn against(published: Option<&Document>, document: &Document) -> Result<Vec<Change>, AppError> {
    match published {
        Some(published) => compare(published, document).map_err(faulty),
        None => compare(&Document::empty(document.program.clone(), document.version.clone()), document).map_err(faulty),
    }
}

/// The published version that one with this effective date follows or replaces: the latest one not after it; the latest of all
/// when all are after it, or no date is named.
async fn published(app: &App, ctx: &Ctx, code: &str, on: Option<Date>) -> Result<Option<Document>, AppError> {
    let Some(program) = find_program(app, ctx, &ProgramKey::Code(code.to_owned())).await? else { return Ok(None) };
    let mut versions = list_versions(app, ctx, program.id).await?;
    versions.retain(|version| version.published_at.is_some());
    versions.sort_by_key(|version| version.effective_on);
    let held = versions.iter().rfind(|version| on.is_none_or(|on| version.effective_on <= on)).or(versions.last());
    match held {
        Some(version) => Ok(Some(read(&get_document(app, ctx, version.id).await?, Format::Json)?)),
        None => Ok(None),
    }
}

/// Runs `apply`.
pub async fn apply(args: ApplyArgs) -> Outcome {
    let text = read_text(&args.file)?;
    let document = read(&text, Format::of(&text))?;
    let compiled = Program::compile(document)?;
    let app = open(&args.common.load(Vec::new())?).await?;
    app.ready().await?;
    let done = apply_to(&app, &args, &compiled, text).await;
    app.store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn apply_to(app: &App, args: &ApplyArgs, compiled: &Program, text: String) -> Result<(), AppError> {
    let ctx = app.system("program apply");
    let document = &compiled.document;
    let code = &document.program.code;
    let changes = against(published(app, &ctx, code, Some(document.version.effective_on)).await?.as_ref(), document)?;
    print_changes(&changes, false)?;
    write_text(&noted(&notes(document)), None)?;
    write_text(&noted(&list_dropped(app, &ctx, compiled).await?), None)?;
    if args.dry_run {
        return check_publishing(app, &ctx, &text).await;
    }
    let applied = apply_document(app, &ctx, &ApplyDocument { text, expected_version: None, keyed: None }).await?;
    let number = applied.version.number;
    if applied.version.published_at.is_some() {
        write_text(&format!("{code}: version {number} is published with this content already\n"), None)?;
    } else if args.draft {
        write_text(&format!("{code}: version {number} is the draft\n"), None)?;
    } else {
        let publish = PublishVersion { version: applied.version.id, expected_version: applied.version.row_version, keyed: None };
        let published = publish_version(app, &ctx, &publish).await?;
        write_text(&format!("{code}: version {} published, effective {}\n", published.version.number, published.version.effective_on), None)?;
    }
    Ok(())
}

/// Runs `export`.
pub async fn export(args: ExportArgs) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    app.ready().await?;
    let found = export_from(&app, &args).await;
    app.store.close().await;
    let document = found?;
    let text = match args.format {
        Written::Yaml => to_yaml(&document),
        Written::Json => to_json(&document),
    };
    write_text(&text.map_err(faulty)?, args.output.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

async fn export_from(app: &App, args: &ExportArgs) -> Result<Document, AppError> {
    let ctx = app.system("program export");
    let unknown = || AppError::invalid("UNKNOWN_PROGRAM", "code", format!("there is no such program or version of `{}`", args.code));
    let program = find_program(app, &ctx, &ProgramKey::Code(args.code.clone())).await?.ok_or_else(unknown)?;
    let mut versions = list_versions(app, &ctx, program.id).await?;
    versions.sort_by_key(|version| version.effective_on);
    let version = match args.number {
        Some(number) => versions.iter().find(|version| version.number == number),
        None => versions.iter().rfind(|version| version.published_at.is_some() && args.on.is_none_or(|on| version.effective_on <= on)),
    };
    let text = get_document(app, &ctx, version.ok_or_else(unknown)?.id).await?;
    Ok(read(&text, Format::Json)?)
}
