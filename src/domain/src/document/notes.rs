//! What a document says that is allowed and may surprise: reported when it is checked and published, never refused.

use super::Document;
use super::ladder::{Ladder, ReviewPolicy};
use super::rebate::{Growth, GrowthMeasure, Method};
use crate::date::{Date, Length};
use crate::exact::Exact;
use crate::fault::Fault;
use crate::rebate::order_dependence;

/// From this factor on a growth target was more likely meant in percent.
const LARGE_FACTOR: i64 = 10;

/// A month has at most so many days.
const MONTH_DAYS: u32 = 31;

/// What may surprise, each with its path and what to do where it was not meant. Codes: `ORDER_MATTERS`, `LARGE_FACTOR`, `WARNS_AT_ONCE`,
/// `DEADLINE_FIRST`.
pub fn notes(document: &Document) -> Vec<Fault> {
    let mut notes: Vec<Fault> = order_dependence(document).into_iter().map(|(path, text)| Fault::new("ORDER_MATTERS", path, text)).collect();
    for (at, schedule) in document.rebate_schedules.iter().enumerate() {
        if let Method::Growth(growth) = &schedule.method {
            notes.extend(large_factors(growth, &format!("rebateSchedules[{at}].method.growth")));
        }
    }
    for (at, ladder) in document.ladders.iter().enumerate() {
        notes.extend(reviews(&ladder.review, &format!("ladders[{at}].review")));
        for (tier, policy) in ladder.tiers.iter().enumerate().filter_map(|(tier, found)| Some((tier, found.review.as_ref()?))) {
            notes.extend(reviews(policy, &format!("ladders[{at}].tiers[{tier}].review")));
        }
    }
    notes
}

/// Days and months of a policy of which the one never matters beside the other.
fn reviews(policy: &ReviewPolicy, path: &str) -> Vec<Fault> {
    let longest = |days: Option<u32>, months: Option<u32>| days.or_else(|| months.map(|months| months.saturating_mul(MONTH_DAYS)));
    let of_grace = policy.grace.as_ref().and_then(|grace| Some((grace.warn_days_before?, longest(grace.days, grace.months)?)));
    let early = of_grace.filter(|(warn, longest)| warn > longest).map(|(warn, longest)| {
        let text = format!("{warn} days are more than the at most {longest} of the period: partners are warned on its first day, as without this");
        Fault::new("WARNS_AT_ONCE", format!("{path}.grace.warnDaysBefore"), text)
    });
    let onboarding = policy.onboarding().zip(policy.onboarding_deadline()).filter(|(onboarding, deadline)| is_longer(*onboarding, *deadline));
    let late = onboarding.map(|(onboarding, deadline)| {
        let text = format!("whoever meets no tier after {deadline} falls out then; only the others are not judged downwards for {onboarding}");
        let member = if policy.onboarding_days.is_some() { "onboardingDays" } else { "onboardingMonths" };
        Fault::new("DEADLINE_FIRST", format!("{path}.{member}"), text)
    });
    early.into_iter().chain(late).collect()
}

/// Whether one length is longer than another from whichever day they are counted.
fn is_longer(one: Length, other: Length) -> bool {
    let Some(leap_year) = Date::of(2024, 1, 1) else { return false };
    (0..48).map(|month| leap_year.plus_months(month)).all(|day| one.after(day) > other.after(day))
}

/// `from: 110` is a hundred and ten times the baseline.
fn large_factors(growth: &Growth, path: &str) -> Vec<Fault> {
    if growth.measured != GrowthMeasure::Ratio {
        return Vec::new();
    }
    let large = growth.bands.iter().enumerate().filter(|(_, band)| !band.from.percent && band.from.value >= Exact::from_int(LARGE_FACTOR));
    let note = |(at, band): (usize, &super::rebate::GrowthBand)| {
        let from = band.from.value.clone();
        Fault::new(
            "LARGE_FACTOR",
            format!("{path}.bands[{at}].from"),
            format!("{from} is {from} times the baseline: write \"{from} %\" where percent is meant"),
        )
    };
    large.map(note).collect()
}

/// A tier that partners hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTier {
    /// Its ladder.
    pub ladder: String,
    /// It.
    pub tier: String,
    /// How many hold it, on record or by an override.
    pub partners: i64,
}

/// The tiers of the version before that `after` does not have although partners hold them, each with how many. Code: `HELD_TIER_DROPPED`.
pub fn dropped_tiers(before: &Document, after: &Document, held: &[HeldTier]) -> Vec<Fault> {
    let ladder_of = |document: &'_ Document, key: &str| document.ladders.iter().position(|ladder| ladder.key == key);
    let has = |document: &Document, held: &HeldTier| {
        let ladder: Option<&Ladder> = ladder_of(document, &held.ladder).and_then(|at| document.ladders.get(at));
        ladder.is_some_and(|ladder| ladder.tier(&held.tier).is_some())
    };
    let dropped = held.iter().filter(|held| held.partners > 0 && has(before, held) && !has(after, held));
    dropped.map(|held| dropped_tier(held, ladder_of(after, &held.ladder), after)).collect()
}

fn dropped_tier(held: &HeldTier, ladder: Option<usize>, after: &Document) -> Fault {
    let path = ladder.map_or_else(|| "ladders".to_owned(), |at| format!("ladders[{at}].tiers"));
    let what = match ladder {
        Some(_) => format!("the tier `{}` of the ladder `{}` is dropped", held.tier, held.ladder),
        None => format!("the ladder `{}` is dropped, and with it the tier `{}`", held.ladder, held.tier),
    };
    let who = if held.partners == 1 { "1 partner holds".to_owned() } else { format!("{} partners hold", held.partners) };
    let from = after.version.effective_on;
    let message = format!("{what}, which {who}: nobody holds it from {from} on, and the review of that day puts on record what takes its place");
    Fault::new("HELD_TIER_DROPPED", path, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read::{Format, read};

    #[test]
    fn days_and_months_of_reviews_that_never_matter_are_told() {
        let codes = |review: &str| {
            let text = format!(
                "guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2020-01-01}}\nladders:\n  - key: L\n    review: {{{review}}}\n    \
                 tiers: [{{key: A}}, {{key: B, review: {{{review}}}}}]\n"
            );
            notes(&read(&text, Format::Yaml).unwrap()).into_iter().map(|note| format!("{} {}", note.code, note.path)).collect::<Vec<_>>()
        };
        let warns = ["WARNS_AT_ONCE ladders[0].review.grace.warnDaysBefore", "WARNS_AT_ONCE ladders[0].tiers[1].review.grace.warnDaysBefore"];
        assert_eq!(codes("grace: {days: 30, warnDaysBefore: 31}"), warns);
        assert_eq!(codes("grace: {months: 2, warnDaysBefore: 63}"), warns);
        let deadline = ["DEADLINE_FIRST ladders[0].review.onboardingMonths", "DEADLINE_FIRST ladders[0].tiers[1].review.onboardingMonths"];
        assert_eq!(codes("onboardingMonths: 24, onboardingDeadlineMonths: 6"), deadline);
        assert_eq!(codes("onboardingMonths: 3, onboardingDeadlineDays: 88"), deadline, "three months are 89 days at least");
        let in_days = ["DEADLINE_FIRST ladders[0].review.onboardingDays", "DEADLINE_FIRST ladders[0].tiers[1].review.onboardingDays"];
        assert_eq!(codes("onboardingDays: 93, onboardingDeadlineMonths: 3"), in_days);
        assert_eq!(codes("onboardingDays: 91, onboardingDeadlineDays: 90"), in_days);
        for fine in [
            "onboardingDays: 90, onboardingDeadlineMonths: 3",
            "onboardingMonths: 3, onboardingDeadlineDays: 90",
            "onboardingDays: 90, onboardingDeadlineDays: 90",
        ] {
            assert_eq!(codes(fine), Vec::<String>::new(), "{fine}");
        }
        for fine in ["grace: {days: 30, warnDaysBefore: 30}", "grace: {months: 2, warnDaysBefore: 62}", "onboardingMonths: 6, onboardingDeadlineMonths: 6"] {
            assert_eq!(codes(fine), Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn what_may_surprise_is_told() {
        let document = |from: &str| {
            let text = format!(
                "guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2020-01-01}}\nrebateSchedules:\n  - key: A\n    period: {{quarter: {{}}}}\n    \
                 method: {{growth: {{baseline: {{given: 100}}, payOn: EVERYTHING, bands: [{{from: {from}, rate: 1 %}}]}}}}\n  - {{key: B, period: {{quarter: {{}}}}, method: {{flat: {{rate: 1 %}}}}}}\n\
                 stacking: [{{sequential: {{steps: [{{schedule: A}}, {{schedule: B, isReduced: true}}]}}}}]\n"
            );
            read(&text, Format::Yaml).unwrap()
        };
        let codes = |from: &str| notes(&document(from)).into_iter().map(|note| format!("{} {}", note.code, note.path)).collect::<Vec<_>>();
        assert_eq!(codes("110 %"), ["ORDER_MATTERS stacking[0].sequential.steps"]);
        assert_eq!(codes("1.1"), codes("110 %"));
        assert_eq!(codes("110"), ["ORDER_MATTERS stacking[0].sequential.steps", "LARGE_FACTOR rebateSchedules[0].method.growth.bands[0].from"]);
    }

    #[test]
    fn held_tiers_that_are_dropped_are_told_with_how_many_hold_them() {
        let document = |ladders: &str| {
            let text = format!("guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2021-01-01}}\nladders: {ladders}\n");
            read(&text, Format::Yaml).unwrap()
        };
        let before = document("[{key: L, main: true, tiers: [{key: A}, {key: B}, {key: C}]}, {key: M, tiers: [{key: X}]}]");
        let after = document("[{key: N, tiers: [{key: X}]}, {key: L, main: true, tiers: [{key: A}]}]");
        let held = |ladder: &str, tier: &str, partners| HeldTier { ladder: ladder.into(), tier: tier.into(), partners };
        let all = [held("L", "A", 9), held("L", "B", 1), held("L", "GONE", 4), held("M", "X", 1_000)];
        let told: Vec<String> = dropped_tiers(&before, &after, &all).into_iter().map(|note| format!("{} {}", note.path, note.message)).collect();
        let until = "nobody holds it from 2021-01-01 on, and the review of that day puts on record what takes its place";
        let expected = [
            format!("ladders[1].tiers the tier `B` of the ladder `L` is dropped, which 1 partner holds: {until}"),
            format!("ladders the ladder `M` is dropped, and with it the tier `X`, which 1000 partners hold: {until}"),
        ];
        assert_eq!(told, expected);
        assert_eq!(dropped_tiers(&before, &before, &all), []);
    }
}
