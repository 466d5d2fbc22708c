//! What an evaluation needs to be read: which sale lines, for which months their kept sums suffice, and what else.
//!
//! The reader of facts asks once per program and date, and reads for every partner the same. A plan may ask for too much,
//! never for too little; a law holds that sums with the rest of the lines give what all lines give.

use std::collections::BTreeSet;

use serde::Serialize;

use super::fold::{Asked, Fold};
use super::months_earlier;
use super::rollup::{Reads, reads, reads_foreign_sums};
use crate::date::{Date, Span};
use crate::document::ladder::Ladder;
use crate::document::metric::{Aggregate, Filter, Formula, Measure, MeasureScope, Operand, Source, Window};
use crate::document::requirement::{Requirement, Streak, TierState};
use crate::period::FiscalYear;
use crate::program::Program;
use crate::requirement::MAX_STREAK;
use crate::window::window_span;

/// How deep rules are followed; publishing refuses circles.
const MAX_DEPTH: u32 = 64;

/// What to read for every partner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FactsPlan {
    /// The days whose sale lines are needed, in order, without overlap.
    pub lines: Vec<Span>,
    /// Whole months whose kept sums suffice, in order. None of them touches `lines`.
    pub monthly: Vec<Span>,
    /// Days of whose lines the sums of each day suffice, in order. None of them touches `lines` or `monthly`.
    pub daily: Vec<Span>,
    /// Of partners that have sums in another currency than the program's, the lines of `monthly` are needed instead.
    pub foreign_needs_lines: bool,
    /// How those sums may be added up; none where they must stay as they are.
    pub fold: Option<Fold>,
    /// Whether holdings are needed.
    pub holdings: bool,
    /// Only those that count on one of these days; none: all of them.
    pub holdings_on: Option<Span>,
    /// The days whose activities are needed.
    pub activities: Option<Span>,
    /// Whether deals are needed.
    pub deals: bool,
    /// Only those opened or closed on one of these days; none: all of them.
    pub deals_in: Option<Span>,
    /// Whether the facts of the partners below are needed too.
    pub subtree: bool,
    /// Whether the parents' tiers on record are needed, and their facts where they have none.
    pub parents: bool,
    /// Whether every active partner must be measured to rank one.
    pub cohort: bool,
    /// Whether exchange rates may be needed.
    pub exchange_rates: bool,
}

impl FactsPlan {
    /// The same with all sale lines one by one.
    #[must_use]
    pub fn in_lines(mut self) -> Self {
        self.lines.extend(std::mem::take(&mut self.monthly));
        self.lines.extend(std::mem::take(&mut self.daily));
        Self { fold: None, ..self }
    }
}

/// What the standing of `as_of`, its metrics and the conditions of grants need.
pub fn plan(program: &Program, as_of: Date) -> FactsPlan {
    plan_until(program, as_of, as_of)
}

/// The same for every day from `as_of` to `last`, with both: what a forecast needs.
pub fn plan_until(program: &Program, as_of: Date, last: Date) -> FactsPlan {
    let mut planner = Planner::new(program);
    let days = Span::new(as_of, last.next());
    for metric in &program.document.metrics {
        planner.value(metric.measure.as_ref(), metric.formula.as_ref(), days);
    }
    for ladder in &program.document.ladders {
        planner.ladder(ladder, days);
        planner.look_back(ladder, days);
    }
    for condition in program.document.grants.iter().filter_map(|grant| grant.condition.as_ref()) {
        condition.requirement.iter().for_each(|requirement| planner.requirement(requirement, days));
    }
    planner.finish()
}

/// What the conditions of grants need on a day: of these benefits and of those that their conditions name, or of all.
pub fn plan_benefits(program: &Program, as_of: Date, benefits: Option<&BTreeSet<String>>) -> FactsPlan {
    let mut planner = Planner::new(program);
    let days = Span::new(as_of, as_of.next());
    let grants = &program.document.grants;
    let mut wanted: Option<BTreeSet<&str>> = benefits.map(|keys| keys.iter().map(String::as_str).collect());
    while let Some(known) = &mut wanted {
        let named = grants.iter().filter(|grant| known.contains(grant.benefit.as_str())).filter_map(|grant| grant.condition.as_ref()?.benefit.as_deref());
        let more: Vec<&str> = named.filter(|key| !known.contains(key)).collect();
        if more.is_empty() {
            break;
        }
        known.extend(more);
    }
    let asked = grants.iter().filter(|grant| wanted.as_ref().is_none_or(|wanted| wanted.contains(grant.benefit.as_str())));
    for requirement in asked.filter_map(|grant| grant.condition.as_ref()?.requirement.as_ref()) {
        planner.requirement(requirement, days);
    }
    planner.finish()
}

/// What one requirement needs, judged on every day of `days`.
pub fn plan_requirement(program: &Program, requirement: &Requirement, days: Span) -> FactsPlan {
    let mut planner = Planner::new(program);
    planner.requirement(requirement, days);
    planner.finish()
}

/// What one operand needs, computed on every day of `days`.
pub fn plan_operand(program: &Program, operand: &Operand, days: Span) -> FactsPlan {
    let mut planner = Planner::new(program);
    planner.operand(operand, days);
    planner.finish()
}

struct Planner<'p> {
    program: &'p Program,
    plan: FactsPlan,
    depth: u32,
    /// The days on which holdings and deals are asked for.
    holdings: Option<Span>,
    deals: Option<Span>,
    sums: Asked,
}

impl<'p> Planner<'p> {
    fn new(program: &'p Program) -> Self {
        Self { program, plan: FactsPlan::default(), depth: 0, holdings: None, deals: None, sums: Asked::default() }
    }

    fn deeper(&mut self, work: impl FnOnce(&mut Self)) {
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            work(self);
            self.depth -= 1;
        }
    }

    fn ladder(&mut self, ladder: &Ladder, days: Span) {
        self.plan.parents |= ladder.inherits_from_parent;
        let tiers = ladder.tiers.iter().flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
        tiers.chain(&ladder.applies_to).for_each(|requirement| self.deeper(|planner| planner.requirement(requirement, days)));
    }

    /// What a partner holds in another ladder follows from its tiers and from the policy of its reviews.
    fn decided(&mut self, ladder: &Ladder, days: Span) {
        self.deeper(|planner| {
            planner.ladder(ladder, days);
            planner.look_back(ladder, days);
        });
    }

    /// A decision may look at earlier days: when a grace period began, whether the onboarding deadline was met.
    fn look_back(&mut self, ladder: &Ladder, days: Span) {
        let policies = || ladder.tiers.iter().filter_map(|tier| tier.review.as_ref()).chain([&ladder.review]);
        let last = days.last_day();
        if policies().any(|policy| policy.onboarding_deadline().is_some()) {
            self.ladder(ladder, Span::new(Date::MIN, last.next()));
        } else if let Some(months) = ladder.grace_look_back() {
            self.ladder(ladder, Span::new(days.from.plus_months(-months).max(self.program.levelling_since().min(days.from)), last.next()));
        }
    }

    fn requirement(&mut self, requirement: &Requirement, days: Span) {
        match requirement {
            Requirement::AllOf(of) | Requirement::AnyOf(of) => of.iter().for_each(|part| self.requirement(part, days)),
            Requirement::AtLeast(rule) => rule.of.iter().for_each(|part| self.requirement(part, days)),
            Requirement::Not(of) => self.requirement(of, days),
            Requirement::Labelled(rule) => self.requirement(&rule.requirement, days),
            Requirement::Shared(key) => {
                if let Some(shared) = self.program.requirement(key) {
                    self.deeper(|planner| planner.requirement(shared, days));
                }
            }
            Requirement::Metric(rule) => {
                if let Some(metric) = rule.metric.as_deref().and_then(|key| self.program.metric(key)) {
                    self.deeper(|planner| planner.value(metric.measure.as_ref(), metric.formula.as_ref(), days));
                }
                rule.value.iter().for_each(|operand| self.operand(operand, days));
            }
            Requirement::Tier(rule) if rule.state == TierState::Evaluated => {
                if let Some(ladder) = self.program.ladder(Some(&rule.ladder)) {
                    self.decided(ladder, days);
                }
            }
            Requirement::Ladders(rule) => self.program.ladders_of(rule).for_each(|ladder| self.decided(ladder, days)),
            Requirement::Holding(rule) => self.held(if rule.filter.as_ref().is_some_and(asks_first_fact) { Span::ALWAYS } else { days }),
            Requirement::Streak(rule) => self.streak(rule, days),
            Requirement::OnAnyDay(rule) => {
                if let Some(span) = self.hull(&rule.window, days) {
                    self.requirement(&rule.requirement, span);
                }
                self.requirement(&rule.requirement, days);
            }
            Requirement::ForEach(rule) => {
                self.measure(&rule.groups, days);
                self.requirement(&rule.requirement, days);
            }
            Requirement::When(rule) => {
                self.requirement(&rule.condition, days);
                self.requirement(&rule.requirement, days);
            }
            Requirement::Tier(_) | Requirement::Tenure(_) | Requirement::Contract(_) | Requirement::Partner(_) => {}
        }
    }

    /// Of a streak that is judged on one day the ends of its periods; of several days everything between.
    fn streak(&mut self, rule: &Streak, days: Span) {
        let year = if rule.fiscal { self.program.fiscal_year } else { FiscalYear::CALENDAR };
        let months = rule.unit.months();
        let periods = i32::try_from(rule.periods.min(MAX_STREAK)).unwrap_or(0);
        let first = year.start_of(rule.unit, days.from).plus_months(-periods * months);
        if days.days() > 1 {
            return self.requirement(&rule.requirement, Span::new(first, days.until));
        }
        for period in 1..=periods {
            let last = first.plus_months(period * months).plus_days(-1);
            self.requirement(&rule.requirement, Span::new(last, last.next()));
        }
        if rule.include_current {
            self.requirement(&rule.requirement, days);
        }
    }

    fn value(&mut self, measure: Option<&Measure>, formula: Option<&Formula>, days: Span) {
        if let Some(measure) = measure {
            self.measure(measure, days);
        }
        if let Some(formula) = formula {
            self.deeper(|planner| planner.formula(formula, days));
        }
    }

    fn operand(&mut self, operand: &Operand, days: Span) {
        match operand {
            Operand::Metric(key) => {
                if let Some(metric) = self.program.metric(key) {
                    self.deeper(|planner| planner.value(metric.measure.as_ref(), metric.formula.as_ref(), days));
                }
            }
            Operand::Measure(measure) => self.measure(measure, days),
            Operand::Formula(formula) => self.deeper(|planner| planner.formula(formula, days)),
            Operand::Constant(_) => {}
        }
    }

    fn formula(&mut self, formula: &Formula, days: Span) {
        match formula {
            Formula::Sum(sum) => {
                for term in &sum.terms {
                    self.operand(&term.value, days);
                    term.gates.iter().for_each(|gate| self.operand(&gate.value, days));
                }
            }
            Formula::Ratio(ratio) => [&ratio.numerator, &ratio.denominator].into_iter().for_each(|of| self.operand(of, days)),
            Formula::Difference(of) => [&of.from, &of.subtract].into_iter().for_each(|of| self.operand(of, days)),
            Formula::Minimum(of) | Formula::Maximum(of) | Formula::Average(of) => of.iter().for_each(|of| self.operand(of, days)),
            Formula::Growth(growth) => {
                let months = i32::try_from(growth.months_earlier).unwrap_or(i32::MAX);
                let earlier = Span::new(months_earlier(days.from, months), months_earlier(days.last_day(), months).next());
                self.operand(&growth.of, days);
                self.operand(&growth.of, earlier);
            }
            Formula::PercentileRank(rank) | Formula::Rank(rank) | Formula::CohortMean(rank) => {
                self.plan.cohort = true;
                self.operand(&rank.of, days);
            }
            Formula::Choice(choice) => {
                self.requirement(&choice.when, days);
                [&choice.then, &choice.otherwise].into_iter().for_each(|of| self.operand(of, days));
            }
        }
    }

    /// All days that a window shows from any of `days`.
    fn hull(&self, window: &Window, days: Span) -> Option<Span> {
        if let Window::PartnershipYear(_) = window {
            // Every partner has its own; two years hold the current one and the one before.
            return Some(Span::new(days.from.plus_months(-24), days.until));
        }
        if let Window::SinceEnrollment(_) = window {
            // However long ago a partner was enrolled, its first months count for good.
            return Some(Span::new(Date::MIN, days.until));
        }
        let ends = [days.from, days.last_day()].map(|day| window_span(window, self.program, None, day));
        match ends {
            [Some(first), Some(last)] => Some(Span::new(first.from, last.until)),
            [None, None] if days.days() <= 1 => None,
            // Before or after the years that the program names.
            [first, last] => Some(Span::new(first.map_or(Date::MIN, |span| span.from), last.map_or(days.until, |span| span.until))),
        }
    }

    fn measure(&mut self, measure: &Measure, days: Span) {
        self.plan.subtree |= measure.scope == MeasureScope::Subtree;
        let Some(mut span) = self.hull(&measure.window, days) else { return };
        let filters = || measure.filter.iter().chain(measure.share.as_deref()).chain(measure.having.iter().filter_map(|test| test.filter.as_ref()));
        if measure.aggregate == Aggregate::NetAdditions || filters().any(asks_first_fact) {
            span.from = Date::MIN;
        }
        match measure.source {
            Source::Holdings => self.held(span),
            Source::Deals => {
                self.plan.deals = true;
                self.deals = Some(self.deals.map_or(span, |held| hull(held, span)));
            }
            Source::Activities => self.plan.activities = Some(self.plan.activities.map_or(span, |held| hull(held, span))),
            Source::Transactions => self.lines(measure, span, days),
        }
        self.plan.exchange_rates |= measure.unit_table.is_none() && !only_counts(measure);
        let fields = measure.group_by.iter().chain(&measure.of).chain(measure.having.iter().filter_map(|test| test.of.as_ref()));
        if filters().any(|filter| asks_field(filter, "deal.kind")) || fields.into_iter().any(|field| field == "deal.kind") {
            // The deal of a sale line may be of any day.
            self.plan.deals = true;
            self.deals = Some(Span::ALWAYS);
        }
    }

    fn held(&mut self, days: Span) {
        self.plan.holdings = true;
        self.holdings = Some(self.holdings.map_or(days, |held| hull(held, days)));
    }

    fn lines(&mut self, measure: &Measure, span: Span, days: Span) {
        let of_enrollment = matches!(measure.window, Window::PartnershipYear(_) | Window::SinceEnrollment(_));
        let sums = !of_enrollment && reads(self.program, measure) == Reads::MonthlySums;
        let Some(common) = sums.then(|| self.common_months(&measure.window, days)).flatten() else {
            let spans = if sums { &mut self.plan.daily } else { &mut self.plan.lines };
            spans.push(span);
            return;
        };
        self.plan.monthly.push(common);
        self.sums.read(common, measure);
        self.plan.daily.extend([Span::new(span.from, common.from), Span::new(common.until, span.until)].into_iter().filter(|rest| !rest.is_empty()));
        self.plan.foreign_needs_lines |= !reads_foreign_sums(self.program, measure);
    }

    /// The whole months that lie in a window from whichever of `days` it is seen: both its ends only ever move on with the day. Of
    /// several days those that are over on the first, since a forecast knows no more.
    fn common_months(&self, window: &Window, days: Span) -> Option<Span> {
        let [first, last] = [days.from, days.last_day()].map(|day| window_span(window, self.program, None, day));
        let (first, last) = (first?, last?);
        let from = if last.from.first_of_month() == last.from { last.from } else { last.from.first_of_month().plus_months(1) };
        let known = if days.days() > 1 { days.from.next() } else { first.until };
        let until = first.until.min(known).first_of_month();
        (from < until).then(|| Span::new(from, until))
    }

    /// Kept sums suffice only where no rule needs less than the month: a partner's month comes as the one or the other, and a day as its
    /// lines or as their sum.
    fn finish(mut self) -> FactsPlan {
        let lines = merged(std::mem::take(&mut self.plan.lines));
        let mut daily = std::mem::take(&mut self.plan.daily);
        let single = merged(lines.iter().chain(&daily).copied().collect());
        let months = merged(std::mem::take(&mut self.plan.monthly));
        let mut kept = Vec::new();
        for span in months {
            let mut rest = span;
            for days in &single {
                let touched = days.intersect(rest);
                if touched.is_empty() {
                    continue;
                }
                let from = touched.from.first_of_month();
                let until = touched.last_day().first_of_month().plus_months(1).min(span.until);
                daily.push(Span::new(from, until));
                if rest.from < from {
                    kept.push(Span::new(rest.from, from));
                }
                rest.from = until;
            }
            if !rest.is_empty() {
                kept.push(rest);
            }
        }
        self.plan.daily = without(merged(daily), &lines);
        self.plan.lines = lines;
        self.plan.fold = (!kept.is_empty()).then(|| self.sums.fold(self.program, &kept));
        self.plan.monthly = kept;
        self.plan.holdings_on = self.holdings.filter(|days| *days != Span::ALWAYS);
        self.plan.deals_in = self.deals.filter(|days| *days != Span::ALWAYS);
        self.plan
    }
}

fn hull(a: Span, b: Span) -> Span {
    Span::new(a.from.min(b.from), a.until.max(b.until))
}

/// The days of `spans` that lie in none of `others`; both in order, without overlap.
fn without(spans: Vec<Span>, others: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for span in spans {
        let mut from = span.from;
        for other in others.iter().filter(|other| !other.intersect(span).is_empty()) {
            left.push(Span::new(from, other.from));
            from = other.until;
        }
        left.push(Span::new(from, span.until));
    }
    left.retain(|span| !span.is_empty());
    left
}

/// The same days, in order, without overlap.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans.into_iter().filter(|span| !span.is_empty()) {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

/// Whether a measure counts facts or what they name, and looks at no figure of them.
fn only_counts(measure: &Measure) -> bool {
    let counts = |aggregate: Aggregate| matches!(aggregate, Aggregate::Count | Aggregate::Distinct);
    counts(measure.aggregate) && measure.having.iter().all(|test| counts(test.aggregate))
}

fn asks_first_fact(filter: &Filter) -> bool {
    match filter {
        Filter::AllOf(of) | Filter::AnyOf(of) => of.iter().any(asks_first_fact),
        Filter::Not(of) => asks_first_fact(of),
        Filter::FirstFact(_) => true,
        Filter::Test(_) | Filter::LastVersions(_) => false,
    }
}

/// Whether a filter tests a field.
pub(crate) fn asks_field(filter: &Filter, field: &str) -> bool {
    match filter {
        Filter::AllOf(of) | Filter::AnyOf(of) => of.iter().any(|filter| asks_field(filter, field)),
        Filter::Not(of) => asks_field(of, field),
        Filter::Test(test) => test.field == field,
        Filter::FirstFact(_) | Filter::LastVersions(_) => false,
    }
}
