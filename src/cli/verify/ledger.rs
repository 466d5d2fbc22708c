//! `guerdon verify ledger`.

use std::process::ExitCode;

use crate::app::rebates::books;
use crate::cli::{Common, Outcome, open};

/// The books: entries sum to zero, balances are the fold of their postings, statements are the sum of their lines, and runs have
/// posted what their statements say. Every fault is a line.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let faults = books::verify_ledger(&app, &app.system("verify")).await?;
    for fault in &faults {
        println!("{}: {}: {}", fault.check, fault.subject, fault.found);
    }
    if faults.is_empty() {
        println!("the books are sound");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
