//! `guerdon bench seed`: a synthetic program with partners and facts in any number, the same for the same seed.

mod memory;
mod partners;
mod people;
mod program;
mod random;
mod sales;
mod shape;
mod write;

use std::process::ExitCode;
use std::time::Instant;

use guerdon_domain::date::Date;
use serde::Serialize;

pub use memory::facts;
pub use program::{CODE, document};
pub use shape::{Amounts, Shape};

use super::measure::{self, peak_memory_mib};
use crate::app::App;
use crate::cli::migrate::migrate;
use crate::cli::{Common, Outcome};
use crate::error::AppError;

/// The system that all facts are said to come from.
const SOURCE: &str = "bench";
/// Partners, and months of sales, at most.
const PARTNERS_MAX: u32 = 5_000_000;
const MONTHS_MAX: u32 = 240;

/// Fill a database with a synthetic program, its partners and their facts. Everything follows from the seed, and everything is
/// committed at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many partners.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(PARTNERS_MAX)))]
    partners: u32,
    /// How many sale lines.
    #[arg(long, default_value_t = 100_000)]
    sales: u64,
    /// What everything follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Holdings of a partner, on the average.
    #[arg(long, default_value_t = 4)]
    holdings: u32,
    /// Activities of a partner, on the average.
    #[arg(long, default_value_t = 4)]
    activities: u32,
    /// Deals of a partner, on the average.
    #[arg(long, default_value_t = 3)]
    deals: u32,
    /// Months of sales.
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u32).range(1..=i64::from(MONTHS_MAX)))]
    months: u32,
    /// The first day after them; the first of a month.
    #[arg(long, default_value = "2026-07-01")]
    until: Date,
    /// Also into a database that holds something else.
    #[arg(long)]
    beside_other_data: bool,
    /// Do not hold the monthly aggregates against the facts at the end.
    #[arg(long)]
    skip_verification: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// What was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    program: &'static str,
    seed: u64,
    /// Of the program, the partners and the bodies of all facts: the same for the same arguments.
    digest: String,
    from: Date,
    until: Date,
    partners: u64,
    sales: u64,
    holdings: u64,
    activities: u64,
    deals: u64,
    batches: u64,
    seconds: Seconds,
    peak_memory_mib: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Seconds {
    /// Making and writing rows.
    write: f64,
    /// Aggregates, indexes, keys, commit.
    finish: f64,
    /// Holding the aggregates against the facts.
    verify: Option<f64>,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    if args.until != args.until.first_of_month() {
        return Err(AppError::invalid("NOT_A_MONTH", "until", "name the first day of a month"));
    }
    let config = args.common.load(Vec::new())?;
    migrate(config.database.url.expose()).await?;
    let app = measure::open(&config).await?;
    let seeded = seed(&app, &args).await;
    app.store.close().await;
    let report = seeded?;
    if args.json {
        measure::print_json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

async fn seed(app: &App, args: &Args) -> Result<Report, AppError> {
    if !args.beside_other_data && app.store.holds_other_data(CODE).await? {
        let message = "the database holds partners, facts or another program: name an empty one, or say --beside-other-data";
        return Err(AppError::conflict("NOT_EMPTY", "database-url", message));
    }
    let shape = Shape::new(Amounts {
        seed: args.seed,
        partners: args.partners,
        sales: args.sales,
        holdings: args.holdings,
        activities: args.activities,
        deals: args.deals,
        months: args.months,
        until: args.until,
    });
    let from = shape.from;
    let written = write::write(app, shape, !args.json).await?;
    let verify = if args.skip_verification { None } else { Some(verify(app).await?) };
    Ok(Report {
        program: CODE,
        seed: args.seed,
        digest: written.digest,
        from,
        until: args.until,
        partners: written.partners,
        sales: written.sales,
        holdings: written.holdings,
        activities: written.activities,
        deals: written.deals,
        batches: written.batches,
        seconds: Seconds { write: written.write_seconds, finish: written.finish_seconds, verify },
        peak_memory_mib: peak_memory_mib(),
    })
}

/// Holds the kept aggregates against the facts; answers the seconds that it took.
async fn verify(app: &App) -> Result<f64, AppError> {
    let started = Instant::now();
    let differences = app.store.read(async |tx| tx.verify_rollups(10).await).await?;
    if let Some(difference) = differences.first() {
        return Err(AppError::internal(format!("{} differs from its facts in {}", difference.table, difference.month)));
    }
    Ok(started.elapsed().as_secs_f64())
}

fn print(report: &Report) {
    let mut table = measure::table(["what", "how many"]);
    for (name, count) in [
        ("partners", report.partners),
        ("sale lines", report.sales),
        ("holdings", report.holdings),
        ("activities", report.activities),
        ("deals", report.deals),
        ("import batches", report.batches),
    ] {
        table.add_row([name.to_owned(), measure::count(count)]);
    }
    let seconds = &report.seconds;
    let verified = seconds.verify.map_or_else(|| "not verified".to_owned(), |verify| format!("verified in {verify:.1} s"));
    println!("{table}");
    println!(
        "{} from {} until {}, seed {}\ndigest {}\nwritten in {:.1} s, aggregates and indexes in {:.1} s, {verified}; peak memory {:.0} MiB",
        report.program, report.from, report.until, report.seed, report.digest, seconds.write, seconds.finish, report.peak_memory_mib
    );
}
