//! Reviews as runs: begun, brought forward chunk by chunk, ended; one live per program and date.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};

use crate::bulk::{self, Kind};
use crate::convert::{Row, TextEnum, region_of_key, text_enum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, for_update, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{JobId, PartnerId, ProgramId, ReviewId, VersionId};

/// How far a review is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

text_enum!(ReviewState { Running = "RUNNING", Done = "DONE", Unchanged = "UNCHANGED", Failed = "FAILED" });

/// A review to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewStart {
    /// The program.
    pub program: ProgramId,
    /// The version that decides.
    pub version: VersionId,
    /// The date as of which it is decided.
    pub as_of: Date,
    /// What caused it: `SCHEDULED`, `REQUESTED`.
    pub cause: &'static str,
    /// Whom it is about, as canonical JSON.
    pub slice: String,
    /// `BY_CALENDAR` or `NOW`.
    pub due: &'static str,
}

/// A review on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReview {
    /// Its id.
    pub id: ReviewId,
    /// The program.
    pub program_id: ProgramId,
    /// The version that decides.
    pub version_id: VersionId,
    /// The date as of which it is decided.
    pub as_of: Date,
    /// What caused it.
    pub cause: String,
    /// Whom it is about, as canonical JSON.
    pub slice: String,
    /// `BY_CALENDAR` or `NOW`.
    pub due: String,
    /// How far it is.
    pub state: ReviewState,
    /// Its job; none for an evaluation that was made at once.
    pub job_id: Option<JobId>,
    /// The earlier review of the same date, version and slice.
    pub base_id: Option<ReviewId>,
    /// Whether it has found something else than that one.
    pub differs: bool,
    /// Partners judged.
    pub judged: i64,
    /// Tiers on record that it changed.
    pub changed: i64,
    /// Tiers that go up, as judged.
    pub promoted: i64,
    /// Tiers that go down, as judged.
    pub demoted: i64,
    /// Tiers that stay, as judged.
    pub kept: i64,
    /// Partners that could not be judged.
    pub failed: i64,
    /// Decisions that were not put on record, since a later one stands.
    pub in_the_past: i64,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Who asked for it.
    pub created_by: String,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl StoredReview {
    /// The review that holds the standings: this one, or the one that it found again.
    pub fn standings_of(&self) -> ReviewId {
        match self.state {
            ReviewState::Unchanged => self.base_id.unwrap_or(self.id),
            _ => self.id,
        }
    }
}

/// What a chunk adds to a review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewCounts {
    /// Partners judged.
    pub judged: u64,
    /// Tiers on record that changed.
    pub changed: u64,
    /// Tiers that go up.
    pub promoted: u64,
    /// Tiers that go down.
    pub demoted: u64,
    /// Tiers that stay.
    pub kept: u64,
    /// Partners that could not be judged.
    pub failed: u64,
    /// Decisions not put on record.
    pub in_the_past: u64,
}

/// Which partners a review walks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewWalk<'a> {
    /// Whom the one who asked may judge.
    pub scope: &'a Scope,
    /// The program.
    pub program: ProgramId,
    /// Enrolled on this date.
    pub as_of: Date,
    /// In any of these regions on that date; anywhere when empty.
    pub regions: &'a [String],
    /// Of any of these types on that date; of any when empty.
    pub types: &'a [String],
    /// Any of these codes; all when empty.
    pub partners: &'a [String],
}

/// What an earlier review found for some partners: per partner, ladder and region the standing, and the faults of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundBefore {
    /// Standings, by partner, ladder and region.
    pub standings: BTreeMap<(PartnerId, String, Option<String>), String>,
    /// Faults, by partner.
    pub failures: BTreeMap<PartnerId, String>,
}

const COLUMNS: &str = "id, program_id, version_id, as_of, cause, slice, due, state, job_id, base_id, differs, partners, changed, promoted, demoted, \
                       kept, failed, in_the_past, created_at, created_by, finished_at";
/// The columns of a standing, without its review.
const STANDING: &str = "partner_id, ladder, region_key, tier, qualified_tier, standing, from_tier, change, next_tier, next_share, at_risk_on, risk, \
                        grace_until, overridden_until, awaiting";

fn review_of(row: &QueryResult) -> Result<StoredReview, StoreError> {
    let row = Row::new(row, "review");
    Ok(StoredReview {
        id: row.get(0)?,
        program_id: row.get(1)?,
        version_id: row.get(2)?,
        as_of: row.date(3)?,
        cause: row.text(4)?,
        slice: row.text(5)?,
        due: row.text(6)?,
        state: row.text_enum(7)?,
        job_id: row.get(8)?,
        base_id: row.get(9)?,
        differs: row.get::<i64>(10)? != 0,
        judged: row.get(11)?,
        changed: row.get(12)?,
        promoted: row.get(13)?,
        demoted: row.get(14)?,
        kept: row.get(15)?,
        failed: row.get(16)?,
        in_the_past: row.get(17)?,
        created_at: row.get(18)?,
        created_by: row.text(19)?,
        finished_at: row.get(20)?,
    })
}

impl ReadTx {
    /// A review. Its counts belong to nobody; its standings are read in scope.
    pub async fn find_review(&self, id: ReviewId) -> Result<Option<StoredReview>, StoreError> {
        self.one(format!("SELECT {COLUMNS} FROM review WHERE id = $1"), vec![id.into()]).await?.as_ref().map(review_of).transpose()
    }

    /// Reviews by id.
    pub async fn reviews_many(&self, ids: &[ReviewId]) -> Result<BTreeMap<ReviewId, StoredReview>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM review WHERE {}", is_one_of_uuids(self.backend(), "id", 1));
        let rows = self.all(sql, vec![uuids(self.backend(), ids)]).await?;
        rows.iter().map(|row| review_of(row).map(|review| (review.id, review))).collect()
    }

    /// A page of the reviews of a program, the latest date first.
    pub async fn list_reviews(&self, program: ProgramId, states: &[ReviewState], page: &PageRequest) -> Result<Page<StoredReview>, StoreError> {
        let mut parameters = Parameters(vec![program.into()]);
        let mut conditions = vec!["program_id = $1".to_owned()];
        if !states.is_empty() {
            let number = parameters.number(texts(self.backend(), states.iter().map(TextEnum::text)));
            conditions.push(is_one_of_texts(self.backend(), "state", number));
        }
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let id: ReviewId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let date: Date = cursor.key.parse().map_err(|_| StoreError::NotFound)?;
                let (date_at, id_at) = (parameters.add(date.naive()), parameters.add(id));
                conditions.push(format!("(as_of, id) {operator} ({date_at}, {id_at})"));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!("SELECT {COLUMNS} FROM review WHERE {} ORDER BY as_of {direction}, id {direction} LIMIT {}", conditions.join(" AND "), page.limit());
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let review = review_of(&row)?;
            rows.push((Cursor { key: review.as_of.to_string(), id: review.id.to_string() }, review));
        }
        Ok(Page::cut(page, rows))
    }

    /// The last review of a program that is done and was a whole one, as of a date or of the latest one.
    pub async fn find_last_review(&self, program: ProgramId, as_of: Option<Date>) -> Result<Option<StoredReview>, StoreError> {
        let mut parameters = Parameters(vec![program.into()]);
        let on = as_of.map(|date| format!("AND as_of = {}", parameters.add(date.naive()))).unwrap_or_default();
        let sql = format!(
            "SELECT {COLUMNS} FROM review WHERE program_id = $1 {on} AND job_id IS NOT NULL AND state IN ('DONE', 'UNCHANGED') ORDER BY as_of DESC, id DESC LIMIT 1"
        );
        self.one(sql, parameters.0).await?.as_ref().map(review_of).transpose()
    }

    /// Whether there is a review under way whose job was given up.
    pub async fn has_lost_review(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM review r JOIN job j ON j.id = r.job_id WHERE r.state = 'RUNNING' AND j.state = 'FAILED' LIMIT 1";
        Ok(self.one(sql, Vec::new()).await?.is_some())
    }

    /// The date of a review of a program that is under way.
    pub async fn find_live_review_date(&self, program: ProgramId) -> Result<Option<Date>, StoreError> {
        let row = self.one("SELECT as_of FROM review WHERE program_id = $1 AND state = 'RUNNING' ORDER BY as_of LIMIT 1", vec![program.into()]).await?;
        row.map_or(Ok(None), |row| Row::new(&row, "review").maybe_date(0))
    }

    /// The last whole review of the same date, version and slice.
    pub async fn find_same_review(&self, start: &ReviewStart) -> Result<Option<StoredReview>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM review WHERE program_id = $1 AND as_of = $2 AND version_id = $3 AND slice = $4 AND due = $5 AND state = 'DONE' \
             AND job_id IS NOT NULL ORDER BY id DESC LIMIT 1"
        );
        let values = vec![start.program.into(), start.as_of.naive().into(), start.version.into(), start.slice.clone().into(), start.due.into()];
        self.one(sql, values).await?.as_ref().map(review_of).transpose()
    }

    /// The partners of a review in the order of their codes, behind `after`; at most `limit`.
    pub async fn list_to_review(&self, walk: &ReviewWalk<'_>, after: Option<&str>, limit: usize) -> Result<Vec<(PartnerId, String)>, StoreError> {
        let (sql, values) = self.walk_sql(walk, after, "p.id, p.code", &format!("ORDER BY p.code LIMIT {limit}"));
        self.all(sql, values).await?.iter().map(|row| Row::new(row, "partner")).map(|row| Ok((row.get(0)?, row.text(1)?))).collect()
    }

    /// How many partners a review walks through.
    pub async fn count_to_review(&self, walk: &ReviewWalk<'_>) -> Result<u64, StoreError> {
        let (sql, values) = self.walk_sql(walk, None, "COUNT(*)", "");
        let row = self.one(sql, values).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "partner").get::<i64>(0).map(|count| u64::try_from(count).unwrap_or(0)))
    }

    fn walk_sql(&self, walk: &ReviewWalk<'_>, after: Option<&str>, columns: &str, tail: &str) -> (String, Vec<sea_orm::Value>) {
        let mut parameters = Parameters(vec![walk.program.into(), walk.as_of.naive().into()]);
        let mut conditions = vec![within(self.backend(), "p", walk.scope, &mut parameters)];
        if let Some(after) = after {
            conditions.push(format!("p.code > {}", parameters.add(after)));
        }
        if !walk.partners.is_empty() {
            let number = parameters.number(texts(self.backend(), walk.partners.iter().map(String::as_str)));
            conditions.push(is_one_of_texts(self.backend(), "p.code", number));
        }
        // What the partner was on the date, not what it is today (semantics 4).
        let profile = "SELECT 1 FROM partner_profile f WHERE f.partner_id = p.id AND f.from_on = \
                       (SELECT MAX(g.from_on) FROM partner_profile g WHERE g.partner_id = p.id AND g.from_on <= $2)";
        for (column, list) in [("f.region", walk.regions), ("f.partner_type", walk.types)] {
            if !list.is_empty() {
                let number = parameters.number(texts(self.backend(), list.iter().map(String::as_str)));
                conditions.push(format!("EXISTS ({profile} AND {})", is_one_of_texts(self.backend(), column, number)));
            }
        }
        let sql = format!(
            "SELECT {columns} FROM partner p WHERE {} AND EXISTS (SELECT 1 FROM enrollment e WHERE e.partner_id = p.id AND e.program_id = $1 \
             AND e.since_on <= $2 AND (e.until_on IS NULL OR e.until_on > $2)) {tail}",
            conditions.join(" AND ")
        );
        (sql, parameters.0)
    }

    /// What a review found for the partners whose codes lie behind `after`, up to and with `last` (to the end when empty).
    pub async fn found_before(&self, review: ReviewId, after: Option<&str>, last: Option<&str>) -> Result<FoundBefore, StoreError> {
        let mut parameters = Parameters(vec![review.into()]);
        let mut range = String::new();
        for (operator, code) in [(">", after), ("<=", last)] {
            if let Some(code) = code {
                range.push_str(&format!(" AND p.code {operator} {}", parameters.add(code)));
            }
        }
        let mut found = FoundBefore::default();
        let standings = format!(
            "SELECT s.partner_id, s.ladder, s.region_key, s.standing FROM review_standing s JOIN partner p ON p.id = s.partner_id WHERE s.review_id = $1{range}"
        );
        for row in self.all(standings, parameters.0.clone()).await? {
            let row = Row::new(&row, "review_standing");
            found.standings.insert((row.get(0)?, row.text(1)?, region_of_key(row.text(2)?)), row.text(3)?);
        }
        let failures = format!("SELECT s.partner_id, s.faults FROM review_failure s JOIN partner p ON p.id = s.partner_id WHERE s.review_id = $1{range}");
        for row in self.all(failures, parameters.0).await? {
            let row = Row::new(&row, "review_failure");
            found.failures.insert(row.get(0)?, row.text(1)?);
        }
        Ok(found)
    }

    /// The partners in scope that a review could not judge, with the faults as JSON, in the order of their codes; at most `limit`.
    pub async fn list_review_failures(&self, scope: &Scope, review: ReviewId, limit: u32) -> Result<Vec<(PartnerId, String, String)>, StoreError> {
        let mut parameters = Parameters(vec![review.into()]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT p.id, p.code, s.faults FROM review_failure s JOIN partner p ON p.id = s.partner_id WHERE s.review_id = $1 AND {within} ORDER BY p.code LIMIT {limit}"
        );
        self.all(sql, parameters.0).await?.iter().map(|row| Row::new(row, "review_failure")).map(|row| Ok((row.get(0)?, row.text(1)?, row.text(2)?))).collect()
    }
}

impl WriteTx {
    /// Begins a review. [`StoreError::Conflict`] with `review_live_key` while another one of the program and date is under way.
    pub async fn begin_review(&self, start: &ReviewStart, base: Option<ReviewId>) -> Result<ReviewId, StoreError> {
        let id = self.new_id();
        let sql = "INSERT INTO review (id, program_id, version_id, as_of, cause, partners, changed, created_at, created_by, state, slice, due, base_id) \
                   VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, 'RUNNING', $8, $9, $10)";
        let values = vec![
            id.into(),
            start.program.into(),
            start.version.into(),
            start.as_of.naive().into(),
            start.cause.into(),
            self.now().into(),
            self.context().actor.clone().into(),
            start.slice.clone().into(),
            start.due.into(),
            base.into(),
        ];
        self.execute(sql, values).await?;
        Ok(id)
    }

    /// Lets one review of a program begin after the other: whoever asks next waits until this transaction has ended.
    pub async fn lock_reviews(&self, program: ProgramId) -> Result<(), StoreError> {
        // SQLite has one writer anyway. Rows that name the program do not wait for this lock.
        let lock = for_update(self.backend());
        if lock.is_empty() {
            return Ok(());
        }
        self.one("SELECT id FROM program WHERE id = $1 FOR NO KEY UPDATE", vec![program.into()]).await.map(drop)
    }

    /// Names the job of a review.
    pub async fn set_review_job(&self, review: ReviewId, job: JobId) -> Result<(), StoreError> {
        self.execute_one("UPDATE review SET job_id = $1 WHERE id = $2", vec![job.into(), review.into()]).await
    }

    /// Adds what a chunk found. [`StoreError::Stale`] when the review is not under way any more.
    pub async fn add_to_review(&self, review: ReviewId, counts: &ReviewCounts) -> Result<(), StoreError> {
        let whole = |number: u64| sea_orm::Value::from(i64::try_from(number).unwrap_or(i64::MAX));
        let sql = "UPDATE review SET partners = partners + $2, changed = changed + $3, promoted = promoted + $4, demoted = demoted + $5, kept = kept + $6, \
                   failed = failed + $7, in_the_past = in_the_past + $8 WHERE id = $1 AND state = 'RUNNING'";
        let counts = [counts.judged, counts.changed, counts.promoted, counts.demoted, counts.kept, counts.failed, counts.in_the_past];
        self.execute_one(sql, std::iter::once(review.into()).chain(counts.map(whole)).collect()).await
    }

    /// Notes that a review finds something else than the one before, and takes over what that one found for the partners up to and
    /// with the code `until`, for whom both found the same.
    pub async fn part_from_base(&self, review: ReviewId, base: ReviewId, until: Option<&str>) -> Result<(), StoreError> {
        self.execute_one("UPDATE review SET differs = 1 WHERE id = $1 AND state = 'RUNNING'", vec![review.into()]).await?;
        let Some(until) = until else { return Ok(()) };
        let values = || vec![review.into(), base.into(), until.into()];
        let named: Vec<String> = STANDING.split(", ").map(|column| format!("s.{column}")).collect();
        let standings = format!(
            "INSERT INTO review_standing (review_id, {STANDING}) SELECT $1, {} FROM review_standing s JOIN partner p ON p.id = s.partner_id \
             WHERE s.review_id = $2 AND p.code <= $3",
            named.join(", ")
        );
        let failures = "INSERT INTO review_failure (review_id, partner_id, faults) SELECT $1, s.partner_id, s.faults FROM review_failure s \
                        JOIN partner p ON p.id = s.partner_id WHERE s.review_id = $2 AND p.code <= $3";
        for sql in [standings.as_str(), failures] {
            let sql = if self.backend() == sea_orm::DbBackend::Postgres { sql.replacen("SELECT $1,", "SELECT $1::uuid,", 1) } else { sql.to_owned() };
            self.execute(sql, values()).await?;
        }
        Ok(())
    }

    /// Puts on record whom a review could not judge, with the faults as JSON.
    pub async fn record_review_failures(&self, review: ReviewId, failures: &[(PartnerId, String)]) -> Result<(), StoreError> {
        let rows = failures.iter().map(|(partner, faults)| vec![review.into(), (*partner).into(), faults.clone().into()]).collect();
        let columns = [("review_id", Kind::Uuid), ("partner_id", Kind::Uuid), ("faults", Kind::Text)];
        bulk::insert(self, "review_failure", &columns, rows, "").await.map(drop)
    }

    /// Ends a review: unchanged when it found what the one before had found.
    pub async fn end_review(&self, review: ReviewId) -> Result<(), StoreError> {
        let sql = "UPDATE review SET state = CASE WHEN base_id IS NOT NULL AND differs = 0 THEN 'UNCHANGED' ELSE 'DONE' END, finished_at = $1 \
                   WHERE id = $2 AND state = 'RUNNING'";
        self.execute_one(sql, vec![self.now().into(), review.into()]).await
    }

    /// Gives up reviews whose job was given up; answers how many.
    pub async fn give_up_reviews(&self) -> Result<u64, StoreError> {
        let sql = "UPDATE review SET state = 'FAILED', finished_at = $1 WHERE state = 'RUNNING' \
                   AND EXISTS (SELECT 1 FROM job j WHERE j.id = review.job_id AND j.state = 'FAILED')";
        Ok(self.execute(sql, vec![self.now().into()]).await?.rows_affected())
    }
}
