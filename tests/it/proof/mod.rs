//! Statements that prove themselves, runs that are computed again, disputes, and files for the finance system.

mod disputes;
mod files;
mod proofs;

use futures_util::StreamExt as _;
use guerdon::app::Ctx;
use guerdon::app::exports::Export;
use guerdon::app::programs::ProgramKey;
use guerdon::app::rebates::runs::{
    ApproveRun, CreateRun, Created, PostRun, RunId, RunKind, StoredRun, SubmitRun, approve_run, calculate_run, create_run, find_run_named, post_run, submit_run,
};
use guerdon::app::rebates::statements::{StatementsAsked, StoredStatement, list_statements};
use guerdon::jobs::run_due;
use guerdon_domain::access::{Actor, Role, RoleScope};
use guerdon_domain::page::PageRequest;
use serde_json::{Value, json};

use crate::api::{Api, actor, approver, document};

/// Who prepares runs.
pub fn preparer() -> Actor {
    actor(Role::FinancePreparer, RoleScope::All)
}

/// Bands by the whole, a budget that does not suffice, and bands over the year.
pub fn schedules() -> Value {
    json!([
        {
            "key": "volume", "name": "Volume rebate", "period": {"quarter": {}},
            "method": {"bands": {"scope": "RETROACTIVE", "bands": [{"from": 0, "rate": "1.111 %"}, {"from": 2500, "rate": "3.333 %"}]}},
        },
        {"key": "pool", "period": {"quarter": {}}, "method": {"flat": {"rate": "5 %"}}, "budget": {"amount": "100.00"}},
        {
            "key": "yearly", "period": {"quarter": {}}, "cumulative": true, "scope": {"categories": ["BIKES"]},
            "method": {"bands": {"scope": "MARGINAL", "bands": [{"from": 0, "rate": "1 %"}, {"from": 1500, "rate": "2 %"}]}},
        },
    ])
}

/// A service with these schedules, three partners and their sales, on a day after the first quarter.
pub async fn service() -> Api {
    let api = Api::new().await;
    let mut document = document();
    document["rebateSchedules"] = schedules();
    api.publish(&document).await;
    api.furnish(&["A", "B", "C"]).await;
    go_to(&api, "2020-04-10");
    api
}

pub fn go_to(api: &Api, on: &str) {
    api.clock.set(format!("{on}T12:00:00Z").parse().unwrap());
}

pub fn ctx(api: &Api, actor: Actor) -> Ctx {
    Ctx::new(actor, "request-1", guerdon::clock::Clock::now(&api.clock))
}

/// Makes and calculates a run. Reviews that are due are held before it: what they decide afterwards about its days is refused when it is
/// posted.
pub async fn calculated(api: &Api, period: &str) -> StoredRun {
    run_due(&api.app).await.unwrap();
    let input = CreateRun { program: ProgramKey::Code("P".into()), period: period.into(), kind: RunKind::Original, reason: None, keyed: None };
    let Created::New(run) = create_run(&api.app, &ctx(api, preparer()), &input).await.unwrap() else { panic!("there is a run") };
    calculate_run(&api.app, &ctx(api, preparer()), run.id, None).await.unwrap();
    run_due(&api.app).await.unwrap();
    look(api, run.id).await
}

pub async fn look(api: &Api, id: RunId) -> StoredRun {
    find_run_named(&api.app, &ctx(api, preparer()), None, &id.to_string()).await.unwrap().unwrap()
}

/// Submits, approves and posts a run.
pub async fn post(api: &Api, run: &StoredRun) {
    let hash = run.content_hash.clone().unwrap_or_else(|| panic!("{:?}", run.failure));
    submit_run(&api.app, &ctx(api, preparer()), &SubmitRun { run: run.id, content_hash: hash.clone(), keyed: None }).await.unwrap();
    approve_run(&api.app, &ctx(api, approver()), &ApproveRun { run: run.id, content_hash: hash.clone(), note: None, keyed: None }).await.unwrap();
    let poster = Actor { person: "second approver".into(), ..approver() };
    post_run(&api.app, &ctx(api, poster), &PostRun { run: run.id, content_hash: hash, keyed: None }).await.unwrap();
}

/// Makes, calculates and posts a run.
pub async fn posted(api: &Api, period: &str) -> StoredRun {
    let run = calculated(api, period).await;
    post(api, &run).await;
    look(api, run.id).await
}

/// The statements of a run.
pub async fn statements(api: &Api, run: RunId) -> Vec<StoredStatement> {
    let asked = StatementsAsked { run: Some(run), ..StatementsAsked::default() };
    let page = list_statements(&api.app, &ctx(api, preparer()), &asked, &PageRequest::first(100)).await.unwrap();
    page.rows.into_iter().map(|(_, statement)| statement).collect()
}

/// The statement of a partner (by its place among those of the run's partners), a schedule and a period.
pub async fn statement(api: &Api, run: RunId, partner: &str, schedule: &str, period: &str) -> StoredStatement {
    let answer = api.ask(preparer(), &format!("{{ partner(by: {{code: \"{partner}\"}}) {{ id }} }}")).await;
    let id = guerdon::graphql::node::decode_as(guerdon::graphql::node::NodeKind::Partner, answer.at("/partner/id").as_str().unwrap()).unwrap();
    let all = statements(api, run).await;
    all.into_iter().find(|one| one.partner_id == id && one.schedule == schedule && one.period == period).expect("a statement")
}

/// All of a file.
pub async fn text_of(mut export: Export) -> String {
    let mut bytes = Vec::new();
    while let Some(piece) = export.pieces.next().await {
        bytes.extend(piece.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}
