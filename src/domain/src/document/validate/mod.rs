//! What a well-formed document must also satisfy before it is published: nothing unknown, nothing ambiguous, nothing that two
//! readers would compute differently. All faults at once, each with its path and what to do.

mod benefit;
mod cadence;
mod cycle;
mod key;
mod ladder;
mod mdf;
mod measure;
mod metric;
mod names;
mod never;
mod rebate;
mod region;
mod requirement;
mod scenario;
mod specificity;
mod structure;
mod unfolded;
mod unit;
mod window;

use std::fmt::Display;

use super::Document;
use super::benefit::TermGrant;
use super::ladder::Ladder;
use super::shape::nearest;
use crate::facts::ContractTerms;
use crate::fault::Faults;
use names::Names;
pub(super) use names::Unread;

/// A document has at most this many of one kind of thing.
pub const MAX_THINGS: usize = 5_000;
/// Trees (regions, categories, filters, requirements) are at most this deep.
pub const MAX_TREE_DEPTH: usize = 24;

/// Everything that is ambiguous or broken in `document`. Its scenarios are judged too.
pub fn validate(document: &Document) -> Faults {
    validate_read(document, Unread::default())
}

/// The same of a document of which some metrics could not be read.
pub(super) fn validate_read(document: &Document, unread: Unread) -> Faults {
    let mut check = Check { names: Names::of(document, unread), document, faults: Faults::new() };
    check.header();
    check.keys();
    check.structure();
    check.metrics();
    check.shared_requirements();
    check.ladders();
    check.cadences();
    check.benefits();
    check.grants();
    check.rebates();
    check.mdf_rules();
    check.contract_templates();
    check.automations();
    check.cycles();
    check.unfolded();
    check.scenarios();
    check.faults
}

/// Rules that lean on themselves. Whatever follows rules would not come to an end, so that they are refused also in a document that was
/// published before other checks came.
pub fn circles(document: &Document) -> Faults {
    let mut check = Check { names: Names::of(document, Unread::default()), document, faults: Faults::new() };
    check.cycles();
    check.faults
}

/// The faults of what a contract or an exception does to a benefit, outside a document: in facts.
pub fn term_grant_faults(document: &Document, term: &TermGrant, path: &str) -> Faults {
    let mut check = Check { names: Names::of(document, Unread::default()), document, faults: Faults::new() };
    check.term_grant(term, path);
    check.faults
}

/// The faults of the terms of a contract, outside a document: in facts.
pub fn contract_terms_faults(document: &Document, terms: &ContractTerms, path: &str) -> Faults {
    if *terms == ContractTerms::default() {
        return Faults::new();
    }
    let mut check = Check { names: Names::of(document, Unread::default()), document, faults: Faults::new() };
    check.contract_terms(terms, path);
    check.faults
}

/// The state of one validation.
struct Check<'d> {
    document: &'d Document,
    names: Names<'d>,
    faults: Faults,
}

impl Check<'_> {
    fn fault(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.faults.add(code, path, message);
    }

    /// The same of what several members ask for: once.
    fn fault_once(&mut self, code: &str, path: String, message: &str) {
        if !self.faults.0.iter().any(|fault| fault.code == code && fault.path == path) {
            self.fault(code, path, message);
        }
    }

    /// Reports a key that `known` lacks.
    fn reference<'k>(&mut self, what: &str, key: &str, path: impl Into<String>, known: impl Iterator<Item = &'k str> + Clone) {
        self.reference_in(what, "the document", key, path, known);
    }

    /// Reports a tier that a ladder lacks.
    fn tier_reference(&mut self, ladder: &Ladder, tier: &str, path: impl Into<String>) {
        self.reference_in("tier", &format!("the ladder `{}`", ladder.key), tier, path, ladder.tiers.iter().map(|tier| tier.key.as_str()));
    }

    /// Reports a key that `known` lacks; `place` is where it is looked for.
    fn reference_in<'k>(&mut self, what: &str, place: &str, key: &str, path: impl Into<String>, known: impl Iterator<Item = &'k str> + Clone) {
        if known.clone().any(|known| known == key) {
            return;
        }
        let advice = instead_of(key, known).unwrap_or_else(|| format!("{place} has no {what} at all"));
        let within = if place == "the document" { String::new() } else { format!(" in {place}") };
        self.fault("UNKNOWN_KEY", path, format!("there is no {what} `{key}`{within}: {advice}"));
    }

    fn region(&mut self, key: &str, path: impl Into<String>) {
        let keys: Vec<String> = self.names.regions.keys().to_vec();
        self.reference("region", key, path, keys.iter().map(String::as_str));
    }

    fn category(&mut self, key: &str, path: impl Into<String>) {
        let keys: Vec<String> = self.names.categories.keys().to_vec();
        self.reference("category", key, path, keys.iter().map(String::as_str));
    }

    fn region_group(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("region group", key, path, document.region_groups.iter().map(|group| group.key.as_str()));
    }

    fn partner_type(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("partner type", key, path, document.partner_types.iter().map(|known| known.key.as_str()));
    }

    fn partner_types(&mut self, keys: &[String], path: &str) {
        for (index, key) in keys.iter().enumerate() {
            self.partner_type(key, format!("{path}[{index}]"));
        }
        self.no_repetition(keys, path);
    }

    fn no_repetition(&mut self, keys: &[String], path: &str) {
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|earlier| earlier == key) {
                self.fault("DUPLICATE", format!("{path}[{index}]"), format!("`{key}` stands twice: leave one out"));
            }
        }
    }

    fn metric_key(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("metric", key, path, document.metrics.iter().map(|metric| metric.key.as_str()));
    }

    fn template(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("contract template", key, path, document.contract_templates.iter().map(|template| template.key.as_str()));
    }

    fn schedule(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("rebate schedule", key, path, document.rebate_schedules.iter().map(|schedule| schedule.key.as_str()));
    }

    fn benefit_key(&mut self, key: &str, path: impl Into<String>) {
        let document = self.document;
        self.reference("benefit", key, path, document.benefits.iter().map(|benefit| benefit.key.as_str()));
    }

    /// Reports when not exactly one of several members is given.
    fn exactly_one(&mut self, path: &str, members: &[(&str, bool)]) {
        let given: Vec<&str> = members.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        if given.len() != 1 {
            let all = members.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let found = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
            self.fault("NOT_EXACTLY_ONE", path, format!("write exactly one of {all}; found {found}"));
        }
    }

    /// Reports two members of which at most one may stand.
    fn not_both(&mut self, path: &str, first: (&str, bool), second: (&str, bool)) {
        if first.1 && second.1 {
            self.fault("NOT_BOTH", path, format!("write `{}` or `{}`, not both", first.0, second.0));
        }
    }

    /// Reports a member that has no meaning here.
    fn out_of_place(&mut self, given: bool, path: impl Into<String>, why: impl Display) {
        if given {
            self.fault("OUT_OF_PLACE", path, format!("{why}: leave it out"));
        }
    }

    /// Reports a count of zero.
    fn at_least_one(&mut self, count: u32, path: impl Into<String>) {
        if count == 0 {
            self.fault("OUT_OF_RANGE", path, "write 1 or more");
        }
    }

    /// Reports a span without a day.
    fn span(&mut self, from: Option<crate::date::Date>, until: Option<crate::date::Date>, path: &str) {
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            self.fault("EMPTY_SPAN", format!("{path}.until"), format!("`until` is the first day after the span, so it lies after `from` ({from})"));
        }
    }

    /// Reports a list without elements.
    fn not_empty<T>(&mut self, list: &[T], path: impl Into<String>, what: &str) {
        if list.is_empty() {
            self.fault("EMPTY_LIST", path, format!("list at least one {what}"));
        }
    }
}

/// What is to be written in place of a key that is not among these; none where there are none.
pub(crate) fn instead_of<'k>(key: &str, known: impl Iterator<Item = &'k str> + Clone) -> Option<String> {
    known.clone().next()?;
    Some(nearest(key, known.clone()).map_or_else(|| format!("write one of {}", few(known)), |near| format!("did you mean `{near}`?")))
}

/// The first few of many keys.
fn few<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    const SHOWN: usize = 12;
    let keys: Vec<&str> = keys.collect();
    let shown: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`{key}`")).collect();
    let more = keys.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod meaning_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
