//! The place that a decision about one partner's tier is for: program, partner, ladder and region.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::document::ladder::{Ladder, LadderScope};
use guerdon_domain::fault::Faults;
use guerdon_domain::levelling::Due;
use guerdon_store::{Change, ReadTx, StoredPartner, WriteTx};

use super::levelling::{EvaluateTiers, Selection, TiersEvaluated, evaluate_chunk};
use super::partners::PartnerId;
use super::plan::dated;
use super::programs::{InForce, ProgramId, ProgramKey};
use super::reviews::stand_at_once;
use super::{App, Ctx};
use crate::error::AppError;

/// Where a decision about a tier belongs, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceAsked {
    /// The program's code.
    pub program: String,
    /// The partner's code.
    pub partner: String,
    /// The ladder; the main ladder when empty.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// Where a decision about a tier belongs, found.
pub(super) struct Place {
    pub(super) in_force: InForce,
    pub(super) today: Date,
    pub(super) partner: StoredPartner,
    pub(super) ladder: String,
    pub(super) region: Option<String>,
}

impl Place {
    /// The ladder of the version in force.
    pub(super) fn ladder(&self) -> Option<&Ladder> {
        self.in_force.compiled.ladder(Some(&self.ladder))
    }
}

/// The version in force today, and today in its time zone.
///
/// # Errors
/// `NotFound` about the program; `Conflict` with `NO_VERSION_IN_FORCE`.
pub(super) async fn present(app: &App, ctx: &Ctx, tx: &ReadTx, program: &ProgramKey) -> Result<(Date, InForce), AppError> {
    let found = dated(app, ctx, tx, Some(program), None).await?;
    found.ok_or_else(|| AppError::conflict("NO_VERSION_IN_FORCE", "program", "no version of the program is in force today: publish one first"))
}

/// Finds the place that is asked for; everything that is wrong with ladder and region goes to `faults`.
///
/// # Errors
/// `NotFound` about program and partner; `Conflict` with `NO_VERSION_IN_FORCE` and `NOT_ENROLLED`; `Invalid` with `UNKNOWN_LADDER`.
pub(super) async fn find_place(app: &App, ctx: &Ctx, tx: &ReadTx, scope: &Scope, asked: &PlaceAsked, faults: &mut Faults) -> Result<Place, AppError> {
    let (today, in_force) = present(app, ctx, tx, &ProgramKey::Code(asked.program.clone())).await?;
    let partner = tx.find_partner_by_code(scope, &asked.partner).await?.ok_or(AppError::NotFound)?;
    let enrolled = tx.enrollments_many(&Scope::All, &[partner.id], Some(in_force.program.id)).await?.remove(&partner.id).unwrap_or_default();
    if !enrolled.iter().any(|held| held.until.is_none_or(|until| until > today)) {
        return Err(AppError::conflict("NOT_ENROLLED", "partner", "the partner does not take part in this program: enroll it first"));
    }
    let Some(ladder) = in_force.compiled.ladder(asked.ladder.as_deref()) else {
        return Err(AppError::invalid("UNKNOWN_LADDER", "ladder", "the program has no such ladder, or no main ladder: name one of its ladders"));
    };
    check_region(&in_force, ladder, asked.region.as_deref(), faults);
    let (ladder, region) = (ladder.key.clone(), asked.region.clone());
    Ok(Place { today, partner, ladder, region, in_force })
}

fn check_region(in_force: &InForce, ladder: &Ladder, region: Option<&str>, faults: &mut Faults) {
    match (ladder.scope, region) {
        (LadderScope::Partner, Some(_)) => faults.add("REGION_NOT_EXPECTED", "region", "tiers of this ladder are not held per region: leave the region out"),
        (LadderScope::PartnerInRegion, None) => faults.add("REGION_REQUIRED", "region", "tiers of this ladder are held per region: name the region"),
        (LadderScope::PartnerInRegion, Some(region)) if !in_force.compiled.geography.regions.contains(region) => {
            faults.add("UNKNOWN_REGION", "region", format!("the program has no region {region}"));
        }
        _ => {}
    }
}

/// The tier's key, where the ladder has it; a fault else.
pub(super) fn check_tier(place: &Place, tier: &str, faults: &mut Faults) {
    if place.ladder().is_none_or(|ladder| ladder.tier(tier).is_none()) {
        let known: Vec<&str> = place.ladder().map(|ladder| ladder.tiers.iter().map(|tier| tier.key.as_str()).collect()).unwrap_or_default();
        faults.add("UNKNOWN_TIER", "tier", format!("ladder {} has no tier {tier}; it has {}", place.ladder, known.join(", ")));
    }
}

/// Judges a partner as of today in the same transaction, so that the tier on record, and the lists, follow a decision at once.
pub(super) async fn rejudge(app: &App, ctx: &Ctx, tx: &WriteTx, program: ProgramId, partner: PartnerId) -> Result<Change<TiersEvaluated>, AppError> {
    let (today, in_force) = present(app, ctx, tx, &ProgramKey::Id(program)).await?;
    let input = EvaluateTiers {
        program: ProgramKey::Id(program),
        dates: BTreeSet::from([today]),
        selection: Selection::Partners(Vec::new()),
        due: Due::ByCalendar,
        keyed: None,
    };
    let evaluated = evaluate_chunk(tx, &Scope::All, &input, &BTreeMap::from([(today, in_force.clone())]), &[partner]).await?;
    stand_at_once(tx, &in_force, today, &[partner]).await?;
    Ok(evaluated)
}
