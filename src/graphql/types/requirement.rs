//! A requirement, judged. The tree comes as a list: every node after its parent, which it names by index. A client that wants a
//! tree builds it in one pass, and one that wants the conditions filters by type.

use async_graphql::{Enum, Object, SimpleObject};
use guerdon_domain::requirement as domain;

use super::metric_value::{MetricPart, parts_of};
use super::period::DateSpan;
use super::standing::Gap;
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

/// Why a condition has no figures to compare, or why nothing meets it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::requirement::Unmet")]
pub enum UnmetReason {
    /// The metric has no data.
    NoData,
    /// No threshold is for this partner, and there is none by default.
    NoThreshold,
    /// The partner is not enrolled.
    NotEnrolled,
    /// Nothing that can still happen meets it: the days that it looks at are over, the figures that could grow do not suffice, or it is for
    /// those who hold already what it leads to.
    Closed,
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
    /// The part of it that is met, from 0 to 1.
    pub share_met: Decimal,
    /// WHEN: whether it is asked of this partner.
    pub applies: Option<bool>,
    /// AT_LEAST, STREAK and FOR_EACH: how many are asked for; of FOR_EACH the groups that there are, or that there must be.
    pub required: Option<i64>,
    /// AT_LEAST, STREAK and FOR_EACH: how many are met.
    pub actual: Option<i64>,
    /// AT_LEAST, STREAK and FOR_EACH: how many are missing.
    pub missing: Option<i64>,
    /// AT_LEAST: the subset of which some must be among them.
    pub including: Option<RequirementSubset>,
    /// ANY_OF: the place of the path that is met, or else has the smallest gap.
    pub cheapest: Option<i32>,
    /// Right below an ANY_OF, where the path is not met: what is missing on it.
    pub gap: Option<Gap>,
    /// STREAK: the periods, latest first.
    pub periods: Option<Vec<RequirementPeriod>>,
    /// ON_ANY_DAY: the days.
    pub window: Option<DateSpan>,
    /// ON_ANY_DAY: a day on which it is met, the latest of those that were judged.
    pub day: Option<GqlDate>,
    /// In plain language; null for a list of conditions, which says it best.
    pub sentence: Option<Sentence>,
    /// LEAF: the condition.
    pub leaf: Option<RequirementLeaf>,
}

/// A subset of an AT_LEAST.
#[derive(Debug, Clone, SimpleObject)]
pub struct RequirementSubset {
    /// How many of it must be met.
    pub required: i64,
    /// How many of it are met.
    pub actual: i64,
    /// How many of it are missing.
    pub missing: i64,
    /// The places of its nodes.
    pub nodes: Vec<i32>,
}

/// A period of a STREAK.
#[derive(Debug, Clone, SimpleObject)]
pub struct RequirementPeriod {
    /// The period; the current one up to the date.
    pub period: DateSpan,
    /// Whether it meets the requirement.
    pub met: bool,
}

/// A sentence, and what it is made of: other languages have one text per form and put the same pieces in.
#[derive(Debug, Clone, SimpleObject)]
pub struct Sentence {
    /// In English.
    pub text: String,
    /// Which sentence it is, in capitals: AT_LEAST, NO_DATA, TENURE, ...
    pub form: String,
    /// What was put in, by name.
    pub pieces: Vec<SentencePiece>,
}

/// A piece of a sentence.
#[derive(Debug, Clone, SimpleObject)]
pub struct SentencePiece {
    /// Its name: `required`, `actual`, `missing`, `by`, `noun`, ...
    pub name: String,
    /// Its value; figures as decimals, days as dates.
    pub value: String,
}

impl From<guerdon_domain::sentence::Sentence> for Sentence {
    fn from(sentence: guerdon_domain::sentence::Sentence) -> Self {
        let piece = |(name, value): (&str, String)| SentencePiece { name: name.to_owned(), value };
        Self { text: sentence.text, form: sentence.form.to_owned(), pieces: sentence.pieces.into_iter().map(piece).collect() }
    }
}

/// What a ratio or share lacks, seen from its upper figure.
#[derive(Debug, Clone, SimpleObject)]
pub struct RatioGap {
    /// The part, or the numerator.
    pub numerator: Decimal,
    /// The whole, or the denominator.
    pub denominator: Decimal,
    /// So much more of it would do while the whole stays as it is; whole things are counted whole.
    pub missing_numerator: Decimal,
    /// So much more of it would do if it adds to the whole as well; null where no addition reaches the threshold.
    pub missing_if_added: Option<Decimal>,
}

impl From<&domain::RatioGap> for RatioGap {
    fn from(gap: &domain::RatioGap) -> Self {
        Self {
            numerator: Decimal::of(&gap.numerator),
            denominator: Decimal::of(&gap.denominator),
            missing_numerator: Decimal::of(&gap.missing_numerator),
            missing_if_added: gap.missing_if_added.as_ref().map(Decimal::of),
        }
    }
}

/// A condition, judged.
#[derive(Debug, Clone)]
pub struct RequirementLeaf(std::sync::Arc<domain::Leaf>);

/// A condition with what is required, what there is, and what is missing. One without figures (a holding, a tier) requires 1 and
/// has 0 or 1.
#[Object]
impl RequirementLeaf {
    /// What kind of condition.
    async fn kind(&self) -> LeafKind {
        self.0.kind.into()
    }

    /// The metric's key; of other kinds the ladder, the type of the holding, the contract template, ...
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// What it is about: the metric's name, or the key of the tier or type that is asked for.
    async fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The group of the enclosing FOR_EACH.
    async fn group(&self) -> Option<&str> {
        self.0.group.as_deref()
    }

    /// How it compares.
    async fn compares(&self) -> Comparison {
        self.0.compares.into()
    }

    /// What it is counted in.
    async fn unit(&self) -> MetricUnit {
        self.0.unit.into()
    }

    /// The currency of MONEY.
    async fn currency(&self) -> Option<CurrencyCode> {
        self.0.currency.map(CurrencyCode)
    }

    /// The noun of one unit: `certified engineer`.
    async fn noun(&self) -> Option<&str> {
        self.0.noun.as_deref()
    }

    /// What is required.
    async fn required(&self) -> Option<Decimal> {
        self.0.required.as_ref().map(Decimal::of)
    }

    /// What there is; null when there is no data.
    async fn actual(&self) -> Option<Decimal> {
        self.0.actual.as_ref().map(Decimal::of)
    }

    /// What is missing; null when it is met, and when it cannot be told. Of an upper limit: what is too much.
    async fn missing(&self) -> Option<Decimal> {
        self.0.missing.as_ref().map(Decimal::of)
    }

    /// Why there are no figures.
    async fn reason(&self) -> Option<UnmetReason> {
        self.0.reason.map(Into::into)
    }

    /// What a ratio or share lacks, seen from its upper figure.
    async fn ratio(&self) -> Option<RatioGap> {
        self.0.ratio.as_deref().map(Into::into)
    }

    /// The days that were looked at.
    async fn window(&self) -> Option<DateSpan> {
        self.0.window.map(Into::into)
    }

    /// How many facts counted.
    async fn facts(&self) -> i64 {
        i64::try_from(self.0.facts).unwrap_or(i64::MAX)
    }

    /// The day on which it will be met by itself: time served.
    async fn met_on(&self) -> Option<GqlDate> {
        self.0.met_on.map(GqlDate)
    }

    /// How the value came about, where it is more than a fold of facts: terms, caps and gates of a scorecard, numerator and
    /// denominator, then and now. A tree as a list, each part after its parent; at most 200.
    async fn parts(&self) -> Vec<MetricPart> {
        self.0.value.as_deref().map(parts_of).unwrap_or_default()
    }

    /// In plain language.
    async fn sentence(&self) -> String {
        self.0.sentence(None).text
    }

    /// The sentence with its pieces, for other languages.
    async fn sentence_data(&self) -> Sentence {
        self.0.sentence(None).into()
    }
}

/// A condition that is missing.
#[derive(Debug, Clone)]
pub struct MissingLeaf(domain::MissingLeaf);

/// A condition that is missing on the way to a requirement.
#[Object]
impl MissingLeaf {
    /// The metric's key, or what else it is known by.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// What people call it.
    async fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// The group that it is about, inside a FOR_EACH.
    async fn group(&self) -> Option<&str> {
        self.0.group.as_deref()
    }

    /// What kind of condition.
    async fn kind(&self) -> LeafKind {
        self.0.kind.into()
    }

    /// What it is counted in.
    async fn unit(&self) -> MetricUnit {
        self.0.unit.into()
    }

    /// The currency of MONEY.
    async fn currency(&self) -> Option<CurrencyCode> {
        self.0.currency.map(CurrencyCode)
    }

    /// The noun of one unit: `certified engineer`.
    async fn noun(&self) -> Option<&str> {
        self.0.noun.as_deref()
    }

    /// How it compares.
    async fn compares(&self) -> Comparison {
        self.0.compares.into()
    }

    /// What is required.
    async fn required(&self) -> Option<Decimal> {
        self.0.required.as_ref().map(Decimal::of)
    }

    /// What there is.
    async fn actual(&self) -> Option<Decimal> {
        self.0.actual.as_ref().map(Decimal::of)
    }

    /// What is missing; of a condition that is met or not, 1. Null where it cannot be told.
    async fn missing(&self) -> Option<Decimal> {
        self.0.missing.as_ref().map(Decimal::of)
    }

    /// Why there are no figures.
    async fn reason(&self) -> Option<UnmetReason> {
        self.0.reason.map(Into::into)
    }

    /// What a ratio or share lacks, seen from its upper figure.
    async fn ratio(&self) -> Option<RatioGap> {
        self.0.ratio.as_deref().map(Into::into)
    }

    /// The days that were looked at.
    async fn window(&self) -> Option<DateSpan> {
        self.0.window.map(Into::into)
    }

    /// How many facts counted.
    async fn facts(&self) -> i64 {
        i64::try_from(self.0.facts).unwrap_or(i64::MAX)
    }

    /// The day until which it is asked for: the next review.
    async fn by(&self) -> Option<GqlDate> {
        self.0.by().map(GqlDate)
    }

    /// The day on which it will be met by itself: time served.
    async fn met_on(&self) -> Option<GqlDate> {
        self.0.met_on.map(GqlDate)
    }

    /// In plain language.
    async fn sentence(&self) -> String {
        self.0.sentence().text
    }

    /// The sentence with its pieces, for other languages.
    async fn sentence_data(&self) -> Sentence {
        self.0.sentence().into()
    }
}

impl From<&domain::MissingLeaf> for MissingLeaf {
    fn from(leaf: &domain::MissingLeaf) -> Self {
        Self(leaf.clone())
    }
}

/// What of the nodes is asked for, besides what costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Sentences of nodes.
    pub sentences: bool,
    /// What is missing on each path of an ANY_OF.
    pub gaps: bool,
}

/// A node that waits to be listed: it, its parent, its group, and whether it is a path of an ANY_OF.
type Open<'j> = (&'j domain::Judged, Option<i32>, Option<String>, bool);

/// The tree as a list: every node after its parent.
pub fn flatten(root: &domain::Judged, asked: Asked) -> Vec<RequirementNode> {
    let mut nodes: Vec<RequirementNode> = Vec::new();
    let mut children_of: Vec<Vec<i32>> = Vec::new();
    let mut open: Vec<Open<'_>> = vec![(root, None, None, false)];
    while let Some((judged, parent, group, path)) = open.pop() {
        if nodes.len() == NODES_MAX {
            break;
        }
        let index = i32::try_from(nodes.len()).unwrap_or(i32::MAX);
        let gap = (asked.gaps && path && !judged.met).then(|| Gap::from(&domain::Gap::of(judged, None)));
        let sentence = if asked.sentences { sentence_of(judged) } else { None };
        nodes.push(RequirementNode { index, parent, group, gap, sentence, ..node_of(judged) });
        children_of.push(Vec::new());
        if let Some(siblings) = parent.and_then(|parent| usize::try_from(parent).ok()).and_then(|parent| children_of.get_mut(parent)) {
            siblings.push(index);
        }
        let groups: Vec<Option<String>> = match &judged.node {
            domain::Node::ForEach { groups, .. } => groups.iter().map(|group| Some(group.group.clone())).collect(),
            _ => Vec::new(),
        };
        let paths = matches!(judged.node, domain::Node::AnyOf { .. });
        let children = judged.children().into_iter().enumerate();
        let children: Vec<_> = children.map(|(at, child)| (child, Some(index), groups.get(at).cloned().flatten(), paths)).collect();
        open.extend(children.into_iter().rev());
    }
    for (node, children) in nodes.iter_mut().zip(&children_of) {
        // Positions among the children become places in the list.
        let place = |position: i32| usize::try_from(position).ok().and_then(|at| children.get(at)).copied();
        node.cheapest = node.cheapest.and_then(place);
        if let Some(subset) = &mut node.including {
            subset.nodes = subset.nodes.iter().filter_map(|position| place(*position)).collect();
        }
    }
    nodes
}

/// A list of conditions is said best by its conditions.
fn sentence_of(judged: &domain::Judged) -> Option<Sentence> {
    let plain = matches!(judged.node, domain::Node::AllOf { .. } | domain::Node::Shared { .. } | domain::Node::When { applies: true, .. });
    (!plain).then(|| guerdon_domain::sentence::Sentence::of_node(judged, None).into())
}

fn position(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

fn subset(subset: &domain::SubsetJudged) -> RequirementSubset {
    RequirementSubset {
        required: subset.m.into(),
        actual: subset.met_count.into(),
        missing: subset.m.saturating_sub(subset.met_count).into(),
        nodes: subset.items.iter().map(|item| position(*item as usize)).collect(),
    }
}

/// A node with how many are asked for and how many there are.
fn counted(bare: RequirementNode, required: u32, actual: usize) -> RequirementNode {
    let actual = u32::try_from(actual).unwrap_or(u32::MAX);
    RequirementNode { required: Some(required.into()), actual: Some(actual.into()), missing: Some(required.saturating_sub(actual).into()), ..bare }
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
        share_met: Decimal::of(&judged.share_met()),
        applies: None,
        required: None,
        actual: None,
        missing: None,
        including: None,
        cheapest: None,
        gap: None,
        periods: None,
        window: None,
        day: None,
        sentence: None,
        leaf: None,
    };
    match &judged.node {
        domain::Node::AllOf { .. } => bare(RequirementNodeType::AllOf),
        domain::Node::AnyOf { cheapest, .. } => RequirementNode { cheapest: cheapest.map(position), ..bare(RequirementNodeType::AnyOf) },
        domain::Node::AtLeast { n, met_count, including, .. } => {
            RequirementNode { including: including.as_ref().map(subset), ..counted(bare(RequirementNodeType::AtLeast), *n, *met_count as usize) }
        }
        domain::Node::Not { .. } => bare(RequirementNodeType::Not),
        domain::Node::Shared { key, .. } => RequirementNode { key: Some(key.clone()), ..bare(RequirementNodeType::Shared) },
        domain::Node::When { applies, .. } => RequirementNode { applies: Some(*applies), ..bare(RequirementNodeType::When) },
        domain::Node::ForEach { name, at_least_groups, groups } => {
            let asked = u32::try_from(groups.len()).unwrap_or(u32::MAX).max(*at_least_groups);
            let met = groups.iter().filter(|group| group.requirement.met).count();
            RequirementNode { key: Some(name.clone()), ..counted(bare(RequirementNodeType::ForEach), asked, met) }
        }
        domain::Node::Streak { required, actual, periods, .. } => {
            let period = |one: &domain::PeriodJudged| RequirementPeriod { period: one.period.into(), met: one.met };
            let periods = periods.iter().map(period).collect();
            RequirementNode { periods: Some(periods), ..counted(bare(RequirementNodeType::Streak), *required, *actual as usize) }
        }
        domain::Node::OnAnyDay { window, day, .. } => {
            RequirementNode { window: window.map(Into::into), day: day.map(GqlDate), ..bare(RequirementNodeType::OnAnyDay) }
        }
        domain::Node::Leaf(leaf) => {
            let label = judged.label.clone().or_else(|| leaf.label.clone());
            RequirementNode { label, leaf: Some(RequirementLeaf(std::sync::Arc::clone(leaf))), ..bare(RequirementNodeType::Leaf) }
        }
    }
}
