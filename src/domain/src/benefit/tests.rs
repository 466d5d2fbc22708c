//! Behaviour by example, and the laws of resolution.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::benefit::Grant;
use crate::document::requirement::Requirement;
use crate::facts::{
    AssignmentCause, Contract, ContractStatus, ContractTerms, Enrollment, EntitlementException, PartnerFacts, PartnerProfile, PartnerStatus, TierAssignment,
};
use crate::fault::Faults;
use crate::program::Program;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program(benefits: Value, grants: Value) -> Program {
    let tiers = json!([{"key": "BRONZE"}, {"key": "SILVER"}, {"key": "GOLD"}]);
    let has_desk = benefits.as_array().is_some_and(|benefits| benefits.iter().any(|benefit| benefit["key"] == "desk"));
    let terms = if has_desk { json!({"grants": [{"benefit": "desk", "value": {"access": true}}]}) } else { json!({}) };
    let document = json!({
        "guerdon": 1,
        "program": {"code": "P", "name": "P", "currency": "USD"},
        "version": {"effectiveOn": "2020-01-01"},
        "regions": [{"key": "WORLD", "regions": [{"key": "EMEA", "regions": [{"key": "DE"}, {"key": "FR"}]}, {"key": "US"}]}],
        "regionGroups": [{"key": "GROWTH", "regions": ["FR"]}],
        "partnerTypes": [{"key": "RESELLER"}, {"key": "MSP"}],
        "categories": [{"key": "BIKES", "categories": [{"key": "ROAD"}]}],
        "ladders": [{"key": "MAIN", "main": true, "tiers": tiers}, {"key": "CLOUD", "tiers": tiers}, {"key": "LOCAL", "scope": "PARTNER_IN_REGION", "tiers": tiers}],
        "benefits": benefits,
        "grants": grants,
        "contractTemplates": [{"key": "PREMIUM", "terms": terms}],
    });
    Program::compile(serde_json::from_value(document).unwrap()).unwrap()
}

fn partner(region: &str, tiers: &[(&str, &str)]) -> PartnerFacts {
    let profile = PartnerProfile {
        from: Date::MIN,
        name: "A".into(),
        partner_type: Some("RESELLER".into()),
        region: Some(region.into()),
        parent: None,
        currency: None,
        status: PartnerStatus::Active,
        attributes: Default::default(),
    };
    let held = |(ladder, tier): &(&str, &str)| {
        let (ladder, region) = ladder.split_once('@').map_or((*ladder, None), |(ladder, region)| (ladder, Some(region.to_owned())));
        let cause = AssignmentCause::Enrolled;
        TierAssignment { ladder: ladder.into(), region, tier: Some((*tier).into()), from: date("2020-01-01"), until: None, cause }
    };
    PartnerFacts {
        code: "A".into(),
        profiles: vec![profile],
        enrollments: vec![Enrollment { since: date("2020-01-01"), until: None, track: None, region: None }],
        assignments: tiers.iter().map(held).collect(),
        ..PartnerFacts::default()
    }
}

fn refuse(_: &Requirement) -> Result<Judgement, Faults> {
    Ok(Judgement { met: false, missing: "revenue: 500 missing of 1000".into() })
}

fn resolve_in(program: &Program, partner: &PartnerFacts, as_of: &str, region: Option<&str>) -> Vec<Entitlement> {
    let held = HeldTiers::on_record(program, partner, date(as_of));
    resolve_entitlements_with(&Standing { program, partner, as_of: date(as_of), held: &held, region, judge: &refuse }).unwrap()
}

fn one(program: &Program, partner: &PartnerFacts) -> Entitlement {
    resolve_in(program, partner, "2020-07-01", None).remove(0)
}

fn allowance(entitlement: &Entitlement) -> Option<String> {
    match &entitlement.value {
        Some(BenefitValue::Allowance(number)) => Some(number.to_string()),
        Some(BenefitValue::Unlimited {}) => Some("unlimited".into()),
        _ => None,
    }
}

fn term(kind: &str, effect: &str, value: Value) -> PartnerFacts {
    let grant = serde_json::from_value(json!({"benefit": "hours", "effect": effect, "value": value})).unwrap();
    let mut partner = partner("DE", &[("MAIN", "SILVER")]);
    let span = crate::date::Span::new(date("2020-06-01"), date("2020-09-01"));
    if kind == "CONTRACT" {
        let terms = ContractTerms { grants: vec![grant], ..ContractTerms::default() };
        partner.contracts.push(Contract { key: "C-1".into(), template: None, status: ContractStatus::Active, span, terms });
    } else {
        partner.exceptions.push(EntitlementException { grant, span, reason: "goodwill".into() });
    }
    partner
}

fn hours(merge: &str) -> Value {
    json!([{"key": "hours", "kind": "ALLOWANCE", "merge": merge}])
}

#[test]
fn an_own_tiers_grant_beats_a_larger_inherited_one_and_the_specific_beats_the_general() {
    let grants = json!([
        {"benefit": "hours", "value": {"allowance": 1}},
        {"benefit": "hours", "tier": "BRONZE", "value": {"allowance": 50}},
        {"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}},
        {"benefit": "hours", "tier": "SILVER", "region": "EMEA", "value": {"allowance": 7}},
        {"benefit": "hours", "tier": "SILVER", "regionGroup": "GROWTH", "value": {"allowance": 9}},
        {"benefit": "hours", "tier": "SILVER", "region": "EMEA", "partnerTypes": ["MSP"], "value": {"allowance": 11}},
    ]);
    let program = program(hours("MOST_GENEROUS"), grants);
    let at = |region: &str, tier: &str| allowance(&one(&program, &partner(region, &[("MAIN", tier)]))).unwrap();
    assert_eq!(at("US", "SILVER"), "5");
    assert_eq!(at("DE", "SILVER"), "7");
    assert_eq!(at("FR", "SILVER"), "9");
    assert_eq!(at("DE", "GOLD"), "7", "inherited from the tier below");
    assert_eq!(at("DE", "BRONZE"), "50");
    let inherited = one(&program, &partner("DE", &[("MAIN", "GOLD")]));
    let source = &inherited.sources[0];
    assert_eq!((source.tier.as_deref(), source.held_tier.as_deref(), source.outcome), (Some("SILVER"), Some("GOLD"), SourceOutcome::Applied));
    assert_eq!(allowance(&one(&program, &partner("DE", &[]))).unwrap(), "1", "a grant without a tier is for every enrolled partner");
}

#[test]
fn inheritance_stops_where_a_grant_says_so() {
    let grants = json!([{"benefit": "hours", "tier": "BRONZE", "value": {"allowance": 5}, "inherited": false}]);
    let program = program(hours("MOST_GENEROUS"), grants);
    assert_eq!(one(&program, &partner("DE", &[("MAIN", "BRONZE")])).status, EntitlementStatus::Granted);
    let higher = one(&program, &partner("DE", &[("MAIN", "SILVER")]));
    assert_eq!((higher.status, higher.unlock_text()), (EntitlementStatus::NotOffered, String::new()));
}

#[test]
fn merge_rules_act_between_sources() {
    let grants = json!([
        {"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}},
        {"benefit": "hours", "ladder": "CLOUD", "tier": "BRONZE", "value": {"allowance": 8}},
    ]);
    let partner = partner("DE", &[("MAIN", "SILVER"), ("CLOUD", "GOLD")]);
    for (merge, expected) in [("MOST_GENEROUS", "8"), ("SUM", "13"), ("STRICT", "5")] {
        assert_eq!(allowance(&one(&program(hours(merge), grants.clone()), &partner)).unwrap(), expected, "{merge}");
    }
}

#[test]
fn unlimited_absorbs_and_a_strict_exception_may_be_smaller() {
    let grants = json!([{"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}}]);
    for merge in ["MOST_GENEROUS", "SUM"] {
        let unlimited = term("EXCEPTION", "ADD", json!({"unlimited": {}}));
        assert_eq!(allowance(&one(&program(hours(merge), grants.clone()), &unlimited)).unwrap(), "unlimited");
    }
    let small = one(&program(hours("STRICT"), grants), &term("EXCEPTION", "ADD", json!({"allowance": 2})));
    assert_eq!((allowance(&small).unwrap().as_str(), small.valid_until), ("2", Some(date("2020-09-01"))));
    assert_eq!(small.sources[0].reason.as_deref(), Some("goodwill"));
}

#[test]
fn terms_add_replace_and_remove_on_their_dates() {
    let program = program(hours("SUM"), json!([{"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}}]));
    let granted = |kind: &str, effect: &str, value: Value| one(&program, &term(kind, effect, value));
    assert_eq!(allowance(&granted("CONTRACT", "ADD", json!({"allowance": 2}))).unwrap(), "7");
    assert_eq!(allowance(&granted("CONTRACT", "REPLACE", json!({"allowance": 2}))).unwrap(), "2");
    assert_eq!(allowance(&granted("EXCEPTION", "REPLACE", json!({"allowance": 3}))).unwrap(), "3");
    let removed = granted("CONTRACT", "REMOVE", Value::Null);
    assert_eq!((removed.status, removed.value.is_none()), (EntitlementStatus::NotOffered, true));
    assert_eq!(removed.unlock_text(), "from 2020-09-01, when contract C-1 that removes it ends");
    let after = resolve_in(&program, &term("CONTRACT", "REMOVE", Value::Null), "2020-09-01", None).remove(0);
    assert_eq!(allowance(&after).unwrap(), "5", "the end is exclusive");
    let unfit = granted("EXCEPTION", "ADD", json!({"access": true}));
    assert_eq!((allowance(&unfit).unwrap().as_str(), unfit.sources[0].outcome), ("5", SourceOutcome::Unfit));
}

#[test]
fn what_unlocks_a_benefit_is_said() {
    let grants = json!([
        {"benefit": "desk", "tier": "GOLD", "value": {"access": true}},
        {"benefit": "desk", "tier": "BRONZE", "region": "US", "value": {"access": true}},
        {"benefit": "desk", "ladder": "CLOUD", "tier": "SILVER", "value": {"access": true}, "from": "2020-10-01"},
    ]);
    let program = program(json!([{"key": "desk", "kind": "ACCESS"}]), grants);
    let answer = one(&program, &partner("DE", &[("MAIN", "SILVER")]));
    assert_eq!(answer.status, EntitlementStatus::NotOffered);
    assert_eq!(answer.unlock_text(), "tier GOLD; or tier SILVER of CLOUD and from 2020-10-01; or only in US");
}

#[test]
fn conditions_withhold_until_they_are_met() {
    let condition = json!({"contract": {"template": "PREMIUM"}, "requirement": {"allOf": []}, "benefit": "desk"});
    let benefits = json!([{"key": "hours", "kind": "ALLOWANCE"}, {"key": "desk", "kind": "ACCESS"}]);
    let grants = json!([{"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}, "condition": condition}]);
    let program = program(benefits, grants);
    let mut partner = partner("DE", &[("MAIN", "SILVER")]);
    let answer = one(&program, &partner);
    assert_eq!((answer.status, allowance(&answer).as_deref()), (EntitlementStatus::Withheld, Some("5")));
    assert_eq!(answer.unlock_text(), "sign contract PREMIUM and revenue: 500 missing of 1000 and benefit desk");
    let span = crate::date::Span::new(date("2020-06-01"), date("2020-12-01"));
    let terms = ContractTerms::default();
    partner.contracts.push(Contract { key: "C-9".into(), template: Some("PREMIUM".into()), status: ContractStatus::Active, span, terms });
    let held = HeldTiers::on_record(&program, &partner, date("2020-07-01"));
    let judge = |_: &Requirement| Ok(Judgement { met: true, missing: String::new() });
    let standing = Standing { program: &program, partner: &partner, as_of: date("2020-07-01"), held: &held, region: None, judge: &judge };
    let answers = resolve_entitlements_with(&standing).unwrap();
    assert_eq!(answers[1].status, EntitlementStatus::Granted, "the template's terms give the desk");
    assert_eq!((answers[0].status, answers[0].valid_until), (EntitlementStatus::Granted, Some(date("2020-12-01"))));
}

#[test]
fn a_suspended_partner_has_everything_withheld_and_a_stranger_is_offered_nothing() {
    let program = program(hours("SUM"), json!([{"benefit": "hours", "tier": "SILVER", "value": {"allowance": 5}}]));
    let mut suspended = term("EXCEPTION", "ADD", json!({"allowance": 2}));
    suspended.profiles[0].status = PartnerStatus::Suspended;
    let answer = one(&program, &suspended);
    assert_eq!((answer.status, answer.unlock_text().as_str()), (EntitlementStatus::Withheld, "the partner must be active"));
    let mut stranger = partner("DE", &[("MAIN", "SILVER")]);
    stranger.enrollments.clear();
    let answer = one(&program, &stranger);
    assert_eq!((answer.status, answer.unlock_text().as_str()), (EntitlementStatus::NotOffered, "enroll in the program"));
    let check = check_benefits(&[answer], &["hours".into(), "other".into()]);
    assert_eq!(
        check.iter().map(|check| (check.allowed, check.reason)).collect::<Vec<_>>(),
        [(false, CheckReason::NotOffered), (false, CheckReason::UnknownBenefit)]
    );
}

#[test]
fn allowances_are_prorated_by_days_and_rounded_down() {
    let benefits = json!([{"key": "hours", "kind": "ALLOWANCE", "prorated": true}]);
    let program = program(benefits, json!([{"benefit": "hours", "tier": "SILVER", "value": {"allowance": 10}}]));
    let mut partner = partner("DE", &[("MAIN", "SILVER")]);
    partner.enrollments[0].since = date("2020-03-01");
    let answer = one(&program, &partner);
    let window = answer.allowance.clone().unwrap();
    assert_eq!((allowance(&answer).unwrap().as_str(), window.proration.as_ref().map(|part| (part.days, part.of_days))), ("8", Some((306, 366))));
    let next_year = resolve_in(&program, &partner, "2021-02-01", None).remove(0);
    assert_eq!((allowance(&next_year).unwrap().as_str(), next_year.allowance.unwrap().proration), ("10", None));
}

#[test]
fn an_overridden_tier_counts_as_held_while_it_is() {
    let program = program(hours("SUM"), json!([{"benefit": "hours", "tier": "GOLD", "value": {"allowance": 5}}]));
    let mut partner = partner("DE", &[("MAIN", "SILVER")]);
    let span = crate::date::Span::new(date("2020-06-01"), date("2020-09-01"));
    let (ladder, reason) = ("MAIN".to_owned(), "merger".to_owned());
    partner.overrides.push(crate::facts::TierOverride {
        ladder,
        region: None,
        kind: crate::facts::OverrideKind::Floor,
        tier: Some("GOLD".into()),
        span,
        reason,
        proposed_by: None,
        approved_by: None,
    });
    let answer = one(&program, &partner);
    assert_eq!((answer.status, answer.valid_until), (EntitlementStatus::Granted, Some(date("2020-09-01"))));
    assert_eq!(resolve_in(&program, &partner, "2020-09-01", None).remove(0).status, EntitlementStatus::NotOffered);
}

#[test]
fn a_ladder_in_a_region_is_read_for_the_region_that_is_asked_for() {
    let grants = json!([{"benefit": "hours", "ladder": "LOCAL", "tier": "SILVER", "region": "EMEA", "value": {"allowance": 3}}]);
    let program = program(hours("SUM"), grants);
    let partner = partner("US", &[("LOCAL@EMEA", "GOLD")]);
    let status = |region| resolve_in(&program, &partner, "2020-07-01", region).remove(0).status;
    assert_eq!(
        (status(Some("FR")), status(Some("US")), status(None)),
        (EntitlementStatus::Granted, EntitlementStatus::NotOffered, EntitlementStatus::NotOffered)
    );
}

#[test]
fn rates_merge_row_by_row() {
    let benefits = json!([{"key": "margin", "kind": "RATE"}]);
    let grants = json!([
        {"benefit": "margin", "tier": "SILVER", "value": {"rate": {"rate": "2 %", "rows": [{"category": "BIKES", "rate": "9 %", "cap": 100}]}}},
        {"benefit": "margin", "ladder": "CLOUD", "tier": "SILVER", "value": {"rate": {"rate": "3 %", "rows": [{"category": "ROAD", "rate": "5 %"}]}}},
    ]);
    let answer = one(&program(benefits, grants), &partner("DE", &[("MAIN", "SILVER"), ("CLOUD", "SILVER")]));
    let Some(BenefitValue::Rate(rate)) = answer.value else { panic!("a rate") };
    assert_eq!(rate.rate.unwrap().to_string(), "0.03");
    let rows: Vec<_> = rate.rows.iter().map(|row| (row.category.clone().unwrap(), row.rate.to_string(), row.cap.clone().map(|cap| cap.to_string()))).collect();
    assert_eq!(rows, [("BIKES".into(), "0.09".into(), Some("100".into())), ("ROAD".into(), "0.09".into(), Some("100".into()))]);
}

#[test]
fn the_rows_of_one_source_keep_their_order() {
    let benefits = json!([{"key": "margin", "kind": "RATE"}]);
    let grants = json!([{"benefit": "margin", "tier": "SILVER", "value": {"rate": {"rows": [{"category": "ROAD", "rate": "5 %"}, {"category": "BIKES", "rate": "9 %"}]}}}]);
    let answer = one(&program(benefits, grants), &partner("DE", &[("MAIN", "SILVER")]));
    let Some(BenefitValue::Rate(rate)) = answer.value else { panic!("a rate") };
    assert_eq!(rate.rows.iter().map(|row| row.category.as_deref().unwrap()).collect::<Vec<_>>(), ["ROAD", "BIKES"]);
}

/// Grants of which no two are equally specific, as publishing demands.
fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let places = prop::sample::select(vec![None, Some("WORLD"), Some("EMEA"), Some("DE"), Some("US")]);
    let one = (prop::sample::select(vec!["MAIN", "CLOUD"]), prop::sample::select(vec![None, Some("BRONZE"), Some("SILVER"), Some("GOLD")]), places, 0..30_u32);
    prop::collection::vec(one, 0..12).prop_map(|rows| {
        let mut seen = std::collections::BTreeSet::new();
        let distinct = rows.into_iter().filter(|(ladder, tier, place, _)| seen.insert((*ladder, *tier, *place)));
        let grants = distinct.map(|(ladder, tier, place, value)| {
            let value = if value == 29 { json!({"unlimited": {}}) } else { json!({"allowance": value}) };
            serde_json::from_value(json!({"benefit": "hours", "ladder": ladder, "tier": tier, "region": place, "value": value})).unwrap()
        });
        grants.collect()
    })
}

fn tier() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("BRONZE"), Some("SILVER"), Some("GOLD")])
}

fn terms() -> impl Strategy<Value = Vec<EntitlementException>> {
    let one = (prop::sample::select(vec!["ADD", "ADD", "ADD", "REPLACE", "REMOVE"]), 0..30_u32).prop_map(|(effect, value)| EntitlementException {
        grant: serde_json::from_value(json!({"benefit": "hours", "effect": effect, "value": {"allowance": value}})).unwrap(),
        span: crate::date::Span::ALWAYS,
        reason: "r".into(),
    });
    prop::collection::vec(one, 0..4)
}

fn holder(main: Option<&str>, cloud: Option<&str>) -> PartnerFacts {
    let held: Vec<(&str, &str)> = main.map(|tier| ("MAIN", tier)).into_iter().chain(cloud.map(|tier| ("CLOUD", tier))).collect();
    partner("DE", &held)
}

fn amount(entitlement: &Entitlement) -> u64 {
    allowance(entitlement).filter(|_| entitlement.status == EntitlementStatus::Granted).map_or(0, |text| text.parse().unwrap_or(u64::MAX))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn adding_a_source_never_lowers_the_most_generous(grants in grants(), main in tier(), cloud in tier(), held in terms(), added in 0..30_u32) {
        let program = program(hours("MOST_GENEROUS"), serde_json::to_value(grants).unwrap());
        let mut partner = holder(main, cloud);
        partner.exceptions = held;
        let before = amount(&one(&program, &partner));
        let grant = serde_json::from_value(json!({"benefit": "hours", "value": {"allowance": added}})).unwrap();
        partner.exceptions.push(EntitlementException { grant, span: crate::date::Span::ALWAYS, reason: "r".into() });
        prop_assert!(amount(&one(&program, &partner)) >= before);
    }

    #[test]
    fn the_order_of_grants_and_terms_is_irrelevant(grants in grants(), main in tier(), cloud in tier(), held in terms(), merge in prop::sample::select(vec!["MOST_GENEROUS", "SUM", "STRICT"])) {
        let mut turned = grants.clone();
        turned.reverse();
        let mut partner = holder(main, cloud);
        partner.exceptions = held;
        let forward = one(&program(hours(merge), serde_json::to_value(grants).unwrap()), &partner);
        partner.exceptions.reverse();
        let backward = one(&program(hours(merge), serde_json::to_value(turned).unwrap()), &partner);
        prop_assert_eq!((forward.status, forward.value, forward.unlocks), (backward.status, backward.value, backward.unlocks));
    }

    #[test]
    fn a_removal_wins(grants in grants(), main in tier(), cloud in tier(), held in terms()) {
        let program = program(hours("SUM"), serde_json::to_value(grants).unwrap());
        let mut partner = holder(main, cloud);
        partner.exceptions = held;
        let grant = serde_json::from_value(json!({"benefit": "hours", "effect": "REMOVE"})).unwrap();
        partner.exceptions.insert(0, EntitlementException { grant, span: crate::date::Span::ALWAYS, reason: "r".into() });
        let answer = one(&program, &partner);
        prop_assert_eq!((answer.status, answer.value), (EntitlementStatus::NotOffered, None));
    }

    #[test]
    fn an_own_tiers_grant_decides_whatever_lower_tiers_give(grants in grants(), own in 0..29_u32) {
        let mut grants: Vec<Value> = grants.into_iter().map(|grant| serde_json::to_value(grant).unwrap()).filter(|grant| grant["ladder"] == "MAIN" && grant["tier"] != "GOLD").collect();
        grants.push(json!({"benefit": "hours", "tier": "GOLD", "value": {"allowance": own}}));
        let answer = one(&program(hours("MOST_GENEROUS"), json!(grants)), &holder(Some("GOLD"), None));
        prop_assert_eq!(allowance(&answer), Some(own.to_string()));
    }
}
