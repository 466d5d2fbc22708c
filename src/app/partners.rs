//! Partners: read, list, make and change, enroll.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::date::Date;
use guerdon_domain::event::{Event, PartnerChanged, PartnerEnrolled};
use guerdon_domain::facts::{Attributes, PartnerProfile, PartnerStatus};
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::money::Currency;
use guerdon_domain::page::{Page, PageRequest};
use guerdon_store::{AuditEntry, Change, NewEnrollment, PartnerUpsert, StoreError, UpsertOutcome, UpsertRefusal, WriteTx};
pub use guerdon_store::{PartnerFilter, PartnerId, PartnerOrder, StoredEnrollment, StoredPartner};
use serde::{Deserialize, Serialize};

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::programs::{ProgramKey, program_in};
use super::text::{check_key, check_maybe_key, check_text};
use super::{App, Ctx, pages};
use crate::error::AppError;

/// A partner by its id or its code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartnerKey {
    /// Its id.
    Id(PartnerId),
    /// Its code.
    Code(String),
}

/// A partner as it is from a date on.
#[derive(Debug, Clone)]
pub struct UpsertPartner {
    /// The vendor's own id.
    pub code: String,
    /// From this day on; today when empty.
    pub from: Option<Date>,
    /// Its name.
    pub name: String,
    /// Its type.
    pub partner_type: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its parent's code.
    pub parent: Option<String>,
    /// The currency that it is paid in.
    pub currency: Option<Currency>,
    /// Whether it takes part.
    pub status: PartnerStatus,
    /// Everything else.
    pub attributes: Attributes,
    /// The `row_version` that the caller read, where two could edit.
    pub expected_version: Option<i64>,
}

/// What became of a partner of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartnerOutcome {
    /// It is new.
    Created,
    /// It changed.
    Changed,
    /// It was so already.
    Unchanged,
}

/// A partner of the input, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upserted {
    /// The partner.
    pub id: PartnerId,
    /// What became of it.
    pub outcome: PartnerOutcome,
}

/// A partner to enroll.
#[derive(Debug, Clone)]
pub struct EnrollPartner {
    /// The partner's code.
    pub partner: String,
    /// The program's code.
    pub program: String,
    /// Since when; today when empty.
    pub since: Option<Date>,
    /// On which track: a partner type of the program.
    pub track: Option<String>,
    /// In which region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// The partner, if it is there and in scope.
///
/// # Errors
/// `Forbidden`.
pub async fn find_partner(app: &App, ctx: &Ctx, key: &PartnerKey) -> Result<Option<StoredPartner>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Partner))?;
    let found = app.store.read(async |tx| match key {
        PartnerKey::Id(id) => tx.find_partner(&scope, *id).await,
        PartnerKey::Code(code) => tx.find_partner_by_code(&scope, code).await,
    });
    Ok(found.await?)
}

/// Partners by id; those out of scope are left out.
///
/// # Errors
/// `Forbidden`.
pub async fn partners_many(app: &App, ctx: &Ctx, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, StoredPartner>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Partner))?;
    Ok(app.store.read(async |tx| tx.partners_many(&scope, ids).await).await?)
}

/// Everything that partners were and will be, in date order.
///
/// # Errors
/// `Forbidden`.
pub async fn profiles_many(app: &App, ctx: &Ctx, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, Vec<PartnerProfile>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Partner))?;
    Ok(app.store.read(async |tx| tx.profiles_many(&scope, ids).await).await?)
}

/// Enrollments by partner, earliest first.
///
/// # Errors
/// `Forbidden`.
pub async fn enrollments_many(app: &App, ctx: &Ctx, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, Vec<StoredEnrollment>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Enrollment))?;
    Ok(app.store.read(async |tx| tx.enrollments_many(&scope, ids, None).await).await?)
}

/// One page of the partners in scope.
///
/// # Errors
/// `Forbidden`.
pub async fn list_partners(
    app: &App,
    ctx: &Ctx,
    filter: &PartnerFilter,
    (order, descending): (PartnerOrder, bool),
    page: &PageRequest,
) -> Result<Page<pages::Keyed<StoredPartner>>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Partner))?;
    let request = pages::request_of(page);
    let found = app.store.read(async |tx| tx.list_partners(&scope, filter, order, descending, &request).await).await?;
    Ok(pages::page_of(found, page.backward))
}

/// How many partners in scope the filter takes.
///
/// # Errors
/// `Forbidden`.
pub async fn count_partners(app: &App, ctx: &Ctx, filter: &PartnerFilter) -> Result<i64, AppError> {
    let scope = ctx.require((Action::Read, Resource::Partner))?;
    Ok(app.store.read(async |tx| tx.count_partners(&scope, filter).await).await?)
}

/// Makes and changes partners; all of them or none. The same again changes nothing.
///
/// # Errors
/// `Forbidden`; `Limit`; `Invalid` with every fault and the partner's index; those of idempotency keys.
pub async fn upsert_partners(app: &App, ctx: &Ctx, rows: &[UpsertPartner], keyed: Option<&Keyed>) -> Result<Vec<Upserted>, AppError> {
    let scope = ctx.require((Action::Write, Resource::Partner))?;
    check_partners(app, rows)?;
    let context = keyed_context(app, ctx, "partnerUpsert", keyed)?;
    let upserts: Vec<PartnerUpsert> = rows.iter().map(|row| upsert_of(row, ctx.today)).collect();
    let written = app.store.write(&context, async |tx| write_partners(tx, &scope, &upserts, ctx.today).await).await?;
    Ok(written.value)
}

async fn write_partners(tx: &WriteTx, scope: &Scope, upserts: &[PartnerUpsert], today: Date) -> Result<Change<Vec<Upserted>>, AppError> {
    let outcomes = tx.upsert_partners(scope, upserts, today).await?;
    let mut faults = Faults::new();
    let mut done = Vec::with_capacity(outcomes.len());
    let mut traces = Vec::new();
    for (at, (row, result)) in upserts.iter().zip(outcomes).enumerate() {
        let (id, outcome) = match result.outcome {
            UpsertOutcome::Created(id) => (id, PartnerOutcome::Created),
            UpsertOutcome::Changed(id) => (id, PartnerOutcome::Changed),
            UpsertOutcome::Unchanged(id) => (id, PartnerOutcome::Unchanged),
            UpsertOutcome::Refused(refusal) => {
                faults.0.push(refusal_fault(&refusal).within(&format!("partners[{at}]")));
                continue;
            }
        };
        if outcome != PartnerOutcome::Unchanged {
            let event = Event::PartnerChanged(changed_event(row));
            let audit = AuditEntry::of("Partner", id).partner(id).after(serde_json::to_value(changed_event(row)).unwrap_or_default());
            traces.push((audit, outgoing(&event, "Partner", Some(id))));
        }
        done.push(Upserted { id, outcome });
    }
    let change = Change::unchanged(faults.or(done)?);
    Ok(traces.into_iter().fold(change, |change, (audit, event)| change.and(audit).event(event)))
}

fn changed_event(row: &PartnerUpsert) -> PartnerChanged {
    let profile = &row.profile;
    PartnerChanged {
        partner: row.code.clone(),
        from: profile.from,
        name: profile.name.clone(),
        partner_type: profile.partner_type.clone(),
        region: profile.region.clone(),
        parent: profile.parent.clone(),
        status: profile.status,
    }
}

fn upsert_of(row: &UpsertPartner, today: Date) -> PartnerUpsert {
    let profile = PartnerProfile {
        from: row.from.unwrap_or(today),
        name: row.name.clone(),
        partner_type: row.partner_type.clone(),
        region: row.region.clone(),
        parent: row.parent.clone(),
        currency: row.currency,
        status: row.status,
        attributes: row.attributes.clone(),
    };
    PartnerUpsert { code: row.code.clone(), profile, expected: row.expected_version }
}

fn check_partners(app: &App, rows: &[UpsertPartner]) -> Result<(), AppError> {
    let most = app.limits.partners_max;
    if rows.len() > most {
        return Err(AppError::limit("TOO_MANY", "partners", format!("at most {most} partners are taken at once: send several requests, or import a file")));
    }
    let mut faults = Faults::new();
    let mut seen = BTreeSet::new();
    for (at, row) in rows.iter().enumerate() {
        let path = |member: &str| format!("partners[{at}].{member}");
        check_key(&mut faults, &path("code"), &row.code, &app.limits);
        check_text(&mut faults, &path("name"), &row.name, &app.limits);
        for (member, value) in [("type", &row.partner_type), ("region", &row.region), ("parent", &row.parent)] {
            check_maybe_key(&mut faults, &path(member), value.as_deref(), &app.limits);
        }
        if row.parent.as_ref() == Some(&row.code) {
            faults.add("CYCLE", path("parent"), "a partner cannot be its own parent");
        }
        if !seen.insert((&row.code, row.from)) {
            faults.add("DUPLICATE", path("code"), "an earlier entry is about the same partner and date: keep one of them");
        }
    }
    faults.or(()).map_err(AppError::from)
}

fn refusal_fault(refusal: &UpsertRefusal) -> Fault {
    match refusal {
        UpsertRefusal::UnknownParent(code) => {
            Fault::new("UNKNOWN_PARTNER", "parent", format!("there is no partner {code} that you may choose: create it first, or in the same request"))
        }
        UpsertRefusal::Cycle => Fault::new("CYCLE", "parent", "the partner would be above itself: choose another parent"),
        UpsertRefusal::Stale => Fault::new("STALE", "expectedVersion", "somebody else changed the partner: read it again and repeat"),
        UpsertRefusal::Contradiction => Fault::new("DUPLICATE", "code", "another entry says otherwise for the same partner and date: keep one of them"),
        UpsertRefusal::OutOfScope => Fault::new("NOT_FOUND", "code", "there is no such partner that you may change"),
    }
}

/// Enrolls a partner in a program. The same again changes nothing.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` with `UNKNOWN_TRACK` or `UNKNOWN_REGION`; `Conflict` with `ALREADY_ENROLLED` when the
/// partner is enrolled otherwise on that day; those of idempotency keys.
pub async fn enroll_partner(app: &App, ctx: &Ctx, input: &EnrollPartner, keyed: Option<&Keyed>) -> Result<StoredEnrollment, AppError> {
    let scope = ctx.require((Action::Write, Resource::Enrollment))?;
    let context = keyed_context(app, ctx, "partnerEnroll", keyed)?;
    let written = app.store.write(&context, async |tx| write_enrollment(app, ctx, tx, &scope, input).await).await?;
    Ok(written.value)
}

async fn write_enrollment(app: &App, ctx: &Ctx, tx: &WriteTx, scope: &Scope, input: &EnrollPartner) -> Result<Change<StoredEnrollment>, AppError> {
    let program = program_in(tx, Some(&ProgramKey::Code(input.program.clone()))).await?;
    let partner = tx.find_partner_by_code(scope, &input.partner).await?.ok_or(AppError::NotFound)?;
    let versions = tx.list_published_versions(program.id).await?;
    let mut since = input.since.unwrap_or(ctx.today);
    if let Some(version) = versions.last() {
        let compiled = super::programs::compiled_in(app, tx, version).await?;
        since = input.since.unwrap_or_else(|| super::programs::today_in(ctx, &compiled));
        check_enrollment(&compiled, input)?;
    }
    let wanted = NewEnrollment { partner: partner.id, region: input.region.clone(), track: input.track.clone(), since };
    let created = tx.enroll_partners(program.id, std::slice::from_ref(&wanted)).await.map_err(already_enrolled)?;
    let mut held = tx.enrollments_many(scope, &[partner.id], Some(program.id)).await?.remove(&partner.id).unwrap_or_default();
    if created.is_empty() {
        let same = |held: &&StoredEnrollment| held.until.is_none() && held.region == wanted.region;
        let present = held.iter().find(same).ok_or(AppError::NotFound)?;
        let as_asked = input.since.is_none_or(|since| since == present.since) && (input.track.is_none() || input.track == present.track);
        return if as_asked { Ok(Change::unchanged(present.clone())) } else { Err(enrolled_otherwise()) };
    }
    held.retain(|held| created.contains(&held.id));
    let stored = held.pop().ok_or(AppError::NotFound)?;
    let event = PartnerEnrolled { partner: partner.code, program: program.code, since, track: input.track.clone(), region: input.region.clone() };
    let audit = AuditEntry::of("Enrollment", stored.id).partner(partner.id).after(serde_json::to_value(&event).unwrap_or_default());
    Ok(Change::new(stored, audit).event(outgoing(&Event::PartnerEnrolled(event), "Partner", Some(partner.id))))
}

fn check_enrollment(program: &guerdon_domain::program::Program, input: &EnrollPartner) -> Result<(), AppError> {
    let mut faults = Faults::new();
    if let Some(track) = input.track.as_ref().filter(|track| !program.document.partner_types.iter().any(|known| known.key == **track)) {
        faults.add("UNKNOWN_TRACK", "track", format!("the program has no partner type {track}"));
    }
    if let Some(region) = input.region.as_ref().filter(|region| !program.geography.regions.contains(region)) {
        faults.add("UNKNOWN_REGION", "region", format!("the program has no region {region}"));
    }
    faults.or(()).map_err(AppError::from)
}

fn already_enrolled(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict { constraint } if constraint.starts_with("enrollment_") => enrolled_otherwise(),
        other => other.into(),
    }
}

fn enrolled_otherwise() -> AppError {
    AppError::conflict("ALREADY_ENROLLED", "partner", "the partner is enrolled in this program already, since another day or on another track")
}
