//! What the rebate engine asks of the metrics and requirements of a program.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::date::Date;
use crate::document::metric::Operand;
use crate::document::requirement::Requirement;
use crate::exact::Exact;
use crate::facts::{Facts, PartnerFacts};
use crate::fault::Faults;
use crate::metric::{At, Evaluator, MetricValue, Ranks, StatedRank};
use crate::program::Program;
use crate::requirement::Judged;

/// Where ranks among partners come from: see [`Ranks`].
#[derive(Clone, Copy)]
pub(super) enum RankSource<'a> {
    Computed,
    Kept,
    Stated(&'a [StatedRank]),
}

/// Metrics and requirements of one partner. The evaluator is made when it is first asked.
pub(super) struct Measures<'a> {
    program: &'a Program,
    facts: &'a Facts,
    partner: &'a PartnerFacts,
    evaluator: OnceCell<Evaluator<'a>>,
    ranks: RankSource<'a>,
}

impl<'a> Measures<'a> {
    pub(super) const fn new(program: &'a Program, facts: &'a Facts, partner: &'a PartnerFacts) -> Self {
        Self { program, facts, partner, evaluator: OnceCell::new(), ranks: RankSource::Computed }
    }

    /// With ranks that are kept or stated.
    pub(super) fn with_ranks(self, ranks: RankSource<'a>) -> Self {
        Self { ranks, ..self }
    }

    /// Those of another version, of the same partner and with ranks from the same place.
    pub(super) fn by(&self, program: &'a Program) -> Self {
        Self::new(program, self.facts, self.partner).with_ranks(self.ranks)
    }

    fn evaluator(&self) -> &Evaluator<'a> {
        self.evaluator.get_or_init(|| {
            Evaluator::new(self.program, self.facts).with_ranks(match self.ranks {
                RankSource::Computed => Ranks::Computed,
                RankSource::Kept => Ranks::Kept(RefCell::default()),
                RankSource::Stated(ranks) => Ranks::Stated(ranks),
            })
        })
    }

    /// The ranks that were kept.
    pub(super) fn kept_ranks(&self) -> Vec<StatedRank> {
        match self.evaluator.get().map(|evaluator| &evaluator.ranks) {
            Some(Ranks::Kept(kept)) => kept.borrow().iter().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The value of an operand with how it came about.
    pub(super) fn measured(&self, operand: &'a Operand, date: Date) -> Result<Arc<MetricValue>, Faults> {
        self.evaluator().operand(operand, &At::new(self.partner, date))
    }

    /// A requirement as it was judged at the end of `date`.
    pub(super) fn judged(&self, requirement: &'a Requirement, date: Date) -> Result<Judged, Faults> {
        self.evaluator().judge(requirement, &At::new(self.partner, date))
    }

    /// The value of an operand at the end of `date`; `None` is no data.
    pub(super) fn value(&self, operand: &'a Operand, date: Date) -> Result<Option<Exact>, Faults> {
        Ok(self.evaluator().operand(operand, &At::new(self.partner, date))?.value.clone())
    }

    /// Whether a requirement is met at the end of `date`.
    pub(super) fn is_met(&self, requirement: &'a Requirement, date: Date) -> Result<bool, Faults> {
        Ok(self.evaluator().judge(requirement, &At::new(self.partner, date))?.met)
    }
}
