//! Ids as callers see them: opaque, with the type inside. Unknown, foreign and malformed ids are answered alike, with null.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $tag:literal),+ $(,)?) => {
        /// The types that have an id of their own. A tag, once given, is never given to another type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum NodeKind {
            $($(#[$doc])* $kind),+
        }

        impl NodeKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            const fn tag(self) -> [u8; 2] {
                match self {
                    $(Self::$kind => *$tag),+
                }
            }
        }
    };
}

kinds! {
    /// A partner.
    Partner = b"pa",
    /// A program.
    Program = b"pr",
    /// A version of a program.
    ProgramVersion = b"pv",
    /// A partner in a program.
    Enrollment = b"en",
    /// A tier that a partner holds or held.
    TierAssignment = b"ta",
    /// A pin, floor or ceiling of a partner's tier.
    TierOverride = b"to",
    /// A review.
    Review = b"rv",
    /// An application for a tier, an invitation to it, or its approval.
    AdmissionRequest = b"ar",
    /// A contract.
    Contract = b"co",
    /// A sale line.
    Transaction = b"tr",
    /// A holding.
    Holding = b"ho",
    /// An activity.
    Activity = b"ac",
    /// A registered opportunity.
    Deal = b"de",
    /// A batch of facts.
    ImportBatch = b"ib",
    /// A product.
    Product = b"pd",
    /// A benefit given to, changed for or taken from one partner.
    EntitlementException = b"ex",
    /// A use of an allowance.
    AllowanceUse = b"au",
    /// An asset.
    Asset = b"as",
    /// A budget.
    Budget = b"bu",
    /// A request for marketing money.
    MdfRequest = b"mr",
    /// A claim against a request.
    MdfClaim = b"mc",
    /// A rebate run.
    RebateRun = b"rr",
    /// A statement.
    Statement = b"st",
    /// A dispute.
    Dispute = b"di",
    /// An address that events are delivered to.
    Webhook = b"wh",
    /// A key of a machine.
    ApiKey = b"ak",
    /// Background work.
    Job = b"jo",
    /// An entry of the journal.
    JournalEntry = b"je",
}

/// The id of `id`, a `kind`, as a caller sees it.
pub fn encode(kind: NodeKind, id: Uuid) -> ID {
    let mut bytes = Vec::with_capacity(18);
    bytes.extend_from_slice(&kind.tag());
    bytes.extend_from_slice(id.as_bytes());
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

/// What an id names, if it is one of ours in its one spelling.
pub fn decode(id: &str) -> Option<(NodeKind, Uuid)> {
    if id.len() != 24 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    let (tag, rest) = bytes.split_at_checked(2)?;
    let kind = NodeKind::ALL.iter().copied().find(|kind| kind.tag() == tag)?;
    Some((kind, Uuid::from_slice(rest).ok()?))
}

/// The identity behind an id of this kind, or behind the bare one that files have in their columns; none for any other text.
pub fn decode_as(kind: NodeKind, id: &str) -> Option<Uuid> {
    decode(id).filter(|(found, _)| *found == kind).map(|(_, id)| id).or_else(|| bare(id))
}

/// A UUID in the spelling of files: hyphenated, in small letters.
fn bare(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_both_ways_and_tags_are_told_apart() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        for kind in NodeKind::ALL {
            let text = encode(*kind, id);
            assert_eq!(decode(&text), Some((*kind, id)));
            assert!(NodeKind::ALL.iter().all(|other| (decode_as(*other, &text).is_some()) == (other == kind)));
        }
    }

    #[test]
    fn the_bare_id_of_a_file_is_taken_where_the_kind_is_known() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!((decode(&id.to_string()), decode_as(NodeKind::Statement, &id.to_string())), (None, Some(id)));
        for other in [id.simple().to_string(), id.urn().to_string(), id.braced().to_string(), id.to_string().to_uppercase().replace('0', "A")] {
            assert_eq!(decode_as(NodeKind::Statement, &other), None, "{other}");
        }
    }

    #[test]
    fn anything_else_is_no_id() {
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "cGEBkAAAAABwAIAAAAAAAAA=", "cGEBkAAAAABwAIAAAAAAAAAB\n", "💥💥💥💥💥💥"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
