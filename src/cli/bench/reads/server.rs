//! The service that is measured, as a process of its own: what it costs is not mixed with what the load costs.

use std::io;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Json, State};
use axum::routing::post;

use super::client::{Connection, Target};
use crate::error::AppError;

/// How long a service may take to be ready.
const READY: Duration = Duration::from_secs(30);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A process, ended when it is dropped.
pub struct Server {
    child: Child,
    /// Where it is.
    pub target: Target,
}

impl Server {
    /// Starts this program with arguments and settings of the environment, on a free port of the loopback, and waits until it is
    /// ready. Its log is written and goes nowhere.
    pub async fn start(arguments: &[&str], settings: &[(&str, &str)], token: String) -> Result<Self, AppError> {
        let address = free_address().map_err(AppError::internal)?;
        let program = std::env::current_exe().map_err(AppError::internal)?;
        let mut command = Command::new(program);
        command.args(arguments).args(["--listen", &address]).envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(AppError::internal)?;
        let mut server = Self { child, target: Target { address, path: "/graphql".to_owned(), token } };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn wait_until_ready(&mut self) -> Result<(), AppError> {
        let started = Instant::now();
        while started.elapsed() < READY {
            if let Some(status) = self.child.try_wait().map_err(AppError::internal)? {
                return Err(AppError::internal(format!("the service ended before it was ready: {status}; start it by hand to see why")));
            }
            if let Ok(mut connection) = Connection::open(&self.target).await
                && connection.get("/readyz").await.is_ok_and(|(status, _)| status == 200)
            {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(AppError::internal("the service was not ready in time"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on at the moment.
fn free_address() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A schema with one field.
struct Bare;

#[async_graphql::Object]
impl Bare {
    async fn hello(&self) -> &'static str {
        "hello"
    }
}

type BareSchema = async_graphql::Schema<Bare, async_graphql::EmptyMutation, async_graphql::EmptySubscription>;

async fn execute(State(schema): State<BareSchema>, Json(request): Json<async_graphql::Request>) -> Json<async_graphql::Response> {
    Json(schema.execute(request).await)
}

/// Serves the GraphQL library and the router alone, without anything of this service: the floor of `hello`.
pub async fn serve_bare(listen: &str) -> Result<(), AppError> {
    let schema = BareSchema::new(Bare, async_graphql::EmptyMutation, async_graphql::EmptySubscription);
    let router = Router::new().route("/graphql", post(execute)).route("/readyz", axum::routing::get(async || "ready")).with_state(schema);
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(AppError::internal)?;
    crate::http::server::serve(listener, router, &crate::config::HttpConfig::default(), crate::http::server::stop_signal()).await
}
