//! Values that two versions of a program have in common: a metric that both define alike, over the same facts, has one value.

use std::collections::{BTreeMap, HashMap};

use super::evaluator::Evaluator;
use crate::document::metric::{Formula, Metric, Operand};
use crate::program::Program;

/// A rule by its kind and its place in an immutable program.
type Rule = (u8, usize);

/// The metrics that one version of a program defines just as another one does, with all that they are made of.
#[derive(Debug, Clone, Default)]
pub struct SharedMetrics(HashMap<Rule, Rule>);

impl SharedMetrics {
    /// The metrics that `after` has in common with `before`. None where the two differ in anything that every measure may look at:
    /// calendar, currency, regions, categories, units.
    pub fn between(before: &Program, after: &Program) -> Self {
        let (one, other) = (&before.document, &after.document);
        let alike = one.program == other.program
            && one.regions == other.regions
            && one.region_groups == other.region_groups
            && one.categories == other.categories
            && one.version_lists == other.version_lists
            && one.unit_tables == other.unit_tables
            && one.custom_years == other.custom_years;
        if !alike {
            return Self::default();
        }
        let mut same = BTreeMap::new();
        let pairs = one.metrics.iter().filter_map(|metric| Some((metric, after.metric(&metric.key)?)));
        let shared = pairs.filter(|(metric, _)| is_same(before, after, &metric.key, &mut same));
        Self(shared.filter_map(|(metric, twin)| Some((place(metric)?, place(twin)?))).collect())
    }

    /// Whether there is nothing in common.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn place(metric: &Metric) -> Option<Rule> {
    let measure = metric.measure.as_ref().map(|measure| (super::evaluator::MEASURE, std::ptr::from_ref(measure).addr()));
    measure.or_else(|| metric.formula.as_ref().map(|formula| (super::evaluator::FORMULA, std::ptr::from_ref(formula).addr())))
}

/// Whether a metric and all metrics that it names are defined alike. A choice asks requirements, which may ask tiers: never.
fn is_same(before: &Program, after: &Program, key: &str, known: &mut BTreeMap<String, bool>) -> bool {
    if let Some(same) = known.get(key) {
        return *same;
    }
    known.insert(key.to_owned(), false);
    let same = match (before.metric(key), after.metric(key)) {
        (Some(one), Some(other)) => {
            let mut named = Vec::new();
            one == other
                && one.formula.as_ref().is_none_or(|formula| operands(formula, &mut named))
                && named.into_iter().all(|key| is_same(before, after, key, known))
        }
        _ => false,
    };
    known.insert(key.to_owned(), same);
    same
}

/// Gathers the metrics that a formula names; false where it asks more than values.
fn operands<'f>(formula: &'f Formula, named: &mut Vec<&'f str>) -> bool {
    if matches!(formula, Formula::Choice(_)) {
        return false;
    }
    formula.operands().into_iter().all(|operand| match operand {
        Operand::Metric(key) => {
            named.push(key);
            true
        }
        Operand::Formula(inner) => operands(inner, named),
        Operand::Measure(_) | Operand::Constant(_) => true,
    })
}

impl<'a> Evaluator<'a> {
    /// Takes over the values that `other`, of another version over the same facts, has computed for metrics in common.
    pub fn take_shared(&self, other: &Self, shared: &SharedMetrics) {
        debug_assert!(std::ptr::eq(self.facts, other.facts), "values are shared over the same facts only");
        self.take_values(other, |rule| shared.0.get(rule).copied());
    }
}
