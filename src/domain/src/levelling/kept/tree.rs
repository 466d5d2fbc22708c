//! A judged requirement without what its rule says: no kinds of lists, no keys of shared requirements, no labels.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{KeptStanding, place};
use crate::date::{Date, Span};
use crate::exact::Exact;
use crate::requirement::{Judged, Node, Reached};

/// A leaf: place of the value, what was required, whether it was met, what it took to reach it where that was not the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptLeaf(
    pub(super) usize,
    pub(super) Option<Exact>,
    pub(super) bool,
    #[serde(default, skip_serializing_if = "Option::is_none")] pub(super) Option<Box<Reached>>,
);

/// A node. NOT and a shared requirement stand as what is under them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum KeptNode<'s> {
    /// A condition with a figure.
    Leaf(KeptLeaf),
    /// The parts of ALL_OF, ANY_OF and AT_LEAST.
    Parts(Vec<Self>),
    /// WHEN: the condition, and what was asked if it was met.
    When {
        #[serde(rename = "w")]
        condition: Box<Self>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Box<Self>>,
    },
    /// FOR_EACH: the groups that were found.
    Groups {
        #[serde(rename = "g")]
        groups: Vec<(Cow<'s, str>, Self)>,
    },
    /// STREAK: the place of each period among the windows and whether it was met, and the period that is shown.
    Streak {
        #[serde(rename = "s")]
        periods: Vec<(usize, bool)>,
        of: Box<Self>,
    },
    /// ON_ANY_DAY: the place of the window, the day, and the requirement on it; of one that was met on none the nearest day, or that all were
    /// over.
    Day {
        #[serde(rename = "d")]
        day: (Option<usize>, Option<Date>),
        #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
        nearest: Option<Date>,
        #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
        of: Box<Self>,
    },
}

impl KeptNode<'_> {
    /// Calls `take` with every leaf, in the order of the tree; the conditions of WHEN are none of what is asked.
    pub(super) fn each_leaf<'k>(&'k self, take: &mut dyn FnMut(&'k KeptLeaf)) {
        match self {
            Self::Leaf(leaf) => take(leaf),
            Self::Parts(of) => of.iter().for_each(|part| part.each_leaf(take)),
            Self::When { of, .. } => of.iter().for_each(|part| part.each_leaf(take)),
            Self::Groups { groups } => groups.iter().for_each(|(_, part)| part.each_leaf(take)),
            Self::Streak { of, .. } | Self::Day { of, .. } => of.each_leaf(take),
        }
    }
}

impl<'s> KeptStanding<'s> {
    /// What is kept of a judged requirement.
    pub(super) fn node(&mut self, judged: &'s Judged) -> KeptNode<'s> {
        match &judged.node {
            Node::Leaf(leaf) => KeptNode::Leaf(self.leaf(leaf)),
            Node::AllOf { of } | Node::AnyOf { of, .. } | Node::AtLeast { of, .. } => KeptNode::Parts(of.iter().map(|part| self.node(part)).collect()),
            Node::Not { of } | Node::Shared { of, .. } => self.node(of),
            Node::When { condition, of, .. } => KeptNode::When { condition: Box::new(self.node(condition)), of: of.as_ref().map(|of| Box::new(self.node(of))) },
            Node::ForEach { groups, .. } => {
                let groups = groups.iter().map(|group| (Cow::Borrowed(group.group.as_str()), self.node(&group.requirement)));
                KeptNode::Groups { groups: groups.collect() }
            }
            Node::Streak { periods, of, .. } => {
                let periods = periods.iter().map(|period| (self.window(period.period), period.met)).collect();
                KeptNode::Streak { periods, of: Box::new(self.node(of)) }
            }
            Node::OnAnyDay { window, day, nearest, over, of } => {
                let window = window.map(|window| self.window(window));
                KeptNode::Day { day: (window, *day), nearest: *nearest, over: *over, of: Box::new(self.node(of)) }
            }
        }
    }

    /// The place of days among the windows.
    fn window(&mut self, window: Span) -> usize {
        place(&mut self.windows, window)
    }
}
