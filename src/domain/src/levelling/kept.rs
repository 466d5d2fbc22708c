//! A standing as a review keeps it: every figure that was judged, without what the program version says anyway.
//!
//! A whole standing in words is some ten kilobytes for a ladder, of which nearly everything (labels, units, sentences, the trees)
//! follows from the version that judged. Kept are the decision with its reasons, and for every tier whether it was met, the part that
//! was met, and the tree of its requirement without words: of each leaf what was required, what there was, from how many facts of
//! which days; of other nodes only what the rule does not say, the groups that were found for example. A value that several tiers
//! ask for stands once. With the version that judged, [`KeptStanding::restore`] gives the whole standing back.

mod detail;
mod restore;
mod tree;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use detail::KeptDetail;
use tree::{KeptLeaf, KeptNode};

use super::{Decision, LadderStanding, TierRecord, TierStanding};
use crate::date::{Date, Span};
use crate::document::requirement::Requirement;
use crate::exact::Exact;
use crate::fault::Fault;
use crate::metric::MetricValue;
use crate::program::Program;
use crate::requirement::{Leaf, LeafKind, LeafWords, Reached};

/// The shape that is written.
const SHAPE: u8 = 2;

/// A ladder's standing, kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptStanding<'s> {
    #[serde(rename = "v")]
    shape: u8,
    /// Whether the partner was judged in this ladder at all.
    pub applies: bool,
    /// The tier that was held after the evaluation.
    pub tier: Option<Cow<'s, str>>,
    /// Its rank; 0 for none.
    pub rank: u32,
    /// The highest tier whose requirement was met.
    pub qualified: Option<Cow<'s, str>>,
    /// The highest tier that was met and could be entered.
    pub granted: Option<Cow<'s, str>>,
    /// The tier on record before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Cow<'s, TierRecord>>,
    /// Why the tier is what it is.
    pub decision: Cow<'s, Decision>,
    /// The next tier up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cow<'s, str>>,
    /// The next date on which one may go up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_up_on: Option<Date>,
    windows: Vec<Span>,
    values: Vec<KeptValue<'s>>,
    /// How values came about that are no plain measures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<KeptDetail<'s>>,
    /// Who is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applies_to: Option<KeptNode<'s>>,
    tiers: Vec<KeptTier<'s>>,
}

/// What there was: kind, key, group, subject (of what is no metric), value, number of facts, place of the window, place of how it
/// came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptValue<'s>(
    LeafKind,
    Cow<'s, str>,
    Option<Cow<'s, str>>,
    Option<Cow<'s, str>>,
    Option<Exact>,
    u64,
    Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<usize>,
);

/// A tier: key, whether it was met, the part that was met, whether it could be entered, whether the home region was asked, its
/// requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptTier<'s>(Cow<'s, str>, bool, Exact, bool, bool, Option<KeptNode<'s>>);

/// A tier of a kept standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTierView<'k> {
    /// The tier.
    pub tier: &'k str,
    /// Whether it was met.
    pub met: bool,
    /// The part of its requirement that was met, from 0 to 1.
    pub share_met: Exact,
    /// Whether it could be entered.
    pub admitted: bool,
    /// The leaves of its requirement, in the order of the tree.
    pub leaves: Vec<KeptLeafView<'k>>,
}

/// A leaf of a kept standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLeafView<'k> {
    /// What kind of condition.
    pub kind: LeafKind,
    /// The metric's key, or what else is asked for.
    pub key: &'k str,
    /// The group of the enclosing FOR_EACH.
    pub group: Option<&'k str>,
    /// The tier or type that was asked for; none of a metric.
    pub subject: Option<&'k str>,
    /// What was required; none: no threshold was for this partner.
    pub required: Option<Exact>,
    /// What there was; none: no data.
    pub actual: Option<Exact>,
    /// Whether it was met.
    pub met: bool,
    /// How many facts counted.
    pub facts: u64,
    /// The days that were looked at.
    pub window: Option<Span>,
    /// Where it stands how the value came about; none of a plain measure.
    detail: Option<usize>,
    /// What it took to reach what was required, where that was not the difference.
    reached: Option<&'k Reached>,
}

impl KeptLeafView<'_> {
    /// The leaf with its words, by the version that judged: label, unit, noun, how it compared. `at` is its place among the leaves of
    /// `requirement`, which tells two leaves of one metric apart.
    pub fn leaf(&self, program: &Program, requirement: &Requirement, at: usize) -> Leaf {
        let mut rules = Vec::new();
        leaf_rules(program, requirement, &mut rules, 0);
        let named = |rule: &&&Requirement| rule_key(rule).is_some_and(|key| key == self.key);
        let rule = rules.get(at).filter(named).or_else(|| rules.iter().find(named));
        self.leaf_of(program, rule.copied(), None)
    }

    /// The leaf with its words, by its rule; `value` is how it came about.
    fn leaf_of(&self, program: &Program, rule: Option<&Requirement>, value: Option<Arc<MetricValue>>) -> Leaf {
        let words = LeafWords { subject: self.subject.map(str::to_owned), ..LeafWords::new(self.kind, self.key.to_owned()) };
        let mut leaf = Leaf {
            group: self.group.map(str::to_owned),
            window: self.window,
            facts: self.facts,
            required: self.required.clone(),
            actual: self.actual.clone(),
            value,
            reached: self.reached.cloned().map(Box::new),
            ..Leaf::yes_or_no(words, self.met)
        };
        leaf.dress(program, rule);
        leaf
    }
}

/// How deep shared requirements are followed.
const MAX_DEPTH: u32 = 64;

/// The rules of the leaves, in the order of the tree.
fn leaf_rules<'d>(program: &'d Program, requirement: &'d Requirement, rules: &mut Vec<&'d Requirement>, depth: u32) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut into = |part: &'d Requirement| leaf_rules(program, part, rules, depth + 1);
    match requirement {
        Requirement::AllOf(of) | Requirement::AnyOf(of) => of.iter().for_each(into),
        Requirement::AtLeast(rule) => rule.of.iter().for_each(into),
        Requirement::Not(of) => into(of),
        Requirement::Labelled(rule) => into(&rule.requirement),
        Requirement::Shared(key) => program.requirement(key).into_iter().for_each(into),
        Requirement::Streak(rule) => into(&rule.requirement),
        Requirement::OnAnyDay(rule) => into(&rule.requirement),
        Requirement::ForEach(rule) => into(&rule.requirement),
        Requirement::When(rule) => into(&rule.requirement),
        leaf => rules.push(leaf),
    }
}

/// The key that the leaf of a rule has, where the rule says it.
fn rule_key(rule: &Requirement) -> Option<&str> {
    match rule {
        Requirement::Metric(rule) => rule.metric.as_deref().or(rule.label.as_deref()),
        Requirement::Tier(rule) => Some(&rule.ladder),
        Requirement::Holding(rule) => Some(rule.r#type.as_deref().unwrap_or(&rule.kind)),
        _ => None,
    }
}

/// The place of `item` in `list`, at whose end it is put if it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

impl<'s> KeptStanding<'s> {
    /// What is kept of a standing.
    pub fn of(standing: &'s LadderStanding) -> Self {
        let mut kept = Self {
            shape: SHAPE,
            applies: standing.applies,
            tier: standing.tier.as_deref().map(Cow::Borrowed),
            rank: standing.rank,
            qualified: standing.qualified.as_deref().map(Cow::Borrowed),
            granted: standing.granted.as_deref().map(Cow::Borrowed),
            record: standing.record.as_ref().map(Cow::Borrowed),
            decision: Cow::Borrowed(&standing.decision),
            next: standing.next.as_ref().map(|next| Cow::Borrowed(next.tier.as_str())),
            next_up_on: standing.next.as_ref().and_then(|next| next.review_on),
            windows: Vec::new(),
            values: Vec::new(),
            details: Vec::new(),
            applies_to: None,
            tiers: Vec::with_capacity(standing.tiers.len()),
        };
        kept.applies_to = standing.applies_to.as_ref().map(|judged| kept.node(judged));
        for tier in &standing.tiers {
            kept.add(tier);
        }
        kept
    }

    fn add(&mut self, tier: &'s TierStanding) {
        let requirement = tier.requirement.as_ref().map(|judged| self.node(judged));
        self.tiers.push(KeptTier(Cow::Borrowed(&tier.tier), tier.met, tier.share_met.clone(), tier.admitted, tier.home, requirement));
    }

    fn leaf(&mut self, leaf: &'s Leaf) -> KeptLeaf {
        let window = leaf.window.map(|window| place(&mut self.windows, window));
        // A metric's name follows from the version; which tier or type was asked for does not follow from the key.
        let subject = leaf.subject.as_deref().filter(|_| leaf.kind != LeafKind::Metric).map(Cow::Borrowed);
        let group = leaf.group.as_deref().map(Cow::Borrowed);
        let detail = leaf.value.as_ref().map(|value| self.detail(value));
        let value = KeptValue(leaf.kind, Cow::Borrowed(&leaf.key), group, subject, leaf.actual.clone(), leaf.facts, window, detail);
        KeptLeaf(place(&mut self.values, value), leaf.required.clone(), leaf.met(), leaf.reached.clone())
    }

    /// As text for the database.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`KeptStanding::to_text`] wrote.
    ///
    /// # Errors
    /// `UNREADABLE_STANDING` when it is something else.
    pub fn read(text: &str) -> Result<KeptStanding<'static>, Fault> {
        let fault = |message: String| Fault::new("UNREADABLE_STANDING", "", message);
        let kept: KeptStanding<'static> = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        if kept.shape == SHAPE { Ok(kept) } else { Err(fault(format!("its shape {} is unknown", kept.shape))) }
    }

    /// Every tier, lowest first.
    pub fn tiers(&self) -> Vec<KeptTierView<'_>> {
        self.tiers.iter().map(|tier| self.view(tier)).collect()
    }

    fn view<'k>(&'k self, KeptTier(tier, met, share_met, admitted, _, requirement): &'k KeptTier<'s>) -> KeptTierView<'k> {
        let mut leaves = Vec::new();
        if let Some(requirement) = requirement {
            requirement.each_leaf(&mut |leaf| leaves.extend(self.leaf_view(leaf)));
        }
        KeptTierView { tier, met: *met, share_met: share_met.clone(), admitted: *admitted, leaves }
    }

    fn leaf_view<'k>(&'k self, KeptLeaf(at, required, met, reached): &'k KeptLeaf) -> Option<KeptLeafView<'k>> {
        let KeptValue(kind, key, group, subject, actual, facts, window, detail) = self.values.get(*at)?;
        Some(KeptLeafView {
            kind: *kind,
            key,
            group: group.as_deref(),
            subject: subject.as_deref(),
            required: required.clone(),
            actual: actual.clone(),
            met: *met,
            facts: *facts,
            window: window.and_then(|at| self.windows.get(at)).copied(),
            detail: *detail,
            reached: reached.as_deref(),
        })
    }
}
