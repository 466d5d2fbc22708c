//! What a simulation found, as it adds up: counts and sums of all, lists of so many.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::judge::{Asked, MovedTiers};
use super::{BenefitChangeKind, Direction, Move, Near, RebateMove, Side};
use crate::document::benefit::BenefitValue;
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::money::{Currency, Money};

/// A benefit of a partner that is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenefitMove {
    /// The partner's code.
    pub partner: String,
    /// The benefit.
    pub benefit: String,
    /// What happens to it.
    pub kind: BenefitChangeKind,
    /// The tier of the main ladder that the partner holds after the change.
    pub tier: Option<String>,
    /// Its value before; none where it was not given.
    pub before: Option<BenefitValue>,
    /// Its value after; none where it is not given.
    pub after: Option<BenefitValue>,
}

/// The first so many by key of all that are put in, in whatever order they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct First<K, T> {
    pub(super) kept: BTreeMap<K, T>,
    pub(super) count: u64,
    most: usize,
}

impl<K: Ord, T> First<K, T> {
    const fn new(most: usize) -> Self {
        Self { kept: BTreeMap::new(), count: 0, most }
    }

    fn put(&mut self, key: K, value: T) {
        self.count += 1;
        self.keep(key, value);
    }

    fn keep(&mut self, key: K, value: T) {
        self.kept.insert(key, value);
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        for (key, value) in other.kept {
            self.keep(key, value);
        }
    }
}

/// Sums of one schedule, period and currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) before: i128,
    pub(super) after: i128,
    pub(super) partners: u64,
    pub(super) changed: u64,
}

/// What a partner earned by a schedule with a budget, before it is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) partner: String,
    pub(super) told: bool,
    pub(super) before: Option<i64>,
    pub(super) after: Option<i64>,
}

/// A partner whose rebates of a period cannot be computed from sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsummed {
    /// The partner's code.
    pub partner: String,
    /// The period.
    pub period: String,
    pub(super) told: bool,
    /// The tiers to which it moves.
    pub(super) tiers: MovedTiers,
}

type Cell = (String, Option<String>, Option<String>);
type ScheduleKey = (String, String, Currency);

/// What a simulation found about some partners. Tallies of parts [`merge`](Tally::merge) in any order to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub(super) partners: u64,
    pub(super) moved: [u64; 3],
    pub(super) matrix: BTreeMap<Cell, u64>,
    pub(super) moves: First<(String, String, Option<String>), Move>,
    pub(super) near_counts: BTreeMap<(String, String, Side), u64>,
    pub(super) near: First<(Exact, String, String, Option<String>, Side), Near>,
    pub(super) benefit_counts: BTreeMap<(String, Option<String>, BenefitChangeKind), u64>,
    pub(super) benefits: First<(String, String), BenefitMove>,
    pub(super) rebates: BTreeMap<ScheduleKey, Sums>,
    pub(super) rebate_moves: First<(Reverse<u64>, String, String, String, Currency), RebateMove>,
    pub(super) shares: BTreeMap<ScheduleKey, Vec<Share>>,
    pub(super) failed: First<String, Faults>,
    pub(super) warnings: BTreeMap<(String, String, String), ()>,
    pub(super) unsummed: Vec<Unsummed>,
    listed: usize,
}

impl Tally {
    /// Nothing yet; so many entries of each list at most.
    pub const fn new(listed: usize) -> Self {
        Self {
            partners: 0,
            moved: [0; 3],
            matrix: BTreeMap::new(),
            moves: First::new(listed),
            near_counts: BTreeMap::new(),
            near: First::new(listed),
            benefit_counts: BTreeMap::new(),
            benefits: First::new(listed),
            rebates: BTreeMap::new(),
            rebate_moves: First::new(listed),
            shares: BTreeMap::new(),
            failed: First::new(listed),
            warnings: BTreeMap::new(),
            unsummed: Vec::new(),
            listed,
        }
    }

    /// Adds what was found about other partners.
    pub fn merge(&mut self, other: Self) {
        self.partners += other.partners;
        for (mine, theirs) in self.moved.iter_mut().zip(other.moved) {
            *mine += theirs;
        }
        add(&mut self.matrix, other.matrix);
        add(&mut self.near_counts, other.near_counts);
        add(&mut self.benefit_counts, other.benefit_counts);
        self.moves.merge(other.moves);
        self.near.merge(other.near);
        self.benefits.merge(other.benefits);
        self.rebate_moves.merge(other.rebate_moves);
        self.failed.merge(other.failed);
        for (key, sums) in other.rebates {
            let mine = self.rebates.entry(key).or_default();
            mine.before += sums.before;
            mine.after += sums.after;
            mine.partners += sums.partners;
            mine.changed += sums.changed;
        }
        for (key, shares) in other.shares {
            self.shares.entry(key).or_default().extend(shares);
        }
        self.unsummed.extend(other.unsummed);
        for (warning, ()) in other.warnings {
            self.note(warning);
        }
    }

    /// Partners whose rebates have yet to be computed by [`super::Simulation::judge_from_lines`], taken out.
    pub fn take_unsummed(&mut self) -> Vec<Unsummed> {
        std::mem::take(&mut self.unsummed)
    }

    /// How many partners were judged.
    pub const fn partners(&self) -> u64 {
        self.partners
    }

    /// Something about the whole that the caller should know.
    pub fn warn(&mut self, fault: Fault) {
        self.note((fault.code, fault.path, fault.message));
    }

    fn note(&mut self, warning: (String, String, String)) {
        self.warnings.insert(warning, ());
        if self.warnings.len() > self.listed {
            self.warnings.pop_last();
        }
    }

    pub(super) const fn judged(&mut self) {
        self.partners += 1;
    }

    pub(super) fn cell(&mut self, ladder: &str, from: Option<&str>, to: Option<&str>) {
        *self.matrix.entry((ladder.to_owned(), from.map(str::to_owned), to.map(str::to_owned))).or_default() += 1;
    }

    pub(super) fn moved(&mut self, moves: Vec<Move>) {
        for moved in moves {
            let place = match moved.direction {
                Direction::Up => 0,
                Direction::Down => 1,
                Direction::Aside => 2,
            };
            self.moved.iter_mut().skip(place).take(1).for_each(|count| *count += 1);
            self.moves.put((moved.partner.clone(), moved.ladder.clone(), moved.region.clone()), moved);
        }
    }

    pub(super) fn near(&mut self, near: Near) {
        *self.near_counts.entry((near.ladder.clone(), near.tier.clone(), near.side)).or_default() += 1;
        self.near.put((near.distance.clone(), near.partner.clone(), near.ladder.clone(), near.region.clone(), near.side), near);
    }

    pub(super) fn benefit(&mut self, change: BenefitMove) {
        *self.benefit_counts.entry((change.benefit.clone(), change.tier.clone(), change.kind)).or_default() += 1;
        self.benefits.put((change.partner.clone(), change.benefit.clone()), change);
    }

    pub(super) fn rebate(&mut self, period: &str, schedule: &str, currency: Currency, partner: &str, before: i64, after: i64) {
        let sums = self.rebates.entry((period.to_owned(), schedule.to_owned(), currency)).or_default();
        sums.before += i128::from(before);
        sums.after += i128::from(after);
        sums.partners += u64::from(before != 0 || after != 0);
        if before == after {
            return;
        }
        sums.changed += 1;
        let (before, after) = (Money::new(before, currency), Money::new(after, currency));
        let moved = RebateMove { partner: partner.to_owned(), period: period.to_owned(), schedule: schedule.to_owned(), before, after };
        let largest_first = Reverse(after.minor.abs_diff(before.minor));
        self.rebate_moves.put((largest_first, partner.to_owned(), period.to_owned(), schedule.to_owned(), currency), moved);
    }

    pub(super) fn shared(&mut self, period: &str, schedule: &str, currency: Currency, partner: Asked<'_>, before: Option<i64>, after: Option<i64>) {
        let share = Share { partner: partner.code.to_owned(), told: partner.told, before, after };
        self.shares.entry((period.to_owned(), schedule.to_owned(), currency)).or_default().push(share);
    }

    pub(super) fn fail(&mut self, partner: &str, faults: Faults) {
        // Once, in however many periods.
        if !self.failed.kept.contains_key(partner) {
            self.failed.put(partner.to_owned(), faults);
        }
    }
}

fn add<K: Ord>(mine: &mut BTreeMap<K, u64>, theirs: BTreeMap<K, u64>) {
    for (key, count) in theirs {
        *mine.entry(key).or_default() += count;
    }
}
