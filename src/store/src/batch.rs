//! Import batches: what came in together, and what became of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::BatchId;
use crate::convert::{Row, TextEnum, text_enum};
use crate::entity::import_batch;
use crate::fault::StoreError;
use crate::tx::{ReadTx, WriteTx};

/// What a batch is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The system that the facts come from; every fact of the batch names it.
    pub source: String,
    /// The file, for people.
    pub file_name: Option<String>,
    /// Digest of the file and its mapping: an import that was cut off is resumed by it.
    pub file_digest: Option<String>,
}

impl NewBatch {
    /// A batch that came over the API.
    pub fn of_source(source: impl Into<String>) -> Self {
        Self { source: source.into(), file_name: None, file_digest: None }
    }
}

/// Whether a batch can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BatchState {
    /// Its lines wait; nobody sees them.
    Staged,
    /// Its lines are facts.
    Sealed,
    /// Its lines were thrown away, or changed nothing.
    Discarded,
}

text_enum!(BatchState { Staged = "STAGED", Sealed = "SEALED", Discarded = "DISCARDED" });

/// A fact of a partner, at a line of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<T> {
    /// The line of the file, or the place in the call; reports name it.
    pub line: u64,
    /// The partner's code.
    pub partner: String,
    /// The fact.
    pub fact: T,
}

/// A line that another body under the same id stands against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictLine {
    /// The line.
    pub line: u64,
    /// Its external id.
    pub external_id: String,
}

/// A line that cannot be a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedLine {
    /// The line.
    pub line: u64,
    /// Its external id.
    pub external_id: String,
    /// Why.
    pub reason: RejectReason,
}

/// Why a line cannot be a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectReason {
    /// No such partner, or none that the caller may write for.
    UnknownPartner(String),
    /// No such product.
    UnknownProduct(String),
    /// The fact names another source than its batch.
    OtherSource(String),
    /// A decimal with more digits than are kept.
    DecimalOutOfRange,
}

/// Conflicts that a report lists; their number is always whole.
pub(crate) const CONFLICTS_LISTED: usize = 1_000;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchReport {
    /// The batch; none when nothing came in by it.
    pub batch: Option<BatchId>,
    /// Its place among the sealed batches.
    pub seal_number: Option<i64>,
    /// Facts that are new.
    pub inserted: u64,
    /// Facts that were there already, just so.
    pub unchanged: u64,
    /// Facts that were there otherwise; nothing of these lines was applied.
    pub conflict_count: u64,
    /// The first thousand of them.
    pub conflicts: Vec<ConflictLine>,
    /// Lines that cannot be facts.
    pub rejected: Vec<RejectedLine>,
}

/// A batch on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBatch {
    /// Its id.
    pub id: BatchId,
    /// What kind of facts it holds.
    pub kind: String,
    /// The system that they come from.
    pub source: String,
    /// The file, for people.
    pub file_name: Option<String>,
    /// Staged, sealed or discarded.
    pub state: BatchState,
    /// Its place among the sealed batches.
    pub seal_number: Option<i64>,
    /// New facts.
    pub inserted: i64,
    /// Facts that were there already.
    pub unchanged: i64,
    /// Facts that were there otherwise.
    pub conflicts: i64,
    /// Lines that could not be facts.
    pub rejected: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: String,
    /// When it was sealed.
    pub sealed_at: Option<DateTime<Utc>>,
}

fn batch_of(row: import_batch::Model) -> Result<StoredBatch, StoreError> {
    let state = BatchState::of_text(&row.state).ok_or_else(|| StoreError::corrupt("import_batch", row.id))?;
    Ok(StoredBatch {
        id: row.id,
        kind: row.kind,
        source: row.source,
        file_name: row.file_name,
        state,
        seal_number: row.seal_number,
        inserted: row.inserted,
        unchanged: row.unchanged,
        conflicts: row.conflicts,
        rejected: row.rejected,
        created_at: row.created_at,
        created_by: row.created_by,
        sealed_at: row.sealed_at,
    })
}

impl ReadTx {
    /// The batch of this id. Batches belong to no partner.
    pub async fn find_batch(&self, id: BatchId) -> Result<Option<StoredBatch>, StoreError> {
        let found = import_batch::Entity::find_by_id(id).one(&self.tx).await.map_err(|error| self.fault(error))?;
        found.map(batch_of).transpose()
    }

    /// The newest `limit` batches.
    pub async fn list_batches(&self, limit: u64) -> Result<Vec<StoredBatch>, StoreError> {
        let newest = import_batch::Entity::find().order_by_desc(import_batch::Column::CreatedAt).order_by_desc(import_batch::Column::Id).limit(limit);
        newest.all(&self.tx).await.map_err(|error| self.fault(error))?.into_iter().map(batch_of).collect()
    }

    /// How many facts of each kind there are, for reports.
    pub async fn count_facts(&self) -> Result<BTreeMap<&'static str, i64>, StoreError> {
        let tables = ["transactions", "holding", "activity", "deal"];
        let counts: Vec<String> = tables.iter().map(|table| format!("(SELECT COUNT(*) FROM {table})")).collect();
        let row = self.one(format!("SELECT {}", counts.join(", ")), Vec::new()).await?;
        let Some(row) = row else { return Ok(BTreeMap::new()) };
        let row = Row::new(&row, "facts");
        tables.into_iter().enumerate().map(|(at, table)| Ok((table, row.get(at)?))).collect()
    }
}

impl WriteTx {
    /// A batch in this state, with its lease if it is staged.
    pub(crate) async fn insert_batch(&self, kind: &str, batch: &NewBatch, lease_until: Option<DateTime<Utc>>) -> Result<BatchId, StoreError> {
        let row = import_batch::Model {
            id: self.new_id(),
            kind: kind.to_owned(),
            source: batch.source.clone(),
            file_name: batch.file_name.clone(),
            file_digest: batch.file_digest.clone(),
            state: BatchState::Staged.text().to_owned(),
            seal_number: None,
            staged_lines: 0,
            last_line: 0,
            inserted: 0,
            unchanged: 0,
            conflicts: 0,
            rejected: 0,
            created_at: self.now(),
            created_by: self.context().actor.clone(),
            sealed_at: None,
            lease_until,
            fence: 1,
        };
        let id = row.id;
        let row: import_batch::ActiveModel = row.into();
        import_batch::Entity::insert(row).exec_without_returning(&self.tx).await.map_err(|error| self.fault(error))?;
        Ok(id)
    }

    /// Gives the batch its place. The counter's row is locked until the commit, so that the order of numbers is the order of
    /// commits, which a sequence does not promise.
    pub(crate) async fn seal_batch(&self, id: BatchId, report: &BatchReport) -> Result<i64, StoreError> {
        let next = "UPDATE counter SET value = value + 1 WHERE name = 'batch_seal' RETURNING value";
        let row = self.one(next, Vec::new()).await?.ok_or_else(|| StoreError::corrupt("counter", "batch_seal"))?;
        let number: i64 = Row::new(&row, "counter").get(0)?;
        let sql = "UPDATE import_batch SET state = 'SEALED', seal_number = $1, sealed_at = $2, inserted = $3, unchanged = $4, conflicts = $5, \
            rejected = rejected + $6, lease_until = NULL WHERE id = $7 AND state = 'STAGED'";
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let values = vec![
            number.into(),
            self.now().into(),
            count(report.inserted).into(),
            count(report.unchanged).into(),
            count(report.conflict_count).into(),
            count(report.rejected.len() as u64).into(),
            id.into(),
        ];
        self.execute_one(sql, values).await?;
        Ok(number)
    }
}
