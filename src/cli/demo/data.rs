//! The files of the AdventureWorks example, as they lie in the repository, in the binary.

/// A file to import, with its mapping.
pub struct DataFile {
    /// Its name, for people.
    pub name: &'static str,
    /// The mapping document.
    pub mapping: &'static str,
    /// The file.
    pub content: &'static [u8],
}

macro_rules! example {
    ($path:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/examples/adventureworks/", $path)
    };
}

macro_rules! file {
    ($name:literal, $mapping:literal, $content:literal) => {
        DataFile { name: $name, mapping: include_str!(example!($mapping)), content: include_bytes!(example!($content)) }
    };
}

/// The program document.
pub const PROGRAM: &str = include_str!(example!("program.yaml"));

/// The files in the order in which they are imported. Those named `overlay/...` are synthetic.
pub const FILES: &[DataFile] = &[
    file!("resellers.csv", "mappings/partners.yaml", "resellers.csv"),
    file!("products.csv", "mappings/products.yaml", "products.csv"),
    file!("sales.csv", "mappings/sales.yaml", "sales.csv"),
    file!("overlay/exchange-rates", "overlay/exchange-rates.mapping.yaml", "overlay/exchange-rates.jsonl"),
    file!("overlay/local-currency-sales", "overlay/local-currency-sales.mapping.yaml", "overlay/local-currency-sales.csv"),
    file!("overlay/returns", "overlay/returns.mapping.yaml", "overlay/returns.csv"),
    file!("overlay/certifications", "overlay/certifications.mapping.yaml", "overlay/certifications.csv"),
    file!("overlay/activities", "overlay/activities.mapping.yaml", "overlay/activities.jsonl"),
    file!("overlay/deals", "overlay/deals.mapping.yaml", "overlay/deals.csv"),
];
