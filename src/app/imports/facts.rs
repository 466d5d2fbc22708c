//! Facts: staged chunk by chunk, sealed in one commit.

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::facts::read::{Filling, ProductCategories};
use guerdon_domain::facts::{Activity, Deal, Holding, Transaction};
use guerdon_domain::fault::{Fault, Faults};
use guerdon_store::{AuditEntry, BatchReport, Change, ConflictRule, Fact, Import, NewBatch, Recorded, RejectReason, RejectedLine, StoreError, WriteTx};

use super::{ImportStep, Outcome, Work};
use crate::error::AppError;
use crate::import::rows::Row;

/// Lines of one chunk: a transaction of well under a second.
const CHUNK: usize = 2_000;

/// A kind of fact that a file can hold.
pub(super) trait Imported: Fact + Sized {
    /// What the caller must be allowed to write.
    const RESOURCE: Resource;

    /// The fact of a row, and whose it is.
    fn read(row: Row, filling: &Filling<'_>) -> Option<(String, Result<Self, Faults>)>;
}

macro_rules! imported {
    ($fact:ident, $read:ident) => {
        impl Imported for $fact {
            const RESOURCE: Resource = Resource::$fact;

            fn read(row: Row, filling: &Filling<'_>) -> Option<(String, Result<Self, Faults>)> {
                match row {
                    Row::$fact(partner, input) => Some((partner, filling.$read(&input))),
                    _ => None,
                }
            }
        }
    };
}
imported!(Transaction, transaction);
imported!(Holding, holding);
imported!(Activity, activity);
imported!(Deal, deal);

/// Why sealing was rolled back.
enum Unsealed {
    Store(StoreError),
    Conflicts(Box<BatchReport>),
}

impl From<StoreError> for Unsealed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Work<'_> {
    pub(super) async fn facts<F: Imported>(&self) -> Result<Outcome, AppError> {
        let mut import = self.begin::<F>().await?;
        let mut outcome = Outcome::default();
        match self.stage::<F>(&mut import, &mut outcome).await {
            Ok(()) if outcome.refused.is_empty() || self.request.skip_invalid => self.seal(import, outcome).await,
            Ok(()) => {
                import.discard(&self.context()).await?;
                Ok(outcome)
            }
            Err(error) => {
                import.discard(&self.context()).await?;
                Err(error)
            }
        }
    }

    async fn begin<F: Imported>(&self) -> Result<Import, AppError> {
        let scope = self.ctx.require((Action::Write, F::RESOURCE))?;
        let source = self.request.mapping.source.clone().unwrap_or_default();
        let batch = NewBatch { source, file_name: Some(self.request.file.name.clone()), file_digest: Some(self.digest.to_owned()) };
        let start = self.app.store.begin_import::<F>(&self.context(), &scope, &batch).await.map_err(in_progress)?;
        if start.resumed_after == 0 {
            return Ok(start.import);
        }
        // What an import that was cut off had rejected is not on record, so that all of it is staged again.
        start.import.discard(&self.context()).await?;
        Ok(self.app.store.begin_import::<F>(&self.context(), &scope, &batch).await.map_err(in_progress)?.import)
    }

    async fn stage<F: Imported>(&self, import: &mut Import, outcome: &mut Outcome) -> Result<(), AppError> {
        let categories = ProductCategories::default();
        let source = self.request.mapping.source.as_deref().unwrap_or_default();
        let filling = Filling { currency: None, source, categories: &categories, recorded_on: Some(self.ctx.today) };
        let mut chunk: Vec<Recorded<F>> = Vec::with_capacity(CHUNK);
        let mut lines = 0_u64;
        for line in self.good_lines()? {
            let line = line?;
            lines += 1;
            let number = line.record.line;
            match line.row.ok().and_then(|row| F::read(row, &filling)) {
                Some((partner, Ok(fact))) => chunk.push(Recorded { line: number, partner, fact }),
                Some((_, Err(faults))) => outcome.refuse(number, faults.0.into_iter().next()),
                None => {}
            }
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                outcome.reject(import.stage(&self.context(), full).await?.rejected);
                (self.step)(ImportStep::Writing(lines));
            }
        }
        outcome.reject(import.stage(&self.context(), chunk).await?.rejected);
        (self.step)(ImportStep::Writing(lines));
        Ok(())
    }

    async fn seal(&self, import: Import, mut outcome: Outcome) -> Result<Outcome, AppError> {
        (self.step)(ImportStep::Sealing);
        let partly = self.request.skip_invalid;
        let seal = async |tx: &WriteTx| {
            let report = import.seal(tx, ConflictRule::Refuse, partly).await?;
            if report.conflict_count > 0 && !partly {
                return Err(Unsealed::Conflicts(Box::new(report)));
            }
            Ok(match report.batch {
                Some(batch) => {
                    let counts = serde_json::json!({ "file": self.request.file.name, "new": report.inserted, "unchanged": report.unchanged });
                    Change::new(report, AuditEntry::of("ImportBatch", batch).after(counts))
                }
                None => Change::unchanged(report),
            })
        };
        match self.app.store.write(&self.context(), seal).await {
            Ok(written) => {
                outcome.take(&written.value);
                import.sweep(&self.context()).await?;
                Ok(outcome)
            }
            Err(Unsealed::Conflicts(report)) => {
                outcome.take(&report);
                import.discard(&self.context()).await?;
                Ok(outcome)
            }
            Err(Unsealed::Store(error)) => Err(error.into()),
        }
    }
}

/// The file is being imported already, or was until a moment ago.
fn in_progress(error: StoreError) -> AppError {
    match error {
        StoreError::InProgress => AppError::conflict(
            "IMPORT_IN_PROGRESS",
            "file",
            "this file is being imported, or its import was cut off less than two minutes ago: wait, then send it again; what is on record already is left as it is",
        ),
        other => other.into(),
    }
}

impl Outcome {
    pub(super) fn refuse(&mut self, line: u64, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.refused.insert(line, fault.within(&format!("line {line}")));
        }
    }

    fn reject(&mut self, lines: Vec<RejectedLine>) {
        for rejected in lines {
            let fault = match rejected.reason {
                RejectReason::UnknownPartner(code) => Fault::new("UNKNOWN_PARTNER", "", format!("there is no partner {code}: import partners first")),
                RejectReason::UnknownProduct(code) => Fault::new("UNKNOWN_PRODUCT", "", format!("there is no product {code}: import products first")),
                RejectReason::OtherSource(source) => Fault::new("OTHER_SOURCE", "", format!("the fact comes from {source}, and its batch does not")),
                RejectReason::DecimalOutOfRange => Fault::new("OUT_OF_RANGE", "", "a decimal has more digits than are kept"),
            };
            self.refuse(rejected.line, Some(fault));
        }
    }

    fn take(&mut self, report: &BatchReport) {
        self.new = report.inserted;
        self.unchanged = report.unchanged;
        self.batch = report.batch;
        self.unlisted = report.conflict_count.saturating_sub(report.conflicts.len() as u64);
        for conflict in &report.conflicts {
            let message =
                format!("id {} is on record with another content: facts are not rewritten, send a correction as a line of its own", conflict.external_id);
            self.refuse(conflict.line, Some(Fault::new("CONFLICT", "", message)));
        }
    }
}
