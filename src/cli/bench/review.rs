//! `guerdon bench review`: a review of every partner, beside what the database needs for the inputs and for the tiers alone.
//!
//! The review is begun and done as the service does it: a job, step by step, with the look ahead at risks, the lists and the events.
//! Every round judges another month's last day, since the same review again would change nothing. Floors and review take turns.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use guerdon_domain::date::Date;
use guerdon_domain::levelling::Due;
use guerdon_store::{ProgramId, TierInputs, TierRule};
use serde::Serialize;

use super::measure::{self, median, own_cpu_seconds, peak_memory_mib};
use super::rules::{inputs, rules};
use super::seed::CODE;
use crate::app::App;
use crate::app::programs::{ProgramKey, get_in_force};
use crate::app::reviews::{StartReview, StoredReview, find_review, start_review};
use crate::cli::{Common, Outcome};
use crate::clock::StandingClock;
use crate::error::AppError;

/// Review every partner of a seeded database, month by month, and compare with the database's own work on the same inputs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The last day of the first month that is reviewed.
    #[arg(long, default_value = "2026-03-31")]
    from: Date,
    /// How many months; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=24))]
    rounds: u32,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    as_of: Date,
    /// The database reads the inputs, grouped by partner.
    read_seconds: f64,
    /// The database computes tiers from the inputs, by rules as rows.
    sql_seconds: f64,
    /// The review: inputs read, judged, looked ahead, standings, lists, changes and events written.
    review_seconds: f64,
    /// CPU seconds of this process for it; the database's are not in them, where it is a process of its own.
    review_cpu_seconds: f64,
    moved: i64,
    standings: i64,
    standing_bytes: i64,
    /// Whether SQL and review found the same tiers.
    agrees: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    partners: u64,
    rounds: Vec<Round>,
    read_seconds: f64,
    sql_seconds: f64,
    review_seconds: f64,
    partners_per_second: f64,
    ratio_to_read: f64,
    ratio_to_sql: f64,
    peak_memory_mib: f64,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let mut app = measure::open(&args.common.load(Vec::new())?).await?;
    // The synthetic months are past, whatever the day is.
    app.clock = Arc::new(StandingClock::on(args.from.plus_months(i32::try_from(args.rounds).unwrap_or(24)).max(today(&app))));
    let report = bench(&app, &args).await;
    app.store.close().await;
    let report = report?;
    if args.json {
        measure::print_json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

async fn bench(app: &App, args: &Args) -> Result<Report, AppError> {
    let mut rounds = Vec::new();
    let mut partners = 0;
    for round in 0..args.rounds {
        let as_of = args.from.next().first_of_month().plus_months(i32::try_from(round).unwrap_or(0)).plus_days(-1);
        let (done, judged) = one(app, as_of).await?;
        partners = judged;
        rounds.push(done);
    }
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let (read, sql, review) = (of(|round| round.read_seconds), of(|round| round.sql_seconds), of(|round| round.review_seconds));
    Ok(Report {
        partners,
        read_seconds: read,
        sql_seconds: sql,
        review_seconds: review,
        partners_per_second: partners as f64 / review,
        ratio_to_read: review / read,
        ratio_to_sql: review / sql,
        peak_memory_mib: peak_memory_mib(),
        rounds,
    })
}

async fn one(app: &App, as_of: Date) -> Result<(Round, u64), AppError> {
    let ctx = app.system("bench review");
    let key = ProgramKey::Code(CODE.to_owned());
    let in_force = get_in_force(app, &ctx, Some(&key), as_of).await?;
    let program = in_force.program.id;
    let (inputs, rules) = (inputs(&in_force.compiled, as_of), rules(&in_force.compiled)?);
    let read_seconds = read(app, program, &inputs).await?;
    let started = Instant::now();
    let in_sql = in_sql(app, &inputs, &rules).await?;
    let sql_seconds = started.elapsed().as_secs_f64();
    let (started, cpu) = (Instant::now(), own_cpu_seconds());
    let done = review(app, &key, as_of).await?;
    let (review_seconds, review_cpu_seconds) = (started.elapsed().as_secs_f64(), own_cpu_seconds() - cpu);
    let ladder = in_force.compiled.ladder(None).ok_or_else(|| AppError::internal("the program has no main ladder"))?;
    let found = app.store.read(async |tx| tx.count_qualified(program, &ladder.key, as_of).await).await?;
    let found: BTreeMap<i64, i64> = found.into_iter().map(|(tier, count)| (ladder.rank(Some(&tier)).into(), count)).collect();
    let (standings, standing_bytes) = app.store.read(async |tx| tx.size_of_standings(program, as_of).await).await?;
    let agrees = found == in_sql;
    let round = Round { as_of, read_seconds, sql_seconds, review_seconds, review_cpu_seconds, moved: done.changed, standings, standing_bytes, agrees };
    Ok((round, done.judged.unsigned_abs()))
}

async fn read(app: &App, program: ProgramId, inputs: &TierInputs) -> Result<f64, AppError> {
    let started = Instant::now();
    let figure = app.store.read(async |tx| tx.read_review_inputs(program, inputs).await).await?;
    if figure == 0 {
        return Err(AppError::conflict("NOT_SEEDED", "database-url", "nothing is there to be read: seed the database first, with `guerdon bench seed`"));
    }
    Ok(started.elapsed().as_secs_f64())
}

async fn in_sql(app: &App, inputs: &TierInputs, rules: &[TierRule]) -> Result<BTreeMap<i64, i64>, AppError> {
    let tiers = app.store.read(async |tx| tx.compute_tiers_in_sql(inputs, rules).await).await?;
    Ok(tiers.into_iter().collect())
}

async fn review(app: &App, program: &ProgramKey, as_of: Date) -> Result<StoredReview, AppError> {
    let ctx = app.system("bench review");
    let (regions, types, partners) = (Vec::new(), Vec::new(), Vec::new());
    let begun =
        start_review(app, &ctx, &StartReview { program: program.clone(), as_of: Some(as_of), regions, types, partners, due: Due::Now, keyed: None }).await?;
    measure::work_off(app).await?;
    let done = find_review(app, &ctx, begun.id).await?.ok_or(AppError::NotFound)?;
    match done.failed {
        0 => Ok(done),
        failed => Err(AppError::internal(format!("{failed} partners could not be judged"))),
    }
}

fn today(app: &App) -> Date {
    Date::from_naive(app.clock.now().date_naive())
}

fn print(report: &Report) {
    let mut table = measure::table(["as of", "read, s", "tiers in SQL, s", "review, s", "CPU, s", "moved", "standings", "MiB", "same tiers"]);
    for round in &report.rounds {
        table.add_row([
            round.as_of.to_string(),
            format!("{:.2}", round.read_seconds),
            format!("{:.2}", round.sql_seconds),
            format!("{:.2}", round.review_seconds),
            format!("{:.2}", round.review_cpu_seconds),
            measure::count(round.moved.unsigned_abs()),
            measure::count(round.standings.unsigned_abs()),
            format!("{:.1}", round.standing_bytes as f64 / 1_048_576.0),
            if round.agrees { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    println!(
        "{table}\n{} partners: {:.0} a second; {:.1} times the bare read, {:.2} times the tiers in SQL (medians); peak memory {:.0} MiB",
        report.partners, report.partners_per_second, report.ratio_to_read, report.ratio_to_sql, report.peak_memory_mib
    );
}
