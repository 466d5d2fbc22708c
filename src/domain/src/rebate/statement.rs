//! Statements as runs keep them: a line for each band and tier that earned, a line for each bound, top-up, carry and adjustment;
//! and the arithmetic of a run over what was posted before.
//!
//! The sale lines behind a statement are not kept with it: there may be millions, and they are computed again from what the run
//! read whenever they are asked for. What is kept sums to the statement, to the minor unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::allocate::round_to_total;
use crate::date::{Date, Span};
use crate::document::rebate::{NegativeDifference, RebateSchedule};
use crate::exact::{Exact, Overflow};
use crate::money::{Currency, Money};

use super::result::{BandShare, Entitlement, Step, StepKind};

/// What a line of a statement stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineKind {
    /// What a band, or a method without bands, earned for one tier.
    Earned,
    /// The condition was not met.
    Condition,
    /// Topped up to the floor.
    Floor,
    /// Cut at the cap.
    Cap,
    /// What earlier periods of the fiscal year were worth.
    Cumulative,
    /// Topped up to the guarantee.
    Guarantee,
    /// A small payout of earlier periods.
    CarriedPayout,
    /// Less than the minimum payout: forfeited or carried.
    MinimumPayout,
    /// Another schedule of the group was better.
    BestOf,
    /// Shared with all partners, since the budget did not suffice.
    Budget,
    /// A correction that was decided, such as an accepted dispute.
    Adjustment,
    /// A shortfall of earlier periods, taken off (CARRY_FORWARD).
    SetOff,
    /// A shortfall that is not posted now, but taken off what comes later (CARRY_FORWARD).
    CarriedForward,
}

impl LineKind {
    /// All kinds, in the order of a statement.
    pub const ALL: [Self; 13] = [
        Self::Earned,
        Self::Condition,
        Self::Floor,
        Self::Cap,
        Self::Cumulative,
        Self::Guarantee,
        Self::CarriedPayout,
        Self::MinimumPayout,
        Self::BestOf,
        Self::Budget,
        Self::Adjustment,
        Self::SetOff,
        Self::CarriedForward,
    ];

    /// Whether the line says when something is posted, not what the period is worth.
    pub const fn is_carry(self) -> bool {
        matches!(self, Self::SetOff | Self::CarriedForward)
    }

    const fn of_step(step: StepKind) -> Option<Self> {
        match step {
            StepKind::Condition => Some(Self::Condition),
            StepKind::Floor => Some(Self::Floor),
            StepKind::Cap => Some(Self::Cap),
            StepKind::Cumulative => Some(Self::Cumulative),
            StepKind::Guarantee => Some(Self::Guarantee),
            StepKind::CarriedPayout => Some(Self::CarriedPayout),
            StepKind::MinimumPayout => Some(Self::MinimumPayout),
            StepKind::BestOf => Some(Self::BestOf),
            StepKind::Budget => Some(Self::Budget),
            StepKind::NotInScope | StepKind::CarriedBasis | StepKind::Reduced | StepKind::Earn | StepKind::BaseCap | StepKind::Round => None,
        }
    }
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedLine {
    /// What it stands for.
    pub kind: LineKind,
    /// The band's position in the schedule, from 0.
    pub band: Option<i64>,
    /// The band's lower bound, in the qualifier.
    pub from: Option<Exact>,
    /// The band's upper bound.
    pub to: Option<Exact>,
    /// The tier whose rate it is.
    pub tier: Option<String>,
    /// The category, where the schedule is for one alone.
    pub category: Option<String>,
    /// What it was paid on.
    pub base: Exact,
    /// The rate, or the amount of a unit or package; none for a sum.
    pub rate: Option<Exact>,
    /// The figure before rounding.
    pub exact: Exact,
    /// The figure in minor units. The lines of a statement sum to it.
    pub amount: i64,
}

impl StatedLine {
    /// A line that belongs to no band, in whole minor units.
    pub fn of(kind: LineKind, amount: i64, currency: Currency) -> Self {
        let exact = Exact::scaled(amount.into(), currency.decimals());
        Self { kind, band: None, from: None, to: None, tier: None, category: None, base: Exact::ZERO, rate: None, exact, amount }
    }

    fn earned(share: &BandShare, category: Option<&str>) -> Self {
        Self {
            kind: LineKind::Earned,
            band: share.band.and_then(|band| i64::try_from(band).ok()),
            from: share.from.clone(),
            to: share.to.clone(),
            tier: share.tier.clone(),
            category: category.map(str::to_owned),
            base: share.base.clone(),
            rate: share.rate.clone(),
            exact: share.amount.clone(),
            amount: 0,
        }
    }
}

/// What a schedule owes a partner for a period, as a run keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The schedule.
    pub schedule: String,
    /// The period's name.
    pub period: String,
    /// The period's days.
    pub span: Span,
    /// The tier that counts for the period as a whole.
    pub tier: Option<String>,
    /// What picked the band, exactly.
    pub qualifier: Exact,
    /// What was paid on, exactly.
    pub basis: Exact,
    /// The figure before rounding.
    pub exact: Exact,
    /// What the period is worth.
    pub amount: Money,
    /// How many sale lines are behind it.
    pub inputs: i64,
    /// Every step in order.
    pub steps: Vec<Step>,
    /// The lines. They sum to the amount.
    pub lines: Vec<StatedLine>,
}

/// States an entitlement: the bands that earned, then every step that changed the figure, rounded so that the lines sum to it.
pub fn state(entitlement: Entitlement, schedule: &RebateSchedule) -> Result<Stated, Overflow> {
    let currency = entitlement.currency;
    let category = match schedule.scope.categories.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let mut lines: Vec<StatedLine> = entitlement.bands.iter().map(|share| StatedLine::earned(share, category)).collect();
    for step in &entitlement.steps {
        if step.step == StepKind::Round {
            round(&mut lines, step, currency)?;
        } else if let Some(kind) = LineKind::of_step(step.step).filter(|_| step.before != step.after) {
            let exact = step.after.sub(&step.before)?;
            let amount = minor_of(exact.clone(), currency)?;
            lines.push(StatedLine { exact, ..StatedLine::of(kind, amount.unwrap_or(0), currency) });
        }
    }
    let inputs = entitlement.lines.iter().filter(|line| line.id.is_some()).count();
    Ok(Stated {
        schedule: entitlement.schedule,
        period: entitlement.period,
        span: entitlement.span,
        tier: entitlement.tier,
        qualifier: entitlement.qualifier,
        basis: entitlement.basis,
        exact: entitlement.exact,
        amount: entitlement.amount,
        inputs: i64::try_from(inputs).map_err(|_| Overflow)?,
        steps: entitlement.steps,
        lines,
    })
}

fn scale_of(currency: Currency) -> Result<Exact, Overflow> {
    10_i128.checked_pow(currency.decimals()).and_then(|scale| Exact::ratio(scale, 1)).ok_or(Overflow)
}

/// The minor units of a figure that has no part of one.
fn minor_of(exact: Exact, currency: Currency) -> Result<Option<i64>, Overflow> {
    Ok(exact.mul(&scale_of(currency)?)?.to_whole().and_then(|minor| i64::try_from(minor).ok()))
}

/// Shares the rounded figure over the lines so far, by largest remainder.
fn round(lines: &mut Vec<StatedLine>, step: &Step, currency: Currency) -> Result<(), Overflow> {
    let total = minor_of(step.after.clone(), currency)?.ok_or(Overflow)?;
    if lines.is_empty() && total != 0 {
        lines.push(StatedLine::of(LineKind::Earned, 0, currency));
    }
    let scale = scale_of(currency)?;
    let exact = lines.iter().map(|line| line.exact.mul(&scale)).collect::<Result<Vec<Exact>, Overflow>>()?;
    for (line, amount) in lines.iter_mut().zip(round_to_total(total, &exact)?) {
        line.amount = amount;
    }
    Ok(())
}

impl Stated {
    /// Takes the figure to what the budget leaves of it.
    pub fn cut_to_budget(&mut self, minor: i64) -> Result<(), Overflow> {
        self.change(minor, LineKind::Budget, Some(StepKind::Budget))
    }

    /// Adds a correction that was decided.
    pub fn adjust(&mut self, minor: i64) -> Result<(), Overflow> {
        let to = self.amount.minor.checked_add(minor).ok_or(Overflow)?;
        self.change(to, LineKind::Adjustment, None)
    }

    fn change(&mut self, minor: i64, kind: LineKind, step: Option<StepKind>) -> Result<(), Overflow> {
        let difference = minor.checked_sub(self.amount.minor).ok_or(Overflow)?;
        if difference == 0 {
            return Ok(());
        }
        let after = Money::new(minor, self.amount.currency);
        self.steps.extend(step.map(|step| Step { step, before: self.amount.exact(), after: after.exact(), bound: None, note: None }));
        self.lines.push(StatedLine::of(kind, difference, self.amount.currency));
        self.amount = after;
        Ok(())
    }
}

/// What lines have in common that are one in a difference: kind, band, its bounds, tier, category, rate.
type LineKey<'l> = (LineKind, Option<i64>, Option<Exact>, Option<Exact>, Option<&'l str>, Option<&'l str>, Option<Exact>);

/// What is different between the lines of a period now and before: one line for each band and tier, and so on, in their order.
pub fn difference(now: Vec<StatedLine>, before: &[StatedLine]) -> Result<Vec<StatedLine>, Overflow> {
    fn key(line: &StatedLine) -> LineKey<'_> {
        (line.kind, line.band, line.from.clone(), line.to.clone(), line.tier.as_deref(), line.category.as_deref(), line.rate.clone())
    }
    // Mostly nothing was posted before, and no two lines are one.
    if before.is_empty() && now.is_sorted_by(|one, next| key(one) < key(next)) {
        return Ok(now);
    }
    let mut sums: BTreeMap<LineKey<'_>, (Exact, Exact, i64)> = BTreeMap::new();
    let all = now.iter().map(|line| (line, false)).chain(before.iter().map(|line| (line, true)));
    for (line, negative) in all {
        let (base, exact, amount) = sums.entry(key(line)).or_insert((Exact::ZERO, Exact::ZERO, 0));
        let signed = |figure: Exact| if negative { figure.neg() } else { figure };
        *base = base.add(&signed(line.base.clone()))?;
        *exact = exact.add(&signed(line.exact.clone()))?;
        *amount = amount.checked_add(if negative { line.amount.checked_neg().ok_or(Overflow)? } else { line.amount }).ok_or(Overflow)?;
    }
    let whole = before.is_empty();
    let changed = sums.into_iter().filter(|(_, (base, exact, amount))| whole || !(base.is_zero() && exact.is_zero() && *amount == 0));
    let line = |((kind, band, from, to, tier, category, rate), (base, exact, amount)): (LineKey<'_>, (Exact, Exact, i64))| StatedLine {
        kind,
        band,
        from,
        to,
        tier: tier.map(str::to_owned),
        category: category.map(str::to_owned),
        base,
        rate,
        exact,
        amount,
    };
    Ok(changed.map(line).collect())
}

/// What is not posted as it differs, by the policy of the schedule: for each difference of one run what is added to it, so that
/// with CARRY_FORWARD nothing negative is posted in sum. `shortfall`, zero or negative, is what earlier runs held back.
///
/// A shortfall is taken off what is positive, the first listed first; what is negative is held back, the last listed first.
pub fn carry(policy: NegativeDifference, shortfall: i64, differences: &[i64]) -> Result<Vec<i64>, Overflow> {
    let mut carried = vec![0; differences.len()];
    if policy == NegativeDifference::ClawBack {
        return Ok(carried);
    }
    let sum = differences.iter().try_fold(0_i64, |sum, one| sum.checked_add(*one)).ok_or(Overflow)?;
    let due = sum.checked_add(shortfall).ok_or(Overflow)?;
    let mut left = due.max(0).checked_sub(sum).ok_or(Overflow)?;
    let order: Vec<usize> = if left < 0 { (0..differences.len()).collect() } else { (0..differences.len()).rev().collect() };
    for at in order {
        let (Some(difference), Some(part)) = (differences.get(at), carried.get_mut(at)) else { continue };
        let most = difference.checked_neg().ok_or(Overflow)?;
        *part = if left < 0 { left.max(most.min(0)) } else { left.min(most.max(0)) };
        left -= *part;
    }
    Ok(carried)
}

/// Everything that a statement says; its digest is what approvals name.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementBody<'a> {
    /// The program's code.
    pub program: &'a str,
    /// The digest of the version that it is computed by.
    pub version: &'a str,
    /// The partner's code.
    pub partner: &'a str,
    /// The schedule.
    pub schedule: &'a str,
    /// The period that it belongs to.
    pub period: &'a str,
    /// The period's first day.
    pub from: Date,
    /// The first day after it.
    pub until: Date,
    /// The currency.
    pub currency: Currency,
    /// The tier that counts for the period as a whole.
    pub tier: Option<&'a str>,
    /// What picked the band.
    pub qualifier: &'a Exact,
    /// What was paid on.
    pub basis: &'a Exact,
    /// The figure before rounding.
    pub exact: &'a Exact,
    /// What the period is worth, in minor units.
    pub entitled: i64,
    /// What was recognised for it before.
    pub before: i64,
    /// What is held back (positive) or set off (negative).
    pub carried: i64,
    /// What is posted.
    pub amount: i64,
    /// Sale lines behind it.
    pub inputs: i64,
    /// Every step.
    pub steps: &'a [Step],
    /// The lines.
    pub lines: &'a [StatedLine],
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    let digest = digest.as_ref();
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

impl StatementBody<'_> {
    /// The digest of its canonical JSON, in hexadecimal.
    pub fn content_hash(&self) -> String {
        hex(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

/// What the statement of a reversal says: the negative of a posted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// What picked the band, negative.
    pub qualifier: Exact,
    /// What was paid on, negative.
    pub basis: Exact,
    /// The figure before rounding, negative.
    pub exact: Exact,
    /// What stays recognised for the period.
    pub entitled: i64,
    /// What was recognised for it, the reversed statement included.
    pub before: i64,
    /// What was held back or set off, the other way round.
    pub carried: i64,
    /// What is posted.
    pub amount: i64,
    /// The lines, negative.
    pub lines: Vec<StatedLine>,
}

impl Reversed {
    /// The negative of `posted`, when `recognised` is recognised for its period.
    ///
    /// # Errors
    /// A figure out of range.
    pub fn of(posted: &StatementBody<'_>, recognised: i64) -> Result<Self, Overflow> {
        let negative = |amount: i64| amount.checked_neg().ok_or(Overflow);
        let turned = |line: &StatedLine| Ok(StatedLine { base: line.base.neg(), exact: line.exact.neg(), amount: negative(line.amount)?, ..line.clone() });
        let difference = posted.entitled.checked_sub(posted.before).ok_or(Overflow)?;
        Ok(Self {
            qualifier: posted.qualifier.neg(),
            basis: posted.basis.neg(),
            exact: posted.exact.neg(),
            entitled: recognised.checked_sub(difference).ok_or(Overflow)?,
            before: recognised,
            carried: negative(posted.carried)?,
            amount: negative(posted.amount)?,
            lines: posted.lines.iter().map(turned).collect::<Result<_, Overflow>>()?,
        })
    }

    /// What it says, for its digest. It has no steps of its own: they are those of the reversed statement.
    pub fn body<'s>(&'s self, posted: &StatementBody<'s>) -> StatementBody<'s> {
        StatementBody {
            qualifier: &self.qualifier,
            basis: &self.basis,
            exact: &self.exact,
            entitled: self.entitled,
            before: self.before,
            carried: self.carried,
            amount: self.amount,
            steps: &[],
            lines: &self.lines,
            ..*posted
        }
    }
}

/// What a run is of, for its content hash.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunBody<'a> {
    /// The program's code.
    pub program: &'a str,
    /// The digest of the version in force on the period's first day.
    pub version: &'a str,
    /// The period's name.
    pub period: &'a str,
    /// The run's kind.
    pub kind: &'a str,
    /// The last sealed batch that it reads.
    pub cut_off: i64,
    /// The last posting that it builds on.
    pub book: i64,
    /// The last decided correction that it reads.
    pub adjustments: i64,
}

/// Digests a run: its head, then the hashes of its statements in the order of partner, period and schedule. Neither ids nor
/// times nor the size of chunks take part.
#[derive(Debug, Clone)]
pub struct RunHash(Sha256);

impl RunHash {
    /// Begins with the head.
    pub fn new(body: &RunBody<'_>) -> Self {
        let mut digest = Sha256::new();
        digest.update(serde_json::to_vec(body).unwrap_or_default());
        Self(digest)
    }

    /// Adds the next statement.
    pub fn add(&mut self, statement: &str) {
        self.0.update([0]);
        self.0.update(statement.as_bytes());
    }

    /// The hash, in hexadecimal.
    pub fn finish(self) -> String {
        hex(self.0.finalize())
    }
}
