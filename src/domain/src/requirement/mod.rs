//! Requirements, judged: every node met or not, every leaf with what is required, what there is and what is missing.
//!
//! [`Evaluator::judge`](crate::metric::Evaluator::judge) evaluates the whole tree, also where the outcome is decided early,
//! since the explanation is the product. [`Gap`] answers what is missing to meet it.

mod changes;
mod condition;
mod gap;
mod judge;
mod leaf;
mod node;
mod reach;
mod ways;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::date::{Date, Span};
use crate::document::metric::Unit;
use crate::document::scoped::Scalar;
use crate::exact::Exact;
use crate::facts::AttributeValue;
use crate::metric::{At, MetricValue};

pub(crate) use condition::{Condition, Step, conditions};
pub use gap::{Gap, MissingLeaf};
pub(crate) use leaf::{KnownComparison, enrolled_since};
pub use reach::{Reached, Spread};

/// A streak looks at no more periods than this; publishing refuses longer ones.
pub(crate) const MAX_STREAK: u32 = 240;

/// A node of a requirement, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// Whether it is met.
    pub met: bool,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What was judged.
    #[serde(flatten)]
    pub node: Node,
}

/// What was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum Node {
    /// All of them.
    AllOf {
        /// Them, in order.
        of: Vec<Judged>,
    },
    /// One of several paths.
    AnyOf {
        /// The paths, in order; each that is not met is written with its own gap.
        #[serde(serialize_with = "gap::with_gaps")]
        of: Vec<Judged>,
        /// The position of the path with the smallest gap; of a met one when there is one.
        cheapest: Option<usize>,
    },
    /// So many of several.
    AtLeast {
        /// How many must be met.
        n: u32,
        /// How many are met.
        met_count: u32,
        /// Them, in order.
        of: Vec<Judged>,
        /// The subset of which some must be met.
        #[serde(skip_serializing_if = "Option::is_none")]
        including: Option<SubsetJudged>,
    },
    /// It must not be met.
    Not {
        /// It.
        of: Box<Judged>,
    },
    /// A requirement that the program shares.
    Shared {
        /// Its key.
        key: String,
        /// It.
        of: Box<Judged>,
    },
    /// Asked only of some.
    When {
        /// Whether it is asked of this partner.
        applies: bool,
        /// The condition.
        condition: Box<Judged>,
        /// What is asked; not judged of those of whom it is not asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<Box<Judged>>,
    },
    /// For each group of facts.
    ForEach {
        /// The name of the group in the requirement.
        name: String,
        /// So many groups there must be.
        at_least_groups: u32,
        /// The groups, in order.
        groups: Vec<GroupJudged>,
    },
    /// In each of the last periods.
    Streak {
        /// How many periods are asked for.
        required: u32,
        /// How many of them meet it.
        actual: u32,
        /// The periods, latest first.
        periods: Vec<PeriodJudged>,
        /// The requirement in the latest period that fails it; in the latest one when none does.
        of: Box<Judged>,
    },
    /// On at least one day of a window.
    OnAnyDay {
        /// The days.
        #[serde(skip_serializing_if = "Option::is_none")]
        window: Option<Span>,
        /// A day on which it is met, the latest of those that were judged.
        #[serde(skip_serializing_if = "Option::is_none")]
        day: Option<Date>,
        /// Where it is met on none: of the days that can still be reached the one on which least is missing, the last of several.
        #[serde(skip_serializing_if = "Option::is_none")]
        nearest: Option<Date>,
        /// Whether it is met on none, and all days are over.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        over: bool,
        /// The requirement on the one or the other day; as of the evaluation when there is neither.
        of: Box<Judged>,
    },
    /// A condition with a figure; what is missing shares it.
    #[serde(serialize_with = "leaf::shared")]
    Leaf(Arc<Leaf>),
}

/// A subset of an AT_LEAST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubsetJudged {
    /// How many of it must be met.
    pub m: u32,
    /// How many of it are met.
    pub met_count: u32,
    /// Positions in the list, from 0.
    pub items: Vec<u32>,
}

/// A group of a FOR_EACH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupJudged {
    /// The group.
    pub group: String,
    /// The requirement for it.
    pub requirement: Judged,
}

/// A period of a STREAK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeriodJudged {
    /// The period; the current one up to the date.
    pub period: Span,
    /// Whether it meets the requirement.
    pub met: bool,
}

/// What kind of condition a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
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

/// How a leaf compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compares {
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

/// Why a leaf has no figures to compare, or why nothing meets it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unmet {
    /// The metric has no data (semantics 26).
    NoData,
    /// No threshold is for this partner, and there is none by default.
    NoThreshold,
    /// The partner is not enrolled.
    NotEnrolled,
    /// Nothing that can still happen meets it: the days that it looks at are over, the figures that could grow do not suffice, or it is
    /// for those who hold already what it leads to.
    Closed,
}

/// What a ratio or share lacks, seen from its upper figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RatioGap {
    /// The part, or the numerator.
    pub numerator: Exact,
    /// The whole, or the denominator.
    pub denominator: Exact,
    /// So much more of it would do while the whole stays as it is; whole things are counted whole.
    pub missing_numerator: Exact,
    /// So much more of it would do if it adds to the whole as well. None where no addition reaches the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_if_added: Option<Exact>,
}

/// What a leaf is about, in words: what follows from its rule and the version, whoever is judged. The leaves of one rule share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafWords {
    /// What kind of condition.
    pub kind: LeafKind,
    /// The metric's key; of other kinds the ladder, the type of the holding, the contract template, ...; where there is none,
    /// the label, or the kind.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    /// The metric's name, or the key of the tier or type that is asked for.
    pub subject: Option<String>,
    /// How it compares.
    pub compares: Compares,
    /// What it is counted in.
    pub unit: Unit,
    /// The currency of MONEY.
    pub currency: Option<crate::money::Currency>,
    /// The noun of one unit; of a tier, or of the template of a contract, its name.
    pub noun: Option<String>,
    /// Whether the noun says which metric it is: it has no name, and no other metric has the noun.
    pub named_by_noun: bool,
    /// The name of the ladder of a tier.
    pub ladder: Option<String>,
    /// The currencies of the upper and the lower figure of a ratio or share, where they are amounts.
    pub ratio_of: [Option<crate::money::Currency>; 2],
    /// Whether it asks of a holding more than its words say.
    pub filtered: bool,
}

/// A condition with what is required, what there is, and what is missing. A condition without figures (a holding, a tier)
/// requires 1 and has 0 or 1. It reads as the [`LeafWords`] that say what it is about, and serializes with its plain-language
/// `sentence`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What it is about.
    pub words: Arc<LeafWords>,
    /// What is required.
    pub required: Option<Exact>,
    /// What there is; none: no data.
    pub actual: Option<Exact>,
    /// What is missing; none when met, and when it cannot be told. Of an upper limit: what is too much. What must be exceeded takes the
    /// smallest unit more; zero where it has none and is only reached.
    pub missing: Option<Exact>,
    /// Why there are no figures.
    pub reason: Option<Unmet>,
    /// For ratios and shares.
    pub ratio: Option<Box<RatioGap>>,
    /// The days that were looked at.
    pub window: Option<Span>,
    /// How many facts counted.
    pub facts: u64,
    /// The day on which it will be met by itself: time served.
    pub met_on: Option<Date>,
    /// How the value came about: terms, caps and gates of a scorecard, numerator and denominator, ...
    pub value: Option<Arc<MetricValue>>,
    /// The group of the enclosing FOR_EACH.
    pub group: Option<String>,
    /// What people call that group, where it has a name.
    pub group_name: Option<String>,
    /// What it takes to reach what is required, where that is not simply the difference.
    pub reached: Option<Box<Reached>>,
}

impl std::ops::Deref for Leaf {
    type Target = LeafWords;

    fn deref(&self) -> &LeafWords {
        &self.words
    }
}

impl Serialize for Leaf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ToldLeaf(self, self.sentence(None)).serialize(serializer)
    }
}

/// A leaf with what is said of it.
pub(crate) struct ToldLeaf<'l>(pub(crate) &'l Leaf, pub(crate) crate::sentence::Sentence);

impl Serialize for ToldLeaf<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'l> {
            kind: LeafKind,
            key: &'l str,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'l str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            subject: Option<&'l str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            group: Option<&'l str>,
            compares: Compares,
            unit: Unit,
            #[serde(skip_serializing_if = "Option::is_none")]
            currency: Option<crate::money::Currency>,
            required: Option<Exact>,
            actual: Option<Exact>,
            missing: Option<Exact>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<Unmet>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ratio: Option<RatioGap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            window: Option<Span>,
            facts: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            met_on: Option<Date>,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'l MetricValue>,
            sentence: crate::sentence::Sentence,
        }
        let Self(leaf, sentence) = self;
        Wire {
            kind: leaf.kind,
            key: &leaf.key,
            label: leaf.label.as_deref(),
            subject: leaf.subject.as_deref(),
            group: leaf.group.as_deref(),
            compares: leaf.compares,
            unit: leaf.unit,
            currency: leaf.currency,
            required: leaf.required.clone(),
            actual: leaf.actual.clone(),
            missing: leaf.missing.clone(),
            reason: leaf.reason,
            ratio: leaf.ratio.as_deref().cloned(),
            window: leaf.window,
            facts: leaf.facts,
            met_on: leaf.met_on,
            value: leaf.value.as_deref(),
            sentence: sentence.clone(),
        }
        .serialize(serializer)
    }
}

impl Leaf {
    /// Whether it is met.
    pub fn met(&self) -> bool {
        match (self.required.clone(), self.actual.clone()) {
            (Some(required), Some(actual)) => self.compares.holds(&actual, &required),
            _ => false,
        }
    }
}

impl Compares {
    /// Whether `actual` meets `required`.
    pub fn holds(self, actual: &Exact, required: &Exact) -> bool {
        match self {
            Self::AtLeast => actual >= required,
            Self::Above => actual > required,
            Self::AtMost => actual <= required,
            Self::Below => actual < required,
            Self::Equals => actual == required,
        }
    }
}

impl Judged {
    pub(crate) const fn new(met: bool, node: Node) -> Self {
        Self { met, label: None, node }
    }

    /// Of what denies something, that.
    pub(crate) fn denied(&self) -> Option<&Self> {
        match &self.node {
            Node::Not { of } => Some(of),
            _ => None,
        }
    }

    /// The nodes right under this one.
    pub fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::AllOf { of } | Node::AnyOf { of, .. } | Node::AtLeast { of, .. } => of.iter().collect(),
            Node::Not { of } | Node::Shared { of, .. } | Node::Streak { of, .. } | Node::OnAnyDay { of, .. } => vec![of],
            Node::When { of, .. } => of.iter().map(Box::as_ref).collect(),
            Node::ForEach { groups, .. } => groups.iter().map(|group| &group.requirement).collect(),
            Node::Leaf(_) => Vec::new(),
        }
    }

    /// All leaves, in order.
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            if let Node::Leaf(leaf) = &node.node {
                leaves.push(leaf.as_ref());
            }
            open.extend(node.children().into_iter().rev());
        }
        leaves
    }

    /// The part of it that is met, from 0 to 1: of ALL_OF the mean of its parts, of ANY_OF the best path, of AT_LEAST n the
    /// mean of the best n, of FOR_EACH the mean of its groups; a leaf counts 0 or 1.
    pub fn share_met(&self) -> Exact {
        if self.met {
            return Exact::ONE;
        }
        match &self.node {
            Node::AllOf { of } => mean_of_all(of),
            Node::AnyOf { of, .. } => of.iter().map(Self::share_met).max().unwrap_or(Exact::ZERO),
            Node::AtLeast { n, of, including, .. } => share_of_best(*n as usize, of, including.as_ref()),
            Node::Shared { of, .. } => of.share_met(),
            Node::When { of: Some(of), .. } => of.share_met(),
            Node::ForEach { groups, at_least_groups, .. } => {
                let asked = groups.len().max(*at_least_groups as usize);
                mean(groups.iter().map(|group| group.requirement.share_met()).collect(), asked)
            }
            Node::Streak { required, actual, .. } => Exact::ratio((*actual).into(), (*required).into()).unwrap_or(Exact::ZERO),
            _ => Exact::ZERO,
        }
    }
}

/// The mean of all parts, of which most are met or a leaf that is not.
fn mean_of_all(of: &[Judged]) -> Exact {
    let met = of.iter().filter(|part| part.met).count();
    let in_part: Vec<Exact> = of.iter().filter(|part| !part.met && !matches!(part.node, Node::Leaf(_))).map(Judged::share_met).collect();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    if in_part.is_empty() {
        return Exact::ratio(number(met).into(), number(of.len()).into()).unwrap_or(Exact::ZERO);
    }
    mean(in_part.into_iter().chain([Exact::from_int(number(met))]).collect(), of.len())
}

/// The mean of the best parts, with those of the subset that must be among them.
fn share_of_best(n: usize, of: &[Judged], including: Option<&SubsetJudged>) -> Exact {
    let wanted = including.map_or(0, |subset| subset.m as usize);
    let of_subset = |index: usize| including.is_some_and(|subset| subset.items.iter().any(|item| *item as usize == index));
    let mut shares: Vec<(Exact, usize)> = of.iter().enumerate().map(|(index, part)| (part.share_met(), index)).collect();
    shares.sort_unstable_by(|left, right| right.cmp(left));
    let (subset, others): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(_, index)| of_subset(*index));
    let mut chosen: Vec<Exact> = subset.iter().take(wanted).map(|(share, _)| share.clone()).collect();
    let asked = n.max(wanted);
    let mut rest: Vec<Exact> = subset.into_iter().skip(wanted).chain(others).map(|(share, _)| share).collect();
    rest.sort_unstable_by(|left, right| right.cmp(left));
    chosen.extend(rest.into_iter().take(asked - wanted.min(asked)));
    mean(chosen, asked)
}

/// The sum over a number. A share that needs more digits than exact arithmetic has counts as nothing met.
fn mean(shares: Vec<Exact>, number: usize) -> Exact {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Exact::sum(shares).and_then(|sum| sum.div(&Exact::from_int(number))).ok().flatten().unwrap_or(Exact::ZERO)
}

/// Whether the partner has an attribute on the date, of a value if one is named.
pub(crate) fn partner_has(at: &At<'_>, attribute: &str, equals: Option<&Scalar>) -> bool {
    let Some(value) = at.partner.profile(at.as_of).and_then(|profile| profile.attributes.get(attribute)) else { return false };
    match (value, equals) {
        (_, None) => true,
        (AttributeValue::Text(text), Some(Scalar::Text(wanted))) => text == wanted,
        (AttributeValue::Number(number), Some(Scalar::Number(wanted))) => *number == wanted.0,
        (AttributeValue::Boolean(value), Some(Scalar::Boolean(wanted))) => value == wanted,
        (AttributeValue::Text(text), Some(Scalar::Number(wanted))) => Exact::parse(text, 15, 10) == Ok(wanted.0.clone()),
        (AttributeValue::Text(text), Some(Scalar::Boolean(wanted))) => *text == wanted.to_string(),
        (AttributeValue::Number(number), Some(Scalar::Text(wanted))) => Exact::parse(wanted, 15, 10) == Ok(number.clone()),
        (AttributeValue::Boolean(value), Some(Scalar::Text(wanted))) => value.to_string() == *wanted,
        _ => false,
    }
}

#[cfg(test)]
mod reach_tests;
#[cfg(test)]
mod region_tests;
#[cfg(test)]
mod sentence_tests;
#[cfg(test)]
mod tests;
