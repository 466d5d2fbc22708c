//! The place where values are computed once: partner, date, region and group in, value out.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::MetricValue;
use super::cohort::{CohortValues, Ranks};
use crate::date::{Date, Span};
use crate::document::metric::{Formula, Measure, Metric, Operand, Window};
use crate::document::requirement::Threshold;
use crate::document::scoped::Scoped;
use crate::exact::Overflow;
use crate::exchange::ExchangeRates;
use crate::facts::{Enrollment, Facts, PartnerFacts};
use crate::fault::{Fault, Faults};
use crate::filter::{Bindings, FilterContext, FirstDates};
use crate::hash::QuickMap;
use crate::levelling::TierOutcome;
use crate::program::Program;
use crate::region::Standpoint;
use crate::requirement::{KnownComparison, LeafWords};
use crate::window::WindowEnds;

/// How deep rules may refer to rules. Publishing refuses cycles; this stops what came past it.
const MAX_DEPTH: u32 = 64;

/// Whom and when an evaluation is about.
#[derive(Debug, Clone)]
pub struct At<'a> {
    /// The partner.
    pub partner: &'a PartnerFacts,
    /// The date; as of its end.
    pub as_of: Date,
    /// The region, where a ladder's scope is the partner in a region; otherwise none.
    pub region: Option<&'a str>,
    /// The groups of enclosing `forEach`es.
    pub bindings: Rc<Bindings>,
}

impl<'a> At<'a> {
    /// A partner on a date.
    pub fn new(partner: &'a PartnerFacts, as_of: Date) -> Self {
        Self { partner, as_of, region: None, bindings: Rc::default() }
    }

    /// The same in a region.
    #[must_use]
    pub fn in_region(&self, region: Option<&'a str>) -> Self {
        Self { region, ..self.clone() }
    }

    /// The same on another date.
    #[must_use]
    pub fn on(&self, as_of: Date) -> Self {
        Self { as_of, ..self.clone() }
    }

    /// The same of another partner, without groups.
    #[must_use]
    pub fn of(&self, partner: &'a PartnerFacts) -> Self {
        Self { partner, as_of: self.as_of, region: None, bindings: Rc::default() }
    }

    /// The region that rules and REGION measures ask for: that of the evaluation, else the partner's own on the date.
    pub fn standing_region(&self) -> Option<&'a str> {
        self.region.or_else(|| self.partner.region(self.as_of))
    }

    /// The enrollment in force, the one of the region first.
    pub fn enrollment(&self) -> Option<&'a Enrollment> {
        let in_force = |held: &&&Enrollment| held.since <= self.as_of && held.until.is_none_or(|until| self.as_of < until);
        let of_region = |held: &&&Enrollment| self.region.is_some() && held.region.as_deref() == self.region;
        let enrollments = &self.partner.enrollments;
        enrollments.iter().filter(|held| in_force(&held)).find(|held| of_region(&held)).or_else(|| enrollments.iter().find(|held| in_force(&held)))
    }

    /// Where the partner stands when rules are chosen for it (semantics 8).
    pub fn standpoint(&self) -> Standpoint<'a> {
        Standpoint {
            region: self.standing_region(),
            partner_type: self.partner.profile(self.as_of).and_then(|profile| profile.partner_type.as_deref()),
            track: self.enrollment().and_then(|held| held.track.as_deref()),
        }
    }
}

/// What a kept value is known by: the rule (by its place in the immutable program), the partner, the date, the region and
/// the groups.
#[derive(PartialEq, Eq, Hash)]
struct Memo<'a> {
    rule: (u8, usize),
    partner: usize,
    as_of: Date,
    region: Option<&'a str>,
    bindings: Rc<Bindings>,
}

pub(super) const MEASURE: u8 = 0;
pub(super) const FORMULA: u8 = 1;

/// Partners by the code of their parent.
pub(super) type Children<'a> = HashMap<&'a str, Vec<&'a PartnerFacts>>;

/// A tier outcome by ladder, partner, date and region.
type OutcomeKey<'a> = (usize, usize, Date, Option<&'a str>);

/// Partner, date and region, with the number of where it stands.
type StandsAt<'a> = (usize, Date, Option<&'a str>, usize);

/// Region, type and track.
type Named<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// Computes metrics, requirements and tiers of partners. Every value is computed once and kept; make one per thread and set
/// of facts, and [`Evaluator::forget`] between partners of a large set.
pub struct Evaluator<'a> {
    pub(crate) program: &'a Program,
    pub(crate) facts: &'a Facts,
    /// What comes in after this day is not known: the forecast "if nothing comes in".
    pub(crate) known_until: Date,
    /// Whether ladders are judged by yes and no alone.
    pub(crate) without_trees: bool,
    pub(crate) cohorts: RefCell<CohortValues>,
    pub(crate) ranks: Ranks<'a>,
    pub(super) first_dates: FirstDates,
    pub(crate) outcomes: RefCell<QuickMap<OutcomeKey<'a>, Rc<TierOutcome>>>,
    pub(crate) decided: RefCell<QuickMap<OutcomeKey<'a>, u32>>,
    pub(super) trees: RefCell<BTreeMap<usize, Rc<Children<'a>>>>,
    pub(super) profile_dates: OnceCell<Vec<Date>>,
    rates: OnceCell<ExchangeRates>,
    /// Where windows begin and end, by the window and the days on which it is looked through.
    window_ends: RefCell<QuickMap<(usize, Span), Rc<WindowEnds>>>,
    values: RefCell<QuickMap<Memo<'a>, Arc<MetricValue>>>,
    /// Region, type and track by the number that they were given, and the one of the last partner that was asked about.
    standpoints: RefCell<QuickMap<Named<'a>, usize>>,
    stands_at: Cell<Option<StandsAt<'a>>>,
    /// Thresholds by rule and standpoint: as many as the program has rows, whatever the number of partners.
    thresholds: RefCell<QuickMap<(usize, usize), Option<Threshold>>>,
    /// What comparisons compare, by rule and by whether the threshold is a percentage.
    pub(crate) comparisons: RefCell<QuickMap<(usize, bool), KnownComparison<'a>>>,
    /// The words of contracts and of what partners are, by rule.
    pub(crate) words: RefCell<QuickMap<usize, Arc<LeafWords>>>,
    depth: Cell<u32>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator of a program over facts.
    pub fn new(program: &'a Program, facts: &'a Facts) -> Self {
        Self {
            program,
            facts,
            known_until: Date::MAX,
            without_trees: false,
            cohorts: RefCell::default(),
            ranks: Ranks::Computed,
            first_dates: FirstDates::default(),
            outcomes: RefCell::default(),
            decided: RefCell::default(),
            trees: RefCell::default(),
            profile_dates: OnceCell::new(),
            rates: OnceCell::new(),
            window_ends: RefCell::default(),
            values: RefCell::default(),
            standpoints: RefCell::default(),
            stands_at: Cell::new(None),
            thresholds: RefCell::default(),
            comparisons: RefCell::default(),
            words: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// The same, as far as was known on a day: later facts do not count, unless they were on record by then (a renewal that
    /// begins next month), and later revocations and closings have not happened.
    #[must_use]
    pub fn known_until(mut self, day: Date) -> Self {
        self.known_until = day;
        self
    }

    /// The same without what explains which tiers a ladder gives, for whoever asks only what is held: its standings have no trees.
    #[must_use]
    pub const fn without_trees(mut self) -> Self {
        self.without_trees = true;
        self
    }

    /// Whether a fact of a date counts: it has happened by the day until which things are known, or is on record by then.
    pub(crate) fn is_known(&self, date: Date, recorded_on: Date) -> bool {
        date <= self.known_until || recorded_on <= self.known_until
    }

    /// Takes the cohorts' values from outside, for sets of partners that are evaluated in parts.
    #[must_use]
    pub fn with_cohorts(mut self, cohorts: CohortValues) -> Self {
        self.cohorts = RefCell::new(cohorts);
        self
    }

    /// Keeps the ranks that are asked for, or takes them as they are stated.
    #[must_use]
    pub(crate) fn with_ranks(mut self, ranks: Ranks<'a>) -> Self {
        self.ranks = ranks;
        self
    }

    /// The partner of that code.
    pub fn partner(&self, code: &str) -> Result<&'a PartnerFacts, Faults> {
        let known = self.facts.partners.get(code);
        known.ok_or_else(|| Fault::new("UNKNOWN_PARTNER", "partner", format!("there is no partner {code} among the facts")).into())
    }

    /// Drops the kept values of partners; cohorts stay.
    pub fn forget(&self) {
        self.values.borrow_mut().clear();
        self.outcomes.borrow_mut().clear();
        self.decided.borrow_mut().clear();
    }

    /// Where a window of the program begins and ends on days of `between`; kept where it is the same for all partners.
    pub(crate) fn ends(&self, window: &'a Window, enrolled: Option<Date>, between: Span) -> Rc<WindowEnds> {
        let compute = || Rc::new(WindowEnds::new(window, self.program, enrolled, between));
        if enrolled.is_some() {
            return compute();
        }
        let key = (std::ptr::from_ref(window).addr(), between);
        if let Some(known) = self.window_ends.borrow().get(&key) {
            return Rc::clone(known);
        }
        let ends = compute();
        self.window_ends.borrow_mut().insert(key, Rc::clone(&ends));
        ends
    }

    /// The metric of that key.
    pub fn metric(&self, key: &str, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        let metric = self.program.metric(key).ok_or_else(|| Fault::new("UNKNOWN_METRIC", key, "the program has no metric of this key"))?;
        self.value_of(metric, at)
    }

    /// A metric of the program.
    pub fn value_of(&self, metric: &'a Metric, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        let value = match (&metric.measure, &metric.formula) {
            (Some(measure), _) => self.measure(measure, at),
            (None, Some(formula)) => self.formula(formula, at),
            (None, None) => Err(Fault::new("EMPTY_METRIC", metric.key.clone(), "give the metric a measure or a formula").into()),
        };
        value.map_err(|faults| in_metric(faults, &metric.key))
    }

    /// An operand: a named metric, or a value written in place.
    pub fn operand(&self, operand: &'a Operand, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        match operand {
            Operand::Metric(key) => self.metric(key, at),
            Operand::Measure(measure) => self.measure(measure, at),
            Operand::Formula(formula) => self.formula(formula, at),
            Operand::Constant(number) => Ok(Arc::new(MetricValue::constant(number.0.clone()))),
        }
    }

    /// A measure, computed once.
    pub fn measure(&self, measure: &'a Measure, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        self.once((MEASURE, std::ptr::from_ref(measure).addr()), at, || self.fold_measure(measure, at))
    }

    /// A formula, computed once.
    pub fn formula(&self, formula: &'a Formula, at: &At<'a>) -> Result<Arc<MetricValue>, Faults> {
        self.once((FORMULA, std::ptr::from_ref(formula).addr()), at, || self.nested(|| self.compute_formula(formula, at)))
    }

    fn once(&self, rule: (u8, usize), at: &At<'a>, compute: impl FnOnce() -> Result<MetricValue, Faults>) -> Result<Arc<MetricValue>, Faults> {
        let key = Memo { rule, partner: std::ptr::from_ref(at.partner).addr(), as_of: at.as_of, region: at.region, bindings: Rc::clone(&at.bindings) };
        if let Some(value) = self.values.borrow().get(&key) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(compute()?);
        self.values.borrow_mut().insert(key, Arc::clone(&value));
        Ok(value)
    }

    /// The threshold for whoever stands where the evaluation does, looked up once per rule, region, type and track.
    pub(crate) fn threshold(&self, scoped: &'a Scoped<Threshold>, at: &At<'a>) -> Option<Threshold> {
        if scoped.rows.is_empty() {
            return scoped.default.clone();
        }
        let key = (std::ptr::from_ref(scoped).addr(), self.standpoint_number(at));
        if let Some(known) = self.thresholds.borrow().get(&key) {
            return known.clone();
        }
        let threshold = self.program.geography.resolve(scoped, at.standpoint()).cloned();
        self.thresholds.borrow_mut().insert(key, threshold.clone());
        threshold
    }

    fn standpoint_number(&self, at: &At<'a>) -> usize {
        let partner = std::ptr::from_ref(at.partner).addr();
        if let Some((of, on, region, number)) = self.stands_at.get()
            && (of, on, region) == (partner, at.as_of, at.region)
        {
            return number;
        }
        let Standpoint { region, partner_type, track } = at.standpoint();
        let mut standpoints = self.standpoints.borrow_mut();
        let next = standpoints.len();
        let number = *standpoints.entry((region, partner_type, track)).or_insert(next);
        self.stands_at.set(Some((partner, at.as_of, at.region, number)));
        number
    }

    /// Takes over the values that `other` keeps, each under the rule that `rename` finds for it.
    pub(super) fn take_values(&self, other: &Self, rename: impl Fn(&(u8, usize)) -> Option<(u8, usize)>) {
        let mut values = self.values.borrow_mut();
        for (memo, value) in other.values.borrow().iter() {
            if let Some(rule) = rename(&memo.rule) {
                values.insert(Memo { rule, bindings: Rc::clone(&memo.bindings), ..*memo }, Arc::clone(value));
            }
        }
    }

    /// Runs `compute` one level deeper.
    pub(crate) fn nested<T>(&self, compute: impl FnOnce() -> Result<T, Faults>) -> Result<T, Faults> {
        if self.depth.get() >= MAX_DEPTH {
            return Err(Fault::new("RULE_CYCLE", "", "rules refer to one another in a circle, or more than 64 levels deep").into());
        }
        self.depth.set(self.depth.get() + 1);
        let result = compute();
        self.depth.set(self.depth.get() - 1);
        result
    }

    pub(crate) fn rates(&self) -> &ExchangeRates {
        self.rates.get_or_init(|| ExchangeRates::new(&self.facts.exchange_rates))
    }

    pub(crate) fn filters<'s>(&'s self, at: &'s At<'a>, window: Option<crate::date::Span>) -> FilterContext<'s> {
        FilterContext {
            program: self.program,
            as_of: at.as_of,
            window,
            known_until: self.known_until,
            known_on: None,
            bindings: &at.bindings,
            first_dates: &self.first_dates,
        }
    }
}

/// A figure that is too large says of which metric and what to do.
fn in_metric(mut faults: Faults, key: &str) -> Faults {
    for fault in faults.0.iter_mut().filter(|fault| fault.code == "OUT_OF_RANGE" && fault.path.is_empty()) {
        fault.path = format!("metrics.{key}");
        fault.message += ": write smaller factors, or fewer different divisors (`per`, ratios) in one sum";
    }
    faults
}

impl From<Overflow> for Faults {
    fn from(overflow: Overflow) -> Self {
        Fault::new("OUT_OF_RANGE", "", overflow.to_string()).into()
    }
}
