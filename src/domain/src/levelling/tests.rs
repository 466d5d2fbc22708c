use proptest::prelude::*;

use super::*;
use crate::date::Date;
use crate::document::read::{Format, read};
use crate::facts::Facts;
use crate::metric::{At, Evaluator};

mod counted;
mod kept;
mod lost;
mod risk;
mod told;
mod versions;
mod when;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn compiled(text: &str) -> Program {
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"))
}

fn program() -> Program {
    compiled(include_str!("tests.yaml"))
}

fn facts(program: &Program, input: serde_json::Value) -> Facts {
    crate::facts::read::read(&serde_json::from_value(input).unwrap(), program).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Facts of one partner, with a line of `amount` and holdings on the days given.
fn partner(amount: &str, sold: &str, held: &[(&str, &str)], more: serde_json::Value) -> serde_json::Value {
    let held: Vec<_> = held
        .iter()
        .enumerate()
        .map(|(id, (since, until))| serde_json::json!({"id": format!("h{id}"), "kind": "CERTIFICATION", "since": since, "until": until}))
        .collect();
    let mut partner = serde_json::json!({"code": "P", "attributes": [{"region": "DE", "type": "VAR"}], "enrollments": [{"since": "2019-01-01"}],
        "transactions": [{"id": "1", "date": sold, "amount": amount}], "holdings": held});
    for (key, value) in more.as_object().unwrap() {
        partner[key] = value.clone();
    }
    serde_json::json!({"partners": [partner]})
}

fn held(ladder: &str, tier: &str, from: &str) -> serde_json::Value {
    serde_json::json!({"assignments": [{"ladder": ladder, "tier": tier, "from": from}]})
}

fn standing(input: serde_json::Value, ladder: &str, as_of: &str) -> LadderStanding {
    let program = program();
    let facts = facts(&program, input);
    let standing = evaluate_partner(&program, &facts, "P", date(as_of)).unwrap();
    serde_json::to_string(&standing).unwrap();
    standing.ladder(Some(ladder), None).unwrap().clone()
}

fn tier(input: &serde_json::Value, ladder: &str, as_of: &str) -> String {
    standing(input.clone(), ladder, as_of).tier.unwrap_or("NONE".into())
}

#[test]
fn the_first_tier_is_given_at_once_and_later_ones_by_the_cadence() {
    let new = partner("250", "2020-03-01", &[], serde_json::json!({}));
    for ladder in ["PLAIN", "STEPS", "YEARLY"] {
        let standing = standing(new.clone(), ladder, "2020-03-15");
        assert_eq!((standing.tier.as_deref(), standing.decision.change), (Some("TWO"), Change::Entered), "{ladder}");
    }
    let up = partner("350", "2020-03-01", &[], held("YEARLY", "ONE", "2020-01-01"));
    assert_eq!(["2020-03-31", "2020-04-01"].map(|day| tier(&up, "YEARLY", day)), ["ONE", "THREE"]);
    let waiting = standing(up, "YEARLY", "2020-03-31");
    assert_eq!((waiting.decision.reasons, waiting.qualified.as_deref()), (vec![Reason::UpNotDue], Some("THREE")));
    assert_eq!((waiting.next.as_ref().unwrap().gap.is_empty(), waiting.next.unwrap().review_on), (true, Some(date("2020-04-01"))));
    let down = partner("150", "2020-03-01", &[], held("YEARLY", "THREE", "2020-01-01"));
    assert_eq!(["2020-12-31", "2021-01-01"].map(|day| tier(&down, "YEARLY", day)), ["THREE", "ONE"]);
}

#[test]
fn steps_are_limited_in_both_directions() {
    let up = standing(partner("350", "2020-03-01", &[], held("STEPS", "ONE", "2020-01-01")), "STEPS", "2020-03-02");
    assert_eq!((up.tier.as_deref(), up.decision.change, up.decision.reasons), (Some("TWO"), Change::Promoted, vec![Reason::StepsUpLimited]));
    let down = standing(partner("50", "2020-03-01", &[], held("STEPS", "THREE", "2020-01-01")), "STEPS", "2020-03-02");
    assert_eq!((down.tier.as_deref(), down.decision.reasons), (Some("TWO"), vec![Reason::StepsDownLimited]));
    assert_eq!(down.keep.by_key().get("revenue"), Some(&Some(Exact::from_int(150))));
}

#[test]
fn a_ratchet_keeps_what_was_reached_until_the_year_ends() {
    let input = partner("50", "2020-03-01", &[], held("RATCHET", "TWO", "2020-02-01"));
    assert_eq!(["2020-03-02", "2020-12-31", "2021-01-01"].map(|day| tier(&input, "RATCHET", day)), ["TWO", "TWO", "NONE"]);
}

#[test]
fn nobody_loses_a_tier_before_the_version_is_enforced() {
    let input = partner("50", "2020-01-10", &[], held("PLAIN", "TWO", "2019-06-01"));
    let early = standing(input.clone(), "PLAIN", "2020-01-31");
    assert_eq!((early.tier.as_deref(), early.decision.reasons), (Some("TWO"), vec![Reason::NotEnforced]));
    assert_eq!(tier(&input, "PLAIN", "2020-02-01"), "NONE");
}

#[test]
fn a_cure_cancels_the_loss_and_a_grace_period_decides_at_its_end() {
    // The certificate ends on 10 March and there is another from 25 March to 30 March.
    let input =
        |ladder: &str| partner("1", "2020-03-01", &[("2020-01-01", "2020-03-10"), ("2020-03-25", "2020-03-30")], held(ladder, "CERTIFIED", "2020-01-01"));
    let grace = |ladder: &str, day: &str| {
        let standing = standing(input(ladder), ladder, day);
        (standing.tier.unwrap(), standing.decision.grace.map(|grace| (grace.since.to_string(), grace.until.to_string(), grace.warn_from.to_string())))
    };
    let running = |since: &str, until: &str, warn: &str| Some((since.to_owned(), until.to_owned(), warn.to_owned()));
    assert_eq!(grace("CURE", "2020-03-09"), ("CERTIFIED".into(), None));
    assert_eq!(grace("CURE", "2020-03-10"), ("CERTIFIED".into(), running("2020-03-10", "2020-04-09", "2020-03-30")));
    assert_eq!(grace("CURE", "2020-03-26"), ("CERTIFIED".into(), None));
    assert_eq!(grace("CURE", "2020-03-30"), ("CERTIFIED".into(), running("2020-03-30", "2020-04-29", "2020-04-19")), "a new period after the cure");
    assert_eq!(grace("CURE", "2020-04-29"), ("BASE".into(), None));
    assert_eq!(grace("GRACE", "2020-04-08"), ("CERTIFIED".into(), running("2020-03-10", "2020-04-09", "2020-03-10")));
    assert_eq!(grace("GRACE", "2020-04-09"), ("BASE".into(), None));
    assert_eq!(grace("QUARTERGRACE", "2020-03-31"), ("CERTIFIED".into(), None), "no review has found it failing");
    assert_eq!(grace("QUARTERGRACE", "2020-04-01"), ("CERTIFIED".into(), running("2020-04-01", "2020-05-01", "2020-04-01")));
    assert_eq!(grace("QUARTERGRACE", "2020-05-01"), ("BASE".into(), None));
}

#[test]
fn newcomers_and_what_was_held_or_reached_lately_are_protected() {
    let input = |ladder: &str, from: &str, since: &str| {
        let mut more = held(ladder, "CERTIFIED", from);
        more["enrollments"] = serde_json::json!([{"since": since}]);
        partner("1", "2020-03-01", &[], more)
    };
    let onboard = input("ONBOARD", "2020-01-15", "2020-01-15");
    assert_eq!(["2020-07-14", "2020-07-15"].map(|day| tier(&onboard, "ONBOARD", day)), ["CERTIFIED", "BASE"]);
    let protected = input("PROTECTED", "2019-06-01", "2019-01-01");
    assert_eq!(["2020-06-30", "2020-07-01"].map(|day| tier(&protected, "PROTECTED", day)), ["CERTIFIED", "BASE"]);
    let too_late = input("PROTECTED", "2020-03-01", "2019-01-01");
    assert_eq!(tier(&too_late, "PROTECTED", "2020-04-01"), "BASE", "it was not held on the effective date");
    let lately = input("LATELY", "2020-03-01", "2019-01-01");
    assert_eq!(["2020-05-31", "2020-06-01"].map(|day| tier(&lately, "LATELY", day)), ["CERTIFIED", "BASE"]);
}

#[test]
fn a_newcomer_falls_out_at_the_onboarding_deadline() {
    let input = |held: &[(&str, &str)]| partner("1", "2020-03-01", held, serde_json::json!({"enrollments": [{"since": "2020-03-01"}]}));
    assert_eq!(["2020-03-01", "2020-08-31", "2020-09-01"].map(|day| tier(&input(&[]), "DEADLINE", day)), ["MEMBER", "MEMBER", "NONE"]);
    let late = standing(input(&[]), "DEADLINE", "2020-09-01");
    assert_eq!(late.decision.reasons, vec![Reason::OnboardingFailed]);
    assert_eq!(tier(&input(&[("2020-08-01", "2021-01-01")]), "DEADLINE", "2020-09-01"), "MEMBER");
}

#[test]
fn pin_beats_ceiling_beats_floor_and_an_override_ends() {
    let with = |overrides: serde_json::Value, assignments: serde_json::Value| {
        partner("250", "2020-03-01", &[], serde_json::json!({"overrides": overrides, "assignments": assignments}))
    };
    let over = |kind: &str, tier: Option<&str>| serde_json::json!({"ladder": "YEARLY", "kind": kind, "tier": tier, "from": "2020-03-01", "until": "2020-05-10", "reason": "because"});
    let none = serde_json::json!([]);
    for (overrides, expected) in [
        (vec![over("FLOOR", Some("THREE"))], "THREE"),
        (vec![over("FLOOR", Some("ONE"))], "TWO"),
        (vec![over("CEILING", Some("ONE"))], "ONE"),
        (vec![over("FLOOR", Some("THREE")), over("CEILING", Some("ONE"))], "ONE"),
        (vec![over("PIN", Some("THREE")), over("CEILING", Some("ONE"))], "THREE"),
        (vec![over("PIN", None)], "NONE"),
    ] {
        assert_eq!(tier(&with(overrides.clone().into(), none.clone()), "YEARLY", "2020-03-02"), expected, "{overrides:?}");
    }
    // When the override ends a review is due, whatever the cadence; the last review had given ONE.
    let records = serde_json::json!([{"ladder": "YEARLY", "tier": "ONE", "from": "2020-01-01"}, {"ladder": "YEARLY", "tier": "THREE", "from": "2020-03-01", "cause": "OVERRIDE"}]);
    let input = with(vec![over("PIN", Some("THREE"))].into(), records);
    let held = standing(input.clone(), "YEARLY", "2020-05-09");
    assert_eq!((held.tier.as_deref(), held.decision.change, held.decision.reasons.contains(&Reason::Overridden)), (Some("THREE"), Change::Kept, true));
    let ended = standing(input, "YEARLY", "2020-05-10");
    assert_eq!((ended.tier.as_deref(), ended.decision.change, ended.decision.reasons), (Some("TWO"), Change::Demoted, vec![Reason::OverrideEnded]));
    // The same tier by the rules is written down as such, so that the cadence holds again from then on.
    let records = serde_json::json!([{"ladder": "YEARLY", "tier": "TWO", "from": "2020-03-01", "cause": "OVERRIDE"}]);
    let released = standing(with(vec![over("PIN", Some("TWO"))].into(), records), "YEARLY", "2020-05-10");
    assert_eq!((released.tier.as_deref(), released.decision.change), (Some("TWO"), Change::Released));
}

#[test]
fn qualified_but_not_granted_misses_the_invitation() {
    let certified = [("2020-01-01", "2021-01-01")];
    let waiting = standing(partner("1", "2020-03-01", &certified, serde_json::json!({})), "INVITED", "2020-03-02");
    assert_eq!((waiting.tier.as_deref(), waiting.qualified.as_deref()), (Some("OPEN"), Some("SELECT")));
    assert_eq!(
        (waiting.next.unwrap().gap.by_key(), waiting.decision.reasons),
        ([("INVITATION".to_owned(), Some(Exact::ONE))].into(), vec![Reason::AwaitsAdmission])
    );
    let invitation = serde_json::json!({"admissions": [{"ladder": "INVITED", "tier": "SELECT", "kind": "INVITATION", "from": "2020-03-01"}]});
    assert_eq!(tier(&partner("1", "2020-03-01", &certified, invitation), "INVITED", "2020-03-02"), "SELECT");
    assert_eq!(tier(&partner("1", "2020-03-01", &certified, held("INVITED", "SELECT", "2020-02-01")), "INVITED", "2020-03-02"), "SELECT", "who is in stays in");
}

/// An admission of a partner to SELECT, and the tiers on record.
fn let_in(ladder: &str, kind: &str, from: &str, until: Option<&str>, records: &[(&str, &str)]) -> serde_json::Value {
    let records: Vec<_> = records.iter().map(|(tier, from)| serde_json::json!({"ladder": ladder, "tier": tier, "from": from})).collect();
    let admission = serde_json::json!({"ladder": ladder, "tier": "SELECT", "kind": kind, "from": from, "until": until});
    partner("1", "2020-03-01", &[("2019-06-01", "2022-01-01")], serde_json::json!({"admissions": [admission], "assignments": records}))
}

#[test]
fn an_ended_admission_takes_the_tier_at_once_and_what_it_never_gave_it_does_not_take() {
    let ended = let_in("RENEWED", "APPLICATION", "2019-10-01", Some("2020-03-10"), &[("SELECT", "2019-10-01")]);
    assert_eq!(["2020-03-09", "2020-03-10"].map(|day| tier(&ended, "RENEWED", day)), ["SELECT", "OPEN"], "no cadence and no grace hold it up");
    let lost = standing(ended, "RENEWED", "2020-03-10");
    assert_eq!((lost.qualified.as_deref(), lost.granted.as_deref()), (Some("SELECT"), Some("OPEN")), "qualified but not granted");
    assert_eq!(lost.decision.reasons, vec![Reason::AwaitsAdmission, Reason::AdmissionEnded]);
    assert_eq!(lost.awaiting.len(), 1);
    // On record again after the end, in another way: that end is over and done with.
    let later = let_in("RENEWED", "APPLICATION", "2019-10-01", Some("2020-03-10"), &[("OPEN", "2020-03-10"), ("SELECT", "2020-05-01")]);
    assert_eq!(tier(&later, "RENEWED", "2020-06-01"), "SELECT");
}

#[test]
fn an_admission_lapses_when_its_months_are_over() {
    let given = let_in("RENEWED", "APPLICATION", "2019-10-01", None, &[("SELECT", "2019-10-01")]);
    assert_eq!(["2020-09-30", "2020-10-01"].map(|day| tier(&given, "RENEWED", day)), ["SELECT", "OPEN"]);
    let program = program();
    let facts = facts(&program, given);
    let ladder = program.ladder(Some("RENEWED")).unwrap();
    assert_eq!(["2020-09-30", "2020-10-01"].map(|day| holds_admission(ladder, &facts.partners["P"], None, "SELECT", date(day))), [true, false]);
    let own = OwnDates {
        admissions: vec![
            ("RENEWED".into(), "SELECT".into(), Span::new(date("2019-10-01"), Date::MAX)),
            ("ONCE".into(), "SELECT".into(), Span::new(date("2019-10-01"), date("2020-03-10"))),
        ],
        ..OwnDates::default()
    };
    let due: Vec<String> = own_review_days(&program, &own, Span::new(date("2020-01-01"), date("2021-01-01"))).iter().map(ToString::to_string).collect();
    assert_eq!((due, admission_months(&program)), (vec!["2020-03-10".to_owned(), "2020-10-01".to_owned()], 12));
}

#[test]
fn an_admission_may_end_when_the_tier_is_lost() {
    // Lost on 1 March by a review, and met again.
    let lost = let_in("ONCE", "APPROVAL", "2019-10-01", None, &[("SELECT", "2019-10-01"), ("OPEN", "2020-03-01")]);
    assert_eq!(tier(&lost, "ONCE", "2020-03-02"), "OPEN", "it has to be approved again");
    let mut again = lost.clone();
    again["partners"][0]["admissions"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({"ladder": "ONCE", "tier": "SELECT", "kind": "APPROVAL", "from": "2020-03-01"}));
    assert_eq!(tier(&again, "ONCE", "2020-03-02"), "SELECT");
    // Without the term it would have come back by itself; an override takes nothing away for good.
    let lasting = let_in("RENEWED", "APPLICATION", "2019-10-01", None, &[("SELECT", "2019-10-01"), ("OPEN", "2020-03-01")]);
    assert_eq!(tier(&lasting, "RENEWED", "2020-03-02"), "SELECT");
    let mut overridden = let_in("ONCE", "APPROVAL", "2019-10-01", None, &[("SELECT", "2019-10-01")]);
    let pinned = serde_json::json!({"ladder": "ONCE", "tier": "OPEN", "from": "2020-02-01", "until": "2020-03-01", "cause": "OVERRIDE"});
    overridden["partners"][0]["assignments"].as_array_mut().unwrap().push(pinned);
    overridden["partners"][0]["overrides"] =
        serde_json::json!([{"ladder": "ONCE", "kind": "PIN", "tier": "OPEN", "from": "2020-02-01", "until": "2020-03-01", "reason": "because"}]);
    assert_eq!(["2020-02-02", "2020-03-01"].map(|day| tier(&overridden, "ONCE", day)), ["OPEN", "SELECT"]);
}

#[test]
fn status_type_and_enrollment_decide_who_is_judged() {
    let with = |more: serde_json::Value| partner("250", "2020-03-01", &[], more);
    let suspended = |from: &str| serde_json::json!([{"region": "DE", "type": "VAR"}, {"from": from, "region": "DE", "type": "VAR", "status": "SUSPENDED"}]);
    let mut more = held("PLAIN", "ONE", "2020-01-01");
    more["attributes"] = suspended("2020-03-10");
    let input = with(more);
    assert_eq!(["2020-03-09", "2020-03-10"].map(|day| tier(&input, "PLAIN", day)), ["TWO", "ONE"]);
    let gone = with(serde_json::json!({"attributes": [{"region": "DE", "status": "TERMINATED"}]}));
    assert_eq!(tier(&gone, "PLAIN", "2020-03-10"), "NONE");
    let left = with(serde_json::json!({"enrollments": [{"since": "2019-01-01", "until": "2020-03-05"}]}));
    assert_eq!(["2020-03-04", "2020-03-05"].map(|day| tier(&left, "PLAIN", day)), ["TWO", "NONE"]);
    let other = standing(with(serde_json::json!({"attributes": [{"region": "DE", "type": "MSP"}]})), "VARS", "2020-03-10");
    assert_eq!((other.tier, other.applies, other.decision.reasons), (None, false, vec![Reason::DoesNotApply]));
}

#[test]
fn children_may_have_their_parents_tier() {
    let program = program();
    let input = |records: serde_json::Value| {
        serde_json::json!({"partners": [
            {"code": "P", "attributes": [{"parent": "TOP"}]},
            {"code": "TOP", "assignments": records, "holdings": [{"id": "h", "kind": "CERTIFICATION", "since": "2020-01-01"}]}]})
    };
    let tier_of = |facts: &Facts| {
        let standing = evaluate_partner(&program, facts, "P", date("2020-03-01")).unwrap();
        let held = standing.ladder(Some("FAMILY"), None).unwrap().clone();
        (held.tier.unwrap(), held.decision.inherited_from)
    };
    let mut circle = facts(&program, input(serde_json::json!([])));
    assert_eq!(tier_of(&circle), ("CERTIFIED".into(), Some("TOP".into())));
    circle.partners.get_mut("TOP").unwrap().profiles[0].parent = Some("P".into());
    assert_eq!(tier_of(&circle), ("BASE".into(), None), "nothing is inherited in a circle");
    let recorded = facts(&program, input(serde_json::json!([{"ladder": "FAMILY", "tier": "BASE", "from": "2020-01-01"}])));
    assert_eq!(tier_of(&recorded), ("BASE".into(), None), "the parent's record counts");
}

#[test]
fn a_tier_per_region_has_its_own_facts_except_at_home() {
    let program = program();
    let input = serde_json::json!({"partners": [{"code": "P", "attributes": [{"region": "DE"}],
        "enrollments": [{"since": "2019-01-01", "region": "EMEA"}, {"since": "2019-01-01", "region": "US"}],
        "transactions": [{"id": "1", "date": "2020-03-01", "amount": "60", "region": "FR"}, {"id": "2", "date": "2020-03-01", "amount": "70", "region": "US"}]}]});
    let facts = facts(&program, input);
    let standing = evaluate_partner(&program, &facts, "P", date("2020-03-02")).unwrap();
    let of = |region: &str| standing.ladder(Some("HOME"), Some(region)).unwrap();
    assert_eq!((of("EMEA").tier.as_deref(), of("US").tier.as_deref()), (Some("LOCAL"), None));
    assert_eq!(of("US").next.as_ref().unwrap().gap.by_key().get("regional"), Some(&Some(Exact::from_int(30))));
}

#[test]
fn lower_tiers_may_have_to_hold() {
    let standing = standing(partner("150", "2020-03-01", &[], serde_json::json!({})), "CUMULATIVE", "2020-03-02");
    assert_eq!((standing.tier, standing.qualified), (None, None));
    assert!(!standing.tiers[1].met && standing.tiers[1].share_met == Exact::ONE);
}

#[test]
fn a_missing_rate_is_a_fault_of_the_evaluation() {
    let program = program();
    let input = serde_json::json!({"partners": [{"code": "P", "transactions": [{"id": "1", "date": "2020-03-01", "amount": "60", "currency": "EUR"}]}]});
    let faults = evaluate_partner(&program, &facts(&program, input), "P", date("2020-03-02")).unwrap_err();
    assert_eq!(faults.0[0].code, "MISSING_EXCHANGE_RATE");
    assert_eq!(evaluate_partner(&program, &Facts::default(), "P", date("2020-03-02")).unwrap_err().0[0].code, "UNKNOWN_PARTNER");
}

#[test]
fn what_will_be_lost_is_named_with_its_day() {
    let program = program();
    let input = partner(
        "250",
        "2020-03-01",
        &[("2020-01-01", "2020-08-15")],
        serde_json::json!({"transactions": [
        {"id": "1", "date": "2020-03-01", "amount": "150"}, {"id": "2", "date": "2020-04-10", "amount": "100"}, {"id": "later", "date": "2020-12-01", "amount": "1000"}]}),
    );
    let facts = facts(&program, input);
    let risks = at_risk(&program, &facts, "P", date("2020-06-01"), date("2021-06-01")).unwrap();
    let risk = |ladder: &str| risks.iter().find(|risk| risk.ladder == ladder).unwrap();
    assert_eq!(
        (risk("PLAIN").tier.as_str(), risk("PLAIN").failing, risk("PLAIN").fails_on),
        ("TWO", false, Some(date("2021-03-01"))),
        "what comes later is not known"
    );
    assert_eq!(risk("PLAIN").leaves[0].leaf.missing, Some(Exact::from_int(100)));
    assert_eq!((risk("CURE").fails_on, risk("CURE").leaves[0].fails_on), (Some(date("2020-08-15")), date("2020-08-15")));
    let short = at_risk(&program, &facts, "P", date("2020-06-01"), date("2020-08-15")).unwrap();
    assert!(short.iter().all(|risk| risk.fails_on.is_none() && risk.leaves.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The day that a forecast names is the first one on which judging day by day, with nothing that comes later, fails.
    #[test]
    fn forecasts_agree_with_judging_every_day(lines in prop::collection::vec((0_i64..700, 1_i64..300), 0..8), held in prop::collection::vec((0_i64..600, 1_i64..400), 0..4)) {
        let program = program();
        let day = |offset: i64| date("2019-06-01").plus_days(offset);
        let transactions: Vec<_> = lines.iter().enumerate().map(|(id, (at, amount))| serde_json::json!({"id": id.to_string(), "date": day(*at), "amount": amount.to_string()})).collect();
        let holdings: Vec<_> = held.iter().enumerate().map(|(id, (at, length))| serde_json::json!({"id": id.to_string(), "kind": "C", "since": day(*at), "until": day(at + length)})).collect();
        let facts = facts(&program, serde_json::json!({"partners": [{"code": "P", "transactions": transactions, "holdings": holdings}]}));
        let (as_of, horizon) = (date("2020-06-01"), date("2021-09-01"));
        let evaluator = Evaluator::new(&program, &facts).known_until(as_of);
        let terse = Evaluator::new(&program, &facts).known_until(as_of).without_trees();
        let standing = evaluator.standing("P", as_of, Due::ByCalendar).unwrap();
        for risk in at_risk(&program, &facts, "P", as_of, horizon).unwrap() {
            let of_ladder = standing.ladders.iter().find(|held| held.ladder == risk.ladder && held.region == risk.region).unwrap();
            let first = evaluator.first_failures(of_ladder, "P", as_of, horizon).unwrap();
            prop_assert_eq!(&terse.first_failures(of_ladder, "P", as_of, horizon).unwrap(), &first, "{}", risk.ladder);
            prop_assert_eq!(first.and_then(|first| first.fails_on), risk.fails_on, "{}", risk.ladder);
            let ladder = program.ladder(Some(&risk.ladder)).unwrap();
            let at = At::new(evaluator.partner("P").unwrap(), as_of).in_region(risk.region.as_deref().and(Some("DE")));
            let index = ladder.rank(Some(&risk.tier)) as usize - 1;
            let mut day = as_of;
            let mut failed = None;
            while day < horizon && failed.is_none() && risk.region.is_none() {
                let then = evaluator.outcome(ladder, &at.on(day)).unwrap();
                failed = (!then.tiers[index].met && then.inherited <= index as u32).then_some(day);
                day = day.next();
            }
            prop_assert_eq!(risk.fails_on.filter(|_| risk.region.is_none()), failed, "{}", risk.ladder);
        }
    }

    /// Evaluating again, or after what the evaluation gave was put on record, changes nothing.
    #[test]
    fn what_was_decided_and_recorded_is_kept(amount in 1_i64..400, months in 0_i32..11) {
        let program = program();
        let as_of = date("2020-03-01").plus_months(months);
        let first = facts(&program, partner(&amount.to_string(), "2020-02-10", &[("2020-01-01", "2020-06-10")], serde_json::json!({})));
        let standing = evaluate_partner(&program, &first, "P", as_of).unwrap();
        prop_assert_eq!(&standing, &evaluate_partner(&program, &first, "P", as_of).unwrap());
        let mut second = first.clone();
        let records = standing.ladders.iter().map(|held| crate::facts::TierAssignment {
            ladder: held.ladder.clone(), region: held.region.clone(), tier: held.tier.clone(), from: as_of, until: None, cause: held.decision.cause.unwrap_or_default(),
        });
        second.partners.get_mut("P").unwrap().assignments = records.collect();
        for (once, twice) in standing.ladders.iter().zip(evaluate_partner(&program, &second, "P", as_of).unwrap().ladders) {
            prop_assert_eq!(&once.tier, &twice.tier, "{}", once.ladder);
            prop_assert_eq!(twice.decision.change, Change::Kept);
        }
    }
}

#[test]
fn reviews_may_follow_a_year_of_the_partners_own() {
    let program = |years_from: &str, fiscal: bool| {
        compiled(&format!(
            r#"{{"guerdon": 1, "program": {{"code": "T", "name": "T", "currency": "USD", "fiscalYearStart": "02-01"}}, "version": {{"effectiveOn": "2020-01-01"}},
            "ladders": [{{"key": "MAIN", "review": {{"cadenceDown": "ANNUAL", "fiscal": {fiscal}, "yearsFrom": "{years_from}"}},
            "tiers": [{{"key": "BASIC"}}, {{"key": "GOLD", "requirement": {{"holding": {{"kind": "PLAN"}}}}}}]}}]}}"#
        ))
    };
    let tier = |program: &Program, as_of: &str| {
        let input = serde_json::json!({"partners": [{"code": "P", "enrollments": [{"since": "2021-03-31"}],
            "assignments": [{"tier": "BASIC", "from": "2021-03-31"}, {"tier": "GOLD", "from": "2022-06-10"}]}]});
        let facts = crate::facts::read::read(&serde_json::from_value(input).unwrap(), program).unwrap();
        let standing = evaluate_partner(program, &facts, "P", as_of.parse().unwrap()).unwrap();
        standing.ladder(None, None).and_then(|held| held.tier.clone()).unwrap()
    };
    let of_enrollment = program("ENROLLMENT", false);
    assert_eq!(["2023-01-01", "2023-03-27", "2023-03-28"].map(|day| tier(&of_enrollment, day)), ["GOLD", "GOLD", "BASIC"]);
    let of_calendar_quarter = program("FIRST_REACHED", false);
    assert_eq!(["2023-03-28", "2023-04-01"].map(|day| tier(&of_calendar_quarter, day)), ["GOLD", "BASIC"]);
    let of_fiscal_quarter = program("FIRST_REACHED", true);
    assert_eq!(["2023-02-01", "2023-04-01", "2023-05-01"].map(|day| tier(&of_fiscal_quarter, day)), ["GOLD", "GOLD", "BASIC"]);
}

#[test]
fn every_program_of_the_examples_passes_its_scenarios() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/programs");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let program = compiled(&text);
        for result in crate::scenario::run_scenarios(&program) {
            count += 1;
            if !result.passed() {
                failures.push(format!("{}: {result:?}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(count > 100 && failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_tier_held_elsewhere_lasts_until_its_own_review() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"},
        "ladders": [
            {"key": "MAIN", "main": true, "tiers": [{"key": "BASIC"}, {"key": "GOLD", "requirement": {"tier": {"ladder": "BADGE", "tier": "HELD"}}}]},
            {"key": "BADGE", "review": {"cadenceDown": "ANNUAL", "grace": {"days": 30, "cure": true}},
                "tiers": [{"key": "HELD", "requirement": {"holding": {"kind": "CERTIFICATION"}}}]}]}"#,
    );
    let input = serde_json::json!({"partners": [{"code": "P",
        "assignments": [{"ladder": "BADGE", "tier": "HELD", "from": "2020-05-01"}, {"ladder": "MAIN", "tier": "GOLD", "from": "2020-05-01"}],
        "holdings": [{"id": "c", "kind": "CERTIFICATION", "person": "A", "since": "2020-01-01", "until": "2021-03-01"}]}]});
    let facts = crate::facts::read::read(&serde_json::from_value(input).unwrap(), &program).unwrap();
    let main = |day: &str| {
        let standing = evaluate_partner(&program, &facts, "P", day.parse().unwrap()).unwrap();
        standing.ladder(Some("MAIN"), None).and_then(|held| held.tier.clone()).unwrap()
    };
    let days = ["2021-02-28", "2021-03-01", "2022-01-01", "2022-01-30", "2022-01-31"];
    assert_eq!(days.map(main), ["GOLD", "GOLD", "GOLD", "GOLD", "BASIC"]);
    let date = |text: &str| text.parse::<Date>().unwrap();
    let risks = at_risk(&program, &facts, "P", date("2021-02-01"), date("2023-01-01")).unwrap();
    let fails_on = |ladder: &str| risks.iter().find(|risk| risk.ladder == ladder).and_then(|risk| risk.fails_on);
    assert_eq!((fails_on("BADGE"), fails_on("MAIN")), (Some(date("2021-03-01")), Some(date("2022-01-31"))));
}

/// What a review keeps of a standing tells what was judged, in words that the version gives.
#[test]
fn a_kept_standing_reads_as_it_was_judged() {
    let program = program();
    let inputs = [
        partner("250", "2020-03-01", &[], serde_json::json!({})),
        partner("1000", "2020-03-01", &[("2019-01-01", "2021-01-01"), ("2020-01-01", "2020-07-01")], held("PLAIN", "TWO", "2020-01-01")),
    ];
    for (input, as_of) in inputs.into_iter().flat_map(|input| ["2020-03-31", "2020-12-31"].map(|as_of| (input.clone(), as_of))) {
        let facts = facts(&program, input);
        let standing = Evaluator::new(&program, &facts).standing("P", date(as_of), Due::ByCalendar).unwrap();
        for ladder in &standing.ladders {
            let kept = KeptStanding::of(ladder);
            let read = KeptStanding::read(&kept.to_text()).unwrap();
            assert_eq!(read, kept);
            kept::assert_restores(&program, ladder);
            for (tier, view) in ladder.tiers.iter().zip(read.tiers()) {
                assert_eq!((view.tier, view.met, view.share_met, view.admitted), (tier.tier.as_str(), tier.met, tier.share_met.clone(), tier.admitted));
                let leaves = tier.requirement.as_ref().map_or(Vec::new(), |judged| judged.leaves());
                assert_eq!(leaves.len(), view.leaves.len());
                let requirement =
                    program.ladder(Some(&ladder.ladder)).and_then(|ladder| ladder.tier(view.tier)).and_then(|(_, tier)| tier.requirement.as_ref());
                for (at, (leaf, kept)) in leaves.into_iter().zip(&view.leaves).enumerate() {
                    let again = kept.leaf(&program, requirement.unwrap(), at);
                    assert_eq!((again.met(), kept.met), (leaf.met(), leaf.met()));
                    assert_eq!((&again.missing, again.window, again.facts), (&leaf.missing, leaf.window, leaf.facts), "{}", leaf.key);
                    assert_eq!(again.sentence(None).text, leaf.sentence(None).text, "{leaf:?}");
                }
            }
        }
    }
    assert!(KeptStanding::read("{}").is_err());
}

/// A ladder with this review policy, of tiers T1 and up whose requirements are certificates A, B, C; whoever is asked for is partner P.
fn held_under(effective_on: &str, review: &str, tiers: usize, partner: serde_json::Value, as_of: &str) -> (String, Vec<Reason>) {
    let tier = |rank: usize| match rank {
        0 => serde_json::json!({"key": "T1"}),
        rank => serde_json::json!({"key": format!("T{}", rank + 1), "requirement": {"holding": {"kind": (["A", "B", "C"][rank - 1])}}}),
    };
    let review: serde_json::Value = serde_json::from_str(review).unwrap();
    let ladder = serde_json::json!({"key": "L", "main": true, "review": review, "tiers": (0..tiers).map(tier).collect::<Vec<_>>()});
    let document = serde_json::json!({"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": effective_on}, "ladders": [ladder]});
    let program = compiled(&document.to_string());
    let mut partner = partner;
    partner["code"] = "P".into();
    let facts = facts(&program, serde_json::json!({"partners": [partner]}));
    let standing = evaluate_partner(&program, &facts, "P", date(as_of)).unwrap();
    let held = standing.ladder(None, None).unwrap();
    (held.tier.clone().unwrap_or_default(), held.decision.reasons.clone())
}

fn certificates(of: &[(&str, &str, &str)]) -> serde_json::Value {
    let held =
        |(id, (kind, since, until)): (usize, &(&str, &str, &str))| serde_json::json!({"id": id.to_string(), "kind": kind, "since": since, "until": until});
    of.iter().enumerate().map(held).collect()
}

#[test]
fn more_tiers_that_are_met_never_lift_a_partner_less() {
    let under = |holdings: serde_json::Value| {
        let partner = serde_json::json!({"assignments": [{"tier": "T1", "from": "2021-01-01"}], "holdings": holdings});
        held_under("2020-01-01", r#"{"maxStepsUp": 2}"#, 4, partner, "2022-05-05")
    };
    let top = ("C", "2021-01-01", "2030-01-01");
    for holdings in [certificates(&[top]), certificates(&[top, ("A", "2021-01-01", "2030-01-01")])] {
        assert_eq!(under(holdings), ("T3".to_owned(), vec![Reason::StepsUpLimited]));
    }
}

#[test]
fn a_review_is_due_on_the_day_on_which_an_override_ends() {
    let partner = serde_json::json!({"assignments": [{"tier": "T2", "from": "2021-01-01"}],
        "overrides": [{"kind": "FLOOR", "tier": "T2", "from": "2021-03-01", "until": "2022-05-05", "reason": "x"}]});
    let on = |day: &str| held_under("2020-01-01", r#"{"cadenceDown": "ANNUAL"}"#, 2, partner.clone(), day);
    assert_eq!(on("2022-05-04").0, "T2");
    assert_eq!(on("2022-05-05"), ("T1".to_owned(), vec![Reason::OverrideEnded]));
}

/// Grace periods end however long they are, begin anew once a tier was met again, and know no protection of tiers that were not held.
#[test]
fn grace_periods_of_long_histories() {
    let never_met = || serde_json::json!({"assignments": [{"tier": "T2", "from": "2016-01-01"}]});
    let long = |policy: &str, day: &str| held_under("2015-01-01", policy, 2, never_met(), day);
    assert_eq!(long(r#"{"grace": {"months": 30}}"#, "2018-06-30"), ("T2".to_owned(), vec![Reason::Grace]));
    for day in ["2018-07-01", "2024-11-15"] {
        assert_eq!(long(r#"{"grace": {"months": 30}}"#, day), ("T1".to_owned(), vec![Reason::GraceEnded]), "{day}");
    }
    for day in ["2024-11-15", "2025-01-15"] {
        assert_eq!(long(r#"{"cadenceDown": "ANNUAL", "grace": {"months": 18}}"#, day), ("T1".to_owned(), vec![Reason::GraceEnded]), "{day}");
    }
    let again = serde_json::json!({"assignments": [{"tier": "T2", "from": "2022-01-01"}],
        "holdings": certificates(&[("A", "2022-01-01", "2023-01-01"), ("A", "2023-04-01", "2024-05-05")])});
    let on = |day: &str| held_under("2015-01-01", r#"{"grace": {"months": 2, "cure": true}}"#, 2, again.clone(), day);
    assert_eq!(on("2023-03-31"), ("T1".to_owned(), vec![Reason::GraceEnded]));
    assert_eq!([on("2024-05-05"), on("2024-07-04")], [("T2".to_owned(), vec![Reason::Grace]), ("T2".to_owned(), vec![Reason::Grace])]);
    assert_eq!(on("2024-07-05"), ("T1".to_owned(), vec![Reason::GraceEnded]));
    let reached_later = serde_json::json!({"assignments": [{"tier": "T1", "from": "2021-01-01"}, {"tier": "T2", "from": "2022-06-01"}],
        "holdings": certificates(&[("A", "2022-06-01", "2023-01-01")])});
    let protected = r#"{"protectedUntil": "2025-01-01", "grace": {"months": 1}}"#;
    assert_eq!(held_under("2022-01-01", protected, 2, reached_later, "2024-05-05"), ("T1".to_owned(), vec![Reason::GraceEnded]));
}

/// A child inherits what the parent holds, its overrides included, whether a review has seen them or not.
#[test]
fn what_is_inherited_goes_by_the_parents_overrides() {
    let program = compiled(
        r#"{"guerdon": 1, "program": {"code": "T", "name": "T", "currency": "USD"}, "version": {"effectiveOn": "2022-01-01"}, "ladders": [{"key": "L", "main": true,
        "inheritsFromParent": true, "tiers": [{"key": "T1"}, {"key": "T2", "requirement": {"holding": {"kind": "A"}}}, {"key": "T3", "requirement": {"holding": {"kind": "B"}}}]}]}"#,
    );
    for (recorded, kind, tier) in [("T3", "CEILING", "T1"), ("T1", "PIN", "T3"), ("T1", "FLOOR", "T2")] {
        let input = serde_json::json!({"partners": [
            {"code": "PA", "assignments": [{"tier": recorded, "from": "2022-06-01"}], "overrides": [{"kind": kind, "tier": tier, "from": "2022-07-01", "reason": "x"}]},
            {"code": "CH", "attributes": [{"parent": "PA"}]}]});
        let standing = evaluate_partner(&program, &facts(&program, input), "CH", date("2024-05-05")).unwrap();
        assert_eq!(standing.ladder(None, None).unwrap().tier.as_deref(), Some(tier), "{recorded} {kind} {tier}");
    }
}

#[test]
fn the_year_of_a_tier_is_not_that_of_a_later_record() {
    let partner = serde_json::json!({"assignments": [{"tier": "T1", "from": "2021-01-01"}, {"tier": "T2", "from": "2023-05-31"}],
        "holdings": certificates(&[("A", "2022-06-01", "2030-01-01")])});
    let review = r#"{"cadenceDown": "ANNUAL", "cadenceUp": "ANNUAL", "yearsFrom": "FIRST_REACHED"}"#;
    assert_eq!(held_under("2015-01-01", review, 2, partner, "2023-04-01"), ("T1".to_owned(), vec![Reason::UpNotDue]));
}
