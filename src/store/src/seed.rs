//! Filling a database with a whole data set: everything in one transaction, without the checks row by row that an import makes.
//!
//! Rows go in by COPY on PostgreSQL and by multi-row INSERT on SQLite. Indexes (and foreign keys on PostgreSQL) of the tables that
//! are filled are set aside and made again at the end from the definitions that the database itself tells; kept monthly sums are
//! added by one statement a table. What is committed meets every constraint, or nothing is committed. For benches and for the
//! first filling of an empty service: nobody else can write meanwhile.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guerdon_domain::date::Date;
use guerdon_domain::facts::{AssignmentCause, PartnerProfile};
use sea_orm::{DbBackend, DbErr, RuntimeErr, Value};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use uuid::Uuid;

use crate::batch::RejectReason;
use crate::bulk::{self, Column, Kind};
use crate::connect::Store;
use crate::convert::{TextEnum, attributes_text, region_key};
use crate::copy;
use crate::fact_rows::{Fact, FactTable, digest};
use crate::fault::{StoreError, sort};
use crate::guard::guard_of;
use crate::partner_upsert::{PARTNER_COLUMNS, PROFILE_COLUMNS, partner_cells};
use crate::record::line_number;
use crate::rollup::{ACTIVITY_MONTHLY, TRANSACTION_MONTHLY};
use crate::tx::{WriteContext, WriteTx};
use crate::{BatchId, PartnerId, ProgramId, VersionId};

/// A partner with its enrollment and the tiers that it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedPartner {
    /// Its id.
    pub id: PartnerId,
    /// Its code.
    pub code: String,
    /// Its only profile; it names no parent.
    pub profile: PartnerProfile,
    /// The id of its enrollment.
    pub enrollment: Uuid,
    /// Since when it is enrolled.
    pub since: Date,
    /// Its track.
    pub track: Option<String>,
    /// The tiers on record, without overlap in a ladder.
    pub assignments: Vec<SeedAssignment>,
}

/// A tier that was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedAssignment {
    /// Its id.
    pub id: Uuid,
    /// The ladder.
    pub ladder: String,
    /// The tier.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Option<Date>,
    /// Why.
    pub cause: AssignmentCause,
}

/// A fact with the partner that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFact<F> {
    /// The partner.
    pub partner: PartnerId,
    /// Its code, which the fact's digest names.
    pub code: String,
    /// The category of its product on its date. The fact itself names none, as a source would write it.
    pub category: Option<String>,
    /// The fact.
    pub fact: F,
}

/// A batch of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedBatch {
    /// Its id.
    pub id: BatchId,
    /// The system that the facts come from.
    pub source: String,
    /// What people call the file.
    pub file_name: String,
    /// When it came in and was sealed.
    pub at: DateTime<Utc>,
}

/// Rows of one table, spelled for the database at hand.
pub struct RowBlock {
    table: &'static str,
    columns: Vec<Column>,
    rows: u64,
    bodies: Sha256,
    body: Body,
}

enum Body {
    Values(Vec<Vec<Value>>),
    Copy(Vec<u8>),
}

impl RowBlock {
    /// How many rows it has.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// A digest of the bodies of its facts, in order; the same on both databases.
    pub fn digest(&self) -> [u8; 32] {
        self.bodies.clone().finalize().into()
    }
}

/// Spells rows. It holds no connection, so that rows can be spelled while others are written.
#[derive(Debug, Clone, Copy)]
pub struct RowSpeller(DbBackend);

impl RowSpeller {
    fn block(self, table: &'static str, columns: &[Column], rows: Vec<Vec<Value>>) -> RowBlock {
        let count = rows.len() as u64;
        let mut bodies = Sha256::new();
        for cell in rows.iter().flatten() {
            if let Value::Bytes(Some(digest)) = cell {
                bodies.update(&**digest);
            }
        }
        let body = if self.0 == DbBackend::Postgres { Body::Copy(copy::spell(&rows)) } else { Body::Values(rows) };
        RowBlock { table, columns: columns.to_vec(), rows: count, bodies, body }
    }

    /// Partners with profile, enrollment and tiers: one block a table, in the order in which they are to be written.
    pub fn partners(self, program: ProgramId, version: VersionId, partners: &[SeedPartner], at: DateTime<Utc>) -> Vec<RowBlock> {
        let own = |partner: &SeedPartner| partner_cells(partner.id, &partner.code, &partner.profile, None, None, (at, at), 1);
        let enrollment = |partner: &SeedPartner| {
            vec![
                partner.enrollment.into(),
                program.into(),
                partner.id.into(),
                region_key(None).into(),
                partner.track.clone().into(),
                partner.since.naive().into(),
                Value::ChronoDate(None),
                at.into(),
                1_i64.into(),
            ]
        };
        let assignments = partners.iter().flat_map(|partner| partner.assignments.iter().map(|held| assignment_cells(program, version, partner.id, held, at)));
        vec![
            self.block("partner", &PARTNER_COLUMNS, partners.iter().map(own).collect()),
            self.block("partner_profile", &PROFILE_COLUMNS, partners.iter().map(|partner| profile_cells(partner, at)).collect()),
            self.block("enrollment", &crate::enrollment::COLUMNS, partners.iter().map(enrollment).collect()),
            self.block("tier_assignment", &crate::assignment::COLUMNS, assignments.collect()),
        ]
    }

    /// Facts of a batch; the first one is at line `first`.
    pub fn facts<F: Fact>(self, batch: &SeedBatch, first: u64, facts: &[SeedFact<F>]) -> Result<RowBlock, StoreError> {
        let table = F::TABLE;
        let rows = (first..).zip(facts).map(|(line, fact)| fact_cells(table, batch, line, fact)).collect::<Result<_, _>>()?;
        Ok(self.block(table.table, &fact_columns(table), rows))
    }
}

fn profile_cells(partner: &SeedPartner, at: DateTime<Utc>) -> Vec<Value> {
    let profile = &partner.profile;
    vec![
        partner.id.into(),
        profile.from.naive().into(),
        profile.name.clone().into(),
        profile.partner_type.clone().into(),
        profile.region.clone().into(),
        Value::Uuid(None),
        profile.currency.map(|currency| currency.code().to_owned()).into(),
        profile.status.text().to_owned().into(),
        attributes_text(&profile.attributes).into(),
        at.into(),
    ]
}

fn assignment_cells(program: ProgramId, version: VersionId, partner: PartnerId, held: &SeedAssignment, at: DateTime<Utc>) -> Vec<Value> {
    vec![
        held.id.into(),
        program.into(),
        partner.into(),
        held.ladder.clone().into(),
        region_key(None).into(),
        held.tier.clone().into(),
        held.from.naive().into(),
        held.until.map(Date::naive).into(),
        held.cause.text().to_owned().into(),
        Value::Uuid(None),
        version.into(),
        at.into(),
        Value::String(None),
    ]
}

fn fact_columns(table: &FactTable) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![("batch_id", Kind::Uuid), ("line", Kind::Int), ("source", Kind::Text), ("external_id", Kind::Text)];
    if table.revisions {
        columns.push(("revision", Kind::Int));
    }
    columns.extend([("body_digest", Kind::Bytes), ("partner_id", Kind::Uuid), ("recorded_on", Kind::Date)]);
    columns.extend_from_slice(table.columns);
    columns
}

fn fact_cells<F: Fact>(table: &FactTable, batch: &SeedBatch, line: u64, fact: &SeedFact<F>) -> Result<Vec<Value>, StoreError> {
    let refused = || StoreError::Configuration(format!("{:?}", RejectReason::DecimalOutOfRange));
    let id = fact.fact.id();
    let mut cells: Vec<Value> = Vec::with_capacity(8 + table.columns.len());
    cells.extend([batch.id.into(), line_number(line).into(), id.source.clone().into(), id.external_id.clone().into()]);
    if table.revisions {
        cells.push(1_i64.into());
    }
    let body = digest(&fact.code, &fact.fact).ok_or_else(refused)?;
    cells.extend([body.into(), fact.partner.into(), fact.fact.recorded_on().naive().into()]);
    cells.extend(fact.fact.cells(fact.category.clone()).ok_or_else(refused)?);
    Ok(cells)
}

/// The tables that are filled, with the number of rows that PostgreSQL must not check one by one.
const TABLES: [&str; 8] = ["partner", "partner_profile", "enrollment", "tier_assignment", "transactions", "holding", "activity", "deal"];

/// The one connection that writes.
enum Door {
    Sqlite(WriteTx),
    Postgres(Box<PgConnection>),
}

/// A filling that has begun. Dropped before [`Seeding::finish`], it leaves nothing behind.
pub struct Seeding {
    door: Door,
    speller: RowSpeller,
    /// What puts back what was set aside.
    put_back: Vec<String>,
    sources: Vec<String>,
}

fn sqlx_fault(error: sqlx::Error) -> StoreError {
    sort(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))).error
}

impl Store {
    /// Whether the database holds partners, facts or a program of another code than `program`.
    pub async fn holds_other_data(&self, program: &str) -> Result<bool, StoreError> {
        let read = self.begin_read().await?;
        let sql = "SELECT 1 WHERE EXISTS (SELECT 1 FROM program WHERE code <> $1) OR EXISTS (SELECT 1 FROM partner) OR EXISTS (SELECT 1 FROM product) \
            OR EXISTS (SELECT 1 FROM import_batch)";
        Ok(read.one(sql, vec![program.into()]).await?.is_some())
    }

    /// Begins to fill the database.
    pub async fn begin_seeding(&self, context: &WriteContext) -> Result<Seeding, StoreError> {
        let speller = RowSpeller(self.inner.backend);
        let door = if self.inner.backend == DbBackend::Postgres {
            // Detached, so that dropping it ends its transaction instead of handing it to the next one.
            let connection = self.inner.writer.get_postgres_connection_pool().acquire().await.map_err(sqlx_fault)?.detach();
            Door::Postgres(Box::new(connection))
        } else {
            Door::Sqlite(self.begin_write(context).await?)
        };
        let mut seeding = Seeding { door, speller, put_back: Vec::new(), sources: Vec::new() };
        if matches!(seeding.door, Door::Postgres(_)) {
            seeding.execute("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'").await?;
        }
        for table in TABLES {
            seeding.set_aside(table).await?;
        }
        Ok(seeding)
    }
}

impl Seeding {
    /// Who spells the rows.
    pub const fn speller(&self) -> RowSpeller {
        self.speller
    }

    async fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.door {
            Door::Sqlite(write) => write.execute(sql, Vec::new()).await.map(drop),
            Door::Postgres(connection) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **connection).await.map(drop).map_err(sqlx_fault),
        }
    }

    /// Two text columns of what a statement answers.
    async fn pairs(&mut self, sql: &str) -> Result<Vec<(String, String)>, StoreError> {
        match &mut self.door {
            Door::Sqlite(write) => {
                let rows = write.all(sql, Vec::new()).await?;
                rows.iter()
                    .map(|row| Ok((row.try_get_by_index(0).map_err(StoreError::Database)?, row.try_get_by_index(1).map_err(StoreError::Database)?)))
                    .collect()
            }
            Door::Postgres(connection) => {
                let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut **connection).await.map_err(sqlx_fault)?;
                rows.iter().map(|row| Ok((row.try_get(0).map_err(sqlx_fault)?, row.try_get(1).map_err(sqlx_fault)?))).collect()
            }
        }
    }

    /// Drops indexes that back no constraint, on PostgreSQL the foreign keys and on SQLite the trigger that refuses taken keys, and
    /// remembers how to make them again.
    async fn set_aside(&mut self, table: &str) -> Result<(), StoreError> {
        if matches!(self.door, Door::Sqlite(_)) {
            // Without its indexes the trigger would read the whole table for every row.
            let guards = self.pairs(&format!("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name = '{}'", guard_of(table))).await?;
            let indexes = self.pairs(&format!("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL")).await?;
            self.drop_all("INDEX", indexes).await?;
            return self.drop_all("TRIGGER", guards).await;
        }
        let indexes = format!(
            "SELECT c.relname::text, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE i.indrelid = '{table}'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)"
        );
        let keys = format!("SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'f'");
        let indexes = self.pairs(&indexes).await?;
        self.drop_all("INDEX", indexes).await?;
        for (name, definition) in self.pairs(&keys).await? {
            self.execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}")).await?;
            self.put_back.push(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"));
        }
        Ok(())
    }

    async fn drop_all(&mut self, what: &str, named: Vec<(String, String)>) -> Result<(), StoreError> {
        for (name, definition) in named {
            self.execute(&format!("DROP {what} {name}")).await?;
            self.put_back.push(definition);
        }
        Ok(())
    }

    /// Writes rows.
    pub async fn write(&mut self, block: RowBlock) -> Result<(), StoreError> {
        if block.rows == 0 {
            return Ok(());
        }
        match (&mut self.door, block.body) {
            (Door::Sqlite(write), Body::Values(rows)) => bulk::insert(write, block.table, &block.columns, rows, "").await.map(drop),
            (Door::Postgres(connection), Body::Copy(bytes)) => {
                let mut copy = connection.copy_in_raw(&bulk::copy_into(block.table, &block.columns)).await.map_err(sqlx_fault)?;
                copy.send(bytes).await.map_err(sqlx_fault)?;
                copy.finish().await.map(drop).map_err(sqlx_fault)
            }
            _ => Err(StoreError::Configuration("rows were spelled for another database".to_owned())),
        }
    }

    /// Begins a batch, to which facts are then written.
    pub async fn begin_batch<F: Fact>(&mut self, batch: &SeedBatch) -> Result<(), StoreError> {
        let columns = [
            ("id", Kind::Uuid),
            ("kind", Kind::Text),
            ("source", Kind::Text),
            ("file_name", Kind::Text),
            ("state", Kind::Text),
            ("staged_lines", Kind::Int),
            ("last_line", Kind::Int),
            ("inserted", Kind::Int),
            ("unchanged", Kind::Int),
            ("conflicts", Kind::Int),
            ("rejected", Kind::Int),
            ("created_at", Kind::Time),
            ("created_by", Kind::Text),
            ("fence", Kind::Int),
        ];
        let zero = || Value::from(0_i64);
        let row = vec![
            batch.id.into(),
            F::TABLE.kind.into(),
            batch.source.clone().into(),
            batch.file_name.clone().into(),
            "STAGED".into(),
            zero(),
            zero(),
            zero(),
            zero(),
            zero(),
            zero(),
            batch.at.into(),
            "system:seed".into(),
            1_i64.into(),
        ];
        self.write(self.speller.block("import_batch", &columns, vec![row])).await?;
        if !self.sources.contains(&batch.source) {
            self.sources.push(batch.source.clone());
        }
        Ok(())
    }

    /// Seals a batch that has so many lines.
    pub async fn seal_batch(&mut self, batch: &SeedBatch, lines: u64) -> Result<(), StoreError> {
        let id = match self.door {
            Door::Sqlite(_) => format!("x'{}'", batch.id.simple()),
            Door::Postgres(_) => format!("'{}'", batch.id.simple()),
        };
        self.execute("UPDATE counter SET value = value + 1 WHERE name = 'batch_seal'").await?;
        self.execute(&format!(
            "UPDATE import_batch SET state = 'SEALED', seal_number = (SELECT value FROM counter WHERE name = 'batch_seal'), staged_lines = {lines}, \
             last_line = {lines}, inserted = {lines}, sealed_at = created_at WHERE id = {id}"
        ))
        .await
    }

    /// Adds the facts to their monthly aggregates, makes indexes and foreign keys again, and commits.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        let backend = self.speller.0;
        let sources: Vec<String> = self.sources.iter().map(|source| format!("'{}'", source.replace('\'', "''"))).collect();
        if !sources.is_empty() {
            for (rollup, table) in [(&TRANSACTION_MONTHLY, "transactions"), (&ACTIVITY_MONTHLY, "activity")] {
                let from = format!("{table} f WHERE f.source IN ({})", sources.join(", "));
                self.execute(&rollup.add(backend, &from)).await?;
            }
        }
        for statement in std::mem::take(&mut self.put_back) {
            self.execute(&statement).await?;
        }
        match self.door {
            Door::Sqlite(write) => write.commit().await.map_err(|sorted| sorted.error),
            Door::Postgres(mut connection) => {
                let run = async |connection: &mut PgConnection, sql: &'static str| sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(sqlx_fault);
                run(&mut connection, "COMMIT").await?;
                // Outside the transaction: the planner learns the sizes, and pages are marked as visible to all.
                run(&mut connection, "SET statement_timeout = 0").await?;
                run(&mut connection, "VACUUM (ANALYZE)").await?;
                connection.close().await.map_err(sqlx_fault)
            }
        }
    }
}
