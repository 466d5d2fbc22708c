//! From exact figures to what is owed: cumulative difference, guarantee, rounding, minimum payout, and the statement's lines.

use std::collections::BTreeMap;

use crate::allocate::{by_key, round_to_total, share};
use crate::date::Date;
use crate::document::rebate::{BelowMinimum, RebateSchedule, RoundAt};
use crate::exact::{Exact, Overflow};
use crate::facts::FactId;
use crate::money::{Currency, Money};

use super::earn::Piece;
use super::figure::Figure;
use super::handover::Kind;
use super::line::Line;
use super::result::{BandShare, Entitlement, StatementLine, Step, StepKind};

/// What one period of a schedule hands to the next. Recomputed from the facts whenever it is asked for, never forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Carry {
    /// A negative basis.
    pub(super) basis: Exact0,
    /// A payout below the minimum, in minor units.
    pub(super) payout: i64,
    /// What was paid above the guarantee so far in the fiscal year.
    pub(super) surplus: Exact0,
    /// What a cumulative schedule was guaranteed to date in the fiscal year; none where nothing was.
    pub(super) guaranteed: Option<Exact>,
    /// What a cumulative schedule forfeited below its minimum payout so far in the fiscal year, in minor units.
    pub(super) forfeited: i64,
    /// The fiscal year of the surplus, of what was guaranteed and of what was forfeited.
    pub(super) year: Option<Date>,
}

impl Carry {
    /// What of it goes over to the schedule of the same key of the next version.
    pub(super) fn taken_over(self, takes: impl Fn(Kind) -> bool) -> Self {
        let mut taken = Self { year: self.year, ..Self::default() };
        if takes(Kind::Basis) {
            taken.basis = self.basis;
        }
        if takes(Kind::Payout) {
            taken.payout = self.payout;
        }
        if takes(Kind::Surplus) {
            taken.surplus = self.surplus;
        }
        if takes(Kind::ToDate) {
            (taken.guaranteed, taken.forfeited) = (self.guaranteed, self.forfeited);
        }
        if taken == (Self { year: self.year, ..Self::default() }) { Self::default() } else { taken }
    }

    /// With what another period hands to the same one. Of two fiscal years the later one's counts.
    pub(super) fn with(self, other: Self) -> Result<Self, Overflow> {
        let (earlier, later) = if self.year <= other.year { (self, other) } else { (other, self) };
        let basis = Exact0(earlier.basis.0.add(&later.basis.0)?);
        let payout = earlier.payout.checked_add(later.payout).ok_or(Overflow)?;
        if earlier.year != later.year {
            return Ok(Self { basis, payout, ..later });
        }
        let guaranteed = match (earlier.guaranteed, later.guaranteed) {
            (Some(one), Some(other)) => Some(one.add(&other)?),
            (one, other) => one.or(other),
        };
        let forfeited = earlier.forfeited.checked_add(later.forfeited).ok_or(Overflow)?;
        Ok(Self { basis, payout, surplus: Exact0(earlier.surplus.0.add(&later.surplus.0)?), guaranteed, forfeited, year: later.year })
    }
}

/// An exact figure whose default is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exact0(pub(super) Exact);

impl Default for Exact0 {
    fn default() -> Self {
        Self(Exact::ZERO)
    }
}

/// A row of a statement before it is spelled.
#[derive(Clone)]
struct Row<'l, 'a> {
    line: Option<&'l Line<'a>>,
    basis: Exact,
    exact: Exact,
    /// What of `exact` is a part of something that all lines earned together.
    of_whole: Exact,
    amount: i64,
}

impl<'l, 'a> Row<'l, 'a> {
    /// A row without figures.
    const fn of_line(line: Option<&'l Line<'a>>) -> Self {
        Self { line, basis: Exact::ZERO, exact: Exact::ZERO, of_whole: Exact::ZERO, amount: 0 }
    }
}

/// The minor units of an exact amount.
fn in_minor(amount: Exact, currency: Currency) -> Result<Exact, Overflow> {
    let scale = 10_i128.checked_pow(currency.decimals()).and_then(|scale| Exact::ratio(scale, 1)).ok_or(Overflow)?;
    amount.mul(&scale)
}

/// One row per line, and one for what belongs to no line, if there is any.
fn rows<'l, 'a>(lines: &'l [Line<'a>], pieces: &[Piece<'a>]) -> Result<Vec<Row<'l, 'a>>, Overflow> {
    let mut rows: Vec<Row<'l, 'a>> = lines.iter().map(|line| Row { basis: line.basis.clone(), ..Row::of_line(Some(line)) }).collect();
    let mut rest: Option<Row<'l, 'a>> = None;
    for piece in pieces {
        let row = match piece.line.and_then(|line| rows.get_mut(line)) {
            Some(row) => row,
            None => rest.get_or_insert_with(|| Row::of_line(None)),
        };
        row.exact = row.exact.add(&piece.amount)?;
        if piece.of_whole {
            row.of_whole = row.of_whole.add(&piece.amount)?;
        }
    }
    rows.extend(rest);
    Ok(rows)
}

/// Rounds a figure where the schedule says, and gives each row its part, so that the rows sum to the whole (semantics 15).
fn round(schedule: &RebateSchedule, currency: Currency, figure: &Figure<'_>, rows: &mut [Row<'_, '_>]) -> Result<i64, Overflow> {
    let (mode, places) = (schedule.rounding.mode, currency.decimals());
    let at = if figure.bounded { RoundAt::Entitlement } else { schedule.rounding.at };
    let total = match at {
        RoundAt::Entitlement => mode.round_scaled(&figure.exact, places)?,
        RoundAt::Band => {
            let mut bands: BTreeMap<Option<usize>, Exact> = BTreeMap::new();
            for piece in &figure.pieces {
                let sum = bands.entry(piece.band).or_insert(Exact::ZERO);
                *sum = sum.add(&piece.amount)?;
            }
            let rounded = bands.values().map(|sum| mode.round_scaled(sum, places));
            sum_of(rounded)?
        }
        RoundAt::Line => {
            // What belongs to all lines together is one figure: rounded by itself, then shared.
            let whole = mode.round_scaled(&Exact::sum(rows.iter().map(|row| &row.of_whole))?, places)?;
            let parts = rows.iter().map(|row| in_minor(row.of_whole.clone(), currency)).collect::<Result<Vec<Exact>, Overflow>>()?;
            let parts = by_key(&row_keys(rows), &parts, |parts| round_to_total(whole, parts))?;
            for (row, part) in rows.iter_mut().zip(parts) {
                let own = mode.round_scaled(&row.exact.sub(&row.of_whole)?, places)?;
                row.amount = own.checked_add(part).ok_or(Overflow)?;
            }
            return sum_of(rows.iter().map(|row| Ok(row.amount)));
        }
    };
    spread(rows, total, currency)?;
    Ok(total)
}

fn sum_of(amounts: impl IntoIterator<Item = Result<i64, Overflow>>) -> Result<i64, Overflow> {
    amounts.into_iter().try_fold(0_i64, |sum, amount| sum.checked_add(amount?).ok_or(Overflow))
}

/// Shares a total over rows by largest remainder.
fn spread(rows: &mut [Row<'_, '_>], total: i64, currency: Currency) -> Result<(), Overflow> {
    let exact = rows.iter().map(|row| in_minor(row.exact.clone(), currency)).collect::<Result<Vec<Exact>, Overflow>>()?;
    let parts = by_key(&row_keys(rows), &exact, |exact| round_to_total(total, exact))?;
    for (row, amount) in rows.iter_mut().zip(parts) {
        row.amount = amount;
    }
    Ok(())
}

/// By what ties between rows are decided: their sale lines' sources and ids, then what belongs to no line.
fn row_keys<'a>(rows: &[Row<'_, 'a>]) -> Vec<(bool, Option<&'a FactId>)> {
    let id = |row: &Row<'_, 'a>| row.line.and_then(|line| line.transaction).map(|line| &line.id);
    rows.iter().map(id).map(|id| (id.is_none(), id)).collect()
}

/// In proportion to amounts; nothing each where they give nothing to share by.
fn in_parts(total: i64, weights: &[Exact]) -> Result<Vec<i64>, Overflow> {
    Ok(share(total, weights)?.unwrap_or_else(|| vec![0; weights.len()]))
}

/// What is asked of an entitlement besides its figure.
pub(super) struct Terms<'a> {
    pub(super) schedule: &'a RebateSchedule,
    pub(super) currency: Currency,
    pub(super) period: &'a crate::period::Period,
    pub(super) fiscal_year: Date,
    pub(super) carry: Carry,
}

/// What was entitled to so far in the fiscal year: a figure, and the schedule that gave it.
pub(super) struct Earlier<'e, 'a> {
    pub(super) schedule: &'e RebateSchedule,
    pub(super) figure: &'e Figure<'a>,
}

/// What a figure is worth, in minor units.
pub(super) fn worth(schedule: &RebateSchedule, currency: Currency, figure: &Figure<'_>) -> Result<i64, Overflow> {
    round(schedule, currency, figure, &mut rows(&figure.lines, &figure.pieces)?)
}

/// Makes the entitlement of a figure; `earlier` is what earlier periods of the fiscal year were worth, for cumulative schedules.
pub(super) fn entitle(terms: &Terms<'_>, figure: &Figure<'_>, earlier: Option<&Earlier<'_, '_>>) -> Result<(Entitlement, Carry), Overflow> {
    let (schedule, currency) = (terms.schedule, terms.currency);
    let mut steps = figure.steps.clone();
    let mut rows = rows(&figure.lines, &figure.pieces)?;
    let mut amount = round(schedule, currency, figure, &mut rows)?;
    let mut exact = figure.exact.clone();
    let (worth_now, mut worth_before) = (Worth { exact: exact.clone(), minor: amount }, Worth { exact: Exact::ZERO, minor: 0 });
    if let Some(earlier) = earlier {
        let before = earlier.figure;
        let mut paid = self::rows(&before.lines, &before.pieces)?;
        worth_before = Worth { exact: before.exact.clone(), minor: round(earlier.schedule, currency, before, &mut paid)? };
        amount = amount.checked_sub(worth_before.minor).ok_or(Overflow)?;
        let note = (earlier.schedule.key != schedule.key).then(|| format!("what {} gave", earlier.schedule.key));
        let after = exact.sub(&before.exact)?;
        steps.push(Step { step: StepKind::Cumulative, before: exact, after: after.clone(), bound: Some(before.exact.clone()), note });
        exact = after;
        rows = subtract(rows, &paid)?;
        rows.retain(|row| !row.exact.is_zero() || row.line.is_some_and(|line| terms.period.span.contains(line.date)));
        if rows.iter().any(|row| !row.exact.is_zero()) {
            spread(&mut rows, amount, currency)?;
        } else {
            // What was rounded in two ways differs, while every line has what it had.
            rows.iter_mut().for_each(|row| row.amount = 0);
            rows.extend((amount != 0).then(|| Row { amount, ..Row::of_line(None) }));
        }
    }
    let mut carry = Carry { basis: Exact0(figure.carried_basis.clone().unwrap_or(Exact::ZERO)), ..Carry::default() };
    if terms.carry.year == Some(terms.fiscal_year) {
        // A period without a guarantee, or out of scope, leaves what there is.
        (carry.surplus, carry.year) = (terms.carry.surplus.clone(), terms.carry.year);
        carry.guaranteed.clone_from(&terms.carry.guaranteed);
        carry.forfeited = terms.carry.forfeited;
    }
    if figure.unmet {
        exact = withhold(terms, (exact, &mut amount), &mut rows, &mut steps, &mut carry)?;
    }
    if guarantees_to_date(schedule) {
        if let Some((due, bound)) = due_to_date(terms, figure, &worth_now, &worth_before, &mut carry)? {
            if due.exact != exact || due.minor != amount {
                top_up(&mut rows, due.exact.sub(&exact)?, due.minor, currency)?;
            }
            amount = due.minor;
            exact = step(&mut steps, StepKind::Guarantee, exact, due.exact, Some(bound));
        }
    } else {
        exact = guarantee(terms, figure.tier, exact, &mut rows, &mut steps, &mut carry, &mut amount)?;
    }
    let rounded = Exact::scaled(amount.into(), currency.decimals());
    step(&mut steps, StepKind::Round, exact.clone(), rounded, None);
    amount = minimum(terms, figure.is_in_scope(), amount, &mut rows, &mut steps, &mut carry)?;
    let entitlement = Entitlement {
        schedule: schedule.key.clone(),
        period: terms.period.name.clone(),
        span: terms.period.span,
        currency,
        tier: figure.tier.map(str::to_owned),
        qualifier: figure.qualifier.clone(),
        basis: figure.basis.clone(),
        exact,
        amount: Money::new(amount, currency),
        steps,
        bands: bands(figure)?,
        lines: rows.iter().map(|row| spell(row, currency)).collect(),
        carried_basis: figure.carried_basis.clone(),
        carried_payout: (carry.payout != 0).then_some(Money::new(carry.payout, currency)),
    };
    Ok((entitlement, carry))
}

fn step(steps: &mut Vec<Step>, step: StepKind, before: Exact, after: Exact, bound: Option<Exact>) -> Exact {
    steps.push(Step { step, before, after: after.clone(), bound, note: None });
    after
}

/// A period in which the condition is not met pays nothing of what it adds to the sum to date, and takes nothing back.
fn withhold(
    terms: &Terms<'_>,
    (exact, amount): (Exact, &mut i64),
    rows: &mut Vec<Row<'_, '_>>,
    steps: &mut Vec<Step>,
    carry: &mut Carry,
) -> Result<Exact, Overflow> {
    carry.forfeited = carry.forfeited.checked_add((*amount).max(0)).ok_or(Overflow)?;
    carry.year = Some(terms.fiscal_year);
    *amount = 0;
    rows.retain(|row| row.line.is_some_and(|line| terms.period.span.contains(line.date)));
    for row in rows {
        (row.exact, row.of_whole, row.amount) = (Exact::ZERO, Exact::ZERO, 0);
    }
    let note = Some("not met: nothing is earned, and nothing taken back".to_owned());
    steps.push(Step { step: StepKind::Condition, before: exact, after: Exact::ZERO, bound: None, note });
    Ok(Exact::ZERO)
}

/// Takes off what earlier periods gave each line.
fn subtract<'l, 'a>(now: Vec<Row<'l, 'a>>, earlier: &[Row<'l, 'a>]) -> Result<Vec<Row<'l, 'a>>, Overflow> {
    let key = |row: &Row<'l, 'a>| row.line.and_then(|line| line.transaction).map(|transaction| &transaction.id);
    let mut before: BTreeMap<Option<&FactId>, Row<'l, 'a>> = BTreeMap::new();
    for row in earlier {
        let sum = before.entry(key(row)).or_insert_with(|| Row { exact: Exact::ZERO, of_whole: Exact::ZERO, amount: 0, ..row.clone() });
        sum.exact = sum.exact.add(&row.exact)?;
    }
    let mut rows = now;
    for row in &mut rows {
        if let Some(earlier) = before.remove(&key(row)) {
            row.exact = row.exact.sub(&earlier.exact)?;
        }
    }
    rows.extend(before.into_values().map(|row| Row { exact: row.exact.neg(), ..row }));
    Ok(rows)
}

/// Tops up to the guarantee, less what earlier periods of the fiscal year were paid above it if it is cumulative.
fn guarantee(
    terms: &Terms<'_>,
    tier: Option<&str>,
    exact: Exact,
    rows: &mut Vec<Row<'_, '_>>,
    steps: &mut Vec<Step>,
    carry: &mut Carry,
    amount: &mut i64,
) -> Result<Exact, Overflow> {
    let out_of_scope = steps.iter().any(|step| step.step == StepKind::NotInScope);
    let Some(guarantee) = terms.schedule.guarantee.as_ref().filter(|_| !out_of_scope) else { return Ok(exact) };
    let Some(bound) = guarantee.amount.get(tier).map(|amount| amount.0.clone()) else { return Ok(exact) };
    let same_year = guarantee.cumulative && terms.carry.year == Some(terms.fiscal_year);
    let surplus = if same_year { terms.carry.surplus.0.clone() } else { Exact::ZERO };
    let due = bound.sub(&surplus)?.max(Exact::ZERO);
    let after = exact.clone().max(due.clone());
    if after > exact {
        *amount = terms.schedule.rounding.mode.round_scaled(&after, terms.currency.decimals())?;
        top_up(rows, after.sub(&exact)?, *amount, terms.currency)?;
    }
    carry.surplus = Exact0(surplus.add(&after)?.sub(&bound)?.max(Exact::ZERO));
    carry.year = Some(terms.fiscal_year);
    Ok(step(steps, StepKind::Guarantee, exact, after, Some(due)))
}

/// What is added to the lines belongs to none of them; the whole is shared over all anew.
fn top_up(rows: &mut Vec<Row<'_, '_>>, more: Exact, total: i64, currency: Currency) -> Result<(), Overflow> {
    match rows.iter_mut().find(|row| row.line.is_none()) {
        Some(row) => row.exact = row.exact.add(&more)?,
        None => rows.push(Row { exact: more, ..Row::of_line(None) }),
    }
    spread(rows, total, currency)
}

/// Whether a guarantee is on what a schedule is worth to date in the fiscal year, not on what a period adds.
fn guarantees_to_date(schedule: &RebateSchedule) -> bool {
    schedule.cumulative && schedule.guarantee.as_ref().is_some_and(|guarantee| guarantee.cumulative)
}

/// A figure with what it is in minor units.
struct Worth {
    exact: Exact,
    minor: i64,
}

impl Worth {
    /// At least what is guaranteed, where anything is.
    fn at_least(&self, guaranteed: Option<&Exact>, terms: &Terms<'_>) -> Result<Self, Overflow> {
        match guaranteed.filter(|guaranteed| **guaranteed > self.exact) {
            Some(bound) => Ok(Self { exact: bound.clone(), minor: terms.schedule.rounding.mode.round_scaled(bound, terms.currency.decimals())? }),
            None => Ok(Self { exact: self.exact.clone(), minor: self.minor }),
        }
    }
}

/// What a period owes by a guarantee on the sum to date: what is worth or guaranteed to date, less the same of the periods before. So a
/// return takes back what was paid above the guarantee, and no more. With what is guaranteed to date; none where nothing is.
fn due_to_date(terms: &Terms<'_>, figure: &Figure<'_>, now: &Worth, before: &Worth, carry: &mut Carry) -> Result<Option<(Worth, Exact)>, Overflow> {
    let earlier = carry.guaranteed.clone();
    let own = terms.schedule.guarantee.as_ref().and_then(|guarantee| guarantee.amount.get(figure.tier)).map(|amount| amount.0.clone());
    let sum = match (&earlier, own) {
        (Some(earlier), Some(own)) => Some(earlier.add(&own)?),
        (earlier, own) => own.or_else(|| earlier.clone()),
    };
    let Some(sum) = sum.filter(|_| figure.is_in_scope()) else { return Ok(None) };
    let (now, before) = (now.at_least(Some(&sum), terms)?, before.at_least(earlier.as_ref(), terms)?);
    (carry.guaranteed, carry.year) = (Some(sum.clone()), Some(terms.fiscal_year));
    let due = Worth { exact: now.exact.sub(&before.exact)?, minor: now.minor.checked_sub(before.minor).ok_or(Overflow)? };
    Ok(Some((due, sum)))
}

/// Adds what was carried, then forfeits or carries what is below the minimum; exactly the minimum is paid. What was carried goes past a
/// period in which the partner takes no part.
fn minimum(terms: &Terms<'_>, in_scope: bool, amount: i64, rows: &mut Vec<Row<'_, '_>>, steps: &mut Vec<Step>, carry: &mut Carry) -> Result<i64, Overflow> {
    let figure = |amount: i64| Exact::scaled(amount.into(), terms.currency.decimals());
    let minimum = terms.schedule.minimum_payout.as_ref();
    let carries = minimum.is_some_and(|minimum| minimum.below == BelowMinimum::Carry);
    let is_below = |amount: i64| minimum.is_some_and(|minimum| figure(amount) < minimum.amount.0);
    let mut amount = amount;
    // Below a minimum that carries it waits on by the rule itself.
    let is_added = in_scope || (carries && is_below(terms.carry.payout));
    if !is_added {
        carry.payout = terms.carry.payout;
    } else if terms.carry.payout != 0 {
        let with = amount.checked_add(terms.carry.payout).ok_or(Overflow)?;
        rows.push(Row { exact: figure(terms.carry.payout), amount: terms.carry.payout, ..Row::of_line(None) });
        step(steps, StepKind::CarriedPayout, figure(amount), figure(with), Some(figure(terms.carry.payout)));
        amount = with;
    }
    let forfeited = carry.forfeited;
    if minimum.is_none() && (forfeited == 0 || amount >= 0) {
        return Ok(amount);
    }
    let paid = if amount < 0 {
        // What earlier periods forfeited was never paid, and is not charged back.
        amount.checked_add(forfeited).ok_or(Overflow)?.min(0)
    } else if is_below(amount) {
        0
    } else {
        amount
    };
    if let Some(minimum) = minimum {
        step(steps, StepKind::MinimumPayout, figure(amount), figure(paid), Some(minimum.amount.0.clone()));
    } else if paid != amount {
        let kind = if terms.schedule.condition.is_some() { StepKind::Condition } else { StepKind::MinimumPayout };
        let note = Some("what was never paid is not taken back".to_owned());
        steps.push(Step { step: kind, before: figure(amount), after: figure(paid), bound: None, note });
    }
    if paid != amount && carries && amount > 0 {
        carry.payout = amount;
    } else if terms.schedule.cumulative {
        let lost = amount.checked_sub(paid).and_then(|lost| forfeited.checked_add(lost)).ok_or(Overflow)?;
        (carry.forfeited, carry.year) = (lost, Some(terms.fiscal_year));
    }
    if paid != amount {
        let weights: Vec<Exact> = rows.iter().map(|row| figure(row.amount)).collect();
        let parts = by_key(&row_keys(rows), &weights, |weights| in_parts(paid, weights))?;
        for (row, part) in rows.iter_mut().zip(parts) {
            row.amount = part;
        }
    }
    Ok(paid)
}

/// Whether a period of a schedule takes off what earlier ones were worth, while they may not have paid it.
pub(super) fn forfeits_over_the_year(schedule: &RebateSchedule) -> bool {
    let forfeits = schedule.minimum_payout.as_ref().is_some_and(|minimum| minimum.below == BelowMinimum::Forfeit);
    schedule.cumulative && (forfeits || schedule.condition.is_some())
}

/// What each band earned, by tier and rate.
fn bands(figure: &Figure<'_>) -> Result<Vec<BandShare>, Overflow> {
    type Key<'a> = (Option<usize>, Option<&'a str>, Option<Exact>);
    let mut shares: BTreeMap<Key<'_>, (Exact, Exact)> = BTreeMap::new();
    for piece in &figure.earned {
        let (base, amount) = shares.entry((piece.band, piece.tier, piece.rate.clone())).or_insert((Exact::ZERO, Exact::ZERO));
        *base = base.add(&piece.base)?;
        *amount = amount.add(&piece.amount)?;
    }
    let edge = |band: Option<usize>| band.and_then(|band| figure.edges.get(band)).cloned();
    // What sales and returns cancel out says nothing.
    let earned = shares.into_iter().filter(|(_, (base, amount))| !(base.is_zero() && amount.is_zero()));
    let all = earned.map(|((band, tier, rate), (base, amount))| BandShare {
        band,
        from: edge(band).map(|(from, _)| from),
        to: edge(band).and_then(|(_, to)| to),
        tier: tier.map(str::to_owned),
        base,
        rate,
        amount,
    });
    Ok(all.collect())
}

fn spell(row: &Row<'_, '_>, currency: Currency) -> StatementLine {
    let transaction = row.line.and_then(|line| line.transaction);
    let converted = row.line.and_then(|line| line.converted.clone());
    StatementLine {
        source: transaction.map(|transaction| transaction.id.source.clone()),
        id: transaction.map(|transaction| transaction.id.external_id.clone()),
        date: row.line.map(|line| line.date),
        category: row.line.and_then(|line| line.category).map(str::to_owned),
        tier: row.line.and_then(|line| line.tier).map(str::to_owned),
        basis: row.basis.clone(),
        exchange_rate: converted.as_ref().map(|converted| converted.rate.clone()),
        exchange_rate_date: converted.and_then(|converted| converted.rate_date),
        exact: row.exact.clone(),
        amount: Money::new(row.amount, currency),
    }
}

impl Entitlement {
    /// Sets another amount (a budget, another schedule of its group) and shares it over the lines anew, by their exact parts: what was
    /// rounded once is not what is shared.
    pub(super) fn settle_at(&mut self, minor: i64, kind: StepKind, note: Option<String>) -> Result<(), Overflow> {
        let figure = |amount: i64| Exact::scaled(amount.into(), self.currency.decimals());
        self.steps.push(Step { step: kind, before: figure(self.amount.minor), after: figure(minor), bound: None, note });
        let weights: Vec<Exact> = self.lines.iter().map(|line| line.exact.clone()).collect();
        let keys: Vec<_> = self.lines.iter().map(|line| (line.id.is_none(), line.source.as_deref(), line.id.as_deref())).collect();
        let parts = by_key(&keys, &weights, |weights| in_parts(minor, weights))?;
        let left = parts.iter().try_fold(minor, |left, part| left.checked_sub(*part)).ok_or(Overflow)?;
        for (line, part) in self.lines.iter_mut().zip(parts) {
            line.amount.minor = part;
        }
        if left != 0 {
            // The lines cancel out, and give nothing to share by.
            self.lines.push(StatementLine { amount: Money::new(left, self.currency), ..spell(&Row::of_line(None), self.currency) });
        }
        self.amount.minor = minor;
        Ok(())
    }
}
