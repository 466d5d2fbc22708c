//! Partners, with everything that is asked about them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::PartnerProfile;

use super::admission::{AdmissionRequest, AdmissionRequestConnection, AdmissionState, OverrideState, TierOverride, TierOverrideConnection};
use super::entitlement::{BenefitCheck, Entitlement};
use super::program::Program;
use super::rebate::RebateEstimate;
use super::simulation::WhatIf;
use super::standing::{Standing, months_ahead};
use super::statement::{Statement, StatementConnection};
use super::tier::{TierAssignment, TierAssignmentConnection};
use super::transaction::{Transaction, TransactionConnection};
use crate::app::admissions;
use crate::app::overrides;
use crate::app::partners::{self, PartnerFilter, PartnerId, StoredEnrollment, StoredPartner};
use crate::app::programs::ProgramKey;
use crate::app::rebates::statements::StatementsAsked;
use crate::app::simulation::{self, Simulate, SimulatedRules};
use crate::graphql::connection::{Binding, Connected, PageArgs, PageInfo, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::inputs::attributes::{Attribute, attributes_of};
use crate::graphql::inputs::simulation::{HypotheticalFactsInput, Judging};
use crate::graphql::loaders::{
    AdmissionsKey, EntitlementsKey, EstimateKey, Found, HistoryKey, OverridesKey, RequestLoaders, StandingKey, StatementsKey, TransactionsKey, WhatIfKey,
};
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::pages::{connect_keyed, page_of_list};
use crate::graphql::scalars::{CurrencyCode, DateTime, GqlDate};

/// Whether a partner takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::PartnerStatus")]
pub enum PartnerStatus {
    /// Takes part.
    Active,
    /// Everything is withheld.
    Suspended,
    /// Has left.
    Terminated,
}

/// A partner.
#[derive(Debug, Clone)]
pub struct Partner(pub StoredPartner);

/// A page of partners.
pub struct PartnerConnection {
    page: Connected<Partner>,
    filter: PartnerFilter,
}

impl PartnerConnection {
    /// The page of the partners that a filter takes.
    pub const fn new(page: Connected<Partner>, filter: PartnerFilter) -> Self {
        Self { page, filter }
    }
}

/// One of partners with its cursor.
#[derive(SimpleObject)]
pub struct PartnerEdge {
    /// Marks this row in this list, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub node: Partner,
}

/// A page of partners.
#[Object]
impl PartnerConnection {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<PartnerEdge> {
        self.page.edges.iter().map(|(cursor, node)| PartnerEdge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<Partner> {
        self.page.edges.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        self.page.page_info.clone()
    }

    /// How many partners the filter takes in all. It is counted when asked for, and costs accordingly.
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i64> {
        let counted = async { Ok(partners::count_partners(ctx.app()?, ctx.caller()?, &self.filter).await?) };
        Some(counted.await)
    }
}

/// A partner in a program.
#[derive(Debug, Clone)]
pub struct Enrollment(pub StoredEnrollment);

/// A partner's membership of a program.
#[Object]
impl Enrollment {
    /// Its id.
    async fn id(&self) -> ID {
        encode(NodeKind::Enrollment, self.0.id)
    }

    /// The partner.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok(ctx.loaders()?.partner(self.0.partner_id).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// Since when.
    async fn since(&self) -> GqlDate {
        self.0.since.into()
    }

    /// Until when, exclusive; null while it lasts.
    async fn until(&self) -> Option<GqlDate> {
        self.0.until.map(GqlDate)
    }

    /// The track: a partner type of the program.
    async fn track(&self) -> Option<&str> {
        self.0.track.as_deref()
    }

    /// The region, where a ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }
}

/// A partner as it was from a date on.
#[derive(Debug, Clone)]
pub struct Profile(pub PartnerProfile);

/// What a partner was, or will be, from a date on.
#[Object(name = "PartnerProfile")]
impl Profile {
    /// The first day on which it is so.
    async fn from(&self) -> GqlDate {
        self.0.from.into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its type.
    #[graphql(name = "type")]
    async fn partner_type(&self) -> Option<&str> {
        self.0.partner_type.as_deref()
    }

    /// Its region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Its parent's code.
    async fn parent_code(&self) -> Option<&str> {
        self.0.parent.as_deref()
    }

    /// The currency that it is paid in.
    async fn currency(&self) -> Option<CurrencyCode> {
        self.0.currency.map(CurrencyCode)
    }

    /// Whether it takes part.
    async fn status(&self) -> PartnerStatus {
        self.0.status.into()
    }

    /// Everything else.
    async fn attributes(&self) -> Vec<Attribute> {
        attributes_of(&self.0.attributes)
    }
}

fn program_key(code: Option<String>) -> Option<ProgramKey> {
    code.map(ProgramKey::Code)
}

fn date_of(as_of: Option<GqlDate>) -> Option<Date> {
    as_of.map(|date| date.0)
}

/// Refuses more benefit keys than one question takes.
pub fn check_keys_of(ctx: &Context<'_>, path: &str, keys: &[String]) -> Answer<()> {
    let most = ctx.app()?.limits.benefit_keys_max;
    if keys.len() > most {
        return Err(GqlFault::invalid("TOO_MANY", path, format!("at most {most} benefits are asked for at once")));
    }
    Ok(())
}

impl Partner {
    const fn key(&self) -> PartnerId {
        self.0.id
    }

    async fn profile_on(&self, ctx: &Context<'_>, date: Date) -> Found<PartnerProfile> {
        let profiles = ctx.loaders()?.profiles(self.key()).await?;
        let after = profiles.partition_point(|profile| profile.from <= date);
        Ok(profiles.get(after.saturating_sub(1)).cloned())
    }
}

/// A partner: a reseller, distributor, service provider, agent.
#[Object]
impl Partner {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Partner, self.0.id)
    }

    /// The vendor's own id.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name, at present.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its type, at present.
    #[graphql(name = "type")]
    async fn partner_type(&self) -> Option<&str> {
        self.0.partner_type.as_deref()
    }

    /// Its region, at present.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The currency that it is paid in.
    async fn currency(&self) -> Option<CurrencyCode> {
        self.0.currency.map(CurrencyCode)
    }

    /// Whether it takes part, at present.
    async fn status(&self) -> PartnerStatus {
        self.0.status.into()
    }

    /// Counts its changes; `expectedVersion` of the mutations.
    async fn version(&self) -> i64 {
        self.0.row_version
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// The partner above it, at present; null also when it lies outside of what you may see.
    async fn parent(&self, ctx: &Context<'_>) -> Maybe<Self> {
        let found = async {
            match self.0.parent_id {
                Some(parent) => Ok(ctx.loaders()?.partner(parent).await?.map(Self)),
                None => Ok(None),
            }
        };
        found.await.transpose()
    }

    /// What it was, or will be, on a date.
    async fn profile(&self, ctx: &Context<'_>, #[graphql(desc = "The date; today when empty.")] as_of: Option<GqlDate>) -> Maybe<Profile> {
        let found = async { Ok(self.profile_on(ctx, as_of.map_or(ctx.caller()?.today, |date| date.0)).await?.map(Profile)) };
        found.await.transpose()
    }

    /// The programs that it takes part in, and took part in, since when; at most 100.
    async fn enrollments(&self, ctx: &Context<'_>) -> Maybe<Vec<Enrollment>> {
        let found = async {
            let enrollments = ctx.loaders()?.enrollments(self.key()).await?;
            Ok(enrollments.iter().take(100).cloned().map(Enrollment).collect())
        };
        Some(found.await)
    }

    /// The tier that it holds on a date: the one on record, or what an approved override makes of it; null when there is neither. Its
    /// `tier` is null when the partner holds none. Entitlements and rebates go by the same.
    async fn tier(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
        #[graphql(desc = "The ladder; the main ladder when empty.")] ladder: Option<String>,
        #[graphql(desc = "The region, where the ladder's scope is the partner in a region.")] region: Option<String>,
    ) -> Maybe<TierAssignment> {
        let found = async {
            let key = HistoryKey { partner: self.key(), program: program_key(program) };
            let history = ctx.loaders()?.history(key).await?;
            Ok(history.held_on(date_of(as_of), ladder.as_deref(), region.as_deref()).map(TierAssignment))
        };
        found.await.transpose()
    }

    /// The tiers of a ladder that it held, latest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the ladder's")]
    async fn tier_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The ladder; the main ladder when empty.")] ladder: Option<String>,
        #[graphql(desc = "The region, where the ladder's scope is the partner in a region.")] region: Option<String>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<TierAssignmentConnection> {
        let found = async {
            let binding = Binding::new("partner.tierHistory", &(self.key(), &program, &ladder, &region));
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let history = ctx.loaders()?.history(HistoryKey { partner: self.key(), program: program_key(program) }).await?;
            let mut tiers: Vec<TierAssignment> = history.of_ladder(ladder.as_deref(), region.as_deref()).map(TierAssignment).collect();
            tiers.reverse();
            let key = |tier: &TierAssignment| vec![tier.0.from.to_string()];
            let page = page_of_list(&tiers, &request, key);
            Ok(connect(&binding, &request, page, key).into())
        };
        Some(found.await)
    }

    /// Its overrides, newest first: proposed, approved, rejected and withdrawn ones.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn tier_overrides(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; every one when empty.")] program: Option<String>,
        #[graphql(desc = "In any of these states; all when empty.")] states: Option<Vec<OverrideState>>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<TierOverrideConnection> {
        let found = async {
            let states: Option<Vec<_>> = states.map(|states| states.into_iter().map(overrides::OverrideState::from).collect());
            let binding = Binding::new("partner.tierOverrides", &(self.key(), &program, &states));
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let all = ctx.loaders()?.overrides(OverridesKey { partner: self.key(), program: program_key(program) }).await?;
            let wanted = |one: &&overrides::StoredOverride| states.as_ref().is_none_or(|states| states.contains(&one.state));
            let rows: Vec<TierOverride> = all.iter().filter(wanted).cloned().map(TierOverride).collect();
            let key = |row: &TierOverride| vec![row.0.id.to_string()];
            Ok(connect(&binding, &request, page_of_list(&rows, &request, key), key).into())
        };
        Some(found.await)
    }

    /// Its applications, its invitations, and tiers of it that await an approval, newest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn admission_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; every one when empty.")] program: Option<String>,
        #[graphql(desc = "In any of these states, today; all when empty.")] states: Option<Vec<AdmissionState>>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<AdmissionRequestConnection> {
        let found = async {
            let states: Option<Vec<_>> = states.map(|states| states.into_iter().map(admissions::AdmissionState::from).collect());
            let binding = Binding::new("partner.admissionRequests", &(self.key(), &program, &states));
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let today = ctx.caller()?.today;
            let all = ctx.loaders()?.admissions(AdmissionsKey { partner: self.key(), program: program_key(program) }).await?;
            let wanted = |one: &&admissions::StoredAdmissionRequest| states.as_ref().is_none_or(|states| states.contains(&one.state_on(today)));
            let rows: Vec<AdmissionRequest> = all.iter().filter(wanted).cloned().map(AdmissionRequest).collect();
            let key = |row: &AdmissionRequest| vec![row.0.id.to_string()];
            Ok(connect(&binding, &request, page_of_list(&rows, &request, key), key).into())
        };
        Some(found.await)
    }

    /// Where it stands on a date: which tiers its facts are good for, what is missing for the next one, what is at risk, and why.
    async fn standing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
    ) -> Maybe<Standing> {
        let found = async {
            let key = StandingKey { partner: self.key(), program: program_key(program), as_of: date_of(as_of), ahead: months_ahead(ctx) };
            Ok(ctx.loaders()?.standing(key).await?.map(Standing))
        };
        found.await.transpose()
    }

    /// What it is entitled to on a date, and why; or why not, and what would unlock it.
    async fn entitlements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
        #[graphql(desc = "Only these benefits, at most 200; all when empty. Unknown ones are left out.")] keys: Option<Vec<String>>,
        #[graphql(desc = "The region for which ladders of a partner in a region are read; the partner's own when empty.")] region: Option<String>,
    ) -> Maybe<Vec<Entitlement>> {
        let found = async {
            check_keys_of(ctx, "keys", keys.as_deref().unwrap_or_default())?;
            let benefits = keys.map(|keys| keys.into_iter().collect());
            let unlocks = ctx.look_ahead().field("unlocks").exists();
            let key = EntitlementsKey { partner: self.key(), program: program_key(program), as_of: date_of(as_of), region, benefits, unlocks };
            let all = ctx.loaders()?.entitlements(key).await?;
            Ok(all.map(|all| all.iter().cloned().map(Entitlement).collect()))
        };
        found.await.transpose()
    }

    /// May it have these benefits? One short answer each, in the order asked; no is the default.
    async fn check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The keys of the benefits, at most 200.")] benefits: Vec<String>,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
        #[graphql(desc = "The region for which ladders of a partner in a region are read; the partner's own when empty.")] region: Option<String>,
    ) -> Maybe<Vec<BenefitCheck>> {
        let found = async {
            check_keys_of(ctx, "benefits", &benefits)?;
            let asked = Some(benefits.iter().cloned().collect());
            let key = EntitlementsKey { partner: self.key(), program: program_key(program), as_of: date_of(as_of), region, benefits: asked, unlocks: true };
            let all = ctx.loaders()?.entitlements(key).await?;
            Ok(all.map(|all| guerdon_domain::benefit::check_benefits(&all, &benefits).into_iter().map(Into::into).collect()))
        };
        found.await.transpose()
    }

    /// What if it had other facts: three more certificates, one more order, one document less? By the rules as they are, judged as a
    /// review on the date would; compared with its facts as they are, judged in the same way. Nothing is stored.
    async fn what_if(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The facts that would be others.")] mut facts: HypotheticalFactsInput,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "The date; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
        #[graphql(desc = "How both are judged; as a review that is due when empty.")] judging: Option<Judging>,
        #[graphql(desc = "Periods whose rebates are compared, such as `2020-Q2`; at most 12.")] rebate_periods: Option<Vec<String>>,
    ) -> Maybe<WhatIf> {
        let found = async {
            let mut faults = guerdon_domain::fault::Faults::new();
            let (program, as_of) = (program_key(program), date_of(as_of));
            let day = simulation::day_of(ctx.app()?, ctx.caller()?, program.as_ref(), as_of).await?;
            let admissions = facts.take_admissions("facts", "");
            let named = facts.named("facts");
            let facts = vec![facts.read(&mut faults, "facts", String::new(), day)];
            faults.or(()).map_err(crate::error::AppError::Invalid)?;
            let judging = judging.map_or_else(simulation::Judging::default, Into::into);
            let periods = rebate_periods.unwrap_or_default();
            let question = Simulate { program, as_of, facts, named, admissions, judging, periods, ..Simulate::of(SimulatedRules::AsTheyAre) };
            Ok(ctx.loaders()?.what_if(WhatIfKey::new(self.key(), question)).await?.map(WhatIf::of))
        };
        found.await.transpose()
    }

    /// What it has earned in a period so far, by schedule, with the lines behind it. Nothing of it is posted. Null before the first
    /// program version, and where no schedule has a period on the date.
    async fn rebate_estimate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The period, such as `2020-Q2`, `2020-06`, `FY2020-H1`; of each schedule the period that holds the date when empty.")] period: Option<
            String,
        >,
        #[graphql(desc = "The program's code; may be left out while there is only one.")] program: Option<String>,
        #[graphql(desc = "Sales after this day do not count; today in the program's time zone when empty.")] as_of: Option<GqlDate>,
    ) -> Maybe<RebateEstimate> {
        let found = async {
            let key = EstimateKey { partner: self.key(), program: program_key(program), period, as_of: date_of(as_of) };
            Ok(ctx.loaders()?.estimate(key).await?.and_then(|estimate| RebateEstimate::of(&estimate)))
        };
        found.await.transpose()
    }

    /// Its statements, the latest period first; for partners those of posted runs.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn statements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of the program of this code.")] program: Option<String>,
        #[graphql(desc = "Only of this schedule.")] schedule: Option<String>,
        #[graphql(desc = "Only those that belong to this period.")] period: Option<String>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<StatementConnection> {
        let found = async {
            let asked = StatementsAsked { program: program_key(program), schedule, period, ..StatementsAsked::default() };
            let binding = Binding::new("partner.statements", &format!("{} {asked:?}", self.key()));
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let page = ctx.loaders()?.statements(StatementsKey { partner: self.key(), asked: asked.clone(), page: request.clone() }).await?;
            let page = connect_keyed(&binding, &request, page.map(|(key, row)| (key, Statement(row))));
            Ok(StatementConnection::new(page, StatementsAsked { partner: Some(self.key()), ..asked }))
        };
        Some(found.await)
    }

    /// Its sale lines, the newest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the days")]
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only lines of this day and later ones.")] from: Option<GqlDate>,
        #[graphql(desc = "Only lines before this day.")] until: Option<GqlDate>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Maybe<TransactionConnection> {
        let found = async {
            let days = Span::new(from.map_or(Date::MIN, |date| date.0), until.map_or(Date::MAX, |date| date.0));
            let binding = Binding::new("partner.transactions", &(self.key(), days));
            let request = PageArgs { first, after, last, before }.request(&binding, &ctx.app()?.limits)?;
            let key = TransactionsKey { partner: self.key(), days, page: request.clone() };
            let page = ctx.loaders()?.transactions(key).await?;
            Ok(connect_keyed(&binding, &request, page.map(|(key, line)| (key, Transaction(line)))).into())
        };
        Some(found.await)
    }
}
