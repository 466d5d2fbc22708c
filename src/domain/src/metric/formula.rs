//! Formulas: values that follow from other values.

use std::sync::Arc;

use super::evaluator::{At, Evaluator};
use super::{Detail, GateValue, MetricValue, TermValue};
use crate::date::{Date, Span};
use crate::document::metric::{
    Aggregate, DifferenceFormula, Formula, GrowthFormula, GrowthMode, Measure, Metric, Multiplier, Operand, RatioFormula, SumFormula, Term, WithoutHistory,
};
use crate::exact::Exact;
use crate::fault::Faults;
use crate::requirement::partner_has;

/// The days that any of the parts looked at.
fn hull<'v>(parts: impl IntoIterator<Item = &'v MetricValue>) -> (Option<Span>, u64) {
    let (mut window, mut facts): (Option<Span>, u64) = (None, 0);
    for part in parts {
        facts += part.facts;
        window = match (window, part.window) {
            (Some(a), Some(b)) => Some(Span::new(a.from.min(b.from), a.until.max(b.until))),
            (a, b) => a.or(b),
        };
    }
    (window, facts)
}

fn combined(value: Option<Exact>, parts: &[Arc<MetricValue>], detail: Detail) -> MetricValue {
    let (window, facts) = hull(parts.iter().map(Arc::as_ref));
    MetricValue { value, window, facts, detail }
}

impl<'a> Evaluator<'a> {
    pub(super) fn compute_formula(&self, formula: &'a Formula, at: &At<'a>) -> Result<MetricValue, Faults> {
        match formula {
            Formula::Sum(sum) => self.sum(sum, at),
            Formula::Ratio(ratio) => self.ratio(ratio, at),
            Formula::Difference(difference) => self.difference(difference, at),
            Formula::Minimum(operands) => self.extreme(operands, at, |candidate, held| candidate < held),
            Formula::Maximum(operands) => self.extreme(operands, at, |candidate, held| candidate > held),
            Formula::Average(operands) => self.average(operands, at),
            Formula::Growth(growth) => self.growth(growth, at),
            Formula::PercentileRank(rank) => self.ranked(rank, at, |rank, partners| Exact::ratio(rank.into(), partners.into())),
            Formula::Rank(rank) => self.ranked(rank, at, |rank, _| Exact::ratio(rank.into(), 1)),
            Formula::CohortMean(mean) => self.cohort_mean(mean, at),
            Formula::Choice(choice) => {
                let met = self.judge(&choice.when, at)?.met;
                let taken = self.operand(if met { &choice.then } else { &choice.otherwise }, at)?;
                Ok(combined(taken.value.clone(), &[Arc::clone(&taken)], Detail::Choice { met, taken }))
            }
        }
    }

    fn operands(&self, operands: &'a [Operand], at: &At<'a>) -> Result<Vec<Arc<MetricValue>>, Faults> {
        operands.iter().map(|operand| self.operand(operand, at)).collect()
    }

    fn sum(&self, formula: &'a SumFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let mut terms = Vec::with_capacity(formula.terms.len());
        let mut parts = Vec::with_capacity(formula.terms.len());
        let mut total = Some(Exact::ZERO);
        for term in &formula.terms {
            let part = self.operand(&term.value, at)?;
            let value = self.term(term, &part, at)?;
            let counts = part.value.is_some() || term.no_data_is_zero;
            total = if counts { total.map(|total| total.add(&value.points)).transpose()? } else { None };
            terms.push(value);
            parts.push(part);
        }
        let bounded = |total: Exact| {
            let capped = formula.cap.clone().map_or(total.clone(), |cap| total.min(cap.0));
            formula.floor.clone().map_or(capped.clone(), |floor| capped.max(floor.0))
        };
        let detail = Detail::Sum { terms, total: total.clone().unwrap_or(Exact::ZERO) };
        Ok(combined(total.map(bounded), &parts, detail))
    }

    /// value / per x points x factors, then cap, then floor; nothing at all while a gate is shut, or without data that counts.
    fn term(&self, term: &'a Term, part: &Arc<MetricValue>, at: &At<'a>) -> Result<TermValue, Faults> {
        let gates = self.gates(term, at)?;
        let factor = self.factor(&term.multipliers, at)?;
        let zero = Exact::ZERO;
        let earned = term_points(term, part.value.as_ref().unwrap_or(&zero), &factor)?;
        let of = Some(part).filter(|_| matches!(&term.value, Operand::Formula(formula) if matches!(formula.as_ref(), Formula::Sum(_))));
        // The limits of a sum that is written in place are limits of its term.
        let before_limits = match of.map(|inner| &inner.detail) {
            Some(Detail::Sum { total, .. }) => term_points(term, total, &factor)?,
            _ => earned.clone(),
        };
        let capped = term.cap.as_ref().map_or(&earned, |cap| (&earned).min(&cap.0));
        let limited = term.floor.as_ref().map_or(capped, |floor| capped.max(&floor.0));
        let counts = part.value.is_some() || term.no_data_is_zero;
        let open = counts && gates.iter().all(|gate| gate.open);
        Ok(TermValue {
            label: term.label.clone().unwrap_or_else(|| operand_name(&term.value).to_owned()),
            value: part.value.clone(),
            points: if open { limited.clone() } else { Exact::ZERO },
            factor,
            capped: counts && (*capped < earned || earned < before_limits),
            floored: counts && (limited > capped || earned > before_limits),
            gates,
            of: of.map(Arc::clone),
            before_limits,
        })
    }

    fn gates(&self, term: &'a Term, at: &At<'a>) -> Result<Vec<GateValue>, Faults> {
        let judge = |gate: &'a crate::document::metric::Gate| {
            let actual = self.operand(&gate.value, at)?.value.clone();
            let open = actual.as_ref().is_some_and(|actual| *actual >= gate.at_least.value);
            Ok(GateValue { required: gate.at_least.value.clone(), actual, open })
        };
        term.gates.iter().map(judge).collect()
    }

    fn factor(&self, multipliers: &[Multiplier], at: &At<'a>) -> Result<Exact, Faults> {
        let mut factor = Exact::ONE;
        for multiplier in multipliers.iter().filter(|multiplier| self.multiplies(multiplier, at)) {
            factor = factor.mul(&multiplier.factor.0)?;
        }
        Ok(factor)
    }

    fn multiplies(&self, multiplier: &Multiplier, at: &At<'a>) -> bool {
        let geography = &self.program.geography;
        let region = at.standing_region();
        let partner_type = at.partner.profile(at.as_of).and_then(|profile| profile.partner_type.as_ref());
        let in_region = multiplier.region.as_ref().is_none_or(|wanted| region.is_some_and(|own| geography.regions.is_under(own, wanted)));
        let in_group = multiplier.region_group.as_ref().is_none_or(|wanted| region.is_some_and(|own| geography.in_group(own, wanted)));
        let of_type = multiplier.partner_types.is_empty() || partner_type.is_some_and(|own| multiplier.partner_types.contains(own));
        let has = multiplier.attribute.as_ref().is_none_or(|attribute| partner_has(at, attribute, multiplier.equals.as_ref()));
        in_region && in_group && of_type && has
    }

    fn ratio(&self, formula: &'a RatioFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let numerator = self.operand(&formula.numerator, at)?;
        let denominator = self.operand(&formula.denominator, at)?;
        let value = match (numerator.value.clone(), denominator.value.clone()) {
            (Some(upper), Some(lower)) => upper.div(&lower)?,
            _ => None,
        };
        let parts = [Arc::clone(&numerator), Arc::clone(&denominator)];
        let counted = self.is_counted(&formula.numerator);
        Ok(combined(value, &parts, Detail::Ratio { numerator, denominator, counted }))
    }

    /// Whether an operand is a number of things, so that only whole ones can be added.
    fn is_counted(&self, operand: &Operand) -> bool {
        let counts = |measure: &Measure| matches!(measure.aggregate, Aggregate::Count | Aggregate::Distinct);
        let whole = |formula: &Formula| match formula {
            Formula::Minimum(of) | Formula::Maximum(of) => of.iter().all(|operand| self.is_counted(operand)),
            Formula::Difference(of) => self.is_counted(&of.from) && self.is_counted(&of.subtract),
            Formula::Rank(_) => true,
            _ => false,
        };
        match operand {
            Operand::Metric(key) => match self.program.metric(key) {
                Some(Metric { measure: Some(measure), .. }) => counts(measure),
                Some(Metric { formula: Some(formula), .. }) => whole(formula),
                _ => false,
            },
            Operand::Measure(measure) => counts(measure),
            Operand::Formula(formula) => whole(formula),
            Operand::Constant(number) => number.0.is_whole(),
        }
    }

    fn difference(&self, formula: &'a DifferenceFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let from = self.operand(&formula.from, at)?;
        let subtract = self.operand(&formula.subtract, at)?;
        let value = match (from.value.clone(), subtract.value.clone()) {
            (Some(from), Some(subtract)) => Some(from.sub(&subtract)?),
            _ => None,
        };
        let parts = [Arc::clone(&from), Arc::clone(&subtract)];
        Ok(combined(value, &parts, Detail::Difference { from, subtract }))
    }

    fn extreme(&self, operands: &'a [Operand], at: &At<'a>, better: impl Fn(&Exact, &Exact) -> bool) -> Result<MetricValue, Faults> {
        let values = self.operands(operands, at)?;
        let mut best: Option<(usize, Exact)> = None;
        for (index, part) in values.iter().enumerate() {
            if let Some(value) = &part.value
                && best.as_ref().is_none_or(|(_, held)| better(value, held))
            {
                best = Some((index, value.clone()));
            }
        }
        let detail = Detail::OneOf { values: values.clone(), chosen: best.as_ref().map(|(index, _)| *index) };
        Ok(combined(best.map(|(_, value)| value), &values, detail))
    }

    fn average(&self, operands: &'a [Operand], at: &At<'a>) -> Result<MetricValue, Faults> {
        let values = self.operands(operands, at)?;
        let known: Option<Vec<Exact>> = values.iter().map(|part| part.value.clone()).collect();
        let value = known.map(|known| super::aggregate::average(&known)).transpose()?.flatten();
        Ok(combined(value, &values, Detail::OneOf { values: values.clone(), chosen: None }))
    }

    /// Now against then; a value then that is missing or zero is no base, and the rule's policy says what follows. In percent
    /// a negative one is none either: a fraction of it would turn its sign.
    fn growth(&self, formula: &'a GrowthFormula, at: &At<'a>) -> Result<MetricValue, Faults> {
        let months = i32::try_from(formula.months_earlier).unwrap_or(i32::MAX);
        let now = self.operand(&formula.of, at)?;
        let then = self.operand(&formula.of, &at.on(months_earlier(at.as_of, months)))?;
        let base = then.value.clone().filter(|value| if formula.mode == GrowthMode::Absolute { !value.is_zero() } else { value.is_positive() });
        let value = match (now.value.clone(), base) {
            (None, _) => None,
            (Some(now), Some(base)) => {
                let difference = now.sub(&base)?;
                if formula.mode == GrowthMode::Absolute { Some(difference) } else { difference.div(&base)? }
            }
            (Some(now), None) => match (formula.without_history, formula.mode) {
                (WithoutHistory::NoData, _) => None,
                (WithoutHistory::Zero, _) => Some(Exact::ZERO),
                (WithoutHistory::Full, GrowthMode::Absolute) => Some(now),
                (WithoutHistory::Full, GrowthMode::Percent) => Some(if now.is_positive() { Exact::ONE } else { Exact::ZERO }),
            },
        };
        let facts = now.facts + then.facts;
        Ok(MetricValue { value, window: now.window, facts, detail: Detail::Growth { now, then } })
    }
}

/// value / per x points x factors.
pub(crate) fn term_points(term: &Term, value: &Exact, factor: &Exact) -> Result<Exact, Faults> {
    let units = match &term.per {
        Some(per) => value.div(&per.value)?.unwrap_or(Exact::ZERO),
        None => value.clone(),
    };
    let units = if term.whole_units { units.floor() } else { units };
    Ok(units.mul(term.points.as_ref().map_or(&Exact::ONE, |points| &points.0))?.mul(factor)?)
}

/// The date whose end lies so many months before the end of `as_of`, so that windows of that length meet without a gap.
pub(crate) fn months_earlier(as_of: Date, months: i32) -> Date {
    as_of.next().plus_months(-months).plus_days(-1)
}

/// What an operand is called by when it has no label.
pub(crate) const fn operand_name(operand: &Operand) -> &str {
    match operand {
        Operand::Metric(key) => key.as_str(),
        Operand::Measure(_) => IN_PLACE[0],
        Operand::Formula(_) => IN_PLACE[1],
        Operand::Constant(_) => IN_PLACE[2],
    }
}

/// What values that are written in place go by.
const IN_PLACE: [&str; 3] = ["measure", "formula", "constant"];

/// Whether a name is that of a value that is written in place.
pub(crate) fn is_operand_name(name: &str) -> bool {
    IN_PLACE.contains(&name)
}
