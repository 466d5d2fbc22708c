//! A compiled program version: the document with its trees, indexes and calendar, on which all engines run.
//!
//! A published version never changes, so a compiled one may be kept for ever. Engines take `&Program` and never look at
//! the raw document for something that this index answers.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::date::{Date, Span};
use crate::document::benefit::{Benefit, Grant};
use crate::document::ladder::{Ladder, ReviewPolicy, Tier};
use crate::document::metric::Metric;
use crate::document::rebate::{PeriodRule, RebateSchedule};
use crate::document::requirement::{LaddersHeld, Requirement};
use crate::document::validate::{circles, validate};
use crate::document::{Category, Document, Region};
use crate::fault::{Fault, Faults};
use crate::levelling::going_on_since;
use crate::money::Currency;
use crate::period::{FiscalYear, Period, Periods, no_such_period, periods_holding};
use crate::rebate::{Handover, Numbered};
use crate::region::{Geography, Tree};

/// Periods that begin so many months after a version's first day, or before its end, are compared by name with those of other versions:
/// names hold a year.
const NAMES_COMPARED: i32 = 24;

/// A compiled program version.
#[derive(Debug, Clone)]
pub struct Program {
    /// The document it was compiled from.
    pub document: Document,
    /// Regions and groups.
    pub geography: Geography,
    /// Product categories.
    pub categories: Tree,
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// The time zone of its dates.
    pub time_zone: chrono_tz::Tz,
    metrics: BTreeMap<String, usize>,
    requirements: BTreeMap<String, usize>,
    ladders: BTreeMap<String, usize>,
    benefits: BTreeMap<String, usize>,
    schedules: BTreeMap<String, usize>,
    /// The grants of each benefit.
    grants: BTreeMap<String, Vec<usize>>,
    main_ladder: Option<usize>,
    /// By cumulative schedule: since when earlier versions have had it, see [`Program::continuing`].
    begun: BTreeMap<String, Date>,
    /// What the version before hands over, see [`Program::continuing`].
    handover: Option<Handover>,
    /// Since when its rules of levelling hold, where that is before it took effect, see [`Program::levelling_since`].
    levelling_since: Option<Date>,
}

fn index<'a>(keys: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, usize> {
    keys.into_iter().enumerate().map(|(at, key)| (key.clone(), at)).collect()
}

fn index_of_grants(document: &Document) -> BTreeMap<String, Vec<usize>> {
    let mut grants: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, grant) in document.grants.iter().enumerate() {
        grants.entry(grant.benefit.clone()).or_default().push(at);
    }
    grants
}

/// A time zone of the IANA database.
pub(crate) fn time_zone(name: &str) -> Result<chrono_tz::Tz, Fault> {
    name.parse().map_err(|_| Fault::new("UNKNOWN_TIME_ZONE", "", "not a time zone of the IANA database: write one such as \"Europe/Berlin\""))
}

impl Program {
    /// Validates the document and compiles it. Every fault is reported at once, each with its path.
    pub fn compile(document: Document) -> Result<Self, Faults> {
        validate(&document).or(())?;
        Self::build(document)
    }

    /// Compiles a document that was valid when it was published. It stays what it is, while new checks come: it is asked for nothing but
    /// what engines cannot do without, a calendar and rules that do not lean on themselves.
    pub fn compile_published(document: Document) -> Result<Self, Faults> {
        circles(&document).or(())?;
        Self::build(document)
    }

    fn build(document: Document) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let fiscal_year = faults.keep("program.fiscalYearStart", document.program.fiscal_year_start.parse());
        let time_zone = faults.keep("program.timeZone", time_zone(&document.program.time_zone));
        let (Some(fiscal_year), Some(time_zone)) = (fiscal_year, time_zone) else { return Err(faults) };
        Ok(Self {
            geography: Geography::new(&document),
            categories: Tree::of_categories(&document.categories),
            fiscal_year,
            time_zone,
            metrics: index(document.metrics.iter().map(|metric| &metric.key)),
            requirements: index(document.requirements.iter().map(|shared| &shared.key)),
            ladders: index(document.ladders.iter().map(|ladder| &ladder.key)),
            benefits: index(document.benefits.iter().map(|benefit| &benefit.key)),
            schedules: index(document.rebate_schedules.iter().map(|schedule| &schedule.key)),
            grants: index_of_grants(&document),
            main_ladder: document.ladders.iter().position(|ladder| ladder.main).or((document.ladders.len() == 1).then_some(0)),
            begun: BTreeMap::new(),
            handover: None,
            levelling_since: None,
            document,
        })
    }

    /// The program's code.
    pub fn code(&self) -> &str {
        &self.document.program.code
    }

    /// The currency of its thresholds.
    pub const fn currency(&self) -> Currency {
        self.document.program.currency
    }

    /// From when its rules hold.
    pub const fn effective_on(&self) -> Date {
        self.document.version.effective_on
    }

    /// What people call a region, where it has a name.
    pub fn region_name(&self, key: &str) -> Option<String> {
        fn find<'r>(regions: &'r [Region], key: &str) -> Option<&'r Region> {
            regions.iter().find_map(|region| if region.key == key { Some(region) } else { find(&region.regions, key) })
        }
        find(&self.document.regions, key)?.name.clone()
    }

    /// What people call a region group, where it has a name.
    pub fn region_group_name(&self, key: &str) -> Option<String> {
        self.document.region_groups.iter().find(|group| group.key == key)?.name.clone()
    }

    /// What people call a partner type, where it has a name.
    pub fn partner_type_name(&self, key: &str) -> Option<String> {
        self.document.partner_types.iter().find(|known| known.key == key)?.name.clone()
    }

    /// What people call a category, where it has a name.
    pub fn category_name(&self, key: &str) -> Option<String> {
        fn find<'c>(categories: &'c [Category], key: &str) -> Option<&'c Category> {
            categories.iter().find_map(|category| if category.key == key { Some(category) } else { find(&category.categories, key) })
        }
        find(&self.document.categories, key)?.name.clone()
    }

    /// What people call a contract template, where it has a name.
    pub fn contract_template_name(&self, key: &str) -> Option<String> {
        self.document.contract_templates.iter().find(|template| template.key == key)?.name.clone()
    }

    /// The metric of that key.
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.get(key).and_then(|at| self.document.metrics.get(*at))
    }

    /// The shared requirement of that key.
    pub fn requirement(&self, key: &str) -> Option<&Requirement> {
        self.requirements.get(key).and_then(|at| self.document.requirements.get(*at)).map(|shared| &shared.requirement)
    }

    /// The ladder of that key; the main ladder when none is named.
    pub fn ladder(&self, key: Option<&str>) -> Option<&Ladder> {
        let at = match key {
            Some(key) => self.ladders.get(key).copied(),
            None => self.main_ladder,
        };
        at.and_then(|at| self.document.ladders.get(at))
    }

    /// The ladders that a rule counts: those that it names, else all but the main one.
    pub(crate) fn ladders_of<'p>(&'p self, rule: &'p LaddersHeld) -> impl Iterator<Item = &'p Ladder> {
        let main = self.ladder(None).map(|ladder| ladder.key.as_str());
        let named = move |key: &str| if rule.ladders.is_empty() { main != Some(key) } else { rule.ladders.iter().any(|named| named == key) };
        self.document.ladders.iter().filter(move |ladder| named(&ladder.key))
    }

    /// The benefit of that key.
    pub fn benefit(&self, key: &str) -> Option<&Benefit> {
        self.benefits.get(key).and_then(|at| self.document.benefits.get(*at))
    }

    /// The grants of the benefit of that key, in the document's order.
    pub fn grants_of(&self, benefit: &str) -> impl Iterator<Item = &Grant> {
        let places = self.grants.get(benefit).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.document.grants.get(*at))
    }

    /// The rebate schedule of that key.
    pub fn schedule(&self, key: &str) -> Option<&RebateSchedule> {
        self.schedules.get(key).and_then(|at| self.document.rebate_schedules.get(*at))
    }

    /// The same program with some of its rebate schedules only, and the stacking rules of those.
    #[must_use]
    pub fn with_schedules(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut program = self.clone();
        program.document.rebate_schedules.retain(|schedule| keep(&schedule.key));
        program.document.stacking.retain(|rule| rule.schedules().iter().all(|key| keep(key)));
        program.schedules = index(program.document.rebate_schedules.iter().map(|schedule| &schedule.key));
        program.begun.retain(|key, _| keep(key));
        if let Some(handover) = &mut program.handover {
            handover.retain(keep);
        }
        program
    }

    /// The same program as if it had taken effect in place of another one, after the same versions.
    #[must_use]
    pub fn in_place_of(&self, other: &Self) -> Self {
        let mut program = self.clone();
        program.document.version.effective_on = other.effective_on();
        program.levelling_since = going_on_since(other, &program);
        program.begun.clone_from(&other.begun);
        program.handover = other.handover.as_ref().and_then(|handover| handover.for_rules(&program));
        program
    }

    /// The same version as one that goes on with schedules of the versions before it. `begun`: for each the day on which the first of them
    /// took effect, from which bands that fill over the fiscal year run on. `before`: the version before, whose last periods hand
    /// small payouts and the like to the first ones of this version.
    #[must_use]
    pub fn continuing(&self, begun: BTreeMap<String, Date>, before: Option<&Numbered>) -> Self {
        let mut program = self.clone();
        (program.begun, program.handover) = (begun, None);
        program.handover = before.and_then(|before| Handover::between(before, &program));
        program.levelling_since = before.and_then(|before| going_on_since(&before.program, &program));
        program
    }

    /// The same version, whose rules of levelling hold since a day.
    #[must_use]
    pub fn with_levelling_since(mut self, since: Option<Date>) -> Self {
        self.levelling_since = since;
        self
    }

    /// Since when its rules of levelling hold: the first day of the first of those versions one after the other, this one the last, between which
    /// none of them differs. What began under these rules goes on when a version of other rates takes effect: grace periods, enforcement.
    pub fn levelling_since(&self) -> Date {
        self.levelling_since.unwrap_or(self.effective_on())
    }

    /// From when its downward reviews bind: until then nobody loses a tier under it.
    pub fn enforced_on(&self) -> Date {
        self.document.version.enforced_on.unwrap_or(self.levelling_since())
    }

    /// What the version before hands over; none where it hands nothing on, or there is none.
    pub const fn handover(&self) -> Option<&Handover> {
        self.handover.as_ref()
    }

    /// By schedule that goes on with earlier versions' since when they have had it.
    pub const fn begun(&self) -> &BTreeMap<String, Date> {
        &self.begun
    }

    /// Since when this schedule has been the program's, by this version and those before it that it goes on with.
    pub fn begun_on(&self, schedule: &str) -> Date {
        self.begun.get(schedule).copied().unwrap_or(self.effective_on())
    }

    /// Since when a cumulative schedule has been the program's, given the versions before this one, the latest first: those one after
    /// the other that have it with periods of the same length.
    pub fn continued<'p>(&self, earlier: impl Iterator<Item = &'p Self> + Clone) -> BTreeMap<String, Date> {
        let cumulative = self.document.rebate_schedules.iter().filter(|schedule| schedule.cumulative);
        let since = |schedule: &RebateSchedule| {
            let same = |version: &&Self| {
                let theirs = version.document.rebate_schedules.iter().find(|theirs| theirs.key == schedule.key);
                theirs.is_some_and(|theirs| theirs.cumulative && discriminant(&theirs.period) == discriminant(&schedule.period))
                    && version.fiscal_year == self.fiscal_year
            };
            let first = earlier.clone().take_while(same).last()?;
            Some((schedule.key.clone(), first.effective_on()))
        };
        cumulative.filter_map(since).collect()
    }

    /// The periods of a rule in this program's calendar.
    pub const fn periods<'a>(&self, rule: &'a PeriodRule) -> Periods<'a> {
        Periods { rule, fiscal_year: self.fiscal_year }
    }

    /// The periods of its schedules that hold a date, in the order of the schedules, each once.
    pub fn periods_holding(&self, date: Date) -> Vec<Period> {
        periods_holding(self.period_rules(), self.fiscal_year, date)
    }

    fn period_rules(&self) -> impl Iterator<Item = &PeriodRule> {
        self.document.rebate_schedules.iter().map(|schedule| &schedule.period)
    }

    /// That no schedule has a period, in words: with the periods of a date, or those of its custom calendars, as they are spelled here.
    pub fn no_such_period(&self, date: Date) -> String {
        self.no_such_period_among(self.periods_holding(date))
    }

    /// The same with the periods that are there instead.
    pub fn no_such_period_among(&self, periods: Vec<Period>) -> String {
        no_such_period("no rebate schedule has", self.period_rules(), periods)
    }

    /// A period that it governs on its days of being in force, with the one that another version, on the days of that one, calls by the
    /// same name although it is other days.
    pub fn calls_otherwise(&self, days: Span, other: &Self, days_of_other: Span) -> Option<(Period, Period)> {
        let first = Span::new(days.from, days.from.plus_months(NAMES_COMPARED));
        // A version that no other follows has no last days.
        let last = if days.until == Date::MAX { first } else { Span::new(days.until.plus_months(-NAMES_COMPARED), days.until) };
        let mut near = self.document.rebate_schedules.iter().flat_map(|schedule| {
            let periods = self.periods(&schedule.period);
            [first, last].into_iter().flat_map(move |near| periods.beginning_in(days.intersect(near)))
        });
        near.find_map(|period| {
            let theirs = other.period_begun_in(days_of_other, &period.name).filter(|theirs| theirs.span != period.span)?;
            Some((period, theirs))
        })
    }

    /// The period of that name, if it begins on one of these days.
    pub fn period_begun_in(&self, days: Span, name: &str) -> Option<Period> {
        self.period_named(name).filter(|period| days.contains(period.span.from))
    }

    /// The period of that name of any of its schedules.
    pub fn period_named(&self, name: &str) -> Option<Period> {
        self.document.rebate_schedules.iter().find_map(|schedule| self.periods(&schedule.period).named(name))
    }
}

impl Ladder {
    /// The tier of that key with its rank, from 1.
    pub fn tier(&self, key: &str) -> Option<(u32, &Tier)> {
        (1_u32..).zip(&self.tiers).find(|(_, tier)| tier.key == key)
    }

    /// The rank of a tier, from 1; 0 for none and for an unknown one.
    pub fn rank(&self, tier: Option<&str>) -> u32 {
        tier.and_then(|tier| self.tier(tier)).map_or(0, |(rank, _)| rank)
    }

    /// The tier at a rank.
    pub fn at_rank(&self, rank: u32) -> Option<&Tier> {
        usize::try_from(rank).ok().and_then(|rank| rank.checked_sub(1)).and_then(|at| self.tiers.get(at))
    }

    /// The tiers whose requirements ask something of whoever holds the tier at a rank: that one, and lower ones that must hold too.
    pub(crate) fn asked_tiers(&self, rank: u32) -> impl Iterator<Item = &Tier> {
        (1_u32..).zip(&self.tiers).filter(move |(of, _)| *of == rank || (self.lower_tiers_must_hold && *of < rank)).map(|(_, tier)| tier)
    }

    /// The policies of its reviews: its own, and those of tiers that have another.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &ReviewPolicy> {
        std::iter::once(&self.review).chain(self.tiers.iter().filter_map(|tier| tier.review.as_ref()))
    }
}
