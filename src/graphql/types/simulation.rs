//! What a simulation answers: moves with reasons, who is near, what changes in benefits and rebates.

use std::sync::Arc;

use async_graphql::{Enum, Object, SimpleObject};
use guerdon_domain::document::diff;
use guerdon_domain::fault::Fault;
use guerdon_domain::page::Page;
use guerdon_domain::simulation as domain;

use super::benefit::BenefitValue;
use super::standing::{LadderStanding, TierReason, ladders_of};
use crate::app::levelling::PartnerStanding;
use crate::app::simulation::{Simulated, WhatIf as FoundWhatIf};
use crate::connection;
use crate::graphql::connection::{Binding, PageArgs, connect};
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::pages::page_of_list;
use crate::graphql::scalars::{Decimal, GqlDate, Money};

/// Differences of the rules that are listed at most.
const RULES_MAX: usize = 200;

/// What happened to a part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::diff::ChangeKind")]
pub enum RuleDifferenceKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another value.
    Changed,
    /// A list has the same things in another order.
    Reordered,
}

/// Which way a partner moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::simulation::Direction")]
pub enum MoveDirection {
    /// To a higher tier.
    Up,
    /// To a lower one, perhaps none.
    Down,
    /// To another one of the same rank: the ladder itself is different.
    Aside,
}

/// On which side of a threshold a partner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::simulation::Side")]
pub enum ThresholdSide {
    /// It just misses the next tier.
    Below,
    /// It just holds its tier.
    Above,
}

/// What happens to a benefit of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::simulation::BenefitChangeKind")]
pub enum BenefitChangeKind {
    /// It is given and was not.
    Gained,
    /// It was given and is not.
    Lost,
    /// Its value is another one.
    Changed,
}

/// A difference of the rules.
#[derive(Debug, Clone, SimpleObject)]
pub struct RuleDifference {
    /// Where: things with a key are called by it.
    pub path: String,
    /// What happened.
    pub kind: RuleDifferenceKind,
    /// What is there now, as JSON text.
    pub before: Option<String>,
    /// What would be there, as JSON text.
    pub after: Option<String>,
}

/// How many partners hold one tier before and one after; where tiers are held per region, a partner counts once for each.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulationCell {
    /// The ladder.
    pub ladder: String,
    /// The tier before; null for none.
    pub from: Option<String>,
    /// The tier after; null for none.
    pub to: Option<String>,
    /// How many.
    pub partners: i64,
}

/// A condition in one of the worlds.
#[derive(Debug, Clone, SimpleObject)]
pub struct LeafState {
    /// Whether it is met.
    pub met: bool,
    /// What is required.
    pub required: Option<Decimal>,
    /// What there is; null for no data.
    pub actual: Option<Decimal>,
}

/// A condition whose verdict is another one.
#[derive(Debug, Clone, SimpleObject)]
pub struct LeafChange {
    /// The tier that asks for it.
    pub tier: String,
    /// Its key: the metric's, or what else it is known by.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    /// The group, inside of a FOR_EACH.
    pub group: Option<String>,
    /// Before; null where it was not asked.
    pub before: Option<LeafState>,
    /// After; null where it is not asked.
    pub after: Option<LeafState>,
    /// In plain language: as it is after, or as it was where it is not asked any more.
    pub sentence: String,
}

/// A partner that would hold another tier.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulatedMove {
    /// The partner's code.
    pub partner_code: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier before; null for none.
    pub from: Option<String>,
    /// The tier after; null for none.
    pub to: Option<String>,
    /// Which way.
    pub direction: MoveDirection,
    /// The tier on record; null for none.
    pub on_record: Option<String>,
    /// The conditions whose verdict is another one; at most 20.
    pub leaves: Vec<LeafChange>,
    /// What the policy of reviews does after and did not do before.
    pub reasons: Vec<TierReason>,
    /// What it did before and does no more.
    pub reasons_gone: Vec<TierReason>,
    /// Why, in one line.
    pub text: String,
}

/// How many partners are near a threshold.
#[derive(Debug, Clone, SimpleObject)]
pub struct NearCount {
    /// The ladder.
    pub ladder: String,
    /// The tier.
    pub tier: String,
    /// Whether they miss it, or just hold it.
    pub side: ThresholdSide,
    /// How many.
    pub partners: i64,
}

/// A partner near a threshold, after the change.
#[derive(Debug, Clone, SimpleObject)]
pub struct NearPartner {
    /// The partner's code.
    pub partner_code: String,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that it misses, or just holds.
    pub tier: String,
    /// Which.
    pub side: ThresholdSide,
    /// The largest part of a requirement that is missing on the nearest way, or the smallest by which it is more than met.
    pub distance: Decimal,
    /// The part of the tier's requirement that is met, from 0 to 1.
    pub share_met: Decimal,
    /// What is missing, in plain language; nothing of a tier that is held.
    pub missing: Vec<String>,
}

/// How many partners have a benefit otherwise.
#[derive(Debug, Clone, SimpleObject)]
pub struct BenefitChangeCount {
    /// The benefit.
    pub benefit: String,
    /// The tier of the main ladder after the change; null for none.
    pub tier: Option<String>,
    /// What happens to it.
    pub kind: BenefitChangeKind,
    /// How many.
    pub partners: i64,
}

/// A benefit of a partner that would be another one.
#[derive(Debug, Clone, SimpleObject)]
pub struct BenefitChange {
    /// The partner's code.
    pub partner_code: String,
    /// The benefit.
    pub benefit: String,
    /// What happens to it.
    pub kind: BenefitChangeKind,
    /// The tier of the main ladder after the change; null for none.
    pub tier: Option<String>,
    /// Its value before; null where it was not given.
    pub before: Option<BenefitValue>,
    /// Its value after; null where it is not given.
    pub after: Option<BenefitValue>,
}

/// What a schedule pays for a period in all.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulatedRebateSum {
    /// The period.
    pub period: String,
    /// The schedule.
    pub schedule: String,
    /// Before.
    pub before: Money,
    /// After.
    pub after: Money,
    /// After less before.
    pub difference: Money,
    /// How many partners earn something in one of the worlds.
    pub partners: i64,
    /// How many of them earn another figure.
    pub changed: i64,
}

/// A rebate of a partner that would be another figure.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulatedRebateChange {
    /// The partner's code.
    pub partner_code: String,
    /// The period.
    pub period: String,
    /// The schedule.
    pub schedule: String,
    /// Before.
    pub before: Money,
    /// After.
    pub after: Money,
}

/// Something that the caller should know: a partner that could not be judged, a fact that is not there, a budget that does not suffice.
#[derive(Debug, Clone, SimpleObject)]
pub struct SimulationWarning {
    /// The partner's code; null where it is about the whole.
    pub partner_code: Option<String>,
    /// What it is, for programs.
    pub code: String,
    /// What it is, for people.
    pub message: String,
}

connection!(SimulatedMoveConnection, SimulatedMoveEdge, SimulatedMove, "partners that would hold another tier");
connection!(NearPartnerConnection, NearPartnerEdge, NearPartner, "partners near a threshold");
connection!(BenefitChangeConnection, BenefitChangeEdge, BenefitChange, "benefits that would be others");
connection!(SimulatedRebateChangeConnection, SimulatedRebateChangeEdge, SimulatedRebateChange, "rebates that would be other figures");

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What a simulation answers.
pub struct Simulation(pub Arc<Simulated>);

/// Reality and a hypothesis, compared. Nothing of it is stored. Counts and sums are of all partners; lists hold the first 10,000.
#[Object]
impl Simulation {
    /// The program's code.
    async fn program_code(&self) -> &str {
        &self.0.program
    }

    /// The number of the version in force, with which is compared.
    async fn program_version(&self) -> i64 {
        self.0.version
    }

    /// The date; as of its end.
    async fn as_of(&self) -> GqlDate {
        self.0.report.as_of.into()
    }

    /// What is different in the rules; at most 200.
    async fn rules(&self) -> Vec<RuleDifference> {
        self.0.rules.iter().take(RULES_MAX).map(Into::into).collect()
    }

    /// How many partners were judged.
    async fn partners(&self) -> i64 {
        count(self.0.report.partners)
    }

    /// How many tiers would be higher.
    async fn up(&self) -> i64 {
        count(self.0.report.up)
    }

    /// How many would be lower.
    async fn down(&self) -> i64 {
        count(self.0.report.down)
    }

    /// How many would be others of the same rank.
    async fn aside(&self) -> i64 {
        count(self.0.report.aside)
    }

    /// From which tier to which, lowest tiers first.
    async fn matrix(&self, #[graphql(desc = "Only this ladder; all when empty.")] ladder: Option<String>) -> Vec<SimulationCell> {
        let cells = self.0.report.matrix.iter().filter(|cell| ladder.as_ref().is_none_or(|ladder| *ladder == cell.ladder));
        let cell = |cell: &domain::MatrixCell| SimulationCell {
            ladder: cell.ladder.clone(),
            from: cell.from.clone(),
            to: cell.to.clone(),
            partners: count(cell.partners),
        };
        cells.map(cell).collect()
    }

    /// The partners that would hold another tier, by code.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn moves(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "Only this ladder; all when empty.")] ladder: Option<String>,
        #[graphql(desc = "Only this way; all when empty.")] direction: Option<MoveDirection>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<SimulatedMoveConnection> {
        let binding = Binding::new("simulation.moves", &(&ladder, direction.map(domain::Direction::from)));
        let wanted = |moved: &&domain::Move| {
            ladder.as_ref().is_none_or(|ladder| *ladder == moved.ladder)
                && direction.is_none_or(|direction| domain::Direction::from(direction) == moved.direction)
        };
        let rows: Vec<SimulatedMove> = self.0.report.moves.iter().filter(wanted).map(Into::into).collect();
        let key = |moved: &SimulatedMove| vec![moved.partner_code.clone(), moved.ladder.clone(), moved.region.clone().unwrap_or_default()];
        paged(ctx, &binding, &PageArgs { first, after, last, before }, &rows, key)
    }

    /// How many partners are near a threshold after the change.
    async fn near_counts(&self) -> Vec<NearCount> {
        let one =
            |one: &domain::NearCount| NearCount { ladder: one.ladder.clone(), tier: one.tier.clone(), side: one.side.into(), partners: count(one.partners) };
        self.0.report.near_counts.iter().map(one).collect()
    }

    /// The partners near a threshold after the change, nearest first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn near(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "Only this ladder; all when empty.")] ladder: Option<String>,
        #[graphql(desc = "Only this side; both when empty.")] side: Option<ThresholdSide>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<NearPartnerConnection> {
        let binding = Binding::new("simulation.near", &(&ladder, side.map(domain::Side::from)));
        let wanted =
            |near: &&domain::Near| ladder.as_ref().is_none_or(|ladder| *ladder == near.ladder) && side.is_none_or(|side| domain::Side::from(side) == near.side);
        let rows: Vec<NearPartner> = self.0.report.near.iter().filter(wanted).map(Into::into).collect();
        let key =
            |near: &NearPartner| vec![near.partner_code.clone(), near.ladder.clone(), near.region.clone().unwrap_or_default(), format!("{:?}", near.side)];
        paged(ctx, &binding, &PageArgs { first, after, last, before }, &rows, key)
    }

    /// How many partners have a benefit otherwise, by benefit and tier.
    async fn benefit_counts(&self) -> Vec<BenefitChangeCount> {
        let one = |one: &domain::BenefitCount| BenefitChangeCount {
            benefit: one.benefit.clone(),
            tier: one.tier.clone(),
            kind: one.kind.into(),
            partners: count(one.partners),
        };
        self.0.report.benefit_counts.iter().map(one).collect()
    }

    /// The benefits of partners that would be others, by partner.
    async fn benefit_changes(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "Only this benefit; all when empty.")] benefit: Option<String>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<BenefitChangeConnection> {
        let binding = Binding::new("simulation.benefitChanges", &benefit);
        let wanted = |change: &&domain::BenefitMove| benefit.as_ref().is_none_or(|benefit| *benefit == change.benefit);
        let rows: Vec<BenefitChange> = self.0.report.benefits.iter().filter(wanted).map(Into::into).collect();
        paged(ctx, &binding, &PageArgs { first, after, last, before }, &rows, |change| vec![change.partner_code.clone(), change.benefit.clone()])
    }

    /// What each schedule pays for each period in all.
    async fn rebates(&self) -> Vec<SimulatedRebateSum> {
        self.0.report.rebates.iter().map(Into::into).collect()
    }

    /// The rebates of partners that would be other figures, the largest differences first.
    #[expect(clippy::too_many_arguments, reason = "the four arguments of a page, besides the filter")]
    async fn rebate_changes(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "Only this period; all when empty.")] period: Option<String>,
        #[graphql(desc = "Only this schedule; all when empty.")] schedule: Option<String>,
        #[graphql(desc = "So many rows from the beginning, or behind `after`. At most 100, 20 when empty.")] first: Option<i32>,
        #[graphql(desc = "The cursor that the page starts behind.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`. At most 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor that the page ends before.")] before: Option<String>,
    ) -> Answer<SimulatedRebateChangeConnection> {
        let binding = Binding::new("simulation.rebateChanges", &(&period, &schedule));
        let wanted = |change: &&domain::RebateMove| {
            period.as_ref().is_none_or(|period| *period == change.period) && schedule.as_ref().is_none_or(|schedule| *schedule == change.schedule)
        };
        let rows: Vec<SimulatedRebateChange> = self.0.report.rebate_moves.iter().filter(wanted).map(Into::into).collect();
        let key = |change: &SimulatedRebateChange| vec![change.partner_code.clone(), change.period.clone(), change.schedule.clone()];
        paged(ctx, &binding, &PageArgs { first, after, last, before }, &rows, key)
    }

    /// How many partners could not be judged.
    async fn failed(&self) -> i64 {
        count(self.0.report.failed_count)
    }

    /// What else you should know, and the partners that could not be judged; at most 100.
    async fn warnings(&self) -> Vec<SimulationWarning> {
        warnings(&self.0.report)
    }
}

/// Warnings that are listed at most.
const WARNINGS_MAX: usize = 100;

fn warnings(report: &domain::Report) -> Vec<SimulationWarning> {
    let warning = |partner_code: Option<&String>, fault: &Fault| SimulationWarning {
        partner_code: partner_code.cloned(),
        code: fault.code.clone(),
        message: fault.message.clone(),
    };
    let whole = report.warnings.iter().map(|fault| warning(None, fault));
    let partners = report.failed.iter().flat_map(|failed| failed.faults.0.iter().map(|fault| warning(Some(&failed.partner), fault)));
    whole.chain(partners).take(WARNINGS_MAX).collect()
}

fn paged<T: Clone, C: From<crate::graphql::connection::Connected<T>>>(
    ctx: &async_graphql::Context<'_>,
    binding: &Binding,
    args: &PageArgs,
    rows: &[T],
    key: impl Fn(&T) -> Vec<String>,
) -> Answer<C> {
    let request = args.request(binding, &ctx.app()?.limits)?;
    let page: Page<T> = page_of_list(rows, &request, &key);
    Ok(connect(binding, &request, page, &key).into())
}

/// What would be different for one partner.
pub struct WhatIf {
    found: Arc<FoundWhatIf>,
    before: Arc<PartnerStanding>,
    after: Arc<PartnerStanding>,
}

impl WhatIf {
    /// What was found about a partner.
    pub fn of(found: Arc<FoundWhatIf>) -> Self {
        let (before, after) = (Arc::new(found.before.clone()), Arc::new(found.after.clone()));
        Self { found, before, after }
    }
}

/// What would be different for a partner if it had other facts, by the rules as they are. Nothing of it is stored.
#[Object]
impl WhatIf {
    /// The date; as of its end.
    async fn as_of(&self) -> GqlDate {
        self.found.report.as_of.into()
    }

    /// The number of the program version that judged.
    async fn program_version(&self) -> i64 {
        self.found.after.version
    }

    /// Where the partner stands, as a review on the date would judge it.
    async fn before(&self) -> Vec<LadderStanding> {
        ladders_of(&self.before)
    }

    /// Where it would stand, judged in the same way.
    async fn after(&self) -> Vec<LadderStanding> {
        ladders_of(&self.after)
    }

    /// The tiers that would be others, and why.
    async fn moves(&self) -> Vec<SimulatedMove> {
        self.found.report.moves.iter().map(Into::into).collect()
    }

    /// The benefits that would be others.
    async fn benefit_changes(&self) -> Vec<BenefitChange> {
        self.found.report.benefits.iter().map(Into::into).collect()
    }

    /// What each schedule pays for each period that was asked about.
    async fn rebates(&self) -> Vec<SimulatedRebateSum> {
        self.found.report.rebates.iter().map(Into::into).collect()
    }

    /// What else you should know.
    async fn warnings(&self) -> Vec<SimulationWarning> {
        warnings(&self.found.report)
    }
}

impl From<&diff::Change> for RuleDifference {
    fn from(change: &diff::Change) -> Self {
        let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        Self { path: change.path.clone(), kind: change.kind.into(), before: text(&change.before), after: text(&change.after) }
    }
}

impl From<&domain::LeafChange> for LeafChange {
    fn from(change: &domain::LeafChange) -> Self {
        let state = |state: &domain::LeafState| LeafState {
            met: state.met,
            required: state.required.as_ref().map(Decimal::of),
            actual: state.actual.as_ref().map(Decimal::of),
        };
        Self {
            tier: change.tier.clone(),
            key: change.key.clone(),
            label: change.label.clone(),
            group: change.group.clone(),
            before: change.before.as_ref().map(state),
            after: change.after.as_ref().map(state),
            sentence: change.sentence.clone(),
        }
    }
}

impl From<&domain::Move> for SimulatedMove {
    fn from(moved: &domain::Move) -> Self {
        let reasons = |reasons: &[guerdon_domain::levelling::Reason]| reasons.iter().map(|reason| (*reason).into()).collect();
        Self {
            partner_code: moved.partner.clone(),
            ladder: moved.ladder.clone(),
            region: moved.region.clone(),
            from: moved.from.clone(),
            to: moved.to.clone(),
            direction: moved.direction.into(),
            on_record: moved.on_record.clone(),
            leaves: moved.leaves.iter().map(Into::into).collect(),
            reasons: reasons(&moved.reasons),
            reasons_gone: reasons(&moved.reasons_gone),
            text: moved.text.clone(),
        }
    }
}

impl From<&domain::Near> for NearPartner {
    fn from(near: &domain::Near) -> Self {
        Self {
            partner_code: near.partner.clone(),
            ladder: near.ladder.clone(),
            region: near.region.clone(),
            tier: near.tier.clone(),
            side: near.side.into(),
            distance: Decimal::of(&near.distance),
            share_met: Decimal::of(&near.share_met),
            missing: near.missing.clone(),
        }
    }
}

impl From<&domain::BenefitMove> for BenefitChange {
    fn from(change: &domain::BenefitMove) -> Self {
        Self {
            partner_code: change.partner.clone(),
            benefit: change.benefit.clone(),
            kind: change.kind.into(),
            tier: change.tier.clone(),
            before: change.before.as_ref().map(Into::into),
            after: change.after.as_ref().map(Into::into),
        }
    }
}

impl From<&domain::RebateSum> for SimulatedRebateSum {
    fn from(sum: &domain::RebateSum) -> Self {
        Self {
            period: sum.period.clone(),
            schedule: sum.schedule.clone(),
            before: sum.before.into(),
            after: sum.after.into(),
            difference: sum.difference.into(),
            partners: count(sum.partners),
            changed: count(sum.changed),
        }
    }
}

impl From<&domain::RebateMove> for SimulatedRebateChange {
    fn from(moved: &domain::RebateMove) -> Self {
        Self {
            partner_code: moved.partner.clone(),
            period: moved.period.clone(),
            schedule: moved.schedule.clone(),
            before: moved.before.into(),
            after: moved.after.into(),
        }
    }
}
