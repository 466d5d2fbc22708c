//! The program document: a whole program version as data, in YAML or JSON.
//!
//! The types here are the document's shape and nothing else: `guerdon program schema` prints them as JSON Schema, the
//! doc comments are its descriptions. What a well-formed document must also satisfy stands in `validate`; what the engines
//! run on is [`crate::program::Program`], compiled from it once.

pub mod automation;
pub mod benefit;
pub mod contract;
pub mod diff;
pub mod export;
pub mod ladder;
pub mod mdf;
pub mod metric;
pub mod notes;
pub mod patch;
pub mod read;
pub mod rebate;
pub mod requirement;
pub mod scenario;
pub mod schema;
pub mod scoped;
pub mod shape;
pub mod validate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::money::{Currency, Number};

/// A program version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// The version of this document format: 1.
    pub guerdon: u32,
    /// The program.
    pub program: ProgramHeader,
    /// This version of it.
    pub version: VersionHeader,
    /// The region tree, from its roots.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Groups of regions that cut across the tree.
    #[serde(default)]
    pub region_groups: Vec<RegionGroup>,
    /// Partner types: reseller, distributor, ...
    #[serde(default)]
    pub partner_types: Vec<PartnerType>,
    /// The product category tree, from its roots.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// Lists of product versions, for certificates that are valid for the last n.
    #[serde(default)]
    pub version_lists: Vec<VersionList>,
    /// Units of value by currency, by decree instead of by exchange rate.
    #[serde(default)]
    pub unit_tables: Vec<UnitTable>,
    /// Years that are neither the calendar's nor the fiscal one.
    #[serde(default)]
    pub custom_years: Vec<CustomYears>,
    /// Metrics.
    #[serde(default)]
    pub metrics: Vec<metric::Metric>,
    /// Requirements that several rules share.
    #[serde(default)]
    pub requirements: Vec<SharedRequirement>,
    /// Ladders.
    #[serde(default)]
    pub ladders: Vec<ladder::Ladder>,
    /// Benefits.
    #[serde(default)]
    pub benefits: Vec<benefit::Benefit>,
    /// Grants.
    #[serde(default)]
    pub grants: Vec<benefit::Grant>,
    /// Rebate schedules.
    #[serde(default)]
    pub rebate_schedules: Vec<rebate::RebateSchedule>,
    /// How rebate schedules compose, applied in this order.
    #[serde(default)]
    pub stacking: Vec<rebate::StackingRule>,
    /// MDF rules.
    #[serde(default)]
    pub mdf_rules: Vec<mdf::MdfRule>,
    /// Contract templates.
    #[serde(default)]
    pub contract_templates: Vec<contract::ContractTemplate>,
    /// Automations.
    #[serde(default)]
    pub automations: Vec<automation::Automation>,
    /// Program tests.
    #[serde(default)]
    pub scenarios: Vec<scenario::Scenario>,
    /// Figures that the source of a program leaves open and somebody assumed: by path, why. For people; no rule reads them.
    #[serde(default)]
    pub assumptions: BTreeMap<String, String>,
}

impl Document {
    /// A document without any rule.
    pub const fn empty(program: ProgramHeader, version: VersionHeader) -> Self {
        Self {
            guerdon: 1,
            program,
            version,
            regions: Vec::new(),
            region_groups: Vec::new(),
            partner_types: Vec::new(),
            categories: Vec::new(),
            version_lists: Vec::new(),
            unit_tables: Vec::new(),
            custom_years: Vec::new(),
            metrics: Vec::new(),
            requirements: Vec::new(),
            ladders: Vec::new(),
            benefits: Vec::new(),
            grants: Vec::new(),
            rebate_schedules: Vec::new(),
            stacking: Vec::new(),
            mdf_rules: Vec::new(),
            contract_templates: Vec::new(),
            automations: Vec::new(),
            scenarios: Vec::new(),
            assumptions: BTreeMap::new(),
        }
    }
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgramHeader {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The currency of its thresholds and, unless they say otherwise, of its schedules.
    pub currency: Currency,
    /// The first day of its fiscal year, `MM-DD`. Default `01-01`.
    #[serde(default = "january_first")]
    pub fiscal_year_start: String,
    /// Its time zone, of the IANA database. Default UTC.
    #[serde(default = "utc")]
    pub time_zone: String,
}

fn january_first() -> String {
    "01-01".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

/// The version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionHeader {
    /// Its name, for people: "FY20".
    pub label: Option<String>,
    /// When partners were told.
    pub announced_on: Option<Date>,
    /// From when its rules hold.
    pub effective_on: Date,
    /// From when its downward reviews bind; until then nobody loses a tier under it. Default: the effective date.
    pub enforced_on: Option<Date>,
    /// Whether higher tiers inherit the grants of lower ones. Default true.
    #[serde(default = "yes")]
    pub grants_inherit: bool,
}

const fn yes() -> bool {
    true
}

/// A region, with the regions under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {
    /// Its key, unique in the tree: `DE`.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// The regions under it.
    #[serde(default)]
    pub regions: Vec<Region>,
}

/// A region group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionGroup {
    /// Its key, unique among groups and regions.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// The regions it holds, each with all under it.
    pub regions: Vec<String>,
}

/// A partner type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerType {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
}

/// A product category, with the categories under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Category {
    /// Its key, unique in the tree.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// The categories under it.
    #[serde(default)]
    pub categories: Vec<Category>,
}

/// A list of product versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionList {
    /// Its key.
    pub key: String,
    /// The versions with their release dates, earliest first.
    pub versions: Vec<ProductVersion>,
}

/// A product version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductVersion {
    /// Its name, as facts write it.
    pub name: String,
    /// When it was released.
    pub released_on: Date,
}

/// Units of value by currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitTable {
    /// Its key.
    pub key: String,
    /// So much of each currency is one unit, from a date on.
    pub rows: Vec<UnitTableRow>,
}

/// Units from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitTableRow {
    /// From this day on. The first row also holds before it.
    pub from: Option<Date>,
    /// So much of each currency is one unit.
    pub units: BTreeMap<Currency, Number>,
}

/// A list of named years.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomYears {
    /// Its key.
    pub key: String,
    /// The years, contiguous and ascending.
    pub years: Vec<rebate::CustomPeriod>,
}

/// A requirement that several rules share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedRequirement {
    /// Its key.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// The requirement.
    pub requirement: requirement::Requirement,
}
