//! Statements and their lines: written while their run is calculated, never changed afterwards.

use sea_orm_migration::prelude::*;

use crate::dialect::{drop_tables, only_while, refuse, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS statement (
                    id :uuid NOT NULL CONSTRAINT statement_pk PRIMARY KEY,
                    run_id :uuid NOT NULL CONSTRAINT statement_run_fk REFERENCES rebate_run (id),
                    program_id :uuid NOT NULL CONSTRAINT statement_program_fk REFERENCES program (id),
                    partner_id :uuid NOT NULL CONSTRAINT statement_partner_fk REFERENCES partner (id),
                    version_id :uuid NOT NULL CONSTRAINT statement_version_fk REFERENCES program_version (id),
                    schedule :key NOT NULL,
                    period :key NOT NULL,
                    period_from :date NOT NULL,
                    period_until :date NOT NULL,
                    currency TEXT NOT NULL,
                    tier TEXT,
                    qualifier TEXT NOT NULL,
                    basis TEXT NOT NULL,
                    exact TEXT NOT NULL,
                    entitled_minor :whole(entitled_minor) NOT NULL,
                    before_minor :whole(before_minor) NOT NULL,
                    difference_minor :whole(difference_minor) NOT NULL,
                    carried_minor :whole(carried_minor) NOT NULL,
                    amount_minor :whole(amount_minor) NOT NULL,
                    inputs :int NOT NULL,
                    steps TEXT NOT NULL,
                    content_hash TEXT NOT NULL,
                    CONSTRAINT statement_difference CHECK (difference_minor = entitled_minor - before_minor),
                    CONSTRAINT statement_amount CHECK (amount_minor = difference_minor + carried_minor)
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS statement_run_key ON statement (run_id, partner_id, schedule, period)",
                "CREATE INDEX IF NOT EXISTS statement_partner_idx ON statement (partner_id, program_id, schedule, period)",
                "CREATE TABLE IF NOT EXISTS statement_line (
                    statement_id :uuid NOT NULL CONSTRAINT statement_line_statement_fk REFERENCES statement (id),
                    no :int NOT NULL,
                    run_id :uuid NOT NULL CONSTRAINT statement_line_run_fk REFERENCES rebate_run (id),
                    kind TEXT NOT NULL CONSTRAINT statement_line_kind CHECK (kind IN
                        ('EARNED', 'CONDITION', 'FLOOR', 'CAP', 'CUMULATIVE', 'GUARANTEE', 'CARRIED_PAYOUT', 'MINIMUM_PAYOUT', 'BEST_OF', 'BUDGET',
                         'ADJUSTMENT', 'SET_OFF', 'CARRIED_FORWARD')),
                    band :int,
                    band_from TEXT,
                    band_to TEXT,
                    tier TEXT,
                    category TEXT,
                    base TEXT NOT NULL,
                    rate TEXT,
                    exact TEXT NOT NULL,
                    amount_minor :whole(amount_minor) NOT NULL,
                    CONSTRAINT statement_line_pk PRIMARY KEY (statement_id, no)
                ) :clustered",
                "CREATE INDEX IF NOT EXISTS statement_line_run_idx ON statement_line (run_id)",
            ],
        )
        .await?;
        for table in ["statement", "statement_line", "rebate_run_chunk", "rebate_run_budget"] {
            let calculating = "SELECT 1 FROM rebate_run r WHERE r.id = {key} AND r.state = 'CALCULATING'";
            only_while(manager, table, "run_id", calculating, &format!("{table}_immutable")).await?;
        }
        refuse(manager, "statement", "UPDATE", "OLD.id IS NOT NULL", "statement_immutable").await?;
        refuse(manager, "statement_line", "UPDATE", "OLD.no IS NOT NULL", "statement_line_immutable").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["statement_line", "statement"]).await
    }
}
