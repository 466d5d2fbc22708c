//! The file of rejected lines: as they stood, with the line number and the reasons. Mended, it can be imported by the same
//! mapping: the two columns that are added here are known to every mapping.

use std::borrow::Cow;
use std::io::Write;

use guerdon_domain::fault::Fault;

use super::record::Record;

/// The column that says on which line of the original file the record stood.
pub const LINE_COLUMN: &str = "rejected.line";
/// The column that says why it was rejected.
pub const REASONS_COLUMN: &str = "rejected.reasons";

/// Writes rejected lines.
pub struct RejectsWriter<W: Write> {
    writer: csv::Writer<W>,
    columns: usize,
    kept: Vec<bool>,
    /// Lines written so far.
    pub written: u64,
}

impl<W: Write> RejectsWriter<W> {
    /// Starts a file with the columns of the original one.
    pub fn new(sink: W, columns: &[String]) -> Result<Self, Fault> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(sink);
        // A file of rejected lines that was mended and rejected again has these columns already.
        let kept: Vec<bool> = columns.iter().map(|column| column != LINE_COLUMN && column != REASONS_COLUMN).collect();
        let header = columns.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(column, _)| column.as_str()).chain([LINE_COLUMN, REASONS_COLUMN]);
        writer.write_record(header).map_err(|error| unwritable(&error))?;
        Ok(Self { writer, columns: columns.len(), kept, written: 0 })
    }

    /// Writes one rejected line. Missing fields are filled up with empty ones, further ones stand after the reasons.
    pub fn write(&mut self, record: &Record, reasons: &[Fault]) -> Result<(), Fault> {
        let mut texts = record.texts();
        let further = if texts.len() > self.columns { texts.split_off(self.columns) } else { Vec::new() };
        texts.resize(self.columns, Cow::Borrowed(""));
        let line = record.line.to_string();
        let reasons = reasons.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ");
        let fields = texts
            .iter()
            .zip(&self.kept)
            .filter(|(_, kept)| **kept)
            .map(|(text, _)| text.as_ref())
            .chain([line.as_str(), reasons.as_str()])
            .chain(further.iter().map(Cow::as_ref));
        self.written += 1;
        self.writer.write_record(fields).map_err(|error| unwritable(&error))
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<u64, Fault> {
        self.writer.flush().map_err(|error| unwritable(&csv::Error::from(error)))?;
        Ok(self.written)
    }
}

fn unwritable(error: &csv::Error) -> Fault {
    Fault::new("UNWRITABLE_REJECTS", "", format!("the file of rejected lines cannot be written: {error}"))
}
