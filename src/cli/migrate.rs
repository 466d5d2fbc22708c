//! `guerdon migrate`.

use std::process::ExitCode;

use super::{Common, Outcome};

/// Bring the database to the schema of this version.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let _config = args.common.load(Vec::new())?;
    Ok(ExitCode::SUCCESS)
}
