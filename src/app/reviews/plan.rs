//! The schedule: begins the reviews whose day has come in their program's time zone. Days are taken in their order, one review at
//! a time, each once; after a downtime what was missed is caught up with.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use guerdon_domain::date::{Date, Span};
use guerdon_domain::levelling::{Due, OwnDates, admission_months, common_review_days, has_days_of_enrollment, own_review_days};
use guerdon_store::{Change, PartnerId, ReadTx, StoreError, StoredProgram};

use super::slice::Slice;
use super::{KIND, Prepared, begin};
use crate::app::App;
use crate::app::idempotency::write_context;
use crate::app::programs::{InForce, compiled_in};
use crate::clock::civil_date;
use crate::error::AppError;

/// Begins what is due, in every program.
///
/// # Errors
/// `Busy`, `Internal`.
pub async fn plan(app: &App) -> Result<(), AppError> {
    give_up(app).await?;
    let programs = app.store.read::<_, StoreError, _>(async |tx| tx.list_programs().await).await?;
    for program in programs {
        plan_program(app, program).await?;
    }
    Ok(())
}

/// Ends the reviews whose job was given up: another one of the date may be begun.
async fn give_up(app: &App) -> Result<(), AppError> {
    if !app.store.read::<_, StoreError, _>(async |tx| tx.has_lost_review().await).await? {
        return Ok(());
    }
    let context = write_context(&app.system(KIND), "reviewGiveUp");
    app.store
        .write(&context, async |tx| {
            tx.give_up_reviews().await?;
            Ok::<_, StoreError>(Change::unchanged(()))
        })
        .await?;
    Ok(())
}

/// The plan of a program as it was read.
struct Plan {
    planned_until: Option<Date>,
    today: Date,
    /// The first day that is due, and whom it concerns.
    next: Option<Prepared>,
}

async fn plan_program(app: &App, program: StoredProgram) -> Result<(), AppError> {
    let ctx = app.system(KIND);
    let program = std::sync::Arc::new(program);
    let Some(plan) = app.store.read(async |tx| read_plan(app, tx, &program, ctx.now).await).await? else { return Ok(()) };
    let until = plan.next.as_ref().map_or(plan.today, |next| next.as_of);
    let context = write_context(&ctx, "reviewSchedule");
    let written = app.store.write(&context, async |tx| {
        if plan.planned_until == Some(until) {
            return Ok(Change::unchanged(None));
        }
        // A review that was called by hand goes first, so that two do not cross. This one is asked for again.
        if plan.next.is_some() {
            tx.lock_reviews(program.id).await?;
            if tx.find_live_review_date(program.id).await?.is_some() {
                return Ok(Change::unchanged(None));
            }
        }
        // Another node was quicker: it is planned.
        if !tx.move_plan(program.id, plan.planned_until, until).await? {
            return Ok(Change::unchanged(None));
        }
        match &plan.next {
            Some(next) => begin(tx, next, "SCHEDULED").await.map(|change| change.map(Some)),
            None => Ok(Change::unchanged(None)),
        }
    });
    let begun: Option<super::StoredReview> = written.await?.value;
    if let Some(review) = begun {
        tracing::info!(program = %program.code, as_of = %review.as_of, "review begun");
    }
    Ok(())
}

/// What is due next; none before the first version, while a scheduled review is under way, and when everything is planned.
async fn read_plan(app: &App, tx: &ReadTx, program: &std::sync::Arc<StoredProgram>, now: DateTime<Utc>) -> Result<Option<Plan>, AppError> {
    let versions = tx.list_published_versions(program.id).await?;
    let utc = Date::from_naive(now.date_naive());
    let Some(latest) = versions.iter().rfind(|version| version.effective_on <= utc.next()) else { return Ok(None) };
    let today = civil_date(now, compiled_in(app, tx, latest).await?.time_zone);
    let planned_until = tx.find_planned_until(program.id).await?;
    if planned_until.is_some_and(|until| until >= today) || tx.has_scheduled_review(program.id).await? {
        return Ok(None);
    }
    // A program that was never planned begins today.
    let span = Span::new(planned_until.map_or(today, Date::next), today.next());
    let mut in_force = Vec::new();
    for (at, version) in versions.iter().enumerate() {
        let until = versions.get(at + 1).map_or(Date::MAX, |next| next.effective_on);
        let part = span.intersect(Span::new(version.effective_on, until));
        if !part.is_empty() {
            let compiled = compiled_in(app, tx, version).await?;
            in_force.push((part, InForce { program: program.clone(), version: version.clone(), compiled }));
        }
    }
    let next = next_due(tx, &in_force, span).await?;
    Ok(Some(Plan { planned_until, today, next }))
}

/// The first day of `span` that is due, by the versions in force on its parts, and whom it concerns.
async fn next_due(tx: &ReadTx, in_force: &[(Span, InForce)], span: Span) -> Result<Option<Prepared>, AppError> {
    let Some((_, any)) = in_force.first() else { return Ok(None) };
    let enrollments = in_force.iter().any(|(_, version)| has_days_of_enrollment(&version.compiled));
    let months = in_force.iter().map(|(_, version)| admission_months(&version.compiled)).max().unwrap_or(0);
    let dates = tx.own_dates_many(any.program.id, span, enrollments, months).await?;
    for (part, version) in in_force {
        let common = common_review_days(&version.compiled, *part);
        let own = own_days(version, &dates, *part);
        let first = common.first().copied().into_iter().chain(own.keys().next().copied()).min();
        let Some(as_of) = first else { continue };
        let slice = match own.get(&as_of).filter(|_| !common.contains(&as_of)) {
            Some(codes) => Slice::of_partners(codes.iter().cloned().collect()),
            None => Slice::all(),
        };
        let total = tx.count_to_review(&slice.walk(version.program.id, as_of)).await?;
        return Ok(Some(Prepared { version: version.clone(), as_of, slice, due: Due::ByCalendar, total }));
    }
    Ok(None)
}

/// Whom which day concerns for reasons of his own.
fn own_days(version: &InForce, dates: &BTreeMap<PartnerId, (String, OwnDates)>, span: Span) -> BTreeMap<Date, BTreeSet<String>> {
    let mut days: BTreeMap<Date, BTreeSet<String>> = BTreeMap::new();
    for (code, own) in dates.values() {
        for day in own_review_days(&version.compiled, own, span) {
            days.entry(day).or_default().insert(code.clone());
        }
    }
    days
}
