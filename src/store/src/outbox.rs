//! Events, written in the transaction of the change that caused them, delivered later.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
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

const COLUMNS: [Column; 9] = [
    ("event_id", Kind::Uuid),
    ("occurred_at", Kind::Time),
    ("kind", Kind::Text),
    ("object_type", Kind::Text),
    ("object_id", Kind::Text),
    ("partner_id", Kind::Uuid),
    ("payload", Kind::Text),
    ("request_id", Kind::Text),
    ("attempts", Kind::Int),
];

impl WriteTx {
    /// Writes events in few statements, in their order.
    pub async fn announce(&self, events: &[Event]) -> Result<(), StoreError> {
        let context = self.context();
        let row = |event: &Event| {
            vec![
                self.new_id().into(),
                context.now.into(),
                event.kind.into(),
                event.object_type.into(),
                event.object_id.clone().into(),
                event.partner.into(),
                event.payload.to_string().into(),
                context.request_id.clone().into(),
                0_i64.into(),
            ]
        };
        bulk::insert(self, "outbox_event", &COLUMNS, events.iter().map(row).collect(), "").await.map(drop)
    }
}
