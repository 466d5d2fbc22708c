//! Events, written with the change that caused them, delivered later.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS outbox_event (
                    id :identity,
                    event_id :uuid NOT NULL,
                    occurred_at :time NOT NULL,
                    kind :key NOT NULL,
                    object_type TEXT NOT NULL,
                    object_id TEXT NOT NULL,
                    partner_id :uuid,
                    payload TEXT NOT NULL,
                    request_id TEXT NOT NULL,
                    lease_until :time,
                    attempts :int NOT NULL,
                    delivered_at :time,
                    CONSTRAINT outbox_event_id_key UNIQUE (event_id)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS outbox_event_waiting_idx ON outbox_event (id) WHERE delivered_at IS NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["outbox_event"]).await
    }
}
