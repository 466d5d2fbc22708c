//! Tokens: what they must say, and the keys that they are checked with. The algorithm comes from the settings, never from a
//! token; `kid` only looks up a key in the configured set; every other hint of a header (`jku`, `x5u`, `jwk`) is ignored.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use guerdon_domain::access::Actor;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::auth::{RoleClaim, assignments, kind_of};
use crate::config::{JwksSource, JwtConfig, JwtKeys};
use crate::error::AppError;

/// Seconds by which clocks may differ.
const SKEW_SECONDS: i64 = 60;
/// No token of a sane issuer is longer.
const TOKEN_BYTES_MAX: usize = 8 * 1_024;
/// A key set is fetched at most this often.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);
/// Time for a key set to arrive.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a key set at most.
const JWKS_BYTES_MAX: usize = 256 * 1_024;

/// Checks tokens.
pub struct Tokens {
    config: JwtConfig,
    keys: Keys,
}

enum Keys {
    Secret(DecodingKey),
    Set(KeySet),
}

/// A key set as it was last seen; it keeps serving while its source is away.
struct KeySet {
    source: JwksSource,
    algorithm: Algorithm,
    known: RwLock<Arc<JwkSet>>,
    last_try: tokio::sync::Mutex<Option<Instant>>,
    client: reqwest::Client,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    jti: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Tokens {
    /// Checks tokens as `config` says. A key set in a file is read at once, and must be readable.
    pub async fn new(config: JwtConfig) -> Result<Self, AppError> {
        let keys = match &config.keys {
            JwtKeys::Hs256(secret) => Keys::Secret(DecodingKey::from_secret(secret.expose().as_bytes())),
            JwtKeys::Jwks { source, algorithm } => {
                let client =
                    reqwest::Client::builder().timeout(FETCH_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build().map_err(AppError::internal)?;
                let set = KeySet { source: source.clone(), algorithm: *algorithm, known: RwLock::default(), last_try: tokio::sync::Mutex::default(), client };
                let first = set.refresh().await;
                if let (JwksSource::File(path), Err(error)) = (source, first) {
                    return Err(AppError::invalid("JWKS_FILE", path.display().to_string(), format!("the key set cannot be read: {error}")));
                }
                Keys::Set(set)
            }
        };
        Ok(Self { config, keys })
    }

    /// The actor that a token speaks of, at `now`; none if anything about it is wrong. The reason goes to the log, not to the
    /// caller.
    pub async fn actor(&self, token: &str, now: DateTime<Utc>) -> Option<Actor> {
        match self.check(token, now).await {
            Ok(actor) => Some(actor),
            Err(reason) => {
                tracing::info!(reason, "token refused");
                None
            }
        }
    }

    async fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Actor, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("too long");
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| "not a token")?;
        if header.crit.is_some() || !header.typ.as_deref().is_none_or(|typ| ["JWT", "at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(typ))) {
            return Err("not a type of token that is known");
        }
        let (key, algorithm) = match &self.keys {
            Keys::Secret(key) => (key.clone(), Algorithm::HS256),
            Keys::Set(set) => (set.key(header.kid.as_deref()).await.ok_or("unknown key")?, set.algorithm),
        };
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation(algorithm)).map_err(|_| "signature or claims")?.claims;
        let moment = now.timestamp();
        if claims.exp.saturating_add(SKEW_SECONDS) <= moment || claims.nbf.is_some_and(|from| from.saturating_sub(SKEW_SECONDS) > moment) {
            return Err("expired, or not valid yet");
        }
        self.identify(claims)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are compared with our own clock port, in `check`.
        validation.validate_exp = false;
        validation
    }

    fn identify(&self, claims: Claims) -> Result<Actor, &'static str> {
        if claims.sub.is_empty() || claims.sub.chars().count() > 200 || claims.iss != self.config.issuer {
            return Err("subject");
        }
        let roles = match claims.rest.get(&self.config.roles_claim) {
            None => Vec::new(),
            Some(value) => serde_json::from_value::<Vec<RoleClaim>>(value.clone()).map_err(|_| "the roles are not of the documented shape")?,
        };
        let roles = assignments(&roles).map_err(|_| "the roles are not valid")?;
        let credential = claims.jti.map_or_else(|| "jwt".to_owned(), |jti| format!("jwt:{}", jti.chars().take(100).collect::<String>()));
        Ok(Actor { person: claims.sub, credential, kind: kind_of(&roles), roles })
    }
}

impl KeySet {
    /// The key of this id; the only key there is, when the token names none. An unknown id has the set fetched again.
    async fn key(&self, id: Option<&str>) -> Option<DecodingKey> {
        if let Some(key) = self.find(id) {
            return Some(key);
        }
        if self.refresh().await.is_err() {
            tracing::warn!("the key set could not be fetched; the keys known so far keep serving");
        }
        self.find(id)
    }

    fn find(&self, id: Option<&str>) -> Option<DecodingKey> {
        let set = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut usable = set.keys.iter().filter(|jwk| self.is_usable(jwk));
        let found = match id {
            Some(id) => usable.find(|jwk| jwk.common.key_id.as_deref() == Some(id)),
            None => usable.next().filter(|_| usable.next().is_none()),
        };
        found.and_then(|jwk| DecodingKey::from_jwk(jwk).ok())
    }

    /// A public key for signatures of our algorithm. A symmetric key has no place among public ones.
    fn is_usable(&self, jwk: &Jwk) -> bool {
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let agrees = jwk.common.key_algorithm.is_none_or(|named| named.to_string().parse() == Ok(self.algorithm));
        let public = !matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_));
        signs && agrees && public && DecodingKey::from_jwk(jwk).is_ok_and(|key| key.family() == self.algorithm.family())
    }

    /// Fetches the set, unless that was tried less than a minute ago.
    async fn refresh(&self) -> Result<(), String> {
        let mut last_try = self.last_try.lock().await;
        if last_try.is_some_and(|at| at.elapsed() < REFRESH_PAUSE) {
            return Ok(());
        }
        *last_try = Some(Instant::now());
        let bytes = match &self.source {
            JwksSource::File(path) => tokio::fs::read(path).await.map_err(|error| error.to_string())?,
            JwksSource::Url(url) => self.fetch(url).await?,
        };
        if bytes.len() > JWKS_BYTES_MAX {
            return Err("it is too large".to_owned());
        }
        let set: JwkSet = serde_json::from_slice(&bytes).map_err(|_| "it is not a JSON Web Key Set".to_owned())?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        Ok(())
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let mut answer = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > JWKS_BYTES_MAX {
                return Err("it is too large".to_owned());
            }
        }
        Ok(bytes)
    }
}

/// What a development token says.
#[derive(Debug, Serialize)]
struct DevelopmentClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(flatten)]
    roles: Map<String, Value>,
}

/// Makes a token with the configured HS256 secret, for development and demonstration. Refused where tokens are signed by
/// somebody else's keys.
pub fn sign(config: &JwtConfig, person: &str, id: &str, roles: &[RoleClaim], now: DateTime<Utc>, lifetime: Duration) -> Result<String, AppError> {
    let JwtKeys::Hs256(secret) = &config.keys else {
        return Err(AppError::invalid("NO_SECRET", "jwt.secret", "tokens are signed by the keys of the configured set: only their owner can make one"));
    };
    assignments(roles)?;
    let mut claim = Map::new();
    claim.insert(config.roles_claim.clone(), serde_json::to_value(roles).map_err(AppError::internal)?);
    let iat = now.timestamp();
    let exp = iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
    let claims = DevelopmentClaims { iss: &config.issuer, aud: &config.audience, sub: person, iat, exp, jti: id.to_owned(), roles: claim };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.expose().as_bytes())).map_err(AppError::internal)
}
