//! The keys of machines: make, list, revoke, recognise.

use chrono::{DateTime, Utc};
use guerdon_domain::access::{Action, Actor, Resource};
use guerdon_store::{AuditEntry, Change, NewApiKey, StoreError, StoredApiKey, WriteContext};
use serde_json::json;

use super::auth::{RoleClaim, SentKey, assignments, key_actor, new_key};
use super::{App, Ctx};
use crate::error::AppError;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    /// What it is for.
    pub label: String,
    /// The service account that it belongs to.
    pub person: String,
    /// What it may do.
    pub roles: Vec<RoleClaim>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

impl App {
    /// Makes a key and answers it, once: only its digest is kept.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for roles that cannot be; `Busy`, `Internal`.
    pub async fn create_key(&self, ctx: &Ctx, order: &KeyOrder) -> Result<String, AppError> {
        ctx.require((Action::Write, Resource::ApiKey))?;
        assignments(&order.roles)?;
        if order.label.trim().is_empty() || order.person.trim().is_empty() {
            return Err(AppError::invalid("REQUIRED", "label", "a key has a label and a service account that it belongs to"));
        }
        let made = new_key(self.ids.as_ref())?;
        let row = NewApiKey {
            public_id: made.public_id.clone(),
            secret_digest: made.digest,
            label: order.label.clone(),
            person: order.person.clone(),
            roles: serde_json::to_string(&order.roles).map_err(AppError::internal)?,
            expires_at: order.expires_at,
        };
        let after = json!({ "publicId": row.public_id, "label": row.label, "person": row.person, "roles": order.roles });
        let context = write_context(ctx, "apiKeyCreate");
        let written = self.store.write(&context, async |tx| {
            let id = tx.insert_api_key(&row).await?;
            Ok::<_, StoreError>(Change::new((), AuditEntry::of("ApiKey", id).after(after.clone())))
        });
        written.await?;
        Ok(made.key)
    }

    /// All keys, the newest first; never their secrets.
    ///
    /// # Errors
    /// `Forbidden`; `Busy`, `Internal`.
    pub async fn list_keys(&self, ctx: &Ctx) -> Result<Vec<StoredApiKey>, AppError> {
        ctx.require((Action::Read, Resource::ApiKey))?;
        Ok(self.store.read::<_, StoreError, _>(async |tx| tx.list_api_keys().await).await?)
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` if there is no such key, or it was revoked before; `Busy`, `Internal`.
    pub async fn revoke_key(&self, ctx: &Ctx, public_id: &str) -> Result<(), AppError> {
        ctx.require((Action::Write, Resource::ApiKey))?;
        let context = write_context(ctx, "apiKeyRevoke");
        let revoked = self.store.write(&context, async |tx| {
            tx.revoke_api_key(public_id).await?;
            Ok::<_, StoreError>(Change::new((), AuditEntry::of("ApiKey", public_id).after(json!({ "revoked": true }))))
        });
        revoked.await?;
        Ok(())
    }

    /// The actor of a key that was sent, at `now`. `Unauthenticated` for an unknown, mistyped, expired or revoked key, and never
    /// which of these.
    ///
    /// # Errors
    /// `Unauthenticated`; `Busy`, `Internal`.
    pub async fn identify_key(&self, key: &str, now: DateTime<Utc>) -> Result<Actor, AppError> {
        let sent = SentKey::read(key).ok_or(AppError::Unauthenticated)?;
        let kept = self.store.read::<_, StoreError, _>(async |tx| tx.find_api_key(&sent.public_id).await).await?.ok_or(AppError::Unauthenticated)?;
        let ended = kept.revoked_at.is_some() || kept.expires_at.is_some_and(|end| end <= now);
        if !sent.matches(&kept.secret_digest) || ended {
            return Err(AppError::Unauthenticated);
        }
        let claims: Vec<RoleClaim> = serde_json::from_str(&kept.roles).map_err(AppError::internal)?;
        let roles = assignments(&claims).map_err(AppError::internal)?;
        self.note_use(&kept, now).await;
        Ok(key_actor(&kept.person, &kept.public_id, roles))
    }

    /// Notes the day of use, once a day. A failure to note it shuts nobody out.
    async fn note_use(&self, key: &StoredApiKey, now: DateTime<Utc>) {
        let day = now.date_naive();
        if key.last_used_on.is_some_and(|last| last >= day) {
            return;
        }
        let context = WriteContext::new(key.person.clone(), "", "apiKeyUse", now);
        let noted = self.store.write(&context, async |tx| {
            tx.touch_api_key(&key.public_id, day).await?;
            Ok::<_, StoreError>(Change::unchanged(()))
        });
        if noted.await.is_err() {
            tracing::warn!("the use of a key could not be noted");
        }
    }
}

fn write_context(ctx: &Ctx, operation: &str) -> WriteContext {
    let roles = serde_json::to_value(&ctx.actor.roles).unwrap_or_default();
    WriteContext::new(ctx.actor.person.clone(), ctx.request_id.as_ref(), operation, ctx.now).with_roles(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn can_be_spawned<T: Send>(_: &T) {}

    /// The compiler decides: a read and a write with closures that borrow must be `Send`, or no resolver can wait for them.
    #[expect(dead_code, reason = "only compiled")]
    fn use_cases_can_be_spawned(app: &App, ctx: &Ctx, order: &KeyOrder, now: DateTime<Utc>) {
        can_be_spawned(&app.create_key(ctx, order));
        can_be_spawned(&app.list_keys(ctx));
        can_be_spawned(&app.identify_key("", now));
    }
}
