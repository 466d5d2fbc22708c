//! Partners, with the profile of today beside them for filters, order and scope.

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
                "CREATE TABLE IF NOT EXISTS partner (
                    id :uuid NOT NULL CONSTRAINT partner_pk PRIMARY KEY,
                    code :key NOT NULL,
                    name TEXT NOT NULL,
                    name_folded :key NOT NULL,
                    partner_type TEXT,
                    region :key,
                    parent_id :uuid CONSTRAINT partner_parent_fk REFERENCES partner (id),
                    currency TEXT,
                    status TEXT NOT NULL CONSTRAINT partner_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'TERMINATED')),
                    profile_from :date NOT NULL,
                    next_profile_from :date,
                    created_at :time NOT NULL,
                    updated_at :time NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT partner_code_key UNIQUE (code),
                    CONSTRAINT partner_not_own_parent CHECK (parent_id <> id)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS partner_name_idx ON partner (name_folded, id)",
                "CREATE INDEX IF NOT EXISTS partner_region_idx ON partner (region)",
                "CREATE INDEX IF NOT EXISTS partner_parent_idx ON partner (parent_id)",
                "CREATE INDEX IF NOT EXISTS partner_next_profile_idx ON partner (next_profile_from)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["partner"]).await
    }
}
