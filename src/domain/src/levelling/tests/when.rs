//! Review days that are not the first of their unit, onboarding in days, and windows that begin with the enrollment.

use super::*;

const HEADER: &str = "guerdon: 1\nprogram: {code: X, name: X, currency: USD, fiscalYearStart: \"07-01\"}\nversion: {effectiveOn: 2015-01-01}\n";

/// Tier A asks for nothing, tier B for 1000 of revenue in a window.
fn revenue(window: &str, review: &str) -> Program {
    compiled(&format!(
        "{HEADER}metrics: [{{key: rev, name: Revenue, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {window}}}}}]\n\
         ladders: [{{key: L, review: {{{review}}}, tiers: [{{key: A}}, {{key: B, requirement: {{metric: {{metric: rev, atLeast: 1000}}}}}}]}}]\n"
    ))
}

/// A partner with tier B since 2020, unless other members are given.
fn sold(lines: &[(&str, i64)], more: serde_json::Value) -> serde_json::Value {
    let line = |(at, (date, amount)): (usize, &(&str, i64))| serde_json::json!({"id": at.to_string(), "date": date, "amount": amount.to_string()});
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    let mut partner = serde_json::json!({"code": "P", "assignments": [{"ladder": "L", "tier": "B", "from": "2020-01-01"}], "transactions": lines});
    for (key, value) in more.as_object().unwrap() {
        partner[key] = value.clone();
    }
    serde_json::json!({"partners": [partner]})
}

fn on(program: &Program, input: &serde_json::Value, as_of: &str) -> LadderStanding {
    evaluate_partner(program, &facts(program, input.clone()), "P", date(as_of)).unwrap().ladders.remove(0)
}

fn tiers<const N: usize>(program: &Program, input: &serde_json::Value, days: [&str; N]) -> [String; N] {
    days.map(|day| on(program, input, day).tier.unwrap_or("NONE".into()))
}

fn sentences(gap: &Gap) -> Vec<String> {
    gap.missing.iter().map(|leaf| leaf.sentence().text).collect()
}

fn risk(program: &Program, input: &serde_json::Value, as_of: &str) -> Vec<LadderRisk> {
    at_risk(program, &facts(program, input.clone()), "P", date(as_of), date(as_of).plus_months(12)).unwrap()
}

const PREVIOUS: &str = "{calendar: {unit: YEAR, which: PREVIOUS}}";
const FEBRUARY: &str = "cadenceUp: ANNUAL, reviewDayUp: {month: 2, day: 15}, cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 15}";

#[test]
fn the_year_before_is_assessed_in_february() {
    let program = revenue(PREVIOUS, FEBRUARY);
    let input = sold(&[("2023-03-01", 1_000), ("2024-03-01", 950)], serde_json::json!({}));
    // The year is over on 1 January, and the review is on 15 February.
    assert_eq!(tiers(&program, &input, ["2024-12-31", "2025-01-01", "2025-02-14", "2025-02-15"]), ["B", "B", "B", "A"]);
    let waiting = on(&program, &input, "2025-02-14");
    assert_eq!((waiting.decision.reasons, waiting.decision.next_down_on), (vec![Reason::DownNotDue], Some(date("2025-02-15"))));
    assert_eq!((waiting.decision.due_down, on(&program, &input, "2025-02-15").decision.due_down), (false, true));
    // Who was not reviewed on the day waits for the next one.
    assert_eq!(on(&program, &input, "2025-02-16").decision.next_down_on, Some(date("2026-02-15")));
    let up = sold(&[("2024-03-01", 1_000)], serde_json::json!({"assignments": [{"ladder": "L", "tier": "A", "from": "2020-01-01"}]}));
    assert_eq!(tiers(&program, &up, ["2025-01-01", "2025-02-14", "2025-02-15"]), ["A", "A", "B"]);
    assert_eq!(on(&program, &up, "2025-01-20").next.unwrap().review_on, Some(date("2025-02-15")));
}

#[test]
fn what_is_missing_is_asked_for_by_the_last_day_that_counts() {
    let program = revenue(PREVIOUS, FEBRUARY);
    let input = sold(&[("2023-03-01", 1_000), ("2024-03-01", 950)], serde_json::json!({"assignments": [{"ladder": "L", "tier": "A", "from": "2020-01-01"}]}));
    let told = |day: &str| {
        let gap = on(&program, &input, day).next.unwrap().gap;
        (sentences(&gap), gap.missing[0].by(), gap.closed)
    };
    let by = Some(date("2025-02-15"));
    assert_eq!(told("2024-12-31"), (vec!["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2024-12-31".to_owned()], by, false));
    let closed = "Revenue: USD 950 of USD 1,000; its days ended on 2024-12-31, nothing more counts";
    assert_eq!(told("2025-01-01"), (vec![closed.to_owned()], by, true));
    assert_eq!(told("2025-02-15").1, Some(date("2026-02-15")), "the next review is that of the next year");
    // The tier that is held is told by the same day, and is at risk from the first day of the year on.
    let held = sold(&[("2023-03-01", 1_000), ("2024-03-01", 950)], serde_json::json!({}));
    assert_eq!(risk(&program, &held, "2024-12-31")[0].fails_on, Some(date("2025-01-01")));
    let keep = on(&program, &held, "2025-01-01").keep;
    assert_eq!((sentences(&keep), keep.missing[0].by()), (vec![closed.to_owned()], by));
}

#[test]
fn reviews_fall_on_a_day_of_the_fiscal_year_the_quarter_or_the_own_year() {
    let window = "{rolling: {months: 1}}";
    let input = |more| sold(&[], more);
    let lost = |review: &str, more: serde_json::Value, days: [&str; 2]| assert_eq!(tiers(&revenue(window, review), &input(more), days), ["B", "A"], "{review}");
    let none = serde_json::json!({});
    lost("cadenceDown: ANNUAL, fiscal: true, reviewDayDown: {month: 2}", none.clone(), ["2024-07-31", "2024-08-01"]);
    lost("cadenceDown: QUARTERLY, reviewDayDown: {month: 3, day: 31}", none.clone(), ["2024-06-29", "2024-06-30"]);
    lost("cadenceDown: MONTHLY, reviewDayDown: {day: 30}", none, ["2023-02-27", "2023-02-28"]);
    let enrolled = serde_json::json!({"enrollments": [{"since": "2020-05-20"}]});
    lost("cadenceDown: ANNUAL, yearsFrom: ENROLLMENT, reviewDayDown: {month: 2, day: 15}", enrolled, ["2024-07-03", "2024-07-04"]);
    let reached = serde_json::json!({"assignments": [{"ladder": "L", "tier": "B", "from": "2020-05-20"}]});
    lost("cadenceDown: ANNUAL, yearsFrom: FIRST_REACHED, reviewDayDown: {month: 2, day: 15}", reached, ["2024-05-14", "2024-05-15"]);
}

/// A grace period begins on the review day, not on the first of the unit.
#[test]
fn grace_begins_on_the_review_day() {
    let program = revenue(PREVIOUS, &format!("{FEBRUARY}, grace: {{days: 30}}"));
    let input = sold(&[("2023-03-01", 1_000)], serde_json::json!({}));
    assert_eq!(on(&program, &input, "2025-02-14").decision.grace, None);
    let running = on(&program, &input, "2025-02-15").decision.grace.unwrap();
    assert_eq!((running.since, running.until), (date("2025-02-15"), date("2025-03-17")));
    assert_eq!(tiers(&program, &input, ["2025-03-16", "2025-03-17"]), ["B", "A"]);
}

/// Tier A asks for a certificate.
fn certified(review: &str) -> Program {
    compiled(&format!(
        "{HEADER}metrics: [{{key: certs, unit: COUNT, noun: certificate, measure: {{source: HOLDINGS, aggregate: COUNT, window: {{onDay: {{}}}}}}}}]\n\
         ladders: [{{key: L, review: {{{review}}}, tiers: [{{key: A, requirement: {{metric: {{metric: certs, atLeast: 1}}}}}}]}}]\n"
    ))
}

#[test]
fn newcomers_have_so_many_days() {
    let since = serde_json::json!({"enrollments": [{"since": "2024-01-15"}], "assignments": [{"ladder": "L", "tier": "A", "from": "2024-01-15"}]});
    let input = sold(&[], since);
    // 90 days after 15 January 2024 is 14 April.
    let deadline = certified("cadenceDown: ANNUAL, onboardingDeadlineDays: 90");
    assert_eq!(tiers(&deadline, &input, ["2024-01-15", "2024-04-13", "2024-04-14"]), ["A", "A", "NONE"]);
    assert_eq!(on(&deadline, &input, "2024-04-13").decision.reasons, [Reason::Onboarding]);
    assert_eq!(on(&deadline, &input, "2024-04-14").decision.reasons, [Reason::OnboardingFailed]);
    assert_eq!(sentences(&on(&deadline, &input, "2024-02-01").keep), ["0 of 1 certificate; 1 more needed by 2024-04-14"]);
    let onboarding = certified("onboardingDays: 90");
    assert_eq!(tiers(&onboarding, &input, ["2024-04-13", "2024-04-14", "2024-04-15"]), ["A", "NONE", "NONE"]);
    assert_eq!(on(&onboarding, &input, "2024-04-13").decision.reasons, [Reason::Onboarding]);
    assert_eq!(sentences(&on(&onboarding, &input, "2024-02-01").keep), ["0 of 1 certificate; 1 more needed by 2024-04-14"]);
    // Without a record the lowest tier is given until then.
    let new = sold(&[], serde_json::json!({"enrollments": [{"since": "2024-01-15"}], "assignments": []}));
    assert_eq!(tiers(&deadline, &new, ["2024-04-13", "2024-04-14"]), ["A", "NONE"]);
    assert_eq!(tiers(&onboarding, &new, ["2024-04-13", "2024-04-14"]), ["NONE", "NONE"]);
}

#[test]
fn the_first_days_of_an_enrollment_count_for_good_and_nothing_after_them() {
    let program = revenue("{sinceEnrollment: {days: 90}}", "");
    // The first 90 days from 15 January 2024 end with 13 April.
    let new = |lines: &[(&str, i64)]| sold(lines, serde_json::json!({"enrollments": [{"since": "2024-01-15"}], "assignments": []}));
    let days = ["2024-01-14", "2024-01-15", "2024-04-13", "2024-04-14", "2029-01-01"];
    let of = |sold_on: &str| tiers(&program, &new(&[(sold_on, 1_000)]), days);
    assert_eq!(of("2024-01-14"), ["NONE", "A", "A", "A", "A"]);
    assert_eq!(of("2024-01-15"), ["NONE", "B", "B", "B", "B"]);
    assert_eq!(of("2024-04-13"), ["NONE", "A", "B", "B", "B"]);
    assert_eq!(of("2024-04-14"), ["NONE", "A", "A", "A", "A"]);
    // While they run something can be added, and afterwards nothing.
    let few = new(&[("2024-02-01", 950)]);
    let gap = |day: &str| on(&program, &few, day).next.unwrap().gap;
    assert_eq!((sentences(&gap("2024-04-13")), gap("2024-04-13").closed), (vec!["Revenue: USD 950 of USD 1,000; USD 50 more needed".to_owned()], false));
    let over = "Revenue: USD 950 of USD 1,000; its days ended on 2024-04-13, nothing more counts";
    assert_eq!((sentences(&gap("2024-04-14")), gap("2024-04-14").closed), (vec![over.to_owned()], true));
    // What was reached in them is not at risk.
    let enough = sold(&[("2024-02-01", 1_000)], serde_json::json!({"enrollments": [{"since": "2024-01-15"}]}));
    assert_eq!(risk(&program, &enough, "2024-04-01")[0].fails_on, None);
    // A new enrollment after a break begins anew, one that follows at once goes on.
    let again = |until: &str, since: &str| {
        let enrollments = serde_json::json!([{"since": "2024-01-15", "until": until}, {"since": since}]);
        sold(&[("2024-02-01", 1_000)], serde_json::json!({"enrollments": enrollments, "assignments": []}))
    };
    assert_eq!(tiers(&program, &again("2024-03-01", "2024-03-01"), ["2024-05-01"]), ["B"]);
    assert_eq!(tiers(&program, &again("2024-03-01", "2024-03-02"), ["2024-02-29", "2024-03-01", "2024-03-02"]), ["B", "NONE", "A"]);
}

/// A review after the first days of the enrollment asks for what is missing by their last one.
#[test]
fn a_review_after_the_window_asks_by_its_last_day() {
    let program = revenue("{sinceEnrollment: {months: 3}}", "cadenceUp: ANNUAL");
    let input = sold(
        &[("2024-02-01", 950)],
        serde_json::json!({"enrollments": [{"since": "2024-01-15"}], "assignments": [{"ladder": "L", "tier": "A", "from": "2024-01-15"}]}),
    );
    let gap = |day: &str| on(&program, &input, day).next.unwrap().gap;
    assert_eq!(sentences(&gap("2024-04-14")), ["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2024-04-14"]);
    assert_eq!(gap("2024-04-14").missing[0].by(), Some(date("2025-01-01")));
    assert_eq!(sentences(&gap("2024-04-15")), ["Revenue: USD 950 of USD 1,000; its days ended on 2024-04-14, nothing more counts"]);
    // Where the review comes first, it is the review's day.
    let early = revenue("{sinceEnrollment: {months: 3}}", "cadenceUp: QUARTERLY");
    assert_eq!(sentences(&on(&early, &input, "2024-03-20").next.unwrap().gap), ["Revenue: USD 950 of USD 1,000; USD 50 more needed by 2024-04-01"]);
}

/// Policies of reviews with days of every kind of year.
fn reviews() -> impl Strategy<Value = String> {
    let cadence = || prop::sample::select(vec![("MONTHLY", 1_u32), ("QUARTERLY", 3), ("SEMI_ANNUAL", 6), ("ANNUAL", 12)]);
    let day = || (0_u32..12, prop::sample::select(vec![1_u32, 2, 15, 28, 29, 30, 31]));
    let years =
        prop::sample::select(vec!["", ", yearsFrom: ENROLLMENT", ", yearsFrom: FIRST_REACHED", ", fiscal: true", ", fiscal: true, yearsFrom: FIRST_REACHED"]);
    (cadence(), day(), cadence(), day(), years).prop_map(|((up, of_up), (month_up, day_up), (down, of_down), (month_down, day_down), years)| {
        let (month_up, month_down) = (month_up % of_up + 1, month_down % of_down + 1);
        format!(
            "cadenceUp: {up}, reviewDayUp: {{month: {month_up}, day: {}}}, cadenceDown: {down}, reviewDayDown: {{month: {month_down}, day: {}}}{years}",
            day_up.min(if years.contains("yearsFrom") { 31 } else { 28 }),
            day_down.min(if years.contains("yearsFrom") { 31 } else { 28 })
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever day lets a tier go up or down is planned, and the next one comes no later than is looked ahead.
    #[test]
    fn every_day_of_a_decision_is_planned(review in reviews(), enrolled in 0_i64..800, reached in 0_i64..800, offset in 0_i64..400) {
        let program = revenue("{rolling: {months: 1}}", &review);
        let (enrolled, reached) = (date("2021-01-01").plus_days(enrolled), date("2021-01-01").plus_days(reached));
        let more = serde_json::json!({"enrollments": [{"since": enrolled}], "assignments": [{"ladder": "L", "tier": "B", "from": reached.max(enrolled)}]});
        let facts = facts(&program, sold(&[], more));
        let from = date("2024-01-01").plus_days(offset);
        let span = Span::new(from, from.plus_months(13));
        let own = OwnDates { enrolled: vec![enrolled], ..OwnDates::default() };
        let (common, own) = (common_review_days(&program, span), own_review_days(&program, &own, span));
        let mut next: Option<Date> = None;
        for day in (0..span.days()).map(|day| span.from.plus_days(day)) {
            let standing = evaluate_partner(&program, &facts, "P", day).unwrap().ladders.remove(0);
            let due = standing.decision.due_up || standing.decision.due_down;
            prop_assert!(!due || common.contains(&day) || own.contains(&day), "{day}");
            // Who still holds the tier is told the day on which it goes down.
            if standing.tier.as_deref() == Some("B") {
                prop_assert!(next.is_none_or(|next| day < next), "{day}");
                next = standing.decision.next_down_on;
                let latest = next_downward_reviews(&program, day)[0];
                prop_assert!(next.is_some() && next <= latest, "{day}: {next:?} {latest:?}");
            } else {
                prop_assert!(standing.decision.due_down && next.is_none_or(|next| day == next), "{day}");
                next = None;
            }
        }
    }
}
