//! Loaders: many single questions of one request become one call of a use case. They are made per request and hold the caller, so
//! that no question of another caller can be in their batches; keys carry every argument that the answer depends on.

mod admissions;
mod disputes;
mod jobs;
mod keys;
mod partners;
mod programs;
mod reviews;
mod runs;

use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use guerdon_domain::page::Page;

pub use keys::{
    AdmissionNode, AdmissionsKey, CompiledKey, DisputeNode, EnrollmentsKey, EntitlementsKey, EstimateKey, HistoryKey, JobNode, MovesKey, OverrideNode,
    OverridesKey, PartnerNode, ProfilesKey, ProgramNode, ReviewNode, RisksKey, RunNode, StandingKey, StatementNode, StatementsKey, TransactionsKey,
    VersionNode, VersionsKey, WhatIfKey,
};

use super::context::RequestData;
use super::error::{Answer, GqlFault};
use crate::app::admissions::StoredAdmissionRequest;
use crate::app::disputes::{DisputeId, StoredDispute};
use crate::app::jobs::{Job, JobId};
use crate::app::levelling::{PartnerStanding, TierHistory};
use crate::app::overrides::StoredOverride;
use crate::app::partners::{PartnerId, StoredEnrollment, StoredPartner};
use crate::app::programs::{ProgramId, StoredProgram, VersionHead, VersionId};
use crate::app::rebates::Estimate;
use crate::app::rebates::runs::{RunId, StoredRun};
use crate::app::rebates::statements::{StatementId, StoredStatement};
use crate::app::reviews::{Moves, ReviewId, StoredReview};
use crate::app::simulation::WhatIf;
use crate::app::transactions::StoredTransaction;
use crate::app::{App, Ctx};
use guerdon_domain::benefit::Entitlement;
use guerdon_domain::facts::PartnerProfile;
use guerdon_domain::levelling::LadderRisk;
use guerdon_domain::program::Program;

/// What a loader answers to a resolver, which makes a field of it: something, nothing, or a failure.
pub type Found<T> = Answer<Option<T>>;

/// Keys in one batch at most: twice the largest page, so that an edge of two pages is one batch.
const BATCH_MAX: usize = 200;

/// What loaders read with: the caller's own rights.
pub struct Reader {
    pub(super) app: App,
    pub(super) ctx: Ctx,
}

/// A page of sale lines, with what their cursors hold.
pub type Lines = Page<(Vec<String>, StoredTransaction)>;

/// A page of statements, with what their cursors hold.
pub type StatementPage = Page<(Vec<String>, StoredStatement)>;

/// The loaders of one request.
pub struct Loaders(DataLoader<Reader, HashMapCache>);

impl Loaders {
    /// Loaders for a caller.
    pub fn new(app: App, ctx: Ctx) -> Self {
        let reader = Reader { app, ctx };
        Self(DataLoader::with_cache(reader, TokioSpawner::current(), TokioTimer::default(), HashMapCache::default()).max_batch_size(BATCH_MAX))
    }

    async fn load<K>(&self, key: K) -> Found<<Reader as Loader<K>>::Value>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reader: Loader<K, Error = GqlFault>,
    {
        self.0.load_one(key).await
    }

    /// A dispute.
    pub async fn dispute(&self, id: DisputeId) -> Found<StoredDispute> {
        self.load(DisputeNode(id)).await
    }

    /// Background work.
    pub async fn job(&self, id: JobId) -> Found<Job> {
        self.load(JobNode(id)).await
    }

    /// A review.
    pub async fn review(&self, id: ReviewId) -> Found<StoredReview> {
        self.load(ReviewNode(id)).await
    }

    /// How many partners in scope a review found going from which tier to which.
    pub async fn moves(&self, review: ReviewId) -> Answer<Arc<Moves>> {
        Ok(self.load(MovesKey(review)).await?.unwrap_or_default())
    }

    /// A partner, in scope.
    pub async fn partner(&self, id: PartnerId) -> Found<StoredPartner> {
        self.load(PartnerNode(id)).await
    }

    /// Partners, in scope.
    pub async fn partners(&self, ids: &[PartnerId]) -> Answer<std::collections::HashMap<PartnerId, StoredPartner>> {
        let found = self.0.load_many(ids.iter().map(|id| PartnerNode(*id))).await?;
        Ok(found.into_iter().map(|(key, partner)| (key.0, partner)).collect())
    }

    /// Everything that a partner was and will be, in date order.
    pub async fn profiles(&self, id: PartnerId) -> Answer<Arc<Vec<PartnerProfile>>> {
        Ok(self.load(ProfilesKey(id)).await?.unwrap_or_default())
    }

    /// The enrollments of a partner.
    pub async fn enrollments(&self, id: PartnerId) -> Answer<Arc<Vec<StoredEnrollment>>> {
        Ok(self.load(EnrollmentsKey(id)).await?.unwrap_or_default())
    }

    /// The tiers that a partner held.
    pub async fn history(&self, key: HistoryKey) -> Answer<Arc<TierHistory>> {
        Ok(self.load(key).await?.transpose()?.unwrap_or_default())
    }

    /// The overrides of a partner, newest first.
    pub async fn overrides(&self, key: OverridesKey) -> Answer<Arc<Vec<StoredOverride>>> {
        Ok(self.load(key).await?.transpose()?.unwrap_or_default())
    }

    /// The applications, invitations and approvals of a partner, newest first.
    pub async fn admissions(&self, key: AdmissionsKey) -> Answer<Arc<Vec<StoredAdmissionRequest>>> {
        Ok(self.load(key).await?.transpose()?.unwrap_or_default())
    }

    /// An override, in scope.
    pub async fn tier_override(&self, id: uuid::Uuid) -> Found<StoredOverride> {
        self.load(OverrideNode(id)).await
    }

    /// An application, invitation or approval, in scope.
    pub async fn admission(&self, id: uuid::Uuid) -> Found<StoredAdmissionRequest> {
        self.load(AdmissionNode(id)).await
    }

    /// Where a partner stands; none before the first program version.
    pub async fn standing(&self, key: StandingKey) -> Found<Arc<PartnerStanding>> {
        self.load(key).await?.transpose()
    }

    /// What threatens the tiers of a partner.
    pub async fn risks(&self, key: RisksKey) -> Answer<Arc<Vec<LadderRisk>>> {
        Ok(self.load(key).await?.transpose()?.unwrap_or_default())
    }

    /// What a partner would be with other facts; none before the first program version.
    pub async fn what_if(&self, key: WhatIfKey) -> Found<Arc<WhatIf>> {
        self.load(key).await?.transpose()
    }

    /// Keeps nothing any more: a mutation changes what was read before it.
    pub fn keep_nothing(&self) {
        self.0.enable_all_cache(false);
    }

    /// What a partner is entitled to; none before the first program version.
    pub async fn entitlements(&self, key: EntitlementsKey) -> Found<Arc<Vec<Arc<Entitlement>>>> {
        self.load(key).await?.transpose()
    }

    /// What a partner has earned; none before the first program version.
    pub async fn estimate(&self, key: EstimateKey) -> Found<Arc<Estimate>> {
        self.load(key).await?.transpose()
    }

    /// A page of a partner's sale lines.
    pub async fn transactions(&self, key: TransactionsKey) -> Answer<Lines> {
        let page = self.load(key).await?.transpose()?;
        Ok(page.map_or(Page { rows: Vec::new(), more: false }, |page| Page::clone(&page)))
    }

    /// A rebate run, where the caller may see it.
    pub async fn run(&self, id: RunId) -> Found<StoredRun> {
        self.load(RunNode(id)).await
    }

    /// A statement, in scope.
    pub async fn statement(&self, id: StatementId) -> Found<StoredStatement> {
        self.load(StatementNode(id)).await
    }

    /// A page of a partner's statements.
    pub async fn statements(&self, key: StatementsKey) -> Answer<StatementPage> {
        let page = self.load(key).await?.transpose()?;
        Ok(page.map_or(Page { rows: Vec::new(), more: false }, |page| Page::clone(&page)))
    }

    /// A program.
    pub async fn program(&self, id: ProgramId) -> Found<StoredProgram> {
        self.load(ProgramNode(id)).await
    }

    /// A program version.
    pub async fn version(&self, id: VersionId) -> Found<VersionHead> {
        self.load(VersionNode(id)).await
    }

    /// The versions of a program, newest first.
    pub async fn versions_of(&self, program: ProgramId) -> Answer<Arc<Vec<VersionHead>>> {
        Ok(self.load(VersionsKey(program)).await?.unwrap_or_default())
    }

    /// A version, compiled.
    pub async fn compiled(&self, version: VersionId) -> Answer<Arc<Program>> {
        self.load(CompiledKey(version)).await?.ok_or_else(|| crate::error::AppError::NotFound.into())
    }
}

/// The loaders of the request.
pub trait RequestLoaders<'a> {
    /// The loaders of the request.
    fn loaders(&self) -> Answer<&'a Loaders>;
}

impl<'a> RequestLoaders<'a> for Context<'a> {
    fn loaders(&self) -> Answer<&'a Loaders> {
        self.request()
    }
}

/// The keys that ask the same of different objects, by what they ask.
fn by_question<K, Q: Ord>(keys: &[K], question: impl Fn(&K) -> Q) -> std::collections::BTreeMap<Q, Vec<&K>> {
    let mut groups: std::collections::BTreeMap<Q, Vec<&K>> = std::collections::BTreeMap::new();
    for key in keys {
        groups.entry(question(key)).or_default().push(key);
    }
    groups
}
