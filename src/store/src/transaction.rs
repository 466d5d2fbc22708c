//! Sale lines as they are shown: a page of one partner, the newest of many.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Span;
use guerdon_domain::facts::{FactId, Transaction};
use guerdon_domain::money::{Money, Quantity};

use crate::convert::Row;
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::tx::ReadTx;
use crate::{BatchId, PartnerId};

/// A sale line on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransaction {
    /// Its id.
    pub id: i64,
    /// Its partner.
    pub partner_id: PartnerId,
    /// The batch that it came in.
    pub batch_id: BatchId,
    /// The line.
    pub fact: Transaction,
}

const TABLE: &str = "transactions";

/// The columns of a sale line, of the table named `t`; the partner first.
pub(crate) const COLUMNS: &str = "t.partner_id, t.id, t.batch_id, t.source, t.external_id, t.occurred_on, t.recorded_on, t.kind, t.product, t.category, \
    t.quantity_micros, t.amount_minor, t.currency, t.customer, t.deal, t.corrects, t.region, t.attributes";

pub(crate) fn transaction_of(row: &Row<'_>) -> Result<(PartnerId, StoredTransaction), StoreError> {
    let partner_id = row.get(0)?;
    let fact = Transaction {
        id: FactId { source: row.get(3)?, external_id: row.get(4)? },
        date: row.date(5)?,
        recorded_on: row.date(6)?,
        sealed: 0,
        kind: row.text_enum(7)?,
        product: row.get(8)?,
        category: row.get(9)?,
        quantity: Quantity(row.get(10)?),
        amount: Money::new(row.get(11)?, row.currency(12)?),
        customer: row.get(13)?,
        deal: row.get(14)?,
        corrects: row.get(15)?,
        region: row.get(16)?,
        attributes: row.attributes(17)?,
    };
    Ok((partner_id, StoredTransaction { id: row.get(1)?, partner_id, batch_id: row.get(2)?, fact }))
}

fn cursor_of(transaction: &StoredTransaction) -> Cursor {
    Cursor { key: transaction.fact.date.to_string(), id: transaction.id.to_string() }
}

impl ReadTx {
    /// One page of a partner's sale lines of `days`, the newest first. Out of scope: an empty page.
    pub async fn list_transactions(&self, scope: &Scope, partner: PartnerId, days: Span, page: &PageRequest) -> Result<Page<StoredTransaction>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![format!("t.partner_id = {}", parameters.add(partner)), within(self.backend(), "p", scope, &mut parameters)];
        days_conditions("t", days, &mut parameters, &mut conditions);
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let date: guerdon_domain::date::Date = cursor.key.parse().map_err(|_| StoreError::NotFound)?;
                let id: i64 = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let (date, id) = (parameters.add(date.naive()), parameters.add(id));
                conditions.push(format!("(t.occurred_on, t.id) {operator} ({date}, {id})"));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions t JOIN partner p ON p.id = t.partner_id WHERE {} ORDER BY t.occurred_on {direction}, t.id {direction} LIMIT {}",
            conditions.join(" AND "),
            page.limit()
        );
        let rows = self.all(sql, parameters.0).await?;
        let rows: Result<Vec<_>, StoreError> = rows.iter().map(|row| transaction_of(&Row::new(row, TABLE)).map(|(_, line)| (cursor_of(&line), line))).collect();
        Ok(Page::cut(page, rows?))
    }

    /// The newest `size` sale lines of `days` of each partner, as the first page of [`ReadTx::list_transactions`] would give them; one
    /// statement for all.
    pub async fn transactions_first_n_many(
        &self,
        scope: &Scope,
        partners: &[PartnerId],
        days: Span,
        size: u32,
    ) -> Result<BTreeMap<PartnerId, Page<StoredTransaction>>, StoreError> {
        let request = PageRequest::first(size);
        let mut parameters = Parameters::default();
        let number = parameters.number(uuids(self.backend(), partners));
        let asked = is_one_of_uuids(self.backend(), "p.id", number);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let mut of_days = vec!["l.partner_id = p.id".to_owned()];
        days_conditions("l", days, &mut parameters, &mut of_days);
        let of_days = of_days.join(" AND ");
        // One short descent of the index per partner, however many lines he has.
        let sql = match self.backend() {
            sea_orm::DbBackend::Postgres => format!(
                "SELECT {COLUMNS} FROM partner p CROSS JOIN LATERAL (SELECT * FROM transactions l WHERE {of_days} \
                 ORDER BY l.occurred_on DESC, l.id DESC LIMIT {limit}) AS t WHERE {asked} AND {within} ORDER BY t.partner_id, t.occurred_on DESC, t.id DESC",
                limit = request.limit()
            ),
            _ => format!(
                "SELECT {COLUMNS} FROM partner p JOIN transactions t ON t.id IN (SELECT l.id FROM transactions l WHERE {of_days} \
                 ORDER BY l.occurred_on DESC, l.id DESC LIMIT {limit}) WHERE {asked} AND {within} ORDER BY t.partner_id, t.occurred_on DESC, t.id DESC",
                limit = request.limit()
            ),
        };
        let mut lines: BTreeMap<PartnerId, Vec<(Cursor, StoredTransaction)>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let (partner, line) = transaction_of(&Row::new(&row, TABLE))?;
            lines.entry(partner).or_default().push((cursor_of(&line), line));
        }
        Ok(lines.into_iter().map(|(partner, rows)| (partner, Page::cut(&request, rows))).collect())
    }

    /// Sale lines by id.
    pub async fn transactions_many(&self, scope: &Scope, ids: &[i64]) -> Result<BTreeMap<i64, StoredTransaction>, StoreError> {
        let mut parameters = Parameters::default();
        let list: Vec<String> = ids.iter().map(|id| parameters.add(*id)).collect();
        let within = within(self.backend(), "p", scope, &mut parameters);
        let list = if list.is_empty() { "NULL".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT {COLUMNS} FROM transactions t JOIN partner p ON p.id = t.partner_id WHERE t.id IN ({list}) AND {within}");
        self.all(sql, parameters.0).await?.iter().map(|row| transaction_of(&Row::new(row, TABLE)).map(|(_, line)| (line.id, line))).collect()
    }

    /// How many sale lines of `days` a partner has.
    pub async fn count_transactions(&self, scope: &Scope, partner: PartnerId, days: Span) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![format!("t.partner_id = {}", parameters.add(partner)), within(self.backend(), "p", scope, &mut parameters)];
        days_conditions("t", days, &mut parameters, &mut conditions);
        let sql = format!("SELECT COUNT(*) FROM transactions t JOIN partner p ON p.id = t.partner_id WHERE {}", conditions.join(" AND "));
        self.one(sql, parameters.0).await?.map_or(Ok(0), |row| Row::new(&row, "transactions").get(0))
    }
}

fn days_conditions(alias: &str, days: Span, parameters: &mut Parameters, conditions: &mut Vec<String>) {
    if days != Span::ALWAYS {
        let (from, until) = (parameters.add(days.from.naive()), parameters.add(days.until.naive()));
        conditions.push(format!("{alias}.occurred_on >= {from} AND {alias}.occurred_on < {until}"));
    }
}
