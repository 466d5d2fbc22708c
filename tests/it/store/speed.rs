//! How fast files come in and facts are read. Prints figures; run it with `--release -- --ignored --nocapture store::speed`, and
//! `GUERDON_TEST_LINES` for another number of lines than 200,000.

use std::time::Instant;

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::Transaction;
use guerdon_domain::money::{Currency, Money};
use guerdon_store::{ConflictRule, FactsPlan, NewBatch, Recorded};

use crate::harness::build::{context, date, partner, partners, products, program, sale, today, write};
use crate::harness::fresh;

const PARTNERS: u64 = 10_000;

fn line(number: u64, of: u64) -> Recorded<Transaction> {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let on = date("2024-01-01").plus_days((number * 700 / of) as i64).to_string();
    let mut fact = sale(&format!("SO{:08}-{}", number / 10, number % 10), &on, 0);
    fact.product = Some(format!("PRODUCT-{}", mixed >> 32 & 63));
    fact.amount = Money::new((mixed >> 40) as i64, Currency::USD);
    Recorded { line: number + 1, partner: format!("P{:06}", mixed % PARTNERS), fact }
}

#[tokio::test]
#[ignore = "prints figures"]
async fn files_and_facts() {
    let database = fresh().await;
    let store = &database.store;
    let (program, _) = program(store, "PR").await;
    let lines = std::env::var("GUERDON_TEST_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(200_000_u64);
    let rows: Vec<_> = (0..PARTNERS).map(|n| partner(&format!("P{n:06}"), "DE")).collect();
    let began = Instant::now();
    let ids = partners(store, &rows).await;
    println!("{PARTNERS} partners: {:?}", began.elapsed());
    let names: Vec<(String, String)> = (0..64).map(|n| (format!("PRODUCT-{n}"), format!("C{}", n % 8))).collect();
    products(store, &names.iter().map(|(code, category)| (code.as_str(), category.as_str())).collect::<Vec<_>>()).await;
    for round in ["new", "again"] {
        let batch = NewBatch { source: "shop".to_owned(), file_name: None, file_digest: Some(round.to_owned()) };
        let mut import = store.begin_import::<Transaction>(&context("import"), &Scope::All, &batch).await.unwrap().import;
        let (mut made, began) = (std::time::Duration::ZERO, Instant::now());
        for from in (0..lines).step_by(5_000) {
            let making = Instant::now();
            let chunk = (from..lines.min(from + 5_000)).map(|number| line(number, lines)).collect();
            made += making.elapsed();
            import.stage(&context("import"), chunk).await.unwrap();
        }
        let staged = began.elapsed() - made;
        let report = write(store, async |tx| import.seal(tx, ConflictRule::Refuse, false).await).await.unwrap();
        let sealed = began.elapsed() - made - staged;
        import.sweep(&context("import")).await.unwrap();
        let all = began.elapsed() - made;
        let rate = lines as f64 / all.as_secs_f64();
        println!("{lines} lines {round}: {} inserted, staged {staged:?}, sealed {sealed:?}, all {all:?}: {rate:.0} lines/s", report.inserted);
    }
    let everything = FactsPlan::everything(program, Date::MAX);
    let rolled = FactsPlan { monthly: Some(Span::ALWAYS), ..FactsPlan::state(program, today()) };
    for (name, plan, size) in
        [("state", FactsPlan::state(program, today()), 1), ("months", rolled.clone(), 1), ("everything", everything, 1), ("months", rolled, 1_000)]
    {
        let began = Instant::now();
        for _ in 0..100 {
            store.read(async |tx| tx.load_facts(&Scope::All, &ids[..size], &plan).await).await.unwrap();
        }
        println!("load_facts, {name} of {size}: {:?}", began.elapsed() / 100);
    }
    let began = Instant::now();
    assert_eq!(store.read(async |tx| tx.verify_rollups(1).await).await.unwrap(), Vec::new());
    println!("verify roll-ups: {:?}", began.elapsed());
}
