//! What changes in the rebates of given periods.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::delta::{levelling_differs, rebates_differ};
use super::judge::{Asked, Moved, MovedTiers};
use super::tally::{Tally, Unsummed};
use super::{RebatePeriod, RebateTiers, Simulation, Terms};
use crate::date::Date;
use crate::facts::{AssignmentCause, Facts, PartnerFacts, TierAssignment};
use crate::fault::Faults;
use crate::money::Currency;
use crate::period::Period;
use crate::program::Program;
use crate::rebate::batch::{ColumnSums, PeriodPlan, SumColumn};
use crate::rebate::{Knowledge, Levelled, OnRecord, PeriodResult, TierSource, asks_measures, compute_unbudgeted};

/// What one partner earned by one schedule, in minor units, before budgets.
type Earned = BTreeMap<(String, Currency), i64>;

/// The results of one world by partner.
type Results<'c> = BTreeMap<&'c str, Result<Earned, Faults>>;

/// The columns that every schedule of the periods is computed from, each once; none where one of them needs lines.
pub(super) fn columns(terms: &Terms, periods: &[RebatePeriod]) -> Option<Vec<SumColumn>> {
    let mut columns: Vec<SumColumn> = Vec::new();
    for (program, period) in periods.iter().flat_map(|period| [&period.before, &period.after]).flatten() {
        let plan = PeriodPlan::new(program, &period.name);
        if terms.level_for_rebates || !plan.by_lines().is_empty() || plan.columns.iter().any(|column| terms.as_of < column.days.last_day()) {
            return None;
        }
        for column in plan.columns {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    (!columns.is_empty()).then_some(columns)
}

pub(super) fn compare(simulation: &Simulation, facts: (&Facts, Option<&Facts>), asked: &[Asked<'_>], moved: &Moved, tally: &mut Tally) {
    for period in &simulation.periods {
        compare_period(simulation, period, facts, asked, moved, tally);
    }
}

pub(super) fn compare_period(
    simulation: &Simulation,
    period: &RebatePeriod,
    facts: (&Facts, Option<&Facts>),
    asked: &[Asked<'_>],
    moved: &Moved,
    tally: &mut Tally,
) {
    let budgeted = budgeted(period);
    let (summed, rest): (Vec<Asked<'_>>, Vec<Asked<'_>>) = asked.iter().partition(|partner| partner.sums.is_some());
    compare_sums(simulation, period, facts, (&summed, moved), &budgeted, tally);
    if rest.is_empty() {
        return;
    }
    let before = world(simulation, period.before.as_ref(), facts.0, &rest);
    let after = after(simulation, period, facts, &rest, moved, &before);
    for partner in &rest {
        let none = Ok(Earned::new());
        let then = before.get(partner.code).unwrap_or(&none);
        let now = after.get(partner.code).unwrap_or(then);
        match (then, now) {
            (Ok(then), Ok(now)) => add(&period.name, *partner, then, now, &budgeted, tally),
            (Err(faults), _) | (_, Err(faults)) => tally.fail(partner.code, faults.clone()),
        }
    }
}

/// One side of a period, computed from sums.
struct Summing<'p> {
    plan: PeriodPlan<'p>,
    /// Where its columns stand among those of the simulation.
    places: Vec<usize>,
}

impl<'p> Summing<'p> {
    fn new(simulation: &Simulation, side: &'p (Arc<Program>, Period)) -> Self {
        let (program, period) = side;
        let plan = PeriodPlan::new(program, &period.name);
        let place = |column: &SumColumn| simulation.columns.iter().flatten().position(|known| known == column).unwrap_or(usize::MAX);
        let places = plan.columns.iter().map(place).collect();
        Self { plan, places }
    }

    /// What a partner earns; none where its sums do not suffice.
    fn earned(&self, partner: &PartnerFacts, sums: &[ColumnSums]) -> Result<Option<Earned>, Faults> {
        let own: Vec<ColumnSums> = self.places.iter().map(|place| sums.get(*place).copied().unwrap_or_default()).collect();
        let entitlements = self.plan.entitle(&self.plan.tiers(partner)?, &own)?;
        Ok(entitlements.map(|all| all.into_iter().flatten().map(|(owed, _)| ((owed.schedule, owed.currency), owed.amount.minor)).collect()))
    }
}

/// Compares partners by their sums; those whose sums do not suffice are left for their lines.
fn compare_sums(
    simulation: &Simulation,
    period: &RebatePeriod,
    (reality, hypothesis): (&Facts, Option<&Facts>),
    (asked, moved): (&[Asked<'_>], &Moved),
    budgeted: &BTreeSet<String>,
    tally: &mut Tally,
) {
    if asked.is_empty() {
        return;
    }
    let (before, after) = (period.before.as_ref().map(|side| Summing::new(simulation, side)), period.after.as_ref().map(|side| Summing::new(simulation, side)));
    let as_moved = simulation.terms.rebate_tiers == RebateTiers::AsMoved;
    let everybody = hypothesis.is_some() || differs(simulation, period);
    let earned = |side: &Option<Summing<'_>>, facts: Option<&PartnerFacts>, sums: &[ColumnSums]| match (side, facts) {
        (Some(side), Some(facts)) => side.earned(facts, sums),
        _ => Ok(Some(Earned::new())),
    };
    for partner in asked {
        let sums = partner.sums.unwrap_or_default();
        let tiers = moved.get(partner.code);
        let facts = hypothesis.unwrap_or(reality).partners.get(partner.code);
        let other = facts.zip(tiers.filter(|_| as_moved)).map(|(facts, tiers)| hold(facts.clone(), tiers));
        let compared = earned(&before, reality.partners.get(partner.code), sums).and_then(|then| {
            let now = if everybody || other.is_some() { earned(&after, other.as_ref().or(facts), sums)? } else { then.clone() };
            Ok(then.zip(now))
        });
        match compared {
            Ok(Some((then, now))) => add(&period.name, *partner, &then, &now, budgeted, tally),
            Ok(None) => {
                let tiers = tiers.cloned().unwrap_or_default();
                tally.unsummed.push(Unsummed { partner: partner.code.to_owned(), period: period.name.clone(), told: partner.told, tiers });
            }
            Err(faults) => tally.fail(partner.code, faults),
        }
    }
}

fn add(period: &str, partner: Asked<'_>, then: &Earned, now: &Earned, budgeted: &BTreeSet<String>, tally: &mut Tally) {
    let keys: BTreeSet<&(String, Currency)> = then.keys().chain(now.keys()).collect();
    for key in keys {
        let (schedule, currency) = key;
        let (before, after) = (then.get(key).copied(), now.get(key).copied());
        if budgeted.contains(schedule) {
            tally.shared(period, schedule, *currency, partner, before, after);
        } else if partner.told {
            tally.rebate(period, schedule, *currency, partner.code, before.unwrap_or(0), after.unwrap_or(0));
        }
    }
}

/// The schedules whose budget is shared in one of the worlds.
fn budgeted(period: &RebatePeriod) -> BTreeSet<String> {
    let programs = [&period.before, &period.after].into_iter().flatten().map(|(program, _)| program);
    programs.flat_map(|program| &program.document.rebate_schedules).filter(|schedule| schedule.budget.is_some()).map(|schedule| schedule.key.clone()).collect()
}

/// What a world gives; nothing where it has no such period.
fn world<'c>(simulation: &Simulation, period: Option<&(Arc<Program>, Period)>, facts: &Facts, asked: &[Asked<'c>]) -> Results<'c> {
    let Some((program, period)) = period else { return asked.iter().map(|partner| (partner.code, Ok(Earned::new()))).collect() };
    let knowledge = Knowledge { as_of: Some(simulation.terms.as_of), ..Knowledge::default() };
    let levelled = Levelled::new(program, facts);
    let tiers: &dyn TierSource = if simulation.terms.level_for_rebates { &levelled } else { &OnRecord };
    let codes: Vec<String> = asked.iter().map(|partner| partner.code.to_owned()).collect();
    let results = compute_unbudgeted(program, facts, &codes, period, &knowledge, tiers);
    asked.iter().zip(results).map(|(partner, result)| (partner.code, result.map(|result| earned(&result)))).collect()
}

fn earned(result: &PeriodResult) -> Earned {
    result.entitlements.iter().map(|owed| ((owed.schedule.clone(), owed.currency), owed.amount.minor)).collect()
}

/// The results after the change; those that cannot be other ones are left out.
fn after<'c>(
    simulation: &Simulation,
    period: &RebatePeriod,
    (reality, hypothesis): (&Facts, Option<&Facts>),
    asked: &[Asked<'c>],
    moved: &Moved,
    before: &Results<'c>,
) -> Results<'c> {
    let facts = hypothesis.unwrap_or(reality);
    let as_moved = simulation.terms.rebate_tiers == RebateTiers::AsMoved && !moved.is_empty();
    let everybody = hypothesis.is_some() || differs(simulation, period);
    if everybody {
        let facts = if as_moved { Cow::Owned(with_tiers(facts.clone(), moved)) } else { Cow::Borrowed(facts) };
        return world(simulation, period.after.as_ref(), &facts, asked);
    }
    if !as_moved {
        return Results::new();
    }
    // Only those who move, and, where no rule looks at anybody else, only their facts.
    let movers: Vec<Asked<'c>> = asked.iter().filter(|partner| moved.contains_key(partner.code) && before.contains_key(partner.code)).copied().collect();
    let alone = period.after.as_ref().is_none_or(|(program, _)| !program.document.rebate_schedules.iter().any(asks_measures));
    let facts = if alone {
        let partners = movers.iter().filter_map(|partner| Some((partner.code.to_owned(), facts.partners.get(partner.code)?.clone()))).collect();
        Facts { partners, exchange_rates: facts.exchange_rates.clone(), budgets: facts.budgets.clone() }
    } else {
        facts.clone()
    };
    world(simulation, period.after.as_ref(), &with_tiers(facts, moved), &movers)
}

/// Whether the rules can give a partner that does not move another figure.
fn differs(simulation: &Simulation, period: &RebatePeriod) -> bool {
    match (&period.before, &period.after) {
        (Some((before, _)), Some((after, _))) if Arc::ptr_eq(before, after) => false,
        (Some((before, _)), Some((after, _))) => {
            let (before, after) = (&before.document, &after.document);
            rebates_differ(before, after) || (simulation.terms.level_for_rebates && levelling_differs(before, after))
        }
        _ => true,
    }
}

/// Lets partners hold the tiers that they move to.
fn with_tiers(mut facts: Facts, moved: &Moved) -> Facts {
    for (code, tiers) in moved {
        if let Some(partner) = facts.partners.remove(code) {
            facts.partners.insert(code.clone(), hold(partner, tiers));
        }
    }
    facts
}

/// Lets a partner hold the tiers that it moves to for ever. In a ladder without any record nothing is written: there a tier is
/// evaluated, or there is none.
fn hold(mut partner: PartnerFacts, tiers: &MovedTiers) -> PartnerFacts {
    for (ladder, region, tier) in tiers {
        let same = |held: &TierAssignment| held.ladder == *ladder && held.region == *region;
        if partner.assignments.iter().any(same) {
            partner.assignments.retain(|held| !same(held));
            let (ladder, region, tier) = (ladder.clone(), region.clone(), tier.clone());
            partner.assignments.push(TierAssignment { ladder, region, tier, from: Date::MIN, until: None, cause: AssignmentCause::VersionChange });
        }
    }
    partner
}
