//! "The most specific wins" needs one most specific rule: two that are equally specific for somebody are refused (semantics 8).

use super::Check;
use crate::document::scoped::Scoped;
use crate::region::{Geography, RuleScope};

/// Whether some partner finds both rules equally specific.
pub(super) fn equally_specific(geography: &Geography, first: RuleScope<'_>, second: RuleScope<'_>) -> bool {
    let meet = |one: &[String], other: &[String]| match (one.is_empty(), other.is_empty()) {
        (true, true) => true,
        (false, false) => one.iter().any(|key| other.contains(key)),
        _ => false,
    };
    if !meet(first.partner_types, second.partner_types) || !meet(first.tracks, second.tracks) {
        return false;
    }
    match (first.region, first.region_group, second.region, second.region_group) {
        (None, None, None, None) => true,
        (Some(one), None, Some(other), None) => one == other,
        (None, Some(one), None, Some(other)) => {
            one == other || geography.regions.keys().iter().any(|region| geography.in_group(region, one) && geography.in_group(region, other))
        }
        _ => false,
    }
}

impl Check<'_> {
    /// The scope of a row: known names, not both region and group.
    pub(super) fn rule_scope(&mut self, scope: RuleScope<'_>, path: &str) {
        if let Some(region) = scope.region {
            self.region(region, format!("{path}.region"));
        }
        if let Some(group) = scope.region_group {
            self.region_group(group, format!("{path}.regionGroup"));
        }
        self.not_both(path, ("region", scope.region.is_some()), ("regionGroup", scope.region_group.is_some()));
        self.partner_types(scope.partner_types, &format!("{path}.partnerTypes"));
        self.partner_types(scope.tracks, &format!("{path}.tracks"));
    }

    /// The rows of a value that differs by region, type and track.
    pub(super) fn scoped<T>(&mut self, scoped: &Scoped<T>, path: &str) {
        let scopes: Vec<RuleScope<'_>> = scoped
            .rows
            .iter()
            .map(|row| RuleScope {
                region: row.region.as_deref(),
                region_group: row.region_group.as_deref(),
                partner_types: &row.partner_types,
                tracks: &row.tracks,
            })
            .collect();
        if scoped.default.is_none() && scoped.rows.is_empty() {
            self.fault("EMPTY_LIST", path, "write `default`, or at least one row");
        }
        for (index, scope) in scopes.iter().enumerate() {
            let path = format!("{path}.rows[{index}]");
            self.rule_scope(*scope, &path);
            if scope.region.is_none() && scope.region_group.is_none() && scope.partner_types.is_empty() && scope.tracks.is_empty() {
                self.fault("NO_SCOPE", &path, "a row is for a region, a region group, partner types or tracks: name some, or write it as `default`");
            }
            if let Some(other) = scopes.iter().take(index).position(|other| equally_specific(&self.names.geography, *other, *scope)) {
                let message = format!("some partners would find this row and rows[{other}] equally specific: take one away, or make one more specific");
                self.fault("EQUALLY_SPECIFIC", &path, message);
            }
        }
    }
}
