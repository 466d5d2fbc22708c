//! A ladder that is held region by region, counted by regions.

use serde_json::{Value, json};

use crate::document::Document;
use crate::document::validate::validate;
use crate::facts::Facts;
use crate::levelling::evaluate_partner;
use crate::program::Program;

/// GLOBAL asks for regions in which LOCAL is held at PLATINUM.
fn document(rule: &Value) -> Document {
    serde_json::from_value(json!({
        "guerdon": 1,
        "program": {"code": "P", "name": "P", "currency": "USD"},
        "version": {"effectiveOn": "2020-01-01"},
        "regions": [{"key": "EMEA", "regions": [{"key": "DE"}, {"key": "FR"}]}, {"key": "US"}, {"key": "JP"}],
        "regionGroups": [{"key": "TOP", "regions": ["DE", "US"]}],
        "metrics": [{"key": "people", "name": "Certified people", "unit": "COUNT", "measure":
            {"source": "HOLDINGS", "aggregate": "COUNT", "scope": "REGION", "window": {"onDay": {}}}}],
        "ladders": [
            {"key": "LOCAL", "main": true, "scope": "PARTNER_IN_REGION", "tiers": [
                {"key": "GOLD", "requirement": {"metric": {"metric": "people", "atLeast": 1}}},
                {"key": "PLATINUM", "requirement": {"metric": {"metric": "people", "atLeast": 2}}}]},
            {"key": "GLOBAL", "tiers": [{"key": "STRATEGIC", "requirement": {"ladders": rule}}]},
        ],
    }))
    .unwrap()
}

fn rule(more: &Value) -> Value {
    let mut rule = json!({"ladders": ["LOCAL"], "tier": "PLATINUM", "eachRegion": true, "atLeast": 2});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

/// A partner with so many certified people in each region that it is enrolled in.
fn facts(program: &Program, people: &[(&str, u32)]) -> Facts {
    let enrollments: Vec<Value> = people.iter().map(|(region, _)| json!({"since": "2020-01-01", "region": region})).collect();
    let holding = |region: &str, at: u32| json!({"id": format!("{region}{at}"), "kind": "CERTIFICATION", "person": format!("{region}{at}"), "since": "2020-01-01", "region": region});
    let holdings: Vec<Value> = people.iter().flat_map(|(region, people)| (0..*people).map(move |at| holding(region, at))).collect();
    let input = json!({"partners": [{"code": "A", "attributes": [{"region": "DE"}], "enrollments": enrollments, "holdings": holdings}]});
    crate::facts::read::read(&serde_json::from_value(input).unwrap(), program).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Whether GLOBAL's tier is met.
fn is_met(more: &Value, people: &[(&str, u32)]) -> bool {
    let program = Program::compile(document(&rule(more))).unwrap_or_else(|faults| panic!("{faults}"));
    let facts = facts(&program, people);
    let standing = evaluate_partner(&program, &facts, "A", "2021-01-01".parse().unwrap()).unwrap();
    standing.ladder(Some("GLOBAL"), None).unwrap().tiers[0].met
}

#[test]
fn each_region_at_the_level_counts() {
    assert!(!is_met(&json!({}), &[("DE", 2), ("US", 1), ("JP", 0)]));
    assert!(is_met(&json!({}), &[("DE", 2), ("US", 1), ("JP", 2)]));
    // One region of two.
    let once = json!({"eachRegion": false, "atLeast": 1});
    assert!(is_met(&once, &[("DE", 2), ("US", 0)]));
    assert!(!is_met(&once, &[("DE", 1), ("US", 1)]));
}

#[test]
fn only_regions_that_are_named_count() {
    let top = json!({"regionGroups": ["TOP"]});
    assert!(!is_met(&top, &[("DE", 2), ("FR", 2), ("JP", 2)]));
    assert!(is_met(&top, &[("DE", 2), ("US", 2)]));
    let named = json!({"regions": ["EMEA", "JP"]});
    assert!(is_met(&named, &[("FR", 2), ("JP", 2)]));
    assert!(!is_met(&named, &[("US", 2), ("JP", 2)]));
}

fn codes(more: &Value) -> Vec<(String, String)> {
    validate(&document(&rule(more))).0.iter().map(|fault| (fault.code.to_string(), fault.path.clone())).collect()
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let at = |code: &str, member: &str| (code.to_owned(), format!("ladders[1].tiers[0].requirement.ladders.{member}"));
    assert_eq!(codes(&json!({"atLeast": 5})), []);
    assert_eq!(codes(&json!({"atLeast": 6})), [at("OUT_OF_RANGE", "atLeast")]);
    assert_eq!(codes(&json!({"regionGroups": ["TOP"], "atLeast": 3})), [at("OUT_OF_RANGE", "atLeast")]);
    assert_eq!(codes(&json!({"regions": ["MARS"]})), [at("UNKNOWN_KEY", "regions[0]")]);
    assert_eq!(codes(&json!({"eachRegion": false, "regions": ["US"], "atLeast": 1})), [at("OUT_OF_PLACE", "regions")]);
}

/// Whoever came to a region later is a newcomer there, and its time there counts from then on.
#[test]
fn time_in_a_region_counts_from_its_own_enrollment() {
    let mut document = document(&rule(&json!({})));
    document.ladders[0].review.onboarding_deadline_months = Some(6);
    document.ladders[0].tiers[1].requirement = serde_json::from_value(json!({"tenure": {"months": 12}})).unwrap();
    let program = Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
    let enrollments = json!([{"since": "2020-01-01", "region": "DE"}, {"since": "2020-10-01", "region": "US"}, {"since": "2020-03-01", "until": "2020-10-01", "region": "US"}]);
    let input = json!({"partners": [{"code": "A", "attributes": [{"region": "DE"}], "enrollments": enrollments}]});
    let facts = crate::facts::read::read(&serde_json::from_value(input).unwrap(), &program).unwrap_or_else(|faults| panic!("{faults}"));
    let tier = |region: &str, on: &str| {
        let standing = evaluate_partner(&program, &facts, "A", on.parse().unwrap()).unwrap();
        standing.ladder(Some("LOCAL"), Some(region)).unwrap().tier.clone()
    };
    let (gold, platinum) = (Some("GOLD".to_owned()), Some("PLATINUM".to_owned()));
    // DE: its deadline is over, its year is served. US: two enrollments without a gap are one.
    assert_eq!([tier("DE", "2020-06-30"), tier("DE", "2020-12-31"), tier("DE", "2021-01-01")], [gold.clone(), None, platinum.clone()]);
    assert_eq!([tier("US", "2020-08-31"), tier("US", "2021-02-28"), tier("US", "2021-03-01")], [gold, None, platinum]);
}

#[test]
fn a_region_that_is_entered_later_has_its_own_deadline() {
    let mut document = document(&rule(&json!({})));
    document.ladders[0].review.onboarding_deadline_months = Some(6);
    let program = Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
    let enrollments = json!([{"since": "2020-01-01", "region": "DE"}, {"since": "2020-10-01", "region": "US"}]);
    let input = json!({"partners": [{"code": "A", "attributes": [{"region": "DE"}], "enrollments": enrollments}]});
    let facts = crate::facts::read::read(&serde_json::from_value(input).unwrap(), &program).unwrap_or_else(|faults| panic!("{faults}"));
    let standing = evaluate_partner(&program, &facts, "A", "2020-12-01".parse().unwrap()).unwrap();
    let tier = |region: &str| standing.ladder(Some("LOCAL"), Some(region)).unwrap().tier.as_deref();
    assert_eq!((tier("DE"), tier("US")), (None, Some("GOLD")));
}
