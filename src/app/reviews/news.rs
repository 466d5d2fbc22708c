//! Whom a review tells that a tier is at risk, or that the next one is near: once, and not again for a while.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;
use guerdon_domain::event::{Event, TierAtRisk, TierNear};
use guerdon_domain::exact::spell;
use guerdon_store::{NewStanding, PartnerId, StandingNews, Told};

use super::chunk::Found;
use super::judging::{JudgedLadder, Question};

/// Days for which the same is not told again about the same tier.
const COOL_DOWN_DAYS: i64 = 30;
/// From this part of the next tier's requirement on a partner is near it, in 10^-8: four fifths.
pub(super) const NEAR: i64 = 80_000_000;

/// What could be told of a standing.
pub(super) struct News {
    risk: Option<TierAtRisk>,
    near: Option<TierNear>,
}

impl News {
    /// `next_share` is the part of the next tier's requirement that is met, in 10^-8.
    pub(super) fn of(question: &Question, code: &str, judged: &JudgedLadder, next_share: Option<i64>) -> Self {
        Self { risk: at_risk(question, code, judged), near: near(question, code, judged, next_share) }
    }
}

fn at_risk(question: &Question, code: &str, judged: &JudgedLadder) -> Option<TierAtRisk> {
    let (standing, risk) = (&judged.standing, judged.risk.as_ref()?);
    // A grace period says from when on it warns.
    let warned_later = standing.decision.grace.is_some_and(|grace| question.as_of < grace.warn_from);
    Some(TierAtRisk {
        partner: code.to_owned(),
        program: question.version.program.code.clone(),
        version: question.version.version.number,
        ladder: standing.ladder.clone(),
        region: standing.region.clone(),
        tier: risk.tier.clone(),
        as_of: question.as_of,
        fails_on: risk.fails_on?,
        lost_on: standing.decision.grace.map(|grace| grace.until),
        reasons: risk.leaves.iter().map(|leaf| leaf.sentence().text).collect(),
    })
    .filter(|_| !warned_later)
}

fn near(question: &Question, code: &str, judged: &JudgedLadder, next_share: Option<i64>) -> Option<TierNear> {
    let standing = &judged.standing;
    let next = standing.next.as_ref()?;
    let share = next_share.filter(|share| *share >= NEAR)?;
    Some(TierNear {
        partner: code.to_owned(),
        program: question.version.program.code.clone(),
        version: question.version.version.number,
        ladder: standing.ladder.clone(),
        region: standing.region.clone(),
        tier: standing.tier.clone(),
        next_tier: next.tier.clone(),
        as_of: question.as_of,
        share_met: spell(share.into(), 8, true),
        missing: next.gap.missing.iter().map(|leaf| leaf.sentence().text).collect(),
    })
}

/// The standings that hold now, with when the partners were told, and what they are told by this review. What stays in `told` is of
/// ladders and regions in which they do not stand any more.
pub(super) fn tell<'f>(
    question: &Question,
    found: &'f Found,
    told: &mut BTreeMap<(PartnerId, String, Option<String>), Told>,
    left_out: &BTreeSet<PartnerId>,
) -> (Vec<StandingNews<'f>>, Vec<(PartnerId, Event)>) {
    let mut events = Vec::new();
    let pairs = found.standings.iter().zip(&found.news).filter(|(standing, _)| !left_out.contains(&standing.partner));
    let news = pairs.map(|(standing, news): (&NewStanding, &News)| {
        let key = (standing.partner, standing.ladder.clone(), standing.region.clone());
        let mut told = told.remove(&key).unwrap_or_default();
        if let Some(risk) = news.risk.as_ref().filter(|risk| is_new(told.risk.as_ref(), &risk.tier, question.as_of)) {
            told.risk = Some((question.as_of, risk.tier.clone()));
            events.push((standing.partner, Event::TierAtRisk(risk.clone())));
        }
        if let Some(near) = news.near.as_ref().filter(|near| is_new(told.near.as_ref(), &near.next_tier, question.as_of)) {
            told.near = Some((question.as_of, near.next_tier.clone()));
            events.push((standing.partner, Event::TierNear(near.clone())));
        }
        StandingNews { standing, told }
    });
    (news.collect(), events)
}

/// Whether a tier was not told of lately.
fn is_new(told: Option<&(Date, String)>, tier: &str, today: Date) -> bool {
    told.is_none_or(|(on, of)| of != tier || today.days_since(*on) >= COOL_DOWN_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_again_after_thirty_days_and_another_tier_at_once() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let told = (date("2026-03-01"), "GOLD".to_owned());
        assert!(is_new(None, "GOLD", date("2026-03-01")));
        assert!(!is_new(Some(&told), "GOLD", date("2026-03-01")));
        assert!(!is_new(Some(&told), "GOLD", date("2026-03-30")));
        assert!(is_new(Some(&told), "GOLD", date("2026-03-31")));
        assert!(is_new(Some(&told), "SILVER", date("2026-03-02")));
    }
}
