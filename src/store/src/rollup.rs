//! The kept monthly aggregates. They are added to in the transaction that records the facts, by one statement that the database
//! groups itself, and can be held against the facts at any time.

use guerdon_domain::date::Date;
use sea_orm::{DbBackend, Value};

use crate::PartnerId;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::month_of;
use crate::tx::{ReadTx, WriteTx};

/// How facts (named `f`) become a monthly aggregate.
#[derive(Debug)]
pub struct Rollup {
    table: &'static str,
    facts: &'static str,
    /// Key columns after partner and month, and the expression of each.
    keys: &'static [(&'static str, &'static str)],
    /// Sums, and the expression of each; `lines` is always kept.
    sums: &'static [(&'static str, &'static str)],
}

/// Amounts and quantities carry the sign that counts: a return is negative however it was signed (semantics 16).
pub(crate) static TRANSACTION_MONTHLY: Rollup = Rollup {
    table: "transaction_monthly",
    facts: "transactions",
    keys: &[("category", "COALESCE(f.category, '')"), ("kind", "f.kind"), ("currency", "f.currency")],
    sums: &[
        ("amount_minor", "CASE WHEN f.kind = 'RETURN' THEN -ABS(f.amount_minor) ELSE f.amount_minor END"),
        ("quantity_micros", "CASE WHEN f.kind = 'RETURN' THEN -ABS(f.quantity_micros) ELSE f.quantity_micros END"),
    ],
};

pub(crate) static ACTIVITY_MONTHLY: Rollup = Rollup {
    table: "activity_monthly",
    facts: "activity",
    keys: &[("kind", "f.kind"), ("currency", "COALESCE(f.currency, '')")],
    sums: &[("value_units", "f.value_units"), ("value_fraction", "f.value_fraction")],
};

impl Rollup {
    /// SELECT of the aggregate over `from`, which names the facts `f`. Sums are cast, since PostgreSQL's are NUMERIC.
    fn select(&self, backend: DbBackend, from: &str) -> String {
        let keys: Vec<String> = self.keys.iter().map(|(column, expression)| format!("{expression} AS {column}")).collect();
        let sums: Vec<String> = self.sums.iter().map(|(column, expression)| format!("CAST(SUM({expression}) AS BIGINT) AS {column}")).collect();
        let month = month_of(backend, "f.occurred_on");
        let group: Vec<String> = (1..=2 + keys.len()).map(|at| at.to_string()).collect();
        format!(
            "SELECT f.partner_id, {month} AS month, {}, {}, COUNT(*) AS lines FROM {from} GROUP BY {} ORDER BY {}",
            keys.join(", "),
            sums.join(", "),
            group.join(", "),
            group.join(", ")
        )
    }

    /// What one fact, named `f`, adds on its date: the columns of the aggregate in their order.
    pub(crate) fn of_line(&self) -> String {
        let expressions = self.keys.iter().chain(self.sums).map(|(_, expression)| *expression);
        let columns: Vec<&str> = ["f.partner_id", "f.occurred_on"].into_iter().chain(expressions).chain(["CAST(1 AS BIGINT)"]).collect();
        columns.join(", ")
    }

    fn columns(&self) -> Vec<&'static str> {
        let keys = self.keys.iter().map(|(column, _)| *column);
        let sums = self.sums.iter().map(|(column, _)| *column);
        ["partner_id", "month"].into_iter().chain(keys).chain(sums).chain(["lines"]).collect()
    }

    fn key_columns(&self) -> Vec<&'static str> {
        ["partner_id", "month"].into_iter().chain(self.keys.iter().map(|(column, _)| *column)).collect()
    }

    fn value_columns(&self) -> Vec<&'static str> {
        self.sums.iter().map(|(column, _)| *column).chain(["lines"]).collect()
    }

    /// The statement that adds the facts of `from` to the aggregate.
    pub(crate) fn add(&self, backend: DbBackend, from: &str) -> String {
        let table = self.table;
        let added: Vec<String> = self.value_columns().iter().map(|column| format!("{column} = {table}.{column} + excluded.{column}")).collect();
        format!(
            "INSERT INTO {table} ({}) {} ON CONFLICT ({}) DO UPDATE SET {}",
            self.columns().join(", "),
            // SQLite takes `FROM x ON CONFLICT` for a join unless the SELECT is wrapped and has a WHERE.
            format_args!("SELECT * FROM ({}) AS added WHERE TRUE", self.select(backend, from)),
            self.key_columns().join(", "),
            added.join(", ")
        )
    }
}

impl WriteTx {
    /// Adds the facts of `from` (a FROM clause with a WHERE that names them `f`) to their aggregate.
    pub(crate) async fn add_to_rollup(&self, rollup: &Rollup, from: &str, values: Vec<Value>) -> Result<(), StoreError> {
        let sql = rollup.add(self.backend(), from);
        self.execute(sql, values).await.map(drop)
    }

    /// Makes the aggregates anew from the facts. For repair, after [`ReadTx::verify_rollups`] found a difference.
    pub async fn rebuild_rollups(&self) -> Result<(), StoreError> {
        for rollup in [&TRANSACTION_MONTHLY, &ACTIVITY_MONTHLY] {
            self.execute(format!("DELETE FROM {}", rollup.table), Vec::new()).await?;
            self.add_to_rollup(rollup, &format!("{} f WHERE TRUE", rollup.facts), Vec::new()).await?;
        }
        Ok(())
    }
}

/// A kept aggregate that differs from what its facts give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupDifference {
    /// The table.
    pub table: &'static str,
    /// The partner.
    pub partner: PartnerId,
    /// The month.
    pub month: Date,
}

impl ReadTx {
    /// Recomputes the aggregates from the facts; answers the first `limit` months that differ. None is right.
    pub async fn verify_rollups(&self, limit: u32) -> Result<Vec<RollupDifference>, StoreError> {
        let mut differences = Vec::new();
        for rollup in [&TRANSACTION_MONTHLY, &ACTIVITY_MONTHLY] {
            let columns = rollup.columns().join(", ");
            let computed = rollup.select(self.backend(), &format!("{} f", rollup.facts));
            let sql = format!(
                "WITH kept AS (SELECT {columns} FROM {table}), computed AS ({computed}) SELECT DISTINCT partner_id, month FROM \
                 (SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM computed) AS missing UNION ALL \
                 SELECT * FROM (SELECT * FROM computed EXCEPT SELECT * FROM kept) AS extra) AS differing ORDER BY 1, 2 LIMIT {limit}",
                table = rollup.table,
            );
            for row in self.all(sql, Vec::new()).await? {
                let row = Row::new(&row, rollup.table);
                differences.push(RollupDifference { table: rollup.table, partner: row.get(0)?, month: row.date(1)? });
            }
        }
        Ok(differences)
    }
}
