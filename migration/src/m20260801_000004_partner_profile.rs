//! What a partner was, from a date on.

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
                "CREATE TABLE IF NOT EXISTS partner_profile (
                    partner_id :uuid NOT NULL CONSTRAINT partner_profile_partner_fk REFERENCES partner (id),
                    from_on :date NOT NULL,
                    name TEXT NOT NULL,
                    partner_type TEXT,
                    region :key,
                    parent_id :uuid CONSTRAINT partner_profile_parent_fk REFERENCES partner (id),
                    currency TEXT,
                    status TEXT NOT NULL CONSTRAINT partner_profile_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'TERMINATED')),
                    attributes TEXT,
                    recorded_at :time NOT NULL,
                    CONSTRAINT partner_profile_pk PRIMARY KEY (partner_id, from_on)
                ) :clustered",
                "CREATE INDEX IF NOT EXISTS partner_profile_parent_idx ON partner_profile (parent_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["partner_profile"]).await
    }
}
