//! Measures: facts of a window, filtered, gathered in groups and folded into one value.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::aggregate::{self, Total};
use super::evaluator::{At, Children, Evaluator};
use super::rollup::{self, Reads};
use super::{Detail, LISTED_GROUPS, MetricValue};
use crate::date::{Date, Span};
use crate::document::metric::{Aggregate, DealDate, Exchange, ExchangeDate, GroupTest, Measure, MeasureScope, Source, Window};
use crate::exact::{Exact, Overflow};
use crate::exchange::{ConversionError, MissingRate};
use crate::facts::{PartnerFacts, SalesSum, TransactionKind};
use crate::fault::{Fault, Faults};
use crate::filter::{Fact, FactView, FieldValue, FilterContext, known_span};
use crate::money::{Currency, Money};
use crate::requirement::enrolled_since;
use crate::window::window_span;

/// A figure of a fact, or why there is none.
enum Figure {
    /// Minor units of the program's currency.
    Minor(i64),
    /// Anything else.
    Exact(Exact),
    /// The fact has no such figure.
    None,
}

/// The facts of one measurement.
pub(super) struct Reading<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    pub(super) measure: &'a Measure,
    pub(super) window: Option<Span>,
    at: &'e At<'a>,
    pub(super) filters: FilterContext<'e>,
    missing: RefCell<BTreeSet<MissingRate>>,
}

/// The field whose figures a measure takes when it names none.
pub(super) const fn default_figure(source: Source) -> &'static str {
    match source {
        Source::Transactions => "amount",
        _ => "value",
    }
}

/// The field whose values are counted distinctly when none is named.
const fn default_distinct(source: Source) -> &'static str {
    match source {
        Source::Transactions | Source::Deals => "customer",
        Source::Holdings => "holder",
        Source::Activities => "subject",
    }
}

fn overflow(_: Overflow) -> Faults {
    Faults::from(Overflow)
}

impl<'a> Evaluator<'a> {
    /// The days of a measure's window.
    pub(crate) fn window_of(&self, window: &Window, at: &At<'a>) -> Option<Span> {
        let since = match window {
            // As onboarding: a change of the track does not begin it anew.
            Window::SinceEnrollment(_) => enrolled_since(at),
            _ => at.enrollment().map(|held| held.since),
        };
        window_span(window, self.program, since, at.as_of)
    }

    pub(super) fn fold_measure(&self, measure: &'a Measure, at: &At<'a>) -> Result<MetricValue, Faults> {
        let window = self.window_of(&measure.window, at);
        let reading = Reading { evaluator: self, measure, window, at, filters: self.filters(at, window), missing: RefCell::default() };
        let value = reading.fold()?;
        reading.complete(value)
    }

    /// The groups of a measure that pass its tests, in order.
    pub(crate) fn groups(&self, measure: &'a Measure, at: &At<'a>) -> Result<Vec<String>, Faults> {
        let window = self.window_of(&measure.window, at);
        let reading = Reading { evaluator: self, measure, window, at, filters: self.filters(at, window), missing: RefCell::default() };
        let facts = reading.collect()?;
        let passing = reading.passing(reading.gather(&facts))?;
        let keys = passing.keys().map(|key| key.join(" / ")).collect();
        reading.complete(keys)
    }

    /// Everybody below the partner in the tree of the date; a circle is walked once.
    fn below(&self, at: &At<'a>) -> Vec<&'a PartnerFacts> {
        let children = self.children_on(at.as_of);
        let of = |parent: &str| children.get(parent).into_iter().flatten().copied();
        let mut seen: BTreeSet<&str> = [at.partner.code.as_str()].into();
        let mut below: Vec<&PartnerFacts> = of(&at.partner.code).filter(|child| seen.insert(child.code.as_str())).collect();
        let mut next = 0;
        while let Some(parent) = below.get(next).copied() {
            next += 1;
            below.extend(of(&parent.code).filter(|child| seen.insert(child.code.as_str())));
        }
        below
    }

    /// Children by parent on a date. Trees change only where some profile begins, so one is kept per such stretch.
    fn children_on(&self, date: Date) -> Rc<Children<'a>> {
        let dates = self.profile_dates.get_or_init(|| {
            let all: BTreeSet<Date> = self.facts.partners.values().flat_map(|partner| partner.profiles.iter().map(|profile| profile.from)).collect();
            all.into_iter().collect()
        });
        let stretch = dates.partition_point(|from| *from <= date);
        if let Some(tree) = self.trees.borrow().get(&stretch) {
            return Rc::clone(tree);
        }
        let mut children = Children::new();
        for partner in self.facts.partners.values() {
            if let Some(parent) = partner.profile(date).and_then(|profile| profile.parent.as_deref()) {
                children.entry(parent).or_default().push(partner);
            }
        }
        let children = Rc::new(children);
        self.trees.borrow_mut().insert(stretch, Rc::clone(&children));
        children
    }
}

/// A group's key, and its facts.
type Groups<'f> = BTreeMap<Vec<Cow<'f, str>>, Vec<FactView<'f>>>;

impl<'a> Reading<'_, 'a> {
    fn complete<T>(&self, value: T) -> Result<T, Faults> {
        let missing = self.missing.borrow();
        if missing.is_empty() { Ok(value) } else { Err(Faults(missing.iter().cloned().map(Fault::from).collect())) }
    }

    fn fold(&self) -> Result<MetricValue, Faults> {
        let plain = self.measure.group_by.is_empty();
        match self.measure.aggregate {
            Aggregate::Sum | Aggregate::Count if plain && self.measure.latest.is_none() => self.fold_running(),
            Aggregate::Share if plain && rollup::reads(self.evaluator.program, self.measure) == Reads::MonthlySums => self.share_running(),
            Aggregate::NetAdditions => super::hysteresis::net_additions(self),
            _ if plain => self.fold_plain(),
            _ => self.fold_groups(),
        }
    }

    pub(super) const fn value(&self, value: Option<Exact>, facts: u64, detail: Detail) -> MetricValue {
        MetricValue { value, window: self.window, facts, detail }
    }

    fn decimals(&self) -> u32 {
        self.evaluator.program.currency().decimals()
    }

    /// SUM and COUNT without groups: one pass, nothing kept; kept monthly sums are read where the partner has them.
    fn fold_running(&self) -> Result<MetricValue, Faults> {
        let [(total, facts), _] = self.run_with_part(None)?;
        let counted = self.measure.aggregate == Aggregate::Count;
        let value = if counted { Exact::ratio(facts.into(), 1).unwrap_or(Exact::ZERO) } else { total };
        Ok(self.value(Some(value), facts, Detail::Measure))
    }

    fn share_running(&self) -> Result<MetricValue, Faults> {
        let [(whole, facts), of_part] = self.run_with_part(self.measure.share.as_deref())?;
        let (part, part_facts) = if self.measure.share.is_some() { of_part } else { (whole.clone(), facts) };
        let sums = self.shares_figures();
        let [part, whole] = if sums { [part, whole] } else { [part_facts, facts].map(|count| Exact::ratio(count.into(), 1).unwrap_or(Exact::ZERO)) };
        self.share(part, whole, facts, !sums)
    }

    /// A SHARE is of sums when a field is named, and of sale lines' amounts by default; else of numbers of facts.
    fn shares_figures(&self) -> bool {
        self.measure.of.is_some() || (self.measure.source == Source::Transactions && self.measure.group_by.is_empty())
    }

    /// The sum and the number of the facts, and those of the facts that also pass `part`; of no part when there is none.
    fn run_with_part(&self, part: Option<&crate::document::metric::Filter>) -> Result<[(Exact, u64); 2], Faults> {
        let mut totals = [(); 2].map(|()| Total::new(self.decimals()));
        let mut counts = [0_u64; 2];
        let takes_figures = self.measure.aggregate != Aggregate::Count;
        let field = self.figure_field();
        let mut take = |view: FactView<'_>, lines: u64| -> Result<(), Faults> {
            let in_part = part.is_some_and(|part| self.filters.matches(part, view));
            for (total, count) in totals.iter_mut().zip(&mut counts).take(if in_part { 2 } else { 1 }) {
                *count += lines;
                if takes_figures {
                    self.add(total, view, field).map_err(overflow)?;
                }
            }
            Ok(())
        };
        self.each(&mut |view| take(view, 1))?;
        self.each_rollup(&mut |rollup, view| take(view, u64::try_from(rollup.lines).unwrap_or_default()))?;
        let [whole, part] = totals;
        Ok([(whole.exact()?, counts[0]), (part.exact()?, counts[1])])
    }

    fn add(&self, total: &mut Total, view: FactView<'_>, field: &str) -> Result<(), Overflow> {
        match self.figure(view, field)? {
            Figure::Minor(minor) => total.add_minor(minor),
            Figure::Exact(value) => total.add(value),
            Figure::None => Ok(()),
        }
    }

    fn figure_field(&self) -> &'a str {
        self.measure.of.as_deref().unwrap_or_else(|| default_figure(self.measure.source))
    }

    /// Calls `take` with every fact of the window that passes.
    pub(super) fn each<'f>(&self, take: &mut dyn FnMut(FactView<'f>) -> Result<(), Faults>) -> Result<(), Faults>
    where
        'a: 'f,
    {
        let Some(window) = self.window else { return Ok(()) };
        self.each_in(window, take)
    }

    /// The same in any window.
    pub(super) fn each_in<'f>(&self, window: Span, take: &mut dyn FnMut(FactView<'f>) -> Result<(), Faults>) -> Result<(), Faults>
    where
        'a: 'f,
    {
        let below = self.below();
        for owner in std::iter::once(self.at.partner).chain(below) {
            match self.measure.source {
                Source::Transactions => owner.transactions.iter().try_for_each(|line| self.offer(owner, Fact::Transaction(line), window, take))?,
                Source::Holdings => owner.holdings.iter().try_for_each(|holding| self.offer(owner, Fact::Holding(holding), window, take))?,
                Source::Activities => owner.activities.iter().try_for_each(|activity| self.offer(owner, Fact::Activity(activity), window, take))?,
                Source::Deals => owner.deals.iter().try_for_each(|deal| self.offer(owner, Fact::Deal(deal), window, take))?,
            }
        }
        Ok(())
    }

    fn offer<'f>(&self, owner: &'f PartnerFacts, fact: Fact<'f>, window: Span, take: &mut dyn FnMut(FactView<'f>) -> Result<(), Faults>) -> Result<(), Faults> {
        let view = FactView { fact, owner };
        if self.lies_in(fact, window) && self.is_of_region(view) && self.filters.matches_optional(self.measure.filter.as_ref(), view) {
            take(view)
        } else {
            Ok(())
        }
    }

    fn lies_in(&self, fact: Fact<'_>, window: Span) -> bool {
        let known = self.evaluator.known_until;
        let on = |date: Date, recorded_on: Date| window.contains(date) && self.evaluator.is_known(date, recorded_on);
        match fact {
            Fact::Transaction(line) => on(line.date, line.recorded_on),
            Fact::Activity(activity) => on(activity.date, activity.recorded_on) && activity.expires_on.is_none_or(|expires| self.at.as_of < expires),
            Fact::Deal(deal) => self.deal_date(deal).is_some_and(|date| on(date, date)),
            Fact::Holding(holding) => self.evaluator.is_known(holding.since, holding.recorded_on) && !known_span(holding, known).intersect(window).is_empty(),
            Fact::Rollup(_) => false,
        }
    }

    fn deal_date(&self, deal: &crate::facts::Deal) -> Option<Date> {
        match self.measure.date_field.unwrap_or(DealDate::Opened) {
            DealDate::Opened => Some(deal.opened_on),
            DealDate::Closed => deal.closed_on,
        }
    }

    fn is_of_region(&self, view: FactView<'_>) -> bool {
        if self.measure.scope != MeasureScope::Region {
            return true;
        }
        let Some(region) = self.at.standing_region() else { return false };
        view.region().is_some_and(|own| self.evaluator.program.geography.regions.is_under(own, region))
    }

    /// Calls `take` with every kept monthly sum inside the window that passes. A sum that the measure cannot read, or that
    /// the window cuts, is a fault: the reader of the facts should have brought lines.
    fn each_rollup<'f>(&self, take: &mut dyn FnMut(&'f SalesSum, FactView<'f>) -> Result<(), Faults>) -> Result<(), Faults>
    where
        'a: 'f,
    {
        let (Some(window), Source::Transactions) = (self.window, self.measure.source) else { return Ok(()) };
        // Of a window of whole months all of which are known, a month lies inside or outside by its first day.
        let is_start = |day: Date| day.day() == 1;
        let whole_months = is_start(window.from) && is_start(window.until) && self.evaluator.known_until >= window.last_day();
        let mut reads = None;
        for owner in std::iter::once(self.at.partner).chain(self.below()) {
            for rollup in &owner.sums {
                let days = rollup.days;
                let whole = if whole_months {
                    if !window.contains(days.from) {
                        continue;
                    }
                    true
                } else {
                    if days.intersect(window).is_empty() {
                        continue;
                    }
                    window.from <= days.from && days.until <= window.until && days.until <= self.evaluator.known_until.next()
                };
                let reads_sums = *reads.get_or_insert_with(|| rollup::reads(self.evaluator.program, self.measure) == Reads::MonthlySums);
                if !whole || !reads_sums {
                    return Err(lines_needed(owner, days));
                }
                let view = FactView { fact: Fact::Rollup(rollup), owner };
                if self.filters.matches_optional(self.measure.filter.as_ref(), view) {
                    take(rollup, view)?;
                }
            }
        }
        Ok(())
    }

    /// All facts of the window that pass. Refuses kept monthly sums.
    fn collect<'f>(&self) -> Result<Vec<FactView<'f>>, Faults>
    where
        'a: 'f,
    {
        let mut facts = Vec::new();
        self.each(&mut |view| {
            facts.push(view);
            Ok(())
        })?;
        self.each_rollup(&mut |rollup, view| Err(lines_needed(view.owner, rollup.days)))?;
        if self.measure.group_by.is_empty() {
            self.keep_latest(&mut facts);
        }
        Ok(facts)
    }

    /// Of facts, or of those of one group, the latest, where the measure counts only so many.
    fn keep_latest(&self, facts: &mut Vec<FactView<'_>>) {
        let Some(most) = self.measure.latest else { return };
        facts.sort_by(|one, other| {
            let days = self.counts_on(*other).cmp(&self.counts_on(*one));
            days.then_with(|| other.fact.external_id().cmp(&one.fact.external_id())).then_with(|| one.owner.code.cmp(&other.owner.code))
        });
        facts.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }

    /// The figure of a fact: money in the program's currency, or in units of the program's table; what a return brings is
    /// negative however it is signed (semantics 16).
    fn figure(&self, view: FactView<'_>, field: &str) -> Result<Figure, Overflow> {
        let program = self.evaluator.program.currency();
        let money = match (view.fact, field) {
            (Fact::Transaction(line), "amount") => Some(line.signed_amount()),
            (Fact::Rollup(rollup), "amount") => Some(rollup.amount),
            (Fact::Deal(deal), "value" | "amount") => match deal.value {
                Some(value) => Some(value),
                None => return Ok(Figure::None),
            },
            (Fact::Rollup(rollup), "quantity") => return Ok(Figure::Exact(rollup.quantity.exact())),
            _ => None,
        };
        if let Some(money) = money {
            if money.currency == program && self.measure.unit_table.is_none() {
                return Ok(Figure::Minor(money.minor));
            }
            return self.convert(view, money.exact(), money.currency).map(Figure::Exact);
        }
        let currency = match (view.fact, field) {
            (Fact::Holding(holding), "value") => holding.currency,
            (Fact::Activity(activity), "value") => activity.currency,
            _ => None,
        };
        let Some(number) = self.filters.field(view, field).and_then(|value| value.number()) else { return Ok(Figure::None) };
        match (currency, view.fact) {
            (Some(currency), _) => self.convert(view, number, currency).map(Figure::Exact),
            (None, Fact::Transaction(line)) if line.kind == TransactionKind::Return && field != "quantity" => Ok(Figure::Exact(number.abs().neg())),
            _ => Ok(Figure::Exact(number)),
        }
    }

    /// A figure as an exact number.
    pub(super) fn figure_exact(&self, view: FactView<'_>, field: &str) -> Result<Option<Exact>, Overflow> {
        Ok(match self.figure(view, field)? {
            Figure::Minor(minor) => Some(Exact::scaled(minor.into(), self.decimals())),
            Figure::Exact(value) => Some(value),
            Figure::None => None,
        })
    }

    /// The date on which a fact counts: of a deal the one that the measure names.
    fn counts_on(&self, view: FactView<'_>) -> Date {
        match view.fact {
            Fact::Deal(deal) => self.deal_date(deal).unwrap_or(deal.opened_on),
            fact => fact.fields().date(),
        }
    }

    /// The date of the exchange rate or of the row of a unit table.
    fn exchange_date(&self, view: FactView<'_>, exchange: &Exchange) -> Date {
        match (exchange.date, self.window) {
            (ExchangeDate::PeriodEnd, Some(window)) => window.last_day(),
            _ => self.counts_on(view),
        }
    }

    fn convert(&self, view: FactView<'_>, value: Exact, currency: Currency) -> Result<Exact, Overflow> {
        let standard = Exchange::default();
        let exchange = self.measure.exchange.as_ref().unwrap_or(&standard);
        let date = self.exchange_date(view, exchange);
        if let Some(table) = self.measure.unit_table.as_deref() {
            return self.in_units(value, currency, table, date);
        }
        let program = self.evaluator.program.currency();
        match self.evaluator.rates().convert(Money::zero(currency), program, exchange, date) {
            Ok(converted) => value.mul(&converted.rate),
            Err(ConversionError::Missing(missing)) => {
                self.missing.borrow_mut().insert(missing);
                Ok(Exact::ZERO)
            }
            Err(ConversionError::Overflow(overflow)) => Err(overflow),
        }
    }

    /// So many units of the currency by the program's table; a currency that the table lacks is asked for like a rate.
    fn in_units(&self, value: Exact, currency: Currency, table: &str, date: Date) -> Result<Exact, Overflow> {
        let tables = &self.evaluator.program.document.unit_tables;
        let rows = tables.iter().find(|known| known.key == table).map_or(&[][..], |known| known.rows.as_slice());
        let row = rows.iter().filter(|row| row.from.is_none_or(|from| from <= date)).max_by_key(|row| row.from).or_else(|| rows.first());
        if let Some(unit) = row.and_then(|row| row.units.get(&currency))
            && let Some(units) = value.div(&unit.0)?
        {
            return Ok(units);
        }
        let to = self.evaluator.program.currency();
        self.missing.borrow_mut().insert(MissingRate { rate_type: format!("unitTables.{table}"), from: currency, to, date, max_age_days: 0 });
        Ok(Exact::ZERO)
    }

    /// The key of a field's value; categories at the depth that the measure asks for.
    pub(super) fn key<'f>(&self, view: FactView<'f>, field: &str) -> Option<Cow<'f, str>>
    where
        'a: 'f,
    {
        let key = match self.filters.field(view, field)? {
            FieldValue::Text(text) => text,
            other => Cow::Owned(other.spelling().into_owned()),
        };
        match (field, self.measure.category_depth) {
            ("category", Some(depth)) => Some(Cow::Owned(self.evaluator.program.categories.at_depth(&key, depth).to_owned())),
            _ => Some(key),
        }
    }

    fn fold_plain(&self) -> Result<MetricValue, Faults> {
        if self.measure.aggregate == Aggregate::Share {
            return self.share_of_facts();
        }
        let facts = self.collect()?;
        let count = facts.len() as u64;
        let value = self.aggregate(self.measure.aggregate, self.measure.of.as_deref(), &facts)?;
        Ok(self.value(value, count, Detail::Measure))
    }

    fn share_of_facts(&self) -> Result<MetricValue, Faults> {
        let facts = self.collect()?;
        let count = facts.len() as u64;
        let part: Vec<FactView<'_>> = facts.iter().copied().filter(|view| self.filters.matches_optional(self.measure.share.as_deref(), *view)).collect();
        if self.shares_figures() {
            let field = self.figure_field();
            let [part, whole] = [self.sum(&part, field)?, self.sum(&facts, field)?];
            return self.share(part, whole, count, false);
        }
        let [part, whole] = [part.len(), facts.len()].map(|count| Exact::ratio(count as i128, 1).unwrap_or(Exact::ZERO));
        self.share(part, whole, count, true)
    }

    fn share(&self, part: Exact, whole: Exact, facts: u64, counted: bool) -> Result<MetricValue, Faults> {
        Ok(self.value(part.div(&whole)?, facts, Detail::Share { part, whole, counted }))
    }

    fn sum(&self, facts: &[FactView<'_>], field: &str) -> Result<Exact, Faults> {
        let mut total = Total::new(self.decimals());
        for view in facts {
            self.add(&mut total, *view, field)?;
        }
        Ok(total.exact()?)
    }

    /// Facts, as one value.
    pub(super) fn aggregate<'f>(&self, aggregate: Aggregate, of: Option<&str>, facts: &[FactView<'f>]) -> Result<Option<Exact>, Faults>
    where
        'a: 'f,
    {
        let field = of.unwrap_or_else(|| default_figure(self.measure.source));
        Ok(match aggregate {
            Aggregate::Count => Exact::ratio(facts.len() as i128, 1),
            Aggregate::Distinct => {
                let field = of.unwrap_or_else(|| default_distinct(self.measure.source));
                let values: BTreeSet<Cow<'_, str>> = facts.iter().filter_map(|view| self.key(*view, field)).collect();
                Exact::ratio(values.len() as i128, 1)
            }
            Aggregate::Sum => Some(self.sum(facts, field)?),
            Aggregate::Latest => {
                let latest = facts.iter().max_by_key(|view| (self.counts_on(**view), view.fact.external_id()));
                latest.map(|view| self.figure_exact(*view, field)).transpose()?.flatten()
            }
            // Neither is a value of a group; publishing refuses them there.
            Aggregate::Share | Aggregate::NetAdditions => None,
            aggregate => aggregate::of_figures(aggregate, self.figures(facts, field)?)?,
        })
    }

    fn figures(&self, facts: &[FactView<'_>], field: &str) -> Result<Vec<Exact>, Faults> {
        let mut figures = Vec::with_capacity(facts.len());
        for view in facts {
            figures.extend(self.figure_exact(*view, field)?);
        }
        Ok(figures)
    }

    /// Facts by group. A fact that lacks a field of the group is in none.
    pub(super) fn gather<'f>(&self, facts: &[FactView<'f>]) -> Groups<'f>
    where
        'a: 'f,
    {
        let mut groups = Groups::new();
        for view in facts {
            if let Some(key) = self.measure.group_by.iter().map(|field| self.key(*view, field)).collect::<Option<Vec<_>>>() {
                groups.entry(key).or_default().push(*view);
            }
        }
        groups.values_mut().for_each(|facts| self.keep_latest(facts));
        groups
    }

    fn passing<'f>(&self, groups: Groups<'f>) -> Result<Groups<'f>, Faults> {
        let mut passing = Groups::new();
        for (key, facts) in groups {
            if self.passes(&facts)? {
                passing.insert(key, facts);
            }
        }
        Ok(passing)
    }

    fn passes(&self, facts: &[FactView<'_>]) -> Result<bool, Faults> {
        for test in &self.measure.having {
            if !self.passes_test(test, facts)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn passes_test(&self, test: &GroupTest, facts: &[FactView<'_>]) -> Result<bool, Faults> {
        let looked_at: Vec<FactView<'_>> = facts.iter().copied().filter(|view| self.filters.matches_optional(test.filter.as_ref(), *view)).collect();
        let Some(value) = self.aggregate(test.aggregate, test.of.as_deref(), &looked_at)? else { return Ok(false) };
        Ok(test.at_least.as_ref().is_none_or(|bound| value >= bound.0)
            && test.above.as_ref().is_none_or(|bound| value > bound.0)
            && test.at_most.as_ref().is_none_or(|bound| value <= bound.0)
            && test.below.as_ref().is_none_or(|bound| value < bound.0))
    }

    fn fold_groups(&self) -> Result<MetricValue, Faults> {
        let facts = self.collect()?;
        let all = self.gather(&facts);
        let groups = all.len() as u64;
        let passing = self.passing(all)?;
        let count: usize = passing.values().map(Vec::len).sum();
        if self.measure.aggregate == Aggregate::Share {
            return self.share_of_groups(&passing, count as u64);
        }
        let value = self.value_of_groups(&passing)?;
        let keys = passing.keys().take(LISTED_GROUPS).map(|key| key.join(" / ")).collect();
        Ok(self.value(value, count as u64, Detail::Groups { groups, passing: passing.len() as u64, keys }))
    }

    fn value_of_groups(&self, groups: &Groups<'_>) -> Result<Option<Exact>, Faults> {
        match self.measure.aggregate {
            Aggregate::Count => Ok(Exact::ratio(groups.len() as i128, 1)),
            Aggregate::Distinct | Aggregate::Latest => {
                let facts: Vec<FactView<'_>> = groups.values().flatten().copied().collect();
                self.aggregate(self.measure.aggregate, self.measure.of.as_deref(), &facts)
            }
            aggregate => {
                let mut values = Vec::with_capacity(groups.len());
                for facts in groups.values() {
                    values.extend(self.group_value(facts)?);
                }
                Ok(aggregate::of_figures(aggregate, values)?)
            }
        }
    }

    /// The value of a group: by default the sum of what the measure takes.
    pub(super) fn group_value(&self, facts: &[FactView<'_>]) -> Result<Option<Exact>, Faults> {
        match &self.measure.group_value {
            Some(rule) => self.aggregate(rule.aggregate, rule.of.as_deref().or(self.measure.of.as_deref()), facts),
            None => self.aggregate(Aggregate::Sum, self.measure.of.as_deref(), facts),
        }
    }

    /// The part of the groups that have a fact of the share; with `of`, the part that these groups have in the sum.
    fn share_of_groups(&self, groups: &Groups<'_>, facts: u64) -> Result<MetricValue, Faults> {
        let share = self.measure.share.as_deref();
        let sums = self.shares_figures() || self.measure.group_value.is_some();
        let (mut part, mut whole) = (Exact::ZERO, Exact::ZERO);
        for group in groups.values() {
            let value = if sums { self.group_value(group)?.unwrap_or(Exact::ZERO) } else { Exact::ONE };
            whole = whole.add(&value)?;
            if group.iter().any(|view| self.filters.matches_optional(share, *view)) {
                part = part.add(&value)?;
            }
        }
        self.share(part, whole, facts, !sums)
    }

    /// The partners below, where their facts count too.
    fn below(&self) -> Vec<&'a PartnerFacts> {
        if self.measure.scope == MeasureScope::Subtree { self.evaluator.below(self.at) } else { Vec::new() }
    }

    pub(super) const fn evaluator(&self) -> &Evaluator<'a> {
        self.evaluator
    }

    /// Refuses kept monthly sums in a window that must be read line by line.
    pub(super) fn refuse_sums(&self, window: Span) -> Result<(), Faults> {
        for owner in std::iter::once(self.at.partner).chain(self.below()) {
            let summed = owner.sums.iter().map(|sum| sum.days).filter(|_| self.measure.source == Source::Transactions);
            if let Some(days) = summed.into_iter().find(|days| !days.intersect(window).is_empty()) {
                return Err(lines_needed(owner, days));
            }
        }
        Ok(())
    }
}

fn lines_needed(owner: &PartnerFacts, days: Span) -> Faults {
    let message = format!("the rule needs the sale lines of partner {} from {} to {}, but only their sums were given", owner.code, days.from, days.last_day());
    Fault::new("LINES_NEEDED", "", message).into()
}
