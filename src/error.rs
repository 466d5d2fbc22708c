//! What a use case answers when it does not do what it was asked: one kind each, with a code that never changes.

use std::error::Error;
use std::sync::Arc;

use guerdon_domain::access::Denied;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_store::StoreError;

/// The refusal to rank or share among more partners than are read for one answer.
pub(crate) const COHORT_TOO_LARGE: &str = "cohort_too_large";

/// Why a use case did not do what it was asked. `Clone`, since an answer may be needed in several places; the inner cause of an
/// internal fault is shared, goes to the log and never to a caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// The input is wrong; every fault with its path and what to do.
    #[error("the input is not valid: {0}")]
    Invalid(Faults),
    /// It does not exist, or lies outside the caller's scope: the two are never told apart.
    #[error("not found")]
    NotFound,
    /// No role of the caller allows it.
    #[error("not allowed")]
    Forbidden,
    /// The present state does not allow it.
    #[error("{0}")]
    Conflict(Fault),
    /// Somebody else changed it since it was read.
    #[error("changed by somebody else since it was read")]
    Stale,
    /// More than a limit allows; the fault names the limit.
    #[error("{0}")]
    Limit(Fault),
    /// Too busy now; the same request may be sent again.
    #[error("the database is too busy at the moment; the same may be tried again")]
    Busy,
    /// The idempotency key was used with another input.
    #[error("the idempotency key was used with another input")]
    IdempotencyKeyReused,
    /// A request with this idempotency key is still running.
    #[error("a request with this idempotency key is still running")]
    IdempotencyInProgress,
    /// Nobody that is known.
    #[error("not authenticated")]
    Unauthenticated,
    /// A fault of ours.
    #[error("internal fault")]
    Internal(#[source] Arc<dyn Error + Send + Sync>),
}

impl AppError {
    /// A fault of ours, with its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// One fault of the input.
    pub fn invalid(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Faults::from(Fault::new(code, path, message)))
    }

    /// The state does not allow it.
    pub fn conflict(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Conflict(Fault::new(code, path, message))
    }

    /// More than a limit allows.
    pub fn limit(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Limit(Fault::new(code, path, message))
    }

    /// The stable code of its kind.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::Conflict(_) => "CONFLICT",
            Self::Stale => "STALE",
            Self::Limit(_) => "LIMIT_EXCEEDED",
            Self::Busy => "SERVICE_BUSY",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::IdempotencyInProgress => "IDEMPOTENCY_IN_PROGRESS",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// Whether the same request may succeed when it is sent again later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::IdempotencyInProgress)
    }

    /// The faults that the caller can mend by another input or another moment; none for the other kinds.
    pub fn faults(&self) -> Option<Faults> {
        match self {
            Self::Invalid(faults) => Some(faults.clone()),
            Self::Conflict(fault) | Self::Limit(fault) => Some(Faults::from(fault.clone())),
            Self::Stale => Some(Faults::from(Fault::new("STALE", "expectedVersion", "somebody else changed it: read it again and repeat"))),
            Self::IdempotencyKeyReused => Some(Faults::from(Fault::new(
                "IDEMPOTENCY_KEY_REUSED",
                "idempotencyKey",
                "the key was used with another input: use a new key for a new request",
            ))),
            Self::IdempotencyInProgress => Some(Faults::from(Fault::new(
                "IDEMPOTENCY_IN_PROGRESS",
                "idempotencyKey",
                "the first request with this key is still running: ask again in a moment",
            ))),
            _ => None,
        }
    }
}

impl From<Denied> for AppError {
    fn from(_: Denied) -> Self {
        Self::Forbidden
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Stale => Self::Stale,
            StoreError::Busy => Self::Busy,
            StoreError::KeyReused => Self::IdempotencyKeyReused,
            StoreError::InProgress => Self::IdempotencyInProgress,
            StoreError::Conflict { constraint } if constraint == COHORT_TOO_LARGE => {
                let message = "a rank or a budget is shared with more partners than are read for one answer: ask a review or a run, or narrow the cohort";
                Self::Limit(Fault::new("COHORT_TOO_LARGE", "", message))
            }
            // A use case that knows which constraint may refuse it says so in its own words; this is for the others.
            StoreError::Conflict { .. } => Self::conflict("CONFLICT", "", "it collides with what is there already: read it again and repeat"),
            error @ (StoreError::Corrupt { .. } | StoreError::Configuration(_) | StoreError::Database(_)) => Self::internal(error),
        }
    }
}

impl From<Faults> for AppError {
    fn from(faults: Faults) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        Self::Invalid(Faults::from(fault))
    }
}

/// A failure and what caused it, for the log.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
