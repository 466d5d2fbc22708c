//! What supposed facts name: whether there is such a thing is only known with the rules and the products.

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
    /// A product.
    Product(String),
}

/// Refuses regions and types that the rules do not know.
pub(super) fn check(program: &Program, named: &[Named]) -> Result<(), AppError> {
    let mut faults = Faults::new();
    for Named { path, key } in named {
        match key {
            NamedKey::Region(region) if !program.geography.regions.contains(region) => {
                faults.add("UNKNOWN_KEY", path.clone(), format!("the program has no region {region}"));
            }
            NamedKey::PartnerType(key) if program.document.partner_types.iter().all(|known| known.key != *key) => {
                faults.add("UNKNOWN_KEY", path.clone(), format!("the program has no partner type {key}"));
            }
            NamedKey::Region(_) | NamedKey::PartnerType(_) | NamedKey::Product(_) => {}
        }
    }
    Ok(faults.or(())?)
}
