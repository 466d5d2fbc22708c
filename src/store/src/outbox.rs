//! Events, written in the transaction of the change that caused them, delivered later.

use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, EntityTrait};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::entity::outbox_event;
use crate::fault::StoreError;
use crate::tx::WriteTx;

/// Something that happened, for whoever listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind: `tier.promoted`.
    pub kind: &'static str,
    /// The kind of object that it is about.
    pub object_type: &'static str,
    /// The object. Order is kept per object.
    pub object_id: String,
    /// The partner that it belongs to, so that delivery can be scoped.
    pub partner: Option<Uuid>,
    /// The public body.
    pub payload: Json,
}

impl WriteTx {
    pub(crate) async fn insert_event(&self, event: &Event) -> Result<(), StoreError> {
        let context = self.context();
        let row = outbox_event::ActiveModel {
            id: NotSet,
            event_id: Set(self.new_id()),
            occurred_at: Set(context.now),
            kind: Set(event.kind.to_owned()),
            object_type: Set(event.object_type.to_owned()),
            object_id: Set(event.object_id.clone()),
            partner_id: Set(event.partner),
            payload: Set(event.payload.to_string()),
            request_id: Set(context.request_id.clone()),
            lease_until: Set(None),
            attempts: Set(0),
            delivered_at: Set(None),
        };
        outbox_event::Entity::insert(row).exec_without_returning(&self.tx).await.map(drop).map_err(|error| self.fault(error))
    }
}
