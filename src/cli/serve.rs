//! `guerdon serve`.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::common::open_with;
use super::{Common, Outcome};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{Config, HttpConfig, JwtConfig};
use crate::error::AppError;
use crate::http::auth::Identity;
use crate::http::token::Tokens;
use crate::http::{Service, router, server};
use crate::jobs::Runner;
use crate::telemetry::{self, Metrics};

/// Serve the API.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Where to listen; GUERDON_LISTEN. 127.0.0.1:8080 when nobody says.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

/// Runs the command until the process is asked to stop.
pub async fn run(args: Args) -> Outcome {
    let config = args.common.load(args.listen.map(|listen| ("listen", listen)).into_iter().collect())?;
    let jwt = require_key(&config)?;
    telemetry::start_log(&config.log)?;
    let metrics = telemetry::start_metrics();
    let app = open_with(&config, |options| options).await?;
    if app.ready().await.is_err() {
        tracing::warn!("the database is not reachable or lacks this version's schema: run `guerdon migrate`; until then /readyz says so");
    }
    let listener = listen(config.listen).await?;
    tracing::info!(address = %config.listen, "listening");
    let runner = Runner::start(&app, &config.jobs);
    let served = serve_on(listener, app, Some(jwt), config.http, metrics, server::stop_signal()).await;
    runner.stop().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// The key that tokens are checked with. Serving without one would shut everybody out, or, worse, tempt somebody to let
/// everybody in.
fn require_key(config: &Config) -> Result<JwtConfig, AppError> {
    let message = "there is no key to check tokens with, so nobody could be known. Set GUERDON_JWT_SECRET to a secret of at least 32 bytes \
                   (`openssl rand -hex 32`) or GUERDON_JWT_SECRET_FILE to a file that holds one, or GUERDON_JWT_JWKS to your identity \
                   provider's key set. To look around first: `guerdon demo`";
    config.auth.jwt.clone().ok_or_else(|| AppError::invalid("NO_KEY", "jwt", message))
}

/// Opens the socket.
pub async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address).await.map_err(|error| AppError::invalid("CANNOT_LISTEN", "listen", format!("cannot listen on {address}: {error}")))
}

/// Serves `app` on `listener` until `stop` is done. Tokens expire by the system's clock, whatever clock the rules live by.
pub async fn serve_on(
    listener: TcpListener,
    app: App,
    jwt: Option<JwtConfig>,
    http: HttpConfig,
    metrics: Option<Metrics>,
    stop: impl Future<Output = ()>,
) -> Result<(), AppError> {
    let tokens = match jwt {
        Some(jwt) => Some(Tokens::new(jwt).await?),
        None => None,
    };
    let service = Service::new(app, Identity::new(tokens, Arc::new(SystemClock)), http.clone(), metrics)?;
    server::serve(listener, router::router(Arc::new(service)), &http, stop).await
}
