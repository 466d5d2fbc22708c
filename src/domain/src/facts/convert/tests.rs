use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::read::{Format, read};

const PROGRAM: &str = "
guerdon: 1
program: {code: P, name: P, currency: USD}
version: {effectiveOn: 2020-01-01}
regions: [{key: EMEA, regions: [{key: DE}]}]
partnerTypes: [{key: VAR}]
categories: [{key: HW}]
ladders: [{key: MAIN, tiers: [{key: SILVER}, {key: GOLD}]}]
benefits: [{key: portal, kind: ACCESS}]
";

fn converted(facts: Value) -> Result<Facts, Vec<(String, String)>> {
    let program = Program::compile(read(PROGRAM, Format::Yaml).unwrap()).unwrap();
    let input: FactsInput = serde_json::from_value(facts).unwrap();
    convert(&input, Vocabulary::of(&program)).map_err(|faults| faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect())
}

fn expect(facts: Value, expected: &[(&str, &str)]) {
    let found = converted(facts).unwrap_err();
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_bad_spelling_of_an_amount_is_refused() {
    for bad in ["1e3", "1_000", "1,000", "NaN", "inf", "-inf", " 1", "1 ", "+1", "01", ".5", "5.", "1.005", "-0", "", "0x10", "١", "1000000000000000"] {
        let facts = json!({"partners": [{"code": "A", "transactions": [{"id": "1", "date": "2020-01-01", "amount": bad}]}]});
        let found = converted(facts).unwrap_err();
        assert_eq!(found.len(), 1, "{bad}");
        assert_eq!(found[0].1, "partners[0].transactions[0].amount", "{bad}");
    }
    for float in ["12.5", "1e3", "1E400"] {
        let text = format!(r#"{{"partners": [{{"code": "A", "transactions": [{{"id": "1", "date": "2020-01-01", "amount": {float}}}]}}]}}"#);
        assert!(serde_json::from_str::<FactsInput>(&text).is_err(), "{float}");
    }
    let yen = json!({"partners": [{"code": "A", "transactions": [{"id": "1", "date": "2020-01-01", "amount": "0.5", "currency": "JPY"}]}]});
    expect(yen, &[("TOO_MANY_DECIMALS", "partners[0].transactions[0].amount")]);
}

#[test]
fn names_are_those_of_the_program() {
    let facts = json!({
        "products": [{"code": "p", "category": "SW"}],
        "partners": [{
            "code": "A",
            "attributes": [{"region": "FR", "type": "MSP"}, {"from": "2020-01-01", "region": "DE"}, {"from": "2020-01-01"}],
            "enrollments": [{"since": "2020-01-01", "track": "VARR", "region": "ASIA"}],
            "assignments": [{"tier": "BRONZE", "from": "2020-01-01"}, {"ladder": "SIDE", "tier": "X", "from": "2020-01-01"}],
            "overrides": [{"kind": "FLOOR", "from": "2020-01-01", "reason": "r"}],
            "admissions": [{"tier": "GOLDD", "kind": "INVITATION", "from": "2020-01-01"}],
            "exceptions": [{"grant": {"benefit": "portal", "value": {"money": 1}}, "from": "2020-01-01", "reason": "r"}],
            "contracts": [{"key": "c", "from": "2020-01-01", "terms": {"grants": [{"benefit": "nothing", "effect": "REMOVE"}]}}],
            "transactions": [{"id": "1", "date": "2020-01-01", "amount": 1, "category": "SW", "region": "US"}]
        }]
    });
    let expected = [
        ("UNKNOWN_KEY", "products[0].category"),
        ("UNKNOWN_KEY", "partners[0].attributes[0].type"),
        ("UNKNOWN_KEY", "partners[0].attributes[0].region"),
        ("CONFLICT", "partners[0].attributes[2].from"),
        ("UNKNOWN_KEY", "partners[0].enrollments[0].track"),
        ("UNKNOWN_KEY", "partners[0].enrollments[0].region"),
        ("UNKNOWN_KEY", "partners[0].assignments[0].tier"),
        ("UNKNOWN_KEY", "partners[0].assignments[1].ladder"),
        ("MISSING_MEMBER", "partners[0].overrides[0].tier"),
        ("UNKNOWN_KEY", "partners[0].admissions[0].tier"),
        ("UNKNOWN_KEY", "partners[0].contracts[0].terms.grants[0].benefit"),
        ("WRONG_KIND", "partners[0].exceptions[0].grant.value"),
        ("UNKNOWN_KEY", "partners[0].transactions[0].region"),
        ("UNKNOWN_KEY", "partners[0].transactions[0].category"),
    ];
    expect(facts, &expected);
}

/// A region that names no place of the ladder would be read and count nowhere.
#[test]
fn a_tier_is_held_where_its_ladder_holds_it() {
    let program =
        PROGRAM.replace("{key: MAIN, tiers", "{key: AREA, main: false, scope: PARTNER_IN_REGION, tiers: [{key: BADGE}]}, {key: MAIN, main: true, tiers");
    let program = Program::compile(read(&program, Format::Yaml).unwrap()).unwrap();
    let found = |region: Value| {
        let held = |ladder: &str, tier: &str| {
            let place = json!({"ladder": ladder, "tier": tier, "from": "2020-01-01", "region": region});
            let with = |more: Value| {
                let mut whole = place.clone();
                whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                whole
            };
            (place.clone(), with(json!({"kind": "FLOOR", "reason": "r"})), with(json!({"kind": "APPROVAL"})))
        };
        let (main, area) = (held("MAIN", "SILVER"), held("AREA", "BADGE"));
        let facts = json!({"partners": [{"code": "A", "assignments": [main.0, area.0], "overrides": [main.1, area.1], "admissions": [main.2, area.2]}]});
        let input: FactsInput = serde_json::from_value(facts).unwrap();
        let faults = convert(&input, Vocabulary::of(&program)).unwrap_err();
        faults.0.into_iter().map(|fault| (fault.code, fault.path, fault.message)).collect::<Vec<_>>()
    };
    let at = |index: u32| ["assignments", "overrides", "admissions"].map(|list| format!("partners[0].{list}[{index}].region"));
    let expected = |code: &str, message: &str, paths: [String; 3]| paths.map(|path| (code.to_owned(), path, message.to_owned())).to_vec();
    let whole = "tiers of the ladder `MAIN` are held by the partner as a whole: leave `region` out";
    assert_eq!(found(json!("DE")), expected("OUT_OF_PLACE", whole, at(0)));
    assert_eq!(found(json!(null)), expected("MISSING_MEMBER", "tiers of the ladder `AREA` are held per region: name the region", at(1)));
}

#[test]
fn an_override_holds_on_a_day_at_least() {
    let over = json!([{"kind": "FLOOR", "tier": "GOLD", "from": "2020-01-01", "until": "2020-01-01", "reason": "r"}]);
    expect(json!({"partners": [{"code": "A", "overrides": over}]}), &[("EMPTY_SPAN", "partners[0].overrides[0].until")]);
}

#[test]
fn one_tier_and_one_override_of_a_kind_at_a_time() {
    let facts = json!({"partners": [{
        "code": "A",
        "assignments": [
            {"tier": "GOLD", "from": "2020-03-01"},
            {"tier": "SILVER", "from": "2020-01-01", "until": "2020-03-02"},
            {"tier": "SILVER", "from": "2020-03-01"}
        ],
        "overrides": [
            {"kind": "PIN", "tier": "GOLD", "from": "2020-01-01", "until": "2020-02-01", "reason": "r"},
            {"kind": "PIN", "tier": "SILVER", "from": "2020-01-31", "reason": "r"},
            {"kind": "FLOOR", "tier": "SILVER", "from": "2020-01-31", "reason": "r"}
        ]
    }]});
    let expected =
        [("OVERLAP", "partners[0].assignments[0].from"), ("OVERLAP", "partners[0].assignments[2].from"), ("OVERLAP", "partners[0].overrides[1].from")];
    expect(facts, &expected);
    let facts = json!({"partners": [{"code": "A", "assignments": [{"tier": "GOLD", "from": "2020-03-01"}, {"tier": "SILVER", "from": "2020-01-01"}]}]});
    let held = converted(facts).unwrap().partners["A"].assignments.clone();
    assert_eq!(held[0].until.unwrap().to_string(), "2020-03-01");
    assert_eq!(held[1].until, None);
}

#[test]
fn partners_are_not_their_own_ancestors() {
    let chain = |last: Value| json!({"partners": [{"code": "A", "attributes": [{"parent": "B"}]}, {"code": "B", "attributes": [{"parent": "C"}, last]}, {"code": "C"}]});
    assert!(converted(chain(json!({"from": "2021-01-01", "parent": "OUTSIDE"}))).is_ok());
    expect(chain(json!({"from": "2021-01-01", "parent": "A"})), &[("CYCLE", "partners[1].attributes")]);
    expect(json!({"partners": [{"code": "A", "attributes": [{"parent": "A"}]}]}), &[("CYCLE", "partners[0].attributes")]);
    let tower = |height: usize| json!({"partners": (0..=height).map(|at| json!({"code": format!("N{at}"), "attributes": [{"parent": (at < height).then(|| format!("N{}", at + 1))}]})).collect::<Vec<_>>()});
    assert!(converted(tower(32)).is_ok());
    expect(tower(33), &[("TOO_DEEP", "partners[0].attributes")]);
}

#[test]
fn an_id_names_one_fact_whoever_it_is_booked_under() {
    let line = json!({"id": "1", "date": "2020-01-01", "amount": "5", "source": "erp"});
    let other = json!({"id": "1", "date": "2020-01-01", "amount": "5", "source": "crm"});
    let facts = json!({"partners": [{"code": "A", "transactions": [line, line, other]}, {"code": "B", "transactions": [line]}]});
    expect(facts, &[("CONFLICT", "partners[1].transactions[0].id")]);
    let mine = json!({"id": "1", "date": "2020-01-01", "amount": "5"});
    let other = json!({"id": "1", "date": "2020-01-01", "amount": "6"});
    let facts = converted(json!({"partners": [{"code": "A", "transactions": [mine, mine]}, {"code": "B", "transactions": [other]}]})).unwrap();
    assert_eq!((facts.partners["A"].transactions.len(), facts.partners["B"].transactions.len()), (1, 1));
}

/// The source that facts have by default may be named: it is the same one, of every kind of fact.
#[test]
fn the_default_source_may_be_named() {
    let kinds = [
        ("transactions", json!({"id": "1", "date": "2020-01-01", "amount": "5"}), json!({"quantity": 7})),
        ("holdings", json!({"id": "1", "kind": "BADGE", "since": "2020-01-01"}), json!({"level": "GOLD"})),
        ("activities", json!({"id": "1", "kind": "VISIT", "date": "2020-01-01"}), json!({"value": 7})),
        ("deals", json!({"id": "1", "openedOn": "2020-01-01"}), json!({"stage": "WON"})),
    ];
    for (kind, fact, more) in kinds {
        let (mut named, mut other) = (fact.clone(), fact.clone());
        named["source"] = json!("evaluate");
        other.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let facts = converted(json!({"partners": [{"code": "A", kind: [fact, named]}, {"code": "B", kind: [other]}]})).unwrap();
        let one = &facts.partners["A"];
        assert_eq!(one.transactions.len() + one.holdings.len() + one.activities.len() + one.deals.len(), 1, "{kind}");
        let path = format!("partners[0].{kind}[1].id");
        expect(json!({"partners": [{"code": "A", kind: [named, other]}]}), &[("CONFLICT", path.as_str())]);
    }
}

#[test]
fn rates_and_budgets_are_unambiguous() {
    let facts = json!({
        "exchangeRates": [
            {"from": "EUR", "to": "USD", "date": "2020-01-01", "rate": "1.1"},
            {"from": "EUR", "to": "USD", "date": "2020-01-01", "rate": "1.10"},
            {"from": "EUR", "to": "USD", "date": "2020-01-01", "rate": "1.2"},
            {"from": "EUR", "to": "USD", "date": "2020-01-01", "rate": "1.2", "recordedOn": "2020-01-05"}
        ],
        "budgets": [
            {"key": "b", "amount": "1", "from": "2020-01-01", "until": "2020-02-01"},
            {"key": "b", "amount": "-1", "from": "2020-01-31", "until": "2020-03-01"}
        ]
    });
    expect(facts, &[("CONFLICT", "exchangeRates[2]"), ("OUT_OF_RANGE", "budgets[1].amount"), ("OVERLAP", "budgets[1]")]);
}

proptest! {
    /// The order in which facts are written changes nothing.
    #[test]
    fn order_changes_nothing(mut days in prop::collection::vec((1_u32..28, 0_u32..5), 0..12), seed in any::<prop::sample::Index>()) {
        let facts = |days: &[(u32, u32)]| {
            let lines: Vec<Value> = days.iter().map(|(day, id)| json!({"id": format!("{id}-{day}"), "date": format!("2020-01-{day:02}"), "amount": *day})).collect();
            converted(json!({"partners": [{"code": "A", "transactions": lines}]})).unwrap()
        };
        let one = facts(&days);
        let at = if days.is_empty() { 0 } else { seed.index(days.len()) };
        days.rotate_left(at);
        prop_assert_eq!(one, facts(&days));
    }
}
