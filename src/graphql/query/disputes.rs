//! Disputes.

use async_graphql::{Context, ID, Object};

use crate::app::disputes::{self, DisputeFilter};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::connect_keyed;
use crate::graphql::types::dispute::{Dispute, DisputeConnection, DisputeState};

/// Queries of disputes.
#[derive(Default)]
pub struct DisputeQueries;

#[Object]
impl DisputeQueries {
    /// A dispute by its id; null when there is none, or none that you may see.
    async fn dispute(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Maybe<Dispute> {
        let found = async {
            let id = decode_as(NodeKind::Dispute, &id).unwrap_or_default();
            Ok(disputes::disputes_many(ctx.app()?, ctx.caller()?, &[id]).await?.remove(&id).map(Dispute))
        };
        found.await.transpose()
    }

    /// Disputes that you may see, the latest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn disputes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In any of these states; in any when empty.")] states: Option<Vec<DisputeState>>,
        #[graphql(desc = "Of this partner.")] partner_id: Option<ID>,
        #[graphql(desc = "About this statement.")] statement_id: Option<ID>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<DisputeConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        // An id of another kind is that of nobody.
        let of = |kind: NodeKind, id: Option<ID>| id.map(|id| decode_as(kind, &id).unwrap_or_default());
        let filter = DisputeFilter {
            program: None,
            partner: of(NodeKind::Partner, partner_id),
            statement: of(NodeKind::Statement, statement_id),
            states: states.unwrap_or_default().into_iter().map(Into::into).collect(),
        };
        let binding = Binding::new("disputes", &filter);
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = disputes::list_disputes(app, caller, &filter, &request).await?;
        Ok(connect_keyed(&binding, &request, page.map(|(key, dispute)| (key, Dispute(dispute)))).into())
    }
}
