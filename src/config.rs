//! Settings: from a file, the environment and flags; a flag beats the environment, and that beats the file. Unknown keys are
//! refused, all faults are reported at once, and secrets cannot be printed.

mod read;
mod secret;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use read::{Flags, SETTINGS, Setting, load, load_from};
pub use secret::Secret;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// The database.
    pub database: DatabaseConfig,
    /// Who is who.
    pub auth: AuthConfig,
    /// Bounds of the transport.
    pub http: HttpConfig,
    /// Background work.
    pub jobs: JobsConfig,
    /// Rebate runs.
    pub runs: RunsConfig,
    /// The log.
    pub log: LogConfig,
}

/// The database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `sqlite://FILE` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: Secret,
    /// Connections at most.
    pub connections_max: u32,
    /// Statements slower than this are reported, without their text.
    pub slow_query: Duration,
}

/// Who is who.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// How tokens are checked; without it only API keys are known.
    pub jwt: Option<JwtConfig>,
}

/// How tokens are checked. The algorithm is fixed here and never taken from a token.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// The key or keys.
    pub keys: JwtKeys,
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must hold.
    pub audience: String,
    /// The claim that holds the roles.
    pub roles_claim: String,
}

/// The key or keys that tokens are signed with.
#[derive(Debug, Clone)]
pub enum JwtKeys {
    /// HS256 with this secret of at least 32 bytes.
    Hs256(Secret),
    /// Public keys of a JSON Web Key Set, for one asymmetric algorithm.
    Jwks {
        /// Where the set is.
        source: JwksSource,
        /// The algorithm.
        algorithm: jsonwebtoken::Algorithm,
    },
}

/// Where a JSON Web Key Set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(String),
}

/// Bounds of the transport.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Open connections at most; further ones wait in the system's queue.
    pub connections_max: usize,
    /// Bytes of a request body at most.
    pub body_bytes_max: usize,
    /// Bytes of all headers of a request at most.
    pub header_bytes_max: usize,
    /// Time for the headers of a request to arrive.
    pub header_timeout: Duration,
    /// Time for the body of a request to arrive.
    pub body_timeout: Duration,
    /// Time for a query.
    pub query_timeout: Duration,
    /// Time for a mutation.
    pub mutation_timeout: Duration,
    /// Time for open requests to end at shutdown.
    pub drain_timeout: Duration,
    /// Whether an answer with data and errors has status 294 instead of 200.
    pub partial_status_294: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            body_bytes_max: 256 * 1_024,
            header_bytes_max: 16 * 1_024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            query_timeout: Duration::from_secs(15),
            mutation_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            partial_status_294: false,
        }
    }
}

/// Background work.
#[derive(Debug, Clone)]
pub struct JobsConfig {
    /// Workers of this node; none leaves the work to other nodes.
    pub workers: usize,
    /// Time between two looks for work.
    pub poll: Duration,
    /// Partners of a rebate run that are calculated between two commits: what is lost when a worker is killed. Changes no result.
    pub run_chunk: u32,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self { workers: 1, poll: Duration::from_secs(1), run_chunk: 1_000 }
    }
}

/// Rebate runs.
#[derive(Debug, Clone, Default)]
pub struct RunsConfig {
    /// A run of more than so many whole units of a currency is posted by a second approver; never, when empty.
    pub second_approver_above: Option<i64>,
}

/// The log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// One JSON object a line, instead of text.
    pub json: bool,
    /// What is logged: a level, or a filter such as `info,guerdon=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { json: false, filter: "info".to_owned() }
    }
}
