//! The days on which reviews are due.
//!
//! Some days concern everybody: those of the cadences, the day on which a version takes effect or is enforced, the end of a
//! protection. Others are a partner's own: a grace period that warns or ends, an override that begins or ends (semantics 6), an onboarding
//! deadline, the reviews of years counted from its own enrollment. A continuous cadence is due every day.

use std::collections::BTreeSet;

use super::days::ReviewDays;
use super::decide::months_after;
use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, ReviewDay, ReviewPolicy, ReviewYears};
use crate::document::metric::CalendarUnit;
use crate::period::FiscalYear;
use crate::program::Program;

/// The dates of a partner from which days of its own follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnDates {
    /// The first days of its enrollments.
    pub enrolled: Vec<Date>,
    /// The days on which an override begins to hold, and no longer does.
    pub overrides: Vec<Date>,
    /// Its admissions: ladder, tier, and the days on which they hold as far as people decided.
    pub admissions: Vec<(String, String, Span)>,
    /// The days on which a grace period that runs warns, and on which it ends.
    pub grace: Vec<Date>,
}

/// The days of `span` on which everybody is due, by the version in force on them.
pub fn common_review_days(program: &Program, span: Span) -> BTreeSet<Date> {
    let mut days = BTreeSet::new();
    for ladder in &program.document.ladders {
        for policy in ladder.policies() {
            for reviews in both_ways(policy, year_of(program, policy)) {
                common_days(policy, reviews, span, &mut days);
            }
            days.extend(policy.protected_until);
        }
    }
    let version = &program.document.version;
    days.extend([Some(version.effective_on), version.enforced_on].into_iter().flatten());
    days.retain(|day| span.contains(*day));
    days
}

/// The year by whose parts everybody is reviewed who has no year of his own.
const fn year_of(program: &Program, policy: &ReviewPolicy) -> FiscalYear {
    if policy.fiscal { program.fiscal_year } else { FiscalYear::CALENDAR }
}

/// The reviews of a policy upwards and downwards.
const fn both_ways(policy: &ReviewPolicy, year: FiscalYear) -> [ReviewDays; 2] {
    [ReviewDays::up_in(policy, year), ReviewDays::down_in(policy, year)]
}

/// The longest time, in months, after which an admission ends by itself; 0 where none does.
pub fn admission_months(program: &Program) -> u32 {
    let tiers = program.document.ladders.iter().flat_map(|ladder| &ladder.tiers);
    tiers.filter_map(|tier| tier.admission?.valid_months).max().unwrap_or(0)
}

/// When the next downward review after a date may be at the latest, by each policy of the version; none where its reviews have no dates.
pub fn next_downward_reviews(program: &Program, as_of: Date) -> Vec<Option<Date>> {
    let next = |policy: &ReviewPolicy| next_review(policy, ReviewDays::down_in(policy, year_of(program, policy)), as_of);
    program.document.ladders.iter().flat_map(Ladder::policies).map(next).collect()
}

/// The last day by which gaps of a date may be told ([`crate::metric::Evaluator::tell_gaps`]): the next review of a policy, also after
/// enforcement, onboarding and protection, the end of a grace period, or an onboarding deadline.
pub fn gaps_told_until(program: &Program, as_of: Date) -> Date {
    let of_policy = |policy: &ReviewPolicy| {
        let [upward, downward] = both_ways(policy, year_of(program, policy));
        let up = next_review(policy, upward, as_of);
        let from = judged_down_from_at_most(program, policy, as_of);
        let down = next_review(policy, downward, from).unwrap_or(from);
        let lost = policy.grace.as_ref().map_or(down, |grace| super::grace::end_of(grace, down));
        let deadline = policy.onboarding_deadline().map(|length| length.after(as_of));
        [up, Some(lost), deadline].into_iter().flatten().max()
    };
    program.document.ladders.iter().flat_map(Ladder::policies).filter_map(of_policy).fold(as_of, Date::max)
}

/// The latest day from which a tier that is held on a date may be judged downwards, whoever holds it since when.
fn judged_down_from_at_most(program: &Program, policy: &ReviewPolicy, as_of: Date) -> Date {
    let header = &program.document.version;
    let protected = policy.protection_months.map(|months| months_after(as_of, months));
    let onboarded = policy.onboarding().map(|length| length.after(as_of));
    let days = [header.enforced_on, policy.protected_until, Some(header.effective_on), protected, onboarded];
    days.into_iter().flatten().fold(as_of, Date::max)
}

/// Months are not of one length: a review day inside an own year may come so many days later than its first day would.
const OWN_DAYS_LATER: i64 = 6;

/// When the next review after a date may be at the latest.
fn next_review(policy: &ReviewPolicy, reviews: ReviewDays, as_of: Date) -> Option<Date> {
    match (reviews.unit(), policy.years_from) {
        // Own years may begin on any day.
        (Some(unit), Some(_)) => {
            let later = if reviews.is_on(ReviewDay::FIRST) { 0 } else { OWN_DAYS_LATER };
            Some(as_of.next().plus_months(unit.months()).plus_days(later))
        }
        _ => reviews.next_after(as_of),
    }
}

/// Whether a version has days that follow from enrollments, so that they must be known of everybody.
pub fn has_days_of_enrollment(program: &Program) -> bool {
    let of_policy = |policy: &ReviewPolicy| policy.onboarding_deadline().is_some() || policy.years_from == Some(ReviewYears::Enrollment);
    program.document.ladders.iter().flat_map(Ladder::policies).any(of_policy)
}

/// The days of `span` on which a partner is due for reasons of its own.
pub fn own_review_days(program: &Program, own: &OwnDates, span: Span) -> BTreeSet<Date> {
    let mut days: BTreeSet<Date> = own.overrides.iter().chain(&own.grace).copied().collect();
    for (ladder, key, held) in &own.admissions {
        let terms = program.ladder(Some(ladder)).and_then(|ladder| ladder.tier(key)).and_then(|(_, tier)| tier.admission);
        days.extend([held.until]);
        days.extend(terms.and_then(|terms| terms.valid_months).map(|months| months_after(held.from, months)));
    }
    for policy in program.document.ladders.iter().flat_map(Ladder::policies) {
        for enrolled in &own.enrolled {
            days.extend(policy.onboarding_deadline().map(|length| length.after(*enrolled)));
            if policy.years_from == Some(ReviewYears::Enrollment) {
                days.extend(both_ways(policy, FiscalYear::beginning(*enrolled)).into_iter().flat_map(|reviews| reviews.between(span)));
            }
        }
    }
    days.retain(|day| span.contains(*day));
    days
}

fn common_days(policy: &ReviewPolicy, reviews: ReviewDays, span: Span, days: &mut BTreeSet<Date>) {
    match (reviews.unit(), policy.years_from) {
        (None, _) if reviews.is_never() => {}
        (None, _) => days.extend(std::iter::successors(Some(span.from), |day| Some(day.next())).take_while(|day| *day < span.until)),
        // Own years that begin with a quarter: every quarter may be the beginning of somebody's, and months are the same in all of them.
        (Some(CalendarUnit::Month), Some(ReviewYears::FirstReached)) | (Some(_), None) => days.extend(reviews.between(span)),
        (Some(_), Some(ReviewYears::FirstReached)) => days.extend(reviews.of_any_quarter(span)),
        (Some(_), Some(ReviewYears::Enrollment)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read::{Format, read};

    fn program(review: &str) -> Program {
        let text = format!(
            "guerdon: 1\nprogram: {{code: P, name: P, currency: USD, fiscalYearStart: 02-01}}\nversion: {{effectiveOn: 2024-01-10, enforcedOn: 2024-07-04}}\n\
             ladders:\n- key: MAIN\n  review: {{{review}}}\n  tiers:\n  - key: A\n"
        );
        Program::compile(read(&text, Format::of(&text)).unwrap()).unwrap()
    }

    fn span(from: &str, until: &str) -> Span {
        Span::new(from.parse().unwrap(), until.parse().unwrap())
    }

    fn texts(days: &BTreeSet<Date>) -> Vec<String> {
        days.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn cadences_name_the_days_of_everybody() {
        let year = span("2024-02-02", "2025-02-02");
        let common = |review: &str| texts(&common_review_days(&program(review), year));
        assert_eq!(common("cadenceUp: QUARTERLY, cadenceDown: ANNUAL"), ["2024-04-01", "2024-07-01", "2024-07-04", "2024-10-01", "2025-01-01"]);
        assert_eq!(common("cadenceUp: NEVER, cadenceDown: ANNUAL, fiscal: true"), ["2024-07-04", "2025-02-01"]);
        assert_eq!(common("cadenceUp: NEVER, cadenceDown: NEVER, protectedUntil: 2024-09-09"), ["2024-07-04", "2024-09-09"]);
        assert_eq!(common_review_days(&program("cadenceUp: DAILY, cadenceDown: NEVER"), span("2024-03-01", "2024-03-11")).len(), 10);
        assert_eq!(common_review_days(&program(""), span("2024-03-01", "2024-03-11")).len(), 10, "continuous is every day");
        assert_eq!(texts(&common_review_days(&program("cadenceUp: ANNUAL, cadenceDown: ANNUAL"), span("2024-01-02", "2024-02-01"))), ["2024-01-10"]);
        let of_february = common("cadenceUp: NEVER, cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 15}");
        assert_eq!(of_february, ["2024-02-15", "2024-07-04"]);
        let of_each = common("cadenceUp: SEMI_ANNUAL, reviewDayUp: {month: 3}, cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 29}, fiscal: true");
        assert_eq!(of_each, ["2024-03-29", "2024-04-01", "2024-07-04", "2024-10-01"]);
        let of_quarters = common("cadenceUp: NEVER, cadenceDown: QUARTERLY, reviewDayDown: {month: 3, day: 31}");
        assert_eq!(of_quarters, ["2024-03-31", "2024-06-30", "2024-07-04", "2024-09-30", "2024-12-31"]);
        let of_any = common("cadenceUp: NEVER, cadenceDown: ANNUAL, reviewDayDown: {month: 5, day: 10}, yearsFrom: FIRST_REACHED");
        assert_eq!(of_any, ["2024-02-10", "2024-05-10", "2024-07-04", "2024-08-10", "2024-11-10"], "the year may begin with any quarter");
        assert_eq!(common("cadenceUp: NEVER, ratchet: true"), ["2024-07-04", "2025-01-01"], "a ratchet makes it a year");
        assert!(common("cadenceUp: ANNUAL, cadenceDown: ANNUAL, yearsFrom: ENROLLMENT").len() == 1, "only the day of enforcement");
    }

    #[test]
    fn the_next_downward_review_is_no_later_than_this() {
        let next = |review: &str| next_downward_reviews(&program(review), "2024-03-31".parse().unwrap());
        let day = |text: &str| vec![Some(text.parse::<Date>().unwrap())];
        assert_eq!(next("cadenceDown: QUARTERLY"), day("2024-04-01"));
        assert_eq!(next("cadenceDown: ANNUAL, fiscal: true"), day("2025-02-01"));
        assert_eq!(next("cadenceDown: ANNUAL, yearsFrom: ENROLLMENT"), day("2025-04-01"), "own years begin on any day");
        assert_eq!(next("cadenceDown: ANNUAL, reviewDayDown: {month: 3, day: 31}"), day("2025-03-31"), "the day itself is not the next one");
        assert_eq!(next("cadenceDown: ANNUAL, reviewDayDown: {month: 4, day: 1}"), day("2024-04-01"));
        assert_eq!(next("cadenceDown: CONTINUOUS, ratchet: true"), day("2025-01-01"), "a ratchet makes it a year");
        assert_eq!((next("cadenceDown: NEVER"), next("cadenceDown: DAILY")), (vec![None], vec![None]));
    }

    #[test]
    fn gaps_are_told_until_the_last_day_on_which_a_tier_may_be_lost() {
        let until = |review: &str| gaps_told_until(&program(review), "2024-08-15".parse().unwrap()).to_string();
        assert_eq!(until(""), "2024-08-15");
        assert_eq!(until("cadenceUp: ANNUAL, cadenceDown: QUARTERLY"), "2025-01-01");
        assert_eq!(until("cadenceDown: MONTHLY, protectionMonths: 6"), "2025-03-01");
        assert_eq!(until("cadenceDown: MONTHLY, onboardingMonths: 6, grace: {months: 2}"), "2025-05-01");
        assert_eq!(until("protectedUntil: 2025-02-02"), "2025-02-02");
        assert_eq!(until("cadenceDown: NEVER, onboardingDeadlineMonths: 3"), "2024-11-15");
        assert_eq!(until("cadenceDown: NEVER, onboardingDeadlineDays: 90"), "2024-11-13");
        assert_eq!(until("cadenceDown: MONTHLY, onboardingDays: 90"), "2024-12-01");
        assert_eq!(until("cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 15}, grace: {days: 10}"), "2025-02-25");
    }

    #[test]
    fn grace_overrides_and_enrollments_name_days_of_one_partner() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let own = OwnDates {
            enrolled: vec![date("2023-05-31")],
            overrides: vec![date("2024-03-03"), date("2022-01-01")],
            grace: vec![date("2024-06-06")],
            admissions: vec![],
        };
        let all = span("2024-01-01", "2025-01-01");
        assert_eq!(texts(&own_review_days(&program(""), &own, all)), ["2024-03-03", "2024-06-06"]);
        let newcomers = program("onboardingDeadlineMonths: 12");
        assert_eq!(texts(&own_review_days(&newcomers, &own, all)), ["2024-03-03", "2024-05-31", "2024-06-06"]);
        let years = program("cadenceUp: NEVER, cadenceDown: SEMI_ANNUAL, yearsFrom: ENROLLMENT");
        assert_eq!(texts(&own_review_days(&years, &own, all)), ["2024-03-03", "2024-05-28", "2024-06-06", "2024-11-28"]);
        let in_days = program("onboardingDeadlineDays: 300");
        assert_eq!(texts(&own_review_days(&in_days, &own, all)), ["2024-03-03", "2024-03-26", "2024-06-06"]);
        let later = program("cadenceUp: NEVER, cadenceDown: ANNUAL, reviewDayDown: {month: 2, day: 15}, yearsFrom: ENROLLMENT");
        assert_eq!(texts(&own_review_days(&later, &own, all)), ["2024-03-03", "2024-06-06", "2024-07-12"], "the year begins on the 28th");
        assert!(has_days_of_enrollment(&in_days) && has_days_of_enrollment(&later));
        assert!(has_days_of_enrollment(&newcomers) && has_days_of_enrollment(&years) && !has_days_of_enrollment(&program("")));
    }
}
