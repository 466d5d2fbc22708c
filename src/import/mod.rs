//! Reading files of facts: CSV and JSON Lines in, rows of the domain out, by the rules of a small mapping document.
//!
//! This room reads and maps and does nothing else; who may import and how rows are kept is `app::imports`' business. A file
//! is read line by line in flat memory. Every line is judged whole: all that is wrong with it is told at once, with its line
//! number and column.

pub mod cell;
pub mod kind;
pub mod mapping;
mod plan;
pub mod record;
pub mod rejects;
pub mod rows;
pub mod schema;

/// A file's record may be at most this long: a quote that is never closed must not swallow the rest of the file.
pub const MAX_RECORD_BYTES: u64 = 1 << 20;
/// Identifiers and keys: longer ones are a mistake in the mapping, and no index carries them.
pub const MAX_KEY_CHARS: usize = 200;
/// Names and attributes.
pub const MAX_TEXT_CHARS: usize = 2_000;
/// Columns of a file.
pub const MAX_COLUMNS: usize = 1_000;
