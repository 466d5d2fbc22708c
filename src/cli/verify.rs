//! `guerdon verify`: what was written, computed again.

mod ledger;
mod run;
mod statement;

use clap::Subcommand;

use super::Outcome;

/// Compute again what was written, and compare.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The books: entries sum to zero, balances are the fold of their postings, statements are the sum of their lines.
    Ledger(ledger::Args),
    /// Prove derivations of statements from their files alone. No database is needed.
    Statement(statement::Args),
    /// Compute a posted run again from what it recorded as its inputs.
    Run(run::Args),
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    match args.what {
        What::Ledger(args) => ledger::run(args).await,
        What::Statement(args) => statement::run(&args),
        What::Run(args) => run::run(args).await,
    }
}
