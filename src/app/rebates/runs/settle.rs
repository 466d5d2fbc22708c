//! From what partners are worth to what a run states: less what was recognised before, with budgets, corrections and carries.

use std::collections::BTreeMap;

use guerdon_domain::document::rebate::NegativeDifference;
use guerdon_domain::exact::Overflow;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::rebate::statement::{Reversed, StatementBody, carry, difference};
use guerdon_domain::rebate::{LineKind, Stated, StatedLine};
use guerdon_store::{BudgetPart, NewStatement, PartnerId, PostedSum, ProgramId, ReadTx, StoredAdjustment, StoredRun, StoredStatement, lines_text, steps_text};

use crate::app::rebates::calculate::{PartnerCalculated, PeriodAsked, RunQuestion};
use crate::error::AppError;

type Key = (PartnerId, String, String);

/// What the books and decisions say about a chunk of partners.
pub(super) struct Book {
    sums: BTreeMap<Key, PostedSum>,
    lines: BTreeMap<Key, Vec<StatedLine>>,
    shares: BTreeMap<Key, i64>,
    corrections: BTreeMap<Key, i64>,
}

impl Book {
    pub(super) async fn read(tx: &ReadTx, run: &StoredRun, program: ProgramId, partners: &[PartnerId]) -> Result<Self, AppError> {
        let inputs = run.inputs.ok_or(AppError::Stale)?;
        let sums = tx.posted_sums_many(program, inputs.book, partners).await?;
        let lines = if sums.is_empty() { BTreeMap::new() } else { tx.posted_lines_many(program, inputs.book, partners).await? };
        let shares = tx.budget_parts_many(run.id, partners).await?;
        let mut corrections: BTreeMap<Key, i64> = BTreeMap::new();
        for one in tx.adjustments_many(program, inputs.adjustments, partners).await? {
            let StoredAdjustment { partner, schedule, period, amount, .. } = one;
            let sum = corrections.entry((partner, schedule, period)).or_default();
            *sum = sum.saturating_add(amount.minor);
        }
        let key = |sum: &PostedSum| (sum.partner, sum.schedule.clone(), sum.period.clone());
        let share = |part: BudgetPart| Some(((part.partner, part.schedule, part.period), part.shared?));
        Ok(Self { sums: sums.into_iter().map(|sum| (key(&sum), sum)).collect(), lines, shares: shares.into_iter().filter_map(share).collect(), corrections })
    }

    /// What runs held back of a schedule so far, zero or negative.
    fn shortfall(&self, partner: PartnerId, schedule: &str) -> i64 {
        self.sums.values().filter(|sum| sum.partner == partner && sum.schedule == schedule).fold(0_i64, |sum, one| sum.saturating_sub(one.carried))
    }
}

/// A statement before it is written.
struct Draft<'q> {
    stated: Stated,
    asked: &'q PeriodAsked,
    before: i64,
    carried: i64,
    lines: Vec<StatedLine>,
}

impl Draft<'_> {
    fn difference(&self) -> Result<i64, Overflow> {
        self.stated.amount.minor.checked_sub(self.before).ok_or(Overflow)
    }

    /// Whether it says anything: of a period posted before, a difference; of the run's own, any sale or figure.
    fn says_anything(&self, own: bool) -> bool {
        let stated = &self.stated;
        let changed = stated.amount.minor != self.before || self.lines.iter().any(|line| line.amount != 0);
        let sold = stated.inputs != 0 || !stated.basis.is_zero() || !stated.qualifier.is_zero() || !stated.exact.is_zero();
        changed || (own && self.before == 0 && sold)
    }
}

/// The statements of one partner.
///
/// # Errors
/// The partner's own faults, or figures out of range.
pub(super) fn settle(run: &StoredRun, question: &RunQuestion, book: &Book, calculated: PartnerCalculated) -> Result<Vec<NewStatement>, Faults> {
    let PartnerCalculated { partner, code, stated } = calculated;
    let loud = |overflow: Overflow| Faults::from(Fault::new("OUT_OF_RANGE", format!("partner {code}"), overflow.to_string()));
    let mut drafts = Vec::new();
    for stated in stated? {
        let Some(asked) = question.periods.iter().find(|asked| asked.period.name == stated.period) else { continue };
        let own = run.kind == guerdon_store::RunKind::Original && stated.period == run.period;
        let draft = draft(book, partner, asked, stated).map_err(loud)?;
        if draft.says_anything(own) {
            drafts.push(draft);
        }
    }
    hold_back(book, partner, &mut drafts).map_err(loud)?;
    drafts.into_iter().map(|draft| write(&code, partner, draft).map_err(loud)).collect()
}

fn draft<'q>(book: &Book, partner: PartnerId, asked: &'q PeriodAsked, mut stated: Stated) -> Result<Draft<'q>, Overflow> {
    let key = (partner, stated.schedule.clone(), stated.period.clone());
    if let Some(share) = book.shares.get(&key) {
        stated.cut_to_budget(*share)?;
    }
    if let Some(correction) = book.corrections.get(&key) {
        stated.adjust(*correction)?;
    }
    let before = book.sums.get(&key).map_or(0, |sum| sum.recognised);
    let lines = difference(std::mem::take(&mut stated.lines), book.lines.get(&key).map_or(&[], Vec::as_slice))?;
    Ok(Draft { stated, asked, before, carried: 0, lines })
}

/// Applies the policy of each schedule to all its differences of this run together.
fn hold_back(book: &Book, partner: PartnerId, drafts: &mut [Draft<'_>]) -> Result<(), Overflow> {
    let schedules: std::collections::BTreeSet<String> = drafts.iter().map(|draft| draft.stated.schedule.clone()).collect();
    for schedule in schedules {
        let places: Vec<usize> = (0..drafts.len()).filter(|at| drafts.get(*at).is_some_and(|draft| draft.stated.schedule == schedule)).collect();
        let of = |at: &usize| drafts.get(*at);
        let differences = places.iter().filter_map(of).map(Draft::difference).collect::<Result<Vec<i64>, Overflow>>()?;
        // The run's own period comes last, and its version's policy holds.
        let latest = places.last().and_then(of).and_then(|draft| draft.asked.in_force.compiled.schedule(&schedule));
        let policy = latest.map_or(NegativeDifference::ClawBack, |schedule| schedule.true_up.negative);
        let carried = carry(policy, book.shortfall(partner, &schedule), &differences)?;
        for (at, part) in places.into_iter().zip(carried) {
            if let Some(draft) = drafts.get_mut(at).filter(|_| part != 0) {
                draft.carried = part;
                let kind = if part < 0 { LineKind::SetOff } else { LineKind::CarriedForward };
                draft.lines.push(StatedLine::of(kind, part, draft.stated.amount.currency));
            }
        }
    }
    Ok(())
}

fn write(code: &str, partner: PartnerId, draft: Draft<'_>) -> Result<NewStatement, Overflow> {
    let amount = draft.difference()?.checked_add(draft.carried).ok_or(Overflow)?;
    let Draft { stated, asked, before, carried, lines } = draft;
    let body = StatementBody {
        program: &asked.in_force.program.code,
        version: &asked.in_force.version.digest,
        partner: code,
        schedule: &stated.schedule,
        period: &stated.period,
        from: stated.span.from,
        until: stated.span.until,
        currency: stated.amount.currency,
        tier: stated.tier.as_deref(),
        qualifier: &stated.qualifier,
        basis: &stated.basis,
        exact: &stated.exact,
        entitled: stated.amount.minor,
        before,
        carried,
        amount,
        inputs: stated.inputs,
        steps: &stated.steps,
        lines: &lines,
    };
    let content_hash = body.content_hash();
    Ok(NewStatement {
        partner,
        version: asked.in_force.version.id,
        steps: steps_text(&stated.steps).ok_or(Overflow)?,
        content_hash,
        currency: stated.amount.currency,
        entitled: stated.amount.minor,
        schedule: stated.schedule,
        period: stated.period,
        span: stated.span,
        tier: stated.tier,
        qualifier: stated.qualifier,
        basis: stated.basis,
        exact: stated.exact,
        before,
        carried,
        inputs: stated.inputs,
        lines: lines_text(&lines).ok_or(Overflow)?,
    })
}

/// What a stored statement says, for its digest.
pub(in crate::app::rebates) fn body_of<'s>(program: &'s str, version: &'s str, partner: &'s str, stored: &'s StoredStatement) -> StatementBody<'s> {
    StatementBody {
        program,
        version,
        partner,
        schedule: &stored.schedule,
        period: &stored.period,
        from: stored.span.from,
        until: stored.span.until,
        currency: stored.amount.currency,
        tier: stored.tier.as_deref(),
        qualifier: &stored.qualifier,
        basis: &stored.basis,
        exact: &stored.exact,
        entitled: stored.entitled.minor,
        before: stored.before.minor,
        carried: stored.carried.minor,
        amount: stored.amount.minor,
        inputs: stored.inputs,
        steps: &stored.steps,
        lines: &stored.lines,
    }
}

/// The negative of a posted statement.
pub(super) fn reverse(program: &str, version: &str, code: &str, posted: &StoredStatement, recognised: i64) -> Result<NewStatement, Overflow> {
    let own = body_of(program, version, code, posted);
    let reversed = Reversed::of(&own, recognised)?;
    let content_hash = reversed.body(&own).content_hash();
    let Reversed { qualifier, basis, exact, entitled, carried, lines, .. } = reversed;
    Ok(NewStatement {
        partner: posted.partner_id,
        version: posted.version_id,
        schedule: posted.schedule.clone(),
        period: posted.period.clone(),
        span: posted.span,
        currency: posted.amount.currency,
        tier: posted.tier.clone(),
        qualifier,
        basis,
        exact,
        entitled,
        before: recognised,
        carried,
        inputs: posted.inputs,
        steps: steps_text(&[]).ok_or(Overflow)?,
        content_hash,
        lines: lines_text(&lines).ok_or(Overflow)?,
    })
}
