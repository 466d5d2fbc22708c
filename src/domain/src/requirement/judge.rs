//! The tree: every node is judged, none is skipped.

use std::rc::Rc;

use super::{GroupJudged, Judged, Node, PeriodJudged, SubsetJudged};
use crate::date::{Date, Span};
use crate::document::requirement::{AtLeast, Conditional, ForEach, OnAnyDay, Requirement, Streak};
use crate::fault::{Fault, Faults};
use crate::metric::{At, Evaluator};
use crate::period::FiscalYear;

impl<'a> Evaluator<'a> {
    /// Judges a requirement for a partner on a date: the whole tree, with every figure that explains it.
    pub fn judge(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<Judged, Faults> {
        self.nested(|| self.judge_node(requirement, at))
    }

    fn judge_node(&self, requirement: &'a Requirement, at: &At<'a>) -> Result<Judged, Faults> {
        match requirement {
            Requirement::AllOf(of) => {
                let of = self.judge_all(of, at)?;
                Ok(Judged::new(of.iter().all(|part| part.met), Node::AllOf { of }))
            }
            Requirement::AnyOf(of) => {
                let of = self.judge_all(of, at)?;
                let cheapest = super::gap::cheapest(&of);
                Ok(Judged::new(of.iter().any(|path| path.met), Node::AnyOf { of, cheapest }))
            }
            Requirement::AtLeast(rule) => self.judge_at_least(rule, at),
            Requirement::Not(of) => {
                let of = self.judge(of, at)?;
                Ok(Judged::new(!of.met, Node::Not { of: Box::new(of) }))
            }
            Requirement::Labelled(rule) => {
                let judged = self.judge(&rule.requirement, at)?;
                Ok(labelled(judged, &rule.label))
            }
            Requirement::Shared(key) => {
                let shared =
                    self.program.requirement(key).ok_or_else(|| Fault::new("UNKNOWN_REQUIREMENT", key, "the program shares no requirement of this key"))?;
                let of = self.judge(shared, at)?;
                let name = self.program.document.requirements.iter().find(|known| known.key == *key).and_then(|known| known.name.clone());
                Ok(Judged { met: of.met, label: name, node: Node::Shared { key: key.clone(), of: Box::new(of) } })
            }
            Requirement::Metric(rule) => self.judge_comparison(rule, at),
            Requirement::Tier(rule) => self.judge_tier(rule, at),
            Requirement::Ladders(rule) => self.judge_ladders(rule, at),
            Requirement::Holding(rule) => Ok(self.judge_holding(rule, at)),
            Requirement::Tenure(rule) => self.judge_tenure(rule, at),
            Requirement::Streak(rule) => self.judge_streak(rule, at),
            Requirement::OnAnyDay(rule) => self.judge_on_any_day(rule, at),
            Requirement::ForEach(rule) => self.judge_for_each(rule, at),
            Requirement::Contract(rule) => Ok(self.judge_contract(rule, at)),
            Requirement::Partner(rule) => Ok(self.judge_partner(rule, at)),
            Requirement::When(rule) => self.judge_when(rule, at),
        }
    }

    fn judge_all(&self, requirements: &'a [Requirement], at: &At<'a>) -> Result<Vec<Judged>, Faults> {
        let mut judged = Vec::with_capacity(requirements.len());
        for requirement in requirements {
            judged.push(self.judge(requirement, at)?);
        }
        Ok(judged)
    }

    fn judge_at_least(&self, rule: &'a AtLeast, at: &At<'a>) -> Result<Judged, Faults> {
        let of = self.judge_all(&rule.of, at)?;
        let met_count = count(of.iter());
        let including = rule.including.as_ref().map(|subset| {
            let items = subset.items.iter().filter_map(|item| of.get(*item as usize));
            SubsetJudged { m: subset.m, met_count: count(items), items: subset.items.clone() }
        });
        let met = met_count >= rule.n && including.as_ref().is_none_or(|subset| subset.met_count >= subset.m);
        Ok(Judged::new(met, Node::AtLeast { n: rule.n, met_count, of, including }))
    }

    fn judge_when(&self, rule: &'a Conditional, at: &At<'a>) -> Result<Judged, Faults> {
        let condition = self.judge(&rule.condition, at)?;
        let applies = condition.met;
        let of = if applies { Some(Box::new(self.judge(&rule.requirement, at)?)) } else { None };
        let met = of.as_ref().is_none_or(|of| of.met);
        Ok(Judged::new(met, Node::When { applies, condition: Box::new(condition), of }))
    }

    fn judge_for_each(&self, rule: &'a ForEach, at: &At<'a>) -> Result<Judged, Faults> {
        let mut groups = Vec::new();
        for group in self.groups(&rule.groups, at)? {
            let mut bindings = at.bindings.as_ref().clone();
            bindings.push((rule.r#as.clone(), group.clone()));
            let bound = At { bindings: Rc::new(bindings), ..at.clone() };
            let mut requirement = self.judge(&rule.requirement, &bound)?;
            name_group(&mut requirement, &group);
            groups.push(GroupJudged { group, requirement });
        }
        let enough = groups.len() >= rule.at_least_groups as usize;
        let met = enough && groups.iter().all(|group| group.requirement.met);
        Ok(Judged::new(met, Node::ForEach { name: rule.r#as.clone(), at_least_groups: rule.at_least_groups, groups }))
    }

    /// The periods of a streak, latest first, each with the date as of which it is judged.
    pub(super) fn streak_periods(&self, rule: &Streak, as_of: Date) -> Vec<(Span, Date)> {
        let year = if rule.fiscal { self.program.fiscal_year } else { FiscalYear::CALENDAR };
        let current = year.start_of(rule.unit, as_of);
        let months = rule.unit.months();
        let first = i32::from(!rule.include_current);
        let count = i32::try_from(rule.periods.min(super::MAX_STREAK)).unwrap_or(0);
        (first..first + count)
            .map(|back| {
                let span = Span::new(current.plus_months(-back * months), current.plus_months((1 - back) * months));
                let until = span.until.min(as_of.next());
                (Span::new(span.from, until), until.plus_days(-1))
            })
            .collect()
    }

    fn judge_streak(&self, rule: &'a Streak, at: &At<'a>) -> Result<Judged, Faults> {
        let mut periods = Vec::new();
        let mut shown: Option<Judged> = None;
        for (period, day) in self.streak_periods(rule, at.as_of) {
            let judged = self.judge(&rule.requirement, &at.on(day))?;
            periods.push(PeriodJudged { period, met: judged.met });
            if shown.as_ref().is_none_or(|shown| shown.met && !judged.met) {
                shown = Some(judged);
            }
        }
        let Some(of) = shown else {
            return Err(Fault::new("EMPTY_STREAK", "streak.periods", "ask for at least one period").into());
        };
        let actual = u32::try_from(periods.iter().filter(|period| period.met).count()).unwrap_or(u32::MAX);
        let required = rule.periods;
        Ok(Judged::new(actual >= required, Node::Streak { required, actual, periods, of: Box::new(of) }))
    }

    /// Judged on every day of the window on which the outcome can change, latest first.
    fn judge_on_any_day(&self, rule: &'a OnAnyDay, at: &At<'a>) -> Result<Judged, Faults> {
        let window = self.window_of(&rule.window, at);
        if let Some(window) = window {
            let mut days = self.changes(&rule.requirement, at, window)?;
            days.insert(window.from);
            for day in days.into_iter().rev() {
                let judged = self.judge(&rule.requirement, &at.on(day))?;
                if judged.met {
                    return Ok(Judged::new(true, Node::OnAnyDay { window: Some(window), day: Some(day), of: Box::new(judged) }));
                }
            }
        }
        let judged = self.judge(&rule.requirement, at)?;
        Ok(Judged::new(false, Node::OnAnyDay { window, day: None, of: Box::new(judged) }))
    }
}

fn count<'j>(judged: impl Iterator<Item = &'j Judged>) -> u32 {
    u32::try_from(judged.filter(|part| part.met).count()).unwrap_or(u32::MAX)
}

/// A label goes to the node that it is put on; where that has one of its own, around it.
fn labelled(judged: Judged, label: &str) -> Judged {
    if judged.label.is_none() {
        return Judged { label: Some(label.to_owned()), ..judged };
    }
    Judged { met: judged.met, label: Some(label.to_owned()), node: Node::AllOf { of: vec![judged] } }
}

/// Writes the group into every leaf under a FOR_EACH.
fn name_group(judged: &mut Judged, group: &str) {
    match &mut judged.node {
        Node::Leaf(leaf) => {
            if leaf.group.is_none() {
                leaf.group = Some(group.to_owned());
            }
        }
        Node::AllOf { of } | Node::AnyOf { of, .. } | Node::AtLeast { of, .. } => of.iter_mut().for_each(|part| name_group(part, group)),
        Node::Not { of } | Node::Shared { of, .. } | Node::Streak { of, .. } | Node::OnAnyDay { of, .. } => name_group(of, group),
        Node::When { of, .. } => of.iter_mut().for_each(|part| name_group(part, group)),
        Node::ForEach { groups, .. } => groups.iter_mut().for_each(|part| name_group(&mut part.requirement, group)),
    }
}
