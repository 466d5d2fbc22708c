//! The single conditions of a judged requirement: its leaves, and nodes that are met or not as a whole.

use super::gap::node_leaf;
use super::{Judged, Leaf, Node};
use crate::document::requirement::{Requirement, TierHeld};
use crate::program::Program;
use crate::sentence::Sentence;

/// A step on the way to a condition in a tree; groups come and go, so they go by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The child at a position.
    Child(usize),
    /// A group.
    Group(String),
    /// The node itself, as a whole.
    Whole,
}

/// A condition in a judged requirement.
pub(crate) struct Condition<'j> {
    /// Where it stands.
    pub(crate) place: Vec<Step>,
    /// The label of the node around it, or its own.
    pub(crate) label: Option<&'j str>,
    /// Whether it is met.
    pub(crate) met: bool,
    what: What<'j>,
}

enum What<'j> {
    Leaf(&'j Leaf),
    Node {
        judged: &'j Judged,
        key: &'static str,
        /// How many are required, and how many there are.
        figures: (u32, u32),
    },
}

impl Condition<'_> {
    /// The condition as a leaf.
    pub(crate) fn leaf(&self) -> Leaf {
        match self.what {
            What::Leaf(leaf) => leaf.clone(),
            What::Node { judged, key, figures: (required, actual) } => node_leaf(judged, key, required, actual),
        }
    }

    /// The sentence of a node that is met or not as a whole.
    pub(crate) fn of_node(&self) -> Option<Sentence> {
        match self.what {
            What::Leaf(_) => None,
            What::Node { judged, .. } => Some(Sentence::of_node(judged, None)),
        }
    }
}

/// All conditions under nodes, in order. What is under a NOT is one condition: its parts may be met and not met without changing it.
pub(crate) fn conditions(asked: &[Judged]) -> Vec<Condition<'_>> {
    let mut found = Vec::new();
    for (index, judged) in asked.iter().enumerate() {
        collect(judged, &mut vec![Step::Child(index)], None, &mut found);
    }
    found
}

fn collect<'j>(judged: &'j Judged, place: &mut Vec<Step>, label: Option<&'j str>, found: &mut Vec<Condition<'j>>) {
    let label = judged.label.as_deref().or(label);
    let whole = |place: &[Step], met: bool, key, figures| Condition {
        place: place.iter().cloned().chain([Step::Whole]).collect(),
        label,
        met,
        what: What::Node { judged, key, figures },
    };
    match &judged.node {
        Node::Leaf(leaf) => found.push(Condition { place: place.clone(), label, met: leaf.met(), what: What::Leaf(leaf) }),
        Node::Not { .. } => found.push(whole(place, judged.met, "NOT", (1, judged.met.into()))),
        Node::ForEach { groups, at_least_groups, .. } => {
            let count = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            if *at_least_groups > 0 {
                found.push(whole(place, count >= *at_least_groups, "GROUPS", (*at_least_groups, count)));
            }
            for group in groups {
                place.push(Step::Group(group.group.clone()));
                collect(&group.requirement, place, label, found);
                place.pop();
            }
        }
        node => {
            // Met today, on which the window does not look.
            if let Node::OnAnyDay { of, .. } = node {
                found.push(whole(place, judged.met || !of.met, "ON_ANY_DAY", (1, judged.met.into())));
            }
            for (index, child) in judged.children().into_iter().enumerate() {
                place.push(Step::Child(index));
                collect(child, place, label, found);
                place.pop();
            }
        }
    }
}

/// How deep shared requirements are followed.
const MAX_DEPTH: u32 = 64;

/// Whether a requirement asks for a tier in just these words.
pub(crate) fn asks_for(program: &Program, requirement: &Requirement, tier: &TierHeld, depth: u32) -> bool {
    let into = |part: &Requirement| depth < MAX_DEPTH && asks_for(program, part, tier, depth + 1);
    match requirement {
        Requirement::Tier(rule) => rule == tier,
        Requirement::Shared(key) => program.requirement(key).is_some_and(into),
        _ => requirement.parts().into_iter().any(into),
    }
}
