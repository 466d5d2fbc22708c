//! GraphQL over HTTP: POST, one JSON object, one operation. Extractor and responder are ours; the library does types and
//! execution.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{ServerError, Value, Variables};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Map;

use super::Service;
use super::answer::{AnswerError, Ending, Media, respond};
use super::request_id::RequestId;
use crate::app::Ctx;
use crate::error::AppError;
use crate::graphql::error::message;
use crate::graphql::gate::{Admitted, Refusal, Sent};
use crate::graphql::prepare;

/// A request that ends before it is executed.
struct Early {
    ending: Ending,
    errors: Vec<AnswerError>,
}

/// Where one request is answered.
struct Exchange<'a> {
    service: &'a Service,
    request_id: Arc<str>,
}

/// Answers one request.
pub async fn graphql(State(service): State<Arc<Service>>, request: Request<Body>) -> Response<Body> {
    let request_id = request.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| id.0.clone());
    let exchange = Exchange { service: &service, request_id };
    let partial_294 = service.config.partial_status_294;
    let Some(media) = Media::wanted(request.headers()) else {
        let early = exchange.not_graphql(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", "Answers are application/graphql-response+json or application/json.");
        return respond(early.ending, Media::GraphqlResponse, partial_294, None, &early.errors);
    };
    match exchange.run(request).await {
        Ok((ending, data, errors)) => respond(ending, media, partial_294, data.as_ref(), &errors),
        Err(early) => respond(early.ending, media, partial_294, None, &early.errors),
    }
}

impl Exchange<'_> {
    async fn run(&self, request: Request<Body>) -> Result<(Ending, Option<Value>, Vec<AnswerError>), Early> {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(self.not_graphql(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Send a POST request."));
        }
        if !is_json(&head.headers) {
            return Err(self.not_graphql(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "Send application/json in UTF-8."));
        }
        let identity = self.service.identity.circumstances(&self.service.app, &head.headers, &self.request_id).await;
        let caller = identity.map_err(|error| self.unidentified(&error))?;
        let bytes = self.read(body).await?;
        let sent = parse(&bytes).map_err(|(code, text)| self.not_graphql(StatusCode::BAD_REQUEST, code, text))?;
        let admitted = self.service.gate.admit(sent, crate::app::access::may_introspect(&caller)).map_err(|refusals| self.refused(refusals))?;
        self.execute(admitted, caller).await
    }

    /// The whole body, within its bounds of size and time.
    async fn read(&self, body: Body) -> Result<Vec<u8>, Early> {
        let max = self.service.config.body_bytes_max;
        let read = Limited::new(body, max).collect();
        match tokio::time::timeout(self.service.config.body_timeout, read).await {
            Err(_) => Err(self.not_graphql(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body did not arrive in time.")),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(self.not_graphql(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", format!("A body has at most {max} bytes.")))
            }
            Ok(Err(_)) => Err(self.not_graphql(StatusCode::BAD_REQUEST, "BODY_UNREADABLE", "The body could not be read.")),
            Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
        }
    }

    async fn execute(&self, admitted: Admitted, caller: Ctx) -> Result<(Ending, Option<Value>, Vec<AnswerError>), Early> {
        let config = &self.service.config;
        let limit = if admitted.is_mutation { config.mutation_timeout } else { config.query_timeout };
        let kind = if admitted.is_mutation { "mutation" } else { "query" };
        let started = Instant::now();
        let request = prepare(admitted.request, &self.service.app, caller.until(started + limit));
        let executed = tokio::time::timeout(limit, self.service.schema.execute(request)).await;
        let took = started.elapsed();
        let Ok(response) = executed else {
            self.report(kind, "timeout", admitted.operation.as_deref(), admitted.cost, took);
            let error = AnswerError::new("TIMEOUT", "The request was not finished in time.", &self.request_id);
            return Err(Early { ending: Ending::TimedOut, errors: vec![error] });
        };
        let was_executed = response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
        let ending = match (was_executed, response.errors.is_empty(), &response.data) {
            (false, false, _) => Ending::Refused,
            (_, true, _) => Ending::Complete,
            (_, _, Value::Null) => Ending::Failed,
            _ => Ending::Partial,
        };
        let errors = self.errors(response.errors, was_executed);
        self.report(kind, outcome(ending), admitted.operation.as_deref(), admitted.cost, took);
        Ok((ending, (ending != Ending::Refused).then_some(response.data), errors))
    }

    /// The first errors, with their codes and the id of the request; the causes of our own faults go to the log.
    fn errors(&self, errors: Vec<ServerError>, executed: bool) -> Vec<AnswerError> {
        let max = self.service.gate.limits().errors_max;
        for error in &errors {
            if let Some(AppError::Internal(cause)) = error.source.as_ref().and_then(|source| source.downcast_ref::<AppError>()) {
                tracing::error!(cause = %crate::error::causes(&**cause), "internal fault");
            }
        }
        errors.into_iter().take(max).map(|error| AnswerError::resolved(error, executed, &self.request_id)).collect()
    }

    fn report(&self, kind: &'static str, outcome: &'static str, operation: Option<&str>, cost: u64, took: Duration) {
        metrics::counter!("guerdon_graphql_operations_total", "type" => kind, "outcome" => outcome).increment(1);
        metrics::histogram!("guerdon_graphql_operation_seconds", "type" => kind).record(took.as_secs_f64());
        tracing::info!(kind, outcome, operation, cost, ms = took.as_millis(), "operation");
    }

    fn refused(&self, refusals: Vec<Refusal>) -> Early {
        for refusal in &refusals {
            metrics::counter!("guerdon_graphql_refusals_total", "code" => refusal.code).increment(1);
        }
        let max = self.service.gate.limits().errors_max;
        let errors = refusals.into_iter().take(max).map(|refusal| AnswerError::refused(refusal, &self.request_id)).collect();
        Early { ending: Ending::Refused, errors }
    }

    fn unidentified(&self, error: &AppError) -> Early {
        let status = match error {
            AppError::Unauthenticated => StatusCode::UNAUTHORIZED,
            AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if let AppError::Internal(cause) = error {
            tracing::error!(cause = %crate::error::causes(&**cause), "internal fault");
        }
        self.not_graphql(status, error.code(), message(error))
    }

    fn not_graphql(&self, status: StatusCode, code: &str, text: impl Into<String>) -> Early {
        Early { ending: Ending::NotGraphql(status), errors: vec![AnswerError::new(code, text, &self.request_id)] }
    }
}

const fn outcome(ending: Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::Partial => "partial",
        Ending::Failed => "failed",
        Ending::TimedOut => "timeout",
        Ending::Refused | Ending::NotGraphql(_) => "refused",
    }
}

/// Whether the body is said to be JSON in UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next().and_then(|line| line.to_str().ok()), lines.next()) else { return false };
    let mut parts = line.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = |parameter: &str| match parameter.to_ascii_lowercase().strip_prefix("charset=") {
        Some(charset) => charset.trim_matches('"') == "utf-8",
        None => true,
    };
    json && parts.all(utf8)
}

/// Takes the body apart. Members that we do not know are ignored.
fn parse(bytes: &[u8]) -> Result<Sent, (&'static str, &'static str)> {
    let body: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| ("INVALID_JSON", "The body is not JSON."))?;
    let serde_json::Value::Object(mut members) = body else {
        return Err(("INVALID_REQUEST", "The body is one JSON object; several requests in one are not taken."));
    };
    let query = match members.remove("query") {
        Some(serde_json::Value::String(query)) => query,
        _ => return Err(("INVALID_REQUEST", "The member `query` is a string with the document.")),
    };
    let operation = match members.remove("operationName") {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(("INVALID_REQUEST", "The member `operationName` is a string or null.")),
    };
    let variables = object(&mut members, "variables").ok_or(("INVALID_REQUEST", "The member `variables` is an object or null."))?;
    object(&mut members, "extensions").ok_or(("INVALID_REQUEST", "The member `extensions` is an object or null."))?;
    Ok(Sent { query, operation, variables: Variables::from_json(serde_json::Value::Object(variables)) })
}

fn object(members: &mut Map<String, serde_json::Value>, name: &str) -> Option<Map<String, serde_json::Value>> {
    match members.remove(name) {
        None | Some(serde_json::Value::Null) => Some(Map::new()),
        Some(serde_json::Value::Object(object)) => Some(object),
        Some(_) => None,
    }
}
