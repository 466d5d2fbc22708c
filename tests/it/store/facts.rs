//! Facts are append-only and idempotent by source and external id.

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{DealOutcome, TransactionKind};
use guerdon_store::{ConflictLine, ConflictRule, FactsPlan, NewBatch, PageRequest, Recorded, RejectReason, StoreError};
use sea_orm::ConnectionTrait;

use crate::harness::build::{activity, date, deal, holding, of, partner, partners, products, program, record, sale, today, write};
use crate::harness::fresh;

#[tokio::test]
async fn the_same_again_changes_nothing_and_another_body_is_a_conflict() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE"), partner("Q", "FR")]).await;
    let first = record(&database.store, of("P", [sale("1", "2024-01-05", 100), sale("2", "2024-01-06", 200)])).await;
    assert_eq!((first.inserted, first.unchanged, first.seal_number), (2, 0, Some(1)));
    let again = record(&database.store, of("P", [sale("1", "2024-01-05", 100), sale("2", "2024-01-06", 200)])).await;
    assert_eq!((again.inserted, again.unchanged, again.batch), (0, 2, None));
    let mixed = record(&database.store, of("P", [sale("1", "2024-01-05", 101), sale("2", "2024-01-06", 200), sale("3", "2024-01-07", 300)])).await;
    assert_eq!((mixed.inserted, mixed.unchanged, mixed.conflict_count, mixed.seal_number), (1, 1, 1, Some(2)));
    assert_eq!(mixed.conflicts, vec![ConflictLine { line: 1, external_id: "1".to_owned() }]);
    let others = record(&database.store, of("Q", [sale("2", "2024-01-06", 200)])).await;
    assert_eq!((others.inserted, others.conflict_count), (0, 1), "whose it is belongs to the body");
    let known_later = Recorded {
        line: 1,
        partner: "P".to_owned(),
        fact: guerdon_domain::facts::Transaction { recorded_on: date("2026-04-01"), ..sale("1", "2024-01-05", 100) },
    };
    assert_eq!(record(&database.store, vec![known_later]).await.unchanged, 1, "when it became known does not");
    assert_eq!(database.number("SELECT COUNT(*) FROM import_batch").await, 2, "a batch that changed nothing leaves nothing");
    assert_eq!(database.number("SELECT COALESCE(CAST(SUM(amount_minor) AS BIGINT), 0) FROM transaction_monthly").await, 600);
}

#[tokio::test]
async fn one_batch_may_repeat_itself_but_not_contradict() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let rows = of("P", [sale("1", "2024-01-05", 100), sale("1", "2024-01-05", 100), sale("1", "2024-01-05", 999), sale("2", "2024-01-05", 1)]);
    let report = record(&database.store, rows).await;
    assert_eq!((report.inserted, report.unchanged, report.conflict_count), (2, 1, 1));
    assert_eq!(report.conflicts, vec![ConflictLine { line: 3, external_id: "1".to_owned() }]);
}

#[tokio::test]
async fn unknown_partners_products_and_sources_are_listed_by_line() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE"), partner("HIDDEN", "FR")]).await;
    products(&database.store, &[("BIKE", "BIKES")]).await;
    let mut with_product = sale("3", "2024-01-05", 1);
    with_product.product = Some("BOAT".to_owned());
    let mut elsewhere = sale("4", "2024-01-05", 1);
    elsewhere.id.source = "other".to_owned();
    let rows: Vec<Recorded<_>> = [
        ("NOBODY", sale("1", "2024-01-05", 1)),
        ("HIDDEN", sale("2", "2024-01-05", 1)),
        ("P", with_product),
        ("P", elsewhere),
        ("P", sale("5", "2024-01-05", 1)),
    ]
    .into_iter()
    .zip(1..)
    .map(|((partner, fact), line)| Recorded { line, partner: partner.to_owned(), fact })
    .collect();
    let scope = Scope::Regions(vec!["DE".to_owned()]);
    let report =
        write(&database.store, async |tx| tx.record_facts(&scope, &NewBatch::of_source("shop"), ConflictRule::Refuse, rows.clone()).await).await.unwrap();
    let reasons: Vec<(u64, RejectReason)> = report.rejected.into_iter().map(|line| (line.line, line.reason)).collect();
    let expected = vec![
        (1, RejectReason::UnknownPartner("NOBODY".to_owned())),
        (2, RejectReason::UnknownPartner("HIDDEN".to_owned())),
        (3, RejectReason::UnknownProduct("BOAT".to_owned())),
        (4, RejectReason::OtherSource("other".to_owned())),
    ];
    assert_eq!((reasons, report.inserted), (expected, 1));
}

#[tokio::test]
async fn a_line_gets_its_products_category_of_its_own_date() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    let upserts = [("2020-01-01", "OLD"), ("2024-02-01", "NEW")].map(|(from, category)| guerdon_store::ProductUpsert {
        code: "X".to_owned(),
        name: None,
        category: category.to_owned(),
        from: date(from),
    });
    let changed = write(&database.store, async |tx| tx.upsert_products(&upserts).await).await.unwrap();
    assert_eq!((changed, write(&database.store, async |tx| tx.upsert_products(&upserts).await).await.unwrap()), (2, 0));
    let of_product = |id: &str, on: &str| guerdon_domain::facts::Transaction { product: Some("X".to_owned()), ..sale(id, on, 1) };
    record(&database.store, of("P", [of_product("1", "2024-01-31"), of_product("2", "2024-02-01"), of_product("3", "2019-12-31")])).await;
    let page = database.store.read(async |tx| tx.list_transactions(&Scope::All, ids[0], Span::ALWAYS, &PageRequest::first(9)).await).await.unwrap();
    let categories: Vec<Option<String>> = page.rows.into_iter().map(|(_, line)| line.fact.category).collect();
    assert_eq!(categories, vec![Some("NEW".to_owned()), Some("OLD".to_owned()), None]);
}

#[tokio::test]
async fn facts_refuse_update_and_delete_by_sql() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [sale("1", "2024-01-05", 100)])).await;
    record(&database.store, of("P", [holding("1", "2024-01-05")])).await;
    record(&database.store, of("P", [activity("1", "2024-01-05", "1")])).await;
    record(&database.store, of("P", [deal("1", "2024-01-05")])).await;
    let beside = database.beside().await;
    for table in ["transactions", "holding", "activity", "deal"] {
        for sql in [format!("UPDATE {table} SET line = 9"), format!("DELETE FROM {table}")] {
            let error = beside.execute_unprepared(&sql).await.expect_err(&sql);
            assert!(error.to_string().contains(&format!("{table}_append_only")), "{error}");
        }
    }
    for sql in ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"] {
        assert!(beside.execute_unprepared(sql).await.expect_err(sql).to_string().contains("audit_entry_append_only"));
    }
    let seal = "UPDATE audit_entry SET sequence = id, prev_hash = '', hash = 'h'";
    beside.execute_unprepared(seal).await.expect("the sealer fills the chain once");
    assert!(beside.execute_unprepared(seal).await.is_err(), "and only once");
}

#[tokio::test]
async fn holdings_and_deals_may_be_amended() {
    let database = fresh().await;
    let (program, _) = program(&database.store, "PR").await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [deal("1", "2024-01-05"), deal("2", "2024-01-06")])).await;
    let mut won = deal("1", "2024-01-05");
    (won.outcome, won.closed_on) = (DealOutcome::Won, Some(date("2024-02-01")));
    assert_eq!(record(&database.store, of("P", [won.clone()])).await.conflict_count, 1, "not unless asked");
    let amend = async |rows: Vec<Recorded<guerdon_domain::facts::Deal>>| {
        write(&database.store, async |tx| tx.record_facts(&Scope::All, &NewBatch::of_source("shop"), ConflictRule::Amend, rows.clone()).await).await.unwrap()
    };
    let report = amend(of("P", [won.clone(), deal("2", "2024-01-06"), deal("3", "2024-01-07")])).await;
    assert_eq!((report.inserted, report.unchanged, report.conflict_count), (2, 1, 0));
    assert_eq!(amend(of("P", [won.clone()])).await.unchanged, 1);
    let plan = FactsPlan { deals: true, ..FactsPlan::state(program, Date::MAX) };
    let loaded = database.store.read(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    assert_eq!(loaded.partners["P"].deals, vec![won, deal("2", "2024-01-06"), deal("3", "2024-01-07")]);
}

#[tokio::test]
async fn transactions_cannot_be_amended() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [sale("1", "2024-01-05", 100)])).await;
    let rows = of("P", [sale("1", "2024-01-05", 101)]);
    let report = write(&database.store, async |tx| tx.record_facts(&Scope::All, &NewBatch::of_source("shop"), ConflictRule::Amend, rows.clone()).await).await;
    assert_eq!(report.unwrap().conflict_count, 1);
}

#[tokio::test]
async fn pages_of_transactions_go_both_ways() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("P", "DE"), partner("Q", "DE")]).await;
    let lines = (1..=7).map(|n| sale(&format!("{n}"), if n < 4 { "2024-01-05" } else { "2024-01-06" }, n));
    record(&database.store, of("P", lines)).await;
    record(&database.store, of("Q", [sale("q", "2024-01-05", 1)])).await;
    let list = async |page: PageRequest| {
        let page = database.store.read(async |tx| tx.list_transactions(&Scope::All, ids[0], Span::ALWAYS, &page).await).await.unwrap();
        let shown: Vec<String> = page.rows.iter().map(|(_, line)| line.fact.id.external_id.clone()).collect();
        (page, shown)
    };
    let (first, shown) = list(PageRequest::first(3)).await;
    assert_eq!((shown, first.has_next, first.has_previous), (vec!["7".into(), "6".into(), "5".into()], true, false));
    let (second, shown) = list(PageRequest::first(3).after(first.rows[2].0.clone())).await;
    assert_eq!((shown, second.has_next, second.has_previous), (vec!["4".into(), "3".into(), "2".into()], true, true));
    let (back, shown) = list(PageRequest::last(2).before(second.rows[0].0.clone())).await;
    assert_eq!((shown, back.has_next, back.has_previous), (vec!["6".into(), "5".into()], true, true));
    let (last, shown) = list(PageRequest::last(2)).await;
    assert_eq!((shown, last.has_next, last.has_previous), (vec!["2".into(), "1".into()], false, true));
    let many = database.store.read(async |tx| tx.transactions_first_n_many(&Scope::All, &ids, guerdon_domain::date::Span::ALWAYS, 3).await).await.unwrap();
    assert_eq!(many[&ids[0]], first);
    assert_eq!(many[&ids[1]].rows.len(), 1);
    let outside =
        database.store.read(async |tx| tx.transactions_first_n_many(&Scope::Nothing, &ids, guerdon_domain::date::Span::ALWAYS, 3).await).await.unwrap();
    assert!(outside.is_empty());
}

#[tokio::test]
async fn what_was_known_on_a_date_can_be_asked() {
    let database = fresh().await;
    let (program, _) = program(&database.store, "PR").await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    let late = guerdon_domain::facts::Transaction { recorded_on: date("2024-06-01"), ..sale("late", "2024-01-05", 5) };
    let early = guerdon_domain::facts::Transaction { recorded_on: date("2024-01-06"), kind: TransactionKind::Return, ..sale("early", "2024-01-05", 7) };
    record(&database.store, of("P", [late, early.clone()])).await;
    let plan = FactsPlan { known_on: Some(date("2024-04-03")), ..FactsPlan::everything(program, today()) };
    let loaded = database.store.read(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    assert_eq!(loaded.partners["P"].transactions, vec![early]);
}

#[tokio::test]
async fn errors_carry_no_sql() {
    let database = fresh().await;
    let error = write(&database.store, async |tx| {
        tx.create_program("P", "P").await?;
        tx.create_program("P", "P").await
    });
    let error = error.await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { constraint } if constraint == "program_code_key"), "{error:?}");
    assert_eq!(error.to_string(), "refused by program_code_key");
}
