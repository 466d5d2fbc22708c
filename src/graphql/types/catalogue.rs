//! What a program version lists: ladders with their tiers, and rebate schedules. The rules themselves are in its document.

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::document::ladder as document;
use guerdon_domain::document::rebate::{Method, PeriodRule, RebateSchedule as ScheduleDocument};
use guerdon_domain::program::Program;

use crate::graphql::scalars::{CurrencyCode, GqlDate};

/// What a tier of a ladder is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::ladder::LadderScope")]
pub enum LadderScope {
    /// The partner.
    Partner,
    /// The partner in a region: several tiers at once.
    PartnerInRegion,
}

/// How a partner that meets the requirement gets the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::ladder::Entry")]
pub enum TierEntry {
    /// At once, at the next review.
    Automatic,
    /// When somebody at the vendor approves.
    ByApproval,
    /// When the partner applies and is accepted.
    ByApplication,
    /// When the vendor invites.
    ByInvitation,
}

/// An ordered list of tiers.
#[derive(Debug, Clone, SimpleObject)]
pub struct Ladder {
    /// Its key, unique among the ladders of the version.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// Whether it is the program's main ladder.
    pub main: bool,
    /// What a tier of it is held by.
    pub scope: LadderScope,
    /// Its tiers, lowest first.
    pub tiers: Vec<Tier>,
}

/// A step of a ladder.
#[derive(Debug, Clone, SimpleObject)]
pub struct Tier {
    /// Its key, unique within the ladder.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// Its place in the ladder, from 1 for the lowest.
    pub rank: i32,
    /// How one gets in.
    pub entry: TierEntry,
}

/// The length of the periods that a schedule is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PeriodLength {
    /// A calendar month.
    Month,
    /// A quarter of the fiscal year.
    Quarter,
    /// A half of the fiscal year.
    Half,
    /// The fiscal year.
    Year,
    /// Periods that the program names.
    Custom,
}

/// How a schedule earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RebateMethod {
    /// A rate on the basis.
    Flat,
    /// An amount per unit.
    PerUnit,
    /// An amount per package.
    PerPackage,
    /// A sum when a target is reached.
    LumpSum,
    /// Bands.
    Bands,
    /// Growth over a baseline.
    Growth,
    /// A target computed from the partner's own history.
    Target,
    /// A fixed sum of the period.
    Fixed,
}

/// A promise to pay for sales.
#[derive(Debug, Clone, SimpleObject)]
pub struct RebateSchedule {
    /// Its key, unique among the schedules of the version.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// The currency that it computes in.
    pub currency: CurrencyCode,
    /// The length of the periods that it is paid for.
    pub period: PeriodLength,
    /// How it earns.
    pub method: RebateMethod,
    /// The product categories that it is for, each with what lies under it; all when empty.
    pub categories: Vec<String>,
    /// The tiers that it is for; all when empty.
    pub tiers: Vec<String>,
    /// The first day on which it holds; from the version's effective date when null.
    pub from: Option<GqlDate>,
    /// The first day on which it holds no more.
    pub until: Option<GqlDate>,
}

/// All ladders of a version, in the document's order.
pub fn ladders(program: &Program) -> Vec<Ladder> {
    let main = program.ladder(None).map(|ladder| ladder.key.as_str());
    program.document.ladders.iter().map(|ladder| ladder_of(ladder, Some(ladder.key.as_str()) == main)).collect()
}

fn ladder_of(ladder: &document::Ladder, main: bool) -> Ladder {
    let tier = |(rank, tier): (i32, &document::Tier)| Tier { key: tier.key.clone(), name: tier.name.clone(), rank, entry: tier.entry.into() };
    Ladder { key: ladder.key.clone(), name: ladder.name.clone(), main, scope: ladder.scope.into(), tiers: (1_i32..).zip(&ladder.tiers).map(tier).collect() }
}

/// All rebate schedules of a version, in the document's order.
pub fn rebate_schedules(program: &Program) -> Vec<RebateSchedule> {
    program.document.rebate_schedules.iter().filter_map(|schedule| schedule_of(schedule, program)).collect()
}

fn schedule_of(schedule: &ScheduleDocument, program: &Program) -> Option<RebateSchedule> {
    let period = match schedule.period {
        PeriodRule::Month {} => PeriodLength::Month,
        PeriodRule::Quarter {} => PeriodLength::Quarter,
        PeriodRule::Half {} => PeriodLength::Half,
        PeriodRule::Year {} => PeriodLength::Year,
        PeriodRule::Custom(_) => PeriodLength::Custom,
    };
    let method = match schedule.method {
        Method::Flat(_) => RebateMethod::Flat,
        Method::PerUnit(_) => RebateMethod::PerUnit,
        Method::PerPackage(_) => RebateMethod::PerPackage,
        Method::LumpSum(_) => RebateMethod::LumpSum,
        Method::Bands(_) => RebateMethod::Bands,
        Method::Growth(_) => RebateMethod::Growth,
        Method::Target(_) => RebateMethod::Target,
        Method::Fixed(_) => RebateMethod::Fixed,
        Method::FreeGoods(_) => return None,
    };
    Some(RebateSchedule {
        key: schedule.key.clone(),
        name: schedule.name.clone(),
        currency: CurrencyCode(schedule.currency.unwrap_or_else(|| program.currency())),
        period,
        method,
        categories: schedule.scope.categories.clone(),
        tiers: schedule.scope.tiers.clone(),
        from: schedule.from.map(GqlDate),
        until: schedule.until.map(GqlDate),
    })
}
