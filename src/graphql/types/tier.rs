//! Tiers that partners hold and held.

use async_graphql::{Context, Enum, Object};

use super::admission::TierOverride;
use super::program::ProgramVersion;
use crate::app::levelling::HeldTier;
use crate::connection;
use crate::graphql::error::Maybe;
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::scalars::GqlDate;

/// Why a tier was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::AssignmentCause")]
pub enum AssignmentCause {
    /// The first tier.
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

/// A tier held over a span of time.
#[derive(Debug, Clone)]
pub struct TierAssignment(pub HeldTier);

/// A tier that a partner holds or held. Holding none is a value of its own.
#[Object]
impl TierAssignment {
    /// The ladder.
    async fn ladder(&self) -> &str {
        &self.0.ladder
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The tier's key; null while no tier is held.
    async fn tier(&self) -> Option<&str> {
        self.0.tier.as_deref()
    }

    /// The first day on which it is held.
    async fn from(&self) -> GqlDate {
        self.0.from.into()
    }

    /// The first day on which it is no longer held; null while it is.
    async fn until(&self) -> Option<GqlDate> {
        self.0.until.map(GqlDate)
    }

    /// Why it was given.
    async fn cause(&self) -> AssignmentCause {
        self.0.cause.into()
    }

    /// The program version that decided; null for an override that no evaluation has seen yet.
    async fn decided_by(&self, ctx: &Context<'_>) -> Maybe<ProgramVersion> {
        let found = async {
            match self.0.decided_by {
                Some(version) => Ok(ctx.loaders()?.version(version).await?.map(ProgramVersion)),
                None => Ok(None),
            }
        };
        found.await.transpose()
    }

    /// The override that holds it.
    async fn overridden(&self) -> Option<TierOverride> {
        self.0.overridden.clone().map(TierOverride)
    }
}

connection!(TierAssignmentConnection, TierAssignmentEdge, TierAssignment, "tiers held");
