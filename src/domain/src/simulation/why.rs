//! Why a partner moves: the conditions whose verdict is another one, and what the policy of reviews does differently.

use std::collections::BTreeMap;

use super::{Direction, LeafChange, LeafState, Move};
use crate::levelling::{Reason, TierStanding, Verdict};
use crate::requirement::{Gap, Judged, Leaf};

/// Conditions in the explanation of one move at most.
const MAX_LEAVES: usize = 20;

/// What a leaf is known by in both worlds: kind, key, subject and group, and which of several alike.
type Identity<'l> = (crate::requirement::LeafKind, &'l str, Option<&'l str>, Option<&'l str>, usize);

fn leaves(judged: Option<&Judged>) -> BTreeMap<Identity<'_>, &Leaf> {
    let mut found = BTreeMap::new();
    for leaf in judged.map(Judged::leaves).unwrap_or_default() {
        let alike = |nth: usize| (leaf.kind, leaf.key.as_str(), leaf.subject.as_deref(), leaf.group.as_deref(), nth);
        let nth = (0..).find(|nth| !found.contains_key(&alike(*nth))).unwrap_or_default();
        found.insert(alike(nth), leaf);
    }
    found
}

fn state(leaf: &Leaf) -> LeafState {
    LeafState { met: leaf.met(), required: leaf.required.clone(), actual: leaf.actual.clone() }
}

fn change(tier: &str, before: Option<&Leaf>, after: Option<&Leaf>) -> Option<LeafChange> {
    let shown = after.or(before)?;
    Some(LeafChange {
        tier: tier.to_owned(),
        key: shown.key.clone(),
        label: shown.label.clone(),
        group: shown.group.clone(),
        before: before.map(state),
        after: after.map(state),
        sentence: shown.sentence(None).text,
    })
}

/// The conditions of one tier that are met in one world only. One that is asked in one world only counts where it speaks for the
/// move: unmet and new, or unmet and gone.
fn flipped(tier: &str, before: Option<&Judged>, after: Option<&Judged>) -> Vec<LeafChange> {
    let (one, other) = (leaves(before), leaves(after));
    let mut changes = Vec::new();
    for (identity, now) in &other {
        let then = one.get(identity);
        let differs = then.map_or(!now.met(), |then| then.met() != now.met());
        changes.extend(differs.then(|| change(tier, then.copied(), Some(now))).flatten());
    }
    let gone = one.iter().filter(|(identity, then)| !other.contains_key(*identity) && !then.met());
    changes.extend(gone.filter_map(|(_, then)| change(tier, Some(then), None)));
    changes
}

fn standing<'o>(verdict: Option<&'o Verdict<'_>>, tier: &str) -> Option<&'o TierStanding> {
    verdict.and_then(|verdict| verdict.outcome.tiers.iter().find(|standing| standing.tier == tier))
}

/// The tiers that a move passes, the reached or lost one first.
fn passed(before: Option<&Verdict<'_>>, after: Option<&Verdict<'_>>, moved: &Move) -> Vec<String> {
    let Some(ladder) = after.or(before).map(|verdict| verdict.ladder) else { return Vec::new() };
    let rank = |tier: Option<&str>, verdict: Option<&Verdict<'_>>| {
        let own = ladder.rank(tier);
        if own > 0 { own } else { verdict.map_or(0, |verdict| verdict.ladder.rank(tier)) }
    };
    let (from, to) = (rank(moved.from.as_deref(), before), rank(moved.to.as_deref(), after));
    let between = (from.min(to) + 1..=from.max(to)).rev().filter_map(|rank| ladder.at_rank(rank)).map(|tier| tier.key.clone());
    let ends = if moved.direction == Direction::Up { [&moved.to, &moved.from] } else { [&moved.from, &moved.to] };
    let mut tiers: Vec<String> = ends.first().into_iter().copied().flatten().cloned().collect();
    for tier in between {
        if !tiers.contains(&tier) {
            tiers.push(tier);
        }
    }
    tiers
}

/// Explains a move, of which the tiers are known.
pub(super) fn explain(mut moved: Move, before: Option<&Verdict<'_>>, after: Option<&Verdict<'_>>) -> Move {
    let judged = |verdict: Option<&Verdict<'_>>| verdict.and_then(|verdict| verdict.outcome.applies_to.clone());
    let mut leaves = flipped(&moved.ladder, judged(before).as_ref(), judged(after).as_ref());
    for tier in passed(before, after, &moved) {
        let (then, now) = (standing(before, &tier), standing(after, &tier));
        let changes_verdict = then.is_some_and(|then| then.met) != now.is_some_and(|now| now.met);
        if changes_verdict {
            leaves.extend(flipped(&tier, then.and_then(|then| then.requirement.as_ref()), now.and_then(|now| now.requirement.as_ref())));
        }
    }
    leaves.truncate(MAX_LEAVES);
    let of = |verdict: Option<&Verdict<'_>>| verdict.map(|verdict| verdict.decision.reasons.clone()).unwrap_or_default();
    let (then, now) = (of(before), of(after));
    moved.reasons = now.iter().filter(|reason| !then.contains(reason)).copied().collect();
    moved.reasons_gone = then.into_iter().filter(|reason| !now.contains(reason)).collect();
    let words = Some(text(&leaves, &moved, before, after)).filter(|words| !words.is_empty());
    moved.text = of_one_version(&moved, before, after).into_iter().chain(words).collect::<Vec<_>>().join("; ");
    moved.leaves = leaves;
    moved
}

/// That one of the tiers is in one of the versions only.
fn of_one_version(moved: &Move, before: Option<&Verdict<'_>>, after: Option<&Verdict<'_>>) -> Option<String> {
    let lacks = |verdict: Option<&Verdict<'_>>, tier: &str| verdict.is_some_and(|verdict| verdict.ladder.tier(tier).is_none());
    let gone = moved.from.as_deref().filter(|tier| lacks(after, tier)).map(|tier| format!("there is no tier {tier} any more"));
    gone.or_else(|| Some(format!("the tier {} is new", moved.to.as_deref().filter(|tier| lacks(before, tier))?)))
}

/// One line: the conditions; without any, what is missing after or was missing before; else the policy's word.
fn text(leaves: &[LeafChange], moved: &Move, before: Option<&Verdict<'_>>, after: Option<&Verdict<'_>>) -> String {
    if !leaves.is_empty() {
        let one = |leaf: &LeafChange| {
            let asked_before = leaf.before.as_ref().and_then(|before| before.required.clone());
            let asked_after = leaf.after.as_ref().and_then(|after| after.required.clone());
            match (asked_before, asked_after) {
                (Some(then), Some(now)) if then != now => format!("{}: {} ({} was asked before)", leaf.tier, leaf.sentence, plain(then)),
                _ => format!("{}: {}", leaf.tier, leaf.sentence),
            }
        };
        return leaves.iter().map(one).collect::<Vec<_>>().join("; ");
    }
    let (verdict, tier) = if moved.direction == Direction::Up { (before, &moved.to) } else { (after, &moved.from) };
    let lacking = tier.as_deref().and_then(|tier| standing(verdict, tier)).and_then(|standing| standing.requirement.as_ref());
    let missing: Vec<String> = lacking.map(|judged| Gap::of(judged, None).missing.iter().map(|leaf| leaf.sentence().text).collect()).unwrap_or_default();
    if !missing.is_empty() {
        let word = if moved.direction == Direction::Up { "before" } else { "now" };
        return format!("{word}: {}", missing.join("; "));
    }
    let words = |reasons: &[Reason]| reasons.iter().map(|reason| format!("{reason:?}")).collect::<Vec<_>>().join(", ");
    match (moved.reasons.is_empty(), moved.reasons_gone.is_empty()) {
        (false, _) => words(&moved.reasons),
        (true, false) => format!("no longer {}", words(&moved.reasons_gone)),
        (true, true) => String::new(),
    }
}

fn plain(value: crate::exact::Exact) -> String {
    value.to_decimal(10).unwrap_or_else(|| value.to_string())
}
