use super::*;
use crate::facts::TransactionKind;
use crate::facts::{FactId, PartnerProfile, PartnerStatus};
use crate::money::{Money, Quantity};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn program() -> Program {
    let document = serde_json::json!({
        "guerdon": 1,
        "program": { "code": "P", "name": "P", "currency": "USD" },
        "version": { "effectiveOn": "2020-01-01" },
        "regions": [{ "key": "EMEA", "regions": [{ "key": "DE" }, { "key": "FR" }] }, { "key": "US" }],
        "regionGroups": [{ "key": "GROWTH", "regions": ["FR"] }],
        "categories": [{ "key": "BIKES", "categories": [{ "key": "ROAD" }] }, { "key": "PARTS" }],
        "versionLists": [{ "key": "suite", "versions": [
            { "name": "14", "releasedOn": "2018-01-01" }, { "name": "15", "releasedOn": "2019-01-01" }, { "name": "16", "releasedOn": "2020-06-01" }] }],
    });
    Program::compile(serde_json::from_value(document).unwrap()).unwrap()
}

fn line(id: &str, on: &str, amount: i64) -> Transaction {
    Transaction {
        id: FactId { source: "t".into(), external_id: id.into() },
        date: date(on),
        recorded_on: date(on),
        sealed: 0,
        kind: TransactionKind::Sale,
        product: Some("1001".into()),
        category: Some("ROAD".into()),
        quantity: Quantity(2_000_000),
        amount: Money::new(amount, Currency::USD),
        customer: Some("ACME".into()),
        deal: None,
        corrects: None,
        region: None,
        attributes: [("seats".to_owned(), AttributeValue::Number(Exact::from_int(30)))].into(),
    }
}

fn partner(lines: Vec<Transaction>) -> PartnerFacts {
    let profile = |from: &str, region: &str| PartnerProfile {
        from: date(from),
        name: "P".into(),
        partner_type: Some("VAR".into()),
        region: Some(region.into()),
        parent: None,
        currency: None,
        status: PartnerStatus::Active,
        attributes: Attributes::new(),
    };
    PartnerFacts { code: "P1".into(), profiles: vec![profile("2020-01-01", "DE"), profile("2020-03-01", "FR")], transactions: lines, ..PartnerFacts::default() }
}

fn passes(filter: serde_json::Value, owner: &PartnerFacts, at: usize) -> bool {
    let filter: Filter = serde_json::from_value(filter).unwrap();
    let program = program();
    let first_dates = FirstDates::default();
    let bindings = vec![("area".to_owned(), "BIKES".to_owned())];
    let context = FilterContext { bindings: &bindings, ..FilterContext::new(&program, date("2020-06-30"), &first_dates) };
    context.matches(&filter, FactView::transaction(owner, &owner.transactions[at]))
}

#[test]
fn each_test_passes_and_fails() {
    let owner = partner(vec![line("1", "2020-02-29", 12_50), line("2", "2020-03-01", 1)]);
    let yes = [
        r#"{"test": {"field": "kind", "equals": "SALE"}}"#,
        r#"{"test": {"field": "product", "equals": 1001}}"#,
        r#"{"test": {"field": "category", "under": "BIKES"}}"#,
        r#"{"test": {"field": "category", "under": "$area"}}"#,
        r#"{"test": {"field": "amount", "atLeast": 12.5, "atMost": "12.50"}}"#,
        r#"{"test": {"field": "quantity", "above": 1, "below": 3}}"#,
        r#"{"test": {"field": "attribute.seats", "atMost": 30}}"#,
        r#"{"test": {"field": "region", "equals": "DE"}}"#,
        r#"{"test": {"field": "region", "under": "EMEA"}}"#,
        r#"{"test": {"field": "partner.type", "in": ["VAR", "MSP"]}}"#,
        // The partner's own fields are those of the date of the evaluation.
        r#"{"test": {"field": "partner.region", "equals": "FR"}}"#,
        r#"{"test": {"field": "date", "below": "2020-03-01"}}"#,
        r#"{"test": {"field": "deal", "exists": false}}"#,
        r#"{"test": {"field": "deal", "notIn": ["D1"]}}"#,
        r#"{"not": {"test": {"field": "month", "equals": "2020-03"}}}"#,
        r#"{"anyOf": [{"test": {"field": "kind", "equals": "RETURN"}}, {"test": {"field": "customer", "equals": "ACME"}}]}"#,
    ];
    for filter in yes {
        assert!(passes(serde_json::from_str(filter).unwrap(), &owner, 0), "{filter}");
    }
    let no = [
        r#"{"test": {"field": "deal", "equals": "D1"}}"#,
        r#"{"test": {"field": "deal", "exists": false, "equals": "D1"}}"#,
        r#"{"test": {"field": "customer", "notIn": ["ACME"]}}"#,
        r#"{"test": {"field": "category", "under": "PARTS"}}"#,
        r#"{"test": {"field": "category", "under": "$unbound"}}"#,
        r#"{"test": {"field": "amount", "above": 12.5}}"#,
        r#"{"test": {"field": "partner.region", "equals": "DE"}}"#,
        r#"{"test": {"field": "region", "inGroup": "GROWTH"}}"#,
        r#"{"allOf": [{"test": {"field": "kind", "equals": "SALE"}}, {"test": {"field": "customer", "exists": false}}]}"#,
    ];
    for filter in no {
        assert!(!passes(serde_json::from_str(filter).unwrap(), &owner, 0), "{filter}");
    }
    assert!(passes(serde_json::json!({"test": {"field": "region", "inGroup": "GROWTH"}}), &owner, 1), "the partner moved on the line's date");
}

#[test]
fn numbers_are_compared_as_numbers_however_they_are_written() {
    let owner = partner(vec![line("1", "2020-02-29", 12_50)]);
    let numbers = [("amount", ["12.5", "12.50", "012.5"]), ("quantity", ["2", "2.0", "2.000"]), ("attribute.seats", ["30", "30.0", "30.00"])];
    for (field, [first, second, third]) in numbers {
        for written in [first, second] {
            for test in [serde_json::json!({"equals": written}), serde_json::json!({"in": ["1", written]})] {
                let mut test = test;
                test["field"] = field.into();
                assert!(passes(serde_json::json!({"test": test}), &owner, 0), "{test}");
            }
            assert!(!passes(serde_json::json!({"test": {"field": field, "notIn": [written]}}), &owner, 0), "{field} {written}");
        }
        let spelled = third != "012.5";
        assert_eq!(passes(serde_json::json!({"test": {"field": field, "equals": third}}), &owner, 0), spelled, "{field} {third}");
    }
}

#[test]
fn first_facts_are_dated_per_group_and_not_per_fact() {
    let mut later = line("2", "2020-05-01", 1);
    later.customer = Some("NEW".into());
    let owner = partner(vec![line("1", "2020-02-01", 1), later, line("3", "2020-05-02", 1)]);
    let filter = serde_json::json!({"firstFact": {"per": ["customer"], "onOrAfter": "2020-03-01"}});
    assert_eq!([0, 1, 2].map(|at| passes(filter.clone(), &owner, at)), [false, true, false]);
}

#[test]
fn a_first_year_begins_with_the_first_fact_of_each_group() {
    let owner = partner(vec![line("1", "2020-02-29", 1), line("2", "2020-05-28", 1), line("3", "2020-05-29", 1), line("4", "2020-06-01", 1)]);
    let first = |rule: serde_json::Value| [0, 1, 2, 3].map(|at| passes(serde_json::json!({"firstFact": rule}), &owner, at));
    assert_eq!(first(serde_json::json!({"per": ["customer"], "withinMonths": 3})), [true, true, false, false]);
    assert_eq!(first(serde_json::json!({"per": ["customer"], "afterMonths": 3})), [false, false, true, true]);
    assert_eq!(first(serde_json::json!({"per": ["customer"], "afterMonths": 2, "withinMonths": 3, "before": "2020-03-01"})), [false, true, false, false]);
    assert_eq!(first(serde_json::json!({"per": ["attribute.nothing"], "withinMonths": 3})), [false; 4]);
}

#[test]
fn last_versions_move_with_the_date() {
    let mut certified = line("1", "2020-02-01", 1);
    certified.attributes.insert("version".into(), AttributeValue::Text("14".into()));
    let owner = partner(vec![certified]);
    let filter = |n: u32| serde_json::json!({"lastVersions": {"attribute": "version", "list": "suite", "n": n}});
    assert!(!passes(filter(2), &owner, 0) && passes(filter(3), &owner, 0));
}

/// Periods of a fact's date are called as everywhere else.
#[test]
fn periods_of_a_date_go_by_their_names() {
    let mut document = program().document;
    document.program.fiscal_year_start = "02-01".into();
    let fiscal = Program::compile(document).unwrap();
    let owner = partner(vec![line("1", "2025-06-10", 1), line("2", "2026-01-31", 1)]);
    let first_dates = FirstDates::default();
    let names = |program: &Program, at: usize| {
        let context = FilterContext::new(program, date("2026-12-31"), &first_dates);
        let view = FactView::transaction(&owner, &owner.transactions[at]);
        ["month", "quarter", "year", "fiscalQuarter", "fiscalYear"].map(|field| context.field(view, field).unwrap().spelling().into_owned())
    };
    assert_eq!(names(&fiscal, 0), ["2025-06", "2025-Q2", "2025", "FY2026-Q2", "FY2026"]);
    assert_eq!(names(&fiscal, 1), ["2026-01", "2026-Q1", "2026", "FY2026-Q4", "FY2026"]);
    assert_eq!(names(&program(), 0), ["2025-06", "2025-Q2", "2025", "2025-Q2", "2025"]);
}
