//! The one function that turns a right into a scope.

use std::fmt;

use super::actor::{Actor, ActorKind, RoleAssignment, RoleScope};
use super::policy::{Condition, Grant, POLICY, Reach};
use super::scope::Scope;
use super::words::{Action, Resource, Role};
use crate::date::Date;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What is done.
    pub action: Action,
    /// What it is done to.
    pub resource: Resource,
    /// The source whose facts are written, where that matters.
    pub source: Option<&'a str>,
    /// The benefit that is asked about, where that matters.
    pub benefit: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// `action` on `resource`.
    pub const fn new(action: Action, resource: Resource) -> Self {
        Self { action, resource, source: None, benefit: None }
    }

    /// The same, with facts of this source.
    #[must_use]
    pub const fn of_source(self, source: &'a str) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The same, about this benefit.
    #[must_use]
    pub const fn about(self, benefit: &'a str) -> Self {
        Self { benefit: Some(benefit), ..self }
    }
}

impl From<(Action, Resource)> for Asked<'_> {
    fn from((action, resource): (Action, Resource)) -> Self {
        Self::new(action, resource)
    }
}

/// No role of the actor allows it on that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// What was to be done.
    pub action: Action,
    /// What it was to be done to.
    pub resource: Resource,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no role allows {} on {}", self.action, self.resource)
    }
}

impl std::error::Error for Denied {}

/// How far `actor` may do what is asked on `day`, by the rights that carry no condition.
pub fn authorize<'a>(actor: &Actor, asked: impl Into<Asked<'a>>, day: Date) -> Result<Scope, Denied> {
    authorize_under(actor, asked, day, &[])
}

/// As [`authorize`], and by the rights whose condition is among `kept`: the caller states that it keeps them. A condition that
/// nobody keeps gives no right.
pub fn authorize_under<'a>(actor: &Actor, asked: impl Into<Asked<'a>>, day: Date, kept: &[Condition]) -> Result<Scope, Denied> {
    let asked = asked.into();
    let grants = POLICY.iter().filter(|row| row.action == asked.action && row.resource == asked.resource).flat_map(|row| row.grants);
    let usable = |grant: &Grant| grant.condition.is_none_or(|condition| kept.contains(&condition));
    let pairs = grants.filter(|grant| usable(grant)).flat_map(|grant| actor.roles.iter().map(move |held| (grant, held)));
    let reached = pairs.filter(|(grant, held)| applies(actor, grant, held, asked, day)).map(|(grant, held)| scope_of(grant.reach, held));
    match Scope::union(reached) {
        Scope::Nothing => Err(Denied { action: asked.action, resource: asked.resource }),
        scope => Ok(scope),
    }
}

fn applies(actor: &Actor, grant: &Grant, held: &RoleAssignment, asked: Asked<'_>, day: Date) -> bool {
    let listed = |list: &[String], wanted: Option<&str>| list.is_empty() || wanted.is_some_and(|wanted| list.iter().any(|one| one == wanted));
    let decides = matches!(asked.action, Action::Approve | Action::Publish);
    held.role == grant.role
        && held.holds_on(day)
        && listed(&held.sources, asked.source)
        && listed(&held.benefits, asked.benefit)
        && !(decides && actor.kind == ActorKind::Service)
        && (held.role == Role::System) == (actor.kind == ActorKind::System)
}

/// The reach of a grant, bounded by the assignment. A role of a partner's company reaches the partners that it names; a channel
/// manager the regions or partners that he is given; either without them reaches nobody.
fn scope_of(reach: Reach, held: &RoleAssignment) -> Scope {
    let bounded = match &held.scope {
        RoleScope::Partners(codes) if !codes.is_empty() => Scope::Partners(codes.clone()),
        RoleScope::Regions(keys) if !keys.is_empty() && !held.role.is_partner_role() => Scope::Regions(keys.clone()),
        RoleScope::All if !held.role.is_partner_role() && held.role != Role::ChannelManager => Scope::All,
        _ => Scope::Nothing,
    };
    match (reach, bounded) {
        (_, Scope::Nothing) => Scope::Nothing,
        (Reach::Common, _) => Scope::All,
        (Reach::Assigned, bounded) => bounded,
    }
}
