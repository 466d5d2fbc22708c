//! `guerdon bench`: a synthetic program with data of any size, and what this service does with it in how much time.

pub mod evaluate;
mod measure;
mod reads;
mod rebates;
pub mod review;
mod rules;
pub mod seed;
mod simulate;

use super::Outcome;

/// Measure this service on synthetic data.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Fill a database with a synthetic program, its partners and their facts.
    Seed(seed::Args),
    /// Compute a period's rebates for all partners, beside the database's bare aggregate of the same lines.
    Rebates(rebates::Args),
    /// Measure the engine of levelling on its own, without a database.
    Evaluate(evaluate::Args),
    /// Review every partner of a seeded database, beside the database's own work on the same inputs.
    Review(review::Args),
    /// Simulate over every partner of a seeded database, beside the database's own work on the same inputs.
    Simulate(simulate::Args),
    /// Drive a service on a seeded database, beside the database's own answer by key.
    Reads(reads::Args),
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Seed(args) => seed::run(args).await,
        Command::Rebates(args) => rebates::run(args).await,
        Command::Review(args) => review::run(args).await,
        Command::Simulate(args) => simulate::run(args).await,
        Command::Reads(args) => reads::run(args).await,
        Command::Evaluate(args) => evaluate::run(&args),
    }
}
