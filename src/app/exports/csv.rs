//! Comma-separated values that a spreadsheet takes for what they are.

use crate::error::AppError;

/// Text for a cell: one that a spreadsheet would take for a formula begins with an apostrophe, which it then shows as text.
pub fn text(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if formula { format!("'{value}") } else { value.to_owned() }
}

/// Lines, each ended by CR LF, quoted where they need it.
///
/// # Errors
/// `Internal` when they cannot be written, which does not happen in memory.
pub fn lines<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, AppError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.as_ref()).map_err(AppError::internal)?;
    }
    writer.into_inner().map_err(|error| AppError::internal(error.to_string()))
}

/// The line of column names.
///
/// # Errors
/// As [`lines`].
pub fn header(columns: &[&str]) -> Result<Vec<u8>, AppError> {
    lines([columns.iter().map(|column| (*column).to_owned()).collect::<Vec<String>>()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for (value, cell) in [("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@x", "'@x"), ("\tx", "'\tx"), ("x=1", "x=1"), ("", "")] {
            assert_eq!(text(value), cell);
        }
        let bytes = lines([vec!["a,b".to_owned(), "say \"x\"".to_owned(), "plain".to_owned()]]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "\"a,b\",\"say \"\"x\"\"\",plain\r\n");
        assert_eq!(header(&["a", "b"]).unwrap(), b"a,b\r\n");
    }
}
