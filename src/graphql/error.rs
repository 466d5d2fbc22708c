//! From [`AppError`] to a coded GraphQL error: a fixed message per code, no inner text.

use std::sync::Arc;

use async_graphql::{Error, ErrorExtensions as _, Value};
use guerdon_domain::fault::{Fault, Faults};

use crate::error::AppError;

/// The failure of a resolver. It has no `Display`, so that `?` on anything else does not compile and no inner text can slip
/// through; it is `Clone`, since a nullable field that can fail is written `Option<Result<_, GqlFault>>`.
#[derive(Debug, Clone)]
pub struct GqlFault(AppError);

/// What a non-null field that can fail returns.
pub type Answer<T> = Result<T, GqlFault>;

/// What a nullable field that can fail returns: the error nulls the field and nothing else. Write the body as usual and
/// `transpose` at the end.
pub type Maybe<T> = Option<Result<T, GqlFault>>;

impl GqlFault {
    /// The failure behind it.
    pub const fn app(&self) -> &AppError {
        &self.0
    }

    /// An argument is wrong.
    pub fn invalid(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self(AppError::invalid(code, path, message))
    }
}

impl From<AppError> for GqlFault {
    fn from(error: AppError) -> Self {
        Self(error)
    }
}

/// Faults at most in one answer: more than twenty are not read.
pub const FAULTS_MAX: usize = 20;

impl From<GqlFault> for Error {
    fn from(GqlFault(error): GqlFault) -> Self {
        let mut answer = Self::new(message(&error)).extend_with(|_, extensions| {
            extensions.set("code", code(&error));
            if error.is_retryable() {
                extensions.set("retryable", true);
            }
            if let Some(faults) = error.faults() {
                extensions.set("faults", listed(&faults));
            }
        });
        answer.source = Some(Arc::new(error));
        answer
    }
}

/// The code of an error: that of its only fault, if the input has one fault; else that of its kind.
fn code(error: &AppError) -> String {
    match error {
        AppError::Invalid(Faults(faults)) if faults.len() == 1 => faults.first().map_or_else(String::new, |fault| fault.code.clone()),
        AppError::Conflict(fault) | AppError::Limit(fault) => fault.code.clone(),
        _ => error.code().to_owned(),
    }
}

fn listed(faults: &Faults) -> Value {
    let one = |fault: &Fault| {
        let member = |name: &str, text: &str| (async_graphql::Name::new(name), Value::from(text));
        Value::Object([member("code", &fault.code), member("path", &fault.path), member("message", &fault.message)].into_iter().collect())
    };
    Value::List(faults.0.iter().take(FAULTS_MAX).map(one).collect())
}

/// The fixed message of each kind.
pub const fn message(error: &AppError) -> &'static str {
    match error {
        AppError::Invalid(_) => "The input is not valid.",
        AppError::NotFound => "Not found.",
        AppError::Forbidden => "Not allowed.",
        AppError::Conflict(_) => "The present state does not allow this.",
        AppError::Stale => "Changed by somebody else since it was read.",
        AppError::Limit(_) => "More than a limit allows.",
        AppError::Busy => "Too busy at the moment; the same request may be sent again.",
        AppError::IdempotencyKeyReused => "The idempotency key was used with another input.",
        AppError::IdempotencyInProgress => "A request with this idempotency key is still running.",
        AppError::Unauthenticated => "Not authenticated.",
        AppError::Internal(_) => "Something went wrong on our side.",
    }
}
