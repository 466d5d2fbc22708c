//! Rebate runs: every move of a run is a mutation of its own, and names the content hash that the caller saw.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::begin;
use super::user_errors::{
    PeriodLockUserError, PeriodUnlockUserError, RebateAccrueUserError, RebateRunApproveUserError, RebateRunCalculateUserError, RebateRunCreateUserError,
    RebateRunPayUserError, RebateRunPostUserError, RebateRunRejectUserError, RebateRunReverseUserError, RebateRunSubmitUserError, RebateRunVoidUserError,
    of_mutation,
};
use crate::app::programs::ProgramKey;
use crate::app::rebates::accruals::{self, Accrue};
use crate::app::rebates::books::{self, LockAsked};
use crate::app::rebates::runs::{self, ApproveRun, Begun, CreateRun, Created, PayRun, PostRun, RUN_EXISTS, RejectRun, RunId, StoredRun, SubmitRun, VoidRun};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::node::{NodeKind, decode_as, encode};
use crate::graphql::payload::{UserError, settle_unversioned};
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::job::Job;
use crate::graphql::types::journal::PeriodLock;
use crate::graphql::types::run::RebateRun;

/// What a new run is for; reversals are made by `rebateRunReverse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NewRebateRunKind {
    /// It settles its period for the first time, and posts the differences of the periods before.
    Original,
    /// Only differences of periods that were posted before.
    Adjustment,
}

/// A run to be made.
#[derive(Debug, Clone, InputObject)]
pub struct RebateRunCreateInput {
    /// The program's code.
    pub program: String,
    /// The period, such as `2020-Q2`, `2020-06`, `FY2020-H1`, or a custom period's name.
    pub period: String,
    /// What it is for.
    #[graphql(default_with = "NewRebateRunKind::Original")]
    pub kind: NewRebateRunKind,
    /// Why, for people.
    pub reason: Option<String>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// Writes the input of a mutation about one run.
macro_rules! run_input {
    ($name:ident, $what:literal { $($(#[$doc:meta])* $member:ident: $type:ty),* $(,)? }) => {
        #[doc = concat!("A run to ", $what, ".")]
        #[derive(Debug, Clone, InputObject)]
        pub struct $name {
            /// The run's id.
            pub run_id: ID,
            $($(#[$doc])* pub $member: $type,)*
            /// A new key for every new request: the same key and input answer the same again and change nothing.
            pub idempotency_key: String,
        }
    };
}

/// Writes the payload of a mutation that answers a run.
macro_rules! run_payload {
    ($($name:ident $error:ty, $what:literal);+ $(;)?) => {
        $(
            #[doc = concat!("What came of ", $what, " a run.")]
            #[derive(SimpleObject)]
            pub struct $name {
                /// The run.
                pub run: Option<RebateRun>,
                /// What you have to mend; nothing was written then.
                pub user_errors: Vec<$error>,
            }
        )+
    };
}

run_input!(RebateRunCalculateInput, "calculate" {});
run_input!(RebateRunSubmitInput, "submit" {
    /// The run's `contentHash` as you saw it. CONTENT_CHANGED when it is not the same any more.
    content_hash: String,
});
run_input!(RebateRunApproveInput, "approve" {
    /// The run's `contentHash` as you saw it. CONTENT_CHANGED when it is not the same any more.
    content_hash: String,
    /// What you have to say.
    note: Option<String>,
});
run_input!(RebateRunRejectInput, "reject" {
    /// Why.
    note: String,
});
run_input!(RebateRunVoidInput, "give up" {
    /// Why.
    note: Option<String>,
});
run_input!(RebateRunPostInput, "post" {
    /// The run's `contentHash` as you saw it. CONTENT_CHANGED when it is not the same any more.
    content_hash: String,
});
run_input!(RebateRunPayInput, "be recorded as paid" {
    /// The day on which it was paid, or paid back: that of the posting or later, and none to come.
    paid_on: GqlDate,
    /// The reference of the payment.
    reference: String,
});
run_input!(RebateRunReverseInput, "reverse" {
    /// Why.
    reason: String,
});

run_payload! {
    RebateRunCreatePayload RebateRunCreateUserError, "making";
    RebateRunSubmitPayload RebateRunSubmitUserError, "submitting";
    RebateRunApprovePayload RebateRunApproveUserError, "approving";
    RebateRunRejectPayload RebateRunRejectUserError, "rejecting";
    RebateRunVoidPayload RebateRunVoidUserError, "giving up";
    RebateRunPostPayload RebateRunPostUserError, "posting";
    RebateRunPayPayload RebateRunPayUserError, "recording the payment of";
}

/// What came of having a run calculated.
#[derive(SimpleObject)]
pub struct RebateRunCalculatePayload {
    /// The run; it is being calculated.
    pub run: Option<RebateRun>,
    /// The background work, with its progress; null when you may not see it.
    pub job: Option<Job>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<RebateRunCalculateUserError>,
}

/// What came of reversing a run.
#[derive(SimpleObject)]
pub struct RebateRunReversePayload {
    /// The run that posts the negatives; it is being calculated.
    pub run: Option<RebateRun>,
    /// The background work, with its progress.
    pub job: Option<Job>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<RebateRunReverseUserError>,
}

/// An open period to set aside for.
#[derive(Debug, Clone, InputObject)]
pub struct RebateAccrueInput {
    /// The program's code.
    pub program: String,
    /// The period.
    pub period: String,
    /// Sales after this day do not count; today in the program's time zone when empty.
    pub as_of: Option<GqlDate>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of setting aside.
#[derive(SimpleObject)]
pub struct RebateAccruePayload {
    /// The background work: its outcome says what is set aside, by currency.
    pub job: Option<Job>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<RebateAccrueUserError>,
}

/// A period to lock.
#[derive(Debug, Clone, InputObject)]
pub struct PeriodLockInput {
    /// The program's code.
    pub program: String,
    /// The period.
    pub period: String,
    /// Why, for people.
    pub reason: Option<String>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of locking a period.
#[derive(SimpleObject)]
pub struct PeriodLockPayload {
    /// The lock.
    pub lock: Option<PeriodLock>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<PeriodLockUserError>,
}

/// A period whose lock is to be released.
#[derive(Debug, Clone, InputObject)]
pub struct PeriodUnlockInput {
    /// The program's code.
    pub program: String,
    /// The period.
    pub period: String,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of releasing a lock.
#[derive(SimpleObject)]
pub struct PeriodUnlockPayload {
    /// Whether it is released; false when another approver has to ask for it too.
    pub released: Option<bool>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<PeriodUnlockUserError>,
}

fn run_id(id: &ID) -> Result<RunId, AppError> {
    decode_as(NodeKind::RebateRun, id).ok_or(AppError::NotFound)
}

/// Parses the run's id, calls the use case and wraps its answer.
macro_rules! move_run {
    ($ctx:ident, $input:ident, $use_case:path, $payload:ident, $asked:ident { $($member:ident: $value:expr),* $(,)? }) => {{
        let keyed = begin($ctx, &$input.idempotency_key, &$input)?;
        let (app, caller) = ($ctx.app()?, $ctx.caller()?);
        let moved: Result<StoredRun, AppError> = match run_id(&$input.run_id) {
            Ok(run) => $use_case(app, caller, &$asked { run, keyed, $($member: $value),* }).await,
            Err(error) => Err(error),
        };
        let (run, errors) = settle_unversioned(moved)?;
        Ok($payload { run: run.map(RebateRun), user_errors: of_mutation(errors) })
    }};
}

/// What there is instead of a second original of the period, and what to do.
fn instead_of(run: &StoredRun) -> String {
    let id = encode(NodeKind::RebateRun, run.id);
    if run.state.is_posted() {
        let late = "what came in since is posted by an ADJUSTMENT, or by the run of a later period";
        return format!("this period was posted by {}: {late}; reverse that run to have its period run anew", id.as_str());
    }
    format!("there is a live run of this period, {}: go on with that one, or void it", id.as_str())
}

fn begun(begun: Option<Begun>) -> (Option<RebateRun>, Option<Job>) {
    begun.map_or((None, None), |begun| (Some(RebateRun(begun.run)), Some(Job(crate::app::jobs::Job(begun.job)))))
}

/// Mutations of rebate runs.
#[derive(Default)]
pub struct RunMutations;

#[Object]
impl RunMutations {
    /// Makes a run, as a draft. One live original per program and period: a second one is refused with RUN_EXISTS, and `run` is the
    /// one that there is.
    async fn rebate_run_create(&self, ctx: &Context<'_>, #[graphql(desc = "What to run.")] input: RebateRunCreateInput) -> Answer<RebateRunCreatePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let kind = match input.kind {
            NewRebateRunKind::Original => runs::RunKind::Original,
            NewRebateRunKind::Adjustment => runs::RunKind::Adjustment,
        };
        let asked = CreateRun { program: ProgramKey::Code(input.program), period: input.period, kind, reason: input.reason, keyed };
        let (created, mut errors) = settle_unversioned(runs::create_run(ctx.app()?, ctx.caller()?, &asked).await)?;
        let run = match created {
            Some(Created::New(run)) => Some(run),
            Some(Created::Exists(run)) => {
                errors.push(UserError { code: RUN_EXISTS.to_owned(), field: Some(vec!["input".to_owned(), "period".to_owned()]), message: instead_of(&run) });
                Some(run)
            }
            None => None,
        };
        Ok(RebateRunCreatePayload { run: run.map(RebateRun), user_errors: of_mutation(errors) })
    }

    /// Has a run calculated in the background: what is known now is what it reads. Calculating again throws away what it stated,
    /// and voids what was decided about it.
    async fn rebate_run_calculate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run.")] input: RebateRunCalculateInput,
    ) -> Answer<RebateRunCalculatePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let result = match run_id(&input.run_id) {
            Ok(run) => runs::calculate_run(ctx.app()?, ctx.caller()?, run, keyed.as_ref()).await,
            Err(error) => Err(error),
        };
        let (done, errors) = settle_unversioned(result)?;
        let (run, job) = begun(done);
        Ok(RebateRunCalculatePayload { run, job, user_errors: of_mutation(errors) })
    }

    /// Submits a calculated run for its approval.
    async fn rebate_run_submit(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunSubmitInput) -> Answer<RebateRunSubmitPayload> {
        move_run!(ctx, input, runs::submit_run, RebateRunSubmitPayload, SubmitRun { content_hash: input.content_hash })
    }

    /// Approves a submitted run: another person than whoever prepared, calculated or submitted it.
    async fn rebate_run_approve(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunApproveInput) -> Answer<RebateRunApprovePayload> {
        move_run!(ctx, input, runs::approve_run, RebateRunApprovePayload, ApproveRun { content_hash: input.content_hash, note: input.note })
    }

    /// Refuses a run that waits for its approval, or for its posting.
    async fn rebate_run_reject(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunRejectInput) -> Answer<RebateRunRejectPayload> {
        move_run!(ctx, input, runs::reject_run, RebateRunRejectPayload, RejectRun { note: input.note })
    }

    /// Gives a run up that is not posted.
    async fn rebate_run_void(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunVoidInput) -> Answer<RebateRunVoidPayload> {
        move_run!(ctx, input, runs::void_run, RebateRunVoidPayload, VoidRun { note: input.note })
    }

    /// Posts an approved run: into the books, for ever. An original locks its period; a reversal takes the other run's figures out.
    async fn rebate_run_post(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunPostInput) -> Answer<RebateRunPostPayload> {
        move_run!(ctx, input, runs::post_run, RebateRunPostPayload, PostRun { content_hash: input.content_hash })
    }

    /// Records that a posted run was paid, on the day of its posting or later; of the reversal of a paid run, that it was paid back.
    async fn rebate_run_pay(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunPayInput) -> Answer<RebateRunPayPayload> {
        move_run!(ctx, input, runs::pay_run, RebateRunPayPayload, PayRun { paid_on: input.paid_on.0, reference: input.reference })
    }

    /// Makes the run that posts the negatives of a posted one. It is submitted, approved and posted as any other; then its period may
    /// be run anew.
    async fn rebate_run_reverse(&self, ctx: &Context<'_>, #[graphql(desc = "Which run.")] input: RebateRunReverseInput) -> Answer<RebateRunReversePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let result = match run_id(&input.run_id) {
            Ok(run) => runs::reverse_run(ctx.app()?, ctx.caller()?, run, &input.reason, keyed.as_ref()).await,
            Err(error) => Err(error),
        };
        let (done, errors) = settle_unversioned(result)?;
        let (run, job) = begun(done);
        Ok(RebateRunReversePayload { run, job, user_errors: of_mutation(errors) })
    }

    /// Has the accrual of an open period brought to what it is worth on a day, in the background.
    async fn rebate_accrue(&self, ctx: &Context<'_>, #[graphql(desc = "Which period.")] input: RebateAccrueInput) -> Answer<RebateAccruePayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let asked = Accrue { program: ProgramKey::Code(input.program), period: input.period, as_of: input.as_of.map(|date| date.0), keyed };
        let (job, errors) = settle_unversioned(accruals::accrue(ctx.app()?, ctx.caller()?, &asked).await)?;
        Ok(RebateAccruePayload { job: job.map(|job| Job(crate::app::jobs::Job(job))), user_errors: of_mutation(errors) })
    }

    /// Locks a period: no original run of it is made or posted any more.
    async fn period_lock(&self, ctx: &Context<'_>, #[graphql(desc = "Which period.")] input: PeriodLockInput) -> Answer<PeriodLockPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let asked = LockAsked { program: ProgramKey::Code(input.program), period: input.period, reason: input.reason, keyed };
        let (lock, errors) = settle_unversioned(books::lock_period(ctx.app()?, ctx.caller()?, &asked).await)?;
        Ok(PeriodLockPayload { lock: lock.as_ref().map(Into::into), user_errors: of_mutation(errors) })
    }

    /// Releases a lock that was made by hand: the first approver asks, a second one releases.
    async fn period_unlock(&self, ctx: &Context<'_>, #[graphql(desc = "Which period.")] input: PeriodUnlockInput) -> Answer<PeriodUnlockPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let asked = LockAsked { program: ProgramKey::Code(input.program), period: input.period, reason: None, keyed };
        let (done, errors) = settle_unversioned(books::unlock_period(ctx.app()?, ctx.caller()?, &asked).await)?;
        Ok(PeriodUnlockPayload { released: done.map(|done| done.released), user_errors: of_mutation(errors) })
    }
}
