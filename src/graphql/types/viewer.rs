//! Who asks.

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::access;

use crate::app::Ctx;
use crate::graphql::scalars::{DateTime, GqlDate};

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::access::ActorKind")]
pub enum ActorKind {
    /// A human being.
    Person,
    /// A machine with a key of its own.
    Service,
    /// The service itself.
    System,
}

/// Whoever sent this request, as the service knows him.
#[derive(Debug, Clone, SimpleObject)]
pub struct Viewer {
    /// The person or service account.
    pub person: String,
    /// Person or machine.
    pub kind: ActorKind,
    /// The roles that hold today.
    pub roles: Vec<ViewerRole>,
    /// The moment of this request by the service's clock.
    pub now: DateTime,
}

/// One role, and how far it reaches.
#[derive(Debug, Clone, SimpleObject)]
pub struct ViewerRole {
    /// The role, such as PARTNER_ADMIN. Expect roles that you do not know.
    pub role: String,
    /// Whether it reaches as far as the role can. Otherwise it reaches the partners and regions listed.
    pub everywhere: bool,
    /// The codes of the partners that it reaches.
    pub partners: Vec<String>,
    /// The keys of the regions that it reaches.
    pub regions: Vec<String>,
    /// The first day on which it holds.
    pub from: Option<GqlDate>,
    /// The first day on which it holds no more.
    pub until: Option<GqlDate>,
}

impl From<&Ctx> for Viewer {
    fn from(ctx: &Ctx) -> Self {
        let roles = ctx.actor.roles.iter().filter(|held| held.holds_on(ctx.today)).map(Into::into).collect();
        Self { person: ctx.actor.person.clone(), kind: ctx.actor.kind.into(), roles, now: ctx.now.into() }
    }
}

impl From<&access::RoleAssignment> for ViewerRole {
    fn from(held: &access::RoleAssignment) -> Self {
        let (everywhere, partners, regions) = match &held.scope {
            access::RoleScope::All => (true, Vec::new(), Vec::new()),
            access::RoleScope::Partners(codes) => (false, codes.clone(), Vec::new()),
            access::RoleScope::Regions(keys) => (false, Vec::new(), keys.clone()),
        };
        Self { role: held.role.word().to_owned(), everywhere, partners, regions, from: held.from.map(GqlDate), until: held.until.map(GqlDate) }
    }
}
