//! The page at `/`: GraphiQL, from a bundle that lies in the binary. Nothing is fetched from elsewhere.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, Response, StatusCode, header};

const PAGE: &str = include_str!("graphiql/index.html");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files of the bundle: name, type, content.
const FILES: &[(&str, &str, &[u8])] = &[
    ("react.production.min.js", JS, include_bytes!("graphiql/react.production.min.js")),
    ("react-dom.production.min.js", JS, include_bytes!("graphiql/react-dom.production.min.js")),
    ("graphiql.min.js", JS, include_bytes!("graphiql/graphiql.min.js")),
    ("graphiql.min.css", "text/css; charset=utf-8", include_bytes!("graphiql/graphiql.min.css")),
    ("start.js", JS, include_bytes!("graphiql/start.js")),
];
const JS: &str = "text/javascript; charset=utf-8";

fn file(status: StatusCode, content_type: &'static str, cache: &'static str, body: &'static [u8]) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page.
pub async fn index() -> Response<Body> {
    file(StatusCode::OK, "text/html; charset=utf-8", "no-cache", PAGE.as_bytes())
}

/// One file of the bundle.
pub async fn bundle(Path(name): Path<String>) -> Response<Body> {
    match FILES.iter().find(|(known, _, _)| *known == name) {
        Some((_, content_type, content)) => file(StatusCode::OK, content_type, "public, max-age=3600", content),
        None => file(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "no-store", b"not found\n"),
    }
}

/// The published schema, for tools and for the page: reading it needs no right, asking the service for it does.
pub async fn schema() -> Response<Body> {
    let mut response = Response::new(Body::from(crate::graphql::sdl()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
