//! Review days, onboarding in days, and windows since enrollment: what is refused, and where.

use super::tests::{expect, found};

const LADDER: &str = "tiers: [{key: A}]";

fn reviewed(review: &str) -> String {
    format!("ladders: [{{key: L, review: {{{review}}}, {LADDER}}}]\n")
}

#[test]
fn a_review_day_is_a_day_of_its_unit() {
    let fine = [
        "cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 29}",
        "cadenceDown: ANNUAL, reviewDayDown: {month: 12, day: 31}, cadenceUp: MONTHLY, reviewDayUp: {day: 31}",
        "cadenceDown: QUARTERLY, reviewDayDown: {month: 3, day: 31}",
        "cadenceDown: SEMI_ANNUAL, reviewDayDown: {month: 6}",
        "ratchet: true, reviewDayDown: {month: 12}",
        "cadenceDown: ANNUAL, yearsFrom: ENROLLMENT, reviewDayDown: {month: 2, day: 31}",
        "reviewDayDown: {month: 1, day: 1}",
    ];
    for review in fine {
        expect(&reviewed(review), &[]);
    }
    let refused = [
        ("cadenceDown: ANNUAL, reviewDayDown: {month: 13}", "OUT_OF_RANGE", "reviewDayDown.month"),
        ("cadenceDown: ANNUAL, reviewDayDown: {month: 0}", "OUT_OF_RANGE", "reviewDayDown.month"),
        ("cadenceDown: SEMI_ANNUAL, reviewDayDown: {month: 7}", "OUT_OF_RANGE", "reviewDayDown.month"),
        ("cadenceDown: QUARTERLY, reviewDayDown: {month: 4}", "OUT_OF_RANGE", "reviewDayDown.month"),
        ("cadenceUp: MONTHLY, reviewDayUp: {month: 2}", "OUT_OF_RANGE", "reviewDayUp.month"),
        ("cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 30}", "OUT_OF_RANGE", "reviewDayDown.day"),
        ("cadenceDown: ANNUAL, reviewDayDown: {month: 4, day: 31}", "OUT_OF_RANGE", "reviewDayDown.day"),
        ("cadenceDown: MONTHLY, reviewDayDown: {day: 0}", "OUT_OF_RANGE", "reviewDayDown.day"),
        ("cadenceDown: MONTHLY, reviewDayDown: {day: 32}", "OUT_OF_RANGE", "reviewDayDown.day"),
        ("reviewDayDown: {day: 2}", "OUT_OF_PLACE", "reviewDayDown"),
        ("cadenceUp: NEVER, reviewDayUp: {month: 2}, cadenceDown: ANNUAL", "OUT_OF_PLACE", "reviewDayUp"),
    ];
    for (review, code, member) in refused {
        expect(&reviewed(review), &[(code, &format!("ladders[0].review.{member}"))]);
    }
    let of_tier = "ladders: [{key: L, tiers: [{key: A, review: {cadenceDown: ANNUAL, reviewDayDown: {month: 13}}}]}]";
    expect(of_tier, &[("OUT_OF_RANGE", "ladders[0].tiers[0].review.reviewDayDown.month")]);
}

/// What is refused of sales in a window of which a tier asks.
fn codes_of(window: &str, review: &str) -> Vec<String> {
    let body = format!(
        "metrics: [{{key: m, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{{window}}}}}}}]\n\
         ladders: [{{key: L, review: {{{review}}}, tiers: [{{key: A, requirement: {{metric: {{metric: m, atLeast: 100}}}}}}]}}]\n"
    );
    found(&body).into_iter().map(|(code, _)| code).collect()
}

/// The last month with the present one as one of them is the month to date.
#[test]
fn a_rolling_window_of_the_current_unit_is_one_to_date() {
    let rolling = |length: &str| codes_of(&format!("rolling: {{{length}, alignment: ALIGNED, includeCurrent: true}}"), "cadenceDown: QUARTERLY");
    for misfit in ["months: 1", "quarters: 1"] {
        assert_eq!(rolling(misfit), ["WINDOW_MISFIT"], "{misfit}");
    }
    for fits in ["months: 2", "quarters: 2", "years: 1", "months: 1, offset: 1"] {
        assert_eq!(rolling(fits), Vec::<String>::new(), "{fits}");
    }
}

/// What every review finds on its first day is another question where reviews fall on a later one.
#[test]
fn windows_to_date_fit_a_later_review_day() {
    let codes = |unit: &str, review: &str| codes_of(&format!("calendar: {{unit: {unit}}}"), review);
    assert_eq!(codes("YEAR", "cadenceDown: ANNUAL"), ["WINDOW_MISFIT"]);
    assert_eq!(codes("YEAR", "cadenceDown: ANNUAL, reviewDayDown: {day: 2}"), Vec::<String>::new());
    assert_eq!(codes("YEAR", "cadenceDown: ANNUAL, reviewDayDown: {month: 2}"), Vec::<String>::new());
    assert_eq!(codes("MONTH", "cadenceDown: ANNUAL, reviewDayDown: {month: 2}"), ["WINDOW_MISFIT"]);
    assert_eq!(codes("QUARTER", "cadenceDown: ANNUAL, reviewDayDown: {month: 4}"), ["WINDOW_MISFIT"]);
    assert_eq!(codes("QUARTER", "cadenceUp: QUARTERLY, reviewDayUp: {month: 3, day: 31}"), Vec::<String>::new());
}

#[test]
fn onboarding_is_in_days_or_in_months() {
    expect(&reviewed("onboardingDays: 90, onboardingDeadlineDays: 36600"), &[]);
    expect(&reviewed("onboardingDays: 90, onboardingDeadlineMonths: 3"), &[]);
    expect(&reviewed("onboardingDays: 90, onboardingMonths: 3"), &[("NOT_BOTH", "ladders[0].review")]);
    expect(&reviewed("onboardingDeadlineDays: 90, onboardingDeadlineMonths: 3"), &[("NOT_BOTH", "ladders[0].review")]);
    let out = [("OUT_OF_RANGE", "ladders[0].review.onboardingDays"), ("OUT_OF_RANGE", "ladders[0].review.onboardingDeadlineDays")];
    expect(&reviewed("onboardingDays: 0, onboardingDeadlineDays: 36601"), &out);
}

#[test]
fn a_window_since_enrollment_has_one_length() {
    let of = |window: &str| {
        format!("metrics: [{{key: m, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{sinceEnrollment: {window}}}}}}}]\n")
    };
    for fine in ["{days: 90}", "{months: 12}", "{days: 36600}", "{months: 1200}"] {
        expect(&of(fine), &[]);
    }
    for (window, code, member) in [
        ("{}", "NOT_EXACTLY_ONE", ""),
        ("{days: 90, months: 3}", "NOT_EXACTLY_ONE", ""),
        ("{days: 0}", "OUT_OF_RANGE", ".days"),
        ("{days: 36601}", "OUT_OF_RANGE", ".days"),
        ("{months: 1201}", "OUT_OF_RANGE", ".months"),
    ] {
        expect(&of(window), &[(code, &format!("metrics[0].measure.window.sinceEnrollment{member}"))]);
    }
}
