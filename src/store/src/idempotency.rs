//! Idempotency keys, scoped to caller and mutation (semantics 25). The record commits with the change that it answers for, so that
//! nothing half-done is ever replayed; a request that fails leaves no record, and the same key may be tried again.

use chrono::TimeDelta;
use guerdon_domain::access::Scope;
use sea_orm::DbBackend;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::tx::WriteTx;

/// A caller's key for one mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose key it is: the person or service account.
    pub principal: String,
    /// The key, as the caller chose it.
    pub key: String,
    /// Digest of the canonical input.
    pub input_hash: String,
    /// How long the answer is kept.
    pub keep: TimeDelta,
    /// The partners that the caller may see now: an answer about others is not found. Nobody looks when it is empty.
    pub sees: Option<Scope>,
}

impl Idempotency {
    /// `key` of `principal` for this input, kept for 30 days.
    pub fn new(principal: impl Into<String>, key: impl Into<String>, input: &impl Serialize) -> Self {
        let canonical = serde_json::to_vec(input).unwrap_or_default();
        let input_hash = Sha256::digest(&canonical).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { principal: principal.into(), key: key.into(), input_hash, keep: TimeDelta::days(30), sees: None }
    }
}

/// Takes the key for this transaction, or answers what is stored under it.
pub(crate) async fn claim<T: DeserializeOwned>(write: &WriteTx) -> Result<Option<T>, StoreError> {
    let Some(asked) = &write.context().idempotency else { return Ok(None) };
    let operation = &write.context().operation;
    if write.backend() == DbBackend::Postgres {
        // Not waiting for the unique key: whoever comes second is told at once that the first one is still at it.
        let name = serde_json::json!([asked.principal, operation, asked.key]).to_string();
        let row = write.one("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 25)) AS taken", vec![name.into()]).await?;
        if !row.map(|row| row.try_get("", "taken")).transpose().map_err(|error| write.fault(error))?.unwrap_or(false) {
            return Err(StoreError::InProgress);
        }
    }
    let find = "SELECT input_hash, state, response, partners FROM idempotency_record \
        WHERE principal = $1 AND mutation = $2 AND idempotency_key = $3 AND expires_at > $4";
    let key = || vec![asked.principal.clone().into(), operation.clone().into(), asked.key.clone().into(), write.now().into()];
    let Some(row) = write.one(find, key()).await? else { return Ok(None) };
    let read = |column: &str| row.try_get::<Option<String>>("", column).map_err(|error| write.fault(error));
    if read("input_hash")?.as_deref() != Some(asked.input_hash.as_str()) {
        return Err(StoreError::KeyReused);
    }
    let Some(response) = read("response")? else { return Err(StoreError::InProgress) };
    let corrupt = |_| StoreError::corrupt("idempotency_record", &asked.key);
    let partners: Vec<Uuid> = read("partners")?.map_or(Ok(Vec::new()), |text| serde_json::from_str(&text)).map_err(corrupt)?;
    if let Some(scope) = &asked.sees
        && !sees_all(write, scope, &partners).await?
    {
        return Err(StoreError::NotFound);
    }
    serde_json::from_str(&response).map(Some).map_err(corrupt)
}

/// Whether all of the partners lie in a scope: what the caller may see can be less than when the answer was given.
async fn sees_all(write: &WriteTx, scope: &Scope, partners: &[Uuid]) -> Result<bool, StoreError> {
    if partners.is_empty() || *scope == Scope::All {
        return Ok(true);
    }
    let mut parameters = Parameters(vec![uuids(write.backend(), partners)]);
    let within = within(write.backend(), "p", scope, &mut parameters);
    let sql = format!("SELECT 1 FROM partner p WHERE {} AND NOT COALESCE({within}, FALSE) LIMIT 1", is_one_of_uuids(write.backend(), "p.id", 1));
    Ok(write.one(sql, parameters.0).await?.is_none())
}

/// Stores the answer under the key, with the partners that it is about.
pub(crate) async fn keep<T: Serialize>(write: &WriteTx, value: &T, partners: &BTreeSet<Uuid>) -> Result<(), StoreError> {
    let Some(asked) = &write.context().idempotency else { return Ok(()) };
    let context = write.context();
    let response = serde_json::to_string(value).map_err(|_| StoreError::corrupt("idempotency_record", &asked.key))?;
    let about = (!partners.is_empty()).then(|| serde_json::to_string(partners)).transpose();
    let about = about.map_err(|_| StoreError::corrupt("idempotency_record", &asked.key))?;
    let sql = "INSERT INTO idempotency_record (principal, mutation, idempotency_key, input_hash, state, response, created_at, expires_at, partners) \
        VALUES ($1, $2, $3, $4, 'DONE', $5, $6, $7, $8) \
        ON CONFLICT (principal, mutation, idempotency_key) DO UPDATE SET input_hash = excluded.input_hash, state = excluded.state, \
        response = excluded.response, created_at = excluded.created_at, expires_at = excluded.expires_at, partners = excluded.partners \
        WHERE idempotency_record.expires_at <= excluded.created_at";
    let values = vec![
        asked.principal.clone().into(),
        context.operation.clone().into(),
        asked.key.clone().into(),
        asked.input_hash.clone().into(),
        response.into(),
        context.now.into(),
        (context.now + asked.keep).into(),
        about.into(),
    ];
    // No row: another transaction stored an answer in between. This one must not commit a second effect.
    if write.execute(sql, values).await?.rows_affected() == 1 { Ok(()) } else { Err(StoreError::InProgress) }
}

impl WriteTx {
    /// Forgets answers whose time is over; answers how many. For a daily job.
    pub async fn forget_expired_answers(&self) -> Result<u64, StoreError> {
        let sql = "DELETE FROM idempotency_record WHERE expires_at <= $1";
        Ok(self.execute(sql, vec![self.now().into()]).await?.rows_affected())
    }
}
