//! `guerdon bench reads`: what portals ask, over HTTP with everything switched on, beside the database's own answer by key.
//!
//! The service runs as a process of its own on the seeded database (or somewhere else, with `--url` and `--token`), with
//! authentication, authorization, limits, log and counters as in production. A bounded number of requests goes over a bounded number of
//! connections; each sends its next request when the answer to the last one is there.

mod client;
mod queries;
mod server;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use guerdon_domain::date::Date;
use hyper::body::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;

use self::client::{Connection, Driven, Target, drive};
use self::queries::{LISTED, QUERIES, Query, Subject, WALK};
use self::server::{Server, serve_bare};
use super::measure::{self, cpu_seconds_of, own_cpu_seconds, peak_memory_mib_of};
use crate::app::App;
use crate::app::auth::RoleClaim;
use crate::cli::{Common, Outcome};
use crate::clock::{Clock as _, SystemClock};
use crate::error::AppError;
use crate::http::token::sign;
use crate::idgen::{IdGen as _, SystemIds};

/// Pages of partners that are asked about at most.
const PAGES_MAX: usize = 100;
/// Requests before the clock runs, of every query: rules are compiled, statements prepared, connections opened.
const WARM_UP: usize = 256;
/// How long the token of the load holds.
const LIFETIME: Duration = Duration::from_hours(12);

/// Drive a service on a seeded database over loopback, and compare with the database's own answer by key. Nothing is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    connections: u16,
    /// Requests of the cheapest queries; the others get a part of them.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    requests: u64,
    /// Only this query: hello, one, fifty, portal or estimate; may be given several times.
    #[arg(long = "query")]
    queries: Vec<String>,
    /// The date that is asked about.
    #[arg(long, default_value = "2026-06-15")]
    as_of: Date,
    /// A service that runs already: http://HOST:PORT/graphql.
    #[arg(long, requires = "token")]
    url: Option<String>,
    /// The token for it.
    #[arg(long, requires = "url")]
    token: Option<String>,
    /// Serve the GraphQL library alone: what `hello` is compared with.
    #[arg(long, hide = true, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// What was measured of one query or floor.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    query: &'static str,
    what: &'static str,
    requests: usize,
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Of the service's process, for 1,000 requests; none where it is not ours.
    server_cpu_per_1000: Option<f64>,
    /// Of the database's processes, for 1,000 requests; none where they cannot be told: SQLite works inside the service's.
    database_cpu_per_1000: Option<f64>,
    /// Sent to the database.
    statements_per_request: Option<f64>,
    /// The service's peak during these requests.
    peak_memory_mib: Option<f64>,
    bytes_per_answer: u64,
    /// Requests a second of those of its floor: of `hello` the bare library, of the others the database's answer by key.
    of_floor: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    database: &'static str,
    connections: u16,
    as_of: Date,
    /// Partners that were asked about.
    partners: usize,
    measured: Vec<Measured>,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    if let Some(listen) = &args.listen {
        serve_bare(listen).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = args.queries.iter().find(|asked| QUERIES.iter().all(|query| query.key != **asked)) {
        return Err(AppError::invalid("UNKNOWN_QUERY", "query", format!("there is no query {unknown}: take one of hello, one, fifty, portal, estimate")));
    }
    let secret = format!("{}{}", SystemIds.id().simple(), SystemIds.id().simple());
    let config = args.common.load(if args.url.is_some() { Vec::new() } else { vec![("jwt.secret", secret.clone())] })?;
    let app = measure::open(&config).await?;
    let report = match (&args.url, &args.token) {
        (Some(url), Some(token)) => bench(&app, &args, &Target::of(url, token.clone())?, None).await,
        _ => {
            let jwt = config.auth.jwt.ok_or_else(|| AppError::internal("no secret"))?;
            let claim = RoleClaim { role: "AUDITOR".to_owned(), partners: vec![], regions: vec![], sources: vec![], benefits: vec![], from: None, until: None };
            let token = sign(&jwt, "bench", &SystemIds.id().simple().to_string(), &[claim], SystemClock.now(), LIFETIME)?;
            let settings = [("GUERDON_JWT_SECRET", secret.as_str()), ("GUERDON_DATABASE_URL", config.database.url.expose()), ("GUERDON_JOBS_WORKERS", "0")];
            let server = Server::start(&["serve"], &settings, token).await?;
            bench(&app, &args, &server.target, Some(server.pid())).await
        }
    };
    app.store.close().await;
    let report = report?;
    if args.json {
        measure::print_json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

/// What is asked about: codes of partners, and cursors of pages.
struct Subjects {
    codes: Vec<String>,
    cursors: Vec<Option<String>>,
}

impl Subjects {
    async fn find(target: &Target) -> Result<Self, AppError> {
        let mut connection = Connection::open(target).await?;
        let mut subjects = Self { codes: Vec::new(), cursors: Vec::new() };
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let body = serde_json::json!({"query": WALK, "variables": {"after": after}}).to_string();
            let page = connection.ask(body.into()).await?;
            let nodes = page.pointer("/partners/nodes").and_then(|nodes| nodes.as_array()).cloned().unwrap_or_default();
            subjects.codes.extend(nodes.iter().filter_map(|node| node.pointer("/code")?.as_str()).map(str::to_owned));
            if nodes.len() == LISTED || subjects.cursors.is_empty() {
                subjects.cursors.push(after);
            }
            after = page.pointer("/partners/pageInfo/endCursor").and_then(|cursor| cursor.as_str()).map(str::to_owned);
            if page.pointer("/partners/pageInfo/hasNextPage") != Some(&serde_json::Value::Bool(true)) {
                break;
            }
        }
        if subjects.codes.is_empty() {
            return Err(AppError::conflict("NOT_SEEDED", "database-url", "there are no partners: seed the database first, with `guerdon bench seed`"));
        }
        Ok(subjects)
    }

    fn bodies(&self, query: &Query, as_of: Date) -> Vec<Bytes> {
        match query.subject {
            Subject::Nothing => vec![query.body(None, as_of).into()],
            Subject::Partner => self.codes.iter().map(|code| query.body(Some(code), as_of).into()).collect(),
            Subject::Page => self.cursors.iter().map(|cursor| query.body(cursor.as_deref(), as_of).into()).collect(),
        }
    }
}

async fn bench(app: &App, args: &Args, target: &Target, pid: Option<u32>) -> Result<Report, AppError> {
    let subjects = Subjects::find(target).await?;
    let requests = usize::try_from(args.requests).map_err(AppError::internal)?;
    let by_key = floor_of_key(app, args.connections.into(), requests, &subjects.codes).await?;
    let bare = floor_of_hello(args, requests).await?;
    let mut measured = Vec::new();
    for query in QUERIES.iter().filter(|query| args.queries.is_empty() || args.queries.iter().any(|asked| asked == query.key)) {
        let floor = if query.key == "hello" { &bare } else { &by_key };
        let one = measure_query(app, args, target, pid, query, subjects.bodies(query, args.as_of)).await?;
        measured.push(Measured { of_floor: Some(one.requests_per_second / floor.requests_per_second), ..one });
    }
    let measured = [by_key, bare].into_iter().chain(measured).collect();
    Ok(Report { database: app.store.backend_name(), connections: args.connections, as_of: args.as_of, partners: subjects.codes.len(), measured })
}

/// The figures of a loop that do not hang on who answered.
fn of_loop(query: &'static str, what: &'static str, driven: &Driven) -> Measured {
    let requests = driven.latencies.len();
    let millis = |time: Duration| (time.as_secs_f64() * 100_000.0).round() / 100.0;
    Measured {
        query,
        what,
        requests,
        requests_per_second: (requests as f64 / driven.took.as_secs_f64()).round(),
        p50_ms: millis(driven.percentile(0.5)),
        p99_ms: millis(driven.percentile(0.99)),
        server_cpu_per_1000: None,
        database_cpu_per_1000: None,
        statements_per_request: None,
        peak_memory_mib: None,
        bytes_per_answer: driven.bytes / requests.max(1) as u64,
        of_floor: None,
    }
}

fn per_1000(seconds: f64, requests: usize) -> f64 {
    (seconds * 1_000_000.0 / requests.max(1) as f64).round() / 1_000.0
}

/// CPU seconds of the database's processes so far, where they run on this machine.
async fn database_cpu(app: &App) -> Result<Option<f64>, AppError> {
    let pids = app.store.read(async |tx| tx.backend_pids().await).await?;
    let known: Option<Vec<f64>> = pids.iter().map(|pid| cpu_seconds_of(*pid, "postgres")).collect();
    Ok(known.filter(|all| !all.is_empty()).map(|all| all.iter().sum()))
}

/// Statements that the service has sent so far.
async fn statements(target: &Target) -> Result<Option<f64>, AppError> {
    let (_, text) = Connection::open(target).await?.get("/metrics").await?;
    Ok(text.lines().find_map(|line| line.strip_prefix("guerdon_store_statements_total ")?.trim().parse().ok()))
}

async fn measure_query(app: &App, args: &Args, target: &Target, pid: Option<u32>, query: &Query, bodies: Vec<Bytes>) -> Result<Measured, AppError> {
    let connections = usize::from(args.connections);
    drive(target, connections, WARM_UP, bodies.clone()).await?;
    let requests = usize::try_from(args.requests * query.share / 100).map_err(AppError::internal)?.max(1);
    let own = |pid: u32| cpu_seconds_of(pid, "");
    if let Some(pid) = pid {
        measure::begin_peak_of(pid);
    }
    let before = (pid.and_then(own), database_cpu(app).await?, statements(target).await?);
    let driven = drive(target, connections, requests, bodies).await?;
    let after = (pid.and_then(own), database_cpu(app).await?, statements(target).await?);
    let difference = |before: Option<f64>, after: Option<f64>| before.zip(after).map(|(before, after)| after - before);
    Ok(Measured {
        server_cpu_per_1000: difference(before.0, after.0).map(|seconds| per_1000(seconds, requests)),
        database_cpu_per_1000: difference(before.1, after.1).map(|seconds| per_1000(seconds, requests)),
        statements_per_request: difference(before.2, after.2).map(|count| (count / requests as f64 * 100.0).round() / 100.0),
        peak_memory_mib: pid.map(peak_memory_mib_of),
        ..of_loop(query.key, query.what, &driven)
    })
}

/// The GraphQL library and the router alone.
async fn floor_of_hello(args: &Args, requests: usize) -> Result<Measured, AppError> {
    let server = Server::start(&["bench", "reads"], &[], String::new()).await?;
    let bodies: Vec<Bytes> = vec![r#"{"query":"{ __typename }"}"#.into()];
    let connections = usize::from(args.connections);
    drive(&server.target, connections, WARM_UP, bodies.clone()).await?;
    let before = cpu_seconds_of(server.pid(), "").unwrap_or_default();
    let driven = drive(&server.target, connections, requests, bodies).await?;
    let cpu = cpu_seconds_of(server.pid(), "").unwrap_or_default() - before;
    let peak = peak_memory_mib_of(server.pid());
    Ok(Measured {
        server_cpu_per_1000: Some(per_1000(cpu, requests)),
        peak_memory_mib: Some(peak),
        ..of_loop("bareHello", "the GraphQL library alone: hello", &driven)
    })
}

/// One prepared statement by key, over the same pool, without HTTP.
async fn floor_of_key(app: &App, connections: usize, requests: usize, codes: &[String]) -> Result<Measured, AppError> {
    read_by_key(app, connections, WARM_UP, codes).await?;
    let before = (own_cpu_seconds(), database_cpu(app).await?);
    let driven = read_by_key(app, connections, requests, codes).await?;
    let after = (own_cpu_seconds(), database_cpu(app).await?);
    Ok(Measured {
        server_cpu_per_1000: Some(per_1000(after.0 - before.0, requests)),
        database_cpu_per_1000: before.1.zip(after.1).map(|(before, after)| per_1000(after - before, requests)),
        statements_per_request: Some(1.0),
        ..of_loop("byKey", "the database: one partner's row by key", &driven)
    })
}

async fn read_by_key(app: &App, connections: usize, requests: usize, codes: &[String]) -> Result<Driven, AppError> {
    let (codes, next): (Arc<[String]>, _) = (codes.into(), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..connections {
        let (store, codes, next) = (app.store.clone(), codes.clone(), next.clone());
        loops.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(code) = codes.get(number % codes.len().max(1)).filter(|_| number < requests) else { return Ok(latencies) };
                let sent = Instant::now();
                if !store.has_partner_by_key(code).await? {
                    return Err(AppError::internal("a partner is gone"));
                }
                latencies.push(sent.elapsed());
            }
        });
    }
    let mut driven = Driven::default();
    while let Some(done) = loops.join_next().await {
        driven.latencies.extend(done.map_err(AppError::internal)??);
    }
    driven.took = started.elapsed();
    driven.latencies.sort_unstable();
    Ok(driven)
}

fn print(report: &Report) {
    let mut table = measure::table(["query", "requests/s", "of its floor", "p50 ms", "p99 ms", "server CPU s", "database CPU s", "statements", "MiB", "bytes"]);
    let shown = |figure: Option<f64>, decimals: usize| figure.map_or_else(String::new, |figure| format!("{figure:.decimals$}"));
    for one in &report.measured {
        table.add_row([
            one.what.to_owned(),
            measure::count(one.requests_per_second as u64),
            shown(one.of_floor, 3),
            format!("{:.2}", one.p50_ms),
            format!("{:.2}", one.p99_ms),
            shown(one.server_cpu_per_1000, 3),
            shown(one.database_cpu_per_1000, 3),
            shown(one.statements_per_request, 2),
            shown(one.peak_memory_mib, 0),
            measure::count(one.bytes_per_answer),
        ]);
    }
    println!(
        "{table}\n{}, {} connections, {} partners in turn, as of {}; CPU seconds for 1,000 requests. The floor of `hello` is the GraphQL library alone, that of the \
         others the database's answer of one prepared statement by key.",
        report.database, report.connections, report.partners, report.as_of
    );
}
