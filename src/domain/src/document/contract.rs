//! Contract templates, and the terms by which a contract bends the rules for its partner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoped::Tiered;
use crate::facts::ContractTerms;
use crate::money::{Number, Rate};

/// A contract that a partner of a tier, region and type may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractTemplate {
    /// Its key, unique among the templates.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// The ladder of the tiers. Default: the main ladder.
    pub ladder: Option<String>,
    /// For these tiers; all when empty.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// For these regions and what lies under them; all when empty.
    #[serde(default)]
    pub regions: Vec<String>,
    /// For these partner types; all when empty.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// How long it runs, in months.
    pub term_months: Option<u32>,
    /// Whether it renews by itself.
    #[serde(default)]
    pub renews: bool,
    /// Notice, in days before its end.
    pub notice_days: Option<u32>,
    /// Its terms.
    #[serde(default)]
    pub terms: ContractTerms,
}

/// Another rate for one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebateRateTerm {
    /// The schedule.
    pub schedule: String,
    /// The band it replaces, from 0; all when empty.
    pub band: Option<u32>,
    /// The rate.
    pub rate: Tiered<Rate>,
}

/// Another threshold for one metric of one tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThresholdTerm {
    /// The ladder.
    pub ladder: String,
    /// The tier.
    pub tier: String,
    /// The metric.
    pub metric: String,
    /// The threshold.
    pub value: Number,
}

/// Another rate for one MDF rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MdfRateTerm {
    /// The allocation rule.
    pub rule: String,
    /// The rate.
    pub rate: Rate,
}
