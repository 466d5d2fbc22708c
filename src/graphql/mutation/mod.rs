//! What can be changed. Every mutation takes one `input` and answers its own payload: what came of it, or in `userErrors` what the
//! caller has to mend. A resolver is parse, call, wrap.

pub mod facts;
pub mod levelling;
pub mod partners;
pub mod programs;
pub mod user_errors;

use async_graphql::{InputType, MergedObject};

use crate::app::idempotency::Keyed;

/// What can be changed.
#[derive(Default, MergedObject)]
pub struct Mutation(programs::ProgramMutations, partners::PartnerMutations, facts::FactMutations, levelling::LevellingMutations);

/// The caller's key, with the input as he gave it.
fn keyed(key: &str, input: &impl InputType) -> Option<Keyed> {
    Some(Keyed { key: key.to_owned(), input: input.to_value().into_json().unwrap_or_default() })
}
