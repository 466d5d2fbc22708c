//! What is on record for good is neither changed nor deleted, nor put out of the way of another row.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;

use super::{go_to, line, move_run, posted, preparer, program_with, retroactive, sell, service, sound};
use crate::api::{Api, approver};
use crate::harness::build::{activity, deal, holding, of, record};
use crate::harness::{TestDatabase, is_postgres};

/// A service on which something of most kinds is on record: facts, a posted and a paid run, an accrual.
async fn filled() -> Api {
    let api = service(&program_with(retroactive()), &["A"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00"), line("2", "A", "2020-05-01", "500.00")]).await;
    let store = &api.database.store;
    record(store, of("A", [holding("1", "2020-01-05")])).await;
    record(store, of("A", [activity("1", "2020-01-05", "1")])).await;
    record(store, of("A", [deal("1", "2020-01-05")])).await;
    let run = posted(&api, "2020-Q1", "ORIGINAL").await;
    move_run(&api, approver(), "rebateRunPay", json!({"runId": run["id"], "paidOn": "2020-04-10", "reference": "T-1"})).await;
    go_to(&api, "2020-06-01");
    let accrue = json!({"program": "P", "period": "2020-Q2", "idempotencyKey": api.key()});
    api.mutate(preparer(), "rebateAccrue", "RebateAccrueInput", "job { id }", accrue).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    // A row of the past.
    api.database.beside().await.execute_unprepared("UPDATE enrollment SET track = 'x'").await.unwrap();
    api
}

async fn refused(beside: &DatabaseConnection, sql: &str) -> String {
    beside.execute_unprepared(sql).await.expect_err(sql).to_string()
}

/// The tables of which rows are refused, each with a key and a change. `audit_entry` and `program_version` change until they are final.
const KEPT: [(&str, &str, &str); 16] = [
    ("transactions", "(source, external_id)", "amount_minor = 5"),
    ("holding", "(source, external_id, revision)", "line = 5"),
    ("activity", "(source, external_id)", "line = 5"),
    ("deal", "(source, external_id, revision)", "line = 5"),
    ("import_batch", "(id)", "source = 'x'"),
    ("audit_entry", "(id)", "actor = 'x'"),
    ("program_version", "(id)", "document = '{}'"),
    ("rebate_run", "(id)", "approved_by = 'x'"),
    ("statement", "(id)", "tier = 'x'"),
    ("journal_entry", "(id)", "entry_on = '2019-01-01'"),
    ("posting", "(entry_id, account_id)", "amount_minor = 5"),
    ("period_lock", "(id)", "period = 'x'"),
    ("rebate_accrual", "(id)", "cut_off = 0"),
    ("rebate_accrual_line", "(accrual_id, partner_id, schedule)", "accrued_minor = 5"),
    ("enrollment_past", "(id, recorded_number)", "track = 'y'"),
    ("account", "(id)", "currency = 'EUR'"),
];

#[tokio::test]
async fn what_is_on_record_is_neither_changed_nor_deleted_nor_upserted() {
    let api = filled().await;
    let beside = api.database.beside().await;
    let overriding = if is_postgres() { "OVERRIDING SYSTEM VALUE" } else { "" };
    for (table, key, change) in KEPT {
        refused(&beside, &format!("UPDATE {table} SET {change}")).await;
        refused(&beside, &format!("DELETE FROM {table}")).await;
        refused(&beside, &format!("INSERT INTO {table} {overriding} SELECT * FROM {table} WHERE TRUE ON CONFLICT {key} DO UPDATE SET {change}")).await;
    }
    sound(&api).await;
}

/// Beside the figures: when and by whom it was calculated, submitted, rejected or voided, what was said, what was paid, and what the run is made of.
#[tokio::test]
async fn nothing_of_a_posted_run_and_its_lock_is_rewritten() {
    let api = filled().await;
    let beside = api.database.beside().await;
    let time = "'2019-01-01T00:00:00+00:00'";
    for set in ["calculated_at", "submitted_at", "rejected_at", "voided_at", "paid_at"] {
        refused(&beside, &format!("UPDATE rebate_run SET {set} = {time}")).await;
    }
    for set in ["decision_note = 'x'", "failure = 'x'", "rejected_by = 'x'", "voided_by = 'x'", "fence = 99", "partners_done = 99", "paid_on = '2020-04-11'"] {
        refused(&beside, &format!("UPDATE rebate_run SET {set}")).await;
    }
    for set in ["period_from = '2019-01-01'", "period_until = '2021-01-01'", "reason = 'x'"] {
        refused(&beside, &format!("UPDATE period_lock SET {set}")).await;
    }
    for set in ["last_code = 'x'", "partners = 99", "statements = 99"] {
        refused(&beside, &format!("UPDATE rebate_run_chunk SET {set}")).await;
    }
    sound(&api).await;
}

#[tokio::test]
async fn no_table_whose_rows_stay_is_emptied_at_once() {
    if !is_postgres() {
        return;
    }
    let api = filled().await;
    let beside = api.database.beside().await;
    for table in KEPT.iter().map(|(table, _, _)| *table).chain(["enrollment", "partner_profile", "tier_assignment", "dispute", "rebate_run_budget"]) {
        refused(&beside, &format!("TRUNCATE {table} CASCADE")).await;
    }
    refused(&beside, "TRUNCATE partner CASCADE").await;
    sound(&api).await;
}

#[tokio::test]
async fn the_shares_of_a_posted_budget_are_not_rewritten() {
    let mut schedule = retroactive();
    schedule["budget"] = json!({"amount": "10"});
    let api = service(&program_with(schedule), &["A", "B"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00"), line("2", "B", "2020-02-01", "1000.00")]).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let beside = api.database.beside().await;
    for set in ["shared_minor = 5", "earned_minor = 5", "period = 'x'"] {
        assert!(refused(&beside, &format!("UPDATE rebate_run_budget SET {set}")).await.contains("rebate_run_budget_immutable"), "{set}");
    }
    sound(&api).await;
}

#[tokio::test]
async fn what_is_on_record_is_not_replaced() {
    if is_postgres() {
        return;
    }
    let api = filled().await;
    let beside = api.database.beside().await;
    for (table, _, _) in KEPT.into_iter().chain([("enrollment", "", ""), ("partner_profile", "", "")]) {
        refused(&beside, &format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}")).await;
    }
    // By another key than its own.
    for table in ["transactions", "holding", "activity", "deal"] {
        let columns = api.database.texts(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'")).await.join(", ");
        let error = refused(&beside, &format!("INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}")).await;
        assert!(error.contains(&format!("{table}_external_key")), "{error}");
    }
    // By the number of its row.
    let lock = "INSERT OR REPLACE INTO period_lock (rowid, id, program_id, period, period_from, period_until, locked_by, locked_at) \
        SELECT rowid, randomblob(16), program_id, 'other', period_from, period_until, locked_by, locked_at FROM period_lock";
    assert!(refused(&beside, lock).await.contains("period_lock_append_only"));
    // By a change of another row.
    let seal = refused(&beside, "UPDATE OR REPLACE audit_entry SET sequence = 1, prev_hash = '', hash = 'h'").await;
    assert!(seal.contains("audit_entry_sequence_key"), "{seal}");
    sound(&api).await;
}

/// Whoever makes a table of which nothing is deleted, or whose past is kept, says that nothing of it is replaced either, by any key.
#[tokio::test]
async fn every_key_of_a_kept_table_is_guarded() {
    if is_postgres() {
        return;
    }
    let database = crate::harness::fresh().await;
    let kept =
        "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger' AND (sql LIKE '%BEFORE DELETE ON%' OR name LIKE '%\\_record\\_delete' ESCAPE '\\')";
    let tables = database.texts(kept).await;
    assert!(tables.len() > 30, "{tables:?}");
    for table in tables {
        let guard = text(&database, &format!("{table}_no_replace_insert")).await;
        let clustered = database.number(&format!("SELECT wr FROM pragma_table_list('{table}')")).await == 1;
        assert!(clustered || guard.contains("held.rowid = NEW.rowid"), "{table}");
        let keys = format!(
            "SELECT (SELECT group_concat('held.' || c.name || ' = NEW.' || c.name, ' AND ') FROM pragma_index_info(i.name) c) \
             FROM pragma_index_list('{table}') i WHERE i.\"unique\" = 1"
        );
        for key in database.texts(&keys).await {
            assert!(guard.contains(&key), "{table}: {key}");
        }
        let never_changes = !text(&database, &format!("{table}_no_update")).await.is_empty() || table == "statement";
        assert!(never_changes || !text(&database, &format!("{table}_no_replace_update")).await.is_empty(), "{table}");
    }
}

async fn text(database: &TestDatabase, trigger: &str) -> String {
    database.texts(&format!("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = '{trigger}'")).await.join("")
}
