//! Rebate runs on record. Every move is one conditional update: whoever comes second finds another state, hash or fence and hits no
//! row. Runs belong to a program, not to a partner; who may see them is decided above.

use chrono::{DateTime, Utc};
use guerdon_domain::date::{Date, Span};
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Row, TextEnum, text_enum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{ProgramId, RunId, VersionId};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// It settles its period for the first time, and posts the differences of the periods before.
    Original,
    /// Only differences of periods that were posted before.
    Adjustment,
    /// The negatives of what another run posted.
    Reversal,
}

text_enum!(RunKind { Original = "ORIGINAL", Adjustment = "ADJUSTMENT", Reversal = "REVERSAL" });

/// Where a run is on its way (semantics 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// Made; nothing is calculated.
    Draft,
    /// A worker calculates it.
    Calculating,
    /// Its statements can be looked at.
    Calculated,
    /// It could not be calculated; the list says why.
    Failed,
    /// It waits for an approver.
    Submitted,
    /// Another person approved it.
    Approved,
    /// An approver refused it.
    Rejected,
    /// It is in the books, for ever.
    Posted,
    /// It was paid.
    Paid,
    /// It was given up before it was posted.
    Voided,
}

text_enum!(RunState {
    Draft = "DRAFT",
    Calculating = "CALCULATING",
    Calculated = "CALCULATED",
    Failed = "FAILED",
    Submitted = "SUBMITTED",
    Approved = "APPROVED",
    Rejected = "REJECTED",
    Posted = "POSTED",
    Paid = "PAID",
    Voided = "VOIDED",
});

impl RunState {
    /// Whether what it states is in the books.
    pub const fn is_posted(self) -> bool {
        matches!(self, Self::Posted | Self::Paid)
    }
}

/// Somebody did something at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a run read: fixed when its calculation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInputs {
    /// The day on which it runs, in the program's time zone.
    pub run_on: Date,
    /// The last sealed batch whose facts count.
    pub cut_off: i64,
    /// The last posting that it builds on.
    pub book: i64,
    /// The last decided correction that it takes in.
    pub adjustments: i64,
    /// The last change that it knows of what is on record about partners (profiles, enrollments, tiers, overrides and the like) and of
    /// which versions are published.
    pub records: i64,
}

/// The sums of a run in one currency, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunTotal {
    /// The currency.
    pub currency: String,
    /// Statements.
    pub statements: i64,
    /// What the run's own period is worth.
    pub entitled: i64,
    /// What differs from what was recognised before, true-up included.
    pub difference: i64,
    /// What is posted.
    pub amount: i64,
    /// The sum of what is posted, whatever its sign: what limits of approval compare.
    pub gross: i64,
}

/// A run to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The program.
    pub program: ProgramId,
    /// The version in force on the period's first day.
    pub version: VersionId,
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The kind.
    pub kind: RunKind,
    /// The run whose negatives it posts.
    pub of_run: Option<RunId>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
}

/// A run on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRun {
    /// Its id.
    pub id: RunId,
    /// The program.
    pub program_id: ProgramId,
    /// The version in force on the period's first day.
    pub version_id: VersionId,
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The kind.
    pub kind: RunKind,
    /// Where it is on its way.
    pub state: RunState,
    /// The run whose negatives it posts.
    pub of_run_id: Option<RunId>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// What it read; none before it was calculated for the first time.
    pub inputs: Option<RunInputs>,
    /// Counts the workers that took it; what an earlier one writes is refused.
    pub fence: i64,
    /// Counts its changes.
    pub row_version: i64,
    /// Partners calculated so far.
    pub partners_done: i64,
    /// Partners to calculate.
    pub partners_total: Option<i64>,
    /// Its statements.
    pub statements: i64,
    /// Its sums by currency.
    pub totals: Vec<RunTotal>,
    /// The digest of everything it states.
    pub content_hash: Option<String>,
    /// Why it failed, as JSON.
    pub failure: Option<String>,
    /// Who made it.
    pub prepared: Deed,
    /// Who had it calculated, and when that was done.
    pub calculated_by: Option<String>,
    /// When it was calculated.
    pub calculated_at: Option<DateTime<Utc>>,
    /// Who submitted it.
    pub submitted: Option<Deed>,
    /// Who approved it.
    pub approved: Option<Deed>,
    /// Who rejected it.
    pub rejected: Option<Deed>,
    /// What he who decided had to say.
    pub decision_note: Option<String>,
    /// Whether posting asks for another approver than approving did.
    pub second_approver: bool,
    /// Who posted it.
    pub posted: Option<Deed>,
    /// Its place among all postings.
    pub posting_number: Option<i64>,
    /// Who recorded its payment.
    pub paid: Option<Deed>,
    /// The day on which it was paid.
    pub paid_on: Option<Date>,
    /// The reference of the payment.
    pub payment_reference: Option<String>,
    /// Who gave it up.
    pub voided: Option<Deed>,
    /// The run that posted its negatives.
    pub reversed_by: Option<RunId>,
}

const COLUMNS: &str = "r.id, r.program_id, r.version_id, r.period, r.period_from, r.period_until, r.kind, r.state, r.of_run_id, r.reason, r.run_on, \
    r.cut_off, r.book, r.adjustments, r.fence, r.row_version, r.partners_done, r.partners_total, r.statements, r.totals, r.content_hash, r.failure, \
    r.prepared_by, r.prepared_at, r.calculated_by, r.calculated_at, r.submitted_by, r.submitted_at, r.approved_by, r.approved_at, r.rejected_by, \
    r.rejected_at, r.decision_note, r.second_approver, r.posted_by, r.posted_at, r.posting_number, r.paid_by, r.paid_at, r.paid_on, \
    r.payment_reference, r.voided_by, r.voided_at, r.reversed_by_run_id, r.records";

fn deed(row: &Row<'_>, at: usize) -> Result<Option<Deed>, StoreError> {
    let by: Option<String> = row.get(at)?;
    let when: Option<DateTime<Utc>> = row.get(at + 1)?;
    Ok(by.zip(when).map(|(by, at)| Deed { by, at }))
}

fn run_of(row: &QueryResult) -> Result<StoredRun, StoreError> {
    let row = Row::new(row, "rebate_run");
    let read = (row.maybe_date(10)?, row.get::<Option<i64>>(11)?, row.get::<Option<i64>>(12)?, row.get::<Option<i64>>(13)?);
    let inputs = match read {
        (Some(run_on), Some(cut_off), Some(book), Some(adjustments)) => Some(RunInputs { run_on, cut_off, book, adjustments, records: row.get(44)? }),
        _ => None,
    };
    let totals = if row.maybe_text(19)?.is_some() { row.json(19)? } else { Vec::new() };
    Ok(StoredRun {
        id: row.get(0)?,
        program_id: row.get(1)?,
        version_id: row.get(2)?,
        period: row.get(3)?,
        span: row.span(4)?,
        kind: row.text_enum(6)?,
        state: row.text_enum(7)?,
        of_run_id: row.get(8)?,
        reason: row.get(9)?,
        inputs,
        fence: row.get(14)?,
        row_version: row.get(15)?,
        partners_done: row.get(16)?,
        partners_total: row.get(17)?,
        statements: row.get(18)?,
        totals,
        content_hash: row.get(20)?,
        failure: row.get(21)?,
        prepared: deed(&row, 22)?.ok_or_else(|| StoreError::corrupt("rebate_run", "prepared"))?,
        calculated_by: row.get(24)?,
        calculated_at: row.get(25)?,
        submitted: deed(&row, 26)?,
        approved: deed(&row, 28)?,
        rejected: deed(&row, 30)?,
        decision_note: row.get(32)?,
        second_approver: row.get::<i64>(33)? != 0,
        posted: deed(&row, 34)?,
        posting_number: row.get(36)?,
        paid: deed(&row, 37)?,
        paid_on: row.maybe_date(39)?,
        payment_reference: row.get(40)?,
        voided: deed(&row, 41)?,
        reversed_by: row.get(43)?,
    })
}

/// Which runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunFilter {
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this period.
    pub period: Option<String>,
    /// In any of these states.
    pub states: Vec<RunState>,
    /// Of any of these kinds.
    pub kinds: Vec<RunKind>,
    /// Only those that are posted.
    pub posted_only: bool,
}

impl RunFilter {
    fn conditions(&self, tx: &ReadTx, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = vec!["TRUE".to_owned()];
        if let Some(program) = self.program {
            conditions.push(format!("r.program_id = {}", parameters.add(program)));
        }
        if let Some(period) = &self.period {
            conditions.push(format!("r.period = {}", parameters.add(period.clone())));
        }
        let states: Vec<&str> = self.states.iter().map(TextEnum::text).collect();
        let kinds: Vec<&str> = self.kinds.iter().map(TextEnum::text).collect();
        for (column, list) in [("r.state", states), ("r.kind", kinds)] {
            if !list.is_empty() {
                let number = parameters.number(texts(tx.backend(), list));
                conditions.push(is_one_of_texts(tx.backend(), column, number));
            }
        }
        if self.posted_only {
            conditions.push("r.posting_number IS NOT NULL".to_owned());
        }
        conditions
    }
}

impl ReadTx {
    /// The run of this id.
    pub async fn find_run(&self, id: RunId) -> Result<Option<StoredRun>, StoreError> {
        let row = self.one(format!("SELECT {COLUMNS} FROM rebate_run r WHERE r.id = $1"), vec![id.into()]).await?;
        row.as_ref().map(run_of).transpose()
    }

    /// Runs by id.
    pub async fn runs_many(&self, ids: &[RunId]) -> Result<Vec<StoredRun>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM rebate_run r WHERE {}", is_one_of_uuids(self.backend(), "r.id", 1));
        self.all(sql, vec![uuids(self.backend(), ids)]).await?.iter().map(run_of).collect()
    }

    /// One page of runs, the latest made first.
    pub async fn list_runs(&self, filter: &RunFilter, page: &PageRequest) -> Result<Page<StoredRun>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = filter.conditions(self, &mut parameters);
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let at: DateTime<Utc> = cursor.key.parse().map_err(|_| StoreError::NotFound)?;
                let id: Uuid = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let (at, id) = (parameters.add(at), parameters.add(id));
                conditions.push(format!("(r.prepared_at, r.id) {operator} ({at}, {id})"));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM rebate_run r WHERE {} ORDER BY r.prepared_at {direction}, r.id {direction} LIMIT {}",
            conditions.join(" AND "),
            page.limit()
        );
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let run = run_of(&row)?;
            rows.push((Cursor { key: run.prepared.at.to_rfc3339(), id: run.id.to_string() }, run));
        }
        Ok(Page::cut(page, rows))
    }

    /// How many runs the filter takes.
    pub async fn count_runs(&self, filter: &RunFilter) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let conditions = filter.conditions(self, &mut parameters);
        let row = self.one(format!("SELECT COUNT(*) FROM rebate_run r WHERE {}", conditions.join(" AND ")), parameters.0).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "rebate_run").get(0))
    }

    /// The run that keeps another original of the period from being made, if there is one.
    pub async fn find_live_original(&self, program: ProgramId, period: &str) -> Result<Option<StoredRun>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM rebate_run r WHERE r.program_id = $1 AND r.period = $2 AND r.kind = 'ORIGINAL' \
             AND r.state NOT IN ('FAILED', 'REJECTED', 'VOIDED') AND r.reversed_by_run_id IS NULL"
        );
        self.one(sql, vec![program.into(), period.into()]).await?.as_ref().map(run_of).transpose()
    }

    /// The run that reverses, or is about to reverse, this one.
    pub async fn find_live_reversal(&self, of: RunId) -> Result<Option<StoredRun>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM rebate_run r WHERE r.of_run_id = $1 AND r.kind = 'REVERSAL' AND r.state NOT IN ('FAILED', 'REJECTED', 'VOIDED')");
        self.one(sql, vec![of.into()]).await?.as_ref().map(run_of).transpose()
    }

    /// Originals and adjustments of a program that were posted up to `book` and not reversed by then, in the order of posting.
    pub async fn list_standing_runs(&self, program: ProgramId, book: i64) -> Result<Vec<StoredRun>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM rebate_run r WHERE r.program_id = $1 AND r.posting_number <= $2 AND r.kind <> 'REVERSAL' AND NOT EXISTS \
             (SELECT 1 FROM rebate_run b WHERE b.id = r.reversed_by_run_id AND b.posting_number <= $2) ORDER BY r.posting_number"
        );
        self.all(sql, vec![program.into(), book.into()]).await?.iter().map(run_of).collect()
    }

    /// The number of the last posting of a program.
    pub async fn last_posting(&self, program: ProgramId) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(MAX(posting_number), 0) AS BIGINT) FROM rebate_run WHERE program_id = $1";
        self.one(sql, vec![program.into()]).await?.map_or(Ok(0), |row| Row::new(&row, "rebate_run").get(0))
    }

    /// A number that only goes up: `batch_seal`, `rebate_posting`, `rebate_adjustment`, `record`.
    pub async fn counter(&self, name: &str) -> Result<i64, StoreError> {
        let row = self.one("SELECT value FROM counter WHERE name = $1", vec![name.into()]).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "counter").get(0))
    }
}

impl WriteTx {
    /// The next value of a counter. Its row is locked until the commit, so that numbers are in the order of commits.
    pub(crate) async fn next_number(&self, name: &'static str) -> Result<i64, StoreError> {
        let row = self.one("UPDATE counter SET value = value + 1 WHERE name = $1 RETURNING value", vec![name.into()]).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("counter", name))?;
        Row::new(&row, "counter").get(0)
    }

    /// Makes a run, as a draft. A second live original of a period is a conflict with `rebate_run_original_key`, one of a locked
    /// period with `period_locked`, a second reversal with `rebate_run_reversal_key`.
    pub async fn insert_run(&self, new: &NewRun) -> Result<StoredRun, StoreError> {
        let id = self.new_id();
        let sql = "INSERT INTO rebate_run (id, program_id, version_id, period, period_from, period_until, kind, state, of_run_id, reason, fence, \
             row_version, partners_done, statements, second_approver, prepared_by, prepared_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'DRAFT', $8, $9, 0, 1, 0, 0, 0, $10, $11)";
        let values = vec![
            id.into(),
            new.program.into(),
            new.version.into(),
            new.period.clone().into(),
            new.span.from.naive().into(),
            new.span.until.naive().into(),
            new.kind.text().into(),
            new.of_run.into(),
            new.reason.clone().into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await?;
        self.find_run(id).await?.ok_or(StoreError::NotFound)
    }

    /// One conditional change of a run; answers it as it is now, or `Stale` when it was not as the condition says.
    async fn change_run(&self, id: RunId, sets: &str, condition: &str, mut values: Vec<sea_orm::Value>) -> Result<StoredRun, StoreError> {
        values.push(id.into());
        let sql = format!("UPDATE rebate_run SET {sets}, row_version = row_version + 1 WHERE {condition} AND id = ${}", values.len());
        self.execute_one(sql, values).await?;
        self.find_run(id).await?.ok_or(StoreError::NotFound)
    }

    /// Begins to calculate a run, or begins again: what it stated so far is thrown away, approvals are void.
    pub async fn begin_calculation(&self, run: &StoredRun, inputs: RunInputs, version: VersionId, partners: i64) -> Result<StoredRun, StoreError> {
        let sets = "state = 'CALCULATING', run_on = $1, cut_off = $2, book = $3, adjustments = $4, version_id = $5, partners_total = $6, \
            partners_done = 0, statements = 0, totals = NULL, content_hash = NULL, failure = NULL, fence = fence + 1, calculated_by = $7, \
            calculated_at = NULL, submitted_by = NULL, submitted_at = NULL, approved_by = NULL, approved_at = NULL, rejected_by = NULL, \
            rejected_at = NULL, decision_note = NULL, second_approver = 0, records = $9";
        let values = vec![
            inputs.run_on.naive().into(),
            inputs.cut_off.into(),
            inputs.book.into(),
            inputs.adjustments.into(),
            version.into(),
            partners.into(),
            self.context().actor.clone().into(),
            run.row_version.into(),
            inputs.records.into(),
        ];
        let changed = self.change_run(run.id, sets, "row_version = $8 AND state <> 'CALCULATING'", values).await?;
        for table in ["statement", "rebate_run_chunk", "rebate_run_budget"] {
            self.execute(format!("DELETE FROM {table} WHERE run_id = $1"), vec![run.id.into()]).await?;
        }
        Ok(changed)
    }

    /// Counts partners as calculated, if the run is still in this worker's hands; `Stale` if not. The first thing that a chunk
    /// writes.
    pub async fn hold_run(&self, id: RunId, fence: i64, partners: i64, statements: i64) -> Result<(), StoreError> {
        let sql = "UPDATE rebate_run SET partners_done = partners_done + $1, statements = statements + $2 WHERE id = $3 AND fence = $4 \
            AND state = 'CALCULATING'";
        self.execute_one(sql, vec![partners.into(), statements.into(), id.into(), fence.into()]).await
    }

    /// Ends the calculation with its hash and sums.
    pub async fn finish_calculation(&self, id: RunId, fence: i64, hash: &str, totals: &[RunTotal], second_approver: bool) -> Result<StoredRun, StoreError> {
        let sets = "state = 'CALCULATED', content_hash = $1, totals = $2, second_approver = $3, calculated_at = $4";
        let totals = serde_json::to_string(totals).unwrap_or_default();
        let values = vec![hash.into(), totals.into(), i64::from(second_approver).into(), self.now().into(), fence.into()];
        self.change_run(id, sets, "fence = $5 AND state = 'CALCULATING'", values).await
    }

    /// Ends the calculation without a result; `failure` lists why, as JSON.
    pub async fn fail_calculation(&self, id: RunId, fence: i64, failure: &str) -> Result<StoredRun, StoreError> {
        let values = vec![failure.into(), self.now().into(), fence.into()];
        self.change_run(id, "state = 'FAILED', failure = $1, calculated_at = $2", "fence = $3 AND state = 'CALCULATING'", values).await
    }

    /// Submits what has this hash.
    pub async fn submit_run(&self, id: RunId, hash: &str) -> Result<StoredRun, StoreError> {
        let values = vec![self.context().actor.clone().into(), self.now().into(), hash.into()];
        self.change_run(id, "state = 'SUBMITTED', submitted_by = $1, submitted_at = $2", "state = 'CALCULATED' AND content_hash = $3", values).await
    }

    /// Approves what has this hash. A conflict with `rebate_run_four_eyes` when the same person prepared it.
    pub async fn approve_run(&self, id: RunId, hash: &str, note: Option<&str>) -> Result<StoredRun, StoreError> {
        let values = vec![self.context().actor.clone().into(), self.now().into(), note.map(str::to_owned).into(), hash.into()];
        let sets = "state = 'APPROVED', approved_by = $1, approved_at = $2, decision_note = $3";
        self.change_run(id, sets, "state = 'SUBMITTED' AND content_hash = $4", values).await
    }

    /// Refuses a run that waits for its approval or posting.
    pub async fn reject_run(&self, id: RunId, note: &str) -> Result<StoredRun, StoreError> {
        let values = vec![self.context().actor.clone().into(), self.now().into(), note.into()];
        let sets = "state = 'REJECTED', rejected_by = $1, rejected_at = $2, decision_note = $3";
        self.change_run(id, sets, "state IN ('SUBMITTED', 'APPROVED')", values).await
    }

    /// Gives a run up that is not posted.
    pub async fn void_run(&self, id: RunId, note: Option<&str>) -> Result<StoredRun, StoreError> {
        let values = vec![self.context().actor.clone().into(), self.now().into(), note.map(str::to_owned).into()];
        let sets = "state = 'VOIDED', voided_by = $1, voided_at = $2, decision_note = $3, fence = fence + 1";
        self.change_run(id, sets, "state IN ('DRAFT', 'CALCULATING', 'CALCULATED', 'FAILED', 'SUBMITTED', 'APPROVED')", values).await
    }

    /// Marks what has this hash as posted, at the next place among all postings; `Stale` when another posting of the program came
    /// after what it builds on. The books are written by [`WriteTx::post_run_entries`].
    pub async fn mark_posted(&self, id: RunId, hash: &str) -> Result<StoredRun, StoreError> {
        let number = self.next_number("rebate_posting").await?;
        let values = vec![self.context().actor.clone().into(), self.now().into(), number.into(), hash.into()];
        let condition = "state = 'APPROVED' AND content_hash = $4 AND NOT EXISTS \
            (SELECT 1 FROM rebate_run o WHERE o.program_id = rebate_run.program_id AND o.posting_number > rebate_run.book)";
        self.change_run(id, "state = 'POSTED', posted_by = $1, posted_at = $2, posting_number = $3", condition, values).await
    }

    /// Marks a posted run as reversed by another.
    pub async fn mark_reversed(&self, id: RunId, by: RunId) -> Result<StoredRun, StoreError> {
        self.change_run(id, "reversed_by_run_id = $1", "posting_number IS NOT NULL AND reversed_by_run_id IS NULL", vec![by.into()]).await
    }

    /// Records that a posted run was paid, or a reversal paid back.
    pub async fn mark_paid(&self, id: RunId, paid_on: Date, reference: &str) -> Result<StoredRun, StoreError> {
        let values = vec![self.context().actor.clone().into(), self.now().into(), paid_on.naive().into(), reference.into()];
        let sets = "state = 'PAID', paid_by = $1, paid_at = $2, paid_on = $3, payment_reference = $4";
        self.change_run(id, sets, "state = 'POSTED' AND reversed_by_run_id IS NULL", values).await
    }
}
