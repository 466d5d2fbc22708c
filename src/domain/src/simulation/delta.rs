//! What differs between two versions, so that what does not differ is not judged twice.

use std::collections::BTreeSet;

use crate::date::Date;
use crate::document::Document;
use crate::document::ladder::{Ladder, ReviewPolicy};
use crate::document::metric::{Formula, Metric};
use crate::document::requirement::Requirement;
use crate::metric::SharedMetrics;
use crate::program::Program;

/// What differs.
#[derive(Debug)]
pub(super) struct Delta {
    /// Whether partners may stand elsewhere.
    pub(super) levelling: bool,
    /// Where nothing can move a partner but that the requirement of one of these tiers (ladder and tier, by their places) has another verdict:
    /// then these alone are judged twice. None where more is different, or rules look at other days' tiers.
    pub(super) tiers: Option<Vec<(usize, usize)>>,
    /// The metrics that have the same value in both worlds over the same facts.
    pub(super) shared: SharedMetrics,
    /// The benefits that may be another one for a partner that does not move.
    pub(super) benefits: BTreeSet<String>,
}

impl Delta {
    pub(super) fn between(before: &Program, after: &Program, as_of: Date) -> Self {
        let (one, other) = (&before.document, &after.document);
        let levelling = levelling_differs(one, other) || one.version.effective_on != other.version.effective_on;
        Self { levelling, tiers: changed_tiers(one, other, as_of), shared: SharedMetrics::between(before, after), benefits: benefits_between(one, other) }
    }
}

/// Whether what every rule may look at is different: calendar, currency, regions, types, categories, units.
fn ground_differs(one: &Document, other: &Document) -> bool {
    one.program.currency != other.program.currency
        || one.program.fiscal_year_start != other.program.fiscal_year_start
        || one.program.time_zone != other.program.time_zone
        || one.regions != other.regions
        || one.region_groups != other.region_groups
        || one.partner_types != other.partner_types
        || one.categories != other.categories
        || one.version_lists != other.version_lists
        || one.unit_tables != other.unit_tables
        || one.custom_years != other.custom_years
}

/// Whether a rule of levelling is different; dates of the versions aside, but for the one from which reviews bind.
pub(crate) fn levelling_differs(one: &Document, other: &Document) -> bool {
    ground_differs(one, other)
        || one.metrics != other.metrics
        || one.requirements != other.requirements
        || one.ladders != other.ladders
        || one.version.enforced_on != other.version.enforced_on
}

/// The tiers whose requirements differ, where nothing else of levelling does and a verdict of the date hangs on the facts and verdicts of the
/// date alone.
fn changed_tiers(one: &Document, other: &Document, as_of: Date) -> Option<Vec<(usize, usize)>> {
    let bare = |document: &Document| -> Vec<Ladder> {
        let mut ladders = document.ladders.clone();
        for tier in ladders.iter_mut().flat_map(|ladder| &mut ladder.tiers) {
            (tier.requirement, tier.home_region_requirement) = (None, None);
        }
        ladders
    };
    let enforced = |document: &Document| document.version.enforced_on.is_none_or(|from| from <= as_of);
    let alike = !ground_differs(one, other) && one.metrics == other.metrics && one.requirements == other.requirements && bare(one) == bare(other);
    if !alike || !enforced(one) || !enforced(other) || !judges_the_day_alone(one) || !judges_the_day_alone(other) {
        return None;
    }
    let mut changed = Vec::new();
    for (at, (mine, theirs)) in (0_usize..).zip(one.ladders.iter().zip(&other.ladders)) {
        for (rank, (mine, theirs)) in (0_usize..).zip(mine.tiers.iter().zip(&theirs.tiers)) {
            if (&mine.requirement, &mine.home_region_requirement) != (&theirs.requirement, &theirs.home_region_requirement) {
                changed.push((at, rank));
            }
        }
    }
    Some(changed)
}

/// Whether no rule of levelling asks what was judged on another day, or of another partner.
fn judges_the_day_alone(document: &Document) -> bool {
    let calm = |policy: &ReviewPolicy| policy.grace.is_none() && policy.onboarding_deadline().is_none() && policy.protected_until.is_none();
    let of_ladder = |ladder: &Ladder| {
        let policies = std::iter::once(&ladder.review).chain(ladder.tiers.iter().filter_map(|tier| tier.review.as_ref()));
        let requirements = ladder.tiers.iter().flat_map(|tier| tier.requirement.iter().chain(&tier.home_region_requirement)).chain(&ladder.applies_to);
        !ladder.inherits_from_parent && policies.into_iter().all(calm) && requirements.into_iter().all(asks_the_day_alone)
    };
    document.ladders.iter().all(of_ladder)
        && document.requirements.iter().all(|shared| asks_the_day_alone(&shared.requirement))
        && !document.metrics.iter().any(chooses)
}

/// Whether the value of a metric hangs on a verdict, perhaps of a tier.
const fn chooses(metric: &Metric) -> bool {
    matches!(&metric.formula, Some(Formula::Choice(_)))
}

/// Whether a requirement may ask what a ladder gives. Only what plainly does not, by its metrics, is said not to.
fn may_ask_tiers(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::AllOf(of) | Requirement::AnyOf(of) => of.iter().any(may_ask_tiers),
        Requirement::AtLeast(rule) => rule.of.iter().any(may_ask_tiers),
        Requirement::Not(of) => may_ask_tiers(of),
        Requirement::Labelled(rule) => may_ask_tiers(&rule.requirement),
        Requirement::Metric(rule) => rule.metric.is_none(),
        Requirement::Holding(_) | Requirement::Contract(_) | Requirement::Partner(_) => false,
        _ => true,
    }
}

fn asks_the_day_alone(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::AllOf(of) | Requirement::AnyOf(of) => of.iter().all(asks_the_day_alone),
        Requirement::AtLeast(rule) => rule.of.iter().all(asks_the_day_alone),
        Requirement::Not(of) => asks_the_day_alone(of),
        Requirement::Labelled(rule) => asks_the_day_alone(&rule.requirement),
        // A formula that is written in place may choose.
        Requirement::Metric(rule) => rule.metric.is_some(),
        Requirement::Shared(_) | Requirement::Tier(_) | Requirement::Ladders(_) | Requirement::Holding(_) => true,
        Requirement::Tenure(_) | Requirement::Contract(_) | Requirement::Partner(_) => true,
        Requirement::Streak(_) | Requirement::OnAnyDay(_) | Requirement::ForEach(_) | Requirement::When(_) => false,
    }
}

/// Whether a rule of rebates is different; tiers by their names and order alone, where no schedule judges a requirement.
pub(super) fn rebates_differ(one: &Document, other: &Document) -> bool {
    let tiers = |document: &Document| -> Vec<(String, Vec<String>)> {
        document.ladders.iter().map(|ladder| (ladder.key.clone(), ladder.tiers.iter().map(|tier| tier.key.clone()).collect())).collect()
    };
    let judges = |document: &Document| document.rebate_schedules.iter().any(|schedule| schedule.condition.is_some());
    ground_differs(one, other)
        || one.rebate_schedules != other.rebate_schedules
        || one.stacking != other.stacking
        || one.metrics != other.metrics
        || tiers(one) != tiers(other)
        || ((judges(one) || judges(other)) && (one.requirements != other.requirements || one.ladders != other.ladders))
}

fn benefits_between(one: &Document, other: &Document) -> BTreeSet<String> {
    let all = || one.benefits.iter().chain(&other.benefits).map(|benefit| benefit.key.clone());
    let tiers = |document: &Document| -> Vec<Vec<String>> {
        document.ladders.iter().map(|ladder| ladder.tiers.iter().map(|tier| tier.key.clone()).chain([ladder.key.clone()]).collect()).collect()
    };
    let mut headers = [one.version.clone(), other.version.clone()];
    for header in &mut headers {
        header.label = None;
        header.announced_on = None;
        header.effective_on = crate::date::Date::MIN;
        header.enforced_on = None;
    }
    let [first, second] = headers;
    if ground_differs(one, other) || tiers(one) != tiers(other) || one.contract_templates != other.contract_templates || first != second {
        return all().collect();
    }
    let values_differ = one.metrics != other.metrics || one.requirements != other.requirements;
    let chooses = [one, other].iter().any(|document| document.metrics.iter().any(chooses));
    let judged_anew = |requirement: &Requirement| values_differ || (one.ladders != other.ladders && (chooses || may_ask_tiers(requirement)));
    let definition = |document: &Document, key: &str| document.benefits.iter().find(|benefit| benefit.key == key).cloned();
    let grants = |document: &Document, key: &str| document.grants.iter().filter(|grant| grant.benefit == key).cloned().collect::<Vec<_>>();
    let mut changed: BTreeSet<String> = all()
        .filter(|key| {
            let (mine, theirs) = (grants(one, key), grants(other, key));
            let mut asked = mine.iter().chain(&theirs).filter_map(|grant| grant.condition.as_ref()?.requirement.as_ref());
            definition(one, key) != definition(other, key) || mine != theirs || asked.any(judged_anew)
        })
        .collect();
    // What asks for another benefit follows it.
    loop {
        let conditions = one.grants.iter().chain(&other.grants).filter_map(|grant| Some((&grant.benefit, grant.condition.as_ref()?.benefit.as_ref()?)));
        let more: Vec<String> = conditions.filter(|(own, asked)| changed.contains(*asked) && !changed.contains(*own)).map(|(own, _)| own.clone()).collect();
        if more.is_empty() {
            return changed;
        }
        changed.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read::{Format, read};

    /// What hangs on the day of an onboarding deadline is judged as a whole, in whichever unit the deadline is stated.
    #[test]
    fn a_deadline_is_of_another_day() {
        let of = |review: &str, least: u32| {
            let text = format!(
                "guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2020-01-01}}\n\
                 metrics: [{{key: m, unit: COUNT, measure: {{source: HOLDINGS, window: {{onDay: {{}}}}, aggregate: COUNT}}}}]\n\
                 ladders: [{{key: L, review: {{{review}}}, tiers: [{{key: A, requirement: {{metric: {{metric: m, atLeast: {least}}}}}}}]}}]\n"
            );
            read(&text, Format::Yaml).unwrap()
        };
        let tiers = |review: &str| changed_tiers(&of(review, 1), &of(review, 2), Date::MAX);
        assert_eq!(tiers("cadenceDown: ANNUAL, reviewDayDown: {month: 2}"), Some(vec![(0, 0)]));
        assert_eq!((tiers("onboardingDeadlineMonths: 3"), tiers("onboardingDeadlineDays: 90")), (None, None));
    }
}
