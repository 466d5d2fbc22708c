//! Once a day: forgets answers whose idempotency keys have expired, and throws away what abandoned imports left staged.

use guerdon_store::{Change, NewJob, StoreError};

use super::{HeldJob, Progress};
use crate::app::App;
use crate::app::idempotency::write_context;
use crate::error::AppError;

/// The kind's name.
pub(super) const KIND: &str = "housekeeping";

/// Enqueues the work of the day, once.
///
/// # Errors
/// `Busy`, `Internal`.
pub(super) async fn plan(app: &App) -> Result<(), AppError> {
    let ctx = app.system(KIND);
    let day = ctx.today.to_string();
    if app.store.read::<_, StoreError, _>(async |tx| tx.find_latest_job(KIND, &day).await).await?.is_some() {
        return Ok(());
    }
    let job = NewJob { kind: KIND, unique_key: Some(day), input: serde_json::json!({}), total: None };
    let context = write_context(&ctx, "housekeepingPlan");
    let enqueue = app.store.write(&context, async |tx| {
        tx.enqueue_job(&job).await?;
        Ok::<_, StoreError>(Change::unchanged(()))
    });
    enqueue.await?;
    Ok(())
}

/// Does the work of the day.
///
/// # Errors
/// `Busy`, `Stale`, `Internal`.
pub(super) async fn work(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    let context = write_context(&app.system(KIND), "housekeeping");
    let imports = app.store.discard_abandoned_imports(&context).await?;
    let written = app.store.write(&context, async |tx| {
        let answers = tx.forget_expired_answers().await?;
        let progress = Progress::Done(serde_json::json!({ "abandonedImports": imports, "expiredAnswers": answers }));
        job.record(tx, &progress).await?;
        Ok::<_, AppError>(Change::unchanged(answers))
    });
    let answers = written.await?.value;
    Ok(Progress::Done(serde_json::json!({ "abandonedImports": imports, "expiredAnswers": answers })))
}
