//! Partners, products and exchange rates: held in memory and written in one transaction.

use std::collections::BTreeMap;

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::facts::input::PartnerInput;
use guerdon_domain::facts::read::{Filling, ProductCategories, read_profile};
use guerdon_domain::fault::Fault;
use guerdon_store::{
    AuditEntry, Change, ConflictRule, NewBatch, PartnerUpsert, ProductUpsert, RateReport, RecordedRate, StoreError, UpsertOutcome, UpsertRefusal,
    UpsertedPartner, WriteTx,
};

use super::{ImportStep, Outcome, Work};
use crate::error::AppError;
use crate::import::rows::Row;

/// Why a write was rolled back: lines that cannot be applied, or the database.
enum Undone {
    Store(StoreError),
    Refused(BTreeMap<u64, Fault>),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Work<'_> {
    /// Rows and the lines on which they stand.
    fn held<T>(&self, take: impl Fn(Row) -> Option<T>) -> Result<Vec<(u64, T)>, AppError> {
        let mut held = Vec::new();
        for line in self.good_lines()? {
            let line = line?;
            held.extend(line.row.ok().and_then(&take).map(|row| (line.record.line, row)));
        }
        (self.step)(ImportStep::Writing(held.len() as u64));
        Ok(held)
    }

    fn audit(&self, changed: u64, unchanged: u64) -> AuditEntry {
        let counts = serde_json::json!({ "file": self.request.file.name, "new": changed, "unchanged": unchanged });
        AuditEntry::of("Import", self.request.mapping.kind.name()).after(counts)
    }

    pub(super) async fn partners(&self) -> Result<Outcome, AppError> {
        let scope = self.ctx.require((Action::Write, Resource::Partner))?;
        let held = self.held(|row| if let Row::Partner(partner) = row { Some(*partner) } else { None })?;
        let mut rows = self.profiles(&scope, held).await?;
        let mut refused = BTreeMap::new();
        // What rests on a refused row falls with it, so that after each refusal the rest is tried again.
        loop {
            match self.upsert(&scope, &rows).await {
                Ok(outcome) => return Ok(Outcome { refused, ..outcome }),
                Err(Undone::Store(error)) => return Err(error.into()),
                Err(Undone::Refused(lines)) => {
                    rows.retain(|(line, _)| !lines.contains_key(line));
                    refused.extend(lines);
                }
            }
            if !self.request.skip_invalid {
                return Ok(Outcome { refused, ..Outcome::default() });
            }
        }
    }

    /// Profiles without a date hold from today; those of partners that are new, from the beginning.
    async fn profiles(&self, scope: &Scope, held: Vec<(u64, PartnerInput)>) -> Result<Vec<(u64, PartnerUpsert)>, AppError> {
        let codes: Vec<String> = held.iter().map(|(_, partner)| partner.code.clone()).collect();
        let known = self.app.store.read(async |tx| tx.partners_by_code_many(scope, &codes).await).await.map_err(|error: StoreError| AppError::from(error))?;
        let mut rows = Vec::with_capacity(held.len());
        for (line, partner) in held {
            let start = if known.contains_key(&partner.code) { self.ctx.today } else { Date::MIN };
            for input in &partner.attributes {
                let mut profile = read_profile(&partner.code, input);
                profile.from = input.from.unwrap_or(start);
                rows.push((line, PartnerUpsert { code: partner.code.clone(), profile, expected: None }));
            }
        }
        Ok(rows)
    }

    async fn upsert(&self, scope: &Scope, rows: &[(u64, PartnerUpsert)]) -> Result<Outcome, Undone> {
        let upserts: Vec<PartnerUpsert> = rows.iter().map(|(_, row)| row.clone()).collect();
        let write = async |tx: &WriteTx| {
            let outcomes = tx.upsert_partners(scope, &upserts, self.ctx.today).await?;
            let refused = refusals(rows, &outcomes);
            if !refused.is_empty() {
                return Err(Undone::Refused(refused));
            }
            let unchanged = outcomes.iter().filter(|row| matches!(row.outcome, UpsertOutcome::Unchanged(_))).count() as u64;
            let new = outcomes.len() as u64 - unchanged;
            Ok(if new == 0 { Change::unchanged((new, unchanged)) } else { Change::new((new, unchanged), self.audit(new, unchanged)) })
        };
        let (new, unchanged) = self.app.store.write(&self.context(), write).await?.value;
        Ok(Outcome { new, unchanged, ..Outcome::default() })
    }

    pub(super) async fn products(&self) -> Result<Outcome, AppError> {
        self.ctx.require((Action::Write, Resource::Product))?;
        let held = self.held(|row| if let Row::Product(product) = row { Some(product) } else { None })?;
        let mut outcome = Outcome::default();
        let mut rows = Vec::with_capacity(held.len());
        let mut known: BTreeMap<(String, Date), String> = BTreeMap::new();
        for (line, product) in held {
            let from = product.from.unwrap_or(Date::MIN);
            let other = known.insert((product.code.clone(), from), product.category.clone()).filter(|category| *category != product.category);
            match other {
                Some(category) => {
                    outcome.refuse(line, Some(Fault::new("CONFLICT", "", format!("the file says {category} for the same product and day before"))))
                }
                None => rows.push(ProductUpsert { code: product.code, name: product.name, category: product.category, from }),
            }
        }
        if !outcome.refused.is_empty() && !self.request.skip_invalid {
            return Ok(outcome);
        }
        let write = async |tx: &WriteTx| {
            let changed = tx.upsert_products(&rows).await?;
            Ok::<_, StoreError>(if changed == 0 { Change::unchanged(0) } else { Change::new(changed, self.audit(changed, rows.len() as u64 - changed)) })
        };
        outcome.new = self.app.store.write(&self.context(), write).await.map_err(|error: StoreError| AppError::from(error))?.value;
        outcome.unchanged = rows.len() as u64 - outcome.new;
        Ok(outcome)
    }

    pub(super) async fn exchange_rates(&self) -> Result<Outcome, AppError> {
        self.ctx.require((Action::Write, Resource::ExchangeRate))?;
        let held = self.held(|row| if let Row::ExchangeRate(rate) = row { Some(rate) } else { None })?;
        let categories = ProductCategories::default();
        let filling = Filling { currency: None, source: "", categories: &categories, recorded_on: Some(self.ctx.today) };
        let mut outcome = Outcome::default();
        let mut rows = Vec::with_capacity(held.len());
        for (line, input) in &held {
            match filling.exchange_rate(input) {
                Ok(rate) => rows.push(RecordedRate { line: *line, rate }),
                Err(faults) => outcome.refuse(*line, faults.0.into_iter().next()),
            }
        }
        if !outcome.refused.is_empty() && !self.request.skip_invalid {
            return Ok(outcome);
        }
        match self.record_rates(&rows).await {
            Ok(report) => {
                outcome.new = report.inserted;
                outcome.unchanged = report.unchanged;
                outcome.batch = report.batch;
                outcome.refused.extend(rate_refusals(&report));
            }
            Err(Undone::Refused(lines)) => outcome.refused.extend(lines),
            Err(Undone::Store(error)) => return Err(error.into()),
        }
        Ok(outcome)
    }

    async fn record_rates(&self, rows: &[RecordedRate]) -> Result<RateReport, Undone> {
        let source = self.request.mapping.source.clone().unwrap_or_else(|| "exchange-rates".to_owned());
        let batch = NewBatch { source, file_name: Some(self.request.file.name.clone()), file_digest: Some(self.digest.to_owned()) };
        let write = async |tx: &WriteTx| {
            let report = tx.record_exchange_rates(&batch, ConflictRule::Refuse, rows).await?;
            let refused = rate_refusals(&report);
            if !refused.is_empty() && !self.request.skip_invalid {
                return Err(Undone::Refused(refused));
            }
            Ok(if report.inserted == 0 {
                Change::unchanged(report)
            } else {
                let audit = self.audit(report.inserted, report.unchanged);
                Change::new(report, audit)
            })
        };
        Ok(self.app.store.write(&self.context(), write).await?.value)
    }
}

fn rate_refusals(report: &RateReport) -> BTreeMap<u64, Fault> {
    let conflict = |line: &u64| (*line, Fault::new("CONFLICT", format!("line {line}"), "another rate is on record for the same type, pair and day"));
    let rejected = |line: &u64| (*line, Fault::new("OUT_OF_RANGE", format!("line {line}"), "the rate has more digits than are kept"));
    report.conflicts.iter().map(conflict).chain(report.rejected.iter().map(rejected)).collect()
}

fn refusals(rows: &[(u64, PartnerUpsert)], outcomes: &[UpsertedPartner]) -> BTreeMap<u64, Fault> {
    let fault = |refusal: &UpsertRefusal| match refusal {
        UpsertRefusal::UnknownParent(parent) => {
            Fault::new("UNKNOWN_PARENT", "", format!("there is no partner {parent} that you may choose, here or on record"))
        }
        UpsertRefusal::Cycle => Fault::new("CYCLE", "", "the partner would be above itself"),
        UpsertRefusal::Stale => Fault::new("STALE", "", "somebody else changed it: import again"),
        UpsertRefusal::Contradiction => Fault::new("CONFLICT", "", "the file says otherwise for the same partner and day before"),
        UpsertRefusal::OutOfScope => Fault::new("UNKNOWN_PARTNER", "", "there is no such partner"),
    };
    let refused = rows.iter().zip(outcomes).filter_map(|((line, _), outcome)| match &outcome.outcome {
        UpsertOutcome::Refused(refusal) => Some((*line, fault(refusal).within(&format!("line {line}")))),
        _ => None,
    });
    refused.collect()
}
