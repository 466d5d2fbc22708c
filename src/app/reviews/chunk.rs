//! One step of a review: judge a thousand partners in the order of their codes, and put on record what was found, all in one
//! transaction with the progress of the job. A review that is killed goes on behind the last step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use guerdon_domain::levelling::{Change as TierMove, Due};
use guerdon_store::{
    AssignmentOutcome, AuditEntry, Change, FoundBefore, NewAdmissionRequest, NewAssignment, NewStanding, PartnerId, ReadTx, ReviewCounts, ReviewId,
    ReviewState, StoreError, StoredReview, Told, WriteTx,
};
use serde::Deserialize;

use super::judging::{self, JudgedLadder, JudgedPartner, Question, index_of};
use super::news::{News, tell};
use super::slice::Slice;
use super::{KIND, outcome_of, version_of};
use crate::app::App;
use crate::app::admissions::{approvals_of, follow_approvals};
use crate::app::idempotency::write_context;
use crate::app::jobs::{HeldJob, Progress};
use crate::app::levelling::{TierMoved, decision_of, event_of, standing_of};
use crate::app::outbox::outgoing;
use crate::app::parallel::Working;
use crate::app::plan::Known;
use crate::error::AppError;

#[derive(Debug, Deserialize)]
struct Input {
    review: ReviewId,
}

/// Does the next step of a review. The step after it is judged while this one is written, and the one after that is read.
///
/// # Errors
/// `Stale` when another worker took it over; `Busy`, `Internal`.
pub async fn work(app: &App, job: &HeldJob) -> Result<Progress, AppError> {
    let Input { review } = job.input()?;
    let ready = job.ahead.take::<Next>().filter(|next| next.after == job.cursor);
    let (walk, Judged { mut chunks, read }) = match ready {
        Some(Next { walk, work: Work::Done(judged), .. }) => (walk, judged),
        Some(Next { walk, work: Work::Judging(work), .. }) => (walk, work.done().await?),
        None => {
            let walk = Arc::new(app.store.read(async |tx| Walk::find(app, tx, review).await).await?);
            let judged = Arc::clone(&walk).judge(app.clone(), None, job.cursor.clone()).await?;
            (walk, judged)
        }
    };
    let Chunk { found, is_last } = chunks.pop_front().unwrap_or_default();
    if let (false, Some((_, last))) = (is_last, found.partners.last()) {
        job.ahead.keep(Next::of(app, &walk, last.clone(), Judged { chunks, read }));
    }
    let step = Step { job, review, question: &walk.question, everybody: walk.slice.is_all(), found: &found, is_last };
    let context = write_context(&app.system(KIND), "reviewStep");
    let written = app.store.write(&context, async |tx| step.record(tx).await).await?;
    Ok(match written.value {
        Some((cursor, done)) => Progress::More { cursor, done, total: job.total },
        None => Progress::Done(serde_json::Value::Null),
    })
}

/// A review as its steps walk through it: by which rules, and whom. Neither changes while it is under way.
struct Walk {
    program: guerdon_store::ProgramId,
    question: Question,
    slice: Slice,
}

/// Partners whose trees are in memory at once on each processor.
const PART: usize = 250;
/// Partners of a review that are read at once where everybody's facts are asked for.
const EVERYBODY: usize = 10_000_000;

/// The partners of a step, judged.
#[derive(Default)]
struct Chunk {
    found: Found,
    is_last: bool,
}

impl Walk {
    async fn find(app: &App, tx: &ReadTx, review: ReviewId) -> Result<Self, AppError> {
        let review = tx.find_review(review).await?.ok_or(AppError::NotFound)?;
        let version = version_of(app, tx, &review).await?;
        let due = if review.due == "NOW" { Due::Now } else { Due::ByCalendar };
        Ok(Self { program: review.program_id, question: Question::new(version, review.as_of, due), slice: Slice::from(&review) })
    }

    /// The partners behind a code with their facts: those of one step, or of all steps that are left where everybody's facts are asked
    /// for, so that they are read once.
    async fn read(&self, app: &App, after: Option<&str>) -> Result<Read, AppError> {
        let most = if self.question.takes_everybody() { EVERYBODY } else { app.limits.review_chunk };
        let read = app.store.read_in_bulk::<_, StoreError, _>(async |tx| {
            let partners = tx.list_to_review(&self.slice.walk(self.program, self.question.as_of), after, most).await?;
            Ok((judging::read(tx, &self.question, &partners).await?, partners))
        });
        let (known, partners) = read.await?;
        Ok(Read { is_last: partners.len() < most, known, partners })
    }

    /// Judges what was read, or what is behind a code; what comes behind it is read meanwhile.
    async fn judge(self: Arc<Self>, app: App, read: Option<Working<Read>>, after: Option<String>) -> Result<Judged, AppError> {
        let Read { known, partners, is_last } = match read {
            Some(read) => read.done().await?,
            None => self.read(&app, after.as_deref()).await?,
        };
        let step = app.limits.review_chunk;
        let behind = partners.last().filter(|_| !is_last).map(|(_, code)| code.clone());
        let read = behind.map(|behind| {
            let of = Arc::clone(&self);
            Working::begin(async move { of.read(&app, Some(&behind)).await })
        });
        let mut chunks: VecDeque<Chunk> = VecDeque::new();
        for part in judging::judge(&self.question, known, partners, step.min(PART), Found::of).await? {
            let part = part?;
            match chunks.back_mut().filter(|last| last.found.partners.len() + part.partners.len() <= step) {
                Some(last) => last.found.join(part),
                None => chunks.push_back(Chunk { found: part, is_last: false }),
            }
        }
        match chunks.back_mut() {
            Some(last) => last.is_last = is_last,
            None => chunks.push_back(Chunk { is_last, ..Chunk::default() }),
        }
        Ok(Judged { chunks, read })
    }
}

/// Partners with the facts that judging them asks for.
struct Read {
    known: Known,
    partners: Vec<(PartnerId, String)>,
    is_last: bool,
}

/// Steps that are judged, and what is read of the partners behind them.
struct Judged {
    chunks: VecDeque<Chunk>,
    read: Option<Working<Read>>,
}

/// The steps that come next.
struct Next {
    after: Option<String>,
    walk: Arc<Walk>,
    work: Work,
}

enum Work {
    Done(Judged),
    Judging(Working<Judged>),
}

impl Next {
    /// What is judged already, or else what is judged from now on.
    fn of(app: &App, walk: &Arc<Walk>, after: String, rest: Judged) -> Self {
        let work = if rest.chunks.is_empty() {
            Work::Judging(Working::begin(Arc::clone(walk).judge(app.clone(), rest.read, Some(after.clone()))))
        } else {
            Work::Done(rest)
        };
        Self { after: Some(after), walk: Arc::clone(walk), work }
    }
}

/// What judging some partners found, as it is put on record.
#[derive(Default)]
pub(super) struct Found {
    pub(super) partners: Vec<(PartnerId, String)>,
    pub(super) decisions: Vec<(NewAssignment, TierMoved)>,
    pub(super) standings: Vec<NewStanding>,
    pub(super) news: Vec<News>,
    /// Tiers that are met and await an approval.
    pub(super) awaiting: Vec<NewAdmissionRequest>,
    pub(super) failures: Vec<(PartnerId, String)>,
    pub(super) counts: ReviewCounts,
}

impl Found {
    pub(super) fn of(question: &Question, judged: Vec<JudgedPartner>) -> Result<Self, AppError> {
        let mut found = Self { partners: Vec::with_capacity(judged.len()), ..Self::default() };
        for JudgedPartner { id, code, ladders } in judged {
            found.counts.judged += 1;
            match ladders {
                Err(faults) => {
                    found.counts.failed += 1;
                    found.failures.push((id, serde_json::to_string(&faults.0).map_err(AppError::internal)?));
                }
                Ok(ladders) => ladders.into_iter().for_each(|ladder| found.add(question, id, &code, &ladder)),
            }
            found.partners.push((id, code));
        }
        Ok(found)
    }

    fn add(&mut self, question: &Question, id: PartnerId, code: &str, judged: &JudgedLadder) {
        let standing = &judged.standing;
        match standing.direction() {
            std::cmp::Ordering::Greater => self.counts.promoted += 1,
            std::cmp::Ordering::Less => self.counts.demoted += 1,
            std::cmp::Ordering::Equal => self.counts.kept += 1,
        }
        let decision = decision_of(&question.version, id, code, standing, question.as_of);
        // What was decided before on this date may have been something else.
        let back = || judged.again && standing.decision.change == TierMove::Kept;
        self.decisions.extend(decision.or_else(|| back().then(|| kept(question, id, code, judged))));
        let index = index_of(standing, judged.risk.as_ref());
        self.news.push(News::of(question, code, judged, index.next_share));
        self.awaiting.extend(approvals_of(&question.version, id, standing, question.as_of));
        self.standings.push(standing_of(id, standing, index));
    }

    /// The same with what was found of the partners behind.
    fn join(&mut self, other: Self) {
        let (own, more) = (&mut self.counts, other.counts);
        own.judged += more.judged;
        own.promoted += more.promoted;
        own.demoted += more.demoted;
        own.kept += more.kept;
        own.failed += more.failed;
        self.partners.extend(other.partners);
        self.decisions.extend(other.decisions);
        self.standings.extend(other.standings);
        self.news.extend(other.news);
        self.awaiting.extend(other.awaiting);
        self.failures.extend(other.failures);
    }

    /// Whether an earlier review found just this.
    fn is(&self, before: &FoundBefore) -> bool {
        let standings: BTreeMap<_, _> =
            self.standings.iter().map(|standing| ((standing.partner, standing.ladder.clone(), standing.region.clone()), standing.standing.clone())).collect();
        standings == before.standings && self.failures.iter().cloned().collect::<BTreeMap<_, _>>() == before.failures
    }
}

/// The decision that a tier stays what it was before a date.
fn kept(question: &Question, partner: PartnerId, code: &str, judged: &JudgedLadder) -> (NewAssignment, TierMoved) {
    let standing = &judged.standing;
    let (ladder, region, tier) = (standing.ladder.clone(), standing.region.clone(), standing.tier.clone());
    let cause = standing.record.as_ref().map(|record| record.cause).unwrap_or_default();
    let (on, version) = (question.as_of, question.version.version.id);
    let reviewed = standing.decision.reviewed.clone();
    let decision = NewAssignment { partner, ladder: ladder.clone(), region: region.clone(), tier: tier.clone(), on, cause, review: None, version, reviewed };
    (decision, TierMoved { partner, code: code.to_owned(), ladder, region, from: tier.clone(), to: tier, on, cause, same_tier: false })
}

struct Step<'s> {
    job: &'s HeldJob,
    review: ReviewId,
    question: &'s Question,
    everybody: bool,
    found: &'s Found,
    is_last: bool,
}

/// What came of the decisions of a step.
#[derive(Default)]
struct Outcomes {
    changed: Vec<usize>,
    in_the_past: u64,
}

impl Step<'_> {
    /// Puts the step on record. Answers where to go on; none after the last one.
    async fn record(&self, tx: &WriteTx) -> Result<Change<Option<(String, u64)>>, AppError> {
        let review = tx.find_review(self.review).await?.ok_or(AppError::NotFound)?;
        if review.state != ReviewState::Running {
            self.job.record(tx, &Progress::Done(outcome_of(&review))).await?;
            return Ok(Change::unchanged(None));
        }
        let outcomes = self.decide(tx, &review).await?;
        let holder = self.keep(tx, &review, outcomes.changed.is_empty()).await?;
        let mut told = self.stand(tx, &review, holder).await?;
        let judged: BTreeMap<PartnerId, String> = self.found.partners.iter().cloned().collect();
        let opened = follow_approvals(tx, &self.question.version, self.question.as_of, &judged, &self.found.awaiting).await?;
        let opens = !opened.is_empty();
        told.extend(opened.into_iter().filter_map(|(partner, event)| partner.map(|partner| (partner, event))));
        let changed = outcomes.changed.len() as u64;
        let counts = ReviewCounts { changed, in_the_past: outcomes.in_the_past, ..self.found.counts };
        tx.add_to_review(review.id, &counts).await?;
        let next = self.go_on(tx, &review).await?;
        let after = serde_json::json!({ "program": self.question.version.program.code, "asOf": review.as_of, "judged": counts.judged, "moved": changed });
        let audit = AuditEntry::of("Review", review.id).after(after);
        let change = if changed > 0 || opens || self.is_last { Change::new(next, audit) } else { Change::unchanged(next) };
        let moved = outcomes.changed.iter().filter_map(|at| self.found.decisions.get(*at));
        let moved = moved.filter(|(_, moved)| !moved.same_tier).map(|(_, moved)| (moved.partner, event_of(&self.question.version, moved)));
        let events: Vec<_> = moved.chain(told).map(|(partner, event)| outgoing(&event, "Partner", Some(partner))).collect();
        tx.announce(&events).await?;
        Ok(change)
    }

    async fn decide(&self, tx: &WriteTx, review: &StoredReview) -> Result<Outcomes, AppError> {
        let decisions: Vec<NewAssignment> =
            self.found.decisions.iter().map(|(decision, _)| NewAssignment { review: Some(review.id), ..decision.clone() }).collect();
        let mut outcomes = Outcomes::default();
        for (at, outcome) in tx.record_assignments(review.program_id, &decisions).await?.into_iter().enumerate() {
            match outcome {
                AssignmentOutcome::Recorded | AssignmentOutcome::Replaced => outcomes.changed.push(at),
                AssignmentOutcome::InThePast => outcomes.in_the_past += 1,
                AssignmentOutcome::Unchanged => {}
            }
        }
        Ok(outcomes)
    }

    /// Keeps what was found, unless the review before it found the same so far. Answers the review that holds it.
    async fn keep(&self, tx: &WriteTx, review: &StoredReview, nothing_moved: bool) -> Result<ReviewId, AppError> {
        let after = self.job.cursor.as_deref();
        if let Some(base) = review.base_id.filter(|_| !review.differs) {
            let last = self.found.partners.last().map(|(_, code)| code.as_str()).filter(|_| !self.is_last);
            if nothing_moved && self.found.is(&tx.found_before(base, after, last).await?) {
                return Ok(base);
            }
            tx.part_from_base(review.id, base, after).await?;
        }
        tx.insert_standings(review.id, &self.found.standings).await?;
        tx.record_review_failures(review.id, &self.found.failures).await?;
        Ok(review.id)
    }

    /// Notes where the partners stand now, and whom to tell; nothing of those of whom something later is known.
    async fn stand(&self, tx: &WriteTx, review: &StoredReview, holder: ReviewId) -> Result<Vec<(PartnerId, guerdon_domain::event::Event)>, AppError> {
        let partners: Vec<PartnerId> = self.found.partners.iter().map(|(id, _)| *id).collect();
        let mut told = tx.told_many(review.program_id, &partners).await?;
        let is_later = |told: &&Told| told.as_of.is_some_and(|known| known > review.as_of);
        let later: BTreeSet<PartnerId> = told.iter().filter(|(_, told)| is_later(told)).map(|((partner, ..), _)| *partner).collect();
        let (news, events) = tell(self.question, self.found, &mut told, &later);
        let left: BTreeSet<PartnerId> = told.into_keys().map(|(partner, ..)| partner).filter(|partner| !later.contains(partner)).collect();
        tx.stand_now(review.program_id, holder, review.as_of, &Vec::from_iter(left), &news).await?;
        if self.is_last && self.everybody {
            tx.forget_those_who_left(review.program_id, review.as_of).await?;
        }
        Ok(events)
    }

    /// Records how far the review is; ends it after the last step.
    async fn go_on(&self, tx: &WriteTx, review: &StoredReview) -> Result<Option<(String, u64)>, AppError> {
        let done = self.job.done + self.found.partners.len() as u64;
        if let (false, Some((_, last))) = (self.is_last, self.found.partners.last()) {
            self.job.record(tx, &Progress::More { cursor: last.clone(), done, total: self.job.total }).await?;
            return Ok(Some((last.clone(), done)));
        }
        tx.end_review(review.id).await?;
        let ended = tx.find_review(review.id).await?.ok_or(AppError::NotFound)?;
        self.job.record(tx, &Progress::Done(outcome_of(&ended))).await?;
        Ok(None)
    }
}
