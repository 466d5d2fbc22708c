//! Contracts, as far as the engines ask for them.

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
                "CREATE TABLE IF NOT EXISTS contract (
                    id :uuid NOT NULL CONSTRAINT contract_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT contract_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT contract_partner_fk REFERENCES partner (id),
                    number :key NOT NULL,
                    template TEXT,
                    status TEXT NOT NULL CONSTRAINT contract_status CHECK (status IN ('DRAFT', 'SENT', 'ACTIVE', 'EXPIRED', 'TERMINATED')),
                    from_on :date NOT NULL,
                    until_on :date NOT NULL,
                    terms TEXT NOT NULL,
                    created_at :time NOT NULL,
                    updated_at :time NOT NULL,
                    row_version :int NOT NULL,
                    CONSTRAINT contract_number_key UNIQUE (program_id, number),
                    CONSTRAINT contract_span CHECK (until_on > from_on)
                ) :strict",
                "CREATE INDEX IF NOT EXISTS contract_partner_idx ON contract (partner_id, program_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["contract"]).await
    }
}
