//! One error type per mutation, all of one interface: a fragment on `UserError` works everywhere, and a type may grow members of
//! its own later.

use async_graphql::{Interface, SimpleObject};

use crate::graphql::payload::UserError;

macro_rules! user_errors {
    ($($name:ident $variant:ident $mutation:literal),+ $(,)?) => {
        $(
            #[doc = concat!("Something that the caller of `", $mutation, "` can mend, and what to do.")]
            #[derive(Debug, Clone, SimpleObject)]
            pub struct $name {
                /// Stable, in capitals. Expect codes that you do not know.
                pub code: String,
                /// Where in the arguments: member names and list indices, from `input` on. Null when it is about no single member.
                pub field: Option<Vec<String>>,
                /// What is wrong and what to do.
                pub message: String,
            }

            impl From<UserError> for $name {
                fn from(error: UserError) -> Self {
                    Self { code: error.code, field: error.field, message: error.message }
                }
            }
        )+

        /// Something that the caller of a mutation can mend, and what to do.
        #[derive(Debug, Clone, Interface)]
        #[graphql(
            name = "UserError",
            field(name = "code", ty = "&String", desc = "Stable, in capitals. Expect codes that you do not know."),
            field(
                name = "field",
                ty = "&Option<Vec<String>>",
                desc = "Where in the arguments: member names and list indices, from `input` on. Null when it is about no single member."
            ),
            field(name = "message", ty = "&String", desc = "What is wrong and what to do.")
        )]
        pub enum AnyUserError {
            $(#[doc = concat!("Of `", $mutation, "`.")] $variant($name)),+
        }
    };
}

user_errors! {
    ProgramApplyUserError ProgramApply "programApply",
    ProgramPublishUserError ProgramPublish "programPublish",
    PartnerUpsertUserError PartnerUpsert "partnerUpsert",
    PartnerEnrollUserError PartnerEnroll "partnerEnroll",
    TransactionsRecordUserError TransactionsRecord "transactionsRecord",
    HoldingsRecordUserError HoldingsRecord "holdingsRecord",
    ActivitiesRecordUserError ActivitiesRecord "activitiesRecord",
    DealsRecordUserError DealsRecord "dealsRecord",
    ExchangeRatesRecordUserError ExchangeRatesRecord "exchangeRatesRecord",
    TiersEvaluateUserError TiersEvaluate "tiersEvaluate",
    RebateRunCreateUserError RebateRunCreate "rebateRunCreate",
    RebateRunCalculateUserError RebateRunCalculate "rebateRunCalculate",
    RebateRunSubmitUserError RebateRunSubmit "rebateRunSubmit",
    RebateRunApproveUserError RebateRunApprove "rebateRunApprove",
    RebateRunRejectUserError RebateRunReject "rebateRunReject",
    RebateRunVoidUserError RebateRunVoid "rebateRunVoid",
    RebateRunPostUserError RebateRunPost "rebateRunPost",
    RebateRunPayUserError RebateRunPay "rebateRunPay",
    RebateRunReverseUserError RebateRunReverse "rebateRunReverse",
    RebateAccrueUserError RebateAccrue "rebateAccrue",
    PeriodLockUserError PeriodLock "periodLock",
    PeriodUnlockUserError PeriodUnlock "periodUnlock",
    TierOverrideProposeUserError TierOverridePropose "tierOverridePropose",
    TierOverrideApproveUserError TierOverrideApprove "tierOverrideApprove",
    TierOverrideRejectUserError TierOverrideReject "tierOverrideReject",
    TierOverrideWithdrawUserError TierOverrideWithdraw "tierOverrideWithdraw",
    TierOverrideEndUserError TierOverrideEnd "tierOverrideEnd",
    TierApplyUserError TierApply "tierApply",
    TierInviteUserError TierInvite "tierInvite",
    TierApprovalProposeUserError TierApprovalPropose "tierApprovalPropose",
    AdmissionAcceptUserError AdmissionAccept "admissionAccept",
    AdmissionRejectUserError AdmissionReject "admissionReject",
    AdmissionWithdrawUserError AdmissionWithdraw "admissionWithdraw",
    AdmissionEndUserError AdmissionEnd "admissionEnd",
    ReviewStartUserError ReviewStart "reviewStart",
    DisputeOpenUserError DisputeOpen "disputeOpen",
    DisputeAnswerUserError DisputeAnswer "disputeAnswer",
    DisputeWithdrawUserError DisputeWithdraw "disputeWithdraw",
}

/// User errors as a mutation's own type.
pub fn of_mutation<E: From<UserError>>(errors: Vec<UserError>) -> Vec<E> {
    errors.into_iter().map(E::from).collect()
}
