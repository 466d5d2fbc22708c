use super::*;
use crate::document::read::{Format, read};
use crate::facts::Facts;
use crate::facts::input::FactsInput;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program(text: &str) -> Program {
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts(program: &Program, partner: serde_json::Value) -> Facts {
    let input: FactsInput = serde_json::from_value(serde_json::json!({"partners": [partner]})).unwrap();
    crate::facts::read::read(&input, program).unwrap_or_else(|faults| panic!("{faults}"))
}

const LADDER: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2019-01-01}\nladders: [{key: MAIN, tiers: [{key: BRONZE}, {key: SILVER}, {key: GOLD}]}]\n";

fn on(facts: &Facts, program: &Program, day: &str) -> Option<String> {
    let held = held_on(program.ladder(None).unwrap(), &facts.partners["P"], None, date(day));
    held.map(|held| format!("{} {} {:?}", held.tier.unwrap_or("NONE"), held.from, held.cause))
}

#[test]
fn an_override_counts_on_its_days_and_leaves_what_the_last_review_gave() {
    let program = program(LADDER);
    let facts = facts(
        &program,
        serde_json::json!({"code": "P", "enrollments": [{"since": "2020-01-01"}],
            "assignments": [{"tier": "SILVER", "from": "2020-01-01"}, {"tier": "GOLD", "from": "2020-03-01", "cause": "OVERRIDE"}],
            "overrides": [
                {"kind": "PIN", "tier": "GOLD", "from": "2020-03-01", "until": "2020-05-01", "reason": "r", "proposedBy": "a", "approvedBy": "b"},
                {"kind": "CEILING", "tier": "BRONZE", "from": "2020-06-01", "until": "2020-07-01", "reason": "r"},
                {"kind": "FLOOR", "tier": "GOLD", "from": "2020-06-15", "until": "2020-08-01", "reason": "r"},
                {"kind": "PIN", "tier": "GOLD", "from": "2020-09-01", "until": "2020-10-01", "reason": "never approved", "proposedBy": "a"}]}),
    );
    let told = |day: &str| on(&facts, &program, day).unwrap_or_default();
    assert_eq!(told("2019-12-31"), "");
    assert_eq!(told("2020-02-29"), "SILVER 2020-01-01 Enrolled");
    assert_eq!(told("2020-04-30"), "GOLD 2020-03-01 Override");
    assert_eq!(told("2020-05-01"), "SILVER 2020-05-01 Enrolled", "no evaluation has run since the end");
    assert_eq!(told("2020-06-20"), "BRONZE 2020-06-01 Override", "a ceiling beats a floor");
    assert_eq!(told("2020-07-01"), "GOLD 2020-07-01 Override", "held from the ceiling's end on, not from the floor's begin");
    assert_eq!(told("2020-09-15"), "SILVER 2020-05-01 Enrolled", "what was only proposed has no effect");
}

#[test]
fn a_record_of_an_override_that_is_not_known_stands() {
    let program = program(LADDER);
    let assignments = serde_json::json!([{"tier": "SILVER", "from": "2020-01-01"}, {"tier": "GOLD", "from": "2020-03-01", "cause": "OVERRIDE"}]);
    let facts = facts(&program, serde_json::json!({"code": "P", "enrollments": [{"since": "2020-01-01"}], "assignments": assignments}));
    assert_eq!(on(&facts, &program, "2021-01-01").unwrap(), "GOLD 2020-03-01 Override");
}

#[test]
fn a_review_and_an_override_of_one_day_are_both_remembered() {
    let program = program(LADDER);
    let mut facts = facts(
        &program,
        serde_json::json!({"code": "P", "enrollments": [{"since": "2020-01-01"}],
            "assignments": [{"tier": "SILVER", "from": "2020-01-01"}],
            "overrides": [{"kind": "PIN", "tier": "GOLD", "from": "2020-01-01", "until": "2020-02-01", "reason": "r"}]}),
    );
    let partner = facts.partners.get_mut("P").unwrap();
    let review = partner.assignments[0].clone();
    partner.assignments.push(crate::facts::TierAssignment { tier: Some("GOLD".into()), cause: AssignmentCause::Override, ..review });
    assert_eq!(on(&facts, &program, "2020-01-31").unwrap(), "GOLD 2020-01-01 Override");
    assert_eq!(on(&facts, &program, "2020-02-01").unwrap(), "SILVER 2020-02-01 Enrolled");
}

#[test]
fn risks_of_a_tier_that_counts_ladders_follow_those_ladders_only() {
    let program = program(include_str!("../../../../examples/programs/p10-veritas.yaml"));
    let partner = serde_json::json!({"code": "P", "enrollments": [{"since": "2018-01-01"}],
        "holdings": [{"id": "a", "kind": "ACCREDITATION", "type": "PROTECTION", "since": "2018-01-01", "until": "2018-09-01"}]});
    let facts = facts(&program, partner);
    let risks = at_risk(&program, &facts, "P", date("2018-06-01"), date("2019-06-01")).unwrap_or_else(|faults| panic!("{faults}"));
    let main = risks.iter().find(|risk| risk.ladder == "tier").unwrap();
    assert_eq!((main.tier.as_str(), main.fails_on), ("SILVER", Some(date("2018-09-01"))));
}

#[test]
fn what_an_override_holds_is_held_since_it_holds_it() {
    let program = program(LADDER);
    let mut facts = facts(
        &program,
        serde_json::json!({"code": "P", "enrollments": [{"since": "2020-01-01"}], "assignments": [{"tier": "GOLD", "from": "2020-01-01"}],
            "overrides": [{"kind": "FLOOR", "tier": "SILVER", "from": "2020-01-03", "until": "2020-01-14", "reason": "r"}]}),
    );
    let partner = facts.partners.get_mut("P").unwrap();
    // On the tenth a review found BRONZE under the floor.
    let own = crate::facts::TierAssignment {
        tier: Some("BRONZE".into()),
        from: date("2020-01-10"),
        cause: AssignmentCause::Demotion,
        ..partner.assignments[0].clone()
    };
    partner.assignments.extend([own.clone(), crate::facts::TierAssignment { tier: Some("SILVER".into()), cause: AssignmentCause::Override, ..own }]);
    let told = |day: &str| on(&facts, &program, day).unwrap_or_default();
    assert_eq!(told("2020-01-09"), "GOLD 2020-01-01 Enrolled");
    assert_eq!(told("2020-01-10"), "SILVER 2020-01-10 Override");
    assert_eq!(told("2020-01-13"), "SILVER 2020-01-10 Override");
    assert_eq!(told("2020-01-14"), "BRONZE 2020-01-14 Demotion");
}

#[test]
fn a_tier_that_the_ladder_does_not_have_is_none_and_an_override_to_it_holds_nothing() {
    let (program, later) = (program(LADDER), program(&LADDER.replace(", {key: GOLD}", "")));
    let assignments = serde_json::json!([{"tier": "SILVER", "from": "2020-01-01"}, {"tier": "GOLD", "from": "2020-03-01"}]);
    for kind in ["PIN", "FLOOR", "CEILING"] {
        let overrides = serde_json::json!([{"kind": kind, "tier": "GOLD", "from": "2020-02-01", "until": "2020-05-01", "reason": "r"}]);
        let partner = serde_json::json!({"code": "P", "enrollments": [{"since": "2020-01-01"}], "assignments": assignments, "overrides": overrides});
        let facts = facts(&program, partner);
        assert_eq!(on(&facts, &later, "2020-02-01").unwrap(), "SILVER 2020-01-01 Enrolled", "{kind}");
        assert_eq!(on(&facts, &later, "2020-04-01").unwrap(), "NONE 2020-03-01 Enrolled", "{kind}");
    }
}
