//! Files for other systems and for people: made piece by piece, so that their size does not matter, with stable columns.

pub mod csv;
mod html;
mod partner_report;
mod program_report;
mod runs;
mod standings;
mod statement_page;

use futures_util::stream::{BoxStream, StreamExt as _};

pub use html::STYLE;
pub use partner_report::export_partner_report;
pub use program_report::export_program_report;
pub use runs::{JOURNAL_COLUMNS, LINE_COLUMNS, RunRows, STATEMENT_COLUMNS, export_run};
pub use standings::{COLUMNS as STANDING_COLUMNS, export_standings};
pub use statement_page::export_statement;

use guerdon_domain::levelling::KeptStanding;
use guerdon_domain::program::Program;
use guerdon_store::ListedStanding;
use serde_json::Value;

use crate::error::AppError;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// Comma-separated values, RFC 4180, UTF-8.
    Csv,
    /// One JSON object a line.
    NdJson,
    /// One JSON object.
    Json,
    /// A page that prints well. It has no scripts, and the one style sheet [`STYLE`].
    Html,
}

impl ExportKind {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::NdJson => "application/x-ndjson",
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// The end of its file name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::NdJson => "ndjson",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

/// A file on its way.
pub struct Export {
    /// Its name, with its extension; letters, digits, points and hyphens only.
    pub name: String,
    /// What kind of file it is.
    pub kind: ExportKind,
    /// Its pieces. A failure in the middle ends the file: whoever reads it must not take it for whole.
    pub pieces: BoxStream<'static, Result<Vec<u8>, AppError>>,
}

impl Export {
    /// A file in pieces.
    pub fn streamed(name: &str, kind: ExportKind, pieces: impl futures_util::Stream<Item = Result<Vec<u8>, AppError>> + Send + 'static) -> Self {
        Self { name: format!("{}.{}", plain(name), kind.extension()), kind, pieces: pieces.boxed() }
    }

    /// A file that is there whole.
    pub fn whole(name: &str, kind: ExportKind, content: Vec<u8>) -> Self {
        Self::streamed(name, kind, futures_util::stream::once(async move { Ok(content) }))
    }
}

/// A name that is safe in every file system and header.
fn plain(name: &str) -> String {
    name.chars().map(|character| if character.is_ascii_alphanumeric() || matches!(character, '-' | '_') { character } else { '-' }).take(100).collect()
}

/// The whole standing behind a row, in the words of the version that judged: trees, leaves with their sentences, and gaps.
fn whole_standing(program: &Program, row: &ListedStanding) -> Result<Value, AppError> {
    let Some(kept) = &row.standing else { return Ok(Value::Null) };
    let unreadable = |fault: guerdon_domain::fault::Fault| AppError::internal(format!("the standing of {} in {}: {}", row.code, row.ladder, fault.message));
    let whole = KeptStanding::read(kept).and_then(|kept| kept.restore(program, &row.ladder, row.region.as_deref())).map_err(unreadable)?;
    serde_json::to_value(whole).map_err(AppError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_whatever_codes_hold() {
        let export = Export::whole("review-P/..\"\r\nX é", ExportKind::Csv, Vec::new());
        assert_eq!(export.name, "review-P------X--.csv");
        assert!(Export::whole(&"x".repeat(500), ExportKind::Html, Vec::new()).name.len() == 105);
    }
}
