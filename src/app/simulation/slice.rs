//! Whom a simulation is about.

use std::collections::BTreeSet;

use guerdon_domain::access::Scope;
use guerdon_domain::fault::Faults;
use guerdon_domain::metric::plan::FactsPlan;
use guerdon_store::ReadTx;

use super::super::App;
use super::super::partners::PartnerId;
use super::super::plan::read_facts;
use super::parts::CHUNK;
use super::{Prepared, Simulate};
use crate::error::AppError;

/// Which partners, as they are on the date. All members that are given must hold; everybody who is enrolled when none is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slice {
    /// In any of these regions, or under one.
    pub regions: Vec<String>,
    /// Of any of these types.
    pub types: Vec<String>,
    /// Holding, on record, any of these tiers of the main ladder.
    pub tiers: Vec<String>,
    /// Any of these, by code.
    pub partners: Vec<String>,
}

/// Whom to judge, and whom to tell about.
pub(super) struct Whom {
    /// Everybody who is judged.
    pub(super) ids: Vec<PartnerId>,
    /// Those who are told about; all of them when empty.
    pub(super) told: Option<BTreeSet<PartnerId>>,
    /// Those whose facts are supposed to be others.
    pub(super) supposed: BTreeSet<PartnerId>,
    /// How far the caller may see.
    pub(super) scope: Scope,
    /// Whether everybody is judged, since a budget is shared with them; others than those in scope are not told about.
    pub(super) everybody: bool,
}

/// Finds them. Where a budget is shared, everybody is judged.
pub(super) async fn find(tx: &ReadTx, app: &App, scope: &Scope, prepared: &Prepared, input: &Simulate) -> Result<Whom, AppError> {
    let as_of = prepared.simulation.terms().as_of;
    let program = prepared.in_force.program.id;
    check_names(prepared, &input.slice)?;
    let mut ids = if input.slice.partners.is_empty() {
        tx.list_enrolled(scope, program, as_of, None, u32::MAX).await?
    } else {
        by_code(tx, scope, &input.slice.partners, |at| format!("slice.partners[{at}]")).await?
    };
    ids = narrow(tx, scope, prepared, &input.slice, ids).await?;
    let named: Vec<String> = prepared.supposed.iter().map(|hypothesis| hypothesis.partner.clone()).collect();
    let supposed: BTreeSet<PartnerId> = by_code(tx, scope, &named, |at| format!("facts[{at}].partner")).await?.into_iter().collect();
    let most = if input.periods.is_empty() { app.limits.simulate_max } else { app.limits.simulate_rebates_max };
    let whom = if prepared.simulation.shares_budgets() {
        let told = ids.into_iter().collect();
        Whom { ids: tx.list_enrolled(&Scope::All, program, as_of, None, u32::MAX).await?, told: Some(told), supposed, scope: scope.clone(), everybody: true }
    } else {
        Whom { ids, told: None, supposed, scope: scope.clone(), everybody: false }
    };
    if input.bounded && whom.ids.len() > most {
        let message = format!(
            "{} partners would be judged, and one request judges at most {most}: take a slice (regions, types, tiers, partners), leave rebate periods out, \
             or run `guerdon program diff --simulate`",
            whom.ids.len()
        );
        return Err(AppError::limit("TOO_MANY", "slice", message));
    }
    Ok(whom)
}

fn check_names(prepared: &Prepared, slice: &Slice) -> Result<(), AppError> {
    let program = &prepared.in_force.compiled;
    let mut faults = Faults::new();
    for (at, _) in slice.regions.iter().enumerate().filter(|(_, region)| !program.geography.regions.contains(region)) {
        faults.add("UNKNOWN_KEY", format!("slice.regions[{at}]"), "the program has no such region");
    }
    for (at, _) in slice.types.iter().enumerate().filter(|(_, key)| program.document.partner_types.iter().all(|known| known.key != **key)) {
        faults.add("UNKNOWN_KEY", format!("slice.types[{at}]"), "the program has no such partner type");
    }
    let tier = |key: &String| program.ladder(None).is_some_and(|ladder| ladder.tier(key).is_some());
    for (at, _) in slice.tiers.iter().enumerate().filter(|(_, key)| !tier(key)) {
        faults.add("UNKNOWN_KEY", format!("slice.tiers[{at}]"), "the main ladder has no such tier");
    }
    Ok(faults.or(())?)
}

async fn by_code(tx: &ReadTx, scope: &Scope, codes: &[String], place: impl Fn(usize) -> String) -> Result<Vec<PartnerId>, AppError> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let found = tx.partners_by_code_many(scope, codes).await?;
    let mut faults = Faults::new();
    for (at, _) in codes.iter().enumerate().filter(|(_, code)| !found.contains_key(*code)) {
        faults.add("UNKNOWN_PARTNER", place(at), "there is no such partner that you may ask about");
    }
    faults.or(())?;
    Ok(found.values().map(|partner| partner.id).collect::<BTreeSet<_>>().into_iter().collect())
}

/// Those who are what is asked on the date, by their state alone.
async fn narrow(tx: &ReadTx, scope: &Scope, prepared: &Prepared, slice: &Slice, ids: Vec<PartnerId>) -> Result<Vec<PartnerId>, AppError> {
    if slice.regions.is_empty() && slice.types.is_empty() && slice.tiers.is_empty() {
        return Ok(ids);
    }
    let as_of = prepared.simulation.terms().as_of;
    let program = &prepared.in_force.compiled;
    let main = program.ladder(None).map(|ladder| ladder.key.as_str()).unwrap_or_default();
    let regions: BTreeSet<String> = slice.regions.iter().flat_map(|region| program.geography.regions.subtree(region)).collect();
    let mut kept = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let known = read_facts(tx, scope, &prepared.in_force, &FactsPlan::default(), as_of, chunk).await?;
        for (id, code) in &known.ids {
            let Some(facts) = known.facts.partners.get(code) else { continue };
            let profile = facts.profile(as_of);
            let region = || profile.and_then(|profile| profile.region.as_ref()).is_some_and(|region| regions.contains(region));
            let of_type = || profile.and_then(|profile| profile.partner_type.as_ref()).is_some_and(|key| slice.types.contains(key));
            let tier = || {
                let held = facts.assignments.iter().filter(|held| held.ladder == main && held.from <= as_of && held.until.is_none_or(|until| as_of < until));
                held.filter_map(|held| held.tier.as_ref()).any(|tier| slice.tiers.contains(tier))
            };
            if (slice.regions.is_empty() || region()) && (slice.types.is_empty() || of_type()) && (slice.tiers.is_empty() || tier()) {
                kept.push(*id);
            }
        }
    }
    Ok(kept)
}
