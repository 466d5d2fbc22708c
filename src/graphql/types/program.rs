//! Programs and their versions.

use async_graphql::{Context, Enum, ID, Object};

use super::benefit::Benefit;
use super::catalogue::{Ladder, RebateSchedule, ladders, rebate_schedules};
use crate::app::programs::{self, StoredProgram, VersionHead, VersionState};
use crate::connection;
use crate::graphql::connection::{Binding, PageArgs, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::pages::page_of_list;
use crate::graphql::scalars::{CurrencyCode, DateTime, GqlDate};

/// Whether a version may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ProgramVersionState {
    /// It may.
    Draft,
    /// Never again.
    Published,
}

/// A partner program.
#[derive(Debug, Clone)]
pub struct Program(pub StoredProgram);

/// A program: tiers and what each asks for, benefits and who gets them, rebates and how they are earned.
#[Object]
impl Program {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Program, self.0.id)
    }

    /// Its code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The version in force on a date; null before the first one.
    async fn version(&self, ctx: &Context<'_>, #[graphql(desc = "The date; today when empty.")] as_of: Option<GqlDate>) -> Maybe<ProgramVersion> {
        let found = async {
            let date = as_of.map_or(ctx.caller()?.today, |date| date.0);
            let versions = ctx.loaders()?.versions_of(self.0.id).await?;
            let in_force = versions.iter().filter(|version| version.state == VersionState::Published && version.effective_on <= date);
            Ok(in_force.max_by_key(|version| version.effective_on).cloned().map(ProgramVersion))
        };
        found.await.transpose()
    }

    /// Its versions, newest first. Drafts only for those who may read drafts.
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<ProgramVersionConnection> {
        let binding = Binding::new("program.versions", &self.0.id);
        let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
        let versions = ctx.loaders()?.versions_of(self.0.id).await?;
        let page = page_of_list(versions.as_slice(), &request, |version| vec![version.number.to_string()]);
        let page = page.map(ProgramVersion);
        Ok(connect(&binding, &request, page, |version| vec![version.0.number.to_string()]).into())
    }
}

connection!(ProgramConnection, ProgramEdge, Program, "programs");
connection!(ProgramVersionConnection, ProgramVersionEdge, ProgramVersion, "program versions");

/// A version of a program.
#[derive(Debug, Clone)]
pub struct ProgramVersion(pub VersionHead);

/// One numbered version of a program's rules. A published version never changes.
#[Object]
impl ProgramVersion {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::ProgramVersion, self.0.id)
    }

    /// Its program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// Its number, from 1.
    async fn number(&self) -> i64 {
        self.0.number
    }

    /// Its name, for people.
    async fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// Whether it may still change.
    async fn state(&self) -> ProgramVersionState {
        match self.0.state {
            VersionState::Draft => ProgramVersionState::Draft,
            VersionState::Published => ProgramVersionState::Published,
        }
    }

    /// When partners were told.
    async fn announced_on(&self) -> Option<GqlDate> {
        self.0.announced_on.map(GqlDate)
    }

    /// From when its rules hold.
    async fn effective_on(&self) -> GqlDate {
        self.0.effective_on.into()
    }

    /// From when its downward reviews bind.
    async fn enforced_on(&self) -> Option<GqlDate> {
        self.0.enforced_on.map(GqlDate)
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(DateTime)
    }

    /// The digest of its document, in hexadecimal.
    async fn digest(&self) -> &str {
        &self.0.digest
    }

    /// Counts its changes; `expectedVersion` of the mutations.
    async fn version(&self) -> i64 {
        self.0.row_version
    }

    /// Its document, as JSON text. Applied again, it makes no difference.
    async fn document(&self, ctx: &Context<'_>) -> Maybe<String> {
        let found = async { Ok(programs::get_document(ctx.app()?, ctx.caller()?, self.0.id).await?) };
        Some(found.await)
    }

    /// The currency of its thresholds.
    async fn currency(&self, ctx: &Context<'_>) -> Maybe<CurrencyCode> {
        let found = async { Ok(CurrencyCode(ctx.loaders()?.compiled(self.0.id).await?.currency())) };
        Some(found.await)
    }

    /// The time zone of its dates.
    async fn time_zone(&self, ctx: &Context<'_>) -> Maybe<String> {
        let found = async { Ok(ctx.loaders()?.compiled(self.0.id).await?.document.program.time_zone.clone()) };
        Some(found.await)
    }

    /// The first day of its fiscal year, `MM-DD`.
    async fn fiscal_year_start(&self, ctx: &Context<'_>) -> Maybe<String> {
        let found = async { Ok(ctx.loaders()?.compiled(self.0.id).await?.document.program.fiscal_year_start.clone()) };
        Some(found.await)
    }

    /// Its ladders with their tiers.
    async fn ladders(&self, ctx: &Context<'_>) -> Maybe<Vec<Ladder>> {
        let found = async { Ok(ladders(&*ctx.loaders()?.compiled(self.0.id).await?)) };
        Some(found.await)
    }

    /// Its benefits.
    async fn benefits(&self, ctx: &Context<'_>) -> Maybe<Vec<Benefit>> {
        let found = async {
            let program = ctx.loaders()?.compiled(self.0.id).await?;
            Ok(program.document.benefits.iter().map(|benefit| Benefit::of(benefit, program.currency())).collect())
        };
        Some(found.await)
    }

    /// Its rebate schedules.
    async fn rebate_schedules(&self, ctx: &Context<'_>) -> Maybe<Vec<RebateSchedule>> {
        let found = async { Ok(rebate_schedules(&*ctx.loaders()?.compiled(self.0.id).await?)) };
        Some(found.await)
    }
}
