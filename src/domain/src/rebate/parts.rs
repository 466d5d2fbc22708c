//! The parts of a figure: what a line, a customer's month or a subscription's month gets of what all lines earned together, and what it
//! gets at most.

use std::collections::BTreeMap;

use crate::date::Date;
use crate::document::rebate::{Cap, CapScope};
use crate::exact::{Exact, Overflow};
use crate::facts::AttributeValue;

use super::figure::{Figure, bound_of};
use super::line::Line;

/// What a cap that is not for the partner as a whole is for: customer or subscription, month, line.
pub(super) type Part = (Option<String>, Option<Date>, usize);

/// The part that a line belongs to. A negative basis of earlier periods has no customer and no month: it is a part of its own.
pub(super) fn part_of(per: CapScope, at: Option<usize>, line: Option<&Line<'_>>) -> Part {
    let own = (None, None, at.map_or(0, |line| line + 1));
    let Some(line) = line.filter(|line| !line.is_carried()) else { return own };
    let month = Some(line.date.first_of_month());
    match per {
        CapScope::CustomerMonth => (line.transaction.and_then(|sale| sale.customer.clone()), month, 0),
        CapScope::SubscriptionMonth => (line.transaction.and_then(|sale| subscription(&sale.attributes)), month, 0),
        CapScope::Line | CapScope::Partner => own,
    }
}

fn subscription(attributes: &crate::facts::Attributes) -> Option<String> {
    match attributes.get("subscription")? {
        AttributeValue::Text(text) => Some(text.clone()),
        AttributeValue::Number(number) => Some(number.to_string()),
        AttributeValue::Boolean(value) => Some(value.to_string()),
    }
}

/// `part x of / whole`; nothing of nothing.
pub(super) fn in_proportion(part: Exact, of: Exact, whole: Exact) -> Result<Exact, Overflow> {
    if of == whole {
        return Ok(part);
    }
    Ok(part.mul_div(&of, &whole)?.unwrap_or(Exact::ZERO))
}

/// Shares what all lines earned together by what each weighs, so that none gets more than the whole: over the parts that come to more
/// than nothing, and within one over the lines that weigh more than nothing. None where there is no such part.
pub(super) fn shared(amount: &Exact, weights: &[(Part, Exact)]) -> Result<Option<Vec<Exact>>, Overflow> {
    let mut parts: BTreeMap<&Part, (Exact, Exact)> = BTreeMap::new();
    for (part, weight) in weights {
        let (net, positive) = parts.entry(part).or_insert((Exact::ZERO, Exact::ZERO));
        *net = net.add(weight)?;
        if weight.is_positive() {
            *positive = positive.add(weight)?;
        }
    }
    parts.retain(|_, (net, _)| net.is_positive());
    let whole = Exact::sum(parts.values().map(|(net, _)| net))?;
    if !whole.is_positive() {
        return Ok(None);
    }
    let share = |(part, weight): &(Part, Exact)| match parts.get(part) {
        Some((net, positive)) if weight.is_positive() => {
            let own = in_proportion(weight.clone(), net.clone(), positive.clone())?;
            in_proportion(own, amount.clone(), whole.clone())
        }
        _ => Ok(Exact::ZERO),
    };
    weights.iter().map(share).collect::<Result<_, _>>().map(Some)
}

/// Caps each part, in both directions: what a line or a customer's month may earn at most, it takes back at most. Answers whether any
/// was cut.
pub(super) fn cap_parts(cap: &Cap, figure: &mut Figure<'_>) -> Result<bool, Overflow> {
    let mut cut = false;
    let (pieces, lines) = (&mut figure.pieces, &figure.lines);
    let mut parts: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
    for (at, piece) in pieces.iter().enumerate() {
        parts.entry(part_of(cap.per, piece.line, piece.line.and_then(|line| lines.get(line)))).or_default().push(at);
    }
    let mut sold: BTreeMap<Part, Exact> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate().filter(|_| cap.share.is_some()) {
        let sum = sold.entry(part_of(cap.per, Some(at), Some(line))).or_insert(Exact::ZERO);
        *sum = sum.add(&line.amount)?;
    }
    let line_of = |at: &usize| pieces.get(*at).and_then(|piece| lines.get(piece.line?));
    let carried = |members: &[usize]| members.iter().filter_map(line_of).any(Line::is_carried);
    let carried: Vec<bool> = parts.values().map(|members| carried(members)).collect();
    for ((part, members), carried) in parts.iter().zip(carried) {
        let amount_of = |at: &usize| pieces.get(*at).map_or(Exact::ZERO, |piece| piece.amount.clone());
        let whole = Exact::sum(members.iter().map(amount_of))?;
        // Of what was carried in nothing was sold now that a share could be taken of.
        let of = if carried { None } else { Some(sold.get(part).cloned().unwrap_or(Exact::ZERO).abs()) };
        let Some(bound) = bound_of(cap, figure.tier, of)? else { continue };
        let after = whole.clone().min(bound.clone()).max(bound.neg());
        if whole.is_zero() || after == whole {
            continue;
        }
        cut = true;
        for at in members {
            if let Some(piece) = pieces.get_mut(*at) {
                piece.amount = piece.amount.mul_div(&after, &whole)?.unwrap_or(piece.amount.clone());
                piece.of_whole = false;
            }
        }
    }
    Ok(cut)
}
