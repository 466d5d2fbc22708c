//! What has to be read for a question, and reading it: a fixed number of statements whatever the number of partners.
//!
//! The rules say what they need ([`guerdon_domain::metric::plan`]): kept monthly sums where those suffice, sale lines elsewhere.
//! It is read for all partners of a question at once.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Facts, PartnerFacts, SalesSum};
use guerdon_domain::metric::plan::{FactsPlan as Reading, plan, plan_benefits, plan_operand, plan_requirement, plan_until};
use guerdon_domain::period::Period;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::batch::days_of_lines;
use guerdon_domain::rebate::{AskedOn, asked_in_period};
use guerdon_store::{FactsPlan, LoadedFacts, ProgramId, ReadTx, StoreError};

use super::partners::PartnerId;
use super::programs::{InForce, ProgramKey, in_force_many, program_in, today_in};
use super::{App, Ctx};
use crate::error::{AppError, COHORT_TOO_LARGE};

/// Partners of one cohort that are read for one answer at most: a larger one is refused, since a rank or a share among a part of it
/// would be wrong.
const COHORT_MAX: u32 = 100_000;

/// What judging tiers on every day from `first` to `last` reads.
pub(super) fn for_judging(program: &Program, first: Date, last: Date) -> Reading {
    if first == last { plan(program, first) } else { plan_until(program, first, last) }
}

/// What resolving entitlements reads besides the partner's state: what the conditions of grants ask for, of some benefits or of all.
pub(super) fn for_entitlements(program: &Program, as_of: Date, benefits: Option<&BTreeSet<String>>) -> Reading {
    plan_benefits(program, as_of, benefits)
}

/// What computing rebates for a period reads: the sale lines of the days that its schedules look at, as far back as bands, baselines
/// and carries go; and what conditions and figures of the schedules ask for.
pub(super) fn for_rebates(program: &Program, period: &Period) -> Reading {
    let reading = for_runs(program, period);
    // A budget is shared with all partners.
    let shared = program.document.rebate_schedules.iter().any(|schedule| schedule.budget.is_some());
    Reading { cohort: reading.cohort || shared, ..reading }
}

/// As [`for_rebates`], for a run, which shares budgets over all its partners itself.
pub(super) fn for_runs(program: &Program, period: &Period) -> Reading {
    let mut reading = Reading::default();
    for AskedOn { program, asks, days } in asked_in_period(program, &period.name) {
        let of_conditions = asks.requirements.iter().map(|condition| plan_requirement(program, condition, days));
        let of_figures = asks.operands.iter().map(|operand| plan_operand(program, operand, days));
        for part in of_conditions.chain(of_figures) {
            reading = join(reading, part);
        }
        if asks.deals {
            (reading.deals, reading.deals_in) = (true, None);
        }
        if asks.acceptances {
            (reading.holdings, reading.holdings_on) = (true, None);
        }
    }
    let mut reading = reading.in_lines();
    reading.lines.push(days_of_lines(program, &period.name));
    Reading { exchange_rates: true, ..reading }
}

fn join(one: Reading, other: Reading) -> Reading {
    let activities = match (one.activities, other.activities) {
        (Some(one), Some(other)) => Some(Span::new(one.from.min(other.from), one.until.max(other.until))),
        (one, other) => one.or(other),
    };
    // Days are only left out where both parts, as far as they ask at all, name theirs.
    let days = |(asks, on): (bool, Option<Span>), (also, further): (bool, Option<Span>)| match (asks, also) {
        (true, true) => on.zip(further).map(|(one, other)| Span::new(one.from.min(other.from), one.until.max(other.until))),
        (true, false) => on,
        (false, _) => further,
    };
    Reading {
        holdings_on: days((one.holdings, one.holdings_on), (other.holdings, other.holdings_on)),
        deals_in: days((one.deals, one.deals_in), (other.deals, other.deals_in)),
        lines: one.lines.into_iter().chain(other.lines).collect(),
        monthly: one.monthly.into_iter().chain(other.monthly).collect(),
        daily: one.daily.into_iter().chain(other.daily).collect(),
        foreign_needs_lines: one.foreign_needs_lines || other.foreign_needs_lines,
        fold: None,
        holdings: one.holdings || other.holdings,
        activities,
        deals: one.deals || other.deals,
        subtree: one.subtree || other.subtree,
        parents: one.parents || other.parents,
        cohort: one.cohort || other.cohort,
        exchange_rates: one.exchange_rates || other.exchange_rates,
    }
}

/// What several versions of a program read together. A month that one reads as lines is read as lines.
pub(super) fn together(readings: impl IntoIterator<Item = Reading>) -> Reading {
    let mut all = readings.into_iter();
    let Some(first) = all.next() else { return Reading::default() };
    let rest: Vec<Reading> = all.collect();
    if rest.is_empty() {
        return first;
    }
    rest.into_iter().fold(first, join).in_lines()
}

/// What was read for a question.
pub(super) struct Known {
    /// The partners that were asked about and lie in scope, with their codes.
    pub(super) ids: BTreeMap<PartnerId, String>,
    /// What engines run on: those partners, and whoever else counts for them.
    pub(super) facts: Facts,
}

/// A question to the store.
struct Reader<'r> {
    tx: &'r ReadTx,
    program: ProgramId,
    currency: guerdon_domain::money::Currency,
    reading: &'r Reading,
    /// Facts of later days are not read.
    as_of: Date,
    /// Who is enrolled on this day makes up the cohort.
    cohort_on: Date,
    /// What came later is not read.
    up_to: Option<UpTo>,
}

/// Up to where a run reads: what comes later is true-up, in a later run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpTo {
    /// The last sealed batch whose facts count.
    pub cut_off: i64,
    /// The last change that counts, of everything on record about partners: profiles, enrollments, tiers, overrides and the like.
    pub records: i64,
}

/// Reads what `reading` asks for about partners, up to `as_of`.
pub(super) async fn read_facts(tx: &ReadTx, scope: &Scope, in_force: &InForce, reading: &Reading, as_of: Date, ids: &[PartnerId]) -> Result<Known, StoreError> {
    let reader = Reader { tx, program: in_force.program.id, currency: in_force.compiled.currency(), reading, as_of, cohort_on: as_of, up_to: None };
    reader.read(scope, ids).await
}

/// Reads what a run asks for about partners: whatever came up to `up_to`, of any day, since a return may be dated later than its sale.
pub(super) async fn read_facts_of_run(
    tx: &ReadTx,
    in_force: &InForce,
    reading: &Reading,
    last_day: Date,
    up_to: UpTo,
    ids: &[PartnerId],
) -> Result<Facts, StoreError> {
    let (program, currency) = (in_force.program.id, in_force.compiled.currency());
    let reader = Reader { tx, program, currency, reading, as_of: Date::MAX, cohort_on: last_day, up_to: Some(up_to) };
    Ok(reader.read(&Scope::All, ids).await?.facts)
}

impl Reader<'_> {
    async fn read(&self, scope: &Scope, ids: &[PartnerId]) -> Result<Known, StoreError> {
        let (tx, reading) = (self.tx, self.reading);
        let mut loaded = self.load(scope, ids).await?;
        if reading.cohort {
            let all = match self.up_to {
                None => tx.list_enrolled(&Scope::All, self.program, self.cohort_on, None, COHORT_MAX + 1).await?,
                Some(up_to) => tx.list_enrolled_by(self.program, self.cohort_on, up_to.records, COHORT_MAX + 1).await?,
            };
            if all.len() > COHORT_MAX as usize {
                return Err(StoreError::conflict(COHORT_TOO_LARGE));
            }
            let others: Vec<PartnerId> = all.into_iter().filter(|id| !loaded.ids.contains_key(id)).collect();
            loaded.partners.extend(self.load(&Scope::All, &others).await?.partners);
        }
        if reading.parents {
            let parents: BTreeSet<String> = loaded.partners.values().filter_map(|partner| partner.profile(self.cohort_on)?.parent.clone()).collect();
            let missing: Vec<String> = parents.into_iter().filter(|code| !loaded.partners.contains_key(code)).collect();
            let found = tx.partners_by_code_many(&Scope::All, &missing).await?;
            let above: Vec<PartnerId> = found.values().map(|parent| parent.id).collect();
            for (code, facts) in self.load(&Scope::All, &above).await?.partners {
                loaded.partners.entry(code).or_insert(facts);
            }
        }
        let exchange_rates = match (reading.exchange_rates, self.up_to) {
            (false, _) => Vec::new(),
            (true, None) => tx.list_exchange_rates(Date::MIN, self.as_of).await?,
            (true, Some(up_to)) => tx.list_rate_revisions(up_to.cut_off).await?,
        };
        Ok(Known { ids: loaded.ids, facts: Facts { partners: loaded.partners, exchange_rates, budgets: Vec::new() } })
    }

    fn plan(&self, lines: Vec<Span>) -> FactsPlan {
        let (cut_off, records) = self.up_to.map(|up_to| (up_to.cut_off, up_to.records)).unzip();
        FactsPlan { lines, subtree: self.reading.subtree, cut_off, records, ..FactsPlan::state(self.program, self.as_of) }
    }

    async fn load(&self, scope: &Scope, ids: &[PartnerId]) -> Result<LoadedFacts, StoreError> {
        let reading = self.reading;
        let months = reading.monthly.iter().copied().reduce(|one, other| Span::new(one.from.min(other.from), one.until.max(other.until)));
        let plan = FactsPlan {
            monthly: months,
            daily: reading.daily.clone(),
            fold: reading.fold.clone(),
            holdings: reading.holdings,
            holdings_on: reading.holdings_on,
            activities: reading.activities,
            deals: reading.deals,
            deals_in: reading.deals_in,
            ..self.plan(reading.lines.clone())
        };
        let mut loaded = self.tx.load_facts(scope, ids, &plan).await?;
        for facts in loaded.partners.values_mut() {
            facts.sums.retain(|sum| !is_monthly(sum) || reading.monthly.iter().any(|span| span.contains(sum.days.from)));
        }
        if reading.foreign_needs_lines && !reading.monthly.is_empty() {
            self.spell_out_foreign_sums(scope, ids, &mut loaded).await?;
        }
        Ok(loaded)
    }

    /// Sums in another currency cannot be converted at the dates of their lines: partners that have some are read line by line.
    async fn spell_out_foreign_sums(&self, scope: &Scope, ids: &[PartnerId], loaded: &mut LoadedFacts) -> Result<(), StoreError> {
        let foreign = |facts: &PartnerFacts| facts.sums.iter().any(|sum| is_monthly(sum) && sum.amount.currency != self.currency);
        if !loaded.partners.values().any(foreign) {
            return Ok(());
        }
        let plan = self.plan(self.reading.monthly.clone());
        let lines = if plan.subtree { self.tx.load_facts(scope, ids, &plan).await?.partners } else { self.tx.load_lines_of(&loaded.ids, &plan).await? };
        for (code, mut facts) in lines {
            let Some(held) = loaded.partners.get_mut(&code).filter(|held| foreign(held)) else { continue };
            held.sums.retain(|sum| !is_monthly(sum));
            held.transactions.append(&mut facts.transactions);
            held.transactions.sort_by_key(|line| line.date);
        }
        Ok(())
    }
}

/// Whether a sum is of a month, and not of one day.
fn is_monthly(sum: &SalesSum) -> bool {
    sum.days.days() > 1
}

/// The date that is meant and the version in force on it: today in the program's time zone when none is named. None before the
/// first version.
pub(super) async fn dated(app: &App, ctx: &Ctx, tx: &ReadTx, program: Option<&ProgramKey>, as_of: Option<Date>) -> Result<Option<(Date, InForce)>, AppError> {
    if let Some(date) = as_of {
        let mut found = in_force_many(app, tx, program, &BTreeSet::from([date])).await?;
        return Ok(found.remove(&date).map(|in_force| (date, in_force)));
    }
    // The day may already be another one in the program's time zone; the time zone is the latest version's.
    let near = BTreeSet::from([ctx.today.plus_days(-1), ctx.today, ctx.today.next()]);
    let mut found = in_force_many(app, tx, program, &near).await?;
    let Some(latest) = found.values().next_back() else { return Ok(None) };
    let today = today_in(ctx, &latest.compiled);
    Ok(found.remove(&today).map(|in_force| (today, in_force)))
}

/// The program of a question whose answer needs no version.
pub(super) async fn program_of(tx: &ReadTx, program: Option<&ProgramKey>) -> Result<ProgramId, AppError> {
    Ok(program_in(tx, program).await?.id)
}

/// Runs what computes and waits for nothing aside, so that it does not hold up other requests.
pub(super) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}
