//! Files of a review.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};

use super::{answer, caller};
use crate::app::exports;
use crate::app::reviews::ReviewId;
use crate::error::AppError;
use crate::graphql::node::{NodeKind, decode_as};
use crate::http::Service;
use crate::http::request_id::RequestId;

fn id_of(review: &str) -> Result<ReviewId, AppError> {
    decode_as(NodeKind::Review, review).ok_or(AppError::NotFound)
}

/// The standings as CSV.
pub async fn standings(
    State(service): State<Arc<Service>>,
    Path(review): Path<String>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let export = async {
        let caller = caller(&service, &headers, &request).await?;
        exports::export_standings(&service.app, &caller, id_of(&review)?).await
    };
    answer(export.await, &request)
}

/// The compliance report of the program.
pub async fn report(
    State(service): State<Arc<Service>>,
    Path(review): Path<String>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let export = async {
        let caller = caller(&service, &headers, &request).await?;
        exports::export_program_report(&service.app, &caller, id_of(&review)?).await
    };
    answer(export.await, &request)
}

/// The compliance report of one partner: `.../partners/CODE.html`.
pub async fn partner(
    State(service): State<Arc<Service>>,
    Path((review, partner)): Path<(String, String)>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let export = async {
        let caller = caller(&service, &headers, &request).await?;
        // No partner has a code with U+0000, about which PostgreSQL cannot even be asked.
        let code = partner.strip_suffix(".html").filter(|code| !code.contains('\0')).ok_or(AppError::NotFound)?;
        exports::export_partner_report(&service.app, &caller, id_of(&review)?, code).await
    };
    answer(export.await, &request)
}
