//! Statements and their lines. Finders of statements demand a [`Scope`]; those of whoever sees only what is posted say so too.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::exact::Exact;
use guerdon_domain::money::{Currency, Money};
use guerdon_domain::rebate::{StatedLine, Step};
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};

use crate::bulk::{self, Cells, Column, Kind};
use crate::convert::Row;
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::stated_line::lines_at;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, RunId, StatementId, VersionId};

/// A statement to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatement {
    /// The partner.
    pub partner: PartnerId,
    /// The version that it is computed by.
    pub version: VersionId,
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The currency.
    pub currency: Currency,
    /// The tier that counts for the period as a whole.
    pub tier: Option<String>,
    /// What picked the band.
    pub qualifier: Exact,
    /// What was paid on.
    pub basis: Exact,
    /// The figure before rounding.
    pub exact: Exact,
    /// What the period is worth, in minor units.
    pub entitled: i64,
    /// What was recognised for it before.
    pub before: i64,
    /// What is held back (positive) or set off (negative).
    pub carried: i64,
    /// Sale lines behind it.
    pub inputs: i64,
    /// Every step in order, see [`steps_text`].
    pub steps: String,
    /// The digest of all of it.
    pub content_hash: String,
    /// The lines, see [`crate::lines_text`].
    pub lines: String,
}

/// A statement on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStatement {
    /// Its id.
    pub id: StatementId,
    /// Its run.
    pub run_id: RunId,
    /// The program.
    pub program_id: ProgramId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The version that it is computed by.
    pub version_id: VersionId,
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The tier that counts for the period as a whole.
    pub tier: Option<String>,
    /// What picked the band.
    pub qualifier: Exact,
    /// What was paid on.
    pub basis: Exact,
    /// The figure before rounding.
    pub exact: Exact,
    /// What the period is worth.
    pub entitled: Money,
    /// What was recognised for it before.
    pub before: Money,
    /// The difference.
    pub difference: Money,
    /// What is held back (positive) or set off (negative).
    pub carried: Money,
    /// What is posted: the difference and what is carried.
    pub amount: Money,
    /// Sale lines behind it.
    pub inputs: i64,
    /// Every step.
    pub steps: Vec<Step>,
    /// The lines. They sum to what is posted.
    pub lines: Vec<StatedLine>,
    /// The digest of all of it.
    pub content_hash: String,
}

/// What was posted for a partner, a schedule and a period so far, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedSum {
    /// The partner.
    pub partner: PartnerId,
    /// The schedule.
    pub schedule: String,
    /// The period.
    pub period: String,
    /// What was recognised.
    pub recognised: i64,
    /// What was held back in sum.
    pub carried: i64,
}

/// How a partner's sum differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDifference {
    /// The partner.
    pub partner: PartnerId,
    /// What this run posts.
    pub now: Money,
    /// What the other run posted.
    pub last: Money,
}

/// Which statements.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StatementFilter {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// Of this schedule.
    pub schedule: Option<String>,
    /// Belonging to this period.
    pub period: Option<String>,
    /// Only those that are posted.
    pub posted_only: bool,
}

const COLUMNS: &str = "s.id, s.run_id, s.program_id, s.partner_id, s.version_id, s.schedule, s.period, s.period_from, s.period_until, s.currency, s.tier, \
    s.qualifier, s.basis, s.exact, s.entitled_minor, s.before_minor, s.difference_minor, s.carried_minor, s.amount_minor, s.inputs, s.steps, \
    s.lines, s.content_hash";

const INSERTED: [Column; 23] = [
    ("id", Kind::Uuid),
    ("run_id", Kind::Uuid),
    ("program_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("version_id", Kind::Uuid),
    ("schedule", Kind::Text),
    ("period", Kind::Text),
    ("period_from", Kind::Date),
    ("period_until", Kind::Date),
    ("currency", Kind::Text),
    ("tier", Kind::Text),
    ("qualifier", Kind::Text),
    ("basis", Kind::Text),
    ("exact", Kind::Text),
    ("entitled_minor", Kind::Int),
    ("before_minor", Kind::Int),
    ("difference_minor", Kind::Int),
    ("carried_minor", Kind::Int),
    ("amount_minor", Kind::Int),
    ("inputs", Kind::Int),
    ("steps", Kind::Text),
    ("lines", Kind::Text),
    ("content_hash", Kind::Text),
];

fn exact_at(row: &Row<'_>, at: usize) -> Result<Exact, StoreError> {
    Exact::read(&row.text(at)?).ok_or_else(|| StoreError::corrupt(row.table, format!("column {at}")))
}

fn statement_of(row: &QueryResult) -> Result<StoredStatement, StoreError> {
    let row = Row::new(row, "statement");
    let currency = row.currency(9)?;
    let money = |at: usize| Ok::<_, StoreError>(Money::new(row.get(at)?, currency));
    Ok(StoredStatement {
        id: row.get(0)?,
        run_id: row.get(1)?,
        program_id: row.get(2)?,
        partner_id: row.get(3)?,
        version_id: row.get(4)?,
        schedule: row.get(5)?,
        period: row.get(6)?,
        span: row.span(7)?,
        tier: row.get(10)?,
        qualifier: exact_at(&row, 11)?,
        basis: exact_at(&row, 12)?,
        exact: exact_at(&row, 13)?,
        entitled: money(14)?,
        before: money(15)?,
        difference: money(16)?,
        carried: money(17)?,
        amount: money(18)?,
        inputs: row.get(19)?,
        steps: row.json(20)?,
        lines: lines_at(&row, 21)?,
        content_hash: row.get(22)?,
    })
}

impl StatementFilter {
    fn conditions(&self, tx: &ReadTx, scope: &Scope, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = vec![within(tx.backend(), "p", scope, parameters)];
        let ids = [("s.run_id", self.run), ("s.program_id", self.program), ("s.partner_id", self.partner)];
        for (column, id) in ids.into_iter().filter_map(|(column, id)| Some((column, id?))) {
            conditions.push(format!("{column} = {}", parameters.add(id)));
        }
        for (column, text) in [("s.schedule", &self.schedule), ("s.period", &self.period)] {
            if let Some(text) = text {
                conditions.push(format!("{column} = {}", parameters.add(text.clone())));
            }
        }
        if self.posted_only {
            conditions.push(POSTED.to_owned());
        }
        conditions
    }
}

/// The condition that the run of the statement is posted.
const POSTED: &str = "EXISTS (SELECT 1 FROM rebate_run r WHERE r.id = s.run_id AND r.posting_number IS NOT NULL)";

impl ReadTx {
    /// One page of statements in scope, the latest first.
    pub async fn list_statements(&self, scope: &Scope, filter: &StatementFilter, page: &PageRequest) -> Result<Page<StoredStatement>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = filter.conditions(self, scope, &mut parameters);
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let from: Date = cursor.key.parse().map_err(|_| StoreError::NotFound)?;
                let id: StatementId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let (from, id) = (parameters.add(from.naive()), parameters.add(id));
                conditions.push(format!("(s.period_from, s.id) {operator} ({from}, {id})"));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM statement s JOIN partner p ON p.id = s.partner_id WHERE {} ORDER BY s.period_from {direction}, s.id {direction} LIMIT {}",
            conditions.join(" AND "),
            page.limit()
        );
        let rows = self.all(sql, parameters.0).await?;
        let rows: Result<Vec<_>, StoreError> = rows.iter().map(|row| statement_of(row).map(with_cursor)).collect();
        Ok(Page::cut(page, rows?))
    }

    /// The first `size` statements of each partner, as the first page of [`ReadTx::list_statements`] would give them; one statement
    /// for all.
    pub async fn statements_first_n_many(
        &self,
        scope: &Scope,
        filter: &StatementFilter,
        partners: &[PartnerId],
        size: u32,
    ) -> Result<BTreeMap<PartnerId, Page<StoredStatement>>, StoreError> {
        let request = PageRequest::first(size);
        let mut parameters = Parameters::default();
        let mut conditions = filter.conditions(self, scope, &mut parameters);
        let number = parameters.number(uuids(self.backend(), partners));
        conditions.push(is_one_of_uuids(self.backend(), "s.partner_id", number));
        let sql = format!(
            "SELECT * FROM (SELECT {COLUMNS}, ROW_NUMBER() OVER (PARTITION BY s.partner_id ORDER BY s.period_from DESC, s.id DESC) AS place \
             FROM statement s JOIN partner p ON p.id = s.partner_id WHERE {}) AS ranked WHERE place <= {} ORDER BY partner_id, place",
            conditions.join(" AND "),
            request.limit()
        );
        let mut found: BTreeMap<PartnerId, Vec<(Cursor, StoredStatement)>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let statement = statement_of(&row)?;
            found.entry(statement.partner_id).or_default().push(with_cursor(statement));
        }
        Ok(found.into_iter().map(|(partner, rows)| (partner, Page::cut(&request, rows))).collect())
    }

    /// How many statements in scope the filter takes.
    pub async fn count_statements(&self, scope: &Scope, filter: &StatementFilter) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let conditions = filter.conditions(self, scope, &mut parameters);
        let sql = format!("SELECT COUNT(*) FROM statement s JOIN partner p ON p.id = s.partner_id WHERE {}", conditions.join(" AND "));
        self.one(sql, parameters.0).await?.map_or(Ok(0), |row| Row::new(&row, "statement").get(0))
    }

    /// Statements by id, in scope; only posted ones where the filter says so.
    pub async fn statements_many(&self, scope: &Scope, ids: &[StatementId], posted_only: bool) -> Result<BTreeMap<StatementId, StoredStatement>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = StatementFilter { posted_only, ..StatementFilter::default() }.conditions(self, scope, &mut parameters);
        let number = parameters.number(uuids(self.backend(), ids));
        conditions.push(is_one_of_uuids(self.backend(), "s.id", number));
        let sql = format!("SELECT {COLUMNS} FROM statement s JOIN partner p ON p.id = s.partner_id WHERE {}", conditions.join(" AND "));
        let rows = self.all(sql, parameters.0).await?;
        rows.iter().map(|row| statement_of(row).map(|statement| (statement.id, statement))).collect()
    }

    /// Statements of a run in the order of partner, period and schedule, behind the partner of this code: all those of the next
    /// `partners` partners, with their codes.
    pub async fn list_run_statements(&self, run: RunId, after: &str, partners: u32) -> Result<Vec<(String, StoredStatement)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, p.code FROM statement s JOIN partner p ON p.id = s.partner_id WHERE s.run_id = $1 AND s.partner_id IN \
             (SELECT q.id FROM partner q WHERE q.code > $2 AND EXISTS (SELECT 1 FROM statement o WHERE o.run_id = $1 AND o.partner_id = q.id) \
             ORDER BY q.code LIMIT {partners}) ORDER BY p.code, s.period_from, s.period, s.schedule"
        );
        let rows = self.all(sql, vec![run.into(), after.into()]).await?;
        rows.iter().map(|row| Ok((Row::new(row, "statement").get(23)?, statement_of(row)?))).collect()
    }

    /// How many partners a run has statements of.
    pub async fn count_run_partners(&self, run: RunId) -> Result<i64, StoreError> {
        let row = self.one("SELECT COUNT(DISTINCT partner_id) FROM statement WHERE run_id = $1", vec![run.into()]).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "statement").get(0))
    }

    /// What was posted up to `book` for partners of a program, by schedule and period.
    pub async fn posted_sums_many(&self, program: ProgramId, book: i64, partners: &[PartnerId]) -> Result<Vec<PostedSum>, StoreError> {
        // Postings are numbered from 1 on: nothing was posted yet.
        if book < 1 {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT s.partner_id, s.schedule, s.period, CAST(SUM(s.difference_minor) AS BIGINT), CAST(SUM(s.carried_minor) AS BIGINT) FROM statement s \
             JOIN rebate_run r ON r.id = s.run_id WHERE {} AND s.program_id = $2 AND r.posting_number <= $3 \
             GROUP BY s.partner_id, s.schedule, s.period ORDER BY s.partner_id, s.schedule, s.period",
            is_one_of_uuids(self.backend(), "s.partner_id", 1)
        );
        let rows = self.all(sql, vec![uuids(self.backend(), partners), program.into(), book.into()]).await?;
        let sum = |row: &QueryResult| {
            let row = Row::new(row, "statement");
            Ok(PostedSum { partner: row.get(0)?, schedule: row.get(1)?, period: row.get(2)?, recognised: row.get(3)?, carried: row.get(4)? })
        };
        rows.iter().map(sum).collect()
    }

    /// The lines that were posted up to `book` for partners of a program, without carries: by partner, schedule and period.
    pub async fn posted_lines_many(
        &self,
        program: ProgramId,
        book: i64,
        partners: &[PartnerId],
    ) -> Result<BTreeMap<(PartnerId, String, String), Vec<StatedLine>>, StoreError> {
        let sql = format!(
            "SELECT s.lines, s.partner_id, s.schedule, s.period FROM statement s JOIN rebate_run r ON r.id = s.run_id \
             WHERE {} AND s.program_id = $2 AND r.posting_number <= $3 ORDER BY s.partner_id, r.posting_number, s.id",
            is_one_of_uuids(self.backend(), "s.partner_id", 1)
        );
        let mut found: BTreeMap<(PartnerId, String, String), Vec<StatedLine>> = BTreeMap::new();
        for row in self.all(sql, vec![uuids(self.backend(), partners), program.into(), book.into()]).await? {
            let row = Row::new(&row, "statement");
            let lines = lines_at(&row, 0)?.into_iter().filter(|line| !line.kind.is_carry());
            found.entry((row.get(1)?, row.get(2)?, row.get(3)?)).or_default().extend(lines);
        }
        Ok(found)
    }

    /// Partners whose sums differ most between two runs, in minor units of one currency each; `last` may be no run.
    pub async fn run_differences(&self, run: RunId, last: Option<RunId>, limit: u32) -> Result<Vec<RunDifference>, StoreError> {
        let sql = format!(
            "SELECT partner_id, currency, CAST(SUM(now) AS BIGINT) AS now, CAST(SUM(last) AS BIGINT) AS last FROM \
             (SELECT partner_id, currency, amount_minor AS now, 0 AS last FROM statement WHERE run_id = $1 \
             UNION ALL SELECT partner_id, currency, 0, amount_minor FROM statement WHERE run_id = $2) AS both_runs \
             GROUP BY partner_id, currency HAVING SUM(now) <> SUM(last) ORDER BY ABS(SUM(now) - SUM(last)) DESC, partner_id LIMIT {limit}"
        );
        let rows = self.all(sql, vec![run.into(), last.into()]).await?;
        let difference = |row: &QueryResult| {
            let row = Row::new(row, "statement");
            let currency = row.currency(1)?;
            Ok(RunDifference { partner: row.get(0)?, now: Money::new(row.get(2)?, currency), last: Money::new(row.get(3)?, currency) })
        };
        rows.iter().map(difference).collect()
    }
}

fn with_cursor(statement: StoredStatement) -> (Cursor, StoredStatement) {
    (Cursor { key: statement.span.from.to_string(), id: statement.id.to_string() }, statement)
}

impl WriteTx {
    /// Writes statements of a run that is being calculated, with their lines.
    pub async fn insert_statements(&self, program: ProgramId, run: RunId, statements: &[NewStatement]) -> Result<(), StoreError> {
        let posted = statements.iter().map(posted).collect::<Result<Vec<(i64, i64)>, StoreError>>()?;
        let rows = statements.iter().zip(posted);
        let spell = |(statement, posted): (&NewStatement, (i64, i64)), cells: &mut dyn Cells| {
            cells.uuid(self.new_id());
            cells.uuid(run);
            cells.uuid(program);
            spell(statement, posted, cells);
        };
        bulk::insert_each(self, "statement", &INSERTED, rows, spell).await.map(drop)
    }
}

/// Steps as they are kept; none where one of them cannot be spelled. Whoever computes a statement spells it, on all processors, and not
/// whoever writes it.
pub fn steps_text(steps: &[Step]) -> Option<String> {
    serde_json::to_string(steps).ok()
}

/// The difference, and with what is carried what is posted.
fn posted(new: &NewStatement) -> Result<(i64, i64), StoreError> {
    let difference = new.entitled.checked_sub(new.before);
    let amount = difference.and_then(|difference| difference.checked_add(new.carried));
    difference.zip(amount).ok_or_else(|| StoreError::conflict("number_out_of_range"))
}

/// The cells behind id, run and program.
fn spell(new: &NewStatement, (difference, amount): (i64, i64), cells: &mut dyn Cells) {
    cells.uuid(new.partner);
    cells.uuid(new.version);
    cells.text(&new.schedule);
    cells.text(&new.period);
    cells.date(new.span.from.naive());
    cells.date(new.span.until.naive());
    cells.text(new.currency.code());
    cells.maybe_text(new.tier.as_deref());
    for figure in [&new.qualifier, &new.basis, &new.exact] {
        cells.text(&figure.to_string());
    }
    for number in [new.entitled, new.before, difference, new.carried, amount, new.inputs] {
        cells.int(number);
    }
    for text in [&new.steps, &new.lines, &new.content_hash] {
        cells.text(text);
    }
}

impl ReadTx {
    /// The hashes of a run's statements as they are stored, in the order of partner, period and schedule; one at a time.
    pub async fn each_statement_hash(&self, run: RunId, mut each: impl FnMut(&str) + Send) -> Result<(), StoreError> {
        let sql = "SELECT s.content_hash FROM statement s JOIN partner p ON p.id = s.partner_id WHERE s.run_id = $1 \
            ORDER BY p.code, s.period_from, s.period, s.schedule";
        let hash = |row: &Row<'_>| {
            each(row.str(0)?);
            Ok(())
        };
        self.stream_rows(sql.to_owned(), vec![run.into()], "statement", hash).await
    }
}

/// The sums of statements, as the database adds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSum {
    /// The currency.
    pub currency: String,
    /// Statements.
    pub statements: i64,
    /// What the given period is worth.
    pub entitled: i64,
    /// Differences.
    pub difference: i64,
    /// What is posted.
    pub amount: i64,
    /// What is posted, whatever its sign.
    pub gross: i64,
}

impl ReadTx {
    /// The sums of a run's statements, by currency; `entitled` of those that belong to `period`.
    pub async fn sum_run(&self, run: RunId, period: &str) -> Result<Vec<StatementSum>, StoreError> {
        let sql = "SELECT currency, COUNT(*), CAST(SUM(CASE WHEN period = $2 THEN entitled_minor ELSE 0 END) AS BIGINT), \
            CAST(SUM(difference_minor) AS BIGINT), CAST(SUM(amount_minor) AS BIGINT), CAST(SUM(ABS(amount_minor)) AS BIGINT) \
            FROM statement WHERE run_id = $1 GROUP BY currency ORDER BY currency";
        let rows = self.all(sql, vec![run.into(), period.into()]).await?;
        let sum = |row: &QueryResult| {
            let row = Row::new(row, "statement");
            Ok(StatementSum {
                currency: row.get(0)?,
                statements: row.get(1)?,
                entitled: row.get(2)?,
                difference: row.get(3)?,
                amount: row.get(4)?,
                gross: row.get(5)?,
            })
        };
        rows.iter().map(sum).collect()
    }
}
