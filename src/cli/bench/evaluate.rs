//! `guerdon bench evaluate`: how many explained judgements of tiers a second, without a database.
//!
//! An evaluation here is one tier of one ladder judged for one partner, with everything that explains it: every leaf with what is
//! required, what there is and what is missing, the part that is met, the gap. A partner of the synthetic program has six. Every
//! round begins with nothing kept.

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use guerdon_domain::date::Date;
use guerdon_domain::document::read::{Format, read};
use guerdon_domain::facts::Facts;
use guerdon_domain::levelling::{Due, Standing};
use guerdon_domain::metric::Evaluator;
use guerdon_domain::program::Program;
use serde::Serialize;

use super::measure::{self, median, own_cpu_seconds, peak_memory_mib};
use super::seed::{Amounts, Shape, document, facts};
use crate::cli::Outcome;
use crate::error::AppError;

/// Measure the engine of levelling on its own: rules of the synthetic program, facts in memory, no database.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many partners.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    partners: u32,
    /// Sale lines per partner, on the average.
    #[arg(long, default_value_t = 100)]
    lines: u32,
    /// What the data follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often everything is judged; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads of the last measurement. Default: one for each processor.
    #[arg(long)]
    jobs: Option<usize>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// A measurement.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    /// What was measured.
    name: &'static str,
    /// Threads.
    jobs: usize,
    /// The median of the rounds.
    seconds: f64,
    /// Tiers judged a second.
    evaluations_per_second: f64,
    /// Tiers judged a second of CPU: the figure that other work on the machine disturbs least.
    evaluations_per_cpu_second: f64,
    /// Standings of a partner a second: all its ladders.
    partners_per_second: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// One tier of one ladder judged for one partner, explained.
    unit: &'static str,
    partners: usize,
    tiers: usize,
    leaves: usize,
    rounds: u32,
    measured: Vec<Measured>,
    peak_memory_mib: f64,
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let until: Date = "2026-07-01".parse()?;
    let shape = Shape::new(Amounts {
        seed: args.seed,
        partners: args.partners,
        sales: u64::from(args.partners) * u64::from(args.lines),
        holdings: 4,
        activities: 4,
        deals: 3,
        months: 36,
        until,
    });
    let as_of = until.plus_days(-1);
    let facts = facts(&shape, as_of);
    let program = Program::compile(read(&document(), Format::Yaml)?)?;
    let codes: Vec<&str> = facts.partners.keys().map(String::as_str).collect();
    let tiers: usize = program.document.ladders.iter().map(|ladder| ladder.tiers.len()).sum();
    let jobs = args.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1);
    let bench = Bench { program: &program, facts: &facts, codes: &codes, as_of };
    let leaves = bench.judge(&codes, count_leaves)?;
    let mut measured = Vec::new();
    for (name, jobs) in [("explained", 1), ("explained", jobs)] {
        let cpu = own_cpu_seconds();
        let rounds = (0..args.rounds).map(|_| bench.round(jobs)).collect::<Result<Vec<f64>, AppError>>()?;
        let cpu_seconds = (own_cpu_seconds() - cpu).max(0.01) / f64::from(args.rounds);
        let evaluations_per_cpu_second = (codes.len() * tiers) as f64 / cpu_seconds;
        let seconds = median(rounds);
        let partners_per_second = codes.len() as f64 / seconds;
        measured.push(Measured {
            name,
            jobs,
            seconds,
            evaluations_per_second: partners_per_second * tiers as f64,
            evaluations_per_cpu_second,
            partners_per_second,
        });
    }
    let report = Report {
        unit: "one tier of one ladder judged for one partner, with its explanation",
        partners: codes.len(),
        tiers,
        leaves,
        rounds: args.rounds,
        measured,
        peak_memory_mib: peak_memory_mib(),
    };
    if args.json {
        measure::print_json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

struct Bench<'b> {
    program: &'b Program,
    facts: &'b Facts,
    codes: &'b [&'b str],
    as_of: Date,
}

impl Bench<'_> {
    /// The seconds of judging everybody on so many threads.
    fn round(&self, jobs: usize) -> Result<f64, AppError> {
        let started = Instant::now();
        let part = self.codes.len().div_ceil(jobs);
        let met: usize = thread::scope(|scope| {
            let work: Vec<_> = self.codes.chunks(part).map(|codes| scope.spawn(|| self.judge(codes, count_met))).collect();
            work.into_iter().map(|work| work.join().unwrap_or_else(|_| Err(AppError::internal("a thread ended early")))).sum::<Result<usize, AppError>>()
        })?;
        // The outcome is used, so that nothing of it can be left out.
        if met == 0 {
            return Err(AppError::internal("nobody meets any tier"));
        }
        Ok(started.elapsed().as_secs_f64())
    }

    fn judge(&self, codes: &[&str], count: fn(&Standing) -> usize) -> Result<usize, AppError> {
        let evaluator = Evaluator::new(self.program, self.facts);
        let mut total = 0;
        for code in codes {
            total += count(&evaluator.standing(code, self.as_of, Due::Now)?);
            evaluator.forget();
        }
        Ok(total)
    }
}

fn count_met(standing: &Standing) -> usize {
    standing.ladders.iter().flat_map(|ladder| &ladder.tiers).filter(|tier| tier.met).count()
}

fn count_leaves(standing: &Standing) -> usize {
    let requirements = standing.ladders.iter().flat_map(|ladder| &ladder.tiers).filter_map(|tier| tier.requirement.as_ref());
    requirements.map(|judged| judged.leaves().len()).sum()
}

fn print(report: &Report) {
    let mut table = measure::table(["measured", "threads", "seconds", "evaluations/s", "evaluations/CPU s", "partners/s"]);
    for row in &report.measured {
        table.add_row([
            row.name.to_owned(),
            row.jobs.to_string(),
            format!("{:.3}", row.seconds),
            measure::count(row.evaluations_per_second as u64),
            measure::count(row.evaluations_per_cpu_second as u64),
            measure::count(row.partners_per_second as u64),
        ]);
    }
    println!(
        "{table}\n{} partners, {} tiers each, {} leaves in all; an evaluation is {}.\nmedian of {} rounds; peak memory {:.0} MiB",
        report.partners, report.tiers, report.leaves, report.unit, report.rounds, report.peak_memory_mib
    );
}
