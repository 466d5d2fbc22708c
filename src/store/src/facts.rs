//! Loading what an engine needs about many partners, in a fixed number of statements.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Activity, Deal, FactId, Holding, PartnerFacts, SalesSum, Transaction};
use guerdon_domain::metric::fold::Fold;
use guerdon_domain::money::{Money, Quantity};
use sea_orm::DbBackend;

use crate::convert::Row;
use crate::fault::StoreError;
use crate::rollup::TRANSACTION_MONTHLY;
use crate::sql::{Parameters, uuids};
use crate::state::LoadedState;
use crate::transaction::{COLUMNS as TRANSACTION_COLUMNS, transaction_of};
use crate::tx::ReadTx;
use crate::whose::{MANY, Whose};
use crate::{PartnerId, ProgramId};

/// What to load. Start from [`FactsPlan::state`] and add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsPlan {
    /// The program whose enrollments, tiers, overrides, admissions, contracts and exceptions are loaded.
    pub program: ProgramId,
    /// Facts that happen after this date are not loaded.
    pub as_of: Date,
    /// Days of which single transaction lines are loaded; overlapping ones are loaded once.
    pub lines: Vec<Span>,
    /// Months (whole ones, by their first days, half-open) of which monthly aggregates are loaded.
    pub monthly: Option<Span>,
    /// Days of which the sums of each day are loaded; overlapping ones are loaded once.
    pub daily: Vec<Span>,
    /// How monthly aggregates are added up by the database; as they stand where nobody says.
    pub fold: Option<Fold>,
    /// Whether holdings are loaded.
    pub holdings: bool,
    /// Only holdings that count on one of these days.
    pub holdings_on: Option<Span>,
    /// Days of which activities are loaded.
    pub activities: Option<Span>,
    /// Whether deals are loaded.
    pub deals: bool,
    /// Only deals opened or closed on one of these days.
    pub deals_in: Option<Span>,
    /// Whether the partners below (at any time) are loaded too. Their facts count for the partner above, so that the scope does
    /// not apply to them; they are not among the ids that are answered.
    pub subtree: bool,
    /// Only facts recorded on or before this date: what was known then.
    pub known_on: Option<Date>,
    /// Only facts of the sealed batches up to this one: what a run reads. Sale lines then carry the place of their batch.
    pub cut_off: Option<i64>,
    /// Profiles, enrollments, tiers and the like as they were on record after this change: what a run reads.
    pub records: Option<i64>,
}

impl FactsPlan {
    /// Profiles, enrollments, tiers on record, overrides, admissions, contracts and exceptions; no facts.
    pub const fn state(program: ProgramId, as_of: Date) -> Self {
        Self {
            program,
            as_of,
            lines: Vec::new(),
            monthly: None,
            daily: Vec::new(),
            fold: None,
            holdings: false,
            holdings_on: None,
            activities: None,
            deals: false,
            deals_in: None,
            subtree: false,
            known_on: None,
            cut_off: None,
            records: None,
        }
    }

    /// Everything there is up to `as_of`, in single lines.
    pub fn everything(program: ProgramId, as_of: Date) -> Self {
        Self { lines: vec![Span::ALWAYS], holdings: true, activities: Some(Span::ALWAYS), deals: true, subtree: true, ..Self::state(program, as_of) }
    }
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadedFacts {
    /// The partners asked for that lie in scope, with their codes.
    pub ids: BTreeMap<PartnerId, String>,
    /// Their facts by code; with `subtree`, those of the partners below too.
    pub partners: BTreeMap<String, PartnerFacts>,
}

/// Facts by partner id, while they are gathered.
pub(crate) type Gathered = BTreeMap<PartnerId, PartnerFacts>;

impl ReadTx {
    /// Loads what `plan` asks for, in a number of statements that depends on the plan alone.
    pub async fn load_facts(&self, scope: &Scope, ids: &[PartnerId], plan: &FactsPlan) -> Result<LoadedFacts, StoreError> {
        if ids.len() >= MANY {
            self.keep_in_one_process().await?;
        }
        let stretch = if plan.subtree { Whose::Listed(ids) } else { self.whose(ids).await? };
        let LoadedState { roots, mut gathered } = self.load_state(scope, ids, stretch, plan).await?;
        let all: Vec<PartnerId> = gathered.keys().copied().collect();
        let whose = if matches!(stretch, Whose::Between(..)) { stretch } else { Whose::Listed(&all) };
        // Of years of sale lines few days are asked for: a stretch of the index would be mostly of other days.
        if !plan.lines.is_empty() {
            self.load_lines(&all, plan, &mut gathered).await?;
        }
        if !plan.daily.is_empty() {
            self.load_daily(&all, plan, &mut gathered).await?;
        }
        if let Some(months) = plan.monthly {
            self.load_monthly(whose, months, plan.fold.as_ref(), &mut gathered).await?;
        }
        if plan.holdings {
            self.load_holdings(whose, plan, &mut gathered).await?;
        }
        if let Some(days) = plan.activities {
            self.load_activities(whose, plan, days, &mut gathered).await?;
        }
        if plan.deals {
            self.load_deals(whose, plan, &mut gathered).await?;
        }
        gathered.values_mut().for_each(in_order);
        let partners = gathered.into_values().map(|facts| (facts.code.clone(), facts)).collect();
        Ok(LoadedFacts { ids: roots, partners })
    }

    /// Loads sale lines of partners that were loaded before, and nothing else: one statement.
    pub async fn load_lines_of(&self, ids: &BTreeMap<PartnerId, String>, plan: &FactsPlan) -> Result<BTreeMap<String, PartnerFacts>, StoreError> {
        let bare = |(id, code): (&PartnerId, &String)| (*id, PartnerFacts { code: code.clone(), ..PartnerFacts::default() });
        let mut gathered: Gathered = ids.iter().map(bare).collect();
        let all: Vec<PartnerId> = ids.keys().copied().collect();
        self.load_lines(&all, plan, &mut gathered).await?;
        Ok(gathered.into_values().map(|facts| (facts.code.clone(), facts)).collect())
    }

    async fn load_lines(&self, ids: &[PartnerId], plan: &FactsPlan, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters::default();
        let (from, dated) = self.lines_on("t", ids, &plan.lines, plan.as_of, &mut parameters);
        let known = known_condition("t", plan, &mut parameters);
        let (sealed, batches) = match plan.cut_off {
            Some(_) => ("b.seal_number", "JOIN import_batch b ON b.id = t.batch_id"),
            None => ("CAST(0 AS BIGINT)", ""),
        };
        let sql = format!(
            "SELECT {TRANSACTION_COLUMNS}, {sealed} FROM {from} {batches} WHERE {dated} AND {known} \
             ORDER BY t.partner_id, t.occurred_on, t.id"
        );
        self.gather(sql, parameters, "transactions", gathered, |row, facts| {
            let sealed = row.get(18)?;
            facts.transactions.push(Transaction { sealed, ..transaction_of(row)?.1.fact });
            Ok(())
        })
        .await
    }

    async fn load_monthly(&self, whose: Whose<'_>, months: Span, fold: Option<&Fold>, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters(vec![months.from.naive().into(), months.until.naive().into()]);
        let of_partners = whose.condition(self.backend(), "m.partner_id", &mut parameters);
        let sql = match fold {
            Some(fold) => folded_sums(fold, &of_partners, &mut parameters),
            None => format!(
                "SELECT m.partner_id, m.month, m.category, m.kind, m.currency, m.amount_minor, m.quantity_micros, m.lines FROM transaction_monthly m \
                 WHERE {of_partners} AND m.month >= $1 AND m.month < $2"
            ),
        };
        self.gather(sql, parameters, "transaction_monthly", gathered, |row, facts| {
            facts.sums.push(match fold {
                Some(fold) => folded_of(row, fold)?,
                None => sum_of(row, Span::month_from(row.date(1)?))?,
            });
            Ok(())
        })
        .await
    }

    /// Sums by day: each line is one, since a day seldom has several and adding them up costs more than reading them.
    async fn load_daily(&self, ids: &[PartnerId], plan: &FactsPlan, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters::default();
        let (from, dated) = self.lines_on("f", ids, &plan.daily, plan.as_of, &mut parameters);
        let known = known_condition("f", plan, &mut parameters);
        let columns = TRANSACTION_MONTHLY.of_line();
        let sql = format!("SELECT {columns} FROM {from} WHERE {dated} AND {known}");
        self.gather(sql, parameters, "transactions", gathered, |row, facts| {
            facts.sums.push(sum_of(row, Span::day(row.date(1)?))?);
            Ok(())
        })
        .await
    }

    /// Sale lines of partners, none of whom is listed twice, on the days of the spans: what stands behind FROM, and the condition.
    fn lines_on(&self, alias: &str, ids: &[PartnerId], spans: &[Span], as_of: Date, parameters: &mut Parameters) -> (String, String) {
        let (partner, day) = (format!("{alias}.partner_id"), format!("{alias}.occurred_on"));
        let days = known_spans(spans, as_of);
        if self.backend() != DbBackend::Postgres {
            let of_partners = Whose::Listed(ids).condition(self.backend(), &partner, parameters);
            return (format!("transactions {alias}"), format!("{of_partners} AND {}", ranges_condition(&day, &days, parameters)));
        }
        // Joined in the order of the list, so that partners that lie together are read one after the other.
        let listed = parameters.number(uuids(self.backend(), ids));
        let (joined, dated) = joined_spans(&day, &days, parameters);
        (format!("unnest(${listed}::text::uuid[]) AS listed (id) JOIN transactions {alias} ON {partner} = listed.id{joined}"), dated)
    }

    async fn load_holdings(&self, whose: Whose<'_>, plan: &FactsPlan, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters(vec![plan.as_of.naive().into()]);
        let of_partners = whose.condition(self.backend(), "h.partner_id", &mut parameters);
        let known = known_condition("h", plan, &mut parameters);
        let latest = latest_condition("holding", "h", plan, &mut parameters);
        let counting = plan.holdings_on.map_or_else(
            || "TRUE".to_owned(),
            |days| {
                let (from, until) = (parameters.add(days.from.naive()), parameters.add(days.until.naive()));
                format!("h.since_on < {until} AND (h.until_on IS NULL OR h.until_on > {from}) AND (h.revoked_on IS NULL OR h.revoked_on > {from})")
            },
        );
        let sql = format!(
            "SELECT h.partner_id, h.source, h.external_id, h.recorded_on, h.kind, h.type_key, h.level, h.holder_kind, h.holder, h.product, h.category, \
             h.since_on, h.until_on, h.revoked_on, h.value, h.currency, h.region, h.attributes FROM holding h \
             WHERE {of_partners} AND h.since_on <= $1 AND {counting} AND {known} AND {latest}"
        );
        self.gather(sql, parameters, "holding", gathered, |row, facts| {
            facts.holdings.push(holding_of(row)?);
            Ok(())
        })
        .await
    }

    async fn load_activities(&self, whose: Whose<'_>, plan: &FactsPlan, days: Span, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters::default();
        let of_partners = whose.condition(self.backend(), "a.partner_id", &mut parameters);
        let ranges = ranges_condition("a.occurred_on", &known_spans(&[days], plan.as_of), &mut parameters);
        let known = known_condition("a", plan, &mut parameters);
        let sql = format!(
            "SELECT a.partner_id, a.source, a.external_id, a.occurred_on, a.recorded_on, a.kind, a.value, a.currency, a.subject, a.expires_on, a.region, \
             a.attributes FROM activity a WHERE {of_partners} AND {ranges} AND {known}"
        );
        self.gather(sql, parameters, "activity", gathered, |row, facts| {
            facts.activities.push(activity_of(row)?);
            Ok(())
        })
        .await
    }

    async fn load_deals(&self, whose: Whose<'_>, plan: &FactsPlan, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut parameters = Parameters(vec![plan.as_of.naive().into()]);
        let of_partners = whose.condition(self.backend(), "d.partner_id", &mut parameters);
        let known = known_condition("d", plan, &mut parameters);
        let latest = latest_condition("deal", "d", plan, &mut parameters);
        let dated = plan.deals_in.map_or_else(
            || "TRUE".to_owned(),
            |days| {
                let (from, until) = (parameters.add(days.from.naive()), parameters.add(days.until.naive()));
                format!("((d.opened_on >= {from} AND d.opened_on < {until}) OR (d.closed_on >= {from} AND d.closed_on < {until}))")
            },
        );
        let sql = format!(
            "SELECT d.partner_id, d.source, d.external_id, d.opened_on, d.recorded_on, d.stage, d.outcome, d.closed_on, d.value_minor, d.currency, \
             d.customer, d.kind, d.region, d.attributes FROM deal d WHERE {of_partners} AND d.opened_on <= $1 AND {dated} AND {known} AND {latest}"
        );
        self.gather(sql, parameters, "deal", gathered, |row, facts| {
            facts.deals.push(deal_of(row)?);
            Ok(())
        })
        .await
    }

    /// Runs one statement whose first column is the partner, and gives each row to its facts.
    async fn gather(
        &self,
        sql: String,
        parameters: Parameters,
        table: &'static str,
        gathered: &mut Gathered,
        keep: impl Fn(&Row<'_>, &mut PartnerFacts) -> Result<(), StoreError> + Send + Sync,
    ) -> Result<(), StoreError> {
        // The rows of a partner stand together: its facts are in hand until the next one's come.
        let mut in_hand: Option<(PartnerId, PartnerFacts)> = None;
        let each = |row: &Row<'_>| {
            let id: PartnerId = row.get(0)?;
            if in_hand.as_ref().is_none_or(|(held, _)| *held != id) {
                let next = gathered.get_mut(&id).map(|facts| (id, std::mem::take(facts)));
                put_back(gathered, std::mem::replace(&mut in_hand, next));
            }
            in_hand.as_mut().map_or(Ok(()), |(_, facts)| keep(row, facts))
        };
        self.each_row(sql, parameters.0, table, each).await?;
        put_back(gathered, in_hand);
        Ok(())
    }
}

/// Facts in the order of their days; of one day in an order that is the same in both databases. Here, since that costs a fraction of what
/// the database asks for it.
fn in_order(facts: &mut PartnerFacts) {
    facts.sums.sort_by(|a, b| (a.days, &a.category, a.kind, a.amount.currency.code()).cmp(&(b.days, &b.category, b.kind, b.amount.currency.code())));
    facts.holdings.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    facts.activities.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
    facts.deals.sort_by(|a, b| (a.opened_on, &a.id).cmp(&(b.opened_on, &b.id)));
}

fn put_back(gathered: &mut Gathered, of: Option<(PartnerId, PartnerFacts)>) {
    if let Some((id, facts)) = of {
        gathered.insert(id, facts);
    }
}

/// A sum: partner, date, category, kind, currency, amount, quantity, number of lines.
fn sum_of(row: &Row<'_>, days: Span) -> Result<SalesSum, StoreError> {
    sum_with(row, days, Some(row.str(2)?).filter(|category| !category.is_empty()))
}

fn sum_with(row: &Row<'_>, days: Span, category: Option<&str>) -> Result<SalesSum, StoreError> {
    Ok(SalesSum {
        days,
        category: category.map(str::to_owned),
        kind: row.text_enum(3)?,
        amount: Money::new(row.get(5)?, row.currency(4)?),
        quantity: Quantity(row.get(6)?),
        lines: row.get(7)?,
    })
}

/// The statement that adds up monthly sums. It answers stretches of months and classes of categories by their numbers, see [`folded_of`]: the database
/// would take as long to find a month and a category of each as to add up.
fn folded_sums(fold: &Fold, of_partners: &str, parameters: &mut Parameters) -> String {
    let month = fold.months.as_ref().map_or_else(|| "m.month".to_owned(), |stretches| stretch_number(stretches, parameters));
    let spans = merge(fold.months.iter().flatten().copied());
    let within = if spans.len() > 1 { ranges_condition("m.month", &spans, parameters) } else { "TRUE".to_owned() };
    let class = fold.categories.as_ref().map_or_else(|| "m.category".to_owned(), |classes| class_number(classes, parameters));
    let (kind, by_kind) = if fold.kinds { ("m.kind", ", m.kind") } else { ("'SALE'", "") };
    let quantity = if fold.quantities { "CAST(SUM(m.quantity_micros) AS BIGINT)" } else { "CAST(0 AS BIGINT)" };
    format!(
        "SELECT m.partner_id, {month} AS month, {class} AS class, {kind} AS kind, m.currency, CAST(SUM(m.amount_minor) AS BIGINT) AS amount_minor, \
         {quantity} AS quantity_micros, CAST(SUM(m.lines) AS BIGINT) AS lines FROM transaction_monthly m \
         WHERE {of_partners} AND m.month >= $1 AND m.month < $2 AND {within} GROUP BY m.partner_id, m.currency, 2, 3{by_kind}"
    )
}

/// The number of the stretch that a month lies in, where it lies in one of them.
fn stretch_number(stretches: &[Span], parameters: &mut Parameters) -> String {
    let mut ordered: Vec<(usize, Span)> = stretches.iter().copied().enumerate().collect();
    ordered.sort_by_key(|(_, stretch)| stretch.from);
    let Some((last, _)) = ordered.pop() else { return number(0) };
    let before = |(at, stretch): (usize, Span)| format!("WHEN m.month < {} THEN {}", parameters.add(stretch.until.naive()), number(at));
    let cases: Vec<String> = ordered.into_iter().map(before).collect();
    if cases.is_empty() { number(last) } else { format!("CASE {} ELSE {} END", cases.join(" "), number(last)) }
}

/// The number of the class that a category is of.
fn class_number(classes: &[Vec<String>], parameters: &mut Parameters) -> String {
    let mut cases = String::new();
    for (at, class) in classes.iter().enumerate() {
        let names: Vec<String> = class.iter().map(|name| parameters.add(name.clone())).collect();
        cases.push_str(&format!("WHEN m.category IN ({}) THEN {} ", names.join(", "), number(at)));
    }
    let rest = number(classes.len());
    if cases.is_empty() { rest } else { format!("CASE {cases}ELSE {rest} END") }
}

/// A number, of the width in which numbers are read.
fn number(at: usize) -> String {
    format!("CAST({at} AS BIGINT)")
}

/// A row of [`folded_sums`].
fn folded_of(row: &Row<'_>, fold: &Fold) -> Result<SalesSum, StoreError> {
    let at = |column| Ok::<_, StoreError>(usize::try_from(row.get::<i64>(column)?).unwrap_or(usize::MAX));
    let month = match &fold.months {
        None => row.date(1)?,
        Some(stretches) => stretches.get(at(1)?).ok_or_else(|| StoreError::corrupt("transaction_monthly", "month"))?.from,
    };
    let category = if fold.categories.is_some() { fold.category_of(at(2)?) } else { Some(row.str(2)?).filter(|category| !category.is_empty()) };
    sum_with(row, Span::month_from(month), category)
}

/// The days of the spans that are not after `as_of`, without overlaps, in order.
fn known_spans(spans: &[Span], as_of: Date) -> Vec<Span> {
    let end = as_of.next();
    merge(spans.iter().map(|span| Span::new(span.from, span.until.min(end))))
}

/// The last date there is belongs to spans that never end.
fn before_end(span: Span) -> &'static str {
    if span.until == Date::MAX { "<=" } else { "<" }
}

/// The condition that `column` lies in any of the spans, which have no overlap and are in order.
fn ranges_condition(column: &str, spans: &[Span], parameters: &mut Parameters) -> String {
    // The outermost bounds once more, since SQLite walks an index by them but not by an OR of several.
    let outer = match (spans.first(), spans.last()) {
        (Some(first), Some(last)) if spans.len() > 1 => {
            let from = parameters.add(first.from.naive());
            format!("{column} >= {from} AND {column} <= {} AND ", parameters.add(last.until.naive()))
        }
        _ => String::new(),
    };
    let mut any = Vec::new();
    for span in spans {
        let from = parameters.add(span.from.naive());
        any.push(format!("({column} >= {from} AND {column} {} {})", before_end(*span), parameters.add(span.until.naive())));
    }
    if any.is_empty() { "FALSE".to_owned() } else { format!("({outer}({}))", any.join(" OR ")) }
}

/// The same for PostgreSQL as a join: each span is looked up in the index by itself. Of an OR it would fetch every row between the
/// outermost bounds to find out that its day is not asked for.
fn joined_spans(column: &str, spans: &[Span], parameters: &mut Parameters) -> (String, String) {
    if spans.len() < 2 || spans.iter().any(|span| before_end(*span) == "<=") {
        return (String::new(), ranges_condition(column, spans, parameters));
    }
    let mut pair = |span: &Span| format!("(CAST({} AS DATE), CAST({} AS DATE))", parameters.add(span.from.naive()), parameters.add(span.until.naive()));
    let pairs: Vec<String> = spans.iter().map(&mut pair).collect();
    (format!(" JOIN (VALUES {}) AS asked (from_on, until_on) ON {column} >= asked.from_on AND {column} < asked.until_on", pairs.join(", ")), "TRUE".to_owned())
}

/// The spans without overlaps, in order.
fn merge(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let spans: BTreeSet<Span> = spans.filter(|span| !span.is_empty()).collect();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

fn known_condition(alias: &str, plan: &FactsPlan, parameters: &mut Parameters) -> String {
    let day = plan.known_on.map(|date| format!("{alias}.recorded_on <= {}", parameters.add(date.naive())));
    let batch = plan.cut_off.map(|last| format!("{alias}.batch_id IN (SELECT id FROM import_batch WHERE seal_number <= {})", parameters.add(last)));
    let conditions: Vec<String> = day.into_iter().chain(batch).collect();
    if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") }
}

/// The condition that no later revision of the fact was known.
fn latest_condition(table: &str, alias: &str, plan: &FactsPlan, parameters: &mut Parameters) -> String {
    let known = known_condition("later", plan, parameters);
    // The first of all is number 1: what was never revised is looked up among the few that were, and always by an index. As an
    // anti join PostgreSQL walks through all of them for each fact, where the plan was made while they were none. Whether there are
    // any is asked once a statement.
    format!(
        "(NOT EXISTS (SELECT 1 FROM {table} revised WHERE revised.revision > 1) OR {alias}.revision >= COALESCE((SELECT MAX(later.revision) \
         FROM {table} later WHERE later.source = {alias}.source AND later.external_id = {alias}.external_id AND later.revision > 1 AND {known}), 1))"
    )
}

fn holding_of(row: &Row<'_>) -> Result<Holding, StoreError> {
    Ok(Holding {
        id: FactId { source: row.get(1)?, external_id: row.get(2)? },
        recorded_on: row.date(3)?,
        kind: row.get(4)?,
        type_key: row.get(5)?,
        level: row.get(6)?,
        holder_kind: row.text_enum(7)?,
        holder: row.get(8)?,
        product: row.get(9)?,
        category: row.get(10)?,
        since: row.date(11)?,
        until: row.maybe_date(12)?,
        revoked_on: row.maybe_date(13)?,
        value: row.maybe_decimal(14)?,
        currency: row.maybe_currency(15)?,
        region: row.get(16)?,
        attributes: row.attributes(17)?,
    })
}

fn activity_of(row: &Row<'_>) -> Result<Activity, StoreError> {
    Ok(Activity {
        id: FactId { source: row.get(1)?, external_id: row.get(2)? },
        date: row.date(3)?,
        recorded_on: row.date(4)?,
        kind: row.get(5)?,
        value: row.decimal(6)?,
        currency: row.maybe_currency(7)?,
        subject: row.get(8)?,
        expires_on: row.maybe_date(9)?,
        region: row.get(10)?,
        attributes: row.attributes(11)?,
    })
}

fn deal_of(row: &Row<'_>) -> Result<Deal, StoreError> {
    let value = match (row.get::<Option<i64>>(8)?, row.maybe_currency(9)?) {
        (Some(minor), Some(currency)) => Some(Money::new(minor, currency)),
        (None, _) => None,
        (Some(_), None) => return Err(StoreError::corrupt("deal", row.text(2)?)),
    };
    Ok(Deal {
        id: FactId { source: row.get(1)?, external_id: row.get(2)? },
        opened_on: row.date(3)?,
        recorded_on: row.date(4)?,
        stage: row.get(5)?,
        outcome: row.text_enum(6)?,
        closed_on: row.maybe_date(7)?,
        value,
        customer: row.get(10)?,
        kind: row.get(11)?,
        region: row.get(12)?,
        attributes: row.attributes(13)?,
    })
}
