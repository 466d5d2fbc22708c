//! The service on a real socket, with a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use guerdon::app::App;
use guerdon::app::auth::RoleClaim;
use guerdon::cli::serve::serve_on;
use guerdon::clock::{Clock as _, SystemClock};
use guerdon::config::{HttpConfig, JwtConfig, JwtKeys, Secret};
use guerdon::http::token::sign;
use guerdon_domain::access::Role;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::harness::{TestDatabase, fresh};

/// A running service. It ends with the test.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its use cases.
    pub app: App,
    _database: TestDatabase,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<tokio::task::JoinHandle<()>>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body, as text.
    pub text: String,
}

impl Answer {
    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The codes of its errors.
    pub fn codes(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The settings of the tokens that the tests sign.
pub fn jwt() -> JwtConfig {
    JwtConfig {
        keys: JwtKeys::Hs256(Secret::new("0123456789abcdef0123456789abcdef")),
        issuer: "guerdon".to_owned(),
        audience: "guerdon".to_owned(),
        roles_claim: "guerdon_roles".to_owned(),
    }
}

/// A token for somebody with these roles.
pub fn token_of(roles: &[RoleClaim]) -> String {
    sign(&jwt(), "tester", "1", roles, SystemClock.now(), Duration::from_secs(600)).unwrap()
}

/// A token for somebody with this role, as far as it reaches without bounds.
pub fn token(role: Role) -> String {
    token_of(&[RoleClaim::new(role)])
}

impl Served {
    /// With the usual bounds.
    pub async fn start() -> Self {
        Self::start_with(HttpConfig::default(), jwt()).await
    }

    /// With other bounds or keys.
    pub async fn start_with(http: HttpConfig, jwt: JwtConfig) -> Self {
        let database = fresh().await;
        let app = App::new(database.store.clone()).requiring(guerdon::cli::migrate::migrations());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = app.clone();
        let ended = tokio::spawn(async move {
            let stopped = async move { stopped.await.unwrap_or_default() };
            serve_on(listener, serving, Some(jwt), http, guerdon::telemetry::start_metrics(), stopped).await.unwrap();
        });
        Self { address, app, _database: database, stop: Some(stop), ended: Some(ended) }
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.ended.take().unwrap().await.unwrap();
    }

    /// An address in it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a prepared request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.unwrap() }
    }

    /// A POST to the GraphQL endpoint with this token, ready for its body.
    pub fn post(&self, token: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(self.url("/graphql")).bearer_auth(token).header("accept", "application/graphql-response+json").header("content-type", "application/json")
    }

    /// Sends a document.
    pub async fn query(&self, token: &str, query: &str) -> Answer {
        self.query_with(token, query, json!({})).await
    }

    /// Sends a document with values of its variables.
    pub async fn query_with(&self, token: &str, query: &str, variables: Value) -> Answer {
        self.send(self.post(token).body(json!({ "query": query, "variables": variables }).to_string())).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Client::builder().no_proxy().build().unwrap().get(self.url(path))).await
    }

    /// Writes bytes to a new connection and reads until the other side closes it, or for five seconds.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let _ = socket.write_all(bytes).await;
        let mut read = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut read)).await;
        String::from_utf8_lossy(&read).into_owned()
    }
}

/// A moment of RFC 3339.
pub fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Shares something with a task.
pub fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
