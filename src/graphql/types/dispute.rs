//! Disputes.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use guerdon_domain::money;

use crate::app::disputes::{DisputeSubject, StoredDispute};
use crate::connection;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::scalars::{DateTime, Money};
use crate::graphql::types::partner::Partner;

/// How far a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::disputes::DisputeState")]
pub enum DisputeState {
    /// Nobody has answered yet.
    Open,
    /// Finance has explained the figure; it may still be accepted, rejected or taken back.
    Answered,
    /// Accepted: the next run posts the adjustment.
    Accepted,
    /// Rejected.
    Rejected,
    /// The partner has taken it back.
    Withdrawn,
}

/// What a dispute is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeKind {
    /// The statement as a whole.
    Statement,
    /// One of its lines.
    Line,
    /// A sale line that counted.
    Sale,
    /// A sale line that should have counted.
    MissingSale,
}

/// A sale line, by what its source calls it.
#[derive(Debug, Clone, SimpleObject)]
pub struct SaleRef {
    /// The system that it comes from.
    pub source: String,
    /// The id that this system knows it by.
    pub external_id: String,
}

/// A dispute.
#[derive(Debug, Clone)]
pub struct Dispute(pub StoredDispute);

impl Dispute {
    fn money(&self, minor: i64) -> Answer<Money> {
        let amount: Option<money::Money> = self.0.money(minor);
        amount.map(Money::from).ok_or_else(|| crate::error::AppError::internal("a dispute in no currency").into())
    }
}

/// A partner's objection to a posted statement, with its own figure and a reason. Finance answers; what is accepted becomes an
/// adjustment, which the next run of the program posts, tied to the statement's period.
#[Object]
impl Dispute {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Dispute, self.0.id)
    }

    /// The partner; null when you may not read it.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok::<_, GqlFault>(ctx.loaders()?.partner(self.0.partner).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The id of the statement.
    async fn statement_id(&self) -> ID {
        encode(NodeKind::Statement, self.0.statement)
    }

    /// What it is about.
    async fn kind(&self) -> DisputeKind {
        match self.0.subject {
            DisputeSubject::Statement => DisputeKind::Statement,
            DisputeSubject::Line(_) => DisputeKind::Line,
            DisputeSubject::Sale(..) => DisputeKind::Sale,
            DisputeSubject::MissingSale(..) => DisputeKind::MissingSale,
        }
    }

    /// The place of the line in its statement, from 0, where it is about one.
    async fn line(&self) -> Option<i64> {
        if let DisputeSubject::Line(no) = self.0.subject { Some(no) } else { None }
    }

    /// The sale line, where it is about one.
    async fn sale(&self) -> Option<SaleRef> {
        match &self.0.subject {
            DisputeSubject::Sale(source, id) | DisputeSubject::MissingSale(source, id) => Some(SaleRef { source: source.clone(), external_id: id.clone() }),
            DisputeSubject::Statement | DisputeSubject::Line(_) => None,
        }
    }

    /// What the partner says that it should be.
    async fn claimed(&self) -> Answer<Money> {
        self.money(self.0.claimed)
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// How far it is.
    async fn state(&self) -> DisputeState {
        self.0.state.into()
    }

    /// Who opened it.
    async fn opened_by(&self) -> &str {
        &self.0.opened_by
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.0.opened_at.into()
    }

    /// What finance says.
    async fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }

    /// When finance answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(DateTime)
    }

    /// What the next run adds to what the rules give for the period; null unless it was accepted.
    async fn adjustment(&self) -> Maybe<Money> {
        self.0.adjusted.map(|minor| self.money(minor))
    }
}

connection!(DisputeConnection, DisputeEdge, Dispute, "disputes");
