//! What a calculation gives: entitlements with every step that led to them. A public interface: `evaluate` prints it as JSON.

use serde::{Deserialize, Serialize, Serializer};

use crate::date::{Date, Span};
use crate::exact::Exact;
use crate::money::{Currency, Money};

/// All entitlements of a partner for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeriodResult {
    /// The partner's code.
    pub partner: String,
    /// The period's name.
    pub period: String,
    /// One per schedule that has such a period, in the order of the document.
    pub entitlements: Vec<Entitlement>,
}

impl PeriodResult {
    /// The entitlement of a schedule.
    pub fn of(&self, schedule: &str) -> Option<&Entitlement> {
        self.entitlements.iter().find(|entitlement| entitlement.schedule == schedule)
    }

    /// The sum of all entitlements of one currency, in minor units.
    pub fn total(&self, currency: Currency) -> i64 {
        self.entitlements.iter().filter(|entitlement| entitlement.currency == currency).fold(0, |sum, entitlement| sum.saturating_add(entitlement.amount.minor))
    }
}

/// What one schedule owes one partner for one period, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    /// The schedule.
    pub schedule: String,
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The currency.
    pub currency: Currency,
    /// The tier that counts for the period as a whole. Lines name their own where the tier at each transaction's date counts.
    pub tier: Option<String>,
    /// What picked the band, exactly.
    pub qualifier: Exact,
    /// What was paid on, exactly, before a base cap.
    pub basis: Exact,
    /// What the schedule's method, scope and bounds give, before rounding.
    pub exact: Exact,
    /// What is owed, to the minor unit.
    #[serde(serialize_with = "amount_text")]
    pub amount: Money,
    /// Every step in order, with the figure before and after.
    pub steps: Vec<Step>,
    /// The bands that earned.
    pub bands: Vec<BandShare>,
    /// The sale lines behind it. Their amounts sum to `amount`.
    pub lines: Vec<StatementLine>,
    /// A negative basis that the next period starts with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_basis: Option<Exact>,
    /// A payout below the minimum that the next period adds to its own.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_amount_text")]
    pub carried_payout: Option<Money>,
}

/// A step of a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which one.
    pub step: StepKind,
    /// The figure before it.
    pub before: Exact,
    /// The figure after it.
    pub after: Exact,
    /// The bound, target or baseline that it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Exact>,
    /// A word of explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The steps, in the order in which they can occur (semantics 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepKind {
    /// The schedule is not for this partner or not in force: nothing is earned.
    NotInScope,
    /// A negative basis of earlier periods was taken off.
    CarriedBasis,
    /// What other schedules earned was taken off the basis, line by line.
    Reduced,
    /// The method on the whole basis.
    Earn,
    /// The condition of the schedule was judged.
    Condition,
    /// Only so much basis earned.
    BaseCap,
    /// Topped up to the floor.
    Floor,
    /// Cut at the cap.
    Cap,
    /// What earlier periods of the fiscal year were worth was taken off.
    Cumulative,
    /// Topped up to the guarantee.
    Guarantee,
    /// Rounded to minor units.
    Round,
    /// A small payout of earlier periods was added.
    CarriedPayout,
    /// Less than the minimum payout: forfeited or carried.
    MinimumPayout,
    /// Another schedule of the group was better.
    BestOf,
    /// Shared with all partners, since the budget did not suffice.
    Budget,
}

/// What one band earned, for one tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BandShare {
    /// Its position in the schedule, from 0; none where the method has no bands.
    pub band: Option<usize>,
    /// Its lower bound, in the qualifier.
    pub from: Option<Exact>,
    /// Its upper bound.
    pub to: Option<Exact>,
    /// The tier whose rate it is.
    pub tier: Option<String>,
    /// What it was paid on.
    pub base: Exact,
    /// The rate, or the amount of a unit or package; none for a sum.
    pub rate: Option<Exact>,
    /// What it earned, before floor and cap.
    pub amount: Exact,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementLine {
    /// The source of the sale line; none for what belongs to no line (a fixed sum, a top-up, a carry).
    pub source: Option<String>,
    /// The id of the sale line in its source.
    pub id: Option<String>,
    /// The date on which it counts.
    pub date: Option<Date>,
    /// Its category.
    pub category: Option<String>,
    /// The tier that counted for it.
    pub tier: Option<String>,
    /// What it brings in, in the schedule's currency, after reductions by other schedules.
    pub basis: Exact,
    /// The exchange rate, where its currency was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_rate: Option<Exact>,
    /// The date of that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_rate_date: Option<Date>,
    /// Its part of the entitlement, exactly.
    pub exact: Exact,
    /// Its part of the entitlement, to the minor unit.
    #[serde(serialize_with = "amount_text")]
    pub amount: Money,
}

/// An amount with exactly the currency's decimals.
pub(super) fn amount_text<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&money.amount())
}

/// The same where there may be none.
pub(super) fn optional_amount_text<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    match money {
        Some(money) => amount_text(money, serializer),
        None => serializer.serialize_none(),
    }
}
