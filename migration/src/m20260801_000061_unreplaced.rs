//! What is on record for good is not replaced either: SQLite's OR REPLACE went past the triggers of UPDATE and DELETE. And a
//! sealed batch stays what it was.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{refuse, run};
use crate::m20260801_000050_recorded_numbers::RECORDED;
use crate::unreplaced::{Key, Unreplaced, keep_rows, release_rows};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A table whose rows have a number and an id.
const fn of_id(table: &'static str, keys: &'static [Key], changes: bool) -> Unreplaced<'static> {
    Unreplaced { table, own: &["id"], numbered: true, keys, changes }
}

/// A table whose rows have a number alone, which is their id.
const fn of_number(table: &'static str, keys: &'static [Key], changes: bool) -> Unreplaced<'static> {
    Unreplaced { table, own: &[], numbered: true, keys, changes }
}

/// A table that is kept in the order of its key.
const fn clustered(table: &'static str, own: &'static [&'static str], changes: bool) -> Unreplaced<'static> {
    Unreplaced { table, own, numbered: false, keys: &[], changes }
}

/// The tables of which rows stay.
pub const TABLES: &[Unreplaced<'static>] = &[
    of_number("transactions", &[Key::whole("transactions_external_key", &["source", "external_id"])], false),
    of_number("holding", &[Key::whole("holding_external_key", &["source", "external_id", "revision"])], false),
    of_number("activity", &[Key::whole("activity_external_key", &["source", "external_id"])], false),
    of_number("deal", &[Key::whole("deal_external_key", &["source", "external_id", "revision"])], false),
    clustered("exchange_rate", &["from_currency", "to_currency", "rate_type", "rate_on", "revision"], false),
    of_id(
        "import_batch",
        &[
            Key::whole("import_batch_seal_key", &["seal_number"]),
            Key { name: "import_batch_staged_key", columns: &["kind", "source", "file_digest"], of: "{row}.state = 'STAGED'", asks: &["state"] },
        ],
        true,
    ),
    of_number("audit_entry", &[Key::whole("audit_entry_sequence_key", &["sequence"])], true),
    of_id(
        "program_version",
        &[
            Key::whole("program_version_number_key", &["program_id", "number"]),
            Key { name: "program_version_effective_key", columns: &["program_id", "effective_on"], of: "{row}.state = 'PUBLISHED'", asks: &["state"] },
        ],
        true,
    ),
    of_id(
        "rebate_run",
        &[
            Key {
                name: "rebate_run_original_key",
                columns: &["program_id", "period"],
                of: "{row}.kind = 'ORIGINAL' AND {row}.state NOT IN ('FAILED', 'REJECTED', 'VOIDED') AND {row}.reversed_by_run_id IS NULL",
                asks: &["kind", "state", "reversed_by_run_id"],
            },
            Key {
                name: "rebate_run_reversal_key",
                columns: &["of_run_id"],
                of: "{row}.kind = 'REVERSAL' AND {row}.state NOT IN ('FAILED', 'REJECTED', 'VOIDED')",
                asks: &["kind", "state"],
            },
            Key::whole("rebate_run_posting_key", &["posting_number"]),
        ],
        true,
    ),
    clustered("rebate_run_chunk", &["run_id", "pass", "no"], true),
    clustered("rebate_run_budget", &["run_id", "schedule", "period", "partner_id"], true),
    of_id("statement", &[Key::whole("statement_key", &["partner_id", "schedule", "period", "run_id"])], false),
    of_id("journal_entry", &[], false),
    clustered("posting", &["entry_id", "account_id"], false),
    of_number(
        "account",
        &[
            Key { name: "account_program_key", columns: &["program_id", "kind", "currency"], of: "{row}.partner_id IS NULL", asks: &["partner_id"] },
            Key::whole("account_partner_key", &["program_id", "kind", "currency", "partner_id"]),
        ],
        true,
    ),
    of_id("rebate_accrual", &[], false),
    clustered("rebate_accrual_line", &["accrual_id", "partner_id", "schedule"], false),
    of_id("rebate_adjustment", &[Key::whole("rebate_adjustment_number_key", &["number"])], false),
    of_id(
        "period_lock",
        &[Key { name: "period_lock_live_key", columns: &["program_id", "period"], of: "{row}.released_at IS NULL", asks: &["released_at"] }],
        true,
    ),
    of_id(
        "dispute",
        &[
            Key { name: "dispute_live_key", columns: &["statement_id", "subject"], of: "{row}.state IN ('OPEN', 'ANSWERED')", asks: &["state"] },
            Key::whole("dispute_adjustment_key", &["adjustment_id"]),
        ],
        true,
    ),
    clustered("partner_profile", &["partner_id", "from_on"], true),
    of_id(
        "enrollment",
        &[
            Key::whole("enrollment_since_key", &["partner_id", "program_id", "region_key", "since_on"]),
            Key { name: "enrollment_open_key", columns: &["partner_id", "program_id", "region_key"], of: "{row}.until_on IS NULL", asks: &["until_on"] },
        ],
        true,
    ),
    of_id(
        "tier_assignment",
        &[
            Key::whole("tier_assignment_from_key", &["partner_id", "program_id", "ladder", "region_key", "from_on"]),
            Key {
                name: "tier_assignment_open_key",
                columns: &["partner_id", "program_id", "ladder", "region_key"],
                of: "{row}.until_on IS NULL",
                asks: &["until_on"],
            },
        ],
        true,
    ),
    of_id("tier_override", &[], true),
    of_id("tier_admission", &[], true),
    of_id("contract", &[Key::whole("contract_number_key", &["program_id", "number"])], true),
    of_id("entitlement_exception", &[], true),
];

const SEALED: &str = "import_batch_immutable";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for kept in TABLES {
            keep_rows(manager, kept).await?;
        }
        for recorded in &RECORDED {
            let (table, own) = (format!("{}_past", recorded.table), [recorded.key, &["recorded_number"]].concat());
            keep_rows(manager, &Unreplaced { table: &table, own: &own, numbered: false, keys: &[], changes: false }).await?;
        }
        refuse(manager, "import_batch", "UPDATE", "OLD.state = 'SEALED'", SEALED).await?;
        refuse(manager, "import_batch", "DELETE", "OLD.state = 'SEALED'", SEALED).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let on = if manager.get_database_backend() == DbBackend::Postgres { " ON import_batch" } else { "" };
        for event in ["update", "delete"] {
            run(manager, &[&format!("DROP TRIGGER IF EXISTS {SEALED}_{event}{on}")]).await?;
        }
        for recorded in &RECORDED {
            let table = format!("{}_past", recorded.table);
            release_rows(manager, &Unreplaced { table: &table, own: &[], numbered: false, keys: &[], changes: false }).await?;
        }
        for kept in TABLES {
            release_rows(manager, kept).await?;
        }
        Ok(())
    }
}
