//! Tiers that partners might be let into: "if we approved this application".

use guerdon_domain::date::{Date, Span};
use guerdon_domain::document::ladder::LadderScope;
use guerdon_domain::facts::TierAdmission;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::levelling::admission_of;
use guerdon_domain::program::Program;

use super::{PartnerHypothesis, Simulate};
use crate::error::AppError;

/// A tier that a partner might be let into, from the date of the simulation on, in whatever way the tier is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupposedAdmission {
    /// Where it was written, for faults.
    pub path: String,
    /// The partner's code.
    pub partner: String,
    /// The ladder; the main ladder when empty.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
}

impl SupposedAdmission {
    fn read(&self, program: &Program, as_of: Date) -> Result<TierAdmission, Fault> {
        let fault = |code: &'static str, member: &str, message: &str| Fault::new(code, format!("{}.{member}", self.path), message);
        let ladder = program.ladder(self.ladder.as_deref());
        let ladder = ladder.ok_or_else(|| fault("UNKNOWN_LADDER", "ladder", "the program has no such ladder, or no main ladder: name one of its ladders"))?;
        let (_, tier) = ladder.tier(&self.tier).ok_or_else(|| fault("UNKNOWN_TIER", "tier", "the ladder has no such tier"))?;
        let kind = admission_of(tier.entry);
        let kind = kind.ok_or_else(|| fault("OTHER_ENTRY", "tier", "the tier is entered automatically, as soon as what it asks for is met"))?;
        match (ladder.scope, &self.region) {
            (LadderScope::Partner, Some(_)) => {
                return Err(fault("REGION_NOT_EXPECTED", "region", "tiers of this ladder are not held per region: leave the region out"));
            }
            (LadderScope::PartnerInRegion, None) => {
                return Err(fault("REGION_REQUIRED", "region", "tiers of this ladder are held per region: name the region"));
            }
            _ => {}
        }
        Ok(TierAdmission { ladder: ladder.key.clone(), region: self.region.clone(), tier: tier.key.clone(), kind, span: Span::new(as_of, Date::MAX) })
    }
}

/// Everything that is supposed of partners, by the rules of the hypothesis.
pub(super) fn suppose(program: &Program, as_of: Date, input: &Simulate) -> Result<Vec<PartnerHypothesis>, AppError> {
    let mut faults = Faults::new();
    let mut supposed = input.facts.clone();
    for admission in &input.admissions {
        let Some(held) = faults.keep("", admission.read(program, as_of)) else { continue };
        match supposed.iter_mut().find(|hypothesis| hypothesis.partner == admission.partner) {
            Some(hypothesis) => hypothesis.admissions.push(held),
            None => supposed.push(PartnerHypothesis { partner: admission.partner.clone(), admissions: vec![held], ..PartnerHypothesis::default() }),
        }
    }
    Ok(faults.or(supposed)?)
}
