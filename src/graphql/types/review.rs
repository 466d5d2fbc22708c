//! Reviews, and the standings that they found.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::job::Job;
use super::partner::Partner;
use super::program::{Program, ProgramVersion};
use super::standing::TierChange;
use crate::app::levelling::TierMoved;
use crate::app::reviews::{self, ListedStanding, Slice, StoredReview};
use crate::connection;
use crate::graphql::connection::Connected;
use crate::graphql::context::RequestData;
use crate::graphql::error::{Answer, Maybe};
use crate::graphql::loaders::RequestLoaders;
use crate::graphql::mutation::levelling::MovedTier;
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::scalars::{DateTime, Decimal, GqlDate};

/// How far a review is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::reviews::ReviewState")]
pub enum ReviewState {
    /// It is under way.
    Running,
    /// Done.
    Done,
    /// It found what an earlier one of the same date had found, and changed nothing.
    Unchanged,
    /// Given up; its job has the fault.
    Failed,
}

/// A review of partners as of a date.
#[derive(Debug, Clone)]
pub struct Review(pub StoredReview);

impl Review {
    fn count(&self, ctx: &Context<'_>, count: i64) -> Answer<Option<i64>> {
        Ok(reviews::sees_everybody(ctx.caller()?).then_some(count))
    }
}

/// A review: every partner of its slice judged as of a date, and what was found kept as it was judged. Its standings are those of the
/// query `standings`. Counts are of everybody, and null for those who see some partners only.
#[Object]
impl Review {
    /// Its id.
    pub async fn id(&self) -> ID {
        encode(NodeKind::Review, self.0.id)
    }

    /// Its program.
    async fn program(&self, ctx: &Context<'_>) -> Maybe<Program> {
        let found = async { Ok(ctx.loaders()?.program(self.0.program_id).await?.map(Program)) };
        found.await.transpose()
    }

    /// The program version that decided.
    async fn program_version(&self, ctx: &Context<'_>) -> Maybe<ProgramVersion> {
        let found = async { Ok(ctx.loaders()?.version(self.0.version_id).await?.map(ProgramVersion)) };
        found.await.transpose()
    }

    /// The date; as of its end.
    async fn as_of(&self) -> GqlDate {
        self.0.as_of.into()
    }

    /// What caused it: `SCHEDULED` or `REQUESTED`.
    async fn cause(&self) -> &str {
        &self.0.cause
    }

    /// How far it is.
    async fn state(&self) -> ReviewState {
        self.0.state.into()
    }

    /// The earlier review that it found again, where it changed nothing.
    async fn same_as(&self, ctx: &Context<'_>) -> Maybe<Review> {
        let found = async {
            let base = self.0.base_id.filter(|_| self.0.state == reviews::ReviewState::Unchanged);
            match base {
                Some(base) => Ok(ctx.loaders()?.review(base).await?.map(Review)),
                None => Ok(None),
            }
        };
        found.await.transpose()
    }

    /// Its job, with its progress; null for an evaluation that was made at once, and for those who neither asked for the review nor may
    /// see jobs.
    async fn job(&self, ctx: &Context<'_>) -> Maybe<Job> {
        let found = async {
            match self.0.job_id {
                Some(job) => Ok(ctx.loaders()?.job(job).await?.map(Job)),
                None => Ok(None),
            }
        };
        found.await.transpose()
    }

    /// The regions that it is about, with those below them; empty for all.
    async fn regions(&self) -> Vec<String> {
        Slice::from(&self.0).regions
    }

    /// The partner types that it is about; empty for all.
    async fn types(&self) -> Vec<String> {
        Slice::from(&self.0).types
    }

    /// Whether it was a review whatever the version's policy says.
    async fn review_due(&self) -> bool {
        self.0.due == "NOW"
    }

    /// Partners judged.
    async fn judged(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.judged).transpose()
    }

    /// Tiers on record that it changed.
    async fn changed(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.changed).transpose()
    }

    /// Tiers that go up, as judged.
    async fn promoted(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.promoted).transpose()
    }

    /// Tiers that go down, as judged.
    async fn demoted(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.demoted).transpose()
    }

    /// Tiers that stay, as judged.
    async fn kept(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.kept).transpose()
    }

    /// Partners that could not be judged.
    async fn failed(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.failed).transpose()
    }

    /// Decisions that were not put on record, since a later one stands: the past is not rewritten.
    async fn in_the_past(&self, ctx: &Context<'_>) -> Maybe<i64> {
        self.count(ctx, self.0.in_the_past).transpose()
    }

    /// How many of the partners that you may see went from which tier to which.
    async fn moves(&self, ctx: &Context<'_>) -> Maybe<Vec<ReviewMoves>> {
        let found = async {
            let moves = ctx.loaders()?.moves(self.0.standings_of()).await?;
            Ok(moves
                .iter()
                .map(|(ladder, from, to, count)| ReviewMoves { ladder: ladder.clone(), from: from.clone(), to: to.clone(), count: *count })
                .collect())
        };
        Some(found.await)
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who asked for it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

connection!(ReviewConnection, ReviewEdge, Review, "reviews");

/// How many partners went from one tier to another, or stayed.
#[derive(Debug, Clone, SimpleObject)]
pub struct ReviewMoves {
    /// The ladder.
    pub ladder: String,
    /// The tier before; null for none.
    pub from: Option<String>,
    /// The tier after; null for none.
    pub to: Option<String>,
    /// How many.
    pub count: i64,
}

/// A partner that a review could not judge.
#[derive(Debug, Clone, SimpleObject)]
pub struct ReviewFailure {
    /// The partner's code.
    pub partner_code: String,
    /// Stable, in capitals. Expect codes that you do not know.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a review would do.
pub struct ReviewPreview(pub reviews::Preview);

/// What a review would do: a dry run, of which nothing is stored.
#[Object]
impl ReviewPreview {
    /// Partners judged.
    async fn judged(&self) -> i64 {
        whole(self.0.judged)
    }

    /// Tiers that would go up.
    async fn promoted(&self) -> i64 {
        whole(self.0.promoted)
    }

    /// Tiers that would go down.
    async fn demoted(&self) -> i64 {
        whole(self.0.demoted)
    }

    /// Tiers that would stay.
    async fn kept(&self) -> i64 {
        whole(self.0.kept)
    }

    /// Partners that could not be judged.
    async fn failed(&self) -> i64 {
        whole(self.0.failed)
    }

    /// How many would go from which tier to which.
    async fn moves(&self) -> Vec<ReviewMoves> {
        let of = |((ladder, from, to), count): (&(String, Option<String>, Option<String>), &u64)| ReviewMoves {
            ladder: ladder.clone(),
            from: from.clone(),
            to: to.clone(),
            count: whole(*count),
        };
        self.0.moves.iter().map(of).collect()
    }

    /// The tiers that would change, by the partners' codes; at most 100.
    async fn moved(&self) -> Vec<MovedTier> {
        self.0.moved.iter().map(|moved: &TierMoved| MovedTier(moved.clone())).collect()
    }

    /// Partners that could not be judged, with the reason; at most 100.
    async fn failures(&self) -> Vec<ReviewFailure> {
        let of = |(partner, faults): (&String, &guerdon_domain::fault::Faults)| {
            let partner = partner.clone();
            faults.0.clone().into_iter().map(move |fault| ReviewFailure { partner_code: partner.clone(), code: fault.code, message: fault.message })
        };
        self.0.failures.iter().flat_map(of).collect()
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A standing of a list.
#[derive(Debug, Clone)]
pub struct StoredStanding(pub ListedStanding);

/// Where a partner stands in a ladder, as a review judged it.
#[Object]
impl StoredStanding {
    /// The review that found it.
    async fn review(&self, ctx: &Context<'_>) -> Maybe<Review> {
        let found = async { Ok(ctx.loaders()?.review(self.0.review_id).await?.map(Review)) };
        found.await.transpose()
    }

    /// As of the end of this day.
    async fn as_of(&self) -> GqlDate {
        self.0.as_of.into()
    }

    /// The partner's code.
    async fn partner_code(&self) -> &str {
        &self.0.code
    }

    /// The partner.
    async fn partner(&self, ctx: &Context<'_>) -> Maybe<Partner> {
        let found = async { Ok(ctx.loaders()?.partner(self.0.partner_id).await?.map(Partner)) };
        found.await.transpose()
    }

    /// The ladder.
    async fn ladder(&self) -> &str {
        &self.0.ladder
    }

    /// The region, where the ladder's scope is the partner in a region.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The tier that was decided; null for none.
    async fn tier(&self) -> Option<&str> {
        self.0.tier.as_deref()
    }

    /// The highest tier whose requirement was met.
    async fn qualified(&self) -> Option<&str> {
        self.0.qualified_tier.as_deref()
    }

    /// The tier on record before; null for none.
    async fn from_tier(&self) -> Option<&str> {
        self.0.from_tier.as_deref()
    }

    /// What was decided.
    async fn change(&self) -> Option<TierChange> {
        match self.0.change.as_deref()? {
            "KEPT" => Some(TierChange::Kept),
            "ENTERED" => Some(TierChange::Entered),
            "PROMOTED" => Some(TierChange::Promoted),
            "DEMOTED" => Some(TierChange::Demoted),
            "RELEASED" => Some(TierChange::Released),
            "OVERRIDDEN" => Some(TierChange::Overridden),
            _ => None,
        }
    }

    /// The next tier up; null at the top.
    async fn next_tier(&self) -> Option<&str> {
        self.0.next_tier.as_deref()
    }

    /// The part of the next tier's requirement that is met, from 0 to 1, rounded down to eight decimals.
    async fn next_share_met(&self) -> Option<Decimal> {
        let share = guerdon_domain::exact::Exact::ratio(self.0.next_share?.into(), 100_000_000)?;
        Some(Decimal::of(&share))
    }

    /// The first day on which the tier's requirement is not met, if nothing more comes in; null when none is in sight.
    async fn at_risk_on(&self) -> Option<GqlDate> {
        self.0.at_risk_on.map(GqlDate)
    }

    /// What fails then, in plain language.
    async fn risks(&self) -> Vec<String> {
        self.0.risk.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The day on which the tier is lost, where a grace period runs.
    async fn grace_until(&self) -> Option<GqlDate> {
        self.0.grace_until.map(GqlDate)
    }

    /// The first day on which the override that holds the tier does so no longer; null where none does.
    async fn overridden_until(&self) -> Option<GqlDate> {
        self.0.overridden_until.map(GqlDate)
    }

    /// Whether a higher tier is met, and nobody has admitted the partner.
    async fn awaits_admission(&self) -> bool {
        self.0.awaiting
    }

    /// The whole standing as it was judged, as JSON text: every tier, every condition with required, actual and missing, the decision
    /// and its reasons.
    async fn explanation(&self) -> Option<&str> {
        self.0.standing.as_deref()
    }
}

/// A page of standings.
pub struct StoredStandingConnection {
    page: Connected<StoredStanding>,
    question: (reviews::StandingsQuestion, reviews::StandingFilter),
}

impl StoredStandingConnection {
    /// The page, and what it was asked by.
    pub fn new(page: Connected<StoredStanding>, question: (reviews::StandingsQuestion, reviews::StandingFilter)) -> Self {
        Self { page, question }
    }
}

/// A page of standings.
#[Object]
impl StoredStandingConnection {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<StoredStandingEdge> {
        self.page.edges.iter().map(|(cursor, node)| StoredStandingEdge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<StoredStanding> {
        self.page.edges.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> crate::graphql::connection::PageInfo {
        self.page.page_info.clone()
    }

    /// How many standings the filter takes in all.
    async fn total_count(&self, ctx: &Context<'_>) -> Maybe<i64> {
        let counted = async { Ok(reviews::count_standings(ctx.app()?, ctx.caller()?, &self.question.0, &self.question.1).await?) };
        Some(counted.await)
    }
}

/// One of the standings with its cursor.
#[derive(SimpleObject)]
pub struct StoredStandingEdge {
    /// Marks this row in this list, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub node: StoredStanding,
}
