//! What the rebate engine asks of the metrics and requirements of a program.

use crate::date::Date;
use crate::document::metric::Operand;
use crate::document::requirement::Requirement;
use crate::exact::Exact;
use crate::facts::{Facts, PartnerFacts};
use crate::fault::{Fault, Faults};
use crate::program::Program;

/// Metrics and requirements of one partner.
pub(super) struct Measures<'a> {
    program: &'a Program,
    facts: &'a Facts,
    partner: &'a PartnerFacts,
}

impl<'a> Measures<'a> {
    pub(super) const fn new(program: &'a Program, facts: &'a Facts, partner: &'a PartnerFacts) -> Self {
        Self { program, facts, partner }
    }

    /// The value of an operand at the end of `date`; `None` is no data.
    pub(super) fn value(&self, operand: &'a Operand, date: Date) -> Result<Option<Exact>, Faults> {
        let _ = (self.program, self.facts, self.partner, date);
        match operand {
            Operand::Constant(number) => Ok(Some(number.0)),
            _ => Err(Fault::new("NOT_AVAILABLE", "", "metrics cannot be evaluated yet").into()),
        }
    }

    /// Whether a requirement is met at the end of `date`.
    pub(super) fn is_met(&self, _: &'a Requirement, _: Date) -> Result<bool, Faults> {
        Err(Fault::new("NOT_AVAILABLE", "", "requirements cannot be evaluated yet").into())
    }
}
