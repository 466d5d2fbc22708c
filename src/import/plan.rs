//! A mapping held against a file: which field of a record each member reads.

use std::borrow::Cow;
use std::collections::BTreeSet;

use guerdon_domain::fault::{Fault, Faults};

use super::cell::settle;
use super::kind::{Holds, Member};
use super::mapping::{AttributeType, Cell, Mapping};
use super::record::{Fields, Named, Record};
use super::rejects::{LINE_COLUMN, REASONS_COLUMN};

/// What a member of a line reads.
pub struct Origin {
    /// Its name in the mapping: `amount`, or `attributes.city`.
    pub path: String,
    /// What it holds.
    pub holds: Holds,
    /// Whether every line must have it.
    pub required: bool,
    /// How it is read.
    pub cell: Cell,
    columns: Vec<Column>,
}

/// A column of the file.
struct Column {
    name: String,
    index: Option<usize>,
}

/// A mapping held against a file.
pub struct Plan {
    /// The members, in the order of the kind.
    pub members: Vec<(&'static Member, Origin)>,
    /// The attributes.
    pub attributes: Vec<(String, AttributeType, Origin)>,
    /// Columns that the file may have; everything when empty.
    allowed: Option<BTreeSet<String>>,
}

impl Plan {
    /// Holds a mapping against the columns of a file, where the file states them. All faults at once.
    pub fn new(mapping: &Mapping, header: Option<&[String]>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut members = Vec::new();
        for member in mapping.kind.members() {
            if let Some(cell) = mapping.members.get(member.name) {
                let path = format!("members.{}", member.name);
                members.push((member, Origin::new(path, member.holds, member.required, cell, header, &mut faults)));
            }
        }
        let mut attributes = Vec::new();
        for (name, attribute) in &mapping.attributes {
            let holds = match attribute.r#type {
                AttributeType::Text => Holds::Text,
                AttributeType::Number => Holds::Decimal,
                AttributeType::Boolean => Holds::Word(&["true", "false"]),
                AttributeType::Date => Holds::Date,
            };
            attributes.push((name.clone(), attribute.r#type, Origin::new(format!("attributes.{name}"), holds, false, &attribute.cell, header, &mut faults)));
        }
        let allowed = (!mapping.ignore_others).then(|| {
            let cells = mapping.members.values().chain(mapping.attributes.values().map(|attribute| &attribute.cell));
            let named = cells.flat_map(Cell::sources).chain(&mapping.ignore).cloned();
            named.chain([LINE_COLUMN.to_owned(), REASONS_COLUMN.to_owned()]).collect::<BTreeSet<_>>()
        });
        let plan = Self { members, attributes, allowed };
        for column in header.unwrap_or_default() {
            if !plan.allows(column) {
                faults.add(
                    "UNKNOWN_COLUMN",
                    "ignore",
                    format!("the file has a column \"{column}\" that the mapping does not name: map it, or list it under `ignore`"),
                );
            }
        }
        if let Some(header) = header {
            for (index, column) in mapping.ignore.iter().enumerate().filter(|(_, column)| !header.contains(column)) {
                faults.add("MISSING_COLUMN", format!("ignore[{index}]"), format!("the file has no column \"{column}\""));
            }
        }
        faults.or(plan)
    }

    fn allows(&self, column: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(column) || column.match_indices('.').any(|(at, _)| allowed.contains(&column[..at])))
    }

    /// Members of a JSON object that the mapping does not name.
    pub fn unknown<'a>(&self, record: &'a Record) -> Vec<&'a str> {
        match &record.fields {
            Fields::Ordered(_) => Vec::new(),
            Fields::Named(members, _) => members.keys().map(String::as_str).filter(|name| !self.allows(name)).collect(),
        }
    }
}

impl Origin {
    fn new(path: String, holds: Holds, required: bool, cell: &Cell, header: Option<&[String]>, faults: &mut Faults) -> Self {
        let mut columns = Vec::new();
        for name in cell.sources() {
            let index = header.and_then(|header| header.iter().position(|column| column == name));
            if header.is_some() && index.is_none() {
                faults.add("MISSING_COLUMN", &path, format!("the file has no column \"{name}\"; it has {}", some_of(header.unwrap_or_default())));
            }
            columns.push(Column { name: name.clone(), index });
        }
        Self { path, holds, required, cell: cell.clone(), columns }
    }

    /// The columns that it reads, for messages.
    pub fn column(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        if names.is_empty() { self.path.clone() } else { names.join("+") }
    }

    /// Its text in a record, after trim, default, alias and key.
    pub fn text<'a>(&'a self, record: &'a Record) -> Result<Option<Cow<'a, str>>, Fault> {
        if let Some(constant) = &self.cell.constant {
            return settle(&self.cell, Some(Cow::Borrowed(constant)));
        }
        let raw = match self.columns.as_slice() {
            [column] => column.read(record)?.map(Cow::Borrowed),
            columns => self.join(columns, record)?,
        };
        settle(&self.cell, raw)
    }

    fn join<'a>(&self, columns: &'a [Column], record: &'a Record) -> Result<Option<Cow<'a, str>>, Fault> {
        let mut parts = Vec::with_capacity(columns.len());
        for column in columns {
            let part = column.read(record)?.map(|part| if self.cell.trim { part.trim() } else { part });
            parts.push(part.filter(|part| !part.is_empty()));
        }
        if parts.iter().all(Option::is_none) {
            return Ok(None);
        }
        let whole: Option<Vec<&str>> = parts.into_iter().collect();
        let separator = self.cell.separator.as_deref().unwrap_or("-");
        whole.map(|parts| Some(Cow::Owned(parts.join(separator)))).ok_or_else(|| Fault::new("MISSING_VALUE", "", "one of the joined columns is empty"))
    }
}

impl Column {
    fn read<'a>(&self, record: &'a Record) -> Result<Option<&'a str>, Fault> {
        match &record.fields {
            Fields::Ordered(fields) => match self.index.and_then(|index| fields.get(index)).map(std::str::from_utf8) {
                Some(Err(_)) => Err(Fault::new("INVALID_UTF8", "", "the field is not UTF-8: save the file as UTF-8")),
                Some(Ok(text)) => Ok(Some(text)),
                None => Ok(None),
            },
            Fields::Named(members, _) => match members.get(&self.name) {
                Some(Named::Array) => Err(Fault::new("NOT_A_VALUE", "", "an array or a deep object is not a value")),
                Some(Named::Value(text)) => Ok(Some(text)),
                None => Ok(None),
            },
        }
    }
}

fn some_of(header: &[String]) -> String {
    let mut names = header.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    if header.len() > 20 {
        names.push_str(", …");
    }
    names
}
