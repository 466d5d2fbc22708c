//! Every node from its parts: whether it is met, and what else follows from them. A requirement that is judged and a kept
//! one that is restored are put together here alike.

use std::sync::Arc;

use super::{GroupJudged, Judged, Node, PeriodJudged, SubsetJudged};
use crate::date::{Date, Span};
use crate::document::requirement::{AtLeast, ForEach, Streak};
use crate::program::Program;

impl Judged {
    pub(crate) fn all_of(of: Vec<Self>) -> Self {
        Self::new(of.iter().all(|part| part.met), Node::AllOf { of })
    }

    pub(crate) fn any_of(of: Vec<Self>) -> Self {
        let cheapest = super::gap::cheapest(&of);
        Self::new(of.iter().any(|path| path.met), Node::AnyOf { of, cheapest })
    }

    pub(crate) fn at_least(rule: &AtLeast, of: Vec<Self>) -> Self {
        let met_count = count(of.iter());
        let including = rule.including.as_ref().map(|subset| {
            let items = subset.items.iter().filter_map(|item| of.get(*item as usize));
            SubsetJudged { m: subset.m, met_count: count(items), items: subset.items.clone() }
        });
        let met = met_count >= rule.n && including.as_ref().is_none_or(|subset| subset.met_count >= subset.m);
        Self::new(met, Node::AtLeast { n: rule.n, met_count, of, including })
    }

    pub(crate) fn not(of: Self) -> Self {
        Self::new(!of.met, Node::Not { of: Box::new(of) })
    }

    /// A requirement that the program shares goes by the name that it has there.
    pub(crate) fn shared(program: &Program, key: &str, of: Self) -> Self {
        let label = program.document.requirements.iter().find(|known| known.key == key).and_then(|known| known.name.clone());
        Self { met: of.met, label, node: Node::Shared { key: key.to_owned(), of: Box::new(of) } }
    }

    /// What is not asked is met.
    pub(crate) fn when(condition: Self, of: Option<Self>) -> Self {
        let met = of.as_ref().is_none_or(|of| of.met);
        Self::new(met, Node::When { applies: condition.met, condition: Box::new(condition), of: of.map(Box::new) })
    }

    /// Every leaf under it knows its group.
    pub(crate) fn for_each(program: &Program, rule: &ForEach, mut groups: Vec<GroupJudged>) -> Self {
        for GroupJudged { group, requirement } in &mut groups {
            let name = group_name(program, rule, group);
            put_group(requirement, group, name.as_deref());
        }
        let enough = groups.len() >= rule.at_least_groups as usize;
        let met = enough && groups.iter().all(|group| group.requirement.met);
        Self::new(met, Node::ForEach { name: rule.r#as.clone(), at_least_groups: rule.at_least_groups, groups })
    }

    pub(crate) fn streak(rule: &Streak, periods: Vec<PeriodJudged>, of: Self) -> Self {
        let actual = u32::try_from(periods.iter().filter(|period| period.met).count()).unwrap_or(u32::MAX);
        let required = rule.periods;
        Self::new(actual >= required, Node::Streak { required, actual, periods, of: Box::new(of) })
    }

    /// It is met when there is a day.
    pub(crate) fn on_any_day(window: Option<Span>, day: Option<Date>, of: Self) -> Self {
        Self::new(day.is_some(), Node::OnAnyDay { window, day, nearest: None, over: false, of: Box::new(of) })
    }

    /// It is met on no day; `nearest` is the one that is nearest to it, none where all days are `over`.
    pub(crate) fn on_no_day(window: Option<Span>, nearest: Option<Date>, over: bool, of: Self) -> Self {
        Self::new(false, Node::OnAnyDay { window, day: None, nearest, over, of: Box::new(of) })
    }

    /// A label goes to the node that it is put on; where that has one of its own, around it.
    pub(crate) fn labelled(self, label: &str) -> Self {
        if self.label.is_none() {
            return Self { label: Some(label.to_owned()), ..self };
        }
        Self { met: self.met, label: Some(label.to_owned()), node: Node::AllOf { of: vec![self] } }
    }
}

fn count<'j>(judged: impl Iterator<Item = &'j Judged>) -> u32 {
    u32::try_from(judged.filter(|part| part.met).count()).unwrap_or(u32::MAX)
}

/// What people call a group, where it is one of something that the document names.
fn group_name(program: &Program, rule: &ForEach, group: &str) -> Option<String> {
    let [field] = rule.groups.group_by.as_slice() else { return None };
    match field.as_str() {
        "category" => program.category_name(group),
        "region" | "partner.region" => program.region_name(group),
        "partner.type" => program.partner_type_name(group),
        _ => None,
    }
}

/// Writes the group into every leaf under a FOR_EACH that is not of an inner one.
fn put_group(judged: &mut Judged, group: &str, name: Option<&str>) {
    match &mut judged.node {
        Node::Leaf(leaf) => {
            let is_of_group = leaf.group.as_deref().is_none_or(|known| known == group);
            if is_of_group && (leaf.group.is_none() || leaf.group_name.as_deref() != name) {
                let leaf = Arc::make_mut(leaf);
                leaf.group = Some(group.to_owned());
                leaf.group_name = name.map(str::to_owned);
            }
        }
        Node::AllOf { of } | Node::AnyOf { of, .. } | Node::AtLeast { of, .. } => of.iter_mut().for_each(|part| put_group(part, group, name)),
        Node::Not { of } | Node::Shared { of, .. } | Node::Streak { of, .. } | Node::OnAnyDay { of, .. } => put_group(of, group, name),
        Node::When { of, .. } => of.iter_mut().for_each(|part| put_group(part, group, name)),
        Node::ForEach { groups, .. } => groups.iter_mut().for_each(|part| put_group(&mut part.requirement, group, name)),
    }
}
