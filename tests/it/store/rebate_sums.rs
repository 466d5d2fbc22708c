//! The sums that rebate runs read are what the lines give: from kept sums and from lines, in windows, at every cut-off.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Transaction, TransactionKind};
use guerdon_domain::money::{Currency, Money, Quantity};
use guerdon_domain::rebate::batch::{ColumnSums, SumColumn};
use guerdon_migration::{Migrator, MigratorTrait as _};
use guerdon_store::{FactsPlan, PartnerId, Recorded, Store, StoreOptions, SumsAsked, SumsSource};

use crate::harness::build::{date, partner, partners, program, record, sale};
use crate::harness::fresh;

fn span(from: &str, until: &str) -> Span {
    Span::new(date(from), date(until))
}

fn column(categories: &[&str], from: &str, until: &str, currency: &str) -> SumColumn {
    let categories: BTreeSet<String> = categories.iter().map(|&key| key.to_owned()).collect();
    SumColumn { categories, days: span(from, until), currency: currency.parse().unwrap() }
}

/// Whole months, parts of months, one inside a month, none at all.
fn columns() -> Vec<SumColumn> {
    vec![
        column(&[], "2026-01-01", "2026-04-01", "USD"),
        column(&["BIKES"], "2026-01-15", "2026-03-10", "USD"),
        column(&["PARTS", "BIKES"], "2026-02-01", "2026-03-01", "EUR"),
        column(&["PARTS"], "2026-02-03", "2026-02-20", "USD"),
        column(&[], "2026-02-01", "2026-02-01", "USD"),
    ]
}

fn line(number: u64) -> Recorded<Transaction> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let day = Date::of(2025, 12, 20).unwrap().plus_days((mixed % 120) as i64).to_string();
    let mut fact = sale(&format!("L{number}"), &day, (mixed % 90_000) as i64 - 20_000);
    fact.kind = [TransactionKind::Sale, TransactionKind::Return, TransactionKind::Adjustment][(mixed / 7 % 3) as usize];
    fact.category = [None, Some("BIKES"), Some("PARTS")][(mixed / 11 % 3) as usize].map(str::to_owned);
    fact.quantity = Quantity((mixed % 5_000_000) as i64);
    fact.amount = Money::new(fact.amount.minor, if mixed.is_multiple_of(13) { "EUR".parse().unwrap() } else { Currency::USD });
    Recorded { line: number, partner: format!("P'{}", mixed % 6), fact }
}

/// By the definition of a column, from the lines themselves.
async fn expected(store: &Store, program: guerdon_store::ProgramId, ids: &[PartnerId], cut_off: Option<i64>) -> BTreeMap<String, Vec<ColumnSums>> {
    let plan = FactsPlan { cut_off, ..FactsPlan::everything(program, Date::MAX) };
    let loaded = store.read(async |tx| tx.load_facts(&Scope::All, ids, &plan).await).await.unwrap();
    let sums = |lines: &[Transaction]| {
        columns().iter().map(|column| lines.iter().fold(ColumnSums::default(), |sum, line| sum.with(column.of_line(line)).unwrap())).collect()
    };
    loaded.partners.iter().map(|(code, facts)| (code.clone(), sums(&facts.transactions))).collect()
}

#[tokio::test]
async fn sums_are_what_lines_give_at_every_cut_off() {
    hold_what_lines_give(&fresh().await.store).await;
}

/// One connection alone sees such a database: what is read in bulk elsewhere is read by it.
#[tokio::test]
async fn the_same_in_memory() {
    let store = Store::connect("sqlite::memory:", StoreOptions::default()).await.unwrap();
    store.prepare_in_memory(async |connection| Migrator::up(connection, None).await).await.unwrap();
    hold_what_lines_give(&store).await;
}

async fn hold_what_lines_give(store: &Store) {
    let (program, _) = program(store, "PR").await;
    let codes = ["P'0", "P'1", "P'2", "P'3", "P'4", "P'5"];
    let ids = partners(store, &codes.map(|code| partner(code, "DE"))).await;
    let mut sealed = Vec::new();
    for round in 0..4_u64 {
        sealed.push(record(store, (1..=80).map(|number| line(round * 80 + number)).collect()).await.seal_number.unwrap());
    }
    let all = columns();
    for cut_off in sealed.iter().copied().map(Some).chain([None, Some(0)]) {
        let expected = expected(store, program, &ids, cut_off).await;
        for source in [SumsSource::Aggregates, SumsSource::Lines] {
            for (from, until) in [("", None), ("", Some("P'3")), ("P'3", None), ("P'1", Some("P'2"))] {
                let asked = SumsAsked { columns: &all, from, until, cut_off, source };
                let sums = store.read(async |tx| tx.sum_rebate_columns(&asked).await).await.unwrap();
                for (id, code) in ids.iter().zip(codes) {
                    let inside = code >= from && until.is_none_or(|until| code < until);
                    let wanted = if inside { expected[code].clone() } else { vec![ColumnSums::default(); all.len()] };
                    assert_eq!(sums.of(*id), wanted, "{code} {cut_off:?} {source:?} {from} {until:?}");
                }
            }
        }
    }
    let bounds = store.read(async |tx| Ok::<_, guerdon_store::StoreError>((tx.find_window_bounds("", 2).await?, tx.find_window_bounds("P'4", 2).await?))).await;
    assert_eq!(bounds.unwrap(), ((Some("P'2".to_owned()), false), (None, true)));
}
