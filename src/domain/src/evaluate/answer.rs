//! The answers to a case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Ask, CaseInput, CaseProgram, Evaluation};
use crate::benefit;
use crate::date::Date;
use crate::facts::Facts;
use crate::facts::convert::{Vocabulary, convert_order};
use crate::fault::Faults;
use crate::levelling::{LadderRisk, Standing};
use crate::metric::MetricValue;
use crate::money::Money;
use crate::period::Period;
use crate::program::Program;
use crate::rebate::{Entitlement, Estimate, PeriodResult, RunResult};

/// What a case answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The case's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// The program that answered.
    pub program: ProgramAnswer,
    /// The case's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Date>,
    /// By partner code.
    pub partners: BTreeMap<String, PartnerAnswer>,
}

/// The program that answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramAnswer {
    /// Its code.
    pub code: String,
    /// From when the version holds.
    pub effective_on: Date,
    /// The digest of the document.
    pub digest: String,
}

/// The answers for one partner: a member for each question that was asked.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerAnswer {
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// Metrics by key.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared_values")]
    pub metrics: Option<BTreeMap<String, Arc<MetricValue>>>,
    /// What it is entitled to, in the document's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entitlements: Option<Vec<benefit::Entitlement>>,
    /// Rebates, in the order asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebates: Option<Vec<RebateAnswer>>,
    /// Runs, in the order asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunResult>>,
    /// Estimates by schedule and period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimates: Option<Vec<Estimate>>,
    /// What is about to be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Vec<LadderRisk>>,
}

/// The rebates of a period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebateAnswer {
    /// The period's name.
    pub period: String,
    /// The sum by currency.
    pub totals: BTreeMap<String, String>,
    /// By schedule, in the document's order.
    pub entitlements: Vec<Entitlement>,
}

fn shared_values<S: Serializer>(values: &Option<BTreeMap<String, Arc<MetricValue>>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().flatten().map(|(key, value)| (key, value.as_ref())))
}

/// Answers for every partner that is asked about.
pub(super) fn answer(case: &CaseInput, known: &CaseProgram, facts: &Facts, asks: &[Ask]) -> Result<Answer, Faults> {
    let program = &known.program;
    let evaluation = Evaluation::new(program, facts);
    let codes: BTreeSet<&String> = if case.partners.is_empty() { facts.partners.keys().collect() } else { case.partners.iter().collect() };
    let mut partners = BTreeMap::new();
    for code in codes {
        let mut answer = PartnerAnswer::default();
        for ask in asks {
            one(&evaluation, case, code, ask, &mut answer).map_err(|faults| from_root(program, faults))?;
        }
        partners.insert(code.clone(), answer);
    }
    let program = ProgramAnswer { code: program.code().to_owned(), effective_on: program.effective_on(), digest: known.digest.clone() };
    Ok(Answer { id: case.id.clone(), program, as_of: case.as_of, partners })
}

/// The same faults, with what stands at `from` found at `to`.
fn moved(mut faults: Faults, from: &str, to: &str) -> Faults {
    for fault in &mut faults.0 {
        let rest = fault.path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with(['[', '.']));
        if let Some(rest) = rest {
            fault.path = format!("{to}{rest}");
        }
    }
    faults
}

/// The same faults with paths from the case's root: engines name a schedule by its key, and a case has it in a list.
fn from_root(program: &Program, faults: Faults) -> Faults {
    let schedules = program.document.rebate_schedules.iter().enumerate();
    schedules.fold(faults, |faults, (at, schedule)| moved(faults, &format!("rebateSchedules.{}", schedule.key), &format!("program.rebateSchedules[{at}]")))
}

fn one(evaluation: &Evaluation<'_>, case: &CaseInput, code: &str, ask: &Ask, answer: &mut PartnerAnswer) -> Result<(), Faults> {
    let as_of = case.as_of.unwrap_or(Date::MIN);
    match ask {
        Ask::Standing(ask) => {
            let mut standing = evaluation.standing(code, as_of)?;
            standing.ladders.retain(|ladder| ask.ladders.is_empty() || ask.ladders.contains(&ladder.ladder));
            if ask.explain == Some(false) {
                for ladder in &mut standing.ladders {
                    ladder.applies_to = None;
                    ladder.tiers.iter_mut().for_each(|tier| tier.requirement = None);
                }
            }
            answer.standing = Some(standing);
        }
        Ask::Metrics(ask) => answer.metrics = Some(evaluation.metrics(&ask.metrics, code, as_of)?),
        Ask::Entitlements(ask) => {
            let mut entitlements = evaluation.entitlements(code, as_of, ask.region.as_deref())?;
            entitlements.retain(|entitlement| ask.benefits.is_empty() || ask.benefits.contains(&entitlement.benefit));
            answer.entitlements = Some(entitlements);
        }
        Ask::Rebates(ask) => {
            let rebates = answer.rebates.get_or_insert_default();
            for period in periods(evaluation.program(), &ask.periods, as_of) {
                let result = evaluation.rebates(code, &period, ask.known_on)?;
                rebates.push(rebate_answer(result, &ask.schedules));
            }
        }
        Ask::Runs(ask) => {
            let found = evaluation.runs(code, &ask.runs).map_err(|faults| moved(faults, "runs", &ask.path))?;
            answer.runs.get_or_insert_default().extend(found);
        }
        Ask::Estimate(ask) => {
            // Judged with the questions: here it gets the categories of its products.
            let order = convert_order(&ask.order, &case.facts.products, Vocabulary::of(evaluation.program()))?;
            let estimates = answer.estimates.get_or_insert_default();
            for period in periods(evaluation.program(), &ask.periods, as_of) {
                let found = evaluation.estimate(code, &period, as_of, &order)?;
                estimates.extend(found.into_iter().filter(|estimate| ask.schedules.is_empty() || ask.schedules.contains(&estimate.schedule)));
            }
        }
        Ask::Risk(ask) => answer.risk = Some(evaluation.risk(code, as_of, ask.until.unwrap_or_else(|| as_of.plus_months(12)))?),
    }
    Ok(())
}

/// The periods of these names; those that hold the date and that the version governs when none is named.
fn periods(program: &Program, names: &[String], as_of: Date) -> Vec<Period> {
    if !names.is_empty() {
        return names.iter().filter_map(|name| program.period_named(name)).collect();
    }
    let mut held: Vec<Period> = Vec::new();
    for schedule in &program.document.rebate_schedules {
        if let Some(period) = program.periods(&schedule.period).holding(as_of)
            && !held.iter().any(|other| other.name == period.name)
            && period.span.from >= program.effective_on()
        {
            held.push(period);
        }
    }
    held
}

fn rebate_answer(result: PeriodResult, schedules: &[String]) -> RebateAnswer {
    let mut entitlements = result.entitlements;
    entitlements.retain(|entitlement| schedules.is_empty() || schedules.contains(&entitlement.schedule));
    let mut totals: BTreeMap<String, Money> = BTreeMap::new();
    for entitlement in &entitlements {
        let total = totals.entry(entitlement.currency.code().to_owned()).or_insert(Money::zero(entitlement.currency));
        total.minor = total.minor.saturating_add(entitlement.amount.minor);
    }
    let totals = totals.into_iter().map(|(currency, total)| (currency, total.amount())).collect();
    RebateAnswer { period: result.period, totals, entitlements }
}
