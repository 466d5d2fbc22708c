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
    assert_eq!(sentences(&next.gap), ["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2025-12-31"]);
    // What is sold on the day of the review counts no more: the sentence says so, the day is the review's.
    let leaf = &next.gap.missing[0];
    assert_eq!((leaf.by(), leaf.sentence().pieces.get("by").map(String::as_str)), (Some(date("2026-01-01")), Some("2025-12-31")));
    assert_eq!(leaf.window, Some(Span::new(date("2025-01-01"), date("2026-01-01"))));
    assert_eq!((leaf.actual.clone(), leaf.missing.clone()), (Some(Exact::from_int(950)), Some(Exact::from_int(50))));
    // What is met by then comes by itself.
    let enough = told(&program, sold("A", &[("2024-05-01", 100), ("2025-03-01", 1_000)]), "2025-06-01").next.unwrap();
    assert_eq!((enough.gap.is_empty(), enough.review_on), (true, Some(date("2026-01-01"))));
    // What is met today and not then is still to come.
    let lapses = told(&program, sold("A", &[("2024-05-01", 1_000)]), "2025-06-01").next.unwrap();
    assert_eq!(sentences(&lapses.gap), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2025-12-31"]);
}

/// What is sold on a day is looked at on that of the review: it is another window than today's.
#[test]
fn a_window_of_one_day_is_that_of_the_review() {
    let program = revenue("{onDay: {}}", "{cadenceUp: SEMI_ANNUAL}");
    let gap = told(&program, sold("A", &[]), "2025-05-01").next.unwrap().gap;
    assert_eq!(sentences(&gap), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2025-07-01"]);
    assert_eq!(gap.missing[0].window, Some(Span::new(date("2025-07-01"), date("2025-07-02"))));
}

/// Whoever sells for 1,000 has sold for 200: one figure is told once, by the most that is asked of it.
#[test]
fn a_figure_that_lower_tiers_ask_for_too_is_told_once() {
    let program = compiled(&format!(
        "{HEADER}metrics: [{{key: rev, name: Revenue, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{lifetime: {{}}}}}}}}]\n\
         ladders: [{{key: L, lowerTiersMustHold: true, review: {{cadenceDown: NEVER}}, tiers: [{{key: A}}, \
         {{key: B, requirement: {{metric: {{metric: rev, atLeast: 200}}}}}}, {{key: C, requirement: {{allOf: [{{metric: {{metric: rev, above: 100}}}}, \
         {{metric: {{metric: rev, atLeast: 1000}}}}, {{metric: {{metric: rev, atLeast: 500}}}}]}}}}]}}]\n"
    ));
    let expected = ["Revenue: USD 50 of USD 1,000; USD 950 more needed"];
    assert_eq!(next(&program, sold("B", &[("2025-03-01", 50)]), "2025-06-01"), expected);
    assert_eq!(sentences(&told(&program, sold("C", &[("2025-03-01", 50)]), "2025-06-01").keep), expected);
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

/// The day is the first one on which the tier may be taken, whatever puts it off.
#[test]
fn a_tier_is_to_be_met_by_the_first_day_on_which_it_may_be_lost() {
    let by = |version: &str, review: &str, partner: serde_json::Value, as_of: &str| {
        let program = compiled(&format!(
            "guerdon: 1\nprogram: {{code: X, name: X, currency: USD}}\nversion: {{{version}}}\n\
             metrics: [{{key: rev, name: Revenue, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{rolling: {{months: 12}}}}}}}}]\n\
             ladders: [{{key: L, review: {review}, tiers: [{{key: A, requirement: {{metric: {{metric: rev, atLeast: 100}}}}}}, \
             {{key: B, requirement: {{metric: {{metric: rev, atLeast: 1000}}}}}}]}}]\n"
        ));
        let mut input = serde_json::json!({"code": "P", "enrollments": [{"since": "2026-05-01"}], "assignments": [{"tier": "B", "from": "2026-05-20"}]});
        for (key, value) in partner.as_object().unwrap() {
            input[key] = value.clone();
        }
        let standing = told(&program, serde_json::json!({"partners": [input]}), as_of);
        assert_eq!(standing.tier.as_deref(), Some("B"), "{review}");
        standing.keep.missing.iter().map(|leaf| leaf.by().map_or_else(|| "?".to_owned(), |by| by.to_string())).collect::<Vec<_>>().concat()
    };
    let (since, none) = ("effectiveOn: 2015-01-01", serde_json::json!({}));
    let over = |kind: &str, until: &str| serde_json::json!({"overrides": [{"kind": kind, "tier": "B", "from": "2026-06-01", "until": until, "reason": "x"}]});
    let cases = [
        (since, "{cadenceDown: MONTHLY}", &none, "2026-07-01"),
        (since, "{cadenceDown: MONTHLY, protectionMonths: 6}", &none, "2026-12-01"),
        (since, "{protectionMonths: 6}", &none, "2026-11-20"),
        (since, "{cadenceDown: MONTHLY, protectionMonths: 6, grace: {months: 1}}", &none, "2027-01-01"),
        (since, "{cadenceDown: MONTHLY, onboardingMonths: 6}", &none, "2026-11-01"),
        (since, "{onboardingMonths: 6}", &none, "2026-11-01"),
        ("effectiveOn: 2026-06-01", "{cadenceDown: MONTHLY, protectedUntil: 2026-12-15}", &none, "2027-01-01"),
        ("effectiveOn: 2026-06-01, enforcedOn: 2026-12-01", "{cadenceDown: MONTHLY}", &none, "2026-12-01"),
        ("effectiveOn: 2026-06-01, enforcedOn: 2026-12-02", "{}", &none, "2026-12-02"),
        // Nothing is met on the deadline: everything is lost, whatever the cadence.
        (since, "{cadenceDown: ANNUAL, onboardingDeadlineMonths: 6}", &none, "2026-11-01"),
        (since, "{cadenceDown: NEVER}", &none, "?"),
        // A floor and a pin hold the tier until their end, on which a review is due.
        (since, "{cadenceDown: MONTHLY}", &over("FLOOR", "2026-11-10"), "2026-11-10"),
        (since, "{cadenceDown: ANNUAL}", &over("PIN", "2026-11-10"), "2026-11-10"),
        (since, "{cadenceDown: MONTHLY, protectionMonths: 8}", &over("FLOOR", "2026-11-10"), "2027-02-01"),
        // The end of a ceiling is a review too.
        (since, "{cadenceDown: ANNUAL}", &over("CEILING", "2026-09-09"), "2026-09-09"),
    ];
    for (version, review, partner, expected) in cases {
        assert_eq!(by(version, review, partner.clone(), "2026-06-15"), expected, "{review} {partner}");
    }
    let unreviewed = serde_json::json!({"assignments": [], "overrides": over("FLOOR", "2026-11-10")["overrides"]});
    assert_eq!(by(since, "{cadenceDown: ANNUAL, protectionMonths: 12}", unreviewed, "2026-06-15"), "2026-11-10", "only the override gives it");
    let without_end = serde_json::json!({"overrides": [{"kind": "FLOOR", "tier": "B", "from": "2026-06-01", "reason": "x"}]});
    assert_eq!(by(since, "{cadenceDown: MONTHLY}", without_end, "2026-06-15"), "?");
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

/// A window that ends before the review: what comes in between no longer counts.
#[test]
fn a_window_that_ends_before_the_review_asks_by_its_last_day() {
    let program = revenue("{rolling: {months: 3, offset: 3}}", "{cadenceUp: ANNUAL, cadenceDown: ANNUAL}");
    let gap = told(&program, sold("A", &[]), "2025-06-01").next.unwrap().gap;
    assert_eq!(gap.missing[0].window, Some(Span::new(date("2025-07-02"), date("2025-10-02"))));
    assert_eq!(sentences(&gap), ["Revenue: USD 0 of USD 1,000; USD 1,000 more needed by 2025-10-01"]);
    assert_eq!(gap.missing[0].by(), Some(date("2026-01-01")));
}

/// A standing of many tells what is missing on its date, and no day.
#[test]
fn a_standing_that_is_kept_names_no_day() {
    let program = revenue(PREVIOUS, "{cadenceUp: ANNUAL, cadenceDown: ANNUAL}");
    let facts = facts(&program, sold("A", &[("2024-05-01", 100), ("2025-03-01", 950)]));
    let standing = evaluate_all(&program, &facts, ["P"], date("2025-06-01")).remove(0).unwrap();
    let gap = &standing.ladders[0].next.as_ref().unwrap().gap;
    assert_eq!(sentences(gap), ["Revenue: USD 100 of USD 1,000; its days ended on 2024-12-31, nothing more counts"]);
}
