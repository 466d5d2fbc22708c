//! Judging one part of the partners in both worlds.

use std::collections::BTreeMap;

use super::near::near;
use super::tally::{Tally, Unsummed};
use super::{Direction, Judging, Move, Simulation, benefits, rebates, why};
use crate::benefit::{HeldTier, HeldTiers};
use crate::date::Date;
use crate::facts::Facts;
use crate::fault::Faults;
use crate::levelling::Verdict;
use crate::metric::{At, Evaluator};
use crate::program::Program;
use crate::rebate::batch::ColumnSums;

/// A partner of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'c> {
    /// Its code.
    pub code: &'c str,
    /// Whether it is told about. Others are judged because a budget is shared with them.
    pub told: bool,
    /// Its sums of the columns that [`Simulation::rebate_columns`] names; none where its rebates are computed from the lines among its facts.
    pub sums: Option<&'c [ColumnSums]>,
}

/// The tiers of the partners that move, by code: ladder, region, tier after.
pub(super) type Moved = BTreeMap<String, MovedTiers>;

/// Ladder, region, tier after.
pub(super) type MovedTiers = Vec<(String, Option<String>, Option<String>)>;

/// What a partner holds in one world.
pub(super) struct Judged<'a> {
    pub(super) verdicts: Vec<Verdict<'a>>,
    judging: Judging,
}

impl<'a> Judged<'a> {
    fn of(evaluator: &Evaluator<'a>, code: &str, as_of: Date, judging: Judging) -> Result<Self, Faults> {
        Ok(Self { verdicts: evaluator.verdicts(code, as_of, judging.due())?, judging })
    }

    fn rank(&self, verdict: &Verdict<'_>) -> u32 {
        match self.judging {
            Judging::RulesAlone => verdict.outcome.evaluated,
            Judging::Review | Judging::ReviewByCalendar => verdict.rank,
        }
    }

    fn tier(&self, verdict: &Verdict<'a>) -> Option<&'a str> {
        verdict.ladder.at_rank(self.rank(verdict)).map(|tier| tier.key.as_str())
    }

    fn find(&self, ladder: &str, region: Option<&str>) -> Option<&Verdict<'a>> {
        self.verdicts.iter().find(|verdict| verdict.ladder.key == ladder && verdict.region == region)
    }

    /// The tiers as entitlements ask for them.
    pub(super) fn held(&self) -> HeldTiers {
        let held = self.verdicts.iter().filter_map(|verdict| {
            let until = verdict.decision.overridden.as_ref().map(|held| held.span.until).filter(|until| *until < Date::MAX);
            Some(HeldTier { ladder: verdict.ladder.key.clone(), region: verdict.region.map(str::to_owned), tier: self.tier(verdict)?.to_owned(), until })
        });
        HeldTiers(held.collect())
    }

    /// The tier of the main ladder; of several regions the best.
    pub(super) fn main_tier(&self, program: &Program) -> Option<&'a str> {
        let main = program.ladder(None)?;
        let of_main = self.verdicts.iter().filter(|verdict| verdict.ladder.key == main.key);
        of_main.max_by_key(|verdict| self.rank(verdict)).and_then(|verdict| self.tier(verdict))
    }
}

impl Simulation {
    /// Judges a part of the partners over the facts that are read for it: reality, and the facts of the hypothesis where it
    /// changes somebody among them. A partner that cannot be judged in one of the worlds is told with its faults and left out
    /// of the counts; one whose rebate cannot be computed is left out of that sum.
    pub fn judge(&self, reality: &Facts, hypothesis: Option<&Facts>, asked: &[Asked<'_>]) -> Tally {
        let mut tally = Tally::new(self.terms.listed);
        let mut moved = Moved::new();
        let mut judged = Vec::with_capacity(asked.len());
        let part = Part::new(self, reality, hypothesis);
        for partner in asked {
            match part.compare(*partner, &mut tally, &mut moved) {
                Ok(()) => judged.push(*partner),
                Err(faults) => tally.fail(partner.code, faults),
            }
            part.before.forget();
            part.after.forget();
        }
        rebates::compare(self, (reality, hypothesis), &judged, &moved, &mut tally);
        tally
    }

    /// Computes, from the lines among their facts, the rebates of partners whose sums did not suffice, in the periods in which they did not.
    pub fn judge_from_lines(&self, reality: &Facts, hypothesis: Option<&Facts>, unsummed: &[Unsummed]) -> Tally {
        let mut tally = Tally::new(self.terms.listed);
        for period in &self.periods {
            let of_period = || unsummed.iter().filter(|one| one.period == period.name);
            let asked: Vec<Asked<'_>> = of_period().map(|one| Asked { code: &one.partner, told: one.told, sums: None }).collect();
            let moved: Moved = of_period().filter(|one| !one.tiers.is_empty()).map(|one| (one.partner.clone(), one.tiers.clone())).collect();
            rebates::compare_period(self, period, (reality, hypothesis), &asked, &moved, &mut tally);
        }
        tally
    }
}

/// The two worlds over one part's facts.
pub(super) struct Part<'a> {
    pub(super) simulation: &'a Simulation,
    pub(super) before: Evaluator<'a>,
    pub(super) after: Evaluator<'a>,
    /// Whether the facts are different.
    pub(super) other_facts: bool,
}

impl<'a> Part<'a> {
    fn new(simulation: &'a Simulation, reality: &'a Facts, hypothesis: Option<&'a Facts>) -> Self {
        let before = Evaluator::new(&simulation.before, reality);
        let after = Evaluator::new(&simulation.after, hypothesis.unwrap_or(reality));
        Self { simulation, before, after, other_facts: hypothesis.is_some() }
    }

    fn compare(&self, asked: Asked<'_>, tally: &mut Tally, moved: &mut Moved) -> Result<(), Faults> {
        let terms = &self.simulation.terms;
        let before = Judged::of(&self.before, asked.code, terms.as_of, terms.judging)?;
        let (anew, again) = self.judge_after(asked.code, &before)?;
        let after = anew.as_ref().unwrap_or(&before);
        let moves = anew.as_ref().map(|after| moves(asked.code, &before, after)).unwrap_or_default();
        let benefits = if terms.benefits && asked.told { benefits::compare(self, asked.code, &before, after, !moves.is_empty())? } else { Vec::new() };
        if !moves.is_empty() {
            let tiers = moves.iter().map(|moved| (moved.ladder.clone(), moved.region.clone(), moved.to.clone()));
            moved.insert(asked.code.to_owned(), tiers.collect());
        }
        if asked.told {
            tally.judged();
            for verdict in &after.verdicts {
                let then = before.find(&verdict.ladder.key, verdict.region).and_then(|then| before.tier(then));
                tally.cell(&verdict.ladder.key, then, after.tier(verdict));
                near(asked.code, verdict, &again, after.rank(verdict), &terms.near).for_each(|near| tally.near(near));
            }
            for then in before.verdicts.iter().filter(|then| after.find(&then.ladder.key, then.region).is_none()) {
                tally.cell(&then.ladder.key, before.tier(then), None);
            }
            tally.moved(moves);
            benefits.into_iter().for_each(|change| tally.benefit(change));
        }
        Ok(())
    }
}

/// The requirement of a tier, judged by the rules of the hypothesis, of a partner that does not move: ladder, region and rank, and the
/// tree.
pub(super) type Again<'a> = Vec<((&'a str, Option<&'a str>, u32), crate::requirement::Judged)>;

impl<'a> Part<'a> {
    /// What the partner holds after the change, where that may be something else. Where only requirements of tiers are different, these are
    /// judged first: whoever has the same verdicts holds the same tiers, and the rest is not judged again.
    fn judge_after(&self, code: &str, before: &Judged<'a>) -> Result<(Option<Judged<'a>>, Again<'a>), Faults> {
        let Simulation { delta, terms, .. } = self.simulation;
        if !delta.levelling && !self.other_facts {
            return Ok((None, Vec::new()));
        }
        if !self.other_facts {
            self.after.take_shared(&self.before, &delta.shared);
        }
        if let Some(again) = self.judge_changed_tiers(code, before)? {
            return Ok((None, again));
        }
        Ok((Some(Judged::of(&self.after, code, terms.as_of, terms.judging)?), Vec::new()))
    }

    /// The changed requirements, judged; none where more has to be judged, or one of them has another verdict.
    fn judge_changed_tiers(&self, code: &str, before: &Judged<'a>) -> Result<Option<Again<'a>>, Faults> {
        let Some(changed) = self.simulation.delta.tiers.as_ref().filter(|_| !self.other_facts) else { return Ok(None) };
        let at = At::new(self.after.partner(code)?, self.simulation.terms.as_of);
        let mut again = Again::new();
        for (ladder, rank) in changed {
            let Some(ladder) = self.simulation.after.document.ladders.get(*ladder) else { return Ok(None) };
            let Some(tier) = ladder.tiers.get(*rank) else { return Ok(None) };
            for then in before.verdicts.iter().filter(|then| then.ladder.key == ladder.key) {
                let at = at.in_region(then.region);
                let judged = self.after.asked_of(tier, &at).map(|requirement| self.after.judge(requirement, &at)).transpose()?;
                let met = |judged: Option<&crate::requirement::Judged>| judged.is_none_or(|judged| judged.met);
                let Some(standing) = then.outcome.tiers.get(*rank) else { return Ok(None) };
                if met(judged.as_ref()) != met(standing.requirement.as_ref()) {
                    return Ok(None);
                }
                again.extend(judged.map(|judged| ((ladder.key.as_str(), then.region, standing.rank), judged)));
            }
        }
        Ok(Some(again))
    }
}

/// The ladders in which the partner holds another tier, explained.
fn moves(code: &str, before: &Judged<'_>, after: &Judged<'_>) -> Vec<Move> {
    let gone = before.verdicts.iter().filter(|then| after.find(&then.ladder.key, then.region).is_none()).map(|then| (Some(then), None));
    let there = after.verdicts.iter().map(|now| (before.find(&now.ladder.key, now.region), Some(now)));
    let mut moves = Vec::new();
    for (then, now) in there.chain(gone) {
        let (from, to) = (then.and_then(|then| before.tier(then)), now.and_then(|now| after.tier(now)));
        let Some(verdict) = now.or(then).filter(|_| from != to) else { continue };
        // By the ladder as it is after, since a tier may stand elsewhere on it; one that it has no more by where it stood.
        let rank = |tier: Option<&str>| match verdict.ladder.rank(tier) {
            0 => then.map_or(0, |then| then.ladder.rank(tier)),
            rank => rank,
        };
        let direction = match rank(to).cmp(&rank(from)) {
            std::cmp::Ordering::Greater => Direction::Up,
            std::cmp::Ordering::Less => Direction::Down,
            std::cmp::Ordering::Equal => Direction::Aside,
        };
        let moved = Move {
            partner: code.to_owned(),
            ladder: verdict.ladder.key.clone(),
            region: verdict.region.map(str::to_owned),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            direction,
            on_record: verdict.recorded.map(str::to_owned),
            leaves: Vec::new(),
            reasons: Vec::new(),
            reasons_gone: Vec::new(),
            text: String::new(),
        };
        moves.push(why::explain(moved, then, now));
    }
    moves
}
