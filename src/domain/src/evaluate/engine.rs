//! The engines over one set of facts, as cases and program tests ask them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::ask::ungoverned;
use crate::benefit::{Entitlement, HeldTiers, resolve_entitlements};
use crate::date::Date;
use crate::facts::{Facts, Transaction};
use crate::fault::Faults;
use crate::levelling::{Due, LadderRisk, Standing};
use crate::metric::{At, Evaluator, MetricValue};
use crate::period::Period;
use crate::program::Program;
use crate::rebate::{Estimate, Knowledge, Levelled, PeriodResult, RunAsked, RunResult, compute_as_known, estimate, require_own_rates, runs};

/// A program over facts, ready to be asked. Tiers of rebates and entitlements are those on record; of a ladder without any on
/// record, those that an evaluation gives on the date.
pub struct Evaluation<'a> {
    program: &'a Program,
    facts: &'a Facts,
    evaluator: Evaluator<'a>,
    tiers: Levelled<'a>,
    tiers_then: Levelled<'a>,
    held: RefCell<HashMap<(String, Date), Rc<HeldTiers>>>,
    /// Evaluators that know nothing later than a date.
    ahead: RefCell<HashMap<Date, Rc<Evaluator<'a>>>>,
}

impl<'a> Evaluation<'a> {
    /// A program over facts.
    pub fn new(program: &'a Program, facts: &'a Facts) -> Self {
        Self {
            program,
            facts,
            evaluator: Evaluator::new(program, facts),
            tiers: Levelled::new(program, facts),
            tiers_then: Levelled::decided_then(program, facts),
            held: RefCell::default(),
            ahead: RefCell::default(),
        }
    }

    /// The program.
    pub const fn program(&self) -> &'a Program {
        self.program
    }

    /// Where a partner stands on a date, with what is missing by the days on which it is decided.
    ///
    /// # Errors
    /// What keeps it from being evaluated: an unknown partner, a missing exchange rate.
    pub fn standing(&self, partner: &str, as_of: Date) -> Result<Standing, Faults> {
        Ok(self.told(self.judged(partner, as_of)?))
    }

    /// The same with what is missing on the date itself.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub fn judged(&self, partner: &str, as_of: Date) -> Result<Standing, Faults> {
        self.evaluator.standing(partner, as_of, Due::ByCalendar)
    }

    /// A standing with what is missing by the days on which it is decided.
    pub fn told(&self, mut standing: Standing) -> Standing {
        self.known_on(standing.as_of).tell_gaps_until(&mut standing, Date::MAX);
        standing
    }

    /// The value of a metric.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub fn metric(&self, key: &str, partner: &str, as_of: Date) -> Result<Arc<MetricValue>, Faults> {
        self.evaluator.metric(key, &At::new(self.evaluator.partner(partner)?, as_of))
    }

    /// The values of metrics, of all when none is named.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub fn metrics(&self, keys: &[String], partner: &str, as_of: Date) -> Result<BTreeMap<String, Arc<MetricValue>>, Faults> {
        let named = self.program.document.metrics.iter().map(|metric| &metric.key).filter(|key| keys.is_empty() || keys.contains(key));
        named.map(|key| Ok((key.clone(), self.metric(key, partner, as_of)?))).collect()
    }

    /// What a partner is entitled to.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub fn entitlements(&self, partner: &str, as_of: Date, region: Option<&str>) -> Result<Vec<Entitlement>, Faults> {
        let held = self.held(partner, as_of)?;
        resolve_entitlements(self.program, self.facts, partner, as_of, &held, region)
    }

    /// The rebates of a period.
    ///
    /// # Errors
    /// As [`Self::standing`]; a budget that does not suffice and says so; rates that a contract replaces.
    pub fn rebates(&self, partner: &str, period: &Period, known_on: Option<Date>) -> Result<PeriodResult, Faults> {
        let knowledge = Knowledge { known_on, ..Knowledge::default() };
        self.governs(partner, period)?;
        compute_as_known(self.program, self.facts, partner, period, &knowledge, &self.tiers)
    }

    /// Runs over facts as they were known.
    ///
    /// # Errors
    /// As [`Self::rebates`]; a run before its period is over.
    pub fn runs(&self, partner: &str, asked: &[RunAsked]) -> Result<Vec<RunResult>, Faults> {
        asked.iter().filter_map(|run| self.program.period_named(&run.period)).try_for_each(|period| self.governs(partner, &period))?;
        runs(self.program, self.facts, partner, asked, &self.tiers_then)
    }

    /// Estimates of an open period.
    ///
    /// # Errors
    /// As [`Self::rebates`].
    pub fn estimate(&self, partner: &str, period: &Period, as_of: Date, order: &[Transaction]) -> Result<Vec<Estimate>, Faults> {
        self.governs(partner, period)?;
        estimate(self.program, self.facts, partner, period, as_of, order, &self.tiers)
    }

    /// Whether the program has rules for a period, and its partner is paid by them.
    fn governs(&self, partner: &str, period: &Period) -> Result<(), Faults> {
        ungoverned(self.program, period).map_or(Ok(()), |fault| Err(Faults::from(fault.within("period"))))?;
        let contracts = self.facts.partners.get(partner).into_iter().flat_map(|own| &own.contracts);
        require_own_rates(self.program, partner, contracts, period)
    }

    /// What is about to be lost if nothing comes in.
    ///
    /// # Errors
    /// As [`Self::standing`].
    pub fn risk(&self, partner: &str, as_of: Date, until: Date) -> Result<Vec<LadderRisk>, Faults> {
        self.known_on(as_of).at_risk(partner, as_of, until)
    }

    /// What looks ahead from a date.
    fn known_on(&self, as_of: Date) -> Rc<Evaluator<'a>> {
        let new = || Rc::new(Evaluator::new(self.program, self.facts).known_until(as_of));
        Rc::clone(self.ahead.borrow_mut().entry(as_of).or_insert_with(new))
    }

    /// The tiers by which entitlements go on a date: what its evaluation decides takes effect on it (semantics 6).
    fn held(&self, partner: &str, date: Date) -> Result<Rc<HeldTiers>, Faults> {
        let place = (partner.to_owned(), date);
        if let Some(held) = self.held.borrow().get(&place) {
            return Ok(Rc::clone(held));
        }
        let held = Rc::new(HeldTiers::of_standing(&self.judged(partner, date)?));
        self.held.borrow_mut().insert(place, Rc::clone(&held));
        Ok(held)
    }
}
