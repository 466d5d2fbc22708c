//! A real process is killed in the middle of a run, another one goes on; two of them start the same run at once.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use guerdon::jobs::run_due;
use guerdon_domain::access::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{calculate, calculated, go_to, line, look, move_run, preparer, program_with, sell, service};
use crate::api::Api;
use crate::harness::is_postgres;
use crate::served::token;

/// A service of its own process. It is killed with the test.
struct Process {
    child: Child,
    port: u16,
}

impl Process {
    /// Serves the database, with one worker that commits after so many partners.
    fn start(api: &Api, chunk: u32) -> Self {
        // Free at this moment; nobody else asks for it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_guerdon"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("GUERDON_DATABASE_URL", &api.database.url)
            .env("GUERDON_JWT_SECRET", "0123456789abcdef0123456789abcdef")
            .env("GUERDON_JOBS_WORKERS", "1")
            .env("GUERDON_JOBS_POLL_MS", "10")
            .env("GUERDON_JOBS_RUN_CHUNK", chunk.to_string())
            .env("GUERDON_RUNS_SECOND_APPROVER_ABOVE", "100")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    /// SIGKILL: it gets no moment to tidy up.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn ready(&self) {
        let started = Instant::now();
        while !reqwest::get(format!("http://127.0.0.1:{}/readyz", self.port)).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(started.elapsed() < PATIENCE, "not ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A mutation about runs over the wire.
    async fn mutate(&self, name: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!("mutation($input: {input_type}!) {{ payload: {name}(input: $input) {{ run {{ id state }} userErrors {{ code }} }} }}");
        let request = reqwest::Client::new()
            .post(format!("http://127.0.0.1:{}/graphql", self.port))
            .bearer_auth(token(Role::FinancePreparer))
            .json(&json!({"query": query, "variables": {"input": input}}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["data"]["payload"].clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a number is at least so much; answers it.
async fn at_least(api: &Api, sql: &str, least: i64) -> i64 {
    let started = Instant::now();
    loop {
        let number = api.database.number(sql).await;
        if number >= least {
            return number;
        }
        assert!(started.elapsed() < PATIENCE, "{sql}: {number}, not {least}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

const DONE: &str = "SELECT partners_done FROM rebate_run";
const CALCULATED: &str = "SELECT COUNT(*) FROM rebate_run WHERE state = 'CALCULATED'";

/// Schedules from sums and from lines, with a budget, so that both passes are cut off.
fn document() -> Value {
    let mut document = program_with(json!({
        "key": "volume", "period": {"quarter": {}},
        "method": {"bands": {"scope": "MARGINAL", "bands": [{"from": 0, "rate": "1.5 %"}, {"from": 700, "rate": "2.25 %"}, {"from": 2500, "rate": "4 %"}]}},
    }));
    let more = [
        json!({"key": "pool", "period": {"quarter": {}}, "method": {"flat": {"rate": "2 %"}}, "budget": {"amount": "1000.01"}}),
        json!({"key": "singles", "period": {"quarter": {}}, "grain": "LINE", "method": {"flat": {"rate": "0.333 %"}}}),
    ];
    document["ladders"][0]["review"] = json!({"cadenceUp": "NEVER", "cadenceDown": "NEVER"});
    document["rebateSchedules"].as_array_mut().unwrap().extend(more);
    document
}

async fn partners_with_sales(count: usize) -> Api {
    let codes: Vec<String> = (0..count).map(|at| format!("K{at:04}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let api = service(&document(), &codes, "2020-04-10").await;
    for part in codes.chunks(100) {
        let sold: Vec<Value> = part
            .iter()
            .zip(1_i64..)
            .flat_map(|(code, at)| {
                (0..3).map(move |month| line(&format!("{code}-{month}"), code, &format!("2020-0{}-11", month + 1), &format!("{}.{:02}", at * 13, at)))
            })
            .collect();
        for lines in sold.chunks(100) {
            sell(&api, lines).await;
        }
    }
    api
}

/// Gives the job of a killed process back, as the end of its lease would.
async fn lease_runs_out(api: &Api) {
    let sql = "UPDATE job SET lease_until = '2020-01-01T00:00:00.000000Z' WHERE kind = 'rebate-run' AND lease_until IS NOT NULL";
    api.database.beside().await.execute_unprepared(sql).await.unwrap();
}

async fn killed(partners: usize, kills: i64) {
    let api = partners_with_sales(partners).await;
    // Reviews that are due are held before: what a run knows is asked for when it begins.
    run_due(&api.app).await.unwrap();
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let undisturbed = run["contentHash"].clone();
    let hashes = "SELECT content_hash FROM statement ORDER BY period, schedule, partner_id";
    let statements = api.database.texts(hashes).await;
    assert!(statements.len() >= 3 * partners, "{}", statements.len());
    move_run(&api, preparer(), "rebateRunCalculate", json!({"runId": run["id"]})).await;
    let chunks = "SELECT COUNT(*) FROM rebate_run_chunk";
    let mut seen = 0;
    for kill in 1..=kills {
        let mut process = Process::start(&api, if kill % 2 == 0 { 2 } else { 1 });
        // Each lives for some chunks; two passes of them make a run.
        let step = i64::try_from(partners).unwrap() / (kills + 1);
        at_least(&api, chunks, seen + step.max(1)).await;
        process.kill();
        seen = api.database.number(chunks).await;
        assert_eq!(look(&api, &run).await["state"], "CALCULATING", "killed in the middle");
        lease_runs_out(&api).await;
    }
    let done = api.database.number(DONE).await;
    let last = Process::start(&api, 7);
    at_least(&api, CALCULATED, 1).await;
    drop(last);
    let after = look(&api, &run).await;
    assert_eq!((&after["state"], &after["contentHash"]), (&json!("CALCULATED"), &undisturbed), "{done} were done when the last one was killed");
    // The processes were started with a limit of one approver, of which this test's own service knows nothing.
    assert_eq!((&run["needsSecondApprover"], &after["needsSecondApprover"]), (&json!(false), &json!(true)));
    assert_eq!(api.database.texts(hashes).await, statements);
    assert_eq!(api.database.number(DONE).await, i64::try_from(partners).unwrap(), "no partner twice");
}

#[tokio::test]
async fn a_process_killed_in_the_middle_of_a_run_changes_nothing() {
    if std::env::var_os("GUERDON_LONG_TESTS").is_some() { killed(2_000, 25).await } else { killed(40, 2).await }
}

#[tokio::test]
async fn two_processes_start_the_same_run_at_once() {
    if !is_postgres() {
        return;
    }
    let api = partners_with_sales(40).await;
    let (one, other) = (Process::start(&api, 3), Process::start(&api, 3));
    tokio::join!(one.ready(), other.ready());
    let input = |key: &str| json!({"program": "P", "period": "2020-Q1", "idempotencyKey": key});
    let (first, second) = tokio::join!(one.mutate("rebateRunCreate", input("a")), other.mutate("rebateRunCreate", input("b")));
    assert_eq!(first["run"]["id"], second["run"]["id"], "{first} {second}");
    let errors = |payload: &Value| payload["userErrors"].as_array().unwrap().len();
    assert_eq!(errors(&first) + errors(&second), 1, "one makes it, the other is told: {first} {second}");
    let begin = |key: &str| json!({"runId": first["run"]["id"], "idempotencyKey": key});
    let (begun, refused) = tokio::join!(one.mutate("rebateRunCalculate", begin("c")), other.mutate("rebateRunCalculate", begin("d")));
    assert_eq!(errors(&begun) + errors(&refused), 1, "one begins it: {begun} {refused}");
    at_least(&api, CALCULATED, 1).await;
    drop((one, other));
    assert_eq!(api.database.number(DONE).await, 40);
    let hashes = "SELECT content_hash FROM statement ORDER BY period, schedule, partner_id";
    let together = api.database.texts(hashes).await;
    go_to(&api, "2026-12-24");
    let run = look(&api, &first["run"]).await;
    let again = calculate(&api, &run).await;
    assert_eq!(again["state"], "CALCULATED");
    assert_eq!(api.database.texts(hashes).await, together);
}
