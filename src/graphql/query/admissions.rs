//! Overrides, and applications, invitations and approvals, of all partners that one may see.

use async_graphql::{Context, InputObject, Object};

use super::partners::check_keys;
use crate::app::admissions::{self, AdmissionFilter};
use crate::app::overrides::{self, OverrideFilter};
use crate::app::partners::{self, PartnerKey};
use crate::app::programs::{self, ProgramKey};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::pages::connect_keyed;
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::admission::{
    AdmissionKind, AdmissionRequest, AdmissionRequestConnection, AdmissionState, OverrideState, TierOverride, TierOverrideConnection,
};
use crate::graphql::types::standing::OverrideKind;

/// Which overrides. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct TierOverrideFilterInput {
    /// Of the program of this code.
    pub program: Option<String>,
    /// Of the partner of this code.
    pub partner: Option<String>,
    /// In this ladder.
    pub ladder: Option<String>,
    /// Of any of these kinds.
    pub kinds: Option<Vec<OverrideKind>>,
    /// In any of these states.
    pub states: Option<Vec<OverrideState>>,
    /// Of partners in any of these regions, or under one; at most 50.
    pub regions: Option<Vec<String>>,
    /// Whose days hold this one.
    pub holding_on: Option<GqlDate>,
}

/// Which applications, invitations and approvals. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdmissionRequestFilterInput {
    /// Of the program of this code.
    pub program: Option<String>,
    /// Of the partner of this code.
    pub partner: Option<String>,
    /// In this ladder.
    pub ladder: Option<String>,
    /// To any of these tiers; at most 50.
    pub tiers: Option<Vec<String>>,
    /// Of any of these kinds.
    pub kinds: Option<Vec<AdmissionKind>>,
    /// In any of these states, today.
    pub states: Option<Vec<AdmissionState>>,
    /// Of partners in any of these regions, or under one; at most 50.
    pub regions: Option<Vec<String>>,
}

/// Queries of overrides and admissions.
#[derive(Default)]
pub struct AdmissionQueries;

#[Object]
impl AdmissionQueries {
    /// The overrides that you may see, newest first: proposed, approved, rejected and withdrawn ones.
    async fn tier_overrides(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<TierOverrideFilterInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<TierOverrideConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let input = filter.unwrap_or_default();
        let filter = OverrideFilter {
            program: program_of(ctx, input.program).await?,
            partner: partner_of(ctx, input.partner).await?,
            ladder: input.ladder,
            kinds: input.kinds.unwrap_or_default().into_iter().map(Into::into).collect(),
            states: input.states.unwrap_or_default().into_iter().map(Into::into).collect(),
            regions: regions_of(ctx, input.regions).await?,
            holding_on: input.holding_on.map(Into::into),
        };
        let binding = Binding::new("tierOverrides", &format!("{filter:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = overrides::list_overrides(app, caller, &filter, &request).await?;
        Ok(connect_keyed(&binding, &request, page.map(|(key, row)| (key, TierOverride(row)))).into())
    }

    /// The applications, invitations and approvals that you may see, newest first.
    async fn admission_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<AdmissionRequestFilterInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<AdmissionRequestConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let input = filter.unwrap_or_default();
        let tiers = input.tiers.unwrap_or_default();
        check_keys("tiers", &tiers)?;
        let filter = AdmissionFilter {
            program: program_of(ctx, input.program).await?,
            partner: partner_of(ctx, input.partner).await?,
            ladder: input.ladder,
            tiers,
            kinds: input.kinds.unwrap_or_default().into_iter().map(Into::into).collect(),
            states: input.states.unwrap_or_default().into_iter().map(Into::into).collect(),
            regions: regions_of(ctx, input.regions).await?,
        };
        let binding = Binding::new("admissionRequests", &format!("{filter:?}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let page = admissions::list_admissions(app, caller, &filter, &request).await?;
        Ok(connect_keyed(&binding, &request, page.map(|(key, row)| (key, AdmissionRequest(row)))).into())
    }
}

/// An unknown program takes nothing.
async fn program_of(ctx: &Context<'_>, code: Option<String>) -> Answer<Option<uuid::Uuid>> {
    let Some(code) = code else { return Ok(None) };
    let found = programs::find_program(ctx.app()?, ctx.caller()?, &ProgramKey::Code(code)).await?;
    Ok(Some(found.map(|program| program.id).unwrap_or_default()))
}

/// An unknown partner takes nothing.
async fn partner_of(ctx: &Context<'_>, code: Option<String>) -> Answer<Option<uuid::Uuid>> {
    let Some(code) = code else { return Ok(None) };
    let found = partners::find_partner(ctx.app()?, ctx.caller()?, &PartnerKey::Code(code)).await?;
    Ok(Some(found.map(|partner| partner.id).unwrap_or_default()))
}

async fn regions_of(ctx: &Context<'_>, regions: Option<Vec<String>>) -> Answer<Vec<String>> {
    let regions = regions.unwrap_or_default();
    check_keys("regions", &regions)?;
    if regions.is_empty() {
        return Ok(regions);
    }
    Ok(programs::regions_under(ctx.app()?, ctx.caller()?, &regions).await?)
}
