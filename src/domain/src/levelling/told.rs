//! What is missing by the day on which it is decided.
//!
//! A review looks through its own windows: what is missing for last year's revenue in June is not what is missing in January. A gap
//! that is told with a day is that of the rule judged on the day, by what is known on the date of the standing.

use super::loss::{Outlook, recorded_after};
use super::schedule::gaps_told_until;
use super::standing::gap_of;
use super::{LadderStanding, Standing, admission_leaf};
use crate::date::Date;
use crate::document::ladder::Ladder;
use crate::fault::Faults;
use crate::metric::{At, Evaluator};
use crate::requirement::{Gap, Judged};

impl<'a> Evaluator<'a> {
    /// Tells what is missing, on every way: for the next tier by its review, and to keep the tier that is held by the day on which it may be lost.
    /// Where that cannot be judged (a missing rate), the gap stays that of the date, and names no day. The evaluator must not know
    /// facts of later than the standing's date, and must know those that [`gaps_told_until`] asks for: what is lost later than that (on the
    /// end of an override) is told as of the date.
    pub fn tell_gaps(&self, standing: &mut Standing) {
        self.tell_gaps_until(standing, gaps_told_until(self.program, standing.as_of));
    }

    /// The same with days up to and with `last`: where all facts are known.
    pub(crate) fn tell_gaps_until(&self, standing: &mut Standing, last: Date) {
        let Ok(partner) = self.partner(&standing.partner) else { return };
        let at = At::new(partner, standing.as_of);
        for standing in &mut standing.ladders {
            if let Some(ladder) = self.program.ladder(Some(&standing.ladder)) {
                let at = self.at_region(ladder, standing.region.as_deref(), &at);
                standing.complete(ladder, standing.next.as_ref().and_then(|next| next.review_on));
                self.tell_next(ladder, standing, &at);
            }
        }
        self.tell_keeps(standing, &at, last);
    }

    /// What is decided from now on follows from what the standing puts on record.
    fn tell_keeps(&self, standing: &mut Standing, at: &At<'a>, last: Date) {
        if standing.ladders.iter().all(|standing| standing.keep.is_empty()) {
            return;
        }
        let recorded = recorded_after(self.program, standing, at);
        let anew = recorded.as_ref().map(|_| self.anew());
        for standing in standing.ladders.iter_mut().filter(|standing| !standing.keep.is_empty()) {
            let Some(ladder) = self.program.ladder(Some(&standing.ladder)) else { continue };
            let at = self.at_region(ladder, standing.region.as_deref(), at);
            let outlook = match (&recorded, &anew) {
                (Some(partner), Some(anew)) => anew.outlook(ladder, standing, &at.of(partner).in_region(at.region), last),
                _ => self.outlook(ladder, standing, &at, last),
            };
            if let Ok(outlook) = outlook {
                self.tell_keep(ladder, standing, &at, outlook);
            }
        }
    }

    fn tell_next(&self, ladder: &'a Ladder, standing: &mut LadderStanding, at: &At<'a>) {
        let Some(next) = &mut standing.next else { return };
        let Some(by) = next.review_on else { return };
        let closed = standing.tiers.iter().find(|tier| tier.rank == next.rank && !tier.admitted);
        if let Ok(then) = self.gap_on(ladder, next.rank, &at.on(by)) {
            let then = match closed.and_then(|tier| admission_leaf(ladder.at_rank(tier.rank)?)) {
                Some(leaf) => then.and(leaf, Some(by)),
                None => then,
            };
            next.gap = then.told_as_before(&next.gap);
        }
    }

    fn tell_keep(&self, ladder: &'a Ladder, standing: &mut LadderStanding, at: &At<'a>, outlook: Outlook) {
        // The parent's tier lasts as long as the parent's.
        if standing.decision.inherited_from.is_some() {
            return;
        }
        match outlook {
            Outlook::Open => {}
            Outlook::Kept => standing.keep = Gap::default(),
            Outlook::LostOn { day, admitted } => {
                let Ok(then) = self.gap_on(ladder, standing.rank, &at.on(day)) else { return };
                let then = match ladder.at_rank(standing.rank).filter(|_| !admitted).and_then(admission_leaf) {
                    Some(leaf) => then.and(leaf, Some(day)),
                    None => then,
                };
                standing.keep = then.told_as_before(&standing.keep);
            }
        }
    }

    /// What is missing for a tier on a day, told with it; how one gets in is left aside.
    fn gap_on(&self, ladder: &'a Ladder, rank: u32, at: &At<'a>) -> Result<Gap, Faults> {
        let tiers = ladder.asked_tiers(rank).filter_map(|tier| self.asked_of(tier, at));
        let judged = tiers.chain(&ladder.applies_to).map(|requirement| self.judge(requirement, at)).collect::<Result<Vec<Judged>, Faults>>()?;
        Ok(gap_of(judged.iter().filter(|judged| !judged.met).collect(), |judged| Gap::on(judged, at.as_of)))
    }

    /// The evaluation in the region of a standing.
    pub(super) fn at_region(&self, ladder: &Ladder, region: Option<&str>, at: &At<'a>) -> At<'a> {
        at.in_region(self.regions_of(ladder, at).into_iter().flatten().find(|known| region == Some(*known)))
    }
}
