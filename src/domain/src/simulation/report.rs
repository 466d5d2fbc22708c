//! What a simulation answers, put in order.

use serde::{Serialize, Serializer};

use super::tally::{BenefitMove, Share, Tally};
use super::{BenefitChangeKind, Move, Near, RebateMove, Side, Simulation};
use crate::date::Date;
use crate::document::ladder::Ladder;
use crate::document::rebate::RebateSchedule;
use crate::fault::{Fault, Faults};
use crate::money::{Currency, Money};
use crate::program::Program;
use crate::rebate::share_budget;

/// A number of partners (in a region, where tiers are held per region) that hold one tier before and one after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatrixCell {
    /// The ladder.
    pub ladder: String,
    /// The tier before.
    pub from: Option<String>,
    /// The tier after.
    pub to: Option<String>,
    /// How many.
    pub partners: u64,
}

/// The tiers of a ladder in both worlds, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderTiers {
    /// The ladder.
    pub ladder: String,
    /// Its tiers; one that is there in one world only stands where it does there.
    pub tiers: Vec<String>,
}

/// How many are near a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NearCount {
    /// The ladder.
    pub ladder: String,
    /// The tier.
    pub tier: String,
    /// Whether they miss it, or just hold it.
    pub side: Side,
    /// How many.
    pub partners: u64,
}

/// How many partners have a benefit otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenefitCount {
    /// The benefit.
    pub benefit: String,
    /// The tier of the main ladder after the change.
    pub tier: Option<String>,
    /// What happens to it.
    pub kind: BenefitChangeKind,
    /// How many.
    pub partners: u64,
}

/// What a schedule pays for a period in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebateSum {
    /// The period.
    pub period: String,
    /// The schedule.
    pub schedule: String,
    /// The currency.
    pub currency: Currency,
    /// Before.
    #[serde(serialize_with = "amount")]
    pub before: Money,
    /// After.
    #[serde(serialize_with = "amount")]
    pub after: Money,
    /// After less before.
    #[serde(serialize_with = "amount")]
    pub difference: Money,
    /// How many partners earn something in one of the worlds.
    pub partners: u64,
    /// How many of them earn another figure.
    pub changed: u64,
}

fn amount<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&money.amount())
}

/// A partner that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The partner's code.
    pub partner: String,
    /// Why.
    pub faults: Faults,
}

/// What a simulation answers. Lists hold so many at most, counts and sums all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The date.
    pub as_of: Date,
    /// How many partners were judged in both worlds.
    pub partners: u64,
    /// How many tiers go up.
    pub up: u64,
    /// How many go down.
    pub down: u64,
    /// How many become another one of the same rank.
    pub aside: u64,
    /// The ladders, as the document lists them.
    pub ladders: Vec<LadderTiers>,
    /// From which tier to which, by ladder; lowest tiers first.
    pub matrix: Vec<MatrixCell>,
    /// The tiers that are other ones, by partner.
    pub moves: Vec<Move>,
    /// How many are near a threshold after the change.
    pub near_counts: Vec<NearCount>,
    /// How many places near a threshold there are in all.
    pub near_count: u64,
    /// They, nearest first.
    pub near: Vec<Near>,
    /// By benefit and tier.
    pub benefit_counts: Vec<BenefitCount>,
    /// How many benefits of partners are other ones in all.
    pub benefit_count: u64,
    /// They, by partner.
    pub benefits: Vec<BenefitMove>,
    /// By period, schedule and currency.
    pub rebates: Vec<RebateSum>,
    /// How many rebates of partners are other ones in all.
    pub rebate_count: u64,
    /// They, largest differences first.
    pub rebate_moves: Vec<RebateMove>,
    /// How many partners could not be judged.
    pub failed_count: u64,
    /// They, by code.
    pub failed: Vec<Failed>,
    /// What else should be known.
    pub warnings: Vec<Fault>,
}

impl Report {
    /// How many tiers are other ones.
    pub const fn moved(&self) -> u64 {
        self.up + self.down + self.aside
    }

    /// Whether nothing at all is different.
    pub fn is_unchanged(&self) -> bool {
        self.moved() == 0 && self.benefit_count == 0 && self.rebate_count == 0 && self.rebates.iter().all(|sum| sum.difference.minor == 0)
    }
}

impl Simulation {
    /// Puts in order what was found about all partners, and shares the budgets of schedules over them.
    pub fn report(&self, mut tally: Tally) -> Report {
        for ((period, schedule, currency), mut shares) in std::mem::take(&mut tally.shares) {
            shares.sort_by(|one, other| one.partner.cmp(&other.partner));
            self.share(&period, &schedule, currency, &shares, &mut tally);
        }
        let [up, down, aside] = tally.moved;
        Report {
            as_of: self.terms.as_of,
            partners: tally.partners,
            up,
            down,
            aside,
            ladders: self.ladders(),
            matrix: self.matrix(&tally),
            near_counts: tally.near_counts.into_iter().map(|((ladder, tier, side), partners)| NearCount { ladder, tier, side, partners }).collect(),
            near_count: tally.near.count,
            near: tally.near.kept.into_values().collect(),
            benefit_counts: tally.benefit_counts.into_iter().map(|((benefit, tier, kind), partners)| BenefitCount { benefit, tier, kind, partners }).collect(),
            benefit_count: tally.benefits.count,
            benefits: tally.benefits.kept.into_values().collect(),
            rebates: tally.rebates.into_iter().map(|((period, schedule, currency), sums)| sum_of(period, schedule, currency, sums)).collect(),
            rebate_count: tally.rebate_moves.count,
            rebate_moves: tally.rebate_moves.kept.into_values().collect(),
            moves: tally.moves.kept.into_values().collect(),
            failed_count: tally.failed.count,
            failed: tally.failed.kept.into_iter().map(|(partner, faults)| Failed { partner, faults }).collect(),
            warnings: tally.warnings.into_keys().map(|(code, path, message)| Fault { code, path, message }).collect(),
        }
    }

    fn ladders(&self) -> Vec<LadderTiers> {
        let (before, after) = (&self.before.document.ladders, &self.after.document.ladders);
        let gone = before.iter().filter(|ladder| after.iter().all(|kept| kept.key != ladder.key));
        let tiers = |ladder: &Ladder| {
            let mut tiers: Vec<String> = ladder.tiers.iter().map(|tier| tier.key.clone()).collect();
            let then = before.iter().find(|then| then.key == ladder.key).map(|then| then.tiers.as_slice()).unwrap_or_default();
            for (at, tier) in then.iter().enumerate().filter(|(_, tier)| ladder.tier(&tier.key).is_none()) {
                tiers.insert(at.min(tiers.len()), tier.key.clone());
            }
            LadderTiers { ladder: ladder.key.clone(), tiers }
        };
        after.iter().chain(gone).map(tiers).collect()
    }

    fn matrix(&self, tally: &Tally) -> Vec<MatrixCell> {
        let cells = tally.matrix.iter();
        let cell = |((ladder, from, to), partners): (&(String, Option<String>, Option<String>), &u64)| MatrixCell {
            ladder: ladder.clone(),
            from: from.clone(),
            to: to.clone(),
            partners: *partners,
        };
        let mut cells: Vec<MatrixCell> = cells.map(cell).collect();
        let place = |program: &Program, key: &str| program.document.ladders.iter().position(|ladder: &Ladder| ladder.key == key);
        let rank = |cell: &MatrixCell, tier: Option<&str>| {
            let of = |program: &Program| program.ladder(Some(&cell.ladder)).map_or(0, |ladder| ladder.rank(tier));
            of(&self.after).max(of(&self.before))
        };
        cells.sort_by_key(|cell| (place(&self.after, &cell.ladder), rank(cell, cell.from.as_deref()), rank(cell, cell.to.as_deref())));
        cells
    }

    /// Shares the budget of each world over what everybody earned in it.
    fn share(&self, period: &str, schedule: &str, currency: Currency, shares: &[Share], tally: &mut Tally) {
        let Some(asked) = self.periods.iter().find(|known| known.name == period) else { return };
        let rule = |side: &Option<(std::sync::Arc<Program>, crate::period::Period)>| side.as_ref().and_then(|(program, _)| program.schedule(schedule)).cloned();
        let before = shared(rule(&asked.before).as_ref(), currency, shares, |share| share.before, tally);
        let after = shared(rule(&asked.after).as_ref(), currency, shares, |share| share.after, tally);
        for ((share, before), after) in shares.iter().zip(before).zip(after).filter(|((share, _), _)| share.told) {
            tally.rebate(period, schedule, currency, &share.partner, before, after);
        }
    }
}

/// What each gets; what it earned, with a warning, where the budget refuses to be shared.
fn shared(rule: Option<&RebateSchedule>, currency: Currency, shares: &[Share], of: impl Fn(&Share) -> Option<i64>, tally: &mut Tally) -> Vec<i64> {
    let earned: Vec<(&str, i64)> = shares.iter().map(|share| (share.partner.as_str(), of(share).unwrap_or(0))).collect();
    let given = rule.map(|rule| share_budget(rule, currency, &earned));
    match given {
        Some(Ok(parts)) => return parts,
        Some(Err(fault)) => tally.warn(fault),
        None => {}
    }
    earned.into_iter().map(|(_, amount)| amount).collect()
}

fn sum_of(period: String, schedule: String, currency: Currency, sums: super::tally::Sums) -> RebateSum {
    let money = |minor: i128| Money::new(i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX }), currency);
    RebateSum {
        period,
        schedule,
        currency,
        before: money(sums.before),
        after: money(sums.after),
        difference: money(sums.after - sums.before),
        partners: sums.partners,
        changed: sums.changed,
    }
}
