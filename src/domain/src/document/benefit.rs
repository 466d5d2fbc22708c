//! Benefits, and the grants that give them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::Requirement;
use crate::date::Date;
use crate::money::{Currency, Number, Rate};

/// Something a partner may get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Benefit {
    /// Its key, unique among the benefits.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// What kind of value it has.
    pub kind: BenefitKind,
    /// Which value wins when several sources give it.
    #[serde(default)]
    pub merge: MergeRule,
    /// ALLOWANCE: the period it is for. Default YEAR.
    pub period: Option<AllowancePeriod>,
    /// ALLOWANCE: a partner that starts inside a period gets the part that is left, by days.
    #[serde(default)]
    pub prorated: bool,
    /// ALLOWANCE: the price of one more, beyond the allowance; without it there is no more.
    pub overage_price: Option<Number>,
    /// LEVEL: the levels, lowest first.
    #[serde(default)]
    pub levels: Vec<String>,
    /// MONEY, the cap of a RATE, and an overage price: their currency. Default: the program's.
    pub currency: Option<Currency>,
    /// Groups benefits in catalogues: marketing, support, ...
    pub category: Option<String>,
}

/// Kinds of benefit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BenefitKind {
    /// Yes or no.
    Access,
    /// So many per period.
    Allowance,
    /// A percentage, perhaps with a cap in money.
    Rate,
    /// One of an ordered list.
    Level,
    /// An amount.
    Money,
}

/// How several sources of one benefit become one value. It acts between sources: ladders, contract, exception (semantics 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeRule {
    /// The best value; unlimited is best.
    #[default]
    MostGenerous,
    /// The sum; ACCESS: yes if any says yes; unlimited absorbs.
    Sum,
    /// The value of the most specific source: exception, contract, main ladder, other ladders.
    Strict,
}

/// The period of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AllowancePeriod {
    /// A calendar month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
    /// A fiscal year.
    FiscalYear,
    /// As long as the tier is held.
    Unbounded,
}

/// A benefit for a tier, in a region, for partner types. Within a tier the most specific grant applies (semantics 8, 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// The benefit.
    pub benefit: String,
    /// The ladder of the tier. Default: the main ladder.
    pub ladder: Option<String>,
    /// The tier. Higher tiers inherit it unless they have a grant of their own or the version says otherwise. None: for every
    /// enrolled partner.
    pub tier: Option<String>,
    /// For partners in this region or under it.
    pub region: Option<String>,
    /// For partners in a region of this group.
    pub region_group: Option<String>,
    /// For these partner types only.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// What is given.
    pub value: BenefitValue,
    /// What must be met besides; withheld while it is not.
    pub condition: Option<GrantCondition>,
    /// From this day on.
    pub from: Option<Date>,
    /// Until this day, exclusive.
    pub until: Option<Date>,
    /// Whether higher tiers inherit it. Default: as the version says.
    pub inherited: Option<bool>,
}

/// The value of a benefit. Exactly the member of the benefit's kind; `unlimited` fits ALLOWANCE, MONEY and the cap of a RATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BenefitValue {
    /// ACCESS.
    Access(bool),
    /// ALLOWANCE: so many per period.
    Allowance(Number),
    /// RATE.
    Rate(RateValue),
    /// LEVEL, one of the benefit's levels.
    Level(String),
    /// MONEY, in the benefit's currency.
    Money(Number),
    /// No limit: a value of its own, larger than any number.
    Unlimited {},
}

/// The value of a RATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateValue {
    /// For everything that no row names.
    pub rate: Option<Rate>,
    /// By product, category or deal type.
    #[serde(default)]
    pub rows: Vec<RateRow>,
    /// At most this much money ...
    pub cap: Option<Number>,
    /// ... per this.
    pub cap_per: Option<CapPer>,
}

/// A rate for some products or deals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateRow {
    /// For this product.
    pub product: Option<String>,
    /// For this category and what lies under it.
    pub category: Option<String>,
    /// For deals of this type.
    pub deal_type: Option<String>,
    /// The rate.
    pub rate: Rate,
    /// At most this much money.
    pub cap: Option<Number>,
    /// Per what.
    pub cap_per: Option<CapPer>,
}

/// What a cap on a rate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CapPer {
    /// Each transaction.
    Transaction,
    /// Each subscription and month.
    SubscriptionMonth,
    /// Each customer and month.
    CustomerMonth,
    /// Each month.
    Month,
    /// Each year.
    Year,
}

/// What must be met for a grant to be given. All that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantCondition {
    /// An active contract, of this template if named.
    pub contract: Option<ContractCondition>,
    /// A requirement.
    pub requirement: Option<Requirement>,
    /// Another benefit must be granted.
    pub benefit: Option<String>,
}

/// An active contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractCondition {
    /// Of this template; any when empty.
    pub template: Option<String>,
}

/// What a contract or an exception does to a benefit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TermGrant {
    /// The benefit.
    pub benefit: String,
    /// Add a further source, replace what tiers give, or remove it. A removal always wins.
    #[serde(default)]
    pub effect: TermEffect,
    /// What is given; none for a removal.
    pub value: Option<BenefitValue>,
}

/// What a term does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TermEffect {
    /// A further source, merged by the benefit's rule.
    #[default]
    Add,
    /// In place of what the tiers give.
    Replace,
    /// Not offered at all.
    Remove,
}
