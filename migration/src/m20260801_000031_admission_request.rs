//! Applications, invitations and approvals on their way to an admission.

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
                "CREATE TABLE IF NOT EXISTS admission_request (
                    id :uuid NOT NULL CONSTRAINT admission_request_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT admission_request_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT admission_request_partner_fk REFERENCES partner (id),
                    ladder :key NOT NULL,
                    region_key :key NOT NULL,
                    tier :key NOT NULL,
                    kind :key NOT NULL CONSTRAINT admission_request_kind CHECK (kind IN ('INVITATION', 'APPLICATION', 'APPROVAL')),
                    state :key NOT NULL CONSTRAINT admission_request_state CHECK (state IN ('OPEN', 'ACCEPTED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
                    origin :key NOT NULL CONSTRAINT admission_request_origin CHECK (origin IN ('PERSON', 'EVALUATION')),
                    opened_on :date NOT NULL,
                    answer_until :date,
                    text TEXT,
                    evidence TEXT,
                    opened_by TEXT NOT NULL,
                    opened_at :time NOT NULL,
                    decided_by TEXT,
                    decided_at :time,
                    decision_reason TEXT,
                    admission_id :uuid CONSTRAINT admission_request_admission_fk REFERENCES tier_admission (id),
                    row_version :int NOT NULL,
                    CONSTRAINT admission_request_answer CHECK (answer_until > opened_on),
                    CONSTRAINT admission_request_four_eyes CHECK (state <> 'ACCEPTED' OR decided_by <> opened_by),
                    CONSTRAINT admission_request_decided CHECK ((state = 'ACCEPTED') = (admission_id IS NOT NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS admission_request_open_key ON admission_request (partner_id, program_id, ladder, region_key, tier, kind) WHERE state = 'OPEN'",
                "CREATE INDEX IF NOT EXISTS admission_request_partner_idx ON admission_request (partner_id, program_id, id)",
                "CREATE INDEX IF NOT EXISTS admission_request_state_idx ON admission_request (program_id, state, id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["admission_request"]).await
    }
}
