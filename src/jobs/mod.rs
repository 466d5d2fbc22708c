//! The runner of background work: claims, calls and renews. What is done, and when it is due, the use cases know.
//!
//! Every node runs some workers and a planner. A worker takes the job that has waited longest, does one step after the other, and
//! holds on to the job while a step takes long. When the node stops, the step in progress ends and the job is given back, so that
//! another node goes on at once; when it is killed, the lease runs out and another one goes on from the last step.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::app::jobs::{self, HeldJob, Progress};
use crate::config::JobsConfig;
use crate::error::{AppError, causes};

/// The workers of this node.
pub struct Runner {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Runner {
    /// Starts the workers and the planner; none when the settings ask for no workers.
    pub fn start(app: &App, config: &JobsConfig) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks: Vec<JoinHandle<()>> = (0..config.workers).map(|_| tokio::spawn(keep_working(app.clone(), config.poll, stopped.clone()))).collect();
        if config.workers > 0 {
            tasks.push(tokio::spawn(keep_planning(app.clone(), config.poll, stopped)));
        }
        Self { stop, tasks }
    }

    /// Lets the steps in progress end, and gives their jobs back.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Plans what is due and does all of it, one step after the other, in this task: for tests and for commands that wait. Answers how
/// many jobs ended or failed.
///
/// # Errors
/// Those of planning and claiming. A job that fails keeps its fault, and the next one is done.
pub async fn run_due(app: &App) -> Result<u32, AppError> {
    let mut ended = 0;
    loop {
        jobs::plan_due(app).await?;
        let mut idle = true;
        while let Some(job) = jobs::claim_next(app).await? {
            idle = false;
            ended += 1;
            work_through(app, job, &|| false).await;
        }
        if idle {
            return Ok(ended);
        }
    }
}

async fn keep_working(app: App, poll: Duration, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match jobs::claim_next(&app).await {
            Ok(Some(job)) => {
                let stopping = stopped.clone();
                work_through(&app, job, &|| *stopping.borrow()).await;
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(error = %causes(&error), "no work could be claimed"),
        }
        rest(poll, &mut stopped).await;
    }
}

async fn keep_planning(app: App, poll: Duration, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        // What fails has been logged, and is asked again.
        let _ = jobs::plan_due(&app).await;
        rest(poll, &mut stopped).await;
    }
}

/// Waits for the next look, or for the end.
async fn rest(poll: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(poll) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

/// Does a job step by step until it ends, fails, is lost, or the node stops.
async fn work_through(app: &App, mut job: HeldJob, stopping: &(dyn Fn() -> bool + Sync)) {
    loop {
        match step(app, &job).await {
            Ok(Progress::Done(_)) => {
                tracing::info!(job = %job.id, kind = %job.kind, "job done");
                return;
            }
            Ok(more) => job = job.after(&more),
            Err(AppError::Stale) => {
                tracing::warn!(job = %job.id, kind = %job.kind, "job lost to another worker");
                return;
            }
            Err(error) => return fail(app, &job, &error).await,
        }
        if stopping() {
            if let Err(error) = jobs::release(app, &job).await {
                tracing::warn!(job = %job.id, error = %causes(&error), "the job could not be given back: its lease will run out");
            }
            return;
        }
    }
}

/// One step, held on to while it takes long. Stale as soon as the job is somebody else's.
async fn step(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    let work = jobs::work_on(app, job);
    tokio::pin!(work);
    let third = app.limits.job_lease / 3;
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(third) => match jobs::renew(app, job).await {
                Err(AppError::Stale) => return Err(AppError::Stale),
                Err(error) => tracing::warn!(job = %job.id, error = %causes(&error), "the lease could not be renewed yet"),
                Ok(()) => {}
            },
        }
    }
}

async fn fail(app: &App, job: &HeldJob, error: &AppError) {
    tracing::error!(job = %job.id, kind = %job.kind, attempt = job.attempt, error = %causes(error), "job failed");
    if let Err(unwritten) = jobs::note_failure(app, job, error).await {
        tracing::warn!(job = %job.id, error = %causes(&unwritten), "the failure could not be noted: the lease will run out");
    }
}
