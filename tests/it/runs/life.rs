//! From draft to paid, by whom, and what is refused.

use guerdon_domain::access::{Actor, ActorKind, Role, RoleAssignment, RoleScope};
use guerdon_migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DbBackend};
use serde_json::{Value, json};

use super::{
    amount, approved, calculate, calculated, go_to, line, look, move_run, posted, preparer, program_with, refusal, retroactive, row, second_approver, sell,
    service, sound, statements, try_move,
};
use crate::api::{Api, approver, auditor, of_partner};

async fn two_partners() -> Api {
    let api = service(&program_with(retroactive()), &["A", "B"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-01", "1000.00"), line("2", "B", "2020-02-02", "333.33")]).await;
    api
}

#[tokio::test]
async fn a_run_goes_from_draft_to_paid_and_partners_see_what_is_posted() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!((&run["state"], amount(&run)), (&json!("CALCULATED"), "23.33"));
    assert_eq!(statements(&api, &run).await, [row("A", "2020-Q1", "20.00", "0.00", "20.00"), row("B", "2020-Q1", "3.33", "0.00", "3.33")]);
    let mine = "{ statements { totalCount nodes { period amount { amount } lines { kind base rate amount { amount } } saleLines { nodes { externalId amount { amount } } } } } partner(by: {code: \"A\"}) { statements { nodes { amount { amount } run { state } } } } }";
    assert_eq!(api.ask(of_partner("A"), mine).await.at("/statements/totalCount"), 0, "nothing before it is posted");
    let run = approved(&api, &run).await;
    let run = move_run(&api, approver(), "rebateRunPost", json!({"runId": run["id"], "contentHash": run["contentHash"]})).await;
    assert_eq!(run["state"], "POSTED");
    let answer = api.ask(of_partner("A"), mine).await;
    let statement = answer.at("/statements/nodes/0");
    assert_eq!((answer.at("/statements/totalCount"), &statement["amount"]["amount"]), (&json!(1), &json!("20.00")));
    assert_eq!(statement["lines"], json!([{"kind": "EARNED", "base": "1000", "rate": "0.02", "amount": {"amount": "20.00"}}]));
    assert_eq!(statement["saleLines"]["nodes"], json!([{"externalId": "1", "amount": {"amount": "20.00"}}]));
    assert_eq!(answer.at("/partner/statements/nodes/0"), &json!({"amount": {"amount": "20.00"}, "run": null}));
    let paid = json!({"runId": run["id"], "paidOn": "2020-04-10", "reference": "SEPA-1"});
    assert_eq!(move_run(&api, approver(), "rebateRunPay", paid).await["state"], "PAID");
    let journal = api.ask(auditor(), "{ journal { totalCount nodes { kind run { state } postings { nodes { account amount { amount } partner { code } } } } } ledgerAccounts(program: \"P\") { kind balance { amount } } }").await;
    assert_eq!(journal.at("/journal/totalCount"), 2);
    assert_eq!(journal.at("/journal/nodes/1/postings/nodes").as_array().unwrap().len(), 3);
    let accounts = journal.at("/ledgerAccounts").as_array().unwrap();
    assert!(accounts.contains(&json!({"kind": "REBATE_EXPENSE", "balance": {"amount": "23.33"}})), "{accounts:?}");
    assert!(accounts.contains(&json!({"kind": "PAYMENT_CLEARING", "balance": {"amount": "-23.33"}})), "{accounts:?}");
    sound(&api).await;
}

#[tokio::test]
async fn ten_clients_start_one_run() {
    let api = two_partners().await;
    let create = |_: usize| try_move(&api, preparer(), "rebateRunCreate", json!({"program": "P", "period": "2020-Q1"}));
    let answers = futures_util::future::join_all((0..10).map(create)).await;
    let ids: std::collections::BTreeSet<String> = answers.iter().map(|answer| answer.at("/payload/run/id").as_str().unwrap().to_owned()).collect();
    let refused =
        answers.iter().filter(|answer| answer.at("/payload/userErrors") != &json!([])).inspect(|answer| assert_eq!(refusal(answer), "RUN_EXISTS")).count();
    assert_eq!((ids.len(), refused), (1, 9));
    assert!(
        answers
            .iter()
            .filter(|answer| answer.at("/payload/userErrors") != &json!([]))
            .all(|answer| { answer.at("/payload/userErrors/0/message").as_str().unwrap().contains(ids.first().unwrap()) })
    );
}

#[tokio::test]
async fn whoever_comes_second_is_pointed_at_no_argument_that_there_is_not() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    let submit = |_: usize| try_move(&api, preparer(), "rebateRunSubmit", named.clone());
    let answers = futures_util::future::join_all((0..10).map(submit)).await;
    let refused: Vec<&Value> = answers.iter().map(|answer| answer.at("/payload/userErrors")).filter(|errors| **errors != json!([])).collect();
    assert_eq!(refused.len(), 9);
    for errors in refused {
        let expected = if errors[0]["code"] == "STALE" { Value::Null } else { json!(["input", "runId"]) };
        assert_eq!(errors[0]["field"], expected, "{errors}");
    }
}

#[tokio::test]
async fn four_eyes_by_person_on_the_record_and_by_the_database() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    move_run(&api, preparer(), "rebateRunSubmit", named.clone()).await;
    // The same person with the approver's role under another key.
    let both = Actor { credential: "other key".into(), roles: vec![RoleAssignment::new(Role::FinanceApprover, RoleScope::All)], ..preparer() };
    assert_eq!(refusal(&try_move(&api, both.clone(), "rebateRunApprove", named.clone()).await), "SEGREGATION_OF_DUTIES");
    let machine = Actor { person: "robot".into(), kind: ActorKind::Service, ..approver() };
    assert_eq!(try_move(&api, machine, "rebateRunApprove", named.clone()).await.codes(), ["FORBIDDEN"]);
    assert_eq!(try_move(&api, preparer(), "rebateRunApprove", named.clone()).await.codes(), ["FORBIDDEN"]);
    let recorded = "SELECT COUNT(*) FROM audit_entry WHERE object_type = 'RebateRun' AND after_state LIKE '%SEGREGATION_OF_DUTIES%'";
    assert_eq!(api.database.number(recorded).await, 1);
    let beside = "UPDATE rebate_run SET state = 'APPROVED', approved_by = prepared_by WHERE state = 'SUBMITTED'";
    assert!(api.database.beside().await.execute_unprepared(beside).await.is_err(), "by constraint as well");
    move_run(&api, approver(), "rebateRunApprove", named.clone()).await;
    assert_eq!(refusal(&try_move(&api, both, "rebateRunPost", named.clone()).await), "SEGREGATION_OF_DUTIES");
    move_run(&api, approver(), "rebateRunPost", named).await;
}

#[tokio::test]
async fn above_the_limit_a_second_approver_posts() {
    let mut api = two_partners().await;
    api.app.limits.second_approver_above = Some(23);
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(run["needsSecondApprover"], true);
    let run = approved(&api, &run).await;
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPost", named.clone()).await), "SEGREGATION_OF_DUTIES");
    assert_eq!(move_run(&api, second_approver(), "rebateRunPost", named).await["state"], "POSTED");
}

#[tokio::test]
async fn what_changed_since_it_was_calculated_is_refused() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let named = |run: &Value| json!({"runId": run["id"], "contentHash": run["contentHash"]});
    let other = json!({"runId": run["id"], "contentHash": "0000"});
    assert_eq!(refusal(&try_move(&api, preparer(), "rebateRunSubmit", other).await), "CONTENT_CHANGED");
    move_run(&api, preparer(), "rebateRunSubmit", named(&run)).await;
    // A line of the quarter comes in.
    sell(&api, &[line("3", "B", "2020-03-31", "1000.00")]).await;
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunApprove", named(&run)).await), "CONTENT_CHANGED");
    let run = calculate(&api, &run).await;
    assert_eq!(amount(&run), "46.67");
    // A line of the next quarter concerns nobody; a corrected exchange rate of this one does.
    sell(&api, &[line("4", "B", "2020-04-01", "1000.00")]).await;
    move_run(&api, preparer(), "rebateRunSubmit", named(&run)).await;
    let rate = json!({"source": "ecb", "rates": [{"from": "EUR", "to": "USD", "date": "2020-03-02", "rate": "1.25"}], "idempotencyKey": "rate"});
    api.mutate(crate::api::importer(), "exchangeRatesRecord", "ExchangeRatesRecordInput", "result { recorded }", rate).await;
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunApprove", named(&run)).await), "CONTENT_CHANGED");
    // A version that governs the quarter is published.
    let run = calculate(&api, &run).await;
    move_run(&api, preparer(), "rebateRunSubmit", named(&run)).await;
    let mut next = program_with(retroactive());
    next["version"] = json!({"label": "FY20b", "effectiveOn": "2020-01-01"});
    next["rebateSchedules"][0]["method"]["bands"]["bands"][0]["rate"] = json!("3 %");
    api.publish(&next).await;
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunApprove", named(&run)).await), "CONTENT_CHANGED");
    let again = calculate(&api, &run).await;
    assert_ne!(again["contentHash"], run["contentHash"]);
    let again = approved(&api, &again).await;
    move_run(&api, approver(), "rebateRunPost", named(&again)).await;
    sound(&api).await;
}

#[tokio::test]
async fn what_is_posted_is_immutable_by_sql_and_by_the_interface() {
    let api = two_partners().await;
    let run = posted(&api, "2020-Q1", "ORIGINAL").await;
    let before = statements(&api, &run).await;
    let beside = api.database.beside().await;
    let new_id = if beside.get_database_backend() == DbBackend::Postgres { "gen_random_uuid()" } else { "randomblob(16)" };
    let one_more = format!(
        "INSERT INTO statement (id, run_id, program_id, partner_id, version_id, schedule, period, period_from, period_until, currency, qualifier, basis, exact, \
         entitled_minor, before_minor, difference_minor, carried_minor, amount_minor, inputs, steps, lines, content_hash) \
         SELECT {new_id}, run_id, program_id, partner_id, version_id, 'more', period, period_from, period_until, currency, qualifier, basis, exact, \
         entitled_minor, before_minor, difference_minor, carried_minor, amount_minor, inputs, steps, lines, content_hash FROM statement"
    );
    for sql in [
        one_more.as_str(),
        "UPDATE statement SET amount_minor = amount_minor + 1, carried_minor = carried_minor + 1",
        "DELETE FROM statement",
        "UPDATE statement SET lines = '[]'",
        "UPDATE rebate_run SET totals = '[]'",
        "UPDATE rebate_run SET state = 'DRAFT'",
        "UPDATE rebate_run SET posting_number = posting_number + 1",
        "DELETE FROM rebate_run",
        "UPDATE posting SET amount_minor = 1",
        "DELETE FROM posting",
        "DELETE FROM journal_entry",
        "INSERT INTO posting (entry_id, account_id, amount_minor) SELECT e.id, a.id, 5 FROM journal_entry e, account a WHERE a.id NOT IN (SELECT account_id FROM posting)",
        "UPDATE period_lock SET period = 'x'",
        "DELETE FROM period_lock",
    ] {
        let done = beside.execute_unprepared(sql).await;
        assert!(done.as_ref().map_or(true, |done| done.rows_affected() == 0), "{sql}: {done:?}");
    }
    for (name, who) in [("rebateRunVoid", preparer()), ("rebateRunCalculate", preparer())] {
        assert_eq!(refusal(&try_move(&api, who, name, json!({"runId": run["id"]})).await), "WRONG_STATE", "{name}");
    }
    let rejected = json!({"runId": run["id"], "note": "no"});
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunReject", rejected).await), "WRONG_STATE");
    assert_eq!(statements(&api, &run).await, before);
    sound(&api).await;
}

#[tokio::test]
async fn an_entry_that_does_not_balance_cannot_be_committed() {
    let api = two_partners().await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let beside = api.database.beside().await;
    let unbalanced = "INSERT INTO journal_entry (id, program_id, kind, period, entry_on, currency, created_by, created_at) \
        SELECT p.id, p.id, 'ACCRUAL', 'x', '2020-01-01', 'USD', 'x', '2020-01-01T00:00:00+00:00' FROM program p";
    assert!(beside.execute_unprepared(unbalanced).await.is_err(), "an entry without postings");
    let orphan = "INSERT INTO posting (entry_id, account_id, amount_minor) SELECT p.id, a.id, 5 FROM program p, account a";
    assert!(beside.execute_unprepared(orphan).await.is_err(), "postings without their entry");
    sound(&api).await;
}

#[tokio::test]
async fn a_reversal_takes_everything_out_and_the_period_runs_anew() {
    let api = two_partners().await;
    let run = posted(&api, "2020-Q1", "ORIGINAL").await;
    let create = json!({"program": "P", "period": "2020-Q1"});
    let second = try_move(&api, preparer(), "rebateRunCreate", create.clone()).await;
    assert_eq!(refusal(&second), "RUN_EXISTS");
    let told = second.at("/payload/userErrors/0/message").as_str().unwrap();
    assert!(told.contains("reverse that run") && !told.contains("void"), "what is posted cannot be voided: {told}");
    let reversal = move_run(&api, approver(), "rebateRunReverse", json!({"runId": run["id"], "reason": "wrong rates"})).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    let reversal = look(&api, &reversal).await;
    assert_eq!((&reversal["state"], amount(&reversal)), (&json!("CALCULATED"), "-23.33"));
    let named = json!({"runId": reversal["id"], "contentHash": reversal["contentHash"]});
    move_run(&api, preparer(), "rebateRunSubmit", named.clone()).await;
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunApprove", named.clone()).await), "SEGREGATION_OF_DUTIES", "he made it");
    move_run(&api, second_approver(), "rebateRunApprove", named.clone()).await;
    move_run(&api, second_approver(), "rebateRunPost", named).await;
    sound(&api).await;
    super::knowledge::reproduced(&api, &reversal).await;
    super::knowledge::reproduced(&api, &run).await;
    let again = posted(&api, "2020-Q1", "ORIGINAL").await;
    assert_eq!(statements(&api, &again).await, [row("A", "2020-Q1", "20.00", "0.00", "20.00"), row("B", "2020-Q1", "3.33", "0.00", "3.33")]);
    let accounts = api.ask(auditor(), "{ ledgerAccounts(program: \"P\") { balance { amount } } }").await;
    assert_eq!(accounts.at("/ledgerAccounts/0/balance/amount"), "23.33");
    sound(&api).await;
}

/// What is on an account of the program.
async fn balances(api: &Api) -> Vec<(String, String)> {
    let accounts = api.ask(auditor(), "{ ledgerAccounts(program: \"P\") { kind balance { amount } } }").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    accounts.at("/ledgerAccounts").as_array().unwrap().iter().map(|one| (text(&one["kind"]), text(&one["balance"]["amount"]))).collect()
}

/// Reverses a run and posts the reversal.
async fn reversed(api: &Api, run: &Value) -> Value {
    let reversal = move_run(api, approver(), "rebateRunReverse", json!({"runId": run["id"], "reason": "wrong rates"})).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    let reversal = look(api, &reversal).await;
    let named = json!({"runId": reversal["id"], "contentHash": reversal["contentHash"]});
    move_run(api, preparer(), "rebateRunSubmit", named.clone()).await;
    move_run(api, second_approver(), "rebateRunApprove", named.clone()).await;
    move_run(api, second_approver(), "rebateRunPost", named).await
}

#[tokio::test]
async fn what_was_paid_is_paid_back_for_the_reversal_and_the_books_show_it() {
    let api = two_partners().await;
    let pay = |run: &Value, on: &str| json!({"runId": run["id"], "paidOn": on, "reference": "SEPA-1"});
    let unpaid = posted(&api, "2020-Q1", "ORIGINAL").await;
    for (on, code) in [("2020-04-09", "BEFORE_POSTING"), ("2020-04-11", "IN_THE_FUTURE")] {
        assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPay", pay(&unpaid, on)).await), code);
    }
    let nothing = reversed(&api, &unpaid).await;
    let refused = try_move(&api, approver(), "rebateRunPay", pay(&nothing, "2020-04-10")).await;
    assert_eq!(refusal(&refused), "WRONG_STATE");
    assert!(refused.at("/payload/userErrors/0/message").as_str().unwrap().contains("was never paid"), "{refused:?}");

    let run = posted(&api, "2020-Q1", "ORIGINAL").await;
    go_to(&api, "2020-04-12");
    assert_eq!(move_run(&api, approver(), "rebateRunPay", pay(&run, "2020-04-12")).await["state"], "PAID");
    let reversal = reversed(&api, &run).await;
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPay", pay(&reversal, "2020-04-11")).await), "BEFORE_POSTING");
    assert_eq!(move_run(&api, approver(), "rebateRunPay", pay(&reversal, "2020-04-12")).await["state"], "PAID");
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPay", pay(&reversal, "2020-04-12")).await), "WRONG_STATE", "once");
    assert!(balances(&api).await.iter().all(|(_, balance)| balance == "0.00"), "{:?}", balances(&api).await);
    let query =
        format!("{{ journal(filter: {{run: {}}}) {{ nodes {{ kind reference postings {{ nodes {{ account amount {{ amount }} }} }} }} }} }}", reversal["id"]);
    let entries = api.ask(auditor(), &query).await;
    let back = entries.at("/journal/nodes").as_array().unwrap().iter().find(|entry| entry["kind"] == "PAYMENT").unwrap().clone();
    assert!(back["postings"]["nodes"].as_array().unwrap().contains(&json!({"account": "PAYMENT_CLEARING", "amount": {"amount": "23.33"}})), "{back}");
    sound(&api).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    sound(&api).await;
    // An amount that left, and that no statement asks for, is found.
    let beside = api.database.beside().await;
    let off = if crate::harness::is_postgres() { "ALTER TABLE posting DISABLE TRIGGER USER" } else { "DROP TRIGGER posting_no_update" };
    beside.execute_unprepared(off).await.unwrap();
    beside
        .execute_unprepared("UPDATE posting SET amount_minor = 2 * amount_minor WHERE entry_id IN (SELECT id FROM journal_entry WHERE kind = 'PAYMENT')")
        .await
        .unwrap();
    let faults = api.database.store.read(async |tx| tx.verify_ledger().await).await.unwrap();
    assert_eq!(faults.iter().filter(|fault| fault.check.starts_with("what was paid for a run")).count(), 2, "{faults:?}");
}

#[tokio::test]
async fn a_tampered_statement_is_found_before_it_is_posted() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let run = approved(&api, &run).await;
    let beside = api.database.beside().await;
    let drop = if crate::harness::is_postgres() { "ALTER TABLE statement DISABLE TRIGGER USER" } else { "DROP TRIGGER statement_immutable_update" };
    beside.execute_unprepared(drop).await.unwrap();
    beside
        .execute_unprepared(
            "UPDATE statement SET entitled_minor = entitled_minor + 100, difference_minor = difference_minor + 100, amount_minor = amount_minor + 100",
        )
        .await
        .unwrap();
    let named = json!({"runId": run["id"], "contentHash": run["contentHash"]});
    assert_eq!(refusal(&try_move(&api, approver(), "rebateRunPost", named).await), "CONTENT_CHANGED");
}

#[tokio::test]
async fn accruals_are_set_aside_and_released_when_the_period_is_posted() {
    let mut schedule = retroactive();
    schedule["accrual"] = json!({"rate": "1.5 %"});
    let api = service(&program_with(schedule), &["A"], "2020-02-15").await;
    sell(&api, &[line("1", "A", "2020-02-01", "400.00")]).await;
    let accrue = |key: &str| json!({"program": "P", "period": "2020-Q1", "idempotencyKey": key});
    for (key, expected) in [("a", "6.00"), ("b", "6.00")] {
        api.mutate(preparer(), "rebateAccrue", "RebateAccrueInput", "job { state }", accrue(key)).await;
        guerdon::jobs::run_due(&api.app).await.unwrap();
        let accounts = api.ask(auditor(), "{ ledgerAccounts(program: \"P\") { kind balance { amount } } }").await;
        assert!(accounts.at("/ledgerAccounts").as_array().unwrap().contains(&json!({"kind": "REBATE_ACCRUED", "balance": {"amount": format!("-{expected}")}})));
    }
    assert_eq!(api.database.number("SELECT COUNT(*) FROM journal_entry").await, 1, "the same again posts nothing");
    go_to(&api, "2020-04-10");
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let accounts = api.ask(auditor(), "{ ledgerAccounts(program: \"P\") { kind balance { amount } } }").await;
    let accounts = accounts.at("/ledgerAccounts").as_array().unwrap().clone();
    assert!(accounts.contains(&json!({"kind": "REBATE_ACCRUED", "balance": {"amount": "0.00"}})), "{accounts:?}");
    assert!(accounts.contains(&json!({"kind": "REBATE_EXPENSE", "balance": {"amount": "4.00"}})), "{accounts:?}");
    sound(&api).await;
}

#[tokio::test]
async fn statements_of_the_database_are_equal_for_one_partner_and_for_many() {
    let partners = ["A", "B", "C", "D", "E"];
    let api = service(&program_with(retroactive()), &partners, "2020-04-10").await;
    let sold: Vec<Value> = partners.iter().map(|code| line(code, code, "2020-02-01", "1000.00")).collect();
    sell(&api, &sold).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let query = "query($first: Int!) { partners(first: $first) { nodes { statements(first: 3) { nodes { amount { amount } partner { code } lines { kind } run { state } version { number } } } } } }";
    let mut counts = Vec::new();
    for first in [1, 1, 5] {
        let before = api.database.store.statements();
        let answer = api.execute(auditor(), query, json!({"first": first})).await;
        let nodes = answer.at("/partners/nodes").as_array().unwrap();
        assert!(nodes.len() == first && nodes.iter().all(|node| node["statements"]["nodes"][0]["lines"][0]["kind"] == "EARNED"), "{nodes:?}");
        counts.push(api.database.store.statements() - before);
    }
    assert_eq!(counts[1], counts[2], "{counts:?}");
}

#[tokio::test]
async fn runs_and_statements_are_found_by_id_only_by_those_who_may_see_them() {
    let api = two_partners().await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    let ids = api.ask(preparer(), "{ statements { nodes { id partner { code } } } }").await;
    let of_a = ids.at("/statements/nodes").as_array().unwrap().iter().find(|node| node["partner"]["code"] == "A").unwrap()["id"].clone();
    let node = |id: &Value| format!("{{ node(id: {id}) {{ id }} }}");
    let manager = || crate::api::actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
    for id in [&run["id"], &of_a] {
        for who in [of_partner("A"), of_partner("B"), manager()] {
            assert_eq!(api.ask(who, &node(id)).await.at("/node"), &Value::Null, "nothing before it is posted");
        }
    }
    let run = approved(&api, &run).await;
    move_run(&api, approver(), "rebateRunPost", json!({"runId": run["id"], "contentHash": run["contentHash"]})).await;
    assert_eq!(api.ask(of_partner("A"), &node(&of_a)).await.at("/node/id"), &of_a);
    assert_eq!(api.ask(of_partner("B"), &node(&of_a)).await.at("/node"), &Value::Null);
    assert_eq!(api.ask(of_partner("A"), &node(&run["id"])).await.at("/node"), &Value::Null, "runs are not for partners");
    let seen = api.ask(manager(), "{ rebateRuns { totalCount nodes { state totals { statements } } } statements { totalCount } }").await;
    assert_eq!(seen.at("/rebateRuns"), &json!({"totalCount": 1, "nodes": [{"state": "POSTED", "totals": []}]}), "sums over all partners are not his");
    assert_eq!(seen.at("/statements/totalCount"), 1, "his region's alone");
}

/// The lines of statements had a table of their own once: posted ones move into their statement's row, and back, as they are.
#[tokio::test]
async fn lines_move_with_their_statements() {
    let api = two_partners().await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let kept = async || -> Vec<Value> {
        let lines = api.database.texts("SELECT lines FROM statement ORDER BY amount_minor").await;
        lines.iter().map(|lines| serde_json::from_str(lines).unwrap()).collect()
    };
    let before = kept().await;
    assert_eq!(before.iter().map(|lines| lines[0][9].as_i64()).collect::<Vec<_>>(), [Some(333), Some(2000)]);
    let connection = guerdon_store::connect_for_migration(&api.database.url).await.unwrap();
    let steps = api.database.texts("SELECT version FROM seaql_migrations WHERE version >= 'm20260801_000041'").await.len();
    Migrator::down(&connection, u32::try_from(steps).ok()).await.unwrap();
    assert_eq!(api.database.texts("SELECT exact FROM statement_line ORDER BY amount_minor").await, ["3.3333", "20"]);
    Migrator::up(&connection, None).await.unwrap();
    assert_eq!(kept().await, before);
    let rewritten = api.database.beside().await.execute_unprepared("UPDATE statement SET lines = '[]'").await;
    assert!(rewritten.is_err(), "{rewritten:?}");
    sound(&api).await;
}
