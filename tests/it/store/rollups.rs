//! The kept monthly aggregates are what the facts give, however the facts came in.

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{SalesSum, Transaction, TransactionKind};
use guerdon_domain::money::{Money, Quantity};
use guerdon_store::{ConflictRule, FactsPlan, NewBatch, Recorded};
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;

use crate::harness::build::{activity, context, of, partner, partners, program, record, sale, write};
use crate::harness::fresh;

/// A small generator; the seed makes a failure repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn random_line(random: &mut Random) -> Recorded<Transaction> {
    let id = random.below(400);
    // The body follows from the id most of the time, so that there are repetitions and a few conflicts.
    let mut body = if random.below(20) == 0 { Random(random.below(1_000_000)) } else { Random(id) };
    let on = Date::MIN.plus_days(45_000 + body.below(300) as i64).to_string();
    let mut line = sale(&id.to_string(), &on, body.below(2_000_000) as i64 - 500_000);
    line.kind = [TransactionKind::Sale, TransactionKind::Return, TransactionKind::Adjustment][body.below(3) as usize];
    line.category = [None, Some("BIKES".to_owned()), Some("PARTS".to_owned())][body.below(3) as usize].clone();
    line.quantity = Quantity(body.below(9_000_000) as i64);
    line.amount = Money::new(line.amount.minor, ["USD", "EUR", "JPY"][body.below(3) as usize].parse().unwrap());
    Recorded { line: 0, partner: format!("P{}", body.below(5)), fact: line }
}

type Key = (Date, Option<String>, TransactionKind, guerdon_domain::money::Currency);

fn recomputed(lines: &[Transaction]) -> Vec<SalesSum> {
    let mut months: BTreeMap<Key, (i64, i64, i64)> = BTreeMap::new();
    for line in lines {
        let sums = months.entry((line.date.first_of_month(), line.category.clone(), line.kind, line.amount.currency)).or_default();
        *sums = (sums.0 + line.signed_amount().minor, sums.1 + line.signed_quantity().0, sums.2 + 1);
    }
    let rollup = |((month, category, kind, currency), (amount, quantity, lines)): (Key, (i64, i64, i64))| SalesSum {
        days: Span::month_from(month),
        category,
        kind,
        amount: Money::new(amount, currency),
        quantity: Quantity(quantity),
        lines,
    };
    months.into_iter().map(rollup).collect()
}

#[tokio::test]
async fn rollups_equal_a_recomputation_however_facts_came_in() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let ids = partners(store, &["P0", "P1", "P2", "P3", "P4"].map(|code| partner(code, "DE"))).await;
    let seed = std::env::var("GUERDON_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("seed {seed}");
    let mut random = Random(seed);
    for round in 0..12 {
        let size = 1 + random.below(60);
        let lines: Vec<Recorded<Transaction>> = (1..=size).map(|line| Recorded { line, ..random_line(&mut random) }).collect();
        if round % 2 == 0 {
            record(store, lines).await;
            continue;
        }
        let start = store.begin_import::<Transaction>(&context("import"), &Scope::All, &NewBatch::of_source("shop")).await.unwrap();
        let mut import = start.import;
        for chunk in lines.chunks(17) {
            import.stage(&context("import"), chunk.to_vec()).await.unwrap();
        }
        write(store, async |tx| import.seal(tx, ConflictRule::Refuse, true).await).await.unwrap();
        import.sweep(&context("import")).await.unwrap();
    }
    let plan = FactsPlan { monthly: Some(Span::ALWAYS), ..FactsPlan::everything(program, Date::MAX) };
    let loaded = store.read(async |tx| tx.load_facts(&Scope::All, &ids, &plan).await).await.unwrap();
    let mut lines = 0;
    for facts in loaded.partners.values() {
        let mut kept = facts.sums.clone();
        kept.sort_by_key(|month| (month.days.from, month.category.clone(), month.kind, month.amount.currency));
        assert_eq!(kept, recomputed(&facts.transactions), "{}", facts.code);
        lines += facts.transactions.len();
    }
    assert!(lines > 100, "{lines}");
    assert_eq!(store.read(async |tx| tx.verify_rollups(10).await).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_difference_is_found_and_repaired() {
    let database = fresh().await;
    partners(&database.store, &[partner("P", "DE")]).await;
    record(&database.store, of("P", [sale("1", "2024-01-05", 100), sale("2", "2024-02-05", 100)])).await;
    record(&database.store, of("P", [activity("1", "2024-01-05", "-1.5"), activity("2", "2024-01-06", "0.2500000001")])).await;
    let verify = async || database.store.read(async |tx| tx.verify_rollups(10).await).await.unwrap();
    assert_eq!(verify().await, Vec::new());
    assert_eq!(database.number("SELECT value_units FROM activity_monthly").await, -1);
    assert_eq!(database.number("SELECT value_fraction FROM activity_monthly").await, -5_000_000_000 + 2_500_000_001);
    let beside = database.beside().await;
    beside.execute_unprepared("UPDATE transaction_monthly SET amount_minor = amount_minor + 1 WHERE lines = 1 AND month > '2024-01-31'").await.unwrap();
    beside.execute_unprepared("DELETE FROM activity_monthly").await.unwrap();
    let found: Vec<(&str, String)> = verify().await.into_iter().map(|found| (found.table, found.month.to_string())).collect();
    assert_eq!(found, vec![("transaction_monthly", "2024-02-01".to_owned()), ("activity_monthly", "2024-01-01".to_owned())]);
    write(&database.store, async |tx| tx.rebuild_rollups().await).await.unwrap();
    assert_eq!(verify().await, Vec::new());
}
