//! Market development funds: allocation rules, fund windows and claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::Operand;
use super::rebate::PeriodRule;
use super::requirement::Requirement;
use super::scoped::Tiered;
use crate::money::{Currency, Number, Rate};

/// How a budget becomes funds of partners, and how funds become money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MdfRule {
    /// Its key, unique among the rules.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// What the fund is called.
    #[serde(default)]
    pub fund: FundKind,
    /// Who takes part.
    pub eligible: Option<Requirement>,
    /// In these regions and under them; all when empty.
    #[serde(default)]
    pub regions: Vec<String>,
    /// The currency. Default: the program's.
    pub currency: Option<Currency>,
    /// The earning period.
    pub period: PeriodRule,
    /// How much a partner gets.
    pub allocation: Allocation,
    /// When funds may be used and claimed.
    #[serde(default)]
    pub windows: FundWindows,
    /// Requests: pre-approval of an activity.
    #[serde(default)]
    pub requests: RequestRule,
    /// Claims against an approved request.
    #[serde(default)]
    pub claims: ClaimRule,
    /// What happens to what is left.
    #[serde(default)]
    pub carry_over: CarryOver,
}

/// Kinds of fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FundKind {
    /// Market development funds.
    #[default]
    Mdf,
    /// Business development funds.
    Bdf,
    /// Co-operative advertising funds.
    CoOp,
}

/// How much a partner gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Allocation {
    /// The same for every partner of a tier.
    FixedByTier(FixedByTier),
    /// A percentage of sales, net of what has accrued.
    PercentOfSales(PercentOfSales),
    /// A budget split by tier weight times a metric (semantics 21).
    WeightedPool(WeightedPool),
    /// A part of the rebate earned.
    ShareOfRebate(ShareOfRebate),
    /// What the vendor approves, proposal by proposal.
    Proposal(Proposal),
}

/// The same for every partner of a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FixedByTier {
    /// The amount.
    pub amount: Tiered<Number>,
}

/// A percentage of sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PercentOfSales {
    /// The sales: a metric of unit MONEY.
    pub sales: Operand,
    /// The rate.
    pub rate: Tiered<Rate>,
    /// At most this much a period.
    pub cap: Option<Tiered<Number>>,
    /// Whether sales that fall take back what has accrued (semantics 22).
    #[serde(default)]
    pub clawback: bool,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeightedPool {
    /// The budget that is split.
    pub budget: String,
    /// The weight of a tier. Default 1.
    pub weight: Tiered<Number>,
    /// Times this metric. Default: 1 for each partner.
    pub metric: Option<Operand>,
    /// At least this much.
    pub floor: Option<Number>,
    /// At most this much.
    pub cap: Option<Number>,
    /// Who gets a left-over unit when remainders are equal.
    #[serde(default)]
    pub ties: TieRule,
}

/// Who gets a left-over unit when remainders are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TieRule {
    /// The larger weight, then the smaller partner code.
    #[default]
    LargerWeight,
    /// The first listed.
    Listed,
    /// The last listed.
    ReverseListed,
}

/// A part of the rebate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShareOfRebate {
    /// The schedules; all when empty.
    #[serde(default)]
    pub schedules: Vec<String>,
    /// The part that becomes funds.
    pub share: Rate,
    /// Below this, the part is paid out as rebate instead.
    pub minimum: Option<Number>,
}

/// Proposals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proposal {
    /// The budget they draw on.
    pub budget: String,
}

/// When funds may be used and claimed, in months and days after the earning period.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FundWindows {
    /// Months after the earning period in which activities may take place.
    pub use_months: Option<u32>,
    /// Days after the activity's end, or the use window's, in which claims may come.
    pub claim_days: Option<u32>,
    /// The same for a partner's first claim.
    pub first_claim_days: Option<u32>,
}

/// Pre-approval.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestRule {
    /// The least that may be requested.
    pub minimum: Option<Number>,
    /// Business days before the activity by which it must be submitted.
    pub submit_business_days_before: Option<u32>,
    /// Kinds of activity; any when empty.
    #[serde(default)]
    pub activity_kinds: Vec<String>,
}

/// Claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimRule {
    /// The vendor's part of the cost. Default: all of it.
    pub match_rate: Option<Tiered<Rate>>,
    /// The least that may be claimed.
    pub minimum: Option<Number>,
    /// Proof that must come with it.
    #[serde(default)]
    pub proof: Vec<String>,
}

/// What happens to what is left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CarryOver {
    /// At most this much goes into the next period; nothing by default.
    pub maximum: Option<Number>,
    /// All of it does.
    #[serde(default)]
    pub all: bool,
}
