//! The audit trail: who did what to which object. Written with the change; numbered and hashed later by a single sealer, because a
//! chain that is kept at once makes all writers queue on one row.

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::convert::Row;
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::Parameters;
use crate::tx::{ReadTx, WriteTx};

/// What a change did to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The kind of object: `Partner`.
    pub object_type: &'static str,
    /// The object.
    pub object_id: String,
    /// The partner that it belongs to, so that the trail can be scoped.
    pub partner: Option<Uuid>,
    /// As it was; none when it is new.
    pub before: Option<Json>,
    /// As it is now; none when it is gone.
    pub after: Option<Json>,
}

impl AuditEntry {
    /// A change of `object_id`.
    pub fn of(object_type: &'static str, object_id: impl ToString) -> Self {
        Self { object_type, object_id: object_id.to_string(), partner: None, before: None, after: None }
    }

    /// As it was.
    #[must_use]
    pub fn before(self, before: Json) -> Self {
        Self { before: Some(before), ..self }
    }

    /// As it is now.
    #[must_use]
    pub fn after(self, after: Json) -> Self {
        Self { after: Some(after), ..self }
    }

    /// The partner that it belongs to.
    #[must_use]
    pub fn partner(self, partner: Uuid) -> Self {
        Self { partner: Some(partner), ..self }
    }
}

const COLUMNS: [Column; 11] = [
    ("occurred_at", Kind::Time),
    ("actor", Kind::Text),
    ("on_behalf_of", Kind::Text),
    ("roles", Kind::Text),
    ("request_id", Kind::Text),
    ("operation", Kind::Text),
    ("object_type", Kind::Text),
    ("object_id", Kind::Text),
    ("partner_id", Kind::Uuid),
    ("before_state", Kind::Text),
    ("after_state", Kind::Text),
];

impl WriteTx {
    /// Writes entries in few statements, in their order.
    pub(crate) async fn insert_audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let context = self.context();
        let text = |json: &Option<Json>| json.as_ref().map(Json::to_string);
        let row = |entry: &AuditEntry| {
            vec![
                context.now.into(),
                context.actor.clone().into(),
                context.on_behalf_of.clone().into(),
                context.roles.to_string().into(),
                context.request_id.clone().into(),
                context.operation.clone().into(),
                entry.object_type.into(),
                entry.object_id.clone().into(),
                entry.partner.into(),
                text(&entry.before).into(),
                text(&entry.after).into(),
            ]
        };
        bulk::insert(self, "audit_entry", &COLUMNS, entries.iter().map(row).collect(), "").await.map(drop)
    }
}

/// An entry on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Its id, in the order of writing.
    pub id: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// On whose behalf.
    pub on_behalf_of: Option<String>,
    /// The request.
    pub request_id: String,
    /// The operation.
    pub operation: String,
    /// The kind of object.
    pub object_type: String,
    /// The object.
    pub object_id: String,
    /// As it was, as JSON.
    pub before: Option<String>,
    /// As it is, as JSON.
    pub after: Option<String>,
}

impl ReadTx {
    /// Entries after `after`, the oldest first; at most `limit`. With a scope that does not reach everybody, only those of
    /// partners in it.
    pub async fn list_audit(&self, scope: &Scope, after: i64, limit: u32) -> Result<Vec<StoredAudit>, StoreError> {
        let mut parameters = Parameters(vec![after.into()]);
        let reach = if scope.is_all() {
            "TRUE".to_owned()
        } else {
            format!("EXISTS (SELECT 1 FROM partner p WHERE p.id = a.partner_id AND {})", within(self.backend(), "p", scope, &mut parameters))
        };
        let sql = format!(
            "SELECT a.id, a.occurred_at, a.actor, a.on_behalf_of, a.request_id, a.operation, a.object_type, a.object_id, a.before_state, a.after_state \
             FROM audit_entry a WHERE a.id > $1 AND {reach} ORDER BY a.id LIMIT {limit}"
        );
        let entry = |row: &sea_orm::QueryResult| {
            let row = Row::new(row, "audit_entry");
            Ok(StoredAudit {
                id: row.get(0)?,
                occurred_at: row.get(1)?,
                actor: row.get(2)?,
                on_behalf_of: row.get(3)?,
                request_id: row.get(4)?,
                operation: row.get(5)?,
                object_type: row.get(6)?,
                object_id: row.get(7)?,
                before: row.get(8)?,
                after: row.get(9)?,
            })
        };
        self.all(sql, parameters.0).await?.iter().map(entry).collect()
    }
}
