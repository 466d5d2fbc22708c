//! Files of rebate runs and statements.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};

use super::{answer, caller};
use crate::app::exports::{self, Export, ExportKind, RunRows};
use crate::app::rebates::proof::find_derivation;
use crate::error::AppError;
use crate::graphql::node::{NodeKind, decode_as};
use crate::http::Service;
use crate::http::request_id::RequestId;

/// `statements`, `lines` or `journal`, as `.csv` or `.ndjson`.
fn asked(file: &str) -> Result<(RunRows, ExportKind), AppError> {
    let (rows, format) = file.split_once('.').ok_or(AppError::NotFound)?;
    let rows = match rows {
        "statements" => RunRows::Statements,
        "lines" => RunRows::Lines,
        "journal" => RunRows::Journal,
        _ => return Err(AppError::NotFound),
    };
    match format {
        "csv" => Ok((rows, ExportKind::Csv)),
        "ndjson" => Ok((rows, ExportKind::NdJson)),
        _ => Err(AppError::NotFound),
    }
}

/// Statements, lines or journal of a run.
pub async fn run(
    State(service): State<Arc<Service>>,
    Path((run, file)): Path<(String, String)>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let export = async {
        let caller = caller(&service, &headers, &request).await?;
        let (rows, kind) = asked(&file)?;
        let id = decode_as(NodeKind::RebateRun, &run).ok_or(AppError::NotFound)?;
        exports::export_run(&service.app, &caller, id, rows, kind).await
    };
    answer(export.await, &request)
}

/// A statement: `statement.html`, or `derivation.json`.
pub async fn statement(
    State(service): State<Arc<Service>>,
    Path((statement, file)): Path<(String, String)>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let export = async {
        let caller = caller(&service, &headers, &request).await?;
        let id = decode_as(NodeKind::Statement, &statement).ok_or(AppError::NotFound)?;
        match file.as_str() {
            "statement.html" => exports::export_statement(&service.app, &caller, id).await,
            "derivation.json" => {
                let (_, text) = find_derivation(&service.app, &caller, id).await?.ok_or(AppError::NotFound)?;
                Ok(Export::whole(&format!("derivation-{}", id.simple()), ExportKind::Json, text.into_bytes()))
            }
            _ => Err(AppError::NotFound),
        }
    };
    answer(export.await, &request)
}
