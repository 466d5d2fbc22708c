//! Programs: apply a document, publish a version.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::begin;
use super::user_errors::{ProgramApplyUserError, ProgramPublishUserError, of_mutation};
use crate::app::programs::{self, ApplyDocument, PublishVersion};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::payload::settle;
use crate::graphql::types::program::ProgramVersion;

/// A program document to hold as the program's draft.
#[derive(Debug, Clone, InputObject)]
pub struct ProgramApplyInput {
    /// The document, as JSON or YAML. It names its program by code; a program that is new is made.
    pub document: String,
    /// The `version` of the draft that you read; leave it out to replace whatever draft there is. STALE when it was changed since.
    pub expected_version: Option<i64>,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What applying a document did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::programs::ApplyOutcome")]
pub enum ProgramApplyOutcome {
    /// A new draft.
    Created,
    /// The draft there was holds the new document.
    Updated,
    /// The document is the draft's, or a published version's, already.
    Unchanged,
}

/// Something that a document may say, and that may surprise: also that it drops a tier which partners hold.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProgramNote {
    /// Stable, in capitals: `ORDER_MATTERS`, `LARGE_FACTOR`, `HELD_TIER_DROPPED`, `CARRY_ENDS`, `WARNS_AT_ONCE`, `DEADLINE_FIRST`. Expect codes that you do not know.
    pub code: String,
    /// Where in the document.
    pub path: String,
    /// What may surprise, and what to write where it was not meant.
    pub message: String,
}

/// What may surprise in a version's document.
async fn notes_of(ctx: &Context<'_>, version: Option<programs::VersionId>) -> Answer<Option<Vec<ProgramNote>>> {
    let Some(version) = version else { return Ok(None) };
    let notes = programs::list_notes(ctx.app()?, ctx.caller()?, version).await?;
    Ok(Some(notes.into_iter().map(|note| ProgramNote { code: note.code, path: note.path, message: note.message }).collect()))
}

/// What came of applying a document.
#[derive(SimpleObject)]
pub struct ProgramApplyPayload {
    /// The draft; where nothing changed, the draft or published version that holds the document.
    pub version: Option<ProgramVersion>,
    /// What was done.
    pub outcome: Option<ProgramApplyOutcome>,
    /// What may surprise in the document; it is not refused for it.
    pub notes: Option<Vec<ProgramNote>>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<ProgramApplyUserError>,
}

/// A draft to publish.
#[derive(Debug, Clone, InputObject)]
pub struct ProgramPublishInput {
    /// The draft's id.
    pub version_id: ID,
    /// The draft's `version` as you read it. STALE when it was changed since.
    pub expected_version: i64,
    /// A new key for every new request: the same key and input answer the same again and change nothing.
    pub idempotency_key: String,
}

/// What came of publishing a version.
#[derive(SimpleObject)]
pub struct ProgramPublishPayload {
    /// The published version.
    pub version: Option<ProgramVersion>,
    /// What may surprise in its document; it is not refused for it.
    pub notes: Option<Vec<ProgramNote>>,
    /// What you have to mend; nothing was written then.
    pub user_errors: Vec<ProgramPublishUserError>,
}

/// Mutations of programs.
#[derive(Default)]
pub struct ProgramMutations;

#[Object]
impl ProgramMutations {
    /// Holds a document as its program's draft. Every fault of the document is reported at once. The document of a draft or
    /// published version, applied again, changes nothing.
    async fn program_apply(&self, ctx: &Context<'_>, #[graphql(desc = "What to apply.")] input: ProgramApplyInput) -> Answer<ProgramApplyPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let document = ApplyDocument { text: input.document, expected_version: input.expected_version, keyed };
        let (applied, errors) = settle(programs::apply_document(ctx.app()?, ctx.caller()?, &document).await)?;
        let outcome = applied.as_ref().map(|applied| applied.outcome.into());
        let notes = notes_of(ctx, applied.as_ref().map(|applied| applied.version.id)).await?;
        Ok(ProgramApplyPayload { version: applied.map(|applied| ProgramVersion(applied.version)), outcome, notes, user_errors: of_mutation(errors) })
    }

    /// Publishes a draft, for ever: a published version never changes. Whatever is ambiguous or broken is refused, all at once.
    async fn program_publish(&self, ctx: &Context<'_>, #[graphql(desc = "What to publish.")] input: ProgramPublishInput) -> Answer<ProgramPublishPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let published = match decode_as(NodeKind::ProgramVersion, &input.version_id) {
            Some(version) => {
                let version = PublishVersion { version, expected_version: input.expected_version, keyed };
                programs::publish_version(ctx.app()?, ctx.caller()?, &version).await
            }
            None => Err(AppError::NotFound),
        };
        let (applied, errors) = settle(published)?;
        let notes = notes_of(ctx, applied.as_ref().map(|applied| applied.version.id)).await?;
        Ok(ProgramPublishPayload { version: applied.map(|applied| ProgramVersion(applied.version)), notes, user_errors: of_mutation(errors) })
    }
}
