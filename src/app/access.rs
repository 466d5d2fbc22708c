//! Asking for the right: the first line of every use case, and the only way to a scope.

use guerdon_domain::access::{Action, Asked, Condition, Resource, Scope, authorize, authorize_under};

use super::ctx::Ctx;
use crate::error::AppError;

impl Ctx {
    /// How far the caller may do this: `ctx.require((Action::Read, Resource::Partner))`. `Forbidden` if not at all. Rights that
    /// carry a condition do not count here; see [`Ctx::require_under`].
    pub fn require<'a>(&self, asked: impl Into<Asked<'a>>) -> Result<Scope, AppError> {
        Ok(authorize(&self.actor, asked, self.today)?)
    }

    /// As [`Ctx::require`], also by rights whose condition the caller of this function keeps itself.
    pub fn require_under<'a>(&self, asked: impl Into<Asked<'a>>, kept: &[Condition]) -> Result<Scope, AppError> {
        Ok(authorize_under(&self.actor, asked, self.today, kept)?)
    }

    /// Whether the caller may do this at all.
    pub fn may<'a>(&self, asked: impl Into<Asked<'a>>) -> bool {
        authorize(&self.actor, asked, self.today).is_ok()
    }
}

/// Whether the caller may ask the service for its schema.
pub fn may_introspect(caller: &Ctx) -> bool {
    caller.may((Action::Read, Resource::Schema))
}
