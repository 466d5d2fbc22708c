//! What a run computes from, read for a window of many partners at once and kept from chunk to chunk: sums of their lines, whether
//! they took part, and the tiers that count.
//!
//! What was on record up to a cut-off never changes, so that it may be kept as long as it is of use, and read in any snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use guerdon_domain::facts::PartnerFacts;
use guerdon_domain::fault::Faults;
use guerdon_domain::rebate::batch::{ColumnSums, PeriodPlan, SumColumn, TierCounts};
use guerdon_store::{PartnerId, PartnerSums, ProgramId, ReadTx, StandingAsked, StoreError, SumsAsked, SumsSource, VersionId};
use tokio::sync::Mutex;

use super::calculate::RunQuestion;
use crate::app::plan::UpTo;

/// Partners of one window: what is kept of them takes some ten megabytes.
const WINDOW: u32 = 100_000;

/// What a window is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SumsKey {
    program: ProgramId,
    /// The periods, by name and version.
    periods: Vec<(String, VersionId)>,
    columns: Vec<SumColumn>,
    up_to: UpTo,
    source: SumsSource,
}

impl SumsKey {
    pub(super) fn new(question: &RunQuestion, source: SumsSource) -> Option<Self> {
        let plans = question.periods.iter().map(|asked| PeriodPlan::new(&asked.in_force.compiled, &asked.period.name));
        Some(Self {
            program: question.periods.first()?.in_force.program.id,
            periods: question.periods.iter().map(|asked| (asked.period.name.clone(), asked.in_force.version.id)).collect(),
            columns: plans.flat_map(|plan| plan.columns).collect(),
            up_to: question.up_to,
            source,
        })
    }
}

/// How partners stand in the periods of a question, as small as it is kept: for each period their tier for each
/// schedule, or that they took no part.
#[derive(Debug, Default)]
pub(super) struct Standings {
    width: usize,
    places: HashMap<PartnerId, usize>,
    cells: Vec<u16>,
    /// Tiers that are held; a cell holds the place behind it.
    names: Vec<String>,
    /// Partners whose tiers cannot be told.
    faults: HashMap<PartnerId, Faults>,
}

/// The cell of a partner who held several tiers.
const SEVERAL: u16 = u16::MAX;
/// The cell of one who took no part.
const OUTSIDE: u16 = u16::MAX - 1;

impl Standings {
    fn place(&mut self, tier: TierCounts<'_>) -> u16 {
        let tier = match tier {
            TierCounts::Several => return SEVERAL,
            TierCounts::Outside => return OUTSIDE,
            TierCounts::One(None) => return 0,
            TierCounts::One(Some(tier)) => tier,
        };
        let known = self.names.iter().position(|name| name == tier);
        let place = known.unwrap_or_else(|| {
            self.names.push(tier.to_owned());
            self.names.len() - 1
        });
        u16::try_from(place + 1).unwrap_or(0)
    }

    fn add(&mut self, periods: &[PeriodPlan<'_>], partner: PartnerId, facts: &PartnerFacts) {
        let mut cells = Vec::with_capacity(self.width);
        for plan in periods {
            match plan.tiers(facts) {
                Ok(tiers) => cells.extend(tiers.into_iter().map(|tier| self.place(tier)).collect::<Vec<u16>>()),
                Err(faults) => {
                    self.faults.insert(partner, faults);
                    cells.extend(std::iter::repeat_n(0, plan.schedules.len()));
                }
            }
        }
        self.places.insert(partner, self.cells.len());
        self.cells.extend(cells);
    }

    /// The tier that counts for each schedule of each period. Who is not known took no part.
    pub(super) fn of(&self, partner: PartnerId, plans: &[PeriodPlan<'_>]) -> Result<Vec<Vec<TierCounts<'_>>>, Faults> {
        if let Some(faults) = self.faults.get(&partner) {
            return Err(faults.clone());
        }
        let mut cells = self.places.get(&partner).and_then(|place| self.cells.get(*place..place + self.width)).unwrap_or_default().iter().copied();
        let tier = |cell: u16| match cell {
            SEVERAL => TierCounts::Several,
            OUTSIDE => TierCounts::Outside,
            cell => TierCounts::One(usize::from(cell).checked_sub(1).and_then(|place| self.names.get(place)).map(String::as_str)),
        };
        Ok(plans.iter().map(|plan| plan.schedules.iter().map(|_| cells.next().map_or(TierCounts::Outside, tier)).collect()).collect())
    }
}

/// What is kept of the partners of a window.
#[derive(Debug, Clone)]
pub(super) struct WindowData {
    sums: Arc<PartnerSums>,
    standings: Arc<Standings>,
}

impl WindowData {
    pub(super) fn sums(&self, partner: PartnerId) -> Vec<ColumnSums> {
        self.sums.of(partner)
    }

    pub(super) fn standings(&self) -> &Standings {
        &self.standings
    }
}

/// The window that was read last.
#[derive(Debug, Default)]
pub struct SumsWindow(Mutex<Option<Window>>);

#[derive(Debug)]
struct Window {
    key: SumsKey,
    from: String,
    until: Option<String>,
    data: WindowData,
}

impl Window {
    fn holds(&self, key: &SumsKey, first: &str, last: &str) -> bool {
        self.from.as_str() <= first && self.until.as_deref().is_none_or(|until| last < until) && self.key == *key
    }
}

impl SumsWindow {
    /// What partners whose codes lie between `first` and `last` are computed from.
    pub(super) async fn read(&self, tx: &ReadTx, question: &RunQuestion, key: SumsKey, first: &str, last: &str) -> Result<WindowData, StoreError> {
        let mut kept = self.0.lock().await;
        if let Some(window) = kept.as_ref().filter(|window| window.holds(&key, first, last)) {
            return Ok(window.data.clone());
        }
        // The one before is let go first: two at once would be twice the memory.
        *kept = None;
        let (until, has_earlier) = tx.find_window_bounds(first, WINDOW).await?;
        let from = if has_earlier { first.to_owned() } else { String::new() };
        let until = until.filter(|until| last < until.as_str());
        let asked = SumsAsked { columns: &key.columns, from: &from, until: until.as_deref(), cut_off: Some(key.up_to.cut_off), source: key.source };
        // PostgreSQL copies the sums over a connection of their own: both are read at once.
        let (sums, standings) = tokio::try_join!(tx.sum_rebate_columns(&asked), read_standings(tx, question, &from, until.as_deref()))?;
        let data = WindowData { sums: Arc::new(sums), standings: Arc::new(standings) };
        *kept = Some(Window { key, from, until, data: data.clone() });
        Ok(data)
    }

    /// Lets go of what is kept.
    pub async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

async fn read_standings(tx: &ReadTx, question: &RunQuestion, from: &str, until: Option<&str>) -> Result<Standings, StoreError> {
    let plan = |asked: &super::calculate::PeriodAsked| (asked.in_force.clone(), asked.period.name.clone());
    let held: Vec<_> = question.periods.iter().map(plan).collect();
    let periods: Vec<PeriodPlan<'_>> = held.iter().map(|(in_force, name)| PeriodPlan::new(&in_force.compiled, name)).collect();
    let Some((in_force, _)) = held.first() else { return Ok(Standings::default()) };
    let profiles = periods.iter().any(PeriodPlan::asks_region);
    let mut standings = Standings { width: periods.iter().map(|plan| plan.schedules.len()).sum(), ..Standings::default() };
    let asked = StandingAsked { program: in_force.program.id, from, until, profiles, records: question.up_to.records };
    tx.each_standing(&asked, |partner, facts| standings.add(&periods, partner, facts)).await?;
    Ok(standings)
}
