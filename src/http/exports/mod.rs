//! `GET /exports/...`: files, streamed. The same bearer credential and the same rights as in the interface; what is out of scope is
//! not found.

mod rebates;
mod reviews;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use base64::Engine as _;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

use super::Service;
use super::answer::{AnswerError, Ending, Media, respond};
use super::request_id::RequestId;
use crate::app::Ctx;
use crate::app::exports::{Export, ExportKind, STYLE};
use crate::error::{AppError, causes};

/// The routes of files.
pub fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/exports/reviews/{review}/standings.csv", get(reviews::standings))
        .route("/exports/reviews/{review}/report.html", get(reviews::report))
        .route("/exports/reviews/{review}/partners/{partner}", get(reviews::partner))
        .route("/exports/runs/{run}/{file}", get(rebates::run))
        .route("/exports/statements/{statement}/{file}", get(rebates::statement))
}

/// Who asks for a file.
async fn caller(service: &Service, headers: &HeaderMap, request_id: &RequestId) -> Result<Ctx, AppError> {
    service.identity.circumstances(&service.app, headers, &request_id.0).await
}

/// Answers a file, or why there is none.
fn answer(export: Result<Export, AppError>, request_id: &RequestId) -> Response<Body> {
    match export {
        Ok(export) => send(export),
        Err(error) => refuse(&error, request_id),
    }
}

fn send(export: Export) -> Response<Body> {
    let pieces = export.pieces.map(|piece| {
        if let Err(error) = &piece {
            tracing::error!(cause = %causes(error), "a file ended early");
        }
        piece
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    // A page is looked at, everything else is kept.
    let disposition = if export.kind == ExportKind::Html { "inline" } else { "attachment" };
    let named = HeaderValue::try_from(format!("{disposition}; filename=\"{}\"", export.name));
    if let (Ok(named), Ok(policy)) = (named, HeaderValue::try_from(policy())) {
        headers.insert(header::CONTENT_DISPOSITION, named);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(export.kind.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Nothing but our own style sheet, known by its digest.
fn policy() -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

fn refuse(error: &AppError, request_id: &RequestId) -> Response<Body> {
    let (status, message) = match error {
        AppError::Unauthenticated => (StatusCode::UNAUTHORIZED, "Send a valid bearer token or API key."),
        AppError::Forbidden => (StatusCode::FORBIDDEN, "None of your roles allows this."),
        AppError::NotFound => (StatusCode::NOT_FOUND, "There is no such file, or it is not yours to see."),
        AppError::Busy | AppError::IdempotencyInProgress => (StatusCode::SERVICE_UNAVAILABLE, "Too busy now: ask again in a moment."),
        AppError::Internal(cause) => {
            tracing::error!(cause = %causes(&**cause), "internal fault");
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
        }
        _ => (StatusCode::BAD_REQUEST, "This cannot be asked for."),
    };
    let answer = AnswerError::new(error.code(), message, &request_id.0);
    respond(Ending::NotGraphql(status), Media::Json, false, None, &[answer])
}
