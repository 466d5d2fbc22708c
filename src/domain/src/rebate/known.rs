//! Facts as they were known on a day.

use std::borrow::Cow;

use crate::date::Date;
use crate::document::rebate::RebateSchedule;
use crate::facts::{Facts, PartnerFacts};
use crate::period::Period;
use crate::program::Program;

use super::asks::asks_measures;
use super::handover::schedules_before;
use super::line::Knowledge;

/// The facts without those that were recorded later, where a metric or requirement is asked: sale lines are read by their own date
/// of record anyway.
pub(super) fn facts_known<'a>(program: &Program, facts: &'a Facts, schedules: &[(&RebateSchedule, Period)], knowledge: &Knowledge) -> Cow<'a, Facts> {
    let asks = || {
        let before = schedules_before(program, |key| schedules.iter().any(|(schedule, _)| schedule.key == key));
        schedules.iter().any(|(schedule, _)| asks_measures(schedule)) || before.into_iter().any(|(_, schedule)| asks_measures(schedule))
    };
    match knowledge.known_on {
        Some(known_on) if asks() => Cow::Owned(as_known(facts, known_on)),
        _ => Cow::Borrowed(facts),
    }
}

/// All facts that were recorded by `known_on`. What carries no such date is kept.
pub(super) fn as_known(facts: &Facts, known_on: Date) -> Facts {
    let partner = |own: &PartnerFacts| {
        let mut own = own.clone();
        own.transactions.retain(|line| line.recorded_on <= known_on);
        own.holdings.retain(|holding| holding.recorded_on <= known_on);
        own.activities.retain(|activity| activity.recorded_on <= known_on);
        own.deals.retain(|deal| deal.recorded_on <= known_on);
        own
    };
    Facts { partners: facts.partners.iter().map(|(code, own)| (code.clone(), partner(own))).collect(), ..facts.clone() }
}
