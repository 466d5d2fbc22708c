//! How schedules compose (semantics 18): earnings are attributed to lines, and reduce the basis of other schedules line by line.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::date::{Date, Span};
use crate::document::rebate::{BelowMinimum, BestOf, NetOf, RebateSchedule, Sequential, StackingRule};
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::money::Money;
use crate::period::Period;
use crate::program::Program;

use super::Calculation;
use super::entitle::{Carry, Earlier, Terms, entitle, worth};
use super::figure::{Asked, Figure, Purpose, Reductions};
use super::history::{Carries, earlier_in_year, year_to_date};
use super::line::{Line, currency_of, out_of_range};
use super::result::{Entitlement, StepKind};

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

/// What a schedule gives for a period.
pub(super) struct Figures<'a> {
    /// For the period, or to date where bands run on over the fiscal year.
    pub(super) now: Figure<'a>,
    /// To the last period before in which the partner took part.
    earlier: Option<Figure<'a>>,
}

impl<'a> Figures<'a> {
    /// What earlier periods were worth, to be taken off: nothing in a period in which the partner takes no part.
    pub(super) fn taken_off<'e>(&'e self, schedule: &'e RebateSchedule) -> Option<Earlier<'e, 'a>> {
        let earlier = self.earlier.as_ref().filter(|_| self.now.is_in_scope());
        earlier.map(|figure| Earlier { schedule, figure })
    }
}

/// What is left of a span without some that lie in it one after the other.
fn without(span: Span, left_out: &[Span]) -> Vec<Span> {
    let ends = left_out.iter().map(|span| span.from).chain([span.until]);
    let starts = std::iter::once(span.from).chain(left_out.iter().map(|span| span.until));
    starts.zip(ends).map(|(from, until)| Span::new(from, until.max(from))).collect()
}

/// The days before `until`.
fn up_to(days: &[Span], until: Date) -> Vec<Span> {
    days.iter().map(|days| days.intersect(Span::new(Date::MIN, until))).collect()
}

/// A schedule's entitlement, what it hands on, and what it earned on each line.
struct Settled<'a> {
    figures: Figures<'a>,
    entitlement: Entitlement,
    carry: Carry,
    earned: Reductions<'a>,
}

/// What a schedule that runs on over the fiscal year is worth, in minor units.
struct ToDate<'a> {
    schedule: &'a RebateSchedule,
    /// To date; none where the partner takes no part in the period.
    now: Option<i64>,
    /// To the last period before in which it took part; none where there is none.
    before: Option<i64>,
}

/// Which of two is worth more; of equal ones the smaller key.
fn better(one: &ToDate<'_>, worth: &Option<i64>, other: &ToDate<'_>, worth_of_other: &Option<i64>) -> Ordering {
    worth.cmp(worth_of_other).then_with(|| other.schedule.key.cmp(&one.schedule.key))
}

/// A period being settled.
struct Settling<'c, 'a> {
    calculation: &'c Calculation<'a>,
    schedules: Vec<(&'a RebateSchedule, Period)>,
    carries: &'c Carries,
    reductions: BTreeMap<&'a str, Reductions<'a>>,
    settled: BTreeMap<&'a str, Settled<'a>>,
    /// By schedule that lost in a group: the best of it. What is reduced afterwards has lost all the same.
    lost: BTreeMap<String, String>,
}

impl<'a> Calculation<'a> {
    /// The entitlements of one period with stacking, and what they hand to the next.
    pub(super) fn settle(&self, name: &str, carries: &Carries) -> Result<(Vec<Entitlement>, Carries), Faults> {
        let mut settling = self.stacked(name, carries)?;
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

    /// What others take off each schedule's lines in a period, by the schedule that is reduced.
    pub(super) fn reductions(&self, name: &str, carries: &Carries) -> Result<BTreeMap<&'a str, Reductions<'a>>, Faults> {
        let only_groups = self.program.document.stacking.iter().all(|rule| matches!(rule, StackingRule::BestOf(_)));
        if only_groups { Ok(BTreeMap::new()) } else { Ok(self.stacked(name, carries)?.reductions) }
    }

    /// A period with all rules of stacking applied.
    fn stacked<'c>(&'c self, name: &str, carries: &'c Carries) -> Result<Settling<'c, 'a>, Faults> {
        let schedules = self.schedules(name);
        let mut settling = Settling { calculation: self, schedules, carries, reductions: BTreeMap::new(), settled: BTreeMap::new(), lost: BTreeMap::new() };
        settling.settle_independent()?;
        for rule in &self.program.document.stacking {
            match rule {
                StackingRule::BestOf(rule) => settling.best_of(rule)?,
                StackingRule::Sequential(rule) => settling.sequential(rule)?,
                StackingRule::NetOf(rule) => settling.net_of(rule)?,
            }
        }
        Ok(settling)
    }

    /// The figure of a schedule for its period; where bands run on over the year also that to the period before it in which the
    /// partner took part. Periods in which it took no part, and those that another version governs, count for neither.
    pub(super) fn figures(
        &self,
        schedule: &'a RebateSchedule,
        period: &Period,
        carried_basis: Exact,
        reductions: Option<&Reductions<'a>>,
        hypothesis: &[Line<'a>],
    ) -> Result<Figures<'a>, Faults> {
        let method = &schedule.method;
        let figure = |period: &Period, days: &[Span], carried_basis: Exact, hypothesis: &[Line<'a>]| {
            self.figure(&Asked { schedule, method, period, days, carried_basis, reductions, hypothesis, purpose: Purpose::Entitlement })
        };
        if !schedule.cumulative {
            return Ok(Figures { now: figure(period, &[period.span], carried_basis, hypothesis)?, earlier: None });
        }
        let (mut before, mut left_out) = (None, Vec::new());
        let days = year_to_date(self.program, schedule, period);
        // What is sold between two periods of a custom calendar is the later one's.
        let mut gap = days.from;
        for earlier in earlier_in_year(self.program, schedule, period) {
            let own = Span::new(gap.min(earlier.span.from), earlier.span.until);
            gap = own.until;
            if self.is_in_scope(schedule, &earlier)? {
                before = Some(earlier);
            } else {
                left_out.push(own);
            }
        }
        let days = without(days, &left_out);
        let earlier = before.map(|before| figure(&before, &up_to(&days, before.span.until), Exact::ZERO, &[])).transpose()?;
        Ok(Figures { now: figure(period, &days, Exact::ZERO, hypothesis)?, earlier })
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
        // A fault of one schedule does not hide those of the others: every exchange rate that is missing is to be told.
        let mut faults = Faults::new();
        for (schedule, _) in self.schedules.clone() {
            if !reduced(&schedule.key) {
                self.ensure(&schedule.key).unwrap_or_else(|more| faults.add_new(more));
            }
        }
        faults.or(())
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
        let figures = calculation.figures(schedule, &period, carry.basis.0.clone(), reductions, &[])?;
        let earlier = figures.taken_off(schedule);
        let (entitlement, carry, earned) = self.entitled(schedule, &period, carry, &figures.now, earlier.as_ref())?;
        self.settled.insert(schedule.key.as_str(), Settled { figures, entitlement, carry, earned });
        if let Some(best) = self.lost.get(key).cloned() {
            self.lose(key, &best)?;
        }
        Ok(())
    }

    /// Takes back what is not the best of its group.
    fn lose(&mut self, key: &str, best: &str) -> Result<(), Faults> {
        let carried_in = self.carries.get(key).map_or(0, |carry| carry.payout);
        if let Some(settled) = self.settled.get_mut(key) {
            give_way(&mut settled.entitlement, best, carried_in)?;
            settled.carry.payout = carried_in;
            settled.earned.clear();
        }
        self.lost.insert(key.to_owned(), best.to_owned());
        Ok(())
    }

    /// What a schedule owes by its figure, less what earlier periods of the year were worth.
    fn entitled(
        &self,
        schedule: &'a RebateSchedule,
        period: &Period,
        carry: Carry,
        figure: &Figure<'a>,
        earlier: Option<&Earlier<'_, 'a>>,
    ) -> Result<(Entitlement, Carry, Reductions<'a>), Faults> {
        let program = self.calculation.program;
        let fiscal_year = program.fiscal_year.year_start(period.span.last_day());
        let terms = Terms { schedule, currency: currency_of(program, schedule), period, fiscal_year, carry };
        let loud = |overflow| Faults::from(out_of_range(schedule, overflow));
        let (entitlement, carry) = entitle(&terms, figure, earlier).map_err(loud)?;
        let forfeited = figure.unmet || is_forfeited(schedule, &entitlement);
        let earned = if forfeited { Reductions::new() } else { earned_by_line(figure, earlier.map(|earlier| earlier.figure)).map_err(loud)? };
        Ok((entitlement, carry, earned))
    }

    /// The best of a group counts; ties go to the smaller key.
    fn best_of(&mut self, rule: &BestOf) -> Result<(), Faults> {
        for key in &rule.schedules {
            self.ensure(key)?;
        }
        if rule.schedules.iter().any(|key| self.find(key).is_some_and(|(schedule, _)| schedule.cumulative)) {
            return self.best_to_date(rule);
        }
        let worth = |key: &str| self.settled.get(key).map(|settled| (settled.entitlement.amount.minor, settled.entitlement.exact.clone()));
        let Some((best, others)) = best_of(rule, worth) else { return Ok(()) };
        others.into_iter().try_for_each(|key| self.lose(key, best))
    }

    /// The best of a group whose schedules run on over the fiscal year: what it is worth to date, less what the group was worth to
    /// date before. A schedule in which the partner no longer takes part keeps what it was worth, but pays nothing.
    fn best_to_date(&mut self, rule: &BestOf) -> Result<(), Faults> {
        let group = self.group(rule)?;
        let Some(best) = group.iter().filter(|one| one.now.is_some()).max_by(|a, b| better(a, &a.now, b, &b.now)) else { return Ok(()) };
        let before = group.iter().filter(|one| one.before.is_some()).max_by(|a, b| better(a, &a.before, b, &b.before));
        let to_date = group.iter().filter_map(|one| one.now.or(one.before)).max();
        let key = best.schedule.key.as_str();
        let (Some(settled), Some((_, period))) = (self.settled.get(key), self.find(key)) else { return Ok(()) };
        let earlier = before.and_then(|one| {
            let figure = self.settled.get(one.schedule.key.as_str())?.figures.earlier.as_ref()?;
            Some(Earlier { schedule: one.schedule, figure })
        });
        // A group has no minimum payout, but a version before may have handed on what was below one: the best pays it besides.
        let carried_in = self.carries.get(key).map_or(0, |carry| carry.payout);
        let handed = Carry { payout: carried_in, ..Carry::default() };
        let (mut entitlement, carry, earned) = self.entitled(best.schedule, &period, handed, &settled.figures.now, earlier.as_ref())?;
        let paid = before.and_then(|one| one.before).unwrap_or(0);
        if let Some(due) = to_date.filter(|to_date| best.now.is_some_and(|now| now < *to_date)) {
            let due = due.checked_sub(paid).and_then(|due| due.checked_add(carried_in)).ok_or(crate::exact::Overflow).map_err(too_large)?;
            entitlement.settle_at(due, StepKind::BestOf, Some("what another was worth to date stands".to_owned())).map_err(too_large)?;
        }
        if let Some(settled) = self.settled.get_mut(key) {
            (settled.entitlement, settled.carry, settled.earned) = (entitlement, carry, earned);
        }
        let mut others = rule.schedules.iter().filter(|other| *other != key);
        others.try_for_each(|other| self.lose(other, &format!("to date {key}")))
    }

    /// What the schedules of a group are worth to date, and were before.
    fn group(&self, rule: &BestOf) -> Result<Vec<ToDate<'a>>, Faults> {
        let mut group = Vec::with_capacity(rule.schedules.len());
        for key in &rule.schedules {
            let (Some((schedule, _)), Some(settled)) = (self.find(key), self.settled.get(key.as_str())) else { continue };
            let currency = currency_of(self.calculation.program, schedule);
            let worth = |figure: Option<&Figure<'a>>| figure.map(|figure| worth(schedule, currency, figure)).transpose();
            let figures = &settled.figures;
            let now = Some(&figures.now).filter(|now| now.is_in_scope());
            let loud = |overflow| Faults::from(out_of_range(schedule, overflow));
            group.push(ToDate { schedule, now: worth(now).map_err(loud)?, before: worth(figures.earlier.as_ref()).map_err(loud)? });
        }
        Ok(group)
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
            if self.find(key).is_some_and(|(schedule, _)| schedule.cumulative) {
                // Nothing reduces it; its group may have settled it.
                self.ensure(key)?;
            } else {
                self.settle_again(key)?;
            }
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
