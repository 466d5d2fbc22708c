use super::*;
use crate::document::read::{Format, read};
use crate::document::scenario::{FigureText, LadderExpectation, Scenario};
use crate::exact::Exact;
use crate::facts::Facts;
use std::collections::BTreeMap;

fn figure(text: &str) -> Exact {
    match text.split_once('/') {
        Some((upper, lower)) => Exact::parse(upper, 15, 10).unwrap().div(Exact::parse(lower, 15, 10).unwrap()).unwrap().unwrap(),
        None => Exact::parse(text, 15, 10).unwrap(),
    }
}

fn figures(expected: &BTreeMap<String, FigureText>) -> BTreeMap<String, Exact> {
    expected.iter().map(|(name, text)| (name.clone(), figure(&text.0))).collect()
}

pub(super) fn compiled(text: &str) -> Program {
    let document = read(text, Format::of(text)).unwrap_or_else(|faults| panic!("{faults}"));
    Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(super) fn facts_of(program: &Program, scenario: &Scenario) -> Facts {
    crate::facts::read::read(&scenario.facts, program).unwrap_or_else(|faults| panic!("{}: {faults}", scenario.name))
}

/// What differs between a standing and what a scenario expects of a ladder.
fn differences(standing: &Standing, expected: &LadderExpectation) -> Vec<String> {
    let Some(held) = standing.ladder(expected.ladder.as_deref(), expected.region.as_deref()) else {
        return vec![format!("no ladder {:?}", expected.ladder)];
    };
    let mut found = Vec::new();
    let mut same = |what: &str, is: Option<&str>, wanted: &Option<String>| {
        if let Some(wanted) = wanted
            && is.unwrap_or("NONE") != wanted
        {
            found.push(format!("{what} is {is:?}, expected {wanted}"));
        }
    };
    same("tier", held.tier.as_deref(), &expected.tier);
    same("qualified", held.qualified.as_deref(), &expected.qualified);
    same("next", held.next.as_ref().map(|next| next.tier.as_str()), &expected.next);
    let empty = Gap::default();
    let gap = held.next.as_ref().map_or(&empty, |next| &next.gap);
    for (what, gap, wanted) in [("missing", gap, &expected.missing), ("missingToKeep", &held.keep, &expected.missing_to_keep)] {
        if let Some(wanted) = wanted
            && !gap.is(&figures(wanted))
        {
            found.push(format!("{what} is {:?}, expected {wanted:?}", gap.by_key()));
        }
    }
    if expected.grace_until.is_some() && held.decision.grace.map(|grace| grace.until) != expected.grace_until {
        found.push(format!("grace is {:?}", held.decision.grace));
    }
    for (tier, met) in &expected.met {
        let judged = held.tiers.iter().find(|judged| judged.tier == *tier).map(|judged| judged.met);
        if judged != Some(*met) {
            found.push(format!("{tier} met is {judged:?}"));
        }
    }
    if !found.is_empty() {
        found.push(format!("decision {:?}", held.decision));
    }
    found
}

fn run(text: &str) {
    let program = compiled(text);
    let mut failures = Vec::new();
    assert!(!program.document.scenarios.is_empty());
    for scenario in &program.document.scenarios {
        let facts = facts_of(&program, scenario);
        for expected in &scenario.expect {
            let code = expected.partner.clone().or_else(|| facts.partners.keys().next().cloned()).unwrap();
            let standing = evaluate_partner(&program, &facts, &code, scenario.as_of).unwrap_or_else(|faults| panic!("{}: {faults}", scenario.name));
            serde_json::to_string(&standing).unwrap();
            for ladder in &expected.ladders {
                failures.extend(differences(&standing, ladder).into_iter().map(|difference| format!("{} {code}: {difference}", scenario.name)));
            }
            let metrics = evaluate_metrics(&program, &facts, &code, scenario.as_of).unwrap();
            for (key, wanted) in &expected.metrics {
                let value = metrics[key].value;
                if value != wanted.as_ref().map(|wanted| figure(&wanted.0)) {
                    failures.push(format!("{} {code}: {key} is {value:?}: {:?}", scenario.name, metrics[key]));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

macro_rules! programs {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            run(include_str!(concat!("programs/", $file)));
        })*
    };
}

programs! {
    p01_odoo: "p01-odoo.yaml",
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
