//! What a partner would hold, without what explains it to people: for comparisons of many partners.

use std::rc::Rc;

use super::decide::Decided;
use super::record::{history, in_force, region_of};
use super::{Decision, Due, TierOutcome};
use crate::date::Date;
use crate::document::ladder::Ladder;
use crate::fault::Faults;
use crate::metric::{At, Evaluator};

/// What one ladder gives one partner, in one region where it is held per region.
pub(crate) struct Verdict<'a> {
    /// The ladder.
    pub(crate) ladder: &'a Ladder,
    /// The region, where the ladder's scope is the partner in a region.
    pub(crate) region: Option<&'a str>,
    /// The rank held after a review; 0 for none.
    pub(crate) rank: u32,
    /// Why.
    pub(crate) decision: Decision,
    /// Every tier, judged.
    pub(crate) outcome: Rc<TierOutcome>,
    /// The tier on record; none also where there is no record.
    pub(crate) recorded: Option<&'a str>,
}

impl<'a> Evaluator<'a> {
    /// The verdicts of all ladders on a date, in the order in which a standing lists them.
    pub(crate) fn verdicts(&self, code: &str, as_of: Date, due: Due) -> Result<Vec<Verdict<'a>>, Faults> {
        let at = At::new(self.partner(code)?, as_of);
        let mut verdicts = Vec::with_capacity(self.program.document.ladders.len());
        for ladder in &self.program.document.ladders {
            for region in self.regions_of(ladder, &at) {
                let at = at.in_region(region);
                let outcome = self.outcome(ladder, &at)?;
                let Decided { rank, decision } = self.decide(ladder, &at, &outcome, due)?;
                let recorded = in_force(&history(ladder, at.partner, region_of(ladder, &at)), as_of).and_then(|held| held.tier);
                verdicts.push(Verdict { ladder, region, rank, decision, outcome, recorded });
            }
        }
        Ok(verdicts)
    }
}
