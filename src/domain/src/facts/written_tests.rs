use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::read::{Format, read as read_document};
use crate::exact::spell;
use crate::program::Program;

const PROGRAM: &str = "
guerdon: 1
program: {code: P, name: P, currency: USD}
version: {effectiveOn: 2020-01-01}
regions: [{key: EMEA, regions: [{key: DE}]}]
partnerTypes: [{key: VAR}]
categories: [{key: HW}]
ladders: [{key: MAIN, tiers: [{key: SILVER}, {key: GOLD}]}]
benefits: [{key: portal, kind: ACCESS}]
contractTemplates: [{key: std}]
";

fn read_facts(input: &FactsInput) -> Facts {
    let program = Program::compile(read_document(PROGRAM, Format::Yaml).unwrap()).unwrap();
    super::super::read::read(input, &program).unwrap_or_else(|faults| panic!("{faults}"))
}

fn written(facts: &Facts) -> FactsInput {
    let input = write(facts).unwrap();
    // As it comes back from a file.
    serde_json::from_str(&serde_json::to_string(&input).unwrap()).unwrap()
}

fn kind_of(number: i64) -> &'static str {
    ["SALE", "RETURN", "ADJUSTMENT"][usize::try_from(number.rem_euclid(3)).unwrap()]
}

/// A partner with something of every kind; `numbers` vary figures, days and what is left out.
fn partner(code: &str, numbers: &[i64]) -> Value {
    let number = |at: usize| numbers.get(at).copied().unwrap_or(7);
    let day = |at: usize| format!("2021-{:02}-{:02}", number(at).rem_euclid(12) + 1, number(at).rem_euclid(28) + 1);
    let maybe = |at: usize, value: Value| if number(at) % 2 == 0 { value } else { Value::Null };
    let figure = |at: usize, places: u32| spell(number(at).into(), places, true);
    let lines: Vec<Value> = numbers
        .iter()
        .enumerate()
        .map(|(at, cents)| {
            json!({
                "id": format!("L{at}"), "source": format!("erp{}", cents.rem_euclid(2)), "date": day(at), "recordedOn": maybe(at, json!("2022-01-01")),
                "kind": kind_of(*cents), "category": maybe(at + 1, json!("HW")),
                "quantity": figure(at, 6), "amount": figure(at, 2), "currency": maybe(at, json!("EUR")), "customer": maybe(at + 2, json!("c")),
                "attributes": { "n": cents, "part": (*cents as f64) / 8.0, "t": "x", "b": cents % 2 == 0 },
            })
        })
        .collect();
    json!({
        "code": code,
        "attributes": [{ "region": "DE" }, { "from": "2021-03-01", "name": "N", "type": "VAR", "parent": maybe(1, json!("TOP")), "currency": "EUR", "status": "SUSPENDED", "attributes": { "grade": number(2) } }],
        "enrollments": [{ "since": "2020-01-01", "until": maybe(0, json!("2030-01-01")), "track": "VAR", "region": "DE" }],
        "assignments": [{ "tier": "SILVER", "from": "2020-01-01" }, { "from": "2020-06-01", "cause": "DEMOTION" }, { "tier": "GOLD", "from": "2021-01-01", "until": maybe(2, json!("2022-01-01")) }],
        "overrides": [{ "kind": "FLOOR", "tier": "GOLD", "from": "2021-01-01", "until": maybe(3, json!("2021-02-01")), "reason": "r", "proposedBy": "a", "approvedBy": "b" }],
        "admissions": [{ "tier": "GOLD", "kind": "INVITATION", "from": "2021-01-01" }],
        "contracts": [{ "key": "k", "template": "std", "status": "SENT", "from": "2021-01-01", "terms": { "grants": [{ "benefit": "portal", "effect": "REMOVE" }] } }],
        "exceptions": [{ "grant": { "benefit": "portal", "effect": "REMOVE" }, "from": "2021-01-01", "reason": "x" }],
        "transactions": lines,
        "holdings": [
            { "id": "h1", "kind": "CERTIFICATION", "type": "T", "level": "1", "person": "ann", "since": day(0), "value": figure(1, 10) },
            { "id": "h2", "kind": "SUBSCRIPTION", "customer": "c", "product": "p", "since": "2021-01-01", "until": "2021-12-31", "revokedOn": maybe(4, json!("2021-05-01")), "currency": "USD" },
            { "id": "h3", "kind": "PLAN", "since": "2021-01-01" }, { "id": "h4", "kind": "APP", "offering": "o", "since": "2021-01-01" },
        ],
        "activities": [{ "id": "a", "date": day(1), "kind": "TRAINING", "value": figure(2, 10), "subject": maybe(5, json!("s")), "expiresOn": "2023-01-01" }],
        "deals": [{ "id": "d", "openedOn": "2021-01-01", "outcome": "WON", "closedOn": "2021-02-01", "value": maybe(0, json!(figure(3, 2))), "stage": "S", "kind": "REFERRAL", "customer": "c" }],
    })
}

proptest! {
    /// What is written and restored is what was there; and it is what reading gives, where the names are defined.
    #[test]
    fn facts_survive_being_written(one in prop::collection::vec(-9_999_999_i64..9_999_999, 0..9), other in prop::collection::vec(0_i64..99, 3)) {
        let input = json!({
            "partners": [partner("A", &one), { "code": "B", "transactions": [{ "id": "x", "date": "2021-01-01", "amount": other[0] }] }],
            "exchangeRates": [{ "from": "EUR", "to": "USD", "date": "2021-01-01", "rate": spell((other[1] + 1).into(), 4, true), "recordedOn": "2021-01-02", "rateType": "AVG" }],
            "budgets": [{ "key": "b", "amount": other[2], "currency": "JPY", "from": "2021-01-01", "until": "2022-01-01" }],
        });
        let facts = read_facts(&serde_json::from_value(input).unwrap());
        let written = written(&facts);
        prop_assert_eq!(&restore(&written).unwrap(), &facts);
        prop_assert_eq!(&read_facts(&written), &facts);
        prop_assert_eq!(write(&restore(&written).unwrap()).unwrap(), written);
    }
}

#[test]
fn what_is_not_there_is_not_filled_in() {
    let bare = PartnerFacts { code: "A".into(), ..PartnerFacts::default() };
    let facts = Facts { partners: BTreeMap::from([("A".to_owned(), bare)]), ..Facts::default() };
    assert_eq!(restore(&written(&facts)).unwrap(), facts);
}

#[test]
fn names_that_no_version_defines_are_kept() {
    let assignment = TierAssignment {
        ladder: "GONE".into(),
        region: None,
        tier: Some("OLD".into()),
        from: Date::MIN,
        until: None,
        cause: super::super::AssignmentCause::Enrolled,
    };
    let partner = PartnerFacts { code: "A".into(), assignments: vec![assignment], ..PartnerFacts::default() };
    let facts = Facts { partners: BTreeMap::from([("A".to_owned(), partner)]), ..Facts::default() };
    assert_eq!(restore(&written(&facts)).unwrap(), facts);
}

#[test]
fn what_cannot_be_written_exactly_is_refused() {
    let third = Exact::ratio(1, 3).unwrap();
    let activity = |value: Exact, attributes: Attributes| Activity {
        id: super::super::FactId { source: "s".into(), external_id: "1".into() },
        date: Date::MIN,
        recorded_on: Date::MIN,
        kind: "K".into(),
        value,
        currency: None,
        subject: None,
        expires_on: None,
        region: None,
        attributes,
    };
    assert_eq!(write_activity(&activity(third, Attributes::new())).unwrap_err().code, "OUT_OF_RANGE");
    let long = Exact::parse("123456789012345.0123456789", 15, 10).unwrap();
    let attributes = Attributes::from([("n".to_owned(), AttributeValue::Number(long))]);
    assert_eq!(write_activity(&activity(Exact::ONE, attributes)).unwrap_err().code, "OUT_OF_RANGE");
    let sum = super::super::SalesSum {
        days: crate::date::Span::month_from(Date::MIN),
        category: None,
        kind: super::super::TransactionKind::Sale,
        amount: Money::zero(crate::money::Currency::USD),
        quantity: crate::money::Quantity(0),
        lines: 0,
    };
    let partner = PartnerFacts { code: "A".into(), sums: vec![sum], ..PartnerFacts::default() };
    assert_eq!(write_partner(&partner).unwrap_err().code, "KEPT_SUMS");
}

#[test]
fn a_written_fact_leaves_nothing_to_be_guessed() {
    let input: FactsInput = serde_json::from_value(json!({
        "products": [{ "code": "p", "category": "HW" }],
        "budgets": [{ "key": "b", "amount": 1, "from": "2021-01-01", "until": "2022-01-01" }],
        "partners": [
            { "code": "A", "assignments": [{ "tier": "GOLD", "from": "2021-01-01" }], "transactions": [{ "id": "1", "date": "2021-01-01", "amount": "1.00" }] },
            { "code": "A" },
        ],
    }))
    .unwrap();
    let faults = restore(&input).unwrap_err();
    let found: Vec<(&str, &str)> = faults.0.iter().map(|fault| (fault.code.as_str(), fault.path.as_str())).collect();
    let expected = [
        ("MISSING_MEMBER", "partners[0].assignments[0].ladder"),
        ("INVALID_ID", "partners[0].transactions[0].source"),
        ("MISSING_CURRENCY", "partners[0].transactions[0].currency"),
        ("DUPLICATE_KEY", "partners[1].code"),
        ("UNKNOWN_MEMBER", "products"),
        ("MISSING_CURRENCY", "budgets[0].currency"),
    ];
    assert_eq!(found, expected);
}
