//! The JSON shape of facts: what `evaluate`, scenarios and imports write. Amounts are text; nothing is guessed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AdmissionKind, AssignmentCause, ContractStatus, ContractTerms, DealOutcome, HolderKind, OverrideKind, PartnerStatus, TransactionKind};
use crate::date::Date;
use crate::document::benefit::TermGrant;
use crate::document::scoped::Scalar;
use crate::money::{Currency, DecimalText};

/// What is known: partners with everything they did, and what belongs to no partner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FactsInput {
    /// The partners.
    #[serde(default)]
    pub partners: Vec<PartnerInput>,
    /// Which category a product belongs to, dated. Used for transactions and holdings that name a product and no category.
    #[serde(default)]
    pub products: Vec<ProductInput>,
    /// Exchange rates.
    #[serde(default)]
    pub exchange_rates: Vec<ExchangeRateInput>,
    /// Budgets.
    #[serde(default)]
    pub budgets: Vec<BudgetInput>,
}

/// A partner with everything it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerInput {
    /// The vendor's own id.
    pub code: String,
    /// Its profile from a date on. One without `from` holds from the beginning.
    #[serde(default)]
    pub attributes: Vec<ProfileInput>,
    /// Its enrollments. Without any it is taken as enrolled from the beginning.
    #[serde(default)]
    pub enrollments: Vec<EnrollmentInput>,
    /// Tiers on record.
    #[serde(default)]
    pub assignments: Vec<AssignmentInput>,
    /// Overrides.
    #[serde(default)]
    pub overrides: Vec<OverrideInput>,
    /// Invitations, accepted applications, approvals.
    #[serde(default)]
    pub admissions: Vec<AdmissionInput>,
    /// Contracts.
    #[serde(default)]
    pub contracts: Vec<ContractInput>,
    /// Individual exceptions.
    #[serde(default)]
    pub exceptions: Vec<ExceptionInput>,
    /// Sale lines.
    #[serde(default)]
    pub transactions: Vec<TransactionInput>,
    /// Certifications, subscriptions, attestations, memberships.
    #[serde(default)]
    pub holdings: Vec<HoldingInput>,
    /// Dated measurements.
    #[serde(default)]
    pub activities: Vec<ActivityInput>,
    /// Registered opportunities.
    #[serde(default)]
    pub deals: Vec<DealInput>,
}

/// A partner's profile from a date on. Each one is whole: what it leaves out is empty from then on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileInput {
    /// From this day on.
    pub from: Option<Date>,
    /// Its name. Default: its code.
    pub name: Option<String>,
    /// Its type.
    pub r#type: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its parent's code.
    pub parent: Option<String>,
    /// The currency it is paid in.
    pub currency: Option<Currency>,
    /// Whether it takes part. Default ACTIVE.
    #[serde(default)]
    pub status: PartnerStatus,
    /// Everything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, Scalar>,
}

/// An enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrollmentInput {
    /// Since when.
    pub since: Date,
    /// Until when, exclusive.
    pub until: Option<Date>,
    /// The track.
    pub track: Option<String>,
    /// The region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// A tier on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignmentInput {
    /// The ladder. Default: the main ladder.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier; none while no tier is held.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Option<Date>,
    /// Why. Default ENROLLED.
    #[serde(default)]
    pub cause: AssignmentCause,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OverrideInput {
    /// The ladder. Default: the main ladder.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// Pin, ceiling or floor.
    pub kind: OverrideKind,
    /// The tier; none pins the partner to no tier.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it; for ever when empty.
    pub until: Option<Date>,
    /// Why.
    pub reason: String,
    /// Who proposed it. One that was proposed has no effect before somebody else approved it.
    pub proposed_by: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
}

/// An invitation, an accepted application, an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmissionInput {
    /// The ladder. Default: the main ladder.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// Which of them.
    pub kind: AdmissionKind,
    /// First day.
    pub from: Date,
    /// First day after it; for ever when empty.
    pub until: Option<Date>,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractInput {
    /// Its number.
    pub key: String,
    /// The template it follows.
    pub template: Option<String>,
    /// Its state. Default ACTIVE.
    #[serde(default)]
    pub status: ContractStatus,
    /// First day.
    pub from: Date,
    /// First day after it; for ever when empty.
    pub until: Option<Date>,
    /// Its terms.
    #[serde(default)]
    pub terms: ContractTerms,
}

/// An individual exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionInput {
    /// What it does.
    pub grant: TermGrant,
    /// First day.
    pub from: Date,
    /// First day after it; for ever when empty.
    pub until: Option<Date>,
    /// Why.
    pub reason: String,
}

/// A sale line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransactionInput {
    /// The id of the line in its source.
    pub id: String,
    /// Its source. Default `evaluate`; its ids are unique within their partner.
    pub source: Option<String>,
    /// When it happened.
    pub date: Date,
    /// When we came to know it. Default: the same day.
    pub recorded_on: Option<Date>,
    /// Default SALE.
    #[serde(default)]
    pub kind: TransactionKind,
    /// The product.
    pub product: Option<String>,
    /// The category. Default: the product's on that date.
    pub category: Option<String>,
    /// The quantity. Default 1.
    pub quantity: Option<DecimalText>,
    /// The amount.
    pub amount: DecimalText,
    /// Its currency. Default: the program's.
    pub currency: Option<Currency>,
    /// The end customer.
    pub customer: Option<String>,
    /// The deal.
    pub deal: Option<String>,
    /// The id of the line that it corrects or returns.
    pub corrects: Option<String>,
    /// Its region. Default: the partner's on that date.
    pub region: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, Scalar>,
}

/// A holding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldingInput {
    /// The id of the holding in its source.
    pub id: String,
    /// Its source. Default `evaluate`; its ids are unique within their partner.
    pub source: Option<String>,
    /// When we came to know it. Default: the day from which it counts.
    pub recorded_on: Option<Date>,
    /// CERTIFICATION, SUBSCRIPTION, ATTESTATION, MEMBERSHIP, or the vendor's own.
    pub kind: String,
    /// Which one.
    pub r#type: Option<String>,
    /// Its level.
    pub level: Option<String>,
    /// Whose it is. Default: PERSON if `person` is given, CUSTOMER if `customer` is, OFFERING if `offering` is, else PARTNER.
    pub holder_kind: Option<HolderKind>,
    /// The person who holds it.
    pub person: Option<String>,
    /// The customer who holds it.
    pub customer: Option<String>,
    /// The offering that it is about.
    pub offering: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// The category. Default: the product's.
    pub category: Option<String>,
    /// The first day on which it counts.
    pub since: Date,
    /// The first day on which it no longer counts.
    pub until: Option<Date>,
    /// The day on which it was revoked.
    pub revoked_on: Option<Date>,
    /// Its value.
    pub value: Option<DecimalText>,
    /// The currency of its value.
    pub currency: Option<Currency>,
    /// Its region. Default: the partner's on that date.
    pub region: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, Scalar>,
}

/// An activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityInput {
    /// The id of the activity in its source.
    pub id: String,
    /// Its source. Default `evaluate`; its ids are unique within their partner.
    pub source: Option<String>,
    /// When it happened.
    pub date: Date,
    /// When we came to know it. Default: the same day.
    pub recorded_on: Option<Date>,
    /// What was measured.
    pub kind: String,
    /// The value. Default 1.
    pub value: Option<DecimalText>,
    /// The currency of its value.
    pub currency: Option<Currency>,
    /// What it is about.
    pub subject: Option<String>,
    /// From this day on it no longer counts.
    pub expires_on: Option<Date>,
    /// Its region. Default: the partner's on that date.
    pub region: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, Scalar>,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DealInput {
    /// The id of the deal in its source; transactions name it.
    pub id: String,
    /// Its source. Default `evaluate`; its ids are unique within their partner.
    pub source: Option<String>,
    /// When it was registered.
    pub opened_on: Date,
    /// When we came to know it. Default: the day it was opened.
    pub recorded_on: Option<Date>,
    /// The vendor's stage.
    pub stage: Option<String>,
    /// Default OPEN.
    #[serde(default)]
    pub outcome: DealOutcome,
    /// When it was closed.
    pub closed_on: Option<Date>,
    /// What it is worth.
    pub value: Option<DecimalText>,
    /// The currency of its value. Default: the program's.
    pub currency: Option<Currency>,
    /// The end customer.
    pub customer: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its region. Default: the partner's on that date.
    pub region: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, Scalar>,
}

/// A product's category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductInput {
    /// The product's code.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
    /// Its category.
    pub category: String,
    /// From this day on. Default: from the beginning.
    pub from: Option<Date>,
}

/// An exchange rate: one unit of `from` is `rate` units of `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangeRateInput {
    /// The type of rate. Default SPOT.
    pub rate_type: Option<String>,
    /// Converted from.
    pub from: Currency,
    /// Converted to.
    pub to: Currency,
    /// The first day on which it holds.
    pub date: Date,
    /// Units of `to` for one of `from`.
    pub rate: DecimalText,
    /// When we came to know it. Default: the same day.
    pub recorded_on: Option<Date>,
}

/// Money set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BudgetInput {
    /// Its key.
    pub key: String,
    /// What it holds.
    pub amount: DecimalText,
    /// Its currency. Default: the program's.
    pub currency: Option<Currency>,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Date,
}
