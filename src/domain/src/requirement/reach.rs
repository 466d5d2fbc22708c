//! How much of what it takes for a value to reach a bound.
//!
//! The principle: adding exactly what is told reaches the bound, and less does not. A figure of days that are over cannot change any more. A
//! maximum is reached by any one operand that can still grow, a minimum by all that are short; towards an upper limit it is the other way
//! round. What is told of a formula is in the formula's unit. Where an amount cannot be told truly, none is told.

mod facts;
mod room;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Compares;
use crate::date::Date;
use crate::document::metric::{ChoiceFormula, DifferenceFormula, Formula, Measure, Metric, Operand, SumFormula};
use crate::document::requirement::Comparison;
use crate::exact::{Exact, Overflow};
use crate::fault::Faults;
use crate::metric::{At, Detail, Evaluator, MetricValue, TermValue, operand_name};

/// What it takes for a condition to reach its bound, where that is not simply the difference, and whether its figure can change at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Whether all days that the figure looks at are over, so that no fact changes it.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Whether nothing that can still happen reaches the bound.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// How much is missing; none where it cannot be told truly, and where nothing is missing.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Exact>,
    /// Of which figures.
    #[serde(rename = "of", default, skip_serializing_if = "Spread::is_whole")]
    pub spread: Spread,
}

/// Which figures an amount is asked of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Spread {
    /// The value itself.
    #[default]
    Whole,
    /// One of these, or several together.
    AnyOf(Vec<String>),
    /// Each of these, by so much.
    Each(Vec<(String, Exact)>),
}

impl Spread {
    const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// What it takes to reach a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// So much more; of an upper limit so much less.
    Amount(Exact, Spread),
    /// It can be reached, but by how much cannot be told as one amount.
    Untold(Spread),
    /// Nothing that can still happen reaches it.
    Closed,
}

/// A bound, seen from the figures.
#[derive(Clone)]
pub(super) struct Goal {
    bound: Exact,
    /// Whether figures must come up to it, or down.
    up: bool,
    /// Whether it must be passed.
    strict: bool,
    /// The smallest amount that can be added, where there is one.
    step: Option<Exact>,
}

impl Goal {
    /// What a comparison asks; `actual` says from which side an exact figure is approached.
    pub(super) fn new(compares: Compares, bound: &Exact, step: Option<Exact>, actual: Option<&Exact>) -> Self {
        let up = match compares {
            Compares::AtLeast | Compares::Above => true,
            Compares::AtMost | Compares::Below => false,
            Compares::Equals => actual.is_none_or(|actual| actual < bound),
        };
        Self { bound: bound.clone(), up, strict: matches!(compares, Compares::Above | Compares::Below), step }
    }

    fn is_reached(&self, value: &Exact) -> bool {
        match (self.up, self.strict) {
            (true, false) => *value >= self.bound,
            (true, true) => *value > self.bound,
            (false, false) => *value <= self.bound,
            (false, true) => *value < self.bound,
        }
    }

    /// What a figure lacks, or has too much. What must be passed takes a step more.
    pub(super) fn lacks(&self, value: &Exact) -> Result<Exact, Overflow> {
        let distance = if self.up { self.bound.sub(value)? } else { value.sub(&self.bound)? };
        match (&self.step, self.strict) {
            (Some(step), true) => distance.div(step)?.unwrap_or(Exact::ZERO).floor().add(&Exact::ONE)?.mul(step),
            _ => Ok(distance),
        }
    }
}

/// What a value follows from.
#[derive(Clone, Copy)]
enum Rule<'a> {
    Measure(&'a Measure),
    Formula(&'a Formula),
    Constant,
}

/// A value with what it follows from.
#[derive(Clone)]
struct Seen<'a> {
    rule: Rule<'a>,
    name: &'a str,
    value: Arc<MetricValue>,
}

impl Seen<'_> {
    /// Whether what is missing is the difference to the bound, by what the value follows from.
    const fn lacks_the_difference(&self) -> bool {
        match self.rule {
            Rule::Measure(_) => true,
            Rule::Formula(formula) => {
                !matches!(formula, Formula::Maximum(_) | Formula::Minimum(_) | Formula::Sum(_) | Formula::Difference(_) | Formula::Choice(_))
            }
            Rule::Constant => false,
        }
    }

    /// Whether the figures of other partners decide it too.
    const fn is_of_cohort(&self) -> bool {
        matches!(self.rule, Rule::Formula(Formula::PercentileRank(_) | Formula::Rank(_) | Formula::CohortMean(_)))
    }
}

/// Values of a partner on a date, seen on the day from which facts can still count.
struct Reaching<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    at: &'e At<'a>,
    day: Date,
}

impl<'a> Evaluator<'a> {
    /// What it takes for the value of a comparison to reach its bound, where that is more than the difference, and whether its figure can
    /// change at all.
    pub(super) fn reached(
        &self,
        (rule, metric): (&'a Comparison, Option<&'a Metric>),
        value: &Arc<MetricValue>,
        goal: Option<&Goal>,
        at: &At<'a>,
    ) -> Result<Option<Box<Reached>>, Faults> {
        let reaching = Reaching { evaluator: self, at, day: self.first_open_day(at) };
        let known = match (metric, &rule.value) {
            (Some(metric), _) => rule_of(metric),
            (None, Some(Operand::Metric(key))) => self.program.metric(key).and_then(rule_of),
            (None, Some(Operand::Measure(measure))) => Some(Rule::Measure(measure)),
            (None, Some(Operand::Formula(formula))) => Some(Rule::Formula(formula)),
            (None, _) => None,
        };
        let Some(rule) = known else { return Ok(None) };
        let seen = Seen { rule, name: "", value: Arc::clone(value) };
        let settled = reaching.is_settled(&seen);
        if !settled && seen.lacks_the_difference() {
            return Ok(None);
        }
        let plain = goal.map_or(Ok(Reach::Closed), |goal| plain(&seen.value, goal))?;
        let reach = match goal {
            Some(goal) => reaching.reach(&seen, goal)?,
            None => Reach::Closed,
        };
        if !settled && reach == plain {
            return Ok(None);
        }
        let closed = reach == Reach::Closed && goal.is_some();
        let (missing, spread) = match (reach, plain) {
            (Reach::Amount(amount, spread), _) => (Some(amount), spread),
            (Reach::Untold(spread), _) => (None, spread),
            // What figures that are over lacked is a fact all the same.
            (Reach::Closed, Reach::Amount(amount, _)) if settled => (Some(amount), Spread::Whole),
            (Reach::Closed, _) => (None, Spread::Whole),
        };
        Ok(Some(Box::new(Reached { settled, closed, missing, spread })))
    }

    /// The first day on which what happens can still count as of a date, by what is known.
    pub(super) fn first_open_day(&self, at: &At<'a>) -> Date {
        self.known_until.min(at.as_of)
    }
}

impl<'a> Reaching<'_, 'a> {
    fn metric(&self, metric: &'a Metric) -> Result<Option<Seen<'a>>, Faults> {
        let name = metric.name.as_deref().unwrap_or(&metric.key);
        rule_of(metric).map(|rule| Ok(Seen { rule, name, value: self.evaluator.value_of(metric, self.at)? })).transpose()
    }

    fn operand(&self, operand: &'a Operand) -> Result<Seen<'a>, Faults> {
        if let Operand::Metric(key) = operand
            && let Some(metric) = self.evaluator.program.metric(key)
            && let Some(seen) = self.metric(metric)?
        {
            return Ok(seen);
        }
        let rule = match operand {
            Operand::Measure(measure) => Rule::Measure(measure),
            Operand::Formula(formula) => Rule::Formula(formula),
            Operand::Metric(_) | Operand::Constant(_) => Rule::Constant,
        };
        Ok(Seen { rule, name: operand_name(operand), value: self.evaluator.operand(operand, self.at)? })
    }

    fn operands(&self, of: &'a [Operand]) -> Result<Vec<Seen<'a>>, Faults> {
        of.iter().map(|operand| self.operand(operand)).collect()
    }

    /// Whether all days that a value looks at are over, so that no fact can change it.
    fn is_settled(&self, seen: &Seen<'a>) -> bool {
        match seen.rule {
            Rule::Constant => true,
            // Others move, and with them the rank and the mean.
            _ if seen.is_of_cohort() => false,
            Rule::Measure(_) | Rule::Formula(_) => seen.value.window.is_some_and(|window| window.until <= self.day),
        }
    }

    /// What it takes for a value, which does not reach `goal`, to reach it.
    fn reach(&self, seen: &Seen<'a>, goal: &Goal) -> Result<Reach, Faults> {
        let value = &seen.value;
        match (seen.rule, &value.detail) {
            _ if self.is_settled(seen) => Ok(Reach::Closed),
            (Rule::Formula(Formula::Maximum(of)), _) => self.reach_extreme(&self.operands(of)?, goal, goal.up),
            (Rule::Formula(Formula::Minimum(of)), _) => self.reach_extreme(&self.operands(of)?, goal, !goal.up),
            (Rule::Formula(Formula::Sum(sum)), Detail::Sum { terms, total }) if value.value.is_some() => self.reach_sum(sum, terms, total, goal),
            (Rule::Formula(Formula::Difference(of)), _) if goal.up => self.reach_difference(of, value, goal),
            (Rule::Formula(Formula::Choice(choice)), Detail::Choice { met, .. }) => self.reach_choice(choice, *met, goal),
            _ => plain(value, goal).map_err(Faults::from),
        }
    }

    /// Of a maximum or minimum: by `any` one operand, or by every one that is short.
    fn reach_extreme(&self, of: &[Seen<'a>], goal: &Goal, any: bool) -> Result<Reach, Faults> {
        let nothing_known = of.iter().all(|seen| seen.value.value.is_none());
        if any || nothing_known { self.reach_any(of, goal) } else { self.reach_every(of, goal) }
    }

    /// The cheapest operand that can still reach it. Without days there is nothing to add to.
    fn reach_any(&self, of: &[Seen<'a>], goal: &Goal) -> Result<Reach, Faults> {
        let mut best: Option<(Exact, Spread)> = None;
        for seen in of.iter().filter(|seen| seen.value.window.is_some()) {
            match self.reach(seen, goal)? {
                Reach::Closed => {}
                untold @ Reach::Untold(_) => return Ok(untold),
                Reach::Amount(amount, spread) if best.as_ref().is_none_or(|(held, _)| amount < *held) => {
                    best = Some((amount, if spread == Spread::Whole { Spread::AnyOf(vec![seen.name.to_owned()]) } else { spread }));
                }
                Reach::Amount(..) => {}
            }
        }
        Ok(best.map_or(Reach::Closed, |(amount, spread)| Reach::Amount(amount, spread)))
    }

    /// All operands that do not reach it; those without data are passed over.
    fn reach_every(&self, of: &[Seen<'a>], goal: &Goal) -> Result<Reach, Faults> {
        let is_short = |seen: &&Seen<'a>| seen.value.value.as_ref().is_some_and(|value| !goal.is_reached(value));
        let short: Vec<&Seen<'a>> = of.iter().filter(is_short).collect();
        let (mut sum, mut each, mut told) = (Exact::ZERO, Vec::new(), true);
        for seen in &short {
            match self.reach(seen, goal)? {
                Reach::Closed => return Ok(Reach::Closed),
                Reach::Untold(_) => told = false,
                Reach::Amount(amount, spread) => {
                    sum = sum.add(&amount)?;
                    match spread {
                        Spread::Each(inner) => each.extend(inner),
                        _ => each.push((seen.name.to_owned(), amount)),
                    }
                }
            }
        }
        // One fact that counts in two of them would be asked for twice.
        let apart = short.iter().enumerate().all(|(at, one)| short.iter().skip(at + 1).all(|other| self.are_apart(one, other)));
        let spread = Spread::Each(each);
        Ok(if told && apart { Reach::Amount(sum, spread) } else { Reach::Untold(spread) })
    }

    /// A sum grows by the terms that can grow, before its own cap and floor.
    fn reach_sum(&self, sum: &'a SumFormula, terms: &[TermValue], total: &Exact, goal: &Goal) -> Result<Reach, Faults> {
        let limit = if goal.up { sum.cap.as_ref() } else { sum.floor.as_ref() };
        if limit.is_some_and(|limit| !goal.is_reached(&limit.0)) {
            return Ok(Reach::Closed);
        }
        let amount = goal.lacks(total)?;
        if !goal.up {
            return Ok(Reach::Amount(amount, Spread::Whole));
        }
        let room = self.room_of_terms(sum, terms)?;
        Ok(match room.sure {
            Some(sure) if sure < amount && room.more => Reach::Untold(Spread::Whole),
            Some(sure) if sure < amount => Reach::Closed,
            _ if room.growing.len() < terms.len() => Reach::Amount(amount, Spread::AnyOf(room.growing)),
            _ => Reach::Amount(amount, Spread::Whole),
        })
    }

    /// Upwards by the figure from which is taken; where that cannot grow, only less that is taken does.
    fn reach_difference(&self, of: &'a DifferenceFormula, value: &MetricValue, goal: &Goal) -> Result<Reach, Faults> {
        let (from, subtract) = (self.operand(&of.from)?, self.operand(&of.subtract)?);
        let Some(taken) = subtract.value.value.as_ref().filter(|_| from.value.value.is_some()) else { return Ok(plain(value, goal)?) };
        let of_from = self.reach(&from, &Goal { bound: goal.bound.add(taken)?, ..goal.clone() })?;
        // What is added moves the mean of the cohort too.
        if subtract.is_of_cohort() && of_from != Reach::Closed {
            return Ok(Reach::Untold(Spread::Whole));
        }
        Ok(if of_from == Reach::Closed && !self.is_settled(&subtract) { Reach::Untold(Spread::Whole) } else { of_from })
    }

    /// The value that is taken, unless what is added may change which one is taken.
    fn reach_choice(&self, choice: &'a ChoiceFormula, met: bool, goal: &Goal) -> Result<Reach, Faults> {
        let taken = self.operand(if met { &choice.then } else { &choice.otherwise })?;
        Ok(if self.decides(&choice.when, &taken) { Reach::Untold(Spread::Whole) } else { self.reach(&taken, goal)? })
    }
}

fn rule_of(metric: &Metric) -> Option<Rule<'_>> {
    metric.measure.as_ref().map(Rule::Measure).or_else(|| metric.formula.as_ref().map(Rule::Formula))
}

/// What a figure itself lacks. Without data everything is missing; of an upper limit nobody can tell.
fn plain(value: &MetricValue, goal: &Goal) -> Result<Reach, Overflow> {
    match &value.value {
        Some(value) => Ok(Reach::Amount(goal.lacks(value)?, Spread::Whole)),
        None if goal.up => Ok(Reach::Amount(goal.bound.abs(), Spread::Whole)),
        None => Ok(Reach::Untold(Spread::Whole)),
    }
}
