//! `guerdon verify run`: a run, computed again from what it recorded as its inputs.

use std::process::ExitCode;

use crate::app::programs::ProgramKey;
use crate::app::rebates::runs::{RunProof, StatementDifference, find_run_named, verify_run};
use crate::cli::program::write_text;
use crate::cli::{Common, Outcome, open};
use crate::error::AppError;
use crate::graphql::node::{NodeKind, decode_as};

/// Compute a posted run again. The exit code is 0 when every statement and the run's hash are the same.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// The run's id, or the period of a live original run.
    #[arg(value_name = "ID|PERIOD")]
    run: String,
    /// The program's code, with a period; may be left out while there is only one.
    #[arg(long, value_name = "CODE")]
    program: Option<String>,
    /// Partners that are computed at a time. The outcome does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    chunk: u32,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let ctx = app.system("verify");
    let name = decode_as(NodeKind::RebateRun, &args.run).map_or(args.run, |id| id.to_string());
    let found = find_run_named(&app, &ctx, args.program.map(ProgramKey::Code).as_ref(), &name).await?;
    let run = found.ok_or_else(|| AppError::invalid("UNKNOWN_RUN", "run", "there is no such run, and no live original run of such a period"))?;
    let proof = verify_run(&app, &ctx, run.id, args.chunk).await?;
    app.store.close().await;
    write_text(&told(&proof), None)?;
    Ok(if proof.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(proof: &RunProof) -> String {
    let head = format!("run {} of {}: {} statements computed again", proof.run, proof.period, proof.statements);
    if proof.holds() {
        return format!("{head}, all the same\n  content hash {}\n", proof.content_hash);
    }
    let hash = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "nothing".to_owned());
    let different = |one: &StatementDifference| {
        format!("  {} {} {}: on record {}, computed {}\n", one.partner, one.schedule, one.period, hash(&one.found), hash(&one.expected))
    };
    let mut text = format!("{head}, NOT THE SAME\n");
    text.extend(proof.differences.iter().map(different));
    text.extend(proof.budgets.iter().map(|budget| format!("  the budget of {budget} is shared otherwise than its partners' figures give\n")));
    if proof.content_hash != proof.stored_hash {
        text.push_str(&format!("  the run names the hash {}, and its statements have {}\n", proof.content_hash, proof.stored_hash));
    }
    text
}
