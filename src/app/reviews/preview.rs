//! The dry run of a review: what it would move, with nothing stored.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::fault::Faults;
use guerdon_store::StoreError;

use super::judging::{Question, judge, read};
use super::{StartReview, prepare};
use crate::app::levelling::{TierMoved, decision_of};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Moves and failures that a dry run lists at most; the counts are of all.
const LISTED_MAX: usize = 100;

/// What a review would do.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Partners judged.
    pub judged: u64,
    /// Tiers that would go up.
    pub promoted: u64,
    /// Tiers that would go down.
    pub demoted: u64,
    /// Tiers that would stay.
    pub kept: u64,
    /// Partners that could not be judged.
    pub failed: u64,
    /// How many would move, by ladder, tier before and tier after.
    pub moves: BTreeMap<(String, Option<String>, Option<String>), u64>,
    /// The first moves, by the partners' codes.
    pub moved: Vec<TierMoved>,
    /// The first partners that could not be judged, with the reason.
    pub failures: BTreeMap<String, Faults>,
}

/// Judges everybody whom a review would judge, and stores nothing.
///
/// # Errors
/// As [`super::start_review`].
pub async fn preview_review(app: &App, ctx: &Ctx, input: &StartReview) -> Result<Preview, AppError> {
    let scope = ctx.require((Action::Write, Resource::Review))?;
    let prepared = prepare(app, ctx, &scope, input).await?;
    let question = Question::present(prepared.version.clone(), prepared.as_of, prepared.due);
    let mut preview = Preview::default();
    let mut after: Option<String> = None;
    loop {
        let walk = prepared.slice.walk(prepared.version.program.id, prepared.as_of);
        let read = app.store.read_in_bulk::<_, StoreError, _>(async |tx| {
            let partners = tx.list_to_review(&walk, after.as_deref(), app.limits.review_chunk).await?;
            Ok((read(tx, &question, &partners).await?, partners))
        });
        let (known, partners) = read.await?;
        let is_last = partners.len() < app.limits.review_chunk;
        after = partners.last().map(|(_, code)| code.clone());
        for part in judge(&question, known, partners, app.limits.review_chunk, |_, judged| judged).await? {
            preview.add(&question, part);
        }
        if is_last {
            return Ok(preview);
        }
    }
}

impl Preview {
    fn add(&mut self, question: &Question, judged: Vec<super::judging::JudgedPartner>) {
        for partner in judged {
            self.judged += 1;
            let ladders = match partner.ladders {
                Ok(ladders) => ladders,
                Err(faults) => {
                    self.failed += 1;
                    if self.failures.len() < LISTED_MAX {
                        self.failures.insert(partner.code, faults);
                    }
                    continue;
                }
            };
            for ladder in ladders {
                match ladder.standing.direction() {
                    std::cmp::Ordering::Greater => self.promoted += 1,
                    std::cmp::Ordering::Less => self.demoted += 1,
                    std::cmp::Ordering::Equal => self.kept += 1,
                }
                let Some((_, moved)) = decision_of(&question.version, partner.id, &partner.code, &ladder.standing, question.as_of) else { continue };
                if moved.from != moved.to {
                    *self.moves.entry((moved.ladder.clone(), moved.from.clone(), moved.to.clone())).or_default() += 1;
                    if self.moved.len() < LISTED_MAX {
                        self.moved.push(moved);
                    }
                }
            }
        }
    }
}
