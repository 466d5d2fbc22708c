//! What publishing a version would take away without a word: tiers that partners hold and that it does not have, and what the version
//! before carries on and none of its schedules takes.

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::document::notes::{HeldTier, dropped_tiers};
use guerdon_domain::fault::Fault;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::carries_that_end;
use guerdon_store::ReadTx;

use super::{App, Ctx, compiled_in, continuing_in, today_in};
use crate::error::AppError;

/// The tiers and ladders that a version drops although partners in scope hold them today, each as a note with how many they are, and what schedules of
/// the version before carry on and none of this one takes over.
///
/// # Errors
/// `Forbidden`.
pub async fn list_dropped(app: &App, ctx: &Ctx, compiled: &Program) -> Result<Vec<Fault>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Tier))?;
    app.store.read(async |tx| dropped_in(app, ctx, tx, &scope, compiled).await).await
}

async fn dropped_in(app: &App, ctx: &Ctx, tx: &ReadTx, scope: &Scope, compiled: &Program) -> Result<Vec<Fault>, AppError> {
    let document = &compiled.document;
    let Some(program) = tx.find_program(&document.program.code).await? else { return Ok(Vec::new()) };
    let published = tx.list_published_versions(program.id).await?;
    let effective_on = document.version.effective_on;
    let Some(before) = published.iter().rfind(|version| version.effective_on < effective_on) else { return Ok(Vec::new()) };
    let continuing = continuing_in(app, tx, &published, before).await?;
    let carries = carries_that_end(compiled, &continuing, &format!("version {}", before.number));
    let before = compiled_in(app, tx, before).await?;
    let today = today_in(ctx, &before);
    // One that never comes into force takes no tier away, since a later version has.
    if published.iter().any(|version| version.effective_on > effective_on && version.effective_on <= today) {
        return Ok(carries);
    }
    let held = tx.count_held_tiers(scope, program.id, today).await?;
    let held: Vec<HeldTier> = held.into_iter().map(|(ladder, tier, partners)| HeldTier { ladder, tier, partners }).collect();
    Ok(dropped_tiers(&before.document, document, &held).into_iter().chain(carries).collect())
}
