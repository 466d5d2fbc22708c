//! What partners did: the facts that every engine reads. Ingested, append-only, dated; see `input` for their JSON shape.
//!
//! An engine gets [`Facts`] and a date and nothing else. Where a value may be left out of a fact, the rule that fills it
//! stands here (a fact's region is its partner's on that date, semantics 7).

pub mod convert;
pub mod input;
pub mod read;
mod read_fact;
pub mod written;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::{Date, Span};
use crate::exact::Exact;
use crate::money::{Currency, Money, Quantity};

/// An attribute of a fact or of a partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeValue {
    /// Text; dates are text too, since `YYYY-MM-DD` sorts as it reads.
    Text(String),
    /// A number, exactly.
    Number(Exact),
    /// Yes or no.
    Boolean(bool),
}

/// Free attributes by name.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// The identity of a fact: the system it came from and that system's own id. The same again changes nothing; another body
/// under the same id is a conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FactId {
    /// The system that the fact came from.
    pub source: String,
    /// The id that this system knows it by.
    pub external_id: String,
}

/// What a sale line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionKind {
    /// Counts as it is signed.
    #[default]
    Sale,
    /// Counts negative, however it is signed (semantics 16).
    Return,
    /// A correction; counts as it is signed.
    Adjustment,
}

/// A sale line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its identity.
    pub id: FactId,
    /// When it happened.
    pub date: Date,
    /// When we came to know it. Runs and true-up ask for it; nothing else does.
    pub recorded_on: Date,
    /// The place of its batch among the sealed ones, where a run reads up to a batch; zero elsewhere.
    pub sealed: i64,
    /// Sale, return or adjustment.
    pub kind: TransactionKind,
    /// The vendor's product code.
    pub product: Option<String>,
    /// The product's category on the line's own date (semantics 4).
    pub category: Option<String>,
    /// Quantity, as signed in the source.
    pub quantity: Quantity,
    /// Amount, as signed in the source.
    pub amount: Money,
    /// The end customer's code.
    pub customer: Option<String>,
    /// The registered deal behind it.
    pub deal: Option<String>,
    /// The external id of the line (of the same source) that it corrects or returns.
    pub corrects: Option<String>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Deal type, segment, ...
    pub attributes: Attributes,
}

impl Transaction {
    /// The amount with the sign that counts.
    pub fn signed_amount(&self) -> Money {
        match self.kind {
            TransactionKind::Return => Money { minor: -self.amount.minor.saturating_abs(), ..self.amount },
            _ => self.amount,
        }
    }

    /// The quantity with the sign that counts.
    pub fn signed_quantity(&self) -> Quantity {
        match self.kind {
            TransactionKind::Return => Quantity(-self.quantity.0.saturating_abs()),
            _ => self.quantity,
        }
    }
}

/// A sum of sale lines of some days that are alike in category, kind and currency: of a month, as they are kept, or of one day. Sums
/// carry the sign that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesSum {
    /// Its days.
    pub days: Span,
    /// Category of the lines.
    pub category: Option<String>,
    /// Kind of the lines.
    pub kind: TransactionKind,
    /// Sum of the signed amounts, in minor units.
    pub amount: Money,
    /// Sum of the signed quantities.
    pub quantity: Quantity,
    /// Number of lines.
    pub lines: i64,
}

/// Whose holding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HolderKind {
    /// The partner itself.
    #[default]
    Partner,
    /// One of its people.
    Person,
    /// One of its customers.
    Customer,
    /// One of its own offerings: an app, a site.
    Offering,
}

/// Something held over a span of time: a certification, a live subscription, an attestation, a membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Its identity.
    pub id: FactId,
    /// When we came to know it.
    pub recorded_on: Date,
    /// What it is: `CERTIFICATION`, `SUBSCRIPTION`, `ATTESTATION`, `MEMBERSHIP`, or the vendor's own kind.
    pub kind: String,
    /// Which one: the certificate's or document's type.
    pub type_key: Option<String>,
    /// Its level, if it has one.
    pub level: Option<String>,
    /// Whose it is.
    pub holder_kind: HolderKind,
    /// The person's, customer's or offering's code; none for the partner's own.
    pub holder: Option<String>,
    /// The product that it is about.
    pub product: Option<String>,
    /// The product's category.
    pub category: Option<String>,
    /// The first day on which it counts.
    pub since: Date,
    /// The first day on which it no longer counts; for ever when empty.
    pub until: Option<Date>,
    /// The day on which it was revoked; it does not count on it.
    pub revoked_on: Option<Date>,
    /// Its value, if it has one (a subscription's monthly revenue).
    pub value: Option<Exact>,
    /// Currency of the value, if it is money.
    pub currency: Option<Currency>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    pub attributes: Attributes,
}

impl Holding {
    /// The days on which it counts (semantics 3).
    pub fn span(&self) -> Span {
        let until = self.until.unwrap_or(Date::MAX);
        Span::new(self.since, self.revoked_on.map_or(until, |revoked| revoked.min(until)))
    }

    /// Whether it counts on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.span().contains(date)
    }
}

/// A dated measurement: a training, a CSAT answer, an adoption rate, bonus points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its identity.
    pub id: FactId,
    /// When it happened.
    pub date: Date,
    /// When we came to know it.
    pub recorded_on: Date,
    /// What was measured.
    pub kind: String,
    /// The measured value; a bare event counts one.
    pub value: Exact,
    /// Currency of the value, if it is money.
    pub currency: Option<Currency>,
    /// The person, customer, product or account that it is about.
    pub subject: Option<String>,
    /// From this day on it no longer counts.
    pub expires_on: Option<Date>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    pub attributes: Attributes,
}

/// How a deal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DealOutcome {
    /// Not closed yet.
    #[default]
    Open,
    /// Closed and won.
    Won,
    /// Closed and lost.
    Lost,
}

/// A registered opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// Its identity.
    pub id: FactId,
    /// When it was registered.
    pub opened_on: Date,
    /// When we came to know it.
    pub recorded_on: Date,
    /// The vendor's stage.
    pub stage: Option<String>,
    /// Open, won or lost.
    pub outcome: DealOutcome,
    /// When it was closed.
    pub closed_on: Option<Date>,
    /// What it is worth.
    pub value: Option<Money>,
    /// The end customer's code.
    pub customer: Option<String>,
    /// Its kind: co-sell, referral, ...
    pub kind: Option<String>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    pub attributes: Attributes,
}

/// Whether a partner takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartnerStatus {
    /// Takes part.
    #[default]
    Active,
    /// Everything is withheld.
    Suspended,
    /// Has left.
    Terminated,
}

/// A partner as it was from a date on, until the next profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerProfile {
    /// The first day on which it was so.
    pub from: Date,
    /// Its name.
    pub name: String,
    /// Its type, a key of the program.
    pub partner_type: Option<String>,
    /// Its region, a key of the program.
    pub region: Option<String>,
    /// Its parent's code.
    pub parent: Option<String>,
    /// The currency it is paid in.
    pub currency: Option<Currency>,
    /// Whether it takes part.
    pub status: PartnerStatus,
    /// Everything else.
    pub attributes: Attributes,
}

/// A partner in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// Since when.
    pub since: Date,
    /// Until when, exclusive.
    pub until: Option<Date>,
    /// The track: a partner type of the program.
    pub track: Option<String>,
    /// The region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// Why a tier was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssignmentCause {
    /// The first tier.
    #[default]
    Enrolled,
    /// A higher tier than before.
    Promotion,
    /// A lower tier than before.
    Demotion,
    /// Held by an override.
    Override,
    /// The rules changed.
    VersionChange,
}

/// A tier held over a span of time. None is a value: `tier` is empty while the partner holds no tier of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierAssignment {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier; none while no tier is held.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it; still held when empty.
    pub until: Option<Date>,
    /// Why.
    pub cause: AssignmentCause,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OverrideKind {
    /// Exactly this tier. Beats a ceiling and a floor.
    Pin,
    /// At most this tier. Beats a floor.
    Ceiling,
    /// At least this tier.
    Floor,
}

/// A tier held against the rules, with a reason (semantics 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierOverride {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// Pin, ceiling or floor.
    pub kind: OverrideKind,
    /// The tier; none pins the partner to no tier.
    pub tier: Option<String>,
    /// The days on which it holds.
    pub span: Span,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
}

impl TierOverride {
    /// Whether it takes effect on its days: one that somebody proposed does not before another person approved it.
    pub const fn in_effect(&self) -> bool {
        self.approved_by.is_some() || self.proposed_by.is_none()
    }
}

/// A permission that a person gives: an invitation to a tier, an approved application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierAdmission {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// Invitation, application or approval.
    pub kind: AdmissionKind,
    /// The days on which it holds.
    pub span: Span,
}

/// The kinds of admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdmissionKind {
    /// The vendor invited the partner.
    Invitation,
    /// The partner applied, and the application was accepted.
    Application,
    /// The vendor approved the promotion.
    Approval,
}

/// The state of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractStatus {
    /// Being written.
    Draft,
    /// Sent, not signed.
    Sent,
    /// In force on its dates.
    #[default]
    Active,
    /// Over.
    Expired,
    /// Ended early.
    Terminated,
}

/// A contract with the partner, as far as the engines ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its number.
    pub key: String,
    /// The template it follows.
    pub template: Option<String>,
    /// Its state.
    pub status: ContractStatus,
    /// The days on which it is in force when active.
    pub span: Span,
    /// Its terms: grants, and later rates and thresholds.
    pub terms: ContractTerms,
}

/// What a contract bends for its partner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractTerms {
    /// Benefits added, replaced or removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<crate::document::benefit::TermGrant>,
    /// Rates that replace those of a rebate schedule. Kept; rebates do not go by them yet, so that what would need them is refused
    /// (CONTRACT_RATES).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rebate_rates: Vec<crate::document::contract::RebateRateTerm>,
    /// Thresholds that replace those of a requirement. Kept, as above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<crate::document::contract::ThresholdTerm>,
    /// MDF rates. Kept, as above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mdf_rates: Vec<crate::document::contract::MdfRateTerm>,
}

/// A benefit given to, changed for or taken from one partner, with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementException {
    /// What it does.
    pub grant: crate::document::benefit::TermGrant,
    /// The days on which it holds.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// Everything about one partner that an engine may ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerFacts {
    /// The vendor's own id.
    pub code: String,
    /// Profiles in date order; the first one also holds before its own date.
    pub profiles: Vec<PartnerProfile>,
    /// Enrollments.
    pub enrollments: Vec<Enrollment>,
    /// Tiers on record, in date order.
    pub assignments: Vec<TierAssignment>,
    /// Tiers held elsewhere (in a program that this one replaced), protected until a date; overrides besides.
    pub overrides: Vec<TierOverride>,
    /// Invitations, accepted applications, approvals.
    pub admissions: Vec<TierAdmission>,
    /// Contracts.
    pub contracts: Vec<Contract>,
    /// Individual exceptions.
    pub exceptions: Vec<EntitlementException>,
    /// Sale lines, in date order. With `monthly`, only those of months that `monthly` leaves out.
    pub transactions: Vec<Transaction>,
    /// Kept aggregates of whole months. A measure that [can read them](crate::metric) does, for months inside its window.
    pub sums: Vec<SalesSum>,
    /// Certifications, subscriptions, attestations, memberships.
    pub holdings: Vec<Holding>,
    /// Dated measurements, in date order.
    pub activities: Vec<Activity>,
    /// Registered opportunities.
    pub deals: Vec<Deal>,
}

impl PartnerFacts {
    /// The profile in force on `date`; the first one when all are later (semantics 4).
    pub fn profile(&self, date: Date) -> Option<&PartnerProfile> {
        let after = self.profiles.partition_point(|profile| profile.from <= date);
        self.profiles.get(after.saturating_sub(1))
    }

    /// Whether the partner is enrolled on some day of `days`.
    pub fn takes_part(&self, days: Span) -> bool {
        self.enrollments.iter().any(|held| !Span::new(held.since, held.until.unwrap_or(Date::MAX)).intersect(days).is_empty())
    }

    /// The region in force on `date`.
    pub fn region(&self, date: Date) -> Option<&str> {
        self.profile(date).and_then(|profile| profile.region.as_deref())
    }

    /// The tier on record on `date`.
    pub fn tier_on(&self, ladder: &str, region: Option<&str>, date: Date) -> Option<&str> {
        self.assignments
            .iter()
            .rfind(|held| held.ladder == ladder && held.region.as_deref() == region && Span::new(held.from, held.until.unwrap_or(Date::MAX)).contains(date))
            .and_then(|held| held.tier.as_deref())
    }
}

/// A dated, typed exchange rate: one unit of `from` is `rate` units of `to` (semantics 19: only this direction is used).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRate {
    /// `SPOT`, `MONTHLY_AVERAGE`, or the vendor's own.
    pub rate_type: String,
    /// Currency converted from.
    pub from: Currency,
    /// Currency converted to.
    pub to: Currency,
    /// The first day on which it holds.
    pub date: Date,
    /// Units of `to` for one of `from`.
    pub rate: Exact,
    /// When we came to know it.
    pub recorded_on: Date,
    /// The place of its batch among the sealed ones, where a run reads up to a batch; zero elsewhere.
    pub sealed: i64,
}

/// Money set aside for a schedule or for MDF, for evaluations without a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFact {
    /// Its key.
    pub key: String,
    /// What it holds.
    pub amount: Money,
    /// The period it is for.
    pub span: Span,
}

/// All partners that an evaluation may look at, and what belongs to no partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Partners by code.
    pub partners: BTreeMap<String, PartnerFacts>,
    /// Exchange rates, by date.
    pub exchange_rates: Vec<ExchangeRate>,
    /// Budgets.
    pub budgets: Vec<BudgetFact>,
}
