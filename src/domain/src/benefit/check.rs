//! The short answer: may this partner have this benefit?

use std::borrow::Borrow;

use serde::Serialize;

use super::{Entitlement, EntitlementStatus};
use crate::document::benefit::BenefitValue;

/// Why a check says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckReason {
    /// It is granted.
    Granted,
    /// It is granted with a value of zero.
    Nothing,
    /// A condition is not met, or the partner is not active.
    Withheld,
    /// Nothing gives it.
    NotOffered,
    /// The program has no such benefit.
    UnknownBenefit,
}

/// The answer for one benefit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenefitCheck {
    /// The benefit's key, as it was asked.
    pub benefit: String,
    /// Yes or no. Deny is the default.
    pub allowed: bool,
    /// Why.
    pub reason: CheckReason,
    /// What is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<BenefitValue>,
    /// What would unlock it, as one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock: Option<String>,
}

/// Answers every key, in the order asked.
pub fn check_benefits(entitlements: &[impl Borrow<Entitlement>], keys: &[String]) -> Vec<BenefitCheck> {
    let answers = keys.iter().map(|key| match entitlements.iter().map(Borrow::borrow).find(|entitlement| entitlement.benefit == *key) {
        Some(entitlement) => check(entitlement),
        None => BenefitCheck { benefit: key.clone(), allowed: false, reason: CheckReason::UnknownBenefit, value: None, unlock: None },
    });
    answers.collect()
}

fn check(entitlement: &Entitlement) -> BenefitCheck {
    let allowed = entitlement.is_given();
    let reason = match entitlement.status {
        EntitlementStatus::Granted if allowed => CheckReason::Granted,
        EntitlementStatus::Granted => CheckReason::Nothing,
        EntitlementStatus::Withheld => CheckReason::Withheld,
        EntitlementStatus::NotOffered => CheckReason::NotOffered,
    };
    let unlock = entitlement.unlock_text();
    let value = entitlement.value.clone().filter(|_| allowed);
    BenefitCheck { benefit: entitlement.benefit.clone(), allowed, reason, value, unlock: (!unlock.is_empty()).then_some(unlock) }
}
