//! The law of true-up: what runs in the database post is what `evaluate` answers for the same facts and days.

use guerdon_domain::document::read::read_document;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{OnRecord, RunAsked, runs};
use serde_json::{Value, json};

use super::{go_to, posted, program_with, sell, service, sound, statements};

/// A small generator, so that a failing case is found again by its seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

const RUNS: [(&str, &str, &str); 6] = [
    ("2020-Q1", "ORIGINAL", "2020-04-10"),
    ("2020-Q1", "ADJUSTMENT", "2020-05-20"),
    ("2020-Q2", "ORIGINAL", "2020-07-10"),
    ("2020-Q3", "ORIGINAL", "2020-10-10"),
    ("2020-Q2", "ADJUSTMENT", "2020-11-20"),
    ("2020-Q4", "ORIGINAL", "2021-01-10"),
];

const DAYS: [&str; 6] = ["2020-04-08", "2020-05-18", "2020-07-08", "2020-10-08", "2020-11-18", "2021-01-08"];

fn schedules(seed: u64) -> Value {
    let bands = |scope: &str| json!({"bands": {"scope": scope, "bands": [{"from": 0, "rate": "1.5 %"}, {"from": 700, "rate": "2.25 %"}, {"from": 2500, "rate": "4 %"}]}});
    match seed % 6 {
        0 => json!({"method": bands("MARGINAL"), "returns": "SALE_DATE"}),
        1 => json!({"method": bands("RETROACTIVE"), "trueUp": {"negative": "CARRY_FORWARD"}}),
        2 => json!({"method": bands("MARGINAL"), "cumulative": true, "cap": {"amount": 90}}),
        3 => json!({"method": bands("ROLLING"), "minimumPayout": {"amount": 20, "below": "CARRY"}}),
        4 => json!({"method": bands("RETROACTIVE"), "carryNegative": true, "guarantee": {"amount": 5, "cumulative": true}}),
        _ => json!({"method": bands("TOTAL"), "floor": {"amount": 3}, "trueUp": {"untilDays": 60}, "rounding": {"at": "BAND"}}),
    }
}

/// Sale lines by the day on which they become known; each may be late.
fn sales(draws: &mut Draws) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::new(); DAYS.len()];
    for at in 0..24 {
        let known = usize::try_from(draws.below(6)).unwrap();
        let last_month = [3, 4, 6, 9, 10, 12][known];
        let month = 1 + draws.below(last_month);
        let (cents, kind) = (draws.below(120_000), if draws.below(4) == 0 { "RETURN" } else { "SALE" });
        let mut line = json!({
            "externalId": format!("L{at}"), "partner": "A", "date": format!("2020-{month:02}-{:02}", 1 + draws.below(28)), "kind": kind,
            "amount": {"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "USD"},
        });
        if kind == "RETURN" && at > 0 && draws.below(2) == 0 {
            line["corrects"] = json!(format!("L{}", draws.below(at)));
        }
        all[known].push(line);
    }
    all
}

/// The same lines as facts of an evaluation.
fn facts(program: &Program, sold: &[Vec<Value>]) -> guerdon_domain::facts::Facts {
    let spelled = |line: &Value, known: &str| {
        let mut fact = json!({"id": line["externalId"], "source": "erp", "date": line["date"], "kind": line["kind"], "amount": line["amount"]["amount"], "recordedOn": known});
        if let Some(corrects) = line.get("corrects") {
            fact["corrects"] = corrects.clone();
        }
        fact
    };
    let lines: Vec<Value> = sold.iter().zip(DAYS).flat_map(|(lines, known)| lines.iter().map(move |line| spelled(line, known))).collect();
    let input = json!({"partners": [{"code": "A", "transactions": lines}]});
    let input = serde_json::from_value(input).unwrap();
    guerdon_domain::facts::read::read(&input, program).unwrap()
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

async fn holds(seed: u64) {
    let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut schedule = schedules(seed);
    schedule["key"] = json!("R");
    schedule["period"] = json!({"quarter": {}});
    let document = program_with(schedule);
    let program = Program::compile(read_document(document.clone()).unwrap()).unwrap();
    let sold = sales(&mut draws);
    let asked: Vec<RunAsked> = RUNS.iter().map(|(period, _, on)| RunAsked { period: (*period).to_owned(), run_on: on.parse().unwrap() }).collect();
    let expected = runs(&program, &facts(&program, &sold), "A", &asked, &OnRecord).unwrap();
    let api = service(&document, &["A"], "2020-04-01").await;
    for (((period, kind, on), expected), (lines, known)) in RUNS.iter().zip(&expected).zip(sold.iter().zip(DAYS)) {
        go_to(&api, known);
        if !lines.is_empty() {
            sell(&api, lines).await;
        }
        go_to(&api, on);
        let run = posted(&api, period, kind).await;
        let stated = statements(&api, &run).await;
        let now: i64 = stated.iter().map(|row| cents(&row.4)).sum();
        assert_eq!(now, expected.posted_now(None), "seed {seed}, {period} {kind} on {on}: {stated:?} {expected:?}");
        for posting in expected.postings.iter().filter(|posting| posting.difference.minor != 0) {
            let found = stated.iter().find(|row| row.1 == posting.period).unwrap_or_else(|| panic!("seed {seed}: no statement of {}", posting.period));
            assert_eq!((cents(&found.2), cents(&found.3)), (posting.worth.minor, posting.before.minor), "seed {seed}, {period} on {on}");
        }
    }
    sound(&api).await;
}

#[tokio::test]
async fn runs_in_the_database_post_what_evaluate_answers() {
    let cases = if std::env::var_os("GUERDON_LONG_TESTS").is_some() { 60 } else { 6 };
    for seed in 0..cases {
        holds(seed).await;
    }
}
