//! Measures of a region, in ladders that have none.

use super::{Check, MAX_TREE_DEPTH};
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::metric::{Formula, MeasureScope, Operand};
use crate::document::requirement::Requirement;

impl Check<'_> {
    /// A ladder of partners is evaluated for no region: what measures the facts of one would silently take that of the partner's home.
    pub(super) fn regional(&mut self, ladder: &Ladder, path: &str) {
        if ladder.scope != LadderScope::Partner {
            return;
        }
        let of_tiers = ladder.tiers.iter().enumerate().filter_map(|(at, tier)| Some((format!("{path}.tiers[{at}].requirement"), tier.requirement.as_ref()?)));
        let rules = ladder.applies_to.iter().map(|rule| (format!("{path}.appliesTo"), rule)).chain(of_tiers);
        for (path, requirement) in rules {
            if self.asks_region(requirement, 0) {
                let message = "it leans on a measure of scope REGION, and a ladder of scope PARTNER is evaluated for no region: write scope PARTNER_IN_REGION on the ladder, or a filter on `region` in the measure";
                self.fault("OUT_OF_PLACE", path, message);
            }
        }
    }

    fn asks_region(&self, requirement: &Requirement, depth: usize) -> bool {
        let inner = |requirement: &Requirement| self.asks_region(requirement, depth + 1);
        match requirement {
            _ if depth > MAX_TREE_DEPTH => false,
            Requirement::Shared(key) => self.document.requirements.iter().any(|shared| shared.key == *key && inner(&shared.requirement)),
            Requirement::Metric(comparison) => {
                let named = comparison.metric.as_ref().is_some_and(|key| self.metric_asks_region(key, depth + 1));
                named || comparison.value.as_ref().is_some_and(|operand| self.operand_asks_region(operand, depth + 1))
            }
            Requirement::ForEach(rule) if rule.groups.scope == MeasureScope::Region => true,
            _ => requirement.parts().into_iter().any(inner),
        }
    }

    fn metric_asks_region(&self, key: &str, depth: usize) -> bool {
        let Some(metric) = self.document.metrics.iter().find(|metric| metric.key == key) else { return false };
        let measured = metric.measure.as_ref().is_some_and(|measure| measure.scope == MeasureScope::Region);
        measured || metric.formula.as_ref().is_some_and(|formula| self.formula_asks_region(formula, depth + 1))
    }

    fn operand_asks_region(&self, operand: &Operand, depth: usize) -> bool {
        match operand {
            Operand::Metric(key) => self.metric_asks_region(key, depth),
            Operand::Measure(measure) => measure.scope == MeasureScope::Region,
            Operand::Formula(formula) => self.formula_asks_region(formula, depth + 1),
            Operand::Constant(_) => false,
        }
    }

    fn formula_asks_region(&self, formula: &Formula, depth: usize) -> bool {
        if depth > MAX_TREE_DEPTH {
            return false;
        }
        let decided = matches!(formula, Formula::Choice(choice) if self.asks_region(&choice.when, depth));
        decided || formula.operands().into_iter().any(|operand| self.operand_asks_region(operand, depth))
    }
}
