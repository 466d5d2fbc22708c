//! How schedules compose (semantics 18): earnings are attributed to lines, and reduce the basis of other schedules line by line.

use std::collections::{BTreeMap, BTreeSet};

use crate::date::Span;
use crate::document::rebate::{BelowMinimum, BestOf, NetOf, RebateSchedule, Sequential, StackingRule};
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::money::Money;
use crate::period::Period;
use crate::program::Program;

use super::entitle::{Carry, Terms, entitle};
use super::figure::{Asked, Figure, Purpose, Reductions};
use super::history::Carries;
use super::line::{Line, currency_of, out_of_range};
use super::result::{Entitlement, StepKind};
use super::{Calculation, schedules_of};

/// The schedules that stacking puts together with one, itself included.
pub(super) fn stacked_with(program: &Program, schedule: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([schedule.to_owned()]);
    loop {
        let before = all.len();
        for rule in &program.document.stacking {
            let keys = rule.schedules();
            if keys.iter().any(|key| all.contains(*key)) {
                all.extend(keys.into_iter().map(str::to_owned));
            }
        }
        if all.len() == before {
            return all;
        }
    }
}

/// Which schedule of a group counts, and which do not: the one that is worth most, ties to the smaller key. `worth` is the amount in minor
/// units and the exact figure; none of a schedule that has no such period.
fn best_of(rule: &BestOf, worth: impl Fn(&str) -> Option<(i64, Exact)>) -> Option<(&str, Vec<&str>)> {
    let group: Vec<&str> = rule.schedules.iter().map(String::as_str).filter(|key| worth(key).is_some()).collect();
    let best = group.iter().copied().max_by(|a, b| worth(a).cmp(&worth(b)).then_with(|| b.cmp(a)))?;
    Some((best, group.into_iter().filter(|key| *key != best).collect()))
}

/// Takes back what is not the best of its group; a payout that it had carried in waits on.
fn give_way(entitlement: &mut Entitlement, best: &str, carried_in: i64) -> Result<(), Faults> {
    entitlement.settle_at(0, StepKind::BestOf, Some(format!("{best} is better"))).map_err(too_large)?;
    entitlement.carried_payout = (carried_in != 0).then_some(Money::new(carried_in, entitlement.amount.currency));
    Ok(())
}

/// Lets the best of each group count among entitlements of one period and partner: what [`StackingRule::BestOf`] says, for whoever has
/// them from sums. Other rules look at lines.
pub(super) fn settle_groups(program: &Program, entitlements: &mut [&mut Entitlement]) -> Result<(), Faults> {
    for rule in &program.document.stacking {
        let StackingRule::BestOf(rule) = rule else { continue };
        let worth = |key: &str| entitlements.iter().find(|one| one.schedule == key).map(|one| (one.amount.minor, one.exact.clone()));
        let Some((best, others)) = best_of(rule, worth) else { continue };
        for key in others {
            if let Some(one) = entitlements.iter_mut().find(|one| one.schedule == key) {
                give_way(one, best, 0)?;
            }
        }
    }
    Ok(())
}

/// A schedule's entitlement, what it hands on, and what it earned on each line.
struct Settled<'a> {
    entitlement: Entitlement,
    carry: Carry,
    earned: Reductions<'a>,
}

/// A period being settled.
struct Settling<'c, 'a> {
    calculation: &'c Calculation<'a>,
    schedules: Vec<(&'a RebateSchedule, Period)>,
    carries: &'c Carries,
    reductions: BTreeMap<&'a str, Reductions<'a>>,
    settled: BTreeMap<&'a str, Settled<'a>>,
}

impl<'a> Calculation<'a> {
    /// The entitlements of one period with stacking, and what they hand to the next.
    pub(super) fn settle(&self, name: &str, carries: &Carries) -> Result<(Vec<Entitlement>, Carries), Faults> {
        let schedules = schedules_of(self.program, name);
        let mut settling = Settling { calculation: self, schedules, carries, reductions: BTreeMap::new(), settled: BTreeMap::new() };
        settling.settle_independent()?;
        for rule in &self.program.document.stacking {
            match rule {
                StackingRule::BestOf(rule) => settling.best_of(rule)?,
                StackingRule::Sequential(rule) => settling.sequential(rule)?,
                StackingRule::NetOf(rule) => settling.net_of(rule)?,
            }
        }
        let mut entitlements = Vec::with_capacity(settling.schedules.len());
        let mut handed = Carries::new();
        for (schedule, _) in settling.schedules.clone() {
            settling.ensure(&schedule.key)?;
            if let Some(settled) = settling.settled.remove(schedule.key.as_str()) {
                handed.insert(schedule.key.clone(), settled.carry);
                entitlements.push(settled.entitlement);
            }
        }
        Ok((entitlements, handed))
    }

    /// The figure of a schedule for its period, and that of the fiscal year before it where bands run on over the year.
    pub(super) fn figures(
        &self,
        schedule: &'a RebateSchedule,
        period: &Period,
        carried_basis: Exact,
        reductions: Option<&Reductions<'a>>,
        hypothesis: &[Line<'a>],
    ) -> Result<(Figure<'a>, Option<Figure<'a>>), Faults> {
        let method = &schedule.method;
        if !schedule.cumulative {
            let asked = Asked { schedule, method, period, span: period.span, carried_basis, reductions, hypothesis, purpose: Purpose::Entitlement };
            return Ok((self.figure(&asked)?, None));
        }
        let year = self.program.fiscal_year.year_start(period.span.last_day()).min(period.span.from);
        let to_date = |period: &Period, hypothesis: &[Line<'a>]| {
            let span = Span::new(year, period.span.until);
            self.figure(&Asked { schedule, method, period, span, carried_basis: Exact::ZERO, reductions, hypothesis, purpose: Purpose::Entitlement })
        };
        let before = self.program.periods(&schedule.period).before(period).filter(|before| before.span.until > year);
        Ok((to_date(period, hypothesis)?, before.as_ref().map(|before| to_date(before, &[])).transpose()?))
    }
}

impl<'a> Settling<'_, 'a> {
    fn find(&self, key: &str) -> Option<(&'a RebateSchedule, Period)> {
        self.schedules.iter().find(|(schedule, _)| schedule.key == key).cloned()
    }

    /// Settles all schedules that no rule reduces.
    fn settle_independent(&mut self) -> Result<(), Faults> {
        let rules = &self.calculation.program.document.stacking;
        let reduced = |key: &str| {
            rules.iter().any(|rule| match rule {
                StackingRule::BestOf(_) => false,
                StackingRule::Sequential(rule) => rule.steps.iter().any(|step| step.schedule == key),
                StackingRule::NetOf(rule) => rule.schedule == key,
            })
        };
        for (schedule, _) in self.schedules.clone() {
            if !reduced(&schedule.key) {
                self.ensure(&schedule.key)?;
            }
        }
        Ok(())
    }

    /// Settles a schedule unless it is.
    fn ensure(&mut self, key: &str) -> Result<(), Faults> {
        if self.settled.contains_key(key) { Ok(()) } else { self.settle_again(key) }
    }

    /// Settles a schedule with the reductions that it has by now.
    fn settle_again(&mut self, key: &str) -> Result<(), Faults> {
        let Some((schedule, period)) = self.find(key) else { return Ok(()) };
        let calculation = self.calculation;
        let carry = self.carries.get(key).cloned().unwrap_or_default();
        let reductions = self.reductions.get(key);
        let (figure, earlier) = calculation.figures(schedule, &period, carry.basis.0.clone(), reductions, &[])?;
        let fiscal_year = calculation.program.fiscal_year.year_start(period.span.last_day());
        let terms = Terms { schedule, currency: currency_of(calculation.program, schedule), period: &period, fiscal_year, carry };
        let loud = |overflow| Faults::from(out_of_range(schedule, overflow));
        let (entitlement, carry) = entitle(&terms, &figure, earlier.as_ref()).map_err(loud)?;
        let earned = if is_forfeited(schedule, &entitlement) { Reductions::new() } else { earned_by_line(&figure, earlier.as_ref()).map_err(loud)? };
        self.settled.insert(schedule.key.as_str(), Settled { entitlement, carry, earned });
        Ok(())
    }

    /// The best of a group counts; ties go to the smaller key.
    fn best_of(&mut self, rule: &BestOf) -> Result<(), Faults> {
        for key in &rule.schedules {
            self.ensure(key)?;
        }
        let worth = |key: &str| self.settled.get(key).map(|settled| (settled.entitlement.amount.minor, settled.entitlement.exact.clone()));
        let Some((best, others)) = best_of(rule, worth) else { return Ok(()) };
        for key in others {
            if let Some(settled) = self.settled.get_mut(key) {
                let carried_in = self.carries.get(key).map_or(0, |carry| carry.payout);
                give_way(&mut settled.entitlement, best, carried_in)?;
                settled.carry.payout = carried_in;
                settled.earned.clear();
            }
        }
        Ok(())
    }

    /// One after the other; each one's basis is reduced by what the earlier ones earned.
    fn sequential(&mut self, rule: &'a Sequential) -> Result<(), Faults> {
        let mut taken = Reductions::new();
        for step in &rule.steps {
            let key = step.schedule.as_str();
            if step.is_reduced {
                let own = self.reductions.entry(key).or_default();
                merge(own, &taken)?;
            }
            self.settle_again(key)?;
            if let Some(settled) = self.settled.get(key).filter(|_| step.reduces_others) {
                merge(&mut taken, &settled.earned)?;
            }
        }
        Ok(())
    }

    /// One schedule's basis is reduced by what others earned.
    fn net_of(&mut self, rule: &'a NetOf) -> Result<(), Faults> {
        let mut taken = Reductions::new();
        for key in &rule.of {
            self.ensure(key)?;
            if let Some(settled) = self.settled.get(key.as_str()) {
                merge(&mut taken, &settled.earned)?;
            }
        }
        merge(self.reductions.entry(rule.schedule.as_str()).or_default(), &taken)?;
        self.settle_again(&rule.schedule)
    }
}

fn merge<'a>(into: &mut Reductions<'a>, from: &Reductions<'a>) -> Result<(), Faults> {
    for (id, amount) in from {
        let sum = into.entry(id).or_insert(Exact::ZERO);
        *sum = sum.add(amount).map_err(too_large)?;
    }
    Ok(())
}

/// Whether it stays below the minimum payout for good. What is carried is paid later, and was earned now.
fn is_forfeited(schedule: &RebateSchedule, entitlement: &Entitlement) -> bool {
    let forfeits = schedule.minimum_payout.as_ref().is_some_and(|minimum| minimum.below == BelowMinimum::Forfeit);
    forfeits && entitlement.steps.iter().any(|step| step.step == StepKind::MinimumPayout && step.before.is_positive() && step.after != step.before)
}

/// What a schedule earned on each line of the period, exactly.
fn earned_by_line<'a>(figure: &Figure<'a>, earlier: Option<&Figure<'a>>) -> Result<Reductions<'a>, crate::exact::Overflow> {
    let mut earned = Reductions::new();
    let mut add = |figure: &Figure<'a>, negative: bool| -> Result<(), crate::exact::Overflow> {
        for piece in &figure.pieces {
            let transaction = piece.line.and_then(|line| figure.lines.get(line)).and_then(|line| line.transaction);
            if let Some(transaction) = transaction {
                let sum = earned.entry(&transaction.id).or_insert(Exact::ZERO);
                *sum = if negative { sum.sub(&piece.amount)? } else { sum.add(&piece.amount)? };
            }
        }
        Ok(())
    };
    add(figure, false)?;
    if let Some(earlier) = earlier {
        add(earlier, true)?;
    }
    Ok(earned)
}

fn too_large(overflow: crate::exact::Overflow) -> Faults {
    Fault::new("OUT_OF_RANGE", "stacking", overflow.to_string()).into()
}
