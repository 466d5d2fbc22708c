//! Files of a rebate run for the finance system: statements, lines, journal; as CSV or as one JSON object a line.
//!
//! Columns are promises: new ones are added at the end; none is taken away or renamed. Decimals are canonical text in both formats.

use std::sync::Arc;

use futures_util::stream;
use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::money::Money;
use guerdon_domain::rebate::StatedLine;
use guerdon_store::{Cursor, EntryFilter, PageRequest, PartnerId, RunId, StoreError, StoredEntry, StoredPosting, StoredRun, StoredStatement};

use super::csv::{header, lines, text};
use super::{Export, ExportKind};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Which rows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRows {
    /// One row a statement: partner, schedule and period.
    Statements,
    /// One row a line of a statement.
    Lines,
    /// One row a posting of the journal entries of the run.
    Journal,
}

/// Columns of statements.
pub const STATEMENT_COLUMNS: &[&str] = &[
    "statementId",
    "runId",
    "program",
    "programVersion",
    "runPeriod",
    "runKind",
    "partnerCode",
    "partnerName",
    "schedule",
    "period",
    "periodFrom",
    "periodUntil",
    "currency",
    "tier",
    "qualifier",
    "basis",
    "exact",
    "entitled",
    "before",
    "difference",
    "carried",
    "amount",
    "saleLines",
    "contentHash",
];

/// Columns of lines.
pub const LINE_COLUMNS: &[&str] = &[
    "statementId",
    "runId",
    "partnerCode",
    "schedule",
    "period",
    "line",
    "kind",
    "band",
    "bandFrom",
    "bandTo",
    "tier",
    "category",
    "base",
    "rate",
    "exact",
    "amount",
    "currency",
];

/// Columns of the journal.
pub const JOURNAL_COLUMNS: &[&str] =
    &["entryId", "runId", "entryKind", "period", "entryOn", "account", "partnerCode", "debit", "credit", "currency", "reference", "createdBy", "createdAt"];

impl RunRows {
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Statements => STATEMENT_COLUMNS,
            Self::Lines => LINE_COLUMNS,
            Self::Journal => JOURNAL_COLUMNS,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::Lines => "lines",
            Self::Journal => "journal",
        }
    }
}

/// Partners of one piece.
const PARTNERS: u32 = 500;
/// Postings of one piece.
const POSTINGS: u32 = 2_000;

/// Where an export is.
enum At {
    Start,
    /// Behind the partner of this code.
    Partner(String),
    /// Behind this entry, or in the middle of one: behind this account.
    Entry(Option<Cursor>),
    Postings(Box<StoredEntry>, Cursor, i64),
    End,
}

/// A file of a run, made piece by piece in the order of partners' codes (the journal: of entries, the latest first).
///
/// # Errors
/// `Forbidden` for whoever does not see all partners' statements, or the books; `NotFound`; `Invalid` for another format than CSV and
/// NDJSON.
pub async fn export_run(app: &App, ctx: &Ctx, run: RunId, rows: RunRows, kind: ExportKind) -> Result<Export, AppError> {
    let resource = if rows == RunRows::Journal { Resource::Ledger } else { Resource::Statement };
    for asked in [(Action::Read, Resource::RebateRun), (Action::Read, resource)] {
        if !ctx.require(asked)?.is_all() {
            return Err(AppError::Forbidden);
        }
    }
    if !matches!(kind, ExportKind::Csv | ExportKind::NdJson) {
        return Err(AppError::invalid("UNKNOWN_FORMAT", "format", "runs are exported as CSV and as NDJSON"));
    }
    let (run, program) = app
        .store
        .read(async |tx| {
            let run = tx.find_run(run).await?.ok_or(AppError::NotFound)?;
            let program = tx.find_program_by_id(run.program_id).await?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>((run, program.code))
        })
        .await?;
    let name = format!("{}-{program}-{}-{}", rows.name(), run.period, run.id.simple());
    let state = Arc::new(Rows { app: app.clone(), run, program, rows, kind });
    let pieces = stream::try_unfold((state, At::Start), async |(state, at)| match state.step(at).await? {
        Some((piece, next)) => Ok(Some((piece, (state, next)))),
        None => Ok(None),
    });
    Ok(Export::streamed(&name, kind, pieces))
}

struct Rows {
    app: App,
    run: StoredRun,
    program: String,
    rows: RunRows,
    kind: ExportKind,
}

/// A value of a row: text is guarded in CSV, figures are not, since a minus is theirs.
enum Cell {
    Text(String),
    Figure(String),
    Whole(i64),
    Nothing,
}

impl Cell {
    fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    fn maybe(value: Option<&str>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Text(value.to_owned()))
    }

    fn figure(value: impl ToString) -> Self {
        Self::Figure(value.to_string())
    }

    fn money(minor: i64, currency: guerdon_domain::money::Currency) -> Self {
        Self::Figure(Money::new(minor, currency).amount())
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(value) => text(value),
            Self::Figure(value) => value.clone(),
            Self::Whole(value) => value.to_string(),
            Self::Nothing => String::new(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(value) | Self::Figure(value) => value.clone().into(),
            Self::Whole(value) => (*value).into(),
            Self::Nothing => serde_json::Value::Null,
        }
    }
}

impl Rows {
    async fn step(&self, at: At) -> Result<Option<(Vec<u8>, At)>, AppError> {
        let first = || if self.rows == RunRows::Journal { At::Entry(None) } else { At::Partner(String::new()) };
        match at {
            At::Start if self.kind == ExportKind::Csv => Ok(Some((header(self.rows.columns())?, first()))),
            At::Start => Ok(Some((Vec::new(), first()))),
            At::Partner(code) => self.partners(&code).await.map(Some),
            At::Entry(cursor) => self.entry(cursor).await.map(Some),
            At::Postings(entry, cursor, after) => self.postings(*entry, cursor, after).await.map(Some),
            At::End => Ok(None),
        }
    }

    fn write(&self, rows: &[Vec<Cell>]) -> Result<Vec<u8>, AppError> {
        if self.kind == ExportKind::Csv {
            return lines(rows.iter().map(|row| row.iter().map(Cell::csv).collect::<Vec<String>>()));
        }
        let mut piece = Vec::new();
        for row in rows {
            let members = self.rows.columns().iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.json()));
            let object = serde_json::Value::Object(members.collect());
            serde_json::to_writer(&mut piece, &object).map_err(AppError::internal)?;
            piece.push(b'\n');
        }
        Ok(piece)
    }

    /// The statements, or their lines, of the next partners.
    async fn partners(&self, after: &str) -> Result<(Vec<u8>, At), AppError> {
        let read = self.app.store.read::<_, StoreError, _>(async |tx| {
            let statements = tx.list_run_statements(self.run.id, after, PARTNERS).await?;
            let ids: Vec<PartnerId> = statements.iter().map(|(_, statement)| statement.partner_id).collect();
            let partners = tx.partners_many(&Scope::All, &ids).await?;
            let versions: Vec<_> = statements.iter().map(|(_, statement)| statement.version_id).collect();
            let versions = tx.versions_many(&versions).await?;
            Ok((statements, partners, versions))
        });
        let (statements, partners, versions) = read.await?;
        let mut rows = Vec::new();
        for (code, statement) in &statements {
            if self.rows == RunRows::Lines {
                rows.extend((0_i64..).zip(&statement.lines).map(|(no, line)| self.line(code, statement, no, line)));
            } else {
                let name = partners.get(&statement.partner_id).map(|partner| partner.name.as_str());
                let version = versions.get(&statement.version_id).map(|version| version.number);
                rows.push(self.statement(code, name, version, statement));
            }
        }
        let next = statements.last().map_or(At::End, |(code, _)| At::Partner(code.clone()));
        Ok((self.write(&rows)?, next))
    }

    fn statement(&self, code: &str, name: Option<&str>, version: Option<i64>, one: &StoredStatement) -> Vec<Cell> {
        vec![
            Cell::text(one.id.to_string()),
            Cell::text(one.run_id.to_string()),
            Cell::text(&self.program),
            version.map_or(Cell::Nothing, Cell::Whole),
            Cell::text(&self.run.period),
            Cell::text(word(&self.run.kind)),
            Cell::text(code),
            Cell::maybe(name),
            Cell::text(&one.schedule),
            Cell::text(&one.period),
            Cell::figure(one.span.from),
            Cell::figure(one.span.until),
            Cell::text(one.amount.currency.code()),
            Cell::maybe(one.tier.as_deref()),
            Cell::figure(one.qualifier.clone()),
            Cell::figure(one.basis.clone()),
            Cell::figure(one.exact.clone()),
            Cell::figure(one.entitled.amount()),
            Cell::figure(one.before.amount()),
            Cell::figure(one.difference.amount()),
            Cell::figure(one.carried.amount()),
            Cell::figure(one.amount.amount()),
            Cell::Whole(one.inputs),
            Cell::text(&one.content_hash),
        ]
    }

    fn line(&self, code: &str, one: &StoredStatement, no: i64, line: &StatedLine) -> Vec<Cell> {
        let maybe = |figure: Option<guerdon_domain::exact::Exact>| figure.map_or(Cell::Nothing, Cell::figure);
        vec![
            Cell::text(one.id.to_string()),
            Cell::text(self.run.id.to_string()),
            Cell::text(code),
            Cell::text(&one.schedule),
            Cell::text(&one.period),
            Cell::Whole(no),
            Cell::text(word(&line.kind)),
            line.band.map_or(Cell::Nothing, Cell::Whole),
            maybe(line.from.clone()),
            maybe(line.to.clone()),
            Cell::maybe(line.tier.as_deref()),
            Cell::maybe(line.category.as_deref()),
            Cell::figure(line.base.clone()),
            maybe(line.rate.clone()),
            Cell::figure(line.exact.clone()),
            Cell::money(line.amount, one.amount.currency),
            Cell::text(one.amount.currency.code()),
        ]
    }

    /// Goes on to the next entry.
    async fn entry(&self, after: Option<Cursor>) -> Result<(Vec<u8>, At), AppError> {
        let request = PageRequest::first(1);
        let request = after.map_or_else(|| request.clone(), |cursor| request.clone().after(cursor));
        let filter = EntryFilter { run: Some(self.run.id), ..EntryFilter::default() };
        let mut page = self.app.store.read::<_, StoreError, _>(async |tx| tx.list_entries(&Scope::All, &filter, &request).await).await?;
        match page.rows.pop() {
            Some((cursor, entry)) => self.postings(entry, cursor, 0).await,
            None => Ok((Vec::new(), At::End)),
        }
    }

    async fn postings(&self, entry: StoredEntry, cursor: Cursor, after: i64) -> Result<(Vec<u8>, At), AppError> {
        let read = self.app.store.read::<_, StoreError, _>(async |tx| {
            let postings = tx.list_postings(&Scope::All, entry.id, after, POSTINGS).await?;
            let ids: Vec<PartnerId> = postings.iter().filter_map(|(_, posting)| posting.partner).collect();
            Ok((postings, tx.partners_many(&Scope::All, &ids).await?))
        });
        let (postings, partners) = read.await?;
        let code = |posting: &StoredPosting| posting.partner.and_then(|id| partners.get(&id)).map(|partner| partner.code.clone());
        let rows: Vec<Vec<Cell>> = postings.iter().map(|(_, posting)| self.posting(&entry, posting, code(posting).as_deref())).collect();
        let next = match postings.last() {
            Some((last, _)) => At::Postings(Box::new(entry), cursor, *last),
            None => At::Entry(Some(cursor)),
        };
        Ok((self.write(&rows)?, next))
    }

    fn posting(&self, entry: &StoredEntry, posting: &StoredPosting, partner: Option<&str>) -> Vec<Cell> {
        let amount = posting.amount;
        let (debit, credit) = if amount.minor >= 0 { (amount.minor, 0) } else { (0, amount.minor.saturating_neg()) };
        vec![
            Cell::text(entry.id.to_string()),
            Cell::text(self.run.id.to_string()),
            Cell::text(word(&entry.kind)),
            Cell::text(&entry.period),
            Cell::figure(entry.on),
            Cell::text(word(&posting.account)),
            Cell::maybe(partner),
            Cell::money(debit, amount.currency),
            Cell::money(credit, amount.currency),
            Cell::text(amount.currency.code()),
            Cell::maybe(entry.reference.as_deref()),
            Cell::text(&entry.created_by),
            Cell::text(entry.created_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
        ]
    }
}

/// A word of ours as it is written.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
