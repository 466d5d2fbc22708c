//! Builders of what tests need, each with everything filled in that a test does not ask about.

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::{
    Activity, Attributes, Deal, DealOutcome, FactId, HolderKind, Holding, PartnerProfile, PartnerStatus, Transaction, TransactionKind,
};
use guerdon_domain::money::{Currency, Money, Quantity};
use guerdon_store::{
    AuditEntry, BatchReport, Change, ConflictRule, Fact, NewBatch, NewDraft, PartnerId, PartnerUpsert, ProductUpsert, ProgramId, Recorded, Store, StoreError,
    UpsertOutcome, VersionId, WriteContext,
};

/// The date of this text.
pub fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

/// The moment of the tests.
pub fn now() -> DateTime<Utc> {
    "2026-03-15T09:30:00.123456Z".parse().expect("a time")
}

/// Today, in the tests.
pub fn today() -> Date {
    date("2026-03-15")
}

/// A test writes.
pub fn context(operation: &str) -> WriteContext {
    WriteContext::new("tester", "request-1", operation, now())
}

/// What is written in the audit trail when a test does not ask about it.
pub fn audit() -> AuditEntry {
    AuditEntry::of("Test", "1")
}

/// An active partner in a region, from the beginning.
pub fn partner(code: &str, region: &str) -> PartnerUpsert {
    PartnerUpsert { code: code.to_owned(), profile: profile(code, region, "2020-01-01"), expected: None }
}

/// A profile from a date on.
pub fn profile(name: &str, region: &str, from: &str) -> PartnerProfile {
    PartnerProfile {
        from: date(from),
        name: name.to_owned(),
        partner_type: Some("RESELLER".to_owned()),
        region: Some(region.to_owned()),
        parent: None,
        currency: Some(Currency::USD),
        status: PartnerStatus::Active,
        attributes: Attributes::new(),
    }
}

/// Who is identified how.
pub fn fact_id(id: &str) -> FactId {
    FactId { source: "shop".to_owned(), external_id: id.to_owned() }
}

/// A sale of so many cents.
pub fn sale(id: &str, on: &str, cents: i64) -> Transaction {
    Transaction {
        id: fact_id(id),
        date: date(on),
        recorded_on: today(),
        sealed: 0,
        kind: TransactionKind::Sale,
        product: None,
        category: None,
        quantity: Quantity(1_000_000),
        amount: Money::new(cents, Currency::USD),
        customer: None,
        deal: None,
        corrects: None,
        region: None,
        attributes: Attributes::new(),
    }
}

/// A certification of the partner itself.
pub fn holding(id: &str, since: &str) -> Holding {
    Holding {
        id: fact_id(id),
        recorded_on: today(),
        kind: "CERTIFICATION".to_owned(),
        type_key: None,
        level: None,
        holder_kind: HolderKind::Partner,
        holder: None,
        product: None,
        category: None,
        since: date(since),
        until: None,
        revoked_on: None,
        value: None,
        currency: None,
        region: None,
        attributes: Attributes::new(),
    }
}

/// A measurement of this value.
pub fn activity(id: &str, on: &str, value: &str) -> Activity {
    Activity {
        id: fact_id(id),
        date: date(on),
        recorded_on: today(),
        kind: "TRAINING".to_owned(),
        value: Exact::parse(value, 15, 10).expect("a decimal"),
        currency: None,
        subject: None,
        expires_on: None,
        region: None,
        attributes: Attributes::new(),
    }
}

/// An open deal.
pub fn deal(id: &str, opened: &str) -> Deal {
    Deal {
        id: fact_id(id),
        opened_on: date(opened),
        recorded_on: today(),
        stage: None,
        outcome: DealOutcome::Open,
        closed_on: None,
        value: Some(Money::new(100_000, Currency::USD)),
        customer: None,
        kind: None,
        region: None,
        attributes: Attributes::new(),
    }
}

/// The facts of a partner, numbered from line 1.
pub fn of<F>(partner: &str, facts: impl IntoIterator<Item = F>) -> Vec<Recorded<F>> {
    facts.into_iter().zip(1..).map(|(fact, line)| Recorded { line, partner: partner.to_owned(), fact }).collect()
}

/// Writes with an audit entry that no test asks about.
pub async fn write<T, F>(store: &Store, work: F) -> Result<T, StoreError>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
    F: AsyncFnOnce(&guerdon_store::WriteTx) -> Result<T, StoreError> + Clone,
{
    let written = store.write(&context("test"), async |tx| Ok::<_, StoreError>(Change::new(work.clone()(tx).await?, audit()))).await?;
    Ok(written.value)
}

/// Makes partners; answers their ids in order.
pub async fn partners(store: &Store, rows: &[PartnerUpsert]) -> Vec<PartnerId> {
    let upserted = write(store, async |tx| tx.upsert_partners(&Scope::All, rows, today()).await).await.expect("upserted");
    let id = |outcome: &UpsertOutcome| match outcome {
        UpsertOutcome::Created(id) | UpsertOutcome::Changed(id) | UpsertOutcome::Unchanged(id) => *id,
        UpsertOutcome::Refused(why) => panic!("refused: {why:?}"),
    };
    upserted.iter().map(|row| id(&row.outcome)).collect()
}

/// Makes products of these categories, from the beginning.
pub async fn products(store: &Store, rows: &[(&str, &str)]) {
    let rows: Vec<ProductUpsert> =
        rows.iter().map(|(code, category)| ProductUpsert { code: (*code).to_owned(), name: None, category: (*category).to_owned(), from: Date::MIN }).collect();
    write(store, async |tx| tx.upsert_products(&rows).await).await.expect("upserted");
}

/// Records facts of source `shop`.
pub async fn record<F: Fact + Clone>(store: &Store, rows: Vec<Recorded<F>>) -> BatchReport {
    write(store, async |tx| tx.record_facts(&Scope::All, &NewBatch::of_source("shop"), ConflictRule::Refuse, rows.clone()).await).await.expect("recorded")
}

/// A draft that takes effect on a date.
pub fn draft(effective_on: &str) -> NewDraft {
    NewDraft { label: None, document: "{}".to_owned(), digest: "d".to_owned(), announced_on: None, effective_on: date(effective_on), enforced_on: None }
}

/// A program with a published version from 2020 on.
pub async fn program(store: &Store, code: &str) -> (ProgramId, VersionId) {
    write(store, async |tx| {
        let program = tx.create_program(code, code).await?;
        let draft = tx.insert_draft(program.id, draft("2020-01-01")).await?;
        let version = tx.publish_version(draft.id, draft.row_version).await?;
        Ok((program.id, version.id))
    })
    .await
    .expect("a program")
}
