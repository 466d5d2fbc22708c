//! Programs and their versions: apply a document, publish it, read it back, and what is in force on a date.

mod dropped;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guerdon_domain::access::{Action, Condition, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::document::Document;
use guerdon_domain::document::benefit::BenefitKind;
use guerdon_domain::document::export::digest;
use guerdon_domain::document::notes::notes;
use guerdon_domain::document::read::{Format, read};
use guerdon_domain::document::validate::validate;
use guerdon_domain::event::{Event, ProgramPublished};
use guerdon_domain::fault::Fault;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::Numbered;
use guerdon_store::{AuditEntry, Change, NewDraft, PublishedProgram, ReadTx, StoreError};
pub use guerdon_store::{ProgramId, ProgramKey, StoredProgram, VersionHead, VersionId, VersionState};
use serde::{Deserialize, Serialize};

use super::idempotency::{Keyed, keyed_context};
use super::outbox::outgoing;
use super::periods::refuse_taken_names;
use super::{App, Ctx};
use crate::error::AppError;
pub use dropped::list_dropped;

/// A program version in force, compiled.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The program.
    pub program: Arc<StoredProgram>,
    /// The version.
    pub version: VersionHead,
    /// The version, compiled.
    pub compiled: Arc<Program>,
}

/// A document to apply.
#[derive(Debug, Clone)]
pub struct ApplyDocument {
    /// The document, in YAML or JSON.
    pub text: String,
    /// The `row_version` of the draft that the caller read; none to replace whatever draft there is.
    pub expected_version: Option<i64>,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// What applying a document did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApplyOutcome {
    /// A new draft.
    Created,
    /// The draft there was holds the new document.
    Updated,
    /// The document is the draft's, or a published version's, already.
    Unchanged,
}

/// A version after a document was applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// The program.
    pub program: StoredProgram,
    /// The draft; where nothing changed, the draft or published version that holds the document.
    pub version: VersionHead,
    /// What was done.
    pub outcome: ApplyOutcome,
}

/// A version to publish.
#[derive(Debug, Clone)]
pub struct PublishVersion {
    /// The draft.
    pub version: VersionId,
    /// Its `row_version` as the caller read it.
    pub expected_version: i64,
    /// The caller's idempotency key.
    pub keyed: Option<Keyed>,
}

/// The text of a document as it is stored, and its digest in hexadecimal, which is the one that `guerdon program validate` prints: two
/// documents that say the same have the same.
///
/// # Errors
/// `Internal` when the document cannot be written, which no document that was read does.
pub fn canonical(document: &Document) -> Result<(String, String), AppError> {
    let text = serde_json::to_string(document).map_err(AppError::internal)?;
    let digest = digest(document).map_err(|fault| AppError::internal(fault.to_string()))?;
    Ok((text, digest))
}

/// Reads a document and compiles it.
///
/// # Errors
/// `Invalid` with every fault of the syntax, the shape or the rules.
pub fn read_document(app: &App, text: &str) -> Result<Document, AppError> {
    let most = app.limits.document_bytes_max;
    if text.len() > most {
        return Err(AppError::invalid("TOO_LARGE", "document", format!("the document has {} bytes; at most {most} are read", text.len())));
    }
    let document = read(text, Format::of(text))?;
    Program::compile(document.clone())?;
    Ok(document)
}

/// The program, if there is one.
///
/// # Errors
/// `Forbidden`.
pub async fn find_program(app: &App, ctx: &Ctx, key: &ProgramKey) -> Result<Option<StoredProgram>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    app.store
        .read(async |tx| match key {
            ProgramKey::Id(id) => tx.find_program_by_id(*id).await,
            ProgramKey::Code(code) => tx.find_program(code).await,
        })
        .await
        .map_err(AppError::from)
}

/// All programs, by code.
///
/// # Errors
/// `Forbidden`.
pub async fn list_programs(app: &App, ctx: &Ctx) -> Result<Vec<StoredProgram>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    Ok(app.store.read(async |tx| tx.list_programs().await).await?)
}

/// Programs by id.
///
/// # Errors
/// `Forbidden`.
pub async fn programs_many(app: &App, ctx: &Ctx, ids: &[ProgramId]) -> Result<BTreeMap<ProgramId, StoredProgram>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    Ok(app.store.read(async |tx| tx.programs_many(ids).await).await?)
}

/// Versions by id. Drafts only for those who may read drafts.
///
/// # Errors
/// `Forbidden`.
pub async fn versions_many(app: &App, ctx: &Ctx, ids: &[VersionId]) -> Result<BTreeMap<VersionId, VersionHead>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let found = app.store.read(async |tx| tx.versions_many(ids).await).await?;
    Ok(found.into_iter().filter(|(_, version)| may_see(ctx, version)).collect())
}

/// The versions of a program, newest number first. Drafts only for those who may read drafts.
///
/// # Errors
/// `Forbidden`.
pub async fn list_versions(app: &App, ctx: &Ctx, program: ProgramId) -> Result<Vec<VersionHead>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let versions = app.store.read(async |tx| tx.list_versions(program).await).await?;
    Ok(versions.into_iter().filter(|version| may_see(ctx, version)).collect())
}

pub(super) fn may_see(ctx: &Ctx, version: &VersionHead) -> bool {
    version.state == VersionState::Published || ctx.may((Action::Read, Resource::ProgramDraft))
}

/// The canonical document of a version, as JSON.
///
/// # Errors
/// `Forbidden`; `NotFound`, also for a draft that the caller may not see.
pub async fn get_document(app: &App, ctx: &Ctx, version: VersionId) -> Result<String, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let (head, text) = app.store.read(async |tx| Ok::<_, StoreError>((tx.find_version(version).await?, tx.find_document(version).await?))).await?;
    head.filter(|head| may_see(ctx, head)).and(text).ok_or(AppError::NotFound)
}

/// A version, compiled. Compiled versions are kept for ever: a published one never changes, and a draft gets a new key with
/// every change.
///
/// # Errors
/// `Forbidden`; `NotFound`.
pub async fn get_compiled(app: &App, ctx: &Ctx, version: VersionId) -> Result<Arc<Program>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let head = app.store.read(async |tx| tx.find_version(version).await).await?;
    let head = head.filter(|head| may_see(ctx, head)).ok_or(AppError::NotFound)?;
    app.store.read(async |tx| compiled_in(app, tx, &head).await).await
}

/// What may surprise in a version's document, in publishing it, and in what it leaves of the version before: it is not refused for it.
///
/// # Errors
/// `Forbidden`; `NotFound`.
pub async fn list_notes(app: &App, ctx: &Ctx, version: VersionId) -> Result<Vec<Fault>, AppError> {
    let compiled = get_compiled(app, ctx, version).await?;
    let mut found = notes(&compiled.document);
    found.extend(list_dropped(app, ctx, &compiled).await?);
    Ok(found)
}

/// The version compiled, from memory or from its document.
pub(super) async fn compiled_in(app: &App, tx: &ReadTx, version: &VersionHead) -> Result<Arc<Program>, AppError> {
    let published = version.state == VersionState::Published;
    if let Some(kept) = app.programs.find(&version.id).filter(|_| published) {
        return Ok(kept);
    }
    let text = tx.find_document(version.id).await?.ok_or(AppError::NotFound)?;
    let document = read(&text, Format::Json).map_err(AppError::internal)?;
    if !published {
        return Ok(Arc::new(Program::compile(document)?));
    }
    warn_of_later_checks(version, &document);
    Ok(app.programs.keep(version.id, Program::compile_published(document).map_err(AppError::internal)?))
}

/// A version goes on as it was published, also where a check that came later would refuse it: said once, when it is read.
fn warn_of_later_checks(version: &VersionHead, document: &Document) {
    let faults = validate(document);
    if let Some(first) = faults.0.first() {
        let (program, number) = (&document.program.code, version.number);
        tracing::warn!(%program, number, faults = faults.0.len(), %first, "a published version would not be published today: it goes on as it is");
    }
}

/// The same as one that goes on with the versions before it, among `versions` by their first days: with their cumulative schedules, and
/// with what their last periods hand on. Which these are depends on what else was published, and so is kept beside the version alone.
async fn continuing_in(app: &App, tx: &ReadTx, versions: &[VersionHead], version: &VersionHead) -> Result<Arc<Program>, AppError> {
    let upto = versions.partition_point(|one| one.effective_on <= version.effective_on);
    let ids: Vec<VersionId> = versions.iter().take(upto).map(|one| one.id).collect();
    if let Some(kept) = app.continued_programs.find(&ids) {
        return Ok(kept);
    }
    let mut earlier: Vec<Numbered> = Vec::with_capacity(upto);
    for (at, one) in versions.iter().take(upto).enumerate() {
        let plain = compiled_in(app, tx, one).await?;
        let continued = continued(plain, &earlier);
        let key = ids.iter().take(at + 1).copied().collect();
        earlier.push(Numbered { number: one.number, program: app.continued_programs.keep(key, continued) });
    }
    earlier.pop().map(|last| last.program).ok_or(AppError::NotFound)
}

/// A version behind those before it; as it is where it goes on with none of them.
fn continued(plain: Arc<Program>, earlier: &[Numbered]) -> Arc<Program> {
    let begun = plain.continued(earlier.iter().rev().map(|version| version.program.as_ref()));
    let continued = plain.continuing(begun, earlier.last());
    let alone = continued.begun().is_empty() && continued.handover().is_none() && continued.levelling_since() == plain.levelling_since();
    if alone { plain } else { Arc::new(continued) }
}

/// The program that is asked for; without a key the only one there is.
///
/// # Errors
/// `NotFound`; `Invalid` with `PROGRAM_REQUIRED` when there are several and none is named.
pub(super) async fn program_in(tx: &ReadTx, key: Option<&ProgramKey>) -> Result<StoredProgram, AppError> {
    Ok(published_in(tx, key).await?.program.clone())
}

/// The same, with its published versions.
async fn published_in(tx: &ReadTx, key: Option<&ProgramKey>) -> Result<Arc<PublishedProgram>, AppError> {
    let mut all = tx.list_published(key).await?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(AppError::invalid("PROGRAM_REQUIRED", "program", "there are several programs: name one by its code")),
        (None, _) => Err(AppError::NotFound),
    }
}

/// A published version of a program, compiled, going on with those before it. One statement, and one more for each version that is compiled
/// for the first time.
///
/// # Errors
/// `NotFound`.
pub(super) async fn published_version(app: &App, tx: &ReadTx, program: ProgramId, version: VersionId) -> Result<InForce, AppError> {
    let published = published_in(tx, Some(&ProgramKey::Id(program))).await?;
    let version = published.versions.iter().find(|one| one.id == version).ok_or(AppError::NotFound)?;
    let compiled = continuing_in(app, tx, &published.versions, version).await?;
    Ok(InForce { program: published.program.clone().into(), version: version.clone(), compiled })
}

/// The versions in force on several dates of one program, each compiled; dates before the first version are left out. One
/// statement, and one more for each version that is compiled for the first time.
///
/// # Errors
/// `NotFound`; `Invalid`, see `program_in`.
pub(super) async fn in_force_many(app: &App, tx: &ReadTx, key: Option<&ProgramKey>, dates: &BTreeSet<Date>) -> Result<BTreeMap<Date, InForce>, AppError> {
    let published = published_in(tx, key).await?;
    governing(app, tx, published.program.clone(), &published.versions, dates).await
}

/// The published versions of a program by their first days, each compiled, also those that take effect later. One statement, and one more
/// for each version that is compiled for the first time.
///
/// # Errors
/// `NotFound`; `Invalid`, see `program_in`.
pub(super) async fn all_published(app: &App, tx: &ReadTx, key: Option<&ProgramKey>) -> Result<Vec<InForce>, AppError> {
    let published = published_in(tx, key).await?;
    let days: BTreeSet<Date> = published.versions.iter().map(|version| version.effective_on).collect();
    Ok(governing(app, tx, published.program.clone(), &published.versions, &days).await?.into_values().collect())
}

/// The versions in force on dates as far as they were published by change number `records` of everything on record: what a run knew.
pub(super) async fn in_force_by(app: &App, tx: &ReadTx, program: ProgramId, dates: &BTreeSet<Date>, records: i64) -> Result<BTreeMap<Date, InForce>, AppError> {
    let program = program_in(tx, Some(&ProgramKey::Id(program))).await?;
    let versions = tx.list_versions_published_by(program.id, records).await?;
    governing(app, tx, program, &versions, dates).await
}

async fn governing(
    app: &App,
    tx: &ReadTx,
    program: StoredProgram,
    versions: &[VersionHead],
    dates: &BTreeSet<Date>,
) -> Result<BTreeMap<Date, InForce>, AppError> {
    let program = Arc::new(program);
    let mut found = BTreeMap::new();
    for date in dates {
        if let Some(version) = versions.iter().rfind(|version| version.effective_on <= *date) {
            let compiled = continuing_in(app, tx, versions, version).await?;
            found.insert(*date, InForce { program: program.clone(), version: version.clone(), compiled });
        }
    }
    Ok(found)
}

/// The version in force on a date, compiled.
///
/// # Errors
/// `Forbidden`; `NotFound`, also when no version was in force then; `Invalid`, see `program_in`.
pub async fn get_in_force(app: &App, ctx: &Ctx, key: Option<&ProgramKey>, date: Date) -> Result<InForce, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let mut found = app.store.read(async |tx| in_force_many(app, tx, key, &BTreeSet::from([date])).await).await?;
    found.remove(&date).ok_or(AppError::NotFound)
}

/// The regions, and all that lie under them in the version of any program in force today.
///
/// # Errors
/// `Forbidden`.
pub async fn regions_under(app: &App, ctx: &Ctx, keys: &[String]) -> Result<Vec<String>, AppError> {
    ctx.require((Action::Read, Resource::Program))?;
    let mut found: BTreeSet<String> = keys.iter().cloned().collect();
    app.store
        .read(async |tx| {
            for program in tx.list_programs().await? {
                let Some(version) = tx.find_version_in_force(program.id, ctx.today).await? else { continue };
                let compiled = compiled_in(app, tx, &version).await?;
                found.extend(keys.iter().flat_map(|key| compiled.geography.regions.subtree(key)));
            }
            Ok::<_, AppError>(())
        })
        .await?;
    Ok(found.into_iter().collect())
}

/// Today in the program's time zone.
///
/// # Errors
/// As [`get_in_force`].
pub async fn get_today(app: &App, ctx: &Ctx, key: Option<&ProgramKey>) -> Result<Date, AppError> {
    let in_force = get_in_force(app, ctx, key, ctx.today.next()).await?;
    Ok(today_in(ctx, &in_force.compiled))
}

/// The civil date of the request in the program's time zone (semantics 1).
pub fn today_in(ctx: &Ctx, program: &Program) -> Date {
    Date::from_naive(ctx.now.with_timezone(&program.time_zone).date_naive())
}

/// Applies a document: makes its program if it is new, and holds the document as the program's draft. The same document again
/// changes nothing.
///
/// # Errors
/// `Forbidden`; `Invalid` with every fault of the document; `Stale`; those of idempotency keys.
pub async fn apply_document(app: &App, ctx: &Ctx, input: &ApplyDocument) -> Result<Applied, AppError> {
    ctx.require((Action::Write, Resource::ProgramDraft))?;
    let document = read_document(app, &input.text)?;
    let (text, digest) = canonical(&document)?;
    let context = keyed_context(app, ctx, "programApply", input.keyed.as_ref())?;
    let header = &document.version;
    let draft = || NewDraft {
        label: header.label.clone(),
        document: text.clone(),
        digest: digest.clone(),
        announced_on: header.announced_on,
        effective_on: header.effective_on,
        enforced_on: header.enforced_on,
    };
    let written = app
        .store
        .write(&context, async |tx| {
            let found = tx.find_program(&document.program.code).await?;
            let versions = match &found {
                Some(program) => tx.list_versions(program.id).await?,
                None => Vec::new(),
            };
            let held = versions.iter().find(|version| version.state == VersionState::Draft);
            if let (Some(program), Some(same)) = (&found, versions.iter().find(|version| version.digest == digest)) {
                let same = Applied { program: program.clone(), version: same.clone(), outcome: ApplyOutcome::Unchanged };
                return Ok(Change::unchanged(same));
            }
            let program = match found {
                Some(program) => program,
                None => tx.create_program(&document.program.code, &document.program.name).await?,
            };
            let (version, outcome) = match held {
                Some(held) => {
                    let expected = input.expected_version.unwrap_or(held.row_version);
                    (tx.update_draft(held.id, expected, draft()).await?, ApplyOutcome::Updated)
                }
                None if input.expected_version.is_some() => return Err(AppError::Stale),
                None => (tx.insert_draft(program.id, draft()).await?, ApplyOutcome::Created),
            };
            let audit =
                AuditEntry::of("ProgramVersion", version.id).after(serde_json::json!({ "program": program.code, "number": version.number, "digest": digest }));
            let audit = match held {
                Some(held) => audit.before(serde_json::json!({ "digest": held.digest })),
                None => audit,
            };
            Ok(Change::new(Applied { program, version, outcome }, audit))
        })
        .await?;
    Ok(written.value)
}

/// Whether a document could be applied and published, with nothing stored: refused as [`apply_document`] and [`publish_version`] would.
///
/// # Errors
/// `Forbidden`; `Invalid` with every fault of the document; `Conflict` with `EFFECTIVE_DATE_TAKEN`, `PERIOD_NAME_TAKEN`.
pub async fn check_publishing(app: &App, ctx: &Ctx, text: &str) -> Result<(), AppError> {
    ctx.require((Action::Write, Resource::ProgramDraft))?;
    ctx.require_under((Action::Publish, Resource::Program), &[Condition::MovesNoMoney])?;
    let any_change = ctx.may((Action::Publish, Resource::Program));
    let document = read_document(app, text)?;
    let (_, digest) = canonical(&document)?;
    app.store
        .read(async |tx| {
            let Some(program) = tx.find_program(&document.program.code).await? else { return Ok(()) };
            let published = tx.list_published_versions(program.id).await?;
            // What is published already is published no second time.
            if published.iter().any(|version| version.digest == digest) {
                return Ok(());
            }
            let effective_on = document.version.effective_on;
            if !any_change {
                refuse_moving_money(tx, program.id, effective_on, &document).await?;
            }
            if published.iter().any(|version| version.effective_on == effective_on) {
                return Err(effective_date_is_taken());
            }
            refuse_taken_names(app, tx, program.id, &Program::compile(document.clone())?).await
        })
        .await
}

/// Publishes a draft, for ever. Whoever approves finance may; a designer may if the change moves no money.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` with every fault of the document; `Stale` when it is no draft any more or was changed;
/// `Conflict` with `EFFECTIVE_DATE_TAKEN`, `PERIOD_NAME_TAKEN`; those of idempotency keys.
pub async fn publish_version(app: &App, ctx: &Ctx, input: &PublishVersion) -> Result<Applied, AppError> {
    ctx.require_under((Action::Publish, Resource::Program), &[Condition::MovesNoMoney])?;
    let any_change = ctx.may((Action::Publish, Resource::Program));
    let context = keyed_context(app, ctx, "programPublish", input.keyed.as_ref())?;
    let written = app
        .store
        .write(&context, async |tx| {
            let head = tx.find_version(input.version).await?.ok_or(AppError::NotFound)?;
            if head.state == VersionState::Published {
                let message = "the version is published already, and what is published never changes: apply a document for a new one";
                return Err(AppError::conflict("ALREADY_PUBLISHED", "versionId", message));
            }
            let program = tx.find_program_by_id(head.program_id).await?.ok_or(AppError::NotFound)?;
            let text = tx.find_document(head.id).await?.ok_or(AppError::NotFound)?;
            let document = read(&text, Format::Json)?;
            let compiled = Program::compile(document.clone())?;
            refuse_taken_names(app, tx, head.program_id, &compiled).await?;
            if !any_change {
                refuse_moving_money(tx, head.program_id, head.effective_on, &document).await?;
            }
            let version = tx.publish_version(head.id, input.expected_version).await.map_err(effective_date_taken)?;
            if program.name != document.program.name {
                tx.rename_program(program.id, &document.program.name).await?;
            }
            let event = Event::ProgramPublished(ProgramPublished {
                program: program.code.clone(),
                version: version.number,
                label: version.label.clone(),
                effective_on: version.effective_on,
                digest: version.digest.clone(),
            });
            let audit = AuditEntry::of("ProgramVersion", version.id)
                .before(serde_json::json!({ "state": head.state }))
                .after(serde_json::json!({ "state": version.state, "digest": version.digest, "effectiveOn": version.effective_on }));
            let change = Change::new(Applied { program, version, outcome: ApplyOutcome::Updated }, audit);
            Ok::<_, AppError>(change.event(outgoing(&event, "Program", None)))
        })
        .await?;
    Ok(written.value)
}

fn effective_date_taken(error: StoreError) -> AppError {
    match error {
        StoreError::Conflict { constraint } if constraint == "program_version_effective_key" => effective_date_is_taken(),
        other => other.into(),
    }
}

fn effective_date_is_taken() -> AppError {
    let message = "another published version of this program takes effect on the same day: choose another `version.effectiveOn`";
    AppError::conflict("EFFECTIVE_DATE_TAKEN", "version", message)
}

async fn refuse_moving_money(tx: &ReadTx, program: ProgramId, effective_on: Date, document: &Document) -> Result<(), AppError> {
    let versions = tx.list_published_versions(program).await?;
    let before = match versions.iter().rfind(|version| version.effective_on <= effective_on) {
        Some(version) => tx.find_document(version.id).await?.map(|text| read(&text, Format::Json)).transpose()?,
        None => None,
    };
    if moves_money(before.as_ref(), document) { Err(AppError::Forbidden) } else { Ok(()) }
}

/// Whether publishing `after` in place of `before` may move money: one of them has rebates, MDF rules, contract templates, or
/// benefits that are money, rates or priced; and something besides names, tests, notes and dates of announcement is different.
fn moves_money(before: Option<&Document>, after: &Document) -> bool {
    let pays = |document: &Document| {
        let priced = |benefit: &guerdon_domain::document::benefit::Benefit| {
            matches!(benefit.kind, BenefitKind::Money | BenefitKind::Rate) || benefit.overage_price.is_some()
        };
        !(document.rebate_schedules.is_empty() && document.mdf_rules.is_empty() && document.contract_templates.is_empty())
            || document.benefits.iter().any(priced)
    };
    let bare = |document: &Document| {
        let mut bare = document.clone();
        bare.scenarios.clear();
        bare.assumptions.clear();
        bare.version.label = None;
        bare.version.announced_on = None;
        bare.version.effective_on = after.version.effective_on;
        bare
    };
    (before.is_some_and(pays) || pays(after)) && before.map(bare) != Some(bare(after))
}
