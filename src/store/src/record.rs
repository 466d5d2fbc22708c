//! Recording facts over the API: a batch in the caller's transaction, sealed with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use guerdon_domain::access::Scope;
use sea_orm::{DbBackend, Value};

use crate::batch::{BatchReport, CONFLICTS_LISTED, ConflictLine, NewBatch, Recorded, RejectReason, RejectedLine};
use crate::bulk::{self, Column, Kind};
use crate::convert::Row;
use crate::fact_rows::{Fact, FactTable, digest};
use crate::fault::StoreError;
use crate::import::ConflictRule;
use crate::product::StoredProduct;
use crate::sql::{is_one_of_texts, texts};
use crate::tx::{ReadTx, WriteTx};
use crate::{BatchId, PartnerId};

/// Partners and products that facts name, looked up once.
#[derive(Default)]
pub(crate) struct Resolver {
    partners: HashMap<String, Option<PartnerId>>,
    products: HashMap<String, Option<StoredProduct>>,
}

/// A fact that can be written.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) line: u64,
    pub(crate) external_id: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) partner: PartnerId,
    pub(crate) recorded_on: Value,
    pub(crate) cells: Vec<Value>,
}

impl Resolver {
    /// Looks up what `rows` name and is not known yet: at most two statements.
    async fn look_up<F: Fact>(&mut self, tx: &ReadTx, scope: &Scope, rows: &[Recorded<F>]) -> Result<(), StoreError> {
        let mut partners: Vec<String> = rows.iter().map(|row| &row.partner).filter(|code| !self.partners.contains_key(*code)).cloned().collect();
        partners.sort();
        partners.dedup();
        if !partners.is_empty() {
            let mut found = tx.partners_by_code_many(scope, &partners).await?;
            self.partners.extend(partners.into_iter().map(|code| (code.clone(), found.remove(&code).map(|partner| partner.id))));
        }
        let named = rows.iter().filter_map(|row| row.fact.product().map(|(code, _, _)| code));
        let mut products: Vec<String> = named.filter(|code| !self.products.contains_key(*code)).map(str::to_owned).collect();
        products.sort();
        products.dedup();
        if !products.is_empty() {
            let mut found = tx.products_many(&products).await?;
            self.products.extend(products.into_iter().map(|code| (code.clone(), found.remove(&code))));
        }
        Ok(())
    }

    /// Turns rows into what can be written, and lists those that cannot.
    pub(crate) async fn resolve<F: Fact>(
        &mut self,
        tx: &ReadTx,
        scope: &Scope,
        source: &str,
        rows: Vec<Recorded<F>>,
    ) -> Result<(Vec<Resolved>, Vec<RejectedLine>), StoreError> {
        self.look_up(tx, scope, &rows).await?;
        let (mut resolved, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match self.resolve_one(source, &row) {
                Ok(fact) => resolved.push(fact),
                Err(reason) => rejected.push(RejectedLine { line: row.line, external_id: row.fact.id().external_id.clone(), reason }),
            }
        }
        Ok((resolved, rejected))
    }

    fn resolve_one<F: Fact>(&self, source: &str, row: &Recorded<F>) -> Result<Resolved, RejectReason> {
        let id = row.fact.id();
        if id.source != source {
            return Err(RejectReason::OtherSource(id.source.clone()));
        }
        let partner = self.partners.get(&row.partner).copied().flatten().ok_or_else(|| RejectReason::UnknownPartner(row.partner.clone()))?;
        let mut category = None;
        if let Some((code, date, own)) = row.fact.product() {
            let product = self.products.get(code).and_then(Option::as_ref).ok_or_else(|| RejectReason::UnknownProduct(code.to_owned()))?;
            category = own.or_else(|| product.category(date)).map(str::to_owned);
        }
        let body = digest(&row.partner, &row.fact).ok_or(RejectReason::DecimalOutOfRange)?;
        let cells = row.fact.cells(category).ok_or(RejectReason::DecimalOutOfRange)?;
        Ok(Resolved { line: row.line, external_id: id.external_id.clone(), digest: body, partner, recorded_on: row.fact.recorded_on().naive().into(), cells })
    }
}

/// What is stored under an external id: by batch and line, and its body.
struct Stored {
    batch: BatchId,
    line: i64,
    digest: Vec<u8>,
    revision: i64,
}

impl WriteTx {
    /// Records facts as one batch. Idempotent by (source, external id): the same again counts as unchanged, another body as a
    /// conflict, of which nothing is applied unless the rule amends. Partners outside `scope` are unknown. Roll-ups are kept in
    /// the same transaction. Nothing is left behind when nothing is new.
    pub async fn record_facts<F: Fact>(&self, scope: &Scope, batch: &NewBatch, rule: ConflictRule, rows: Vec<Recorded<F>>) -> Result<BatchReport, StoreError> {
        let (facts, rejected) = Resolver::default().resolve(self, scope, &batch.source, rows).await?;
        let mut report = BatchReport { batch: None, seal_number: None, inserted: 0, unchanged: 0, conflict_count: 0, conflicts: Vec::new(), rejected };
        if facts.is_empty() {
            return Ok(report);
        }
        let id = self.insert_batch(F::TABLE.kind, batch, None).await?;
        self.insert_facts::<F>(id, &batch.source, rule, facts, &mut report).await?;
        if report.inserted == 0 {
            self.execute("DELETE FROM import_batch WHERE id = $1", vec![id.into()]).await?;
            return Ok(report);
        }
        report.batch = Some(id);
        report.seal_number = Some(self.seal_batch(id, &report).await?);
        Ok(report)
    }

    async fn insert_facts<F: Fact>(
        &self,
        id: BatchId,
        source: &str,
        rule: ConflictRule,
        mut facts: Vec<Resolved>,
        report: &mut BatchReport,
    ) -> Result<(), StoreError> {
        let table = F::TABLE;
        // In the order of the unique key, so that two batches that share ids wait for each other instead of deadlocking.
        facts.sort_by(|left, right| (&left.external_id, left.line).cmp(&(&right.external_id, right.line)));
        let asked: Vec<(u64, String, Vec<u8>)> = facts.iter().map(|fact| (fact.line, fact.external_id.clone(), fact.digest.clone())).collect();
        let amend = rule == ConflictRule::Amend && table.revisions;
        let kept: HashMap<u64, Resolved> = if amend { facts.iter().map(|fact| (fact.line, fact.clone())).collect() } else { HashMap::new() };
        let ids = texts(self.backend(), asked.iter().map(|(_, external_id, _)| external_id.as_str()));
        let facts = self.of_free_ids(table, source, ids.clone(), facts).await?;
        let new = self.insert_revisions(table, id, source, facts.into_iter().map(|fact| (fact, 1)).collect()).await?;
        if new == asked.len() as u64 {
            report.inserted = new;
        } else {
            let stored = self.stored_facts(table, source, ids.clone()).await?;
            let amended = classify(id, &asked, &stored, amend, report);
            let amended = amended.into_iter().filter_map(|(line, revision)| kept.get(&line).map(|fact| (fact.clone(), revision))).collect();
            report.inserted += self.insert_revisions(table, id, source, amended).await?;
        }
        if let Some(rollup) = table.rollup.filter(|_| report.inserted > 0) {
            let of_batch = is_one_of_texts(self.backend(), "f.external_id", 2);
            let from = format!("{} f WHERE f.source = $1 AND {of_batch} AND f.batch_id = $3", table.table);
            self.add_to_rollup(rollup, &from, vec![source.into(), ids, id.into()]).await?;
        }
        Ok(())
    }

    /// The facts whose ids are free, the first of each, on SQLite: a trigger refuses ids that are taken before ON CONFLICT could pass
    /// over them, and nobody else writes meanwhile. PostgreSQL passes over them as it inserts.
    async fn of_free_ids(&self, table: &FactTable, source: &str, ids: Value, mut facts: Vec<Resolved>) -> Result<Vec<Resolved>, StoreError> {
        if self.backend() == DbBackend::Postgres {
            return Ok(facts);
        }
        let mut taken: BTreeSet<String> = self.stored_facts(table, source, ids).await?.into_keys().collect();
        facts.retain(|fact| taken.insert(fact.external_id.clone()));
        Ok(facts)
    }

    async fn insert_revisions(&self, table: &FactTable, id: BatchId, source: &str, facts: Vec<(Resolved, i64)>) -> Result<u64, StoreError> {
        if facts.is_empty() {
            return Ok(0);
        }
        let mut columns: Vec<Column> = vec![("batch_id", Kind::Uuid), ("line", Kind::Int), ("source", Kind::Text), ("external_id", Kind::Text)];
        if table.revisions {
            columns.push(("revision", Kind::Int));
        }
        columns.extend([("body_digest", Kind::Bytes), ("partner_id", Kind::Uuid), ("recorded_on", Kind::Date)]);
        columns.extend_from_slice(table.columns);
        let rows = facts.into_iter().map(|(fact, revision)| {
            let mut row: Vec<Value> = Vec::with_capacity(columns.len());
            row.extend([id.into(), line_number(fact.line).into(), source.into(), fact.external_id.into()]);
            if table.revisions {
                row.push(revision.into());
            }
            row.extend([fact.digest.into(), fact.partner.into(), fact.recorded_on]);
            row.extend(fact.cells);
            row
        });
        let rows = rows.collect();
        bulk::insert(self, table.table, &columns, rows, "ON CONFLICT DO NOTHING").await
    }

    /// What is stored under the external ids, in its latest revision.
    async fn stored_facts(&self, table: &FactTable, source: &str, ids: Value) -> Result<BTreeMap<String, Vec<Stored>>, StoreError> {
        let revision = if table.revisions { "f.revision" } else { "CAST(1 AS BIGINT)" };
        let sql = format!(
            "SELECT f.external_id, f.batch_id, f.line, f.body_digest, {revision} AS revision FROM {} f WHERE f.source = $1 AND {} ORDER BY f.external_id, revision",
            table.table,
            is_one_of_texts(self.backend(), "f.external_id", 2)
        );
        let mut stored: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
        for row in self.all(sql, vec![source.into(), ids]).await? {
            let row = Row::new(&row, table.table);
            let one = Stored { batch: row.get(1)?, line: row.get(2)?, digest: row.get(3)?, revision: row.get(4)? };
            stored.entry(row.get(0)?).or_default().push(one);
        }
        Ok(stored)
    }
}

pub(crate) fn line_number(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

/// Counts every line as inserted, unchanged or in conflict; answers the lines that amend, with their revision. A later line of one
/// batch amends an earlier one.
fn classify(id: BatchId, asked: &[(u64, String, Vec<u8>)], stored: &BTreeMap<String, Vec<Stored>>, amend: bool, report: &mut BatchReport) -> Vec<(u64, i64)> {
    let mut amended: BTreeMap<&str, (Vec<u8>, i64)> = BTreeMap::new();
    let mut lines = Vec::new();
    for (line, external_id, digest) in asked {
        let revisions = stored.get(external_id).map_or(&[][..], Vec::as_slice);
        let Some(latest) = revisions.last() else { continue };
        if revisions.iter().any(|one| one.batch == id && one.line == line_number(*line)) {
            report.inserted += 1;
            continue;
        }
        let (latest_digest, revision) = amended.get(external_id.as_str()).map_or((&latest.digest, latest.revision), |(digest, revision)| (digest, *revision));
        if latest_digest == digest {
            report.unchanged += 1;
        } else if amend {
            amended.insert(external_id, (digest.clone(), revision + 1));
            lines.push((*line, revision + 1));
        } else {
            report.conflict_count += 1;
            if report.conflicts.len() < CONFLICTS_LISTED {
                report.conflicts.push(ConflictLine { line: *line, external_id: external_id.clone() });
            }
        }
    }
    lines
}
