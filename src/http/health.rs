//! Whether the process lives, whether it can work, and what it counts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::Service;

fn text(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The process lives.
pub async fn healthz() -> Response<Body> {
    text(StatusCode::OK, "ok\n")
}

/// The database is reachable and its schema is the one that this version needs.
pub async fn readyz(State(service): State<Arc<Service>>) -> Response<Body> {
    match service.app.ready().await {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(code = error.code(), "not ready");
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}

/// Counters for Prometheus.
pub async fn metrics(State(service): State<Arc<Service>>) -> Response<Body> {
    ::metrics::counter!("guerdon_store_statements_total").absolute(service.app.store.statements());
    ::metrics::counter!("guerdon_store_retries_total").absolute(service.app.store.retried());
    text(StatusCode::OK, service.metrics.as_ref().map(crate::telemetry::Metrics::render).unwrap_or_default())
}
