//! Where a partner stands, explained: ladders, tiers, and every condition with what is required, what there is and what is missing.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject, Value};
use guerdon_domain::document::ladder::Entry;
use guerdon_domain::levelling as domain;
use guerdon_domain::requirement as rule;

use super::admission::AdmissionRequest;
use super::catalogue::TierEntry;
use super::partner::PartnerStatus;
use super::period::DateSpan;
use super::requirement::{Asked, MissingLeaf, RequirementNode, Sentence, flatten};
use super::tier::AssignmentCause;
use crate::app::admissions::{AdmissionState as State, StoredAdmissionRequest};
use crate::app::levelling::PartnerStanding;
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, GqlFault, Maybe};
use crate::graphql::loaders::{AdmissionsKey, RequestLoaders, RisksKey};
use crate::graphql::scalars::{Decimal, GqlDate};

/// Months that a forecast looks ahead at most.
const HORIZON_MONTHS_MAX: i32 = 24;
/// Months that it looks ahead when nobody says.
const HORIZON_MONTHS: i32 = 3;

/// How far a selected standing is asked to look ahead, so that its facts are read once for both; none where that is not asked, or is
/// asked more than once.
pub fn months_ahead(ctx: &Context<'_>) -> Option<i32> {
    let asked = ctx.look_ahead().field("atRisk").selection_fields();
    let [field] = asked.as_slice() else { return None };
    let months = match field.arguments().ok()?.into_iter().find(|(name, _)| name == "months") {
        None => HORIZON_MONTHS,
        Some((_, Value::Number(months))) => i32::try_from(months.as_i64()?).ok()?,
        Some(_) => return None,
    };
    (1..=HORIZON_MONTHS_MAX).contains(&months).then_some(months)
}

/// What an evaluation did to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::levelling::Change")]
pub enum TierChange {
    /// Nothing: it is as on record.
    Kept,
    /// The first tier on record, perhaps none.
    Entered,
    /// A higher one.
    Promoted,
    /// A lower one, perhaps none.
    Demoted,
    /// The same one, which an override held until now and the rules hold from now on.
    Released,
    /// The same one, held by an override, under which the review gives another one than the last: what the override's end goes back to.
    Overridden,
}

/// Why a tier is not simply the one that is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::levelling::Reason")]
pub enum TierReason {
    /// The partner is not enrolled on the date.
    NotEnrolled,
    /// The ladder is not for this partner.
    DoesNotApply,
    /// Suspended partners are not judged; they keep what is on record.
    Suspended,
    /// The partner has left.
    Terminated,
    /// A higher tier is met, but nobody has invited, accepted or approved the partner.
    AwaitsAdmission,
    /// A higher tier is met, but it is not the day for going up.
    UpNotDue,
    /// The tier is not met, but it is not the day for going down.
    DownNotDue,
    /// More tiers up are met than one review gives.
    StepsUpLimited,
    /// Fewer tiers down than the fall would be.
    StepsDownLimited,
    /// The tier is not met; its grace period runs.
    Grace,
    /// The tier was not met until the end of its grace period.
    GraceEnded,
    /// Nobody loses a tier before the version is enforced.
    NotEnforced,
    /// Tiers held on the version's effective date are protected.
    Protected,
    /// The tier was reached so lately that it is protected.
    RecentlyReached,
    /// Newcomers are not judged downwards yet.
    Onboarding,
    /// The onboarding deadline passed without the lowest tier.
    OnboardingFailed,
    /// The parent's tier is better than the partner's own.
    Inherited,
    /// An override holds the tier.
    Overridden,
    /// An override ended; what was met counts again.
    OverrideEnded,
    /// The admission to the tier on record is over: the partner has to be let in again.
    AdmissionEnded,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::OverrideKind")]
pub enum OverrideKind {
    /// Exactly this tier.
    Pin,
    /// At most this tier.
    Ceiling,
    /// At least this tier.
    Floor,
}

/// Where a partner stands on a date.
pub struct Standing(pub Arc<PartnerStanding>);

/// Where a partner stands on a date, by the version in force on it. It decides nothing: what is decided is on record as a tier.
#[Object]
impl Standing {
    /// The date; as of its end.
    async fn as_of(&self) -> GqlDate {
        self.0.standing.as_of.into()
    }

    /// The number of the program version that judged.
    async fn program_version(&self) -> i64 {
        self.0.version
    }

    /// Whether the partner takes part on the date.
    async fn status(&self) -> PartnerStatus {
        self.0.standing.status.into()
    }

    /// Whether it is enrolled on the date.
    async fn enrolled(&self) -> bool {
        self.0.standing.enrolled
    }

    /// The ladders; one that is held per region once for every region.
    async fn ladders(&self, #[graphql(desc = "Only these ladders; all when empty.")] keys: Option<Vec<String>>) -> Vec<LadderStanding> {
        let wanted = |ladder: &str| keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key == ladder));
        let all = self.0.standing.ladders.iter().enumerate();
        all.filter(|(_, ladder)| wanted(&ladder.ladder)).map(|(at, _)| LadderStanding { standing: self.0.clone(), at }).collect()
    }

    /// What threatens the tiers that are held, if nothing more comes in: certificates that expire, sales that leave a window.
    async fn at_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many months ahead, at most 24.", default_with = "HORIZON_MONTHS")] months: i32,
    ) -> Maybe<Vec<LadderRisk>> {
        let found = async {
            if !(1..=HORIZON_MONTHS_MAX).contains(&months) {
                return Err(GqlFault::invalid("OUT_OF_RANGE", "months", format!("a forecast looks 1 to {HORIZON_MONTHS_MAX} months ahead")));
            }
            if let Some(ahead) = self.0.ahead.as_ref().filter(|ahead| ahead.months == months) {
                return Ok(ahead.risks.as_ref().map_err(Clone::clone)?.iter().map(Into::into).collect());
            }
            let key = RisksKey { partner: self.0.partner, program: self.0.program.clone(), as_of: self.0.standing.as_of, months };
            let risks = ctx.loaders()?.risks(key).await?;
            Ok(risks.iter().map(Into::into).collect())
        };
        Some(found.await)
    }
}

/// Where a partner stands in a ladder.
pub struct LadderStanding {
    standing: Arc<PartnerStanding>,
    at: usize,
}

/// All ladders of a standing.
pub fn ladders_of(standing: &Arc<PartnerStanding>) -> Vec<LadderStanding> {
    (0..standing.standing.ladders.len()).map(|at| LadderStanding { standing: Arc::clone(standing), at }).collect()
}

impl LadderStanding {
    fn get(&self) -> Option<&domain::LadderStanding> {
        self.standing.standing.ladders.get(self.at)
    }

    async fn awaited(&self, ctx: &Context<'_>) -> Answer<Vec<AwaitedEntry>> {
        let Some(ladder) = self.get().filter(|ladder| !ladder.awaiting.is_empty()) else { return Ok(Vec::new()) };
        let key = AdmissionsKey { partner: self.standing.partner, program: Some(self.standing.program.clone()) };
        let requests = ctx.loaders()?.admissions(key).await?;
        let today = ctx.caller()?.today;
        let open = |tier: &str| {
            let same = |one: &&StoredAdmissionRequest| one.ladder == ladder.ladder && one.region == ladder.region && one.tier == tier;
            requests.iter().filter(same).find(|one| one.state_on(today) == State::Open).cloned()
        };
        Ok(ladder.awaiting.iter().map(|awaited| AwaitedEntry::of(awaited, open(&awaited.tier))).collect())
    }
}

/// Where a partner stands in a ladder: the tier after this evaluation, why, the next one up, and every tier judged on its own.
#[Object]
impl LadderStanding {
    /// The ladder.
    async fn ladder(&self) -> Option<&str> {
        self.get().map(|ladder| ladder.ladder.as_str())
    }

    /// Whether it is the main ladder.
    async fn main(&self) -> bool {
        self.get().is_some_and(|ladder| ladder.main)
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.get().and_then(|ladder| ladder.region.as_deref())
    }

    /// Whether the partner is judged in this ladder at all.
    async fn applies(&self) -> bool {
        self.get().is_some_and(|ladder| ladder.applies)
    }

    /// The tier that the partner would hold after this evaluation; null for none.
    async fn tier(&self) -> Option<&str> {
        self.get().and_then(|ladder| ladder.tier.as_deref())
    }

    /// Its rank, from 1; 0 for none.
    async fn rank(&self) -> u32 {
        self.get().map_or(0, |ladder| ladder.rank)
    }

    /// The highest tier whose requirement is met, whether granted or not.
    async fn qualified(&self) -> Option<&str> {
        self.get().and_then(|ladder| ladder.qualified.as_deref())
    }

    /// The highest tier that is met and that the partner may enter; overrides and reviews left aside.
    async fn granted(&self) -> Option<&str> {
        self.get().and_then(|ladder| ladder.granted.as_deref())
    }

    /// The tier on record on the date.
    async fn record(&self) -> Option<TierRecord> {
        self.get().and_then(|ladder| ladder.record.as_ref()).map(Into::into)
    }

    /// Why the tier is what it is.
    async fn decision(&self) -> Option<TierDecision> {
        self.get().map(|ladder| (&ladder.decision).into())
    }

    /// The next tier up, with what is missing; null at the top.
    async fn next(&self) -> Option<NextTier> {
        self.get().and_then(|ladder| ladder.next.as_ref()).map(Into::into)
    }

    /// Higher tiers that are met, and that the partner may not enter yet: "qualified but not granted", with what to do next.
    async fn awaiting(&self, ctx: &Context<'_>) -> Maybe<Vec<AwaitedEntry>> {
        Some(self.awaited(ctx).await)
    }

    /// What is missing to keep the tier that is held; empty when its requirement is met. With `by`: what is missing on that day, by what is
    /// known now.
    async fn keep(&self) -> Option<Gap> {
        self.get().map(|ladder| (&ladder.keep).into())
    }

    /// Every tier, lowest first, judged on its own.
    async fn tiers(&self) -> Vec<TierStanding> {
        let count = self.get().map_or(0, |ladder| ladder.tiers.len());
        (0..count).map(|at| TierStanding { standing: self.standing.clone(), ladder: self.at, at }).collect()
    }
}

/// A tier on record.
#[derive(Debug, Clone, SimpleObject)]
pub struct TierRecord {
    /// The tier; null for none.
    pub tier: Option<String>,
    /// Its rank, from 1; 0 for none.
    pub rank: u32,
    /// Since when.
    pub from: GqlDate,
    /// Why it was given.
    pub cause: AssignmentCause,
}

/// Why a tier is what it is.
#[derive(Debug, Clone, SimpleObject)]
pub struct TierDecision {
    /// What changed against the record.
    pub change: TierChange,
    /// Why it is not simply the tier that is met.
    pub reasons: Vec<TierReason>,
    /// Whether a tier could go up on this date.
    pub due_up: bool,
    /// Whether a tier could go down on this date.
    pub due_down: bool,
    /// The next date on which the tier could go down; null where it is never, or at every evaluation.
    pub next_down_on: Option<GqlDate>,
    /// The tier's requirement fails and its grace period runs.
    pub grace: Option<GracePeriod>,
    /// The override that holds the tier.
    pub overridden: Option<OverrideInForce>,
    /// The code of the parent whose tier it is.
    pub inherited_from: Option<String>,
}

/// What is to be done before a partner may enter a tier that it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EntryStep {
    /// The partner applies.
    Apply,
    /// The vendor decides about the application.
    AwaitDecision,
    /// The vendor invites the partner.
    AwaitInvitation,
    /// The partner accepts the invitation.
    AcceptInvitation,
    /// The vendor approves.
    AwaitApproval,
}

/// A tier that is met, and that the partner may not enter yet.
#[derive(Clone, SimpleObject)]
pub struct AwaitedEntry {
    /// The tier.
    pub tier: String,
    /// Its rank, from 1.
    pub rank: u32,
    /// How one gets in.
    pub entry: TierEntry,
    /// What is to be done next.
    pub step: EntryStep,
    /// The open application, invitation or approval.
    pub request: Option<AdmissionRequest>,
    /// In plain language.
    pub sentence: String,
}

impl AwaitedEntry {
    fn of(awaited: &domain::AwaitedEntry, open: Option<StoredAdmissionRequest>) -> Self {
        let step = match (awaited.entry, open.is_some()) {
            (Entry::ByInvitation, true) => EntryStep::AcceptInvitation,
            (Entry::ByInvitation, false) => EntryStep::AwaitInvitation,
            (Entry::ByApplication, true) => EntryStep::AwaitDecision,
            (Entry::ByApplication | Entry::Automatic, false) => EntryStep::Apply,
            _ => EntryStep::AwaitApproval,
        };
        Self {
            tier: awaited.tier.clone(),
            rank: awaited.rank,
            entry: awaited.entry.into(),
            step,
            request: open.map(AdmissionRequest),
            sentence: awaited.sentence().text,
        }
    }
}

/// A grace period that runs.
#[derive(Debug, Clone, SimpleObject)]
pub struct GracePeriod {
    /// Since when.
    pub since: GqlDate,
    /// The day on which the tier is lost.
    pub until: GqlDate,
    /// From this day on the partner is warned.
    pub warn_from: GqlDate,
    /// Whether being compliant on any day before cancels the loss; otherwise the last day decides.
    pub cure: bool,
}

/// An override in force.
#[derive(Debug, Clone, SimpleObject)]
pub struct OverrideInForce {
    /// Pin, ceiling or floor.
    pub kind: OverrideKind,
    /// Its tier; null pins to no tier.
    pub tier: Option<String>,
    /// Its days.
    pub span: DateSpan,
    /// Why.
    pub reason: String,
}

/// The next tier up.
#[derive(Debug, Clone, SimpleObject)]
pub struct NextTier {
    /// The tier.
    pub tier: String,
    /// Its rank, from 1.
    pub rank: u32,
    /// How one gets in.
    pub entry: TierEntry,
    /// What is missing; with `by` on that day, by what is known now. Empty: it is met and comes with the next review.
    pub gap: Gap,
    /// The next date on which one may go up; null where it is never, or at every evaluation.
    pub review_on: Option<GqlDate>,
}

/// What is missing to meet a requirement.
#[derive(Debug, Clone, SimpleObject)]
pub struct Gap {
    /// Whether nothing is missing.
    pub met: bool,
    /// What is missing on the cheapest way.
    pub missing: Vec<MissingLeaf>,
    /// The other ways, cheapest first; at most 16.
    pub alternatives: Vec<GapWay>,
    /// Whether every way is closed to the partner: nothing that can still happen meets the requirement.
    pub closed: bool,
}

/// Another way to a requirement.
#[derive(Debug, Clone, SimpleObject)]
pub struct GapWay {
    /// What is missing on it.
    pub missing: Vec<MissingLeaf>,
}

/// A tier, judged.
pub struct TierStanding {
    standing: Arc<PartnerStanding>,
    ladder: usize,
    at: usize,
}

impl TierStanding {
    fn get(&self) -> Option<&domain::TierStanding> {
        self.standing.standing.ladders.get(self.ladder).and_then(|ladder| ladder.tiers.get(self.at))
    }
}

/// A tier, judged on its own.
#[Object]
impl TierStanding {
    /// The tier.
    async fn tier(&self) -> Option<&str> {
        self.get().map(|tier| tier.tier.as_str())
    }

    /// Its rank, from 1.
    async fn rank(&self) -> u32 {
        self.get().map_or(0, |tier| tier.rank)
    }

    /// Whether its requirement is met, and those of the lower tiers where the ladder asks for them.
    async fn met(&self) -> bool {
        self.get().is_some_and(|tier| tier.met)
    }

    /// The part of its requirement that is met, from 0 to 1.
    async fn share_met(&self) -> Option<Decimal> {
        self.get().map(|tier| Decimal::of(&tier.share_met))
    }

    /// How one gets in.
    async fn entry(&self) -> Option<TierEntry> {
        self.get().map(|tier| tier.entry.into())
    }

    /// Whether the partner may enter it.
    async fn admitted(&self) -> bool {
        self.get().is_some_and(|tier| tier.admitted)
    }

    /// What is missing to meet its requirement.
    async fn gap(&self) -> Option<Gap> {
        let requirement = self.get()?.requirement.as_ref();
        Some(requirement.map_or_else(|| (&rule::Gap::default()).into(), |judged| (&rule::Gap::of(judged, None)).into()))
    }

    /// Its requirement, judged: a tree as a list, each node after its parent. Empty where the tier asks for nothing.
    async fn requirement(&self, ctx: &Context<'_>) -> Vec<RequirementNode> {
        let ahead = ctx.look_ahead();
        let asked = Asked { sentences: ahead.field("sentence").exists(), gaps: ahead.field("gap").exists() };
        self.get().and_then(|tier| tier.requirement.as_ref()).map(|judged| flatten(judged, asked)).unwrap_or_default()
    }
}

/// What threatens the tier that a partner holds in a ladder.
#[derive(Debug, Clone, SimpleObject)]
pub struct LadderRisk {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that is held.
    pub tier: String,
    /// Whether its requirement fails already, and no higher tier is met.
    pub failing: bool,
    /// The first day on which its requirement is not met, nor a higher tier. The review policy decides when the tier is lost.
    pub fails_on: Option<GqlDate>,
    /// The conditions that fail, first ones first.
    pub leaves: Vec<LeafRisk>,
}

/// A condition that fails; also a NOT or too few groups as a whole, an admission that runs out, an enrollment that ends.
#[derive(Debug, Clone, SimpleObject)]
pub struct LeafRisk {
    /// The first day on which it is not met.
    pub fails_on: GqlDate,
    /// What people call it.
    pub label: Option<String>,
    /// What kind of condition.
    pub kind: super::requirement::LeafKind,
    /// Its key: the metric's, or what else it is known by.
    pub key: String,
    /// In plain language, as it will be on that day.
    pub sentence: String,
    /// The sentence with its pieces, for other languages.
    pub sentence_data: Sentence,
    /// What is required.
    pub required: Option<Decimal>,
    /// What there will be on that day.
    pub actual: Option<Decimal>,
    /// What will be missing on that day.
    pub missing: Option<Decimal>,
}

impl From<&domain::TierRecord> for TierRecord {
    fn from(record: &domain::TierRecord) -> Self {
        Self { tier: record.tier.clone(), rank: record.rank, from: record.from.into(), cause: record.cause.into() }
    }
}

impl From<&domain::Decision> for TierDecision {
    fn from(decision: &domain::Decision) -> Self {
        let grace = |grace: &domain::GraceStanding| GracePeriod {
            since: grace.since.into(),
            until: grace.until.into(),
            warn_from: grace.warn_from.into(),
            cure: grace.cure,
        };
        let overridden = |held: &domain::OverrideStanding| OverrideInForce {
            kind: held.kind.into(),
            tier: held.tier.clone(),
            span: held.span.into(),
            reason: held.reason.clone(),
        };
        Self {
            change: decision.change.into(),
            reasons: decision.reasons.iter().map(|reason| (*reason).into()).collect(),
            due_up: decision.due_up,
            due_down: decision.due_down,
            next_down_on: decision.next_down_on.map(GqlDate),
            grace: decision.grace.as_ref().map(grace),
            overridden: decision.overridden.as_ref().map(overridden),
            inherited_from: decision.inherited_from.clone(),
        }
    }
}

impl From<&domain::NextTier> for NextTier {
    fn from(next: &domain::NextTier) -> Self {
        Self { tier: next.tier.clone(), rank: next.rank, entry: next.entry.into(), gap: (&next.gap).into(), review_on: next.review_on.map(GqlDate) }
    }
}

impl From<&rule::Gap> for Gap {
    fn from(gap: &rule::Gap) -> Self {
        let way = |way: &Vec<rule::MissingLeaf>| way.iter().map(Into::into).collect();
        Self {
            met: gap.is_empty(),
            missing: way(&gap.missing),
            alternatives: gap.alternatives.iter().map(|leaves| GapWay { missing: way(leaves) }).collect(),
            closed: gap.closed,
        }
    }
}

impl From<&domain::LadderRisk> for LadderRisk {
    fn from(risk: &domain::LadderRisk) -> Self {
        let leaf = |leaf: &domain::LeafRisk| LeafRisk {
            fails_on: leaf.fails_on.into(),
            label: leaf.label.clone(),
            kind: leaf.leaf.kind.into(),
            key: leaf.leaf.key.clone(),
            sentence: leaf.sentence().text,
            sentence_data: leaf.sentence().into(),
            required: leaf.leaf.required.as_ref().map(Decimal::of),
            actual: leaf.leaf.actual.as_ref().map(Decimal::of),
            missing: leaf.leaf.missing.as_ref().map(Decimal::of),
        };
        Self {
            ladder: risk.ladder.clone(),
            region: risk.region.clone(),
            tier: risk.tier.clone(),
            failing: risk.failing,
            fails_on: risk.fails_on.map(GqlDate),
            leaves: risk.leaves.iter().map(leaf).collect(),
        }
    }
}
