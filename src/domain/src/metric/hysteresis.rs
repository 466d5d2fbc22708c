//! Net additions with hysteresis: a group is won from one level on and lost only below another, judged month by month
//! (semantics 26).

use std::collections::{BTreeMap, BTreeSet};

use super::measure::Reading;
use super::{Detail, MetricValue};
use crate::date::{Date, Span};
use crate::document::metric::{Hysteresis, Source};
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::filter::FactView;

/// The months are judged from the first fact on, at most this many of them.
const MAX_MONTHS: i32 = 1200;

/// What a month holds: the value of each group.
struct Month {
    span: Span,
    /// A month that is not over: it can win groups, but loses none of those that are counted by what happens in it.
    unfinished: bool,
}

/// Counts what becomes live and what is lost in the months of the window; whether a group is live when the window begins
/// follows from all earlier months.
pub(super) fn net_additions(reading: &Reading<'_, '_>) -> Result<MetricValue, Faults> {
    let Some(rule) = &reading.measure.hysteresis else {
        return Err(Fault::new("MISSING_HYSTERESIS", "measure.hysteresis", "NET_ADDITIONS needs `hysteresis` with `enterAt` and `leaveBelow`").into());
    };
    let Some(window) = reading.window else {
        return Ok(reading.value(Some(Exact::ZERO), 0, Detail::NetAdditions { added: 0, lost: 0 }));
    };
    let mut history = Vec::new();
    let past = Span::new(Date::MIN, window.until);
    reading.refuse_sums(past)?;
    reading.each_in(past, &mut |view| {
        history.push(view);
        Ok(())
    })?;
    let facts = history.len() as u64;
    let groups = grouped(reading, &history);
    let months = months(reading, &history, window);
    let (mut added, mut lost) = (0, 0);
    for facts in groups.values() {
        let changes = judge(reading, rule, facts, &months)?;
        let counted = changes.iter().filter(|(month, _)| month.until > window.from);
        for (_, won) in counted {
            if *won { added += 1 } else { lost += 1 }
        }
    }
    let net = Exact::ratio(i128::from(added) - i128::from(lost), 1);
    Ok(reading.value(net, facts, Detail::NetAdditions { added, lost }))
}

fn grouped<'f>(reading: &Reading<'_, '_>, facts: &[FactView<'f>]) -> BTreeMap<Vec<String>, Vec<FactView<'f>>> {
    let customer = ["customer".to_owned()];
    let subject = ["subject".to_owned()];
    let fields: &[String] = match (&reading.measure.group_by[..], reading.measure.source) {
        ([], Source::Activities) => &subject,
        ([], _) => &customer,
        (fields, _) => fields,
    };
    let mut groups: BTreeMap<Vec<String>, Vec<FactView<'f>>> = BTreeMap::new();
    for view in facts {
        if let Some(key) = reading.filters.group_key(fields, *view) {
            groups.entry(key).or_default().push(*view);
        }
    }
    groups
}

fn months(reading: &Reading<'_, '_>, facts: &[FactView<'_>], window: Span) -> Vec<Month> {
    // Before the first fact nothing is live, however far back the window reaches.
    let first = facts.iter().map(|view| view.fact.fields().date()).min().unwrap_or(window.from).first_of_month();
    let start = (0..MAX_MONTHS).map(|month| first.plus_months(month)).take_while(|start| *start < window.until);
    start
        .map(|start| {
            let whole = Span::new(start, start.plus_months(1));
            Month {
                span: Span::new(start, whole.until.min(window.until)),
                unfinished: window.until < whole.until && reading.measure.source != Source::Holdings,
            }
        })
        .collect()
}

/// The months in which a group was won (true) or lost.
fn judge(reading: &Reading<'_, '_>, rule: &Hysteresis, facts: &[FactView<'_>], months: &[Month]) -> Result<Vec<(Span, bool)>, Faults> {
    let mut changes = Vec::new();
    let (mut live, mut before) = (false, Exact::ZERO);
    for month in months {
        let value = value_in(reading, facts, month.span)?;
        let from_below = rule.enter_from_below.as_ref().is_none_or(|level| before < level.0);
        if !live && value >= rule.enter_at.0 && from_below {
            live = true;
            changes.push((month.span, true));
        } else if live && value < rule.leave_below.0 && !month.unfinished {
            live = false;
            changes.push((month.span, false));
        }
        before = value;
    }
    Ok(changes)
}

/// The value of a group in a month: of what is dated in it, of holdings what counts on its last day.
fn value_in(reading: &Reading<'_, '_>, facts: &[FactView<'_>], month: Span) -> Result<Exact, Faults> {
    let known = reading.evaluator().known_until;
    let in_month = |view: &FactView<'_>| match view.fact {
        crate::filter::Fact::Holding(holding) => crate::filter::known_span(holding, known).contains(month.last_day()),
        fact => month.contains(fact.fields().date()),
    };
    let facts: Vec<FactView<'_>> = facts.iter().copied().filter(in_month).collect();
    Ok(reading.group_value(&facts)?.unwrap_or(Exact::ZERO))
}

/// The days on which net additions may change: the firsts of months and every day on which a fact counts for the first time.
pub(crate) fn month_starts(between: Span) -> BTreeSet<Date> {
    let first = between.from.first_of_month();
    (0..MAX_MONTHS).map(|month| first.plus_months(month)).take_while(|start| *start < between.until).filter(|start| between.contains(*start)).collect()
}
