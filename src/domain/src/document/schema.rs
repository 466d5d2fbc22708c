//! The JSON Schema of the program document, for editors and for programs that write documents.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Document;

/// Its identity; the number is the document format's.
pub const SCHEMA_ID: &str = "urn:guerdon:program-document:1";

/// The JSON Schema (2020-12) of the program document, with a description for every member.
pub fn json_schema() -> Value {
    let mut schema = schema_of::<Document>("Guerdon program document");
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), json!(SCHEMA_ID));
    }
    schema
}

/// The JSON Schema (2020-12) of a type that is written by people.
pub fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
    }
    schema
}

/// Closes objects without members of their own, and takes out of descriptions what only readers of the source can follow.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Object(object) => {
            let is_object = object.get("type").is_some_and(|kind| kind == "object");
            if is_object && ["properties", "additionalProperties", "patternProperties"].iter().all(|name| !object.contains_key(*name)) {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = plain(description);
            }
            for (name, member) in object.iter_mut() {
                if name != "description" && name != "default" {
                    tidy(member);
                }
            }
        }
        _ => {}
    }
}

/// A doc comment as plain text: without references to the design notes, links and line ends.
pub(crate) fn plain(description: &str) -> String {
    let mut text = description.replace('\n', " ").replace("[`", "`").replace("`]", "`");
    while let Some(start) = text.find(" (semantics")
        && let Some(length) = text.get(start..).and_then(|rest| rest.find(')'))
    {
        text.replace_range(start..=start + length, "");
    }
    text
}
