//! Pages by keyset: the cursor is the sort key and the id of a row, so that a page costs the same wherever it starts, and rows that
//! come or go do not shift it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use uuid::Uuid;

use crate::fault::StoreError;
use crate::sql::Parameters;

/// Where a row stands in an order. Its text form is JSON; whoever shows it to callers makes it opaque.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort key.
    pub key: String,
    /// The id, which settles equal keys.
    pub id: String,
}

impl Cursor {
    /// That of a row in a list by id alone.
    pub(crate) fn of_id(id: Uuid) -> Self {
        Self { key: String::new(), id: id.to_string() }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::json!([self.key, self.id]).to_string())
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let (key, id) = serde_json::from_str(text).map_err(|_| StoreError::NotFound)?;
        Ok(Self { key, id })
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows at most. Bounded by whoever asks.
    pub size: u32,
    /// Whether the page is taken from the end of the order.
    pub from_end: bool,
    /// After this row.
    pub after: Option<Cursor>,
    /// Before this row.
    pub before: Option<Cursor>,
}

impl PageRequest {
    /// The first `size` rows.
    pub const fn first(size: u32) -> Self {
        Self { size, from_end: false, after: None, before: None }
    }

    /// The last `size` rows.
    pub const fn last(size: u32) -> Self {
        Self { size, from_end: true, after: None, before: None }
    }

    /// The same, after `cursor`.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// The same, before `cursor`.
    #[must_use]
    pub fn before(self, cursor: Cursor) -> Self {
        Self { before: Some(cursor), ..self }
    }

    /// The conditions of a page of a list by id, which is the order of making, newest first.
    pub(crate) fn newest_first(&self, column: &str, parameters: &mut Parameters, conditions: &mut Vec<String>) -> Result<(), StoreError> {
        for (cursor, operator) in [(&self.after, "<"), (&self.before, ">")] {
            if let Some(cursor) = cursor {
                let id: Uuid = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                conditions.push(format!("{column} {operator} {}", parameters.add(id)));
            }
        }
        Ok(())
    }

    /// One more than asked for, to know whether there are more.
    pub(crate) fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }
}

/// A page, in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<(Cursor, T)>,
    /// Whether rows follow.
    pub has_next: bool,
    /// Whether rows come before.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Cuts what was read with one row more than asked for; `rows` are in reading order, which is reversed for a page from the
    /// end.
    pub(crate) fn cut(request: &PageRequest, mut rows: Vec<(Cursor, T)>) -> Self {
        let more = rows.len() > request.size as usize;
        rows.truncate(request.size as usize);
        if request.from_end {
            rows.reverse();
            return Self { rows, has_next: request.before.is_some(), has_previous: more };
        }
        Self { rows, has_next: more, has_previous: request.after.is_some() }
    }
}
