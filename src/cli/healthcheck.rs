//! `guerdon healthcheck`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use super::{Common, Outcome};
use crate::error::AppError;

/// Ask a running service whether it lives; for containers.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Where it listens; GUERDON_LISTEN.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Ask whether it can work, not only whether it lives.
    #[arg(long)]
    ready: bool,
}

/// Runs the command: exit code 0 if the answer is yes, else 1.
pub async fn run(args: Args) -> Outcome {
    let config = args.common.load(args.listen.map(|listen| ("listen", listen)).into_iter().collect())?;
    let path = if args.ready { "readyz" } else { "healthz" };
    let url = format!("http://{}/{path}", reachable(config.listen));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build().map_err(AppError::internal)?;
    match client.get(&url).send().await {
        Ok(answer) if answer.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(answer) => Err(AppError::conflict("NOT_HEALTHY", url, format!("answered {}", answer.status()))),
        Err(_) => Err(AppError::conflict("NOT_HEALTHY", url, "no answer")),
    }
}

/// The address to ask at: a service on every address is reached over loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
