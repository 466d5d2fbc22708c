//! `guerdon bench simulate`: simulations over every partner, beside what the database needs for the inputs and for the tiers alone.
//!
//! Nothing is stored. The same floors as those of `bench review`; for the rebates of a period, the bare aggregate of `bench rebates`.
//! Floors and simulations take turns.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use guerdon_domain::date::Date;
use guerdon_domain::document::patch::RuleChange;
use guerdon_domain::program::Program;
use guerdon_domain::simulation::{RulesInForce, hypothetical};
use guerdon_store::TierInputs;
use serde::Serialize;

use super::measure::{self, median, own_cpu_seconds, peak_memory_mib};
use super::rules::{inputs, rules};
use super::seed::CODE;
use crate::app::App;
use crate::app::programs::{InForce, ProgramKey, get_in_force};
use crate::app::simulation::{Judging, Report as Found, Simulate, SimulatedRules, Slice, simulate};
use crate::cli::{Common, Outcome};
use crate::error::AppError;

/// Rounds at most.
const ROUNDS_MAX: i64 = 20;
/// The changed threshold: revenue that Silver asks for, lower than it is.
const THRESHOLD: (&str, &str) = ("ladders[LEVEL].tiers[SILVER].requirement.allOf[0].metric.atLeast.default", "30000");
/// The changed rate: what Gold earns in the highest band of hardware.
const RATE: (&str, &str) = ("rebateSchedules[hardware].method.bands.bands[2].rate.tiers.GOLD", "5 %");
/// The region of the slice.
const SLICE: &str = "EMEA";

/// Simulate over every partner of a seeded database, and compare with the database's own work on the same inputs. Nothing is stored.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The date; the last day of a month, since the tiers in SQL are computed from whole months.
    #[arg(long, default_value = "2026-03-31")]
    as_of: Date,
    /// The period whose rebates are compared.
    #[arg(long, default_value = "2025-Q4")]
    period: String,
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=ROUNDS_MAX))]
    rounds: u8,
    /// Only this case: same, threshold, rules, slice, rate or both; may be given several times.
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// What is simulated.
struct Case {
    key: &'static str,
    what: &'static str,
    order: Simulate,
    /// Whether it is compared with the bare aggregate of the sale lines; else with the tiers in SQL.
    rebates: bool,
}

/// What a simulation took.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    case: &'static str,
    what: &'static str,
    partners: u64,
    /// Tiers that are other ones.
    moves: u64,
    /// Rebates that are other ones.
    rebate_moves: u64,
    /// The median of the rounds.
    seconds: f64,
    /// CPU seconds of this process for it; the database's are not in them, where it is a process of its own.
    own_cpu_seconds: f64,
    partners_per_second: f64,
    /// Of the bare read's seconds.
    ratio_to_read: f64,
    /// Of the seconds of the same tiers in SQL; of a case with rebates, those of the bare aggregate.
    ratio_to_sql: f64,
    /// Whether SQL finds the same number of partners coming to and leaving every tier; only where everybody is judged by the rules alone.
    agrees: Option<bool>,
    /// The most memory of this process until then, in MiB.
    peak_memory_mib: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    database: &'static str,
    as_of: Date,
    period: String,
    rounds: u8,
    /// The database reads the inputs, grouped by partner.
    read_seconds: f64,
    /// The database computes tiers from the inputs, by rules as rows.
    sql_seconds: f64,
    /// The database sums the period's sale lines by partner and category.
    aggregate_seconds: f64,
    timings: Vec<Timing>,
    peak_memory_mib: f64,
}

/// The seconds of the floors, round by round.
#[derive(Default)]
struct Floors {
    read: Vec<f64>,
    sql: Vec<f64>,
    aggregate: Vec<f64>,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let app = measure::open(&args.common.load(Vec::new())?).await?;
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

fn changed((path, value): (&str, &str)) -> SimulatedRules {
    SimulatedRules::Changed(vec![RuleChange::set(path, value)])
}

fn cases(args: &Args) -> Result<Vec<Case>, AppError> {
    let of = |rules| Simulate { program: Some(ProgramKey::Code(CODE.to_owned())), as_of: Some(args.as_of), bounded: false, ..Simulate::of(rules) };
    let slice = Slice { regions: vec![SLICE.to_owned()], ..Slice::default() };
    let periods = vec![args.period.clone()];
    let all = vec![
        Case { key: "same", what: "nothing changed", order: of(SimulatedRules::AsTheyAre), rebates: false },
        Case { key: "threshold", what: "a threshold, as a review", order: of(changed(THRESHOLD)), rebates: false },
        Case {
            key: "rules",
            what: "a threshold, by the rules alone",
            order: Simulate { judging: Judging::RulesAlone, ..of(changed(THRESHOLD)) },
            rebates: false,
        },
        Case { key: "slice", what: "a threshold, one region", order: Simulate { slice, ..of(changed(THRESHOLD)) }, rebates: false },
        Case { key: "rate", what: "a rate, with a past period's rebates", order: Simulate { periods: periods.clone(), ..of(changed(RATE)) }, rebates: true },
        Case { key: "both", what: "a threshold, with a past period's rebates", order: Simulate { periods, ..of(changed(THRESHOLD)) }, rebates: true },
    ];
    let known = || all.iter().map(|case| case.key).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = args.cases.iter().find(|asked| all.iter().all(|case| case.key != **asked)) {
        return Err(AppError::invalid("UNKNOWN_CASE", "case", format!("there is no case {unknown}: take one of {}", known())));
    }
    Ok(all.into_iter().filter(|case| args.cases.is_empty() || args.cases.iter().any(|asked| asked == case.key)).collect())
}

async fn bench(app: &App, args: &Args) -> Result<Report, AppError> {
    let program = ProgramKey::Code(CODE.to_owned());
    let in_force = get_in_force(app, &app.system("bench simulate"), Some(&program), args.as_of).await?;
    let changed = RulesInForce::Changed(vec![RuleChange::set(THRESHOLD.0, THRESHOLD.1)]);
    let changed = hypothetical(&in_force.compiled, &changed, args.as_of)?.after;
    let cases = cases(args)?;
    let mut floors = Floors::default();
    let mut rounds: BTreeMap<&str, Vec<Round>> = BTreeMap::new();
    let mut peaks: BTreeMap<&str, f64> = BTreeMap::new();
    for _ in 0..args.rounds {
        let in_sql = take_floors(app, args, &in_force, &changed, &mut floors).await?;
        for case in &cases {
            rounds.entry(case.key).or_default().push(one(app, case, &changed, &in_sql).await?);
            peaks.entry(case.key).or_insert_with(peak_memory_mib);
        }
    }
    let [read, sql, aggregate] = [floors.read, floors.sql, floors.aggregate].map(median);
    let timing = |case: &Case| {
        let rounds = rounds.remove(case.key).unwrap_or_default();
        let seconds = median(rounds.iter().map(|round| round.seconds).collect());
        let last = rounds.last();
        let partners = last.map_or(0, |round| round.found.partners);
        Timing {
            case: case.key,
            what: case.what,
            partners,
            moves: last.map_or(0, |round| round.found.up + round.found.down + round.found.aside),
            rebate_moves: last.map_or(0, |round| round.found.rebate_count),
            seconds,
            own_cpu_seconds: median(rounds.iter().map(|round| round.cpu).collect()),
            partners_per_second: partners as f64 / seconds,
            ratio_to_read: seconds / read,
            ratio_to_sql: seconds / if case.rebates { aggregate } else { sql },
            agrees: last.and_then(|round| round.agrees),
            peak_memory_mib: peaks.get(case.key).copied().unwrap_or_default(),
        }
    };
    Ok(Report {
        database: app.store.backend_name(),
        as_of: args.as_of,
        period: args.period.clone(),
        rounds: args.rounds,
        read_seconds: read,
        sql_seconds: sql,
        aggregate_seconds: aggregate,
        timings: cases.iter().map(timing).collect(),
        peak_memory_mib: peak_memory_mib(),
    })
}

/// How many partners more, or fewer, reach each rank of the main ladder after the change. Suspended partners keep what is on record, and do
/// not move.
type Ranks = BTreeMap<i64, i64>;

/// Measures what the database itself needs; answers how many move by the changed rules as it finds them.
async fn take_floors(app: &App, args: &Args, in_force: &InForce, changed: &Program, floors: &mut Floors) -> Result<Ranks, AppError> {
    let inputs = TierInputs { active_only: true, ..inputs(&in_force.compiled, args.as_of) };
    let (before, rules) = (rules(&in_force.compiled)?, rules(changed)?);
    let program = in_force.program.id;
    let started = Instant::now();
    let figure = app.store.read(async |tx| tx.read_review_inputs(program, &inputs).await).await?;
    if figure == 0 {
        return Err(AppError::conflict("NOT_SEEDED", "database-url", "nothing is there to be read: seed the database first, with `guerdon bench seed`"));
    }
    floors.read.push(started.elapsed().as_secs_f64());
    let started = Instant::now();
    let tiers = app.store.read(async |tx| tx.compute_tiers_in_sql(&inputs, &rules).await).await?;
    floors.sql.push(started.elapsed().as_secs_f64());
    let unknown = || AppError::invalid("UNKNOWN_PERIOD", "period", "no rebate schedule has such a period: write one such as `2026-Q1`");
    let days = in_force.compiled.period_named(&args.period).ok_or_else(unknown)?.span;
    let started = Instant::now();
    app.store.read(async |tx| tx.bare_aggregate(days, false).await).await?;
    floors.aggregate.push(started.elapsed().as_secs_f64());
    let before = app.store.read(async |tx| tx.compute_tiers_in_sql(&inputs, &before).await).await?;
    let mut ranks: Ranks = tiers.into_iter().collect();
    for (rank, partners) in before {
        *ranks.entry(rank).or_default() -= partners;
    }
    ranks.retain(|_, partners| *partners != 0);
    Ok(ranks)
}

/// A simulation that was measured.
struct Round {
    seconds: f64,
    cpu: f64,
    found: Found,
    agrees: Option<bool>,
}

async fn one(app: &App, case: &Case, changed: &Program, in_sql: &Ranks) -> Result<Round, AppError> {
    let (started, cpu) = (Instant::now(), own_cpu_seconds());
    let found = simulate(app, &app.system("bench simulate"), &case.order).await?.report;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), own_cpu_seconds() - cpu);
    if let Some(failed) = found.failed.first() {
        return Err(AppError::internal(format!("{} could not be judged: {}", failed.partner, failed.faults)));
    }
    let agrees = (case.order.judging == Judging::RulesAlone).then(|| ranks(changed, &found) == *in_sql);
    Ok(Round { seconds, cpu, found, agrees })
}

/// The same, as the simulation finds it.
fn ranks(program: &Program, found: &Found) -> Ranks {
    let mut ranks = Ranks::new();
    let main = program.ladder(None);
    for cell in found.matrix.iter().filter(|cell| main.is_some_and(|main| main.key == cell.ladder)) {
        let rank = |tier: &Option<String>| i64::from(main.map_or(0, |main| main.rank(tier.as_deref())));
        let partners = i64::try_from(cell.partners).unwrap_or(i64::MAX);
        *ranks.entry(rank(&cell.to)).or_default() += partners;
        *ranks.entry(rank(&cell.from)).or_default() -= partners;
    }
    ranks.retain(|rank, partners| *rank > 0 && *partners != 0);
    ranks
}

fn print(report: &Report) {
    let mut table =
        measure::table(["simulation", "partners", "moves", "rebates", "seconds", "own CPU", "partners/s", "of the read", "of the SQL", "same tiers", "MiB"]);
    for timing in &report.timings {
        table.add_row([
            timing.what.to_owned(),
            measure::count(timing.partners),
            measure::count(timing.moves),
            measure::count(timing.rebate_moves),
            format!("{:.2}", timing.seconds),
            format!("{:.2}", timing.own_cpu_seconds),
            measure::count(timing.partners_per_second as u64),
            format!("{:.1}", timing.ratio_to_read),
            format!("{:.2}", timing.ratio_to_sql),
            timing.agrees.map_or("", |agrees| if agrees { "yes" } else { "NO" }).to_owned(),
            format!("{:.0}", timing.peak_memory_mib),
        ]);
    }
    println!(
        "{table}\n{}, as of {}: bare read {:.2} s, tiers in SQL {:.2} s, bare aggregate of {} {:.2} s (of simulations with rebates, the latter is the SQL).\n\
         medians of {} rounds; peak memory {:.0} MiB",
        report.database, report.as_of, report.read_seconds, report.sql_seconds, report.period, report.aggregate_seconds, report.rounds, report.peak_memory_mib
    );
}
