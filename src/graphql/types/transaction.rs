//! Sale lines as they are on record.

use async_graphql::Object;

use crate::app::transactions::StoredTransaction;
use crate::connection;
use crate::graphql::inputs::attributes::{Attribute, attributes_of};
use crate::graphql::inputs::facts::TransactionKind;
use crate::graphql::scalars::{Decimal, GqlDate, Money};

/// A sale line.
#[derive(Debug, Clone)]
pub struct Transaction(pub StoredTransaction);

/// A sale line, a return or a correction. Facts are never rewritten.
#[Object]
impl Transaction {
    /// The system that it came from.
    async fn source(&self) -> &str {
        &self.0.fact.id.source
    }

    /// The id that this system knows it by.
    async fn external_id(&self) -> &str {
        &self.0.fact.id.external_id
    }

    /// When it happened.
    async fn date(&self) -> GqlDate {
        self.0.fact.date.into()
    }

    /// When it became known here.
    async fn recorded_on(&self) -> GqlDate {
        self.0.fact.recorded_on.into()
    }

    /// Sale, return or adjustment.
    async fn kind(&self) -> TransactionKind {
        self.0.fact.kind.into()
    }

    /// The vendor's product code.
    async fn product(&self) -> Option<&str> {
        self.0.fact.product.as_deref()
    }

    /// The product's category on the line's date.
    async fn category(&self) -> Option<&str> {
        self.0.fact.category.as_deref()
    }

    /// The quantity, as signed in the source.
    async fn quantity(&self) -> Decimal {
        Decimal::of(&self.0.fact.quantity.exact())
    }

    /// The amount, as signed in the source.
    async fn amount(&self) -> Money {
        self.0.fact.amount.into()
    }

    /// The end customer's code.
    async fn customer(&self) -> Option<&str> {
        self.0.fact.customer.as_deref()
    }

    /// The external id of the deal behind it.
    async fn deal(&self) -> Option<&str> {
        self.0.fact.deal.as_deref()
    }

    /// The external id of the line that it corrects or returns.
    async fn corrects(&self) -> Option<&str> {
        self.0.fact.corrects.as_deref()
    }

    /// Its region; the partner's on that date when null.
    async fn region(&self) -> Option<&str> {
        self.0.fact.region.as_deref()
    }

    /// Everything else.
    async fn attributes(&self) -> Vec<Attribute> {
        attributes_of(&self.0.fact.attributes)
    }
}

connection!(TransactionConnection, TransactionEdge, Transaction, "sale lines");
