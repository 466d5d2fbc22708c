//! What is about to be lost: which leaf of the present tier fails on which day if nothing more comes in.
//!
//! Judged on every day on which anything can change (certificates that expire, sales that leave a window, plans that lapse,
//! releases that make a certificate old), so the day that is named is the day.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::ladder::Ladder;
use crate::document::requirement::Requirement;
use crate::facts::Facts;
use crate::fault::Faults;
use crate::metric::{At, Evaluator};
use crate::program::Program;
use crate::requirement::{Judged, Leaf, Node};

use super::LadderStanding;
use super::standing::Due;

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
    /// Whether its requirement fails already.
    pub failing: bool,
    /// The first day on which the tier's requirement is not met. The policy of reviews decides when the tier is lost.
    pub fails_on: Option<Date>,
    /// The leaves that fail, first ones first. A leaf may fail and the tier hold on another path.
    pub leaves: Vec<LeafRisk>,
}

/// A leaf that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafRisk {
    /// The first day on which it is not met; the date of the evaluation when it fails already.
    pub fails_on: Date,
    /// The label of the node around it, or its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The leaf as it will be judged on that day.
    pub leaf: Leaf,
}

/// What threatens the tiers that a partner holds after the evaluation of `as_of`, up to and without `horizon`, if nothing more
/// comes in after `as_of`. Ladders in which no tier is held are left out.
pub fn at_risk(program: &Program, facts: &Facts, code: &str, as_of: Date, horizon: Date) -> Result<Vec<LadderRisk>, Faults> {
    Evaluator::new(program, facts).known_until(as_of).at_risk(code, as_of, horizon)
}

/// Leaves by their place in the tree.
type Places<'j> = Vec<(Vec<usize>, Option<&'j str>, &'j Leaf)>;

fn places<'j>(judged: &'j Judged, place: &mut Vec<usize>, label: Option<&'j str>, found: &mut Places<'j>) {
    let label = judged.label.as_deref().or(label);
    if let Node::Leaf(leaf) = &judged.node {
        found.push((place.clone(), label, leaf));
    }
    for (index, child) in judged.children().into_iter().enumerate() {
        place.push(index);
        places(child, place, label, found);
        place.pop();
    }
}

/// The leaves that are asked for: one under a NOT or a path that is not taken changes nothing by failing, but is told too.
fn leaves(asked: &[Judged]) -> Places<'_> {
    let mut found = Places::new();
    for (index, judged) in asked.iter().enumerate() {
        places(judged, &mut vec![index], None, &mut found);
    }
    found
}

impl<'a> Evaluator<'a> {
    /// What threatens the tiers of a partner, see [`at_risk`]. An evaluator that knows later facts asks one that does not.
    pub fn at_risk(&self, code: &str, as_of: Date, horizon: Date) -> Result<Vec<LadderRisk>, Faults> {
        if self.known_until != as_of {
            return Evaluator::new(self.program, self.facts).known_until(as_of).at_risk(code, as_of, horizon);
        }
        let partner = self.partner(code)?;
        let mut risks = Vec::new();
        for standing in self.standing(code, as_of, Due::ByCalendar)?.ladders.iter().filter(|standing| standing.rank > 0) {
            let Some(ladder) = self.program.ladder(Some(&standing.ladder)) else { continue };
            let at = self.at_region(ladder, standing.region.as_deref(), &At::new(partner, as_of));
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
        // Whether it is met on the day itself has been judged.
        let days = match (standing.keep.is_empty(), standing.may_fail()) {
            (false, _) => BTreeSet::from([as_of]),
            (true, true) => self.tier_days(ladder, standing.rank, &at, Span::new(as_of.next(), horizon))?,
            (true, false) => BTreeSet::new(),
        };
        for day in days {
            if self.holds_on(ladder, standing.rank, &at.on(day))? {
                continue;
            }
            let then = self.held_on(ladder, standing.rank, &at.on(day))?;
            let failing = leaves(&then.asked).into_iter().filter(|(_, _, leaf)| !leaf.met());
            let leaf = |(_, label, leaf): (Vec<usize>, Option<&str>, &Leaf)| LeafRisk { fails_on: day, label: label.map(str::to_owned), leaf: leaf.clone() };
            let risk = LadderRisk {
                ladder: standing.ladder.clone(),
                region: standing.region.clone(),
                tier: standing.tier.clone().unwrap_or_default(),
                failing: day == as_of,
                fails_on: Some(day),
                leaves: failing.map(leaf).collect(),
            };
            return Ok(Some(risk));
        }
        Ok(None)
    }

    fn ladder_risk(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>, horizon: Date) -> Result<LadderRisk, Faults> {
        let now = self.held_on(ladder, rank, at)?;
        let failing = !now.met;
        let mut risks: Vec<LeafRisk> = Vec::new();
        let mut watched: Vec<Vec<usize>> = Vec::new();
        for (place, label, leaf) in leaves(&now.asked) {
            if leaf.met() {
                watched.push(place);
            } else if failing {
                risks.push(LeafRisk { fails_on: at.as_of, label: label.map(str::to_owned), leaf: leaf.clone() });
            }
        }
        let mut fails_on = failing.then_some(at.as_of);
        for day in self.tier_days(ladder, rank, at, Span::new(at.as_of.next(), horizon))? {
            if watched.is_empty() && fails_on.is_some() {
                break;
            }
            let then = self.held_on(ladder, rank, &at.on(day))?;
            if fails_on.is_none() && !then.met {
                fails_on = Some(day);
            }
            for (place, label, leaf) in leaves(&then.asked) {
                if !leaf.met() && watched.contains(&place) {
                    watched.retain(|known| *known != place);
                    risks.push(LeafRisk { fails_on: day, label: label.map(str::to_owned), leaf: leaf.clone() });
                }
            }
        }
        let tier = ladder.at_rank(rank).map(|tier| tier.key.clone()).unwrap_or_default();
        Ok(LadderRisk { ladder: ladder.key.clone(), region: at.region.map(str::to_owned), tier, failing, fails_on, leaves: risks })
    }

    /// One tier on one day: who is judged at all, the tier itself, and the lower ones where the ladder asks for them.
    fn held_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<HeldOn, Faults> {
        let asked = self.asked_on(ladder, rank, at).map(|requirement| self.judge(requirement, at)).collect::<Result<Vec<Judged>, Faults>>()?;
        Ok(HeldOn { met: at.enrollment().is_some() && asked.iter().all(|judged| judged.met), asked })
    }

    /// The same, as yes or no.
    fn holds_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<bool, Faults> {
        let mut met = at.enrollment().is_some();
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
    met: bool,
    /// Everything that was asked, judged.
    asked: Vec<Judged>,
}
