//! The state of one resolution, and the conditions of grants.

use std::collections::BTreeMap;

use super::Entitlement;
use super::held::HeldTier;
use super::resolve::Standing;
use super::source::{earlier, known_end};
use super::unlock::{UnlockKind, UnlockStep};
use crate::date::Date;
use crate::document::benefit::GrantCondition;
use crate::document::ladder::Ladder;
use crate::fault::Faults;

/// What an evaluation says about a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it is met.
    pub met: bool,
    /// What is missing, for people. Empty: the requirement's place is named instead.
    pub missing: String,
}

/// One resolution: the question, what was read off it once, and the benefits answered so far.
pub(super) struct Resolver<'p, 'h> {
    pub(super) standing: &'h Standing<'p, 'h>,
    /// The region that ladders in a region are read for.
    pub(super) region: Option<&'h str>,
    /// The partner's own region.
    pub(super) own_region: Option<&'h str>,
    /// The partner's type.
    pub(super) partner_type: Option<&'h str>,
    /// Whether the ways that would unlock a benefit are asked for.
    pub(super) unlocks: bool,
    /// Benefits answered so far, for conditions that name another benefit.
    pub(super) answered: BTreeMap<String, Entitlement>,
}

impl<'p> Resolver<'p, '_> {
    /// The tier that the partner holds in `ladder`.
    pub(super) fn held(&self, ladder: &Ladder) -> Option<&HeldTier> {
        self.standing.held.in_ladder(&self.standing.program.geography, ladder, self.region)
    }

    /// What of a condition is not met, and until when the met part is known to hold.
    pub(super) fn condition(&self, condition: Option<&'p GrantCondition>) -> Result<(Vec<UnlockStep>, Option<Date>), Faults> {
        let Some(condition) = condition else { return Ok((Vec::new(), None)) };
        let mut unmet = Vec::new();
        let mut until = None;
        if let Some(asked) = &condition.contract {
            let contracts = self.active_contracts();
            let fitting: Vec<_> = contracts.iter().filter(|contract| asked.template.is_none() || asked.template == contract.template).collect();
            match fitting.iter().map(|contract| contract.span).max_by_key(|span| span.until) {
                Some(span) => until = known_end(span),
                None => unmet.push(UnlockStep::contract(asked.template.as_deref())),
            }
        }
        if let Some(requirement) = &condition.requirement {
            let judgement = (self.standing.judge)(requirement)?;
            if !judgement.met {
                unmet.push(UnlockStep::requirement(&judgement.missing));
            }
        }
        if let Some(benefit) = &condition.benefit {
            match self.answered.get(benefit).filter(|answer| answer.is_given()) {
                Some(answer) => until = earlier(until, answer.valid_until),
                None => unmet.push(UnlockStep::of(UnlockKind::Benefit, Some(benefit), format!("benefit {benefit}"))),
            }
        }
        Ok((unmet, until))
    }
}
