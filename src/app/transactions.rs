//! Sale lines as they are on record.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::date::Span;
use guerdon_domain::page::{Page, PageRequest};
pub use guerdon_store::StoredTransaction;

use super::pages::{Keyed, page_of, request_of};
use super::partners::PartnerId;
use super::{App, Ctx};
use crate::error::AppError;

/// One page of the sale lines of each partner, the newest first. The first page is one statement for all partners; a later one
/// belongs to one partner, whose cursor it starts behind.
///
/// # Errors
/// `Forbidden`.
pub async fn transactions_many(
    app: &App,
    ctx: &Ctx,
    partners: &[PartnerId],
    days: Span,
    page: &PageRequest,
) -> Result<BTreeMap<PartnerId, Page<Keyed<StoredTransaction>>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Transaction))?;
    let request = request_of(page);
    app.store
        .read(async |tx| {
            if *page == PageRequest::first(page.limit) {
                let found = tx.transactions_first_n_many(&scope, partners, days, page.limit).await?;
                return Ok(found.into_iter().map(|(partner, lines)| (partner, page_of(lines, false))).collect());
            }
            let mut found = BTreeMap::new();
            for partner in partners {
                let lines = tx.list_transactions(&scope, *partner, days, &request).await?;
                found.insert(*partner, page_of(lines, page.backward));
            }
            Ok(found)
        })
        .await
}

/// How many sale lines of these days a partner has.
///
/// # Errors
/// `Forbidden`.
pub async fn count_transactions(app: &App, ctx: &Ctx, partner: PartnerId, days: Span) -> Result<i64, AppError> {
    let scope = ctx.require((Action::Read, Resource::Transaction))?;
    Ok(app.store.read(async |tx| tx.count_transactions(&scope, partner, days).await).await?)
}
