//! The viewer, and objects by their ids. Unknown, foreign and malformed ids are answered alike.

use async_graphql::{Context, ID, Interface, Object};

use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::loaders::{Found, RequestLoaders};
use crate::graphql::node::{NodeKind, decode};
use crate::graphql::types::admission::{AdmissionRequest, TierOverride};
use crate::graphql::types::dispute::Dispute;
use crate::graphql::types::job::Job;
use crate::graphql::types::partner::Partner;
use crate::graphql::types::program::{Program, ProgramVersion};
use crate::graphql::types::review::Review;
use crate::graphql::types::run::RebateRun;
use crate::graphql::types::statement::Statement;
use crate::graphql::types::viewer::Viewer;

/// Something with an id of its own.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id."))]
pub enum Node {
    /// A dispute.
    Dispute(Dispute),
    /// Background work.
    Job(Job),
    /// A review.
    Review(Review),
    /// A partner.
    Partner(Partner),
    /// A program.
    Program(Program),
    /// A version of a program.
    ProgramVersion(ProgramVersion),
    /// A rebate run.
    RebateRun(RebateRun),
    /// A statement.
    Statement(Statement),
    /// An override of a partner's tier.
    TierOverride(TierOverride),
    /// An application for a tier, an invitation to it, or its approval.
    AdmissionRequest(AdmissionRequest),
}

/// Queries of the caller himself and of anything by its id.
#[derive(Default)]
pub struct NodeQueries;

#[Object]
impl NodeQueries {
    /// Whoever sent this request, as the service knows him.
    async fn viewer(&self, ctx: &Context<'_>) -> Answer<Viewer> {
        Ok(ctx.caller()?.into())
    }

    /// The object of this id; null when there is none, or none that you may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Maybe<Node> {
        find_node(ctx, &id).await.transpose()
    }

    /// The objects of these ids, in the order of the ids; null for those that do not exist, or that you may not see.
    async fn nodes(&self, ctx: &Context<'_>, #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>) -> Answer<Vec<Option<Node>>> {
        let most = ctx.app()?.limits.ids_max;
        if ids.len() > most {
            return Err(GqlFault::invalid("TOO_MANY", "ids", format!("at most {most} ids are taken at once")));
        }
        let found = futures_util::future::join_all(ids.iter().map(|id| find_node(ctx, id))).await;
        found.into_iter().collect()
    }
}

/// The object, where the caller may see it. A right that is missing is "not there" here, so that nothing is told about the id.
async fn find_node(ctx: &Context<'_>, id: &str) -> Found<Node> {
    let Some((kind, id)) = decode(id) else { return Ok(None) };
    let loaders = ctx.loaders()?;
    let found = match kind {
        NodeKind::RebateRun => loaders.run(id).await.map(|found| found.map(|run| Node::RebateRun(RebateRun(run)))),
        NodeKind::Statement => loaders.statement(id).await.map(|found| found.map(|statement| Node::Statement(Statement(statement)))),
        NodeKind::Dispute => loaders.dispute(id).await.map(|found| found.map(|dispute| Node::Dispute(Dispute(dispute)))),
        NodeKind::Job => loaders.job(id).await.map(|found| found.map(|job| Node::Job(Job(job)))),
        NodeKind::Review => loaders.review(id).await.map(|found| found.map(|review| Node::Review(Review(review)))),
        NodeKind::Partner => loaders.partner(id).await.map(|found| found.map(|partner| Node::Partner(Partner(partner)))),
        NodeKind::Program => loaders.program(id).await.map(|found| found.map(|program| Node::Program(Program(program)))),
        NodeKind::ProgramVersion => loaders.version(id).await.map(|found| found.map(|version| Node::ProgramVersion(ProgramVersion(version)))),
        NodeKind::TierOverride => loaders.tier_override(id).await.map(|found| found.map(|one| Node::TierOverride(TierOverride(one)))),
        NodeKind::AdmissionRequest => loaders.admission(id).await.map(|found| found.map(|one| Node::AdmissionRequest(AdmissionRequest(one)))),
        _ => Ok(None),
    };
    match found {
        Err(fault) if matches!(fault.app(), crate::error::AppError::Forbidden | crate::error::AppError::NotFound) => Ok(None),
        other => other,
    }
}
