//! Metrics, shared requirements and ladders that lean on themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::document::metric::{Formula, Operand};
use crate::document::requirement::{Requirement, TierState};

/// The cycles that a walk along `edges` finds, each once: the nodes in order, the first one repeated at the end.
pub(super) fn cycles(nodes: &[String], edges: impl Fn(&str) -> Vec<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut done: BTreeSet<String> = BTreeSet::new();
    for start in nodes {
        let mut path: Vec<(String, Vec<String>)> = Vec::new();
        if done.contains(start) {
            continue;
        }
        path.push((start.clone(), edges(start)));
        while let Some((node, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                done.insert(node.clone());
                path.pop();
                continue;
            };
            if let Some(at) = path.iter().position(|(node, _)| *node == next) {
                let cycle = path.iter().skip(at).map(|(node, _)| node.clone()).chain([next]).collect();
                found.push(cycle);
            } else if !done.contains(&next) {
                let further = edges(&next);
                path.push((next, further));
            }
        }
    }
    found
}

/// What a rule leans on.
#[derive(Default)]
struct Leans(BTreeSet<String>);

impl Leans {
    fn requirement(&mut self, requirement: &Requirement, ladders: &[(String, bool)]) {
        match requirement {
            Requirement::Shared(key) => {
                self.0.insert(format!("shared requirement {key}"));
            }
            Requirement::Metric(comparison) => {
                if let Some(metric) = &comparison.metric {
                    self.0.insert(format!("metric {metric}"));
                }
                if let Some(value) = &comparison.value {
                    self.operand(value, ladders);
                }
            }
            Requirement::Tier(rule) if rule.state == TierState::Evaluated => {
                self.0.insert(format!("ladder {}", rule.ladder));
            }
            Requirement::Ladders(rule) => {
                let all_but_main = || ladders.iter().filter(|(_, main)| !main).map(|(key, _)| key.clone());
                let named: Vec<String> = if rule.ladders.is_empty() { all_but_main().collect() } else { rule.ladders.clone() };
                self.0.extend(named.iter().map(|key| format!("ladder {key}")));
            }
            _ => requirement.parts().into_iter().for_each(|part| self.requirement(part, ladders)),
        }
    }

    fn operand(&mut self, operand: &Operand, ladders: &[(String, bool)]) {
        match operand {
            Operand::Metric(key) => {
                self.0.insert(format!("metric {key}"));
            }
            Operand::Formula(formula) => self.formula(formula, ladders),
            Operand::Measure(_) | Operand::Constant(_) => {}
        }
    }

    fn formula(&mut self, formula: &Formula, ladders: &[(String, bool)]) {
        if let Formula::Choice(choice) = formula {
            self.requirement(&choice.when, ladders);
        }
        formula.operands().into_iter().for_each(|operand| self.operand(operand, ladders));
    }
}

impl Check<'_> {
    /// Metrics, shared requirements and ladders that lean on themselves, directly or by way of others.
    pub(super) fn cycles(&mut self) {
        let document = self.document;
        let main = self.names.main_ladder.map(|ladder| ladder.key.clone());
        let ladders: Vec<(String, bool)> = document.ladders.iter().map(|ladder| (ladder.key.clone(), Some(&ladder.key) == main.as_ref())).collect();
        let mut graph: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        let mut add = |name: String, path: String, leans: Leans| {
            graph.entry(name).or_insert((path, leans.0.into_iter().collect()));
        };
        for (at, metric) in document.metrics.iter().enumerate() {
            let mut leans = Leans::default();
            if let Some(formula) = &metric.formula {
                leans.formula(formula, &ladders);
            }
            add(format!("metric {}", metric.key), format!("metrics[{at}]"), leans);
        }
        for (at, shared) in document.requirements.iter().enumerate() {
            let mut leans = Leans::default();
            leans.requirement(&shared.requirement, &ladders);
            add(format!("shared requirement {}", shared.key), format!("requirements[{at}]"), leans);
        }
        for (at, ladder) in document.ladders.iter().enumerate() {
            let mut leans = Leans::default();
            let tiers = ladder.tiers.iter().flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
            ladder.applies_to.iter().chain(tiers).for_each(|requirement| leans.requirement(requirement, &ladders));
            add(format!("ladder {}", ladder.key), format!("ladders[{at}]"), leans);
        }
        let nodes: Vec<String> = graph.keys().cloned().collect();
        let edges = |node: &str| graph.get(node).map_or_else(Vec::new, |(_, edges)| edges.clone());
        for cycle in cycles(&nodes, edges) {
            let path = cycle.first().and_then(|first| graph.get(first)).map_or_else(String::new, |(path, _)| path.clone());
            let advice = if cycle.len() == 2 && cycle.iter().all(|node| node.starts_with("ladder ")) {
                "; for lower tiers of the same ladder write `lowerTiersMustHold: true`, for the tier on record `state: RECORDED`"
            } else {
                ""
            };
            self.fault("CYCLE", path, format!("it leans on itself: {}{advice}", cycle.join(" -> ")));
        }
    }
}
