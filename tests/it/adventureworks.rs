//! The AdventureWorks example: its files, its program, its figures against an independent calculation.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guerdon::import::mapping::read_mapping;
use guerdon::import::rows::{Row, Rows};
use guerdon_domain::facts::Facts;
use guerdon_domain::facts::input::{FactsInput, PartnerInput};
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{Knowledge, OnRecord, compute_period_for_all};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/adventureworks").join(path)
}

fn rows(mapping: &str, file: &str) -> Vec<Row> {
    let mapping = read_mapping(&std::fs::read_to_string(example(mapping)).unwrap()).unwrap();
    let rows = Rows::open(&mapping, Box::new(File::open(example(file)).unwrap()), Arc::default()).unwrap();
    rows.map(|line| line.unwrap().row.unwrap()).collect()
}

#[test]
fn the_misspelt_business_type_is_one_type() {
    let mut types = BTreeMap::new();
    for row in rows("mappings/partners.yaml", "resellers.csv") {
        let Row::Partner(partner) = row else { panic!("{row:?}") };
        *types.entry(partner.attributes[0].r#type.clone().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(types, BTreeMap::from([("SPECIALTY_BIKE_SHOP".to_owned(), 231), ("VAR".to_owned(), 238), ("WAREHOUSE".to_owned(), 232)]));
}

#[test]
fn every_sale_line_is_read_to_the_cent() {
    let mut cents = 0_i64;
    let sales = rows("mappings/sales.yaml", "sales.csv");
    for row in &sales {
        let Row::Transaction(_, sale) = row else { panic!("{row:?}") };
        cents += guerdon_domain::money::Money::parse(&sale.amount.0, sale.currency.unwrap()).unwrap().minor;
    }
    assert_eq!((sales.len(), cents), (57_851, 7_754_857_020));
}

#[test]
fn the_other_files_are_read_without_a_fault() {
    assert_eq!(rows("mappings/products.yaml", "products.csv").len(), 397);
    for (name, suffix, lines) in [
        ("returns", "csv", 155),
        ("local-currency-sales", "csv", 259),
        ("exchange-rates", "jsonl", 303),
        ("certifications", "csv", 186),
        ("activities", "jsonl", 213),
        ("deals", "csv", 60),
    ] {
        assert_eq!(rows(&format!("overlay/{name}.mapping.yaml"), &format!("overlay/{name}.{suffix}")).len(), lines, "{name}");
    }
}

#[test]
fn the_program_is_without_a_fault() {
    let text = std::fs::read_to_string(example("program.yaml")).unwrap();
    let document = guerdon_domain::document::read::read(&text, guerdon_domain::document::read::Format::Yaml).map_err(|faults| faults.to_string()).unwrap();
    assert!(document.scenarios.len() >= 12);
    guerdon_domain::program::Program::compile(document).map(drop).map_err(|faults| faults.to_string()).unwrap();
}

/// Everything in the folder as facts, everybody enrolled from the first day.
fn all_facts(program: &Program) -> Facts {
    let mut input = FactsInput::default();
    let mut partners: BTreeMap<String, PartnerInput> = BTreeMap::new();
    let files = [
        ("mappings/partners.yaml", "resellers.csv"),
        ("mappings/products.yaml", "products.csv"),
        ("mappings/sales.yaml", "sales.csv"),
        ("overlay/returns.mapping.yaml", "overlay/returns.csv"),
        ("overlay/local-currency-sales.mapping.yaml", "overlay/local-currency-sales.csv"),
        ("overlay/exchange-rates.mapping.yaml", "overlay/exchange-rates.jsonl"),
        ("overlay/certifications.mapping.yaml", "overlay/certifications.csv"),
        ("overlay/activities.mapping.yaml", "overlay/activities.jsonl"),
        ("overlay/deals.mapping.yaml", "overlay/deals.csv"),
    ];
    for row in files.into_iter().flat_map(|(mapping, file)| rows(mapping, file)) {
        match row {
            Row::Partner(partner) => drop(partners.insert(partner.code.clone(), *partner)),
            Row::Product(product) => input.products.push(product),
            Row::ExchangeRate(rate) => input.exchange_rates.push(rate),
            Row::Transaction(partner, fact) => partners.get_mut(&partner).unwrap().transactions.push(*fact),
            Row::Holding(partner, fact) => partners.get_mut(&partner).unwrap().holdings.push(*fact),
            Row::Activity(partner, fact) => partners.get_mut(&partner).unwrap().activities.push(*fact),
            Row::Deal(partner, fact) => partners.get_mut(&partner).unwrap().deals.push(*fact),
        }
    }
    input.partners = partners.into_values().collect();
    guerdon_domain::facts::read::read(&input, program).map_err(|faults| faults.to_string()).unwrap()
}

fn program() -> Program {
    let text = std::fs::read_to_string(example("program.yaml")).unwrap();
    let document = guerdon_domain::document::read::read(&text, guerdon_domain::document::read::Format::Yaml).map_err(|faults| faults.to_string()).unwrap();
    Program::compile(document).map_err(|faults| faults.to_string()).unwrap()
}

fn golden() -> serde_json::Value {
    serde_json::from_str(include_str!("golden/adventureworks.json")).unwrap()
}

/// One digest over a table of many rows, so that the golden file stays small and no figure can differ unseen.
fn digest(rows: impl IntoIterator<Item = (String, String)>) -> String {
    use sha2::Digest;
    let text: String = rows.into_iter().map(|(key, value)| format!("{key},{value}\n")).collect();
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rebates_agree_with_an_independent_calculation_to_the_cent() {
    let (program, golden) = (program(), golden());
    let mut facts = all_facts(&program);
    let tiers: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&std::fs::read_to_string("/tmp/awgen/tiers.json").unwrap()).unwrap();
    for (code, partner) in &mut facts.partners {
        for (from, tier) in &tiers[code] {
            if let Some(last) = partner.assignments.last_mut() { last.until = Some(from.parse().unwrap()); }
            partner.assignments.push(guerdon_domain::facts::TierAssignment { ladder: "CHANNEL".into(), region: None, tier: Some(tier.clone()), from: from.parse().unwrap(), until: None, cause: Default::default() });
        }
    }
    for (quarter, schedules) in golden["rebates"].as_object().unwrap() {
        let period = program.period_named(quarter).unwrap();
        let results = compute_period_for_all(&program, &facts, &period, &Knowledge::default(), &OnRecord).map_err(|faults| faults.to_string()).unwrap();
        for (schedule, expected) in schedules.as_object().unwrap() {
            let owed = results.iter().filter_map(|(code, result)| Some((code.clone(), result.of(schedule)?.amount.minor))).filter(|(_, cents)| *cents != 0);
            let owed: Vec<(String, i64)> = owed.collect();
            let total: i64 = owed.iter().map(|(_, cents)| cents).sum();
            let found = (total, owed.len() as u64, digest(owed.iter().map(|(code, cents)| (code.clone(), cents.to_string()))));
            let expected = (expected["cents"].as_i64().unwrap(), expected["partners"].as_u64().unwrap(), expected["sha256"].as_str().unwrap().to_owned());
            assert_eq!(found, expected, "{quarter} {schedule}");
        }
    }
}
