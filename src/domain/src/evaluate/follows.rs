//! Which faults only follow from a fault of the shape. A fact that could not be read as it stands was mended before it was judged
//! further: what is found then is told, unless it may be about something that was put in.

use crate::document::shape::{Mended, nearest};
use crate::fault::Fault;

/// Whether a fault may only follow from what was mended: it is of it, was judged together with it, or compares the fact with others.
pub(super) fn follows(fault: &Fault, mended: &Mended) -> bool {
    let compared = match fault.code.as_str() {
        "CONFLICT" | "OVERLAP" => mended.is_within(list_of(&fault.path)),
        "UNKNOWN_PARTNER" => mended.is_within("facts"),
        _ => false,
    };
    compared || mended.covers(&fault.path) || follows_within(fault, mended)
}

/// The same within the fact: its member itself, or one that it was judged together with, was mended, or may be meant by one that nobody knows.
fn follows_within(fault: &Fault, mended: &Mended) -> bool {
    let element = element_of(&fault.path);
    let Some(member) = fault.path.strip_prefix(element).and_then(|rest| rest.strip_prefix('.')).and_then(|rest| rest.split(['.', '[']).next()) else {
        return mended.is_within(element);
    };
    let Some(together) = judged_together(member, &fault.code) else { return mended.is_within(element) };
    let own = Some(member).filter(|_| fault.code.starts_with("MISSING"));
    let slip = |(of, name): &(String, String)| of == element && nearest(name, together.iter().copied().chain(own)).is_some();
    let was_mended = |member: &&str| mended.is_within(&format!("{element}.{member}"));
    [member].iter().chain(together).any(was_mended) || mended.unknown.iter().any(slip)
}

/// The members of a fact without which a fault of one of them cannot be told; none where that is not known.
fn judged_together(member: &str, code: &str) -> Option<&'static [&'static str]> {
    Some(match (member, code) {
        // How many decimals an amount may have depends on its currency, how it is spelled does not.
        ("amount" | "value", "INVALID_DECIMAL") | ("region", "UNKNOWN_KEY") => &[],
        ("amount" | "value", _) => &["currency"],
        ("until", _) => &["from", "since"],
        ("closedOn", _) => &["openedOn"],
        ("tier", "MISSING_MEMBER") => &["kind"],
        ("tier" | "region", _) => &["ladder"],
        ("person" | "customer" | "offering", _) => &["holderKind"],
        ("to", _) => &["from"],
        ("approvedBy", _) => &["proposedBy"],
        ("id" | "source" | "key" | "code" | "kind" | "type" | "track" | "parent" | "template" | "category" | "quantity" | "rate" | "ladder", _) => &[],
        // What contracts and exceptions give is judged by the program alone.
        ("terms" | "grant", _) => &[],
        _ => return None,
    })
}

/// The fact or question of a path: `facts.partners[0].transactions[2]` of its amount.
fn element_of(path: &str) -> &str {
    let of_partner = path.starts_with("facts.partners[");
    let end = path.match_indices(']').nth(usize::from(of_partner)).map_or(path.len(), |(at, _)| at + 1);
    path.get(..end).unwrap_or(path)
}

/// The list that a fact stands in.
fn list_of(path: &str) -> &str {
    let element = element_of(path);
    element.rsplit_once('[').map_or(element, |(list, _)| list)
}
