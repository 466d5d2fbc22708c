//! What is missing: for alternatives every path with its own gap, and the cheapest one.
//!
//! A gap costs the sum of what each of its leaves lacks, relative to what it requires: half of the revenue costs a half, a
//! missing certificate of two a half, an invitation or a document one. What several conditions of the tree ask of one figure is
//! relative to the most that any of them asks for, so that less of it always costs less, and on one way the one that lacks most
//! covers the others. Equal costs go to the path that is named first. A way that is closed to the partner, since it is for others (of
//! another type, in another region), has no threshold for it, looks at days that are over, or is for those who hold the tier already,
//! comes after all open ones. A way that asks for everything that another one asks for, and more, is left out.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use super::ways::{Way, is_in_place, product, sort};
use super::{Compares, Judged, Leaf, LeafKind, LeafWords, Node, SubsetJudged, Unmet};
use crate::date::Date;
use crate::document::metric::Unit;
use crate::exact::Exact;
use crate::metric::Detail;
use crate::rounding::RoundingMode;
use crate::sentence::Sentence;

/// At most so many alternative ways are listed.
pub const MAX_ALTERNATIVES: usize = 16;
/// So many digits tell costs apart.
const COST_PLACES: u32 = 18;
/// The cost of a leaf of which everything is missing.
const WHOLE: u128 = 10_u128.pow(COST_PLACES);
/// The cost of a leaf that the partner cannot meet by anything that it does: more than that of all leaves of a requirement together.
const CLOSED: u128 = WHOLE * 1_000_000;
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
    /// The last day on which what happens counts for that day, where it is an earlier one.
    counts_until: Option<Date>,
    /// The sentence of a node that is missing as a whole.
    of_node: Option<Box<Sentence>>,
    /// Its part of the cost of the way.
    pub(super) cost: u128,
    /// The figure that it shares with other conditions of the tree.
    pub(super) figure: Option<usize>,
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

    /// Whether it is a single condition, not a node that is missing as a whole.
    pub(super) const fn is_leaf(&self) -> bool {
        self.of_node.is_none()
    }

    /// Plain language, with its pieces.
    pub fn sentence(&self) -> Sentence {
        self.of_node.as_deref().cloned().unwrap_or_else(|| self.leaf.sentence(self.counts_until.or(self.by)))
    }

    /// What its window still holds on the day on which it was judged.
    fn counted_until(&mut self) {
        let ends_with_others = self.leaf.value.as_ref().is_some_and(|value| matches!(value.detail, Detail::Rank { .. }));
        let last = self.leaf.window.filter(|_| !ends_with_others).map(|window| window.last_day());
        self.counts_until = last.filter(|last| self.by.is_some_and(|by| *last < by));
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
    /// Whether every way is closed to the partner: nothing that can still happen meets the requirement.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// What of a gap is told.
#[derive(Clone, Copy)]
struct Telling<'f> {
    /// The day until which it is asked for.
    by: Option<Date>,
    /// Whether of AT_LEAST every choice is told, or the cheapest alone.
    choices: bool,
    /// The figures that several conditions ask about.
    figures: &'f Figures<'f>,
}

/// The figures that several conditions of a tree ask about, in order, each with the most that is asked for or missing of it.
#[derive(Default)]
struct Figures<'j>(Vec<(&'j Leaf, Exact)>);

impl<'j> Figures<'j> {
    /// Those of the conditions that are not met. Only a choice between ways makes them needed.
    fn of(judged: &'j Judged) -> Self {
        if has_choice(judged) { Self::among(std::slice::from_ref(judged)) } else { Self::default() }
    }

    fn among(paths: &'j [Judged]) -> Self {
        let mut leaves = Vec::new();
        paths.iter().for_each(|path| collect_figures(path, &mut leaves));
        leaves.sort_by(|left, right| order_of_figures(left, right));
        let several = leaves.chunk_by(|left, right| order_of_figures(left, right).is_eq()).filter(|same| same.len() > 1);
        Self(several.filter_map(|same| Some((*same.first()?, same.iter().filter_map(|leaf| whole_of(leaf)).max()?))).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the figure that a leaf is about, with the most that is asked for of it.
    fn find(&self, leaf: &Leaf) -> Option<(usize, &Exact)> {
        if self.is_empty() || !has_figure(leaf) {
            return None;
        }
        let place = self.0.binary_search_by(|(known, _)| order_of_figures(known, leaf)).ok()?;
        self.0.get(place).map(|(_, most)| (place, most))
    }
}

/// Whether there are several ways to meet what is not met.
fn has_choice(judged: &Judged) -> bool {
    match &judged.node {
        _ if judged.met => false,
        Node::AtLeast { .. } => true,
        Node::AnyOf { of, .. } => of.len() > 1 || of.iter().any(has_choice),
        Node::AllOf { of } => of.iter().any(has_choice),
        Node::Shared { of, .. } | Node::OnAnyDay { of, .. } | Node::When { of: Some(of), .. } => has_choice(of),
        Node::ForEach { groups, .. } => groups.iter().any(|group| has_choice(&group.requirement)),
        // Whoever denies a denial asks for it.
        Node::Not { of } => of.denied().is_some_and(has_choice),
        Node::Streak { .. } | Node::When { of: None, .. } | Node::Leaf(_) => false,
    }
}

/// The leaves that are not met and are about a figure; of what is missing as a whole there are none.
fn collect_figures<'j>(judged: &'j Judged, leaves: &mut Vec<&'j Leaf>) {
    match &judged.node {
        _ if judged.met => {}
        Node::Leaf(leaf) if has_figure(leaf) => leaves.push(leaf),
        Node::Not { of } => of.denied().into_iter().for_each(|denied| collect_figures(denied, leaves)),
        Node::Streak { .. } | Node::Leaf(_) => {}
        _ => judged.children().into_iter().for_each(|child| collect_figures(child, leaves)),
    }
}

/// Whether what a leaf asks for can be compared with what others ask of the same figure. Values that are written in place have no
/// name by which one would know them again, nor do holdings show their filters, or a number of ladders which ones.
pub(super) fn has_figure(leaf: &Leaf) -> bool {
    let named = match leaf.kind {
        LeafKind::Metric => !is_in_place(leaf),
        LeafKind::Tenure | LeafKind::Tier | LeafKind::Contract | LeafKind::Partner => true,
        LeafKind::Holding | LeafKind::Ladders | LeafKind::Admission => false,
    };
    named && leaf.compares != Compares::Equals && leaf.missing.is_some() && leaf.required.is_some()
}

/// Leaves about the same figure are equal: the same value of the same days, with a bound on the same side.
pub(super) fn order_of_figures(left: &Leaf, right: &Leaf) -> Ordering {
    let words = |leaf: &Leaf| (leaf.kind, matches!(leaf.compares, Compares::AtMost | Compares::Below));
    let days = |leaf: &Leaf| leaf.window.map(|window| (window.from, window.until));
    words(left)
        .cmp(&words(right))
        .then_with(|| left.key.cmp(&right.key))
        .then_with(|| left.subject.cmp(&right.subject))
        .then_with(|| left.group.cmp(&right.group))
        .then_with(|| days(left).cmp(&days(right)))
        .then_with(|| left.actual.cmp(&right.actual))
}

/// The whole of which something is missing: what is required, or more where there is less than nothing.
fn whole_of(leaf: &Leaf) -> Option<Exact> {
    Some(leaf.required.as_ref()?.abs().max(leaf.missing.as_ref()?.abs()))
}

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

/// What a way costs; of one figure what lacks most of it.
pub(super) fn cost(way: &[Rc<MissingLeaf>]) -> u128 {
    let own = way.iter().filter(|leaf| leaf.figure.is_none()).map(|leaf| leaf.cost);
    let mut shared: Vec<(usize, u128)> = way.iter().filter_map(|leaf| Some((leaf.figure?, leaf.cost))).collect();
    shared.sort_unstable();
    let most = shared.chunk_by(|(left, _), (right, _)| left == right).filter_map(|same| same.last()).map(|(_, cost)| *cost);
    own.chain(most).fold(0, u128::saturating_add)
}

/// Whether a condition is for others (of other types, in other regions, on other tracks, without a threshold for this partner), or nothing
/// that can still happen meets it. An attribute may be given to the partner.
fn is_closed(leaf: &Leaf) -> bool {
    matches!(leaf.reason, Some(Unmet::NoThreshold | Unmet::Closed)) || is_about_kind(leaf)
}

/// Whether a condition asks what kind of partner it is.
fn is_about_kind(leaf: &Leaf) -> bool {
    leaf.kind == LeafKind::Partner && leaf.key == "PARTNER"
}

/// The cost of a NOT: of what kind a partner is, it does not change, nor do figures of days that are over.
fn cost_of_not(of: &Judged) -> u128 {
    let leaves = of.leaves();
    let is_settled = |leaf: &Leaf| leaf.reached.as_ref().is_some_and(|reached| reached.settled);
    let stays = !leaves.is_empty() && leaves.into_iter().all(|leaf| is_about_kind(leaf) || is_settled(leaf));
    if stays { CLOSED } else { WHOLE }
}

/// The cost of a leaf; `most` is the most that is asked for of its figure, where others ask about it too.
fn cost_of(leaf: &Leaf, most: Option<&Exact>) -> u128 {
    if is_closed(leaf) {
        return CLOSED;
    }
    let whole = most.cloned().or_else(|| whole_of(leaf)).filter(|whole| !whole.is_zero());
    let part = leaf.missing.as_ref().zip(whole).and_then(|(missing, whole)| missing.abs().div(&whole).ok().flatten());
    let scaled = part.and_then(|part| RoundingMode::Up.round_scaled(&part, COST_PLACES).ok());
    // Of an amount, more than so much is a trifle more than so much.
    let strict = u128::from(leaf.unit != Unit::Count && matches!(leaf.compares, Compares::Above | Compares::Below));
    scaled.and_then(|part| u128::try_from(part).ok()).map_or(WHOLE, |part| (part + strict).clamp(1, WHOLE))
}

fn missing_leaf(leaf: &Arc<Leaf>, label: Option<&str>, telling: Telling<'_>) -> MissingLeaf {
    let label = leaf.label.clone().or_else(|| label.map(str::to_owned));
    let figure = telling.figures.find(leaf);
    let cost = cost_of(leaf, figure.map(|(_, most)| most));
    MissingLeaf { label, leaf: Arc::clone(leaf), by: telling.by, counts_until: None, of_node: None, cost, figure: figure.map(|(place, _)| place) }
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
    missing_whole(judged, node_leaf(judged, key, required, actual), by)
}

fn missing_whole(judged: &Judged, leaf: Leaf, by: Option<Date>) -> MissingLeaf {
    let (label, cost, sentence) = (leaf.label.clone(), cost_of(&leaf, None), Sentence::of_node(judged, by));
    MissingLeaf { label, leaf: Arc::new(leaf), by, counts_until: None, of_node: Some(Box::new(sentence)), cost, figure: None }
}

/// Every way to meet what is not met, cheapest first.
fn ways(judged: &Judged, label: Option<&str>, telling: Telling<'_>) -> Vec<Way> {
    if judged.met {
        return vec![Way::new()];
    }
    let label = judged.label.as_deref().or(label);
    let by = telling.by;
    match &judged.node {
        Node::AllOf { of } => product(of.iter().filter(|part| !part.met).map(|part| ways(part, inner(label, of.len()), telling))),
        Node::AnyOf { of, .. } => {
            let mut all: Vec<Way> = of.iter().flat_map(|path| ways(path, label, telling)).collect();
            sort(&mut all);
            all
        }
        Node::AtLeast { .. } => at_least(judged, telling),
        Node::Shared { key, of } => ways(of, label.or(Some(key)), telling),
        Node::When { of: Some(of), .. } => ways(of, label, telling),
        // Told with a day: by the one on which least is missing.
        Node::OnAnyDay { of, over: false, nearest, .. } if !of.met => ways(of, label, Telling { by: by.map(|by| nearest.unwrap_or(by)), ..telling }),
        Node::OnAnyDay { over: true, .. } => {
            let leaf = Leaf { reason: Some(Unmet::Closed), ..node_leaf(judged, "ON_ANY_DAY", 1, 0) };
            vec![vec![Rc::new(missing_whole(judged, leaf, by))]]
        }
        // Met today, on which the window does not look.
        Node::OnAnyDay { .. } => vec![vec![Rc::new(missing_node(judged, "ON_ANY_DAY", 1, 0, by))]],
        Node::ForEach { groups, at_least_groups, .. } => {
            let found = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let lacking = (found < *at_least_groups).then(|| vec![vec![Rc::new(missing_node(judged, "GROUPS", *at_least_groups, found, by))]]);
            product(groups.iter().map(|group| ways(&group.requirement, None, telling)).chain(lacking))
        }
        Node::Streak { required, actual, .. } => vec![vec![Rc::new(missing_node(judged, "STREAK", *required, *actual, by))]],
        Node::Not { of } if of.denied().is_some() => of.denied().map_or_else(Vec::new, |denied| ways(denied, label, telling)),
        Node::Not { of } => vec![vec![Rc::new(MissingLeaf { cost: cost_of_not(of), ..missing_node(judged, "NOT", 1, 0, by) })]],
        Node::When { of: None, .. } => vec![vec![Rc::new(missing_node(judged, "NOT", 1, 0, by))]],
        Node::Leaf(leaf) => vec![vec![Rc::new(missing_leaf(leaf, label, telling))]],
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
    cost: u128,
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
fn cost_of_parts(of: &[Judged], lacking: (usize, usize), including: Option<&SubsetJudged>) -> u128 {
    let parts = unmet_parts(of, |index, part| Part { index, cost: rough_cost(part), ways: Vec::new() });
    let chosen = cheapest_choice(&parts, lacking, including);
    if chosen.len() < lacking.0 {
        return WHOLE;
    }
    chosen.iter().filter_map(|place| parts.get(*place)).fold(0, |sum, part| sum.saturating_add(part.cost))
}

/// Of AT_LEAST the cheapest choices of parts, each with its ways.
fn at_least(judged: &Judged, telling: Telling<'_>) -> Vec<Way> {
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
    // What a choice costs is the sum of its parts, unless they share figures: then all choices are compared.
    if !telling.choices && telling.figures.is_empty() {
        return vec![parts_of(&first).filter_map(|part| part.ways.first()).flatten().cloned().collect()];
    }
    let through = |choice: &[usize]| product(parts_of(choice).map(|part| part.ways.clone()));
    let mut all = through(&first);
    for choice in choices(&parts, lacking, including.as_ref()).iter().filter(|choice| **choice != first) {
        all.extend(through(choice));
    }
    sort(&mut all);
    all.truncate(if telling.choices { all.len() } else { 1 });
    all
}

/// The cheapest choices of so many parts, cheapest first: each follows from a cheaper one by taking the next part in place of one.
fn choices(parts: &[Part], (needed, of_subset): (usize, usize), including: Option<&SubsetJudged>) -> Vec<Vec<usize>> {
    let cost = |choice: &[usize]| choice.iter().filter_map(|place| parts.get(*place)).fold(0_u128, |sum, part| sum.saturating_add(part.cost));
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

fn sum_of<'j>(parts: impl Iterator<Item = &'j Judged>) -> u128 {
    parts.fold(0, |sum, part| sum.saturating_add(rough_cost(part)))
}

/// The position of the path that is met, or else has the smallest gap.
pub(super) fn cheapest(paths: &[Judged]) -> Option<usize> {
    if let Some(met) = paths.iter().position(|path| path.met) {
        return Some(met);
    }
    if paths.len() < 2 {
        return (!paths.is_empty()).then_some(0);
    }
    let figures = Figures::among(paths);
    let telling = Telling { by: None, choices: false, figures: &figures };
    let cost_of_path = |path: &Judged| match figures.is_empty() {
        true => rough_cost(path),
        false => ways(path, None, telling).first().map_or(0, |way| cost(way)),
    };
    paths.iter().map(cost_of_path).enumerate().min_by_key(|(_, cost)| *cost).map(|(index, _)| index)
}

/// The cost of the cheapest way, without building it, where no figure is asked about twice.
pub(super) fn rough_cost(judged: &Judged) -> u128 {
    if judged.met {
        return 0;
    }
    match &judged.node {
        Node::Leaf(leaf) => cost_of(leaf, None),
        Node::AllOf { of } => sum_of(of.iter()),
        Node::AnyOf { of, .. } => of.iter().map(rough_cost).min().unwrap_or(WHOLE),
        Node::OnAnyDay { over: true, .. } => CLOSED,
        Node::OnAnyDay { of, .. } if of.met => WHOLE,
        Node::Shared { of, .. } | Node::OnAnyDay { of, .. } | Node::When { of: Some(of), .. } => rough_cost(of),
        Node::Streak { required, actual, .. } => WHOLE * u128::from(required.saturating_sub(*actual)) / u128::from((*required).max(1)),
        Node::ForEach { groups, at_least_groups, .. } => {
            let asked = u128::from(*at_least_groups);
            let lacking = WHOLE * asked.saturating_sub(groups.len() as u128) / asked.max(1);
            sum_of(groups.iter().map(|group| &group.requirement)).saturating_add(lacking).max(1)
        }
        Node::AtLeast { n, met_count, of, including } => cost_of_parts(of, lacking(*n, *met_count, including.as_ref()), including.as_ref()),
        Node::Not { of } => of.denied().map_or_else(|| cost_of_not(of), rough_cost),
        Node::When { of: None, .. } => WHOLE,
    }
}

impl Gap {
    /// What is missing to meet `judged`; `by` is the day until which it is asked for, for the sentences.
    pub fn of(judged: &Judged, by: Option<Date>) -> Self {
        Self::told(judged, Telling { by, choices: true, figures: &Figures::of(judged) })
    }

    /// The same of a requirement that was judged on `day`, by which it is asked for; sentences name the last day on which what happens counts
    /// for it: of last year's revenue, which is looked at in January, that of the year.
    pub(crate) fn on(judged: &Judged, day: Date) -> Self {
        let mut gap = Self::of(judged, Some(day));
        gap.leaves_mut().for_each(MissingLeaf::counted_until);
        gap
    }

    /// The same of many partners, of whom nobody reads the choices of every AT_LEAST.
    pub(crate) fn without_choices(judged: &Judged) -> Self {
        Self::told(judged, Telling { by: None, choices: false, figures: &Figures::of(judged) })
    }

    fn told(judged: &Judged, telling: Telling<'_>) -> Self {
        let mut all = ways(judged, None, telling).into_iter();
        let first = all.next().unwrap_or_default();
        let closed = cost(&first) >= CLOSED;
        // The other ways first: what only the cheapest one needs is then moved, not copied.
        let alternatives: Vec<Way> = all.collect();
        let own = |way: Way| way.into_iter().map(Rc::unwrap_or_clone).collect();
        Self { alternatives: alternatives.into_iter().map(own).collect(), missing: own(first), closed }
    }

    /// The same with one more leaf missing on every way.
    #[must_use]
    pub(crate) fn and(mut self, leaf: Leaf, by: Option<Date>) -> Self {
        let more = missing_leaf(&Arc::new(leaf), None, Telling { by, choices: false, figures: &Figures::default() });
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
            self.leaves_mut().zip(now).filter(|(then, now)| begins(&then.leaf) == begins(now)).for_each(|(then, now)| then.leaf = now);
        }
        self
    }

    fn leaves_mut(&mut self) -> impl Iterator<Item = &mut MissingLeaf> {
        std::iter::once(&mut self.missing).chain(&mut self.alternatives).flatten()
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

/// The day on which a window begins. What is on file on a day is looked at on that day alone, whichever it is.
fn begins(leaf: &Leaf) -> Option<Date> {
    leaf.window.filter(|window| leaf.kind == LeafKind::Metric || window.days() > 1).map(|window| window.from)
}

/// Whether two ways miss the same.
fn tell_the_same(then: &[MissingLeaf], now: &[MissingLeaf]) -> bool {
    let told = |leaf: &MissingLeaf| {
        let words = (leaf.kind, leaf.key.clone(), leaf.label.clone(), leaf.group.clone(), leaf.subject.clone(), leaf.compares);
        let figures = (leaf.required.clone(), leaf.actual.clone(), leaf.missing.clone(), leaf.ratio.clone(), leaf.met_on);
        (words, figures)
    };
    then.len() == now.len() && then.iter().zip(now).all(|(then, now)| told(then) == told(now))
}

fn grouped(leaf: &MissingLeaf) -> Option<String> {
    leaf.group.as_ref().map(|group| format!("{}[{group}]", leaf.key))
}

fn named(way: &[MissingLeaf]) -> BTreeMap<String, Option<Exact>> {
    way.iter().map(|leaf| (grouped(leaf).unwrap_or_else(|| leaf.key.clone()), leaf.missing.clone())).collect()
}
