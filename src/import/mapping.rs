//! The mapping document: which column of a file becomes which member of a fact, and how its text is read.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::fault::{Fault, Faults};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kind::{Holds, Kind, Member};

/// How a file becomes facts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// What the lines are.
    pub kind: Kind,
    /// CSV with a header line, or JSON Lines. Default CSV.
    #[serde(default)]
    pub format: Format,
    /// CSV: the one character between fields. Default `,`; a tab is written `"\t"`.
    pub delimiter: Option<String>,
    /// CSV without a header line: the names of its columns, in order.
    #[serde(default)]
    pub header: Vec<String>,
    /// The system that the facts come from; together with `id` it identifies a fact. Needed for transactions, holdings,
    /// activities and deals.
    pub source: Option<String>,
    /// Columns of the file that are left out on purpose.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Leave out every column that the mapping does not name. Without it, such a column is a fault.
    #[serde(default)]
    pub ignore_others: bool,
    /// Where each member of a line comes from.
    pub members: BTreeMap<String, Cell>,
    /// Where each attribute comes from.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeCell>,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Format {
    /// Comma separated values (RFC 4180), UTF-8.
    #[default]
    Csv,
    /// One JSON object a line, UTF-8. Members of nested objects are named with a point: `customer.code`.
    Jsonl,
}

/// Where a member comes from and how it is read; `LongCell` is how it is written and says what each part means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The column.
    pub column: Option<String>,
    /// Several columns, joined.
    pub columns: Vec<String>,
    /// What stands between joined columns.
    pub separator: Option<String>,
    /// The same text for every line.
    pub constant: Option<String>,
    /// Used where the file has nothing.
    pub default: Option<String>,
    /// Whether spaces at both ends are cut.
    pub trim: bool,
    /// What the file writes, and what is meant by it.
    pub aliases: BTreeMap<String, String>,
    /// Whether a value without an alias is a fault.
    pub only_aliases: bool,
    /// Writes a name as keys are written.
    pub as_key: bool,
    /// How the file writes dates.
    pub format: Option<String>,
    /// The file prints the last day on which it counts.
    pub inclusive_expiry: bool,
    /// How the file writes decimals.
    pub number: Option<NumberFormat>,
}

/// How a file writes decimals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NumberFormat {
    /// The decimal sign. Default `.`.
    pub decimal: Option<String>,
    /// What stands between groups of three digits: `.`, `,`, `'` or a space. Without it none may.
    pub group: Option<String>,
    /// Signs and words that are cut off at either end: `€`, `USD`.
    #[serde(default)]
    pub strip: Vec<String>,
    /// `(12.50)` is minus 12.50.
    #[serde(default)]
    pub parentheses_negative: bool,
    /// `12.50-` is minus 12.50.
    #[serde(default)]
    pub trailing_minus: bool,
    /// Zeros after the last decimal that matters are dropped: `12.5000` is 12.5.
    #[serde(default)]
    pub drop_trailing_zeros: bool,
    /// The sign is turned: a file that writes returns as positive cost.
    #[serde(default)]
    pub negate: bool,
}

/// Where an attribute comes from, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeCell {
    /// Where it comes from and how it is read.
    pub cell: Cell,
    /// What it holds.
    pub r#type: AttributeType,
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttributeType {
    /// Text.
    #[default]
    Text,
    /// A number.
    Number,
    /// `true` or `false`; other words by `aliases`.
    Boolean,
    /// A date.
    Date,
}

/// Where a member comes from and how it is read. Exactly one of `column`, `columns` and `constant`. The steps, in this order:
/// trim, default, alias, asKey, then the date or number format.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Cell")]
struct LongCell {
    /// The column.
    column: Option<String>,
    /// Several columns, joined. If all of them are empty, so is the member; if only some are, that is a fault.
    #[serde(default)]
    columns: Vec<String>,
    /// What stands between joined columns. Default `-`.
    separator: Option<String>,
    /// The same text for every line.
    constant: Option<Plain>,
    /// Used where the file has nothing.
    default: Option<Plain>,
    /// Whether spaces at both ends are cut. Default true.
    trim: Option<bool>,
    /// What the file writes, and what is meant by it. An alias to the empty text empties the member.
    #[serde(default)]
    aliases: BTreeMap<String, Plain>,
    /// Whether a value that has no alias is a fault. Default: it is kept as it stands.
    #[serde(default)]
    only_aliases: bool,
    /// Writes a name as keys are written: `Road Frames` becomes `ROAD_FRAMES`.
    #[serde(default)]
    as_key: bool,
    /// Dates: how the file writes them, in strftime letters: `%d.%m.%Y`. Default `%Y-%m-%d`.
    format: Option<String>,
    /// Dates `until` and `expiresOn`: the file prints the last day on which it counts; the day after is meant.
    #[serde(default)]
    inclusive_expiry: bool,
    /// Decimals: how the file writes them. Default: `-1234.50`.
    number: Option<NumberFormat>,
    /// Attributes only: what it holds. Default TEXT.
    r#type: Option<AttributeType>,
}

/// Text, a whole number, or yes and no; a bare decimal would have gone through a float.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Bool(value) => Ok(Self(value.to_string())),
            Value::Number(number) if !number.is_f64() => Ok(Self(number.to_string())),
            _ => Err(serde::de::Error::custom("expected text; put a decimal in quotes")),
        }
    }
}

impl LongCell {
    fn into_cell(self) -> (Cell, Option<AttributeType>) {
        let cell = Cell {
            column: self.column,
            columns: self.columns,
            separator: self.separator,
            constant: self.constant.map(|plain| plain.0),
            default: self.default.map(|plain| plain.0),
            trim: self.trim.unwrap_or(true),
            aliases: self.aliases.into_iter().map(|(from, to)| (from, to.0)).collect(),
            only_aliases: self.only_aliases,
            as_key: self.as_key,
            format: self.format,
            inclusive_expiry: self.inclusive_expiry,
            number: self.number,
        };
        (cell, self.r#type)
    }
}

impl Cell {
    /// A column, as it stands.
    pub fn of(column: &str) -> Self {
        Self {
            column: Some(column.to_owned()),
            columns: Vec::new(),
            separator: None,
            constant: None,
            default: None,
            trim: true,
            aliases: BTreeMap::new(),
            only_aliases: false,
            as_key: false,
            format: None,
            inclusive_expiry: false,
            number: None,
        }
    }

    /// The columns that it reads.
    pub fn sources(&self) -> impl Iterator<Item = &String> {
        self.column.iter().chain(&self.columns)
    }
}

fn read_cell<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(Cell, Option<AttributeType>), D::Error> {
    use serde::de::Error as _;
    match Value::deserialize(deserializer)? {
        Value::String(column) => Ok((Cell::of(&column), None)),
        long @ Value::Object(_) => serde_json::from_value::<LongCell>(long).map(LongCell::into_cell).map_err(D::Error::custom),
        _ => Err(D::Error::custom("expected the name of a column, or an object with `column`, `columns` or `constant`")),
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match read_cell(deserializer)? {
            (cell, None) => Ok(cell),
            (_, Some(_)) => Err(serde::de::Error::custom("`type` is for attributes; a member's type is known")),
        }
    }
}

impl<'de> Deserialize<'de> for AttributeCell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (cell, r#type) = read_cell(deserializer)?;
        Ok(Self { cell, r#type: r#type.unwrap_or_default() })
    }
}

macro_rules! bare_or_long {
    ($name:ident) => {
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                concat!(stringify!($name), "OrColumn").into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let long = generator.subschema_for::<LongCell>();
                schemars::json_schema!({ "anyOf": [{ "type": "string", "minLength": 1 }, long], "description": "The name of a column, or how to read the member." })
            }
        }
    };
}
bare_or_long!(Cell);
bare_or_long!(AttributeCell);

/// Reads a mapping document, in YAML or JSON. All faults at once.
pub fn read_mapping(text: &str) -> Result<Mapping, Faults> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let tree: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        Fault::new("MALFORMED_MAPPING", "", format!("the mapping cannot be read: {}", error.to_string().lines().next().unwrap_or_default()))
    })?;
    let Value::Object(mut tree) = tree else {
        return Err(Fault::new("MALFORMED_MAPPING", "", "a mapping is an object with `kind` and `members`").into());
    };
    let mut faults = Faults::new();
    // Cells are read one by one, so that a fault in one does not hide those of the others.
    let members = read_entries::<Cell>(tree.remove("members"), "members", &mut faults);
    let attributes = read_entries::<AttributeCell>(tree.remove("attributes"), "attributes", &mut faults);
    tree.insert("members".to_owned(), Value::Object(serde_json::Map::new()));
    let head: Option<Mapping> = match serde_json::from_value(Value::Object(tree)) {
        Ok(mapping) => Some(mapping),
        Err(error) => {
            faults.add("INVALID_MAPPING", "", error.to_string());
            None
        }
    };
    let Some(head) = head else { return Err(faults) };
    let mapping = Mapping { members, attributes, ..head };
    check(&mapping, &mut faults);
    faults.or(mapping)
}

fn read_entries<T: DeserializeOwned>(tree: Option<Value>, path: &str, faults: &mut Faults) -> BTreeMap<String, T> {
    let entries = match tree {
        None | Some(Value::Null) => return BTreeMap::new(),
        Some(Value::Object(entries)) => entries,
        Some(_) => {
            faults.add("INVALID_MAPPING", path, "expected an object: name of the member, then where it comes from");
            return BTreeMap::new();
        }
    };
    let mut read = BTreeMap::new();
    for (name, value) in entries {
        match serde_json::from_value::<T>(value) {
            Ok(cell) => {
                read.insert(name, cell);
            }
            Err(error) => faults.add("INVALID_MAPPING", format!("{path}.{name}"), error.to_string()),
        }
    }
    read
}

fn check(mapping: &Mapping, faults: &mut Faults) {
    check_head(mapping, faults);
    for member in mapping.kind.members().iter().filter(|member| member.required) {
        let named = mapping.members.contains_key(member.name) || faults.0.iter().any(|fault| fault.path == format!("members.{}", member.name));
        if !named {
            faults.add("MISSING_MEMBER", format!("members.{}", member.name), format!("every line of {} needs it: name its column or a constant", mapping.kind));
        }
    }
    for (name, cell) in &mapping.members {
        let path = format!("members.{name}");
        match mapping.kind.member(name) {
            Some(member) => check_cell(cell, member.holds, member, &path, faults),
            None => {
                let known: Vec<&str> = mapping.kind.members().iter().map(|member| member.name).collect();
                faults.add("UNKNOWN_MEMBER", path, format!("{} have no such member: use one of {}, or `attributes`", mapping.kind, known.join(", ")));
            }
        }
    }
    if !mapping.kind.has_attributes() && !mapping.attributes.is_empty() {
        faults.add("UNKNOWN_MEMBER", "attributes", format!("{} carry no attributes", mapping.kind));
    }
    for (name, cell) in &mapping.attributes {
        let path = format!("attributes.{name}");
        let holds = match cell.r#type {
            AttributeType::Text => Holds::Text,
            AttributeType::Number => Holds::Decimal,
            AttributeType::Boolean => Holds::Word(&["true", "false"]),
            AttributeType::Date => Holds::Date,
        };
        check_cell(&cell.cell, holds, &ATTRIBUTE, &path, faults);
    }
}

const ATTRIBUTE: Member = Member { name: "", required: false, holds: Holds::Text, meaning: "" };

fn check_head(mapping: &Mapping, faults: &mut Faults) {
    if let Some(delimiter) = &mapping.delimiter {
        let mut bytes = delimiter.bytes();
        match (bytes.next(), bytes.next(), mapping.format) {
            (_, _, Format::Jsonl) => faults.add("INVALID_DELIMITER", "delimiter", "JSON Lines have no delimiter: leave it out"),
            (Some(b'"' | b'\n' | b'\r'), None, _) | (None, ..) | (Some(_), Some(_), _) => {
                faults.add("INVALID_DELIMITER", "delimiter", "write one character, such as \",\", \";\" or \"\\t\"; not a quote or a line end");
            }
            _ => {}
        }
    }
    if mapping.format == Format::Jsonl && !mapping.header.is_empty() {
        faults.add("INVALID_HEADER", "header", "JSON Lines name their members themselves: leave `header` out");
    }
    let mut seen = BTreeSet::new();
    for (index, column) in mapping.header.iter().enumerate() {
        if !seen.insert(column) {
            faults.add("DUPLICATE_COLUMN", format!("header[{index}]"), format!("column \"{column}\" is named twice"));
        }
    }
    match (&mapping.source, mapping.kind.has_source()) {
        (None, true) => faults.add("MISSING_SOURCE", "source", "name the system that these facts come from; with `id` it identifies a fact"),
        (Some(source), _) if source.trim().is_empty() || source.chars().count() > super::MAX_KEY_CHARS => {
            faults.add("INVALID_SOURCE", "source", format!("write 1 to {} characters", super::MAX_KEY_CHARS));
        }
        _ => {}
    }
}

fn check_cell(cell: &Cell, holds: Holds, member: &Member, path: &str, faults: &mut Faults) {
    let origins = usize::from(cell.column.is_some()) + usize::from(!cell.columns.is_empty()) + usize::from(cell.constant.is_some());
    if origins != 1 {
        faults.add("INVALID_MAPPING", path, "give exactly one of `column`, `columns` and `constant`");
    }
    if cell.separator.is_some() && cell.columns.is_empty() {
        faults.add("INVALID_MAPPING", format!("{path}.separator"), "only joined `columns` have a separator");
    }
    if cell.only_aliases && cell.aliases.is_empty() {
        faults.add("INVALID_MAPPING", format!("{path}.onlyAliases"), "there are no aliases");
    }
    if let Some(format) = &cell.format {
        if holds == Holds::Date {
            faults.keep(&format!("{path}.format"), super::cell::check_date_format(format));
        } else {
            faults.add("INVALID_MAPPING", format!("{path}.format"), "only dates have a format; decimals have `number`");
        }
    }
    if cell.number.is_some() && holds != Holds::Decimal {
        faults.add("INVALID_MAPPING", format!("{path}.number"), "only decimals have a number format");
    }
    if let Some(number) = &cell.number {
        check_number_format(number, &format!("{path}.number"), faults);
    }
    if cell.inclusive_expiry && !matches!(member.name, "until" | "expiresOn") {
        faults.add("INVALID_MAPPING", format!("{path}.inclusiveExpiry"), "only `until` and `expiresOn` have an expiry");
    }
    if cell.as_key && !matches!(holds, Holds::Key | Holds::Text | Holds::Word(_)) {
        faults.add("INVALID_MAPPING", format!("{path}.asKey"), "only keys and texts can be written as a key");
    }
}

fn check_number_format(number: &NumberFormat, path: &str, faults: &mut Faults) {
    let single =
        |text: &Option<String>| text.as_deref().is_none_or(|text| text.chars().count() == 1 && !text.chars().any(|sign| sign.is_ascii_digit() || sign == '-'));
    if !single(&number.decimal) || !single(&number.group) {
        faults.add("INVALID_MAPPING", path, "`decimal` and `group` are one sign each, not a digit and not a minus");
    }
    let decimal = number.decimal.as_deref().unwrap_or(".");
    if number.group.as_deref() == Some(decimal) {
        faults.add("INVALID_MAPPING", path, "`decimal` and `group` are the same sign; the default decimal sign is \".\"");
    }
    if number.strip.iter().any(|sign| sign.is_empty() || sign.chars().any(|sign| sign.is_ascii_digit())) {
        faults.add("INVALID_MAPPING", format!("{path}.strip"), "what is cut off is not empty and holds no digits");
    }
}
