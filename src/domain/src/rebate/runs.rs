//! Runs over facts as they were known: what was entitled, what each run posts, and the true-up of periods posted before.
//!
//! Every run asks, for its own period and for every period posted before, what the period is worth as known on its day, and posts
//! the difference to what was posted so far, tied to that period. So a late line is never counted twice and never forgotten.
//! What is posted is never re-rated: a line keeps the exchange rate known on the run that first knew it, unless the schedule asks
//! for corrections.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::document::rebate::{NegativeDifference, RebateSchedule};
use crate::exact::Overflow;
use crate::exchange::CutOff;
use crate::facts::Facts;
use crate::fault::{Fault, Faults};
use crate::money::{Currency, Money};
use crate::period::Period;
use crate::program::Program;

use super::line::{Knowledge, currency_of, out_of_range};
use super::result::{Entitlement, amount_text};
use super::{TierSource, compute_as_known, schedules_of};

/// A run that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunAsked {
    /// The period's name.
    pub period: String,
    /// The day on which it runs; what was recorded by then is known.
    pub run_on: Date,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// It settles its period for the first time.
    Original,
    /// The period was posted before: only differences are posted.
    Adjustment,
    /// It takes back what another run posted.
    Reversal,
}

/// What a run gives one partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// The period's name.
    pub period: String,
    /// The day on which it ran.
    pub run_on: Date,
    /// Original or adjustment.
    pub kind: RunKind,
    /// By schedule: entitled, posted now, posted in all.
    pub schedules: Vec<ScheduleRun>,
    /// What was posted, each tied to its period. Only differences.
    pub postings: Vec<Posting>,
}

/// What a run means for one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRun {
    /// The schedule.
    pub schedule: String,
    /// Its currency.
    pub currency: Currency,
    /// What the run's period is worth, as known on its day; zero where the schedule has no such period.
    #[serde(serialize_with = "amount_text")]
    pub entitled: Money,
    /// What this run posts, true-up of earlier periods included.
    #[serde(serialize_with = "amount_text")]
    pub posted_now: Money,
    /// What all runs so far have posted.
    #[serde(serialize_with = "amount_text")]
    pub posted_total: Money,
    /// A shortfall that later postings are set off against (CARRY_FORWARD); zero or negative.
    #[serde(serialize_with = "amount_text")]
    pub carried_forward: Money,
}

/// A difference that a run recognises, tied to its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Posting {
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The currency.
    pub currency: Currency,
    /// What the period is worth, as known now.
    #[serde(serialize_with = "amount_text")]
    pub worth: Money,
    /// What was recognised for it before.
    #[serde(serialize_with = "amount_text")]
    pub before: Money,
    /// The difference.
    #[serde(serialize_with = "amount_text")]
    pub difference: Money,
    /// The sale lines whose part changed.
    pub lines: Vec<LineDifference>,
}

/// A change of a line's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineDifference {
    /// The source of the sale line; none for what belongs to no line.
    pub source: Option<String>,
    /// The id of the sale line in its source.
    pub id: Option<String>,
    /// Now less before.
    #[serde(serialize_with = "amount_text")]
    pub amount: Money,
}

impl RunResult {
    fn sum(&self, schedule: Option<&str>, of: impl Fn(&ScheduleRun) -> i64) -> i64 {
        self.schedules.iter().filter(|run| schedule.is_none_or(|schedule| run.schedule == schedule)).map(of).sum()
    }

    /// What the period is worth by one schedule or by all of them, in minor units.
    pub fn entitled(&self, schedule: Option<&str>) -> i64 {
        self.sum(schedule, |run| run.entitled.minor)
    }

    /// What the run posts, in minor units.
    pub fn posted_now(&self, schedule: Option<&str>) -> i64 {
        self.sum(schedule, |run| run.posted_now.minor)
    }

    /// What all runs so far have posted, in minor units.
    pub fn posted_total(&self, schedule: Option<&str>) -> i64 {
        self.sum(schedule, |run| run.posted_total.minor)
    }
}

type LineParts = BTreeMap<(Option<String>, Option<String>), i64>;

/// What was posted so far.
#[derive(Default)]
struct Book {
    /// By schedule and period: what was recognised, in all and by line.
    recognised: BTreeMap<(String, String), (i64, LineParts)>,
    /// By schedule: a shortfall, zero or negative.
    shortfall: BTreeMap<String, i64>,
    posted: BTreeMap<String, i64>,
    /// By period: the days of the runs that posted it, or differences of it.
    runs: BTreeMap<String, Vec<CutOff>>,
    /// Periods in the order of their first run.
    periods: Vec<Period>,
}

/// Runs the periods on their days, in the order of the days, and answers in the order asked.
///
/// Faults: a period that no schedule has; a run before its period is over, or within its grace days; whatever
/// [`super::compute_period`] refuses.
pub fn runs(program: &Program, facts: &Facts, partner: &str, asked: &[RunAsked], tiers: &dyn TierSource) -> Result<Vec<RunResult>, Faults> {
    let mut order: Vec<usize> = (0..asked.len()).collect();
    order.sort_by_key(|at| asked.get(*at).map(|run| run.run_on));
    let mut book = Book::default();
    let mut results: BTreeMap<usize, RunResult> = BTreeMap::new();
    for at in order {
        let Some(run) = asked.get(at) else { continue };
        let path = format!("runs[{at}]");
        let period =
            program.period_named(&run.period).ok_or_else(|| Fault::new("UNKNOWN_PERIOD", format!("{path}.period"), program.no_such_period(run.run_on)))?;
        let result = book.run(program, facts, partner, &period, run.run_on, tiers, &path)?;
        results.insert(at, result);
    }
    Ok(results.into_values().collect())
}

/// Whether a run comes too early for a schedule.
pub fn may_run(schedule: &RebateSchedule, period: &Period, run_on: Date) -> Result<(), Fault> {
    let last = period.span.last_day();
    let earliest = last.plus_days(schedule.true_up.grace_days.into());
    if run_on < last {
        return Err(Fault::new("PERIOD_NOT_OVER", "runOn", format!("{} ends on {last}: run it on that day or later", period.name)));
    }
    if run_on < earliest {
        let message = format!("{} may be calculated from {earliest} on: {} leaves {} days of grace", period.name, schedule.key, schedule.true_up.grace_days);
        return Err(Fault::new("GRACE_DAYS", "runOn", message));
    }
    Ok(())
}

impl Book {
    #[expect(clippy::too_many_arguments, reason = "one call with everything that a run depends on")]
    fn run(
        &mut self,
        program: &Program,
        facts: &Facts,
        partner: &str,
        period: &Period,
        run_on: Date,
        tiers: &dyn TierSource,
        path: &str,
    ) -> Result<RunResult, Faults> {
        let kind = if self.runs.contains_key(&period.name) { RunKind::Adjustment } else { RunKind::Original };
        if kind == RunKind::Original {
            let mut faults = Faults::new();
            for (schedule, own) in schedules_of(program, &period.name) {
                let early = may_run(schedule, &own, run_on).err().map(|fault| fault.within(path));
                // That a period is not over is true of all of its schedules, and told once.
                faults.0.extend(early.filter(|fault| !faults.0.contains(fault)));
            }
            faults.or(())?;
            self.periods.push(period.clone());
        }
        for posted in &self.periods {
            self.runs.entry(posted.name.clone()).or_default().push(CutOff::Day(run_on));
        }
        let knowledge = Knowledge { known_on: Some(run_on), runs: self.runs.clone(), ..Knowledge::default() };
        let mut postings = Vec::new();
        let mut entitled = BTreeMap::new();
        for posted in self.periods.clone() {
            let worth = compute_as_known(program, facts, partner, &posted, &knowledge, tiers)?;
            for entitlement in worth.entitlements {
                if posted.name == period.name {
                    entitled.insert(entitlement.schedule.clone(), entitlement.amount.minor);
                }
                postings.extend(self.recognise(&entitlement)?);
            }
        }
        let schedules = self.post(program, &entitled, &postings)?;
        Ok(RunResult { period: period.name.clone(), run_on, kind, schedules, postings })
    }

    /// What an entitlement changes, by line; nothing when it changes nothing.
    fn recognise(&mut self, entitlement: &Entitlement) -> Result<Option<Posting>, Faults> {
        let key = (entitlement.schedule.clone(), entitlement.period.clone());
        let mut now = LineParts::new();
        for line in &entitlement.lines {
            *now.entry((line.source.clone(), line.id.clone())).or_default() += line.amount.minor;
        }
        let (before, parts) = self.recognised.insert(key, (entitlement.amount.minor, now.clone())).unwrap_or_default();
        let money = |minor: i64| Money::new(minor, entitlement.currency);
        let difference = entitlement.amount.minor.checked_sub(before).ok_or(Overflow).map_err(too_large)?;
        let ids: std::collections::BTreeSet<_> = now.keys().chain(parts.keys()).cloned().collect();
        let part = |parts: &LineParts, id: &(Option<String>, Option<String>)| parts.get(id).copied().unwrap_or(0);
        let changed = ids.iter().map(|id| (id, part(&now, id) - part(&parts, id))).filter(|(_, amount)| *amount != 0);
        let lines: Vec<LineDifference> =
            changed.map(|((source, id), amount)| LineDifference { source: source.clone(), id: id.clone(), amount: money(amount) }).collect();
        if difference == 0 && lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(Posting {
            schedule: entitlement.schedule.clone(),
            period: entitlement.period.clone(),
            currency: entitlement.currency,
            worth: entitlement.amount,
            before: money(before),
            difference: money(difference),
            lines,
        }))
    }

    /// Posts the differences of each schedule together, by its policy.
    fn post(&mut self, program: &Program, entitled: &BTreeMap<String, i64>, postings: &[Posting]) -> Result<Vec<ScheduleRun>, Faults> {
        let mut runs = Vec::new();
        for schedule in &program.document.rebate_schedules {
            let key = &schedule.key;
            if !self.recognised.keys().any(|(known, _)| known == key) {
                continue;
            }
            let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
            let shortfall = self.shortfall.get(key).copied().unwrap_or(0);
            let mut differences = postings.iter().filter(|posting| posting.schedule == *key).map(|posting| posting.difference.minor);
            let due = differences.try_fold(shortfall, i64::checked_add).ok_or(Overflow).map_err(loud)?;
            let carries = schedule.true_up.negative == NegativeDifference::CarryForward;
            let posted = if carries { due.max(0) } else { due };
            let total = self.posted.entry(key.clone()).or_default();
            *total = total.checked_add(posted).ok_or(Overflow).map_err(loud)?;
            self.shortfall.insert(key.clone(), due - posted);
            let money = |minor: i64| Money::new(minor, currency_of(program, schedule));
            runs.push(ScheduleRun {
                schedule: key.clone(),
                currency: currency_of(program, schedule),
                entitled: money(entitled.get(key).copied().unwrap_or(0)),
                posted_now: money(posted),
                posted_total: money(*total),
                carried_forward: money(due - posted),
            });
        }
        Ok(runs)
    }
}

fn too_large(overflow: Overflow) -> Faults {
    Fault::new("OUT_OF_RANGE", "runs", overflow.to_string()).into()
}
