//! A requirement, judged. The tree comes as a list: every node after its parent, which it names by index. A client that wants a
//! tree builds it in one pass, and one that wants the conditions filters by type.

use async_graphql::{Enum, SimpleObject};
use guerdon_domain::exact::Exact;
use guerdon_domain::requirement as domain;

use super::period::DateSpan;
use crate::graphql::scalars::{CurrencyCode, Decimal, GqlDate};

/// Nodes of one requirement that an answer lists at most.
const NODES_MAX: usize = 1_000;

/// What a node of a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RequirementNodeType {
    /// All of the nodes below it.
    AllOf,
    /// At least one of the nodes below it.
    AnyOf,
    /// At least `required` of the nodes below it.
    AtLeast,
    /// The node below it must not be met.
    Not,
    /// A requirement that the program shares under `key`.
    Shared,
    /// Asked only of some; `applies` says whether of this partner.
    When,
    /// For each group of facts, the node below it.
    ForEach,
    /// Met in each of the last `required` periods; `actual` of them meet it.
    Streak,
    /// Met on at least one day of `window`.
    OnAnyDay,
    /// A condition with figures, see `leaf`.
    Leaf,
}

/// What kind of condition a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::requirement::LeafKind")]
pub enum LeafKind {
    /// A metric against a threshold.
    Metric,
    /// A tier held.
    Tier,
    /// A number of ladders at a level.
    Ladders,
    /// A holding.
    Holding,
    /// Time served.
    Tenure,
    /// A contract.
    Contract,
    /// A fact about the partner.
    Partner,
    /// An invitation, an accepted application or an approval.
    Admission,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::requirement::Compares")]
pub enum Comparison {
    /// This or more.
    AtLeast,
    /// More.
    Above,
    /// This or less.
    AtMost,
    /// Less.
    Below,
    /// Exactly this.
    Equals,
}

/// Why a condition has no figures to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::requirement::Unmet")]
pub enum UnmetReason {
    /// The metric has no data.
    NoData,
    /// No threshold is for this partner, and there is none by default.
    NoThreshold,
    /// The partner is not enrolled.
    NotEnrolled,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::document::metric::Unit")]
pub enum MetricUnit {
    /// Money, in major units.
    Money,
    /// A number of things.
    Count,
    /// A fraction: 0.15 is fifteen percent.
    Percent,
    /// A score.
    Score,
    /// Points.
    Points,
    /// Hours, or what the vendor measures durations in.
    Duration,
}

/// A node of a requirement, judged.
#[derive(Debug, Clone, SimpleObject)]
pub struct RequirementNode {
    /// Its place in the list.
    pub index: i32,
    /// The place of its parent; null for the root.
    pub parent: Option<i32>,
    /// What it is.
    #[graphql(name = "type")]
    pub node_type: RequirementNodeType,
    /// Whether it is met.
    pub met: bool,
    /// What people call it.
    pub label: Option<String>,
    /// SHARED: the requirement's key. FOR_EACH: the name of its groups.
    pub key: Option<String>,
    /// Right below a FOR_EACH: the group that it is about.
    pub group: Option<String>,
    /// WHEN: whether it is asked of this partner.
    pub applies: Option<bool>,
    /// AT_LEAST, STREAK and FOR_EACH: how many are asked for.
    pub required: Option<i64>,
    /// AT_LEAST and STREAK: how many are met.
    pub actual: Option<i64>,
    /// ON_ANY_DAY: the days.
    pub window: Option<DateSpan>,
    /// LEAF: the condition.
    pub leaf: Option<RequirementLeaf>,
}

/// A condition with what is required, what there is, and what is missing. One without figures (a holding, a tier) requires 1 and
/// has 0 or 1.
#[derive(Debug, Clone, SimpleObject)]
pub struct RequirementLeaf {
    /// What kind of condition.
    pub kind: LeafKind,
    /// The metric's key; of other kinds the ladder, the type of the holding, the contract template, ...
    pub key: String,
    /// What it is about: the metric's name, or the key of the tier or type that is asked for.
    pub subject: Option<String>,
    /// How it compares.
    pub compares: Comparison,
    /// What it is counted in.
    pub unit: MetricUnit,
    /// The currency of MONEY.
    pub currency: Option<CurrencyCode>,
    /// What is required.
    pub required: Option<Decimal>,
    /// What there is; null when there is no data.
    pub actual: Option<Decimal>,
    /// What is missing; null when it is met, and when it cannot be told. Of an upper limit: what is too much.
    pub missing: Option<Decimal>,
    /// Why there are no figures.
    pub reason: Option<UnmetReason>,
    /// The days that were looked at.
    pub window: Option<DateSpan>,
    /// How many facts counted.
    pub facts: i64,
    /// The day on which it will be met by itself: time served.
    pub met_on: Option<GqlDate>,
    /// In plain language.
    pub sentence: String,
}

/// A condition that is missing on the way to a requirement.
#[derive(Debug, Clone, SimpleObject)]
pub struct MissingLeaf {
    /// The metric's key, or what else it is known by.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    /// The group that it is about, inside a FOR_EACH.
    pub group: Option<String>,
    /// What kind of condition.
    pub kind: LeafKind,
    /// What it is counted in.
    pub unit: MetricUnit,
    /// How it compares.
    pub compares: Comparison,
    /// What is required.
    pub required: Option<Decimal>,
    /// What there is.
    pub actual: Option<Decimal>,
    /// What is missing; of a condition that is met or not, 1. Null where it cannot be told.
    pub missing: Option<Decimal>,
    /// In plain language.
    pub sentence: String,
}

impl From<&domain::MissingLeaf> for MissingLeaf {
    fn from(leaf: &domain::MissingLeaf) -> Self {
        Self {
            key: leaf.key.clone(),
            label: leaf.label.clone(),
            group: leaf.group.clone(),
            kind: leaf.kind.into(),
            unit: leaf.unit.into(),
            compares: leaf.compares.into(),
            required: leaf.required.map(Decimal::of),
            actual: leaf.actual.map(Decimal::of),
            missing: leaf.missing.map(Decimal::of),
            sentence: leaf.sentence().text,
        }
    }
}

impl From<&domain::Leaf> for RequirementLeaf {
    fn from(leaf: &domain::Leaf) -> Self {
        let decimal = |value: Option<Exact>| value.map(Decimal::of);
        Self {
            kind: leaf.kind.into(),
            key: leaf.key.clone(),
            subject: leaf.subject.clone(),
            compares: leaf.compares.into(),
            unit: leaf.unit.into(),
            currency: leaf.currency.map(CurrencyCode),
            required: decimal(leaf.required),
            actual: decimal(leaf.actual),
            missing: decimal(leaf.missing),
            reason: leaf.reason.map(Into::into),
            window: leaf.window.map(Into::into),
            facts: i64::try_from(leaf.facts).unwrap_or(i64::MAX),
            met_on: leaf.met_on.map(GqlDate),
            sentence: leaf.sentence(None).text,
        }
    }
}

/// The tree as a list: every node after its parent.
pub fn flatten(root: &domain::Judged) -> Vec<RequirementNode> {
    let mut nodes: Vec<RequirementNode> = Vec::new();
    let mut open: Vec<(&domain::Judged, Option<i32>, Option<String>)> = vec![(root, None, None)];
    while let Some((judged, parent, group)) = open.pop() {
        if nodes.len() == NODES_MAX {
            break;
        }
        let index = i32::try_from(nodes.len()).unwrap_or(i32::MAX);
        nodes.push(RequirementNode { index, parent, group, ..node_of(judged) });
        let groups: Vec<Option<String>> = match &judged.node {
            domain::Node::ForEach { groups, .. } => groups.iter().map(|group| Some(group.group.clone())).collect(),
            _ => Vec::new(),
        };
        let children = judged.children().into_iter().enumerate();
        let children: Vec<_> = children.map(|(at, child)| (child, Some(index), groups.get(at).cloned().flatten())).collect();
        open.extend(children.into_iter().rev());
    }
    nodes
}

fn node_of(judged: &domain::Judged) -> RequirementNode {
    let bare = |node_type| RequirementNode {
        index: 0,
        parent: None,
        node_type,
        met: judged.met,
        label: judged.label.clone(),
        key: None,
        group: None,
        applies: None,
        required: None,
        actual: None,
        window: None,
        leaf: None,
    };
    match &judged.node {
        domain::Node::AllOf { .. } => bare(RequirementNodeType::AllOf),
        domain::Node::AnyOf { .. } => bare(RequirementNodeType::AnyOf),
        domain::Node::AtLeast { n, met_count, .. } => {
            RequirementNode { required: Some((*n).into()), actual: Some((*met_count).into()), ..bare(RequirementNodeType::AtLeast) }
        }
        domain::Node::Not { .. } => bare(RequirementNodeType::Not),
        domain::Node::Shared { key, .. } => RequirementNode { key: Some(key.clone()), ..bare(RequirementNodeType::Shared) },
        domain::Node::When { applies, .. } => RequirementNode { applies: Some(*applies), ..bare(RequirementNodeType::When) },
        domain::Node::ForEach { name, at_least_groups, .. } => {
            RequirementNode { key: Some(name.clone()), required: Some((*at_least_groups).into()), ..bare(RequirementNodeType::ForEach) }
        }
        domain::Node::Streak { required, actual, .. } => {
            RequirementNode { required: Some((*required).into()), actual: Some((*actual).into()), ..bare(RequirementNodeType::Streak) }
        }
        domain::Node::OnAnyDay { window, .. } => RequirementNode { window: window.map(Into::into), ..bare(RequirementNodeType::OnAnyDay) },
        domain::Node::Leaf(leaf) => {
            let label = judged.label.clone().or_else(|| leaf.label.clone());
            RequirementNode { label, leaf: Some(leaf.as_ref().into()), ..bare(RequirementNodeType::Leaf) }
        }
    }
}
