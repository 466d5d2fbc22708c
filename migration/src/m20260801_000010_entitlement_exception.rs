//! Benefits given to, changed for or taken from one partner.

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
                "CREATE TABLE IF NOT EXISTS entitlement_exception (
                    id :uuid NOT NULL CONSTRAINT entitlement_exception_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT entitlement_exception_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT entitlement_exception_partner_fk REFERENCES partner (id),
                    benefit TEXT NOT NULL,
                    term TEXT NOT NULL,
                    from_on :date NOT NULL,
                    until_on :date NOT NULL,
                    reason TEXT NOT NULL,
                    created_at :time NOT NULL,
                    created_by TEXT NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT entitlement_exception_span CHECK (until_on > from_on)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS entitlement_exception_partner_idx ON entitlement_exception (partner_id, program_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["entitlement_exception"]).await
    }
}
