//! What partners are entitled to, and why.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::{Action, Asked, Resource, Scope};
use guerdon_domain::benefit::{BenefitCheck, Entitlement, HeldTiers, Wanted, check_benefits, resolve_some};
use guerdon_domain::date::Date;

use super::partners::PartnerId;
use super::plan::{compute, dated, for_entitlements, read_facts};
use super::programs::ProgramKey;
use super::{App, Ctx};
use crate::error::AppError;

/// May a partner have these benefits? One short answer each, in the order asked. None when there is no such partner, or none that
/// the caller may ask about. Benefits that he may not ask about are unknown to him.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program, or where a requirement cannot be judged.
pub async fn check_partner(app: &App, ctx: &Ctx, question: &Question, partner: &str, keys: &[String]) -> Result<Option<Vec<BenefitCheck>>, AppError> {
    let asked = |key: &String| ctx.require(Asked::new(Action::Read, Resource::AccessDecision).about(key)).ok();
    let scopes: Vec<Option<Scope>> = keys.iter().map(asked).collect();
    let allowed = |key: &String| keys.iter().zip(&scopes).any(|(known, scope)| known == key && scope.is_some());
    if keys.is_empty() {
        ctx.require((Action::Read, Resource::AccessDecision))?;
        return Ok(Some(Vec::new()));
    }
    let Some(scope) = scopes.iter().flatten().cloned().reduce(|one, other| if one == other { one } else { Scope::Nothing }) else {
        return Err(AppError::Forbidden);
    };
    let found = app.store.read(async |tx| tx.find_partner_by_code(&scope, partner).await).await?;
    let Some(partner) = found else { return Ok(None) };
    let question = Question { benefits: Some(keys.iter().cloned().collect()), ..question.clone() };
    let mut answers = resolve_in(app, ctx, &scope, &question, &[partner.id]).await?;
    let Some(entitlements) = answers.remove(&partner.id).transpose()? else { return Ok(None) };
    let visible: Vec<Entitlement> = entitlements.into_iter().filter(|one| allowed(&one.benefit)).collect();
    Ok(Some(check_benefits(&visible, keys)))
}

/// What is asked about every partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The program; the only one when empty.
    pub program: Option<ProgramKey>,
    /// The date; today in the program's time zone when empty.
    pub as_of: Option<Date>,
    /// The region that ladders of a partner in a region are read for; the partner's own when empty.
    pub region: Option<String>,
    /// These benefits alone; all when empty. Only what their conditions ask for is read.
    pub benefits: Option<BTreeSet<String>>,
    /// Whether what would unlock a benefit is asked too.
    pub unlocks: bool,
}

/// The entitlements of partners on a date, by the tiers on record. A fixed number of statements whatever the number of partners.
/// Partners out of scope are left out, and all of them before the first version.
///
/// # Errors
/// `Forbidden`; `NotFound` and `Invalid` about the program. A partner that cannot be resolved has its own error.
pub async fn resolve_many(
    app: &App,
    ctx: &Ctx,
    question: &Question,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Result<Vec<Entitlement>, AppError>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Entitlement))?;
    resolve_in(app, ctx, &scope, question, ids).await
}

async fn resolve_in(
    app: &App,
    ctx: &Ctx,
    scope: &Scope,
    question: &Question,
    ids: &[PartnerId],
) -> Result<BTreeMap<PartnerId, Result<Vec<Entitlement>, AppError>>, AppError> {
    let read = app
        .store
        .read(async |tx| {
            let Some((as_of, in_force)) = dated(app, ctx, tx, question.program.as_ref(), question.as_of).await? else { return Ok::<_, AppError>(None) };
            let reading = for_entitlements(&in_force.compiled, as_of, question.benefits.as_ref());
            let known = read_facts(tx, scope, &in_force, &reading, as_of, ids).await?;
            Ok(Some((as_of, in_force, known)))
        })
        .await?;
    let Some((as_of, in_force, known)) = read else { return Ok(BTreeMap::new()) };
    let Question { region, benefits, unlocks, .. } = question.clone();
    compute(move || {
        let program = &in_force.compiled;
        let resolve = |code: &String| {
            let partner = known.facts.partners.get(code).ok_or(AppError::NotFound)?;
            let held = HeldTiers::on_record(program, partner, as_of);
            let wanted = |key: &str| benefits.as_ref().is_none_or(|benefits| benefits.contains(key));
            Ok(resolve_some(program, &known.facts, code, as_of, (&held, region.as_deref()), Wanted { benefit: &wanted, unlocks })?)
        };
        known.ids.iter().map(|(id, code)| (*id, resolve(code))).collect()
    })
    .await
}
