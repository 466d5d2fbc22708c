//! What the demo does before it serves: publish the program, import, enroll, level month by month, settle. Each step looks first whether
//! it was done.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use guerdon_domain::date::Date;
use guerdon_domain::levelling::Due;
use guerdon_store::{VersionState, WriteContext};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::data::{FILES, PROGRAM};
use super::figures::all_partners;
use super::settle::settle;
use crate::app::imports::{ImportFile, ImportRequest, import_file};
use crate::app::levelling::{EvaluateTiers, Selection, evaluate_tiers, histories_many};
use crate::app::partners::{EnrollPartner, PartnerId, enroll_partner, enrollments_many};
use crate::app::programs::{ApplyDocument, ApplyOutcome, ProgramKey, PublishVersion, apply_document, publish_version};
use crate::app::{App, Ctx};
use crate::cli::import::{ImportBar, faults_text};
use crate::error::AppError;
use crate::import::mapping::read_mapping;

/// The program's code.
pub const CODE: &str = "ADVENTUREWORKS";
/// The first day of the data: from here on everybody is enrolled and levelled.
const FIRST_DAY: &str = "2017-07-01";

/// What was done.
pub struct Prepared {
    /// Whether anything was.
    pub changed: bool,
}

/// The program, by its code.
pub fn program_key() -> ProgramKey {
    ProgramKey::Code(CODE.to_owned())
}

/// Does whatever is left to do.
pub async fn prepare(app: &App) -> Result<Prepared, AppError> {
    let ctx = app.system("demo");
    discard_remains(app, &ctx).await?;
    let mut changed = publish(app, &ctx).await?;
    for file in FILES {
        changed |= import(app, &ctx, file).await?;
    }
    changed |= enroll(app, &ctx).await?;
    changed |= level(app, &ctx).await?;
    changed |= settle(app).await?;
    Ok(Prepared { changed })
}

/// What a demo that was killed left staged. The clock stands, so that no lease would ever run out by itself.
async fn discard_remains(app: &App, ctx: &Ctx) -> Result<(), AppError> {
    let later = ctx.now + TimeDelta::days(1);
    let context = WriteContext::new(ctx.actor.person.clone(), ctx.request_id.as_ref(), "demo", later);
    app.store.discard_abandoned_imports(&context).await?;
    Ok(())
}

async fn publish(app: &App, ctx: &Ctx) -> Result<bool, AppError> {
    let applied = apply_document(app, ctx, &ApplyDocument { text: PROGRAM.to_owned(), expected_version: None, keyed: None }).await?;
    if applied.outcome == ApplyOutcome::Unchanged && applied.version.state == VersionState::Published {
        return Ok(false);
    }
    let publish = PublishVersion { version: applied.version.id, expected_version: applied.version.row_version, keyed: None };
    publish_version(app, ctx, &publish).await?;
    eprintln!("Program {CODE} published.");
    Ok(true)
}

async fn import(app: &App, ctx: &Ctx, file: &super::data::DataFile) -> Result<bool, AppError> {
    let mapping = Arc::new(read_mapping(file.mapping)?);
    let embedded = Arc::new(ImportFile::embedded(file.name, file.content));
    let bar = ImportBar::new(file.name, embedded.bytes);
    let shown = bar.clone();
    let request = ImportRequest { file: embedded, mapping, skip_invalid: false, rejects: None };
    let report = import_file(app, ctx, &request, &move |step| shown.show(step)).await;
    bar.end();
    let report = report?;
    if report.refused {
        return Err(AppError::conflict("DEMO_DATA_REFUSED", file.name, format!("the database holds other data under the same ids: {}", faults_text(&report))));
    }
    eprintln!("{}: {} new, {} unchanged", file.name, report.new, report.unchanged);
    Ok(report.new > 0)
}

fn bar(name: &str, length: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{prefix:28} {bar:30} {pos} of {len}").unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

async fn enroll(app: &App, ctx: &Ctx) -> Result<bool, AppError> {
    let partners = all_partners(app, ctx).await?;
    let ids: Vec<PartnerId> = partners.iter().map(|partner| partner.id).collect();
    let enrolled = enrollments_many(app, ctx, &ids).await?;
    let missing: Vec<_> = partners.iter().filter(|partner| enrolled.get(&partner.id).is_none_or(Vec::is_empty)).collect();
    let bar = bar("enrolling partners", missing.len());
    for partner in &missing {
        let order = EnrollPartner { partner: partner.code.clone(), program: CODE.to_owned(), since: Some(FIRST_DAY.parse()?), track: None, region: None };
        enroll_partner(app, ctx, &order, None).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !missing.is_empty() {
        eprintln!("{} partners enrolled since {FIRST_DAY}", missing.len());
    }
    Ok(!missing.is_empty())
}

/// A review on the first of each month, from the first day of the data to today.
async fn level(app: &App, ctx: &Ctx) -> Result<bool, AppError> {
    let partners = all_partners(app, ctx).await?;
    let ids: Vec<PartnerId> = partners.iter().map(|partner| partner.id).collect();
    let held = histories_many(app, ctx, Some(&program_key()), &ids).await?;
    if ids.iter().all(|id| held.get(id).is_some_and(|history| history.of_ladder(None, None).next().is_some())) {
        return Ok(false);
    }
    let first: Date = FIRST_DAY.parse()?;
    let dates: BTreeSet<Date> = (0..).map(|month| first.plus_months(month)).take_while(|day| *day <= ctx.today).collect();
    eprintln!("levelling {} partners month by month, from {FIRST_DAY} to {}", ids.len(), ctx.today);
    let order = EvaluateTiers { program: program_key(), dates, selection: Selection::All, due: Due::ByCalendar, keyed: None };
    let done = evaluate_tiers(app, ctx, &order).await?;
    if let Some((partner, faults)) = done.failed.into_iter().next() {
        return Err(AppError::conflict("DEMO_NOT_LEVELLED", partner, faults.to_string()));
    }
    eprintln!("{} tiers given or changed", done.moved.len());
    Ok(!done.moved.is_empty())
}
