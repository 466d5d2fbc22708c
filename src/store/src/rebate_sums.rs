//! What a rebate run sums, read for many partners in one pass: kept monthly sums, single lines of months that are asked in part,
//! less what came in after the cut-off. One statement for each of them, whatever the number of partners; rows are folded as they
//! stream by, so that memory grows with the partners and not with the lines.
//!
//! A kept sum knows no cut-off. Where batches were sealed after it, their lines are read and taken off again: what is left are the
//! sums as they were at the cut-off, whenever they are read.

use std::collections::HashMap;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{PartnerFacts, TierAssignment};
use guerdon_domain::rebate::batch::{ColumnSums, SumColumn};
use guerdon_domain::rebate::whole::Sums;
use sea_orm::DbBackend;

use crate::apart::Apart;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::state::{REVIEWED, assignment, in_order, keep, standing_rows};
use crate::tx::ReadTx;
use crate::{PartnerId, ProgramId};

/// Where sums come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumsSource {
    /// Kept monthly sums wherever whole months are asked.
    Aggregates,
    /// Single lines alone.
    Lines,
}

/// Which sums are read.
#[derive(Debug, Clone)]
pub struct SumsAsked<'q> {
    /// What is summed.
    pub columns: &'q [SumColumn],
    /// Of partners from this code on.
    pub from: &'q str,
    /// Of partners before this code; of all from there on when empty.
    pub until: Option<&'q str>,
    /// The last sealed batch whose lines count; all count when empty.
    pub cut_off: Option<i64>,
    /// Where from.
    pub source: SumsSource,
}

/// The sums of one column of one partner, as small as they are kept.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    amount: i64,
    quantity: i64,
    lines: i32,
    foreign: i32,
}

/// Sums by partner and column.
#[derive(Debug, Default)]
pub struct PartnerSums {
    width: usize,
    places: HashMap<PartnerId, usize>,
    kept: Vec<Kept>,
    rows: u64,
}

impl PartnerSums {
    /// The sums of a partner, one per column; zeros of one who sold nothing.
    pub fn of(&self, partner: PartnerId) -> Vec<ColumnSums> {
        let Some(place) = self.places.get(&partner) else { return vec![ColumnSums::default(); self.width] };
        let own = self.kept.get(place * self.width..(place + 1) * self.width).unwrap_or_default();
        let count = |number: i32| u64::try_from(number).unwrap_or(0);
        let column = |kept: &Kept| ColumnSums {
            sums: Sums { amount: kept.amount.into(), quantity: kept.quantity.into(), lines: count(kept.lines) },
            foreign_lines: count(kept.foreign),
        };
        own.iter().map(column).collect()
    }

    /// How many rows were read for them.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn own(&mut self, partner: PartnerId) -> usize {
        let next = self.places.len();
        let width = self.width;
        let place = *self.places.entry(partner).or_insert(next);
        if place == next {
            self.kept.resize(self.kept.len() + width, Kept::default());
        }
        place * width
    }
}

/// A row of a stream: what it says, whatever it was read from.
struct Summed<'r> {
    partner: PartnerId,
    day: Date,
    category: &'r str,
    currency: &'r str,
    amount: i64,
    quantity: i64,
    lines: i64,
}

/// A column with its days divided.
struct Divided<'q> {
    column: &'q SumColumn,
    /// Whole months, which kept sums answer.
    whole: Span,
    code: &'static str,
}

impl<'q> Divided<'q> {
    fn new(column: &'q SumColumn, source: SumsSource) -> Self {
        let empty = Span::new(column.days.from, column.days.from);
        let whole = if source == SumsSource::Lines { empty } else { whole_months(column.days) };
        Self { column, whole, code: column.currency.code() }
    }

    /// Days whose lines are read one by one.
    fn parts(&self) -> [Span; 2] {
        if self.whole.is_empty() {
            return [self.column.days, Span::new(self.column.days.until, self.column.days.until)];
        }
        [Span::new(self.column.days.from, self.whole.from), Span::new(self.whole.until, self.column.days.until)]
    }

    fn takes(&self, row: &Summed<'_>, is_line: bool) -> bool {
        if is_line { self.parts().iter().any(|span| span.contains(row.day)) } else { self.whole.contains(row.day) }
    }
}

/// The whole months of some days.
fn whole_months(days: Span) -> Span {
    let first = days.from.first_of_month();
    let first = if first == days.from { first } else { first.plus_months(1) };
    Span::new(first, days.until.first_of_month().max(first))
}

/// What reads a stream into sums.
struct Fold<'q> {
    columns: Vec<Divided<'q>>,
    /// By category: the columns that it belongs to.
    places: HashMap<String, Vec<usize>>,
    sums: PartnerSums,
}

impl<'q> Fold<'q> {
    fn new(asked: &SumsAsked<'q>) -> Self {
        let columns: Vec<Divided<'q>> = asked.columns.iter().map(|column| Divided::new(column, asked.source)).collect();
        let sums = PartnerSums { width: columns.len(), ..PartnerSums::default() };
        Self { columns, places: HashMap::new(), sums }
    }

    fn add(&mut self, row: &Summed<'_>, is_line: bool, sign: i64) -> Result<(), StoreError> {
        self.sums.rows += 1;
        if !self.places.contains_key(row.category) {
            let takes = |column: &Divided<'_>| column.column.categories.is_empty() || column.column.categories.contains(row.category);
            let places = (0..).zip(&self.columns).filter(|(_, column)| takes(column)).map(|(at, _)| at).collect();
            self.places.insert(row.category.to_owned(), places);
        }
        let Some(places) = self.places.get(row.category).filter(|places| !places.is_empty()) else { return Ok(()) };
        let own = self.sums.own(row.partner);
        for place in places {
            let (Some(column), Some(kept)) = (self.columns.get(*place), self.sums.kept.get_mut(own + place)) else { continue };
            if column.takes(row, is_line) {
                kept.add(row, column.code == row.currency, sign).ok_or_else(|| StoreError::conflict("number_out_of_range"))?;
            }
        }
        Ok(())
    }

    /// The outermost days of what `span` gives for each column; none when all are empty.
    fn hull(&self, spans: impl Fn(&Divided<'q>) -> Vec<Span>) -> Option<Span> {
        let all = self.columns.iter().flat_map(spans).filter(|span| !span.is_empty());
        all.reduce(|one, other| Span::new(one.from.min(other.from), one.until.max(other.until)))
    }
}

impl Kept {
    fn add(&mut self, row: &Summed<'_>, own_currency: bool, sign: i64) -> Option<()> {
        let lines = i32::try_from(row.lines.checked_mul(sign)?).ok()?;
        if own_currency {
            self.amount = self.amount.checked_add(row.amount.checked_mul(sign)?)?;
        } else {
            self.foreign = self.foreign.checked_add(lines)?;
        }
        self.quantity = self.quantity.checked_add(row.quantity.checked_mul(sign)?)?;
        self.lines = self.lines.checked_add(lines)?;
        Some(())
    }
}

/// A literal of a partner's code.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The statements of one reading: what each selects, whether its rows are lines, and the sign they count with.
fn statements(fold: &Fold<'_>, asked: &SumsAsked<'_>, later: bool, backend: DbBackend) -> Vec<(String, bool, i64)> {
    let partners = |id: &str| match asked.until {
        None if asked.from.is_empty() => String::new(),
        until => {
            let until = until.map_or_else(String::new, |until| format!(" AND w.code < {}", quoted(until)));
            format!(" JOIN partner w ON w.id = {id} AND w.code >= {}{until}", quoted(asked.from))
        }
    };
    let days = |column: &str, span: Span| format!("{column} >= '{}' AND {column} < '{}'", span.from, span.until);
    // SQLite would walk the index by partner, and find every line at another place of the file.
    let whole_table = if backend == DbBackend::Postgres { "" } else { " NOT INDEXED" };
    let signed = |column: &str| format!("CASE WHEN t.kind = 'RETURN' THEN -ABS(t.{column}) ELSE t.{column} END");
    let lines = |span: Span, batches: &str| {
        format!(
            "SELECT t.partner_id, t.occurred_on, COALESCE(t.category, '') AS category, t.currency, {} AS amount, {} AS quantity, CAST(1 AS BIGINT) AS lines \
             FROM transactions t{whole_table}{}{batches} WHERE {}",
            signed("amount_minor"),
            signed("quantity_micros"),
            partners("t.partner_id"),
            days("t.occurred_on", span)
        )
    };
    let sealed = |condition: &str| format!(" JOIN import_batch b ON b.id = t.batch_id AND b.seal_number {condition}");
    let mut all = Vec::new();
    let whole = fold.hull(|column| vec![column.whole]);
    if let Some(span) = whole {
        let kept = "m.partner_id, m.month AS occurred_on, m.category, m.currency, m.amount_minor AS amount, m.quantity_micros AS quantity, m.lines";
        let sql = format!("SELECT {kept} FROM transaction_monthly m{} WHERE {}", partners("m.partner_id"), days("m.month", span));
        all.push((sql, false, 1));
    }
    let cut_off = asked.cut_off.filter(|_| later);
    if let Some(span) = fold.hull(|column| column.parts().to_vec()) {
        let batches = cut_off.map_or_else(String::new, |last| sealed(&format!("<= {last}")));
        all.push((lines(span, &batches), true, 1));
    }
    if let (Some(span), Some(last)) = (whole, cut_off) {
        all.push((lines(span, &sealed(&format!("> {last}"))), false, -1));
    }
    all
}

pub(crate) const LAST_SEALED: &str = "SELECT COALESCE(MAX(seal_number), 0) FROM import_batch WHERE state = 'SEALED'";

/// What is asked about the standing of many partners.
#[derive(Debug, Clone, Copy)]
pub struct StandingAsked<'q> {
    /// The program.
    pub program: ProgramId,
    /// Of partners from this code on.
    pub from: &'q str,
    /// Of partners before this code; of all from there on when empty.
    pub until: Option<&'q str>,
    /// Whether profiles are read too.
    pub profiles: bool,
    /// The last change that counts, of everything on record about partners.
    pub records: i64,
}

impl ReadTx {
    /// Enrollments, tiers on record and overrides of many partners, and profiles where they are asked for: one after the other, by
    /// one statement. Nobody else's facts are in memory at a time.
    pub async fn each_standing(&self, asked: &StandingAsked<'_>, mut each: impl FnMut(PartnerId, &PartnerFacts) + Send) -> Result<(), StoreError> {
        let bounds = match (asked.from, asked.until) {
            ("", None) => String::new(),
            (from, until) => {
                let until = until.map_or_else(String::new, |until| format!(" AND w.code < {}", quoted(until)));
                format!(" JOIN partner w ON w.id = s.partner_id AND w.code >= {}{until}", quoted(from))
            }
        };
        let rows = standing_rows(asked.profiles, &bounds, asked.records);
        let sql = format!("SELECT * FROM ({rows}) AS standing ORDER BY partner_id");
        let mut hand_on = |of: Option<(PartnerId, PartnerFacts, Vec<TierAssignment>)>| {
            if let Some((partner, mut facts, reviewed)) = of {
                in_order(&mut facts, reviewed);
                each(partner, &facts);
            }
        };
        let mut current: Option<(PartnerId, PartnerFacts, Vec<TierAssignment>)> = None;
        let gather = |row: &Row<'_>| {
            let id: PartnerId = row.get(0)?;
            hand_on(current.take_if(|(partner, ..)| *partner != id));
            let (_, facts, reviewed) = current.get_or_insert_with(|| (id, PartnerFacts::default(), Vec::new()));
            if row.str(1)? == REVIEWED {
                reviewed.push(assignment(row)?);
                return Ok(());
            }
            keep(row, facts)
        };
        let values = vec![asked.program.into()];
        match self.apart().await? {
            Some(mut apart) => apart.each_row(sql, values, "partner state", gather).await?,
            None => self.stream_rows(sql, values, "partner state", gather).await?,
        }
        hand_on(current);
        Ok(())
    }

    /// The code of the partner `count` places behind `from`, and whether any partner comes before `from`: the bounds of a window
    /// over all partners.
    pub async fn find_window_bounds(&self, from: &str, count: u32) -> Result<(Option<String>, bool), StoreError> {
        let sql = format!(
            "SELECT (SELECT p.code FROM partner p WHERE p.code >= $1 ORDER BY p.code LIMIT 1 OFFSET {count}), \
             EXISTS (SELECT 1 FROM partner p WHERE p.code < $1)"
        );
        let row = self.one(sql, vec![from.into()]).await?;
        row.map_or(Ok((None, false)), |row| {
            let row = Row::new(&row, "partner");
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Reads the sums of all partners that are asked for, in a snapshot of its own wherever the database has more than one: what is asked does
    /// not depend on which, since sealed batches never change.
    pub async fn sum_rebate_columns(&self, asked: &SumsAsked<'_>) -> Result<PartnerSums, StoreError> {
        if let Some(apart) = self.apart().await? {
            return sums(Snapshot::Apart(apart), asked, self.backend()).await;
        }
        if self.backend() != DbBackend::Postgres {
            return sums(Snapshot::Of(self), asked, self.backend()).await;
        }
        let own = self.inner.begin_read(true).await?;
        own.execute("SET LOCAL statement_timeout = 0", Vec::new()).await?;
        let sums = sums(Snapshot::Of(&own), asked, self.backend()).await;
        own.end().await;
        sums
    }
}

/// What sums are read in.
enum Snapshot<'t> {
    Of(&'t ReadTx),
    Apart(Apart),
}

impl Snapshot<'_> {
    async fn each_row(&mut self, sql: String, each: impl FnMut(&Row<'_>) -> Result<(), StoreError> + Send) -> Result<(), StoreError> {
        match self {
            Self::Of(tx) => tx.stream_rows(sql, Vec::new(), "sums", each).await,
            Self::Apart(apart) => apart.each_row(sql, Vec::new(), "sums", each).await,
        }
    }
}

async fn sums(mut snapshot: Snapshot<'_>, asked: &SumsAsked<'_>, backend: DbBackend) -> Result<PartnerSums, StoreError> {
    let mut fold = Fold::new(asked);
    let mut last = 0;
    let seal = |row: &Row<'_>| {
        last = row.get(0)?;
        Ok(())
    };
    snapshot.each_row(LAST_SEALED.to_owned(), seal).await?;
    let later = asked.cut_off.is_some_and(|cut_off| last > cut_off);
    for (sql, is_line, sign) in statements(&fold, asked, later, backend) {
        snapshot.each_row(sql, |row| fold.add(&summed_of(row)?, is_line, sign)).await?;
    }
    Ok(fold.sums)
}

fn summed_of<'r>(row: &Row<'r>) -> Result<Summed<'r>, StoreError> {
    Ok(Summed {
        partner: row.get(0)?,
        day: row.date(1)?,
        category: row.str(2)?,
        currency: row.str(3)?,
        amount: row.get(4)?,
        quantity: row.get(5)?,
        lines: row.get(6)?,
    })
}
