//! The books: accounts of one currency each, and entries whose postings sum to zero.
//!
//! Postings are written before their entry. The entry is refused unless they sum to zero, postings are refused once the entry is
//! there, and the deferred foreign key refuses a commit that leaves postings without their entry: so whatever is committed balances.

use sea_orm_migration::prelude::*;

use crate::dialect::{append_only, drop_tables, refuse, refuse_if_exists, run};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE TABLE IF NOT EXISTS account (
                    id :identity,
                    program_id :uuid NOT NULL CONSTRAINT account_program_fk REFERENCES program (id),
                    kind TEXT NOT NULL CONSTRAINT account_kind CHECK (kind IN ('REBATE_EXPENSE', 'REBATE_ACCRUED', 'REBATE_PAYABLE', 'PAYMENT_CLEARING')),
                    partner_id :uuid CONSTRAINT account_partner_fk REFERENCES partner (id),
                    currency TEXT NOT NULL,
                    balance_minor :whole(balance_minor) NOT NULL,
                    CONSTRAINT account_holder CHECK ((kind = 'REBATE_PAYABLE') = (partner_id IS NOT NULL))
                ) :strict",
                "CREATE UNIQUE INDEX IF NOT EXISTS account_program_key ON account (program_id, kind, currency) WHERE partner_id IS NULL",
                "CREATE UNIQUE INDEX IF NOT EXISTS account_partner_key ON account (program_id, kind, currency, partner_id) WHERE partner_id IS NOT NULL",
                "CREATE TABLE IF NOT EXISTS journal_entry (
                    id :uuid NOT NULL CONSTRAINT journal_entry_pk PRIMARY KEY,
                    program_id :uuid NOT NULL CONSTRAINT journal_entry_program_fk REFERENCES program (id),
                    kind TEXT NOT NULL CONSTRAINT journal_entry_kind CHECK (kind IN ('ACCRUAL', 'ACCRUAL_RELEASE', 'POSTING', 'PAYMENT', 'REVERSAL')),
                    period :key NOT NULL,
                    entry_on :date NOT NULL,
                    currency TEXT NOT NULL,
                    run_id :uuid CONSTRAINT journal_entry_run_fk REFERENCES rebate_run (id),
                    accrual_id :uuid,
                    reference TEXT,
                    created_by TEXT NOT NULL,
                    created_at :time NOT NULL
                ) :strict",
                "CREATE INDEX IF NOT EXISTS journal_entry_program_idx ON journal_entry (program_id, created_at, id)",
                "CREATE INDEX IF NOT EXISTS journal_entry_run_idx ON journal_entry (run_id)",
                "CREATE TABLE IF NOT EXISTS posting (
                    entry_id :uuid NOT NULL CONSTRAINT posting_entry_fk REFERENCES journal_entry (id) DEFERRABLE INITIALLY DEFERRED,
                    account_id :int NOT NULL CONSTRAINT posting_account_fk REFERENCES account (id),
                    amount_minor :whole(amount_minor) NOT NULL,
                    CONSTRAINT posting_pk PRIMARY KEY (entry_id, account_id),
                    CONSTRAINT posting_not_zero CHECK (amount_minor <> 0)
                ) :clustered",
                "CREATE INDEX IF NOT EXISTS posting_account_idx ON posting (account_id)",
            ],
        )
        .await?;
        append_only(manager, "journal_entry").await?;
        append_only(manager, "posting").await?;
        refuse_if_exists(manager, "posting", "INSERT", "SELECT 1 FROM journal_entry e WHERE e.id = NEW.entry_id", "journal_entry_closed").await?;
        let unbalanced = "SELECT 1 FROM (SELECT COUNT(*) AS parts, SUM(p.amount_minor) AS total, \
            SUM(CASE WHEN a.currency = NEW.currency AND a.program_id = NEW.program_id THEN 0 ELSE 1 END) AS foreigners \
            FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = NEW.id) AS sums WHERE parts < 2 OR total <> 0 OR foreigners > 0";
        refuse_if_exists(manager, "journal_entry", "INSERT", unbalanced, "journal_entry_balanced").await?;
        let moved = "OLD.id <> NEW.id OR OLD.program_id <> NEW.program_id OR OLD.kind <> NEW.kind OR OLD.currency <> NEW.currency \
            OR OLD.partner_id IS DISTINCT FROM NEW.partner_id";
        refuse(manager, "account", "UPDATE", moved, "account_identity").await?;
        refuse(manager, "account", "DELETE", "OLD.id IS NOT NULL", "account_append_only").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["posting", "journal_entry", "account"]).await
    }
}
