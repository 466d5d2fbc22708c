//! Dated, typed exchange rates. They belong to no partner. A correction is a further revision; the highest one counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::date::Date;
use guerdon_domain::facts::ExchangeRate;
use sea_orm::Value;
use serde::{Deserialize, Serialize};

use crate::batch::NewBatch;
use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, decimal_text};
use crate::fault::StoreError;
use crate::import::ConflictRule;
use crate::sql::Parameters;
use crate::tx::{ReadTx, WriteTx};
use crate::{BatchId, batch::BatchReport};

/// A rate at a line of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRate {
    /// The line.
    pub line: u64,
    /// The rate.
    pub rate: ExchangeRate,
}

/// What became of a batch of rates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateReport {
    /// The batch; none when nothing is new.
    pub batch: Option<BatchId>,
    /// New rates and corrections.
    pub inserted: u64,
    /// Rates that were there already, just so.
    pub unchanged: u64,
    /// Lines whose rate is on record otherwise; nothing of them was applied.
    pub conflicts: Vec<u64>,
    /// Lines whose rate has more digits than are kept.
    pub rejected: Vec<u64>,
}

const COLUMNS: [Column; 8] = [
    ("rate_type", Kind::Text),
    ("from_currency", Kind::Text),
    ("to_currency", Kind::Text),
    ("rate_on", Kind::Date),
    ("revision", Kind::Int),
    ("rate", Kind::Text),
    ("recorded_on", Kind::Date),
    ("batch_id", Kind::Uuid),
];

/// The condition that no later revision exists.
const LATEST: &str = "NOT EXISTS (SELECT 1 FROM exchange_rate n WHERE n.from_currency = r.from_currency AND n.to_currency = r.to_currency \
    AND n.rate_type = r.rate_type AND n.rate_on = r.rate_on AND n.revision > r.revision)";

type Key = (String, String, String, Date);

fn key_of(rate: &ExchangeRate) -> Key {
    (rate.from.code().to_owned(), rate.to.code().to_owned(), rate.rate_type.clone(), rate.date)
}

impl ReadTx {
    /// Rates of days from `from` to `to`, both included, in date order. With `from` at [`Date::MIN`] all there are up to `to`.
    pub async fn list_exchange_rates(&self, from: Date, to: Date) -> Result<Vec<ExchangeRate>, StoreError> {
        let Some(answered) = &self.answered else { return self.ask_for_rates(from, to).await };
        let rates = answered.rates.or_ask((from, to), async || Ok(Arc::new(self.ask_for_rates(from, to).await?))).await?;
        Ok(rates.to_vec())
    }

    async fn ask_for_rates(&self, from: Date, to: Date) -> Result<Vec<ExchangeRate>, StoreError> {
        let mut parameters = Parameters::default();
        let (from, to) = (parameters.add(from.naive()), parameters.add(to.naive()));
        let rows = self.rates_where(&format!("r.rate_on >= {from} AND r.rate_on <= {to}"), parameters).await?;
        Ok(rows.into_iter().map(|(rate, _)| rate).collect())
    }

    /// Every rate, and every correction of one, of the sealed batches up to `cut_off`, each with the place of its batch: what a run
    /// reads.
    pub async fn list_rate_revisions(&self, cut_off: i64) -> Result<Vec<ExchangeRate>, StoreError> {
        let sql = "SELECT r.rate_type, r.from_currency, r.to_currency, r.rate_on, r.rate, r.recorded_on, b.seal_number FROM exchange_rate r \
             JOIN import_batch b ON b.id = r.batch_id WHERE b.seal_number <= $1 \
             ORDER BY r.rate_on, r.from_currency, r.to_currency, r.rate_type, r.revision";
        let rate = |row: &sea_orm::QueryResult| {
            let row = Row::new(row, "exchange_rate");
            Ok(ExchangeRate {
                rate_type: row.get(0)?,
                from: row.currency(1)?,
                to: row.currency(2)?,
                date: row.date(3)?,
                rate: row.decimal(4)?,
                recorded_on: row.date(5)?,
                sealed: row.get(6)?,
            })
        };
        self.all(sql, vec![cut_off.into()]).await?.iter().map(rate).collect()
    }

    async fn rates_where(&self, condition: &str, parameters: Parameters) -> Result<Vec<(ExchangeRate, i64)>, StoreError> {
        let sql = format!(
            "SELECT r.rate_type, r.from_currency, r.to_currency, r.rate_on, r.rate, r.recorded_on, r.revision FROM exchange_rate r \
             WHERE {condition} AND {LATEST} ORDER BY r.rate_on, r.from_currency, r.to_currency, r.rate_type"
        );
        let rate = |row: &sea_orm::QueryResult| {
            let row = Row::new(row, "exchange_rate");
            let rate = ExchangeRate {
                rate_type: row.get(0)?,
                from: row.currency(1)?,
                to: row.currency(2)?,
                date: row.date(3)?,
                rate: row.decimal(4)?,
                recorded_on: row.date(5)?,
                sealed: 0,
            };
            Ok((rate, row.get(6)?))
        };
        self.all(sql, parameters.0).await?.iter().map(rate).collect()
    }
}

impl WriteTx {
    /// Records rates as one batch. The same again changes nothing; another rate for the same type, pair and day is a conflict, or
    /// with [`ConflictRule::Amend`] the next revision.
    pub async fn record_exchange_rates(&self, batch: &NewBatch, rule: ConflictRule, rows: &[RecordedRate]) -> Result<RateReport, StoreError> {
        let days = rows.iter().map(|row| row.rate.date);
        let (Some(first), Some(last)) = (days.clone().min(), days.max()) else { return Ok(RateReport::default()) };
        // Recording rates is rare; one writer at a time keeps revisions in order.
        self.execute("UPDATE counter SET value = value WHERE name = 'batch_seal'", Vec::new()).await?;
        let mut parameters = Parameters::default();
        let (from, to) = (parameters.add(first.naive()), parameters.add(last.naive()));
        let stored = self.rates_where(&format!("r.rate_on >= {from} AND r.rate_on <= {to}"), parameters).await?;
        let mut known: BTreeMap<Key, (ExchangeRate, i64)> = stored.into_iter().map(|(rate, revision)| (key_of(&rate), (rate, revision))).collect();
        let id = self.insert_batch("EXCHANGE_RATES", batch, None).await?;
        let (mut report, mut cells) = (RateReport::default(), Vec::new());
        for row in rows {
            let revision = match known.get(&key_of(&row.rate)) {
                None => 1,
                Some((rate, _)) if rate.rate == row.rate.rate => {
                    report.unchanged += 1;
                    continue;
                }
                Some((_, revision)) if rule == ConflictRule::Amend => revision + 1,
                Some(_) => {
                    report.conflicts.push(row.line);
                    continue;
                }
            };
            let Some(text) = decimal_text(&row.rate.rate) else {
                report.rejected.push(row.line);
                continue;
            };
            cells.push(rate_cells(&row.rate, revision, text, id));
            known.insert(key_of(&row.rate), (row.rate.clone(), revision));
        }
        report.inserted = cells.len() as u64;
        if cells.is_empty() {
            self.execute("DELETE FROM import_batch WHERE id = $1", vec![id.into()]).await?;
            return Ok(report);
        }
        bulk::insert(self, "exchange_rate", &COLUMNS, cells, "").await?;
        let counts = BatchReport {
            batch: Some(id),
            seal_number: None,
            inserted: report.inserted,
            unchanged: report.unchanged,
            conflict_count: report.conflicts.len() as u64,
            conflicts: Vec::new(),
            rejected: Vec::new(),
        };
        self.seal_batch(id, &counts).await?;
        Ok(RateReport { batch: Some(id), ..report })
    }
}

fn rate_cells(rate: &ExchangeRate, revision: i64, text: String, batch: BatchId) -> Vec<Value> {
    vec![
        rate.rate_type.clone().into(),
        rate.from.code().into(),
        rate.to.code().into(),
        rate.date.naive().into(),
        revision.into(),
        text.into(),
        rate.recorded_on.naive().into(),
        batch.into(),
    ]
}
