//! What a partner is entitled to, and why.

use std::sync::Arc;

use async_graphql::{Enum, Object, SimpleObject};
use guerdon_domain::benefit as domain;

use super::benefit::{AllowancePeriod, BenefitKind, BenefitValue, MergeRule};
use super::period::DateSpan;
use crate::graphql::scalars::{CurrencyCode, Decimal, GqlDate};

/// Whether a benefit is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::benefit::EntitlementStatus")]
pub enum EntitlementStatus {
    /// It is.
    Granted,
    /// It would be, but for an unmet condition, or because the partner is not active.
    Withheld,
    /// Nothing gives it.
    NotOffered,
}

/// The kinds of source, the most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::benefit::SourceKind")]
pub enum EntitlementSourceKind {
    /// An individual exception.
    Exception,
    /// A contract's term.
    Contract,
    /// A grant of the main ladder, or one for every enrolled partner.
    MainLadder,
    /// A grant of another ladder.
    Ladder,
}

/// What became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::benefit::SourceOutcome")]
pub enum EntitlementSourceOutcome {
    /// It made the value, alone or with others.
    Applied,
    /// It took part, and another source counted more.
    Outweighed,
    /// A replacement stands in its place.
    Replaced,
    /// It is a removal, or a removal took it away.
    Removed,
    /// Its condition is not met, or the partner is not active.
    Withheld,
    /// Its value is not of the benefit's kind.
    Unfit,
}

/// What a source does to a benefit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::benefit::TermEffect")]
pub enum TermEffect {
    /// A further source, merged by the benefit's rule.
    Add,
    /// In place of what comes before it: a contract's in place of the tiers', an exception's in place of both.
    Replace,
    /// Not offered at all.
    Remove,
}

/// What a step towards a benefit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::benefit::UnlockKind")]
pub enum UnlockKind {
    /// A tier of a ladder, or a higher one.
    Tier,
    /// An active contract.
    Contract,
    /// A requirement that is not met.
    Requirement,
    /// Another benefit.
    Benefit,
    /// A date that must come.
    Date,
    /// Enrollment in the program.
    Enrollment,
    /// The partner must be active.
    Status,
    /// A partner type that the partner does not have.
    PartnerType,
    /// A region in which the partner is not.
    Region,
}

/// Why a check says yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::benefit::CheckReason")]
pub enum CheckReason {
    /// It is granted.
    Granted,
    /// It is granted with a value of zero.
    Nothing,
    /// A condition is not met, or the partner is not active.
    Withheld,
    /// Nothing gives it.
    NotOffered,
    /// The program has no such benefit.
    UnknownBenefit,
}

/// What resolution gives a partner for one benefit on a date. What is not asked for is not made.
pub struct Entitlement(pub Arc<domain::Entitlement>);

/// What resolution gives a partner for one benefit on a date.
#[Object]
impl Entitlement {
    /// The benefit's key.
    async fn benefit(&self) -> &str {
        &self.0.benefit
    }

    /// The benefit's name, for people.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The kind of its value.
    async fn kind(&self) -> BenefitKind {
        self.0.kind.into()
    }

    /// How its sources became one value.
    async fn merge(&self) -> MergeRule {
        self.0.merge.into()
    }

    /// Whether it is given.
    async fn status(&self) -> EntitlementStatus {
        self.0.status.into()
    }

    /// GRANTED: what is given. WITHHELD: what would be given if every unmet condition were met. NOT_OFFERED: null.
    async fn value(&self) -> Option<BenefitValue> {
        self.0.value.as_ref().map(Into::into)
    }

    /// MONEY, the caps of a RATE and the overage price: their currency.
    async fn currency(&self) -> Option<CurrencyCode> {
        self.0.currency.map(CurrencyCode)
    }

    /// ALLOWANCE: the period that the value is for.
    async fn allowance(&self) -> Option<AllowanceWindow> {
        self.0.allowance.as_ref().map(Into::into)
    }

    /// ALLOWANCE: the price of one more, in `currency`; without it there is no more.
    async fn overage_price(&self) -> Option<Decimal> {
        self.0.overage_price.as_ref().map(|price| Decimal::of(&price.0))
    }

    /// Every source that took part, the most specific first.
    async fn sources(&self) -> Vec<EntitlementSource> {
        self.0.sources.iter().map(Into::into).collect()
    }

    /// The day from which the answer no longer holds, as far as is known: the first end of a source that made the value.
    async fn valid_until(&self) -> Option<GqlDate> {
        self.0.valid_until.map(GqlDate)
    }

    /// WITHHELD: the conditions that are not met.
    async fn unmet(&self) -> Vec<UnlockStep> {
        self.0.unmet.iter().map(Into::into).collect()
    }

    /// WITHHELD and NOT_OFFERED: each of these ways would unlock it, the shortest first; at most ten.
    async fn unlocks(&self) -> Vec<Unlock> {
        self.0.unlocks.iter().map(Into::into).collect()
    }
}

/// The period that an allowance is for.
#[derive(Debug, Clone, SimpleObject)]
pub struct AllowanceWindow {
    /// Its length.
    pub period: AllowancePeriod,
    /// Its days around the date; null where it has no end.
    pub span: Option<DateSpan>,
    /// How the whole allowance became the part for this period.
    pub proration: Option<Proration>,
}

/// The part of a period that was left when the partner started.
#[derive(Debug, Clone, SimpleObject)]
pub struct Proration {
    /// The allowance of a whole period.
    pub full: Decimal,
    /// Days from the start to the period's end.
    pub days: i64,
    /// Days of the period.
    pub of_days: i64,
}

/// A source of a benefit's value.
#[derive(Debug, Clone, SimpleObject)]
pub struct EntitlementSource {
    /// Which kind.
    pub kind: EntitlementSourceKind,
    /// What became of it.
    pub outcome: EntitlementSourceOutcome,
    /// What it does.
    pub effect: TermEffect,
    /// What it gives; null for a removal.
    pub value: Option<BenefitValue>,
    /// The ladder of a grant.
    pub ladder: Option<String>,
    /// The tier whose grant it is; null for a grant for every enrolled partner. Lower than `heldTier` where it is inherited.
    pub tier: Option<String>,
    /// The tier that the partner holds in that ladder.
    pub held_tier: Option<String>,
    /// The region or region group that the grant names.
    pub region: Option<String>,
    /// The contract's number.
    pub contract: Option<String>,
    /// The reason of an exception.
    pub reason: Option<String>,
    /// The first day on which it is known to give nothing more.
    pub until: Option<GqlDate>,
    /// The conditions that are not met.
    pub unmet: Vec<UnlockStep>,
}

/// A way to get a benefit: all its steps together.
#[derive(Debug, Clone, SimpleObject)]
pub struct Unlock {
    /// The steps as one sentence: `tier GOLD and sign contract PREMIUM`.
    pub text: String,
    /// What is missing on this way.
    pub steps: Vec<UnlockStep>,
}

/// One thing that is missing.
#[derive(Debug, Clone, SimpleObject)]
pub struct UnlockStep {
    /// What kind of thing.
    pub kind: UnlockKind,
    /// The key of the tier, template, benefit, region, group or types, or the date; null for what has no key.
    pub key: Option<String>,
    /// TIER: the ladder.
    pub ladder: Option<String>,
    /// For people.
    pub text: String,
}

/// The short answer for one benefit. No is the default.
#[derive(Debug, Clone, SimpleObject)]
pub struct BenefitCheck {
    /// The benefit's key, as it was asked.
    pub benefit: String,
    /// Yes or no.
    pub allowed: bool,
    /// Why.
    pub reason: CheckReason,
    /// What is given.
    pub value: Option<BenefitValue>,
    /// What would unlock it, as one sentence.
    pub unlock: Option<String>,
}

impl From<&domain::AllowanceWindow> for AllowanceWindow {
    fn from(window: &domain::AllowanceWindow) -> Self {
        let part = |part: &domain::Proration| Proration { full: Decimal::of(&part.full.0), days: part.days, of_days: part.of_days };
        Self { period: window.period.into(), span: window.span.map(Into::into), proration: window.proration.as_ref().map(part) }
    }
}

impl From<&domain::EntitlementSource> for EntitlementSource {
    fn from(source: &domain::EntitlementSource) -> Self {
        Self {
            kind: source.kind.into(),
            outcome: source.outcome.into(),
            effect: source.effect.into(),
            value: source.value.as_ref().map(Into::into),
            ladder: source.ladder.clone(),
            tier: source.tier.clone(),
            held_tier: source.held_tier.clone(),
            region: source.region.clone(),
            contract: source.contract.clone(),
            reason: source.reason.clone(),
            until: source.until.map(GqlDate),
            unmet: source.unmet.iter().map(Into::into).collect(),
        }
    }
}

impl From<&domain::Unlock> for Unlock {
    fn from(unlock: &domain::Unlock) -> Self {
        Self { text: unlock.text.clone(), steps: unlock.steps.iter().map(Into::into).collect() }
    }
}

impl From<&domain::UnlockStep> for UnlockStep {
    fn from(step: &domain::UnlockStep) -> Self {
        Self { kind: step.kind.into(), key: step.key.clone(), ladder: step.ladder.clone(), text: step.text.clone() }
    }
}

impl From<domain::BenefitCheck> for BenefitCheck {
    fn from(check: domain::BenefitCheck) -> Self {
        Self { benefit: check.benefit, allowed: check.allowed, reason: check.reason.into(), value: check.value.as_ref().map(Into::into), unlock: check.unlock }
    }
}
