//! Which sale lines belong to a schedule and a period, and what each brings in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::date::{Date, Span};
use crate::document::metric::{Exchange, ExchangeDate};
use crate::document::rebate::{Basis, Method, RebateSchedule, ReturnDate};
use crate::exact::{Exact, Overflow};
use crate::exchange::{ConversionError, Converted, CutOff, ExchangeRates, MissingRate};
use crate::facts::{AttributeValue, FactId, PartnerFacts, Transaction, TransactionKind};
use crate::fault::{Fault, Faults};
use crate::filter::{FactView, FilterContext, FirstDates};
use crate::money::Currency;
use crate::period::{Period, Periods};
use crate::program::Program;

/// A sale line as a schedule sees it. Lines without a transaction stand for a carry, a metric or a hypothesis.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub(super) transaction: Option<&'a Transaction>,
    /// The date on which it counts.
    pub(super) date: Date,
    pub(super) category: Option<&'a str>,
    pub(super) tier: Option<&'a str>,
    /// The amount in the schedule's currency, as far as anything asks for it.
    pub(super) amount: Exact,
    pub(super) basis: Exact,
    pub(super) qualifier: Exact,
    /// What an amount per unit or package is paid on.
    pub(super) units: Exact,
    pub(super) converted: Option<Converted>,
    /// It stands for a sale that is supposed, and earns what that would.
    pub(super) supposed: bool,
}

impl Line<'_> {
    /// A line for what belongs to no sale.
    pub(super) const fn unattributed(date: Date) -> Self {
        const NONE: Exact = Exact::ZERO;
        Self { transaction: None, date, category: None, tier: None, amount: NONE, basis: NONE, qualifier: NONE, units: NONE, converted: None, supposed: false }
    }

    /// Whether it stands for a negative basis of earlier periods.
    pub(super) fn is_carried(&self) -> bool {
        self.transaction.is_none() && self.basis.is_negative() && self.amount.is_zero()
    }
}

/// What is known when a calculation is made.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Facts recorded later are not known. Everything is, when empty.
    pub known_on: Option<Date>,
    /// Facts dated later do not count: an open period, looked at on a day. The whole period, when empty.
    pub as_of: Option<Date>,
    /// By period: what the runs that posted it so far had read, in order. A line keeps the exchange rate that was known to the
    /// first of them that knew the line itself.
    pub runs: BTreeMap<String, Vec<CutOff>>,
    /// Lines of a hypothetical order, with the dates that they bear: these say for which schedules they count, while they count on the
    /// day that is looked at.
    pub supposed: BTreeMap<FactId, Date>,
}

impl Knowledge {
    /// The date by which a line belongs to a period and to what is in force.
    fn dated(&self, line: &Transaction) -> Date {
        self.supposed.get(&line.id).copied().unwrap_or(line.date)
    }

    /// Whether a line is known, and has happened.
    fn has(&self, line: &Transaction) -> bool {
        self.known_on.is_none_or(|known_on| line.recorded_on <= known_on) && self.as_of.is_none_or(|as_of| line.date <= as_of)
    }

    /// Until when exchange rates count that were recorded for a line of a period.
    fn rates_until(&self, period: Option<&str>, line: &Transaction, corrections: bool) -> Option<CutOff> {
        let kept = period.filter(|_| !corrections).and_then(|period| self.runs.get(period));
        kept.and_then(|runs| runs.iter().find(|run| run.knows(line.recorded_on, line.sealed))).copied().or(self.known_on.map(CutOff::Day))
    }
}

/// Reads the lines of one partner for schedules.
pub(super) struct LineReader<'a> {
    pub(super) program: &'a Program,
    pub(super) partner: &'a PartnerFacts,
    pub(super) rates: &'a ExchangeRates,
    pub(super) knowledge: &'a Knowledge,
    sales: HashMap<(&'a str, &'a str), &'a Transaction>,
    first_dates: FirstDates,
}

/// Whether the partner's own part of the scope (types) is asked, and whether lines came in time to be paid: not of a baseline, which the
/// partner may have sold as another, and which may have been recorded whenever its history was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    InScope,
    Any,
}

impl<'a> LineReader<'a> {
    pub(super) fn new(program: &'a Program, partner: &'a PartnerFacts, rates: &'a ExchangeRates, knowledge: &'a Knowledge) -> Self {
        let needs_sales = program.document.rebate_schedules.iter().any(|schedule| schedule.returns == ReturnDate::SaleDate);
        let known = partner.transactions.iter().filter(|line| needs_sales && knowledge.has(line));
        let sales = known.map(|line| ((line.id.source.as_str(), line.id.external_id.as_str()), line)).collect();
        Self { program, partner, rates, knowledge, sales, first_dates: FirstDates::default() }
    }

    /// The lines of `schedule` whose counting date lies in one of these spans, in the order in which bands fill. A filter reads the
    /// partner as of `on`. Tiers are not set yet.
    pub(super) fn lines(&self, schedule: &'a RebateSchedule, days: &[Span], on: Date, whose: Whose) -> Result<Vec<Line<'a>>, Faults> {
        let periods = self.program.periods(&schedule.period);
        let context = FilterContext {
            known_until: self.knowledge.known_on.unwrap_or(Date::MAX),
            known_on: self.knowledge.known_on,
            ..FilterContext::new(self.program, on, &self.first_dates)
        };
        let mut lines = Vec::new();
        let mut missing = BTreeSet::new();
        let mut faults = Faults::new();
        for transaction in self.partner.transactions.iter().filter(|line| self.knowledge.has(line)) {
            let sale = self.sale_of(schedule, transaction);
            let date = sale.map_or(transaction.date, |sale| sale.date);
            let category = sale.unwrap_or(transaction).category.as_deref();
            let dated = self.knowledge.dated(sale.unwrap_or(transaction));
            let in_days = days.iter().any(|span| span.contains(dated));
            let counts = whose == Whose::Any || in_time(schedule, &periods, transaction, date);
            if !in_days || !counts || !self.in_scope(schedule, transaction, date, category, whose, &context) {
                continue;
            }
            match self.line(schedule, &periods, transaction, date, category) {
                Ok(line) => lines.push(line),
                Err(ConversionError::Missing(rate)) => {
                    missing.insert(rate);
                }
                Err(ConversionError::Overflow(overflow)) => faults.0.push(out_of_range(schedule, overflow)),
            }
        }
        faults.0.extend(missing.into_iter().map(MissingRate::into));
        lines.sort_by(|a, b| fill_order(a).cmp(&fill_order(b)));
        faults.or(lines)
    }

    /// The sale that a return names, where it counts on the sale's date.
    fn sale_of(&self, schedule: &RebateSchedule, line: &'a Transaction) -> Option<&'a Transaction> {
        let linked = line.kind == TransactionKind::Return && schedule.returns == ReturnDate::SaleDate;
        line.corrects.as_deref().filter(|_| linked).and_then(|sale| self.sales.get(&(line.id.source.as_str(), sale)).copied())
    }

    fn in_scope(&self, schedule: &RebateSchedule, line: &Transaction, date: Date, category: Option<&str>, whose: Whose, context: &FilterContext<'_>) -> bool {
        let scope = &schedule.scope;
        let categories = &self.program.categories;
        let region = line.region.as_deref().or_else(|| self.partner.region(date));
        let in_category = scope.categories.is_empty() || category.is_some_and(|own| scope.categories.iter().any(|wanted| categories.is_under(own, wanted)));
        let is_product = scope.products.is_empty() || line.product.as_ref().is_some_and(|product| scope.products.contains(product));
        let of_type = whose == Whose::Any || self.is_of_type(schedule, date);
        in_category
            && is_product
            && of_type
            && self.is_in_region(schedule, region)
            && self.has_deal_kind(schedule, line)
            && context.matches_optional(scope.filter.as_ref(), FactView::transaction(self.partner, line))
    }

    /// Whether the partner is of a type that the schedule is for.
    pub(super) fn is_of_type(&self, schedule: &RebateSchedule, date: Date) -> bool {
        let types = &schedule.scope.partner_types;
        let own = self.partner.profile(date).and_then(|profile| profile.partner_type.as_ref());
        types.is_empty() || own.is_some_and(|own| types.contains(own))
    }

    /// Whether a region is one that the schedule is for.
    pub(super) fn is_in_region(&self, schedule: &RebateSchedule, region: Option<&str>) -> bool {
        let (scope, geography) = (&schedule.scope, &self.program.geography);
        let under = |region: &str| scope.regions.iter().any(|wanted| geography.regions.is_under(region, wanted));
        let grouped = |region: &str| scope.region_groups.iter().any(|group| geography.in_group(region, group));
        (scope.regions.is_empty() || region.is_some_and(under)) && (scope.region_groups.is_empty() || region.is_some_and(grouped))
    }

    fn has_deal_kind(&self, schedule: &RebateSchedule, line: &Transaction) -> bool {
        let kinds = &schedule.scope.deal_kinds;
        let deal = || line.deal.as_ref().and_then(|deal| self.partner.deals.iter().find(|known| known.id.external_id == *deal));
        kinds.is_empty() || deal().and_then(|deal| deal.kind.as_ref()).is_some_and(|kind| kinds.contains(kind))
    }

    fn line(
        &self,
        schedule: &'a RebateSchedule,
        periods: &Periods<'_>,
        transaction: &'a Transaction,
        date: Date,
        category: Option<&'a str>,
    ) -> Result<Line<'a>, ConversionError> {
        let basis = basis_of(schedule);
        let qualifier = schedule.qualifier.as_ref().unwrap_or(basis);
        let needs_amount = *basis == Basis::Amount || *qualifier == Basis::Amount || caps_by_sales(schedule);
        let converted = if needs_amount { Some(self.convert(schedule, periods, transaction, date)?) } else { None };
        let amount = converted.as_ref().map_or(Exact::ZERO, |converted| converted.exact.clone());
        let quantity = transaction.signed_quantity().exact();
        let measure = |of: &Basis| match of {
            Basis::Amount => amount.clone(),
            Basis::Quantity => quantity.clone(),
            Basis::Attribute(name) => attribute(transaction, name),
            Basis::Metric(_) => Exact::ZERO,
        };
        let units = if *basis == Basis::Amount { quantity.clone() } else { measure(basis) };
        let converted = converted.filter(|converted| converted.rate_date.is_some());
        let (basis, qualifier) = (measure(basis), measure(qualifier));
        Ok(Line { transaction: Some(transaction), date, category, tier: None, amount, basis, qualifier, units, converted, supposed: false })
    }

    fn convert(&self, schedule: &RebateSchedule, periods: &Periods<'_>, line: &'a Transaction, date: Date) -> Result<Converted, ConversionError> {
        let money = line.signed_amount();
        let currency = currency_of(self.program, schedule);
        if money.currency == currency {
            return Ok(Converted { exact: money.exact(), rate: Exact::ONE, rate_date: None });
        }
        let default = Exchange::default();
        let exchange = schedule.exchange.as_ref().unwrap_or(&default);
        let period = paid_by(schedule, periods, date);
        let on = match exchange.date {
            ExchangeDate::TransactionDate => date,
            ExchangeDate::PeriodEnd => period.as_ref().map_or(date, |period| period.span.last_day()),
        };
        // A return that counts on its sale's date takes the rate that the sale was posted with.
        let rated = self.sale_of(schedule, line).filter(|sale| sale.amount.currency == money.currency).unwrap_or(line);
        let known = self.knowledge.rates_until(period.as_ref().map(|period| period.name.as_str()), rated, schedule.true_up.exchange_corrections);
        self.rates.convert_as_known(money, currency, exchange, on, known)
    }
}

/// The currency that a schedule computes in.
pub(super) fn currency_of(program: &Program, schedule: &RebateSchedule) -> Currency {
    schedule.currency.unwrap_or(program.currency())
}

/// What a schedule is paid on. An amount per unit or package is paid on the quantity, unless another basis than the amount is named.
pub(crate) const fn basis_of(schedule: &RebateSchedule) -> &Basis {
    match (&schedule.basis, &schedule.method) {
        (Basis::Amount, Method::PerUnit(_) | Method::PerPackage(_)) => &Basis::Quantity,
        (basis, _) => basis,
    }
}

/// Whether a cap is a share of what was sold.
pub(super) fn caps_by_sales(schedule: &RebateSchedule) -> bool {
    schedule.cap.as_ref().is_some_and(|cap| cap.share.is_some() && cap.of.is_none())
}

/// The period that pays what is dated so: the one that holds it, and of a cumulative schedule the one after a gap.
fn paid_by(schedule: &RebateSchedule, periods: &Periods<'_>, date: Date) -> Option<Period> {
    periods.holding(date).or_else(|| periods.first_from(date).filter(|_| schedule.cumulative))
}

/// Lines recorded too late no longer count for their period.
fn in_time(schedule: &RebateSchedule, periods: &Periods<'_>, line: &Transaction, date: Date) -> bool {
    let Some(days) = schedule.true_up.until_days else { return true };
    paid_by(schedule, periods, date).is_none_or(|period| line.recorded_on <= period.span.last_day().plus_days(days.into()))
}

/// A numeric attribute with the sign that counts; a missing one is zero.
fn attribute(line: &Transaction, name: &str) -> Exact {
    let value = match line.attributes.get(name.strip_prefix("attribute.").unwrap_or(name)) {
        Some(AttributeValue::Number(number)) => number.clone(),
        Some(AttributeValue::Text(text)) => Exact::parse(text, 15, 10).unwrap_or(Exact::ZERO),
        Some(AttributeValue::Boolean(_)) | None => Exact::ZERO,
    };
    if line.kind == TransactionKind::Return { value.abs().neg() } else { value }
}

/// Bands fill in date order; on one day sales come before returns, then the source's own ids decide.
fn fill_order<'l>(line: &'l Line<'_>) -> (Date, bool, Option<&'l FactId>) {
    (line.date, line.transaction.is_some_and(|transaction| transaction.kind == TransactionKind::Return), line.transaction.map(|transaction| &transaction.id))
}

/// The fault of a figure that leaves the range of exact arithmetic.
pub(super) fn out_of_range(schedule: &RebateSchedule, overflow: Overflow) -> Fault {
    Fault::new("OUT_OF_RANGE", format!("rebateSchedules.{}", schedule.key), overflow.to_string())
}
