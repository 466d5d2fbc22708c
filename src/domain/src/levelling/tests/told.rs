//! What is missing by the day on which it is decided is that of the rule judged on the day.

use super::*;

const HEADER: &str = "guerdon: 1\nprogram: {code: X, name: X, currency: USD}\nversion: {effectiveOn: 2015-01-01}\n";

fn revenue(window: &str, review: &str) -> Program {
    compiled(&format!(
        "{HEADER}metrics: [{{key: rev, name: Revenue, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {window}}}}}]\n\
         ladders: [{{key: L, review: {review}, tiers: [{{key: A}}, {{key: B, requirement: {{metric: {{metric: rev, atLeast: 1000}}}}}}]}}]\n"
    ))
}

fn sold(tier: &str, lines: &[(&str, i64)]) -> serde_json::Value {
    let line = |(at, (date, amount)): (usize, &(&str, i64))| serde_json::json!({"id": at.to_string(), "date": date, "amount": amount.to_string()});
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    serde_json::json!({"partners": [{"code": "P", "assignments": [{"ladder": "L", "tier": tier, "from": "2020-01-01"}], "transactions": lines}]})
}

fn told(program: &Program, input: serde_json::Value, as_of: &str) -> LadderStanding {
    evaluate_partner(program, &facts(program, input), "P", date(as_of)).unwrap().ladders.remove(0)
}

fn sentences(gap: &Gap) -> Vec<String> {
    gap.missing.iter().map(|leaf| leaf.sentence().text).collect()
}

fn next(program: &Program, input: serde_json::Value, as_of: &str) -> Vec<String> {
    sentences(&told(program, input, as_of).next.unwrap().gap)
}

const PREVIOUS: &str = "{calendar: {unit: YEAR, which: PREVIOUS}}";

#[test]
fn the_review_looks_at_its_own_previous_year() {
    let program = revenue(PREVIOUS, "{cadenceUp: ANNUAL, cadenceDown: ANNUAL}");
    let lines = [("2024-05-01", 100), ("2025-03-01", 950)];
    let standing = told(&program, sold("A", &lines), "2025-06-01");
    let next = standing.next.unwrap();
    assert_eq!(sentences(&next.gap), ["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2026-01-01"]);
    let leaf = &next.gap.missing[0];
    assert_eq!(leaf.window, Some(Span::new(date("2025-01-01"), date("2026-01-01"))));
    assert_eq!((leaf.actual.clone(), leaf.missing.clone()), (Some(Exact::from_int(950)), Some(Exact::from_int(50))));
    // What is met by then comes by itself.
    let enough = told(&program, sold("A", &[("2024-05-01", 100), ("2025-03-01", 1_000)]), "2025-06-01").next.unwrap();
    assert_eq!((enough.gap.is_empty(), enough.review_on), (true, Some(date("2026-01-01"))));
    // What is met today and not then is still to come.
    let lapses = told(&program, sold("A", &[("2024-05-01", 1_000)]), "2025-06-01").next.unwrap();
    assert_eq!(sentences(&lapses.gap), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2026-01-01"]);
}

#[test]
fn what_leaves_the_window_by_then_does_not_count() {
    let program = revenue("{rolling: {months: 12}}", "{cadenceUp: ANNUAL, cadenceDown: ANNUAL}");
    let lines = [("2024-08-01", 900)];
    assert_eq!(next(&program, sold("A", &lines), "2025-06-01"), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2026-01-01"]);
    let keep = told(&program, sold("B", &lines), "2025-06-01").keep;
    assert_eq!(sentences(&keep), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2026-01-01"]);
    // Nothing later than the date is known.
    let later = [("2024-08-01", 900), ("2025-07-01", 500)];
    assert_eq!(next(&program, sold("A", &later), "2025-06-01"), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2026-01-01"]);
}

#[test]
fn a_grace_period_tells_its_last_day() {
    let program = revenue("{rolling: {months: 12}}", "{grace: {months: 3}}");
    let mut input = sold("B", &[("2024-06-15", 800), ("2025-01-01", 150)]);
    input["partners"][0]["assignments"][0]["from"] = "2025-06-01".into();
    let keep = told(&program, input, "2025-06-01").keep;
    assert_eq!(sentences(&keep), ["Revenue: USD 150 of USD 1,000; USD 850 more needed by 2025-09-01"]);
}

/// A window that only runs on until the review is told as it is.
#[test]
fn a_window_to_date_is_told_as_it_is_now() {
    let program = revenue("{calendar: {unit: YEAR}}", "{cadenceUp: CONTINUOUS, cadenceDown: CONTINUOUS}");
    let gap = told(&program, sold("A", &[("2025-03-01", 950)]), "2025-06-01").next.unwrap().gap;
    assert_eq!(sentences(&gap), ["Revenue: USD 950 of USD 1,000; USD 50 more needed"]);
    let program = revenue("{lifetime: {}}", "{cadenceUp: QUARTERLY, cadenceDown: ANNUAL}");
    let gap = told(&program, sold("A", &[("2025-03-01", 950)]), "2025-06-01").next.unwrap().gap;
    assert_eq!(sentences(&gap), ["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2025-07-01"]);
    assert_eq!(gap.missing[0].window.map(|window| window.last_day()), Some(date("2025-06-01")));
}

/// A standing of many tells what is missing on its date, and no day.
#[test]
fn a_standing_that_is_kept_names_no_day() {
    let program = revenue(PREVIOUS, "{cadenceUp: ANNUAL, cadenceDown: ANNUAL}");
    let facts = facts(&program, sold("A", &[("2024-05-01", 100), ("2025-03-01", 950)]));
    let standing = evaluate_all(&program, &facts, ["P"], date("2025-06-01")).remove(0).unwrap();
    let gap = &standing.ladders[0].next.as_ref().unwrap().gap;
    assert_eq!(sentences(gap), ["Revenue: USD 100 of USD 1,000; USD 900 more needed"]);
}
