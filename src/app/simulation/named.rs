//! What supposed facts name: whether there is such a thing is only known with the rules and the products.

use guerdon_domain::document::shape::nearest;
use guerdon_domain::fault::Faults;
use guerdon_domain::program::Program;

use crate::error::AppError;

/// A thing that is named, and where it was written, for faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where.
    pub path: String,
    /// What.
    pub key: NamedKey,
}

/// A thing by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedKey {
    /// A region that a partner might be in.
    Region(String),
    /// A type that a partner might have.
    PartnerType(String),
    /// The category of a sale line or a holding.
    Category(String),
    /// A product.
    Product(String),
}

/// Refuses regions, types and categories that the rules do not know, where they know any: a supposed fact is a question to these rules, as
/// a case is, and one that they never count answers nothing. What is recorded may name others: it belongs to no version.
pub(super) fn check(program: &Program, named: &[Named]) -> Result<(), AppError> {
    let regions = || program.geography.regions.keys().iter().map(String::as_str).collect();
    let types = || program.document.partner_types.iter().map(|known| known.key.as_str()).collect();
    let categories = || program.categories.keys().iter().map(String::as_str).collect();
    let mut faults = Faults::new();
    for Named { path, key } in named {
        let (what, key, known): (_, _, Vec<&str>) = match key {
            NamedKey::Region(key) => ("region", key, regions()),
            NamedKey::PartnerType(key) => ("partner type", key, types()),
            NamedKey::Category(key) => ("category", key, categories()),
            NamedKey::Product(_) => continue,
        };
        if !known.is_empty() && !known.contains(&key.as_str()) {
            let advice = nearest(key, known.into_iter()).map_or_else(String::new, |near| format!(": did you mean {near}?"));
            faults.add("UNKNOWN_KEY", path.clone(), format!("the program has no {what} {key}{advice}"));
        }
    }
    Ok(faults.or(())?)
}
