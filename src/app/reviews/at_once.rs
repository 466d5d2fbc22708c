//! Where a partner stands, noted at once when a decision outside of reviews (an override, an admission) changes it: lists do not wait
//! for the next review.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::levelling::{Due, Reason};
use guerdon_store::{PartnerId, ReviewId, StandingNews, WriteTx};

use super::judging::{self, JudgedLadder, Question, index_of};
use crate::app::levelling::standing_of;
use crate::app::programs::InForce;
use crate::error::AppError;

/// Notes where a partner stands today. The words of its standing stay those of the last review that found it; nobody is told.
pub(in crate::app) async fn stand_at_once(tx: &WriteTx, version: &InForce, today: Date, partner: PartnerId) -> Result<(), AppError> {
    let program = version.program.id;
    let question = Question::new(version.clone(), today, Due::ByCalendar);
    let known = judging::read(tx, &question, &[(partner, String::new())]).await?;
    let named = known.ids.clone().into_iter().collect();
    let judged = judging::judge(&question, known, named, 1, |_, judged| judged).await?;
    let enrolled = |ladder: &JudgedLadder| !ladder.standing.decision.reasons.contains(&Reason::NotEnrolled);
    // Whom no rule can judge stands where he stood.
    let ladders = judged.into_iter().flatten().filter_map(|partner| partner.ladders.ok()).flatten().filter(enrolled);
    let found = |ladder: JudgedLadder| standing_of(partner, &ladder.standing, index_of(&ladder.standing, ladder.risk.as_ref()));
    let standings: Vec<_> = ladders.map(found).collect();
    let mut told = tx.told_many(program, &[partner]).await?;
    let last = tx.latest_standings_many(&Scope::All, program, &[partner]).await?.remove(&partner).unwrap_or_default();
    let mut news: BTreeMap<ReviewId, Vec<StandingNews<'_>>> = BTreeMap::new();
    for standing in &standings {
        let told = told.remove(&(partner, standing.ladder.clone(), standing.region.clone())).unwrap_or_default();
        if let Some(held) = last.iter().find(|held| held.ladder == standing.ladder && held.region == standing.region) {
            news.entry(held.review_id).or_default().push(StandingNews { standing, told });
        }
    }
    for (review, news) in news {
        tx.stand_now(program, review, today, &[], &news).await?;
    }
    Ok(())
}
