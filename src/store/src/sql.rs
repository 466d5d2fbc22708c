//! The few places where the two databases spell a statement differently, and lists bound as one parameter so that a statement's
//! text, and the number of statements, do not depend on how many ids it is asked for. The lists are joined (`IN (SELECT ..)`), not
//! searched (`= ANY (..)`): PostgreSQL walks an array that it does not know when it plans for every row.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Value};
use uuid::Uuid;

/// The condition that `column` is one of the ids bound as parameter `number` by [`uuids`].
pub(crate) fn is_one_of_uuids(backend: DbBackend, column: &str, number: usize) -> String {
    match backend {
        DbBackend::Postgres => format!("{column} IN (SELECT unnest(${number}::text::uuid[]))"),
        _ => format!("{column} IN (SELECT unhex(value) FROM json_each(${number}))"),
    }
}

/// Ids as one parameter.
pub(crate) fn uuids<'a>(backend: DbBackend, ids: impl IntoIterator<Item = &'a Uuid>) -> Value {
    let postgres = backend == DbBackend::Postgres;
    let mut text = String::from(if postgres { "{" } else { "[" });
    for (at, id) in ids.into_iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = if postgres { write!(text, "{comma}{}", id.simple()) } else { write!(text, "{comma}\"{}\"", id.simple()) };
    }
    text.push(if postgres { '}' } else { ']' });
    text.into()
}

/// The condition that `column` is one of the texts bound as parameter `number` by [`texts`].
pub(crate) fn is_one_of_texts(backend: DbBackend, column: &str, number: usize) -> String {
    match backend {
        DbBackend::Postgres => format!("{column} IN (SELECT unnest(${number}::text::text[]))"),
        _ => format!("{column} IN (SELECT value FROM json_each(${number}))"),
    }
}

/// Texts as one parameter.
pub(crate) fn texts<'a>(backend: DbBackend, texts: impl IntoIterator<Item = &'a str>) -> Value {
    if backend != DbBackend::Postgres {
        let all: Vec<&str> = texts.into_iter().collect();
        return serde_json::Value::from(all).to_string().into();
    }
    let mut list = String::from("{");
    for (at, text) in texts.into_iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        quote_element(&mut list, text);
    }
    list.push('}');
    list.into()
}

/// One quoted element of a PostgreSQL array literal.
pub(crate) fn quote_element(list: &mut String, text: &str) {
    list.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            list.push('\\');
        }
        list.push(character);
    }
    list.push('"');
}

/// Locks the rows that a SELECT in a write transaction reads. SQLite's single writer needs no such thing.
pub(crate) const fn for_update(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    }
}

/// The first day of the month of a date column.
pub(crate) fn month_of(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("date_trunc('month', {column}::timestamp)::date"),
        _ => format!("(substr({column}, 1, 8) || '01')"),
    }
}

/// `text` for LIKE with `ESCAPE '\'`: found anywhere, taken literally.
pub(crate) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The values of a statement, numbered as they are added.
#[derive(Default)]
pub(crate) struct Parameters(pub(crate) Vec<Value>);

impl Parameters {
    /// Adds a value and answers its placeholder.
    pub(crate) fn add(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Adds a value and answers its number.
    pub(crate) fn number(&mut self, value: impl Into<Value>) -> usize {
        self.0.push(value.into());
        self.0.len()
    }
}
