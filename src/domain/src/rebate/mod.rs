//! Rebates: what each schedule of a program owes a partner for a period, to the minor unit, and why.
//!
//! The way of a figure: `line` reads the sale lines that belong to a schedule, `tier` says which tier counts, `plan` (with
//! `bands` and `growth`) turns the method into rates on everything, on slices, and sums; `earn` applies it to lines; `figure`
//! applies base cap, floor and cap; `entitle` takes off what earlier periods were worth, tops up to a guarantee, rounds once and
//! shares the rounded figure over the lines; `stacking` lets schedules reduce one another; `history` carries from period to
//! period, `handover` from version to version; `budget` shares what all partners get at most. [`mod@estimate`] looks at an open period, [`mod@runs`] at periods as they were
//! known on the days of their runs. [`proof`] states all of it in one document that anybody can recompute.
//!
//! Everything is exact until the one named rounding. Where a rule allows two readings, `document::rebate` names the default and
//! the option. Contract terms that bend rates have their place in `plan`: a term replaces the `Pay` of a band before it is applied.

mod asks;
mod bands;
pub mod batch;
mod budget;
mod check;
mod contract;
mod earn;
mod entitle;
pub mod estimate;
mod figure;
mod growth;
mod handover;
mod history;
mod known;
mod line;
mod measures;
mod parts;
mod plan;
pub mod proof;
mod result;
pub mod runs;
mod stacking;
pub mod statement;
mod tier;
mod tiered;
mod totals;
pub mod whole;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::date::Date;
use crate::document::rebate::RebateSchedule;
use crate::exchange::ExchangeRates;
use crate::facts::{Facts, PartnerFacts};
use crate::fault::{Fault, Faults};
use crate::metric::StatedRank;
use crate::period::Period;
use crate::program::Program;

pub(crate) use asks::asks_measures;
pub use asks::{AskedOn, Asks, asked_in_period};
pub use budget::{apply_budgets, share_budget};
pub use check::{check, check_stacking, order_dependence};
pub use contract::require_own_rates;
pub use estimate::{Estimate, Forecast, Hypothetical, NextBand, accruals, estimate};
pub use handover::{Handover, Numbered, carries_that_end, goes_on_alike, schedules_in_all};
pub use line::Knowledge;
pub(crate) use line::basis_of;
pub use result::{BandShare, Entitlement, PeriodResult, StatementLine, Step, StepKind};
pub use runs::{RunAsked, RunKind, RunResult, may_run, runs};
pub use statement::{LineKind, Stated, StatedLine, state};
pub use tier::{Levelled, OnRecord, TierSource};
pub use tiered::asks_tiers;
pub use totals::{Totals, TotalsTerms, converts_sums, earn_from_totals, needs_lines};

/// One partner's rebates, with everything that they are computed from.
struct Calculation<'a> {
    program: &'a Program,
    partner: &'a PartnerFacts,
    tiers: tier::Tiers<'a>,
    reader: line::LineReader<'a>,
    measures: measures::Measures<'a>,
    knowledge: &'a Knowledge,
    /// Of a version before: the schedules that count for what it hands over. All, when empty.
    only: Option<BTreeSet<String>>,
    /// Ranks that versions before asked for.
    ranks_before: RefCell<Vec<StatedRank>>,
}

impl<'a> Calculation<'a> {
    fn new(
        program: &'a Program,
        facts: &'a Facts,
        partner: &'a PartnerFacts,
        rates: &'a ExchangeRates,
        knowledge: &'a Knowledge,
        source: &'a dyn TierSource,
    ) -> Self {
        Self {
            program,
            partner,
            tiers: tier::Tiers::new(program, partner, source),
            reader: line::LineReader::new(program, partner, rates, knowledge),
            measures: measures::Measures::new(program, facts, partner),
            knowledge,
            only: None,
            ranks_before: RefCell::default(),
        }
    }

    /// The same about a version before, for some of its schedules.
    fn of_version(&self, program: &'a Program, only: BTreeSet<String>) -> Self {
        Self {
            program,
            partner: self.partner,
            tiers: self.tiers.by(program),
            reader: line::LineReader::new(program, self.partner, self.reader.rates, self.knowledge),
            measures: self.measures.by(program),
            knowledge: self.knowledge,
            only: Some(only),
            ranks_before: RefCell::default(),
        }
    }

    /// Whether a schedule is asked about.
    fn counts(&self, schedule: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(schedule))
    }

    /// The schedules that have a period of that name, with their own days for it.
    fn schedules(&self, period: &str) -> Vec<(&'a RebateSchedule, Period)> {
        let mut found = schedules_of(self.program, period);
        found.retain(|(schedule, _)| self.counts(&schedule.key));
        found
    }

    /// The ranks among partners that were asked for, where they are kept.
    fn kept_ranks(&self) -> Vec<StatedRank> {
        let mut ranks = self.ranks_before.borrow().clone();
        ranks.extend(self.measures.kept_ranks());
        ranks
    }
}

/// The schedules that have a period of that name, with their own days for it.
fn schedules_of<'a>(program: &'a Program, period: &str) -> Vec<(&'a RebateSchedule, Period)> {
    let all = program.document.rebate_schedules.iter();
    all.filter_map(|schedule| program.periods(&schedule.period).named(period).map(|period| (schedule, period))).collect()
}

/// Every rebate of one partner for a period, as far as was known on `known_on` (everything, when empty), with stacking and budgets.
///
/// All schedules take part that have a period of this name. The tier is the one on record in `facts`; where no assignment of the
/// ladder is, `tiers` is asked. Faults: exchange rates that are missing (all of them), figures out of range, a budget that
/// does not suffice and says so.
pub fn compute_period(
    program: &Program,
    facts: &Facts,
    partner: &str,
    period: &Period,
    known_on: Option<Date>,
    tiers: &dyn TierSource,
) -> Result<PeriodResult, Faults> {
    compute_as_known(program, facts, partner, period, &Knowledge { known_on, ..Knowledge::default() }, tiers)
}

/// As [`compute_period`], with all that can be said about what was known.
pub fn compute_as_known(
    program: &Program,
    facts: &Facts,
    partner: &str,
    period: &Period,
    knowledge: &Knowledge,
    tiers: &dyn TierSource,
) -> Result<PeriodResult, Faults> {
    let schedules = schedules_of(program, &period.name);
    if schedules.iter().any(|(schedule, _)| schedule.budget.is_some()) {
        let mut all = compute_period_for_all(program, facts, period, knowledge, tiers)?;
        return all.remove(partner).ok_or_else(|| unknown_partner(partner));
    }
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let known = known::facts_known(program, facts, &schedules, knowledge);
    compute_one(program, &known, &rates, partner, period, knowledge, tiers)
}

/// Every rebate of every partner of `facts` for a period, with the budgets of its schedules shared.
pub fn compute_period_for_all(
    program: &Program,
    facts: &Facts,
    period: &Period,
    knowledge: &Knowledge,
    tiers: &dyn TierSource,
) -> Result<BTreeMap<String, PeriodResult>, Faults> {
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let known = known::facts_known(program, facts, &schedules_of(program, &period.name), knowledge);
    let mut results = BTreeMap::new();
    let mut faults = Faults::new();
    for code in facts.partners.keys() {
        match compute_one(program, &known, &rates, code, period, knowledge, tiers) {
            Ok(result) => {
                results.insert(code.clone(), result);
            }
            Err(mut more) => faults.0.append(&mut more.0),
        }
    }
    let mut results = faults.or(results)?;
    apply_budgets(program, &mut results)?;
    Ok(results)
}

/// The rebates of some partners of `facts` for a period, without the budgets: those are shared over all partners, which
/// [`share_budget`] does once all are computed. Each partner has its own faults.
pub fn compute_unbudgeted(
    program: &Program,
    facts: &Facts,
    partners: &[String],
    period: &Period,
    knowledge: &Knowledge,
    tiers: &dyn TierSource,
) -> Vec<Result<PeriodResult, Faults>> {
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let known = known::facts_known(program, facts, &schedules_of(program, &period.name), knowledge);
    partners.iter().map(|code| compute_one(program, &known, &rates, code, period, knowledge, tiers)).collect()
}

fn compute_one(
    program: &Program,
    facts: &Facts,
    rates: &ExchangeRates,
    partner: &str,
    period: &Period,
    knowledge: &Knowledge,
    tiers: &dyn TierSource,
) -> Result<PeriodResult, Faults> {
    let own = facts.partners.get(partner).ok_or_else(|| unknown_partner(partner))?;
    let calculation = Calculation::new(program, facts, own, rates, knowledge, tiers);
    let entitlements = calculation.with_history(&period.name)?;
    Ok(PeriodResult { partner: partner.to_owned(), period: period.name.clone(), entitlements })
}

fn unknown_partner(partner: &str) -> Faults {
    Fault::new("UNKNOWN_PARTNER", "partner", format!("the facts have no partner {partner}: name one that they have")).into()
}

#[cfg(test)]
mod tests;
