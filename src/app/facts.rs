//! Facts that come over the API: a batch in one transaction, all of it or nothing. Files of any length come through imports.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::{Action, Asked, Condition, Resource};
use guerdon_domain::event::{Event, FactsRecorded};
use guerdon_domain::facts::{Activity, Deal, ExchangeRate, FactId, Holding, Transaction};
use guerdon_domain::fault::{Fault, Faults};
use guerdon_store::{AuditEntry, Change, ConflictRule, Fact, NewBatch, RecordedRate, RejectReason};
pub use guerdon_store::{BatchReport, Recorded};
use serde::Serialize;

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::text::{check_key, check_maybe_key};
use super::{App, Ctx};
use crate::error::AppError;

/// Partners that an event names at most.
const EVENT_PARTNERS_MAX: usize = 100;

/// Facts of one source, and the name of their list in the input, for the paths of faults.
#[derive(Debug, Clone)]
pub struct RecordFacts<F> {
    /// The system that they come from.
    pub source: String,
    /// The facts; each one's line is its place in the list.
    pub facts: Vec<Recorded<F>>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// A member that holds a key, with its name in the input.
type Named<'f> = (&'static str, Option<&'f str>);

/// What kind of fact it is, for rights, words and paths.
struct FactKind<F> {
    resource: Resource,
    operation: &'static str,
    list: &'static str,
    rule: ConflictRule,
    id: fn(&F) -> &FactId,
    dates: fn(&F) -> guerdon_domain::date::Date,
    texts: fn(&F) -> Vec<Named<'_>>,
    event: fn(FactsRecorded) -> Event,
}

/// Records sale lines. The same again changes nothing and says so; another body under a known id is refused.
///
/// # Errors
/// `Forbidden`; `Limit`; `Invalid` with every fault and the line's index (`CONFLICT`, `UNKNOWN_PARTNER`, `UNKNOWN_PRODUCT`, ...);
/// those of idempotency keys.
pub async fn record_transactions(app: &App, ctx: &Ctx, input: RecordFacts<Transaction>) -> Result<BatchReport, AppError> {
    let kind = FactKind {
        resource: Resource::Transaction,
        operation: "transactionsRecord",
        list: "transactions",
        rule: ConflictRule::Refuse,
        id: |fact: &Transaction| &fact.id,
        dates: |fact| fact.date,
        texts: |fact| {
            let corrects = ("corrects", fact.corrects.as_deref());
            vec![
                ("product", fact.product.as_deref()),
                ("category", fact.category.as_deref()),
                ("customer", fact.customer.as_deref()),
                ("deal", fact.deal.as_deref()),
                corrects,
                ("region", fact.region.as_deref()),
            ]
        },
        event: Event::TransactionsRecorded,
    };
    record(app, ctx, kind, input).await
}

/// Records holdings. Errors as [`record_transactions`]; a known id with another body amends the holding (it ended, was revoked).
///
/// # Errors
/// As [`record_transactions`].
pub async fn record_holdings(app: &App, ctx: &Ctx, input: RecordFacts<Holding>) -> Result<BatchReport, AppError> {
    let kind = FactKind {
        resource: Resource::Holding,
        operation: "holdingsRecord",
        list: "holdings",
        rule: ConflictRule::Amend,
        id: |fact: &Holding| &fact.id,
        dates: |fact| fact.since,
        texts: |fact| {
            vec![
                ("kind", Some(fact.kind.as_str())),
                ("type", fact.type_key.as_deref()),
                ("level", fact.level.as_deref()),
                ("holder", fact.holder.as_deref()),
                ("product", fact.product.as_deref()),
                ("category", fact.category.as_deref()),
                ("region", fact.region.as_deref()),
            ]
        },
        event: Event::HoldingsRecorded,
    };
    record(app, ctx, kind, input).await
}

/// Records activities.
///
/// # Errors
/// As [`record_transactions`].
pub async fn record_activities(app: &App, ctx: &Ctx, input: RecordFacts<Activity>) -> Result<BatchReport, AppError> {
    let kind = FactKind {
        resource: Resource::Activity,
        operation: "activitiesRecord",
        list: "activities",
        rule: ConflictRule::Refuse,
        id: |fact: &Activity| &fact.id,
        dates: |fact| fact.date,
        texts: |fact| vec![("kind", Some(fact.kind.as_str())), ("subject", fact.subject.as_deref()), ("region", fact.region.as_deref())],
        event: Event::ActivitiesRecorded,
    };
    record(app, ctx, kind, input).await
}

/// Records deals; a known id with another body amends the deal (its stage moved, it was closed).
///
/// # Errors
/// As [`record_transactions`].
pub async fn record_deals(app: &App, ctx: &Ctx, input: RecordFacts<Deal>) -> Result<BatchReport, AppError> {
    let kind = FactKind {
        resource: Resource::Deal,
        operation: "dealsRecord",
        list: "deals",
        rule: ConflictRule::Amend,
        id: |fact: &Deal| &fact.id,
        dates: |fact| fact.opened_on,
        texts: |fact| {
            vec![("stage", fact.stage.as_deref()), ("customer", fact.customer.as_deref()), ("kind", fact.kind.as_deref()), ("region", fact.region.as_deref())]
        },
        event: Event::DealsRecorded,
    };
    record(app, ctx, kind, input).await
}

async fn record<F: Fact + Clone + PartialEq>(app: &App, ctx: &Ctx, kind: FactKind<F>, input: RecordFacts<F>) -> Result<BatchReport, AppError> {
    let scope = ctx.require(Asked::new(Action::Write, kind.resource).of_source(&input.source))?;
    let repeated = check_facts(app, &kind, &input)?;
    let facts: Vec<Recorded<F>> = input.facts.iter().filter(|row| !repeated.contains(&row.line)).cloned().collect();
    let context = keyed_context(app, ctx, kind.operation, input.keyed.as_ref())?;
    let batch = NewBatch::of_source(input.source.clone());
    let written = app
        .store
        .write(&context, async |tx| {
            let mut report = tx.record_facts(&scope, &batch, kind.rule, facts.clone()).await?;
            refuse_lines(kind.list, &report)?;
            report.unchanged += repeated.len() as u64;
            let Some(id) = report.batch else { return Ok(Change::unchanged(report)) };
            let recorded = event_of(&kind, &facts, &report);
            let audit = AuditEntry::of("ImportBatch", id).after(serde_json::to_value(&recorded).unwrap_or_default());
            let event = outgoing(&(kind.event)(recorded), "ImportBatch", None);
            Ok::<_, AppError>(Change::new(report, audit).event(event))
        })
        .await?;
    Ok(written.value)
}

fn event_of<F>(kind: &FactKind<F>, facts: &[Recorded<F>], report: &BatchReport) -> FactsRecorded {
    let partners: BTreeSet<&String> = facts.iter().map(|row| &row.partner).collect();
    let dates = || facts.iter().map(|row| (kind.dates)(&row.fact));
    FactsRecorded {
        batch: report.batch.map(|batch| batch.to_string()),
        recorded: report.inserted,
        unchanged: report.unchanged,
        partners: if partners.len() > EVENT_PARTNERS_MAX { Vec::new() } else { partners.into_iter().cloned().collect() },
        earliest: dates().min(),
        latest: dates().max(),
    }
}

fn too_many(list: &str, most: usize) -> AppError {
    AppError::limit("TOO_MANY", list, format!("at most {most} entries are taken at once: send several requests, or import a file"))
}

/// Checks what can be checked before anything is read. Answers the lines that say again what an earlier one says: they count once.
fn check_facts<F: PartialEq>(app: &App, kind: &FactKind<F>, input: &RecordFacts<F>) -> Result<BTreeSet<u64>, AppError> {
    if input.facts.len() > app.limits.facts_max {
        return Err(too_many(kind.list, app.limits.facts_max));
    }
    let mut faults = Faults::new();
    check_key(&mut faults, "source", &input.source, &app.limits);
    let (mut seen, mut repeated) = (BTreeMap::new(), BTreeSet::new());
    for row in &input.facts {
        let path = |member: &str| format!("{}[{}].{member}", kind.list, row.line);
        let external_id = &(kind.id)(&row.fact).external_id;
        check_key(&mut faults, &path("externalId"), external_id, &app.limits);
        check_key(&mut faults, &path("partner"), &row.partner, &app.limits);
        for (member, text) in (kind.texts)(&row.fact) {
            check_maybe_key(&mut faults, &path(member), text, &app.limits);
        }
        match seen.entry(external_id) {
            Entry::Vacant(first) => drop(first.insert(row)),
            Entry::Occupied(first) if (&first.get().partner, &first.get().fact) == (&row.partner, &row.fact) => drop(repeated.insert(row.line)),
            Entry::Occupied(_) => faults.add("DUPLICATE", path("externalId"), "an earlier entry has this id and says something else: keep one of them"),
        }
    }
    Ok(faults.or(repeated)?)
}

/// One bad line and nothing is written: every bad line is listed with its index.
fn refuse_lines(list: &str, report: &BatchReport) -> Result<(), AppError> {
    let mut faults = Faults::new();
    for line in &report.rejected {
        let path = |member: &str| format!("{list}[{}].{member}", line.line);
        faults.0.push(match &line.reason {
            RejectReason::UnknownPartner(code) => Fault::new("UNKNOWN_PARTNER", path("partner"), format!("there is no partner {code} that you may write for")),
            RejectReason::UnknownProduct(code) => Fault::new("UNKNOWN_PRODUCT", path("product"), format!("there is no product {code}: import products first")),
            RejectReason::OtherSource(_) => Fault::new("OTHER_SOURCE", path("source"), "all facts of a batch come from one source"),
            RejectReason::DecimalOutOfRange => Fault::new("OUT_OF_RANGE", path("value"), "a decimal has more digits than are kept"),
        });
    }
    for conflict in &report.conflicts {
        let message = format!("{} is on record with another body: facts are not rewritten; correct it by a further fact", conflict.external_id);
        faults.0.push(Fault::new("CONFLICT", format!("{list}[{}].externalId", conflict.line), message));
    }
    faults.or(()).map_err(AppError::from)
}

/// Exchange rates to record.
#[derive(Debug, Clone)]
pub struct RecordRates {
    /// The system that they come from.
    pub source: String,
    /// The rates.
    pub rates: Vec<ExchangeRate>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// What recording exchange rates did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct RatesRecorded {
    /// Rates that are new or corrected.
    pub recorded: u64,
    /// Rates that were known just so.
    pub unchanged: u64,
}

/// Records exchange rates. The same again changes nothing.
///
/// # Errors
/// `Forbidden`; `Limit`; `Invalid`; those of idempotency keys.
pub async fn record_exchange_rates(app: &App, ctx: &Ctx, input: RecordRates) -> Result<RatesRecorded, AppError> {
    ctx.require_under(Asked::new(Action::Write, Resource::ExchangeRate).of_source(&input.source), &[Condition::Quarantined])?;
    if input.rates.len() > app.limits.facts_max {
        return Err(too_many("rates", app.limits.facts_max));
    }
    let mut faults = Faults::new();
    check_key(&mut faults, "source", &input.source, &app.limits);
    for (at, rate) in input.rates.iter().enumerate() {
        check_key(&mut faults, &format!("rates[{at}].rateType"), &rate.rate_type, &app.limits);
    }
    faults.or(())?;
    let context = keyed_context(app, ctx, "exchangeRatesRecord", input.keyed.as_ref())?;
    let batch = NewBatch::of_source(input.source.clone());
    let rows: Vec<RecordedRate> = (0_u64..).zip(&input.rates).map(|(line, rate)| RecordedRate { line, rate: rate.clone() }).collect();
    let written = app
        .store
        .write(&context, async |tx| {
            let report = tx.record_exchange_rates(&batch, ConflictRule::Amend, &rows).await?;
            let mut faults = Faults::new();
            for line in &report.rejected {
                faults.add("OUT_OF_RANGE", format!("rates[{line}].rate"), "the rate has more digits than are kept");
            }
            faults.or(())?;
            let done = RatesRecorded { recorded: report.inserted, unchanged: report.unchanged };
            let Some(id) = report.batch else { return Ok(Change::unchanged(done)) };
            let dates = || input.rates.iter().map(|rate| rate.date);
            let recorded = FactsRecorded {
                batch: Some(id.to_string()),
                recorded: report.inserted,
                unchanged: report.unchanged,
                partners: Vec::new(),
                earliest: dates().min(),
                latest: dates().max(),
            };
            let audit = AuditEntry::of("ImportBatch", id).after(serde_json::to_value(&recorded).unwrap_or_default());
            Ok::<_, AppError>(Change::new(done, audit).event(outgoing(&Event::ExchangeRatesRecorded(recorded), "ImportBatch", None)))
        })
        .await?;
    Ok(written.value)
}
