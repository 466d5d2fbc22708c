//! One page of a long list, by keyset: after which row, how many, in which direction. Never by offset, which skips and repeats
//! rows while others write.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// Rows at most; bounded by the use case before it comes here.
    pub limit: u32,
    /// The key of the row that the page starts behind: the values of the sort columns and then the id. Before the first row
    /// when empty.
    pub after: Option<Vec<String>>,
    /// Whether the list is read from its end towards its beginning. Rows come in the order in which they were read.
    pub backward: bool,
}

impl PageRequest {
    /// The first `limit` rows.
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None, backward: false }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many rows as were asked for, in the order in which they were read.
    pub rows: Vec<T>,
    /// Whether there are further rows in that direction.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with one more than the limit.
    pub fn of(mut rows: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, more }
    }

    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), more: self.more }
    }
}
