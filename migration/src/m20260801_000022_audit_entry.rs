//! The audit trail, append-only; a sealer fills sequence and hashes once.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS audit_entry (
                    id :identity,
                    occurred_at :time NOT NULL,
                    actor TEXT NOT NULL,
                    on_behalf_of TEXT,
                    roles TEXT NOT NULL,
                    request_id TEXT NOT NULL,
                    operation TEXT NOT NULL,
                    object_type TEXT NOT NULL,
                    object_id TEXT NOT NULL,
                    partner_id :uuid,
                    before_state TEXT,
                    after_state TEXT,
                    sequence :int,
                    prev_hash TEXT,
                    hash TEXT,
                    CONSTRAINT audit_entry_sealed CHECK ((sequence IS NULL) = (hash IS NULL)),
                    CONSTRAINT audit_entry_sequence_key UNIQUE (sequence)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS audit_entry_object_idx ON audit_entry (object_type, object_id, id)",
                "CREATE INDEX IF NOT EXISTS audit_entry_unsealed_idx ON audit_entry (id) WHERE sequence IS NULL",
            ],
        )
        .await?;
        let changed = "OLD.sequence IS NOT NULL OR OLD.id <> NEW.id OR OLD.occurred_at <> NEW.occurred_at OR OLD.actor <> NEW.actor \
            OR OLD.on_behalf_of IS DISTINCT FROM NEW.on_behalf_of OR OLD.roles <> NEW.roles OR OLD.request_id <> NEW.request_id \
            OR OLD.operation <> NEW.operation OR OLD.object_type <> NEW.object_type OR OLD.object_id <> NEW.object_id \
            OR OLD.partner_id IS DISTINCT FROM NEW.partner_id OR OLD.before_state IS DISTINCT FROM NEW.before_state \
            OR OLD.after_state IS DISTINCT FROM NEW.after_state";
        refuse(manager, "audit_entry", "UPDATE", changed, "audit_entry_append_only").await?;
        refuse(manager, "audit_entry", "DELETE", "OLD.id IS NOT NULL", "audit_entry_append_only").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit_entry"]).await
    }
}
