//! The standing of a partner, put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::days::ReviewDays;
use super::decide::Decided;
use super::record::{history, in_force, region_of};
use super::{AwaitedEntry, LadderStanding, NextTier, Standing, TierOutcome, TierRecord, TierStanding, admission_leaf};
use crate::date::Date;
use crate::document::ladder::Ladder;
use crate::facts::Facts;
use crate::fault::Faults;
use crate::metric::{At, Evaluator, MetricValue};
use crate::program::Program;
use crate::requirement::{Gap, Judged, Node};

/// Whether reviews are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Due {
    /// On the days that the version's policy names.
    #[default]
    ByCalendar,
    /// On the date itself, in both directions: a review that was called by hand. Grace, protection and steps still hold.
    Now,
}

/// Where a partner stands on a date, with what is missing by the days on which it is decided. Refuses, with everything that is missing,
/// what cannot be evaluated (an exchange rate).
pub fn evaluate_partner(program: &Program, facts: &Facts, code: &str, as_of: Date) -> Result<Standing, Faults> {
    let mut standing = Evaluator::new(program, facts).standing(code, as_of, Due::ByCalendar)?;
    Evaluator::new(program, facts).known_until(as_of).tell_gaps_until(&mut standing, Date::MAX);
    Ok(standing)
}

/// Where many partners stand, in the order of `codes`. Cohorts are computed once for all of them.
pub fn evaluate_all<'c>(program: &Program, facts: &Facts, codes: impl IntoIterator<Item = &'c str>, as_of: Date) -> Vec<Result<Standing, Faults>> {
    let evaluator = Evaluator::new(program, facts);
    codes
        .into_iter()
        .map(|code| {
            let standing = evaluator.standing(code, as_of, Due::ByCalendar);
            evaluator.forget();
            standing
        })
        .collect()
}

/// The value of every metric of the program for a partner on a date, by key.
pub fn evaluate_metrics(program: &Program, facts: &Facts, code: &str, as_of: Date) -> Result<BTreeMap<String, Arc<MetricValue>>, Faults> {
    let evaluator = Evaluator::new(program, facts);
    let at = At::new(evaluator.partner(code)?, as_of);
    program.document.metrics.iter().map(|metric| Ok((metric.key.clone(), evaluator.value_of(metric, &at)?))).collect()
}

impl<'a> Evaluator<'a> {
    /// Where a partner stands on a date. What is missing is that of the date: [`Evaluator::tell_gaps`] tells it by the day on which it
    /// is decided.
    pub fn standing(&self, code: &str, as_of: Date, due: Due) -> Result<Standing, Faults> {
        let at = At::new(self.partner(code)?, as_of);
        let mut ladders = Vec::with_capacity(self.program.document.ladders.len());
        let main = self.program.ladder(None).map(|ladder| ladder.key.as_str());
        let mut evaluated = Vec::with_capacity(self.program.document.ladders.len());
        for ladder in &self.program.document.ladders {
            for region in self.regions_of(ladder, &at) {
                let at = at.in_region(region);
                ladders.push(self.ladder_standing(ladder, main == Some(&ladder.key), &at, due)?);
                evaluated.push((ladder, at));
            }
        }
        // Only now, since ladders may ask one another: the judged trees move into the answer instead of being copied.
        for (standing, (ladder, at)) in ladders.iter_mut().zip(&evaluated) {
            let outcome = self.take_outcome(ladder, at)?;
            standing.applies_to = outcome.applies_to;
            standing.tiers = outcome.tiers;
        }
        Ok(Standing {
            partner: at.partner.code.clone(),
            as_of,
            program: self.program.code().to_owned(),
            version_effective_on: self.program.effective_on(),
            status: Self::status(&at),
            enrolled: at.enrollment().is_some(),
            ladders,
        })
    }

    fn ladder_standing(&self, ladder: &'a Ladder, main: bool, at: &At<'a>, due: Due) -> Result<LadderStanding, Faults> {
        let outcome = self.outcome(ladder, at)?;
        let Decided { rank, decision } = self.decide(ladder, at, &outcome, due)?;
        let records = history(ladder, at.partner, region_of(ladder, at));
        let record = in_force(&records, at.as_of).map(|held| TierRecord {
            tier: held.tier.map(str::to_owned),
            rank: held.rank,
            from: held.span.from,
            cause: held.cause,
        });
        let key_of = |rank: u32| ladder.at_rank(rank).map(|tier| tier.key.clone());
        Ok(LadderStanding {
            ladder: ladder.key.clone(),
            main,
            region: at.region.map(str::to_owned),
            applies: outcome.applies(),
            applies_to: None,
            tier: key_of(rank),
            rank,
            qualified: key_of(outcome.qualified),
            granted: key_of(outcome.granted),
            record,
            next: self.next_tier(ladder, at, &outcome, rank),
            awaiting: awaiting(ladder, outcome.applies(), &outcome.tiers, rank),
            keep: gap_to_keep(ladder, (outcome.applies_to.as_ref(), &outcome.tiers), rank, outcome.granted, Gap::without_choices),
            decision,
            tiers: Vec::new(),
        })
    }

    fn next_tier(&self, ladder: &Ladder, at: &At<'a>, outcome: &TierOutcome, rank: u32) -> Option<NextTier> {
        ladder.at_rank(rank + 1)?;
        let review_on = ReviewDays::up(ladder, rank + 1, at, self.program.fiscal_year).next_after(at.as_of);
        next_tier(ladder, (outcome.applies_to.as_ref(), &outcome.tiers), rank, review_on, Gap::without_choices)
    }
}

/// Who is judged, and the tiers, judged.
type JudgedLadder<'j> = (Option<&'j Judged>, &'j [TierStanding]);

impl LadderStanding {
    /// Fills in, with every way, what follows from the tree of who is judged, the tiers, the decision and the next day for going up.
    pub(super) fn complete(&mut self, ladder: &Ladder, review_on: Option<Date>) {
        let judged = (self.applies_to.as_ref(), self.tiers.as_slice());
        let whole = |judged: &Judged| Gap::of(judged, None);
        self.next = next_tier(ladder, judged, self.rank, review_on, whole);
        self.awaiting = awaiting(ladder, self.applies, &self.tiers, self.rank);
        self.keep = gap_to_keep(ladder, judged, self.rank, ladder.rank(self.granted.as_deref()), whole);
    }
}

fn next_tier(ladder: &Ladder, judged: JudgedLadder<'_>, rank: u32, review_on: Option<Date>, spell: fn(&Judged) -> Gap) -> Option<NextTier> {
    let next = ladder.at_rank(rank + 1)?;
    let gap = tier_gap(ladder, judged, rank + 1, true, spell);
    Some(NextTier { tier: next.key.clone(), rank: rank + 1, entry: next.entry, gap, review_on })
}

/// The tiers above the one that is held that are met and may not be entered yet.
fn awaiting(ladder: &Ladder, applies: bool, tiers: &[TierStanding], rank: u32) -> Vec<AwaitedEntry> {
    let not_let_in = |tier: &&TierStanding| applies && tier.rank > rank && tier.met && !tier.admitted;
    let name = |tier: &TierStanding| ladder.at_rank(tier.rank).and_then(|tier| tier.name.clone());
    let entry = |tier: &TierStanding| AwaitedEntry { tier: tier.tier.clone(), name: name(tier), rank: tier.rank, entry: tier.entry };
    tiers.iter().filter(not_let_in).map(entry).collect()
}

/// What is missing to keep a tier: nothing where a higher one is met and open, since that is a way to it too.
fn gap_to_keep(ladder: &Ladder, judged: JudgedLadder<'_>, rank: u32, granted: u32, spell: fn(&Judged) -> Gap) -> Gap {
    if granted > rank { Gap::default() } else { tier_gap(ladder, judged, rank, false, spell) }
}

/// What is missing for a tier on the date: its requirement, those of the lower tiers where the ladder asks for them, the admission.
fn tier_gap(ladder: &Ladder, (applies_to, tiers): JudgedLadder<'_>, rank: u32, to_enter: bool, spell: fn(&Judged) -> Gap) -> Gap {
    let asked = |tier: &&TierStanding| tier.rank == rank || (ladder.lower_tiers_must_hold && tier.rank < rank);
    let mut unmet: Vec<&Judged> = tiers.iter().filter(asked).filter_map(|tier| tier.requirement.as_ref()).filter(|judged| !judged.met).collect();
    unmet.extend(applies_to.filter(|judged| !judged.met));
    let gap = gap_of(unmet, spell);
    let tier = tiers.iter().find(|tier| tier.rank == rank && to_enter && !tier.admitted);
    match tier.and_then(|tier| admission_leaf(ladder.at_rank(tier.rank)?)) {
        Some(leaf) => gap.and(leaf, None),
        None => gap,
    }
}

/// What is missing of requirements that are not met, as `spell` tells it of one.
pub(super) fn gap_of(unmet: Vec<&Judged>, spell: impl Fn(&Judged) -> Gap) -> Gap {
    match unmet.as_slice() {
        [] => Gap::default(),
        [one] => spell(one),
        several => {
            let of = several.iter().map(|judged| (*judged).clone()).collect();
            spell(&Judged { met: false, label: None, node: Node::AllOf { of } })
        }
    }
}
