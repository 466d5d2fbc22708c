//! What is about to be lost: which leaf of the present tier fails on which day if nothing more comes in.
//!
//! Judged on every day on which anything can change (certificates that expire, sales that leave a window, plans that lapse,
//! releases that make a certificate old, admissions that run out), so the day that is named is the day.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::ladder::Ladder;
use crate::document::requirement::Requirement;
use crate::facts::Facts;
use crate::fault::Faults;
use crate::metric::{At, Evaluator};
use crate::program::Program;
use crate::requirement::{Condition, Judged, Leaf, LeafKind, LeafWords, Step, ToldLeaf, conditions};
use crate::sentence::Sentence;

use super::outcome::reviewed_rank;
use super::record::admitted;
use super::standing::Due;
use super::{LadderStanding, admission_leaf, admission_of};

/// What threatens the tier that a partner holds in a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderRisk {
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The tier that is held.
    pub tier: String,
    /// Whether its requirement fails already, and no higher tier is given.
    pub failing: bool,
    /// The first day on which the tier's requirement is not met, nor a higher tier given. The policy of reviews decides when the tier is lost.
    pub fails_on: Option<Date>,
    /// The leaves that fail, first ones first. A leaf may fail and the tier hold on another path.
    pub leaves: Vec<LeafRisk>,
}

/// A condition that fails; it is told as a leaf, also a NOT that holds no longer or groups that are too few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRisk {
    /// The first day on which it is not met; the date of the evaluation when it fails already.
    pub fails_on: Date,
    /// The label of the node around it, or its own.
    pub label: Option<String>,
    /// The leaf as it will be judged on that day.
    pub leaf: Leaf,
    /// The sentence of a node that fails as a whole.
    of_node: Option<Sentence>,
}

impl LeafRisk {
    fn of(condition: &Condition<'_>, fails_on: Date) -> Self {
        Self { fails_on, label: condition.label.map(str::to_owned), leaf: condition.leaf(), of_node: condition.of_node() }
    }

    fn of_leaf(leaf: Leaf, fails_on: Date) -> Self {
        Self { fails_on, label: None, leaf, of_node: None }
    }

    /// In plain language, as it will be on that day.
    pub fn sentence(&self) -> Sentence {
        self.of_node.clone().unwrap_or_else(|| self.leaf.sentence(None))
    }
}

impl Serialize for LeafRisk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'r> {
            fails_on: Date,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'r str>,
            leaf: ToldLeaf<'r>,
        }
        Wire { fails_on: self.fails_on, label: self.label.as_deref(), leaf: ToldLeaf(&self.leaf, self.sentence()) }.serialize(serializer)
    }
}

/// What threatens the tiers that a partner holds after the evaluation of `as_of`, up to and without `horizon`, if nothing more
/// comes in after `as_of`. Ladders in which no tier is held are left out, and tiers that an override holds or that are inherited.
pub fn at_risk(program: &Program, facts: &Facts, code: &str, as_of: Date, horizon: Date) -> Result<Vec<LadderRisk>, Faults> {
    Evaluator::new(program, facts).known_until(as_of).at_risk(code, as_of, horizon)
}

impl<'a> Evaluator<'a> {
    /// What threatens the tiers of a partner, see [`at_risk`]. An evaluator that knows later facts asks one that does not.
    pub fn at_risk(&self, code: &str, as_of: Date, horizon: Date) -> Result<Vec<LadderRisk>, Faults> {
        if self.known_until != as_of {
            return Evaluator::new(self.program, self.facts).known_until(as_of).at_risk(code, as_of, horizon);
        }
        let partner = self.partner(code)?;
        let mut risks = Vec::new();
        for standing in self.standing(code, as_of, Due::ByCalendar)?.ladders.iter().filter(|standing| standing.rank > 0 && standing.is_own()) {
            let Some(ladder) = self.program.ladder(Some(&standing.ladder)) else { continue };
            let at = self.at_region(ladder, standing.region.as_deref(), &At::new(partner, as_of));
            if self.is_held_by_override(ladder, standing.rank, &at) {
                continue;
            }
            risks.push(self.ladder_risk(ladder, standing.rank, &at, horizon)?);
        }
        Ok(risks)
    }

    /// What fails first of the tiers that a standing gives, up to and without `horizon` of each: the first day on which a tier is
    /// not met, and the leaves that fail on it. A tier that asks for nothing, or that holds until then, is left out. Cheaper than
    /// [`Evaluator::at_risk`], which looks on for later leaves. The evaluator must not know later facts.
    pub fn first_failures(&self, standing: &LadderStanding, partner: &str, as_of: Date, horizon: Date) -> Result<Option<LadderRisk>, Faults> {
        let Some(ladder) = self.program.ladder(Some(&standing.ladder)).filter(|_| standing.rank > 0) else { return Ok(None) };
        let at = self.at_region(ladder, standing.region.as_deref(), &At::new(self.partner(partner)?, as_of));
        if self.is_held_by_override(ladder, standing.rank, &at) {
            return Ok(None);
        }
        // Whether it is met on the day itself has been judged.
        let mut days = match (standing.keep.is_empty(), standing.may_fail()) {
            (false, _) => BTreeSet::from([as_of]),
            (true, true) => self.tier_days(ladder, standing.rank, &at, Span::new(as_of.next(), horizon))?,
            (true, false) => BTreeSet::new(),
        };
        let mut covered = false;
        while let Some(day) = days.pop_first() {
            if self.holds_on(ladder, standing.rank, &at.on(day))? {
                continue;
            }
            if self.is_covered(ladder, standing.rank, &at.on(day))? {
                self.watch_cover(ladder, &at, (&mut covered, &mut days), Span::new(day.next(), horizon))?;
                continue;
            }
            let then = self.held_on(ladder, standing.rank, &at.on(day))?;
            let failing = conditions(&then.asked).into_iter().filter(|condition| !condition.met).map(|condition| LeafRisk::of(&condition, day));
            let leaves = failing.chain(then.outside.into_iter().map(|leaf| LeafRisk::of_leaf(leaf, day))).collect();
            let risk = LadderRisk {
                ladder: standing.ladder.clone(),
                region: standing.region.clone(),
                tier: standing.tier.clone().unwrap_or_default(),
                failing: day == as_of,
                fails_on: Some(day),
                leaves,
            };
            return Ok(Some(risk));
        }
        Ok(None)
    }

    fn ladder_risk(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>, horizon: Date) -> Result<LadderRisk, Faults> {
        let now = self.held_on(ladder, rank, at)?;
        let mut watch = Watch::default();
        watch.look(&now, at.as_of, !now.met, true);
        let mut fails_on = (!now.met).then_some(at.as_of);
        let ahead = Span::new(at.as_of.next(), horizon);
        let mut days = self.tier_days(ladder, rank, at, ahead)?;
        let (mut covered, mut was_covered) = (false, now.covered);
        if now.covered {
            self.watch_cover(ladder, at, (&mut covered, &mut days), ahead)?;
        }
        while let Some(day) = days.pop_first() {
            if watch.is_over() && fails_on.is_some() {
                break;
            }
            let then = self.held_on(ladder, rank, &at.on(day))?;
            if then.covered {
                self.watch_cover(ladder, at, (&mut covered, &mut days), Span::new(day.next(), horizon))?;
            }
            let lost = fails_on.is_none() && !then.met;
            if lost {
                fails_on = Some(day);
            }
            // What failed under a higher tier begins to matter with its end.
            watch.look(&then, day, lost, lost && was_covered);
            was_covered = then.covered;
        }
        let tier = ladder.at_rank(rank).map(|tier| tier.key.clone()).unwrap_or_default();
        Ok(LadderRisk { ladder: ladder.key.clone(), region: at.region.map(str::to_owned), tier, failing: !now.met, fails_on, leaves: watch.risks })
    }

    /// One tier on one day: who is judged at all, the tier itself, and the lower ones where the ladder asks for them; whether the partner
    /// takes part, and is still let in.
    fn held_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<HeldOn, Faults> {
        let asked = self.asked_on(ladder, rank, at).map(|requirement| self.judge(requirement, at)).collect::<Result<Vec<Judged>, Faults>>()?;
        let mut outside = Vec::new();
        if at.enrollment().is_none() {
            let words = LeafWords { subject: Some("that are enrolled".to_owned()), ..LeafWords::new(LeafKind::Partner, "ENROLLMENT".to_owned()) };
            outside.push(Leaf::yes_or_no(words, false));
        }
        outside.extend(self.admission_that_is_over(ladder, rank, at));
        let met = outside.is_empty() && asked.iter().all(|judged| judged.met);
        let covered = !met && self.is_covered(ladder, rank, at)?;
        Ok(HeldOn { met: met || covered, covered, asked, outside })
    }

    /// Whether a tier cannot be lost although it is not met: it, or a higher one, is given on the day.
    fn is_covered(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<bool, Faults> {
        Ok(at.enrollment().is_some() && self.outcome(ladder, at)?.inherited >= rank)
    }

    /// From the first day on on which something else than the tier itself covers it, the days of the whole ladder count.
    fn watch_cover(&self, ladder: &'a Ladder, at: &At<'a>, (watched, days): (&mut bool, &mut BTreeSet<Date>), ahead: Span) -> Result<(), Faults> {
        if !std::mem::replace(watched, true) && !ahead.is_empty() {
            days.extend(self.ladder_days(ladder, at, ahead)?);
        }
        Ok(())
    }

    /// The admission to a tier where it is over on the day: the tier is lost then, whatever it asks for. Not where it holds on the day
    /// until which things are known by something else, such as a parent or an override.
    fn admission_that_is_over(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Option<Leaf> {
        let tier = ladder.at_rank(rank).filter(|tier| admission_of(tier.entry).is_some())?;
        let is_admitted = |at: &At<'a>| admitted(ladder, at, tier, rank, reviewed_rank(ladder, at));
        let over = !is_admitted(at) && is_admitted(&at.on(self.known_until));
        over.then(|| admission_leaf(tier)).flatten()
    }

    /// The same, as yes or no.
    fn holds_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<bool, Faults> {
        let mut met = at.enrollment().is_some() && self.admission_that_is_over(ladder, rank, at).is_none();
        for requirement in self.asked_on(ladder, rank, at) {
            met = met && self.holds(requirement, at)?;
        }
        Ok(met)
    }

    fn asked_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> impl Iterator<Item = &'a Requirement> {
        ladder.applies_to.iter().chain(ladder.asked_tiers(rank).filter_map(|tier| self.asked_of(tier, at)))
    }
}

/// A tier on a day.
struct HeldOn {
    /// Met, or covered.
    met: bool,
    /// Not met itself, and given by a higher tier.
    covered: bool,
    /// Everything that was asked, judged.
    asked: Vec<Judged>,
    /// What fails besides.
    outside: Vec<Leaf>,
}

/// Conditions, watched from day to day.
#[derive(Default)]
struct Watch {
    /// By place: whether it was met when it was last seen, and whether it has been told.
    seen: BTreeMap<Vec<Step>, (bool, bool)>,
    risks: Vec<LeafRisk>,
}

impl Watch {
    /// Tells what begins to fail on a day: what was met before or is asked for the first time, once; on the day of the loss also what
    /// failed and was met again in the meantime. On the first day, what fails is told where the tier does not hold: otherwise it is of
    /// another path.
    fn look(&mut self, then: &HeldOn, day: Date, lost: bool, first: bool) {
        for condition in conditions(&then.asked) {
            let before = self.seen.get(&condition.place).copied();
            let begins = !condition.met && if first { lost } else { before.is_none_or(|(met, _)| met) };
            let told = before.is_some_and(|(_, told)| told);
            if begins && (!told || lost) {
                self.risks.push(LeafRisk::of(&condition, day));
            }
            self.seen.insert(condition.place, (condition.met, told || begins));
        }
        if lost {
            self.risks.extend(then.outside.iter().map(|leaf| LeafRisk::of_leaf(leaf.clone(), day)));
        }
    }

    /// Whether nothing that has been seen could still be told.
    fn is_over(&self) -> bool {
        !self.seen.values().any(|(met, told)| *met && !told)
    }
}
