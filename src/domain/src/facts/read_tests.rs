use super::*;
use crate::document::read::{Format, read as read_document};
use crate::facts::HolderKind;

fn program() -> Program {
    let text = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2020-01-01}\nladders: [{key: MAIN, tiers: [{key: GOLD}]}]\n";
    Program::compile(read_document(text, Format::Yaml).unwrap()).unwrap()
}

fn facts(json: serde_json::Value) -> Result<Facts, Vec<(String, String)>> {
    let input: FactsInput = serde_json::from_value(json).unwrap();
    read(&input, &program()).map_err(|faults| faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect())
}

#[test]
fn what_is_left_out_is_filled_in() {
    let read = facts(serde_json::json!({
        "products": [{"code": "p", "category": "OLD"}, {"code": "p", "category": "NEW", "from": "2020-02-01"}],
        "partners": [{
            "code": "A",
            "assignments": [{"tier": "GOLD", "from": "2020-01-01"}],
            "transactions": [{"id": "2", "date": "2020-02-01", "product": "p", "amount": "1.5"}, {"id": "1", "date": "2020-01-31", "product": "p", "amount": 2, "recordedOn": "2020-03-01"}],
            "holdings": [{"id": "h", "kind": "CERTIFICATION", "person": "ann", "since": "2020-01-01"}],
            "activities": [{"id": "a", "date": "2020-01-01", "kind": "LOGIN"}]
        }]
    }))
    .unwrap();
    let partner = &read.partners["A"];
    assert_eq!((partner.profiles[0].name.as_str(), partner.enrollments[0].since), ("A", Date::MIN));
    assert_eq!(partner.assignments[0].ladder, "MAIN");
    let [first, second] = partner.transactions.as_slice() else { panic!("two lines") };
    assert_eq!((first.category.as_deref(), first.recorded_on.to_string().as_str()), (Some("OLD"), "2020-03-01"));
    assert_eq!((second.category.as_deref(), second.amount.minor, second.recorded_on), (Some("NEW"), 150, second.date));
    assert_eq!((second.quantity.to_string().as_str(), second.id.source.as_str()), ("1", "evaluate"));
    assert_eq!((partner.holdings[0].holder_kind, partner.holdings[0].holder.as_deref()), (HolderKind::Person, Some("ann")));
    assert_eq!(partner.activities[0].value.to_string(), "1");
}

#[test]
fn all_faults_are_reported_at_once_with_their_paths() {
    let found = facts(serde_json::json!({
        "exchangeRates": [{"from": "EUR", "to": "EUR", "date": "2020-01-01", "rate": "0"}],
        "budgets": [{"key": "b", "amount": "1", "from": "2020-01-02", "until": "2020-01-01"}],
        "partners": [
            {"code": "A", "transactions": [{"id": "", "date": "2020-01-01", "amount": "1.005"}], "holdings": [{"id": "h", "kind": "K", "holderKind": "PERSON", "since": "2020-01-01", "until": "2019-01-01", "value": "x"}]},
            {"code": "A", "contracts": [{"key": "c", "from": "2020-01-01", "until": "2019-12-31"}]}
        ]
    }))
    .unwrap_err();
    let expected = [
        ("INVALID_ID", "partners[0].transactions[0].id"),
        ("TOO_MANY_DECIMALS", "partners[0].transactions[0].amount"),
        ("DATES_OUT_OF_ORDER", "partners[0].holdings[0].until"),
        ("INVALID_DECIMAL", "partners[0].holdings[0].value"),
        ("MISSING_HOLDER", "partners[0].holdings[0].person"),
        ("DATES_OUT_OF_ORDER", "partners[1].contracts[0].until"),
        ("DUPLICATE_KEY", "partners[1].code"),
        ("OUT_OF_RANGE", "exchangeRates[0].rate"),
        ("SAME_CURRENCY", "exchangeRates[0].to"),
        ("DATES_OUT_OF_ORDER", "budgets[0].until"),
    ];
    assert_eq!(found, expected.map(|(code, path)| (code.to_owned(), path.to_owned())));
}

#[test]
fn the_same_fact_again_is_one_and_another_body_is_a_conflict() {
    let line = |amount: &str| serde_json::json!({"id": "1", "date": "2020-01-01", "amount": amount});
    let read = facts(serde_json::json!({"partners": [{"code": "A", "transactions": [line("1"), line("1.00")]}]})).unwrap();
    assert_eq!(read.partners["A"].transactions.len(), 1);
    let found = facts(serde_json::json!({"partners": [{"code": "A", "transactions": [line("1"), line("2")]}]})).unwrap_err();
    assert_eq!(found, [("CONFLICT".to_owned(), "partners[0].transactions[1].id".to_owned())]);
}
