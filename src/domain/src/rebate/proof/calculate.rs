//! What one schedule is worth for one period, with what explains it.

use std::sync::Arc;

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::metric::Operand;
use crate::document::rebate::{Baseline, Basis, RebateSchedule};
use crate::exchange::ExchangeRates;
use crate::facts::{Facts, PartnerFacts};
use crate::fault::Faults;
use crate::metric::{MetricValue, StatedRank, shared};
use crate::period::Period;
use crate::program::Program;
use crate::rebate::asks::{baseline_of, looked_back_at};
use crate::rebate::history::year_to_date;
use crate::rebate::line::Knowledge;
use crate::rebate::measures::{Measures, RankSource};
use crate::rebate::result::Entitlement;
use crate::rebate::{Calculation, OnRecord};
use crate::requirement::Judged;

/// The days that a figure looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// `PERIOD`, `YEAR_TO_DATE` where bands run on over the fiscal year (as far as the version governs it), `BASELINE` for the period that growth looks back at.
    pub what: &'static str,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Date,
}

/// A metric that the schedule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// `BASIS`, `QUALIFIER` or `BASELINE`.
    pub what: &'static str,
    /// The date; as of its end.
    pub on: Date,
    /// Its value, its window, and how it came about.
    #[serde(serialize_with = "shared")]
    pub value: Arc<MetricValue>,
}

/// A schedule for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calculated {
    pub(super) windows: Vec<Window>,
    pub(super) measured: Vec<Measured>,
    pub(super) condition: Option<Judged>,
    /// The schedule's own; none where the version has no such schedule or period.
    pub(super) entitlement: Option<Entitlement>,
    /// Those of the schedules that it is stacked with.
    pub(super) stacked: Vec<Entitlement>,
    /// The ranks that were asked for.
    pub(super) ranks: Vec<StatedRank>,
}

/// One calculation: a version of the program (with the schedules that matter only), facts, and what was known.
pub(super) struct Question<'a> {
    pub(super) program: &'a Program,
    pub(super) facts: &'a Facts,
    pub(super) knowledge: &'a Knowledge,
    pub(super) ranks: RankSource<'a>,
    pub(super) partner: &'a PartnerFacts,
    pub(super) schedule: &'a str,
}

impl<'a> Question<'a> {
    /// What the schedule is worth for a period, before a budget is shared.
    ///
    /// # Errors
    /// What the engine refuses: a missing exchange rate, a figure out of range.
    pub(super) fn answer(&self, name: &str) -> Result<Calculated, Faults> {
        let rates = ExchangeRates::new(&self.facts.exchange_rates);
        let mut calculation = Calculation::new(self.program, self.facts, self.partner, &rates, self.knowledge, &OnRecord);
        calculation.measures = Measures::new(self.program, self.facts, self.partner).with_ranks(self.ranks);
        let mut entitlements = calculation.with_history(name)?;
        let at = entitlements.iter().position(|entitlement| entitlement.schedule == self.schedule);
        let entitlement = at.map(|at| entitlements.remove(at));
        let own = self.program.document.rebate_schedules.iter().find(|schedule| schedule.key == self.schedule);
        let period = own.and_then(|schedule| self.program.periods(&schedule.period).named(name));
        let (windows, measured, condition) = match (own, &period) {
            (Some(schedule), Some(period)) => (
                windows(self.program, schedule, period),
                measured(&calculation, schedule, period)?,
                schedule.condition.as_ref().map(|condition| calculation.measures.judged(condition, calculation.last_day(period.span))).transpose()?,
            ),
            _ => (Vec::new(), Vec::new(), None),
        };
        let ranks = calculation.kept_ranks();
        Ok(Calculated { windows, measured, condition, entitlement, stacked: entitlements, ranks })
    }
}

/// The days that a schedule looks at for a period.
pub(super) fn windows(program: &Program, schedule: &RebateSchedule, period: &Period) -> Vec<Window> {
    let window = |what: &'static str, span: Span| Window { what, from: span.from, until: span.until };
    let mut windows = vec![window("PERIOD", period.span)];
    if schedule.cumulative {
        windows.push(window("YEAR_TO_DATE", year_to_date(program, schedule, period)));
    }
    let earlier = baseline_of(schedule).and_then(|baseline| looked_back_at(program, schedule, period, baseline));
    windows.extend(earlier.map(|earlier| window("BASELINE", earlier.span)));
    windows
}

/// The metrics that a schedule asks for.
fn measured<'a>(calculation: &Calculation<'a>, schedule: &'a RebateSchedule, period: &Period) -> Result<Vec<Measured>, Faults> {
    let last = calculation.last_day(period.span);
    let of_basis = |basis: &'a Basis| if let Basis::Metric(operand) = basis { Some(operand) } else { None };
    let baseline: Option<&'a Operand> = baseline_of(schedule).and_then(|baseline| if let Baseline::Metric(operand) = baseline { Some(operand) } else { None });
    let asked = [
        ("BASIS", of_basis(&schedule.basis), last),
        ("QUALIFIER", schedule.qualifier.as_ref().and_then(of_basis), last),
        ("BASELINE", baseline, period.span.from),
    ];
    let mut all = Vec::new();
    for (what, operand, on) in asked {
        let Some(operand) = operand else { continue };
        all.push(Measured { what, on, value: calculation.measures.measured(operand, on)? });
    }
    Ok(all)
}
