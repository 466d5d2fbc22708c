//! Every request has an id: the caller's own if it is well-formed, else a new one. Logs, answers and errors carry it.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::Service;

/// The header, both ways.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const CHARS_MAX: usize = 64;

/// The id of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// Gives the request its id, opens its span, counts it, and repeats the id in the answer.
pub async fn identify(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response<Body> {
    let sent = request.headers().get(&HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_well_formed(id)).map(Arc::<str>::from);
    let id = sent.unwrap_or_else(|| Arc::from(service.app.ids.id().simple().to_string()));
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let span = tracing::info_span!("request", request_id = %id, route);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    let status = response.status().as_u16().to_string();
    metrics::counter!("guerdon_http_requests_total", "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!("guerdon_http_request_seconds", "route" => route).record(started.elapsed().as_secs_f64());
    response
}

fn is_well_formed(id: &str) -> bool {
    (1..=CHARS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
