//! What happens by itself when something happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::benefit::TermGrant;
use super::requirement::Requirement;

/// On an event, if a condition holds, do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Automation {
    /// Its key, unique among the automations.
    pub key: String,
    /// The event: `tier.promoted`, `tier.at_risk`, `contract.expiring`, ...
    pub on: String,
    /// Only if the partner meets this.
    pub condition: Option<Requirement>,
    /// What to do, in order.
    pub actions: Vec<AutomationAction>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AutomationAction {
    /// Issue a contract of this template.
    IssueContract(String),
    /// Tell these recipients.
    Notify(Notification),
    /// Run this MDF rule for the partner.
    AllocateMdf(String),
    /// Add an exception.
    AddException(ExceptionAction),
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// Roles or addresses.
    pub to: Vec<String>,
    /// The name of the message.
    pub template: String,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionAction {
    /// What it gives.
    pub grant: TermGrant,
    /// For how many days.
    pub days: Option<u32>,
    /// Why.
    pub reason: String,
}
