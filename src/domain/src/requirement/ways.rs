//! Ways, combined: each asks for something once, and none for all that another one asks for and more.

use std::rc::Rc;

use super::gap::{MAX_ALTERNATIVES, MissingLeaf, cost, has_figure, order_of_figures};
use super::{Compares, Leaf, LeafKind};
use crate::exact::Exact;

/// One way; leaves that several ways share are made once.
pub(super) type Way = Vec<Rc<MissingLeaf>>;

/// Every way through each of `parts`, combined.
pub(super) fn product(parts: impl Iterator<Item = Vec<Way>>) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![Way::new()];
    for part in parts {
        if let ([only], [more]) = (ways.as_mut_slice(), part.as_slice()) {
            // Mostly there is nothing to choose.
            join(only, more);
            continue;
        }
        let mut combined: Vec<Way> = ways.iter().flat_map(|way| part.iter().map(|more| joined(way, more))).collect();
        sort(&mut combined);
        ways = combined;
    }
    ways
}

/// Adds what another way asks for, what both ask for once: of one figure the most that is asked of it.
fn join(way: &mut Way, more: &Way) {
    let known_by = |leaf: &Rc<MissingLeaf>| way.iter().any(|known| is_same(known, leaf) || exceeds(known, leaf));
    let new: Way = more.iter().filter(|leaf| !known_by(leaf)).cloned().collect();
    way.retain(|known| !more.iter().any(|leaf| exceeds(leaf, known) && !exceeds(known, leaf)));
    way.extend(new);
}

fn joined(way: &Way, more: &Way) -> Way {
    let mut joined = way.clone();
    join(&mut joined, more);
    joined
}

/// Whether a leaf asks for as much of the same figure as another one, or for more.
fn exceeds(leaf: &MissingLeaf, other: &MissingLeaf) -> bool {
    let have_figures = || [leaf, other].iter().all(|leaf| leaf.is_leaf() && has_figure(leaf));
    leaf.key == other.key && have_figures() && order_of_figures(leaf, other).is_eq() && asks_for_more(leaf, other)
}

/// Cheapest first, without those that ask for everything that a cheaper one asks for.
pub(super) fn sort(ways: &mut Vec<Way>) {
    if ways.len() < 2 {
        return;
    }
    ways.sort_by_cached_key(|way| cost(way));
    let mut kept: Vec<Way> = Vec::with_capacity(ways.len().min(MAX_ALTERNATIVES + 1));
    for way in ways.drain(..) {
        if kept.len() > MAX_ALTERNATIVES {
            break;
        }
        if !kept.iter().any(|held| asks_for_all_of(&way, held)) {
            kept.push(way);
        }
    }
    *ways = kept;
}

/// Whether whoever takes a way has taken `other` as well.
fn asks_for_all_of(way: &Way, other: &Way) -> bool {
    other.iter().all(|wanted| way.iter().any(|leaf| covers(leaf, wanted)))
}

/// Whether whoever meets a leaf meets `other` as well: it is the same one, or asks for more of the same figure.
fn covers(leaf: &Rc<MissingLeaf>, other: &Rc<MissingLeaf>) -> bool {
    let more = || leaf.figure.is_some() && leaf.figure == other.figure && asks_for_more(leaf, other);
    is_same(leaf, other) || more()
}

/// Of two bounds on one side of a figure, whether whoever is within the first is within the second.
fn asks_for_more(leaf: &Leaf, other: &Leaf) -> bool {
    let (Some(one), Some(two)) = (&leaf.required, &other.required) else { return false };
    let strict = matches!(leaf.compares, Compares::Above | Compares::Below);
    let other_strict = matches!(other.compares, Compares::Above | Compares::Below);
    let beyond = |one: &Exact, two: &Exact| one > two || (one == two && (strict || !other_strict));
    match leaf.compares {
        Compares::AtLeast | Compares::Above => beyond(one, two),
        Compares::AtMost | Compares::Below => beyond(two, one),
        Compares::Equals => false,
    }
}

/// Whether two leaves ask for the same, whatever they are called.
fn is_same(one: &Rc<MissingLeaf>, other: &Rc<MissingLeaf>) -> bool {
    Rc::ptr_eq(one, other) || (one.cost == other.cost && one.is_leaf() && other.is_leaf() && is_known(one) && is_known(other) && equal(one, other))
}

/// Whether what a leaf asks for can be known by its words: not of values that are written in place, nor of holdings that pass a filter,
/// nor of a number of ladders.
fn is_known(leaf: &Leaf) -> bool {
    match leaf.kind {
        LeafKind::Metric => !is_in_place(leaf),
        LeafKind::Holding => !leaf.filtered,
        LeafKind::Ladders => false,
        LeafKind::Tier | LeafKind::Tenure | LeafKind::Contract | LeafKind::Partner | LeafKind::Admission => true,
    }
}

/// Whether a value is written in place, so that it has no name by which one would know it again.
pub(super) fn is_in_place(leaf: &Leaf) -> bool {
    crate::metric::is_operand_name(&leaf.key) || (leaf.subject.is_none() && leaf.label.as_deref() == Some(&leaf.key))
}

fn equal(one: &Leaf, other: &Leaf) -> bool {
    let words = |leaf: &Leaf| (leaf.kind, leaf.compares, leaf.reason, leaf.window, leaf.met_on);
    let names = |leaf: &Leaf| (leaf.key.clone(), leaf.subject.clone(), leaf.group.clone());
    words(one) == words(other) && one.required == other.required && one.actual == other.actual && one.missing == other.missing && names(one) == names(other)
}
