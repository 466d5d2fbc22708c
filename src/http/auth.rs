//! Who asks: identifies by a token or a key, never authorizes.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use guerdon_domain::access::Actor;

use super::token::Tokens;
use crate::app::auth::KEY_PREFIX;
use crate::app::{App, Ctx};
use crate::clock::Clock;
use crate::error::AppError;

/// Turns credentials into actors.
pub struct Identity {
    tokens: Option<Tokens>,
    /// The clock that tokens and keys expire by: the system's, also where the rules live at another date.
    clock: Arc<dyn Clock>,
}

impl Identity {
    /// Checks tokens with `tokens`, and keys with what the database keeps of them.
    pub fn new(tokens: Option<Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, clock }
    }

    /// The circumstances of a request with these headers. `Unauthenticated` if they name nobody that is known.
    pub async fn circumstances(&self, app: &App, headers: &HeaderMap, request_id: &Arc<str>) -> Result<Ctx, AppError> {
        let actor = self.actor(app, headers).await?;
        app.admit(actor, request_id.clone()).await
    }

    async fn actor(&self, app: &App, headers: &HeaderMap) -> Result<Actor, AppError> {
        let credential = bearer(headers).ok_or(AppError::Unauthenticated)?;
        if credential.starts_with(KEY_PREFIX) {
            return app.identify_key(credential, self.clock.now()).await;
        }
        match &self.tokens {
            Some(tokens) => tokens.actor(credential, self.clock.now()).await.ok_or(AppError::Unauthenticated),
            None => Err(AppError::Unauthenticated),
        }
    }
}

/// The one bearer credential of a request; none if there are two, so that nobody can be mistaken for somebody else.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let (scheme, credential) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim()).filter(|credential| !credential.is_empty())
}
