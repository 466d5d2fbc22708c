//! The AdventureWorks example: its files, its program, its figures against an independent calculation.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guerdon::import::mapping::read_mapping;
use guerdon::import::rows::{Row, Rows};

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
