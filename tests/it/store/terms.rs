//! Enrollments, overrides, admissions, exceptions, contracts: written, found with the facts, refused where they must be.

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::document::benefit::{TermEffect, TermGrant};
use guerdon_domain::facts::{AdmissionKind, Contract, ContractStatus, ContractTerms, EntitlementException, OverrideKind, TierAdmission, TierOverride};
use guerdon_store::{ContractUpsert, FactsPlan, NewAdmission, NewEnrollment, NewException, NewOverride, StoreError};

use crate::harness::build::{date, partner, partners, program, write};
use crate::harness::fresh;

fn span(from: &str, until: &str) -> Span {
    Span::new(date(from), date(until))
}

fn held(kind: OverrideKind, from: &str, until: &str) -> TierOverride {
    TierOverride {
        ladder: "MAIN".to_owned(),
        region: None,
        kind,
        tier: Some("GOLD".to_owned()),
        span: span(from, until),
        reason: "merger".to_owned(),
        proposed_by: Some("ann".to_owned()),
        approved_by: Some("bob".to_owned()),
    }
}

#[tokio::test]
async fn terms_are_written_and_come_with_the_facts() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &[partner("P", "DE")]).await;
    let partner = ids[0];
    let grant = TermGrant { benefit: "B".to_owned(), effect: TermEffect::Remove, value: None };
    let admission = TierAdmission {
        ladder: "MAIN".to_owned(),
        region: Some("DE".to_owned()),
        tier: "GOLD".to_owned(),
        kind: AdmissionKind::Invitation,
        span: Span::ALWAYS,
    };
    let contract = Contract {
        key: "C-1".to_owned(),
        template: None,
        status: ContractStatus::Active,
        span: span("2024-01-01", "2025-01-01"),
        terms: ContractTerms { grants: vec![grant.clone()], ..ContractTerms::default() },
    };
    let exception = EntitlementException { grant: grant.clone(), span: span("2024-01-01", "2024-02-01"), reason: "kindness".to_owned() };
    write(store, async |tx| {
        tx.insert_override(&NewOverride { program, partner, fact: held(OverrideKind::Floor, "2024-01-01", "2024-06-01"), status_match: None }).await?;
        tx.insert_admission(&NewAdmission { program, partner, fact: admission.clone() }).await?;
        tx.insert_exception(&NewException { program, partner, grant: grant.clone(), span: exception.span, reason: exception.reason.clone() }).await?;
        tx.upsert_contract(&ContractUpsert { program, partner, fact: contract.clone(), expected: None }).await.map(drop)
    })
    .await
    .unwrap();
    let loaded = store.read(async |tx| tx.load_facts(&Scope::All, &ids, &FactsPlan::state(program, Date::MAX)).await).await.unwrap();
    let facts = &loaded.partners["P"];
    assert_eq!(facts.overrides, vec![held(OverrideKind::Floor, "2024-01-01", "2024-06-01")]);
    assert_eq!((facts.admissions.clone(), facts.exceptions.clone(), facts.contracts.clone()), (vec![admission], vec![exception], vec![contract.clone()]));
    let signed = Contract { status: ContractStatus::Terminated, ..contract };
    let upsert = |expected| ContractUpsert { program, partner, fact: signed.clone(), expected };
    let taken = write(store, async |tx| tx.upsert_contract(&upsert(None)).await).await.unwrap_err();
    assert!(matches!(&taken, StoreError::Conflict { constraint } if constraint == "contract_number_key"), "{taken:?}");
    write(store, async |tx| tx.upsert_contract(&upsert(Some(1))).await).await.unwrap();
    assert!(matches!(write(store, async |tx| tx.upsert_contract(&upsert(Some(1))).await).await, Err(StoreError::Stale)));
    let contracts = store.read(async |tx| tx.contracts_many(&Scope::All, &ids).await).await.unwrap();
    assert_eq!((contracts[&partner][0].fact.status, contracts[&partner][0].row_version), (ContractStatus::Terminated, 2));
}

#[tokio::test]
async fn overrides_of_one_kind_do_not_overlap_and_take_four_eyes() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let partner = partners(store, &[partner("P", "DE")]).await[0];
    let insert = async |fact: TierOverride| {
        write(store, async |tx| tx.insert_override(&NewOverride { program, partner, fact: fact.clone(), status_match: None }).await).await
    };
    let id = insert(held(OverrideKind::Pin, "2024-01-01", "2024-06-01")).await.unwrap();
    let constraint = |error: StoreError| match error {
        StoreError::Conflict { constraint } => constraint,
        other => panic!("{other:?}"),
    };
    assert_eq!(constraint(insert(held(OverrideKind::Pin, "2024-05-31", "2024-07-01")).await.unwrap_err()), "tier_override_overlap");
    insert(held(OverrideKind::Ceiling, "2024-05-31", "2024-07-01")).await.expect("another kind");
    insert(held(OverrideKind::Pin, "2024-06-01", "2024-07-01")).await.expect("its end is exclusive");
    let alone = TierOverride { approved_by: Some("ann".to_owned()), ..held(OverrideKind::Floor, "2024-01-01", "2024-02-01") };
    assert_eq!(constraint(insert(alone).await.unwrap_err()), "tier_override_four_eyes");
    let empty = held(OverrideKind::Floor, "2024-01-01", "2024-01-01");
    assert_eq!(constraint(insert(empty).await.unwrap_err()), "tier_override_span");
    write(store, async |tx| tx.end_override(id, 1, date("2024-03-01"), None).await).await.unwrap();
    insert(held(OverrideKind::Pin, "2024-03-01", "2024-06-01")).await.expect("it was ended");
}

#[tokio::test]
async fn a_partner_is_enrolled_once() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &[partner("P", "DE"), partner("Q", "FR")]).await;
    let new = |partner, region: Option<&str>, since: &str| NewEnrollment {
        partner,
        since: date(since),
        track: Some("RESELLER".to_owned()),
        region: region.map(str::to_owned),
    };
    let all = [new(ids[0], None, "2024-01-01"), new(ids[0], None, "2024-02-01"), new(ids[0], Some("DE"), "2024-01-01"), new(ids[1], None, "2024-03-01")];
    assert_eq!(write(store, async |tx| tx.enroll_partners(program, &all).await).await.unwrap().len(), 3);
    assert_eq!(write(store, async |tx| tx.enroll_partners(program, &all).await).await.unwrap().len(), 0);
    let enrolled = async |scope: Scope, day: &str, after| store.read(async |tx| tx.list_enrolled(&scope, program, date(day), after, 10).await).await.unwrap();
    let mut both = ids.clone();
    both.sort();
    assert_eq!(enrolled(Scope::All, "2024-03-01", None).await, both);
    assert_eq!(enrolled(Scope::All, "2024-03-01", Some(both[0])).await, both[1..]);
    assert_eq!(enrolled(Scope::All, "2024-02-29", None).await, vec![ids[0]]);
    assert_eq!(enrolled(Scope::Regions(vec!["FR".to_owned()]), "2024-03-01", None).await, vec![ids[1]]);
    let held = store.read(async |tx| tx.enrollments_many(&Scope::All, &ids, Some(program)).await).await.unwrap();
    let open = held[&ids[1]][0].clone();
    write(store, async |tx| tx.end_enrollment(open.id, open.row_version, date("2024-04-01")).await).await.unwrap();
    assert_eq!(enrolled(Scope::All, "2024-04-01", None).await, vec![ids[0]]);
    write(store, async |tx| tx.enroll_partners(program, &[new(ids[1], None, "2024-05-01")]).await.map(|ids| ids.len())).await.expect("again, later");
}
