//! Who asks.

use serde::{Deserialize, Serialize};

use super::words::Role;
use crate::date::Date;

/// Somebody who asks, identified; what he may do follows from his roles on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, or the service account, that duties are kept apart by.
    pub person: String,
    /// The key or session that was used.
    pub credential: String,
    /// Person, service account, or the service itself.
    pub kind: ActorKind,
    /// His roles.
    pub roles: Vec<RoleAssignment>,
}

/// What kind of caller it is. A service account approves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// A human being.
    Person,
    /// A machine with a key of its own.
    Service,
    /// The service itself: its command line and its jobs.
    System,
}

/// One role, how far it reaches and when it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub scope: RoleScope,
    /// The first day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The first day on which it holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The sources that it may write facts of; empty: every source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The benefits that it may ask for; empty: every benefit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<String>,
}

/// How far an assignment reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RoleScope {
    /// As far as the role can.
    All,
    /// Partners by code.
    Partners(Vec<String>),
    /// Regions by key, and what lies below them once [`Actor::expand_regions`] has been called.
    Regions(Vec<String>),
}

impl RoleAssignment {
    /// `role` with this reach, at all times.
    pub fn new(role: Role, scope: RoleScope) -> Self {
        Self { role, scope, from: None, until: None, sources: Vec::new(), benefits: Vec::new() }
    }

    /// Whether it holds on `day`.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

impl Actor {
    /// The service itself, acting for the task of this name: the command line beside the database, and the jobs. Never made
    /// from a token or a key.
    pub fn system(task: &str) -> Self {
        Self {
            person: format!("system:{task}"),
            credential: "system".to_owned(),
            kind: ActorKind::System,
            roles: vec![RoleAssignment::new(Role::System, RoleScope::All)],
        }
    }

    /// Whether a role holds on `day`, whatever its reach.
    pub fn has_role(&self, role: Role, day: Date) -> bool {
        self.roles.iter().any(|held| held.role == role && held.holds_on(day))
    }

    /// Replaces every region of his roles by what `expand` makes of it: itself and all regions below it.
    #[must_use]
    pub fn expand_regions(mut self, expand: impl Fn(&str) -> Vec<String>) -> Self {
        for held in &mut self.roles {
            if let RoleScope::Regions(keys) = &mut held.scope {
                let mut wide: Vec<String> = keys.iter().flat_map(|key| expand(key)).chain(keys.iter().cloned()).collect();
                wide.sort();
                wide.dedup();
                *keys = wide;
            }
        }
        self
    }
}
