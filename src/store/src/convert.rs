//! Between rows and domain values, in one place: enums by exhaustive match, decimals as canonical text, attributes as JSON. A row
//! that cannot be read is [`StoreError::Corrupt`] with its table and id, never a guess.

use std::collections::BTreeMap;
use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};
use guerdon_domain::date::{Date, Span};
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::{
    AdmissionKind, AssignmentCause, AttributeValue, Attributes, ContractStatus, DealOutcome, HolderKind, OverrideKind, PartnerStatus, TransactionKind,
};
use guerdon_domain::money::Currency;
use sea_orm::{DbErr, QueryResult, TryGetable};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgValueFormat;
use sqlx::{Row as _, ValueRef as _};
use uuid::Uuid;

use crate::copy::{self, Copied};
use crate::fault::StoreError;
use crate::session::query_failed;

/// An enum that a column holds as text.
pub(crate) trait TextEnum: Sized + 'static {
    /// Its text.
    fn text(&self) -> &'static str;
    /// The value of this text.
    fn of_text(text: &str) -> Option<Self>;
}

macro_rules! text_enum {
    ($name:ty { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $crate::convert::TextEnum for $name {
            fn text(&self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn of_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use text_enum;

text_enum!(TransactionKind { Sale = "SALE", Return = "RETURN", Adjustment = "ADJUSTMENT" });
text_enum!(HolderKind { Partner = "PARTNER", Person = "PERSON", Customer = "CUSTOMER", Offering = "OFFERING" });
text_enum!(DealOutcome { Open = "OPEN", Won = "WON", Lost = "LOST" });
text_enum!(PartnerStatus { Active = "ACTIVE", Suspended = "SUSPENDED", Terminated = "TERMINATED" });
text_enum!(AssignmentCause { Enrolled = "ENROLLED", Promotion = "PROMOTION", Demotion = "DEMOTION", Override = "OVERRIDE", VersionChange = "VERSION_CHANGE" });
text_enum!(OverrideKind { Pin = "PIN", Ceiling = "CEILING", Floor = "FLOOR" });
text_enum!(AdmissionKind { Invitation = "INVITATION", Application = "APPLICATION", Approval = "APPROVAL" });
text_enum!(ContractStatus { Draft = "DRAFT", Sent = "SENT", Active = "ACTIVE", Expired = "EXPIRED", Terminated = "TERMINATED" });

/// Digits before and after the point of a decimal that is neither money nor a quantity (semantics 24).
const DECIMAL_DIGITS: (usize, usize) = (15, 10);

/// What a column is read as. What is read by the million is taken from PostgreSQL's binary form as it lies in the row; the library
/// looks at types anew for every cell.
pub(crate) trait Cell: TryGetable {
    /// The value of a cell. None where the library is to read it, and to find the fault in it.
    fn of_binary(_cell: Option<&[u8]>) -> Option<Self> {
        None
    }
}

impl Cell for i32 {}
impl Cell for bool {}
impl Cell for Vec<u8> {}
impl Cell for DateTime<Utc> {}

impl Cell for i64 {
    fn of_binary(cell: Option<&[u8]>) -> Option<Self> {
        Some(Self::from_be_bytes(cell?.try_into().ok()?))
    }
}

impl Cell for Uuid {
    fn of_binary(cell: Option<&[u8]>) -> Option<Self> {
        Self::from_slice(cell?).ok()
    }
}

impl Cell for String {
    fn of_binary(cell: Option<&[u8]>) -> Option<Self> {
        std::str::from_utf8(cell?).ok().map(str::to_owned)
    }
}

impl Cell for NaiveDate {
    fn of_binary(cell: Option<&[u8]>) -> Option<Self> {
        let cell = cell?;
        match cell.try_into() {
            Ok(days) => copy::date_of(i32::from_be_bytes(days)),
            // SQLite has no dates: their text is in the cell.
            Err(_) => std::str::from_utf8(cell).ok()?.parse().ok(),
        }
    }
}

impl<T: Cell> Cell for Option<T> {
    fn of_binary(cell: Option<&[u8]>) -> Option<Self> {
        match cell {
            None => Some(None),
            held => T::of_binary(held).map(Some),
        }
    }
}

/// A row of one table, read column by column.
pub(crate) struct Row<'r> {
    held: Held<'r>,
    pub(crate) table: &'static str,
}

/// How a row came.
enum Held<'r> {
    /// By a query of either database.
    Queried(&'r QueryResult),
    /// By COPY of PostgreSQL, or spelled in its form from SQLite: only what has a binary form of ours can be read.
    Copied(Copied<'r>),
}

impl<'r> Row<'r> {
    pub(crate) const fn new(row: &'r QueryResult, table: &'static str) -> Self {
        Self { held: Held::Queried(row), table }
    }

    pub(crate) const fn copied(row: Copied<'r>, table: &'static str) -> Self {
        Self { held: Held::Copied(row), table }
    }

    fn corrupt(&self, at: impl Display) -> StoreError {
        StoreError::corrupt(self.table, format!("column {at}"))
    }

    /// The column at this place.
    pub(crate) fn get<T: Cell>(&self, at: usize) -> Result<T, StoreError> {
        if let Some(value) = self.binary(at).and_then(T::of_binary) {
            return Ok(value);
        }
        let Held::Queried(row) = &self.held else { return Err(self.corrupt(at)) };
        row.try_get_by_index(at).map_err(|error: DbErr| match error {
            DbErr::Type(_) | DbErr::Json(_) => self.corrupt(at),
            other => StoreError::Database(other),
        })
    }

    /// The cell as PostgreSQL sent it, nothing where it is NULL; none of another database, or where it came as text.
    fn binary(&self, at: usize) -> Option<Option<&'r [u8]>> {
        let row = match &self.held {
            Held::Copied(row) => return row.cell(at),
            Held::Queried(row) => row,
        };
        let value = row.try_as_pg_row()?.try_get_raw(at).ok()?;
        if value.is_null() {
            return Some(None);
        }
        if value.format() == PgValueFormat::Binary { value.as_bytes().ok().map(Some) } else { None }
    }

    pub(crate) fn text(&self, at: usize) -> Result<String, StoreError> {
        self.get(at)
    }

    /// A text as it lies in the row: what is read for its meaning needs no copy.
    pub(crate) fn maybe_str(&self, at: usize) -> Result<Option<&'r str>, StoreError> {
        if let Some(cell) = self.binary(at) {
            return cell.map(|cell| std::str::from_utf8(cell).map_err(|_| self.corrupt(at))).transpose();
        }
        let Held::Queried(row) = &self.held else { return Err(self.corrupt(at)) };
        let read = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => row.try_get(at),
            (None, Some(row)) => row.try_get(at),
            (None, None) => return Err(self.corrupt(at)),
        };
        read.map_err(|error: sqlx::Error| match error {
            sqlx::Error::ColumnDecode { .. } => self.corrupt(at),
            other => StoreError::Database(query_failed(other)),
        })
    }

    pub(crate) fn str(&self, at: usize) -> Result<&'r str, StoreError> {
        self.maybe_str(at)?.ok_or_else(|| self.corrupt(at))
    }

    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        self.get(at)
    }

    pub(crate) fn date(&self, at: usize) -> Result<Date, StoreError> {
        self.get::<NaiveDate>(at).map(Date::from_naive)
    }

    pub(crate) fn maybe_date(&self, at: usize) -> Result<Option<Date>, StoreError> {
        Ok(self.get::<Option<NaiveDate>>(at)?.map(Date::from_naive))
    }

    /// A half-open span of two columns, both present.
    pub(crate) fn span(&self, at: usize) -> Result<Span, StoreError> {
        Ok(Span::new(self.date(at)?, self.date(at + 1)?))
    }

    pub(crate) fn text_enum<E: TextEnum>(&self, at: usize) -> Result<E, StoreError> {
        E::of_text(self.str(at)?).ok_or_else(|| self.corrupt(at))
    }

    pub(crate) fn currency(&self, at: usize) -> Result<Currency, StoreError> {
        self.str(at)?.parse().map_err(|_| self.corrupt(at))
    }

    pub(crate) fn maybe_currency(&self, at: usize) -> Result<Option<Currency>, StoreError> {
        self.maybe_str(at)?.map(|code| code.parse().map_err(|_| self.corrupt(at))).transpose()
    }

    pub(crate) fn decimal(&self, at: usize) -> Result<Exact, StoreError> {
        read_decimal(self.str(at)?).ok_or_else(|| self.corrupt(at))
    }

    pub(crate) fn maybe_decimal(&self, at: usize) -> Result<Option<Exact>, StoreError> {
        self.maybe_str(at)?.map(|text| read_decimal(text).ok_or_else(|| self.corrupt(at))).transpose()
    }

    pub(crate) fn attributes(&self, at: usize) -> Result<Attributes, StoreError> {
        let Some(text) = self.maybe_str(at)? else { return Ok(Attributes::new()) };
        read_attributes(text).ok_or_else(|| self.corrupt(at))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.str(at)?).map_err(|_| self.corrupt(at))
    }
}

fn read_decimal(text: &str) -> Option<Exact> {
    Exact::parse(text, DECIMAL_DIGITS.0, DECIMAL_DIGITS.1).ok()
}

/// A decimal as text. None when it has no finite spelling within the digits that are kept.
pub(crate) fn decimal_text(value: &Exact) -> Option<String> {
    value.to_decimal(DECIMAL_DIGITS.1 as u32).filter(|text| read_decimal(text).is_some())
}

/// A decimal as whole units and a fraction in 10^-10, both with the decimal's sign, so that sums stay whole.
pub(crate) fn decimal_parts(value: Exact) -> Option<(i64, i64)> {
    const PLACES: u32 = 10;
    const SCALE: i128 = 10_i128.pow(PLACES);
    let scaled = value.to_scaled(PLACES)?;
    Some((i64::try_from(scaled / SCALE).ok()?, i64::try_from(scaled % SCALE).ok()?))
}

/// Attributes as JSON, sorted by name; none when there are none. Numbers are `{"number": "12.5"}`, because a JSON number would be
/// read as a float.
pub(crate) fn attributes_text(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => serde_json::Value::from(text.as_str()),
        AttributeValue::Boolean(flag) => serde_json::Value::from(*flag),
        AttributeValue::Number(number) => serde_json::json!({ "number": number.to_string() }),
    };
    let all: BTreeMap<&str, serde_json::Value> = attributes.iter().map(|(name, attribute)| (name.as_str(), value(attribute))).collect();
    serde_json::to_string(&all).ok()
}

fn read_attributes(text: &str) -> Option<Attributes> {
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let value = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Some(AttributeValue::Text(text)),
        serde_json::Value::Bool(flag) => Some(AttributeValue::Boolean(flag)),
        serde_json::Value::Object(object) => object.get("number").and_then(serde_json::Value::as_str).and_then(read_number).map(AttributeValue::Number),
        _ => None,
    };
    all.into_iter().map(|(name, attribute)| Some((name, value(attribute)?))).collect()
}

/// A number as [`Exact`] displays it: a decimal, or a fraction where it has no finite spelling.
fn read_number(text: &str) -> Option<Exact> {
    match text.split_once('/') {
        Some((numerator, denominator)) => Exact::ratio(numerator.parse().ok()?, denominator.parse().ok()?),
        None => Exact::parse(text, 28, 10).ok(),
    }
}

/// No region is an empty key in columns that are part of a unique key.
pub(crate) fn region_key(region: Option<&str>) -> String {
    region.unwrap_or_default().to_owned()
}

/// The region of such a key.
pub(crate) fn region_of_key(key: String) -> Option<String> {
    (!key.is_empty()).then_some(key)
}
