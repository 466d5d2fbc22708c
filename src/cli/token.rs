//! `guerdon token`: tokens for development, and API keys.

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use comfy_table::Table;
use guerdon_domain::date::Date;
use guerdon_domain::fault::Fault;

use super::{Common, Outcome, open};
use crate::app::auth::{RoleClaim, assignable};
use crate::app::keys::KeyOrder;
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
    /// Manage the API keys of machines in the database.
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key and print it, once: only its digest is kept.
    Create(KeyCreateArgs),
    /// List the keys, without their secrets.
    List(Common),
    /// End a key at once.
    Revoke(KeyRevokeArgs),
}

#[derive(Debug, clap::Args)]
struct KeyCreateArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    role: RoleArgs,
    /// What the key is for.
    #[arg(long)]
    label: String,
    /// The service account that it belongs to.
    #[arg(long, value_name = "NAME")]
    person: String,
    /// How long it is valid: 90d. For ever when nobody says.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,
}

#[derive(Debug, clap::Args)]
struct KeyRevokeArgs {
    #[command(flatten)]
    common: Common,
    /// The public id of the key, as `list` shows it.
    public_id: String,
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
        Command::Key(KeyCommand::Create(args)) => create(&args).await,
        Command::Key(KeyCommand::List(common)) => list(&common).await,
        Command::Key(KeyCommand::Revoke(args)) => revoke(&args).await,
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

async fn create(args: &KeyCreateArgs) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let expires_at = args.ttl.and_then(|ttl| TimeDelta::from_std(ttl).ok()).map(|ttl| SystemClock.now() + ttl);
    let order = KeyOrder { label: args.label.clone(), person: args.person.clone(), roles: vec![args.role.claim()], expires_at };
    println!("{}", app.create_key(&app.system("token key create"), &order).await?);
    eprintln!("This is the only time that the key is shown.");
    Ok(ExitCode::SUCCESS)
}

async fn list(common: &Common) -> Outcome {
    let app = open(&common.load(Vec::new())?).await?;
    let mut table = Table::new();
    table.set_header(["public id", "label", "account", "roles", "expires", "last used", "revoked"]);
    for key in app.list_keys(&app.system("token key list")).await? {
        let claims: Vec<RoleClaim> = serde_json::from_str(&key.roles).unwrap_or_default();
        let roles = claims.into_iter().map(|claim| claim.role).collect::<Vec<_>>().join(", ");
        let shown = |date: Option<String>| date.unwrap_or_else(|| "-".to_owned());
        let day = |moment: Option<DateTime<Utc>>| shown(moment.map(|moment| moment.date_naive().to_string()));
        table.add_row([
            key.public_id,
            key.label,
            key.person,
            roles,
            day(key.expires_at),
            shown(key.last_used_on.map(|day| day.to_string())),
            day(key.revoked_at),
        ]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

async fn revoke(args: &KeyRevokeArgs) -> Outcome {
    let app = open(&args.common.load(Vec::new())?).await?;
    let revoked = app.revoke_key(&app.system("token key revoke"), &args.public_id).await;
    match revoked {
        Err(AppError::NotFound) => Err(AppError::invalid("NOT_FOUND", args.public_id.clone(), "there is no such key, or it was revoked before")),
        other => other.map(|()| ExitCode::SUCCESS),
    }
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
