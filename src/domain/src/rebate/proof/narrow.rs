//! Which facts a derivation states: those that can matter. What is left out is tried: the figures stay the same without it.

use std::collections::BTreeSet;

use super::calculate::windows;
use crate::date::Span;
use crate::document::rebate::RebateSchedule;
use crate::facts::{Facts, PartnerFacts};
use crate::period::Period;
use crate::program::Program;
use crate::rebate::asks::{Asks, asks_measures};
use crate::rebate::handover::{is_handed_on, schedules_in_all};

/// The partner with those above and below it where a figure looks at them, in the order of the facts' own dates.
pub(super) fn relatives(facts: &Facts, partner: &str, looks_around: bool) -> Facts {
    let mut codes = BTreeSet::from([partner.to_owned()]);
    let parents = |own: &PartnerFacts| own.profiles.iter().filter_map(|profile| profile.parent.clone()).collect::<Vec<String>>();
    let mut grows = looks_around;
    while grows {
        let before = codes.len();
        for (code, own) in &facts.partners {
            let above = parents(own);
            if codes.contains(code) {
                codes.extend(above.into_iter().filter(|above| facts.partners.contains_key(above)));
            } else if above.iter().any(|above| codes.contains(above)) {
                codes.insert(code.clone());
            }
        }
        grows = codes.len() > before;
    }
    let partners = facts.partners.iter().filter(|(code, _)| codes.contains(*code)).map(|(code, own)| (code.clone(), ordered(own.clone()))).collect();
    Facts { partners, exchange_rates: facts.exchange_rates.clone(), budgets: Vec::new() }
}

fn ordered(mut own: PartnerFacts) -> PartnerFacts {
    own.transactions.sort_by(|one, other| (one.date, &one.id).cmp(&(other.date, &other.id)));
    own.holdings.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    own.activities.sort_by(|one, other| (one.date, &one.id).cmp(&(other.date, &other.id)));
    own.deals.sort_by(|one, other| (one.opened_on, &one.id).cmp(&(other.opened_on, &other.id)));
    own
}

/// Whether a program's schedules look at metrics or requirements, which may look at anything.
pub(super) fn looks_around(program: &Program) -> bool {
    schedules_in_all(program).into_iter().any(asks_measures)
}

/// The facts that plain schedules look at for these periods. Schedules that ask for metrics, or that look back to the beginning,
/// keep everything.
pub(super) fn narrowed(facts: &Facts, asked: &[(&Program, Vec<Period>)]) -> Facts {
    let schedules = || asked.iter().flat_map(|(program, _)| &program.document.rebate_schedules);
    let looks_back = |program: &Program| program.document.rebate_schedules.iter().any(|schedule| is_handed_on(program, schedule));
    if asked.iter().any(|(program, _)| looks_around(program) || looks_back(program)) {
        return facts.clone();
    }
    let days = days_of(asked);
    let accepts = schedules().any(|schedule| Asks::of(schedule).acceptances);
    let deals = schedules().any(|schedule| Asks::of(schedule).deals);
    let mut facts = facts.clone();
    for own in facts.partners.values_mut() {
        let kept: BTreeSet<_> = own.transactions.iter().filter(|line| days.contains(line.date)).map(|line| &line.id).cloned().collect();
        // A return may count on the date of the sale that it names, whenever it comes.
        let named = |line: &crate::facts::Transaction| {
            line.corrects.as_ref().is_some_and(|sale| kept.iter().any(|id| id.source == line.id.source && id.external_id == *sale))
        };
        own.transactions.retain(|line| kept.contains(&line.id) || named(line));
        own.holdings.retain(|holding| accepts && holding.kind == "TARGET_ACCEPTANCE");
        own.activities.clear();
        let sold: BTreeSet<&String> = own.transactions.iter().filter_map(|line| line.deal.as_ref()).collect();
        own.deals.retain(|deal| deals && sold.contains(&deal.id.external_id));
        own.admissions.clear();
        own.contracts.clear();
        own.exceptions.clear();
    }
    let currencies: BTreeSet<_> = facts.partners.values().flat_map(|own| &own.transactions).map(|line| line.amount.currency).collect();
    let into: BTreeSet<_> = asked
        .iter()
        .flat_map(|(program, _)| program.document.rebate_schedules.iter().map(|schedule| schedule.currency.unwrap_or(program.currency())))
        .collect();
    let oldest = schedules().map(age).max().unwrap_or_default();
    let rated = Span::new(days.from.plus_days(-i64::from(oldest)), days.until);
    facts.exchange_rates.retain(|rate| currencies.contains(&rate.from) && into.contains(&rate.to) && rated.contains(rate.date));
    facts
}

fn age(schedule: &RebateSchedule) -> u32 {
    schedule.exchange.clone().unwrap_or_default().max_age_days
}

/// From the first to the last day that any window looks at.
fn days_of(asked: &[(&Program, Vec<Period>)]) -> Span {
    let mut days: Option<Span> = None;
    for (program, periods) in asked {
        for (schedule, named) in program.document.rebate_schedules.iter().flat_map(|schedule| periods.iter().map(move |period| (schedule, period))) {
            let Some(period) = program.periods(&schedule.period).named(&named.name) else { continue };
            for window in windows(program, schedule, &period) {
                let days = days.get_or_insert(Span::new(window.from, window.until));
                *days = Span::new(days.from.min(window.from), days.until.max(window.until));
            }
        }
    }
    days.unwrap_or(Span::ALWAYS)
}
