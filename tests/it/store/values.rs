//! What is written is read back, to the last digit and character.

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::{AttributeValue, DealOutcome, ExchangeRate, HolderKind, PartnerStatus, TransactionKind};
use guerdon_domain::money::{Currency, Money, Quantity};
use guerdon_store::{ConflictRule, FactsPlan, NewBatch, RecordedRate, StoreError};

use crate::harness::build::{activity, date, deal, holding, of, partner, partners, products, program, record, sale, today, write};
use crate::harness::fresh;

fn exact(text: &str) -> Exact {
    Exact::parse(text, 15, 10).unwrap()
}

/// Text that a careless list, pattern or array would break on.
const ODD: &str = "a,b \"c\" 'd' \\e {f} %g_ \n\t ü 漢字 🏷";

#[tokio::test]
async fn facts_come_back_as_they_went_in() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "P").await;
    let mut odd = partner(ODD, "DE");
    odd.profile.name = ODD.to_owned();
    odd.profile.status = PartnerStatus::Suspended;
    odd.profile.attributes = [
        (ODD.to_owned(), AttributeValue::Text(ODD.to_owned())),
        ("n".to_owned(), AttributeValue::Number(exact("999999999999999.9999999999"))),
        ("third".to_owned(), AttributeValue::Number(Exact::ratio(1, 3).unwrap())),
        ("b".to_owned(), AttributeValue::Boolean(true)),
    ]
    .into();
    let ids = partners(store, std::slice::from_ref(&odd)).await;
    products(store, &[(ODD, "BIKES")]).await;
    let mut line = sale(ODD, "2024-02-29", i64::MAX);
    line.kind = TransactionKind::Adjustment;
    line.amount = Money::new(i64::MIN + 1, "KWD".parse().unwrap());
    line.quantity = Quantity(i64::MAX);
    line.product = Some(ODD.to_owned());
    (line.customer, line.deal, line.corrects, line.region) = (Some(ODD.to_owned()), Some("D".to_owned()), Some("X".to_owned()), Some("DE".to_owned()));
    line.attributes = odd.profile.attributes.clone();
    let mut held = holding("H", "2999-12-30");
    held.value = Some(exact("-0.0000000001"));
    held.currency = Some(Currency::USD);
    (held.until, held.revoked_on) = (Some(Date::MAX), Some(date("2999-12-31")));
    (held.holder_kind, held.holder, held.level, held.type_key) = (HolderKind::Person, Some(ODD.to_owned()), Some("L".to_owned()), Some("T".to_owned()));
    let mut measured = activity("A", "1900-01-01", "-123456789012345.0123456789");
    measured.expires_on = Some(Date::MAX);
    measured.subject = Some(String::new());
    let mut won = deal("D", "2024-01-01");
    (won.outcome, won.closed_on, won.stage) = (DealOutcome::Won, Some(date("2024-03-01")), Some(ODD.to_owned()));
    assert_eq!(record(store, of(ODD, [line.clone()])).await.inserted, 1);
    assert_eq!(record(store, of(ODD, [held.clone()])).await.inserted, 1);
    assert_eq!(record(store, of(ODD, [measured.clone()])).await.inserted, 1);
    assert_eq!(record(store, of(ODD, [won.clone()])).await.inserted, 1);
    let plan = FactsPlan::everything(program, Date::MAX);
    let loaded = store.read(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    let copied = store.read_in_bulk(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    assert_eq!(copied, loaded);
    let facts = &loaded.partners[ODD];
    line.category = Some("BIKES".to_owned());
    assert_eq!(facts.profiles, vec![odd.profile]);
    assert_eq!(facts.transactions, vec![line]);
    assert_eq!(facts.holdings, vec![held]);
    assert_eq!(facts.activities, vec![measured]);
    assert_eq!(facts.deals, vec![won]);
}

#[tokio::test]
async fn rates_come_back_and_corrections_are_revisions() {
    let database = fresh().await;
    let rate = |text: &str| ExchangeRate {
        rate_type: "SPOT".to_owned(),
        from: "EUR".parse().unwrap(),
        to: Currency::USD,
        date: date("2024-01-02"),
        rate: exact(text),
        recorded_on: today(),
        sealed: 0,
    };
    let put = async |text: &str, rule| {
        let rows = [RecordedRate { line: 7, rate: rate(text) }];
        write(&database.store, async |tx| tx.record_exchange_rates(&NewBatch::of_source("ecb"), rule, &rows).await).await.unwrap()
    };
    let listed = async || database.store.read(async |tx| tx.list_exchange_rates(Date::MIN, date("2024-12-31")).await).await.unwrap();
    assert_eq!(put("1.0956000001", ConflictRule::Refuse).await.inserted, 1);
    assert_eq!(put("1.0956000001", ConflictRule::Refuse).await.unchanged, 1);
    assert_eq!(put("1.1", ConflictRule::Refuse).await.conflicts, vec![7]);
    assert_eq!(listed().await, vec![rate("1.0956000001")]);
    assert_eq!(put("1.1", ConflictRule::Amend).await.inserted, 1);
    assert_eq!(listed().await, vec![rate("1.1")]);
    assert_eq!(database.number("SELECT COUNT(*) FROM exchange_rate").await, 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_names_its_table() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("P", "DE")]).await;
    let beside = database.beside().await;
    sea_orm::ConnectionTrait::execute_unprepared(&beside, "UPDATE partner SET currency = 'ZZZ'").await.unwrap();
    let error = database.store.read(async |tx| tx.find_partner(&Scope::All, ids[0]).await).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "partner", .. }), "{error:?}");
}

#[tokio::test]
async fn sums_beyond_the_range_are_refused_loudly() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    let huge = |id: &str| sale(id, "2024-01-01", i64::MAX - 1);
    assert_eq!(record(&database.store, of("P", [huge("1")])).await.inserted, 1);
    let again = write(&database.store, async |tx| tx.record_facts(&Scope::All, &NewBatch::of_source("shop"), ConflictRule::Refuse, of("P", [huge("2")])).await);
    let error = again.await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { constraint } if constraint == "number_out_of_range"), "{error:?}");
    let count = database.store.read(async |tx| {
        let id = tx.find_partner_by_code(&Scope::All, "P").await?.unwrap().id;
        tx.count_transactions(&Scope::All, id, Span::ALWAYS).await
    });
    assert_eq!(count.await.unwrap(), 1);
}
