//! Partners: scope, pages, dated profiles, the tree.

use guerdon_domain::access::Scope;
use guerdon_domain::facts::PartnerStatus;
use guerdon_store::{Page, PageRequest, PartnerFilter, PartnerOrder, PartnerUpsert, StoredPartner, UpsertOutcome, UpsertRefusal, UpsertedPartner};

use crate::harness::build::{date, partner, partners, profile, today, write};
use crate::harness::{TestDatabase, fresh};

async fn upsert(database: &TestDatabase, rows: &[PartnerUpsert]) -> Vec<UpsertedPartner> {
    write(&database.store, async |tx| tx.upsert_partners(&Scope::All, rows, today()).await).await.unwrap()
}

fn refusal(row: &UpsertedPartner) -> Option<UpsertRefusal> {
    match &row.outcome {
        UpsertOutcome::Refused(why) => Some(why.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn every_finder_keeps_to_its_scope() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("A", "DE"), partner("B", "FR"), partner("C", "FR")]).await;
    let codes: Vec<String> = ["A", "B", "C"].map(str::to_owned).into();
    let scopes = [
        (Scope::All, vec!["A", "B", "C"]),
        (Scope::Partners(vec!["B".to_owned(), "X".to_owned()]), vec!["B"]),
        (Scope::Regions(vec!["FR".to_owned()]), vec!["B", "C"]),
        (Scope::Union(vec![Scope::Partners(vec!["C".to_owned()]), Scope::Regions(vec!["DE".to_owned()])]), vec!["A", "C"]),
        (Scope::Union(vec![]), vec![]),
        (Scope::Nothing, vec![]),
    ];
    for (scope, expected) in scopes {
        database
            .store
            .read(async |tx| {
                let many = tx.partners_many(&scope, &ids).await?;
                let mut found: Vec<String> = many.into_values().map(|partner| partner.code).collect();
                found.sort();
                assert_eq!(found, expected, "{scope:?}");
                let by_code = tx.partners_by_code_many(&scope, &codes).await?;
                assert_eq!(by_code.into_keys().collect::<Vec<_>>(), expected);
                let page = tx.list_partners(&scope, &PartnerFilter::default(), PartnerOrder::Code, false, &PageRequest::first(10)).await?;
                assert_eq!(page.rows.into_iter().map(|(_, partner)| partner.code).collect::<Vec<_>>(), expected);
                assert_eq!(tx.count_partners(&scope, &PartnerFilter::default()).await?, expected.len() as i64);
                assert_eq!(tx.profiles_many(&scope, &ids).await?.len(), expected.len());
                assert_eq!(tx.find_partner(&scope, ids[0]).await?.is_some(), expected.contains(&"A"));
                Ok::<_, guerdon_store::StoreError>(())
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn pages_walk_the_whole_list_both_ways_in_both_orders() {
    let database = fresh().await;
    // Names that collations sort in different ways.
    let names = ["alpha", "Alpha", "beta-1", "beta 2", "Zulu", "éclair", "alpha", "beta1"];
    let rows: Vec<PartnerUpsert> = names
        .iter()
        .enumerate()
        .map(|(n, name)| PartnerUpsert { profile: profile(name, "DE", "2020-01-01"), ..partner(["p-1", "p1", "P1", "p 1", "q", "Q", "r_", "r%"][n], "DE") })
        .collect();
    partners(&database.store, &rows).await;
    let list = async |order, descending, page: PageRequest| -> Page<StoredPartner> {
        database.store.read(async |tx| tx.list_partners(&Scope::All, &PartnerFilter::default(), order, descending, &page).await).await.unwrap()
    };
    for order in [PartnerOrder::Code, PartnerOrder::Name] {
        for descending in [false, true] {
            let whole: Vec<_> = list(order, descending, PageRequest::first(100)).await.rows;
            let mut keys: Vec<_> = whole.iter().map(|(cursor, _)| cursor.key.clone()).collect();
            if descending {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{keys:?}");
            let (mut forward, mut request) = (Vec::new(), PageRequest::first(3));
            loop {
                let page = list(order, descending, request.clone()).await;
                assert_eq!(page.has_previous, !forward.is_empty());
                forward.extend(page.rows.clone());
                if !page.has_next {
                    break;
                }
                request = PageRequest::first(3).after(page.rows.last().unwrap().0.clone());
            }
            assert_eq!(forward, whole);
            let (mut backward, mut request) = (Vec::new(), PageRequest::last(3));
            loop {
                let page = list(order, descending, request.clone()).await;
                backward.splice(0..0, page.rows.clone());
                if !page.has_previous {
                    break;
                }
                request = PageRequest::last(3).before(page.rows[0].0.clone());
            }
            assert_eq!(backward, whole);
        }
    }
}

#[tokio::test]
async fn filters_are_taken_literally() {
    let database = fresh().await;
    let mut suspended = partner("50%_off", "DE");
    suspended.profile.status = PartnerStatus::Suspended;
    let mut other_type = partner("plain", "FR");
    (other_type.profile.partner_type, other_type.profile.name) = (Some("MSP".to_owned()), "Größe AG".to_owned());
    partners(&database.store, &[suspended, other_type, partner("5000", "FR")]).await;
    let found = async |filter: PartnerFilter| -> Vec<String> {
        let page = database.store.read(async |tx| tx.list_partners(&Scope::All, &filter, PartnerOrder::Code, false, &PageRequest::first(9)).await);
        page.await.unwrap().rows.into_iter().map(|(_, partner)| partner.code).collect()
    };
    let search = |text: &str| PartnerFilter { search: Some(text.to_owned()), ..PartnerFilter::default() };
    assert_eq!(found(search("50%_")).await, vec!["50%_off"]);
    assert_eq!(found(search("GRÖSSE")).await, Vec::<String>::new());
    assert_eq!(found(search("GRÖßE")).await, vec!["plain"]);
    assert_eq!(found(search("' OR 1=1 --")).await, Vec::<String>::new());
    assert_eq!(found(PartnerFilter { types: vec!["MSP".to_owned()], ..PartnerFilter::default() }).await, vec!["plain"]);
    assert_eq!(found(PartnerFilter { regions: vec!["FR".to_owned()], ..PartnerFilter::default() }).await, vec!["5000", "plain"]);
    assert_eq!(found(PartnerFilter { statuses: vec![PartnerStatus::Suspended], ..PartnerFilter::default() }).await, vec!["50%_off"]);
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let database = fresh().await;
    let rows = [partner("A", "DE"), partner("B", "FR")];
    assert!(upsert(&database, &rows).await.iter().all(|row| matches!(row.outcome, UpsertOutcome::Created(_))));
    let version = async || database.store.read(async |tx| tx.find_partner_by_code(&Scope::All, "A").await).await.unwrap().unwrap().row_version;
    assert_eq!(version().await, 1);
    assert!(upsert(&database, &rows).await.iter().all(|row| matches!(row.outcome, UpsertOutcome::Unchanged(_))));
    let same_later = PartnerUpsert { profile: profile("A", "DE", "2025-01-01"), ..partner("A", "DE") };
    assert!(matches!(upsert(&database, &[same_later]).await[0].outcome, UpsertOutcome::Unchanged(_)), "a profile that says nothing new");
    assert_eq!(version().await, 1);
    let moved = PartnerUpsert { profile: profile("A", "FR", "2025-01-01"), ..partner("A", "FR") };
    assert!(matches!(upsert(&database, &[moved]).await[0].outcome, UpsertOutcome::Changed(_)));
    assert_eq!(version().await, 2);
}

#[tokio::test]
async fn profiles_are_dated_and_the_present_one_shows() {
    let database = fresh().await;
    let ids = partners(&database.store, &[partner("A", "DE")]).await;
    let at = |region: &str, from: &str| PartnerUpsert { profile: profile("A", region, from), ..partner("A", region) };
    upsert(&database, &[at("FR", "2026-06-01"), at("IT", "2024-01-01")]).await;
    let region = async || database.store.read(async |tx| tx.find_partner(&Scope::All, ids[0]).await).await.unwrap().unwrap().region.unwrap();
    assert_eq!(region().await, "IT");
    let profiles = database.store.read(async |tx| tx.profiles_many(&Scope::All, &ids).await).await.unwrap();
    let held: Vec<(String, String)> = profiles[&ids[0]].iter().map(|profile| (profile.from.to_string(), profile.region.clone().unwrap())).collect();
    let expected = [("2020-01-01", "DE"), ("2024-01-01", "IT"), ("2026-06-01", "FR")].map(|(from, region)| (from.to_owned(), region.to_owned()));
    assert_eq!(held, expected);
    let moved = |day: &'static str| write(&database.store, async move |tx| tx.refresh_present_profiles(date(day)).await);
    assert_eq!(moved("2026-05-31").await.unwrap(), 0);
    assert_eq!(moved("2026-06-01").await.unwrap(), 1);
    assert_eq!((region().await.as_str(), moved("2026-06-01").await.unwrap()), ("FR", 0));
}

#[tokio::test]
async fn refusals_name_their_row() {
    let database = fresh().await;
    partners(&database.store, &[partner("OLD", "DE"), partner("FOREIGN", "FR")]).await;
    let mut orphan = partner("ORPHAN", "DE");
    orphan.profile.parent = Some("NOBODY".to_owned());
    let stale = PartnerUpsert { expected: Some(7), ..partner("OLD", "DE") };
    let mut contradiction = partner("TWICE", "DE");
    contradiction.profile.name = "other".to_owned();
    let rows = [orphan, stale, partner("TWICE", "DE"), contradiction, partner("FOREIGN", "DE"), partner("FINE", "DE")];
    let scope = Scope::Regions(vec!["DE".to_owned()]);
    let answered: Result<(), guerdon_store::StoreError> = write(&database.store, async |tx| {
        let answered = tx.upsert_partners(&scope, &rows, today()).await?;
        let refusals: Vec<_> = answered.iter().map(refusal).collect();
        let expected = [
            Some(UpsertRefusal::UnknownParent("NOBODY".to_owned())),
            Some(UpsertRefusal::Stale),
            None,
            Some(UpsertRefusal::Contradiction),
            Some(UpsertRefusal::OutOfScope),
            None,
        ];
        assert_eq!(refusals, expected);
        Err(guerdon_store::StoreError::NotFound)
    })
    .await;
    assert!(answered.is_err());
}

#[tokio::test]
async fn nobody_is_above_himself_on_any_date() {
    let database = fresh().await;
    let under = |code: &str, parent: &str, from: &str| {
        let mut row = PartnerUpsert { profile: profile(code, "DE", from), ..partner(code, "DE") };
        row.profile.parent = (!parent.is_empty()).then(|| parent.to_owned());
        row
    };
    upsert(&database, &[partner("A", "DE"), under("B", "A", "2020-01-01"), under("C", "B", "2020-01-01")]).await;
    let tried: Result<(), _> = write(&database.store, async |tx| {
        let answered = tx.upsert_partners(&Scope::All, &[under("A", "C", "2024-01-01")], today()).await?;
        assert_eq!(refusal(&answered[0]), Some(UpsertRefusal::Cycle));
        Err(guerdon_store::StoreError::NotFound)
    })
    .await;
    assert!(tried.is_err());
    // B leaves A first; then A may come under C.
    upsert(&database, &[under("B", "", "2025-01-01")]).await;
    let later = upsert(&database, &[under("A", "C", "2025-01-01")]).await;
    assert_eq!(refusal(&later[0]), None);
    let earlier: Result<(), _> = write(&database.store, async |tx| {
        let answered = tx.upsert_partners(&Scope::All, &[under("A", "C", "2024-12-31")], today()).await?;
        assert_eq!(refusal(&answered[0]), Some(UpsertRefusal::Cycle), "for one day");
        Err(guerdon_store::StoreError::NotFound)
    })
    .await;
    assert!(earlier.is_err());
    let itself: Result<(), _> = write(&database.store, async |tx| {
        let answered = tx.upsert_partners(&Scope::All, &[under("D", "D", "2024-12-31")], today()).await?;
        assert_eq!(refusal(&answered[0]), Some(UpsertRefusal::Cycle));
        Err(guerdon_store::StoreError::NotFound)
    })
    .await;
    assert!(itself.is_err());
}

#[tokio::test]
async fn children_are_listed_by_parent() {
    let database = fresh().await;
    let mut rows = vec![partner("A", "DE"), partner("B", "DE")];
    for code in ["A1", "A2", "A3", "B1"] {
        let mut row = partner(code, if code == "A2" { "FR" } else { "DE" });
        row.profile.parent = Some(code[..1].to_owned());
        rows.push(row);
    }
    let ids = partners(&database.store, &rows).await;
    let children = database.store.read(async |tx| tx.children_many(&Scope::Regions(vec!["DE".to_owned()]), &ids[..2], 1).await).await.unwrap();
    let codes: Vec<Vec<String>> = ids[..2].iter().map(|id| children[id].iter().map(|child| child.code.clone()).collect()).collect();
    assert_eq!(codes, vec![vec!["A1".to_owned()], vec!["B1".to_owned()]]);
}
