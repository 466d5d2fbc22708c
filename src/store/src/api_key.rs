//! API keys: the digest of each, never the key.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::entity::api_key;
use crate::fault::StoreError;
use crate::tx::{ReadTx, WriteTx};

/// Keys that a list answers at most.
const KEYS_MAX: u64 = 1_000;

/// A key to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The part that finds it.
    pub public_id: String,
    /// SHA-256 of the secret part.
    pub secret_digest: [u8; 32],
    /// What it is for.
    pub label: String,
    /// The person or service account.
    pub person: String,
    /// Its roles, as JSON.
    pub roles: String,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Its id.
    pub id: Uuid,
    /// The part that finds it.
    pub public_id: String,
    /// SHA-256 of the secret part; compare it in constant time.
    pub secret_digest: Vec<u8>,
    /// What it is for.
    pub label: String,
    /// The person or service account.
    pub person: String,
    /// Its roles, as JSON.
    pub roles: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The day it was used last.
    pub last_used_on: Option<NaiveDate>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

fn key_of(row: api_key::Model) -> StoredApiKey {
    StoredApiKey {
        id: row.id,
        public_id: row.public_id,
        secret_digest: row.secret_digest,
        label: row.label,
        person: row.person,
        roles: row.roles,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_on: row.last_used_on,
        revoked_at: row.revoked_at,
    }
}

impl ReadTx {
    /// The key of this public id, revoked or not.
    pub async fn find_api_key(&self, public_id: &str) -> Result<Option<StoredApiKey>, StoreError> {
        let found = api_key::Entity::find().filter(api_key::Column::PublicId.eq(public_id)).one(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.map(key_of))
    }

    /// All keys, the newest first.
    pub async fn list_api_keys(&self) -> Result<Vec<StoredApiKey>, StoreError> {
        let found = api_key::Entity::find().order_by_desc(api_key::Column::CreatedAt).limit(KEYS_MAX).all(&self.tx).await;
        Ok(found.map_err(|error| self.fault(error))?.into_iter().map(key_of).collect())
    }
}

impl WriteTx {
    /// Keeps a key.
    pub async fn insert_api_key(&self, new: &NewApiKey) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let row = api_key::ActiveModel {
            id: Set(id),
            public_id: Set(new.public_id.clone()),
            secret_digest: Set(new.secret_digest.to_vec()),
            label: Set(new.label.clone()),
            person: Set(new.person.clone()),
            roles: Set(new.roles.clone()),
            created_at: Set(self.now()),
            created_by: Set(self.context().actor.clone()),
            expires_at: Set(new.expires_at),
            last_used_on: Set(None),
            revoked_at: Set(None),
            revoked_by: Set(None),
        };
        let insert = api_key::Entity::insert(row).exec_without_returning(&self.tx).await;
        insert.map(|_| id).map_err(|error| self.fault(error))
    }

    /// Ends a key now. [`StoreError::NotFound`] when there is none, or it is revoked already.
    pub async fn revoke_api_key(&self, public_id: &str) -> Result<(), StoreError> {
        let sql = "UPDATE api_key SET revoked_at = $1, revoked_by = $2 WHERE public_id = $3 AND revoked_at IS NULL";
        let values = vec![self.now().into(), self.context().actor.clone().into(), public_id.into()];
        self.execute_one(sql, values).await.map_err(|_| StoreError::NotFound)
    }

    /// Notes that a key was used on a day; writes once a day at most.
    pub async fn touch_api_key(&self, public_id: &str, day: NaiveDate) -> Result<(), StoreError> {
        let sql = "UPDATE api_key SET last_used_on = $1 WHERE public_id = $2 AND (last_used_on IS NULL OR last_used_on < $1)";
        self.execute(sql, vec![day.into(), public_id.into()]).await.map(drop)
    }
}
