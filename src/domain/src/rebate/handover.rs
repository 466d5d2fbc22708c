//! What one version of a program hands to the next: what the last period that it governs leaves to be taken by a later one goes into the
//! first period of the schedule of the same key that begins, by the rules of the next version, when that period is over.
//!
//! Every period is computed by the version that governs it (semantics 5), so that nothing is paid by the rules of one version that was
//! settled by those of another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::date::Date;
use crate::document::rebate::{BelowMinimum, RebateSchedule};
use crate::fault::Fault;
use crate::program::Program;

use super::entitle::forfeits_over_the_year;
use super::line::{basis_of, currency_of};
use super::stacking::stacked_with;

/// What a period of a schedule may leave to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A negative basis.
    Basis,
    /// A payout below the minimum.
    Payout,
    /// What was paid above a guarantee in the fiscal year.
    Surplus,
    /// What a cumulative schedule was guaranteed, and what it forfeited, to date in the fiscal year.
    ToDate,
}

/// A published version of a program, with its number.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Its number.
    pub number: i64,
    /// The version, which itself goes on with those before it.
    pub program: Arc<Program>,
}

/// The version before one, of which some schedule hands something on, and what of it each schedule takes.
#[derive(Debug, Clone)]
pub struct Handover {
    before: Numbered,
    taken: BTreeMap<String, BTreeSet<Kind>>,
}

/// A version before another one, with those of its schedules that count for what it hands over.
pub(super) struct Link<'p> {
    pub(super) number: i64,
    pub(super) program: &'p Program,
    pub(super) counting: BTreeSet<String>,
}

impl<'p> Link<'p> {
    fn schedules(&self) -> impl Iterator<Item = &'p RebateSchedule> {
        self.program.document.rebate_schedules.iter().filter(|schedule| self.counting.contains(&schedule.key))
    }
}

/// What a schedule hands from period to period by its own rules.
fn by_its_rules(schedule: &RebateSchedule) -> impl Iterator<Item = Kind> {
    let carries = schedule.minimum_payout.as_ref().is_some_and(|minimum| minimum.below == BelowMinimum::Carry);
    let guarantees = schedule.guarantee.as_ref().is_some_and(|guarantee| guarantee.cumulative);
    let kinds = [
        (Kind::Basis, schedule.carry_negative),
        (Kind::Payout, carries),
        (Kind::Surplus, guarantees && !schedule.cumulative),
        (Kind::ToDate, (guarantees && schedule.cumulative) || forfeits_over_the_year(schedule)),
    ];
    kinds.into_iter().filter_map(|(kind, is_handed)| is_handed.then_some(kind))
}

/// Whether a schedule hands anything to its next period by its own rules.
pub(super) fn needs_history(schedule: &RebateSchedule) -> bool {
    by_its_rules(schedule).next().is_some()
}

/// Whether earlier periods hand anything to those of a schedule: its own, or those of the version before.
pub(super) fn is_handed_on(program: &Program, schedule: &RebateSchedule) -> bool {
    needs_history(schedule) || takes_over(program, &schedule.key)
}

/// Whether a schedule takes anything from the version before.
fn takes_over(program: &Program, schedule: &str) -> bool {
    program.handover().is_some_and(|handover| handover.taken.contains_key(schedule))
}

/// What the last period of a schedule may hand to the next version. What it took itself may wait on, of a partner who takes no part.
fn handed_by(program: &Program, schedule: &RebateSchedule) -> BTreeSet<Kind> {
    let taken = program.handover().and_then(|handover| handover.taken.get(&schedule.key));
    by_its_rules(schedule).chain(taken.into_iter().flatten().copied()).collect()
}

/// What a schedule takes from the one of the same key of the version before.
fn taken_by(program: &Program, schedule: &RebateSchedule, before: &Program) -> BTreeSet<Kind> {
    let in_currency = |theirs: &&RebateSchedule| currency_of(before, theirs) == currency_of(program, schedule);
    let Some(theirs) = before.schedule(&schedule.key).filter(in_currency) else { return BTreeSet::new() };
    let same_year = meet_in_a_year(program, schedule, before, theirs);
    let is_taken = |kind: &Kind| match kind {
        // Bands that run on over the year count what is negative to date anyway.
        Kind::Basis => !schedule.cumulative && basis_of(schedule) == basis_of(theirs),
        Kind::Payout => true,
        Kind::Surplus => same_year,
        // Of the sum to date, which is another one where the schedule begins anew.
        Kind::ToDate => same_year && program.begun().contains_key(&schedule.key),
    };
    handed_by(before, theirs).into_iter().filter(is_taken).collect()
}

/// Whether the last period by the version before and the first one after it lie in one fiscal year.
fn meet_in_a_year(program: &Program, schedule: &RebateSchedule, before: &Program, theirs: &RebateSchedule) -> bool {
    if program.fiscal_year != before.fiscal_year {
        return false;
    }
    let at = program.effective_on();
    // Without a period of its own the version before hands on what it took.
    let Some(last) = last_governed(before, theirs, at) else { return true };
    let first = program.periods(&schedule.period).first_from(at.max(last.until));
    first.is_some_and(|first| program.fiscal_year.year_start(first.span.last_day()) == before.fiscal_year.year_start(last.last_day()))
}

/// The days of the last period of a schedule that a version governs, which another one follows on `at`.
pub(super) fn last_governed(program: &Program, schedule: &RebateSchedule, at: Date) -> Option<crate::date::Span> {
    let last = program.periods(&schedule.period).last_begun_before(at)?;
    (program.effective_on() <= last.span.from).then_some(last.span)
}

impl Handover {
    /// What a version takes from the one before it. None where that one hands nothing on, whoever follows it.
    pub(crate) fn between(before: &Numbered, program: &Program) -> Option<Self> {
        let theirs = &before.program;
        if theirs.document.rebate_schedules.iter().all(|schedule| handed_by(theirs, schedule).is_empty()) {
            return None;
        }
        let taken = |schedule: &RebateSchedule| (schedule.key.clone(), taken_by(program, schedule, theirs));
        let taken = program.document.rebate_schedules.iter().map(taken).filter(|(_, kinds)| !kinds.is_empty()).collect();
        Some(Self { before: before.clone(), taken })
    }

    /// The same of other rules than those of the version that it was made for.
    pub(crate) fn for_rules(&self, program: &Program) -> Option<Self> {
        Self::between(&self.before, program)
    }

    /// The same of some schedules alone.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.taken.retain(|key, _| keep(key));
    }

    /// What of all that is handed over a schedule takes.
    pub(super) fn takes(&self, schedule: &str, kind: Kind) -> bool {
        self.taken.get(schedule).is_some_and(|kinds| kinds.contains(&kind))
    }

    /// The version before, as far as it hands anything to these schedules.
    pub(super) fn to(&self, wanted: impl Fn(&str) -> bool) -> Option<Link<'_>> {
        let theirs = self.before.program.as_ref();
        let taken = self.taken.keys().filter(|key| wanted(key));
        let counting: BTreeSet<String> = taken.flat_map(|key| stacked_with(theirs, key)).collect();
        (!counting.is_empty()).then_some(Link { number: self.before.number, program: theirs, counting })
    }
}

/// The versions before one, the latest first, as far as they hand anything to these schedules of it.
pub(super) fn handing_to(program: &Program, wanted: impl Fn(&str) -> bool) -> Vec<Link<'_>> {
    let mut links: Vec<Link<'_>> = Vec::new();
    let mut next = program.handover().and_then(|handover| handover.to(wanted));
    while let Some(link) = next {
        next = link.program.handover().and_then(|handover| handover.to(|key| link.counting.contains(key)));
        links.push(link);
    }
    links
}

/// The schedules of versions before one that count for what these schedules of it are handed, each with its version.
pub(super) fn schedules_before(program: &Program, wanted: impl Fn(&str) -> bool) -> Vec<(&Program, &RebateSchedule)> {
    handing_to(program, wanted).into_iter().flat_map(|link| link.schedules().map(move |schedule| (link.program, schedule)).collect::<Vec<_>>()).collect()
}

/// A version and those before it that hand something to it: every schedule that counts for its rebates.
pub fn schedules_in_all(program: &Program) -> Vec<&RebateSchedule> {
    let before = schedules_before(program, |_| true).into_iter().map(|(_, schedule)| schedule);
    program.document.rebate_schedules.iter().chain(before).collect()
}

/// Whether a version goes on alike with the versions before it, whatever was published in between.
pub fn goes_on_alike(one: &Program, other: &Program) -> bool {
    let (mine, theirs) = (handing_to(one, |_| true), handing_to(other, |_| true));
    let same = |(mine, theirs): (&Link<'_>, &Link<'_>)| mine.number == theirs.number && mine.program.begun() == theirs.program.begun();
    one.begun() == other.begun() && mine.len() == theirs.len() && mine.iter().zip(&theirs).all(same)
}

/// What a version leaves of the one before it: schedules of that one which hand on payouts or a negative basis that no schedule takes. Nothing
/// is refused for it. `called` is what the version before is called in words.
pub fn carries_that_end(program: &Program, before: &Program, called: &str) -> Vec<Fault> {
    let said = handed_to_nobody(program, before).into_iter().map(|schedule| {
        let message = format!(
            "{schedule} of {called} carries small payouts or negative bases on, and no schedule of this key takes them over in the same currency \
             and measure: what is carried when this version takes effect is paid, or set off, by nobody"
        );
        Fault::new("CARRY_ENDS", "rebateSchedules", message)
    });
    said.collect()
}

/// Schedules of the version before that hand on payouts or a negative basis which no schedule of the next version takes.
pub(super) fn handed_to_nobody<'p>(program: &Program, before: &'p Program) -> Vec<&'p str> {
    let is_lost = |theirs: &&RebateSchedule| {
        let taken = program.schedule(&theirs.key).map(|schedule| taken_by(program, schedule, before)).unwrap_or_default();
        handed_by(before, theirs).iter().any(|kind| matches!(kind, Kind::Basis | Kind::Payout) && !taken.contains(kind))
    };
    before.document.rebate_schedules.iter().filter(is_lost).map(|schedule| schedule.key.as_str()).collect()
}
