//! Entitlements: what a partner gets on a date, from which sources, until when, and what would unlock the rest.
//!
//! Resolution goes tier grants -> contract terms -> individual exceptions -> conditions (semantics 8 and 9). Whatever no
//! source gives is not offered: deny is the default. What is decided here:
//!
//! - A ladder is one source. Within it the partner's own tier is looked at first, then the tiers below it from the nearest
//!   down (as far as their grants are inherited), then the grants without a tier. The first of these that has a grant for the
//!   partner's region and type gives it, by its most specific one, even if a lower tier's is larger or its condition is unmet.
//! - Grants of a ladder whose scope is the partner in a region stand at the region that is asked for; all others at the
//!   partner's own. A tier held in a region holds in the regions under it.
//! - An active contract's terms are its own, and those of its template for benefits that its own do not name.
//! - A replacement stands in place of what comes before it: a contract's in place of the tiers', an exception's in place of
//!   the tiers' and the contracts'. A removal always wins.
//! - The merge rule acts between the sources whose conditions are met.
//! - A partner that is not ACTIVE has everything withheld; one that is not enrolled is offered nothing.

mod allowance;
mod check;
mod condition;
mod held;
mod merge;
mod resolve;
mod source;
mod unlock;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use allowance::{AllowanceWindow, Proration};
pub use check::{BenefitCheck, CheckReason, check_benefits};
pub use condition::Judgement;
pub use held::{HeldTier, HeldTiers};
pub use resolve::{Standing, Wanted, resolve_entitlements, resolve_entitlements_with, resolve_some, resolve_some_with};
pub use source::{EntitlementSource, SourceKind, SourceOutcome};
pub use unlock::{Unlock, UnlockKind, UnlockStep};

use crate::date::Date;
use crate::document::benefit::{BenefitKind, BenefitValue, MergeRule};
pub use crate::document::scenario::EntitlementStatus;
use crate::money::{Currency, Number};

/// What resolution gives a partner for one benefit on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    /// The benefit's key.
    pub benefit: String,
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The kind of its value.
    pub kind: BenefitKind,
    /// How its sources became one value.
    pub merge: MergeRule,
    /// Whether it is given.
    pub status: EntitlementStatus,
    /// GRANTED: what is given. WITHHELD: what would be given if every unmet condition were met. NOT_OFFERED: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<BenefitValue>,
    /// MONEY, the caps of a RATE and the overage price: their currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// ALLOWANCE: the period that the value is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<AllowanceWindow>,
    /// ALLOWANCE: the price of one more, in `currency`; without it there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overage_price: Option<Number>,
    /// Every source that took part, the most specific first, with what became of it.
    pub sources: Vec<EntitlementSource>,
    /// The day from which the answer no longer holds as far as is known today: the first end of a source that made the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// WITHHELD: the conditions that are not met.
    pub unmet: Vec<UnlockStep>,
    /// WITHHELD and NOT_OFFERED: each of these ways would unlock it; the shortest first.
    pub unlocks: Vec<Unlock>,
}

impl Entitlement {
    /// Whether it is granted and gives something: not no, not nothing.
    pub fn is_given(&self) -> bool {
        self.status == EntitlementStatus::Granted && self.value.as_ref().is_some_and(merge::gives_something)
    }

    /// What unlocks it, as one sentence: `tier GOLD; or sign contract X and only in DE`. Empty when it is granted.
    pub fn unlock_text(&self) -> String {
        self.unlocks.iter().map(|unlock| unlock.text.as_str()).collect::<Vec<_>>().join("; or ")
    }
}
