//! The records of a file, one at a time: fields as text, with the line on which they stand.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guerdon_domain::fault::{Fault, Faults};
use serde_json::value::RawValue;

use super::mapping::{Format, Mapping};
use super::{MAX_COLUMNS, MAX_RECORD_BYTES};

/// A record of a file.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// CSV: its fields in the order of the header. JSON Lines: its members by name, nested ones with a point.
    pub fields: Fields,
}

/// The fields of a record.
#[derive(Debug, Clone)]
pub enum Fields {
    /// In the order of the header.
    Ordered(csv::ByteRecord),
    /// By name.
    Named(BTreeMap<String, Named>, String),
}

impl Default for Fields {
    fn default() -> Self {
        Self::Ordered(csv::ByteRecord::new())
    }
}

/// A member of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Text, the spelling of a number, `true` or `false`; `null` is the empty text.
    Value(String),
    /// An array: no value of ours.
    Array,
}

/// Reads records until the file ends.
pub enum Records {
    /// CSV.
    Csv(Box<CsvRecords>),
    /// JSON Lines.
    Jsonl(Box<JsonRecords>),
}

/// One step of reading: a record, a record that is broken, or the end.
pub enum Step {
    /// A record.
    Record(Record),
    /// A record that cannot be taken apart, and why; reading goes on.
    Broken(Record, Fault),
    /// The file ends.
    End,
}

impl Records {
    /// Opens a file. `progress` counts the bytes read.
    pub fn open(mapping: &Mapping, file: Box<dyn Read + Send>, progress: Arc<AtomicU64>) -> Result<Self, Faults> {
        match mapping.format {
            Format::Csv => CsvRecords::open(mapping, file, progress).map(|records| Self::Csv(Box::new(records))),
            Format::Jsonl => Ok(Self::Jsonl(Box::new(JsonRecords::open(file, progress)))),
        }
    }

    /// The names of the columns, where the file states them once for all.
    pub fn header(&self) -> Option<&[String]> {
        match self {
            Self::Csv(records) => Some(&records.header),
            Self::Jsonl(_) => None,
        }
    }

    /// The next record. A fault here ends the reading.
    pub fn step(&mut self) -> Result<Step, Fault> {
        match self {
            Self::Csv(records) => records.step(),
            Self::Jsonl(records) => records.step(),
        }
    }
}

/// Counts bytes, stops at a record that has no end, and ends every line with a bare line feed, so that lines are counted alike
/// whatever system wrote the file.
struct Bounded<R> {
    inner: R,
    /// The last byte read was a carriage return, which was handed on as a line feed already.
    after_return: bool,
    /// The last byte handed on; a file whose last line has no end gets one.
    last: u8,
    progress: Arc<AtomicU64>,
    since_record: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_record.load(Ordering::Relaxed) > MAX_RECORD_BYTES {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "record too long"));
        }
        let read = self.inner.read(buffer)?;
        self.progress.fetch_add(read as u64, Ordering::Relaxed);
        self.since_record.fetch_add(read as u64, Ordering::Relaxed);
        if read == 0 {
            return Ok(self.end_line(buffer));
        }
        let Some(bytes) = buffer.get_mut(..read) else { return Ok(read) };
        let kept = if self.after_return || bytes.contains(&b'\r') { self.line_feeds(bytes) } else { read };
        self.last = kept.checked_sub(1).and_then(|at| buffer.get(at)).copied().unwrap_or(self.last);
        // Nothing kept would mean the end of the file to the reader.
        if kept == 0 { self.read(buffer) } else { Ok(kept) }
    }
}

impl<R> Bounded<R> {
    fn end_line(&mut self, buffer: &mut [u8]) -> usize {
        match buffer.first_mut() {
            Some(first) if self.last != b'\n' => {
                (*first, self.last) = (b'\n', b'\n');
                1
            }
            _ => 0,
        }
    }

    fn line_feeds(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            let second = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            if !second {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
        }
        kept
    }
}

fn too_long(line: u64) -> Fault {
    Fault::new(
        "RECORD_TOO_LONG",
        format!("line {line}"),
        format!("the record that starts here is longer than {} KiB: a quotation mark is probably not closed", MAX_RECORD_BYTES / 1024),
    )
}

fn unreadable(line: u64, error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::FileTooLarge {
        too_long(line)
    } else {
        Fault::new("UNREADABLE_FILE", format!("line {line}"), format!("the file cannot be read: {error}"))
    }
}

/// The records of a CSV file.
pub struct CsvRecords {
    reader: csv::Reader<Bounded<Box<dyn Read + Send>>>,
    since_record: Arc<AtomicU64>,
    header: Vec<String>,
    next_line: u64,
}

impl CsvRecords {
    fn open(mapping: &Mapping, file: Box<dyn Read + Send>, progress: Arc<AtomicU64>) -> Result<Self, Faults> {
        let since_record = Arc::new(AtomicU64::new(0));
        let bounded = Bounded { inner: file, after_return: false, last: b'\n', progress, since_record: Arc::clone(&since_record) };
        let delimiter = mapping.delimiter.as_deref().and_then(|delimiter| delimiter.bytes().next()).unwrap_or(b',');
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bounded);
        let mut records = Self { reader, since_record, header: mapping.header.clone(), next_line: 1 };
        if records.header.is_empty() {
            records.read_header()?;
        }
        Ok(records)
    }

    fn read_header(&mut self) -> Result<(), Faults> {
        let mut record = csv::ByteRecord::new();
        let some = self.reader.read_byte_record(&mut record).map_err(|error| Faults::from(self.failed(&error)))?;
        self.since_record.store(0, Ordering::Relaxed);
        self.next_line = self.reader.position().line();
        if !some {
            return Err(Fault::new("EMPTY_FILE", "line 1", "the file is empty: it needs a header line with the names of its columns").into());
        }
        let mut faults = Faults::new();
        for (index, name) in record.iter().enumerate() {
            match std::str::from_utf8(name) {
                Ok(name) if name.trim().is_empty() => faults.add("INVALID_HEADER", "line 1", format!("column {} has no name", index + 1)),
                Ok(name) if self.header.iter().any(|known| known == name.trim()) => {
                    faults.add("DUPLICATE_COLUMN", "line 1", format!("column \"{}\" stands there twice", name.trim()));
                }
                Ok(name) => self.header.push(name.trim().to_owned()),
                Err(_) => faults.add("INVALID_UTF8", "line 1", format!("the name of column {} is not UTF-8", index + 1)),
            }
        }
        if self.header.len() > MAX_COLUMNS {
            faults.add("TOO_MANY_COLUMNS", "line 1", format!("at most {MAX_COLUMNS} columns are read"));
        }
        faults.or(())
    }

    fn failed(&self, error: &csv::Error) -> Fault {
        match error.kind() {
            csv::ErrorKind::Io(error) => unreadable(self.next_line, error),
            _ => Fault::new("UNREADABLE_FILE", format!("line {}", self.next_line), format!("the file cannot be read: {error}")),
        }
    }

    fn step(&mut self) -> Result<Step, Fault> {
        let mut fields = csv::ByteRecord::new();
        let some = self.reader.read_byte_record(&mut fields).map_err(|error| self.failed(&error))?;
        self.since_record.store(0, Ordering::Relaxed);
        if !some {
            return Ok(Step::End);
        }
        // Counted from its end: its start, as the library has it, lies before blank lines.
        self.next_line = self.reader.position().line();
        let inside = fields.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = self.next_line.saturating_sub(1 + inside);
        let wrong = self.judge(&fields, line);
        let record = Record { line, fields: Fields::Ordered(fields) };
        Ok(match wrong {
            None => Step::Record(record),
            Some(fault) => Step::Broken(record, fault),
        })
    }

    fn judge(&self, fields: &csv::ByteRecord, line: u64) -> Option<Fault> {
        if fields.len() != self.header.len() {
            let message = format!("{} fields where the header names {}", fields.len(), self.header.len());
            return Some(Fault::new("WRONG_NUMBER_OF_FIELDS", format!("line {line}"), message));
        }
        fields
            .iter()
            .zip(&self.header)
            .find(|(field, _)| std::str::from_utf8(field).is_err())
            .map(|(_, column)| Fault::new("INVALID_UTF8", format!("line {line}, column {column}"), "the field is not UTF-8: save the file as UTF-8"))
    }
}

/// The records of a JSON Lines file.
pub struct JsonRecords {
    reader: BufReader<Bounded<Box<dyn Read + Send>>>,
    since_record: Arc<AtomicU64>,
    line: u64,
}

impl JsonRecords {
    fn open(file: Box<dyn Read + Send>, progress: Arc<AtomicU64>) -> Self {
        let since_record = Arc::new(AtomicU64::new(0));
        let reader =
            BufReader::with_capacity(1 << 16, Bounded { inner: file, after_return: false, last: b'\n', progress, since_record: Arc::clone(&since_record) });
        Self { reader, since_record, line: 0 }
    }

    fn step(&mut self) -> Result<Step, Fault> {
        loop {
            let mut bytes = Vec::new();
            self.line += 1;
            let line = self.line;
            let read = self.reader.read_until(b'\n', &mut bytes).map_err(|error| unreadable(line, &error))?;
            self.since_record.store(0, Ordering::Relaxed);
            if read == 0 {
                return Ok(Step::End);
            }
            let content = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&bytes) } else { &bytes };
            let broken = |text: Cow<'_, str>, fault: Fault| {
                Step::Broken(Record { line, fields: Fields::Named(BTreeMap::new(), text.into_owned()) }, fault.within(&format!("line {line}")))
            };
            let Ok(text) = std::str::from_utf8(content) else {
                let fault = Fault::new("INVALID_UTF8", "", "the line is not UTF-8: save the file as UTF-8");
                return Ok(broken(String::from_utf8_lossy(content.trim_ascii()), fault));
            };
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            return Ok(match flatten(text) {
                Ok(members) => Step::Record(Record { line, fields: Fields::Named(members, text.to_owned()) }),
                Err(fault) => broken(Cow::Borrowed(text), fault),
            });
        }
    }
}

/// An object of JSON as it stands, duplicate members refused.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Object<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Object)
    }
}

fn flatten(text: &str) -> Result<BTreeMap<String, Named>, Fault> {
    let mut members = BTreeMap::new();
    let mut open = vec![(String::new(), text, 0_usize)];
    while let Some((prefix, text, depth)) = open.pop() {
        let object: Object<'_> =
            serde_json::from_str(text).map_err(|error| Fault::new("MALFORMED_JSON", "", format!("not one JSON object a line: {error}")))?;
        for (name, value) in object.0 {
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            let spelled = value.get();
            let member = match spelled.as_bytes().first() {
                Some(b'{') if depth < 8 => {
                    open.push((path, spelled, depth + 1));
                    continue;
                }
                Some(b'"') => Named::Value(serde_json::from_str(spelled).map_err(|error| Fault::new("MALFORMED_JSON", "", error.to_string()))?),
                Some(b'n') => Named::Value(String::new()),
                Some(b'[' | b'{') => Named::Array,
                _ => Named::Value(spelled.to_owned()),
            };
            if members.insert(path.clone(), member).is_some() {
                return Err(Fault::new("DUPLICATE_COLUMN", "", format!("member \"{path}\" stands there twice")));
            }
            if members.len() > MAX_COLUMNS {
                return Err(Fault::new("TOO_MANY_COLUMNS", "", format!("at most {MAX_COLUMNS} members are read")));
            }
        }
    }
    Ok(members)
}

impl Record {
    /// Its fields as text, in the order of the header; JSON Lines: the line as it stands.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        match &self.fields {
            Fields::Ordered(fields) => fields.iter().map(String::from_utf8_lossy).collect(),
            Fields::Named(_, line) => vec![Cow::Borrowed(line.as_str())],
        }
    }
}
