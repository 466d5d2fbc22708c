use guerdon::import::kind::Kind;
use guerdon::import::mapping::read_mapping;
use guerdon::import::schema::mapping_schema;

fn faults(text: &str) -> Vec<(String, String)> {
    read_mapping(text).unwrap_err().0.into_iter().map(|fault| (fault.code, fault.path)).collect()
}

#[test]
fn every_fault_is_reported_at_once() {
    let found = faults(
        r"
kind: TRANSACTIONS
delimiter: ab
members:
  id: {columns: [a], column: b}
  date: {column: d, format: '%Q'}
  amount: {column: a, number: {decimal: ',', group: ','}, inclusiveExpiry: true}
  currency: {constant: 1.5}
  shoeSize: s
attributes:
  city: {colunm: city}
",
    );
    let expected = [
        ("INVALID_MAPPING", "members.currency"),
        ("INVALID_MAPPING", "attributes.city"),
        ("INVALID_DELIMITER", "delimiter"),
        ("MISSING_SOURCE", "source"),
        ("MISSING_MEMBER", "members.partner"),
        ("INVALID_MAPPING", "members.amount.number"),
        ("INVALID_MAPPING", "members.amount.inclusiveExpiry"),
        ("INVALID_DATE_FORMAT", "members.date.format"),
        ("INVALID_MAPPING", "members.id"),
        ("UNKNOWN_MEMBER", "members.shoeSize"),
    ];
    for (code, path) in expected {
        assert!(found.contains(&(code.to_owned(), path.to_owned())), "{code} {path} in {found:?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn documents_that_are_no_mapping_are_refused_with_a_reason() {
    for (text, code) in [
        ("", "MALFORMED_MAPPING"),
        ("- a", "MALFORMED_MAPPING"),
        ("kind: [", "MALFORMED_MAPPING"),
        ("kind: SHOES\nmembers: {}", "INVALID_MAPPING"),
        ("kind: PARTNERS\nmembres: {}", "INVALID_MAPPING"),
    ] {
        assert_eq!(faults(text).first().map(|(code, _)| code.as_str()), Some(code), "{text}");
    }
}

#[test]
fn country_codes_stay_text() {
    let mapping = read_mapping("kind: PARTNERS\nmembers:\n  code: c\n  region: {column: country, aliases: {Norway: NO, 'Yes': Y}}\n").unwrap();
    assert_eq!(mapping.members["region"].aliases["Norway"], "NO");
}

#[test]
fn the_schema_names_every_member_of_every_kind() {
    let schema = mapping_schema();
    let rules = schema["allOf"].as_array().unwrap();
    assert_eq!(rules.len(), Kind::ALL.len());
    for (rule, kind) in rules.iter().zip(Kind::ALL) {
        assert_eq!(rule["if"]["properties"]["kind"]["const"], kind.name());
        let members = &rule["then"]["properties"]["members"]["properties"];
        assert!(kind.members().iter().all(|member| members[member.name]["description"].as_str().is_some_and(|text| !text.is_empty())));
    }
}
