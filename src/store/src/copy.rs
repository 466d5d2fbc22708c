//! PostgreSQL's binary form of COPY, by which rows come and go without a message and a look at their types for each.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::Value;
use uuid::Uuid;

use crate::bulk::Cells;
use crate::fault::StoreError;

/// `PGCOPY\n\xff\r\n\0`, flags, and the length of an extension.
const HEADER: usize = 19;
/// What PostgreSQL counts days from.
const EPOCH: (i32, u32, u32) = (2000, 1, 1);
/// The same day, counted as chrono does.
const EPOCH_FROM_CE: i32 = 730_120;

/// The signature, no flags and no extension.
const SIGNATURE: [u8; HEADER] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The length of what is NULL.
const MISSING: i32 = -1;

/// Bytes of a piece, about.
const PIECE: usize = 1 << 16;

/// Rows as COPY ... FROM STDIN (FORMAT BINARY) takes them. A value is spelled by its own kind, which must be its column's.
pub(crate) fn spell(rows: &[Vec<Value>]) -> Vec<u8> {
    pieces(rows).collect::<Vec<_>>().concat()
}

/// The same in pieces, so that the database takes in the first while the next is spelled.
pub(crate) fn pieces(rows: &[Vec<Value>]) -> impl Iterator<Item = Vec<u8>> {
    pieces_of(rows.iter(), |bytes, row| spell_row(bytes, row))
}

/// Rows of so many columns in pieces, whose cells are spelled when their turn comes and never kept as values.
pub(crate) fn pieces_spelled<T>(width: usize, items: impl Iterator<Item = T>, spell: impl Fn(T, &mut dyn Cells)) -> impl Iterator<Item = Vec<u8>> {
    pieces_of(items, move |bytes, item| {
        begin_row(bytes, width);
        spell(item, &mut Spelled(bytes));
    })
}

/// Rows spelled cell by cell, whose number nobody knows before.
pub(crate) struct Pieces {
    width: usize,
    bytes: Vec<u8>,
}

impl Pieces {
    /// For rows of so many cells.
    pub(crate) fn of_width(width: usize) -> Self {
        Self { width, bytes: SIGNATURE.to_vec() }
    }

    pub(crate) fn begin_row(&mut self) {
        begin_row(&mut self.bytes, self.width);
    }

    /// The next cell of the row.
    pub(crate) fn cell(&mut self, cell: Option<&[u8]>) {
        match cell {
            Some(cell) => spell_cell(&mut self.bytes, cell),
            None => self.bytes.extend(MISSING.to_be_bytes()),
        }
    }

    /// A piece, as soon as there is enough for one.
    pub(crate) fn take_full(&mut self) -> Option<Vec<u8>> {
        (self.bytes.len() >= PIECE).then(|| std::mem::replace(&mut self.bytes, Vec::with_capacity(PIECE + PIECE / 4)))
    }

    /// The last piece.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        self.bytes.extend((-1_i16).to_be_bytes());
        self.bytes
    }
}

fn pieces_of<T>(mut rows: impl Iterator<Item = T>, spell: impl Fn(&mut Vec<u8>, T)) -> impl Iterator<Item = Vec<u8>> {
    let mut head = Some(SIGNATURE);
    let mut is_whole = false;
    std::iter::from_fn(move || {
        if is_whole {
            return None;
        }
        let mut bytes = Vec::with_capacity(PIECE + PIECE / 4);
        bytes.extend(head.take().into_iter().flatten());
        for row in rows.by_ref() {
            spell(&mut bytes, row);
            if bytes.len() >= PIECE {
                return Some(bytes);
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        is_whole = true;
        Some(bytes)
    })
}

fn begin_row(bytes: &mut Vec<u8>, width: usize) {
    bytes.extend(i16::try_from(width).unwrap_or_default().to_be_bytes());
}

fn spell_row(bytes: &mut Vec<u8>, row: &[Value]) {
    begin_row(bytes, row.len());
    for value in row {
        spell_value(bytes, value);
    }
}

/// A value with its length before it.
pub(crate) fn spell_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(Some(text)) => spell_cell(bytes, text.as_bytes()),
        Value::BigInt(Some(number)) => spell_cell(bytes, &number.to_be_bytes()),
        Value::Uuid(Some(id)) => spell_cell(bytes, id.as_bytes()),
        Value::Bytes(Some(cell)) => spell_cell(bytes, cell),
        Value::ChronoDate(Some(date)) => spell_cell(bytes, &days_of(*date).to_be_bytes()),
        Value::ChronoDateTimeUtc(Some(time)) => spell_cell(bytes, &microseconds_of(time).to_be_bytes()),
        // Whatever else a caller passed is a missing value.
        _ => bytes.extend(MISSING.to_be_bytes()),
    }
}

fn spell_cell(bytes: &mut Vec<u8>, cell: &[u8]) {
    // PostgreSQL refuses what has more than a gibibyte.
    bytes.extend(i32::try_from(cell.len()).unwrap_or(i32::MAX).to_be_bytes());
    bytes.extend(cell);
}

/// The bytes of a row, cell by cell.
struct Spelled<'b>(&'b mut Vec<u8>);

impl Cells for Spelled<'_> {
    fn uuid(&mut self, id: Uuid) {
        spell_cell(self.0, id.as_bytes());
    }

    fn text(&mut self, text: &str) {
        spell_cell(self.0, text.as_bytes());
    }

    fn maybe_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.extend(MISSING.to_be_bytes()),
        }
    }

    fn int(&mut self, number: i64) {
        spell_cell(self.0, &number.to_be_bytes());
    }

    fn date(&mut self, date: NaiveDate) {
        spell_cell(self.0, &days_of(date).to_be_bytes());
    }
}

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(EPOCH.0, EPOCH.1, EPOCH.2).unwrap_or_default()
}

/// The date so many days after PostgreSQL's first.
pub(crate) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH_FROM_CE)?)
}

fn days_of(date: NaiveDate) -> i32 {
    i32::try_from(date.signed_duration_since(epoch()).num_days()).unwrap_or_default()
}

fn microseconds_of(time: &DateTime<Utc>) -> i64 {
    time.naive_utc().signed_duration_since(epoch().into()).num_microseconds().unwrap_or_default()
}

/// Cuts a stream of bytes into rows. Bytes may come in pieces of any size.
#[derive(Default)]
pub(crate) struct CopyReader {
    buffer: Vec<u8>,
    at: usize,
    began: bool,
    /// Where the cells of the row lie that was read last.
    cells: Vec<Range<usize>>,
}

/// A row as it was copied.
#[derive(Clone, Copy)]
pub(crate) struct Copied<'r> {
    buffer: &'r [u8],
    cells: &'r [Range<usize>],
}

fn corrupt() -> StoreError {
    StoreError::corrupt("COPY", "a row")
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

impl CopyReader {
    /// Adds bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        } else if self.at > 1 << 16 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Hands on every whole row that has come.
    pub(crate) fn each(&mut self, mut each: impl FnMut(Copied<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        while let Some(row) = self.next_row()? {
            each(row)?;
        }
        Ok(())
    }

    /// The next whole row; none when more bytes are needed, or the stream has ended.
    fn next_row(&mut self) -> Result<Option<Copied<'_>>, StoreError> {
        if !self.began {
            let Some(extension) = number(&self.buffer, HEADER - 4).map(u32::from_be_bytes) else { return Ok(None) };
            self.at = HEADER + usize::try_from(extension).map_err(|_| corrupt())?;
            self.began = true;
        }
        let Some(fields) = number(&self.buffer, self.at).map(i16::from_be_bytes) else { return Ok(None) };
        if fields < 0 {
            return Ok(None);
        }
        self.cells.clear();
        let mut end = self.at + 2;
        for _ in 0..fields {
            let Some(length) = number(&self.buffer, end).map(i32::from_be_bytes) else { return Ok(None) };
            let start = end + 4;
            self.cells.push(match usize::try_from(length) {
                Ok(length) => start..start + length,
                Err(_) if length == MISSING => usize::MAX..usize::MAX,
                Err(_) => return Err(corrupt()),
            });
            end = start + usize::try_from(length).unwrap_or_default();
        }
        if end > self.buffer.len() {
            return Ok(None);
        }
        self.at = end;
        Ok(Some(Copied { buffer: &self.buffer, cells: &self.cells }))
    }
}

impl<'r> Copied<'r> {
    /// The cell at a place, nothing where it is NULL; none behind the last one.
    pub(crate) fn cell(self, at: usize) -> Option<Option<&'r [u8]>> {
        self.cells.get(at).map(|cell| self.buffer.get(cell.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Row;

    fn stream() -> Vec<u8> {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        for row in 0_i64..3 {
            bytes.extend(4_i16.to_be_bytes());
            bytes.extend(16_i32.to_be_bytes());
            bytes.extend([7; 16]);
            bytes.extend(4_i32.to_be_bytes());
            bytes.extend(9_497_i32.to_be_bytes());
            bytes.extend(2_i32.to_be_bytes());
            bytes.extend(b"HW");
            bytes.extend(8_i32.to_be_bytes());
            bytes.extend((row - 1).to_be_bytes());
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    #[test]
    fn rows_are_read_whatever_the_pieces() {
        for size in [1, 2, 3, 7, 19, 50, 1_000] {
            let mut reader = CopyReader::default();
            let mut read = Vec::new();
            for piece in stream().chunks(size) {
                reader.push(piece);
                while let Some(row) = reader.next_row().unwrap() {
                    let row = Row::copied(row, "a table");
                    read.push((row.get::<Uuid>(0).unwrap(), row.date(1).unwrap().to_string(), row.text(2).unwrap(), row.get::<i64>(3).unwrap()));
                }
            }
            let expected: Vec<_> = (-1..2).map(|number| (Uuid::from_bytes([7; 16]), "2026-01-01".to_owned(), "HW".to_owned(), number)).collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn rows_are_spelled_as_they_are_read() {
        let (id, date) = (Uuid::from_bytes([7; 16]), NaiveDate::from_ymd_opt(2026, 1, 1));
        let rows: Vec<Vec<Value>> = (-1_i64..2).map(|number| vec![id.into(), date.into(), "HW".into(), number.into()]).collect();
        assert_eq!(spell(&rows), stream());
    }

    #[test]
    fn cells_are_spelled_as_their_values_are() {
        let (id, date) = (Uuid::from_bytes([7; 16]), NaiveDate::from_ymd_opt(2026, 1, 1).unwrap());
        let spell = |number: i64, cells: &mut dyn Cells| {
            cells.uuid(id);
            cells.date(date);
            cells.text("HW");
            cells.maybe_text(None);
            cells.maybe_text(Some(""));
            cells.int(number);
        };
        let of_values: Vec<Vec<Value>> = (-1..2).map(|number| crate::bulk::values_of(number, &spell)).collect();
        assert_eq!(pieces_spelled(6, -1..2, spell).collect::<Vec<_>>().concat(), super::spell(&of_values));
    }

    #[test]
    fn days_are_counted_from_the_same_day_both_ways() {
        for date in ["1900-01-01", "1999-12-31", "2000-01-01", "2024-02-29", "2999-12-31"].map(|text| text.parse::<NaiveDate>().unwrap()) {
            assert_eq!(date_of(days_of(date)), Some(date));
        }
    }

    #[test]
    fn pieces_together_are_the_whole() {
        let row = |number: i64| vec![number.into(), "x".repeat(1_000).into()];
        for count in [0, 1, 64, 65, 1_000] {
            let rows: Vec<Vec<Value>> = (0..count).map(row).collect();
            let pieces: Vec<Vec<u8>> = pieces(&rows).collect();
            assert!(pieces.len() >= usize::try_from(count).unwrap() / 65);
            let mut reader = CopyReader::default();
            let mut read = 0;
            for piece in pieces {
                reader.push(&piece);
                while let Some(row) = reader.next_row().unwrap() {
                    assert_eq!(Row::copied(row, "a table").get::<i64>(0).unwrap(), read);
                    read += 1;
                }
            }
            assert_eq!(read, count);
        }
    }

    #[test]
    fn moments_count_from_the_year_2000_and_missing_values_have_no_length() {
        let time: DateTime<Utc> = "1999-12-31T23:59:59.000001Z".parse().unwrap();
        let bytes = spell(&[vec![time.into(), Value::String(None)]]);
        let mut expected = SIGNATURE.to_vec();
        expected.extend([0, 2, 0, 0, 0, 8]);
        expected.extend((-999_999_i64).to_be_bytes());
        expected.extend([0xff; 4]);
        expected.extend([0xff; 2]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_empty_and_from_what_is_not_there() {
        let bytes = spell(&[vec![Value::String(None), "".into()]]);
        let mut reader = CopyReader::default();
        reader.push(&bytes);
        let row = reader.next_row().unwrap().unwrap();
        assert_eq!([0, 1, 2].map(|at| row.cell(at)), [Some(None), Some(Some(&b""[..])), None]);
        let row = Row::copied(row, "a table");
        assert_eq!((row.maybe_text(0).unwrap(), row.maybe_text(1).unwrap()), (None, Some(String::new())));
        assert!(row.text(0).is_err() && row.maybe_text(2).is_err() && row.get::<i64>(1).is_err());
    }

    #[test]
    fn a_length_that_cannot_be_is_a_fault() {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend(1_i16.to_be_bytes());
        bytes.extend((-2_i32).to_be_bytes());
        let mut reader = CopyReader::default();
        reader.push(&bytes);
        assert!(reader.next_row().is_err());
    }
}
