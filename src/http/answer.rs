//! What goes back: media type, status and body of an answer of GraphQL over HTTP. Every decision about a status is here.

use async_graphql::{PathSegment, Pos, ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, json};

use crate::graphql::gate::Refusal;

/// The two spellings of a GraphQL answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request was executed.
    GraphqlResponse,
    /// `application/json`, for clients that know no other: what was read as GraphQL is answered with 200.
    Json,
}

impl Media {
    /// The type that a caller with these headers wants; none if he wants neither. Whoever does not say gets `application/json`.
    pub fn wanted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        let lines: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if lines.is_empty() {
            return Some(Self::Json);
        }
        for range in lines.iter().flat_map(|line| line.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let parameters: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
            let other_charset = parameters.iter().any(|one| one.strip_prefix("charset=").is_some_and(|charset| charset.trim_matches('"') != "utf-8"));
            let quality = parameters.iter().find_map(|one| one.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
            if !other_charset && quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media)
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was no request of GraphQL over HTTP; this is why.
    NotGraphql(StatusCode),
    /// The document was refused, or is not valid.
    Refused,
    /// It was not finished in time.
    TimedOut,
    /// It was executed, without an error.
    Complete,
    /// It was executed; some fields failed.
    Partial,
    /// It was executed; nothing is left of it but errors.
    Failed,
}

/// The status of an answer.
pub const fn status(ending: Ending, media: Media, partial_294: bool) -> StatusCode {
    match (ending, media) {
        (Ending::NotGraphql(status), _) => status,
        (Ending::TimedOut, _) => StatusCode::GATEWAY_TIMEOUT,
        (Ending::Refused, Media::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (Ending::Partial, Media::GraphqlResponse) if partial_294 => match StatusCode::from_u16(294) {
            Ok(status) => status,
            Err(_) => StatusCode::OK,
        },
        (Ending::Refused, Media::Json) | (Ending::Complete | Ending::Partial | Ending::Failed, _) => StatusCode::OK,
    }
}

/// One error of an answer.
#[derive(Debug, Serialize)]
pub struct AnswerError {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Pos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<PathSegment>,
    extensions: Map<String, serde_json::Value>,
}

impl AnswerError {
    /// An error with this code and text.
    pub fn new(code: &str, message: impl Into<String>, request_id: &str) -> Self {
        let mut extensions = Map::new();
        extensions.insert("code".to_owned(), json!(code));
        extensions.insert("requestId".to_owned(), json!(request_id));
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions }
    }

    /// A document that the gate refused.
    pub fn refused(refusal: Refusal, request_id: &str) -> Self {
        let mut error = Self::new(refusal.code, refusal.message, request_id);
        error.locations.extend(refusal.location);
        if let Some((limit, actual)) = refusal.limit {
            error.extensions.insert("limit".to_owned(), json!(limit));
            error.extensions.insert("actual".to_owned(), json!(actual));
        }
        error
    }

    /// An error of the library or of a resolver. One without a code comes from the library: the document is not valid, or a
    /// value in it.
    pub fn resolved(error: ServerError, executed: bool, request_id: &str) -> Self {
        let code = if executed { "INVALID_INPUT" } else { "VALIDATION_FAILED" };
        let mut answer = Self::new(code, error.message, request_id);
        answer.locations = error.locations;
        answer.path = error.path;
        if let Some(serde_json::Value::Object(extensions)) = error.extensions.and_then(|extensions| serde_json::to_value(extensions).ok()) {
            answer.extensions.extend(extensions);
        }
        answer
    }

    /// Its code.
    pub fn code(&self) -> &str {
        self.extensions.get("code").and_then(serde_json::Value::as_str).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct AnswerBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [AnswerError],
}

/// The answer with this body. Without `data` the member is left out.
pub fn respond(ending: Ending, media: Media, partial_294: bool, data: Option<&Value>, errors: &[AnswerError]) -> Response<Body> {
    let body = serde_json::to_vec(&AnswerBody { data, errors }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status(ending, media, partial_294);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match ending {
        Ending::NotGraphql(StatusCode::METHOD_NOT_ALLOWED) => headers.insert(header::ALLOW, HeaderValue::from_static("POST")),
        Ending::NotGraphql(StatusCode::UNAUTHORIZED) => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Ending::NotGraphql(StatusCode::SERVICE_UNAVAILABLE) => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
        _ => None,
    };
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &[&str]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(line).unwrap());
        }
        Media::wanted(&headers)
    }

    #[test]
    fn the_best_type_that_we_speak_is_taken() {
        assert_eq!(wanted(&[]), Some(Media::Json));
        assert_eq!(wanted(&["*/*"]), Some(Media::Json));
        assert_eq!(wanted(&["application/graphql-response+json, application/json;q=0.9"]), Some(Media::GraphqlResponse));
        assert_eq!(wanted(&["application/graphql-response+json;q=0.5", "application/json"]), Some(Media::Json));
        assert_eq!(wanted(&["application/graphql-response+json; charset=utf-8"]), Some(Media::GraphqlResponse));
        assert_eq!(wanted(&["application/json; charset=iso-8859-1"]), None);
        assert_eq!(wanted(&["text/html"]), None);
        assert_eq!(wanted(&["application/json;q=0"]), None);
    }

    #[test]
    fn a_status_says_whether_it_was_executed() {
        let new = |ending| status(ending, Media::GraphqlResponse, false).as_u16();
        assert_eq!([new(Ending::Complete), new(Ending::Partial), new(Ending::Failed), new(Ending::Refused), new(Ending::TimedOut)], [200, 200, 200, 400, 504]);
        assert_eq!(status(Ending::Refused, Media::Json, false).as_u16(), 200);
        assert_eq!(status(Ending::Partial, Media::GraphqlResponse, true).as_u16(), 294);
        assert_eq!(status(Ending::NotGraphql(StatusCode::UNSUPPORTED_MEDIA_TYPE), Media::Json, false).as_u16(), 415);
    }
}
