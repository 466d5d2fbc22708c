//! Keys: the object, and every argument of the question.

use std::collections::BTreeSet;
use std::sync::Arc;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::page::PageRequest;

use crate::app::disputes::DisputeId;
use crate::app::jobs::JobId;
use crate::app::partners::PartnerId;
use crate::app::programs::{ProgramId, ProgramKey, VersionId};
use crate::app::rebates::runs::RunId;
use crate::app::rebates::statements::{StatementId, StatementsAsked};
use crate::app::reviews::ReviewId;
use crate::app::simulation::Simulate;

/// A dispute by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DisputeNode(pub DisputeId);

/// Background work by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobNode(pub JobId);

/// A review by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReviewNode(pub ReviewId);

/// The moves of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MovesKey(pub ReviewId);

/// A partner by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartnerNode(pub PartnerId);

/// The profiles of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProfilesKey(pub PartnerId);

/// The enrollments of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnrollmentsKey(pub PartnerId);

/// A program by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProgramNode(pub ProgramId);

/// A program version by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionNode(pub VersionId);

/// The versions of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionsKey(pub ProgramId);

/// A program version, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompiledKey(pub VersionId);

/// The tiers that a partner held in a program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
}

/// Where a partner stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StandingKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The date; today when empty.
    pub as_of: Option<Date>,
    /// What threatens its tiers within so many months is asked with it.
    pub ahead: Option<i32>,
}

/// What threatens the tiers of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RisksKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program.
    pub program: ProgramKey,
    /// The date.
    pub as_of: Date,
    /// So many months ahead.
    pub months: i32,
}

/// What a partner is entitled to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntitlementsKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The date; today when empty.
    pub as_of: Option<Date>,
    /// The region that ladders in a region are read for; the partner's own when empty.
    pub region: Option<String>,
    /// These benefits alone; all when empty.
    pub benefits: Option<BTreeSet<String>>,
    /// Whether what would unlock a benefit is asked too.
    pub unlocks: bool,
}

/// What a partner has earned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EstimateKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The period; of each schedule the one that holds the date when empty.
    pub period: Option<String>,
    /// Sales after this day do not count; today when empty.
    pub as_of: Option<Date>,
}

/// A page of a partner's sale lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransactionsKey {
    /// The partner.
    pub partner: PartnerId,
    /// The days.
    pub days: Span,
    /// The page.
    pub page: PageRequest,
}

/// The overrides of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OverridesKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; every one when empty.
    pub program: Option<ProgramKey>,
}

/// The applications, invitations and approvals of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdmissionsKey {
    /// The partner.
    pub partner: PartnerId,
    /// The program; every one when empty.
    pub program: Option<ProgramKey>,
}

/// An override by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverrideNode(pub uuid::Uuid);

/// An application, invitation or approval by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AdmissionNode(pub uuid::Uuid);

/// A rebate run by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunNode(pub RunId);

/// A statement by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatementNode(pub StatementId);

/// A page of a partner's statements.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatementsKey {
    /// The partner.
    pub partner: PartnerId,
    /// Which ones.
    pub asked: StatementsAsked,
    /// The page.
    pub page: PageRequest,
}

/// What a partner would be with other facts.
#[derive(Debug, Clone)]
pub struct WhatIfKey {
    /// The partner.
    pub partner: PartnerId,
    /// The question.
    pub question: Arc<Simulate>,
    /// The question, spelled out: what it is known by.
    pub spelled: Arc<str>,
}

impl WhatIfKey {
    /// A question about a partner.
    pub fn new(partner: PartnerId, question: Simulate) -> Self {
        let spelled = format!("{question:?}").into();
        Self { partner, question: Arc::new(question), spelled }
    }
}

impl PartialEq for WhatIfKey {
    fn eq(&self, other: &Self) -> bool {
        (self.partner, &self.spelled) == (other.partner, &other.spelled)
    }
}

impl Eq for WhatIfKey {}

impl std::hash::Hash for WhatIfKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.partner, &self.spelled).hash(state);
    }
}
