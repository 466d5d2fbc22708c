//! Making a derivation: what is stated, and everything that follows from it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::adjust::{amount, minor, share};
use super::calculate::{Calculated, Measured, Question, Window};
use super::canonical::{bare, digest, text};
use super::given::{AdjustmentGiven, Before, FORMAT, Given, Heading, Inputs, PeriodGiven, PostedGiven, ShareGiven, VersionGiven};
use super::narrow::{looks_around, narrowed, relatives};
use super::numbered;
use crate::date::Span;
use crate::document::export;
use crate::document::rebate::{NegativeDifference, RebateSchedule};
use crate::exact::{Exact, Overflow};
use crate::exchange::CutOff;
use crate::facts::Facts;
use crate::fault::{Fault, Faults};
use crate::metric::StatedRank;
use crate::money::DecimalText;
use crate::period::Period;
use crate::program::Program;
use crate::rebate::handover::handing_to;
use crate::rebate::line::Knowledge;
use crate::rebate::measures::RankSource;
use crate::rebate::result::{Entitlement, Step};
use crate::rebate::stacking::stacked_with;
use crate::rebate::statement::{LineKind, Stated, StatedLine, StatementBody, carry, difference, state};
use crate::requirement::Judged;

/// What a derivation is asked for with: what the run knew.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Which statement it is.
    pub statement: Heading,
    /// The versions in force on the first days of the periods, by number.
    pub versions: BTreeMap<i64, &'a Program>,
    /// The periods for which the run states something to this partner by this schedule.
    pub periods: Vec<PeriodGiven>,
    /// What the runs had read that posted these periods so far.
    pub posted: Vec<PostedGiven>,
    /// What earlier runs stated for them.
    pub before: Vec<Before>,
    /// What postings are set off against, in minor units; zero or negative.
    pub shortfall: i64,
    /// Adjustments that were decided.
    pub adjustments: Vec<AdjustmentGiven>,
    /// Shares of budgets that did not suffice.
    pub shares: Vec<ShareGiven>,
    /// The facts that the run read; those of other partners count where a figure looks at them.
    pub facts: &'a Facts,
}

/// A derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The document: canonical JSON.
    pub text: String,
    /// The hash of the statement as the service keeps it.
    pub content_hash: String,
}

/// Everything that follows from what is stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Derived {
    version: i64,
    windows: Vec<Window>,
    measured: Vec<Measured>,
    condition: Option<Judged>,
    /// What the engine computes, with every step and the sale lines.
    entitlement: Option<Entitlement>,
    /// The schedules that it is stacked with.
    stacked: Vec<Entitlement>,
    /// What the run states to this partner by this schedule, period by period.
    sum: Vec<PeriodSum>,
    statement: StatementDerived,
    /// The hash of the statement as the service keeps it; the hash of its run is made of these.
    content_hash: String,
    /// What the hash is made of.
    #[serde(skip)]
    pub(super) body: Body,
}

/// What the hash of a statement is made of besides what its heading says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    version: String,
    days: Span,
    stated: Stated,
    before: i64,
    carried: i64,
    posted: i64,
    lines: Vec<StatedLine>,
}

impl Body {
    pub(super) fn of<'s>(&'s self, heading: &'s Heading) -> StatementBody<'s> {
        StatementBody {
            program: &heading.program,
            version: &self.version,
            partner: &heading.partner,
            schedule: &heading.schedule,
            period: &heading.period,
            from: self.days.from,
            until: self.days.until,
            currency: heading.currency,
            tier: self.stated.tier.as_deref(),
            qualifier: &self.stated.qualifier,
            basis: &self.stated.basis,
            exact: &self.stated.exact,
            entitled: self.stated.amount.minor,
            before: self.before,
            carried: self.carried,
            amount: self.posted,
            inputs: self.stated.inputs,
            steps: &self.stated.steps,
            lines: &self.lines,
        }
    }
}

/// What a period adds to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PeriodSum {
    pub(super) period: String,
    pub(super) entitled: DecimalText,
    pub(super) before: DecimalText,
    pub(super) difference: DecimalText,
    pub(super) carried: DecimalText,
    pub(super) posted: DecimalText,
}

/// The statement as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatementDerived {
    pub(super) tier: Option<String>,
    pub(super) qualifier: Exact,
    pub(super) basis: Exact,
    pub(super) exact: Exact,
    pub(super) inputs: i64,
    pub(super) steps: Vec<Step>,
    /// The lines, in minor units; they sum to what is posted.
    pub(super) lines: Vec<StatedLine>,
    pub(super) posted: DecimalText,
}

/// Versions of the program with the schedules that matter to one.
pub(super) type Programs = BTreeMap<i64, Program>;

/// Derives a statement.
///
/// # Errors
/// What the engine refuses; facts that cannot be written; a figure that depends on facts which a single statement cannot state.
pub fn derive(asked: &Asked<'_>) -> Result<Derivation, Faults> {
    let heading = &asked.statement;
    let programs: Programs = asked.versions.iter().map(|(number, program)| (*number, narrow_program(program, &heading.schedule))).collect();
    let mut given = Given {
        guerdon_derivation: FORMAT,
        statement: heading.clone(),
        versions: versions(asked, &programs)?,
        inputs: Inputs {
            periods: asked.periods.clone(),
            posted: asked.posted.clone(),
            before: asked.before.clone(),
            shortfall: amount(asked.shortfall, heading.currency),
            adjustments: asked.adjustments.clone(),
            shares: asked.shares.clone(),
            ranks: Vec::new(),
            facts: Value::Null,
        },
    };
    let (full, ranks) = settle(&given, &programs, asked.facts, RankSource::Kept)?;
    let own = relatives(asked.facts, &heading.partner, programs.values().any(looks_around));
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
    given.inputs.facts = numbered::write(facts)?;
    given.inputs.ranks = ranks;
    Ok(Derivation { text: text(&compose(&given, &full)?), content_hash: full.content_hash })
}

/// The versions that govern the periods, and those before them that hand something on, each with the one that it follows.
fn versions(asked: &Asked<'_>, programs: &Programs) -> Result<Vec<VersionGiven>, Fault> {
    let mut whole = asked.versions.clone();
    let mut follows: BTreeMap<i64, i64> = BTreeMap::new();
    for (number, program) in programs {
        let mut last = *number;
        for link in handing_to(program, |_| true) {
            follows.insert(last, link.number);
            last = link.number;
            whole.entry(last).or_insert(link.program);
        }
    }
    whole.into_iter().map(|(number, program)| version(number, program, follows.get(&number).copied())).collect()
}

fn version(number: i64, program: &Program, follows: Option<i64>) -> Result<VersionGiven, Fault> {
    let document = &program.document;
    let levelling_since = Some(program.levelling_since()).filter(|since| *since != program.effective_on());
    let (digest, begun) = (export::digest(document)?, program.begun().clone());
    Ok(VersionGiven { number, digest, begun, levelling_since, follows, document: export::to_value(document)? })
}

/// A version with the schedules that are stacked with one; no other can change its figure.
pub(super) fn narrow_program(program: &Program, schedule: &str) -> Program {
    let keep = stacked_with(program, schedule);
    program.with_schedules(|key| keep.contains(key))
}

/// The whole document: what is stated, its digest, what follows, and the hash of all that.
pub(super) fn compose(given: &Given, derived: &Derived) -> Result<Value, Faults> {
    let Value::Object(mut members) = bare(given)? else { return Err(Fault::new("INTERNAL", "", "a derivation is an object").into()) };
    // Documents have their own one spelling.
    if let Some(versions) = members.get_mut("versions").and_then(Value::as_array_mut) {
        versions.iter_mut().zip(&given.versions).for_each(|(version, given)| {
            if let Some(members) = version.as_object_mut() {
                members.insert("document".to_owned(), given.document.clone());
            }
        });
    }
    complete(members, derived)
}

/// Adds what follows from what is stated: its digest, the result, and the hash of all that.
pub(super) fn complete(mut members: serde_json::Map<String, Value>, derived: &impl Serialize) -> Result<Value, Faults> {
    let inputs = members.get("inputs").map(digest).unwrap_or_default();
    members.insert("inputsDigest".to_owned(), Value::String(inputs));
    members.insert("result".to_owned(), bare(derived)?);
    let hash = digest(&Value::Object(members.clone()));
    members.insert("hash".to_owned(), Value::String(hash));
    Ok(Value::Object(members))
}

/// A period as the run states it, before anything is carried.
struct Settled {
    calculated: Calculated,
    stated: Stated,
    before: i64,
    lines: Vec<StatedLine>,
    difference: i64,
    policy: NegativeDifference,
}

/// Computes every period of the run, and the statement. Answers the ranks that were asked for as well.
pub(super) fn settle(given: &Given, programs: &Programs, facts: &Facts, ranks: RankSource<'_>) -> Result<(Derived, Vec<StatedRank>), Faults> {
    let mut settled = Vec::with_capacity(given.inputs.periods.len());
    let mut kept = Vec::new();
    for (at, period) in given.inputs.periods.iter().enumerate() {
        let mut one = settle_period(given, programs, facts, ranks, at, period)?;
        kept.append(&mut one.calculated.ranks);
        settled.push(one);
    }
    kept.sort();
    kept.dedup();
    let heading = &given.statement;
    let currency = heading.currency;
    // The latest period's policy holds for all of them.
    let policy = settled.last().map_or(NegativeDifference::ClawBack, |one| one.policy);
    let shortfall = minor(&given.inputs.shortfall, currency, "inputs.shortfall")?;
    let differences: Vec<i64> = settled.iter().map(|one| one.difference).collect();
    let carried = carry(policy, shortfall, &differences).map_err(too_large)?;
    let sum = given.inputs.periods.iter().zip(&settled).zip(&carried).map(|((period, one), carried)| PeriodSum {
        period: period.period.clone(),
        entitled: amount(one.stated.amount.minor, currency),
        before: amount(one.before, currency),
        difference: amount(one.difference, currency),
        carried: amount(*carried, currency),
        posted: amount(one.difference.saturating_add(*carried), currency),
    });
    let sum = sum.collect();
    let at = given.inputs.periods.iter().position(|period| period.period == heading.period);
    let missing = || Fault::new("UNKNOWN_PERIOD", "statement.period", format!("{} is not among the periods that are stated", heading.period));
    let at = at.ok_or_else(missing)?;
    let (Some(one), Some(carried), Some(period)) = (settled.into_iter().nth(at), carried.get(at), given.inputs.periods.get(at)) else {
        return Err(missing().into());
    };
    Ok((statement(given, period, one, *carried, sum)?, kept))
}

fn settle_period(given: &Given, programs: &Programs, facts: &Facts, ranks: RankSource<'_>, at: usize, period: &PeriodGiven) -> Result<Settled, Faults> {
    let heading = &given.statement;
    let unknown =
        || Fault::new("UNKNOWN_VERSION", format!("inputs.periods[{at}].version"), format!("version {} is not among those that are stated", period.version));
    let program = programs.get(&period.version).ok_or_else(unknown)?;
    let partner = facts.partners.get(&heading.partner).ok_or_else(|| crate::rebate::unknown_partner(&heading.partner))?;
    let knowledge = knowledge(given);
    let question = Question { program, facts, knowledge: &knowledge, ranks, partner, schedule: &heading.schedule };
    let calculated = question.answer(&period.period)?;
    let no_period = || Fault::new("UNKNOWN_PERIOD", format!("inputs.periods[{at}].period"), format!("{} has no period {}", heading.schedule, period.period));
    let (Some(entitlement), Some(schedule)) = (&calculated.entitlement, program.schedule(&heading.schedule)) else { return Err(no_period().into()) };
    if entitlement.currency != heading.currency {
        return Err(Fault::new("DIFFERENT", "statement.currency", format!("the schedule computes in {}", entitlement.currency)).into());
    }
    let mut stated = state(entitlement.clone(), schedule).map_err(too_large)?;
    share_budget(given, schedule, period, &mut stated)?;
    stated.adjust(agreed(given, period)?).map_err(too_large)?;
    let before: &[StatedLine] = given.inputs.before.iter().find(|before| before.period == period.period).map_or(&[], |before| &before.lines);
    let lines = difference(std::mem::take(&mut stated.lines), before).map_err(too_large)?;
    let before = before.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount)).ok_or(Overflow).map_err(too_large)?;
    let changed = stated.amount.minor.checked_sub(before).ok_or(Overflow).map_err(too_large)?;
    let policy = schedule.true_up.negative;
    Ok(Settled { stated, before, lines, difference: changed, policy, calculated })
}

fn knowledge(given: &Given) -> Knowledge {
    let read = |posted: &PostedGiven| posted.cut_offs.iter().map(|cut_off| CutOff::Batch(*cut_off)).collect();
    Knowledge { runs: given.inputs.posted.iter().map(|posted| (posted.period.clone(), read(posted))).collect(), ..Knowledge::default() }
}

fn share_budget(given: &Given, schedule: &RebateSchedule, period: &PeriodGiven, stated: &mut Stated) -> Result<(), Faults> {
    match given.inputs.shares.iter().enumerate().find(|(_, share)| share.period == period.period) {
        Some((at, stated_share)) => share(stated, schedule, stated_share, &format!("inputs.shares[{at}]")),
        None => Ok(()),
    }
}

/// What was decided for a period, in sum.
fn agreed(given: &Given, period: &PeriodGiven) -> Result<i64, Faults> {
    let mut sum = 0_i64;
    for (at, one) in given.inputs.adjustments.iter().enumerate().filter(|(_, one)| one.period == period.period) {
        let amount = minor(&one.amount, given.statement.currency, &format!("inputs.adjustments[{at}].amount"))?;
        sum = sum.checked_add(amount).ok_or(Overflow).map_err(too_large)?;
    }
    Ok(sum)
}

/// The statement, with the line that says what is carried, and its hash.
fn statement(given: &Given, period: &PeriodGiven, settled: Settled, carried: i64, sum: Vec<PeriodSum>) -> Result<Derived, Faults> {
    let heading = &given.statement;
    let Settled { calculated, stated, before, mut lines, difference, .. } = settled;
    if carried != 0 {
        lines.push(StatedLine::of(if carried < 0 { LineKind::SetOff } else { LineKind::CarriedForward }, carried, heading.currency));
    }
    let version = given.versions.iter().find(|version| version.number == period.version).map(|version| version.digest.clone()).unwrap_or_default();
    let posted = difference.checked_add(carried).ok_or(Overflow).map_err(too_large)?;
    let body = Body { version, days: stated.span, before, carried, posted, lines: lines.clone(), stated: stated.clone() };
    Ok(Derived {
        version: period.version,
        windows: calculated.windows,
        measured: calculated.measured,
        condition: calculated.condition,
        entitlement: calculated.entitlement,
        stacked: calculated.stacked,
        sum,
        content_hash: body.of(heading).content_hash(),
        statement: StatementDerived {
            tier: stated.tier,
            qualifier: stated.qualifier,
            basis: stated.basis,
            exact: stated.exact,
            inputs: stated.inputs,
            steps: stated.steps,
            lines,
            posted: amount(posted, heading.currency),
        },
        body,
    })
}

pub(super) fn too_large(overflow: Overflow) -> Faults {
    Fault::new("OUT_OF_RANGE", "result", overflow.to_string()).into()
}
