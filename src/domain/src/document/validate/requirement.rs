//! Requirement trees.

use super::measure::Bound;
use super::{Check, MAX_TREE_DEPTH};
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::metric::{Source, Unit};
use crate::document::requirement::{AtLeast, Comparison, ForEach, LaddersHeld, PartnerIs, Requirement, Threshold, TierHeld};
use crate::document::scoped::Scoped;
use crate::exact::Exact;
use crate::region::Geography;

/// Tenures reach back at most this far.
const MAX_TENURE_MONTHS: u32 = 1_200;

/// Thresholds, each with its path.
pub(super) fn placed<'s>(scoped: &'s Scoped<Threshold>, path: &str) -> impl Iterator<Item = (String, &'s Threshold)> + use<'s> {
    let (whole, rows) = (if scoped.rows.is_empty() { path.to_owned() } else { format!("{path}.default") }, format!("{path}.rows"));
    let of_rows = scoped.rows.iter().enumerate().map(move |(index, row)| (format!("{rows}[{index}].value"), &row.value));
    scoped.default.iter().map(move |value| (whole.clone(), value)).chain(of_rows)
}

impl Check<'_> {
    /// The requirements that rules share.
    pub(super) fn shared_requirements(&mut self) {
        let document = self.document;
        for (at, shared) in document.requirements.iter().enumerate() {
            self.text(shared.name.as_deref(), format!("requirements[{at}].name"));
            self.requirement(&shared.requirement, &[], &format!("requirements[{at}].requirement"));
        }
    }

    /// A requirement, if there is one.
    pub(super) fn requirement_if(&mut self, requirement: Option<&Requirement>, path: &str) {
        if let Some(requirement) = requirement {
            self.requirement(requirement, &[], path);
        }
    }

    /// A requirement.
    pub(super) fn requirement(&mut self, requirement: &Requirement, bound: Bound<'_>, path: &str) {
        self.requirement_tree(requirement, bound, path, 0);
    }

    fn requirement_tree(&mut self, requirement: &Requirement, bound: Bound<'_>, path: &str, depth: usize) {
        if depth > MAX_TREE_DEPTH {
            return self.fault("TOO_DEEP", path, format!("requirements are nested at most {MAX_TREE_DEPTH} deep"));
        }
        let deeper = depth + 1;
        match requirement {
            Requirement::AllOf(list) => {
                self.branches(list, bound, &format!("{path}.allOf"), deeper);
                self.compatible(list, &format!("{path}.allOf"));
            }
            Requirement::AnyOf(list) => {
                self.not_empty(list, format!("{path}.anyOf"), "requirement: nobody meets none of nothing");
                self.branches(list, bound, &format!("{path}.anyOf"), deeper);
            }
            Requirement::AtLeast(rule) => self.at_least(rule, bound, &format!("{path}.atLeast"), deeper),
            Requirement::Not(inner) => self.requirement_tree(inner, bound, &format!("{path}.not"), deeper),
            Requirement::Labelled(rule) => {
                self.text(Some(&rule.label), format!("{path}.labelled.label"));
                self.requirement_tree(&rule.requirement, bound, &format!("{path}.labelled.requirement"), deeper);
            }
            Requirement::Shared(key) => {
                let document = self.document;
                self.reference("shared requirement", key, format!("{path}.shared"), document.requirements.iter().map(|shared| shared.key.as_str()));
            }
            Requirement::Metric(comparison) => self.comparison(comparison, bound, &format!("{path}.metric")),
            Requirement::When(rule) => {
                self.requirement_tree(&rule.condition, bound, &format!("{path}.when.condition"), deeper);
                self.requirement_tree(&rule.requirement, bound, &format!("{path}.when.requirement"), deeper);
            }
            Requirement::Streak(rule) => {
                self.at_least_one(rule.periods, format!("{path}.streak.periods"));
                self.at_most(rule.periods, crate::requirement::MAX_STREAK, &format!("{path}.streak.periods"));
                self.requirement_tree(&rule.requirement, bound, &format!("{path}.streak.requirement"), deeper);
            }
            Requirement::OnAnyDay(rule) => {
                self.window(&rule.window, &format!("{path}.onAnyDay.window"));
                self.requirement_tree(&rule.requirement, bound, &format!("{path}.onAnyDay.requirement"), deeper);
            }
            Requirement::ForEach(rule) => self.for_each(rule, bound, &format!("{path}.forEach"), deeper),
            leaf => self.leaf(leaf, bound, path),
        }
    }

    fn leaf(&mut self, leaf: &Requirement, bound: Bound<'_>, path: &str) {
        match leaf {
            Requirement::Tier(rule) => self.tier_held(rule, &format!("{path}.tier")),
            Requirement::Ladders(rule) => self.ladders_held(rule, &format!("{path}.ladders")),
            Requirement::Holding(rule) => {
                self.text(Some(&rule.kind), format!("{path}.holding.kind"));
                self.text(rule.label.as_deref(), format!("{path}.holding.label"));
                self.filter(rule.filter.as_ref(), Source::Holdings, bound, &format!("{path}.holding.filter"));
            }
            Requirement::Tenure(rule) => {
                let path = format!("{path}.tenure");
                if rule.ladder.is_some() || rule.tier.is_some() {
                    self.tier_of(rule.ladder.as_deref(), rule.tier.as_deref(), &path);
                }
                self.at_least_one(rule.months, format!("{path}.months"));
                self.at_most(rule.months, MAX_TENURE_MONTHS, &format!("{path}.months"));
            }
            Requirement::Contract(rule) => {
                if let Some(template) = &rule.template {
                    self.template(template, format!("{path}.contract.template"));
                }
            }
            Requirement::Partner(rule) => self.partner_is(rule, &format!("{path}.partner")),
            _ => {}
        }
    }

    fn at_most(&mut self, value: u32, most: u32, path: &str) {
        if value > most {
            self.fault("OUT_OF_RANGE", path, format!("write {most} or less"));
        }
    }

    fn branches(&mut self, list: &[Requirement], bound: Bound<'_>, path: &str, depth: usize) {
        for (index, inner) in list.iter().enumerate() {
            self.requirement_tree(inner, bound, &format!("{path}[{index}]"), depth);
        }
    }

    fn at_least(&mut self, rule: &AtLeast, bound: Bound<'_>, path: &str, depth: usize) {
        self.at_least_one(rule.n, format!("{path}.n"));
        if rule.n as usize > rule.of.len() {
            self.fault("OUT_OF_RANGE", format!("{path}.n"), format!("the list has {}: nobody could meet {} of them", rule.of.len(), rule.n));
        }
        self.branches(&rule.of, bound, &format!("{path}.of"), depth);
        let Some(subset) = &rule.including else { return };
        let path = format!("{path}.including");
        self.at_least_one(subset.m, format!("{path}.m"));
        if subset.m as usize > subset.items.len() {
            self.fault("OUT_OF_RANGE", format!("{path}.m"), format!("only {} are in the subset: nobody could meet {} of them", subset.items.len(), subset.m));
        }
        for (index, item) in subset.items.iter().enumerate() {
            if *item as usize >= rule.of.len() {
                let message = format!("positions in `of` count from 0, so the last one is {}", rule.of.len().saturating_sub(1));
                self.fault("OUT_OF_RANGE", format!("{path}.items[{index}]"), message);
            }
            if subset.items.iter().take(index).any(|earlier| earlier == item) {
                self.fault("DUPLICATE", format!("{path}.items[{index}]"), format!("position {item} stands twice: leave one out"));
            }
        }
    }

    fn for_each(&mut self, rule: &ForEach, bound: Bound<'_>, path: &str, depth: usize) {
        self.measure(&rule.groups, bound, &format!("{path}.groups"));
        if rule.groups.group_by.len() != 1 {
            self.fault("NOT_EXACTLY_ONE", format!("{path}.groups.groupBy"), "`forEach` goes over the values of one field: list exactly one");
        }
        self.key(&rule.r#as, &format!("{path}.as"));
        if bound.contains(&rule.r#as) {
            self.fault("DUPLICATE", format!("{path}.as"), "an enclosing `forEach` has this name: choose another");
        }
        let mut inner = bound.to_vec();
        inner.push(rule.r#as.clone());
        self.requirement_tree(&rule.requirement, &inner, &format!("{path}.requirement"), depth);
    }

    fn comparison(&mut self, comparison: &Comparison, bound: Bound<'_>, path: &str) {
        self.text(comparison.label.as_deref(), format!("{path}.label"));
        self.exactly_one(path, &[("metric", comparison.metric.is_some()), ("value", comparison.value.is_some())]);
        let mut unit = None;
        if let Some(metric) = &comparison.metric {
            self.metric_key(metric, format!("{path}.metric"));
            unit = self.names.unit(metric);
        }
        if let Some(operand) = &comparison.value {
            self.operand(operand, bound, &format!("{path}.value"), 0);
            unit = self.unit_of(operand);
        }
        let bounds = [
            ("atLeast", &comparison.at_least),
            ("above", &comparison.above),
            ("atMost", &comparison.at_most),
            ("below", &comparison.below),
            ("equals", &comparison.equals),
        ];
        self.exactly_one(path, &bounds.map(|(name, value)| (name, value.is_some())));
        for (name, value) in bounds {
            if let Some(value) = value {
                self.thresholds(value, unit, &format!("{path}.{name}"));
            }
        }
        self.reachable(comparison, path);
    }

    fn thresholds(&mut self, scoped: &Scoped<Threshold>, unit: Option<Unit>, path: &str) {
        self.scoped(scoped, path);
        for (path, value) in placed(scoped, path) {
            self.threshold(value, unit, &path);
        }
    }

    /// A tier of a ladder.
    pub(super) fn tier_of(&mut self, ladder: Option<&str>, tier: Option<&str>, path: &str) {
        let document = self.document;
        if let Some(key) = ladder {
            self.reference("ladder", key, format!("{path}.ladder"), document.ladders.iter().map(|ladder| ladder.key.as_str()));
        }
        match (self.names.ladder(ladder), tier) {
            (Some(found), Some(tier)) => self.tier_reference(found, tier, format!("{path}.tier")),
            (None, _) if ladder.is_none() => {
                self.fault("MISSING_MEMBER", format!("{path}.ladder"), "the document has no main ladder: name the ladder");
            }
            _ => {}
        }
    }

    fn tier_held(&mut self, rule: &TierHeld, path: &str) {
        self.tier_of(Some(&rule.ladder), Some(&rule.tier), path);
    }

    fn ladders_held(&mut self, rule: &LaddersHeld, path: &str) {
        let document = self.document;
        for (index, key) in rule.ladders.iter().enumerate() {
            self.reference("ladder", key, format!("{path}.ladders[{index}]"), document.ladders.iter().map(|ladder| ladder.key.as_str()));
        }
        self.no_repetition(&rule.ladders, &format!("{path}.ladders"));
        self.exactly_one(path, &[("rankAtLeast", rule.rank_at_least.is_some()), ("tier", rule.tier.is_some())]);
        if let Some(rank) = rule.rank_at_least {
            self.at_least_one(rank, format!("{path}.rankAtLeast"));
        }
        if let Some(tier) = &rule.tier {
            let all: Vec<&str> = document.ladders.iter().flat_map(|ladder| ladder.tiers.iter().map(|tier| tier.key.as_str())).collect();
            self.reference_in("tier", "any ladder", tier, format!("{path}.tier"), all.into_iter());
        }
        self.regions_counted(rule, path);
        self.thresholds(&rule.at_least, Some(Unit::Count), &format!("{path}.atLeast"));
        self.ladders_enough(rule, path);
    }

    fn regions_counted(&mut self, rule: &LaddersHeld, path: &str) {
        for (index, region) in rule.regions.iter().enumerate() {
            self.region(region, format!("{path}.regions[{index}]"));
        }
        for (index, group) in rule.region_groups.iter().enumerate() {
            self.region_group(group, format!("{path}.regionGroups[{index}]"));
        }
        let message = "it says which regions count: that needs `eachRegion: true`";
        self.out_of_place(!rule.each_region && !rule.regions.is_empty(), format!("{path}.regions"), message);
        self.out_of_place(!rule.each_region && !rule.region_groups.is_empty(), format!("{path}.regionGroups"), message);
        let in_regions = self.counted_ladders(rule).into_iter().any(|ladder| ladder.scope == LadderScope::PartnerInRegion);
        self.out_of_place(
            rule.each_region && !in_regions,
            format!("{path}.eachRegion"),
            "none of these ladders is held region by region (`scope: PARTNER_IN_REGION`): leave it out",
        );
    }

    /// Whether so many ladders have the level that is asked for. Unknown ladders, tiers and regions have faults of their own.
    fn ladders_enough(&mut self, rule: &LaddersHeld, path: &str) {
        let asked = self.counted_ladders(rule);
        let regions = &self.names.regions;
        let all_known = rule.ladders.iter().all(|key| asked.iter().any(|ladder| ladder.key == *key))
            && rule.regions.iter().all(|region| regions.contains(region))
            && rule.region_groups.iter().all(|group| self.document.region_groups.iter().any(|known| known.key == *group));
        if !all_known || rule.tier.as_ref().is_some_and(|tier| self.document.ladders.iter().all(|ladder| ladder.tier(tier).is_none())) {
            return;
        }
        let highest = asked.iter().map(|ladder| ladder.tiers.len()).max().unwrap_or(0);
        if let Some(rank) = rule.rank_at_least.filter(|rank| *rank as usize > highest) {
            let message = format!("the highest rank in these ladders is {highest}: nobody could hold a tier of rank {rank}");
            return self.fault("OUT_OF_RANGE", format!("{path}.rankAtLeast"), message);
        }
        let has_level = |ladder: &&&Ladder| match (&rule.tier, rule.rank_at_least) {
            (Some(tier), _) => ladder.tier(tier).is_some(),
            (None, rank) => rank.unwrap_or(1) as usize <= ladder.tiers.len(),
        };
        let most = asked.iter().filter(has_level).map(|ladder| self.times_held(rule, ladder)).sum();
        self.at_most_ladders(&rule.at_least, most, &format!("{path}.atLeast"));
    }

    fn at_most_ladders(&mut self, thresholds: &Scoped<Threshold>, most: usize, path: &str) {
        let limit = Exact::from_int(i64::try_from(most).unwrap_or(i64::MAX));
        for (path, threshold) in placed(thresholds, path) {
            let value = &threshold.value;
            if !value.is_whole() || value.is_negative() {
                self.fault("OUT_OF_RANGE", path, format!("ladders are counted whole: write a whole number in place of {value}"));
            } else if *value > limit {
                self.fault("OUT_OF_RANGE", path, format!("of these ladders {most} can be held at this level: nobody could hold {value} of them"));
            }
        }
    }

    fn partner_is(&mut self, rule: &PartnerIs, path: &str) {
        for (index, region) in rule.regions.iter().enumerate() {
            self.region(region, format!("{path}.regions[{index}]"));
        }
        for (index, group) in rule.region_groups.iter().enumerate() {
            self.region_group(group, format!("{path}.regionGroups[{index}]"));
        }
        self.partner_types(&rule.partner_types, &format!("{path}.partnerTypes"));
        self.partner_types(&rule.tracks, &format!("{path}.tracks"));
        let lists = [&rule.regions, &rule.region_groups, &rule.partner_types, &rule.tracks];
        if lists.iter().all(|list| list.is_empty()) && rule.attribute.is_none() {
            self.fault("EMPTY_LIST", path, "say what the partner must be: `regions`, `regionGroups`, `partnerTypes`, `tracks` or `attribute`");
        }
        self.out_of_place(rule.equals.is_some() && rule.attribute.is_none(), format!("{path}.equals"), "it compares an attribute, and no `attribute` is named");
    }
}

impl<'d> Check<'d> {
    /// The ladders that a rule counts, as far as there are such.
    fn counted_ladders(&self, rule: &LaddersHeld) -> Vec<&'d Ladder> {
        let main = self.names.main_ladder.map(|ladder| &ladder.key);
        let named = |ladder: &&Ladder| if rule.ladders.is_empty() { main != Some(&ladder.key) } else { rule.ladders.contains(&ladder.key) };
        self.document.ladders.iter().filter(named).collect()
    }

    /// How often a ladder can count.
    fn times_held(&self, rule: &LaddersHeld, ladder: &Ladder) -> usize {
        if !rule.each_region || ladder.scope == LadderScope::Partner {
            return 1;
        }
        let geography = Geography::new(self.document);
        geography.regions.keys().iter().filter(|region| rule.counts(&geography, region)).count()
    }
}
