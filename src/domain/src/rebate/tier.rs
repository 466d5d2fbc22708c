//! Which tier counts: at each transaction's date, at the period's end, or the best of the period.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::rebate::{RebateSchedule, TierAt};
use crate::facts::{Facts, PartnerFacts};
use crate::fault::Faults;
use crate::levelling::{evaluate_tier, held_on};
use crate::program::Program;

use super::known::as_known;
use super::tiered::asks_tiers;

/// Gives tiers where the facts hold none on record: an evaluation without a database.
pub trait TierSource {
    /// The tier that the partner holds at the end of `date`, by its key.
    fn tier_on(&self, partner: &PartnerFacts, ladder: &str, date: Date) -> Result<Option<String>, Faults>;
}

/// No tier where none is on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnRecord;

impl TierSource for OnRecord {
    fn tier_on(&self, _: &PartnerFacts, _: &str, _: Date) -> Result<Option<String>, Faults> {
        Ok(None)
    }
}

impl<F: Fn(&PartnerFacts, &str, Date) -> Result<Option<String>, Faults>> TierSource for F {
    fn tier_on(&self, partner: &PartnerFacts, ladder: &str, date: Date) -> Result<Option<String>, Faults> {
        self(partner, ladder, date)
    }
}

/// By ladder, partner and date: the tier.
type Evaluated = HashMap<(String, String, Date), Option<String>>;

/// The tiers that an evaluation of the facts gives.
pub struct Levelled<'a> {
    program: &'a Program,
    facts: &'a Facts,
    decided_then: bool,
    kept: RefCell<Evaluated>,
}

impl<'a> Levelled<'a> {
    /// From all facts, whenever they were recorded.
    pub fn new(program: &'a Program, facts: &'a Facts) -> Self {
        Self { program, facts, decided_then: false, kept: RefCell::default() }
    }

    /// Each tier from the facts that were recorded by its date: a fact that comes later rewrites no decision (semantics 6). What
    /// runs and true-up ask.
    pub fn decided_then(program: &'a Program, facts: &'a Facts) -> Self {
        Self { decided_then: true, ..Self::new(program, facts) }
    }
}

impl TierSource for Levelled<'_> {
    fn tier_on(&self, partner: &PartnerFacts, ladder: &str, date: Date) -> Result<Option<String>, Faults> {
        let key = (ladder.to_owned(), partner.code.clone(), date);
        if let Some(kept) = self.kept.borrow().get(&key) {
            return Ok(kept.clone());
        }
        let late = |facts: &PartnerFacts| {
            facts.transactions.iter().any(|line| line.recorded_on > date && line.date <= date)
                || facts.holdings.iter().any(|holding| holding.recorded_on > date)
        };
        let tier = if self.decided_then && self.facts.partners.values().any(late) {
            evaluate_tier(self.program, &as_known(self.facts, date), &partner.code, Some(ladder), date)?
        } else {
            evaluate_tier(self.program, self.facts, &partner.code, Some(ladder), date)?
        };
        self.kept.borrow_mut().insert(key, tier.clone());
        Ok(tier)
    }
}

/// The tiers of one partner in the ladder of a schedule.
#[derive(Clone, Copy)]
pub(super) struct Tiers<'a> {
    program: &'a Program,
    partner: &'a PartnerFacts,
    source: &'a dyn TierSource,
}

impl<'a> Tiers<'a> {
    pub(super) const fn new(program: &'a Program, partner: &'a PartnerFacts, source: &'a dyn TierSource) -> Self {
        Self { program, partner, source }
    }

    /// The same in the ladders of another version.
    pub(super) const fn by(self, program: &'a Program) -> Self {
        Self { program, ..self }
    }

    /// The tier on `date`.
    pub(super) fn on(&self, schedule: &RebateSchedule, date: Date) -> Result<Option<&'a str>, Faults> {
        let Some(ladder) = self.program.ladder(schedule.ladder.as_deref()) else { return Ok(None) };
        if self.partner.assignments.iter().any(|held| held.ladder == ladder.key) {
            return Ok(self.held(ladder, date));
        }
        if !asks_tiers(schedule) {
            return Ok(None);
        }
        let key = self.source.tier_on(self.partner, &ladder.key, date)?;
        let found = key.and_then(|key| ladder.tier(&key)).map(|(_, tier)| tier.key.as_str());
        // Nobody may have reviewed a partner yet whose tier people decided.
        Ok(found.or_else(|| self.held(ladder, date)))
    }

    /// The tier on record, or the one that an override holds (semantics 6); of a ladder of partners in regions, that of the
    /// partner's own region or the nearest one above it.
    fn held(&self, ladder: &'a Ladder, date: Date) -> Option<&'a str> {
        let in_region = |region: Option<&str>| held_on(ladder, self.partner, region, date).and_then(|held| held.tier);
        if ladder.scope == LadderScope::Partner {
            return in_region(None);
        }
        let region = self.partner.region(date)?;
        self.program.geography.regions.path(region).find_map(|region| in_region(Some(region)))
    }

    /// The days of a span on which the tiers on record may change, with its first one.
    fn turning_days(&self, span: Span) -> Vec<Date> {
        let assigned = self.partner.assignments.iter().flat_map(|held| [Some(held.from), held.until]).flatten();
        let overridden = self.partner.overrides.iter().flat_map(|held| [held.span.from, held.span.until]);
        let moved = self.partner.profiles.iter().map(|profile| profile.from);
        assigned.chain(overridden).chain(moved).chain([span.from]).filter(|day| span.contains(*day)).collect()
    }

    /// Whether one tier is held on all days of a span, as far as tiers on record tell.
    pub(super) fn is_one(&self, schedule: &RebateSchedule, span: Span) -> Result<bool, Faults> {
        let mut held = self.turning_days(span).into_iter().map(|day| self.on(schedule, day));
        let Some(first) = held.next().transpose()? else { return Ok(true) };
        for tier in held {
            if tier? != first {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The highest tier of a span.
    fn best(&self, schedule: &RebateSchedule, span: Span) -> Result<Option<&'a str>, Faults> {
        let Some(ladder) = self.program.ladder(schedule.ladder.as_deref()) else { return Ok(None) };
        let on_record = self.partner.assignments.iter().any(|held| held.ladder == ladder.key);
        if !on_record && !asks_tiers(schedule) {
            return Ok(None);
        }
        let days: Vec<Date> = if on_record { self.turning_days(span) } else { (0..span.days()).map(|day| span.from.plus_days(day)).collect() };
        let mut best = None;
        for day in days {
            let tier = self.on(schedule, day)?;
            if ladder.rank(tier) > ladder.rank(best) {
                best = tier;
            }
        }
        Ok(best)
    }

    /// The tier that counts for a period as a whole; of an open period, as of the day that is looked at.
    pub(super) fn of_period(&self, schedule: &RebateSchedule, span: Span, as_of: Option<Date>) -> Result<Option<&'a str>, Faults> {
        let last = as_of.map_or(span.last_day(), |as_of| as_of.min(span.last_day())).max(span.from);
        match schedule.tier_at {
            TierAt::TransactionDate | TierAt::PeriodEnd => self.on(schedule, last),
            TierAt::BestInPeriod => self.best(schedule, Span::new(span.from, last.next())),
        }
    }
}
