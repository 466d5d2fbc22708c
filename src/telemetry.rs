//! The log and the counters. No SQL and no values in either.
//!
//! Spans: `request` (`request_id`, `route`). Counters: `guerdon_http_requests_total` (`route`, `status`),
//! `guerdon_http_request_seconds` (`route`), `guerdon_graphql_operations_total` (`type`, `outcome`),
//! `guerdon_graphql_operation_seconds` (`type`), `guerdon_graphql_refusals_total` (`code`), `guerdon_store_statements_total`,
//! `guerdon_store_retries_total`.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogConfig;
use crate::error::AppError;

/// Bounds of the buckets of durations, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Starts the log, to standard error. Statements of the database driver are never logged, whatever the filter says.
pub fn start_log(config: &LogConfig) -> Result<(), AppError> {
    let filter = EnvFilter::builder().parse(&config.filter).map_err(AppError::internal)?;
    let mut filter = filter;
    for quiet in ["sqlx::query=off", "sea_orm::driver=off", "sea_orm::database=off"] {
        filter = filter.add_directive(quiet.parse().map_err(AppError::internal)?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = if config.json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer.with_ansi(std::io::stderr().is_terminal())).try_init()
    };
    started.map_err(AppError::internal)
}

/// The counters of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

static METRICS: OnceLock<Option<Metrics>> = OnceLock::new();

/// Starts the counters, once; none if the process has others already.
pub fn start_metrics() -> Option<Metrics> {
    METRICS.get_or_init(|| PrometheusBuilder::new().set_buckets(BUCKETS).ok()?.install_recorder().ok().map(Metrics)).clone()
}

impl Metrics {
    /// As Prometheus reads them.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}
