//! The bare aggregate that measurements are held against: what the database itself needs to sum the lines of a span by partner and
//! category, with nothing of ours.

use guerdon_domain::date::Span;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::connect::Store;
use crate::convert::Row;
use crate::fault::{StoreError, sort};
use crate::tx::ReadTx;

/// What the bare aggregate gave. Its sum is used, since a planner leaves out what nobody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BareAggregate {
    /// Groups of partner and category.
    pub groups: i64,
    /// Lines.
    pub lines: i64,
    /// The sum of all amounts, in minor units.
    pub amount: i64,
}

impl ReadTx {
    /// Sums the lines of `days` by partner and category, and adds the sums up; in one process, or in as many as PostgreSQL likes.
    pub async fn bare_aggregate(&self, days: Span, in_one_process: bool) -> Result<BareAggregate, StoreError> {
        if in_one_process {
            self.keep_in_one_process().await?;
        }
        // The floor is the best that the database can do: the days are part of the text, so that the planner knows how many lines they
        // hold, and with the index by partner SQLite takes three times as long.
        let table = if self.backend() == DbBackend::Postgres { "transactions" } else { "transactions NOT INDEXED" };
        let sql = format!(
            "SELECT COUNT(*), CAST(SUM(lines) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM (SELECT partner_id, category, SUM(amount_minor) AS amount, \
             COUNT(*) AS lines FROM {table} WHERE occurred_on >= '{}' AND occurred_on < '{}' GROUP BY partner_id, category) AS grouped",
            days.from, days.until
        );
        let row = self.one(sql, Vec::new()).await?;
        let Some(row) = row else { return Ok(BareAggregate { groups: 0, lines: 0, amount: 0 }) };
        let row = Row::new(&row, "transactions");
        let sum = |at: usize| row.get::<Option<i64>>(at).map(Option::unwrap_or_default);
        Ok(BareAggregate { groups: row.get(0)?, lines: sum(1)?, amount: sum(2)? })
    }

    /// The number of the batch that was sealed last; 0 before the first.
    pub async fn last_sealed(&self) -> Result<i64, StoreError> {
        let row = self.one(crate::rebate_sums::LAST_SEALED, Vec::new()).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "import_batch").get(0))
    }

    /// The days from the first to the last sale line; none when there is no line.
    pub async fn sales_span(&self) -> Result<Option<Span>, StoreError> {
        let row = self.one("SELECT MIN(occurred_on), MAX(occurred_on) FROM transactions", Vec::new()).await?;
        let Some(row) = row else { return Ok(None) };
        let row = Row::new(&row, "transactions");
        Ok(row.maybe_date(0)?.zip(row.maybe_date(1)?).map(|(first, last)| Span::new(first, last.next())))
    }

    /// The processes of the database that work for this one, so that what they cost can be told where they run on the same machine. None
    /// for a database inside this process.
    pub async fn backend_pids(&self) -> Result<Vec<u32>, StoreError> {
        if self.backend() != DbBackend::Postgres {
            return Ok(Vec::new());
        }
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'";
        let rows = self.all(sql, Vec::new()).await?;
        rows.iter().map(|row| Row::new(row, "pg_stat_activity").get::<i32>(0)).map(|pid| Ok(u32::try_from(pid?).unwrap_or(0))).collect()
    }
}

impl Store {
    /// Reads one partner's row by its key, in one prepared statement without a transaction: the least that an answer costs the database.
    pub async fn has_partner_by_key(&self, code: &str) -> Result<bool, StoreError> {
        let sql = "SELECT id, code, name, region, partner_type, status FROM partner WHERE code = $1";
        let statement = Statement::from_sql_and_values(self.inner.backend, sql, [code.into()]);
        let row = self.inner.reader.query_one_raw(statement).await.map_err(|error| sort(error).error)?;
        row.map_or(Ok(false), |row| Row::new(&row, "partner").text(1).map(|found| found == code))
    }
}
