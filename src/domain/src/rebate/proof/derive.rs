//! Making a derivation: what is stated, and everything that follows from it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::adjust::{amount, changed, minor, parts_of, recognised, share};
use super::calculate::{Calculated, Measured, Question, Window, stacked_with};
use super::canonical::{bare, digest, text};
use super::given::{AdjustmentGiven, Before, EarlierRun, FORMAT, Given, Heading, Inputs, LinePart, PeriodGiven, RankGiven, ShareGiven, VersionGiven};
use super::narrow::{looks_around, narrowed, relatives, without_later};
use crate::date::Date;
use crate::document::export;
use crate::document::rebate::NegativeDifference;
use crate::exact::Overflow;
use crate::facts::{Facts, written};
use crate::fault::{Fault, Faults};
use crate::metric::StatedRank;
use crate::money::{Currency, DecimalText};
use crate::period::Period;
use crate::program::Program;
use crate::rebate::line::Knowledge;
use crate::rebate::measures::RankSource;
use crate::rebate::result::Entitlement;
use crate::requirement::Judged;

/// What a derivation is asked for with: what the run knew.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Which statement it is.
    pub statement: Heading,
    /// The versions in force on the first days of the periods, by number.
    pub versions: BTreeMap<i64, &'a Program>,
    /// The periods that the run looks at.
    pub periods: Vec<PeriodGiven>,
    /// The days of all runs so far, this one included.
    pub runs: Vec<EarlierRun>,
    /// What earlier runs recognised.
    pub before: Vec<Before>,
    /// What postings are set off against, in minor units; zero or negative.
    pub shortfall: i64,
    /// Adjustments that were agreed on.
    pub adjustments: Vec<AdjustmentGiven>,
    /// Shares of budgets that did not suffice.
    pub shares: Vec<ShareGiven>,
    /// The facts that the run read; those of other partners count where a figure looks at them.
    pub facts: &'a Facts,
}

/// Everything that follows from what is stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Derived {
    /// Each period: what it is worth, and what that changes.
    pub(super) periods: Vec<PeriodDerived>,
    pub(super) sum: Sum,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PeriodDerived {
    period: String,
    version: i64,
    windows: Vec<Window>,
    measured: Vec<Measured>,
    condition: Option<Judged>,
    entitlement: Option<Entitlement>,
    stacked: Vec<Entitlement>,
    worth: DecimalText,
    before: DecimalText,
    difference: DecimalText,
    changed_lines: Vec<LinePart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sum {
    /// What the run's own period is worth.
    entitled: DecimalText,
    /// The differences of all periods.
    differences: DecimalText,
    /// The agreed adjustments.
    adjustments: DecimalText,
    /// What earlier runs left to be set off.
    shortfall: DecimalText,
    /// What this statement posts.
    posted: DecimalText,
    /// What later postings are set off against.
    carried_forward: DecimalText,
}

/// Versions of the program with the schedules that matter to one.
pub(super) type Programs = BTreeMap<i64, Program>;

/// The derivation as text: canonical JSON.
///
/// # Errors
/// What the engine refuses; facts that cannot be written; a figure that depends on facts which a single statement cannot state.
pub fn derive(asked: &Asked<'_>) -> Result<String, Faults> {
    let heading = &asked.statement;
    let programs: Programs = asked.versions.iter().map(|(number, program)| (*number, narrow_program(program, &heading.schedule))).collect();
    let known = without_later(asked.facts, heading.run.known_on);
    let mut given = Given {
        guerdon_derivation: FORMAT,
        statement: heading.clone(),
        versions: asked.versions.iter().map(|(number, program)| version(*number, program)).collect::<Result<_, Fault>>()?,
        inputs: Inputs {
            periods: asked.periods.clone(),
            runs: asked.runs.clone(),
            before: asked.before.clone(),
            shortfall: amount(asked.shortfall, heading.currency),
            adjustments: asked.adjustments.clone(),
            shares: asked.shares.clone(),
            ranks: Vec::new(),
            facts: crate::facts::input::FactsInput::default(),
        },
    };
    let (full, ranks) = settle(&given, &programs, &known, RankSource::Kept)?;
    let own = relatives(&known, &heading.partner, programs.values().any(looks_around));
    let periods = |number: i64| -> Vec<Period> {
        let named = asked.periods.iter().filter(|period| period.version == number);
        named.filter_map(|period| programs.get(&number)?.period_named(&period.period)).collect()
    };
    let looked_at: Vec<(&Program, Vec<Period>)> = programs.iter().map(|(number, program)| (program, periods(*number))).collect();
    let candidates = [narrowed(&own, &looked_at), own];
    let same = |facts: &&Facts| settle(&given, &programs, facts, RankSource::Stated(&ranks)).is_ok_and(|(derived, _)| derived == full);
    let Some(facts) = candidates.iter().find(same) else {
        let message = "the figure depends on facts of other partners that a single statement does not state: verify the whole run";
        return Err(Fault::new("NOT_SELF_CONTAINED", "", message).into());
    };
    given.inputs.facts = written::write(facts)?;
    given.inputs.ranks = ranks.iter().map(rank_given).collect();
    Ok(text(&compose(&given, &full)?))
}

fn version(number: i64, program: &Program) -> Result<VersionGiven, Fault> {
    let document = &program.document;
    Ok(VersionGiven { number, digest: export::digest(document)?, document: export::to_value(document)? })
}

fn rank_given(rank: &StatedRank) -> RankGiven {
    RankGiven { formula: rank.formula.clone(), partner: rank.partner.clone(), on: rank.on, better: rank.better, partners: rank.partners }
}

/// A version with the schedules that are stacked with one; no other can change its figure.
pub(super) fn narrow_program(program: &Program, schedule: &str) -> Program {
    let keep = stacked_with(program, schedule);
    program.with_schedules(|key| keep.contains(key))
}

/// The whole document: what is stated, its digests, and what follows.
pub(super) fn compose(given: &Given, derived: &Derived) -> Result<Value, Faults> {
    let Value::Object(mut members) = bare(given)? else { return Err(Fault::new("INTERNAL", "", "a derivation is an object").into()) };
    let inputs = members.get("inputs").map(digest).unwrap_or_default();
    members.insert("inputsDigest".to_owned(), Value::String(inputs));
    members.insert("result".to_owned(), bare(derived)?);
    let hash = hash_of(&members);
    members.insert("hash".to_owned(), Value::String(hash));
    Ok(Value::Object(members))
}

/// The hash of everything but the hash.
fn hash_of(members: &Map<String, Value>) -> String {
    digest(&Value::Object(members.clone()))
}

/// Computes every period, and what is posted. Answers the ranks that were asked for as well.
pub(super) fn settle(given: &Given, programs: &Programs, facts: &Facts, ranks: RankSource<'_>) -> Result<(Derived, Vec<StatedRank>), Faults> {
    let heading = &given.statement;
    let currency = heading.currency;
    let partner = facts.partners.get(&heading.partner).ok_or_else(|| crate::rebate::unknown_partner(&heading.partner))?;
    let mut days: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    for run in &given.inputs.runs {
        days.entry(run.period.clone()).or_default().push(run.run_on);
    }
    let knowledge = Knowledge { known_on: heading.run.known_on, as_of: None, runs: days };
    let mut periods = Vec::with_capacity(given.inputs.periods.len());
    let mut kept = Vec::new();
    let mut sums = Sums::default();
    for (at, period) in given.inputs.periods.iter().enumerate() {
        let program = programs.get(&period.version).ok_or_else(|| unknown_version(at, period.version))?;
        let question = Question { program, facts, knowledge: &knowledge, ranks, partner, schedule: &heading.schedule };
        let mut calculated = question.answer(&period.period)?;
        kept.append(&mut calculated.ranks);
        share_budget(given, program, period, &mut calculated)?;
        periods.push(sums.add(given, period, calculated)?);
    }
    kept.sort();
    kept.dedup();
    let own = programs.get(&given.inputs.periods.iter().find(|period| period.period == heading.run.period).map_or(0, |period| period.version));
    let schedule = own.and_then(|program| program.schedule(&heading.schedule));
    let carries = schedule.is_some_and(|schedule| schedule.true_up.negative == NegativeDifference::CarryForward);
    Ok((Derived { periods, sum: sums.close(given, carries, currency)? }, kept))
}

fn unknown_version(at: usize, number: i64) -> Fault {
    Fault::new("UNKNOWN_VERSION", format!("inputs.periods[{at}].version"), format!("version {number} is not among the versions that are stated"))
}

fn share_budget(given: &Given, program: &Program, period: &PeriodGiven, calculated: &mut Calculated) -> Result<(), Faults> {
    let Some((at, stated)) = given.inputs.shares.iter().enumerate().find(|(_, share)| share.period == period.period) else { return Ok(()) };
    let path = format!("inputs.shares[{at}]");
    match (calculated.entitlement.as_mut(), program.schedule(&given.statement.schedule)) {
        (Some(entitlement), Some(schedule)) => share(entitlement, schedule, stated, &path),
        _ => Err(Fault::new("NO_BUDGET", path, "the schedule has no such period").into()),
    }
}

/// What adds up over the periods, in minor units.
#[derive(Default)]
struct Sums {
    entitled: i64,
    differences: i64,
}

impl Sums {
    fn add(&mut self, given: &Given, period: &PeriodGiven, calculated: Calculated) -> Result<PeriodDerived, Faults> {
        let currency = given.statement.currency;
        let worth = calculated.entitlement.as_ref().map_or(0, |entitlement| entitlement.amount.minor);
        let now = calculated.entitlement.as_ref().map(parts_of).unwrap_or_default();
        let (before, parts) = recognised(&given.inputs.before, &period.period, currency)?;
        let difference = worth.checked_sub(before).ok_or_else(too_large)?;
        self.differences = self.differences.checked_add(difference).ok_or_else(too_large)?;
        if period.period == given.statement.run.period {
            self.entitled = worth;
        }
        Ok(PeriodDerived {
            period: period.period.clone(),
            version: period.version,
            windows: calculated.windows,
            measured: calculated.measured,
            condition: calculated.condition,
            entitlement: calculated.entitlement,
            stacked: calculated.stacked,
            worth: amount(worth, currency),
            before: amount(before, currency),
            difference: amount(difference, currency),
            changed_lines: changed(&now, &parts, currency),
        })
    }

    /// Sets the differences and adjustments off against the shortfall; what is negative is carried where the schedule says so.
    fn close(&self, given: &Given, carries: bool, currency: Currency) -> Result<Sum, Faults> {
        let inputs = &given.inputs;
        let agreed = inputs.adjustments.iter().enumerate();
        let agreed: Vec<i64> = agreed.map(|(at, one)| minor(&one.amount, currency, &format!("inputs.adjustments[{at}].amount"))).collect::<Result<_, Fault>>()?;
        let adjustments = agreed.into_iter().try_fold(0_i64, i64::checked_add).ok_or_else(too_large)?;
        let shortfall = minor(&inputs.shortfall, currency, "inputs.shortfall")?;
        let due = [self.differences, adjustments].into_iter().try_fold(shortfall, i64::checked_add).ok_or_else(too_large)?;
        let posted = if carries { due.max(0) } else { due };
        Ok(Sum {
            entitled: amount(self.entitled, currency),
            differences: amount(self.differences, currency),
            adjustments: amount(adjustments, currency),
            shortfall: amount(shortfall, currency),
            posted: amount(posted, currency),
            carried_forward: amount(due - posted, currency),
        })
    }
}

fn too_large() -> Faults {
    Fault::new("OUT_OF_RANGE", "result.sum", Overflow.to_string()).into()
}
