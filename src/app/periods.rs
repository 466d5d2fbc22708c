//! Rebate periods and the versions that govern them: a period is settled by the version in force on its first day (semantics 5), whatever
//! later versions have for periods.

use guerdon_domain::date::{Date, Span};
use guerdon_domain::period::Period;
use guerdon_domain::program::Program;
use guerdon_store::ReadTx;

use super::plan::dated;
use super::programs::{InForce, ProgramId, ProgramKey, VersionHead, all_published, compiled_in};
use super::{App, Ctx};
use crate::error::AppError;

/// The days on which versions, listed by their first days, are in force.
fn days_in_force(versions: &[VersionHead]) -> Vec<Span> {
    let ends = versions.iter().skip(1).map(|version| version.effective_on).chain([Date::MAX]);
    versions.iter().zip(ends).map(|(version, until)| Span::new(version.effective_on, until)).collect()
}

/// Every published version with the days on which it is in force, the latest first.
async fn in_their_time(app: &App, tx: &ReadTx, key: Option<&ProgramKey>) -> Result<Vec<(Span, InForce)>, AppError> {
    let versions = all_published(app, tx, key).await?;
    let heads: Vec<VersionHead> = versions.iter().map(|version| version.version.clone()).collect();
    Ok(days_in_force(&heads).into_iter().zip(versions).rev().collect())
}

/// The rebate period of that name with the version that governs it: the one that was in force on its first day, whose schedules have
/// it. Versions of other days may have no such period.
///
/// # Errors
/// `NotFound`; `Invalid` when there are several programs and none is named.
pub(super) async fn period_governed(app: &App, tx: &ReadTx, key: Option<&ProgramKey>, name: &str) -> Result<Option<(Period, InForce)>, AppError> {
    let versions = in_their_time(app, tx, key).await?;
    Ok(versions.into_iter().find_map(|(days, version)| Some((version.compiled.period_begun_in(days, name)?, version))))
}

/// The rebate periods that hold a date, each with the version that governs it, those of the latest version first.
///
/// # Errors
/// As [`period_governed`].
pub(super) async fn periods_governed_on(app: &App, tx: &ReadTx, key: Option<&ProgramKey>, date: Date) -> Result<Vec<(Period, InForce)>, AppError> {
    let mut found: Vec<(Period, InForce)> = Vec::new();
    for (days, version) in in_their_time(app, tx, key).await? {
        for period in version.compiled.periods_holding(date) {
            if days.contains(period.span.from) && !found.iter().any(|(known, _)| known.name == period.name) {
                found.push((period, version.clone()));
            }
        }
    }
    Ok(found)
}

/// The period of that name, by the version that governs it.
///
/// # Errors
/// `NotFound` before the first version; `Invalid` with `UNKNOWN_PERIOD`, which says how periods are spelled in this program.
pub(super) async fn governed(app: &App, ctx: &Ctx, tx: &ReadTx, program: &ProgramKey, name: &str) -> Result<(Period, InForce), AppError> {
    if let Some(found) = period_governed(app, tx, Some(program), name).await? {
        return Ok(found);
    }
    let (today, present) = dated(app, ctx, tx, Some(program), None).await?.ok_or(AppError::NotFound)?;
    Err(AppError::invalid("UNKNOWN_PERIOD", "period", no_such_period(app, tx, &present, today).await?))
}

/// That no schedule has a period, with those that hold a date as they are spelled in this program.
pub(super) async fn no_such_period(app: &App, tx: &ReadTx, present: &InForce, date: Date) -> Result<String, AppError> {
    let periods = periods_governed_on(app, tx, Some(&ProgramKey::Id(present.program.id)), date).await?;
    Ok(present.compiled.no_such_period_among(periods.into_iter().map(|(period, _)| period).collect()))
}

/// A run settles one period by its name, so that one name means the same days in all versions, each asked about the periods that it
/// governs once the new one is published.
pub(super) async fn refuse_taken_names(app: &App, tx: &ReadTx, program: ProgramId, new: &Program) -> Result<(), AppError> {
    let published = tx.list_published_versions(program).await?;
    let until = published.iter().map(|version| version.effective_on).find(|day| *day > new.effective_on()).unwrap_or(Date::MAX);
    let own = Span::new(new.effective_on(), until);
    for (version, days) in published.iter().zip(days_in_force(&published)) {
        let days = if days.from < own.from { days.intersect(Span::new(Date::MIN, own.from)) } else { days };
        if let Some((period, theirs)) = new.calls_otherwise(own, compiled_in(app, tx, version).await?.as_ref(), days) {
            let message = format!(
                "the period {} is {} here, and {} in version {}, and a run settles one period by its name: give the periods around the change names of their own, as custom periods",
                period.name, period.span, theirs.span, version.number
            );
            return Err(AppError::conflict("PERIOD_NAME_TAKEN", "version", message));
        }
    }
    Ok(())
}
