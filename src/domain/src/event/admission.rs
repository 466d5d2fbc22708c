//! What happened to overrides, and to applications, invitations and approvals.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::facts::{AdmissionKind, OverrideKind};

/// An override as it is after the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideChanged {
    /// The UUID of the override.
    pub id: String,
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// Pin, ceiling or floor.
    pub kind: OverrideKind,
    /// Its tier; none pins to no tier.
    pub tier: Option<String>,
    /// The first day on which it holds.
    pub from: Date,
    /// The first day on which it holds no more.
    pub until: Date,
    /// Why it was asked for.
    pub reason: String,
    /// Who did this.
    pub by: String,
    /// Why this was done.
    pub comment: Option<String>,
}

/// An application, invitation or approval as it is after the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionChanged {
    /// Its UUID.
    pub id: String,
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// Application, invitation or approval.
    pub kind: AdmissionKind,
    /// The first day on which it can be answered no more.
    pub answer_until: Option<Date>,
    /// The first day on which it lets the partner in no more, where somebody ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
    /// Who did this.
    pub by: String,
    /// Why this was done.
    pub comment: Option<String>,
}
