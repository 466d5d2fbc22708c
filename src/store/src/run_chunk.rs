//! The chunks of a run: which partners come next, what became of a chunk, and the figures that budgets are shared by.

use guerdon_domain::date::{Date, Span};
use sea_orm::{QueryResult, Value};

use crate::bulk::{self, Column, Kind};
use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::{is_one_of_uuids, uuids};
use crate::state::as_of_record;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, RunId, VersionId};

/// A chunk that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunChunk {
    /// Which pass over the partners: 0 earns, where there are budgets, and 1 states.
    pub pass: i64,
    /// Its place in the pass, from 0.
    pub no: i64,
    /// The code of its last partner; the next chunk starts behind it.
    pub last_code: String,
    /// Its partners.
    pub partners: i64,
    /// The statements that it wrote.
    pub statements: i64,
    /// Faults of its partners, as JSON.
    pub failure: Option<String>,
}

/// What a partner earned of a schedule with a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetPart {
    /// The schedule.
    pub schedule: String,
    /// The period.
    pub period: String,
    /// The partner.
    pub partner: PartnerId,
    /// Its code.
    pub code: String,
    /// What it earned, in minor units.
    pub earned: i64,
    /// What it gets, once the budget is shared.
    pub shared: Option<i64>,
}

/// Whether anything came in that a run should have read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeAsked {
    /// The program.
    pub program: ProgramId,
    /// The last batch that the run read.
    pub cut_off: i64,
    /// The first day after its period; what is dated from then on does not concern it.
    pub until: Date,
    /// Whether returns of any day may count for it.
    pub linked_returns: bool,
    /// The last change of what is on record about partners that the run knew.
    pub records: i64,
    /// Whether tiers matter to it.
    pub tiers: bool,
}

const BUDGET_COLUMNS: [Column; 5] =
    [("run_id", Kind::Uuid), ("schedule", Kind::Text), ("period", Kind::Text), ("partner_id", Kind::Uuid), ("earned_minor", Kind::Int)];

fn chunk_of(row: &QueryResult) -> Result<RunChunk, StoreError> {
    let row = Row::new(row, "rebate_run_chunk");
    Ok(RunChunk { pass: row.get(0)?, no: row.get(1)?, last_code: row.get(2)?, partners: row.get(3)?, statements: row.get(4)?, failure: row.get(5)? })
}

/// The condition that a partner was enrolled on some day from `$2` until `$3`, as it was on record after change number `records`, or
/// that something was stated to it before, which has to be taken back. One question about each partner, which ends with the first answer:
/// asked one by one with OR between them, PostgreSQL would read all enrollments and statements for every chunk.
pub(crate) fn enrolled(records: i64) -> String {
    let [now, past] = enrollments(records).map(|found| format!("{found} AND s.partner_id = p.id"));
    format!("EXISTS ({now} UNION ALL {past} UNION ALL SELECT 1 FROM statement s WHERE s.partner_id = p.id AND s.program_id = $1)")
}

/// The enrollments on some day from `$2` until `$3`, as they were on record after change number `records`: those that still are, and
/// those of the past.
fn enrollments(records: i64) -> [String; 2] {
    as_of_record("enrollment", records).map(|(table, known)| {
        format!("SELECT 1 FROM {table} s WHERE s.program_id = $1 AND s.since_on < $3 AND (s.until_on IS NULL OR s.until_on > $2) AND {known}")
    })
}

impl ReadTx {
    /// The partners of a program that were enrolled on some day of `days` or were stated something before, by code, behind `after`. A
    /// run is over all of them, whoever asks for it, as it was on record after change number `records`.
    pub async fn list_run_partners(
        &self,
        program: ProgramId,
        days: Span,
        records: i64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(PartnerId, String)>, StoreError> {
        let sql = format!("SELECT p.id, p.code FROM partner p WHERE p.code > $4 AND {} ORDER BY p.code LIMIT {limit}", enrolled(records));
        let values = vec![program.into(), days.from.naive().into(), days.until.naive().into(), after.into()];
        let rows = self.all(sql, values).await?;
        rows.iter().map(|row| Row::new(row, "partner")).map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// How many partners [`ReadTx::list_run_partners`] answers in all.
    pub async fn count_enrolled(&self, program: ProgramId, days: Span, records: i64) -> Result<i64, StoreError> {
        let values = vec![program.into(), days.from.naive().into(), days.until.naive().into()];
        let row = self.one(format!("SELECT COUNT(*) FROM partner p WHERE {}", enrolled(records)), values).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "partner").get(0))
    }

    /// Whether anybody was enrolled on some day of `days`, as it was on record after change number `records`.
    pub async fn anybody_enrolled(&self, program: ProgramId, days: Span, records: i64) -> Result<bool, StoreError> {
        let [now, past] = enrollments(records);
        let values = vec![program.into(), days.from.naive().into(), days.until.naive().into()];
        Ok(self.one(format!("{now} UNION ALL {past} LIMIT 1"), values).await?.is_some())
    }

    /// What came in after the last batch that a run read, dated before the end of its period: one word for people.
    pub async fn find_change_after(&self, asked: &ChangeAsked) -> Result<Option<&'static str>, StoreError> {
        let new_batches = "SELECT 1 FROM import_batch WHERE seal_number > $1 LIMIT 1";
        let matters = |what: &str| asked.tiers || !matches!(what, "tiers" | "overrides");
        for (what, sql) in changes_on_record().into_iter().filter(|(what, _)| matters(what)) {
            if self.one(sql, vec![asked.program.into(), asked.records.into(), asked.until.naive().into()]).await?.is_some() {
                return Ok(Some(what));
            }
        }
        if self.one(new_batches, vec![asked.cut_off.into()]).await?.is_none() {
            return Ok(None);
        }
        let linked = if asked.linked_returns { "OR (f.kind = 'RETURN' AND f.corrects IS NOT NULL)" } else { "" };
        let of_partners = "AND EXISTS (SELECT 1 FROM enrollment e WHERE e.partner_id = f.partner_id AND e.program_id = $3)";
        let kinds = [
            ("sale lines", "transactions", format!("(f.occurred_on < $2 {linked}) {of_partners}")),
            ("holdings", "holding", format!("f.since_on < $2 {of_partners}")),
            ("activities", "activity", format!("f.occurred_on < $2 {of_partners}")),
            ("deals", "deal", format!("f.opened_on < $2 {of_partners}")),
            ("exchange rates", "exchange_rate", "f.rate_on < $2 AND $3 = $3".to_owned()),
        ];
        for (what, table, condition) in kinds {
            let sql = format!("SELECT 1 FROM {table} f WHERE f.batch_id IN (SELECT id FROM import_batch WHERE seal_number > $1) AND {condition} LIMIT 1");
            if self.one(sql, vec![asked.cut_off.into(), asked.until.naive().into(), asked.program.into()]).await?.is_some() {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// The versions that a run's statements were computed by, each with its period's first day.
    pub async fn list_run_versions(&self, run: RunId) -> Result<Vec<(Date, VersionId)>, StoreError> {
        let sql = "SELECT DISTINCT period_from, version_id FROM statement WHERE run_id = $1";
        let rows = self.all(sql, vec![run.into()]).await?;
        rows.iter().map(|row| Row::new(row, "statement")).map(|row| Ok((row.date(0)?, row.get(1)?))).collect()
    }

    /// The last chunk of a run.
    pub async fn last_chunk(&self, run: RunId) -> Result<Option<RunChunk>, StoreError> {
        let sql = "SELECT pass, no, last_code, partners, statements, failure FROM rebate_run_chunk WHERE run_id = $1 ORDER BY pass DESC, no DESC LIMIT 1";
        self.one(sql, vec![run.into()]).await?.as_ref().map(chunk_of).transpose()
    }

    /// The chunks of a run that had faults.
    pub async fn list_failed_chunks(&self, run: RunId) -> Result<Vec<RunChunk>, StoreError> {
        let sql = "SELECT pass, no, last_code, partners, statements, failure FROM rebate_run_chunk WHERE run_id = $1 AND failure IS NOT NULL \
            ORDER BY pass, no";
        self.all(sql, vec![run.into()]).await?.iter().map(chunk_of).collect()
    }

    /// What all partners earned of one schedule and period, by code.
    pub async fn list_budget_parts(&self, run: RunId, schedule: &str, period: &str) -> Result<Vec<BudgetPart>, StoreError> {
        let sql = "SELECT b.schedule, b.period, b.partner_id, p.code, b.earned_minor, b.shared_minor FROM rebate_run_budget b \
            JOIN partner p ON p.id = b.partner_id WHERE b.run_id = $1 AND b.schedule = $2 AND b.period = $3 ORDER BY p.code";
        self.all(sql, vec![run.into(), schedule.into(), period.into()]).await?.iter().map(part_of).collect()
    }

    /// What these partners get of the schedules with budgets.
    pub async fn budget_parts_many(&self, run: RunId, partners: &[PartnerId]) -> Result<Vec<BudgetPart>, StoreError> {
        let sql = format!(
            "SELECT b.schedule, b.period, b.partner_id, p.code, b.earned_minor, b.shared_minor FROM rebate_run_budget b \
             JOIN partner p ON p.id = b.partner_id WHERE {} AND b.run_id = $2 ORDER BY p.code, b.schedule, b.period",
            is_one_of_uuids(self.backend(), "b.partner_id", 1)
        );
        self.all(sql, vec![uuids(self.backend(), partners), run.into()]).await?.iter().map(part_of).collect()
    }
}

/// What was recorded about partners after change `$2` and dated before `$3`, with another effect until then: one word for people, and
/// the statement that finds some.
fn changes_on_record() -> [(&'static str, String); 4] {
    let changed = |table: &str, from: &str, counts: &str, same: &str| {
        format!(
            "SELECT 1 FROM {table} s WHERE s.recorded_number > $2 AND s.{from} < $3 AND {counts} AND NOT EXISTS (SELECT 1 FROM {table}_past q \
             WHERE q.recorded_number <= $2 AND q.superseded_number > $2 AND {same}) LIMIT 1"
        )
    };
    // A span that is closed on a later day is the same until then.
    let same_until = "q.id = s.id AND (q.until_on IS NULL OR q.until_on >= $3) AND (s.until_on IS NULL OR s.until_on >= $3)";
    let approved = "s.program_id = $1 AND (s.state = 'APPROVED' OR EXISTS (SELECT 1 FROM tier_override_past o WHERE o.id = s.id \
        AND o.recorded_number <= $2 AND o.superseded_number > $2 AND o.state = 'APPROVED'))";
    let same_override = format!("{same_until} AND q.state = 'APPROVED' AND s.state = 'APPROVED' AND q.from_on = s.from_on");
    let of_program = "EXISTS (SELECT 1 FROM enrollment e WHERE e.partner_id = s.partner_id AND e.program_id = $1)";
    let same_profile: Vec<String> = ["partner_type", "region", "parent_id", "currency", "status", "attributes"]
        .iter()
        .map(|column| format!(" AND q.{column} IS NOT DISTINCT FROM s.{column}"))
        .collect();
    let same_profile = format!("q.partner_id = s.partner_id AND q.from_on = s.from_on{}", same_profile.concat());
    [
        ("tiers", changed("tier_assignment", "from_on", "s.program_id = $1", same_until)),
        ("overrides", changed("tier_override", "from_on", approved, &same_override)),
        ("enrollments", changed("enrollment", "since_on", "s.program_id = $1", same_until)),
        ("partner profiles", changed("partner_profile", "from_on", of_program, &same_profile)),
    ]
}

fn part_of(row: &QueryResult) -> Result<BudgetPart, StoreError> {
    let row = Row::new(row, "rebate_run_budget");
    Ok(BudgetPart { schedule: row.get(0)?, period: row.get(1)?, partner: row.get(2)?, code: row.get(3)?, earned: row.get(4)?, shared: row.get(5)? })
}

impl WriteTx {
    /// Marks a chunk as done. The same chunk a second time is refused by the key of the table.
    pub async fn insert_chunk(&self, run: RunId, fence: i64, chunk: &RunChunk) -> Result<(), StoreError> {
        let sql = "INSERT INTO rebate_run_chunk (run_id, pass, no, last_code, partners, statements, fence, failure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = vec![
            run.into(),
            chunk.pass.into(),
            chunk.no.into(),
            chunk.last_code.clone().into(),
            chunk.partners.into(),
            chunk.statements.into(),
            fence.into(),
            chunk.failure.clone().into(),
        ];
        self.execute(sql, values).await.map(drop)
    }

    /// Keeps what partners earned of schedules with budgets.
    pub async fn insert_budget_parts(&self, run: RunId, parts: &[BudgetPart]) -> Result<(), StoreError> {
        if parts.is_empty() {
            return Ok(());
        }
        let cells = |part: &BudgetPart| -> Vec<Value> {
            vec![run.into(), part.schedule.clone().into(), part.period.clone().into(), part.partner.into(), part.earned.into()]
        };
        bulk::insert(self, "rebate_run_budget", &BUDGET_COLUMNS, parts.iter().map(cells).collect(), "").await.map(drop)
    }

    /// Keeps what partners get of a schedule whose budget did not suffice; all others get what they earned.
    pub async fn share_budget_parts(&self, run: RunId, parts: &[BudgetPart]) -> Result<(), StoreError> {
        self.execute("UPDATE rebate_run_budget SET shared_minor = earned_minor WHERE run_id = $1 AND shared_minor IS NULL", vec![run.into()]).await?;
        let sql = "UPDATE rebate_run_budget SET shared_minor = $1 WHERE run_id = $2 AND schedule = $3 AND period = $4 AND partner_id = $5";
        for part in parts.iter().filter(|part| part.shared.is_some_and(|shared| shared != part.earned)) {
            let values = vec![part.shared.into(), run.into(), part.schedule.clone().into(), part.period.clone().into(), part.partner.into()];
            self.execute(sql, values).await?;
        }
        Ok(())
    }
}
