//! Overrides of a partner's tier, and how partners get into tiers that are not entered automatically.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::partner::Partner;
use super::period::DateSpan;
use super::program::Program;
use super::standing::OverrideKind;
use crate::app::admissions::StoredAdmissionRequest;
use crate::app::overrides::{Decided, StoredOverride};
use crate::connection;
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::scalars::{DateTime, GqlDate};

/// Where an override is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::overrides::OverrideState")]
pub enum OverrideState {
    /// It waits for another person; no effect yet.
    Proposed,
    /// It holds on its days.
    Approved,
    /// Another person refused it.
    Rejected,
    /// It was taken back before it held.
    Withdrawn,
}

/// Who did something, when and why.
#[derive(Debug, Clone, SimpleObject)]
pub struct Deed {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime,
    /// Why.
    pub reason: Option<String>,
}

/// A status that a partner has elsewhere.
#[derive(Debug, Clone, SimpleObject)]
pub struct StatusMatch {
    /// In which program of whom.
    pub program: String,
    /// Which status.
    pub status: String,
    /// Where that can be seen.
    pub evidence: Option<String>,
}

fn deed(decided: Option<&Decided>) -> Option<Deed> {
    decided.map(|decided| Deed { by: decided.by.clone(), at: decided.at.into(), reason: decided.reason.clone() })
}

/// An override.
#[derive(Debug, Clone)]
pub struct TierOverride(pub StoredOverride);

/// A pin, floor or ceiling of a partner's tier: proposed by one person, approved by another. A pin beats a ceiling, a ceiling beats a
/// floor; an overridden tier counts as held.
#[Object]
impl TierOverride {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::TierOverride, self.0.id)
    }

    /// The partner.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok(ctx.loaders()?.partner(self.0.partner_id).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// The ladder.
    async fn ladder(&self) -> &str {
        &self.0.fact.ladder
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.fact.region.as_deref()
    }

    /// Pin, ceiling or floor.
    async fn kind(&self) -> OverrideKind {
        self.0.fact.kind.into()
    }

    /// Its tier; null pins to no tier.
    async fn tier(&self) -> Option<&str> {
        self.0.fact.tier.as_deref()
    }

    /// Its days. On its end the last review's tier applies, and a review is due.
    async fn span(&self) -> DateSpan {
        self.0.fact.span.into()
    }

    /// Why it was proposed.
    async fn reason(&self) -> &str {
        &self.0.fact.reason
    }

    /// Where it is on its way.
    async fn state(&self) -> OverrideState {
        self.0.state.into()
    }

    /// The status elsewhere that it rests on.
    async fn status_match(&self) -> Option<StatusMatch> {
        let matched = self.0.status_match.as_ref()?;
        Some(StatusMatch { program: matched.program.clone(), status: matched.status.clone(), evidence: matched.evidence.clone() })
    }

    /// Who proposed it.
    async fn proposed_by(&self) -> Option<&str> {
        self.0.fact.proposed_by.as_deref()
    }

    /// When it was proposed.
    async fn proposed_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who approved, rejected or withdrew it.
    async fn decided(&self) -> Option<Deed> {
        deed(self.0.decided.as_ref())
    }

    /// Who ended it early.
    async fn ended(&self) -> Option<Deed> {
        deed(self.0.ended.as_ref())
    }

    /// The end that was planned, where it was ended early.
    async fn planned_until(&self) -> Option<GqlDate> {
        self.0.planned_until.map(GqlDate)
    }

    /// Counts its changes; `expectedVersion` of the mutations.
    async fn version(&self) -> i64 {
        self.0.row_version
    }
}

connection!(TierOverrideConnection, TierOverrideEdge, TierOverride, "overrides");

/// How a partner gets into a tier that is not entered automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::AdmissionKind")]
pub enum AdmissionKind {
    /// The vendor invites, the partner accepts.
    Invitation,
    /// The partner applies, the vendor accepts.
    Application,
    /// One person of the vendor proposes, another approves.
    Approval,
}

/// Where an application, invitation or approval is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::admissions::AdmissionState")]
pub enum AdmissionState {
    /// It waits for an answer.
    Open,
    /// It was accepted: the partner may enter the tier.
    Accepted,
    /// It was refused or declined.
    Rejected,
    /// Whoever opened it took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
    /// It was accepted, and somebody ended it: it lets the partner in no more.
    Ended,
}

/// An application, invitation or approval.
#[derive(Debug, Clone)]
pub struct AdmissionRequest(pub StoredAdmissionRequest);

/// An application of a partner for a tier, an invitation to it, or its approval. Who opened it does not answer it.
#[Object]
impl AdmissionRequest {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::AdmissionRequest, self.0.id)
    }

    /// Application, invitation or approval.
    async fn kind(&self) -> AdmissionKind {
        self.0.kind.into()
    }

    /// Where it is on its way, today.
    async fn state(&self, ctx: &Context<'_>) -> Answer<AdmissionState> {
        Ok(self.0.state_on(ctx.caller()?.today).into())
    }

    /// The partner.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok(ctx.loaders()?.partner(self.0.partner_id).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// The ladder.
    async fn ladder(&self) -> &str {
        &self.0.ladder
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The tier.
    async fn tier(&self) -> &str {
        &self.0.tier
    }

    /// What was written with it.
    async fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// Where the evidence is.
    async fn evidence(&self) -> Option<&str> {
        self.0.evidence.as_deref()
    }

    /// The first day on which it can be answered no more; null while it can for ever.
    async fn answer_until(&self) -> Option<GqlDate> {
        self.0.answer_until.map(GqlDate)
    }

    /// Who opened it, and when.
    async fn opened(&self) -> Deed {
        Deed { by: self.0.opened_by.clone(), at: self.0.opened_at.into(), reason: None }
    }

    /// The day on which it was opened.
    async fn opened_on(&self) -> GqlDate {
        self.0.opened_on.into()
    }

    /// Who answered it, or took it back.
    async fn decided(&self) -> Option<Deed> {
        deed(self.0.decided.as_ref())
    }

    /// The first day on which it lets the partner in no more, where somebody ended it.
    async fn ended_on(&self) -> Option<GqlDate> {
        self.0.ended_on.map(GqlDate)
    }

    /// Who ended it.
    async fn ended(&self) -> Option<Deed> {
        deed(self.0.ended.as_ref())
    }

    /// Counts its changes; `expectedVersion` of the mutations.
    async fn version(&self) -> i64 {
        self.0.row_version
    }
}

connection!(AdmissionRequestConnection, AdmissionRequestEdge, AdmissionRequest, "applications, invitations and approvals");
