//! Programs.

use async_graphql::{Context, ID, Object, OneofObject};

use crate::app::programs::{self, ProgramKey};
use crate::graphql::connection::{Binding, PageArgs, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::page_of_list;
use crate::graphql::types::program::{Program, ProgramConnection};

/// Which program: exactly one of its members.
#[derive(OneofObject)]
pub enum ProgramBy {
    /// By its id.
    Id(ID),
    /// By its code.
    Code(String),
}

/// Queries of programs.
#[derive(Default)]
pub struct ProgramQueries;

#[Object]
impl ProgramQueries {
    /// A program; null when there is none.
    async fn program(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] by: ProgramBy) -> Maybe<Program> {
        let found = async {
            let key = match by {
                ProgramBy::Id(id) => match decode_as(NodeKind::Program, &id) {
                    Some(id) => ProgramKey::Id(id),
                    None => return Ok(None),
                },
                ProgramBy::Code(code) => ProgramKey::Code(code),
            };
            Ok(programs::find_program(ctx.app()?, ctx.caller()?, &key).await?.map(Program))
        };
        found.await.transpose()
    }

    /// The programs of this vendor, by code.
    async fn programs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<ProgramConnection> {
        let binding = Binding::new("programs", &());
        let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
        let all = programs::list_programs(ctx.app()?, ctx.caller()?).await?;
        let page = page_of_list(&all, &request, |program| vec![program.code.clone()]).map(Program);
        Ok(connect(&binding, &request, page, |program| vec![program.0.code.clone()]).into())
    }
}
