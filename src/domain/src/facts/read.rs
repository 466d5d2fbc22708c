//! From the JSON shape of facts to the facts that engines read: everything is checked, and what was left out is filled in.
//!
//! Single facts are read by [`Filling::transaction`] and its siblings, whole inputs by [`read`], which also judges their names. All faults are reported at once,
//! each with its path.

use std::collections::BTreeMap;

use super::input::{FactsInput, ProductInput, ProfileInput};
use super::{Attributes, Facts, PartnerProfile};
use crate::date::{Date, Span};
use crate::document::scoped::Scalar;
use crate::fault::{Fault, Faults};
use crate::program::Program;

pub use super::read_fact::Filling;

/// Which category a product belongs to, by date (semantics 4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductCategories(BTreeMap<String, Vec<(Date, String)>>);

impl ProductCategories {
    /// From the input. Two categories of one product from one date are a fault.
    pub fn new(products: &[ProductInput]) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut categories: BTreeMap<String, Vec<(Date, String)>> = BTreeMap::new();
        for (at, product) in products.iter().enumerate() {
            let dated = categories.entry(product.code.clone()).or_default();
            let from = product.from.unwrap_or(Date::MIN);
            if dated.iter().any(|(since, category)| *since == from && *category != product.category) {
                faults.add("CONFLICT", format!("products[{at}]"), format!("product {} has another category from the same day: keep one", product.code));
            }
            dated.push((from, product.category.clone()));
        }
        categories.values_mut().for_each(|dated| dated.sort());
        faults.or(Self(categories))
    }

    /// The category of a product on a date.
    pub fn on(&self, product: &str, date: Date) -> Option<&str> {
        let dated = self.0.get(product)?;
        let after = dated.partition_point(|(from, _)| *from <= date);
        dated.get(after.checked_sub(1)?).map(|(_, category)| category.as_str())
    }
}

/// Reads a whole input for one program, see [`convert`](super::convert::convert). What has no source comes from `evaluate`.
pub fn read(input: &FactsInput, program: &Program) -> Result<Facts, Faults> {
    super::convert::convert(input, super::convert::Vocabulary::of(program))
}

/// A span whose end may be open; one that ends before it starts is a fault.
pub(super) fn read_span(from: Date, until: Option<Date>) -> Result<Span, Fault> {
    let until = until.unwrap_or(Date::MAX);
    if until < from {
        return Err(Fault::new("DATES_OUT_OF_ORDER", "", format!("{until} lies before {from}")));
    }
    Ok(Span::new(from, until))
}

/// Attributes as engines compare them.
pub fn read_attributes(attributes: &BTreeMap<String, Scalar>) -> Attributes {
    use super::AttributeValue;
    let value = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => AttributeValue::Text(text.clone()),
        Scalar::Number(number) => AttributeValue::Number(number.0.clone()),
        Scalar::Boolean(flag) => AttributeValue::Boolean(*flag),
    };
    attributes.iter().map(|(name, scalar)| (name.clone(), value(scalar))).collect()
}

/// A partner's profile from a date on.
pub fn read_profile(code: &str, input: &ProfileInput) -> PartnerProfile {
    PartnerProfile {
        from: input.from.unwrap_or(Date::MIN),
        name: input.name.clone().unwrap_or_else(|| code.to_owned()),
        partner_type: input.r#type.clone(),
        region: input.region.clone(),
        parent: input.parent.clone(),
        currency: input.currency,
        status: input.status,
        attributes: read_attributes(&input.attributes),
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
