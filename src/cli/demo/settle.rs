//! Rebate runs of the demo: the quarters of the running fiscal year that are over are calculated by one person, approved by another
//! and posted by a third, as finance would. The open quarter stays an estimate.

use std::collections::BTreeMap;

use guerdon_domain::access::{Actor, ActorKind, Role, RoleAssignment, RoleScope};
use guerdon_domain::page::PageRequest;

use super::steps::program_key;
use crate::app::rebates::runs::{
    ApproveRun, CreateRun, Created, PostRun, RunKind, RunState, RunsAsked, StoredRun, SubmitRun, approve_run, calculate_run, create_run, find_run, list_runs,
    post_run, submit_run,
};
use crate::app::{App, Ctx};
use crate::error::AppError;
use crate::jobs::run_due;

/// The quarters that are over on the demo's day and not settled outside it.
const QUARTERS: [&str; 3] = ["FY2020-Q1", "FY2020-Q2", "FY2020-Q3"];
/// Runs of one page.
const PAGE: u32 = 100;

/// Posts what is not posted yet; whether anything was.
pub async fn settle(app: &App) -> Result<bool, AppError> {
    let ctx = app.system("demo");
    let posted = posted(app, &ctx).await?;
    let mut changed = false;
    for quarter in QUARTERS.into_iter().filter(|quarter| !posted.contains_key(*quarter)) {
        let run = post(app, &ctx, quarter).await?;
        eprintln!("{quarter}: {} rebate statements posted", run.statements);
        changed = true;
    }
    Ok(changed)
}

/// What is posted, in cents, by quarter.
pub async fn posted(app: &App, ctx: &Ctx) -> Result<BTreeMap<String, i64>, AppError> {
    let asked = RunsAsked { program: Some(program_key()), states: vec![RunState::Posted, RunState::Paid], ..RunsAsked::default() };
    let page = list_runs(app, ctx, &asked, &PageRequest::first(PAGE)).await?;
    let mut posted: BTreeMap<String, i64> = BTreeMap::new();
    for (_, run) in page.rows {
        *posted.entry(run.period).or_default() += run.totals.iter().filter(|total| total.currency == "USD").map(|total| total.amount).sum::<i64>();
    }
    Ok(posted)
}

fn person(ctx: &Ctx, name: &str, role: Role) -> Ctx {
    let roles = vec![RoleAssignment::new(role, RoleScope::All)];
    let actor = Actor { person: format!("demo:{name}"), credential: "demo".to_owned(), kind: ActorKind::Person, roles };
    Ctx::new(actor, "demo", ctx.now)
}

/// From wherever a demo that was killed left it.
async fn post(app: &App, ctx: &Ctx, quarter: &str) -> Result<StoredRun, AppError> {
    let preparer = person(ctx, "preparer", Role::FinancePreparer);
    let order = CreateRun { program: program_key(), period: quarter.to_owned(), kind: RunKind::Original, reason: None, keyed: None };
    let (Created::New(run) | Created::Exists(run)) = create_run(app, &preparer, &order).await?;
    if run.state != RunState::Calculating {
        calculate_run(app, &preparer, run.id, None).await?;
    }
    run_due(app).await?;
    let run = find_run(app, ctx, run.id).await?.ok_or(AppError::NotFound)?;
    let Some(hash) = run.content_hash.clone() else {
        let why = run.failure.unwrap_or_else(|| "its calculation did not end".to_owned());
        return Err(AppError::conflict("DEMO_NOT_SETTLED", quarter, why));
    };
    submit_run(app, &preparer, &SubmitRun { run: run.id, content_hash: hash.clone(), keyed: None }).await?;
    let approver = person(ctx, "approver", Role::FinanceApprover);
    approve_run(app, &approver, &ApproveRun { run: run.id, content_hash: hash.clone(), note: None, keyed: None }).await?;
    let second = person(ctx, "second approver", Role::FinanceApprover);
    post_run(app, &second, &PostRun { run: run.id, content_hash: hash, keyed: None }).await
}
