//! A closed loop of connections: each sends its next request when the answer to the last one is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::error::AppError;

/// Where requests go, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port.
    pub address: String,
    /// The path of the endpoint.
    pub path: String,
    /// The bearer token.
    pub token: String,
}

impl Target {
    /// The target of an address such as `http://127.0.0.1:8080/graphql`.
    pub fn of(url: &str, token: String) -> Result<Self, AppError> {
        let refused = || AppError::invalid("INVALID_URL", "url", "name the endpoint as http://HOST:PORT/graphql: the load goes over plain connections");
        let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "http").ok_or_else(refused)?;
        let host = parsed.host_str().ok_or_else(refused)?;
        Ok(Self { address: format!("{host}:{}", parsed.port_or_known_default().unwrap_or(80)), path: parsed.path().to_owned(), token })
    }
}

/// One connection.
pub struct Connection {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Opens it.
    pub async fn open(target: &Target) -> Result<Self, AppError> {
        let stream = TcpStream::connect(&target.address).await.map_err(AppError::internal)?;
        stream.set_nodelay(true).map_err(AppError::internal)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(AppError::internal)?;
        // It ends with the sender.
        tokio::spawn(connection);
        Ok(Self { target: target.clone(), sender })
    }

    /// Sends a request and reads the answer: its status and body.
    async fn exchange(&mut self, method: &str, path: &str, body: Bytes) -> Result<(u16, Bytes), AppError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.target.address)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.target.token))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json")
            .body(Full::new(body))
            .map_err(AppError::internal)?;
        self.sender.ready().await.map_err(AppError::internal)?;
        let response = self.sender.send_request(request).await.map_err(AppError::internal)?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await.map_err(AppError::internal)?.to_bytes()))
    }

    /// The `data` of an answer.
    pub async fn ask(&mut self, body: Bytes) -> Result<Value, AppError> {
        let path = self.target.path.clone();
        let (status, answer) = self.exchange("POST", &path, body).await?;
        let mut answer: Value = serde_json::from_slice(&answer).map_err(AppError::internal)?;
        match (status, answer.get_mut("data").map(Value::take)) {
            (200, Some(data)) if answer.get("errors").is_none() => Ok(data),
            _ => Err(AppError::internal(format!("the service answered {status}: {}", answer.get("errors").unwrap_or(&Value::Null)))),
        }
    }

    /// What lies at a path.
    pub async fn get(&mut self, path: &str) -> Result<(u16, String), AppError> {
        let (status, body) = self.exchange("GET", path, Bytes::new()).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// What a loop gave.
#[derive(Debug, Default)]
pub struct Driven {
    /// The time from the first request to the last answer.
    pub took: Duration,
    /// The time of each answer, shortest first.
    pub latencies: Vec<Duration>,
    /// Bytes of the answers.
    pub bytes: u64,
}

impl Driven {
    /// The time within which that part of the answers came.
    pub fn percentile(&self, part: f64) -> Duration {
        let place = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(place.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Sends so many requests over so many connections, in turn about each of the bodies. One that fails ends it: what is measured are
/// answers.
pub async fn drive(target: &Target, connections: usize, requests: usize, bodies: Vec<Bytes>) -> Result<Driven, AppError> {
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(target).await?);
    }
    let started = Instant::now();
    let mut loops = JoinSet::new();
    for connection in open {
        loops.spawn(drive_one(connection, bodies.clone(), next.clone(), requests));
    }
    let mut driven = Driven::default();
    while let Some(done) = loops.join_next().await {
        let (latencies, bytes) = done.map_err(AppError::internal)??;
        driven.latencies.extend(latencies);
        driven.bytes += bytes;
    }
    driven.took = started.elapsed();
    driven.latencies.sort_unstable();
    Ok(driven)
}

async fn drive_one(mut connection: Connection, bodies: Arc<Vec<Bytes>>, next: Arc<AtomicUsize>, requests: usize) -> Result<(Vec<Duration>, u64), AppError> {
    let path = connection.target.path.clone();
    let (mut latencies, mut bytes) = (Vec::new(), 0);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(body) = bodies.get(number % bodies.len().max(1)).filter(|_| number < requests) else { return Ok((latencies, bytes)) };
        let sent = Instant::now();
        let (status, answer) = connection.exchange("POST", &path, body.clone()).await?;
        latencies.push(sent.elapsed());
        bytes += answer.len() as u64;
        if status != 200 || answer.windows(9).any(|part| part == b"\"errors\":") {
            let text: String = String::from_utf8_lossy(&answer).chars().take(500).collect();
            return Err(AppError::internal(format!("the service answered {status}: {text}")));
        }
    }
}
