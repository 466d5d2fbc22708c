//! What a run has stated so far, known to whoever calculates it without reading it again: its hash and its sums as far as they go. It is
//! in his hands only: who takes a calculation over reads what is on record, and finds the same.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;
use guerdon_domain::rebate::statement::RunHash;
use guerdon_store::{NewStatement, ReadTx, RunChunk, StatementSum, StoredRun, VersionId};

use super::content::begun_hash;
use super::work::Chunk;
use crate::error::AppError;

/// The statements of all chunks up to one.
#[derive(Debug, Clone)]
pub(super) struct StatedSoFar {
    fence: i64,
    up_to: Option<RunChunk>,
    hash: RunHash,
    sums: BTreeMap<String, StatementSum>,
    versions: BTreeSet<(Date, VersionId)>,
}

/// The same of all chunks: hash, sums by currency, and by which version the periods from which day on were computed.
pub(super) struct StatedInAll {
    pub(super) hash: String,
    pub(super) sums: Vec<StatementSum>,
    pub(super) versions: Vec<(Date, VersionId)>,
}

impl StatedSoFar {
    /// Before the first chunk.
    pub(super) async fn begun(tx: &ReadTx, run: &StoredRun) -> Result<Self, AppError> {
        let hash = begun_hash(tx, run).await?;
        Ok(Self { fence: run.fence, up_to: None, hash, sums: BTreeMap::new(), versions: BTreeSet::new() })
    }

    /// Whether it goes just as far as what is on record.
    pub(super) fn is_up_to(&self, run: &StoredRun, last: &RunChunk) -> bool {
        self.fence == run.fence && self.up_to.as_ref() == Some(last)
    }

    /// With a further chunk; none when its sums are out of range, which reading them tells again.
    pub(super) fn followed_by(mut self, run: &StoredRun, chunk: &Chunk) -> Option<Self> {
        self.up_to = chunk.on_record();
        if let Chunk::Stated(_, statements) = chunk {
            // By partner in the order of their codes, as the chunk has them.
            for of_partner in statements.chunk_by(|one, next| one.partner == next.partner) {
                let mut of_partner: Vec<&NewStatement> = of_partner.iter().collect();
                of_partner.sort_by(|a, b| (a.span.from, &a.period, &a.schedule).cmp(&(b.span.from, &b.period, &b.schedule)));
                of_partner.into_iter().try_for_each(|statement| self.add(run, statement))?;
            }
        }
        Some(self)
    }

    fn add(&mut self, run: &StoredRun, statement: &NewStatement) -> Option<()> {
        self.hash.add(&statement.content_hash);
        self.versions.insert((statement.span.from, statement.version));
        let currency = statement.currency.code();
        let none = || StatementSum { currency: currency.to_owned(), statements: 0, entitled: 0, difference: 0, amount: 0, gross: 0 };
        if !self.sums.contains_key(currency) {
            self.sums.insert(currency.to_owned(), none());
        }
        let sum = self.sums.get_mut(currency)?;
        let difference = statement.entitled.checked_sub(statement.before)?;
        let amount = difference.checked_add(statement.carried)?;
        sum.statements += 1;
        if statement.period == run.period {
            sum.entitled = sum.entitled.checked_add(statement.entitled)?;
        }
        sum.difference = sum.difference.checked_add(difference)?;
        sum.amount = sum.amount.checked_add(amount)?;
        sum.gross = sum.gross.checked_add(amount.checked_abs()?)?;
        Some(())
    }

    /// After the last chunk.
    pub(super) fn in_all(self) -> StatedInAll {
        StatedInAll { hash: self.hash.finish(), sums: self.sums.into_values().collect(), versions: self.versions.into_iter().collect() }
    }
}
