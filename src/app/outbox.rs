//! Public events on their way to the outbox.

use guerdon_domain::event::Event;
use uuid::Uuid;

/// The event as the store keeps it, in the order of the object that it is about.
pub fn outgoing(event: &Event, object_type: &'static str, partner: Option<Uuid>) -> guerdon_store::Event {
    let body = serde_json::to_value(event).unwrap_or_default();
    let data = body.get("data").cloned().unwrap_or_default();
    let payload = serde_json::json!({ "type": event.name(), "version": event.version(), "data": data });
    guerdon_store::Event { kind: event.name(), object_type, object_id: event.subject().to_owned(), partner, payload }
}
