//! The figure of a schedule for a span of lines: earn, base cap, floor, cap (semantics 14), exactly.

use std::collections::BTreeMap;

use crate::date::{Date, Span};
use crate::document::rebate::{Baseline, Basis, Cap, CapScope, Grain, Method, RebateSchedule, RoundAt, TierAt};
use crate::exact::{Exact, Overflow};
use crate::facts::FactId;
use crate::fault::Faults;
use crate::period::Period;

use super::Calculation;
use super::earn::{EarnTerms, Piece, earn, sum};
use super::growth::{growth_plan, target_of, target_plan};
use super::line::{Line, Whose, basis_of, caps_by_sales, out_of_range};
use super::parts::{Part, cap_parts, in_proportion, part_of, shared};
use super::plan::Plan;
use super::result::{Step, StepKind};

/// What other schedules earned on a line, to be taken off its basis.
pub(super) type Reductions<'a> = BTreeMap<&'a FactId, Exact>;

/// What a figure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What is owed.
    Entitlement,
    /// What is set aside while the period is open, by a rate or method of its own: no condition is judged yet and nothing topped up.
    Accrual,
}

/// Everything that a figure is asked for with.
pub(super) struct Asked<'r, 'a> {
    pub(super) schedule: &'a RebateSchedule,
    pub(super) method: &'a Method,
    /// The period that it is for; tiers, conditions and baselines are those of this period.
    pub(super) period: &'r Period,
    /// The days whose lines count: the period's, or the fiscal year's so far.
    pub(super) days: &'r [Span],
    /// A negative basis of earlier periods.
    pub(super) carried_basis: Exact,
    pub(super) reductions: Option<&'r Reductions<'a>>,
    /// Lines that have not happened: a hypothetical order, a forecast.
    pub(super) hypothesis: &'r [Line<'a>],
    pub(super) purpose: Purpose,
}

/// A figure with its lines, pieces and steps.
#[derive(Debug, Clone)]
pub(super) struct Figure<'a> {
    pub(super) tier: Option<&'a str>,
    pub(super) qualifier: Exact,
    pub(super) basis: Exact,
    pub(super) lines: Vec<Line<'a>>,
    /// The sale lines in whose place a metric is paid on.
    pub(super) replaced: Vec<Line<'a>>,
    pub(super) pieces: Vec<Piece<'a>>,
    /// The pieces before floor and cap, for the explanation by band.
    pub(super) earned: Vec<Piece<'a>>,
    pub(super) edges: Vec<(Exact, Option<Exact>)>,
    pub(super) steps: Vec<Step>,
    pub(super) exact: Exact,
    /// A floor or cap of the whole decided the figure: it is rounded as one, wherever the schedule rounds.
    pub(super) bounded: bool,
    pub(super) carried_basis: Option<Exact>,
    /// The condition is not met in the period, of a schedule that runs on over the fiscal year: what the period adds to the sum to date
    /// is not earned.
    pub(super) unmet: bool,
}

impl<'a> Figure<'a> {
    /// The sale lines: those that are paid on, or those in whose place a metric is.
    pub(super) fn sold(&self) -> &[Line<'a>] {
        if self.replaced.is_empty() { &self.lines } else { &self.replaced }
    }

    /// Whether the partner takes part in the schedule in its period.
    pub(super) fn is_in_scope(&self) -> bool {
        !self.steps.iter().any(|step| step.step == StepKind::NotInScope)
    }

    pub(super) const fn nothing() -> Self {
        Self {
            tier: None,
            qualifier: Exact::ZERO,
            basis: Exact::ZERO,
            lines: Vec::new(),
            replaced: Vec::new(),
            pieces: Vec::new(),
            earned: Vec::new(),
            edges: Vec::new(),
            steps: Vec::new(),
            exact: Exact::ZERO,
            bounded: false,
            carried_basis: None,
            unmet: false,
        }
    }

    pub(super) fn step(&mut self, step: StepKind, after: Exact, bound: Option<Exact>, note: Option<String>) {
        let before = std::mem::replace(&mut self.exact, after.clone());
        self.steps.push(Step { step, before, after, bound, note });
    }

    /// Nothing is earned by who takes no part; a negative basis of earlier periods waits on.
    fn leave_out(&mut self, carried_basis: &Exact) {
        self.carried_basis = carried_basis.is_negative().then(|| carried_basis.clone());
        self.step(StepKind::NotInScope, Exact::ZERO, None, None);
    }

    /// A negative basis earns nothing, and is carried or forgotten (semantics 16).
    pub(super) fn is_negative(&mut self, schedule: &RebateSchedule) -> bool {
        if !self.basis.is_negative() {
            return false;
        }
        let note = if schedule.carry_negative { "the basis is negative and carried into the next period" } else { "the basis is negative: nothing is earned" };
        self.carried_basis = schedule.carry_negative.then_some(self.basis.clone());
        self.step(StepKind::Earn, Exact::ZERO, None, Some(note.to_owned()));
        true
    }
}

/// Takes all pieces to another sum, in proportion.
fn scale(pieces: &mut Vec<Piece<'_>>, before: Exact, after: Exact) -> Result<(), Overflow> {
    if before.is_zero() {
        pieces.push(Piece { line: None, band: None, tier: None, base: Exact::ZERO, rate: None, amount: after, of_whole: true });
        return Ok(());
    }
    for piece in pieces.iter_mut() {
        piece.amount = piece.amount.mul_div(&after, &before)?.unwrap_or(piece.amount.clone());
    }
    Ok(())
}

/// Takes an earning up to a floor, which all lines earned together then: the whole is shared by what each earned, and what took
/// something back gets nothing. Where nothing was earned, the difference is a piece that belongs to no line.
fn top_up(figure: &mut Figure<'_>, per: CapScope, after: Exact) -> Result<(), Overflow> {
    let mut earned: BTreeMap<Option<usize>, Exact> = BTreeMap::new();
    for piece in &figure.pieces {
        let sum = earned.entry(piece.line).or_insert(Exact::ZERO);
        *sum = sum.add(&piece.amount)?;
    }
    let part = |line: &Option<usize>| part_of(per, *line, line.and_then(|line| figure.lines.get(line)));
    let weights: Vec<(Part, Exact)> = earned.iter().map(|(line, amount)| (part(line), amount.clone())).collect();
    let shares = if figure.exact.is_positive() { shared(&after, &weights)? } else { None };
    let Some(shares) = shares else {
        let amount = after.sub(&figure.exact)?;
        figure.pieces.push(Piece { line: None, band: None, tier: None, base: Exact::ZERO, rate: None, amount, of_whole: true });
        return Ok(());
    };
    let shares: BTreeMap<Option<usize>, (Exact, Exact)> = earned.into_iter().zip(shares).map(|((line, earned), share)| (line, (share, earned))).collect();
    for piece in &mut figure.pieces {
        let Some((share, earned)) = shares.get(&piece.line).filter(|(share, _)| !share.is_zero()) else {
            piece.amount = Exact::ZERO;
            continue;
        };
        piece.amount = in_proportion(piece.amount.clone(), share.clone(), earned.clone())?;
    }
    Ok(())
}

impl<'a> Calculation<'a> {
    /// Earns, caps the base, applies floor and cap.
    pub(super) fn figure(&self, asked: &Asked<'_, 'a>) -> Result<Figure<'a>, Faults> {
        let schedule = asked.schedule;
        let last = self.last_day(asked.period.span);
        let tier = self.tiers.of_period(schedule, asked.period.span, self.knowledge.as_of)?;
        let mut figure = Figure { tier, ..Figure::nothing() };
        // Who takes no part whatever was sold needs no lines, nor their exchange rates.
        if !self.is_eligible(schedule, asked.period.span, last, tier, true) {
            figure.leave_out(&asked.carried_basis);
            return Ok(figure);
        }
        let mut lines = self.scoped_lines(schedule, asked.days, last, tier)?;
        let sold = lines.iter().any(|line| asked.period.span.contains(line.date));
        if !self.is_eligible(schedule, asked.period.span, last, tier, sold) {
            figure.leave_out(&asked.carried_basis);
            return Ok(figure);
        }
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        let capped_by = self.capped_by(asked, &lines, last)?;
        self.reduce(asked, &mut lines, &mut figure).map_err(loud)?;
        let measured = self.place_metrics(asked, &mut lines, last, &mut figure.replaced)?;
        if asked.carried_basis.is_negative() {
            let same_measure = schedule.qualifier.as_ref().is_none_or(|qualifier| qualifier == basis_of(schedule));
            let on_units = *basis_of(schedule) != Basis::Amount;
            let carried = asked.carried_basis.clone();
            let qualifier = if same_measure { carried.clone() } else { Exact::ZERO };
            let units = if on_units { carried.clone() } else { Exact::ZERO };
            lines.insert(0, Line { tier, basis: carried.clone(), qualifier, units, ..Line::unattributed(asked.period.span.from) });
            figure.step(StepKind::CarriedBasis, Exact::ZERO, Some(carried), None);
        }
        figure.basis = Exact::sum(lines.iter().map(|line| &line.basis)).map_err(loud)?;
        figure.qualifier = Exact::sum(lines.iter().map(|line| &line.qualifier)).map_err(loud)?;
        figure.lines = lines;
        self.earn(asked, &mut figure, measured)?;
        if asked.purpose == Purpose::Entitlement {
            self.judge_condition(schedule, &mut figure, last)?;
        }
        bound(schedule, asked.purpose, capped_by, &mut figure).map_err(loud)?;
        Ok(figure)
    }

    /// What the share of a cap for the partner is taken of.
    fn capped_by(&self, asked: &Asked<'_, 'a>, lines: &[Line<'a>], last: Date) -> Result<Exact, Faults> {
        if let Some(operand) = asked.schedule.cap.as_ref().and_then(|cap| cap.of.as_ref()) {
            return Ok(self.measures.value(operand, last)?.unwrap_or(Exact::ZERO));
        }
        let sold = lines.iter().chain(asked.hypothesis).filter(|_| caps_by_sales(asked.schedule)).map(|line| line.amount.clone());
        Exact::sum(sold).map_err(|overflow| out_of_range(asked.schedule, overflow).into())
    }

    /// The last day of a period, or the day on which an open one is looked at.
    pub(super) fn last_day(&self, span: Span) -> Date {
        self.knowledge.as_of.map_or(span.last_day(), |as_of| as_of.min(span.last_day())).max(span.from)
    }

    /// The lines in scope with their tiers; `last` is the day as of which the partner is read.
    fn scoped_lines(&self, schedule: &'a RebateSchedule, days: &[Span], last: Date, tier: Option<&'a str>) -> Result<Vec<Line<'a>>, Faults> {
        let force = schedule.in_force();
        let days: Vec<Span> = days.iter().map(|days| days.intersect(force)).collect();
        let mut lines = self.reader.lines(schedule, &days, last, Whose::InScope)?;
        let mut held: Option<(Date, Option<&'a str>)> = None;
        for line in &mut lines {
            line.tier = match (schedule.tier_at, held) {
                (TierAt::TransactionDate, Some((date, tier))) if date == line.date => tier,
                (TierAt::TransactionDate, _) => self.tiers.on(schedule, line.date)?,
                _ => tier,
            };
            held = Some((line.date, line.tier));
        }
        if schedule.tier_at == TierAt::TransactionDate {
            lines.retain(|line| is_tier(schedule, line.tier));
        }
        Ok(lines)
    }

    /// Whether the schedule is for the partner at all, sales or not: only who takes part in the program in the period is paid.
    fn is_eligible(&self, schedule: &RebateSchedule, period: Span, last: Date, tier: Option<&str>, has_lines: bool) -> bool {
        let force = schedule.in_force();
        let by_line = schedule.tier_at == TierAt::TransactionDate;
        let in_tier = is_tier(schedule, tier) || (by_line && has_lines);
        let in_person = self.reader.is_of_type(schedule, last) && self.reader.is_in_region(schedule, self.partner.region(last));
        !period.intersect(force).is_empty() && self.partner.takes_part(period) && in_tier && (has_lines || in_person)
    }

    /// Whether the partner takes part in the schedule in a period: one rule for all that looks back at periods of the year.
    pub(super) fn is_in_scope(&self, schedule: &'a RebateSchedule, period: &Period) -> Result<bool, Faults> {
        let (span, last) = (period.span, self.last_day(period.span));
        let tier = self.tiers.of_period(schedule, span, self.knowledge.as_of)?;
        let is_eligible = |sold: bool| self.is_eligible(schedule, span, last, tier, sold);
        // Lines are only read where they decide.
        Ok(is_eligible(false) || (is_eligible(true) && !self.scoped_lines(schedule, &[span], last, tier)?.is_empty()))
    }

    /// Takes off what other schedules earned, line by line (semantics 18).
    fn reduce(&self, asked: &Asked<'_, 'a>, lines: &mut [Line<'a>], figure: &mut Figure<'a>) -> Result<(), Overflow> {
        let Some(reductions) = asked.reductions else { return Ok(()) };
        let mut taken = Exact::ZERO;
        for line in lines {
            if let Some(reduction) = line.transaction.and_then(|transaction| reductions.get(&transaction.id)) {
                line.basis = line.basis.sub(reduction)?;
                taken = taken.add(reduction)?;
                if asked.schedule.qualifier.is_none() {
                    line.qualifier = line.basis.clone();
                }
            }
        }
        figure.step(StepKind::Reduced, Exact::ZERO, Some(taken), None);
        Ok(())
    }

    /// Gives a metric its place: as the one line of a basis, or as the length of a qualifier on which the lines are laid in
    /// proportion to their basis, those that have not happened with them. `false` where the qualifier has no data, which reaches nothing.
    fn place_metrics(&self, asked: &Asked<'_, 'a>, lines: &mut Vec<Line<'a>>, last: Date, replaced: &mut Vec<Line<'a>>) -> Result<bool, Faults> {
        let schedule = asked.schedule;
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        if let Basis::Metric(operand) = basis_of(schedule) {
            let basis = self.measures.value(operand, last)?.unwrap_or(Exact::ZERO);
            let qualifier = match &schedule.qualifier {
                None => basis.clone(),
                Some(_) => Exact::sum(lines.iter().map(|line| &line.qualifier)).map_err(loud)?,
            };
            let tier = self.tiers.of_period(schedule, asked.period.span, self.knowledge.as_of)?;
            let measured = Line { tier, basis: basis.clone(), qualifier, units: basis, ..Line::unattributed(last) };
            *replaced = std::mem::replace(lines, vec![measured]);
        }
        lines.extend(asked.hypothesis.iter().cloned());
        let Some(Basis::Metric(operand)) = &schedule.qualifier else { return Ok(true) };
        let Some(qualifier) = self.measures.value(operand, last)? else { return Ok(false) };
        let supposed = Exact::sum(asked.hypothesis.iter().map(|line| &line.qualifier)).map_err(loud)?;
        let qualifier = qualifier.add(&supposed).map_err(loud)?;
        let whole = Exact::sum(lines.iter().map(|line| &line.basis)).map_err(loud)?;
        for line in lines.iter_mut() {
            line.qualifier = qualifier.mul_div(&line.basis, &whole).map_err(loud)?.unwrap_or(Exact::ZERO);
        }
        if whole.is_zero() {
            lines.push(Line { qualifier, ..Line::unattributed(last) });
        }
        Ok(true)
    }

    fn earn(&self, asked: &Asked<'_, 'a>, figure: &mut Figure<'a>, measured: bool) -> Result<(), Faults> {
        let schedule = asked.schedule;
        let loud = |overflow: Overflow| Faults::from(out_of_range(schedule, overflow));
        if figure.basis.is_negative() {
            let note =
                if schedule.carry_negative { "the basis is negative and carried into the next period" } else { "the basis is negative: nothing is earned" };
            figure.carried_basis = schedule.carry_negative.then_some(figure.basis.clone());
            figure.step(StepKind::Earn, Exact::ZERO, None, Some(note.to_owned()));
            return Ok(());
        }
        if !measured {
            figure.step(StepKind::Earn, Exact::ZERO, None, Some("the qualifier has no data: no band is reached".to_owned()));
            return Ok(());
        }
        let cap = schedule.base_cap.as_ref().and_then(|cap| cap.get(figure.tier)).map(|cap| cap.0.clone());
        let (plan, pieces) = self.pieces(asked, figure, None)?;
        let earned = sum(&pieces).map_err(loud)?;
        figure.step(StepKind::Earn, earned, plan.measured_against, None);
        figure.pieces = pieces;
        if let Some(cap) = cap {
            let (_, pieces) = self.pieces(asked, figure, Some(cap.clone()))?;
            figure.step(StepKind::BaseCap, sum(&pieces).map_err(loud)?, Some(cap), None);
            figure.pieces = pieces;
        }
        figure.edges = plan.edges;
        figure.earned.clone_from(&figure.pieces);
        Ok(())
    }

    /// The plan of the method for the whole, and the pieces that it earns.
    fn pieces(&self, asked: &Asked<'_, 'a>, figure: &Figure<'a>, base_cap: Option<Exact>) -> Result<(Plan<'a>, Vec<Piece<'a>>), Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(asked.schedule, overflow));
        if asked.schedule.grain == Grain::Line {
            let (edges, pieces) = line_by_line(asked.method, figure, base_cap).map_err(loud)?;
            return Ok((Plan { edges, ..Plan::default() }, pieces));
        }
        let plan = self.plan(asked, figure.qualifier.clone(), figure.tier)?;
        let terms = EarnTerms { base_cap, tier: figure.tier, per: cap_scope(asked.schedule) };
        let pieces = earn(&plan, &figure.lines, &terms).map_err(loud)?;
        Ok((plan, pieces))
    }

    /// The plan of any method for a qualifier and a tier.
    pub(super) fn plan(&self, asked: &Asked<'_, 'a>, qualifier: Exact, tier: Option<&'a str>) -> Result<Plan<'a>, Faults> {
        let loud = |overflow: Overflow| Faults::from(out_of_range(asked.schedule, overflow));
        match asked.method {
            Method::Growth(growth) => {
                let baseline = self.baseline(asked.schedule, &growth.baseline, asked.period)?;
                growth_plan(growth, qualifier, baseline).map_err(loud)
            }
            Method::Target(target) => {
                let history = self.baseline(asked.schedule, &target.history, asked.period)?;
                let accepted = target.accept_within_days.is_none_or(|days| self.accepted(asked.schedule, asked.period.span, days));
                Ok(target_plan(target, qualifier, target_of(target, history).filter(|_| accepted)))
            }
            method => Ok(Plan::of_figures(method, qualifier, tier).map_err(loud)?.unwrap_or_default()),
        }
    }

    /// What the partner did before, in the qualifier of the schedule. Its former tier and type are not asked.
    fn baseline(&self, schedule: &'a RebateSchedule, baseline: &'a Baseline, period: &Period) -> Result<Option<Exact>, Faults> {
        let periods = self.program.periods(&schedule.period);
        let (earlier, history) = match baseline {
            Baseline::Given(number) => return Ok(Some(number.0.clone())),
            Baseline::Metric(operand) => return self.measures.value(operand, period.span.from),
            Baseline::SamePeriodLastYear(history) => (periods.year_before(period), history),
            Baseline::PreviousPeriod(history) => (periods.before(period), history),
        };
        let Some(earlier) = earlier else { return Ok(None) };
        let value = match schedule.qualifier.as_ref().unwrap_or_else(|| basis_of(schedule)) {
            Basis::Metric(operand) => self.measures.value(operand, earlier.span.last_day())?,
            _ => {
                let lines = self.reader.lines(schedule, &[earlier.span], self.last_day(period.span), Whose::Any)?;
                Some(Exact::sum(lines.iter().map(|line| &line.qualifier)).map_err(|overflow| out_of_range(schedule, overflow))?)
            }
        };
        let factor = history.factor.as_ref().map_or(Exact::ONE, |factor| factor.0.clone());
        value.map(|value| value.mul(&factor)).transpose().map_err(|overflow| out_of_range(schedule, overflow).into())
    }

    /// Whether the partner accepted its target in time.
    fn accepted(&self, schedule: &RebateSchedule, period: Span, days: u32) -> bool {
        let deadline = period.from.plus_days(days.into());
        self.partner.holdings.iter().any(|holding| {
            holding.kind == "TARGET_ACCEPTANCE"
                && holding.type_key.as_ref() == Some(&schedule.key)
                && holding.since <= deadline
                && self.knowledge.known_on.is_none_or(|known_on| holding.recorded_on <= known_on)
                && !holding.span().intersect(period).is_empty()
        })
    }

    /// What is not earned because the condition is not met.
    fn judge_condition(&self, schedule: &'a RebateSchedule, figure: &mut Figure<'a>, last: Date) -> Result<(), Faults> {
        let Some(condition) = &schedule.condition else { return Ok(()) };
        if self.measures.is_met(condition, last)? {
            let earned = figure.exact.clone();
            figure.step(StepKind::Condition, earned, None, Some("met".to_owned()));
        } else if schedule.cumulative {
            // The figure is the sum to date: what it has more than before is known when that is taken off.
            figure.unmet = true;
        } else {
            figure.pieces.clear();
            figure.step(StepKind::Condition, Exact::ZERO, None, Some("not met: nothing is earned".to_owned()));
        }
        Ok(())
    }
}

/// The bound of a cap for a tier and what its share is taken of; without that the share is no bound.
pub(super) fn bound_of(cap: &Cap, tier: Option<&str>, of: Option<Exact>) -> Result<Option<Exact>, Overflow> {
    let amount = cap.amount.as_ref().and_then(|amount| amount.get(tier)).map(|amount| amount.0.clone());
    let share = cap.share.as_ref().and_then(|share| share.get(tier)).zip(of).map(|(share, of)| of.max(Exact::ZERO).mul(&share.0)).transpose()?;
    Ok(match (amount, share) {
        (Some(amount), Some(share)) => Some(amount.min(share)),
        (amount, share) => amount.or(share),
    })
}

/// Whose earning a cap bounds.
pub(super) fn cap_scope(schedule: &RebateSchedule) -> CapScope {
    schedule.cap.as_ref().map_or(CapScope::Partner, |cap| cap.per)
}

/// Floor, then cap; `capped_by` is what a cap's share for the partner is taken of.
pub(super) fn bound(schedule: &RebateSchedule, purpose: Purpose, capped_by: Exact, figure: &mut Figure<'_>) -> Result<(), Overflow> {
    let value = |amount: Option<&crate::money::Number>| amount.map(|amount| amount.0.clone());
    let per = cap_scope(schedule);
    if let Some(floor) = schedule.floor.as_ref().filter(|_| purpose == Purpose::Entitlement)
        && let Some(bound) = value(floor.amount.get(figure.tier))
    {
        let tops_up = figure.exact.is_positive() || floor.unconditional;
        let after = if tops_up { figure.exact.clone().max(bound.clone()) } else { figure.exact.clone() };
        if after != figure.exact {
            top_up(figure, per, after.clone())?;
            figure.bounded = true;
        }
        figure.step(StepKind::Floor, after, Some(bound), None);
    }
    let Some(cap) = &schedule.cap else { return Ok(()) };
    let Some(bound) = bound_of(cap, figure.tier, Some(capped_by))? else { return Ok(()) };
    if cap.per == CapScope::Partner {
        let after = figure.exact.clone().min(bound.clone());
        if after != figure.exact {
            scale(&mut figure.pieces, figure.exact.clone(), after.clone())?;
            figure.bounded = true;
        }
        figure.step(StepKind::Cap, after, Some(bound), None);
    } else {
        let cut = cap_parts(cap, figure)?;
        let mut after = sum(&figure.pieces)?;
        if after.is_negative() && !figure.exact.is_negative() {
            scale(&mut figure.pieces, after, Exact::ZERO)?;
            after = Exact::ZERO;
        }
        // Lines that were cut are rounded as they are; parts of several lines or bands are not, so that no part exceeds its cap.
        figure.bounded |= cut && !(cap.per == CapScope::Line && schedule.rounding.at == RoundAt::Line);
        figure.step(StepKind::Cap, after, cap.share.is_none().then_some(bound), None);
    }
    Ok(())
}

/// Whether a tier is one that the schedule is for.
pub(super) fn is_tier(schedule: &RebateSchedule, tier: Option<&str>) -> bool {
    let tiers = &schedule.scope.tiers;
    tiers.is_empty() || tier.is_some_and(|tier| tiers.iter().any(|wanted| wanted == tier))
}

type Edges = Vec<(Exact, Option<Exact>)>;

/// Grain LINE: the method on each line alone, and of that the part that its basis under the base cap is of its basis. A return takes
/// back what a sale of its size earns.
fn line_by_line<'a>(method: &'a Method, figure: &Figure<'a>, base_cap: Option<Exact>) -> Result<(Edges, Vec<Piece<'a>>), Overflow> {
    let mut pieces = Vec::new();
    let mut edges = Vec::new();
    let mut filled = Exact::ZERO;
    let capped = |basis: &Exact| base_cap.as_ref().map_or(basis, |cap| basis.min(cap)).clone();
    for (at, line) in figure.lines.iter().enumerate() {
        let next = filled.add(&line.basis)?;
        let basis = capped(&next).sub(&capped(&filled))?;
        filled = next;
        let goes_back = line.basis.is_negative() || (line.basis.is_zero() && line.qualifier.is_negative());
        let upright = |value: Exact| if goes_back { value.neg() } else { value };
        let [own, qualifier, units] = [&line.basis, &line.qualifier, &line.units].map(|value| upright(value.clone()));
        let alone = Line { basis: own, qualifier, units, ..line.clone() };
        let plan = Plan::of_figures(method, alone.qualifier.clone(), alone.tier)?.unwrap_or_default();
        for piece in earn(&plan, std::slice::from_ref(&alone), &EarnTerms { base_cap: None, tier: alone.tier, per: CapScope::Partner })? {
            let part = |value: Exact| in_proportion(upright(value), basis.clone(), line.basis.clone());
            pieces.push(Piece { line: Some(at), base: part(piece.base)?, amount: part(piece.amount)?, of_whole: false, ..piece });
        }
        edges = plan.edges;
    }
    Ok((edges, pieces))
}
