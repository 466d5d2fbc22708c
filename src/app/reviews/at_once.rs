//! Where partners stand, noted at once when a decision outside of reviews (an override, an admission, an evaluation) changes it: lists do
//! not wait for the next review.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::levelling::Reason;
use guerdon_store::{PartnerId, ReviewId, StandingNews, WriteTx};

use super::judging::{self, JudgedLadder, Question, index_of};
use crate::app::levelling::standing_of;
use crate::app::programs::InForce;
use crate::error::AppError;

/// Partners whose trees are in memory at once on each processor.
const PART: usize = 250;

/// Notes where partners stand today. The words of their standings stay those of the last review that found them; nobody is told. A fixed
/// number of statements for each review that found one of them last.
pub(in crate::app) async fn stand_at_once(tx: &WriteTx, version: &InForce, today: Date, partners: &[PartnerId]) -> Result<(), AppError> {
    let program = version.program.id;
    let question = Question::as_decided(version.clone(), today);
    let named: Vec<(PartnerId, String)> = partners.iter().map(|partner| (*partner, String::new())).collect();
    let known = judging::read(tx, &question, &named).await?;
    let named: Vec<(PartnerId, String)> = known.ids.clone().into_iter().collect();
    let judged = judging::judge(&question, known, named, PART, |_, judged| judged).await?;
    let enrolled = |ladder: &JudgedLadder| !ladder.standing.decision.reasons.contains(&Reason::NotEnrolled);
    // Whom no rule can judge stands where he stood.
    let ladders = judged.into_iter().flatten().filter_map(|partner| Some((partner.id, partner.ladders.ok()?)));
    let ladders = ladders.flat_map(|(partner, ladders)| ladders.into_iter().filter(enrolled).map(move |ladder| (partner, ladder)));
    let found = |(partner, ladder): (PartnerId, JudgedLadder)| standing_of(partner, &ladder.standing, index_of(&ladder.standing, ladder.risk.as_ref()));
    let standings: Vec<_> = ladders.map(found).collect();
    let mut told = tx.told_many(program, partners).await?;
    let last = tx.latest_standings_many(&Scope::All, program, partners).await?;
    let mut news: BTreeMap<ReviewId, Vec<StandingNews<'_>>> = BTreeMap::new();
    for standing in &standings {
        let told = told.remove(&(standing.partner, standing.ladder.clone(), standing.region.clone())).unwrap_or_default();
        let of_partner = last.get(&standing.partner).map(Vec::as_slice).unwrap_or_default();
        if let Some(held) = of_partner.iter().find(|held| held.ladder == standing.ladder && held.region == standing.region) {
            news.entry(held.review_id).or_default().push(StandingNews { standing, told });
        }
    }
    for (review, news) in news {
        tx.stand_now(program, review, today, &[], &news).await?;
    }
    Ok(())
}
