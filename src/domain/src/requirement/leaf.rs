//! Leaves: one condition with what is required, what there is and what is missing.

use std::sync::Arc;

use super::reach::Goal;
use super::{Compares, Judged, Leaf, LeafKind, LeafWords, Node, RatioGap, Unmet, partner_has};
use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::metric::{Aggregate, Formula, Measure, Metric, Operand, Source, Unit};
use crate::document::requirement::{Comparison, ContractHeld, HoldingPresent, LaddersHeld, PartnerIs, Tenure, Threshold, TierHeld, TierState};
use crate::document::scoped::{Scalar, Scoped};
use crate::exact::{Exact, Overflow};
use crate::facts::{ContractStatus, Enrollment};
use crate::fault::{Fault, Faults};
use crate::filter::{Fact, FactView, known_span};
use crate::metric::{At, Detail, Evaluator, MetricValue};
use crate::money::Currency;
use crate::program::Program;
use crate::region::Standpoint;

/// A shared leaf, as the leaf.
pub(super) fn shared<S: serde::Serializer>(leaf: &Arc<Leaf>, serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(leaf.as_ref(), serializer)
}

impl LeafWords {
    /// A count of which so many are asked for, with nothing but a key.
    pub(crate) const fn new(kind: LeafKind, key: String) -> Self {
        Self {
            kind,
            key,
            label: None,
            subject: None,
            compares: Compares::AtLeast,
            unit: Unit::Count,
            currency: None,
            noun: None,
            named_by_noun: false,
            ladder: None,
            ratio_of: [None; 2],
            filtered: false,
        }
    }

    /// The smallest amount that can be added to a figure, where there is one: a unit of the currency, one of what is counted.
    fn step(&self, actual: Option<&Exact>) -> Option<Exact> {
        match (self.unit, self.currency) {
            (Unit::Money, Some(currency)) => Some(Exact::scaled(1, currency.decimals())),
            (Unit::Count, _) if actual.is_some_and(Exact::is_whole) => Some(Exact::ONE),
            _ => None,
        }
    }

    /// The bound of a comparison.
    fn goal(&self, required: &Exact, actual: Option<&Exact>) -> Goal {
        // Only what must be passed takes a step more.
        let step = matches!(self.compares, Compares::Above | Compares::Below).then(|| self.step(actual)).flatten();
        Goal::new(self.compares, required, step, actual)
    }
}

impl Leaf {
    /// A condition without figures.
    pub(crate) fn yes_or_no(words: impl Into<Arc<LeafWords>>, met: bool) -> Self {
        Self {
            words: words.into(),
            required: Some(Exact::ONE),
            actual: Some(if met { Exact::ONE } else { Exact::ZERO }),
            missing: (!met).then_some(Exact::ONE),
            reason: None,
            ratio: None,
            window: None,
            facts: 0,
            met_on: None,
            value: None,
            group: None,
            group_name: None,
            reached: None,
        }
    }

    /// Puts on again what its rule and the version say: words, unit, how it compares, what is missing. Kept standings leave it out.
    pub(crate) fn dress(&mut self, program: &Program, rule: Option<&crate::document::requirement::Requirement>) {
        use crate::document::requirement::Requirement;
        let required = self.required.clone();
        let words = Arc::make_mut(&mut self.words);
        match rule {
            Some(Requirement::Metric(rule)) => {
                let metric = rule.metric.as_deref().and_then(|key| program.metric(key));
                words.label.clone_from(&rule.label);
                words.subject = metric.and_then(|metric| metric.name.clone());
                words.noun = metric.and_then(noun_of);
                words.named_by_noun = metric.is_some_and(|metric| is_named_by_noun(program, metric));
                let (compares, scoped) = comparison(rule).map_or((Compares::AtLeast, None), |(compares, scoped)| (compares, Some(scoped)));
                let is_it = |value: &Threshold| value.percent && Some(value.value.clone()) == required;
                let percent = scoped.is_some_and(|scoped| scoped.default.iter().chain(scoped.rows.iter().map(|row| &row.value)).any(is_it));
                words.compares = compares;
                words.unit = unit_of(metric, rule, percent);
                words.currency = (words.unit == Unit::Money).then(|| program.currency());
                words.ratio_of = currencies_of_ratio(program, metric, rule.value.as_ref());
            }
            Some(Requirement::Tier(rule)) => {
                let ladder = program.ladder(Some(&rule.ladder));
                words.noun = ladder.and_then(|ladder| tier_name(ladder, &rule.tier));
                words.ladder = ladder.and_then(|ladder| ladder.name.clone());
            }
            Some(Requirement::Holding(rule)) => {
                words.label.clone_from(&rule.label);
                words.filtered = rule.filter.is_some();
            }
            _ if words.kind == LeafKind::Contract => words.noun = words.subject.as_deref().and_then(|template| program.contract_template_name(template)),
            // Another requirement asked, that of the home region for example: the metric's own words hold all the same.
            None if words.kind == LeafKind::Metric => {
                if let Some(metric) = program.metric(&words.key) {
                    (words.subject, words.noun, words.unit) = (metric.name.clone(), noun_of(metric), metric.unit);
                    words.named_by_noun = is_named_by_noun(program, metric);
                    words.currency = (words.unit == Unit::Money).then(|| program.currency());
                    words.ratio_of = currencies_of_ratio(program, Some(metric), None);
                }
            }
            _ => {}
        }
        if words.kind == LeafKind::Tenure {
            (words.unit, words.noun) = (Unit::Duration, Some("month".to_owned()));
        }
        self.compute_missing();
        if let Some(Requirement::Tier(rule)) = rule
            && !self.met()
            && is_of_holders(program, rule)
        {
            self.reason = Some(Unmet::Closed);
        }
        if let (Some(Requirement::Tenure(rule)), false) = (rule, self.met()) {
            let months = i32::try_from(rule.months).unwrap_or(i32::MAX);
            self.met_on = self.window.map(|served| served.from.plus_months(months));
        }
    }

    /// What is missing, and why there is nothing to compare, by the figures.
    fn compute_missing(&mut self) {
        let plain = |required| missing(&self.words, required, self.actual.as_ref()).ok().flatten();
        self.missing = match &self.reached {
            Some(reached) => reached.missing.clone(),
            None => self.required.as_ref().and_then(plain),
        };
        self.reason = match (&self.required, &self.actual) {
            (None, _) => Some(Unmet::NoThreshold),
            _ if self.reached.as_ref().is_some_and(|reached| reached.closed) => Some(Unmet::Closed),
            (_, None) => Some(Unmet::NoData),
            // Time is counted from the day of enrollment or of the tier; without one there is no window.
            _ if self.kind == LeafKind::Tenure && self.window.is_none() => Some(Unmet::NotEnrolled),
            _ => None,
        };
        self.ratio = match (&self.value, self.required.clone(), self.compares) {
            (Some(value), Some(required), Compares::AtLeast | Compares::Above) => ratio_gap(value, &required, &self.words).ok().flatten().map(Box::new),
            _ => None,
        };
    }

    pub(crate) fn judged(self) -> Judged {
        let label = self.label.clone();
        Judged { met: self.met(), label, node: Node::Leaf(Arc::new(self)) }
    }
}

/// The comparison that is given, with its thresholds.
fn comparison(rule: &Comparison) -> Option<(Compares, &Scoped<Threshold>)> {
    let given = [
        (Compares::AtLeast, &rule.at_least),
        (Compares::Above, &rule.above),
        (Compares::AtMost, &rule.at_most),
        (Compares::Below, &rule.below),
        (Compares::Equals, &rule.equals),
    ];
    given.into_iter().find_map(|(compares, scoped)| scoped.as_ref().map(|scoped| (compares, scoped)))
}

fn empty_comparison() -> Faults {
    Fault::new("EMPTY_COMPARISON", "atLeast", "give exactly one of atLeast, above, atMost, below, equals").into()
}

/// What is missing between `actual` and `required`; of an upper limit what is too much.
fn missing(words: &LeafWords, required: &Exact, actual: Option<&Exact>) -> Result<Option<Exact>, Overflow> {
    let Some(actual) = actual else {
        return Ok(match words.compares {
            Compares::AtLeast | Compares::Above => Some(required.clone()),
            Compares::Equals => Some(required.abs()),
            Compares::AtMost | Compares::Below => None,
        });
    };
    if words.compares.holds(actual, required) {
        return Ok(None);
    }
    words.goal(required, Some(actual)).lacks(actual).map(Some)
}

/// What a ratio or a share lacks, seen from its upper figure.
fn ratio_gap(value: &MetricValue, required: &Exact, words: &LeafWords) -> Result<Option<RatioGap>, Overflow> {
    let (numerator, denominator, counted) = match &value.detail {
        Detail::Share { part, whole, counted } => (part.clone(), whole.clone(), *counted),
        Detail::Ratio { numerator, denominator, counted } => match (numerator.value.clone(), denominator.value.clone()) {
            (Some(upper), Some(lower)) => (upper, lower, *counted),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let above = words.compares == Compares::Above;
    let unit = if counted { Some(Exact::ONE) } else { words.ratio_of[0].map(|currency| Exact::scaled(1, currency.decimals())) };
    // More than so many of what is counted is one more, also of those that are just enough; of an amount it is a unit more.
    let step = |value: Exact| match (&unit, above) {
        (Some(unit), true) => value.div(unit)?.unwrap_or(Exact::ZERO).floor().add(&Exact::ONE)?.mul(unit),
        (_, false) if counted => Ok(value.ceil()),
        _ => Ok(value),
    };
    let lacking = required.mul(&denominator)?.sub(&numerator)?;
    let is_met = if above && unit.is_some() { lacking.is_negative() } else { !lacking.is_positive() };
    if is_met {
        return Ok(None);
    }
    let rest = Exact::ONE.sub(required)?;
    let missing_if_added = if rest.is_positive() { lacking.div(&rest)?.map(step).transpose()? } else { None };
    Ok(Some(RatioGap { numerator, denominator, missing_numerator: step(lacking)?, missing_if_added }))
}

fn unit_of_measure(measure: &Measure) -> Unit {
    match measure.aggregate {
        Aggregate::Share => Unit::Percent,
        Aggregate::Count | Aggregate::Distinct | Aggregate::NetAdditions => Unit::Count,
        _ if is_of_amounts(measure) => Unit::Money,
        _ => Unit::Score,
    }
}

/// Whether the figures of the facts are amounts of money.
fn is_of_amounts(measure: &Measure) -> bool {
    let amount =
        matches!((measure.source, measure.of.as_deref()), (Source::Transactions, None | Some("amount")) | (Source::Deals, None | Some("value" | "amount")));
    amount && measure.unit_table.is_none()
}

/// The currencies of the upper and the lower figure of a ratio or share: of a metric, or of a value that is written in place.
fn currencies_of_ratio(program: &Program, metric: Option<&Metric>, value: Option<&Operand>) -> [Option<Currency>; 2] {
    let (measure, formula) = match (metric, value) {
        (Some(metric), _) => (metric.measure.as_ref(), metric.formula.as_ref()),
        (None, Some(Operand::Measure(measure))) => (Some(measure.as_ref()), None),
        (None, Some(Operand::Formula(formula))) => (None, Some(formula.as_ref())),
        _ => (None, None),
    };
    let of_amounts = match (measure, formula) {
        // Without a field, deals and groups are counted.
        (Some(measure), _) if measure.aggregate == Aggregate::Share => {
            let summed = measure.of.is_some() || (measure.source == Source::Transactions && measure.group_by.is_empty());
            [summed && is_of_amounts(measure); 2]
        }
        (None, Some(Formula::Ratio(ratio))) => [&ratio.numerator, &ratio.denominator].map(|operand| is_money(program, operand)),
        _ => [false; 2],
    };
    of_amounts.map(|is_amount| is_amount.then(|| program.currency()))
}

/// Whether a value inside a rule is an amount of money.
fn is_money(program: &Program, operand: &Operand) -> bool {
    match operand {
        Operand::Metric(key) => program.metric(key).is_some_and(|metric| metric.unit == Unit::Money),
        operand => unit_in_place(operand, false) == Unit::Money,
    }
}

/// The unit of a value that is written in place.
fn unit_in_place(operand: &Operand, percent: bool) -> Unit {
    match operand {
        _ if percent => Unit::Percent,
        Operand::Measure(measure) => unit_of_measure(measure),
        Operand::Formula(formula) => match formula.as_ref() {
            Formula::PercentileRank(_) => Unit::Percent,
            Formula::Rank(_) => Unit::Count,
            Formula::Sum(_) => Unit::Points,
            _ => Unit::Score,
        },
        _ => Unit::Score,
    }
}

/// The unit of a comparison: that of its metric, or of the value that is written in place.
fn unit_of(metric: Option<&Metric>, rule: &Comparison, percent: bool) -> Unit {
    match (metric, &rule.value) {
        (Some(metric), _) => metric.unit,
        (None, Some(operand)) => unit_in_place(operand, percent),
        (None, None) => Unit::Score,
    }
}

/// What a comparison compares, and its words: looked up once per rule.
#[derive(Clone)]
pub(crate) struct KnownComparison<'a> {
    metric: Option<&'a Metric>,
    words: Arc<LeafWords>,
}

impl<'a> Evaluator<'a> {
    fn known_comparison(&self, rule: &'a Comparison, compares: Compares, percent: bool) -> Result<KnownComparison<'a>, Faults> {
        let place = (std::ptr::from_ref(rule).addr(), percent);
        if let Some(known) = self.comparisons.borrow().get(&place) {
            return Ok(known.clone());
        }
        let unknown = |key: &str| Fault::new("UNKNOWN_METRIC", key, "the program has no metric of this key");
        let metric = rule.metric.as_deref().map(|key| self.program.metric(key).ok_or_else(|| unknown(key))).transpose()?;
        let key = metric.map(|metric| metric.key.clone()).or_else(|| rule.label.clone()).unwrap_or_else(|| in_place_key(rule));
        let unit = unit_of(metric, rule, percent);
        let words = LeafWords {
            label: rule.label.clone(),
            subject: metric.and_then(|metric| metric.name.clone()),
            compares,
            unit,
            currency: (unit == Unit::Money).then(|| self.program.currency()),
            noun: metric.and_then(noun_of),
            named_by_noun: metric.is_some_and(|metric| is_named_by_noun(self.program, metric)),
            ratio_of: currencies_of_ratio(self.program, metric, rule.value.as_ref()),
            ..LeafWords::new(LeafKind::Metric, key)
        };
        let known = KnownComparison { metric, words: Arc::new(words) };
        self.comparisons.borrow_mut().insert(place, known.clone());
        Ok(known)
    }

    /// The metric's or the operand's value.
    fn compared(&self, rule: &'a Comparison, metric: Option<&'a Metric>, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        match (metric, &rule.value) {
            (Some(metric), _) => self.value_of(metric, at),
            (None, Some(operand)) => self.operand(operand, at),
            (None, None) => Err(Fault::new("EMPTY_COMPARISON", "metric", "name a metric or write a value").into()),
        }
    }

    /// Whether a comparison is met.
    pub(super) fn compares(&self, rule: &'a Comparison, at: &At<'a>) -> Result<bool, Faults> {
        let (compares, scoped) = comparison(rule).ok_or_else(empty_comparison)?;
        let threshold = self.threshold(scoped, at);
        let KnownComparison { metric, .. } = self.known_comparison(rule, compares, threshold.as_ref().is_some_and(|threshold| threshold.percent))?;
        let actual = self.compared(rule, metric, at)?.value.clone();
        Ok(actual.zip(threshold).is_some_and(|(actual, threshold)| compares.holds(&actual, &threshold.value)))
    }

    pub(super) fn judge_comparison(&self, rule: &'a Comparison, at: &At<'a>) -> Result<Judged, Faults> {
        let (compares, scoped) = comparison(rule).ok_or_else(empty_comparison)?;
        let threshold = self.threshold(scoped, at);
        let KnownComparison { metric, words } = self.known_comparison(rule, compares, threshold.as_ref().is_some_and(|threshold| threshold.percent))?;
        let value = self.compared(rule, metric, at)?;
        let required = threshold.map(|threshold| threshold.value);
        let goal = required.as_ref().filter(|required| !value.value.as_ref().is_some_and(|value| compares.holds(value, required)));
        let goal = goal.map(|required| words.goal(required, value.value.as_ref()));
        let reached = self.reached((rule, metric), &value, goal.as_ref(), at)?;
        let mut leaf = Leaf {
            actual: value.value.clone(),
            missing: None,
            reason: None,
            ratio: None,
            required,
            window: value.window,
            facts: value.facts,
            met_on: None,
            value: Some(value),
            group: None,
            group_name: None,
            reached,
            words,
        };
        leaf.compute_missing();
        leaf.value = leaf.value.as_ref().and_then(explained);
        Ok(leaf.judged())
    }

    pub(super) fn judge_tier(&self, rule: &'a TierHeld, at: &At<'a>) -> Result<Judged, Faults> {
        let ladder = self.program.ladder(Some(&rule.ladder)).ok_or_else(|| unknown_ladder(&rule.ladder))?;
        let asked = ladder.rank(Some(&rule.tier));
        let held = match rule.state {
            TierState::Evaluated => self.evaluated_rank(ladder, at)?,
            TierState::Recorded => self.recorded_rank(ladder, at),
        };
        let words = LeafWords {
            subject: Some(rule.tier.clone()),
            noun: tier_name(ladder, &rule.tier),
            ladder: ladder.name.clone(),
            ..LeafWords::new(LeafKind::Tier, rule.ladder.clone())
        };
        let met = asked > 0 && held >= asked;
        let reason = (!met && is_of_holders(self.program, rule)).then_some(Unmet::Closed);
        Ok(Leaf { reason, ..Leaf::yes_or_no(words, met) }.judged())
    }

    /// How often a ladder counts that is asked for at a rank: once, or for each region that counts.
    fn held_at(&self, rule: &LaddersHeld, ladder: &'a Ladder, asked: u32, at: &At<'a>) -> Result<i64, Faults> {
        if !rule.each_region || ladder.scope == LadderScope::Partner {
            return Ok((self.evaluated_rank(ladder, at)? >= asked).into());
        }
        let mut held = 0;
        for region in self.regions_of(ladder, at).into_iter().flatten() {
            if rule.counts(&self.program.geography, region) && self.evaluated_rank(ladder, &at.in_region(Some(region)))? >= asked {
                held += 1;
            }
        }
        Ok(held)
    }

    pub(super) fn judge_ladders(&self, rule: &'a LaddersHeld, at: &At<'a>) -> Result<Judged, Faults> {
        let mut held = 0_i64;
        for ladder in self.program.ladders_of(rule) {
            let asked = match (&rule.tier, rule.rank_at_least) {
                (Some(tier), _) => ladder.rank(Some(tier)),
                (None, rank) => rank.unwrap_or(1),
            };
            if asked > 0 {
                held += self.held_at(rule, ladder, asked, at)?;
            }
        }
        let required = self.program.geography.resolve(&rule.at_least, at.standpoint()).map(|threshold| threshold.value.clone());
        let actual = Exact::from_int(held);
        let subject = rule.tier.clone().or_else(|| rule.rank_at_least.map(|rank| format!("rank {rank}")));
        let noun = rule.each_region.then(|| "region".to_owned());
        let words = LeafWords { subject, noun, ..LeafWords::new(LeafKind::Ladders, "LADDERS".to_owned()) };
        let leaf = Leaf {
            missing: required.as_ref().map(|required| missing(&words, required, Some(&actual))).transpose()?.flatten(),
            reason: required.is_none().then_some(Unmet::NoThreshold),
            required,
            actual: Some(actual),
            ..Leaf::yes_or_no(words, false)
        };
        Ok(leaf.judged())
    }

    pub(super) fn judge_holding(&self, rule: &'a HoldingPresent, at: &At<'a>) -> Judged {
        let day = Span::new(at.as_of, at.as_of.next());
        let filters = self.filters(at, Some(day));
        let named = |wanted: &str, is: Option<&str>| filters.resolve_name(wanted).is_some_and(|wanted| is == Some(wanted));
        let counts = |holding: &&crate::facts::Holding| {
            self.is_known(holding.since, holding.recorded_on)
                && known_span(holding, self.known_until).contains(at.as_of)
                && named(&rule.kind, Some(&holding.kind))
                && rule.r#type.as_ref().is_none_or(|wanted| named(wanted, holding.type_key.as_deref()))
                && filters.matches_optional(rule.filter.as_ref(), FactView { fact: Fact::Holding(holding), owner: at.partner })
        };
        let held = at.partner.holdings.iter().filter(counts).count();
        let name = rule.r#type.as_deref().unwrap_or(&rule.kind);
        let key = filters.resolve_name(name).unwrap_or(name).to_owned();
        let words =
            LeafWords { label: rule.label.clone(), subject: Some(key.clone()), filtered: rule.filter.is_some(), ..LeafWords::new(LeafKind::Holding, key) };
        Leaf { facts: held as u64, window: Some(day), ..Leaf::yes_or_no(words, held > 0) }.judged()
    }

    pub(super) fn judge_tenure(&self, rule: &'a Tenure, at: &At<'a>) -> Result<Judged, Faults> {
        let ladder = rule.ladder.as_deref().map(|key| self.program.ladder(Some(key)).ok_or_else(|| unknown_ladder(key))).transpose()?;
        let ladder = ladder.or_else(|| rule.tier.as_ref().and_then(|_| self.program.ladder(None)));
        let since = match (ladder, &rule.tier) {
            (Some(ladder), tier) => self.held_since(ladder, tier.as_deref().map_or(1, |tier| ladder.rank(Some(tier))), at),
            (None, _) => enrolled_since(at),
        };
        let months = i32::try_from(rule.months).unwrap_or(i32::MAX);
        let served = since.map_or(0, |since| months_between(since, at.as_of));
        let (required, actual) = (Exact::from_int(rule.months.into()), Exact::from_int(served.into()));
        let key = rule.tier.clone().or_else(|| rule.ladder.clone()).unwrap_or_else(|| "TENURE".to_owned());
        let words = LeafWords {
            subject: match (ladder, &rule.tier) {
                (Some(ladder), Some(tier)) => Some(tier_name(ladder, tier).unwrap_or_else(|| tier.clone())),
                (Some(ladder), None) => Some(ladder.name.clone().unwrap_or_else(|| ladder.key.clone())),
                (None, _) => None,
            },
            unit: Unit::Duration,
            noun: Some("month".to_owned()),
            ..LeafWords::new(LeafKind::Tenure, key)
        };
        let leaf = Leaf {
            required: Some(required.clone()),
            actual: Some(actual.clone()),
            missing: missing(&words, &required, Some(&actual))?,
            reason: since.is_none().then_some(Unmet::NotEnrolled),
            window: since.map(|since| Span::new(since, at.as_of.next())),
            met_on: since.filter(|_| served < months).map(|since| since.plus_months(months)),
            ..Leaf::yes_or_no(words, false)
        };
        Ok(leaf.judged())
    }

    pub(super) fn judge_contract(&self, rule: &'a ContractHeld, at: &At<'a>) -> Judged {
        let in_state = |contract: &&crate::facts::Contract| {
            let of_template = rule.template.as_ref().is_none_or(|wanted| contract.template.as_ref() == Some(wanted));
            let dated = rule.status != ContractStatus::Active || contract.span.contains(at.as_of);
            of_template && contract.status == rule.status && dated
        };
        let held = at.partner.contracts.iter().filter(in_state).count();
        let words = self.words_of(rule, || LeafWords {
            subject: rule.template.clone(),
            noun: rule.template.as_deref().and_then(|template| self.program.contract_template_name(template)),
            ..LeafWords::new(LeafKind::Contract, rule.template.clone().unwrap_or_else(|| "CONTRACT".to_owned()))
        });
        Leaf { facts: held as u64, ..Leaf::yes_or_no(words, held > 0) }.judged()
    }

    /// The words of a rule, put together once.
    fn words_of<T>(&self, rule: &'a T, words: impl FnOnce() -> LeafWords) -> Arc<LeafWords> {
        let place = std::ptr::from_ref(rule).addr();
        if let Some(known) = self.words.borrow().get(&place) {
            return Arc::clone(known);
        }
        let words = Arc::new(words());
        self.words.borrow_mut().insert(place, Arc::clone(&words));
        words
    }

    pub(super) fn judge_partner(&self, rule: &'a PartnerIs, at: &At<'a>) -> Judged {
        let Standpoint { region, partner_type, track } = at.standpoint();
        let geography = &self.program.geography;
        let among = |wanted: &[String], own: Option<&str>| wanted.is_empty() || own.is_some_and(|own| wanted.iter().any(|wanted| wanted == own));
        let in_region = rule.regions.is_empty() || region.is_some_and(|own| rule.regions.iter().any(|wanted| geography.regions.is_under(own, wanted)));
        let in_group = rule.region_groups.is_empty() || region.is_some_and(|own| rule.region_groups.iter().any(|wanted| geography.in_group(own, wanted)));
        let has = rule.attribute.as_ref().is_none_or(|attribute| partner_has(at, attribute, rule.equals.as_ref()));
        let met = in_region && in_group && has && among(&rule.partner_types, partner_type) && among(&rule.tracks, track);
        Leaf::yes_or_no(self.words_of(rule, || self.words_of_partner(rule)), met).judged()
    }

    /// What is asked of a partner, by the names that people know.
    fn words_of_partner(&self, rule: &PartnerIs) -> LeafWords {
        let program = self.program;
        let listed = |words: &str, keys: &[String], name: &dyn Fn(&str) -> Option<String>| {
            let named: Vec<String> = keys.iter().map(|key| name(key).unwrap_or_else(|| key.clone())).collect();
            (!named.is_empty()).then(|| format!("{words} {}", named.join(" or ")))
        };
        let attribute = rule.attribute.as_ref().map(|attribute| match &rule.equals {
            None | Some(Scalar::Boolean(true)) => format!("with {attribute}"),
            Some(Scalar::Boolean(false)) => format!("without {attribute}"),
            Some(Scalar::Number(number)) => format!("with {attribute} {}", number.0),
            Some(Scalar::Text(text)) => format!("with {attribute} {text}"),
        });
        let asked = [
            listed("in", &rule.regions, &|key| program.region_name(key)),
            listed("in", &rule.region_groups, &|key| program.region_group_name(key)),
            listed("of type", &rule.partner_types, &|key| program.partner_type_name(key)),
            listed("on track", &rule.tracks, &|key| program.partner_type_name(key)),
            attribute,
        ];
        let asked: Vec<String> = asked.into_iter().flatten().collect();
        let key = rule.attribute.clone().unwrap_or_else(|| "PARTNER".to_owned());
        LeafWords { subject: Some(asked.join(", ")), ..LeafWords::new(LeafKind::Partner, key) }
    }
}

fn tier_name(ladder: &crate::document::ladder::Ladder, tier: &str) -> Option<String> {
    ladder.tier(tier).and_then(|(_, tier)| tier.name.clone())
}

/// The noun of one unit: the metric's own; the length of a deal is in days.
fn noun_of(metric: &Metric) -> Option<String> {
    let in_days = |measure: &Measure| measure.of.as_deref() == Some("cycleDays") && metric.unit == Unit::Duration;
    metric.noun.clone().or_else(|| metric.measure.as_ref().is_some_and(in_days).then(|| "day".to_owned()))
}

/// Whether the noun of a metric says which one it is: it has no name, and no other one has the noun.
fn is_named_by_noun(program: &Program, metric: &Metric) -> bool {
    let has_noun = |other: &&Metric| metric.noun.is_some() && other.noun == metric.noun;
    metric.name.is_none() && program.document.metrics.iter().filter(has_noun).count() == 1
}

/// Whether a tier must be on record, in a rule that leads to that tier or to a lower one: it is for those who hold it, no way to it.
fn is_of_holders(program: &Program, rule: &TierHeld) -> bool {
    let Some(ladder) = program.ladder(Some(&rule.ladder)).filter(|_| rule.state == TierState::Recorded) else { return false };
    let asked = ladder.rank(Some(&rule.tier)) as usize;
    let requirements = ladder.tiers.iter().take(asked).flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
    requirements.into_iter().any(|requirement| super::condition::asks_for(program, requirement, rule, 0))
}

/// A formula or a group measure explains itself by its parts; a plain measure by its leaf.
fn explained(value: &Arc<MetricValue>) -> Option<Arc<MetricValue>> {
    match value.detail {
        Detail::Measure | Detail::Constant => None,
        _ => Some(Arc::clone(value)),
    }
}

fn in_place_key(rule: &Comparison) -> String {
    rule.value.as_ref().map_or("value", |operand| crate::metric::operand_name(operand)).to_owned()
}

pub(crate) fn unknown_ladder(key: &str) -> Faults {
    Fault::new("UNKNOWN_LADDER", key, "the program has no ladder of this key").into()
}

/// The first day of the enrollment in force, followed back through enrollments that meet it without a break.
pub(crate) fn enrolled_since(at: &At<'_>) -> Option<Date> {
    let current = at.enrollment()?;
    // Time in a region is that of its own enrollment: elsewhere the partner may have been for longer. One without a region is of the home region.
    let of_region = at.region.is_some() && current.region.as_deref() == at.region;
    let at_home = at.region == at.partner.region(at.as_of);
    let same = |held: &&Enrollment| !of_region || held.region == current.region || (at_home && held.region.is_none());
    let mut since = current.since;
    while let Some(earlier) = at.partner.enrollments.iter().filter(same).find(|held| held.since < since && held.until.is_none_or(|until| until >= since)) {
        since = earlier.since;
    }
    Some(since)
}

/// Whole months from `since` to `date`; an anniversary completes one.
pub(crate) fn months_between(since: Date, date: Date) -> i32 {
    if date < since {
        return 0;
    }
    let months = (date.year() - since.year()) * 12 + date.month().cast_signed() - since.month().cast_signed();
    if since.plus_months(months) <= date { months } else { months - 1 }
}
