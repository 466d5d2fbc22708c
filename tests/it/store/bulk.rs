//! Reading in bulk: the same rows, whatever they hold, and nothing that is broken off reaches whoever comes next.

use std::time::Duration;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_store::{FactsPlan, LoadedFacts, PartnerId, Store};

use crate::harness::build::{date, deal, holding, of, partner, partners, program, record, sale};
use crate::harness::fresh;

async fn in_bulk(store: &Store, scope: &Scope, ids: &[PartnerId], plan: &FactsPlan) -> LoadedFacts {
    store.read_in_bulk(async |tx| tx.load_facts(scope, ids, plan).await).await.unwrap()
}

#[tokio::test]
async fn rows_that_are_copied_are_those_that_are_asked_for() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "P").await;
    let rows: Vec<_> = (0..250).map(|n| partner(&format!("P{n:03}'; \\\\ $1"), if n % 2 == 0 { "D'E" } else { "FR" })).collect();
    let ids = partners(store, &rows).await;
    for n in [0, 7, 249] {
        let code = rows[n].code.clone();
        record(store, of(&code, [sale(&format!("s{n}"), "2024-01-05", 1), sale(&format!("t{n}"), "2024-02-05", -2)])).await;
        record(store, of(&code, [holding(&format!("h{n}"), "2024-01-05")])).await;
        record(store, of(&code, [deal(&format!("d{n}"), "2024-01-05")])).await;
    }
    let plan = FactsPlan { subtree: false, ..FactsPlan::everything(program, Date::MAX) };
    let codes = [0, 8, 9, 249].map(|n: usize| rows[n].code.clone());
    for scope in [Scope::All, Scope::Regions(["D'E".to_owned()].into()), Scope::Partners(codes.into())] {
        for asked in [&ids[..1], &ids[..20], &ids[..]] {
            let loaded = store.read(async |tx| tx.load_facts(&scope, asked, &plan).await).await.unwrap();
            assert_eq!(in_bulk(store, &scope, asked, &plan).await, loaded);
        }
    }
    let state = FactsPlan::state(program, date("2024-01-01"));
    assert_eq!(in_bulk(store, &Scope::All, &ids, &state).await.ids.len(), 250);
}

/// The driver forgets of a COPY that was broken off that its end is still to come: the connection may not be used again.
#[tokio::test]
async fn what_is_broken_off_disturbs_nobody() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "P").await;
    let rows: Vec<_> = (0..40).map(|n| partner(&format!("P{n:03}"), "DE")).collect();
    let ids = partners(store, &rows).await;
    let sales: Vec<_> = (0..400).map(|n| sale(&n.to_string(), "2024-01-05", n)).collect();
    record(store, of("P000", sales)).await;
    let plan = FactsPlan::everything(program, Date::MAX);
    let whole = in_bulk(store, &Scope::All, &ids, &plan).await;
    let mut broken_off = 0;
    for round in 0..150_u64 {
        let patience = Duration::from_micros(200 + 150 * round);
        let read = tokio::time::timeout(patience, in_bulk(store, &Scope::All, &ids, &plan)).await;
        broken_off += u32::from(read.is_err());
        let codes = store.read(async |tx| tx.partners_many(&Scope::All, &ids).await).await.unwrap();
        assert_eq!(codes.len(), 40);
    }
    assert!(broken_off > 0, "nothing was broken off");
    assert_eq!(in_bulk(store, &Scope::All, &ids, &plan).await, whole);
}
