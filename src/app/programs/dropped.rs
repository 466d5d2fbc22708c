//! What publishing a version would take away without a word: tiers that partners hold and that it does not have, and what the version
//! before carries on and none of its schedules takes.

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_domain::document::Document;
use guerdon_domain::document::notes::{HeldTier, dropped_tiers};
use guerdon_domain::fault::Fault;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{Numbered, carries_that_end};
use guerdon_store::ReadTx;

use super::{App, Ctx, VersionId, compiled_in, continuing_in, today_in};
use crate::error::AppError;

/// The tiers and ladders that a document drops although partners in scope hold them today, each as a note with how many they are. None where
/// the document never comes into force, since a later version has.
///
/// # Errors
/// `Forbidden`.
pub async fn list_dropped_tiers(app: &App, ctx: &Ctx, document: &Document) -> Result<Vec<Fault>, AppError> {
    let scope = ctx.require((Action::Read, Resource::Tier))?;
    app.store.read(async |tx| dropped_in(app, ctx, tx, &scope, document).await).await
}

async fn dropped_in(app: &App, ctx: &Ctx, tx: &ReadTx, scope: &Scope, document: &Document) -> Result<Vec<Fault>, AppError> {
    let Some(program) = tx.find_program(&document.program.code).await? else { return Ok(Vec::new()) };
    let published = tx.list_published_versions(program.id).await?;
    let effective_on = document.version.effective_on;
    let Some(before) = published.iter().rfind(|version| version.effective_on < effective_on) else { return Ok(Vec::new()) };
    let before = compiled_in(app, tx, before).await?;
    let today = today_in(ctx, &before);
    if published.iter().any(|version| version.effective_on > effective_on && version.effective_on <= today) {
        return Ok(Vec::new());
    }
    let held = tx.count_held_tiers(scope, program.id, today).await?;
    let held: Vec<HeldTier> = held.into_iter().map(|(ladder, tier, partners)| HeldTier { ladder, tier, partners }).collect();
    Ok(dropped_tiers(&before.document, document, &held))
}

/// What schedules of the version before carry on, and no schedule of this one takes over.
pub(super) async fn list_carries_that_end(app: &App, tx: &ReadTx, version: VersionId, compiled: &Program) -> Result<Vec<Fault>, AppError> {
    let Some(head) = tx.find_version(version).await? else { return Ok(Vec::new()) };
    let versions = tx.list_published_versions(head.program_id).await?;
    let Some(before) = versions.iter().rfind(|before| before.effective_on < head.effective_on) else { return Ok(Vec::new()) };
    let program = continuing_in(app, tx, &versions, before).await?;
    Ok(carries_that_end(compiled, &Numbered { number: before.number, program }))
}
