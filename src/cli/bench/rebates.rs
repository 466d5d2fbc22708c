//! `guerdon bench rebates`: a period's rebates of all partners, from kept sums and from lines, beside what the database itself
//! needs to sum the same lines by partner and category.

use std::process::ExitCode;
use std::time::Instant;

use guerdon_domain::date::Span;
use guerdon_store::{BareAggregate, PartnerId, RunKind, RunState, SumsSource};
use serde::Serialize;

use super::measure::{self, own_cpu_seconds, peak_memory_mib};
use super::seed;
use crate::app::programs::ProgramKey;
use crate::app::rebates::calculate::{RunQuestion, calculate_from_sums, question_now};
use crate::app::rebates::runs::{CreateRun, Created, calculate_run, create_run, find_run};
use crate::app::{App, Ctx};
use crate::cli::{Common, Outcome};
use crate::error::AppError;

/// Rounds at most.
const ROUNDS_MAX: u8 = 20;
/// Partners of a chunk.
const CHUNK: usize = 2_000;

/// Compute a period's rebates for all partners, beside the database's bare aggregate of the same lines. Every round measures one
/// after the other; what is shown are medians. Nothing is written, unless a whole run is asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program; by default that of `bench seed`.
    #[arg(long, default_value = seed::CODE)]
    program: String,
    /// The period, such as 2026-Q1; by default the last one that has sales.
    #[arg(long)]
    period: Option<String>,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(ROUNDS_MAX)))]
    rounds: u8,
    /// Leave out the calculation from single lines.
    #[arg(long)]
    skip_lines: bool,
    /// Also make a run of the period and calculate it once, with statements and lines written. What is written stays.
    #[arg(long)]
    run: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// What one way took and gave.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    what: &'static str,
    /// The median of the rounds.
    seconds: f64,
    /// Of the bare aggregate's seconds.
    ratio: f64,
    /// Of its seconds in one process; none where the database has no other way.
    ratio_to_one_process: Option<f64>,
    /// Processor seconds of this process alone; the database's are not among them.
    own_cpu_seconds: f64,
    lines_per_second: f64,
    /// The sum of all entitlements in minor units, whatever their currency; of the bare aggregate, that of all amounts.
    sum: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    database: &'static str,
    program: String,
    period: String,
    lines: i64,
    groups: i64,
    partners: usize,
    statements: usize,
    rounds: u8,
    timings: Vec<Timing>,
    peak_memory_mib: f64,
}

/// A measurement of one round.
#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    cpu: f64,
    sum: i64,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let config = args.common.load(Vec::new())?;
    let app = measure::open(&config).await?;
    let measured = measure_all(&app, &args).await;
    app.store.close().await;
    let report = measured?;
    if args.json {
        measure::print_json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

/// The partners of the question, in the order of their codes.
async fn partners_of(app: &App, question: &RunQuestion) -> Result<Vec<(PartnerId, String)>, AppError> {
    let Some(asked) = question.periods.first() else { return Ok(Vec::new()) };
    let mut partners: Vec<(PartnerId, String)> = Vec::new();
    loop {
        let after = partners.last().map_or_else(String::new, |(_, code)| code.clone());
        let more =
            app.store.read(async |tx| tx.list_run_partners(asked.in_force.program.id, question.days(), question.up_to.records, &after, 10_000).await).await?;
        if more.is_empty() {
            return Ok(partners);
        }
        partners.extend(more);
    }
}

async fn measure_all(app: &App, args: &Args) -> Result<Report, AppError> {
    let ctx = app.system("bench");
    let question = question_of(app, &ctx, args).await?;
    let asked = question.periods.first().ok_or_else(|| AppError::internal("a question without a period"))?;
    let partners = partners_of(app, &question).await?;
    let (mut floors, mut alone, mut from_sums, mut from_lines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut bare = BareAggregate { groups: 0, lines: 0, amount: 0 };
    let mut statements = 0;
    for _ in 0..args.rounds {
        let (sample, aggregate) = floor(app, asked.period.span, false).await?;
        floors.push(sample);
        bare = aggregate;
        if app.store.spreads_statements() {
            alone.push(floor(app, asked.period.span, true).await?.0);
        }
        let (sample, count) = calculate(app, &question, &partners, SumsSource::Aggregates).await?;
        from_sums.push(sample);
        statements = count;
        if !args.skip_lines {
            from_lines.push(calculate(app, &question, &partners, SumsSource::Lines).await?.0);
        }
    }
    let whole = if args.run { vec![whole_run(app, args, &asked.period.name).await?] } else { Vec::new() };
    let seconds = |samples: &[Sample]| median(samples).map(|sample| sample.seconds);
    let base = (seconds(&floors).unwrap_or_default(), seconds(&alone));
    let ways = [
        ("bare aggregate by partner and category", &floors),
        ("the same in one process", &alone),
        ("calculated from kept sums", &from_sums),
        ("calculated from lines", &from_lines),
        ("whole run, written", &whole),
    ];
    let timing = |(what, samples): (&'static str, &Vec<Sample>)| median(samples).map(|sample| timing(what, sample, base, bare.lines));
    Ok(Report {
        database: app.store.backend_name(),
        program: args.program.clone(),
        period: asked.period.name.clone(),
        lines: bare.lines,
        groups: bare.groups,
        partners: partners.len(),
        statements,
        rounds: args.rounds,
        timings: ways.into_iter().filter_map(timing).collect(),
        peak_memory_mib: peak_memory_mib(),
    })
}

async fn question_of(app: &App, ctx: &Ctx, args: &Args) -> Result<RunQuestion, AppError> {
    let program = ProgramKey::Code(args.program.clone());
    app.store
        .read(async |tx| {
            if let Some(period) = &args.period {
                return question_now(app, ctx, tx, &program, period).await;
            }
            let none = || AppError::invalid("NO_SALES", "period", "the database has no sale lines: fill it with `guerdon bench seed`");
            let last = tx.sales_span().await?.ok_or_else(none)?.last_day();
            let quarter = format!("{}-Q{}", last.year(), last.month().div_ceil(3));
            question_now(app, ctx, tx, &program, &quarter).await
        })
        .await
}

async fn floor(app: &App, days: Span, in_one_process: bool) -> Result<(Sample, BareAggregate), AppError> {
    let (started, cpu) = (Instant::now(), own_cpu_seconds());
    let bare = app.store.read(async |tx| tx.bare_aggregate(days, in_one_process).await).await?;
    Ok((Sample { seconds: started.elapsed().as_secs_f64(), cpu: own_cpu_seconds() - cpu, sum: bare.amount }, bare))
}

/// Calculates all partners in chunks, as a run does, and adds up what they are owed.
async fn calculate(app: &App, question: &RunQuestion, partners: &[(PartnerId, String)], source: SumsSource) -> Result<(Sample, usize), AppError> {
    app.rebate_sums.forget().await;
    let (started, cpu) = (Instant::now(), own_cpu_seconds());
    let (mut sum, mut statements) = (0_i64, 0_usize);
    for chunk in partners.chunks(CHUNK) {
        let calculated = app.store.read_in_bulk(async |tx| calculate_from_sums(app, tx, question, chunk, source).await).await?;
        for one in calculated {
            let stated = one.stated?;
            statements += stated.len();
            sum = stated.iter().fold(sum, |sum, stated| sum.saturating_add(stated.amount.minor));
        }
    }
    let sample = Sample { seconds: started.elapsed().as_secs_f64(), cpu: own_cpu_seconds() - cpu, sum };
    app.rebate_sums.forget().await;
    Ok((sample, statements))
}

/// Has a run of the period calculated as its job does it, statements and lines written.
async fn whole_run(app: &App, args: &Args, period: &str) -> Result<Sample, AppError> {
    let ctx = app.system("bench");
    let program = ProgramKey::Code(args.program.clone());
    // Whatever else is due, reviews of the calendar above all, is not part of the run.
    measure::work_off(app).await?;
    let input = CreateRun { program, period: period.to_owned(), kind: RunKind::Original, reason: None, keyed: None };
    let (Created::New(run) | Created::Exists(run)) = create_run(app, &ctx, &input).await?;
    calculate_run(app, &ctx, run.id, None).await?;
    let (started, cpu) = (Instant::now(), own_cpu_seconds());
    measure::work_off(app).await?;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), own_cpu_seconds() - cpu);
    let done = find_run(app, &ctx, run.id).await?.filter(|run| run.state == RunState::Calculated);
    let done = done.ok_or_else(|| AppError::internal("the run was not calculated"))?;
    Ok(Sample { seconds, cpu, sum: done.totals.iter().fold(0, |sum, total| sum.saturating_add(total.entitled)) })
}

fn median(samples: &[Sample]) -> Option<Sample> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    sorted.get(sorted.len() / 2).copied()
}

fn timing(what: &'static str, sample: Sample, (base, alone): (f64, Option<f64>), lines: i64) -> Timing {
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let ratio = |base: f64| rounded(sample.seconds / base.max(f64::MIN_POSITIVE));
    Timing {
        what,
        seconds: rounded(sample.seconds),
        ratio: ratio(base),
        ratio_to_one_process: alone.map(ratio),
        own_cpu_seconds: rounded(sample.cpu),
        lines_per_second: (lines as f64 / sample.seconds.max(f64::MIN_POSITIVE)).round(),
        sum: sample.sum,
    }
}

fn print(report: &Report) {
    let mut table =
        measure::table(["what", "seconds", "of the bare aggregate", "of it in one process", "own CPU seconds", "lines a second", "sum, minor units"]);
    for timing in &report.timings {
        table.add_row([
            timing.what.to_owned(),
            format!("{:.3}", timing.seconds),
            format!("{:.3}", timing.ratio),
            timing.ratio_to_one_process.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            format!("{:.2}", timing.own_cpu_seconds),
            format!("{:.0}", timing.lines_per_second),
            timing.sum.to_string(),
        ]);
    }
    println!("{table}");
    println!(
        "{} on {}, {}: {} lines of {} partners, {} groups, {} statements; medians of {} rounds; peak memory {:.0} MiB",
        report.program, report.database, report.period, report.lines, report.partners, report.groups, report.statements, report.rounds, report.peak_memory_mib
    );
}
