//! Bringing in files of any length: begin, stage chunk by chunk, seal.
//!
//! A chunk is staged in a transaction of its own, in tables that no finder reads. Sealing moves all of them to the facts and their
//! roll-ups in one commit, by statements that the database runs without sending a line over; before it nobody sees anything, and
//! a killed import leaves a staged batch that the same file resumes and anything else may discard. A lease and a fence keep two
//! processes from staging into one batch.

use chrono::TimeDelta;
use guerdon_domain::access::Scope;
use sea_orm::{DbBackend, QueryResult, Value};
use serde::{Deserialize, Serialize};

use crate::BatchId;
use crate::batch::{BatchReport, CONFLICTS_LISTED, ConflictLine, NewBatch, Recorded, RejectedLine};
use crate::bulk::{self, Column, Kind};
use crate::connect::Store;
use crate::convert::Row;
use crate::fact_rows::{Fact, FactTable};
use crate::fault::StoreError;
use crate::record::{Resolved, Resolver, line_number};
use crate::tx::{WriteContext, WriteTx};

/// What happens to a line whose id stands on record with another body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConflictRule {
    /// It is listed, and nothing of it is applied.
    #[default]
    Refuse,
    /// Holdings and deals: it becomes the next revision (a certificate is revoked, a deal is closed). Other facts: as REFUSE;
    /// they are corrected by further lines.
    Amend,
}

/// How long a stager may be silent before another may take its batch over.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// An import that has begun.
pub struct Import {
    store: Store,
    scope: Scope,
    batch: BatchId,
    source: String,
    table: &'static FactTable,
    fence: i64,
    staged: u64,
    last_line: u64,
    resolver: Resolver,
}

/// Whether an import begins or goes on.
pub struct ImportStart {
    /// The import.
    pub import: Import,
    /// The last line that is staged already: lines up to it need not be staged again. 0 for a new import.
    pub resumed_after: u64,
}

/// What became of one chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageReport {
    /// Lines staged.
    pub staged: u64,
    /// Lines that cannot be facts; they are not staged.
    pub rejected: Vec<RejectedLine>,
}

impl Store {
    /// Begins an import of facts of the kind `F`, or resumes the one that was cut off, which is known by source and file digest.
    /// [`StoreError::InProgress`] while another process stages it. Partners outside `scope` are unknown.
    pub async fn begin_import<F: Fact>(&self, context: &WriteContext, scope: &Scope, batch: &NewBatch) -> Result<ImportStart, StoreError> {
        let write = self.begin_write(context).await?;
        let begun = begin(&write, F::TABLE, batch).await;
        let (id, fence, staged, last_line) = finish(write, begun).await?;
        let import = Import {
            store: self.clone(),
            scope: scope.clone(),
            batch: id,
            source: batch.source.clone(),
            table: F::TABLE,
            fence,
            staged,
            last_line,
            resolver: Resolver::default(),
        };
        Ok(ImportStart { import, resumed_after: last_line })
    }

    /// Throws away what imports left behind that nobody has worked on for the length of a lease; answers how many batches. For
    /// start-up and a daily job.
    pub async fn discard_abandoned_imports(&self, context: &WriteContext) -> Result<u64, StoreError> {
        let sql = "UPDATE import_batch SET state = 'DISCARDED', lease_until = NULL WHERE state = 'STAGED' AND lease_until < $1";
        let write = self.begin_write(context).await?;
        let discarded = write.execute(sql, vec![write.now().into()]).await.map(|result| result.rows_affected());
        let discarded = finish(write, discarded).await?;
        self.sweep_staged(context).await?;
        Ok(discarded)
    }

    /// Removes lines of batches that are no longer staged, some at a time, so that other writers get their turn.
    async fn sweep_staged(&self, context: &WriteContext) -> Result<(), StoreError> {
        for table in ["staged_transaction", "staged_holding", "staged_activity", "staged_deal"] {
            while self.sweep_some(context, table).await? > 0 {}
        }
        Ok(())
    }

    async fn sweep_some(&self, context: &WriteContext, table: &str) -> Result<u64, StoreError> {
        let write = self.begin_write(context).await?;
        let swept = sweep(&write, table).await;
        finish(write, swept).await
    }
}

/// Commits what went well, rolls back what did not.
async fn finish<T>(write: WriteTx, result: Result<T, StoreError>) -> Result<T, StoreError> {
    match result {
        Ok(value) => write.commit().await.map(|()| value).map_err(|sorted| sorted.error),
        Err(error) => {
            write.rollback().await;
            Err(error)
        }
    }
}

async fn sweep(write: &WriteTx, table: &str) -> Result<u64, StoreError> {
    let staged = "SELECT 1 FROM import_batch b WHERE b.state = 'STAGED' AND b.kind = $1 LIMIT 1";
    let kind = match table {
        "staged_transaction" => "TRANSACTIONS",
        "staged_holding" => "HOLDINGS",
        "staged_activity" => "ACTIVITIES",
        _ => "DEALS",
    };
    if write.backend() == DbBackend::Sqlite && write.one(staged, vec![kind.into()]).await?.is_none() {
        // Without a condition SQLite drops the pages instead of deleting row by row.
        write.execute(format!("DELETE FROM {table}"), Vec::new()).await?;
        return Ok(0);
    }
    let row = if write.backend() == DbBackend::Postgres { "ctid" } else { "rowid" };
    let sql = format!(
        "DELETE FROM {table} WHERE {row} IN (SELECT s.{row} FROM {table} s JOIN import_batch b ON b.id = s.batch_id WHERE b.state <> 'STAGED' LIMIT 50000)"
    );
    Ok(write.execute(sql, Vec::new()).await?.rows_affected())
}

async fn begin(write: &WriteTx, table: &FactTable, batch: &NewBatch) -> Result<(BatchId, i64, u64, u64), StoreError> {
    if let Some(digest) = &batch.file_digest {
        let sql = "SELECT id, fence, staged_lines, last_line, lease_until FROM import_batch \
            WHERE kind = $1 AND source = $2 AND file_digest = $3 AND state = 'STAGED'";
        let found = write.one(sql, vec![table.kind.into(), batch.source.clone().into(), digest.clone().into()]).await?;
        if let Some(row) = found {
            return take_over(write, &row).await;
        }
    }
    let id = write.insert_batch(table.kind, batch, Some(write.now() + LEASE)).await?;
    Ok((id, 1, 0, 0))
}

async fn take_over(write: &WriteTx, row: &QueryResult) -> Result<(BatchId, i64, u64, u64), StoreError> {
    let row = Row::new(row, "import_batch");
    let (id, fence): (BatchId, i64) = (row.get(0)?, row.get(1)?);
    let lease: Option<chrono::DateTime<chrono::Utc>> = row.get(4)?;
    if lease.is_some_and(|until| until > write.now()) {
        return Err(StoreError::InProgress);
    }
    let sql = "UPDATE import_batch SET fence = fence + 1, lease_until = $1 WHERE id = $2 AND fence = $3 AND state = 'STAGED'";
    write.execute_one(sql, vec![(write.now() + LEASE).into(), id.into(), fence.into()]).await?;
    let whole = |at: usize| row.get::<i64>(at).map(|number| u64::try_from(number).unwrap_or_default());
    Ok((id, fence + 1, whole(2)?, whole(3)?))
}

impl Import {
    /// The batch.
    pub const fn batch(&self) -> BatchId {
        self.batch
    }

    /// Lines staged so far.
    pub const fn staged(&self) -> u64 {
        self.staged
    }

    /// Stages one chunk; some thousand rows at a time are best. Rows come in the order of their lines. `context.now` moves the
    /// lease on. [`StoreError::Stale`] when another process took the batch over.
    pub async fn stage<F: Fact>(&mut self, context: &WriteContext, rows: Vec<Recorded<F>>) -> Result<StageReport, StoreError> {
        if !std::ptr::eq(self.table, F::TABLE) {
            return Err(StoreError::Configuration(format!("a batch of {} takes nothing else", self.table.kind)));
        }
        let last = rows.iter().map(|row| row.line).max().unwrap_or(self.last_line).max(self.last_line);
        // Looked up and turned into rows before the transaction, so that others may write meanwhile.
        let read = self.store.begin_read().await?;
        let (facts, rejected) = self.resolver.resolve(&read, &self.scope, &self.source, rows).await?;
        drop(read);
        let write = self.store.begin_write(context).await?;
        let staged = self.stage_in(&write, facts, rejected, last).await;
        let report = finish(write, staged).await?;
        self.staged += report.staged;
        self.last_line = last;
        Ok(report)
    }

    async fn stage_in(&self, write: &WriteTx, facts: Vec<Resolved>, rejected: Vec<RejectedLine>, last: u64) -> Result<StageReport, StoreError> {
        let staged = facts.len() as u64;
        let sql = "UPDATE import_batch SET staged_lines = staged_lines + $1, rejected = rejected + $2, last_line = $3, lease_until = $4 \
            WHERE id = $5 AND fence = $6 AND state = 'STAGED'";
        let values = vec![
            line_number(staged).into(),
            line_number(rejected.len() as u64).into(),
            line_number(last).into(),
            (write.now() + LEASE).into(),
            self.batch.into(),
            self.fence.into(),
        ];
        write.execute_one(sql, values).await?;
        let rows: Vec<Vec<Value>> = facts
            .into_iter()
            .map(|fact| {
                let mut row: Vec<Value> = Vec::with_capacity(6 + fact.cells.len());
                row.extend([self.batch.into(), line_number(fact.line).into(), fact.external_id.into()]);
                row.extend([fact.digest.into(), fact.partner.into(), fact.recorded_on]);
                row.extend(fact.cells);
                row
            })
            .collect();
        if !rows.is_empty() {
            bulk::insert(write, self.table.staged, &staged_columns(self.table), rows, "").await?;
        }
        Ok(StageReport { staged, rejected })
    }

    /// Makes the staged lines facts, in the caller's transaction: all of them at once, with their roll-ups. Without `partly`, a
    /// conflict seals nothing: the report lists the conflicts and has no batch, and the lines stay staged. Facts that are on
    /// record already count as unchanged; when all are, the batch is discarded and changed nothing.
    pub async fn seal(&self, write: &WriteTx, rule: ConflictRule, partly: bool) -> Result<BatchReport, StoreError> {
        if write.backend() == DbBackend::Postgres {
            write.execute("SET LOCAL statement_timeout = 0", Vec::new()).await?;
        }
        // The batch's row is locked until the commit; it changes only if it is sealed.
        let lock = "UPDATE import_batch SET fence = fence WHERE id = $1 AND fence = $2 AND state = 'STAGED'";
        write.execute_one(lock, vec![self.batch.into(), self.fence.into()]).await?;
        write.execute("SAVEPOINT seal", Vec::new()).await?;
        let amend = rule == ConflictRule::Amend && self.table.revisions;
        let mut report = BatchReport {
            batch: None,
            seal_number: None,
            inserted: self.move_lines(write).await?,
            unchanged: 0,
            conflict_count: 0,
            conflicts: Vec::new(),
            rejected: Vec::new(),
        };
        let remaining = self.staged.saturating_sub(report.inserted);
        if remaining > 0 && amend {
            report.inserted += self.amend_lines(write).await?;
        } else if remaining > 0 {
            report.conflict_count = self.count_conflicts(write).await?;
            report.conflicts = self.list_conflicts(write).await?;
        }
        if report.conflict_count > 0 && !partly {
            write.execute("ROLLBACK TO SAVEPOINT seal", Vec::new()).await?;
            return Ok(BatchReport { inserted: 0, ..report });
        }
        report.unchanged = self.staged.saturating_sub(report.inserted + report.conflict_count);
        self.close(write, &mut report, remaining > 0).await?;
        write.execute("RELEASE SAVEPOINT seal", Vec::new()).await?;
        Ok(report)
    }

    async fn close(&self, write: &WriteTx, report: &mut BatchReport, some_remained: bool) -> Result<(), StoreError> {
        if report.inserted == 0 {
            let sql = "UPDATE import_batch SET state = 'DISCARDED', unchanged = $1, conflicts = $2, lease_until = NULL WHERE id = $3";
            let counts = vec![line_number(report.unchanged).into(), line_number(report.conflict_count).into(), self.batch.into()];
            return write.execute(sql, counts).await.map(drop);
        }
        if let Some(rollup) = self.table.rollup {
            let (staged, table) = (self.table.staged, self.table.table);
            // Only what was inserted: a staged line that was there before counted then.
            let inserted = format!(
                " AND EXISTS (SELECT 1 FROM {table} t WHERE t.source = $2 AND t.external_id = f.external_id AND t.batch_id = f.batch_id AND t.line = f.line)"
            );
            let (condition, values) =
                if some_remained { (inserted.as_str(), vec![self.batch.into(), self.source.clone().into()]) } else { ("", vec![self.batch.into()]) };
            write.add_to_rollup(rollup, &format!("{staged} f WHERE f.batch_id = $1{condition}"), values).await?;
        }
        report.batch = Some(self.batch);
        report.seal_number = Some(write.seal_batch(self.batch, report).await?);
        Ok(())
    }

    /// Throws the staged lines away.
    pub async fn discard(self, context: &WriteContext) -> Result<(), StoreError> {
        let write = self.store.begin_write(context).await?;
        let sql = "UPDATE import_batch SET state = 'DISCARDED', lease_until = NULL WHERE id = $1 AND state = 'STAGED'";
        let discarded = write.execute(sql, vec![self.batch.into()]).await;
        finish(write, discarded).await?;
        self.sweep(context).await
    }

    /// Removes the staged lines of the batch once it is sealed or discarded, some at a time. Nobody sees them; they only take
    /// room. Left out, the next start does it.
    pub async fn sweep(&self, context: &WriteContext) -> Result<(), StoreError> {
        while self.store.sweep_some(context, self.table.staged).await? > 0 {}
        Ok(())
    }

    /// Inserts what is not there yet, in the order of the unique key.
    async fn move_lines(&self, write: &WriteTx) -> Result<u64, StoreError> {
        let names = column_names(self.table);
        let revision = if self.table.revisions { ("revision, ", "1, ") } else { ("", "") };
        let sql = format!(
            "INSERT INTO {table} (source, {into}{names}) SELECT $2, {one}{names} FROM {staged} s WHERE s.batch_id = $1 \
             ORDER BY s.external_id, s.line ON CONFLICT DO NOTHING",
            table = self.table.table,
            staged = self.table.staged,
            into = revision.0,
            one = revision.1
        );
        let guard = write.set_guard_aside(self.table.table).await?;
        let moved = write.execute(sql, vec![self.batch.into(), self.source.clone().into()]).await?.rows_affected();
        write.put_guard_back(guard).await?;
        Ok(moved)
    }

    /// Inserts the last staged body of each id that differs from its latest revision, as the next one.
    async fn amend_lines(&self, write: &WriteTx) -> Result<u64, StoreError> {
        let names = column_names(self.table);
        let staged_names: Vec<String> = staged_columns(self.table).iter().map(|(name, _)| format!("s.{name}")).collect();
        let sql = format!(
            "INSERT INTO {table} (source, revision, {names}) SELECT $2, t.revision + 1, {staged_names} FROM {staged} s \
             JOIN {table} t ON t.source = $2 AND t.external_id = s.external_id \
             WHERE s.batch_id = $1 AND t.body_digest <> s.body_digest \
             AND NOT EXISTS (SELECT 1 FROM {table} n WHERE n.source = t.source AND n.external_id = t.external_id AND n.revision > t.revision) \
             AND NOT EXISTS (SELECT 1 FROM {staged} l WHERE l.batch_id = s.batch_id AND l.external_id = s.external_id AND l.line > s.line) \
             ORDER BY s.external_id",
            table = self.table.table,
            staged = self.table.staged,
            staged_names = staged_names.join(", ")
        );
        Ok(write.execute(sql, vec![self.batch.into(), self.source.clone().into()]).await?.rows_affected())
    }

    fn conflicts_from(&self) -> String {
        let latest = if self.table.revisions {
            format!(
                " AND NOT EXISTS (SELECT 1 FROM {0} n WHERE n.source = t.source AND n.external_id = t.external_id AND n.revision > t.revision)",
                self.table.table
            )
        } else {
            String::new()
        };
        format!(
            "FROM {} s JOIN {} t ON t.source = $2 AND t.external_id = s.external_id WHERE s.batch_id = $1 AND t.body_digest <> s.body_digest{latest}",
            self.table.staged, self.table.table
        )
    }

    async fn count_conflicts(&self, write: &WriteTx) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) {}", self.conflicts_from());
        let row = write.one(sql, vec![self.batch.into(), self.source.clone().into()]).await?;
        row.map_or(Ok(0), |row| Row::new(&row, self.table.staged).get::<i64>(0).map(|count| u64::try_from(count).unwrap_or_default()))
    }

    async fn list_conflicts(&self, write: &WriteTx) -> Result<Vec<ConflictLine>, StoreError> {
        let sql = format!("SELECT s.line, s.external_id {} ORDER BY s.line LIMIT {CONFLICTS_LISTED}", self.conflicts_from());
        let rows = write.all(sql, vec![self.batch.into(), self.source.clone().into()]).await?;
        let line = |row: &QueryResult| {
            let row = Row::new(row, self.table.staged);
            Ok(ConflictLine { line: u64::try_from(row.get::<i64>(0)?).unwrap_or_default(), external_id: row.get(1)? })
        };
        rows.iter().map(line).collect()
    }
}

fn staged_columns(table: &FactTable) -> Vec<Column> {
    let common: [Column; 6] = [
        ("batch_id", Kind::Uuid),
        ("line", Kind::Int),
        ("external_id", Kind::Text),
        ("body_digest", Kind::Bytes),
        ("partner_id", Kind::Uuid),
        ("recorded_on", Kind::Date),
    ];
    common.into_iter().chain(table.columns.iter().copied()).collect()
}

fn column_names(table: &FactTable) -> String {
    let names: Vec<&str> = staged_columns(table).iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
