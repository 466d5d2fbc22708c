//! What goes on when another version takes effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::rebate::Numbered;
use crate::simulation::{RulesInForce, hypothetical};

fn version(effective_on: &str, at_least: u32, more: &str) -> Program {
    // A protection cannot be stated by a version that takes effect when it is over.
    let protected = if effective_on < "2024-06-01" { ", protectedUntil: 2024-06-01" } else { "" };
    compiled(&format!(
        "
guerdon: 1
program: {{code: V, name: Versions, currency: USD}}
version: {{effectiveOn: {effective_on}}}
metrics: [{{key: revenue, unit: MONEY, measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{rolling: {{months: 3}}}}}}}}]
ladders:
  - key: L
    review: {{cadenceUp: QUARTERLY, cadenceDown: QUARTERLY, grace: {{months: 3}}{protected}}}
    tiers: [{{key: BASE}}, {{key: SILVER, requirement: {{metric: {{metric: revenue, atLeast: {at_least}}}}}}}]
{more}"
    ))
}

const OTHER_RATES: &str = "benefits: [{key: discount, kind: RATE}]
grants: [{benefit: discount, tier: SILVER, value: {rate: {rate: 5 %}}}]";

/// The last of the versions, each going on with those before it.
fn continuing(versions: Vec<Program>) -> Program {
    let before = versions.into_iter().zip(1..).fold(None, |before: Option<Numbered>, (version, number)| {
        let program = Arc::new(version.continuing(BTreeMap::new(), before.as_ref()));
        Some(Numbered { number, program })
    });
    before.map(|last| last.program.as_ref().clone()).unwrap()
}

fn on(program: &Program, from: &str, as_of: &str) -> LadderStanding {
    let input = serde_json::json!({"partners": [{"code": "P", "assignments": [{"tier": "SILVER", "from": from}]}]});
    let facts = facts(program, input);
    evaluate_partner(program, &facts, "P", date(as_of)).unwrap().ladder(None, None).unwrap().clone()
}

fn grace_of(program: &Program, as_of: &str) -> Option<(String, String)> {
    on(program, "2023-06-01", as_of).decision.grace.map(|grace| (grace.since.to_string(), grace.until.to_string()))
}

#[test]
fn a_grace_period_goes_on_when_a_version_of_other_rates_takes_effect() {
    let first = || version("2024-01-01", 100, "");
    let rates = continuing(vec![first(), version("2024-08-15", 100, OTHER_RATES), version("2024-09-15", 100, "")]);
    let grace = Some(("2024-07-01".to_owned(), "2024-10-01".to_owned()));
    assert_eq!([grace_of(&first(), "2024-08-01"), grace_of(&rates, "2024-09-20")], [grace.clone(), grace]);
    let lost = on(&rates, "2023-06-01", "2024-10-01");
    assert_eq!((lost.tier.as_deref(), lost.decision.reasons), (Some("BASE"), vec![Reason::GraceEnded]));
}

#[test]
fn other_rules_of_levelling_begin_anew() {
    let harder = continuing(vec![version("2024-01-01", 100, ""), version("2024-08-15", 200, "")]);
    assert_eq!([grace_of(&harder, "2024-09-20"), grace_of(&harder, "2024-10-01")], [None, Some(("2024-10-01".to_owned(), "2025-01-01".to_owned()))]);
    let back = continuing(vec![version("2024-01-01", 100, ""), version("2024-08-15", 200, ""), version("2024-09-15", 100, "")]);
    assert_eq!(back.levelling_since(), date("2024-09-15"));
}

/// What changes on the first day of a version of other rates is no change of the rules of levelling, and that day protects nothing.
#[test]
fn a_version_of_other_rates_is_no_cause() {
    let protecting = |program: Program| on(&program, "2024-03-01", "2024-04-01").decision.grace.is_some();
    let (first, rates) = (|| version("2024-01-01", 100, ""), || version("2024-03-15", 100, OTHER_RATES));
    assert_eq!([protecting(first()), protecting(continuing(vec![first(), rates()]))], [true, true]);
    let cause = |program: Program| on(&program, "2024-03-01", "2024-10-01").decision.cause;
    assert_eq!(cause(continuing(vec![first(), version("2024-10-01", 100, OTHER_RATES)])), Some(AssignmentCause::Demotion));
}

/// A simulation is what publishing would be: also where the draft cannot state again what is over.
#[test]
fn a_simulation_goes_on_as_the_version_would() {
    let (reality, draft) = (Arc::new(version("2024-01-01", 100, "")), version("2024-08-25", 100, OTHER_RATES));
    let rules = RulesInForce::Document(Box::new(draft.document));
    let after = hypothetical(&reality, &rules, date("2024-08-20")).unwrap().after;
    assert_eq!((after.effective_on(), after.levelling_since()), (date("2024-08-20"), date("2024-06-01")));
    assert_eq!(grace_of(&after, "2024-08-20"), grace_of(&reality, "2024-08-20"));
    assert!(grace_of(&after, "2024-08-20").is_some());
}
