//! Which tier counts: at each transaction's date, at the period's end, or the best of the period.

use crate::date::{Date, Span};
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::rebate::{RebateSchedule, TierAt};
use crate::facts::{OverrideKind, PartnerFacts};
use crate::program::Program;

/// Gives tiers where the facts hold none on record: an evaluation without a database.
pub trait TierSource {
    /// The tier that the partner holds at the end of `date`, by its key.
    fn tier_on(&self, partner: &PartnerFacts, ladder: &str, date: Date) -> Option<String>;
}

/// No tier where none is on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnRecord;

impl TierSource for OnRecord {
    fn tier_on(&self, _: &PartnerFacts, _: &str, _: Date) -> Option<String> {
        None
    }
}

impl<F: Fn(&PartnerFacts, &str, Date) -> Option<String>> TierSource for F {
    fn tier_on(&self, partner: &PartnerFacts, ladder: &str, date: Date) -> Option<String> {
        self(partner, ladder, date)
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

    /// The tier on `date`.
    pub(super) fn on(&self, schedule: &RebateSchedule, date: Date) -> Option<&'a str> {
        let ladder = self.program.ladder(schedule.ladder.as_deref())?;
        if self.partner.assignments.iter().any(|held| held.ladder == ladder.key) {
            return self.overridden(ladder, date, self.recorded(ladder, date));
        }
        let key = self.source.tier_on(self.partner, &ladder.key, date)?;
        ladder.tier(&key).map(|(_, tier)| tier.key.as_str())
    }

    /// The tier on record; of a ladder of partners in regions, that of the partner's own region or the nearest one above it.
    fn recorded(&self, ladder: &Ladder, date: Date) -> Option<&'a str> {
        if ladder.scope == LadderScope::Partner {
            return self.partner.tier_on(&ladder.key, None, date);
        }
        let region = self.partner.region(date)?;
        self.program.geography.regions.path(region).find_map(|region| self.partner.tier_on(&ladder.key, Some(region), date))
    }

    /// A pin beats a ceiling, a ceiling beats a floor; an overridden tier counts as held (semantics 6).
    fn overridden(&self, ladder: &'a Ladder, date: Date, recorded: Option<&'a str>) -> Option<&'a str> {
        let on_date = |kind: OverrideKind| {
            self.partner
                .overrides
                .iter()
                .find(|held| held.ladder == ladder.key && held.kind == kind && held.span.contains(date))
                .map(|held| held.tier.as_deref())
        };
        let rank = ladder.rank(recorded);
        if let Some(pinned) = on_date(OverrideKind::Pin) {
            return pinned;
        }
        let floored = on_date(OverrideKind::Floor).map_or(rank, |floor| rank.max(ladder.rank(floor)));
        let held = on_date(OverrideKind::Ceiling).map_or(floored, |ceiling| floored.min(ladder.rank(ceiling)));
        if held == rank { recorded } else { ladder.at_rank(held).map(|tier| tier.key.as_str()) }
    }

    /// The highest tier of a span.
    fn best(&self, schedule: &RebateSchedule, span: Span) -> Option<&'a str> {
        let ladder = self.program.ladder(schedule.ladder.as_deref())?;
        let on_record = self.partner.assignments.iter().any(|held| held.ladder == ladder.key);
        let days: Vec<Date> = if on_record {
            // Tiers change on these days only.
            let assigned = self.partner.assignments.iter().flat_map(|held| [Some(held.from), held.until]).flatten();
            let overridden = self.partner.overrides.iter().flat_map(|held| [held.span.from, held.span.until]);
            let moved = self.partner.profiles.iter().map(|profile| profile.from);
            assigned.chain(overridden).chain(moved).chain([span.from]).filter(|day| span.contains(*day)).collect()
        } else {
            (0..span.days()).map(|day| span.from.plus_days(day)).collect()
        };
        days.into_iter().map(|day| self.on(schedule, day)).max_by_key(|tier| ladder.rank(*tier)).flatten()
    }

    /// The tier that counts for a period as a whole; of an open period, as of the day that is looked at.
    pub(super) fn of_period(&self, schedule: &RebateSchedule, span: Span, as_of: Option<Date>) -> Option<&'a str> {
        let last = as_of.map_or(span.last_day(), |as_of| as_of.min(span.last_day())).max(span.from);
        match schedule.tier_at {
            TierAt::TransactionDate | TierAt::PeriodEnd => self.on(schedule, last),
            TierAt::BestInPeriod => self.best(schedule, Span::new(span.from, last.next())),
        }
    }
}
