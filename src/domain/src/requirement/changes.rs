//! The days on which the outcome of a requirement can change at all.
//!
//! Between two of them nothing that the requirement asks changes, so judging on them is judging on every day. The set may be
//! too large, never too small; a law compares it with judging day by day.

use std::collections::BTreeSet;

use crate::date::{Date, Span};
use crate::document::ladder::Ladder;
use crate::document::metric::{Aggregate, ExchangeDate, Filter, Formula, Measure, MeasureScope, Operand, Source, Window};
use crate::document::requirement::{OnAnyDay, Requirement, Streak, Tenure, TierState};
use crate::facts::PartnerFacts;
use crate::fault::{Fault, Faults};
use crate::filter::{Fact, facts_of, known_span};
use crate::metric::{At, Evaluator, month_starts, months_earlier};
use crate::window::first_date;

/// The days found so far, all of them inside a span.
struct Days<'a> {
    between: Span,
    days: BTreeSet<Date>,
    /// Measures and partners that were looked at already.
    seen: BTreeSet<(usize, usize)>,
    /// Windows through which the facts of a source and a partner were looked at already.
    seen_through: Vec<(Source, &'a Window, Option<Date>, usize)>,
}

impl<'a> Days<'a> {
    const fn new(between: Span) -> Self {
        Self { between, days: BTreeSet::new(), seen: BTreeSet::new(), seen_through: Vec::new() }
    }

    /// Whether facts of a source are looked at through a window for the first time.
    fn is_new(&mut self, source: Source, window: &'a Window, enrolled: Option<Date>, owner: &PartnerFacts) -> bool {
        let key = (source, window, enrolled, std::ptr::from_ref(owner).addr());
        let is_new = !self.seen_through.contains(&key);
        if is_new {
            self.seen_through.push(key);
        }
        is_new
    }

    fn add(&mut self, day: Date) {
        if self.between.contains(day) {
            self.days.insert(day);
        }
    }

    fn extend(&mut self, days: impl IntoIterator<Item = Date>) {
        days.into_iter().for_each(|day| self.add(day));
    }
}

impl<'a> Evaluator<'a> {
    /// The days in `between` on which what `requirement` gives for the partner may differ from the day before.
    pub fn changes(&self, requirement: &'a Requirement, at: &At<'a>, between: Span) -> Result<BTreeSet<Date>, Faults> {
        let mut days = Days::new(between);
        self.partner_changes(at.partner, &mut days);
        self.requirement_changes(requirement, at, &mut days)?;
        Ok(days.days)
    }

    /// Where a partner's own spans begin and end.
    fn partner_changes(&self, partner: &PartnerFacts, days: &mut Days<'_>) {
        days.extend(partner.profiles.iter().map(|profile| profile.from));
        days.extend(partner.enrollments.iter().flat_map(|held| [Some(held.since), held.until]).flatten());
        days.extend(partner.assignments.iter().flat_map(|held| [Some(held.from), held.until]).flatten());
        days.extend(partner.overrides.iter().flat_map(|held| [held.span.from, held.span.until]));
        days.extend(partner.admissions.iter().flat_map(|held| [held.span.from, held.span.until]));
        days.extend(partner.contracts.iter().flat_map(|held| [held.span.from, held.span.until]));
        let (first, last) = (days.between.from.year(), days.between.until.year());
        let since = partner.enrollments.iter().map(|held| held.since);
        days.extend(since.flat_map(|since| (first.max(since.year())..=last).map(move |year| since.plus_months(12 * (year - since.year())))));
    }

    fn requirement_changes(&self, requirement: &'a Requirement, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        self.nested(|| self.node_changes(requirement, at, days))
    }

    fn node_changes(&self, requirement: &'a Requirement, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        match requirement {
            Requirement::AllOf(of) | Requirement::AnyOf(of) => of.iter().try_for_each(|part| self.requirement_changes(part, at, days)),
            Requirement::AtLeast(rule) => rule.of.iter().try_for_each(|part| self.requirement_changes(part, at, days)),
            Requirement::Not(of) => self.requirement_changes(of, at, days),
            Requirement::Labelled(rule) => self.requirement_changes(&rule.requirement, at, days),
            Requirement::Shared(key) => {
                let shared =
                    self.program.requirement(key).ok_or_else(|| Fault::new("UNKNOWN_REQUIREMENT", key, "the program shares no requirement of this key"))?;
                self.requirement_changes(shared, at, days)
            }
            Requirement::Metric(rule) => match (rule.metric.as_deref(), &rule.value) {
                (Some(key), _) => self.metric_changes(key, at, days),
                (None, Some(operand)) => self.operand_changes(operand, at, days),
                (None, None) => Ok(()),
            },
            Requirement::Tier(rule) if rule.state == TierState::Recorded => Ok(()),
            Requirement::Tier(rule) => self.program.ladder(Some(&rule.ladder)).map_or(Ok(()), |ladder| self.held_changes(ladder, at, days)),
            Requirement::Ladders(rule) => self.program.ladders_of(rule).try_for_each(|ladder| self.held_changes(ladder, at, days)),
            Requirement::Holding(rule) => {
                holding_days(at.partner, self.known_until, days);
                self.filter_changes(rule.filter.as_ref(), days);
                Ok(())
            }
            Requirement::Tenure(rule) => {
                tenure_days(rule, at.partner, days);
                Ok(())
            }
            Requirement::Streak(rule) => self.streak_changes(rule, at, days),
            Requirement::OnAnyDay(rule) => self.on_any_day_changes(rule, at, days),
            Requirement::ForEach(rule) => {
                self.measure_changes(&rule.groups, at, days);
                self.requirement_changes(&rule.requirement, at, days)
            }
            Requirement::Contract(_) | Requirement::Partner(_) => Ok(()),
            Requirement::When(rule) => {
                self.requirement_changes(&rule.condition, at, days)?;
                self.requirement_changes(&rule.requirement, at, days)
            }
        }
    }

    /// The changes of a ladder as evaluated: of its tiers, of who is judged, and of the parent's where tiers are inherited.
    pub(crate) fn ladder_days(&self, ladder: &'a Ladder, at: &At<'a>, between: Span) -> Result<BTreeSet<Date>, Faults> {
        let mut days = Days::new(between);
        self.partner_changes(at.partner, &mut days);
        self.ladder_changes(ladder, at, &mut days)?;
        Ok(days.days)
    }

    /// The changes of what is held in another ladder: of its tiers, and on the days on which its reviews decide.
    fn held_changes(&self, ladder: &'a Ladder, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        // A grace period that ends inside the span may have begun long before it.
        let first = days.between.from.plus_months(-ladder.grace_look_back().unwrap_or(0));
        let mut earlier = Days::new(Span::new(first, days.between.until));
        self.partner_changes(at.partner, &mut earlier);
        self.ladder_changes(ladder, at, &mut earlier)?;
        let starts: Vec<Date> = earlier.days.into_iter().collect();
        days.extend(self.policy_days(ladder, at, days.between, &starts));
        days.extend(starts);
        Ok(())
    }

    /// The changes of what is asked of whoever holds a tier: of that tier, of lower ones that must hold too, of who is judged and let in.
    pub(crate) fn tier_days(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>, between: Span) -> Result<BTreeSet<Date>, Faults> {
        let mut days = Days::new(between);
        self.partner_changes(at.partner, &mut days);
        days.extend(self.admission_ends(ladder, rank, at));
        let tiers = ladder.asked_tiers(rank).flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
        ladder.applies_to.iter().chain(tiers).try_for_each(|requirement| self.requirement_changes(requirement, at, &mut days))?;
        Ok(days.days)
    }

    fn ladder_changes(&self, ladder: &'a Ladder, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        let tiers = ladder.tiers.iter().flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement));
        tiers.chain(&ladder.applies_to).try_for_each(|requirement| self.requirement_changes(requirement, at, days))?;
        if ladder.inherits_from_parent {
            let parents: BTreeSet<&str> = at.partner.profiles.iter().filter_map(|profile| profile.parent.as_deref()).collect();
            for parent in parents.into_iter().filter_map(|code| self.facts.partners.get(code)) {
                self.partner_changes(parent, days);
                self.nested(|| self.ladder_changes(ladder, &at.of(parent), days))?;
            }
        }
        Ok(())
    }

    fn metric_changes(&self, key: &str, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        let metric = self.program.metric(key).ok_or_else(|| Fault::new("UNKNOWN_METRIC", key, "the program has no metric of this key"))?;
        match (&metric.measure, &metric.formula) {
            (Some(measure), _) => self.measure_changes(measure, at, days),
            (None, Some(formula)) => self.formula_changes(formula, at, days)?,
            (None, None) => {}
        }
        Ok(())
    }

    fn operand_changes(&self, operand: &'a Operand, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        match operand {
            Operand::Metric(key) => self.nested(|| self.metric_changes(key, at, days)),
            Operand::Measure(measure) => {
                self.measure_changes(measure, at, days);
                Ok(())
            }
            Operand::Formula(formula) => self.nested(|| self.formula_changes(formula, at, days)),
            Operand::Constant(_) => Ok(()),
        }
    }

    fn formula_changes(&self, formula: &'a Formula, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        match formula {
            Formula::Sum(sum) => sum.terms.iter().try_for_each(|term| {
                self.operand_changes(&term.value, at, days)?;
                term.gates.iter().try_for_each(|gate| self.operand_changes(&gate.value, at, days))
            }),
            Formula::Ratio(ratio) => [&ratio.numerator, &ratio.denominator].into_iter().try_for_each(|of| self.operand_changes(of, at, days)),
            Formula::Difference(of) => [&of.from, &of.subtract].into_iter().try_for_each(|of| self.operand_changes(of, at, days)),
            Formula::Minimum(of) | Formula::Maximum(of) | Formula::Average(of) => of.iter().try_for_each(|of| self.operand_changes(of, at, days)),
            Formula::Growth(growth) => {
                self.operand_changes(&growth.of, at, days)?;
                let months = i32::try_from(growth.months_earlier).unwrap_or(i32::MAX);
                let earlier = |day: Date| months_earlier(day, months);
                let mut then = Days::new(Span::new(earlier(days.between.from), earlier(days.between.until).next()));
                self.partner_changes(at.partner, &mut then);
                self.operand_changes(&growth.of, at, &mut then)?;
                let between = days.between;
                days.extend(then.days.into_iter().filter_map(|change| first_date(between, |day| earlier(day) >= change)));
                Ok(())
            }
            Formula::PercentileRank(rank) | Formula::Rank(rank) | Formula::CohortMean(rank) => self.facts.partners.values().try_for_each(|partner| {
                self.partner_changes(partner, days);
                self.operand_changes(&rank.of, &at.of(partner), days)
            }),
            Formula::Choice(choice) => {
                self.requirement_changes(&choice.when, at, days)?;
                [&choice.then, &choice.otherwise].into_iter().try_for_each(|of| self.operand_changes(of, at, days))
            }
        }
    }

    fn measure_changes(&self, measure: &'a Measure, at: &At<'a>, days: &mut Days<'a>) {
        if !days.seen.insert((std::ptr::from_ref(measure).addr(), std::ptr::from_ref(at.partner).addr())) {
            return;
        }
        let enrolled = counted_from(&measure.window, at.partner);
        for owner in self.owners(measure, at) {
            if measure.scope == MeasureScope::Subtree {
                days.extend(owner.profiles.iter().map(|profile| profile.from));
            }
            for enrolled in enrolled.iter().copied() {
                self.fact_changes(measure, owner, enrolled, days);
            }
        }
        let of_groups = measure.having.iter().map(|test| test.filter.as_ref());
        for filter in [measure.filter.as_ref(), measure.share.as_deref()].into_iter().chain(of_groups) {
            self.filter_changes(filter, days);
        }
        if measure.aggregate == Aggregate::NetAdditions {
            self.month_changes(measure, at, days);
        }
        if measure.exchange.as_ref().is_some_and(|exchange| exchange.date == ExchangeDate::PeriodEnd) {
            let age = measure.exchange.as_ref().map_or(0, |exchange| i64::from(exchange.max_age_days));
            days.extend(self.facts.exchange_rates.iter().flat_map(|rate| [rate.date, rate.date.plus_days(age + 1)]));
            let tables = self.program.document.unit_tables.iter();
            days.extend(tables.flat_map(|table| table.rows.iter().filter_map(|row| row.from)));
            self.window_ends(measure, at, days);
        }
    }

    /// Whose facts may count on any day: of a subtree everybody's, since who is below whom changes too.
    fn owners(&self, measure: &Measure, at: &At<'a>) -> Vec<&'a PartnerFacts> {
        match measure.scope {
            MeasureScope::Subtree => self.facts.partners.values().collect(),
            MeasureScope::OwnFacts | MeasureScope::Region => vec![at.partner],
        }
    }

    /// Net additions are judged by month: when a month begins, when its last day completes it, when the window leaves it.
    fn month_changes(&self, measure: &'a Measure, at: &At<'a>, days: &mut Days<'_>) {
        let first_of = |owner: &'a PartnerFacts| facts_of(owner, measure.source).map(|fact| fact.fields().date()).min();
        let first = self.owners(measure, at).into_iter().filter_map(first_of).min().unwrap_or(days.between.from).min(days.between.from);
        let starts = month_starts(Span::new(first.first_of_month(), days.between.until.plus_months(1)));
        let edges: Vec<Date> = starts.into_iter().flat_map(|start| [start, start.plus_days(-1)]).collect();
        for enrolled in counted_from(&measure.window, at.partner) {
            let ends = self.ends(&measure.window, enrolled, days.between);
            days.extend(edges.iter().flat_map(|day| ends.entry_and_exit(*day)).flatten());
        }
        days.extend(edges);
    }

    /// Where the last day of a window jumps, for rates that are taken on it.
    fn window_ends(&self, measure: &'a Measure, at: &At<'a>, days: &mut Days<'_>) {
        let starts: Vec<Date> = month_starts(days.between).into_iter().collect();
        days.extend(starts.into_iter().flat_map(|start| [start, start.plus_days(i64::from(self.program.fiscal_year.day) - 1)]));
        let mut rate_days: BTreeSet<Date> = BTreeSet::new();
        let age = measure.exchange.as_ref().map_or(0, |exchange| i64::from(exchange.max_age_days));
        for rate in &self.facts.exchange_rates {
            rate_days.extend([rate.date.plus_days(-1), rate.date.plus_days(age)]);
        }
        for enrolled in counted_from(&measure.window, at.partner) {
            let ends = self.ends(&measure.window, enrolled, days.between);
            days.extend(rate_days.iter().flat_map(|day| [*day, day.next()]).flat_map(|day| ends.entry_and_exit(day)).flatten());
        }
    }

    fn fact_changes(&self, measure: &'a Measure, owner: &PartnerFacts, enrolled: Option<Date>, days: &mut Days<'a>) {
        if !days.is_new(measure.source, &measure.window, enrolled, owner) {
            return;
        }
        // Days that enter and leave the window, each once however many facts share it.
        let mut dated: Vec<Date> = Vec::new();
        for fact in facts_of(owner, measure.source) {
            match fact {
                Fact::Holding(holding) => {
                    let span = known_span(holding, self.known_until);
                    days.extend([span.from, span.until]);
                    dated.extend([span.from, span.until, span.last_day()]);
                }
                Fact::Activity(activity) => {
                    days.extend(activity.expires_on);
                    dated.push(activity.date);
                }
                Fact::Deal(deal) => {
                    days.extend(deal.closed_on);
                    dated.extend([Some(deal.opened_on), deal.closed_on].into_iter().flatten());
                }
                fact => dated.push(fact.fields().date()),
            }
        }
        if measure.source == Source::Transactions {
            let mut spans: Vec<Span> = owner.sums.iter().map(|sum| sum.days).collect();
            spans.dedup();
            dated.extend(spans.into_iter().flat_map(|days| [days.from, days.last_day()]));
        }
        dated.sort_unstable();
        dated.dedup();
        let ends = self.ends(&measure.window, enrolled, days.between);
        days.extend(dated.into_iter().flat_map(|date| ends.entry_and_exit(date)).flatten());
    }

    fn filter_changes(&self, filter: Option<&Filter>, days: &mut Days<'_>) {
        match filter {
            Some(Filter::AllOf(of) | Filter::AnyOf(of)) => of.iter().for_each(|filter| self.filter_changes(Some(filter), days)),
            Some(Filter::Not(of)) => self.filter_changes(Some(of), days),
            Some(Filter::LastVersions(rule)) => {
                let lists = self.program.document.version_lists.iter().filter(|list| list.key == rule.list);
                days.extend(lists.flat_map(|list| list.versions.iter().map(|version| version.released_on)));
            }
            _ => {}
        }
    }

    fn streak_changes(&self, rule: &'a Streak, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        let year = if rule.fiscal { self.program.fiscal_year } else { crate::period::FiscalYear::CALENDAR };
        let mut start = year.start_of(rule.unit, days.between.from);
        while start < days.between.until {
            days.add(start);
            start = start.plus_months(rule.unit.months());
        }
        if rule.include_current { self.requirement_changes(&rule.requirement, at, days) } else { Ok(()) }
    }

    /// A stretch of days on which the inner requirement is met enters the window with its first day and leaves it with its
    /// last.
    fn on_any_day_changes(&self, rule: &'a OnAnyDay, at: &At<'a>, days: &mut Days<'a>) -> Result<(), Faults> {
        let first = self.window_of(&rule.window, &at.on(days.between.from)).map_or(days.between.from, |window| window.from);
        let mut inner = Days::new(Span::new(first, days.between.until));
        self.partner_changes(at.partner, &mut inner);
        self.requirement_changes(&rule.requirement, at, &mut inner)?;
        inner.add(first);
        for enrolled in counted_from(&rule.window, at.partner) {
            let ends = self.ends(&rule.window, enrolled, days.between);
            days.extend(inner.days.iter().flat_map(|change| [*change, change.plus_days(-1)]).flat_map(|day| ends.entry_and_exit(day)).flatten());
        }
        Ok(())
    }
}

/// The enrollments from which a window may be counted, where it is.
fn counted_from(window: &Window, partner: &PartnerFacts) -> Vec<Option<Date>> {
    match window {
        Window::PartnershipYear(_) | Window::SinceEnrollment(_) => partner.enrollments.iter().map(|held| Some(held.since)).collect(),
        _ => vec![None],
    }
}

fn holding_days(partner: &PartnerFacts, known_until: Date, days: &mut Days<'_>) {
    days.extend(partner.holdings.iter().map(|holding| known_span(holding, known_until)).flat_map(|span| [span.from, span.until]));
}

fn tenure_days(rule: &Tenure, partner: &PartnerFacts, days: &mut Days<'_>) {
    let months = i32::try_from(rule.months).unwrap_or(i32::MAX);
    let starts = partner.enrollments.iter().map(|held| held.since).chain(partner.assignments.iter().map(|held| held.from));
    let starts = starts.chain(partner.overrides.iter().flat_map(|held| [held.span.from, held.span.until]));
    days.extend(starts.map(|start| start.plus_months(months)));
}
