//! Products of supposed facts: each gets the category that recording it for real would find.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;
use guerdon_domain::fault::Faults;
use guerdon_store::{ReadTx, StoredProduct};

use super::{Named, NamedKey, PartnerHypothesis};
use crate::error::AppError;

/// A supposed fact's product, its date, and its category.
type OfProduct<'f> = (&'f str, Date, &'f mut Option<String>);

/// Whatever names a product.
fn of_products(hypothesis: &mut PartnerHypothesis) -> impl Iterator<Item = OfProduct<'_>> {
    let lines = hypothesis.transactions.iter_mut().filter_map(|line| Some((line.product.as_deref()?, line.date, &mut line.category)));
    lines.chain(hypothesis.holdings.iter_mut().filter_map(|held| Some((held.product.as_deref()?, held.since, &mut held.category))))
}

/// Gives supposed sale lines and holdings the category of their product on their date, unless they name one themselves. One statement,
/// and none where no product is named.
///
/// # Errors
/// `Invalid` with `UNKNOWN_PRODUCT`.
pub(super) async fn categorize(tx: &ReadTx, supposed: &mut [PartnerHypothesis], named: &[Named]) -> Result<(), AppError> {
    let codes: BTreeSet<String> = supposed.iter_mut().flat_map(of_products).map(|(code, ..)| code.to_owned()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    let codes: Vec<String> = codes.into_iter().collect();
    let known: BTreeMap<String, StoredProduct> = tx.products_many(&codes).await?;
    let mut faults = Faults::new();
    for Named { path, key } in named {
        if let NamedKey::Product(code) = key
            && !known.contains_key(code)
        {
            faults.add("UNKNOWN_PRODUCT", path.clone(), format!("there is no product {code}: import products first"));
        }
    }
    faults.or(())?;
    for (code, date, category) in supposed.iter_mut().flat_map(of_products).filter(|(.., category)| category.is_none()) {
        *category = known.get(code).and_then(|product| product.category(date)).map(str::to_owned);
    }
    Ok(())
}
