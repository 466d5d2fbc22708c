//! What changes in the benefits of a partner.

use super::BenefitChangeKind;
use super::judge::{Judged, Part};
use super::tally::BenefitMove;
use crate::benefit::{Entitlement, Judgement, Standing, Wanted, resolve_some_with};
use crate::fault::Faults;
use crate::metric::{At, Evaluator};

/// The benefits that a partner gains, loses, or has with another value. Of a partner that does not move only those are looked at
/// that the rules make different.
pub(super) fn compare(part: &Part<'_>, code: &str, before: &Judged<'_>, after: &Judged<'_>, moves: bool) -> Result<Vec<BenefitMove>, Faults> {
    let simulation = part.simulation;
    let changed = &simulation.delta.benefits;
    let every = moves || part.other_facts;
    if !every && changed.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = |key: &str| every || changed.contains(key);
    let then = resolve(&part.before, code, simulation, before, &wanted)?;
    let now = resolve(&part.after, code, simulation, after, &wanted)?;
    let tier = after.main_tier(&simulation.after).map(str::to_owned);
    let keys = then.iter().chain(now.iter().filter(|one| then.iter().all(|other| other.benefit != one.benefit))).map(|one| one.benefit.as_str());
    let of = |all: &[Entitlement], key: &str| all.iter().find(|one| one.benefit == key && one.is_given()).and_then(|one| one.value.clone());
    let changes = keys.filter_map(|key| {
        let (before, after) = (of(&then, key), of(&now, key));
        let kind = match (&before, &after) {
            (None, Some(_)) => BenefitChangeKind::Gained,
            (Some(_), None) => BenefitChangeKind::Lost,
            (one, other) if one != other => BenefitChangeKind::Changed,
            _ => return None,
        };
        Some(BenefitMove { partner: code.to_owned(), benefit: key.to_owned(), kind, tier: tier.clone(), before, after })
    });
    Ok(changes.collect())
}

fn resolve<'a>(
    evaluator: &Evaluator<'a>,
    code: &str,
    simulation: &super::Simulation,
    judged: &Judged<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Entitlement>, Faults> {
    let (partner, as_of) = (evaluator.partner(code)?, simulation.terms.as_of);
    let at = At::new(partner, as_of);
    let judge = |requirement: &'a crate::document::requirement::Requirement| {
        let judged = evaluator.judge(requirement, &at)?;
        Ok(Judgement { met: judged.met, missing: String::new() })
    };
    let held = judged.held();
    resolve_some_with(
        &Standing { program: evaluator.program, partner, as_of, held: &held, region: None, judge: &judge },
        Wanted { benefit: wanted, unlocks: false },
    )
}
