//! A period planned for many partners at once: which sums are read for which schedule, and which schedules have to see lines.
//!
//! A schedule that needs no lines is computed from the sums of a column: all lines of some categories on some days. The sums come
//! from kept aggregates where whole months are asked, from lines elsewhere; a column tells lines in another currency apart, and a
//! partner who has some where amounts count is computed line by line.

use std::collections::BTreeSet;

use crate::date::Span;
use crate::document::ladder::LadderScope;
use crate::document::rebate::{Basis, RebateSchedule, ReturnDate, TierAt};
use crate::exact::Exact;
use crate::facts::{PartnerFacts, Transaction};
use crate::fault::Faults;
use crate::money::{Currency, QUANTITY_PLACES};
use crate::period::Period;
use crate::program::Program;

use super::asks::{Asks, baseline_of, looked_back_at};
use super::handover::is_handed_on;
use super::line::{basis_of, currency_of};
use super::result::Entitlement;
use super::stacking::{settle_groups, stacked_with};
use super::tier::{OnRecord, Tiers};
use super::totals::{Totals, TotalsTerms, earn_from_totals, needs_lines_in_one_tier};
use super::whole::{Compiled, Sums};

/// What is summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumColumn {
    /// Lines of these categories; of any, and of none, when empty.
    pub categories: BTreeSet<String>,
    /// Lines on these days.
    pub days: Span,
    /// Amounts in this currency; lines in another one are counted apart.
    pub currency: Currency,
}

/// The sums of a column for one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnSums {
    /// All lines; amounts of the column's currency alone.
    pub sums: Sums,
    /// Lines in another currency.
    pub foreign_lines: u64,
}

impl ColumnSums {
    /// With those of further lines; none when the figure does not fit.
    #[must_use]
    pub fn with(self, other: Self) -> Option<Self> {
        Some(Self { sums: self.sums.with(other.sums)?, foreign_lines: self.foreign_lines.checked_add(other.foreign_lines)? })
    }
}

/// How a schedule is computed from sums.
#[derive(Debug, Clone)]
pub struct FromSums<'p> {
    program: &'p Program,
    schedule: &'p RebateSchedule,
    period: Period,
    /// Which of the plan's columns.
    pub column: usize,
    /// The column of the period that growth or a target looks back at.
    history: Option<usize>,
    compiled: Option<Compiled<'p>>,
    counts_amounts: bool,
}

/// How a schedule is computed.
#[derive(Debug, Clone)]
pub enum Way<'p> {
    /// From sums.
    Sums(FromSums<'p>),
    /// Line by line, and why.
    Lines(&'static str),
}

/// A schedule of the period.
#[derive(Debug, Clone)]
pub struct Planned<'p> {
    /// The schedule.
    pub schedule: &'p RebateSchedule,
    /// Its own days of the period.
    pub period: Period,
    /// How it is computed.
    pub way: Way<'p>,
}

/// A period of a program, planned.
#[derive(Debug, Clone)]
pub struct PeriodPlan<'p> {
    program: &'p Program,
    /// What is summed.
    pub columns: Vec<SumColumn>,
    /// The schedules, in the order of the document.
    pub schedules: Vec<Planned<'p>>,
}

/// Why a schedule is computed line by line in a run; none where sums suffice. What `program validate` says. Where the tier at each
/// transaction's date counts, sums suffice for all partners whose tier did not change in the period.
pub fn reads_lines(program: &Program, schedule: &RebateSchedule) -> Option<&'static str> {
    needs_lines_in_one_tier(program, schedule).or_else(|| {
        let group = stacked_with(program, &schedule.key);
        let by_lines = |key: &String| program.schedule(key).is_some_and(|other| needs_lines_in_one_tier(program, other).is_some());
        group.iter().any(by_lines).then_some("it is stacked with a schedule that is computed line by line")
    })
}

/// An entitlement from sums, with the number of lines behind it; none of a schedule that is computed line by line.
pub type FromSum = Option<(Entitlement, u64)>;

/// The tier that counts for a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierCounts<'a> {
    /// One for the whole period.
    One(Option<&'a str>),
    /// None: the partner takes no part in the program on any day of the period.
    Outside,
    /// Another one at times: lines tell which.
    Several,
}

/// The days whose lines the schedules of a period look at: those of the period, of what it is measured against, of the fiscal year
/// where bands run on over it; all days where earlier periods hand something on, a metric is asked, or a
/// line may count on another's date.
pub fn days_of_lines(program: &Program, period: &str) -> Span {
    let of_schedule = |(schedule, period): (&RebateSchedule, Period)| {
        let asks = Asks::with_accrual(schedule);
        if schedule.returns == ReturnDate::SaleDate || is_handed_on(program, schedule) || asks.measures() || asks.is_filtered() {
            return Span::ALWAYS;
        }
        asks.days(program, schedule, &period)
    };
    let all = super::schedules_of(program, period).into_iter().map(of_schedule);
    all.reduce(|one, other| Span::new(one.from.min(other.from), one.until.max(other.until))).unwrap_or(Span::ALWAYS)
}

impl<'p> PeriodPlan<'p> {
    /// Plans all schedules that have a period of that name.
    pub fn new(program: &'p Program, period: &str) -> Self {
        let mut columns: Vec<SumColumn> = Vec::new();
        let mut schedules = Vec::new();
        for (schedule, period) in super::schedules_of(program, period) {
            let way = match reads_lines(program, schedule) {
                Some(reason) => Way::Lines(reason),
                None => Way::Sums(FromSums::new(program, schedule, &period, &mut columns)),
            };
            schedules.push(Planned { schedule, period, way });
        }
        Self { program, columns, schedules }
    }

    /// The schedules that are computed line by line for all partners.
    pub fn by_lines(&self) -> BTreeSet<&'p str> {
        self.schedules.iter().filter(|planned| matches!(planned.way, Way::Lines(_))).map(|planned| planned.schedule.key.as_str()).collect()
    }

    /// The tier that counts for each schedule, by the tiers on record and the overrides of a partner. Its profiles are only looked at
    /// where [`Self::asks_region`].
    pub fn tiers<'a>(&'a self, partner: &'a PartnerFacts) -> Result<Vec<TierCounts<'a>>, Faults> {
        let tiers = Tiers::new(self.program, partner, &OnRecord);
        let counts = |planned: &'a Planned<'p>| {
            let (schedule, span) = (planned.schedule, planned.period.span);
            if !partner.takes_part(span) {
                return Ok(TierCounts::Outside);
            }
            if schedule.tier_at == TierAt::TransactionDate && !tiers.is_one(schedule, span)? {
                return Ok(TierCounts::Several);
            }
            tiers.of_period(schedule, span, None).map(TierCounts::One)
        };
        self.schedules.iter().map(counts).collect()
    }

    /// Whether the tiers of a partner hang on its region.
    pub fn asks_region(&self) -> bool {
        let ladder = |planned: &Planned<'_>| self.program.ladder(planned.schedule.ladder.as_deref());
        self.schedules.iter().filter_map(ladder).any(|ladder| ladder.scope != LadderScope::Partner)
    }

    /// Every entitlement of a partner from its tier for each schedule and its sums, with the number of lines behind each, in the
    /// order of the document; none for a schedule of [`Self::by_lines`]. None at all where this partner has to be computed line by
    /// line: it has sales in another currency, another tier at times, or figures that whole numbers cannot hold.
    pub fn entitle(&self, tiers: &[TierCounts<'_>], sums: &[ColumnSums]) -> Result<Option<Vec<FromSum>>, Faults> {
        let mut all = Vec::with_capacity(self.schedules.len());
        for (planned, tier) in self.schedules.iter().zip(tiers) {
            let Way::Sums(from) = &planned.way else {
                all.push(None);
                continue;
            };
            match from.entitle(*tier, sums)? {
                Some(entitlement) => all.push(Some(entitlement)),
                None => return Ok(None),
            }
        }
        settle_groups(self.program, &mut all.iter_mut().flatten().map(|(entitlement, _)| entitlement).collect::<Vec<_>>())?;
        Ok(Some(all))
    }
}

fn column_of(program: &Program, schedule: &RebateSchedule, period: &Period) -> SumColumn {
    let force = schedule.in_force();
    let under = |key: &String| std::iter::once(key.clone()).chain(program.categories.subtree(key));
    SumColumn {
        categories: schedule.scope.categories.iter().flat_map(under).collect(),
        days: period.span.intersect(force),
        currency: currency_of(program, schedule),
    }
}

impl SumColumn {
    /// What a line adds to the column: the definition that every way of summing has to match.
    pub fn of_line(&self, line: &Transaction) -> ColumnSums {
        let in_category = self.categories.is_empty() || line.category.as_ref().is_some_and(|category| self.categories.contains(category));
        if !in_category || !self.days.contains(line.date) {
            return ColumnSums::default();
        }
        let amount = line.signed_amount();
        let own = amount.currency == self.currency;
        let quantity = line.signed_quantity().0.into();
        ColumnSums { sums: Sums { amount: if own { amount.minor.into() } else { 0 }, quantity, lines: 1 }, foreign_lines: u64::from(!own) }
    }
}

impl<'p> FromSums<'p> {
    fn new(program: &'p Program, schedule: &'p RebateSchedule, period: &Period, columns: &mut Vec<SumColumn>) -> Self {
        let own = column_of(program, schedule, period);
        let mut place = |wanted: SumColumn| {
            let known = columns.iter().position(|column| *column == wanted);
            known.unwrap_or_else(|| {
                columns.push(wanted);
                columns.len() - 1
            })
        };
        // What was sold before counts whether or not the schedule was in force.
        let earlier = baseline_of(schedule).and_then(|baseline| looked_back_at(program, schedule, period, baseline));
        let history = earlier.map(|earlier| place(SumColumn { days: earlier.span, ..own.clone() }));
        let column = place(own);
        let basis = basis_of(schedule);
        let qualifier = schedule.qualifier.as_ref().unwrap_or(basis);
        let counts_amounts = *basis == Basis::Amount || *qualifier == Basis::Amount;
        let compiled = Compiled::new(program, schedule, period);
        Self { program, schedule, period: period.clone(), column, history, compiled, counts_amounts }
    }

    fn entitle(&self, tier: TierCounts<'_>, sums: &[ColumnSums]) -> Result<Option<(Entitlement, u64)>, Faults> {
        let (tier, takes_part) = match tier {
            TierCounts::One(tier) => (tier, true),
            TierCounts::Outside => (None, false),
            TierCounts::Several => return Ok(None),
        };
        let own = sums.get(self.column).copied().unwrap_or_default();
        let history = self.history.map(|column| sums.get(column).copied().unwrap_or_default());
        if self.counts_amounts && (own.foreign_lines > 0 || history.is_some_and(|history| history.foreign_lines > 0)) {
            return Ok(None);
        }
        if let Some(compiled) = &self.compiled {
            let outcome = if takes_part { compiled.outcome(tier, &own.sums) } else { compiled.outside(&own.sums) };
            let lines = outcome.as_ref().filter(|outcome| outcome.in_scope()).map_or(0, |_| own.sums.lines);
            return Ok(outcome.map(|outcome| (compiled.explain(tier, &outcome), lines)));
        }
        let exact = |sums: &Sums| {
            let amount = Exact::scaled(sums.amount, currency_of(self.program, self.schedule).decimals());
            Totals { category: None, amount, quantity: Exact::scaled(sums.quantity, QUANTITY_PLACES) }
        };
        let qualifier = self.schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(self.schedule));
        let history = history.map(|history| exact(&history.sums)).map(|sums| if *qualifier == Basis::Quantity { sums.quantity } else { sums.amount });
        let terms = TotalsTerms { period: &self.period, takes_part, tier, history };
        let mut entitlement = earn_from_totals(self.program, self.schedule, &terms, &[exact(&own.sums)])?;
        let in_scope = !entitlement.steps.iter().any(|step| step.step == super::StepKind::NotInScope);
        entitlement.lines.clear();
        Ok(Some((entitlement, if in_scope { own.sums.lines } else { 0 })))
    }
}
