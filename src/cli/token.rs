//! `guerdon token`: tokens for development, and API keys.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use guerdon_domain::date::Date;
use guerdon_domain::fault::Fault;

use super::{Common, Outcome};
use crate::app::auth::{RoleClaim, assignable};
use crate::clock::{Clock as _, SystemClock};
use crate::error::AppError;
use crate::http::token::sign;
use crate::idgen::{IdGen as _, SystemIds};

/// Make tokens for development, and manage API keys.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token with the configured HS256 secret and print it.
    Dev(DevArgs),
}

/// A role and its bounds.
#[derive(Debug, Clone, clap::Args)]
struct RoleArgs {
    /// The role.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(assignable()), required = true)]
    role: String,
    /// The code of a partner that it reaches; may be given again.
    #[arg(long, value_name = "CODE")]
    partner: Vec<String>,
    /// The key of a region that it reaches; may be given again.
    #[arg(long, value_name = "KEY")]
    region: Vec<String>,
    /// A source that it may write facts of; may be given again. All when nobody says.
    #[arg(long, value_name = "SOURCE")]
    source: Vec<String>,
    /// A benefit that it may ask for; may be given again. All when nobody says.
    #[arg(long, value_name = "KEY")]
    benefit: Vec<String>,
    /// The first day on which the role holds no more.
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<Date>,
}

impl RoleArgs {
    fn claim(&self) -> RoleClaim {
        RoleClaim {
            role: self.role.clone(),
            partners: self.partner.clone(),
            regions: self.region.clone(),
            sources: self.source.clone(),
            benefits: self.benefit.clone(),
            from: None,
            until: self.until,
        }
    }
}

#[derive(Debug, clap::Args)]
struct DevArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    role: RoleArgs,
    /// Who the token speaks of.
    #[arg(long, value_name = "NAME", default_value = "developer")]
    person: String,
    /// How long it is valid: 30m, 8h, 2d.
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = duration)]
    ttl: Duration,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Dev(args) => dev(&args),
    }
}

fn dev(args: &DevArgs) -> Outcome {
    let config = args.common.load(Vec::new())?;
    let message = "there is no secret to sign with: set GUERDON_JWT_SECRET to the secret that the service has";
    let jwt = config.auth.jwt.ok_or_else(|| AppError::invalid("NO_SECRET", "jwt.secret", message))?;
    let token = sign(&jwt, &args.person, &SystemIds.id().simple().to_string(), &[args.role.claim()], SystemClock.now(), args.ttl)?;
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|fault: Fault| fault.message)
}

/// A time as a number and a letter: `45s`, `30m`, `8h`, `2d`.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || "a time is a whole number and s, m, h or d, such as 8h; at most 365d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(bad)?;
    let unit: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(bad()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|seconds| (1..=365 * 86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        assert_eq!(duration("8h"), Ok(Duration::from_secs(28_800)));
        for bad in ["", "8", "h", "-1h", "0h", "366d", "8 h", "1.5h", "99999999999999999999d", "8é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
