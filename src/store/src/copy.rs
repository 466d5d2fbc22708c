//! PostgreSQL's binary form of COPY. Read are rows of UUID, DATE, TEXT and BIGINT, none of them NULL; written are rows of whatever
//! this store writes in bulk.

use chrono::{DateTime, NaiveDate, Utc};
use guerdon_domain::date::Date;
use sea_orm::Value;
use uuid::Uuid;

use crate::fault::StoreError;

/// `PGCOPY\n\xff\r\n\0`, flags, and the length of an extension.
const HEADER: usize = 19;
/// What PostgreSQL counts days from.
const EPOCH: (i32, u32, u32) = (2000, 1, 1);
/// The same day, counted as chrono does.
const EPOCH_FROM_CE: i32 = 730_120;

/// The signature, no flags and no extension.
const SIGNATURE: [u8; HEADER] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Bytes of a piece, about.
const PIECE: usize = 1 << 16;

/// Rows as COPY ... FROM STDIN (FORMAT BINARY) takes them. A value is spelled by its own kind, which must be its column's.
pub(crate) fn spell(rows: &[Vec<Value>]) -> Vec<u8> {
    pieces(rows).collect::<Vec<_>>().concat()
}

/// The same in pieces, so that the database takes in the first while the next is spelled.
pub(crate) fn pieces(rows: &[Vec<Value>]) -> impl Iterator<Item = Vec<u8>> {
    let mut rows = rows.iter();
    let mut head = Some(SIGNATURE);
    let mut is_whole = false;
    std::iter::from_fn(move || {
        if is_whole {
            return None;
        }
        let mut bytes = Vec::with_capacity(PIECE + PIECE / 4);
        bytes.extend(head.take().into_iter().flatten());
        for row in rows.by_ref() {
            spell_row(&mut bytes, row);
            if bytes.len() >= PIECE {
                return Some(bytes);
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        is_whole = true;
        Some(bytes)
    })
}

fn spell_row(bytes: &mut Vec<u8>, row: &[Value]) {
    bytes.extend(i16::try_from(row.len()).unwrap_or_default().to_be_bytes());
    for value in row {
        spell_value(bytes, value);
    }
}

fn spell_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(Some(text)) => spell_cell(bytes, text.as_bytes()),
        Value::BigInt(Some(number)) => spell_cell(bytes, &number.to_be_bytes()),
        Value::Uuid(Some(id)) => spell_cell(bytes, id.as_bytes()),
        Value::Bytes(Some(cell)) => spell_cell(bytes, cell),
        Value::ChronoDate(Some(date)) => spell_cell(bytes, &days_of(*date).to_be_bytes()),
        Value::ChronoDateTimeUtc(Some(time)) => spell_cell(bytes, &microseconds_of(time).to_be_bytes()),
        // Whatever else a caller passed is a missing value.
        _ => bytes.extend((-1_i32).to_be_bytes()),
    }
}

fn spell_cell(bytes: &mut Vec<u8>, cell: &[u8]) {
    // PostgreSQL refuses what has more than a gibibyte.
    bytes.extend(i32::try_from(cell.len()).unwrap_or(i32::MAX).to_be_bytes());
    bytes.extend(cell);
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
pub(crate) struct CopyReader {
    buffer: Vec<u8>,
    at: usize,
    began: bool,
    epoch: Option<Date>,
}

impl Default for CopyReader {
    fn default() -> Self {
        Self { buffer: Vec::new(), at: 0, began: false, epoch: Date::of(EPOCH.0, EPOCH.1, EPOCH.2) }
    }
}

/// The cells of a row, read from left to right.
pub(crate) struct Cells<'r> {
    bytes: &'r [u8],
    epoch: Option<Date>,
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

    /// The next whole row; none when more bytes are needed, or the stream has ended.
    pub(crate) fn next_row(&mut self) -> Result<Option<Cells<'_>>, StoreError> {
        if !self.began {
            let Some(extension) = number(&self.buffer, HEADER - 4).map(u32::from_be_bytes) else { return Ok(None) };
            self.at = HEADER + usize::try_from(extension).map_err(|_| corrupt())?;
            self.began = true;
        }
        let Some(fields) = number(&self.buffer, self.at).map(i16::from_be_bytes) else { return Ok(None) };
        if fields < 0 {
            return Ok(None);
        }
        let start = self.at + 2;
        let mut end = start;
        for _ in 0..fields {
            let Some(length) = number(&self.buffer, end).map(i32::from_be_bytes) else { return Ok(None) };
            end = end + 4 + usize::try_from(length).map_err(|_| corrupt())?;
        }
        let Some(bytes) = self.buffer.get(start..end) else { return Ok(None) };
        self.at = end;
        Ok(Some(Cells { bytes, epoch: self.epoch }))
    }
}

impl<'r> Cells<'r> {
    fn cell(&mut self) -> Result<&'r [u8], StoreError> {
        let length = number(self.bytes, 0).map(i32::from_be_bytes).and_then(|length| usize::try_from(length).ok()).ok_or_else(corrupt)?;
        let cell = self.bytes.get(4..4 + length).ok_or_else(corrupt)?;
        self.bytes = self.bytes.get(4 + length..).unwrap_or_default();
        Ok(cell)
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, StoreError> {
        Uuid::from_slice(self.cell()?).map_err(|_| corrupt())
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, StoreError> {
        std::str::from_utf8(self.cell()?).map_err(|_| corrupt())
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        number(self.cell()?, 0).map(i64::from_be_bytes).ok_or_else(corrupt)
    }

    pub(crate) fn date(&mut self) -> Result<Date, StoreError> {
        let days = number(self.cell()?, 0).map(i32::from_be_bytes).ok_or_else(corrupt)?;
        self.epoch.map(|epoch| epoch.plus_days(days.into())).ok_or_else(corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                while let Some(mut row) = reader.next_row().unwrap() {
                    let row = (row.uuid().unwrap(), row.date().unwrap().to_string(), row.text().unwrap().to_owned(), row.int().unwrap());
                    read.push(row);
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
                while let Some(mut row) = reader.next_row().unwrap() {
                    assert_eq!(row.int().unwrap(), read);
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
    fn a_missing_value_is_a_fault() {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        bytes.extend(1_i16.to_be_bytes());
        bytes.extend((-1_i32).to_be_bytes());
        let mut reader = CopyReader::default();
        reader.push(&bytes);
        assert!(reader.next_row().is_err());
    }
}
