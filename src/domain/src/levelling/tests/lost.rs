//! When a tier that is not met is lost: the onboarding deadline beside what is on record, and the day that `keep` names.

use super::*;
use crate::facts::TierAssignment;

/// How many random programs the law is tried on.
const CASES: u32 = 64;

const ENGINEERS: &str = r#"{"key": "eng", "unit": "COUNT", "measure": {"source": "HOLDINGS", "aggregate": "COUNT", "window": {"onDay": {}}}}"#;

/// A ladder L of these tiers, reviewed by `review`; each tier a key and what it asks for.
fn ladder(version: &str, metrics: &[&str], review: &str, tiers: &[(&str, &str)]) -> Program {
    let tiers: Vec<String> = tiers.iter().map(|(key, more)| format!(r#"{{"key": "{key}"{more}}}"#)).collect();
    compiled(&format!(
        r#"{{"guerdon": 1, "program": {{"code": "X", "name": "X", "currency": "USD"}}, "version": {{{version}}}, "metrics": [{}],
        "ladders": [{{"key": "L", "review": {{{review}}}, "tiers": [{}]}}]}}"#,
        metrics.join(", "),
        tiers.join(", ")
    ))
}

/// What asks for so much of a metric.
fn asks(metric: &str, least: u32) -> String {
    format!(r#", "requirement": {{"metric": {{"metric": "{metric}", "atLeast": {least}}}}}"#)
}

fn holding(id: &str, since: &str, until: Option<&str>) -> serde_json::Value {
    serde_json::json!({"id": id, "kind": "X", "since": since, "until": until})
}

fn on(program: &Program, partner: &serde_json::Value, as_of: &str) -> LadderStanding {
    let mut partner = partner.clone();
    partner["code"] = "P".into();
    let facts = facts(program, serde_json::json!({"partners": [partner]}));
    evaluate_partner(program, &facts, "P", date(as_of)).unwrap().ladders.remove(0)
}

/// The tier, why, and the days by which something is missing for it.
fn told(program: &Program, partner: &serde_json::Value, as_of: &str) -> (String, Vec<Reason>, Vec<String>) {
    let standing = on(program, partner, as_of);
    let days = standing.keep.missing.iter().map(|leaf| leaf.by().map_or_else(|| "?".to_owned(), |by| by.to_string())).collect();
    (standing.tier.unwrap_or_else(|| "NONE".to_owned()), standing.decision.reasons, days)
}

#[test]
fn who_passed_its_deadline_long_ago_is_not_judged_by_it_in_a_stricter_version() {
    let version = r#""effectiveOn": "2026-01-01", "enforcedOn": "2026-07-01""#;
    let review = r#""cadenceDown": "ANNUAL", "grace": {"months": 6}, "protectedUntil": "2026-12-01", "onboardingDeadlineMonths": 6"#;
    let program = ladder(version, &[ENGINEERS], review, &[("B", &asks("eng", 2)), ("C", &asks("eng", 5))]);
    let partner = |from: &str| serde_json::json!({"enrollments": [{"since": "2020-01-01"}], "assignments": [{"tier": "B", "from": from}], "holdings": [holding("1", "2020-02-01", None)]});
    let by = vec!["2027-07-01".to_owned()];
    for from in ["2020-02-01", "2020-07-01", "2025-12-31"] {
        assert_eq!(told(&program, &partner(from), "2026-01-01"), ("B".into(), vec![Reason::NotEnforced], by.clone()), "{from}");
    }
    let partner = partner("2020-02-01");
    assert_eq!(told(&program, &partner, "2026-07-01"), ("B".into(), vec![Reason::Protected], by.clone()));
    assert_eq!(told(&program, &partner, "2027-06-30"), ("B".into(), vec![Reason::Grace], by));
    assert_eq!(told(&program, &partner, "2027-07-01"), ("NONE".into(), vec![Reason::GraceEnded], vec![]));
    // Without a record the deadline day is judged by the rules.
    let unknown = serde_json::json!({"enrollments": [{"since": "2020-01-01"}], "holdings": [holding("1", "2020-02-01", None)]});
    assert_eq!(told(&program, &unknown, "2026-01-01"), ("NONE".into(), vec![Reason::OnboardingFailed], vec![]));
}

#[test]
fn who_was_let_back_in_after_its_deadline_goes_by_the_policy_of_reviews() {
    let review = r#""cadenceDown": "QUARTERLY", "grace": {"months": 3}, "onboardingDeadlineMonths": 6"#;
    let program = ladder(r#""effectiveOn": "2023-01-01""#, &[ENGINEERS], review, &[("B", &asks("eng", 1))]);
    let fell = serde_json::json!([{"tier": "B", "from": "2024-01-01"}, {"from": "2024-07-01"}, {"tier": "B", "from": "2024-08-01"}]);
    // Facts that were brought in begin after the deadline, and so may records.
    let brought_in = serde_json::json!([{"tier": "B", "from": "2024-03-01"}]);
    for records in [fell.clone(), brought_in, serde_json::json!([{"tier": "B", "from": "2024-08-01"}])] {
        let held = holding("1", "2024-08-01", Some("2026-03-10"));
        let partner = serde_json::json!({"enrollments": [{"since": "2024-01-01"}], "assignments": records, "holdings": [held]});
        let by = vec!["2026-07-01".to_owned()];
        assert_eq!(told(&program, &partner, "2026-03-10"), ("B".into(), vec![Reason::DownNotDue], by.clone()), "{records}");
        assert_eq!(told(&program, &partner, "2026-06-30"), ("B".into(), vec![Reason::Grace], by), "{records}");
        assert_eq!(told(&program, &partner, "2026-07-01"), ("NONE".into(), vec![Reason::GraceEnded], vec![]), "{records}");
    }
    // On the deadline itself a newcomer falls out, and is let back in by the rules.
    let newcomer = serde_json::json!({"enrollments": [{"since": "2024-01-01"}], "assignments": [fell[0]], "holdings": [holding("1", "2024-08-01", None)]});
    assert_eq!(told(&program, &newcomer, "2024-06-30"), ("B".into(), vec![Reason::Onboarding], vec!["2024-07-01".into()]));
    assert_eq!(told(&program, &newcomer, "2024-07-01"), ("NONE".into(), vec![Reason::OnboardingFailed], vec![]));
}

/// Nobody loses a tier before a version is enforced, nor while it is protected: also not by the deadline.
#[test]
fn a_deadline_before_enforcement_takes_nothing() {
    let of = |version: &str, review: &str| {
        let review = format!(r#""cadenceDown": "MONTHLY", "onboardingDeadlineMonths": 6{review}"#);
        ladder(version, &[ENGINEERS], &review, &[("B", &asks("eng", 1))])
    };
    let partner = serde_json::json!({"enrollments": [{"since": "2025-10-15"}], "assignments": [{"tier": "B", "from": "2025-10-15"}]});
    let enforced = of(r#""effectiveOn": "2026-01-01", "enforcedOn": "2026-07-01""#, "");
    assert_eq!(told(&enforced, &partner, "2026-04-15"), ("B".into(), vec![Reason::NotEnforced], vec!["2026-07-01".into()]));
    assert_eq!(told(&enforced, &partner, "2026-02-15").2, ["2026-07-01"]);
    assert_eq!(told(&enforced, &partner, "2026-07-01").0, "NONE");
    let protected = of(r#""effectiveOn": "2026-01-01""#, r#", "protectedUntil": "2026-05-15""#);
    assert_eq!(told(&protected, &partner, "2026-04-15").2, ["2026-06-01"]);
    assert_eq!(told(&of(r#""effectiveOn": "2026-01-01""#, ""), &partner, "2026-04-15").1, vec![Reason::OnboardingFailed]);
}

#[test]
fn the_day_of_a_decision_counts_from_what_it_decided() {
    let tiers = [("A", "".to_owned()), ("B", asks("eng", 1)), ("C", asks("eng", 2))].map(|(key, asks)| (key, asks));
    let tiers: Vec<(&str, &str)> = tiers.iter().map(|(key, asks)| (*key, asks.as_str())).collect();
    let ended = [holding("1", "2020-01-01", Some("2025-06-01")), holding("2", "2020-01-01", Some("2025-06-01"))];
    let program = ladder(r#""effectiveOn": "2020-01-01""#, &[ENGINEERS], r#""grace": {"days": 30}, "maxStepsDown": 1"#, &tiers);
    let partner = serde_json::json!({"assignments": [{"tier": "C", "from": "2025-01-01"}], "holdings": ended});
    let demoted = (vec![Reason::GraceEnded, Reason::StepsDownLimited], vec!["2025-07-31".to_owned()]);
    assert_eq!(told(&program, &partner, "2025-07-01"), ("B".into(), demoted.0, demoted.1));
    let recorded = serde_json::json!({"assignments": [{"tier": "C", "from": "2025-01-01"}, {"tier": "B", "from": "2025-07-01"}], "holdings": ended});
    assert_eq!(["2025-07-30", "2025-07-31"].map(|day| told(&program, &recorded, day).0), ["B", "A"]);
    // Under a floor the review finds a lower tier, and the end of the floor goes back to it.
    let program = ladder(r#""effectiveOn": "2020-01-01""#, &[ENGINEERS], r#""grace": {"days": 60}"#, &tiers[..2]);
    let floor = serde_json::json!([{"kind": "FLOOR", "tier": "B", "from": "2025-03-01", "until": "2025-08-15", "reason": "x"}]);
    let partner = serde_json::json!({"assignments": [{"tier": "B", "from": "2025-01-01"}], "holdings": ended, "overrides": floor});
    for day in ["2025-06-15", "2025-07-31", "2025-08-01", "2025-08-14"] {
        assert_eq!(told(&program, &partner, day).2, ["2025-08-15"], "{day}");
    }
    assert_eq!(told(&program, &partner, "2025-08-15").0, "A");
}

const QUARTER: &str = r#"{"key": "rev", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"calendar": {"unit": "QUARTER", "which": "PREVIOUS"}}}}"#;

/// What is known suffices for the first review that could take the tier, or cures it before: nothing is missing.
#[test]
fn nothing_is_missing_where_what_is_known_suffices_for_the_review() {
    let sold = |date: &str, amount: u32| serde_json::json!({"id": date, "date": date, "amount": amount.to_string()});
    for grace in ["", r#", "grace": {"months": 4}"#] {
        let review = format!(r#""cadenceUp": "QUARTERLY", "cadenceDown": "SEMI_ANNUAL"{grace}"#);
        let program = ladder(r#""effectiveOn": "2020-01-01""#, &[QUARTER], &review, &[("A", ""), ("B", &asks("rev", 1000))]);
        let record = serde_json::json!([{"tier": "B", "from": "2025-04-01"}]);
        let partner = |second: u32| serde_json::json!({"assignments": record, "transactions": [sold("2025-02-01", 900), sold("2025-05-01", second)]});
        assert_eq!(told(&program, &partner(1000), "2025-05-15").2, Vec::<String>::new(), "{grace}");
        let by = if grace.is_empty() { "2025-07-01" } else { "2025-11-01" };
        assert_eq!(told(&program, &partner(999), "2025-05-15").2, [by], "{grace}");
    }
    // The end of a period decides without a cure; a cure ends it on any day.
    for (cure, by) in [(true, vec![]), (false, vec!["2025-08-01".to_owned()])] {
        let review = format!(r#""grace": {{"months": 2, "cure": {cure}}}"#);
        let program = ladder(r#""effectiveOn": "2020-01-01""#, &[ENGINEERS], &review, &[("A", ""), ("B", &asks("eng", 1))]);
        let again = serde_json::json!({"id": "2", "kind": "X", "since": "2025-06-20", "until": "2025-07-20", "recordedOn": "2025-05-01"});
        let partner =
            serde_json::json!({"assignments": [{"tier": "B", "from": "2025-01-01"}], "holdings": [holding("1", "2025-01-01", Some("2025-06-01")), again]});
        assert_eq!(told(&program, &partner, "2025-06-10"), ("B".into(), vec![Reason::Grace], by), "{cure}");
    }
}

/// Whoever meets a higher tier does not lose the one that it has, whether it may go up yet or not.
#[test]
fn a_tier_below_one_that_is_met_is_not_in_danger() {
    let revenue = r#"{"key": "rev", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"rolling": {"months": 12}}}}"#;
    let review = r#""cadenceUp": "NEVER", "cadenceDown": "QUARTERLY""#;
    let tiers = [("A", ""), ("B", &*asks("eng", 1)), ("C", &*asks("rev", 1000))];
    let program = ladder(r#""effectiveOn": "2020-01-01""#, &[ENGINEERS, revenue], review, &tiers);
    let partner =
        serde_json::json!({"assignments": [{"tier": "B", "from": "2024-01-01"}], "transactions": [{"id": "1", "date": "2025-05-01", "amount": "5000"}]});
    assert_eq!(told(&program, &partner, "2025-05-15"), ("B".into(), vec![Reason::UpNotDue], vec![]));
    let mut whole = partner.clone();
    whole["code"] = "P".into();
    let known = facts(&program, serde_json::json!({"partners": [whole]}));
    let (as_of, horizon) = (date("2025-05-15"), date("2027-01-01"));
    let risk = at_risk(&program, &known, "P", as_of, horizon).unwrap().remove(0);
    assert_eq!((risk.failing, risk.fails_on), (false, Some(date("2026-05-01"))));
    assert_eq!(risk.leaves.iter().map(|leaf| (leaf.leaf.key.as_str(), leaf.fails_on)).collect::<Vec<_>>(), [("eng", date("2026-05-01"))]);
    let evaluator = Evaluator::new(&program, &known).known_until(as_of);
    let standing = evaluator.standing("P", as_of, Due::ByCalendar).unwrap().ladders.remove(0);
    assert_eq!(evaluator.first_failures(&standing, "P", as_of, horizon).unwrap(), Some(risk));
    kept::assert_restores(&program, &standing);
    assert_eq!(["2026-06-30", "2026-07-01"].map(|day| told(&program, &partner, day).0), ["B", "A"]);
}

#[test]
fn the_end_of_an_admission_is_the_day_where_it_comes_first() {
    let entry = format!(r#", "entry": "BY_APPROVAL", "admission": {{"validMonths": 12}}{}"#, asks("eng", 2));
    let review = r#""cadenceDown": "ANNUAL", "grace": {"months": 3}"#;
    let program = ladder(r#""effectiveOn": "2020-01-01""#, &[ENGINEERS], review, &[("A", ""), ("B", &entry)]);
    let partner = serde_json::json!({"assignments": [{"tier": "B", "from": "2025-02-13"}], "admissions": [{"tier": "B", "kind": "APPROVAL", "from": "2025-02-13"}],
        "holdings": [holding("1", "2020-01-01", None)]});
    let standing = on(&program, &partner, "2026-01-05");
    let missing: Vec<_> = standing.keep.missing.iter().map(|leaf| (leaf.key.as_str(), leaf.by().unwrap().to_string())).collect();
    assert_eq!(missing, [("eng", "2026-02-13".to_owned()), ("APPROVAL", "2026-02-13".to_owned())]);
    assert_eq!(["2026-02-12", "2026-02-13"].map(|day| told(&program, &partner, day).0), ["B", "A"]);
}

/// A partner whose reviews are held and recorded every day, with nothing that comes in later.
struct Days {
    program: Program,
    facts: Facts,
    as_of: Date,
}

impl Days {
    /// Judges a day, and puts on record what changed; and whether the tier of a rank is met, or a higher one given.
    fn hold(&mut self, day: Date, rank: u32) -> (LadderStanding, bool) {
        let evaluator = Evaluator::new(&self.program, &self.facts).known_until(self.as_of);
        let standing = evaluator.standing("P", day, Due::ByCalendar).unwrap().ladders.remove(0);
        let ladder = self.program.ladder(None).unwrap();
        let outcome = evaluator.outcome(ladder, &At::new(evaluator.partner("P").unwrap(), day)).unwrap();
        let is_met = outcome.inherited >= rank || outcome.tiers.iter().any(|tier| tier.rank == rank && tier.met);
        let row = |tier: Option<String>, cause| TierAssignment { ladder: "L".into(), region: None, tier, from: day, until: None, cause };
        let reviewed = standing.decision.reviewed.clone().map(|tier| row(Some(tier).filter(|tier| !tier.is_empty()), AssignmentCause::Promotion));
        let records = &mut self.facts.partners.get_mut("P").unwrap().assignments;
        if let Some(cause) = standing.decision.cause {
            records.extend(reviewed.into_iter().chain([row(standing.tier.clone(), cause)]));
        }
        (standing, is_met)
    }

    /// The first day up to `last` on which the tier is lost, and whether it was met, or a higher one given, on a day before.
    fn lost(&mut self, rank: u32, last: Date) -> (Option<Date>, bool) {
        let mut met = false;
        let mut day = self.as_of.next();
        while day <= last {
            let (standing, is_met) = self.hold(day, rank);
            if standing.rank < rank {
                return (Some(day), met);
            }
            met |= is_met;
            day = day.next();
        }
        (None, met)
    }
}

const WINDOWS: [&str; 6] = [
    r#"{"rolling": {"months": 3}}"#,
    r#"{"calendar": {"unit": "QUARTER", "which": "PREVIOUS"}}"#,
    r#"{"calendar": {"unit": "MONTH", "which": "PREVIOUS"}}"#,
    r#"{"rolling": {"days": 100}}"#,
    r#"{"sinceEnrollment": {"days": 250}}"#,
    r#"{"sinceEnrollment": {"months": 7}}"#,
];
const DOWN: [&str; 10] = [
    r#""CONTINUOUS""#,
    r#""MONTHLY""#,
    r#""QUARTERLY""#,
    r#""SEMI_ANNUAL""#,
    r#""NEVER""#,
    r#""MONTHLY", "reviewDayDown": {"day": 31}"#,
    r#""QUARTERLY", "reviewDayDown": {"month": 2, "day": 15}"#,
    r#""SEMI_ANNUAL", "reviewDayDown": {"month": 3}"#,
    r#""QUARTERLY", "reviewDayDown": {"month": 3, "day": 20}, "yearsFrom": "ENROLLMENT""#,
    r#""SEMI_ANNUAL", "reviewDayDown": {"month": 4, "day": 30}, "yearsFrom": "FIRST_REACHED""#,
];
const UP: [&str; 6] = [
    r#""CONTINUOUS""#,
    r#""QUARTERLY""#,
    r#""SEMI_ANNUAL""#,
    r#""NEVER""#,
    r#""QUARTERLY", "reviewDayUp": {"month": 2, "day": 10}"#,
    r#""MONTHLY", "reviewDayUp": {"day": 29}"#,
];
const GRACE: [&str; 5] =
    ["", r#", "grace": {"days": 30}"#, r#", "grace": {"days": 40, "cure": true}"#, r#", "grace": {"months": 2}"#, r#", "grace": {"months": 3, "cure": true}"#];
const MORE: [&str; 11] = [
    "",
    "",
    r#", "maxStepsDown": 1"#,
    r#", "onboardingMonths": 6"#,
    r#", "protectionMonths": 2"#,
    r#", "protectedUntil": "2025-08-15""#,
    r#", "onboardingDeadlineMonths": 6"#,
    r#", "onboardingDeadlineMonths": 8, "maxStepsDown": 1"#,
    r#", "onboardingDays": 200"#,
    r#", "onboardingDeadlineDays": 180"#,
    r#", "onboardingDeadlineDays": 240, "onboardingMonths": 9"#,
];
const VERSION: [&str; 3] = [r#""effectiveOn": "2020-01-01""#, r#""effectiveOn": "2025-05-01", "enforcedOn": "2025-07-20""#, r#""effectiveOn": "2025-03-01""#];
const OVER: [&str; 5] = ["", "", "FLOOR", "PIN", "CEILING"];

fn one_of(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of)
}

/// Programs, and a partner of each.
fn cases() -> impl Strategy<Value = Days> {
    let review = (one_of(&UP), one_of(&DOWN), one_of(&GRACE), one_of(&MORE));
    let lines = prop::collection::vec((0_i64..250, prop::sample::select(vec![300_i64, 600, 1_000])), 0..5);
    let held = prop::collection::vec((0_i64..420, 20_i64..300), 0..4);
    let on_record = (one_of(&["A", "B", "C", "B"]), 0_i64..180, one_of(&["", r#", "entry": "BY_APPROVAL""#]));
    let over = (one_of(&OVER), one_of(&["A", "B"]), 10_i64..150);
    let enrolled = one_of(&["2019-03-17", "2024-11-20", "2025-01-10"]);
    (one_of(&VERSION), one_of(&WINDOWS), review, lines, held, on_record, over, enrolled, 0_i64..40).prop_map(
        |(version, window, (up, down, grace, more), lines, held, (tier, before, entry), (kind, to, length), enrolled, offset)| {
            let review = format!(r#""cadenceUp": {up}, "cadenceDown": {down}{grace}{more}"#);
            let revenue = format!(r#"{{"key": "rev", "unit": "MONEY", "measure": {{"source": "TRANSACTIONS", "aggregate": "SUM", "window": {window}}}}}"#);
            let second = format!("{}{entry}", asks("rev", 1000));
            let program = ladder(version, &[ENGINEERS, &revenue], &review, &[("A", &asks("eng", 1)), ("B", &second), ("C", &asks("eng", 2))]);
            let as_of = date("2025-06-05").plus_days(offset);
            let day = |at: i64| date("2024-09-01").plus_days(at);
            let line = |(id, (at, amount)): (usize, &(i64, i64))| serde_json::json!({"id": id.to_string(), "date": day(*at), "amount": amount.to_string()});
            let holding = |(id, (since, length)): (usize, &(i64, i64))| {
                let (since, until) = (day(*since), day(since + length));
                serde_json::json!({"id": id.to_string(), "kind": "X", "since": since, "until": until, "recordedOn": "2024-09-01"})
            };
            let from = as_of.plus_days(-before - 1);
            let over = serde_json::json!({"kind": kind, "tier": to, "from": as_of.plus_days(-10), "until": as_of.plus_days(length), "reason": "x"});
            let admission = serde_json::json!({"tier": "B", "kind": "APPROVAL", "from": from, "until": as_of.plus_days(length)});
            let partner = serde_json::json!({"code": "P", "enrollments": [{"since": enrolled}], "assignments": [{"tier": tier, "from": from}],
                "transactions": lines.iter().enumerate().map(line).collect::<Vec<_>>(), "holdings": held.iter().enumerate().map(holding).collect::<Vec<_>>(),
                "overrides": if kind.is_empty() { serde_json::json!([]) } else { serde_json::json!([over]) },
                "admissions": if entry.is_empty() || before % 3 == 0 { serde_json::json!([]) } else { serde_json::json!([admission]) }});
            let facts = facts(&program, serde_json::json!({"partners": [partner]}));
            Days { program, facts, as_of }
        },
    )
}

impl std::fmt::Debug for Days {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let document = &self.program.document;
        write!(to, "{} {:?} {:?} {:?} {:?}", self.as_of, document.version, document.ladders, document.metrics, self.facts.partners)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// A tier is lost on the day by which `keep` says that something is missing, if nothing comes in, by reviews that are held and recorded every day;
    /// where nothing is missing although the tier is not met, it, or a higher one, is met again before it is lost.
    #[test]
    fn a_tier_is_lost_on_the_day_that_keep_names(mut days in cases()) {
        let as_of = days.as_of;
        let standing = evaluate_partner(&days.program, &days.facts, "P", as_of).unwrap().ladders.remove(0);
        let by: Vec<Option<Date>> = standing.keep.missing.iter().map(|leaf| leaf.by()).collect();
        let (today, is_met) = days.hold(as_of, standing.rank);
        prop_assert_eq!(today.rank, standing.rank);
        match by.as_slice() {
            // Who meets it is not told about it here; who has none has nothing to lose.
            [] if is_met || standing.rank == 0 => {}
            [] => {
                let (lost, met) = days.lost(standing.rank, as_of.plus_months(9));
                prop_assert!(lost.is_none() || met, "{lost:?}");
            }
            [None, ..] => prop_assert_eq!(days.lost(standing.rank, gaps_told_until(&days.program, as_of)).0, None),
            [Some(by), ..] => prop_assert_eq!(days.lost(standing.rank, by.plus_days(40)).0, Some(*by)),
        }
    }
}
