//! Mending a value until it has its shape, so that the rest of it can be judged as well. What was put in says nothing.

use serde_json::{Map, Value, json};

use super::{Node, Shape, step};

/// Nothing is put in deeper than this.
const MAX_DEPTH: usize = 12;

/// What was changed to mend a value.
#[derive(Debug, Default)]
pub struct Mended {
    /// Paths at which something else stands now, or nothing any more.
    pub paths: Vec<String>,
    /// Members that nobody knows and that were taken out: where from, and their name.
    pub unknown: Vec<(String, String)>,
    /// Keys that were defined in what was taken out.
    pub lost_keys: Vec<String>,
}

impl Mended {
    fn at(&mut self, path: &str, lost: &Value) {
        self.paths.push(path.to_owned());
        keys_of(lost, &mut self.lost_keys);
    }

    /// Whether a fault at `path` may be of what was put in.
    pub fn covers(&self, path: &str) -> bool {
        self.paths.iter().any(|mended| is_under(path, mended))
    }

    /// Whether something at or under `path` was changed.
    pub fn is_within(&self, path: &str) -> bool {
        self.paths.iter().any(|mended| is_under(mended, path))
    }
}

fn is_under(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn keys_of(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            keys.extend(object.get("key").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|inner| keys_of(inner, keys));
        }
        Value::Array(list) => list.iter().for_each(|inner| keys_of(inner, keys)),
        _ => {}
    }
}

impl Shape {
    /// Changes `value` until it has this shape: what is wrong is replaced by something of the right kind, what is missing is put
    /// in, what is unknown is taken out.
    pub fn mend(&self, value: &mut Value) -> Mended {
        let mut mended = Mended::default();
        self.mend_node(self.root, value, "", &mut mended);
        mended
    }

    fn mend_node(&self, at: usize, value: &mut Value, path: &str, mended: &mut Mended) {
        let Some(node) = self.nodes.get(at) else { return };
        match (node, &mut *value) {
            (Node::Nullable(inner), given) if !given.is_null() => return self.mend_node(*inner, given, path, mended),
            (Node::BareOr { bare, long }, given) => return self.mend_node(if given.is_object() { *long } else { *bare }, given, path, mended),
            (Node::Object(members), Value::Object(object)) => {
                object.retain(|name, lost| {
                    let known = members.contains_key(name);
                    if !known {
                        mended.at(&step(path, name), lost);
                        mended.unknown.push((path.to_owned(), name.clone()));
                    }
                    known
                });
                for (name, member) in members {
                    match object.get_mut(name) {
                        Some(given) => self.mend_node(member.shape, given, &step(path, name), mended),
                        None if member.required => {
                            mended.at(&step(path, name), &Value::Null);
                            object.insert(name.clone(), self.stand_in(member.shape, 0));
                        }
                        None => {}
                    }
                }
                return;
            }
            (Node::Keyed { value: inner, .. }, Value::Object(object)) => {
                return object.iter_mut().for_each(|(name, given)| self.mend_node(*inner, given, &step(path, name), mended));
            }
            (Node::List(inner), Value::Array(list)) => {
                return list.iter_mut().enumerate().for_each(|(index, given)| self.mend_node(*inner, given, &format!("{path}[{index}]"), mended));
            }
            (Node::OneOf(members), Value::Object(object)) if object.len() == 1 => {
                if let Some((inner, (name, given))) = object.iter_mut().next().and_then(|(name, given)| Some((members.get(name)?, (name, given)))) {
                    return self.mend_node(*inner, given, &step(path, name), mended);
                }
            }
            _ => {}
        }
        if !self.fits(at, value) {
            mended.at(path, value);
            *value = self.stand_in(at, 0);
        }
    }

    fn fits(&self, at: usize, value: &Value) -> bool {
        let mut walk = super::Walk { shape: self, faults: crate::fault::Faults::new() };
        walk.visit(at, value, "");
        walk.faults.is_empty()
    }

    /// Something of the right kind.
    fn stand_in(&self, at: usize, depth: usize) -> Value {
        let inner = |at: &usize| self.stand_in(*at, depth + 1);
        match self.nodes.get(at) {
            _ if depth > MAX_DEPTH => Value::Null,
            Some(Node::Object(members)) => {
                Value::Object(members.iter().filter(|(_, member)| member.required).map(|(name, member)| (name.clone(), inner(&member.shape))).collect())
            }
            Some(Node::Keyed { .. }) => Value::Object(Map::new()),
            Some(Node::List(_)) => json!([]),
            Some(Node::OneOf(members)) => members.iter().next().map_or(Value::Null, |(name, member)| json!({ name: inner(member) })),
            Some(Node::Word(words)) => words.first().map_or(Value::Null, |word| json!(word)),
            Some(Node::BareOr { bare, .. }) => inner(bare),
            Some(Node::Leaf(leaf)) => match leaf.name {
                "Date" => json!("2000-01-01"),
                "Currency" => json!("USD"),
                _ => json!(1),
            },
            Some(Node::Text) => json!("x"),
            Some(Node::Whole) => json!(1),
            Some(Node::Boolean) => json!(false),
            Some(Node::Nullable(_) | Node::Anything) | None => Value::Null,
        }
    }
}
