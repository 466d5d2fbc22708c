//! The frame of a write: who does what under which idempotency key (semantics 25).

use guerdon_domain::access::{Action, Resource};
use guerdon_store::{Idempotency, WriteContext};

use super::{App, Ctx};
use crate::error::AppError;

/// Characters of an idempotency key at most: a UUID has 36.
const KEY_CHARS_MAX: usize = 100;

/// What the store writes down about a change: the caller, his roles, the request, the operation and the moment.
pub fn write_context(ctx: &Ctx, operation: &str) -> WriteContext {
    let roles = serde_json::to_value(&ctx.actor.roles).unwrap_or_default();
    WriteContext::new(ctx.actor.person.clone(), ctx.request_id.as_ref(), operation, ctx.now).with_roles(roles)
}

/// The caller's key for one request, and what he asked for under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyed {
    /// The key.
    pub key: String,
    /// The input as it was given: the same key with another input is refused.
    pub input: serde_json::Value,
}

/// The frame of a write under the caller's key, if he gave one: the same key and input answer what was answered before, as long as he
/// may see the partners that it is about. The command line and jobs give none.
///
/// # Errors
/// `INVALID_IDEMPOTENCY_KEY` when the key is empty, too long or not printable.
pub fn keyed_context(app: &App, ctx: &Ctx, operation: &str, keyed: Option<&Keyed>) -> Result<WriteContext, AppError> {
    let context = write_context(ctx, operation);
    let Some(keyed) = keyed else { return Ok(context) };
    if keyed.key.is_empty() || keyed.key.len() > KEY_CHARS_MAX || !keyed.key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("an idempotency key has 1 to {KEY_CHARS_MAX} printable ASCII characters without blanks: use a new UUID for every new request");
        return Err(AppError::invalid("INVALID_IDEMPOTENCY_KEY", "idempotencyKey", message));
    }
    let keep = chrono::TimeDelta::days(app.limits.idempotency_days);
    // Whoever may read no partners at all is let in by the right to the mutation alone, which was asked for already.
    let sees = ctx.require((Action::Read, Resource::Partner)).ok();
    Ok(context.with_idempotency(Some(Idempotency { keep, sees, ..Idempotency::new(ctx.actor.person.clone(), keyed.key.clone(), &keyed.input) })))
}
