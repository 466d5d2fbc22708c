//! Benefits as the catalogue lists them, and the values that they have.

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::document::benefit as document;
use guerdon_domain::exact::Exact;
use guerdon_domain::money::Currency;

use crate::graphql::scalars::{CurrencyCode, Decimal};

/// Kinds of benefit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::benefit::BenefitKind")]
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

/// How several sources of one benefit become one value. It acts between sources: ladders, contract, exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::benefit::MergeRule")]
pub enum MergeRule {
    /// The best value; unlimited is best.
    MostGenerous,
    /// The sum; ACCESS: yes if any says yes; unlimited absorbs.
    Sum,
    /// The value of the most specific source: exception, contract, main ladder, other ladders.
    Strict,
}

/// The period of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::benefit::AllowancePeriod")]
pub enum AllowancePeriod {
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
    /// A fiscal year of the program.
    FiscalYear,
    /// As long as the benefit is held.
    Unbounded,
}

/// What a cap on a rate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::benefit::CapPer")]
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

/// A benefit of a program version.
#[derive(Debug, Clone, SimpleObject)]
pub struct Benefit {
    /// Its key, unique among the benefits of the version.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// The group that it stands in, in catalogues.
    pub category: Option<String>,
    /// What kind of value it has.
    pub kind: BenefitKind,
    /// How several sources become one value.
    pub merge: MergeRule,
    /// ALLOWANCE: the period that it is for.
    pub period: Option<AllowancePeriod>,
    /// ALLOWANCE: whether a partner that starts inside a period gets the part that is left.
    pub prorated: bool,
    /// LEVEL: the levels, lowest first.
    pub levels: Vec<String>,
    /// MONEY, the cap of a RATE and an overage price: their currency.
    pub currency: Option<CurrencyCode>,
}

impl Benefit {
    /// The benefit of a program in `currency`.
    pub fn of(benefit: &document::Benefit, currency: Currency) -> Self {
        let allowance = benefit.kind == document::BenefitKind::Allowance;
        let in_money = matches!(benefit.kind, document::BenefitKind::Money | document::BenefitKind::Rate) || benefit.overage_price.is_some();
        Self {
            key: benefit.key.clone(),
            name: benefit.name.clone(),
            description: benefit.description.clone(),
            category: benefit.category.clone(),
            kind: benefit.kind.into(),
            merge: benefit.merge.into(),
            period: allowance.then(|| benefit.period.unwrap_or(document::AllowancePeriod::Year).into()),
            prorated: benefit.prorated,
            levels: benefit.levels.clone(),
            currency: in_money.then(|| CurrencyCode(benefit.currency.unwrap_or(currency))),
        }
    }
}

/// The value of a benefit. The member of the benefit's kind is given, or `unlimited` is true.
#[derive(Debug, Clone, Default, SimpleObject)]
pub struct BenefitValue {
    /// ACCESS: yes or no.
    pub access: Option<bool>,
    /// ALLOWANCE: so many per period.
    pub allowance: Option<Decimal>,
    /// RATE.
    pub rate: Option<RateValue>,
    /// LEVEL: one of the benefit's levels.
    pub level: Option<String>,
    /// MONEY: an amount in the entitlement's currency, in major units.
    pub money: Option<Decimal>,
    /// Without a limit: larger than any number.
    pub unlimited: bool,
}

/// The value of a RATE.
#[derive(Debug, Clone, SimpleObject)]
pub struct RateValue {
    /// The rate as a fraction (0.05 is five percent), for everything that no row names.
    pub rate: Option<Decimal>,
    /// At most this much money, in the entitlement's currency.
    pub cap: Option<Decimal>,
    /// What the cap is for.
    pub cap_per: Option<CapPer>,
    /// Rates by product, category or deal type; the most specific row counts.
    pub rows: Vec<RateRow>,
}

/// A rate for some products or deals.
#[derive(Debug, Clone, SimpleObject)]
pub struct RateRow {
    /// For this product.
    pub product: Option<String>,
    /// For this category and what lies under it.
    pub category: Option<String>,
    /// For deals of this type.
    pub deal_type: Option<String>,
    /// The rate as a fraction.
    pub rate: Decimal,
    /// At most this much money.
    pub cap: Option<Decimal>,
    /// What the cap is for.
    pub cap_per: Option<CapPer>,
}

fn decimal(value: Exact) -> Decimal {
    Decimal::of(&value)
}

impl From<&document::BenefitValue> for BenefitValue {
    fn from(value: &document::BenefitValue) -> Self {
        let none = Self::default();
        match value {
            document::BenefitValue::Access(yes) => Self { access: Some(*yes), ..none },
            document::BenefitValue::Allowance(number) => Self { allowance: Some(decimal(number.0.clone())), ..none },
            document::BenefitValue::Rate(rate) => Self { rate: Some(rate.into()), ..none },
            document::BenefitValue::Level(level) => Self { level: Some(level.clone()), ..none },
            document::BenefitValue::Money(number) => Self { money: Some(decimal(number.0.clone())), ..none },
            document::BenefitValue::Unlimited {} => Self { unlimited: true, ..none },
        }
    }
}

impl From<&document::RateValue> for RateValue {
    fn from(value: &document::RateValue) -> Self {
        let row = |row: &document::RateRow| RateRow {
            product: row.product.clone(),
            category: row.category.clone(),
            deal_type: row.deal_type.clone(),
            rate: decimal(row.rate.0.clone()),
            cap: row.cap.clone().map(|cap| decimal(cap.0)),
            cap_per: row.cap_per.map(Into::into),
        };
        Self {
            rate: value.rate.clone().map(|rate| decimal(rate.0)),
            cap: value.cap.clone().map(|cap| decimal(cap.0)),
            cap_per: value.cap_per.map(Into::into),
            rows: value.rows.iter().map(row).collect(),
        }
    }
}
