//! The JSON Schema of mapping documents, so that editors complete and check them.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::kind::{Holds, Kind, Member};
use super::mapping::Mapping;

/// The schema. For each kind it lists the members, says what each means, and which are needed.
pub fn mapping_schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Mapping>();
    let mut tree = schema.to_value();
    let kinds: Vec<Value> = Kind::ALL.iter().map(|kind| rules_of(*kind)).collect();
    if let Value::Object(tree) = &mut tree {
        tree.insert("title".to_owned(), json!("Guerdon import mapping"));
        tree.insert("allOf".to_owned(), Value::Array(kinds));
    }
    tree
}

fn rules_of(kind: Kind) -> Value {
    let properties: serde_json::Map<String, Value> =
        kind.members().iter().map(|member| (member.name.to_owned(), json!({ "description": meaning(member) }))).collect();
    let required: Vec<&str> = kind.members().iter().filter(|member| member.required).map(|member| member.name).collect();
    let members = json!({ "properties": properties, "required": required, "propertyNames": { "enum": properties.keys().collect::<Vec<_>>() } });
    let mut then = json!({ "properties": { "members": members } });
    if kind.has_source() {
        then["required"] = json!(["source"]);
    }
    json!({ "if": { "properties": { "kind": { "const": kind.name() } } }, "then": then })
}

fn meaning(member: &Member) -> String {
    let holds = match member.holds {
        Holds::Key => "a key".to_owned(),
        Holds::Text => "text".to_owned(),
        Holds::Date => "a date".to_owned(),
        Holds::Decimal => "a decimal".to_owned(),
        Holds::Currency => "a currency".to_owned(),
        Holds::Word(words) => words.join(", "),
    };
    format!("{} ({holds})", member.meaning)
}
