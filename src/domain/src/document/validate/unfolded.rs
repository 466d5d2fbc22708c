//! What rules unfold to: metrics, shared requirements and ladders that lean on one another, written out.
//!
//! A few short rules that each name another twice unfold to millions of judgements, and a long chain of them is deeper than
//! an evaluation goes. Both are refused here instead of being found out by whoever evaluates.

use std::collections::BTreeMap;

use super::Check;
use crate::document::metric::{Formula, Operand};
use crate::document::requirement::{Requirement, TierState};

/// A rule may unfold to so many judgements and measurements.
pub const MAX_UNFOLDED: u64 = 200_000;
/// Rules may lean on one another so deep; an evaluation stops at 64.
pub const MAX_UNFOLDED_DEPTH: u32 = 60;

/// How many groups a FOR_EACH, and how many days an ON_ANY_DAY, is taken to have.
const GROUPS: u64 = 20;
const DAYS: u64 = 60;

/// What a rule unfolds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Size {
    weight: u64,
    depth: u32,
}

impl Size {
    const ONE: Self = Self { weight: 1, depth: 1 };

    /// Both, side by side.
    fn and(self, other: Self) -> Self {
        Self { weight: self.weight.saturating_add(other.weight), depth: self.depth.max(other.depth) }
    }

    /// One level above it.
    const fn under(self, levels: u32) -> Self {
        Self { weight: self.weight.saturating_add(1), depth: self.depth.saturating_add(levels) }
    }

    const fn times(self, count: u64) -> Self {
        Self { weight: self.weight.saturating_mul(count), depth: self.depth }
    }

    const fn too_large(self) -> bool {
        self.weight > MAX_UNFOLDED
    }

    const fn too_deep(self) -> bool {
        self.depth > MAX_UNFOLDED_DEPTH
    }
}

/// A rule that others may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name<'d> {
    Metric(&'d str),
    Shared(&'d str),
    Ladder(&'d str),
}

/// Sizes found so far. What is too large is counted as one afterwards, so that what leans on it is not reported as well.
struct Sizes<'c, 'd> {
    check: &'c mut Check<'d>,
    known: BTreeMap<Name<'d>, Size>,
    /// Named rules that are being unfolded.
    open: u32,
}

impl Check<'_> {
    /// Rules that unfold to too much. Not asked of rules that lean on themselves.
    pub(super) fn unfolded(&mut self) {
        if self.faults.0.iter().any(|fault| fault.code == "CYCLE") {
            return;
        }
        let document = self.document;
        let mut sizes = Sizes { check: self, known: BTreeMap::new(), open: 0 };
        for metric in &document.metrics {
            sizes.named(Name::Metric(&metric.key));
        }
        for shared in &document.requirements {
            sizes.named(Name::Shared(&shared.key));
        }
        for ladder in &document.ladders {
            sizes.named(Name::Ladder(&ladder.key));
        }
        for (at, grant) in document.grants.iter().enumerate() {
            let requirement = grant.condition.as_ref().and_then(|condition| condition.requirement.as_ref());
            sizes.written(requirement, format!("grants[{at}].condition.requirement"));
        }
        for (at, schedule) in document.rebate_schedules.iter().enumerate() {
            sizes.written(schedule.condition.as_ref(), format!("rebateSchedules[{at}].condition"));
        }
        for (at, rule) in document.mdf_rules.iter().enumerate() {
            sizes.written(rule.eligible.as_ref(), format!("mdfRules[{at}].eligible"));
        }
        for (at, automation) in document.automations.iter().enumerate() {
            sizes.written(automation.condition.as_ref(), format!("automations[{at}].condition"));
        }
    }
}

impl<'d> Sizes<'_, 'd> {
    /// A requirement where it is used.
    fn written(&mut self, requirement: Option<&'d Requirement>, path: String) {
        if let Some(requirement) = requirement {
            let size = self.requirement(requirement);
            self.judge(size, path);
        }
    }

    /// Reports a size that is too large; gives what counts from here on.
    fn judge(&mut self, size: Size, path: String) -> Size {
        if size.too_deep() {
            let message = format!("rules lean on one another more than {MAX_UNFOLDED_DEPTH} deep here: take out steps between them");
            self.check.fault("TOO_DEEP", path, message);
            return Size::ONE;
        }
        if size.too_large() {
            let message = format!(
                "with everything that it names, this asks for more than {MAX_UNFOLDED} judgements: name a rule once where it is named several times, or shorten streaks within streaks"
            );
            self.check.fault("TOO_MANY", path, message);
            return Size::ONE;
        }
        size
    }

    fn named(&mut self, name: Name<'d>) -> Size {
        if let Some(size) = self.known.get(&name) {
            return *size;
        }
        if self.open > MAX_UNFOLDED_DEPTH {
            return Size { weight: 1, depth: u32::MAX };
        }
        self.open += 1;
        let (size, path) = self.unfold(name);
        self.open -= 1;
        let size = self.judge(size, path);
        self.known.insert(name, size);
        size
    }

    fn unfold(&mut self, name: Name<'d>) -> (Size, String) {
        let document = self.check.document;
        match name {
            Name::Metric(key) => {
                let found = document.metrics.iter().enumerate().find(|(_, metric)| metric.key == key);
                let Some((at, metric)) = found else { return (Size::ONE, String::new()) };
                let size = metric.formula.as_ref().map_or(Size::ONE, |formula| self.formula(formula));
                (size, format!("metrics[{at}]"))
            }
            Name::Shared(key) => {
                let found = document.requirements.iter().enumerate().find(|(_, shared)| shared.key == key);
                let Some((at, shared)) = found else { return (Size::ONE, String::new()) };
                (self.requirement(&shared.requirement), format!("requirements[{at}].requirement"))
            }
            Name::Ladder(key) => {
                let found = document.ladders.iter().enumerate().find(|(_, ladder)| ladder.key == key);
                let Some((at, ladder)) = found else { return (Size::ONE, String::new()) };
                let tiers = ladder.tiers.iter().flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
                let size = ladder.applies_to.iter().chain(tiers).fold(Size::ONE, |size, requirement| size.and(self.requirement(requirement)));
                (size.under(1), format!("ladders[{at}]"))
            }
        }
    }

    fn requirement(&mut self, requirement: &'d Requirement) -> Size {
        let inner = match requirement {
            Requirement::AllOf(list) | Requirement::AnyOf(list) => self.all(list),
            Requirement::AtLeast(rule) => self.all(&rule.of),
            Requirement::Not(inner) => self.requirement(inner),
            Requirement::Labelled(rule) => self.requirement(&rule.requirement),
            Requirement::Shared(key) => self.named(Name::Shared(key)),
            Requirement::Metric(comparison) => {
                let metric = comparison.metric.as_ref().map(|key| self.named(Name::Metric(key)));
                let value = comparison.value.as_ref().map(|operand| self.operand(operand));
                metric.into_iter().chain(value).fold(Size::default(), Size::and)
            }
            // Within the decision of that ladder stands its outcome.
            Requirement::Tier(rule) if rule.state == TierState::Evaluated => self.named(Name::Ladder(&rule.ladder)).under(1),
            Requirement::Ladders(rule) => {
                let main = self.check.names.main_ladder.map(|ladder| ladder.key.as_str());
                let counts = |key: &String| if rule.ladders.is_empty() { main != Some(key) } else { rule.ladders.contains(key) };
                let counted = self.check.document.ladders.iter().filter(|ladder| counts(&ladder.key));
                let size = counted.fold(Size::default(), |size, ladder| size.and(self.named(Name::Ladder(&ladder.key))));
                size.under(1)
            }
            Requirement::Streak(rule) => self.requirement(&rule.requirement).times(rule.periods.into()),
            Requirement::OnAnyDay(rule) => self.requirement(&rule.requirement).times(DAYS),
            Requirement::ForEach(rule) => self.requirement(&rule.requirement).times(GROUPS),
            Requirement::When(rule) => self.requirement(&rule.condition).and(self.requirement(&rule.requirement)),
            Requirement::Tier(_) | Requirement::Holding(_) | Requirement::Tenure(_) | Requirement::Contract(_) | Requirement::Partner(_) => Size::default(),
        };
        inner.under(1)
    }

    fn all(&mut self, list: &'d [Requirement]) -> Size {
        list.iter().fold(Size::default(), |size, inner| size.and(self.requirement(inner)))
    }

    fn operand(&mut self, operand: &'d Operand) -> Size {
        match operand {
            Operand::Metric(key) => self.named(Name::Metric(key)),
            Operand::Measure(_) => Size::ONE,
            Operand::Formula(formula) => self.formula(formula),
            Operand::Constant(_) => Size::default(),
        }
    }

    fn formula(&mut self, formula: &'d Formula) -> Size {
        let mut size = Size::default();
        match formula {
            Formula::Sum(sum) => {
                for term in &sum.terms {
                    size = size.and(self.operand(&term.value));
                    size = term.gates.iter().fold(size, |size, gate| size.and(self.operand(&gate.value)));
                }
            }
            Formula::Ratio(ratio) => size = self.operand(&ratio.numerator).and(self.operand(&ratio.denominator)),
            Formula::Difference(of) => size = self.operand(&of.from).and(self.operand(&of.subtract)),
            Formula::Minimum(list) | Formula::Maximum(list) | Formula::Average(list) => {
                size = list.iter().fold(size, |size, operand| size.and(self.operand(operand)));
            }
            Formula::Growth(growth) => size = self.operand(&growth.of).times(2),
            Formula::PercentileRank(rank) | Formula::Rank(rank) | Formula::CohortMean(rank) => size = self.operand(&rank.of).times(2),
            Formula::Choice(choice) => {
                size = self.requirement(&choice.when).and(self.operand(&choice.then)).and(self.operand(&choice.otherwise));
            }
        }
        size.under(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::validate;
    use crate::document::read::{Format, read};

    const HEAD: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2026-01-01}\n";
    const REVENUE: &str = "metrics: [{key: m, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}";

    fn found(body: &str) -> Vec<(String, String)> {
        let document = read(&format!("{HEAD}{body}"), Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        validate(&document).0.into_iter().map(|fault| (fault.code, fault.path)).collect()
    }

    /// Shared requirements of which each names the one before it twice: the last one unfolds to 2^count leaves.
    fn doubled(count: usize) -> String {
        let rest: String =
            (1..=count).map(|at| format!(", {{key: s{at}, requirement: {{allOf: [{{shared: s{}}}, {{shared: s{}}}]}}}}", at - 1, at - 1)).collect();
        format!("{REVENUE}]\nrequirements: [{{key: s0, requirement: {{metric: {{metric: m, atLeast: 1}}}}}}{rest}]\n")
    }

    fn chained(count: usize) -> String {
        let rest: String = (1..=count)
            .map(|at| {
                format!(", {{key: m{at}, unit: MONEY, formula: {{maximum: [{{metric: {}}}]}}}}", if at == 1 { "m".to_owned() } else { format!("m{}", at - 1) })
            })
            .collect();
        format!("{REVENUE}{rest}]\n")
    }

    /// Streaks of streaks of streaks.
    fn streaks(lengths: [u32; 3]) -> String {
        let of = lengths
            .iter()
            .fold("{metric: {metric: m, above: 0}}".to_owned(), |of, periods| format!("{{streak: {{periods: {periods}, unit: MONTH, requirement: {of}}}}}"));
        format!("{REVENUE}]\nladders: [{{key: L, tiers: [{{key: A, requirement: {of}}}]}}]\n")
    }

    #[test]
    fn rules_unfold_to_so_much_and_no_more() {
        assert_eq!(found(&doubled(15)), []);
        assert_eq!(found(&doubled(16)), [("TOO_MANY".to_owned(), "requirements[16].requirement".to_owned())]);
        // What leans on it is not reported as well; a very long chain is not followed to its end.
        assert_eq!(found(&doubled(18)).len(), 1);
        assert_eq!(found(&chained(59)), []);
        assert_eq!(found(&chained(60)), [("TOO_DEEP".to_owned(), "metrics[60]".to_owned())]);
        assert!(found(&chained(4000)).iter().all(|(code, _)| code == "TOO_DEEP"));
        assert_eq!(found(&streaks([10, 20, 240])), []);
        assert_eq!(found(&streaks([24, 60, 240])), [("TOO_MANY".to_owned(), "ladders[0]".to_owned())]);
        assert_eq!(found(&streaks([1, 1, 241])), [("OUT_OF_RANGE".to_owned(), "ladders[0].tiers[0].requirement.streak.periods".to_owned())]);
    }

    /// A chain that publishing lets through can be evaluated.
    #[test]
    fn the_deepest_chain_can_be_evaluated() {
        let text = format!("{HEAD}{}ladders: [{{key: L, tiers: [{{key: A, requirement: {{metric: {{metric: m57, atLeast: 1}}}}}}]}}]\n", chained(57));
        let program = crate::program::Program::compile(read(&text, Format::Yaml).unwrap()).unwrap();
        let facts = crate::facts::read::read(&serde_json::from_value(serde_json::json!({"partners": [{"code": "P"}]})).unwrap(), &program).unwrap();
        let standing = crate::levelling::evaluate_partner(&program, &facts, "P", "2026-02-01".parse().unwrap()).unwrap();
        assert_eq!(standing.ladders.first().map(|ladder| ladder.rank), Some(0));
        crate::levelling::at_risk(&program, &facts, "P", "2026-02-01".parse().unwrap(), "2027-02-01".parse().unwrap()).unwrap();
    }
}
