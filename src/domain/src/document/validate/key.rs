//! Keys: how they are spelled, and that each names one thing.

use std::collections::BTreeMap;

use super::{Check, MAX_THINGS};
use crate::document::{Category, Region};

/// A key is at most this long.
const MAX_KEY: usize = 64;
/// A name, label or description is at most this long.
const MAX_TEXT: usize = 2_000;

impl Check<'_> {
    /// Every key of the document.
    pub(super) fn keys(&mut self) {
        let document = self.document;
        let mut regions = Vec::new();
        region_keys(&document.regions, "regions", &mut regions);
        let tree = regions.len();
        regions.extend(document.region_groups.iter().enumerate().map(|(at, group)| (group.key.as_str(), format!("regionGroups[{at}]"))));
        self.unique("region or region group", &regions);
        self.count("regions", tree);
        let mut categories = Vec::new();
        category_keys(&document.categories, "categories", &mut categories);
        self.unique("category", &categories);
        self.count("categories", categories.len());
        macro_rules! unique {
            ($member:ident, $path:literal, $what:literal) => {
                let keys: Vec<(&str, String)> =
                    document.$member.iter().enumerate().map(|(at, thing)| (thing.key.as_str(), format!(concat!($path, "[{}]"), at))).collect();
                self.unique($what, &keys);
                self.count($path, keys.len());
            };
        }
        unique!(partner_types, "partnerTypes", "partner type");
        unique!(version_lists, "versionLists", "version list");
        unique!(unit_tables, "unitTables", "unit table");
        unique!(custom_years, "customYears", "list of custom years");
        unique!(metrics, "metrics", "metric");
        unique!(requirements, "requirements", "shared requirement");
        unique!(ladders, "ladders", "ladder");
        unique!(benefits, "benefits", "benefit");
        unique!(rebate_schedules, "rebateSchedules", "rebate schedule");
        unique!(mdf_rules, "mdfRules", "MDF rule");
        unique!(contract_templates, "contractTemplates", "contract template");
        unique!(automations, "automations", "automation");
        self.count("grants", document.grants.len());
        self.count("scenarios", document.scenarios.len());
    }

    fn count(&mut self, path: &str, count: usize) {
        if count > MAX_THINGS {
            self.fault("TOO_MANY", path, format!("{count} are more than the {MAX_THINGS} that a document may have"));
        }
    }

    /// Keys that are well spelled and name one thing each. Keys that differ in case only are refused too: people would mix them up.
    pub(super) fn unique(&mut self, what: &str, keys: &[(&str, String)]) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, path) in keys {
            self.key(key, &format!("{path}.key"));
            match seen.get(&key.to_lowercase()) {
                Some(first) => {
                    self.fault("DUPLICATE_KEY", format!("{path}.key"), format!("the {what} `{key}` is also defined at {first}: give one of them another key"))
                }
                None => {
                    seen.insert(key.to_lowercase(), path);
                }
            }
        }
    }

    /// A key: a letter or digit, then letters, digits, `_`, `-` and `.`.
    pub(super) fn key(&mut self, key: &str, path: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let good = !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(plain) && key.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !good {
            self.fault(
                "INVALID_KEY",
                path,
                format!("a key has 1 to {MAX_KEY} of the characters A-Z, a-z, 0-9, `_`, `-`, `.` and begins with a letter or digit"),
            );
        }
    }

    /// Text for people.
    pub(super) fn text(&mut self, text: Option<&str>, path: impl Into<String>) {
        let Some(text) = text else { return };
        if text.trim().is_empty() || text.len() > MAX_TEXT {
            self.fault("INVALID_TEXT", path, format!("write some text, at most {MAX_TEXT} bytes"));
        } else if let Some(hidden) = text.chars().find(|character| is_hidden(*character)) {
            self.fault("INVALID_TEXT", path, format!("it holds the character U+{:04X}, which nobody sees: leave it out", u32::from(hidden)));
        }
    }
}

/// Control characters, and those that turn the direction of what follows: a name must read as it is written. Lines may break.
fn is_hidden(character: char) -> bool {
    let breaks_line = matches!(character, '\n' | '\r' | '\t');
    (character.is_control() && !breaks_line) || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn region_keys<'d>(regions: &'d [Region], path: &str, all: &mut Vec<(&'d str, String)>) {
    for (at, region) in regions.iter().enumerate() {
        let path = format!("{path}[{at}]");
        all.push((&region.key, path.clone()));
        region_keys(&region.regions, &format!("{path}.regions"), all);
    }
}

fn category_keys<'d>(categories: &'d [Category], path: &str, all: &mut Vec<(&'d str, String)>) {
    for (at, category) in categories.iter().enumerate() {
        let path = format!("{path}[{at}]");
        all.push((&category.key, path.clone()));
        category_keys(&category.categories, &format!("{path}.categories"), all);
    }
}
