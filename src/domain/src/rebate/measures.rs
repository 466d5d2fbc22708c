//! What the rebate engine asks of the metrics and requirements of a program.

use std::cell::OnceCell;

use crate::date::Date;
use crate::document::metric::Operand;
use crate::document::requirement::Requirement;
use crate::exact::Exact;
use crate::facts::{Facts, PartnerFacts};
use crate::fault::Faults;
use crate::metric::{At, Evaluator};
use crate::program::Program;

/// Metrics and requirements of one partner. The evaluator is made when it is first asked.
pub(super) struct Measures<'a> {
    program: &'a Program,
    facts: &'a Facts,
    partner: &'a PartnerFacts,
    evaluator: OnceCell<Evaluator<'a>>,
}

impl<'a> Measures<'a> {
    pub(super) const fn new(program: &'a Program, facts: &'a Facts, partner: &'a PartnerFacts) -> Self {
        Self { program, facts, partner, evaluator: OnceCell::new() }
    }

    fn evaluator(&self) -> &Evaluator<'a> {
        self.evaluator.get_or_init(|| Evaluator::new(self.program, self.facts))
    }

    /// The value of an operand at the end of `date`; `None` is no data.
    pub(super) fn value(&self, operand: &'a Operand, date: Date) -> Result<Option<Exact>, Faults> {
        Ok(self.evaluator().operand(operand, &At::new(self.partner, date))?.value)
    }

    /// Whether a requirement is met at the end of `date`.
    pub(super) fn is_met(&self, requirement: &'a Requirement, date: Date) -> Result<bool, Faults> {
        Ok(self.evaluator().judge(requirement, &At::new(self.partner, date))?.met)
    }
}
