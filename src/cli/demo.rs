//! `guerdon demo`: the AdventureWorks program on its sales, from nothing to a served API in seconds.
//!
//! Its data is in the binary. Its clock stands at `TODAY`, the day after the last sale, so that every figure is the same
//! tomorrow. Run again on the same database, it changes nothing.

mod data;
mod figures;
mod settle;
mod steps;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guerdon_domain::access::Role;
use guerdon_domain::date::Date;
use serde::Serialize;

use self::figures::Figures;
use self::steps::Prepared;
use super::{Common, Outcome, migrate, open, serve};
use crate::app::App;
use crate::app::auth::RoleClaim;
use crate::clock::{Clock as _, StandingClock, SystemClock};
use crate::config::{JwtConfig, JwtKeys, Secret};
use crate::error::AppError;
use crate::http::server;
use crate::http::token::sign;
use crate::idgen::{IdGen as _, SystemIds};
use crate::jobs::Runner;
use crate::telemetry;

/// The day on which the demo's clock stands.
const TODAY: &str = "2020-06-01";
/// The partner that the token `partner` speaks for: Platinum, in France, with certificates, returns and sales in euros.
const PARTNER: &str = "175";
/// How long the tokens of one start are valid.
const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// Serve the AdventureWorks example: program, partners and sales are in the binary.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the embedded database.
    #[arg(long, value_name = "FOLDER", default_value = "guerdon-data")]
    data_dir: PathBuf,
    /// Another database: sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME.
    #[arg(long, value_name = "URL", env = "GUERDON_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT", env = "GUERDON_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// When ready, print one line of JSON instead of text.
    #[arg(long)]
    json: bool,
    /// Prepare the database, print, and do not serve.
    #[arg(long)]
    prepare_only: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready<'a> {
    graphql: String,
    tokens: serde_json::Map<String, serde_json::Value>,
    clock: &'static str,
    changed: bool,
    counts: &'a figures::Counts,
    seconds: f64,
}

/// Runs the command until the process is asked to stop.
pub async fn run(args: Args) -> Outcome {
    let started = Instant::now();
    let today: Date = TODAY.parse()?;
    let url = database_url(&args)?;
    let common = Common { config: None, database_url: Some(url.clone()) };
    let config = common.load(vec![("listen", args.listen.to_string())])?;
    let listener = serve::listen(args.listen).await?;
    let address = listener.local_addr().map_err(AppError::internal)?;
    eprintln!("The demo's clock stands at {TODAY}, the day after the last sale.");
    migrate::migrate(&url).await?;
    let app = open(&config).await?.with_clock(Arc::new(StandingClock::on(today)));
    let prepared = steps::prepare(&app).await?;
    let figures = figures::figures(&app).await?;
    let jwt = JwtConfig {
        keys: JwtKeys::Hs256(Secret::new(hexadecimal(&SystemIds.secret()?))),
        issuer: "guerdon-demo".to_owned(),
        audience: "guerdon-demo".to_owned(),
        roles_claim: "guerdon_roles".to_owned(),
    };
    let tokens = tokens(&jwt)?;
    let graphql = format!("http://{address}/graphql");
    let seconds = (started.elapsed().as_secs_f64() * 100.0).round() / 100.0;
    if args.json {
        let ready = Ready { graphql, tokens, clock: TODAY, changed: prepared.changed, counts: &figures.counts, seconds };
        println!("{}", serde_json::to_string(&ready).map_err(AppError::internal)?);
    } else {
        println!("{}", text(&prepared, &figures, &graphql, &tokens, seconds));
    }
    if args.prepare_only {
        app.store.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    serve_demo(listener, app, jwt, config).await
}

async fn serve_demo(listener: tokio::net::TcpListener, app: App, jwt: JwtConfig, config: crate::config::Config) -> Outcome {
    let quiet = crate::config::LogConfig { filter: "warn".to_owned(), ..config.log };
    telemetry::start_log(&quiet)?;
    let metrics = telemetry::start_metrics();
    let runner = Runner::start(&app, &config.jobs);
    let served = serve::serve_on(listener, app, Some(jwt), config.http, metrics, server::stop_signal()).await;
    runner.stop().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// The database that was asked for, or a file in the data folder, which is made.
fn database_url(args: &Args) -> Result<String, AppError> {
    if let Some(url) = &args.database_url {
        return Ok(url.clone());
    }
    let folder = &args.data_dir;
    let fault = |error: std::io::Error| AppError::invalid("CANNOT_WRITE", "data-dir", format!("{} cannot be made: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(fault)?;
    Ok(format!("sqlite://{}", folder.join("demo.db").display()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fresh tokens, one for each kind of caller.
fn tokens(jwt: &JwtConfig) -> Result<serde_json::Map<String, serde_json::Value>, AppError> {
    let roles = [
        ("partner", RoleClaim { partners: vec![PARTNER.to_owned()], ..RoleClaim::new(Role::PartnerAdmin) }),
        ("channelManager", RoleClaim { regions: vec!["WORLD".to_owned()], ..RoleClaim::new(Role::ChannelManager) }),
        ("designer", RoleClaim::new(Role::ProgramDesigner)),
        ("finance", RoleClaim::new(Role::FinancePreparer)),
        ("financeApprover", RoleClaim::new(Role::FinanceApprover)),
        ("content", RoleClaim::new(Role::ContentService)),
        ("importer", RoleClaim::new(Role::ImportService)),
        ("auditor", RoleClaim::new(Role::Auditor)),
        ("admin", RoleClaim::new(Role::Admin)),
    ];
    let now = SystemClock.now();
    let mut tokens = serde_json::Map::new();
    for (name, claim) in roles {
        let token = sign(jwt, &format!("demo-{name}"), &SystemIds.id().simple().to_string(), &[claim], now, TOKEN_LIFETIME)?;
        tokens.insert(name.to_owned(), token.into());
    }
    Ok(tokens)
}

fn text(prepared: &Prepared, figures: &Figures, graphql: &str, tokens: &serde_json::Map<String, serde_json::Value>, seconds: f64) -> String {
    let done = if prepared.changed { "The database was prepared." } else { "Everything was there already: nothing was changed." };
    let tokens: String = tokens.iter().map(|(name, token)| format!("  {name}: {}\n", token.as_str().unwrap_or_default())).collect();
    format!(
        "{done}\n\nPartners by tier on {TODAY}\n{}\n\nRebates earned, in US dollars\n{}\n\n{} partners, {} sale lines, {seconds} seconds.\n\n\
         Tokens of this start (Authorization: Bearer ...); `partner` speaks for partner {PARTNER}:\n{tokens}\nGraphQL: {graphql}\nIn the browser: {}",
        figures.tier_table(),
        figures.rebate_table(),
        figures.counts.partners,
        figures.counts.transactions,
        graphql.trim_end_matches("graphql"),
    )
}
