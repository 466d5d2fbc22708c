//! Events of disputes.

use serde::{Deserialize, Serialize};

/// A dispute as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisputeMoved {
    /// The dispute.
    pub dispute: String,
    /// The partner's code.
    pub partner: String,
    /// The statement.
    pub statement: String,
    /// Its schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// STATEMENT, LINE, SALE or MISSING_SALE.
    pub subject: String,
    /// OPEN, ANSWERED, ACCEPTED, REJECTED or WITHDRAWN.
    pub state: String,
    /// The statement's currency.
    pub currency: String,
    /// What the partner says that it should be.
    pub claimed: String,
    /// What the next run adds, where it was accepted.
    pub adjusted: Option<String>,
}
