//! What is missing: for alternatives every path with its own gap, and the cheapest one.
//!
//! A gap costs the sum of what each of its leaves lacks, relative to what it requires: half of the revenue costs a half, a
//! missing certificate of two a half, an invitation or a document one. Equal costs go to the path that is named first. A way that is
//! closed to the partner, since it is for others (of another type, in another region) or has no threshold for it, comes after all open
//! ones.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use super::{Compares, Judged, Leaf, LeafKind, LeafWords, Node, SubsetJudged, Unmet};
use crate::date::Date;
use crate::document::metric::Unit;
use crate::exact::Exact;
use crate::rounding::RoundingMode;
use crate::sentence::Sentence;

/// At most so many alternative ways are listed.
pub const MAX_ALTERNATIVES: usize = 16;
/// The cost of a leaf of which everything is missing.
const WHOLE: u64 = 1_000_000;
/// The cost of a leaf that the partner cannot meet by anything that it does: more than that of all leaves of a requirement together.
const CLOSED: u64 = WHOLE * 1_000_000;
/// So many choices among the parts of an AT_LEAST are looked at for the cheapest ones.
const MAX_CHOICES: usize = 64;

/// A leaf that is missing on the way to a requirement; it reads as the [`Leaf`] that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLeaf {
    /// What people call it: its own label, or that of the node around it.
    pub label: Option<String>,
    leaf: Arc<Leaf>,
    /// The day until which it is asked for.
    by: Option<Date>,
    /// The sentence of a node that is missing as a whole.
    of_node: Option<Box<Sentence>>,
    /// Its part of the cost of the way, where that does not follow from the leaf.
    cost: Option<u64>,
}

impl std::ops::Deref for MissingLeaf {
    type Target = Leaf;

    fn deref(&self) -> &Leaf {
        &self.leaf
    }
}

impl MissingLeaf {
    /// The day until which it is asked for.
    pub const fn by(&self) -> Option<Date> {
        self.by
    }

    /// Plain language, with its pieces.
    pub fn sentence(&self) -> Sentence {
        self.of_node.as_deref().cloned().unwrap_or_else(|| self.leaf.sentence(self.by))
    }
}

impl Serialize for MissingLeaf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'l> {
            key: &'l str,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'l str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            group: Option<&'l str>,
            kind: LeafKind,
            unit: Unit,
            compares: Compares,
            required: Option<Exact>,
            actual: Option<Exact>,
            missing: Option<Exact>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<Unmet>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ratio: Option<super::RatioGap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            window: Option<crate::date::Span>,
            #[serde(skip_serializing_if = "Option::is_none")]
            met_on: Option<Date>,
            #[serde(skip_serializing_if = "Option::is_none")]
            by: Option<Date>,
            sentence: Sentence,
        }
        let wire = Wire {
            key: &self.key,
            label: self.label.as_deref(),
            group: self.group.as_deref(),
            kind: self.kind,
            unit: self.unit,
            compares: self.compares,
            required: self.required.clone(),
            actual: self.actual.clone(),
            missing: self.missing.clone(),
            reason: self.reason,
            ratio: self.ratio.as_deref().cloned(),
            window: self.window,
            met_on: self.met_on,
            by: self.by,
            sentence: self.sentence(),
        };
        wire.serialize(serializer)
    }
}

/// What is missing to meet a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The leaves of the cheapest way; empty when nothing is missing.
    pub missing: Vec<MissingLeaf>,
    /// The other ways, cheapest first, at most `MAX_ALTERNATIVES`; empty when there is one way only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Vec<MissingLeaf>>,
}

/// What of a gap is told.
#[derive(Clone, Copy)]
struct Telling {
    /// The day until which it is asked for.
    by: Option<Date>,
    /// Whether of AT_LEAST every choice is told, or the cheapest alone.
    choices: bool,
}

/// One way; leaves that several ways share are made once.
type Way = Vec<Rc<MissingLeaf>>;
/// Paths, each that is not met with what is missing on it.
pub(super) fn with_gaps<S: serde::Serializer>(paths: &[Judged], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Path<'j> {
        #[serde(flatten)]
        judged: &'j Judged,
        #[serde(skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
    }
    serializer.collect_seq(paths.iter().map(|judged| Path { judged, gap: (!judged.met).then(|| Gap::of(judged, None)) }))
}

fn cost(way: &[Rc<MissingLeaf>]) -> u64 {
    way.iter().fold(0, |sum, leaf| sum.saturating_add(leaf.cost.unwrap_or_else(|| cost_of(leaf))))
}

/// Whether a condition is for others: of other types, in other regions, on other tracks, or without a threshold for this partner.
/// An attribute may be given to it.
fn is_closed(leaf: &Leaf) -> bool {
    leaf.reason == Some(Unmet::NoThreshold) || is_about_kind(leaf)
}

/// Whether a condition asks what kind of partner it is.
fn is_about_kind(leaf: &Leaf) -> bool {
    leaf.kind == LeafKind::Partner && leaf.key == "PARTNER"
}

/// The cost of a NOT: of what kind a partner is, it does not change.
fn cost_of_not(of: &Judged) -> u64 {
    let leaves = of.leaves();
    let of_kind = !leaves.is_empty() && leaves.into_iter().all(is_about_kind);
    if of_kind { CLOSED } else { WHOLE }
}

fn cost_of(leaf: &Leaf) -> u64 {
    if is_closed(leaf) {
        return CLOSED;
    }
    match (leaf.missing.clone(), leaf.required.clone()) {
        (Some(missing), Some(required)) if !required.is_zero() => {
            let part = missing.div(&required.abs()).ok().flatten().and_then(|part| RoundingMode::Up.round_scaled(&part.abs(), 6).ok());
            part.map_or(WHOLE, |part| u64::try_from(part).unwrap_or(WHOLE).clamp(1, WHOLE))
        }
        _ => WHOLE,
    }
}

fn missing_leaf(leaf: &Arc<Leaf>, label: Option<&str>, by: Option<Date>) -> MissingLeaf {
    let label = leaf.label.clone().or_else(|| label.map(str::to_owned));
    MissingLeaf { label, leaf: Arc::clone(leaf), by, of_node: None, cost: None }
}

/// The leaf of a node that is met or not as a whole: a streak, a NOT, too few groups.
pub(super) fn node_leaf(judged: &Judged, key: &str, required: u32, actual: u32) -> Leaf {
    let words = LeafWords { label: judged.label.clone(), ..LeafWords::new(LeafKind::Metric, key.to_owned()) };
    Leaf {
        required: Some(Exact::from_int(required.into())),
        actual: Some(Exact::from_int(actual.into())),
        missing: Some(Exact::from_int(required.saturating_sub(actual).into())),
        ..Leaf::yes_or_no(words, false)
    }
}

/// A node that is missing as a whole.
fn missing_node(judged: &Judged, key: &str, required: u32, actual: u32, by: Option<Date>) -> MissingLeaf {
    let leaf = node_leaf(judged, key, required, actual);
    MissingLeaf { of_node: Some(Box::new(Sentence::of_node(judged, by))), ..missing_leaf(&Arc::new(leaf), None, by) }
}

/// Every way through each of `parts`, combined.
fn product(parts: impl Iterator<Item = Vec<Way>>) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![Way::new()];
    for part in parts {
        let mut combined: Vec<Way> = ways.iter().flat_map(|way| part.iter().map(|more| way.iter().chain(more).cloned().collect())).collect();
        sort(&mut combined);
        ways = combined;
    }
    ways
}

fn sort(ways: &mut Vec<Way>) {
    if ways.len() > 1 {
        ways.sort_by_cached_key(|way| cost(way));
    }
    ways.truncate(MAX_ALTERNATIVES + 1);
}

/// Every way to meet what is not met, cheapest first.
fn ways(judged: &Judged, label: Option<&str>, telling: Telling) -> Vec<Way> {
    if judged.met {
        return vec![Way::new()];
    }
    let label = judged.label.as_deref().or(label);
    let by = telling.by;
    match &judged.node {
        Node::AllOf { of } => product(of.iter().map(|part| ways(part, inner(label, of.len()), telling))),
        Node::AnyOf { of, .. } => {
            let mut all: Vec<Way> = of.iter().flat_map(|path| ways(path, label, telling)).collect();
            sort(&mut all);
            all
        }
        Node::AtLeast { .. } => at_least(judged, telling),
        Node::Shared { key, of } => ways(of, label.or(Some(key)), telling),
        Node::When { of: Some(of), .. } => ways(of, label, telling),
        Node::OnAnyDay { of, .. } if !of.met => ways(of, label, telling),
        // Met today, on which the window does not look.
        Node::OnAnyDay { .. } => vec![vec![Rc::new(missing_node(judged, "ON_ANY_DAY", 1, 0, by))]],
        Node::ForEach { groups, at_least_groups, .. } => {
            let found = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let lacking = (found < *at_least_groups).then(|| vec![vec![Rc::new(missing_node(judged, "GROUPS", *at_least_groups, found, by))]]);
            product(groups.iter().map(|group| ways(&group.requirement, None, telling)).chain(lacking))
        }
        Node::Streak { required, actual, .. } => vec![vec![Rc::new(missing_node(judged, "STREAK", *required, *actual, by))]],
        Node::Not { of } => vec![vec![Rc::new(MissingLeaf { cost: Some(cost_of_not(of)), ..missing_node(judged, "NOT", 1, 0, by) })]],
        Node::When { of: None, .. } => vec![vec![Rc::new(missing_node(judged, "NOT", 1, 0, by))]],
        Node::Leaf(leaf) => vec![vec![Rc::new(missing_leaf(leaf, label, by))]],
    }
}

/// The label of a list goes to its leaf only when there is one.
fn inner(label: Option<&str>, parts: usize) -> Option<&str> {
    label.filter(|_| parts == 1)
}

/// A part of an AT_LEAST that is not met.
struct Part {
    /// Its place in the list.
    index: usize,
    /// What its cheapest way costs.
    cost: u64,
    /// Its ways, cheapest first.
    ways: Vec<Way>,
}

/// The parts of an AT_LEAST that are not met, cheapest first.
fn unmet_parts(of: &[Judged], part: impl Fn(usize, &Judged) -> Part) -> Vec<Part> {
    let mut parts: Vec<Part> = of.iter().enumerate().filter(|(_, part)| !part.met).map(|(index, judged)| part(index, judged)).collect();
    parts.sort_by_key(|part| (part.cost, part.index));
    parts
}

/// How many parts an AT_LEAST lacks, and how many of its subset at least.
fn lacking(n: u32, met_count: u32, including: Option<&SubsetJudged>) -> (usize, usize) {
    let of_subset = including.map_or(0, |subset| subset.m.saturating_sub(subset.met_count)) as usize;
    ((n.saturating_sub(met_count) as usize).max(of_subset), of_subset)
}

fn is_of_subset(including: Option<&SubsetJudged>, index: usize) -> bool {
    including.is_some_and(|subset| subset.items.iter().any(|item| *item as usize == index))
}

/// Of AT_LEAST the places among `parts` of the cheapest ones: first those of the subset that must be among them, then any.
fn cheapest_choice(parts: &[Part], (needed, of_subset): (usize, usize), including: Option<&SubsetJudged>) -> Vec<usize> {
    let named = parts.iter().enumerate().filter(|(_, part)| is_of_subset(including, part.index)).map(|(place, _)| place);
    let mut chosen: Vec<usize> = named.take(of_subset).collect();
    let others: Vec<usize> = (0..parts.len()).filter(|place| !chosen.contains(place)).take(needed - chosen.len().min(needed)).collect();
    chosen.extend(others);
    chosen.sort_unstable();
    chosen
}

/// What the cheapest parts of an AT_LEAST cost that it lacks.
fn cost_of_parts(of: &[Judged], lacking: (usize, usize), including: Option<&SubsetJudged>) -> u64 {
    let parts = unmet_parts(of, |index, part| Part { index, cost: rough_cost(part), ways: Vec::new() });
    let chosen = cheapest_choice(&parts, lacking, including);
    if chosen.len() < lacking.0 {
        return WHOLE;
    }
    chosen.iter().filter_map(|place| parts.get(*place)).fold(0, |sum, part| sum.saturating_add(part.cost))
}

/// Of AT_LEAST the cheapest choices of parts, each with its ways.
fn at_least(judged: &Judged, telling: Telling) -> Vec<Way> {
    let Node::AtLeast { n, met_count, of, including } = &judged.node else { return Vec::new() };
    let part = |index, judged: &Judged| {
        let ways = ways(judged, None, telling);
        Part { index, cost: ways.first().map_or(WHOLE, |way| cost(way)), ways }
    };
    let parts = unmet_parts(of, part);
    let lacking = lacking(*n, *met_count, including.as_ref());
    let first = cheapest_choice(&parts, lacking, including.as_ref());
    if first.len() < lacking.0 {
        return vec![vec![Rc::new(missing_node(judged, "AT_LEAST", *n, *met_count, telling.by))]];
    }
    let parts_of = |choice: &[usize]| {
        let mut chosen: Vec<&Part> = choice.iter().filter_map(|place| parts.get(*place)).collect();
        chosen.sort_by_key(|part| part.index);
        chosen.into_iter()
    };
    if !telling.choices {
        return vec![parts_of(&first).filter_map(|part| part.ways.first()).flatten().cloned().collect()];
    }
    let through = |choice: &[usize]| product(parts_of(choice).map(|part| part.ways.clone()));
    let mut all = through(&first);
    for choice in choices(&parts, lacking, including.as_ref()).iter().filter(|choice| **choice != first) {
        all.extend(through(choice));
    }
    sort(&mut all);
    all
}

/// The cheapest choices of so many parts, cheapest first: each follows from a cheaper one by taking the next part in place of one.
fn choices(parts: &[Part], (needed, of_subset): (usize, usize), including: Option<&SubsetJudged>) -> Vec<Vec<usize>> {
    let cost = |choice: &[usize]| choice.iter().filter_map(|place| parts.get(*place)).fold(0_u64, |sum, part| sum.saturating_add(part.cost));
    let fits = |choice: &[usize]| {
        let named = choice.iter().filter_map(|place| parts.get(*place)).filter(|part| is_of_subset(including, part.index));
        named.count() >= of_subset
    };
    let first: Vec<usize> = (0..needed).collect();
    let mut open = BTreeSet::from([(cost(&first), first)]);
    let mut found = Vec::new();
    for _ in 0..MAX_CHOICES {
        let Some((_, choice)) = open.pop_first() else { break };
        for (at, place) in choice.iter().enumerate() {
            let next = place + 1;
            if next < parts.len() && choice.get(at + 1) != Some(&next) {
                let changed: Vec<usize> = choice.iter().enumerate().map(|(other, place)| if other == at { next } else { *place }).collect();
                open.insert((cost(&changed), changed));
            }
        }
        if fits(&choice) {
            found.push(choice);
        }
        if found.len() > MAX_ALTERNATIVES {
            break;
        }
    }
    found
}

fn sum_of<'j>(parts: impl Iterator<Item = &'j Judged>) -> u64 {
    parts.fold(0, |sum, part| sum.saturating_add(rough_cost(part)))
}

/// The position of the path that is met, or else has the smallest gap.
pub(super) fn cheapest(paths: &[Judged]) -> Option<usize> {
    if let Some(met) = paths.iter().position(|path| path.met) {
        return Some(met);
    }
    let costs = paths.iter().map(rough_cost);
    costs.enumerate().min_by_key(|(_, cost)| *cost).map(|(index, _)| index)
}

/// The cost of the cheapest way, without building it.
fn rough_cost(judged: &Judged) -> u64 {
    if judged.met {
        return 0;
    }
    match &judged.node {
        Node::Leaf(leaf) => cost_of(leaf),
        Node::AllOf { of } => sum_of(of.iter()),
        Node::AnyOf { of, .. } => of.iter().map(rough_cost).min().unwrap_or(WHOLE),
        Node::OnAnyDay { of, .. } if of.met => WHOLE,
        Node::Shared { of, .. } | Node::OnAnyDay { of, .. } | Node::When { of: Some(of), .. } => rough_cost(of),
        Node::Streak { required, actual, .. } => WHOLE * u64::from(required.saturating_sub(*actual)) / u64::from((*required).max(1)),
        Node::ForEach { groups, at_least_groups, .. } => {
            let asked = u64::from(*at_least_groups);
            let lacking = WHOLE * asked.saturating_sub(groups.len() as u64) / asked.max(1);
            sum_of(groups.iter().map(|group| &group.requirement)).saturating_add(lacking).max(1)
        }
        Node::AtLeast { n, met_count, of, including } => cost_of_parts(of, lacking(*n, *met_count, including.as_ref()), including.as_ref()),
        Node::Not { of } => cost_of_not(of),
        Node::When { of: None, .. } => WHOLE,
    }
}

impl Gap {
    /// What is missing to meet `judged`; `by` is the day until which it is asked for, for the sentences.
    pub fn of(judged: &Judged, by: Option<Date>) -> Self {
        Self::told(judged, Telling { by, choices: true })
    }

    /// The same of many partners, of whom nobody reads the choices of every AT_LEAST.
    pub(crate) fn without_choices(judged: &Judged) -> Self {
        Self::told(judged, Telling { by: None, choices: false })
    }

    fn told(judged: &Judged, telling: Telling) -> Self {
        let mut all = ways(judged, None, telling).into_iter();
        let first = all.next().unwrap_or_default();
        // The other ways first: what only the cheapest one needs is then moved, not copied.
        let alternatives: Vec<Way> = all.collect();
        let own = |way: Way| way.into_iter().map(Rc::unwrap_or_clone).collect();
        Self { alternatives: alternatives.into_iter().map(own).collect(), missing: own(first) }
    }

    /// The same with one more leaf missing on every way.
    #[must_use]
    pub(crate) fn and(mut self, leaf: Leaf, by: Option<Date>) -> Self {
        let more = missing_leaf(&Arc::new(leaf), None, by);
        for way in self.alternatives.iter_mut().chain([&mut self.missing]) {
            way.push(more.clone());
        }
        self
    }

    /// This gap, which is told with a later day, with the figures of `before` where they are the same and their windows begin on one day:
    /// a window that merely runs on until then is told as it is now.
    #[must_use]
    pub(crate) fn told_as_before(mut self, before: &Self) -> Self {
        if self.ways().count() == before.ways().count() && self.ways().zip(before.ways()).all(|(then, now)| tell_the_same(then, now)) {
            let now = before.ways().flatten().map(|leaf| Arc::clone(&leaf.leaf));
            let then = std::iter::once(&mut self.missing).chain(&mut self.alternatives).flatten();
            then.zip(now).for_each(|(then, now)| then.leaf = now);
        }
        self
    }

    /// The cheapest way and the others.
    fn ways(&self) -> impl Iterator<Item = &Vec<MissingLeaf>> {
        std::iter::once(&self.missing).chain(&self.alternatives)
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// The leaves of the cheapest way and how much of each is missing, by key; `key[group]` inside a FOR_EACH, where one key
    /// would stand for several leaves.
    pub fn by_key(&self) -> BTreeMap<String, Option<Exact>> {
        named(&self.missing)
    }

    /// Whether some way misses exactly these leaves, each by so much. A leaf may be named by its key, by its label, or as
    /// `key[group]`.
    pub fn is(&self, expected: &BTreeMap<String, Exact>) -> bool {
        self.ways().any(|way| {
            let named_by = |leaf: &MissingLeaf, name: &str| leaf.key == *name || leaf.label.as_deref() == Some(name) || grouped(leaf).as_deref() == Some(name);
            let each_named = way.iter().all(|leaf| expected.iter().any(|(name, missing)| named_by(leaf, name) && leaf.missing == Some(missing.clone())));
            each_named && expected.keys().all(|name| way.iter().any(|leaf| named_by(leaf, name)))
        })
    }
}

/// Whether two ways miss the same, looking from the same days on.
fn tell_the_same(then: &[MissingLeaf], now: &[MissingLeaf]) -> bool {
    // The state on a day is a window of one day, whichever day it is.
    let begins = |leaf: &MissingLeaf| leaf.window.filter(|window| window.days() > 1).map(|window| window.from);
    let told = |leaf: &MissingLeaf| {
        let words = (leaf.kind, leaf.key.clone(), leaf.label.clone(), leaf.group.clone(), leaf.subject.clone(), leaf.compares);
        let figures = (leaf.required.clone(), leaf.actual.clone(), leaf.missing.clone(), leaf.ratio.clone(), leaf.met_on);
        (words, figures, begins(leaf))
    };
    then.len() == now.len() && then.iter().zip(now).all(|(then, now)| told(then) == told(now))
}

fn grouped(leaf: &MissingLeaf) -> Option<String> {
    leaf.group.as_ref().map(|group| format!("{}[{group}]", leaf.key))
}

fn named(way: &[MissingLeaf]) -> BTreeMap<String, Option<Exact>> {
    way.iter().map(|leaf| (grouped(leaf).unwrap_or_else(|| leaf.key.clone()), leaf.missing.clone())).collect()
}
