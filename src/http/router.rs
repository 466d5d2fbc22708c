//! Routes, and what every request passes.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware;
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;

use super::answer::{AnswerError, Ending, Media, respond};
use super::{Service, exports, graphql, health, page, request_id};

/// All routes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/graphql", any(graphql::graphql))
        .route("/", get(page::index))
        .route("/graphiql/{file}", get(page::bundle))
        .route("/schema.graphql", get(page::schema))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(exports::routes())
        .fallback(nowhere)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(service.clone(), request_id::identify))
        .with_state(service)
}

async fn nowhere() -> Response<Body> {
    let mut response = Response::new(Body::from("not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A panic ends one request, not the process, and its text stays here.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a request panicked");
    let error = AnswerError::new("INTERNAL", "Something went wrong on our side.", "");
    respond(Ending::NotGraphql(StatusCode::INTERNAL_SERVER_ERROR), Media::Json, false, None, &[error])
}
