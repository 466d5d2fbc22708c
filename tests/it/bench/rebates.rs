use std::collections::BTreeMap;

use guerdon::app::programs::ProgramKey;
use guerdon::app::rebates::calculate::{RunQuestion, calculate_from_lines, calculate_from_sums, calculate_partners, question_now};
use guerdon::app::{App, Ctx};
use guerdon::error::AppError;
use guerdon_domain::date::Span;
use guerdon_store::{PartnerId, SumsSource};

use super::seed::{bench, seed};
use crate::harness::fresh;

/// The calculation prints the same sum whatever it read, and the floor's sum is used.
#[tokio::test]
async fn every_way_gives_the_same_sum() {
    let database = fresh().await;
    seed(&database, "7");
    let (success, out, err) = bench(&["rebates", "--rounds", "1", "--run"], &database.url);
    assert!(success, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["period"], "2026-Q2");
    assert_eq!(report["partners"], 40);
    let sum = |timing: &serde_json::Value| (timing["what"].as_str().unwrap().to_owned(), timing["sum"].as_i64().unwrap());
    let mut sums: BTreeMap<String, i64> = report["timings"].as_array().unwrap().iter().map(sum).collect();
    let amount = database.number("SELECT CAST(SUM(amount_minor) AS BIGINT) FROM transactions WHERE occurred_on >= '2026-04-01' AND occurred_on < '2026-07-01'");
    let amount = amount.await;
    assert_eq!(sums.remove("bare aggregate by partner and category"), Some(amount));
    let alone = sums.remove("the same in one process");
    assert_eq!(alone, database.store.spreads_statements().then_some(amount));
    let entitled = database.number("SELECT CAST(SUM(entitled_minor) AS BIGINT) FROM statement").await;
    assert_eq!(sums.into_values().collect::<Vec<_>>(), [entitled; 3], "from kept sums, from lines, and as a run");
    assert!(entitled > 0);
}

async fn everybody(app: &App, ctx: &Ctx, question: &RunQuestion) -> Vec<(PartnerId, String)> {
    let program = question.periods[0].in_force.program.id;
    assert!(!ctx.today.to_string().is_empty());
    app.store.read(async |tx| tx.list_run_partners(program, question.days(), question.up_to.records, "", 1_000).await).await.unwrap()
}

/// Statements from sums are those from lines, to the last figure: for periods with and without late batches, for several periods at
/// once, in chunks of any size.
#[tokio::test]
async fn statements_from_sums_are_those_from_lines() {
    let database = fresh().await;
    seed(&database, "7");
    let app = App::new(database.store.clone());
    let ctx = app.system("test");
    let key = ProgramKey::Code("BENCH".to_owned());
    let asked = async |period: &str| app.store.read(async |tx| question_now(&app, &ctx, tx, &key, period).await).await.unwrap();
    let (first, second) = (asked("2026-Q1").await, asked("2026-Q2").await);
    let both = RunQuestion { periods: first.periods.iter().chain(&second.periods).cloned().collect(), posted_at: BTreeMap::new(), ..second.clone() };
    let earlier = guerdon::app::rebates::calculate::UpTo { cut_off: second.up_to.cut_off - 7, ..second.up_to };
    let middle = RunQuestion { up_to: earlier, ..both.clone() };
    assert_eq!(both.days(), Span::new("2026-01-01".parse().unwrap(), "2026-07-01".parse().unwrap()));
    for question in [second, both, middle] {
        let partners = everybody(&app, &ctx, &question).await;
        let plain = app.store.read(async |tx| calculate_from_lines(tx, &question, &partners).await).await.unwrap();
        assert!(plain.iter().any(|one| one.stated.as_ref().unwrap().iter().any(|stated| stated.amount.minor > 0)));
        let chosen = app.store.read(async |tx| calculate_partners(&app, tx, &question, &partners).await).await.unwrap();
        assert_eq!(chosen, plain);
        for source in [SumsSource::Aggregates, SumsSource::Lines] {
            for size in [partners.len(), 7] {
                app.rebate_sums.forget().await;
                let mut all = Vec::new();
                for chunk in partners.chunks(size) {
                    all.extend(app.store.read(async |tx| calculate_from_sums(&app, tx, &question, chunk, source).await).await.unwrap());
                }
                assert_eq!(all, plain, "{source:?} in chunks of {size}");
            }
        }
    }
    let unknown = app.store.read(async |tx| question_now(&app, &ctx, tx, &key, "2026-Q9").await).await;
    assert!(matches!(unknown, Err(AppError::Invalid(_))));
}
