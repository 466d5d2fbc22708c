//! What can be changed. Every mutation takes one `input` and answers its own payload: what came of it, or in `userErrors` what the
//! caller has to mend. A resolver is parse, call, wrap.

pub mod admissions;
pub mod disputes;
pub mod facts;
pub mod levelling;
pub mod overrides;
pub mod partners;
pub mod programs;
pub mod reviews;
pub mod runs;
pub mod user_errors;

use async_graphql::{Context, InputType, MergedObject};

use crate::app::idempotency::Keyed;
use crate::graphql::error::Answer;
use crate::graphql::loaders::RequestLoaders;

/// What can be changed.
#[derive(Default, MergedObject)]
pub struct Mutation(
    programs::ProgramMutations,
    partners::PartnerMutations,
    facts::FactMutations,
    levelling::LevellingMutations,
    overrides::OverrideMutations,
    admissions::AdmissionMutations,
    runs::RunMutations,
    reviews::ReviewMutations,
    disputes::DisputeMutations,
);

/// Begins a mutation: what was read before it is read again after it. Answers the caller's key, with the input as he gave it.
fn begin(ctx: &Context<'_>, key: &str, input: &impl InputType) -> Answer<Option<Keyed>> {
    ctx.loaders()?.keep_nothing();
    Ok(Some(Keyed { key: key.to_owned(), input: input.to_value().into_json().unwrap_or_default() }))
}
