//! What-if: reality and a hypothesis side by side, over all partners or a slice of them. Nothing is stored.
//!
//! Partners are read in parts of one snapshot, as reviews read them, and judged while the next part is read, so that memory
//! does not grow with their number.

mod admissions;
mod named;
mod parts;
mod products;
mod slice;

use std::collections::BTreeMap;
use std::sync::Arc;

use guerdon_domain::access::{Action, Condition, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::document::diff::{Change, diff};
use guerdon_domain::document::patch::RuleChange;
use guerdon_domain::document::read::{Format, read};
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::Facts;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::levelling::Due;
use guerdon_domain::metric::Evaluator;
use guerdon_domain::metric::plan::FactsPlan;
use guerdon_domain::simulation::facts::apply_hypotheses;
use guerdon_domain::simulation::{Asked, Hypothesis, RebatePeriod, RulesInForce, Simulation, Tally, Terms, hypothetical};
pub use guerdon_domain::simulation::{Judging, PartnerHypothesis, RebateTiers, Report};
use guerdon_store::ReadTx;

use super::levelling::PartnerStanding;
use super::partners::PartnerId;
use super::periods::{no_such_period, period_governed};
use super::plan::{Known, compute, dated, for_judging, for_runs, read_facts, together};
use super::programs::{InForce, ProgramKey, VersionId, VersionState, may_see, read_document};
use super::{App, Ctx};
use crate::error::AppError;
pub use admissions::SupposedAdmission;
pub use named::{Named, NamedKey};
use parts::Reading;
pub use slice::Slice;

/// Which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimulatedRules {
    /// Those in force.
    AsTheyAre,
    /// A version, also a draft, by its id.
    Version(VersionId),
    /// A document.
    Document(String),
    /// Those in force, with changes.
    Changed(Vec<RuleChange>),
}

/// A simulation to be made.
#[derive(Debug, Clone)]
pub struct Simulate {
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The date; today in the program's time zone when empty.
    pub as_of: Option<Date>,
    /// The rules.
    pub rules: SimulatedRules,
    /// What partners might have done.
    pub facts: Vec<PartnerHypothesis>,
    /// What those facts name, and where.
    pub named: Vec<Named>,
    /// Tiers that partners might be let into.
    pub admissions: Vec<SupposedAdmission>,
    /// Which partners.
    pub slice: Slice,
    /// How both worlds are judged.
    pub judging: Judging,
    /// Partners are near a threshold whose gap or margin is at most this fraction of it; a tenth when empty.
    pub near: Option<Exact>,
    /// Whether benefits are compared.
    pub benefits: bool,
    /// Which tiers count for rebates after the change.
    pub rebate_tiers: RebateTiers,
    /// The periods whose rebates are compared.
    pub periods: Vec<String>,
    /// Whether the limits of a request hold. The command line has none.
    pub bounded: bool,
}

impl Simulate {
    /// Rules over everybody today, with benefits and without rebates, within the limits of a request.
    pub fn of(rules: SimulatedRules) -> Self {
        Self {
            program: None,
            as_of: None,
            rules,
            facts: Vec::new(),
            named: Vec::new(),
            admissions: Vec::new(),
            slice: Slice::default(),
            judging: Judging::default(),
            near: None,
            benefits: true,
            rebate_tiers: RebateTiers::default(),
            periods: Vec::new(),
            bounded: true,
        }
    }
}

/// The date that a hypothesis is about, on which what is supposed without a date happens: today in the program's time zone when none is
/// named. Before the first version, where nothing is judged, the request's own date.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program.
pub async fn day_of(app: &App, ctx: &Ctx, program: Option<&ProgramKey>, as_of: Option<Date>) -> Result<Date, AppError> {
    ctx.require_under((Action::Read, Resource::Simulation), &[Condition::OwnFactsOnly])?;
    let Some(date) = as_of else {
        let found = app.store.read(async |tx| dated(app, ctx, tx, program, None).await).await?;
        return Ok(found.map_or(ctx.today, |(today, _)| today));
    };
    Ok(date)
}

/// What a simulation answers.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The program's code.
    pub program: String,
    /// The number of the version in force on the date.
    pub version: i64,
    /// What is different in the rules.
    pub rules: Vec<Change>,
    /// What came of it.
    pub report: Report,
}

/// What a simulation works with.
struct Prepared {
    in_force: InForce,
    hypothesis: Hypothesis,
    simulation: Arc<Simulation>,
    /// What partners might have done, with the tiers that they might be let into.
    supposed: Arc<[PartnerHypothesis]>,
}

/// Judges partners in both worlds and compares. A fixed number of statements for each part of the partners.
///
/// # Errors
/// `Forbidden`; `NotFound` about the program or a version that the caller may not see; `Invalid` with every fault of the rules, with
/// `NO_VERSION_IN_FORCE`, `UNKNOWN_PERIOD`, `UNKNOWN_PARTNER`; `Limit` with `TOO_MANY` and `TOO_SLOW`. A partner that cannot be judged is told in
/// the report.
pub async fn simulate(app: &App, ctx: &Ctx, input: &Simulate) -> Result<Simulated, AppError> {
    let scope = ctx.require((Action::Read, Resource::Simulation))?;
    check_size(app, input)?;
    app.store
        .read_in_bulk(async |tx| {
            let prepared = prepare(app, ctx, tx, input).await?;
            let whom = slice::find(tx, app, &scope, &prepared, input).await?;
            let reading = reading_of(&prepared, true);
            let tally = parts::judge_all(ctx, tx, &prepared, &reading, whom).await?;
            let Prepared { in_force, hypothesis, simulation, .. } = prepared;
            let rules = if Arc::ptr_eq(&hypothesis.before, &hypothesis.after) { Vec::new() } else { differences(&hypothesis)? };
            let report = compute(move || simulation.report(tally)).await?;
            Ok(Simulated { program: in_force.program.code.clone(), version: in_force.version.number, rules, report })
        })
        .await
}

fn check_size(app: &App, input: &Simulate) -> Result<(), AppError> {
    let mut faults = Faults::new();
    let limits = [
        ("rebatePeriods", input.periods.len(), app.limits.simulate_periods_max),
        ("facts", input.facts.len(), app.limits.partners_max),
        ("facts", input.admissions.len(), app.limits.facts_max),
    ];
    for (path, given, most) in limits.into_iter().filter(|(_, given, most)| input.bounded && given > most) {
        faults.add("TOO_MANY", path, format!("{given} were given, and at most {most} are taken: ask in several requests"));
    }
    for (at, hypothesis) in input.facts.iter().enumerate() {
        let facts = hypothesis.holdings.len() + hypothesis.transactions.len() + hypothesis.activities.len() + hypothesis.deals.len() + hypothesis.without.len();
        if facts > app.limits.facts_max {
            faults.add("TOO_MANY", format!("facts[{at}]"), format!("at most {} facts of a partner are supposed at once", app.limits.facts_max));
        }
    }
    if input.near.as_ref().is_some_and(|near| near.is_negative() || *near > Exact::ONE) {
        faults.add("OUT_OF_RANGE", "near", "write a fraction from 0 to 1: 0.1 is within a tenth of the threshold");
    }
    Ok(faults.or(())?)
}

/// What is different in the rules, without what only the comparison changed: the dates of a version, its tests.
fn differences(hypothesis: &Hypothesis) -> Result<Vec<Change>, AppError> {
    let (mut before, mut after) = (hypothesis.before.document.clone(), hypothesis.after.document.clone());
    for document in [&mut before, &mut after] {
        document.scenarios.clear();
    }
    after.version.effective_on = before.version.effective_on;
    diff(&before, &after).map_err(|fault| AppError::Invalid(fault.into()))
}

async fn prepare(app: &App, ctx: &Ctx, tx: &ReadTx, input: &Simulate) -> Result<Prepared, AppError> {
    let none = || AppError::invalid("NO_VERSION_IN_FORCE", "asOf", "no version of the program is in force on that date: there is nothing to compare with");
    let (as_of, in_force) = dated(app, ctx, tx, input.program.as_ref(), input.as_of).await?.ok_or_else(none)?;
    let rules = rules_of(app, ctx, tx, &in_force, &input.rules).await?;
    let hypothesis = hypothetical(&in_force.compiled, &rules, as_of).map_err(|faults| within_rules(faults, &input.rules))?;
    let mut supposed = admissions::suppose(&hypothesis.after, as_of, input)?;
    named::check(&hypothesis.after, &input.named)?;
    products::categorize(tx, &mut supposed, &input.named).await?;
    let supposed = supposed.into();
    let periods = periods_of(app, tx, &in_force, &hypothesis, &rules, (as_of, &input.periods)).await?;
    let defaults = Terms::on(as_of);
    let terms = Terms {
        judging: input.judging,
        near: input.near.clone().unwrap_or(defaults.near),
        benefits: input.benefits,
        rebate_tiers: input.rebate_tiers,
        listed: app.limits.simulate_listed_max,
        ..defaults
    };
    let simulation = Arc::new(Simulation::new(terms, &hypothesis, periods));
    Ok(Prepared { in_force, hypothesis, simulation, supposed })
}

/// Faults of a document have its own paths; those of changes stand under `rules`.
fn within_rules(faults: Faults, rules: &SimulatedRules) -> AppError {
    let under = |fault: Fault| if matches!(rules, SimulatedRules::Changed(_)) { fault.within("rules") } else { fault.within("rules.document") };
    AppError::Invalid(Faults(faults.0.into_iter().map(under).collect()))
}

async fn rules_of(app: &App, ctx: &Ctx, tx: &ReadTx, in_force: &InForce, rules: &SimulatedRules) -> Result<RulesInForce, AppError> {
    let (document, published) = match rules {
        SimulatedRules::AsTheyAre => return Ok(RulesInForce::AsTheyAre),
        SimulatedRules::Changed(changes) => return Ok(RulesInForce::Changed(changes.clone())),
        SimulatedRules::Version(version) => {
            let head = tx.find_version(*version).await?.filter(|head| may_see(ctx, head)).ok_or(AppError::NotFound)?;
            let text = tx.find_document(head.id).await?.ok_or(AppError::NotFound)?;
            let document = read(&text, Format::Json).map_err(AppError::internal)?;
            (document, head.state == VersionState::Published)
        }
        SimulatedRules::Document(text) => (read_document(app, text)?, false),
    };
    if document.program.code != in_force.program.code {
        let message = format!("the document is of program {}, and the simulation of {}", document.program.code, in_force.program.code);
        return Err(AppError::invalid("OTHER_PROGRAM", "rules", message));
    }
    let document = Box::new(document);
    Ok(if published { RulesInForce::Published(document) } else { RulesInForce::Document(document) })
}

/// The periods with the versions that compute them: in reality the one in force on the period's first day; changes are made to
/// that one.
async fn periods_of(
    app: &App,
    tx: &ReadTx,
    in_force: &InForce,
    hypothesis: &Hypothesis,
    rules: &RulesInForce,
    (as_of, names): (Date, &[String]),
) -> Result<Vec<RebatePeriod>, AppError> {
    let mut faults = Faults::new();
    let mut periods: Vec<RebatePeriod> = Vec::new();
    let key = ProgramKey::Id(in_force.program.id);
    for (at, name) in names.iter().enumerate() {
        let path = format!("rebatePeriods[{at}]");
        let found = match period_governed(app, tx, Some(&key), name).await? {
            Some((period, then)) if !Arc::ptr_eq(&then.compiled, &hypothesis.before) => {
                let of_then = hypothetical(&then.compiled, rules, period.span.from)
                    .map_err(|faults| AppError::Invalid(Faults(faults.0.into_iter().map(|fault| fault.within(&path)).collect())))?;
                RebatePeriod::named(name, &of_then.before, &of_then.after)
            }
            Some(_) => RebatePeriod::named(name, &hypothesis.before, &hypothesis.after),
            // Not in reality: the version in force on its first day has none, whatever the present one has.
            None => RebatePeriod::named(name, &hypothesis.before, &hypothesis.after).filter(|found| found.before.is_none()),
        };
        let Some(found) = found else {
            faults.add("UNKNOWN_PERIOD", path, no_such_period(app, tx, in_force, as_of).await?);
            continue;
        };
        let first = [&found.before, &found.after].into_iter().flatten().map(|(_, period)| period.span.from).min().unwrap_or(as_of);
        if first > as_of {
            faults.add("PERIOD_NOT_BEGUN", path, format!("{name} begins on {first}, after the date of the simulation"));
            continue;
        }
        if !periods.iter().any(|known| known.name == *name) {
            periods.push(found);
        }
    }
    Ok(faults.or(periods)?)
}

/// What both worlds read together. For many partners rebates come from sums, where these suffice.
fn reading_of(prepared: &Prepared, many: bool) -> Reading {
    let as_of = prepared.simulation.terms().as_of;
    let judging = [&prepared.hypothesis.before, &prepared.hypothesis.after].map(|program| for_judging(program, as_of, as_of));
    let sides = prepared.simulation.periods().iter().flat_map(|period| [&period.before, &period.after]).flatten();
    let rebates: Vec<FactsPlan> = sides.map(|(program, period)| for_runs(program, period)).collect();
    let changes_sales = prepared.supposed.iter().any(PartnerHypothesis::changes_sales);
    let from_sums = many && prepared.simulation.rebate_columns().is_some() && !changes_sales;
    let for_lines = from_sums.then(|| together(rebates.iter().cloned()));
    // What both worlds read alike is read once, with its kept sums.
    let mut readings: Vec<FactsPlan> = Vec::new();
    for reading in judging.into_iter().chain(rebates.into_iter().filter(|_| !from_sums)) {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    let all = together(readings);
    let by_line = changes_sales.then(|| all.clone().in_lines());
    Reading { usual: all, by_line, for_lines }
}

/// One partner in both worlds, explained.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// Where it stands.
    pub before: PartnerStanding,
    /// Where it would stand.
    pub after: PartnerStanding,
    /// What would be different.
    pub report: Report,
}

/// What if a partner had other facts? Asked about each of several partners by itself, by the rules as they are; for the partner's own
/// people too. A fixed number of statements whatever the number of partners. Partners out of scope are left out, and all of
/// them before the first version.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program and the question. A partner that cannot be judged has its own error.
pub async fn what_if_many(app: &App, ctx: &Ctx, input: &Simulate, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, Result<WhatIf, AppError>>, AppError> {
    let scope = ctx.require_under((Action::Read, Resource::Simulation), &[Condition::OwnFactsOnly])?;
    check_size(app, input)?;
    let input = Simulate { rules: SimulatedRules::AsTheyAre, ..input.clone() };
    let read = app
        .store
        .read(async |tx| {
            if dated(app, ctx, tx, input.program.as_ref(), input.as_of).await?.is_none() {
                return Ok::<_, AppError>(None);
            }
            let prepared = prepare(app, ctx, tx, &input).await?;
            let Reading { usual, by_line, .. } = reading_of(&prepared, false);
            // What partners earn of a shared budget depends on everybody.
            let reading = by_line.unwrap_or(usual);
            let reading = FactsPlan { cohort: reading.cohort || prepared.simulation.shares_budgets(), ..reading };
            let known = read_facts(tx, &scope, &prepared.in_force, &reading, prepared.simulation.terms().as_of, ids).await?;
            Ok(Some((prepared, known)))
        })
        .await?;
    let Some((prepared, known)) = read else { return Ok(BTreeMap::new()) };
    compute(move || known.ids.iter().map(|(id, code)| (*id, what_if(&prepared, &known, *id, code))).collect()).await
}

fn what_if(prepared: &Prepared, known: &Known, id: PartnerId, code: &str) -> Result<WhatIf, AppError> {
    let simulation = &prepared.simulation;
    let terms = simulation.terms();
    let mut tally = Tally::new(terms.listed);
    let supposed: Vec<PartnerHypothesis> = prepared.supposed.iter().map(|facts| PartnerHypothesis { partner: code.to_owned(), ..facts.clone() }).collect();
    let changed = apply_hypotheses(&known.facts, &supposed, terms.as_of, &mut tally);
    let due = if terms.judging == Judging::ReviewByCalendar { Due::ByCalendar } else { Due::Now };
    let standing = |facts: &Facts| {
        let standing = Evaluator::new(simulation.before(), facts).standing(code, terms.as_of, due)?;
        let program = ProgramKey::Id(prepared.in_force.program.id);
        Ok::<_, AppError>(PartnerStanding { partner: id, program, version: prepared.in_force.version.number, standing, ahead: None })
    };
    let before = standing(&known.facts)?;
    let after = standing(changed.as_ref().unwrap_or(&known.facts))?;
    let everybody = simulation.shares_budgets();
    let asked: Vec<Asked<'_>> =
        known.facts.partners.keys().filter(|own| everybody || *own == code).map(|own| Asked { code: own, told: own == code, sums: None }).collect();
    tally.merge(simulation.judge(&known.facts, changed.as_ref(), &asked));
    Ok(WhatIf { before, after, report: simulation.report(tally) })
}
