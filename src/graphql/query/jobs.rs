//! Background work.

use async_graphql::{Context, ID, Object};

use crate::app::jobs::{self, JobFilter};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::connect_keyed;
use crate::graphql::types::job::{Job, JobConnection, JobState};

/// Kinds of one filter at most.
const KINDS_MAX: usize = 50;

/// Queries of background work.
#[derive(Default)]
pub struct JobQueries;

#[Object]
impl JobQueries {
    /// Background work by its id: any for those who may see jobs, and what one has asked for oneself. Null when there is none.
    async fn job(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Maybe<Job> {
        let found = async {
            let (app, caller) = (ctx.app()?, ctx.caller()?);
            let id = decode_as(NodeKind::Job, &id).unwrap_or_default();
            Ok(jobs::find_job(app, caller, id).await?.map(Job))
        };
        found.await.transpose()
    }

    /// Background work, the newest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of any of these kinds, at most 50; of any kind when empty.")] kinds: Option<Vec<String>>,
        #[graphql(desc = "In any of these states; in any when empty.")] states: Option<Vec<JobState>>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<JobConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let kinds = kinds.unwrap_or_default();
        if kinds.len() > KINDS_MAX {
            return Err(GqlFault::invalid("TOO_MANY", "kinds", format!("at most {KINDS_MAX} kinds are taken")));
        }
        let filter = JobFilter { kinds, states: states.unwrap_or_default().into_iter().map(Into::into).collect() };
        let binding = Binding::new("jobs", &format!("{filter:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = jobs::list_jobs(app, caller, &filter, &request).await?;
        Ok(connect_keyed(&binding, &request, page.map(|(key, job)| (key, Job(job)))).into())
    }
}
