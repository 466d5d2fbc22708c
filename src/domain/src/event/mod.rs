//! Public events: what changed, as a snapshot that needs no second look. They are written in the transaction that makes the
//! change (the outbox) and delivered from there; whoever receives one must be able to act on it years later.
//!
//! Names and members here are promises. A change that takes one away or bends its meaning is a new version of that event
//! beside the old one; a further member is not.

mod admission;
mod dispute;

use serde::{Deserialize, Serialize};

pub use admission::{AdmissionChanged, OverrideChanged};
pub use dispute::DisputeMoved;

use crate::date::Date;
use crate::facts::{AssignmentCause, PartnerStatus};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// A program version was published.
    #[serde(rename = "program.published")]
    ProgramPublished(ProgramPublished),
    /// A partner was created, or its profile changed.
    #[serde(rename = "partner.changed")]
    PartnerChanged(PartnerChanged),
    /// A partner was enrolled in a program.
    #[serde(rename = "partner.enrolled")]
    PartnerEnrolled(PartnerEnrolled),
    /// A partner got its first tier of a ladder, or a higher one.
    #[serde(rename = "tier.promoted")]
    TierPromoted(TierChanged),
    /// A partner got a lower tier of a ladder, or lost its tier.
    #[serde(rename = "tier.demoted")]
    TierDemoted(TierChanged),
    /// An override of a partner's tier was proposed.
    #[serde(rename = "tier.override.proposed")]
    OverrideProposed(OverrideChanged),
    /// Another person approved it.
    #[serde(rename = "tier.override.approved")]
    OverrideApproved(OverrideChanged),
    /// Another person refused it.
    #[serde(rename = "tier.override.rejected")]
    OverrideRejected(OverrideChanged),
    /// It was taken back before it held.
    #[serde(rename = "tier.override.withdrawn")]
    OverrideWithdrawn(OverrideChanged),
    /// It ends earlier than was planned.
    #[serde(rename = "tier.override.ended")]
    OverrideEnded(OverrideChanged),
    /// A partner applied for a tier, was invited to one, or a tier awaits its approval.
    #[serde(rename = "tier.admission.opened")]
    AdmissionOpened(AdmissionChanged),
    /// It was accepted: the partner may enter the tier.
    #[serde(rename = "tier.admission.accepted")]
    AdmissionAccepted(AdmissionChanged),
    /// It was refused or declined.
    #[serde(rename = "tier.admission.rejected")]
    AdmissionRejected(AdmissionChanged),
    /// Whoever opened it took it back.
    #[serde(rename = "tier.admission.withdrawn")]
    AdmissionWithdrawn(AdmissionChanged),
    /// Somebody ended an accepted one: from a day on it lets the partner in no more.
    #[serde(rename = "tier.admission.ended")]
    AdmissionEnded(AdmissionChanged),
    /// A partner will lose the condition of its tier, or has lost it.
    #[serde(rename = "tier.at_risk")]
    TierAtRisk(TierAtRisk),
    /// A partner is near the next tier.
    #[serde(rename = "tier.near")]
    TierNear(TierNear),
    /// Sale lines were recorded.
    #[serde(rename = "transactions.recorded")]
    TransactionsRecorded(FactsRecorded),
    /// Holdings were recorded.
    #[serde(rename = "holdings.recorded")]
    HoldingsRecorded(FactsRecorded),
    /// Activities were recorded.
    #[serde(rename = "activities.recorded")]
    ActivitiesRecorded(FactsRecorded),
    /// Deals were recorded.
    #[serde(rename = "deals.recorded")]
    DealsRecorded(FactsRecorded),
    /// Exchange rates were recorded.
    #[serde(rename = "exchange_rates.recorded")]
    ExchangeRatesRecorded(FactsRecorded),
    /// A rebate run was posted: statements are final and owed.
    #[serde(rename = "rebate.posted")]
    RebatePosted(RebatePosted),
    /// A partner questions a posted statement.
    #[serde(rename = "dispute.opened")]
    DisputeOpened(DisputeMoved),
    /// Finance explained, accepted or rejected a dispute.
    #[serde(rename = "dispute.answered")]
    DisputeAnswered(DisputeMoved),
    /// A dispute was taken back.
    #[serde(rename = "dispute.withdrawn")]
    DisputeWithdrawn(DisputeMoved),
}

/// A rebate run was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebatePosted {
    /// The program's code.
    pub program: String,
    /// The run.
    pub run: String,
    /// ORIGINAL, ADJUSTMENT or REVERSAL.
    pub kind: String,
    /// The period's name.
    pub period: String,
    /// The digest of everything it states.
    pub content_hash: String,
    /// What was posted, by currency.
    pub totals: Vec<RebateTotal>,
}

/// What a run posted in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebateTotal {
    /// The currency.
    pub currency: String,
    /// The amount, with exactly the currency's decimals.
    pub amount: String,
    /// How many statements.
    pub statements: i64,
}

/// A program version was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramPublished {
    /// The program's code.
    pub program: String,
    /// The version's number.
    pub version: i64,
    /// Its label.
    pub label: Option<String>,
    /// From when its rules hold.
    pub effective_on: Date,
    /// The digest of its document, in hexadecimal.
    pub digest: String,
}

/// A partner as it is from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerChanged {
    /// The partner's code.
    pub partner: String,
    /// From when it is so.
    pub from: Date,
    /// Its name.
    pub name: String,
    /// Its type.
    pub partner_type: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its parent's code.
    pub parent: Option<String>,
    /// Whether it takes part.
    pub status: PartnerStatus,
}

/// A partner was enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerEnrolled {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// Since when.
    pub since: Date,
    /// On which track.
    pub track: Option<String>,
    /// In which region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// A partner's tier changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierChanged {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The number of the version that decided.
    pub version: i64,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier before; none for none.
    pub from_tier: Option<String>,
    /// The tier now; none for none.
    pub to_tier: Option<String>,
    /// The first day on which it is held.
    pub on: Date,
    /// Why.
    pub cause: AssignmentCause,
}

/// A partner's tier is at risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierAtRisk {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The number of the version that judged.
    pub version: i64,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that is held.
    pub tier: String,
    /// As of this day.
    pub as_of: Date,
    /// The first day on which its requirement is not met, if nothing more comes in.
    pub fails_on: Date,
    /// The day on which it is lost, where a grace period runs.
    pub lost_on: Option<Date>,
    /// What fails, in plain language.
    pub reasons: Vec<String>,
}

/// A partner is near the next tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierNear {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The number of the version that judged.
    pub version: i64,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that is held; none for none.
    pub tier: Option<String>,
    /// The next tier.
    pub next_tier: String,
    /// As of this day.
    pub as_of: Date,
    /// The part of its requirement that is met, from 0 to 1.
    pub share_met: String,
    /// What is missing, in plain language.
    pub missing: Vec<String>,
}

/// Facts were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactsRecorded {
    /// The import batch that holds them, as the interface spells its id.
    pub batch: Option<String>,
    /// How many are new.
    pub recorded: u64,
    /// How many were known already.
    pub unchanged: u64,
    /// The partners concerned; empty where there are more than 100.
    pub partners: Vec<String>,
    /// The earliest date of a new fact.
    pub earliest: Option<Date>,
    /// The latest date of a new fact.
    pub latest: Option<Date>,
}

impl Event {
    /// The version of this event's shape.
    pub const fn version(&self) -> u32 {
        1
    }

    /// Its public name: `tier.promoted`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProgramPublished(_) => "program.published",
            Self::PartnerChanged(_) => "partner.changed",
            Self::PartnerEnrolled(_) => "partner.enrolled",
            Self::TierPromoted(_) => "tier.promoted",
            Self::TierDemoted(_) => "tier.demoted",
            Self::OverrideProposed(_) => "tier.override.proposed",
            Self::OverrideApproved(_) => "tier.override.approved",
            Self::OverrideRejected(_) => "tier.override.rejected",
            Self::OverrideWithdrawn(_) => "tier.override.withdrawn",
            Self::OverrideEnded(_) => "tier.override.ended",
            Self::AdmissionOpened(_) => "tier.admission.opened",
            Self::AdmissionAccepted(_) => "tier.admission.accepted",
            Self::AdmissionRejected(_) => "tier.admission.rejected",
            Self::AdmissionWithdrawn(_) => "tier.admission.withdrawn",
            Self::AdmissionEnded(_) => "tier.admission.ended",
            Self::TierAtRisk(_) => "tier.at_risk",
            Self::TierNear(_) => "tier.near",
            Self::TransactionsRecorded(_) => "transactions.recorded",
            Self::HoldingsRecorded(_) => "holdings.recorded",
            Self::ActivitiesRecorded(_) => "activities.recorded",
            Self::DealsRecorded(_) => "deals.recorded",
            Self::ExchangeRatesRecorded(_) => "exchange_rates.recorded",
            Self::RebatePosted(_) => "rebate.posted",
            Self::DisputeOpened(_) => "dispute.opened",
            Self::DisputeAnswered(_) => "dispute.answered",
            Self::DisputeWithdrawn(_) => "dispute.withdrawn",
        }
    }

    /// What it is about, for delivery in order per object: the partner's or the program's code, or the batch.
    pub fn subject(&self) -> &str {
        match self {
            Self::ProgramPublished(event) => &event.program,
            Self::PartnerChanged(event) => &event.partner,
            Self::PartnerEnrolled(event) => &event.partner,
            Self::TierPromoted(event) | Self::TierDemoted(event) => &event.partner,
            Self::OverrideProposed(event)
            | Self::OverrideApproved(event)
            | Self::OverrideRejected(event)
            | Self::OverrideWithdrawn(event)
            | Self::OverrideEnded(event) => &event.partner,
            Self::AdmissionOpened(event)
            | Self::AdmissionAccepted(event)
            | Self::AdmissionRejected(event)
            | Self::AdmissionWithdrawn(event)
            | Self::AdmissionEnded(event) => &event.partner,
            Self::RebatePosted(event) => &event.run,
            Self::TierAtRisk(event) => &event.partner,
            Self::TierNear(event) => &event.partner,
            Self::DisputeOpened(event) | Self::DisputeAnswered(event) | Self::DisputeWithdrawn(event) => &event.dispute,
            Self::TransactionsRecorded(event)
            | Self::HoldingsRecorded(event)
            | Self::ActivitiesRecorded(event)
            | Self::DealsRecorded(event)
            | Self::ExchangeRatesRecorded(event) => event.batch.as_deref().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_by_its_public_name_and_comes_back_whole() {
        let changed = TierChanged {
            partner: "A".into(),
            program: "P".into(),
            version: 3,
            ladder: "MAIN".into(),
            region: None,
            from_tier: None,
            to_tier: Some("GOLD".into()),
            on: "2020-06-01".parse().unwrap(),
            cause: AssignmentCause::Promotion,
        };
        let event = Event::TierPromoted(changed);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(
            (json["type"].as_str(), json["data"]["toTier"].as_str(), json["data"]["on"].as_str()),
            (Some(event.name()), Some("GOLD"), Some("2020-06-01"))
        );
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
        assert_eq!((event.subject(), event.version()), ("A", 1));
    }
}
