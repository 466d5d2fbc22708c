//! Partners: one, or a page of them.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject};

use crate::app::entitlements;
use crate::app::partners::{self, PartnerFilter, PartnerKey, PartnerOrder};
use crate::app::programs::{self, ProgramKey};
use crate::graphql::connection::{Binding, PageArgs};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::pages::connect_keyed;
use crate::graphql::scalars::GqlDate;
use crate::graphql::types::entitlement::BenefitCheck;
use crate::graphql::types::partner::{Partner, PartnerConnection, PartnerStatus, check_keys_of};

/// Keys in one member of a filter at most.
const FILTER_KEYS_MAX: usize = 50;

/// Which partner: exactly one of its members.
#[derive(OneofObject)]
pub enum PartnerBy {
    /// By its id.
    Id(ID),
    /// By the vendor's own id.
    Code(String),
}

/// Which partners. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct PartnerFilterInput {
    /// Part of the code or the name, whatever the case of its letters.
    pub search: Option<String>,
    /// Of any of these types; at most 50.
    pub types: Option<Vec<String>>,
    /// In any of these regions, or under one; at most 50.
    pub regions: Option<Vec<String>>,
    /// In any of these states.
    pub statuses: Option<Vec<PartnerStatus>>,
    /// Right below this partner.
    pub parent: Option<ID>,
    /// Enrolled, at present, in the program of this code.
    pub enrolled_in: Option<String>,
    /// Holding, at present, one of these tiers.
    pub tier: Option<TierFilterInput>,
}

/// Tiers held at present.
#[derive(Debug, Clone, InputObject)]
pub struct TierFilterInput {
    /// The program's code; may be left out while there is only one.
    pub program: Option<String>,
    /// The ladder; the main ladder when empty.
    pub ladder: Option<String>,
    /// Any of these tiers; at most 50.
    pub tiers: Vec<String>,
}

/// What partners are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PartnerOrderField {
    /// The vendor's own id.
    Code,
    /// The name, whatever the case of its letters.
    Name,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

/// The order of partners.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct PartnerOrderInput {
    /// By what.
    pub field: PartnerOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// Queries of partners.
#[derive(Default)]
pub struct PartnerQueries;

#[Object]
impl PartnerQueries {
    /// A partner; null when there is none, or none that you may see.
    async fn partner(&self, ctx: &Context<'_>, #[graphql(desc = "Which one.")] by: PartnerBy) -> Maybe<Partner> {
        let found = async {
            let key = match by {
                PartnerBy::Id(id) => match decode_as(NodeKind::Partner, &id) {
                    Some(id) => PartnerKey::Id(id),
                    None => return Ok(None),
                },
                PartnerBy::Code(code) => PartnerKey::Code(code),
            };
            Ok(partners::find_partner(ctx.app()?, ctx.caller()?, &key).await?.map(Partner))
        };
        found.await.transpose()
    }

    /// May a partner have these benefits? For content and portal services, which need not see the partner itself. One short answer
    /// each, in the order asked; no is the default. Null when there is no such partner, or none that you may ask about.
    async fn check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The partner's code.")] partner: String,
        #[graphql(desc = "The keys of the benefits, at most 200.")] benefits: Vec<String>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
        #[graphql(desc = "The region for which ladders of a partner in a region are read; the partner's own when empty.")] region: Option<String>,
    ) -> Maybe<Vec<BenefitCheck>> {
        let found = async {
            check_keys_of(ctx, "benefits", &benefits)?;
            let question =
                entitlements::Question { program: program.map(ProgramKey::Code), as_of: as_of.map(Into::into), region, benefits: None, unlocks: true };
            let checks = entitlements::check_partner(ctx.app()?, ctx.caller()?, &question, &partner, &benefits).await?;
            Ok(checks.map(|checks| checks.into_iter().map(Into::into).collect()))
        };
        found.await.transpose()
    }

    /// The partners that you may see.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides filter and order")]
    async fn partners(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when empty.")] filter: Option<PartnerFilterInput>,
        #[graphql(desc = "In which order; by code when empty.")] order_by: Option<PartnerOrderInput>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<PartnerConnection> {
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let filter = read_filter(ctx, filter.unwrap_or_default()).await?;
        let field = order_by.map_or(PartnerOrderField::Code, |order| order.field);
        let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
        let binding = Binding::new("partners", &format!("{filter:?} {field:?} {descending}"));
        let request = PageArgs { first, after, last, before }.request(&binding, &app.limits)?;
        let order = match field {
            PartnerOrderField::Code => PartnerOrder::Code,
            PartnerOrderField::Name => PartnerOrder::Name,
        };
        let page = partners::list_partners(app, caller, &filter, (order, descending), &request).await?;
        let page = connect_keyed(&binding, &request, page.map(|(key, row)| (key, Partner(row))));
        Ok(PartnerConnection::new(page, filter))
    }
}

pub(super) fn check_keys(member: &str, keys: &[String]) -> Answer<()> {
    if keys.len() > FILTER_KEYS_MAX {
        return Err(GqlFault::invalid("TOO_MANY", format!("filter.{member}"), format!("at most {FILTER_KEYS_MAX} keys are taken")));
    }
    Ok(())
}

/// The filter as the use case takes it: regions with what lies under them, codes as ids. An unknown parent or program takes nobody.
async fn read_filter(ctx: &Context<'_>, input: PartnerFilterInput) -> Answer<PartnerFilter> {
    let (app, caller) = (ctx.app()?, ctx.caller()?);
    let (types, regions) = (input.types.unwrap_or_default(), input.regions.unwrap_or_default());
    check_keys("types", &types)?;
    check_keys("regions", &regions)?;
    let regions = if regions.is_empty() { regions } else { programs::regions_under(app, caller, &regions).await? };
    let mut filter = PartnerFilter { search: input.search.filter(|text| !text.is_empty()), types, regions, ..PartnerFilter::default() };
    filter.statuses = input.statuses.unwrap_or_default().into_iter().map(Into::into).collect();
    filter.parent = input.parent.map(|id| decode_as(NodeKind::Partner, &id).unwrap_or_default());
    if let Some(code) = input.enrolled_in {
        let program = programs::find_program(app, caller, &ProgramKey::Code(code)).await?;
        filter.enrolled_in = Some(program.map(|program| program.id).unwrap_or_default());
    }
    if let Some(tier) = input.tier {
        check_keys("tier.tiers", &tier.tiers)?;
        let today = caller.today;
        let in_force = programs::get_in_force(app, caller, tier.program.map(ProgramKey::Code).as_ref(), today).await?;
        let ladder = in_force.compiled.ladder(tier.ladder.as_deref()).map(|ladder| ladder.key.clone()).unwrap_or_default();
        filter.tier = Some((in_force.program.id, ladder, tier.tiers));
    }
    Ok(filter)
}
